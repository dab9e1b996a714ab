//! Industrial controllers, each asked on its own port only and for no more than what it is. No function here writes,
//! starts, stops or subscribes to anything.

use bartizan_domain::evidence::service::Access;
use bartizan_domain::evidence::{ProbeFailure, ServiceEvidence};

use super::{announced, behind};
use crate::services::udp::datagram;
use crate::services::wire::{Cursor, Dialer, Enough, banner, printable};
use crate::services::{evidence, signatures};

fn identified(service: &str) -> ServiceEvidence {
    let mut found = evidence(service);
    found.access = Access::Unknown { reason: "nothing but the identity of the device was asked".to_owned() };
    found
}

// --- Modbus

/// Read Device Identification (Modbus application protocol, function 43, type 14): the basic texts.
pub async fn modbus(dialer: &Dialer<'_>) -> Result<Option<ServiceEvidence>, ProbeFailure> {
    const REQUEST: [u8; 11] = [0x62, 0x72, 0, 0, 0, 5, 0xff, 0x2b, 0x0e, 1, 0];
    let mut channel = dialer.open().await?;
    let complete = announced(|cursor| {
        cursor.take(4)?;
        Some(usize::from(cursor.be16()?) + 6)
    });
    Ok(modbus_answer(&channel.ask(&REQUEST, complete).await?))
}

/// The texts (vendor, product, revision), or an exception of a device without them.
pub fn modbus_answer(answer: &[u8]) -> Option<ServiceEvidence> {
    let mut cursor = Cursor(answer);
    if cursor.take(4)? != [0x62, 0x72, 0, 0] || usize::from(cursor.be16()?) != cursor.0.len() {
        return None;
    }
    let (_unit, function) = (cursor.u8()?, cursor.u8()?);
    let mut found = identified("modbus");
    if function == 0xab {
        let code = cursor.u8()?;
        if !matches!(code, 1..=11) {
            return None;
        }
        found.banner = Some(format!("no device identification (exception {code})"));
        return Some(found);
    }
    if function != 0x2b || cursor.u8()? != 0x0e || cursor.u8()? != 1 {
        return None;
    }
    let (_conformity, _more, _next) = (cursor.u8()?, cursor.u8()?, cursor.u8()?);
    let mut texts: [String; 3] = Default::default();
    for _ in 0..cursor.u8()?.min(16) {
        let (number, length) = (usize::from(cursor.u8()?), usize::from(cursor.u8()?));
        let text = printable(cursor.take(length)?, 60);
        if let Some(slot) = texts.get_mut(number) {
            *slot = text;
        }
    }
    let [vendor, product, revision] = texts;
    let name = format!("{vendor} {product}");
    if !name.trim().is_empty() {
        signatures::set(
            &mut found,
            name.trim(),
            Some(&revision).filter(|text| !text.is_empty()).map(String::as_str),
            None,
        );
    }
    found.banner = banner(format!("{name} {revision}").trim().as_bytes());
    Some(found)
}

// --- Siemens S7

