//! Reading RDAP: the bootstrap file (RFC 9224) and domain objects (RFC 9083).

use bartizan_domain::evidence::registration::RegistrationSource;
use bartizan_domain::evidence::{FailureKind, ProbeFailure, RegistrationEvidence};
use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use serde::Deserialize;
use serde_json::Value;

/// Entries read of any list in an answer.
const MAX_LIST: usize = 100;
/// Characters kept of any text.
const MAX_TEXT: usize = 200;

#[derive(Deserialize)]
struct Bootstrap {
    #[serde(default)]
    services: Vec<Vec<Vec<String>>>,
}

/// The base URL of the RDAP server for `domain`: the entry with the most matching labels (RFC 9224 section 4), https
/// preferred. Plain http only if `allow_http`.
///
/// # Errors
/// [`FailureKind::Protocol`] if `body` is no bootstrap file.
pub fn server_for(body: &[u8], domain: &str, allow_http: bool) -> Result<Option<String>, ProbeFailure> {
    let bootstrap: Bootstrap = serde_json::from_slice(body).map_err(|error| {
        ProbeFailure::new(FailureKind::Protocol, format!("the RDAP bootstrap file cannot be read: {error}"))
    })?;
    let mut best: Option<(usize, &Vec<String>)> = None;
    for service in &bootstrap.services {
        let [entries, urls] = service.as_slice() else { continue };
        for entry in entries {
            let entry = entry.trim_matches('.').to_ascii_lowercase();
            let matches = domain == entry || domain.strip_suffix(&entry).is_some_and(|rest| rest.ends_with('.'));
            let labels = entry.split('.').count();
            if matches && !entry.is_empty() && best.is_none_or(|(most, _)| labels > most) {
                best = Some((labels, urls));
            }
        }
    }
    let urls = best.map(|(_, urls)| urls.as_slice()).unwrap_or_default();
    let with = |scheme: &str| urls.iter().find(|url| url.starts_with(scheme)).cloned();
    Ok(with("https://").or_else(|| if allow_http { with("http://") } else { None }))
}

/// Reads a domain object.
///
/// # Errors
/// [`FailureKind::Protocol`] if `body` is not the RDAP object of `domain`.
pub fn parse(body: &[u8], domain: &str, server: &str) -> Result<RegistrationEvidence, ProbeFailure> {
    let fail = |detail: String| ProbeFailure::new(FailureKind::Protocol, detail);
    let object: Value =
        serde_json::from_slice(body).map_err(|error| fail(format!("the RDAP answer cannot be read: {error}")))?;
    if object.get("objectClassName").and_then(Value::as_str) != Some("domain") {
        return Err(fail("the RDAP answer is not a domain object".to_owned()));
    }
    let name = ["ldhName", "unicodeName"].iter().find_map(|key| object.get(key).and_then(Value::as_str));
    if let Some(name) = name.filter(|name| name.is_ascii())
        && !name.trim_end_matches('.').eq_ignore_ascii_case(domain)
    {
        return Err(fail(format!("the RDAP answer is about `{}`", clip(name))));
    }
    let statuses = object.get("status").and_then(Value::as_array).map(|list| {
        let words = list.iter().take(MAX_LIST).filter_map(Value::as_str).map(|text| clip(&text.trim().to_lowercase()));
        words.collect::<std::collections::BTreeSet<String>>().into_iter().collect()
    });
    let nameservers = list(&object, "nameservers")
        .filter_map(|server| server.get("ldhName").and_then(Value::as_str))
        .map(|name| clip(&name.trim_end_matches('.').to_ascii_lowercase()));
    let mut nameservers: Vec<String> = nameservers.collect();
    nameservers.sort();
    Ok(RegistrationEvidence {
        domain: domain.to_owned(),
        source: RegistrationSource::Rdap,
        server: server.to_owned(),
        registrar: registrar(&object),
        created: event(&object, "registration"),
        expires: event(&object, "expiration"),
        updated: event(&object, "last changed"),
        statuses,
        nameservers,
        delegation_signed: object.get("secureDNS").and_then(|dns| dns.get("delegationSigned")).and_then(Value::as_bool),
    })
}

fn list<'v>(object: &'v Value, key: &str) -> impl Iterator<Item = &'v Value> {
    object.get(key).and_then(Value::as_array).into_iter().flatten().take(MAX_LIST)
}

/// The date of an event. If an action is listed more than once (registries list some per renewal), the latest counts.
fn event(object: &Value, action: &str) -> Option<DateTime<Utc>> {
    list(object, "events")
        .filter(|event| {
            event.get("eventAction").and_then(Value::as_str).is_some_and(|name| name.eq_ignore_ascii_case(action))
        })
        .filter_map(|event| date(event.get("eventDate")?.as_str()?))
        .max()
}

