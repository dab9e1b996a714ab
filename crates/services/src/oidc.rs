//! Sign-in with an OpenID provider.
//!
//! `state`, `nonce` and the PKCE verifier are kept here, for ten minutes and one use. Whoever finishes must be the
//! browser that began: it holds a cookie set then, or sends the nonce it was given then. Else a stranger could have
//! somebody signed in to the stranger's account by handing them a link.

use bartizan_auth::oidc::{Attempt, OidcError};
use bartizan_domain::{Error, Result};
use bartizan_storage::oidc::{self as storage, Begun};
use chrono::TimeDelta;
use secrecy::{ExposeSecret as _, SecretString};

use crate::auth::{Proof, SignedIn, enter, token_hash};
use crate::auth_config::{OidcSettings, in_force, provider};
use crate::external_accounts::{self, Method, Rules};
use crate::passwords::Guard;
use crate::{OpContext, Services, housekeeping};

/// How long the browser may be away.
pub const LIFETIME: TimeDelta = TimeDelta::minutes(10);
/// Sign-ins that are under way at most.
pub(crate) const MOST: u64 = 10_000;
/// Characters of a path to return to.
const LONGEST_PATH: usize = 512;
/// Bytes of what a browser brings back.
const LONGEST_CODE: usize = 8192;

/// What the browser is told when a sign-in begins.
#[derive(Debug, Clone)]
pub struct Start {
    /// Where it is sent.
    pub authorization_url: String,
    /// Comes back with it.
    pub state: String,
    /// Proves, if it is sent back, that the same browser finishes.
    pub nonce: String,
    /// The same for the browser's cookie.
    pub browser: SecretString,
    /// Whether the pages are served over TLS, so that the cookie must not travel without.
    pub over_tls: bool,
}

/// What the browser comes back with.
#[derive(Debug, Clone)]
pub struct Return {
    /// The provider's code.
    pub code: SecretString,
    /// The state it was sent away with.
    pub state: String,
    /// What the page remembers as the state; if given, it must be that.
    pub expected_state: Option<String>,
    /// The nonce it was given; if given, it must be that.
    pub nonce: Option<String>,
    /// The browser's cookie.
    pub browser: Option<SecretString>,
}

/// Begins a sign-in. `return_to` is a path of the web interface to go to afterwards.
///
/// # Errors
/// [`Error::Conflict`] while it is off, [`Error::Upstream`] if the provider cannot be asked.
pub async fn begin(cx: &OpContext, services: &Services, return_to: Option<String>) -> Result<Start> {
    let settings = switched_on(services).await?;
    if let Some(path) = &return_to
        && !is_own_path(path)
    {
        return Err(Error::invalid("query -> return_to", "must be a path of this server"));
    }
    let provider = provider(services, services.store.read(), &settings).await?;
    let random = || hex::encode(cx.random_bytes::<32>());
    let attempt = Attempt { state: random(), nonce: random(), verifier: random() };
    let browser = random();
    let url = services.oidc.begin(&provider, &attempt, cx.now()).await.map_err(unusable)?;
    let begun = Begun {
        state_hash: token_hash(&attempt.state),
        browser_hash: token_hash(&browser),
        nonce: attempt.nonce.clone(),
        verifier: attempt.verifier,
        return_to,
        expires_at: cx.now() + LIFETIME,
    };
    housekeeping::note_sign_in(services, &begun, cx.now()).await?;
    Ok(Start {
        authorization_url: url.into(),
        state: attempt.state,
        nonce: attempt.nonce,
        browser: browser.into(),
        over_tls: settings.redirect_uri.starts_with("https:"),
    })
}

