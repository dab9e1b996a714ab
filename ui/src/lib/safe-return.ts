/** Where to go after signing in: only a path of this interface, never an address that somebody put into a link. */
export function safeReturn(asked: string | null | undefined): { to: string; search: Record<string, string> } {
  const path = asked?.startsWith("/ui/") ? asked.slice(3) : asked;
  const good = path?.startsWith("/") && !/^\/[/\\]/.test(path) ? path : "/";
  const [to = "/", query] = good.split("#")[0]?.split("?") ?? [];
  return { to, search: Object.fromEntries(new URLSearchParams(query)) };
}
