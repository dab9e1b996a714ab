//! Requirements in the syntax of each ecosystem, read as sets of versions.
//!
//! | dialect | source of the rules | read |
//! |---|---|---|
//! | npm | node-semver, "Ranges", with `includePrerelease` | `||`, comparators, hyphen, x, `~`, `^` |
//! | semver | the Cargo book, "Specifying dependencies" | `,`, comparators, `*`, `~`, `^`; a bare version is a caret |
//! | pep440 | PEP 440, "Version specifiers", and the intervals of `packaging` | all; `===` compares as `==` |
//! | gem | `Gem::Requirement` | `,`, comparators, `~>`, `!=` |
//! | hex | Elixir's `Version`, "Requirements" | `and`, `or`, comparators, `~>`, `!=` |
//! | composer | composer/semver | `|`, `||`, space, `,`, hyphen, `*`, `~`, `^`, `!=` |
//! | maven, nuget | Maven's version ranges, NuGet's interval notation | unions of intervals; comparators as GHSA writes them; a bare version is exact in Maven, a minimum in NuGet |
//! | all others | comparators | `,` or space joins, `||` separates; `<<` and `>>` are Debian's strict forms |
//!
//! Prereleases belong to a range when they lie in it: an advisory for `<2.0.0` is about `2.0.0-rc.1` too. Not supported:
//! stability flags (`@dev`) and branches of Composer, `latest` and other tags of npm. Linear in the text; the
//! intersection of comparators is bounded by the caps below.

use super::{Bound, Interval, VersionSet};
use crate::{Dialect, SortKey};

/// Longest requirement that is read, in bytes.
const MAX_TEXT: usize = 8192;
/// Most comparators of one alternative.
const MAX_COMPARATORS: usize = 64;

/// A requirement: a set of versions.
#[derive(Debug, Clone)]
pub struct Requirement(VersionSet);

/// Why a text is not a requirement.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a {dialect} requirement: {rule}")]
pub struct RequirementError {
    /// The text, cut to 120 characters.
    pub text: String,
    /// The dialect it was read in.
    pub dialect: Dialect,
    /// The rule it breaks.
    pub rule: &'static str,
}

type Read<T> = Result<T, &'static str>;

impl Requirement {
    /// Reads a requirement.
    ///
    /// # Errors
    /// Names the rule that is broken.
    pub fn parse(dialect: Dialect, text: &str) -> Result<Self, RequirementError> {
        let read = if text.len() > MAX_TEXT {
            Err("it is longer than 8192 bytes")
        } else {
            match dialect {
                Dialect::Pep440 => python(text),
                _ => alternatives(dialect, text.trim()),
            }
        };
        read.map(Self).map_err(|rule| RequirementError { text: text.chars().take(120).collect(), dialect, rule })
    }

    /// Whether a version satisfies it, by its key in the dialect the requirement was read in.
    #[must_use]
    pub fn contains(&self, key: &SortKey) -> bool {
        self.0.contains(key)
    }

    /// The versions that satisfy it.
    #[must_use]
    pub fn versions(&self) -> &VersionSet {
        &self.0
    }
}

/// Python's specifiers, joined by commas, as the intervals of `packaging`: `<1.2` ends before the first prerelease of
/// 1.2, `>1.2` begins after its last post release, and local versions belong to the version they are of.
fn python(text: &str) -> Read<VersionSet> {
    let mut set = VersionSet::all();
    let mut count = 0;
    for specifier in text.split(',').map(str::trim).filter(|specifier| !specifier.is_empty()) {
        count += 1;
        if count > MAX_COMPARATORS {
            return Err("it has more than 64 comparators");
        }
        let length = specifier.bytes().take_while(|byte| b"<>=!~".contains(byte)).count();
        let (operator, version) = specifier.split_at(length);
        set = set.intersect(&python_specifier(operator, version.trim())?);
    }
    if count == 0 { Err("it is empty") } else { Ok(set) }
}

