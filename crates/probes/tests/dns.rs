//! DNS, mail and registration against the loopback lab: real name servers, and every zone gives exactly the findings it
//! was made for.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bartizan_catalog::Catalog;
use bartizan_checks::{JudgeSettings, Selection, judge};
use bartizan_domain::evidence::{HostEvidence, Observation};
use bartizan_domain::{AssetRef, Outcome, Verdict};
use bartizan_outbound::{Outbound, Policy, Settings};
use bartizan_probes::{ProbeContext, dns, mail, registration, resolve};
use bartizan_test_support::FixedClock;
use bartizan_test_support::lab::dns::{DnsLab, Signing, Zone, standard_zones};
use bartizan_test_support::lab::registration::{AnswerServer, RdapLab, rdap_domain};
use chrono::{DateTime, Utc};

fn context(allow_private: bool) -> ProbeContext {
    let settings = Settings { policy: Policy { allow_private }, ..Settings::default() };
    ProbeContext::new(Outbound::new(settings), Arc::new(FixedClock::at(now())))
}

/// Signatures of the lab are made with the machine's clock, so judging uses it too.
fn now() -> DateTime<Utc> {
    std::time::SystemTime::now().into()
}

fn in_lab(lab: &DnsLab) -> ProbeContext {
    let mut cx = context(true);
    cx.dns.resolver = Some(lab.resolver);
    cx.dns.authoritative_port = lab.authoritative_port;
    cx
}

async fn gather(cx: &ProbeContext, name: &str) -> HostEvidence {
    let mut evidence = HostEvidence::new(AssetRef::Domain(name.to_owned()), now());
    evidence.addresses = resolve::addresses(cx, name).await;
    evidence.dns = dns::gather(cx, name).await;
    evidence.mail = mail::gather(cx, name).await;
    evidence
}

fn verdicts(evidence: &HostEvidence, anchors: &[String], selectors: &[&str]) -> Vec<Verdict> {
    let catalog = Catalog::builtin();
    let selectors: Vec<String> = selectors.iter().map(|text| (*text).to_owned()).collect();
    let selection = Selection::resolve(catalog, &selectors).unwrap();
    let settings = JudgeSettings { trust_anchors: anchors.to_vec(), ..JudgeSettings::default() };
    judge(catalog, &selection, evidence, &settings)
}

const DNS: [&str; 6] = ["dns.*", "caa.*", "dnssec.*", "spf.*", "dmarc.*", "nomail.*"];
const REGISTRATION: [&str; 1] = ["reg.*"];

fn failed(verdicts: &[Verdict]) -> BTreeSet<&str> {
    verdicts.iter().filter(|v| v.outcome == Outcome::Fail).map(|v| v.check_id.as_str()).collect()
}

fn inconclusive(verdicts: &[Verdict]) -> Vec<String> {
    let open = verdicts.iter().filter(|v| !v.outcome.is_conclusive());
    open.map(|v| format!("{} {}: {}", v.check_id, v.outcome, v.reason.clone().unwrap_or_default())).collect()
}

fn outcome_of(verdicts: &[Verdict], id: &str) -> Outcome {
    verdicts.iter().find(|v| v.check_id.as_str() == id).unwrap().outcome
}

