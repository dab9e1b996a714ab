//! Files, compressed files and archives as a series of bounded streams.
//!
//! [`visit`] opens a file, takes off layers of gzip, zstd, bzip2 and xz, walks tar and zip archives, and hands each
//! document to a closure. What a file is, is decided by its first bytes, never by its name. Nothing is unpacked to disk
//! and no name from an archive is used as a path. Bounds: bytes that come out, their ratio to the bytes that went in,
//! members, layers ([`Limits`]).
//!
//! Members of an archive may be compressed themselves. Not supported: encrypted zip, archives inside archives, sparse tar members, split archives. Time and memory: linear
//! in the bytes, one buffer (zstd windows up to 128 MiB and xz dictionaries up to 128 MiB are admitted).

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::{FeedError, Result};
use crate::limits::Limits;

/// How much of a stream is looked at to recognise it.
const PEEK: usize = 1024;
/// Largest zstd window and xz dictionary, as a power of two (128 MiB, the default of `zstd --long`).
const WINDOW_LOG: u32 = 27;

/// One document of an input.
pub struct Member<'r> {
    /// Name inside the archive, or the file's own name: a label, never a path to open.
    pub name: &'r str,
    /// Whether it came out of an archive.
    pub archived: bool,
    /// The bytes.
    pub reader: &'r mut dyn Read,
}

/// Calls `each` for every document in the file.
///
/// # Errors
/// What the file system, a decoder or a bound says; whatever `each` returns.
pub fn visit(path: &Path, limits: &Limits, each: &mut dyn FnMut(Member<'_>) -> Result<()>) -> Result<()> {
    let file = File::open(path).map_err(|error| FeedError::io("opening", path, error))?;
    let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let mut magic = [0; 4];
    let mut reader = BufReader::with_capacity(256 << 10, file);
    let read = fill(&mut reader, &mut magic).map_err(|error| FeedError::io("reading", path, error))?;
    if magic[..read] == *b"PK\x03\x04" || magic[..read] == *b"PK\x05\x06" {
        return visit_zip(File::open(path).map_err(|error| FeedError::io("opening", path, error))?, limits, each);
    }
    let consumed = Arc::new(AtomicU64::new(0));
    let whole = Cursor::new(magic[..read].to_vec()).chain(reader);
    let counting = Counting { inner: Box::new(whole), consumed: Arc::clone(&consumed) };
    visit_stream(&name, Box::new(counting), &consumed, limits, each)
}

/// The same for bytes in memory. Zip archives are admitted.
///
/// # Errors
/// As [`visit`].
pub fn visit_bytes(
    name: &str,
    bytes: &[u8],
    limits: &Limits,
    each: &mut dyn FnMut(Member<'_>) -> Result<()>,
) -> Result<()> {
    if bytes.starts_with(b"PK\x03\x04") {
        return visit_zip(Cursor::new(bytes), limits, each);
    }
    let consumed = Arc::new(AtomicU64::new(0));
    let counting = Counting { inner: Box::new(bytes), consumed: Arc::clone(&consumed) };
    visit_stream(name, Box::new(counting), &consumed, limits, each)
}

fn visit_stream<'s>(
    name: &str,
    stream: Box<dyn Read + 's>,
    consumed: &Arc<AtomicU64>,
    limits: &Limits,
    each: &mut dyn FnMut(Member<'_>) -> Result<()>,
) -> Result<()> {
    let mut stream: Box<dyn Read + 's> = stream;
    let mut kind = "plain";
    for layer in 0.. {
        let mut head = vec![0; PEEK];
        let read = fill(&mut stream, &mut head).map_err(|error| damaged(kind, &error))?;
        head.truncate(read);
        let layer_kind = Layer::of(&head);
        let is_tar = layer_kind.is_none() && head.get(257..262) == Some(b"ustar".as_slice());
        let whole = Cursor::new(head).chain(stream);
        let Some(next) = layer_kind else {
            let spent = Spent::default();
            let mut reader = Bounded::new(whole, consumed, &spent, limits);
            let outcome = if is_tar {
                visit_tar(&mut reader, limits, kind, each)
            } else {
                each(Member { name, archived: false, reader: &mut reader })
            };
            // Read to the end, so that a checksum or a missing tail is noticed however little the parser wanted.
            return outcome.and_then(|()| {
                io::copy(&mut reader, &mut io::sink()).map(drop).map_err(|error| damaged(kind, &error))
            });
        };
        if layer >= limits.max_layers {
            return Err(FeedError::Limit {
                what: "the number of layers of compression",
                limit: limits.max_layers.into(),
            });
        }
        kind = next.name();
        stream = next.decoder(whole)?;
    }
    unreachable!("the loop returns at the innermost layer or at the limit")
}

/// An encoding round a document.
#[derive(Debug, Clone, Copy)]
enum Layer {
    Gzip,
    Zstd,
    Bzip2,
    Xz,
}

impl Layer {
    fn of(head: &[u8]) -> Option<Self> {
        match head {
            [0x1f, 0x8b, 8, ..] => Some(Self::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Self::Zstd),
            [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, ..] => Some(Self::Bzip2),
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Some(Self::Xz),
            _ => None,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Bzip2 => "bzip2",
            Self::Xz => "xz",
        }
    }

    fn decoder<'s>(self, from: impl Read + 's) -> Result<Box<dyn Read + 's>> {
        Ok(match self {
            Self::Gzip => Box::new(flate2::read::MultiGzDecoder::new(from)),
            Self::Zstd => {
                let mut decoder =
                    zstd::stream::read::Decoder::new(from).map_err(|error| damaged(self.name(), &error))?;
                decoder.window_log_max(WINDOW_LOG).map_err(|error| damaged(self.name(), &error))?;
                Box::new(decoder)
            }
            Self::Bzip2 => Box::new(bzip2::read::MultiBzDecoder::new(from)),
            Self::Xz => Box::new(lzma_rust2::XzReader::new_mem_limit(from, true, (1 << (WINDOW_LOG - 10)) + 4096)),
        })
    }
}

