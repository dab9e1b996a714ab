//! Asking which login methods there are, which takes a completed key exchange.
//!
//! One exchange (X25519) and three sealed ciphers are enough for every OpenSSH since 6.7 and Dropbear since 2020 in
//! their default settings; servers hardened or frozen out of these are not asked.

use bartizan_domain::evidence::ssh::SshAlgorithms;
use bartizan_domain::evidence::{FailureKind, ProbeFailure};
use ring::aead::chacha20_poly1305_openssh as chacha;
use ring::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::agreement::{EphemeralPrivateKey, UnparsedPublicKey, X25519, agree_ephemeral};
use ring::rand::SystemRandom;
use sha2::{Digest, Sha256};

use super::exchange::kexinit;
use super::transport::{CLIENT_VERSION, NEWKEYS, Reader, Transport, frame, protocol, put_mpint, put_string};

const SERVICE_REQUEST: u8 = 5;
const SERVICE_ACCEPT: u8 = 6;
const USERAUTH_REQUEST: u8 = 50;
const USERAUTH_FAILURE: u8 = 51;
const USERAUTH_SUCCESS: u8 = 52;
/// The user asked about: one that hardly exists anywhere.
const USER: &str = "bartizan-scan";

/// Ciphers, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cipher {
    ChaCha,
    Aes256Gcm,
    Aes128Gcm,
}

impl Cipher {
    const ALL: [Self; 3] = [Self::ChaCha, Self::Aes256Gcm, Self::Aes128Gcm];

    const fn name(self) -> &'static str {
        match self {
            Self::ChaCha => "chacha20-poly1305@openssh.com",
            Self::Aes256Gcm => "aes256-gcm@openssh.com",
            Self::Aes128Gcm => "aes128-gcm@openssh.com",
        }
    }

    const fn key_length(self) -> usize {
        match self {
            Self::ChaCha => 64,
            Self::Aes256Gcm => 32,
            Self::Aes128Gcm => 16,
        }
    }
}

/// The algorithms a login question is asked with.
#[derive(Debug, Clone)]
pub struct Plan {
    kex: &'static str,
    cipher: Cipher,
    host_key: String,
    mac: [String; 2],
}

/// Chooses algorithms; `None` if there is nothing in common.
pub fn plan(offer: &SshAlgorithms) -> Option<Plan> {
    let kex = ["curve25519-sha256", "curve25519-sha256@libssh.org"]
        .into_iter()
        .find(|name| offer.kex.iter().any(|offered| offered == name))?;
    let cipher = Cipher::ALL.into_iter().find(|cipher| {
        [&offer.cipher_in, &offer.cipher_out].iter().all(|list| list.iter().any(|offered| offered == cipher.name()))
    })?;
    let host_key = offer.host_key.iter().find(|name| !name.contains("-cert-"))?.clone();
    let mac = [offer.mac_in.first()?.clone(), offer.mac_out.first()?.clone()];
    Some(Plan { kex, cipher, host_key, mac })
}

/// Completes the exchange and asks; returns the methods and the host key shown on the way. An empty list means that
/// the user was let in; the connection then ends without opening anything.
pub async fn methods(wire: &mut Transport, plan: &Plan) -> Result<(Vec<String>, Vec<u8>), ProbeFailure> {
    let local = |_| ProbeFailure::new(FailureKind::Local, "no random numbers");
    let random = SystemRandom::new();
    let secret = EphemeralPrivateKey::generate(&X25519, &random).map_err(local)?;
    let public = secret.compute_public_key().map_err(local)?;

    let cipher = plan.cipher.name();
    let ours = kexinit(plan.kex, &plan.host_key, [cipher, cipher], [&plan.mac[0], &plan.mac[1]]);
    wire.send(&ours).await?;
    let mut init = vec![30];
    put_string(&mut init, public.as_ref());
    wire.send(&init).await?;
    let reply = wire.receive(31).await?;
    let mut reader = Reader(reply.get(1..).unwrap_or_default());
    let unreadable = || protocol("the key exchange cannot be read");
    let host_key = reader.string().ok_or_else(unreadable)?.to_vec();
    let theirs = reader.string().ok_or_else(unreadable)?.to_vec();

    let shared = agree_ephemeral(secret, &UnparsedPublicKey::new(&X25519, &theirs), |shared| {
        let mut number = Vec::new();
        put_mpint(&mut number, shared);
        number
    })
    .map_err(|_| protocol("the server's key share is no point of the curve"))?;
    let mut transcript = Vec::new();
    put_string(&mut transcript, CLIENT_VERSION.as_bytes());
    put_string(&mut transcript, wire.server_version().as_bytes());
    put_string(&mut transcript, &ours);
    put_string(&mut transcript, &wire.server_kexinit);
    put_string(&mut transcript, &host_key);
    put_string(&mut transcript, public.as_ref());
    put_string(&mut transcript, &theirs);
    transcript.extend_from_slice(&shared);
    let hash = Sha256::digest(&transcript);

    wire.send(&[NEWKEYS]).await?;
    wire.receive(NEWKEYS).await?;
    let derive = |letter: u8, length: usize| {
        let mut key = Sha256::new()
            .chain_update(&shared)
            .chain_update(hash)
            .chain_update([letter])
            .chain_update(hash)
            .finalize()
            .to_vec();
        while key.len() < length {
            let more = Sha256::new().chain_update(&shared).chain_update(hash).chain_update(&key).finalize();
            key.extend_from_slice(&more);
        }
        key.truncate(length);
        key
    };
    let length = plan.cipher.key_length();
    wire.sealed = Some(Sealed::new(
        plan.cipher,
        [&derive(b'C', length), &derive(b'D', length)],
        [&derive(b'A', 12), &derive(b'B', 12)],
    )?);

    let mut request = vec![SERVICE_REQUEST];
    put_string(&mut request, b"ssh-userauth");
    wire.send(&request).await?;
    wire.receive(SERVICE_ACCEPT).await?;
    let mut request = vec![USERAUTH_REQUEST];
    for text in [USER, "ssh-connection", "none"] {
        put_string(&mut request, text.as_bytes());
    }
    wire.send(&request).await?;
    let answer = wire.receive_any(&[USERAUTH_FAILURE, USERAUTH_SUCCESS]).await?;
    if answer.first() == Some(&USERAUTH_SUCCESS) {
        return Ok((Vec::new(), host_key));
    }
    let methods = Reader(answer.get(1..).unwrap_or_default()).name_list().unwrap_or_default();
    if methods.is_empty() {
        return Err(protocol("the server refuses and lists no login method"));
    }
    Ok((methods, host_key))
}

