//! Services over UDP: one datagram out, one back, in the protocols whose answers tell who speaks.
//!
//! Where the port says which protocols to expect, those are asked first; otherwise, and after silence, those that are found
//! on all kinds of ports, at the same time, each from a socket of its own. What is asked beyond the questions of this file
//! is in `content/ports/udp.toml`, and who reads the answers in `answers`.

use std::net::SocketAddr;
use std::time::Duration;

use bartizan_domain::evidence::service::{Access, ServiceDetails};
use bartizan_domain::evidence::{ProbeFailure, ServiceEvidence};
use bartizan_outbound::io_failure;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

use super::wire::{Cursor, printable};
use super::{binary, evidence, openvpn, signatures};
use crate::ProbeContext;
use crate::ports::udp::{self, Request};
pub use answers::Reader;

mod answers;

/// The request of a service that is spoken over connections in the same words, and who reads the answer.
pub fn datagram(service: &str) -> Option<(&'static [u8], Reader)> {
    let request = udp::requests().iter().find(|request| request.service == service)?;
    Some((&request.payload, answers::reader(service)?))
}

/// How long an answer is awaited before the question is put again.
const WAIT: Duration = Duration::from_millis(1200);
/// What whoever answered another question is allowed for thinking about each attempt at this one, beside [`ROUND_TRIPS`]. An
/// answer to the first attempt may come during the second.
const THINKING: Duration = Duration::from_millis(150);
/// Round trips that an answer may take where one of the same port is known.
const ROUND_TRIPS: u32 = 4;
/// How often a question is put.
const ATTEMPTS: usize = 2;

/// A question of this module, apart from the requests of `content/ports/udp.toml`: one that tells more than that the port
/// is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Own {
    Dns,
    Ntp,
    NtpTime,
    Snmp,
    OpenVpn,
}

const ALL: [Own; 5] = [Own::Dns, Own::Ntp, Own::NtpTime, Own::Snmp, Own::OpenVpn];
/// Services whose requests are put to a port that says nothing about its service; the others only where they are usual.
const EVERYWHERE: [&str; 8] = ["snmp", "sip", "stun", "ike", "coap", "tftp", "dtls", "memcached"];

impl Own {
    const fn usual(self, port: u16) -> bool {
        match self {
            Self::Dns => matches!(port, 53 | 5353),
            Self::Ntp | Self::NtpTime => port == 123,
            Self::Snmp => matches!(port, 161 | 162),
            Self::OpenVpn => port == 1194,
        }
    }

    fn request(self) -> Vec<u8> {
        match self {
            Self::Dns => binary::VERSION_BIND.to_vec(),
            Self::Ntp => READ_VARIABLES.to_vec(),
            Self::NtpTime => time_request(),
            Self::Snmp => ENGINE_DISCOVERY.to_vec(),
            Self::OpenVpn => openvpn::hello(),
        }
    }

    /// Whether a request of the content file is one of these.
    fn sends(request: &Request) -> bool {
        ALL.into_iter().any(|own| own.request() == request.payload)
    }

    fn read(self, answer: &[u8]) -> Option<ServiceEvidence> {
        match self {
            Self::Dns => dns(answer),
            Self::Ntp => ntp(answer),
            Self::NtpTime => ntp_time(answer),
            Self::Snmp => snmp(answer),
            Self::OpenVpn => openvpn::openvpn_answer(answer),
        }
    }
}

/// A question, and who understands the answer.
#[derive(Clone, Copy)]
enum Question {
    Own(Own),
    Content(&'static Request, Reader),
}

impl Question {
    /// The questions for a port: first those that are usual there, then those that are worth a try anywhere. Of several of
    /// one kind the first tells most.
    fn for_port(port: u16) -> (Vec<Self>, Vec<Self>) {
        let content = |request: &'static Request| Some(Self::Content(request, answers::reader(&request.service)?));
        let requests = || udp::requests().iter().filter(|request| !Own::sends(request));
        let own = ALL.into_iter().filter(|own| own.usual(port)).map(Self::Own);
        let there = requests().filter(|request| request.port == port).filter_map(content);
        let usual: Vec<Self> = own.chain(there).collect();
        let own = ALL.into_iter().filter(|own| !own.usual(port)).map(Self::Own);
        let others = EVERYWHERE.iter().filter_map(|service| {
            let known = |one: &Self| matches!(one, Self::Content(request, _) if request.service == *service);
            let request = requests().find(|request| request.service == *service)?;
            if usual.iter().any(known) { None } else { content(request) }
        });
        let others = own.chain(others).collect();
        (usual, others)
    }

