//! The TLS probe: what a server speaks, with which suites and keys, and whose certificate it shows.
//!
//! Versions up to TLS 1.2 are asked with hellos of our own, whose answers travel in the clear, so that the policy of a
//! TLS library never decides what can be seen ([`wire`], [`exchange`], [`enumerate`]). TLS 1.3 encrypts the
//! certificate, so there a library completes the handshake (`outbound::tls`) and records it. Start at [`gather`].

use std::time::Duration;

use bartizan_domain::evidence::tls::{
    Fallback, FetchedIssuer, Group, KeyExchange, Refusal, ServedChain, SuiteList, Support, TlsEvidence, TlsVersion,
    VersionResult,
};
use bartizan_domain::evidence::{Endpoint, FailureKind, Observation, ProbeFailure, StartTls};
use bartizan_outbound::tls::{HandshakeError, Offer, Session};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::ProbeContext;
use enumerate::{Contact, Enumerated};
use exchange::{Reply, Talker};
use wire::{Compression, Flight, Hello, KeyShare};

mod dh;
mod enumerate;
mod exchange;
mod issuers;
mod names;
pub mod starttls;
mod wire;

pub(crate) use names::suite;

/// Most distinct chains of one endpoint that are kept.
const MAX_CHAINS: usize = 6;
/// How many exchanges long the probe of one endpoint may take in all.
const ENDPOINT_EXCHANGES: u32 = 12;

/// Gathers the TLS evidence of one endpoint. `sni` is the asset's name, sent in every hello, or `None` for an address.
/// `starttls` says how TLS begins if not with the first byte.
///
/// An endpoint costs some 30 to 60 short handshakes, one after the other; servers with a hundred suites cost more.
/// Failed when nothing that answered was TLS.
pub async fn gather(
    cx: &ProbeContext,
    endpoint: &Endpoint,
    sni: Option<&str>,
    starttls: Option<StartTls>,
) -> Observation<TlsEvidence> {
    let limit = (cx.timeout * ENDPOINT_EXCHANGES).max(Duration::from_secs(30));
    let talker = Talker::new(cx, endpoint, sni, starttls, limit);
    let mut contacts =
        futures::future::join_all(TlsVersion::ALL.map(|version| enumerate::contact(&talker, version))).await;
    let answered = contacts.iter().any(|contact| matches!(contact.support, Support::Accepted | Support::Refused(_)));
    if !answered {
        return Observation::Failed(worst_failure(&contacts));
    }
    if contacts.iter().any(|contact| contact.support == Support::Accepted) {
        closing_is_refusing(&mut contacts);
    }
    // Boxed, since a probe holds dozens of exchanges at once and its callers run many probes.
    Observation::Observed(Box::pin(Probe { talker: &talker }.run(contacts)).await)
}

/// A server that speaks TLS and closes the connection on a version, twice, does not speak that version.
fn closing_is_refusing(contacts: &mut [Contact]) {
    for contact in contacts {
        if let Support::Failed(failure) = &contact.support
            && failure.kind == FailureKind::Reset
        {
            contact.support = Support::Refused(Refusal::Closed);
        }
    }
}

/// The failure that says most about an endpoint where every version failed: that of the version most likely spoken.
fn worst_failure(contacts: &[Contact]) -> ProbeFailure {
    contacts
        .iter()
        .filter_map(|contact| match &contact.support {
            Support::Failed(failure) => Some((contact.version == TlsVersion::Tls12, failure)),
            _ => None,
        })
        .max_by_key(|(preferred, _)| *preferred)
        .map_or_else(
            || ProbeFailure::new(FailureKind::Protocol, "no version of TLS was answered"),
            |(_, failure)| failure.clone(),
        )
}

/// What a complete session agreed on. Its connection is closed by then: a server that handles one client at a time
/// answers the next hello only after that.
struct Agreed {
    chain: Vec<Vec<u8>>,
    version: TlsVersion,
    suite: u16,
    alpn: Option<Vec<u8>>,
    ocsp_stapled: bool,
}

