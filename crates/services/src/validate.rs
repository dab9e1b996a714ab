//! Rules of single fields, collected so that a caller learns of all broken ones at once.

use bartizan_domain::{Error, FieldError, Result};
use unicode_security::{GeneralSecurityProfile as _, MixedScript as _};

/// Collects broken rules.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    errors: Vec<FieldError>,
}

impl Fields {
    pub(crate) fn error(&mut self, field: &str, message: impl Into<String>) {
        self.errors.push(FieldError::new(format!("body -> {field}"), message));
    }

    /// Text of 1 to `most` characters after trimming, without control characters and without invisible ones.
    pub(crate) fn text(&mut self, field: &str, value: &str, most: usize) -> String {
        let trimmed = value.trim();
        if let Err(message) = check_text(field, trimmed, most) {
            self.error(field, message);
        }
        trimmed.to_owned()
    }

    pub(crate) fn finish(self) -> Result<()> {
        if self.errors.is_empty() { Ok(()) } else { Err(Error::Invalid(self.errors)) }
    }
}

pub(crate) fn check_text(field: &str, text: &str, most: usize) -> Result<(), String> {
    let length = text.chars().count();
    if length == 0 || length > most {
        return Err(format!("{field} must have 1 to {most} characters, not {length}"));
    }
    if text.chars().any(char::is_control) {
        return Err(format!("{field} must not contain control characters"));
    }
    if let Some(unseen) = text.chars().find(|c| is_invisible(*c)) {
        return Err(format!("{field} must not contain the invisible character U+{:04X}", u32::from(unseen)));
    }
    Ok(())
}

/// Characters that are not seen themselves and make two texts look alike, or that turn the text around them (Unicode
/// UAX #9 and UTR #36, section 2). The joiners of Indic and Arabic writing are letters' business and stay.
const fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
    )
}

/// What keeps a text from being the name of an account: two accounts must not look alike. Beside ASCII, characters of
/// the profile for identifiers, all of one script (Unicode UTS #39, sections 3.1 and 5.2).
pub(crate) fn check_username(name: &str) -> Result<(), String> {
    if name.chars().any(char::is_whitespace) {
        return Err("username must not contain spaces".to_owned());
    }
    if name.contains('@') {
        return Err("username must not contain @: that would be an address".to_owned());
    }
    if let Some(bad) = name.chars().find(|c| !may_name(*c)) {
        return Err(format!("username must not contain U+{:04X}, which is no letter of a name", u32::from(bad)));
    }
    if !name.is_single_script() {
        return Err("username must not mix writing systems: such names can look like others".to_owned());
    }
    Ok(())
}

/// Whether a character may stand in the name of an account.
pub(crate) fn may_name(c: char) -> bool {
    c != '@' && (c.is_ascii_graphic() || (!c.is_ascii() && c.identifier_allowed()))
}

/// Most characters of a tag.
pub(crate) const TAG_LENGTH: usize = 64;
/// Most tags of an asset.
pub(crate) const TAGS: usize = 50;

/// Trims, sorts and de-duplicates tags.
pub(crate) fn tags(list: &[String]) -> Result<Vec<String>, String> {
    let mut tags = Vec::with_capacity(list.len());
    for tag in list {
        let tag = tag.trim();
        check_text("tag", tag, TAG_LENGTH)?;
        if tag.contains(';') {
            return Err(format!("tag `{tag}` must not contain a semicolon"));
        }
        tags.push(tag.to_owned());
    }
    tags.sort();
    tags.dedup();
    if tags.len() > TAGS {
        return Err(format!("{} tags: at most {TAGS} are allowed", tags.len()));
    }
    Ok(tags)
}

/// Checks the form of a mail address: one `@` with something sensible on both sides. Whether it works is only known
/// after a message was delivered.
pub(crate) fn check_email(email: &str) -> Result<(), String> {
    let rule = || "value is not a valid email address".to_owned();
    let (local, domain) = email.rsplit_once('@').ok_or_else(rule)?;
    let bad = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '@' | '<' | '>' | ',' | ';' | '"');
    let bad_domain = domain.is_empty() || domain.starts_with(['.', '-']) || domain.ends_with(['.', '-']);
    if local.is_empty()
        || local.len() > 64
        || email.len() > 254
        || email.chars().filter(|c| bad(*c)).count() > 1
        || bad_domain
    {
        return Err(rule());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_accounts_do_not_deceive() {
        for good in ["admin", "j.doe-2_x", "müller", "анна", "田中", "o'neil", "dev+ops"] {
            assert_eq!(check_username(good), Ok(()), "{good}");
        }
        for bad in ["\u{430}dmin", "a\u{200b}dmin", "a dmin", "a@b", "a\u{202e}b", "ａdmin", "a\u{a0}b"] {
            assert!(check_username(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn texts_are_seen_whole() {
        assert_eq!(check_text("name", "Zürich – «Büro» می\u{200c}خواهم 👩\u{200d}💻", 60), Ok(()));
        for bad in ["a\u{202e}b", "a\u{200b}b", "a\u{feff}", "a\u{7}"] {
            assert!(check_text("name", bad, 60).is_err(), "{bad:?}");
        }
    }
}
