/**
 * Answers the API's paths in the development server, from memory: scans and findings here, people and the server in
 * `platform.ts`, and the rest with the examples of the OpenAPI document. It follows the contract closely enough to look at
 * every page and state; the browser tests run against the real server, not against this.
 *
 * States to look at: `?` in the browser's address does not reach here, so set the cookie-free header-less switches by
 * environment: MOCK_SETUP=1 (first run), MOCK_DEMO=1 (demo data), MOCK_EMPTY=1 (nothing yet), MOCK_FAIL=1 (lists fail).
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Connect, Plugin } from "vite";
import type { FindingStatus, Severity } from "../../src/api/model";
import { before, build, none } from "./data";
import { example } from "./examples";
import { Platform, paged } from "./platform";

const POLICY =
  "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'";

type Row = Record<string, unknown>;
const RANK: Record<string, number> = { critical: 4, high: 3, medium: 2, low: 1, info: 0 };

export function mockApi(): Plugin {
  const demo = process.env.MOCK_DEMO === "1";
  const db =
    process.env.MOCK_EMPTY === "1" ? { ...build(demo), assets: [], findings: [], scans: [], hosts: [] } : build(demo);
  let setUp = process.env.MOCK_SETUP !== "1";
  let allowPrivate = true;
  let done = 0;
  const platform = new Platform();
  const tokens = () => ({
    access_token: `a${Date.now()}`,
    refresh_token: `r${Date.now()}`,
    token_type: "bearer",
    expires_in: 1800,
  });
  const progress = (id: number) => {
    const running = db.scans.find((scan) => scan.id === id)?.status === "running";
    if (running) done = Math.min(done + 40, 412);
    const scan = db.scans.find((entry) => entry.id === id);
    if (scan && running && done >= 412) {
      Object.assign(scan, {
        status: "completed",
        finished_at: new Date().toISOString(),
        score: 71,
        coverage: 0.94,
        hosts_finished: 20,
      });
    }
    const checks = running ? done : 412;
    return {
      scan_id: id,
      status: db.scans.find((scan) => scan.id === id)?.status ?? "completed",
      phase: "checking services",
      current: "shop.example.com tcp/443",
      hosts_total: 20,
      hosts_finished: running ? Math.floor(checks / 21) : 20,
      ports_total: 20_000,
      ports_finished: running ? Math.min(20_000, checks * 60) : 20_000,
      checks_total: 412,
      checks_finished: checks,
      findings: { ...none(), high: 1, medium: 4, low: 6 },
      eta_seconds: running ? Math.round((412 - checks) / 3) : null,
      partial: false,
      updated_at: new Date().toISOString(),
    };
  };

  function list(rows: readonly object[], query: URLSearchParams, skip: string[] = []) {
    const own = new Set(["page", "page_size", "sort", "sort_dir", "search", ...skip]);
    let kept = rows as Row[];
    for (const [name, value] of query) {
      if (own.has(name)) continue;
      const wanted = value.split(",");
      if (name === "first_seen_from") kept = kept.filter((row) => String(row.first_seen_at) >= value);
      else if (name === "reopened") kept = kept.filter((row) => Number(row.reopened) > 0);
      else if (name === "tag") kept = kept.filter((row) => wanted.some((tag) => (row.tags as string[])?.includes(tag)));
      else if (name === "scan_id") kept = kept.filter((row) => row.last_scan_id === Number(value) || true);
      else kept = kept.filter((row) => wanted.includes(String(row[name])));
    }
    const text = query.get("search")?.toLowerCase();
    if (text)
      kept = kept.filter((row) =>
        JSON.stringify([row.name, row.title, row.target_value, row.asset, row.check_id, row.targets])
          .toLowerCase()
          .includes(text),
      );
    const sort = query.get("sort");
    const sign = query.get("sort_dir") === "desc" ? -1 : 1;
    if (sort) {
      kept = [...kept].sort((a, b) => {
        const [x, y] = [a[sort], b[sort]].map((value) => (sort === "severity" ? RANK[String(value)] : value)) as [
          never,
          never,
        ];
        return (x < y ? -1 : x > y ? 1 : 0) * sign;
      });
    }
    const page = Number(query.get("page") ?? 1);
    const size = Number(query.get("page_size") ?? 50);
    return {
      data: kept.slice((page - 1) * size, page * size),
      total: kept.length,
      page,
      page_size: size,
      total_pages: Math.ceil(kept.length / size),
    };
  }

  function summary() {
    const open = db.findings.filter((finding) => !["resolved", "accepted_risk"].includes(finding.status));
    const count = (severity: Severity) => open.filter((finding) => finding.severity === severity).length;
    return {
      total_assets: db.assets.length,
      total_vulns: open.length,
      critical_count: count("critical"),
      high_count: count("high"),
      medium_count: count("medium"),
      low_count: count("low"),
      info_count: count("info"),
      kev_count: 0,
      new_24h: open.filter((finding) => finding.first_seen_at > before(1440)).length,
      new_7d: 9,
      stale_assets: db.assets.filter((asset) => asset.stale).length,
      source_health: [],
      accepted_risk_count: 12,
      score: db.scans.length ? 71.4 : null,
      coverage: db.scans.length ? 0.944 : null,
      scored_assets: 7,
      running_scans: 1,
      failed_scans_7d: db.scans.filter((scan) => scan.status === "failed").length,
      last_scan: db.scans.length ? { id: 17, finished_at: before(88) } : null,
      riskiest_assets: [...db.assets]
        .filter((asset) => asset.score !== null)
        .sort((a, b) => (a.score ?? 0) - (b.score ?? 0))
        .slice(0, 5)
        .map(({ id, name, score, open_findings }) => ({ id, name, score, open_findings })),
      demo,
    };
  }

  async function answer(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const path = url.pathname.replace(/\/$/, "");
    const method = request.method ?? "GET";
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const raw = Buffer.concat(chunks).toString();
    const body = request.headers["content-type"]?.includes("json") && raw ? JSON.parse(raw) : {};
    const send = (status: number, value?: unknown) => {
      response.statusCode = status;
      response.setHeader("content-type", "application/json");
      response.setHeader("x-request-id", "mock-request");
      response.end(value === undefined ? "" : JSON.stringify(value));
    };
    const problem = (status: number, detail: string, errors: unknown[] = []) =>
      send(status, { detail, errors, type: "about:blank", title: "Problem", status, request_id: "01J-mock-7f3a" });
    const id = path.split("/")[3] ?? "";
    const route = `${method} ${path.replace(/\/(scans|assets|findings)\/(?!bulk|stats|import|tags)[^/]+/, "/$1/:id")}`;

    if (process.env.MOCK_FAIL === "1" && /GET \/api\/(assets|findings|scans)$/.test(route)) {
      return problem(500, "Internal server error");
    }
    switch (route) {
      case "GET /health":
        return send(200, { status: "ok", version: "0.1.0" });
      case "GET /api/auth/providers":
        return send(200, {
          internal_enabled: true,
          ldap_enabled: false,
          oidc_enabled: false,
          oidc_provider_name: null,
          oidc_label: null,
          ldap_label: null,
          password_reset: true,
          setup_required: !setUp,
          setup_token_required: false,
          allow_private_default: true,
        });
      case "POST /api/auth/setup":
        if (String(body.password).length < 8 || body.password === "password")
          return problem(422, "Validation error", [
            { field: "body -> password", message: "this password is too short or too common", type: "value_error" },
          ]);
        setUp = true;
        return send(201, { ...tokens(), user: platform.user() });
      case "POST /api/auth/login":
        return String(body.password).startsWith("wrong")
          ? problem(401, "Wrong user name or password")
          : send(200, { ...tokens(), user: platform.user() });
      case "POST /api/auth/refresh":
        return send(200, tokens());
      case "POST /api/auth/logout":
        return send(204);
      case "GET /api/auth/me":
        return send(200, platform.user());
      case "GET /api/summary":
        return send(200, summary());
      case "GET /api/summary/trend": {
        const days = Number(url.searchParams.get("days") ?? 30);
        const trend = Array.from({ length: days }, (_, index) => {
          const wave = (base: number, swing: number) => Math.round(base + swing * Math.sin(index / 4) + index * 0.2);
          const day = {
            critical: wave(4, 2),
            high: wave(10, 3),
            medium: wave(24, 4),
            low: wave(28, 3),
            info: wave(4, 1),
          };
          return {
            date: before((days - index - 1) * 1440).slice(0, 10),
            ...day,
            total: day.critical + day.high + day.medium + day.low + day.info,
          };
        });
        return send(200, { days, trend });
      }
      case "GET /api/assets":
        return send(200, list(db.assets, url.searchParams));
      case "POST /api/assets": {
        if (!/[.:]/.test(body.target_value))
          return problem(422, "Validation error", [
            {
              field: "body -> target_value",
              message: `\`${body.target_value}\` is not a domain, an address or a network`,
              type: "value_error",
            },
          ]);
        const asset = {
          ...build(demo).assets[0],
          id: crypto.randomUUID(),
          name: body.name ?? body.target_value,
          target_value: body.target_value,
          tags: body.tags,
          risk_zone: body.risk_zone,
          open_findings: none(),
          score: null,
          last_seen_at: null,
          last_scan_id: null,
        } as never;
        db.assets.unshift(asset);
        return send(201, asset);
      }
      case "GET /api/assets/tags":
        return send(
          200,
          paged([...new Set(db.assets.flatMap((asset) => asset.tags))].map((tag) => ({ tag, count: 1 }))),
        );
      case "PATCH /api/assets/bulk":
        return send(200, { updated: body.asset_ids.length, not_found: [] });
      case "POST /api/assets/import":
        return send(200, {
          invalid: 1,
          rows: 3,
          created: 2,
          duplicates: 0,
          errors: [{ row: 4, field: "target_value", message: "`300.1.1.1` is not an address" }],
        });
      case "GET /api/assets/:id": {
        const asset = db.assets.find((entry) => entry.id === id);
        return asset ? send(200, asset) : problem(404, `asset ${id} not found`);
      }
      case "PATCH /api/assets/:id": {
        const asset = db.assets.find((entry) => entry.id === id);
        return send(200, Object.assign(asset ?? {}, body));
      }
      case "DELETE /api/assets/:id":
        db.assets = db.assets.filter((asset) => asset.id !== id);
        return send(204);
      case "GET /api/findings":
        return send(200, list(db.findings, url.searchParams));
      case "GET /api/findings/:id": {
        const finding = db.findings.find((entry) => entry.id === id);
        return finding ? send(200, finding) : problem(404, `finding ${id} not found`);
      }
      case "GET /api/findings/:id/history":
        return send(200, list(db.events.get(id) ?? [], url.searchParams));
      case "PATCH /api/findings/:id": {
        const finding = db.findings.find((entry) => entry.id === id);
        if (!finding) return problem(404, `finding ${id} not found`);
        if (body.status === "accepted_risk" && !body.status_note)
          return problem(422, "Validation error", [
            {
              field: "body -> status_note",
              message: "accepted_risk needs a status_note that says why",
              type: "value_error",
            },
          ]);
        Object.assign(finding, { status: body.status as FindingStatus, status_note: body.status_note ?? null });
        return send(200, finding);
      }
      case "POST /api/findings/bulk":
        for (const finding of db.findings) if (body.finding_ids.includes(finding.id)) finding.status = body.status;
        return send(200, {
          updated: body.finding_ids.length,
          results: body.finding_ids.map((one: string) => ({ id: one, outcome: "updated" })),
        });
      case "GET /api/scans":
        return send(200, list(db.scans, url.searchParams));
      case "POST /api/scans": {
        const next = {
          ...(build(demo).scans[17] as object),
          id: db.scans.length + 1,
          scan_type: body.scan_type,
          targets: body.targets?.length ? body.targets : ["127.0.0.1"],
          created_at: new Date().toISOString(),
          started_at: new Date().toISOString(),
        } as never;
        db.scans.push(next);
        for (const port of String(body.ports ?? "")
          .split(",")
          .filter(Boolean)) {
          db.hosts[0]?.ports.push({
            ...(db.hosts[0].ports[1] as (typeof db.hosts)[0]["ports"][0]),
            port: Number(port),
          });
        }
        done = 0;
        return send(202, { id: db.scans.length, scan_id: db.scans.length, status: "pending" });
      }
      case "GET /api/scans/:id": {
        progress(Number(id));
        const scan = db.scans.find((entry) => entry.id === Number(id));
        return scan ? send(200, scan) : problem(404, `scan ${id} not found`);
      }
      case "GET /api/scans/:id/progress":
        return send(200, progress(Number(id)));
      case "GET /api/scans/:id/results":
        return send(200, list(db.hosts, url.searchParams, ["sort"]));
      case "POST /api/scans/:id/cancel": {
        const scan = db.scans.find((entry) => entry.id === Number(id));
        if (scan) Object.assign(scan, { status: "cancelled", finished_at: new Date().toISOString(), partial: true });
        return send(202, scan);
      }
      case "DELETE /api/scans/:id":
        db.scans = db.scans.filter((scan) => scan.id !== Number(id));
        return send(204);
      case "GET /api/scans/:id/download":
        return send(200, {
          schema: "bartizan.scan/1",
          verdicts: db.findings.slice(0, 60).map((finding, index) => ({
            check_id: finding.check_id,
            asset: finding.asset,
            location: `${finding.location}`,
            verdict: ["fail", "pass", "error", "not_tested", "not_applicable"][index % 5],
            reason:
              index % 5 === 2
                ? "timed out after 10 s"
                : index % 5 === 3
                  ? "the port scan was switched off"
                  : index % 5 === 4
                    ? "no HTML was served"
                    : null,
          })),
        });
      case "GET /api/scans/:id/events": {
        response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
        const timer = setInterval(
          () => response.write(`event: progress\ndata: ${JSON.stringify(progress(Number(id)))}\n\n`),
          1000,
        );
        response.write(`event: progress\ndata: ${JSON.stringify(progress(Number(id)))}\n\n`);
        request.on("close", () => clearInterval(timer));
        response.on("close", () => clearInterval(timer));
        return;
      }
      case "GET /api/profiles":
        return send(
          200,
          paged([
            {
              name: "quick",
              description:
                "Public records, the front page, certificates and the 100 most exposed ports; a minute or two a host",
              ports: "top:100",
              udp_ports: "",
              path_probes: false,
              check_count: 87,
            },
            {
              name: "full",
              description: "Every passive and safe check, the 1000 most exposed ports and the common UDP services",
              ports: "top:1000",
              udp_ports: "53,123,161",
              path_probes: true,
              check_count: 112,
            },
            {
              name: "custom",
              description:
                "Your own ports, checks and feature switches; starts from the safe checks and the 1000 most exposed ports",
              ports: "top:1000",
              udp_ports: "",
              path_probes: true,
              check_count: 112,
            },
          ]),
        );
      case "GET /api/config/scanning":
        response.setHeader("etag", '"1"');
        return send(200, { allow_private: allowPrivate });
      case "PATCH /api/config/scanning":
        allowPrivate = body.allow_private;
        return send(200, { allow_private: allowPrivate });
      case "GET /api/system/status":
        return send(200, {
          version: "0.1.0",
          catalogue: "5f1d2c9a",
          check_count: 112,
          database: "sqlite",
          uptime_seconds: 86_432,
          jobs: {
            waiting: 2,
            running: 1,
            failed: 0,
            by_kind: [
              {
                kind: "mail",
                waiting: 2,
                running: 0,
                failed: 0,
                waiting_since: new Date(Date.now() - 3_600_000).toISOString(),
                next_due_at: new Date(Date.now() + 120_000).toISOString(),
              },
              { kind: "scan", waiting: 0, running: 1, failed: 0, waiting_since: null, next_due_at: null },
            ],
          },
          demo,
          ...platform.status(),
        });
      default: {
        const acted = platform.answer(`${method} ${path}`, body);
        const found = acted ?? example(method, path);
        if (!found) return problem(404, `no mock for ${route}`);
        response.setHeader("etag", acted?.etag ?? '"1"');
        return send(found.status, found.value);
      }
    }
  }

  const middleware: Connect.NextHandleFunction = (request, response, next) => {
    const url = new URL(request.url ?? "/", "http://mock");
    if (!url.pathname.startsWith("/api/") && url.pathname !== "/health") return next();
    return void answer(request, response, url).catch((error) => {
      response.statusCode = 500;
      response.end(JSON.stringify({ detail: String(error) }));
    });
  };

  return {
    name: "bartizan-mock-api",
    apply: "serve",
    configureServer(server) {
      server.middlewares.use(middleware);
    },
    configurePreviewServer(server) {
      // A built interface under the policy of the real server.
      server.middlewares.use((request, response, next) => {
        response.setHeader("content-security-policy", POLICY);
        if (request.url === "/") {
          response.writeHead(307, { location: "/ui/" });
          return void response.end();
        }
        return next();
      });
      server.middlewares.use(middleware);
    },
  };
}
