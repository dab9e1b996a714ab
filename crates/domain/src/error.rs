//! The one error of the upper layers, free of any transport.
//!
//! Every variant carries *public* text that may be shown to the caller. Internal context travels beside it in
//! [`Error::Internal`] and [`Error::Unavailable`] and is never part of `Display`, so that it cannot leak into a
//! response by accident; log it with [`Error::internal_context`].

use std::borrow::Cow;

use serde::Serialize;

/// Shorthand for results with the domain error.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// One invalid input field: where it is, which rule it broke, and a machine-readable kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// Path of the field as the caller wrote it, `body -> email`.
    pub field: String,
    /// What is wrong, naming the value and the rule.
    pub message: String,
    /// Kind of violation: `value_error`, `missing`, `unknown_field`, `out_of_range`.
    #[serde(rename = "type")]
    pub kind: Cow<'static, str>,
}

impl FieldError {
    /// A `value_error` at `field`.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self { field: field.into(), message: message.into(), kind: Cow::Borrowed("value_error") }
    }
}

/// What can go wrong in a use case. Reuse a variant rather than adding one: `http` maps each to one status.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The request is understood but makes no sense as a whole.
    #[error("{0}")]
    BadRequest(String),
    /// One or more input fields break a rule.
    #[error("Validation error")]
    Invalid(Vec<FieldError>),
    /// No or wrong credentials.
    #[error("{0}")]
    Unauthenticated(String),
    /// The password is right, and a code of the second factor is needed beside it.
    #[error("A code of the second factor is required")]
    SecondFactorRequired,
    /// Known caller, missing permission.
    #[error("{0}")]
    Forbidden(String),
    /// The noun does not exist, or belongs to somebody else (which must look the same).
    #[error("{noun} {id} not found")]
    NotFound {
        /// Kind of thing looked for, lower case: `asset`.
        noun: &'static str,
        /// The identifier as given.
        id: String,
    },
    /// The request collides with the present state.
    #[error("{0}")]
    Conflict(String),
    /// A bound on size, count or depth was exceeded.
    #[error("{0}")]
    TooLarge(String),
    /// Too many requests; try again after the given seconds.
    #[error("Rate limit exceeded")]
    RateLimited {
        /// Whole seconds until the next request may succeed, at least 1.
        retry_after: u64,
    },
    /// A service of others that we asked on the caller's behalf answered with nonsense or a refusal.
    #[error("{public}")]
    Upstream {
        /// What may be told to the caller.
        public: String,
        /// What is logged.
        internal: String,
    },
    /// A service we depend on cannot be reached.
    #[error("{public}")]
    Unavailable {
        /// What may be told to the caller.
        public: String,
        /// What is logged.
        internal: String,
    },
    /// A defect or an environment failure of ours.
    #[error("Internal server error")]
    Internal(String),
}

impl Error {
    /// A single invalid field.
    pub fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError::new(field, message)])
    }

    /// An unknown or foreign identifier.
    pub fn not_found(noun: &'static str, id: impl ToString) -> Self {
        Self::NotFound { noun, id: id.to_string() }
    }

    /// An internal failure; the text is logged and never shown.
    pub fn internal(context: impl ToString) -> Self {
        Self::Internal(context.to_string())
    }

    /// The part that belongs in the log and nowhere else.
    #[must_use]
    pub fn internal_context(&self) -> Option<&str> {
        match self {
            Self::Internal(context)
            | Self::Unavailable { internal: context, .. }
            | Self::Upstream { internal: context, .. } => Some(context),
            _ => None,
        }
    }
}
