/** Invitations: who is asked in, by letter or by a link to hand on. */
import { NativeSelect, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { fieldProblem } from "../../api/errors";
import { deleteInvitation, invitationsQuery, invite, renewInvitation } from "../../api/queries";
import { toast } from "../../app/toasts";
import { Button } from "../../components/Button";
import { CopyBox } from "../../components/Copy";
import { Ago } from "../../components/marks";
import { Panel } from "../../components/Panel";
import { PlainTable } from "../../components/PlainTable";
import { QueryState } from "../../components/QueryState";
import { roleName } from "../../lib/role-name";
import { t } from "../../strings";
import { useGivenRoles } from "./parts";

export function Invitations() {
  const client = useQueryClient();
  const invitations = useQuery(invitationsQuery);
  const roles = useGivenRoles();
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
          list.length === 0 ? (
            <p className="muted">{t.team.noInvitations}</p>
          ) : (
            <PlainTable
              label={t.team.invitations}
              rows={list}
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
