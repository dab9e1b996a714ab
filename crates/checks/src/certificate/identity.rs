//! Whose certificate it is, and what it promises.

use bartizan_domain::AssetRef;
use bartizan_domain::evidence::{EvidenceKind, HostEvidence};
use serde_json::json;

use super::{Judgement, each_chain, names, stapled};
use crate::{Check, Fail, JudgeSettings, Verdicts};

/// Names shown in a finding.
const MAX_NAMES: usize = 20;
/// The TLS feature extension (RFC 7633) and the DER of the feature status_request in it.
const TLS_FEATURE: &str = "1.3.6.1.5.5.7.1.24";
const STATUS_REQUEST: [u8; 3] = [2, 1, 5];

/// `cert.name_mismatch`.
#[derive(Debug)]
pub struct NameMismatch;

impl Check for NameMismatch {
    fn id(&self) -> &'static str {
        "cert.name_mismatch"
    }

    fn needs(&self) -> &'static [EvidenceKind] {
        &[EvidenceKind::Tls]
    }

    fn judge(&self, evidence: &HostEvidence, settings: &JudgeSettings, out: &mut Verdicts<'_>) {
        each_chain(evidence, settings, out, |case| {
            let asset = &case.host.asset;
            // A server that was not asked for the name cannot be blamed for showing another certificate.
            if let AssetRef::Domain(name) = asset
                && case.tls.sni.as_deref() != Some(name.as_str())
            {
                return Judgement::Error(format!("the server was not asked for {name}"));
            }
            if names::covers(&case.chain.leaf, asset) {
                return Judgement::Pass;
            }
            let listed = names::listed(&case.chain.leaf, MAX_NAMES);
            let reason = if case.chain.leaf.alternative_names().is_empty() {
                "the certificate has no subjectAltName; its common name does not count"
            } else {
                "no name in the certificate matches"
            };
            Judgement::Fail(Fail::new(json!({
                "expected": asset.to_string(),
                "certificate_names": listed,
                "reason": reason,
                "certificate": case.chain.leaf.facts(),
            })))
        });
    }
}

/// `cert.must_staple`.
#[derive(Debug)]
pub struct MustStaple;

impl Check for MustStaple {
    fn id(&self) -> &'static str {
        "cert.must_staple"
    }

    fn needs(&self) -> &'static [EvidenceKind] {
        &[EvidenceKind::Tls]
    }

    fn judge(&self, evidence: &HostEvidence, settings: &JudgeSettings, out: &mut Verdicts<'_>) {
        each_chain(evidence, settings, out, |case| {
            let promised = case.chain.leaf.x509.extensions().iter().any(|extension| {
                extension.oid.to_id_string() == TLS_FEATURE
                    && extension.value.windows(STATUS_REQUEST.len()).any(|window| window == STATUS_REQUEST)
            });
            if !promised {
                return Judgement::NotApplicable("the certificate does not require stapling".to_owned());
            }
            match stapled(case.tls) {
                Ok(true) => Judgement::Pass,
                Ok(false) => Judgement::Fail(Fail::new(json!({ "certificate": case.chain.leaf.facts() }))),
                Err(reason) => Judgement::Error(reason),
            }
        });
    }
}
