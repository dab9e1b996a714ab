//! Binary protocols that wait for the client: TLS (recognition only), RDP, SMB, LDAP, DNS over TCP, MQTT, AMQP.

use bartizan_domain::evidence::service::{Access, ServiceDetails, Upgrade};
use bartizan_domain::evidence::{ProbeFailure, ServiceEvidence, StartTls};

use super::wire::{Cursor, Dialer, Enough, Layer, anything, printable};
use super::{evidence, signatures};

// --- TLS

/// A ClientHello that servers of every version from SSL 3.0 to TLS 1.3 answer with a ServerHello or an alert.
pub fn client_hello(name: Option<&str>) -> Vec<u8> {
    const SUITES: [u16; 21] = [
        0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0xc009, 0xc00a, 0x009c,
        0x009d, 0x002f, 0x0035, 0x0033, 0x0039, 0x000a, 0x00ff,
    ];
    fn extension(out: &mut Vec<u8>, kind: u16, body: &[u8]) {
        out.extend_from_slice(&kind.to_be_bytes());
        vector16(out, body);
    }
    fn vector16(out: &mut Vec<u8>, body: &[u8]) {
        out.extend_from_slice(&u16::try_from(body.len()).unwrap_or_default().to_be_bytes());
        out.extend_from_slice(body);
    }
    let mut extensions = Vec::new();
    if let Some(name) = name.filter(|name| name.len() < 256) {
        let mut entry = vec![0];
        vector16(&mut entry, name.as_bytes());
        let mut list = Vec::new();
        vector16(&mut list, &entry);
        extension(&mut extensions, 0, &list);
    }
    extension(&mut extensions, 10, &[0, 8, 0, 29, 0, 23, 0, 24, 0, 25]);
    extension(&mut extensions, 11, &[1, 0]);
    extension(&mut extensions, 13, &[0, 20, 4, 3, 5, 3, 6, 3, 8, 7, 8, 4, 8, 5, 8, 6, 4, 1, 5, 1, 6, 1]);
    extension(&mut extensions, 43, &[8, 3, 4, 3, 3, 3, 2, 3, 1]);
    // An X25519 share: the base point, so that nothing has to be computed for a handshake that ends here.
    let mut share = vec![0, 36, 0, 29, 0, 32, 9];
    share.resize(share.len() + 31, 0);
    extension(&mut extensions, 51, &share);

    let mut hello = vec![3, 3];
    hello.extend_from_slice(b"bartizan asks: who speaks TLS?  ");
    hello.push(0);
    let suites: Vec<u8> = SUITES.iter().flat_map(|suite| suite.to_be_bytes()).collect();
    vector16(&mut hello, &suites);
    hello.extend_from_slice(&[1, 0]);
    vector16(&mut hello, &extensions);
    let mut record = vec![0x16, 3, 1];
    let mut handshake = vec![1, 0];
    vector16(&mut handshake, &hello);
    vector16(&mut record, &handshake);
    record
}

/// Whether an answer to [`client_hello`] is TLS: a record with a handshake or an alert.
pub fn is_tls(answer: &[u8]) -> bool {
    matches!(answer, [0x16, 3, 0..=4, _, _, 2, ..] | [0x15, 3, 0..=4, 0, 2, 1 | 2, _, ..])
}

// --- Remote Desktop

/// One negotiation for each security protocol ([MS-RDPBCGR] 2.2.1.1). None of them goes on to a session.
pub async fn rdp(dialer: &Dialer<'_>) -> Result<Option<ServiceEvidence>, ProbeFailure> {
    const TLS: u8 = 1;
    const CREDSSP: u8 = 2;
    let Some(best) = rdp_negotiate(dialer, TLS | CREDSSP).await? else { return Ok(None) };
    let tls_alone = rdp_negotiate(dialer, TLS).await.ok().flatten();
    let standard = rdp_negotiate(dialer, 0).await.ok().flatten();
    let accepts = |answer: Option<RdpAnswer>, protocol: u32| match answer {
        Some(RdpAnswer::Selected(selected)) => Some(selected == protocol),
        Some(RdpAnswer::Refused) => Some(false),
        None => None,
    };
    let mut found = evidence("rdp");
    found.details = ServiceDetails::Rdp {
        standard: accepts(standard, 0),
        tls: accepts(tls_alone, u32::from(TLS)),
        nla: accepts(Some(best), u32::from(CREDSSP)),
    };
    found.access = Access::Unknown { reason: "logging in was not tried".to_owned() };
    // Windows since Vista knows CredSSP; what falls back to standard security instead is something else.
    if best == RdpAnswer::Selected(u32::from(TLS))
        && let Ok(answer) = rdp_ask(dialer, CREDSSP).await
        && is_xrdp(&answer)
    {
        signatures::set(&mut found, "xrdp", None, Some("neutrinolabs:xrdp"));
    }
    Ok(Some(found))
}

