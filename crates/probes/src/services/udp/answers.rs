//! What comes back from the requests of `content/ports/udp.toml`. Each reader takes what was sent and what came, and is
//! `None` for anything that does not answer just that: an echo of the request, a stranger's datagram, noise.

use bartizan_domain::evidence::ServiceEvidence;
use bartizan_domain::evidence::service::Access;

use crate::services::wire::{Cursor, banner, printable};
use crate::services::{binary, evidence, signatures};

/// Reads what answers a request.
pub type Reader = fn(&[u8], &[u8]) -> Option<ServiceEvidence>;

/// The reader for a service of the content file.
pub fn reader(service: &str) -> Option<Reader> {
    Some(match service {
        "bacnet" => bacnet,
        "bittorrent-dht" => bittorrent,
        "chargen" => chargen,
        "cldap" => cldap,
        "coap" => coap,
        "daytime" => daytime,
        "dtls" => dtls,
        "echo" => echo,
        "ethernet-ip" => ethernet_ip,
        "gtp-c" | "gtp-u" => gtp,
        "ike" => ike,
        "ipmi" => ipmi,
        "kerberos" => kerberos,
        "knx" => knx,
        "l2tp" => l2tp,
        "mdns" => mdns,
        "memcached" => memcached,
        "mgcp" => mgcp,
        "ms-sql-m" => sql_browser,
        "mumble" => mumble,
        "nat-pmp" => nat_pmp,
        "netbios-ns" => netbios,
        "nfs" => nfs,
        "qotd" => qotd,
        "quake3" => quake,
        "quic" => quic,
        "radius" => radius,
        "rip" => rip,
        "rpcbind" => rpcbind,
        "sip" => sip,
        "slp" => slp,
        "snmp" => snmp_public,
        "source-engine" => source_engine,
        "ssdp" => ssdp,
        "stun" => stun,
        "tftp" => tftp,
        "time" => time,
        "ubiquiti-discovery" => ubiquiti,
        "ws-discovery" => ws_discovery,
        "xdmcp" => xdmcp,
        _ => return None,
    })
}

/// Evidence of a protocol, with what is to be said of it.
fn found(service: &str, text: impl AsRef<[u8]>) -> ServiceEvidence {
    ServiceEvidence { banner: banner(text.as_ref()), ..evidence(service) }
}

/// The same, with a product looked for in that text.
fn with_product(service: &str, text: &[u8]) -> ServiceEvidence {
    let mut found = found(service, text);
    signatures::apply(&mut found, &printable(text, 300));
    found
}

// --- Names and discovery

fn mdns(request: &[u8], answer: &[u8]) -> Option<ServiceEvidence> {
    let mut cursor = Cursor(answer);
    let (id, flags) = (cursor.be16()?, cursor.be16()?);
    let (_, answers) = (cursor.be16()?, cursor.be16()?);
    let asked = Cursor(request).be16()?;
    (id == asked && flags & 0x8000 != 0 && answers > 0).then(|| found("mdns", format!("{answers} kinds of services")))
}

/// Node status (RFC 1002 section 4.2.18): names of fifteen bytes, each with a suffix and flags.
fn netbios(request: &[u8], answer: &[u8]) -> Option<ServiceEvidence> {
    let mut cursor = Cursor(answer);
    if cursor.be16()? != Cursor(request).be16()? || cursor.be16()? & 0x8000 == 0 {
        return None;
    }
    // Counts, the name asked for, type, class, time to live and length.
    cursor.take(8)?;
    let name = usize::from(cursor.u8()?);
    cursor.take(name + 1)?;
    cursor.take(10)?;
    let mut names = Vec::new();
    for _ in 0..cursor.u8()?.min(16) {
        let entry = cursor.take(18)?;
        let (text, suffix, group) = (printable(entry.get(..15)?, 15), *entry.get(15)?, entry.get(16)? & 0x80 != 0);
        match (suffix, group) {
            (0, false) => names.insert(0, text.trim().to_owned()),
            (0, true) => names.push(format!("in {}", text.trim())),
            _ => {}
        }
    }
    names.dedup();
    Some(found("netbios-ns", names.join(" ")))
}

