//! Checks of the DNS: zone transfer, CAA, DNSSEC.

use bartizan_domain::evidence::dns::{DnsEvidence, TransferOutcome};
use bartizan_domain::evidence::{EvidenceKind, FailureKind, HostEvidence, Observation};
use bartizan_domain::{Confidence, Location};
use serde_json::json;

use crate::{Check, Fail, JudgeSettings, Verdicts};

mod anchor;
mod chain;
mod dnssec;
mod keys;
mod wire;

pub use anchor::TrustAnchor;

/// The registry slice, in listing order.
pub static CHECKS: &[&dyn Check] =
    &[&Transfer, &CaaMissing, &CaaWeak, &dnssec::Bogus, &dnssec::Insecure, &dnssec::Weak];

/// `dns.axfr`
struct Transfer;

impl Check for Transfer {
    fn id(&self) -> &'static str {
        "dns.axfr"
    }

    fn needs(&self) -> &'static [EvidenceKind] {
        &[EvidenceKind::Dns]
    }

    fn judge(&self, evidence: &HostEvidence, _: &JudgeSettings, out: &mut Verdicts<'_>) {
        let Some(dns) = out.observed(&Location::dns(), &evidence.dns) else { return };
        let Some(zone) = out.observed(&Location::dns(), &dns.zone) else { return };
        let location = if zone.apex == dns.name { Location::dns() } else { Location::dns_name(&zone.apex) };
        let Some(attempts) = out.observed(&location, &dns.transfers) else { return };
        let mut open = Vec::new();
        let mut unknown = None;
        let mut unreachable = None;
        for attempt in attempts {
            let place = format!("{} ({})", attempt.server, attempt.address);
            match &attempt.outcome {
                TransferOutcome::Transferred { serial, records, complete, sample } => open.push(json!({
                    "server": attempt.server, "address": attempt.address, "serial": serial,
                    "records": records, "complete": complete, "first_names": sample,
                })),
                TransferOutcome::Refused { .. } | TransferOutcome::NoTcp => {}
                // A machine without IPv6 cannot ask IPv6 addresses; that is no error of the server.
                TransferOutcome::Failed { failure }
                    if failure.kind == FailureKind::Unreachable && attempt.address.is_ipv6() =>
                {
                    unreachable = Some(format!("{place} cannot be reached from here: {failure}"));
                }
                TransferOutcome::Failed { failure } => unknown = Some(format!("{place}: {failure}")),
            }
        }
        for server in &zone.servers {
            if let Observation::Failed(failure) = &server.addresses {
                unknown = Some(format!("the addresses of {}: {failure}", server.name));
            }
        }
        match (open.is_empty(), unknown, unreachable) {
            (false, _, _) => out.fail(location, Fail::new(json!({ "zone": zone.apex, "servers": open }))),
            (true, Some(reason), _) => out.error(location, reason),
            (true, None, Some(reason)) => out.not_tested(location, reason),
            (true, None, None) => out.pass(location),
        }
    }
}

/// `dns.caa_missing`
struct CaaMissing;

impl Check for CaaMissing {
    fn id(&self) -> &'static str {
        "dns.caa_missing"
    }

    fn needs(&self) -> &'static [EvidenceKind] {
        &[EvidenceKind::Dns]
    }

    fn judge(&self, evidence: &HostEvidence, _: &JudgeSettings, out: &mut Verdicts<'_>) {
        let Some(dns) = out.observed(&Location::dns(), &evidence.dns) else { return };
        let Some(climb) = out.observed(&Location::dns(), &dns.caa) else { return };
        if climb.records.is_empty() {
            let fail = Fail::new(json!({ "names_asked": climb.asked }));
            let sure = if climb.stopped.is_some() { Confidence::Probable } else { Confidence::Confirmed };
            out.fail(Location::dns(), fail.confidence(sure));
        } else {
            out.pass(Location::dns());
        }
    }
}

/// `caa.weak`
struct CaaWeak;

impl Check for CaaWeak {
    fn id(&self) -> &'static str {
        "caa.weak"
    }

    fn needs(&self) -> &'static [EvidenceKind] {
        &[EvidenceKind::Dns]
    }

    fn judge(&self, evidence: &HostEvidence, _: &JudgeSettings, out: &mut Verdicts<'_>) {
        let Some(dns) = out.observed(&Location::dns(), &evidence.dns) else { return };
        let Some(climb) = out.observed(&Location::dns(), &dns.caa) else { return };
        if climb.records.is_empty() {
            out.not_applicable(Location::dns(), "there are no CAA records");
        } else if climb.records.iter().any(|record| record.tag == "issue") {
            out.pass(Location::dns());
        } else {
            let records: Vec<String> = climb
                .records
                .iter()
                .map(|caa| format!("{} {} \"{}\"", u8::from(caa.critical) * 128, caa.tag, caa.value))
                .collect();
            out.fail(Location::dns(), Fail::new(json!({ "found_at": climb.asked.last(), "records": records })));
        }
    }
}

/// The DNS evidence, or `None` after the right verdict was stated.
fn dns_of<'e>(evidence: &'e HostEvidence, out: &mut Verdicts<'_>) -> Option<&'e DnsEvidence> {
    out.observed(&Location::dns(), &evidence.dns)
}
