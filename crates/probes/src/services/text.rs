//! Protocols whose server speaks first, in lines: SSH, SMTP, FTP, IMAP, POP3, telnet, VNC, rsync.
//!
//! [`greeted`] takes the connection on which the greeting came and asks the one or two further questions that the
//! protocol's checks need. Nothing here logs in.

use bartizan_domain::evidence::service::{Access, ServiceDetails, Upgrade};
use bartizan_domain::evidence::{ProbeFailure, ServiceEvidence, StartTls};

use super::wire::{Channel, Cursor, Enough, Layer, banner, line, printable};
use super::{evidence, signatures};

/// Most names kept of a list that a server sends.
const MAX_NAMES: usize = 20;

/// What a greeting can be the beginning of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Greeting {
    Ssh,
    /// `220`: SMTP and FTP begin alike.
    Reply220,
    Smtp,
    Ftp,
    Imap,
    Pop3,
    Telnet,
    /// A prompt for a login in plain text, without a sign of telnet.
    Prompt,
    Vnc,
    Rsync,
    Mysql,
}

/// Recognises a greeting; `None` for anything else, silence included.
pub fn recognise(bytes: &[u8]) -> Option<Greeting> {
    let first_line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let upper = String::from_utf8_lossy(first_line.get(..first_line.len().min(512)).unwrap_or_default()).to_uppercase();
    if upper.starts_with("SSH-") {
        return Some(Greeting::Ssh);
    }
    if is_vnc(bytes) {
        return Some(Greeting::Vnc);
    }
    if upper.starts_with("@RSYNCD:") {
        return Some(Greeting::Rsync);
    }
    if upper.starts_with("* OK") || upper.starts_with("* PREAUTH") || upper.starts_with("* BYE") {
        return Some(Greeting::Imap);
    }
    if upper.starts_with("+OK") {
        return Some(Greeting::Pop3);
    }
    for code in ["220", "421", "554", "120"] {
        if upper.strip_prefix(code).is_some_and(|rest| rest.starts_with([' ', '-'])) {
            // The first line that names a protocol decides.
            let all = String::from_utf8_lossy(bytes.get(..bytes.len().min(2048)).unwrap_or_default()).to_uppercase();
            let named = all.lines().find_map(|line| match () {
                () if line.contains("SMTP") => Some(Greeting::Smtp),
                () if line.contains("FTP") => Some(Greeting::Ftp),
                () => None,
            });
            return Some(named.unwrap_or(Greeting::Reply220));
        }
    }
    if super::data::mysql_greeting(bytes).is_some() {
        return Some(Greeting::Mysql);
    }
    if is_telnet(bytes) {
        return Some(Greeting::Telnet);
    }
    if ssh_line(bytes).is_some() {
        return Some(Greeting::Ssh);
    }
    is_prompt(bytes).then_some(Greeting::Prompt)
}

/// The identification line of an SSH server, before which it may send other lines (RFC 4253 section 4.2).
fn ssh_line(bytes: &[u8]) -> Option<&[u8]> {
    let mut lines = bytes.get(..bytes.len().min(8192))?.split(|byte| *byte == b'\n').take(64);
    lines.find(|line| line.starts_with(b"SSH-2.0-") || line.starts_with(b"SSH-1."))
}

/// Whether a greeting has ended, so that it is our turn to speak. Bytes that are no greeting are not whole.
pub fn is_whole(bytes: &[u8]) -> bool {
    match recognise(bytes) {
        None => false,
        Some(Greeting::Reply220 | Greeting::Smtp | Greeting::Ftp) => reply_end(bytes).is_some(),
        Some(Greeting::Ssh) => ssh_line(bytes).is_some_and(|line| line.ends_with(b"\r")) || bytes.ends_with(b"\n"),
        Some(Greeting::Imap | Greeting::Pop3 | Greeting::Rsync) => bytes.contains(&b'\n'),
        Some(Greeting::Telnet | Greeting::Prompt | Greeting::Vnc | Greeting::Mysql) => true,
    }
}

/// Where the first reply of FTP or SMTP ends: behind the line that has its code and no hyphen (RFC 959 section 4.2,
/// RFC 5321 section 4.2.1). Lines between need no code in FTP.
fn reply_end(bytes: &[u8]) -> Option<usize> {
    let code = bytes.get(..3)?;
    let mut at = 0;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        at += line.len();
        let is_last = line.starts_with(code) && matches!(line.get(3), Some(b' ' | b'\r' | b'\n'));
        if is_last && line.ends_with(b"\n") {
            return Some(at);
        }
    }
    None
}

