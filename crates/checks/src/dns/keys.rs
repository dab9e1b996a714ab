//! DNSKEY and DS records, and verification of a signature. The cryptography is `hickory-proto`'s (on `ring`).

use bartizan_domain::evidence::dns::RawRecord;
use hickory_proto::dnssec::rdata::DNSKEY;
use hickory_proto::dnssec::{Algorithm, DigestType, PublicKeyBuf, Verifier as _};

use super::wire::{RrSet, Signature, WireName, kind, number16, unhex};

/// A DNSKEY record (RFC 4034 section 2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key {
    flags: u16,
    protocol: u8,
    pub(super) algorithm: u8,
    public: Vec<u8>,
    rdata: Vec<u8>,
}

/// A DS record (RFC 4034 section 5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Delegation {
    pub(super) key_tag: u16,
    pub(super) algorithm: u8,
    pub(super) digest_type: u8,
    pub(super) digest: Vec<u8>,
}

/// Why no signature over a set verifies; the most telling one of all that were tried.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Unverified {
    /// There is no signature over the set.
    Unsigned,
    /// The signatures are made by another zone.
    WrongSigner,
    /// The key that signed is not in the zone's DNSKEY set.
    NoKey(u16),
    /// The signature is not valid yet.
    NotYet(u32),
    /// The signature does not fit the data.
    Wrong(u16),
    /// The signature has expired.
    Expired(u32),
    /// The algorithm is one that we cannot verify.
    Unsupported(u8),
}

impl Key {
    pub(super) fn read(rdata: &[u8]) -> Option<Self> {
        let public = rdata.get(4..).filter(|key| !key.is_empty())?;
        Some(Self {
            flags: number16(rdata, 0)?,
            protocol: *rdata.get(2)?,
            algorithm: *rdata.get(3)?,
            public: public.to_vec(),
            rdata: rdata.to_vec(),
        })
    }

    pub(super) fn all(records: &[RawRecord]) -> Vec<Self> {
        records.iter().filter(|r| r.kind == kind::DNSKEY).filter_map(|r| Self::read(&unhex(&r.rdata)?)).collect()
    }

    /// A zone key of the only protocol, not revoked (RFC 4034 section 2.1, RFC 5011 section 3).
    pub(super) const fn usable(&self) -> bool {
        self.flags & 0x0100 != 0 && self.flags & 0x0080 == 0 && self.protocol == 3
    }

    pub(super) fn same_material(&self, other: &Self) -> bool {
        self.algorithm == other.algorithm && self.public == other.public
    }

    /// Key tag (RFC 4034 appendix B).
    pub(super) fn tag(&self) -> u16 {
        DNSKEY::calculate_key_tag_internal(&self.rdata)
    }

    /// Bits of an RSA modulus (RFC 3110 section 2); `None` for other algorithms.
    pub(super) fn rsa_bits(&self) -> Option<usize> {
        if !matches!(self.algorithm, 1 | 5 | 7 | 8 | 10) {
            return None;
        }
        let (exponent, from) = match self.public.first()? {
            0 => (usize::from(number16(&self.public, 1)?), 3),
            length => (usize::from(*length), 1),
        };
        let modulus = self.public.get(from + exponent..)?;
        let zeros = modulus.iter().take_while(|byte| **byte == 0).count();
        let first = modulus.get(zeros)?;
        Some((modulus.len() - zeros) * 8 - usize::try_from(first.leading_zeros()).ok()?)
    }

    fn record(&self) -> DNSKEY {
        DNSKEY::with_flags(self.flags, PublicKeyBuf::new(self.public.clone(), Algorithm::from_u8(self.algorithm)))
    }
}

impl Delegation {
    pub(super) fn read(rdata: &[u8]) -> Option<Self> {
        Some(Self {
            key_tag: number16(rdata, 0)?,
            algorithm: *rdata.get(2)?,
            digest_type: *rdata.get(3)?,
            digest: rdata.get(4..)?.to_vec(),
        })
    }

    /// Whether we can follow it: a digest and an algorithm we know.
    pub(super) fn supported(&self) -> bool {
        DigestType::from(self.digest_type).is_supported() && Algorithm::from_u8(self.algorithm).is_supported()
    }

    /// Whether it is the digest of `key` of `zone` (RFC 4034 section 5.1.4).
    pub(super) fn matches(&self, zone: &WireName, key: &Key) -> bool {
        if key.algorithm != self.algorithm || key.tag() != self.key_tag || !key.usable() {
            return false;
        }
        let digest_type = DigestType::from(self.digest_type);
        digest_type.is_supported()
            && zone
                .to_name()
                .and_then(|name| key.record().to_digest(&name, digest_type).ok())
                .is_some_and(|digest| digest.as_ref() == self.digest.as_slice())
    }
}

/// Verifies that `zone` signed `set` with one of `keys`, at the time `now` (seconds since 1970, modulo 2^32). A set
/// needs one good signature, whatever else stands beside it (RFC 4035 section 5.3.3). Returns that signature.
pub(super) fn verify<'s>(set: &'s RrSet, zone: &WireName, keys: &[Key], now: u32) -> Result<&'s Signature, Unverified> {
    let mut worst = Unverified::Unsigned;
    for signature in &set.signatures {
        match verify_one(signature, set, zone, keys, now) {
            Ok(()) => return Ok(signature),
            Err(why) => worst = worst.max(why),
        }
    }
    Err(worst)
}

fn verify_one(signature: &Signature, set: &RrSet, zone: &WireName, keys: &[Key], now: u32) -> Result<(), Unverified> {
    if signature.signer != *zone || !set.owner.is_at_or_below(zone) {
        return Err(Unverified::WrongSigner);
    }
    if after(now, signature.expiration) {
        return Err(Unverified::Expired(signature.expiration));
    }
    // Five minutes of grace for a clock that lags, ours or the signer's.
    if after(signature.inception, now.wrapping_add(300)) {
        return Err(Unverified::NotYet(signature.inception));
    }
    if !Algorithm::from_u8(signature.algorithm).is_supported() {
        return Err(Unverified::Unsupported(signature.algorithm));
    }
    let fitting = keys
        .iter()
        .filter(|key| key.usable() && key.algorithm == signature.algorithm && key.tag() == signature.key_tag);
    let mut tried = false;
    // Key tags may collide, on purpose too: a handful is plenty (CVE-2023-50387).
    for key in fitting.take(4) {
        tried = true;
        let data = signature.signed_data(set).ok_or(Unverified::Wrong(signature.key_tag))?;
        if key.record().verify(&data, &signature.bytes).is_ok() {
            return Ok(());
        }
    }
    Err(if tried { Unverified::Wrong(signature.key_tag) } else { Unverified::NoKey(signature.key_tag) })
}

/// Whether serial `a` is after `b` (RFC 1982 arithmetic, as RFC 4034 section 3.1.5 asks for signature times).
pub(super) const fn after(a: u32, b: u32) -> bool {
    a != b && a.wrapping_sub(b) < 0x8000_0000
}
