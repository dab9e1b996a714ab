//! DNS evidence of a domain: its zone and servers, CAA, zone transfers, and the records of the DNSSEC chain.
//!
//! Everything but the transfers goes through the recursive resolver, with CD and DO set. Start reading at [`gather`].

use bartizan_domain::evidence::dns::{
    CaaClimb, CaaRecord, DnsEvidence, DnssecChain, NameServer, SignedData, TransferAttempt, ZoneFacts, ZoneKeys,
};
use bartizan_domain::evidence::{FailureKind, Observation, ProbeFailure};
use bartizan_outbound::dns::{Answer, DnsClient, RecordType, presentation, transfer};
use futures::StreamExt as _;
use futures::stream;
use hickory_proto::rr::RData;

use crate::{ProbeContext, resolve};

/// Labels of the longest name whose chain is followed; reverse IPv6 names have 34.
const MAX_LABELS: usize = 40;
/// Name servers of a zone that are looked at; a zone rarely has more than 13.
const MAX_SERVERS: usize = 20;
/// Transfer attempts of one zone.
const MAX_TRANSFERS: usize = 40;
/// Queries in flight.
const PARALLEL: usize = 6;

/// Gathers the DNS evidence of `domain`.
///
/// `NotApplicable` for special-use names and for names that do not exist in the DNS; `Failed` if the resolver does not
/// answer for the name at all.
pub async fn gather(cx: &ProbeContext, domain: &str) -> Observation<DnsEvidence> {
    let name = domain.trim_end_matches('.').to_ascii_lowercase();
    if let Some(reason) = special_use(&name) {
        return Observation::NotApplicable { reason };
    }
    let doing = format!("gathering the DNS records of {name}");
    match cx.within(cx.timeout.saturating_mul(9), &doing, gather_name(cx, &name)).await {
        Ok(Some(evidence)) => Observation::Observed(evidence),
        Ok(None) => Observation::NotApplicable { reason: format!("{name} does not exist in the DNS") },
        Err(failure) => Observation::Failed(failure),
    }
}

/// Why a name is not in the public DNS tree by its nature (RFC 6761), if so.
pub(crate) fn special_use(name: &str) -> Option<String> {
    (name == "localhost" || name.ends_with(".localhost"))
        .then(|| "localhost names are not in the DNS (RFC 6761)".to_owned())
}

/// The name and its ancestors, top-level domain first: `com`, `example.com`, `www.example.com`.
pub(crate) fn ancestors(name: &str) -> Vec<&str> {
    let mut list: Vec<&str> =
        std::iter::successors(Some(name), |rest| rest.split_once('.').map(|(_, up)| up)).collect();
    list.reverse();
    list
}

/// What the climb from the root found at one name.
struct Step<'n> {
    name: &'n str,
    soa: Result<Option<Answer>, ProbeFailure>,
}

async fn gather_name(cx: &ProbeContext, name: &str) -> Result<Option<DnsEvidence>, ProbeFailure> {
    let client = resolve::client(cx).await?;
    let own = client.query(name, RecordType::SOA).await?;
    if own.no_such_name && !resolve::exists_after_all(&client, name).await {
        return Ok(None);
    }
    let names = ancestors(name);
    if names.len() > MAX_LABELS {
        return Err(ProbeFailure::new(FailureKind::Limit, format!("{name} has more than {MAX_LABELS} labels")));
    }
    let (client_ref, own_ref) = (&client, &own);
    let steps: Vec<Step<'_>> = stream::iter(
        names
            .into_iter()
            .map(|step| async move {
                let answer =
                    if step == name { Ok(own_ref.clone()) } else { client_ref.query(step, RecordType::SOA).await };
                Step { name: step, soa: answer.map(|answer| is_apex(&answer, step).then_some(answer)) }
            })
            .collect::<Vec<_>>(),
    )
    .buffered(PARALLEL)
    .collect()
    .await;

    let (zone, caa, dnssec) =
        tokio::join!(zone_facts(&client, &steps), climb_caa(&client, name), chain(&client, name, &steps));
    let transfers = match zone.observed() {
        Some(zone) => transfers(cx, zone).await,
        None => Observation::not_attempted("the zone's servers are not known"),
    };
    Ok(Some(DnsEvidence {
        name: name.to_owned(),
        resolver: client.server().to_string(),
        zone,
        caa: caa.into(),
        transfers,
        dnssec: Observation::Observed(dnssec),
    }))
}

/// Whether the answer to a SOA query for `name` shows that a zone begins there.
fn is_apex(answer: &Answer, name: &str) -> bool {
    answer.answer.iter().any(|record| record.record_type() == RecordType::SOA && presentation(&record.name) == name)
}

