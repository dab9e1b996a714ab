//! Scans: what kinds there are, which states they pass through, what may be switched.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Kind of scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ScanKind {
    /// External attack surface of domains and addresses.
    #[default]
    Surface,
    /// Port-state compliance against a template.
    Ports,
    /// Cloud posture.
    Cloud,
}

impl ScanKind {
    /// The wire form.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Surface => "surface",
            Self::Ports => "ports",
            Self::Cloud => "cloud",
        }
    }
}

/// How deep a surface scan goes (`scan_type` on the wire). What each selects is data: `content/profiles/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ScanProfile {
    /// Passive checks, web root, certificates and the most common ports.
    #[default]
    Quick,
    /// Every passive and safe active check, top-1000 ports.
    Full,
    /// The caller's own selection.
    Custom,
}

impl ScanProfile {
    /// The wire form.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Quick => "quick",
            Self::Full => "full",
            Self::Custom => "custom",
        }
    }
}

impl fmt::Display for ScanProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for ScanProfile {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "quick" => Ok(Self::Quick),
            "full" => Ok(Self::Full),
            "custom" => Ok(Self::Custom),
            _ => Err(format!("unknown profile `{text}`: expected quick, full or custom")),
        }
    }
}

/// State of a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ScanStatus {
    /// Queued.
    Pending,
    /// A worker has it.
    Running,
    /// Done; `partial` beside it says whether with gaps.
    Completed,
    /// Ended by an error; what was found is kept.
    Failed,
    /// Ended by a person; what was found is kept and marked incomplete.
    Cancelled,
}

impl ScanStatus {
    /// The wire form.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether nothing more will happen.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }

    /// Whether the state machine allows `self -> next`. A running scan returns to pending when its worker died and
    /// the job is taken up again.
    #[must_use]
    pub const fn may_become(self, next: Self) -> bool {
        matches!(
            (self, next),
            (Self::Pending, Self::Running | Self::Cancelled | Self::Failed)
                | (Self::Running, Self::Completed | Self::Failed | Self::Cancelled | Self::Pending)
        )
    }
}

impl fmt::Display for ScanStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for ScanStatus {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::Pending, Self::Running, Self::Completed, Self::Failed, Self::Cancelled]
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or_else(|| {
                format!("unknown status `{text}`: expected pending, running, completed, failed or cancelled")
            })
    }
}

/// The four feature toggles of a surface scan, independent of each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields, default)]
pub struct FeatureToggles {
    /// Scan ports and identify services.
    pub port_scan: bool,
    /// TLS, certificates and HTTP. With the port scan off, ports 80, 443, 8080 and 8443 are tried.
    pub web_checks: bool,
    /// DNS, DNSSEC and mail policy.
    pub dns_checks: bool,
    /// Registration data by RDAP and WHOIS.
    pub whois_checks: bool,
}

impl Default for FeatureToggles {
    fn default() -> Self {
        Self { port_scan: true, web_checks: true, dns_checks: true, whois_checks: true }
    }
}

/// Bounds of the tuning knobs, as in the API: (least, greatest, default).
pub mod bounds {
    /// Probes in flight per scan.
    pub const CONCURRENCY: (u32, u32, u32) = (1, 200, 20);
    /// Seconds a single probe may take.
    pub const TIMEOUT_SECONDS: (u32, u32, u32) = (1, 120, 10);
    /// Addresses one CIDR or range may expand to.
    pub const MAX_EXPANSION: u64 = 65_536;
}
