//! The SPF checks (RFC 7208).

use bartizan_domain::Location;
use bartizan_domain::evidence::{EvidenceKind, HostEvidence, MailEvidence};
use bartizan_domain::spf::Qualifier;
use serde_json::json;

use super::dmarc::{Discovery, discover};
use super::spf_tree::{MAX_LOOKUPS, MAX_VOID, Own, Walk, own, walk};
use super::{MailUse, mail_of};
use crate::{Check, Fail, JudgeSettings, Verdicts};

/// `spf.missing`
pub(super) struct Missing;
/// `spf.multiple`
pub(super) struct Multiple;
/// `spf.syntax`
pub(super) struct Syntax;
/// `spf.lookups`
pub(super) struct Lookups;
/// `spf.void`
pub(super) struct Void;
/// `spf.plus_all`
pub(super) struct PlusAll;
/// `spf.neutral`
pub(super) struct NeutralAll;
/// `spf.soft`
pub(super) struct SoftAll;

/// What the domain publishes, or `None` after the right verdict was stated.
fn published<'e>(evidence: &'e HostEvidence, out: &mut Verdicts<'_>) -> Option<(&'e MailEvidence, Own)> {
    let mail = out.observed(&Location::dns(), &evidence.mail)?;
    match own(mail) {
        Ok(own) => Some((mail, own)),
        Err(reason) => {
            out.error(Location::dns(), reason);
            None
        }
    }
}

/// The one readable record and its walk, or `None` after saying why there is nothing to judge.
fn walked<'e>(evidence: &'e HostEvidence, out: &mut Verdicts<'_>) -> Option<(&'e MailEvidence, String, Walk)> {
    let (mail, own) = published(evidence, out)?;
    let reason = match own {
        Own::Record { text, record } => {
            let walk = walk(mail, &record);
            return Some((mail, text, walk));
        }
        Own::None => "there is no SPF record",
        Own::Several(_) => "there is more than one SPF record",
        Own::Broken { .. } => "the SPF record cannot be read",
    };
    out.not_applicable(Location::dns(), reason);
    None
}

impl Check for Missing {
    fn id(&self) -> &'static str {
        "spf.missing"
    }

    fn needs(&self) -> &'static [EvidenceKind] {
        &[EvidenceKind::Mail]
    }

    fn judge(&self, evidence: &HostEvidence, _: &JudgeSettings, out: &mut Verdicts<'_>) {
        let Some((mail, profile)) = mail_of(evidence, out) else { return };
        match own(mail) {
            Err(reason) => out.error(Location::dns(), reason),
            Ok(Own::None) if profile.mail_use == MailUse::NoMail => {
                out.not_applicable(
                    Location::dns(),
                    "the domain neither sends nor receives mail: nomail.profile judges it",
                );
            }
            Ok(Own::None) => {
                let mx: Vec<&str> =
                    mail.mx.observed().into_iter().flatten().map(|record| record.exchange.as_str()).collect();
                out.fail(Location::dns(), Fail::new(json!({ "mail_servers": mx })));
            }
            Ok(_) => out.pass(Location::dns()),
        }
    }
}

impl Check for Multiple {
    fn id(&self) -> &'static str {
        "spf.multiple"
    }

    fn needs(&self) -> &'static [EvidenceKind] {
        &[EvidenceKind::Mail]
    }

    fn judge(&self, evidence: &HostEvidence, _: &JudgeSettings, out: &mut Verdicts<'_>) {
        let Some((_, own)) = published(evidence, out) else { return };
        match own {
            Own::None => out.not_applicable(Location::dns(), "there is no SPF record"),
            Own::Several(records) => out.fail(Location::dns(), Fail::new(json!({ "records": records }))),
            Own::Broken { .. } | Own::Record { .. } => out.pass(Location::dns()),
        }
    }
}

impl Check for Syntax {
    fn id(&self) -> &'static str {
        "spf.syntax"
    }

    fn needs(&self) -> &'static [EvidenceKind] {
        &[EvidenceKind::Mail]
    }

    fn judge(&self, evidence: &HostEvidence, _: &JudgeSettings, out: &mut Verdicts<'_>) {
        let Some((mail, own)) = published(evidence, out) else { return };
        match own {
            Own::None => out.not_applicable(Location::dns(), "there is no SPF record"),
            Own::Several(_) => out.not_applicable(Location::dns(), "there is more than one SPF record"),
            Own::Broken { text, why } => {
                out.fail(Location::dns(), Fail::new(json!({ "record": text, "errors": [why] })));
            }
            Own::Record { text, record } => {
                let walk = walk(mail, &record);
                match walk.unknown {
                    _ if !walk.errors.is_empty() => {
                        out.fail(Location::dns(), Fail::new(json!({ "record": text, "errors": walk.errors })));
                    }
                    Some(reason) => out.error(Location::dns(), reason),
                    None => out.pass(Location::dns()),
                }
            }
        }
    }
}

