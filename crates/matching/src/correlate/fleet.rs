//! Many assets at once.
//!
//! A [`Fleet`] holds each distinct package once and, for each asset, the numbers of its packages. [`FleetRun::new`]
//! judges the distinct packages, in threads, and keeps a few bytes a hit; [`FleetRun::rows`] fans out. What changed is
//! worked out from what it touches: [`FleetRun::update_advisories`] for changed records, [`FleetRun::update_asset`] for
//! a changed asset, [`FleetRun::rescore`] for new signals. The whole [`Match`](crate::model::Match) with its evidence is
//! made on demand by [`correlate`](super::correlate) over one asset's packages: the judge is the same.
//!
//! Cost: the judging is one look-up a distinct name and one comparison a statement, whatever the number of assets; the
//! fan-out is one step a row. The result does not depend on the number of threads.

use std::collections::{BTreeSet, HashMap};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

mod assets;

pub use self::assets::Fleet;
use self::assets::number;
use super::groups::Group;
use super::judge::{Decided, Judge, Verdict};
use super::{Identity, Options, products};
use crate::cpe::{vendor_and_product, wildcard};
use crate::model::{AdvisoryKind, Confidence, Ecosystem, GapReason, MatchState, Method, Package, Signals, Text};
use crate::score::{Rating, Score, rating_of};
use crate::store::{AdvisoryStore, StoreError};

/// A vulnerability of a distinct package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hit {
    /// Number of the alias group in [`FleetRun::group`].
    pub group: u32,
    /// What holds.
    pub state: MatchState,
    /// What kind of record decides.
    pub kind: AdvisoryKind,
    /// How it was found.
    pub method: Method,
    /// How sure it is.
    pub confidence: Confidence,
    /// Whether it holds only on assets that carry what its configuration asks for besides.
    pub restricted: bool,
}

impl Hit {
    /// Whether it is a finding wherever the package is.
    #[must_use]
    pub fn is_finding(&self) -> bool {
        !self.restricted && self.may_be_finding()
    }

    /// Whether it is a finding on assets that carry what it asks for besides.
    fn may_be_finding(&self) -> bool {
        self.state.is_finding() && self.confidence >= Confidence::FINDING
    }
}

/// A finding of an asset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Row {
    /// The asset.
    pub asset: u32,
    /// The distinct package.
    pub package: u32,
    /// The alias group.
    pub group: u32,
}

/// A finding that came or went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RowChange {
    /// It is gone. Of a vulnerability whose configuration asks for something else on the asset also where it never was.
    Gone(Row),
    /// It is new, or its state or confidence differ.
    New(Row),
}

/// A group and its score.
#[derive(Debug, Clone)]
struct Scored {
    group: Arc<Group>,
    rating: Option<Rating>,
    /// The highest rating of records that address this vulnerability alone without being a name of it.
    own: Option<Rating>,
    score: f32,
    /// One of its names leads to another group since, which took it over.
    displaced: bool,
}

/// The result for a fleet.
#[derive(Debug, Default)]
pub struct FleetRun {
    groups: Vec<Scored>,
    /// Numbers of groups by the name they show: a group keeps its number as long as it keeps that name.
    by_primary: HashMap<Text, u32>,
    /// Numbers of groups by any name, as of the last time each name was met.
    by_id: HashMap<Text, u32>,
    /// The groups that were hit through a bulletin, by its id, which is no name of theirs.
    by_bulletin: HashMap<Text, BTreeSet<u32>>,
    hits: Vec<Box<[Hit]>>,
    gaps: Vec<Box<[GapReason]>>,
    options: Options,
}

