//! One statement of an advisory, compiled.

use super::{Bound, Interval, Requirement, VersionSet};
use crate::model::{Affected, Event, Range, Text};
use crate::{Dialect, SortKey};

/// Most events, versions or requirements that are read of one statement. Real ones stay below a few thousand.
const MAX_PARTS: usize = 100_000;

/// A statement whose versions are keys.
#[derive(Debug)]
pub struct Statement {
    dialect: Dialect,
    /// Whether the ecosystem has an order of its own; if not, the general one is used and every answer is rough.
    known_order: bool,
    set: VersionSet,
    requirements: Vec<Requirement>,
    exceptions: Vec<Vec<Requirement>>,
    /// Sorted keys of the single versions.
    versions: Vec<SortKey>,
    /// Single versions that are no versions of the dialect.
    literal: Vec<Text>,
    /// Bounds that could not be read; the ranges they belong to are left out.
    unreadable: Vec<Text>,
    /// The statement names neither ranges nor versions.
    unconditional: bool,
    /// It names commits and nothing else, with which no version can be compared.
    commits_only: bool,
}

/// Whether a version is meant by a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Membership {
    /// It is, by the ecosystem's order.
    Inside,
    /// It is, by a rough comparison, or because everything is meant and the version cannot be read.
    Roughly,
    /// It is not.
    Outside,
    /// It is not, as far as a rough comparison or the bounds that could be read tell.
    Unknown,
}

impl Statement {
    /// Compiles a statement in the order of its ecosystem. Linear in its text, sorting aside.
    #[must_use]
    pub fn compile(affected: &Affected) -> Self {
        let own = affected.package.ecosystem.dialect();
        let semver = affected.ranges.iter().any(|range| matches!(range, Range::Events { semver: true, .. }));
        let dialect = own.unwrap_or(if semver { Dialect::Semver } else { Dialect::Generic });
        let mut statement = Self {
            dialect,
            known_order: dialect != Dialect::Generic,
            set: VersionSet::none(),
            requirements: Vec::new(),
            exceptions: Vec::new(),
            versions: Vec::new(),
            literal: Vec::new(),
            unreadable: Vec::new(),
            unconditional: affected.ranges.is_empty() && affected.versions.is_empty(),
            commits_only: affected.versions.is_empty()
                && !affected.ranges.is_empty()
                && affected.ranges.iter().all(|range| matches!(range, Range::Git { .. })),
        };
        for range in affected.ranges.iter().take(MAX_PARTS) {
            statement.add(range);
        }
        for version in affected.versions.iter().take(MAX_PARTS) {
            match dialect.key(version) {
                Ok(key) => statement.versions.push(key),
                Err(_) => statement.literal.push(version.clone()),
            }
        }
        // What is left out may be the version in question.
        if affected.ranges.len().max(affected.versions.len()) > MAX_PARTS {
            statement.unreadable.push(format!("more than {MAX_PARTS} versions").into());
        }
        statement.versions.sort_unstable();
        statement
    }

    fn add(&mut self, range: &Range) {
        match range {
            Range::Events { events, .. } => match events_to_set(self.dialect, events) {
                Ok(set) => self.set.extend(set),
                Err(version) => self.unreadable.push(version),
            },
            Range::Requirement { text } => match Requirement::parse(self.dialect, text) {
                Ok(requirement) => self.requirements.push(requirement),
                Err(_) => self.unreadable.push(text.clone()),
            },
            Range::Except { texts } => {
                let read: Result<Vec<_>, Text> =
                    texts.iter().map(|text| Requirement::parse(self.dialect, text).map_err(|_| text.clone())).collect();
                match read {
                    Ok(requirements) => self.exceptions.push(requirements),
                    Err(text) => self.unreadable.push(text),
                }
            }
            Range::Git { .. } => {}
        }
    }

    /// The order versions are compared in.
    #[must_use]
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Bounds that could not be read.
    #[must_use]
    pub fn unreadable(&self) -> &[Text] {
        &self.unreadable
    }

    /// The version without its local label, which PEP 440 ("Version matching") leaves out of `==` with a version that has
    /// none.
    fn public(&self, version: &str) -> Option<SortKey> {
        let (public, _) = version.split_once('+').filter(|_| self.dialect == Dialect::Pep440)?;
        self.dialect.key(public).ok()
    }

    /// Whether a version is meant. `key` is the version in the statement's dialect, if it could be read in it.
    #[must_use]
    pub fn membership(&self, version: &str, key: Option<&SortKey>) -> Membership {
        if self.unconditional {
            return Membership::Inside;
        }
        if self.commits_only {
            return Membership::Unknown;
        }
        if self.literal.iter().any(|literal| literal.as_str() == version) {
            return Membership::Inside;
        }
        let Some(key) = key else {
            // Whoever is affected in every version is affected in this one.
            return if self.set.is_all() { Membership::Roughly } else { Membership::Unknown };
        };
        let inside = self.set.contains(key)
            || self.versions.binary_search(key).is_ok()
            || self.public(version).is_some_and(|key| self.versions.binary_search(&key).is_ok())
            || self.requirements.iter().any(|requirement| requirement.contains(key))
            || self.exceptions.iter().any(|none| !none.iter().any(|requirement| requirement.contains(key)));
        match (inside, self.known_order) {
            (true, true) => Membership::Inside,
            (true, false) => Membership::Roughly,
            (false, true) if self.unreadable.is_empty() => Membership::Outside,
            (false, _) => Membership::Unknown,
        }
    }
}

