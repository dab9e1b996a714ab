//! `sectxt.*`: the security contact file (RFC 9116).
//!
//! The file counts where it is read over HTTPS. A site without HTTPS is judged by what it serves, since the missing
//! HTTPS is a finding of its own.

use bartizan_domain::evidence::web::{SecurityTxt, SecurityTxtAnswer, SecurityTxtEvidence, SignatureForm};
use bartizan_domain::evidence::{EvidenceKind, HostEvidence, Observation, Scheme};
use chrono::{DateTime, Duration, Utc};
use serde_json::json;

use super::site::{self, Site};
use super::transport::{Https, https};
use crate::{Check, Fail, JudgeSettings, Verdicts};

/// Before expiry, when a reminder is due.
const SOON: Duration = Duration::days(30);

/// The rules, one check each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// `sectxt.missing`.
    Missing,
    /// `sectxt.path`.
    Path,
    /// `sectxt.not_text`.
    NotText,
    /// `sectxt.no_contact`.
    NoContact,
    /// `sectxt.no_expires`.
    NoExpires,
    /// `sectxt.expired`.
    Expired,
    /// `sectxt.expiring`.
    Expiring,
    /// `sectxt.signature`.
    Signature,
}

/// What is served at the two places.
enum Found<'e> {
    /// A file, and whether it is at its proper place.
    File { answer: &'e SecurityTxtAnswer, file: &'e SecurityTxt, well_known: bool },
    /// A page of the site's own at the proper place, where a text should be.
    Page(&'e SecurityTxtAnswer),
    /// Nothing.
    Nothing { status: u16 },
    /// It could not be found out.
    Unknown(String),
}

impl Check for Rule {
    fn id(&self) -> &'static str {
        match self {
            Self::Missing => "sectxt.missing",
            Self::Path => "sectxt.path",
            Self::NotText => "sectxt.not_text",
            Self::NoContact => "sectxt.no_contact",
            Self::NoExpires => "sectxt.no_expires",
            Self::Expired => "sectxt.expired",
            Self::Expiring => "sectxt.expiring",
            Self::Signature => "sectxt.signature",
        }
    }

    fn needs(&self) -> &'static [EvidenceKind] {
        &[EvidenceKind::Web]
    }

    fn judge(&self, evidence: &HostEvidence, _: &JudgeSettings, out: &mut Verdicts<'_>) {
        site::each_distinct(evidence, out, |site, out| {
            let location = site.location();
            let Some(files) = out.observed(&location, &site.web.security_txt) else { return };
            if site.web.scheme == Scheme::Http && matches!(https(site), Https::Available(_)) {
                return out.not_applicable(location, "the file is read over HTTPS, which the host offers");
            }
            self.judge_site(site, &find(files), out);
        });
    }
}

fn find(files: &SecurityTxtEvidence) -> Found<'_> {
    let at = |place: &'_ Observation<SecurityTxtAnswer>| match place {
        Observation::Observed(_) => None,
        Observation::Failed(failure) => Some(failure.to_string()),
        Observation::NotAttempted { reason } | Observation::NotApplicable { reason } => Some(reason.clone()),
    };
    let (well_known, legacy) = (files.well_known.observed(), files.legacy.observed());
    if let Some(answer) = well_known
        && let Some(file) = &answer.file
    {
        return Found::File { answer, file, well_known: true };
    }
    // Until the proper place was seen to be empty, nothing can be said about the other.
    if let Some(reason) = at(&files.well_known) {
        return Found::Unknown(format!("/.well-known/security.txt: {reason}"));
    }
    let Some(proper) = well_known else {
        return Found::Unknown("/.well-known/security.txt was not asked for".to_owned());
    };
    if proper.status >= 500 || proper.status == 429 || (300..400).contains(&proper.status) {
        return Found::Unknown(format!("/.well-known/security.txt answered with status {}", proper.status));
    }
    if let Some(answer) = legacy
        && let Some(file) = &answer.file
    {
        return Found::File { answer, file, well_known: false };
    }
    if let Some(reason) = at(&files.legacy) {
        return Found::Unknown(format!("/security.txt: {reason}"));
    }
    // A page that random paths do not get, at exactly this path and without a redirect to a start page, was put there.
    if proper.is_html && !proper.equals_baseline && proper.status == 200 && proper.redirects == 0 {
        return Found::Page(proper);
    }
    Found::Nothing { status: proper.status }
}

