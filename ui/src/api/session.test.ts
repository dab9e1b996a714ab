import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

/** The little of the browser's storage that is used. */
function storage(): Storage {
  const kept = new Map<string, string>();
  return {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
    key: (index: number) => [...kept.keys()][index] ?? null,
    get length() {
      return kept.size;
    },
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

  it("finds the refresh token and nothing else", async () => {
    (await load()).set({ access_token: "a1", refresh_token: "refresh-token-number-one" });
    const session = await load();
    expect(session.access()).toBeNull();
    expect(session.refresh()).toBe("refresh-token-number-one");
    expect(session.exists()).toBe(true);
    expect(sessionStorage.length).toBe(0);
    expect(localStorage.length).toBe(1);
  });

  it("keeps nothing after signing out", async () => {
    const session = await load();
    session.set({ access_token: "a1", refresh_token: "refresh-token-number-one" });
    session.clear();
    expect((await load()).exists()).toBe(false);
    expect(localStorage.length).toBe(0);
  });
});