/// The bound of `last_affected`. PEP 440, "Inclusive ordered comparison": the local label of a candidate does not count
/// where the bound has none, so that `1.13.0+cu117` is not newer than `1.13.0`.
fn last_affected(dialect: Dialect, version: &str, key: SortKey) -> Bound {
    if dialect == Dialect::Pep440
        && !version.contains('+')
        && let Ok(key) = crate::dialect::pep440::after_locals(version)
    {
        return Bound::excluding(key);
    }
    Bound { key, inclusive: true }
}

/// The evaluation of the OSV schema as intervals: events sorted by version, affected from an `introduced` to the next
/// `fixed` or `last_affected`, all below the highest limit.
///
/// Events of one version keep the order of the source, but `last_affected` comes last since it acts behind its version.
fn events_to_set(dialect: Dialect, events: &[Event]) -> Result<VersionSet, Text> {
    /// `None` is before every version.
    type Place = Option<SortKey>;
    let key = |version: &Text| dialect.key(version).map_err(|_| version.clone());
    let mut points: Vec<(Place, u8, &Event)> = Vec::with_capacity(events.len());
    let mut limit: Option<Place> = None;
    for event in events.iter().take(MAX_PARTS) {
        match event {
            Event::Introduced(version) if version == "0" => points.push((None, 0, event)),
            Event::Introduced(version) | Event::Fixed(version) => points.push((Some(key(version)?), 0, event)),
            Event::LastAffected(version) => points.push((Some(key(version)?), 1, event)),
            Event::Limit(version) if version == "*" => limit = Some(None),
            Event::Limit(version) => {
                let key = key(version)?;
                // An unlimited limit stays; of several the highest holds.
                limit = match limit {
                    Some(None) => Some(None),
                    Some(Some(known)) if known > key => Some(Some(known)),
                    _ => Some(Some(key)),
                };
            }
        }
    }
    points.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.cmp(&b.1)));
    let mut intervals = Vec::new();
    let mut open: Option<Option<Bound>> = None;
    for (place, _, event) in points {
        match event {
            Event::Introduced(_) => {
                if open.is_none() {
                    open = Some(place.map(Bound::including));
                }
            }
            Event::Fixed(_) | Event::LastAffected(_) => {
                if let (Some(low), Some(key)) = (open.take(), place) {
                    let high = match event {
                        Event::LastAffected(version) => last_affected(dialect, version, key),
                        _ => Bound::excluding(key),
                    };
                    intervals.push(Interval { low, high: Some(high) });
                }
            }
            Event::Limit(_) => {}
        }
    }
    if let Some(low) = open {
        intervals.push(Interval { low, high: None });
    }
    let set = VersionSet::of(intervals);
    Ok(match limit {
        Some(Some(key)) => set.intersect(&VersionSet::of([Interval { low: None, high: Some(Bound::excluding(key)) }])),
        _ => set,
    })
}

