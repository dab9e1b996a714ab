//! Checks of the domain's registration.

use bartizan_domain::evidence::{EvidenceKind, HostEvidence, RegistrationEvidence};
use bartizan_domain::{Location, Severity};
use chrono::Duration;
use serde_json::json;

use crate::{Check, Fail, JudgeSettings, Verdicts};

/// The registry slice, in listing order.
pub static CHECKS: &[&dyn Check] = &[&Expiring, &Status, &NoTransferLock];

/// `reg.expiring`
struct Expiring;
/// `reg.status`
struct Status;
/// `reg.no_transfer_lock`
struct NoTransferLock;

/// Status values, in the words of RDAP, that end or suspend a domain.
const ENDING: [&str; 2] = ["redemption period", "pending delete"];
const SUSPENDED: [&str; 3] = ["client hold", "server hold", "pending restore"];
/// Status values that keep a domain from being moved to another registrar.
const LOCKS: [&str; 3] = ["client transfer prohibited", "server transfer prohibited", "transfer prohibited"];

fn registration<'e>(evidence: &'e HostEvidence, out: &mut Verdicts<'_>) -> Option<&'e RegistrationEvidence> {
    out.observed(&Location::registration(), &evidence.registration)
}

/// The published status values, or `None` after saying that there are none to judge.
fn statuses<'e>(registration: &'e RegistrationEvidence, out: &mut Verdicts<'_>) -> Option<&'e [String]> {
    match &registration.statuses {
        Some(list) => Some(list),
        None => {
            let reason = format!("{} publishes no status of {}", registration.server, registration.domain);
            out.not_tested(Location::registration(), reason);
            None
        }
    }
}

impl Check for Expiring {
    fn id(&self) -> &'static str {
        "reg.expiring"
    }

    fn needs(&self) -> &'static [EvidenceKind] {
        &[EvidenceKind::Registration]
    }

    fn judge(&self, evidence: &HostEvidence, _: &JudgeSettings, out: &mut Verdicts<'_>) {
        let Some(registration) = registration(evidence, out) else { return };
        let Some(expires) = registration.expires else {
            let reason = format!("{} publishes no expiry date of {}", registration.server, registration.domain);
            return out.not_tested(Location::registration(), reason);
        };
        let left = expires - evidence.gathered_at;
        let severity = match left {
            left if left <= Duration::days(3) => Severity::Critical,
            left if left <= Duration::days(14) => Severity::High,
            left if left <= Duration::days(30) => Severity::Medium,
            left if left <= Duration::days(60) => Severity::Low,
            _ => return out.pass(Location::registration()),
        };
        let facts = json!({
            "domain": registration.domain, "expires": expires, "days_left": left.num_days(),
            "registrar": registration.registrar, "source": registration.server,
        });
        out.fail(Location::registration(), Fail::new(facts).severity(severity));
    }
}

impl Check for Status {
    fn id(&self) -> &'static str {
        "reg.status"
    }

    fn needs(&self) -> &'static [EvidenceKind] {
        &[EvidenceKind::Registration]
    }

    fn judge(&self, evidence: &HostEvidence, _: &JudgeSettings, out: &mut Verdicts<'_>) {
        let Some(registration) = registration(evidence, out) else { return };
        let Some(statuses) = statuses(registration, out) else { return };
        let has = |list: &[&str]| statuses.iter().any(|status| list.contains(&status.as_str()));
        let severity = if has(&ENDING) {
            Severity::Critical
        } else if has(&SUSPENDED) {
            Severity::High
        } else {
            return out.pass(Location::registration());
        };
        let facts = json!({ "domain": registration.domain, "statuses": statuses, "source": registration.server });
        out.fail(Location::registration(), Fail::new(facts).severity(severity));
    }
}

impl Check for NoTransferLock {
    fn id(&self) -> &'static str {
        "reg.no_transfer_lock"
    }

    fn needs(&self) -> &'static [EvidenceKind] {
        &[EvidenceKind::Registration]
    }

    fn judge(&self, evidence: &HostEvidence, _: &JudgeSettings, out: &mut Verdicts<'_>) {
        let Some(registration) = registration(evidence, out) else { return };
        let Some(statuses) = statuses(registration, out) else { return };
        if statuses.iter().any(|status| LOCKS.contains(&status.as_str())) {
            return out.pass(Location::registration());
        }
        // Country registries have rules of their own: several know no lock and publish `active` or `connect` alone.
        // Only one that shows that it uses the EPP status values can be said to lack this one.
        let country = registration.domain.rsplit('.').next().is_some_and(|top| top.len() == 2);
        let speaks_epp = statuses.iter().any(|status| status.starts_with("client ") || status.starts_with("server "));
        if country && !speaks_epp {
            let reason = "the registry does not publish whether the domain is locked against transfer";
            return out.not_tested(Location::registration(), reason);
        }
        let facts = json!({ "domain": registration.domain, "statuses": statuses, "source": registration.server });
        out.fail(Location::registration(), Fail::new(facts));
    }
}
