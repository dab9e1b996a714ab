//! The composite score and its parts.
//!
//! A weighted mean over sources, each scaled to 0–10 first: a catalogue of exploited vulnerabilities 10 or 0, a published
//! exploit by the kind of list that names it, EPSS ten times its probability, CVSS as it is, or the severity word of a
//! record where no CVSS is stated. A source that says nothing (no EPSS, no severity, no catalogue at hand) is left out of
//! the denominator. The parts are kept, so that a reader can check the sum.
//!
//! The order of what to fix first ([`priority`]) cannot leave a source out. There a vulnerability that EPSS does not know
//! stands where its severity puts it: one percent for each point of its rating, five and a half where nothing is stated.
//! That is above the mass of scored ones, whose EPSS is below one percent, and below those that are likely to be
//! exploited. It moves nothing but the order, and is never shown as EPSS.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::model::{AdvisoryHead, AdvisoryKind, ExploitIndex, Match, ScoreSystem, SeverityScore, Signals};

/// What to fix first, 0 to 10, with the parts it was made of.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// The weighted mean of the parts that are known, 0.0 to 10.0.
    pub composite: f32,
    /// The parts, in the order of [`ScoreSource`].
    pub parts: Vec<ScorePart>,
}

/// One part of a composite score.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ScorePart {
    /// What it is.
    pub source: ScoreSource,
    /// Scaled to 0.0 to 10.0.
    pub value: f32,
    /// Its weight.
    pub weight: f32,
}

/// A source of scores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScoreSource {
    /// In a catalogue of exploited vulnerabilities: 10 or 0.
    Kev,
    /// An exploit is published: Metasploit 10, Nuclei 9, ExploitDB 8, proof of concept 6, none 0.
    Exploit,
    /// EPSS, ten times the probability.
    Epss,
    /// The base score of the newest CVSS version stated; of several asserters the highest.
    Cvss,
    /// The severity in words, where no CVSS is stated: the middle of the band that CVSS calls so (critical 9.5, high 8.0,
    /// medium 5.5, low 2.0, none 0). It has the weight of [`Self::Cvss`].
    Severity,
}

/// How severe records call a vulnerability, 0.0 to 10.0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rating {
    /// A base score.
    Cvss(f32),
    /// A word.
    Word(f32),
}

impl Rating {
    /// Of two, the one that says more: a base score before a word, then the first.
    #[must_use]
    pub fn preferred(first: Option<Self>, second: Option<Self>) -> Option<Self> {
        match (first, second) {
            (Some(Self::Word(_)), Some(Self::Cvss(score))) => Some(Self::Cvss(score)),
            (first, second) => first.or(second),
        }
    }

    /// Of two, the one that says more: a base score before a word, then the higher.
    #[must_use]
    pub fn highest(first: Option<Self>, second: Option<Self>) -> Option<Self> {
        match (first, second) {
            (Some(Self::Cvss(a)), Some(Self::Cvss(b))) => Some(Self::Cvss(a.max(b))),
            (Some(Self::Word(a)), Some(Self::Word(b))) => Some(Self::Word(a.max(b))),
            (first, second) => Self::preferred(first, second),
        }
    }
}

/// What a word stands for.
fn word(label: &str) -> Option<f32> {
    Some(match label.trim().to_ascii_lowercase().as_str() {
        "critical" => 9.5,
        "high" | "important" => 8.0,
        "medium" | "moderate" => 5.5,
        "low" => 2.0,
        "negligible" | "unimportant" | "info" | "none" => 0.0,
        _ => return None,
    })
}

/// The rating that these records come to: CVSS ([`cvss_of`]), else the highest word.
#[must_use]
pub fn rating_of<'h>(heads: impl IntoIterator<Item = &'h AdvisoryHead> + Clone) -> Option<Rating> {
    let words =
        heads.clone().into_iter().flat_map(|head| &head.severities).filter_map(|severity| word(&severity.label));
    cvss_of(heads).map(Rating::Cvss).or_else(|| words.max_by(f32::total_cmp).map(Rating::Word))
}

