//! `Idempotency-Key`: a POST that launches or creates happens once, however often it is sent.

use utoipa::IntoParams;

/// The header, as documented on each operation that reads it.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "only its OpenAPI form is used")]
pub(crate) struct IdempotencyHeader {
    /// A value of the caller's choice, 1 to 255 visible characters. For 24 hours the same key with the same body
    /// gets the stored answer again, marked `Idempotent-Replayed: true`; with another body 422; while the first
    /// request still runs, 409.
    #[param(rename = "Idempotency-Key", required = false, max_length = 255)]
    key: String,
}
