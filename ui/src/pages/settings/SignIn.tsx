/** How people sign in: passwords of this program, an OpenID provider, a directory. */
import { Switch } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { may, mayInstallation } from "../../api/model";
import { authConfigQuery, meQuery, rolesQuery, updateAuthConfig } from "../../api/queries";
import { useDo } from "../../app/do";
import { Panel } from "../../components/Panel";
import { QueryState } from "../../components/QueryState";
import { SettingsPage } from "../../components/SettingsPage";
import { roleOptions } from "../../lib/role-name";
import { t } from "../../strings";
import { LdapForm } from "../sign-in/LdapForm";
import { OidcForm } from "../sign-in/OidcForm";

const words = t.signIn;

export function SignIn() {
  const me = useQuery(meQuery);
  const manage = mayInstallation(me.data, "config.manage");
  const config = useQuery({ ...authConfigQuery, enabled: manage });
  const roles = useQuery({ ...rolesQuery, enabled: may(me.data, "members.manage") });
  const choices = roleOptions(roles.data ?? []);
  return (
    <SettingsPage>
      {manage && (
        <QueryState query={config} lines={10}>
          {({ config: present, etag }) => (
            <>
              <Passwords
                enabled={present.internal.enabled}
                others={present.oidc.enabled || present.ldap.enabled}
                own={me.data?.auth_provider === "internal"}
                etag={etag}
              />
              <OidcForm
                key={`oidc ${etag}`}
                present={present.oidc}
                etag={etag}
                roles={choices}
                canTest={may(me.data, "config.test")}
              />
              <LdapForm
                key={`ldap ${etag}`}
                present={present.ldap}
                etag={etag}
                roles={choices}
                canTest={may(me.data, "config.test")}
              />
            </>
          )}
        </QueryState>
      )}
    </SettingsPage>
  );
}

function Passwords({
  enabled,
  others,
  own,
  etag,
}: {
  enabled: boolean;
  /** Whether there is another way in. */
  others: boolean;
  /** Whether the reader came in by password. */
  own: boolean;
  etag: string | null;
}) {
  const change = useDo(
    (on: boolean) => updateAuthConfig({ internal: { enabled: on } }, etag),
    () => t.settings.saved,
    [authConfigQuery.queryKey],
  );
  const why = !enabled ? null : !others ? words.onlyWay : own ? words.ownWay : null;
  return (
    <Panel title={words.passwords}>
      <Switch
        label={words.passwordsOn}
        description={why ?? words.passwordsHint}
        checked={change.isPending ? change.variables : enabled}
        disabled={change.isPending || why !== null}
        onChange={(event) => change.mutate(event.target.checked)}
      />
    </Panel>
  );
}
