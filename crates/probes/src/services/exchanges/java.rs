//! Java: the registry of remote objects (and JMX in it), the debugger's port, and AJP.

use bartizan_domain::evidence::service::Access;
use bartizan_domain::evidence::{ProbeFailure, ServiceEvidence};

use super::{announced, behind};
use crate::services::wire::{Cursor, Dialer, Enough, banner, printable};
use crate::services::{evidence, signatures};

// --- RMI

/// The stream protocol's handshake (Java RMI specification, chapter 10), and `list` of the registry.
pub async fn rmi(dialer: &Dialer<'_>) -> Result<Option<ServiceEvidence>, ProbeFailure> {
    // Call of the registry (object 0): operation 1, `list`, with the hash of the interface.
    const LIST: [u8; 41] = [
        0x50, 0xac, 0xed, 0, 5, 0x77, 0x22, //
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, //
        0, 0, 0, 1, 0x44, 0x15, 0x4d, 0xc9, 0xd4, 0xe6, 0x3b, 0xdf,
    ];
    let mut channel = dialer.open().await?;
    let complete = announced(|cursor| {
        cursor.u8()?;
        Some(usize::from(cursor.be16()?) + 7)
    });
    let answer = channel.ask(b"JRMI\0\x02K", complete).await?;
    if !is_rmi(&answer) {
        return Ok(None);
    }
    let mut found = evidence("java-rmi");
    // Our own address, which is not used, and the call.
    let mut request = vec![0, 0, 0, 0, 0, 0];
    request.extend(LIST);
    let complete = |answer: &[u8]| Enough::when(rmi_names(answer).is_some());
    let answer = channel.ask(&request, complete).await.unwrap_or_default();
    if let Some(names) = rmi_names(&answer) {
        signatures::set(&mut found, "Java RMI registry", None, None);
        let shown: Vec<_> = names.iter().take(10).map(String::as_str).collect();
        found.banner = banner(shown.join(" ").as_bytes());
        // Every registry lists its names; the objects behind them have rules of their own.
        found.access = Access::Unknown {
            reason: format!("{} names are listed to everybody; whether the objects let in was not tried", names.len()),
        };
    } else {
        found.access = Access::Unknown { reason: "`list` of a registry was not answered".to_owned() };
    }
    Ok(Some(found))
}

/// An acknowledgement with the address that the server sees us under.
pub fn is_rmi(answer: &[u8]) -> bool {
    let mut cursor = Cursor(answer);
    let parts = (|| {
        let kind = cursor.u8()?;
        let length = usize::from(cursor.be16()?);
        let host = cursor.take(length)?;
        let port = cursor.be32()?;
        Some((kind, host, port))
    })();
    let address = |host: &[u8]| host.iter().all(|byte| byte.is_ascii_graphic());
    matches!(parts, Some((0x4e, host, port)) if !host.is_empty() && address(host) && port <= 0xffff && cursor.0.is_empty())
}

/// The names in what `list` returns: an array of texts in Java's serialisation.
pub fn rmi_names(answer: &[u8]) -> Option<Vec<String>> {
    // Return data, a stream, a block of data of fifteen bytes, a normal return.
    if !answer.starts_with(&[0x51, 0xac, 0xed, 0, 5, 0x77, 15, 1]) {
        return None;
    }
    let mut cursor = Cursor(behind(answer, b"[Ljava.lang.String;")?);
    // Serial number, flags, no fields; what annotates the class is nothing, or the place it is loaded from.
    cursor.take(8 + 1 + 2)?;
    for _ in 0..4 {
        match cursor.u8()? {
            0x70 => {}
            0x74 => {
                let length = usize::from(cursor.be16()?);
                cursor.take(length)?;
            }
            0x78 => break,
            _ => return None,
        }
    }
    // No parent.
    if cursor.u8()? != 0x70 {
        return None;
    }
    let count = usize::try_from(cursor.be32()?).ok()?;
    let mut names = Vec::new();
    for _ in 0..count.min(100) {
        if cursor.u8()? != 0x74 {
            return None;
        }
        let length = usize::from(cursor.be16()?);
        names.push(printable(cursor.take(length)?, 60));
    }
    Some(names)
}

// --- The debugger's port

/// The handshake, which the server repeats, and the command `Version`. Whoever is answered may run any code.
pub async fn jdwp(dialer: &Dialer<'_>) -> Result<Option<ServiceEvidence>, ProbeFailure> {
    const HANDSHAKE: &[u8] = b"JDWP-Handshake";
    let mut channel = dialer.open().await?;
    let answer = channel.ask(HANDSHAKE, |answer| Enough::when(answer.len() >= HANDSHAKE.len())).await?;
    // An event may follow at once.
    let Some(events) = answer.strip_prefix(HANDSHAKE) else { return Ok(None) };
    // Length, our number, no flags, command 1 of set 1.
    let command = [0, 0, 0, 11, 0x62, 0x72, 0x74, 0x69, 0, 1, 1];
    let whole = |answer: &[u8]| [events, answer].concat();
    let complete = |answer: &[u8]| Enough::when(jdwp_version(&whole(answer)).is_some());
    let answer = channel.ask(&command, complete).await.unwrap_or_default();
    Ok(jdwp_version(&whole(&answer)))
}