/// Finishes a sign-in. Says where to go as well.
///
/// # Errors
/// [`Error::Conflict`] while it is off; [`Error::Unauthenticated`] for a state that is not known, used, expired or of
/// another browser, and for a code or token that does not hold; [`Error::Upstream`] if the provider cannot be asked;
/// [`Error::Forbidden`] for who may not sign in here.
pub async fn finish(cx: &OpContext, services: &Services, back: Return) -> Result<(SignedIn, Option<String>)> {
    let settings = switched_on(services).await?;
    let begun = match check(cx, services, &back).await? {
        Ok(begun) => begun,
        Err(reason) => {
            external_accounts::refused(cx, services, Method::Oidc, (None, reason, None)).await?;
            return Err(refused());
        }
    };
    let provider = provider(services, services.store.read(), &settings).await?;
    let attempt = Attempt { state: back.state, nonce: begun.nonce, verifier: begun.verifier };
    let who = match services.oidc.finish(&provider, &attempt, &back.code, cx.now()).await {
        Ok(who) => who,
        Err(error) => {
            let (reason, text) = match &error {
                OidcError::Provider(text) => ("provider", text.clone()),
                OidcError::Refused(text) => ("not_proven", text.clone()),
            };
            tracing::warn!(reason, error = text, "a sign-in by OpenID Connect failed");
            external_accounts::refused(cx, services, Method::Oidc, (None, reason, Some(&text))).await?;
            return Err(unusable(error));
        }
    };
    let rules = Rules { default_role: settings.default_role.as_ref(), mapping: &settings.role_mapping };
    let user = external_accounts::account(cx, services, Method::Oidc, &who, rules).await?;
    let guard = Guard::of(Some(&user), &user.username);
    let signed_in = enter(cx, services, user, &guard, Proof::Vouched(Method::Oidc, None)).await?;
    Ok((signed_in, begun.return_to))
}

/// Takes the sign-in that was begun, if this is its end.
async fn check(cx: &OpContext, services: &Services, back: &Return) -> Result<Result<Begun, &'static str>> {
    if back.state.len() > LONGEST_CODE || back.code.expose_secret().len() > LONGEST_CODE {
        return Ok(Err("state_unknown"));
    }
    let same = |given: &Option<String>, kept: &str| given.as_ref().map(|given| token_hash(given) == token_hash(kept));
    if same(&back.expected_state, &back.state) == Some(false) {
        return Ok(Err("state_mismatch"));
    }
    // Taken before anything is compared: a state is good for one attempt, whoever makes it.
    let Some(begun) = housekeeping::take_sign_in(services, &token_hash(&back.state)).await? else {
        return Ok(Err("state_unknown"));
    };
    if begun.expires_at <= cx.now() {
        return Ok(Err("state_expired"));
    }
    let by_nonce = same(&back.nonce, &begun.nonce);
    let by_cookie = back.browser.as_ref().map(|browser| token_hash(browser.expose_secret()) == begun.browser_hash);
    if by_nonce == Some(false) || (by_nonce.is_none() && by_cookie != Some(true)) {
        return Ok(Err("another_browser"));
    }
    Ok(Ok(begun))
}

async fn switched_on(services: &Services) -> Result<OidcSettings> {
    let settings = in_force(services, services.store.read()).await?.0.oidc;
    if settings.enabled {
        return Ok(settings);
    }
    Err(Error::Conflict("Sign-in by OpenID Connect is not switched on".to_owned()))
}

/// A path on this server, and nothing that a browser takes for another one.
fn is_own_path(path: &str) -> bool {
    path.starts_with('/')
        && !path.starts_with("//")
        && path.len() <= LONGEST_PATH
        && !path.contains(|c: char| c == '\\' || c.is_control() || c.is_whitespace())
}

fn refused() -> Error {
    Error::Unauthenticated("The sign-in could not be finished; begin it again".to_owned())
}

fn unusable(error: OidcError) -> Error {
    match error {
        OidcError::Provider(internal) => {
            Error::Upstream { public: "The identity provider cannot be used at the moment".to_owned(), internal }
        }
        OidcError::Refused(_) => refused(),
    }
}

/// Sign-ins that were begun and not finished in time.
pub(crate) async fn remove_old(db: bartizan_storage::Db<'_>, now: chrono::DateTime<chrono::Utc>) -> Result<()> {
    Ok(storage::remove_expired(db, now).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_this_server_are_returned_to() {
        for good in ["/", "/ui/findings?page=2", "/ui/scans/7#hosts"] {
            assert!(is_own_path(good), "{good}");
        }
        for bad in ["", "ui", "//evil.example", "/\\evil.example", "https://evil.example", "/a\nb", "/a b"] {
            assert!(!is_own_path(bad), "{bad}");
        }
    }
}
