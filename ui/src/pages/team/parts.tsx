/** What the parts of the Team page share: the roles one may give, how a new password reaches somebody, its link. */
import { useQuery } from "@tanstack/react-query";
import type { Book, PasswordLink } from "../../api/people";
import { mailQuery, meQuery, type Role, rolesQuery } from "../../api/queries";
import { CopyBox } from "../../components/Copy";
import { grantable, minutesUntil } from "../../lib/people";
import { roleName } from "../../lib/role-name";
import { exact } from "../../lib/time";
import { t } from "../../strings";

const words = t.people;
const BUILT_IN = Object.keys(t.settings.roles);

export interface Reader {
  id: string;
  permissions: readonly string[];
  /** The list of people one may read; null for neither. */
  book: Book | null;
}

/** Who looks at the page; undefined until that is known. */
export function useReader(): Reader | undefined {
  const me = useQuery(meQuery).data;
  if (!me) return undefined;
  const book = me.permissions.includes("members.manage")
    ? "members"
    : me.permissions.includes("users.manage")
      ? "users"
      : null;
  return { id: me.id, permissions: me.permissions, book };
}

/** Every role there is, empty for who may not read them. */
export function useRoles(): readonly Role[] {
  const reader = useReader();
  return useQuery({ ...rolesQuery, enabled: reader?.book === "members" }).data ?? [];
}

type Option = { value: string; label: string };
const option = (name: string): Option => ({ value: name, label: roleName(name) });

/** Roles to filter by. */
export function roleOptions(roles: readonly Role[]): Option[] {
  return (roles.length > 0 ? roles.map((role) => role.name) : BUILT_IN).map(option);
}

/** Roles one may give; where they cannot be read, those that come with the product, and the server decides. */
export function useGivenRoles(): Option[] {
  const reader = useReader();
  const roles = useRoles();
  if (roles.length === 0) return BUILT_IN.map(option);
  return grantable(roles, reader?.permissions ?? []).map((role) => option(role.name));
}

/** Whether letters are sent; null for who may not know. */
export function useMailOn(): boolean | null {
  const me = useQuery(meQuery).data;
  const mail = useQuery({ ...mailQuery, enabled: me?.permissions.includes("config.view") ?? false, retry: false });
  return mail.data?.settings.enabled ?? null;
}

export function LinkOnce({ made }: { made: PasswordLink }) {
  return (
    <>
      <CopyBox label={words.linkOnce} text={new URL(made.link, location.origin).href} wrap />
      <p className="small muted">{words.linkGood(exact(made.expires_at), minutesUntil(made.expires_at))}</p>
    </>
  );
}
