//! Arch Linux versions: `[epoch:]version[-release]`.
//!
//! Rules: vercmp(8). The comparison descends from RPM's with two differences: letters at the end of a version are
//! older than its end (`1.0a < 1.0`, so `alpha < beta < rc < release`), and separators count: of two versions whose
//! segments agree, more separators before a segment are newer.
//!
//! Not supported: vercmp's rule that a release is not compared where one of the two versions has none, which is no order
//! (`1-1` = `1` = `1-2`); an absent release is older than any.

use super::{Read, rpm};
use crate::key::{Writer, leading_digits, leading_letters};

pub(super) fn key(version: &str) -> Read {
    rpm::parts(version, segments)
}

const LETTERS: u8 = 1;
const END: u8 = 2;
const DIGITS: u8 = 3;
/// A separator with something behind it is newer than the end and than what follows without one.
const SEPARATED: u8 = 4;

fn segments(writer: &mut Writer, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        let separators = bytes.iter().take_while(|byte| !byte.is_ascii_alphanumeric()).count();
        if separators > 0 {
            bytes = &bytes[separators..];
            if bytes.is_empty() {
                break;
            }
            // More of them are newer than fewer.
            writer.tag(SEPARATED).number(separators as u64);
        }
        bytes = if bytes[0].is_ascii_digit() {
            let (digits, rest) = leading_digits(bytes);
            writer.tag(DIGITS).digits(digits);
            rest
        } else {
            let (letters, rest) = leading_letters(bytes);
            writer.tag(LETTERS).text(letters);
            rest
        };
    }
    writer.tag(END);
}

#[cfg(test)]
mod tests {
    use super::super::Dialect;
    use super::super::tests::assert_ascending;

    #[test]
    fn order_of_the_manual() {
        assert_ascending(
            Dialect::Pacman,
            &["1.0a", "1.0b", "1.0beta", "1.0p", "1.0pre", "1.0rc", "1.0", "1.0.a", "1.0.1"],
        );
        assert_ascending(Dialect::Pacman, &["1", "1.0", "1.1", "1.1.1", "1.2", "2.0", "3.0.0"]);
        assert_ascending(Dialect::Pacman, &["1.0-1", "1.0-2", "1:0.5-1"]);
    }
}
