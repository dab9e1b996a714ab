//! The one place where an error becomes a status code and a body.
//!
//! Handlers return [`ApiError`]. Its response carries the error itself in an extension; the outermost layer
//! ([`crate::middleware::finish`]) writes the body, because only it knows the request id and which media type the
//! caller asked for. Whatever a 5xx was caused by is logged there and never sent.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bartizan_domain::{Error, FieldError};
use serde::Serialize;
use utoipa::ToSchema;

/// What every handler returns.
pub type ApiResult<T> = Result<T, ApiError>;

/// A failed request.
#[derive(Debug, Clone)]
pub enum ApiError {
    /// A use case said no.
    Domain(std::sync::Arc<Error>),
    /// No such path.
    NoRoute,
    /// The path exists, not for this method.
    MethodNotAllowed,
    /// The body is not of the media type the operation reads.
    UnsupportedMediaType(&'static str),
    /// The thing is not as the caller's `If-Match` expects it.
    PreconditionFailed,
    /// The request was sent to a host name this server does not answer to.
    Misdirected,
    /// Maintenance mode is on; the text is for people.
    Maintenance(String),
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        Self::Domain(std::sync::Arc::new(error))
    }
}

/// The body of every error.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "detail": "Validation error",
    "errors": [{"field": "body -> email", "message": "`x` is not an e-mail address", "type": "value_error"}],
    "type": "urn:bartizan:problem:validation", "title": "Validation error", "status": 422,
    "request_id": "01991b5e-7c1a-7cc2-b5a5-0b1d6f6f1c55"
}))]
pub struct Problem {
    /// What went wrong, for people. For 5xx always `Internal server error`.
    pub detail: String,
    /// Each field that breaks a rule; absent when no field is to blame.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub errors: Vec<FieldProblem>,
    /// Kind of problem, a stable URN.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind in words.
    pub title: &'static str,
    /// The status code again.
    pub status: u16,
    /// Id of this request, the same as in the `x-request-id` header and in the log.
    pub request_id: String,
    /// Only on 429: seconds to wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false)]
    pub retry_after: Option<u64>,
}

/// One field that breaks a rule.
#[derive(Debug, Serialize, ToSchema)]
pub struct FieldProblem {
    /// Where: `body -> email`, `query -> page_size`, `path -> asset_id`.
    pub field: String,
    /// The value and the rule.
    pub message: String,
    /// `value_error`, `type_error`, `missing`, `unknown_field`, `out_of_range`.
    #[serde(rename = "type")]
    pub kind: String,
}

impl From<&FieldError> for FieldProblem {
    fn from(error: &FieldError) -> Self {
        Self { field: error.field.clone(), message: error.message.clone(), kind: error.kind.to_string() }
    }
}

impl ApiError {
    /// Status, problem kind and title: the whole mapping.
    fn classify(&self) -> (StatusCode, &'static str, &'static str) {
        use StatusCode as S;
        let error = match self {
            Self::Domain(error) => error.as_ref(),
            Self::NoRoute => return (S::NOT_FOUND, "not_found", "Not found"),
            Self::MethodNotAllowed => return (S::METHOD_NOT_ALLOWED, "method_not_allowed", "Method not allowed"),
            Self::UnsupportedMediaType(_) => {
                return (S::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", "Unsupported media type");
            }
            Self::PreconditionFailed => {
                return (S::PRECONDITION_FAILED, "precondition_failed", "Precondition failed");
            }
            Self::Maintenance(_) => return (S::SERVICE_UNAVAILABLE, "maintenance", "Maintenance"),
            Self::Misdirected => return (S::MISDIRECTED_REQUEST, "misdirected", "Misdirected request"),
        };
        match error {
            Error::BadRequest(_) => (S::BAD_REQUEST, "bad_request", "Bad request"),
            Error::Invalid(_) => (S::UNPROCESSABLE_ENTITY, "validation", "Validation error"),
            Error::Unauthenticated(_) => (S::UNAUTHORIZED, "unauthenticated", "Authentication required"),
            Error::SecondFactorRequired => (S::UNAUTHORIZED, "second_factor_required", "Second factor required"),
            Error::Forbidden(_) => (S::FORBIDDEN, "forbidden", "Insufficient permissions"),
            Error::NotFound { .. } => (S::NOT_FOUND, "not_found", "Not found"),
            Error::Conflict(_) => (S::CONFLICT, "conflict", "Conflict"),
            Error::TooLarge(_) => (S::PAYLOAD_TOO_LARGE, "too_large", "Request entity too large"),
            Error::RateLimited { .. } => (S::TOO_MANY_REQUESTS, "rate_limited", "Rate limit exceeded"),
            Error::Upstream { .. } => (S::BAD_GATEWAY, "upstream", "Bad gateway"),
            Error::Unavailable { .. } => (S::SERVICE_UNAVAILABLE, "unavailable", "Service unavailable"),
            Error::Internal(_) => (S::INTERNAL_SERVER_ERROR, "internal", "Internal server error"),
        }
    }

    /// The body for the request `request_id`.
    pub(crate) fn problem(&self, request_id: &str) -> Problem {
        let (status, kind, title) = self.classify();
        let detail = if let Self::Maintenance(reason) = self {
            // No failure and no secret: an administrator wrote it to be read.
            reason.clone()
        } else if status.is_server_error() {
            "Internal server error".to_owned()
        } else {
            match self {
                Self::Domain(error) => error.to_string(),
                Self::NoRoute => "no such path".to_owned(),
                Self::MethodNotAllowed => "the path exists, but not for this method".to_owned(),
                Self::UnsupportedMediaType(expected) => format!("the body must be {expected}"),
                Self::PreconditionFailed => "somebody changed it meanwhile; read it again".to_owned(),
                Self::Maintenance(reason) => reason.clone(),
                Self::Misdirected => "this server does not answer to that host name".to_owned(),
            }
        };
        let (errors, retry_after) = match self {
            Self::Domain(error) => match error.as_ref() {
                Error::Invalid(fields) => (fields.iter().map(FieldProblem::from).collect(), None),
                Error::RateLimited { retry_after } => (Vec::new(), Some(*retry_after)),
                _ => (Vec::new(), None),
            },
            _ => (Vec::new(), None),
        };
        Problem {
            detail,
            errors,
            kind: format!("urn:bartizan:problem:{kind}"),
            title,
            status: status.as_u16(),
            request_id: request_id.to_owned(),
            retry_after,
        }
    }

    /// What belongs in the log and nowhere else.
    pub(crate) fn internal_context(&self) -> Option<&str> {
        match self {
            Self::Domain(error) => error.internal_context(),
            _ => None,
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, ..) = self.classify();
        let mut response = status.into_response();
        let headers = response.headers_mut();
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Self::Domain(error) = &self
            && let Error::RateLimited { retry_after } = error.as_ref()
        {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(*retry_after));
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("10"));
        }
        response.extensions_mut().insert(self);
        response
    }
}

