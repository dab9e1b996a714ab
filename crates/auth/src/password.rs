//! Passwords: which ones are accepted, and their hashes.
//!
//! Rules follow NIST SP 800-63B: length and a list of common passwords, no composition rules, every character
//! counts. Hashes are Argon2id with the parameters OWASP names first (19 MiB, 2 passes, 1 lane), as PHC strings,
//! computed on threads of their own with a bound on how many run and wait, so that a storm of logins can neither
//! exhaust memory nor starve other requests.

use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use secrecy::{ExposeSecret as _, SecretString};

use crate::hashers::{Hashers, Undone};

/// Fewest characters of a password.
pub const MIN_CHARS: usize = 8;

/// Most bytes of a password.
pub const MAX_BYTES: usize = 1024;

/// Callers that may wait for a thread; the next one is told to come back.
const MAX_WAITING: usize = 64;

const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// One a line, lower case: the heads of public breach statistics that have at least [`MIN_CHARS`] characters.
const COMMON: &str = include_str!("common-passwords.txt");

/// Why a password could not be hashed or verified.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// Too many callers are waiting already.
    #[error("too many password checks are waiting")]
    Busy,
    /// The stored hash is damaged, or the hash function failed.
    #[error("password hash: {0}")]
    Hash(String),
}

/// Checks a new password. `about_user` are words a password must not consist of, such as the user's name.
///
/// # Errors
/// One sentence naming the rule; never the password.
pub fn check_rules(password: &SecretString, about_user: &[&str]) -> Result<(), String> {
    let text = password.expose_secret();
    if text.chars().count() < MIN_CHARS {
        return Err(format!("password must have at least {MIN_CHARS} characters"));
    }
    if text.len() > MAX_BYTES {
        return Err(format!("password must have at most {MAX_BYTES} bytes"));
    }
    let folded = text.to_lowercase();
    if COMMON.lines().any(|common| common == folded) {
        return Err("password is among the most common ones".to_owned());
    }
    let mut distinct: Vec<char> = folded.chars().collect();
    distinct.sort_unstable();
    distinct.dedup();
    if distinct.len() < 3 {
        return Err("password repeats the same one or two characters".to_owned());
    }
    if about_user.iter().any(|word| word.chars().count() >= 4 && folded == word.to_lowercase()) {
        return Err("password must not be the user name or e-mail address".to_owned());
    }
    Ok(())
}

/// Hashes and verifies passwords, a bounded number at a time. Clones share threads and bound.
#[derive(Debug, Clone)]
pub struct Passwords {
    argon2: Arc<Argon2<'static>>,
    hashers: Hashers,
    decoy: Arc<String>,
}

impl Default for Passwords {
    fn default() -> Self {
        Self::new()
    }
}

impl Passwords {
    /// The parameters above.
    #[must_use]
    pub fn new() -> Self {
        Self::with_cost(MEMORY_KIB, PASSES)
    }

    /// The smallest cost the algorithm knows. For tests that sign in hundreds of times, never for real passwords.
    #[must_use]
    pub fn fast_for_tests() -> Self {
        Self::with_cost(Params::MIN_M_COST, 1)
    }

    fn with_cost(memory_kib: u32, passes: u32) -> Self {
        let argon2 = match Params::new(memory_kib, passes, LANES, None) {
            Ok(params) => Argon2::new(Algorithm::Argon2id, Version::V0x13, params),
            Err(error) => unreachable!("the parameters are constants within the algorithm's bounds: {error}"),
        };
        let decoy = match argon2.hash_password(b"a password nobody has") {
            Ok(hash) => hash.to_string(),
            Err(error) => unreachable!("a short password hashes within constant parameters: {error}"),
        };
        Self { argon2: Arc::new(argon2), hashers: Hashers::new(MAX_WAITING), decoy: Arc::new(decoy) }
    }

