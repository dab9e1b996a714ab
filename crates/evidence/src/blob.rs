//! One asset's evidence as one immutable blob.
//!
//! The document is `{"evidence":{…},"version":N}` in canonical JSON (object keys sorted, no white space); its SHA-256
//! is the name of the blob, so equal evidence is stored once and a changed byte is noticed. The bytes are one zstd
//! frame, or the plain document where compression would exceed the ratio a reader accepts.

use std::fmt;
use std::io::Read as _;
use std::str::FromStr;

use bartizan_domain::evidence::{EVIDENCE_VERSION, HostEvidence, Observation, Section};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{CodecError, upgrade};

/// Bytes of a document before compression.
pub const MAX_DOCUMENT: u64 = 8 * 1024 * 1024;
/// Bytes of a stored blob.
pub const MAX_BLOB: u64 = 4 * 1024 * 1024;
/// How many times its stored size a document may be. Real evidence stays below 50; more is a decompression bomb.
pub const MAX_RATIO: u64 = 400;

const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// Fast, and within a few percent of the slow levels on documents of this size.
const LEVEL: i32 = 6;

/// Name of a blob: SHA-256 of its canonical document, as 64 lower-case hex digits in text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BlobHash([u8; 32]);

impl BlobHash {
    /// The hash of `document`.
    #[must_use]
    pub fn of(document: &[u8]) -> Self {
        Self(Sha256::digest(document).into())
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for BlobHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for BlobHash {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || format!("`{text}` is not a blob hash: expected 64 hex digits");
        if text.len() != 64 || !text.is_ascii() {
            return Err(bad());
        }
        let mut bytes = [0_u8; 32];
        for (index, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[index * 2..index * 2 + 2], 16).map_err(|_| bad())?;
        }
        Ok(Self(bytes))
    }
}

impl TryFrom<String> for BlobHash {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<BlobHash> for String {
    fn from(hash: BlobHash) -> Self {
        hash.to_string()
    }
}

/// How long a blob is worth keeping. The periods are settings of whoever stores it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetentionClass {
    /// Nothing answered or nothing is open: coverage says all there is to say, the blob may go first.
    Empty,
    /// Something was observed: kept for the retention period.
    Standard,
    /// Set aside by a person (audit, incident): kept until released.
    Held,
}

impl RetentionClass {
    /// The class fresh evidence starts in.
    #[must_use]
    pub fn of(evidence: &HostEvidence) -> Self {
        let open = evidence.ports.observed().is_some_and(|ports| ports.open().next().is_some());
        let something = open
            || !evidence.services.items.is_empty()
            || !evidence.tls.items.is_empty()
            || !evidence.web.items.is_empty()
            || !evidence.ssh.items.is_empty()
            || evidence.dns.observed().is_some()
            || evidence.registration.observed().is_some();
        if something { Self::Standard } else { Self::Empty }
    }

    /// The stored form.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Standard => "standard",
            Self::Held => "held",
        }
    }
}

impl FromStr for RetentionClass {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::Empty, Self::Standard, Self::Held]
            .into_iter()
            .find(|class| class.as_str() == text)
            .ok_or_else(|| format!("unknown retention class `{text}`: expected empty, standard or held"))
    }
}

/// Stored evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blob {
    /// Its name.
    pub hash: BlobHash,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Size of the document before compression.
    pub document_size: u64,
    /// How long it is worth keeping.
    pub retention: RetentionClass,
}

/// Encodes evidence.
///
/// # Errors
/// [`CodecError::TooLarge`] if it exceeds [`MAX_DOCUMENT`] or [`MAX_BLOB`]; [`fit`] makes it fit.
pub fn encode(evidence: &HostEvidence) -> Result<Blob, CodecError> {
    let document = document_of(evidence)?;
    let document_size = document.len() as u64;
    limit("the evidence document", document_size, MAX_DOCUMENT)?;
    let compressed = zstd::bulk::compress(&document, LEVEL)?;
    let hash = BlobHash::of(&document);
    let readable = document_size <= ratio_bound(compressed.len() as u64);
    let bytes = if readable { compressed } else { document };
    limit("the evidence blob", bytes.len() as u64, MAX_BLOB)?;
    Ok(Blob { hash, bytes, document_size, retention: RetentionClass::of(evidence) })
}

/// Decodes evidence of this or any earlier version.
///
/// # Errors
/// [`CodecError::Newer`] for a later version; [`CodecError::TooLarge`] and [`CodecError::Damaged`] otherwise.
pub fn decode(bytes: &[u8]) -> Result<HostEvidence, CodecError> {
    let document = decompress(bytes)?;
    let stored: Stored = serde_json::from_slice(&document).map_err(CodecError::damaged)?;
    let evidence = upgrade::to_current(stored.version, stored.evidence)?;
    serde_json::from_value(evidence).map_err(CodecError::damaged)
}