fn ssdp(_: &[u8], answer: &[u8]) -> Option<ServiceEvidence> {
    let text = printable_lines(answer);
    if !text.starts_with("HTTP/1.1 200") && !text.starts_with("HTTP/1.0 200") {
        return None;
    }
    Some(with_product("ssdp", header(&text, "server").unwrap_or_default().as_bytes()))
}

fn ws_discovery(_: &[u8], answer: &[u8]) -> Option<ServiceEvidence> {
    let text = String::from_utf8_lossy(answer);
    let answers = text.contains("ProbeMatches") && text.contains("2005/04/discovery");
    let types = text.split_once("Types>").and_then(|(_, rest)| rest.split_once('<')).map_or("", |(types, _)| types);
    answers.then(|| found("ws-discovery", types))
}

/// A service reply of version 2 with our number (RFC 2608 section 8.2).
fn slp(request: &[u8], answer: &[u8]) -> Option<ServiceEvidence> {
    let fits = answer.starts_with(&[2, 2]) && answer.get(10..12)? == request.get(10..12)?;
    fits.then(|| evidence("slp"))
}

fn ubiquiti(_: &[u8], answer: &[u8]) -> Option<ServiceEvidence> {
    let mut cursor = Cursor(answer);
    let (version, command, length) = (cursor.u8()?, cursor.u8()?, cursor.be16()?);
    if !matches!(version, 1 | 2) || command == 8 || usize::from(length) != cursor.0.len() || length < 3 {
        return None;
    }
    let (mut model, mut firmware) = (String::new(), String::new());
    for _ in 0..64 {
        let Some(kind) = cursor.u8() else { break };
        let length = usize::from(cursor.be16()?);
        let value = cursor.take(length)?;
        match kind {
            0x03 => firmware = printable(value, 60),
            0x0c | 0x14 => model = printable(value, 60),
            _ => {}
        }
    }
    let mut found = found("ubiquiti-discovery", format!("{model} {firmware}").trim());
    signatures::set(&mut found, "Ubiquiti device", None, None);
    Some(found)
}

// --- Time and the small services

fn echo(request: &[u8], answer: &[u8]) -> Option<ServiceEvidence> {
    (answer == request && !request.is_empty()).then(|| evidence("echo"))
}

fn daytime(request: &[u8], answer: &[u8]) -> Option<ServiceEvidence> {
    let text = printable(answer, 100);
    let looks = answer != request && answer.len() <= 128 && answer.iter().filter(|byte| **byte == b':').count() >= 2;
    (looks && text.chars().filter(char::is_ascii_digit).count() >= 6).then(|| found("daytime", text))
}

fn qotd(request: &[u8], answer: &[u8]) -> Option<ServiceEvidence> {
    let text = answer.iter().filter(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace()).count();
    (answer != request && answer.len() >= 8 && text == answer.len()).then(|| found("qotd", answer))
}

/// The next characters follow each other in the usual pattern (RFC 864).
fn chargen(_: &[u8], answer: &[u8]) -> Option<ServiceEvidence> {
    let rising = answer.windows(2).filter(|pair| pair[0].checked_add(1) == Some(pair[1])).count();
    (answer.len() >= 32 && rising * 10 >= answer.len() * 8).then(|| evidence("chargen"))
}

/// Seconds since 1900 (RFC 868), later than 2020.
fn time(_: &[u8], answer: &[u8]) -> Option<ServiceEvidence> {
    let seconds = u32::from_be_bytes(answer.try_into().ok()?);
    (seconds > 3_786_825_600).then(|| evidence("time"))
}

// --- Files and directories

/// Data or an error (RFC 1350 section 5).
fn tftp(_: &[u8], answer: &[u8]) -> Option<ServiceEvidence> {
    match answer {
        [0, 5, _, _, text @ ..] => Some(with_product("tftp", text.split(|byte| *byte == 0).next()?)),
        [0, 3, 0, 1, ..] | [0, 6, ..] => Some(evidence("tftp")),
        _ => None,
    }
}

/// An entry or the end of a search, with our message number.
fn cldap(request: &[u8], answer: &[u8]) -> Option<ServiceEvidence> {
    if answer == request {
        return None;
    }
    let mut message = Cursor(binary::element(&mut Cursor(answer), 0x30)?);
    (binary::element(&mut message, 2)? == [1] && matches!(message.u8()?, 0x64 | 0x65)).then(|| evidence("cldap"))
}

