import type { components } from "./schema";

/** The nouns of the API as the pages use them. */

export type Severity = "critical" | "high" | "medium" | "low" | "info";
export const SEVERITIES: readonly Severity[] = ["critical", "high", "medium", "low", "info"];

export type FindingStatus = "open" | "acknowledged" | "in_progress" | "resolved" | "accepted_risk";
export const FINDING_STATUSES: readonly FindingStatus[] = [
  "open",
  "acknowledged",
  "in_progress",
  "resolved",
  "accepted_risk",
];
export type ScanStatus = "pending" | "running" | "completed" | "failed" | "cancelled";
export const SCAN_STATUSES: readonly ScanStatus[] = ["pending", "running", "completed", "failed", "cancelled"];
export type Profile = "quick" | "full" | "custom";
export type RiskZone = components["schemas"]["RiskZone"];
export type Resolution = components["schemas"]["ResolutionReason"];
export type TargetType = "domain" | "ip" | "cidr" | "host";
export const RISK_ZONES: readonly RiskZone[] = ["dev", "staging", "production", "dmz", "internal", "restricted"];
export const CATEGORIES = ["tls", "certificate", "web", "dns", "mail", "registration", "service", "ssh"] as const;

export interface List<T> {
  data: T[];
  total: number;
  page: number;
  page_size: number;
  total_pages: number;
}

/**
 * An answer of the server. The document marks fields that may be null as optional too; answers always carry them.
 */
export type Answer<T> = T extends (infer Item)[]
  ? Answer<Item>[]
  : T extends object
    ? { [Key in keyof T]-?: Answer<T[Key]> }
    : T;

type Schemas = components["schemas"];

export type SeverityCounts = Schemas["SeverityCounts"];
export type User = Answer<Schemas["CurrentUser"]>;
export type JobQueue = Answer<Schemas["JobQueue"]>;
export type Asset = Answer<Schemas["Asset"]>;
export type FindingSummary = Answer<Schemas["Finding"]>;
export type Finding = Omit<Answer<Schemas["FindingDetail"]>, "evidence"> & { evidence: unknown };
export type FindingEvent = Answer<Schemas["FindingEvent"]>;
export type Scan = Answer<Schemas["Scan"]>;
export type Progress = Answer<Schemas["ScanProgress"]>;
export type OutcomeCounts = Schemas["OutcomeCounts"];
export type HostResult = Answer<Schemas["ScanHost"]>;
export type CheckSummary = Answer<Schemas["CheckSummary"]>;
export type Branding = Answer<Schemas["Branding"]>;
export type AuditEntry = Answer<Schemas["PageOf_AuditEntry"]>["data"][number];
export type Schedule = Answer<Schemas["Schedule"]>;
export type ScheduleRun = Answer<Schemas["ScheduleRun"]>;
export type Job = Omit<Answer<Schemas["Job"]>, "progress"> & { progress: unknown };
export type ImportResult = Answer<Schemas["ImportResult"]>;

/** One verdict of the native scan document (`bartizan.scan/1`). */
export interface VerdictRecord {
  check_id: string;
  asset: string;
  location: string;
  verdict: "pass" | "fail" | "error" | "not_applicable" | "not_tested";
  reason: string | null;
}

/** Whether the signed-in person holds a permission. The server decides again; this only spares dead buttons. */
export function may(user: { permissions: readonly string[] } | null | undefined, permission: string): boolean {
  return user?.permissions.includes(permission) ?? false;
}

/** The same for what belongs to the whole installation, which people of its first organisation alone see and set. */
export function mayInstallation(user: User | null | undefined, permission: string): boolean {
  return may(user, permission) && (user?.organization.first ?? false);
}
