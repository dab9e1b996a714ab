//! Telephony, video, chat and play: SIP and RTSP over connections, IRC, Minecraft.

use bartizan_domain::evidence::service::Access;
use bartizan_domain::evidence::{ProbeFailure, ServiceEvidence};

use super::databases::varint;
use super::push_text16;
use crate::services::wire::{Cursor, Dialer, Enough, Layer, banner, printable};
use crate::services::{evidence, signatures};

/// Enough when the head of a message in the manner of HTTP is complete.
fn head(answer: &[u8]) -> Enough {
    Enough::when(answer.windows(4).any(|part| part == b"\r\n\r\n"))
}

/// Status and header fields of an answer in the manner of HTTP.
struct Head {
    status: u16,
    fields: Vec<(String, String)>,
}

impl Head {
    fn read(answer: &[u8], version: &str) -> Option<Self> {
        let text = String::from_utf8_lossy(answer.get(..answer.len().min(8192))?);
        let mut lines = text.split("\r\n");
        let status = lines.next()?.strip_prefix(version)?.strip_prefix(' ')?.get(..3)?.parse().ok()?;
        let fields = lines
            .take(60)
            .take_while(|line| !line.is_empty())
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.trim().to_ascii_lowercase(), printable(value.as_bytes(), 200)))
            .collect();
        (100..700).contains(&status).then_some(Self { status, fields })
    }

    fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.trim())
    }
}

// --- SIP

/// OPTIONS (RFC 3261 section 11), from and to nobody.
pub async fn sip(dialer: &Dialer<'_>) -> Result<Option<ServiceEvidence>, ProbeFailure> {
    let transport = if dialer.layer == Layer::Tls { "TLS" } else { "TCP" };
    let request = format!(
        "OPTIONS sip:bartizan@invalid SIP/2.0\r\nVia: SIP/2.0/{transport} bartizan.invalid;branch=z9hG4bK-bartizan;rport\r\n\
         Max-Forwards: 70\r\nFrom: <sip:bartizan@invalid>;tag=bartizan\r\nTo: <sip:bartizan@invalid>\r\n\
         Call-ID: bartizan-port-scan\r\nCSeq: 1 OPTIONS\r\nContact: <sip:bartizan@invalid>\r\n\
         Accept: application/sdp\r\nContent-Length: 0\r\n\r\n"
    );
    let mut channel = dialer.open().await?;
    Ok(sip_answer(&channel.ask(request.as_bytes(), head).await?))
}

/// A response of any status; `Server` or `User-Agent` names the software.
pub fn sip_answer(answer: &[u8]) -> Option<ServiceEvidence> {
    let head = Head::read(answer, "SIP/2.0")?;
    // A response repeats the number of the request.
    head.field("cseq").or_else(|| head.field("via")).or_else(|| head.field("v"))?;
    let mut found = evidence("sip");
    if let Some(software) = head.field("server").or_else(|| head.field("user-agent")) {
        found.banner = banner(software.as_bytes());
        signatures::apply(&mut found, software);
    }
    Some(found)
}

// --- RTSP

/// OPTIONS, and DESCRIBE of what is at `/` (RFC 2326). Nothing is set up and nothing plays.
pub async fn rtsp(dialer: &Dialer<'_>) -> Result<Option<ServiceEvidence>, ProbeFailure> {
    let target = format!("rtsp://{}/", dialer.host());
    let options = format!("OPTIONS {target} RTSP/1.0\r\nCSeq: 1\r\nUser-Agent: Bartizan\r\n\r\n");
    let mut channel = dialer.open().await?;
    let answer = channel.ask(options.as_bytes(), head).await?;
    let Some(mut found) = rtsp_answer(&answer) else { return Ok(None) };
    let describe =
        format!("DESCRIBE {target} RTSP/1.0\r\nCSeq: 2\r\nUser-Agent: Bartizan\r\nAccept: application/sdp\r\n\r\n");
    let answer = channel.ask(describe.as_bytes(), head).await.unwrap_or_default();
    found.access = rtsp_access(&answer);
    if found.product.is_none()
        && let Some(software) = Head::read(&answer, "RTSP/1.0").as_ref().and_then(|head| head.field("server"))
    {
        signatures::apply(&mut found, software);
    }
    Ok(Some(found))
}