/// Whether an answer to a request for CredSSP alone is xrdp's: standard security chosen, no flag but the one for extended
/// client data.
pub fn is_xrdp(answer: &[u8]) -> bool {
    matches!(answer, [3, 0, 0, 19, 14, 0xd0, 0, 0, 0x12, 0x34, 0, 2, 1, 8, 0, 0, 0, 0, 0])
}

/// A server's answer to a protocol request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RdpAnswer {
    Selected(u32),
    Refused,
}

async fn rdp_negotiate(dialer: &Dialer<'_>, protocols: u8) -> Result<Option<RdpAnswer>, ProbeFailure> {
    Ok(rdp_answer(&rdp_ask(dialer, protocols).await?))
}

async fn rdp_ask(dialer: &Dialer<'_>, protocols: u8) -> Result<Vec<u8>, ProbeFailure> {
    let request = [3, 0, 0, 19, 14, 0xe0, 0, 0, 0, 0, 0, 1, 0, 8, 0, protocols, 0, 0, 0];
    let mut channel = dialer.open().await?;
    let complete = |answer: &[u8]| {
        Enough::when(
            matches!(answer, [3, _, high, low, ..] if answer.len() >= usize::from(u16::from_be_bytes([*high, *low]))),
        )
    };
    channel.ask(&request, complete).await
}

/// Reads an X.224 connection confirm for the reference that we sent. One without a negotiation response is from a server
/// that knows standard RDP security only; other protocols over the same transport (S7, IEC 61850, X.400) confirm in that
/// way too, but only those of Remote Desktop give 0x1234 as their own reference.
pub fn rdp_answer(answer: &[u8]) -> Option<RdpAnswer> {
    let mut cursor = Cursor(answer);
    let [3, 0, high, low] = *cursor.take(4)? else { return None };
    if usize::from(u16::from_be_bytes([high, low])) != answer.len() {
        return None;
    }
    let length = usize::from(cursor.u8()?);
    if length + 5 != answer.len() || cursor.u8()? & 0xf0 != 0xd0 {
        return None;
    }
    // The destination comes first: it is the reference that the request gave.
    let (ours, theirs) = (cursor.be16()?, cursor.be16()?);
    let _class = cursor.u8()?;
    if ours != 0 {
        return None;
    }
    match *cursor.0 {
        [] if theirs != 0x1234 => None,
        [] => Some(RdpAnswer::Selected(0)),
        [2, _, 8, 0, a, b, c, d] => Some(RdpAnswer::Selected(u32::from_le_bytes([a, b, c, d]))),
        [3, _, 8, 0, ..] => Some(RdpAnswer::Refused),
        _ => None,
    }
}

// --- SMB

/// One SMB 2 negotiation and one SMB 1 negotiation, on connections of their own. No session is set up.
pub async fn smb(dialer: &Dialer<'_>) -> Result<Option<ServiceEvidence>, ProbeFailure> {
    let modern = async { dialer.open().await?.ask(&smb2_negotiate(), smb_complete).await };
    let old = async {
        let mut channel = dialer.open().await.ok()?;
        match channel.ask(&smb1_negotiate(), smb_complete).await {
            // Servers without SMB 1 close the connection or answer that they know none of the dialects.
            Ok(answer) => Some(smb1_accepted(&answer)),
            Err(failure) if failure.kind == bartizan_domain::evidence::FailureKind::Reset => Some(false),
            Err(_) => None,
        }
    };
    let (answer, smb1) = tokio::join!(modern, old);
    // Those that know SMB 1 only may end the connection on words of SMB 2.
    let answer = match answer {
        Err(failure) if smb1 != Some(true) => return Err(failure),
        answer => answer.unwrap_or_default(),
    };
    let modern = smb2_answer(&answer);
    let (dialect, signing_required) = match (modern, smb1) {
        (Some((dialect, signing)), _) => (Some(dialect), Some(signing)),
        (None, Some(true)) => (None, None),
        _ => return Ok(None),
    };
    let mut found = evidence("smb");
    found.details = ServiceDetails::Smb { dialect, smb1, signing_required };
    if smb2_is_samba(&answer) {
        signatures::set(&mut found, "Samba", None, Some("samba:samba"));
    }
    found.access = Access::Unknown { reason: "no session was set up".to_owned() };
    Ok(Some(found))
}

