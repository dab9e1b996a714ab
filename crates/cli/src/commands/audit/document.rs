//! From packages and matches to the audit document.

use std::collections::HashMap;

use anyhow::Result;
use bartizan_domain::Severity;
use bartizan_feeds::store::manifest::Manifest;
use bartizan_inventory::Inventory;
use bartizan_inventory::collect::OsOrigin;
use bartizan_inventory::sbom::purl;
use bartizan_inventory::triage::{Decided, Decisions, Statement};
use bartizan_matching::correlate::Correlation;
use bartizan_matching::model::{AdvisoryKind, ExploitIndex, Match, Package, Signals, Text};
use bartizan_matching::score::{ScoreSource, Weights};
use bartizan_matching::store::AdvisoryStore;
use bartizan_reports::audit::{
    AUDIT_SCHEMA, AuditDocument, AuditEpss, AuditEvidence, AuditKev, AuditMatch, AuditSource, Decision, DecisionNote,
    PassedOver, ScorePart, StoreSource, Suppressed, VexStatus,
};
use chrono::{DateTime, Utc};

use super::Assembled;
use super::gaps::{self, Gaps};

/// What the document is made of.
pub struct Parts<'p, S: ?Sized> {
    pub inventory: &'p Inventory,
    pub packages: &'p [Package],
    pub correlation: Correlation,
    pub store: &'p S,
    /// Words for what is not covered.
    pub gaps: &'p Gaps<'p>,
    pub manifest: &'p Manifest,
    pub decisions: &'p mut Decisions,
    /// The weights the scores were made with.
    pub weights: Weights,
    pub now: DateTime<Utc>,
}

/// Makes the document.
pub fn assemble<S: AdvisoryStore + ?Sized>(parts: Parts<'_, S>) -> Result<Assembled> {
    let Parts { inventory, packages, correlation, store, gaps, manifest, decisions, weights, now } = parts;
    let (not_covered, uncovered) = gaps::rows(inventory, packages, &correlation, gaps);
    let partial_reasons = partial_reasons(inventory);
    let mut document = AuditDocument {
        schema: AUDIT_SCHEMA.to_owned(),
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        created_at: now,
        partial: !partial_reasons.is_empty(),
        partial_reasons,
        store: store_sources(manifest),
        sources: inventory.sources.iter().map(source).collect(),
        packages: packages.len(),
        not_covered,
        passed_over: inventory
            .passed_over
            .iter()
            .map(|link| PassedOver { path: link.path.clone(), reason: link.reason.clone() })
            .collect(),
        matches: Vec::new(),
        leads: Vec::new(),
        not_affected: Vec::new(),
        suppressed: Vec::new(),
        decision_notes: Vec::new(),
        end_of_life: Vec::new(),
        baseline: None,
    };
    let mut facts = Facts { store, weights, known: HashMap::new() };
    for found in &correlation.matches {
        let package = &packages[found.package as usize];
        let mut entry = facts.entry(package, found)?;
        if !found.state.is_affected() {
            document.not_affected.push(entry);
            continue;
        }
        if !found.is_finding() {
            document.leads.push(entry);
            continue;
        }
        match decisions.decide(package, &found.ids) {
            Some(Decided::Vex { file, statement }) if statement.status.clears() => {
                let by = Decision::Vex(vex_status(file, statement));
                document.suppressed.push(Suppressed { finding: entry, by });
            }
            Some(Decided::Vex { file, statement }) => {
                entry.vex = Some(vex_status(file, statement));
                document.matches.push(entry);
            }
            Some(Decided::Ignore { file, entry: rule }) => {
                let by = Decision::Ignore { file: file.to_owned(), reason: rule.reason.clone(), expires: rule.expires };
                document.suppressed.push(Suppressed { finding: entry, by });
            }
            None => document.matches.push(entry),
        }
    }
    document.decision_notes = decisions
        .notes()
        .into_iter()
        .map(|note| DecisionNote { file: note.file, entry: note.entry, problem: note.problem })
        .collect();
    let incomplete = document.partial || uncovered;
    Ok(Assembled { document, incomplete })
}

