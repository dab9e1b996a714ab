/**
 * The one way to the API: typed by the OpenAPI document, with the token, one refresh at a time, and errors as
 * `ApiError`. Requests carry the caller's `signal`, so leaving a page aborts what it still waits for.
 */
import createClient, { type Middleware } from "openapi-fetch";
import { saveBlob } from "../lib/save-text";
import { ApiError, toApiError } from "./errors";
import type { Answer } from "./model";
import type { paths } from "./schema";
import { session } from "./session";

type Fetch = (request: Request) => Promise<Response>;

interface Tokens {
  access_token: string;
  refresh_token?: string | null;
}

let refreshing: Promise<boolean> | null = null;

/** Exchanges the refresh token once, however many requests found the access token expired. */
export function refreshSession(send: Fetch = (request) => fetch(request)): Promise<boolean> {
  refreshing ??= exchange(send).finally(() => {
    refreshing = null;
  });
  return refreshing;
}

async function exchange(send: Fetch): Promise<boolean> {
  if (!session.refresh()) return false;
  return withLock(() => present(send, null));
}

/** Presents the refresh token that is stored now; not one that was `refused`. */
async function present(send: Fetch, refused: string | null): Promise<boolean> {
  // Another tab may have rotated the token while we waited: take the one stored now.
  const token = session.refresh();
  if (!token || token === refused) return false;
  const response = await send(
    new Request(new URL("/api/auth/refresh", location.origin), {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ refresh_token: token }),
    }),
  );
  if (response.ok) {
    session.set((await response.json()) as Tokens);
    return true;
  }
  // Only a refusal ends the session; a server that is down or busy does not.
  if (![401, 403, 422].includes(response.status)) return false;
  // Where tabs cannot take turns (no locks without HTTPS), another one may have exchanged it meanwhile.
  if (refused === null && session.refresh() !== token) return present(send, token);
  session.clear();
  return false;
}

/** Serialises over all tabs where the browser can; one tab alone is already serialised by `refreshing`. */
async function withLock<T>(work: () => Promise<T>): Promise<T> {
  const locks = typeof navigator === "undefined" ? undefined : navigator.locks;
  return locks ? locks.request("bartizan.refresh", work) : work();
}

/** Sends a request with the token; on 401 refreshes once and sends it again. */
export async function authorizedFetch(request: Request, send: Fetch = (r) => fetch(r)): Promise<Response> {
  if (!session.access() && session.refresh()) await refreshSession(send);
  const again = request.clone();
  const used = session.access();
  if (used) request.headers.set("authorization", `Bearer ${used}`);
  const response = await send(request);
  if (response.status !== 401 || !used) return response;
  // Someone else may have refreshed since this request left.
  const fresh = session.access() !== used ? session.access() !== null : await refreshSession(send);
  if (!fresh) return response;
  again.headers.set("authorization", `Bearer ${session.access()}`);
  return send(again);
}

const errors: Middleware = {
  async onResponse({ response }) {
    if (response.ok) return undefined;
    throw toApiError(
      response,
      await response
        .clone()
        .json()
        .catch(() => null),
    );
  },
  onError({ error }) {
    if (error instanceof ApiError || (error instanceof DOMException && error.name === "AbortError")) return undefined;
    return new ApiError({ status: 0, detail: "unreachable" });
  },
};

export const api = createClient<paths>({
  baseUrl: typeof location === "undefined" ? "http://localhost" : location.origin,
  fetch: (request) => authorizedFetch(request),
});
api.use(errors);

/** The body of a call that succeeded; the middleware has thrown otherwise. */
export async function data<T>(call: Promise<{ data?: T }>): Promise<Answer<NonNullable<T>>> {
  return (await call).data as Answer<NonNullable<T>>;
}

/** A download with the token: a link alone could not carry it. */
export async function download(path: string, fallbackName: string): Promise<void> {
  const response = await authorizedFetch(new Request(new URL(path, location.origin)));
  if (!response.ok) throw toApiError(response, await response.json().catch(() => null));
  const name = /filename="?([^";]+)"?/.exec(response.headers.get("content-disposition") ?? "")?.[1] ?? fallbackName;
  saveBlob(name, await response.blob());
}
