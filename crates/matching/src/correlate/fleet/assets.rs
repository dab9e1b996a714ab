//! The assets of a fleet: each distinct package once, and who carries it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::super::Identity;
use super::super::subjects::subjects;
use crate::cpe::vendor_and_product;
use crate::model::{Ecosystem, Package, Text};
use crate::store::StoreError;

/// Assets and what they carry.
#[derive(Debug, Default)]
pub struct Fleet {
    pub(super) packages: Vec<Package>,
    known: HashMap<u64, Vec<u32>>,
    pub(super) by_name: HashMap<(Ecosystem, Text), Vec<u32>>,
    pub(super) by_product: HashMap<(String, String), Vec<u32>>,
    /// Members of asset `a` are `members[offsets[a]..offsets[a + 1]]`, ascending, unless `replaced` has them.
    offsets: Vec<u32>,
    members: Vec<u32>,
    pub(super) replaced: BTreeMap<u32, Vec<u32>>,
    /// The assets that carry package `p`, as `members` has them.
    holder_offsets: Vec<u32>,
    holders: Vec<u32>,
}

impl Fleet {
    /// A fleet of distinct packages and, for each asset, the numbers of those it carries.
    ///
    /// # Errors
    /// If a number is no package, or there are more than 2³² references.
    pub fn new(packages: Vec<Package>, assets: impl IntoIterator<Item = Vec<u32>>) -> Result<Self, StoreError> {
        let mut fleet = Self { offsets: vec![0], ..Self::default() };
        for package in packages {
            fleet.push(package)?;
        }
        for mut members in assets {
            members.sort_unstable();
            members.dedup();
            if members.last().is_some_and(|last| *last as usize >= fleet.packages.len()) {
                return Err(StoreError("an asset carries a package that is not in the list".to_owned()));
            }
            fleet.members.extend(members);
            fleet.offsets.push(number(fleet.members.len())?);
        }
        fleet.invert();
        Ok(fleet)
    }

    pub(super) fn push(&mut self, package: Package) -> Result<u32, StoreError> {
        let at = number(self.packages.len())?;
        let names: BTreeSet<String> =
            subjects(&package).iter().map(|subject| package.ecosystem.normalise(&subject.name)).collect();
        let advised = package.ecosystem.advised_by();
        for name in names {
            self.by_name.entry((advised.clone(), name.into())).or_default().push(at);
        }
        for product in package.cpes.iter().filter_map(|name| vendor_and_product(name)).collect::<BTreeSet<_>>() {
            self.by_product.entry(product).or_default().push(at);
        }
        self.known.entry(hash(&package)).or_default().push(at);
        self.packages.push(package);
        Ok(at)
    }

    fn invert(&mut self) {
        let mut counts = vec![0_u32; self.packages.len() + 1];
        for member in &self.members {
            counts[*member as usize + 1] += 1;
        }
        for at in 1..counts.len() {
            counts[at] += counts[at - 1];
        }
        self.holder_offsets.clone_from(&counts);
        self.holders = vec![0; self.members.len()];
        for (asset, range) in self.offsets.windows(2).enumerate() {
            for member in &self.members[range[0] as usize..range[1] as usize] {
                let slot = &mut counts[*member as usize];
                // The count of references fits, so that of assets does.
                self.holders[*slot as usize] = u32::try_from(asset).unwrap_or(u32::MAX);
                *slot += 1;
            }
        }
    }

    /// The distinct packages.
    #[must_use]
    pub fn packages(&self) -> &[Package] {
        &self.packages
    }

    /// How many assets it has.
    #[must_use]
    pub fn assets(&self) -> u32 {
        // Offsets are one more than assets and counted in u32.
        u32::try_from(self.offsets.len().saturating_sub(1)).unwrap_or(u32::MAX)
    }

    /// How many references from assets to packages.
    #[must_use]
    pub fn references(&self) -> usize {
        self.members.len()
    }

    /// The packages of an asset, ascending.
    #[must_use]
    pub fn members(&self, asset: u32) -> &[u32] {
        if let Some(replaced) = self.replaced.get(&asset) {
            return replaced;
        }
        match self.offsets.get(asset as usize..asset as usize + 2) {
            Some([from, to]) => &self.members[*from as usize..*to as usize],
            _ => &[],
        }
    }

    /// The assets that carry a package, ascending.
    #[must_use]
    pub fn holders(&self, package: u32) -> Vec<u32> {
        let at = package as usize;
        let mut holders: Vec<u32> = match self.holder_offsets.get(at..at + 2) {
            Some([from, to]) => self.holders[*from as usize..*to as usize].to_vec(),
            _ => Vec::new(),
        };
        holders.retain(|asset| !self.replaced.contains_key(asset));
        holders.extend(
            self.replaced.iter().filter(|(_, members)| members.binary_search(&package).is_ok()).map(|(a, _)| *a),
        );
        holders.sort_unstable();
        holders
    }

    /// The number of a package, if an equal one is known.
    pub(super) fn find(&self, package: &Package) -> Option<u32> {
        let candidates = self.known.get(&hash(package))?;
        let identity = Identity::of(package);
        candidates.iter().copied().find(|at| Identity::of(&self.packages[*at as usize]) == identity)
    }
}

/// A hash that is the same in every run of one build; equality is always checked beside it.
fn hash(package: &Package) -> u64 {
    use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
    BuildHasherDefault::<DefaultHasher>::default().hash_one(Identity::of(package))
}

pub(super) fn number(count: usize) -> Result<u32, StoreError> {
    u32::try_from(count).map_err(|_| StoreError("the fleet has more than 2^32 entries".to_owned()))
}
