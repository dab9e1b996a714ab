//! `pom.xml`: the direct dependencies of a Maven project, as far as the files at hand decide them.
//!
//! Rules: the POM reference. Properties and `dependencyManagement` are inherited from parents that lie in the audited tree
//! (`relativePath`, `../pom.xml` if it is not said); a child's value wins. `${…}` is resolved from properties and the
//! `project.*` values. A dependency whose version comes from an imported bill of materials or a parent in a repository, or
//! is a range, is reported as a gap.
//!
//! Not supported: transitive dependencies (a POM does not lock them; use an SBOM or Gradle's locks), profiles, plugins.

use std::collections::BTreeMap;

use bartizan_matching::model::{DependencyScope, Ecosystem, Package};

use crate::component::{Collector, ReadError, Reading, With as _, utf8};
use crate::xml::{self, Element};

/// Parents above a project.
const MAX_PARENTS: usize = 10;
/// Substitutions of properties within one value.
const MAX_SUBSTITUTIONS: usize = 20;

/// Where a parent is looked for: its `relativePath`, from the folder of the file that names it, joined from file to file.
pub type LoadParent<'l> = &'l mut dyn FnMut(&str) -> Option<Vec<u8>>;

/// Reads a `pom.xml`. `load` answers the bytes of a parent's file by its path relative to this file's folder, or `None`.
/// Linear in the size of the files.
///
/// # Errors
/// If it is not XML with a `project`.
pub fn read(bytes: &[u8], load: LoadParent<'_>) -> Result<Reading, ReadError> {
    let project = parse(bytes)?;
    let mut chain = vec![project];
    let mut folder = String::new();
    let mut missing_parent = false;
    while let Some(parent) = chain.last().and_then(|project| project.child("parent")) {
        if chain.len() > MAX_PARENTS {
            return Err(ReadError::Syntax(format!("it has more than {MAX_PARENTS} parents")));
        }
        // An empty element means: look in the repository only.
        let relative = match parent.child("relativePath") {
            Some(path) => path.text.trim().to_owned(),
            None => "../pom.xml".to_owned(),
        };
        let relative =
            if relative.is_empty() || relative.ends_with(".xml") { relative } else { format!("{relative}/pom.xml") };
        let path = format!("{folder}{relative}");
        let found = (!relative.is_empty()).then(|| load(&path)).flatten().and_then(|bytes| parse(&bytes).ok());
        match found {
            // Another project may lie there.
            Some(found) if coordinates_agree(parent, &found) => {
                folder = path.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
                chain.push(found);
            }
            _ => {
                missing_parent = true;
                break;
            }
        }
    }
    Model::of(&chain).dependencies(&chain, missing_parent)
}

fn parse(bytes: &[u8]) -> Result<Element, ReadError> {
    let root = xml::read(utf8(bytes)?)?;
    if root.name != "project" {
        return Err(ReadError::Syntax(format!("its root is `{}`, not `project`", root.name)));
    }
    Ok(root)
}

fn coordinates_agree(wanted: &Element, found: &Element) -> bool {
    let group = found.value("groupId").or_else(|| found.child("parent")?.value("groupId"));
    wanted.value("artifactId") == found.value("artifactId") && wanted.value("groupId") == group
}

/// The effective properties and managed versions: own values before inherited ones.
struct Model {
    properties: BTreeMap<String, String>,
    managed: BTreeMap<String, Managed>,
    imports: usize,
}

#[derive(Clone, Default)]
struct Managed {
    version: Option<String>,
    scope: Option<String>,
}

impl Model {
    fn of(chain: &[Element]) -> Self {
        let mut properties = BTreeMap::new();
        let mut managed = BTreeMap::new();
        let mut imports = 0;
        // From the oldest ancestor down: the later wins.
        for project in chain.iter().rev() {
            for property in project.child("properties").into_iter().flat_map(|properties| &properties.children) {
                properties.insert(property.name.clone(), property.text.trim().to_owned());
            }
        }
        let own = &chain[0];
        let parent = own.child("parent");
        for name in ["groupId", "artifactId", "version"] {
            let inherited = parent.and_then(|parent| parent.value(name));
            if let Some(value) = own.value(name).or(inherited) {
                for prefix in ["project", "pom"] {
                    properties.insert(format!("{prefix}.{name}"), value.to_owned());
                }
            }
            if let Some(value) = inherited {
                properties.insert(format!("project.parent.{name}"), value.to_owned());
            }
        }
        let mut model = Self { properties, managed: BTreeMap::new(), imports: 0 };
        for project in chain.iter().rev() {
            let section = project.child("dependencyManagement").and_then(|m| m.child("dependencies"));
            for dependency in section.into_iter().flat_map(|section| section.all("dependency")) {
                if dependency.value("scope") == Some("import") {
                    imports += 1;
                } else if let Some(name) = model.name(dependency) {
                    let version = dependency.value("version").map(|version| model.resolve(version));
                    let scope = dependency.value("scope").map(str::to_owned);
                    managed.insert(name, Managed { version, scope });
                }
            }
        }
        model.managed = managed;
        model.imports = imports;
        model
    }

    fn name(&self, dependency: &Element) -> Option<String> {
        let group = self.resolve(dependency.value("groupId")?);
        let artifact = self.resolve(dependency.value("artifactId")?);
        Some(format!("{group}:{artifact}"))
    }

    /// Replaces `${…}` until nothing is left to replace.
    fn resolve(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for _ in 0..MAX_SUBSTITUTIONS {
            let Some(begin) = text.find("${") else { break };
            let Some(length) = text[begin..].find('}') else { break };
            let name = &text[begin + 2..begin + length];
            let Some(value) = self.properties.get(name) else { break };
            if text.len() + value.len() > 4096 {
                break;
            }
            text.replace_range(begin..=begin + length, value);
        }
        text
    }

