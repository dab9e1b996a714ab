//! Delivers messages to people.
//!
//! What is here: mail by SMTP ([`smtp`]) and the texts of what is sent ([`letter`]). What is deliberately not here: whom
//! to write when, which is decided in `services`, and the queue that repeats a delivery that failed.
//!
//! Connections are opened by `outbound`, which vets the address and does the TLS handshake; `lettre` writes the message
//! and speaks SMTP on what it is handed.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test"))]

pub mod letter;
pub mod smtp;
mod starttls;

pub use letter::{Letter, Subject};
pub use smtp::{Delivery, Security, SendError, Server, Stage, deliver};
