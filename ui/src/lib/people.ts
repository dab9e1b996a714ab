/** What an administrator may do for somebody, and why not. The server decides again. */
import { may } from "../api/model";
import type { components } from "../api/schema";

type Schemas = components["schemas"];

/** A member as the pages know one, from whichever list it was read. */
export interface Person {
  id: string;
  username: string;
  email: string;
  role: string;
  active: boolean;
  provider: string;
  lastLogin: string | null;
  /** Since when, of the membership or of the account. */
  since: string;
}

export function fromMember(member: Schemas["Member"]): Person {
  return {
    id: member.user_id,
    username: member.username,
    email: member.email,
    role: member.role,
    active: member.is_active,
    provider: member.auth_provider,
    lastLogin: member.last_login_at ?? null,
    since: member.joined_at,
  };
}

export function fromUser(user: Schemas["UserDetail"]): Person {
  return {
    id: user.id,
    username: user.username,
    email: user.email,
    role: user.role,
    active: user.is_active,
    provider: user.auth_provider,
    lastLogin: user.last_login_at ?? null,
    since: user.created_at,
  };
}

interface RoleOf {
  name: string;
  permissions: readonly string[];
}

/** Roles that hold nothing the reader does not: nobody gives away more. */
export function grantable<R extends RoleOf>(roles: readonly R[], mine: readonly string[]): R[] {
  return roles.filter((role) => role.permissions.every((permission) => mine.includes(permission)));
}

type Act = "email" | "role" | "password" | "factor" | "sessions" | "active" | "remove";

/** `yes`; `never`: not offered at all; otherwise why it is offered but cannot be done. */
export type Verdict = "yes" | "never" | "self" | "beyond" | "elsewhere" | "inactive";

/** What the reader may do for a person. `roles` may be empty, for who may not read them. */
export function verdicts(
  person: Person,
  reader: { id: string; permissions: readonly string[] },
  roles: readonly RoleOf[],
): Record<Act, Verdict> {
  const members = may(reader, "members.manage");
  const users = may(reader, "users.manage");
  const self = person.id === reader.id;
  const role = roles.find((candidate) => candidate.name === person.role);
  const beyond = role?.permissions.some((permission) => !may(reader, permission)) ?? false;
  const internal = person.provider === "internal";
  const first = (...reasons: (Verdict | false)[]): Verdict => reasons.find((reason) => reason !== false) ?? "yes";
  return {
    email: first(!users && "never", beyond && "beyond", !internal && "elsewhere"),
    role: first(!members && !users && "never", self && "self", beyond && "beyond"),
    password: first(
      !users && "never",
      self && "self",
      beyond && "beyond",
      !internal && "elsewhere",
      !person.active && "inactive",
    ),
    factor: first(!users && "never", self && "self", beyond && "beyond", !internal && "elsewhere"),
    sessions: first(!users && "never", self && "self", beyond && "beyond", !person.active && "inactive"),
    active: first(!members && !users && "never", self && "self", beyond && "beyond"),
    remove: first(!members && "never", self && "self", beyond && "beyond"),
  };
}

/** Whole minutes from now until an instant; at least none. */
export function minutesUntil(iso: string, now: number = Date.now()): number {
  return Math.max(0, Math.round((Date.parse(iso) - now) / 60_000));
}