    fn request(self) -> Vec<u8> {
        match self {
            Self::Own(own) => own.request(),
            Self::Content(request, _) => request.payload.clone(),
        }
    }

    fn read(self, answer: &[u8]) -> Option<ServiceEvidence> {
        match self {
            Self::Own(own) => own.read(answer),
            Self::Content(request, reader) => reader(&request.payload, answer),
        }
    }

    /// Whether this is one of the questions to an SNMP agent, which tell different things: who it is, and whether it lets
    /// strangers in.
    fn is_snmp(self) -> bool {
        match self {
            Self::Own(own) => own == Own::Snmp,
            Self::Content(request, _) => request.service == "snmp",
        }
    }

    /// Whether this reads under the community that equipment is shipped with.
    fn is_public(self) -> bool {
        self.is_snmp() && matches!(self, Self::Content(..))
    }

    /// Whether the answer comes from a port of its own (RFC 1350 section 4).
    fn answers_from_any_port(self) -> bool {
        matches!(self, Self::Content(request, _) if request.service == "tftp")
    }
}

/// Identifies what answers at `address`. Silence is evidence of nothing: the service is then unknown.
pub async fn identify(cx: &ProbeContext, address: SocketAddr) -> Result<ServiceEvidence, ProbeFailure> {
    let (usual, others) = Question::for_port(address.port());
    let (mut failure, heard) = (None, Heard::default());
    for questions in [usual, others] {
        let mut answers: FuturesUnordered<_> = (questions.iter().copied().enumerate())
            .map(|(rank, question)| {
                let heard = &heard;
                async move { (rank, question, ask(cx, address, question, heard).await) }
            })
            .collect();
        let mut best: Option<(usize, ServiceEvidence)> = None;
        let mut is_public_refused = false;
        let mut open: Vec<usize> = (0..questions.len()).collect();
        while let Some((rank, question, answer)) = answers.next().await {
            open.retain(|one| *one != rank);
            match answer {
                Ok(Some(found)) => {
                    best = Some(match best {
                        Some((known, before)) if question.is_snmp() && before.service == found.service => {
                            (known.min(rank), merged(before, found))
                        }
                        Some((known, before)) if known < rank => (known, before),
                        _ => (rank, found),
                    });
                }
                Ok(None) => is_public_refused |= question.is_public(),
                Err(error) => failure = Some(error),
            }
            if let Some((rank, found)) = &best {
                // One before it may still tell more, but is not waited for beyond this round of answers.
                let is_first = *rank == 0 || found.version.is_some();
                let is_snmp = found.service.as_deref() == Some("snmp");
                let is_missed = open.iter().filter_map(|rank| questions.get(*rank)).any(|one| is_snmp && one.is_snmp());
                if is_first && !is_missed {
                    break;
                }
            }
        }
        if let Some((_, mut found)) = best {
            // An agent leaves those unanswered whose community it does not know (RFC 3416 section 4.2.1), and this one does
            // answer.
            if is_public_refused
                && found.service.as_deref() == Some("snmp")
                && matches!(found.access, Access::Unknown { .. })
            {
                let proof = format!(
                    "SNMPv3 discovery was answered, GET with the community `public` was not ({ATTEMPTS} attempts)"
                );
                found.access = Access::AuthRequired { proof };
            }
            return Ok(found);
        }
    }
    match failure {
        Some(failure) => Err(failure),
        None => Ok(ServiceEvidence {
            access: Access::Unknown { reason: "no protocol that is known here was answered".to_owned() },
            ..ServiceEvidence::default()
        }),
    }
}

/// The shortest round trip of a port's answers, once there is one: who answers one question does not keep the others waiting
/// for as long as one who may not be there.
#[derive(Debug, Default)]
struct Heard(watch::Sender<Option<Duration>>);

impl Heard {
    fn answered(&self, round_trip: Duration) {
        self.0.send_if_modified(|shortest| {
            let is_shorter = shortest.is_none_or(|before| round_trip < before);
            *shortest = if is_shorter { Some(round_trip) } else { *shortest };
            is_shorter
        });
    }