    fn dependencies(&self, chain: &[Element], missing_parent: bool) -> Result<Reading, ReadError> {
        let mut collector = Collector::default();
        let elsewhere = match (self.imports > 0, missing_parent) {
            (true, _) => "its version is decided by an imported bill of materials",
            (false, true) => "its version is decided by a parent that is not in the tree",
            (false, false) => "no version is stated",
        };
        let mut seen = BTreeMap::new();
        for project in chain {
            for dependency in project.child("dependencies").into_iter().flat_map(|section| section.all("dependency")) {
                let Some(name) = self.name(dependency) else {
                    collector.gap("dependency", "it has no groupId or artifactId");
                    continue;
                };
                // The child's declaration comes first and wins.
                if seen.insert(name.clone(), ()).is_some() && !std::ptr::eq(project, &raw const chain[0]) {
                    continue;
                }
                let managed = self.managed.get(&name).cloned().unwrap_or_default();
                let version = dependency.value("version").map(|version| self.resolve(version)).or(managed.version);
                let scope = dependency.value("scope").map(str::to_owned).or(managed.scope);
                let scope = match scope.as_deref() {
                    Some("test") => DependencyScope::Development,
                    _ if dependency.value("optional") == Some("true") => DependencyScope::Optional,
                    _ => DependencyScope::Runtime,
                };
                match version {
                    None => collector.gap(name, elsewhere),
                    Some(version) if version.contains("${") => {
                        collector.gap(name, "its version is a property that is not set");
                    }
                    Some(version) if version.starts_with(['[', '(']) => match exact(&version) {
                        Some(version) => {
                            collector.push(Package::new(Ecosystem::Maven, name, version).needed_for(scope));
                        }
                        None => collector.gap(name, "its version is a range"),
                    },
                    Some(version) => collector.push(Package::new(Ecosystem::Maven, name, version).needed_for(scope)),
                }
            }
        }
        collector.finish()
    }
}

/// `[1.0]` is exactly 1.0.
fn exact(range: &str) -> Option<&str> {
    let inside = range.strip_prefix('[')?.strip_suffix(']')?;
    (!inside.contains(',')).then_some(inside)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PARENT: &str = "<project xmlns=\"http://maven.apache.org/POM/4.0.0\"><groupId>org.x</groupId><artifactId>parent</artifactId>\
        <version>1</version><properties><jackson>2.9.0</jackson><log4j>2.0</log4j></properties>\
        <dependencyManagement><dependencies><dependency><groupId>com.f</groupId><artifactId>databind</artifactId>\
        <version>${jackson}</version></dependency></dependencies></dependencyManagement>\
        <dependencies><dependency><groupId>org.in</groupId><artifactId>herited</artifactId><version>3</version></dependency></dependencies></project>";
    const CHILD: &str = "<?xml version=\"1.0\"?><project><parent><groupId>org.x</groupId><artifactId>parent</artifactId><version>1</version></parent>\
        <artifactId>child</artifactId><properties><log4j>2.14.1</log4j><a>${b}</a><b>${a}</b></properties><dependencies>\
        <dependency><groupId>com.f</groupId><artifactId>databind</artifactId></dependency>\
        <dependency><groupId>org.log</groupId><artifactId>log4j-core</artifactId><version>${log4j}</version></dependency>\
        <dependency><groupId>junit</groupId><artifactId>junit</artifactId><version>[4.12]</version><scope>test</scope></dependency>\
        <dependency><groupId>${project.groupId}</groupId><artifactId>sibling</artifactId><version>${project.version}</version></dependency>\
        <dependency><groupId>g</groupId><artifactId>loop</artifactId><version>${a}</version></dependency>\
        <dependency><groupId>g</groupId><artifactId>range</artifactId><version>[1,2)</version></dependency>\
        <dependency><groupId>g</groupId><artifactId>none</artifactId></dependency></dependencies></project>";

    fn rows(reading: &Reading) -> Vec<String> {
        reading.packages.iter().map(|p| format!("{} {} {:?}", p.name, p.version, p.scope)).collect()
    }

    #[test]
    fn parents_in_the_tree_decide() {
        let mut asked = Vec::new();
        let reading = read(CHILD.as_bytes(), &mut |path| {
            asked.push(path.to_owned());
            Some(PARENT.as_bytes().to_vec())
        })
        .unwrap();
        assert_eq!(
            rows(&reading),
            [
                "com.f:databind 2.9.0 Runtime",
                "junit:junit 4.12 Development",
                "org.in:herited 3 Runtime",
                "org.log:log4j-core 2.14.1 Runtime",
                "org.x:sibling 1 Runtime",
            ]
        );
        assert_eq!(asked, ["../pom.xml"]);
        let gaps: Vec<&str> = reading.gaps.iter().map(|gap| gap.subject.as_str()).collect();
        assert_eq!(gaps, ["g:loop", "g:none", "g:range"]);
    }

    #[test]
    fn without_the_parent_its_versions_are_gaps() {
        let reading = read(CHILD.as_bytes(), &mut |_| None).unwrap();
        assert!(reading.gaps.iter().any(|gap| gap.subject == "com.f:databind" && gap.reason.contains("parent")));
    }

    proptest! {
        #[test]
        fn damaged_input_never_panics(at in 0..CHILD.len(), byte in any::<u8>()) {
            let mut bytes = CHILD.as_bytes().to_vec();
            bytes[at] = byte;
            let _ = read(&bytes, &mut |_| Some(PARENT.as_bytes().to_vec()));
            let _ = read(&bytes[..at], &mut |_| None);
        }
    }
}
