//! A DNS client: queries to a recursive resolver, and zone transfers from authoritative servers.
//!
//! Messages are encoded and decoded by `hickory-proto`; the sockets are ours, so that every address is vetted. UDP
//! first with EDNS (RFC 6891), TCP when the answer is truncated, plain DNS when a server rejects EDNS. Answers must
//! come from the address asked (connected socket), with the random id and the question of the query. Nothing is
//! validated here: queries set CD so that records of a broken zone can be gathered too, and DNSSEC records are handed
//! on as they are.
//!
//! Start reading at [`DnsClient::query`] and [`transfer`].

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use bartizan_domain::evidence::dns::{RawRecord, SignedAnswer, TransferOutcome};
use bartizan_domain::evidence::{FailureKind, ProbeFailure};
use hickory_proto::op::{Edns, Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::{Name, RData};
use hickory_proto::serialize::binary::{BinEncodable, BinEncoder, NameEncoding};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;

pub use hickory_proto::rr::{Record, RecordType};

use crate::{Outbound, Purpose, io_failure};

/// UDP payload size offered: fits one unfragmented IPv6 packet (the figure of the "DNS flag day 2020").
const UDP_PAYLOAD: u16 = 1232;
/// Attempts over all servers before a query is given up.
const ATTEMPTS: usize = 3;
/// Servers of `/etc/resolv.conf` that are used, as the system's own resolver does.
const MAX_SERVERS: usize = 3;
/// Records after which a transfer is proven and reading stops.
const TRANSFER_RECORDS: u32 = 50;
/// Owner names kept of a transfer.
const TRANSFER_SAMPLE: usize = 5;
/// Messages read of a transfer at most.
const TRANSFER_MESSAGES: usize = 16;

/// An answer of a resolver. A name that does not exist is an answer, not a failure.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The name does not exist (NXDOMAIN).
    pub no_such_name: bool,
    /// Answer section, alias records included.
    pub answer: Vec<Record>,
    /// Authority section.
    pub authority: Vec<Record>,
}

impl Answer {
    /// The data of the records of `kind` in the answer section, after following aliases.
    pub fn data(&self, kind: RecordType) -> impl Iterator<Item = &RData> {
        self.answer.iter().filter(move |record| record.record_type() == kind).map(|record| &record.data)
    }

    /// The answer in the form evidence keeps: every record as received, uncompressed.
    #[must_use]
    pub fn into_signed(self) -> SignedAnswer {
        let raw = |records: Vec<Record>| records.iter().filter_map(raw_record).collect();
        SignedAnswer {
            code: if self.no_such_name { 3 } else { 0 },
            answer: raw(self.answer),
            authority: raw(self.authority),
        }
    }
}

/// A client of one recursive resolver (or of the few that `/etc/resolv.conf` names).
#[derive(Debug, Clone)]
pub struct DnsClient {
    outbound: Outbound,
    servers: Vec<SocketAddr>,
}

impl DnsClient {
    /// A client of the resolver at `server`.
    #[must_use]
    pub fn new(outbound: Outbound, server: SocketAddr) -> Self {
        Self { outbound, servers: vec![server] }
    }

    /// A client of the resolvers of this machine.
    ///
    /// # Errors
    /// [`FailureKind::Local`] if `/etc/resolv.conf` cannot be read or names none.
    pub async fn system(outbound: Outbound) -> Result<Self, ProbeFailure> {
        let text = tokio::fs::read_to_string("/etc/resolv.conf")
            .await
            .map_err(|error| ProbeFailure::new(FailureKind::Local, format!("reading /etc/resolv.conf: {error}")))?;
        let servers = nameservers(&text);
        if servers.is_empty() {
            return Err(ProbeFailure::new(FailureKind::Local, "/etc/resolv.conf names no name server"));
        }
        Ok(Self { outbound, servers })
    }

    /// The first server, for the record.
    #[must_use]
    pub fn server(&self) -> SocketAddr {
        self.servers.first().copied().unwrap_or_else(|| SocketAddr::from(([0, 0, 0, 0], 53)))
    }