/// A response of any status; `Server` names the software.
pub fn rtsp_answer(answer: &[u8]) -> Option<ServiceEvidence> {
    let head = Head::read(answer, "RTSP/1.0").or_else(|| Head::read(answer, "RTSP/2.0"))?;
    let mut found = evidence("rtsp");
    let software = head.field("server").unwrap_or_default();
    found.banner = banner(format!("RTSP {} {software}", head.status).as_bytes());
    signatures::apply(&mut found, software);
    Some(found)
}

/// Whether a stream at `/` is described to everybody.
pub fn rtsp_access(answer: &[u8]) -> Access {
    match Head::read(answer, "RTSP/1.0") {
        Some(head) if head.status == 401 => {
            Access::AuthRequired { proof: "DESCRIBE / without credentials answered: 401".to_owned() }
        }
        Some(head) if head.status == 200 && head.field("content-type").is_some_and(|kind| kind.contains("sdp")) => {
            Access::Open { proof: "DESCRIBE / without credentials answered: 200 with a session description".to_owned() }
        }
        Some(head) => Access::Unknown { reason: format!("DESCRIBE / without credentials answered: {}", head.status) },
        None => Access::Unknown { reason: "DESCRIBE / was not answered".to_owned() },
    }
}

// --- IRC

/// The list of capabilities, which is given before any registration (IRCv3, "Capability Negotiation").
pub async fn irc(dialer: &Dialer<'_>) -> Result<Option<ServiceEvidence>, ProbeFailure> {
    let mut channel = dialer.open().await?;
    let complete = |answer: &[u8]| {
        Enough::when(
            answer.ends_with(b"\n") && (super::contains(answer, b" CAP ") || super::contains(answer, b" 451 ")),
        )
    };
    let answer = channel.ask(b"CAP LS 302\r\n", complete).await?;
    let _ = channel.send(b"QUIT\r\n").await;
    Ok(irc_answer(&answer))
}

/// Lines from a server to one who is not registered: a notice, a capability list, or a number for an error.
pub fn irc_answer(answer: &[u8]) -> Option<ServiceEvidence> {
    let text = String::from_utf8_lossy(answer.get(..answer.len().min(4096))?);
    let mut known = false;
    for line in text.lines().take(40) {
        let mut words = line.split(' ');
        let from = words.next()?;
        let (from, command) = match from.strip_prefix(':') {
            Some(from) => (from, words.next()),
            // Some networks leave the name out of the first notices.
            None => ("x", Some(from)),
        };
        let named =
            !from.is_empty() && from.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':'));
        let target = words.next();
        known |= named
            && match command {
                Some("NOTICE") => {
                    matches!(target, Some("*" | "AUTH" | "Auth"))
                        && words.next().is_some_and(|text| text.starts_with(":***"))
                }
                Some("CAP") => matches!(words.next(), Some("LS")) && line.starts_with(':'),
                Some("451") => line.starts_with(':'),
                _ => false,
            };
    }
    if !known {
        return None;
    }
    let mut found = evidence("irc");
    found.banner = banner(text.as_bytes());
    for (mark, product) in
        [("inspircd.org/", "InspIRCd"), ("unrealircd.org/", "UnrealIRCd"), ("solanum.chat/", "Solanum")]
    {
        if text.contains(mark) {
            signatures::set(&mut found, product, None, None);
        }
    }
    Some(found)
}

// --- Minecraft

/// The status that is shown in lists of servers. Of what comes back only the version is kept, never a player's name.
pub async fn minecraft(dialer: &Dialer<'_>) -> Result<Option<ServiceEvidence>, ProbeFailure> {
    // Handshake: packet 0, protocol unknown (-1), address, port, next state 1.
    let mut body = vec![0, 0xff, 0xff, 0xff, 0xff, 0x0f];
    let name = dialer.name.unwrap_or("bartizan.invalid");
    let mut text = Vec::new();
    push_text16(&mut text, name.get(..name.len().min(100)).unwrap_or("bartizan.invalid"));
    // The length has one byte here.
    body.extend(text.get(1..).unwrap_or_default());
    body.extend(dialer.address.port().to_be_bytes());
    body.push(1);
    let mut request = vec![u8::try_from(body.len()).unwrap_or_default()];
    request.extend(body);
    request.extend([1, 0]);
    let mut channel = dialer.open().await?;
    let complete = |answer: &[u8]| {
        let mut cursor = Cursor(answer);
        let length = varint(&mut cursor).and_then(|length| usize::try_from(length).ok());
        Enough::when(length.is_some_and(|length| cursor.0.len() >= length))
    };
    Ok(minecraft_answer(&channel.ask(&request, complete).await?))
}

