//! Proof of who is calling: password hashes, access tokens, opaque tokens.
//!
//! What is here: Argon2id on a bounded number of threads ([`password`]), signed access tokens ([`access`]), random
//! opaque tokens that are stored as digests ([`opaque`]), the key access tokens are signed with ([`key`]), and the keys
//! that stored secrets are sealed with ([`keyring`]); people whom others vouch for ([`external`]): OpenID providers
//! ([`oidc`]), directories ([`ldap`]).
//! What is deliberately not here: users, roles, permissions and the database. The crate turns a credential into an
//! [`Identity`]; whether that identity still exists and what it may do is decided in `services`.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test"))]

pub mod access;
pub mod external;
mod hashers;
pub mod key;
pub mod keyring;
pub mod ldap;
pub mod oidc;
pub mod opaque;
pub mod password;
pub mod totp;

pub use access::{AccessTokens, Identity, IssuedToken, TokenError};
pub use external::{ExternalIdentity, Step};
pub use key::SigningKey;
pub use keyring::{KeyRing, KeyRingError};
pub use opaque::OpaqueToken;
pub use password::{PasswordError, Passwords};
pub use totp::Totp;