async fn zone_facts(client: &DnsClient, steps: &[Step<'_>]) -> Observation<ZoneFacts> {
    for step in steps.iter().rev() {
        match &step.soa {
            Ok(None) => {}
            Ok(Some(answer)) => return facts_of(client, step.name, answer).await.into(),
            Err(failure) => return Observation::Failed(failure.clone()),
        }
    }
    Observation::Failed(ProbeFailure::new(FailureKind::Resolution, "no zone below the root holds the name"))
}

async fn facts_of(client: &DnsClient, apex: &str, soa: &Answer) -> Result<ZoneFacts, ProbeFailure> {
    let soa = soa.data(RecordType::SOA).find_map(|data| match data {
        RData::SOA(soa) => Some(soa),
        _ => None,
    });
    let answer = client.query(apex, RecordType::NS).await?;
    let mut names: Vec<String> = answer
        .data(RecordType::NS)
        .filter_map(|data| match data {
            RData::NS(server) => Some(presentation(&server.0)),
            _ => None,
        })
        .collect();
    names.sort();
    names.dedup();
    names.truncate(MAX_SERVERS);
    let servers = stream::iter(
        names
            .into_iter()
            .map(|name| async move {
                let addresses = match resolve::of_name(client, &name).await {
                    Ok(found) if found.is_empty() => {
                        Err(ProbeFailure::new(FailureKind::Resolution, format!("{name} has no address")))
                    }
                    other => other,
                };
                NameServer { name, addresses: addresses.into() }
            })
            .collect::<Vec<_>>(),
    )
    .buffered(PARALLEL)
    .collect()
    .await;
    Ok(ZoneFacts {
        apex: apex.to_owned(),
        primary: soa.map(|soa| presentation(&soa.mname)).unwrap_or_default(),
        serial: soa.map(|soa| soa.serial).unwrap_or_default(),
        servers,
    })
}

async fn climb_caa(client: &DnsClient, name: &str) -> Result<CaaClimb, ProbeFailure> {
    let mut climb = CaaClimb::default();
    for step in ancestors(name).into_iter().rev() {
        let answer = match client.query(step, RecordType::CAA).await {
            Ok(answer) => answer,
            // A resolver of a private network need not know the public suffix above its domains.
            Err(failure) if !climb.asked.is_empty() && psl::domain_str(step).is_none() => {
                climb.stopped = Some(format!("{step}: {failure}"));
                break;
            }
            Err(failure) => return Err(failure),
        };
        climb.asked.push(step.to_owned());
        climb.records = answer
            .data(RecordType::CAA)
            .filter_map(|data| match data {
                RData::CAA(caa) => Some(CaaRecord {
                    critical: caa.issuer_critical,
                    tag: caa.tag.to_ascii_lowercase(),
                    value: String::from_utf8_lossy(&caa.value).into_owned(),
                }),
                _ => None,
            })
            .take(100)
            .collect();
        if !climb.records.is_empty() {
            break;
        }
    }
    Ok(climb)
}

async fn transfers(cx: &ProbeContext, zone: &ZoneFacts) -> Observation<Vec<TransferAttempt>> {
    let mut list = Vec::new();
    for server in &zone.servers {
        for address in server.addresses.observed().into_iter().flatten() {
            list.push((server.name.clone(), *address));
        }
    }
    if list.is_empty() {
        let detail = "no name server of the zone has a known address";
        return Observation::Failed(ProbeFailure::new(FailureKind::Resolution, detail));
    }
    list.truncate(MAX_TRANSFERS);
    let attempts = stream::iter(
        list.into_iter()
            .map(|(server, address)| async move {
                let outcome = transfer(&cx.outbound, (address, cx.dns.authoritative_port).into(), &zone.apex).await;
                TransferAttempt { server, address, outcome }
            })
            .collect::<Vec<_>>(),
    )
    .buffered(PARALLEL)
    .collect()
    .await;
    Observation::Observed(attempts)
}

/// The keys of every zone from the root down, and signed data of the last one.
async fn chain(client: &DnsClient, name: &str, steps: &[Step<'_>]) -> DnssecChain {
    let mut zones: Vec<(String, Option<ProbeFailure>)> = vec![(".".to_owned(), None)];
    for step in steps {
        match &step.soa {
            Ok(Some(_)) => zones.push((format!("{}.", step.name), None)),
            Ok(None) => {}
            // Whether a zone begins here is not known; the check must not take the parent's keys for its.
            Err(failure) => zones.push((format!("{}.", step.name), Some(failure.clone()))),
        }
    }
    let apex = zones.last().map_or_else(|| ".".to_owned(), |(zone, _)| zone.clone());
    let keys = stream::iter(
        zones
            .into_iter()
            .map(|(zone, failure)| async move {
                if let Some(failure) = failure {
                    let (ds, dnskey) = (Observation::Failed(failure.clone()), Observation::Failed(failure));
                    return ZoneKeys { zone, ds, dnskey };
                }
                let dnskey = client.query(&zone, RecordType::DNSKEY);
                if zone == "." {
                    let reason = "the root has no parent".to_owned();
                    return ZoneKeys { ds: Observation::NotApplicable { reason }, dnskey: signed(dnskey.await), zone };
                }
                let (ds, dnskey) = tokio::join!(client.query(&zone, RecordType::DS), dnskey);
                ZoneKeys { ds: signed(ds), dnskey: signed(dnskey), zone }
            })
            .collect::<Vec<_>>(),
    )
    .buffered(PARALLEL)
    .collect()
    .await;

    let own = format!("{name}.");
    let wanted = [
        (apex.clone(), RecordType::SOA),
        (apex, RecordType::NSEC3PARAM),
        (own.clone(), RecordType::A),
        (own, RecordType::AAAA),
    ];
    let data = stream::iter(
        wanted
            .into_iter()
            .map(|(name, kind)| async move {
                let answer = signed(client.query(&name, kind).await);
                SignedData { name, kind: kind.into(), answer }
            })
            .collect::<Vec<_>>(),
    )
    .buffered(PARALLEL)
    .collect()
    .await;
    DnssecChain { zones: keys, data }
}

fn signed(answer: Result<Answer, ProbeFailure>) -> Observation<bartizan_domain::evidence::dns::SignedAnswer> {
    answer.map(Answer::into_signed).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ancestors_begin_at_the_top() {
        assert_eq!(ancestors("www.example.com"), ["com", "example.com", "www.example.com"]);
        assert_eq!(ancestors("test"), ["test"]);
    }
}
