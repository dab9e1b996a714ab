//! Reading WHOIS answers. There is no standard format: the `Key: value` form that most registries use is read, anything
//! else yields nothing, and a date that cannot be read is no date.

use std::collections::BTreeMap;

use bartizan_domain::evidence::RegistrationEvidence;
use bartizan_domain::evidence::registration::RegistrationSource;
use chrono::{DateTime, Utc};

use super::rdap::{clip, date};

/// Lines read of an answer.
const MAX_LINES: usize = 2000;

const DOMAIN: [&str; 3] = ["domain name", "domain", "domainname"];
const EXPIRES: [&str; 12] = [
    "registry expiry date",
    "registrar registration expiration date",
    "expiration date",
    "expiry date",
    "expires on",
    "expires",
    "expire date",
    "expiration time",
    "expire",
    "paid-till",
    "renewal date",
    "validity",
];
const CREATED: [&str; 7] =
    ["creation date", "created on", "created", "registered on", "registered", "registration time", "domain registered"];
const UPDATED: [&str; 6] = ["updated date", "last updated", "last modified", "modified", "changed", "last-update"];
const REGISTRAR: [&str; 3] = ["registrar", "registrar name", "sponsoring registrar"];
const STATUS: [&str; 4] = ["domain status", "status", "state", "eppstatus"];
const SERVERS: [&str; 4] = ["name server", "nserver", "nameserver", "name servers"];
const REFERRAL: [&str; 4] = ["refer", "whois", "registrar whois server", "whois server"];

/// Reads an answer about `domain`. `None` if it is not one: the server does not know the domain, or writes in a form
/// that is not read.
#[must_use]
pub fn parse(text: &str, domain: &str, server: &str) -> Option<RegistrationEvidence> {
    let fields = fields(text);
    let first = |keys: &[&str]| keys.iter().find_map(|key| fields.get(*key)?.first().cloned());
    let all =
        |keys: &[&str]| -> Vec<String> { keys.iter().filter_map(|key| fields.get(*key)).flatten().cloned().collect() };
    let named = DOMAIN.iter().filter_map(|key| fields.get(*key)).flatten().any(|name| {
        name.split_whitespace().next().is_some_and(|name| name.trim_end_matches('.').eq_ignore_ascii_case(domain))
    });
    if !named {
        return None;
    }
    let statuses = all(&STATUS);
    let mut nameservers: Vec<String> = all(&SERVERS)
        .iter()
        .filter_map(|line| line.split_whitespace().next())
        .map(|name| name.trim_end_matches('.').to_ascii_lowercase())
        .filter(|name| name.contains('.'))
        .collect();
    nameservers.sort();
    nameservers.dedup();
    let date_of = |keys: &[&str]| first(keys).and_then(|text| lenient_date(&text));
    let found = RegistrationEvidence {
        domain: domain.to_owned(),
        source: RegistrationSource::Whois,
        server: server.to_owned(),
        registrar: first(&REGISTRAR).filter(|name| !name.is_empty()),
        created: date_of(&CREATED),
        expires: date_of(&EXPIRES),
        updated: date_of(&UPDATED),
        statuses: (!statuses.is_empty()).then(|| normalise_statuses(&statuses)),
        nameservers,
        delegation_signed: first(&["dnssec"]).and_then(|text| match text.to_ascii_lowercase().as_str() {
            "unsigned" | "no" => Some(false),
            "signeddelegation" | "signed" | "yes" => Some(true),
            _ => None,
        }),
    };
    // `status: free` and the like is how some registries say that a domain is not registered.
    let free = ["free", "available", "not registered", "no object found"];
    let is_free = found.statuses.iter().flatten().any(|status| free.contains(&status.as_str()));
    (!is_free).then_some(found)
}

/// The server an answer refers to, `host` or `host:port`.
#[must_use]
pub fn referral(text: &str) -> Option<String> {
    let fields = fields(text);
    let value = REFERRAL.iter().find_map(|key| fields.get(*key)?.first())?;
    let value = value.strip_prefix("whois://").unwrap_or(value).trim_end_matches('/').to_ascii_lowercase();
    host_and_port(&value).map(|_| value.clone())
}

/// Splits `host`, `host:port` or `[address]:port`; port 43 unless given.
#[must_use]
pub fn host_and_port(server: &str) -> Option<(&str, u16)> {
    let (host, port) = match server.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']')?;
            (host, port.strip_prefix(':').map_or(Some(43), |port| port.parse().ok())?)
        }
        None => match server.rsplit_once(':') {
            Some((host, port)) => (host, port.parse().ok()?),
            None => (server, 43),
        },
    };
    let plausible = !host.is_empty()
        && host.len() <= 253
        && host.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':'));
    (plausible && port != 0).then_some((host, port))
}

/// The registry's answer, completed with what only the registrar's says.
#[must_use]
pub fn complete(registry: RegistrationEvidence, registrar: RegistrationEvidence) -> RegistrationEvidence {
    RegistrationEvidence {
        registrar: registry.registrar.or(registrar.registrar),
        created: registry.created.or(registrar.created),
        expires: registry.expires.or(registrar.expires),
        updated: registry.updated.or(registrar.updated),
        statuses: registry.statuses.or(registrar.statuses),
        delegation_signed: registry.delegation_signed.or(registrar.delegation_signed),
        nameservers: if registry.nameservers.is_empty() { registrar.nameservers } else { registry.nameservers },
        ..registry
    }
}

