import { NativeSelect, PasswordInput, TextInput } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { api, data } from "../api/client";
import { ApiError } from "../api/errors";
import type { User } from "../api/model";
import { meQuery, providersQuery, queryClient, startOidc } from "../api/queries";
import { session } from "../api/session";
import { usePageTitle } from "../app/brand";
import { message } from "../app/toasts";
import { Button } from "../components/Button";
import { Gate } from "../components/Gate";
import { Link } from "../components/Link";
import { Notice } from "../components/Notice";
import { safeReturn } from "../lib/safe-return";
import { t } from "../strings";

export interface LoginAnswer {
  access_token: string;
  refresh_token: string;
  user: User;
}

/** Keeps what a login or setup answered. */
export function signIn(answer: LoginAnswer): void {
  session.set(answer);
  queryClient.setQueryData(meQuery.queryKey, answer.user);
}

export function Login() {
  const search = useSearch({ strict: false }) as { next?: string };
  const navigate = useNavigate();
  usePageTitle(t.auth.signIn);
  const [username, setUsername] = useState("");
  const [password, setPassword] = useState("");
  const [code, setCode] = useState<string | null>(null);
  const [chosen, setChosen] = useState<"internal" | "ldap" | null>(null);
  const field = useRef<HTMLInputElement>(null);
  const providers = useQuery(providersQuery);
  const ways = providers.data;
  // Where both are on, people say whose password it is; the directory is the likelier one.
  const both = ways?.internal_enabled === true && ways.ldap_enabled;
  const method = chosen ?? "ldap";
  const byPassword = !ways || ways.internal_enabled || ways.ldap_enabled;

  useEffect(() => {
    field.current?.focus();
  }, []);

  useEffect(() => {
    if (providers.data?.setup_required) void navigate({ to: "/setup" as never });
  }, [providers.data, navigate]);

  const login = useMutation({
    mutationFn: () =>
      data<LoginAnswer>(
        api.POST("/api/auth/login", {
          body: { username, password, ...(code ? { code } : {}), ...(both ? { method } : {}) },
        }),
      ),
    onSuccess: (answer) => {
      signIn(answer);
      const { to, search: query } = safeReturn(search.next);
      void navigate({ to: to as never, search: query as never });
    },
    onError: (error) => {
      // The field for the code appears and takes the focus itself.
      if (needsCode(error)) setCode(code ?? "");
      else field.current?.focus();
    },
  });

  const oidc = useMutation({
    mutationFn: () => startOidc(search.next ?? "/"),
    onSuccess: ({ authorization_url }) => {
      // The provider's own page; it sends the browser back to /ui/login/oidc.
      location.assign(authorization_url);
    },
  });

  return (
    <Gate>
      <h1>{t.auth.signIn}</h1>
      <p className="muted">
        {search.next && search.next !== "/"
          ? t.auth.goOn
          : ways?.oidc_enabled || ways?.ldap_enabled
            ? t.auth.choose
            : t.auth.signInText}
      </p>
      {ways?.oidc_enabled && (
        <div className="form" style={{ marginTop: 20 }}>
          {oidc.isError && <Notice kind="error">{text(oidc.error)}</Notice>}
          <Button
            fullWidth
            variant={byPassword ? "default" : "filled"}
            loading={oidc.isPending || oidc.isSuccess}
            onClick={() => oidc.mutate()}
          >
            {t.signIn.with(ways.oidc_label ?? ways.oidc_provider_name ?? t.signIn.oidc.title)}
          </Button>
        </div>
      )}
      {ways?.oidc_enabled && byPassword && <div className="orline">{t.signIn.or}</div>}
      {byPassword && (
        <form
          className="form"
          style={{ marginTop: ways?.oidc_enabled ? 0 : 20 }}
          onSubmit={(event) => {
            event.preventDefault();
            login.mutate();
          }}
        >
          {login.isError && !needsCode(login.error) && <Notice kind="error">{text(login.error)}</Notice>}
          {both && (
            <NativeSelect
              label={t.signIn.ways}
              data={[
                { value: "ldap", label: ways.ldap_label ?? t.signIn.ldap.title },
                { value: "internal", label: t.signIn.own },
              ]}
              value={method}
              onChange={(event) => setChosen(event.target.value as "internal" | "ldap")}
            />
          )}
          <TextInput
            ref={field}
            label={t.auth.username}
            name="username"
            autoComplete="username"
            required
            withAsterisk={false}
            value={username}
            onChange={(event) => setUsername(event.target.value)}
          />
          <PasswordInput
            label={t.auth.password}
            name="password"
            autoComplete="current-password"
            required
            withAsterisk={false}
            value={password}
            onChange={(event) => setPassword(event.target.value)}
          />
          {code !== null && (
            <TextInput
              label={t.auth.code}
              description={t.auth.codeHint}
              name="code"
              autoComplete="one-time-code"
              required
              withAsterisk={false}
              ref={(input) => {
                if (code === "") input?.focus();
              }}
              value={code}
              onChange={(event) => setCode(event.target.value)}
            />
          )}
          <Button type="submit" fullWidth loading={login.isPending}>
            {t.auth.signIn}
          </Button>
        </form>
      )}
      {ways?.password_reset && (
        <p style={{ marginTop: 16 }}>
          <Link to="/forgot-password">{t.reset.link}</Link>
        </p>
      )}
    </Gate>
  );
}

function needsCode(error: unknown): boolean {
  return error instanceof ApiError && error.kind === "second_factor_required";
}

function text(error: unknown): string {
  if (error instanceof ApiError && error.status === 401) return t.auth.wrong;
  if (error instanceof ApiError && error.status === 429) return t.auth.tooMany(error.retryAfter ?? 60);
  return message(error);
}