    /// Hashes a password to a PHC string.
    ///
    /// # Errors
    /// [`PasswordError::Busy`], or a failure of the hash function.
    pub async fn hash(&self, password: SecretString) -> Result<String, PasswordError> {
        let argon2 = Arc::clone(&self.argon2);
        self.compute(move || {
            let hash = argon2.hash_password(password.expose_secret().as_bytes());
            hash.map(|hash| hash.to_string()).map_err(|error| PasswordError::Hash(error.to_string()))
        })
        .await
    }

    /// Whether `password` is the one behind `stored`. Without a stored hash (unknown user) the same work is done
    /// and the answer is no, so that the duration does not tell which users exist.
    ///
    /// # Errors
    /// [`PasswordError::Busy`], or a damaged stored hash.
    pub async fn verify(&self, password: SecretString, stored: Option<String>) -> Result<bool, PasswordError> {
        if password.expose_secret().len() > MAX_BYTES {
            return Ok(false);
        }
        let argon2 = Arc::clone(&self.argon2);
        let known = stored.is_some();
        let stored = stored.unwrap_or_else(|| self.decoy.as_ref().clone());
        self.compute(move || {
            let hash = PasswordHash::new(&stored).map_err(|error| PasswordError::Hash(error.to_string()))?;
            match argon2.verify_password(password.expose_secret().as_bytes(), &hash) {
                Ok(()) => Ok(known),
                Err(argon2::password_hash::Error::PasswordInvalid) => Ok(false),
                Err(error) => Err(PasswordError::Hash(error.to_string())),
            }
        })
        .await
    }

    async fn compute<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, PasswordError> + Send + 'static,
    ) -> Result<T, PasswordError> {
        self.hashers.run(work).await.map_err(|undone| match undone {
            Undone::Full => PasswordError::Busy,
            Undone::Lost => PasswordError::Hash("the computation was lost".to_owned()),
        })?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(password: &str) -> Result<(), String> {
        check_rules(&password.into(), &["robin.hood", "robin@example.test"])
    }

    #[test]
    fn length_counts_characters_and_nothing_else_is_demanded() {
        assert!(rules("sherwoo").is_err());
        assert!(rules("sherwood").is_ok());
        assert!(rules("ÄÖÜßäöüé").is_ok());
        assert!(rules(&"long enough ".repeat(85)).is_ok());
        assert!(rules(&"x y z".repeat(300)).is_err());
    }

    #[test]
    fn common_repeated_and_own_names_are_refused() {
        for bad in
            ["password", "PassWord1", "12345678", "aaaaaaaaaaaa", "abababababab", "Robin.Hood", "robin@example.test"]
        {
            assert!(rules(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_common_list_is_lower_case_sorted_and_long_enough_to_matter() {
        let lines: Vec<&str> = COMMON.lines().collect();
        assert!(lines.len() >= 100);
        assert!(lines.is_sorted() && lines.iter().all(|line| *line == line.to_lowercase()));
        assert!(lines.iter().all(|line| line.chars().count() >= MIN_CHARS));
    }

    #[tokio::test]
    async fn hashes_verify_salted_and_are_argon2id() {
        let passwords = Passwords::new();
        let one = passwords.hash("correct horse".into()).await.unwrap();
        let two = passwords.hash("correct horse".into()).await.unwrap();
        assert!(one.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{one}");
        assert_ne!(one, two);
        assert!(passwords.verify("correct horse".into(), Some(one.clone())).await.unwrap());
        assert!(!passwords.verify("wrong horse".into(), Some(one)).await.unwrap());
    }

    #[tokio::test]
    async fn an_unknown_user_and_an_endless_password_never_verify() {
        let passwords = Passwords::fast_for_tests();
        assert!(!passwords.verify("a password nobody has".into(), None).await.unwrap());
        let hash = passwords.hash("correct horse".into()).await.unwrap();
        assert!(!passwords.verify("x".repeat(MAX_BYTES + 1).into(), Some(hash)).await.unwrap());
        assert!(passwords.verify("x".into(), Some("damaged".into())).await.is_err());
    }
}
