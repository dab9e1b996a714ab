//! The DNSSEC checks: is the chain broken, is there one, is it made of weak parts.

use bartizan_domain::evidence::dns::{DnssecChain, SignedAnswer};
use bartizan_domain::evidence::{EvidenceKind, HostEvidence, Observation};
use bartizan_domain::{Confidence, Location};
use chrono::{DateTime, Utc};
use serde_json::json;

use super::anchor::{TrustAnchor, delegations};
use super::chain::{Status, validate};
use super::dns_of;
use super::keys::Key;
use super::wire::{RrSet, WireName, kind, number16, sets, unhex};
use crate::{Check, Fail, JudgeSettings, Verdicts};

/// A signature is about to expire when less than this is left of it, or less than a quarter of its life if that is
/// shorter: signers that renew in time always leave more.
const SOON: u32 = 2 * 24 * 3600;
/// RSA moduli shorter than this have been factored in practice (RFC 8624 section 3.1 names no lower bound).
const SHORTEST_RSA: usize = 1024;

pub(super) struct Bogus;
pub(super) struct Insecure;
pub(super) struct Weak;

/// The chain and what it says, or `None` after the right verdict was stated.
fn status<'e>(
    evidence: &'e HostEvidence,
    settings: &JudgeSettings,
    out: &mut Verdicts<'_>,
) -> Option<(&'e DnssecChain, Status)> {
    let dns = dns_of(evidence, out)?;
    let chain = out.observed(&Location::dns(), &dns.dnssec)?;
    let anchors = TrustAnchor::all(&settings.trust_anchors);
    Some((chain, validate(chain, &anchors, dns_time(evidence.gathered_at))))
}

/// Seconds since 1970 modulo 2^32, the form of signature times.
fn dns_time(time: DateTime<Utc>) -> u32 {
    u32::try_from(time.timestamp().rem_euclid(1 << 32)).unwrap_or_default()
}

fn certainty(proven: bool) -> Confidence {
    if proven { Confidence::Confirmed } else { Confidence::Probable }
}

impl Check for Bogus {
    fn id(&self) -> &'static str {
        "dnssec.bogus"
    }

    fn needs(&self) -> &'static [EvidenceKind] {
        &[EvidenceKind::Dns]
    }

    fn judge(&self, evidence: &HostEvidence, settings: &JudgeSettings, out: &mut Verdicts<'_>) {
        let Some((_, status)) = status(evidence, settings, out) else { return };
        match status {
            Status::Bogus { zone, reason, proven } => {
                let fail = Fail::new(json!({ "zone": zone, "reason": reason }));
                out.fail(Location::dns(), fail.confidence(certainty(proven)));
            }
            Status::Secure => out.pass(Location::dns()),
            Status::Insecure { reason, .. } => out.not_applicable(Location::dns(), reason),
            Status::Indeterminate { reason } => out.error(Location::dns(), reason),
        }
    }
}

impl Check for Insecure {
    fn id(&self) -> &'static str {
        "dnssec.insecure"
    }

    fn needs(&self) -> &'static [EvidenceKind] {
        &[EvidenceKind::Dns]
    }

    fn judge(&self, evidence: &HostEvidence, settings: &JudgeSettings, out: &mut Verdicts<'_>) {
        let Some((_, status)) = status(evidence, settings, out) else { return };
        match status {
            Status::Insecure { zone, reason, proven } => {
                let fail = Fail::new(json!({ "zone": zone, "reason": reason }));
                out.fail(Location::dns(), fail.confidence(certainty(proven)));
            }
            // A broken chain is one: the zone is signed and delegated as such.
            Status::Secure | Status::Bogus { .. } => out.pass(Location::dns()),
            Status::Indeterminate { reason } => out.error(Location::dns(), reason),
        }
    }
}

