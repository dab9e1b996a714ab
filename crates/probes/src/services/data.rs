//! Datastores that wait for the client: Redis, Memcached, PostgreSQL, MySQL's greeting.
//!
//! Access is proven by reads that every client may make and that touch no record: versions and counts.

use bartizan_domain::evidence::service::{Access, Upgrade};
use bartizan_domain::evidence::{ProbeFailure, ServiceEvidence, StartTls};

use super::wire::{Cursor, Dialer, Enough, Layer, banner, line, printable};
use super::{evidence, signatures};

// --- Redis

/// `PING`, and `INFO server` where that is answered.
pub async fn redis(dialer: &Dialer<'_>) -> Result<Option<ServiceEvidence>, ProbeFailure> {
    let mut channel = dialer.open().await?;
    let pong = channel.ask(b"*1\r\n$4\r\nPING\r\n", line).await?;
    let Some(mut found) = redis_answer(&pong) else { return Ok(None) };
    if matches!(found.access, Access::Open { .. }) {
        let complete = |answer: &[u8]| Enough::when(redis_bulk_complete(answer));
        let info = channel.ask(b"*2\r\n$4\r\nINFO\r\n$6\r\nserver\r\n", complete).await.unwrap_or_default();
        redis_info(&mut found, &info);
    }
    Ok(Some(found))
}

/// What an answer to `PING` says. Error replies of other line protocols look different: Redis names its errors in
/// capitals after the minus.
pub fn redis_answer(answer: &[u8]) -> Option<ServiceEvidence> {
    let text = printable(answer, 160);
    let mut found = evidence("redis");
    found.access = if text == "+PONG" {
        Access::Open { proof: "PING answered: PONG".to_owned() }
    } else if text.starts_with("-NOAUTH") || text.starts_with("-DENIED") || text.starts_with("-NOPERM") {
        Access::AuthRequired { proof: format!("PING answered: {text}") }
    } else if ["-LOADING", "-MASTERDOWN", "-BUSY ", "-MISCONF"].iter().any(|code| text.starts_with(code)) {
        Access::Unknown { reason: format!("PING answered: {text}") }
    } else {
        return None;
    };
    Some(found)
}

fn redis_bulk_complete(answer: &[u8]) -> bool {
    let Some(end) = answer.iter().position(|byte| *byte == b'\n') else { return false };
    match answer.first() {
        Some(b'$') => {
            let length = std::str::from_utf8(answer.get(1..end).unwrap_or_default())
                .ok()
                .and_then(|text| text.trim().parse::<usize>().ok());
            length.is_none_or(|length| answer.len() >= end.saturating_add(length).saturating_add(3))
        }
        _ => true,
    }
}

/// Product and version from `INFO server`. Many servers speak this protocol and state a version of Redis for the sake of
/// clients; which field tells the truth is in `content/services/products.toml`.
fn redis_info(found: &mut ServiceEvidence, info: &[u8]) {
    signatures::apply(found, &String::from_utf8_lossy(info));
    if let (Some(product), Some(version)) = (&found.product, &found.version) {
        found.access = Access::Open { proof: format!("INFO server answered: {product} {version}") };
    }
}

// --- Memcached

/// `version`, and `stats` for the number of items.
pub async fn memcached(dialer: &Dialer<'_>) -> Result<Option<ServiceEvidence>, ProbeFailure> {
    let mut channel = dialer.open().await?;
    let answer = channel.ask(b"version\r\n", line).await?;
    let Some(mut found) = memcached_answer(&answer) else { return Ok(None) };
    if let Access::Open { proof } = &mut found.access {
        let complete = |answer: &[u8]| Enough::when(answer.ends_with(b"END\r\n") || answer.ends_with(b"ERROR\r\n"));
        let stats = channel.ask(b"stats\r\n", complete).await.unwrap_or_default();
        let text = String::from_utf8_lossy(&stats);
        let items = text.lines().find_map(|line| line.strip_prefix("STAT curr_items ")).map(str::trim);
        if let Some(items) = items.and_then(|text| text.parse::<u64>().ok()) {
            proof.push_str(&format!("; stats answered: curr_items {items}"));
        }
    }
    Ok(Some(found))
}

