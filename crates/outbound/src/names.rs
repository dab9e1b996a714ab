//! Names of services that the operator configured, resolved as the rest of this machine resolves them: hosts file,
//! search domains and all. Names of scan targets are asked for over [`crate::dns`] instead, where every answer is kept.

use std::net::IpAddr;
use std::time::Duration;

use bartizan_domain::evidence::{FailureKind, ProbeFailure};

/// How long the system may take.
const DEADLINE: Duration = Duration::from_secs(5);

/// Addresses of `name`. They are not vetted yet: whoever connects does that.
///
/// # Errors
/// [`FailureKind::Resolution`] if there are none, [`FailureKind::Timeout`] if the system does not answer.
pub async fn resolve(name: String) -> Result<Vec<IpAddr>, ProbeFailure> {
    let asked = tokio::net::lookup_host((name.as_str(), 0));
    match tokio::time::timeout(DEADLINE, asked).await {
        Ok(Ok(found)) => Ok(found.map(|address| address.ip()).collect()),
        Ok(Err(error)) => Err(ProbeFailure::new(FailureKind::Resolution, format!("resolving {name}: {error}"))),
        Err(_) => Err(ProbeFailure::new(FailureKind::Timeout, format!("resolving {name} took more than {DEADLINE:?}"))),
    }
}
