//! The rules of the core on small stores.

use chrono::DateTime;

use super::*;
use crate::cpe::{Configuration, CpeMatch, Node, Operator};
use crate::memory::MemoryStore;
use crate::model::{
    Advisory, AdvisoryHead, AdvisoryKind, Affected, Condition, Confidence, CoverageGap, Ecosystem, Event, GapReason,
    Match, MatchState, Method, NameKind, NoMatchReason, Origin, PackageKey, Range, SourcePackage, Text, VendorState,
};

fn advisory(id: &str, aliases: &[&str], affected: Vec<Affected>) -> Advisory {
    Advisory {
        head: AdvisoryHead {
            id: id.into(),
            source: "test".into(),
            aliases: aliases.iter().map(|alias| Text::from(*alias)).collect(),
            addresses: Vec::new(),
            withdrawn: None,
            kind: AdvisoryKind::Vulnerability,
            severities: Vec::new(),
            revision: "r1".into(),
        },
        published: None,
        modified: None,
        summary: "".into(),
        details: "".into(),
        cwes: Vec::new(),
        references: Vec::new(),
        affected,
        configurations: Vec::new(),
    }
}

fn affected(ecosystem: Ecosystem, release: &str, name: &str, introduced: &str, fixed: Option<&str>) -> Affected {
    let mut events = vec![Event::Introduced(introduced.into())];
    events.extend(fixed.map(|version| Event::Fixed(version.into())));
    Affected {
        package: PackageKey::new(ecosystem, release, name),
        name_kind: NameKind::Binary,
        state: VendorState::Affected,
        ranges: vec![Range::Events { semver: false, events }],
        versions: Vec::new(),
        fixed: Vec::new(),
        conditions: Vec::new(),
    }
}

fn of_source(mut affected: Affected) -> Affected {
    affected.name_kind = NameKind::Source;
    affected
}

fn debian(name: &str, version: &str, source: Option<(&str, &str)>) -> Package {
    let mut package = Package::new(Ecosystem::Debian, name, version);
    package.release = "12".into();
    package.source = source.map(|(name, version)| SourcePackage { name: name.into(), version: version.into() });
    package
}

fn run(store: &MemoryStore, packages: &[Package]) -> Correlation {
    correlate(store, packages, &Options::default()).unwrap()
}

fn ids(correlation: &Correlation) -> Vec<Vec<&str>> {
    let mut all: Vec<Vec<&str>> =
        correlation.matches.iter().map(|one| one.ids.iter().map(Text::as_str).collect()).collect();
    all.sort();
    all
}

#[test]
fn the_distribution_decides_for_its_own_release_and_source() {
    let store = MemoryStore::new([
        advisory(
            "CVE-2024-1",
            &[],
            vec![of_source(affected(Ecosystem::Debian, "12", "openssl", "0", Some("3.0.11-1~deb12u2")))],
        ),
        advisory("CVE-2024-2", &[], vec![of_source(affected(Ecosystem::Debian, "11", "openssl", "0", None))]),
        advisory("CVE-2024-3", &[], vec![affected(Ecosystem::PyPi, "", "openssl", "0", None)]),
    ]);
    let vulnerable = debian("libssl3", "3.0.11-1~deb12u1", Some(("openssl", "3.0.11-1~deb12u1")));
    let found = run(&store, &[vulnerable]);
    assert_eq!(ids(&found), [["CVE-2024-1"]]);
    let one = &found.matches[0];
    assert_eq!((one.method, one.confidence, one.state), (Method::Vendor, Confidence::EXACT, MatchState::Affected));
    assert_eq!(one.fixed, ["3.0.11-1~deb12u2"]);
    assert_eq!(one.evidence[0].name, "openssl");
    assert_eq!(one.evidence[0].range, ">=0 <3.0.11-1~deb12u2");
    // A backported fix is a fix although upstream's version is lower.
    assert!(
        run(&store, &[debian("libssl3", "3.0.11-1~deb12u2", Some(("openssl", "3.0.11-1~deb12u2")))]).matches.is_empty()
    );
}

