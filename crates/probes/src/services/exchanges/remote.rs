//! Tunnels, proxies and routers: PPTP, SOCKS, the RouterOS interface.

use bartizan_domain::evidence::service::Access;
use bartizan_domain::evidence::{ProbeFailure, ServiceEvidence};

use super::set_system;
use crate::services::evidence;
use crate::services::wire::{Cursor, Dialer, Enough, banner, printable};

// --- PPTP

/// Start-Control-Connection-Request (RFC 2637 section 2.1). No call is made.
pub async fn pptp(dialer: &Dialer<'_>) -> Result<Option<ServiceEvidence>, ProbeFailure> {
    const LENGTH: usize = 156;
    let mut request =
        vec![0, 156, 0, 1, 0x1a, 0x2b, 0x3c, 0x4d, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0];
    request.extend(b"bartizan");
    request.resize(LENGTH, 0);
    let mut channel = dialer.open().await?;
    Ok(pptp_answer(&channel.ask(&request, |answer| Enough::when(answer.len() >= LENGTH)).await?))
}

/// Start-Control-Connection-Reply: names of the host and of the vendor, and the revision of the firmware.
pub fn pptp_answer(answer: &[u8]) -> Option<ServiceEvidence> {
    let mut cursor = Cursor(answer);
    let (156, 1, 0x1a2b_3c4d, 2) = (cursor.be16()?, cursor.be16()?, cursor.be32()?, cursor.be16()?) else {
        return None;
    };
    cursor.be16()?;
    let (_version, result, _error) = (cursor.be16()?, cursor.u8()?, cursor.u8()?);
    if !(1..=5).contains(&result) {
        return None;
    }
    cursor.take(10)?;
    let revision = cursor.be16()?;
    let text = |bytes: &[u8]| printable(bytes.split(|byte| *byte == 0).next().unwrap_or_default(), 64);
    let (host, vendor) = (text(cursor.take(64)?), text(cursor.take(64)?));
    let mut found = evidence("pptp");
    found.banner = banner(format!("{vendor} {host} firmware {revision}").trim().as_bytes());
    if vendor == "MikroTik" {
        set_system(&mut found, "MikroTik RouterOS", None, "mikrotik:routeros");
    }
    Some(found)
}

// --- SOCKS

/// The offer to go without credentials (RFC 1928 section 3) and then a command that does not exist, so that the proxy
/// shows its form of a reply and connects to nobody.
pub async fn socks5(dialer: &Dialer<'_>) -> Result<Option<ServiceEvidence>, ProbeFailure> {
    let mut channel = dialer.open().await?;
    let answer = channel.ask(&[5, 1, 0], |answer| Enough::when(answer.len() >= 2)).await?;
    match *answer.as_slice() {
        [5, 0] => {
            let reply = channel.ask(&[5, 0x7f, 0, 1, 0, 0, 0, 0, 0, 0], |reply| Enough::when(reply.len() >= 4)).await;
            // Two bytes prove nothing where another protocol is usual; a proxy may hang up instead of replying.
            let usual = dialer.address.port() == 1080 && reply.is_ok();
            Ok((usual || reply.is_ok_and(|reply| is_socks5_reply(&reply))).then(|| {
                let mut found = evidence("socks5");
                let proof = "The proxy accepted to serve without credentials (method 0)".to_owned();
                found.access = Access::Open { proof };
                found
            }))
        }
        [5, 0xff] => {
            // Nothing but the proof that a method is missed: ask for the one with a password and go.
            let mut channel = dialer.open().await?;
            let answer = channel.ask(&[5, 1, 2], |answer| Enough::when(answer.len() >= 2)).await.unwrap_or_default();
            let known = answer == [5, 2] || dialer.address.port() == 1080;
            Ok(known.then(|| {
                let mut found = evidence("socks5");
                let proof = "The proxy refused to serve without credentials (method 0xff)".to_owned();
                found.access = Access::AuthRequired { proof };
                found
            }))
        }
        _ => Ok(None),
    }
}

/// A reply: version, a code of failure, zero, and a kind of address.
pub fn is_socks5_reply(reply: &[u8]) -> bool {
    matches!(reply, [5, 1..=8 | 0xff, 0, 1 | 3 | 4, ..])
}

