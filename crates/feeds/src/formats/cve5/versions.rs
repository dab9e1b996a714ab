//! The versions of an `affected` entry as intervals.
//!
//! Source of the rules: "Product Status" in the CVE record format (`docs/versions.md` of `CVEProject/cve-schema`). An entry
//! of `versions` gives its status to one version, or to a range that `changes` divide; what no entry speaks of has the
//! `defaultStatus`. A range ends at `lessThan` (exclusive) or `lessThanOrEqual` (inclusive); `*` has no end, and `5.10.*`
//! ends with the last 5.10.
//!
//! Beyond the format, because records do it: bounds written into `version` itself (`>= 4.0, < 4.2.1`, `before 2.3`,
//! `1.2 and earlier`). Anything else in words is one version of that name, which nothing is equal to.
//!
//! What is affected by default less what is not has to be ordered; that is done in the order of the package's ecosystem,
//! else of SemVer where the record says so, else in the general one. Linear but for that.

use bartizan_matching::model::{Event, Text};
use bartizan_matching::{Dialect, SortKey};

use super::Version;
use crate::formats::common;

/// What CVE records write where they do not know a version.
pub(super) fn is_no_version(text: &str) -> bool {
    matches!(text.trim(), "" | "*" | "-" | "n/a" | "N/A" | "unspecified" | "unknown" | "all" | "All" | "any")
}

/// What a record says of a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Affected,
    Unaffected,
    Unknown,
}

impl Status {
    pub(super) fn of(word: &str) -> Self {
        if word.eq_ignore_ascii_case("affected") {
            Self::Affected
        } else if word.eq_ignore_ascii_case("unaffected") {
            Self::Unaffected
        } else {
            Self::Unknown
        }
    }
}

/// An end of an interval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bound {
    pub(super) version: Text,
    pub(super) inclusive: bool,
}

impl Bound {
    fn including(version: &str) -> Self {
        Self { version: version.trim().into(), inclusive: true }
    }

    fn excluding(version: &str) -> Self {
        Self { version: version.trim().into(), inclusive: false }
    }
}

/// Versions between two ends, of which an absent one is open.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Interval {
    pub(super) low: Option<Bound>,
    pub(super) high: Option<Bound>,
    /// What comes behind it has a status that is not known, so that its end is no fix.
    pub(super) unknown_after: bool,
}

impl Interval {
    /// As events; `None` if they cannot say it, because it begins behind a version.
    pub(super) fn events(&self) -> Option<Vec<Event>> {
        let low = match &self.low {
            None => "0".into(),
            Some(low) if low.inclusive => low.version.clone(),
            Some(_) => return None,
        };
        let high = self.high.as_ref().map(|high| match (high.inclusive, self.unknown_after) {
            (true, _) => Event::LastAffected(high.version.clone()),
            (false, true) => Event::Limit(high.version.clone()),
            (false, false) => Event::Fixed(high.version.clone()),
        });
        Some(std::iter::once(Event::Introduced(low)).chain(high).collect())
    }

    /// In words.
    pub(super) fn words(&self) -> String {
        let low =
            self.low.as_ref().map(|low| format!("{} {}", if low.inclusive { "from" } else { "after" }, low.version));
        let high =
            self.high.as_ref().map(|high| format!("{} {}", if high.inclusive { "to" } else { "before" }, high.version));
        match (low, high) {
            (None, None) => "every version".to_owned(),
            (low, high) => low.into_iter().chain(high).collect::<Vec<_>>().join(" "),
        }
    }
}

/// The last version of a series (`5.10.*`, `5.10.x`), as the bound of what is before the next.
fn end_of_series(text: &str) -> Option<Bound> {
    let text = text.trim();
    let stem = text.strip_suffix(".*").or_else(|| text.strip_suffix(".x")).or_else(|| text.strip_suffix(".X"))?;
    let (head, last) = match stem.rsplit_once('.') {
        Some((head, last)) => (Some(head), last),
        None => (None, stem),
    };
    let next = last.parse::<u64>().ok()?.checked_add(1)?.to_string();
    Some(Bound::excluding(&head.map_or_else(|| next.clone(), |head| format!("{head}.{next}"))))
}

