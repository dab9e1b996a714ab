//! Windows and what speaks like it: the RPC endpoint mapper, SMB behind a NetBIOS session, Kerberos over TCP.

use bartizan_domain::evidence::service::{Access, ServiceDetails};
use bartizan_domain::evidence::{ProbeFailure, ServiceEvidence};

use super::{announced, length32, with_length32};
use crate::services::udp::{self, datagram};
use crate::services::wire::{Cursor, Dialer, Enough, printable};
use crate::services::{binary, evidence, signatures};

// --- RPC

/// A bind to the endpoint mapper (DCE 1.1: RPC, section 12.6.4.3), which names the interface and calls nothing.
pub async fn msrpc(dialer: &Dialer<'_>) -> Result<Option<ServiceEvidence>, ProbeFailure> {
    const BIND: [u8; 72] = [
        5, 0, 11, 3, 0x10, 0, 0, 0, 72, 0, 0, 0, 0x62, 0x72, 0x74, 0x69, 0xd0, 0x16, 0xd0, 0x16, 0, 0, 0, 0, 1, 0, 0,
        0, 0, 0, 1, 0, //
        0x08, 0x83, 0xaf, 0xe1, 0x1f, 0x5d, 0xc9, 0x11, 0x91, 0xa4, 0x08, 0x00, 0x2b, 0x14, 0xa0, 0xfa, 3, 0, 0,
        0, //
        0x04, 0x5d, 0x88, 0x8a, 0xeb, 0x1c, 0xc9, 0x11, 0x9f, 0xe8, 0x08, 0x00, 0x2b, 0x10, 0x48, 0x60, 2, 0, 0, 0,
    ];
    let mut channel = dialer.open().await?;
    let complete = announced(|cursor| {
        cursor.take(8)?;
        cursor.le16().map(usize::from)
    });
    Ok(msrpc_answer(&channel.ask(&BIND, complete).await?))
}

/// An acknowledgement or a refusal of the bind, with our number.
pub fn msrpc_answer(answer: &[u8]) -> Option<ServiceEvidence> {
    let mut cursor = Cursor(answer);
    let (5, 0 | 1, kind @ (12 | 13), _) = (cursor.u8()?, cursor.u8()?, cursor.u8()?, cursor.u8()?) else { return None };
    let order = cursor.take(4)?;
    let length = cursor.le16()?;
    cursor.be16()?;
    if order.first()? != &0x10 || usize::from(length) != answer.len() || cursor.take(4)? != b"brti" {
        return None;
    }
    let mut found = evidence("msrpc");
    if kind == 12 {
        // Sizes and group, then the secondary address: a port as text.
        cursor.take(8)?;
        let length = usize::from(cursor.le16()?);
        let port = printable(cursor.take(length)?, 20);
        found.banner = Some(format!("endpoint mapper, address {}", port.trim_matches('\0')));
    }
    found.access = Access::Unknown { reason: "nothing was called".to_owned() };
    Some(found)
}

// --- NetBIOS

/// The session for the name that every server answers to, then one SMB negotiation in it.
pub async fn netbios_session(dialer: &Dialer<'_>) -> Result<Option<ServiceEvidence>, ProbeFailure> {
    let mut request = vec![0x81, 0, 0, 68];
    for name in [b"*SMBSERVER      ", b"BARTIZAN        "] {
        // Each byte as two letters (RFC 1001 section 14.1).
        request.push(32);
        request.extend(name.iter().flat_map(|byte| [b'A' + (byte >> 4), b'A' + (byte & 15)]));
        request.push(0);
    }
    let mut channel = dialer.open().await?;
    let complete = |answer: &[u8]| Enough::when(answer.len() >= 4);
    let answer = channel.ask(&request, complete).await?;
    match netbios_answer(&answer) {
        None => Ok(None),
        Some(Err(code)) => {
            let mut found = evidence("netbios-ssn");
            found.banner = Some(format!("the session was refused (code 0x{code:02x})"));
            found.access = Access::Unknown { reason: "no session was granted".to_owned() };
            Ok(Some(found))
        }
        Some(Ok(())) => {
            let negotiation = binary::smb2_negotiate();
            let answer = channel.ask(&negotiation, binary::smb_complete).await.unwrap_or_default();
            Ok(Some(smb_in_session(&answer)))
        }
    }
}

