//! What speaks on an open port: identification by protocol and not by port number.
//!
//! The order of the questions follows the port (`content/services/probes.toml`) to save time; the answer alone decides.
//! A port without a hint is listened to and sent a TLS hello at the same time, then asked for HTTP, then asked in
//! every other protocol at once. Behind TLS the same search runs again inside. Questions are what an ordinary client
//! of the protocol begins with; nothing is written, nobody logs in with a password, and access without credentials is
//! proven by reading a version, a count or a list of names.
//!
//! Start reading at [`identify`]. Line protocols are in `text`, datastores in `data` and `mongo`, other binary
//! protocols in `binary`, HTTP and the services behind it in `http`.

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::time::Duration;

use bartizan_catalog::Catalog;
use bartizan_domain::Transport;
use bartizan_domain::evidence::{Endpoint, Observation, ProbeFailure, ServiceEvidence};
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use serde::Deserialize;

use crate::ProbeContext;
use wire::{Dialer, Enough, Layer};

mod binary;
mod data;
mod http;
mod mongo;
mod openvpn;
pub mod recog;
mod signatures;
mod text;
mod udp;
mod wire;
mod xmpp;
mod xwindow;

/// How long an answer to a request is awaited.
const ANSWER: Duration = Duration::from_secs(3);
/// How long a greeting is awaited on a port that is known for one: servers delay it to put off spammers.
const HINTED_GREETING: Duration = Duration::from_secs(6);
/// How long a greeting is awaited elsewhere.
const GREETING: Duration = Duration::from_millis(1500);
/// Bound of the whole search on one port.
const WHOLE: Duration = Duration::from_secs(45);

/// A question put to a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Question {
    /// Listen.
    Greeting,
    /// Say hello in TLS, and search on inside if that is answered.
    Tls,
    Http,
    Redis,
    Memcached,
    Postgresql,
    Mongodb,
    Rdp,
    Smb,
    Ldap,
    Dns,
    Mqtt,
    Amqp,
    Xmpp,
    X11,
    Openvpn,
}