/// Of a reply (RFC 5531): our number, accepted, and how the call went; the versions that are served, if ours is not.
fn rpc(request: &[u8], answer: &[u8]) -> Option<Option<(u32, u32)>> {
    let mut cursor = Cursor(answer);
    if cursor.be32()? != Cursor(request).be32()? || cursor.be32()? != 1 || cursor.be32()? != 0 {
        return None;
    }
    cursor.be32()?;
    let verifier = usize::try_from(cursor.be32()?).ok()?;
    cursor.take(verifier.checked_next_multiple_of(4)?)?;
    match cursor.be32()? {
        2 => Some(Some((cursor.be32()?, cursor.be32()?))),
        0..=5 => Some(None),
        _ => None,
    }
}

fn rpcbind(request: &[u8], answer: &[u8]) -> Option<ServiceEvidence> {
    rpc(request, answer).map(|_| evidence("rpcbind"))
}

fn nfs(request: &[u8], answer: &[u8]) -> Option<ServiceEvidence> {
    rpc(request, answer).map(|versions| match versions {
        Some((low, high)) => found("nfs", format!("versions {low} to {high}")),
        None => evidence("nfs"),
    })
}

/// "VERSION 1.6.18" behind a frame header with our number (the protocol's own description, `doc/protocol.txt`).
fn memcached(request: &[u8], answer: &[u8]) -> Option<ServiceEvidence> {
    if answer.get(..2)? != request.get(..2)? {
        return None;
    }
    let version = answer.get(8..)?.strip_prefix(b"VERSION ")?;
    let version = printable(version.split(|byte| *byte == b'\r').next()?, 40);
    let mut found = found("memcached", format!("VERSION {version}"));
    found.access = Access::Open { proof: "`version` over UDP was answered".to_owned() };
    signatures::set(&mut found, "Memcached", Some(&version), Some("memcached:memcached"));
    Some(found)
}

/// Key and value pairs of an instance (MC-SQLR section 2.2.5).
fn sql_browser(_: &[u8], answer: &[u8]) -> Option<ServiceEvidence> {
    let mut cursor = Cursor(answer);
    if cursor.u8()? != 5 || usize::from(cursor.le16()?) > cursor.0.len() {
        return None;
    }
    let text = printable(cursor.0, 400);
    // The version is that of the first release and stays where updates are installed.
    text.split(';').skip_while(|word| *word != "Version").nth(1)?;
    let mut found = found("ms-sql-m", &text);
    signatures::set(&mut found, "Microsoft SQL Server", None, Some("microsoft:sql_server"));
    Some(found)
}

// --- Identity

/// An error (RFC 4120 section 5.9.1): its number is in the seventh field.
fn kerberos(_: &[u8], answer: &[u8]) -> Option<ServiceEvidence> {
    let mut fields = Cursor(binary::element(&mut Cursor(binary::element(&mut Cursor(answer), 0x7e)?), 0x30)?);
    if binary::element(&mut fields, 0xa0)? != [2, 1, 5] || binary::element(&mut fields, 0xa1)? != [2, 1, 30] {
        return None;
    }
    Some(evidence("kerberos"))
}

/// An answer with our number and its true length (RFC 2865 section 3).
fn radius(request: &[u8], answer: &[u8]) -> Option<ServiceEvidence> {
    let mut cursor = Cursor(answer);
    let (code, number, length) = (cursor.u8()?, cursor.u8()?, cursor.be16()?);
    let fits = matches!(code, 2 | 3 | 5 | 11) && Some(&number) == request.get(1) && usize::from(length) == answer.len();
    (fits && length >= 20).then(|| evidence("radius"))
}

