//! `security.txt`, read by RFC 9116. Dates are kept as written: whether the file has expired is a judgement.

use bartizan_domain::evidence::web::{SecurityTxt, SignatureForm};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::redact::shortened;

/// Values kept of one field.
const MAX_VALUES: usize = 20;

const BEGIN_MESSAGE: &str = "-----BEGIN PGP SIGNED MESSAGE-----";
const BEGIN_SIGNATURE: &str = "-----BEGIN PGP SIGNATURE-----";
const END_SIGNATURE: &str = "-----END PGP SIGNATURE-----";

/// Reads a file. Any text gives a result; what is no field is counted.
pub fn read(body: &str) -> SecurityTxt {
    let body = body.strip_prefix('\u{feff}').unwrap_or(body);
    let (text, signature) = unwrap_signature(body);
    let mut file = SecurityTxt { signature, ..SecurityTxt::default() };
    for line in text.lines() {
        // Dash-escaping of the cleartext signature framework (RFC 9580, section 7.2).
        let line = if signature == SignatureForm::None { line } else { line.strip_prefix("- ").unwrap_or(line) };
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let Some((name, value)) = line.split_once(':') else {
            file.malformed_lines = file.malformed_lines.saturating_add(1);
            continue;
        };
        let (name, value) = (name.trim().to_ascii_lowercase(), shortened(value.trim(), 500));
        let is_name = !name.is_empty() && name.len() <= 60 && name.chars().all(|c| c.is_ascii_graphic());
        let known = match name.as_str() {
            "contact" => &mut file.contact,
            "expires" => &mut file.expires,
            "canonical" => &mut file.canonical,
            "encryption" => &mut file.encryption,
            "policy" => &mut file.policy,
            "preferred-languages" => &mut file.preferred_languages,
            _ if is_name => {
                if file.other_fields.len() < MAX_VALUES {
                    file.other_fields.push(name);
                }
                continue;
            }
            _ => {
                file.malformed_lines = file.malformed_lines.saturating_add(1);
                continue;
            }
        };
        if known.len() < MAX_VALUES {
            known.push(value);
        }
    }
    file
}

/// Whether a text is meant as a security contact file: it has at least one field of RFC 9116 by name. Other texts are
/// the site's own way of saying "not found".
pub fn is_one(file: &SecurityTxt) -> bool {
    let fields =
        [&file.contact, &file.expires, &file.canonical, &file.encryption, &file.policy, &file.preferred_languages];
    fields.iter().any(|values| !values.is_empty())
}

/// Takes the text out of a cleartext-signed message, and says how well the frame holds together.
fn unwrap_signature(body: &str) -> (String, SignatureForm) {
    if !body.trim_start().starts_with(BEGIN_MESSAGE) {
        // A signature block without the opening line signs nothing.
        let form = if body.contains(BEGIN_SIGNATURE) { SignatureForm::Broken } else { SignatureForm::None };
        let text = body.split(BEGIN_SIGNATURE).next().unwrap_or_default();
        return (text.to_owned(), form);
    }
    let normalised = body.replace("\r\n", "\n");
    let after = normalised.trim_start().strip_prefix(BEGIN_MESSAGE).unwrap_or_default();
    // Armour headers (`Hash: SHA512`) end at the first empty line.
    let Some((_, rest)) = after.split_once("\n\n") else {
        return (after.to_owned(), SignatureForm::Broken);
    };
    let Some((text, armour)) = rest.split_once(BEGIN_SIGNATURE) else {
        return (rest.to_owned(), SignatureForm::Broken);
    };
    let form = if holds_signature(armour) { SignatureForm::WellFormed } else { SignatureForm::Broken };
    (text.to_owned(), form)
}

/// Whether the armour decodes to an OpenPGP signature packet (RFC 9580, sections 4.2 and 5.2).
fn holds_signature(armour: &str) -> bool {
    let Some((block, _)) = armour.split_once(END_SIGNATURE) else { return false };
    let Some((_, data)) = block.split_once("\n\n") else { return false };
    let encoded: String = data
        .lines()
        .map(str::trim)
        .filter(|line| !(line.is_empty() || line.starts_with('=') && line.len() == 5))
        .collect();
    let Ok(packet) = STANDARD.decode(encoded) else { return false };
    match packet.first() {
        // New format: 11tttttt; old format: 10ttttll. Type 2 is a signature.
        Some(tag) if tag & 0xc0 == 0xc0 => tag & 0x3f == 2 && packet.len() > 10,
        Some(tag) if tag & 0xc0 == 0x80 => tag >> 2 & 0x0f == 2 && packet.len() > 10,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A real detached-cleartext frame made by GnuPG, shortened to what the reader looks at.
    fn signed(text: &str) -> String {
        let packet = STANDARD.encode([&[0x88, 0x75, 0x04, 0x01, 0x16, 0x0a, 0x00, 0x1d][..], &[0; 40]].concat());
        format!("{BEGIN_MESSAGE}\nHash: SHA512\n\n{text}\n{BEGIN_SIGNATURE}\n\n{packet}\n=abcd\n{END_SIGNATURE}\n")
    }

    #[test]
    fn fields_are_found_whatever_their_case() {
        let file = read(
            "# hello\r\nCONTACT: mailto:security@site.test\r\ncontact: https://site.test/report\r\n\r\nExpires: 2030-01-01T00:00:00Z\r\nPreferred-Languages: en, de\r\nHiring: https://site.test/jobs\r\nnonsense\r\n",
        );
        assert_eq!(file.contact, ["mailto:security@site.test", "https://site.test/report"]);
        assert_eq!(file.expires, ["2030-01-01T00:00:00Z"]);
        assert_eq!(file.other_fields, ["hiring"]);
        assert_eq!((file.malformed_lines, file.signature), (1, SignatureForm::None));
    }

    #[test]
    fn signatures_are_whole_or_broken() {
        let text = "- -----x\nContact: mailto:a@site.test\nExpires: 2030-01-01T00:00:00Z";
        let file = read(&signed(text));
        assert_eq!(file.signature, SignatureForm::WellFormed);
        assert_eq!(file.contact, ["mailto:a@site.test"]);
        for broken in [
            signed(text).replace(END_SIGNATURE, ""),
            signed(text).replace(BEGIN_SIGNATURE, ""),
            signed(text).replace("\n=abcd", "\n!!!"),
            signed(text).replace(BEGIN_MESSAGE, ""),
        ] {
            assert_eq!(read(&broken).signature, SignatureForm::Broken, "{broken}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in "(\\PC{0,40}\n){0,12}") {
            let _ = read(&text);
            let _ = read(&signed(&text));
        }
    }
}
