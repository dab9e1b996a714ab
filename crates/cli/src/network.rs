//! The way to the network, made from arguments and the settings of a scan.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use bartizan_domain::Target;
use bartizan_engine::ScanSettings;
use bartizan_outbound::{Outbound, Policy, Settings};
use bartizan_probes::ProbeContext;

use crate::args::NetworkArgs;
use crate::terminal::SystemClock;

/// Sockets beyond the probes in flight: a probe may hold a few.
const SOCKETS_PER_PROBE: usize = 4;
/// A connection is established well within this, or the peer does not answer.
const CONNECT: Duration = Duration::from_secs(5);

/// Whether private, loopback and link-local addresses may be contacted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Private {
    Allowed,
    Refused,
}

/// What the probes of one scan are handed.
pub fn context(args: &NetworkArgs, settings: &ScanSettings, private: Private) -> ProbeContext {
    let timeout = Duration::from_secs(u64::from(settings.timeout_seconds));
    probe_context(args, private, timeout, settings.concurrency as usize * SOCKETS_PER_PROBE)
}

/// What probes are handed that take `timeout` for one exchange and hold at most `max_sockets` in all.
pub fn probe_context(args: &NetworkArgs, private: Private, timeout: Duration, max_sockets: usize) -> ProbeContext {
    let outbound = Outbound::new(Settings {
        policy: Policy { allow_private: private == Private::Allowed },
        connect_timeout: timeout.min(CONNECT),
        exchange_timeout: timeout,
        max_sockets: max_sockets.max(16),
    });
    let mut context = ProbeContext::new(outbound, Arc::new(SystemClock));
    context.timeout = timeout;
    context.dns.resolver = args.resolver;
    context.dns.authoritative_port = args.authoritative_port;
    if let Some(url) = &args.rdap_bootstrap {
        context.registration.rdap_bootstrap.clone_from(url);
    }
    if let Some(server) = &args.whois_server {
        context.registration.whois_server.clone_from(server);
    }
    context
}

/// Refuses single addresses that are never contacted, whatever the settings: cloud metadata services and addresses that
/// belong to no host. Networks that contain one are scanned without it.
pub fn refuse_unscannable<'t>(targets: impl IntoIterator<Item = &'t Target>) -> Result<()> {
    let open = Policy { allow_private: true };
    for target in targets {
        if let Target::Ip { address, .. } = target {
            open.vet(*address)
                .map_err(|failure| anyhow::anyhow!("`{target}` cannot be a target: {}", failure.detail))?;
        }
    }
    Ok(())
}
