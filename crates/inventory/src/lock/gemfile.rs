//! `Gemfile.lock` and `gems.locked` of Bundler.
//!
//! Rules: Bundler's `lockfile_parser.rb`: sections `GEM`, `GIT`, `PATH`, `PLUGIN SOURCE`; below `specs:` a gem is four
//! blanks deep, `name (version-platform)`, its requirements six. The version ends at the first hyphen; the platform after
//! it does not matter for advisories. A `PATH` section holds the project's own gems.
//!
//! Not supported: groups (the lock file does not say them), and `RUBY VERSION`.

use bartizan_matching::model::{Ecosystem, Origin, Package};

use crate::component::{Collector, ReadError, Reading, With as _, utf8};

/// Reads a lock file of Bundler. Linear in its size.
///
/// # Errors
/// If it is not text, or has no section of gems.
pub fn read(bytes: &[u8]) -> Result<Reading, ReadError> {
    let mut collector = Collector::default();
    let mut origin = None;
    let mut sections = 0;
    for line in utf8(bytes)?.lines() {
        let line = line.trim_end();
        if !line.starts_with(' ') {
            origin = match line {
                "GEM" => Some(Origin::Registry),
                "GIT" => Some(Origin::Vcs),
                "PATH" => Some(Origin::Local),
                "PLUGIN SOURCE" => Some(Origin::ThirdParty),
                _ => None,
            };
            sections += usize::from(origin.is_some());
            continue;
        }
        let Some(origin) = origin else { continue };
        let Some(spec) = line.strip_prefix("    ").filter(|spec| !spec.starts_with(' ')) else { continue };
        match spec.split_once(" (").and_then(|(name, rest)| Some((name, rest.strip_suffix(')')?))) {
            Some((name, version)) => {
                let version = version.split('-').next().unwrap_or(version);
                collector.push(Package::new(Ecosystem::RubyGems, name, version).taken_from(origin));
            }
            None => collector.gap(spec, "no version is stated"),
        }
    }
    if sections == 0 {
        return Err(ReadError::Syntax("it has no GEM, GIT or PATH section".to_owned()));
    }
    collector.finish()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LOCK: &str = "GIT\n  remote: https://git.example/forked.git\n  revision: abc\n  specs:\n    forked (0.1.0)\n      rack (>= 1)\n\n\
        PATH\n  remote: .\n  specs:\n    ours (1.0.0)\n\nGEM\n  remote: https://rubygems.org/\n  specs:\n    nokogiri (1.13.0-x86_64-linux)\n      racc (~> 1.4)\n    rack (2.2.3)\n    json (2.6.0-java)\n\n\
        PLATFORMS\n  x86_64-linux\n\nDEPENDENCIES\n  rack\n\nBUNDLED WITH\n   2.3.0\n";

    #[test]
    fn sections_tell_origins_and_platforms_are_dropped() {
        let reading = read(LOCK.as_bytes()).unwrap();
        let rows: Vec<_> = reading.packages.iter().map(|p| (&*p.name, &*p.version, p.origin)).collect();
        assert_eq!(
            rows,
            [
                ("forked", "0.1.0", Origin::Vcs),
                ("json", "2.6.0", Origin::Registry),
                ("nokogiri", "1.13.0", Origin::Registry),
                ("ours", "1.0.0", Origin::Local),
                ("rack", "2.2.3", Origin::Registry),
            ]
        );
        assert!(read(b"source 'https://rubygems.org'\n").is_err());
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
