//! Builds of a package that are named, numbered or kept otherwise than the statement says.

use super::*;

fn dated(mut record: Advisory, day: &str) -> Advisory {
    record.modified = DateTime::parse_from_rfc3339(&format!("{day}T00:00:00Z")).ok().map(|time| time.to_utc());
    record
}

fn confidence_of(store: &MemoryStore, package: Package) -> Option<u8> {
    run(store, &[package]).matches.first().map(|found| found.confidence.0)
}

#[test]
fn signed_kernels_are_judged_as_the_kernel() {
    let store = MemoryStore::new([advisory(
        "CVE-2024-1",
        &[],
        vec![
            of_source(affected(Ecosystem::Debian, "12", "linux", "0", Some("6.1.82-1"))),
            of_source(affected(Ecosystem::Ubuntu, "22.04", "linux-aws", "0", Some("5.15.0-1060.66"))),
        ],
    )]);
    let image = |version: &str, source: &str| {
        debian("linux-image-6.1.0-18-amd64", version, Some(("linux-signed-amd64", source)))
    };
    assert_eq!(confidence_of(&store, image("6.1.76-1", "6.1.76+1")), Some(100));
    assert_eq!(confidence_of(&store, image("6.1.82-1", "6.1.82+1")), None);
    let mut ubuntu =
        debian("linux-image-5.15.0-1050-aws", "5.15.0-1050.55", Some(("linux-signed-aws", "5.15.0-1050.55")));
    ubuntu.ecosystem = Ecosystem::Ubuntu;
    ubuntu.release = "22.04".into();
    assert_eq!(confidence_of(&store, ubuntu), Some(100));
    let why = explain(&store, &[image("6.1.82-1", "6.1.82+1")], 0, "CVE-2024-1", &Options::default()).unwrap();
    assert_eq!(why.against[0].evidence.as_ref().unwrap().version, "6.1.82-1");
}

fn bulletin(id: &str, addresses: &str, affected: Affected) -> Advisory {
    let mut record = advisory(id, &[], vec![affected]);
    record.head.addresses = vec![addresses.into()];
    record
}

#[test]
fn builds_of_extended_support_are_judged_by_its_statements() {
    let kernel = |release: &str, fixed: &str| affected(Ecosystem::RedHat, release, "kernel", "0", Some(fixed));
    let store = MemoryStore::new([
        bulletin("RHSA-1", "CVE-2024-1", kernel("8", "4.18.0-513.18.1.el8_9")),
        bulletin("RHSA-2", "CVE-2024-1", kernel("rhel_eus:8.8", "4.18.0-477.51.1.el8_8")),
        bulletin("RHSA-3", "CVE-2024-2", kernel("8", "4.18.0-513.18.1.el8_9")),
        bulletin("RHSA-4", "CVE-2024-3", kernel("8", "4.18.0-553.el8_10")),
        bulletin("RHSA-5", "CVE-2024-3", kernel("rhel_eus:8.8", "4.18.0-477.60.1.el8_8")),
    ]);
    let states = |version: &str| -> Vec<(String, MatchState, u8)> {
        let found = run(&store, &[rpm(Ecosystem::RedHat, "8", "kernel", version)]);
        let mut all: Vec<_> =
            found.matches.iter().map(|one| (one.ids[0].to_string(), one.state, one.confidence.0)).collect();
        all.sort();
        all
    };
    let row = |id: &str, state, confidence| (id.to_owned(), state, confidence);
    assert_eq!(
        states("4.18.0-477.51.1.el8_8"),
        [
            row("CVE-2024-1", MatchState::NotAffected, 100),
            row("CVE-2024-2", MatchState::Affected, 40),
            row("CVE-2024-3", MatchState::Affected, 100),
        ]
    );
    // A build of the ordinary release of that number is judged as such, and so is one of another number.
    for ordinary in ["4.18.0-477.27.1.el8_8", "4.18.0-500.el8"] {
        let all = states(ordinary);
        assert_eq!(all.len(), 3, "{ordinary}");
        assert!(all.iter().all(|(_, state, confidence)| (*state, *confidence) == (MatchState::Affected, 100)));
    }
}

