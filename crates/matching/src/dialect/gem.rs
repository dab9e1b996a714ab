//! RubyGems versions.
//!
//! Rules: the documentation of `Gem::Version`. Runs of digits and of letters are segments, whatever separates them; a
//! hyphen reads as `.pre.`. A letter segment is older than any number, so a version with letters is a prerelease.
//! Trailing zeros, of the whole version and before its first letters, do not count.

use super::Read;
use crate::key::{Writer, leading_digits, leading_letters};

const LETTERS: u8 = 1;
const END: u8 = 2;
const DIGITS: u8 = 3;

enum Segment<'v> {
    Number(&'v [u8]),
    Letters(&'v [u8]),
}

impl Segment<'_> {
    fn is_zero(&self) -> bool {
        matches!(self, Self::Number(digits) if digits.iter().all(|digit| *digit == b'0'))
    }
}

pub(super) fn key(version: &str) -> Read {
    let text = version.replace('-', ".pre.");
    if !text.starts_with(|c: char| c.is_ascii_digit()) {
        return Err("it does not begin with a digit");
    }
    if text.split('.').any(|part| part.is_empty() || !part.bytes().all(|byte| byte.is_ascii_alphanumeric())) {
        return Err("a part is empty or contains a character other than letters and digits");
    }
    let mut segments = Vec::new();
    let mut rest = text.as_bytes();
    while let Some(first) = rest.first() {
        rest = if first.is_ascii_digit() {
            let (digits, rest) = leading_digits(rest);
            segments.push(Segment::Number(digits));
            rest
        } else if first.is_ascii_alphabetic() {
            let (letters, rest) = leading_letters(rest);
            segments.push(Segment::Letters(letters));
            rest
        } else {
            &rest[1..]
        };
    }
    let first_letters =
        segments.iter().position(|segment| matches!(segment, Segment::Letters(_))).unwrap_or(segments.len());
    let (numeric, tail) = segments.split_at(first_letters);
    let mut writer = Writer::default();
    // A version goes on with zeros for ever: what comes behind fewer zeros is further from the end.
    let mut zeros: u16 = 0;
    for segment in without_trailing_zeros(numeric).iter().chain(without_trailing_zeros(tail)) {
        match segment {
            zero if zero.is_zero() => zeros += 1,
            Segment::Number(digits) => {
                let [high, low] = (u16::MAX - std::mem::take(&mut zeros)).to_be_bytes();
                writer.tag(DIGITS).tag(high).tag(low).digits(digits);
            }
            Segment::Letters(letters) => {
                let [high, low] = std::mem::take(&mut zeros).to_be_bytes();
                writer.tag(LETTERS).tag(high).tag(low).text(letters);
            }
        }
    }
    writer.tag(END);
    Ok(writer.finish())
}

fn without_trailing_zeros<'s, 'v>(segments: &'s [Segment<'v>]) -> &'s [Segment<'v>] {
    let kept = segments.iter().rposition(|segment| !segment.is_zero()).map_or(0, |last| last + 1);
    &segments[..kept]
}

#[cfg(test)]
mod tests {
    use super::super::Dialect;
    use super::super::tests::{assert_ascending, assert_equal};

    #[test]
    fn prereleases_and_trailing_zeros() {
        assert_ascending(
            Dialect::Gem,
            &["0.9", "1.0.a", "1.0.a.2", "1.0.b1", "1.0.rc1", "1.0", "1.0.1", "1.2", "1.10"],
        );
        assert_ascending(Dialect::Gem, &["1.0.0-alpha", "1.0.0-beta", "1.0.0"]);
        assert_equal(Dialect::Gem, &["1", "1.0", "1.0.0"]);
        assert_equal(Dialect::Gem, &["1.0.a", "1.a"]);
    }
}
