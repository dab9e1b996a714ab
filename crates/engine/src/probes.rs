//! The engine's view of the network.

use std::net::IpAddr;

use async_trait::async_trait;
use bartizan_domain::evidence::tls::StartTls;
use bartizan_domain::evidence::web::Scheme;
use bartizan_domain::evidence::{
    DnsEvidence, Endpoint, MailEvidence, Observation, PortsEvidence, RegistrationEvidence, ServiceEvidence,
    SshEvidence, TlsEvidence, WebEvidence,
};
use bartizan_domain::{AssetRef, PortSet};
use tokio_util::sync::CancellationToken;

/// Which asset a probe is for, and what ends it early.
#[derive(Debug, Clone, Copy)]
pub struct HostScope<'a> {
    /// The asset; its name, never its address, is what SNI and Host carry.
    pub asset: &'a AssetRef,
    /// Fires when the scan is cancelled or runs out of time. A probe then returns at once with what it has.
    pub cancel: &'a CancellationToken,
}

/// Called with (ports done, ports in all) while ports are scanned.
pub type PortsDone<'a> = &'a (dyn Fn(u64, u64) + Send + Sync);

/// Gathers one kind of evidence at a time. Implementations never judge, and a failure is an observation.
#[async_trait]
pub trait Probes: Send + Sync {
    /// The addresses of a name.
    async fn addresses(&self, at: HostScope<'_>, name: &str) -> Observation<Vec<IpAddr>>;

    /// States of ports.
    async fn ports(
        &self,
        at: HostScope<'_>,
        addresses: &[IpAddr],
        tcp: &PortSet,
        udp: &PortSet,
        done: PortsDone<'_>,
    ) -> Observation<PortsEvidence>;

    /// What speaks on an open port.
    async fn service(&self, at: HostScope<'_>, endpoint: &Endpoint) -> Observation<ServiceEvidence>;

    /// TLS facts of an endpoint, from the first byte or after an upgrade.
    async fn tls(&self, at: HostScope<'_>, endpoint: &Endpoint, starttls: Option<StartTls>)
    -> Observation<TlsEvidence>;

    /// A web site. `paths` says whether paths below the root are requested.
    async fn web(
        &self,
        at: HostScope<'_>,
        endpoint: &Endpoint,
        scheme: Scheme,
        paths: PathProbes,
    ) -> Observation<WebEvidence>;

    /// An SSH server's offer.
    async fn ssh(&self, at: HostScope<'_>, endpoint: &Endpoint) -> Observation<SshEvidence>;

    /// Zone, delegation, DNSSEC, CAA of a domain.
    async fn dns(&self, at: HostScope<'_>, domain: &str) -> Observation<DnsEvidence>;

    /// Mail policy of a domain.
    async fn mail(&self, at: HostScope<'_>, domain: &str) -> Observation<MailEvidence>;

    /// Registration of a domain.
    async fn registration(&self, at: HostScope<'_>, domain: &str) -> Observation<RegistrationEvidence>;
}

/// Whether paths below the root of a web site are requested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathProbes {
    /// The root only.
    RootOnly,
    /// Well-known and sensitive paths too.
    Paths,
}
