/** Roles: those that come with the product, to be read, and the organisation's own. */

import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { deleteRole, meQuery, type Role, rolesQuery } from "../../api/queries";
import { Button } from "../../components/Button";
import { useConfirmed } from "../../components/confirmed";
import { Dialog } from "../../components/Dialog";
import { Panel } from "../../components/Panel";
import { Permitted } from "../../components/Permitted";
import { PlainTable } from "../../components/PlainTable";
import { QueryState } from "../../components/QueryState";
import { SettingsPage } from "../../components/SettingsPage";
import { roleName } from "../../lib/role-name";
import { t } from "../../strings";
import { RoleForm } from "../roles/RoleForm";

const words = t.roles;

type Open = { what: "show" | "edit" | "like"; role: Role } | { what: "new" } | null;

export function Roles() {
  const me = useQuery(meQuery);
  const roles = useQuery(rolesQuery);
  const [open, setOpen] = useState<Open>(null);
  const close = () => setOpen(null);
  const mine = me.data?.permissions ?? [];
  // The administrator's role holds every permission there is.
  const all = [...new Set([...(roles.data ?? []).flatMap((role) => role.permissions), ...mine])];
  const [askDelete, dialog] = useConfirmed(
    (role: Role) => deleteRole(role.name),
    (role) => ({
      title: words.deleteTitle(roleName(role.name)),
      text: words.deleteText,
      yes: words.delete,
      done: words.deleted(roleName(role.name)),
    }),
    [rolesQuery.queryKey],
  );
  return (
    <SettingsPage
      wide
      actions={
        <Button disabled={!roles.data} onClick={() => setOpen({ what: "new" })}>
          {words.new}
        </Button>
      }
    >
      <Panel title={words.label} text={words.text}>
        <QueryState query={roles} lines={4}>
          {(list) => (
            <PlainTable
              label={words.label}
              rows={list}
              id={(role) => role.name}
              columns={[
                {
                  title: words.columns.name,
                  cell: (role) => (
                    <>
                      {roleName(role.name)} {role.builtin && <span className="tag">{words.builtin}</span>}
                    </>
                  ),
                },
                { title: words.columns.text, wide: true, cell: (role) => role.description },
                {
                  title: words.columns.members,
                  cell: (role) =>
                    role.members === 0 ? <span className="muted">{words.nobody}</span> : t.number(role.members),
                },
                {
                  title: words.show,
                  quiet: true,
                  cell: (role) => (
                    <RowButtons
                      role={role}
                      beyond={role.permissions.some((permission) => !mine.includes(permission))}
                      onOpen={(what) => setOpen({ what, role })}
                      onDelete={() => askDelete(role)}
                    />
                  ),
                },
              ]}
            />
          )}
        </QueryState>
      </Panel>
      {open?.what === "show" && (
        <Dialog wide title={words.showTitle(roleName(open.role.name))} onClose={close}>
          <div className="form">
            <Permitted permissions={open.role.permissions} />
            <div className="foot">
              <Button variant="default" onClick={close}>
                {t.common.close}
              </Button>
            </div>
          </div>
        </Dialog>
      )}
      {open && open.what !== "show" && (
        <RoleForm
          role={open.what === "edit" ? open.role : null}
          like={open.what === "like" ? open.role : null}
          mine={mine}
          all={all}
          onClose={close}
        />
      )}
      {dialog}
    </SettingsPage>
  );
}

function RowButtons({
  role,
  beyond,
  onOpen,
  onDelete,
}: {
  role: Role;
  /** Whether it may do what the reader may not: then it is not the reader's to change. */
  beyond: boolean;
  onOpen: (what: "show" | "edit" | "like") => void;
  onDelete: () => void;
}) {
  const name = roleName(role.name);
  const button = (text: string, label: string, run: () => void, why: string | null = null) => (
    <Button
      size="compact-sm"
      variant="default"
      aria-label={label}
      title={why ?? undefined}
      disabled={why !== null}
      onClick={run}
    >
      {text}
    </Button>
  );
  return (
    <>
      {button(words.show, words.showOf(name), () => onOpen("show"))}
      {button(words.copy, words.copyOf(name), () => onOpen("like"))}
      {!role.builtin && button(words.edit, words.editOf(name), () => onOpen("edit"), beyond ? words.beyond : null)}
      {!role.builtin &&
        button(
          words.delete,
          words.deleteOf(name),
          onDelete,
          beyond ? words.beyond : role.members > 0 ? words.inUse : null,
        )}
    </>
  );
}
