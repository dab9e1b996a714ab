//! `bartizan explain`: why a vulnerability holds for a package, or why not.

use std::fmt::Write as _;

use anyhow::{Result, bail};
use bartizan_inventory::Inventory;
use bartizan_inventory::sbom::purl;
use bartizan_matching::correlate::{Explanation, explain};
use bartizan_matching::model::{AdvisoryEvidence, Authority, GapReason, Match, NoMatch, NoMatchReason, Package};
use bartizan_matching::score::Weights;
use serde_json::json;

use super::document::wire;
use super::gaps::Gaps;
use super::{collect, open_store, options};
use crate::args::{ExplainArgs, ListFormat};
use crate::exit::Exit;
use crate::io::{self, complain};

/// The schema of the JSON form.
const SCHEMA: &str = "bartizan.explain/1";
/// Places of a package that are explained one by one.
const MAX_PLACES: usize = 100;

/// Runs the command.
pub fn run(args: &ExplainArgs) -> Result<Exit> {
    let (inventory, mut packages, wanted) = packages(args)?;
    if wanted.is_empty() {
        complain(&format!("no package `{}` was found: nothing to explain", args.package));
        return Ok(Exit::Nothing);
    }
    let store = open_store(&args.inventory.store.store)?;
    store.add_successors(&mut packages)?;
    let options = options(&inventory, &store, &args.inventory);
    let mut explained = Vec::new();
    for index in wanted.iter().copied().take(MAX_PLACES) {
        let number = u32::try_from(index)?;
        explained.push((&packages[index], explain(&store, &packages, number, &args.id, &options)?));
    }
    let text = match args.format {
        ListFormat::Json => {
            let items: Vec<_> = explained
                .iter()
                .map(|(package, explanation)| {
                    json!({ "package": package, "purl": purl::of(package), "explanation": explanation })
                })
                .collect();
            serde_json::to_string_pretty(&json!({ "schema": SCHEMA, "id": args.id, "packages": items }))? + "\n"
        }
        ListFormat::Table => {
            let mut text = String::new();
            let gaps = Gaps::new(&store, &args.inventory.store.store);
            for (package, explanation) in &explained {
                describe(package, &args.id, explanation, &gaps, &options.weights, &mut text);
            }
            if wanted.len() > MAX_PLACES {
                // Writing to a String cannot fail.
                let _ = writeln!(text, "{} more places are not shown.", wanted.len() - MAX_PLACES);
            }
            text
        }
    };
    io::print(&text)?;
    Ok(Exit::Done)
}

/// What was read, all its packages, and which of them are meant.
fn packages(args: &ExplainArgs) -> Result<(Inventory, Vec<Package>, Vec<usize>)> {
    let is_purl = args.package.starts_with("pkg:");
    let stated = if is_purl {
        match purl::package(&args.package, args.inventory.os.as_ref()) {
            Ok(Some(mut package)) => {
                package.purl = args.package.as_str().into();
                Some(package)
            }
            Ok(None) => bail!("`{}` names an image, not a package", args.package),
            Err(rule) => bail!("`{}` is not a package URL: {rule}", args.package),
        }
    } else {
        None
    };
    if args.paths.is_empty() && !args.inventory.host {
        return match stated {
            Some(package) if package.version.is_empty() => {
                bail!("`{}` has no version: add @VERSION, or a PATH or --host to look for it", args.package)
            }
            Some(package) => Ok((Inventory::default(), vec![package], vec![0])),
            None => bail!("`{}` is a name: add a PATH or --host to look for it, or give a package URL", args.package),
        };
    }
    let inventory = collect(&args.paths, &args.inventory)?;
    let packages = inventory.packages();
    let (name, version) = match args.package.char_indices().skip(1).find(|(_, c)| *c == '@') {
        Some((at, _)) => (&args.package[..at], &args.package[at + 1..]),
        None => (args.package.as_str(), ""),
    };
    let is_wanted = |package: &Package| match &stated {
        Some(wanted) => {
            wanted.ecosystem == package.ecosystem
                && is_named(package, &wanted.name)
                && (wanted.version.is_empty() || wanted.version == package.version)
        }
        None => is_named(package, name) && (version.is_empty() || &*package.version == version),
    };
    let wanted =
        packages.iter().enumerate().filter(|(_, package)| is_wanted(package)).map(|(index, _)| index).collect();
    Ok((inventory, packages, wanted))
}

