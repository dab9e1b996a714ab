//! `svc.unauthenticated`.

use bartizan_domain::evidence::service::Access;
use bartizan_domain::evidence::{EvidenceKind, HostEvidence};

use super::{Anonymous, each_service, facts};
use crate::{Check, Fail, JudgeSettings, Verdicts};

/// A harmless read without credentials succeeded. Nothing less than that is a failure.
pub struct Unauthenticated;

impl Check for Unauthenticated {
    fn id(&self) -> &'static str {
        "svc.unauthenticated"
    }

    fn needs(&self) -> &'static [EvidenceKind] {
        &[EvidenceKind::Services]
    }

    fn judge(&self, evidence: &HostEvidence, _: &JudgeSettings, out: &mut Verdicts<'_>) {
        each_service(evidence, out, |at, it, protocol, out| match (&it.access, protocol.anonymous) {
            (Access::Open { .. }, _) => {
                let fail = Fail::new(facts(it, protocol).into());
                out.fail(
                    at,
                    match protocol.severity_open {
                        Some(severity) => fail.severity(severity),
                        None => fail,
                    },
                );
            }
            (Access::AuthRequired { .. }, _) => out.pass(at),
            (Access::Unknown { reason }, Some(Anonymous::Tested)) => out.error(at, reason.clone()),
            (Access::Unknown { reason }, Some(Anonymous::Untested)) => out.not_tested(at, reason.clone()),
            (Access::Unknown { .. }, None) => {
                out.not_applicable(at, format!("{} is meant to answer strangers", protocol.title));
            }
        });
    }
}
