//! Mail policy rules on small hand-made evidence: what a zone file would need a page for.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::collections::BTreeSet;

use bartizan_catalog::Catalog;
use bartizan_checks::{JudgeSettings, Selection, judge};
use bartizan_domain::evidence::mail::{
    DmarcStep, MailEvidence, MxRecord, ReportConsent, SpfEvidence, SpfLookup, SpfLookupKind, SpfNode, SpfTxt,
};
use bartizan_domain::evidence::{FailureKind, HostEvidence, Observation, ProbeFailure};
use bartizan_domain::{AssetRef, Outcome, Severity, Verdict, dmarc};

/// A domain by its records: `spf` and `dmarc` are pairs of name and record.
struct Domain<'t> {
    name: &'t str,
    mx: &'t [&'t str],
    apex: bool,
    spf: &'t [(&'t str, &'t str)],
    dmarc: &'t [(&'t str, &'t str)],
}

impl Domain<'_> {
    fn evidence(&self) -> MailEvidence {
        let mut names: Vec<&str> = vec![self.name];
        names.extend(self.spf.iter().map(|(name, _)| *name).filter(|name| *name != self.name));
        names.dedup();
        let node = |name: &str| SpfNode {
            domain: name.to_owned(),
            answer: Observation::Observed(SpfTxt {
                texts: self.spf.iter().filter(|(at, _)| *at == name).map(|(_, text)| (*text).to_owned()).collect(),
                void: !self.spf.iter().any(|(at, _)| *at == name),
            }),
        };
        let step = |domain: String| DmarcStep {
            records: Observation::Observed(
                self.dmarc.iter().filter(|(at, _)| *at == domain).map(|(_, text)| (*text).to_owned()).collect(),
            ),
            domain,
        };
        let mx = |exchange: &&str| MxRecord { preference: 10, exchange: (*exchange).to_owned() };
        let found = |kind| SpfLookup { domain: self.name.to_owned(), kind, found: Observation::Observed(1) };
        MailEvidence {
            name: self.name.to_owned(),
            zone_apex: Observation::Observed(self.apex),
            has_address: Observation::Observed(true),
            mx: Observation::Observed(self.mx.iter().map(mx).collect()),
            spf: SpfEvidence {
                records: names.into_iter().map(node).collect(),
                lookups: vec![found(SpfLookupKind::Address), found(SpfLookupKind::Mx)],
                truncated: None,
            },
            dmarc: dmarc::tree_walk(self.name).into_iter().map(step).collect(),
            report_consent: Vec::new(),
        }
    }

    fn verdicts(&self) -> Vec<Verdict> {
        verdicts(&self.evidence())
    }

    fn failed(&self) -> BTreeSet<String> {
        failed(&self.verdicts())
    }
}

fn verdicts(mail: &MailEvidence) -> Vec<Verdict> {
    let catalog = Catalog::builtin();
    let selectors = ["spf.*".to_owned(), "dmarc.*".to_owned(), "nomail.*".to_owned()];
    let selection = Selection::resolve(catalog, &selectors).unwrap();
    let asset = AssetRef::Domain(mail.name.clone());
    let mut evidence = HostEvidence::new(asset, "2026-06-01T00:00:00Z".parse().unwrap());
    evidence.mail = Observation::Observed(mail.clone());
    judge(catalog, &selection, &evidence, &JudgeSettings::default())
}

fn failed(verdicts: &[Verdict]) -> BTreeSet<String> {
    verdicts.iter().filter(|v| v.outcome == Outcome::Fail).map(|v| v.check_id.to_string()).collect()
}

fn ids(list: &[&str]) -> BTreeSet<String> {
    list.iter().map(|id| (*id).to_owned()).collect()
}

const REJECT: &str = "v=DMARC1; p=reject; rua=mailto:d@example.com";

fn sending<'t>(spf: &'t [(&'t str, &'t str)]) -> Domain<'t> {
    Domain { name: "example.com", mx: &["mx.example.com"], apex: true, spf, dmarc: &[("example.com", REJECT)] }
}

