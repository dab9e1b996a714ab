//! Where the public data sources are: name resolver, RDAP bootstrap, WHOIS. The defaults are the public ones; a
//! private network names its own.

use std::net::SocketAddr;

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
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistrationSettings {
    /// URL of the RDAP bootstrap file for domains (RFC 9224). When it is not the default, it and the servers it names
    /// count as configured services, which may have private addresses and plain HTTP.
    pub rdap_bootstrap: String,
    /// `host` or `host:port` of the WHOIS server asked first; referrals are followed from there.
    pub whois_server: String,
}

impl RegistrationSettings {
    /// The bootstrap file of IANA.
    pub const IANA_BOOTSTRAP: &'static str = "https://data.iana.org/rdap/dns.json";
    /// The WHOIS server of IANA, which refers to the one of each top-level domain.
    pub const IANA_WHOIS: &'static str = "whois.iana.org";
}

impl Default for RegistrationSettings {
    fn default() -> Self {
        Self { rdap_bootstrap: Self::IANA_BOOTSTRAP.to_owned(), whois_server: Self::IANA_WHOIS.to_owned() }
    }
}
