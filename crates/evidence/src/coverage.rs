//! Coverage in its compact stored form.
//!
//! A scan of a /16 with 150 checks leaves ten million entries, nearly all of them "not applicable, no web site". So
//! entries that share location, outcome and reason are one group, and a group names its checks by number. Numbers come
//! from a dictionary shipped with the program (`words/coverage-1.txt`, append-only: a line's position is its number
//! for ever) or, for anything not in it, from a dictionary inside the record.
//!
//! Layout: `BZC`, one byte format version, one byte 0 (plain) or 1 (zstd), then the body: asset, catalogue, closed
//! ports, own dictionary, groups. Numbers are LEB128. Size is bounded by a test and shown by `cargo bench -p
//! bartizan-evidence`.

use std::collections::{BTreeMap, HashMap};
use std::sync::OnceLock;

use bartizan_domain::coverage::{COVERAGE_VERSION, Coverage, CoverageEntry};
use bartizan_domain::{AssetRef, CheckId, Location, Outcome, PortSet};

use crate::CodecError;
use crate::blob::bounded_zstd;
use crate::wire::{Cursor, put_number, put_text};

/// Entries of one record: planned checks times locations.
pub const MAX_ENTRIES: usize = 200_000;
/// Bytes of a record before compression.
pub const MAX_BODY: u64 = 8 * 1024 * 1024;

const MAGIC: &[u8; 3] = b"BZC";
const WORDS: &str = include_str!("../words/coverage-1.txt");
const PLAIN: u8 = 0;
const COMPRESSED: u8 = 1;

/// Encodes a coverage record. The order of entries is not kept: [`decode`] returns them by check and location.
///
/// # Errors
/// [`CodecError::TooLarge`] above [`MAX_ENTRIES`] or [`MAX_BODY`].
pub fn encode(coverage: &Coverage) -> Result<Vec<u8>, CodecError> {
    if coverage.entries.len() > MAX_ENTRIES {
        let (size, limit) = (coverage.entries.len() as u64, MAX_ENTRIES as u64);
        return Err(CodecError::TooLarge { what: "the coverage record, in entries,", size, limit });
    }
    let mut words = Words::default();
    let mut groups: BTreeMap<(u64, u8, u64), Vec<u64>> = BTreeMap::new();
    for entry in &coverage.entries {
        let reason = entry.reason.as_deref().map_or(0, |reason| words.number(reason) + 1);
        let key = (words.number(entry.location.as_str()), code_of(entry.outcome), reason);
        groups.entry(key).or_default().push(words.number(entry.check_id.as_str()));
    }
    let mut body = Vec::new();
    put_text(&mut body, &asset_text(&coverage.asset));
    put_text(&mut body, &coverage.catalogue);
    put_text(&mut body, &coverage.closed_ports.to_string());
    put_number(&mut body, words.own.len() as u64);
    words.own.iter().for_each(|word| put_text(&mut body, word));
    put_number(&mut body, groups.len() as u64);
    for ((location, outcome, reason), mut checks) in groups {
        checks.sort_unstable();
        put_number(&mut body, location);
        body.push(outcome);
        put_number(&mut body, reason);
        put_number(&mut body, checks.len() as u64);
        let mut previous = 0;
        for check in checks {
            put_number(&mut body, check - previous);
            previous = check;
        }
    }
    if body.len() as u64 > MAX_BODY {
        return Err(CodecError::TooLarge { what: "the coverage record", size: body.len() as u64, limit: MAX_BODY });
    }
    let compressed = zstd::bulk::compress(&body, 9)?;
    let (form, payload) = if compressed.len() < body.len() { (COMPRESSED, compressed) } else { (PLAIN, body) };
    let mut record = MAGIC.to_vec();
    // A compile-time constant far below 256.
    record.push(COVERAGE_VERSION as u8);
    record.push(form);
    record.extend_from_slice(&payload);
    Ok(record)
}

/// Decodes a coverage record of this or any earlier version.
///
/// # Errors
/// [`CodecError::Newer`] for a later version; [`CodecError::TooLarge`] and [`CodecError::Damaged`] otherwise.
pub fn decode(bytes: &[u8]) -> Result<Coverage, CodecError> {
    let Some((&[version, form], payload)) = bytes.strip_prefix(MAGIC).and_then(|rest| rest.split_first_chunk::<2>())
    else {
        return Err(CodecError::damaged("it is not a coverage record"));
    };
    let version = u32::from(version);
    if version > COVERAGE_VERSION {
        let (found, newest) = (u64::from(version), COVERAGE_VERSION);
        return Err(CodecError::Newer { what: "the coverage record", found, newest });
    }
    let inflated;
    let body = match form {
        PLAIN => payload,
        COMPRESSED => {
            inflated = bounded_zstd(payload, MAX_BODY, "the coverage record")?;
            &inflated
        }
        _ => return Err(CodecError::damaged("unknown form of a coverage record")),
    };
    match version {
        1 => decode_v1(body),
        _ => Err(CodecError::damaged("coverage versions start at 1")),
    }
}