/// What a greeting alone says, where the questions that follow one could not be put. Only greetings that no other protocol
/// has count.
pub fn overheard(greeting: Greeting, bytes: &[u8], layer: Layer) -> Option<ServiceEvidence> {
    let (service, protocol) = match greeting {
        Greeting::Ssh => return Some(greeting_evidence("ssh", bytes)),
        Greeting::Mysql => return super::data::mysql_greeting(bytes),
        Greeting::Smtp => ("smtp", StartTls::Smtp),
        Greeting::Ftp => ("ftp", StartTls::Ftp),
        Greeting::Imap => ("imap", StartTls::Imap),
        _ => return None,
    };
    let mut found = greeting_evidence(service, bytes);
    set_upgrade(&mut found, layer, protocol, unknown("the server did not come to the end of its greeting in time"));
    Some(found)
}

/// Identifies the server behind a greeting.
pub async fn greeted(
    greeting: Greeting,
    bytes: &[u8],
    channel: &mut Channel,
    layer: Layer,
) -> Result<Option<ServiceEvidence>, ProbeFailure> {
    match greeting {
        Greeting::Ssh => Ok(Some(greeting_evidence("ssh", bytes))),
        Greeting::Smtp => smtp(bytes, channel, layer).await.map(Some),
        Greeting::Ftp => ftp(bytes, channel, layer).await.map(Some),
        Greeting::Reply220 => {
            let answer = channel.ask(b"EHLO bartizan.invalid\r\n", reply_complete).await?;
            if answer.starts_with(b"250") {
                return Ok(Some(smtp_answered(bytes, &answer, layer)));
            }
            let is_reply = answer.len() >= 4 && answer.iter().take(3).all(u8::is_ascii_digit);
            if is_reply { ftp(bytes, channel, layer).await.map(Some) } else { Ok(None) }
        }
        Greeting::Imap => imap(bytes, channel, layer).await.map(Some),
        Greeting::Pop3 => pop3(bytes, channel, layer).await.map(Some),
        Greeting::Telnet => {
            let mut found = evidence("telnet");
            found.banner = banner(&without_telnet_commands(bytes));
            Ok(Some(found))
        }
        Greeting::Prompt => {
            let mut found = greeting_evidence("login-prompt", bytes);
            set_upgrade_without_protocol(&mut found, layer);
            Ok(Some(found))
        }
        Greeting::Vnc => vnc(bytes, channel).await.map(Some),
        Greeting::Rsync => rsync(bytes, channel).await.map(Some),
        Greeting::Mysql => Ok(super::data::mysql_greeting(bytes)),
    }
}

fn greeting_evidence(service: &str, bytes: &[u8]) -> ServiceEvidence {
    let mut found = evidence(service);
    found.banner = banner(if service == "ssh" { ssh_line(bytes).unwrap_or(bytes) } else { bytes });
    if let Some(text) = found.banner.clone() {
        signatures::apply(&mut found, &text);
    }
    found
}

fn set_upgrade(found: &mut ServiceEvidence, layer: Layer, protocol: StartTls, upgrade: Upgrade) {
    if layer == Layer::Tls {
        return;
    }
    if upgrade == Upgrade::Offered {
        found.starttls = Some(protocol);
    }
    found.upgrade = upgrade;
}

/// A prompt has no way to TLS.
fn set_upgrade_without_protocol(found: &mut ServiceEvidence, layer: Layer) {
    if layer == Layer::Plain {
        found.upgrade = Upgrade::NotOffered;
    }
}

fn unknown(reason: &str) -> Upgrade {
    Upgrade::Unknown { reason: reason.to_owned() }
}

// --- SMTP

async fn smtp(bytes: &[u8], channel: &mut Channel, layer: Layer) -> Result<ServiceEvidence, ProbeFailure> {
    if !bytes.starts_with(b"220") {
        let mut found = greeting_evidence("smtp", bytes);
        set_upgrade(&mut found, layer, StartTls::Smtp, unknown("the server refused the session in its greeting"));
        return Ok(found);
    }
    let answer = channel.ask(b"EHLO bartizan.invalid\r\n", reply_complete).await?;
    Ok(smtp_answered(bytes, &answer, layer))
}

