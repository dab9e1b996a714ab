//! The messages of TLS as bytes, without cryptography: hellos of ours, and what servers say in the clear.
//!
//! The TLS probe asks its own questions with these, and [`crate::tls_legacy`] builds its handshake on them. Readers here
//! take what a hostile peer sends: every length is checked, everything kept is bounded, nothing panics.

mod alerts;
mod hello;
mod read;

pub use alerts::alert_name;
pub use hello::{
    Compression, Extent, Hello, KeyShare, SCSV_FALLBACK, SCSV_RENEGOTIATION, SIGNATURE_SCHEMES, put16, put24, vector16,
};
pub use read::{
    Cursor, DhParameters, EcParameters, MAX_FLIGHT, Malformed, Message, Messages, Record, Records, ServerHello,
    certificates,
};