/// A date as registries write them: RFC 3339, or (against the standard, but seen) without a zone, taken as UTC.
pub(super) fn date(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim();
    if let Ok(date) = DateTime::parse_from_rfc3339(text) {
        return Some(date.to_utc());
    }
    for format in ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y/%m/%d %H:%M:%S", "%d.%m.%Y %H:%M:%S"] {
        if let Ok(date) = NaiveDateTime::parse_from_str(text, format) {
            return Some(date.and_utc());
        }
    }
    if let Ok(date) = DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z") {
        return Some(date.to_utc());
    }
    for format in ["%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%d-%b-%Y", "%d.%m.%Y", "%d %b %Y"] {
        if let Ok(date) = NaiveDate::parse_from_str(text, format) {
            return date.and_hms_opt(0, 0, 0).map(|date| date.and_utc());
        }
    }
    None
}

/// Name of the entity with the role `registrar`: the `fn` property of its jCard (RFC 7095), or its handle.
fn registrar(object: &Value) -> Option<String> {
    let entity = list(object, "entities").find(|entity| {
        list(entity, "roles").any(|role| role.as_str().is_some_and(|role| role.eq_ignore_ascii_case("registrar")))
    })?;
    let card = entity.get("vcardArray").and_then(|card| card.get(1)).and_then(Value::as_array);
    let name = card.into_iter().flatten().take(MAX_LIST).find_map(|property| {
        let is_name = property.get(0).and_then(Value::as_str) == Some("fn");
        property.get(3).filter(|_| is_name).and_then(Value::as_str)
    });
    name.or_else(|| entity.get("handle").and_then(Value::as_str)).map(clip).filter(|name| !name.is_empty())
}

pub(super) fn clip(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(MAX_TEXT).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BOOTSTRAP: &[u8] = br#"{"version":"1.0","services":[
        [["com","net"],["http://plain.example/","https://rdap.example/com/v1/"]],
        [["co.uk"],["https://rdap.example/couk/"]],[["uk"],["https://rdap.example/uk/"]],
        [["test"],["http://127.0.0.1:1/"]], [["broken"]]]}"#;

    #[test]
    fn the_longest_entry_and_https_win() {
        let server = |domain: &str| server_for(BOOTSTRAP, domain, false).unwrap();
        assert_eq!(server("example.com").as_deref(), Some("https://rdap.example/com/v1/"));
        assert_eq!(server("example.co.uk").as_deref(), Some("https://rdap.example/couk/"));
        assert_eq!(server("example.uk").as_deref(), Some("https://rdap.example/uk/"));
        assert_eq!(server("example.telecom"), None);
        assert_eq!(server("example.test"), None);
        assert!(server_for(BOOTSTRAP, "example.test", true).unwrap().is_some());
        assert!(server_for(b"<html>", "example.com", false).is_err());
    }

    #[test]
    fn a_domain_object_is_read() {
        let body =
            br#"{"objectClassName":"domain","ldhName":"EXAMPLE.COM","status":["Client Transfer Prohibited","active"],
            "events":[{"eventAction":"registration","eventDate":"1995-08-14T04:00:00Z"},
                      {"eventAction":"expiration","eventDate":"2027-08-13T04:00:00Z"}],
            "entities":[{"objectClassName":"entity","handle":"376","roles":["registrar"],
                "vcardArray":["vcard",[["version",{},"text","4.0"],["fn",{},"text","Example Registrar, Inc."]]]}],
            "secureDNS":{"delegationSigned":true},
            "nameservers":[{"ldhName":"B.EXAMPLE.NET."},{"ldhName":"A.EXAMPLE.NET"}]}"#;
        let read = parse(body, "example.com", "https://rdap.example").unwrap();
        assert_eq!(read.expires.unwrap().to_rfc3339(), "2027-08-13T04:00:00+00:00");
        assert_eq!(read.registrar.as_deref(), Some("Example Registrar, Inc."));
        assert_eq!(read.statuses.unwrap(), ["active", "client transfer prohibited"]);
        assert_eq!(read.nameservers, ["a.example.net", "b.example.net"]);
        assert_eq!(read.delegation_signed, Some(true));
        assert!(parse(body, "example.org", "").is_err(), "an answer about another domain");
        assert!(parse(br#"{"objectClassName":"entity"}"#, "example.com", "").is_err());
        assert_eq!(parse(br#"{"objectClassName":"domain"}"#, "example.com", "").unwrap().statuses, None);
    }

    proptest! {
        #[test]
        fn no_answer_panics(text in ".{0,300}") {
            let _ = parse(text.as_bytes(), "example.com", "");
            let _ = server_for(text.as_bytes(), "example.com", true);
            let _ = date(&text);
        }

        #[test]
        fn no_object_panics(status in ".{0,40}", when in ".{0,40}", name in ".{0,40}") {
            let object = serde_json::json!({"objectClassName": "domain", "status": [status], "nameservers": [{"ldhName": name}],
                "events": [{"eventAction": "expiration", "eventDate": when}], "entities": [{"roles": [name], "vcardArray": [status]}]});
            let _ = parse(object.to_string().as_bytes(), "example.com", "");
        }
    }
}
