//! Protection of records: code first and then encryption (RFC 2246 and RFC 5246, section 6.2.3), or AES-GCM (RFC 5288).
//!
//! Whether a record is right is decided without branches that depend on its content, and with one error for every
//! cause. What remains is that the code takes a moment longer over longer content (the side channel of "Lucky
//! Thirteen"), which is of no use against a client that sends nothing secret.

use aes::{Aes128, Aes256};
use cbc::cipher::{Array, BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use cbc::{Decryptor, Encryptor};
use des::TdesEde3;
use rc4::{KeyInit, Rc4, StreamCipher};
use ring::aead::{AES_128_GCM, AES_256_GCM, Aad, Algorithm, LessSafeKey, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq, ConstantTimeGreater};

use super::prf::Hash;
use super::suites::{Cipher, Suite};
use crate::tls_wire::{put16, vector16};

/// Most bytes of content in one record.
pub const MAX_CONTENT: usize = 16 * 1024;
/// Bytes of the tag of AES-GCM.
const TAG: usize = 16;
/// Bytes of a nonce that travel with a record of AES-GCM.
const EXPLICIT: usize = 8;

/// A record that is not what the peer with the same keys would have sent. Nothing more is known about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadRecord;

/// The keys of one direction.
pub struct Keys<'k> {
    /// Key of the code.
    pub mac: &'k [u8],
    /// Key of the cipher.
    pub cipher: &'k [u8],
    /// Beginning of the chain of blocks, or of the nonces.
    pub iv: &'k [u8],
}

/// How the blocks of CBC are chained from record to record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chaining {
    /// On and on: TLS 1.0.
    Continued,
    /// Anew in every record, with its beginning in front: TLS 1.1 and 1.2.
    Explicit,
}

/// A block cipher in CBC mode, in one direction.
trait Blocks: Send {
    /// Transforms whole blocks in place.
    fn apply(&mut self, data: &mut [u8]);
}

struct Encrypt<C>(C);
struct Decrypt<C>(C);

impl<C: BlockModeEncrypt + Send> Blocks for Encrypt<C> {
    fn apply(&mut self, data: &mut [u8]) {
        self.0.encrypt_blocks(Array::slice_as_chunks_mut(data).0);
    }
}

impl<C: BlockModeDecrypt + Send> Blocks for Decrypt<C> {
    fn apply(&mut self, data: &mut [u8]) {
        self.0.decrypt_blocks(Array::slice_as_chunks_mut(data).0);
    }
}

fn keyed<C: KeyIvInit>(keys: &Keys<'_>) -> C {
    let Ok(cipher) = C::new_from_slices(keys.cipher, keys.iv) else { unreachable!("the suite says how long keys are") };
    cipher
}

enum Method {
    /// No encryption, or RC4.
    Stream(Option<Box<Rc4>>),
    Blocks {
        cipher: Box<dyn Blocks>,
        size: usize,
        chaining: Chaining,
    },
    Gcm {
        key: Box<LessSafeKey>,
        salt: [u8; 4],
    },
}

/// The protection of one direction of a session.
pub struct Protection {
    method: Method,
    mac: Hash,
    mac_key: Vec<u8>,
    version: u16,
    sequence: u64,
}

impl std::fmt::Debug for Protection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Protection").field("version", &self.version).finish_non_exhaustive()
    }
}

impl Protection {
    /// Protection of what we send.
    pub fn sending(suite: &Suite, version: u16, chaining: Chaining, keys: &Keys<'_>) -> Self {
        let blocks: fn(&Keys<'_>, Cipher) -> Box<dyn Blocks> = |keys, cipher| match cipher {
            Cipher::TripleDes => Box::new(Encrypt(keyed::<Encryptor<TdesEde3>>(keys))),
            Cipher::Aes128 => Box::new(Encrypt(keyed::<Encryptor<Aes128>>(keys))),
            _ => Box::new(Encrypt(keyed::<Encryptor<Aes256>>(keys))),
        };
        Self::new(suite, version, chaining, keys, blocks)
    }