/// A transport connection (RFC 905), the set-up of communication, and the list with the identity of the module.
pub async fn s7(dialer: &Dialer<'_>) -> Result<Option<ServiceEvidence>, ProbeFailure> {
    // From access point 1.0 to rack 0, slot 2; units of 1024 bytes.
    const CONNECT: [u8; 22] = [3, 0, 0, 22, 17, 0xe0, 0, 0, 0, 1, 0, 0xc0, 1, 10, 0xc1, 2, 1, 0, 0xc2, 2, 1, 2];
    const SETUP: [u8; 25] = [3, 0, 0, 25, 2, 0xf0, 0x80, 0x32, 1, 0, 0, 0, 0, 0, 8, 0, 0, 0xf0, 0, 0, 1, 0, 1, 1, 0xe0];
    // User data: read list 0x0011, all entries.
    const IDENTITY: [u8; 33] = [
        3, 0, 0, 33, 2, 0xf0, 0x80, 0x32, 7, 0, 0, 0, 0, 0, 8, 0, 8, 0, 1, 0x12, 4, 0x11, 0x44, 1, 0, 0xff, 9, 0, 4, 0,
        0x11, 0, 0,
    ];
    let complete = announced(|cursor| {
        cursor.be16()?;
        cursor.be16().map(usize::from)
    });
    let mut channel = dialer.open().await?;
    let answer = channel.ask(&CONNECT, &complete).await?;
    if !is_cotp_confirm(&answer) {
        return Ok(None);
    }
    let answer = channel.ask(&SETUP, &complete).await.unwrap_or_default();
    if !is_s7_ready(&answer) {
        return Ok(Some(identified("iso-tsap")));
    }
    let answer = channel.ask(&IDENTITY, &complete).await.unwrap_or_default();
    Ok(Some(s7_identity(&answer)))
}

/// A confirmation of the connection (RFC 905 section 13.4) in its packet (RFC 1006).
pub fn is_cotp_confirm(answer: &[u8]) -> bool {
    matches!(answer, [3, 0, high, low, length, 0xd0, ..]
        if usize::from(u16::from_be_bytes([*high, *low])) == answer.len() && usize::from(*length) + 5 == answer.len())
}

/// Acknowledgement with data of the set-up.
pub fn is_s7_ready(answer: &[u8]) -> bool {
    answer.first() == Some(&3) && answer.get(7..9) == Some(&[0x32, 3]) && answer.get(19) == Some(&0xf0)
}

/// Entries of 28 bytes (some servers leave a word out): index, order number of 20 characters, kind, and two words of
/// version. Index 1 is the module, index 7 its firmware, whose version begins with a V.
pub fn s7_identity(answer: &[u8]) -> ServiceEvidence {
    let mut found = identified("s7");
    let mut cursor = Cursor(behind(answer, &[0, 0x11, 0, 0]).unwrap_or_default());
    let length = cursor.be16().map_or(0, usize::from);
    let count = cursor.be16().unwrap_or_default().min(16);
    let (mut order, mut version) = (None, None);
    for _ in 0..count {
        let Some(entry) = cursor.take(length).filter(|entry| (26..=34).contains(&entry.len())) else { break };
        let text = printable(entry.get(2..22).unwrap_or_default(), 20);
        match (entry.get(..2), entry.last_chunk::<4>()) {
            (Some([0, 1]), _) if !text.is_empty() => order = Some(text),
            (Some([0, 7]), Some([b'V', major, minor, patch])) => version = Some(format!("{major}.{minor}.{patch}")),
            _ => {}
        }
    }
    if let Some(order) = order {
        let product = format!("Siemens {order}");
        signatures::set(&mut found, &product, version.as_deref(), None);
        found.banner = banner(product.as_bytes());
    }
    found
}

// --- OPC UA

/// HELLO (OPC UA part 6, section 7.1.2). No channel is opened.
pub async fn opc_ua(dialer: &Dialer<'_>) -> Result<Option<ServiceEvidence>, ProbeFailure> {
    let url = format!("opc.tcp://{}/", dialer.host());
    let url = url.get(..url.len().min(500)).unwrap_or_default();
    let mut message = b"HELF".to_vec();
    let length = u32::try_from(url.len()).unwrap_or_default();
    for number in [32 + length, 0, 65_536, 65_536, 0, 0, length] {
        message.extend(number.to_le_bytes());
    }
    message.extend(url.as_bytes());
    let mut channel = dialer.open().await?;
    let complete = announced(|cursor| {
        cursor.take(4)?;
        usize::try_from(cursor.le32()?).ok()
    });
    Ok(opc_ua_answer(&channel.ask(&message, complete).await?))
}

