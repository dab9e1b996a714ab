//! From targets to assets: expansion, de-duplication, limits.

use std::collections::{BTreeSet, HashMap};

use bartizan_domain::evidence::EvidenceKind;
use bartizan_domain::{AssetRef, PortSet, Target};

use bartizan_catalog::Catalog;

use crate::settings::{ScanSettings, SettingsError};

/// Assets one scan may cover: four IPv4 /16.
pub const MAX_ASSETS: u128 = 262_144;

/// Ports the web checks try when the port scan is switched off.
pub(crate) const WEB_PORTS: [u16; 4] = [80, 443, 8080, 8443];

/// One asset to scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedAsset {
    /// The asset.
    pub asset: AssetRef,
    /// The ports it is narrowed to by `host:port` targets; `None` means the scan's own.
    pub only_ports: Option<PortSet>,
    /// Ports it is asked for beside the scan's, because a target named them.
    pub more_ports: PortSet,
    /// Index of the first target that names it.
    pub target: usize,
}

/// Everything a scan will do.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The assets in the order of the targets, each once.
    pub assets: Vec<PlannedAsset>,
    /// Which evidence the selected checks need.
    pub needs: BTreeSet<EvidenceKind>,
    /// Assets left out because the caller asked for fewer (`max_hosts`).
    pub left_out: usize,
}

impl Plan {
    /// Plans a scan of `targets`.
    ///
    /// # Errors
    /// No target, or more than [`MAX_ASSETS`] assets.
    pub fn new(catalog: &Catalog, targets: &[Target], settings: &ScanSettings) -> Result<Self, SettingsError> {
        let fail = |message: String| SettingsError { field: "targets", message };
        if targets.is_empty() {
            return Err(fail("no target: nothing to scan".to_owned()));
        }
        let total: u128 = targets.iter().map(Target::count).sum();
        if total > MAX_ASSETS {
            return Err(fail(format!("the targets cover {total} hosts: at most {MAX_ASSETS} are allowed in one scan")));
        }
        let mut assets: Vec<PlannedAsset> = Vec::new();
        let mut positions: HashMap<AssetRef, usize> = HashMap::new();
        for (index, target) in targets.iter().enumerate() {
            let narrowed: Option<PortSet> = target.port().map(|port| std::iter::once(port).collect());
            for asset in target.assets() {
                match positions.get(&asset) {
                    Some(position) => assets[*position].widen(narrowed.as_ref()),
                    None => {
                        positions.insert(asset.clone(), assets.len());
                        assets.push(PlannedAsset {
                            asset,
                            only_ports: narrowed.clone(),
                            more_ports: PortSet::new(),
                            target: index,
                        });
                    }
                }
            }
        }
        let wanted = usize::try_from(settings.max_hosts).unwrap_or(usize::MAX);
        let left_out = if wanted == 0 { 0 } else { assets.len().saturating_sub(wanted) };
        assets.truncate(assets.len() - left_out);
        Ok(Self { assets, needs: settings.selection.needs(catalog), left_out })
    }
}

impl PlannedAsset {
    /// The TCP ports that will be asked: those it is narrowed to, or the scan's, or with the port scan switched off
    /// those that web checks try.
    #[must_use]
    pub fn tcp_ports(&self, settings: &ScanSettings) -> PortSet {
        match (&self.only_ports, settings.toggles.port_scan) {
            (Some(ports), _) => ports.clone(),
            (None, true) => settings.tcp_ports.iter().chain(self.more_ports.iter()).collect(),
            (None, false) => WEB_PORTS.into_iter().chain(self.more_ports.iter()).collect(),
        }
    }

    /// The asset is named once more: two ports are both scanned, and naming it without a port means the scan's ports and
    /// those named.
    fn widen(&mut self, other: Option<&PortSet>) {
        match (self.only_ports.take(), other) {
            (Some(kept), Some(other)) => self.only_ports = Some(kept.iter().chain(other.iter()).collect()),
            (named, other) => {
                let named = named.iter().chain(other).flat_map(PortSet::iter);
                self.more_ports = self.more_ports.iter().chain(named).collect();
            }
        }
    }
}