/// A statement's versions as text, for explanations: at most twelve parts.
#[must_use]
pub fn describe(affected: &Affected) -> String {
    const SHOWN: usize = 12;
    let mut parts: Vec<String> = Vec::new();
    for range in &affected.ranges {
        match range {
            Range::Events { events, .. } => parts.extend(events.iter().map(|event| match event {
                Event::Introduced(version) => format!(">={version}"),
                Event::Fixed(version) => format!("<{version}"),
                Event::LastAffected(version) => format!("<={version}"),
                Event::Limit(version) => format!("limit {version}"),
            })),
            Range::Requirement { text } => parts.push(text.to_string()),
            Range::Except { texts } => {
                let texts: Vec<&str> = texts.iter().map(Text::as_str).collect();
                parts.push(format!("not ({})", texts.join(" | ")));
            }
            Range::Git { repo, .. } => parts.push(format!("commits of {repo}")),
        }
    }
    if !affected.versions.is_empty() {
        let shown: Vec<&str> = affected.versions.iter().take(3).map(Text::as_str).collect();
        let more = affected.versions.len().saturating_sub(3);
        let tail = if more > 0 { format!(" and {more} more") } else { String::new() };
        parts.push(format!("one of {}{tail}", shown.join(", ")));
    }
    if parts.is_empty() {
        return "every version".to_owned();
    }
    let more = parts.len().saturating_sub(SHOWN);
    parts.truncate(SHOWN);
    let mut text = parts.join(" ");
    if more > 0 {
        text.push_str(&format!(" … {more} more"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Ecosystem, NameKind, PackageKey, VendorState};

    fn statement(ecosystem: Ecosystem, ranges: Vec<Range>, versions: &[&str]) -> Statement {
        Statement::compile(&Affected {
            package: PackageKey::new(ecosystem, "", "p"),
            name_kind: NameKind::Binary,
            state: VendorState::Affected,
            ranges,
            versions: versions.iter().map(|version| Text::from(*version)).collect(),
            fixed: Vec::new(),
            conditions: Vec::new(),
        })
    }

    fn asks(statement: &Statement, version: &str) -> Membership {
        statement.membership(version, statement.dialect().key(version).ok().as_ref())
    }

    fn events(list: &[(&str, &str)]) -> Range {
        let events = list
            .iter()
            .map(|(kind, version)| match *kind {
                "i" => Event::Introduced((*version).into()),
                "f" => Event::Fixed((*version).into()),
                "l" => Event::LastAffected((*version).into()),
                _ => Event::Limit((*version).into()),
            })
            .collect();
        Range::Events { semver: true, events }
    }

    #[test]
    fn events_are_evaluated_as_the_schema_says() {
        let s = statement(
            Ecosystem::CratesIo,
            vec![events(&[("i", "0"), ("f", "1.2.0"), ("i", "2.0.0"), ("l", "2.3.0"), ("i", "3.0.0")])],
            &["1.5.0"],
        );
        for inside in ["0.0.0-a", "1.1.9", "1.2.0-rc.1", "2.0.0", "2.3.0", "3.0.0", "99.0.0", "1.5.0"] {
            assert_eq!(asks(&s, inside), Membership::Inside, "{inside}");
        }
        for outside in ["1.2.0", "1.9.0", "2.0.0-rc.1", "2.3.1"] {
            assert_eq!(asks(&s, outside), Membership::Outside, "{outside}");
        }
    }

    #[test]
    fn unsorted_events_and_limits() {
        let s =
            statement(Ecosystem::CratesIo, vec![events(&[("f", "2.0.0"), ("i", "1.0.0"), ("limit", "1.5.0")])], &[]);
        assert_eq!(asks(&s, "1.4.0"), Membership::Inside);
        assert_eq!(asks(&s, "1.5.0"), Membership::Outside);
        assert_eq!(asks(&s, "0.9.0"), Membership::Outside);
    }

    #[test]
    fn what_cannot_be_read_is_never_a_silent_answer() {
        let s = statement(Ecosystem::CratesIo, vec![events(&[("i", "banana"), ("f", "2.0.0")])], &["weird"]);
        assert_eq!(asks(&s, "1.0.0"), Membership::Unknown);
        assert_eq!(asks(&s, "weird"), Membership::Inside);
        let all = statement(Ecosystem::CratesIo, vec![events(&[("i", "0")])], &[]);
        assert_eq!(asks(&all, "not-a-version"), Membership::Roughly);
        let unknown = statement(Ecosystem::Other("x".into()), vec![Range::Requirement { text: "<2".into() }], &[]);
        assert_eq!(asks(&unknown, "1.0"), Membership::Roughly);
        assert_eq!(asks(&unknown, "3.0"), Membership::Unknown);
    }

    #[test]
    fn what_is_left_out_is_never_a_silent_answer() {
        let all: Vec<String> = (0..=MAX_PARTS).map(|number| format!("1.0.{number}")).collect();
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        let s = statement(Ecosystem::CratesIo, vec![], &all);
        assert_eq!(asks(&s, "1.0.7"), Membership::Inside);
        assert_eq!(asks(&s, "2.0.0"), Membership::Unknown);
        let s = statement(Ecosystem::CratesIo, vec![], &all[1..]);
        assert_eq!(asks(&s, "2.0.0"), Membership::Outside);
    }

    #[test]
    fn single_versions_are_compared_as_versions() {
        let s = statement(Ecosystem::PyPi, vec![], &["1.0"]);
        assert_eq!(asks(&s, "1.0.0"), Membership::Inside);
        assert_eq!(asks(&s, "1.0.1"), Membership::Outside);
    }

    #[test]
    fn local_labels_do_not_make_a_python_version_newer() {
        let s = statement(Ecosystem::PyPi, vec![events(&[("i", "0"), ("l", "1.13.0")])], &["2.0", "2.1+here"]);
        for inside in ["1.13.0", "1.13.0+cu117", "2.0+cpu", "2.1+here"] {
            assert_eq!(asks(&s, inside), Membership::Inside, "{inside}");
        }
        for outside in ["1.13.1", "1.13.0.post1", "2.1", "2.1+there"] {
            assert_eq!(asks(&s, outside), Membership::Outside, "{outside}");
        }
        let fixed = statement(Ecosystem::PyPi, vec![events(&[("i", "0"), ("f", "1.13.0")])], &[]);
        assert_eq!(asks(&fixed, "1.13.0+cu117"), Membership::Outside);
    }

    #[test]
    fn commits_are_never_compared_with_versions() {
        let git = Range::Git { repo: "https://example.org/r".into(), events: vec![Event::Introduced("0".into())] };
        let git = || vec![git.clone()];
        assert_eq!(asks(&statement(Ecosystem::PyPi, git(), &[]), "1.0"), Membership::Unknown);
        assert_eq!(asks(&statement(Ecosystem::PyPi, git(), &["2.0"]), "1.0"), Membership::Outside);
    }
}
