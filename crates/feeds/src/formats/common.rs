//! What several formats need: lenient JSON fields, dates, severities, bounded texts.

use std::borrow::Cow;

use bartizan_matching::model::{
    Advisory, AdvisoryHead, Affected, Condition, Cwe, Ecosystem, Event, NameKind, PackageKey, Range, Reference,
    ReferenceKind, ScoreSystem, SeverityScore, Text, VendorState,
};
use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use serde::{Deserialize, Deserializer};

use crate::error::truncate;

/// Longest description that is kept, in bytes.
const MAX_DETAILS: usize = 4096;
/// Longest line that is kept.
const MAX_LINE: usize = 512;
/// Links of one record that are kept.
pub const MAX_REFERENCES: usize = 40;

/// A text that is borrowed from the record where it has no escapes.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(transparent)]
pub struct Str<'a>(#[serde(borrow)] pub Cow<'a, str>);

impl std::ops::Deref for Str<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

/// `null` is what is not there.
pub fn nullable<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// An advisory with nothing in it.
pub fn advisory(id: &str, source: &str) -> Advisory {
    Advisory {
        head: AdvisoryHead {
            id: id.into(),
            source: source.into(),
            aliases: Vec::new(),
            addresses: Vec::new(),
            withdrawn: None,
            kind: bartizan_matching::model::AdvisoryKind::default(),
            severities: Vec::new(),
            revision: Text::default(),
        },
        published: None,
        modified: None,
        summary: Text::default(),
        details: Text::default(),
        cwes: Vec::new(),
        references: Vec::new(),
        affected: Vec::new(),
        configurations: Vec::new(),
    }
}

/// A statement with nothing but its package and what the vendor says.
pub fn statement(package: PackageKey, name_kind: NameKind, state: VendorState) -> Affected {
    Affected {
        package,
        name_kind,
        state,
        ranges: Vec::new(),
        versions: Vec::new(),
        fixed: Vec::new(),
        conditions: Vec::new(),
    }
}

/// "Affected before this version".
pub fn before(version: &str) -> Range {
    Range::Events { semver: false, events: vec![Event::Introduced("0".into()), Event::Fixed(version.into())] }
}

/// Sets when the record changed, which is also its revision.
pub fn revise(advisory: &mut Advisory, modified: &str) {
    advisory.modified = time(modified);
    advisory.head.revision = cut(modified, 40);
}

/// A time as sources write it: RFC 3339 with or without zone (then UTC), with a blank for the `T`, or a day.
pub fn time(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim();
    if text.len() < 10 || text.len() > 40 {
        return None;
    }
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.to_utc());
    }
    let bare = text.trim_end_matches("UTC").trim_end_matches('Z').trim_end();
    for form in ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M"] {
        if let Ok(time) = NaiveDateTime::parse_from_str(bare, form) {
            return Some(time.and_utc());
        }
    }
    if let Ok(time) = DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%z") {
        return Some(time.to_utc());
    }
    date(text).and_then(|date| date.and_hms_opt(0, 0, 0)).map(|time| time.and_utc())
}

/// A day: `2026-08-16`, or the first ten characters of a time.
pub fn date(text: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(text.trim().get(..10)?, "%Y-%m-%d").ok()
}

/// A text of one line, cut.
pub fn line(text: &str) -> Text {
    cut(text.trim(), MAX_LINE)
}

/// A description, cut.
pub fn details(text: &str) -> Text {
    cut(text.trim(), MAX_DETAILS)
}

/// A text cut at a character boundary.
pub fn cut(text: &str, max: usize) -> Text {
    if text.len() <= max {
        return text.into();
    }
    let mut owned = text[..text.floor_char_boundary(max)].to_owned();
    truncate(&mut owned, max);
    owned.into()
}

/// A link, if it looks like one.
pub fn reference(kind: ReferenceKind, url: &str) -> Option<Reference> {
    let url = url.trim();
    (url.len() < 1000 && url.contains("://")).then(|| Reference { kind, url: url.into() })
}

/// The number of `CWE-79`.
pub fn cwe(text: &str) -> Option<Cwe> {
    text.trim().strip_prefix("CWE-")?.parse().ok().map(Cwe)
}

/// A severity by its vector; the system is read from the vector's own prefix.
pub fn vector(vector: &str, score: Option<f32>, asserter: &str) -> Option<SeverityScore> {
    let vector = vector.trim();
    let system = if vector.starts_with("CVSS:4.0/") {
        ScoreSystem::CvssV4
    } else if vector.starts_with("CVSS:3.1/") {
        ScoreSystem::CvssV31
    } else if vector.starts_with("CVSS:3.0/") {
        ScoreSystem::CvssV30
    } else if vector.trim_start_matches('(').starts_with("AV:") {
        ScoreSystem::CvssV2
    } else {
        return None;
    };
    (vector.len() <= 300).then(|| SeverityScore {
        system,
        vector: vector.trim_matches(['(', ')']).into(),
        score,
        label: Text::default(),
        asserter: cut(asserter, 80),
    })
}

