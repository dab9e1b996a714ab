//! The suites this client has: IANA registry "TLS Cipher Suites".

use super::prf::Hash;

/// How the premaster secret comes about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exchange {
    /// Encrypted to the RSA key of the certificate.
    Rsa,
    /// Diffie-Hellman with parameters of the server's.
    Dhe,
    /// Diffie-Hellman on a curve.
    Ecdhe,
}

/// What conceals the content of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cipher {
    /// Nothing.
    Null,
    /// RC4 with 128 bits.
    Rc4,
    /// Triple DES in CBC mode.
    TripleDes,
    /// AES in CBC mode, 128 bits.
    Aes128,
    /// AES in CBC mode, 256 bits.
    Aes256,
    /// AES in GCM mode, 128 bits.
    Aes128Gcm,
    /// AES in GCM mode, 256 bits.
    Aes256Gcm,
}

impl Cipher {
    /// Bytes of the key.
    pub const fn key_length(self) -> usize {
        match self {
            Self::Null => 0,
            Self::Rc4 | Self::Aes128 | Self::Aes128Gcm => 16,
            Self::TripleDes => 24,
            Self::Aes256 | Self::Aes256Gcm => 32,
        }
    }

    /// Bytes of the key block that begin the chain of blocks, or the nonces.
    pub const fn iv_length(self) -> usize {
        match self {
            Self::Null | Self::Rc4 => 0,
            Self::TripleDes => 8,
            Self::Aes128 | Self::Aes256 => 16,
            Self::Aes128Gcm | Self::Aes256Gcm => 4,
        }
    }

    /// Whether the cipher authenticates by itself.
    pub const fn is_aead(self) -> bool {
        matches!(self, Self::Aes128Gcm | Self::Aes256Gcm)
    }
}

/// One suite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Suite {
    /// Its number.
    pub id: u16,
    /// The key exchange.
    pub exchange: Exchange,
    /// The cipher.
    pub cipher: Cipher,
    /// Hash of the record's code, which an AEAD cipher does not use.
    pub mac: Hash,
    /// Hash of the key derivation in TLS 1.2.
    pub prf: Hash,
}

impl Suite {
    /// The suite with that number, if this client has it.
    pub fn find(id: u16) -> Option<Self> {
        SUITES.iter().copied().find(|suite| suite.id == id)
    }

    /// Whether the suite exists from TLS 1.2 on only (RFC 5246, RFC 5288, RFC 5289).
    pub const fn needs_tls12(&self) -> bool {
        self.cipher.is_aead() || matches!(self.mac, Hash::Sha256 | Hash::Sha384)
    }

    /// Bytes of the code's key and of the code.
    pub const fn mac_length(&self) -> usize {
        if self.cipher.is_aead() { 0 } else { self.mac.length() }
    }
}

const fn suite(id: u16, exchange: Exchange, cipher: Cipher, mac: Hash) -> Suite {
    // SHA-384 suites derive keys with it, all others with SHA-256 (RFC 5246, section 5).
    let prf = if matches!(mac, Hash::Sha384) { Hash::Sha384 } else { Hash::Sha256 };
    Suite { id, exchange, cipher, mac, prf }
}

/// Every suite, best first; without proof of who the server is, and without encryption, last.
pub const SUITES: [Suite; 49] = {
    use Cipher::{Aes128, Aes128Gcm, Aes256, Aes256Gcm, Null, Rc4, TripleDes};
    use Exchange::{Dhe, Ecdhe, Rsa};
    use Hash::{Md5, Sha1, Sha256, Sha384};
    [
        suite(0xc02b, Ecdhe, Aes128Gcm, Sha256),
        suite(0xc02f, Ecdhe, Aes128Gcm, Sha256),
        suite(0xc02c, Ecdhe, Aes256Gcm, Sha384),
        suite(0xc030, Ecdhe, Aes256Gcm, Sha384),
        suite(0x009e, Dhe, Aes128Gcm, Sha256),
        suite(0x009f, Dhe, Aes256Gcm, Sha384),
        suite(0xc023, Ecdhe, Aes128, Sha256),
        suite(0xc027, Ecdhe, Aes128, Sha256),
        suite(0xc024, Ecdhe, Aes256, Sha384),
        suite(0xc028, Ecdhe, Aes256, Sha384),
        suite(0xc009, Ecdhe, Aes128, Sha1),
        suite(0xc013, Ecdhe, Aes128, Sha1),
        suite(0xc00a, Ecdhe, Aes256, Sha1),
        suite(0xc014, Ecdhe, Aes256, Sha1),
        suite(0x0067, Dhe, Aes128, Sha256),
        suite(0x006b, Dhe, Aes256, Sha256),
        suite(0x0033, Dhe, Aes128, Sha1),
        suite(0x0039, Dhe, Aes256, Sha1),
        suite(0x009c, Rsa, Aes128Gcm, Sha256),
        suite(0x009d, Rsa, Aes256Gcm, Sha384),
        suite(0x003c, Rsa, Aes128, Sha256),
        suite(0x003d, Rsa, Aes256, Sha256),
        suite(0x002f, Rsa, Aes128, Sha1),
        suite(0x0035, Rsa, Aes256, Sha1),
        suite(0xc008, Ecdhe, TripleDes, Sha1),
        suite(0xc012, Ecdhe, TripleDes, Sha1),
        suite(0x0016, Dhe, TripleDes, Sha1),
        suite(0x000a, Rsa, TripleDes, Sha1),
        suite(0xc007, Ecdhe, Rc4, Sha1),
        suite(0xc011, Ecdhe, Rc4, Sha1),
        suite(0x0005, Rsa, Rc4, Sha1),
        suite(0x0004, Rsa, Rc4, Md5),
        // Anonymous.
        suite(0x00a6, Dhe, Aes128Gcm, Sha256),
        suite(0x00a7, Dhe, Aes256Gcm, Sha384),
        suite(0x006c, Dhe, Aes128, Sha256),
        suite(0x006d, Dhe, Aes256, Sha256),
        suite(0xc018, Ecdhe, Aes128, Sha1),
        suite(0xc019, Ecdhe, Aes256, Sha1),
        suite(0xc017, Ecdhe, TripleDes, Sha1),
        suite(0x0034, Dhe, Aes128, Sha1),
        suite(0x003a, Dhe, Aes256, Sha1),
        suite(0x001b, Dhe, TripleDes, Sha1),
        suite(0x0018, Dhe, Rc4, Md5),
        suite(0xc016, Ecdhe, Rc4, Sha1),
        // Not encrypted.
        suite(0xc006, Ecdhe, Null, Sha1),
        suite(0xc010, Ecdhe, Null, Sha1),
        suite(0x003b, Rsa, Null, Sha256),
        suite(0x0002, Rsa, Null, Sha1),
        suite(0x0001, Rsa, Null, Md5),
    ]
};

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn numbers_are_distinct_and_old_versions_get_old_suites() {
        let ids: BTreeSet<u16> = SUITES.iter().map(|suite| suite.id).collect();
        assert_eq!(ids.len(), SUITES.len());
        let old = |id| !Suite::find(id).unwrap().needs_tls12();
        assert!(old(0x000a) && old(0x002f) && old(0xc013) && old(0x0004));
        assert!(!old(0x003c) && !old(0xc02f) && !old(0xc028) && !old(0x009c));
    }
}
