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
  const parts = ["bartizan scan", ...targets.map(quote), "--profile", input.scan_type];
  if (input.ports) parts.push("--ports", quote(input.ports));
  if (input.udp_ports) parts.push("--udp-ports", quote(input.udp_ports));
  if (input.checks?.length) parts.push("--checks", quote(input.checks.join(",")));
  if (input.skip?.length) parts.push("--skip", quote(input.skip.join(",")));
  if (!input.features.port_scan) parts.push("--no-port-scan");
  if (!input.features.web_checks) parts.push("--no-web");
  if (!input.features.dns_checks) parts.push("--no-dns");
  if (!input.features.whois_checks) parts.push("--no-whois");
  if (input.concurrency !== 20) parts.push("--concurrency", String(input.concurrency));
  if (input.timeout_seconds !== 10) parts.push("--timeout", String(input.timeout_seconds));
  return parts.join(" ");
}