/// Whether a session was granted (RFC 1002 section 4.3), or the code of the refusal.
pub fn netbios_answer(answer: &[u8]) -> Option<Result<(), u8>> {
    match *answer {
        [0x82, 0, 0, 0] => Some(Ok(())),
        [0x83, 0, 0, 1, code @ (0x80..=0x8f)] => Some(Err(code)),
        _ => None,
    }
}

fn smb_in_session(answer: &[u8]) -> ServiceEvidence {
    let Some((dialect, signing)) = binary::smb2_answer(answer) else {
        let mut found = evidence("netbios-ssn");
        found.access = Access::Unknown { reason: "no session was set up".to_owned() };
        return found;
    };
    let mut found = evidence("smb");
    found.details = ServiceDetails::Smb { dialect: Some(dialect), smb1: None, signing_required: Some(signing) };
    if binary::smb2_is_samba(answer) {
        signatures::set(&mut found, "Samba", None, Some("samba:samba"));
    }
    found.access = Access::Unknown { reason: "no session was set up".to_owned() };
    found
}

// --- Kerberos

/// The request that is put over UDP as well, behind its length (RFC 4120 section 7.2.2).
pub async fn kerberos(dialer: &Dialer<'_>) -> Result<Option<ServiceEvidence>, ProbeFailure> {
    let Some((request, read)) = datagram("kerberos") else { return Ok(None) };
    let mut channel = dialer.open().await?;
    let answer = channel.ask(&with_length32(request), announced(length32)).await?;
    Ok(kerberos_answer(request, &answer, read))
}

fn kerberos_answer(request: &[u8], answer: &[u8], read: udp::Reader) -> Option<ServiceEvidence> {
    let mut cursor = Cursor(answer);
    let length = usize::try_from(cursor.be32()?).ok()?;
    read(request, cursor.take(length)?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn answers_of_windows() {
        let mut ack = vec![5, 0, 12, 3, 0x10, 0, 0, 0, 30, 0, 0, 0];
        ack.extend(b"brti");
        ack.extend([0xd0, 0x16, 0xd0, 0x16, 1, 0, 0, 0, 4, 0]);
        ack.extend(b"135\0");
        assert_eq!(msrpc_answer(&ack).unwrap().banner.as_deref(), Some("endpoint mapper, address 135"));
        ack[2] = 11;
        assert!(msrpc_answer(&ack).is_none(), "an echo is no server");
        assert_eq!(netbios_answer(&[0x82, 0, 0, 0]), Some(Ok(())));
        assert_eq!(netbios_answer(&[0x83, 0, 0, 1, 0x82]), Some(Err(0x82)));
        assert_eq!(netbios_answer(&[0x81, 0, 0, 68]), None);
        let (request, read) = datagram("kerberos").unwrap();
        assert!(kerberos_answer(request, &with_length32(request), read).is_none(), "an echo is no server");
    }

    proptest! {
        #[test]
        fn hostile_answers_break_nothing(bytes in proptest::collection::vec(any::<u8>(), 0..200), lead in 0_usize..4) {
            let leads: [&[u8]; 4] = [b"", &[5, 0, 12, 3, 0x10, 0, 0, 0, 60, 0, 0, 0], &[0, 0, 0, 60, 0x7e], b"\0\0\0\x80\xfeSMB"];
            let mut answer = leads[lead].to_vec();
            answer.extend(&bytes);
            let _ = msrpc_answer(&answer);
            let _ = netbios_answer(&answer);
            let _ = smb_in_session(&answer);
            let (request, read) = datagram("kerberos").unwrap();
            let _ = kerberos_answer(request, &answer, read);
        }
    }
}
