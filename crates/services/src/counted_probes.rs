//! Counts what scans ask of the network, for monitoring: by the kind of question and by how it ended, never by host.

use std::net::IpAddr;
use std::sync::Arc;

use async_trait::async_trait;
use bartizan_domain::PortSet;
use bartizan_domain::evidence::tls::StartTls;
use bartizan_domain::evidence::web::Scheme;
use bartizan_domain::evidence::{
    DnsEvidence, Endpoint, MailEvidence, Observation, PortsEvidence, RegistrationEvidence, ServiceEvidence,
    SshEvidence, TlsEvidence, WebEvidence,
};
use bartizan_engine::{HostScope, PathProbes, PortsDone, Probes};

/// Probes that are counted.
pub(crate) struct Counted(pub Arc<dyn Probes>);

fn counted<T>(kind: &'static str, found: Observation<T>) -> Observation<T> {
    let outcome = match &found {
        Observation::Observed(_) => "observed",
        Observation::Failed(_) => "failed",
        // Nothing was asked of the network.
        Observation::NotAttempted { .. } | Observation::NotApplicable { .. } => return found,
    };
    metrics::counter!("bartizan_probe_requests_total", "kind" => kind, "outcome" => outcome).increment(1);
    found
}

#[async_trait]
impl Probes for Counted {
    async fn addresses(&self, at: HostScope<'_>, name: &str) -> Observation<Vec<IpAddr>> {
        counted("addresses", self.0.addresses(at, name).await)
    }

    async fn ports(
        &self,
        at: HostScope<'_>,
        addresses: &[IpAddr],
        tcp: &PortSet,
        udp: &PortSet,
        done: PortsDone<'_>,
    ) -> Observation<PortsEvidence> {
        counted("ports", self.0.ports(at, addresses, tcp, udp, done).await)
    }

    async fn service(&self, at: HostScope<'_>, endpoint: &Endpoint) -> Observation<ServiceEvidence> {
        counted("service", self.0.service(at, endpoint).await)
    }

    async fn tls(
        &self,
        at: HostScope<'_>,
        endpoint: &Endpoint,
        starttls: Option<StartTls>,
    ) -> Observation<TlsEvidence> {
        counted("tls", self.0.tls(at, endpoint, starttls).await)
    }

    async fn web(
        &self,
        at: HostScope<'_>,
        endpoint: &Endpoint,
        scheme: Scheme,
        paths: PathProbes,
    ) -> Observation<WebEvidence> {
        counted("web", self.0.web(at, endpoint, scheme, paths).await)
    }

    async fn ssh(&self, at: HostScope<'_>, endpoint: &Endpoint) -> Observation<SshEvidence> {
        counted("ssh", self.0.ssh(at, endpoint).await)
    }

    async fn dns(&self, at: HostScope<'_>, domain: &str) -> Observation<DnsEvidence> {
        counted("dns", self.0.dns(at, domain).await)
    }

    async fn mail(&self, at: HostScope<'_>, domain: &str) -> Observation<MailEvidence> {
        counted("mail", self.0.mail(at, domain).await)
    }

    async fn registration(&self, at: HostScope<'_>, domain: &str) -> Observation<RegistrationEvidence> {
        counted("registration", self.0.registration(at, domain).await)
    }
}
