//! DNS records as the evidence keeps them, in the canonical form that signatures are made over (RFC 4034 section 6).
//!
//! Names are handled as lower-case wire form: length-prefixed labels ending with the empty root label.

use bartizan_domain::evidence::dns::RawRecord;
use hickory_proto::rr::Name;

/// Type numbers that are looked at.
pub(super) mod kind {
    pub(crate) const NS: u16 = 2;
    pub(crate) const CNAME: u16 = 5;
    pub(crate) const SOA: u16 = 6;
    pub(crate) const PTR: u16 = 12;
    pub(crate) const DNAME: u16 = 39;
    pub(crate) const DS: u16 = 43;
    pub(crate) const RRSIG: u16 = 46;
    pub(crate) const NSEC: u16 = 47;
    pub(crate) const DNSKEY: u16 = 48;
    pub(crate) const NSEC3: u16 = 50;
    pub(crate) const NSEC3PARAM: u16 = 51;
}

/// A name in lower-case wire form.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct WireName(Vec<u8>);

impl WireName {
    /// From presentation form, absolute or not.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let name = Name::from_ascii(text).ok()?;
        let labels: Vec<&[u8]> = name.iter().collect();
        Some(Self::from_labels(&labels))
    }

    fn from_labels(labels: &[&[u8]]) -> Self {
        let mut wire = Vec::new();
        for label in labels {
            wire.push(u8::try_from(label.len()).unwrap_or(u8::MAX));
            wire.extend(label.iter().map(u8::to_ascii_lowercase));
        }
        wire.push(0);
        Self(wire)
    }

    /// An uncompressed name at the beginning of `bytes`, and what follows it.
    pub(super) fn read(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let mut at = 0_usize;
        loop {
            let length = *bytes.get(at)?;
            if length > 63 || at > 255 {
                return None;
            }
            at += 1 + usize::from(length);
            if length == 0 {
                break;
            }
        }
        let (name, rest) = bytes.split_at_checked(at)?;
        Some((Self(name.to_ascii_lowercase()), rest))
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    pub(super) fn labels(&self) -> Vec<&[u8]> {
        let mut labels = Vec::new();
        let mut rest = self.0.as_slice();
        while let Some((&length, tail)) = rest.split_first() {
            let Some((label, after)) = tail.split_at_checked(usize::from(length)).filter(|_| length > 0) else { break };
            labels.push(label);
            rest = after;
        }
        labels
    }

    /// The name without its first `count` labels.
    pub(super) fn ancestor(&self, count: usize) -> Self {
        let labels = self.labels();
        Self::from_labels(labels.get(count..).unwrap_or_default())
    }

    /// `*.` and the last `count` labels.
    pub(super) fn wildcard(&self, count: usize) -> Self {
        let labels = self.labels();
        let mut kept: Vec<&[u8]> = vec![b"*"];
        kept.extend(labels.get(labels.len().saturating_sub(count)..).unwrap_or_default());
        Self::from_labels(&kept)
    }

    pub(super) fn is_at_or_below(&self, zone: &Self) -> bool {
        let (own, zone) = (self.labels(), zone.labels());
        own.len() >= zone.len() && own.get(own.len() - zone.len()..) == Some(zone.as_slice())
    }

    /// As a name of `hickory-proto`, for its hash functions.
    pub(super) fn to_name(&self) -> Option<Name> {
        Name::from_labels(self.labels()).ok()
    }
}

/// A set of records of one owner and type, with the signatures over it.
#[derive(Debug, Clone)]
pub(super) struct RrSet {
    pub(super) owner: WireName,
    pub(super) kind: u16,
    /// RDATA in canonical form, sorted, without duplicates.
    pub(super) rdata: Vec<Vec<u8>>,
    pub(super) signatures: Vec<Signature>,
}

/// An RRSIG record (RFC 4034 section 3).
#[derive(Debug, Clone)]
pub(super) struct Signature {
    pub(super) covered: u16,
    pub(super) algorithm: u8,
    pub(super) labels: u8,
    pub(super) original_ttl: u32,
    pub(super) expiration: u32,
    pub(super) inception: u32,
    pub(super) key_tag: u16,
    pub(super) signer: WireName,
    pub(super) bytes: Vec<u8>,
}

impl Signature {
    fn read(rdata: &[u8]) -> Option<Self> {
        let (head, rest) = rdata.split_at_checked(18)?;
        let (signer, bytes) = WireName::read(rest)?;
        Some(Self {
            covered: number16(head, 0)?,
            algorithm: *head.get(2)?,
            labels: *head.get(3)?,
            original_ttl: number32(head, 4)?,
            expiration: number32(head, 8)?,
            inception: number32(head, 12)?,
            key_tag: number16(head, 16)?,
            signer,
            bytes: bytes.to_vec(),
        })
    }

