//! Time: too late, too early, nearly over, too long.

use bartizan_domain::Severity;
use bartizan_domain::evidence::{EvidenceKind, HostEvidence};
use serde_json::json;

use super::path::{self, Origin, Pool};
use super::x509::{Cert, date};
use super::{Case, Judgement, each_chain};
use crate::{Check, Fail, JudgeSettings, Verdicts};

const DAY: i64 = 86_400;
/// How far the clocks of scanner and authority may differ.
const SKEW: i64 = 300;

/// Longest life of a publicly trusted certificate by its first second of validity: CA/Browser Forum Baseline
/// Requirements, section 6.3.2 with ballots 193, SC31 (as adopted by the root programmes) and SC-081v3. First second
/// (seconds since 1970) and days; the newest first.
const LIFETIMES: [(i64, i64); 7] = [
    (1_868_227_200, 47),      // 2029-03-15
    (1_805_068_800, 100),     // 2027-03-15
    (1_773_532_800, 200),     // 2026-03-15
    (1_598_918_400, 398),     // 2020-09-01
    (1_519_862_400, 825),     // 2018-03-01
    (1_427_846_400, 39 * 31), // 2015-04-01: 39 months
    (i64::MIN, i64::MAX / DAY),
];

/// The first certificate on the way to the root that `broken` says yes about, with its place. Beside the server's own,
/// only certificates of a path count for which there is no other path without such a certificate.
fn out_of_time<'c, 'a>(
    case: &Case<'c, 'a>,
    broken: impl Fn(&Cert<'_>) -> bool,
) -> Option<(&'c Cert<'a>, &'static str)> {
    if broken(&case.chain.leaf) {
        return Some((&case.chain.leaf, "server certificate"));
    }
    let any_time = path::find(case.chain, Pool::SentAndFetched, case.anchors, None).ok()?;
    if path::find(case.chain, Pool::SentAndFetched, case.anchors, Some(case.now())).is_ok() {
        return None;
    }
    let anchor = |cert: &&&Cert<'_>| case.anchors.contains(cert);
    any_time
        .certificates
        .iter()
        .skip(1)
        .filter(|cert| !anchor(cert))
        .find(|cert| broken(cert))
        .map(|cert| (*cert, "intermediate certificate"))
}

fn expired_at(certificate: &Cert<'_>, now: i64) -> bool {
    now > certificate.validity().1.saturating_add(SKEW)
}

/// `cert.expired`.
#[derive(Debug)]
pub struct Expired;

impl Check for Expired {
    fn id(&self) -> &'static str {
        "cert.expired"
    }

    fn needs(&self) -> &'static [EvidenceKind] {
        &[EvidenceKind::Tls]
    }

    fn judge(&self, evidence: &HostEvidence, settings: &JudgeSettings, out: &mut Verdicts<'_>) {
        each_chain(evidence, settings, out, |case| match out_of_time(case, |cert| expired_at(cert, case.now())) {
            Some((cert, place)) => Judgement::Fail(Fail::new(json!({
                "which": place,
                "not_after": date(cert.validity().1),
                "certificate": cert.facts(),
            }))),
            None => Judgement::Pass,
        });
    }
}

/// `cert.not_yet`.
#[derive(Debug)]
pub struct NotYet;

impl Check for NotYet {
    fn id(&self) -> &'static str {
        "cert.not_yet"
    }

    fn needs(&self) -> &'static [EvidenceKind] {
        &[EvidenceKind::Tls]
    }

    fn judge(&self, evidence: &HostEvidence, settings: &JudgeSettings, out: &mut Verdicts<'_>) {
        each_chain(evidence, settings, out, |case| {
            match out_of_time(case, |cert| case.now() < cert.validity().0.saturating_sub(SKEW)) {
                Some((cert, place)) => Judgement::Fail(Fail::new(json!({
                    "which": place,
                    "not_before": date(cert.validity().0),
                    "certificate": cert.facts(),
                }))),
                None => Judgement::Pass,
            }
        });
    }
}

/// `cert.expiring`.
#[derive(Debug)]
pub struct Expiring;

/// How urgent the renewal of a certificate is that is valid `lifetime` seconds and `remaining` of them from now on.
/// Both thresholds shrink with the lifetime, since certificates of six weeks are always within 30 days of their end.
fn urgency(lifetime: i64, remaining: i64) -> Option<Severity> {
    let below = |days: i64, percent: i64| remaining < (days * DAY).min(lifetime / 100 * percent);
    if below(7, 10) {
        Some(Severity::High)
    } else if below(30, 20) {
        Some(Severity::Medium)
    } else {
        None
    }
}