/// The reply to `Version`, before which a machine may tell of events: a description, two numbers of the protocol, version
/// and name of the machine.
pub fn jdwp_version(answer: &[u8]) -> Option<ServiceEvidence> {
    fn text(cursor: &mut Cursor<'_>) -> Option<String> {
        let length = usize::try_from(cursor.be32()?).ok()?;
        Some(printable(cursor.take(length)?, 120))
    }
    let mut packets = Cursor(answer);
    let mut reply = loop {
        let length = usize::try_from(packets.be32()?).ok()?.checked_sub(4)?;
        let mut packet = Cursor(packets.take(length)?);
        // A reply with our number and without an error; a command of the machine's has other flags.
        let (number, flags, error) = (packet.take(4)?, packet.u8()?, packet.be16()?);
        if flags == 0x80 {
            if number != [0x62, 0x72, 0x74, 0x69] || error != 0 {
                return None;
            }
            break packet;
        }
        if number == [0x62, 0x72, 0x74, 0x69] {
            return None;
        }
    };
    text(&mut reply)?;
    let (_, _) = (reply.be32()?, reply.be32()?);
    let (version, name) = (text(&mut reply)?, text(&mut reply)?);
    let cpe = if name.starts_with("OpenJDK") { Some("oracle:openjdk") } else { None };
    let mut found = evidence("jdwp");
    signatures::set(&mut found, &name, Some(&version), cpe);
    found.banner = banner(format!("{name} {version}").as_bytes());
    found.access =
        Access::Open { proof: format!("The debugger's port answered `Version` without credentials: {version}") };
    Some(found)
}

// --- AJP

/// CPING, which is answered by CPONG (the protocol's reference, "CPing and CPong").
pub async fn ajp(dialer: &Dialer<'_>) -> Result<Option<ServiceEvidence>, ProbeFailure> {
    let mut channel = dialer.open().await?;
    let answer = channel.ask(&[0x12, 0x34, 0, 1, 10], |answer| Enough::when(answer.len() >= 5)).await?;
    Ok(ajp_answer(&answer))
}

/// CPONG.
pub fn ajp_answer(answer: &[u8]) -> Option<ServiceEvidence> {
    (answer == [b'A', b'B', 0, 1, 9]).then(|| {
        let mut found = evidence("ajp");
        found.access = Access::Unknown { reason: "no request was forwarded".to_owned() };
        found
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn answers_of_java() {
        assert!(is_rmi(b"\x4e\0\x09127.0.0.1\0\0\xd4\x31"));
        assert!(!is_rmi(b"JRMI\0\x02K"), "an echo is no server");
        let mut list = vec![0x51, 0xac, 0xed, 0, 5, 0x77, 15, 1];
        list.extend([7; 14]);
        list.extend(b"\x75\x72\0\x13[Ljava.lang.String;\xad\xd2\x56\xe7\xe9\x1d\x7b\x47\x02\0\0\x70\x78\x70\0\0\0\x01\x74\0\x06jmxrmi");
        assert_eq!(rmi_names(&list).unwrap(), ["jmxrmi"]);
        let mut version = b"brti\x80\0\0\0\0\0\x01d\0\0\0\x0b\0\0\0\0\0\0\0\x0617.0.8\0\0\0\x07OpenJDK".to_vec();
        let mut answer = u32::try_from(version.len() + 4).unwrap().to_be_bytes().to_vec();
        answer.append(&mut version);
        let found = jdwp_version(&answer).unwrap();
        assert_eq!((found.product.as_deref(), found.version.as_deref()), (Some("OpenJDK"), Some("17.0.8")));
        let event = [0, 0, 0, 12, 0, 0, 0, 0, 0, 64, 100, 2];
        assert!(jdwp_version(&[&event[..], &answer].concat()).is_some());
        assert!(jdwp_version(&[0, 0, 0, 11, 0x62, 0x72, 0x74, 0x69, 0, 1, 1]).is_none(), "an echo is no server");
        assert!(ajp_answer(&[0x12, 0x34, 0, 1, 10]).is_none());
    }

    proptest! {
        #[test]
        fn hostile_answers_break_nothing(bytes in proptest::collection::vec(any::<u8>(), 0..200), lead in 0_usize..4) {
            let leads: [&[u8]; 4] = [
                b"", &[0x4e, 0, 9], b"\x51\xac\xed\0\x05\x77\x0f\x01[Ljava.lang.String;", b"\0\0\0\x40brti\x80\0\0",
            ];
            let mut answer = leads[lead].to_vec();
            answer.extend(&bytes);
            let _ = is_rmi(&answer);
            let _ = rmi_names(&answer);
            let _ = jdwp_version(&answer);
            let _ = ajp_answer(&answer);
        }
    }
}
