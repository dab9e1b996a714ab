//! Judges recorded evidence: every check has evidence on which it fails, passes and cannot tell.
//!
//! `fixtures/<check id>/{fail,pass,inconclusive}*.json` are `HostEvidence` documents. `fixtures/roots.pem` holds roots
//! that are trusted in all of them beside the built-in ones; `fixtures/trust-anchors` holds the DNSSEC anchor of the
//! private root that the recorded zones hang from.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use bartizan_catalog::Catalog;
use bartizan_checks::{JudgeSettings, Selection, judge};
use bartizan_domain::evidence::HostEvidence;
use bartizan_domain::{Outcome, Verdict};

const KINDS: [&str; 3] = ["fail", "pass", "inconclusive"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

fn settings() -> JudgeSettings {
    let text = fs::read(folder().join("roots.pem")).unwrap_or_default();
    let extra_roots = x509_parser::pem::Pem::iter_from_buffer(&text).map(|pem| pem.unwrap().contents).collect();
    let anchors = fs::read_to_string(folder().join("trust-anchors")).unwrap_or_default();
    JudgeSettings { extra_roots, trust_anchors: anchors.lines().map(str::to_owned).collect() }
}

fn verdicts(id: &str, evidence: &HostEvidence, settings: &JudgeSettings) -> Vec<Verdict> {
    let catalog = Catalog::builtin();
    let selection = Selection::resolve(catalog, &[id.to_owned()]).unwrap();
    judge(catalog, &selection, evidence, settings)
}

fn complaint(kind: &str, verdicts: &[Verdict]) -> Option<String> {
    let any = |outcome| verdicts.iter().any(|verdict| verdict.outcome == outcome);
    let all = |allowed: &[Outcome]| verdicts.iter().all(|verdict| allowed.contains(&verdict.outcome));
    let right = match kind {
        "fail" => any(Outcome::Fail),
        "pass" => any(Outcome::Pass) && !any(Outcome::Fail),
        _ => !verdicts.is_empty() && all(&[Outcome::Error, Outcome::NotTested]),
    };
    let seen: Vec<_> = verdicts.iter().map(|v| (v.location.as_str(), v.outcome, v.reason.as_deref())).collect();
    (!right).then(|| format!("{seen:?}"))
}

#[test]
fn every_check_has_fixtures_and_judges_them_as_named() {
    let settings = settings();
    let mut complaints = Vec::new();
    for meta in Catalog::builtin().checks() {
        let id = meta.id.as_str();
        let files: BTreeSet<PathBuf> = fs::read_dir(folder().join(id))
            .map(|entries| entries.map(|entry| entry.unwrap().path()).collect())
            .unwrap_or_default();
        for kind in KINDS {
            let of_kind: Vec<&PathBuf> =
                files.iter().filter(|file| file.file_name().unwrap().to_str().unwrap().starts_with(kind)).collect();
            if of_kind.is_empty() {
                complaints.push(format!("{id} has no fixture of the kind {kind}"));
            }
            for file in of_kind {
                let name = file.file_name().unwrap().to_string_lossy();
                let text = fs::read_to_string(file).unwrap();
                match serde_json::from_str::<HostEvidence>(&text) {
                    Ok(evidence) => {
                        if let Some(seen) = complaint(kind, &verdicts(id, &evidence, &settings)) {
                            complaints.push(format!("{id}/{name}: {seen}"));
                        }
                    }
                    Err(error) => complaints.push(format!("{id}/{name} is no evidence: {error}")),
                }
            }
        }
    }
    assert!(complaints.is_empty(), "{} complaints:\n{}", complaints.len(), complaints.join("\n"));
}

#[test]
fn no_fixture_is_for_a_check_that_does_not_exist() {
    for entry in fs::read_dir(folder()).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            let name = entry.file_name().into_string().unwrap();
            assert!(Catalog::builtin().check(&name).is_some(), "fixtures/{name} is for no check");
        }
    }
}
