//! What a server accepts, found by offering everything and removing what it chose.

use bartizan_domain::evidence::tls::{KeyParameters, Refusal, Suite, SuiteList, Support, TlsVersion};
use bartizan_domain::evidence::{FailureKind, ProbeFailure};

use super::exchange::{Reply, Talker};
use super::names;
use super::wire::{Compression, Extent, Flight, Hello, KeyShare, Ssl2Answer};

/// Suites in one hello for servers that stumble over long ones.
const CHUNK: usize = 60;
/// Most suites of one version that are enumerated.
const MAX_SUITES: usize = 90;

/// The first contact in one version.
#[derive(Debug)]
pub struct Contact {
    /// The version.
    pub version: TlsVersion,
    /// Whether the server speaks it; closing is still a [`FailureKind::Reset`] here.
    pub support: Support,
    /// The answer, if it was accepted.
    pub flight: Option<Flight>,
    /// The extent of hello that was accepted.
    pub extent: Extent,
}

/// Everything found out about the suites of one version.
#[derive(Debug)]
pub struct Enumerated {
    /// The list.
    pub suites: SuiteList,
    /// The flights that were read on the way, the first contact's included.
    pub flights: Vec<Flight>,
}

/// Offers `version` and nothing else.
pub async fn contact(talker: &Talker<'_>, version: TlsVersion) -> Contact {
    if version == TlsVersion::Ssl2 {
        return contact_ssl2(talker).await;
    }
    let all = names::suites_for(version);
    let full = talker.ask(&hello(talker, version, &all, Extent::Full, Compression::Deflate)).await;
    let first = outcome(version, full);
    // An alert about the version itself, or an answer in another one, is a considered refusal. Anything else may be
    // trouble with the size or content of our hello, so a small plain one gets a second chance.
    let considered = match &first {
        Ok(_) => true,
        Err(Support::Refused(Refusal::Alert { code, .. })) => matches!(code, 70 | 112),
        Err(Support::Refused(Refusal::OtherVersion { .. })) => true,
        Err(Support::Failed(failure)) => !matches!(failure.kind, FailureKind::Reset | FailureKind::Protocol),
        Err(_) => false,
    };
    match first {
        Ok(flight) => Contact { version, support: Support::Accepted, flight: Some(flight), extent: Extent::Full },
        Err(support) if considered => Contact { version, support, flight: None, extent: Extent::Full },
        Err(support) => {
            let few: Vec<u16> = all.iter().copied().take(names::COMMON.len()).collect();
            let bare = talker.ask(&hello(talker, version, &few, Extent::Bare, Compression::Null)).await;
            match outcome(version, bare) {
                Ok(flight) => {
                    Contact { version, support: Support::Accepted, flight: Some(flight), extent: Extent::Bare }
                }
                // The alert of either hello says more than a closed connection.
                Err(second) => {
                    let support = if matches!(support, Support::Refused(_)) { support } else { second };
                    Contact { version, support, flight: None, extent: Extent::Full }
                }
            }
        }
    }
}

async fn contact_ssl2(talker: &Talker<'_>) -> Contact {
    let support = match talker.ask_ssl2().await {
        Ok(Some(Ssl2Answer::Accepted)) => Support::Accepted,
        Ok(Some(Ssl2Answer::Refused)) => Support::Refused(Refusal::Alert { code: 40, name: names::alert_name(40) }),
        Ok(Some(_)) => {
            Support::Failed(ProbeFailure::new(FailureKind::Protocol, "SSLv2 hello: the answer is neither SSL nor TLS"))
        }
        Ok(None) => Support::Failed(closed(TlsVersion::Ssl2)),
        Err(failure) => Support::Failed(failure),
    };
    Contact { version: TlsVersion::Ssl2, support, flight: None, extent: Extent::Full }
}

fn closed(version: TlsVersion) -> ProbeFailure {
    ProbeFailure::new(FailureKind::Reset, format!("{version} hello: the server closed the connection"))
}

fn outcome(version: TlsVersion, reply: Result<Reply, ProbeFailure>) -> Result<Flight, Support> {
    match reply {
        Ok(Reply::Flight(flight)) if flight.version == version.code() => Ok(*flight),
        Ok(Reply::Flight(flight)) => Err(Support::Refused(Refusal::OtherVersion { code: flight.version })),
        Ok(Reply::Alert(code)) => Err(Support::Refused(Refusal::Alert { code, name: names::alert_name(code) })),
        Ok(Reply::Closed) => Err(Support::Failed(closed(version))),
        Err(failure) => Err(Support::Failed(failure)),
    }
}

fn hello<'a>(
    talker: &'a Talker<'_>,
    version: TlsVersion,
    suites: &'a [u16],
    extent: Extent,
    compression: Compression,
) -> Hello<'a> {
    Hello {
        version,
        sni: talker.sni,
        suites,
        groups: groups_of(version, extent),
        key_share: KeyShare::X25519,
        alpn: &[],
        compression,
        extent,
    }
}

