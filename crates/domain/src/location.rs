//! Where on an asset something was seen.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Transport protocol of a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// Transmission Control Protocol.
    Tcp,
    /// User Datagram Protocol.
    Udp,
}

impl Transport {
    /// The wire form, `tcp` or `udp`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Transport {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "tcp" => Ok(Self::Tcp),
            "udp" => Ok(Self::Udp),
            _ => Err(format!("unknown transport `{text}`: expected tcp or udp")),
        }
    }
}

/// A stable key for a place on an asset. It is part of a finding's identity, so it never contains a count, a
/// date, an address or free text.
///
/// Forms: `host` (the asset as a whole), `tcp/443`, `tcp/443/path` (an absolute URL path on that port),
/// `dns` (the asset's own name), `dns/<name>` (another name the judgement is about), `registration`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(transparent)]
pub struct Location(String);

impl Location {
    /// The asset as a whole.
    #[must_use]
    pub fn host() -> Self {
        Self("host".to_owned())
    }

    /// A port of the asset, whatever the address.
    #[must_use]
    pub fn port(transport: Transport, port: u16) -> Self {
        Self(format!("{transport}/{port}"))
    }

    /// A path below a port. `path` is absolute (`/.git/HEAD`); query and fragment are the caller's to remove.
    #[must_use]
    pub fn path(transport: Transport, port: u16, path: &str) -> Self {
        Self(format!("{transport}/{port}/{}", path.trim_start_matches('/')))
    }

    /// The asset's own DNS name.
    #[must_use]
    pub fn dns() -> Self {
        Self("dns".to_owned())
    }

    /// Another DNS name, lower case without the trailing dot.
    #[must_use]
    pub fn dns_name(name: &str) -> Self {
        Self(format!("dns/{}", name.trim_end_matches('.').to_ascii_lowercase()))
    }

    /// The domain's registration.
    #[must_use]
    pub fn registration() -> Self {
        Self("registration".to_owned())
    }

    /// The stored form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Takes a location back from storage or a file.
    #[must_use]
    pub fn from_stored(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The port, if the location is on one.
    #[must_use]
    pub fn port_number(&self) -> Option<u16> {
        let mut parts = self.0.split('/');
        match parts.next() {
            Some("tcp" | "udp") => parts.next()?.parse().ok(),
            _ => None,
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}
