//! `rpmdb.sqlite`: the blobs of table `Packages`, read from the pages of the file.
//!
//! Rules: "Database File Format" of SQLite. The schema is a table tree on page 1; `Packages(hnum, blob)` is another table
//! tree; long rows continue on overflow pages; committed frames of a write-ahead log replace pages.
//!
//! Not supported: rollback journals (a database that was being written in that mode), encodings other than UTF-8,
//! and everything the one table does not need.

use std::collections::HashMap;

use crate::component::{MAX_PACKAGES, ReadError};

/// How such a file begins.
pub const MAGIC: &[u8] = b"SQLite format 3\0";

/// Levels of a tree; SQLite itself allows 20.
const MAX_DEPTH: usize = 20;
const LEAF: u8 = 0x0d;
const INTERIOR: u8 = 0x05;

/// Calls `take` with the blob of every row of `Packages`. Linear in the size of the file.
///
/// # Errors
/// If the file is damaged, or has no such table.
pub fn blobs(bytes: &[u8], wal: Option<&[u8]>, take: &mut dyn FnMut(&[u8])) -> Result<(), ReadError> {
    let pages = Pages::open(bytes, wal)?;
    let mut root = None;
    pages.rows(1, &mut |row| {
        let fields = fields(row);
        if let (Some(Field::Bytes(kind)), Some(Field::Bytes(name)), Some(Field::Number(page))) =
            (fields.first(), fields.get(1), fields.get(3))
            && *kind == b"table"
            && *name == b"Packages"
        {
            root = u32::try_from(*page).ok();
        }
    })?;
    let Some(root) = root else {
        return Err(ReadError::Syntax("it has no table `Packages`".to_owned()));
    };
    pages.rows(root, &mut |row| {
        if let Some(Field::Bytes(blob)) = fields(row).get(1) {
            take(blob);
        }
    })
}

fn damaged() -> ReadError {
    ReadError::Syntax("the database is cut off or damaged".to_owned())
}

/// The pages of a database as its last commit left them.
struct Pages<'b> {
    bytes: &'b [u8],
    replaced: HashMap<u32, &'b [u8]>,
    size: usize,
    /// Bytes of a page that hold content.
    usable: usize,
}

impl<'b> Pages<'b> {
    fn open(bytes: &'b [u8], wal: Option<&'b [u8]>) -> Result<Self, ReadError> {
        let head = bytes.get(..100).filter(|head| head.starts_with(MAGIC)).ok_or_else(damaged)?;
        let size = match u16::from_be_bytes([head[16], head[17]]) {
            1 => 65536,
            size => usize::from(size),
        };
        let usable = size.saturating_sub(usize::from(head[20]));
        if !size.is_power_of_two() || size < 512 || usable < 480 {
            return Err(damaged());
        }
        let replaced = wal.map(|wal| frames(wal, size)).unwrap_or_default();
        Ok(Self { bytes, replaced, size, usable })
    }

    fn page(&self, number: u32) -> Option<&'b [u8]> {
        if let Some(page) = self.replaced.get(&number) {
            return Some(page);
        }
        let begin = (number.checked_sub(1)? as usize).checked_mul(self.size)?;
        self.bytes.get(begin..begin.checked_add(self.size)?)
    }

    /// How many pages there can be at most: none may be visited twice.
    fn count(&self) -> usize {
        self.bytes.len() / self.size + self.replaced.len()
    }

    /// Calls `take` with the record of every row of a table tree.
    fn rows(&self, root: u32, take: &mut dyn FnMut(&[u8])) -> Result<(), ReadError> {
        let mut left = self.count() + 1;
        let mut rows = 0;
        let mut open: Vec<(u32, usize)> = vec![(root, 0)];
        while let Some((number, depth)) = open.pop() {
            left = left.checked_sub(1).ok_or_else(damaged)?;
            if depth > MAX_DEPTH {
                return Err(damaged());
            }
            let page = self.page(number).ok_or_else(damaged)?;
            let head = if number == 1 { 100 } else { 0 };
            let kind = *page.get(head).ok_or_else(damaged)?;
            let cells = usize::from(short(page, head + 3).ok_or_else(damaged)?);
            match kind {
                INTERIOR => {
                    let last = word(page, head + 8).ok_or_else(damaged)?;
                    open.push((last, depth + 1));
                    for cell in (0..cells).rev() {
                        let at = usize::from(short(page, head + 12 + cell * 2).ok_or_else(damaged)?);
                        open.push((word(page, at).ok_or_else(damaged)?, depth + 1));
                    }
                    if open.len() > self.count() * 2 + 16 {
                        return Err(damaged());
                    }
                }
                LEAF => {
                    for cell in 0..cells {
                        rows += 1;
                        if rows > MAX_PACKAGES {
                            return Err(ReadError::TooMany);
                        }
                        let at = usize::from(short(page, head + 8 + cell * 2).ok_or_else(damaged)?);
                        let (length, used) = varint(page.get(at..).ok_or_else(damaged)?).ok_or_else(damaged)?;
                        let (_, used_by_key) =
                            varint(page.get(at + used..).ok_or_else(damaged)?).ok_or_else(damaged)?;
                        let length = usize::try_from(length).map_err(|_| damaged())?;
                        take(&self.payload(page, at + used + used_by_key, length, &mut left)?);
                    }
                }
                _ => return Err(damaged()),
            }
        }
        Ok(())
    }

    /// A row, joined from its page and its overflow pages.
    fn payload(&self, page: &[u8], at: usize, length: usize, left: &mut usize) -> Result<Vec<u8>, ReadError> {
        let most = self.usable - 35;
        let least = (self.usable - 12) * 32 / 255 - 23;
        let here = if length <= most {
            length
        } else {
            let wanted = least + (length - least) % (self.usable - 4);
            if wanted <= most { wanted } else { least }
        };
        if length > self.count().saturating_mul(self.size) {
            return Err(damaged());
        }
        let local = page.get(at..).and_then(|rest| rest.get(..here)).ok_or_else(damaged)?;
        let mut row = Vec::with_capacity(length);
        row.extend_from_slice(local);
        let mut next = if length > here { word(page, at + here).ok_or_else(damaged)? } else { 0 };
        while row.len() < length {
            // Every overflow page belongs to one row, so that all rows together visit no more pages than there are.
            *left = left.checked_sub(1).ok_or_else(damaged)?;
            let overflow = self.page(next).ok_or_else(damaged)?;
            next = word(overflow, 0).ok_or_else(damaged)?;
            let part = (length - row.len()).min(self.usable - 4);
            row.extend_from_slice(overflow.get(4..4 + part).ok_or_else(damaged)?);
        }
        Ok(row)
    }
}

