//! Message brokers and the Erlang runtime under some of them: Kafka, ActiveMQ (OpenWire), STOMP, the Erlang port mapper
//! and node distribution.

use bartizan_domain::evidence::service::Access;
use bartizan_domain::evidence::{ProbeFailure, ServiceEvidence};

use super::{announced, behind, length32, push_text16, with_length32};
use crate::services::wire::{Cursor, Dialer, Enough, banner, printable};
use crate::services::{evidence, signatures};

// --- Kafka

const API_VERSIONS: u16 = 18;
const METADATA: u16 = 3;

/// A request (Kafka protocol guide, "Requests"): kind, version, our number, our name.
fn kafka_request(kind: u16, version: u16, number: u32, body: &[u8]) -> Vec<u8> {
    let mut request = kind.to_be_bytes().to_vec();
    request.extend(version.to_be_bytes());
    request.extend(number.to_be_bytes());
    push_text16(&mut request, "bartizan");
    request.extend_from_slice(body);
    with_length32(&request)
}

/// The body of the response with our number.
fn kafka_response(answer: &[u8], number: u32) -> Option<Cursor<'_>> {
    let mut cursor = Cursor(answer);
    let length = usize::try_from(cursor.be32()?).ok()?;
    let mut cursor = Cursor(cursor.take(length)?);
    (cursor.be32()? == number).then_some(cursor)
}

/// The versions of requests that the broker knows, and its list of brokers, which it gives to whom it lets in.
pub async fn kafka(dialer: &Dialer<'_>) -> Result<Option<ServiceEvidence>, ProbeFailure> {
    const NUMBER: u32 = 0x6272_7469;
    let mut channel = dialer.open().await?;
    let answer = channel.ask(&kafka_request(API_VERSIONS, 0, NUMBER, &[]), announced(length32)).await?;
    let Some(metadata) = kafka_versions(&answer, NUMBER) else { return Ok(None) };
    let mut found = evidence("kafka");
    signatures::set(&mut found, "Apache Kafka", None, None);
    // With version 1 an empty list of topics means none.
    if metadata {
        let request = kafka_request(METADATA, 1, NUMBER + 1, &[0, 0, 0, 0]);
        let answer = channel.ask(&request, announced(length32)).await.unwrap_or_default();
        found.access = match kafka_brokers(&answer, NUMBER + 1) {
            Some(count) => Access::Open { proof: format!("Metadata answered without credentials: {count} brokers") },
            None => Access::Unknown { reason: "Metadata without credentials was not answered".to_owned() },
        };
    }
    Ok(Some(found))
}

/// Whether the broker knows version 1 of Metadata; `None` if this is no list of versions.
pub fn kafka_versions(answer: &[u8], number: u32) -> Option<bool> {
    let mut cursor = kafka_response(answer, number)?;
    let (error, count) = (cursor.be16()?, usize::try_from(cursor.be32()?).ok()?);
    if error != 0 || count == 0 || count.checked_mul(6)? != cursor.0.len() {
        return None;
    }
    let (mut metadata, mut itself) = (false, false);
    while let (Some(kind), Some(low), Some(high)) = (cursor.be16(), cursor.be16(), cursor.be16()) {
        metadata |= kind == METADATA && (low..=high).contains(&1);
        itself |= kind == API_VERSIONS;
    }
    itself.then_some(metadata)
}

/// How many brokers a list has.
pub fn kafka_brokers(answer: &[u8], number: u32) -> Option<u32> {
    let mut cursor = kafka_response(answer, number)?;
    let count = cursor.be32()?;
    (count > 0 && usize::try_from(count).ok()?.checked_mul(12)? <= cursor.0.len()).then_some(count)
}

// --- ActiveMQ

/// The server begins; nothing is sent.
pub async fn openwire(dialer: &Dialer<'_>) -> Result<Option<ServiceEvidence>, ProbeFailure> {
    let mut channel = dialer.open().await?;
    Ok(openwire_greeting(&channel.read(announced(length32)).await?))
}

/// WIREFORMAT_INFO (OpenWire version 2 specification): a magic word, a version, and a map of properties.
pub fn openwire_greeting(greeting: &[u8]) -> Option<ServiceEvidence> {
    let mut cursor = Cursor(greeting);
    let _length = cursor.be32()?;
    if cursor.u8()? != 1 || cursor.take(8)? != b"ActiveMQ" {
        return None;
    }
    let property = |name: &[u8]| {
        let mut value = Cursor(behind(cursor.0, name)?);
        // Type 9 is a text.
        let (9, length) = (value.u8()?, usize::from(value.be16()?)) else { return None };
        Some(printable(value.take(length)?, 60))
    };
    let mut found = evidence("openwire");
    signatures::set(
        &mut found,
        "Apache ActiveMQ",
        property(b"\0\x0fProviderVersion").as_deref(),
        Some("apache:activemq"),
    );
    found.access = Access::Unknown { reason: "logging in was not tried".to_owned() };
    Some(found)
}

// --- STOMP

