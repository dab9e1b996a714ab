//! Graphs and trees: Neo4j and what speaks its protocol, ZooKeeper.
//!
//! Access is proven by reads that every client may make: a session that asks nothing, the names in a root folder.

use bartizan_domain::evidence::service::Access;
use bartizan_domain::evidence::{ProbeFailure, ServiceEvidence};

use super::{announced, behind, contains, length32, with_length32};
use crate::services::wire::{Channel, Cursor, Dialer, Enough, printable};
use crate::services::{evidence, signatures};

// --- Neo4j

/// The handshake of Bolt and a hello; where that is let in without credentials, the server says so.
pub async fn bolt(dialer: &Dialer<'_>) -> Result<Option<ServiceEvidence>, ProbeFailure> {
    // Versions 5.2 to 5.1, 4.4 to 4.2, 4.1, 3.
    const HANDSHAKE: [u8; 20] = [0x60, 0x60, 0xb0, 0x17, 0, 1, 2, 5, 0, 2, 4, 4, 0, 0, 1, 4, 0, 0, 0, 3];
    let mut channel = dialer.open().await?;
    let answer = channel.ask(&HANDSHAKE, |answer| Enough::when(answer.len() >= 4)).await?;
    let [0, 0, minor, major] = *answer.as_slice() else { return Ok(None) };
    if !matches!((major, minor), (5, 1..=2) | (4, 1..=4) | (3, 0)) {
        return Ok(None);
    }
    let mut found = evidence("bolt");
    found.banner = Some(format!("Bolt {major}.{minor}"));
    // HELLO with one entry, or with `scheme: none` where the credentials belong into it.
    let mut hello = vec![0xb1, 1];
    hello.push(if major >= 5 { 0xa1 } else { 0xa2 });
    hello.extend(b"\x8auser_agent\x8cbartizan/1.0");
    if major < 5 {
        hello.extend(b"\x86scheme\x84none");
    }
    let answer = bolt_ask(&mut channel, &hello).await;
    let version = bolt_server(&answer);
    match &version {
        Some(agent) if agent.contains("Memgraph") => {
            signatures::set(&mut found, "Memgraph", None, None);
        }
        Some(agent) => {
            let number = agent.strip_prefix("Neo4j/").map(|text| text.trim_start_matches('v'));
            signatures::set(&mut found, "Neo4j", number, Some("neo4j:neo4j"));
        }
        None => {}
    }
    let answer = if major >= 5 { bolt_ask(&mut channel, b"\xb1\x6a\xa1\x86scheme\x84none").await } else { answer };
    found.access = bolt_access(&answer);
    // A polite end.
    let _ = channel.send(&[0, 2, 0xb0, 2, 0, 0]).await;
    // Four bytes are no proof of a protocol; a message is.
    Ok((version.is_some() || !matches!(found.access, Access::Unknown { .. })).then_some(found))
}

async fn bolt_ask(channel: &mut Channel, message: &[u8]) -> Vec<u8> {
    let mut chunk = u16::try_from(message.len()).unwrap_or_default().to_be_bytes().to_vec();
    chunk.extend_from_slice(message);
    chunk.extend([0, 0]);
    let complete = |answer: &[u8]| Enough::when(answer.len() > 4 && answer.ends_with(&[0, 0]));
    channel.ask(&chunk, complete).await.unwrap_or_default()
}

/// The agent in a success.
pub fn bolt_server(answer: &[u8]) -> Option<String> {
    let message = answer.get(2..)?;
    if !message.starts_with(&[0xb1, 0x70]) {
        return None;
    }
    let mut cursor = Cursor(behind(message, b"\x86server")?);
    let length = match cursor.u8()? {
        short @ 0x80..=0x8f => usize::from(short & 15),
        0xd0 => usize::from(cursor.u8()?),
        _ => return None,
    };
    Some(printable(cursor.take(length)?, 100)).filter(|text| !text.is_empty())
}

/// What an answer to an attempt without credentials says.
pub fn bolt_access(answer: &[u8]) -> Access {
    match answer.get(2..4) {
        Some([0xb1, 0x70]) => Access::Open { proof: "A session without credentials was accepted".to_owned() },
        Some([0xb1, 0x7f]) if contains(answer, b"Neo.ClientError.Security") => {
            Access::AuthRequired { proof: "A session without credentials was refused (Unauthorized)".to_owned() }
        }
        _ => Access::Unknown { reason: "a session without credentials was neither accepted nor refused".to_owned() },
    }
}

// --- ZooKeeper

/// `srvr`, and the names in the root of the tree, of which only the number is kept.
pub async fn zookeeper(dialer: &Dialer<'_>) -> Result<Option<ServiceEvidence>, ProbeFailure> {
    let mut channel = dialer.open().await?;
    // The server ends the connection behind its answer.
    let complete = |answer: &[u8]| Enough::when(contains(answer, b"Node count:") || contains(answer, b"whitelist."));
    let answer = channel.ask(b"srvr", complete).await?;
    let Some(mut found) = zookeeper_answer(&answer) else { return Ok(None) };
    if let Ok(mut channel) = dialer.open().await {
        found.access = zookeeper_access(&mut channel).await;
    }
    Ok(Some(found))
}

