//! Gathers evidence and judges nothing.
//!
//! Each probe is an async function from a [`ProbeContext`] and a place to typed evidence of `domain::evidence`. A
//! probe keeps failures as [`bartizan_domain::evidence::Observation::Failed`] with their class; it redacts secrets
//! before they enter a structure; it bounds everything that comes from the target in size, count and time.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test"))]

use std::sync::Arc;
use std::time::Duration;

use bartizan_domain::Clock;
use bartizan_domain::evidence::{FailureKind, ProbeFailure};
use bartizan_outbound::Outbound;
use bartizan_portscan::{Choice, Engine};
use tokio_util::sync::CancellationToken;

pub mod dns;
pub mod mail;
pub mod ports;
pub mod registration;
pub mod resolve;
pub mod services;
pub mod settings;
pub mod ssh;
pub mod sweep;
pub mod tls;
pub mod web;

pub use settings::{DnsSettings, RegistrationSettings};

/// What every probe is handed.
#[derive(Clone)]
pub struct ProbeContext {
    /// The only way to the network.
    pub outbound: Outbound,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Fires when the scan is cancelled or runs out of time.
    pub cancel: CancellationToken,
    /// How long one probe (one exchange with the target) may take.
    pub timeout: Duration,
    /// How names are resolved.
    pub dns: DnsSettings,
    /// Where registration data is looked up.
    pub registration: RegistrationSettings,
    /// Fingerprints that the caller loaded beside the built-in signatures.
    pub recog: Option<Arc<services::recog::Recog>>,
    /// How TCP ports are asked.
    pub port_engine: Engine,
    /// Told which engine took the ports of an asset, and why.
    pub on_engine: Option<EngineListener>,
    /// What is asked of ports that belong to machines which unknown words can hurt.
    pub caution: Caution,
}

/// What is asked of ports of printers and controllers (`content/services/probes.toml`, `spare`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Caution {
    /// Only what the number of the port suggests; beyond that they are listened to.
    #[default]
    Spare,
    /// As much as of any other port.
    AskEverything,
}

/// Told which engine took the ports of an asset, and why.
pub type EngineListener = Arc<dyn Fn(&Choice) + Send + Sync>;

impl ProbeContext {
    /// A context with the default data sources, ten seconds for a probe, and nothing that cancels it.
    #[must_use]
    pub fn new(outbound: Outbound, clock: Arc<dyn Clock>) -> Self {
        Self {
            outbound,
            clock,
            cancel: CancellationToken::new(),
            timeout: Duration::from_secs(10),
            dns: DnsSettings::default(),
            registration: RegistrationSettings::default(),
            recog: None,
            port_engine: Engine::Auto,
            on_engine: None,
            caution: Caution::default(),
        }
    }

    /// Runs `work` until it ends, `limit` passes or the scan is cancelled.
    ///
    /// # Errors
    /// [`FailureKind::Timeout`] or [`FailureKind::Cancelled`], saying what was being done; otherwise the failure of
    /// `work`.
    pub async fn within<T>(
        &self,
        limit: Duration,
        doing: &str,
        work: impl Future<Output = Result<T, ProbeFailure>>,
    ) -> Result<T, ProbeFailure> {
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(ProbeFailure::new(FailureKind::Cancelled, format!("{doing}: the scan was stopped"))),
            result = tokio::time::timeout(limit, work) => {
                result.unwrap_or_else(|_| Err(ProbeFailure::new(FailureKind::Timeout, format!("{doing}: no answer within {limit:?}"))))
            }
        }
    }
}
