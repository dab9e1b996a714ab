/** One's second factor: set it up, replace the recovery codes, switch it off. */
import { Checkbox, PasswordInput, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { lazy, type ReactNode, Suspense, useEffect, useRef, useState } from "react";
import { confirmFactor, disableFactor, enrolFactor, factorQuery, renewRecoveryCodes } from "../../api/queries";
import { message, toast } from "../../app/toasts";
import { Button } from "../../components/Button";
import { CopyBox, CopyButton } from "../../components/Copy";
import { Dialog } from "../../components/Dialog";
import { Ago } from "../../components/marks";
import { Notice } from "../../components/Notice";
import { Panel } from "../../components/Panel";
import { QueryState } from "../../components/QueryState";
import { saveText } from "../../lib/save-text";
import { t } from "../../strings";

const Qr = lazy(() => import("../../components/Qr"));
const FEW = 3;

type Asking = "enrol" | "renew" | "disable";

export function SecondFactor() {
  const client = useQueryClient();
  const factor = useQuery(factorQuery);
  const [asking, setAsking] = useState<Asking | null>(null);
  const close = () => {
    setAsking(null);
    void client.invalidateQueries({ queryKey: factorQuery.queryKey });
  };
  return (
    <Panel title={t.factor.title}>
      <QueryState query={factor} lines={2}>
        {(state) =>
          state.enabled ? (
            <>
              <dl className="facts">
                <dt>{t.factor.since}</dt>
                <dd>
                  <Ago at={state.enabled_at} />
                </dd>
                <dt>{t.factor.left}</dt>
                <dd>{t.number(state.recovery_codes_left)}</dd>
              </dl>
              {state.recovery_codes_left <= FEW && <Notice kind="warn">{t.factor.few}</Notice>}
              <div className="actions">
                <Button variant="default" onClick={() => setAsking("renew")}>
                  {t.factor.newCodes}
                </Button>
                <Button variant="default" onClick={() => setAsking("disable")}>
                  {t.factor.disable}
                </Button>
              </div>
            </>
          ) : (
            <>
              <p className="muted">{t.factor.off}</p>
              <div>
                <Button variant="default" onClick={() => setAsking("enrol")}>
                  {t.factor.setUp}
                </Button>
              </div>
            </>
          )
        }
      </QueryState>
      {asking === "enrol" && <Enrol onClose={close} />}
      {asking === "renew" && <Renew onClose={close} />}
      {asking === "disable" && <Disable onClose={close} />}
    </Panel>
  );
}

/** One field, what is wrong with it, and two buttons. */
function Step({
  children,
  field,
  error,
  yes,
  danger = false,
  busy,
  onYes,
  onNo,
}: {
  children?: ReactNode;
  field: ReactNode;
  error: unknown;
  yes: string;
  danger?: boolean;
  busy: boolean;
  onYes: () => void;
  onNo: () => void;
}) {
  return (
    <form
      className="form"
      onSubmit={(event) => {
        event.preventDefault();
        onYes();
      }}
    >
      {children}
      {error !== null && <Notice kind="error">{message(error)}</Notice>}
      {field}
      <div className="foot">
        <Button variant="default" onClick={onNo}>
          {t.common.cancel}
        </Button>
        <Button type="submit" color={danger ? "red" : undefined} loading={busy}>
          {yes}
        </Button>
      </div>
    </form>
  );
}

function OwnPassword({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  return (
    <PasswordInput
      label={t.factor.password}
      description={t.factor.passwordHint}
      autoComplete="current-password"
      required
      withAsterisk={false}
      value={value}
      onChange={(event) => onChange(event.target.value)}
    />
  );
}

function Code({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);
  return (
    <TextInput
      ref={field}
      label={t.factor.codeLabel}
      description={t.factor.codeHint}
      inputMode="numeric"
      autoComplete="one-time-code"
      required
      withAsterisk={false}
      maxLength={32}
      value={value}
      onChange={(event) => onChange(event.target.value)}
    />
  );
}

function Enrol({ onClose }: { onClose: () => void }) {
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const enrol = useMutation({ mutationFn: () => enrolFactor(password) });
  const confirm = useMutation({ mutationFn: () => confirmFactor(code.replaceAll(" ", "")) });
  if (confirm.data) return <Codes codes={confirm.data.recovery_codes} onDone={onClose} />;
  return (
    <Dialog title={t.factor.enrolTitle} onClose={onClose}>
      {!enrol.data ? (
        <Step
          field={<OwnPassword value={password} onChange={setPassword} />}
          error={enrol.error}
          yes={t.factor.next}
          busy={enrol.isPending}
          onYes={() => enrol.mutate()}
          onNo={onClose}
        />
      ) : (
        <Step
          field={<Code value={code} onChange={setCode} />}
          error={confirm.error}
          yes={t.factor.confirm}
          busy={confirm.isPending}
          onYes={() => confirm.mutate()}
          onNo={onClose}
        >
          <p>{t.factor.scan}</p>
          <div className="qrbox">
            <Suspense fallback={<span className="qr" />}>
              <Qr text={enrol.data.url} label={t.factor.qrLabel} />
            </Suspense>
          </div>
          <CopyBox label={t.factor.secret} text={groups(enrol.data.secret)} copies={enrol.data.secret} wrap />
        </Step>
      )}
    </Dialog>
  );
}

/** In fours, as it is easier to type. */
function groups(secret: string): string {
  return secret.match(/.{1,4}/g)?.join(" ") ?? secret;
}

function Renew({ onClose }: { onClose: () => void }) {
  const [code, setCode] = useState("");
  const renew = useMutation({ mutationFn: () => renewRecoveryCodes(code.replaceAll(" ", "")) });
  if (renew.data) return <Codes codes={renew.data.recovery_codes} onDone={onClose} />;
  return (
    <Dialog title={t.factor.newTitle} onClose={onClose}>
      <Step
        field={<Code value={code} onChange={setCode} />}
        error={renew.error}
        yes={t.factor.newCodes}
        busy={renew.isPending}
        onYes={() => renew.mutate()}
        onNo={onClose}
      >
        <p>{t.factor.newText}</p>
      </Step>
    </Dialog>
  );
}

function Disable({ onClose }: { onClose: () => void }) {
  const [password, setPassword] = useState("");
  const disable = useMutation({
    mutationFn: () => disableFactor(password),
    onSuccess: () => {
      toast.ok(t.factor.disabled);
      onClose();
    },
  });
  return (
    <Dialog title={t.factor.disableTitle} onClose={onClose}>
      <Step
        field={<OwnPassword value={password} onChange={setPassword} />}
        error={disable.error}
        yes={t.factor.disable}
        danger
        busy={disable.isPending}
        onYes={() => disable.mutate()}
        onNo={onClose}
      >
        <p>{t.factor.disableText}</p>
      </Step>
    </Dialog>
  );
}

/** Shown once: it does not close before one says that they are kept. */
function Codes({ codes, onDone }: { codes: readonly string[]; onDone: () => void }) {
  const [kept, setKept] = useState(false);
  const text = codes.join("\n");
  return (
    <Dialog title={t.factor.codesTitle} onClose={() => kept && onDone()}>
      <div className="form">
        <p>{t.factor.codesText}</p>
        <ul className="codes mono" aria-label={t.factor.codesList}>
          {codes.map((code) => (
            <li key={code}>{code}</li>
          ))}
        </ul>
        <div className="actions">
          <CopyButton text={text} />
          <button
            type="button"
            className="iconbtn small"
            onClick={() => saveText("bartizan-recovery-codes.txt", `${text}\n`)}
          >
            {t.factor.download}
          </button>
        </div>
        <Checkbox label={t.factor.kept} checked={kept} onChange={(event) => setKept(event.target.checked)} />
        <div className="foot">
          <Button disabled={!kept} onClick={onDone}>
            {t.common.done}
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
