//! Versions of no known ecosystem: what vendors print and CPE names carry (`9.8p1`, `1.0.2k`, `2.4.0-rc1`, `8.0.0_392`,
//! `2021.03b`).
//!
//! Rules: our own, since there are none. Runs of digits are numbers, runs of letters are words, everything else
//! separates. Words that announce a release (`alpha`, `beta`, `pre`, `rc`, `dev`, `snapshot` …) are older than the end;
//! `final`, `ga` and `release` say that it is the release itself and count as nothing, unless a number follows them;
//! all other words are newer than the end, and numbers are newer than words. Trailing zeros count as nothing, so `1.0` is `1`.
//! A match that rests on this order alone is never given full confidence.

use super::Read;
use crate::key::{Writer, leading_digits, leading_letters};

const EARLIER: u8 = 1;
const END: u8 = 2;
const LATER: u8 = 3;
const NUMBER: u8 = 4;

enum Token<'v> {
    Number(&'v [u8]),
    Word(&'v [u8]),
}

pub(super) fn key(version: &str) -> Read {
    let lower = version.to_ascii_lowercase();
    let mut bytes = lower.as_bytes();
    if let [b'v', rest @ ..] = bytes
        && rest.first().is_some_and(u8::is_ascii_digit)
    {
        bytes = rest;
    }
    let mut tokens = Vec::new();
    while let Some(first) = bytes.first() {
        bytes = if first.is_ascii_digit() {
            let (digits, rest) = leading_digits(bytes);
            tokens.push(Token::Number(digits));
            rest
        } else if first.is_ascii_alphabetic() {
            let (letters, rest) = leading_letters(bytes);
            tokens.push(Token::Word(letters));
            rest
        } else {
            &bytes[1..]
        };
    }
    if !tokens.iter().any(|token| matches!(token, Token::Number(_))) {
        return Err("it contains no number");
    }
    let mut writer = Writer::default();
    let mut zeros = 0;
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Word(b"final" | b"ga" | b"release") if !matches!(tokens.get(at + 1), Some(Token::Number(_))) => {}
            Token::Number(digits) if digits.iter().all(|digit| *digit == b'0') => zeros += 1,
            Token::Number(digits) => {
                flush(&mut writer, &mut zeros);
                writer.tag(NUMBER).digits(digits);
            }
            Token::Word(word) => match earlier(word) {
                // Zeros before a word are trailing zeros of the number before it.
                Some(rank) => {
                    zeros = 0;
                    writer.tag(EARLIER).tag(rank);
                }
                None => {
                    zeros = 0;
                    writer.tag(LATER).text(word);
                }
            },
        }
    }
    writer.tag(END);
    Ok(writer.finish())
}

fn flush(writer: &mut Writer, zeros: &mut usize) {
    for _ in 0..std::mem::take(zeros) {
        writer.tag(NUMBER).digits(b"0");
    }
}

fn earlier(word: &[u8]) -> Option<u8> {
    Some(match word {
        b"dev" | b"devel" | b"snapshot" | b"nightly" => 1,
        b"alpha" => 2,
        b"beta" => 3,
        b"milestone" => 4,
        b"pre" | b"preview" => 5,
        b"rc" | b"cr" => 6,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::Dialect;
    use super::super::tests::{assert_ascending, assert_equal};

    #[test]
    fn words_before_and_after_a_release() {
        assert_ascending(Dialect::Generic, &["1.0.1", "1.0.2-beta1", "1.0.2", "1.0.2a", "1.0.2k", "1.0.2.1", "1.1.0"]);
        assert_ascending(Dialect::Generic, &["8.2", "8.2p1", "8.2p2", "8.2.1", "9.0rc1", "9.0", "10"]);
        assert_equal(Dialect::Generic, &["1.0", "1", "v1.0.0"]);
        assert_equal(Dialect::Generic, &["8.0.0_392", "8.0.0-392"]);
        assert_equal(Dialect::Generic, &["4.1.9.Final", "4.1.9", "4.1.9.GA", "4.1.9-RELEASE"]);
        assert_equal(Dialect::Generic, &["2.0.0.RELEASE", "2", "2.0.Final"]);
        assert_ascending(Dialect::Generic, &["4.1.8", "4.1.9.CR1", "4.1.9.Final", "4.1.9.SP1", "4.1.10"]);
        assert!(Dialect::Generic.key("unknown").is_err());
    }
}
