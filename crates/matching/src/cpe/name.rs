//! Common Platform Enumeration 2.3: names, their two bound forms, and comparison.
//!
//! Rules: NISTIR 7695 (naming: well-formed names, the URI binding `cpe:/a:…` and the formatted string `cpe:2.3:a:…`) and
//! NISTIR 7696 (name matching: the relation of each attribute, and of two names). A value is held unescaped in lower
//! case together with the places of its wildcards, so that `foo\*bar` and `foo*bar` stay different. All functions are
//! linear in the length of the name, but comparison with a pattern, which is bounded by the product of both lengths.
//!
//! Not supported: the packed edition of CPE 2.2 with values that themselves contain `~` unescaped; legacy `-` runs.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Longest name that is read, in bytes.
const MAX_NAME: usize = 2048;

/// The kind of thing a name is about. `a`, `o` and `h` never stand for each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// An application.
    Application,
    /// An operating system.
    OperatingSystem,
    /// Hardware.
    Hardware,
    /// Any (`*`).
    Any,
}

/// The value of an attribute.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Value {
    /// `*`: any value.
    Any,
    /// `-`: the attribute does not apply.
    NotApplicable,
    /// Literal text, unescaped, lower case.
    Text(String),
    /// Text with wildcards: unescaped pieces between them.
    Pattern(Vec<Piece>),
}

/// A piece of a pattern.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Piece {
    /// `*`: any run of characters, also none.
    Many,
    /// `?`: none or one character.
    One,
    /// One literal character.
    Char(char),
}

/// How a source value or name relates to a target (NISTIR 7696, section 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Relation {
    /// They are the same.
    Equal,
    /// The target is within the source.
    Superset,
    /// The source is within the target.
    Subset,
    /// Nothing is in both.
    Disjoint,
    /// Not defined: the target is a pattern.
    Undefined,
}

/// A well-formed CPE name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Cpe {
    /// The part.
    pub part: Part,
    /// Vendor, product, version, update, edition, language, software edition, target software, target hardware,
    /// other: in this order.
    pub attributes: [Value; 10],
}

/// Why a text is not a CPE name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is not a CPE name: {rule}")]
pub struct CpeError {
    /// The text, cut to 120 characters.
    pub name: String,
    /// The rule it breaks.
    pub rule: &'static str,
}

impl Cpe {
    /// Reads a formatted string (`cpe:2.3:…`) or a URI (`cpe:/…`).
    ///
    /// # Errors
    /// Names the rule that is broken.
    pub fn parse(text: &str) -> Result<Self, CpeError> {
        let text = text.trim();
        let read = if text.len() > MAX_NAME {
            Err("it is longer than 2048 bytes")
        } else if let Some(rest) = strip_prefix(text, "cpe:2.3:") {
            formatted(rest)
        } else if let Some(rest) = strip_prefix(text, "cpe:/") {
            uri(rest)
        } else {
            Err("it begins with neither `cpe:2.3:` nor `cpe:/`")
        };
        read.map_err(|rule| CpeError { name: text.chars().take(120).collect(), rule })
    }

    /// The vendor.
    #[must_use]
    pub fn vendor(&self) -> &Value {
        &self.attributes[0]
    }

    /// The product.
    #[must_use]
    pub fn product(&self) -> &Value {
        &self.attributes[1]
    }

    /// The version.
    #[must_use]
    pub fn version(&self) -> &Value {
        &self.attributes[2]
    }

    /// The update (`sp1`, `rc2`).
    #[must_use]
    pub fn update(&self) -> &Value {
        &self.attributes[3]
    }

    /// The formatted string.
    #[must_use]
    pub fn to_formatted(&self) -> String {
        let mut text = format!("cpe:2.3:{}", self.part.letter());
        for value in &self.attributes {
            text.push(':');
            value.write_formatted(&mut text);
        }
        text
    }