fn smtp_answered(greeting: &[u8], answer: &[u8], layer: Layer) -> ServiceEvidence {
    let mut found = greeting_evidence("smtp", greeting);
    let (starttls, auth) = ehlo(answer);
    let upgrade = match starttls {
        Some(true) => Upgrade::Offered,
        Some(false) => Upgrade::NotOffered,
        None => unknown("the server did not accept EHLO"),
    };
    set_upgrade(&mut found, layer, StartTls::Smtp, upgrade);
    found.details = ServiceDetails::Mail { clear_auth: if layer == Layer::Plain { auth } else { Vec::new() } };
    found
}

fn reply_complete(answer: &[u8]) -> Enough {
    // A line that is no reply is enough to see that.
    let is_reply = answer.len() < 3 || answer.iter().take(3).all(u8::is_ascii_digit);
    Enough::when(reply_end(answer).is_some() || (!is_reply && answer.ends_with(b"\n")))
}

/// Whether `EHLO` offers STARTTLS (`None`: no EHLO answer) and which login mechanisms it lists.
pub fn ehlo(answer: &[u8]) -> (Option<bool>, Vec<String>) {
    let text = printable_lines(answer);
    if !text.first().is_some_and(|line| line.starts_with("250")) {
        return (None, Vec::new());
    }
    let mut starttls = false;
    let mut auth = Vec::new();
    for line in &text {
        let Some(keyword) = line.get(4..).map(str::to_ascii_uppercase) else { continue };
        let mut words = keyword.split([' ', '=']);
        match words.next() {
            Some("STARTTLS") => starttls = true,
            Some("AUTH") => add_names(&mut auth, words),
            _ => {}
        }
    }
    (Some(starttls), auth)
}

fn add_names<'w>(names: &mut Vec<String>, words: impl Iterator<Item = &'w str>) {
    for word in words.filter(|word| !word.is_empty() && word.len() <= 40) {
        if names.len() < MAX_NAMES && !names.iter().any(|name| name == word) {
            names.push(word.to_owned());
        }
    }
}

fn printable_lines(bytes: &[u8]) -> Vec<String> {
    bytes.split(|byte| *byte == b'\n').take(200).map(|line| printable(line, 300)).filter(|l| !l.is_empty()).collect()
}

// --- FTP

async fn ftp(bytes: &[u8], channel: &mut Channel, layer: Layer) -> Result<ServiceEvidence, ProbeFailure> {
    let mut found = greeting_evidence("ftp", bytes);
    if layer == Layer::Plain {
        let upgrade = match channel.ask(b"AUTH TLS\r\n", answer_after_greeting).await {
            Ok(answer) => auth_tls(without_greeting(&answer)),
            Err(failure) => unknown(&failure.to_string()),
        };
        set_upgrade(&mut found, layer, StartTls::Ftp, upgrade);
    }
    Ok(found)
}

/// The reply behind what is left of a greeting: a server that is not ready yet says so first (`120`), and then that it is
/// (`220`).
fn without_greeting(mut answer: &[u8]) -> &[u8] {
    while answer.starts_with(b"220") || answer.starts_with(b"120") {
        let end = reply_end(answer).unwrap_or(answer.len());
        answer = answer.get(end..).unwrap_or_default();
    }
    answer
}

fn answer_after_greeting(answer: &[u8]) -> Enough {
    let rest = without_greeting(answer);
    if rest.is_empty() { Enough::NotYet } else { reply_complete(rest) }
}

/// What an answer to `AUTH TLS` says (RFC 4217 section 4): 234 accepts; 4yz is passing trouble; 5yz is a no.
pub fn auth_tls(answer: &[u8]) -> Upgrade {
    match answer {
        [b'2', b'3', b'4', ..] => Upgrade::Offered,
        [b'5', ..] => Upgrade::NotOffered,
        [] => unknown("the server did not answer AUTH TLS"),
        other => Upgrade::Unknown { reason: format!("the server answered AUTH TLS with: {}", printable(other, 80)) },
    }
}

// --- IMAP and POP3

