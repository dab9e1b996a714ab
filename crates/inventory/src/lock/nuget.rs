//! `packages.lock.json` of NuGet.
//!
//! Rules: NuGet's documentation of lock files: `dependencies` maps target frameworks to packages with `type`
//! (`Direct`, `Transitive`, `CentralTransitive`, `Project`) and `resolved`. A `Project` is a folder of the solution.
//!
//! Not supported: `project.assets.json`, `packages.config`, `.deps.json`.

use std::collections::BTreeMap;

use bartizan_matching::model::{Ecosystem, Package};
use serde::Deserialize;

use crate::component::{Collector, ReadError, Reading, utf8};

#[derive(Deserialize)]
struct Lock {
    version: u32,
    dependencies: BTreeMap<String, BTreeMap<String, Locked>>,
}

#[derive(Deserialize)]
struct Locked {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    resolved: String,
}

/// Reads a `packages.lock.json`. Linear in its size.
///
/// # Errors
/// If it is not JSON of that shape.
pub fn read(bytes: &[u8]) -> Result<Reading, ReadError> {
    let lock: Lock = serde_json::from_str(utf8(bytes)?).map_err(ReadError::syntax)?;
    if lock.version == 0 {
        return Err(ReadError::Unsupported("lock file version 0 does not exist".to_owned()));
    }
    let mut collector = Collector::default();
    for (name, locked) in lock.dependencies.into_values().flatten() {
        if !locked.kind.eq_ignore_ascii_case("project") {
            collector.push(Package::new(Ecosystem::NuGet, name, locked.resolved));
        }
    }
    collector.finish()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LOCK: &str = r#"{"version":1,"dependencies":{"net6.0":{
        "Newtonsoft.Json":{"type":"Direct","requested":"[12.0.1, )","resolved":"12.0.1","contentHash":"x"},
        "ours":{"type":"Project","dependencies":{"Newtonsoft.Json":"[12.0.1, )"}}},
        "net6.0/linux-x64":{"System.Net.Http":{"type":"Transitive","resolved":"4.3.0"},
        "Newtonsoft.Json":{"type":"Direct","resolved":"12.0.1"}}}}"#;

    #[test]
    fn frameworks_are_joined_and_projects_left_out() {
        let reading = read(LOCK.as_bytes()).unwrap();
        let rows: Vec<_> = reading.packages.iter().map(|p| (&*p.name, &*p.version)).collect();
        assert_eq!(rows, [("Newtonsoft.Json", "12.0.1"), ("System.Net.Http", "4.3.0")]);
    }

    proptest! {
        #[test]
        fn damaged_input_never_panics(at in 0..LOCK.len(), byte in any::<u8>()) {
            let mut bytes = LOCK.as_bytes().to_vec();
            bytes[at] = byte;
            let _ = read(&bytes);
            let _ = read(&bytes[..at]);
        }
    }
}