/// CONNECT without credentials (STOMP 1.2).
pub async fn stomp(dialer: &Dialer<'_>) -> Result<Option<ServiceEvidence>, ProbeFailure> {
    const CONNECT: &[u8] = b"CONNECT\naccept-version:1.0,1.1,1.2\nhost:/\n\n\0";
    let mut channel = dialer.open().await?;
    let answer = channel.ask(CONNECT, |answer| Enough::when(answer.contains(&0))).await?;
    let found = stomp_answer(&answer);
    if found.as_ref().is_some_and(|found| matches!(found.access, Access::Open { .. })) {
        let _ = channel.send(b"DISCONNECT\n\n\0").await;
    }
    Ok(found)
}

/// CONNECTED or ERROR, with the server's name in a header.
pub fn stomp_answer(answer: &[u8]) -> Option<ServiceEvidence> {
    let text = String::from_utf8_lossy(answer.get(..answer.len().min(4096))?);
    let text = text.trim_start_matches(['\r', '\n']);
    let (command, rest) = text.split_once('\n')?;
    let headers = rest.split("\n\n").next().unwrap_or_default();
    let header = |name: &str| {
        headers.lines().find_map(|line| line.trim_end().strip_prefix(name)?.strip_prefix(':')).map(str::trim)
    };
    let mut found = evidence("stomp");
    match command.trim_end() {
        "CONNECTED" => {
            let proof = "CONNECT without credentials answered: CONNECTED".to_owned();
            found.access = Access::Open { proof };
        }
        "ERROR" => {
            // An ERROR frame has a message, or headers of STOMP at least; other protocols know the word as well.
            let message = header("message").or_else(|| header("content-length").map(|_| ""))?;
            let message = printable(message.as_bytes(), 100);
            let body = text.to_ascii_lowercase();
            let refused = ["access refused", "bad connect", "password", "authenticat", "credential", "security"];
            found.access = if refused.iter().any(|word| body.contains(word)) {
                Access::AuthRequired { proof: format!("CONNECT without credentials answered: ERROR {message}") }
            } else {
                Access::Unknown { reason: format!("CONNECT without credentials answered: ERROR {message}") }
            };
        }
        _ => return None,
    }
    if let Some(server) = header("server") {
        found.banner = banner(server.as_bytes());
        signatures::apply(&mut found, &printable(server.as_bytes(), 100));
    }
    Some(found)
}

// --- Erlang

/// The names of the nodes of a host (Erlang distribution protocol, NAMES_REQ), which the port mapper tells to everybody.
pub async fn epmd(dialer: &Dialer<'_>) -> Result<Option<ServiceEvidence>, ProbeFailure> {
    let mut channel = dialer.open().await?;
    // The server ends the connection behind its answer.
    let answer = channel.ask(&[0, 1, b'n'], |_| Enough::NotYet).await?;
    Ok(epmd_answer(&answer, dialer.address.port()))
}

/// The port of the mapper and a line for each node: "name rabbit at port 25672".
pub fn epmd_answer(answer: &[u8], asked: u16) -> Option<ServiceEvidence> {
    let mut cursor = Cursor(answer);
    let port = cursor.be32()?;
    let text = std::str::from_utf8(cursor.0).ok()?;
    let nodes: Vec<&str> = text.lines().take(20).collect();
    let fits = |line: &&str| {
        let node = line.strip_prefix("name ").and_then(|rest| rest.split_once(" at port "));
        node.is_some_and(|(_, port)| port.trim().parse::<u16>().is_ok())
    };
    let known = if nodes.is_empty() { port == 4369 || port == u32::from(asked) } else { port <= 0xffff };
    if !known || !nodes.iter().all(fits) {
        return None;
    }
    let mut found = evidence("epmd");
    found.banner = banner(nodes.join(", ").replace("name ", "").as_bytes());
    signatures::set(&mut found, "Erlang Port Mapper Daemon", None, None);
    Some(found)
}

/// The beginning of a handshake between nodes (version 6). It ends before anything is proven, and no node is made known.
pub async fn erlang(dialer: &Dialer<'_>) -> Result<Option<ServiceEvidence>, ProbeFailure> {
    // What every node since release 23 demands of another, as the documentation of the protocol lists it.
    const ABILITIES: u64 = 0x4
        | 0x10
        | 0x80
        | 0x100
        | 0x200
        | 0x400
        | 0x800
        | 0x1_0000
        | 0x2_0000
        | 0x4_0000
        | 0x100_0000
        | 0x200_0000
        | 0x400_0000
        | 0x4_0000_0000;
    const NAME: &str = "bartizan@scanner.invalid";
    let mut body = vec![b'N'];
    body.extend(ABILITIES.to_be_bytes());
    body.extend([0, 0, 0, 1]);
    push_text16(&mut body, NAME);
    let mut request = u16::try_from(body.len()).unwrap_or_default().to_be_bytes().to_vec();
    request.extend(body);
    let mut channel = dialer.open().await?;
    let complete = |answer: &[u8]| Enough::when(erlang_answer(answer).is_some_and(|found| found.banner.is_some()));
    Ok(erlang_answer(&channel.ask(&request, complete).await?))
}

