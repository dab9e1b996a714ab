//! `svc.everything_open`.

use bartizan_domain::Location;
use bartizan_domain::evidence::{EvidenceKind, HostEvidence};
use serde_json::json;

use crate::{Check, Fail, JudgeSettings, Verdicts};

/// An address accepts connections on every port, random ones included.
pub struct EverythingOpen;

impl Check for EverythingOpen {
    fn id(&self) -> &'static str {
        "svc.everything_open"
    }

    fn needs(&self) -> &'static [EvidenceKind] {
        &[EvidenceKind::Ports]
    }

    fn judge(&self, evidence: &HostEvidence, _: &JudgeSettings, out: &mut Verdicts<'_>) {
        let at = Location::host();
        let Some(ports) = out.observed(&at, &evidence.ports) else { return };
        if !ports.everything_open.is_empty() {
            out.fail(at, Fail::new(json!({ "addresses": ports.everything_open })));
        } else if let Some(reason) = &ports.incomplete {
            out.not_tested(at, reason.clone());
        } else if ports.any_answer() {
            out.pass(at);
        } else {
            out.error(at, "no port answered");
        }
    }
}
