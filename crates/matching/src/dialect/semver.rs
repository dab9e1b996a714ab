//! Semantic Versioning 2.0.0, section 11, read leniently.
//!
//! Advisories write `1`, `1.2` and now and then `1.2.3.4`: absent components are zero and further ones are compared as
//! numbers. Build metadata is read and not compared, but by Dart's `pub`: there a version without comes first, and
//! the metadata is compared like a prerelease (`pub_semver`, `Version.compareTo`).

use super::Read;
use crate::key::Writer;

/// What may stand before the number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Prefix {
    /// Nothing.
    None,
    /// One `v`, as tags of releases have it.
    Tag,
    /// `v` and `=`, as npm allows.
    Npm,
}

const PRERELEASE: u8 = 1;
const RELEASE: u8 = 2;
const BUILD: u8 = 1;

pub(super) fn key(version: &str, prefix: Prefix) -> Read {
    let text = match prefix {
        Prefix::None => version,
        Prefix::Tag => version.strip_prefix(['v', 'V']).unwrap_or(version),
        Prefix::Npm => version.trim_start_matches(['=', 'v']),
    };
    let mut writer = Writer::default();
    write(&mut writer, text)?;
    Ok(writer.finish())
}

/// As `pub` compares: the build metadata counts.
pub(super) fn key_with_build(version: &str) -> Read {
    let mut writer = Writer::default();
    write(&mut writer, version)?;
    if let Some((_, build)) = version.split_once('+').filter(|(_, build)| !build.is_empty()) {
        writer.tag(BUILD);
        identifiers(&mut writer, build)?;
    }
    Ok(writer.finish())
}

/// Writes number, prerelease and end; shared with the dialects that extend semantic versions.
pub(super) fn write(writer: &mut Writer, text: &str) -> Result<(), &'static str> {
    let (text, build) = text.split_once('+').unwrap_or((text, ""));
    if !build.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-+".contains(&byte)) {
        return Err("the build metadata contains a forbidden character");
    }
    let (number, prerelease) = match text.split_once('-') {
        Some((number, prerelease)) => (number, Some(prerelease)),
        None => (text, None),
    };
    components(writer, number)?;
    match prerelease {
        None => writer.tag(RELEASE),
        Some(prerelease) => {
            writer.tag(PRERELEASE);
            identifiers(writer, prerelease)?
        }
    };
    Ok(())
}

/// At least three components; trailing zeros beyond the third do not count.
pub(super) fn components(writer: &mut Writer, number: &str) -> Result<(), &'static str> {
    let mut parts: Vec<&str> = number.split('.').collect();
    if parts.iter().any(|part| part.is_empty() || !part.bytes().all(|byte| byte.is_ascii_digit())) {
        return Err("a component is not a number");
    }
    while parts.len() > 3 && parts.last().is_some_and(|part| part.bytes().all(|byte| byte == b'0')) {
        parts.pop();
    }
    for index in 0..parts.len().max(3) {
        writer.tag(1).digits(parts.get(index).unwrap_or(&"0").as_bytes());
    }
    writer.tag(0);
    Ok(())
}

const NUMERIC: u8 = 1;
const TEXT: u8 = 2;

fn identifiers<'w>(writer: &'w mut Writer, prerelease: &str) -> Result<&'w mut Writer, &'static str> {
    for identifier in prerelease.split('.') {
        if identifier.is_empty()
            || !identifier.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
        {
            return Err("a prerelease identifier is empty or contains a forbidden character");
        }
        if identifier.bytes().all(|byte| byte.is_ascii_digit()) {
            writer.tag(NUMERIC).digits(identifier.as_bytes());
        } else {
            writer.tag(TEXT).text(identifier.as_bytes());
        }
    }
    Ok(writer.tag(0))
}

#[cfg(test)]
mod tests {
    use super::super::Dialect;
    use super::super::tests::{assert_ascending, assert_equal};

    #[test]
    fn order_of_section_eleven() {
        assert_ascending(
            Dialect::Semver,
            &[
                "0.0.0-0",
                "0",
                "1.0.0-alpha",
                "1.0.0-alpha.1",
                "1.0.0-alpha.beta",
                "1.0.0-beta",
                "1.0.0-beta.2",
                "1.0.0-beta.11",
                "1.0.0-rc.1",
                "1.0.0",
                "1.0.0.1",
                "1.0.1",
                "2.0.0",
                "10.0.0",
            ],
        );
        assert_equal(Dialect::Semver, &["1.0.0+a", "1.0.0+b", "1", "1.0", "1.0.0.0"]);
        assert_ascending(
            Dialect::Pub,
            &["1.0.0-a", "1.0.0-a+1", "1.0.0", "1.0.0+1", "1.0.0+2", "1.0.0+10", "1.0.0+a", "1.0.0+a.1", "1.0.1-0"],
        );
        assert_equal(Dialect::Pub, &["1", "1.0.0"]);
        assert_equal(Dialect::Tag, &["v1.2.3", "V1.2.3", "1.2.3"]);
        assert_ascending(Dialect::Tag, &["v1.2.3-rc.1", "1.2.3", "v1.2.10", "2"]);
        assert!(Dialect::Tag.key("main").is_err());
        assert_equal(Dialect::Npm, &["v1.2.3", "=1.2.3", "1.2.3"]);
        for bad in ["v1.0.0", "1..0", "x", "1.0.0-", "1.0.0-a..b"] {
            assert!(Dialect::Semver.key(bad).is_err(), "{bad}");
        }
    }
}