    /// Asks for the records of `kind` at `name` (with or without the trailing dot; always taken as absolute), DNSSEC
    /// records included.
    ///
    /// # Errors
    /// No answer, or one that is neither data nor a denial (SERVFAIL, REFUSED …), after three attempts.
    pub async fn query(&self, name: &str, kind: RecordType) -> Result<Answer, ProbeFailure> {
        let name = absolute(name)?;
        let mut last = None;
        for attempt in 0..ATTEMPTS.max(self.servers.len()) {
            let Some(server) = self.servers.get(attempt % self.servers.len()) else { break };
            match self.attempt(*server, &name, kind).await {
                Ok(message) => match outcome(message, &name, kind) {
                    Ok(answer) => return Ok(answer),
                    Err(failure) => last = Some(failure),
                },
                Err(failure) if failure.kind == FailureKind::Denied => return Err(failure),
                Err(failure) => last = Some(failure),
            }
        }
        Err(last.unwrap_or_else(|| ProbeFailure::new(FailureKind::Local, "no resolver is configured")))
    }

    async fn attempt(&self, server: SocketAddr, name: &Name, kind: RecordType) -> Result<Message, ProbeFailure> {
        let limit = attempt_timeout(self.outbound.settings().exchange_timeout);
        let deadline = Instant::now() + limit;
        let doing = format!("asking {server} for {kind} of {name}");
        let work = async {
            let mut answer = self.over_udp(server, &query_message(name, kind, WithEdns::Yes)).await?;
            if matches!(answer.metadata.response_code, ResponseCode::FormErr | ResponseCode::NotImp) {
                answer = self.over_udp(server, &query_message(name, kind, WithEdns::No)).await?;
            }
            if answer.metadata.truncation {
                answer = self.over_tcp(server, &query_message(name, kind, WithEdns::Yes)).await?;
            }
            Ok(answer)
        };
        tokio::time::timeout_at(deadline, work)
            .await
            .unwrap_or_else(|_| {
                Err(ProbeFailure::new(FailureKind::Timeout, format!("{doing}: no answer within {limit:?}")))
            })
            .map_err(|failure| ProbeFailure::new(failure.kind, format!("{doing}: {}", failure.detail)))
    }

    async fn over_udp(&self, server: SocketAddr, query: &Message) -> Result<Message, ProbeFailure> {
        let datagram = self.outbound.datagram_as(Purpose::Resolver, server).await?;
        let bytes = encode(query)?;
        datagram.socket.send(&bytes).await.map_err(|error| io_failure(&error, "sending the query"))?;
        let mut buffer = vec![0_u8; usize::from(u16::MAX)];
        loop {
            let length =
                datagram.socket.recv(&mut buffer).await.map_err(|error| io_failure(&error, "reading the answer"))?;
            // A datagram that is not the answer to this query (late, forged, garbage) is skipped and not an error:
            // whoever sends it must not be able to end the query.
            if let Some(answer) = buffer.get(..length).and_then(|bytes| Message::from_vec(bytes).ok())
                && answers(&answer, query)
            {
                return Ok(answer);
            }
        }
    }

    async fn over_tcp(&self, server: SocketAddr, query: &Message) -> Result<Message, ProbeFailure> {
        let mut connection = self.outbound.connect_as(Purpose::Resolver, server).await?;
        send_framed(&mut connection.stream, query).await?;
        let answer = read_framed(&mut connection.stream).await?;
        if answers(&answer, query) {
            Ok(answer)
        } else {
            Err(ProbeFailure::new(FailureKind::Protocol, "the answer does not belong to the query"))
        }
    }
}

/// Tries to transfer `zone` from the authoritative server at `server` (RFC 5936). Reading stops as soon as the transfer
/// is proven; content beyond a few owner names is dropped unseen.
pub async fn transfer(outbound: &Outbound, server: SocketAddr, zone: &str) -> TransferOutcome {
    let limit = outbound.settings().exchange_timeout;
    let work = transfer_within(outbound, server, zone);
    let result = tokio::time::timeout(limit, work).await.unwrap_or_else(|_| {
        Err(ProbeFailure::new(FailureKind::Timeout, format!("no complete answer from {server} within {limit:?}")))
    });
    result.unwrap_or_else(|failure| TransferOutcome::Failed { failure })
}

