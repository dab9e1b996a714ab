//! Mail policy of a domain: MX, SPF with everything it includes, DMARC of the name and its ancestors.

use std::collections::{BTreeSet, VecDeque};

use bartizan_domain::evidence::mail::{
    DmarcStep, MailEvidence, MxRecord, ReportConsent, SpfEvidence, SpfLookup, SpfLookupKind, SpfNode, SpfTxt,
};
use bartizan_domain::evidence::{Observation, ProbeFailure};
use bartizan_domain::{dmarc, spf};
use bartizan_outbound::dns::{Answer, DnsClient, RecordType, presentation};
use futures::StreamExt as _;
use futures::stream;
use hickory_proto::rr::RData;

use crate::dns::special_use;
use crate::{ProbeContext, resolve};

/// Names whose SPF records are fetched. RFC 7208 stops receivers at ten look-ups, so a record beyond this is broken
/// whatever else it includes.
const MAX_SPF_NAMES: usize = 30;
/// `a`, `mx` and `exists` terms that are looked up.
const MAX_SPF_LOOKUPS: usize = 40;
/// TXT records of one name, and bytes of each, that are kept.
const MAX_TEXTS: usize = 20;
const MAX_TEXT: usize = 4096;
/// Report receivers whose consent is asked.
const MAX_RECEIVERS: usize = 10;
/// Queries in flight.
const PARALLEL: usize = 6;

/// Gathers the mail policy of `domain`.
///
/// `NotApplicable` for special-use names and names that do not exist in the DNS; `Failed` if the resolver does not
/// answer for the name at all.
pub async fn gather(cx: &ProbeContext, domain: &str) -> Observation<MailEvidence> {
    let name = domain.trim_end_matches('.').to_ascii_lowercase();
    if let Some(reason) = special_use(&name) {
        return Observation::NotApplicable { reason };
    }
    let doing = format!("gathering the mail policy of {name}");
    match cx.within(cx.timeout.saturating_mul(9), &doing, gather_name(cx, &name)).await {
        Ok(Some(evidence)) => Observation::Observed(evidence),
        Ok(None) => Observation::NotApplicable { reason: format!("{name} does not exist in the DNS") },
        Err(failure) => Observation::Failed(failure),
    }
}

/// The organisational domain by the Public Suffix List, as RFC 7489 section 3.2 finds it; the name itself if it is a
/// public suffix.
fn organisational(name: &str) -> &str {
    psl::domain_str(name).unwrap_or(name)
}

async fn gather_name(cx: &ProbeContext, name: &str) -> Result<Option<MailEvidence>, ProbeFailure> {
    let client = resolve::client(cx).await?;
    let mx = client.query(name, RecordType::MX).await?;
    if mx.no_such_name && !resolve::exists_after_all(&client, name).await {
        return Ok(None);
    }
    let (addresses, soa, spf, dmarc) = tokio::join!(
        resolve::of_name(&client, name),
        client.query(name, RecordType::SOA),
        gather_spf(&client, name),
        gather_dmarc(&client, name),
    );
    let apex = |answer: Answer| {
        answer.answer.iter().any(|r| r.record_type() == RecordType::SOA && presentation(&r.name) == name)
    };
    let report_consent = consents(&client, &dmarc).await;
    Ok(Some(MailEvidence {
        name: name.to_owned(),
        zone_apex: soa.map(apex).into(),
        has_address: addresses.map(|found| !found.is_empty()).into(),
        mx: Observation::Observed(mx_records(&mx)),
        spf,
        dmarc,
        report_consent,
    }))
}

fn mx_records(answer: &Answer) -> Vec<MxRecord> {
    let mut list: Vec<MxRecord> = answer
        .data(RecordType::MX)
        .filter_map(|data| match data {
            RData::MX(mx) => Some(MxRecord { preference: mx.preference, exchange: presentation(&mx.exchange) }),
            _ => None,
        })
        .take(100)
        .collect();
    list.sort();
    list
}

/// The TXT records of an answer as text, the strings of each joined (RFC 7208 section 3.3).
fn texts(answer: &Answer) -> Vec<String> {
    answer
        .data(RecordType::TXT)
        .filter_map(|data| match data {
            RData::TXT(txt) => Some(txt.txt_data.concat()),
            _ => None,
        })
        .map(|bytes| String::from_utf8_lossy(bytes.get(..MAX_TEXT.min(bytes.len())).unwrap_or_default()).into_owned())
        .collect()
}

