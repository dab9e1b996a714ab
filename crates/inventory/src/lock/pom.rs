//! `pom.xml`: the direct dependencies of a Maven project, as far as the files at hand decide them.
//!
//! Rules: the POM reference. Properties and `dependencyManagement` are inherited from parents that lie in the audited tree
//! (`relativePath`, `../pom.xml` if it is not said); a child's value wins. `${…}` is resolved from properties and the
//! `project.*` values. A dependency whose version comes from an imported bill of materials or a parent in a repository, or
//! is a range, is reported as a gap. Profiles that a build without options uses contribute properties, managed versions and
//! dependencies, before those of the project they are in; the dependencies of every other profile are gaps that name it
//! ([`profile`] says what is decided and what is not known).
//!
//! Not supported: transitive dependencies (a POM does not lock them; use an SBOM or Gradle's locks), plugins.

use std::collections::{BTreeMap, BTreeSet};

use bartizan_matching::model::{DependencyScope, Ecosystem, Package};

use self::profile::{Activation, Profile};

use crate::component::{Collector, ReadError, Reading, With as _, utf8};
use crate::xml::{self, Element};

mod profile;

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
    /// Properties that only profiles set of which it is not known whether they are active, with the profile's name.
    conditional: BTreeMap<String, String>,
}

/// The parts of a project that count in a build without options, those that win first: active profiles, the last one first,
/// then the project itself.
fn parts(project: &Element) -> Vec<&Element> {
    let active = Profile::all(project).into_iter().filter(|profile| profile.activation == Activation::Active);
    let mut parts: Vec<&Element> = active.map(|profile| profile.element).collect();
    parts.reverse();
    parts.push(project);
    parts
}