impl FleetRun {
    /// Judges every distinct package of a fleet.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn new<S: AdvisoryStore + ?Sized>(
        store: &S,
        fleet: &Fleet,
        options: &Options,
        threads: NonZeroUsize,
    ) -> Result<Self, StoreError> {
        let mut run = Self { options: options.clone(), ..Self::default() };
        let mut order: Vec<u32> = (0..number(fleet.packages.len())?).collect();
        order.sort_by_cached_key(|at| Identity::of(&fleet.packages[*at as usize]));
        run.hits = vec![Box::default(); fleet.packages.len()];
        run.gaps = vec![Box::default(); fleet.packages.len()];
        run.judge(store, fleet, &order, threads)?;
        run.rescore(store, threads)?;
        Ok(run)
    }

    /// Judges `which` packages anew and takes the result over.
    fn judge<S: AdvisoryStore + ?Sized>(
        &mut self,
        store: &S,
        fleet: &Fleet,
        which: &[u32],
        threads: NonZeroUsize,
    ) -> Result<(), StoreError> {
        let platform = &self.options.platform;
        let chunks = in_chunks(
            which,
            threads,
            |judge: &mut Judge<'_, S>, at| {
                let package = &fleet.packages[*at as usize];
                let own = products(std::slice::from_ref(package), platform);
                let verdict = judge.judge_alone(package, &own)?;
                Ok(compact(verdict))
            },
            || Judge::new(store),
        )?;
        let mut judged: Vec<(u32, Compact)> = which.iter().copied().zip(chunks).collect();
        // Groups are numbered in the order of packages, so that numbers do not depend on the order of judging.
        judged.sort_by_key(|(at, _)| *at);
        for (at, (decided, gaps)) in judged {
            let mut hits: Vec<Hit> = decided
                .into_iter()
                .map(|(group, mut hit, reading)| {
                    hit.group = self.intern(group);
                    let scored = &mut self.groups[hit.group as usize];
                    scored.own = Rating::highest(scored.own, reading.own);
                    for bulletin in reading.bulletins {
                        self.by_bulletin.entry(bulletin).or_default().insert(hit.group);
                    }
                    hit
                })
                .collect();
            hits.sort_unstable();
            self.hits[at as usize] = hits.into_boxed_slice();
            self.gaps[at as usize] = gaps.into_boxed_slice();
        }
        Ok(())
    }

    fn intern(&mut self, group: Arc<Group>) -> u32 {
        let at = match self.by_primary.get(group.primary()).copied() {
            Some(at) => {
                let known = &mut self.groups[at as usize];
                if known.group.ids == group.ids && !known.displaced {
                    return at;
                }
                known.displaced = false;
                known.group = Arc::clone(&group);
                at
            }
            None => {
                let at = u32::try_from(self.groups.len()).unwrap_or(u32::MAX);
                self.by_primary.insert(group.primary().clone(), at);
                self.groups.push(Scored {
                    group: Arc::clone(&group),
                    rating: None,
                    own: None,
                    score: 0.0,
                    displaced: false,
                });
                at
            }
        };
        for id in &group.ids {
            let before = self.by_id.insert(id.clone(), at);
            if let Some(before) = before.filter(|before| *before != at) {
                self.groups[before as usize].displaced = true;
            }
        }
        at
    }

    /// Reads the signals of every group and scores it anew; CVSS too where it is not known yet.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn rescore<S: AdvisoryStore + ?Sized>(&mut self, store: &S, threads: NonZeroUsize) -> Result<(), StoreError> {
        let weights = self.options.weights;
        let scored = in_chunks(
            &self.groups,
            threads,
            |(): &mut (), scored: &Scored| {
                let mut signals = Signals::default();
                for id in &scored.group.ids {
                    super::judge::merge(&mut signals, store.signals(id)?);
                }
                let rating = match scored.rating {
                    Some(known) => Some(known),
                    None => {
                        let heads: Result<Vec<_>, _> =
                            scored.group.records.iter().map(|record| store.head(*record)).collect();
                        rating_of(heads?.iter().map(|head| &**head))
                    }
                };
                Ok((rating, Score::of(&signals, Rating::preferred(rating, scored.own), &weights).composite))
            },
            || (),
        )?;
        for (group, (rating, score)) in self.groups.iter_mut().zip(scored) {
            (group.rating, group.score) = (rating, score);
        }
        Ok(())
    }

    /// Names of a group, the one to show first at the head.
    #[must_use]
    pub fn group(&self, number: u32) -> &[Text] {
        self.groups.get(number as usize).map_or(&[], |scored| &scored.group.ids)
    }

    /// How many groups were met.
    #[must_use]
    pub fn groups(&self) -> usize {
        self.groups.len()
    }

    /// Composite score of a group.
    #[must_use]
    pub fn score(&self, group: u32) -> f32 {
        self.groups.get(group as usize).map_or(0.0, |scored| scored.score)
    }

    /// The hits of a distinct package, findings or not.
    #[must_use]
    pub fn hits(&self, package: u32) -> &[Hit] {
        self.hits.get(package as usize).map_or(&[], |hits| hits)
    }

    /// What cannot be said about a distinct package.
    #[must_use]
    pub fn gaps(&self, package: u32) -> &[GapReason] {
        self.gaps.get(package as usize).map_or(&[], |gaps| gaps)
    }

    /// Every finding of every asset, ascending.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn rows<S: AdvisoryStore + ?Sized>(&self, store: &S, fleet: &Fleet) -> Result<Vec<Row>, StoreError> {
        let counts: Vec<u32> = self
            .hits
            .iter()
            .map(|hits| u32::try_from(hits.iter().filter(|hit| hit.is_finding()).count()).unwrap_or(0))
            .collect();
        let total: usize = (0..fleet.assets())
            .map(|asset| fleet.members(asset).iter().map(|at| counts[*at as usize] as usize).sum::<usize>())
            .sum();
        let mut rows = Vec::with_capacity(total);
        let mut judge = Judge::new(store);
        for asset in 0..fleet.assets() {
            self.rows_of(&mut judge, fleet, asset, &mut rows)?;
        }
        Ok(rows)
    }

    fn rows_of<S: AdvisoryStore + ?Sized>(
        &self,
        judge: &mut Judge<'_, S>,
        fleet: &Fleet,
        asset: u32,
        rows: &mut Vec<Row>,
    ) -> Result<(), StoreError> {
        for package in fleet.members(asset) {
            let hits = self.hits(*package);
            if hits.iter().any(|hit| hit.restricted) {
                self.whole_asset(judge, fleet, asset, *package, rows)?;
                continue;
            }
            let findings = hits.iter().filter(|hit| hit.is_finding());
            rows.extend(findings.map(|hit| Row { asset, package: *package, group: hit.group }));
        }
        Ok(())
    }

    /// A package one of whose configurations asks for something else on the asset: judged with all the asset carries.
    fn whole_asset<S: AdvisoryStore + ?Sized>(
        &self,
        judge: &mut Judge<'_, S>,
        fleet: &Fleet,
        asset: u32,
        package: u32,
        rows: &mut Vec<Row>,
    ) -> Result<(), StoreError> {
        let carried: Vec<Package> = fleet
            .members(asset)
            .iter()
            .map(|at| &fleet.packages[*at as usize])
            .filter(|package| !package.cpes.is_empty())
            .cloned()
            .collect();
        let verdict = judge.judge(&fleet.packages[package as usize], &products(&carried, &self.options.platform))?;
        let mut found: Vec<Row> = verdict
            .decided
            .iter()
            .filter(|decided| {
                !decided.restricted && decided.state.is_finding() && decided.confidence >= Confidence::FINDING
            })
            .filter_map(|decided| {
                let group = *self.by_primary.get(decided.group.primary())?;
                Some(Row { asset, package, group })
            })
            .collect();
        found.sort_unstable();
        rows.extend(found);
        Ok(())
    }

    /// Judges anew what changed records touch, in the new snapshot, and tells which findings came and went.
    ///
    /// `changed` are the ids of records that are new, changed, withdrawn or deleted.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn update_advisories<S: AdvisoryStore + ?Sized>(
        &mut self,
        store: &S,
        fleet: &Fleet,
        changed: &[Text],
        threads: NonZeroUsize,
    ) -> Result<Vec<RowChange>, StoreError> {
        let mut groups: BTreeSet<u32> = BTreeSet::new();
        let mut touched = BTreeSet::new();
        for id in changed {
            groups.extend(self.by_id.get(id));
            groups.extend(self.by_bulletin.get(id).into_iter().flatten());
            for record in store.by_id(id)? {
                let advisory = store.advisory(record)?;
                groups.extend(
                    advisory
                        .head
                        .aliases
                        .iter()
                        .chain(&advisory.head.addresses)
                        .filter_map(|alias| self.by_id.get(alias)),
                );
                if advisory.head.id != *id {
                    continue;
                }
                for affected in &advisory.affected {
                    let key = (affected.package.ecosystem.clone(), affected.package.name.clone());
                    touched.extend(fleet.by_name.get(&key).into_iter().flatten().copied());
                    // Statements in words are read for products whose CPE names use the same.
                    if let (Ecosystem::Generic, Some((vendor, product))) = (&key.0, key.1.split_once(':')) {
                        let key = (vendor.to_owned(), product.to_owned());
                        touched.extend(fleet.by_product.get(&key).into_iter().flatten().copied());
                    }
                }
                for (vendor, product) in vulnerable_products(&advisory.configurations) {
                    if [&vendor, &product].iter().any(|text| text.contains(['*', '?'])) {
                        let meant = fleet.by_product.iter().filter(|((its_vendor, its_product), _)| {
                            wildcard(&vendor, its_vendor) && wildcard(&product, its_product)
                        });
                        touched.extend(meant.flat_map(|(_, packages)| packages).copied());
                    } else {
                        touched.extend(fleet.by_product.get(&(vendor, product)).into_iter().flatten().copied());
                    }
                }
            }
        }
        // What a record spoke of before is where its groups were hit.
        for (at, hits) in self.hits.iter().enumerate() {
            if hits.iter().any(|hit| groups.contains(&hit.group)) {
                touched.insert(number(at)?);
            }
        }
        for group in groups {
            let scored = &mut self.groups[group as usize];
            (scored.rating, scored.own) = (None, None);
        }
        self.redo(store, fleet, &touched.into_iter().collect::<Vec<_>>(), threads)
    }

    fn redo<S: AdvisoryStore + ?Sized>(
        &mut self,
        store: &S,
        fleet: &Fleet,
        touched: &[u32],
        threads: NonZeroUsize,
    ) -> Result<Vec<RowChange>, StoreError> {
        let before: Vec<Box<[Hit]>> = touched.iter().map(|at| self.hits[*at as usize].clone()).collect();
        let first_new = self.groups.len();
        self.judge(store, fleet, touched, threads)?;
        let unscored: Vec<usize> =
            (0..self.groups.len()).filter(|at| *at >= first_new || self.groups[*at].rating.is_none()).collect();
        self.rescore_some(store, &unscored)?;
        let mut judge = Judge::new(store);
        let mut changes = Vec::new();
        for (at, old) in touched.iter().zip(before) {
            let new = &self.hits[*at as usize];
            let restricted = old.iter().chain(new.iter()).any(|hit| hit.restricted);
            // What a configuration asks for may have changed although the hit is the same.
            if old == *new && !restricted {
                continue;
            }
            for asset in fleet.holders(*at) {
                let row = |hit: &Hit| Row { asset, package: *at, group: hit.group };
                if restricted {
                    let mut rows = Vec::new();
                    self.whole_asset(&mut judge, fleet, asset, *at, &mut rows)?;
                    let gone: BTreeSet<Row> = old.iter().filter(|hit| hit.may_be_finding()).map(row).collect();
                    changes.extend(gone.into_iter().filter(|row| !rows.contains(row)).map(RowChange::Gone));
                    changes.extend(rows.into_iter().map(RowChange::New));
                    continue;
                }
                let gone = old.iter().filter(|hit| hit.is_finding() && !new.contains(hit));
                changes.extend(gone.map(|hit| RowChange::Gone(row(hit))));
                let came = new.iter().filter(|hit| hit.is_finding() && !old.contains(hit));
                changes.extend(came.map(|hit| RowChange::New(row(hit))));
            }
        }
        changes.sort_unstable();
        Ok(changes)
    }

    fn rescore_some<S: AdvisoryStore + ?Sized>(&mut self, store: &S, which: &[usize]) -> Result<(), StoreError> {
        for at in which {
            let group = Arc::clone(&self.groups[*at].group);
            let mut signals = Signals::default();
            for id in &group.ids {
                super::judge::merge(&mut signals, store.signals(id)?);
            }
            let mut live = Vec::new();
            for id in &group.ids {
                live.extend(store.by_id(id)?);
            }
            live.sort_unstable();
            live.dedup();
            let heads = live.into_iter().map(|record| store.head(record)).collect::<Result<Vec<_>, _>>()?;
            let rating = rating_of(heads.iter().map(|head| &**head).filter(|head| head.withdrawn.is_none()));
            let scored = &mut self.groups[*at];
            scored.rating = rating;
            scored.score = Score::of(&signals, Rating::preferred(rating, scored.own), &self.options.weights).composite;
        }
        Ok(())
    }

    /// Gives an asset another set of packages, judges those that are new to the fleet, and tells which findings came
    /// and went.
    ///
    /// # Errors
    /// If the store cannot be read or there is no such asset.
    pub fn update_asset<S: AdvisoryStore + ?Sized>(
        &mut self,
        store: &S,
        fleet: &mut Fleet,
        asset: u32,
        packages: Vec<Package>,
    ) -> Result<Vec<RowChange>, StoreError> {
        if asset >= fleet.assets() {
            return Err(StoreError(format!("there is no asset number {asset}")));
        }
        let mut judge = Judge::new(store);
        let mut before = Vec::new();
        self.rows_of(&mut judge, fleet, asset, &mut before)?;
        let mut members = Vec::with_capacity(packages.len());
        let mut new = Vec::new();
        for package in packages {
            let at = match fleet.find(&package) {
                Some(known) => known,
                None => {
                    let at = fleet.push(package)?;
                    self.hits.push(Box::default());
                    self.gaps.push(Box::default());
                    new.push(at);
                    at
                }
            };
            members.push(at);
        }
        members.sort_unstable();
        members.dedup();
        let first_new = self.groups.len();
        self.judge(store, fleet, &new, NonZeroUsize::MIN)?;
        let unscored: Vec<usize> = (first_new..self.groups.len()).collect();
        self.rescore_some(store, &unscored)?;
        fleet.replaced.insert(asset, members);
        let mut after = Vec::new();
        self.rows_of(&mut judge, fleet, asset, &mut after)?;
        let (old, now): (BTreeSet<Row>, BTreeSet<Row>) = (before.into_iter().collect(), after.into_iter().collect());
        let mut changes: Vec<RowChange> = old.difference(&now).copied().map(RowChange::Gone).collect();
        changes.extend(now.difference(&old).copied().map(RowChange::New));
        Ok(changes)
    }
}