/// ACKNOWLEDGE with five numbers, or an error with a code and its reason.
pub fn opc_ua_answer(answer: &[u8]) -> Option<ServiceEvidence> {
    let mut cursor = Cursor(answer);
    let kind = cursor.take(4)?;
    let length = usize::try_from(cursor.le32()?).ok()?;
    if length != answer.len() {
        return None;
    }
    let mut found = identified("opc-ua");
    match (kind, length) {
        (b"ACKF", 28) => {}
        (b"ERRF", 16..) => {
            let code = cursor.le32()?;
            // Bad status codes have the highest bit.
            if code & 0x8000_0000 == 0 {
                return None;
            }
            found.banner = Some(format!("HELLO was refused with code 0x{code:08x}"));
        }
        _ => return None,
    }
    Some(found)
}

// --- EtherNet/IP

/// The same list of identities as over UDP.
pub async fn ethernet_ip(dialer: &Dialer<'_>) -> Result<Option<ServiceEvidence>, ProbeFailure> {
    let Some((request, read)) = datagram("ethernet-ip") else { return Ok(None) };
    let mut channel = dialer.open().await?;
    let complete = announced(|cursor| {
        cursor.le16()?;
        Some(usize::from(cursor.le16()?) + 24)
    });
    let answer = channel.ask(request, complete).await?;
    Ok(read(request, &answer))
}

// --- DNP3

/// Request Link Status (IEEE 1815, data link layer) to the first addresses; the device with one of them answers.
pub async fn dnp3(dialer: &Dialer<'_>) -> Result<Option<ServiceEvidence>, ProbeFailure> {
    let mut request = Vec::new();
    for station in [0_u16, 1, 2, 3, 4, 10, 100, 1024] {
        // From master 1; function 9 of a primary station.
        let mut frame = vec![5, 0x64, 5, 0xc9];
        frame.extend(station.to_le_bytes());
        frame.extend([1, 0]);
        let sum = dnp3_sum(&frame);
        frame.extend(sum.to_le_bytes());
        request.extend(frame);
    }
    let mut channel = dialer.open().await?;
    Ok(dnp3_answer(&channel.ask(&request, |answer| Enough::when(answer.len() >= 10)).await?))
}

/// A frame of a secondary station with a true checksum: its link status, or that it does not answer for it.
pub fn dnp3_answer(answer: &[u8]) -> Option<ServiceEvidence> {
    let frame = answer.get(..10)?;
    let mut sum = Cursor(frame.get(8..)?);
    if !frame.starts_with(&[5, 0x64]) || dnp3_sum(frame.get(..8)?) != sum.le16()? {
        return None;
    }
    // Bit 0x40 marks a primary station; functions 0, 1, 11, 14 and 15 answer.
    let control = *frame.get(3)?;
    if control & 0x40 != 0 || !matches!(control & 15, 0 | 1 | 11 | 14 | 15) {
        return None;
    }
    let mut found = identified("dnp3");
    let station = Cursor(frame.get(6..8)?).le16()?;
    found.banner = Some(format!("station {station}"));
    Some(found)
}

/// The checksum of the data link layer: polynomial 0x3d65, reflected, inverted.
fn dnp3_sum(bytes: &[u8]) -> u16 {
    !bytes.iter().fold(0_u16, |sum, byte| {
        (0..8).fold(sum ^ u16::from(*byte), |sum, _| if sum & 1 == 1 { (sum >> 1) ^ 0xa6bc } else { sum >> 1 })
    })
}

// --- IEC 60870-5-104

/// TESTFR (IEC 60870-5-104 section 5.2), which is confirmed and has no effect. Data transfer is not started.
pub async fn iec104(dialer: &Dialer<'_>) -> Result<Option<ServiceEvidence>, ProbeFailure> {
    let mut channel = dialer.open().await?;
    let answer = channel.ask(&[0x68, 4, 0x43, 0, 0, 0], |answer| Enough::when(answer.len() >= 6)).await?;
    Ok(iec104_answer(&answer))
}