fn python_specifier(operator: &str, version: &str) -> Read<VersionSet> {
    use crate::dialect::pep440;
    let dialect = Dialect::Pep440;
    if let Some(stem) = version.strip_suffix(".*") {
        let (low, next) = pep440::prefix(stem, 0)?;
        let inside = between(low.clone(), next.clone());
        return match operator {
            "==" => Ok(inside),
            "!=" => {
                let mut outside = below(low);
                outside.extend(at_least(next));
                Ok(outside)
            }
            _ => Err("only == and != take a wildcard"),
        };
    }
    let exact = key(dialect, version)?;
    let has_local = version.contains('+');
    let family = if has_local { exact.clone() } else { pep440::after_locals(version)? };
    let open = |low: Option<Bound>, high: Option<Bound>| VersionSet::of([Interval { low, high }]);
    Ok(match operator {
        ">=" => at_least(exact),
        "<=" => open(None, Some(Bound::including(pep440::after_locals(version)?))),
        ">" => open(Some(Bound::excluding(pep440::after_posts(version)?)), None),
        "<" => below(pep440::before_prereleases(version)?),
        "==" | "===" => open(Some(Bound::including(exact)), Some(Bound::including(family))),
        "!=" => {
            let mut set = below(exact);
            set.extend(open(Some(Bound::excluding(family)), None));
            set
        }
        "~=" => {
            let (_, next) = pep440::prefix(version, 1)?;
            between(exact, next)
        }
        _ => return Err("it has an unknown operator"),
    })
}

/// Alternatives joined by `||` (`|`, `or`, or the commas between intervals).
fn alternatives(dialect: Dialect, text: &str) -> Read<VersionSet> {
    if matches!(dialect, Dialect::Maven | Dialect::Nuget) && text.starts_with(['[', '(']) {
        return intervals(dialect, text);
    }
    let replaced;
    let text = match dialect {
        Dialect::Hex => {
            replaced = text.replace(" or ", " || ").replace(" and ", " ");
            replaced.as_str()
        }
        _ => text,
    };
    let mut set = VersionSet::none();
    for alternative in text.split('|').enumerate().filter_map(|(index, part)| {
        // `||` leaves an empty part between its two bars; an empty requirement alone is any version.
        (index == 0 || !part.is_empty()).then_some(part)
    }) {
        set.extend(conjunction(dialect, alternative.trim())?);
    }
    Ok(set)
}

fn conjunction(dialect: Dialect, text: &str) -> Read<VersionSet> {
    if matches!(dialect, Dialect::Npm | Dialect::Composer)
        && let Some((low, high)) = text.split_once(" - ")
    {
        return hyphen(dialect, low.trim(), high.trim());
    }
    let mut set = VersionSet::all();
    let mut count = 0;
    let mut rest = text.trim_start_matches([' ', ',', '\t', '\n']);
    if rest.is_empty() {
        return if matches!(dialect, Dialect::Npm) { Ok(set) } else { Err("it is empty") };
    }
    while !rest.is_empty() {
        count += 1;
        if count > MAX_COMPARATORS {
            return Err("it has more than 64 comparators");
        }
        let length = rest.bytes().take_while(|byte| b"<>=!~^".contains(byte)).count();
        let (operator, tail) = rest.split_at(length);
        let tail = tail.trim_start();
        let end = tail.find([' ', ',', '\t', '\n']).unwrap_or(tail.len());
        let (version, after) = tail.split_at(end);
        if version.is_empty() {
            return Err("an operator is not followed by a version");
        }
        set = set.intersect(&comparator(dialect, operator, version)?);
        rest = after.trim_start_matches([' ', ',', '\t', '\n']);
    }
    Ok(set)
}

fn comparator(dialect: Dialect, operator: &str, version: &str) -> Read<VersionSet> {
    let semantic = matches!(dialect, Dialect::Npm | Dialect::Semver | Dialect::Tag | Dialect::Pub);
    match operator {
        "~>" if dialect == Dialect::Npm => partial(dialect, "~", version),
        "~>" => pessimistic(dialect, version),
        "^" | "~" if !semantic && dialect != Dialect::Composer => Err("it has an operator of another ecosystem"),
        _ if semantic => partial(dialect, operator, version),
        _ if dialect == Dialect::Composer => composer(operator, version),
        _ => simple(dialect, operator, version),
    }
}

