//! Keys made for a handshake and the signature over them.

use bartizan_domain::Severity;
use bartizan_domain::evidence::tls::{KeyExchange, KeyParameters, TlsEvidence, TlsVersion};
use bartizan_domain::evidence::{EvidenceKind, HostEvidence, Observation};
use serde_json::json;

use super::each_session;
use crate::{Check, Fail, JudgeSettings, Verdicts};

/// Curves below 224 bits: numbers of the IANA registry "TLS Supported Groups". They have less than 112 bits of strength,
/// the least that NIST SP 800-57 allows.
const WEAK_GROUPS: [u16; 12] = [1, 2, 3, 4, 5, 15, 16, 17, 18, 19, 65281, 65282];

/// Key exchanges from TLS 1.0 on; SSL 3.0 is a finding as a whole.
fn exchanges(tls: &TlsEvidence) -> impl Iterator<Item = (TlsVersion, &KeyExchange)> {
    tls.accepted()
        .filter(|result| result.version > TlsVersion::Ssl3)
        .flat_map(|result| result.key_exchanges.iter().map(|exchange| (result.version, exchange)))
}

/// The first accepted version whose suites are not all known, with the reason.
fn unknown_suites(tls: &TlsEvidence) -> Option<String> {
    tls.accepted().filter(|result| (TlsVersion::Tls10..TlsVersion::Tls13).contains(&result.version)).find_map(
        |result| match &result.suites {
            Observation::Observed(list) => list.incomplete.clone(),
            _ => Some(format!("the suites of {} are not known", result.version)),
        },
    )
}

fn offers(tls: &TlsEvidence, wanted: impl Fn(&str) -> bool) -> bool {
    tls.accepted()
        .filter(|result| result.version > TlsVersion::Ssl3)
        .filter_map(|result| result.suites.observed())
        .flat_map(|list| &list.accepted)
        .any(|suite| wanted(&suite.name))
}

/// `tls.dh.weak`.
#[derive(Debug)]
pub struct WeakDh;

impl Check for WeakDh {
    fn id(&self) -> &'static str {
        "tls.dh.weak"
    }

    fn needs(&self) -> &'static [EvidenceKind] {
        &[EvidenceKind::Tls]
    }

    fn judge(&self, evidence: &HostEvidence, _settings: &JudgeSettings, out: &mut Verdicts<'_>) {
        each_session(evidence, out, |endpoint, tls, out| {
            let location = endpoint.location();
            let weakest = exchanges(tls)
                .filter_map(|(_, exchange)| match &exchange.parameters {
                    KeyParameters::Dh { bits, known_as, .. } => Some((*bits, known_as.as_deref())),
                    KeyParameters::Ec { .. } => None,
                })
                .min_by_key(|(bits, _)| *bits);
            match weakest {
                Some((bits, known_as)) if bits < 2048 => {
                    let severity = if bits < 1024 { Severity::High } else { Severity::Medium };
                    out.fail(location, Fail::new(json!({ "bits": bits, "shared_prime": known_as })).severity(severity));
                }
                _ => match unknown_suites(tls) {
                    Some(reason) => out.error(location, reason),
                    None if weakest.is_some() => out.pass(location),
                    None if offers(tls, |name| name.contains("_DHE_")) => {
                        out.error(location, "the parameters of a Diffie-Hellman suite could not be read");
                    }
                    None => out.not_applicable(location, "no suite with finite-field Diffie-Hellman is on offer"),
                },
            }
        });
    }
}

/// `tls.group.weak`.
#[derive(Debug)]
pub struct WeakGroup;

impl Check for WeakGroup {
    fn id(&self) -> &'static str {
        "tls.group.weak"
    }

    fn needs(&self) -> &'static [EvidenceKind] {
        &[EvidenceKind::Tls]
    }

    fn judge(&self, evidence: &HostEvidence, _settings: &JudgeSettings, out: &mut Verdicts<'_>) {
        each_session(evidence, out, |endpoint, tls, out| {
            let location = endpoint.location();
            let used = exchanges(tls).find_map(|(_, exchange)| match &exchange.parameters {
                KeyParameters::Ec { group } if WEAK_GROUPS.contains(group) => Some(*group),
                _ => None,
            });
            if let Some(group) = used {
                return out.fail(location, Fail::new(json!({ "groups": [format!("0x{group:04x}")] })));
            }
            let Some(groups) = out.observed(&location, &tls.groups) else { return };
            let weak: Vec<&str> =
                groups.iter().filter(|group| WEAK_GROUPS.contains(&group.id)).map(|g| g.name.as_str()).collect();
            if weak.is_empty() {
                out.pass(location);
            } else {
                out.fail(location, Fail::new(json!({ "groups": weak })));
            }
        });
    }
}

/// `tls.sigalg.sha1`.
#[derive(Debug)]
pub struct Sha1Signature;

impl Check for Sha1Signature {
    fn id(&self) -> &'static str {
        "tls.sigalg.sha1"
    }

    fn needs(&self) -> &'static [EvidenceKind] {
        &[EvidenceKind::Tls]
    }

    fn judge(&self, evidence: &HostEvidence, _settings: &JudgeSettings, out: &mut Verdicts<'_>) {
        each_session(evidence, out, |endpoint, tls, out| {
            let location = endpoint.location();
            // Before TLS 1.2 the protocol itself prescribes SHA-1; TLS 1.3 forbids it.
            let mut signatures = exchanges(tls)
                .filter(|(version, _)| *version == TlsVersion::Tls12)
                .filter_map(|(_, exchange)| exchange.signature.as_ref())
                .peekable();
            if signatures.peek().is_none() {
                let signed =
                    |name: &str| (name.contains("_DHE_") || name.contains("_ECDHE_")) && !name.contains("anon");
                let tls12 =
                    tls.version(TlsVersion::Tls12).filter(|_| tls.accepted().any(|r| r.version == TlsVersion::Tls12));
                let expected = tls12
                    .and_then(|result| result.suites.observed())
                    .is_some_and(|list| list.accepted.iter().any(|suite| signed(&suite.name)));
                return match (tls12, expected, unknown_suites(tls)) {
                    (Some(_), true, _) => out.error(location, "the signature of the key exchange could not be read"),
                    (Some(_), false, Some(reason)) => out.error(location, reason),
                    _ => out.not_applicable(location, "no handshake of TLS 1.2 is signed"),
                };
            }
            let weak: Option<&str> = signatures
                .map(|scheme| scheme.name.as_str())
                .find(|name| name.ends_with("_sha1") || name.starts_with("0x01"));
            match weak {
                Some(scheme) => out.fail(location, Fail::new(json!({ "scheme": scheme }))),
                None => out.pass(location),
            }
        });
    }
}
