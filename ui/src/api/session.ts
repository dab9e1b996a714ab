/**
 * Who is signed in, and the tokens.
 *
 * The access token (30 minutes) lives in memory, and in this tab's `sessionStorage` so that a reload can go on with it:
 * a reload that had to exchange the refresh token first, and was itself reloaded before the answer came, would present
 * the same token twice, which ends the session. The refresh token is kept in `localStorage`: pages open in
 * new tabs (middle click on a row), and only `localStorage` is seen by them. The server rotates it on each use and
 * ends the whole family when an old one comes back, so a copied token is short-lived and noticed; a strict CSP with
 * no inline script and no foreign host keeps scripts out that could read it. Signing out revokes it on the server.
 */

const KEY = "bartizan.refresh";

/** The tab's access token, after the beginning of the refresh token it came with: another one means another session. */
const TAB = "bartizan.access";
const MARK = 16;

let access: string | null = restore();
const listeners = new Set<() => void>();

function changed(): void {
  for (const listener of listeners) listener();
}

function restore(): string | null {
  try {
    const [mark, token] = (sessionStorage.getItem(TAB) ?? "").split(" ");
    const refresh = localStorage.getItem(KEY);
    return mark && token && refresh?.startsWith(mark) ? token : null;
  } catch {
    return null;
  }
}

function keep(): void {
  try {
    const refresh = localStorage.getItem(KEY);
    if (access && refresh) sessionStorage.setItem(TAB, `${refresh.slice(0, MARK)} ${access}`);
    else sessionStorage.removeItem(TAB);
  } catch {
    // Storage is blocked: a reload refreshes.
  }
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
    keep();
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
    keep();
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
      keep();
      location.assign("/ui/");
    }
    // Signing out in one tab signs out the others.
    if (event.key === KEY && event.newValue === null) {
      access = null;
      keep();
      changed();
    }
  });
}