fn netbios(body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).unwrap_or_default();
    let mut out = length.to_be_bytes().to_vec();
    out.extend_from_slice(body);
    out
}

/// Enough when the announced message is there.
pub fn smb_complete(answer: &[u8]) -> Enough {
    let length = Cursor(answer).be32().map(|length| usize::try_from(length & 0x00ff_ffff).unwrap_or(usize::MAX));
    Enough::when(length.is_some_and(|length| answer.len() >= length.saturating_add(4)))
}

/// NEGOTIATE with the dialects 2.0.2 to 3.1.1 ([MS-SMB2] 2.2.3).
pub fn smb2_negotiate() -> Vec<u8> {
    let mut message = b"\xfeSMB".to_vec();
    message.extend_from_slice(&[64, 0, 0, 0]);
    message.resize(64, 0);
    message.extend_from_slice(&[36, 0, 5, 0, 1, 0, 0, 0, 0x7f, 0, 0, 0]);
    message.extend_from_slice(b"bartizan-scanner");
    // One negotiate context, at offset 112.
    message.extend_from_slice(&[112, 0, 0, 0, 1, 0, 0, 0]);
    for dialect in [0x0202_u16, 0x0210, 0x0300, 0x0302, 0x0311] {
        message.extend_from_slice(&dialect.to_le_bytes());
    }
    message.resize(112, 0);
    // Preauthentication integrity: SHA-512 and a salt, without which 3.1.1 cannot be negotiated.
    message.extend_from_slice(&[1, 0, 38, 0, 0, 0, 0, 0, 1, 0, 32, 0, 1, 0]);
    message.extend_from_slice(b"bartizan negotiates and leaves. ");
    netbios(&message)
}

/// Highest common dialect and whether signing is required, from a NEGOTIATE response.
pub fn smb2_answer(answer: &[u8]) -> Option<(String, bool)> {
    let mut cursor = Cursor(answer);
    cursor.be32()?;
    let header = cursor.take(64)?;
    if !header.starts_with(b"\xfeSMB") || header.get(12..14)? != [0, 0] || cursor.le16()? != 65 {
        return None;
    }
    let mode = cursor.le16()?;
    let dialect = match cursor.le16()? {
        0x0202 => "2.0.2",
        0x0210 => "2.1",
        0x0300 => "3.0",
        0x0302 => "3.0.2",
        0x0311 => "3.1.1",
        _ => return None,
    };
    Some((dialect.to_owned(), mode & 2 != 0))
}

/// Whether the server's GUID in a NEGOTIATE response is a NetBIOS name filled up with zeros, which is what Samba puts there;
/// Windows has a random one.
pub fn smb2_is_samba(answer: &[u8]) -> bool {
    let Some(guid) = answer.get(4 + 64 + 8..4 + 64 + 24) else { return false };
    let name = guid.split(|byte| *byte == 0).next().unwrap_or_default();
    smb2_answer(answer).is_some()
        && (1..16).contains(&name.len())
        && name.iter().all(u8::is_ascii_graphic)
        && guid.iter().skip(name.len()).all(|byte| *byte == 0)
}

/// SMB_COM_NEGOTIATE for `NT LM 0.12` alone ([MS-CIFS] 2.2.4.52).
fn smb1_negotiate() -> Vec<u8> {
    let mut message = b"\xffSMB\x72".to_vec();
    message.extend_from_slice(&[0, 0, 0, 0, 0x18, 0x01, 0x28]);
    message.resize(32, 0);
    message.push(0);
    let dialect = b"\x02NT LM 0.12\0";
    message.extend_from_slice(&u16::try_from(dialect.len()).unwrap_or_default().to_le_bytes());
    message.extend_from_slice(dialect);
    netbios(&message)
}

