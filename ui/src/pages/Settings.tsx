/** Settings that work: scanning, appearance, keyboard, demo data, and what this server is. */
import { Button, Switch } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { may } from "../api/model";
import { deleteDemo, loadDemo, meQuery, scanningQuery, systemQuery, updateScanning } from "../api/queries";
import { singleKeys } from "../app/actions";
import { chooseTheme, type ThemeChoice, themeChoice, useScheme } from "../app/theme-choice";
import { toast } from "../app/toasts";
import { Confirm } from "../components/Confirm";
import { Link } from "../components/Link";
import { ErrorState, SkeletonLines } from "../components/states";
import { duration } from "../lib/time";
import { t } from "../strings";
import { ApiKeys } from "./settings/ApiKeys";
import { Sessions } from "./settings/Sessions";

const THEMES: [ThemeChoice, string][] = [
  ["system", t.nav.themeSystem],
  ["light", t.nav.themeLight],
  ["dark", t.nav.themeDark],
];

export function Settings() {
  const me = useQuery(meQuery);
  const system = useQuery(systemQuery);
  useScheme();
  const [keys, setKeys] = useState(singleKeys.on());
  return (
    <div style={{ maxWidth: 820 }}>
      <div className="pagehead">
        <h1>{t.settings.title}</h1>
      </div>
      <div className="stack">
        <Scanning canManage={may(me.data, "config.manage")} />
        <section className="panel" aria-labelledby="appearance">
          <header>
            <h2 id="appearance">{t.settings.appearance}</h2>
          </header>
          <div className="body form">
            <fieldset>
              <legend className="sr">{t.nav.theme}</legend>
              <div className="choices">
                {THEMES.map(([choice, label]) => (
                  <label key={choice} className="choice">
                    <input
                      type="radio"
                      name="theme"
                      checked={themeChoice() === choice}
                      onChange={() => chooseTheme(choice)}
                    />
                    <strong>{label}</strong>
                  </label>
                ))}
              </div>
            </fieldset>
            <Switch
              label={t.settings.keyboardLabel}
              description={t.settings.keyboardHint}
              checked={keys}
              onChange={(event) => {
                setKeys(event.target.checked);
                singleKeys.set(event.target.checked);
              }}
            />
          </div>
        </section>
        <Demo canManage={may(me.data, "config.manage")} loaded={system.data?.demo} />
        <section className="panel" aria-labelledby="account">
          <header>
            <h2 id="account">{t.settings.account}</h2>
          </header>
          <div className="body">
            {me.data && (
              <dl className="facts">
                <dt>{t.settings.username}</dt>
                <dd>{me.data.username}</dd>
                <dt>{t.settings.email}</dt>
                <dd>{me.data.email}</dd>
                <dt>{t.settings.role}</dt>
                <dd>{t.settings.roles[me.data.role] ?? me.data.role}</dd>
              </dl>
            )}
          </div>
        </section>
        <Sessions internal={me.data?.auth_provider === "internal"} />
        <ApiKeys />
        {(may(me.data, "members.manage") || may(me.data, "audit.view")) && (
          <section className="panel" aria-labelledby="people">
            <header>
              <h2 id="people">{t.settings.people}</h2>
            </header>
            <div className="body" style={{ display: "flex", gap: 16 }}>
              {may(me.data, "members.manage") && <Link to="/team">{t.team.title}</Link>}
              {may(me.data, "audit.view") && <Link to="/audit">{t.audit.title}</Link>}
            </div>
          </section>
        )}
        <section className="panel" aria-labelledby="system">
          <header>
            <h2 id="system">{t.settings.system}</h2>
          </header>
          <div className="body">
            {system.isError && <ErrorState error={system.error} retry={() => void system.refetch()} />}
            {system.isPending && <SkeletonLines lines={3} />}
            {system.data && (
              <dl className="facts">
                <dt>{t.settings.version}</dt>
                <dd className="mono">{system.data.version}</dd>
                <dt>{t.settings.checks}</dt>
                <dd>{t.number(system.data.check_count)}</dd>
                <dt>{t.settings.database}</dt>
                <dd>{system.data.database}</dd>
                <dt>{t.settings.uptime}</dt>
                <dd>{duration(system.data.uptime_seconds)}</dd>
              </dl>
            )}
          </div>
        </section>
      </div>
    </div>
  );
}

function Scanning({ canManage }: { canManage: boolean }) {
  const client = useQueryClient();
  const scanning = useQuery(scanningQuery);
  const change = useMutation({
    mutationFn: (allow: boolean) => updateScanning(allow, scanning.data?.etag ?? null),
    onSuccess: () => toast.ok(t.settings.saved),
    onError: toast.error,
    onSettled: () => client.invalidateQueries({ queryKey: scanningQuery.queryKey }),
  });
  return (
    <section className="panel" aria-labelledby="scanning">
      <header>
        <h2 id="scanning">{t.settings.scanning}</h2>
      </header>
      <div className="body">
        {scanning.isError && <ErrorState error={scanning.error} retry={() => void scanning.refetch()} />}
        {scanning.data && (
          <Switch
            label={t.setup.privateTargets}
            description={canManage ? t.setup.privateHint : `${t.setup.privateHint} ${t.settings.adminOnly}`}
            checked={change.isPending ? change.variables : scanning.data.allow_private}
            disabled={!canManage || change.isPending}
            onChange={(event) => change.mutate(event.target.checked)}
          />
        )}
      </div>
    </section>
  );
}

function Demo({ canManage, loaded }: { canManage: boolean; loaded: boolean | undefined }) {
  const client = useQueryClient();
  const [asking, setAsking] = useState(false);
  const done = () => client.invalidateQueries();
  const load = useMutation({
    mutationFn: loadDemo,
    onSuccess: (result) => toast.ok(t.settings.demoLoaded(result.scan_id)),
    onError: toast.error,
    onSettled: done,
  });
  const remove = useMutation({
    mutationFn: deleteDemo,
    onSuccess: () => toast.ok(t.settings.demoDeleted),
    onError: toast.error,
    onSettled: () => {
      setAsking(false);
      void done();
    },
  });
  if (!canManage || loaded === undefined) return null;
  return (
    <section className="panel" aria-labelledby="demo">
      <header>
        <h2 id="demo">{t.settings.demo}</h2>
      </header>
      <div className="body" style={{ display: "flex", gap: 16, alignItems: "center" }}>
        <p className="muted" style={{ flex: 1 }}>
          {t.setup.startDemoHint}
        </p>
        {loaded ? (
          <Button variant="default" onClick={() => setAsking(true)}>
            {t.settings.demoDelete}
          </Button>
        ) : (
          <Button variant="default" loading={load.isPending} onClick={() => load.mutate()}>
            {t.settings.demoLoad}
          </Button>
        )}
      </div>
      {asking && (
        <Confirm
          title={t.settings.demoDeleteTitle}
          text={t.settings.demoDeleteText}
          yes={t.settings.demoDelete}
          no={t.common.cancel}
          busy={remove.isPending}
          onYes={() => remove.mutate()}
          onNo={() => setAsking(false)}
        />
      )}
    </section>
  );
}
