//! Maven versions.
//!
//! Rules: "Version Order Specification" of the Maven POM reference. Tokens are separated by dots, hyphens and changes
//! between digits and letters (which count as hyphens); trailing null tokens (`0`, ``, `final`, `ga`, `release`) are removed,
//! at the end and before each hyphen. Qualifiers order as `alpha < beta < milestone < rc = cr < snapshot < (release) < sp <` other
//! text; text comes before numbers, and of numbers a `-` token before a `.` token.
//!
//! A version without a digit is none.
//!
//! Not supported: null tokens in the middle of a version (`2-ga-alpha`, `1.0.final-x`) and a dotted qualifier with a
//! separator behind it (`1.rc.1`, `1.rc-1`), which Maven's own program nests in
//! ways that its specification does not state; they are dropped, as the specification says.

use super::Read;
use crate::key::Writer;

#[derive(Debug, Clone, PartialEq, Eq)]
struct Token {
    hyphen: bool,
    value: Value,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Value {
    Number(String),
    Text(String),
}

impl Value {
    fn is_null(&self) -> bool {
        match self {
            Self::Number(digits) => digits.bytes().all(|digit| digit == b'0'),
            Self::Text(text) => matches!(text.as_str(), "" | "final" | "ga" | "release"),
        }
    }
}

/// Where the end of a version stands among what may follow: a version that goes on with a known qualifier before the
/// release is older, one that goes on with anything else is newer.
const QUALIFIER: u8 = 1;
const END: u8 = 2;
const LATER_QUALIFIER: u8 = 3;
const HYPHEN_NUMBER: u8 = 4;
const DOT_NUMBER: u8 = 5;

pub(super) fn key(version: &str) -> Read {
    let lower = version.to_ascii_lowercase();
    if lower.len() > 256 {
        return Err("it is longer than 256 bytes");
    }
    // `LATEST` and `RELEASE` stand for whichever is newest, and words like `unknown` for nothing.
    if !lower.bytes().any(|byte| byte.is_ascii_digit()) {
        return Err("it contains no digit");
    }
    let mut tokens = tokens(&lower);
    trim(&mut tokens);
    let mut writer = Writer::default();
    for token in &tokens {
        match &token.value {
            Value::Number(digits) if token.hyphen => writer.tag(HYPHEN_NUMBER).digits(digits.as_bytes()),
            Value::Number(digits) => writer.tag(DOT_NUMBER).digits(digits.as_bytes()),
            Value::Text(text) => match rank(text) {
                Some(rank) => writer.tag(QUALIFIER).tag(rank),
                None if text == "sp" => writer.tag(LATER_QUALIFIER).tag(1),
                None => writer.tag(LATER_QUALIFIER).tag(2).text(text.as_bytes()),
            },
        };
    }
    writer.tag(END);
    Ok(writer.finish())
}

fn rank(text: &str) -> Option<u8> {
    Some(match text {
        "alpha" => 1,
        "beta" => 2,
        "milestone" => 3,
        "rc" | "cr" => 4,
        "snapshot" => 5,
        "" | "final" | "ga" | "release" => 6,
        _ => return None,
    })
}

fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut current = String::new();
    let mut hyphen = false;
    let mut previous: Option<bool> = None;
    for character in text.chars() {
        match character {
            '.' | '-' => {
                push(&mut tokens, hyphen, &mut current, false);
                hyphen = character == '-';
                previous = None;
            }
            other => {
                let digit = other.is_ascii_digit();
                if previous.is_some_and(|was_digit| was_digit != digit) {
                    push(&mut tokens, hyphen, &mut current, digit);
                    hyphen = true;
                }
                current.push(other);
                previous = Some(digit);
            }
        }
    }
    push(&mut tokens, hyphen, &mut current, false);
    tokens
}

/// Ends the current token. A single `a`, `b` or `m` directly before a digit is short for alpha, beta, milestone.
fn push(tokens: &mut Vec<Token>, hyphen: bool, current: &mut String, digit_follows: bool) {
    let text = std::mem::take(current);
    let value = if text.is_empty() {
        Value::Number("0".to_owned())
    } else if text.bytes().all(|byte| byte.is_ascii_digit()) {
        Value::Number(text)
    } else {
        Value::Text(match text.as_str() {
            "a" if digit_follows => "alpha".to_owned(),
            "b" if digit_follows => "beta".to_owned(),
            "m" if digit_follows => "milestone".to_owned(),
            _ => text,
        })
    };
    // A qualifier behind a dot is one behind a hyphen: `1.0.RC1` is `1.0-RC1`.
    let hyphen = hyphen || !tokens.is_empty() && matches!(value, Value::Text(_));
    tokens.push(Token { hyphen, value });
}

/// Removes null tokens at the end and before each hyphen.
fn trim(tokens: &mut Vec<Token>) {
    let mut end = tokens.len();
    loop {
        while end > 0 && tokens[end - 1].value.is_null() {
            tokens.remove(end - 1);
            end -= 1;
        }
        // On to the next hyphen towards the start: what stands before it is trimmed in turn.
        match tokens[..end].iter().rposition(|token| token.hyphen) {
            Some(at) if at > 0 => end = at,
            _ => break,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Dialect;
    use super::super::tests::{assert_ascending, assert_equal};

    #[test]
    fn order_of_the_specification() {
        assert_ascending(
            Dialect::Maven,
            &[
                "1-alpha",
                "1-alpha2",
                "1-beta",
                "1-m3",
                "1-rc1",
                "1-rc2",
                "1-snapshot",
                "1",
                "1-sp",
                "1-abc",
                "1-1",
                "1.1",
                "1.2",
                "1.10",
                "2",
            ],
        );
        assert_ascending(Dialect::Maven, &["1-foo", "1-1", "1.1"]);
        assert_ascending(Dialect::Maven, &["1.0-alpha-1", "1.0-alpha-2", "1.0", "1.0-1", "1.0.1"]);
        assert_equal(Dialect::Maven, &["1", "1.0", "1.0.0", "1-ga", "1-final", "1.release"]);
        assert_equal(Dialect::Maven, &["1-a1", "1-alpha-1"]);
        assert_equal(Dialect::Maven, &["1-rc", "1-cr"]);
    }
}
