//! Mail by SMTP.

use std::fmt;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use bartizan_outbound::tls_verified::{self, Trust};
use bartizan_outbound::{Outbound, Purpose, Settings};
use lettre::address::Envelope;
use lettre::message::header::{Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message, MultiPart};
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, AsyncTokioStream};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, transport::smtp};
use secrecy::{ExposeSecret as _, SecretString};

use crate::letter::Letter;
use crate::starttls::{self, Line, Refusal};

/// Addresses of a server that are tried.
const MAX_ADDRESSES: usize = 4;
/// Characters of a reason that are kept: a server writes as long a refusal as it likes.
const MAX_DETAIL: usize = 500;

/// How the connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte (port 465).
    Tls,
    /// TLS after `STARTTLS`, without which nothing is sent (port 587).
    StartTls,
    /// None: for a relay on this machine or in a network that is trusted.
    Plain,
}

/// A mail server, and who we are to it.
#[derive(Debug, Clone)]
pub struct Server {
    /// Its name or address. Its certificate must be for it.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub security: Security,
    /// Name and password, where it asks for them. They are never sent without TLS.
    pub credentials: Option<(String, SecretString)>,
    /// Roots in PEM to be believed beside the public ones.
    pub roots: Option<String>,
    /// What we call ourselves: a host name, or empty.
    pub hello: String,
    /// How long each step may take.
    pub patience: Duration,
}

/// One letter on its way.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// Address of the sender.
    pub from_address: String,
    /// Name of the sender; may be empty.
    pub from_name: String,
    /// Address of the recipient.
    pub to: String,
    /// What it says.
    pub letter: Letter,
    /// The same for each repetition, so that a mailbox can tell one from a second letter. Letters, digits and hyphens.
    pub id: String,
    /// When it was written.
    pub at: SystemTime,
}

/// How far a delivery came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Looking up the address of the server.
    Resolve,
    /// Connecting and greeting.
    Connect,
    /// Protecting the connection.
    Tls,
    /// Signing in.
    Auth,
    /// Handing over the letter.
    Send,
}

impl Stage {
    /// The name as shown: `resolve`, `connect`, `tls`, `auth`, `send`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Resolve => "resolve",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Auth => "auth",
            Self::Send => "send",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a letter was not delivered. The text may be shown to an administrator and holds no password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{stage}: {detail}")]
pub struct SendError {
    /// Where it ended.
    pub stage: Stage,
    /// What happened, at most 500 characters.
    pub detail: String,
    /// Whether it would end alike the next time: the server refused for good, or something cannot be sent at all.
    pub permanent: bool,
}

impl SendError {
    fn new(stage: Stage, detail: impl Into<String>) -> Self {
        Self { stage, detail: detail.into(), permanent: false }
    }