#[test]
fn the_version_of_the_source_counts_not_the_binarys() {
    let store = MemoryStore::new([advisory(
        "CVE-1",
        &[],
        vec![of_source(affected(Ecosystem::Debian, "12", "src", "0", Some("2:1.0-2")))],
    )]);
    let rebuilt = debian("bin", "9.9+b1", Some(("src", "2:1.0-1")));
    assert_eq!(run(&store, &[rebuilt]).matches.len(), 1);
    // Without an epoch 1:9 would look newer than the fix.
    let fixed = debian("bin", "1.0", Some(("src", "2:1.0-2")));
    assert!(run(&store, &[fixed]).matches.is_empty());
}

#[test]
fn states_are_kept_apart_and_not_affected_outweighs() {
    let with = |id: &str, state| {
        let mut statement = of_source(affected(Ecosystem::Debian, "12", "p", "0", None));
        statement.state = state;
        advisory(id, &[], vec![statement])
    };
    let store = MemoryStore::new([
        with("CVE-2024-1", VendorState::NoFixYet),
        with("CVE-2024-2", VendorState::WillNotFix),
        with("CVE-2024-3", VendorState::EndOfLife),
        with("CVE-2024-4", VendorState::UnderInvestigation),
        with("CVE-2024-5", VendorState::NotAffected),
        with("CVE-2024-6", VendorState::NotAffected),
        with("CVE-2024-6", VendorState::Affected),
    ]);
    let found = run(&store, &[debian("p", "1", None)]);
    let mut states: Vec<(&str, MatchState)> = found.matches.iter().map(|one| (&*one.ids[0], one.state)).collect();
    states.sort();
    assert_eq!(
        states,
        [
            ("CVE-2024-1", MatchState::NoFixYet),
            ("CVE-2024-2", MatchState::WillNotFix),
            ("CVE-2024-3", MatchState::EndOfLife),
            ("CVE-2024-4", MatchState::UnderInvestigation),
            ("CVE-2024-6", MatchState::NotAffected),
        ]
    );
    // What is under investigation is a lead.
    let is_finding = |state| !matches!(state, MatchState::NotAffected | MatchState::UnderInvestigation);
    assert!(found.matches.iter().all(|one| one.is_finding() == is_finding(one.state)));
}

#[test]
fn aliases_are_one_group_also_through_a_third_record() {
    let statement = || vec![affected(Ecosystem::CratesIo, "", "smallvec", "0", Some("1.0.0"))];
    let store = MemoryStore::new([
        advisory("RUSTSEC-2021-0003", &["CVE-2021-25900"], statement()),
        advisory("GHSA-43w2-9j62-hq99", &["CVE-2021-25900"], statement()),
        advisory("CVE-2021-25900", &[], vec![]),
    ]);
    let found = run(&store, &[Package::new(Ecosystem::CratesIo, "smallvec", "0.6.0")]);
    assert_eq!(ids(&found), [["CVE-2021-25900", "GHSA-43w2-9j62-hq99", "RUSTSEC-2021-0003"]]);
    assert_eq!(found.matches[0].evidence.len(), 2);
}

#[test]
fn a_bulletin_does_not_join_what_it_addresses() {
    let mut bulletin =
        advisory("ALSA-2024:1", &[], vec![affected(Ecosystem::AlmaLinux, "9", "curl", "0", Some("7.76.1-29.el9"))]);
    bulletin.head.addresses = vec!["CVE-2024-1".into(), "CVE-2024-2".into()];
    let store = MemoryStore::new([bulletin]);
    let mut package = Package::new(Ecosystem::AlmaLinux, "curl", "7.76.1-26.el9");
    package.release = "9".into();
    assert_eq!(ids(&run(&store, &[package])), [["CVE-2024-1", "ALSA-2024:1"], ["CVE-2024-2", "ALSA-2024:1"]]);
}

