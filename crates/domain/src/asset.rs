//! What can be scanned or inventoried.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Kind of asset. The first three are scan targets (`target_type` on the wire); `host` rows come from inventory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum AssetKind {
    /// A DNS name.
    Domain,
    /// One IPv4 or IPv6 address.
    Ip,
    /// A network in CIDR notation.
    Cidr,
    /// A machine known from inventory.
    Host,
}

impl AssetKind {
    /// The wire form.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Domain => "domain",
            Self::Ip => "ip",
            Self::Cidr => "cidr",
            Self::Host => "host",
        }
    }
}

impl fmt::Display for AssetKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for AssetKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "domain" => Ok(Self::Domain),
            "ip" => Ok(Self::Ip),
            "cidr" => Ok(Self::Cidr),
            "host" => Ok(Self::Host),
            _ => Err(format!("unknown target_type `{text}`: expected domain, ip or cidr")),
        }
    }
}

/// Where in the organisation's landscape an asset stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum RiskZone {
    /// Development; the default.
    #[default]
    Dev,
    /// Staging.
    Staging,
    /// Production.
    Production,
    /// Demilitarised zone.
    Dmz,
    /// Internal network.
    Internal,
    /// Restricted.
    Restricted,
}

impl RiskZone {
    /// Every zone, in the order of the API reference.
    pub const ALL: [Self; 6] =
        [Self::Dev, Self::Staging, Self::Production, Self::Dmz, Self::Internal, Self::Restricted];

    /// The wire form.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dev => "dev",
            Self::Staging => "staging",
            Self::Production => "production",
            Self::Dmz => "dmz",
            Self::Internal => "internal",
            Self::Restricted => "restricted",
        }
    }
}

impl FromStr for RiskZone {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|zone| zone.as_str() == text).ok_or_else(|| {
            format!("unknown risk_zone `{text}`: expected dev, staging, production, dmz, internal or restricted")
        })
    }
}

/// The canonical asset a verdict is about: a domain by its name (never by its address), anything else by its
/// address. This is the unit of scanning ("host" in the native JSON) and part of a finding's identity.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", content = "value", rename_all = "snake_case")]
pub enum AssetRef {
    /// A DNS name: lower case, A-labels, no trailing dot.
    Domain(String),
    /// One address.
    Ip(IpAddr),
}

impl AssetRef {
    /// The domain name, if it is one.
    #[must_use]
    pub fn domain(&self) -> Option<&str> {
        match self {
            Self::Domain(name) => Some(name),
            Self::Ip(_) => None,
        }
    }

    /// Takes the canonical text form back: an address if it parses as one, a name otherwise.
    #[must_use]
    pub fn from_canonical(text: &str) -> Self {
        text.parse().map_or_else(|_| Self::Domain(text.to_owned()), Self::Ip)
    }
}

impl fmt::Display for AssetRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Domain(name) => f.pad(name),
            Self::Ip(address) => f.pad(&address.to_string()),
        }
    }
}
