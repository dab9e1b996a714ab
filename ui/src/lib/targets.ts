/** What the text of a target says about ports, read as the server reads it. */

/** The port a target names: `host:port`, `[address]:port`, or a URL with a port that is not its scheme's own. */
export function portOf(target: string): string | null {
  if (/^https?:\/\//i.test(target)) {
    try {
      return new URL(target).port || null;
    } catch {
      return null;
    }
  }
  return /^(?:\[[^\]]*\]|[^:/[\]]+):(\d{1,5})$/.exec(target)?.[1] ?? null;
}

/** Ports that web checks try where the port scan is off. */
export const WEB_PORTS = "80,443,8080,8443";
/** Ports named by targets that are written out; more are counted. */
const WRITTEN = 6;

export interface PortPlan {
  /** Ports asked wherever the target names none; null where every target does. */
  scanned: string | null;
  /** Ports that targets name, the first few. */
  named: string[];
  /** Named ports beyond those. */
  more: number;
}

/**
 * Which TCP ports are asked. A target that names a port is looked at there only; `assets` never name one.
 */
export function portPlan(targets: readonly string[], assets: number, ports: string): PortPlan {
  const found = targets.map(portOf);
  const named = [...new Set(found.filter((port): port is string => port !== null))];
  const whole = assets > 0 || targets.length === 0 || found.includes(null);
  return {
    scanned: whole ? ports : null,
    named: named.slice(0, WRITTEN),
    more: Math.max(0, named.length - WRITTEN),
  };
}
