/** Invented data for looking at pages while developing. Never part of a build. */
import type { Asset, Finding, FindingEvent, HostResult, Scan, Severity, SeverityCounts } from "../../src/api/model";

const NOW = Date.now();
export const before = (minutes: number) => new Date(NOW - minutes * 60_000).toISOString();
const uuid = (kind: number, number: number) => `0199${kind}b5e-7c1a-7cc2-b5a5-${number.toString(16).padStart(12, "0")}`;

export const none = (): SeverityCounts => ({ critical: 0, high: 0, medium: 0, low: 0, info: 0 });

const CHECKS: [string, Severity, string, string, string[], unknown, string][] = [
  [
    "svc.unauthenticated",
    "critical",
    "service",
    "Service answers without authentication",
    ["nis2:21.2.i", "2024/2690:11.6.2"],
    { service: "redis", command: "INFO server", answer: "redis_version:7.0.15", endpoint: "tcp/6379" },
    "tcp/6379",
  ],
  [
    "exposed.vcs",
    "high",
    "web",
    "Version control data is served by the web server",
    ["nis2:21.2.e", "2024/2690:6.3.2"],
    { path: "/.git/HEAD", status: 200, first_line: "ref: refs/heads/main", config_found: true, baseline_differs: true },
    "tcp/443/.git/HEAD",
  ],
  [
    "cert.expired",
    "high",
    "certificate",
    "Certificate has expired",
    ["nis2:21.2.h", "nis2:21.2.c", "2024/2690:9.2"],
    {
      not_after: "2026-10-30T23:59:59Z",
      subject: "CN=shop.example.com",
      issuer: "C=US, O=Let's Encrypt, CN=R11",
      names: ["shop.example.com", "www.shop.example.com"],
      sha256: "5b8f1a3b9c0e42d4a1d0f1e9b77c2a0dd6c3b1a4e4b2f0c91d7a8e6f5c4b3a29",
    },
    "tcp/443",
  ],
  [
    "tls.v10",
    "medium",
    "tls",
    "Server accepts TLS 1.0",
    ["nis2:21.2.h", "2024/2690:9.2"],
    { version: "TLS 1.0", suite: "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", offered: ["TLS 1.0", "TLS 1.2", "TLS 1.3"] },
    "tcp/443",
  ],
  [
    "hsts.missing",
    "medium",
    "web",
    "HTTPS site sends no Strict-Transport-Security header",
    ["nis2:21.2.h", "2024/2690:6.7.2"],
    { status: 200, header: null, url: "https://shop.example.com/" },
    "tcp/443",
  ],
  [
    "csp.missing",
    "medium",
    "web",
    "HTML pages carry no Content-Security-Policy",
    ["nis2:21.2.e"],
    { status: 200, content_type: "text/html; charset=utf-8" },
    "tcp/443",
  ],
  [
    "dmarc.none",
    "medium",
    "mail",
    "DMARC policy is none: forged mail is delivered",
    ["nis2:21.2.e", "2024/2690:6.7.2"],
    { record: "v=DMARC1; p=none; rua=mailto:dmarc@example.com", name: "_dmarc.example.com" },
    "dns/_dmarc.example.com",
  ],
  [
    "cookie.samesite",
    "low",
    "web",
    "Cookies are set without SameSite",
    ["nis2:21.2.e"],
    { cookies: ["session", "cart", "locale"] },
    "tcp/443",
  ],
  [
    "disclosure.version",
    "low",
    "web",
    "Responses name the exact product version",
    ["nis2:21.2.e"],
    { header: "server", value: "nginx/1.18.0" },
    "tcp/80",
  ],
  [
    "dnssec.insecure",
    "low",
    "dns",
    "Zone is not signed with DNSSEC",
    ["nis2:21.2.e", "2024/2690:6.7.2"],
    { zone: "example.com", ds_at_parent: false },
    "dns",
  ],
  [
    "sectxt.missing",
    "low",
    "web",
    "No security.txt tells finders whom to contact",
    ["nis2:21.2.e", "nis2:21.2.b"],
    { path: "/.well-known/security.txt", status: 404 },
    "tcp/443",
  ],
  ["tls.no13", "info", "tls", "Server does not offer TLS 1.3", ["nis2:21.2.h"], { best: "TLS 1.2" }, "tcp/443"],
];

