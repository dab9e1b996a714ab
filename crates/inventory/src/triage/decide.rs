//! Which decision holds for a match, and which decisions had nothing to decide.

use std::collections::{BTreeSet, HashMap};

use bartizan_matching::model::{Package, Text};
use chrono::NaiveDate;

use super::ignore::{self, Entry};
use super::{Statement, Vex};
use crate::component::ReadError;

/// All decisions of a run.
#[derive(Debug)]
pub struct Decisions {
    today: NaiveDate,
    vex: Vec<(String, Vex)>,
    /// A name of a vulnerability in upper case to (document, statement).
    statements: HashMap<String, Vec<(usize, usize)>>,
    entries: Vec<Ignored>,
    /// Names of what is audited, by location; those under the empty location hold everywhere.
    audited: HashMap<String, Vec<String>>,
    /// Statements that were about a part of a product that what is audited is not known to be.
    elsewhere: BTreeSet<(usize, usize)>,
    /// Documents and the first names of vulnerabilities that they spoke of a match by.
    spoken: BTreeSet<(usize, String)>,
}

/// Vulnerabilities of one document that are named because nothing was found that it speaks of; the rest is counted.
const MAX_IDLE: usize = 20;

#[derive(Debug)]
struct Ignored {
    file: String,
    entry: Entry,
    used: bool,
}

/// The decision about a match.
#[derive(Debug)]
pub enum Decided<'d> {
    /// A statement of a VEX document: see [`super::Status::clears`].
    Vex {
        /// The document.
        file: &'d str,
        /// The statement.
        statement: &'d Statement,
    },
    /// An entry of an ignore file.
    Ignore {
        /// The file.
        file: &'d str,
        /// The entry.
        entry: &'d Entry,
    },
}

/// Something odd about a decision.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Note {
    /// The file.
    pub file: String,
    /// The entry or statement.
    pub entry: String,
    /// What is odd.
    pub problem: String,
}

impl Decisions {
    /// None yet. `today` decides which entries are past their end.
    #[must_use]
    pub fn new(today: NaiveDate) -> Self {
        Self {
            today,
            vex: Vec::new(),
            statements: HashMap::new(),
            entries: Vec::new(),
            audited: HashMap::new(),
            elsewhere: BTreeSet::new(),
            spoken: BTreeSet::new(),
        }
    }

    /// States what the packages at a location are parts of (names as in [`super::Product`]); an empty location means all.
    pub fn audits(&mut self, location: &str, names: impl IntoIterator<Item = String>) {
        self.audited.entry(location.to_owned()).or_default().extend(names);
    }

    /// Whether a statement is limited to a product that the package is not known to be a part of.
    fn is_elsewhere(&self, statement: &Statement, package: &Package) -> bool {
        let Some(product) = &statement.within else { return false };
        let known = |location: &str| self.audited.get(location).is_some_and(|names| product.is_among(names));
        !(known("") || known(&package.location))
    }

    /// Adds a VEX document.
    ///
    /// # Errors
    /// As [`Vex::read`].
    pub fn add_vex(&mut self, file: &str, bytes: &[u8]) -> Result<(), ReadError> {
        let vex = Vex::read(bytes)?;
        let document = self.vex.len();
        for (index, statement) in vex.statements.iter().enumerate() {
            for id in &statement.ids {
                self.statements.entry(id.to_ascii_uppercase()).or_default().push((document, index));
            }
        }
        self.vex.push((file.to_owned(), vex));
        Ok(())
    }

    /// Adds an ignore file.
    ///
    /// # Errors
    /// As [`ignore::read`].
    pub fn add_ignore(&mut self, file: &str, bytes: &[u8]) -> Result<(), ReadError> {
        let entries = ignore::read(bytes)?;
        self.entries.extend(entries.into_iter().map(|entry| Ignored { file: file.to_owned(), entry, used: false }));
        Ok(())
    }