fn key(dialect: Dialect, version: &str) -> Read<SortKey> {
    dialect.key(version).map_err(|error| error.rule)
}

fn at_least(key: SortKey) -> VersionSet {
    VersionSet::of([Interval { low: Some(Bound::including(key)), high: None }])
}

fn below(key: SortKey) -> VersionSet {
    VersionSet::of([Interval { low: None, high: Some(Bound::excluding(key)) }])
}

fn between(low: SortKey, high: SortKey) -> VersionSet {
    VersionSet::of([Interval { low: Some(Bound::including(low)), high: Some(Bound::excluding(high)) }])
}

fn simple(dialect: Dialect, operator: &str, version: &str) -> Read<VersionSet> {
    if version == "*" && matches!(operator, "" | "=" | ">=") {
        return Ok(VersionSet::all());
    }
    let key = key(dialect, version)?;
    Ok(match operator {
        "" if dialect == Dialect::Nuget => at_least(key),
        "" | "=" | "==" => {
            VersionSet::of([Interval { low: Some(Bound::including(key.clone())), high: Some(Bound::including(key)) }])
        }
        ">=" => at_least(key),
        ">" | ">>" => VersionSet::of([Interval { low: Some(Bound::excluding(key)), high: None }]),
        "<" | "<<" => below(key),
        "<=" => VersionSet::of([Interval { low: None, high: Some(Bound::including(key)) }]),
        "!=" | "<>" => VersionSet::of([
            Interval { low: None, high: Some(Bound::excluding(key.clone())) },
            Interval { low: Some(Bound::excluding(key)), high: None },
        ]),
        _ => return Err("it has an unknown operator"),
    })
}

/// `~> 1.2.3`: at least this, below the next of the last but one number. Prereleases of the upper end are outside.
fn pessimistic(dialect: Dialect, version: &str) -> Read<VersionSet> {
    let low = key(dialect, version)?;
    let release = version.split(['-', '+']).next().unwrap_or(version);
    let mut numbers: Vec<u64> = Vec::new();
    for part in release.split('.') {
        match part.parse() {
            Ok(number) => numbers.push(number),
            Err(_) => break,
        }
    }
    if numbers.len() > 1 {
        numbers.pop();
    }
    let last = numbers.last_mut().ok_or("it does not begin with a number")?;
    *last = last.checked_add(1).ok_or("a number is too large")?;
    let text: Vec<String> = numbers.iter().map(u64::to_string).collect();
    // The least prerelease of the upper end: a capital A sorts before all other letters, `0` before all identifiers.
    let high = match dialect {
        Dialect::Gem => format!("{}.A", text.join(".")),
        _ => format!("{}-0", text.join(".")),
    };
    Ok(between(low, key(dialect, &high)?))
}

/// The numbers of an x-range: `1.2.x`, `1`, `*`, and the rest behind them.
struct Partial<'t> {
    numbers: Vec<u64>,
    prerelease: Option<&'t str>,
}

impl<'t> Partial<'t> {
    fn read(version: &'t str) -> Read<Self> {
        let version = version.trim_start_matches(['v', '=']);
        let version = version.split('+').next().unwrap_or(version);
        let (number, prerelease) = match version.split_once('-') {
            Some((number, prerelease)) => (number, Some(prerelease)),
            None => (version, None),
        };
        let mut numbers = Vec::new();
        let mut ended = false;
        for part in number.split('.') {
            if matches!(part, "x" | "X" | "*") || part.is_empty() && numbers.is_empty() {
                ended = true;
            } else if !ended {
                numbers.push(part.parse::<u64>().map_err(|_| "a component is not a number")?);
            }
        }
        if number.split('.').count() > 3 || numbers.contains(&u64::MAX) {
            return Err("it has more than three components");
        }
        Ok(Self { prerelease: prerelease.filter(|_| numbers.len() == 3), numbers })
    }

    fn at(&self, index: usize) -> u64 {
        self.numbers.get(index).copied().unwrap_or(0)
    }

    /// The version itself, absent numbers as zero, `least` behind it where it has no prerelease.
    fn low(&self, least: &str) -> String {
        let tail = self.prerelease.map_or_else(|| least.to_owned(), |prerelease| format!("-{prerelease}"));
        format!("{}.{}.{}{tail}", self.at(0), self.at(1), self.at(2))
    }