/// The weights of a composite score. A weight of zero leaves the source out.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Weights {
    /// Weight of [`ScoreSource::Kev`].
    pub kev: f32,
    /// Weight of [`ScoreSource::Exploit`].
    pub exploit: f32,
    /// Weight of [`ScoreSource::Epss`].
    pub epss: f32,
    /// Weight of [`ScoreSource::Cvss`].
    pub cvss: f32,
    /// Whether a catalogue of exploited vulnerabilities is at hand. Without one, that it names nothing says nothing.
    pub kev_at_hand: bool,
    /// Whether an index of exploits is at hand.
    pub exploits_at_hand: bool,
}

impl Default for Weights {
    fn default() -> Self {
        Self { kev: 2.0, exploit: 1.0, epss: 1.5, cvss: 1.0, kev_at_hand: true, exploits_at_hand: true }
    }
}

impl Score {
    /// The score of a vulnerability.
    #[must_use]
    pub fn of(signals: &Signals, rating: Option<Rating>, weights: &Weights) -> Self {
        let rating = match rating {
            Some(Rating::Word(value)) => (ScoreSource::Severity, Some(value), weights.cvss),
            Some(Rating::Cvss(value)) => (ScoreSource::Cvss, Some(value), weights.cvss),
            None => (ScoreSource::Cvss, None, weights.cvss),
        };
        let exploit = signals.exploits.iter().min().map(|best| match best {
            ExploitIndex::Metasploit => 10.0,
            ExploitIndex::Nuclei => 9.0,
            ExploitIndex::ExploitDb => 8.0,
            ExploitIndex::Poc => 6.0,
        });
        let kev = (!signals.kev.is_empty()).then_some(10.0);
        let parts = [
            (ScoreSource::Kev, kev.or(weights.kev_at_hand.then_some(0.0)), weights.kev),
            (ScoreSource::Exploit, exploit.or(weights.exploits_at_hand.then_some(0.0)), weights.exploit),
            (ScoreSource::Epss, signals.epss.map(|epss| epss.score * 10.0), weights.epss),
            rating,
        ];
        let parts: Vec<ScorePart> = parts
            .into_iter()
            .filter(|(_, _, weight)| *weight > 0.0)
            .filter_map(|(source, value, weight)| {
                let value = value.filter(|value| value.is_finite())?.clamp(0.0, 10.0);
                Some(ScorePart { source, value, weight })
            })
            .collect();
        let weight: f32 = parts.iter().map(|part| part.weight).sum();
        let sum: f32 = parts.iter().map(|part| part.value * part.weight).sum();
        Self { composite: if weight > 0.0 { sum / weight } else { 0.0 }, parts }
    }

    /// The parts that have a weight and about which nothing is known.
    #[must_use]
    pub fn unknown(&self, weights: &Weights) -> Vec<ScoreSource> {
        let has = |source: ScoreSource| self.parts.iter().any(|part| part.source == source);
        let all = [
            (ScoreSource::Kev, weights.kev),
            (ScoreSource::Exploit, weights.exploit),
            (ScoreSource::Epss, weights.epss),
            (ScoreSource::Cvss, weights.cvss),
        ];
        all.into_iter()
            .filter(|(source, weight)| *weight > 0.0 && !has(*source))
            .filter(|(source, _)| *source != ScoreSource::Cvss || !has(ScoreSource::Severity))
            .map(|(source, _)| source)
            .collect()
    }

    /// What the order takes for the severity, if any is stated.
    fn rating(&self) -> Option<f32> {
        self.part(ScoreSource::Cvss).or_else(|| self.part(ScoreSource::Severity))
    }

    /// What the order takes for EPSS, ten times a probability.
    fn likelihood(&self) -> f32 {
        self.part(ScoreSource::Epss).unwrap_or_else(|| self.rating().unwrap_or(UNRATED) / 10.0)
    }

