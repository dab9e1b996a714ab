/** Words of people and what administrators do for them, of their API keys, and of the queues of the server. */
import { n, plural } from "./words";

export const people = {
  one: "member",
  many: "members",
  state: "State",
  active: "Active",
  deactivated: "Deactivated",
  empty: "Nobody yet",
  emptyText: "Whoever is invited or added is listed here.",
  since: "Member since",
  addedAt: "Account made",
  roleOf: (name: string) => `Role of ${name}`,
  beyond: "May do what you may not, so it is not yours to change",
  self: "You; your own account is under Account",
  keptElsewhere: (provider: string) => `Signs in with ${provider}, which keeps it`,
  inactive: "Activate first",
  manage: "Manage",
  manageOf: (name: string) => `Manage ${name}`,
  edit: "Change",
  editTitle: (name: string) => `Change ${name}`,
  edited: (name: string) => `${name} was changed`,
  emailHint: "Links to set a new password are mailed there",

  add: "Add a member",
  addTitle: "Add a member",
  addText: "Makes an account at once. To let somebody choose their own name, invite them instead.",
  username: "Username",
  usernameHint: "To sign in with; no spaces and no @",
  email: "E-mail",
  role: "Role",
  first: "First password",
  byLink: "By a link",
  byLinkText: "They set their own. The link is mailed to them; where no mail is sent, you hand it on.",
  byHand: "Write one",
  byHandText: "You tell it to them; they can change it under Account.",
  password: "Password",
  passwordHint: "At least 8 characters, and not a common one",
  create: "Add",
  createdTitle: (name: string) => `${name} was added`,
  createdText: (name: string) => `${name} can sign in from now on.`,
  noLink: (name: string) =>
    `${name} was added, but the link could not be made. Make one from the account, under “New password”.`,

  newPassword: "New password",
  linkText:
    "A link to set a new password is mailed to them; where no mail is sent, it is shown here to hand on. Earlier links stop working. Setting it ends every session and, unless they choose otherwise, revokes their API keys.",
  makeLink: "Make a link",
  linkOnce: "Hand it on in private: it is shown only now.",
  linkGood: (until: string, minutes: number) => `Good once, until ${until} (${plural(minutes, "minute", "minutes")}).`,
  mailed: (email: string) => `A link to set the password is on its way to ${email}. It is good once, and for an hour.`,

  sessionsText:
    "Signs them out of this organisation in every browser. Whoever knows the password signs in again: have a new one set as well.",
  endSessions: "End all sessions",
  sessionsTitle: (name: string) => `End all sessions of ${name}?`,
  sessionsAsk: "They are signed out at once in every browser, and what was not saved there is lost.",
  alsoKeys: "Revoke the API keys as well",
  alsoKeysHint: "Their programs are refused at once. Do it when somebody else may have made a key.",
  sessionsEnded: (name: string) => `The sessions of ${name} have ended`,

  factor: "Second factor",
  factorText: "For somebody who lost the authenticator and the recovery codes: the password alone signs in again.",
  removeFactor: "Remove the second factor",
  factorTitle: (name: string) => `Remove the second factor of ${name}?`,
  factorAsk:
    "The password alone signs in again, until a new one is set up. Be sure that it is really they who ask for it.",
  factorRemoved: (name: string) => `The second factor of ${name} is removed`,

  deactivate: "Deactivate",
  deactivateTitle: (name: string) => `Deactivate ${name}?`,
  deactivateAsk:
    "The person is signed out at once, cannot sign in here, and the API keys stop working. You can activate the account again at any time.",
  isDeactivated: (name: string) => `${name} is deactivated`,
  activate: "Activate",
  isActive: (name: string) => `${name} is active again`,
  remove: "Remove",
};

export const memberKeys = {
  title: "API keys",
  text: "Every key of the organisation, whoever made it. A key never may more than its owner may at that moment.",
  label: "API keys of the organisation",
  one: "API key",
  many: "API keys",
  owner: "Owner",
  made: "Made",
  mayAll: "everything its owner may",
  mayAllText: "It is not narrowed: it may do whatever its owner may at that moment.",
  from: "From",
  empty: "Nobody has an API key",
  emptyText: "Members make keys for their programs under Account.",
  revokeText: (owner: string) => `Programs of ${owner} that use it are refused at once. It cannot be brought back.`,
};

export const queues = {
  title: "Queues",
  text: "What waits, runs and failed in the last 30 days, by kind.",
  label: "Queues by kind",
  columns: { kind: "Kind", waiting: "Waiting", running: "Running", failed: "Failed", oldest: "Oldest waiting" },
  show: (count: number, state: string, kind: string) => `${n(count)} ${state}: show ${kind}`,
  due: ", next try ",
};
