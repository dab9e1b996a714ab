//! Identities that somebody else vouches for: an OpenID provider, a directory.
//!
//! What is here says who somebody is and in which groups, and nothing about what that allows.

use std::collections::BTreeSet;

/// Who somebody is, according to a provider outside of this program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalIdentity {
    /// Who vouches: the issuer of an OpenID provider, `ldap` for the directory.
    pub issuer: String,
    /// What the provider calls the person for good: `sub`, the directory's unique id. Names and addresses change hands.
    pub subject: String,
    /// A name for people to read; the distinguished name of a directory entry.
    pub name: String,
    /// Name to sign in with.
    pub username: Option<String>,
    /// Mail address, unless the provider says that it is not verified.
    pub email: Option<String>,
    /// The person's groups; of a directory by distinguished name and by common name.
    pub groups: BTreeSet<String>,
}

/// One step of a test that an administrator runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What was tried: `discovery`, `bind`.
    pub name: &'static str,
    /// Whether it went well.
    pub ok: bool,
    /// What was seen, for people.
    pub detail: String,
}

impl Step {
    pub(crate) fn of(name: &'static str, result: Result<String, String>) -> Self {
        match result {
            Ok(detail) => Self { name, ok: true, detail },
            Err(detail) => Self { name, ok: false, detail },
        }
    }
}

/// Text from outside for logs and for people: one line, not long.
pub(crate) fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(400).collect()
}