    /// The URI binding, with the edition packed where one of the new attributes is set.
    #[must_use]
    pub fn to_uri(&self) -> String {
        let mut parts: Vec<String> =
            vec![if self.part == Part::Any { String::new() } else { self.part.letter().to_string() }];
        parts.extend(self.attributes[..4].iter().map(Value::to_uri));
        let extended = &self.attributes[6..];
        if extended.iter().all(|value| *value == Value::Any) {
            parts.push(self.attributes[4].to_uri());
        } else {
            let mut packed = format!("~{}", self.attributes[4].to_uri());
            for value in extended {
                packed.push('~');
                packed.push_str(&value.to_uri());
            }
            parts.push(packed);
        }
        parts.push(self.attributes[5].to_uri());
        while parts.last().is_some_and(String::is_empty) {
            parts.pop();
        }
        format!("cpe:/{}", parts.join(":"))
    }

    /// The relation of this name, as source, to `target` (NISTIR 7696, table 6-4): equal or superset means that this
    /// name matches the target.
    #[must_use]
    pub fn relation(&self, target: &Self) -> Relation {
        let part = match (self.part, target.part) {
            (a, b) if a == b => Relation::Equal,
            (Part::Any, _) => Relation::Superset,
            (_, Part::Any) => Relation::Subset,
            _ => Relation::Disjoint,
        };
        let relations =
            std::iter::once(part).chain(self.attributes.iter().zip(&target.attributes).map(|(a, b)| a.relation(b)));
        let (mut superset, mut subset, mut undefined) = (false, false, false);
        for relation in relations {
            match relation {
                Relation::Disjoint => return Relation::Disjoint,
                Relation::Superset => superset = true,
                Relation::Subset => subset = true,
                Relation::Undefined => undefined = true,
                Relation::Equal => {}
            }
        }
        match (superset, subset, undefined) {
            (_, _, true) | (true, true, _) => Relation::Undefined,
            (true, false, false) => Relation::Superset,
            (false, true, false) => Relation::Subset,
            (false, false, false) => Relation::Equal,
        }
    }
}

impl fmt::Display for Cpe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.to_formatted())
    }
}

impl Part {
    const fn letter(self) -> char {
        match self {
            Self::Application => 'a',
            Self::OperatingSystem => 'o',
            Self::Hardware => 'h',
            Self::Any => '*',
        }
    }

    fn read(text: &str) -> Result<Self, &'static str> {
        match text {
            "a" | "A" => Ok(Self::Application),
            "o" | "O" => Ok(Self::OperatingSystem),
            "h" | "H" => Ok(Self::Hardware),
            "*" | "" => Ok(Self::Any),
            _ => Err("the part is not a, o or h"),
        }
    }
}