macro_rules! error_sets {
    ($($(#[$doc:meta])* $name:ident = $($variant:ident $status:literal $text:literal),+;)+) => {$(
        $(#[$doc])*
        #[derive(utoipa::IntoResponses)]
        #[expect(dead_code, reason = "only its OpenAPI form is used")]
        pub(crate) enum $name {
            $(#[doc = $text] #[response(status = $status, description = $text)] $variant(Problem)),+
        }
    )+};
}

error_sets! {
    /// Operations anybody may call.
    PublicErrors =
        Validation 422 "Validation error: a parameter or field breaks a rule; `errors` names it.",
        RateLimited 429 "Rate limit exceeded; `Retry-After` and `retry_after` say for how long.",
        Internal 500 "Internal server error; the log has the cause under `request_id`.";
    /// Reading a list or a total.
    ReadErrors =
        Unauthenticated 401 "Authentication required: no, expired or wrong credentials.",
        Forbidden 403 "Insufficient permissions.",
        Validation 422 "Validation error: a parameter breaks a rule; `errors` names it.",
        Internal 500 "Internal server error; the log has the cause under `request_id`.";
    /// Reading one thing.
    ItemErrors =
        Unauthenticated 401 "Authentication required: no, expired or wrong credentials.",
        Forbidden 403 "Insufficient permissions.",
        NotFound 404 "No such thing, or it belongs to another organisation.",
        Validation 422 "Validation error: a parameter breaks a rule; `errors` names it.",
        Internal 500 "Internal server error; the log has the cause under `request_id`.";
    /// Creating or launching.
    CreateErrors =
        BadRequest 400 "The request makes no sense as a whole.",
        Unauthenticated 401 "Authentication required: no, expired or wrong credentials.",
        Forbidden 403 "Insufficient permissions.",
        Conflict 409 "It collides with what exists, or a request with this `Idempotency-Key` is still running.",
        TooLarge 413 "The body is too large.",
        UnsupportedMediaType 415 "The body is not of the media type the operation reads.",
        Validation 422 "Validation error: `errors` names each field; or the `Idempotency-Key` was used with another body.",
        RateLimited 429 "Rate limit exceeded; `Retry-After` and `retry_after` say for how long.",
        Internal 500 "Internal server error; the log has the cause under `request_id`.",
        Unavailable 503 "Maintenance mode is on, and `detail` says why; or something needed cannot be reached.";
    /// Changing or removing one thing.
    ChangeErrors =
        Unauthenticated 401 "Authentication required: no, expired or wrong credentials.",
        Forbidden 403 "Insufficient permissions.",
        NotFound 404 "No such thing, or it belongs to another organisation.",
        Conflict 409 "It collides with the present state.",
        TooLarge 413 "The body is too large.",
        UnsupportedMediaType 415 "The body is not of the media type the operation reads.",
        Validation 422 "Validation error: `errors` names each field.",
        RateLimited 429 "Rate limit exceeded; `Retry-After` and `retry_after` say for how long.",
        Internal 500 "Internal server error; the log has the cause under `request_id`.",
        Unavailable 503 "Maintenance mode is on, and `detail` says why; or something needed cannot be reached.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn server_errors_never_show_their_cause() {
        for error in [
            Error::internal("password=hunter2"),
            Error::Unavailable { public: "LDAP down".to_owned(), internal: "ldap://10.0.0.1 refused".to_owned() },
        ] {
            let error = ApiError::from(error);
            let text = serde_json::to_string(&error.problem("r")).unwrap();
            assert!(text.contains(r#""detail":"Internal server error""#), "{text}");
            assert!(!text.contains("hunter2") && !text.contains("10.0.0.1"), "{text}");
            assert!(error.internal_context().is_some());
        }
    }

    #[test]
    fn the_body_has_the_members_of_the_reference_and_of_rfc_9457() {
        let error = ApiError::from(Error::invalid("body -> email", "value is not a valid email address"));
        let body = serde_json::to_value(error.problem("r-1")).unwrap();
        assert_eq!(
            body,
            serde_json::json!({
                "detail": "Validation error",
                "errors": [{"field": "body -> email", "message": "value is not a valid email address",
                    "type": "value_error"}],
                "type": "urn:bartizan:problem:validation", "title": "Validation error", "status": 422,
                "request_id": "r-1"
            })
        );
        let limited = ApiError::from(Error::RateLimited { retry_after: 42 });
        assert_eq!(limited.problem("r").retry_after, Some(42));
        assert_eq!(limited.into_response().headers()["retry-after"], "42");
    }
}