/// Whether an answer accepts SMB 1: a negotiate response that chose the one dialect.
pub fn smb1_accepted(answer: &[u8]) -> bool {
    let body = answer.get(4..).unwrap_or_default();
    let success = body.get(5..9) == Some(&[0, 0, 0, 0]);
    body.starts_with(b"\xffSMB\x72")
        && success
        && body.get(32).is_some_and(|words| *words > 1)
        && body.get(33..35) == Some(&[0, 0])
}

// --- LDAP

/// The root entry, which every client may read, and the question for StartTLS.
pub async fn ldap(dialer: &Dialer<'_>) -> Result<Option<ServiceEvidence>, ProbeFailure> {
    fn field(tag: u8, body: &[u8]) -> Vec<u8> {
        let mut out = vec![tag, u8::try_from(body.len()).unwrap_or_default()];
        out.extend_from_slice(body);
        out
    }
    let attributes: Vec<u8> =
        [&b"vendorName"[..], b"vendorVersion", b"objectClass", b"forestFunctionality", b"supportedCapabilities"]
            .iter()
            .flat_map(|name| field(4, name))
            .collect();
    let search = [
        field(4, b""),
        field(10, &[0]),
        field(10, &[0]),
        field(2, &[1]),
        field(2, &[10]),
        field(1, &[0]),
        field(0x87, b"objectClass"),
        field(0x30, &attributes),
    ]
    .concat();
    let request = field(0x30, &[field(2, &[1]), field(0x63, &search)].concat());
    let mut channel = dialer.open().await?;
    let answer = channel.ask(&request, |answer| Enough::when(ldap_operation(answer, 0x65, 1).is_some())).await?;
    let entry = ldap_operation(&answer, 0x64, 1);
    if entry.is_none() && ldap_operation(&answer, 0x65, 1).is_none() {
        return Ok(None);
    }
    let mut found = evidence("ldap");
    if let Some(entry) = entry {
        ldap_product(&mut found, entry);
    }
    if dialer.layer == Layer::Plain {
        let start = field(0x30, &[field(2, &[2]), field(0x77, &field(0x80, b"1.3.6.1.4.1.1466.20037"))].concat());
        let answer = channel
            .ask(&start, |answer| Enough::when(ldap_operation(answer, 0x78, 2).is_some()))
            .await
            .unwrap_or_default();
        found.upgrade = match ldap_operation(&answer, 0x78, 2) {
            Some([10, 1, 0, ..]) => Upgrade::Offered,
            Some([10, 1, _, ..]) => Upgrade::NotOffered,
            _ => Upgrade::Unknown { reason: "the server did not answer the StartTLS operation".to_owned() },
        };
        found.starttls = (found.upgrade == Upgrade::Offered).then_some(StartTls::Ldap);
    }
    Ok(Some(found))
}

/// The product behind a root entry: what it states of itself (RFC 3045), its object class, or capabilities that only
/// Active Directory lists.
fn ldap_product(found: &mut ServiceEvidence, entry: &[u8]) {
    let has = |text: &[u8]| entry.windows(text.len()).any(|part| part == text);
    let stated = ldap_values(entry, b"vendorVersion").or_else(|| ldap_values(entry, b"vendorName"));
    if let Some(text) = stated {
        found.banner = Some(text.clone());
        signatures::apply(found, &text);
    }
    if found.product.is_none() {
        if has(b"OpenLDAProotDSE") {
            signatures::set(found, "OpenLDAP", None, Some("openldap:openldap"));
        } else if has(b"1.2.840.113556.1.4.800") {
            signatures::set(found, "Microsoft Active Directory", None, None);
        }
    }
}

/// The first value of an attribute of a search result entry.
pub fn ldap_values(entry: &[u8], attribute: &[u8]) -> Option<String> {
    let mut parts = Cursor(entry);
    element(&mut parts, 4)?;
    let mut attributes = Cursor(element(&mut parts, 0x30)?);
    while let Some(pair) = element(&mut attributes, 0x30) {
        let mut pair = Cursor(pair);
        if element(&mut pair, 4)?.eq_ignore_ascii_case(attribute) {
            let mut values = Cursor(element(&mut pair, 0x31)?);
            return element(&mut values, 4).map(|value| printable(value, 120)).filter(|text| !text.is_empty());
        }
    }
    None
}

