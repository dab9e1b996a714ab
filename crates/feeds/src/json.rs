//! JSON as a stream of records.
//!
//! [`JsonStream`] finds where a value begins and ends without building it, so that a feed of gigabytes needs the memory
//! of its largest record; the record is then read by serde from the bytes in place. Depth and size of a value are
//! bounded while it is scanned, before anything is allocated for it.
//!
//! Source of the rules: RFC 8259, with two liberties that real feeds need: a byte-order mark at the start, and several
//! top-level values one after the other (JSON Lines). What is between the brackets of a record is checked by serde.
//! Linear; one buffer.

use std::io::Read;

use serde::de::DeserializeOwned;

use crate::error::{FeedError, Result};
use crate::input::damaged;
use crate::limits::Limits;

/// How much is read at once.
const CHUNK: usize = 256 << 10;

/// A reader of JSON that hands out raw values.
pub struct JsonStream<'r> {
    inner: &'r mut dyn Read,
    buffer: Vec<u8>,
    /// First byte in the buffer that is not consumed.
    start: usize,
    /// End of what is filled.
    end: usize,
    /// Offset of `buffer[0]` in the input.
    base: u64,
    ended: bool,
    /// The white space passed last held the end of a line.
    line_ended: bool,
    /// Records were lines, and the last has no end.
    unterminated: bool,
    max_record: usize,
    max_depth: usize,
}

impl<'r> JsonStream<'r> {
    /// A stream over `inner`.
    pub fn new(inner: &'r mut dyn Read, limits: &Limits) -> Self {
        Self {
            inner,
            buffer: Vec::new(),
            start: 0,
            end: 0,
            base: 0,
            ended: false,
            line_ended: false,
            unterminated: false,
            max_record: limits.max_record,
            max_depth: limits.max_depth,
        }
    }

