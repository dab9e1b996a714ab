//! What a provider that lies, or somebody between it and us, can send: nothing of it signs anybody in.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::sync::{Arc, Mutex};

use bartizan_auth::oidc::{Attempt, Oidc, OidcError, Provider, Transport};
use bartizan_test_support::lab::web::{Answer, Over, WebSite, serve};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

const NONCE: &str = "the nonce of this sign-in";

/// A provider that sends whatever ID token it is given.
struct Liar {
    site: WebSite,
    token: Arc<Mutex<String>>,
    oidc: Oidc,
    key: rcgen::KeyPair,
}

fn now() -> DateTime<Utc> {
    "2026-11-22T09:00:00Z".parse().unwrap()
}

impl Liar {
    async fn start() -> Self {
        let key = rcgen::KeyPair::generate().unwrap();
        let point = key.public_key_raw().to_vec();
        let token = Arc::new(Mutex::new(String::new()));
        let sent = Arc::clone(&token);
        let site = serve(Over::Plain, move |request| {
            let issuer = format!("http://{}", request.headers["host"]);
            let body = match request.path.as_str() {
                "/.well-known/openid-configuration" => json!({
                    "issuer": issuer, "authorization_endpoint": format!("{issuer}/authorize"),
                    "token_endpoint": format!("{issuer}/token"), "jwks_uri": format!("{issuer}/keys"),
                    "userinfo_endpoint": format!("{issuer}/userinfo"), "response_types_supported": ["code"],
                    "subject_types_supported": ["public"],
                    "id_token_signing_alg_values_supported": ["none", "HS256", "ES256"],
                }),
                "/keys" => json!({"keys": [{"kty": "EC", "crv": "P-256", "kid": "one", "use": "sig",
                    "x": URL_SAFE_NO_PAD.encode(&point[1..33]), "y": URL_SAFE_NO_PAD.encode(&point[33..65])}]}),
                "/token" => {
                    json!({"access_token": "opaque", "token_type": "Bearer", "id_token": *sent.lock().unwrap()})
                }
                _ => json!({"sub": "somebody else", "email": "x@y.example"}),
            };
            Answer::new("application/json", body.to_string())
        })
        .await;
        Self { site, token, oidc: Oidc::new(Transport::new()), key }
    }

    fn provider(&self) -> Provider {
        Provider {
            issuer: format!("http://{}", self.site.address),
            client_id: "bartizan".into(),
            client_secret: Some("known to both".into()),
            redirect_uri: "http://127.0.0.1/ui/login/oidc".into(),
            scopes: vec![],
            username_claim: "preferred_username".into(),
            groups_claim: String::new(),
            roots: vec![],
        }
    }

    fn claims(&self) -> Value {
        json!({"iss": format!("http://{}", self.site.address), "aud": "bartizan", "sub": "ada", "nonce": NONCE,
            "iat": now().timestamp(), "exp": (now() + TimeDelta::minutes(5)).timestamp(),
            "preferred_username": "ada", "email": "ada@corp.example"})
    }

    fn signed(&self, claims: &Value) -> String {
        signed_by(&self.key, "one", claims)
    }

    async fn finish(&self, token: String) -> Result<String, OidcError> {
        *self.token.lock().unwrap() = token;
        let attempt = Attempt { state: "s".into(), nonce: NONCE.into(), verifier: "v".repeat(64) };
        let who = self.oidc.finish(&self.provider(), &attempt, &"code".into(), now()).await?;
        Ok(who.subject)
    }

    fn asked(&self, what: &str) -> usize {
        self.site.asked().iter().filter(|line| line.as_str() == what).count()
    }
}

fn signed_by(key: &rcgen::KeyPair, kid: &str, claims: &Value) -> String {
    let header = Header { kid: Some(kid.into()), ..Header::new(Algorithm::ES256) };
    encode(&header, claims, &EncodingKey::from_ec_pem(key.serialize_pem().as_bytes()).unwrap()).unwrap()
}

#[tokio::test]
async fn an_honest_token_is_believed() {
    let liar = Liar::start().await;
    assert_eq!(liar.finish(liar.signed(&liar.claims())).await.unwrap(), "ada");
}

#[tokio::test]
async fn no_signature_a_shared_secret_and_another_key_are_refused() {
    let liar = Liar::start().await;
    let claims = liar.claims();
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let none = format!("{}.{}.", part(&json!({"alg": "none"})), part(&claims));
    let public_key = liar.key.public_key_pem();
    let hs =
        |secret: &[u8]| encode(&Header::new(Algorithm::HS256), &claims, &EncodingKey::from_secret(secret)).unwrap();
    let other = rcgen::KeyPair::generate().unwrap();
    let honest = liar.signed(&claims);
    let parts: Vec<&str> = honest.split('.').collect();
    let mut eve = claims.clone();
    eve["sub"] = "eve".into();
    for forged in [
        none,
        hs(public_key.as_bytes()),
        hs(b"known to both"),
        signed_by(&other, "one", &claims),
        format!("{}.{}.", parts[0], parts[1]),
        format!("{}.{}.{}", parts[0], part(&eve), parts[2]),
        "not a token".into(),
    ] {
        assert!(liar.finish(forged.clone()).await.is_err(), "{forged}");
    }
}

#[tokio::test]
async fn claims_of_another_sign_in_issuer_client_or_time_are_refused() {
    let liar = Liar::start().await;
    let later = |minutes| (now() + TimeDelta::minutes(minutes)).timestamp();
    for (name, value) in [
        ("nonce", json!("of another sign-in")),
        ("nonce", Value::Null),
        ("iss", json!("https://other.example")),
        ("aud", json!("another client")),
        ("aud", json!(["bartizan", "another client"])),
        ("azp", json!("another client")),
        ("exp", json!(later(-2))),
        ("iat", json!(later(10))),
        ("at_hash", json!("AAAAAAAAAAAAAAAAAAAAAA")),
    ] {
        let mut claims = liar.claims();
        claims[name] = value.clone();
        let refused = liar.finish(liar.signed(&claims)).await;
        assert!(matches!(refused, Err(OidcError::Refused(_))), "{name} {value}: {refused:?}");
    }
    // What the token leaves out may not come from somebody else's record.
    let mut claims = liar.claims();
    claims.as_object_mut().unwrap().remove("email");
    assert!(matches!(liar.finish(liar.signed(&claims)).await, Err(OidcError::Refused(_))));
}

#[tokio::test]
async fn keys_that_are_not_known_are_looked_for_once_in_a_while() {
    let liar = Liar::start().await;
    for _ in 0..20 {
        assert!(liar.finish(signed_by(&liar.key, "two", &liar.claims())).await.is_err());
    }
    // With the discovery, and once more.
    assert_eq!(liar.asked("GET /keys"), 2);
    assert_eq!(liar.asked("GET /.well-known/openid-configuration"), 1);
}