/// The description of the system, under the community that equipment is shipped with (RFC 3416 section 4.2.1).
fn snmp_public(_: &[u8], answer: &[u8]) -> Option<ServiceEvidence> {
    let mut message = Cursor(binary::element(&mut Cursor(answer), 0x30)?);
    let version = *binary::element(&mut message, 2)?.first()?;
    let community = binary::element(&mut message, 4)?;
    let mut answer = Cursor(binary::element(&mut message, 0xa2)?);
    let _number = binary::element(&mut answer, 2)?;
    let status = binary::element(&mut answer, 2)?;
    let _index = binary::element(&mut answer, 2)?;
    let mut first = Cursor(binary::element(&mut Cursor(binary::element(&mut answer, 0x30)?), 0x30)?);
    binary::element(&mut first, 6)?;
    let described = binary::element(&mut first, 4).unwrap_or_default();
    if version > 1 {
        return None;
    }
    let mut found = with_product("snmp", described);
    let community = printable(community, 40);
    found.access = if status.iter().all(|byte| *byte == 0) {
        Access::Open { proof: format!("GET sysDescr.0 with the community `{community}` was answered") }
    } else {
        Access::Unknown {
            reason: format!("GET sysDescr.0 with the community `{community}` was answered with an error"),
        }
    };
    Some(found)
}

// --- Tunnels and keys

/// A message of the exchange that we began: our number first, and either another number or the mark of an answer.
fn ike(request: &[u8], answer: &[u8]) -> Option<ServiceEvidence> {
    // On port 4500 four zeroes come first (RFC 3948 section 2.2).
    let marked = |bytes: &[u8]| bytes.starts_with(&[0; 4]);
    let (request, answer) = match (marked(request), marked(answer)) {
        (true, true) => (request.get(4..)?, answer.get(4..)?),
        (false, false) => (request, answer),
        _ => return None,
    };
    let mut cursor = Cursor(answer);
    if cursor.take(8)? != request.get(..8)? {
        return None;
    }
    let responder = cursor.take(8)?;
    let (mut next, version, _, flags) = (cursor.u8()?, cursor.u8()?, cursor.u8()?, cursor.u8()?);
    let (major, is_answer) = (version >> 4, flags & 0x20 != 0);
    if !matches!(major, 1 | 2) || (!is_answer && responder == [0; 8]) {
        return None;
    }
    let mut found = found("ike", format!("IKEv{major}"));
    cursor.take(8)?;
    // Vendor identifications (payload 43): strongSwan's is the MD5 of its name.
    for _ in 0..32 {
        let Some(following) = cursor.u8().filter(|_| next != 0) else { break };
        cursor.u8()?;
        let length = usize::from(cursor.be16()?).checked_sub(4)?;
        let body = cursor.take(length)?;
        if next == 43 && body.starts_with(&STRONGSWAN) {
            signatures::set(&mut found, "strongSwan", None, Some("strongswan:strongswan"));
        }
        next = following;
    }
    Some(found)
}

const STRONGSWAN: [u8; 16] =
    [0x88, 0x2f, 0xe5, 0x6d, 0x6f, 0xd2, 0x0d, 0xbc, 0x22, 0x51, 0x61, 0x3b, 0x2e, 0xbe, 0x5b, 0xeb];

/// A control message for the tunnel number that we chose, which stands in our ninth attribute (RFC 2661 section 3.1).
fn l2tp(_: &[u8], answer: &[u8]) -> Option<ServiceEvidence> {
    let mut cursor = Cursor(answer);
    let (flags, length, tunnel) = (cursor.be16()?, cursor.be16()?, cursor.be16()?);
    if flags & 0xc80f != 0xc802 || usize::from(length) > answer.len() || tunnel != 0x6272 {
        return None;
    }
    cursor.take(6)?;
    let (mut vendor, mut host) = (String::new(), String::new());
    for _ in 0..32 {
        let Some(head) = cursor.be16() else { break };
        let body = cursor.take(usize::from(head & 0x3ff).checked_sub(2)?)?;
        match body.get(..4)? {
            [0, 0, 0, 7] => host = printable(body.get(4..)?, 60),
            [0, 0, 0, 8] => vendor = printable(body.get(4..)?, 60),
            _ => {}
        }
    }
    let mut found = found("l2tp", format!("{vendor} {host}").trim());
    if vendor == "xelerance.com" {
        signatures::set(&mut found, "xl2tpd", None, None);
    }
    Some(found)
}

