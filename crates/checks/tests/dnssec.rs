//! Validation of recorded DNSSEC chains: whatever is changed in them is noticed, and nothing makes it panic.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::path::Path;
use std::sync::OnceLock;

use bartizan_catalog::Catalog;
use bartizan_checks::{JudgeSettings, Selection, judge};
use bartizan_domain::Outcome;
use bartizan_domain::evidence::dns::{DnssecChain, RawRecord, SignedAnswer};
use bartizan_domain::evidence::{HostEvidence, Observation};
use proptest::prelude::*;

const RRSIG: u16 = 46;

fn fixture(path: &str) -> HostEvidence {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(path);
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn good() -> &'static HostEvidence {
    static GOOD: OnceLock<HostEvidence> = OnceLock::new();
    GOOD.get_or_init(|| fixture("dnssec.bogus/pass-good.json"))
}

fn outcome(evidence: &HostEvidence, id: &str) -> Outcome {
    let anchors = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/trust-anchors");
    let anchors = std::fs::read_to_string(anchors).unwrap();
    let settings =
        JudgeSettings { trust_anchors: anchors.lines().map(str::to_owned).collect(), ..JudgeSettings::default() };
    let selection = Selection::resolve(Catalog::builtin(), &[id.to_owned()]).unwrap();
    judge(Catalog::builtin(), &selection, evidence, &settings).first().unwrap().outcome
}

fn chain(evidence: &mut HostEvidence) -> &mut DnssecChain {
    let Observation::Observed(dns) = &mut evidence.dns else { panic!("the fixture has DNS evidence") };
    let Observation::Observed(chain) = &mut dns.dnssec else { panic!("the fixture has a chain") };
    chain
}

/// Every answer that validation reads.
fn answers(chain: &mut DnssecChain) -> Vec<&mut SignedAnswer> {
    let zones = chain.zones.iter_mut().flat_map(|zone| [&mut zone.ds, &mut zone.dnskey]);
    let data = chain.data.iter_mut().map(|query| &mut query.answer);
    zones
        .chain(data)
        .filter_map(|observation| match observation {
            Observation::Observed(answer) => Some(answer),
            _ => None,
        })
        .collect()
}

fn records(chain: &mut DnssecChain) -> Vec<&mut RawRecord> {
    answers(chain).into_iter().flat_map(|answer| answer.answer.iter_mut()).collect()
}

#[test]
fn the_recorded_chain_is_secure() {
    assert_eq!(outcome(good(), "dnssec.bogus"), Outcome::Pass);
    assert_eq!(outcome(good(), "dnssec.insecure"), Outcome::Pass);
}

#[test]
fn signatures_hold_only_for_their_time() {
    for days in [-60, 60] {
        let mut evidence = good().clone();
        evidence.gathered_at += chrono::Duration::days(days);
        assert_ne!(outcome(&evidence, "dnssec.bogus"), Outcome::Pass, "{days}");
    }
}

#[test]
fn a_resolver_that_strips_signatures_proves_nothing() {
    let mut evidence = good().clone();
    for answer in answers(chain(&mut evidence)) {
        answer.answer.retain(|record| record.kind != RRSIG);
    }
    assert_eq!(outcome(&evidence, "dnssec.bogus"), Outcome::Error);
}

#[test]
fn a_missing_proof_of_no_ds_is_a_broken_chain() {
    let mut evidence = fixture("dnssec.insecure/fail-unsigned.json");
    assert_eq!(outcome(&evidence, "dnssec.insecure"), Outcome::Fail);
    chain(&mut evidence).zones.iter_mut().for_each(|zone| {
        if let Observation::Observed(answer) = &mut zone.ds {
            answer.authority.clear();
        }
    });
    assert_eq!(outcome(&evidence, "dnssec.bogus"), Outcome::Fail);
}

#[test]
fn names_differ_in_case_only() {
    let mut evidence = good().clone();
    for record in records(chain(&mut evidence)) {
        record.name = record.name.to_ascii_uppercase();
    }
    assert_eq!(outcome(&evidence, "dnssec.bogus"), Outcome::Pass);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_changed_bit_is_noticed(record in any::<prop::sample::Index>(), byte in any::<prop::sample::Index>(), bit in 0..8_u8) {
        let mut evidence = good().clone();
        let mut all: Vec<&mut RawRecord> =
            records(chain(&mut evidence)).into_iter().filter(|record| record.kind != RRSIG).collect();
        let at = record.index(all.len());
        let changed = all.get_mut(at).unwrap();
        let at = byte.index(changed.rdata.len() / 2) * 2;
        let digits = changed.rdata.get(at..at + 2).unwrap();
        let flipped = u8::from_str_radix(digits, 16).unwrap() ^ (1 << bit);
        // Names in a SOA record are compared without regard to case, which is one bit of a letter.
        let letter = changed.kind == 6 && bit == 5 && flipped.is_ascii_alphabetic();
        changed.rdata.replace_range(at..at + 2, &format!("{flipped:02x}"));
        if !letter {
            prop_assert_ne!(outcome(&evidence, "dnssec.bogus"), Outcome::Pass);
        }
    }

    #[test]
    fn no_record_panics(
        record in any::<prop::sample::Index>(),
        rdata in "([0-9a-f]{0,40}|.{0,20})",
        name in "([a-z*.]{0,12}|.{0,12})",
        kind in prop::sample::select(vec![1_u16, 5, 6, 39, 43, 46, 47, 48, 50, 51]),
        denied in any::<bool>(),
    ) {
        let base = if denied { fixture("dnssec.insecure/fail-unsigned.json") } else { good().clone() };
        let mut evidence = base;
        let chain = chain(&mut evidence);
        let mut answers = answers(chain);
        let at = record.index(answers.len());
        let answer = answers.get_mut(at).unwrap();
        let forged = RawRecord { name, kind, ttl: 1, rdata };
        answer.answer.push(forged.clone());
        answer.authority.push(forged);
        for id in ["dnssec.bogus", "dnssec.insecure", "dnssec.weak"] {
            let _ = outcome(&evidence, id);
        }
    }
}
