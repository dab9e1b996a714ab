//! Turning a plain connection into one that is ready for a TLS hello.
//!
//! Every dialogue is the shortest the protocol allows, sends no credentials and reads at most [`MAX_ANSWER`] bytes.

use bartizan_domain::evidence::{FailureKind, ProbeFailure, StartTls};
use bartizan_outbound::io_failure;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Most bytes of one answer that are read.
const MAX_ANSWER: usize = 16 * 1024;

/// The LDAP extended request with the OID of StartTLS (RFC 4511, section 4.14), message id 1.
const LDAP_REQUEST: &[u8] = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037";
/// The PostgreSQL SSLRequest message.
const POSTGRES_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];

/// Asks the peer to start TLS. `name` is the server name, which XMPP wants to hear.
///
/// # Errors
/// [`FailureKind::Protocol`] when the peer does not offer TLS or speaks something else; the class of the I/O error
/// otherwise. The caller bounds the time.
pub async fn upgrade<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    protocol: StartTls,
    name: Option<&str>,
) -> Result<(), ProbeFailure> {
    let mut dialogue = Dialogue { stream, protocol };
    match protocol {
        StartTls::Smtp => {
            dialogue.reply_code("220").await?;
            dialogue.send(b"EHLO scanner.invalid\r\n").await?;
            let offer = dialogue.reply_code("250").await?;
            if !offer.to_ascii_uppercase().contains("STARTTLS") {
                return Err(dialogue.not_offered());
            }
            dialogue.send(b"STARTTLS\r\n").await?;
            dialogue.reply_code("220").await.map(drop)
        }
        StartTls::Ftp => {
            dialogue.reply_code("220").await?;
            dialogue.send(b"AUTH TLS\r\n").await?;
            dialogue.reply_code("234").await.map(drop)
        }
        StartTls::Imap => {
            dialogue.line("* OK").await?;
            dialogue.send(b"a1 STARTTLS\r\n").await?;
            let answer = dialogue.read_until(|text| tagged(text).is_some()).await?;
            match tagged(&answer) {
                Some(line) if line.to_ascii_uppercase().starts_with("A1 OK") => Ok(()),
                _ => Err(dialogue.not_offered()),
            }
        }
        StartTls::Pop3 => {
            dialogue.line("+OK").await?;
            dialogue.send(b"STLS\r\n").await?;
            dialogue.line("+OK").await
        }
        StartTls::Ldap => {
            dialogue.send(LDAP_REQUEST).await?;
            dialogue.ldap_answer().await
        }
        StartTls::Postgres => {
            dialogue.send(&POSTGRES_REQUEST).await?;
            match dialogue.exactly(1).await?.as_slice() {
                b"S" => Ok(()),
                _ => Err(dialogue.not_offered()),
            }
        }
        StartTls::Mysql => dialogue.mysql().await,
        StartTls::Xmpp => dialogue.xmpp(name).await,
    }
}