const NAMES: [string, Asset["kind"], string, Asset["risk_zone"], string[]][] = [
  ["Shop", "domain", "shop.example.com", "production", ["pci", "web", "customer-facing"]],
  ["Corporate site", "domain", "example.com", "production", ["web"]],
  ["Mail gateway", "domain", "mail.example.com", "dmz", ["mail"]],
  ["VPN", "ip", "192.0.2.10", "dmz", ["remote-access"]],
  ["Build server", "ip", "192.0.2.77", "internal", ["ci"]],
  ["Office network", "cidr", "198.51.100.0/28", "internal", []],
  ["Staging", "domain", "staging.example.com", "staging", ["web"]],
  ["Legacy ERP", "ip", "2001:db8::42", "restricted", ["erp", "end-of-life", "finance", "audit-2026"]],
];

const STATUSES: Finding["status"][] = [
  "open",
  "open",
  "open",
  "acknowledged",
  "open",
  "in_progress",
  "open",
  "accepted_risk",
  "open",
  "resolved",
];

export interface Data {
  assets: Asset[];
  findings: Finding[];
  events: Map<string, FindingEvent[]>;
  scans: Scan[];
  hosts: HostResult[];
}

export function build(demo: boolean): Data {
  const assets: Asset[] = NAMES.map(([name, kind, value, zone, tags], index) => ({
    id: uuid(1, index),
    name,
    kind,
    target_type: kind,
    target_value: value,
    hostname: null,
    os_distro: null,
    os_version: null,
    risk_zone: zone,
    criticality: 3,
    tags,
    open_findings: none(),
    score: index === 5 ? null : ([49, 79, 84, 49, 91, 0, 96, 72][index] ?? null),
    last_seen_at: index === 5 ? null : before(90 + index * 300),
    last_scan_id: index === 5 ? null : 17,
    stale: index === 5,
    demo,
    created_at: before(60_000),
    updated_at: before(500),
  }));
  const findings: Finding[] = [];
  const events = new Map<string, FindingEvent[]>();
  for (let index = 0; index < 138; index++) {
    const check = CHECKS[(index * 7) % CHECKS.length] as (typeof CHECKS)[number];
    const asset = assets[(index * 5) % 8] as Asset;
    if (asset.kind === "cidr") continue;
    const status = STATUSES[index % STATUSES.length] as Finding["status"];
    const id = uuid(2, index);
    const finding: Finding = {
      id,
      fingerprint: `v1:${index.toString(16).padStart(32, "0")}`,
      check_id: check[0],
      title: check[3],
      severity: check[1],
      confidence: index % 9 === 0 ? "probable" : "confirmed",
      category: check[2],
      status,
      resolution_reason: status === "resolved" ? "fixed" : null,
      status_note: status === "accepted_risk" ? "Isolated network, replaced in March" : null,
      accepted_until: status === "accepted_risk" ? before(-180_000) : null,
      asset: asset.target_value,
      asset_id: asset.id,
      asset_name: asset.name,
      location: index % 3 ? check[6] : check[6].replace("443", "8443"),
      controls: check[4],
      first_seen_at: before(200 + index * 700),
      last_seen_at: before(90),
      first_scan_id: 3,
      last_scan_id: 17,
      occurrences: index % 4 === 0 ? 1 : (index % 9) + 1,
      reopened: index % 13 === 0 ? 1 : 0,
      resolved_at: status === "resolved" ? before(95) : null,
      demo,
      description: `The check ${check[0]} looked at ${check[6]} of ${asset.target_value} and saw the state shown in the evidence. It judges only what was answered; a time-out or a refused connection is never a pass and never a finding.`,
      risk: "Somebody on the path, or anybody who can reach the service, can use this to read or change what should stay private. Automated scanners look for exactly this within hours of it becoming reachable.",
      remediation: [
        "Change the configuration of the service as in the example below.",
        "Reload it and check with the command that the answer changed.",
        "Scan the asset again: the finding resolves itself when the check passes.",
      ],
      examples: [
        {
          label: "nginx",
          text: 'server {\n    listen 443 ssl;\n    ssl_protocols TLSv1.2 TLSv1.3;\n    add_header Strict-Transport-Security "max-age=63072000; includeSubDomains" always;\n}',
        },
        { label: "Check", text: "curl -sI https://shop.example.com/ | grep -i strict-transport-security" },
      ],
      references: ["https://www.rfc-editor.org/rfc/rfc6797", "https://csrc.nist.gov/pubs/sp/800/52/r2/final"],
      cwe: [319],
      evidence: check[5],
      sightings: [],
    };
    findings.push(finding);
    if (status !== "resolved" && status !== "accepted_risk") asset.open_findings[check[1]] += 1;
    events.set(id, [
      {
        id: uuid(3, index * 2),
        kind: "created",
        from_status: null,
        to_status: "open",
        resolution_reason: null,
        note: null,
        scan_id: 3,
        actor: { id: null, username: "system" },
        at: finding.first_seen_at,
      },
      ...(status === "open"
        ? []
        : [
            {
              id: uuid(3, index * 2 + 1),
              kind: status === "resolved" ? "auto_resolved" : "status_changed",
              from_status: "open" as const,
              to_status: status,
              resolution_reason: finding.resolution_reason,
              note: finding.status_note,
              scan_id: status === "resolved" ? 17 : null,
              actor: { id: null, username: status === "resolved" ? "system" : "mira" },
              at: before(95),
            },
          ]),
    ]);
  }
  const scans: Scan[] = [];
  for (let id = 1; id <= 18; id++) {
    const status = id === 18 ? "running" : id === 12 ? "failed" : id === 9 ? "cancelled" : "completed";
    scans.push({
      id,
      kind: "surface",
      scan_type: id % 3 === 0 ? "full" : id % 7 === 0 ? "custom" : "quick",
      status,
      partial: id === 14 || id === 9,
      partial_reasons:
        id === 14
          ? ["192.0.2.77 did not answer on any port", "RDAP of example.com timed out after 10 s"]
          : id === 9
            ? ["cancelled by admin"]
            : [],
      error: id === 12 ? "No target could be resolved: staging.example.com has no address" : null,
      targets: id % 4 === 0 ? ["192.0.2.10"] : assets.slice(0, 1 + (id % 6)).map((asset) => asset.target_value),
      asset_ids: assets.slice(0, 1 + (id % 6)).map((asset) => asset.id),
      features: { port_scan: true, web_checks: true, dns_checks: true, whois_checks: id % 2 === 0 },
      ports: "top:100",
      udp_ports: "",
      check_count: 112,
      concurrency: 20,
      timeout_seconds: 10,
      hosts_total: 20,
      hosts_finished: status === "completed" ? 20 : 14,
      findings:
        status === "failed" ? none() : { critical: id % 5 === 0 ? 1 : 0, high: id % 4, medium: 5, low: 9, info: 3 },
      outcomes: { planned: 412, passed: 310, failed: 18, error: 9, not_applicable: 61, not_tested: 14 },
      score: status === "completed" ? 60 + id : null,
      coverage: status === "completed" ? 0.944 : null,
      catalogue: "5f1d2c9a",
      demo,
      started_by: { id: null, username: id % 3 ? "admin" : "mira" },
      created_at: before((19 - id) * 1300 - 1298),
      started_at: before((19 - id) * 1300 - 1298),
      finished_at: status === "running" ? null : before((19 - id) * 1300 - 1302),
    });
  }
  const hosts: HostResult[] = assets
    .filter((asset) => asset.kind !== "cidr")
    .map((asset, index) => ({
      asset: asset.target_value,
      asset_id: asset.id,
      address: index === 4 ? null : asset.kind === "domain" ? `192.0.2.${10 + index}` : asset.target_value,
      addresses: [`192.0.2.${10 + index}`],
      names: [asset.target_value],
      reached: index !== 4,
      why_unreached: index === 4 ? "no port answered" : null,
      summarised: [],
      interrupted: false,
      ports:
        index === 4
          ? []
          : [
              ["22", "ssh", "OpenSSH", "9.2p1", false],
              ["80", "http", "nginx", "1.18.0", false],
              ["443", "http", "nginx", "1.18.0", true],
              ...(index % 2 ? [] : [["6379", "redis", "Redis", "7.0.15", false]]),
            ].map(([port, service, product, version, tls]) => ({
              address: `192.0.2.${10 + index}`,
              port: Number(port),
              protocol: "tcp" as const,
              state: "open",
              reason: "connected",
              service: String(service),
              product: String(product),
              version: String(version),
              tls: Boolean(tls),
            })),
      score: index === 4 ? null : asset.score,
      findings: asset.open_findings,
      outcomes: { planned: 59, passed: 40, failed: 6, error: 2, not_applicable: 8, not_tested: 3 },
      finished_at: before(90),
    }));
  return { assets, findings, events, scans, hosts };
}
