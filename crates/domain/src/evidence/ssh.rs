//! An SSH server's offer: identification, algorithms, host keys, login methods.
//!
//! All of it is what the server says before a client logs in. No credentials are sent to learn it.

use serde::{Deserialize, Serialize};

use super::Observation;

/// An SSH server's offer.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct SshEvidence {
    /// The identification line without line end, printable, at most 255 characters (RFC 4253 section 4.2).
    pub banner: String,
    /// Protocol version in it: `2.0`; `1.99` means 2.0 and 1.x.
    pub protocol: String,
    /// Software version in it: `OpenSSH_9.2p1`.
    pub software: String,
    /// The comment after it: `Debian-2+deb12u7`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// The server's own key-exchange offer.
    #[serde(default)]
    pub algorithms: Observation<SshAlgorithms>,
    /// Host keys the server proved to hold, one per key type asked for.
    #[serde(default)]
    pub host_keys: Observation<Vec<SshHostKey>>,
    /// Login methods the server lists to an unknown user who offers none: `publickey`, `password`,
    /// `keyboard-interactive`. An empty list means that it let that user in.
    #[serde(default)]
    pub auth_methods: Observation<Vec<String>>,
}

/// Name lists of the server's `SSH_MSG_KEXINIT` (RFC 4253 section 7.1), in its order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SshAlgorithms {
    /// Key exchange; markers such as `kex-strict-s-v00@openssh.com` included.
    pub kex: Vec<String>,
    /// Host key signature algorithms.
    pub host_key: Vec<String>,
    /// Ciphers, client to server.
    pub cipher_in: Vec<String>,
    /// Ciphers, server to client.
    pub cipher_out: Vec<String>,
    /// Message authentication codes, client to server.
    pub mac_in: Vec<String>,
    /// Message authentication codes, server to client.
    pub mac_out: Vec<String>,
    /// Compression, client to server.
    pub compression_in: Vec<String>,
    /// Compression, server to client.
    pub compression_out: Vec<String>,
}

impl SshAlgorithms {
    /// Ciphers of either direction, each once.
    pub fn ciphers(&self) -> impl Iterator<Item = &str> {
        either(&self.cipher_in, &self.cipher_out)
    }

    /// Message authentication codes of either direction, each once.
    pub fn macs(&self) -> impl Iterator<Item = &str> {
        either(&self.mac_in, &self.mac_out)
    }
}

fn either<'l>(first: &'l [String], second: &'l [String]) -> impl Iterator<Item = &'l str> {
    first.iter().chain(second.iter().filter(|name| !first.contains(name))).map(String::as_str)
}

/// A host key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SshHostKey {
    /// Key type: `ssh-rsa`, `ecdsa-sha2-nistp256`, `ssh-ed25519`.
    pub algorithm: String,
    /// Length of the RSA modulus, the DSA prime or the curve, in bits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bits: Option<u32>,
    /// `SHA256:` and the unpadded base64 digest of the key, as OpenSSH prints it.
    pub fingerprint: String,
}
