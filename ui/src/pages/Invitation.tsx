/** Accepting an invitation. The token stands behind the hash sign, which browsers keep to themselves. */
import { PasswordInput, TextInput } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { api, data } from "../api/client";
import { ApiError } from "../api/errors";
import { joinOrganization, meQuery, previewInvitation, queryClient } from "../api/queries";
import { session } from "../api/session";
import { usePageTitle } from "../app/brand";
import { enter } from "../app/organizations";
import { message } from "../app/toasts";
import { Button } from "../components/Button";
import { Gate } from "../components/Gate";
import { Notice } from "../components/Notice";
import { SkeletonLines } from "../components/states";
import { roleName } from "../lib/role-name";
import { t } from "../strings";
import { type LoginAnswer, signIn } from "./Login";

/** Keeps the token in this tab while its owner signs in and comes back: addresses of sign-in pages get written down. */
const KEPT = "bartizan.invitation";

function theToken(): string {
  const here = location.hash.slice(1);
  try {
    if (here) sessionStorage.setItem(KEPT, here);
    return here || (sessionStorage.getItem(KEPT) ?? "");
  } catch {
    return here;
  }
}

function used(): void {
  try {
    sessionStorage.removeItem(KEPT);
  } catch {
    // Nothing was kept.
  }
}

export function Invitation() {
  const navigate = useNavigate();
  usePageTitle(t.invitation.window);
  const [token] = useState(theToken);
  const signedIn = session.exists();
  const me = useQuery({ ...meQuery, enabled: signedIn });
  const [username, setUsername] = useState("");
  const [password, setPassword] = useState("");
  const preview = useQuery({
    queryKey: ["invitation", token],
    queryFn: () => previewInvitation(token),
    // Each look counts as an attempt to sign in.
    retry: false,
    refetchOnWindowFocus: false,
    staleTime: Number.POSITIVE_INFINITY,
  });
  const accept = useMutation({
    mutationFn: () => data<LoginAnswer>(api.POST("/api/auth/invitation", { body: { token, username, password } })),
    onSuccess: (answer) => {
      used();
      // Somebody else may have been signed in here, and what was read is theirs.
      queryClient.clear();
      signIn(answer);
      void navigate({ to: "/" as never });
    },
  });
  const join = useMutation({
    mutationFn: async () => {
      const { organization_id } = await joinOrganization(token);
      used();
      await enter(organization_id);
    },
    onSuccess: () => void navigate({ to: "/" as never }),
  });
  const problem = (name: string) => (accept.error instanceof ApiError ? accept.error.field(name) : undefined);
  return (
    <Gate>
      {preview.isPending && <SkeletonLines lines={3} />}
      {preview.isError && <Notice kind="error">{refusal(preview.error)}</Notice>}
      {preview.data && (
        <>
          <h1>{t.invitation.title(preview.data.organization)}</h1>
          <p className="muted">{t.invitation.text(preview.data.email, roleName(preview.data.role))}</p>
        </>
      )}
      {preview.data?.has_account && (
        <div className="form" style={{ marginTop: 20 }}>
          {join.isError && <Notice kind="error">{message(join.error)}</Notice>}
          {signedIn ? (
            <>
              {me.data && <p>{t.invitation.as(me.data.username, me.data.email)}</p>}
              <Button fullWidth loading={join.isPending} onClick={() => join.mutate()}>
                {t.invitation.join}
              </Button>
            </>
          ) : (
            <>
              <Notice kind="info">{t.invitation.account}</Notice>
              <Button
                fullWidth
                onClick={() => void navigate({ to: "/login" as never, search: { next: "/invitation" } as never })}
              >
                {t.auth.signIn}
              </Button>
            </>
          )}
        </div>
      )}
      {preview.data && !preview.data.has_account && (
        <form
          className="form"
          style={{ marginTop: 20 }}
          onSubmit={(event) => {
            event.preventDefault();
            accept.mutate();
          }}
        >
          {accept.isError && !problem("username") && !problem("password") && (
            <Notice kind="error">{message(accept.error)}</Notice>
          )}
          {me.data && <Notice kind="info">{t.invitation.other(me.data.username)}</Notice>}
          <TextInput
            label={t.auth.username}
            autoComplete="username"
            required
            withAsterisk={false}
            value={username}
            error={problem("username")}
            onChange={(event) => setUsername(event.target.value)}
          />
          <PasswordInput
            label={t.auth.password}
            description={t.setup.passwordHint}
            autoComplete="new-password"
            required
            withAsterisk={false}
            value={password}
            error={problem("password")}
            onChange={(event) => setPassword(event.target.value)}
          />
          <Button type="submit" fullWidth loading={accept.isPending}>
            {t.invitation.accept}
          </Button>
        </form>
      )}
    </Gate>
  );
}

function refusal(error: unknown): string {
  if (!(error instanceof ApiError)) return message(error);
  if (error.status === 429) return t.auth.tooMany(error.retryAfter ?? 60);
  return error.status === 404 || error.status === 422 ? t.invitation.bad : message(error);
}