    /// The decision about a match. Of several statements the newest holds, of equally old ones the last; a statement that
    /// clears the match comes before an ignore file, one that does not comes after.
    pub fn decide(&mut self, package: &Package, ids: &[Text]) -> Option<Decided<'_>> {
        let speaking: Vec<(usize, usize)> = ids
            .iter()
            .filter_map(|id| self.statements.get(&id.to_ascii_uppercase()))
            .flatten()
            .map(|(document, index)| (*document, *index))
            .filter(|(document, index)| self.vex[*document].1.statements[*index].speaks_of(package, ids))
            .collect();
        for (document, index) in &speaking {
            let first = self.vex[*document].1.statements[*index].ids.first();
            self.spoken.insert((*document, first.cloned().unwrap_or_default()));
        }
        let (elsewhere, speaking): (Vec<_>, Vec<_>) = speaking
            .into_iter()
            .partition(|(document, index)| self.is_elsewhere(&self.vex[*document].1.statements[*index], package));
        self.elsewhere.extend(elsewhere);
        let statement = speaking
            .into_iter()
            .max_by_key(|(document, index)| (self.vex[*document].1.statements[*index].timestamp, *document, *index));
        let entry = self
            .entries
            .iter()
            .position(|ignored| ignored.entry.holds_on(self.today) && ignored.entry.speaks_of(package, ids));
        let clears = statement.is_some_and(|(document, index)| self.vex[document].1.statements[index].status.clears());
        match (statement, entry) {
            (Some((document, index)), entry) if clears || entry.is_none() => {
                let (file, vex) = &self.vex[document];
                Some(Decided::Vex { file, statement: &vex.statements[index] })
            }
            (_, Some(at)) => {
                let ignored = &mut self.entries[at];
                ignored.used = true;
                Some(Decided::Ignore { file: &ignored.file, entry: &ignored.entry })
            }
            _ => None,
        }
    }

    /// What is odd, once every match was decided: entries past their end, entries without effect, statements that cannot be
    /// used.
    #[must_use]
    pub fn notes(&self) -> Vec<Note> {
        let mut notes = Vec::new();
        for ignored in self.entries.iter().filter(|ignored| !ignored.used) {
            let problem = match ignored.entry.expires {
                Some(last) if !ignored.entry.holds_on(self.today) => {
                    format!("it held until {last}; it has no effect any more")
                }
                _ => "it speaks of nothing that was found".to_owned(),
            };
            notes.push(Note { file: ignored.file.clone(), entry: ignored.entry.describe(), problem });
        }
        for (file, vex) in &self.vex {
            for gap in &vex.unusable {
                notes.push(Note { file: file.clone(), entry: gap.subject.clone(), problem: gap.reason.to_string() });
            }
        }
        for (document, (file, vex)) in self.vex.iter().enumerate() {
            let named = vex.statements.iter().map(|statement| statement.ids.first().cloned().unwrap_or_default());
            let idle: BTreeSet<String> = named.filter(|id| !self.spoken.contains(&(document, id.clone()))).collect();
            let more = idle.len().saturating_sub(MAX_IDLE);
            for id in idle.into_iter().take(MAX_IDLE) {
                let problem = "no finding is about what it speaks of".to_owned();
                notes.push(Note { file: file.clone(), entry: id, problem });
            }
            if more > 0 {
                let problem = format!("{more} more vulnerabilities of which no finding is about what it speaks of");
                notes.push(Note { file: file.clone(), entry: String::new(), problem });
            }
        }
        for (document, index) in &self.elsewhere {
            let (file, vex) = &self.vex[*document];
            let statement = &vex.statements[*index];
            let product = statement.within.as_ref().map_or("", |product| product.shown());
            notes.push(Note {
                file: file.clone(),
                entry: statement.ids.first().cloned().unwrap_or_default(),
                problem: format!(
                    "it is about a part of {}, and what is audited does not say that it is that; if it is, name it with --vex-product",
                    crate::component::one_line(product)
                ),
            });
        }
        notes.sort();
        notes.dedup();
        notes
    }
}

#[cfg(test)]
mod tests {
    use bartizan_matching::model::Ecosystem;

    use super::*;

    fn openvex(status: &str, time: &str) -> String {
        format!(
            "{{\"@context\":\"https://openvex.dev/ns/v0.2.0\",\"statements\":[{{\"vulnerability\":{{\"name\":\"CVE-1\"}},\
             \"products\":[{{\"@id\":\"pkg:npm/lodash\"}}],\"status\":\"{status}\",\"justification\":\"component_not_present\",\"timestamp\":\"{time}\"}}]}}"
        )
    }

    fn decisions(today: &str) -> Decisions {
        Decisions::new(today.parse().unwrap())
    }