fn is_named(package: &Package, name: &str) -> bool {
    let normal = |name: &str| package.ecosystem.normalise(name);
    normal(&package.name) == normal(name)
        || package.source.as_ref().is_some_and(|source| normal(&source.name) == normal(name))
}

fn describe(
    package: &Package,
    id: &str,
    explanation: &Explanation,
    gaps: &Gaps<'_>,
    weights: &Weights,
    text: &mut String,
) {
    let release = if package.release.is_empty() { String::new() } else { format!(":{}", package.release) };
    let place = if package.location.is_empty() { String::new() } else { format!(" in {}", package.location) };
    let mut line = |content: String| {
        text.push_str(&printable(&content));
        text.push('\n');
    };
    line(format!("{} {} ({}{release}){place}", package.name, package.version, package.ecosystem));
    if let Some(source) = &package.source {
        line(format!("  built from {} {}", source.name, source.version));
    }
    let names: Vec<&str> = explanation.ids.iter().map(|id| id.as_str()).collect();
    line(format!("  {}", if names.is_empty() { id.to_owned() } else { names.join(", ") }));
    line(String::new());
    match &explanation.matched {
        Some(found) => matched(found, weights, &mut line),
        None if explanation.is_incomplete => {
            line(format!("  {id} IS A LEAD ONLY: what its configuration asks for besides is not known to be there"));
        }
        None if explanation.gaps.is_empty() || is_spoken_of(package, explanation) => {
            line(format!("  {id} DOES NOT APPLY, as far as the store knows"));
        }
        None => line(format!("  NOT KNOWN whether {id} applies")),
    }
    for gap in &explanation.gaps {
        let told = gaps.tell(package, *gap);
        line(format!("  not covered: {}", told.reason));
        if let Some(remedy) = told.remedy {
            line(format!("    → {remedy}"));
        }
    }
    if !explanation.against.is_empty() {
        line("  Records that do not apply:".to_owned());
        for record in &explanation.against {
            against(record, &mut line);
        }
    }
    if explanation.matched.is_none() && explanation.against.is_empty() && explanation.gaps.is_empty() {
        line(format!("  No record of the store speaks of {id}."));
    }
    line(String::new());
}

/// Whether records compare this very package with this vulnerability, and every one that speaks of it could: then gaps in
/// other knowledge change nothing. What is compared by words or CPE names alone is never that sure.
fn is_spoken_of(package: &Package, explanation: &Explanation) -> bool {
    let reasons = || explanation.against.iter().map(|one| one.reason);
    package.ecosystem.authority() != Authority::Cpe
        && !explanation.gaps.contains(&GapReason::VersionUnreadable)
        && !reasons().any(|reason| reason == NoMatchReason::VersionUnreadable)
        && reasons().any(|reason| {
            matches!(reason, NoMatchReason::OutsideRange | NoMatchReason::ConditionFails | NoMatchReason::NotAffected)
        })
}

