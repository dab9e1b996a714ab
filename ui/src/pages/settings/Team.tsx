/** Team: members and their roles, invitations. */
import { NativeSelect, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { fieldProblem } from "../../api/errors";
import {
  deleteInvitation,
  deleteMember,
  invitationsQuery,
  invite,
  membersQuery,
  meQuery,
  renewInvitation,
  rolesQuery,
  updateMember,
} from "../../api/queries";
import { toast } from "../../app/toasts";
import { Button } from "../../components/Button";
import { CopyBox } from "../../components/Copy";
import { useConfirmed } from "../../components/confirmed";
import { Ago } from "../../components/marks";
import { Pages } from "../../components/Pages";
import { Panel } from "../../components/Panel";
import { PlainTable } from "../../components/PlainTable";
import { QueryState } from "../../components/QueryState";
import { SettingsPage } from "../../components/SettingsPage";
import { roleName } from "../../lib/role-name";
import { t } from "../../strings";

export function Team() {
  return (
    <SettingsPage wide>
      <Members />
      <Invitations />
    </SettingsPage>
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
  const change = useMutation({
    mutationFn: ({ id, ...body }: { id: string; role?: string; is_active?: boolean }) => updateMember(id, body),
    onSuccess: () => toast.ok(t.team.saved),
    onError: toast.error,
    onSettled: () => client.invalidateQueries({ queryKey: ["members"] }),
  });
  const [askRemove, dialog] = useConfirmed(
    (member: { user_id: string; username: string }) => deleteMember(member.user_id),
    (member) => ({
      title: t.team.removeTitle(member.username),
      text: t.team.removeText,
      yes: t.team.remove,
      done: t.team.removed(member.username),
    }),
    [["members"]],
  );
  return (
    <Panel title={t.team.label} text={t.team.text}>
      <QueryState query={members}>
        {(list) => (
          <>
            <PlainTable
              label={t.team.label}
              rows={list.data}
              id={(member) => member.user_id}
              columns={[
                {
                  title: t.team.columns.name,
                  cell: (member) => (
                    <>
                      {member.username} {member.user_id === me.data?.id && <span className="tag">{t.team.you}</span>}
                      {!member.is_active && <span className="tag">{t.team.inactive}</span>}
                    </>
                  ),
                },
                { title: t.team.columns.email, wide: true, cell: (member) => member.email },
                {
                  title: t.team.columns.role,
                  cell: (member) =>
                    member.user_id === me.data?.id ? (
                      roleName(member.role)
                    ) : (
                      <NativeSelect
                        size="xs"
                        miw={132}
                        aria-label={t.team.roleOf(member.username)}
                        data={roles}
                        value={member.role}
                        disabled={change.isPending}
                        onChange={(event) => change.mutate({ id: member.user_id, role: event.target.value })}
                      />
                    ),
                },
                {
                  title: t.team.columns.seen,
                  wide: true,
                  cell: (member) => <Ago at={member.last_login_at} otherwise={t.common.never} />,
                },
                {
                  title: t.team.remove,
                  quiet: true,
                  cell: (member) =>
                    member.user_id !== me.data?.id && (
                      <>
                        <Button
                          size="compact-sm"
                          variant="default"
                          aria-label={
                            member.is_active ? t.team.deactivateOf(member.username) : t.team.activateOf(member.username)
                          }
                          disabled={change.isPending}
                          onClick={() => change.mutate({ id: member.user_id, is_active: !member.is_active })}
                        >
                          {member.is_active ? t.team.deactivate : t.team.activate}
                        </Button>
                        <Button
                          size="compact-sm"
                          variant="default"
                          aria-label={t.team.removeOf(member.username)}
                          onClick={() => askRemove(member)}
                        >
                          {t.team.remove}
                        </Button>
                      </>
                    ),
                },
              ]}
            />
            <Pages page={page} pages={list.total_pages} go={setPage} />
          </>
        )}
      </QueryState>
      {dialog}
    </Panel>
  );
}

function Invitations() {
  const client = useQueryClient();
  const invitations = useQuery(invitationsQuery);
  const roles = useRoles();
  const [email, setEmail] = useState("");
  const [role, setRole] = useState("read_only");
  /** The link that was made last, or the word that it was mailed. */
  const [made, setMade] = useState<{ email: string; link: string | null } | null>(null);
  const send = useMutation({
    mutationFn: () => invite({ email, role }),
    onMutate: () => setMade(null),
    onSuccess: (answer) => {
      setEmail("");
      setMade(answer);
    },
    onError: (error) => {
      if (!fieldProblem(error, "email")) toast.error(error);
    },
    onSettled: () => client.invalidateQueries({ queryKey: invitationsQuery.queryKey }),
  });
  const renew = useMutation({
    mutationFn: ({ id, mailed }: { id: string; mailed: boolean }) => renewInvitation(id, mailed),
    onSuccess: setMade,
    onError: toast.error,
    onSettled: () => client.invalidateQueries({ queryKey: invitationsQuery.queryKey }),
  });
  const revoke = useMutation({
    mutationFn: deleteInvitation,
    onSuccess: () => {
      setMade(null);
      toast.ok(t.team.revoked);
    },
    onError: toast.error,
    onSettled: () => client.invalidateQueries({ queryKey: invitationsQuery.queryKey }),
  });
  return (
    <Panel title={t.team.invitations} text={t.team.invitationsText}>
      <form
        className="formrow"
        onSubmit={(event) => {
          event.preventDefault();
          send.mutate();
        }}
      >
        <TextInput
          type="email"
          label={t.team.invite}
          autoComplete="off"
          required
          withAsterisk={false}
          value={email}
          error={fieldProblem(send.error, "email")}
          onChange={(event) => setEmail(event.target.value)}
        />
        <NativeSelect label={t.team.role} data={roles} value={role} onChange={(event) => setRole(event.target.value)} />
        <Button type="submit" loading={send.isPending}>
          {t.team.send}
        </Button>
      </form>
      {made && (
        <div role="status">
          {made.link === null ? (
            <p>{t.team.mailed(made.email)}</p>
          ) : (
            <CopyBox label={t.team.link} text={new URL(made.link, location.origin).href} wrap />
          )}
        </div>
      )}
      <QueryState query={invitations}>
        {(list) =>
          list.total === 0 ? (
            <p className="muted">{t.team.noInvitations}</p>
          ) : (
            <PlainTable
              label={t.team.invitations}
              rows={list.data}
              id={(invitation) => invitation.id}
              columns={[
                {
                  title: t.team.columns.email,
                  cell: (invitation) => (
                    <>
                      {invitation.email}{" "}
                      <span className="tag">{t.team.status[invitation.status] ?? invitation.status}</span>{" "}
                      {invitation.status === "pending" && invitation.mail && (
                        <span className="tag">{t.team.mail[invitation.mail] ?? invitation.mail}</span>
                      )}
                      {invitation.status === "pending" && invitation.mail_error && (
                        <div className="small st-fail">{invitation.mail_error}</div>
                      )}
                    </>
                  ),
                },
                { title: t.team.columns.role, wide: true, cell: (invitation) => roleName(invitation.role) },
                { title: t.team.columns.by, wide: true, cell: (invitation) => invitation.invited_by.username },
                {
                  title: t.team.columns.ends,
                  wide: true,
                  cell: (invitation) =>
                    invitation.status === "pending" ? (
                      <Ago at={invitation.expires_at} />
                    ) : (
                      <span className="muted">–</span>
                    ),
                },
                {
                  title: t.team.revoke,
                  quiet: true,
                  cell: (invitation) =>
                    (invitation.status === "pending" || invitation.status === "expired") && (
                      <>
                        {invitation.mail !== null && (
                          <Button
                            size="compact-sm"
                            variant="default"
                            aria-label={t.team.againOf(invitation.email)}
                            disabled={renew.isPending}
                            onClick={() => renew.mutate({ id: invitation.id, mailed: true })}
                          >
                            {t.team.again}
                          </Button>
                        )}
                        <Button
                          size="compact-sm"
                          variant="default"
                          aria-label={t.team.newLinkOf(invitation.email)}
                          disabled={renew.isPending}
                          onClick={() => renew.mutate({ id: invitation.id, mailed: false })}
                        >
                          {t.team.newLink}
                        </Button>
                        <Button
                          size="compact-sm"
                          variant="default"
                          aria-label={t.team.revokeOf(invitation.email)}
                          disabled={revoke.isPending}
                          onClick={() => revoke.mutate(invitation.id)}
                        >
                          {t.team.revoke}
                        </Button>
                      </>
                    ),
                },
              ]}
            />
          )
        }
      </QueryState>
    </Panel>
  );
}
