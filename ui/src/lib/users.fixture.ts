/** Users for tests. */
import type { User } from "../api/model";
import { GROUPS } from "./permissions";

/** An administrator with every permission, of the organisation that setup made, or of a later one. */
export const admin = (first: boolean): User => ({
  id: "1",
  username: "admin",
  email: "admin@example.com",
  role: "admin",
  organization: { id: "2", name: "Example", first },
  permissions: GROUPS.flatMap((group) => group.permissions),
  auth_provider: "internal",
  theme_preference: "system",
});