/// Version negotiation (RFC 9000 section 17.2.1): version 0, our number as the source, and the versions on offer.
fn quic(request: &[u8], answer: &[u8]) -> Option<ServiceEvidence> {
    let mut cursor = Cursor(answer);
    if cursor.u8()? & 0x80 == 0 || cursor.be32()? != 0 {
        return None;
    }
    let ours = usize::from(cursor.u8()?);
    cursor.take(ours)?;
    let length = usize::from(cursor.u8()?);
    if cursor.take(length)? != request.get(6..6 + usize::from(*request.get(5)?))? {
        return None;
    }
    let versions: Vec<String> = cursor.0.chunks_exact(4).take(16).filter_map(quic_version).collect();
    Some(found("quic", format!("versions {}", versions.join(", "))))
}

fn quic_version(bytes: &[u8]) -> Option<String> {
    match u32::from_be_bytes(bytes.try_into().ok()?) {
        1 => Some("1".to_owned()),
        0x6b33_43cf => Some("2".to_owned()),
        draft @ 0xff00_0001..=0xff00_00ff => Some(format!("draft {}", draft & 0xff)),
        // Those that keep negotiation in use mean nothing (section 15).
        reserved if reserved & 0x0f0f_0f0f == 0x0a0a_0a0a => None,
        other => Some(format!("{other:#x}")),
    }
}

/// A request to verify the hello, the hello of a server, or an alert (RFC 6347).
fn dtls(request: &[u8], answer: &[u8]) -> Option<ServiceEvidence> {
    if answer == request || answer.get(1) != Some(&0xfe) || !matches!(answer.get(2)?, 0xff | 0xfd) {
        return None;
    }
    let length = usize::from(Cursor(answer.get(11..)?).be16()?);
    let is_answer = match answer.first()? {
        22 => matches!(answer.get(13)?, 2 | 3),
        21 => length == 2,
        _ => false,
    };
    (is_answer && length <= answer.len() - 13).then(|| evidence("dtls"))
}

// --- Telephony and mobile networks

fn sip(_: &[u8], answer: &[u8]) -> Option<ServiceEvidence> {
    let text = printable_lines(answer);
    if !text.starts_with("SIP/2.0 ") {
        return None;
    }
    let software = header(&text, "server").or_else(|| header(&text, "user-agent")).unwrap_or_default();
    Some(with_product("sip", software.as_bytes()))
}

/// The success of a binding request with our number (RFC 8489 section 5); attribute 0x8022 is the software.
fn stun(request: &[u8], answer: &[u8]) -> Option<ServiceEvidence> {
    let mut cursor = Cursor(answer);
    let (kind, length) = (cursor.be16()?, cursor.be16()?);
    if !matches!(kind, 0x0101 | 0x0111) || cursor.take(16)? != request.get(4..20)? {
        return None;
    }
    let mut attributes = Cursor(cursor.0.get(..usize::from(length).min(cursor.0.len()))?);
    let mut software: &[u8] = &[];
    for _ in 0..32 {
        let Some(kind) = attributes.be16() else { break };
        let length = usize::from(attributes.be16()?);
        let value = attributes.take(length)?;
        attributes.take(length.next_multiple_of(4) - length).unwrap_or_default();
        if kind == 0x8022 {
            software = value;
        }
    }
    Some(with_product("stun", software))
}

/// The answer to an audit: a number of three digits and that of our transaction (RFC 3435 section 3.3).
fn mgcp(_: &[u8], answer: &[u8]) -> Option<ServiceEvidence> {
    let text = printable(answer, 200);
    let mut words = text.split(' ');
    let code = words.next()?;
    let fits = code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_digit()) && words.next() == Some("1");
    fits.then(|| found("mgcp", &text))
}

/// The answer to an echo: GTP version 1 or 2, type 2 (3GPP TS 29.060, 29.274).
fn gtp(request: &[u8], answer: &[u8]) -> Option<ServiceEvidence> {
    let service = if request.first()? >> 5 == 2 { "gtp-c" } else { "gtp-u" };
    let version = answer.first()? >> 5;
    let fits = answer.len() >= 8 && answer.get(1) == Some(&2) && version == request.first()? >> 5;
    fits.then(|| found(service, format!("GTP version {version}")))
}

// --- Machines and buildings