/// The pages that committed frames of a write-ahead log replace. Frames after the last commit, and those with wrong
/// salts or checksums (left over from an earlier round), do not count.
fn frames(wal: &[u8], size: usize) -> HashMap<u32, &[u8]> {
    let mut committed = HashMap::new();
    let Some(head) = wal.get(..32) else { return committed };
    let big_endian = match word(head, 0) {
        Some(0x377f_0683) => true,
        Some(0x377f_0682) => false,
        _ => return committed,
    };
    if word(head, 8).map(|stated| stated as usize) != Some(size) {
        return committed;
    }
    let mut sum = checksum((0, 0), &head[..24], big_endian);
    if Some(sum.0) != word(head, 24) || Some(sum.1) != word(head, 28) {
        return committed;
    }
    let mut pending: Vec<(u32, &[u8])> = Vec::new();
    for frame in wal[32..].chunks_exact(24 + size) {
        let (head_of_frame, page) = frame.split_at(24);
        if head_of_frame[8..16] != head[16..24] {
            break;
        }
        sum = checksum(checksum(sum, &head_of_frame[..8], big_endian), page, big_endian);
        if Some(sum.0) != word(head_of_frame, 16) || Some(sum.1) != word(head_of_frame, 20) {
            break;
        }
        pending.push((word(head_of_frame, 0).unwrap_or(0), page));
        if word(head_of_frame, 4).unwrap_or(0) != 0 {
            committed.extend(pending.drain(..));
        }
    }
    committed
}

fn checksum(start: (u32, u32), bytes: &[u8], big_endian: bool) -> (u32, u32) {
    let number = |four: &[u8]| {
        let four = [four[0], four[1], four[2], four[3]];
        if big_endian { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) }
    };
    bytes.chunks_exact(8).fold(start, |(a, b), eight| {
        let a = a.wrapping_add(number(&eight[..4])).wrapping_add(b);
        let b = b.wrapping_add(number(&eight[4..])).wrapping_add(a);
        (a, b)
    })
}

enum Field<'r> {
    Null,
    Number(i64),
    Bytes(&'r [u8]),
}

/// The fields of a record; those that lie outside are left out.
fn fields(row: &[u8]) -> Vec<Field<'_>> {
    let mut fields = Vec::new();
    let Some((head, mut at)) = varint(row) else { return fields };
    let Ok(head) = usize::try_from(head) else { return fields };
    let mut body = head;
    // The schema has five columns, the table two.
    while at < head && fields.len() < 8 {
        let Some((kind, used)) = row.get(at..).and_then(varint) else { break };
        at += used;
        let length = match kind {
            0 | 8 | 9 => 0,
            1..=4 => kind as usize,
            5 => 6,
            6 | 7 => 8,
            10 | 11 => break,
            _ => usize::try_from((kind - 12) / 2).unwrap_or(usize::MAX),
        };
        let Some(bytes) = body.checked_add(length).and_then(|end| row.get(body..end)) else { break };
        body += length;
        fields.push(match kind {
            8 => Field::Number(0),
            9 => Field::Number(1),
            1..=6 => Field::Number(
                bytes
                    .iter()
                    .fold(if bytes[0] & 0x80 == 0 { 0 } else { -1 }, |number, byte| (number << 8) | i64::from(*byte)),
            ),
            0 | 7 => Field::Null,
            _ => Field::Bytes(bytes),
        });
    }
    fields
}

/// A number of variable length (at most 9 bytes), and how many bytes it took.
fn varint(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut number = 0_u64;
    for (index, byte) in bytes.iter().take(9).enumerate() {
        if index == 8 {
            return Some(((number << 8) | u64::from(*byte), 9));
        }
        number = (number << 7) | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((number, index + 1));
        }
    }
    None
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_be_bytes([four[0], four[1], four[2], four[3]]))
}

fn short(bytes: &[u8], at: usize) -> Option<u16> {
    let two = bytes.get(at..at.checked_add(2)?)?;
    Some(u16::from_be_bytes([two[0], two[1]]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_of_variable_length() {
        assert_eq!(varint(&[0x05]), Some((5, 1)));
        assert_eq!(varint(&[0x81, 0x00]), Some((128, 2)));
        assert_eq!(varint(&[0xff; 9]), Some((u64::MAX, 9)));
        assert_eq!(varint(&[0x81]), None);
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2048), wal in proptest::collection::vec(any::<u8>(), 0..600)) {
            let mut file = bytes.clone();
            for (at, byte) in MAGIC.iter().enumerate().take(file.len()) {
                file[at] = *byte;
            }
            if file.len() > 21 {
                file[16..21].copy_from_slice(&[2, 0, 1, 1, 0]);
            }
            let _ = blobs(&file, Some(&wal), &mut |_| {});
            let _ = fields(&bytes);
        }
    }
}
