//! Checks of the mail policy: SPF, DMARC, and the profile of domains without mail.

use bartizan_domain::Location;
use bartizan_domain::evidence::{EvidenceKind, HostEvidence, MailEvidence, Observation};
use serde_json::json;

use crate::{Check, Fail, JudgeSettings, Verdicts};

mod dmarc;
mod profile;
mod spf;
mod spf_tree;

use dmarc::Discovery;
use profile::{MailUse, Profile};

/// The registry slice, in listing order.
pub static CHECKS: &[&dyn Check] = &[
    &spf::Missing,
    &spf::Multiple,
    &spf::Syntax,
    &spf::Lookups,
    &spf::Void,
    &spf::PlusAll,
    &spf::NeutralAll,
    &spf::SoftAll,
    &dmarc::Missing,
    &dmarc::NoPolicy,
    &dmarc::Weak,
    &NoMailProfile,
];

/// The mail evidence and profile, or `None` after the right verdict was stated.
fn mail_of<'e>(evidence: &'e HostEvidence, out: &mut Verdicts<'_>) -> Option<(&'e MailEvidence, Profile)> {
    let mail = out.observed(&Location::dns(), &evidence.mail)?;
    match profile::of(mail) {
        Ok(profile) => Some((mail, profile)),
        Err(reason) => {
            out.error(Location::dns(), reason);
            None
        }
    }
}

/// `nomail.profile`
struct NoMailProfile;

impl Check for NoMailProfile {
    fn id(&self) -> &'static str {
        "nomail.profile"
    }

    fn needs(&self) -> &'static [EvidenceKind] {
        &[EvidenceKind::Mail]
    }

    fn judge(&self, evidence: &HostEvidence, _: &JudgeSettings, out: &mut Verdicts<'_>) {
        let Some((mail, profile)) = mail_of(evidence, out) else { return };
        if profile.mail_use == MailUse::Mail {
            return out.not_applicable(Location::dns(), "the domain sends or receives mail");
        }
        let policy = match dmarc::discover(mail) {
            Discovery::Unknown(reason) => return out.error(Location::dns(), reason),
            found => found,
        };
        let enforced = policy.enforcement();
        let mut lacking = Vec::new();
        if profile.stands_for_itself {
            if profile.implicit_mx == Some(true) {
                lacking.push("a null MX record (RFC 7505): mail for the domain goes to its address");
            }
            if !profile.permits_nobody {
                lacking.push("an SPF record that permits nobody: `v=spf1 -all`");
            }
            match enforced {
                // `p=none` is its own finding, dmarc.none.
                Some(bartizan_domain::dmarc::Policy::Reject | bartizan_domain::dmarc::Policy::None) => {}
                Some(bartizan_domain::dmarc::Policy::Quarantine) | None => {
                    lacking.push("a DMARC policy that rejects: `v=DMARC1; p=reject`");
                }
            }
            if profile.implicit_mx.is_none() && lacking.is_empty() {
                return out.error(Location::dns(), "whether the name has an address is not known");
            }
        } else if profile.own_zone {
            let protected =
                profile.permits_nobody || enforced.is_some_and(|p| p > bartizan_domain::dmarc::Policy::None);
            if !protected {
                lacking
                    .push("an SPF record that permits nobody (`v=spf1 -all`) or an enforced DMARC policy from above");
            }
        } else {
            let reason = "a name without mail of its own, below a domain whose policy covers it";
            return out.not_applicable(Location::dns(), reason);
        }
        if lacking.is_empty() {
            out.pass(Location::dns());
        } else {
            out.fail(Location::dns(), Fail::new(json!({ "lacking": lacking })));
        }
    }
}

/// The value, or a sentence about why it is not known.
fn known<'o, T>(observation: &'o Observation<T>, what: &str) -> Result<&'o T, String> {
    match observation {
        Observation::Observed(value) => Ok(value),
        Observation::Failed(failure) => Err(format!("{what}: {failure}")),
        Observation::NotAttempted { reason } | Observation::NotApplicable { reason } => {
            Err(format!("{what}: {reason}"))
        }
    }
}
