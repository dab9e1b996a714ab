/** First run: one form, then straight to an asset or to demo data. */
import { PasswordInput, Switch, TextInput } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type FormEvent, useEffect, useRef, useState } from "react";
import { api, data } from "../api/client";
import { ApiError } from "../api/errors";
import { providersQuery, queryClient } from "../api/queries";
import { session } from "../api/session";
import { usePageTitle } from "../app/brand";
import { message } from "../app/toasts";
import { Button } from "../components/Button";
import { Gate } from "../components/Gate";
import { Notice } from "../components/Notice";
import { t } from "../strings";
import { type LoginAnswer, signIn } from "./Login";

export function Setup() {
  const navigate = useNavigate();
  usePageTitle(t.setup.title);
  const providers = useQuery(providersQuery);
  const [form, setForm] = useState({ organization: "", username: "admin", email: "", password: "", token: "" });
  const [allowPrivate, setAllowPrivate] = useState<boolean | null>(null);
  const [start, setStart] = useState<"asset" | "demo">("asset");

  useEffect(() => {
    // Not after one's own setup: that leads on by itself.
    if (providers.data && !providers.data.setup_required && !session.exists()) void navigate({ to: "/login" as never });
  }, [providers.data, navigate]);

  const first = useRef<HTMLInputElement>(null);
  useEffect(() => {
    first.current?.focus();
  }, []);

  const privateOn = allowPrivate ?? providers.data?.allow_private_default ?? false;
  const setup = useMutation({
    mutationFn: () =>
      data<LoginAnswer>(
        api.POST("/api/auth/setup", {
          body: {
            username: form.username.trim(),
            email: form.email.trim(),
            password: form.password,
            organization_name: form.organization.trim() || undefined,
            allow_private: privateOn,
            demo: start === "demo",
            setup_token: form.token.trim() || undefined,
          },
        }),
      ),
    onSuccess: (answer) => {
      signIn(answer);
      queryClient.setQueryData(providersQuery.queryKey, (known) => known && { ...known, setup_required: false });
      if (start === "demo") void navigate({ to: "/" });
      else void navigate({ to: "/assets" as never, search: { do: "add" } as never });
    },
  });
  const error = setup.error instanceof ApiError ? setup.error : null;
  const field = (name: keyof typeof form) => ({
    value: form[name],
    onChange: (event: { target: { value: string } }) => setForm({ ...form, [name]: event.target.value }),
  });
  const shown = ["organization_name", "username", "email", "password", "setup_token"];
  const elsewhere =
    error && !error.fields.some((problem) => shown.some((name) => error.field(name) === problem.message));

  return (
    <Gate wide>
      <h1>{t.setup.title}</h1>
      <p className="muted">{t.setup.text}</p>
      <form
        className="form"
        style={{ marginTop: 20 }}
        onSubmit={(event: FormEvent) => {
          event.preventDefault();
          setup.mutate();
        }}
      >
        {elsewhere && (
          <Notice kind="error">
            {error.status === 409 ? t.setup.done : message(error)}
            {error.requestId && <div className="small mono">{t.common.requestId(error.requestId)}</div>}
          </Notice>
        )}
        <TextInput
          ref={first}
          label={t.setup.organization}
          description={t.setup.organizationHint}
          name="organization"
          autoComplete="organization"
          error={error?.field("organization_name")}
          {...field("organization")}
        />
        <div className="two">
          <TextInput
            label={t.setup.username}
            name="username"
            autoComplete="username"
            required
            withAsterisk={false}
            error={error?.field("username")}
            {...field("username")}
          />
          <TextInput
            label={t.setup.email}
            name="email"
            type="email"
            autoComplete="email"
            required
            withAsterisk={false}
            error={error?.field("email")}
            {...field("email")}
          />
        </div>
        <PasswordInput
          label={t.setup.password}
          description={t.setup.passwordHint}
          name="password"
          autoComplete="new-password"
          required
          withAsterisk={false}
          minLength={8}
          error={error?.field("password")}
          aria-invalid={error?.field("password") !== undefined}
          {...field("password")}
        />
        {providers.data?.setup_token_required && (
          <TextInput
            label={t.setup.token}
            description={t.setup.tokenHint}
            name="token"
            autoComplete="off"
            required
            withAsterisk={false}
            error={error?.field("setup_token") ?? (error?.status === 403 ? error.message : undefined)}
            {...field("token")}
          />
        )}
        <Switch
          label={t.setup.privateTargets}
          description={t.setup.privateHint}
          checked={privateOn}
          onChange={(event) => setAllowPrivate(event.target.checked)}
        />
        <fieldset>
          <legend>{t.setup.start}</legend>
          <div className="choices">
            {(
              [
                ["asset", t.setup.startAsset, t.setup.startAssetHint],
                ["demo", t.setup.startDemo, t.setup.startDemoHint],
              ] as const
            ).map(([value, title, hint]) => (
              <label key={value} className="choice">
                <input
                  type="radio"
                  name="start"
                  value={value}
                  checked={start === value}
                  onChange={() => setStart(value)}
                />
                <strong>{title}</strong>
                <small>{hint}</small>
              </label>
            ))}
          </div>
        </fieldset>
        <Button type="submit" fullWidth loading={setup.isPending}>
          {t.setup.submit}
        </Button>
      </form>
    </Gate>
  );
}