async fn transfer_within(outbound: &Outbound, server: SocketAddr, zone: &str) -> Result<TransferOutcome, ProbeFailure> {
    let zone = absolute(zone)?;
    let mut connection = match outbound.connect_as(Purpose::Target, server).await {
        Ok(connection) => connection,
        Err(failure) if failure.kind == FailureKind::Refused => return Ok(TransferOutcome::NoTcp),
        Err(failure) => return Err(failure),
    };
    let query = query_message(&zone, RecordType::AXFR, WithEdns::No);
    send_framed(&mut connection.stream, &query).await?;

    let mut reading = TransferReading::default();
    for _ in 0..TRANSFER_MESSAGES {
        let message = match read_framed(&mut connection.stream).await {
            Ok(message) => message,
            Err(failure) if failure.kind == FailureKind::Reset && reading.records == 0 => {
                return Ok(TransferOutcome::Refused { code: "closed".to_owned() });
            }
            Err(_) if reading.proven() => return Ok(reading.outcome()),
            Err(failure) => return Err(failure),
        };
        if message.metadata.id != query.metadata.id {
            return Err(ProbeFailure::new(FailureKind::Protocol, "the answer does not belong to the query"));
        }
        let code = message.metadata.response_code;
        if code != ResponseCode::NoError {
            return Ok(TransferOutcome::Refused { code: code_name(code) });
        }
        if message.answers.is_empty() && reading.records == 0 {
            return Ok(TransferOutcome::Refused { code: "empty answer".to_owned() });
        }
        reading.take(&message, &zone)?;
        if reading.complete || reading.records >= TRANSFER_RECORDS {
            break;
        }
    }
    if reading.proven() {
        Ok(reading.outcome())
    } else {
        Err(ProbeFailure::new(FailureKind::Protocol, "the answer is no zone transfer"))
    }
}

#[derive(Default)]
struct TransferReading {
    serial: u32,
    records: u32,
    complete: bool,
    sample: Vec<String>,
}

impl TransferReading {
    fn take(&mut self, message: &Message, zone: &Name) -> Result<(), ProbeFailure> {
        for record in &message.answers {
            match (&record.data, self.records) {
                (RData::SOA(soa), 0) if &record.name == zone => self.serial = soa.serial,
                (_, 0) => {
                    return Err(ProbeFailure::new(
                        FailureKind::Protocol,
                        "the answer does not begin with the zone's SOA",
                    ));
                }
                (RData::SOA(_), _) if &record.name == zone => {
                    self.complete = true;
                    return Ok(());
                }
                _ => {}
            }
            self.records = self.records.saturating_add(1);
            let owner = presentation(&record.name);
            if self.sample.len() < TRANSFER_SAMPLE && !self.sample.contains(&owner) {
                self.sample.push(owner);
            }
        }
        Ok(())
    }

    /// A record beyond the opening SOA, which any query for SOA would have given too.
    const fn proven(&self) -> bool {
        self.records >= 2
    }

    fn outcome(self) -> TransferOutcome {
        TransferOutcome::Transferred {
            serial: self.serial,
            records: self.records,
            complete: self.complete,
            sample: self.sample,
        }
    }
}

/// A name in presentation form: lower case, without the trailing dot; the root is `.`.
#[must_use]
pub fn presentation(name: &Name) -> String {
    if name.is_root() {
        return ".".to_owned();
    }
    name.to_lowercase().to_ascii().trim_end_matches('.').to_owned()
}

/// The name servers of a `resolv.conf` text, at most three. Scoped addresses (`fe80::1%eth0`) are skipped.
fn nameservers(text: &str) -> Vec<SocketAddr> {
    text.lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            (words.next() == Some("nameserver")).then(|| words.next()).flatten()
        })
        .filter_map(|word| word.parse::<IpAddr>().ok())
        .map(|address| SocketAddr::new(address, 53))
        .take(MAX_SERVERS)
        .collect()
}

fn attempt_timeout(exchange: Duration) -> Duration {
    (exchange / 3).clamp(Duration::from_millis(700), Duration::from_secs(4))
}