#[test]
fn a_withdrawn_record_drops_its_match_with_the_reason() {
    let make = |withdrawn: bool| {
        let mut record = advisory("GHSA-1", &[], vec![affected(Ecosystem::Npm, "", "left-pad", "0", None)]);
        record.head.withdrawn = withdrawn.then(|| DateTime::from_timestamp(0, 0).unwrap());
        MemoryStore::new([record])
    };
    let packages = [Package::new(Ecosystem::Npm, "left-pad", "1.0.0")];
    let before = run(&make(false), &packages);
    let after = run(&make(true), &packages);
    assert_eq!((before.matches.len(), after.matches.len()), (1, 0));
    let changes = compare(&make(true), &packages, &before.matches, &after.matches, &Options::default()).unwrap();
    assert_eq!(changes.len(), 1);
    assert_eq!(
        changes[0].reason,
        ChangeReason::Disappeared { because: vec![("GHSA-1".into(), NoMatchReason::Withdrawn)] }
    );
}

#[test]
fn elsewhere_is_a_lead_and_not_a_finding() {
    let store = MemoryStore::new([
        advisory("CVE-1", &[], vec![affected(Ecosystem::CratesIo, "", "uv", "0", None)]),
        advisory("CVE-2", &[], vec![of_source(affected(Ecosystem::Debian, "12", "linux", "0", None))]),
    ]);
    for origin in [Origin::Local, Origin::Vcs, Origin::ThirdParty] {
        let mut package = Package::new(Ecosystem::CratesIo, "uv", "1.0.0");
        package.origin = origin;
        let found = run(&store, &[package]);
        assert!(found.matches.iter().all(|one| !one.is_finding()), "{origin:?}");
    }
    let headers = debian("linux-libc-dev", "6.1", Some(("linux", "6.1")));
    assert!(!run(&store, &[headers]).matches[0].is_finding());
    let image = debian("linux-image-6.1.0-18-amd64", "6.1", Some(("linux", "6.1")));
    assert!(run(&store, &[image]).matches[0].is_finding());
}

#[test]
fn nothing_known_is_a_gap_and_never_clean() {
    let store =
        MemoryStore::new([advisory("CVE-1", &[], vec![affected(Ecosystem::Debian, "12", "p", "0", Some("2"))])]);
    let mut old = debian("p", "1", None);
    old.release = "3".into();
    let mut unknown = debian("p", "1", None);
    unknown.release = Text::default();
    let packages = [
        old,
        unknown,
        Package::new(Ecosystem::Hex, "plug", "1.0.0"),
        debian("p", "", None),
        debian("p", "what?", None),
        debian("other", "1", Some(("other", "1"))),
    ];
    let gap = |package, reason| CoverageGap { package, reason };
    let found = run(&store, &packages);
    assert!(found.matches.is_empty());
    assert_eq!(
        found.gaps,
        [
            gap(0, GapReason::ReleaseNotCovered),
            gap(1, GapReason::ReleaseUnknown),
            gap(2, GapReason::EcosystemNotCovered),
            gap(3, GapReason::VersionMissing),
            gap(4, GapReason::VersionUnreadable),
        ]
    );
}

#[test]
fn conditions_restrict() {
    let mut modular = affected(Ecosystem::AlmaLinux, "8", "nodejs", "0", Some("1:18.19.0-1"));
    modular.conditions = vec![Condition::Module("nodejs:18".into()), Condition::Arch(vec!["x86_64".into()])];
    let store = MemoryStore::new([advisory("ALSA-1", &[], vec![modular])]);
    let package = |module: &str, arch: &str| {
        let mut package = Package::new(Ecosystem::AlmaLinux, "nodejs", "1:18.0.0-1");
        package.release = "8".into();
        package.module = module.into();
        package.arch = arch.into();
        package
    };
    assert_eq!(run(&store, &[package("nodejs:18", "x86_64")]).matches.len(), 1);
    assert_eq!(run(&store, &[package("nodejs:18:8090:abc", "x86_64")]).matches.len(), 1);
    assert!(run(&store, &[package("nodejs:20", "x86_64")]).matches.is_empty());
    assert!(run(&store, &[package("nodejs:18", "aarch64")]).matches.is_empty());
    let noted = run(&store, &[package("nodejs:18", "")]);
    assert_eq!(noted.matches[0].evidence[0].notes.len(), 1);
}

