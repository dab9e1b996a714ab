//! Composer versions.
//!
//! Rules: the Composer documentation ("Versions and constraints", stability) and PHP's `version_compare`. A leading `v`
//! is dropped; stabilities order as `dev < alpha < beta < RC < (release) < patch`. Branch names (`dev-main`) have no order
//! and are refused.

use super::Read;
use crate::key::{Writer, leading_digits, leading_letters};

const RELEASE: u8 = 5;

pub(super) fn key(version: &str) -> Read {
    let lower = version.to_ascii_lowercase();
    let text = lower.strip_prefix('v').unwrap_or(&lower);
    if text.starts_with("dev-") || text.ends_with("-dev") && !text.starts_with(|c: char| c.is_ascii_digit()) {
        return Err("a branch has no order");
    }
    let text = text.split('+').next().unwrap_or(text);
    let at = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let (number, stability) = text.split_at(at);
    let number = number.trim_end_matches('.');
    let mut parts: Vec<&str> = number.split('.').collect();
    if parts.iter().any(|part| part.is_empty()) {
        return Err("a component is not a number");
    }
    while parts.len() > 1 && parts.last().is_some_and(|part| part.bytes().all(|byte| byte == b'0')) {
        parts.pop();
    }
    let mut writer = Writer::default();
    for part in parts {
        writer.tag(1).digits(part.as_bytes());
    }
    writer.tag(0);
    stabilities(&mut writer, stability.as_bytes())?;
    Ok(writer.finish())
}

fn stabilities(writer: &mut Writer, mut rest: &[u8]) -> Result<(), &'static str> {
    loop {
        rest = &rest[rest.iter().take_while(|byte| b".-_".contains(byte)).count()..];
        let (name, after) = leading_letters(rest);
        if name.is_empty() {
            break;
        }
        let rank = match name {
            b"dev" => 1,
            b"alpha" | b"a" => 2,
            b"beta" | b"b" => 3,
            b"rc" => 4,
            b"stable" => RELEASE,
            b"patch" | b"pl" | b"p" => 6,
            _ => return Err("it has an unknown stability"),
        };
        let separators = after.iter().take_while(|byte| b".-_".contains(byte)).count();
        let (digits, after) = leading_digits(&after[separators..]);
        // `beta` is older than `beta0`.
        writer.tag(rank).tag(u8::from(!digits.is_empty())).digits(digits);
        rest = after;
    }
    if !rest.is_empty() {
        return Err("it has text where a stability is expected");
    }
    writer.tag(RELEASE);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::Dialect;
    use super::super::tests::{assert_ascending, assert_equal};

    #[test]
    fn stabilities_order() {
        assert_ascending(
            Dialect::Composer,
            &[
                "1.0.0-dev",
                "1.0.0-alpha1",
                "1.0.0-alpha.2",
                "1.0.0-beta2",
                "1.0.0-RC1",
                "1.0.0-RC2",
                "1.0.0",
                "1.0.0-patch1",
                "1.0.1",
                "1.10",
            ],
        );
        assert_equal(Dialect::Composer, &["v1.0", "1.0.0", "1.0.0.0"]);
        assert!(Dialect::Composer.key("dev-main").is_err());
    }
}
