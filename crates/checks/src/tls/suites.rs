//! Cipher suites, judged by their registered names (IANA "TLS Cipher Suites").

use bartizan_domain::Severity;
use bartizan_domain::evidence::tls::{Suite, TlsEvidence, TlsVersion};
use bartizan_domain::evidence::{EvidenceKind, HostEvidence, Observation};
use serde_json::json;

use super::each_session;
use crate::{Check, Fail, JudgeSettings, Verdicts};

/// `tls.suite.null_anon_export`: no encryption, no authentication, or keys that anybody can break.
pub static NULL_ANON_EXPORT: Offered =
    Offered { id: "tls.suite.null_anon_export", is_bad: worthless, severity: |_| None };
/// `tls.suite.rc4_des`: broken ciphers. 3DES alone is less urgent (Sweet32 needs gigabytes of traffic).
pub static RC4_DES: Offered = Offered {
    id: "tls.suite.rc4_des",
    is_bad: |name| !worthless(name) && (broken(name) || triple_des(name)),
    severity: |names| if names.iter().any(|name| broken(name)) { Some(Severity::High) } else { None },
};
/// `tls.suite.no_pfs`: the long-term key decrypts recorded traffic.
pub static NO_PFS: Offered =
    Offered { id: "tls.suite.no_pfs", is_bad: |name| !worthless(name) && static_key(name), severity: |_| None };

fn worthless(name: &str) -> bool {
    // The two integrity-only suites of TLS 1.3 (RFC 9150) name a hash where the cipher stands.
    let no_cipher = matches!(name, "TLS_SHA256_SHA256" | "TLS_SHA384_SHA384");
    no_cipher || ["_NULL", "_anon_", "_EXPORT"].iter().any(|part| name.contains(part))
}

fn broken(name: &str) -> bool {
    name.contains("_RC4_") || name.contains("_RC2_") || (name.contains("_DES") && !triple_des(name))
}

fn triple_des(name: &str) -> bool {
    name.contains("_3DES_")
}

fn static_key(name: &str) -> bool {
    ["TLS_RSA_", "TLS_DH_", "TLS_ECDH_"].iter().any(|start| name.starts_with(start))
}

fn authenticated_encryption(name: &str) -> bool {
    ["_GCM", "_CCM", "_POLY1305", "_OCB", "_AEGIS"].iter().any(|part| name.contains(part))
}

/// A rule about single suites: any that is on offer is enough.
#[derive(Debug)]
pub struct Offered {
    id: &'static str,
    is_bad: fn(&str) -> bool,
    /// Severity for the names that are bad, where it differs from the metadata.
    severity: fn(&[&str]) -> Option<Severity>,
}

impl Check for Offered {
    fn id(&self) -> &'static str {
        self.id
    }

    fn needs(&self) -> &'static [EvidenceKind] {
        &[EvidenceKind::Tls]
    }

    fn judge(&self, evidence: &HostEvidence, _settings: &JudgeSettings, out: &mut Verdicts<'_>) {
        each_session(evidence, out, |endpoint, tls, out| {
            let location = endpoint.location();
            if tls.best() <= Some(TlsVersion::Ssl3) {
                return out.not_applicable(location, "the server speaks nothing newer than SSL 3.0");
            }
            let accepted = Accepted::of(tls);
            let bad: Vec<(TlsVersion, &Suite)> =
                accepted.suites.iter().copied().filter(|(_, suite)| (self.is_bad)(&suite.name)).collect();
            if bad.is_empty() {
                return match accepted.unknown {
                    Some(reason) => out.error(location, reason),
                    None => out.pass(location),
                };
            }
            let mut names: Vec<&str> = bad.iter().map(|(_, suite)| suite.name.as_str()).collect();
            names.sort_unstable();
            names.dedup();
            let mut versions: Vec<&str> = bad.iter().map(|(version, _)| version.as_str()).collect();
            versions.dedup();
            let mut fail = Fail::new(json!({ "suites": names, "versions": versions }));
            if let Some(severity) = (self.severity)(&names) {
                fail = fail.severity(severity);
            }
            out.fail(location, fail);
        });
    }
}