/// The next element of a BER sequence: tag and content.
fn any_element<'b>(cursor: &mut Cursor<'b>) -> Option<(u8, &'b [u8])> {
    let tag = cursor.u8()?;
    let length = match cursor.u8()? {
        short @ 0..=0x7f => usize::from(short),
        long @ 0x81..=0x84 => {
            let bytes = cursor.take(usize::from(long & 0x7f))?;
            bytes.iter().try_fold(0_usize, |sum, byte| sum.checked_mul(256)?.checked_add(usize::from(*byte)))?
        }
        _ => return None,
    };
    Some((tag, cursor.take(length)?))
}

/// The content of the next element, which must have this tag.
pub fn element<'b>(cursor: &mut Cursor<'b>, tag: u8) -> Option<&'b [u8]> {
    any_element(cursor).filter(|(found, _)| *found == tag).map(|(_, content)| content)
}

/// The body of the first message with this operation tag and message number.
pub fn ldap_operation(answer: &[u8], tag: u8, number: u8) -> Option<&[u8]> {
    let mut messages = Cursor(answer);
    while let Some((0x30, body)) = any_element(&mut messages) {
        let mut parts = Cursor(body);
        let (id_tag, id) = any_element(&mut parts)?;
        let (operation, content) = any_element(&mut parts)?;
        if id_tag == 2 && id.last() == Some(&number) && operation == tag {
            return Some(content);
        }
    }
    None
}

// --- DNS over TCP

/// `version.bind` in class CHAOS, which a server answers or refuses without recursion.
pub const VERSION_BIND: &[u8] =
    b"\xb2\x1a\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07version\x04bind\x00\x00\x10\x00\x03";

/// Asks [`VERSION_BIND`].
pub async fn dns(dialer: &Dialer<'_>) -> Result<Option<ServiceEvidence>, ProbeFailure> {
    let mut query = u16::try_from(VERSION_BIND.len()).unwrap_or_default().to_be_bytes().to_vec();
    query.extend(VERSION_BIND);
    let mut channel = dialer.open().await?;
    let complete = |answer: &[u8]| {
        Enough::when(Cursor(answer).be16().is_some_and(|length| answer.len() >= usize::from(length) + 2))
    };
    let answer = channel.ask(&query, complete).await?;
    let Some((recursion, version)) = dns_answer(&answer) else { return Ok(None) };
    let mut found = evidence("dns");
    found.details = ServiceDetails::Dns { recursion };
    if let Some(version) = version {
        signatures::apply(&mut found, &version);
        found.banner = Some(version);
    }
    Ok(Some(found))
}

/// Whether recursion is offered, and the first text of the answer section.
pub fn dns_answer(answer: &[u8]) -> Option<(bool, Option<String>)> {
    let mut cursor = Cursor(answer);
    let length = cursor.be16()?;
    if usize::from(length) + 2 != answer.len() || cursor.be16()? != 0xb21a {
        return None;
    }
    let flags = cursor.be16()?;
    if flags & 0xf800 != 0x8000 {
        return None;
    }
    let _questions = cursor.be16()?;
    let answers = cursor.be16()?;
    cursor.take(4)?;
    let text = (answers > 0)
        .then(|| {
            skip_name(&mut cursor)?;
            cursor.take(4)?;
            skip_name(&mut cursor)?;
            let (kind, _class) = (cursor.be16()?, cursor.be16()?);
            cursor.take(6)?;
            let length = usize::from(cursor.u8()?);
            (kind == 16).then(|| cursor.take(length)).flatten().map(|text| printable(text, 100))
        })
        .flatten()
        .filter(|text| !text.is_empty());
    Some((flags & 0x0080 != 0, text))
}

fn skip_name(cursor: &mut Cursor<'_>) -> Option<()> {
    for _ in 0..128 {
        match cursor.u8()? {
            0 => return Some(()),
            0xc0.. => return cursor.u8().map(drop),
            length => drop(cursor.take(usize::from(length))?),
        }
    }
    None
}

// --- MQTT