    /// Offset of the next byte in the input.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.base + self.start as u64
    }

    /// Reads more; false at the end of the input.
    fn more(&mut self) -> Result<bool> {
        if self.ended {
            return Ok(false);
        }
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.base += self.start as u64;
            self.end -= self.start;
            self.start = 0;
        }
        // A value that does not fit asks for twice the room, up to the bound of a record.
        let free = self.buffer.len() - self.end;
        if free < CHUNK / 2 {
            let wanted = (self.buffer.len() * 2).clamp(CHUNK, self.max_record.saturating_add(2 * CHUNK));
            if self.end >= self.max_record.saturating_add(CHUNK) {
                return Err(self.too_large());
            }
            self.buffer.resize(wanted.max(self.end + CHUNK / 2), 0);
        }
        loop {
            match self.inner.read(&mut self.buffer[self.end..]) {
                Ok(0) => {
                    self.ended = true;
                    return Ok(false);
                }
                Ok(read) => {
                    self.end += read;
                    return Ok(true);
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(damaged("plain", &error)),
            }
        }
    }

    const fn too_large(&self) -> FeedError {
        FeedError::Limit { what: "the size of a record in bytes", limit: self.max_record as u64 }
    }

    fn syntax(&self, rule: &str) -> FeedError {
        FeedError::Syntax { at: self.offset(), rule: rule.to_owned() }
    }

    /// The next byte that is not white space, not consumed; none at the end of the input.
    ///
    /// # Errors
    /// If the input cannot be read.
    pub fn peek(&mut self) -> Result<Option<u8>> {
        loop {
            while self.start < self.end {
                let byte = self.buffer[self.start];
                if byte == 0xef && self.offset() == 0 && self.skip_mark()? {
                    continue;
                }
                if !matches!(byte, b' ' | b'\n' | b'\r' | b'\t') {
                    return Ok(Some(byte));
                }
                self.line_ended |= byte == b'\n';
                self.start += 1;
            }
            if !self.more()? {
                return Ok(None);
            }
        }
    }

    /// Skips a byte-order mark at the start of the input; false if there is none.
    fn skip_mark(&mut self) -> Result<bool> {
        while self.end - self.start < 3 && self.more()? {}
        let marked = self.buffer[self.start..self.end].starts_with(b"\xef\xbb\xbf");
        if marked {
            self.start += 3;
        }
        Ok(marked)
    }

    fn expect(&mut self, byte: u8, rule: &str) -> Result<()> {
        match self.peek()? {
            Some(found) if found == byte => {
                self.start += 1;
                Ok(())
            }
            Some(_) => Err(self.syntax(rule)),
            None => Err(FeedError::Truncated("within a JSON document")),
        }
    }

    /// The bytes of the next value, whatever it is.
    ///
    /// # Errors
    /// If the value is not complete, too deep or too large.
    pub fn value(&mut self) -> Result<&[u8]> {
        let length = self.scan()?;
        let value = &self.buffer[self.start..self.start + length];
        self.start += length;
        Ok(value)
    }

    /// Reads the next value as `T`, which owns its content.
    ///
    /// # Errors
    /// As [`Self::value`]; [`FeedError::Record`] if the value is no `T`.
    pub fn read<T: DeserializeOwned>(&mut self) -> Result<T> {
        serde_json::from_slice(self.value()?).map_err(|error| FeedError::record("", error))
    }

    /// Length of the value that begins at the next byte that is not white space. The value is in the buffer when this
    /// returns.
    fn scan(&mut self) -> Result<usize> {
        let Some(first) = self.peek()? else { return Err(FeedError::Truncated("within a JSON document")) };
        if !matches!(first, b'{' | b'[' | b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n') {
            return Err(self.syntax("a JSON value does not begin like this"));
        }
        let mut at = 0;
        let mut depth = 0_usize;
        let mut in_string = false;
        loop {
            let window = &self.buffer[self.start + at..self.end];
            let mut done = None;
            let mut used = window.len();
            let mut index = 0;
            while index < window.len() {
                if in_string {
                    match memchr::memchr2(b'"', b'\\', &window[index..]) {
                        None => index = window.len(),
                        Some(offset) if window[index + offset] == b'"' => {
                            index += offset + 1;
                            in_string = false;
                            if depth == 0 {
                                done = Some(index);
                                break;
                            }
                        }
                        // An escape at the end of the window is looked at again when more is there.
                        Some(offset) if index + offset + 1 >= window.len() => {
                            used = index + offset;
                            break;
                        }
                        Some(offset) => index += offset + 2,
                    }
                    continue;
                }
                match window[index] {
                    b'"' => in_string = true,
                    b'{' | b'[' => {
                        depth += 1;
                        if depth > self.max_depth {
                            return Err(FeedError::Limit { what: "the nesting of JSON", limit: self.max_depth as u64 });
                        }
                    }
                    b'}' | b']' => {
                        if depth <= 1 {
                            // A closing bracket also ends a bare number or word, which it is not part of.
                            done = Some(if depth == 1 { index + 1 } else { index });
                            break;
                        }
                        depth -= 1;
                    }
                    b',' | b' ' | b'\n' | b'\r' | b'\t' | b':' if depth == 0 => {
                        done = Some(index);
                        break;
                    }
                    _ => {}
                }
                index += 1;
            }
            if let Some(length) = done {
                if at + length > self.max_record {
                    return Err(self.too_large());
                }
                return Ok(at + length);
            }
            at += used;
            if at > self.max_record {
                return Err(self.too_large());
            }
            if !self.more()? {
                return if depth == 0 && !in_string && at > 0 {
                    Ok(at)
                } else {
                    Err(FeedError::Truncated("within a JSON document"))
                };
            }
        }
    }

    /// Enters an array and calls `each` before every element; `each` must consume exactly one value.
    ///
    /// # Errors
    /// If this is no array; what `each` returns.
    pub fn array(&mut self, mut each: impl FnMut(&mut Self) -> Result<()>) -> Result<()> {
        self.expect(b'[', "an array is expected here")?;
        if self.peek()? == Some(b']') {
            self.start += 1;
            return Ok(());
        }
        loop {
            each(self)?;
            match self.peek()? {
                Some(b',') => self.start += 1,
                Some(b']') => {
                    self.start += 1;
                    return Ok(());
                }
                Some(_) => return Err(self.syntax("a comma or the end of the array is expected here")),
                None => return Err(FeedError::Truncated("within a JSON array")),
            }
        }
    }

    /// Enters an object and calls `each` with every key; `each` must consume exactly one value.
    ///
    /// # Errors
    /// If this is no object; what `each` returns.
    pub fn object(&mut self, mut each: impl FnMut(&mut Self, &str) -> Result<()>) -> Result<()> {
        self.expect(b'{', "an object is expected here")?;
        if self.peek()? == Some(b'}') {
            self.start += 1;
            return Ok(());
        }
        loop {
            if self.peek()? != Some(b'"') {
                return Err(match self.peek()? {
                    Some(_) => self.syntax("a key is expected here"),
                    None => FeedError::Truncated("within a JSON object"),
                });
            }
            let at = self.offset();
            let key: String = serde_json::from_slice(self.value()?)
                .map_err(|error| FeedError::Syntax { at, rule: error.to_string() })?;
            self.expect(b':', "a colon is expected after a key")?;
            each(self, &key)?;
            match self.peek()? {
                Some(b',') => self.start += 1,
                Some(b'}') => {
                    self.start += 1;
                    return Ok(());
                }
                Some(_) => return Err(self.syntax("a comma or the end of the object is expected here")),
                None => return Err(FeedError::Truncated("within a JSON object")),
            }
        }
    }

    /// Calls `each` with the bytes of every record: each top-level value, or the elements of a top-level array.
    ///
    /// # Errors
    /// As [`Self::value`]; what `each` returns.
    pub fn records(&mut self, mut each: impl FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let (mut values, mut lines) = (0_u64, false);
        while let Some(byte) = self.peek()? {
            values += 1;
            lines = values > 1 && self.line_ended;
            self.line_ended = false;
            if byte == b'[' {
                self.array(|stream| each(stream.value()?))?;
            } else {
                each(self.value()?)?;
            }
        }
        // Of lines the last has an end too; a file that was cut between two of them lacks it.
        self.unterminated = lines && !self.line_ended;
        Ok(())
    }

    /// Whether the records read were lines, the last of which has no end.
    #[must_use]
    pub const fn is_unterminated(&self) -> bool {
        self.unterminated
    }

    /// Skips the next value without keeping it: its size is not bounded, its depth is.
    ///
    /// # Errors
    /// As [`Self::value`].
    pub fn skip(&mut self) -> Result<()> {
        match self.peek()? {
            Some(b'{') => self.object(|stream, _| stream.skip_inner(1)),
            Some(b'[') => self.array(|stream| stream.skip_inner(1)),
            _ => self.value().map(drop),
        }
    }

    fn skip_inner(&mut self, depth: usize) -> Result<()> {
        if depth >= self.max_depth {
            return Err(FeedError::Limit { what: "the nesting of JSON", limit: self.max_depth as u64 });
        }
        match self.peek()? {
            Some(b'{') => self.object(|stream, _| stream.skip_inner(depth + 1)),
            Some(b'[') => self.array(|stream| stream.skip_inner(depth + 1)),
            _ => self.value().map(drop),
        }
    }

    /// Ensures that nothing follows but white space.
    ///
    /// # Errors
    /// If something does.
    pub fn finish(&mut self) -> Result<()> {
        match self.peek()? {
            None => Ok(()),
            Some(_) => Err(self.syntax("something follows the document")),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Gives its bytes in pieces of one size.
    struct Pieces<'b>(&'b [u8], usize);

    impl Read for Pieces<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let length = self.1.min(self.0.len()).min(buffer.len());
            buffer[..length].copy_from_slice(&self.0[..length]);
            self.0 = &self.0[length..];
            Ok(length)
        }
    }

    fn records(text: &[u8], piece: usize, limits: &Limits) -> Result<Vec<String>> {
        let mut found = Vec::new();
        JsonStream::new(&mut Pieces(text, piece), limits).records(|record| {
            found.push(String::from_utf8_lossy(record).into_owned());
            Ok(())
        })?;
        Ok(found)
    }

    #[test]
    fn lines_arrays_and_single_documents_give_records() {
        let limits = Limits::default();
        for piece in [1, 2, 7, 4096] {
            let is = |text: &str, expected: &[&str]| {
                assert_eq!(records(text.as_bytes(), piece, &limits).unwrap(), expected, "{text} by {piece}");
            };
            is("\u{feff}{\"a\":1}\n{\"b\":\"}\\\"\"}\n", &["{\"a\":1}", "{\"b\":\"}\\\"\"}"]);
            is(" [ {\"a\":[1,2]} , 3,\"x\\\\\" , null ] ", &["{\"a\":[1,2]}", "3", "\"x\\\\\"", "null"]);
            is("12 true", &["12", "true"]);
            is("", &[]);
            is("[]", &[]);
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        let limits = Limits { max_depth: 3, max_record: 20, ..Limits::default() };
        let error = |text: &str| records(text.as_bytes(), 5, &limits).unwrap_err();
        for cut in ["{\"a\":1", "[1,", "\"abc", "[{\"a\":\"", "\"\\"] {
            assert!(matches!(error(cut), FeedError::Truncated(_)), "{cut}");
        }
        assert!(matches!(error("[[[[[]]]]]"), FeedError::Limit { what: "the nesting of JSON", .. }));
        assert!(matches!(error("\"0123456789012345678901234567890\""), FeedError::Limit { .. }));
        assert!(matches!(error("<html>"), FeedError::Syntax { .. }));
        assert!(matches!(error("[1 2]"), FeedError::Syntax { .. }));
    }

    #[test]
    fn objects_give_keys_and_values_can_be_skipped() {
        let text = br#"{"skip": {"deep": [1, {"x": "y"}]}, "k\u0065y": [1, 2], "last": 3}"#;
        for piece in [1, 3, 64] {
            let mut pieces = Pieces(text, piece);
            let mut stream = JsonStream::new(&mut pieces, &Limits::default());
            let mut seen = Vec::new();
            stream
                .object(|stream, key| {
                    seen.push(key.to_owned());
                    match key {
                        "key" => stream.array(|stream| stream.read::<u8>().map(|number| seen.push(number.to_string()))),
                        _ => stream.skip(),
                    }
                })
                .unwrap();
            stream.finish().unwrap();
            assert_eq!(seen, ["skip", "key", "1", "2", "last"]);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_give_records_or_an_error(bytes: Vec<u8>, piece in 1..9_usize) {
            let _ = records(&bytes, piece, &Limits::default());
        }

        #[test]
        fn records_do_not_depend_on_how_the_bytes_arrive(
            values in proptest::collection::vec("[a-z\"\\\\{}\\[\\], ]{0,12}", 0..8), piece in 1..64_usize
        ) {
            let lines: Vec<String> = values.iter().map(|text| serde_json::to_string(text).unwrap()).collect();
            prop_assert_eq!(records(lines.join("\n").as_bytes(), piece, &Limits::default()).unwrap(), lines);
        }
    }
}
