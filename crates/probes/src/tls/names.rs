//! Numbers and names of suites, groups, signature schemes and alerts.

use std::sync::LazyLock;

use bartizan_domain::evidence::tls::{SignatureScheme, Suite, TlsVersion};
use tls_parser::{CIPHERS, TlsCipherKx, TlsCipherMac, TlsCipherSuite, TlsPRF};

/// Suites of TLS 1.3.
pub const SUITES_13: [u16; 7] = [0x1301, 0x1302, 0x1303, 0x1304, 0x1305, 0x00c6, 0x00c7];

/// Suites that current clients offer, best first. They come first in every hello, so that a server that follows the
/// client's order shows the certificate and the parameters that ordinary clients get.
pub const COMMON: [u16; 18] = [
    0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0x009e, 0x009f, 0xccaa, 0xc009, 0xc013, 0xc00a, 0xc014, 0x009c,
    0x009d, 0x002f, 0x0035, 0x000a,
];

pub use bartizan_outbound::tls_wire::{SCSV_FALLBACK, SIGNATURE_SCHEMES, alert_name};

/// Every suite of TLS 1.2 and older that works without a key agreed beforehand: PSK, Kerberos, SRP and password suites
/// cannot be accepted by a server for a client it does not know.
static CLASSIC: LazyLock<Vec<u16>> = LazyLock::new(|| {
    let mut rest: Vec<u16> = CIPHERS
        .values()
        .filter(|suite| {
            matches!(
                suite.kx,
                TlsCipherKx::Rsa
                    | TlsCipherKx::Dh
                    | TlsCipherKx::Dhe
                    | TlsCipherKx::Ecdh
                    | TlsCipherKx::Ecdhe
                    | TlsCipherKx::Aecdh
            )
        })
        .filter(|suite| !suite.name.contains("PSK"))
        .map(|suite| suite.id.0)
        .filter(|id| !COMMON.contains(id) && !SUITES_13.contains(id))
        .collect();
    rest.sort_unstable();
    COMMON.iter().copied().chain(rest).collect()
});

/// The suites worth offering in `version`.
#[must_use]
pub fn suites_for(version: TlsVersion) -> Vec<u16> {
    match version {
        TlsVersion::Ssl2 => Vec::new(),
        TlsVersion::Tls13 => SUITES_13.to_vec(),
        TlsVersion::Tls12 => CLASSIC.clone(),
        // Suites with their own hash for the key derivation or with AEAD exist from TLS 1.2 on (RFC 5246, RFC 5288).
        _ => CLASSIC.iter().copied().filter(|id| !needs_tls12(*id)).collect(),
    }
}

fn needs_tls12(id: u16) -> bool {
    TlsCipherSuite::from_id(id).is_some_and(|suite| {
        !matches!(suite.prf, TlsPRF::Default)
            || matches!(suite.mac, TlsCipherMac::Aead | TlsCipherMac::HmacSha256 | TlsCipherMac::HmacSha384)
    })
}

/// The suite with its registered name.
#[must_use]
pub fn suite(id: u16) -> Suite {
    let name = match id {
        0x1304 => "TLS_AES_128_CCM_SHA256".to_owned(),
        0x1305 => "TLS_AES_128_CCM_8_SHA256".to_owned(),
        _ => TlsCipherSuite::from_id(id).map_or_else(|| format!("0x{id:04x}"), |suite| suite.name.to_owned()),
    };
    Suite { id, name }
}

/// How a suite's server key exchange message is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exchange {
    /// Finite-field Diffie-Hellman parameters.
    Dh,
    /// A named curve.
    Ec,
    /// No ephemeral parameters that concern us.
    Other,
}

/// The layout for a suite, and whether the parameters are signed.
#[must_use]
pub fn exchange_of(id: u16) -> (Exchange, bool) {
    let name = suite(id).name;
    let signed = !name.contains("_anon_");
    if name.starts_with("TLS_ECDHE_") || name.starts_with("TLS_ECDH_anon_") {
        (Exchange::Ec, signed)
    } else if name.starts_with("TLS_DHE_") || name.starts_with("TLS_DH_anon_") {
        (Exchange::Dh, signed)
    } else {
        (Exchange::Other, false)
    }
}

