//! `exposed.vcs`, `exposed.env`: files that were never meant to be served, proven by their structure.

use bartizan_domain::Severity;
use bartizan_domain::evidence::web::{PathAnswer, PathProbe, PathShape};
use bartizan_domain::evidence::{EvidenceKind, HostEvidence, Observation};
use serde_json::{Value, json};

use super::site;
use crate::{Check, Fail, JudgeSettings, Verdicts};

const NEEDS: &[EvidenceKind] = &[EvidenceKind::Web];

/// `exposed.vcs`.
#[derive(Debug)]
pub struct Vcs;

impl Check for Vcs {
    fn id(&self) -> &'static str {
        "exposed.vcs"
    }

    fn needs(&self) -> &'static [EvidenceKind] {
        NEEDS
    }

    fn judge(&self, evidence: &HostEvidence, _: &JudgeSettings, out: &mut Verdicts<'_>) {
        each_listing(evidence, out, &["/.git/", "/.svn/", "/.hg/"], |paths| {
            let served = |wanted: &dyn Fn(&PathShape) -> bool| paths.iter().any(|(_, answer)| wanted(&answer.shape));
            let git = served(&|shape| *shape == PathShape::GitHead)
                && served(&|shape| matches!(shape, PathShape::GitConfig { .. }));
            let objects = git && served(&|shape| *shape == PathShape::GitObject);
            let credentials = served(&|shape| matches!(shape, PathShape::GitConfig { credentials: true, .. }));
            let svn = served(&|shape| *shape == PathShape::Svn);
            let hg = served(&|shape| *shape == PathShape::Hg);
            if !(git || svn || hg) {
                return None;
            }
            let systems: Vec<&str> = [(git, "git"), (svn, "svn"), (hg, "hg")]
                .into_iter()
                .filter(|(there, _)| *there)
                .map(|(_, n)| n)
                .collect();
            let facts = json!({
                "systems": systems,
                "paths": list(paths),
                "objects_readable": objects,
                "remote_url_with_credentials": git && credentials,
            });
            let severity = if objects || (git && credentials) { Severity::Critical } else { Severity::High };
            Some(Fail::new(facts).severity(severity))
        });
    }
}

/// `exposed.env`.
#[derive(Debug)]
pub struct Env;

impl Check for Env {
    fn id(&self) -> &'static str {
        "exposed.env"
    }

    fn needs(&self) -> &'static [EvidenceKind] {
        NEEDS
    }

    fn judge(&self, evidence: &HostEvidence, _: &JudgeSettings, out: &mut Verdicts<'_>) {
        each_listing(evidence, out, &["/.env"], |paths| {
            let files: Vec<(&PathProbe, &PathAnswer)> = paths
                .iter()
                .filter(|(_, answer)| matches!(answer.shape, PathShape::Env { .. }) && plausible_type(answer))
                .copied()
                .collect();
            if files.is_empty() {
                return None;
            }
            let secrets = files.iter().any(|(_, answer)| matches!(answer.shape, PathShape::Env { secrets: 1.., .. }));
            let severity = if secrets { Severity::Critical } else { Severity::High };
            Some(Fail::new(json!({"files": list(&files)})).severity(severity))
        });
    }
}

/// Types that a page, a script or an image has and an environment file never.
fn plausible_type(answer: &PathAnswer) -> bool {
    answer.content_type.as_deref().is_none_or(|media| {
        !media.starts_with("image/") && !media.contains("json") && !media.contains("javascript") && media != "text/css"
    })
}

fn list(paths: &[(&PathProbe, &PathAnswer)]) -> Vec<Value> {
    paths
        .iter()
        .map(|(probe, answer)| {
            let mut entry = json!({"path": probe.path, "status": answer.status, "size": answer.body.size});
            if let PathShape::Env { assignments, names, .. } = &answer.shape {
                entry["assignments"] = json!(assignments);
                entry["names"] = json!(names);
            }
            entry
        })
        .collect()
}

/// Judges the answers below `prefixes` that count: served with success and unlike what the site says to paths that do
/// not exist. Where nothing was found and a path could not be asked for, nothing can be said.
fn each_listing(
    evidence: &HostEvidence,
    out: &mut Verdicts<'_>,
    prefixes: &[&str],
    judge: impl Fn(&[(&PathProbe, &PathAnswer)]) -> Option<Fail>,
) {
    site::each_distinct(evidence, out, |site, out| {
        let location = site.location();
        let Some(probes) = out.observed(&location, &site.web.paths) else { return };
        let asked: Vec<&PathProbe> =
            probes.iter().filter(|probe| prefixes.iter().any(|prefix| probe.path.starts_with(prefix))).collect();
        let counted: Vec<(&PathProbe, &PathAnswer)> = asked
            .iter()
            .filter_map(|probe| Some((*probe, probe.answer.observed()?)))
            .filter(|(_, answer)| (200..300).contains(&answer.status) && !answer.equals_baseline)
            .filter(|(_, answer)| !matches!(answer.shape, PathShape::Other | PathShape::Html))
            .collect();
        let failed = asked.iter().find_map(|probe| match &probe.answer {
            Observation::Failed(failure) => Some(format!("{}: {failure}", probe.path)),
            // A server that is overloaded or turns us away says nothing about its files.
            Observation::Observed(answer) if matches!(answer.status, 429 | 502..=504) => {
                Some(format!("{} was answered with status {}", probe.path, answer.status))
            }
            _ => None,
        });
        match (judge(&counted), failed) {
            (Some(fail), _) => out.fail(location, fail),
            (None, Some(reason)) => out.error(location, reason),
            (None, None) if asked.is_empty() => out.error(location, "none of the paths was asked for"),
            (None, None) => out.pass(location),
        }
    });
}
