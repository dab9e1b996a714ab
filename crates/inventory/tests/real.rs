//! Lock files that the tools themselves wrote (`fixtures/real`): npm 10 in its three lock file versions, pnpm 7, 8 and 9, yarn
//! 1 and 4 for one `package.json`; uv (its own, standard and requirements form) and pipenv for one list of requirements. They were
//! resolved on one day from one registry, so all of a kind name the same packages.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::path::Path;

use bartizan_inventory::{Collector, Limits};
use bartizan_matching::model::{DependencyScope, Origin};

fn packages(file: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/real").join(file);
    let mut collector = Collector::new(Limits::default(), None);
    collector.add(&path).unwrap();
    let inventory = collector.finish();
    let reading = inventory.sources[0].reading.as_ref().unwrap();
    assert_eq!(reading.gaps, [], "{file}");
    reading
        .packages
        .iter()
        .filter(|package| package.origin == Origin::Registry)
        .map(|package| format!("{} {}", package.name, package.version))
        .collect()
}

#[test]
fn every_tool_of_javascript_names_the_same_packages() {
    let expected = packages("npm3/package-lock.json");
    assert!(expected.contains(&"minimist 1.2.5".to_owned()), "an alias is known by its real name: {expected:?}");
    assert!(expected.contains(&"lodash 4.17.20".to_owned()));
    assert!(!expected.iter().any(|package| package.starts_with("real-alias")));
    for file in [
        "npm1/package-lock.json",
        "npm2/package-lock.json",
        "pnpm7/pnpm-lock.yaml",
        "pnpm8/pnpm-lock.yaml",
        "pnpm9/pnpm-lock.yaml",
        "yarn1/yarn.lock",
        "yarn4/yarn.lock",
    ] {
        assert_eq!(packages(file), expected, "{file}");
    }
}

#[test]
fn every_tool_of_python_names_the_same_packages() {
    let expected = packages("uv/uv.lock");
    assert!(expected.contains(&"six 1.16.0".to_owned()), "{expected:?}");
    for file in ["uv/pylock.toml", "uv/requirements.txt", "pipenv/Pipfile.lock"] {
        let found = packages(file);
        let names = |packages: &[String]| -> Vec<String> {
            packages.iter().map(|package| package.split(' ').next().unwrap().to_owned()).collect()
        };
        assert_eq!(names(&found), names(&expected), "{file}");
    }
}

#[test]
fn development_packages_are_told_apart_where_the_file_says() {
    for file in ["npm1/package-lock.json", "npm3/package-lock.json", "pnpm7/pnpm-lock.yaml", "pnpm8/pnpm-lock.yaml"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/real").join(file);
        let mut collector = Collector::new(Limits::default(), None);
        collector.add(&path).unwrap();
        let packages = collector.finish().packages();
        let ms = packages.iter().find(|package| &*package.name == "ms").unwrap();
        assert_eq!(ms.scope, DependencyScope::Development, "{file}");
        let lodash = packages.iter().find(|package| &*package.name == "lodash").unwrap();
        assert_eq!(lodash.scope, DependencyScope::Runtime, "{file}");
    }
}