/// The parts of one entry with their statuses, ascending as it states them.
pub(super) fn parts(entry: &Version<'_>) -> Vec<(Interval, Status)> {
    let status = Status::of(&entry.status);
    let is_range = entry.less_than.is_some() || entry.less_than_or_equal.is_some() || !entry.changes.is_empty();
    if !is_range {
        return written(&entry.version).into_iter().map(|interval| (interval, status)).collect();
    }
    let high = match (&entry.less_than, &entry.less_than_or_equal) {
        (Some(end), _) if !is_no_version(end) => end_of_series(end).or_else(|| Some(Bound::excluding(end))),
        (None, Some(end)) if !is_no_version(end) => end_of_series(end).or_else(|| Some(Bound::including(end))),
        _ => None,
    };
    let low = (!is_no_version(&entry.version) && entry.version.trim() != "0").then(|| Bound::including(&entry.version));
    let (mut parts, mut low, mut status) = (Vec::new(), low, status);
    for change in entry.changes.iter().filter(|change| !is_no_version(&change.at)) {
        let next = Status::of(&change.status);
        if next == status {
            continue;
        }
        let high = Some(Bound::excluding(&change.at));
        parts.push((Interval { low, high, unknown_after: next == Status::Unknown }, status));
        (low, status) = (Some(Bound::including(&change.at)), next);
    }
    parts.push((Interval { low, high, unknown_after: false }, status));
    parts
}

/// What stands in `version` alone: one version, every version, or bounds.
fn written(text: &str) -> Option<Interval> {
    let text = text.trim();
    if is_no_version(text) {
        return Some(Interval::default());
    }
    let bounded = compared(text).or_else(|| in_words(text));
    Some(bounded.unwrap_or_else(|| match end_of_series(text) {
        Some(high) => {
            let stem = text.rsplit_once('.').map_or(text, |(stem, _)| stem);
            Interval { low: Some(Bound::including(stem)), high: Some(high), unknown_after: false }
        }
        None => {
            Interval { low: Some(Bound::including(text)), high: Some(Bound::including(text)), unknown_after: false }
        }
    }))
}

/// `>= 4.0, < 4.2.1`.
fn compared(text: &str) -> Option<Interval> {
    let mut interval = Interval::default();
    for part in text.split(',') {
        let part = part.trim();
        let (operator, version) =
            part.split_at(part.find(|c: char| !matches!(c, '<' | '>' | '=')).unwrap_or(part.len()));
        let version = version.trim();
        if version.is_empty() || version.contains(char::is_whitespace) {
            return None;
        }
        match operator {
            "<" => interval.high = Some(Bound::excluding(version)),
            "<=" => interval.high = Some(Bound::including(version)),
            ">" => interval.low = Some(Bound::excluding(version)),
            ">=" => interval.low = Some(Bound::including(version)).filter(|low| low.version != "0"),
            "=" | "==" => {
                interval.low = Some(Bound::including(version));
                interval.high = Some(Bound::including(version));
            }
            _ => return None,
        }
    }
    Some(interval)
}

/// `before 2.3`, `1.2 and earlier`, `1.0 through 1.4`.
fn in_words(text: &str) -> Option<Interval> {
    let lower = text.to_ascii_lowercase();
    let version = |text: &str| {
        let text = text.trim();
        let text = text.strip_prefix("versions ").or_else(|| text.strip_prefix("version ")).unwrap_or(text).trim();
        let is_one = !text.contains(char::is_whitespace) && text.contains(|c: char| c.is_ascii_digit());
        is_one.then(|| text.to_owned())
    };
    let below = |high: Bound| Some(Interval { high: Some(high), ..Interval::default() });
    for prefix in [
        "before ",
        "prior to ",
        "versions before ",
        "versions prior to ",
        "all versions before ",
        "all versions prior to ",
    ] {
        if let Some(end) = lower.strip_prefix(prefix).and_then(version) {
            return below(Bound::excluding(&end));
        }
    }
    for prefix in ["through ", "up to ", "versions up to ", "up to and including "] {
        if let Some(end) = lower.strip_prefix(prefix).and_then(version) {
            return below(Bound::including(&end));
        }
    }
    for suffix in ["earlier", "below", "prior", "older", "lower", "previous"] {
        for end in [format!(" and {suffix}"), format!(" and {suffix} versions"), format!(" or {suffix}")] {
            if let Some(end) = lower.strip_suffix(&end).and_then(version) {
                return below(Bound::including(&end));
            }
        }
    }
    for between in [" through ", " to ", " - "] {
        if let Some((low, high)) = lower.split_once(between)
            && let (Some(low), Some(high)) = (version(low), version(high))
        {
            let [low, high] = [low, high].map(|end| Some(Bound::including(&end)));
            return Some(Interval { low, high, unknown_after: false });
        }
    }
    None
}

