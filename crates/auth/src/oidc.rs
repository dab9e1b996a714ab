//! Sign-in by OpenID Connect: authorization code flow with PKCE, against a provider found by discovery.
//!
//! The caller keeps `state`, `nonce` and the PKCE verifier; what is here makes the address the browser is sent to,
//! exchanges the code, and checks the ID token: signature by a key of the provider with an asymmetric algorithm, issuer,
//! audience, authorized party, times, nonce, and the hash of the access token. Protocol and cryptography are those of the
//! `openidconnect` crate; requests go through [`bartizan_outbound`].

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreClientAuthMethod, CoreErrorResponseType, CoreIdTokenVerifier,
    CoreJsonWebKeySet, CoreJwsSigningAlgorithm, CoreProviderMetadata, CoreTokenResponse,
};
use openidconnect::{
    AccessTokenHash, AuthType, AuthorizationCode, ClaimsVerificationError, ClientId, ClientSecret, CsrfToken,
    IssuerUrl, Nonce, OAuth2TokenResponse as _, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RequestTokenError,
    Scope, SignatureVerificationError, TokenResponse as _,
};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use url::{Host, Url};

use crate::external::{ExternalIdentity, Step, plain};

mod transport;

pub use transport::Transport;

/// How long what a provider says of itself is believed.
const METADATA_LIFETIME: TimeDelta = TimeDelta::hours(1);
/// A key that is not known is looked for anew no more often than this.
const KEYS_AT_MOST_EVERY: TimeDelta = TimeDelta::seconds(30);
/// How far clocks may be apart.
const SKEW: TimeDelta = TimeDelta::minutes(1);
/// Providers remembered; there is one at a time, and what was configured before it.
const MOST_PROVIDERS: usize = 8;
/// Groups that are looked at.
const MOST_GROUPS: usize = 5000;

/// What is believed: signatures with a key that only the provider has. Never none, never a shared secret.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// An OpenID provider, as configured.
#[derive(Debug, Clone)]
pub struct Provider {
    /// Its issuer, exactly as it names itself.
    pub issuer: String,
    /// What it calls this program.
    pub client_id: String,
    /// What this program proves itself with; `None` for a public client.
    pub client_secret: Option<SecretString>,
    /// Where it sends browsers back to.
    pub redirect_uri: String,
    /// Scopes asked for beside `openid`.
    pub scopes: Vec<String>,
    /// The claim with a name to sign in with.
    pub username_claim: String,
    /// The claim with the groups, by name or as a path with dots.
    pub groups_claim: String,
    /// Roots beside those of the system, in DER.
    pub roots: Vec<Vec<u8>>,
}

/// What one sign-in is guarded by: random text the caller keeps until the browser comes back.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// Goes round with the browser.
    pub state: String,
    /// Comes back in the ID token.
    pub nonce: String,
    /// Goes to the provider when the code is exchanged; 43 characters at least.
    pub verifier: String,
}

/// Why a sign-in failed. The texts are for logs and administrators.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OidcError {
    /// The provider cannot be reached, or answers with nonsense.
    #[error("{0}")]
    Provider(String),
    /// The provider refuses the code, or what it sent does not hold.
    #[error("{0}")]
    Refused(String),
}

#[derive(Clone)]
struct Known {
    metadata: CoreProviderMetadata,
    fetched_at: DateTime<Utc>,
    /// When its keys were read again, for a token signed with one that was not known.
    renewed_at: Option<DateTime<Utc>>,
}

/// Signs people in with OpenID providers; remembers what they say of themselves.
pub struct Oidc {
    transport: Transport,
    known: Mutex<HashMap<String, Known>>,
}

impl std::fmt::Debug for Oidc {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Oidc").finish_non_exhaustive()
    }
}

impl Oidc {
    /// Asks providers over `transport`.
    #[must_use]
    pub fn new(transport: Transport) -> Self {
        Self { transport, known: Mutex::default() }
    }

