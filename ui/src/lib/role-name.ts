import { t } from "../strings";

/** Roles that come with the product. */
const BUILT_IN = Object.keys(t.settings.roles);

/** How a role is shown: `read_only` has words of its own, `scan_operator` is read as it is written. */
export function roleName(role: string): string {
  const known = t.settings.roles[role];
  if (known) return known;
  const text = role.replaceAll("_", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Roles to choose from by name; those that come with the product, for who may not read which there are. */
export function roleOptions(roles: readonly { name: string }[]): { value: string; label: string }[] {
  const names = roles.length > 0 ? roles.map((role) => role.name) : BUILT_IN;
  return names.map((value) => ({ value, label: roleName(value) }));
}