    /// The octets the signature is made over (RFC 4034 section 3.1.8.1). `None` if it claims more labels than the
    /// owner has.
    pub(super) fn signed_data(&self, set: &RrSet) -> Option<Vec<u8>> {
        let owner_labels = set.owner.labels().into_iter().filter(|label| *label != b"*").count();
        let labels = usize::from(self.labels);
        if labels > owner_labels {
            return None;
        }
        let owner = if labels < owner_labels { set.owner.wildcard(labels) } else { set.owner.clone() };
        let mut data = Vec::new();
        data.extend(self.covered.to_be_bytes());
        data.extend([self.algorithm, self.labels]);
        data.extend(self.original_ttl.to_be_bytes());
        data.extend(self.expiration.to_be_bytes());
        data.extend(self.inception.to_be_bytes());
        data.extend(self.key_tag.to_be_bytes());
        data.extend(self.signer.as_bytes());
        for rdata in &set.rdata {
            data.extend(owner.as_bytes());
            data.extend(set.kind.to_be_bytes());
            data.extend(1_u16.to_be_bytes());
            data.extend(self.original_ttl.to_be_bytes());
            data.extend(u16::try_from(rdata.len()).ok()?.to_be_bytes());
            data.extend(rdata);
        }
        Some(data)
    }
}

/// The record sets of a section, each with its signatures. Records that cannot be read are left out, and so is a
/// signature without records.
pub(super) fn sets(records: &[RawRecord]) -> Vec<RrSet> {
    let mut sets: Vec<RrSet> = Vec::new();
    let read =
        records.iter().filter_map(|record| Some((WireName::parse(&record.name)?, record.kind, unhex(&record.rdata)?)));
    let all: Vec<(WireName, u16, Vec<u8>)> = read.collect();
    for (owner, kind, rdata) in all.iter().filter(|(_, kind, _)| *kind != kind::RRSIG) {
        let rdata = canonical(*kind, rdata);
        match sets.iter_mut().find(|set| set.owner == *owner && set.kind == *kind) {
            Some(set) => set.rdata.push(rdata),
            None => sets.push(RrSet { owner: owner.clone(), kind: *kind, rdata: vec![rdata], signatures: Vec::new() }),
        }
    }
    for (owner, _, rdata) in all.iter().filter(|(_, kind, _)| *kind == kind::RRSIG) {
        let Some(signature) = Signature::read(rdata) else { continue };
        if let Some(set) = sets.iter_mut().find(|set| set.owner == *owner && set.kind == signature.covered) {
            set.signatures.push(signature);
        }
    }
    for set in &mut sets {
        set.rdata.sort();
        set.rdata.dedup();
    }
    sets
}

/// RDATA in canonical form: names in the RDATA of the old types are lower case. Length octets are below `A`, so that
/// lowering the whole name field leaves them alone.
fn canonical(kind: u16, rdata: &[u8]) -> Vec<u8> {
    let mut rdata = rdata.to_vec();
    let names = match kind {
        kind::NS | kind::CNAME | kind::PTR | kind::DNAME => rdata.len(),
        kind::SOA => rdata.len().saturating_sub(20),
        _ => 0,
    };
    if let Some(names) = rdata.get_mut(..names) {
        names.make_ascii_lowercase();
    }
    rdata
}

/// Whether a type bit map (RFC 4034 section 4.1.2) lists `kind`.
pub(super) fn bitmap_has(mut bitmap: &[u8], kind: u16) -> bool {
    let [window, low] = kind.to_be_bytes();
    while let [block, length, rest @ ..] = bitmap {
        let Some((bits, tail)) = rest.split_at_checked(usize::from(*length)) else { return false };
        if *block == window {
            return bits.get(usize::from(low / 8)).is_some_and(|byte| byte & (0x80 >> (low % 8)) != 0);
        }
        bitmap = tail;
    }
    false
}

pub(super) fn number16(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

pub(super) fn number32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

pub(super) fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let name = WireName::parse("WWW.Example.com.").unwrap();
        assert_eq!(name, WireName::parse("www.example.com").unwrap());
        assert_eq!(name.labels().len(), 3);
        assert_eq!(name.ancestor(1), WireName::parse("example.com").unwrap());
        assert_eq!(name.wildcard(2), WireName::parse("*.example.com").unwrap());
        assert!(name.is_at_or_below(&WireName::parse("com").unwrap()));
        assert!(name.is_at_or_below(&WireName::parse(".").unwrap()));
        assert!(!name.is_at_or_below(&WireName::parse("ample.com").unwrap()));
        assert_eq!(WireName::read(name.as_bytes()).unwrap(), (name.clone(), [].as_slice()));
        assert_eq!(WireName::read(&[3, b'a']), None);
        assert_eq!(WireName::read(&[0xc0, 0]), None);
    }

    #[test]
    fn type_bit_maps() {
        // A, NS and RRSIG in window 0.
        let bitmap = [0, 6, 0x60, 0, 0, 0, 0, 0x02];
        assert!(bitmap_has(&bitmap, 1) && bitmap_has(&bitmap, 2) && bitmap_has(&bitmap, 46));
        assert!(!bitmap_has(&bitmap, 43) && !bitmap_has(&bitmap, 257) && !bitmap_has(&[0, 9, 1], 1));
    }
}