/// A request to connect to nothing, which the proxy rejects (the SOCKS 4 description by Ying-Da Lee).
pub async fn socks4(dialer: &Dialer<'_>) -> Result<Option<ServiceEvidence>, ProbeFailure> {
    let mut channel = dialer.open().await?;
    let answer = channel.ask(&[4, 1, 0, 0, 0, 0, 0, 0, 0], |answer| Enough::when(answer.len() >= 8)).await?;
    Ok(socks4_answer(&answer))
}

/// A reply of eight bytes with one of four codes.
pub fn socks4_answer(answer: &[u8]) -> Option<ServiceEvidence> {
    let [0, code @ 0x5a..=0x5d, ..] = *answer else { return None };
    if answer.len() != 8 {
        return None;
    }
    let mut found = evidence("socks4");
    found.access = Access::Unknown { reason: format!("a connection to nothing was answered with code {code}") };
    Some(found)
}

// --- MikroTik

/// A command that does not exist, which the interface refuses because nobody is logged in (MikroTik, "API").
pub async fn routeros(dialer: &Dialer<'_>) -> Result<Option<ServiceEvidence>, ProbeFailure> {
    let mut channel = dialer.open().await?;
    let answer = channel.ask(b"\x09/bartizan\0", |answer| Enough::when(answer.ends_with(&[0]))).await?;
    Ok(routeros_answer(&answer))
}

/// A sentence that begins with `!fatal` or `!trap`.
pub fn routeros_answer(answer: &[u8]) -> Option<ServiceEvidence> {
    let mut cursor = Cursor(answer);
    let length = usize::from(cursor.u8()?);
    let word = cursor.take(length)?;
    if !matches!(word, b"!fatal" | b"!trap") {
        return None;
    }
    let length = usize::from(cursor.u8()?);
    let message = printable(cursor.take(length)?, 100);
    let mut found = evidence("routeros-api");
    set_system(&mut found, "MikroTik RouterOS", None, "mikrotik:routeros");
    found.access = if message.contains("not logged in") {
        Access::AuthRequired { proof: format!("A command without a login answered: {message}") }
    } else {
        Access::Unknown { reason: format!("a command without a login answered: {message}") }
    };
    found.banner = banner(message.as_bytes());
    Some(found)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn tunnels_proxies_and_routers() {
        let mut reply =
            vec![0, 156, 0, 1, 0x1a, 0x2b, 0x3c, 0x4d, 0, 2, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1];
        reply.extend(b"local");
        reply.resize(92, 0);
        reply.extend(b"linux");
        reply.resize(156, 0);
        assert_eq!(pptp_answer(&reply).unwrap().banner.as_deref(), Some("linux local firmware 1"));
        reply[9] = 1;
        assert!(pptp_answer(&reply).is_none(), "an echo is no server");
        assert!(is_socks5_reply(&[5, 7, 0, 1, 0, 0, 0, 0, 0, 0]));
        assert!(!is_socks5_reply(&[5, 0x7f, 0, 1]), "an echo is no server");
        assert!(socks4_answer(&[0, 0x5b, 0, 0, 0, 0, 0, 0]).is_some());
        assert!(socks4_answer(&[4, 1, 0, 0, 0, 0, 0, 0, 0]).is_none());
        let found = routeros_answer(b"\x06!fatal\x0dnot logged in\0").unwrap();
        assert!(matches!(found.access, Access::AuthRequired { .. }));
        assert!(routeros_answer(b"\x09/bartizan\0").is_none(), "an echo is no router");
    }

    proptest! {
        #[test]
        fn hostile_answers_break_nothing(bytes in proptest::collection::vec(any::<u8>(), 0..200), lead in 0_usize..3) {
            let leads: [&[u8]; 3] = [b"", &[0, 156, 0, 1, 0x1a, 0x2b, 0x3c, 0x4d, 0, 2], b"\x06!fatal"];
            let mut answer = leads[lead].to_vec();
            answer.extend(&bytes);
            let _ = pptp_answer(&answer);
            let _ = is_socks5_reply(&answer);
            let _ = socks4_answer(&answer);
            let _ = routeros_answer(&answer);
        }
    }
}
