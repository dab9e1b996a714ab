//! Software bills of materials: what somebody else's tool found.
//!
//! A component is identified by its package URL; where there is none, by its CPE names; where there is neither, nothing can be
//! said about it and it is reported as a gap. The operating system a document names gives packages of a distribution
//! their release where their package URL does not.

pub mod cyclonedx;
pub mod purl;
pub mod spdx;
pub mod spdx_tag;

use std::collections::HashMap;

use bartizan_matching::model::{Ecosystem, Package, SourcePackage};

use crate::component::{Collector, ReadError, Reading, is_no_version};
use crate::os::Os;
use crate::ownership::{self, Placed};

/// A component of a bill of materials, in the words all formats share.
#[derive(Debug, Default)]
pub(crate) struct Item {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) purl: Option<String>,
    pub(crate) cpes: Vec<String>,
    /// Source package, where the producing tool says it outside the package URL.
    pub(crate) source: Option<(String, String)>,
    /// The document's own id of the component, empty if it has none.
    pub(crate) id: String,
    /// Where its files lie in the system that the document is about.
    pub(crate) paths: Vec<String>,
}

/// Most CPE names kept of one component; some tools guess hundreds.
const MAX_CPES: usize = 32;
/// Most paths of one component that are looked at.
const MAX_PATHS: usize = 256;

/// What the components of a document yield. `platform` are CPE names of the operating system; `owners` maps ids of components to the ids of those that contain their files,
/// where the document says so.
pub(crate) fn finish(
    items: Vec<Item>,
    os: Option<&Os>,
    platform: &[String],
    owners: &HashMap<String, String>,
) -> Result<Reading, ReadError> {
    let mut collector = Collector::default();
    for cpe in platform.iter().cloned().chain(os.and_then(Os::cpe)) {
        collector.platform(&cpe);
    }
    let mut placed = Vec::new();
    let mut ids = Vec::new();
    for mut item in items {
        let id = std::mem::take(&mut item.id);
        let mut paths = std::mem::take(&mut item.paths);
        paths.truncate(MAX_PATHS);
        if let Some(package) = item.package(os, &mut collector) {
            placed.push(Placed { package, paths, owner: None });
            ids.push(id);
        }
    }
    complete_sources(&mut placed);
    if !owners.is_empty() {
        let at: HashMap<&str, usize> = ids.iter().enumerate().map(|(at, id)| (&**id, at)).collect();
        for (placed, id) in placed.iter_mut().zip(&ids) {
            placed.owner = owners.get(id).and_then(|owner| at.get(&**owner)).copied();
        }
    }
    ownership::settle(&mut placed);
    for Placed { package, .. } in placed {
        collector.push(package);
    }
    collector.finish()
}

/// Gives packages of Debian's and Alpine's kind their own name as that of their source where the document states the sources
/// of others: writers that know them leave out what is called alike. Where no source is stated, none is known.
fn complete_sources(placed: &mut [Placed]) {
    let by_source = |package: &Package| matches!(package.ecosystem.purl_type(), "deb" | "apk");
    if !placed.iter().any(|one| by_source(&one.package) && one.package.source.is_some()) {
        return;
    }
    for Placed { package, .. } in placed.iter_mut().filter(|one| by_source(&one.package)) {
        let own = SourcePackage { name: package.name.clone(), version: package.version.clone() };
        package.source.get_or_insert(own);
    }
}

impl Item {
    /// Turns the component into a package, or a gap.
    fn package(mut self, os: Option<&Os>, collector: &mut Collector) -> Option<Package> {
        self.cpes.sort();
        self.cpes.dedup();
        self.cpes.truncate(MAX_CPES);
        if is_no_version(&self.version) {
            self.version.clear();
        }
        let package = match self.purl.as_deref().map(|text| (text, purl::package(text, os))) {
            Some((text, Ok(Some(mut package)))) => {
                package.purl = text.into();
                if is_no_version(&package.version) {
                    package.version = "".into();
                }
                // Go's paths have capitals, which writers of package URLs take away.
                if package.ecosystem == Ecosystem::Go && package.name.eq_ignore_ascii_case(&self.name) {
                    package.name = self.name.as_str().into();
                }
                if package.version.is_empty() {
                    package.version = self.version.as_str().into();
                }
                if let (Some((name, version)), None) = (self.source, &package.source) {
                    let version = if version.is_empty() { package.version.to_string() } else { version };
                    package.source = Some(SourcePackage { name: name.into(), version: version.into() });
                }
                Some(package)
            }
            Some((_, Err(rule))) if self.cpes.is_empty() => {
                collector.gap(self.name, format!("its package URL cannot be read: {rule}"));
                return None;
            }
            _ if self.cpes.is_empty() => None,
            _ => Some(Package::new(Ecosystem::Generic, self.name.as_str(), self.version.as_str())),
        };
        let Some(mut package) = package else {
            collector.gap(self.name, "it has no package URL and no CPE name");
            return None;
        };
        package.cpes = self.cpes.iter().map(Into::into).collect();
        if package.version.is_empty() {
            self.cpes.iter().for_each(|cpe| collector.platform(cpe));
        }
        Some(package)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_for_no_version_are_no_version() {
        let item = |purl: &str, version: &str| Item {
            name: "x".into(),
            version: version.into(),
            purl: Some(purl.into()),
            ..Item::default()
        };
        let items = vec![
            item("pkg:deb/debian/a@NOASSERTION?distro=debian-12", "NOASSERTION"),
            item("pkg:rpm/rocky/b?distro=rocky-8", "NOASSERTION"),
            item("pkg:maven/org.x/c@LATEST", "LATEST"),
            item("pkg:maven/org.x/d@unknown", "1.2"),
        ];
        let reading = finish(items, None, &[], &HashMap::new()).unwrap();
        let packages: Vec<(&str, &str)> = reading.packages.iter().map(|one| (&*one.name, &*one.version)).collect();
        assert_eq!(packages, [("org.x:d", "1.2")]);
        assert_eq!(reading.gaps.len(), 3);
        assert!(reading.gaps.iter().all(|gap| gap.reason == "no version is stated"));
    }

    #[test]
    fn modules_of_go_are_spelt_as_the_document_spells_them() {
        let item = |name: &str| Item {
            name: name.into(),
            purl: Some("pkg:golang/github.com/burntsushi/toml@v1.0.0".into()),
            ..Item::default()
        };
        for (name, expected) in
            [("github.com/BurntSushi/toml", "github.com/BurntSushi/toml"), ("toml", "github.com/burntsushi/toml")]
        {
            let reading = finish(vec![item(name)], None, &[], &HashMap::new()).unwrap();
            assert_eq!(&*reading.packages[0].name, expected);
        }
    }
}