    fn permanent(stage: Stage, detail: impl Into<String>) -> Self {
        Self { permanent: true, ..Self::new(stage, detail) }
    }
}

/// Delivers a letter to the server.
///
/// # Errors
/// [`SendError`]: at which stage, why, and whether trying again makes sense.
pub async fn deliver(server: &Server, delivery: &Delivery) -> Result<(), SendError> {
    attempt(server, delivery).await.map_err(|error| SendError { detail: presentable(&error.detail, server), ..error })
}

async fn attempt(server: &Server, delivery: &Delivery) -> Result<(), SendError> {
    let (envelope, message) = write(delivery)?;
    if server.credentials.is_some() && server.security == Security::Plain {
        return Err(SendError::permanent(Stage::Auth, "a password is not sent without TLS"));
    }
    let mut last = None;
    for address in resolve(server).await? {
        match connect(server, address).await {
            Ok(mut connection) => {
                let sent = converse(server, &mut connection, &envelope, &message).await;
                // The letter was taken or it was not; a farewell changes neither.
                let _ = tokio::time::timeout(server.patience, connection.quit()).await;
                return sent;
            }
            // Another address of the same server may be reachable.
            Err(error) if error.stage == Stage::Connect => last = Some(error),
            Err(error) => return Err(error),
        }
    }
    Err(last.unwrap_or_else(|| SendError::new(Stage::Resolve, format!("{} has no address", server.host))))
}

fn write(delivery: &Delivery) -> Result<(Envelope, Vec<u8>), SendError> {
    let refuse = |what: &str, error: &dyn fmt::Display| SendError::permanent(Stage::Send, format!("{what}: {error}"));
    let address = |what: &str, text: &str| text.parse::<Address>().map_err(|error| refuse(what, &error));
    let from = address("the sender's address", &delivery.from_address)?;
    let to = address("the recipient's address", &delivery.to)?;
    let name = one_line(&delivery.from_name);
    let id: String = delivery.id.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
    let message = Message::builder()
        .message_id(Some(format!("<{id}@{}>", from.domain())))
        .date(delivery.at)
        .from(Mailbox::new((!name.is_empty()).then_some(name), from))
        .to(Mailbox::new(None, to))
        .subject(one_line(&delivery.letter.subject))
        .header(AutoSubmitted)
        .multipart(MultiPart::alternative_plain_html(delivery.letter.text.clone(), delivery.letter.html.clone()))
        .map_err(|error| refuse("the letter cannot be written", &error))?;
    Ok((message.envelope().clone(), message.formatted()))
}

/// Text for a header: what could end the line is a space.
fn one_line(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    line.trim().to_owned()
}

/// Tells out-of-office programs not to answer (RFC 3834).
#[derive(Debug, Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

async fn resolve(server: &Server) -> Result<Vec<SocketAddr>, SendError> {
    let host = server.host.trim_matches(['[', ']']);
    let lookup = tokio::net::lookup_host((host, server.port));
    let found = within(server, Stage::Resolve, lookup).await?;
    let found = found.map_err(|error| SendError::new(Stage::Resolve, format!("{host} has no address: {error}")))?;
    Ok(found.take(MAX_ADDRESSES).collect())
}

/// Connects, protects the connection and greets.
async fn connect(server: &Server, address: SocketAddr) -> Result<AsyncSmtpConnection, SendError> {
    let settings = Settings { connect_timeout: server.patience, max_sockets: 1, ..Settings::default() };
    let connected = Outbound::new(settings).connect_as(Purpose::Service, address).await;
    let connected = connected.map_err(|failure| SendError::new(Stage::Connect, failure.to_string()))?;
    // The permit counts sockets of a scan; this is one socket.
    let (mut stream, _permit) = connected.into_parts();
    let line: Box<dyn AsyncTokioStream> = match server.security {
        Security::Plain => Box::new(Line::fresh(stream, address)),
        Security::Tls => Box::new(Line::fresh(protect(server, stream).await?, address)),
        Security::StartTls => {
            let hello = hello(server).to_string();
            within(server, Stage::Tls, starttls::ask(&mut stream, &hello)).await?.map_err(|refusal| {
                let stage = if matches!(refusal, Refusal::NoTls(_)) { Stage::Tls } else { Stage::Connect };
                SendError::new(stage, refusal.to_string())
            })?;
            Box::new(Line::greeted(protect(server, stream).await?, address))
        }
    };
    let hello = hello(server);
    let greeted = AsyncSmtpConnection::connect_with_transport(line, &hello);
    within(server, Stage::Connect, greeted).await?.map_err(|error| refused(Stage::Connect, &error))
}

async fn protect(
    server: &Server,
    stream: tokio::net::TcpStream,
) -> Result<impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + Sync + fmt::Debug + 'static, SendError> {
    let trust = match &server.roots {
        None => Trust::public_roots(),
        Some(pem) => {
            let extra = tls_verified::certificates_of(pem);
            let extra =
                extra.map_err(|why| SendError::permanent(Stage::Tls, format!("the trusted certificate: {why}")))?;
            Trust::public_roots_and(&extra)
        }
    };
    let Trust::Roots(roots) = trust else { unreachable!("roots were asked for") };
    let name = server.host.trim_matches(['[', ']']);
    let handshake = tls_verified::connect_for(stream, name, &roots, &[]);
    within(server, Stage::Tls, handshake).await?.map_err(|failure| SendError::new(Stage::Tls, failure.to_string()))
}

/// Signs in and hands the letter over.
async fn converse(
    server: &Server,
    connection: &mut AsyncSmtpConnection,
    envelope: &Envelope,
    message: &[u8],
) -> Result<(), SendError> {
    if let Some((name, password)) = &server.credentials {
        let credentials = Credentials::new(name.clone(), password.expose_secret().to_owned());
        let signed_in = connection.auth(&[Mechanism::Plain, Mechanism::Login], &credentials);
        within(server, Stage::Auth, signed_in).await?.map_err(|error| refused(Stage::Auth, &error))?;
    }
    let sent = connection.send(envelope, message);
    within(server, Stage::Send, sent).await?.map_err(|error| refused(Stage::Send, &error))?;
    Ok(())
}

fn refused(stage: Stage, error: &smtp::Error) -> SendError {
    let source = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    let detail = match error.status() {
        Some(code) => format!("the server answers {code} {source}"),
        None if source.is_empty() => error.to_string(),
        None => source,
    };
    // What `lettre` itself declines (no common way to sign in, an address the server cannot take) stays declined.
    let permanent = error.is_permanent() || error.is_client();
    SendError { permanent, ..SendError::new(stage, detail) }
}

