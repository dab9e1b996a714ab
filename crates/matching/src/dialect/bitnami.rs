//! Bitnami versions: semantic versions of the packaged application, with Bitnami's own revision behind a hyphen
//! (`12.0.1-3`) and now and then a fourth number.
//!
//! Rules: Bitnami's vulnerability database (ranges are SemVer of the application's version) and its library of
//! versions: a numeric text behind the hyphen is a revision, newer than the version without it; anything else is a
//! prerelease. Build metadata is not compared.

use super::{Read, semver};
use crate::key::{Writer, leading_digits};

pub(super) fn key(version: &str) -> Read {
    let text = version.strip_prefix('v').unwrap_or(version);
    let without_build = text.split('+').next().unwrap_or(text);
    let (number, revision) = match without_build.split_once('-') {
        Some((number, rest)) if is_revision(rest) => (number, rest),
        _ => (text, ""),
    };
    let mut writer = Writer::default();
    semver::write(&mut writer, number)?;
    let (digits, _) = leading_digits(revision.strip_prefix('r').unwrap_or(revision).as_bytes());
    writer.digits(digits);
    Ok(writer.finish())
}

/// `4`, `r4`, `4-r1`: digits first.
fn is_revision(text: &str) -> bool {
    text.strip_prefix('r')
        .unwrap_or(text)
        .split('-')
        .next()
        .is_some_and(|first| !first.is_empty() && first.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::super::Dialect;
    use super::super::tests::assert_ascending;

    #[test]
    fn a_number_behind_the_hyphen_is_a_revision() {
        assert_ascending(
            Dialect::Bitnami,
            &["1.2.3-alpha", "1.2.3-rc.1", "1.2.3", "1.2.3-1", "1.2.3-10", "1.2.3.1", "1.2.4"],
        );
    }
}
