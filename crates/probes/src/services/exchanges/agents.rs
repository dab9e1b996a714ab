//! Agents of monitoring systems: Zabbix, NRPE, Checkmk.

use bartizan_domain::evidence::service::Access;
use bartizan_domain::evidence::{ProbeFailure, ServiceEvidence};

use super::{announced, behind};
use crate::services::wire::{Cursor, Dialer, Enough, printable};
use crate::services::{evidence, signatures};

// --- Zabbix

const ZABBIX_HEADER: &[u8] = b"ZBXD\x01";

/// The item `agent.version` (Zabbix manual, "Passive agent checks"). An agent that does not know our address hangs up.
pub async fn zabbix(dialer: &Dialer<'_>) -> Result<Option<ServiceEvidence>, ProbeFailure> {
    const ITEM: &[u8] = b"agent.version";
    let mut request = ZABBIX_HEADER.to_vec();
    request.extend(u32::try_from(ITEM.len()).unwrap_or_default().to_le_bytes());
    request.extend([0; 4]);
    request.extend(ITEM);
    let mut channel = dialer.open().await?;
    let complete = announced(|cursor| {
        cursor.take(5)?;
        usize::try_from(cursor.le32()?).ok()?.checked_add(13)
    });
    Ok(zabbix_answer(&channel.ask(&request, complete).await?))
}

/// The version behind the header, or word that the item is not supported.
pub fn zabbix_answer(answer: &[u8]) -> Option<ServiceEvidence> {
    let mut cursor = Cursor(answer.strip_prefix(ZABBIX_HEADER)?);
    let length = usize::try_from(cursor.le32()?).ok()?;
    cursor.take(4)?;
    let text = printable(cursor.take(length)?, 80);
    let is_version = text.starts_with(|c: char| c.is_ascii_digit());
    if !is_version && !text.starts_with("ZBX_") {
        return None;
    }
    let mut found = evidence("zabbix-agent");
    signatures::set(&mut found, "Zabbix agent", is_version.then_some(text.as_str()), Some("zabbix:zabbix"));
    found.access = if is_version {
        Access::Open { proof: format!("agent.version answered: {text}") }
    } else {
        Access::Unknown { reason: format!("agent.version answered: {text}") }
    };
    Some(found)
}

// --- NRPE

const NRPE_PACKET: usize = 1036;

/// The command that asks for the version (NRPE protocol, version 2 packets).
pub async fn nrpe(dialer: &Dialer<'_>) -> Result<Option<ServiceEvidence>, ProbeFailure> {
    let mut packet = vec![0, 2, 0, 1, 0, 0, 0, 0, 0, 0];
    packet.extend(b"_NRPE_CHECK");
    packet.resize(NRPE_PACKET, 0);
    let checksum = crc32(&packet).to_be_bytes();
    if let Some(slot) = packet.get_mut(4..8) {
        slot.copy_from_slice(&checksum);
    }
    let mut channel = dialer.open().await?;
    Ok(nrpe_answer(&channel.ask(&packet, |answer| Enough::when(answer.len() >= NRPE_PACKET)).await?))
}

/// A response packet with a true checksum.
pub fn nrpe_answer(answer: &[u8]) -> Option<ServiceEvidence> {
    let mut cursor = Cursor(answer);
    if cursor.be16()? != 2 || cursor.be16()? != 2 || answer.len() != NRPE_PACKET {
        return None;
    }
    let checksum = cursor.be32()?;
    let mut zeroed = answer.to_vec();
    zeroed.get_mut(4..8)?.fill(0);
    if crc32(&zeroed) != checksum {
        return None;
    }
    cursor.be16()?;
    let text = printable(cursor.c_string()?, 80);
    let mut found = evidence("nrpe");
    let version = text.strip_prefix("NRPE v");
    signatures::set(&mut found, "NRPE", version, Some("nagios:remote_plug_in_executor"));
    found.access = match version {
        Some(_) => Access::Open { proof: format!("_NRPE_CHECK answered: {text}") },
        None => Access::Unknown { reason: format!("_NRPE_CHECK answered: {text}") },
    };
    found.banner = Some(text);
    Some(found)
}

/// The checksum of IEEE 802.3.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| if sum & 1 == 1 { (sum >> 1) ^ 0xedb8_8320 } else { sum >> 1 })
    })
}

// --- Checkmk

/// The agent tells all it knows to whoever connects; nothing is sent.
pub async fn check_mk(dialer: &Dialer<'_>) -> Result<Option<ServiceEvidence>, ProbeFailure> {
    let mut channel = dialer.open().await?;
    let complete = |answer: &[u8]| Enough::when(check_mk_greeting(answer).is_some_and(|found| found.version.is_some()));
    Ok(check_mk_greeting(&channel.read(complete).await?))
}

/// The first section of the report has the version; nothing else of it is kept.
pub fn check_mk_greeting(greeting: &[u8]) -> Option<ServiceEvidence> {
    let rest = greeting.strip_prefix(b"<<<check_mk>>>")?;
    let mut found = evidence("check-mk-agent");
    let version = behind(rest.get(..rest.len().min(2048))?, b"\nVersion: ")
        .filter(|text| text.contains(&b'\n'))
        .and_then(|text| text.split(|byte| *byte == b'\n').next())
        .map(|text| printable(text, 40));
    signatures::set(&mut found, "Checkmk agent", version.as_deref(), Some("checkmk:checkmk"));
    found.access = Access::Open { proof: "The agent sends its report to whoever connects".to_owned() };
    Some(found)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn agents_state_their_version() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        let found = zabbix_answer(b"ZBXD\x01\x06\0\0\0\0\0\0\x006.0.14").unwrap();
        assert_eq!(found.version.as_deref(), Some("6.0.14"));
        assert!(zabbix_answer(b"ZBXD\x01\x0d\0\0\0\0\0\0\0agent.version").is_none(), "an echo is no agent");
        let found = check_mk_greeting(b"<<<check_mk>>>\nVersion: 2.1.0p12\nAgentOS: linux\nPasswords: x\n").unwrap();
        assert_eq!(found.version.as_deref(), Some("2.1.0p12"));
        assert!(found.banner.is_none());
        let mut packet = vec![0, 2, 0, 2, 0, 0, 0, 0, 0, 0];
        packet.extend(b"NRPE v4.1.0");
        packet.resize(NRPE_PACKET, 0);
        assert!(nrpe_answer(&packet).is_none(), "without its checksum");
        let checksum = crc32(&packet).to_be_bytes();
        packet[4..8].copy_from_slice(&checksum);
        assert_eq!(nrpe_answer(&packet).unwrap().version.as_deref(), Some("4.1.0"));
    }

    proptest! {
        #[test]
        fn hostile_answers_break_nothing(bytes in proptest::collection::vec(any::<u8>(), 0..1100), lead in 0_usize..4) {
            let leads: [&[u8]; 4] = [b"", b"ZBXD\x01\x40\0\0\0", &[0, 2, 0, 2], b"<<<check_mk>>>\nVersion: "];
            let mut answer = leads[lead].to_vec();
            answer.extend(&bytes);
            let _ = zabbix_answer(&answer);
            let _ = nrpe_answer(&answer);
            let _ = check_mk_greeting(&answer);
        }
    }
}
