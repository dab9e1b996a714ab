//! RPM versions: `[epoch:]version[-release]`.
//!
//! Rules: rpm-version(7) and the vectors of rpm's own `rpmvercmp` test suite. Runs of letters and of digits are
//! compared one by one, everything else only separates them; a number is newer than letters, `~` is older than the
//! end, `^` is newer than the end and older than anything else. An absent release is older than any release: an
//! advisory that names none is compared by its version alone by its range.

use super::Read;
use crate::key::{Writer, leading_digits, leading_letters};

pub(super) fn key(version: &str) -> Read {
    parts(version, segments)
}

/// Splits `[epoch:]version[-release]` and has `write` put version and release into the key; pacman writes versions in
/// the same three parts.
pub(super) fn parts(version: &str, write: fn(&mut Writer, &[u8])) -> Read {
    let (epoch, rest) = match version.split_once(':') {
        Some((epoch, rest)) if epoch.bytes().all(|byte| byte.is_ascii_digit()) => (epoch, rest),
        Some(_) => return Err("the epoch is not a number"),
        None => ("0", version),
    };
    let (version, release) = match rest.rsplit_once('-') {
        Some((version, release)) => (version, Some(release)),
        None => (rest, None),
    };
    if version.is_empty() {
        return Err("the version is empty");
    }
    let mut writer = Writer::default();
    writer.digits(epoch.as_bytes());
    write(&mut writer, version.as_bytes());
    match release {
        None => writer.tag(0),
        // Also a release that begins with a tilde is newer than none.
        Some(release) => {
            writer.tag(1);
            write(&mut writer, release.as_bytes());
            &mut writer
        }
    };
    Ok(writer.finish())
}

const TILDE: u8 = 1;
const END: u8 = 2;
const CARET: u8 = 3;
const LETTERS: u8 = 4;
const DIGITS: u8 = 5;

/// Writes the segments of one part.
fn segments(writer: &mut Writer, mut bytes: &[u8]) {
    while let Some(first) = bytes.first() {
        bytes = match first {
            b'~' => {
                writer.tag(TILDE);
                &bytes[1..]
            }
            b'^' => {
                writer.tag(CARET);
                &bytes[1..]
            }
            digit if digit.is_ascii_digit() => {
                let (digits, rest) = leading_digits(bytes);
                writer.tag(DIGITS).digits(digits);
                rest
            }
            letter if letter.is_ascii_alphabetic() => {
                let (letters, rest) = leading_letters(bytes);
                writer.tag(LETTERS).text(letters);
                rest
            }
            _ => &bytes[1..],
        };
    }
    writer.tag(END);
}

#[cfg(test)]
mod tests {
    use super::super::Dialect;
    use super::super::tests::{assert_ascending, assert_equal};

    #[test]
    fn tildes_carets_letters_and_numbers() {
        assert_ascending(
            Dialect::Rpm,
            &[
                "1.0~rc1",
                "1.0~rc1^git1",
                "1.0",
                "1.0^",
                "1.0^20200101",
                "1.0^20200101.1",
                "1.0a",
                "1.0.1",
                "1.0.1^git1",
                "1.5.a",
                "1.5.1",
                "2.0",
                "10.0001",
                "10.39",
                "1:0",
            ],
        );
        assert_ascending(Dialect::Rpm, &["1.0", "1.0-1", "1.0-1.el8", "1.0-1.el8_4.2", "1.0-2", "1.0-10"]);
        assert_equal(Dialect::Rpm, &["1.0", "1_0", "1.0.", "0:1.0", "1.00"]);
        assert_equal(Dialect::Rpm, &["2_0", "2.0", "2+0"]);
    }
}