    #[test]
    fn the_newest_statement_holds() {
        let lodash = Package::new(Ecosystem::Npm, "lodash", "4");
        let mut all = decisions("2026-01-01");
        all.add_vex("new", openvex("not_affected", "2025-02-01T00:00:00Z").as_bytes()).unwrap();
        all.add_vex("old", openvex("affected", "2025-01-01T00:00:00Z").as_bytes()).unwrap();
        assert!(matches!(all.decide(&lodash, &["CVE-1".into()]), Some(Decided::Vex { file: "new", .. })));
        assert!(matches!(all.decide(&lodash, &["cve-1".into()]), Some(Decided::Vex { file: "new", .. })));
        assert!(all.decide(&lodash, &["CVE-2".into()]).is_none());
    }

    #[test]
    fn ignored_expired_and_unused_entries() {
        let file = "[[ignore]]\nid = \"CVE-1\"\nreason = \"x\"\nexpires = 2026-01-31\n[[ignore]]\nid = \"CVE-9\"\nreason = \"x\"\n";
        let lodash = Package::new(Ecosystem::Npm, "lodash", "4");
        let mut all = decisions("2026-01-31");
        all.add_ignore("i.toml", file.as_bytes()).unwrap();
        all.add_vex("v", openvex("affected", "2025-01-01T00:00:00Z").as_bytes()).unwrap();
        assert!(matches!(all.decide(&lodash, &["CVE-1".into()]), Some(Decided::Ignore { .. })));
        assert_eq!(all.notes().len(), 1, "CVE-9 speaks of nothing");
        let mut late = decisions("2026-02-01");
        late.add_ignore("i.toml", file.as_bytes()).unwrap();
        assert!(late.decide(&lodash, &["CVE-1".into()]).is_none());
        let notes = late.notes();
        assert!(notes[0].problem.contains("2026-01-31"), "{notes:?}");
    }

    #[test]
    fn statements_that_fit_nothing_are_noted() {
        let lodash = Package::new(Ecosystem::Npm, "lodash", "4");
        let mut all = decisions("2026-01-01");
        all.add_vex("v", openvex("not_affected", "2025-02-01T00:00:00Z").as_bytes()).unwrap();
        all.add_vex("w", openvex("not_affected", "2025-02-01T00:00:00Z").replace("CVE-1", "CVE-7").as_bytes()).unwrap();
        assert!(all.decide(&lodash, &["CVE-1".into()]).is_some());
        let notes = all.notes();
        assert_eq!(notes.len(), 1, "{notes:?}");
        assert_eq!((&*notes[0].file, &*notes[0].entry), ("w", "CVE-7"));
        // Another package than the one stated: it is said too.
        let mut all = decisions("2026-01-01");
        all.add_vex("v", openvex("not_affected", "2025-02-01T00:00:00Z").as_bytes()).unwrap();
        assert!(all.decide(&Package::new(Ecosystem::Npm, "other", "4"), &["CVE-1".into()]).is_none());
        assert_eq!(all.notes().len(), 1);
    }

    #[test]
    fn a_part_of_one_product_says_nothing_about_another() {
        let text = "{\"@context\":\"https://openvex.dev/ns/v0.2.0\",\"statements\":[{\"vulnerability\":{\"name\":\"CVE-1\"},\
             \"products\":[{\"@id\":\"pkg:oci/app\",\"subcomponents\":[{\"@id\":\"pkg:npm/lodash\"}]}],\"status\":\"not_affected\",\
             \"justification\":\"component_not_present\"}]}";
        let mut lodash = Package::new(Ecosystem::Npm, "lodash", "4");
        lodash.location = "a.json".into();
        let decided = |location: &str, name: &str| {
            let mut all = decisions("2026-01-01");
            all.add_vex("v", text.as_bytes()).unwrap();
            all.audits(location, [name.to_owned()]);
            let cleared = all.decide(&lodash, &["CVE-1".into()]).is_some();
            (cleared, all.notes().len())
        };
        assert_eq!(decided("", ""), (false, 1));
        assert_eq!(decided("b.json", "pkg:oci/app@1"), (false, 1));
        assert_eq!(decided("a.json", "pkg:oci/other@1"), (false, 1));
        assert_eq!(decided("a.json", "pkg:oci/app@1"), (true, 0));
        assert_eq!(decided("", "pkg:oci/app"), (true, 0));
    }
}