type Compact = (Vec<(Arc<Group>, Hit, Reading)>, Vec<GapReason>);

/// What was read for a hit, as far as updates and scores need it.
struct Reading {
    /// Ids of records that address the vulnerability without being a name of it.
    bulletins: Vec<Text>,
    /// The highest rating of those of them that address nothing else.
    own: Option<Rating>,
}

impl Reading {
    fn of(decided: &Decided) -> Self {
        let others = decided.read.iter().map(|read| &*read.head).filter(|head| !head.addresses.is_empty());
        let mut bulletins: Vec<Text> = others.clone().map(|head| head.id.clone()).collect();
        bulletins.sort_unstable();
        bulletins.dedup();
        let own = if bulletins.is_empty() { None } else { rating_of(others.filter(|head| head.addresses.len() == 1)) };
        Self { bulletins, own }
    }
}

fn compact(verdict: Verdict) -> Compact {
    let decided = verdict
        .decided
        .into_iter()
        .map(|decided| {
            let reading = Reading::of(&decided);
            let hit = Hit {
                group: 0,
                state: decided.state,
                kind: decided.kind,
                method: decided.method,
                confidence: decided.confidence,
                restricted: decided.restricted,
            };
            (decided.group, hit, reading)
        })
        .collect();
    (decided, verdict.gaps)
}

