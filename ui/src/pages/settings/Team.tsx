/** Team: members with their accounts and roles, invitations. */
import { useNavigate, useSearch } from "@tanstack/react-router";
import { may } from "../../api/model";
import { Button } from "../../components/Button";
import { SettingsPage } from "../../components/SettingsPage";
import { useTableState } from "../../components/table/state";
import { t } from "../../strings";
import { Invitations } from "../team/Invitations";
import { KNOWN, Members } from "../team/Members";
import { NewMember } from "../team/NewMember";
import { useReader } from "../team/parts";

const KEEP = ["do"];

export function Team() {
  const reader = useReader();
  const navigate = useNavigate();
  const table = useTableState(KNOWN, KEEP);
  const adding = (useSearch({ strict: false }) as { do?: string }).do === "add";
  const mayAdd = may(reader, "users.manage");
  const say = (what: string | undefined) =>
    void navigate({
      to: ".",
      search: ((old: Record<string, string>) => ({ ...old, do: what })) as never,
      resetScroll: false,
    } as never);
  return (
    <div className={table[0].open ? "has-drawer" : undefined}>
      <SettingsPage wide actions={mayAdd && <Button onClick={() => say("add")}>{t.people.add}</Button>}>
        {reader?.book && <Members reader={reader} book={reader.book} table={table} />}
        {reader?.book === "members" && <Invitations />}
      </SettingsPage>
      {adding && mayAdd && <NewMember onClose={() => say(undefined)} />}
    </div>
  );
}