fn visit_tar(
    reader: &mut dyn Read,
    limits: &Limits,
    kind: &'static str,
    each: &mut dyn FnMut(Member<'_>) -> Result<()>,
) -> Result<()> {
    let (consumed, spent) = (Arc::new(AtomicU64::new(0)), Spent::default());
    let mut archive = tar::Archive::new(reader);
    let entries = archive.entries().map_err(|error| damaged("tar", &error))?;
    for (number, entry) in (0_u64..).zip(entries) {
        if number >= limits.max_members {
            return Err(FeedError::Limit { what: "the number of archive members", limit: limits.max_members });
        }
        let mut entry = entry.map_err(|error| damaged(if kind == "plain" { "tar" } else { kind }, &error))?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        visit_member(&name, &mut entry, &consumed, &spent, limits, each)?;
    }
    Ok(())
}

/// One member of an archive, which may itself be compressed. `consumed` and `spent` count over all members.
fn visit_member(
    name: &str,
    entry: &mut dyn Read,
    consumed: &Arc<AtomicU64>,
    spent: &Spent,
    limits: &Limits,
    each: &mut dyn FnMut(Member<'_>) -> Result<()>,
) -> Result<()> {
    let mut stream: Box<dyn Read + '_> = Box::new(Counting { inner: Box::new(entry), consumed: Arc::clone(consumed) });
    for _ in 0..limits.max_layers {
        let mut head = vec![0; 8];
        let read = fill(&mut stream, &mut head).map_err(|error| damaged("plain", &error))?;
        head.truncate(read);
        let layer = Layer::of(&head);
        let whole = Cursor::new(head).chain(stream);
        match layer {
            None => {
                let reader = &mut Bounded::new(whole, consumed, spent, limits);
                return each(Member { name, archived: true, reader });
            }
            Some(layer) => stream = layer.decoder(whole)?,
        }
    }
    Err(FeedError::Limit { what: "the number of layers of compression", limit: limits.max_layers.into() })
}

fn visit_zip(
    file: impl Read + io::Seek,
    limits: &Limits,
    each: &mut dyn FnMut(Member<'_>) -> Result<()>,
) -> Result<()> {
    let mut archive = zip::ZipArchive::new(BufReader::new(file))
        .map_err(|error| FeedError::Damaged { kind: "zip", detail: error.to_string() })?;
    if archive.len() as u64 > limits.max_members {
        return Err(FeedError::Limit { what: "the number of archive members", limit: limits.max_members });
    }
    // What came out of the archive, and what came out of members that are compressed themselves.
    let (consumed, spent) = (Arc::new(AtomicU64::new(0)), Spent::default());
    let (inner, inner_spent) = (Arc::new(AtomicU64::new(0)), Spent::default());
    for index in 0..archive.len() {
        let mut entry =
            archive.by_index(index).map_err(|error| FeedError::Damaged { kind: "zip", detail: error.to_string() })?;
        if !entry.is_file() {
            continue;
        }
        let name = String::from_utf8_lossy(entry.name_raw()).into_owned();
        consumed.fetch_add(entry.compressed_size(), Ordering::Relaxed);
        let mut reader = Bounded::new(&mut entry, &consumed, &spent, limits);
        visit_member(&name, &mut reader, &inner, &inner_spent, limits, each)?;
        // The checksum is compared at the end of the member.
        io::copy(&mut reader, &mut io::sink()).map_err(|error| damaged("zip", &error))?;
    }
    Ok(())
}

/// Turns what a decoder says into our terms.
pub(crate) fn damaged(kind: &'static str, error: &io::Error) -> FeedError {
    if let Some(Exceeded { what, limit }) = error.get_ref().and_then(|inner| inner.downcast_ref()) {
        return FeedError::Limit { what, limit: *limit };
    }
    // The tar crate reports an end within a member's data as an error of its own.
    if error.kind() == io::ErrorKind::UnexpectedEof || error.to_string().contains("unexpected EOF") {
        return FeedError::Truncated(match kind {
            "gzip" => "within gzip data",
            "zstd" => "within zstd data",
            "bzip2" => "within bzip2 data",
            "xz" => "within xz data",
            "tar" => "within a tar archive",
            "zip" => "within a zip archive",
            _ => "within a document",
        });
    }
    FeedError::Damaged { kind, detail: error.to_string() }
}

/// Reads until the buffer is full or the stream ends.
pub(crate) fn fill(reader: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// A bound reached inside a `Read`, on its way through `io::Error`.
#[derive(Debug)]
struct Exceeded {
    what: &'static str,
    limit: u64,
}

impl std::fmt::Display for Exceeded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} exceeds the limit of {}", self.what, self.limit)
    }
}

impl std::error::Error for Exceeded {}

/// Counts the compressed bytes that are taken from a file.
struct Counting<'s> {
    inner: Box<dyn Read + 's>,
    consumed: Arc<AtomicU64>,
}