fn configured(id: &str, criteria: &[(bool, &str)]) -> Advisory {
    let mut record = advisory(id, &[], vec![]);
    let matches = criteria
        .iter()
        .map(|(vulnerable, name)| CpeMatch {
            vulnerable: *vulnerable,
            criteria: (*name).into(),
            start_including: None,
            start_excluding: None,
            end_including: None,
            end_excluding: None,
        })
        .collect();
    let node = Node { operator: Operator::And, negate: false, matches, children: Vec::new() };
    record.configurations = vec![Configuration { operator: Operator::Or, negate: false, nodes: vec![node] }];
    record
}

#[test]
fn cpe_speaks_only_where_nobody_else_does() {
    let app = "cpe:2.3:a:acme:app:1.0:*:*:*:*:*:*:*";
    let os = "cpe:2.3:o:acme:os:*:*:*:*:*:*:*:*";
    let store = MemoryStore::new([
        configured("CVE-2024-1", &[(true, app)]),
        configured("CVE-2024-2", &[(true, app), (false, os)]),
        advisory("CVE-2024-3", &[], vec![affected(Ecosystem::PyPi, "", "other", "0", None)]),
    ]);
    let mut installed = Package::new(Ecosystem::Generic, "app", "1.0");
    installed.cpes = vec!["cpe:2.3:a:acme:app:*:*:*:*:*:*:*:*".into()];
    let found = run(&store, std::slice::from_ref(&installed));
    let findings: Vec<&str> = found.matches.iter().filter(|one| one.is_finding()).map(|one| &*one.ids[0]).collect();
    assert_eq!(findings, ["CVE-2024-1"]);
    assert_eq!((found.matches[0].method, found.matches[0].confidence), (Method::Cpe, Confidence::CPE));
    assert!(found.matches[0].fixed.is_empty());
    let mut bounded = configured("CVE-2024-4", &[(true, "cpe:2.3:a:acme:app:*:*:*:*:*:*:*:*")]);
    bounded.configurations[0].nodes[0].matches[0].end_excluding = Some("2.0".into());
    let found = run(&MemoryStore::new([bounded]), std::slice::from_ref(&installed));
    assert_eq!(found.matches[0].fixed, ["2.0"]);
    // With the operating system on the same asset the second holds too.
    let platform = Options { platform: vec![Cpe::parse(os).unwrap()], ..Options::default() };
    let found = correlate(&store, std::slice::from_ref(&installed), &platform).unwrap();
    assert_eq!(found.matches.iter().filter(|one| one.is_finding()).count(), 2);
    // The same name from an ecosystem that has spoken, and from a distribution, is not looked up by CPE.
    for ecosystem in [Ecosystem::PyPi, Ecosystem::Debian] {
        let mut package = installed.clone();
        package.ecosystem = ecosystem;
        package.release = "12".into();
        assert!(run(&store, &[package]).matches.is_empty());
    }
}

#[test]
fn vendor_and_product_in_words_are_a_lead() {
    let said = |low: &str, high: &str| affected(Ecosystem::Generic, "", "acme:app_server", low, Some(high));
    let store = MemoryStore::new([
        advisory("CVE-2024-1", &[], vec![said("1.0", "2.0")]),
        advisory("CVE-2024-2", &[], vec![said("1.0", "1.1")]),
        // A configuration says the same for sure.
        Advisory {
            affected: vec![said("0", "9")],
            ..configured("CVE-2024-3", &[(true, "cpe:2.3:a:acme:app_server:*:*:*:*:*:*:*:*")])
        },
    ]);
    let mut package = Package::new(Ecosystem::Generic, "App Server", "1.5");
    package.cpes = vec!["cpe:2.3:a:acme:app_server:1.5:*:*:*:*:*:*:*".into()];
    let found = run(&store, std::slice::from_ref(&package));
    let told: Vec<_> = found.matches.iter().map(|one| (one.ids[0].as_str(), one.method, one.is_finding())).collect();
    assert_eq!(told, [("CVE-2024-1", Method::Words, false), ("CVE-2024-3", Method::Cpe, true)]);
    let why = explain(&store, &[package], 0, "CVE-2024-2", &Options::default()).unwrap();
    assert_eq!((why.matched, why.against[0].reason), (None, NoMatchReason::OutsideRange));
}

