//! `conan.lock` of Conan 1 (a graph of nodes) and Conan 2 (lists of references).
//!
//! Rules: Conan's documentation of lock files. A reference is `name/version[@user/channel][#revision[:package]][%time]`.
//! What is not of ConanCenter carries a user and channel.
//!
//! Not supported: which requirement is for building only in version 1 (`build_requires` of nodes).

use std::collections::BTreeMap;

use bartizan_matching::model::{DependencyScope, Ecosystem, Origin, Package};
use serde::Deserialize;

use crate::component::{Collector, ReadError, Reading, With as _, utf8};

#[derive(Deserialize)]
struct Lock {
    version: String,
    graph_lock: Option<Graph>,
    #[serde(default)]
    requires: Vec<String>,
    #[serde(default)]
    build_requires: Vec<String>,
    #[serde(default)]
    python_requires: Vec<String>,
}

#[derive(Deserialize)]
struct Graph {
    #[serde(default)]
    nodes: BTreeMap<String, Node>,
}

#[derive(Deserialize)]
struct Node {
    #[serde(rename = "ref")]
    reference: Option<String>,
    path: Option<String>,
}

/// Reads a `conan.lock`. Linear in its size.
///
/// # Errors
/// If it is not JSON of that shape.
pub fn read(bytes: &[u8]) -> Result<Reading, ReadError> {
    let lock: Lock = serde_json::from_str(utf8(bytes)?).map_err(ReadError::syntax)?;
    if !lock.version.starts_with("0.") && lock.graph_lock.is_some() {
        return Err(ReadError::Unsupported(format!("lock file version {} is not known", lock.version)));
    }
    let mut collector = Collector::default();
    for node in lock.graph_lock.into_iter().flat_map(|graph| graph.nodes.into_values()) {
        // A node with a path is the project's own recipe.
        if let (Some(reference), None) = (node.reference, node.path) {
            take(&reference, DependencyScope::Runtime, &mut collector);
        }
    }
    for reference in &lock.requires {
        take(reference, DependencyScope::Runtime, &mut collector);
    }
    for reference in lock.build_requires.iter().chain(&lock.python_requires) {
        take(reference, DependencyScope::Development, &mut collector);
    }
    collector.finish()
}

fn take(reference: &str, scope: DependencyScope, collector: &mut Collector) {
    let bare = reference.split(['#', '%']).next().unwrap_or(reference);
    let (package, channel) = bare.split_once('@').unwrap_or((bare, ""));
    // `_/_` is how version 1 writes "no user, no channel".
    let origin = if channel.is_empty() || channel == "_/_" { Origin::Registry } else { Origin::ThirdParty };
    match package.split_once('/') {
        Some((name, version)) => {
            collector.push(Package::new(Ecosystem::Conan, name, version).taken_from(origin).needed_for(scope));
        }
        None => collector.gap(package, "no version is stated"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const V1: &str = r##"{"graph_lock":{"nodes":{"0":{"path":"conanfile.txt","ref":"ours/1.0","requires":["1"]},
        "1":{"ref":"zlib/1.2.11#aa","options":"","package_id":"x"},"2":{"ref":"inner/3.0@acme/stable"}}},"version":"0.4"}"##;
    const V2: &str = r##"{"version":"0.5","requires":["zlib/1.2.11#aa%1650000000.0","openssl/1.1.1k"],
        "build_requires":["cmake/3.22.6#bb"],"python_requires":[]}"##;

    #[test]
    fn both_versions() {
        let rows = |text: &str| -> Vec<String> {
            let reading = read(text.as_bytes()).unwrap();
            reading.packages.iter().map(|p| format!("{} {} {:?} {:?}", p.name, p.version, p.origin, p.scope)).collect()
        };
        assert_eq!(rows(V1), ["inner 3.0 ThirdParty Runtime", "zlib 1.2.11 Registry Runtime"]);
        assert_eq!(
            rows(V2),
            ["cmake 3.22.6 Registry Development", "openssl 1.1.1k Registry Runtime", "zlib 1.2.11 Registry Runtime"]
        );
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
