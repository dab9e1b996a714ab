//! Python versions (PEP 440, "Version specifiers"), read by `pep440_rs`.
//!
//! Local versions are compared as the PEP says; the key orders dev releases, prereleases, the release and post
//! releases by the rule that an absent part takes the place that makes `1.0.dev1 < 1.0a1.dev1 < 1.0a1 < 1.0 < 1.0.post1`.

use std::str::FromStr;

use pep440_rs::{LocalSegment, PrereleaseKind, Version};

use super::Read;
use crate::key::Writer;

const LOWEST: u8 = 0;
const PRESENT: u8 = 1;
const HIGHEST: u8 = 255;

pub(super) fn key(version: &str) -> Read {
    let version = Version::from_str(version).map_err(|_| "it does not follow PEP 440")?;
    let mut writer = Writer::default();
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
    match version.post() {
        Some(number) => writer.tag(PRESENT).number(number),
        None => writer.tag(LOWEST),
    };
    match version.dev() {
        Some(number) => writer.tag(PRESENT).number(number),
        None => writer.tag(HIGHEST),
    };
    for segment in version.local() {
        match segment {
            LocalSegment::String(text) => writer.tag(1).text(text.as_bytes()),
            LocalSegment::Number(number) => writer.tag(2).number(*number),
        };
    }
    writer.tag(LOWEST);
    Ok(writer.finish())
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
