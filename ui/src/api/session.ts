/**
 * Who is signed in, and the tokens.
 *
 * The access token (30 minutes) lives in memory only: each page that is loaded begins by exchanging the refresh token.
 * That one is kept in `localStorage`: pages open in new tabs (middle click on a row), and only `localStorage` is seen
 * by them. The server rotates it on each use and ends the whole family when an old one comes back, so a copied token is
 * short-lived and noticed; a strict CSP with no inline script and no foreign host keeps scripts out that could read it.
 * A page that is left before the answer came presents the same token again when it is back, which the server allows for
 * a short while as long as nobody used the successor. Signing out revokes it on the server.
 */

const KEY = "bartizan.refresh";

let access: string | null = null;
const listeners = new Set<() => void>();

function changed(): void {
  for (const listener of listeners) listener();
}

function read(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return memoryRefresh;
  }
}

// Only used where storage is blocked: the session then ends with the tab.
let memoryRefresh: string | null = null;

export const session = {
  access: () => access,
  refresh: read,
  exists: () => access !== null || read() !== null,
  /** Keeps new tokens; both change together because refresh tokens rotate. */
  set(tokens: { access_token: string; refresh_token?: string | null }): void {
    access = tokens.access_token;
    if (tokens.refresh_token) {
      memoryRefresh = tokens.refresh_token;
      try {
        localStorage.setItem(KEY, tokens.refresh_token);
      } catch {
        // Storage is blocked; the copy in memory serves this tab.
      }
    }
    changed();
  },
  clear(): void {
    access = null;
    memoryRefresh = null;
    try {
      localStorage.removeItem(KEY);
    } catch {
      // Nothing was stored.
    }
    changed();
  },
  subscribe(listener: () => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
};

/** Changes when the browser's session goes to another organisation: one session has one. */
const PLACE = "bartizan.organization";

/** Goes on in another organisation, in every tab. */
export function goesTo(organization: string, token: string): void {
  session.set({ access_token: token });
  try {
    localStorage.setItem(PLACE, organization);
  } catch {
    // Storage is blocked: no other tab shares the session.
  }
}

if (typeof window !== "undefined") {
  window.addEventListener("storage", (event) => {
    // What another tab shows is of the organisation that was left, and its ids mean nothing here.
    if (event.key === PLACE && event.newValue !== null && session.exists()) {
      access = null;
      location.assign("/ui/");
    }
    // Signing out in one tab signs out the others.
    if (event.key === KEY && event.newValue === null) {
      access = null;
      changed();
    }
  });
}
