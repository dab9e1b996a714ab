//! SSH: what a server offers before anybody logs in.
//!
//! The first connection reads the identification and the server's own key-exchange lists and, where the algorithms
//! allow it, goes on to ask which login methods an unknown user would have (`none`, RFC 4252 section 5.2). Further
//! connections, one after the other, ask for one host key each. No key is trusted and no credentials are sent, so the
//! server's signature is not verified: the size and fingerprint of a key are facts either way.

use std::net::SocketAddr;
use std::time::Duration;

use bartizan_domain::Transport;
use bartizan_domain::evidence::ssh::{SshAlgorithms, SshHostKey};
use bartizan_domain::evidence::{Endpoint, FailureKind, Observation, ProbeFailure, SshEvidence};
use base64::Engine as _;
use sha2::{Digest, Sha256};

use crate::ProbeContext;
use transport::{Transport as Wire, protocol};

mod exchange;
mod login;
mod transport;

/// Host key types asked for, and the signature algorithms that stand for each, best first.
const KEY_TYPES: [(&str, &[&str]); 6] = [
    ("ssh-ed25519", &["ssh-ed25519"]),
    ("ssh-rsa", &["rsa-sha2-512", "rsa-sha2-256", "ssh-rsa"]),
    ("ecdsa-sha2-nistp256", &["ecdsa-sha2-nistp256"]),
    ("ecdsa-sha2-nistp384", &["ecdsa-sha2-nistp384"]),
    ("ecdsa-sha2-nistp521", &["ecdsa-sha2-nistp521"]),
    ("ssh-dss", &["ssh-dss"]),
];

/// Bound of the whole probe.
const WHOLE: Duration = Duration::from_secs(40);

/// Gathers the offer of the SSH server at `endpoint`.
pub async fn gather(cx: &ProbeContext, endpoint: &Endpoint) -> Observation<SshEvidence> {
    if endpoint.transport != Transport::Tcp {
        return Observation::not_attempted("SSH runs over TCP");
    }
    let address = SocketAddr::new(endpoint.address, endpoint.port);
    cx.within((cx.timeout * 4).min(WHOLE), "asking the SSH server", Box::pin(ask(cx, address))).await.into()
}

async fn ask(cx: &ProbeContext, address: SocketAddr) -> Result<SshEvidence, ProbeFailure> {
    let mut wire = open(cx, address).await?;
    let mut found = SshEvidence {
        banner: wire.server_version().to_owned(),
        ..identification(wire.server_version()).unwrap_or_default()
    };
    if !matches!(found.protocol.as_str(), "2.0" | "1.99") {
        let reason = format!("the server speaks version {} only", found.protocol);
        found.algorithms = Observation::NotApplicable { reason: reason.clone() };
        found.host_keys = Observation::NotApplicable { reason: reason.clone() };
        found.auth_methods = Observation::NotApplicable { reason };
        return Ok(found);
    }
    let offer = match cx.within(cx.timeout, "reading the key exchange", wire.read_kexinit()).await {
        Ok(offer) => offer,
        Err(failure) => {
            found.algorithms = Observation::Failed(failure);
            return Ok(found);
        }
    };
    let mut keys = Vec::new();
    let mut trouble = None;
    match login::plan(&offer) {
        Some(plan) => {
            let asked = cx.within(cx.timeout, "asking for login methods", login::methods(&mut wire, &plan)).await;
            match asked {
                Ok((methods, key)) => {
                    found.auth_methods = Observation::Observed(methods);
                    keys.extend(host_key(&key));
                }
                Err(failure) => found.auth_methods = Observation::Failed(failure),
            }
        }
        None => {
            found.auth_methods = Observation::not_attempted(
                "the server offers none of the algorithms with which login methods can be asked for",
            );
        }
    }
    drop(wire);
    for (key_type, names) in KEY_TYPES {
        let Some(name) = names.iter().find(|name| offer.host_key.iter().any(|offered| offered == *name)) else {
            continue;
        };
        if keys.iter().any(|key: &SshHostKey| key.algorithm == key_type) {
            continue;
        }
        match cx.within(cx.timeout, "asking for a host key", Box::pin(one_key(cx, address, name))).await {
            Ok(blob) => match host_key(&blob) {
                Some(key) => keys.push(key),
                None => trouble = Some(protocol("the host key cannot be read")),
            },
            Err(failure) => trouble = Some(failure),
        }
    }
    keys.sort_by(|one, other| one.algorithm.cmp(&other.algorithm));
    // A list that may lack the weak one must not look complete.
    found.host_keys = trouble.map_or(Observation::Observed(keys), Observation::Failed);
    found.algorithms = Observation::Observed(offer);
    Ok(found)
}

async fn open(cx: &ProbeContext, address: SocketAddr) -> Result<Wire, ProbeFailure> {
    let connection = cx.outbound.connect(address).await?;
    cx.within(cx.timeout, "reading the SSH identification", Wire::identify(connection)).await
}