impl Read for Counting<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.consumed.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// Bytes that came out so far, over all members of one file.
#[derive(Default)]
struct Spent(Cell<u64>);

/// Stops a decompressor that gives too much, or too much for what it was given.
struct Bounded<'c, R> {
    inner: R,
    consumed: &'c AtomicU64,
    produced: &'c Spent,
    max_bytes: u64,
    max_ratio: u64,
    grace: u64,
}

impl<'c, R> Bounded<'c, R> {
    fn new(inner: R, consumed: &'c AtomicU64, produced: &'c Spent, limits: &Limits) -> Self {
        Self {
            inner,
            consumed,
            produced,
            max_bytes: limits.max_bytes,
            max_ratio: limits.max_ratio,
            grace: limits.ratio_grace,
        }
    }
}

impl<R: Read> Read for Bounded<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        let produced = self.produced.0.get() + read as u64;
        self.produced.0.set(produced);
        if produced > self.max_bytes {
            return Err(io::Error::other(Exceeded { what: "the decompressed size in bytes", limit: self.max_bytes }));
        }
        let consumed = self.consumed.load(Ordering::Relaxed).max(1);
        if produced > self.grace && produced / consumed > self.max_ratio {
            return Err(io::Error::other(Exceeded { what: "the ratio of decompression", limit: self.max_ratio }));
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn read_all(bytes: &[u8], limits: &Limits) -> Result<Vec<(String, Vec<u8>)>> {
        let mut members = Vec::new();
        visit_bytes("file", bytes, limits, &mut |member| {
            let mut content = Vec::new();
            member.reader.read_to_end(&mut content).map_err(|error| damaged("plain", &error))?;
            members.push((member.name.to_owned(), content));
            Ok(())
        })?;
        Ok(members)
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn tar_of(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (name, content) in files {
            let mut header = tar::Header::new_ustar();
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            header.set_cksum();
            // Written past the crate, which refuses to write the paths that an attacker would.
            header.as_mut_bytes()[..100].fill(0);
            header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
            header.set_cksum();
            builder.append(&header, *content).unwrap();
        }
        builder.into_inner().unwrap()
    }

    #[test]
    fn every_wrapping_gives_the_same_document() {
        let text = b"{\"a\": 1}\n".repeat(400);
        let zstd = zstd::encode_all(&text[..], 3).unwrap();
        let mut bzip2 = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
        bzip2.write_all(&text).unwrap();
        for wrapped in [text.clone(), gzip(&text), zstd.clone(), bzip2.finish().unwrap(), gzip(&zstd)] {
            assert_eq!(read_all(&wrapped, &Limits::default()).unwrap(), [("file".to_owned(), text.clone())]);
        }
    }

    #[test]
    fn archives_give_their_members() {
        let tar = tar_of(&[("a/1.json", b"one"), ("../../b", b"two")]);
        let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, content) in [("a/1.json", "one"), ("../../b", "two")] {
            zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
            zip.write_all(content.as_bytes()).unwrap();
        }
        let zip = zip.finish().unwrap().into_inner();
        for archive in [gzip(&tar), zstd::encode_all(&tar[..], 1).unwrap(), tar, zip] {
            let members = read_all(&archive, &Limits::default()).unwrap();
            assert_eq!(members, [("a/1.json".to_owned(), b"one".to_vec()), ("../../b".to_owned(), b"two".to_vec())]);
        }
    }

    #[test]
    fn what_is_cut_short_is_noticed() {
        let text: Vec<u8> = (0..20_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_be_bytes()).collect();
        let tar = tar_of(&[("a", &text)]);
        for whole in [gzip(&text), zstd::encode_all(&text[..], 1).unwrap(), tar, gzip(&tar_of(&[("a", &text)]))] {
            let cut = &whole[..whole.len() / 2];
            let error = read_all(cut, &Limits::default()).unwrap_err();
            assert!(matches!(error, FeedError::Truncated(_)), "{error:?}");
        }
    }

    #[test]
    fn bombs_are_stopped() {
        let bomb = gzip(&vec![0; 2 << 20]);
        let tight = Limits { ratio_grace: 64 << 10, max_ratio: 100, ..Limits::default() };
        assert!(matches!(
            read_all(&bomb, &tight).unwrap_err(),
            FeedError::Limit { what: "the ratio of decompression", .. }
        ));
        let small = Limits { max_bytes: 1 << 20, ..Limits::default() };
        assert!(matches!(
            read_all(&bomb, &small).unwrap_err(),
            FeedError::Limit { what: "the decompressed size in bytes", .. }
        ));
        // Members share the bounds of their file: none of these is a bomb alone.
        let part = gzip(&vec![0; 40 << 10]);
        let parts = tar_of(&[("a", &part), ("b", &part), ("c", &part)]);
        assert_eq!(read_all(&tar_of(&[("a", &part)]), &tight).unwrap().len(), 1);
        assert!(matches!(
            read_all(&parts, &tight).unwrap_err(),
            FeedError::Limit { what: "the ratio of decompression", .. }
        ));
        let nested = (0..5).fold(b"x".to_vec(), |inner, _| gzip(&inner));
        assert!(matches!(
            read_all(&nested, &Limits::default()).unwrap_err(),
            FeedError::Limit { what: "the number of layers of compression", .. }
        ));
        let many = tar_of(&[("a", b""), ("b", b""), ("c", b"")]);
        let few = Limits { max_members: 2, ..Limits::default() };
        assert!(matches!(read_all(&many, &few).unwrap_err(), FeedError::Limit { .. }));
    }
}
