//! Where the public data sources are: name resolver, RDAP bootstrap, WHOIS. The defaults are the public ones; a
//! private network names its own.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bartizan_domain::evidence::RegistrationEvidence;

/// How names are resolved and name servers asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DnsSettings {
    /// The recursive resolver (`--resolver`). `None`: the first servers of `/etc/resolv.conf`. It is a configured
    /// service, so it may have a private address even where scanning private addresses is switched off.
    pub resolver: Option<SocketAddr>,
    /// Port on which authoritative servers are asked directly, for zone transfers. 53 everywhere except in private
    /// networks and tests that run name servers without the privilege to bind it.
    pub authoritative_port: u16,
}

impl Default for DnsSettings {
    fn default() -> Self {
        Self { resolver: None, authoritative_port: 53 }
    }
}

/// Where registration data is looked up.
#[derive(Debug, Clone)]
pub struct RegistrationSettings {
    /// URL of the RDAP bootstrap file for domains (RFC 9224). When it is not the default, it and the servers it names
    /// count as configured services, which may have private addresses and plain HTTP.
    pub rdap_bootstrap: String,
    /// `host` or `host:port` of the WHOIS server asked first; referrals are followed from there.
    pub whois_server: String,
    /// Answers of the last minutes, shared by clones: the names of a scan often belong to few registered domains, and
    /// registries limit how often they may be asked.
    pub cache: RegistrationCache,
}

impl RegistrationSettings {
    /// The bootstrap file of IANA.
    pub const IANA_BOOTSTRAP: &'static str = "https://data.iana.org/rdap/dns.json";
    /// The WHOIS server of IANA, which refers to the one of each top-level domain.
    pub const IANA_WHOIS: &'static str = "whois.iana.org";

    /// Whether the public services are used, and not those of a private network.
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.rdap_bootstrap == Self::IANA_BOOTSTRAP && self.whois_server == Self::IANA_WHOIS
    }
}

impl Default for RegistrationSettings {
    fn default() -> Self {
        Self {
            rdap_bootstrap: Self::IANA_BOOTSTRAP.to_owned(),
            whois_server: Self::IANA_WHOIS.to_owned(),
            cache: RegistrationCache::default(),
        }
    }
}

/// How long an answer is given again.
const FRESH: Duration = Duration::from_secs(600);
/// Answers kept at most; beyond that, new ones are asked for again.
const MAX_ANSWERS: usize = 10_000;

/// Answers of registration services of the last ten minutes. Failures are not kept.
#[derive(Debug, Clone, Default)]
pub struct RegistrationCache {
    bootstrap: Arc<Mutex<Answers<Arc<[u8]>>>>,
    domains: Arc<Mutex<Answers<RegistrationEvidence>>>,
}

type Answers<T> = HashMap<String, (Instant, T)>;

impl RegistrationCache {
    pub(crate) fn bootstrap(&self, url: &str) -> Option<Arc<[u8]>> {
        fresh(&self.bootstrap, url)
    }

    pub(crate) fn keep_bootstrap(&self, url: &str, body: Arc<[u8]>) {
        keep(&self.bootstrap, url, body);
    }

    pub(crate) fn domain(&self, name: &str) -> Option<RegistrationEvidence> {
        fresh(&self.domains, name)
    }

    pub(crate) fn keep_domain(&self, evidence: &RegistrationEvidence) {
        keep(&self.domains, &evidence.domain, evidence.clone());
    }
}

fn fresh<T: Clone>(answers: &Mutex<Answers<T>>, key: &str) -> Option<T> {
    let answers = answers.lock().unwrap_or_else(PoisonError::into_inner);
    answers.get(key).filter(|(since, _)| since.elapsed() < FRESH).map(|(_, value)| value.clone())
}

fn keep<T>(answers: &Mutex<Answers<T>>, key: &str, value: T) {
    let mut answers = answers.lock().unwrap_or_else(PoisonError::into_inner);
    if answers.len() >= MAX_ANSWERS {
        answers.retain(|_, (since, _)| since.elapsed() < FRESH);
    }
    if answers.len() < MAX_ANSWERS {
        answers.insert(key.to_owned(), (Instant::now(), value));
    }
}