/// All groups, or those every server knows.
fn groups_of(version: TlsVersion, extent: Extent) -> &'static [u16] {
    use std::sync::LazyLock;
    static CLASSIC: LazyLock<Vec<u16>> = LazyLock::new(|| names::groups_for(TlsVersion::Tls12));
    static MODERN: LazyLock<Vec<u16>> = LazyLock::new(|| names::groups_for(TlsVersion::Tls13));
    match (extent, version) {
        (Extent::Bare, _) => &[29, 23, 24, 25],
        (Extent::Full, TlsVersion::Tls13) => &MODERN,
        (Extent::Full, _) => &CLASSIC,
    }
}

/// Finds every suite the server accepts in the version of `contact`, which it speaks.
pub async fn suites(talker: &Talker<'_>, contact: &Contact) -> Enumerated {
    let version = contact.version;
    let all = names::suites_for(version);
    let mut found = Found { accepted: Vec::new(), flights: Vec::new() };
    if let Some(flight) = &contact.flight {
        found.take(flight.clone());
    }
    let chunks: Vec<&[u16]> = match contact.extent {
        Extent::Full => vec![&all],
        Extent::Bare => all.chunks(CHUNK).collect(),
    };
    let whole = chunks.len() == 1;
    let mut incomplete = None;
    for chunk in chunks {
        if let Err(reason) = remove_until_refused(talker, contact, chunk, &mut found).await {
            incomplete = Some(reason);
            break;
        }
    }
    let server_order =
        if whole && incomplete.is_none() { server_order(talker, contact, &found.accepted).await } else { None };
    let accepted: Vec<Suite> = found.accepted.iter().map(|id| names::suite(*id)).collect();
    Enumerated { suites: SuiteList { accepted, server_order, incomplete }, flights: found.flights }
}

struct Found {
    accepted: Vec<u16>,
    flights: Vec<Flight>,
}

impl Found {
    fn take(&mut self, flight: Flight) {
        self.accepted.push(flight.suite);
        self.flights.push(flight);
    }
}

async fn remove_until_refused(
    talker: &Talker<'_>,
    contact: &Contact,
    candidates: &[u16],
    found: &mut Found,
) -> Result<(), String> {
    loop {
        let rest: Vec<u16> = candidates.iter().copied().filter(|id| !found.accepted.contains(id)).collect();
        if rest.is_empty() {
            return Ok(());
        }
        if found.accepted.len() >= MAX_SUITES {
            return Err(format!("more than {MAX_SUITES} suites"));
        }
        let question = hello(talker, contact.version, &rest, contact.extent, Compression::Null);
        let mut reply = talker.ask(&question).await;
        if matches!(reply, Ok(Reply::Closed)) {
            // One closed connection may be an accident or a busy server; two are an answer.
            reply = talker.ask(&question).await;
        }
        match reply {
            Ok(Reply::Flight(flight)) if flight.version != contact.version.code() => return Ok(()),
            Ok(Reply::Flight(flight)) if rest.contains(&flight.suite) => found.take(*flight),
            Ok(Reply::Flight(flight)) => {
                return Err(format!("the server chose suite 0x{:04x}, which was not offered", flight.suite));
            }
            Ok(Reply::Alert(_) | Reply::Closed) => return Ok(()),
            Err(failure) => return Err(failure.to_string()),
        }
    }
}

/// Whose order decides: the accepted suites are offered backwards.
async fn server_order(talker: &Talker<'_>, contact: &Contact, accepted: &[u16]) -> Option<bool> {
    let (first, last) = (*accepted.first()?, *accepted.last()?);
    if first == last {
        return None;
    }
    let backwards: Vec<u16> = accepted.iter().rev().copied().collect();
    match talker.ask(&hello(talker, contact.version, &backwards, contact.extent, Compression::Null)).await {
        Ok(Reply::Flight(flight)) if flight.suite == first => Some(true),
        Ok(Reply::Flight(flight)) if flight.suite == last => Some(false),
        _ => None,
    }
}

/// Finds the key exchange groups of one version: TLS 1.3 servers name the group they want when the hello brings no
/// key; older ones send a key of it.
///
/// A TLS 1.2 server with an ECDSA certificate refuses hellos without its certificate's group, so the list can end
/// early there; what is in it was accepted.
pub async fn groups(talker: &Talker<'_>, version: TlsVersion, suites: &[u16]) -> Result<Vec<u16>, ProbeFailure> {
    let mut rest = names::groups_for(version);
    let mut accepted = Vec::new();
    while !rest.is_empty() {
        let question = Hello {
            version,
            sni: talker.sni,
            suites,
            groups: &rest,
            key_share: KeyShare::Empty,
            alpn: &[],
            compression: Compression::Null,
            extent: Extent::Full,
        };
        let chosen = match talker.ask(&question).await {
            Ok(Reply::Flight(flight)) if flight.version == version.code() => {
                let used = flight.key_exchange.and_then(|exchange| match exchange.parameters {
                    KeyParameters::Ec { group } => Some(group),
                    KeyParameters::Dh { .. } => None,
                });
                flight.group.or(used)
            }
            Ok(_) => None,
            Err(failure) if accepted.is_empty() => return Err(failure),
            Err(_) => None,
        };
        match chosen {
            Some(group) if rest.contains(&group) => {
                accepted.push(group);
                rest.retain(|id| *id != group);
            }
            _ => break,
        }
    }
    Ok(accepted)
}
