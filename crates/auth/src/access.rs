//! Access tokens: short-lived JWTs, HS256, that name a session.
//!
//! A token says who and in which organisation, never what is allowed: permissions are looked up per request, so a
//! change of role acts at once. Times are checked against the instant the caller passes and not against a clock
//! of this crate.

use bartizan_domain::id::{OrganizationId, SessionId, UserId};
use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::SigningKey;

/// How long an access token is valid.
pub const ACCESS_LIFETIME: TimeDelta = TimeDelta::minutes(30);

/// How long a refresh token is valid; each use replaces it.
pub const REFRESH_LIFETIME: TimeDelta = TimeDelta::days(7);

/// Longest token text that is looked at.
const MAX_TOKEN_LEN: usize = 4096;

const ISSUER: &str = "bartizan";
const AUDIENCE: &str = "bartizan-api";

/// Who a valid token speaks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// The user.
    pub user: UserId,
    /// The sign-in session the token belongs to; ending the session ends its tokens.
    pub session: SessionId,
    /// The organisation the session works in.
    pub organization: OrganizationId,
}

/// A token and when it ends.
#[derive(Debug, Clone)]
pub struct IssuedToken {
    /// The JWT.
    pub token: String,
    /// When it stops being accepted.
    pub expires_at: DateTime<Utc>,
}

/// Why a token is not accepted. The text may be shown to the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Not a token of ours: malformed, wrong algorithm, wrong key, wrong issuer or audience.
    #[error("invalid access token")]
    Invalid,
    /// It was valid once.
    #[error("access token expired")]
    Expired,
}

#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: Uuid,
    sid: Uuid,
    org: Uuid,
    iat: i64,
    exp: i64,
}

/// Issues and verifies access tokens with one key.
pub struct AccessTokens {
    encoding: EncodingKey,
    decoding: DecodingKey,
    validation: Validation,
}

impl std::fmt::Debug for AccessTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccessTokens").finish_non_exhaustive()
    }
}