impl From<Session> for Agreed {
    fn from(session: Session) -> Self {
        let Session { chain, version, suite, alpn, ocsp_stapled, .. } = session;
        Self { chain, version, suite, alpn, ocsp_stapled }
    }
}

struct Probe<'a> {
    talker: &'a Talker<'a>,
}

impl Probe<'_> {
    async fn run(&self, contacts: Vec<Contact>) -> TlsEvidence {
        let accepted: Vec<TlsVersion> =
            contacts.iter().filter(|contact| contact.support == Support::Accepted).map(|c| c.version).collect();
        let enumerations = futures::future::join_all(contacts.iter().map(|contact| async {
            let enumerable = contact.support == Support::Accepted && contact.version != TlsVersion::Ssl2;
            if enumerable { Some(enumerate::suites(self.talker, contact).await) } else { None }
        }));
        let enumerated = enumerations.await;
        let session = self.session(&accepted).await;
        let without_sni = self.leaf_without_sni(&accepted).await;
        let fallback = self.fallback(&accepted).await;
        let groups = self.groups(&contacts, &enumerated).await;

        let mut chains = Chains::default();
        let mut versions = Vec::with_capacity(contacts.len());
        for (contact, enumerated) in contacts.iter().zip(&enumerated) {
            let flights = enumerated.as_ref().map_or(&[][..], |found| &found.flights);
            for flight in flights {
                chains.add(contact.version, flight.suite, &flight.certificates);
            }
            versions.push(version_result(contact, enumerated.as_ref(), flights));
        }
        let classic: Vec<&Flight> = contacts
            .iter()
            .zip(&enumerated)
            .filter(|(contact, _)| (TlsVersion::Tls10..TlsVersion::Tls13).contains(&contact.version))
            .filter_map(|(contact, _)| contact.flight.as_ref())
            .collect();
        let mut ocsp = contacts
            .iter()
            .zip(&enumerated)
            .filter_map(|(_, found)| found.as_ref())
            .flat_map(|found| &found.flights)
            .any(|flight| flight.ocsp_stapled);
        let (alpn, failure) = match session {
            Ok(session) => {
                chains.add(session.version, session.suite, &session.chain);
                ocsp |= session.ocsp_stapled;
                let chosen = session.alpn.map(|name| String::from_utf8_lossy(&name).into_owned());
                (Observation::Observed(chosen), None)
            }
            Err(other) => {
                let failure = match &other {
                    Observation::Failed(failure) => Some(failure.clone()),
                    _ => None,
                };
                (other, failure)
            }
        };
        let alpn = if self.talker.starttls.is_some() {
            Observation::NotApplicable {
                reason: "application protocols are not negotiated after an upgrade".to_owned(),
            }
        } else {
            alpn
        };
        let no_chain = failure.unwrap_or_else(|| {
            ProbeFailure::new(FailureKind::Protocol, "the server sent no certificate in any handshake")
        });
        let (chains, fetched_issuers) = self.issuers(chains.list, no_chain).await;
        let none = "no version that has this, TLS 1.0 to 1.2, is on offer";
        TlsEvidence {
            sni: self.talker.sni.map(str::to_owned),
            starttls: self.talker.starttls,
            versions,
            ocsp_stapled: if chains.observed().is_some() {
                Observation::Observed(ocsp)
            } else {
                Observation::not_attempted("no certificate was read")
            },
            chains,
            leaf_without_sni: without_sni,
            fetched_issuers,
            groups,
            alpn,
            compression: any(&classic, none, |flight| flight.compression != 0),
            secure_renegotiation: all(&classic, none, |flight| flight.secure_renegotiation),
            fallback,
        }
    }

    /// A complete session with a library, for what TLS 1.3 does not show in the clear.
    async fn session(&self, accepted: &[TlsVersion]) -> Result<Agreed, Observation<Option<String>>> {
        let offer = match (accepted.contains(&TlsVersion::Tls13), accepted.contains(&TlsVersion::Tls12)) {
            (true, _) => Offer::Only13,
            (false, true) => Offer::Modern,
            (false, false) => return Err(Observation::not_attempted("neither TLS 1.2 nor 1.3 is on offer")),
        };
        let protocols: &[&[u8]] = if self.talker.starttls.is_some() { &[] } else { &[b"h2", b"http/1.1"] };
        let first = self.library(self.talker.sni, protocols, offer).await;
        let result = match first {
            // no_application_protocol: the server has a list and nothing of ours is on it.
            Err(HandshakeError { alert: Some(120), .. }) => self.library(self.talker.sni, &[], offer).await,
            other => other,
        };
        result.map(Agreed::from).map_err(|error| Observation::Failed(error.failure))
    }

    async fn library(&self, sni: Option<&str>, alpn: &[&[u8]], offer: Offer) -> Result<Session, HandshakeError> {
        let connection = self.talker.open().await?;
        bartizan_outbound::tls::connect(connection, sni, alpn, offer, self.talker.cx.timeout).await
    }

    /// The certificate for clients that name no server: often a hint at what else lives at the address.
    async fn leaf_without_sni(&self, accepted: &[TlsVersion]) -> Observation<String> {
        if self.talker.sni.is_none() {
            return Observation::NotApplicable { reason: "no server name is sent to this asset".to_owned() };
        }
        let classic = accepted.iter().rev().find(|version| (TlsVersion::Ssl3..TlsVersion::Tls13).contains(version));
        let leaf = match classic {
            Some(version) => {
                let suites = names::suites_for(*version);
                let hello = Hello { sni: None, ..self.plain(*version, &suites) };
                match self.talker.ask(&hello).await {
                    Ok(Reply::Flight(flight)) => flight.certificates.into_iter().next(),
                    Ok(Reply::Alert(_) | Reply::Closed) => None,
                    Err(failure) => return Observation::Failed(failure),
                }
            }
            None => match self.library(None, &[], Offer::Only13).await {
                Ok(session) => session.chain.into_iter().next(),
                Err(error) => return Observation::Failed(error.failure),
            },
        };
        match leaf {
            Some(leaf) => Observation::Observed(STANDARD.encode(leaf)),
            None => Observation::Failed(ProbeFailure::new(
                FailureKind::Protocol,
                "the server shows no certificate to clients that name no server",
            )),
        }
    }

    fn plain<'h>(&'h self, version: TlsVersion, suites: &'h [u16]) -> Hello<'h> {
        Hello {
            version,
            sni: self.talker.sni,
            suites,
            groups: &[29, 23, 24, 25, 30],
            key_share: KeyShare::X25519,
            alpn: &[],
            compression: Compression::Null,
            extent: wire::Extent::Full,
        }
    }

    async fn fallback(&self, accepted: &[TlsVersion]) -> Observation<Fallback> {
        let classic: Vec<TlsVersion> = accepted.iter().copied().filter(|v| *v > TlsVersion::Ssl2).collect();
        let [.., lower, _best] = classic.as_slice() else { return Observation::Observed(Fallback::SingleVersion) };
        let mut suites = names::suites_for(*lower);
        suites.push(names::SCSV_FALLBACK);
        match self.talker.ask(&self.plain(*lower, &suites)).await {
            Ok(Reply::Flight(flight)) if flight.downgrade_marker => Observation::Observed(Fallback::Marked),
            Ok(Reply::Flight(_)) => Observation::Observed(Fallback::Accepted),
            Ok(Reply::Alert(_)) => Observation::Observed(Fallback::Refused),
            Ok(Reply::Closed) => Observation::Failed(ProbeFailure::new(
                FailureKind::Reset,
                "fallback hello: the server closed the connection",
            )),
            Err(failure) => Observation::Failed(failure),
        }
    }

    async fn groups(&self, contacts: &[Contact], enumerated: &[Option<Enumerated>]) -> Observation<Vec<Group>> {
        let mut found: Vec<Group> = Vec::new();
        let mut asked = false;
        let mut failure = None;
        for (contact, enumerated) in contacts.iter().zip(enumerated).rev() {
            let Some(enumerated) = enumerated else { continue };
            let version = contact.version;
            let suites: Vec<u16> = enumerated
                .suites
                .accepted
                .iter()
                .map(|suite| suite.id)
                .filter(|id| version == TlsVersion::Tls13 || names::exchange_of(*id).0 == names::Exchange::Ec)
                .collect();
            // One enumeration below TLS 1.3 is enough: servers have one list of curves for all of them.
            let older_done = version < TlsVersion::Tls12 && asked;
            if suites.is_empty() || version == TlsVersion::Ssl3 || older_done {
                continue;
            }
            asked = true;
            match enumerate::groups(self.talker, version, &suites).await {
                Ok(ids) => {
                    for id in ids {
                        if !found.iter().any(|group| group.id == id) {
                            found.push(Group { id, name: names::group_name(id), version });
                        }
                    }
                }
                Err(error) => failure = Some(error),
            }
        }
        match failure {
            Some(failure) if found.is_empty() => Observation::Failed(failure),
            _ if asked => Observation::Observed(found),
            _ => Observation::NotApplicable { reason: "no suite on offer uses a group".to_owned() },
        }
    }

    async fn issuers(
        &self,
        chains: Vec<ServedChain>,
        no_chain: ProbeFailure,
    ) -> (Observation<Vec<ServedChain>>, Vec<FetchedIssuer>) {
        if chains.is_empty() {
            return (Observation::Failed(no_chain), Vec::new());
        }
        let mut fetched = Vec::new();
        for chain in &chains {
            issuers::fetch_missing(self.talker.cx, &chain.certificates, &mut fetched).await;
        }
        (Observation::Observed(chains), fetched)
    }
}

