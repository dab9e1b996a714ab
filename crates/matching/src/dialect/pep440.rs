//! Python versions (PEP 440, "Version specifiers"), read by `pep440_rs`.
//!
//! Local versions are compared as the PEP says; the key orders dev releases, prereleases, the release and post
//! releases by the rule that an absent part takes the place that makes `1.0.dev1 < 1.0a1.dev1 < 1.0a1 < 1.0 < 1.0.post1`.

use std::str::FromStr;

use pep440_rs::{LocalSegment, PrereleaseKind, Version};

use super::Read;
use crate::SortKey;
use crate::key::Writer;

const LOWEST: u8 = 0;
const PRESENT: u8 = 1;
const HIGHEST: u8 = 255;

pub(super) fn key(version: &str) -> Read {
    let version = parse(version)?;
    let mut writer = Writer::default();
    through_pre(&mut writer, &version);
    post_and_dev(&mut writer, &version);
    for segment in version.local() {
        match segment {
            LocalSegment::String(text) => writer.tag(1).text(text.as_bytes()),
            LocalSegment::Number(number) => writer.tag(2).number(*number),
        };
    }
    writer.tag(LOWEST);
    Ok(writer.finish())
}

fn parse(version: &str) -> Result<Version, &'static str> {
    Version::from_str(version).map_err(|_| "it does not follow PEP 440")
}

/// A key above the version and all its local versions, below everything else that is newer.
pub(crate) fn after_locals(version: &str) -> Read {
    let version = parse(version)?;
    let mut writer = Writer::default();
    through_pre(&mut writer, &version);
    post_and_dev(&mut writer, &version);
    writer.tag(HIGHEST);
    Ok(writer.finish())
}

/// A key above what `>` leaves out: the version with its local versions, and its post releases unless it is one (or a
/// dev release) itself.
pub(crate) fn after_posts(version: &str) -> Read {
    let version = parse(version)?;
    let mut writer = Writer::default();
    through_pre(&mut writer, &version);
    if version.dev().is_some() || version.post().is_some() {
        post_and_dev(&mut writer, &version);
    }
    writer.tag(HIGHEST);
    Ok(writer.finish())
}

/// The key `<` ends before: the first prerelease of the version, or the version if it is one.
pub(crate) fn before_prereleases(version: &str) -> Read {
    let read = parse(version)?;
    if read.any_prerelease() {
        return key(version);
    }
    let public = version.split('+').next().unwrap_or(version);
    key(&format!("{public}.dev0"))
}

/// The first version of a prefix and of the next one, with `dropped` numbers of the release left out of the prefix.
pub(crate) fn prefix(version: &str, dropped: usize) -> Result<(SortKey, SortKey), &'static str> {
    let read = parse(version)?;
    let release = read.release();
    let kept = release.len().checked_sub(dropped).filter(|kept| *kept > 0).ok_or("the version has too few numbers")?;
    let mut numbers = release[..kept].to_vec();
    let text = |numbers: &[u64]| {
        let release: Vec<String> = numbers.iter().map(u64::to_string).collect();
        key(&format!("{}!{}.dev0", read.epoch(), release.join(".")))
    };
    let low = text(&numbers)?;
    if let Some(last) = numbers.last_mut() {
        *last = last.checked_add(1).ok_or("a number is too large")?;
    }
    Ok((low, text(&numbers)?))
}

/// Epoch, release and prerelease.
fn through_pre(writer: &mut Writer, version: &Version) {
    writer.number(version.epoch());
    let release = version.release();
    let kept = release.iter().rposition(|number| *number != 0).map_or(0, |last| last + 1);
    for number in &release[..kept] {
        writer.tag(PRESENT).number(*number);
    }
    writer.tag(LOWEST);
    match version.pre() {
        Some(pre) => {
            let kind = match pre.kind {
                PrereleaseKind::Alpha => 1,
                PrereleaseKind::Beta => 2,
                PrereleaseKind::Rc => 3,
            };
            writer.tag(PRESENT).tag(kind).number(pre.number)
        }
        // A bare dev release comes before the first alpha.
        None if version.dev().is_some() && version.post().is_none() => writer.tag(LOWEST),
        None => writer.tag(HIGHEST),
    };
}

fn post_and_dev(writer: &mut Writer, version: &Version) {
    match version.post() {
        Some(number) => writer.tag(PRESENT).number(number),
        None => writer.tag(LOWEST),
    };
    match version.dev() {
        Some(number) => writer.tag(PRESENT).number(number),
        None => writer.tag(HIGHEST),
    };
}

#[cfg(test)]
mod tests {
    use super::super::Dialect;
    use super::super::tests::{assert_ascending, assert_equal};

    #[test]
    fn order_of_the_pep() {
        assert_ascending(
            Dialect::Pep440,
            &[
                "1.0.dev456",
                "1.0a1",
                "1.0a2.dev456",
                "1.0a12.dev456",
                "1.0a12",
                "1.0b1.dev456",
                "1.0b2",
                "1.0b2.post345.dev456",
                "1.0b2.post345",
                "1.0rc1.dev456",
                "1.0rc1",
                "1.0",
                "1.0+abc.5",
                "1.0+abc.7",
                "1.0+5",
                "1.0.post456.dev34",
                "1.0.post456",
                "1.0.15",
                "1.1.dev1",
                "1!0.1",
            ],
        );
        assert_equal(Dialect::Pep440, &["1.0", "1", "1.0.0", "v1.0"]);
        assert_equal(Dialect::Pep440, &["1.0RC1", "1.0-rc1", "1.0c1"]);
    }
}