/// What is affected: what entries say, or, where that is the default, everything but what they say is not. `Err` with the
/// exceptions in words if those cannot be ordered.
pub(super) fn affected<'v>(
    entries: impl Iterator<Item = &'v Version<'v>>,
    default: Status,
    dialect: Dialect,
) -> Result<Vec<Interval>, String> {
    let parts: Vec<(Interval, Status)> = entries.flat_map(parts).collect();
    if default != Status::Affected {
        return Ok(parts.into_iter().filter(|(_, status)| *status == Status::Affected).map(|(part, _)| part).collect());
    }
    let holes: Vec<(Interval, Status)> = parts.into_iter().filter(|(_, status)| *status != Status::Affected).collect();
    let is_one = |hole: &Interval| matches!((&hole.low, &hole.high), (Some(low), Some(high)) if low == high);
    let left = match &holes[..] {
        // "Everything but 9.2" is how records say that 9.2 has the fix.
        [(only, _)] if is_one(only) => {
            let high = only.low.as_ref().map(|bound| Bound { inclusive: false, ..bound.clone() });
            Some(vec![Interval { low: None, high, unknown_after: false }])
        }
        // Several single ones are the fixes of as many series, and which those are is not said.
        several if several.len() > 1 && several.iter().all(|(hole, _)| is_one(hole)) => None,
        holes => rest(holes, dialect),
    };
    left.ok_or_else(|| {
        let words: Vec<String> = holes.iter().take(20).map(|(hole, _)| hole.words()).collect();
        common::cut(&format!("not affected: {}", words.join(", ")), 500).to_string()
    })
}

/// A place between two versions: just before one (0) or just behind it (1).
type Place = (SortKey, u8);