/// Groups offered, best first: IANA registry "TLS Supported Groups".
pub const GROUPS: [(u16, &str); 45] = [
    (29, "x25519"),
    (23, "secp256r1"),
    (24, "secp384r1"),
    (25, "secp521r1"),
    (30, "x448"),
    (0x11ec, "X25519MLKEM768"),
    (0x11eb, "SecP256r1MLKEM768"),
    (0x11ed, "SecP384r1MLKEM1024"),
    (0x0201, "MLKEM768"),
    (0x0202, "MLKEM1024"),
    (0x6399, "X25519Kyber768Draft00"),
    (256, "ffdhe2048"),
    (257, "ffdhe3072"),
    (258, "ffdhe4096"),
    (259, "ffdhe6144"),
    (260, "ffdhe8192"),
    (26, "brainpoolP256r1"),
    (27, "brainpoolP384r1"),
    (28, "brainpoolP512r1"),
    (31, "brainpoolP256r1tls13"),
    (32, "brainpoolP384r1tls13"),
    (33, "brainpoolP512r1tls13"),
    (41, "curveSM2"),
    (22, "secp256k1"),
    (14, "sect571r1"),
    (13, "sect571k1"),
    (12, "sect409r1"),
    (11, "sect409k1"),
    (10, "sect283r1"),
    (9, "sect283k1"),
    (8, "sect239k1"),
    (7, "sect233r1"),
    (6, "sect233k1"),
    (21, "secp224r1"),
    (20, "secp224k1"),
    (19, "secp192r1"),
    (18, "secp192k1"),
    (5, "sect193r2"),
    (4, "sect193r1"),
    (3, "sect163r2"),
    (2, "sect163r1"),
    (1, "sect163k1"),
    (17, "secp160r2"),
    (16, "secp160r1"),
    (15, "secp160k1"),
];

/// Numbers of [`GROUPS`] that exist in `version`: the hybrid and the `tls13` ones are TLS 1.3 only, the binary curves
/// and the small primes TLS 1.2 and older only (RFC 8446, section 4.2.7).
#[must_use]
pub fn groups_for(version: TlsVersion) -> Vec<u16> {
    let only_13 = |id: u16| matches!(id, 31..=33 | 41 | 0x0201 | 0x0202 | 0x11eb..=0x11ed | 0x6399);
    let only_12 = |id: u16| matches!(id, 1..=22 | 26..=28);
    GROUPS
        .iter()
        .map(|(id, _)| *id)
        .filter(|id| if version == TlsVersion::Tls13 { !only_12(*id) } else { !only_13(*id) })
        .collect()
}

/// The registered name of a group.
#[must_use]
pub fn group_name(id: u16) -> String {
    GROUPS
        .iter()
        .find(|(number, _)| *number == id)
        .map_or_else(|| format!("0x{id:04x}"), |(_, name)| (*name).to_owned())
}

/// The scheme with its registered name.
#[must_use]
pub fn signature_scheme(id: u16) -> SignatureScheme {
    let name = SIGNATURE_SCHEMES
        .iter()
        .find(|(number, _)| *number == id)
        .map_or_else(|| format!("0x{id:04x}"), |(_, name)| (*name).to_owned());
    SignatureScheme { id, name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_versions_are_offered_only_suites_they_have() {
        let old = suites_for(TlsVersion::Tls10);
        assert!(old.contains(&0x0005) && old.contains(&0x000a) && old.contains(&0xc013));
        assert!(!old.contains(&0xc02f) && !old.contains(&0x003c) && !old.contains(&0x1301));
        let new = suites_for(TlsVersion::Tls12);
        assert!(new.contains(&0xc02f) && new.contains(&0x0005) && !new.contains(&0x1301));
        assert!(new.iter().all(|id| !suite(*id).name.contains("PSK")));
        assert!(new.len() > 150, "{}", new.len());
    }

    #[test]
    fn names_are_those_of_the_registry() {
        assert_eq!(suite(0x1305).name, "TLS_AES_128_CCM_8_SHA256");
        assert_eq!(suite(0xc02f).name, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256");
        assert_eq!(group_name(0x11ec), "X25519MLKEM768");
        assert_eq!(exchange_of(0x0018), (Exchange::Dh, false));
        assert_eq!(exchange_of(0xc02f), (Exchange::Ec, true));
        assert_eq!(exchange_of(0x002f), (Exchange::Other, false));
    }
}