    /// Where the browser is to be sent.
    ///
    /// # Errors
    /// [`OidcError::Provider`].
    pub async fn begin(&self, provider: &Provider, attempt: &Attempt, now: DateTime<Utc>) -> Result<Url, OidcError> {
        let known = self.metadata(provider, now).await?;
        let client = CoreClient::from_provider_metadata(known.metadata, client_id(provider), secret(provider))
            .set_redirect_uri(redirect_uri(provider)?);
        let verifier = PkceCodeVerifier::new(attempt.verifier.clone());
        let (state, nonce) = (CsrfToken::new(attempt.state.clone()), Nonce::new(attempt.nonce.clone()));
        let mut request = client
            .authorize_url(CoreAuthenticationFlow::AuthorizationCode, move || state, move || nonce)
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier));
        for scope in provider.scopes.iter().filter(|scope| *scope != "openid") {
            request = request.add_scope(Scope::new(scope.clone()));
        }
        Ok(request.url().0)
    }

    /// Exchanges the code that the browser came back with, and says who it is.
    ///
    /// # Errors
    /// [`OidcError`].
    pub async fn finish(
        &self,
        provider: &Provider,
        attempt: &Attempt,
        code: &SecretString,
        now: DateTime<Utc>,
    ) -> Result<ExternalIdentity, OidcError> {
        let known = self.metadata(provider, now).await?;
        let answer = self.exchange(provider, &known.metadata, attempt, code).await?;
        let token = answer.id_token().ok_or_else(|| OidcError::Provider("the answer has no ID token".to_owned()))?;
        let nonce = Nonce::new(attempt.nonce.clone());
        let endpoint = known.metadata.userinfo_endpoint().map(|endpoint| endpoint.url().clone());
        let mut keys = known.metadata.jwks().clone();
        if let Err(ClaimsVerificationError::SignatureVerification(SignatureVerificationError::NoMatchingKey)) =
            token.claims(&verifier(provider, &keys, now)?, &nonce)
        {
            // The provider may have begun to sign with a new key since its keys were read.
            keys = self.renewed_keys(provider, known, now).await?;
        }
        let verifier = verifier(provider, &keys, now)?;
        let claims = token.claims(&verifier, &nonce).map_err(|error| OidcError::Refused(unverified(&error)))?;
        if claims.authorized_party().is_some_and(|party| **party != provider.client_id) {
            return Err(OidcError::Refused("the ID token was issued to another client".to_owned()));
        }
        if let Some(expected) = claims.access_token_hash() {
            let parts = token.signing_alg().and_then(|alg| token.signing_key(&verifier).map(|key| (alg, key)));
            let actual = parts.map_err(|error| error.to_string()).and_then(|(alg, key)| {
                AccessTokenHash::from_token(answer.access_token(), alg, key).map_err(|error| error.to_string())
            });
            if actual.as_ref() != Ok(expected) {
                return Err(OidcError::Refused("the access token is not the one the ID token names".to_owned()));
            }
        }
        let subject = claims.subject().to_string();
        let mut facts = payload(&token.to_string())?;
        if wants_more(provider, &facts)
            && let Some(endpoint) = endpoint
        {
            self.add_userinfo(provider, &endpoint, answer.access_token().secret(), &subject, &mut facts).await?;
        }
        Ok(identity(provider, subject, &facts))
    }

    /// Tries what can be tried without a browser. The last step sends a code that nobody issued: a provider that refuses
    /// the code has accepted the client.
    pub async fn examine(&self, provider: &Provider, now: DateTime<Utc>) -> Vec<Step> {
        self.lock().remove(&provider.issuer);
        let mut steps = Vec::new();
        let known = match self.metadata(provider, now).await {
            Ok(known) => known,
            Err(error) => {
                steps.push(Step::of("discovery", Err(error.to_string())));
                return steps;
            }
        };
        let metadata = &known.metadata;
        let at = format!("authorization at {}", metadata.authorization_endpoint().url());
        steps.push(Step::of("discovery", Ok(plain(&at))));
        let usable = metadata.jwks().keys().len();
        let keys = if usable == 0 { Err("no usable key".to_owned()) } else { Ok(format!("{usable} keys")) };
        steps.push(Step::of("keys", keys));
        let probe = Attempt { state: String::new(), nonce: String::new(), verifier: "0".repeat(64) };
        let client = match self.exchange_raw(provider, metadata, &probe, &"bartizan-test".into()).await {
            Err(Exchange::Refused(CoreErrorResponseType::InvalidGrant, _)) => Ok("the client is known".to_owned()),
            Err(Exchange::Refused(_, text) | Exchange::Failed(text)) => Err(text),
            Ok(_) => Err("the provider accepted a code that nobody issued".to_owned()),
        };
        steps.push(Step::of("client", client));
        steps
    }

    async fn exchange(
        &self,
        provider: &Provider,
        metadata: &CoreProviderMetadata,
        attempt: &Attempt,
        code: &SecretString,
    ) -> Result<CoreTokenResponse, OidcError> {
        self.exchange_raw(provider, metadata, attempt, code).await.map_err(|error| match error {
            Exchange::Refused(CoreErrorResponseType::InvalidGrant, text) => OidcError::Refused(text),
            Exchange::Refused(_, text) | Exchange::Failed(text) => OidcError::Provider(text),
        })
    }

    async fn exchange_raw(
        &self,
        provider: &Provider,
        metadata: &CoreProviderMetadata,
        attempt: &Attempt,
        code: &SecretString,
    ) -> Result<CoreTokenResponse, Exchange> {
        let failed = |error: &dyn std::fmt::Display| Exchange::Failed(plain(&format!("token endpoint: {error}")));
        let redirect = redirect_uri(provider).map_err(|error| Exchange::Failed(error.to_string()))?;
        let methods = metadata.token_endpoint_auth_methods_supported();
        let only_in_body = methods.is_some_and(|methods| {
            methods.contains(&CoreClientAuthMethod::ClientSecretPost)
                && !methods.contains(&CoreClientAuthMethod::ClientSecretBasic)
        });
        let client = CoreClient::from_provider_metadata(metadata.clone(), client_id(provider), secret(provider))
            .set_auth_type(if only_in_body { AuthType::RequestBody } else { AuthType::BasicAuth })
            .set_redirect_uri(redirect);
        let http = self.transport.to(provider);
        client
            .exchange_code(AuthorizationCode::new(code.expose_secret().to_owned()))
            .map_err(|error| failed(&error))?
            .set_pkce_verifier(PkceCodeVerifier::new(attempt.verifier.clone()))
            .request_async(&http)
            .await
            .map_err(|error| match error {
                RequestTokenError::ServerResponse(response) => {
                    Exchange::Refused(response.error().clone(), plain(&format!("token endpoint: {response}")))
                }
                RequestTokenError::Request(error) => failed(&error),
                // The text of a parse error may quote the answer, which has tokens in it.
                RequestTokenError::Parse(error, _) => failed(&format!("no token answer, at {}", error.path())),
                RequestTokenError::Other(_) => failed(&"no token answer"),
            })
    }

    async fn metadata(&self, provider: &Provider, now: DateTime<Utc>) -> Result<Known, OidcError> {
        let remembered = self.lock().get(&provider.issuer).cloned();
        if let Some(known) = remembered
            && (now - known.fetched_at).abs() < METADATA_LIFETIME
        {
            return Ok(known);
        }
        let issuer = IssuerUrl::new(provider.issuer.clone())
            .map_err(|error| OidcError::Provider(format!("the issuer is no address: {error}")))?;
        let http = self.transport.to(provider);
        let metadata = CoreProviderMetadata::discover_async(issuer, &http)
            .await
            .map_err(|error| OidcError::Provider(plain(&format!("discovery: {}", chain(&error)))))?;
        let known = Known { metadata, fetched_at: now, renewed_at: None };
        self.remember(provider, known.clone());
        Ok(known)
    }

    async fn renewed_keys(
        &self,
        provider: &Provider,
        known: Known,
        now: DateTime<Utc>,
    ) -> Result<CoreJsonWebKeySet, OidcError> {
        let present = self.lock().get(&provider.issuer).cloned().unwrap_or(known);
        if present.renewed_at.is_some_and(|last| (now - last).abs() < KEYS_AT_MOST_EVERY) {
            return Ok(present.metadata.jwks().clone());
        }
        let http = self.transport.to(provider);
        let keys = CoreJsonWebKeySet::fetch_async(present.metadata.jwks_uri(), &http)
            .await
            .map_err(|error| OidcError::Provider(plain(&format!("keys: {}", chain(&error)))))?;
        let metadata = present.metadata.set_jwks(keys.clone());
        self.remember(provider, Known { metadata, renewed_at: Some(now), ..present });
        Ok(keys)
    }

    /// What the ID token leaves out, the provider may tell who holds the access token.
    async fn add_userinfo(
        &self,
        provider: &Provider,
        endpoint: &Url,
        access_token: &str,
        subject: &str,
        facts: &mut Value,
    ) -> Result<(), OidcError> {
        let answer = self.transport.userinfo(provider, endpoint, access_token).await.map_err(OidcError::Provider)?;
        // A signed answer (a JWT) is not asked for and not read.
        let Some(answer) = answer else { return Ok(()) };
        if answer.get("sub").and_then(Value::as_str) != Some(subject) {
            return Err(OidcError::Refused("user information is about somebody else".to_owned()));
        }
        if let (Value::Object(facts), Value::Object(more)) = (facts, answer) {
            for (name, value) in more {
                facts.entry(name).or_insert(value);
            }
        }
        Ok(())
    }

    fn remember(&self, provider: &Provider, known: Known) {
        let mut all = self.lock();
        if all.len() >= MOST_PROVIDERS && !all.contains_key(&provider.issuer) {
            all.clear();
        }
        all.insert(provider.issuer.clone(), known);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Known>> {
        // Values are replaced as a whole, so a panic leaves nothing half done.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum Exchange {
    Refused(CoreErrorResponseType, String),
    Failed(String),
}

/// Whether an issuer, or an endpoint it names, may be spoken to: over TLS, or on this machine itself.
#[must_use]
pub fn is_acceptable(url: &Url) -> bool {
    match (url.scheme(), url.host()) {
        ("https", Some(_)) => true,
        ("http", Some(Host::Ipv4(address))) => address.is_loopback(),
        ("http", Some(Host::Ipv6(address))) => address.is_loopback(),
        ("http", Some(Host::Domain(name))) => name == "localhost",
        _ => false,
    }
}

fn client_id(provider: &Provider) -> ClientId {
    ClientId::new(provider.client_id.clone())
}

fn secret(provider: &Provider) -> Option<ClientSecret> {
    provider.client_secret.as_ref().map(|secret| ClientSecret::new(secret.expose_secret().to_owned()))
}

fn redirect_uri(provider: &Provider) -> Result<RedirectUrl, OidcError> {
    RedirectUrl::new(provider.redirect_uri.clone())
        .map_err(|error| OidcError::Provider(format!("the redirect address is none: {error}")))
}

fn verifier(
    provider: &Provider,
    keys: &CoreJsonWebKeySet,
    now: DateTime<Utc>,
) -> Result<CoreIdTokenVerifier<'static>, OidcError> {
    let issuer = IssuerUrl::new(provider.issuer.clone()).map_err(|error| OidcError::Provider(error.to_string()))?;
    // A public client, whatever it is: the other kind would accept signatures with the client secret.
    Ok(CoreIdTokenVerifier::new_public_client(client_id(provider), issuer, keys.clone())
        .set_allowed_algs(ALGORITHMS)
        .set_time_fn(move || now - SKEW)
        .set_issue_time_verifier_fn(move |issued| {
            if issued <= now + SKEW { Ok(()) } else { Err(format!("issued at {issued}, which is to come")) }
        }))
}

