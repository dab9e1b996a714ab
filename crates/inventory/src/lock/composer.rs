//! `composer.lock`: `packages` and `packages-dev` with `name` and `version`.
//!
//! Rules: Composer's `Package/Locker.php` and its schema. A version `dev-branch` is a commit, and so no release; `dist.type`
//! `path` is a folder of the project.
//!
//! Not supported: `installed.json` of a vendor folder, aliases of branches.

use bartizan_matching::model::{DependencyScope, Ecosystem, Origin, Package};
use serde::Deserialize;

use crate::component::{Collector, ReadError, Reading, With as _, utf8};

#[derive(Deserialize)]
struct Lock {
    packages: Vec<Locked>,
    #[serde(rename = "packages-dev", default)]
    packages_dev: Option<Vec<Locked>>,
}

#[derive(Deserialize)]
struct Locked {
    name: String,
    version: String,
    dist: Option<Dist>,
}

#[derive(Deserialize)]
struct Dist {
    #[serde(rename = "type", default)]
    kind: String,
}

/// Reads a `composer.lock`. Linear in its size.
///
/// # Errors
/// If it is not JSON of that shape.
pub fn read(bytes: &[u8]) -> Result<Reading, ReadError> {
    let lock: Lock = serde_json::from_str(utf8(bytes)?).map_err(ReadError::syntax)?;
    let mut collector = Collector::default();
    let runtime = lock.packages.into_iter().map(|locked| (locked, DependencyScope::Runtime));
    let development = lock.packages_dev.into_iter().flatten().map(|locked| (locked, DependencyScope::Development));
    for (locked, scope) in runtime.chain(development) {
        let is_branch = locked.version.starts_with("dev-") || locked.version.ends_with("-dev");
        let origin = match locked.dist.as_ref().map(|dist| dist.kind.as_str()) {
            Some("path") => Origin::Local,
            _ if is_branch => Origin::Vcs,
            _ => Origin::Registry,
        };
        collector
            .push(Package::new(Ecosystem::Packagist, locked.name, locked.version).taken_from(origin).needed_for(scope));
    }
    collector.finish()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LOCK: &str = r#"{"content-hash":"0","packages":[
        {"name":"symfony/http-kernel","version":"v4.4.0","source":{"type":"git"},"dist":{"type":"zip"}},
        {"name":"x/branch","version":"dev-main"},{"name":"ours/part","version":"1.0","dist":{"type":"path","url":"./part"}}],
        "packages-dev":[{"name":"phpunit/phpunit","version":"9.0.0"}],"aliases":[]}"#;

    #[test]
    fn packages_of_both_lists() {
        let reading = read(LOCK.as_bytes()).unwrap();
        let rows: Vec<_> = reading.packages.iter().map(|p| (&*p.name, &*p.version, p.origin, p.scope)).collect();
        assert_eq!(
            rows,
            [
                ("ours/part", "1.0", Origin::Local, DependencyScope::Runtime),
                ("phpunit/phpunit", "9.0.0", Origin::Registry, DependencyScope::Development),
                ("symfony/http-kernel", "v4.4.0", Origin::Registry, DependencyScope::Runtime),
                ("x/branch", "dev-main", Origin::Vcs, DependencyScope::Runtime),
            ]
        );
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