/// A severity by a vendor's word.
pub fn label(word: &str, asserter: &str) -> Option<SeverityScore> {
    let word = word.trim();
    (!word.is_empty() && word.len() < 40).then(|| SeverityScore {
        system: ScoreSystem::Vendor,
        vector: Text::default(),
        score: None,
        label: word.into(),
        asserter: asserter.into(),
    })
}

/// Whether this is an id that names a vulnerability across sources.
pub fn is_cve(id: &str) -> bool {
    let Some(rest) = id.strip_prefix("CVE-") else { return false };
    let Some((year, number)) = rest.split_once('-') else { return false };
    year.len() == 4
        && (4..=10).contains(&number.len())
        && year.bytes().chain(number.bytes()).all(|byte| byte.is_ascii_digit())
}

/// The id of a record that cannot be read: the first text behind its top-most `key`, as far as that can be told without
/// reading the record.
pub fn id_in(bytes: &[u8], key: &str) -> String {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(64 << 10)]);
    let quoted = format!("\"{key}\"");
    let mut rest = &*text;
    while let Some((_, after)) = rest.split_once(&quoted) {
        rest = after;
        let value = after.trim_start().strip_prefix(':').map(str::trim_start).and_then(|after| after.strip_prefix('"'));
        if let Some(id) = value.and_then(|value| value.split('"').next())
            && !id.is_empty()
            && id.len() <= 80
            && id.bytes().all(|byte| byte.is_ascii_graphic())
        {
            return id.to_owned();
        }
    }
    String::new()
}

/// Every CVE id in a text, in order, each once.
pub fn cves_in(text: &str) -> Vec<Text> {
    let mut found: Vec<Text> = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find("CVE-") {
        let candidate = &rest[at..];
        let end = candidate
            .char_indices()
            .find(|(_, c)| !c.is_ascii_alphanumeric() && *c != '-')
            .map_or(candidate.len(), |(end, _)| end);
        let id = candidate[..end].trim_end_matches('-');
        if is_cve(id) && !found.iter().any(|known| known == id) {
            found.push(id.into());
        }
        rest = &candidate[4..];
    }
    found
}

/// The Ubuntu release of a code name. Source: Ubuntu's list of releases.
pub fn ubuntu_release(codename: &str) -> Option<&'static str> {
    const RELEASES: [(&str, &str); 44] = [
        ("warty", "4.10"),
        ("hoary", "5.04"),
        ("breezy", "5.10"),
        ("dapper", "6.06"),
        ("edgy", "6.10"),
        ("feisty", "7.04"),
        ("gutsy", "7.10"),
        ("hardy", "8.04"),
        ("intrepid", "8.10"),
        ("jaunty", "9.04"),
        ("karmic", "9.10"),
        ("lucid", "10.04"),
        ("maverick", "10.10"),
        ("natty", "11.04"),
        ("oneiric", "11.10"),
        ("precise", "12.04"),
        ("quantal", "12.10"),
        ("raring", "13.04"),
        ("saucy", "13.10"),
        ("trusty", "14.04"),
        ("utopic", "14.10"),
        ("vivid", "15.04"),
        ("wily", "15.10"),
        ("xenial", "16.04"),
        ("yakkety", "16.10"),
        ("zesty", "17.04"),
        ("artful", "17.10"),
        ("bionic", "18.04"),
        ("cosmic", "18.10"),
        ("disco", "19.04"),
        ("eoan", "19.10"),
        ("focal", "20.04"),
        ("groovy", "20.10"),
        ("hirsute", "21.04"),
        ("impish", "21.10"),
        ("jammy", "22.04"),
        ("kinetic", "22.10"),
        ("lunar", "23.04"),
        ("mantic", "23.10"),
        ("noble", "24.04"),
        ("oracular", "24.10"),
        ("plucky", "25.04"),
        ("questing", "25.10"),
        ("resolute", "26.04"),
    ];
    RELEASES.iter().find(|(name, _)| *name == codename).map(|(_, release)| *release)
}

/// Release and pocket of an Ubuntu target: `jammy`, `trusty/esm`, `esm-infra/xenial`, `fips-updates/focal`. None for what
/// is no release of the distribution (`upstream`, `devel`, `snap`, products with a life of their own).
pub fn ubuntu_target(target: &str) -> Option<(&'static str, Text)> {
    match target.split_once('/') {
        None => Some((ubuntu_release(target)?, Text::default())),
        Some((release, "esm")) => Some((ubuntu_release(release)?, "esm-infra".into())),
        Some((pocket, release)) => Some((ubuntu_release(release)?, cut(pocket, 60))),
    }
}