impl Value {
    /// The literal text, if it is one.
    #[must_use]
    pub fn literal(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// For people: the literal, or the form of a formatted string.
    #[must_use]
    pub(super) fn shown(&self) -> String {
        let mut text = String::new();
        match self {
            Self::Text(literal) => text.push_str(literal),
            other => other.write_formatted(&mut text),
        }
        text
    }

    /// The relation of this value, as source, to `target` (NISTIR 7696, table 6-2).
    #[must_use]
    pub fn relation(&self, target: &Self) -> Relation {
        match (self, target) {
            (Self::Any, Self::Any) | (Self::NotApplicable, Self::NotApplicable) => Relation::Equal,
            (Self::Any, Self::Pattern(_)) => Relation::Undefined,
            (Self::Any, _) => Relation::Superset,
            (Self::Text(_) | Self::NotApplicable, Self::Any) => Relation::Subset,
            (Self::Text(a), Self::Text(b)) => {
                if a == b {
                    Relation::Equal
                } else {
                    Relation::Disjoint
                }
            }
            (Self::Pattern(pattern), Self::Text(text)) => {
                if matches(pattern, text) {
                    Relation::Superset
                } else {
                    Relation::Disjoint
                }
            }
            (Self::Pattern(_), Self::Any) => Relation::Subset,
            (Self::Pattern(a), Self::Pattern(b)) if a == b => Relation::Equal,
            (_, Self::Pattern(_)) => Relation::Undefined,
            (Self::NotApplicable, Self::Text(_)) | (Self::Text(_) | Self::Pattern(_), Self::NotApplicable) => {
                Relation::Disjoint
            }
        }
    }

    fn write_formatted(&self, text: &mut String) {
        match self {
            Self::Any => text.push('*'),
            Self::NotApplicable => text.push('-'),
            Self::Text(literal) if literal == "-" => text.push_str("\\-"),
            Self::Text(literal) => literal.chars().for_each(|character| escape(character, text)),
            Self::Pattern(pieces) => {
                for piece in pieces {
                    match piece {
                        Piece::Many => text.push('*'),
                        Piece::One => text.push('?'),
                        Piece::Char(character) => escape(*character, text),
                    }
                }
            }
        }
    }

    fn to_uri(&self) -> String {
        let mut text = String::new();
        match self {
            Self::Any => {}
            Self::NotApplicable => text.push('-'),
            Self::Text(literal) if literal == "-" => text.push_str("%2d"),
            Self::Text(literal) => literal.chars().for_each(|character| percent(character, &mut text)),
            Self::Pattern(pieces) => {
                for piece in pieces {
                    match piece {
                        Piece::Many => text.push_str("%02"),
                        Piece::One => text.push_str("%01"),
                        Piece::Char(character) => percent(*character, &mut text),
                    }
                }
            }
        }
        text
    }
}

/// Vendor and product of a formatted string or URI, unescaped, lower case; `None` if it is no CPE name or one of
/// them is not text. A pattern is given with its wildcards.
#[must_use]
pub fn vendor_and_product(name: &str) -> Option<(String, String)> {
    let cpe = Cpe::parse(name).ok()?;
    let text = |value: &Value| match value {
        Value::Text(text) => Some(text.clone()),
        Value::Any => Some("*".to_owned()),
        Value::NotApplicable => None,
        Value::Pattern(pieces) => Some(
            pieces
                .iter()
                .map(|piece| match piece {
                    Piece::Many => '*',
                    Piece::One => '?',
                    Piece::Char(character) => *character,
                })
                .collect(),
        ),
    };
    Some((text(cpe.vendor())?, text(cpe.product())?))
}

/// Whether `text` matches `pattern` with `*` (any run) and `?` (none or one character).
#[must_use]
pub fn wildcard(pattern: &str, text: &str) -> bool {
    let pieces: Vec<Piece> = pattern
        .chars()
        .map(|character| match character {
            '*' => Piece::Many,
            '?' => Piece::One,
            other => Piece::Char(other),
        })
        .collect();
    matches(&pieces, text)
}

/// One pass over the text with the set of reachable places in the pattern.
fn matches(pattern: &[Piece], text: &str) -> bool {
    let close = |states: &mut [bool]| {
        for at in 0..pattern.len() {
            if states[at] && !matches!(pattern[at], Piece::Char(_)) {
                states[at + 1] = true;
            }
        }
    };
    let mut states = vec![false; pattern.len() + 1];
    states[0] = true;
    close(&mut states);
    for character in text.chars() {
        let mut next = vec![false; pattern.len() + 1];
        for (at, piece) in pattern.iter().enumerate().filter(|(at, _)| states[*at]) {
            match piece {
                Piece::Many => next[at] = true,
                Piece::One => next[at + 1] = true,
                Piece::Char(expected) => next[at + 1] |= *expected == character,
            }
        }
        close(&mut next);
        states = next;
    }
    states[pattern.len()]
}

fn strip_prefix<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then(|| &text[prefix.len()..])
}

/// Characters a formatted string writes without a backslash.
fn is_plain(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '_' | '.' | '-') || !character.is_ascii()
}

fn escape(character: char, text: &mut String) {
    if !is_plain(character) {
        text.push('\\');
    }
    text.push(character);
}

fn percent(character: char, text: &mut String) {
    if is_plain(character) {
        text.push(character);
    } else {
        let mut bytes = [0; 4];
        for byte in character.encode_utf8(&mut bytes).bytes() {
            text.push_str(&format!("%{byte:02x}"));
        }
    }
}

fn formatted(rest: &str) -> Result<Cpe, &'static str> {
    let mut fields = Vec::with_capacity(11);
    let mut field = String::new();
    let mut escaped = false;
    for character in rest.chars() {
        match character {
            _ if escaped => {
                field.push('\\');
                field.push(character);
                escaped = false;
            }
            '\\' => escaped = true,
            ':' => fields.push(std::mem::take(&mut field)),
            other => field.push(other),
        }
    }
    if escaped {
        return Err("it ends in a backslash");
    }
    fields.push(field);
    if fields.len() != 11 {
        return Err("it does not have eleven components");
    }
    let part = Part::read(&fields[0])?;
    let mut attributes = [const { Value::Any }; 10];
    for (attribute, field) in attributes.iter_mut().zip(&fields[1..]) {
        *attribute = component(field)?;
    }
    Ok(Cpe { part, attributes })
}

