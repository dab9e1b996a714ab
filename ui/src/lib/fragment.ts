/** The token of a mailed link, `#token=…`; empty where there is none. */
export function fragmentToken(hash: string): string {
  return new URLSearchParams(hash.replace(/^#/, "")).get("token") ?? "";
}