/// What an answer to `version` says.
pub fn memcached_answer(answer: &[u8]) -> Option<ServiceEvidence> {
    let text = printable(answer, 80);
    let mut found = evidence("memcached");
    if let Some(version) = text.strip_prefix("VERSION ") {
        signatures::set(&mut found, "Memcached", Some(version), Some("memcached:memcached"));
        found.access = Access::Open { proof: format!("version answered: VERSION {version}") };
    } else if text.starts_with("CLIENT_ERROR unauthenticated") {
        found.access = Access::AuthRequired { proof: format!("version answered: {text}") };
    } else {
        return None;
    }
    Some(found)
}

// --- PostgreSQL

/// `SSLRequest`, then on a second connection a start without a password.
pub async fn postgres(dialer: &Dialer<'_>) -> Result<Option<ServiceEvidence>, ProbeFailure> {
    const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 0xd2, 0x16, 0x2f];
    let mut channel = dialer.open().await?;
    let answer = channel.ask(&SSL_REQUEST, super::wire::anything).await?;
    let upgrade = match answer.as_slice() {
        b"S" => Upgrade::Offered,
        b"N" => Upgrade::NotOffered,
        _ => return Ok(None),
    };
    drop(channel);
    let mut body = vec![0, 3, 0, 0];
    body.extend_from_slice(b"user\0postgres\0database\0postgres\0application_name\0bartizan\0\0");
    let mut start = u32::try_from(body.len() + 4).unwrap_or_default().to_be_bytes().to_vec();
    start.extend(body);
    let mut channel = dialer.open().await?;
    let complete = |answer: &[u8]| Enough::when(postgres_complete(answer));
    let answer = channel.ask(&start, complete).await.unwrap_or_default();
    // One letter is no proof of a protocol; the answer to the start message is.
    let Some(mut found) = postgres_answer(&answer) else { return Ok(None) };
    if dialer.layer == Layer::Plain {
        found.starttls = (upgrade == Upgrade::Offered).then_some(StartTls::Postgres);
        found.upgrade = upgrade;
    }
    Ok(Some(found))
}

/// Messages of a PostgreSQL backend: type and body.
fn postgres_messages(answer: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    let mut cursor = Cursor(answer);
    std::iter::from_fn(move || {
        let kind = cursor.u8()?;
        let length = usize::try_from(cursor.be32()?).ok()?.checked_sub(4)?;
        Some((kind, cursor.take(length)?))
    })
}

fn postgres_complete(answer: &[u8]) -> bool {
    postgres_messages(answer).any(|(kind, body)| match kind {
        b'E' | b'Z' => true,
        b'R' => body != [0, 0, 0, 0],
        _ => false,
    })
}