#[test]
fn the_newest_copy_of_a_record_decides() {
    let copy = |day: &str, fixed: &str| {
        dated(advisory("GHSA-1", &[], vec![affected(Ecosystem::Npm, "", "dup", "0", Some(fixed))]), day)
    };
    let package = || Package::new(Ecosystem::Npm, "dup", "1.1.9");
    let wide = || copy("2024-01-01", "1.2.0");
    let narrow = || copy("2024-06-01", "1.1.5");
    for store in [MemoryStore::new([wide(), narrow()]), MemoryStore::new([narrow(), wide()])] {
        assert!(run(&store, &[package()]).matches.is_empty());
        let why = explain(&store, &[package()], 0, "GHSA-1", &Options::default()).unwrap();
        assert!(why.against.iter().any(|one| one.reason == NoMatchReason::Outdated));
    }
    let mut withdrawn = advisory("GHSA-1", &[], Vec::new());
    withdrawn.head.withdrawn = DateTime::parse_from_rfc3339("2024-06-01T00:00:00Z").ok().map(|time| time.to_utc());
    assert!(run(&MemoryStore::new([wide(), withdrawn.clone()]), &[package()]).matches.is_empty());
    assert_eq!(run(&MemoryStore::new([copy("2024-07-01", "1.2.0"), withdrawn]), &[package()]).matches.len(), 1);
    // Another source says what it says under the same id.
    let mut other = copy("2024-06-01", "1.1.5");
    other.head.source = "other".into();
    assert_eq!(run(&MemoryStore::new([wide(), other]), &[package()]).matches.len(), 1);
    // A bulletin in parts, of one release each.
    let part = |release: &str, day: &str| {
        dated(advisory("OVAL-1", &[], vec![affected(Ecosystem::RedHat, release, "bash", "0", Some("9"))]), day)
    };
    let parts = MemoryStore::new([part("8", "2024-01-01"), part("9", "2024-02-01")]);
    assert_eq!(run(&parts, &[rpm(Ecosystem::RedHat, "8", "bash", "5-1.el8")]).matches.len(), 1);
}

#[test]
fn third_parties_and_companions_are_leads_whatever_the_inventory() {
    let store = MemoryStore::new([
        advisory("CVE-1", &[], vec![of_source(affected(Ecosystem::Debian, "12", "php8.2", "0", Some("8.2.20-1")))]),
        advisory(
            "CVE-2",
            &[],
            ["kernel", "perf", "kernel-headers", "kernel-core", "php"]
                .map(|name| affected(Ecosystem::RedHat, "8", name, "0", Some("9.0.0-1.el8")))
                .into(),
        ),
    ]);
    let sury = "8.2.10-2+0~20230904.14+debian12~1.gbp6a0d5d";
    assert_eq!(confidence_of(&store, debian("php8.2", sury, Some(("php8.2", sury)))), Some(20));
    assert_eq!(confidence_of(&store, debian("php8.2", "8.2.10-2", Some(("php8.2", "8.2.10-2")))), Some(100));
    for (name, version, expected) in [
        ("php", "7.4.33-1.el8.remi", 20),
        ("php", "7.4.33-1.el8", 100),
        ("kernel", "4.18.0-500.el8", 100),
        ("kernel-core", "4.18.0-500.el8", 100),
        ("perf", "4.18.0-500.el8", 20),
        ("kernel-headers", "4.18.0-500.el8", 20),
    ] {
        let mut package = rpm(Ecosystem::RedHat, "8", name, version);
        if name != "php" {
            package.source = Some(SourcePackage { name: "kernel".into(), version: version.into() });
        }
        assert_eq!(confidence_of(&store, package), Some(expected), "{name} {version}");
    }
    let gaps = run(&store, &[rpm(Ecosystem::RedHat, "8", "php", "7.4.33-1.el8.remi")]).gaps;
    assert_eq!(gaps, [CoverageGap { package: 0, reason: GapReason::ForeignOrigin }]);
}