async fn imap(bytes: &[u8], channel: &mut Channel, layer: Layer) -> Result<ServiceEvidence, ProbeFailure> {
    let mut found = greeting_evidence("imap", bytes);
    if bytes.starts_with(b"* PREAUTH") {
        let proof = format!("The server greets as logged in: {}", printable(bytes, 120));
        found.access = Access::Open { proof };
    }
    let tagged = |answer: &[u8]| Enough::when(answer.windows(3).any(|part| part == b"a1 ") && answer.ends_with(b"\n"));
    let answer = match channel.ask(b"a1 CAPABILITY\r\n", tagged).await {
        Ok(answer) => answer,
        Err(failure) => {
            set_upgrade(&mut found, layer, StartTls::Imap, unknown(&failure.to_string()));
            return Ok(found);
        }
    };
    let (upgrade, auth) = imap_capabilities(&answer);
    set_upgrade(&mut found, layer, StartTls::Imap, upgrade);
    found.details = ServiceDetails::Mail { clear_auth: if layer == Layer::Plain { auth } else { Vec::new() } };
    Ok(found)
}

/// The upgrade and the login mechanisms in a `CAPABILITY` answer; `LOGIN` is available unless `LOGINDISABLED` is said.
pub fn imap_capabilities(answer: &[u8]) -> (Upgrade, Vec<String>) {
    let Some(capabilities) = printable_lines(answer)
        .into_iter()
        .find_map(|line| line.to_ascii_uppercase().strip_prefix("* CAPABILITY ").map(str::to_owned))
    else {
        return (unknown("the server did not list its capabilities"), Vec::new());
    };
    let words: Vec<&str> = capabilities.split(' ').collect();
    let mut auth = Vec::new();
    if !words.contains(&"LOGINDISABLED") {
        auth.push("LOGIN".to_owned());
        add_names(&mut auth, words.iter().filter_map(|word| word.strip_prefix("AUTH=")));
    }
    (if words.contains(&"STARTTLS") { Upgrade::Offered } else { Upgrade::NotOffered }, auth)
}

async fn pop3(bytes: &[u8], channel: &mut Channel, layer: Layer) -> Result<ServiceEvidence, ProbeFailure> {
    let mut found = greeting_evidence("pop3", bytes);
    // The greeting carries the APOP challenge, which is new in each session and tells nothing.
    found.banner = found.banner.map(|text| text.split(" <").next().unwrap_or(&text).to_owned());
    let complete = |answer: &[u8]| Enough::when(answer.starts_with(b"-") || answer.ends_with(b"\r\n.\r\n"));
    let answer = channel.ask(b"CAPA\r\n", complete).await.unwrap_or_default();
    let (upgrade, auth) = if answer.starts_with(b"-ERR") {
        // CAPA is optional (RFC 2449), and servers without it may still know STLS.
        let stls = channel.ask(b"STLS\r\n", line).await.unwrap_or_default();
        match stls.as_slice() {
            [b'+', ..] => (Upgrade::Offered, Vec::new()),
            [b'-', ..] => (Upgrade::NotOffered, vec!["USER".to_owned()]),
            _ => (unknown("the server did not answer STLS"), Vec::new()),
        }
    } else {
        pop3_capabilities(&answer)
    };
    set_upgrade(&mut found, layer, StartTls::Pop3, upgrade);
    found.details = ServiceDetails::Mail { clear_auth: if layer == Layer::Plain { auth } else { Vec::new() } };
    Ok(found)
}

/// The upgrade and the login mechanisms in a `CAPA` answer.
pub fn pop3_capabilities(answer: &[u8]) -> (Upgrade, Vec<String>) {
    if !answer.starts_with(b"+OK") {
        return (unknown("the server did not list its capabilities"), Vec::new());
    }
    let mut upgrade = Upgrade::NotOffered;
    let mut auth = Vec::new();
    for line in printable_lines(answer) {
        let line = line.to_ascii_uppercase();
        let mut words = line.split(' ');
        match words.next() {
            Some("STLS") => upgrade = Upgrade::Offered,
            Some("USER") => add_names(&mut auth, ["USER"].into_iter()),
            Some("SASL") => add_names(&mut auth, words),
            _ => {}
        }
    }
    (upgrade, auth)
}

// --- telnet

