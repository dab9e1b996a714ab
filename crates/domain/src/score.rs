//! One number per asset and per scan, with its formula in the open.
//!
//! Formula 1: an asset starts at 100; each check that fails on it counts once, at its worst severity, and takes
//! 40 / 15 / 5 / 1 / 0 for critical / high / medium / low / info; an open critical caps the asset at 49, an open
//! high at 79. A scan is the mean over its assets, weighted by criticality. An asset on which nothing was
//! evaluated has no score, and a scan without a scored asset has none: absence of evidence is never 100.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::coverage::OutcomeCounts;
use crate::{AssetRef, CheckId, Outcome, Severity, Verdict};

/// Version of the formula, published with every score.
pub const FORMULA_VERSION: &str = "1";

/// The check that only says whether open ports mean anything at all: it passes on any machine that answers, so that its
/// pass alone assesses nothing.
const PRELIMINARY: &str = "svc.everything_open";

/// Score of one asset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AssetScore {
    /// The asset.
    pub asset: AssetRef,
    /// 0 to 100; `None` if nothing was evaluated or the asset was not reached.
    pub value: Option<u8>,
}

/// Score of a scan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// 0 to 100 with one decimal; `None` if no asset has a score.
    pub value: Option<f64>,
    /// [`FORMULA_VERSION`].
    pub formula: String,
    /// Share of planned verdicts that are conclusive.
    pub coverage: Option<f64>,
    /// The asset with the lowest score.
    pub worst: Option<AssetScore>,
    /// Every asset.
    pub assets: Vec<AssetScore>,
}

/// Scores one asset from its verdicts. `reached` is [`crate::evidence::HostEvidence::reached`].
#[must_use]
pub fn asset_score(verdicts: &[Verdict], reached: bool) -> Option<u8> {
    let judged =
        |v: &&Verdict| matches!(v.outcome, Outcome::Pass | Outcome::Fail) && v.check_id.as_str() != PRELIMINARY;
    let evaluated = verdicts.iter().filter(judged).count() > 0;
    if !reached || !evaluated {
        return None;
    }
    let failed = verdicts.iter().filter(|v| v.outcome == Outcome::Fail);
    Some(score_of_open(failed.map(|verdict| (&verdict.check_id, verdict.severity.unwrap_or(Severity::Info)))))
}

/// The score that failures leave: each check counts once at its worst severity, and the caps apply.
#[must_use]
pub fn score_of_open<'a>(failures: impl Iterator<Item = (&'a CheckId, Severity)>) -> u8 {
    let mut worst: BTreeMap<&CheckId, Severity> = BTreeMap::new();
    for (check, severity) in failures {
        let entry = worst.entry(check).or_insert(severity);
        *entry = (*entry).max(severity);
    }
    let lost: u32 = worst.values().map(|severity| penalty(*severity)).sum();
    let cap = match worst.values().max() {
        Some(Severity::Critical) => 49,
        Some(Severity::High) => 79,
        _ => 100,
    };
    // At most 100 and so within a byte.
    u8::try_from(100_u32.saturating_sub(lost).min(cap)).unwrap_or(0)
}

/// Combines asset scores, all of the same criticality. `counts` are over all verdicts of the scan.
#[must_use]
pub fn scan_score(assets: Vec<AssetScore>, counts: OutcomeCounts) -> Score {
    let scored: Vec<u8> = assets.iter().filter_map(|asset| asset.value).collect();
    #[expect(clippy::cast_precision_loss, reason = "a scan has far fewer than 2^52 assets")]
    let value = (!scored.is_empty()).then(|| {
        let sum: f64 = scored.iter().map(|value| f64::from(*value)).sum();
        (sum / scored.len() as f64 * 10.0).round() / 10.0
    });
    let worst = assets.iter().filter(|asset| asset.value.is_some()).min_by_key(|asset| asset.value).cloned();
    Score { value, formula: FORMULA_VERSION.to_owned(), coverage: counts.ratio(), worst, assets }
}

const fn penalty(severity: Severity) -> u32 {
    match severity {
        Severity::Critical => 40,
        Severity::High => 15,
        Severity::Medium => 5,
        Severity::Low => 1,
        Severity::Info => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Location;

    fn verdict(check: &str, location: &str, outcome: Outcome, severity: Option<Severity>) -> Verdict {
        Verdict {
            check_id: CheckId::parse(check).unwrap(),
            asset: AssetRef::Domain("a.test".into()),
            location: Location::from_stored(location),
            outcome,
            reason: None,
            severity,
            confidence: None,
            evidence: serde_json::Value::Null,
        }
    }

    #[test]
    fn nothing_assessed_has_no_score() {
        assert_eq!(asset_score(&[], true), None);
        assert_eq!(asset_score(&[verdict("a.b", "host", Outcome::NotTested, None)], true), None);
        assert_eq!(asset_score(&[verdict("a.b", "host", Outcome::Error, None)], true), None);
        assert_eq!(asset_score(&[verdict("a.b", "host", Outcome::Pass, None)], false), None);
        assert_eq!(asset_score(&[verdict(PRELIMINARY, "host", Outcome::Pass, None)], true), None);
        assert_eq!(scan_score(vec![], OutcomeCounts::default()).value, None);
    }

    #[test]
    fn a_check_counts_once_at_its_worst_and_highs_cap() {
        let verdicts = [
            verdict("a.low", "tcp/80", Outcome::Fail, Some(Severity::Low)),
            verdict("a.low", "tcp/443", Outcome::Fail, Some(Severity::Low)),
            verdict("a.ok", "tcp/443", Outcome::Pass, None),
        ];
        assert_eq!(asset_score(&verdicts, true), Some(99));
        let high = [verdict("a.high", "tcp/80", Outcome::Fail, Some(Severity::High))];
        assert_eq!(asset_score(&high, true), Some(79));
        let critical = [verdict("a.crit", "tcp/80", Outcome::Fail, Some(Severity::Critical))];
        assert_eq!(asset_score(&critical, true), Some(49));
    }
}