fn vex_status(file: &str, statement: &Statement) -> VexStatus {
    VexStatus {
        file: file.to_owned(),
        status: statement.status.as_str().to_owned(),
        justification: statement.justification.clone(),
        note: statement.note.clone(),
    }
}

fn store_sources(manifest: &Manifest) -> Vec<StoreSource> {
    manifest
        .sources
        .iter()
        .map(|(name, entry)| StoreSource {
            name: name.clone(),
            records: entry.entries(),
            imported_at: entry.imported_at,
            failure: entry.failure.as_ref().map(|failure| failure.reason.clone()),
        })
        .collect()
}

fn source(source: &bartizan_inventory::collect::Source) -> AuditSource {
    AuditSource {
        path: source.path.clone(),
        format: source.format.as_str().to_owned(),
        packages: source.reading.as_ref().map_or(0, |reading| reading.packages.len()),
        os: source.os.as_ref().map(|(os, origin)| {
            let how = match origin {
                OsOrigin::OsRelease => "os-release",
                OsOrigin::Stated => "as stated",
                OsOrigin::BasePackages => "by the version of base-files",
                OsOrigin::Unknown => "not known",
            };
            format!("{} ({how})", os.ecosystem_and_release())
        }),
        error: source.reading.as_ref().err().map(ToString::to_string),
    }
}

fn partial_reasons(inventory: &Inventory) -> Vec<String> {
    let unread = inventory
        .sources
        .iter()
        .filter_map(|source| Some(format!("{}: {}", source.path, source.reading.as_ref().err()?)));
    let skipped = inventory.skipped.iter().map(|skipped| format!("{}: {}", skipped.path, skipped.reason));
    unread.chain(skipped).collect()
}

/// The ecosystem of a package, with the release of a distribution.
pub fn ecosystem(package: &Package) -> String {
    if package.release.is_empty() {
        package.ecosystem.to_string()
    } else {
        format!("{}:{}", package.ecosystem, package.release)
    }
}

/// Looks up what the document says beyond a match, each vulnerability once.
struct Facts<'s, S: ?Sized> {
    store: &'s S,
    weights: Weights,
    known: HashMap<Vec<Text>, Known>,
}

#[derive(Clone)]
struct Known {
    title: String,
    label: Option<Severity>,
    signals: Signals,
}

impl<S: AdvisoryStore + ?Sized> Facts<'_, S> {
    fn entry(&mut self, package: &Package, found: &Match) -> Result<AuditMatch> {
        let known = match self.known.get(&found.ids) {
            Some(known) => known.clone(),
            None => {
                let known = self.look_up(found)?;
                self.known.insert(found.ids.clone(), known.clone());
                known
            }
        };
        let purl = purl::of(package);
        let path = package.location.to_string();
        let ids: Vec<String> = found.ids.iter().map(ToString::to_string).collect();
        let id = ids.first().cloned().unwrap_or_default();
        let cvss = found.score.part(ScoreSource::Cvss);
        let (severity, severity_stated) = severity(found, cvss, known.label);
        Ok(AuditMatch {
            fingerprint: AuditMatch::fingerprint(&path, &purl, &id),
            path,
            ecosystem: ecosystem(package),
            package: package.name.to_string(),
            version: package.version.to_string(),
            source_package: package
                .source
                .as_ref()
                .filter(|source| source.name != package.name || source.version != package.version)
                .map(|source| format!("{} {}", source.name, source.version)),
            purl,
            scope: wire(package.scope),
            origin: wire(package.origin),
            ids,
            title: known.title,
            kind: wire(found.kind),
            state: found.state.as_str().to_owned(),
            severity,
            severity_stated,
            method: wire(found.method),
            confidence: found.confidence.0,
            fixed: found.fixed.iter().map(ToString::to_string).collect(),
            score: hundredths(found.score.composite),
            score_parts: found
                .score
                .parts
                .iter()
                .map(|part| ScorePart { source: wire(part.source), value: hundredths(part.value), weight: part.weight })
                .collect(),
            score_unknown: found.score.unknown(&self.weights).into_iter().map(wire).collect(),
            cvss,
            epss: known.signals.epss.map(|epss| AuditEpss {
                score: epss.score,
                percentile: epss.percentile,
                date: epss.date,
            }),
            kev: known
                .signals
                .kev
                .iter()
                .map(|kev| AuditKev {
                    asserter: kev.asserter.to_string(),
                    added: kev.added,
                    due: kev.due,
                    ransomware: kev.ransomware,
                })
                .collect(),
            exploits: known.signals.exploits.iter().map(|index| wire::<ExploitIndex>(*index)).collect(),
            vex: None,
            evidence: found.evidence.iter().map(evidence).collect(),
        })
    }

    fn look_up(&self, found: &Match) -> Result<Known> {
        let mut title = String::new();
        let mut label = None;
        for advisory in found.evidence.iter().map(|evidence| &evidence.advisory).chain(&found.ids) {
            for number in self.store.by_id(advisory)? {
                let head = self.store.head(number)?;
                for severity in &head.severities {
                    label = label.max(word(&severity.label));
                }
                if title.is_empty() && (head.id == *advisory) {
                    title = one_line(&self.store.advisory(number)?.summary);
                }
            }
        }
        let mut signals = Signals::default();
        for id in &found.ids {
            let one = self.store.signals(id)?;
            signals.kev.extend(one.kev.into_iter().filter(|kev| !signals.kev.contains(kev)).collect::<Vec<_>>());
            signals.exploits.extend(one.exploits);
            signals.epss = signals.epss.or(one.epss);
        }
        signals.exploits.sort_unstable();
        signals.exploits.dedup();
        Ok(Known { title, label, signals })
    }
}

