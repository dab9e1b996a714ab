//! Conan 2.
//!
//! Rules: the class `Version` of Conan 2 (`conan/internal/model/version.py`) and its tutorial "Version ranges". What stands
//! behind the last `+` is the build, what stands behind the first `-` of the rest is the prerelease; all three are fields
//! split at dots. Trailing zeros do not count; a prerelease comes before its release, a build after none, and both are
//! compared like the number. Conan compares two numbers as numbers and anything else as text.
//!
//! One difference: that comparison is no order (`10` is before `1a` as text, `1a` before `9`, and `9` before `10`). Here a
//! field that begins with digits is compared by that number first and then by the text behind it, which is what such
//! versions mean (`1.1.1k`, `9c`, `10a`); both ways agree wherever the numbers have the same length. Linear.

use super::Read;
use crate::key::{Writer, leading_digits};

const PRERELEASE: u8 = 1;
const RELEASE: u8 = 2;
const END: u8 = 0;
const FIELD: u8 = 1;
const NOTHING: u8 = 0;
const MARK: u8 = 1;
const NUMBER: u8 = 2;
const TEXT: u8 = 3;

pub(super) fn key(version: &str) -> Read {
    let (rest, build) = match version.rsplit_once('+') {
        Some((rest, build)) => (rest, Some(build)),
        None => (version, None),
    };
    let (number, prerelease) = match rest.split_once('-') {
        Some((number, prerelease)) => (number, Some(prerelease)),
        None => (rest, None),
    };
    let mut writer = Writer::default();
    fields(&mut writer, number);
    match prerelease {
        Some(prerelease) => {
            writer.tag(PRERELEASE);
            fields(&mut writer, prerelease);
        }
        None => {
            writer.tag(RELEASE);
        }
    }
    if let Some(build) = build {
        writer.tag(FIELD);
        fields(&mut writer, build);
    }
    Ok(writer.finish())
}

fn fields(writer: &mut Writer, text: &str) {
    let mut fields: Vec<&str> = text.split('.').collect();
    while fields.last().is_some_and(|last| !last.is_empty() && last.bytes().all(|byte| byte == b'0')) {
        fields.pop();
    }
    for field in fields {
        writer.tag(FIELD);
        let (digits, rest) = leading_digits(field.as_bytes());
        if field.is_empty() {
            writer.tag(NOTHING);
        } else if digits.is_empty() {
            // As text, marks such as a hyphen come before digits and letters after them.
            writer.tag(if rest[0] < b'0' { MARK } else { TEXT }).text(rest);
        } else {
            writer.tag(NUMBER).digits(digits).text(rest);
        }
    }
    writer.tag(END);
}

#[cfg(test)]
mod tests {
    use super::super::Dialect;
    use super::super::tests::{assert_ascending, assert_equal};

    #[test]
    fn fields_prereleases_and_builds() {
        assert_ascending(
            Dialect::Conan,
            &[
                "1.0-alpha",
                "1.0-beta.2",
                "1.0-beta.11",
                "1.0",
                "1.0+1",
                "1.0+2",
                "1.1.1",
                "1.1.1a",
                "1.1.1k",
                "1.1.2",
                "9c",
                "10a",
                "cci.20200101",
                "cci.20210118",
                "system",
            ],
        );
        assert_equal(Dialect::Conan, &["1", "1.0", "1.0.0"]);
    }
}
