import { t } from "../strings";

/** How a role is shown: `read_only` has words of its own, `scan_operator` is read as it is written. */
export function roleName(role: string): string {
  const known = t.settings.roles[role];
  if (known) return known;
  const text = role.replaceAll("_", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}