    /// What `answer` gives, unless it takes too long since `sent`.
    async fn in_time<T>(&self, longest: Duration, sent: Instant, answer: impl Future<Output = T>) -> Option<T> {
        let mut shortest = self.0.subscribe();
        tokio::pin!(answer);
        loop {
            let known = *shortest.borrow_and_update();
            let wait = known.map_or(longest, |round_trip| longest.min(round_trip * ROUND_TRIPS + THINKING));
            tokio::select! {
                biased;
                answer = &mut answer => return Some(answer),
                () = sleep_until(sent + wait) => return None,
                _ = shortest.changed() => {}
            }
        }
    }
}

async fn ask(
    cx: &ProbeContext,
    address: SocketAddr,
    question: Question,
    heard: &Heard,
) -> Result<Option<ServiceEvidence>, ProbeFailure> {
    let failed = |error: std::io::Error| io_failure(&error, "asking a UDP service");
    let from_any_port = question.answers_from_any_port();
    let outbound = &cx.outbound;
    let datagram =
        if from_any_port { outbound.open_datagram(address).await? } else { outbound.datagram(address).await? };
    let mut answer = [0_u8; 4096];
    for attempt in 0..ATTEMPTS {
        if attempt > 0 {
            outbound.turn(address).await;
        }
        let request = question.request();
        let sent = if from_any_port {
            datagram.socket.send_to(&request, address).await
        } else {
            datagram.socket.send(&request).await
        };
        sent.map_err(failed)?;
        let sent = Instant::now();
        let (longest, received) = (cx.timeout.min(WAIT), datagram.socket.recv_from(&mut answer));
        // What silence says of the community is worth the whole wait.
        let received = if question.is_public() {
            timeout(longest, received).await.ok()
        } else {
            heard.in_time(longest, sent, received).await
        };
        if let Some(received) = received {
            let (count, from) = received.map_err(failed)?;
            let found = question.read(answer.get(..count).unwrap_or_default());
            if found.is_some() && from.ip() == address.ip() {
                // Of a repeated question nobody knows which one was answered (Karn's rule).
                if attempt == 0 {
                    heard.answered(sent.elapsed());
                }
                return Ok(found);
            }
        }
    }
    Ok(None)
}

// --- DNS

fn dns(answer: &[u8]) -> Option<ServiceEvidence> {
    // The reader takes messages as they come over TCP, with their length before them.
    let mut framed = u16::try_from(answer.len()).ok()?.to_be_bytes().to_vec();
    framed.extend(answer);
    let (recursion, version) = binary::dns_answer(&framed)?;
    let mut found = evidence("dns");
    found.details = ServiceDetails::Dns { recursion };
    if let Some(version) = version {
        signatures::apply(&mut found, &version);
        found.banner = Some(version);
    }
    Some(found)
}

// --- NTP

/// Mode 6, "read variables" of the system (RFC 9327 section 3), which a server answers with its version unless it was told not to.
const READ_VARIABLES: [u8; 12] = [0x16, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];

/// Reads the variables of a system; an answer in another mode is NTP as well.
pub fn ntp(answer: &[u8]) -> Option<ServiceEvidence> {
    let mut cursor = Cursor(answer);
    let (mode, operation) = (cursor.u8()?, cursor.u8()?);
    let sequence = cursor.be16()?;
    if mode & 7 != 6 || operation & 0x9f != 0x82 || sequence != 1 {
        return None;
    }
    let mut found = evidence("ntp");
    // Status, association, offset.
    cursor.take(6)?;
    let count = usize::from(cursor.be16()?);
    let text = printable(cursor.0.get(..count.min(cursor.0.len()))?, 400);
    let value = |name: &str| {
        let at = text.find(&format!("{name}=\""))? + name.len() + 2;
        let rest = text.get(at..)?;
        rest.get(..rest.find('"')?)
    };
    if let Some(version) = value("version") {
        found.banner = Some(version.to_owned());
        let version = version.to_owned();
        signatures::apply(&mut found, &version);
    }
    Some(found)
}

/// What our request for the time carries as its time of sending.
const SENT_AT: [u8; 8] = *b"bartizan";

/// An ordinary client request (RFC 5905, mode 3, version 4), for servers that keep their variables to themselves.
fn time_request() -> Vec<u8> {
    let mut request = vec![0x23];
    request.resize(40, 0);
    request.extend(SENT_AT);
    request
}

/// A server's answer gives the time of sending back as the originate timestamp.
fn ntp_time(answer: &[u8]) -> Option<ServiceEvidence> {
    let (mode, version) = (answer.first()? & 7, answer.first()? >> 3 & 7);
    let answers_us = answer.len() >= 48 && answer.get(24..32) == Some(&SENT_AT[..]);
    if mode != 4 || !(3..=4).contains(&version) || !answers_us {
        return None;
    }
    let mut found = evidence("ntp");
    found.banner = Some(format!("NTP version {version}, stratum {}", answer.get(1)?));
    Some(found)
}

// --- SNMP

/// SNMPv3 engine discovery (RFC 3414 section 4): no user, no community, nothing read.
const ENGINE_DISCOVERY: [u8; 64] = [
    0x30, 0x3e, 0x02, 0x01, 0x03, 0x30, 0x11, 0x02, 0x04, 0x4a, 0x69, 0xf1, 0xa2, 0x02, 0x03, 0x00, 0xff, 0xe3, 0x04,
    0x01, 0x04, 0x02, 0x01, 0x03, 0x04, 0x10, 0x30, 0x0e, 0x04, 0x00, 0x02, 0x01, 0x00, 0x02, 0x01, 0x00, 0x04, 0x00,
    0x04, 0x00, 0x04, 0x00, 0x30, 0x14, 0x04, 0x00, 0x04, 0x00, 0xa0, 0x0e, 0x02, 0x04, 0x37, 0x4a, 0xf1, 0xa2, 0x02,
    0x01, 0x00, 0x02, 0x01, 0x00, 0x30, 0x00,
];

/// Two answers of one agent: what one of them does not tell is taken from the other, and that somebody is let in counts.
fn merged(a: ServiceEvidence, b: ServiceEvidence) -> ServiceEvidence {
    let (mut open, other) = if matches!(a.access, Access::Open { .. }) { (a, b) } else { (b, a) };
    if open.product.is_none() {
        (open.product, open.version, open.cpe) = (other.product, other.version, other.cpe);
    }
    open.banner = open.banner.or(other.banner);
    open
}

/// Reads the report that discovery is answered with. The engine id begins with the vendor's enterprise number (RFC 3411).
pub fn snmp(answer: &[u8]) -> Option<ServiceEvidence> {
    let mut message = Cursor(binary::element(&mut Cursor(answer), 0x30)?);
    if binary::element(&mut message, 2)? != [3] {
        return None;
    }
    let _global = binary::element(&mut message, 0x30)?;
    let mut parameters = Cursor(binary::element(&mut message, 4)?);
    let mut security = Cursor(binary::element(&mut parameters, 0x30)?);
    let engine = binary::element(&mut security, 4)?;
    // An echo of our own request has no engine.
    let enterprise = u32::from_be_bytes(*engine.first_chunk()?) & 0x7fff_ffff;
    let mut found = evidence("snmp");
    found.access = Access::Unknown { reason: "no community and no user was tried".to_owned() };
    let product = match enterprise {
        // ucdavis and net-snmp.
        2021 | 8072 => Some(("Net-SNMP", Some("net-snmp:net-snmp"))),
        9 => Some(("Cisco SNMP agent", None)),
        311 => Some(("Microsoft SNMP agent", None)),
        2636 => Some(("Juniper SNMP agent", None)),
        12_356 => Some(("Fortinet SNMP agent", None)),
        14_988 => Some(("MikroTik RouterOS SNMP agent", None)),
        _ => None,
    };
    if let Some((product, cpe)) = product {
        signatures::set(&mut found, product, None, cpe);
    }
    found.banner = Some(format!("SNMPv3 engine of enterprise {enterprise}"));
    Some(found)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn answers_are_read() {
        let mut variables = vec![0x16, 0x82, 0, 1, 0, 0, 0, 0, 0, 0];
        let text = b"version=\"ntpd ntpsec-1.2.2\", processor=\"x86_64\"";
        variables.extend(u16::try_from(text.len()).unwrap().to_be_bytes());
        variables.extend(text);
        let found = ntp(&variables).unwrap();
        assert_eq!((found.product.as_deref(), found.version.as_deref()), (Some("NTPsec"), Some("1.2.2")));
        assert!(ntp(&READ_VARIABLES).is_none(), "an echo is no server");
        assert!(ntp_time(&time_request()).is_none(), "an echo is no server");
        let mut time = vec![0xe4, 2];
        time.resize(24, 0);
        time.extend(SENT_AT);
        time.resize(48, 0);
        assert_eq!(ntp_time(&time).unwrap().banner.as_deref(), Some("NTP version 4, stratum 2"));
        assert!(snmp(&ENGINE_DISCOVERY).is_none(), "an echo is no server");
        let mut report = ENGINE_DISCOVERY.to_vec();
        // A five-byte engine id in place of the empty one.
        report.splice(28..30, [4, 5, 0x80, 0, 0x1f, 0x88, 0x80]);
        for at in [1, 25, 27] {
            report[at] += 5;
        }
        let found = snmp(&report).unwrap();
        assert_eq!(found.product.as_deref(), Some("Net-SNMP"));
        assert!(dns(binary::VERSION_BIND).is_none(), "an echo is no server");
    }

    #[tokio::test(start_paused = true)]
    async fn who_answers_one_question_does_not_keep_the_others_waiting() {
        let (heard, begin) = (Heard::default(), Instant::now());
        let never = std::future::pending::<()>;
        assert_eq!(heard.in_time(WAIT, begin, never()).await, None);
        assert_eq!(begin.elapsed(), WAIT, "nobody has answered yet");
        let (begin, soon) = (Instant::now(), Duration::from_millis(20));
        let another = async {
            sleep_until(begin + soon).await;
            heard.answered(soon);
            heard.answered(soon * 2);
        };
        assert_eq!(tokio::join!(heard.in_time(WAIT, begin, never()), another).0, None);
        assert_eq!(begin.elapsed(), soon * 4 + THINKING, "four of the shortest round trips");
        let far = Heard::default();
        far.answered(Duration::from_secs(1));
        let begin = Instant::now();
        assert_eq!(far.in_time(WAIT, begin, never()).await, None);
        assert_eq!(begin.elapsed(), WAIT, "never longer than without an answer");
    }

    proptest! {
        #[test]
        fn hostile_answers_break_nothing(bytes in proptest::collection::vec(any::<u8>(), 0..300), cut in 0_usize..64) {
            for question in ALL {
                let _ = question.read(&bytes);
                let mut answer = question.request().get(..cut).unwrap_or_default().to_vec();
                answer.extend(&bytes);
                let _ = question.read(&answer);
            }
            let mut variables = vec![0x16, 0x82, 0, 1, 0, 0, 0, 0, 0, 0, 0xff, 0xff];
            variables.extend(&bytes);
            let _ = ntp(&variables);
        }
    }
}