/// Packet 0 with a JSON text.
pub fn minecraft_answer(answer: &[u8]) -> Option<ServiceEvidence> {
    let mut cursor = Cursor(answer);
    let length = usize::try_from(varint(&mut cursor)?).ok()?;
    let mut packet = Cursor(cursor.take(length)?);
    if varint(&mut packet)? != 0 {
        return None;
    }
    let length = usize::try_from(varint(&mut packet)?).ok()?;
    let status: serde_json::Value = serde_json::from_slice(packet.take(length)?).ok()?;
    let version = status.get("version")?;
    version.get("protocol")?.as_i64()?;
    let name = printable(version.get("name")?.as_str()?.as_bytes(), 60);
    let number = name.split([' ', '-']).find(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    let mut found = evidence("minecraft");
    signatures::set(&mut found, "Minecraft server", number, None);
    found.banner = banner(name.as_bytes());
    Some(found)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn telephony_and_video_name_their_software() {
        let found = sip_answer(b"SIP/2.0 200 OK\r\nCSeq: 1 OPTIONS\r\nServer: kamailio (5.6.3 (x86_64/linux))\r\n\r\n")
            .unwrap();
        assert_eq!((found.product.as_deref(), found.version.as_deref()), (Some("Kamailio"), Some("5.6.3")));
        assert!(sip_answer(b"OPTIONS sip:bartizan@invalid SIP/2.0\r\nCSeq: 1\r\n\r\n").is_none(), "an echo");
        let found = rtsp_answer(b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nServer: GStreamer RTSP server\r\n\r\n").unwrap();
        assert_eq!(found.product.as_deref(), Some("GStreamer RTSP server"));
        assert!(matches!(rtsp_access(b"RTSP/1.0 401 Unauthorized\r\nCSeq: 2\r\n\r\n"), Access::AuthRequired { .. }));
        assert!(matches!(
            rtsp_access(b"RTSP/1.0 200 OK\r\nContent-Type: application/sdp\r\n\r\nv=0"),
            Access::Open { .. }
        ));
        assert!(rtsp_answer(b"HTTP/1.1 400 Bad Request\r\n\r\n").is_none());
    }

    #[test]
    fn chat_and_play() {
        for line in [
            &b":irc.lab.test NOTICE * :*** Looking up your hostname...\r\n"[..],
            b"NOTICE AUTH :*** Checking Ident\r\n",
            b":irc.lab.test CAP * LS :multi-prefix\r\n",
            b":irc.lab.test 451 * :Connection not registered\r\n",
        ] {
            assert_eq!(irc_answer(line).unwrap().service.as_deref(), Some("irc"));
        }
        for line in [
            &b"CAP LS 302\r\n"[..],
            b"220 mail ESMTP\r\n",
            b"HTTP/1.1 400 Bad Request\r\n\r\n",
            b"-ERR unknown\r\n",
            b"",
        ] {
            assert!(irc_answer(line).is_none());
        }
        let json = br#"{"version":{"name":"Paper 1.20.1","protocol":763},"players":{"sample":[{"name":"secret"}]}}"#;
        let mut packet = vec![u8::try_from(json.len() + 2).unwrap(), 0, u8::try_from(json.len()).unwrap()];
        packet.extend(json);
        let found = minecraft_answer(&packet).unwrap();
        assert_eq!((found.version.as_deref(), found.banner.as_deref()), (Some("1.20.1"), Some("Paper 1.20.1")));
    }

    proptest! {
        #[test]
        fn hostile_answers_break_nothing(bytes in proptest::collection::vec(any::<u8>(), 0..200), lead in 0_usize..5) {
            let leads: [&[u8]; 5] = [b"", b"SIP/2.0 200 OK\r\nVia: ", b"RTSP/1.0 200 ", b":irc.test CAP * LS ", &[80, 0, 78]];
            let mut answer = leads[lead].to_vec();
            answer.extend(&bytes);
            let _ = sip_answer(&answer);
            let _ = rtsp_answer(&answer);
            let _ = rtsp_access(&answer);
            let _ = irc_answer(&answer);
            let _ = minecraft_answer(&answer);
        }
    }
}
