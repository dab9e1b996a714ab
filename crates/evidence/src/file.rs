//! The evidence file: a whole scan, written while it runs (`bartizan scan -o evidence=FILE`).
//!
//! Layout: the line `bartizan evidence file\n`, then frames. A frame is one byte type, four bytes payload length
//! (little endian), the payload, and the first eight bytes of the SHA-256 over type and payload. The first frame is
//! the header (JSON [`Header`]), then one frame per asset (evidence blob and coverage record), and the last is the
//! trailer (JSON [`Trailer`]). Frames are only ever appended and flushed whole, so a file cut off at any byte keeps
//! every record before the cut, and the missing trailer says that it was cut.

use std::io::{ErrorKind, Read, Write};

use bartizan_domain::coverage::Coverage;
use bartizan_domain::document::ScanSummary;
use bartizan_domain::evidence::HostEvidence;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::blob::{Blob, MAX_BLOB};
use crate::wire::{Cursor, put_number};
use crate::{CodecError, coverage};

/// Name and version of the file, in the header.
pub const FILE_SCHEMA: &str = "bartizan.evidence/1";
/// What every evidence file starts with.
pub const MAGIC: &[u8] = b"bartizan evidence file\n";

const FILE_VERSION: u32 = 1;
const MAX_FRAME: u64 = MAX_BLOB + coverage::MAX_BODY + 64;
const HEADER: u8 = b'H';
const RECORD: u8 = b'R';
const TRAILER: u8 = b'E';

/// The first frame.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// [`FILE_SCHEMA`].
    pub schema: String,
    /// The scan as it stood at its start.
    pub scan: ScanSummary,
    /// What was asked for, frozen: which checks, which settings of judgement. The engine owns its shape.
    pub settings: Value,
}

impl Header {
    /// A header of the current version.
    #[must_use]
    pub fn new(scan: ScanSummary, settings: Value) -> Self {
        Self { schema: FILE_SCHEMA.to_owned(), scan, settings }
    }
}

/// The last frame.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trailer {
    /// The scan as it stood at its end.
    pub scan: ScanSummary,
    /// How many records the file has.
    pub records: u64,
}

/// One asset.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// What was gathered.
    pub evidence: HostEvidence,
    /// How each planned check ended.
    pub coverage: Coverage,
}

/// How a file ends.
#[derive(Debug, Clone, PartialEq)]
pub enum Ending {
    /// With its trailer.
    Complete(Box<Trailer>),
    /// Without: the writer was interrupted, or the file was cut or damaged from here on.
    Truncated {
        /// Bytes up to the end of the last good frame.
        good_bytes: u64,
        /// What was found there instead of a frame.
        why: String,
    },
}

/// Writes an evidence file, one asset after the other.
#[derive(Debug)]
pub struct Writer<W: Write> {
    inner: W,
    records: u64,
}

impl<W: Write> Writer<W> {
    /// Starts a file.
    ///
    /// # Errors
    /// If writing fails.
    pub fn new(mut inner: W, header: &Header) -> Result<Self, CodecError> {
        inner.write_all(MAGIC)?;
        let mut writer = Self { inner, records: 0 };
        writer.frame(HEADER, &serde_json::to_vec(header).map_err(CodecError::damaged)?)?;
        Ok(writer)
    }

    /// Appends one asset and flushes it.
    ///
    /// # Errors
    /// If encoding the coverage or writing fails.
    pub fn append(&mut self, blob: &Blob, coverage: &Coverage) -> Result<(), CodecError> {
        let coverage = coverage::encode(coverage)?;
        let mut payload = Vec::with_capacity(blob.bytes.len() + coverage.len() + 8);
        put_number(&mut payload, blob.bytes.len() as u64);
        payload.extend_from_slice(&blob.bytes);
        payload.extend_from_slice(&coverage);
        self.frame(RECORD, &payload)?;
        self.records += 1;
        Ok(())
    }

    /// Writes the trailer and gives the stream back.
    ///
    /// # Errors
    /// If writing fails.
    pub fn finish(mut self, scan: ScanSummary) -> Result<W, CodecError> {
        let trailer = Trailer { scan, records: self.records };
        self.frame(TRAILER, &serde_json::to_vec(&trailer).map_err(CodecError::damaged)?)?;
        Ok(self.inner)
    }

    fn frame(&mut self, kind: u8, payload: &[u8]) -> Result<(), CodecError> {
        let too_large = || CodecError::TooLarge { what: "a frame", size: payload.len() as u64, limit: MAX_FRAME };
        if payload.len() as u64 > MAX_FRAME {
            return Err(too_large());
        }
        let length = u32::try_from(payload.len()).map_err(|_| too_large())?;
        let mut frame = Vec::with_capacity(payload.len() + 13);
        frame.push(kind);
        frame.extend_from_slice(&length.to_le_bytes());
        frame.extend_from_slice(payload);
        frame.extend_from_slice(&checksum(kind, payload));
        self.inner.write_all(&frame)?;
        self.inner.flush()?;
        Ok(())
    }
}

/// Reads an evidence file as a stream: [`Reader::next_record`] until it says `None`, then [`Reader::ending`].
#[derive(Debug)]
pub struct Reader<R: Read> {
    inner: R,
    header: Header,
    position: u64,
    records: u64,
    ending: Option<Ending>,
}