    /// The value of one part, if it is known.
    #[must_use]
    pub fn part(&self, source: ScoreSource) -> Option<f32> {
        self.parts.iter().find(|part| part.source == source).map(|part| part.value)
    }
}

/// What the order takes for a severity that nobody states.
const UNRATED: f32 = 5.5;

/// What to fix first: malicious packages, then exploited, then exploitable, then EPSS (or what stands in for it, see the
/// module), then severity, then the composite score; equal ones by id and package. Descending, total.
#[must_use]
pub fn priority(a: &Match, b: &Match) -> Ordering {
    let by = |source: ScoreSource| {
        let value = |m: &Match| m.score.part(source).unwrap_or(-1.0);
        value(b).total_cmp(&value(a))
    };
    let harmless = |m: &Match| m.kind != AdvisoryKind::Malicious;
    harmless(a)
        .cmp(&harmless(b))
        .then_with(|| by(ScoreSource::Kev))
        .then_with(|| by(ScoreSource::Exploit))
        .then_with(|| b.score.likelihood().total_cmp(&a.score.likelihood()))
        .then_with(|| b.score.rating().unwrap_or(-1.0).total_cmp(&a.score.rating().unwrap_or(-1.0)))
        .then_with(|| b.score.composite.total_cmp(&a.score.composite))
        .then_with(|| a.ids.cmp(&b.ids))
        .then_with(|| a.package.cmp(&b.package))
}

/// The base score of one assertion: as stated, or computed from its vector (CVSS 2, 3.0, 3.1, 4.0).
#[must_use]
pub fn base_score(severity: &SeverityScore) -> Option<f32> {
    if let Some(score) = severity.score {
        return (0.0..=10.0).contains(&score).then_some(score);
    }
    if severity.vector.is_empty() || severity.vector.len() > 512 {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "a score has one decimal place")]
    severity.vector.parse::<cvss::Cvss>().ok().map(|vector| vector.score() as f32)
}

