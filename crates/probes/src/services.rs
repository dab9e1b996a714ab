//! What speaks on an open port: identification by protocol and not by port number.
//!
//! The order of the questions follows the port (`content/services/probes.toml`) to save time; the answer alone decides.
//! A port without a hint is listened to and sent a TLS hello at the same time, then asked for HTTP, then asked in
//! every other protocol at once; the caller's timeout says how long an answer may take. Behind TLS the same search runs
//! again inside. Ports of machines that unknown words can hurt are spared ([`crate::Caution`]). Questions are what an ordinary client
//! of the protocol begins with; nothing is written, nobody logs in with a password, and access without credentials is
//! proven by reading a version, a count or a list of names.
//!
//! Start reading at [`identify`], then `search`. Line protocols are in `text`, datastores in `data` and `mongo`, other binary
//! protocols in `binary`, HTTP and the services behind it in `http`.

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::time::Duration;

use bartizan_catalog::Catalog;
use bartizan_domain::Transport;
use bartizan_domain::evidence::{Endpoint, Observation, ProbeFailure, ServiceEvidence};
use serde::Deserialize;

use crate::ProbeContext;
use search::Search;
use wire::{Dialer, Ear, Enough, Layer};

mod binary;
mod data;
mod exchanges;
mod http;
mod mongo;
mod openvpn;
pub mod recog;
mod search;
mod signatures;
mod sites;
mod text;
mod udp;
mod wire;
mod xmpp;
mod xwindow;

/// How long an answer to a request is awaited before other questions are put beside it. How long in all is the caller's
/// timeout.
const ANSWER: Duration = Duration::from_secs(3);
/// The same for a greeting on a port that is known for one: servers delay it to put off spammers.
const HINTED_GREETING: Duration = Duration::from_secs(6);
/// How long a greeting is listened for elsewhere. One that comes later is heard by the questions that are open then.
const GREETING: Duration = Duration::from_millis(1500);
/// How long more is awaited of a peer that has said something which is no greeting yet.
const REST_OF_GREETING: Duration = Duration::from_millis(1000);
/// What the whole search on one port may take beyond a number of timeouts of the caller.
const WHOLE: Duration = Duration::from_secs(20);
/// Under ceilings one question a second of a port has its turn at least (`sweep`), and of the many protocols each needs one.
const TURNS: Duration = Duration::from_secs(60);

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
    /// One of the protocols of `exchanges`.
    #[serde(untagged)]
    Exchange(exchanges::Protocol),
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
    spare: Vec<Spared>,
}

/// Ports where only what their number suggests is asked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Spared {
    ports: Vec<u16>,
    reason: String,
}

/// Identifies what speaks at `endpoint`. `name` is the asset's name, sent as SNI and `Host`; an asset that is an
/// address has none. A port that answers nothing we know is observed with `service` absent; a port that cannot be
/// connected to any more is a failure.
pub async fn identify(cx: &ProbeContext, endpoint: &Endpoint, name: Option<&str>) -> Observation<ServiceEvidence> {
    let found = search(cx, endpoint, name).await.map(|Found { mut evidence, heard }| {
        if let Some(recog) = &cx.recog {
            recog.enrich(&mut evidence, &heard);
        }
        evidence
    });
    found.into()
}

async fn search(cx: &ProbeContext, endpoint: &Endpoint, name: Option<&str>) -> Result<Found, ProbeFailure> {
    let address = bartizan_portscan::zone::endpoint(endpoint.address, endpoint.port);
    if endpoint.transport == Transport::Udp {
        let limit = cx.timeout * 2 + turns(cx);
        let evidence = cx.within(limit, "identifying the service", Box::pin(udp::identify(cx, address))).await?;
        return Ok(Found { evidence, heard: Vec::new() });
    }
    let dialer = Dialer { cx, address, layer: Layer::Plain, name, wait: cx.timeout, ear: Ear::default() };
    // Enough for every stage of the search outside and inside TLS, and for what is asked of an application that was found.
    let limit = cx.timeout * 6 + WHOLE + turns(cx);
    cx.within(limit, "identifying the service", Box::pin(Search::new(dialer).run())).await
}

/// How long the questions to a port may wait for their turns in all.
const fn turns(cx: &ProbeContext) -> Duration {
    if cx.outbound.is_paced() { TURNS } else { Duration::ZERO }
}

