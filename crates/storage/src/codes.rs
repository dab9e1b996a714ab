//! Enums that are stored as numbers, so that the database sorts them by meaning and not by spelling.

use bartizan_domain::{Confidence, FindingStatus, Severity};

use crate::{Result, StorageError};

/// `info` 0 to `critical` 4.
pub(crate) const fn severity(value: Severity) -> i32 {
    match value {
        Severity::Info => 0,
        Severity::Low => 1,
        Severity::Medium => 2,
        Severity::High => 3,
        Severity::Critical => 4,
    }
}

pub(crate) fn to_severity(code: i32) -> Result<Severity> {
    find(Severity::ALL, severity, code, "severity")
}

/// `hint` 0 to `confirmed` 2.
pub(crate) const fn confidence(value: Confidence) -> i32 {
    match value {
        Confidence::Hint => 0,
        Confidence::Probable => 1,
        Confidence::Confirmed => 2,
    }
}

pub(crate) fn to_confidence(code: i32) -> Result<Confidence> {
    find([Confidence::Hint, Confidence::Probable, Confidence::Confirmed], confidence, code, "confidence")
}

/// Workflow order, `open` 0 to `accepted_risk` 4.
pub(crate) const fn status(value: FindingStatus) -> i32 {
    match value {
        FindingStatus::Open => 0,
        FindingStatus::Acknowledged => 1,
        FindingStatus::InProgress => 2,
        FindingStatus::Resolved => 3,
        FindingStatus::AcceptedRisk => 4,
    }
}

pub(crate) fn to_status(code: i32) -> Result<FindingStatus> {
    find(FindingStatus::ALL, status, code, "finding status")
}

fn find<T: Copy, const N: usize>(all: [T; N], code_of: impl Fn(T) -> i32, code: i32, what: &str) -> Result<T> {
    all.into_iter()
        .find(|value| code_of(*value) == code)
        .ok_or_else(|| StorageError::Corrupt(format!("{what} code {code}")))
}
