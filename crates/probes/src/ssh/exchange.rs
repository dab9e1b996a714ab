//! Key exchanges that stop when the server has shown its host key.
//!
//! The server sends its key before it could know whether the client can finish, so the client's public value only has
//! to be well formed: the base point of the curve, or any number below the prime. Nothing secret is computed.

use bartizan_domain::evidence::ProbeFailure;
use bartizan_domain::evidence::ssh::SshAlgorithms;

use super::transport::{KEXINIT, Reader, Transport, protocol, put_mpint, put_string};

/// The generator of NIST P-256, uncompressed (SEC 2 section 2.4.2).
const P256_BASE: &str = "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296\
                         4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";

/// A number below every prime in use. OpenSSH takes none with fewer than four bits set.
const PUBLIC_VALUE: [u8; 64] = [0x55; 64];

/// How the client's value is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Method {
    X25519,
    P256,
    Group,
    GroupExchange,
}

fn method(name: &str) -> Option<Method> {
    match name {
        "curve25519-sha256" | "curve25519-sha256@libssh.org" => Some(Method::X25519),
        "ecdh-sha2-nistp256" => Some(Method::P256),
        name if name.starts_with("diffie-hellman-group-exchange-") => Some(Method::GroupExchange),
        name if name.starts_with("diffie-hellman-group") => Some(Method::Group),
        _ => None,
    }
}

/// A KEXINIT that names one method and one host key algorithm, and for the rest whatever the server prefers.
pub fn kexinit(kex: &str, host_key: &str, ciphers: [&str; 2], macs: [&str; 2]) -> Vec<u8> {
    let mut out = vec![KEXINIT];
    // The cookie protects neither side here: nothing follows that a replay could harm.
    out.extend_from_slice(b"bartizan-scanner");
    for list in [kex, host_key, ciphers[0], ciphers[1], macs[0], macs[1], "none", "none", "", ""] {
        put_string(&mut out, list.as_bytes());
    }
    out.extend_from_slice(&[0; 5]);
    out
}

/// Runs an exchange up to the server's host key for `algorithm` and returns its blob.
pub async fn host_key_only(
    wire: &mut Transport,
    offer: &SshAlgorithms,
    algorithm: &str,
) -> Result<Vec<u8>, ProbeFailure> {
    let (name, method) = offer
        .kex
        .iter()
        .find_map(|name| Some((name.as_str(), method(name)?)))
        .ok_or_else(|| protocol("the server offers no key exchange that the probe knows"))?;
    let first = |list: &[String]| list.first().cloned().unwrap_or_default();
    let (cipher_in, cipher_out) = (first(&offer.cipher_in), first(&offer.cipher_out));
    let (mac_in, mac_out) = (first(&offer.mac_in), first(&offer.mac_out));
    wire.send(&kexinit(name, algorithm, [&cipher_in, &cipher_out], [&mac_in, &mac_out])).await?;
    let mut init = vec![30];
    let reply = match method {
        Method::X25519 => {
            let mut base = [0; 32];
            base[0] = 9;
            put_string(&mut init, &base);
            31
        }
        Method::P256 => {
            let base = hex::decode(P256_BASE).unwrap_or_default();
            put_string(&mut init, &base);
            31
        }
        Method::Group => {
            put_mpint(&mut init, &PUBLIC_VALUE);
            31
        }
        Method::GroupExchange => {
            let mut request = vec![34];
            for bits in [1024_u32, 2048, 8192] {
                request.extend_from_slice(&bits.to_be_bytes());
            }
            wire.send(&request).await?;
            wire.receive(31).await?;
            init = vec![32];
            put_mpint(&mut init, &PUBLIC_VALUE);
            33
        }
    };
    wire.send(&init).await?;
    let answer = wire.receive(reply).await?;
    let mut reader = Reader(answer.get(1..).unwrap_or_default());
    reader.string().map(<[u8]>::to_vec).ok_or_else(|| protocol("the key exchange carries no host key"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_base_point_is_one_and_every_common_method_is_known() {
        assert_eq!(hex::decode(P256_BASE).unwrap().len(), 65);
        for name in [
            "curve25519-sha256",
            "ecdh-sha2-nistp256",
            "diffie-hellman-group1-sha1",
            "diffie-hellman-group14-sha256",
            "diffie-hellman-group18-sha512",
            "diffie-hellman-group-exchange-sha1",
        ] {
            assert!(method(name).is_some(), "{name}");
        }
        assert_eq!(method("kex-strict-s-v00@openssh.com"), None);
        assert_eq!(method("sntrup761x25519-sha512@openssh.com"), None);
    }
}
