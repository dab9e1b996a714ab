//! What the correlation core reads candidates from.

use std::sync::Arc;

use crate::model::{Advisory, AdvisoryHead, Affected, Ecosystem, Signals, Text};

/// The number of a record in a store: dense, from zero, stable for the life of one snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AdvisoryRef(pub u32);

/// One statement about a package of some name, with the head of its record.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// The record.
    pub advisory: AdvisoryRef,
    /// Its head.
    pub head: Arc<AdvisoryHead>,
    /// The statement.
    pub affected: Affected,
}

/// What a store holds for an ecosystem and release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coverage {
    /// Records of a source that speaks for it as a whole: silence means that nothing is known.
    Covered,
    /// Some records, of no source that speaks for the whole: silence means nothing.
    PartlyCovered {
        /// How many speak of the ecosystem and release.
        records: u32,
    },
    /// Records for the ecosystem, none for this release.
    ReleaseNotCovered,
    /// Nothing for the ecosystem.
    EcosystemNotCovered,
}

/// A store could not answer. The run that reads it fails: a package whose records cannot be read is not clean.
#[derive(Debug, thiserror::Error)]
#[error("the vulnerability store cannot be read: {0}")]
pub struct StoreError(pub String);

/// An immutable snapshot of advisories, indexed for correlation.
///
/// Answers are in ascending order of [`AdvisoryRef`], so that results do not depend on threads. Withdrawn records are
/// answered too: the core leaves them out and says so.
pub trait AdvisoryStore: Sync {
    /// Every statement about packages of `ecosystem` with this name in normal form, whatever release and name kind.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn statements(&self, ecosystem: &Ecosystem, name: &str) -> Result<Vec<Candidate>, StoreError>;

    /// Records with a configuration that has a vulnerable criterion for this vendor and product (unescaped, lower
    /// case), including those whose vendor or product is a pattern.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn by_product(&self, vendor: &str, product: &str) -> Result<Vec<AdvisoryRef>, StoreError>;

    /// Records whose id or one of whose aliases is `id`.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn by_id(&self, id: &str) -> Result<Vec<AdvisoryRef>, StoreError>;

    /// The head of a record.
    ///
    /// # Errors
    /// If the store cannot be read or has no such record.
    fn head(&self, advisory: AdvisoryRef) -> Result<Arc<AdvisoryHead>, StoreError>;

    /// A whole record.
    ///
    /// # Errors
    /// If the store cannot be read or has no such record.
    fn advisory(&self, advisory: AdvisoryRef) -> Result<Arc<Advisory>, StoreError>;

    /// Exploitation, prediction and decision facts stored under exactly this id.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn signals(&self, id: &str) -> Result<Signals, StoreError>;

    /// The CPE names that a dictionary lists for a criterion, by its text ([`crate::cpe::CpeMatch::text`]); none if it
    /// knows nothing about it.
    ///
    /// # Errors
    /// If the store cannot be read.
    fn names(&self, criterion: &str) -> Result<Option<Arc<[Text]>>, StoreError>;

    /// What the store holds for an ecosystem and release (normal form; empty for an ecosystem without releases).
    ///
    /// # Errors
    /// If the store cannot be read.
    fn coverage(&self, ecosystem: &Ecosystem, release: &str) -> Result<Coverage, StoreError>;
}
