/** Pages inside a section: its tabs, what the palette goes to, and the titles of the windows. */
import { may, mayInstallation, type User } from "../api/model";
import { t } from "../strings";

export interface Place {
  to: string;
  title: string;
  /** Any of these shows it; left out: everybody. */
  permissions?: readonly string[];
  /** It belongs to the whole installation. */
  installation?: true;
  /** Other words people look for. */
  synonyms?: readonly string[];
}

export const SETTINGS: readonly Place[] = [
  { to: "/settings", title: t.settings.general, synonyms: ["theme", "keyboard", "demo", "private targets"] },
  {
    to: "/settings/account",
    title: t.settings.accountTab,
    synonyms: ["password", "second factor", "two-factor", "totp", "sessions", "api keys", "profile"],
  },
  {
    to: "/settings/team",
    title: t.team.title,
    permissions: ["members.manage", "users.manage"],
    synonyms: ["members", "users", "accounts", "invitations", "reset a password"],
  },
  {
    to: "/settings/api-keys",
    title: t.memberKeys.title,
    permissions: ["members.manage"],
    synonyms: ["tokens", "keys of members", "programs"],
  },
  {
    to: "/settings/roles",
    title: t.roles.title,
    permissions: ["members.manage"],
    synonyms: ["permissions", "rights", "who may do what"],
  },
  {
    to: "/settings/sign-in",
    title: t.signIn.title,
    permissions: ["config.manage"],
    installation: true,
    synonyms: ["oidc", "openid", "ldap", "sso", "single sign-on", "directory"],
  },
  {
    to: "/settings/mail",
    title: t.mail.title,
    permissions: ["config.manage"],
    installation: true,
    synonyms: ["smtp", "e-mail", "mail server"],
  },
  {
    to: "/settings/branding",
    title: t.branding.title,
    permissions: ["branding.manage"],
    synonyms: ["logo", "colours", "favicon", "accent"],
  },
  {
    to: "/settings/system",
    title: t.system.title,
    permissions: ["system.view"],
    synonyms: ["health", "jobs", "queues", "workers", "log level", "maintenance", "version"],
  },
  { to: "/settings/audit", title: t.audit.title, permissions: ["audit.view"], synonyms: ["history", "who did what"] },
];

export const SCANS: readonly Place[] = [
  { to: "/scans", title: t.schedules.runs, permissions: ["scans.view"], synonyms: ["scan status", "scan history"] },
  {
    to: "/scans/schedules",
    title: t.schedules.title,
    permissions: ["schedules.view"],
    synonyms: ["cron", "recurring", "run now"],
  },
];

/** What the palette can go to beside the entries of the menu. */
export const PLACES: readonly Place[] = [...SCANS, ...SETTINGS].filter(
  (place) => place.to !== "/settings" && place.to !== "/scans",
);

/** Whether somebody is shown a page at all; the server decides again on what is in it. */
export function visible(user: User | undefined, place: Place): boolean {
  const allowed = place.installation ? mayInstallation : may;
  return !place.permissions || place.permissions.some((permission) => allowed(user, permission));
}

/** The title of an address inside a section. */
export function placeTitle(path: string): string | undefined {
  if (path === "/scans/new") return t.scans.new;
  const scan = /^\/scans\/(\d+)$/.exec(path)?.[1];
  if (scan) return t.scan.title(Number(scan));
  return PLACES.find((place) => place.to === path)?.title;
}