/// The hash of a stored blob's document, to compare with the name it is stored under.
///
/// # Errors
/// As [`decode`], for bytes that cannot be decompressed.
pub fn hash_of(bytes: &[u8]) -> Result<BlobHash, CodecError> {
    decompress(bytes).map(|document| BlobHash::of(&document))
}

/// Makes evidence fit the bounds of [`encode`] by dropping its largest parts, each replaced by the statement that it
/// was dropped. Judge what this leaves, so that judging the stored blob again gives the same verdicts. Returns the
/// names of the dropped parts, empty in the ordinary case.
pub fn fit(evidence: &mut HostEvidence) -> Vec<&'static str> {
    let mut dropped = Vec::new();
    while matches!(encode(evidence), Err(CodecError::TooLarge { .. })) {
        let Some(part) = largest_part(evidence) else { break };
        let reason = format!("the {part} evidence was dropped: it exceeded the size allowed for one asset");
        match part {
            "services" => evidence.services = Section::not_attempted(reason),
            "tls" => evidence.tls = Section::not_attempted(reason),
            "web" => evidence.web = Section::not_attempted(reason),
            "ssh" => evidence.ssh = Section::not_attempted(reason),
            "ports" => evidence.ports = Observation::not_attempted(reason),
            "dns" => evidence.dns = Observation::not_attempted(reason),
            "mail" => evidence.mail = Observation::not_attempted(reason),
            _ => evidence.registration = Observation::not_attempted(reason),
        }
        dropped.push(part);
    }
    dropped
}

#[derive(Deserialize)]
struct Stored {
    version: u64,
    evidence: Value,
}

fn document_of(evidence: &HostEvidence) -> Result<Vec<u8>, CodecError> {
    let value = serde_json::to_value(evidence).map_err(CodecError::damaged)?;
    let mut document = Vec::new();
    write_canonical(&json!({ "version": EVIDENCE_VERSION, "evidence": value }), &mut document);
    Ok(document)
}

/// Object keys sorted by their bytes, whatever map `serde_json` was built with.
fn write_canonical(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Object(map) => {
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort_unstable();
            out.push(b'{');
            for (index, key) in keys.into_iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                out.extend_from_slice(Value::String(key.clone()).to_string().as_bytes());
                out.push(b':');
                write_canonical(&map[key], out);
            }
            out.push(b'}');
        }
        Value::Array(items) => {
            out.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write_canonical(item, out);
            }
            out.push(b']');
        }
        scalar => out.extend_from_slice(scalar.to_string().as_bytes()),
    }
}

fn decompress(bytes: &[u8]) -> Result<Vec<u8>, CodecError> {
    limit("the evidence blob", bytes.len() as u64, MAX_BLOB)?;
    if !bytes.starts_with(&ZSTD_MAGIC) {
        return if bytes.first() == Some(&b'{') {
            Ok(bytes.to_vec())
        } else {
            Err(CodecError::damaged("it is not an evidence blob"))
        };
    }
    bounded_zstd(bytes, ratio_bound(bytes.len() as u64), "the evidence document")
}

/// Decompresses at most `bound` bytes, however much the frame claims to hold.
pub(crate) fn bounded_zstd(bytes: &[u8], bound: u64, what: &'static str) -> Result<Vec<u8>, CodecError> {
    let decoder = zstd::stream::read::Decoder::new(bytes).map_err(CodecError::damaged)?;
    let mut document = Vec::new();
    decoder.take(bound + 1).read_to_end(&mut document).map_err(CodecError::damaged)?;
    limit(what, document.len() as u64, bound)?;
    Ok(document)
}

fn ratio_bound(stored: u64) -> u64 {
    stored.saturating_mul(MAX_RATIO).min(MAX_DOCUMENT)
}

fn limit(what: &'static str, size: u64, limit: u64) -> Result<(), CodecError> {
    if size > limit { Err(CodecError::TooLarge { what, size, limit }) } else { Ok(()) }
}

