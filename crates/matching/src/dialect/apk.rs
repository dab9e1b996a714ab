//! Alpine versions: `number{.number}[letter]{_suffix[number]}[-rN]`.
//!
//! Rules: apk-tools' documentation of package versions and its list of comparisons. A component after the first that
//! begins with a zero is compared like a fraction (`1.06 < 1.6`). Suffixes before the release: `alpha beta pre rc`; after
//! it: `cvs svn git hg p`. A commit hash (`~hash`, apk 3) is read and not compared.

use super::Read;
use crate::key::{Writer, leading_digits};

const BEFORE: [&str; 4] = ["alpha", "beta", "pre", "rc"];
const AFTER: [&str; 5] = ["cvs", "svn", "git", "hg", "p"];

/// Tags by the order in which a version may go on: a suffix before the release is older than the end, everything else
/// newer; a further component is newest.
const PRE_SUFFIX: u8 = 1;
const END: u8 = 2;
const REVISION: u8 = 3;
const POST_SUFFIX: u8 = 5;
const LETTER: u8 = 6;
const COMPONENT: u8 = 8;

pub(super) fn key(version: &str) -> Read {
    let mut writer = Writer::default();
    let (first, mut rest) = leading_digits(version.as_bytes());
    if first.is_empty() {
        return Err("it does not begin with a digit");
    }
    writer.digits(first);
    while let [b'.', tail @ ..] = rest {
        let (digits, after) = leading_digits(tail);
        if digits.is_empty() {
            return Err("a dot is not followed by a digit");
        }
        writer.tag(COMPONENT);
        component(&mut writer, digits);
        rest = after;
    }
    if let [letter, tail @ ..] = rest
        && letter.is_ascii_lowercase()
    {
        writer.tag(LETTER).tag(*letter);
        rest = tail;
    }
    while let [b'_', tail @ ..] = rest {
        let (tag, rank, length) = suffix(tail).ok_or("it has an unknown suffix")?;
        writer.tag(tag).tag(rank);
        let (digits, after) = leading_digits(&tail[length..]);
        writer.digits(digits);
        rest = after;
    }
    if let [b'~', tail @ ..] = rest {
        let length = tail.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        if length == 0 {
            return Err("the commit hash is empty");
        }
        rest = &tail[length..];
    }
    if let [b'-', b'r', tail @ ..] = rest {
        let (digits, after) = leading_digits(tail);
        if digits.is_empty() {
            return Err("the revision is not a number");
        }
        writer.tag(REVISION).digits(digits);
        rest = after;
    }
    if !rest.is_empty() {
        return Err("it has text where the end, a suffix or a revision is expected");
    }
    writer.tag(END);
    Ok(writer.finish())
}

/// More leading zeros are smaller, and any leading zero is smaller than none; `0` alone is one leading zero.
fn component(writer: &mut Writer, digits: &[u8]) {
    let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
    // MAX_VERSION bounds the count, so that the subtraction does not go below zero.
    let rank = u16::MAX - u16::try_from(zeros).unwrap_or(u16::MAX);
    let [high, low] = rank.to_be_bytes();
    writer.tag(high).tag(low).digits(&digits[zeros..]);
}

fn suffix(text: &[u8]) -> Option<(u8, u8, usize)> {
    let find = |names: &[&str]| {
        names
            .iter()
            .position(|name| text.starts_with(name.as_bytes()))
            .and_then(|rank| Some((u8::try_from(rank).ok()?, names[rank].len())))
    };
    find(&BEFORE)
        .map(|(rank, length)| (PRE_SUFFIX, rank, length))
        .or_else(|| find(&AFTER).map(|(rank, length)| (POST_SUFFIX, rank, length)))
}

#[cfg(test)]
mod tests {
    use super::super::Dialect;
    use super::super::tests::{assert_ascending, assert_equal};

    #[test]
    fn suffixes_letters_and_revisions() {
        assert_ascending(
            Dialect::Apk,
            &[
                "0.1.0_alpha_pre2",
                "0.1.0_alpha",
                "0.1.0_alpha2",
                "0.1.0_beta",
                "0.1.0_rc1",
                "0.1.0",
                "0.1.0-r1",
                "0.1.0-r10",
                "0.1.0_p1",
                "0.1.0a",
                "0.1.0.1",
                "0.1.1",
            ],
        );
        assert_ascending(Dialect::Apk, &["1.00", "1.0", "1.01", "1.06", "1.1", "1.6", "1.10"]);
        assert_equal(Dialect::Apk, &["006", "6"]);
        for bad in ["a1", "1.", "1_foo", "1.0bc", "1-1"] {
            assert!(Dialect::Apk.key(bad).is_err(), "{bad}");
        }
    }
}