async fn within<T>(server: &Server, stage: Stage, work: impl Future<Output = T>) -> Result<T, SendError> {
    let late = |_| SendError::new(stage, format!("no answer within {} seconds", server.patience.as_secs()));
    tokio::time::timeout(server.patience, work).await.map_err(late)
}

fn hello(server: &Server) -> ClientId {
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
    if !server.hello.is_empty() && server.hello.chars().all(good) {
        ClientId::Domain(server.hello.clone())
    } else {
        ClientId::Ipv4([127, 0, 0, 1].into())
    }
}

/// A reason that can be shown: one line, of bounded length, without the password, which some servers repeat.
fn presentable(detail: &str, server: &Server) -> String {
    let mut text = one_line(detail);
    if let Some((name, password)) = &server.credentials {
        let password = password.expose_secret();
        let forms = [password.to_owned(), base64(password), base64(&format!("\0{name}\0{password}"))];
        for form in forms.iter().filter(|form| !form.is_empty()) {
            text = text.replace(form.as_str(), "[password]");
        }
    }
    if text.chars().count() > MAX_DETAIL {
        text = text.chars().take(MAX_DETAIL).chain(['…']).collect();
    }
    text
}

fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::letter::Subject;
    use proptest::prelude::*;

    fn server() -> Server {
        Server {
            host: "mail.example.com".to_owned(),
            port: 587,
            security: Security::StartTls,
            credentials: Some(("ada".to_owned(), "s3cret&word".to_owned().into())),
            roots: None,
            hello: "bartizan.example.com".to_owned(),
            patience: Duration::from_secs(5),
        }
    }

    fn delivery() -> Delivery {
        Delivery {
            from_address: "bartizan@example.com".to_owned(),
            from_name: "Bartizan".to_owned(),
            to: "ada@example.com".to_owned(),
            letter: Letter::new(&Subject::Test),
            id: "01991b5e-7c1a-7cc2-b5a5-0b1d6f6f1c55".to_owned(),
            at: SystemTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_letter_is_a_message_with_both_bodies() {
        let (envelope, message) = write(&delivery()).unwrap();
        let text = String::from_utf8(message).unwrap();
        assert_eq!(envelope.to()[0].to_string(), "ada@example.com");
        for line in [
            "Message-ID: <01991b5e-7c1a-7cc2-b5a5-0b1d6f6f1c55@example.com>\r\n",
            "Auto-Submitted: auto-generated\r\n",
            "Date: Thu, 01 Jan 1970 00:00:00 +0000\r\n",
            "Content-Type: text/plain; charset=utf-8\r\n",
            "Content-Type: text/html; charset=utf-8\r\n",
        ] {
            assert!(text.contains(line), "{line} in {text}");
        }
    }

    #[test]
    fn addresses_that_are_none_end_a_delivery_for_good() {
        for bad in ["", "ada", "ada@example.com\r\nBcc: eve@example.com", "<ada@example.com>"] {
            let error = write(&Delivery { to: bad.to_owned(), ..delivery() }).unwrap_err();
            assert_eq!((error.stage, error.permanent), (Stage::Send, true), "{bad:?}");
        }
    }

    #[test]
    fn a_reason_shows_no_password_and_has_an_end() {
        let echo = format!("535 bad s3cret&word {} {}", base64("s3cret&word"), base64("\0ada\0s3cret&word"));
        assert_eq!(presentable(&echo, &server()), "535 bad [password] [password] [password]");
        assert_eq!(presentable(&"x".repeat(10_000), &server()).chars().count(), MAX_DETAIL + 1);
        assert_eq!(presentable("one\r\ntwo\u{1b}[31m", &server()), "one  two [31m");
    }

    proptest! {
        /// Whatever names people give, headers are the ones we write.
        #[test]
        fn nothing_in_a_name_becomes_a_header(name in any::<String>(), subject in "\\PC*[\r\n\\PC]*") {
            let mut hostile = delivery();
            hostile.from_name = format!("{name}\r\nBcc: eve@example.com\r\n");
            hostile.letter.subject = format!("{subject}\nX-Injected: yes\r\n\r\nbody");
            let (_, message) = write(&hostile).unwrap();
            let text = String::from_utf8(message).unwrap();
            let head = text.split("\r\n\r\n").next().unwrap();
            for line in head.split("\r\n").filter(|line| !line.starts_with([' ', '\t'])) {
                let header = line.split(':').next().unwrap();
                prop_assert!(
                    ["Message-ID", "Date", "From", "To", "Subject", "Auto-Submitted", "MIME-Version", "Content-Type"]
                        .contains(&header),
                    "{line:?} in {head:?}"
                );
            }
        }
    }
}
