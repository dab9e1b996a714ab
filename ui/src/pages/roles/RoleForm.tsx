/** Makes a role or changes one. Offers only what the reader may do: nobody gives away more. */
import { TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { ApiError, fieldProblem } from "../../api/errors";
import { createRole, type Role, rolesQuery, updateRole } from "../../api/queries";
import { message, toast } from "../../app/toasts";
import { Button } from "../../components/Button";
import { Dialog } from "../../components/Dialog";
import { Notice } from "../../components/Notice";
import { grouped, roleId, toggled } from "../../lib/permissions";
import { roleName } from "../../lib/role-name";
import { t } from "../../strings";

const words = t.roles;

export function RoleForm({
  role,
  like,
  mine,
  all,
  onClose,
}: {
  /** The role to change; null: a new one. */
  role: Role | null;
  /** What a new one begins with. */
  like: Role | null;
  /** What the reader may do. */
  mine: readonly string[];
  /** Every permission there is. */
  all: readonly string[];
  onClose: () => void;
}) {
  const client = useQueryClient();
  const [name, setName] = useState(like ? words.likeName(roleName(like.name)) : "");
  const [description, setDescription] = useState(role?.description ?? "");
  const [held, setHeld] = useState<readonly string[]>(
    role?.permissions ?? like?.permissions.filter((permission) => mine.includes(permission)) ?? [],
  );
  const [pressed, setPressed] = useState(false);
  const id = roleId(name);
  const save = useMutation({
    mutationFn: () =>
      role
        ? updateRole(role.name, { description, permissions: [...held] })
        : createRole({ name: id, description, permissions: [...held] }),
    onSuccess: (saved) => {
      toast.ok(role ? words.saved(roleName(saved.name)) : words.created(roleName(saved.name)));
      onClose();
    },
    onSettled: () => {
      void client.invalidateQueries({ queryKey: rolesQuery.queryKey });
      // It may be one's own.
      void client.invalidateQueries({ queryKey: ["me"] });
    },
  });
  const taken = save.error instanceof ApiError && save.error.status === 409;
  const nameProblem = taken ? save.error?.message : fieldProblem(save.error, "name");
  const told = nameProblem !== undefined || fieldProblem(save.error, "description") !== undefined;
  return (
    <Dialog wide title={role ? words.editTitle(roleName(role.name)) : words.newTitle} onClose={onClose}>
      <form
        className="form"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          setPressed(true);
          if ((role || id) && held.length > 0) save.mutate();
        }}
      >
        <div className="two">
          {!role && (
            <TextInput
              label={words.name}
              description={words.nameHint(id)}
              required
              withAsterisk={false}
              maxLength={60}
              autoComplete="off"
              value={name}
              error={nameProblem ?? (pressed && !id ? words.nameHint("") : undefined)}
              onChange={(event) => {
                setName(event.target.value);
                save.reset();
              }}
            />
          )}
          <TextInput
            label={words.description}
            maxLength={500}
            autoComplete="off"
            value={description}
            error={fieldProblem(save.error, "description")}
            onChange={(event) => setDescription(event.target.value)}
          />
        </div>
        {grouped(all.filter((permission) => mine.includes(permission))).map(({ id: group, permissions }) =>
          group === "unused" ? (
            <details key={group}>
              <summary>{words.groups[group]}</summary>
              <p className="small muted">{words.unusedText}</p>
              <Picks permissions={permissions} held={held} onChange={setHeld} />
            </details>
          ) : (
            <fieldset key={group}>
              <legend>{words.groups[group]}</legend>
              <Picks permissions={permissions} held={held} onChange={setHeld} />
            </fieldset>
          ),
        )}
        {all.some((permission) => !mine.includes(permission)) && <p className="small muted">{words.notHeld}</p>}
        {pressed && held.length === 0 && <Notice kind="error">{words.none}</Notice>}
        {save.isError && !told && <Notice kind="error">{message(save.error)}</Notice>}
        {role && role.members > 0 && <p className="small muted">{words.actsOn(role.members)}</p>}
        <div className="foot">
          <Button variant="default" onClick={onClose}>
            {t.common.cancel}
          </Button>
          <Button type="submit" loading={save.isPending}>
            {role ? t.common.save : words.create}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function Picks({
  permissions,
  held,
  onChange,
}: {
  permissions: readonly string[];
  held: readonly string[];
  onChange: (held: string[]) => void;
}) {
  return (
    <div className="picklist permissions">
      {permissions.map((permission) => (
        <label key={permission} title={permission}>
          <input
            type="checkbox"
            checked={held.includes(permission)}
            onChange={(event) => onChange(toggled(held, permission, event.target.checked))}
          />
          {words.permissions[permission] ?? permission}
        </label>
      ))}
    </div>
  );
}
