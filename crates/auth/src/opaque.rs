//! Random tokens that mean nothing by themselves: refresh tokens, the one-time setup token.
//!
//! 256 bits from the operating system, shown once, stored as a SHA-256 digest. A fast digest is right here: the
//! token has full entropy, so there is nothing to guess.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::{SecureRandom as _, SystemRandom};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// Bytes of randomness in a token.
const TOKEN_BYTES: usize = 32;

/// A fresh token: the text for its owner and the digest for the database.
#[derive(Debug)]
pub struct OpaqueToken {
    /// What the owner gets, 43 characters of base64url. Never stored.
    pub text: SecretString,
    /// What is stored: [`digest`] of the text.
    pub digest: String,
}

impl OpaqueToken {
    /// Draws a token from the operating system.
    ///
    /// # Panics
    /// If the operating system has no randomness to give, in which case nothing secure can be done at all.
    #[must_use]
    pub fn generate() -> Self {
        let mut bytes = [0_u8; TOKEN_BYTES];
        #[expect(clippy::expect_used, reason = "no secure fallback exists")]
        SystemRandom::new().fill(&mut bytes).expect("the operating system provides randomness");
        let text = URL_SAFE_NO_PAD.encode(bytes);
        let digest = digest(&text);
        Self { text: text.into(), digest }
    }

    /// The text, for the one response that shows it.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.text.expose_secret()
    }
}

/// SHA-256 of a token as 64 lower-case hex digits: the form in which tokens are stored and looked up.
#[must_use]
pub fn digest(token: &str) -> String {
    hex::encode(Sha256::digest(token.as_bytes()))
}

/// Compares two secrets without telling by its duration where they differ.
#[must_use]
pub fn equal(a: &str, b: &str) -> bool {
    // Equal lengths first: the length of our tokens is public.
    a.len() == b.len() && bool::from(a.as_bytes().ct_eq(b.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_differ_and_their_digest_is_what_is_looked_up() {
        let (one, two) = (OpaqueToken::generate(), OpaqueToken::generate());
        assert_eq!(one.expose().len(), 43);
        assert_ne!(one.expose(), two.expose());
        assert_eq!(one.digest, digest(one.expose()));
        assert_eq!(one.digest.len(), 64);
    }

    #[test]
    fn a_token_is_not_printed_by_debug() {
        let token = OpaqueToken::generate();
        assert!(!format!("{token:?}").contains(token.expose()));
    }

    #[test]
    fn comparison_is_exact() {
        assert!(equal("abc", "abc"));
        assert!(!equal("abc", "abd"));
        assert!(!equal("abc", "abcd"));
    }
}