impl<R: Read> Reader<R> {
    /// Reads the header. Hand in a buffered reader.
    ///
    /// # Errors
    /// If this is not an evidence file, its header is damaged, or it was written by a later version.
    pub fn new(mut inner: R) -> Result<Self, CodecError> {
        let mut magic = vec![0; MAGIC.len()];
        if read_up_to(&mut inner, &mut magic)? < MAGIC.len() || magic != MAGIC {
            return Err(CodecError::damaged("it is not an evidence file"));
        }
        let (kind, payload) = match read_frame(&mut inner)? {
            Frame::Whole(kind, payload) => (kind, payload),
            Frame::End => return Err(CodecError::damaged("the header is missing")),
            Frame::Broken(why) => return Err(CodecError::Damaged(format!("the header: {why}"))),
        };
        if kind != HEADER {
            return Err(CodecError::damaged("the header is missing"));
        }
        let position = (MAGIC.len() + payload.len() + 13) as u64;
        check_schema(&payload)?;
        let header = serde_json::from_slice(&payload).map_err(CodecError::damaged)?;
        Ok(Self { inner, header, position, records: 0, ending: None })
    }

    /// The header.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The next asset, or `None` at the end, good or bad.
    ///
    /// # Errors
    /// If reading fails, or a whole frame holds a record of a later version.
    pub fn next_record(&mut self) -> Result<Option<Record>, CodecError> {
        if self.ending.is_some() {
            return Ok(None);
        }
        let (kind, payload) = match read_frame(&mut self.inner)? {
            Frame::Whole(kind, payload) => (kind, payload),
            Frame::End => return Ok(self.truncated("the file ends without its trailer")),
            Frame::Broken(why) => return Ok(self.truncated(&why)),
        };
        match kind {
            RECORD => {
                let record = decode_record(&payload)?;
                self.position += payload.len() as u64 + 13;
                self.records += 1;
                Ok(Some(record))
            }
            TRAILER => {
                let trailer: Trailer = serde_json::from_slice(&payload).map_err(CodecError::damaged)?;
                if trailer.records != self.records {
                    return Ok(self.truncated("the trailer counts other records than the file has"));
                }
                self.ending = Some(Ending::Complete(Box::new(trailer)));
                Ok(None)
            }
            _ => Ok(self.truncated("an unknown kind of frame")),
        }
    }

    /// How the file ends; `None` before [`Self::next_record`] has returned `None`.
    #[must_use]
    pub const fn ending(&self) -> Option<&Ending> {
        self.ending.as_ref()
    }

    fn truncated(&mut self, why: &str) -> Option<Record> {
        self.ending = Some(Ending::Truncated { good_bytes: self.position, why: why.to_owned() });
        None
    }
}

enum Frame {
    Whole(u8, Vec<u8>),
    End,
    Broken(String),
}

fn read_frame(inner: &mut impl Read) -> Result<Frame, CodecError> {
    let mut head = [0_u8; 5];
    match read_up_to(inner, &mut head)? {
        0 => return Ok(Frame::End),
        5 => {}
        _ => return Ok(Frame::Broken("the file is cut inside a frame".to_owned())),
    }
    let [kind, a, b, c, d] = head;
    let length = u64::from(u32::from_le_bytes([a, b, c, d]));
    if length > MAX_FRAME {
        return Ok(Frame::Broken("a frame claims an impossible length".to_owned()));
    }
    let mut payload = Vec::new();
    inner.take(length).read_to_end(&mut payload)?;
    let mut sum = [0_u8; 8];
    if (payload.len() as u64) < length || read_up_to(inner, &mut sum)? < sum.len() {
        return Ok(Frame::Broken("the file is cut inside a frame".to_owned()));
    }
    if sum != checksum(kind, &payload) {
        return Ok(Frame::Broken("a frame is damaged".to_owned()));
    }
    Ok(Frame::Whole(kind, payload))
}

fn decode_record(payload: &[u8]) -> Result<Record, CodecError> {
    let mut cursor = Cursor(payload);
    let length = cursor.count()?;
    let (blob, rest) = cursor.0.split_at(length);
    Ok(Record { evidence: crate::decode(blob)?, coverage: coverage::decode(rest)? })
}

fn check_schema(payload: &[u8]) -> Result<(), CodecError> {
    #[derive(Deserialize)]
    struct Schema {
        schema: String,
    }
    let Schema { schema } = serde_json::from_slice(payload).map_err(CodecError::damaged)?;
    let version: Option<u64> = schema.strip_prefix("bartizan.evidence/").and_then(|version| version.parse().ok());
    match version {
        Some(1) => Ok(()),
        Some(found) if found > u64::from(FILE_VERSION) => {
            Err(CodecError::Newer { what: "the evidence file", found, newest: FILE_VERSION })
        }
        _ => Err(CodecError::Damaged(format!("unknown schema `{schema}`"))),
    }
}

fn checksum(kind: u8, payload: &[u8]) -> [u8; 8] {
    let mut hash = Sha256::new();
    hash.update([kind]);
    hash.update(payload);
    let mut sum = [0; 8];
    sum.copy_from_slice(&hash.finalize()[..8]);
    sum
}

/// Fills `buffer` as far as the stream reaches.
fn read_up_to(inner: &mut impl Read, buffer: &mut [u8]) -> Result<usize, CodecError> {
    let mut filled = 0;
    while filled < buffer.len() {
        match inner.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(filled)
}