async fn gather_spf(client: &DnsClient, name: &str) -> SpfEvidence {
    let mut evidence = SpfEvidence::default();
    let mut seen = BTreeSet::from([name.to_owned()]);
    let mut queue = VecDeque::from([name.to_owned()]);
    let mut lookups: BTreeSet<(String, SpfLookupKind)> = BTreeSet::new();
    while let Some(domain) = queue.pop_front() {
        if evidence.records.len() >= MAX_SPF_NAMES {
            evidence.truncated = Some(format!("the record leads to more than {MAX_SPF_NAMES} others"));
            break;
        }
        let answer = client.query(&domain, RecordType::TXT).await.map(|answer| {
            let all = texts(&answer);
            let void = all.is_empty();
            SpfTxt { texts: all.into_iter().filter(|text| spf::is_record(text)).take(MAX_TEXTS).collect(), void }
        });
        for text in answer.iter().flat_map(|txt| &txt.texts) {
            let Ok(record) = spf::parse(text) else { continue };
            for next in record.followed(&domain) {
                if seen.insert(next.clone()) {
                    queue.push_back(next);
                }
            }
            lookups.extend(record.looked_up(&domain).into_iter().map(|(kind, name)| {
                let kind = match kind {
                    spf::Lookup::Address => SpfLookupKind::Address,
                    spf::Lookup::Mx => SpfLookupKind::Mx,
                };
                (name, kind)
            }));
        }
        evidence.records.push(SpfNode { domain, answer: answer.into() });
    }
    if lookups.len() > MAX_SPF_LOOKUPS {
        evidence.truncated = Some(format!("the record causes more than {MAX_SPF_LOOKUPS} look-ups"));
    }
    evidence.lookups = stream::iter(
        lookups
            .into_iter()
            .take(MAX_SPF_LOOKUPS)
            .map(|(domain, kind)| async move {
                let found = match kind {
                    SpfLookupKind::Address => resolve::of_name(client, &domain).await.map(|found| found.len()),
                    SpfLookupKind::Mx => client.query(&domain, RecordType::MX).await.map(|a| mx_records(&a).len()),
                };
                SpfLookup { domain, kind, found: found.map(|n| u32::try_from(n).unwrap_or(u32::MAX)).into() }
            })
            .collect::<Vec<_>>(),
    )
    .buffered(PARALLEL)
    .collect()
    .await;
    evidence
}

async fn gather_dmarc(client: &DnsClient, name: &str) -> Vec<DmarcStep> {
    let mut names = dmarc::tree_walk(name);
    let organisation = organisational(name);
    if !names.iter().any(|known| known == organisation) {
        names.push(organisation.to_owned());
    }
    stream::iter(
        names
            .into_iter()
            .map(|domain| async move {
                let records = client.query(&format!("_dmarc.{domain}"), RecordType::TXT).await.map(|answer| {
                    texts(&answer).into_iter().filter(|text| dmarc::is_record(text)).take(MAX_TEXTS).collect()
                });
                DmarcStep { domain, records: records.into() }
            })
            .collect::<Vec<_>>(),
    )
    .buffered(PARALLEL)
    .collect()
    .await
}

async fn consents(client: &DnsClient, steps: &[DmarcStep]) -> Vec<ReportConsent> {
    let mut wanted: BTreeSet<(String, String)> = BTreeSet::new();
    for step in steps {
        for text in step.records.observed().into_iter().flatten() {
            for report in dmarc::parse(text).into_iter().flat_map(|record| record.reports) {
                if organisational(&report.domain) != organisational(&step.domain) {
                    wanted.insert((step.domain.clone(), report.domain));
                }
            }
        }
    }
    stream::iter(
        wanted
            .into_iter()
            .take(MAX_RECEIVERS)
            .map(|(domain, receiver)| async move {
                let name = format!("{domain}._report._dmarc.{receiver}");
                let given = client
                    .query(&name, RecordType::TXT)
                    .await
                    .map(|answer| texts(&answer).iter().any(|text| dmarc::is_record(text)));
                ReportConsent { domain, receiver, given: given.into() }
            })
            .collect::<Vec<_>>(),
    )
    .buffered(PARALLEL)
    .collect()
    .await
}
