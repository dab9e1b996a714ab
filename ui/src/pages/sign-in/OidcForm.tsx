import { Switch, TextInput } from "@mantine/core";
import { useState } from "react";
import type { AuthConfig } from "../../api/queries";
import { CopyBox } from "../../components/Copy";
import { KeptSecret } from "../../components/KeptSecret";
import type { Mapping } from "../../components/RoleMapping";
import { t } from "../../strings";
import { MethodPanel, RolesAndTrust, scopesOf, useMethod } from "./method";

const words = t.signIn;
const KNOWN = [
  "issuer",
  "client_id",
  "client_secret",
  "redirect_uri",
  "scopes",
  "label",
  "username_claim",
  "groups_claim",
  "role_mapping",
  "default_role",
  "ca_certificates",
];

export function OidcForm({
  present,
  etag,
  roles,
  canTest,
}: {
  present: AuthConfig["oidc"];
  etag: string | null;
  roles: { value: string; label: string }[];
  canTest: boolean;
}) {
  const fromFile = present.source === "file";
  const [form, setForm] = useState({
    enabled: present.enabled,
    issuer: present.issuer,
    client_id: present.client_id,
    label: present.label,
    username_claim: present.username_claim,
    groups_claim: present.groups_claim,
    ca_certificates: present.ca_certificates,
  });
  const [scopes, setScopes] = useState(present.scopes.join(" "));
  const [role, setRole] = useState<string | null>(present.default_role);
  const [mapping, setMapping] = useState<Mapping[]>(present.role_mapping);
  /** Null: the stored one stays. */
  const [secret, setSecret] = useState<string | null>(null);
  const redirect = present.redirect_uri || `${location.origin}/ui/login/oidc`;
  const oidc = () => ({
    ...form,
    redirect_uri: redirect,
    scopes: scopesOf(scopes),
    default_role: role,
    role_mapping: mapping,
    ...(secret === null ? {} : { client_secret: secret }),
  });
  const method = useMethod(
    () => ({ oidc: oidc() }),
    () => ({ method: "oidc", ...(fromFile ? {} : { oidc: oidc() }) }),
    etag,
  );
  const { problem } = method;
  const text = (name: "issuer" | "client_id" | "label" | "username_claim" | "groups_claim" | "ca_certificates") => ({
    value: form[name],
    error: problem(name),
    disabled: fromFile,
    spellCheck: false,
    autoComplete: "off",
    onChange: (event: { target: { value: string } }) => setForm({ ...form, [name]: event.target.value }),
  });
  return (
    <MethodPanel
      title={words.oidc.title}
      text={words.oidc.text}
      fromFile={fromFile}
      canTest={canTest}
      method={method}
      names={words.oidc.steps}
      known={KNOWN}
    >
      <Switch
        label={words.oidc.on}
        checked={form.enabled}
        disabled={fromFile}
        onChange={(event) => setForm({ ...form, enabled: event.target.checked })}
      />
      <TextInput
        label={words.oidc.issuer}
        description={words.oidc.issuerHint}
        placeholder="https://id.example.com/realms/main"
        {...text("issuer")}
      />
      <div className="two">
        <TextInput label={words.oidc.client} {...text("client_id")} />
        <KeptSecret
          label={words.oidc.secret}
          kept={present.client_secret_set}
          disabled={fromFile}
          value={secret}
          error={problem("client_secret")}
          onChange={setSecret}
        />
      </div>
      <CopyBox label={words.oidc.redirect} text={redirect} wrap />
      {problem("redirect_uri") && <p className="small st-fail">{problem("redirect_uri")}</p>}
      <div className="two">
        <TextInput label={words.label} description={words.oidc.labelHint} {...text("label")} />
        <TextInput
          label={words.oidc.scopes}
          description={words.oidc.scopesHint}
          spellCheck={false}
          autoComplete="off"
          disabled={fromFile}
          value={scopes}
          error={problem("scopes")}
          onChange={(event) => setScopes(event.target.value)}
        />
      </div>
      <div className="two">
        <TextInput label={words.oidc.nameClaim} {...text("username_claim")} />
        <TextInput label={words.oidc.groupsClaim} description={words.oidc.groupsHint} {...text("groups_claim")} />
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
