//! Databases: Microsoft SQL Server, Oracle, Cassandra, ClickHouse. Trees and graphs are in `trees`.
//!
//! Access is proven by reads that every client may make: a version.

use bartizan_domain::evidence::service::Access;
use bartizan_domain::evidence::{ProbeFailure, ServiceEvidence};

use super::{announced, contains, push_text16, with_length32};
use crate::services::wire::{Cursor, Dialer, Enough, printable};
use crate::services::{evidence, signatures};

// --- Microsoft SQL Server

/// PRELOGIN ([MS-TDS] 2.2.6.5): version, encryption, instance and thread, each with its offset and length.
const PRELOGIN: [u8; 41] = [
    0x12, 1, 0, 41, 0, 0, 1, 0, //
    0, 0, 21, 0, 6, 1, 0, 27, 0, 1, 2, 0, 28, 0, 1, 3, 0, 29, 0, 4, 0xff, //
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
];

/// The first message of a session, which is answered before any login.
pub async fn mssql(dialer: &Dialer<'_>) -> Result<Option<ServiceEvidence>, ProbeFailure> {
    let mut channel = dialer.open().await?;
    let answer = channel
        .ask(
            &PRELOGIN,
            announced(|cursor| {
                cursor.be16()?;
                cursor.be16().map(usize::from)
            }),
        )
        .await?;
    Ok(mssql_answer(&answer))
}

/// What a server answers: a packet of type 4 with the same options. The version is that of the engine, with its build.
pub fn mssql_answer(answer: &[u8]) -> Option<ServiceEvidence> {
    let mut cursor = Cursor(answer);
    let (kind, _, length) = (cursor.u8()?, cursor.u8()?, cursor.be16()?);
    if kind != 4 || usize::from(length) != answer.len() {
        return None;
    }
    cursor.take(4)?;
    let payload = cursor.0;
    let (mut version, mut encryption) = (None, None);
    for _ in 0..16 {
        let option = cursor.u8()?;
        if option == 0xff {
            break;
        }
        let (offset, length) = (usize::from(cursor.be16()?), usize::from(cursor.be16()?));
        let value = payload.get(offset..offset + length)?;
        match (option, value) {
            (0, [major, minor, high, low, sub @ ..]) => {
                let sub = sub.first_chunk::<2>().map_or(0, |sub| u16::from_be_bytes(*sub));
                version = Some((*major, *minor, u16::from_be_bytes([*high, *low]), sub));
            }
            (1, [mode, ..]) => encryption = Some(*mode),
            _ => {}
        }
    }
    let (major, minor, build, sub) = version?;
    if !(7..=40).contains(&major) {
        return None;
    }
    let text = format!("{major}.{minor}.{build}.{sub}");
    let year = match (major, minor) {
        (9, _) => "2005",
        (10, 50..) => "2008 R2",
        (10, _) => "2008",
        (11, _) => "2012",
        (12, _) => "2014",
        (13, _) => "2016",
        (14, _) => "2017",
        (15, _) => "2019",
        (16, _) => "2022",
        (17, _) => "2025",
        _ => "",
    };
    let mut found = evidence("mssql");
    let cpe = match year.split(' ').next() {
        Some(year) if !year.is_empty() => format!("microsoft:sql_server_{year}"),
        _ => "microsoft:sql_server".to_owned(),
    };
    signatures::set(&mut found, format!("Microsoft SQL Server {year}").trim(), Some(&text), Some(&cpe));
    let encryption = match encryption {
        Some(0) => ", encrypts the login only",
        Some(1) => ", encryption on",
        Some(2) => ", no encryption",
        Some(3) => ", encryption required",
        _ => "",
    };
    found.banner = Some(format!("TDS PRELOGIN {text}{encryption}"));
    found.access = Access::Unknown { reason: "logging in was not tried".to_owned() };
    Some(found)
}

// --- Oracle

/// The command `version` of the listener, which names no database and starts no session.
pub async fn oracle(dialer: &Dialer<'_>) -> Result<Option<ServiceEvidence>, ProbeFailure> {
    const COMMAND: &[u8] = b"(CONNECT_DATA=(COMMAND=version))";
    let mut packet = vec![0, 0, 0, 0, 1, 0, 0, 0];
    // Version and the oldest compatible one, options, sizes of units, characteristics, and a one that shows the byte order.
    packet.extend([1, 0x39, 1, 0x2c, 0, 0, 0x20, 0, 0x7f, 0xff, 0x7f, 8, 0, 0, 0, 1]);
    packet.extend(u16::try_from(COMMAND.len()).unwrap_or_default().to_be_bytes());
    packet.extend([0, 58, 0, 0, 8, 0, 0, 0]);
    packet.resize(58, 0);
    packet.extend(COMMAND);
    if let (Some(slot), Ok(length)) = (packet.first_chunk_mut::<2>(), u16::try_from(58 + COMMAND.len())) {
        *slot = length.to_be_bytes();
    }
    let mut channel = dialer.open().await?;
    let complete = announced(|cursor| cursor.be16().map(usize::from));
    let mut answer = channel.ask(&packet, &complete).await?;
    // A listener may ask for the packet once more.
    if answer.get(4) == Some(&11) && tns_packet(&answer).is_some() {
        answer = channel.ask(&packet, &complete).await?;
    }
    Ok(oracle_answer(&answer))
}