/// Evidence of a protocol with nothing else known yet.
fn evidence(service: &str) -> ServiceEvidence {
    ServiceEvidence { service: Some(service.to_owned()), ..ServiceEvidence::default() }
}

/// What was identified, and what the server said first when it was.
struct Found {
    evidence: ServiceEvidence,
    heard: Vec<u8>,
}

/// What a question came to.
enum Reply {
    Found(Box<ServiceEvidence>),
    /// TLS answers; the search goes on inside.
    Tls,
    /// Something was said that this question does not understand.
    NotUnderstood,
    Nothing,
}

struct Answer {
    reply: Result<Reply, ProbeFailure>,
    /// What the peer said first, whether it was understood or not.
    heard: Vec<u8>,
}

/// Puts a question over connections that are its own ([`Dialer::for_question`]). Whatever the peer says that the question
/// does not understand is what was heard.
async fn ask(dialer: &Dialer<'_>, question: Question) -> Answer {
    let reply = put(dialer, question).await;
    let heard = dialer.ear.heard();
    let reply = match reply {
        Ok(Reply::Nothing) | Err(_) if !heard.is_empty() => Ok(Reply::NotUnderstood),
        reply => reply,
    };
    Answer { reply, heard }
}

async fn put(dialer: &Dialer<'_>, question: Question) -> Result<Reply, ProbeFailure> {
    let found = match question {
        Question::Greeting => return listen(dialer).await,
        Question::Tls => {
            let answer = binary::tls_hello(dialer).await?;
            return Ok(if binary::is_tls(&answer) { Reply::Tls } else { Reply::Nothing });
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
        Question::Exchange(protocol) => Box::pin(exchanges::ask(protocol, dialer)).await?,
    };
    Ok(found.map_or(Reply::Nothing, |found| Reply::Found(Box::new(found))))
}

async fn listen(dialer: &Dialer<'_>) -> Result<Reply, ProbeFailure> {
    let mut channel = dialer.open().await?;
    let enough = |bytes: &[u8]| Enough::when(text::is_whole(bytes) || bytes.ends_with(b"\n"));
    let mut bytes = channel.read(enough).await?;
    // Whoever speaks before a greeting has ended is taken for one who does not know the protocol, and is answered out of
    // turn. What ends like a line and is no greeting may be lines before one.
    if !bytes.is_empty() && !text::is_whole(&bytes) && signatures::by_greeting(&bytes).is_none() {
        let begun = text::recognise(&bytes).is_some();
        channel.wait_for(if begun { dialer.cx.timeout } else { REST_OF_GREETING.min(dialer.cx.timeout) });
        bytes = channel.read_on(bytes, |bytes| Enough::when(text::is_whole(bytes))).await?;
    }
    if let Some(found) = signatures::by_greeting(&bytes).or_else(|| exchanges::greeted(&bytes)) {
        return Ok(Reply::Found(Box::new(found)));
    }
    let Some(greeting) = text::recognise(&bytes) else { return Ok(Reply::Nothing) };
    if !text::is_whole(&bytes) {
        return Ok(text::overheard(greeting, &bytes, dialer.layer)
            .map_or(Reply::Nothing, |found| Reply::Found(Box::new(found))));
    }
    let found = text::greeted(greeting, &bytes, &mut channel, dialer.layer).await?;
    Ok(found.map_or(Reply::Nothing, |found| Reply::Found(Box::new(found))))
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
    fn the_shipped_hints_parse_and_printers_and_controllers_are_spared() {
        assert!(hints().hints.get(&Question::Redis).unwrap().contains(&6379));
        let spared = |port: u16| hints().spare.iter().any(|spared| spared.ports.contains(&port));
        let asked = |port: u16| -> Vec<Question> {
            hints().hints.iter().filter(|(_, ports)| ports.contains(&port)).map(|(question, _)| *question).collect()
        };
        for port in 9100..=9102 {
            assert!(spared(port) && asked(port).is_empty(), "{port}");
        }
        for port in 9103..=9107 {
            assert!(spared(port) && asked(port) == [Question::Http], "{port}");
        }
        for port in [102, 502, 20_000, 44_818, 47_808] {
            assert!(spared(port), "{port}");
            assert!(!asked(port).contains(&Question::Http) && !asked(port).contains(&Question::Tls), "{port}");
        }
        assert!(hints().spare.iter().all(|spared| spared.reason.len() > 20));
    }
}
