//! `cookie.*`: attributes of cookies, by purpose and prefix. One finding a location, with the cookies listed.

use bartizan_domain::evidence::web::SetCookie;
use bartizan_domain::evidence::{EvidenceKind, HostEvidence, Scheme};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::site::{self, Site};
use crate::{Check, Fail, JudgeSettings, Verdicts};

/// The rules, one check each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// `cookie.no_secure`.
    NoSecure,
    /// `cookie.no_httponly`.
    NoHttpOnly,
    /// `cookie.samesite`.
    SameSite,
    /// `cookie.prefix`.
    Prefix,
    /// `cookie.domain`.
    Domain,
}

impl Check for Rule {
    fn id(&self) -> &'static str {
        match self {
            Self::NoSecure => "cookie.no_secure",
            Self::NoHttpOnly => "cookie.no_httponly",
            Self::SameSite => "cookie.samesite",
            Self::Prefix => "cookie.prefix",
            Self::Domain => "cookie.domain",
        }
    }

    fn needs(&self) -> &'static [EvidenceKind] {
        &[EvidenceKind::Web]
    }

    fn judge(&self, evidence: &HostEvidence, _: &JudgeSettings, out: &mut Verdicts<'_>) {
        site::each_distinct(evidence, out, |site, out| {
            let location = site.location();
            if *self == Self::NoSecure && site.web.scheme == Scheme::Http {
                // Over plain HTTP the transport is the finding; browsers even refuse Secure there.
                return out.not_applicable(location, "served over plain HTTP");
            }
            let stored: Vec<&SetCookie> =
                site.web.own_cookies().filter(|cookie| !is_deletion(cookie, evidence.gathered_at)).collect();
            if stored.is_empty() {
                return out.not_applicable(location, "sets no cookie");
            }
            let mut bad: Vec<Value> = Vec::new();
            for cookie in stored {
                if let Some(problem) = self.problem(cookie, site) {
                    let entry = json!({"name": cookie.name, "problem": problem});
                    if !bad.contains(&entry) {
                        bad.push(entry);
                    }
                }
            }
            if bad.is_empty() { out.pass(location) } else { out.fail(location, Fail::new(json!({"cookies": bad}))) }
        });
    }
}

impl Rule {
    /// What is wrong with the cookie under this rule.
    fn problem(self, cookie: &SetCookie, site: &Site<'_>) -> Option<String> {
        match self {
            Self::NoSecure => (!cookie.secure).then(|| "no Secure attribute on a cookie set over HTTPS".to_owned()),
            Self::NoHttpOnly => (!cookie.http_only && is_session_like(&cookie.name))
                .then(|| "no HttpOnly attribute on a cookie that looks like a session".to_owned()),
            Self::SameSite => same_site(cookie),
            Self::Prefix => prefix(cookie, site.web.scheme),
            Self::Domain => wide_domain(cookie, &site.web.host),
        }
    }
}

/// Whether the header removes the cookie instead of setting it.
fn is_deletion(cookie: &SetCookie, now: DateTime<Utc>) -> bool {
    if let Some(max_age) = cookie.max_age {
        return max_age <= 0;
    }
    let Some(expires) = &cookie.expires else { return false };
    let expires = expires.replace('-', " ");
    DateTime::parse_from_rfc2822(&expires).is_ok_and(|expires| expires <= now)
}

/// Whether a name is one that frameworks give to sessions and credentials. Tokens that scripts must read (the
/// double-submit pattern against request forgery) are none.
#[must_use]
pub fn is_session_like(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let name = name.trim_start_matches("__host-").trim_start_matches("__secure-");
    if name.contains("csrf") || name.contains("xsrf") {
        return false;
    }
    let words: Vec<&str> = name.split(|c: char| !c.is_ascii_alphanumeric()).collect();
    ["session", "sess_", "token", "jwt", "credential", "passwd", "remember_me", "rememberme", "logged_in"]
        .iter()
        .any(|part| name.contains(part))
        || words.iter().any(|word| {
            matches!(
                *word,
                "sid" | "sess" | "login" | "sso" | "jsessionid" | "phpsessid" | "sessid" | "cfid" | "cftoken"
            ) || word.starts_with("aspsessionid")
                || word.ends_with("sessid")
                || word.ends_with("sessionid")
        })
}

