//! Arguments of `bartizan serve` that describe an OpenID provider or a directory.
//!
//! A provider that is described here is on, and cannot be changed in the web interface.

use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow};
use bartizan_domain::RoleName;
use bartizan_services::auth_config::{FromFile, LdapSettings, OidcSettings, RoleMapping};
use clap::{Args, ValueHint};

use super::Secret;
use crate::io::read_text;

/// Bytes of a file of certificates.
const MAX_PEM: u64 = 64 * 1024;

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Sign-in (else in the settings)")]
pub struct SignInArgs {
    /// Issuer of an OpenID provider to sign in with
    #[arg(
        long,
        value_name = "URL",
        env = "BARTIZAN_OIDC_ISSUER",
        requires = "oidc_client_id",
        requires = "oidc_redirect_uri"
    )]
    pub oidc_issuer: Option<String>,

    /// What the provider calls this program
    #[arg(long, value_name = "ID", env = "BARTIZAN_OIDC_CLIENT_ID")]
    pub oidc_client_id: Option<String>,

    /// What this program proves itself to the provider with (from the environment or the file only)
    #[arg(long, hide = true, env = "BARTIZAN_OIDC_CLIENT_SECRET", hide_env_values = true)]
    pub oidc_client_secret: Option<Secret>,

    /// Where the provider sends browsers back to: https://THIS-SERVER/ui/login/oidc
    #[arg(long, value_name = "URL", env = "BARTIZAN_OIDC_REDIRECT_URI")]
    pub oidc_redirect_uri: Option<String>,

    /// Scope to ask for beside openid; repeat it [default: profile, email]
    #[arg(long, value_name = "SCOPE", env = "BARTIZAN_OIDC_SCOPE", value_delimiter = ',')]
    pub oidc_scope: Vec<String>,

    /// What the sign-in page calls the provider
    #[arg(long, value_name = "TEXT", env = "BARTIZAN_OIDC_LABEL")]
    pub oidc_label: Option<String>,

    /// Role of people in no mapped group; `none` keeps them out
    #[arg(long, value_name = "ROLE", default_value = "read_only", env = "BARTIZAN_OIDC_DEFAULT_ROLE")]
    pub oidc_default_role: String,

    /// Claim with a name to sign in with
    #[arg(long, value_name = "NAME", default_value = "preferred_username", env = "BARTIZAN_OIDC_USERNAME_CLAIM")]
    pub oidc_username_claim: String,

    /// Claim with the groups, by name or as a path with dots
    #[arg(long, value_name = "NAME", default_value = "groups", env = "BARTIZAN_OIDC_GROUPS_CLAIM")]
    pub oidc_groups_claim: String,

    /// Role of a group; repeat it, the first that fits counts
    #[arg(long, value_name = "GROUP=ROLE", value_parser = mapping)]
    pub oidc_role: Vec<RoleMapping>,

    /// Certificate authorities beside those of the system, in PEM
    #[arg(long, value_name = "FILE", env = "BARTIZAN_OIDC_CA_FILE", value_hint = ValueHint::FilePath)]
    pub oidc_ca_file: Option<PathBuf>,

    /// A directory to sign in with: ldap://HOST[:PORT] with StartTLS, or ldaps://HOST[:PORT]
    #[arg(long, value_name = "URL", env = "BARTIZAN_LDAP_URL", requires = "ldap_user_base")]
    pub ldap_url: Option<String>,

    /// Whom to search as; left out: anonymous
    #[arg(long, value_name = "DN", env = "BARTIZAN_LDAP_BIND_DN")]
    pub ldap_bind_dn: Option<String>,

    /// The password for that (from the environment or the file only)
    #[arg(long, hide = true, env = "BARTIZAN_LDAP_BIND_PASSWORD", hide_env_values = true)]
    pub ldap_bind_password: Option<Secret>,

    /// Where people are
    #[arg(long, value_name = "DN", env = "BARTIZAN_LDAP_USER_BASE")]
    pub ldap_user_base: Option<String>,

    /// Which entry is meant by {username} [default: (&(objectClass=person)(uid={username}))]
    #[arg(long, value_name = "FILTER", env = "BARTIZAN_LDAP_USER_FILTER")]
    pub ldap_user_filter: Option<String>,

    /// Where groups are; left out: memberOf is read only
    #[arg(long, value_name = "DN", env = "BARTIZAN_LDAP_GROUP_BASE")]
    pub ldap_group_base: Option<String>,

    /// Which groups {dn} or {username} is in [default: (member={dn})]
    #[arg(long, value_name = "FILTER", env = "BARTIZAN_LDAP_GROUP_FILTER")]
    pub ldap_group_filter: Option<String>,

    /// What the sign-in page calls the directory
    #[arg(long, value_name = "TEXT", env = "BARTIZAN_LDAP_LABEL")]
    pub ldap_label: Option<String>,

    /// Role of people in no mapped group; `none` keeps them out
    #[arg(long, value_name = "ROLE", default_value = "read_only", env = "BARTIZAN_LDAP_DEFAULT_ROLE")]
    pub ldap_default_role: String,

    /// Role of a group by its common or distinguished name; repeat it, the first that fits counts
    #[arg(long, value_name = "GROUP=ROLE", value_parser = mapping)]
    pub ldap_role: Vec<RoleMapping>,

    /// Certificate authorities beside those of the system, in PEM
    #[arg(long, value_name = "FILE", env = "BARTIZAN_LDAP_CA_FILE", value_hint = ValueHint::FilePath)]
    pub ldap_ca_file: Option<PathBuf>,
}

