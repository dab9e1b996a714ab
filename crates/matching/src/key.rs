//! Byte strings whose plain order is the order of versions.

/// Longest version that is read, in bytes: real ones are far shorter, and the text may come from anywhere.
pub(crate) const MAX_VERSION: usize = 512;

/// A version as bytes that compare as the version does. Keys of different dialects must not be compared.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SortKey(Box<[u8]>);

impl SortKey {
    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Takes stored bytes back.
    #[must_use]
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes.into_boxed_slice())
    }
}

/// Builds a key.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// A tag: what follows is only compared among equal tags.
    pub(crate) fn tag(&mut self, tag: u8) -> &mut Self {
        self.bytes.push(tag);
        self
    }

    /// A run of decimal digits of any length, compared as the number it writes: leading zeros dropped, then its length,
    /// then the digits. The empty run is zero.
    pub(crate) fn digits(&mut self, digits: &[u8]) -> &mut Self {
        let significant = &digits[digits.iter().take_while(|digit| **digit == b'0').count()..];
        // MAX_VERSION bounds the length, so that two bytes always hold it.
        let length = u16::try_from(significant.len()).unwrap_or(u16::MAX);
        self.bytes.extend_from_slice(&length.to_be_bytes());
        self.bytes.extend_from_slice(significant);
        self
    }

    /// A number.
    pub(crate) fn number(&mut self, number: u64) -> &mut Self {
        self.digits(number.to_string().as_bytes())
    }

    /// Text in byte order, shorter first: terminated by a zero, which no version contains.
    pub(crate) fn text(&mut self, text: &[u8]) -> &mut Self {
        self.bytes.extend_from_slice(text);
        self.bytes.push(0);
        self
    }

    pub(crate) fn finish(self) -> SortKey {
        SortKey(self.bytes.into_boxed_slice())
    }
}

/// Splits leading ASCII digits off.
pub(crate) fn leading_digits(bytes: &[u8]) -> (&[u8], &[u8]) {
    let length = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    bytes.split_at(length)
}

/// Splits leading ASCII letters off.
pub(crate) fn leading_letters(bytes: &[u8]) -> (&[u8], &[u8]) {
    let length = bytes.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    bytes.split_at(length)
}