fn same_site(cookie: &SetCookie) -> Option<String> {
    match cookie.same_site.as_deref().map(str::to_ascii_lowercase).as_deref() {
        Some("lax" | "strict") => None,
        Some("none") if cookie.secure => None,
        Some("none") => Some("SameSite=None without Secure, which browsers refuse".to_owned()),
        Some(_) => Some("SameSite with an unknown value".to_owned()),
        None => Some("no SameSite attribute".to_owned()),
    }
}

/// Prefix rules (RFC 6265bis, section 4.1.3), matched without regard to case as browsers do.
fn prefix(cookie: &SetCookie, scheme: Scheme) -> Option<String> {
    let name = cookie.name.to_ascii_lowercase();
    let secure = cookie.secure && scheme == Scheme::Https;
    if name.starts_with("__host-") {
        let mut unmet = Vec::new();
        if !secure {
            unmet.push("Secure over HTTPS");
        }
        if cookie.path.as_deref() != Some("/") {
            unmet.push("Path=/");
        }
        if cookie.domain.is_some() {
            unmet.push("no Domain");
        }
        return (!unmet.is_empty()).then(|| format!("__Host- demands {}", unmet.join(", ")));
    }
    (name.starts_with("__secure-") && !secure).then(|| "__Secure- demands Secure over HTTPS".to_owned())
}

/// A `Domain` above the host gives the cookie to every sibling; one that is the host gives a session to every
/// subdomain.
fn wide_domain(cookie: &SetCookie, host: &str) -> Option<String> {
    let domain = cookie.domain.as_deref()?;
    if domain == host {
        return (is_session_like(&cookie.name) && host.parse::<std::net::IpAddr>().is_err())
            .then(|| format!("Domain={domain} sends a session cookie to every subdomain"));
    }
    host.strip_suffix(domain)
        .is_some_and(|rest| rest.ends_with('.'))
        .then(|| format!("Domain={domain} sends the cookie to hosts beyond {host}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_are_known_by_name() {
        for name in [
            "PHPSESSID",
            "JSESSIONID",
            "connect.sid",
            "sessionid",
            "__Host-session",
            "auth_token",
            "ASPSESSIONIDQQ",
            "laravel_session",
            "SID",
        ] {
            assert!(is_session_like(name), "{name}");
        }
        for name in
            ["insecure_secure", "csrftoken", "XSRF-TOKEN", "lang", "theme", "_ga", "consent", "inside", "author_id"]
        {
            assert!(!is_session_like(name), "{name}");
        }
    }

    #[test]
    fn prefixes_and_domains() {
        let cookie =
            |name: &str| SetCookie { name: name.into(), secure: true, path: Some("/".into()), ..SetCookie::default() };
        assert_eq!(prefix(&cookie("__Host-a"), Scheme::Https), None);
        assert!(prefix(&cookie("__host-a"), Scheme::Http).is_some());
        assert!(prefix(&SetCookie { domain: Some("site.test".into()), ..cookie("__Host-a") }, Scheme::Https).is_some());
        assert!(prefix(&SetCookie { secure: false, ..cookie("__Secure-a") }, Scheme::Https).is_some());
        let wide = |name: &str, domain: &str| {
            wide_domain(&SetCookie { domain: Some(domain.into()), ..cookie(name) }, "app.site.test").is_some()
        };
        assert!(wide("lang", "site.test"));
        assert!(!wide("lang", "app.site.test"));
        assert!(wide("sid", "app.site.test"));
        assert!(!wide("lang", "pp.site.test"));
    }

    #[test]
    fn deletions_set_nothing() {
        let now = DateTime::parse_from_rfc3339("2026-11-22T00:00:00Z").unwrap().to_utc();
        let expires = |text: &str| SetCookie { expires: Some(text.into()), ..SetCookie::default() };
        assert!(is_deletion(&expires("Thu, 01 Jan 1970 00:00:00 GMT"), now));
        assert!(is_deletion(&expires("Thu, 01-Jan-1970 00:00:00 GMT"), now));
        assert!(!is_deletion(&expires("Fri, 01 Jan 2100 00:00:00 GMT"), now));
        assert!(is_deletion(&SetCookie { max_age: Some(0), ..SetCookie::default() }, now));
        assert!(!is_deletion(&SetCookie { max_age: Some(60), ..expires("Thu, 01 Jan 1970 00:00:00 GMT") }, now));
    }
}