/// Kind and body of a packet.
fn tns_packet(answer: &[u8]) -> Option<(u8, &[u8])> {
    let mut cursor = Cursor(answer);
    let length = usize::from(cursor.be16()?);
    if length < 8 || length > answer.len() || cursor.be16()? != 0 {
        return None;
    }
    let kind = cursor.u8()?;
    cursor.take(3)?;
    Some((kind, cursor.0))
}

/// An acceptance, a refusal with its reasons, or a redirection. All of them name the version in one of two ways.
pub fn oracle_answer(answer: &[u8]) -> Option<ServiceEvidence> {
    let (kind, body) = tns_packet(answer)?;
    let accepted = kind == 2 && body.len() >= 16 && matches!(body.first_chunk::<2>(), Some([1, 0x2c..=0x40]));
    let answered = matches!(kind, 4 | 5) && contains(body, b"(");
    if !(accepted || answered) {
        return None;
    }
    let text = printable(body, 600);
    let number = text.split_once("(VSNNUM=").and_then(|(_, rest)| rest.split_once(')'));
    let version = match number.and_then(|(digits, _)| digits.parse::<u32>().ok()) {
        Some(number) => oracle_version(number),
        None => text.split_once("Version ").and_then(|(_, rest)| {
            let version = rest.split([' ', '-']).next()?;
            version.starts_with(|c: char| c.is_ascii_digit()).then(|| version.to_owned())
        }),
    };
    if kind != 2 && version.is_none() && !text.contains("(DESCRIPTION=") && !text.contains("(ADDRESS=") {
        return None;
    }
    let mut found = evidence("oracle");
    signatures::set(&mut found, "Oracle Database", version.as_deref(), Some("oracle:database_server"));
    found.banner = Some(printable(text.as_bytes(), 200)).filter(|text| !text.is_empty());
    found.access = Access::Unknown { reason: "logging in was not tried".to_owned() };
    Some(found)
}

/// 186647552 is 0x0b200400 and 11.2.0.4.0: numbers of 8, 4, 8, 4 and 8 bits. Since 18 the numbers after the first count other things.
fn oracle_version(number: u32) -> Option<String> {
    let [major, minors, update, _] = number.to_be_bytes();
    match major {
        7..=12 => Some(format!("{major}.{}.{}.{}", minors >> 4, (minors & 15) << 4 | update >> 4, update & 15)),
        18..=60 => Some(major.to_string()),
        _ => None,
    }
}

// --- Cassandra

/// A frame of protocol version 4 (`native_protocol_v4.spec`).
fn cql(operation: u8, body: &[u8]) -> Vec<u8> {
    let mut frame = vec![4, 0, 0, 0, operation];
    frame.extend(with_length32(body));
    frame
}

fn cql_complete(answer: &[u8]) -> Enough {
    let length = |cursor: &mut Cursor<'_>| {
        cursor.take(5)?;
        usize::try_from(cursor.be32()?).ok()?.checked_add(9)
    };
    announced(length)(answer)
}

/// Operation and body of a response.
fn cql_response(answer: &[u8]) -> Option<(u8, &[u8])> {
    let mut cursor = Cursor(answer);
    let (version, _, stream, operation) = (cursor.u8()?, cursor.u8()?, cursor.be16()?, cursor.u8()?);
    let length = usize::try_from(cursor.be32()?).ok()?;
    (matches!(version, 0x81..=0x86) && stream == 0).then_some((operation, cursor.take(length)?))
}