impl SignInArgs {
    /// The providers that are described, checked.
    pub fn providers(&self) -> Result<FromFile> {
        let found = FromFile { oidc: self.oidc()?, ldap: self.ldap()? };
        found.check().map_err(|error| match error {
            bartizan_domain::Error::Invalid(fields) => {
                let told: Vec<String> = fields
                    .iter()
                    .map(|field| format!("{}: {}", field.field.replace("body -> ", ""), field.message))
                    .collect();
                anyhow!("sign-in: {}", told.join("; "))
            }
            other => anyhow!("sign-in: {other}"),
        })?;
        Ok(found)
    }

    fn oidc(&self) -> Result<Option<(OidcSettings, Option<secrecy::SecretString>)>> {
        let Some(issuer) = &self.oidc_issuer else { return Ok(None) };
        let defaults = OidcSettings::default();
        let settings = OidcSettings {
            enabled: true,
            issuer: issuer.clone(),
            client_id: self.oidc_client_id.clone().unwrap_or_default(),
            redirect_uri: self.oidc_redirect_uri.clone().unwrap_or_default(),
            scopes: if self.oidc_scope.is_empty() { defaults.scopes } else { self.oidc_scope.clone() },
            label: self.oidc_label.clone().unwrap_or(defaults.label),
            default_role: role(&self.oidc_default_role)?,
            username_claim: self.oidc_username_claim.clone(),
            groups_claim: self.oidc_groups_claim.clone(),
            role_mapping: self.oidc_role.clone(),
            ca_certificates: self.oidc_ca_file.as_deref().map(read).transpose()?.unwrap_or_default(),
        };
        Ok(Some((settings, self.oidc_client_secret.as_ref().map(|secret| secret.0.clone()))))
    }

    fn ldap(&self) -> Result<Option<(LdapSettings, Option<secrecy::SecretString>)>> {
        let Some(url) = &self.ldap_url else { return Ok(None) };
        let defaults = LdapSettings::default();
        let settings = LdapSettings {
            enabled: true,
            url: url.clone(),
            start_tls: url.starts_with("ldap:"),
            bind_dn: self.ldap_bind_dn.clone().unwrap_or_default(),
            user_base: self.ldap_user_base.clone().unwrap_or_default(),
            user_filter: self.ldap_user_filter.clone().unwrap_or(defaults.user_filter),
            group_base: self.ldap_group_base.clone().unwrap_or_default(),
            group_filter: self.ldap_group_filter.clone().unwrap_or(defaults.group_filter),
            default_role: role(&self.ldap_default_role)?,
            role_mapping: self.ldap_role.clone(),
            label: self.ldap_label.clone().unwrap_or(defaults.label),
            ca_certificates: self.ldap_ca_file.as_deref().map(read).transpose()?.unwrap_or_default(),
        };
        Ok(Some((settings, self.ldap_bind_password.as_ref().map(|secret| secret.0.clone()))))
    }
}

fn role(text: &str) -> Result<Option<RoleName>> {
    if text == "none" {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|error: String| anyhow!("the default role: {error}"))
}

/// Names of groups have `=` in them: the last one counts.
fn mapping(text: &str) -> Result<RoleMapping, String> {
    let (group, role) = text.rsplit_once('=').ok_or("expected GROUP=ROLE")?;
    Ok(RoleMapping { group: group.to_owned(), role: role.parse()? })
}

fn read(file: &Path) -> Result<String> {
    read_text(file, "certificate file", MAX_PEM)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_equals_sign_divides_group_and_role() {
        let found = mapping("cn=admins,dc=example=admin").unwrap();
        assert_eq!((found.group.as_str(), found.role.as_str()), ("cn=admins,dc=example", "admin"));
        assert!(mapping("admins").is_err());
        assert!(mapping("admins=Not A Role").is_err());
    }
}