#[test]
fn an_epoch_that_nobody_states_is_not_zero() {
    let store = MemoryStore::new([advisory(
        "CVE-1",
        &[],
        vec![affected(Ecosystem::RedHat, "9", "openssl", "0", Some("1:3.0.7-25.el9_3"))],
    )]);
    let package = |version: &str, purl: &str| {
        let mut package = rpm(Ecosystem::RedHat, "9", "openssl", version);
        package.purl = purl.into();
        package
    };
    let bare = "pkg:rpm/redhat/openssl@x?arch=x86_64";
    assert_eq!(confidence_of(&store, package("3.0.7-24.el9", bare)), Some(40));
    assert_eq!(confidence_of(&store, package("3.0.7-25.el9_3", bare)), None);
    // A database of packages states it, and so does a URL with it.
    assert_eq!(confidence_of(&store, package("3.0.7-25.el9_3", "")), Some(100));
    assert_eq!(confidence_of(&store, package("3.0.7-25.el9_3", "pkg:rpm/redhat/openssl@x?epoch=0")), Some(100));
    assert_eq!(confidence_of(&store, package("1:3.0.7-24.el9", bare)), Some(100));
}

#[test]
fn records_that_name_sources_or_packages_reach_both() {
    let store = MemoryStore::new([advisory(
        "CVE-1",
        &[],
        ["openssl", "libcrypto3"]
            .map(|name| of_source(affected(Ecosystem::Wolfi, "", name, "0", Some("3.3.2-r1"))))
            .into(),
    )]);
    let wolfi = |name: &str, source: &str| {
        let mut package = Package::new(Ecosystem::Wolfi, name, "3.3.1-r0");
        package.source = Some(SourcePackage { name: source.into(), version: "3.3.1-r0".into() });
        package
    };
    for (name, source, expected) in
        [("libssl3", "openssl", Some(100)), ("libcrypto3", "other", Some(100)), ("libz", "zlib", None)]
    {
        assert_eq!(confidence_of(&store, wolfi(name, source)), expected, "{name}");
    }
}

#[test]
fn malicious_packages_come_first() {
    let mut malicious = advisory("MAL-1", &[], vec![affected(Ecosystem::Npm, "", "evil", "0", None)]);
    malicious.head.kind = AdvisoryKind::Malicious;
    let mut store = MemoryStore::new([
        advisory("CVE-1", &[], vec![affected(Ecosystem::Npm, "", "exploited", "0", None)]),
        malicious,
    ]);
    let exploits = vec![crate::model::ExploitIndex::Poc];
    store.set_signals("CVE-1", crate::model::Signals { exploits, ..Default::default() });
    let packages = ["exploited", "evil"].map(|name| Package::new(Ecosystem::Npm, name, "1.0.0"));
    assert_eq!(run(&store, &packages).matches.iter().map(|one| one.package).collect::<Vec<_>>(), [1, 0]);
}

/// Records of one vulnerability may warn of different things: the match is of the worst.
#[test]
fn the_worst_of_several_kinds_is_the_matchs() {
    for (one, other, expected) in [
        (AdvisoryKind::Unmaintained, AdvisoryKind::Unsound, AdvisoryKind::Unsound),
        (AdvisoryKind::Vulnerability, AdvisoryKind::Notice, AdvisoryKind::Vulnerability),
        (AdvisoryKind::Vulnerability, AdvisoryKind::Malicious, AdvisoryKind::Malicious),
    ] {
        let records = [("R-1", one), ("R-2", other)].map(|(id, kind)| {
            let mut record = advisory(id, &["CVE-1"], vec![affected(Ecosystem::CratesIo, "", "x", "0", None)]);
            record.head.kind = kind;
            record
        });
        let found = run(&MemoryStore::new(records), &[Package::new(Ecosystem::CratesIo, "x", "1.0.0")]).matches;
        assert_eq!((found.len(), found[0].kind), (1, expected));
    }
}