/// Connects without credentials and, where that is accepted, reads the broker's version from its status topic.
pub async fn mqtt(dialer: &Dialer<'_>) -> Result<Option<ServiceEvidence>, ProbeFailure> {
    let connect = [0x10, 12, 0, 4, b'M', b'Q', b'T', b'T', 4, 2, 0, 30, 0, 0];
    let mut channel = dialer.open().await?;
    let answer = channel.ask(&connect, |answer| Enough::when(answer.len() >= 4)).await?;
    let Some(mut found) = mqtt_answer(&answer) else { return Ok(None) };
    if let Access::Open { proof } = &mut found.access {
        let mut subscribe = vec![0x82, 24, 0, 1, 0, 19];
        subscribe.extend_from_slice(b"$SYS/broker/version\0");
        let complete = |answer: &[u8]| Enough::when(mqtt_status(answer).is_some());
        // Few brokers other than Mosquitto have the topic; silence costs a short wait.
        let answer = channel.ask(&subscribe, complete).await.unwrap_or_default();
        let version = mqtt_status(&answer);
        // A polite end; if it does not arrive, the broker sees a lost connection.
        let _ = channel.send(&[0xe0, 0]).await;
        if let Some(version) = version {
            proof.push_str(&format!("; topic $SYS/broker/version read: {version}"));
            signatures::apply(&mut found, &version);
        }
    }
    Ok(Some(found))
}

/// What a CONNACK says (MQTT 3.1.1 section 3.2).
pub fn mqtt_answer(answer: &[u8]) -> Option<ServiceEvidence> {
    let [0x20, 2, 0 | 1, code @ 0..=5] = *answer.get(..4)? else { return None };
    let mut found = evidence("mqtt");
    found.access = match code {
        0 => Access::Open { proof: "CONNECT without credentials accepted (return code 0)".to_owned() },
        4 | 5 => Access::AuthRequired { proof: format!("CONNECT without credentials refused (return code {code})") },
        _ => Access::Unknown { reason: format!("CONNECT answered with return code {code}") },
    };
    Some(found)
}

/// The payload of the first PUBLISH on the version topic.
pub fn mqtt_status(answer: &[u8]) -> Option<String> {
    let at = answer.windows(21).position(|part| part == b"\0\x13$SYS/broker/version")?;
    let header = at.checked_sub(2)?;
    // One-byte remaining length is all that a version needs.
    let (kind, length) = (*answer.get(header)?, usize::from(*answer.get(header + 1)?));
    if kind & 0xf0 != 0x30 || length > 127 {
        return None;
    }
    let payload = answer.get(at + 21..at + length)?;
    Some(printable(payload, 60)).filter(|text| !text.is_empty())
}

// --- AMQP 0-9-1

/// The protocol header, to which a broker answers with its properties.
pub async fn amqp(dialer: &Dialer<'_>) -> Result<Option<ServiceEvidence>, ProbeFailure> {
    let mut channel = dialer.open().await?;
    let complete = |answer: &[u8]| Enough::when(answer.last() == Some(&0xce) || answer.starts_with(b"AMQP"));
    Ok(amqp_answer(&channel.ask(b"AMQP\0\0\x09\x01", complete).await?))
}

/// Reads `connection.start`, or the protocol header a broker of another version answers with.
pub fn amqp_answer(answer: &[u8]) -> Option<ServiceEvidence> {
    let mut found = evidence("amqp");
    // An echo of our own header is no broker.
    if answer.starts_with(b"AMQP") && answer.len() == 8 && !answer.ends_with(&[0, 0, 9, 1]) {
        return Some(found);
    }
    let mut cursor = Cursor(answer);
    let ([1, 0, 0], size) = (cursor.take(3)?, cursor.be32()?) else { return None };
    if size < 12 || cursor.take(4)? != [0, 10, 0, 10] {
        return None;
    }
    let property = |name: &[u8]| {
        let at = answer.windows(name.len()).position(|part| part == name)?;
        let mut value = Cursor(answer.get(at + name.len()..)?);
        let length = usize::try_from(value.be32()?).ok()?;
        Some(printable(value.take(length)?, 60))
    };
    if let Some(product) = property(b"\x07productS") {
        let cpe = (product == "RabbitMQ").then_some("vmware:rabbitmq");
        signatures::set(&mut found, &product, property(b"\x07versionS").as_deref(), cpe);
    }
    found.access = Access::Unknown { reason: "logging in was not tried".to_owned() };
    Some(found)
}

