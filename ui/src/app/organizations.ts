/** Going from one organisation to another. */
import { queryClient, switchOrganization } from "../api/queries";
import { goesTo } from "../api/session";
import { t } from "../strings";
import { toast } from "./toasts";

/** Everything read so far is of the organisation that is left. */
export async function enter(id: string): Promise<void> {
  const answer = await switchOrganization(id);
  goesTo(id, answer.access_token);
  queryClient.removeQueries({ type: "inactive" });
  void queryClient.resetQueries();
  toast.ok(t.organizations.switched(answer.user.organization.name));
}