impl Check for Weak {
    fn id(&self) -> &'static str {
        "dnssec.weak"
    }

    fn needs(&self) -> &'static [EvidenceKind] {
        &[EvidenceKind::Dns]
    }

    fn judge(&self, evidence: &HostEvidence, settings: &JudgeSettings, out: &mut Verdicts<'_>) {
        let Some((chain, status)) = status(evidence, settings, out) else { return };
        match status {
            Status::Secure => {}
            Status::Insecure { reason, .. } => return out.not_applicable(Location::dns(), reason),
            Status::Bogus { reason, .. } => {
                return out.not_applicable(Location::dns(), format!("the chain is broken: {reason}"));
            }
            Status::Indeterminate { reason } => return out.error(Location::dns(), reason),
        }
        match weaknesses(chain, dns_time(evidence.gathered_at)) {
            Ok(list) if list.is_empty() => out.pass(Location::dns()),
            Ok(list) => out.fail(Location::dns(), Fail::new(json!({ "weaknesses": list }))),
            Err(reason) => out.error(Location::dns(), reason),
        }
    }
}

/// What is weak about the last zone of the chain.
fn weaknesses(chain: &DnssecChain, now: u32) -> Result<Vec<String>, String> {
    let mut found = Vec::new();
    let Some(zone) = chain.zones.last() else { return Err("the evidence has no zones".to_owned()) };
    let name = zone.zone.trim_end_matches('.');
    for ds in zone.ds.observed().map(|answer| delegations(&answer.answer)).unwrap_or_default() {
        if matches!(ds.digest_type, 1 | 3) {
            let digest = if ds.digest_type == 1 { "SHA-1" } else { "GOST" };
            found.push(format!("the DS record with key tag {} uses a {digest} digest", ds.key_tag));
        }
    }
    for key in zone.dnskey.observed().map(|answer| Key::all(&answer.answer)).unwrap_or_default() {
        if let Some(algorithm) = weak_algorithm(key.algorithm) {
            found.push(format!("the key with tag {} uses {algorithm}", key.tag()));
        } else if let Some(bits) = key.rsa_bits().filter(|bits| *bits < SHORTEST_RSA) {
            found.push(format!("the RSA key with tag {} has only {bits} bits", key.tag()));
        }
    }
    for query in &chain.data {
        let answer = match &query.answer {
            Observation::Observed(answer) => answer,
            Observation::Failed(failure) => return Err(format!("the records of {}: {failure}", query.name)),
            _ => continue,
        };
        if query.kind == kind::NSEC3PARAM {
            found.extend(
                iterations(answer)
                    .map(|count| format!("{name} uses {count} extra NSEC3 iterations, where RFC 9276 asks for none")),
            );
        }
        found.extend(expiring(answer, &zone.zone, now));
    }
    found.extend(zone.dnskey.observed().into_iter().flat_map(|answer| expiring(answer, &zone.zone, now)));
    found.sort();
    found.dedup();
    Ok(found)
}

/// Algorithms that must not be used for signing (RFC 8624 section 3.1, RFC 9905).
const fn weak_algorithm(number: u8) -> Option<&'static str> {
    match number {
        1 => Some("RSA/MD5 (algorithm 1)"),
        3 => Some("DSA/SHA-1 (algorithm 3)"),
        5 => Some("RSA/SHA-1 (algorithm 5)"),
        6 => Some("DSA/SHA-1 (algorithm 6)"),
        7 => Some("RSA/SHA-1 (algorithm 7)"),
        12 => Some("GOST (algorithm 12)"),
        _ => None,
    }
}

fn iterations(answer: &SignedAnswer) -> Option<u16> {
    let rdata = answer.answer.iter().find(|record| record.kind == kind::NSEC3PARAM)?;
    number16(&unhex(&rdata.rdata)?, 2).filter(|count| *count > 0)
}

/// Record sets of `zone` whose last good signature is about to expire. No date in the text: it would change daily.
fn expiring(answer: &SignedAnswer, zone: &str, now: u32) -> Vec<String> {
    let Some(zone) = WireName::parse(zone) else { return Vec::new() };
    let soon = |set: &RrSet| {
        let alive = set.signatures.iter().filter(|signature| signature.signer == zone).map(|signature| {
            let life = signature.expiration.wrapping_sub(signature.inception);
            let left = signature.expiration.wrapping_sub(now);
            left < SOON.min(life / 4)
        });
        let alive: Vec<bool> = alive.collect();
        !alive.is_empty() && alive.iter().all(|soon| *soon)
    };
    sets(&answer.answer)
        .iter()
        .filter(|set| set.kind != kind::DS && soon(set))
        .map(|set| {
            format!(
                "the signature over the {} records is about to expire",
                hickory_proto::rr::RecordType::from(set.kind)
            )
        })
        .collect()
}