/// Telnet begins with option negotiation (RFC 854: IAC, then WILL, WONT, DO or DONT), before or behind the first text.
fn is_telnet(bytes: &[u8]) -> bool {
    let text = bytes.split(|byte| *byte == 0xff).next().unwrap_or_default();
    let is_text = text.iter().all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace());
    match bytes.get(text.len()..).unwrap_or_default() {
        [0xff, 0xfb..=0xfe, ..] if text.is_empty() => true,
        [0xff, 0xfb..=0xfe, 0 | 1 | 3 | 5 | 6 | 24 | 31..=37 | 39, ..] => is_text,
        _ => false,
    }
}

/// A prompt for a login at the end of text.
fn is_prompt(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes.get(..bytes.len().min(2048)).unwrap_or_default()).to_lowercase();
    let prompt = text.trim_end().rsplit('\n').next().unwrap_or_default().trim();
    ["login:", "username:", "user name:", "password:"].iter().any(|ending| prompt.ends_with(ending))
}

pub fn without_telnet_commands(bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    let mut rest = bytes;
    while let Some((first, tail)) = rest.split_first() {
        rest = match (*first, tail) {
            (0xff, [0xfa, sub @ ..]) => {
                // Subnegotiation, up to IAC SE.
                let end = sub.windows(2).position(|pair| pair == [0xff, 0xf0]).map_or(sub.len(), |at| at + 2);
                sub.get(end..).unwrap_or_default()
            }
            (0xff, [0xfb..=0xfe, _, after @ ..]) => after,
            (0xff, [_, after @ ..]) => after,
            (0xff, []) => &[],
            (byte, after) => {
                text.push(byte);
                after
            }
        };
    }
    text
}

// --- VNC

fn is_vnc(bytes: &[u8]) -> bool {
    bytes.len() >= 12
        && bytes.starts_with(b"RFB ")
        && bytes.get(7) == Some(&b'.')
        && bytes.get(11) == Some(&b'\n')
        && [4..7, 8..11].into_iter().all(|part| bytes.get(part).is_some_and(|d| d.iter().all(u8::is_ascii_digit)))
}

async fn vnc(bytes: &[u8], channel: &mut Channel) -> Result<ServiceEvidence, ProbeFailure> {
    let mut found = greeting_evidence("vnc", bytes);
    let version = bytes.get(..12).unwrap_or_default();
    // 3.3 lets the server choose; for anything newer than we know, 3.8 is the highest there is (RFC 6143).
    let ours: &[u8] = match version {
        b"RFB 003.003\n" | b"RFB 003.005\n" => b"RFB 003.003\n",
        b"RFB 003.007\n" => b"RFB 003.007\n",
        _ => b"RFB 003.008\n",
    };
    let server_chooses = ours.ends_with(b"003.003\n");
    let complete = |answer: &[u8]| {
        Enough::when(match answer.first() {
            _ if server_chooses => answer.len() >= 4,
            Some(count) => answer.len() > usize::from(*count),
            None => false,
        })
    };
    let answer = channel.ask(ours, complete).await?;
    let Some(types) = vnc_security_types(&answer, server_chooses) else {
        found.access = Access::Unknown { reason: "the server listed no security type".to_owned() };
        return Ok(found);
    };
    if types.contains(&1) {
        // Version 3.8 confirms the choice; before it, the server goes on at once. No session is begun either way: the
        // connection ends before ClientInit.
        let confirmed = if ours.ends_with(b"003.008\n") {
            let result = channel.ask(&[1], |answer| Enough::when(answer.len() >= 4)).await.unwrap_or_default();
            result.starts_with(&[0, 0, 0, 0])
        } else {
            true
        };
        found.access = if confirmed {
            Access::Open { proof: "The server offers security type 1 (None) and accepts it".to_owned() }
        } else {
            Access::Unknown { reason: "security type None is offered and was not confirmed".to_owned() }
        };
    } else if !types.is_empty() {
        let list = types.iter().map(u8::to_string).collect::<Vec<_>>().join(", ");
        found.access = Access::AuthRequired { proof: format!("Security types offered: {list}") };
    }
    if let Some((product, cpe)) = vnc_product(version, &types) {
        signatures::set(&mut found, product, None, cpe);
    }
    found.details = ServiceDetails::Vnc { security_types: types };
    Ok(found)
}

