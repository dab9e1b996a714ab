//! Rules of single fields, collected so that a caller learns of all broken ones at once.

use bartizan_domain::{Error, FieldError, Result};

/// Collects broken rules.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    errors: Vec<FieldError>,
}

impl Fields {
    pub(crate) fn error(&mut self, field: &str, message: impl Into<String>) {
        self.errors.push(FieldError::new(format!("body -> {field}"), message));
    }

    /// Text of 1 to `most` characters after trimming, without control characters.
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
    Ok(())
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
