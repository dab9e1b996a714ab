/** The scan of the form as a command to copy: `curl` against this server, or the command line without one. */
import type { ScanInput } from "../api/queries";

/** Quotes for a POSIX shell. */
export function quote(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

export function asCurl(input: ScanInput, origin: string): string {
  return [
    `curl -sS -X POST ${quote(`${origin}/api/scans`)}`,
    `-H "Authorization: Bearer $BARTIZAN_TOKEN"`,
    `-H 'Content-Type: application/json'`,
    `-d ${quote(JSON.stringify(input))}`,
  ].join(" \\\n  ");
}

/** `targets` are those of the chosen assets and the ad-hoc ones together: the command line knows no assets. */
export function asCli(input: ScanInput, targets: readonly string[]): string {
  const off = [
    input.features.port_scan ? "" : "port_scan",
    input.features.web_checks ? "" : "web_checks",
    input.features.dns_checks ? "" : "dns_checks",
    input.features.whois_checks ? "" : "whois_checks",
  ].filter(Boolean);
  const skipped: Record<string, string> = {
    web_checks: "web",
    dns_checks: "dns,mail",
    whois_checks: "registration",
  };
  const parts = ["bartizan scan", ...targets.map(quote), "--profile", input.scan_type];
  if (input.ports) parts.push("--ports", quote(input.ports));
  const skip = off.map((name) => skipped[name]).filter(Boolean);
  if (skip.length > 0) parts.push("--skip", skip.join(","));
  if (input.concurrency !== 20) parts.push("--concurrency", String(input.concurrency));
  if (input.timeout_seconds !== 10) parts.push("--timeout", String(input.timeout_seconds));
  return parts.join(" ");
}