/// The product behind a protocol version or security types that are its own (registry of RFB security types).
fn vnc_product(version: &[u8], types: &[u8]) -> Option<(&'static str, Option<&'static str>)> {
    let any = |list: &[u8]| types.iter().any(|kind| list.contains(kind));
    match version {
        b"RFB 003.889\n" => Some(("Apple Remote Desktop", Some("apple:apple_remote_desktop"))),
        b"RFB 004.000\n" | b"RFB 004.001\n" | b"RFB 005.000\n" => Some(("RealVNC", Some("realvnc:vnc_server"))),
        _ if any(&[5, 6, 13, 129, 130, 133]) => Some(("RealVNC", Some("realvnc:vnc_server"))),
        _ if any(&[17, 113, 114, 115]) => Some(("UltraVNC", Some("uvnc:ultravnc"))),
        _ => None,
    }
}

/// The security types in the server's answer to our version.
pub fn vnc_security_types(answer: &[u8], server_chooses: bool) -> Option<Vec<u8>> {
    let mut cursor = Cursor(answer);
    if server_chooses {
        return match cursor.be32()? {
            0 => None,
            chosen => Some(vec![u8::try_from(chosen).ok()?]),
        };
    }
    let count = usize::from(cursor.u8()?);
    (count > 0).then(|| cursor.take(count).map(<[u8]>::to_vec)).flatten()
}

// --- rsync

async fn rsync(bytes: &[u8], channel: &mut Channel) -> Result<ServiceEvidence, ProbeFailure> {
    let mut found = greeting_evidence("rsync", bytes);
    let version = found.banner.as_deref().and_then(|text| text.split(' ').nth(1)).map(str::to_owned);
    let complete = |answer: &[u8]| Enough::when(answer.windows(13).any(|part| part == b"@RSYNCD: EXIT"));
    // The lowest protocol version that every server since 2008 speaks, so that no digest list is needed.
    let answer = channel.ask(b"@RSYNCD: 30.0\n#list\n", complete).await.unwrap_or_default();
    if let Some(version) = version {
        signatures::set(&mut found, "rsync", None, Some("samba:rsync"));
        found.banner = Some(format!("rsync protocol {version}"));
    }
    if complete(&answer) == Enough::Yes {
        found.details = ServiceDetails::Rsync { modules: rsync_modules(&answer) };
    }
    Ok(found)
}

