/** Settings of this browser and of the organisation: scanning, appearance, keyboard, demo data. */
import { Button, Switch } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { may } from "../../api/model";
import { deleteDemo, loadDemo, meQuery, scanningQuery, systemQuery, updateScanning } from "../../api/queries";
import { singleKeys } from "../../app/actions";
import { chooseTheme, type ThemeChoice, themeChoice, useScheme } from "../../app/theme-choice";
import { toast } from "../../app/toasts";
import { useConfirmed } from "../../components/confirmed";
import { Panel } from "../../components/Panel";
import { QueryState } from "../../components/QueryState";
import { SettingsPage } from "../../components/SettingsPage";
import { t } from "../../strings";

const THEMES: [ThemeChoice, string][] = [
  ["system", t.nav.themeSystem],
  ["light", t.nav.themeLight],
  ["dark", t.nav.themeDark],
];

export function General() {
  const me = useQuery(meQuery);
  const system = useQuery({ ...systemQuery, enabled: may(me.data, "system.view") });
  const manage = may(me.data, "config.manage");
  return (
    <SettingsPage>
      <Appearance />
      {may(me.data, "config.view") && <Scanning canManage={manage} />}
      {manage && system.data && <Demo loaded={system.data.demo} />}
    </SettingsPage>
  );
}

function Appearance() {
  useScheme();
  const [keys, setKeys] = useState(singleKeys.on());
  return (
    <Panel title={t.settings.appearance}>
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
    </Panel>
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
    <Panel title={t.settings.scanning}>
      <QueryState query={scanning} lines={1}>
        {(data) => (
          <Switch
            label={t.setup.privateTargets}
            description={canManage ? t.setup.privateHint : `${t.setup.privateHint} ${t.settings.adminOnly}`}
            checked={change.isPending ? change.variables : data.allow_private}
            disabled={!canManage || change.isPending}
            onChange={(event) => change.mutate(event.target.checked)}
          />
        )}
      </QueryState>
    </Panel>
  );
}

function Demo({ loaded }: { loaded: boolean }) {
  const client = useQueryClient();
  const load = useMutation({
    mutationFn: loadDemo,
    onSuccess: (result) => toast.ok(t.settings.demoLoaded(result.scan_id)),
    onError: toast.error,
    onSettled: () => client.invalidateQueries(),
  });
  const [askRemove, dialog] = useConfirmed(
    deleteDemo,
    () => ({
      title: t.settings.demoDeleteTitle,
      text: t.settings.demoDeleteText,
      yes: t.settings.demoDelete,
      done: t.settings.demoDeleted,
    }),
    [[]],
  );
  return (
    <Panel title={t.settings.demo} text={t.setup.startDemoHint}>
      <div>
        {loaded ? (
          <Button variant="default" onClick={() => askRemove(true)}>
            {t.settings.demoDelete}
          </Button>
        ) : (
          <Button variant="default" loading={load.isPending} onClick={() => load.mutate()}>
            {t.settings.demoLoad}
          </Button>
        )}
      </div>
      {dialog}
    </Panel>
  );
}
