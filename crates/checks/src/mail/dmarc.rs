//! The DMARC checks: RFC 7489, with the tree walk of DMARCbis beside the Public Suffix List.

use bartizan_domain::Location;
use bartizan_domain::dmarc::{DmarcRecord, Policy, organisational_by_walk, parse, tree_walk};
use bartizan_domain::evidence::{EvidenceKind, HostEvidence, MailEvidence, Observation};
use serde_json::json;

use super::{MailUse, Profile, known, mail_of};
use crate::{Check, Fail, JudgeSettings, Verdicts};

/// The organisational domain by the Public Suffix List (RFC 7489 section 3.2); the name itself if it is a suffix.
pub(super) fn organisational(name: &str) -> &str {
    psl::domain_str(name).unwrap_or(name)
}

/// The policy that counts for a domain.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Discovery {
    /// A record.
    Found {
        /// The record.
        record: DmarcRecord,
        /// As published.
        text: String,
        /// Where it was found.
        domain: String,
        /// Whether that is a domain above.
        inherited: bool,
    },
    /// None; why, in a sentence.
    Missing(String),
    /// A look-up failed, so that it is not known; why, in a sentence.
    Unknown(String),
}

impl Discovery {
    /// What receivers are asked to do with failing mail of the domain; `None` without a record.
    pub(super) fn enforcement(&self) -> Option<Policy> {
        let Self::Found { record, inherited, .. } = self else { return None };
        let base = if *inherited { record.subdomains.or(record.policy) } else { record.policy };
        let asked = base.unwrap_or(Policy::None);
        // A policy under test is applied one level lower (DMARCbis, tag `t`).
        Some(match (record.testing, asked) {
            (true, Policy::Reject) => Policy::Quarantine,
            (true, _) => Policy::None,
            (false, asked) => asked,
        })
    }

    /// Whether the policy makes all failing mail suspicious at least.
    pub(super) fn enforces(&self) -> bool {
        let whole = matches!(self, Self::Found { record, .. } if record.percent == 100);
        whole && self.enforcement().is_some_and(|policy| policy > Policy::None)
    }
}

/// What one name publishes.
enum AtName {
    One(DmarcRecord, String),
    Several,
    Unusable(String),
    Nothing,
}

fn at_name(mail: &MailEvidence, name: &str) -> Result<AtName, String> {
    let Some(step) = mail.dmarc.iter().find(|step| step.domain == name) else {
        return Err(format!("the DMARC record of {name} was not asked for"));
    };
    let texts = known(&step.records, &format!("the DMARC record of {name}"))?;
    let mut usable = texts.iter().filter_map(|text| Some((parse(text)?, text.clone())));
    Ok(match (usable.next(), usable.next()) {
        (Some(_), Some(_)) => AtName::Several,
        (Some((record, text)), None) => AtName::One(record, text),
        (None, _) => texts.first().map_or(AtName::Nothing, |text| AtName::Unusable(text.clone())),
    })
}

/// Finds the policy of the domain: its own record, else that of its organisational domain, by the Public Suffix List
/// first and by the tree walk second.
pub(super) fn discover(mail: &MailEvidence) -> Discovery {
    let mut candidates = vec![mail.name.clone()];
    let organisation = organisational(&mail.name);
    candidates.push(organisation.to_owned());
    match by_walk(mail) {
        Ok(found) => candidates.extend(found),
        // The walk adds to what the list found; its failure counts only if nothing else answers.
        Err(reason) => match search(mail, &candidates) {
            Discovery::Missing(_) => return Discovery::Unknown(reason),
            found => return found,
        },
    }
    search(mail, &candidates)
}

fn search(mail: &MailEvidence, candidates: &[String]) -> Discovery {
    let mut missing = format!("neither {} nor a domain above it publishes a DMARC record", mail.name);
    for name in candidates {
        match at_name(mail, name) {
            Err(reason) => return Discovery::Unknown(reason),
            Ok(AtName::One(record, text)) => {
                return Discovery::Found { record, text, domain: name.clone(), inherited: *name != mail.name };
            }
            // RFC 7489 section 6.6.3: more than one record is none, and the search ends.
            Ok(AtName::Several) => {
                return Discovery::Missing(format!(
                    "_dmarc.{name} has more than one DMARC record, which counts as none"
                ));
            }
            Ok(AtName::Unusable(text)) => missing = format!("the DMARC record of {name} has no usable policy: {text}"),
            Ok(AtName::Nothing) => {}
        }
    }
    Discovery::Missing(missing)
}

fn by_walk(mail: &MailEvidence) -> Result<Option<String>, String> {
    let names = tree_walk(&mail.name);
    let mut records = Vec::new();
    for name in &names {
        records.push(match at_name(mail, name) {
            Ok(AtName::One(record, _)) => Some(record),
            Ok(_) => None,
            // A resolver of a private network need not know the public suffix above its domains.
            Err(_) if psl::domain_str(name).is_none() && *name != mail.name => None,
            Err(reason) => return Err(reason),
        });
    }
    let steps: Vec<(&str, Option<&DmarcRecord>)> =
        names.iter().map(String::as_str).zip(records.iter().map(Option::as_ref)).collect();
    Ok(organisational_by_walk(&steps).map(str::to_owned))
}

