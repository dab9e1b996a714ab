//! Intervals of versions.

use crate::SortKey;

/// An end of an interval.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    /// The version.
    pub key: SortKey,
    /// Whether the version itself belongs to the interval.
    pub inclusive: bool,
}

impl Bound {
    /// The version belongs to the interval.
    #[must_use]
    pub fn including(key: SortKey) -> Self {
        Self { key, inclusive: true }
    }

    /// The version does not.
    #[must_use]
    pub fn excluding(key: SortKey) -> Self {
        Self { key, inclusive: false }
    }
}

/// All versions between two ends; an absent end is open.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Interval {
    /// The lower end.
    pub low: Option<Bound>,
    /// The upper end.
    pub high: Option<Bound>,
}

impl Interval {
    /// Whether a version lies in it.
    #[must_use]
    pub fn contains(&self, key: &SortKey) -> bool {
        let above = self.low.as_ref().is_none_or(|low| if low.inclusive { *key >= low.key } else { *key > low.key });
        above && self.high.as_ref().is_none_or(|high| if high.inclusive { *key <= high.key } else { *key < high.key })
    }

    /// What lies in both.
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Self {
        let low = match (&self.low, &other.low) {
            (Some(a), Some(b)) => Some(match a.key.cmp(&b.key) {
                std::cmp::Ordering::Greater => a.clone(),
                std::cmp::Ordering::Less => b.clone(),
                std::cmp::Ordering::Equal => Bound { key: a.key.clone(), inclusive: a.inclusive && b.inclusive },
            }),
            (a, b) => a.clone().or_else(|| b.clone()),
        };
        let high = match (&self.high, &other.high) {
            (Some(a), Some(b)) => Some(match a.key.cmp(&b.key) {
                std::cmp::Ordering::Less => a.clone(),
                std::cmp::Ordering::Greater => b.clone(),
                std::cmp::Ordering::Equal => Bound { key: a.key.clone(), inclusive: a.inclusive && b.inclusive },
            }),
            (a, b) => a.clone().or_else(|| b.clone()),
        };
        Self { low, high }
    }

    /// Whether no version can lie in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match (&self.low, &self.high) {
            (Some(low), Some(high)) => low.key > high.key || low.key == high.key && !(low.inclusive && high.inclusive),
            _ => false,
        }
    }
}

/// A union of intervals.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VersionSet {
    intervals: Vec<Interval>,
}

impl VersionSet {
    /// No version.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// Every version.
    #[must_use]
    pub fn all() -> Self {
        Self { intervals: vec![Interval::default()] }
    }

    /// The union of intervals; empty ones are dropped.
    #[must_use]
    pub fn of(intervals: impl IntoIterator<Item = Interval>) -> Self {
        Self { intervals: intervals.into_iter().filter(|interval| !interval.is_empty()).collect() }
    }

    /// Whether a version belongs to it.
    #[must_use]
    pub fn contains(&self, key: &SortKey) -> bool {
        self.intervals.iter().any(|interval| interval.contains(key))
    }

    /// Adds another set.
    pub fn extend(&mut self, other: Self) {
        self.intervals.extend(other.intervals);
    }

    /// What is in both: at most the product of both sizes.
    #[must_use]
    pub fn intersect(&self, other: &Self) -> Self {
        Self::of(self.intervals.iter().flat_map(|a| other.intervals.iter().map(|b| a.intersect(b))))
    }

    /// The intervals, as they were added.
    #[must_use]
    pub fn intervals(&self) -> &[Interval] {
        &self.intervals
    }

    /// Whether one interval is open at both ends.
    #[must_use]
    pub fn is_all(&self) -> bool {
        self.intervals.iter().any(|interval| interval.low.is_none() && interval.high.is_none())
    }
}