fn unverified(error: &ClaimsVerificationError) -> String {
    plain(&format!("ID token: {}", chain(error)))
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

/// The claims of a token whose signature was checked.
fn payload(token: &str) -> Result<Value, OidcError> {
    let nonsense = || OidcError::Provider("the ID token cannot be read".to_owned());
    let middle = token.split('.').nth(1).ok_or_else(nonsense)?;
    let bytes = URL_SAFE_NO_PAD.decode(middle.trim_end_matches('=')).map_err(|_| nonsense())?;
    serde_json::from_slice(&bytes).map_err(|_| nonsense())
}

fn wants_more(provider: &Provider, facts: &Value) -> bool {
    let groups = &provider.groups_claim;
    text(facts, &provider.username_claim).is_none()
        || text(facts, "email").is_none()
        || (!groups.is_empty() && claim(facts, groups).is_none())
}

fn identity(provider: &Provider, subject: String, facts: &Value) -> ExternalIdentity {
    let unverified = match facts.get("email_verified") {
        Some(Value::Bool(verified)) => !verified,
        Some(Value::String(verified)) => verified == "false",
        _ => false,
    };
    let username = text(facts, &provider.username_claim);
    ExternalIdentity {
        issuer: provider.issuer.clone(),
        name: text(facts, "name").or_else(|| username.clone()).unwrap_or_else(|| subject.clone()),
        subject,
        username,
        email: text(facts, "email").filter(|_| !unverified),
        groups: groups(facts, &provider.groups_claim),
    }
}

fn groups(facts: &Value, name: &str) -> BTreeSet<String> {
    match claim(facts, name) {
        Some(Value::String(one)) => BTreeSet::from([one.clone()]),
        Some(Value::Array(many)) => {
            many.iter().filter_map(Value::as_str).take(MOST_GROUPS).map(str::to_owned).collect()
        }
        _ => BTreeSet::new(),
    }
}

fn text(facts: &Value, name: &str) -> Option<String> {
    let text = claim(facts, name)?.as_str()?.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// A claim by its name, or else by its path: `realm_access.roles`. Names are often addresses with dots in them.
fn claim<'v>(facts: &'v Value, name: &str) -> Option<&'v Value> {
    if name.is_empty() {
        return None;
    }
    facts.get(name).or_else(|| name.split('.').try_fold(facts, |value, part| value.get(part)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn provider() -> Provider {
        Provider {
            issuer: "https://id.example".into(),
            client_id: "bartizan".into(),
            client_secret: None,
            redirect_uri: "https://scan.example/ui/login/oidc".into(),
            scopes: vec![],
            username_claim: "preferred_username".into(),
            groups_claim: "realm_access.roles".into(),
            roots: vec![],
        }
    }

    #[test]
    fn claims_are_found_by_name_and_by_path() {
        let facts = json!({"realm_access": {"roles": ["a", 7, "b"]}, "https://x.example/groups": "one"});
        assert_eq!(groups(&facts, "realm_access.roles"), ["a", "b"].map(str::to_owned).into());
        assert_eq!(groups(&facts, "https://x.example/groups"), ["one".to_owned()].into());
        assert!(groups(&facts, "").is_empty());
        assert!(groups(&facts, "nothing.here").is_empty());
    }

    #[test]
    fn an_address_that_is_not_verified_is_none() {
        let of = |verified: Value| {
            let facts = json!({"email": "a@b.example", "email_verified": verified, "preferred_username": " ada "});
            identity(&provider(), "s".into(), &facts)
        };
        assert_eq!(of(json!(true)).email.as_deref(), Some("a@b.example"));
        assert_eq!(of(Value::Null).email.as_deref(), Some("a@b.example"));
        assert_eq!(of(json!(false)).email, None);
        assert_eq!(of(json!("false")).email, None);
        assert_eq!(of(json!(true)).username.as_deref(), Some("ada"));
    }

    #[test]
    fn only_tls_or_this_machine() {
        for good in ["https://id.example", "http://127.0.0.1:9000/x", "http://[::1]/", "http://localhost:1"] {
            assert!(is_acceptable(&Url::parse(good).unwrap()), "{good}");
        }
        for bad in ["http://id.example", "http://10.0.0.1", "ftp://id.example", "http://localhost.evil.example"] {
            assert!(!is_acceptable(&Url::parse(bad).unwrap()), "{bad}");
        }
    }
}
