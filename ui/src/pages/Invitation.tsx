/** Accepting an invitation. The token stands behind the hash sign, which browsers keep to themselves. */
import { Button, PasswordInput, TextInput } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { api, data } from "../api/client";
import { ApiError } from "../api/errors";
import { previewInvitation } from "../api/queries";
import { session } from "../api/session";
import { usePageTitle } from "../app/brand";
import { message, toast } from "../app/toasts";
import { Gate } from "../components/Gate";
import { Notice } from "../components/Notice";
import { SkeletonLines } from "../components/states";
import { t } from "../strings";
import { type LoginAnswer, signIn } from "./Login";

export function Invitation() {
  const navigate = useNavigate();
  usePageTitle(undefined);
  const [token] = useState(() => location.hash.slice(1));
  const [username, setUsername] = useState("");
  const [password, setPassword] = useState("");
  const preview = useQuery({
    queryKey: ["invitation", token],
    queryFn: () => previewInvitation(token),
    retry: false,
  });
  const accept = useMutation({
    mutationFn: () => data<LoginAnswer>(api.POST("/api/auth/invitation", { body: { token, username, password } })),
    onSuccess: (answer) => {
      signIn(answer);
      void navigate({ to: "/" as never });
    },
  });
  const join = useMutation({
    mutationFn: () => data(api.POST("/api/invitations/join", { body: { token } })),
    onSuccess: () => {
      toast.ok(t.invitation.joined);
      void navigate({ to: "/" as never });
    },
    onError: toast.error,
  });
  const problem = (name: string) => (accept.error instanceof ApiError ? accept.error.field(name) : undefined);
  return (
    <Gate>
      {preview.isPending && <SkeletonLines lines={3} />}
      {preview.isError && <Notice kind="error">{t.invitation.bad}</Notice>}
      {preview.data && (
        <>
          <h1>{t.invitation.title(preview.data.organization)}</h1>
          <p className="muted">{t.invitation.text(preview.data.email)}</p>
        </>
      )}
      {preview.data?.has_account && (
        <div className="form" style={{ marginTop: 20 }}>
          <Notice kind="info">{t.invitation.account}</Notice>
          {session.exists() && (
            <Button fullWidth loading={join.isPending} onClick={() => join.mutate()}>
              {t.invitation.join}
            </Button>
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