/// Questions without a greeting of the server, in the order of trust in their answers.
const OTHERS: [Question; 13] = [
    Question::Redis,
    Question::Memcached,
    Question::Postgresql,
    Question::Mongodb,
    Question::Rdp,
    Question::Smb,
    Question::Ldap,
    Question::Dns,
    Question::Mqtt,
    Question::Amqp,
    Question::Xmpp,
    Question::X11,
    Question::Openvpn,
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Hints {
    hints: BTreeMap<Question, Vec<u16>>,
    listen_only: ListenOnly,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListenOnly {
    ports: Vec<u16>,
    reason: String,
}

/// Identifies what speaks at `endpoint`. `name` is the asset's name, sent as SNI and `Host`; an asset that is an
/// address has none. A port that answers nothing we know is observed with `service` absent; a port that cannot be
/// connected to any more is a failure.
pub async fn identify(cx: &ProbeContext, endpoint: &Endpoint, name: Option<&str>) -> Observation<ServiceEvidence> {
    let mut found = search(cx, endpoint, name).await;
    if let (Some(recog), Ok(found)) = (&cx.recog, &mut found) {
        recog.enrich(found);
    }
    found.into()
}

async fn search(cx: &ProbeContext, endpoint: &Endpoint, name: Option<&str>) -> Result<ServiceEvidence, ProbeFailure> {
    let address = bartizan_portscan::zone::endpoint(endpoint.address, endpoint.port);
    if endpoint.transport == Transport::Udp {
        let limit = (cx.timeout * 2).min(WHOLE);
        return cx.within(limit, "identifying the service", Box::pin(udp::identify(cx, address))).await;
    }
    let dialer = Dialer { cx, address, layer: Layer::Plain, name, wait: cx.timeout.min(ANSWER) };
    // Enough for every question after the other, each with its own patience.
    let limit = (cx.timeout * 8).min(WHOLE);
    cx.within(limit, "identifying the service", Box::pin(Search::new(dialer).run())).await
}

/// Evidence of a protocol with nothing else known yet.
fn evidence(service: &str) -> ServiceEvidence {
    ServiceEvidence { service: Some(service.to_owned()), ..ServiceEvidence::default() }
}

struct Search<'c> {
    dialer: Dialer<'c>,
    asked: Vec<Question>,
    /// What was heard and not understood.
    heard: Option<Vec<u8>>,
    connected: bool,
    failure: Option<ProbeFailure>,
}

/// What a question came to.
enum Reply {
    Found(Box<ServiceEvidence>),
    /// TLS answers; the search goes on inside.
    Tls,
    /// Something was said that this question does not understand.
    Heard(Vec<u8>),
    Nothing,
}

impl<'c> Search<'c> {
    const fn new(dialer: Dialer<'c>) -> Self {
        Self { dialer, asked: Vec::new(), heard: None, connected: false, failure: None }
    }

    async fn run(mut self) -> Result<ServiceEvidence, ProbeFailure> {
        let port = self.dialer.address.port();
        let hints = hints();
        if hints.listen_only.ports.contains(&port) {
            let listening = self.dialer.waiting(self.dialer.cx.timeout.min(GREETING));
            let reply = ask(&listening, Question::Greeting).await;
            if let Some(found) = self.take(Question::Greeting, reply) {
                return Ok(found);
            }
            return self.unidentified(Some(&hints.listen_only.reason));
        }
        // A 400 to plain HTTP may be a TLS port complaining; every server that complains does so with that status.
        for (question, _) in hints.hints.iter().filter(|(_, ports)| ports.contains(&port)) {
            let reply = if *question == Question::Greeting {
                ask(&self.dialer.waiting(self.dialer.cx.timeout.min(HINTED_GREETING)), *question).await
            } else {
                ask(&self.dialer, *question).await
            };
            if matches!(reply, Ok(Reply::Tls)) {
                return self.inside().await;
            }
            if let Some(found) = self.take(*question, reply) {
                return self.settle(found).await;
            }
        }
        if !self.connected && self.failure.is_some() {
            return self.unidentified(None);
        }
        let listening = self.dialer.waiting(self.dialer.cx.timeout.min(GREETING));
        let (greeting, hello) = tokio::join!(
            ask_unless(&self.asked, &listening, Question::Greeting),
            ask_unless(&self.asked, &self.dialer, Question::Tls)
        );
        if let Some(found) = greeting.and_then(|reply| self.take(Question::Greeting, reply)) {
            return Ok(found);
        }
        match hello {
            Some(Ok(Reply::Tls)) => return self.inside().await,
            Some(reply) => drop(self.take(Question::Tls, reply)),
            None => {}
        }
        if !self.connected && self.failure.is_some() {
            return self.unidentified(None);
        }
        if let Some(reply) = ask_unless(&self.asked, &self.dialer, Question::Http).await
            && let Some(found) = self.take(Question::Http, reply)
        {
            return self.settle(found).await;
        }
        if let Some(found) = self.all_others().await {
            return Ok(found);
        }
        self.unidentified(None)
    }

    /// Every question that was not put yet, all at once; the first answer that is understood stands.
    async fn all_others(&mut self) -> Option<ServiceEvidence> {
        let dialer = self.dialer.clone();
        let mut replies: FuturesUnordered<_> = OTHERS
            .into_iter()
            .filter(|question| !self.asked.contains(question))
            .map(|question| {
                let dialer = &dialer;
                async move { (question, ask(dialer, question).await) }
            })
            .collect();
        while let Some((question, reply)) = replies.next().await {
            if let Some(found) = self.take(question, reply) {
                return Some(found);
            }
        }
        None
    }

    /// The search behind TLS.
    async fn inside(self) -> Result<ServiceEvidence, ProbeFailure> {
        let mut search = Search::new(Dialer { layer: Layer::Tls, ..self.dialer });
        let listening = search.dialer.waiting(search.dialer.cx.timeout.min(GREETING));
        let (greeting, http) =
            tokio::join!(Box::pin(ask(&listening, Question::Greeting)), Box::pin(ask(&search.dialer, Question::Http)));
        let found = match (search.take(Question::Greeting, greeting), search.take(Question::Http, http)) {
            (Some(found), _) | (None, Some(found)) => Some(found),
            // A handshake that no client of ours can complete (SSL 3.0, a client certificate demanded) says nothing
            // about what runs inside.
            (None, None) if !search.connected => None,
            (None, None) => search.all_others().await,
        };
        let mut found = found.unwrap_or_else(|| search.unknown(None));
        found.tls = true;
        Ok(found)
    }

    /// An HTTP answer that may come from a TLS port is checked before it stands.
    async fn settle(mut self, found: ServiceEvidence) -> Result<ServiceEvidence, ProbeFailure> {
        use bartizan_domain::evidence::service::ServiceDetails;
        let doubtful = matches!(found.details, ServiceDetails::Http { status: 400, .. });
        if doubtful && self.dialer.layer == Layer::Plain && !self.asked.contains(&Question::Tls) {
            let reply = ask(&self.dialer, Question::Tls).await;
            if matches!(reply, Ok(Reply::Tls)) {
                return self.inside().await;
            }
            drop(self.take(Question::Tls, reply));
        }
        Ok(found)
    }

    fn take(&mut self, question: Question, reply: Result<Reply, ProbeFailure>) -> Option<ServiceEvidence> {
        self.asked.push(question);
        match reply {
            Ok(reply) => {
                self.connected = true;
                match reply {
                    Reply::Found(found) => return Some(*found),
                    Reply::Heard(bytes) if self.heard.is_none() => self.heard = Some(bytes),
                    Reply::Heard(_) | Reply::Tls | Reply::Nothing => {}
                }
            }
            Err(failure) => self.failure = Some(failure),
        }
        None
    }

    fn unidentified(self, why: Option<&str>) -> Result<ServiceEvidence, ProbeFailure> {
        match self.failure {
            Some(failure) if !self.connected => Err(failure),
            _ => Ok(self.unknown(why)),
        }
    }

    /// Evidence of something that was heard at most, with why it is not known what.
    fn unknown(&self, why: Option<&str>) -> ServiceEvidence {
        use bartizan_domain::evidence::service::Access;
        let reason = match &self.failure {
            Some(failure) if !self.connected => failure.to_string(),
            _ => why.unwrap_or("no protocol that is known here was answered").to_owned(),
        };
        ServiceEvidence {
            banner: self.heard.as_deref().and_then(wire::banner),
            access: Access::Unknown { reason },
            ..ServiceEvidence::default()
        }
    }
}

async fn ask_unless(
    asked: &[Question],
    dialer: &Dialer<'_>,
    question: Question,
) -> Option<Result<Reply, ProbeFailure>> {
    if asked.contains(&question) { None } else { Some(Box::pin(ask(dialer, question)).await) }
}

async fn ask(dialer: &Dialer<'_>, question: Question) -> Result<Reply, ProbeFailure> {
    let found = match question {
        Question::Greeting => return listen(dialer).await,
        Question::Tls => {
            let answer = binary::tls_hello(dialer).await?;
            return match () {
                () if binary::is_tls(&answer) => Ok(Reply::Tls),
                () if answer.is_empty() => Ok(Reply::Nothing),
                () => Ok(Reply::Heard(answer)),
            };
        }
        Question::Http => Box::pin(http::http(dialer)).await?,
        Question::Redis => Box::pin(data::redis(dialer)).await?,
        Question::Memcached => Box::pin(data::memcached(dialer)).await?,
        Question::Postgresql => Box::pin(data::postgres(dialer)).await?,
        Question::Mongodb => Box::pin(mongo::mongodb(dialer)).await?,
        Question::Rdp => Box::pin(binary::rdp(dialer)).await?,
        Question::Smb => Box::pin(binary::smb(dialer)).await?,
        Question::Ldap => Box::pin(binary::ldap(dialer)).await?,
        Question::Dns => Box::pin(binary::dns(dialer)).await?,
        Question::Mqtt => Box::pin(binary::mqtt(dialer)).await?,
        Question::Amqp => Box::pin(binary::amqp(dialer)).await?,
        Question::Xmpp => Box::pin(xmpp::xmpp(dialer)).await?,
        Question::X11 => Box::pin(xwindow::x11(dialer)).await?,
        Question::Openvpn => Box::pin(openvpn::openvpn(dialer)).await?,
    };
    Ok(found.map_or(Reply::Nothing, |found| Reply::Found(Box::new(found))))
}

async fn listen(dialer: &Dialer<'_>) -> Result<Reply, ProbeFailure> {
    let mut channel = dialer.open().await?;
    // A greeting is complete with its line, or recognised before.
    let enough = |bytes: &[u8]| {
        Enough::when(
            bytes.ends_with(b"\n")
                || text::recognise(bytes)
                    .is_some_and(|greeting| greeting != text::Greeting::Reply220 && !bytes.starts_with(b"S")),
        )
    };
    let bytes = channel.read(enough).await?;
    if let Some(found) = signatures::by_greeting(&bytes) {
        return Ok(Reply::Found(Box::new(found)));
    }
    let Some(greeting) = text::recognise(&bytes) else {
        return Ok(if bytes.is_empty() { Reply::Nothing } else { Reply::Heard(bytes) });
    };
    match text::greeted(greeting, &bytes, &mut channel, dialer.layer).await? {
        Some(found) => Ok(Reply::Found(Box::new(found))),
        None => Ok(Reply::Heard(bytes)),
    }
}

fn hints() -> &'static Hints {
    static HINTS: OnceLock<Hints> = OnceLock::new();
    HINTS.get_or_init(|| match toml::from_str(Catalog::file("services/probes.toml").unwrap_or_default()) {
        Ok(hints) => hints,
        Err(error) => unreachable!("the embedded content is tested: {error}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_hints_parse_and_printers_are_left_alone() {
        assert!(hints().hints.get(&Question::Redis).unwrap().contains(&6379));
        for port in 9100..=9107 {
            assert!(hints().listen_only.ports.contains(&port));
            assert!(!hints().hints.values().flatten().any(|hinted| *hinted == port));
        }
    }
}
