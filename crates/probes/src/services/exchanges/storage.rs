//! Disks, files and printers over connections: iSCSI, the RPC port mapper, NFS, LPD.

use std::collections::BTreeSet;

use bartizan_domain::evidence::service::Access;
use bartizan_domain::evidence::{ProbeFailure, ServiceEvidence};

use super::announced;
use crate::services::udp::{self, datagram};
use crate::services::wire::{Cursor, Dialer, Enough, banner, printable};
use crate::services::{evidence, signatures};

// --- iSCSI

/// A login for discovery (RFC 7143 section 4.3) and the list of targets, of which only the number is kept.
pub async fn iscsi(dialer: &Dialer<'_>) -> Result<Option<ServiceEvidence>, ProbeFailure> {
    let complete = announced(|cursor| {
        cursor.take(4)?;
        let (extra, high) = (usize::from(cursor.u8()?), usize::from(cursor.u8()?));
        let data = high << 16 | usize::from(cursor.be16()?);
        data.checked_next_multiple_of(4)?.checked_add(48 + extra * 4)
    });
    let mut channel = dialer.open().await?;
    // Straight from operational negotiation to the full feature phase.
    let login = iscsi_request(
        [0x43, 0x87],
        [0x80, 0, 0, 0x62, 0x72, 0x74, 0, 0],
        b"InitiatorName=iqn.2026-01.invalid.bartizan:scanner\0SessionType=Discovery\0AuthMethod=None\0",
    );
    let answer = channel.ask(&login, &complete).await?;
    let Some(status) = iscsi_login(&answer) else { return Ok(None) };
    let mut found = evidence("iscsi");
    found.access = match status {
        (0, _) => {
            let list = iscsi_request([4, 0x80], [0; 8], b"SendTargets=All\0");
            let answer = channel.ask(&list, &complete).await.unwrap_or_default();
            let count =
                iscsi_targets(&answer).map_or_else(|| "an unknown number of".to_owned(), |count| count.to_string());
            // Logout: close the session.
            let _ = channel.send(&iscsi_request([0x46, 0x80], [0; 8], &[])).await;
            Access::Unknown {
                reason: format!("{count} targets are listed without credentials; whether they let in was not tried"),
            }
        }
        (2, 1 | 2) => Access::AuthRequired { proof: "Discovery without credentials was refused".to_owned() },
        (class, detail) => Access::Unknown { reason: format!("discovery was refused with status {class}, {detail}") },
    };
    Ok(Some(found))
}

fn iscsi_request(head: [u8; 2], session: [u8; 8], keys: &[u8]) -> Vec<u8> {
    let mut request = head.to_vec();
    request.extend([0, 0, 0, 0]);
    request.extend(u16::try_from(keys.len()).unwrap_or_default().to_be_bytes());
    request.extend(session);
    request.extend(*b"brti");
    // A text request names no transfer of the target's.
    request.extend(if head[0] == 4 { [0xff; 4] } else { [0, 1, 0, 0] });
    request.extend([0, 0, 0, 1, 0, 0, 0, 1]);
    request.resize(48, 0);
    request.extend_from_slice(keys);
    request.resize(request.len().next_multiple_of(4), 0);
    request
}

/// Class and detail of the status in a login response with our number.
pub fn iscsi_login(answer: &[u8]) -> Option<(u8, u8)> {
    let head = answer.get(..48)?;
    (head.first() == Some(&0x23) && head.get(16..20) == Some(b"brti")).then_some((*head.get(36)?, *head.get(37)?))
}

/// How many targets a text response lists.
pub fn iscsi_targets(answer: &[u8]) -> Option<usize> {
    let head = answer.get(..48)?;
    if head.first() != Some(&0x24) || head.get(16..20) != Some(b"brti") {
        return None;
    }
    Some(answer.get(48..)?.split(|byte| *byte == 0).filter(|key| key.starts_with(b"TargetName=")).count())
}

// --- ONC RPC

/// A message as one record (RFC 5531 section 11).
fn record(message: &[u8]) -> Vec<u8> {
    let mut out = (u32::try_from(message.len()).unwrap_or_default() | 0x8000_0000).to_be_bytes().to_vec();
    out.extend_from_slice(message);
    out
}

fn record_length(cursor: &mut Cursor<'_>) -> Option<usize> {
    usize::try_from(cursor.be32()? & 0x7fff_ffff).ok()?.checked_add(4)
}

fn unwrapped(answer: &[u8]) -> Option<&[u8]> {
    let mut cursor = Cursor(answer);
    let length = cursor.be32()?;
    cursor.take(usize::try_from(length & 0x7fff_ffff).ok()?)
}

/// The list of what is registered (RFC 1833 section 3, `PMAPPROC_DUMP`).
pub async fn rpcbind(dialer: &Dialer<'_>) -> Result<Option<ServiceEvidence>, ProbeFailure> {
    let mut call = b"brti".to_vec();
    for number in [0_u32, 2, 100_000, 2, 4, 0, 0, 0, 0] {
        call.extend(number.to_be_bytes());
    }
    let mut channel = dialer.open().await?;
    Ok(rpcbind_answer(&channel.ask(&record(&call), announced(record_length)).await?))
}

