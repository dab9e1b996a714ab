/** Settings of this browser and of the organisation: scanning, appearance, keyboard, demo data. */
import { Switch, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { fieldProblem } from "../../api/errors";
import { may, mayInstallation, type User } from "../../api/model";
import {
  createOrganization,
  deleteDemo,
  loadDemo,
  meQuery,
  organizationsQuery,
  renameOrganization,
  scanningQuery,
  systemQuery,
  updateScanning,
} from "../../api/queries";
import { singleKeys } from "../../app/actions";
import { useDo } from "../../app/do";
import { type ThemeChoice, themeChoice, useScheme } from "../../app/theme-choice";
import { preferTheme } from "../../app/theme-preference";
import { toast } from "../../app/toasts";
import { Button } from "../../components/Button";
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
      {manage && me.data && <Organization user={me.data} />}
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
                onChange={() => preferTheme(choice)}
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

function Organization({ user }: { user: User }) {
  const client = useQueryClient();
  const [name, setName] = useState(user.organization.name);
  const [other, setOther] = useState("");
  const rename = useMutation({
    mutationFn: () => renameOrganization(name.trim()),
    onSuccess: () => toast.ok(t.settings.saved),
    onError: (error) => {
      if (!fieldProblem(error, "name")) toast.error(error);
    },
    onSettled: () => {
      void client.invalidateQueries({ queryKey: meQuery.queryKey });
      void client.invalidateQueries({ queryKey: organizationsQuery.queryKey });
    },
  });
  const add = useMutation({
    mutationFn: () => createOrganization(other.trim()),
    onSuccess: (made) => {
      setOther("");
      toast.ok(t.organizations.added(made.name));
    },
    onError: (error) => {
      if (!fieldProblem(error, "name")) toast.error(error);
    },
    onSettled: () => client.invalidateQueries({ queryKey: organizationsQuery.queryKey }),
  });
  return (
    <Panel title={t.organizations.title}>
      <form
        className="formrow"
        onSubmit={(event) => {
          event.preventDefault();
          rename.mutate();
        }}
      >
        <TextInput
          label={t.organizations.name}
          required
          withAsterisk={false}
          maxLength={100}
          autoComplete="off"
          value={name}
          error={fieldProblem(rename.error, "name")}
          onChange={(event) => setName(event.target.value)}
        />
        <Button
          type="submit"
          variant="default"
          disabled={name.trim() === user.organization.name}
          loading={rename.isPending}
        >
          {t.common.save}
        </Button>
      </form>
      {mayInstallation(user, "system.manage") && (
        <details>
          <summary>{t.organizations.add}</summary>
          <p className="small muted" style={{ margin: "6px 0 8px" }}>
            {t.organizations.addHint}
          </p>
          <form
            className="formrow"
            onSubmit={(event) => {
              event.preventDefault();
              add.mutate();
            }}
          >
            <TextInput
              label={t.organizations.otherName}
              required
              withAsterisk={false}
              maxLength={100}
              autoComplete="off"
              value={other}
              error={fieldProblem(add.error, "name")}
              onChange={(event) => setOther(event.target.value)}
            />
            <Button type="submit" variant="default" loading={add.isPending}>
              {t.organizations.addButton}
            </Button>
          </form>
        </details>
      )}
    </Panel>
  );
}

function Scanning({ canManage }: { canManage: boolean }) {
  const scanning = useQuery(scanningQuery);
  const change = useDo(
    (allow: boolean) => updateScanning(allow, scanning.data?.etag ?? null),
    () => t.settings.saved,
    [scanningQuery.queryKey],
  );
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
  const load = useDo(loadDemo, ({ scan_id }) => t.settings.demoLoaded(scan_id), [[]]);
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