/// A component of a formatted string, backslashes kept.
fn component(field: &str) -> Result<Value, &'static str> {
    match field {
        "" => return Err("a component is empty"),
        "*" => return Ok(Value::Any),
        "-" => return Ok(Value::NotApplicable),
        _ => {}
    }
    let mut pieces = Vec::new();
    let mut characters = field.chars();
    while let Some(character) = characters.next() {
        pieces.push(match character {
            '\\' => match characters.next() {
                Some(next) => Piece::Char(lower(next)),
                None => return Err("it ends in a backslash"),
            },
            '*' => Piece::Many,
            '?' => Piece::One,
            other if other.is_whitespace() || other.is_control() => return Err("a component contains white space"),
            other => Piece::Char(lower(other)),
        });
    }
    value(pieces)
}

fn lower(character: char) -> char {
    character.to_lowercase().next().unwrap_or(character)
}

/// Wildcards may stand only at the beginning and the end of a value (NISTIR 7695, 5.3.2).
fn value(pieces: Vec<Piece>) -> Result<Value, &'static str> {
    let is_wild = |piece: &Piece| !matches!(piece, Piece::Char(_));
    if !pieces.iter().any(is_wild) {
        return Ok(Value::Text(
            pieces
                .into_iter()
                .filter_map(|piece| match piece {
                    Piece::Char(character) => Some(character),
                    _ => None,
                })
                .collect(),
        ));
    }
    let first = pieces.iter().position(|piece| !is_wild(piece));
    let last = pieces.iter().rposition(|piece| !is_wild(piece));
    if let (Some(first), Some(last)) = (first, last)
        && pieces[first..=last].iter().any(is_wild)
    {
        return Err("a wildcard stands within a value");
    }
    Ok(Value::Pattern(pieces))
}

fn uri(rest: &str) -> Result<Cpe, &'static str> {
    let fields: Vec<&str> = rest.split(':').collect();
    if fields.len() > 7 {
        return Err("it has more than seven components");
    }
    let part = Part::read(fields[0])?;
    let mut attributes = [const { Value::Any }; 10];
    for (index, field) in fields.iter().enumerate().skip(1) {
        match index {
            1..=4 => attributes[index - 1] = unbind(field)?,
            5 if field.starts_with('~') => {
                let packed: Vec<&str> = field[1..].split('~').collect();
                if packed.len() != 5 {
                    return Err("the packed edition does not have five values");
                }
                attributes[4] = unbind(packed[0])?;
                for (at, value) in packed[1..].iter().enumerate() {
                    attributes[6 + at] = unbind(value)?;
                }
            }
            5 => attributes[4] = unbind(field)?,
            _ => attributes[5] = unbind(field)?,
        }
    }
    Ok(Cpe { part, attributes })
}

