//! What people have already decided about vulnerabilities of their software: VEX documents, and ignore files.
//!
//! A VEX document ([`openvex`], [`cyclonedx`], [`csaf`]) is a list of [`Statement`]s: for this vulnerability, in this package, that
//! status. An ignore file ([`ignore`]) is ours: entries with a reason and an end. Both only classify matches; nothing is
//! removed from view by them.

use bartizan_matching::cpe::{Cpe, Product as CpeProduct, Relation};
use bartizan_matching::model::{Package, Text};
use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::component::{Gap, ReadError, one_line, utf8};
use crate::sbom::purl;

pub mod csaf;
pub mod cyclonedx;
mod decide;
pub mod ignore;
pub mod openvex;
mod product;

pub use decide::{Decided, Decisions, Note};
pub use product::Product;

/// Statements of one document.
const MAX_STATEMENTS: usize = 1_000_000;
/// Most bytes of a document.
pub const MAX_SIZE: u64 = 256 * 1024 * 1024;

/// What a statement says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// The vulnerability cannot be used here.
    NotAffected,
    /// The package contains the fix.
    Fixed,
    /// It is affected.
    Affected,
    /// It is not decided yet.
    UnderInvestigation,
}

impl Status {
    /// The name, as OpenVEX and CSAF have it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotAffected => "not_affected",
            Self::Fixed => "fixed",
            Self::Affected => "affected",
            Self::UnderInvestigation => "under_investigation",
        }
    }

    /// Whether a match it speaks of is no finding.
    #[must_use]
    pub const fn clears(self) -> bool {
        matches!(self, Self::NotAffected | Self::Fixed)
    }
}

/// What a statement is about.
#[derive(Debug, Clone, PartialEq)]
pub enum Subject {
    /// A package, as its package URL names it; an empty version or release means any.
    Package(Box<Package>),
    /// A CPE name in either form: it speaks of the packages one of whose names is the same, or a special case of it.
    Cpe(String),
}

/// One statement of a VEX document.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    /// Names of the vulnerability, any of which counts.
    pub ids: Vec<String>,
    /// What it is about.
    pub subject: Subject,
    /// The product that the subject is a part of, where the statement is about that product only ([`product`]).
    pub within: Option<Product>,
    /// What it says.
    pub status: Status,
    /// Why it is not affected, as the format's word (`vulnerable_code_not_present`, `code_not_reachable` …).
    pub justification: Option<String>,
    /// What else it says: impact or action.
    pub note: Option<String>,
    /// When it was made.
    pub timestamp: Option<DateTime<Utc>>,
}

impl Statement {
    /// Whether it speaks of this package and one of these names of a vulnerability, whatever product it is limited to.
    #[must_use]
    pub fn speaks_of(&self, package: &Package, ids: &[Text]) -> bool {
        self.ids.iter().any(|id| ids.iter().any(|known| known.eq_ignore_ascii_case(id))) && self.subject.is(package)
    }
}

impl Subject {
    fn is(&self, package: &Package) -> bool {
        match self {
            Self::Cpe(name) => {
                let stated = Cpe::parse(name).ok();
                package
                    .cpes
                    .iter()
                    .any(|known| known.as_str() == name || stated.as_ref().is_some_and(|s| covers(s, known, package)))
            }
            Self::Package(wanted) => {
                let ecosystem = &package.ecosystem;
                let same = |a: &str, b: &str| ecosystem.normalise(a) == ecosystem.normalise(b);
                let is_source = package
                    .source
                    .as_ref()
                    .is_some_and(|source| same(&source.name, &wanted.name) && agrees(&wanted.version, &source.version));
                let is_package = same(&package.name, &wanted.name) && agrees(&wanted.version, &package.version);
                wanted.ecosystem == *ecosystem && agrees(&wanted.release, &package.release) && (is_package || is_source)
            }
        }
    }
}

/// Whether a CPE name means what a package is called, whose version may stand beside the name.
fn covers(stated: &Cpe, known: &str, package: &Package) -> bool {
    let Ok(known) = Cpe::parse(known) else { return false };
    let known = CpeProduct::new(known, &package.version);
    matches!(stated.relation(known.cpe()), Relation::Equal | Relation::Superset)
}

/// Whether what a statement names is empty, or the same. A leading `v` is no difference (Go, Composer).
fn agrees(stated: &str, found: &str) -> bool {
    let bare = |text: &str| text.strip_prefix('v').unwrap_or(text).to_owned();
    stated.is_empty() || bare(stated) == bare(found)
}

/// A VEX document.
#[derive(Debug, Default)]
pub struct Vex {
    /// Its statements, in its order.
    pub statements: Vec<Statement>,
    /// Statements that speak of something that is no package, and others that cannot be used.
    pub unusable: Vec<Gap>,
}

