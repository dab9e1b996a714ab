//! Properties of the handshake that protect against meddling.

use bartizan_domain::evidence::tls::Fallback as Answer;
use bartizan_domain::evidence::{EvidenceKind, HostEvidence};
use serde_json::json;

use super::each_session;
use crate::{Check, Fail, JudgeSettings, Verdicts};

/// `tls.reneg`.
#[derive(Debug)]
pub struct Renegotiation;

impl Check for Renegotiation {
    fn id(&self) -> &'static str {
        "tls.reneg"
    }

    fn needs(&self) -> &'static [EvidenceKind] {
        &[EvidenceKind::Tls]
    }

    fn judge(&self, evidence: &HostEvidence, _settings: &JudgeSettings, out: &mut Verdicts<'_>) {
        each_session(evidence, out, |endpoint, tls, out| {
            let location = endpoint.location();
            match out.observed(&location, &tls.secure_renegotiation) {
                Some(true) => out.pass(location),
                Some(false) => out.fail(location, Fail::new(json!({ "secure_renegotiation": false }))),
                None => {}
            }
        });
    }
}

/// `tls.compression`.
#[derive(Debug)]
pub struct Compression;

impl Check for Compression {
    fn id(&self) -> &'static str {
        "tls.compression"
    }

    fn needs(&self) -> &'static [EvidenceKind] {
        &[EvidenceKind::Tls]
    }

    fn judge(&self, evidence: &HostEvidence, _settings: &JudgeSettings, out: &mut Verdicts<'_>) {
        each_session(evidence, out, |endpoint, tls, out| {
            let location = endpoint.location();
            match out.observed(&location, &tls.compression) {
                Some(false) => out.pass(location),
                Some(true) => out.fail(location, Fail::new(json!({ "method": "DEFLATE" }))),
                None => {}
            }
        });
    }
}

/// `tls.scsv`.
#[derive(Debug)]
pub struct Fallback;

impl Check for Fallback {
    fn id(&self) -> &'static str {
        "tls.scsv"
    }

    fn needs(&self) -> &'static [EvidenceKind] {
        &[EvidenceKind::Tls]
    }

    fn judge(&self, evidence: &HostEvidence, _settings: &JudgeSettings, out: &mut Verdicts<'_>) {
        each_session(evidence, out, |endpoint, tls, out| {
            let location = endpoint.location();
            match out.observed(&location, &tls.fallback) {
                Some(Answer::Refused | Answer::Marked) => out.pass(location),
                Some(Answer::SingleVersion) => {
                    out.not_applicable(location, "one version is on offer, so there is nothing to fall back to");
                }
                Some(Answer::Accepted) => {
                    out.fail(location, Fail::new(json!({ "best": tls.best().map(|version| version.as_str()) })));
                }
                None => {}
            }
        });
    }
}
