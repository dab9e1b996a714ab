//! All SQL of Bartizan, on SQLite and PostgreSQL from one code path.
//!
//! What is here: the connection ([`Store`]), the migrations, and one module per noun with the queries on it. What is
//! deliberately not here: decisions. Whether a change is allowed, what it means and who is told is the business of
//! `services`; this crate stores what it is told, for the organisation it is told.
//!
//! Rules every module keeps: each query on a tenant's row names the organisation; a list and its count come from one
//! query builder; lists have a total order (the id breaks ties) and a bound; many rows are written in statements of at
//! most [`BATCH`] rows, never one query a row.
//!
//! Start reading at [`Store`], then at [`assets`], which is the pattern of the other nouns.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test"))]

pub mod api_keys;
pub mod assets;
pub mod audit;
pub mod branding;
mod codes;
mod counts;
mod error;
pub mod evidence;
pub mod external_identities;
pub mod findings;
pub mod idempotency;
pub mod installation;
pub mod invitations;
pub mod jobs;
mod listen;
pub mod members;
pub mod metrics;
mod migration;
pub mod observations;
pub mod oidc;
pub mod organizations;
mod page;
pub mod passwords;
pub mod roles;
pub mod scan_hosts;
pub mod scans;
pub mod schedules;
pub mod second_factors;
pub mod secrets;
pub mod sessions;
pub mod settings;
mod store;
pub mod users;
pub mod workers;

pub use counts::SeverityCounts;
pub use error::{Result, StorageError};
pub use listen::Listener;
pub use page::{Listed, Page, SortDir};
pub use store::{Backend, Db, EMPTY_THE_SCHEMA, Presence, Store, Tx};

/// Rows written by one statement at most: below the bind limits of both databases for every table here.
pub const BATCH: usize = 500;
