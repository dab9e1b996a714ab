import { beforeEach, describe, expect, it, vi } from "vitest";

vi.stubGlobal("location", { origin: "http://bartizan.test" });
const store = new Map<string, string>();
vi.stubGlobal("localStorage", {
  getItem: (key: string) => store.get(key) ?? null,
  setItem: (key: string, value: string) => store.set(key, value),
  removeItem: (key: string) => store.delete(key),
});

const { authorizedFetch, refreshSession } = await import("./client");
const { toApiError } = await import("./errors");
const { session } = await import("./session");
const { EventParser } = await import("./sse");

const json = (status: number, body: unknown, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json", ...headers } });
const get = () => new Request("http://bartizan.test/api/assets");

beforeEach(() => {
  session.clear();
});

describe("authorizedFetch", () => {
  it("sends the token", async () => {
    session.set({ access_token: "one" });
    const send = vi.fn(async (request: Request) => json(200, { got: request.headers.get("authorization") }));
    const response = await authorizedFetch(get(), send);
    expect(await response.json()).toEqual({ got: "Bearer one" });
  });

  it("refreshes once for many requests that find the token expired, and sends them again", async () => {
    session.set({ access_token: "old", refresh_token: "r1" });
    let refreshes = 0;
    const send = vi.fn(async (request: Request) => {
      if (request.url.endsWith("/api/auth/refresh")) {
        refreshes += 1;
        expect(await request.json()).toEqual({ refresh_token: "r1" });
        return json(200, { access_token: "new", refresh_token: "r2" });
      }
      return request.headers.get("authorization") === "Bearer new" ? json(200, {}) : json(401, { detail: "expired" });
    });
    const answers = await Promise.all([
      authorizedFetch(get(), send),
      authorizedFetch(get(), send),
      authorizedFetch(get(), send),
    ]);
    expect(answers.map((answer) => answer.status)).toEqual([200, 200, 200]);
    expect(refreshes).toBe(1);
    expect(session.refresh()).toBe("r2");
  });

  it("sends a body again after the refresh", async () => {
    session.set({ access_token: "old", refresh_token: "r1" });
    const bodies: string[] = [];
    const send = async (request: Request) => {
      if (request.url.endsWith("/refresh")) return json(200, { access_token: "new", refresh_token: "r2" });
      bodies.push(await request.text());
      return request.headers.get("authorization") === "Bearer new" ? json(200, {}) : json(401, {});
    };
    const post = new Request("http://bartizan.test/api/assets", { method: "POST", body: '{"a":1}' });
    await authorizedFetch(post, send);
    expect(bodies).toEqual(['{"a":1}', '{"a":1}']);
  });

  it("gives up after one refresh", async () => {
    session.set({ access_token: "old", refresh_token: "r1" });
    const send = async (request: Request) =>
      request.url.endsWith("/refresh") ? json(200, { access_token: "new", refresh_token: "r2" }) : json(401, {});
    expect((await authorizedFetch(get(), send)).status).toBe(401);
  });

  it("takes up a session from the stored refresh token before the first request", async () => {
    session.set({ access_token: "x", refresh_token: "stored" });
    const kept = store.get("bartizan.refresh");
    session.clear();
    store.set("bartizan.refresh", kept as string);
    const send = vi.fn(async (request: Request) =>
      request.url.endsWith("/refresh") ? json(200, { access_token: "new", refresh_token: "r2" }) : json(200, {}),
    );
    expect((await authorizedFetch(get(), send)).status).toBe(200);
    expect(send).toHaveBeenCalledTimes(2);
  });
});

describe("refreshSession", () => {
  it("ends the session when the server refuses", async () => {
    session.set({ access_token: "old", refresh_token: "r1" });
    expect(await refreshSession(async () => json(401, {}))).toBe(false);
    expect(session.exists()).toBe(false);
  });

  it("takes the token that another tab got meanwhile, and ends when that is refused too", async () => {
    session.set({ access_token: "old", refresh_token: "r1" });
    const presented: string[] = [];
    const send = (last: number) => async (request: Request) => {
      const { refresh_token } = (await request.json()) as { refresh_token: string };
      presented.push(refresh_token);
      if (refresh_token === "r1") store.set("bartizan.refresh", "r2");
      return refresh_token === "r2" ? json(last, { access_token: "new", refresh_token: "r3" }) : json(401, {});
    };
    expect(await refreshSession(send(200))).toBe(true);
    expect(session.refresh()).toBe("r3");
    session.set({ access_token: "old", refresh_token: "r1" });
    expect(await refreshSession(send(401))).toBe(false);
    expect(session.exists()).toBe(false);
    expect(presented).toEqual(["r1", "r2", "r1", "r2"]);
  });

  it("keeps the session when the server is busy", async () => {
    session.set({ access_token: "old", refresh_token: "r1" });
    expect(await refreshSession(async () => json(503, {}))).toBe(false);
    expect(session.refresh()).toBe("r1");
  });

  it("does not ask without a refresh token", async () => {
    const send = vi.fn();
    expect(await refreshSession(send)).toBe(false);
    expect(send).not.toHaveBeenCalled();
  });
});

describe("toApiError", () => {
  it("reads our errors", () => {
    const error = toApiError(json(422, {}), {
      detail: "Validation error",
      errors: [{ field: "body -> email", message: "not an address", type: "value_error" }],
      request_id: "01J",
    });
    expect([error.status, error.message, error.requestId]).toEqual([422, "Validation error", "01J"]);
    expect(error.field("email")).toBe("not an address");
    expect(error.field("name")).toBeUndefined();
  });

  it("makes sense of a body that is not ours", () => {
    const error = toApiError(new Response("<html>", { status: 502, headers: { "retry-after": "7" } }), null);
    expect([error.message, error.retryAfter]).toEqual(["HTTP 502", 7]);
  });
});

describe("EventParser", () => {
  it("joins chunks, skips comments, keeps names and ids", () => {
    const parser = new EventParser();
    expect(parser.push(": ping\n\nevent: progress\nda")).toEqual([]);
    expect(parser.push('ta: {"a":1}\ndata: 2\nid: 7\r\n\r\ndata: x\n\n')).toEqual([
      { event: "progress", data: '{"a":1}\n2', id: "7" },
      { event: "message", data: "x", id: null },
    ]);
  });
});