impl Check for Lookups {
    fn id(&self) -> &'static str {
        "spf.lookups"
    }

    fn needs(&self) -> &'static [EvidenceKind] {
        &[EvidenceKind::Mail]
    }

    fn judge(&self, evidence: &HostEvidence, _: &JudgeSettings, out: &mut Verdicts<'_>) {
        let Some((_, text, walk)) = walked(evidence, out) else { return };
        if walk.lookups > MAX_LOOKUPS {
            let facts = json!({ "record": text, "lookups": walk.lookups, "allowed": MAX_LOOKUPS });
            out.fail(Location::dns(), Fail::new(facts));
        } else if let Some(reason) = walk.unknown {
            out.error(Location::dns(), reason);
        } else {
            out.pass(Location::dns());
        }
    }
}

impl Check for Void {
    fn id(&self) -> &'static str {
        "spf.void"
    }

    fn needs(&self) -> &'static [EvidenceKind] {
        &[EvidenceKind::Mail]
    }

    fn judge(&self, evidence: &HostEvidence, _: &JudgeSettings, out: &mut Verdicts<'_>) {
        let Some((_, text, walk)) = walked(evidence, out) else { return };
        if walk.voids.len() > MAX_VOID {
            let facts = json!({ "record": text, "empty": walk.voids, "allowed": MAX_VOID });
            out.fail(Location::dns(), Fail::new(facts));
        } else if let Some(reason) = walk.unknown {
            out.error(Location::dns(), reason);
        } else {
            out.pass(Location::dns());
        }
    }
}

impl Check for PlusAll {
    fn id(&self) -> &'static str {
        "spf.plus_all"
    }

    fn needs(&self) -> &'static [EvidenceKind] {
        &[EvidenceKind::Mail]
    }

    fn judge(&self, evidence: &HostEvidence, _: &JudgeSettings, out: &mut Verdicts<'_>) {
        let Some((_, text, walk)) = walked(evidence, out) else { return };
        if walk.passes_all {
            out.fail(Location::dns(), Fail::new(json!({ "record": text })));
        } else if let Some(reason) = walk.unknown {
            out.error(Location::dns(), reason);
        } else {
            out.pass(Location::dns());
        }
    }
}

impl Check for NeutralAll {
    fn id(&self) -> &'static str {
        "spf.neutral"
    }

    fn needs(&self) -> &'static [EvidenceKind] {
        &[EvidenceKind::Mail]
    }

    fn judge(&self, evidence: &HostEvidence, _: &JudgeSettings, out: &mut Verdicts<'_>) {
        let Some((_, text, walk)) = walked(evidence, out) else { return };
        match (walk.all, walk.unknown) {
            (_, Some(reason)) => out.error(Location::dns(), reason),
            (None, None) => {
                out.fail(
                    Location::dns(),
                    Fail::new(json!({ "record": text, "ends_with": "nothing, which means ?all" })),
                );
            }
            (Some(Qualifier::Neutral), None) => {
                out.fail(Location::dns(), Fail::new(json!({ "record": text, "ends_with": "?all" })));
            }
            (Some(_), None) => out.pass(Location::dns()),
        }
    }
}

impl Check for SoftAll {
    fn id(&self) -> &'static str {
        "spf.soft"
    }

    fn needs(&self) -> &'static [EvidenceKind] {
        &[EvidenceKind::Mail]
    }

    fn judge(&self, evidence: &HostEvidence, _: &JudgeSettings, out: &mut Verdicts<'_>) {
        let Some((mail, text, walk)) = walked(evidence, out) else { return };
        if let Some(reason) = walk.unknown {
            return out.error(Location::dns(), reason);
        }
        if walk.all != Some(Qualifier::SoftFail) {
            return out.pass(Location::dns());
        }
        match discover(mail) {
            Discovery::Unknown(reason) => out.error(Location::dns(), reason),
            found if found.enforces() => out.pass(Location::dns()),
            _ => out.fail(Location::dns(), Fail::new(json!({ "record": text, "ends_with": "~all" }))),
        }
    }
}
