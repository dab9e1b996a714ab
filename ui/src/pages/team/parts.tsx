/** What the parts of the Team page share: who looks at it, the roles one may give, the link for a new password. */
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { may } from "../../api/model";
import type { Book, PasswordLink } from "../../api/people";
import { meQuery, type Role, rolesQuery } from "../../api/queries";
import { CopyBox } from "../../components/Copy";
import { grantable, minutesUntil } from "../../lib/people";
import { roleOptions } from "../../lib/role-name";
import { exact } from "../../lib/time";
import { t } from "../../strings";

const words = t.people;
const NONE: readonly Role[] = [];

export interface Reader {
  id: string;
  permissions: readonly string[];
  /** The list of people one may read; null for neither. */
  book: Book | null;
}

/** Who looks at the page; undefined until that is known. */
export function useReader(): Reader | undefined {
  const me = useQuery(meQuery).data;
  return useMemo(() => {
    if (!me) return undefined;
    const book = may(me, "members.manage") ? "members" : may(me, "users.manage") ? "users" : null;
    return { id: me.id, permissions: me.permissions, book };
  }, [me]);
}

/** Every role there is, empty for who may not read them. */
export function useRoles(): readonly Role[] {
  const reader = useReader();
  return useQuery({ ...rolesQuery, enabled: reader?.book === "members" }).data ?? NONE;
}

/** Roles one may give; where they cannot be read, those that come with the product, and the server decides. */
export function useGivenRoles(): { value: string; label: string }[] {
  const reader = useReader();
  const roles = useRoles();
  return useMemo(() => roleOptions(grantable(roles, reader?.permissions ?? [])), [roles, reader]);
}

/** A link to hand on, or the word that it was mailed. */
export function PasswordLinkMade({ made, email }: { made: PasswordLink; email: string }) {
  if (made.link === null) return <p>{words.mailed(email)}</p>;
  return (
    <>
      <CopyBox label={words.linkOnce} text={new URL(made.link, location.origin).href} wrap />
      <p className="small muted">{words.linkGood(exact(made.expires_at), minutesUntil(made.expires_at))}</p>
    </>
  );
}
