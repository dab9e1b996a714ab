//! What is less than a finding and more than nothing: configurations that ask for more, packages of unknown source.

use super::*;

const APP: &str = "cpe:2.3:a:acme:app:1.0:*:*:*:*:*:*:*";
const WINDOWS: &str = "cpe:2.3:o:microsoft:windows:-:*:*:*:*:*:*:*";

fn app() -> Package {
    let mut installed = Package::new(Ecosystem::Generic, "app", "1.0");
    installed.cpes = vec![APP.into()];
    installed
}

#[test]
fn what_asks_for_something_besides_is_a_lead_that_says_so() {
    let store = MemoryStore::new([configured("CVE-2024-2", &[(true, APP), (false, WINDOWS)])]);
    let found = run(&store, &[app()]);
    assert_eq!(ids(&found), [["CVE-2024-2"]]);
    let lead = &found.matches[0];
    assert_eq!((lead.is_finding(), lead.confidence), (false, Confidence::INCOMPLETE));
    let notes = format!("{:?}", lead.evidence[0].notes);
    assert!(notes.contains("also asks for `cpe:2.3:o:microsoft:windows:-"), "{notes}");
    let why = |options: &Options| explain(&store, &[app()], 0, "CVE-2024-2", options).unwrap();
    let told = why(&Options::default());
    assert!(told.is_incomplete && told.matched.is_none());
    assert_eq!(told.against[0].reason, NoMatchReason::ConfigurationFails);
    // Any release of Windows is what it asks for.
    let windows = Cpe::parse("cpe:2.3:o:microsoft:windows_10_22h2:10.0.19045.1:*:*:*:*:*:x64:*").unwrap();
    let options = Options { platform: vec![windows], ..Options::default() };
    let found = correlate(&store, &[app()], &options).unwrap();
    assert_eq!((found.matches.len(), found.matches[0].is_finding()), (1, true));
    let told = why(&options);
    assert!(!told.is_incomplete && told.matched.is_some());
}

#[test]
fn leads_of_one_package_are_bounded() {
    let records =
        (0..MAX_INCOMPLETE + 50).map(|at| configured(&format!("CVE-2024-{at}"), &[(true, APP), (false, WINDOWS)]));
    let found = run(&MemoryStore::new(records), &[app()]);
    assert_eq!(found.matches.len(), MAX_INCOMPLETE);
    assert!(format!("{:?}", found.matches[0].evidence[0].notes).contains("50 older records"));
    assert!(found.matches.iter().any(|one| *one.ids[0] == *"CVE-2024-249"), "the newest names are kept");
}

#[test]
fn a_package_of_unknown_source_is_a_gap_unless_its_name_is_known() {
    let store = MemoryStore::new([advisory(
        "CVE-2024-1",
        &[],
        vec![of_source(affected(Ecosystem::Debian, "12", "openssl", "0", Some("3.0.11-1")))],
    )]);
    let gaps = |name: &str, source: Option<(&str, &str)>| {
        run(&store, &[debian(name, "3.0.9-1", source)]).gaps.iter().map(|gap| gap.reason).collect::<Vec<_>>()
    };
    assert_eq!(gaps("libssl3", None), [GapReason::SourceUnknown]);
    assert_eq!(gaps("libssl3", Some(("openssl", "3.0.9-1"))), []);
    assert_eq!(gaps("openssl", None), []);
}
