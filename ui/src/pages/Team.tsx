/** Team: members and their roles, invitations. */
import { Button, NativeSelect, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { ApiError } from "../api/errors";
import {
  deleteInvitation,
  deleteMember,
  invitationsQuery,
  invite,
  membersQuery,
  meQuery,
  rolesQuery,
  updateMember,
} from "../api/queries";
import { toast } from "../app/toasts";
import { Confirm } from "../components/Confirm";
import { CopyBox } from "../components/Copy";
import { Ago } from "../components/marks";
import { ErrorState, SkeletonLines } from "../components/states";
import { t } from "../strings";

const roleName = (role: string) => t.settings.roles[role] ?? role;

export function Team() {
  return (
    <div style={{ maxWidth: 1000 }}>
      <div className="pagehead">
        <h1>{t.team.title}</h1>
      </div>
      <div className="stack">
        <Members />
        <Invitations />
      </div>
    </div>
  );
}

function useRoles(): { value: string; label: string }[] {
  const roles = useQuery(rolesQuery);
  return (roles.data ?? []).map((role) => ({ value: role.name, label: roleName(role.name) }));
}

function Members() {
  const client = useQueryClient();
  const [page, setPage] = useState(1);
  const members = useQuery(membersQuery(page));
  const me = useQuery(meQuery);
  const roles = useRoles();
  const [removing, setRemoving] = useState<{ id: string; name: string } | null>(null);
  const refresh = () => client.invalidateQueries({ queryKey: ["members"] });
  const change = useMutation({
    mutationFn: ({ id, ...body }: { id: string; role?: string; is_active?: boolean }) => updateMember(id, body),
    onSuccess: () => toast.ok(t.team.saved),
    onError: toast.error,
    onSettled: refresh,
  });
  const remove = useMutation({
    mutationFn: deleteMember,
    onError: toast.error,
    onSettled: () => {
      setRemoving(null);
      void refresh();
    },
  });
  return (
    <section className="panel" aria-labelledby="members">
      <header>
        <h2 id="members">{t.team.label}</h2>
      </header>
      <div className="body stack">
        <p className="muted">{t.team.text}</p>
        {members.isPending && <SkeletonLines lines={3} />}
        {members.isError && <ErrorState error={members.error} retry={() => void members.refetch()} />}
        {members.data && (
          <table className="data plain" aria-label={t.team.label}>
            <thead>
              <tr>
                <th scope="col">{t.team.columns.name}</th>
                <th scope="col">{t.team.columns.email}</th>
                <th scope="col">{t.team.columns.role}</th>
                <th scope="col">{t.team.columns.seen}</th>
                <th scope="col">
                  <span className="sr">{t.team.remove}</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {members.data.data.map((member) => (
                <tr key={member.user_id}>
                  <td>
                    {member.username} {!member.is_active && <span className="tag">{t.team.inactive}</span>}
                  </td>
                  <td>{member.email}</td>
                  <td>
                    <NativeSelect
                      size="xs"
                      aria-label={t.team.roleOf(member.username)}
                      data={roles}
                      value={member.role}
                      disabled={change.isPending || member.user_id === me.data?.id}
                      onChange={(event) => change.mutate({ id: member.user_id, role: event.target.value })}
                    />
                  </td>
                  <td>
                    <Ago at={member.last_login_at} otherwise={t.common.never} />
                  </td>
                  <td>
                    {member.user_id !== me.data?.id && (
                      <span style={{ display: "flex", gap: 8 }}>
                        <Button
                          size="compact-sm"
                          variant="default"
                          disabled={change.isPending}
                          onClick={() => change.mutate({ id: member.user_id, is_active: !member.is_active })}
                        >
                          {member.is_active ? t.team.deactivate : t.team.activate}
                        </Button>
                        <Button
                          size="compact-sm"
                          variant="default"
                          onClick={() => setRemoving({ id: member.user_id, name: member.username })}
                        >
                          {t.team.remove}
                        </Button>
                      </span>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
        {members.data && members.data.total_pages > 1 && (
          <Pages page={page} pages={members.data.total_pages} go={setPage} />
        )}
      </div>
      {removing && (
        <Confirm
          title={t.team.removeTitle(removing.name)}
          text={t.team.removeText}
          yes={t.team.remove}
          no={t.common.cancel}
          busy={remove.isPending}
          onYes={() => remove.mutate(removing.id)}
          onNo={() => setRemoving(null)}
        />
      )}
    </section>
  );
}

function Invitations() {
  const client = useQueryClient();
  const invitations = useQuery(invitationsQuery);
  const roles = useRoles();
  const [email, setEmail] = useState("");
  const [role, setRole] = useState("read_only");
  const refresh = () => client.invalidateQueries({ queryKey: invitationsQuery.queryKey });
  const send = useMutation({
    mutationFn: () => invite({ email, role }),
    onSuccess: () => setEmail(""),
    onError: (error) => {
      if (!(error instanceof ApiError) || error.fields.length === 0) toast.error(error);
    },
    onSettled: refresh,
  });
  const revoke = useMutation({ mutationFn: deleteInvitation, onError: toast.error, onSettled: refresh });
  return (
    <section className="panel" aria-labelledby="invitations">
      <header>
        <h2 id="invitations">{t.team.invitations}</h2>
      </header>
      <div className="body stack">
        <form
          className="form"
          onSubmit={(event) => {
            event.preventDefault();
            send.mutate();
          }}
        >
          <TextInput
            type="email"
            label={t.team.invite}
            required
            withAsterisk={false}
            value={email}
            error={send.error instanceof ApiError ? send.error.field("email") : undefined}
            onChange={(event) => setEmail(event.target.value)}
          />
          <NativeSelect
            label={t.team.role}
            data={roles}
            value={role}
            onChange={(event) => setRole(event.target.value)}
          />
          <div>
            <Button type="submit" loading={send.isPending}>
              {t.team.send}
            </Button>
          </div>
        </form>
        {send.data && <CopyBox label={t.team.link} text={new URL(send.data.link, location.origin).href} wrap />}
        {invitations.isError && <ErrorState error={invitations.error} retry={() => void invitations.refetch()} />}
        {invitations.data && invitations.data.total > 0 && (
          <table className="data plain" aria-label={t.team.invitations}>
            <thead>
              <tr>
                <th scope="col">{t.team.columns.email}</th>
                <th scope="col">{t.team.columns.role}</th>
                <th scope="col">
                  <span className="sr">{t.team.revoke}</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {invitations.data.data.map((invitation) => (
                <tr key={invitation.id}>
                  <td>
                    {invitation.email} <span className="tag">{t.team.status[invitation.status]}</span>
                  </td>
                  <td>{roleName(invitation.role)}</td>
                  <td>
                    {(invitation.status === "pending" || invitation.status === "expired") && (
                      <Button
                        size="compact-sm"
                        variant="default"
                        disabled={revoke.isPending}
                        onClick={() => revoke.mutate(invitation.id)}
                      >
                        {t.team.revoke}
                      </Button>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </div>
    </section>
  );
}

/** Two buttons for lists that are read and not worked on. */
export function Pages({ page, pages, go }: { page: number; pages: number; go: (page: number) => void }) {
  return (
    <div style={{ display: "flex", gap: 12, alignItems: "center" }}>
      <Button size="compact-sm" variant="default" disabled={page <= 1} onClick={() => go(page - 1)}>
        {t.audit.newer}
      </Button>
      <span className="muted small">{t.audit.page(page, pages)}</span>
      <Button size="compact-sm" variant="default" disabled={page >= pages} onClick={() => go(page + 1)}>
        {t.audit.older}
      </Button>
    </div>
  );
}
