//! `go.mod`: the modules a Go build selects, and the toolchain.
//!
//! Rules: the Go Modules Reference. Since Go 1.17 `go.mod` lists every module of the build, indirect ones as well; before,
//! only direct ones (then `go.sum` beside it completes the list, see [`gosum`](super::gosum)). `replace` takes another
//! module or a folder instead, for one version or all. `toolchain go1.x.y` names the least toolchain, and where it is
//! missing a `go` line with a patch number does; its standard library is the package `stdlib` of the Go vulnerability
//! database.
//!
//! Not supported: `go.work`, `vendor/modules.txt`, and what a package imports of a module.

use std::collections::BTreeMap;

use bartizan_matching::model::{Ecosystem, Origin, Package};

use crate::component::{Collector, ReadError, Reading, With as _, utf8};

/// What a `go.mod` says.
#[derive(Debug, Default)]
pub struct GoMod {
    /// The packages.
    pub reading: Reading,
    /// Whether it lists direct requirements only (Go before 1.17).
    pub direct_only: bool,
    /// Modules of the file, replaced ones and the module itself included: `go.sum` completes the others.
    pub named: Vec<String>,
}

/// Reads a `go.mod`. Linear in its size.
///
/// # Errors
/// If it is not text, or has no `module` line.
pub fn read(bytes: &[u8]) -> Result<GoMod, ReadError> {
    let mut file = File::default();
    let mut block: Option<String> = None;
    for line in utf8(bytes)?.lines() {
        let line = line.split("//").next().unwrap_or(line).trim();
        if line.is_empty() {
            continue;
        }
        if let Some(verb) = &block {
            if line == ")" {
                block = None;
            } else {
                file.directive(verb, line);
            }
            continue;
        }
        let (verb, rest) = line.split_once([' ', '\t', '(']).unwrap_or((line, ""));
        if rest.trim() == "(" || (rest.trim().is_empty() && line.ends_with('(')) {
            block = Some(verb.trim().to_owned());
        } else {
            file.directive(verb, rest.trim());
        }
    }
    file.finish()
}

#[derive(Default)]
struct File {
    module: Option<String>,
    go: Option<String>,
    toolchain: Option<String>,
    require: BTreeMap<String, String>,
    /// From (module, version or empty for all) to (module or folder, version).
    replace: BTreeMap<(String, String), (String, String)>,
}

impl File {
    fn directive(&mut self, verb: &str, rest: &str) {
        let mut words = rest.split_whitespace().map(unquoted);
        match verb {
            "module" => self.module = words.next().map(str::to_owned),
            "go" => self.go = words.next().map(str::to_owned),
            "toolchain" => self.toolchain = words.next().map(str::to_owned),
            "require" => {
                if let (Some(module), Some(version)) = (words.next(), words.next()) {
                    self.require.insert(module.to_owned(), version.to_owned());
                }
            }
            "replace" => {
                let (from, to) = rest.split_once("=>").unwrap_or((rest, ""));
                let mut from = from.split_whitespace().map(unquoted);
                let mut to = to.split_whitespace().map(unquoted);
                if let (Some(module), Some(other)) = (from.next(), to.next()) {
                    let key = (module.to_owned(), from.next().unwrap_or_default().to_owned());
                    self.replace.insert(key, (other.to_owned(), to.next().unwrap_or_default().to_owned()));
                }
            }
            _ => {}
        }
    }

    fn finish(self) -> Result<GoMod, ReadError> {
        let Some(module) = self.module else {
            return Err(ReadError::Syntax("it has no module line".to_owned()));
        };
        let mut collector = Collector::default();
        let mut named = vec![module];
        for (module, version) in &self.require {
            named.push(module.clone());
            let exact = self.replace.get(&(module.clone(), version.clone()));
            let replaced = exact.or_else(|| self.replace.get(&(module.clone(), String::new())));
            match replaced {
                // A folder: what is in it is the project's own.
                Some((folder, other)) if other.is_empty() => {
                    collector.push(go(module, version).taken_from(Origin::Local));
                    named.push(folder.clone());
                }
                Some((other, version)) => {
                    named.push(other.clone());
                    collector.push(go(other, version));
                }
                None => collector.push(go(module, version)),
            }
        }
        let least = self.toolchain.as_deref().and_then(|name| name.strip_prefix("go")).or(self.go.as_deref());
        if let Some(version) = least.filter(|version| version.split('.').count() >= 3) {
            // `go1.22.1-custom` is 1.22.1 with changes of its own.
            collector.push(go("stdlib", version.split('-').next().unwrap_or(version)));
        }
        Ok(GoMod { reading: collector.finish()?, direct_only: before_1_17(self.go.as_deref()), named })
    }
}

fn go(module: &str, version: &str) -> Package {
    Package::new(Ecosystem::Go, module, version)
}

fn unquoted(word: &str) -> &str {
    word.trim_matches(['"', '`'])
}

/// Without a `go` line, 1.16 is assumed (the reference).
fn before_1_17(go: Option<&str>) -> bool {
    let mut numbers = go.unwrap_or("1.16").split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) < (1, 17)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FILE: &str = "// Deprecated: x\nmodule example.org/ours // ours\n\ngo 1.21\n\ntoolchain go1.21.3\n\nrequire (\n\
        \tgithub.com/a/b v1.2.3\n\tgithub.com/c/d v0.0.0-20200101000000-abcdefabcdef // indirect\n\
        \tgithub.com/e/f v2.0.0+incompatible\n\tgithub.com/g/h v1.0.0\n)\n\nrequire \"gopkg.in/yaml.v2\" v2.2.2\n\n\
        exclude github.com/a/b v1.2.2\n\nreplace github.com/e/f => github.com/fork/f v2.1.0\n\n\
        replace (\n\tgithub.com/g/h v1.0.0 => ./h\n\tgithub.com/a/b v9.9.9 => github.com/never/b v9.9.9\n)\n";

    #[test]
    fn requirements_replacements_and_toolchain() {
        let found = read(FILE.as_bytes()).unwrap();
        let rows: Vec<String> = found
            .reading
            .packages
            .iter()
            .filter(|p| p.origin == Origin::Registry)
            .map(|p| format!("{} {}", p.name, p.version))
            .collect();
        assert_eq!(
            rows,
            [
                "github.com/a/b v1.2.3",
                "github.com/c/d v0.0.0-20200101000000-abcdefabcdef",
                "github.com/fork/f v2.1.0",
                "gopkg.in/yaml.v2 v2.2.2",
                "stdlib 1.21.3",
            ]
        );
        assert!(!found.direct_only);
        assert!(found.named.contains(&"github.com/e/f".to_owned()));
    }

    #[test]
    fn old_files_list_direct_requirements_only() {
        assert!(read(b"module x\ngo 1.16\n").unwrap().direct_only);
        assert!(read(b"module x\n").unwrap().direct_only);
        assert!(!read(b"module x\ngo 1.17\n").unwrap().direct_only);
        assert!(read(b"module x\ngo 1.21\n").unwrap().reading.packages.is_empty(), "no patch number, no statement");
        assert!(read(b"require x v1\n").is_err());
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(?s).{0,200}") {
            let _ = read(text.as_bytes());
        }

        #[test]
        fn damaged_input_never_panics(at in 0..FILE.len(), byte in any::<u8>()) {
            let mut bytes = FILE.as_bytes().to_vec();
            bytes[at] = byte;
            let _ = read(&bytes);
        }
    }
}