/// Programs by number, with the names of the usual ones.
pub fn rpcbind_answer(answer: &[u8]) -> Option<ServiceEvidence> {
    let mut cursor = Cursor(unwrapped(answer)?);
    // Our number, a reply, accepted, no verifier, success.
    if cursor.take(4)? != b"brti" || cursor.be32()? != 1 || cursor.be32()? != 0 {
        return None;
    }
    cursor.be32()?;
    let verifier = usize::try_from(cursor.be32()?).ok()?;
    cursor.take(verifier.checked_next_multiple_of(4)?)?;
    let mut found = evidence("rpcbind");
    if cursor.be32()? != 0 {
        return Some(found);
    }
    let mut programs = BTreeSet::new();
    for _ in 0..500 {
        let (Some(1), Some(program)) = (cursor.be32(), cursor.be32()) else { break };
        let (Some(_version), Some(_protocol), Some(_port)) = (cursor.be32(), cursor.be32(), cursor.be32()) else {
            break;
        };
        programs.insert(program);
    }
    let names: Vec<String> = programs
        .into_iter()
        .take(20)
        .map(|program| match program {
            100_000 => "portmapper".to_owned(),
            100_003 => "nfs".to_owned(),
            100_004 => "ypserv".to_owned(),
            100_005 => "mountd".to_owned(),
            100_021 => "nlockmgr".to_owned(),
            100_024 => "status".to_owned(),
            100_227 => "nfs_acl".to_owned(),
            other => other.to_string(),
        })
        .collect();
    found.banner = banner(names.join(" ").as_bytes());
    Some(found)
}

/// The null procedure, which is put over UDP as well.
pub async fn nfs(dialer: &Dialer<'_>) -> Result<Option<ServiceEvidence>, ProbeFailure> {
    let Some((request, read)) = datagram("nfs") else { return Ok(None) };
    let mut channel = dialer.open().await?;
    let answer = channel.ask(&record(request), announced(record_length)).await?;
    Ok(nfs_answer(request, &answer, read))
}

/// A program that is not there is another server of RPC.
fn nfs_answer(request: &[u8], answer: &[u8], read: udp::Reader) -> Option<ServiceEvidence> {
    let message = unwrapped(answer)?;
    let outcome = message.get(20..24)?;
    (outcome != [0, 0, 0, 1]).then(|| read(request, message)).flatten()
}

// --- Printers

/// The state of a queue in short form (RFC 1179 section 5.3). Nothing is printed.
pub async fn lpd(dialer: &Dialer<'_>) -> Result<Option<ServiceEvidence>, ProbeFailure> {
    let mut channel = dialer.open().await?;
    // The server ends the connection behind its answer.
    Ok(lpd_answer(&channel.ask(b"\x03lp\n", |_| Enough::NotYet).await?))
}

/// What servers say about a queue is in their own words.
pub fn lpd_answer(answer: &[u8]) -> Option<ServiceEvidence> {
    let text = printable(answer, 200);
    let lower = text.to_ascii_lowercase();
    let words =
        ["no entries", "printer:", "printer queue", "is ready", "unknown printer", "spool queue", "print queue"];
    if !words.iter().any(|word| lower.contains(word)) {
        return None;
    }
    let mut found = evidence("lpd");
    // LPRng begins with the name of the queue and the host, and names itself where a queue is not there.
    if lower.contains("lprng") {
        signatures::set(&mut found, "LPRng", None, None);
    }
    found.banner = banner(text.as_bytes());
    Some(found)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn disks_and_files() {
        let mut response = iscsi_request([0x23, 0x87], [0; 8], b"");
        assert_eq!(iscsi_login(&response), Some((0, 0)));
        response[0] = 0x43;
        assert_eq!(iscsi_login(&response), None, "an echo is no target");
        let list = iscsi_request([0x24, 0x80], [0; 8], b"TargetName=iqn.x\0TargetAddress=127.0.0.1:3260,1\0");
        assert_eq!(iscsi_targets(&list), Some(1));
        let mut reply = b"brti".to_vec();
        for number in [1_u32, 0, 0, 0, 0, 1, 100_000, 2, 6, 111, 1, 100_003, 3, 6, 2049, 0] {
            reply.extend(number.to_be_bytes());
        }
        assert_eq!(rpcbind_answer(&record(&reply)).unwrap().banner.as_deref(), Some("portmapper nfs"));
        let (request, read) = datagram("nfs").unwrap();
        assert!(nfs_answer(request, &record(request), read).is_none(), "an echo is no server");
        assert!(lpd_answer(b"Printer: lp@lab 'x'\n Queue: no printable jobs in queue\n").is_some());
        assert!(lpd_answer(b"\x03lp\n").is_none(), "an echo is no server");
    }

    proptest! {
        #[test]
        fn hostile_answers_break_nothing(bytes in proptest::collection::vec(any::<u8>(), 0..300), lead in 0_usize..4) {
            let leads: [&[u8]; 4] = [b"", &[0x23], b"\x80\0\0\x80brti\0\0\0\x01\0\0\0\0", &[0x24, 0x80]];
            let mut answer = leads[lead].to_vec();
            answer.extend(&bytes);
            let _ = iscsi_login(&answer);
            let _ = iscsi_targets(&answer);
            let _ = rpcbind_answer(&answer);
            let _ = lpd_answer(&answer);
            let (request, read) = datagram("nfs").unwrap();
            let _ = nfs_answer(request, &answer, read);
        }
    }
}
