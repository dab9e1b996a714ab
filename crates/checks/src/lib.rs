//! The checks: pure functions from evidence to verdicts.
//!
//! A check reads [`HostEvidence`] and says, for each place the rule concerns, how it ended. It performs no I/O and
//! reads no clock: dates are compared with `evidence.gathered_at`. Texts, severity, exclusions and framework
//! mappings are data in `content/`. To add one, read `docs/adding-a-check.md`.
//!
//! Start reading at [`Check`], then [`CHECKS`], then [`judge`].

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test"))]

use bartizan_domain::evidence::{EvidenceKind, HostEvidence};

pub mod certificate;
pub mod declarative;
pub mod dns;
pub mod judge;
pub mod mail;
pub mod registration;
pub mod service;
pub mod ssh;
pub mod tls;
pub mod verdicts;
pub mod web;

pub use judge::{Selection, judge};
pub use verdicts::{Fail, Verdicts};

/// What judging needs beside the evidence: inputs of the user that are no facts about the target.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct JudgeSettings {
    /// DER certificates trusted beside the built-in roots (`--ca-file`).
    #[serde(default)]
    pub extra_roots: Vec<Vec<u8>>,
    /// DNSSEC root trust anchors in presentation form, one DS or DNSKEY record a line (`--trust-anchor`); empty means
    /// the built-in IANA anchors.
    #[serde(default)]
    pub trust_anchors: Vec<String>,
}

/// Judges evidence; never performs I/O.
pub trait Check: Sync {
    /// Stable id, equal to the id of its metadata in `content/checks/`: `hsts.missing`.
    fn id(&self) -> &'static str;

    /// What must have been gathered for this check to have an opinion.
    fn needs(&self) -> &'static [EvidenceKind];

    /// Gives one verdict per place the rule concerns. Missing evidence is an error or not tested, never a pass; use
    /// [`Verdicts::each_endpoint`] and [`Verdicts::observed`], which keep that promise.
    fn judge(&self, evidence: &HostEvidence, settings: &JudgeSettings, out: &mut Verdicts<'_>);
}

/// Every check written in Rust. Declarative checks join from the catalogue, see [`declarative`].
pub static CHECKS: &[&[&dyn Check]] = &[
    tls::CHECKS,
    certificate::CHECKS,
    web::CHECKS,
    dns::CHECKS,
    mail::CHECKS,
    registration::CHECKS,
    service::CHECKS,
    ssh::CHECKS,
];