    /// The least version whose number at `index` is one higher.
    fn next(&self, index: usize) -> String {
        match index {
            0 => format!("{}.0.0-0", self.at(0) + 1),
            1 => format!("{}.{}.0-0", self.at(0), self.at(1) + 1),
            _ => format!("{}.{}.{}-0", self.at(0), self.at(1), self.at(2) + 1),
        }
    }
}

/// Comparators of npm and Cargo, which allow absent and `x` components.
fn partial(dialect: Dialect, operator: &str, version: &str) -> Read<VersionSet> {
    let read = Partial::read(version)?;
    let given = read.numbers.len();
    let least = if dialect == Dialect::Npm && given < 3 { "-0" } else { "" };
    let make = |text: &str| key(dialect, text);
    if given == 0 {
        return Ok(if matches!(operator, "<" | ">") { VersionSet::none() } else { VersionSet::all() });
    }
    // What a bare version means: exactly this in npm, a caret in Cargo.
    let operator = if operator.is_empty() && dialect == Dialect::Semver { "^" } else { operator };
    Ok(match operator {
        "^" => {
            let first = read.numbers.iter().position(|number| *number != 0).unwrap_or(given - 1);
            between(
                make(&read.low(if dialect == Dialect::Npm && (given < 3 || read.at(0) == 0) { "-0" } else { "" }))?,
                make(&read.next(first))?,
            )
        }
        "~" => between(make(&read.low(least))?, make(&read.next(if given == 1 { 0 } else { 1 }))?),
        "" | "=" | "==" if given < 3 => between(make(&read.low(least))?, make(&read.next(given - 1))?),
        ">" if given < 3 => at_least(make(&read.next(given - 1))?),
        "<=" if given < 3 => below(make(&read.next(given - 1))?),
        ">=" => at_least(make(&read.low(least))?),
        "<" => below(make(&read.low(least))?),
        _ => simple(dialect, operator, &read.low(""))?,
    })
}

fn hyphen(dialect: Dialect, low: &str, high: &str) -> Read<VersionSet> {
    if dialect == Dialect::Composer {
        let low_key = key(dialect, &with_dev(low))?;
        let numbers = high.split('.').count();
        if numbers < 3 && high.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
            return Ok(between(low_key, key(dialect, &composer_next(high, numbers - 1)?)?));
        }
        let high = Bound::including(key(dialect, high)?);
        return Ok(VersionSet::of([Interval { low: Some(Bound::including(low_key)), high: Some(high) }]));
    }
    let (from, to) = (Partial::read(low)?, Partial::read(high)?);
    let low = if from.numbers.is_empty() { None } else { Some(Bound::including(key(dialect, &from.low("-0"))?)) };
    let high = match to.numbers.len() {
        0 => None,
        3 if to.prerelease.is_some() => Some(Bound::including(key(dialect, &to.low(""))?)),
        given => Some(Bound::excluding(key(dialect, &to.next(given - 1))?)),
    };
    Ok(VersionSet::of([Interval { low, high }]))
}

/// Composer compares `>=` and `<` with the development version of what is written, unless a stability is.
fn with_dev(version: &str) -> String {
    let plain = version.trim_start_matches('v').bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if plain { format!("{version}-dev") } else { version.to_owned() }
}

/// The development version whose number at `index` is one higher, the rest dropped.
fn composer_next(version: &str, index: usize) -> Read<String> {
    let number = version.trim_start_matches('v');
    let end = number.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(number.len());
    let mut numbers = Vec::new();
    for part in number[..end].trim_end_matches('.').split('.').take(index + 1) {
        numbers.push(part.parse::<u64>().map_err(|_| "a component is not a number")?);
    }
    let last = numbers.last_mut().ok_or("it has no number")?;
    *last = last.checked_add(1).ok_or("a number is too large")?;
    let text: Vec<String> = numbers.iter().map(u64::to_string).collect();
    Ok(format!("{}-dev", text.join(".")))
}

