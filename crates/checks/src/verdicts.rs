//! How a check states its verdicts.

use bartizan_catalog::CheckMeta;
use bartizan_domain::evidence::{Endpoint, Observation, Section};
use bartizan_domain::{AssetRef, Confidence, Location, Outcome, Severity, Verdict};
use serde_json::Value;

/// A failure with its particulars.
#[derive(Debug, Clone)]
pub struct Fail {
    /// Severity where it differs from the check's default.
    pub severity: Option<Severity>,
    /// How sure.
    pub confidence: Confidence,
    /// The facts, a JSON object.
    pub evidence: Value,
}

impl Fail {
    /// A confirmed failure at the default severity.
    #[must_use]
    pub const fn new(evidence: Value) -> Self {
        Self { severity: None, confidence: Confidence::Confirmed, evidence }
    }

    /// The same at another severity.
    #[must_use]
    pub const fn severity(mut self, severity: Severity) -> Self {
        self.severity = Some(severity);
        self
    }

    /// The same with less certainty.
    #[must_use]
    pub const fn confidence(mut self, confidence: Confidence) -> Self {
        self.confidence = confidence;
        self
    }
}

/// Collects the verdicts of one check on one asset.
#[derive(Debug)]
pub struct Verdicts<'a> {
    meta: &'a CheckMeta,
    asset: &'a AssetRef,
    list: Vec<Verdict>,
}

impl<'a> Verdicts<'a> {
    /// An empty list for `meta` on `asset`.
    #[must_use]
    pub const fn new(meta: &'a CheckMeta, asset: &'a AssetRef) -> Self {
        Self { meta, asset, list: Vec::new() }
    }

    /// The rule is broken at `location`.
    pub fn fail(&mut self, location: Location, fail: Fail) {
        let severity = fail.severity.unwrap_or(self.meta.severity);
        let mut verdict = self.verdict(location, Outcome::Fail, None);
        verdict.severity = Some(severity);
        verdict.confidence = Some(fail.confidence);
        verdict.evidence = fail.evidence;
        self.list.push(verdict);
    }

    /// The rule was evaluated and holds at `location`.
    pub fn pass(&mut self, location: Location) {
        let verdict = self.verdict(location, Outcome::Pass, None);
        self.list.push(verdict);
    }

    /// The probe was made and did not yield what is needed.
    pub fn error(&mut self, location: Location, reason: impl Into<String>) {
        let verdict = self.verdict(location, Outcome::Error, Some(reason.into()));
        self.list.push(verdict);
    }

    /// The probe was not made.
    pub fn not_tested(&mut self, location: Location, reason: impl Into<String>) {
        let verdict = self.verdict(location, Outcome::NotTested, Some(reason.into()));
        self.list.push(verdict);
    }

    /// The rule cannot apply at `location`.
    pub fn not_applicable(&mut self, location: Location, reason: impl Into<String>) {
        let verdict = self.verdict(location, Outcome::NotApplicable, Some(reason.into()));
        self.list.push(verdict);
    }

    /// Judges every endpoint of a section that was observed, and states the right verdict for the others: a failed
    /// probe is an error, one not made is not tested, and a section without endpoints is not applicable if it is
    /// complete and not tested if it is not.
    pub fn each_endpoint<T>(
        &mut self,
        section: &Section<T>,
        absent: &str,
        mut judge: impl FnMut(&Endpoint, &T, &mut Self),
    ) {
        for item in &section.items {
            let location = item.endpoint.location();
            match &item.observation {
                Observation::Observed(value) => judge(&item.endpoint, value, self),
                other => self.unobserved(location, other),
            }
        }
        match &section.incomplete {
            // What the list lacks was not judged, whatever the rest of it says.
            Some(reason) => self.not_tested(Location::host(), reason.clone()),
            None if section.items.is_empty() => self.not_applicable(Location::host(), absent),
            _ => {}
        }
    }

    /// The observed value, or `None` after stating the right verdict at `location`.
    pub fn observed<'t, T>(&mut self, location: &Location, observation: &'t Observation<T>) -> Option<&'t T> {
        if let Observation::Observed(value) = observation {
            return Some(value);
        }
        self.unobserved(location.clone(), observation);
        None
    }

    /// Takes the verdicts out. A check that said nothing at all is an error: silence must not look like a pass.
    #[must_use]
    pub fn finish(mut self) -> Vec<Verdict> {
        if self.list.is_empty() {
            self.error(Location::host(), "the check gave no verdict");
        }
        self.list
    }

    fn unobserved<T>(&mut self, location: Location, observation: &Observation<T>) {
        match observation {
            Observation::Observed(_) => {}
            Observation::Failed(failure) => self.error(location, failure.to_string()),
            Observation::NotAttempted { reason } => self.not_tested(location, reason.clone()),
            Observation::NotApplicable { reason } => self.not_applicable(location, reason.clone()),
        }
    }

    fn verdict(&self, location: Location, outcome: Outcome, reason: Option<String>) -> Verdict {
        Verdict {
            check_id: self.meta.id.clone(),
            asset: self.asset.clone(),
            location,
            outcome,
            reason,
            severity: None,
            confidence: None,
            evidence: Value::Null,
        }
    }
}