#[test]
fn explanations_say_why_not() {
    let store = MemoryStore::new([
        advisory("CVE-2024-1", &["GHSA-1"], vec![affected(Ecosystem::PyPi, "", "django", "4.0", Some("4.2"))]),
        configured("CVE-2024-2", &[(true, "cpe:2.3:a:djangoproject:django:*:*:*:*:*:*:*:*")]),
    ]);
    let packages = [Package::new(Ecosystem::PyPi, "Django", "4.2")];
    let why = explain(&store, &packages, 0, "GHSA-1", &Options::default()).unwrap();
    assert!(why.matched.is_none());
    assert_eq!(why.against[0].reason, NoMatchReason::OutsideRange);
    assert_eq!(why.against[0].evidence.as_ref().unwrap().range, ">=4.0 <4.2");
    let why = explain(&store, &packages, 0, "cve-2024-1", &Options::default()).unwrap();
    assert_eq!((why.ids.len(), why.against[0].reason), (2, NoMatchReason::OutsideRange));
    let why = explain(&store, &packages, 0, "CVE-2024-2", &Options::default()).unwrap();
    assert_eq!(why.against[0].reason, NoMatchReason::DecidedByAuthority);
    let hit = [Package::new(Ecosystem::PyPi, "Django", "4.1")];
    let why = explain(&store, &hit, 0, "GHSA-1", &Options::default()).unwrap();
    assert_eq!(why.matched.unwrap().ids, ["CVE-2024-1", "GHSA-1"]);
}

#[test]
fn equal_packages_at_two_places_are_two_matches() {
    let store = MemoryStore::new([advisory("CVE-1", &[], vec![affected(Ecosystem::Npm, "", "x", "0", None)])]);
    let mut second = Package::new(Ecosystem::Npm, "x", "1.0.0");
    second.location = "b/package-lock.json".into();
    let found = run(&store, &[Package::new(Ecosystem::Npm, "x", "1.0.0"), second]);
    assert_eq!(found.matches.iter().map(|one| one.package).collect::<Vec<_>>(), [0, 1]);
}

mod builds;
mod fleets;
mod leads;

fn rpm(ecosystem: Ecosystem, release: &str, name: &str, version: &str) -> Package {
    let mut package = Package::new(ecosystem, name, version);
    package.release = release.into();
    package
}

