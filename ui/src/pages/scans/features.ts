/** What a scan is made of, as the forms for scans and schedules ask for it. */
import { t } from "../../strings";

export const FEATURES = ["port_scan", "web_checks", "dns_checks", "whois_checks"] as const;
export const FEATURE_TEXT: Record<(typeof FEATURES)[number], [string, string]> = {
  port_scan: [t.newScan.portScan, t.newScan.portScanHint],
  web_checks: [t.newScan.webChecks, t.newScan.webChecksHint],
  dns_checks: [t.newScan.dnsChecks, t.newScan.dnsChecksHint],
  whois_checks: [t.newScan.whoisChecks, t.newScan.whoisChecksHint],
};

/** Targets typed one a line, or separated by commas or semicolons; each once. */
export function targetsOf(text: string): string[] {
  return [
    ...new Set(
      text
        .split(/[\n,;]+/)
        .map((line) => line.trim())
        .filter(Boolean),
    ),
  ];
}