/// Both directions of a sealed connection.
pub struct Sealed(Keys);

enum Keys {
    ChaCha { seal: Box<chacha::SealingKey>, open: Box<chacha::OpeningKey> },
    Gcm { seal: Box<LessSafeKey>, open: Box<LessSafeKey>, seal_nonce: GcmNonce, open_nonce: GcmNonce },
}

/// Four fixed bytes and a counter (RFC 5647 section 7.1).
struct GcmNonce {
    fixed: [u8; 4],
    counter: u64,
}

impl GcmNonce {
    fn new(bytes: &[u8]) -> Option<Self> {
        let (fixed, counter) = bytes.split_first_chunk::<4>()?;
        Some(Self { fixed: *fixed, counter: u64::from_be_bytes(counter.try_into().ok()?) })
    }

    fn next(&mut self) -> Nonce {
        let mut bytes = [0; 12];
        bytes[..4].copy_from_slice(&self.fixed);
        bytes[4..].copy_from_slice(&self.counter.to_be_bytes());
        self.counter = self.counter.wrapping_add(1);
        Nonce::assume_unique_for_key(bytes)
    }
}

impl Sealed {
    fn new(cipher: Cipher, keys: [&[u8]; 2], nonces: [&[u8]; 2]) -> Result<Self, ProbeFailure> {
        let wrong = || ProbeFailure::new(FailureKind::Local, "a derived key has the wrong length");
        let keys = match cipher {
            Cipher::ChaCha => Keys::ChaCha {
                seal: Box::new(chacha::SealingKey::new(keys[0].try_into().map_err(|_| wrong())?)),
                open: Box::new(chacha::OpeningKey::new(keys[1].try_into().map_err(|_| wrong())?)),
            },
            Cipher::Aes256Gcm | Cipher::Aes128Gcm => {
                let algorithm = if cipher == Cipher::Aes256Gcm { &AES_256_GCM } else { &AES_128_GCM };
                let key = |bytes| UnboundKey::new(algorithm, bytes).map(|key| Box::new(LessSafeKey::new(key)));
                Keys::Gcm {
                    seal: key(keys[0]).map_err(|_| wrong())?,
                    open: key(keys[1]).map_err(|_| wrong())?,
                    seal_nonce: GcmNonce::new(nonces[0]).ok_or_else(wrong)?,
                    open_nonce: GcmNonce::new(nonces[1]).ok_or_else(wrong)?,
                }
            }
        };
        Ok(Self(keys))
    }

    /// The length field of a received packet.
    pub fn length(&self, sequence: u32, head: [u8; 4]) -> u32 {
        match &self.0 {
            Keys::ChaCha { open, .. } => u32::from_be_bytes(open.decrypt_packet_length(sequence, head)),
            Keys::Gcm { .. } => u32::from_be_bytes(head),
        }
    }

    /// Seals a payload into a packet.
    pub fn seal(&mut self, sequence: u32, payload: &[u8]) -> Result<Vec<u8>, ProbeFailure> {
        match &mut self.0 {
            Keys::ChaCha { seal, .. } => {
                let mut packet = frame(payload, 8, 0);
                let mut tag = [0; chacha::TAG_LEN];
                seal.seal_in_place(sequence, &mut packet, &mut tag);
                packet.extend_from_slice(&tag);
                Ok(packet)
            }
            Keys::Gcm { seal, seal_nonce, .. } => {
                let packet = frame(payload, 16, 0);
                let (head, body) = packet.split_at(4);
                let mut body = body.to_vec();
                seal.seal_in_place_append_tag(seal_nonce.next(), Aad::from(head), &mut body)
                    .map_err(|_| ProbeFailure::new(FailureKind::Local, "a packet cannot be sealed"))?;
                Ok([head, &body].concat())
            }
        }
    }

    /// Opens a received packet, length field and tag included, into padding length, payload and padding.
    pub fn open(&mut self, sequence: u32, packet: &mut [u8]) -> Result<Vec<u8>, ProbeFailure> {
        let broken = || protocol("a packet fails its authentication");
        match &mut self.0 {
            Keys::ChaCha { open, .. } => {
                let (body, tag) = packet.split_last_chunk_mut::<{ chacha::TAG_LEN }>().ok_or_else(broken)?;
                open.open_in_place(sequence, body, tag).map(<[u8]>::to_vec).map_err(|_| broken())
            }
            Keys::Gcm { open, open_nonce, .. } => {
                let (head, body) = packet.split_at_mut_checked(4).ok_or_else(broken)?;
                let plain = open.open_in_place(open_nonce.next(), Aad::from(&*head), body).map_err(|_| broken())?;
                Ok(plain.to_vec())
            }
        }
    }
}