/// OPTIONS, then a start without credentials, and where that is accepted the version in `system.local`.
pub async fn cassandra(dialer: &Dialer<'_>) -> Result<Option<ServiceEvidence>, ProbeFailure> {
    const STARTUP: u8 = 1;
    const READY: u8 = 2;
    const AUTHENTICATE: u8 = 3;
    const OPTIONS: u8 = 5;
    const QUERY: u8 = 7;
    const RELEASE: &[u8] = b"SELECT release_version FROM system.local";
    let mut channel = dialer.open().await?;
    let answer = channel.ask(&cql(OPTIONS, &[]), cql_complete).await?;
    let Some(mut found) = cassandra_answer(&answer) else { return Ok(None) };
    let mut start = vec![0, 1];
    push_text16(&mut start, "CQL_VERSION");
    push_text16(&mut start, "3.0.0");
    let answer = channel.ask(&cql(STARTUP, &start), cql_complete).await.unwrap_or_default();
    match cql_response(&answer) {
        Some((READY, _)) => {
            // Consistency ONE, no flags.
            let mut query = with_length32(RELEASE);
            query.extend([0, 1, 0]);
            let answer = channel.ask(&cql(QUERY, &query), cql_complete).await.unwrap_or_default();
            if let Some(version) = cassandra_release(&answer) {
                let proof = format!("STARTUP without credentials accepted; system.local read: {version}");
                found.access = Access::Open { proof };
                if found.product.as_deref() == Some("Apache Cassandra") {
                    signatures::set(&mut found, "Apache Cassandra", Some(&version), Some("apache:cassandra"));
                }
            } else {
                found.access = Access::Unknown { reason: "a query without credentials gave no row".to_owned() };
            }
        }
        Some((AUTHENTICATE, _)) => {
            found.access = Access::AuthRequired { proof: "STARTUP answered: AUTHENTICATE".to_owned() };
        }
        _ => {}
    }
    Ok(Some(found))
}

/// SUPPORTED, a map of lists, or an error about the version of the protocol.
pub fn cassandra_answer(answer: &[u8]) -> Option<ServiceEvidence> {
    const ERROR: u8 = 0;
    const SUPPORTED: u8 = 6;
    let (operation, body) = cql_response(answer)?;
    let mut found = evidence("cassandra");
    match operation {
        SUPPORTED if contains(body, b"\0\x0bCQL_VERSION") => {
            let scylla = contains(body, b"SCYLLA_");
            if scylla {
                signatures::set(&mut found, "ScyllaDB", None, Some("scylladb:scylladb"));
            } else {
                signatures::set(&mut found, "Apache Cassandra", None, Some("apache:cassandra"));
            }
        }
        ERROR if contains(body, b"protocol version") => {
            signatures::set(&mut found, "Apache Cassandra", None, Some("apache:cassandra"));
        }
        _ => return None,
    }
    Some(found)
}

/// The only value of the only row of a result.
pub fn cassandra_release(answer: &[u8]) -> Option<String> {
    let (8, body) = cql_response(answer)? else { return None };
    let mut cursor = Cursor(body);
    let (2, flags, 1) = (cursor.be32()?, cursor.be32()?, cursor.be32()?) else { return None };
    // Names of keyspace and table where they are the same for all columns, name and type of the column.
    let names = if flags & 1 == 1 { 3 } else { return None };
    for _ in 0..names {
        let length = usize::from(cursor.be16()?);
        cursor.take(length)?;
    }
    cursor.be16()?;
    if cursor.be32()? == 0 {
        return None;
    }
    let length = usize::try_from(cursor.be32()?).ok()?;
    let text = printable(cursor.take(length)?, 40);
    text.starts_with(|c: char| c.is_ascii_digit()).then_some(text)
}

// --- ClickHouse

/// A hello as the user `default` without a password, which is what a fresh installation lets in.
pub async fn clickhouse(dialer: &Dialer<'_>) -> Result<Option<ServiceEvidence>, ProbeFailure> {
    let mut hello = vec![0];
    push_short(&mut hello, b"bartizan");
    // Version 1.0 and revision 54405 (a number in groups of seven bits).
    hello.extend([1, 0, 0x85, 0xa9, 3]);
    for text in [&b"default"[..], b"default", b""] {
        push_short(&mut hello, text);
    }
    let mut channel = dialer.open().await?;
    let complete = |answer: &[u8]| Enough::when(clickhouse_answer(answer).is_some());
    Ok(clickhouse_answer(&channel.ask(&hello, complete).await?))
}

fn push_short(out: &mut Vec<u8>, text: &[u8]) {
    out.push(u8::try_from(text.len()).unwrap_or_default());
    out.extend_from_slice(text);
}

/// A number in groups of seven bits, the lowest first.
pub fn varint(cursor: &mut Cursor<'_>) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..63).step_by(7) {
        let byte = cursor.u8()?;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn varint_text<'b>(cursor: &mut Cursor<'b>) -> Option<&'b [u8]> {
    let length = usize::try_from(varint(cursor)?).ok()?;
    cursor.take(length)
}

