//! `mix.lock` of Elixir: a map of names to `{:hex, :name, "version", …}` or `{:git, …}`.
//!
//! Rules: the terms Mix writes (`Mix.Dep.Lock`, Hex's `Hex.SCM`): one entry a line, the first atom is the source, the
//! second the package (which may differ from the key), then the version; the repository (`"hexpm"`) follows the
//! dependencies.
//!
//! Not supported: lock files edited by hand into several lines an entry.

use bartizan_matching::model::{Ecosystem, Origin, Package};

use crate::component::{Collector, ReadError, Reading, With as _, utf8};

/// Reads a `mix.lock`. Linear in its size.
///
/// # Errors
/// If it is not text, or no map of Elixir.
pub fn read(bytes: &[u8]) -> Result<Reading, ReadError> {
    let text = utf8(bytes)?;
    if !text.trim_start().starts_with("%{") {
        return Err(ReadError::Syntax("it is no map of Elixir".to_owned()));
    }
    let mut collector = Collector::default();
    for line in text.lines() {
        let line = line.trim().trim_start_matches("%{");
        let Some((key, term)) =
            line.trim().split_once("\":").or_else(|| line.split_once(": {").map(|(k, _)| (k, &line[k.len() + 1..])))
        else {
            continue;
        };
        let key = key.trim().trim_start_matches('"');
        let words = leading_words(term);
        match words.as_slice() {
            [":hex", name, version, ..] => {
                let name = name.trim_start_matches(':').trim_matches('"');
                let is_public = term.contains("\"hexpm\"") || !term.contains("], \"");
                let origin = if is_public { Origin::Registry } else { Origin::ThirdParty };
                collector.push(Package::new(Ecosystem::Hex, name, version.trim_matches('"')).taken_from(origin));
            }
            [":git", ..] => collector.gap(key, "taken from git, which names no version"),
            [":path", ..] | [] => {}
            _ => collector.gap(key, "its source is not known"),
        }
    }
    collector.finish()
}

/// The first three words of `{:hex, :name, "1.0.0", …}`.
fn leading_words(term: &str) -> Vec<&str> {
    let Some(inside) = term.trim().strip_prefix('{') else { return Vec::new() };
    inside.split(',').take(3).map(|word| word.trim().trim_end_matches('}')).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LOCK: &str = "%{\n  \"plug\": {:hex, :plug, \"1.3.0\", \"6e2b01afc5\", [:mix], [{:mime, \"~> 1.0\", [hex: :mime, repo: \"hexpm\"]}], \"hexpm\", \"00ff\"},\n\
        \x20 \"alias\": {:hex, :real, \"2.0.0\", \"aa\", [:rebar3], [], \"hexpm\", \"bb\"},\n\
        \x20 \"inner\": {:hex, :inner, \"0.1.0\", \"aa\", [:mix], [], \"acme\", \"cc\"},\n\
        \x20 \"old\": {:hex, :old, \"0.9.0\"},\n\
        \x20 \"forked\": {:git, \"https://git.example/forked.git\", \"abc\", []},\n}\n";

    #[test]
    fn hex_packages_and_repositories() {
        let reading = read(LOCK.as_bytes()).unwrap();
        let rows: Vec<_> = reading.packages.iter().map(|p| (&*p.name, &*p.version, p.origin)).collect();
        assert_eq!(
            rows,
            [
                ("inner", "0.1.0", Origin::ThirdParty),
                ("old", "0.9.0", Origin::Registry),
                ("plug", "1.3.0", Origin::Registry),
                ("real", "2.0.0", Origin::Registry),
            ]
        );
        assert_eq!(reading.gaps[0].subject, "forked");
        assert!(read(b"[]").is_err());
    }

    proptest! {
        #[test]
        fn damaged_input_never_panics(at in 0..LOCK.len(), byte in any::<u8>()) {
            let mut bytes = LOCK.as_bytes().to_vec();
            bytes[at] = byte;
            let _ = read(&bytes);
        }

        #[test]
        fn no_text_panics(text in "(?s)%\\{.{0,100}") {
            let _ = read(text.as_bytes());
        }
    }
}
