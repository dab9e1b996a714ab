//! SPDX documents in JSON: 2.2 and 2.3, and the software profile of 3.0.
//!
//! Rules: the SPDX specifications. A package of 2.x has `externalRefs` of type `purl` and `cpe23Type`; one of purpose
//! `OPERATING-SYSTEM` names the system. In 3.0 (JSON-LD) packages are elements of `@graph` with `software_packageUrl` and
//! external identifiers.
//!
//! Of relationships one counts: Syft's `OTHER` whose comment begins with `ownership-by-file-overlap` says which package of
//! a distribution contains the files of which other package; and `DESCRIBES` says what the document is about. Its `sourceInfo` says where they lie,
//! and Trivy's from which source package a package was built.
//!
//! Not supported: RDF, YAML and spreadsheets; files and snippets; other relationships (what a document contains counts).

use std::collections::{HashMap, HashSet};

use serde::Deserialize;

use super::Item;
use crate::component::{ReadError, Reading, utf8};
use crate::os::Os;

/// Things that a document describes, whose names are kept.
const MAX_DESCRIBED: usize = 100;

#[derive(Deserialize)]
struct Document {
    #[serde(rename = "spdxVersion")]
    version: Option<String>,
    #[serde(default)]
    packages: Vec<Listed>,
    #[serde(rename = "@graph", default)]
    graph: Vec<Element>,
    #[serde(default)]
    relationships: Vec<Relationship>,
    #[serde(rename = "documentDescribes", default)]
    describes: Vec<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Relationship {
    #[serde(rename = "spdxElementId")]
    from: String,
    #[serde(rename = "relatedSpdxElement")]
    to: String,
    #[serde(rename = "relationshipType")]
    kind: String,
    comment: Option<String>,
}

impl Relationship {
    fn is_ownership(&self) -> bool {
        self.comment.as_deref().is_some_and(|comment| comment.starts_with("ownership-by-file-overlap"))
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Listed {
    #[serde(rename = "SPDXID")]
    id: String,
    #[serde(rename = "sourceInfo")]
    source: Option<String>,
    name: String,
    #[serde(rename = "versionInfo")]
    version: Option<String>,
    #[serde(rename = "primaryPackagePurpose")]
    purpose: Option<String>,
    #[serde(rename = "externalRefs")]
    references: Vec<Reference>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Reference {
    #[serde(rename = "referenceType")]
    kind: String,
    #[serde(rename = "referenceLocator")]
    locator: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Element {
    #[serde(rename = "type")]
    kind: String,
    name: Option<String>,
    #[serde(rename = "software_packageVersion")]
    version: Option<String>,
    #[serde(rename = "software_packageUrl")]
    purl: Option<String>,
    #[serde(rename = "software_primaryPurpose")]
    purpose: Option<String>,
    #[serde(rename = "externalIdentifier")]
    identifiers: Vec<Identifier>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Identifier {
    #[serde(rename = "externalIdentifierType")]
    kind: String,
    identifier: String,
}

/// Reads a JSON document. Linear in its size.
///
/// # Errors
/// If it is not JSON of that shape.
pub fn read(bytes: &[u8]) -> Result<Reading, ReadError> {
    let document: Document = serde_json::from_str(utf8(bytes)?).map_err(ReadError::syntax)?;
    let items: Vec<(Item, bool)> = match &document.version {
        Some(version) if version.starts_with("SPDX-2.") => document.packages.into_iter().map(Listed::item).collect(),
        Some(version) => return Err(ReadError::Unsupported(format!("`{version}` is not read"))),
        None if document.graph.is_empty() => {
            return Err(ReadError::Syntax("it has neither spdxVersion nor @graph".to_owned()));
        }
        None => document.graph.into_iter().filter(|e| e.kind == "software_Package").map(Element::item).collect(),
    };
    let described: HashSet<&str> = document
        .relationships
        .iter()
        .filter(|relationship| relationship.kind == "DESCRIBES")
        .map(|relationship| &*relationship.to)
        .chain(document.describes.iter().map(String::as_str))
        .collect();
    let described = items.iter().map(|(item, _)| item).filter(|item| described.contains(&*item.id));
    let about: Vec<String> = described
        .take(MAX_DESCRIBED)
        .flat_map(|item| item.purl.iter().cloned().chain(item.cpes.iter().cloned()).chain([item.name.clone()]))
        .filter(|name| !name.is_empty())
        .collect();
    let owners = document.relationships.into_iter().filter(Relationship::is_ownership);
    let mut reading = finish(items, &owners.map(|relationship| (relationship.to, relationship.from)).collect())?;
    reading.about = about;
    Ok(reading)
}

/// Items, and whether each is the operating system; and which contains the files of which.
pub(super) fn finish(items: Vec<(Item, bool)>, owners: &HashMap<String, String>) -> Result<Reading, ReadError> {
    let system = items.iter().find(|(_, is_system)| *is_system).map(|(item, _)| item);
    let os = system.map(|item| Os::of_id(&item.name, &item.version));
    let platform = system.map(|item| item.cpes.clone()).unwrap_or_default();
    let packages = items.into_iter().filter(|(_, is_system)| !is_system).map(|(item, _)| item).collect();
    super::finish(packages, os.as_ref(), &platform, owners)
}

/// The paths in Syft's `acquired package info from … manifest file: /a, /b`.
pub(super) fn paths(source: &str) -> Vec<String> {
    let Some((_, list)) = source.split_once(": ").filter(|(head, _)| head.starts_with("acquired package info")) else {
        return Vec::new();
    };
    list.split(", ").map(str::trim).filter(|path| path.starts_with('/')).map(str::to_owned).collect()
}

/// Name and version of the source package in Trivy's `built package from: openssl 3.0.9-1`.
pub(super) fn built_from(source: &str) -> Option<(String, String)> {
    let mut words = source.trim().strip_prefix("built package from:")?.split_whitespace();
    let name = words.next()?;
    Some((name.to_owned(), words.next().unwrap_or_default().to_owned()))
}

/// Whether a type of reference is a CPE 2.3 name; tools write it with and without prefix.
pub(super) fn is_cpe(kind: &str) -> bool {
    kind.ends_with("cpe23Type") || kind.eq_ignore_ascii_case("cpe23")
}

impl Listed {
    fn item(self) -> (Item, bool) {
        let purl = self.references.iter().find(|reference| reference.kind.ends_with("purl"));
        let item = Item {
            name: self.name,
            version: self.version.unwrap_or_default(),
            purl: purl.map(|reference| reference.locator.clone()),
            cpes: self.references.iter().filter(|r| is_cpe(&r.kind)).map(|r| r.locator.clone()).collect(),
            source: self.source.as_deref().and_then(built_from),
            id: self.id,
            paths: self.source.as_deref().map(paths).unwrap_or_default(),
        };
        (item, self.purpose.as_deref() == Some("OPERATING-SYSTEM"))
    }
}

impl Element {
    fn item(self) -> (Item, bool) {
        let of_kind = |kind: &str| -> Vec<String> {
            self.identifiers.iter().filter(|i| i.kind == kind).map(|i| i.identifier.clone()).collect()
        };
        let purl = || of_kind("packageUrl").into_iter().chain(of_kind("purl")).next();
        let item = Item {
            name: self.name.clone().unwrap_or_default(),
            version: self.version.clone().unwrap_or_default(),
            purl: self.purl.clone().or_else(purl),
            cpes: of_kind("cpe23"),
            ..Item::default()
        };
        (item, self.purpose.as_deref() == Some("operatingSystem"))
    }
}

#[cfg(test)]
mod tests {
    use bartizan_matching::model::Ownership;
    use proptest::prelude::*;

    use super::*;

    const V2: &str = r#"{"spdxVersion":"SPDX-2.3","SPDXID":"SPDXRef-DOCUMENT","packages":[
        {"name":"debian","SPDXID":"SPDXRef-os","versionInfo":"12.4","primaryPackagePurpose":"OPERATING-SYSTEM"},
        {"name":"bash","SPDXID":"SPDXRef-1","versionInfo":"5.2","externalRefs":[
          {"referenceCategory":"PACKAGE-MANAGER","referenceType":"purl","referenceLocator":"pkg:deb/debian/bash@5.2"},
          {"referenceCategory":"SECURITY","referenceType":"cpe23Type","referenceLocator":"cpe:2.3:a:gnu:bash:5.2:*:*:*:*:*:*:*"}]},
        {"name":"root","SPDXID":"SPDXRef-2"}]}"#;
    const V3: &str = r#"{"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld","@graph":[
        {"type":"SpdxDocument","spdxId":"x"},
        {"type":"software_Package","name":"lodash","software_packageVersion":"4.17.20","software_packageUrl":"pkg:npm/lodash@4.17.20"},
        {"type":"software_Package","name":"ng","software_packageVersion":"1","externalIdentifier":[{"externalIdentifierType":"cpe23","identifier":"cpe:2.3:a:x:ng:1:*:*:*:*:*:*:*"}]}]}"#;

    #[test]
    fn both_generations() {
        let reading = read(V2.as_bytes()).unwrap();
        let bash = &reading.packages[0];
        assert_eq!((&*bash.name, &*bash.release, bash.cpes.len()), ("bash", "12", 1));
        assert_eq!(reading.gaps[0].subject, "root");
        let reading = read(V3.as_bytes()).unwrap();
        let names: Vec<&str> = reading.packages.iter().map(|p| &*p.name).collect();
        assert_eq!(names, ["lodash", "ng"]);
        assert!(read(b"{}").is_err());
        assert!(read(br#"{"spdxVersion":"SPDX-9"}"#).is_err());
    }

    #[test]
    fn the_source_package_of_trivy_is_read() {
        let text = r#"{"spdxVersion":"SPDX-2.3","packages":[
            {"name":"debian","SPDXID":"SPDXRef-os","versionInfo":"12.4","primaryPackagePurpose":"OPERATING-SYSTEM"},
            {"name":"libssl3","SPDXID":"SPDXRef-1","versionInfo":"3.0.9-1","sourceInfo":"built package from: openssl 3.0.9-1",
             "externalRefs":[{"referenceType":"purl","referenceLocator":"pkg:deb/debian/libssl3@3.0.9-1?distro=debian-12.4"}]},
            {"name":"bash","SPDXID":"SPDXRef-2","versionInfo":"5.2-1",
             "externalRefs":[{"referenceType":"purl","referenceLocator":"pkg:deb/debian/bash@5.2-1?distro=debian-12.4"}]}]}"#;
        let source = |name: &str| {
            let reading = read(text.as_bytes()).unwrap();
            let package = reading.packages.into_iter().find(|one| one.name == name).unwrap();
            package.source.map(|source| format!("{} {}", source.name, source.version))
        };
        assert_eq!(source("libssl3").as_deref(), Some("openssl 3.0.9-1"));
        // A document that states sources leaves them out where they are called like the package.
        assert_eq!(source("bash").as_deref(), Some("bash 5.2-1"));
    }

    #[test]
    fn the_owner_of_files_is_read() {
        let text = r#"{"spdxVersion":"SPDX-2.3","packages":[
            {"name":"debian","SPDXID":"SPDXRef-os","versionInfo":"12.4","primaryPackagePurpose":"OPERATING-SYSTEM"},
            {"name":"mercurial","SPDXID":"SPDXRef-deb","versionInfo":"6.3.2-1","externalRefs":[
              {"referenceType":"purl","referenceLocator":"pkg:deb/debian/mercurial@6.3.2-1"}]},
            {"name":"hg","SPDXID":"SPDXRef-py","versionInfo":"6.3.2","externalRefs":[
              {"referenceType":"purl","referenceLocator":"pkg:pypi/hg@6.3.2"}]},
            {"name":"six","SPDXID":"SPDXRef-six","versionInfo":"1.16",
             "sourceInfo":"acquired package info from installed python package manifest file: /app/six/METADATA, /app/six/RECORD","externalRefs":[
              {"referenceType":"purl","referenceLocator":"pkg:pypi/six@1.16"}]}],
          "relationships":[
            {"spdxElementId":"SPDXRef-DOCUMENT","relatedSpdxElement":"SPDXRef-deb","relationshipType":"DESCRIBES"},
            {"spdxElementId":"SPDXRef-deb","relatedSpdxElement":"SPDXRef-py","relationshipType":"OTHER",
             "comment":"ownership-by-file-overlap: indicates that the parent package claims ownership of a child package"}]}"#;
        let reading = read(text.as_bytes()).unwrap();
        assert!(reading.about.iter().any(|name| name.starts_with("pkg:deb/")), "{:?}", reading.about);
        let of = |name: &str| reading.packages.iter().find(|p| &*p.name == name).unwrap().ownership.clone();
        assert!(matches!(of("hg"), Ownership::Distribution(owner) if &*owner.name == "mercurial"));
        assert_eq!(of("six"), Ownership::Own);
    }

    proptest! {
        #[test]
        fn damaged_input_never_panics(at in 0..V2.len(), byte in any::<u8>()) {
            let mut bytes = V2.as_bytes().to_vec();
            bytes[at] = byte;
            let _ = read(&bytes);
            let _ = read(&bytes[..at]);
        }
    }
}
