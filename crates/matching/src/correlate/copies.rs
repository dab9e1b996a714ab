//! Copies of one record. The same record of the same source may be in a store several times, of different age: an export
//! of the ecosystem and one of the whole, of another day. The newest decides, also when it withdraws.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::model::{AdvisoryHead, Affected, Authority, Ecosystem, Text};
use crate::store::{AdvisoryRef, AdvisoryStore, StoreError};

/// A copy, and what it speaks of.
#[derive(Debug)]
struct Copy {
    record: AdvisoryRef,
    source: Text,
    /// When it was changed; one that withdraws is newer than one of the same time that does not.
    age: (Option<DateTime<Utc>>, bool),
    scopes: BTreeSet<(Ecosystem, Text)>,
}

/// Finds copies and remembers them.
#[derive(Debug, Default)]
pub(super) struct Copies {
    by_id: HashMap<Text, Arc<Vec<Copy>>>,
}

impl Copies {
    /// Whether a newer copy speaks in a record's place: about one of its statements, or without one about its
    /// configurations. Distributions publish a bulletin in parts, a document for each release: such a part is outdated only
    /// by a newer one about the same release.
    pub(super) fn outdated<S: AdvisoryStore + ?Sized>(
        &mut self,
        store: &S,
        record: AdvisoryRef,
        head: &AdvisoryHead,
        statement: Option<&Affected>,
    ) -> Result<bool, StoreError> {
        let copies = self.of(store, &head.id)?;
        let Some(own) = copies.iter().find(|copy| copy.record == record) else { return Ok(false) };
        let speaks = |other: &Copy| match statement.map(|statement| &statement.package) {
            Some(package) if !other.age.1 && package.ecosystem.authority() == Authority::Vendor => {
                other.scopes.contains(&(package.ecosystem.clone(), package.release.clone()))
            }
            _ => true,
        };
        Ok(copies.iter().any(|other| other.source == own.source && other.age > own.age && speaks(other)))
    }

    fn of<S: AdvisoryStore + ?Sized>(&mut self, store: &S, id: &Text) -> Result<Arc<Vec<Copy>>, StoreError> {
        if let Some(known) = self.by_id.get(id) {
            return Ok(Arc::clone(known));
        }
        let mut heads = Vec::new();
        for record in store.by_id(id)? {
            let head = store.head(record)?;
            if head.id == *id {
                heads.push((record, head));
            }
        }
        let mut copies = Vec::new();
        for (record, head) in &heads {
            if heads.iter().filter(|(_, other)| other.source == head.source).count() > 1 {
                let advisory = store.advisory(*record)?;
                copies.push(Copy {
                    record: *record,
                    source: head.source.clone(),
                    age: (advisory.modified.max(head.withdrawn), head.withdrawn.is_some()),
                    scopes: advisory
                        .affected
                        .iter()
                        .map(|affected| (affected.package.ecosystem.clone(), affected.package.release.clone()))
                        .collect(),
                });
            }
        }
        let copies = Arc::new(copies);
        self.by_id.insert(id.clone(), Arc::clone(&copies));
        Ok(copies)
    }
}
