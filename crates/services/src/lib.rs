//! The use cases of Bartizan: authorise, decide, store, audit, enqueue.
//!
//! One module per noun. Every use case takes the [`OpContext`] first (who asks, for which organisation, with which
//! permissions, when) and the [`Services`] second (what there is to work with). What is deliberately not here: SQL
//! (`storage`), status codes and wire formats (`http`), probing and judging (`engine`), reading a clock or a source of
//! randomness (both come with the context).
//!
//! Start reading at [`OpContext`], then [`mutation`], then [`assets`], which is the pattern of the other nouns.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test"))]

pub mod api_keys;
mod app;
pub mod asset_import;
pub mod assets;
pub mod audit;
pub mod audit_actions;
pub mod auth;
pub mod auth_config;
pub mod backups;
pub mod branding;
pub mod checks;
pub mod compliance;
mod context;
mod counted_probes;
pub mod demo;
mod external_accounts;
pub mod findings;
mod housekeeping;
pub mod idempotency;
pub mod installation;
pub mod invitations;
pub mod jobs;
pub mod key_check;
mod ldap;
mod live;
pub mod log_level;
pub mod mail;
mod mail_jobs;
pub mod maintenance;
pub mod members;
pub mod mutation;
pub mod oidc;
pub mod organizations;
pub mod passwords;
pub mod roles;
mod scan_commit;
mod scan_document;
mod scan_finish;
mod scan_job;
mod scan_targets;
pub mod scans;
mod schedule_fires;
pub mod schedules;
pub mod second_factors;
pub mod secrets;
pub mod sessions;
pub mod settings;
pub mod summary;
pub mod system;
pub mod users;
mod validate;
pub mod workers;

pub use app::{Network, Reach, Services, ServicesConfig};
pub use bartizan_engine::{Probes, ScanSettings};
pub use bartizan_jobs::{Runner, Timing};
pub use bartizan_storage::{Listed, Page, SeverityCounts, SortDir};
pub use context::{Actor, OpContext, Origin, Random};
