//! Probes that replay recorded evidence: for tests without a network and for mock scans.

use std::collections::HashMap;
use std::net::IpAddr;

use async_trait::async_trait;
use bartizan_domain::evidence::tls::StartTls;
use bartizan_domain::evidence::web::Scheme;
use bartizan_domain::evidence::{
    DnsEvidence, Endpoint, FailureKind, HostEvidence, MailEvidence, Observation, PortsEvidence, ProbeFailure,
    RegistrationEvidence, Section, ServiceEvidence, SshEvidence, TlsEvidence, WebEvidence,
};
use bartizan_domain::{AssetRef, PortSet};

use crate::probes::{HostScope, PathProbes, PortsDone, Probes};

/// Replays evidence by asset. An asset that was not recorded is unreachable.
#[derive(Debug, Clone, Default)]
pub struct RecordedProbes {
    hosts: HashMap<AssetRef, HostEvidence>,
}

impl RecordedProbes {
    fn host(&self, at: HostScope<'_>) -> Option<&HostEvidence> {
        self.hosts.get(at.asset)
    }
}

impl FromIterator<HostEvidence> for RecordedProbes {
    fn from_iter<I: IntoIterator<Item = HostEvidence>>(hosts: I) -> Self {
        Self { hosts: hosts.into_iter().map(|host| (host.asset.clone(), host)).collect() }
    }
}

#[async_trait]
impl Probes for RecordedProbes {
    async fn addresses(&self, at: HostScope<'_>, _: &str) -> Observation<Vec<IpAddr>> {
        self.host(at).map_or_else(unrecorded, |host| host.addresses.clone())
    }

    async fn ports(
        &self,
        at: HostScope<'_>,
        addresses: &[IpAddr],
        tcp: &PortSet,
        udp: &PortSet,
        done: PortsDone<'_>,
    ) -> Observation<PortsEvidence> {
        let total = ((tcp.len() + udp.len()) * addresses.len()) as u64;
        done(total, total);
        self.host(at).map_or_else(unrecorded, |host| host.ports.clone())
    }

    async fn service(&self, at: HostScope<'_>, endpoint: &Endpoint) -> Observation<ServiceEvidence> {
        self.host(at).map_or_else(unrecorded, |host| at_endpoint(&host.services, endpoint))
    }

    async fn tls(&self, at: HostScope<'_>, endpoint: &Endpoint, _: Option<StartTls>) -> Observation<TlsEvidence> {
        self.host(at).map_or_else(unrecorded, |host| at_endpoint(&host.tls, endpoint))
    }

    async fn web(&self, at: HostScope<'_>, endpoint: &Endpoint, _: Scheme, _: PathProbes) -> Observation<WebEvidence> {
        self.host(at).map_or_else(unrecorded, |host| at_endpoint(&host.web, endpoint))
    }

    async fn ssh(&self, at: HostScope<'_>, endpoint: &Endpoint) -> Observation<SshEvidence> {
        self.host(at).map_or_else(unrecorded, |host| at_endpoint(&host.ssh, endpoint))
    }

    async fn dns(&self, at: HostScope<'_>, _: &str) -> Observation<DnsEvidence> {
        self.host(at).map_or_else(unrecorded, |host| host.dns.clone())
    }

    async fn mail(&self, at: HostScope<'_>, _: &str) -> Observation<MailEvidence> {
        self.host(at).map_or_else(unrecorded, |host| host.mail.clone())
    }

    async fn registration(&self, at: HostScope<'_>, _: &str) -> Observation<RegistrationEvidence> {
        self.host(at).map_or_else(unrecorded, |host| host.registration.clone())
    }
}

fn unrecorded<T>() -> Observation<T> {
    Observation::Failed(ProbeFailure::new(FailureKind::Unreachable, "nothing is recorded about this asset"))
}

fn at_endpoint<T: Clone>(section: &Section<T>, endpoint: &Endpoint) -> Observation<T> {
    let found = section.items.iter().find(|item| item.endpoint == *endpoint);
    found.map_or_else(unrecorded, |item| item.observation.clone())
}