/// Sends a TLS hello and returns what came back.
pub async fn tls_hello(dialer: &Dialer<'_>) -> Result<Vec<u8>, ProbeFailure> {
    let mut channel = dialer.open().await?;
    channel
        .ask(&client_hello(dialer.name), |answer| Enough::when(anything(answer) == Enough::Yes && answer.len() >= 7))
        .await
}

/// Whether a TLS hello with the end of an HTTP request behind it is answered in HTTP. Anything else says nothing: a server that
/// speaks TLS may as well end the connection, because of what follows the hello.
pub async fn takes_hello_for_http(dialer: &Dialer<'_>) -> bool {
    const HTTP: &[u8] = b"HTTP/";
    let hello = [client_hello(dialer.name).as_slice(), b"\r\n\r\n"].concat();
    let Ok(mut channel) = dialer.open().await else { return false };
    let answer = channel.ask(&hello, |answer| Enough::when(answer.len() >= HTTP.len())).await;
    answer.is_ok_and(|answer| answer.starts_with(HTTP))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn answers_of_binary_protocols() {
        assert!(is_tls(&[0x16, 3, 3, 0, 80, 2, 0]));
        assert!(is_tls(&[0x15, 3, 1, 0, 2, 2, 40]));
        assert!(!is_tls(b"HTTP/1.1 400"));
        assert!(!is_tls(&client_hello(Some("example.test"))), "an echo is no server");
        let confirm = [3, 0, 0, 19, 14, 0xd0, 0, 0, 0x12, 0x34, 0, 2, 0x1f, 8, 0, 2, 0, 0, 0];
        assert_eq!(rdp_answer(&confirm), Some(RdpAnswer::Selected(2)));
        assert_eq!(rdp_answer(&[3, 0, 0, 11, 6, 0xd0, 0, 0, 0x12, 0x34, 0]), Some(RdpAnswer::Selected(0)));
        assert_eq!(rdp_answer(&confirm[..10]), None);
        // Of a controller: its own reference, and one that answers somebody else.
        assert_eq!(rdp_answer(&[3, 0, 0, 11, 6, 0xd0, 0, 0, 0x44, 0x31, 0]), None);
        assert_eq!(rdp_answer(&[3, 0, 0, 11, 6, 0xd0, 0, 1, 0x12, 0x34, 0]), None);
        assert!(matches!(mqtt_answer(&[0x20, 2, 0, 5]).unwrap().access, Access::AuthRequired { .. }));
        let publish = b"\x90\x03\0\x01\0\x31\x1d\0\x13$SYS/broker/versionabcdefgh";
        assert_eq!(mqtt_status(publish).as_deref(), Some("abcdefgh"));
        assert!(ldap_operation(&[0x30, 7, 2, 1, 2, 0x78, 2, 10, 1], 0x78, 2).is_some());
        assert_eq!(smb2_negotiate().len(), 4 + 112 + 46);
    }

    proptest! {
        #[test]
        fn hostile_answers_break_nothing(bytes in proptest::collection::vec(any::<u8>(), 0..300), lead in 0_usize..8) {
            let leads: [&[u8]; 8] = [
                b"", &[3, 0, 0, 19, 14, 0xd0], b"\0\0\0\x80\xfeSMB", &[0, 0x20, 0xb2, 0x1a, 0x80, 0, 0, 1, 0, 1],
                &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff], &[1, 0, 0, 0, 0, 0, 30, 0, 10, 0, 10], &[0x20, 2, 0],
                b"\x31\x20\0\x13$SYS/broker/version",
            ];
            let mut answer = leads[lead].to_vec();
            answer.extend(&bytes);
            let _ = is_tls(&answer);
            let _ = rdp_answer(&answer);
            let _ = smb2_answer(&answer);
            let _ = smb2_is_samba(&answer);
            let _ = is_xrdp(&answer);
            let _ = smb1_accepted(&answer);
            let _ = smb_complete(&answer);
            let _ = ldap_operation(&answer, 0x64, 1);
            let _ = ldap_values(&answer, b"vendorName");
            let _ = dns_answer(&answer);
            let _ = mqtt_answer(&answer);
            let _ = mqtt_status(&answer);
            let _ = amqp_answer(&answer);
        }
    }
}
