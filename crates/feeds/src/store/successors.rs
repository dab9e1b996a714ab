//! CPE names that NVD's dictionary has replaced, in what is audited.
//!
//! Not here: how the dictionary is read (`formats::cpenames`).

use bartizan_matching::cpe::{Cpe, Value};
use bartizan_matching::model::{Package, Text};
use bartizan_matching::store::AdvisoryStore as _;

use super::Snapshot;
use crate::error::{FeedError, Result};
use crate::formats::cpenames;

/// Names behind one another: a successor may be replaced itself.
const MAX_STEPS: usize = 8;
/// Names that one name leads to.
const MAX_NAMES: usize = 64;

impl Snapshot {
    /// What a CPE name is called now, by the dictionaries in the store, through all steps; empty for a name that stands. A
    /// name without a version is looked up with `version`, and without an update as well as with none (`-`).
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn successors(&self, name: &str, version: &str) -> Result<Vec<Text>> {
        let Ok(mut cpe) = Cpe::parse(name) else { return Ok(Vec::new()) };
        if matches!(cpe.version(), Value::Any) && !version.is_empty() {
            let text = format!("cpe:2.3:a:x:x:{}:*:*:*:*:*:*:*", escaped(version));
            if let Ok(of_version) = Cpe::parse(&text) {
                cpe.attributes[2] = of_version.attributes[2].clone();
            }
        }
        let mut found: Vec<Text> = Vec::new();
        let mut open = vec![cpe];
        for _ in 0..MAX_STEPS {
            let mut next = Vec::new();
            for cpe in open.drain(..) {
                for successor in self.replaced_by(&cpe)? {
                    if found.len() < MAX_NAMES && !found.contains(&successor) && *successor != *name {
                        next.extend(Cpe::parse(&successor));
                        found.push(successor);
                    }
                }
            }
            open = next;
        }
        Ok(found)
    }

    fn replaced_by(&self, cpe: &Cpe) -> Result<Vec<Text>> {
        let mut other = cpe.clone();
        other.attributes[3] = match cpe.update() {
            Value::Any => Value::NotApplicable,
            Value::NotApplicable => Value::Any,
            stated => stated.clone(),
        };
        for key in cpenames::keys(cpe).into_iter().chain(cpenames::keys(&other)) {
            let found = self.names(&key).map_err(|error| FeedError::Store(error.0))?;
            if let Some(found) = found {
                return Ok(found.to_vec());
            }
        }
        Ok(Vec::new())
    }

    /// Adds the successors of the CPE names of packages to these names, so that both are looked up. Answers how many
    /// packages have a name that is replaced.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn add_successors(&self, packages: &mut [Package]) -> Result<usize> {
        if self.manifest.sources.values().all(|source| source.names == 0) {
            return Ok(0);
        }
        let mut replaced = 0;
        for package in packages.iter_mut().filter(|package| !package.cpes.is_empty()) {
            let mut more: Vec<Text> = Vec::new();
            for name in &package.cpes {
                for successor in self.successors(name, &package.version)? {
                    if !package.cpes.contains(&successor) && !more.contains(&successor) {
                        more.push(successor);
                    }
                }
            }
            replaced += usize::from(!more.is_empty());
            package.cpes.extend(more);
        }
        Ok(replaced)
    }
}

/// A version as a formatted string has it.
fn escaped(version: &str) -> String {
    let mut text = String::with_capacity(version.len());
    for character in version.trim().to_lowercase().chars() {
        if !character.is_ascii_alphanumeric() && !matches!(character, '.' | '_' | '-') {
            text.push('\\');
        }
        text.push(character);
    }
    text
}