struct Dialogue<'a, S> {
    stream: &'a mut S,
    protocol: StartTls,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Dialogue<'_, S> {
    async fn send(&mut self, bytes: &[u8]) -> Result<(), ProbeFailure> {
        let doing = format!("asking for TLS over {}", self.protocol);
        self.stream.write_all(bytes).await.map_err(|error| io_failure(&error, &doing))
    }

    async fn read_some(&mut self, into: &mut Vec<u8>) -> Result<(), ProbeFailure> {
        let doing = format!("asking for TLS over {}", self.protocol);
        let mut buffer = [0_u8; 2048];
        let count = self.stream.read(&mut buffer).await.map_err(|error| io_failure(&error, &doing))?;
        if count == 0 {
            return Err(ProbeFailure::new(FailureKind::Reset, format!("{doing}: the server closed the connection")));
        }
        into.extend_from_slice(&buffer[..count]);
        if into.len() > MAX_ANSWER {
            return Err(ProbeFailure::new(FailureKind::Limit, format!("{doing}: the answer does not end")));
        }
        Ok(())
    }

    async fn read_until(&mut self, complete: impl Fn(&str) -> bool) -> Result<String, ProbeFailure> {
        let mut bytes = Vec::new();
        loop {
            self.read_some(&mut bytes).await?;
            let text = String::from_utf8_lossy(&bytes);
            if complete(&text) {
                return Ok(text.into_owned());
            }
        }
    }

    async fn exactly(&mut self, count: usize) -> Result<Vec<u8>, ProbeFailure> {
        let doing = format!("asking for TLS over {}", self.protocol);
        let mut bytes = vec![0_u8; count];
        self.stream.read_exact(&mut bytes).await.map_err(|error| io_failure(&error, &doing))?;
        Ok(bytes)
    }

    /// A reply of SMTP or FTP, of one or several lines, with the wanted code.
    async fn reply_code(&mut self, code: &str) -> Result<String, ProbeFailure> {
        let text = self.read_until(reply_complete).await?;
        if text.starts_with(code) { Ok(text) } else { Err(self.unexpected(&text)) }
    }

    async fn line(&mut self, wanted: &str) -> Result<(), ProbeFailure> {
        let text = self.read_until(|text| text.ends_with('\n')).await?;
        let start = text.get(..wanted.len()).unwrap_or(&text);
        if start.eq_ignore_ascii_case(wanted) { Ok(()) } else { Err(self.unexpected(&text)) }
    }

    async fn ldap_answer(&mut self) -> Result<(), ProbeFailure> {
        let head = self.exactly(2).await?;
        let length = match head.as_slice() {
            [0x30, short] if *short < 0x80 => usize::from(*short),
            [0x30, 0x81] => usize::from(self.exactly(1).await?[0]),
            [0x30, 0x82] => {
                let bytes = self.exactly(2).await?;
                usize::from(u16::from_be_bytes([bytes[0], bytes[1]]))
            }
            [0x30, 0x84] => {
                let bytes = self.exactly(4).await?;
                usize::try_from(u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])).unwrap_or(usize::MAX)
            }
            _ => return Err(self.unexpected("no LDAP message")),
        };
        if length > MAX_ANSWER {
            return Err(self.unexpected("an LDAP message that is too long"));
        }
        let message = self.exactly(length).await?;
        // messageID INTEGER 1, then ExtendedResponse [APPLICATION 24] with resultCode ENUMERATED first.
        let result = match message.as_slice() {
            [0x02, 0x01, 0x01, 0x78, rest @ ..] => {
                let skip = match rest.first() {
                    Some(short) if *short < 0x80 => 1,
                    Some(long) => 1 + usize::from(*long & 0x7f),
                    None => 0,
                };
                rest.get(skip..).unwrap_or_default()
            }
            _ => return Err(self.unexpected("another LDAP message than asked for")),
        };
        match result {
            [0x0a, 0x01, 0x00, ..] => Ok(()),
            _ => Err(self.not_offered()),
        }
    }

    async fn mysql(&mut self) -> Result<(), ProbeFailure> {
        const SSL: u16 = 0x0800;
        let head = self.exactly(4).await?;
        let length = usize::from(head[0]) | usize::from(head[1]) << 8 | usize::from(head[2]) << 16;
        if length > MAX_ANSWER {
            return Err(self.unexpected("no MySQL greeting"));
        }
        let greeting = self.exactly(length).await?;
        if greeting.first() != Some(&10) {
            return Err(self.unexpected("no MySQL greeting of version 10"));
        }
        // After the version text: thread id (4), scramble (8), filler (1), low half of the capabilities (2).
        let version_end = greeting.iter().position(|byte| *byte == 0).unwrap_or(greeting.len());
        let capabilities = greeting
            .get(version_end + 14..version_end + 16)
            .map_or(0, |bytes| u16::from_le_bytes([bytes[0], bytes[1]]));
        if capabilities & SSL == 0 {
            return Err(self.not_offered());
        }
        let mut request = vec![32, 0, 0, 1];
        // CLIENT_LONG_PASSWORD, PROTOCOL_41, SSL, SECURE_CONNECTION, PLUGIN_AUTH.
        request.extend_from_slice(&0x0008_8a01_u32.to_le_bytes());
        request.extend_from_slice(&0x0100_0000_u32.to_le_bytes());
        request.push(33);
        request.extend_from_slice(&[0; 23]);
        self.send(&request).await
    }

    async fn xmpp(&mut self, name: Option<&str>) -> Result<(), ProbeFailure> {
        let plain = |name: &&str| name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'));
        let to = name.filter(plain).map(|name| format!(" to='{name}'")).unwrap_or_default();
        let header = format!(
            "<?xml version='1.0'?><stream:stream{to} xmlns='jabber:client' \
             xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>"
        );
        self.send(header.as_bytes()).await?;
        let ended = |text: &str| {
            text.contains("</stream:features>")
                || text.contains("<stream:features/>")
                || text.contains("<stream:error>")
        };
        let features = self.read_until(ended).await?;
        if !features.contains("<starttls") {
            return Err(self.not_offered());
        }
        self.send(b"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>").await?;
        let answer = self.read_until(|text| text.contains('>')).await?;
        if answer.contains("<proceed") { Ok(()) } else { Err(self.not_offered()) }
    }

    fn not_offered(&self) -> ProbeFailure {
        ProbeFailure::new(FailureKind::Protocol, format!("the {} server does not offer TLS", self.protocol))
    }

    fn unexpected(&self, answer: &str) -> ProbeFailure {
        let start: String = answer.chars().filter(|c| !c.is_control()).take(80).collect();
        ProbeFailure::new(
            FailureKind::Protocol,
            format!("asking for TLS over {}: unexpected answer: {start}", self.protocol),
        )
    }
}