#[tokio::test(flavor = "multi_thread")]
async fn every_zone_gives_exactly_its_findings() {
    let zones = standard_zones();
    let list: Vec<Zone> = zones.values().map(|(zone, _)| zone.clone()).collect();
    let lab = DnsLab::start(&list);
    let cx = in_lab(&lab);
    let mut wrong = Vec::new();
    for (name, (_, expected)) in &zones {
        let evidence = gather(&cx, name).await;
        let verdicts = verdicts(&evidence, &lab.trust_anchors, &DNS);
        let expected: BTreeSet<&str> = expected.iter().copied().collect();
        if failed(&verdicts) != expected || !inconclusive(&verdicts).is_empty() {
            let facts: Vec<_> = verdicts.iter().filter(|v| v.outcome == Outcome::Fail).map(|v| &v.evidence).collect();
            wrong.push(format!(
                "{name}: expected {expected:?}, found {:?} {facts:?}, open {:?}",
                failed(&verdicts),
                inconclusive(&verdicts)
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));

    // Names below a registered domain: CAA and DNSSEC are found by climbing, DMARC is inherited, and a name without mail
    // is not asked for mail records.
    for name in ["www.good.test", "app.org.test", "news.org.test", "www.nsec3.test"] {
        let evidence = gather(&cx, name).await;
        let verdicts = verdicts(&evidence, &lab.trust_anchors, &DNS);
        assert_eq!(failed(&verdicts), BTreeSet::new(), "{name}");
        assert_eq!(inconclusive(&verdicts), Vec::<String>::new(), "{name}");
    }
    let news = gather(&cx, "news.org.test").await;
    assert_eq!(outcome_of(&verdicts(&news, &lab.trust_anchors, &DNS), "dmarc.missing"), Outcome::Pass);
    let evidence = gather(&cx, "www.unsigned.test").await;
    assert_eq!(failed(&verdicts(&evidence, &lab.trust_anchors, &DNS)), BTreeSet::from(["dnssec.insecure"]));

    // The open server is named with its address, and the content of the zone is not kept.
    let axfr = gather(&cx, "axfr.test").await;
    let found = verdicts(&axfr, &lab.trust_anchors, &["dns.axfr"]);
    let servers = found.first().unwrap().evidence.get("servers").unwrap().as_array().unwrap().clone();
    assert_eq!(servers.len(), 1);
    assert_eq!(servers.first().unwrap().get("address").unwrap(), "::1");

    // Without the lab's anchor nothing can be said about signed zones, and nothing is blamed on them.
    let good = gather(&cx, "good.test").await;
    let unknown = verdicts(&good, &[], &["dnssec.*"]);
    assert!(unknown.iter().all(|v| v.outcome == Outcome::Error), "{unknown:?}");
    // An unsigned zone is unsigned whoever vouches for the root.
    let unsigned = gather(&cx, "unsigned.test").await;
    assert_eq!(failed(&verdicts(&unsigned, &[], &["dnssec.*"])), BTreeSet::from(["dnssec.insecure"]));
    let broken = gather(&cx, "wrongds.test").await;
    assert_eq!(failed(&verdicts(&broken, &[], &["dnssec.*"])), BTreeSet::from(["dnssec.bogus"]));

    // The same evidence judged two months later: the signatures have run out, from the top-level domain down.
    let mut later = good.clone();
    later.gathered_at += chrono::Duration::days(60);
    assert_eq!(failed(&verdicts(&later, &lab.trust_anchors, &["dnssec.*"])), BTreeSet::from(["dnssec.bogus"]));

    // An authoritative server named as the resolver does as well, as far as its zones reach.
    let mut direct = in_lab(&lab);
    direct.dns.resolver = Some(std::net::SocketAddr::from(([127, 0, 0, 1], lab.authoritative_port)));
    for (name, expected) in
        [("good.test", None), ("nodmarc.test", Some("dmarc.missing")), ("nocaa.test", Some("dns.caa_missing"))]
    {
        let evidence = gather(&direct, name).await;
        assert_eq!(failed(&verdicts(&evidence, &lab.trust_anchors, &DNS)), expected.into_iter().collect(), "{name}");
    }

    // Evidence survives storage.
    let stored = serde_json::to_string(&good).unwrap();
    assert_eq!(serde_json::from_str::<HostEvidence>(&stored).unwrap(), good);

    // Names that are not there.
    assert!(matches!(dns::gather(&cx, "nothing.test").await, Observation::NotApplicable { .. }));
    assert!(matches!(mail::gather(&cx, "nothing.test").await, Observation::NotApplicable { .. }));
    assert!(matches!(resolve::addresses(&cx, "nothing.test").await, Observation::Failed(_)));
    assert!(matches!(dns::gather(&cx, "localhost").await, Observation::NotApplicable { .. }));
    assert_eq!(resolve::addresses(&cx, "www.good.test").await.observed().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_configured_resolver_may_be_private_and_targets_may_not() {
    let lab = DnsLab::start(&[Zone::good("good.test").signed(Signing::Unsigned)]);
    let mut cx = in_lab(&lab);
    cx.outbound = context(false).outbound;
    let evidence = gather(&cx, "good.test").await;
    assert!(evidence.mail.observed().is_some(), "the resolver is used");
    let verdicts = verdicts(&evidence, &lab.trust_anchors, &["dns.axfr"]);
    let verdict = verdicts.first().unwrap();
    assert_eq!(verdict.outcome, Outcome::Error, "the name server at 127.0.0.1 is not contacted");
    assert!(verdict.reason.as_ref().unwrap().contains("not contacted"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_resolver_is_an_error_and_never_a_pass() {
    // Bound and never read: queries get no answer.
    let silent = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut cx = context(true);
    cx.dns.resolver = Some(silent.local_addr().unwrap());
    cx.timeout = std::time::Duration::from_secs(3);
    cx.outbound = Outbound::new(Settings {
        policy: Policy { allow_private: true },
        exchange_timeout: std::time::Duration::from_millis(900),
        ..Settings::default()
    });
    let evidence = gather(&cx, "good.test").await;
    let verdicts = verdicts(&evidence, &[], &DNS);
    assert!(!verdicts.is_empty());
    assert!(verdicts.iter().all(|v| v.outcome == Outcome::Error), "{verdicts:?}");
}

fn registration_context(rdap: &RdapLab, whois: &AnswerServer) -> ProbeContext {
    let mut cx = context(false);
    cx.registration.rdap_bootstrap = rdap.bootstrap_url();
    cx.registration.whois_server = whois.address().to_string();
    cx
}

async fn registered(cx: &ProbeContext, name: &str) -> Vec<Verdict> {
    let mut evidence = HostEvidence::new(AssetRef::Domain(name.to_owned()), "2026-06-01T00:00:00Z".parse().unwrap());
    evidence.registration = registration::gather(cx, name).await;
    verdicts(&evidence, &[], &REGISTRATION)
}

#[tokio::test(flavor = "multi_thread")]
async fn registrations_by_rdap_and_whois() {
    let locked = ["client transfer prohibited"];
    let rdap = RdapLab::start(&BTreeMap::from([
        ("fine.test".to_owned(), rdap_domain("fine.test", Some("2027-06-01T00:00:00Z"), &locked)),
        ("soon.test".to_owned(), rdap_domain("soon.test", Some("2026-06-11T00:00:00Z"), &locked)),
        (
            "gone.test".to_owned(),
            rdap_domain("gone.test", Some("2027-06-01T00:00:00Z"), &["pending delete", "server transfer prohibited"]),
        ),
        (
            "held.test".to_owned(),
            rdap_domain("held.test", Some("2027-06-01T00:00:00Z"), &["client hold", "client transfer prohibited"]),
        ),
        ("loose.test".to_owned(), rdap_domain("loose.test", Some("2027-06-01T00:00:00Z"), &["active"])),
    ]));
    let registry = AnswerServer::whois(BTreeMap::from([(
        "old.whois".to_owned(),
        "Domain Name: old.whois\r\nRegistry Expiry Date: 2026-06-02T00:00:00Z\r\nDomain Status: clientTransferProhibited https://icann.org/epp#clientTransferProhibited\r\n".to_owned(),
    )]));
    let directory = AnswerServer::whois(BTreeMap::from([(
        "old.whois".to_owned(),
        format!("domain: WHOIS\r\nrefer: {}\r\n", registry.address()),
    )]));
    let cx = registration_context(&rdap, &directory);
    for (name, expected) in [
        ("fine.test", &[][..]),
        ("www.fine.test", &[]),
        ("soon.test", &["reg.expiring"]),
        ("gone.test", &["reg.status"]),
        ("held.test", &["reg.status"]),
        ("loose.test", &["reg.no_transfer_lock"]),
        ("old.whois", &["reg.expiring"]),
    ] {
        let found = registered(&cx, name).await;
        assert_eq!(failed(&found), expected.iter().copied().collect(), "{name}: {found:?}");
        assert_eq!(inconclusive(&found), Vec::<String>::new(), "{name}");
    }
    // Names of one registered domain share one answer, also when the services have gone.
    drop(rdap);
    let again = registered(&cx, "mail.fine.test").await;
    assert_eq!(failed(&again), BTreeSet::new());
    assert_eq!(inconclusive(&again), Vec::<String>::new());
    let gone = registered(&cx, "late.test").await;
    assert!(gone.iter().all(|v| v.outcome == Outcome::Error), "{gone:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_registry_does_not_say_is_not_judged() {
    let locked = ["client transfer prohibited"];
    let rdap = RdapLab::start(&BTreeMap::from([
        ("nodate.test".to_owned(), rdap_domain("nodate.test", None, &locked)),
        ("liar.test".to_owned(), rdap_domain("other.test", Some("2027-06-01T00:00:00Z"), &locked)),
    ]));
    let directory = AnswerServer::whois(BTreeMap::new());
    let cx = registration_context(&rdap, &directory);
    let nodate = registered(&cx, "nodate.test").await;
    assert_eq!(outcome_of(&nodate, "reg.expiring"), Outcome::NotTested);
    assert_eq!(outcome_of(&nodate, "reg.no_transfer_lock"), Outcome::Pass);
    for name in ["unknown.test", "liar.test"] {
        let unknown = registered(&cx, name).await;
        assert!(unknown.iter().all(|v| v.outcome == Outcome::Error), "{name}: {unknown:?}");
    }
    let nobody = registered(&cx, "example.nobody").await;
    assert!(nobody.iter().all(|v| v.outcome == Outcome::NotTested), "{nobody:?}");
    // With the public services configured, a name that nobody registers is not asked about.
    let public = registered(&context(true), "fine.test").await;
    assert!(public.iter().all(|v| v.outcome == Outcome::NotApplicable), "{public:?}");
}

/// The check fixtures of these subjects are recorded here: each zone of the lab that a check fails on, a zone that it
/// passes on, and a resolver that does not answer. Run after a change of the evidence types:
/// `cargo test -p bartizan-probes --test dns -- --ignored`, then review and commit what it wrote.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "writes the check fixtures"]
async fn record_fixtures() {
    let zones = standard_zones();
    let list: Vec<Zone> = zones.values().map(|(zone, _)| zone.clone()).collect();
    let lab = DnsLab::start(&list);
    let cx = in_lab(&lab);
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../checks/fixtures");
    std::fs::write(folder.join("trust-anchors"), lab.trust_anchors.join("\n") + "\n").unwrap();
    let write = |id: &str, file: &str, evidence: &HostEvidence| {
        let mut kept = HostEvidence::new(evidence.asset.clone(), evidence.gathered_at);
        match id.split('.').next().unwrap() {
            "dns" | "caa" | "dnssec" => kept.dns = evidence.dns.clone(),
            "reg" => kept.registration = evidence.registration.clone(),
            _ => kept.mail = evidence.mail.clone(),
        }
        let text = serde_json::to_string_pretty(&kept).unwrap() + "\n";
        std::fs::create_dir_all(folder.join(id)).unwrap();
        std::fs::write(folder.join(id).join(format!("{file}.json")), text).unwrap();
    };

    let silent = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut deaf = context(true);
    deaf.dns.resolver = Some(silent.local_addr().unwrap());
    deaf.timeout = std::time::Duration::from_secs(3);
    let nothing = gather(&deaf, "good.test").await;
    let not_asked = HostEvidence::new(AssetRef::Domain("good.test".to_owned()), now());
    for (name, (_, expected)) in &zones {
        let evidence = gather(&cx, name).await;
        for id in *expected {
            write(id, &format!("fail-{}", name.trim_end_matches(".test")), &evidence);
        }
        if matches!(*name, "good.test" | "softok.test" | "nullmx.test" | "org.test" | "nsec3.test") {
            let found = verdicts(&evidence, &lab.trust_anchors, &DNS);
            for verdict in found.iter().filter(|v| v.outcome == Outcome::Pass) {
                let id = verdict.check_id.as_str();
                let special = matches!(
                    (*name, id),
                    ("softok.test", "spf.soft") | ("org.test", "dmarc.weak") | ("nullmx.test", "nomail.profile")
                ) || (*name == "nsec3.test" && id.starts_with("dnssec"));
                if *name == "good.test" || special {
                    write(id, &format!("pass-{}", name.trim_end_matches(".test")), &evidence);
                }
            }
        }
    }
    let catalog = Catalog::builtin();
    let selectors: Vec<String> = DNS.iter().map(|text| (*text).to_owned()).collect();
    for id in Selection::resolve(catalog, &selectors).unwrap().iter() {
        write(id.as_str(), "inconclusive-no-answer", &nothing);
        write(id.as_str(), "inconclusive-not-asked", &not_asked);
    }

    let locked = ["client transfer prohibited"];
    let far = Some("2027-06-01T00:00:00Z");
    let rdap = RdapLab::start(&BTreeMap::from([
        ("fine.test".to_owned(), rdap_domain("fine.test", far, &locked)),
        ("soon.test".to_owned(), rdap_domain("soon.test", Some("2026-06-11T00:00:00Z"), &locked)),
        ("nodate.test".to_owned(), rdap_domain("nodate.test", None, &locked)),
        ("pending.test".to_owned(), rdap_domain("pending.test", far, &["pending delete"])),
        ("held.test".to_owned(), rdap_domain("held.test", far, &["server hold"])),
        ("loose.test".to_owned(), rdap_domain("loose.test", far, &["active"])),
    ]));
    let whois = AnswerServer::whois(BTreeMap::from([(
        "nostatus.whois".to_owned(),
        "Domain Name: nostatus.whois\r\nExpiry Date: 2027-06-01\r\n".to_owned(),
    )]));
    let cx = registration_context(&rdap, &whois);
    for (name, id, file) in [
        ("soon.test", "reg.expiring", "fail-soon"),
        ("fine.test", "reg.expiring", "pass-fine"),
        ("nodate.test", "reg.expiring", "inconclusive-no-date"),
        ("unknown.test", "reg.expiring", "inconclusive-unknown"),
        ("pending.test", "reg.status", "fail-pending-delete"),
        ("held.test", "reg.status", "fail-hold"),
        ("fine.test", "reg.status", "pass-fine"),
        ("nostatus.whois", "reg.status", "inconclusive-no-status"),
        ("loose.test", "reg.no_transfer_lock", "fail-active"),
        ("fine.test", "reg.no_transfer_lock", "pass-fine"),
        ("nostatus.whois", "reg.no_transfer_lock", "inconclusive-no-status"),
    ] {
        let mut evidence =
            HostEvidence::new(AssetRef::Domain(name.to_owned()), "2026-06-01T00:00:00Z".parse().unwrap());
        evidence.registration = registration::gather(&cx, name).await;
        write(id, file, &evidence);
    }
}
