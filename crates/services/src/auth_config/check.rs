//! The rules of the settings. They hold for a provider that is off as well, as far as it is described.

use bartizan_auth::{ldap, oidc};
use bartizan_domain::Result;
use bartizan_outbound::tls_verified;
use url::Url;

use super::{LdapSettings, OidcSettings, RoleMapping, SignInSettings};
use crate::validate::{Fields, check_text};

/// Mapped groups at most.
const MOST_MAPPINGS: usize = 200;
/// Scopes at most.
const MOST_SCOPES: usize = 30;
/// Bytes of certificates at most.
const MOST_PEM: usize = 64 * 1024;

pub(super) fn settings(settings: &SignInSettings) -> Result<()> {
    let mut fields = Fields::default();
    check_oidc(&mut fields, &settings.oidc);
    check_ldap(&mut fields, &settings.ldap);
    fields.finish()
}

fn check_oidc(fields: &mut Fields, oidc: &OidcSettings) {
    needed(fields, "oidc.issuer", &oidc.issuer, oidc.enabled, 500);
    needed(fields, "oidc.client_id", &oidc.client_id, oidc.enabled, 500);
    needed(fields, "oidc.redirect_uri", &oidc.redirect_uri, oidc.enabled, 500);
    needed(fields, "oidc.label", &oidc.label, true, 60);
    needed(fields, "oidc.username_claim", &oidc.username_claim, oidc.enabled, 200);
    needed(fields, "oidc.groups_claim", &oidc.groups_claim, false, 200);
    for (name, text) in [("oidc.issuer", &oidc.issuer), ("oidc.redirect_uri", &oidc.redirect_uri)] {
        let acceptable = Url::parse(text).is_ok_and(|url| {
            oidc::is_acceptable(&url)
                && url.fragment().is_none()
                && url.username().is_empty()
                && url.password().is_none()
        });
        if !text.is_empty() && !acceptable {
            fields.error(name, "must be an https address; http is for this machine only");
        }
    }
    if Url::parse(&oidc.issuer).is_ok_and(|url| url.query().is_some()) {
        fields.error("oidc.issuer", "an issuer has no query");
    }
    if oidc.scopes.len() > MOST_SCOPES {
        fields.error("oidc.scopes", format!("at most {MOST_SCOPES}"));
    }
    let bad = |scope: &String| scope.is_empty() || scope.len() > 200 || !scope.bytes().all(|b| b.is_ascii_graphic());
    if oidc.scopes.iter().any(bad) {
        fields.error("oidc.scopes", "a scope has 1 to 200 visible characters");
    }
    check_mapping(fields, "oidc.role_mapping", &oidc.role_mapping);
    check_pem(fields, "oidc.ca_certificates", &oidc.ca_certificates);
}

fn check_ldap(fields: &mut Fields, directory: &LdapSettings) {
    let on = directory.enabled;
    needed(fields, "ldap.url", &directory.url, on, 500);
    needed(fields, "ldap.bind_dn", &directory.bind_dn, false, 500);
    needed(fields, "ldap.user_base", &directory.user_base, on, 500);
    needed(fields, "ldap.user_filter", &directory.user_filter, on, 1000);
    needed(fields, "ldap.group_base", &directory.group_base, false, 500);
    needed(fields, "ldap.group_filter", &directory.group_filter, !directory.group_base.is_empty(), 1000);
    needed(fields, "ldap.label", &directory.label, true, 60);
    if !directory.url.is_empty() {
        match Url::parse(&directory.url) {
            Ok(url)
                if matches!(url.scheme(), "ldap" | "ldaps") && url.host_str().is_some_and(|host| !host.is_empty()) =>
            {
                if !url.username().is_empty() || !matches!(url.path(), "" | "/") || url.query().is_some() {
                    fields.error("ldap.url", "scheme, host and port, and nothing else");
                }
                if ldap::is_readable_on_the_way(&url, directory.start_tls) {
                    fields.error("ldap.url", "passwords would be readable on the way: use ldaps:, or StartTLS");
                }
            }
            _ => {
                fields.error("ldap.url", "must be ldap://host or ldaps://host, with a port if it is not the usual one");
            }
        }
    }
    if !directory.user_filter.is_empty()
        && (!ldap::is_filter(&directory.user_filter) || !directory.user_filter.contains(ldap::USERNAME))
    {
        fields.error("ldap.user_filter", "must be a filter with {username} in it: (uid={username})");
    }
    let names_somebody = directory.group_filter.contains(ldap::DN) || directory.group_filter.contains(ldap::USERNAME);
    if !directory.group_filter.is_empty() && (!ldap::is_filter(&directory.group_filter) || !names_somebody) {
        fields.error("ldap.group_filter", "must be a filter with {dn} or {username} in it: (member={dn})");
    }
    check_mapping(fields, "ldap.role_mapping", &directory.role_mapping);
    check_pem(fields, "ldap.ca_certificates", &directory.ca_certificates);
}

/// Text of a bounded length without control characters, that may be missing unless it is needed.
fn needed(fields: &mut Fields, name: &str, text: &str, needed: bool, most: usize) {
    if (needed || !text.is_empty())
        && let Err(message) = check_text(name, text, most)
    {
        fields.error(name, message);
    }
}

fn check_mapping(fields: &mut Fields, name: &str, mapping: &[RoleMapping]) {
    if mapping.len() > MOST_MAPPINGS {
        fields.error(name, format!("at most {MOST_MAPPINGS} groups"));
    }
    for one in mapping {
        if let Err(message) = check_text("group", &one.group, 500) {
            fields.error(name, message);
        }
    }
}

fn check_pem(fields: &mut Fields, name: &str, pem: &str) {
    if pem.trim().is_empty() {
        return;
    }
    if pem.len() > MOST_PEM {
        fields.error(name, format!("at most {MOST_PEM} bytes"));
    } else if let Err(message) = tls_verified::certificates(pem) {
        fields.error(name, message);
    }
}