/// `Key: value` lines, keys lower case, values in order. Comments (`%`, `#`) and lines without a value are skipped.
fn fields(text: &str) -> BTreeMap<String, Vec<String>> {
    let mut fields: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in text.lines().take(MAX_LINES) {
        let line = line.trim();
        if line.starts_with(['%', '#', '>']) {
            continue;
        }
        let Some((key, value)) = line.split_once(':') else { continue };
        let key = key.trim_matches(|c: char| c == '[' || c == ']' || c == '.' || c.is_whitespace()).to_lowercase();
        let value = clip(value.trim());
        if !value.is_empty() && !key.is_empty() && key.len() <= 60 {
            let values = fields.entry(key).or_default();
            if values.len() < 100 {
                values.push(value);
            }
        }
    }
    fields
}

/// A date at the beginning of a value: `2027-08-13T04:00:00Z`, `2027-08-13 04:00:00 (UTC+0)`, `13-Aug-2027`.
fn lenient_date(text: &str) -> Option<DateTime<Utc>> {
    let mut words = text.split_whitespace();
    let (one, two) = (words.next()?, words.next());
    let pair = two.map(|two| format!("{one} {two}"));
    date(text).or_else(|| pair.and_then(|pair| date(&pair))).or_else(|| date(one))
}

/// EPP status codes (`clientTransferProhibited https://icann.org/epp#…`) in the words of RDAP, by the rule of RFC 8056
/// section 2: one word per capital letter, lower case.
fn normalise_statuses(values: &[String]) -> Vec<String> {
    let mut list: Vec<String> = values
        .iter()
        .flat_map(|value| value.split(','))
        .filter_map(|value| {
            let text = value.split(" http").next().unwrap_or(value).split('(').next().unwrap_or(value).trim();
            let mut words = String::new();
            for c in text.chars() {
                if c.is_ascii_uppercase() && words.chars().last().is_some_and(|last| last.is_ascii_lowercase()) {
                    words.push(' ');
                }
                words.push(c.to_ascii_lowercase());
            }
            let words = words.trim().to_owned();
            // EPP's `ok` is RDAP's `active`.
            let words = if words == "ok" { "active".to_owned() } else { words };
            (!words.is_empty()).then_some(words)
        })
        .collect();
    list.sort();
    list.dedup();
    list
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const VERISIGN: &str = "   Domain Name: EXAMPLE.COM\r\n   Registry Domain ID: 2336799_DOMAIN_COM-VRSN\r\n   Registrar WHOIS Server: whois.example.net\r\n   Updated Date: 2025-08-14T07:01:44Z\r\n   Creation Date: 1995-08-14T04:00:00Z\r\n   Registry Expiry Date: 2027-08-13T04:00:00Z\r\n   Registrar: Example Registrar\r\n   Domain Status: clientDeleteProhibited https://icann.org/epp#clientDeleteProhibited\r\n   Domain Status: ok https://icann.org/epp#ok\r\n   Name Server: A.EXAMPLE.NET\r\n   DNSSEC: signedDelegation\r\n>>> Last update of whois database: 2026-01-01T00:00:00Z <<<\r\n";

    #[test]
    fn the_common_form_is_read() {
        let read = parse(VERISIGN, "example.com", "whois.example").unwrap();
        assert_eq!(read.expires.unwrap().to_rfc3339(), "2027-08-13T04:00:00+00:00");
        assert_eq!(read.statuses.unwrap(), ["active", "client delete prohibited"]);
        assert_eq!(read.registrar.as_deref(), Some("Example Registrar"));
        assert_eq!(read.nameservers, ["a.example.net"]);
        assert_eq!(read.delegation_signed, Some(true));
        assert_eq!(referral(VERISIGN).as_deref(), Some("whois.example.net"));
    }

    #[test]
    fn what_is_not_about_the_domain_is_not_read() {
        assert_eq!(parse("No match for \"EXAMPLE.COM\".\r\n", "example.com", ""), None);
        assert_eq!(parse("domain: example.org\nexpires: 2027-01-01\n", "example.com", ""), None);
        assert_eq!(parse("Domain: example.de\nStatus: free\n", "example.de", ""), None);
        assert_eq!(parse("", "example.com", ""), None);
    }

    #[test]
    fn a_registry_that_publishes_no_date_gives_none() {
        let read = parse("Domain: example.de\nNserver: ns1.example.de 192.0.2.1\nStatus: connect\n", "example.de", "");
        let read = read.unwrap();
        assert_eq!(read.expires, None);
        assert_eq!(read.statuses.unwrap(), ["connect"]);
    }

    #[test]
    fn dates_of_many_registries() {
        for text in [
            "2027-08-13T04:00:00Z",
            "2027-08-13 04:00:00",
            "13-Aug-2027",
            "2027/08/13",
            "20270813",
            "2027-08-13T04:00:00+0000",
            "13.08.2027",
            "2027-08-13 04:00:00 (UTC+8)",
        ] {
            let date = lenient_date(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(date.format("%Y-%m-%d").to_string(), "2027-08-13", "{text}");
        }
        assert_eq!(lenient_date("not published"), None);
    }

    #[test]
    fn servers() {
        assert_eq!(host_and_port("whois.example"), Some(("whois.example", 43)));
        assert_eq!(host_and_port("127.0.0.1:4343"), Some(("127.0.0.1", 4343)));
        assert_eq!(host_and_port("[::1]:4343"), Some(("::1", 4343)));
        assert_eq!(host_and_port("https://example"), None);
        assert_eq!(referral("whois: \nrefer: whois.nic.test:4343\n").as_deref(), Some("whois.nic.test:4343"));
    }

    proptest! {
        #[test]
        fn no_answer_panics(text in ".{0,300}", key in "(domain|status|expires|refer|created|nserver)", value in ".{0,60}") {
            let _ = parse(&text, "example.com", "");
            let _ = referral(&text);
            let _ = host_and_port(&text);
            let _ = parse(&format!("domain: example.com\n{key}: {value}\n"), "example.com", "");
            let _ = referral(&format!("{key}: {value}"));
        }
    }
}
