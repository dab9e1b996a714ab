//! The list of known sources: `content/feeds/sources.toml`.

use serde::Deserialize;

use crate::error::{FeedError, Result};
use crate::store::writer::check_name;

const BUILTIN: &str = include_str!("../../../content/feeds/sources.toml");
/// Longest list of sources that is read.
const MAX_LIST: usize = 1 << 20;
const FIRST_YEAR: i32 = 2002;

/// A source that can be downloaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its name in the store.
    pub slug: String,
    /// What it is.
    pub name: String,
    /// Where it is.
    pub url: String,
    /// The licence of its data.
    pub licence: String,
    /// What fetches it with others.
    pub group: String,
    /// Whether it is fetched when nothing is named.
    pub default: bool,
    /// Largest download that is accepted, in bytes.
    pub max_bytes: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    source: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    slug: String,
    name: String,
    url: String,
    licence: String,
    group: String,
    default: bool,
    max_mib: u64,
    #[serde(default)]
    values: Vec<String>,
    #[serde(default)]
    years: bool,
}

/// The sources that the program knows; yearly ones until `year`.
#[must_use]
pub fn builtin(year: i32) -> Vec<Source> {
    match parse(BUILTIN, year) {
        Ok(sources) => sources,
        Err(error) => unreachable!("a test reads the built-in list: {error}"),
    }
}

/// Reads a list of the same form.
///
/// # Errors
/// Names the entry and the rule it breaks.
pub fn parse(text: &str, year: i32) -> Result<Vec<Source>> {
    if text.len() > MAX_LIST {
        return Err(FeedError::Limit { what: "the size of the list of sources in bytes", limit: MAX_LIST as u64 });
    }
    let list: List = toml::from_str(text)
        .map_err(|error| FeedError::Implausible(format!("the list of sources: {}", error.message())))?;
    let mut sources: Vec<Source> = Vec::new();
    for entry in list.source {
        let values = match (entry.years, entry.values.is_empty()) {
            (true, true) => (FIRST_YEAR..=year.clamp(FIRST_YEAR, 2999)).map(|year| year.to_string()).collect(),
            (true, false) => {
                return Err(FeedError::Implausible(format!("source `{}` has both years and values", entry.slug)));
            }
            (false, true) => vec![String::new()],
            (false, false) => entry.values.clone(),
        };
        for value in values {
            let slug = entry.slug.replace("{x}", &value.to_lowercase().replace(' ', "-"));
            check_name(&slug)?;
            let url = entry.url.replace("{x}", &value);
            if !url.starts_with("https://") && !url.starts_with("http://") {
                return Err(FeedError::Implausible(format!(
                    "source `{slug}` has the address `{url}`, which is not http"
                )));
            }
            if sources.iter().any(|known| known.slug == slug) {
                return Err(FeedError::Implausible(format!("there are two sources `{slug}`")));
            }
            sources.push(Source {
                slug,
                name: entry.name.replace("{x}", &value),
                url,
                licence: entry.licence.clone(),
                group: entry.group.clone(),
                default: entry.default,
                max_bytes: entry.max_mib << 20,
            });
        }
    }
    Ok(sources)
}

/// The sources meant by these words: slugs and groups; the default ones if there are none.
///
/// # Errors
/// Names the word that means nothing.
pub fn choose(all: &[Source], words: &[String]) -> Result<Vec<Source>> {
    if words.is_empty() {
        return Ok(all.iter().filter(|source| source.default).cloned().collect());
    }
    if let Some(word) =
        words.iter().find(|word| !all.iter().any(|source| source.slug == **word || source.group == **word))
    {
        return Err(FeedError::Implausible(format!(
            "`{}` is neither a source nor a group of sources",
            word.escape_debug()
        )));
    }
    let wanted = |source: &&Source| words.iter().any(|word| source.slug == *word || source.group == *word);
    Ok(all.iter().filter(wanted).cloned().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_list_is_whole() {
        let sources = parse(BUILTIN, 2026).unwrap();
        assert!(sources.iter().all(|source| source.url.starts_with("https://") && !source.url.contains('{')));
        assert!(sources.iter().any(|source| source.slug == "nvd-2002"));
        assert!(sources.iter().any(|source| source.slug == "nvd-2026"));
        assert!(sources.iter().any(|source| source.slug == "osv-pypi" && source.url.contains("/PyPI/")));
        let chosen = choose(&sources, &["signals".to_owned(), "osv-go".to_owned()]).unwrap();
        assert!(
            chosen.iter().any(|source| source.slug == "kev") && chosen.iter().any(|source| source.slug == "osv-go")
        );
        assert!(choose(&sources, &["nonsense".to_owned()]).is_err());
        assert!(choose(&sources, &[]).unwrap().iter().all(|source| source.default));
    }

    #[test]
    fn a_bad_list_is_refused() {
        let entry = |slug: &str, url: &str| {
            format!(
                "[[source]]\nslug = \"{slug}\"\nname = \"n\"\nurl = \"{url}\"\nlicence = \"l\"\ngroup = \"g\"\ndefault = true\nmax_mib = 1\n"
            )
        };
        assert!(parse(&entry("a", "https://a.example/x"), 2026).is_ok());
        assert!(parse(&entry("../a", "https://a.example/x"), 2026).is_err());
        assert!(parse(&entry("a", "file:///etc/passwd"), 2026).is_err());
        assert!(parse(&(entry("a", "https://a.example/x") + &entry("a", "https://a.example/y")), 2026).is_err());
    }
}
