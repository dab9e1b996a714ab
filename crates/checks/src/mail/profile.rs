//! What a domain does with mail. Which rules apply to it depends on that.

use bartizan_domain::evidence::MailEvidence;
use bartizan_domain::spf;

use super::dmarc::organisational;
use super::known;

/// Whether a domain takes part in mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MailUse {
    /// It names mail servers, or an SPF record names permitted senders.
    Mail,
    /// Nothing says that it sends or receives.
    NoMail,
}

/// The mail profile of a domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Profile {
    pub(super) mail_use: MailUse,
    /// Whether mail would go to the name's own address, for want of an MX record; `None` if it is not known whether
    /// it has one.
    pub(super) implicit_mx: Option<bool>,
    /// The SPF record is `v=spf1 -all`.
    pub(super) permits_nobody: bool,
    /// The organisation's own domain, or a name that says by a null MX that it declines mail: the full profile of a
    /// domain without mail is expected of it, while other names inherit.
    pub(super) stands_for_itself: bool,
    /// The apex of a zone.
    pub(super) own_zone: bool,
}

/// The profile.
///
/// # Errors
/// What is not known, in a sentence.
pub(super) fn of(mail: &MailEvidence) -> Result<Profile, String> {
    let mx = known(&mail.mx, "the MX records")?;
    let node = mail.spf.records.iter().find(|node| node.domain == mail.name);
    let own = node.ok_or("the SPF record was not asked for")?;
    let texts = &known(&own.answer, "the SPF record")?.texts;
    let permits_nobody = match texts.as_slice() {
        [text] => spf::parse(text).is_ok_and(|record| record.permits_nobody()),
        _ => false,
    };
    let declined = mx.len() == 1 && mx.iter().all(|record| record.exchange == ".");
    let receives = !mx.is_empty() && !declined;
    let sends = !texts.is_empty() && !permits_nobody;
    let implicit_mx = if mx.is_empty() { mail.has_address.observed().copied() } else { Some(false) };
    Ok(Profile {
        mail_use: if receives || sends { MailUse::Mail } else { MailUse::NoMail },
        implicit_mx,
        permits_nobody,
        stands_for_itself: declined || organisational(&mail.name) == mail.name,
        own_zone: mail.zone_apex.observed().copied().unwrap_or_default(),
    })
}