/// Whether an SMTP or FTP reply has ended: its last line has a space after the code (RFC 5321, RFC 959).
fn reply_complete(text: &str) -> bool {
    text.ends_with('\n')
        && text.lines().next_back().is_some_and(|line| {
            line.len() >= 3
                && line.as_bytes()[..3].iter().all(u8::is_ascii_digit)
                && line.as_bytes().get(3) != Some(&b'-')
        })
}

/// The complete line that answers our one IMAP command.
fn tagged(text: &str) -> Option<&str> {
    text.split_inclusive('\n')
        .find(|line| line.ends_with('\n') && line.get(..3).is_some_and(|tag| tag.eq_ignore_ascii_case("a1 ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn multi_line_replies_end_at_the_line_with_a_space() {
        assert!(!reply_complete("250-mail.example\r\n250-STARTTLS\r\n"));
        assert!(reply_complete("250-mail.example\r\n250 STARTTLS\r\n"));
        assert!(!reply_complete("220 half a li"));
        assert!(reply_complete("234\r\n"));
        assert_eq!(tagged("* CAPABILITY x\r\na1 OK begin\r\n"), Some("a1 OK begin\r\n"));
        assert_eq!(tagged("a1 OK beg"), None);
    }

    #[tokio::test]
    async fn hostile_answers_end_in_a_failure() {
        for protocol in [
            StartTls::Smtp,
            StartTls::Imap,
            StartTls::Pop3,
            StartTls::Ftp,
            StartTls::Ldap,
            StartTls::Postgres,
            StartTls::Mysql,
            StartTls::Xmpp,
        ] {
            for answer in
                [&b""[..], b"\r\n", b"\x30\x84\xff\xff\xff\xff", b"\xff\xff\xff\x00\x0a", b"HTTP/1.1 400 Bad\r\n\r\n"]
            {
                let (mut ours, mut theirs) = tokio::io::duplex(64 * 1024);
                theirs.write_all(answer).await.unwrap();
                theirs.shutdown().await.unwrap();
                let result = upgrade(&mut ours, protocol, Some("host.example")).await;
                assert!(result.is_err(), "{protocol} took {answer:?}");
            }
        }
    }
}