#[test]
fn a_module_stream_is_judged_by_its_own_fixes() {
    let fix = |stream: &str, version: &str| {
        let mut statement = affected(Ecosystem::AlmaLinux, "8", "postgresql", "0", Some(version));
        statement.conditions = vec![Condition::Module(stream.into())];
        statement
    };
    let store = MemoryStore::new([
        advisory("ALSA-12", &[], vec![fix("postgresql:12", "12.22-9.module_el8.10.0+4094+3bb7cf19")]),
        advisory("ALSA-15", &[], vec![fix("postgresql:15", "15.12-1.module_el8.10.0+3959+9d0e8b49")]),
        advisory("ALSA-16", &[], vec![fix("client:8 postgresql:16", "16.8-1.module_el8.10.0+3960+6c3f1e1a")]),
        advisory("ALSA-?", &[], vec![fix(Condition::UNKNOWN_STREAM, "15.1-1.module_el8.9.0+1+aaaa")]),
        advisory("ALSA-plain", &[], vec![affected(Ecosystem::AlmaLinux, "8", "postgresql", "0", Some("13.1-1.el8"))]),
    ]);
    let modular = |version: &str, stream: &str| {
        let mut package = rpm(Ecosystem::AlmaLinux, "8", "postgresql", version);
        package.module = stream.into();
        run(&store, &[package]).matches
    };
    let findings = |matches: &[Match]| -> Vec<String> {
        let mut ids: Vec<String> =
            matches.iter().filter(|one| one.is_finding()).map(|one| one.ids[0].to_string()).collect();
        ids.sort();
        ids
    };
    let patched = "12.22-9.module_el8.10.0+4094+3bb7cf19";
    let found = modular(patched, "postgresql:12:8100020250101:abc");
    assert!(findings(&found).is_empty(), "{found:#?}");
    // The stream of that record is not known, so that it is a lead.
    assert_eq!(
        found.iter().map(|one| (one.ids[0].as_str(), one.confidence)).collect::<Vec<_>>(),
        [("ALSA-?", Confidence::ROUGH)]
    );
    let old = "12.20-1.module_el8.10.0+3000+3bb7cf19";
    assert_eq!(findings(&modular(old, "postgresql:12")), ["ALSA-12"]);
    assert_eq!(findings(&modular("16.1-1.module_el8.10.0+1+a", "postgresql:16")), ["ALSA-16"]);
    // Nobody knows the stream of the package: leads.
    let unknown = modular(old, "");
    assert!(unknown.len() > 2 && findings(&unknown).is_empty());
    // Outside modules only the ordinary fix counts.
    assert_eq!(findings(&modular("10.1-1.el8", "")), ["ALSA-plain"]);
}

#[test]
fn other_products_of_a_vendor_are_not_its_operating_system() {
    let of = |product: &str, name: &str, fixed: Option<&str>, state| {
        let scope = crate::model::Scope::of_osv(&format!("Red Hat:{product}"));
        let mut statement = affected(scope.ecosystem, &scope.release, name, "0", fixed);
        statement.state = state;
        statement
    };
    let store = MemoryStore::new([
        advisory(
            "CVE-2024-1",
            &[],
            vec![
                of("enterprise_linux:8::baseos", "openssl", Some("1:1.1.1k-12.el8"), VendorState::Affected),
                of("jboss_enterprise_application_platform:8.0::el8", "openssl", None, VendorState::WillNotFix),
            ],
        ),
        advisory("CVE-2024-2", &[], vec![of("ceph_storage:8::el9", "openssl", None, VendorState::NoFixYet)]),
        advisory(
            "CVE-2024-3",
            &[],
            vec![of("rhel_eus:8.6::baseos", "openssl", Some("1:1.1.1k-9.el8_6"), VendorState::Affected)],
        ),
    ]);
    let host = |release: &str, version: &str| {
        let found = run(&store, &[rpm(Ecosystem::RedHat, release, "openssl", version)]);
        let mut found: Vec<(String, MatchState, Confidence)> =
            found.matches.iter().map(|one| (one.ids[0].to_string(), one.state, one.confidence)).collect();
        found.sort_by(|a, b| a.0.cmp(&b.0));
        found
    };
    assert_eq!(host("8", "1:1.1.1k-12.el8"), []);
    let old = host("8", "1:1.1.1k-5.el8");
    assert_eq!(old, [("CVE-2024-1".to_owned(), MatchState::Affected, Confidence::EXACT)]);
    // A host that is known to have extended support is judged by it; what is said of the release is a lead.
    assert_eq!(
        host("rhel_eus:8.6", "1:1.1.1k-8.el8_6"),
        [
            ("CVE-2024-1".to_owned(), MatchState::Affected, Confidence::ROUGH),
            ("CVE-2024-3".to_owned(), MatchState::Affected, Confidence::EXACT)
        ]
    );
}

