//! A store in memory: for tests, for small sets and as the model of what a store on disk must answer. Whatever it is given
//! is taken to be the whole of the ecosystems it speaks of.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::cpe::{Configuration, Node};
use crate::model::{Advisory, AdvisoryHead, Ecosystem, Signals, Text};
use crate::store::{AdvisoryRef, AdvisoryStore, Candidate, Coverage, StoreError};

/// Advisories in memory.
#[derive(Debug, Default)]
pub struct MemoryStore {
    advisories: Vec<(Arc<Advisory>, Arc<AdvisoryHead>)>,
    by_name: HashMap<(Ecosystem, Text), Vec<(AdvisoryRef, u32)>>,
    by_product: HashMap<(String, String), Vec<AdvisoryRef>>,
    product_patterns: Vec<(String, String, AdvisoryRef)>,
    by_id: HashMap<Text, Vec<AdvisoryRef>>,
    signals: HashMap<Text, Signals>,
    names: HashMap<Text, Arc<[Text]>>,
    releases: BTreeSet<(Ecosystem, Text)>,
}

impl MemoryStore {
    /// A store of these records.
    #[must_use]
    pub fn new(advisories: impl IntoIterator<Item = Advisory>) -> Self {
        let mut store = Self::default();
        for advisory in advisories {
            store.push(advisory);
        }
        store
    }

    /// Adds a record.
    pub fn push(&mut self, advisory: Advisory) -> AdvisoryRef {
        let number = AdvisoryRef(u32::try_from(self.advisories.len()).unwrap_or(u32::MAX));
        for (at, affected) in advisory.affected.iter().enumerate() {
            let key = &affected.package;
            let at = u32::try_from(at).unwrap_or(u32::MAX);
            self.by_name.entry((key.ecosystem.clone(), key.name.clone())).or_default().push((number, at));
            self.releases.insert((key.ecosystem.clone(), key.release.clone()));
        }
        if !advisory.configurations.is_empty() {
            self.releases.insert((Ecosystem::Generic, Text::default()));
        }
        let mut products = BTreeSet::new();
        for configuration in &advisory.configurations {
            vulnerable_products(configuration, &mut products);
        }
        for (vendor, product) in products {
            if is_pattern(&vendor) || is_pattern(&product) {
                self.product_patterns.push((vendor, product, number));
            } else {
                self.by_product.entry((vendor, product)).or_default().push(number);
            }
        }
        let ids: BTreeSet<&Text> = std::iter::once(&advisory.head.id).chain(&advisory.head.aliases).collect();
        for id in ids {
            self.by_id.entry(id.clone()).or_default().push(number);
        }
        let head = Arc::new(advisory.head.clone());
        self.advisories.push((Arc::new(advisory), head));
        number
    }

    /// States that a release is covered even where no record speaks of it (a fresh release without advisories).
    pub fn cover(&mut self, ecosystem: Ecosystem, release: &str) {
        self.releases.insert((ecosystem, release.into()));
    }

    /// Sets the signals of an id.
    pub fn set_signals(&mut self, id: &str, signals: Signals) {
        self.signals.insert(id.into(), signals);
    }

    /// Sets the names that a dictionary lists for a criterion.
    pub fn set_names(&mut self, criterion: &str, names: impl IntoIterator<Item = Text>) {
        self.names.insert(criterion.into(), names.into_iter().collect());
    }

    /// How many records it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.advisories.len()
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.advisories.is_empty()
    }

    fn record(&self, advisory: AdvisoryRef) -> Result<&(Arc<Advisory>, Arc<AdvisoryHead>), StoreError> {
        self.advisories.get(advisory.0 as usize).ok_or_else(|| StoreError(format!("there is no record {}", advisory.0)))
    }
}

/// Vendor and product of every vulnerable criterion.
fn vulnerable_products(configuration: &Configuration, into: &mut BTreeSet<(String, String)>) {
    fn walk(node: &Node, into: &mut BTreeSet<(String, String)>) {
        for criterion in node.matches.iter().filter(|criterion| criterion.vulnerable) {
            if let Some((vendor, product)) = crate::cpe::vendor_and_product(&criterion.criteria) {
                into.insert((vendor, product));
            }
        }
        for child in &node.children {
            walk(child, into);
        }
    }
    for node in &configuration.nodes {
        walk(node, into);
    }
}

fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?'])
}

impl AdvisoryStore for MemoryStore {
    fn statements(&self, ecosystem: &Ecosystem, name: &str) -> Result<Vec<Candidate>, StoreError> {
        let key = (ecosystem.clone(), Text::from(name));
        let found = self.by_name.get(&key).map_or(&[][..], Vec::as_slice);
        found
            .iter()
            .map(|(number, at)| {
                let (advisory, head) = self.record(*number)?;
                let affected = advisory.affected[*at as usize].clone();
                Ok(Candidate { advisory: *number, head: Arc::clone(head), affected })
            })
            .collect()
    }

    fn by_product(&self, vendor: &str, product: &str) -> Result<Vec<AdvisoryRef>, StoreError> {
        let mut found: BTreeSet<AdvisoryRef> =
            self.by_product.get(&(vendor.to_owned(), product.to_owned())).into_iter().flatten().copied().collect();
        found.extend(
            self.product_patterns
                .iter()
                .filter(|(v, p, _)| crate::cpe::wildcard(v, vendor) && crate::cpe::wildcard(p, product))
                .map(|(_, _, number)| *number),
        );
        Ok(found.into_iter().collect())
    }

    fn by_id(&self, id: &str) -> Result<Vec<AdvisoryRef>, StoreError> {
        Ok(self.by_id.get(id).cloned().unwrap_or_default())
    }

    fn head(&self, advisory: AdvisoryRef) -> Result<Arc<AdvisoryHead>, StoreError> {
        Ok(Arc::clone(&self.record(advisory)?.1))
    }

    fn advisory(&self, advisory: AdvisoryRef) -> Result<Arc<Advisory>, StoreError> {
        Ok(Arc::clone(&self.record(advisory)?.0))
    }

    fn signals(&self, id: &str) -> Result<Signals, StoreError> {
        Ok(self.signals.get(id).cloned().unwrap_or_default())
    }

    fn names(&self, criterion: &str) -> Result<Option<Arc<[Text]>>, StoreError> {
        Ok(self.names.get(criterion).cloned())
    }

    fn coverage(&self, ecosystem: &Ecosystem, release: &str) -> Result<Coverage, StoreError> {
        let mut of_ecosystem = self.releases.iter().filter(|(known, _)| known == ecosystem).peekable();
        if of_ecosystem.peek().is_none() {
            return Ok(Coverage::EcosystemNotCovered);
        }
        let covered = of_ecosystem.any(|(_, known)| known.as_str() == release || known.is_empty());
        Ok(if covered { Coverage::Covered } else { Coverage::ReleaseNotCovered })
    }
}