/// Everything outside of these; `None` if a bound cannot be read.
fn rest(holes: &[(Interval, Status)], dialect: Dialect) -> Option<Vec<Interval>> {
    let place = |bound: &Bound, before: bool| -> Option<Place> {
        Some((dialect.key(&bound.version).ok()?, u8::from(bound.inclusive != before)))
    };
    let mut placed = Vec::with_capacity(holes.len());
    for (hole, status) in holes {
        let low = match &hole.low {
            None => None,
            Some(low) => Some(place(low, true)?),
        };
        let high = match &hole.high {
            None => None,
            Some(high) => Some(place(high, false)?),
        };
        placed.push((low, high, hole, *status));
    }
    placed.sort_by(|a, b| a.0.cmp(&b.0));
    let mut left = Vec::new();
    // Where the next piece begins: at the start of all versions, or behind a hole.
    let mut begin: Option<(Place, Bound)> = None;
    for (low, high, hole, status) in placed {
        let is_free = match (&begin, &low) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some((begin, _)), Some(low)) => begin < low,
        };
        if let Some(bound) = hole.low.as_ref().filter(|_| is_free) {
            left.push(Interval {
                low: begin.as_ref().map(|(_, bound)| bound.clone()),
                high: Some(Bound { version: bound.version.clone(), inclusive: !bound.inclusive }),
                unknown_after: status == Status::Unknown,
            });
        }
        match (high, &hole.high) {
            (Some(high), Some(bound)) => {
                if begin.as_ref().is_none_or(|(begin, _)| *begin < high) {
                    begin = Some((high, Bound { version: bound.version.clone(), inclusive: !bound.inclusive }));
                }
            }
            _ => return Some(left),
        }
    }
    left.push(Interval { low: begin.map(|(_, bound)| bound), high: None, unknown_after: false });
    Some(left)
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::super::Change;
    use super::*;
    use crate::formats::common::Str;

    fn owned(text: &str) -> Str<'static> {
        Str(Cow::Owned(text.to_owned()))
    }

    /// `status version less_than less_than_or_equal at=status …`; `.` is nothing.
    fn entries(text: &str) -> Vec<Version<'static>> {
        let some = |text: &str| (text != ".").then(|| owned(text));
        text.lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .map(|line| {
                let fields: Vec<&str> = line.split_whitespace().collect();
                Version {
                    version: some(fields[1]).unwrap_or_default(),
                    status: owned(fields[0]),
                    version_type: Str::default(),
                    less_than: some(fields[2]),
                    less_than_or_equal: some(fields[3]),
                    changes: fields[4..]
                        .iter()
                        .map(|change| {
                            let (at, status) = change.split_once('=').unwrap();
                            Change { at: owned(at), status: owned(status) }
                        })
                        .collect(),
                }
            })
            .collect()
    }

    fn told(default: Status, text: &str) -> String {
        match affected(entries(text).iter(), default, Dialect::Generic) {
            Ok(intervals) => intervals.iter().map(Interval::words).collect::<Vec<_>>().join("; "),
            Err(words) => format!("? {words}"),
        }
    }

    #[test]
    fn ranges_are_divided_by_their_changes() {
        let of = |text| told(Status::Unaffected, text);
        assert_eq!(of("affected 1.0 2.0 ."), "from 1.0 before 2.0");
        assert_eq!(of("affected 1.0 . 2.0"), "from 1.0 to 2.0");
        assert_eq!(of("affected 1.0 . ."), "from 1.0 to 1.0");
        assert_eq!(of("affected 0 * ."), "every version");
        assert_eq!(
            of("affected 1.0 3.0 . 1.5=unaffected 2.0=affected 2.5=unaffected"),
            "from 1.0 before 1.5; from 2.0 before 2.5"
        );
        assert_eq!(of("unaffected 1.0 3.0 . 2.0=affected"), "from 2.0 before 3.0");
        assert_eq!(of("affected 1.0 . 5.10.*"), "from 1.0 before 5.11");
        assert_eq!(of("affected 2.x . ."), "from 2 before 3");
        assert_eq!(of("unaffected 1.0 . .\nunknown 2.0 . ."), "");
    }

    #[test]
    fn what_is_affected_by_default_is_the_rest() {
        let of = |text| told(Status::Affected, text);
        assert_eq!(of(""), "every version");
        assert_eq!(of("unaffected 2.0 . ."), "before 2.0");
        assert_eq!(of("unaffected 2.0 . .\nunaffected 3.1 . ."), "? not affected: from 2.0 to 2.0, from 3.1 to 3.1");
        assert_eq!(of("unaffected 2.0 * ."), "before 2.0");
        assert_eq!(of("affected 5.10 . ."), "every version");
        // The kernel's form: fixed in each series.
        let kernel = "affected 5.8 . .
            unaffected 0 5.8 .
            unaffected 5.10.94 . 5.10.*
            unaffected 5.15.17 . 5.15.*
            unaffected 5.17 . *";
        assert_eq!(of(kernel), "from 5.8 before 5.10.94; from 5.11 before 5.15.17; from 5.16 before 5.17");
        // Holes that overlap, out of order.
        assert_eq!(of("unaffected 3.0 5.0 .\nunaffected 1.0 4.0 ."), "before 1.0; from 5.0");
        assert_eq!(of("unaffected 1.0 . 2.0"), "before 1.0; after 2.0");
        assert_eq!(of("unaffected some-build 3.0 ."), "? not affected: from some-build before 3.0");
    }

    #[test]
    fn bounds_in_the_version_are_bounds() {
        let of = |text: &str| written(text).unwrap().words();
        assert_eq!(of(">= 4.0.0, < 4.2.1"), "from 4.0.0 before 4.2.1");
        assert_eq!(of("<2.3"), "before 2.3");
        assert_eq!(of("= 1.2"), "from 1.2 to 1.2");
        assert_eq!(of("before 2.3"), "before 2.3");
        assert_eq!(of("All versions prior to 2.3"), "before 2.3");
        assert_eq!(of("1.2 and earlier"), "to 1.2");
        assert_eq!(of("1.0 through 1.4"), "from 1.0 to 1.4");
        assert_eq!(of("R2 (build 7) and others"), "from R2 (build 7) and others to R2 (build 7) and others");
        assert_eq!(of("n/a"), "every version");
    }

    #[test]
    fn the_end_before_something_unknown_is_no_fix() {
        let intervals =
            affected(entries("affected 1.0 3.0 . 2.0=unknown").iter(), Status::Unaffected, Dialect::Generic);
        assert_eq!(
            intervals.unwrap()[0].events().unwrap(),
            [Event::Introduced("1.0".into()), Event::Limit("2.0".into())]
        );
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(version: String, end: String, at: String, status in 0..3_usize) {
            let word = ["affected", "unaffected", "x"][status];
            let entry = Version {
                version: owned(&version),
                status: owned(word),
                version_type: Str::default(),
                less_than: None,
                less_than_or_equal: Some(owned(&end)),
                changes: vec![Change { at: owned(&at), status: owned("affected") }],
            };
            for default in [Status::Affected, Status::Unaffected] {
                let _ = affected(std::iter::once(&entry), default, Dialect::Generic);
            }
            let _ = written(&entry.version);
        }
    }
}