/// The capabilities of a channel (IPMI 2.0 section 22.13) inside a session header without a session.
fn ipmi(_: &[u8], answer: &[u8]) -> Option<ServiceEvidence> {
    if !answer.starts_with(&[6, 0, 0xff, 7, 0]) {
        return None;
    }
    let body = answer.get(14..)?;
    // The function is that of our request, as an answer, and so is the command.
    if body.get(1)? >> 2 != 7 || body.get(5)? != &0x38 || body.get(6)? != &0 {
        return None;
    }
    let (kinds, status, extended) = (*body.get(8)?, *body.get(9)?, *body.get(10)?);
    let mut text = if kinds & 0x80 != 0 && extended & 2 != 0 { "IPMI 2.0" } else { "IPMI 1.5" }.to_owned();
    for (bit, word) in [(1, "no authentication"), (4, "MD5"), (2, "MD2"), (0x10, "passwords")] {
        if kinds & bit != 0 {
            text.push_str(", ");
            text.push_str(word);
        }
    }
    for (bit, word) in [(1, "anonymous login"), (2, "users without a name"), (4, "users with names")] {
        if status & bit != 0 {
            text.push_str(", ");
            text.push_str(word);
        }
    }
    Some(found("ipmi", text))
}

/// The complete acknowledgement with our number holds a text; an error, a reject and an abort are answers as well
/// (ISO 16484-5 clause 20.1).
fn bacnet(_: &[u8], answer: &[u8]) -> Option<ServiceEvidence> {
    let mut cursor = Cursor(answer);
    if cursor.u8()? != 0x81 || !matches!(cursor.u8()?, 0x0a | 0x0b) || usize::from(cursor.be16()?) != answer.len() {
        return None;
    }
    // The network layer without addresses.
    if cursor.take(2)?.first()? != &1 {
        return None;
    }
    let (kind, number) = (cursor.u8()?, cursor.u8()?);
    if number != 0x62 || !matches!(kind >> 4, 3 | 5 | 6 | 7) {
        return None;
    }
    let text = cursor.0.windows(2).position(|pair| pair == [0x3e, 0x75]).and_then(|at| {
        let mut value = Cursor(cursor.0.get(at + 2..)?);
        let length = usize::from(value.u8()?);
        // The first byte is the character set.
        value.take(length)?.get(1..)
    });
    Some(found("bacnet", text.unwrap_or_default()))
}

/// A description (KNXnet/IP, service 0x0204): the name of the device is the last field of its first block.
fn knx(_: &[u8], answer: &[u8]) -> Option<ServiceEvidence> {
    if !answer.starts_with(&[6, 0x10, 2, 4]) {
        return None;
    }
    let block = answer.get(6..6 + usize::from(*answer.get(6)?))?;
    let name = block.get(24..).unwrap_or_default();
    Some(found("knx", name.split(|byte| *byte == 0).next()?))
}

/// The identity of a device (ODVA volume 2, table 2-4.4): revision and name.
fn ethernet_ip(request: &[u8], answer: &[u8]) -> Option<ServiceEvidence> {
    if answer.get(..2)? != [0x63, 0] || answer.get(12..20)? != request.get(12..20)? || answer == request {
        return None;
    }
    let mut cursor = Cursor(answer.get(24..)?);
    let (_, kind, _) = (cursor.le16()?, cursor.le16()?, cursor.le16()?);
    if kind != 0x0c {
        return Some(evidence("ethernet-ip"));
    }
    // Version of the encapsulation, address, vendor, type and code of the product.
    cursor.take(2 + 16 + 6)?;
    let (major, minor) = (cursor.u8()?, cursor.u8()?);
    cursor.take(6)?;
    let length = usize::from(cursor.u8()?);
    let name = printable(cursor.take(length)?, 64);
    let mut found = found("ethernet-ip", &name);
    signatures::set(&mut found, &name, Some(&format!("{major}.{minor}")), None);
    Some(found)
}

/// The reset of our empty message (RFC 7252 section 4.2).
fn coap(request: &[u8], answer: &[u8]) -> Option<ServiceEvidence> {
    (answer.len() == 4 && answer.starts_with(&[0x70, 0]) && answer.get(2..) == request.get(2..4))
        .then(|| evidence("coap"))
}

// --- Networks and displays