#[test]
fn everyone_may_send_through_an_include_or_a_redirect() {
    let direct = sending(&[("example.com", "v=spf1 all")]);
    assert_eq!(direct.failed(), ids(&["spf.plus_all"]));
    assert_eq!(direct.verdicts().iter().find_map(|v| v.severity), Some(Severity::High));
    let included = [("example.com", "v=spf1 include:a.test -all"), ("a.test", "v=spf1 +all")];
    assert_eq!(sending(&included).failed(), ids(&["spf.plus_all"]));
    let redirected = [("example.com", "v=spf1 redirect=a.test"), ("a.test", "v=spf1 ip4:0.0.0.0/0 -all")];
    assert_eq!(sending(&redirected).failed(), ids(&["spf.plus_all"]));
    let excluded = [("example.com", "v=spf1 -include:a.test -all"), ("a.test", "v=spf1 +all")];
    assert_eq!(sending(&excluded).failed(), ids(&[]));
}

#[test]
fn the_end_of_a_record_is_found_behind_redirects() {
    let soft = [("example.com", "v=spf1 redirect=a.test"), ("a.test", "v=spf1 mx:example.com ~all")];
    assert_eq!(sending(&soft).failed(), ids(&[]), "an enforced DMARC policy makes up for ~all");
    let none = [("example.com", "v=spf1 redirect=a.test"), ("a.test", "v=spf1 mx:example.com")];
    assert_eq!(sending(&none).failed(), ids(&["spf.neutral"]));
    let macro_name = [("example.com", "v=spf1 redirect=_spf.%{d}"), ("_spf.example.com", "v=spf1 mx:example.com -all")];
    assert_eq!(sending(&macro_name).failed(), ids(&[]), "%{{d}} is known");
}

#[test]
fn broken_includes_are_errors_of_the_record() {
    let empty = [("example.com", "v=spf1 include:a.test -all"), ("a.test", "v=spf1 a:b"), ("a.test", "v=spf1 -all")];
    assert_eq!(sending(&empty).failed(), ids(&["spf.syntax"]), "two records at the include");
    let cycle = [("example.com", "v=spf1 include:a.test -all"), ("a.test", "v=spf1 include:example.com -all")];
    assert_eq!(sending(&cycle).failed(), ids(&["spf.lookups"]));
}

#[test]
fn ten_lookups_are_fine_and_eleven_are_not() {
    let record = |n: usize| format!("v=spf1 {}-all", "a:example.com ".repeat(n));
    let ten = record(10);
    assert_eq!(sending(&[("example.com", &ten)]).failed(), ids(&[]));
    let eleven = record(11);
    assert_eq!(sending(&[("example.com", &eleven)]).failed(), ids(&["spf.lookups"]));
    let behind_all = format!("{} {}", record(3), "include:x.test ".repeat(20));
    assert_eq!(sending(&[("example.com", &behind_all)]).failed(), ids(&[]), "nothing behind all is evaluated");
}

#[test]
fn an_include_that_could_not_be_fetched_is_no_pass() {
    let mut mail = sending(&[("example.com", "v=spf1 include:a.test -all"), ("a.test", "v=spf1 -all")]).evidence();
    let failure = ProbeFailure::new(FailureKind::Timeout, "no answer");
    mail.spf.records.last_mut().unwrap().answer = Observation::Failed(failure);
    let verdicts = verdicts(&mail);
    assert_eq!(failed(&verdicts), ids(&[]));
    for id in ["spf.syntax", "spf.lookups", "spf.void", "spf.plus_all", "spf.neutral", "spf.soft"] {
        let verdict = verdicts.iter().find(|v| v.check_id.as_str() == id).unwrap();
        assert_eq!(verdict.outcome, Outcome::Error, "{id}");
    }
}

#[test]
fn names_below_the_organisation_inherit() {
    let web = Domain { name: "www.example.com", mx: &[], apex: false, spf: &[], dmarc: &[("example.com", REJECT)] };
    assert_eq!(web.failed(), ids(&[]));
    let bare = Domain { dmarc: &[], ..web };
    assert_eq!(bare.failed(), ids(&[]), "its organisational domain is where that is found");
    let mail = Domain {
        name: "news.example.com",
        mx: &["mx.example.com"],
        apex: false,
        spf: &[("news.example.com", "v=spf1 mx -all")],
        dmarc: &[("example.com", REJECT)],
    };
    assert_eq!(mail.failed(), ids(&[]));
    let lax = [("example.com", "v=DMARC1; p=reject; sp=none; rua=mailto:d@example.com")];
    assert_eq!(Domain { dmarc: &lax, ..mail }.failed(), ids(&["dmarc.none"]), "sp decides for a subdomain");
}

#[test]
fn a_private_suffix_is_an_organisation_by_the_list() {
    let page = Domain { name: "project.github.io", mx: &[], apex: false, spf: &[], dmarc: &[] };
    assert_eq!(page.failed(), ids(&["nomail.profile"]));
}