/// Vendor and product of every vulnerable criterion.
fn vulnerable_products(configurations: &[crate::cpe::Configuration]) -> BTreeSet<(String, String)> {
    let mut products = BTreeSet::new();
    let mut open: Vec<&crate::cpe::Node> = configurations.iter().flat_map(|one| &one.nodes).collect();
    while let Some(node) = open.pop() {
        let vulnerable = node.matches.iter().filter(|criterion| criterion.vulnerable);
        products.extend(vulnerable.filter_map(|criterion| vendor_and_product(&criterion.criteria)));
        open.extend(&node.children);
    }
    products
}

/// Applies `work` to every item, in threads that each have a state of their own; answers in the order of the items.
fn in_chunks<T: Sync, R: Send, W>(
    items: &[T],
    threads: NonZeroUsize,
    work: impl Fn(&mut W, &T) -> Result<R, StoreError> + Sync,
    state: impl Fn() -> W + Sync,
) -> Result<Vec<R>, StoreError> {
    /// Chunks a thread takes on average: enough to even out, few enough to keep neighbours together.
    const CHUNKS: usize = 16;
    if threads.get() == 1 || items.len() < 256 {
        let mut state = state();
        return items.iter().map(|item| work(&mut state, item)).collect();
    }
    let size = items.len().div_ceil(threads.get() * CHUNKS).max(1);
    let chunks: Vec<&[T]> = items.chunks(size).collect();
    let next = AtomicUsize::new(0);
    type Done<R> = Vec<(usize, Result<Vec<R>, StoreError>)>;
    let done: Mutex<Done<R>> = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..threads.get() {
            scope.spawn(|| {
                let mut state = state();
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(chunk) = chunks.get(at) else { break };
                    let result = chunk.iter().map(|item| work(&mut state, item)).collect();
                    done.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push((at, result));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    done.sort_by_key(|(at, _)| *at);
    let mut all = Vec::with_capacity(items.len());
    for (_, result) in done {
        all.extend(result?);
    }
    Ok(all)
}