/// A component of a URI: percent-encoded, `%01` and `%02` for the wildcards.
fn unbind(field: &str) -> Result<Value, &'static str> {
    match field {
        "" => return Ok(Value::Any),
        "-" => return Ok(Value::NotApplicable),
        _ => {}
    }
    let mut bytes = Vec::with_capacity(field.len());
    let mut pieces = Vec::new();
    let flush = |bytes: &mut Vec<u8>, pieces: &mut Vec<Piece>| -> Result<(), &'static str> {
        let text = std::str::from_utf8(bytes).map_err(|_| "a percent-encoded value is not UTF-8")?;
        pieces.extend(text.chars().map(|character| Piece::Char(lower(character))));
        bytes.clear();
        Ok(())
    };
    let mut rest = field.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        if *first != b'%' {
            bytes.push(*first);
            rest = tail;
            continue;
        }
        let code = tail.get(..2).and_then(|code| std::str::from_utf8(code).ok());
        let code = code
            .and_then(|code| u8::from_str_radix(code, 16).ok())
            .ok_or("a percent sign is not followed by two hexadecimal digits")?;
        match code {
            1 => {
                flush(&mut bytes, &mut pieces)?;
                pieces.push(Piece::One);
            }
            2 => {
                flush(&mut bytes, &mut pieces)?;
                pieces.push(Piece::Many);
            }
            other => bytes.push(other),
        }
        rest = &tail[2..];
    }
    flush(&mut bytes, &mut pieces)?;
    value(pieces)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_bindings_give_the_same_name() {
        for (uri, formatted) in [
            (
                "cpe:/a:microsoft:internet_explorer:8.0.6001:beta",
                "cpe:2.3:a:microsoft:internet_explorer:8.0.6001:beta:*:*:*:*:*:*",
            ),
            (
                "cpe:/a:microsoft:internet_explorer:8.%02:sp%01",
                "cpe:2.3:a:microsoft:internet_explorer:8.*:sp?:*:*:*:*:*:*",
            ),
            (
                "cpe:/a:hp:insight_diagnostics:7.4.0.1570:-:~~online~win2003~x64~",
                "cpe:2.3:a:hp:insight_diagnostics:7.4.0.1570:-:*:*:online:win2003:x64:*",
            ),
            (
                "cpe:/a:foo%5cbar:big%24money_2010:::~~special~ipod_touch~80gb~",
                "cpe:2.3:a:foo\\\\bar:big\\$money_2010:*:*:*:*:special:ipod_touch:80gb:*",
            ),
        ] {
            let name = Cpe::parse(uri).unwrap();
            assert_eq!(name.to_formatted(), formatted, "{uri}");
            assert_eq!(Cpe::parse(formatted).unwrap(), name);
            assert_eq!(name.to_uri(), uri);
        }
    }

    #[test]
    fn attributes_relate_as_in_table_6_2() {
        let value = |text: &str| component(text).unwrap();
        for (source, target, relation) in [
            ("*", "*", Relation::Equal),
            ("*", "-", Relation::Superset),
            ("*", "i", Relation::Superset),
            ("*", "m*", Relation::Undefined),
            ("-", "*", Relation::Subset),
            ("-", "-", Relation::Equal),
            ("-", "i", Relation::Disjoint),
            ("-", "m*", Relation::Undefined),
            ("i", "*", Relation::Subset),
            ("i", "-", Relation::Disjoint),
            ("i", "i", Relation::Equal),
            ("i", "k", Relation::Disjoint),
            ("i", "m*", Relation::Undefined),
            ("m*", "*", Relation::Subset),
            ("m*", "-", Relation::Disjoint),
            ("m*", "mm", Relation::Superset),
            ("m*", "xm", Relation::Disjoint),
            ("m?", "m", Relation::Superset),
            ("m?", "mmm", Relation::Disjoint),
            ("foo\\*bar", "foo\\*bar", Relation::Equal),
        ] {
            assert_eq!(value(source).relation(&value(target)), relation, "{source} {target}");
        }
    }

    #[test]
    fn parts_never_stand_for_each_other() {
        let camera = Cpe::parse("cpe:2.3:h:acme:camera:*:*:*:*:*:*:*:*").unwrap();
        let app = Cpe::parse("cpe:2.3:a:acme:camera:1.0:*:*:*:*:*:*:*").unwrap();
        assert_eq!(camera.relation(&app), Relation::Disjoint);
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for bad in [
            "",
            "cpe:2.3:a:b",
            "cpe:2.3:x:b:c:*:*:*:*:*:*:*:*",
            "cpe:2.3:a:b:c:1*2:*:*:*:*:*:*:*",
            "cpe:/a:b:%zz",
            "cpe:2.3:a:b:c:*:*:*:*:*:*:*:\\",
            "cpe:2.3:a:b::*:*:*:*:*:*:*:*",
        ] {
            assert!(Cpe::parse(bad).is_err(), "{bad}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "(cpe:(2\\.3:|/))?[ao:*?~%\\\\.\\PC]{0,60}") {
            if let Ok(name) = Cpe::parse(&text) {
                proptest::prop_assert_eq!(Cpe::parse(&name.to_formatted()).unwrap(), name);
            }
        }
    }
}