/// The score of the newest CVSS version stated in any of these records; of several asserters the highest.
#[must_use]
pub fn cvss_of<'h>(heads: impl IntoIterator<Item = &'h AdvisoryHead>) -> Option<f32> {
    heads
        .into_iter()
        .flat_map(|head| &head.severities)
        .filter(|severity| severity.system != ScoreSystem::Vendor)
        .filter_map(|severity| Some((severity.system, base_score(severity)?)))
        .max_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)))
        .map(|(_, score)| score)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Epss, Kev};

    fn vector(system: ScoreSystem, vector: &str) -> SeverityScore {
        SeverityScore { system, vector: vector.into(), score: None, label: "".into(), asserter: "t".into() }
    }

    #[test]
    fn a_catalogue_that_is_not_at_hand_is_left_out() {
        let weights = Weights { kev_at_hand: false, exploits_at_hand: false, ..Weights::default() };
        let score = Score::of(&Signals::default(), Some(Rating::Cvss(9.8)), &weights);
        assert_eq!((score.composite, score.parts.len()), (9.8, 1));
        // What another source says of exploits counts all the same.
        let signals = Signals { exploits: vec![ExploitIndex::Poc], ..Signals::default() };
        assert_eq!(Score::of(&signals, Some(Rating::Cvss(9.8)), &weights).part(ScoreSource::Exploit), Some(6.0));
    }

    #[test]
    fn vectors_give_the_published_scores() {
        for (system, text, score) in [
            (ScoreSystem::CvssV31, "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 9.8),
            (ScoreSystem::CvssV30, "CVSS:3.0/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:N/A:N", 5.5),
            (ScoreSystem::CvssV2, "AV:N/AC:L/Au:N/C:P/I:P/A:P", 7.5),
            (ScoreSystem::CvssV4, "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N", 9.3),
        ] {
            let found = base_score(&vector(system, text)).unwrap();
            assert!((found - score).abs() < 0.01, "{text}: {found}");
        }
        assert_eq!(base_score(&vector(ScoreSystem::CvssV31, "nonsense")), None);
    }

    #[test]
    fn missing_sources_do_not_count() {
        let weights = Weights::default();
        let only_cvss = Score::of(&Signals::default(), Some(Rating::Cvss(9.0)), &weights);
        // 2·0 + 1·0 + 1·9 over a weight of 4: EPSS is not known.
        assert!((only_cvss.composite - 2.25).abs() < 1e-6);
        assert_eq!(only_cvss.parts.len(), 3);
        let exploited = Signals {
            kev: vec![Kev { asserter: "cisa".into(), added: None, due: None, ransomware: false }],
            epss: Some(Epss { score: 0.9, percentile: 0.99, date: None }),
            exploits: vec![ExploitIndex::Poc, ExploitIndex::Metasploit],
            ssvc: None,
        };
        let score = Score::of(&exploited, Some(Rating::Cvss(9.8)), &weights);
        assert_eq!(score.part(ScoreSource::Exploit), Some(10.0));
        assert!(score.composite > 9.0);
    }

    #[test]
    fn what_epss_does_not_know_stands_where_its_severity_puts_it() {
        let weights = Weights::default();
        let found = |id: &str, epss: Option<f32>, rating: Option<Rating>| {
            let epss = epss.map(|score| Epss { score, percentile: 0.5, date: None });
            let signals = Signals { epss, ..Signals::default() };
            Match {
                package: 0,
                ids: vec![id.into()],
                state: crate::model::MatchState::Affected,
                kind: AdvisoryKind::Vulnerability,
                method: crate::model::Method::Ecosystem,
                confidence: crate::model::Confidence::EXACT,
                fixed: Vec::new(),
                score: Score::of(&signals, rating, &weights),
                evidence: Vec::new(),
            }
        };
        let mut all = [
            found("known-low", Some(0.001), Some(Rating::Cvss(9.8))),
            found("unknown-low", None, Some(Rating::Word(2.0))),
            found("unrated", None, None),
            found("unknown-high", None, Some(Rating::Word(8.0))),
            found("unknown-critical", None, Some(Rating::Cvss(9.8))),
            found("known-likely", Some(0.2), Some(Rating::Cvss(5.0))),
        ];
        all.sort_by(priority);
        let order: Vec<&str> = all.iter().map(|one| one.ids[0].as_str()).collect();
        let expected = ["known-likely", "unknown-critical", "unknown-high", "unrated", "unknown-low", "known-low"];
        assert_eq!(order, expected);
        assert_eq!(all[2].score.unknown(&weights), [ScoreSource::Epss]);
        assert_eq!(all[3].score.unknown(&weights), [ScoreSource::Epss, ScoreSource::Cvss]);
        assert_eq!(all[5].score.unknown(&weights), []);
    }

    #[test]
    fn words_count_where_no_score_is_stated() {
        let head = |vector_text: &str, label: &str| AdvisoryHead {
            id: "X".into(),
            source: "t".into(),
            aliases: Vec::new(),
            addresses: Vec::new(),
            withdrawn: None,
            kind: AdvisoryKind::Vulnerability,
            severities: vec![SeverityScore { label: label.into(), ..vector(ScoreSystem::CvssV31, vector_text) }],
            revision: "".into(),
        };
        let heads = [head("", "Moderate"), head("", "HIGH"), head("", "nonsense")];
        assert_eq!(rating_of(&heads), Some(Rating::Word(8.0)));
        let with_score = [head("", "critical"), head("CVSS:3.0/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:N/A:N", "")];
        assert_eq!(rating_of(&with_score), Some(Rating::Cvss(5.5)));
        let score = Score::of(&Signals::default(), rating_of(&heads), &Weights::default());
        assert_eq!((score.part(ScoreSource::Severity), score.part(ScoreSource::Cvss)), (Some(8.0), None));
        assert_eq!(Rating::preferred(Some(Rating::Word(8.0)), Some(Rating::Cvss(3.0))), Some(Rating::Cvss(3.0)));
    }
}
