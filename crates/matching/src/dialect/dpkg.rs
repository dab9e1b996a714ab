//! Debian versions: `[epoch:]upstream[-revision]`.
//!
//! Rules: deb-version(7), Debian Policy 5.6.12. Parts are compared as alternating runs of non-digits (`~` before the
//! end, the end before letters, letters before everything else) and numbers. An absent epoch or revision is `0`.

use super::Read;
use crate::key::{Writer, leading_digits};

pub(super) fn key(version: &str) -> Read {
    let (epoch, rest) = match version.split_once(':') {
        Some((epoch, rest)) => (epoch, rest),
        None => ("0", version),
    };
    if epoch.is_empty() || !epoch.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("the epoch is not a number");
    }
    let (upstream, revision) = rest.rsplit_once('-').unwrap_or((rest, ""));
    if upstream.is_empty() {
        return Err("the upstream version is empty");
    }
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b".+-~:_".contains(&byte);
    if !upstream.bytes().all(allowed) || !revision.bytes().all(allowed) {
        return Err("it contains a character other than letters, digits and . + - ~ : _");
    }
    let mut writer = Writer::default();
    writer.digits(epoch.as_bytes());
    part(&mut writer, upstream.as_bytes());
    part(&mut writer, revision.as_bytes());
    Ok(writer.finish())
}

/// Lowest: sorts before the end of a run.
const TILDE: u8 = 1;
const END: u8 = 2;

fn part(writer: &mut Writer, mut bytes: &[u8]) {
    // A part starts with a (possibly empty) run of non-digits, so that runs of equal kind meet.
    loop {
        let length = bytes.iter().take_while(|byte| !byte.is_ascii_digit()).count();
        let (run, rest) = bytes.split_at(length);
        for byte in run {
            writer.tag(match byte {
                b'~' => TILDE,
                letter if letter.is_ascii_alphabetic() => letter - b'A' + 3,
                other => other | 0x80,
            });
        }
        writer.tag(END);
        let (digits, rest) = leading_digits(rest);
        writer.digits(digits);
        if rest.is_empty() {
            // The next run of non-digits is empty here and not in a longer version.
            writer.tag(END);
            return;
        }
        bytes = rest;
    }
}

#[cfg(test)]
mod tests {
    use super::super::Dialect;
    use super::super::tests::{assert_ascending, assert_equal};

    #[test]
    fn examples_of_the_manual() {
        assert_ascending(
            Dialect::Dpkg,
            &[
                "0.9~rc1-1",
                "1.0~~",
                "1.0~~a",
                "1.0~",
                "1.0~beta1",
                "1.0",
                "1.0-0.1",
                "1.0-1",
                "1.0-1+b1",
                "1.0-1+deb12u1",
                "1.0a",
                "1.0+dfsg-1",
                "1.0.1",
                "1.2",
                "1.10",
                "1:0.1",
            ],
        );
        assert_equal(Dialect::Dpkg, &["1.0", "0:1.0", "1.0-0", "01.00-0"]);
        assert_equal(Dialect::Dpkg, &["1a", "1a0"]);
        for bad in ["", "a:1", ":1", "1 0", "-1", "1/2"] {
            assert!(Dialect::Dpkg.key(bad).is_err(), "{bad}");
        }
    }
}
