/** What a browser or program calls itself, in words a person knows: `Firefox 140 on Windows`. */

const SYSTEMS: [RegExp, string][] = [
  [/iPhone|iPad/, "iOS"],
  [/Android/, "Android"],
  [/Windows/, "Windows"],
  [/Mac OS X|Macintosh/, "macOS"],
  [/CrOS/, "ChromeOS"],
  [/Linux|X11/, "Linux"],
];

// In this order: most browsers claim to be the ones below them as well.
const CLIENTS: [RegExp, string][] = [
  [/Edg(?:e|A|iOS)?\/(\d+)/, "Edge"],
  [/OPR\/(\d+)/, "Opera"],
  [/(?:Firefox|FxiOS)\/(\d+)/, "Firefox"],
  [/(?:Headless)?(?:Chrome|Chromium|CriOS)\/(\d+)/, "Chrome"],
  [/Version\/(\d+)[\d.]* (?:Mobile\/\S+ )?Safari/, "Safari"],
];

export interface ClientName {
  client: string;
  system: string | null;
}

/** Null where there is nothing to name. Programs (`curl/8.1`) are named by their own first word. */
export function clientName(agent: string | null | undefined): ClientName | null {
  const text = agent?.trim();
  if (!text) return null;
  const system = SYSTEMS.find(([pattern]) => pattern.test(text))?.[1] ?? null;
  for (const [pattern, name] of CLIENTS) {
    const match = pattern.exec(text);
    if (match) return { client: `${name} ${match[1]}`, system };
  }
  return {
    client:
      text
        .split(/[\s;(]/)[0]
        ?.replace("/", " ")
        .slice(0, 40) || text.slice(0, 40),
    system,
  };
}
