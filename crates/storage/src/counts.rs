//! Counts by severity, as lists, scans and the overview show them.

use bartizan_domain::Severity;

/// How many of each severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SeverityCounts {
    /// Critical.
    pub critical: u64,
    /// High.
    pub high: u64,
    /// Medium.
    pub medium: u64,
    /// Low.
    pub low: u64,
    /// Info.
    pub info: u64,
}

impl SeverityCounts {
    /// All of them.
    #[must_use]
    pub const fn total(self) -> u64 {
        self.critical + self.high + self.medium + self.low + self.info
    }

    /// How many of `severity`, to be changed.
    pub const fn of(&mut self, severity: Severity) -> &mut u64 {
        match severity {
            Severity::Critical => &mut self.critical,
            Severity::High => &mut self.high,
            Severity::Medium => &mut self.medium,
            Severity::Low => &mut self.low,
            Severity::Info => &mut self.info,
        }
    }

    /// Adds `count` of `severity`.
    pub const fn add(&mut self, severity: Severity, count: u64) {
        *self.of(severity) += count;
    }

    /// Takes `count` of `severity` away; never below none.
    pub const fn remove(&mut self, severity: Severity, count: u64) {
        let field = self.of(severity);
        *field = field.saturating_sub(count);
    }

    /// The worst severity of which there is one.
    #[must_use]
    pub fn worst(self) -> Option<Severity> {
        [
            (Severity::Critical, self.critical),
            (Severity::High, self.high),
            (Severity::Medium, self.medium),
            (Severity::Low, self.low),
            (Severity::Info, self.info),
        ]
        .into_iter()
        .find(|(_, count)| *count > 0)
        .map(|(severity, _)| severity)
    }
}

impl FromIterator<Severity> for SeverityCounts {
    fn from_iter<I: IntoIterator<Item = Severity>>(severities: I) -> Self {
        let mut counts = Self::default();
        for severity in severities {
            counts.add(severity, 1);
        }
        counts
    }
}

/// A count as the database returns it.
pub(crate) fn unsigned(count: i64) -> u64 {
    u64::try_from(count).unwrap_or(0)
}

/// A count as the database stores it.
pub(crate) fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