/// `dmarc.missing`
pub(super) struct Missing;
/// `dmarc.none`
pub(super) struct NoPolicy;
/// `dmarc.weak`
pub(super) struct Weak;

impl Check for Missing {
    fn id(&self) -> &'static str {
        "dmarc.missing"
    }

    fn needs(&self) -> &'static [EvidenceKind] {
        &[EvidenceKind::Mail]
    }

    fn judge(&self, evidence: &HostEvidence, _: &JudgeSettings, out: &mut Verdicts<'_>) {
        let Some((mail, profile)) = mail_of(evidence, out) else { return };
        match discover(mail) {
            Discovery::Unknown(reason) => out.error(Location::dns(), reason),
            Discovery::Found { .. } => out.pass(Location::dns()),
            Discovery::Missing(_) if profile.mail_use == MailUse::NoMail => {
                out.not_applicable(
                    Location::dns(),
                    "the domain neither sends nor receives mail: nomail.profile judges it",
                );
            }
            Discovery::Missing(reason) => out.fail(Location::dns(), Fail::new(json!({ "reason": reason }))),
        }
    }
}

/// The record to judge, or `None` after the right verdict was stated. A name without mail that inherits is judged where
/// the record stands.
fn found<'e>(evidence: &'e HostEvidence, out: &mut Verdicts<'_>) -> Option<(&'e MailEvidence, Profile, Discovery)> {
    let (mail, profile) = mail_of(evidence, out)?;
    let discovery = discover(mail);
    match &discovery {
        Discovery::Unknown(reason) => out.error(Location::dns(), reason),
        Discovery::Missing(reason) => out.not_applicable(Location::dns(), reason),
        Discovery::Found { domain, inherited: true, .. } if profile.mail_use == MailUse::NoMail => {
            out.not_applicable(Location::dns(), format!("the policy is that of {domain} and is judged there"));
        }
        Discovery::Found { .. } => return Some((mail, profile, discovery)),
    }
    None
}

impl Check for NoPolicy {
    fn id(&self) -> &'static str {
        "dmarc.none"
    }

    fn needs(&self) -> &'static [EvidenceKind] {
        &[EvidenceKind::Mail]
    }

    fn judge(&self, evidence: &HostEvidence, _: &JudgeSettings, out: &mut Verdicts<'_>) {
        let Some((_, _, discovery)) = found(evidence, out) else { return };
        let Discovery::Found { text, domain, .. } = &discovery else { return };
        if discovery.enforcement() == Some(Policy::None) {
            out.fail(Location::dns(), Fail::new(json!({ "record": text, "found_at": domain })));
        } else {
            out.pass(Location::dns());
        }
    }
}

impl Check for Weak {
    fn id(&self) -> &'static str {
        "dmarc.weak"
    }

    fn needs(&self) -> &'static [EvidenceKind] {
        &[EvidenceKind::Mail]
    }

    fn judge(&self, evidence: &HostEvidence, _: &JudgeSettings, out: &mut Verdicts<'_>) {
        let Some((mail, profile, discovery)) = found(evidence, out) else { return };
        let Discovery::Found { record, text, domain, inherited } = &discovery else { return };
        if *inherited {
            return out.not_applicable(Location::dns(), format!("the record is that of {domain} and is judged there"));
        }
        let mut reasons = of_policy(record);
        let mut unknown = None;
        if record.reports.is_empty() && profile.mail_use == MailUse::Mail {
            reasons.push("no rua: nobody receives the reports that show who sends in the domain's name".to_owned());
        }
        for consent in mail.report_consent.iter().filter(|consent| consent.domain == *domain) {
            match &consent.given {
                Observation::Observed(true) => {}
                Observation::Observed(false) => {
                    let receiver = &consent.receiver;
                    reasons.push(format!(
                        "{receiver} does not agree to receive reports: {domain}._report._dmarc.{receiver} is missing"
                    ));
                }
                other => unknown = known(other, &format!("the consent of {}", consent.receiver)).err(),
            }
        }
        if !reasons.is_empty() {
            out.fail(Location::dns(), Fail::new(json!({ "record": text, "weaknesses": reasons })));
        } else if let Some(reason) = unknown {
            out.error(Location::dns(), reason);
        } else {
            out.pass(Location::dns());
        }
    }
}

/// What takes back a part of the policy. A policy of none has nothing to take back.
fn of_policy(record: &DmarcRecord) -> Vec<String> {
    let policy = record.policy.unwrap_or(Policy::None);
    let mut reasons = Vec::new();
    for (tag, value, whom) in
        [("sp", record.subdomains, "subdomains"), ("np", record.nonexistent, "subdomains that do not exist")]
    {
        if let Some(value) = value.filter(|value| *value < policy) {
            reasons.push(format!("{tag}={} asks less for {whom} than p={} does", value.as_str(), policy.as_str()));
        }
    }
    if policy > Policy::None && record.percent < 100 {
        reasons.push(format!("pct={}: the policy is asked for a part of failing mail only", record.percent));
    }
    if policy > Policy::None && record.testing {
        reasons.push("t=y: the policy is under test and applied one level lower".to_owned());
    }
    reasons
}
