//! Sign-in with a directory.

use bartizan_auth::ldap::LdapError;
use bartizan_domain::{Error, Result};
use secrecy::SecretString;

use crate::auth::{Proof, SignedIn, enter, refused};
use crate::auth_config::{LdapSettings, directory};
use crate::external_accounts::{self, Method, Rules};
use crate::passwords::Guard;
use crate::{OpContext, Services};

/// Signs in with a name and a password of the directory.
///
/// # Errors
/// As [`crate::auth::sign_in`]; [`Error::Unavailable`] if the directory cannot be asked, which is no failed attempt.
pub(crate) async fn sign_in(
    cx: &OpContext,
    services: &Services,
    settings: &LdapSettings,
    (login, password): (&str, SecretString),
    code: Option<&SecretString>,
) -> Result<SignedIn> {
    let guard = Guard::of_directory(login);
    guard.check(cx, services).await?;
    let directory = directory(services, services.store.read(), settings).await?;
    let who = match services.directories.authenticate(&directory, login, &password).await {
        Ok(who) => who,
        Err(LdapError::Refused(why)) => {
            tracing::debug!(why, "a sign-in with the directory failed");
            guard.failed(cx, services).await?;
            return Err(refused());
        }
        Err(LdapError::Unreachable(internal) | LdapError::Settings(internal)) => {
            let detail = Some(internal.as_str());
            external_accounts::refused(cx, services, Method::Ldap, (None, "provider", detail)).await?;
            return Err(Error::Unavailable { public: "The directory cannot be asked".to_owned(), internal });
        }
    };
    let rules = Rules { default_role: settings.default_role.as_ref(), mapping: &settings.role_mapping };
    let user = external_accounts::account(cx, services, Method::Ldap, &who, rules).await?;
    enter(cx, services, user, &guard, Proof::Vouched(Method::Ldap, code)).await
}