impl Check for Expiring {
    fn id(&self) -> &'static str {
        "cert.expiring"
    }

    fn needs(&self) -> &'static [EvidenceKind] {
        &[EvidenceKind::Tls]
    }

    fn judge(&self, evidence: &HostEvidence, settings: &JudgeSettings, out: &mut Verdicts<'_>) {
        each_chain(evidence, settings, out, |case| {
            let leaf = &case.chain.leaf;
            let (begin, end) = leaf.validity();
            if expired_at(leaf, case.now()) {
                return Judgement::NotApplicable("the certificate has expired".to_owned());
            }
            match urgency(end.saturating_sub(begin), end.saturating_sub(case.now())) {
                Some(severity) => Judgement::Fail(
                    Fail::new(json!({
                        "not_after": date(end),
                        "days_left": end.saturating_sub(case.now()).max(0) / DAY,
                        "lifetime_days": end.saturating_sub(begin) / DAY,
                        "certificate": leaf.facts(),
                    }))
                    .severity(severity),
                ),
                None => Judgement::Pass,
            }
        });
    }
}

/// `cert.lifetime`.
#[derive(Debug)]
pub struct Lifetime;

/// The longest permitted life in days of a public certificate that begins at `begin`.
fn longest(begin: i64) -> i64 {
    LIFETIMES.iter().find(|(from, _)| begin >= *from).map_or(i64::MAX / DAY, |(_, days)| *days)
}

impl Check for Lifetime {
    fn id(&self) -> &'static str {
        "cert.lifetime"
    }

    fn needs(&self) -> &'static [EvidenceKind] {
        &[EvidenceKind::Tls]
    }

    fn judge(&self, evidence: &HostEvidence, settings: &JudgeSettings, out: &mut Verdicts<'_>) {
        each_chain(evidence, settings, out, |case| {
            let leaf = &case.chain.leaf;
            match path::find(case.chain, Pool::SentAndFetched, case.anchors, None) {
                Ok(found) if found.origin == Origin::Builtin => {}
                _ => return Judgement::NotApplicable("the certificate is not from a public authority".to_owned()),
            }
            let (begin, end) = leaf.validity();
            // Both ends count as valid seconds (RFC 5280, section 4.1.2.5).
            let lifetime = end.saturating_sub(begin).saturating_add(1);
            let limit = longest(begin);
            if lifetime <= limit.saturating_mul(DAY) {
                return Judgement::Pass;
            }
            Judgement::Fail(Fail::new(json!({
                "lifetime_days": lifetime / DAY,
                "permitted_days": limit,
                "certificate": leaf.facts(),
            })))
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urgency_scales_with_the_lifetime() {
        let year = 365 * DAY;
        assert_eq!(urgency(year, 31 * DAY), None);
        assert_eq!(urgency(year, 29 * DAY), Some(Severity::Medium));
        assert_eq!(urgency(year, 6 * DAY), Some(Severity::High));
        let quarter = 90 * DAY;
        assert_eq!(urgency(quarter, 25 * DAY), None);
        assert_eq!(urgency(quarter, 17 * DAY), Some(Severity::Medium));
        assert_eq!(urgency(quarter, 6 * DAY), Some(Severity::High));
        let week = 7 * DAY;
        assert_eq!(urgency(week, 3 * DAY), None);
        assert_eq!(urgency(week, DAY), Some(Severity::Medium));
        assert_eq!(urgency(week, DAY / 2), Some(Severity::High));
        assert_eq!(urgency(0, 0), None);
    }

    #[test]
    fn lifetimes_change_at_midnight_utc() {
        let at = |text: &str| chrono::DateTime::parse_from_rfc3339(text).unwrap().timestamp();
        assert_eq!(longest(at("2029-03-15T00:00:00Z")), 47);
        assert_eq!(longest(at("2029-03-14T23:59:59Z")), 100);
        assert_eq!(longest(at("2027-03-15T00:00:00Z")), 100);
        assert_eq!(longest(at("2027-03-14T23:59:59Z")), 200);
        assert_eq!(longest(at("2026-03-15T00:00:00Z")), 200);
        assert_eq!(longest(at("2026-03-14T23:59:59Z")), 398);
        assert_eq!(longest(at("2020-09-01T00:00:00Z")), 398);
        assert_eq!(longest(at("2020-08-31T23:59:59Z")), 825);
        assert_eq!(longest(at("2018-02-28T23:59:59Z")), 39 * 31);
    }
}