fn version_result(contact: &Contact, enumerated: Option<&Enumerated>, flights: &[Flight]) -> VersionResult {
    let mut key_exchanges: Vec<KeyExchange> = Vec::new();
    for exchange in flights.iter().filter_map(|flight| flight.key_exchange.as_ref()) {
        if !key_exchanges.contains(exchange) {
            key_exchanges.push(exchange.clone());
        }
    }
    let suites = match (enumerated, &contact.support) {
        (Some(found), _) => Observation::<SuiteList>::Observed(found.suites.clone()),
        (None, Support::Accepted) => Observation::not_attempted("suites of this version are not enumerated"),
        (None, _) => Observation::not_attempted("the version is not accepted"),
    };
    VersionResult { version: contact.version, support: contact.support.clone(), suites, key_exchanges }
}

fn any(flights: &[&Flight], none: &str, fact: impl Fn(&Flight) -> bool) -> Observation<bool> {
    if flights.is_empty() {
        return Observation::NotApplicable { reason: none.to_owned() };
    }
    Observation::Observed(flights.iter().any(|flight| fact(flight)))
}

fn all(flights: &[&Flight], none: &str, fact: impl Fn(&Flight) -> bool) -> Observation<bool> {
    if flights.is_empty() {
        return Observation::NotApplicable { reason: none.to_owned() };
    }
    Observation::Observed(flights.iter().all(|flight| fact(flight)))
}

/// Distinct chains in the order met.
#[derive(Default)]
struct Chains {
    list: Vec<ServedChain>,
}

impl Chains {
    fn add(&mut self, version: TlsVersion, suite: u16, certificates: &[Vec<u8>]) {
        if certificates.is_empty() || self.list.len() >= MAX_CHAINS {
            return;
        }
        let certificates: Vec<String> = certificates.iter().map(|der| STANDARD.encode(der)).collect();
        if !self.list.iter().any(|chain| chain.certificates == certificates) {
            self.list.push(ServedChain { version, suite: names::suite(suite), certificates });
        }
    }
}
