import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

/** The little of the browser's storage that is used. */
function storage(): Storage {
  const kept = new Map<string, string>();
  return {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
  } as Storage;
}

/** What a page finds when it is loaded. */
async function load() {
  vi.resetModules();
  return (await import("./session")).session;
}

describe("a reload", () => {
  beforeEach(() => {
    vi.stubGlobal("localStorage", storage());
    vi.stubGlobal("sessionStorage", storage());
  });
  afterEach(() => vi.unstubAllGlobals());

  it("goes on with the access token of the tab", async () => {
    (await load()).set({ access_token: "a1", refresh_token: "refresh-token-number-one" });
    expect((await load()).access()).toBe("a1");
  });

  it("does not take an access token that came with another refresh token", async () => {
    (await load()).set({ access_token: "a1", refresh_token: "refresh-token-number-one" });
    localStorage.setItem("bartizan.refresh", "somebody-elses-token-two");
    const session = await load();
    expect(session.access()).toBeNull();
    expect(session.exists()).toBe(true);
  });

  it("keeps nothing after signing out", async () => {
    const session = await load();
    session.set({ access_token: "a1", refresh_token: "refresh-token-number-one" });
    session.clear();
    expect((await load()).exists()).toBe(false);
    expect(sessionStorage.getItem("bartizan.access")).toBeNull();
  });
});