/// The confirmation.
pub fn iec104_answer(answer: &[u8]) -> Option<ServiceEvidence> {
    answer.starts_with(&[0x68, 4, 0x83, 0, 0, 0]).then(|| identified("iec104"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn controllers_say_what_they_are() {
        let mut texts = vec![0xff, 0x2b, 0x0e, 1, 1, 0, 0, 3];
        for (number, text) in [(0, "Pymodbus"), (1, "PM"), (2, "3.0.0")] {
            texts.extend([number, u8::try_from(text.len()).unwrap()]);
            texts.extend(text.as_bytes());
        }
        let mut answer = vec![0x62, 0x72, 0, 0, 0, u8::try_from(texts.len()).unwrap()];
        answer.extend(texts);
        let found = modbus_answer(&answer).unwrap();
        assert_eq!((found.product.as_deref(), found.version.as_deref()), (Some("Pymodbus PM"), Some("3.0.0")));
        assert!(modbus_answer(&[0x62, 0x72, 0, 0, 0, 3, 0xff, 0xab, 1]).unwrap().product.is_none());
        assert!(modbus_answer(&[0x62, 0x72, 0, 0, 0, 5, 0xff, 0x2b, 0x0e, 1, 0]).is_none(), "an echo is no device");
        let mut list = vec![0xff, 9, 0, 0, 0, 0x11, 0, 0, 0, 28, 0, 2];
        list.extend(b"\0\x016ES7 315-2EH14-0AB0 \0\xc0\0\x02\0\x01");
        list.extend(b"\0\x07                    \0\xc0V\x03\x02\x06");
        let found = s7_identity(&list);
        assert_eq!(found.product.as_deref(), Some("Siemens 6ES7 315-2EH14-0AB0"));
        assert_eq!(found.version.as_deref(), Some("3.2.6"));
        assert!(is_cotp_confirm(&[3, 0, 0, 11, 6, 0xd0, 0, 1, 0, 1, 0]));
        let mut ack = b"ACKF".to_vec();
        ack.extend(28_u32.to_le_bytes());
        ack.extend([0; 20]);
        assert!(opc_ua_answer(&ack).is_some());
        assert!(iec104_answer(&[0x68, 4, 0x83, 0, 0, 0]).is_some());
        assert!(iec104_answer(&[0x68, 4, 0x43, 0, 0, 0]).is_none(), "an echo is no device");
    }

    #[test]
    fn checksums_of_dnp3() {
        // A reset of the link to station 1 from master 1024, as the standard's primer prints it.
        assert_eq!(dnp3_sum(&[5, 0x64, 5, 0xc0, 1, 0, 0, 4]), 0x21e9);
        let mut status = vec![5, 0x64, 5, 0x0b, 1, 0, 10, 0];
        let sum = dnp3_sum(&status);
        status.extend(sum.to_le_bytes());
        assert_eq!(dnp3_answer(&status).unwrap().banner.as_deref(), Some("station 10"));
    }

    proptest! {
        #[test]
        fn hostile_answers_break_nothing(bytes in proptest::collection::vec(any::<u8>(), 0..200), lead in 0_usize..6) {
            let leads: [&[u8]; 6] = [
                b"", &[0x62, 0x72, 0, 0, 0, 60, 0xff, 0x2b, 0x0e, 1], &[0, 0x11, 0, 0, 0, 28], &[3, 0, 0, 60], b"ERRF", &[5, 0x64],
            ];
            let mut answer = leads[lead].to_vec();
            answer.extend(&bytes);
            let _ = modbus_answer(&answer);
            let _ = is_cotp_confirm(&answer);
            let _ = is_s7_ready(&answer);
            let _ = s7_identity(&answer);
            let _ = opc_ua_answer(&answer);
            let _ = dnp3_answer(&answer);
            let _ = iec104_answer(&answer);
        }
    }
}
