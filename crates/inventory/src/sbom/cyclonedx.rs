//! CycloneDX documents, JSON and XML, specification 1.0 to 1.7.
//!
//! Rules: the CycloneDX specification. Components nest; one of type `operating-system` names the system. The component the
//! document is about (`metadata.component`) is not one it consists of, but its own parts are. Trivy states source packages
//! in properties (`aquasecurity:trivy:SrcName` …). Where the files of a component lie is in `evidence.occurrences` and in
//! properties of Syft and Trivy.
//!
//! Not supported: services, compositions, and `scope` beyond `excluded` (which is left out). Vulnerabilities inside a
//! document are read where VEX is read.

use std::collections::HashMap;

use serde::Deserialize;

use super::Item;
use crate::component::{ReadError, Reading, utf8};
use crate::os::Os;
use crate::xml::{self, Element};

const OPERATING_SYSTEM: &str = "operating-system";

#[derive(Deserialize)]
struct Document {
    #[serde(rename = "bomFormat", default)]
    format: String,
    #[serde(default)]
    metadata: Metadata,
    #[serde(rename = "serialNumber", default)]
    serial: Option<String>,
    #[serde(default)]
    components: Vec<Component>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Metadata {
    component: Option<Component>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Component {
    #[serde(rename = "type")]
    kind: String,
    group: Option<String>,
    name: String,
    version: Option<String>,
    purl: Option<String>,
    cpe: Option<String>,
    scope: Option<String>,
    properties: Vec<Property>,
    evidence: Option<Evidence>,
    components: Vec<Component>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Evidence {
    occurrences: Vec<Occurrence>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Occurrence {
    location: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Property {
    name: String,
    value: Option<String>,
}

/// Reads a JSON document. Linear in its size.
///
/// # Errors
/// If it is not JSON of that shape.
pub fn read_json(bytes: &[u8]) -> Result<Reading, ReadError> {
    let document: Document = serde_json::from_str(utf8(bytes)?).map_err(ReadError::syntax)?;
    if document.format != "CycloneDX" {
        return Err(ReadError::Syntax("its bomFormat is not CycloneDX".to_owned()));
    }
    let about = document.metadata.component;
    let mut reading = finish(&document.components, about.as_ref())?;
    reading.about.extend(document.serial.map(|serial| serial.to_ascii_lowercase()));
    Ok(reading)
}

/// Reads an XML document. Linear in its size.
///
/// # Errors
/// If it is not XML with a `bom`.
pub fn read_xml(bytes: &[u8]) -> Result<Reading, ReadError> {
    let root = xml::read(utf8(bytes)?)?;
    if root.name != "bom" {
        return Err(ReadError::Syntax(format!("its root is `{}`, not `bom`", root.name)));
    }
    let about = root.child("metadata").and_then(|metadata| metadata.child("component")).map(of_xml);
    let components: Vec<Component> = list(&root);
    let mut reading = finish(&components, about.as_ref())?;
    reading.about.extend(root.attribute("serialNumber").map(str::to_ascii_lowercase));
    Ok(reading)
}

fn list(parent: &Element) -> Vec<Component> {
    parent.child("components").into_iter().flat_map(|list| list.all("component")).map(of_xml).collect()
}

/// The tree is bounded in depth by the XML reader.
fn of_xml(element: &Element) -> Component {
    let value = |name: &str| element.value(name).map(str::to_owned);
    let properties = element.child("properties").into_iter().flat_map(|list| list.all("property"));
    let occurrences = element.child("evidence").and_then(|evidence| evidence.child("occurrences"));
    let occurrences = occurrences.into_iter().flat_map(|list| list.all("occurrence"));
    Component {
        kind: element.attribute("type").unwrap_or_default().to_owned(),
        group: value("group"),
        name: value("name").unwrap_or_default(),
        version: value("version"),
        purl: value("purl"),
        cpe: value("cpe"),
        scope: value("scope"),
        properties: properties
            .map(|property| Property {
                name: property.attribute("name").unwrap_or_default().to_owned(),
                value: Some(property.text.trim().to_owned()),
            })
            .collect(),
        evidence: Some(Evidence {
            occurrences: occurrences
                .map(|one| Occurrence { location: one.value("location").unwrap_or_default().to_owned() })
                .collect(),
        }),
        components: list(element),
    }
}

fn finish(components: &[Component], about: Option<&Component>) -> Result<Reading, ReadError> {
    let mut all = Vec::new();
    flatten(about.map_or(&[], |about| &about.components), &mut all);
    flatten(components, &mut all);
    // An image's document may be about the system itself.
    let system = all.iter().copied().chain(about).find(|component| component.kind == OPERATING_SYSTEM);
    let os = system.map(|system| Os::of_id(&system.name, system.version.as_deref().unwrap_or_default()));
    let is_package = |component: &&Component| {
        component.kind != "file" && component.kind != OPERATING_SYSTEM && component.scope.as_deref() != Some("excluded")
    };
    let items = all.into_iter().filter(is_package).map(Component::item).collect();
    let platform = system.map(Component::cpes).unwrap_or_default();
    let mut reading = super::finish(items, os.as_ref(), &platform, &HashMap::new())?;
    if let Some(about) = about {
        let names = about.purl.iter().cloned().chain(about.cpes()).chain([about.name.clone()]);
        reading.about.extend(names.filter(|name| !name.is_empty()));
    }
    Ok(reading)
}

fn flatten<'c>(components: &'c [Component], all: &mut Vec<&'c Component>) {
    for component in components {
        all.push(component);
        flatten(&component.components, all);
    }
}

impl Component {
    fn property(&self, name: &str) -> Option<&str> {
        self.properties.iter().find(|property| property.name == name)?.value.as_deref()
    }

    /// Its CPE names; Syft states further ones as properties.
    fn cpes(&self) -> Vec<String> {
        let further = self.properties.iter().filter(|property| property.name == "syft:cpe23");
        self.cpe.iter().cloned().chain(further.filter_map(|property| property.value.clone())).collect()
    }

    fn item(&self) -> Item {
        let name = match &self.group {
            Some(group) if !group.is_empty() => format!("{group}/{}", self.name),
            _ => self.name.clone(),
        };
        let trivy = |name: &str| self.property(&format!("aquasecurity:trivy:{name}")).filter(|value| !value.is_empty());
        let source = trivy("SrcName").map(|source| {
            let mut version = trivy("SrcVersion").unwrap_or_default().to_owned();
            if let Some(release) = trivy("SrcRelease") {
                version = format!("{version}-{release}");
            }
            if let Some(epoch) = trivy("SrcEpoch").filter(|epoch| *epoch != "0") {
                version = format!("{epoch}:{version}");
            }
            (source.to_owned(), version)
        });
        let stated = self.properties.iter().filter(|property| {
            let name = property.name.strip_prefix("syft:location:");
            name.is_some_and(|name| name.ends_with(":path")) || property.name == "aquasecurity:trivy:FilePath"
        });
        let paths = stated.filter_map(|property| property.value.clone());
        let occurrences = self.evidence.iter().flat_map(|evidence| &evidence.occurrences);
        let paths = paths.chain(occurrences.map(|one| one.location.clone())).filter(|path| !path.is_empty());
        Item {
            name,
            version: self.version.clone().unwrap_or_default(),
            purl: self.purl.clone().filter(|purl| !purl.is_empty()),
            cpes: self.cpes(),
            source,
            id: String::new(),
            paths: paths.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use bartizan_matching::model::Ownership;
    use proptest::prelude::*;

    use super::*;

    const JSON: &str = r#"{"bomFormat":"CycloneDX","specVersion":"1.5","version":1,
        "metadata":{"component":{"type":"container","name":"image","components":[{"type":"library","name":"inner","purl":"pkg:npm/inner@1.0.0"}]}},
        "components":[
        {"type":"operating-system","name":"debian","version":"12.4"},
        {"type":"library","name":"libc6","version":"2.36-9","purl":"pkg:deb/debian/libc6@2.36-9?arch=amd64",
         "properties":[{"name":"aquasecurity:trivy:SrcName","value":"glibc"},{"name":"aquasecurity:trivy:SrcVersion","value":"2.36"},{"name":"aquasecurity:trivy:SrcRelease","value":"9"}]},
        {"type":"library","group":"org.x","name":"y","version":"1","purl":"pkg:maven/org.x/y@1",
         "components":[{"type":"library","name":"shaded","version":"2","purl":"pkg:maven/org.z/shaded@2"}]},
        {"type":"application","name":"nginx","version":"1.18.0","cpe":"cpe:2.3:a:f5:nginx:1.18.0:*:*:*:*:*:*:*"},
        {"type":"library","name":"nothing","version":"1"},
        {"type":"file","name":"/etc/passwd"}]}"#;
    const XML: &str = r#"<?xml version="1.0"?><bom xmlns="http://cyclonedx.org/schema/bom/1.4" version="1"><components>
        <component type="operating-system"><name>alpine</name><version>3.18.4</version></component>
        <component type="library" bom-ref="a"><name>musl</name><version>1.2.4-r1</version><purl>pkg:apk/alpine/musl@1.2.4-r1</purl></component>
        <component type="library"><group>org.x</group><name>y</name><version>1</version><purl>pkg:maven/org.x/y@1?type=jar&amp;x=1</purl>
        <components><component type="library"><name>part</name><purl>pkg:npm/part@3</purl></component></components></component></components></bom>"#;

    fn rows(reading: &Reading) -> Vec<String> {
        reading
            .packages
            .iter()
            .map(|p| {
                let source = p.source.as_ref().map(|s| format!(" <- {} {}", s.name, s.version)).unwrap_or_default();
                format!("{} {} {} {}{source}", p.ecosystem, p.release, p.name, p.version)
            })
            .collect()
    }

    #[test]
    fn json_components() {
        let reading = read_json(JSON.as_bytes()).unwrap();
        assert_eq!(
            rows(&reading),
            [
                "Debian 12 libc6 2.36-9 <- glibc 2.36-9",
                "npm  inner 1.0.0",
                "Maven  org.x:y 1",
                "Maven  org.z:shaded 2",
                "Generic  nginx 1.18.0",
            ]
        );
        assert_eq!(reading.gaps.len(), 1);
        assert!(read_json(b"{}").is_err());
    }

    #[test]
    fn the_system_and_what_has_no_version_are_the_platform() {
        let text = r#"{"bomFormat":"CycloneDX","components":[
            {"type":"operating-system","name":"windows_10","version":"22H2","cpe":"cpe:2.3:o:microsoft:windows_10:-:*:*:*:*:*:*:*"},
            {"type":"device","name":"router","cpe":"cpe:2.3:h:acme:router:-:*:*:*:*:*:*:*"},
            {"type":"application","name":"app","version":"1","cpe":"cpe:2.3:a:acme:app:1:*:*:*:*:*:*:*"}]}"#;
        let reading = read_json(text.as_bytes()).unwrap();
        assert_eq!(reading.packages.len(), 1);
        let platform = ["cpe:2.3:h:acme:router:-:*:*:*:*:*:*:*", "cpe:2.3:o:microsoft:windows_10:-:*:*:*:*:*:*:*"];
        assert_eq!(reading.platform, platform);
        let linux =
            r#"{"bomFormat":"CycloneDX","components":[{"type":"operating-system","name":"debian","version":"12.4"}]}"#;
        assert_eq!(read_json(linux.as_bytes()).unwrap().platform, ["cpe:2.3:o:debian:debian_linux:12:*:*:*:*:*:*:*"]);
    }

    #[test]
    fn places_of_components_tell_whose_they_are() {
        let text = r#"{"bomFormat":"CycloneDX","components":[
            {"type":"library","name":"python3-urllib3","version":"1.26.5-1","purl":"pkg:deb/debian/python3-urllib3@1.26.5-1?distro=debian-12"},
            {"type":"library","name":"urllib3","version":"1.26.5","purl":"pkg:pypi/urllib3@1.26.5",
             "properties":[{"name":"syft:location:0:path","value":"/usr/lib/python3/dist-packages/urllib3/METADATA"}]},
            {"type":"library","name":"six","version":"1.16","purl":"pkg:pypi/six@1.16",
             "evidence":{"occurrences":[{"location":"/app/venv/six.py"}]}},
            {"type":"library","name":"idna","version":"3","purl":"pkg:pypi/idna@3"}]}"#;
        let reading = read_json(text.as_bytes()).unwrap();
        let of = |name: &str| reading.packages.iter().find(|p| &*p.name == name).unwrap().ownership.clone();
        assert!(matches!(of("urllib3"), Ownership::Distribution(owner) if &*owner.name == "python3-urllib3"));
        assert_eq!((of("six"), of("idna")), (Ownership::Own, Ownership::Unclear));
    }

    #[test]
    fn xml_components() {
        let reading = read_xml(XML.as_bytes()).unwrap();
        assert_eq!(rows(&reading), ["Alpine 3.18 musl 1.2.4-r1", "npm  part 3", "Maven  org.x:y 1"]);
        assert!(read_xml(b"<other/>").is_err());
    }

    proptest! {
        #[test]
        fn damaged_input_never_panics(at in 0..1_000_usize, byte in any::<u8>()) {
            for text in [JSON, XML] {
                let mut bytes = text.as_bytes().to_vec();
                let at = at % bytes.len();
                bytes[at] = byte;
                let _ = read_json(&bytes);
                let _ = read_xml(&bytes);
                let _ = read_xml(&bytes[..at]);
            }
        }
    }

    #[test]
    fn a_document_says_what_it_is_about() {
        let text = r#"{"bomFormat":"CycloneDX","serialNumber":"urn:uuid:3E671687-395b-41f5-a30f-a58921a69b79",
            "metadata":{"component":{"type":"container","name":"app","purl":"pkg:oci/app@1"}},"components":[]}"#;
        let expected = ["pkg:oci/app@1", "app", "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79"];
        assert_eq!(read_json(text.as_bytes()).unwrap().about, expected);
        let text = r#"<bom xmlns="http://cyclonedx.org/schema/bom/1.5" serialNumber="urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79">
            <metadata><component type="container"><name>app</name><purl>pkg:oci/app@1</purl></component></metadata></bom>"#;
        assert_eq!(read_xml(text.as_bytes()).unwrap().about, expected);
    }
}