/// "Zookeeper version: 3.8.0-5a02a05e, built on …", or a word about commands that are not allowed.
pub fn zookeeper_answer(answer: &[u8]) -> Option<ServiceEvidence> {
    let text = printable(answer, 200);
    let mut found = evidence("zookeeper");
    if let Some(rest) = text.strip_prefix("Zookeeper version: ") {
        let version = rest.split([',', '-', ' ']).next().unwrap_or_default();
        signatures::set(&mut found, "Apache ZooKeeper", Some(version), Some("apache:zookeeper"));
    } else if [
        "srvr is not executed because it is not in the whitelist",
        "This ZooKeeper instance is not currently serving",
    ]
    .iter()
    .any(|beginning| text.starts_with(beginning))
    {
        signatures::set(&mut found, "Apache ZooKeeper", None, Some("apache:zookeeper"));
    } else {
        return None;
    }
    found.banner = Some(text);
    Some(found)
}

/// A session, the children of `/`, and the end of the session.
async fn zookeeper_access(channel: &mut Channel) -> Access {
    let unknown = |reason: &str| Access::Unknown { reason: reason.to_owned() };
    // Protocol 0, nothing seen, ten seconds, no session, no password, not read-only.
    let mut connect = vec![0; 12];
    connect.extend(10_000_u32.to_be_bytes());
    connect.extend([0; 8]);
    connect.extend(16_u32.to_be_bytes());
    connect.extend([0; 17]);
    let answer = channel.ask(&with_length32(&connect), announced(length32)).await.unwrap_or_default();
    if answer.len() < 40 {
        return unknown("no session was granted");
    }
    // Transaction 1, operation 8, path, no watch.
    let mut children = vec![0, 0, 0, 1, 0, 0, 0, 8];
    children.extend(with_length32(b"/"));
    children.push(0);
    let answer = channel.ask(&with_length32(&children), announced(length32)).await.unwrap_or_default();
    let _ = channel.send(&with_length32(&[0, 0, 0, 2, 0xff, 0xff, 0xff, 0xf5])).await;
    match zookeeper_children(&answer) {
        Some(Ok(count)) => {
            Access::Open { proof: format!("getChildren of / answered without credentials: {count} names") }
        }
        // NOAUTH, AUTHFAILED, SESSIONCLOSEDREQUIRESASLAUTH.
        Some(Err(code @ (-102 | -115 | -124))) => {
            Access::AuthRequired { proof: format!("getChildren of / answered: error {code}") }
        }
        Some(Err(code)) => unknown(&format!("getChildren of / answered: error {code}")),
        None => unknown("getChildren of / was not answered"),
    }
}

/// The number of names in a reply, or its error.
pub fn zookeeper_children(answer: &[u8]) -> Option<Result<u32, i32>> {
    let mut cursor = Cursor(answer);
    cursor.be32()?;
    if cursor.be32()? != 1 {
        return None;
    }
    cursor.take(8)?;
    match cursor.be32()?.cast_signed() {
        0 => {
            let count = cursor.be32()?;
            (usize::try_from(count).ok()? <= cursor.0.len() / 4).then_some(Ok(count))
        }
        error => Some(Err(error)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn answers_of_graphs_and_trees() {
        assert_eq!(bolt_server(b"\0\x10\xb1\x70\xa1\x86server\x8bNeo4j/5.2.0\0\0").as_deref(), Some("Neo4j/5.2.0"));
        assert_eq!(
            zookeeper_children(&[0, 0, 0, 20, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0x9a]),
            Some(Err(-102))
        );
        assert!(zookeeper_answer(b"srvr").is_none(), "an echo is no server");
        let session = |message: &[u8]| [&[0, 9][..], message, &[0, 0]].concat();
        assert!(matches!(bolt_access(&session(b"\xb1\x70\xa0")), Access::Open { .. }));
        let refused = session(b"\xb1\x7f\xa1\x84code\xd0\x25Neo.ClientError.Security.Unauthorized");
        assert!(matches!(bolt_access(&refused), Access::AuthRequired { .. }));
    }

    proptest! {
        #[test]
        fn hostile_answers_break_nothing(bytes in proptest::collection::vec(any::<u8>(), 0..200), lead in 0_usize..3) {
            let leads: [&[u8]; 3] = [b"", &[0, 40, 0xb1, 0x70], &[0, 0, 0, 40, 0, 0, 0, 1]];
            let mut answer = leads[lead].to_vec();
            answer.extend(&bytes);
            let _ = bolt_server(&answer);
            let _ = bolt_access(&answer);
            let _ = zookeeper_answer(&answer);
            let _ = zookeeper_children(&answer);
        }
    }
}