fn decode_v1(body: &[u8]) -> Result<Coverage, CodecError> {
    let mut cursor = Cursor(body);
    let asset = asset_of(cursor.text()?)?;
    let catalogue = cursor.text()?.to_owned();
    let closed_ports = PortSet::try_from(cursor.text()?.to_owned()).map_err(CodecError::Damaged)?;
    let own = (0..cursor.count()?).map(|_| cursor.text()).collect::<Result<Vec<_>, _>>()?;
    let mut entries = Vec::new();
    for _ in 0..cursor.count()? {
        let location = Location::from_stored(word(cursor.number()?, &own)?);
        let outcome = outcome_of(cursor.byte()?)?;
        let reason = match cursor.number()? {
            0 => None,
            number => Some(word(number - 1, &own)?.to_owned()),
        };
        let count = cursor.count()?;
        if entries.len() + count > MAX_ENTRIES {
            return Err(CodecError::damaged("too many entries"));
        }
        let mut number = 0_u64;
        for _ in 0..count {
            number = number.checked_add(cursor.number()?).ok_or_else(|| CodecError::damaged("a number overflows"))?;
            let check_id = CheckId::parse(word(number, &own)?).map_err(CodecError::Damaged)?;
            entries.push(CoverageEntry { check_id, location: location.clone(), outcome, reason: reason.clone() });
        }
    }
    if !cursor.0.is_empty() {
        return Err(CodecError::damaged("bytes follow the coverage record"));
    }
    entries.sort_by(|a, b| (&a.check_id, &a.location).cmp(&(&b.check_id, &b.location)));
    Ok(Coverage { asset, catalogue, closed_ports, entries })
}

/// Even numbers are lines of the shipped dictionary, odd ones of the record's own.
#[derive(Default)]
struct Words {
    own: Vec<String>,
    numbers: HashMap<String, u64>,
}

impl Words {
    fn number(&mut self, word: &str) -> u64 {
        if let Some(number) = shipped_numbers().get(word) {
            return *number;
        }
        if let Some(number) = self.numbers.get(word) {
            return *number;
        }
        let number = self.own.len() as u64 * 2 + 1;
        self.own.push(word.to_owned());
        self.numbers.insert(word.to_owned(), number);
        number
    }
}

fn word<'a>(number: u64, own: &[&'a str]) -> Result<&'a str, CodecError> {
    let index = usize::try_from(number / 2).unwrap_or(usize::MAX);
    let found = if number.is_multiple_of(2) { shipped().get(index) } else { own.get(index) };
    found.copied().ok_or_else(|| CodecError::damaged("a word is in no dictionary"))
}

fn shipped() -> &'static [&'static str] {
    static LINES: OnceLock<Vec<&'static str>> = OnceLock::new();
    LINES.get_or_init(|| WORDS.lines().collect())
}

fn shipped_numbers() -> &'static HashMap<&'static str, u64> {
    static NUMBERS: OnceLock<HashMap<&'static str, u64>> = OnceLock::new();
    NUMBERS.get_or_init(|| shipped().iter().zip((0..).step_by(2)).map(|(word, number)| (*word, number)).collect())
}

fn asset_text(asset: &AssetRef) -> String {
    match asset {
        AssetRef::Domain(name) => format!("d{name}"),
        AssetRef::Ip(address) => format!("i{address}"),
    }
}

fn asset_of(text: &str) -> Result<AssetRef, CodecError> {
    match text.split_at_checked(1) {
        Some(("d", name)) => Ok(AssetRef::Domain(name.to_owned())),
        Some(("i", address)) => address.parse().map(AssetRef::Ip).map_err(CodecError::damaged),
        _ => Err(CodecError::damaged("unknown kind of asset")),
    }
}

const fn code_of(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Pass => 0,
        Outcome::Fail => 1,
        Outcome::Error => 2,
        Outcome::NotApplicable => 3,
        Outcome::NotTested => 4,
    }
}

fn outcome_of(code: u8) -> Result<Outcome, CodecError> {
    Ok(match code {
        0 => Outcome::Pass,
        1 => Outcome::Fail,
        2 => Outcome::Error,
        3 => Outcome::NotApplicable,
        4 => Outcome::NotTested,
        _ => return Err(CodecError::damaged("unknown outcome")),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_dictionary_has_no_word_twice() {
        let distinct: BTreeSet<_> = shipped().iter().collect();
        assert_eq!(distinct.len(), shipped().len());
        assert!(shipped().iter().all(|word| !word.is_empty()));
    }

    #[test]
    fn a_later_version_is_refused() {
        let error = decode(&[b'B', b'Z', b'C', 9, 0]).unwrap_err();
        assert!(matches!(error, CodecError::Newer { found: 9, .. }), "{error}");
    }

    fn any_entry() -> impl Strategy<Value = CoverageEntry> {
        let id = prop_oneof!["[a-z]{1,6}\\.[a-z_]{1,9}", Just("tls.v10".to_owned()), Just("hsts.missing".to_owned())];
        let location = prop_oneof![Just("host".to_owned()), "(tcp|udp)/[0-9]{1,4}", ".{0,12}"];
        (id, location, 0_u8..5, proptest::option::of(".{0,30}")).prop_map(|(id, location, code, reason)| {
            CoverageEntry {
                check_id: CheckId::parse(&id.replace("._", ".x")).unwrap(),
                location: Location::from_stored(location),
                outcome: outcome_of(code).unwrap(),
                reason,
            }
        })
    }

    proptest! {
        #[test]
        fn round_trip(entries in proptest::collection::vec(any_entry(), 0..60), ports in proptest::collection::vec(1_u16.., 0..9)) {
            let distinct: BTreeMap<_, _> =
                entries.into_iter().map(|entry| ((entry.check_id.clone(), entry.location.clone()), entry)).collect();
            let coverage = Coverage {
                asset: AssetRef::Ip("2001:db8::7".parse().unwrap()),
                catalogue: "0123456789ab".into(),
                closed_ports: ports.into_iter().collect(),
                entries: distinct.into_values().collect(),
            };
            prop_assert_eq!(decode(&encode(&coverage).unwrap()).unwrap(), coverage);
        }

        #[test]
        fn hostile_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
            let _ = decode(&bytes);
            let mut record = vec![b'B', b'Z', b'C', 1, 0];
            record.extend(bytes);
            let _ = decode(&record);
        }
    }
}