/// What the answer to a start message says.
pub fn postgres_answer(answer: &[u8]) -> Option<ServiceEvidence> {
    let mut found = evidence("postgresql");
    // Parameters that the server reports, a line each: what they say of the product is in the table of products.
    let mut stated = String::new();
    let mut open = false;
    let mut known = false;
    for (kind, body) in postgres_messages(answer).take(64) {
        match kind {
            b'R' => {
                known = true;
                let method = Cursor(body).be32()?;
                let name = match method {
                    0 => {
                        open = true;
                        continue;
                    }
                    2 => "Kerberos",
                    3 => "a clear-text password",
                    5 => "an MD5 password",
                    7 | 8 => "GSSAPI",
                    9 => "SSPI",
                    10 => "SASL (SCRAM)",
                    _ => "a method unknown to us",
                };
                found.access = Access::AuthRequired { proof: format!("The server asks for {name}") };
            }
            b'E' => {
                known = body.windows(5).any(|part| part.starts_with(b"\0C") || part.starts_with(b"\0M"));
                let message = postgres_field(body, b'M').unwrap_or_default();
                let code = postgres_field(body, b'C').unwrap_or_default();
                let refused = code.starts_with("28");
                found.access = if refused {
                    Access::AuthRequired { proof: format!("Start without a password refused ({code})") }
                } else {
                    Access::Unknown { reason: format!("start without a password answered: {message}") }
                };
            }
            b'S' => {
                let mut cursor = Cursor(body);
                if let (Some(name), Some(value)) = (cursor.c_string(), cursor.c_string())
                    && (name.ends_with(b"_version") || name.ends_with(b"_revision"))
                {
                    stated.push_str(&format!("{}={}\n", printable(name, 40), printable(value, 80)));
                }
            }
            _ => {}
        }
    }
    if !known {
        return None;
    }
    if open && !matches!(found.access, Access::AuthRequired { .. }) {
        let version = stated.lines().find(|line| line.starts_with("server_version="));
        let version = version.map_or(String::new(), |line| format!(", {}", line.replacen('=', " ", 1)));
        found.access = Access::Open { proof: format!("User postgres is let in without a password{version}") };
    }
    if stated.is_empty() {
        // Before a login nothing tells PostgreSQL from what speaks like it, and it is by far the most frequent.
        signatures::set(&mut found, "PostgreSQL", None, Some("postgresql:postgresql"));
    } else {
        signatures::apply(&mut found, &stated);
    }
    Some(found)
}

fn postgres_field(body: &[u8], wanted: u8) -> Option<String> {
    let mut cursor = Cursor(body);
    loop {
        let kind = cursor.u8().filter(|kind| *kind != 0)?;
        let text = cursor.c_string()?;
        if kind == wanted {
            return Some(printable(text, 120));
        }
    }
}

// --- MySQL and MariaDB

/// Reads MySQL's initial handshake or the error packet it sends instead (protocol documentation of MySQL, "Connection
/// Phase"), and the notice that the X protocol begins with.
pub fn mysql_greeting(bytes: &[u8]) -> Option<ServiceEvidence> {
    const CLIENT_SSL: u32 = 0x0800;
    const X_HELLO: [u8; 9] = [5, 0, 0, 0, 0x0b, 8, 5, 0x1a, 0];
    if bytes == X_HELLO {
        let mut found = evidence("mysqlx");
        signatures::set(&mut found, "MySQL", None, Some("oracle:mysql"));
        return Some(found);
    }
    let mut cursor = Cursor(bytes);
    let header = cursor.take(4)?;
    let length = usize::from(header[0]) | usize::from(header[1]) << 8 | usize::from(header[2]) << 16;
    let mut found = evidence("mysql");
    match (header[3], cursor.u8()?) {
        (0, 0x0a) => {
            let raw = cursor.c_string().filter(|text| (3..=80).contains(&text.len()))?;
            if !raw.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ') || !raw[0].is_ascii_digit() {
                return None;
            }
            let _thread = cursor.le32()?;
            let _challenge = cursor.take(9)?;
            let low = cursor.le16()?;
            let ssl = u32::from(low) & CLIENT_SSL != 0;
            mysql_product(&mut found, &printable(raw, 80));
            found.starttls = ssl.then_some(StartTls::Mysql);
            found.upgrade = if ssl { Upgrade::Offered } else { Upgrade::NotOffered };
            found.access = Access::Unknown { reason: "logging in was not tried".to_owned() };
        }
        (0, 0xff) if length < 600 => {
            let code = cursor.le16()?;
            if !(1000..=4200).contains(&code) {
                return None;
            }
            let message = cursor.0.get(..cursor.0.len().min(length.saturating_sub(3)))?;
            // Only the kind of refusal is kept: the text names our own address.
            let text = printable(message, 200);
            if text.contains("MariaDB") {
                signatures::set(&mut found, "MariaDB", None, Some("mariadb:mariadb"));
            }
            found.banner = Some(format!("error {code}"));
            found.upgrade = Upgrade::Unknown { reason: format!("the server refused the connection (error {code})") };
            found.access = if code == 1130 {
                Access::AuthRequired { proof: "Our address may not connect (error 1130)".to_owned() }
            } else {
                Access::Unknown { reason: format!("the server refused the connection (error {code})") }
            };
        }
        _ => return None,
    }
    Some(found)
}