    /// Protection of what the peer sends.
    pub fn receiving(suite: &Suite, version: u16, chaining: Chaining, keys: &Keys<'_>) -> Self {
        let blocks: fn(&Keys<'_>, Cipher) -> Box<dyn Blocks> = |keys, cipher| match cipher {
            Cipher::TripleDes => Box::new(Decrypt(keyed::<Decryptor<TdesEde3>>(keys))),
            Cipher::Aes128 => Box::new(Decrypt(keyed::<Decryptor<Aes128>>(keys))),
            _ => Box::new(Decrypt(keyed::<Decryptor<Aes256>>(keys))),
        };
        Self::new(suite, version, chaining, keys, blocks)
    }

    fn new(
        suite: &Suite,
        version: u16,
        chaining: Chaining,
        keys: &Keys<'_>,
        blocks: fn(&Keys<'_>, Cipher) -> Box<dyn Blocks>,
    ) -> Self {
        let method = match suite.cipher {
            Cipher::Null => Method::Stream(None),
            Cipher::Rc4 => match Rc4::new_from_slice(keys.cipher) {
                Ok(cipher) => Method::Stream(Some(Box::new(cipher))),
                Err(_) => unreachable!("the suite says how long keys are"),
            },
            cipher @ (Cipher::TripleDes | Cipher::Aes128 | Cipher::Aes256) => {
                Method::Blocks { cipher: blocks(keys, cipher), size: cipher.iv_length(), chaining }
            }
            Cipher::Aes128Gcm => gcm(&AES_128_GCM, keys),
            Cipher::Aes256Gcm => gcm(&AES_256_GCM, keys),
        };
        Self { method, mac: suite.mac, mac_key: keys.mac.to_vec(), version, sequence: 0 }
    }

    /// Appends a protected record with `content`, at most [`MAX_CONTENT`] bytes, to `out`.
    pub fn seal(&mut self, kind: u8, content: &[u8], out: &mut Vec<u8>) {
        let header = self.header(kind, content.len());
        let mut payload = Vec::with_capacity(content.len() + 96);
        match &mut self.method {
            Method::Stream(cipher) => {
                payload.extend_from_slice(content);
                payload.extend(self.mac.hmac(&self.mac_key, &[&header, content]));
                if let Some(cipher) = cipher {
                    cipher.apply_keystream(&mut payload);
                }
            }
            Method::Blocks { cipher, size, chaining } => {
                if *chaining == Chaining::Explicit {
                    // A random first block, encrypted like the others, is a random beginning (RFC 4346, 6.2.3.2).
                    payload.resize(*size, 0);
                    random(&mut payload);
                }
                payload.extend_from_slice(content);
                payload.extend(self.mac.hmac(&self.mac_key, &[&header, content]));
                let padding = *size - 1 - payload.len() % *size;
                payload.resize(payload.len() + padding + 1, u8::try_from(padding).unwrap_or_default());
                cipher.apply(&mut payload);
            }
            Method::Gcm { key, salt } => {
                let explicit = self.sequence.to_be_bytes();
                payload.extend_from_slice(&explicit);
                let mut sealed = content.to_vec();
                let nonce = nonce(*salt, explicit);
                if key.seal_in_place_append_tag(nonce, Aad::from(header), &mut sealed).is_err() {
                    unreachable!("a record is far shorter than AES-GCM allows");
                }
                payload.extend(sealed);
            }
        }
        self.sequence = self.sequence.wrapping_add(1);
        out.push(kind);
        put16(out, self.version);
        vector16(out, &payload);
    }

    /// The content of a protected record.
    ///
    /// # Errors
    /// If the record does not come from the holder of the keys, or is too long.
    pub fn open(&mut self, kind: u8, mut payload: Vec<u8>) -> Result<Vec<u8>, BadRecord> {
        let content = match &mut self.method {
            Method::Stream(cipher) => {
                if let Some(cipher) = cipher {
                    cipher.apply_keystream(&mut payload);
                }
                let length = payload.len().checked_sub(self.mac.length()).ok_or(BadRecord)?;
                self.verified(kind, payload, length, Choice::from(1))?
            }
            Method::Blocks { cipher, size, chaining } => {
                if !payload.len().is_multiple_of(*size) {
                    return Err(BadRecord);
                }
                cipher.apply(&mut payload);
                if *chaining == Chaining::Explicit {
                    payload.drain(..(*size).min(payload.len()));
                }
                let (length, padding_is_right) = unpadded(&payload, self.mac.length())?;
                self.verified(kind, payload, length, padding_is_right)?
            }
            Method::Gcm { key, salt } => {
                let length = payload.len().checked_sub(EXPLICIT + TAG).ok_or(BadRecord)?;
                let mut sealed = payload.split_off(EXPLICIT);
                let explicit: [u8; EXPLICIT] = payload.try_into().map_err(|_| BadRecord)?;
                let nonce = nonce(*salt, explicit);
                let header = header(self.sequence, kind, self.version, length);
                key.open_in_place(nonce, Aad::from(header), &mut sealed).map_err(|_| BadRecord)?;
                sealed.truncate(length);
                sealed
            }
        };
        self.sequence = self.sequence.wrapping_add(1);
        if content.len() > MAX_CONTENT { Err(BadRecord) } else { Ok(content) }
    }

    /// The first `length` bytes, if the code after them is right and so was what was checked before.
    fn verified(&self, kind: u8, mut data: Vec<u8>, length: usize, before: Choice) -> Result<Vec<u8>, BadRecord> {
        let (content, rest) = data.split_at_checked(length).ok_or(BadRecord)?;
        let sent = rest.get(..self.mac.length()).ok_or(BadRecord)?;
        let expected = self.mac.hmac(&self.mac_key, &[&self.header(kind, length), content]);
        if bool::from(expected.ct_eq(sent) & before) {
            data.truncate(length);
            Ok(data)
        } else {
            Err(BadRecord)
        }
    }

    fn header(&self, kind: u8, length: usize) -> [u8; 13] {
        header(self.sequence, kind, self.version, length)
    }
}

/// What is authenticated beside the content: number, type, version and length of the record.
fn header(sequence: u64, kind: u8, version: u16, length: usize) -> [u8; 13] {
    let mut out = [0; 13];
    out[..8].copy_from_slice(&sequence.to_be_bytes());
    out[8] = kind;
    out[9..11].copy_from_slice(&version.to_be_bytes());
    out[11..].copy_from_slice(&u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes());
    out
}

fn gcm(algorithm: &'static Algorithm, keys: &Keys<'_>) -> Method {
    let (Ok(key), Ok(salt)) = (UnboundKey::new(algorithm, keys.cipher), <[u8; 4]>::try_from(keys.iv)) else {
        unreachable!("the suite says how long keys are")
    };
    Method::Gcm { key: Box::new(LessSafeKey::new(key)), salt }
}

fn nonce(salt: [u8; 4], explicit: [u8; EXPLICIT]) -> Nonce {
    let mut bytes = [0; 12];
    bytes[..4].copy_from_slice(&salt);
    bytes[4..].copy_from_slice(&explicit);
    Nonce::assume_unique_for_key(bytes)
}

/// Fills `bytes` with random ones.
pub fn random(bytes: &mut [u8]) {
    if SystemRandom::new().fill(bytes).is_err() {
        unreachable!("the system has random numbers, or rustls would not have got here");
    }
}

/// Length of the content of decrypted blocks, and whether the padding is right. If it is not, the length is the one of
/// an empty padding, so that the code is computed all the same (RFC 5246, section 6.2.3.2).
///
/// # Errors
/// If the blocks are too short for any content, which everybody on the way can see.
fn unpadded(data: &[u8], mac: usize) -> Result<(usize, Choice), BadRecord> {
    let most = data.len().checked_sub(mac + 1).ok_or(BadRecord)?;
    let padding = *data.last().ok_or(BadRecord)?;
    let room = u16::try_from(most).unwrap_or(u16::MAX);
    let mut right = !u16::from(padding).ct_gt(&room);
    for (distance, byte) in data.iter().rev().take(256).enumerate() {
        let inside = !u16::try_from(distance).unwrap_or(u16::MAX).ct_gt(&u16::from(padding));
        right &= !inside | byte.ct_eq(&padding);
    }
    let taken = u16::conditional_select(&0, &u16::from(padding), right);
    Ok((most - usize::from(taken), right))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::suites::SUITES;
    use super::*;

    /// The two ends of one direction of a session.
    fn ends(suite: &Suite, version: u16) -> (Protection, Protection) {
        let chaining = if version == 0x0301 { Chaining::Continued } else { Chaining::Explicit };
        let (mac, cipher, iv) = ([7; 48], [9; 32], [3; 16]);
        let keys = Keys {
            mac: &mac[..suite.mac_length()],
            cipher: &cipher[..suite.cipher.key_length()],
            iv: &iv[..suite.cipher.iv_length()],
        };
        let sending = Protection::sending(suite, version, chaining, &keys);
        (sending, Protection::receiving(suite, version, chaining, &keys))
    }

    fn suite_and_version() -> impl Strategy<Value = (Suite, u16)> {
        (prop::sample::select(SUITES.to_vec()), 0x0301_u16..=0x0303)
            .prop_map(|(suite, version)| (suite, if suite.needs_tls12() { 0x0303 } else { version }))
    }

    proptest! {
        #[test]
        fn what_is_sealed_opens_again(
            (suite, version) in suite_and_version(),
            contents in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..400), 1..5),
        ) {
            let (mut sending, mut receiving) = ends(&suite, version);
            for content in contents {
                let mut record = Vec::new();
                sending.seal(23, &content, &mut record);
                prop_assert_eq!(&record[..3], &[23, 3, u8::try_from(version & 0xff).unwrap()][..]);
                prop_assert_eq!(receiving.open(23, record[5..].to_vec()), Ok(content));
            }
        }

