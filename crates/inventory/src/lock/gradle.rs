//! Gradle's dependency locking: `gradle.lockfile`, `buildscript-gradle.lockfile`, and the older one file a configuration
//! (`gradle/dependency-locks/*.lockfile`).
//!
//! Rules: Gradle's documentation "Locking dependencies": `group:artifact:version=configuration,…`, `empty=` lists
//! configurations with nothing; the older form has no `=`. A package that only configurations of tests use is for
//! development.
//!
//! Not supported: build scripts without locking, version catalogues, `verification-metadata.xml`.

use bartizan_matching::model::{DependencyScope, Ecosystem, Package};

use crate::component::{Collector, ReadError, Reading, With as _, utf8};

/// Reads a lock file of Gradle. Linear in its size.
///
/// # Errors
/// If it is not text, or a line has another form.
pub fn read(bytes: &[u8]) -> Result<Reading, ReadError> {
    let mut collector = Collector::default();
    for (number, line) in utf8(bytes)?.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') || line.starts_with("empty=") {
            continue;
        }
        let (module, configurations) = line.split_once('=').unwrap_or((line, ""));
        let mut parts = module.split(':');
        let (Some(group), Some(artifact), Some(version), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(ReadError::Syntax(format!("line {}: expected group:artifact:version", number + 1)));
        };
        let for_tests = !configurations.is_empty()
            && configurations.split(',').all(|configuration| configuration.to_ascii_lowercase().contains("test"));
        let scope = if for_tests { DependencyScope::Development } else { DependencyScope::Runtime };
        collector.push(Package::new(Ecosystem::Maven, format!("{group}:{artifact}"), version).needed_for(scope));
    }
    collector.finish()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LOCK: &str = "# This is a Gradle generated file for dependency locking.\n\
        org.apache.logging.log4j:log4j-core:2.14.1=compileClasspath,runtimeClasspath\n\
        junit:junit:4.12=testCompileClasspath,testRuntimeClasspath\nempty=annotationProcessor\n";

    #[test]
    fn modules_and_configurations() {
        let reading = read(LOCK.as_bytes()).unwrap();
        let rows: Vec<_> = reading.packages.iter().map(|p| (&*p.name, &*p.version, p.scope)).collect();
        assert_eq!(
            rows,
            [
                ("junit:junit", "4.12", DependencyScope::Development),
                ("org.apache.logging.log4j:log4j-core", "2.14.1", DependencyScope::Runtime),
            ]
        );
        assert_eq!(read(b"a:b:1\n").unwrap().packages.len(), 1, "the older form");
        assert!(read(b"not a module\n").is_err());
    }

    proptest! {
        #[test]
        fn damaged_input_never_panics(at in 0..LOCK.len(), byte in any::<u8>()) {
            let mut bytes = LOCK.as_bytes().to_vec();
            bytes[at] = byte;
            let _ = read(&bytes);
        }
    }
}
