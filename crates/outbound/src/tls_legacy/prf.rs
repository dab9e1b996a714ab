//! Hashes, and the derivation of secrets: RFC 2246 (section 5), RFC 5246 (section 5), RFC 7627.

use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384};

/// A hash of the old suites.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hash {
    /// MD5.
    Md5,
    /// SHA-1.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
}

impl Hash {
    /// Bytes of the result.
    pub const fn length(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
        }
    }

    /// The hash of `data`.
    pub fn digest(self, data: &[u8]) -> Vec<u8> {
        match self {
            Self::Md5 => Md5::digest(data).to_vec(),
            Self::Sha1 => Sha1::digest(data).to_vec(),
            Self::Sha256 => Sha256::digest(data).to_vec(),
            Self::Sha384 => Sha384::digest(data).to_vec(),
        }
    }

    /// The keyed hash (RFC 2104) of `parts` one after the other.
    pub fn hmac(self, key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
        match self {
            Self::Md5 => keyed::<Hmac<Md5>>(key, parts),
            Self::Sha1 => keyed::<Hmac<Sha1>>(key, parts),
            Self::Sha256 => keyed::<Hmac<Sha256>>(key, parts),
            Self::Sha384 => keyed::<Hmac<Sha384>>(key, parts),
        }
    }

    /// `P_hash` of RFC 5246, section 5.
    fn expand(self, secret: &[u8], seed: &[&[u8]], length: usize) -> Vec<u8> {
        let mut out = Vec::with_capacity(length + self.length());
        let mut a = self.hmac(secret, seed);
        while out.len() < length {
            let mut parts = vec![a.as_slice()];
            parts.extend_from_slice(seed);
            out.extend(self.hmac(secret, &parts));
            a = self.hmac(secret, &[&a]);
        }
        out.truncate(length);
        out
    }
}

fn keyed<M: Mac + KeyInit>(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let Ok(mut mac) = <M as KeyInit>::new_from_slice(key) else { unreachable!("HMAC takes keys of any length") };
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().to_vec()
}

/// The derivation of one version and suite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prf {
    /// MD5 and SHA-1 together: TLS 1.0 and 1.1.
    Md5Sha1,
    /// One hash: TLS 1.2.
    One(Hash),
}

impl Prf {
    /// `length` bytes from `secret`, for `label` and `seed`.
    pub fn derive(self, secret: &[u8], label: &[u8], seed: &[&[u8]], length: usize) -> Vec<u8> {
        let mut parts = vec![label];
        parts.extend_from_slice(seed);
        match self {
            Self::One(hash) => hash.expand(secret, &parts, length),
            Self::Md5Sha1 => {
                // Two halves of the secret, which share the middle byte if its length is odd.
                let half = secret.len().div_ceil(2);
                let (first, second) = (&secret[..half], &secret[secret.len() - half..]);
                let mut out = Hash::Md5.expand(first, &parts, length);
                for (byte, other) in out.iter_mut().zip(Hash::Sha1.expand(second, &parts, length)) {
                    *byte ^= other;
                }
                out
            }
        }
    }

    /// The hash of the messages so far, as the finished messages and the extended master secret take it.
    pub fn transcript(self, messages: &[u8]) -> Vec<u8> {
        match self {
            Self::One(hash) => hash.digest(messages),
            Self::Md5Sha1 => [Hash::Md5.digest(messages), Hash::Sha1.digest(messages)].concat(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values are those of tlslite-ng for the same input.
    #[test]
    fn derivations_agree_with_another_implementation() {
        let secret: Vec<u8> = (1..48).collect();
        let seed: Vec<u8> = (100..132).collect();
        let (one, two) = seed.split_at(7);
        for (prf, begins) in [
            (Prf::Md5Sha1, [0x34, 0x9d, 0x3a, 0x65, 0x49, 0xf0, 0x40, 0x79, 0x45, 0x2b]),
            (Prf::One(Hash::Sha256), [0x5e, 0x71, 0xa7, 0xa8, 0x6b, 0x6a, 0xa7, 0x82, 0x10, 0x79]),
            (Prf::One(Hash::Sha384), [0x99, 0x58, 0x3c, 0x9b, 0xb7, 0x72, 0x8b, 0x76, 0xe9, 0xce]),
        ] {
            let derived = prf.derive(&secret, b"test label", &[one, two], 104);
            assert_eq!((derived.len(), &derived[..10]), (104, &begins[..]), "{prf:?}");
        }
        let last = |prf: Prf| prf.derive(&secret, b"test label", &[&seed], 104)[101..].to_vec();
        assert_eq!(last(Prf::Md5Sha1), [0xcc, 0x8a, 0x65]);
        assert_eq!(last(Prf::One(Hash::Sha256)), [0xa3, 0x47, 0xe3]);
        assert_eq!(last(Prf::One(Hash::Sha384)), [0x42, 0xd1, 0x0b]);
    }
}
