//! Names to addresses, the way this machine (or the configured resolver) sees them.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use bartizan_domain::evidence::{FailureKind, Observation, ProbeFailure};
use bartizan_outbound::dns::{DnsClient, Record, RecordType};
use hickory_proto::rr::RData;

use crate::ProbeContext;

/// Addresses kept for one name.
const MAX_ADDRESSES: usize = 64;
/// Bytes read of `/etc/hosts`.
const MAX_HOSTS: usize = 1 << 20;

/// A client of the configured resolver, or of this machine's.
///
/// # Errors
/// No resolver is configured and `/etc/resolv.conf` names none.
pub(crate) async fn client(cx: &ProbeContext) -> Result<DnsClient, ProbeFailure> {
    match cx.dns.resolver {
        Some(server) => Ok(DnsClient::new(cx.outbound.clone(), server)),
        None => DnsClient::system(cx.outbound.clone()).await,
    }
}

/// IPv4 and IPv6 addresses of `name`, aliases followed.
///
/// Without a configured resolver `/etc/hosts` is asked first, as every program on this machine does; with one, it is
/// the fallback for names the resolver does not know. `localhost` and names below it are loopback by RFC 6761
/// whatever a resolver says.
pub async fn addresses(cx: &ProbeContext, name: &str) -> Observation<Vec<IpAddr>> {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let doing = format!("resolving {name}");
    cx.within(cx.timeout.saturating_mul(3), &doing, lookup(cx, &name)).await.into()
}

async fn lookup(cx: &ProbeContext, name: &str) -> Result<Vec<IpAddr>, ProbeFailure> {
    let local = hosts_file().await.map(|text| in_hosts(&text, name)).unwrap_or_default();
    let is_localhost = name == "localhost" || name.ends_with(".localhost");
    if is_localhost && local.is_empty() {
        return Ok(vec![IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)]);
    }
    if !local.is_empty() && (is_localhost || cx.dns.resolver.is_none()) {
        return Ok(local);
    }
    let resolved = match client(cx).await {
        Ok(client) => of_name(&client, name).await,
        Err(failure) => Err(failure),
    };
    match resolved {
        Ok(found) if !found.is_empty() => Ok(found),
        _ if !local.is_empty() => Ok(local),
        Ok(_) => Err(ProbeFailure::new(FailureKind::Resolution, format!("{name} has no address"))),
        Err(failure) => Err(failure),
    }
}

/// Every address of `name`, for whoever must not miss one: what `/etc/hosts` says, and what the DNS says of both families.
///
/// # Errors
/// If one of these cannot be known: a family for which the resolver fails, an answer that ends in an alias, a file that cannot
/// be read; and if there is no address at all. An answer without error and without records says that there are none.
pub async fn every_address(cx: &ProbeContext, name: &str) -> Result<Vec<IpAddr>, ProbeFailure> {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let doing = format!("resolving {name}");
    cx.within(cx.timeout.saturating_mul(3), &doing, strict_lookup(cx, &name)).await
}

async fn strict_lookup(cx: &ProbeContext, name: &str) -> Result<Vec<IpAddr>, ProbeFailure> {
    let local = |why: String| ProbeFailure::new(FailureKind::Local, why);
    let mut found = BTreeSet::new();
    match tokio::fs::read("/etc/hosts").await {
        Ok(bytes) if bytes.len() > MAX_HOSTS => {
            return Err(local(format!("/etc/hosts is larger than {MAX_HOSTS} bytes")));
        }
        Ok(bytes) => found.extend(in_hosts(&String::from_utf8_lossy(&bytes), name)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(local(format!("reading /etc/hosts: {error}"))),
    }
    if name == "localhost" || name.ends_with(".localhost") {
        found.extend([IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)]);
        return Ok(found.into_iter().collect());
    }
    let client = client(cx).await?;
    let (v4, v6) = tokio::join!(client.query(name, RecordType::A), client.query(name, RecordType::AAAA));
    for (result, kind) in [(v4, RecordType::A), (v6, RecordType::AAAA)] {
        let answer = result?;
        found.extend(answer.data(kind).filter_map(RData::ip_addr));
        let is_alias = |record: &Record| record.record_type() == RecordType::CNAME;
        let denied =
            answer.no_such_name || answer.authority.iter().any(|record| record.record_type() == RecordType::SOA);
        if answer.data(kind).next().is_none() && answer.answer.iter().any(is_alias) && !denied {
            let why = format!("the {kind} answer of the resolver ends in an alias");
            return Err(ProbeFailure::new(FailureKind::Resolution, why));
        }
    }
    if found.is_empty() {
        return Err(ProbeFailure::new(FailureKind::Resolution, format!("{name} has no address")));
    }
    Ok(found.into_iter().collect())
}

/// Addresses of `name` in the DNS, in order; empty if it has none. One family failing while the other answers with
/// addresses is not a failure.
///
/// # Errors
/// As [`DnsClient::query`], when neither family gave an address and one of them failed.
pub(crate) async fn of_name(client: &DnsClient, name: &str) -> Result<Vec<IpAddr>, ProbeFailure> {
    let (v4, v6) = tokio::join!(client.query(name, RecordType::A), client.query(name, RecordType::AAAA));
    let mut found = BTreeSet::new();
    let mut failure = None;
    for (result, kind) in [(v4, RecordType::A), (v6, RecordType::AAAA)] {
        match result {
            Ok(answer) => found.extend(answer.data(kind).filter_map(RData::ip_addr).take(MAX_ADDRESSES)),
            Err(error) => failure = Some(error),
        }
    }
    match failure {
        Some(failure) if found.is_empty() => Err(failure),
        _ => Ok(found.into_iter().take(MAX_ADDRESSES).collect()),
    }
}

/// Whether `name` exists in spite of a NXDOMAIN answer: some servers give that wrongly for types they have no record of.
pub(crate) async fn exists_after_all(client: &DnsClient, name: &str) -> bool {
    let kinds = [RecordType::A, RecordType::AAAA, RecordType::MX, RecordType::TXT, RecordType::NS, RecordType::SOA];
    let answers = futures::future::join_all(kinds.into_iter().map(|kind| client.query(name, kind))).await;
    answers.into_iter().flatten().any(|answer| !answer.no_such_name)
}

async fn hosts_file() -> Option<String> {
    let bytes = tokio::fs::read("/etc/hosts").await.ok()?;
    Some(String::from_utf8_lossy(bytes.get(..MAX_HOSTS.min(bytes.len()))?).into_owned())
}

fn in_hosts(text: &str, name: &str) -> Vec<IpAddr> {
    let found: BTreeSet<IpAddr> = text
        .lines()
        .filter_map(|line| {
            let mut words = line.split('#').next()?.split_whitespace();
            let address = words.next()?.parse().ok()?;
            words.any(|word| word.trim_end_matches('.').eq_ignore_ascii_case(name)).then_some(address)
        })
        .collect();
    found.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_lines_are_read() {
        let text = "127.0.0.1\tlocalhost\n::1 localhost ip6-localhost\n# 192.0.2.9 no.test\n192.0.2.1 A.test b.test # c.test\nbad a.test\n";
        assert_eq!(in_hosts(text, "localhost").len(), 2);
        assert_eq!(in_hosts(text, "a.test"), ["192.0.2.1".parse::<IpAddr>().unwrap()]);
        assert!(in_hosts(text, "c.test").is_empty() && in_hosts(text, "no.test").is_empty());
    }
}