#[test]
fn domains_without_mail() {
    let parked = Domain { name: "example.com", mx: &[], apex: true, spf: &[], dmarc: &[] };
    assert_eq!(parked.failed(), ids(&["nomail.profile"]));
    let spf = [("example.com", "v=spf1 -all")];
    let reject = [("example.com", "v=DMARC1; p=reject")];
    let declared = Domain { name: "example.com", mx: &["."], apex: true, spf: &spf, dmarc: &reject };
    assert_eq!(declared.failed(), ids(&[]), "no reports are needed where there is no mail");
    assert_eq!(Domain { mx: &[], ..declared }.failed(), ids(&["nomail.profile"]), "mail would go to the address");
    let none = [("example.com", "v=DMARC1; p=none")];
    let lax = Domain { name: "example.com", mx: &["."], apex: true, spf: &spf, dmarc: &none };
    assert_eq!(lax.failed(), ids(&["dmarc.none"]), "one cause, one finding");
    let delegated = Domain { name: "shop.example.com", mx: &[], apex: true, spf: &[], dmarc: &reject };
    assert_eq!(delegated.failed(), ids(&[]));
    assert_eq!(Domain { dmarc: &[], ..delegated }.failed(), ids(&["nomail.profile"]));
}

#[test]
fn what_dmarc_records_get_wrong() {
    let spf = [("example.com", "v=spf1 mx -all")];
    let case = |record: &str| {
        let dmarc = [("example.com", record)];
        Domain { name: "example.com", mx: &["mx.example.com"], apex: true, spf: &spf, dmarc: &dmarc }.failed()
    };
    assert_eq!(case("v=DMARC1; p=quarantine; rua=mailto:d@example.com"), ids(&[]));
    assert_eq!(case("v=DMARC1; p=none; rua=mailto:d@example.com; unknown=1"), ids(&["dmarc.none"]));
    assert_eq!(case("v=DMARC1; p=reject"), ids(&["dmarc.weak"]));
    assert_eq!(case("v=DMARC1; p=reject; pct=10; rua=mailto:d@example.com"), ids(&["dmarc.weak"]));
    assert_eq!(case("v=DMARC1; p=reject; np=none; rua=mailto:d@example.com"), ids(&["dmarc.weak"]));
    assert_eq!(case("v=DMARC1; p=quarantine; t=y; rua=mailto:d@example.com"), ids(&["dmarc.none", "dmarc.weak"]));
    assert_eq!(case("v=DMARC1; p=rejekt"), ids(&["dmarc.missing"]));
    assert_eq!(case("v=DMARC1"), ids(&["dmarc.missing"]));
    let twice = [("example.com", REJECT), ("example.com", REJECT)];
    let domain = Domain { name: "example.com", mx: &["mx.example.com"], apex: true, spf: &spf, dmarc: &twice };
    assert_eq!(domain.failed(), ids(&["dmarc.missing"]), "two records count as none");

    let mut mail = Domain { dmarc: &[("example.com", REJECT)], ..domain }.evidence();
    let consent = |given| ReportConsent { domain: "example.com".to_owned(), receiver: "r.test".to_owned(), given };
    mail.report_consent = vec![consent(Observation::Observed(false))];
    assert_eq!(failed(&verdicts(&mail)), ids(&["dmarc.weak"]));
    mail.report_consent = vec![consent(Observation::not_attempted("switched off"))];
    let open = verdicts(&mail);
    assert_eq!(failed(&open), ids(&[]));
    assert_eq!(open.iter().find(|v| v.check_id.as_str() == "dmarc.weak").unwrap().outcome, Outcome::Error);
}

#[test]
fn a_resolver_that_does_not_know_the_suffix_is_enough() {
    let spf = [("example.com", "v=spf1 mx -all")];
    let domain = Domain { name: "example.com", mx: &["mx.example.com"], apex: true, spf: &spf, dmarc: &[] };
    let mut mail = domain.evidence();
    let refused = ProbeFailure::new(FailureKind::Resolution, "REFUSED");
    mail.dmarc.last_mut().unwrap().records = Observation::Failed(refused.clone());
    assert_eq!(failed(&verdicts(&mail)), ids(&["dmarc.missing"]));
    mail.dmarc.first_mut().unwrap().records = Observation::Failed(refused);
    let open = verdicts(&mail);
    assert_eq!(failed(&open), ids(&[]));
    assert_eq!(open.iter().find(|v| v.check_id.as_str() == "dmarc.missing").unwrap().outcome, Outcome::Error);
}
