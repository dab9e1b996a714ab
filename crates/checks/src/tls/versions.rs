//! Protocol versions.

use bartizan_domain::Severity;
use bartizan_domain::evidence::tls::{Support, TlsVersion};
use bartizan_domain::evidence::{EvidenceKind, HostEvidence};
use serde_json::json;

use super::each_session;
use crate::{Check, Fail, JudgeSettings, Verdicts};

/// `tls.sslv2`, `tls.sslv3`, `tls.v10`, `tls.v11`: a version that should be gone is accepted.
#[derive(Debug)]
pub struct Deprecated {
    id: &'static str,
    version: TlsVersion,
    /// Severity when nothing newer is on offer; the metadata has the one for when there is.
    alone: Severity,
}

impl Deprecated {
    /// SSL 2.0.
    pub const SSLV2: Self = Self { id: "tls.sslv2", version: TlsVersion::Ssl2, alone: Severity::High };
    /// SSL 3.0.
    pub const SSLV3: Self = Self { id: "tls.sslv3", version: TlsVersion::Ssl3, alone: Severity::High };
    /// TLS 1.0.
    pub const TLS10: Self = Self { id: "tls.v10", version: TlsVersion::Tls10, alone: Severity::High };
    /// TLS 1.1.
    pub const TLS11: Self = Self { id: "tls.v11", version: TlsVersion::Tls11, alone: Severity::High };
}

impl Check for Deprecated {
    fn id(&self) -> &'static str {
        self.id
    }

    fn needs(&self) -> &'static [EvidenceKind] {
        &[EvidenceKind::Tls]
    }

    fn judge(&self, evidence: &HostEvidence, _settings: &JudgeSettings, out: &mut Verdicts<'_>) {
        each_session(evidence, out, |endpoint, tls, out| {
            let location = endpoint.location();
            match tls.version(self.version).map(|result| &result.support) {
                Some(Support::Accepted) => {
                    let best = tls.best();
                    let fail =
                        Fail::new(json!({ "accepted": self.version.as_str(), "best": best.map(TlsVersion::as_str) }));
                    let fail = if best == Some(self.version) { fail.severity(self.alone) } else { fail };
                    out.fail(location, fail);
                }
                Some(Support::Refused(_)) => out.pass(location),
                Some(Support::Failed(failure)) => out.error(location, failure.to_string()),
                None => out.not_tested(location, format!("{} was not tried", self.version)),
            }
        });
    }
}

/// `tls.no13`.
#[derive(Debug)]
pub struct No13;

impl Check for No13 {
    fn id(&self) -> &'static str {
        "tls.no13"
    }

    fn needs(&self) -> &'static [EvidenceKind] {
        &[EvidenceKind::Tls]
    }

    fn judge(&self, evidence: &HostEvidence, _settings: &JudgeSettings, out: &mut Verdicts<'_>) {
        each_session(evidence, out, |endpoint, tls, out| {
            let location = endpoint.location();
            let support = |version| tls.version(version).map(|result| &result.support);
            match (support(TlsVersion::Tls13), support(TlsVersion::Tls12)) {
                (Some(Support::Accepted), _) => out.pass(location),
                (Some(Support::Refused(_)), Some(Support::Accepted)) => {
                    out.fail(location, Fail::new(json!({ "best": TlsVersion::Tls12.as_str() })));
                }
                (Some(Support::Refused(_)), Some(Support::Refused(_))) => {
                    out.not_applicable(location, "the server speaks nothing newer than TLS 1.1");
                }
                (Some(Support::Failed(failure)), _) | (_, Some(Support::Failed(failure))) => {
                    out.error(location, failure.to_string());
                }
                (None, _) | (_, None) => out.not_tested(location, "TLS 1.2 and 1.3 were not both tried"),
            }
        });
    }
}