fn matched(found: &Match, weights: &Weights, line: &mut impl FnMut(String)) {
    let state = found.state.as_str().replace('_', " ").to_uppercase();
    let fixed = match found.fixed.as_slice() {
        [] => String::new(),
        fixed => format!(", fixed in {}", fixed.iter().map(|version| version.as_str()).collect::<Vec<_>>().join(", ")),
    };
    let kind = if found.is_finding() { "" } else { " (a lead, not counted as a finding)" };
    line(format!("  {state}{fixed}{kind}"));
    line(format!("  method {}, confidence {}", wire(found.method), found.confidence.0));
    let parts: Vec<String> = found
        .score
        .parts
        .iter()
        .map(|part| format!("{} {:.1} × {}", wire(part.source), part.value, part.weight))
        .collect();
    let unknown: Vec<String> = found.score.unknown(weights).into_iter().map(wire).collect();
    let unknown = if unknown.is_empty() { String::new() } else { format!("; unknown: {}", unknown.join(", ")) };
    line(format!("  score {:.1} of 10: {}{unknown}", found.score.composite, parts.join(", ")));
    for (index, evidence) in found.evidence.iter().enumerate() {
        line(format!("  {}", if index == 0 { "Decided by:" } else { "Also read:" }));
        statement(evidence, line);
    }
}

fn statement(evidence: &AdvisoryEvidence, line: &mut impl FnMut(String)) {
    let revision =
        if evidence.revision.is_empty() { String::new() } else { format!(", revision {}", evidence.revision) };
    line(format!("    {} ({}{revision})", evidence.advisory, evidence.source));
    let order = evidence.dialect.map(|dialect| format!(" in the order of {dialect}")).unwrap_or_default();
    line(format!("      {} {} against {}{order}", evidence.name, evidence.version, evidence.range));
    line(format!("      says {}", wire(evidence.state).replace('_', " ")));
    for note in &evidence.notes {
        line(format!("      note: {note}"));
    }
}

fn against(record: &NoMatch, line: &mut impl FnMut(String)) {
    let why = match record.reason {
        NoMatchReason::OtherPackage => "it says nothing about a package of this name",
        NoMatchReason::OtherEcosystem => "it speaks of the name in another ecosystem",
        NoMatchReason::OtherRelease => "it speaks of another release of the distribution",
        NoMatchReason::OutsideRange => "the version lies outside its ranges",
        NoMatchReason::ConditionFails => "a condition of it does not hold",
        NoMatchReason::NotAffected => "the vendor says: not affected",
        NoMatchReason::Withdrawn => "it is withdrawn",
        NoMatchReason::Outdated => "a newer copy of the record says otherwise",
        NoMatchReason::DecidedByAuthority => "a source with more authority about this package decides",
        NoMatchReason::VersionUnreadable => "the version cannot be compared",
        NoMatchReason::ConfigurationFails => "its CPE configuration does not hold",
    };
    match &record.evidence {
        Some(evidence) => {
            line(format!("    {why}:"));
            statement(evidence, line);
        }
        None => line(format!("    {} ({}): {why}", record.advisory, record.source)),
    }
}

/// Text from files must not drive the terminal.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use bartizan_matching::model::Ecosystem;

    use super::*;

    #[test]
    fn a_gap_counts_unless_every_record_could_be_compared() {
        let told = |ecosystem: Ecosystem, reasons: &[NoMatchReason], gaps: &[GapReason]| {
            let against = reasons.iter().map(|reason| NoMatch {
                advisory: "A".into(),
                source: "s".into(),
                reason: *reason,
                evidence: None,
            });
            let explanation = Explanation {
                ids: Vec::new(),
                matched: None,
                is_incomplete: false,
                against: against.collect(),
                gaps: gaps.to_vec(),
            };
            is_spoken_of(&Package::new(ecosystem, "x", "1"), &explanation)
        };
        let partly = [GapReason::PartlyCovered { records: 1 }];
        assert!(told(Ecosystem::Npm, &[NoMatchReason::OutsideRange], &partly));
        assert!(!told(Ecosystem::Npm, &[NoMatchReason::OtherRelease], &partly));
        assert!(!told(Ecosystem::Npm, &[NoMatchReason::OutsideRange, NoMatchReason::VersionUnreadable], &partly));
        assert!(!told(Ecosystem::Npm, &[NoMatchReason::OutsideRange], &[GapReason::VersionUnreadable]));
        assert!(!told(Ecosystem::Generic, &[NoMatchReason::OutsideRange], &partly));
    }
}