/// A status, and behind it the challenge with the name of the node.
pub fn erlang_answer(answer: &[u8]) -> Option<ServiceEvidence> {
    let mut cursor = Cursor(answer);
    let length = usize::from(cursor.be16()?);
    let status = cursor.take(length)?.strip_prefix(b"s")?;
    if !matches!(status, b"ok" | b"ok_simultaneous" | b"nok" | b"not_allowed" | b"alive") {
        return None;
    }
    let mut found = evidence("erlang-distribution");
    signatures::set(&mut found, "Erlang/OTP", None, Some("erlang:erlang/otp"));
    found.cpe = None;
    found.access = Access::Unknown { reason: "the handshake was not gone on with".to_owned() };
    let name = (|| {
        let length = usize::from(cursor.be16()?);
        let mut challenge = Cursor(cursor.take(length)?);
        match challenge.u8()? {
            // Abilities, challenge, creation, name.
            b'N' => {
                challenge.take(16)?;
                let length = usize::from(challenge.be16()?);
                challenge.take(length)
            }
            // Version, abilities, challenge, name.
            b'n' => {
                challenge.take(10)?;
                Some(challenge.0)
            }
            _ => None,
        }
    })();
    found.banner = name.and_then(banner);
    Some(found)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn kafka_lists_what_it_knows() {
        let response = |number: u32, body: &[u8]| {
            let mut all = number.to_be_bytes().to_vec();
            all.extend(body);
            with_length32(&all)
        };
        let versions = [0, 0, 0, 0, 0, 2, 0, 3, 0, 0, 0, 12, 0, 18, 0, 0, 0, 3];
        assert_eq!(kafka_versions(&response(7, &versions), 7), Some(true));
        assert_eq!(kafka_versions(&response(8, &versions), 7), None);
        assert_eq!(kafka_versions(&kafka_request(API_VERSIONS, 0, 7, &[]), 7), None, "an echo is no server");
        assert_eq!(
            kafka_brokers(&response(7, &[0, 0, 0, 1, 0, 0, 0, 0, 0, 1, b'a', 0, 0, 0x23, 0x84, 0xff, 0xff]), 7),
            Some(1)
        );
    }

    #[test]
    fn openwire_and_stomp_name_their_server() {
        let mut greeting = vec![0, 0, 1, 0, 1];
        greeting.extend(b"ActiveMQ\0\0\0\x0c\x01\0\0\0\x99\0\0\0\x02\0\x0fProviderVersion\x09\0\x065.17.2");
        assert_eq!(openwire_greeting(&greeting).unwrap().version.as_deref(), Some("5.17.2"));
        let found = stomp_answer(b"CONNECTED\nserver:RabbitMQ/3.10.8\nversion:1.2\n\n\0").unwrap();
        assert_eq!((found.product.as_deref(), found.version.as_deref()), (Some("RabbitMQ"), Some("3.10.8")));
        let found = stomp_answer(b"ERROR\nmessage:Bad CONNECT\nversion:1.2\n\nAccess refused for user ''\n\0").unwrap();
        assert!(matches!(found.access, Access::AuthRequired { .. }));
        assert!(stomp_answer(b"ERROR\r\n").is_none(), "memcached's word for an unknown command");
        assert!(stomp_answer(b"CONNECT\naccept-version:1.0,1.1,1.2\nhost:/\n\n\0").is_none(), "an echo");
    }

    #[test]
    fn erlang_names_its_nodes() {
        let found = epmd_answer(b"\0\0\x11\x11name rabbit at port 25672\n", 4369).unwrap();
        assert_eq!(found.banner.as_deref(), Some("rabbit at port 25672"));
        assert!(epmd_answer(&[0, 0, 0x11, 0x11], 1).is_some());
        assert!(epmd_answer(&[0, 0, 0, 4], 1).is_none());
        assert!(epmd_answer(&[0, 1, b'n'], 4369).is_none(), "an echo");
        let mut answer = b"\0\x03sok\0\x20N".to_vec();
        answer.extend([0; 16]);
        answer.extend(b"\0\x0drabbit@server");
        assert_eq!(erlang_answer(&answer).unwrap().banner.as_deref(), Some("rabbit@server"));
    }

    proptest! {
        #[test]
        fn hostile_answers_break_nothing(bytes in proptest::collection::vec(any::<u8>(), 0..200), lead in 0_usize..6) {
            let leads: [&[u8]; 6] = [
                b"", &[0, 0, 0, 90, 0, 0, 0, 7, 0, 0], b"\0\0\0\x99\x01ActiveMQ\0\x0fProviderVersion", b"ERROR\nmessage:",
                b"\0\0\x11\x11name ", b"\0\x03sok\0\x40N",
            ];
            let mut answer = leads[lead].to_vec();
            answer.extend(&bytes);
            let _ = kafka_versions(&answer, 7);
            let _ = kafka_brokers(&answer, 7);
            let _ = openwire_greeting(&answer);
            let _ = stomp_answer(&answer);
            let _ = epmd_answer(&answer, 4369);
            let _ = erlang_answer(&answer);
        }
    }
}