/// All suites of all accepted versions from TLS 1.0 on. SSL 2.0 and 3.0 are findings as a whole, whatever the suite.
struct Accepted<'t> {
    suites: Vec<(TlsVersion, &'t Suite)>,
    /// Why there may be more.
    unknown: Option<String>,
}

impl<'t> Accepted<'t> {
    fn of(tls: &'t TlsEvidence) -> Self {
        let mut all = Self { suites: Vec::new(), unknown: None };
        for result in tls.accepted().filter(|result| result.version > TlsVersion::Ssl3) {
            match &result.suites {
                Observation::Observed(list) => {
                    all.suites.extend(list.accepted.iter().map(|suite| (result.version, suite)));
                    if let Some(reason) = &list.incomplete {
                        all.unknown = Some(format!("the suites of {} are not all known: {reason}", result.version));
                    }
                }
                Observation::Failed(failure) => {
                    all.unknown = Some(format!("the suites of {} are not known: {failure}", result.version));
                }
                Observation::NotAttempted { reason } | Observation::NotApplicable { reason } => {
                    all.unknown = Some(format!("the suites of {} are not known: {reason}", result.version));
                }
            }
        }
        all
    }
}

/// `tls.suite.cbc_only`.
#[derive(Debug)]
pub struct CbcOnly;

impl Check for CbcOnly {
    fn id(&self) -> &'static str {
        "tls.suite.cbc_only"
    }

    fn needs(&self) -> &'static [EvidenceKind] {
        &[EvidenceKind::Tls]
    }

    fn judge(&self, evidence: &HostEvidence, _settings: &JudgeSettings, out: &mut Verdicts<'_>) {
        each_session(evidence, out, |endpoint, tls, out| {
            let location = endpoint.location();
            if tls.best() < Some(TlsVersion::Tls12) {
                return out.not_applicable(location, "versions before TLS 1.2 have no other suites");
            }
            let accepted = Accepted::of(tls);
            if accepted.suites.iter().any(|(_, suite)| authenticated_encryption(&suite.name)) {
                return out.pass(location);
            }
            if let Some(reason) = accepted.unknown {
                return out.error(location, reason);
            }
            let mut names: Vec<&str> = accepted
                .suites
                .iter()
                .map(|(_, suite)| suite.name.as_str())
                .filter(|name| name.contains("_CBC_"))
                .collect();
            names.sort_unstable();
            names.dedup();
            if names.is_empty() {
                out.pass(location);
            } else {
                out.fail(location, Fail::new(json!({ "suites": names })));
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suites_are_told_apart_by_name() {
        for (name, null, des, rsa, aead) in [
            ("TLS_RSA_WITH_NULL_SHA", true, false, false, false),
            ("TLS_ECDH_anon_WITH_AES_128_CBC_SHA", true, false, false, false),
            ("TLS_RSA_EXPORT_WITH_RC4_40_MD5", true, false, false, false),
            ("TLS_RSA_EXPORT1024_WITH_DES_CBC_SHA", true, false, false, false),
            ("TLS_SHA256_SHA256", true, false, false, false),
            ("TLS_RSA_WITH_RC4_128_SHA", false, true, true, false),
            ("TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA", false, true, false, false),
            ("TLS_DHE_RSA_WITH_DES_CBC_SHA", false, true, false, false),
            ("TLS_RSA_WITH_AES_128_GCM_SHA256", false, false, true, true),
            ("TLS_ECDH_ECDSA_WITH_AES_128_CBC_SHA", false, false, true, false),
            ("TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", false, false, false, true),
            ("TLS_DHE_RSA_WITH_AES_256_CCM_8", false, false, false, true),
            ("TLS_AES_128_GCM_SHA256", false, false, false, true),
        ] {
            assert_eq!((NULL_ANON_EXPORT.is_bad)(name), null, "{name}");
            assert_eq!((RC4_DES.is_bad)(name), des, "{name}");
            assert_eq!((NO_PFS.is_bad)(name), rsa, "{name}");
            assert_eq!(authenticated_encryption(name), aead, "{name}");
        }
        assert_eq!((RC4_DES.severity)(&["TLS_RSA_WITH_3DES_EDE_CBC_SHA"]), None);
        assert_eq!((RC4_DES.severity)(&["TLS_RSA_WITH_RC4_128_SHA"]), Some(Severity::High));
    }
}
