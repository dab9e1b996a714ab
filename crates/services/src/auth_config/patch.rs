//! Changes of the settings: what is `None` stays.

use bartizan_domain::RoleName;
use secrecy::SecretString;

use super::{LdapSettings, OidcSettings, RoleMapping};

/// A change of how people sign in.
#[derive(Debug, Clone, Default)]
pub struct Patch {
    /// Whether passwords of this program are good.
    pub internal_enabled: Option<bool>,
    /// The OpenID provider.
    pub oidc: Option<OidcPatch>,
    /// The directory.
    pub ldap: Option<LdapPatch>,
}

macro_rules! patch {
    ($(#[$doc:meta])* $name:ident of $settings:ident, $secret:ident: $($field:ident: $type:ty),+ $(,)?) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Default)]
        pub struct $name {
            $(#[doc = concat!("See [`", stringify!($settings), "::", stringify!($field), "`].")] pub $field: Option<$type>,)+
            /// The secret; empty to remove it.
            pub $secret: Option<SecretString>,
        }

        impl $name {
            pub(super) fn apply(&self, settings: &mut $settings) {
                $(if let Some(value) = &self.$field {
                    settings.$field.clone_from(value);
                })+
            }
        }
    };
}

patch!(
    /// A change of the OpenID provider.
    OidcPatch of OidcSettings, client_secret:
    enabled: bool, issuer: String, client_id: String, redirect_uri: String, scopes: Vec<String>, label: String,
    default_role: Option<RoleName>, username_claim: String, groups_claim: String, role_mapping: Vec<RoleMapping>,
    ca_certificates: String,
);

patch!(
    /// A change of the directory.
    LdapPatch of LdapSettings, bind_password:
    enabled: bool, url: String, start_tls: bool, bind_dn: String, user_base: String, user_filter: String,
    group_base: String, group_filter: String, default_role: Option<RoleName>, role_mapping: Vec<RoleMapping>,
    label: String, ca_certificates: String,
);