fn largest_part(evidence: &HostEvidence) -> Option<&'static str> {
    let Ok(Value::Object(parts)) = serde_json::to_value(evidence) else { return None };
    ["services", "tls", "web", "ssh", "ports", "dns", "mail", "registration"]
        .into_iter()
        .map(|name| (parts.get(name).map_or(0, |part| part.to_string().len()), name))
        // A part that only says why it is empty frees nothing.
        .filter(|(size, _)| *size > 512)
        .max()
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use bartizan_domain::evidence::PortsEvidence;
    use bartizan_domain::evidence::ports::{PortObservation, PortState};
    use bartizan_domain::{AssetRef, Transport};
    use proptest::prelude::*;

    use super::*;

    fn evidence(ports: Vec<PortObservation>) -> HostEvidence {
        let mut evidence =
            HostEvidence::new(AssetRef::Domain("shop.example.test".into()), "2026-11-01T10:00:00Z".parse().unwrap());
        evidence.ports = Observation::Observed(PortsEvidence { listed: ports, ..PortsEvidence::default() });
        evidence
    }

    fn port(number: u16, reason: String) -> PortObservation {
        PortObservation {
            unconfirmed: false,
            address: "192.0.2.7".parse().unwrap(),
            protocol: Transport::Tcp,
            port: number,
            state: PortState::Open,
            reason,
            rtt_us: Some(u32::from(number)),
        }
    }

    #[test]
    fn equal_evidence_has_one_name_and_another_byte_another() {
        let one = encode(&evidence(vec![port(443, "syn-ack".into())])).unwrap();
        let same = encode(&evidence(vec![port(443, "syn-ack".into())])).unwrap();
        let other = encode(&evidence(vec![port(444, "syn-ack".into())])).unwrap();
        assert_eq!(one, same);
        assert_ne!(one.hash, other.hash);
        assert_eq!(hash_of(&one.bytes).unwrap(), one.hash);
        assert_eq!(one.hash.to_string().parse::<BlobHash>().unwrap(), one.hash);
        assert_eq!(one.retention, RetentionClass::Standard);
        assert_eq!(encode(&evidence(vec![])).unwrap().retention, RetentionClass::Empty);
    }

    #[test]
    fn canonical_text_does_not_depend_on_the_order_of_keys() {
        let text = |value: &Value| {
            let mut out = Vec::new();
            write_canonical(value, &mut out);
            String::from_utf8(out).unwrap()
        };
        let value: Value = serde_json::from_str(r#"{"b":[1,{"d":null,"c":"ü\n"}],"a":-0.5}"#).unwrap();
        assert_eq!(text(&value), r#"{"a":-0.5,"b":[1,{"c":"ü\n","d":null}]}"#);
    }

    #[test]
    fn a_later_version_is_refused_with_both_numbers() {
        let document = format!(r#"{{"evidence":{{}},"version":{}}}"#, EVIDENCE_VERSION + 7);
        let error = decode(document.as_bytes()).unwrap_err();
        assert!(matches!(error, CodecError::Newer { .. }));
        let text = error.to_string();
        assert!(text.contains(&format!("version {}", EVIDENCE_VERSION + 7)), "{text}");
        assert!(text.contains(&format!("up to version {EVIDENCE_VERSION}")), "{text}");
        assert!(matches!(decode(br#"{"evidence":{},"version":0}"#), Err(CodecError::Damaged(_))));
    }

    #[test]
    fn a_bomb_is_not_inflated() {
        let bomb = zstd::bulk::compress(&vec![b' '; 64 * 1024 * 1024], 3).unwrap();
        assert!(bomb.len() < 16 * 1024);
        assert!(matches!(decode(&bomb), Err(CodecError::TooLarge { .. })));
        assert!(matches!(decode(&vec![b'{'; MAX_BLOB as usize + 1]), Err(CodecError::TooLarge { .. })));
    }

    #[test]
    fn evidence_that_compresses_like_a_bomb_is_still_stored() {
        let monotone = evidence(vec![port(1, "a".repeat(2 * 1024 * 1024))]);
        let blob = encode(&monotone).unwrap();
        assert_eq!(blob.bytes.len() as u64, blob.document_size, "stored plain");
        assert_eq!(decode(&blob.bytes).unwrap(), monotone);
    }

    #[test]
    fn what_is_too_large_is_dropped_by_part_and_says_so() {
        let mut large = evidence(vec![port(1, "a".repeat(9 * 1024 * 1024))]);
        assert!(matches!(encode(&large), Err(CodecError::TooLarge { .. })));
        assert_eq!(fit(&mut large), ["ports"]);
        encode(&large).unwrap();
        assert!(matches!(&large.ports, Observation::NotAttempted { reason } if reason.contains("dropped")));
        assert!(fit(&mut large).is_empty());
    }

    proptest! {
        #[test]
        fn round_trip(ports in proptest::collection::vec((1_u16.., ".{0,40}"), 0..20)) {
            let evidence = evidence(ports.into_iter().map(|(number, reason)| port(number, reason)).collect());
            let blob = encode(&evidence).unwrap();
            prop_assert_eq!(decode(&blob.bytes).unwrap(), evidence);
        }

        #[test]
        fn hostile_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), cut in 0_usize..300, flip in 0_usize..300) {
            let _ = decode(&bytes);
            let mut blob = encode(&evidence(vec![port(443, "syn-ack".into())])).unwrap().bytes;
            if let Some(byte) = blob.get_mut(flip) { *byte ^= 0x55; }
            blob.truncate(cut);
            let _ = decode(&blob);
        }
    }
}