fn composer(operator: &str, version: &str) -> Read<VersionSet> {
    let dialect = Dialect::Composer;
    let make = |text: &str| key(dialect, text);
    let bare = version.trim_start_matches(['v', 'V']);
    let wild = bare.find(['*', 'x', 'X']).filter(|at| *at == 0 || bare[..*at].ends_with('.'));
    if let Some(at) = wild {
        let stem = bare[..at].trim_end_matches('.');
        if stem.is_empty() {
            return Ok(VersionSet::all());
        }
        if !matches!(operator, "" | "=" | "==") {
            return composer(operator, stem);
        }
        let index = stem.split('.').count() - 1;
        return Ok(between(make(&with_dev(stem))?, make(&composer_next(stem, index)?)?));
    }
    let end = bare.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(bare.len());
    let numbers: Vec<&str> = bare[..end].trim_end_matches('.').split('.').collect();
    match operator {
        "^" => {
            let first =
                numbers.iter().position(|number| number.bytes().any(|byte| byte != b'0')).unwrap_or(numbers.len() - 1);
            Ok(between(make(&with_dev(bare))?, make(&composer_next(bare, first)?)?))
        }
        "~" => {
            let index = numbers.len().saturating_sub(2);
            Ok(between(make(&with_dev(bare))?, make(&composer_next(bare, index)?)?))
        }
        ">=" | "<" => simple(dialect, operator, &with_dev(bare)),
        _ => simple(dialect, operator, bare),
    }
}

