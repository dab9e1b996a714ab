/** What of the System page somebody gets to see: what belongs to the whole installation is not a tenant's. */
import { may, mayInstallation, type User } from "../../api/model";

export interface Parts {
  /** Anything at all. */
  page: boolean;
  workers: boolean;
  /** Log level and maintenance mode. */
  command: boolean;
  /** Cancelling and retrying; the list itself is that of one's organisation. */
  commandJobs: boolean;
}

export function partsOf(user: User | null | undefined): Parts {
  return {
    page: may(user, "system.view"),
    workers: mayInstallation(user, "system.view"),
    command: mayInstallation(user, "system.manage"),
    commandJobs: may(user, "system.manage"),
  };
}
