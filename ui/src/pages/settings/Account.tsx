/** What belongs to oneself: who one is here, password, second factor, sessions, API keys. */
import { useQuery } from "@tanstack/react-query";
import { meQuery } from "../../api/queries";
import { Panel } from "../../components/Panel";
import { Permitted } from "../../components/Permitted";
import { QueryState } from "../../components/QueryState";
import { SettingsPage } from "../../components/SettingsPage";
import { roleName } from "../../lib/role-name";
import { t } from "../../strings";
import { ApiKeys } from "./ApiKeys";
import { Password } from "./Password";
import { SecondFactor } from "./SecondFactor";
import { Sessions } from "./Sessions";

export function Account() {
  const me = useQuery(meQuery);
  const internal = me.data?.auth_provider === "internal";
  return (
    <SettingsPage>
      <Panel title={t.settings.account}>
        <QueryState query={me}>
          {(user) => (
            <>
              <dl className="facts">
                <dt>{t.settings.username}</dt>
                <dd>{user.username}</dd>
                <dt>{t.settings.email}</dt>
                <dd>{user.email}</dd>
                <dt>{t.settings.organization}</dt>
                <dd>{user.organization.name}</dd>
                <dt>{t.settings.role}</dt>
                <dd>{roleName(user.role)}</dd>
                <dt>{t.settings.signsIn}</dt>
                <dd>{t.settings.providers[user.auth_provider] ?? user.auth_provider}</dd>
              </dl>
              <details>
                <summary>{t.roles.mine}</summary>
                <Permitted permissions={user.permissions} />
              </details>
            </>
          )}
        </QueryState>
      </Panel>
      {internal && <Password />}
      {internal && <SecondFactor />}
      <Sessions />
      <ApiKeys />
    </SettingsPage>
  );
}