/// `[1.0,2.0)`, `(,1.0]`, `[1.0]`, and unions of them.
fn intervals(dialect: Dialect, text: &str) -> Read<VersionSet> {
    let mut set = VersionSet::none();
    let mut rest = text;
    let mut count = 0;
    while !rest.is_empty() {
        count += 1;
        if count > MAX_COMPARATORS {
            return Err("it has more than 64 intervals");
        }
        let low_inclusive = match rest.as_bytes()[0] {
            b'[' => true,
            b'(' => false,
            _ => return Err("an interval does not begin with a bracket"),
        };
        let end = rest.find([']', ')']).ok_or("an interval is not closed")?;
        let high_inclusive = rest.as_bytes()[end] == b']';
        let inner = &rest[1..end];
        let bound = |text: &str, inclusive: bool| -> Read<Option<Bound>> {
            let text = text.trim();
            if text.is_empty() { Ok(None) } else { Ok(Some(Bound { key: key(dialect, text)?, inclusive })) }
        };
        let interval = match inner.split_once(',') {
            Some((low, high)) => Interval { low: bound(low, low_inclusive)?, high: bound(high, high_inclusive)? },
            None if low_inclusive && high_inclusive => {
                let exact = bound(inner, true)?.ok_or("an interval is empty")?;
                Interval { low: Some(exact.clone()), high: Some(exact) }
            }
            None => return Err("an interval of one version is not written in square brackets"),
        };
        set.extend(VersionSet::of([interval]));
        rest = rest[end + 1..].trim_start_matches([' ', ',']);
    }
    Ok(set)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(dialect: Dialect, requirement: &str, inside: &[&str], outside: &[&str]) {
        let read = Requirement::parse(dialect, requirement).unwrap();
        let contains = |version: &str| read.contains(&dialect.key(version).unwrap());
        for version in inside {
            assert!(contains(version), "{dialect} {requirement} contains {version}");
        }
        for version in outside {
            assert!(!contains(version), "{dialect} {requirement} does not contain {version}");
        }
    }

    #[test]
    fn npm_ranges() {
        check(
            Dialect::Npm,
            "^1.2.3 || >=3.0.0 <3.1.0",
            &["1.2.3", "1.9.0", "3.0.5"],
            &["1.2.2", "2.0.0", "3.1.0", "2.0.0-rc.1"],
        );
        check(Dialect::Npm, "~0.2", &["0.2.0", "0.2.9"], &["0.3.0", "0.1.9"]);
        check(Dialect::Npm, "1.x", &["1.0.0", "1.99.0"], &["2.0.0", "0.9.9"]);
        check(Dialect::Npm, "1.2.3 - 2.3", &["1.2.3", "2.3.9"], &["2.4.0", "1.2.2"]);
        check(Dialect::Npm, "<= 1.2.3", &["1.2.3", "0.0.1"], &["1.2.4"]);
        check(Dialect::Npm, "", &["0.0.0"], &[]);
        check(Dialect::Npm, "*", &["0.0.0"], &[]);
    }

    #[test]
    fn cargo_requirements() {
        check(Dialect::Semver, ">= 1.2, < 1.5", &["1.2.0", "1.4.9"], &["1.5.0", "1.1.9"]);
        check(Dialect::Semver, "1.2", &["1.2.0", "1.9.0"], &["2.0.0", "1.1.0"]);
        check(Dialect::Semver, "^0.3.4", &["0.3.4", "0.3.9"], &["0.4.0", "0.3.3"]);
    }

    #[test]
    fn pessimistic_operators() {
        check(Dialect::Gem, "~> 1.2.3", &["1.2.3", "1.2.99"], &["1.3.0", "1.3.0.rc1", "1.2.2"]);
        check(Dialect::Gem, "~> 2.1", &["2.1", "2.99"], &["3.0", "3.0.a"]);
        check(Dialect::Gem, "~> 2", &["2.0", "2.99"], &["3.0"]);
        check(Dialect::Gem, ">= 1.0, != 1.5", &["1.0", "1.6"], &["1.5", "1.5.0"]);
        check(
            Dialect::Hex,
            "~> 1.2 and != 1.3.0 or == 3.0.0",
            &["1.2.0", "1.9.0", "3.0.0"],
            &["2.0.0", "1.3.0", "2.0.0-rc.0"],
        );
    }

    #[test]
    fn python_specifiers() {
        check(Dialect::Pep440, ">=1.0,<2.0,!=1.5.*", &["1.0", "1.9", "1.4.9"], &["2.0", "1.5.1", "2.0rc1"]);
        check(Dialect::Pep440, "~=1.4.2", &["1.4.2", "1.4.9"], &["1.5.0"]);
    }

    #[test]
    fn composer_constraints() {
        check(Dialect::Composer, "^1.2 || ~2.3.4", &["1.2.0", "1.9", "2.3.9"], &["2.0.0", "2.4.0", "1.1"]);
        check(Dialect::Composer, "1.2.*", &["1.2.0", "1.2.9"], &["1.3.0"]);
        check(Dialect::Composer, ">=1.0,<1.5", &["1.0", "1.4.9", "1.0.0-beta1"], &["1.5.0", "1.5.0-beta1"]);
    }

    #[test]
    fn intervals_of_maven_and_nuget() {
        check(Dialect::Maven, "[1.0,2.0),(2.5,]", &["1.0", "1.9.9", "2.6"], &["2.0", "2.5", "0.9"]);
        check(Dialect::Maven, "[1.5]", &["1.5", "1.5.0"], &["1.5.1"]);
        check(Dialect::Maven, ">= 1.0, < 2.0", &["1.0", "1.9"], &["2.0"]);
        check(Dialect::Nuget, "1.0", &["1.0", "2.0"], &["0.9"]);
        check(Dialect::Nuget, "(,1.0]", &["1.0.0.0", "0.1"], &["1.0.0.1"]);
    }

    #[test]
    fn distributions() {
        check(Dialect::Dpkg, "<< 1.2-3", &["1.2-2", "1.2-3~bpo1"], &["1.2-3"]);
    }

    #[test]
    fn what_is_no_requirement_is_refused() {
        for (dialect, bad) in [
            (Dialect::Npm, "latest"),
            (Dialect::Npm, ">= "),
            (Dialect::Gem, "^1.0"),
            (Dialect::Maven, "[1.0,2.0"),
            (Dialect::Maven, "(1.0)"),
            (Dialect::Composer, "dev-main"),
            (Dialect::Gem, ""),
        ] {
            assert!(Requirement::parse(dialect, bad).is_err(), "{dialect} {bad}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(
            text in "[0-9a-z.<>=!~^|,*\\[\\]() \\-+é]{0,40}",
            dialect in proptest::sample::select(&Dialect::ALL[..]),
        ) {
            let _ = Requirement::parse(dialect, &text);
        }
    }
}