#[test]
fn a_bulletin_denies_only_what_it_denies() {
    let mut fixed = affected(Ecosystem::RedHat, "8", "foo", "0", Some("1.0-2.el8"));
    fixed.conditions = vec![Condition::About(vec!["CVE-2024-1".into()])];
    let mut denied = affected(Ecosystem::RedHat, "8", "foo", "0", None);
    denied.state = VendorState::NotAffected;
    denied.conditions = vec![Condition::About(vec!["CVE-2024-2".into()])];
    let mut bulletin = advisory("RHSA-1", &[], vec![fixed, denied]);
    bulletin.head.addresses = vec!["CVE-2024-1".into(), "CVE-2024-2".into()];
    let store = MemoryStore::new([bulletin]);
    let packages = [rpm(Ecosystem::RedHat, "8", "foo", "1.0-1.el8")];
    let found = run(&store, &packages);
    assert_eq!(ids(&found), [["CVE-2024-1", "RHSA-1"]]);
    assert_eq!(found.matches[0].state, MatchState::Affected);
    let why = explain(&store, &packages, 0, "CVE-2024-2", &Options::default()).unwrap();
    assert_eq!(why.against.iter().map(|one| one.reason).collect::<Vec<_>>(), [NoMatchReason::NotAffected]);
}

#[test]
fn a_pocket_speaks_for_its_own_packages() {
    let says = |pocket: &str, state, fixed: Option<&str>| {
        let mut statement = of_source(affected(Ecosystem::Ubuntu, "20.04", "openssl", "0", fixed));
        statement.state = state;
        if !pocket.is_empty() {
            statement.conditions = vec![Condition::Pocket(pocket.into())];
        }
        statement
    };
    use VendorState::{Affected, EndOfLife, NoFixYet, NotAffected};
    let store = MemoryStore::new([
        advisory("CVE-1", &[], vec![says("", NoFixYet, None), says("fips-updates", NotAffected, None)]),
        advisory(
            "CVE-2",
            &[],
            vec![
                says("", Affected, Some("1.1.1f-1ubuntu2.16")),
                says("fips", Affected, Some("1.1.1f-1ubuntu2.fips.17")),
            ],
        ),
        advisory("CVE-3", &[], vec![says("", NoFixYet, None), says("esm-infra", NotAffected, None)]),
        advisory("CVE-4", &[], vec![says("", EndOfLife, None), says("esm-infra", NotAffected, None)]),
        advisory(
            "CVE-5",
            &[],
            vec![says("", EndOfLife, None), says("esm-infra", Affected, Some("1.1.1f-1ubuntu2.24+esm1"))],
        ),
    ]);
    let states = |version: &str| {
        let found = run(&store, &[rpm(Ecosystem::Ubuntu, "20.04", "openssl", version)]);
        let mut found: Vec<(String, MatchState)> =
            found.matches.iter().map(|one| (one.ids[0].to_string(), one.state)).collect();
        found.sort();
        found
    };
    let is = |version: &str, expected: &[(&str, MatchState)]| {
        let expected: Vec<(String, MatchState)> =
            expected.iter().map(|(id, state)| ((*id).to_owned(), *state)).collect();
        assert_eq!(states(version), expected, "{version}");
    };
    use MatchState as S;
    is(
        "1.1.1f-1ubuntu2.16",
        &[("CVE-1", S::NoFixYet), ("CVE-3", S::NoFixYet), ("CVE-4", S::NotAffected), ("CVE-5", S::Affected)],
    );
    is(
        "1.1.1f-1ubuntu2.fips.16",
        &[
            ("CVE-1", S::NotAffected),
            ("CVE-2", S::Affected),
            ("CVE-3", S::NoFixYet),
            ("CVE-4", S::EndOfLife),
            ("CVE-5", S::EndOfLife),
        ],
    );
    // Extended maintenance fixed it there; the archive only stopped looking.
    is(
        "1.1.1f-1ubuntu2.24+esm2",
        &[("CVE-1", S::NoFixYet), ("CVE-3", S::NotAffected), ("CVE-4", S::NotAffected), ("CVE-5", S::NotAffected)],
    );
}