fn absolute(name: &str) -> Result<Name, ProbeFailure> {
    let mut parsed = Name::from_ascii(name)
        .map_err(|error| ProbeFailure::new(FailureKind::Resolution, format!("`{name}` is not a DNS name: {error}")))?;
    parsed.set_fqdn(true);
    Ok(parsed)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum WithEdns {
    Yes,
    No,
}

fn query_message(name: &Name, kind: RecordType, edns: WithEdns) -> Message {
    let mut message = Message::query();
    message.metadata.recursion_desired = kind != RecordType::AXFR;
    message.metadata.checking_disabled = kind != RecordType::AXFR;
    message.add_query(Query::query(name.clone(), kind));
    if edns == WithEdns::Yes {
        let mut edns = Edns::new();
        edns.set_max_payload(UDP_PAYLOAD);
        edns.set_version(0);
        edns.set_dnssec_ok(true);
        message.set_edns(edns);
    }
    message
}

fn answers(answer: &Message, query: &Message) -> bool {
    let same_question = match (answer.queries.first(), query.queries.first()) {
        (Some(got), Some(asked)) => got.name() == asked.name() && got.query_type() == asked.query_type(),
        // Servers that fail to parse a query (FORMERR) may leave the question out (RFC 1035 leaves it open).
        (None, _) => answer.metadata.response_code != ResponseCode::NoError,
        _ => false,
    };
    answer.metadata.id == query.metadata.id
        && answer.metadata.message_type == MessageType::Response
        && answer.metadata.op_code == OpCode::Query
        && same_question
}

fn outcome(message: Message, name: &Name, kind: RecordType) -> Result<Answer, ProbeFailure> {
    let no_such_name = match message.metadata.response_code {
        ResponseCode::NoError => false,
        ResponseCode::NXDomain => true,
        code => {
            return Err(ProbeFailure::new(
                FailureKind::Resolution,
                format!("the resolver answered {} for {kind} of {name}", code_name(code)),
            ));
        }
    };
    Ok(Answer { no_such_name, answer: message.answers, authority: message.authorities })
}

/// The name of a response code as dig and the RFCs write it.
fn code_name(code: ResponseCode) -> String {
    match code {
        ResponseCode::NoError => "NOERROR".to_owned(),
        ResponseCode::FormErr => "FORMERR".to_owned(),
        ResponseCode::ServFail => "SERVFAIL".to_owned(),
        ResponseCode::NXDomain => "NXDOMAIN".to_owned(),
        ResponseCode::NotImp => "NOTIMP".to_owned(),
        ResponseCode::Refused => "REFUSED".to_owned(),
        ResponseCode::NotAuth => "NOTAUTH".to_owned(),
        other => format!("RCODE {}", u16::from(other)),
    }
}

fn encode(message: &Message) -> Result<Vec<u8>, ProbeFailure> {
    message.to_vec().map_err(|error| ProbeFailure::new(FailureKind::Local, format!("encoding the query: {error}")))
}

async fn send_framed(stream: &mut tokio::net::TcpStream, message: &Message) -> Result<(), ProbeFailure> {
    let bytes = encode(message)?;
    let length = u16::try_from(bytes.len())
        .map_err(|_| ProbeFailure::new(FailureKind::Local, "the query is longer than a DNS message can be"))?;
    let mut frame = length.to_be_bytes().to_vec();
    frame.extend_from_slice(&bytes);
    stream.write_all(&frame).await.map_err(|error| io_failure(&error, "sending the query"))
}

async fn read_framed(stream: &mut tokio::net::TcpStream) -> Result<Message, ProbeFailure> {
    let reading = |error: std::io::Error| io_failure(&error, "reading the answer");
    let length = stream.read_u16().await.map_err(reading)?;
    let mut bytes = vec![0_u8; usize::from(length)];
    stream.read_exact(&mut bytes).await.map_err(reading)?;
    Message::from_vec(&bytes)
        .map_err(|error| ProbeFailure::new(FailureKind::Protocol, format!("the answer is not a DNS message: {error}")))
}

fn raw_record(record: &Record) -> Option<RawRecord> {
    let mut bytes = Vec::new();
    let mut encoder = BinEncoder::new(&mut bytes);
    encoder.set_name_encoding(NameEncoding::Uncompressed);
    record.data.emit(&mut encoder).ok()?;
    let name = if record.name.is_root() { ".".to_owned() } else { record.name.to_ascii() };
    Some(RawRecord { name, kind: record.record_type().into(), ttl: record.ttl, rdata: hex(&bytes) })
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_of_resolv_conf() {
        let text = "# comment\nsearch example.com\nnameserver 192.0.2.1\nnameserver\t2001:db8::1\nnameserver fe80::1%eth0\nnameserver 192.0.2.2\nnameserver 192.0.2.3\n";
        let servers: Vec<String> = nameservers(text).iter().map(ToString::to_string).collect();
        assert_eq!(servers, ["192.0.2.1:53", "[2001:db8::1]:53", "192.0.2.2:53"]);
        assert!(nameservers("").is_empty());
    }

    #[test]
    fn an_answer_must_carry_the_id_and_the_question() {
        let name = absolute("example.com").unwrap();
        let query = query_message(&name, RecordType::A, WithEdns::Yes);
        let mut answer = query.clone();
        answer.metadata.message_type = MessageType::Response;
        assert!(answers(&answer, &query));
        assert!(!answers(&query, &query), "a query is no answer");
        let mut other_id = answer.clone();
        other_id.metadata.id = query.metadata.id.wrapping_add(1);
        assert!(!answers(&other_id, &query));
        let mut other_question = answer.clone();
        other_question.queries = vec![Query::query(absolute("example.org").unwrap(), RecordType::A)];
        assert!(!answers(&other_question, &query));
        answer.queries.clear();
        assert!(!answers(&answer, &query));
    }
}
