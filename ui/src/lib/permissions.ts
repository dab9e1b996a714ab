/** Permissions as people meet them: by subject, in the order of what they let somebody do, and with what they need. */

export interface Group {
  id: "scanning" | "findings" | "reporting" | "people" | "server" | "unused";
  permissions: readonly string[];
}

/** A permission that the program does not know here stands, by its own name, under `unused`. */
export const GROUPS: readonly Group[] = [
  {
    id: "scanning",
    permissions: [
      "assets.view",
      "assets.manage",
      "scans.view",
      "scans.run",
      "scans.cancel",
      "scans.delete",
      "schedules.view",
      "schedules.manage",
    ],
  },
  { id: "findings", permissions: ["dashboard.view", "findings.view", "findings.triage"] },
  { id: "reporting", permissions: ["compliance.view", "exports.run", "audit.view"] },
  { id: "people", permissions: ["members.manage", "users.manage"] },
  {
    id: "server",
    permissions: ["config.view", "config.manage", "config.test", "branding.manage", "system.view", "system.manage"],
  },
  {
    // Roles hold them already; the pages and endpoints they are for are not part of this version.
    id: "unused",
    permissions: [
      "preflight.run",
      "templates.view",
      "templates.manage",
      "scanners.view",
      "scanners.manage",
      "accounts.view",
      "accounts.manage",
      "vulns.view",
      "vulns.triage",
      "alerts.view",
      "alerts.manage",
      "intelligence.view",
      "catalogues.manage",
      "github.scan",
      "scopes.manage",
      "policies.manage",
      "evidence.view",
      "evidence.manage",
      "reports.view",
      "reports.generate",
      "reports.delete",
      "retention.manage",
      "modes.manage",
    ],
  },
];

const KNOWN = new Set(GROUPS.flatMap((group) => group.permissions));

/** The groups with those of `permissions` that are in them; groups without any are left out. */
export function grouped(permissions: readonly string[]): Group[] {
  const held = new Set(permissions);
  return GROUPS.map((group) => ({
    id: group.id,
    permissions: [
      ...group.permissions.filter((permission) => held.has(permission)),
      ...(group.id === "unused" ? permissions.filter((permission) => !KNOWN.has(permission)) : []),
    ],
  })).filter((group) => group.permissions.length > 0);
}

/** What is no use without seeing it: `scans.run` needs `scans.view`, if there is such a permission. */
function viewOf(permission: string): string | null {
  const view = `${permission.split(".")[0]}.view`;
  return view !== permission && KNOWN.has(view) ? view : null;
}

/** Adds or takes away a permission: doing something brings seeing it, and not seeing it takes doing it away. */
export function toggled(permissions: readonly string[], permission: string, on: boolean): string[] {
  const next = new Set(permissions);
  if (on) {
    next.add(permission);
    const view = viewOf(permission);
    if (view) next.add(view);
  } else {
    next.delete(permission);
    for (const other of permissions) if (viewOf(other) === permission) next.delete(other);
  }
  return [...next];
}

/** The name programs use for a role: `Scan operator` becomes `scan_operator`. Empty when nothing is left. */
export function roleId(name: string): string {
  return name
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "_")
    .replace(/^[0-9_]+|_+$/g, "")
    .slice(0, 40)
    .replace(/_+$/, "");
}