/// The condition of a pocket, if it is one that not everybody has.
pub fn pocket(pocket: &str) -> Option<Condition> {
    (!matches!(pocket, "" | "security" | "updates" | "release" | "main")).then(|| Condition::Pocket(pocket.into()))
}

/// Ecosystem and release of a platform as OVAL and CSAF name it in words.
pub fn platform(text: &str) -> Option<(Ecosystem, String)> {
    const KNOWN: [(&str, Ecosystem); 12] = [
        ("Red Hat Enterprise Linux", Ecosystem::RedHat),
        ("AlmaLinux", Ecosystem::AlmaLinux),
        ("Rocky Linux", Ecosystem::RockyLinux),
        ("Oracle Linux", Ecosystem::OracleLinux),
        ("CentOS", Ecosystem::CentOs),
        ("Amazon Linux", Ecosystem::AmazonLinux),
        ("Fedora", Ecosystem::Fedora),
        ("Debian", Ecosystem::Debian),
        ("Ubuntu", Ecosystem::Ubuntu),
        ("openSUSE", Ecosystem::OpenSuse),
        ("SUSE Linux Enterprise", Ecosystem::Suse),
        ("SUSE", Ecosystem::Suse),
    ];
    /// How Red Hat calls its subscriptions in words, and in CPE names.
    const EXTENDED: [(&str, &str); 10] = [
        ("Extended Update Support", "rhel_eus"),
        ("Advanced Update Support", "rhel_aus"),
        ("Advanced Mission Critical Update Support", "rhel_aus"),
        ("Telecommunications Update Service", "rhel_tus"),
        ("Update Services for SAP Solutions", "rhel_e4s"),
        ("Extended Lifecycle Support", "rhel_els"),
        ("EUS", "rhel_eus"),
        ("AUS", "rhel_aus"),
        ("TUS", "rhel_tus"),
        ("E4S", "rhel_e4s"),
    ];
    let text = text.trim();
    let (name, ecosystem) = KNOWN.iter().find(|(name, _)| text.starts_with(name))?;
    let rest = text[name.len()..].trim();
    let release = match ecosystem {
        Ecosystem::Suse => ecosystem.normalise_release(&format!("Linux Enterprise {rest}")),
        Ecosystem::OpenSuse => ecosystem.normalise_release(rest),
        // A subscription of its own, whose fixes are other builds than those of the release.
        Ecosystem::RedHat if EXTENDED.iter().any(|(words, _)| rest.contains(words)) => {
            let mut words = rest.split([' ', '(', ')']).map(|word| word.trim_start_matches("v."));
            let number = words.find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
            let (_, product) = EXTENDED.iter().find(|(words, _)| rest.contains(words))?;
            ecosystem.normalise_release(&format!("{product}:{number}"))
        }
        _ => {
            let number = rest.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
            ecosystem.normalise_release(number)
        }
    };
    (!release.is_empty()).then(|| (ecosystem.clone(), release))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_sources_write_them() {
        let expected = time("2026-08-16T01:02:03Z");
        assert!(expected.is_some());
        for text in ["2026-08-16T01:02:03.000", "2026-08-16 01:02:03 UTC", "2026-08-16T01:02:03+0000"] {
            assert_eq!(time(text).map(|time| time.timestamp()), expected.map(|time| time.timestamp()), "{text}");
        }
        assert_eq!(time("2026-08-16").map(|time| time.date_naive()), date("2026-08-16"));
        for text in ["", "soon", "2026-13-01", "99999999999999999999"] {
            assert_eq!(time(text), None, "{text}");
        }
    }

    #[test]
    fn ids_are_found_in_text() {
        assert_eq!(
            cves_in("CVE-2019-1;OSVDB-5 CVE-2019-1234, (CVE-2020-99999) CVE-2019-1234"),
            [Text::from("CVE-2019-1234"), "CVE-2020-99999".into()]
        );
    }

    #[test]
    fn platforms_have_a_release() {
        let is = |text: &str, ecosystem: Ecosystem, release: &str| {
            assert_eq!(platform(text), Some((ecosystem, release.to_owned())), "{text}");
        };
        is("Red Hat Enterprise Linux 9", Ecosystem::RedHat, "9");
        is("Red Hat Enterprise Linux 8.6 Extended Update Support", Ecosystem::RedHat, "rhel_eus:8.6");
        is("Red Hat Enterprise Linux BaseOS E4S (v.8.6)", Ecosystem::RedHat, "rhel_e4s:8.6");
        is("Oracle Linux 8", Ecosystem::OracleLinux, "8");
        is("Debian GNU/Linux 11", Ecosystem::Debian, "11");
        is("SUSE Linux Enterprise Server 15 SP5", Ecosystem::Suse, "15-SP5");
        is("openSUSE Leap 15.5", Ecosystem::OpenSuse, "15.5");
        assert_eq!(platform("Windows"), None);
    }
}
