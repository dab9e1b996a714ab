import { PasswordInput, Switch, TextInput } from "@mantine/core";
import { useState } from "react";
import type { AuthConfig } from "../../api/queries";
import { KeptSecret } from "../../components/KeptSecret";
import { Notice } from "../../components/Notice";
import type { Mapping } from "../../components/RoleMapping";
import { t } from "../../strings";
import { MethodPanel, RolesAndTrust, useMethod } from "./method";

const words = t.signIn;
const KNOWN = [
  "url",
  "bind_dn",
  "bind_password",
  "user_base",
  "user_filter",
  "group_base",
  "group_filter",
  "label",
  "role_mapping",
  "default_role",
  "ca_certificates",
  "username",
  "password",
];

export function LdapForm({
  present,
  etag,
  roles,
  canTest,
}: {
  present: AuthConfig["ldap"];
  etag: string | null;
  roles: { value: string; label: string }[];
  canTest: boolean;
}) {
  const fromFile = present.source === "file";
  const [form, setForm] = useState({
    enabled: present.enabled,
    url: present.url,
    start_tls: present.start_tls,
    bind_dn: present.bind_dn,
    user_base: present.user_base,
    user_filter: present.user_filter,
    group_base: present.group_base,
    group_filter: present.group_filter,
    label: present.label,
    ca_certificates: present.ca_certificates,
  });
  const [role, setRole] = useState<string | null>(present.default_role);
  const [mapping, setMapping] = useState<Mapping[]>(present.role_mapping);
  /** Null: the stored one stays. */
  const [secret, setSecret] = useState<string | null>(null);
  const [who, setWho] = useState({ username: "", password: "" });
  const ldap = () => ({
    ...form,
    default_role: role,
    role_mapping: mapping,
    ...(secret === null ? {} : { bind_password: secret }),
  });
  const method = useMethod(
    () => ({ ldap: ldap() }),
    () => ({
      method: "ldap",
      ...(fromFile ? {} : { ldap: ldap() }),
      ...(who.username ? { username: who.username, password: who.password } : {}),
    }),
    etag,
  );
  const { problem } = method;
  type Text = Exclude<keyof typeof form, "enabled" | "start_tls">;
  const text = (name: Text) => ({
    value: form[name],
    error: problem(name),
    disabled: fromFile,
    spellCheck: false,
    autoComplete: "off",
    onChange: (event: { target: { value: string } }) => setForm({ ...form, [name]: event.target.value }),
  });
  return (
    <MethodPanel
      title={words.ldap.title}
      text={words.ldap.text}
      fromFile={fromFile}
      canTest={canTest}
      method={method}
      names={words.ldap.steps}
      known={KNOWN}
      tryout={
        <fieldset className="form">
          <legend>{words.ldap.tryAs}</legend>
          <p className="small muted">{words.ldap.tryHint}</p>
          <div className="two">
            <TextInput
              label={t.auth.username}
              autoComplete="off"
              spellCheck={false}
              value={who.username}
              error={problem("username")}
              onChange={(event) => setWho({ ...who, username: event.target.value })}
            />
            <PasswordInput
              label={t.auth.password}
              autoComplete="new-password"
              value={who.password}
              error={problem("password")}
              onChange={(event) => setWho({ ...who, password: event.target.value })}
            />
          </div>
        </fieldset>
      }
    >
      <Switch
        label={words.ldap.on}
        checked={form.enabled}
        disabled={fromFile}
        onChange={(event) => setForm({ ...form, enabled: event.target.checked })}
      />
      <div className="two">
        <TextInput label={words.ldap.url} placeholder="ldaps://ldap.example.com" {...text("url")} />
        <TextInput label={words.label} description={words.ldap.labelHint} {...text("label")} />
      </div>
      {!form.url.toLowerCase().startsWith("ldaps:") && (
        <>
          <Switch
            label={words.ldap.startTls}
            checked={form.start_tls}
            disabled={fromFile}
            onChange={(event) => setForm({ ...form, start_tls: event.target.checked })}
          />
          {!form.start_tls && form.url !== "" && <Notice kind="warn">{words.ldap.insecure}</Notice>}
        </>
      )}
      <div className="two">
        <TextInput label={words.ldap.bindDn} description={words.ldap.bindHint} {...text("bind_dn")} />
        <KeptSecret
          label={words.ldap.bindPassword}
          kept={present.bind_password_set}
          disabled={fromFile}
          value={secret}
          error={problem("bind_password")}
          onChange={setSecret}
        />
      </div>
      <div className="two">
        <TextInput label={words.ldap.userBase} placeholder="ou=people,dc=example,dc=com" {...text("user_base")} />
        <TextInput label={words.ldap.userFilter} description={words.ldap.userHint} {...text("user_filter")} />
      </div>
      <div className="two">
        <TextInput label={words.ldap.groupBase} description={words.ldap.groupBaseHint} {...text("group_base")} />
        <TextInput label={words.ldap.groupFilter} description={words.ldap.groupHint} {...text("group_filter")} />
      </div>
      <RolesAndTrust
        role={role}
        onRole={setRole}
        mapping={mapping}
        onMapping={setMapping}
        roles={roles}
        disabled={fromFile}
        problem={problem}
        certificates={text("ca_certificates")}
      />
    </MethodPanel>
  );
}