/// The severity: by CVSS (the bands of its own rating scale), else by the vendor's word, else by the kind of record. A
/// vulnerability without any statement counts as medium, and the document says that it is assumed.
fn severity(found: &Match, cvss: Option<f32>, label: Option<Severity>) -> (Severity, bool) {
    match (found.kind, cvss, label) {
        (AdvisoryKind::Malicious, ..) => (Severity::Critical, true),
        (AdvisoryKind::Unmaintained | AdvisoryKind::Notice, ..) => (Severity::Info, true),
        (_, Some(score), _) => (
            match score {
                9.0.. => Severity::Critical,
                7.0.. => Severity::High,
                4.0.. => Severity::Medium,
                0.1.. => Severity::Low,
                _ => Severity::Info,
            },
            true,
        ),
        (_, None, Some(label)) => (label, true),
        (AdvisoryKind::Unsound, None, None) => (Severity::Low, false),
        (_, None, None) => (Severity::Medium, false),
    }
}

/// The severity a vendor's word stands for.
fn word(label: &str) -> Option<Severity> {
    Some(match label.to_ascii_lowercase().as_str() {
        "critical" => Severity::Critical,
        "high" | "important" => Severity::High,
        "medium" | "moderate" => Severity::Medium,
        "low" => Severity::Low,
        "negligible" | "unimportant" | "info" | "none" => Severity::Info,
        _ => return None,
    })
}

fn evidence(evidence: &bartizan_matching::model::AdvisoryEvidence) -> AuditEvidence {
    AuditEvidence {
        advisory: evidence.advisory.to_string(),
        source: evidence.source.to_string(),
        revision: evidence.revision.to_string(),
        name: evidence.name.to_string(),
        version: evidence.version.to_string(),
        range: evidence.range.to_string(),
        dialect: evidence.dialect.map(|dialect| dialect.to_string()).unwrap_or_default(),
        state: wire(evidence.state),
        notes: evidence.notes.iter().map(ToString::to_string).collect(),
    }
}

/// The wire form of an enumeration of the model.
pub fn wire<T: serde::Serialize>(value: T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => text,
        // The enumerations used here have no data, and so are texts.
        _ => String::new(),
    }
}

/// Two decimal places, which is what a score is worth.
fn hundredths(value: f32) -> f32 {
    (value * 100.0).round() / 100.0
}

fn one_line(text: &str) -> String {
    let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.chars().filter(|c| !c.is_control()).take(300).collect()
}