        #[test]
        fn whatever_is_changed_is_noticed(
            (suite, version) in suite_and_version(),
            content in prop::collection::vec(any::<u8>(), 0..200),
            position in any::<prop::sample::Index>(),
            change in 1_u8..,
            cut in 0_usize..40,
        ) {
            let (mut sending, receiving) = ends(&suite, version);
            let mut record = Vec::new();
            sending.seal(23, &content, &mut record);
            let mut payload = record[5..].to_vec();
            // The beginning of the chain is not authenticated, and of no consequence.
            let block = if version > 0x0301 && !suite.cipher.is_aead() { suite.cipher.iv_length() } else { 0 };
            let at = block + position.index(payload.len() - block);
            payload[at] ^= change;
            let mut fresh = ends(&suite, version).1;
            prop_assert_eq!(fresh.open(23, payload.clone()), Err(BadRecord));
            payload[at] ^= change;
            let mut fresh = ends(&suite, version).1;
            prop_assert_eq!(fresh.open(22, payload.clone()), Err(BadRecord), "as another type");
            let mut fresh = ends(&suite, version).1;
            let length = payload.len();
            payload.truncate(length.saturating_sub(cut + 1));
            prop_assert_eq!(fresh.open(23, payload), Err(BadRecord), "cut");
            drop(receiving);
        }

        #[test]
        fn no_record_makes_it_panic(
            (suite, version) in suite_and_version(),
            payload in prop::collection::vec(any::<u8>(), 0..300),
        ) {
            let mut receiving = ends(&suite, version).1;
            prop_assert_eq!(receiving.open(23, payload), Err(BadRecord));
        }

        #[test]
        fn padding_is_judged_as_the_rule_says(mut data in prop::collection::vec(any::<u8>(), 1..400), last in any::<u8>(), honest: bool) {
            *data.last_mut().unwrap() = last;
            if honest {
                let length = data.len();
                data[length.saturating_sub(usize::from(last) + 1)..].fill(last);
            }
            let mac = 20;
            let padding = usize::from(last);
            let rule = data.len() > padding + mac && data.iter().rev().take(padding + 1).all(|byte| *byte == last);
            match unpadded(&data, mac) {
                Err(BadRecord) => prop_assert!(data.len() < mac + 1),
                Ok((length, right)) => {
                    prop_assert_eq!(bool::from(right), rule);
                    prop_assert_eq!(length, data.len() - mac - 1 - if rule { padding } else { 0 });
                }
            }
        }
    }
}
