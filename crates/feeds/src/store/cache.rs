//! Blocks that were read, up to a bound of bytes.
//!
//! Sixteen shards, so that threads seldom wait for one another. Within a shard the blocks that were not used for the
//! longest time go first. What is cached never changes an answer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::table::Block;
use crate::error::Result;

/// Source, table, block.
type Place = (usize, u8, usize);

const SHARDS: usize = 16;

/// The cache.
#[derive(Debug)]
pub struct Cache {
    shards: Vec<Mutex<Shard>>,
    bound: usize,
}

#[derive(Debug, Default)]
struct Shard {
    blocks: HashMap<Place, (Arc<Block>, u64)>,
    weight: usize,
    clock: u64,
}

impl Cache {
    /// A cache of about `bound` bytes.
    pub fn new(bound: usize) -> Self {
        Self { shards: (0..SHARDS).map(|_| Mutex::default()).collect(), bound: bound / SHARDS }
    }

    /// The block at `place`, read by `read` if it is not here.
    pub fn get(&self, place: Place, read: impl FnOnce() -> Result<Block>) -> Result<Arc<Block>> {
        let shard = &self.shards[(place.0 ^ place.2 ^ usize::from(place.1) << 2) % SHARDS];
        {
            // A thread that panicked while holding the lock left a map that is still whole.
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            shard.clock += 1;
            let clock = shard.clock;
            if let Some((block, used)) = shard.blocks.get_mut(&place) {
                *used = clock;
                return Ok(Arc::clone(block));
            }
        }
        let block = Arc::new(read()?);
        let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        let clock = shard.clock;
        let weight = block.weight();
        if shard.blocks.insert(place, (Arc::clone(&block), clock)).is_none() {
            shard.weight += weight;
        }
        if shard.weight > self.bound {
            shard.shrink(self.bound / 2);
        }
        Ok(block)
    }
}

impl Shard {
    /// Removes the blocks that were used the longest time ago until `bound` is kept.
    fn shrink(&mut self, bound: usize) {
        let mut by_use: Vec<(u64, Place)> = self.blocks.iter().map(|(place, (_, used))| (*used, *place)).collect();
        by_use.sort_unstable();
        for (_, place) in by_use {
            if self.weight <= bound {
                break;
            }
            if let Some((block, _)) = self.blocks.remove(&place) {
                self.weight -= block.weight();
            }
        }
    }
}