/// What a project or a profile sets itself.
fn own_properties(part: &Element) -> &[Element] {
    part.child("properties").map_or(&[], |section| &section.children)
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
        // From the oldest ancestor down, and in each from the project to its profiles: the later wins.
        for part in chain.iter().rev().flat_map(|project| parts(project).into_iter().rev()) {
            for property in own_properties(part) {
                properties.insert(property.name.clone(), property.text.trim().to_owned());
            }
        }
        let mut conditional = BTreeMap::new();
        for profile in chain.iter().flat_map(Profile::all).filter(|one| one.activation == Activation::Unknown) {
            for property in own_properties(profile.element) {
                conditional.insert(property.name.clone(), profile.id().to_owned());
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
        let mut model = Self { properties, managed: BTreeMap::new(), imports: 0, conditional };
        for part in chain.iter().rev().flat_map(|project| parts(project).into_iter().rev()) {
            let section = part.child("dependencyManagement").and_then(|m| m.child("dependencies"));
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
        let mut seen: BTreeSet<String> = BTreeSet::new();
        for part in chain.iter().flat_map(parts) {
            let mut here = BTreeSet::new();
            for dependency in part.child("dependencies").into_iter().flat_map(|section| section.all("dependency")) {
                let Some(name) = self.name(dependency) else {
                    collector.gap("dependency", "it has no groupId or artifactId");
                    continue;
                };
                // The declaration nearest to the project wins; one part may declare several files of an artifact.
                if !seen.contains(&name) {
                    here.insert(name.clone());
                    self.dependency(name, dependency, elsewhere, &mut collector);
                }
            }
            seen.append(&mut here);
        }
        for profile in chain.iter().flat_map(Profile::all) {
            let Some(objection) = profile.objection() else { continue };
            let section = profile.element.child("dependencies");
            for dependency in section.into_iter().flat_map(|section| section.all("dependency")) {
                let name = self.name(dependency).unwrap_or_else(|| "dependency".to_owned());
                let version = dependency.value("version").map(|version| format!(" {}", self.resolve(version)));
                collector.gap(format!("{name}{}", version.unwrap_or_default()), objection.clone());
            }
        }
        collector.finish()
    }

    /// Takes one dependency, whose version is decided `elsewhere` if nothing here decides it.
    fn dependency(&self, name: String, dependency: &Element, elsewhere: &'static str, collector: &mut Collector) {
        let managed = self.managed.get(&name).cloned().unwrap_or_default();
        let version = dependency.value("version").map(|version| self.resolve(version)).or(managed.version);
        let scope = dependency.value("scope").map(str::to_owned).or(managed.scope);
        let scope = match scope.as_deref() {
            Some("test") => DependencyScope::Development,
            _ if dependency.value("optional") == Some("true") => DependencyScope::Optional,
            _ => DependencyScope::Runtime,
        };
        let package = |version: &str| Package::new(Ecosystem::Maven, name.as_str(), version).needed_for(scope);
        match version.as_deref() {
            None => collector.gap(name, elsewhere),
            Some(version) if version.contains("${") => collector.gap(&name, self.unset(version)),
            Some(version) if version.starts_with(['[', '(']) => match exact(version) {
                Some(version) => collector.push(package(version)),
                None => collector.gap(name, "its version is a range"),
            },
            Some(version) => collector.push(package(version)),
        }
    }

    /// Why a version has a property left.
    fn unset(&self, version: &str) -> String {
        let name = version.split_once("${").and_then(|(_, rest)| rest.split_once('}')).map_or("", |(name, _)| name);
        match self.conditional.get(name) {
            Some(profile) => {
                format!("its version is a property of the profile `{profile}`, and whether that is active is not known")
            }
            None => "its version is a property that is not set".to_owned(),
        }
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

    /// A project with one dependency in a profile of each kind.
    fn with_profiles(profiles: &[(&str, &str)]) -> Reading {
        let profiles: String = profiles
            .iter()
            .map(|(id, activation)| {
                format!(
                    "<profile><id>{id}</id>{activation}<properties><v.{id}>7</v.{id}><shared>{id}</shared></properties><dependencies>\
                     <dependency><groupId>p</groupId><artifactId>{id}</artifactId><version>1</version></dependency>\
                     <dependency><groupId>g</groupId><artifactId>both</artifactId><version>${{shared}}</version></dependency>\
                     </dependencies></profile>"
                )
            })
            .collect();
        let text = format!(
            "<project><groupId>g</groupId><artifactId>a</artifactId><version>1</version><properties><shared>base</shared></properties>\
             <dependencies><dependency><groupId>g</groupId><artifactId>both</artifactId><version>${{shared}}</version></dependency>\
             <dependency><groupId>g</groupId><artifactId>needs</artifactId><version>${{v.jdk}}</version></dependency></dependencies>\
             <profiles>{profiles}</profiles></project>"
        );
        read(text.as_bytes(), &mut |_| None).unwrap()
    }

    #[test]
    fn profiles_count_as_a_build_without_options_uses_them() {
        let default = "<activation><activeByDefault>true</activeByDefault></activation>";
        let absent = "<activation><property><name>!skip</name></property></activation>";
        let unset = "<activation><property><name>release</name></property></activation>";
        let other = "<activation><property><name>env</name><value>!ci</value></property></activation>";
        let jdk = "<activation><jdk>[11,)</jdk></activation>";
        let os = "<activation><os><family>windows</family></os></activation>";
        let mixed = "<activation><jdk>11</jdk><property><name>release</name></property></activation>";
        let machine = "<activation><property><name>!java.vendor</name></property></activation>";

        let only = with_profiles(&[("default", default), ("asked", ""), ("unset", unset), ("jdk", jdk), ("os", os)]);
        assert_eq!(rows(&only), ["g:both default Runtime", "p:default 1 Runtime"]);
        let gaps: Vec<String> = only.gaps.iter().map(|gap| format!("{}: {}", gap.subject, gap.reason)).collect();
        for (subject, words) in [
            ("p:asked 1", "profile `asked`, which is active only where it is asked for"),
            ("p:unset 1", "only where it is asked for"),
            ("p:jdk 1", "depends on the JDK of the build"),
            ("p:os 1", "depends on the operating system"),
            ("g:needs", "a property of the profile `jdk`"),
        ] {
            assert!(gaps.iter().any(|gap| gap.starts_with(subject) && gap.contains(words)), "{subject}: {gaps:#?}");
        }
        // Another profile that is active leaves out the one that is so by default; the later of two wins.
        let several = with_profiles(&[("default", default), ("absent", absent), ("other", other)]);
        assert_eq!(rows(&several), ["g:both other Runtime", "p:absent 1 Runtime", "p:other 1 Runtime"]);
        assert!(several.gaps.iter().any(|gap| gap.subject == "p:default 1"));
        // All conditions must hold, and what the machine sets is not known.
        let unclear = with_profiles(&[("mixed", mixed), ("machine", machine), ("default", default)]);
        assert_eq!(rows(&unclear), ["g:both default Runtime", "p:default 1 Runtime"]);
        let reason = |subject: &str| unclear.gaps.iter().find(|gap| gap.subject == subject).unwrap().reason.to_string();
        assert!(reason("p:mixed 1").contains("only where it is asked for"));
        assert!(reason("p:machine 1").contains("a property of the machine"));
    }

    #[test]
    fn profiles_of_parents_count_before_the_parent_itself() {
        let parent = PARENT.replace(
            "</dependencies></project>",
            "</dependencies><profiles><profile><activation><activeByDefault>true</activeByDefault></activation><properties>\
             <jackson>2.9.9</jackson></properties></profile></profiles></project>",
        );
        let reading = read(CHILD.as_bytes(), &mut |_| Some(parent.as_bytes().to_vec())).unwrap();
        assert!(rows(&reading).contains(&"com.f:databind 2.9.9 Runtime".to_owned()), "{:?}", rows(&reading));
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
