//! The names that a store lists for criteria, as the evaluation of configurations asks for them.

use std::cell::RefCell;
use std::sync::Arc;

use crate::cpe::Dictionary;
use crate::model::Text;
use crate::store::{AdvisoryStore, StoreError};

/// A store's dictionary. What cannot be read is remembered and ends the run ([`Self::finish`]).
pub(super) struct Listed<'s, S: ?Sized> {
    store: &'s S,
    failure: RefCell<Option<StoreError>>,
}

impl<'s, S: AdvisoryStore + ?Sized> Listed<'s, S> {
    pub(super) const fn new(store: &'s S) -> Self {
        Self { store, failure: RefCell::new(None) }
    }

    pub(super) fn finish(self) -> Result<(), StoreError> {
        self.failure.into_inner().map_or(Ok(()), Err)
    }
}

impl<S: AdvisoryStore + ?Sized> Dictionary for Listed<'_, S> {
    fn names(&self, criterion: &str) -> Option<Arc<[Text]>> {
        match self.store.names(criterion) {
            Ok(names) => names,
            Err(error) => {
                self.failure.borrow_mut().get_or_insert(error);
                None
            }
        }
    }
}