/// Routes of twenty bytes each (RFC 2453 section 3.6).
fn rip(_: &[u8], answer: &[u8]) -> Option<ServiceEvidence> {
    let (command, version) = (*answer.first()?, *answer.get(1)?);
    let fits = command == 2 && matches!(version, 1 | 2) && answer.len() > 4 && (answer.len() - 4).is_multiple_of(20);
    fits.then(|| found("rip", format!("version {version}")))
}

/// The answer to opcode 0 is opcode 128 (RFC 6886 section 3.2); a gateway with PCP alone answers with its version.
fn nat_pmp(_: &[u8], answer: &[u8]) -> Option<ServiceEvidence> {
    match answer {
        [0, 128, 0, 0, _, _, _, _, a, b, c, d] => Some(found("nat-pmp", format!("external address {a}.{b}.{c}.{d}"))),
        [0 | 2, 128, 0, 1..=5, ..] if answer.len() >= 8 => Some(evidence("nat-pmp")),
        _ => None,
    }
}

/// Willing or unwilling to manage a display: the name of the host and what it says of itself.
fn xdmcp(_: &[u8], answer: &[u8]) -> Option<ServiceEvidence> {
    let mut cursor = Cursor(answer);
    let (version, opcode, length) = (cursor.be16()?, cursor.be16()?, cursor.be16()?);
    if version != 1 || !matches!(opcode, 5 | 6) || usize::from(length) != cursor.0.len() {
        return None;
    }
    let mut texts = Vec::new();
    while let Some(length) = cursor.be16() {
        texts.push(printable(cursor.take(usize::from(length))?, 80));
    }
    let willing = if opcode == 5 { "willing" } else { "unwilling" };
    Some(found("xdmcp", format!("{willing}: {}", texts.join(" ").trim())))
}

// --- Play

/// A response to our transaction (BEP 5): a dictionary with the kind `r`, or the error `e`.
fn bittorrent(_: &[u8], answer: &[u8]) -> Option<ServiceEvidence> {
    let holds = |part: &[u8]| answer.windows(part.len()).any(|window| window == part);
    let fits = answer.starts_with(b"d") && holds(b"1:t2:bz") && (holds(b"1:y1:r") || holds(b"1:y1:e"));
    fits.then(|| evidence("bittorrent-dht"))
}

/// The information, or the challenge that comes before it (Valve's server queries).
fn source_engine(_: &[u8], answer: &[u8]) -> Option<ServiceEvidence> {
    match answer.strip_prefix(&[0xff; 4])? {
        [0x49, _, text @ ..] => Some(found("source-engine", text.split(|byte| *byte == 0).next()?)),
        [0x41, challenge @ ..] if challenge.len() == 4 => Some(evidence("source-engine")),
        _ => None,
    }
}

fn quake(_: &[u8], answer: &[u8]) -> Option<ServiceEvidence> {
    let rest = answer.strip_prefix(&[0xff; 4])?;
    let text = rest.strip_prefix(b"infoResponse\n").or_else(|| rest.strip_prefix(b"statusResponse\n"))?;
    Some(found("quake3", text))
}

/// Version in four bytes, and our eight bytes again.
fn mumble(request: &[u8], answer: &[u8]) -> Option<ServiceEvidence> {
    if answer.len() != 24 || answer.get(4..12)? != request.get(4..12)? {
        return None;
    }
    let version = format!("{}.{}.{}", answer.get(1)?, answer.get(2)?, answer.get(3)?);
    let mut found = found("mumble", &version);
    signatures::set(&mut found, "Mumble", Some(&version), Some("mumble:mumble"));
    Some(found)
}

// --- Text

/// Lines as they are, without what is no text.
fn printable_lines(answer: &[u8]) -> String {
    let bytes = answer.get(..answer.len().min(2048)).unwrap_or_default();
    bytes.split(|byte| *byte == b'\n').map(|line| printable(line, 300)).collect::<Vec<_>>().join("\n")
}

/// The value of a header field.
fn header(text: &str, name: &str) -> Option<String> {
    let fields = text.lines().skip(1).filter_map(|line| line.split_once(':'));
    let mut values = fields.filter(|(field, _)| field.trim().eq_ignore_ascii_case(name));
    values.next().map(|(_, value)| value.trim().to_owned())
}

#[cfg(test)]
#[path = "answers_tests.rs"]
mod tests;