async fn one_key(cx: &ProbeContext, address: SocketAddr, algorithm: &str) -> Result<Vec<u8>, ProbeFailure> {
    let mut wire = open(cx, address).await?;
    let offer = wire.read_kexinit().await?;
    exchange::host_key_only(&mut wire, &offer, algorithm).await
}

/// Splits an identification line (RFC 4253 section 4.2).
pub(crate) fn identification(line: &str) -> Option<SshEvidence> {
    let rest = line.strip_prefix("SSH-")?;
    let (protocol, rest) = rest.split_once('-')?;
    let (software, comment) = match rest.split_once(' ') {
        Some((software, comment)) => (software, Some(comment.trim().to_owned())),
        None => (rest, None),
    };
    Some(SshEvidence {
        banner: line.to_owned(),
        protocol: protocol.to_owned(),
        software: software.to_owned(),
        comment: comment.filter(|text| !text.is_empty()),
        ..SshEvidence::default()
    })
}

/// Type, size and fingerprint of a host key blob (RFC 4253 section 6.6, RFC 5656, RFC 8709).
pub(crate) fn host_key(blob: &[u8]) -> Option<SshHostKey> {
    let mut reader = transport::Reader(blob);
    let name = std::str::from_utf8(reader.string()?).ok()?.to_owned();
    let bits = match name.as_str() {
        "ssh-rsa" => {
            let _exponent = reader.string()?;
            Some(mpint_bits(reader.string()?))
        }
        "ssh-dss" => Some(mpint_bits(reader.string()?)),
        "ssh-ed25519" | "ecdsa-sha2-nistp256" => Some(256),
        "ecdsa-sha2-nistp384" => Some(384),
        "ecdsa-sha2-nistp521" => Some(521),
        _ => None,
    };
    let digest = base64::engine::general_purpose::STANDARD_NO_PAD.encode(Sha256::digest(blob));
    Some(SshHostKey { algorithm: name, bits, fingerprint: format!("SHA256:{digest}") })
}

fn mpint_bits(bytes: &[u8]) -> u32 {
    let significant =
        bytes.iter().position(|byte| *byte != 0).map_or(&[][..], |at| bytes.get(at..).unwrap_or_default());
    let Some(first) = significant.first() else { return 0 };
    u32::try_from(significant.len() * 8).unwrap_or(u32::MAX) - first.leading_zeros()
}

/// The lists of a `SSH_MSG_KEXINIT` payload.
pub(crate) fn parse_kexinit(payload: &[u8]) -> Option<SshAlgorithms> {
    let mut reader = transport::Reader(payload.strip_prefix(&[transport::KEXINIT])?);
    reader.take(16)?;
    let mut list = || reader.name_list();
    let (kex, host_key) = (list()?, list()?);
    let (cipher_in, cipher_out, mac_in, mac_out) = (list()?, list()?, list()?, list()?);
    let (compression_in, compression_out) = (list()?, list()?);
    Some(SshAlgorithms { kex, host_key, cipher_in, cipher_out, mac_in, mac_out, compression_in, compression_out })
}

/// A failure of the kind "not the protocol".
fn cut_short(doing: &str) -> ProbeFailure {
    ProbeFailure::new(FailureKind::Reset, format!("{doing}: the server ended the connection"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn identification_lines() {
        let found = identification("SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u7").unwrap();
        assert_eq!((found.protocol.as_str(), found.software.as_str()), ("2.0", "OpenSSH_9.2p1"));
        assert_eq!(found.comment.as_deref(), Some("Debian-2+deb12u7"));
        assert_eq!(identification("SSH-1.99-Cisco-1.25").unwrap().protocol, "1.99");
        assert!(identification("HTTP/1.1 200 OK").is_none());
    }

    #[test]
    fn key_sizes_count_significant_bits() {
        assert_eq!(mpint_bits(&[0, 0x80, 0]), 16);
        assert_eq!(mpint_bits(&[0x7f, 0xff]), 15);
        assert_eq!(mpint_bits(&[]), 0);
        let mut blob = vec![0, 0, 0, 7];
        blob.extend(b"ssh-rsa");
        blob.extend([0, 0, 0, 3, 1, 0, 1, 0, 0, 0, 129, 0]);
        blob.extend([0xff; 128]);
        assert_eq!(host_key(&blob).unwrap().bits, Some(1024));
    }

    proptest! {
        #[test]
        fn hostile_bytes_break_nothing(bytes in proptest::collection::vec(any::<u8>(), 0..400), text in "\\PC{0,200}") {
            let _ = host_key(&bytes);
            let _ = parse_kexinit(&bytes);
            let mut kexinit = vec![transport::KEXINIT];
            kexinit.extend([0; 16]);
            kexinit.extend(&bytes);
            let _ = parse_kexinit(&kexinit);
            let _ = identification(&text);
            let _ = identification(&format!("SSH-{text}"));
        }
    }
}
