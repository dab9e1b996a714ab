//! What a scan looks at, and which asset each of its hosts belongs to.

use std::collections::HashMap;
use std::net::IpAddr;

use bartizan_domain::id::AssetId;
use bartizan_domain::{AssetRef, Error, Result, Target};
use serde::{Deserialize, Serialize};

/// One target of a scan, as stored with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanTarget {
    /// As the user wrote it, or as the asset says.
    pub text: String,
    /// The asset it stands for.
    #[serde(default)]
    pub asset_id: Option<AssetId>,
}

/// Finds the asset of a host: the one that is the host itself, else the network it lies in.
#[derive(Debug, Default)]
pub(crate) struct AssetsOfHosts {
    exact: HashMap<AssetRef, AssetId>,
    networks: Vec<(ipnet::IpNet, AssetId)>,
}

impl AssetsOfHosts {
    pub(crate) fn new(targets: &[ScanTarget]) -> Result<Self> {
        let mut found = Self::default();
        for target in targets {
            let Some(id) = target.asset_id else { continue };
            match parse(&target.text)? {
                Target::Domain { name, .. } => {
                    found.exact.insert(AssetRef::Domain(name), id);
                }
                Target::Ip { address, .. } => {
                    found.exact.insert(AssetRef::Ip(address), id);
                }
                Target::Cidr(net) => found.networks.push((net, id)),
                Target::Range(..) => {}
            }
        }
        // The smallest network that holds a host is the one that says most about it.
        found.networks.sort_by_key(|(net, _)| std::cmp::Reverse(net.prefix_len()));
        Ok(found)
    }

    pub(crate) fn of(&self, host: &AssetRef) -> Option<AssetId> {
        self.exact.get(host).copied().or_else(|| match host {
            AssetRef::Ip(address) => self.network_of(*address),
            AssetRef::Domain(_) => None,
        })
    }

    fn network_of(&self, address: IpAddr) -> Option<AssetId> {
        self.networks.iter().find(|(net, _)| net.contains(&address)).map(|(_, id)| *id)
    }
}

/// Reads stored targets back.
pub(crate) fn stored(value: &serde_json::Value) -> Result<Vec<ScanTarget>> {
    serde_json::from_value(value.clone()).map_err(|error| Error::internal(format!("stored targets: {error}")))
}

/// Reads the text of a stored target, which was checked before it was stored.
pub(crate) fn parse(text: &str) -> Result<Target> {
    text.parse().map_err(|error| Error::internal(format!("stored target: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_belongs_to_itself_before_its_network() {
        let id = |n: u128| AssetId(uuid::Uuid::from_u128(n));
        let target = |text: &str, n| ScanTarget { text: text.to_owned(), asset_id: Some(id(n)) };
        let found = AssetsOfHosts::new(&[
            target("192.0.2.0/24", 1),
            target("192.0.2.128/25", 2),
            target("192.0.2.7", 3),
            target("a.example", 4),
            ScanTarget { text: "b.example".to_owned(), asset_id: None },
        ])
        .unwrap();
        let of = |text: &str| found.of(&AssetRef::from_canonical(text));
        assert_eq!(of("192.0.2.7"), Some(id(3)));
        assert_eq!(of("192.0.2.8"), Some(id(1)));
        assert_eq!(of("192.0.2.200"), Some(id(2)));
        assert_eq!(of("a.example"), Some(id(4)));
        assert_eq!(of("b.example"), None);
        assert_eq!(of("198.51.100.1"), None);
    }
}