/// Module names in the answer to `#list`: the part before the tab of each line that is no message.
pub fn rsync_modules(answer: &[u8]) -> Vec<String> {
    answer
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.starts_with(b"@RSYNCD:") && line.contains(&b'\t'))
        .filter_map(|line| line.split(|byte| *byte == b'\t').next())
        .map(|name| printable(name, 60))
        .filter(|name| !name.is_empty())
        .take(MAX_NAMES)
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn greetings_are_told_apart() {
        for (bytes, greeting) in [
            (&b"SSH-2.0-OpenSSH_9.2p1\r\n"[..], Some(Greeting::Ssh)),
            (b"220 mx ESMTP\r\n", Some(Greeting::Smtp)),
            (b"220-FTP here\r\n220 ok\r\n", Some(Greeting::Ftp)),
            (b"220 ready\r\n", Some(Greeting::Reply220)),
            (b"2200 ready\r\n", None),
            (b"* OK ready\r\n", Some(Greeting::Imap)),
            (b"+OK ready\r\n", Some(Greeting::Pop3)),
            (b"\xff\xfd\x18\xff\xfd\x20", Some(Greeting::Telnet)),
            (b"Welcome\r\nrouter login: ", Some(Greeting::Prompt)),
            (b"\r\nUser Access Verification\r\n\r\n\xff\xfb\x01\xff\xfb\x03Password: ", Some(Greeting::Telnet)),
            (b"Welcome to the lab\r\nSSH-2.0-OpenSSH_9.2p1\r\n", Some(Greeting::Ssh)),
            (b"220-mx.example.test\r\n220 ESMTP ready\r\n", Some(Greeting::Smtp)),
            (b"RFB 003.008\n", Some(Greeting::Vnc)),
            (b"RFB something\n", None),
            (b"@RSYNCD: 31.0\n", Some(Greeting::Rsync)),
            (b"HTTP/1.1 400 Bad Request\r\n", None),
            (b"", None),
        ] {
            assert_eq!(recognise(bytes), greeting, "{}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn nobody_speaks_before_a_greeting_has_ended() {
        for (bytes, whole) in [
            (&b"220 mx ESMTP\r\n"[..], true),
            (b"220 mx ES", false),
            (b"220-mx ESMTP\r\n", false),
            (b"220-mx ESMTP\r\n220 go\r\n", true),
            (b"220-FTP here\r\n any words\r\n2201 of them\r\n", false),
            (b"220-FTP here\r\n any words\r\n220 go\r\n", true),
            (b"* OK rea", false),
            (b"SSH-2.0-OpenSSH_9.2p1", false),
            (b"SSH-2.0-OpenSSH_9.2p1\r\n", true),
            (b"Welcome\r\nSSH-2.0-OpenSSH_9.2p1\r\n\0\0\x01", true),
            (b"Welcome\r\n", false),
            (b"RFB 003.008\n", true),
        ] {
            assert_eq!(is_whole(bytes), whole, "{}", String::from_utf8_lossy(bytes));
        }
        assert_eq!(auth_tls(without_greeting(b"220 go\r\n234 yes\r\n")), Upgrade::Offered);
        assert_eq!(answer_after_greeting(b"220 go\r\n"), Enough::NotYet);
        assert_eq!(answer_after_greeting(b"220 go\r\n530 no\r\n"), Enough::Yes);
        let banner = greeting_evidence("ssh", b"Welcome\r\nSSH-2.0-OpenSSH_9.2p1\r\n").banner;
        assert_eq!(banner.as_deref(), Some("SSH-2.0-OpenSSH_9.2p1"));
    }

    #[test]
    fn offers_are_read() {
        let (starttls, auth) = ehlo(b"250-mx\r\n250-AUTH LOGIN PLAIN\r\n250-STARTTLS\r\n250 HELP\r\n");
        assert_eq!((starttls, auth), (Some(true), vec!["LOGIN".to_owned(), "PLAIN".to_owned()]));
        assert_eq!(ehlo(b"250-mx\r\n250 STARTTLSX\r\n").0, Some(false));
        assert_eq!(ehlo(b"502 no\r\n").0, None);
        assert_eq!(auth_tls(b"234 go\r\n"), Upgrade::Offered);
        assert_eq!(auth_tls(b"530 login first\r\n"), Upgrade::NotOffered);
        assert!(matches!(auth_tls(b"431 later\r\n"), Upgrade::Unknown { .. }));
        assert!(matches!(auth_tls(b""), Upgrade::Unknown { .. }));
        let (upgrade, auth) = imap_capabilities(b"* CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED\r\na1 OK done\r\n");
        assert_eq!((upgrade, auth.len()), (Upgrade::Offered, 0));
        let (upgrade, auth) = imap_capabilities(b"* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\na1 OK done\r\n");
        assert_eq!((upgrade, auth.len()), (Upgrade::NotOffered, 2));
        assert_eq!(pop3_capabilities(b"+OK\r\nSTLS\r\nUSER\r\n.\r\n").0, Upgrade::Offered);
        assert_eq!(vnc_security_types(&[2, 1, 2], false), Some(vec![1, 2]));
        assert_eq!(vnc_security_types(&[0, 0, 0, 0, 5], false), None);
        assert_eq!(vnc_security_types(&[0, 0, 0, 2], true), Some(vec![2]));
        assert_eq!(rsync_modules(b"@RSYNCD: 31.0\nbackup         \tnightly\n@RSYNCD: EXIT\n"), ["backup"]);
        assert_eq!(without_telnet_commands(b"\xff\xfd\x18hi\xff\xfa\x01\x02\xff\xf0!\xff"), b"hi!");
    }

    proptest! {
        #[test]
        fn hostile_answers_break_nothing(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            let _ = recognise(&bytes);
            let (_, names) = ehlo(&bytes);
            prop_assert!(names.len() <= MAX_NAMES);
            let _ = imap_capabilities(&bytes);
            let _ = pop3_capabilities(&bytes);
            let _ = auth_tls(&bytes);
            let _ = vnc_security_types(&bytes, bytes.len() % 2 == 0);
            prop_assert!(rsync_modules(&bytes).len() <= MAX_NAMES);
            prop_assert!(without_telnet_commands(&bytes).len() <= bytes.len());
            let _ = reply_complete(&bytes);
            let _ = is_whole(&bytes);
            let _ = answer_after_greeting(&bytes);
            for greeting in [Greeting::Ssh, Greeting::Smtp, Greeting::Ftp, Greeting::Imap, Greeting::Mysql] {
                let _ = overheard(greeting, &bytes, Layer::Plain);
            }
        }
    }
}