/// A hello with the name and the version of the server, or an exception.
pub fn clickhouse_answer(answer: &[u8]) -> Option<ServiceEvidence> {
    let mut cursor = Cursor(answer);
    let mut found = evidence("clickhouse");
    match cursor.u8()? {
        0 => {
            if !varint_text(&mut cursor)?.starts_with(b"ClickHouse") {
                return None;
            }
            let (major, minor, revision) = (varint(&mut cursor)?, varint(&mut cursor)?, varint(&mut cursor)?);
            if major > 999 || minor > 999 {
                return None;
            }
            // Time zone, name of the server and the last number of the version came with these revisions.
            if revision >= 54_058 {
                varint_text(&mut cursor)?;
            }
            if revision >= 54_372 {
                varint_text(&mut cursor)?;
            }
            let version = if revision >= 54_401 {
                format!("{major}.{minor}.{}", varint(&mut cursor)?)
            } else {
                format!("{major}.{minor}")
            };
            signatures::set(&mut found, "ClickHouse", Some(&version), Some("clickhouse:clickhouse"));
            let proof = format!("The user `default` without a password was greeted by version {version}");
            found.access = Access::Open { proof };
        }
        2 => {
            let code = cursor.le32()?;
            if varint_text(&mut cursor)? != b"DB::Exception" {
                return None;
            }
            signatures::set(&mut found, "ClickHouse", None, Some("clickhouse:clickhouse"));
            // UNKNOWN_USER, WRONG_PASSWORD, REQUIRED_PASSWORD, IP_ADDRESS_NOT_ALLOWED, AUTHENTICATION_FAILED.
            found.access = if matches!(code, 192..=195 | 516) {
                Access::AuthRequired {
                    proof: format!("The user `default` without a password was refused (code {code})"),
                }
            } else {
                Access::Unknown { reason: format!("the server answered with exception {code}") }
            };
        }
        _ => return None,
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sql_server_states_its_build() {
        let mut answer = PRELOGIN.to_vec();
        answer[0] = 4;
        answer[29..35].copy_from_slice(&[15, 0, 0x10, 0xef, 0, 3]);
        let found = mssql_answer(&answer).unwrap();
        assert_eq!(found.product.as_deref(), Some("Microsoft SQL Server 2019"));
        assert_eq!(found.version.as_deref(), Some("15.0.4335.3"));
        assert!(found.cpe.unwrap().starts_with("cpe:2.3:a:microsoft:sql_server_2019:15.0.4335.3:"));
        assert!(mssql_answer(&PRELOGIN).is_none(), "an echo is no server");
    }

    #[test]
    fn listeners_of_oracle_state_their_version() {
        let refuse = |text: &str| {
            let mut packet = u16::try_from(12 + text.len()).unwrap().to_be_bytes().to_vec();
            packet.extend([0, 0, 4, 0, 0, 0, 0x22, 0, 0, u8::try_from(text.len()).unwrap()]);
            packet.extend(text.as_bytes());
            packet
        };
        let found = oracle_answer(&refuse("(DESCRIPTION=(TMP=)(VSNNUM=186647552)(ERR=1189))")).unwrap();
        assert_eq!(found.version.as_deref(), Some("11.2.0.4"));
        let found = oracle_answer(&refuse("(DESCRIPTION=(TMP=)(VSNNUM=318767104)(ERR=1189))")).unwrap();
        assert_eq!(found.version.as_deref(), Some("19"));
        assert_eq!(oracle_version(203_424_000).as_deref(), Some("12.2.0.1"));
        assert!(oracle_answer(b"\0\x20\0\0\x01\0\0\0").is_none());
    }

    #[test]
    fn answers_of_the_other_databases() {
        let mut hello = vec![0, 10];
        hello.extend(b"ClickHouse");
        hello.extend([23, 8, 0x85, 0xa9, 3, 3]);
        hello.extend(b"UTC\x01x\x02");
        let found = clickhouse_answer(&hello).unwrap();
        assert_eq!((found.version.as_deref(), matches!(found.access, Access::Open { .. })), (Some("23.8.2"), true));
        let mut refused = vec![2, 4, 2, 0, 0, 13];
        refused.extend(b"DB::Exception");
        assert!(matches!(clickhouse_answer(&refused).unwrap().access, Access::AuthRequired { .. }));
        assert!(cassandra_answer(&cql(5, &[])).is_none(), "an echo is no server");
    }

    proptest! {
        #[test]
        fn hostile_answers_break_nothing(bytes in proptest::collection::vec(any::<u8>(), 0..200), lead in 0_usize..6) {
            let leads: [&[u8]; 6] = [
                b"", &[4, 1, 0, 60, 0, 0, 1, 0, 0], &[0, 60, 0, 0, 4, 0, 0, 0], &[0x84, 0, 0, 0, 8, 0, 0, 0, 90, 0, 0, 0, 2],
                &[0x84, 0, 0, 0, 6, 0, 0, 0, 40], b"\0\x0aClickHouse",
            ];
            let mut answer = leads[lead].to_vec();
            answer.extend(&bytes);
            let _ = mssql_answer(&answer);
            let _ = oracle_answer(&answer);
            let _ = cassandra_answer(&answer);
            let _ = cassandra_release(&answer);
            let _ = cql_complete(&answer);
            let _ = clickhouse_answer(&answer);
        }
    }
}