impl Rule {
    fn judge_site(self, site: &Site<'_>, found: &Found<'_>, out: &mut Verdicts<'_>) {
        let location = site.location();
        match found {
            Found::Unknown(reason) => out.error(location, reason.clone()),
            Found::Nothing { status } if self == Self::Missing => {
                out.fail(location, Fail::new(json!({"path": "/.well-known/security.txt", "status": status})));
            }
            Found::Page(answer) if self == Self::NotText => {
                out.fail(
                    location,
                    Fail::new(json!({"url": answer.url, "content_type": answer.content_type, "html": true})),
                );
            }
            Found::Nothing { .. } => out.not_applicable(location, "there is no security.txt"),
            Found::Page(_) => out.not_applicable(location, "there is a page in the place of security.txt"),
            Found::File { answer, file, well_known } => {
                match self.broken(answer, file, *well_known, site.host.gathered_at) {
                    Judgement::Holds => out.pass(location),
                    Judgement::Broken(facts) => out.fail(location, Fail::new(facts)),
                    Judgement::NotConcerned(reason) => out.not_applicable(location, reason),
                }
            }
        }
    }

    fn broken(self, answer: &SecurityTxtAnswer, file: &SecurityTxt, well_known: bool, now: DateTime<Utc>) -> Judgement {
        let url = &answer.url;
        let when = |broken: bool, facts: serde_json::Value| {
            if broken { Judgement::Broken(facts) } else { Judgement::Holds }
        };
        match self {
            Self::Missing => Judgement::Holds,
            Self::Path => when(!well_known, json!({"url": url})),
            Self::NotText => {
                let wrong_type = answer.content_type.as_deref() != Some("text/plain");
                let wrong_charset =
                    answer.charset.as_deref().is_some_and(|charset| !matches!(charset, "utf-8" | "utf8" | "us-ascii"));
                when(
                    wrong_type || wrong_charset,
                    json!({"url": url, "content_type": answer.content_type, "charset": answer.charset}),
                )
            }
            Self::NoContact => when(
                !file.contact.iter().any(|contact| is_contact(contact)),
                json!({"url": url, "contact": file.contact}),
            ),
            Self::NoExpires => when(expiry(file).is_none(), json!({"url": url, "expires": file.expires})),
            Self::Expired | Self::Expiring => match expiry(file) {
                None => Judgement::NotConcerned("there is no single valid Expires"),
                Some(expires) if self == Self::Expired => {
                    when(expires <= now, json!({"url": url, "expires": file.expires}))
                }
                Some(expires) if expires <= now => Judgement::NotConcerned("the file has expired already"),
                Some(expires) => when(expires - now < SOON, json!({"url": url, "expires": file.expires})),
            },
            Self::Signature => match file.signature {
                SignatureForm::None => Judgement::NotConcerned("the file is not signed"),
                SignatureForm::WellFormed => Judgement::Holds,
                SignatureForm::Broken => Judgement::Broken(json!({"url": url})),
            },
        }
    }
}

enum Judgement {
    Holds,
    Broken(serde_json::Value),
    NotConcerned(&'static str),
}

/// A contact is a URI: mail, web (https) or telephone (RFC 9116, section 2.5.3).
fn is_contact(value: &str) -> bool {
    value.split_once(':').is_some_and(|(scheme, rest)| {
        let well_formed = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
        well_formed && !rest.is_empty() && !scheme.eq_ignore_ascii_case("http")
    })
}

/// The one valid `Expires`; several, or one that is no RFC 3339 date, are as good as none.
fn expiry(file: &SecurityTxt) -> Option<DateTime<Utc>> {
    match file.expires.as_slice() {
        [one] => DateTime::parse_from_rfc3339(one).ok().map(|date| date.to_utc()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contacts_and_dates() {
        for good in ["mailto:a@b.test", "https://b.test/x", "tel:+1-201-555-0123"] {
            assert!(is_contact(good), "{good}");
        }
        for bad in ["a@b.test", "http://b.test/", "", "mailto:"] {
            assert!(!is_contact(bad), "{bad}");
        }
        let file = |expires: &[&str]| SecurityTxt {
            expires: expires.iter().map(|text| (*text).to_owned()).collect(),
            ..SecurityTxt::default()
        };
        assert!(expiry(&file(&["2030-12-31T18:37:07z"])).is_some());
        assert!(expiry(&file(&["2030-12-31T18:37:07+02:00"])).is_some());
        assert!(expiry(&file(&["31 Dec 2030"])).is_none());
        assert!(expiry(&file(&["2030-01-01T00:00:00Z", "2031-01-01T00:00:00Z"])).is_none());
        assert!(expiry(&file(&[])).is_none());
    }
}
