/** The mail server: where letters are handed over, from whom they come, and a test of it. */
import { NativeSelect, NumberInput, Switch, TextInput } from "@mantine/core";
import { useIsMutating, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { fieldProblem } from "../../api/errors";
import { may, mayInstallation } from "../../api/model";
import { type MailInput, mailQuery, meQuery, testMail, updateMail } from "../../api/queries";
import { message, toast } from "../../app/toasts";
import { Button } from "../../components/Button";
import { Certificates } from "../../components/Certificates";
import { KeptSecret } from "../../components/KeptSecret";
import { Notice } from "../../components/Notice";
import { Panel } from "../../components/Panel";
import { QueryState } from "../../components/QueryState";
import { SettingsPage } from "../../components/SettingsPage";
import { Steps } from "../../components/Steps";
import { t } from "../../strings";

const words = t.mail;
const STAGES = ["resolve", "connect", "tls", "auth", "send"] as const;
/** The port one expects with each kind of protection, while none was typed in. */
const PORTS: Record<string, number> = { starttls: 587, tls: 465, none: 25 };

export function Mail() {
  const me = useQuery(meQuery);
  const manage = mayInstallation(me.data, "config.manage");
  const mail = useQuery({ ...mailQuery, enabled: manage });
  return (
    <SettingsPage>
      {manage && (
        <QueryState query={mail} lines={8}>
          {(data) => (
            <>
              <MailForm key={data.etag} present={data.settings} etag={data.etag} />
              {may(me.data, "config.test") && (
                <MailTest
                  to={me.data?.email ?? ""}
                  ready={data.settings.host !== "" && data.settings.from_address !== ""}
                />
              )}
            </>
          )}
        </QueryState>
      )}
    </SettingsPage>
  );
}

const SAVING = ["mail", "save"];

type Present = Awaited<ReturnType<typeof updateMail>>;

function MailForm({ present, etag }: { present: Present; etag: string | null }) {
  const client = useQueryClient();
  const fromFile = present.source === "file";
  const [form, setForm] = useState({
    enabled: present.enabled,
    host: present.host,
    security: present.security,
    username: present.username,
    from_address: present.from_address,
    from_name: present.from_name,
    base_url: present.base_url || location.origin,
    ca_certificate: present.ca_certificate,
  });
  const [port, setPort] = useState<number | string>(present.port);
  /** Null: the stored one stays. */
  const [password, setPassword] = useState<string | null>(null);
  const input: MailInput = { ...form, port: Number(port), ...(password === null ? {} : { password }) };
  const save = useMutation({
    mutationKey: SAVING,
    mutationFn: () => updateMail(input, etag),
    onSuccess: () => toast.ok(t.settings.saved),
    onSettled: () => client.invalidateQueries({ queryKey: mailQuery.queryKey }),
  });
  const problem = (name: string) => fieldProblem(save.error, name);
  const text = (name: "host" | "username" | "from_address" | "from_name" | "base_url" | "ca_certificate") => ({
    value: form[name],
    error: problem(name),
    disabled: fromFile,
    spellCheck: false,
    autoComplete: "off",
    onChange: (event: { target: { value: string } }) => setForm({ ...form, [name]: event.target.value }),
  });
  const told = [...Object.keys(form), "port", "password"].some(problem);
  return (
    <Panel title={words.server} text={words.text}>
      {fromFile && <Notice kind="info">{words.fromFile}</Notice>}
      <form
        className="form"
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate();
        }}
      >
        <Switch
          label={words.enabled}
          description={words.enabledHint}
          checked={form.enabled}
          disabled={fromFile}
          onChange={(event) => setForm({ ...form, enabled: event.target.checked })}
        />
        <div className="two">
          <TextInput label={words.host} placeholder="mail.example.com" {...text("host")} />
          <NativeSelect
            label={words.security}
            data={Object.entries(words.securities).map(([value, label]) => ({ value, label }))}
            value={form.security}
            disabled={fromFile}
            onChange={(event) => {
              const security = event.target.value as typeof form.security;
              if (port === PORTS[form.security]) setPort(PORTS[security] ?? port);
              setForm({ ...form, security });
            }}
          />
          <NumberInput
            label={words.port}
            min={1}
            max={65535}
            allowDecimal={false}
            clampBehavior="none"
            hideControls
            value={port}
            error={problem("port")}
            disabled={fromFile}
            onChange={setPort}
          />
        </div>
        {form.security === "none" && <Notice kind="warn">{words.insecure}</Notice>}
        <div className="two">
          <TextInput label={words.username} description={words.usernameHint} {...text("username")} />
          <KeptSecret
            label={words.password}
            kept={present.password_set}
            disabled={fromFile}
            value={password}
            error={problem("password")}
            onChange={setPassword}
          />
        </div>
        <div className="two">
          <TextInput label={words.from} placeholder="bartizan@example.com" {...text("from_address")} />
          <TextInput label={words.fromName} {...text("from_name")} />
        </div>
        <TextInput label={words.baseUrl} description={words.baseUrlHint} {...text("base_url")} />
        <Certificates {...text("ca_certificate")} />
        {save.isError && !told && <Notice kind="error">{message(save.error)}</Notice>}
        {!fromFile && (
          <div>
            <Button type="submit" loading={save.isPending}>
              {t.common.save}
            </Button>
          </div>
        )}
      </form>
    </Panel>
  );
}

function MailTest({ to: own, ready }: { to: string; ready: boolean }) {
  const [to, setTo] = useState(own);
  // It tries what is stored: not before that is what was just sent.
  const saving = useIsMutating({ mutationKey: SAVING }) > 0;
  const test = useMutation({ mutationFn: () => testMail(to.trim() || null) });
  const result = test.data;
  const failed = result?.stage ? STAGES.indexOf(result.stage) : -1;
  // What came before the stage that failed went well; what comes after was not tried.
  const steps = result
    ? STAGES.filter((_, index) => failed < 0 || index <= failed).map((name, index) => ({
        name,
        ok: failed < 0 || index < failed,
        detail: (failed < 0 ? index === STAGES.length - 1 : index === failed) ? result.detail : "",
      }))
    : [];
  return (
    <Panel title={words.test} text={ready ? words.testText : words.testLater}>
      <form
        className="formrow"
        onSubmit={(event) => {
          event.preventDefault();
          test.mutate();
        }}
      >
        <TextInput
          type="email"
          label={words.testTo}
          required
          withAsterisk={false}
          value={to}
          error={fieldProblem(test.error, "to")}
          onChange={(event) => setTo(event.target.value)}
        />
        <Button type="submit" variant="default" disabled={!ready || saving} loading={test.isPending}>
          {words.testSend}
        </Button>
      </form>
      <div role="status">
        {result && (
          <div className="stack" style={{ gap: 8 }}>
            <strong>{result.ok ? words.testOk : words.testFailed}</strong>
            <Steps steps={steps} label={words.testSteps} names={words.stages} />
          </div>
        )}
      </div>
      {test.isError && !fieldProblem(test.error, "to") && <Notice kind="error">{message(test.error)}</Notice>}
    </Panel>
  );
}
