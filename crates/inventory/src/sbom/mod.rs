//! Software bills of materials: what somebody else's tool found.
//!
//! A component is identified by its package URL; where there is none, by its CPE names; where there is neither, nothing can be
//! said about it and it is reported as a gap. The operating system a document names gives packages of a distribution
//! their release where their package URL does not.

pub mod cyclonedx;
pub mod purl;
pub mod spdx;
pub mod spdx_tag;

use bartizan_matching::model::{Ecosystem, Package};

use crate::component::Collector;
use crate::os::Os;

/// A component of a bill of materials, in the words all formats share.
#[derive(Debug, Default)]
pub(crate) struct Item {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) purl: Option<String>,
    pub(crate) cpes: Vec<String>,
    /// Source package, where the producing tool says it outside the package URL.
    pub(crate) source: Option<(String, String)>,
}

/// Most CPE names kept of one component; some tools guess hundreds.
const MAX_CPES: usize = 32;

impl Item {
    /// Turns the component into a package, or a gap.
    pub(crate) fn take(mut self, os: Option<&Os>, collector: &mut Collector) {
        self.cpes.sort();
        self.cpes.dedup();
        self.cpes.truncate(MAX_CPES);
        let package = match self.purl.as_deref().map(|text| (text, purl::package(text, os))) {
            Some((text, Ok(Some(mut package)))) => {
                package.purl = text.into();
                if package.version.is_empty() {
                    package.version = self.version.as_str().into();
                }
                if let (Some((name, version)), None) = (self.source, &package.source) {
                    let version = if version.is_empty() { package.version.to_string() } else { version };
                    package.source =
                        Some(bartizan_matching::model::SourcePackage { name: name.into(), version: version.into() });
                }
                Some(package)
            }
            Some((_, Err(rule))) if self.cpes.is_empty() => {
                return collector.gap(self.name, format!("its package URL cannot be read: {rule}"));
            }
            _ if self.cpes.is_empty() => None,
            _ => Some(Package::new(Ecosystem::Generic, self.name.as_str(), self.version.as_str())),
        };
        match package {
            Some(mut package) => {
                package.cpes = self.cpes.iter().map(Into::into).collect();
                collector.push(package);
            }
            None => collector.gap(self.name, "it has no package URL and no CPE name"),
        }
    }
}