impl AccessTokens {
    /// Uses `key`.
    #[must_use]
    pub fn new(key: &SigningKey) -> Self {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["iss", "aud", "sub", "exp"]);
        // Checked below against the caller's instant; the library would ask the system clock.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        Self {
            encoding: EncodingKey::from_secret(key.expose()),
            decoding: DecodingKey::from_secret(key.expose()),
            validation,
        }
    }

    /// Signs a token for `identity`, valid from `now` for [`ACCESS_LIFETIME`].
    ///
    /// # Panics
    /// Never: an HMAC over a structure of strings and numbers cannot fail.
    #[must_use]
    pub fn issue(&self, identity: &Identity, now: DateTime<Utc>) -> IssuedToken {
        let expires_at = now + ACCESS_LIFETIME;
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: identity.user.0,
            sid: identity.session.0,
            org: identity.organization.0,
            iat: now.timestamp(),
            exp: expires_at.timestamp(),
        };
        match encode(&Header::new(Algorithm::HS256), &claims, &self.encoding) {
            Ok(token) => IssuedToken { token, expires_at },
            Err(error) => unreachable!("an HMAC over plain claims cannot fail: {error}"),
        }
    }

    /// The identity a token speaks for at the instant `now`.
    ///
    /// # Errors
    /// [`TokenError`]; a forged token never learns which part was wrong.
    pub fn verify(&self, token: &str, now: DateTime<Utc>) -> Result<Identity, TokenError> {
        if token.len() > MAX_TOKEN_LEN {
            return Err(TokenError::Invalid);
        }
        let claims = decode::<Claims>(token, &self.decoding, &self.validation).map_err(|_| TokenError::Invalid)?.claims;
        if claims.exp <= now.timestamp() {
            return Err(TokenError::Expired);
        }
        Ok(Identity { user: claims.sub.into(), session: claims.sid.into(), organization: claims.org.into() })
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
    }

    fn identity() -> Identity {
        Identity {
            user: Uuid::from_u128(1).into(),
            session: Uuid::from_u128(2).into(),
            organization: Uuid::from_u128(3).into(),
        }
    }

    #[test]
    fn a_token_is_accepted_until_its_last_second() {
        let tokens = AccessTokens::new(&SigningKey::random());
        let issued = tokens.issue(&identity(), at(0));
        assert_eq!(issued.expires_at, at(1800));
        assert_eq!(tokens.verify(&issued.token, at(1799)), Ok(identity()));
        assert_eq!(tokens.verify(&issued.token, at(1800)), Err(TokenError::Expired));
    }

    #[test]
    fn another_key_another_algorithm_and_no_signature_are_refused() {
        let tokens = AccessTokens::new(&SigningKey::random());
        let foreign = AccessTokens::new(&SigningKey::random()).issue(&identity(), at(0)).token;
        assert_eq!(tokens.verify(&foreign, at(0)), Err(TokenError::Invalid));

        let real = tokens.issue(&identity(), at(0)).token;
        let payload = real.split('.').nth(1).unwrap();
        let none = URL_SAFE_NO_PAD.encode(br#"{"alg":"none","typ":"JWT"}"#);
        assert_eq!(tokens.verify(&format!("{none}.{payload}."), at(0)), Err(TokenError::Invalid));

        let key = SigningKey::random();
        let same_key_hs512 = encode(
            &Header::new(Algorithm::HS512),
            &serde_json::json!({"iss": ISSUER, "aud": AUDIENCE, "sub": Uuid::nil(), "sid": Uuid::nil(),
                "org": Uuid::nil(), "iat": 0, "exp": at(100).timestamp()}),
            &EncodingKey::from_secret(key.expose()),
        )
        .unwrap();
        assert_eq!(AccessTokens::new(&key).verify(&same_key_hs512, at(0)), Err(TokenError::Invalid));
    }

    #[test]
    fn tokens_of_the_same_key_for_others_or_without_an_end_are_refused() {
        let key = SigningKey::random();
        let tokens = AccessTokens::new(&key);
        let good = serde_json::json!({"iss": ISSUER, "aud": AUDIENCE, "sub": Uuid::nil(), "sid": Uuid::nil(),
            "org": Uuid::nil(), "iat": 0, "exp": at(100).timestamp()});
        let verify = |claims: &serde_json::Value| {
            let token =
                encode(&Header::new(Algorithm::HS256), claims, &EncodingKey::from_secret(key.expose())).unwrap();
            tokens.verify(&token, at(0))
        };
        assert!(verify(&good).is_ok());
        for (claim, other) in [("aud", "another-api"), ("iss", "another")] {
            let mut bad = good.clone();
            bad[claim] = other.into();
            assert_eq!(verify(&bad), Err(TokenError::Invalid), "{claim}");
        }
        for claim in ["aud", "iss", "sub", "sid", "org", "exp"] {
            let mut bad = good.clone();
            bad.as_object_mut().unwrap().remove(claim);
            assert_eq!(verify(&bad), Err(TokenError::Invalid), "without {claim}");
        }
    }

    #[test]
    fn a_changed_claim_breaks_the_signature() {
        let tokens = AccessTokens::new(&SigningKey::random());
        let real = tokens.issue(&identity(), at(0)).token;
        let parts: Vec<&str> = real.split('.').collect();
        let claims = String::from_utf8(URL_SAFE_NO_PAD.decode(parts[1]).unwrap()).unwrap();
        let other = claims.replace("000000000001", "000000000009");
        assert_ne!(claims, other);
        let forged = format!("{}.{}.{}", parts[0], URL_SAFE_NO_PAD.encode(other), parts[2]);
        assert_eq!(tokens.verify(&forged, at(0)), Err(TokenError::Invalid));
    }

    #[test]
    fn rubbish_is_invalid_and_never_a_panic() {
        let tokens = AccessTokens::new(&SigningKey::random());
        for text in ["", ".", "..", "a.b.c", "e30.e30.e30", &"x".repeat(MAX_TOKEN_LEN + 1), "\u{0}\u{fffd}"] {
            assert_eq!(tokens.verify(text, at(0)), Err(TokenError::Invalid), "{text:?}");
        }
    }
}
