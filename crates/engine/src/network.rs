//! The real probes: `bartizan-probes` behind the engine's view.

use std::net::IpAddr;

use async_trait::async_trait;
use bartizan_domain::evidence::tls::StartTls;
use bartizan_domain::evidence::web::Scheme;
use bartizan_domain::evidence::{
    DnsEvidence, Endpoint, MailEvidence, Observation, PortsEvidence, RegistrationEvidence, ServiceEvidence,
    SshEvidence, TlsEvidence, WebEvidence,
};
use bartizan_domain::{AssetRef, PortSet};
use bartizan_probes::ports::{PortPlan, PortProgress};
use bartizan_probes::web::WebOptions;
use bartizan_probes::{ProbeContext, dns, mail, ports, registration, resolve, services, ssh, tls, web};

use crate::probes::{HostScope, PathProbes, PortsDone, Probes};

/// Probes that go to the network through one [`ProbeContext`].
#[derive(Clone)]
pub struct NetworkProbes {
    context: ProbeContext,
}

impl NetworkProbes {
    /// Probes within `context`; its `cancel` is replaced by the scan's.
    #[must_use]
    pub const fn new(context: ProbeContext) -> Self {
        Self { context }
    }

    fn context(&self, at: HostScope<'_>) -> ProbeContext {
        ProbeContext { cancel: at.cancel.clone(), ..self.context.clone() }
    }
}

#[async_trait]
impl Probes for NetworkProbes {
    async fn addresses(&self, at: HostScope<'_>, name: &str) -> Observation<Vec<IpAddr>> {
        resolve::addresses(&self.context(at), name).await
    }

    async fn ports(
        &self,
        at: HostScope<'_>,
        addresses: &[IpAddr],
        tcp: &PortSet,
        udp: &PortSet,
        done: PortsDone<'_>,
    ) -> Observation<PortsEvidence> {
        let plan = PortPlan { tcp: tcp.clone(), udp: udp.clone() };
        let report = |progress: PortProgress| done(progress.done, progress.total);
        ports::gather(&self.context(at), addresses, &plan, &report).await
    }

    async fn service(&self, at: HostScope<'_>, endpoint: &Endpoint) -> Observation<ServiceEvidence> {
        services::identify(&self.context(at), endpoint, at.asset.domain()).await
    }

    async fn tls(
        &self,
        at: HostScope<'_>,
        endpoint: &Endpoint,
        starttls: Option<StartTls>,
    ) -> Observation<TlsEvidence> {
        // An address is never sent as server name (RFC 6066 section 3).
        tls::gather(&self.context(at), endpoint, at.asset.domain(), starttls).await
    }

    async fn web(
        &self,
        at: HostScope<'_>,
        endpoint: &Endpoint,
        scheme: Scheme,
        paths: PathProbes,
    ) -> Observation<WebEvidence> {
        let options = WebOptions { path_probes: paths == PathProbes::Paths, ..WebOptions::default() };
        web::gather(&self.context(at), endpoint, scheme, &host_of(at.asset), &options).await
    }

    async fn ssh(&self, at: HostScope<'_>, endpoint: &Endpoint) -> Observation<SshEvidence> {
        ssh::gather(&self.context(at), endpoint).await
    }

    async fn dns(&self, at: HostScope<'_>, domain: &str) -> Observation<DnsEvidence> {
        dns::gather(&self.context(at), domain).await
    }

    async fn mail(&self, at: HostScope<'_>, domain: &str) -> Observation<MailEvidence> {
        mail::gather(&self.context(at), domain).await
    }

    async fn registration(&self, at: HostScope<'_>, domain: &str) -> Observation<RegistrationEvidence> {
        registration::gather(&self.context(at), domain).await
    }
}

/// What a web server calls the asset: its name, or its address without brackets.
fn host_of(asset: &AssetRef) -> String {
    asset.to_string()
}