/// The message of the error packet that a server greets with. It names our own address, so it is matched and not kept.
pub fn mysql_error(bytes: &[u8]) -> Option<&[u8]> {
    let mut cursor = Cursor(bytes);
    let header = cursor.take(4)?;
    let length = usize::from(header[0]) | usize::from(header[1]) << 8;
    (header[2] == 0 && header[3] == 0 && cursor.u8()? == 0xff).then_some(())?;
    cursor.take(2)?;
    cursor.0.get(..length.checked_sub(3)?.min(cursor.0.len()))
}

/// The version that a server states is often that of MySQL which it is compatible with, with its own behind it; the table of
/// products tells them apart, and has no entry for what cannot be told.
fn mysql_product(found: &mut ServiceEvidence, stated: &str) {
    found.banner = banner(stated.as_bytes());
    signatures::apply(found, stated);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn mariadb() -> Vec<u8> {
        let mut body = b"\x0a5.5.5-10.11.6-MariaDB-0+deb12u1\0\x05\0\0\0abcdefgh\0\xfe\xff".to_vec();
        body.extend([0_u8; 40]);
        let mut packet = vec![u8::try_from(body.len()).unwrap(), 0, 0, 0];
        packet.extend(body);
        packet
    }

    #[test]
    fn answers_of_datastores() {
        assert!(matches!(redis_answer(b"+PONG\r\n").unwrap().access, Access::Open { .. }));
        assert!(matches!(
            redis_answer(b"-NOAUTH Authentication required.\r\n").unwrap().access,
            Access::AuthRequired { .. }
        ));
        assert!(redis_answer(b"-ERR unknown\r\n").is_none());
        assert!(redis_answer(b"HTTP/1.1 400\r\n").is_none());
        assert!(matches!(memcached_answer(b"VERSION 1.6.18\r\n").unwrap().access, Access::Open { .. }));
        assert!(memcached_answer(b"ERROR\r\n").is_none());
        let found = mysql_greeting(&mariadb()).unwrap();
        assert_eq!((found.product.as_deref(), found.version.as_deref()), (Some("MariaDB"), Some("10.11.6")));
        assert_eq!(found.upgrade, Upgrade::Offered);
        for (stated, product, version) in [
            ("8.0.36", "MySQL", "8.0.36"),
            ("8.0.35-0ubuntu0.22.04.1", "MySQL", "8.0.35"),
            ("5.7.44-log", "MySQL", "5.7.44"),
            ("8.0.31-google", "MySQL", "8.0.31"),
            ("11.4.2-MariaDB-1:11.4.2+maria~ubu2204", "MariaDB", "11.4.2"),
            ("5.5.5-10.6.12-MariaDB-log", "MariaDB", "10.6.12"),
            ("5.7.25-TiDB-v7.1.0", "TiDB", "7.1.0"),
            ("8.0.mysql_aurora.3.04.0", "Amazon Aurora MySQL", "3.04.0"),
            ("8.0.35-27", "Percona Server for MySQL", "8.0.35-27"),
            ("8.0.35-27.1", "Percona Server for MySQL", "8.0.35-27.1"),
            ("8.0.30-Vitess", "Vitess", ""),
            ("5.5.30 (ProxySQL)", "ProxySQL", ""),
            ("22.8.1.2097-ClickHouse", "ClickHouse", "22.8.1.2097"),
            ("5.7.25-OceanBase-v4.2.1.0", "OceanBase", "4.2.1.0"),
            ("8.0.30-somebody-else", "", ""),
        ] {
            let mut found = evidence("mysql");
            mysql_product(&mut found, stated);
            let is = (found.product.unwrap_or_default(), found.version.unwrap_or_default());
            assert_eq!((is.0.as_str(), is.1.as_str()), (product, version), "{stated}");
        }
        for (info, product, version) in [
            ("# Server\r\nredis_version:7.2.4\r\nredis_mode:standalone\r\n", "Redis", "7.2.4"),
            ("redis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:8.0.1\r\n", "Valkey", "8.0.1"),
            ("redis_version:7.4.0\r\ndragonfly_version:df-v1.24.0\r\n", "Dragonfly", "1.24.0"),
            ("redis_version:6.3.4\r\nexecutable:/usr/bin/keydb-server\r\n", "KeyDB", "6.3.4"),
            ("redis_version:4.0.0\r\nkvrocks_version:2.9.0\r\n", "Apache Kvrocks", "2.9.0"),
            ("redis_version:6.3.1\r\n", "", ""),
        ] {
            let mut found = evidence("redis");
            redis_info(&mut found, info.as_bytes());
            let is = (found.product.unwrap_or_default(), found.version.unwrap_or_default());
            assert_eq!((is.0.as_str(), is.1.as_str()), (product, version), "{info}");
        }
        for (parameters, product, version) in [
            (&[("server_version", "16.4 (Debian 16.4-1.pgdg120+2)")][..], "PostgreSQL", "16.4"),
            (&[("server_version", "9.6.24")], "PostgreSQL", "9.6.24"),
            (&[("server_version", "17beta1")], "PostgreSQL", "17beta1"),
            (
                &[("server_version", "13.0.0"), ("crdb_version", "CockroachDB CCL v23.1.11 (x86_64)")],
                "CockroachDB",
                "23.1.11",
            ),
            (&[("server_version", "11.2-YB-2.19.0.0-b0")], "YugabyteDB", "2.19.0.0"),
            (&[("server_version", "8.0.2"), ("padb_version", "1.0.60353")], "Amazon Redshift", "1.0.60353"),
            (&[("server_version", "13.14.0")], "", ""),
        ] {
            let mut answer = b"R\0\0\0\x08\0\0\0\0".to_vec();
            for (name, value) in parameters {
                answer.push(b'S');
                answer.extend(u32::try_from(name.len() + value.len() + 6).unwrap().to_be_bytes());
                answer.extend(format!("{name}\0{value}\0").bytes());
            }
            let found = postgres_answer(&answer).unwrap();
            assert!(matches!(found.access, Access::Open { .. }));
            let is = (found.product.unwrap_or_default(), found.version.unwrap_or_default());
            assert_eq!((is.0.as_str(), is.1.as_str()), (product, version), "{parameters:?}");
        }
        let refused = b"\x45\0\0\0\xff\x6a\x04Host '192.0.2.9' is not allowed to connect to this MariaDB server";
        let found = mysql_greeting(refused).unwrap();
        assert!(matches!(found.access, Access::AuthRequired { .. }));
        assert!(!serde_json::to_string(&found).unwrap().contains("192.0.2.9"));
        let found = postgres_answer(b"R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0").unwrap();
        assert!(matches!(found.access, Access::AuthRequired { .. }));
        let found = postgres_answer(b"R\0\0\0\x08\0\0\0\0S\0\0\0\x18server_version\x0015.3\0Z\0\0\0\x05I").unwrap();
        assert!(matches!(found.access, Access::Open { .. }), "{found:?}");
        assert_eq!(found.version.as_deref(), Some("15.3"));
    }

    proptest! {
        #[test]
        fn hostile_answers_break_nothing(bytes in proptest::collection::vec(any::<u8>(), 0..300), cut in 0_usize..90) {
            let _ = redis_answer(&bytes);
            let _ = redis_bulk_complete(&bytes);
            let _ = memcached_answer(&bytes);
            let _ = postgres_answer(&bytes);
            let _ = postgres_complete(&bytes);
            let _ = mysql_greeting(&bytes);
            let _ = mysql_error(&bytes);
            let _ = mysql_greeting(mariadb().get(..cut).unwrap_or_default());
        }

        #[test]
        fn bulk_lengths_are_not_trusted(length: u64) {
            let _ = redis_bulk_complete(format!("${length}\r\nabc").as_bytes());
        }
    }
}
