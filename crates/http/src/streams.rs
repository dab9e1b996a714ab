//! Streams of events that are open, a user: each holds a connection for as long as a scan runs.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};

use bartizan_domain::id::UserId;
use bartizan_domain::{Error, Result};

/// Streams of one user at once: many tabs.
const MOST: usize = 32;

/// How soon somebody with too many may try again, in seconds.
const AGAIN: u64 = 10;

/// Streams that are open, by user.
#[derive(Debug, Clone, Default)]
pub(crate) struct Streams(Arc<Mutex<HashMap<UserId, usize>>>);

/// One of them, until it is dropped.
#[derive(Debug)]
pub(crate) struct OpenStream {
    streams: Streams,
    user: UserId,
}

impl Streams {
    /// Counts one more.
    ///
    /// # Errors
    /// [`Error::RateLimited`] if the user has as many as one may have.
    pub(crate) fn open(&self, user: UserId) -> Result<OpenStream> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(user).or_insert(0);
        if *count >= MOST {
            return Err(Error::RateLimited { retry_after: AGAIN });
        }
        *count += 1;
        Ok(OpenStream { streams: self.clone(), user })
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        let mut open = self.streams.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Entry::Occupied(mut entry) = open.entry(self.user) {
            *entry.get_mut() -= 1;
            if *entry.get() == 0 {
                entry.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_has_only_so_many_and_gets_closed_ones_back() {
        let (streams, user) = (Streams::default(), UserId::from(uuid::Uuid::now_v7()));
        let mut held: Vec<_> = (0..MOST).map(|_| streams.open(user).unwrap()).collect();
        assert!(streams.open(user).is_err());
        let other = streams.open(UserId::from(uuid::Uuid::now_v7())).unwrap();
        held.pop();
        let _again = streams.open(user).unwrap();
        drop((held, other));
        assert_eq!(streams.0.lock().unwrap().len(), 1);
    }
}