impl Vex {
    /// Reads a document, whichever of the formats it is. Linear in its size.
    ///
    /// # Errors
    /// If it is none of them, or damaged.
    pub fn read(bytes: &[u8]) -> Result<Self, ReadError> {
        let document: Value = serde_json::from_str(utf8(bytes)?).map_err(ReadError::syntax)?;
        let context = document.get("@context").and_then(Value::as_str).unwrap_or_default();
        let vex = if context.starts_with("https://openvex.dev/") {
            openvex::read(&document)
        } else if document.get("bomFormat").and_then(Value::as_str) == Some("CycloneDX") {
            cyclonedx::read(&document)
        } else if document.pointer("/document/csaf_version").is_some() {
            csaf::read(&document)
        } else {
            return Err(ReadError::Syntax("it is neither OpenVEX, nor CycloneDX, nor CSAF".to_owned()));
        };
        if vex.statements.len() >= MAX_STATEMENTS {
            return Err(ReadError::Unsupported(format!("it has more than {MAX_STATEMENTS} statements")));
        }
        Ok(vex)
    }

    fn push(&mut self, statement: Statement) {
        if self.statements.len() < MAX_STATEMENTS {
            self.statements.push(statement);
        }
    }

    fn unusable(&mut self, subject: &str, reason: &'static str) {
        if self.unusable.len() < 1_000 {
            self.unusable.push(Gap { subject: one_line(subject), reason: reason.into() });
        }
    }
}

/// The package a package URL names, as a subject.
fn subject_of_purl(text: &str) -> Option<Subject> {
    purl::package(text, None).ok().flatten().map(|package| Subject::Package(Box::new(package)))
}

/// A text member.
fn text<'v>(value: &'v Value, key: &str) -> Option<&'v str> {
    value.get(key).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// The members of a list, which may be missing.
fn list<'v>(value: &'v Value, key: &str) -> impl Iterator<Item = &'v Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn time(value: &Value, key: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text(value, key)?).ok().map(|time| time.with_timezone(&Utc))
}

#[cfg(test)]
mod tests {
    use bartizan_matching::model::Ecosystem;

    use super::*;

    #[test]
    fn subjects_are_compared_as_their_ecosystem_does() {
        let mut installed = Package::new(Ecosystem::PyPi, "Zope.Interface", "5.0");
        let subject = |text: &str| subject_of_purl(text).unwrap();
        assert!(subject("pkg:pypi/zope-interface@5.0").is(&installed));
        assert!(subject("pkg:pypi/zope-interface").is(&installed), "no version is any version");
        assert!(!subject("pkg:pypi/zope-interface@5.1").is(&installed));
        assert!(!subject("pkg:npm/zope-interface@5.0").is(&installed));
        installed = Package::new(Ecosystem::Debian, "libssl3", "3.0.11-1");
        installed.release = "12".into();
        installed.source =
            Some(bartizan_matching::model::SourcePackage { name: "openssl".into(), version: "3.0.11-1".into() });
        assert!(subject("pkg:deb/debian/openssl?distro=debian-12").is(&installed), "the source package");
        assert!(!subject("pkg:deb/debian/openssl?distro=debian-11").is(&installed));
    }

    #[test]
    fn names_of_products_are_compared_as_names() {
        let mut installed = Package::new(Ecosystem::Generic, "gateway", "2.1");
        installed.cpes = vec!["cpe:2.3:a:example:gateway:2.1:*:*:*:*:*:*:*".into()];
        let is = |name: &str, package: &Package| Subject::Cpe(name.to_owned()).is(package);
        for name in [
            "cpe:2.3:a:example:gateway:2.1:*:*:*:*:*:*:*",
            "cpe:/a:example:gateway:2.1",
            "cpe:/a:example:gateway",
            "cpe:2.3:a:example:gateway:*:*:*:*:*:*:*:*",
        ] {
            assert!(is(name, &installed), "{name}");
        }
        for name in ["cpe:/a:example:gateway:2.2", "cpe:/a:other:gateway", "cpe:/o:example:gateway", "gateway"] {
            assert!(!is(name, &installed), "{name}");
        }
        // The version may stand beside the name.
        installed.cpes = vec!["cpe:2.3:a:example:gateway:*:*:*:*:*:*:*:*".into()];
        assert!(is("cpe:/a:example:gateway:2.1", &installed));
        assert!(!is("cpe:/a:example:gateway:2.2", &installed));
    }

    #[test]
    fn other_documents_are_refused() {
        for text in ["{}", "[]", "null", "nonsense", "{\"@context\":\"https://example.org\"}"] {
            assert!(Vex::read(text.as_bytes()).is_err(), "{text}");
        }
    }
}
