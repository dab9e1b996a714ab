//! Products and versions from what servers say of themselves, by `content/services/products.toml`.

use std::sync::OnceLock;

use bartizan_catalog::Catalog;
use bartizan_domain::evidence::ServiceEvidence;
use regex::{Captures, Regex};
use serde::Deserialize;

/// Characters searched of a greeting or header, and of a page.
const MAX_TEXT: usize = 2048;
const MAX_BODY: usize = 16 * 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    product: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    service: String,
    #[serde(default)]
    field: Field,
    pattern: String,
    name: String,
    #[serde(default)]
    cpe: Option<String>,
}

/// Where a pattern is searched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// What the server says of itself first: its greeting, or the `Server` header.
    #[default]
    Banner,
    /// The `Via` header.
    Via,
    /// The `X-Powered-By` header.
    PoweredBy,
    /// The body of a page.
    Body,
    /// A greeting that names protocol and product at once.
    Greeting,
}

struct Signature {
    service: String,
    field: Field,
    pattern: Pattern,
    name: String,
    cpe: Option<String>,
}

/// A pattern that is compiled when it is first searched: most are of services that a run never meets.
struct Pattern {
    text: String,
    compiled: OnceLock<Regex>,
}

impl Pattern {
    const fn new(text: String) -> Self {
        Self { text, compiled: OnceLock::new() }
    }

    fn captures<'t>(&self, text: &'t str) -> Option<Captures<'t>> {
        let compiled = self.compiled.get_or_init(|| match self.compile() {
            Ok(compiled) => compiled,
            Err(error) => unreachable!("the embedded content is tested: {error}"),
        });
        compiled.captures(text)
    }

    fn compile(&self) -> Result<Regex, regex::Error> {
        regex::RegexBuilder::new(&self.text).size_limit(1 << 20).build()
    }
}

/// Fills product, version and CPE from `text`, which a server of the identified protocol said of itself first. The first
/// signature that matches stands; what is filled in already is kept.
pub fn apply(evidence: &mut ServiceEvidence, text: &str) {
    apply_to(evidence, Field::Banner, text);
}

/// [`apply`] for text of any field. A product known without its version gets the version where the same product is
/// found again.
pub fn apply_to(evidence: &mut ServiceEvidence, field: Field, text: &str) {
    let Some(service) = evidence.service.as_deref() else { return };
    if evidence.product.is_some() && evidence.version.is_some() {
        return;
    }
    let limit = if field == Field::Body { MAX_BODY } else { MAX_TEXT };
    let text = text.get(..floor(text, limit)).unwrap_or(text);
    let candidates = signatures().iter().filter(|signature| signature.service == service && signature.field == field);
    for signature in candidates {
        if evidence.product.as_ref().is_some_and(|product| *product != signature.name) {
            continue;
        }
        if let Some(captures) = signature.pattern.captures(text) {
            let version = captures.name("version").map(|found| found.as_str().trim().to_owned());
            let version = version.filter(|version| !version.is_empty());
            if evidence.product.is_some() && version.is_none() {
                continue;
            }
            evidence.product = Some(signature.name.clone());
            evidence.cpe = signature.cpe.as_deref().map(|cpe| cpe_name(cpe, version.as_deref()));
            evidence.version = version;
            return;
        }
    }
}

/// Recognises protocol and product by a greeting that is like no other.
pub fn by_greeting(greeting: &[u8]) -> Option<ServiceEvidence> {
    let text = String::from_utf8_lossy(greeting.get(..greeting.len().min(MAX_TEXT))?);
    let greetings = signatures().iter().filter(|signature| signature.field == Field::Greeting);
    for signature in greetings {
        if let Some(captures) = signature.pattern.captures(&text) {
            let version = captures.name("version").map(|found| found.as_str());
            let mut found = ServiceEvidence { service: Some(signature.service.clone()), ..ServiceEvidence::default() };
            set(&mut found, &signature.name, version, signature.cpe.as_deref());
            found.banner = super::wire::banner(greeting);
            return Some(found);
        }
    }
    None
}

/// Sets a product whose name and version the protocol states in fields of their own.
pub fn set(evidence: &mut ServiceEvidence, product: &str, version: Option<&str>, cpe: Option<&str>) {
    let version = version.map(|text| super::wire::printable(text.as_bytes(), 60)).filter(|text| !text.is_empty());
    evidence.product = Some(product.to_owned());
    evidence.cpe = cpe.map(|cpe| cpe_name(cpe, version.as_deref()));
    evidence.version = version;
}

/// `openbsd:openssh` and `9.2p1` as a CPE 2.3 name. A patch level or a release before the final one, behind the number
/// (`p1`) or behind a hyphen (`-P2`, `-rc1`), is the update component of the name; what else a distribution appends after
/// `-`, `+` or `~` is no part of it.
pub fn cpe_name(vendor_product: &str, version: Option<&str>) -> String {
    let (version, update) = version.map_or(("*", "*".to_owned()), split_version);
    let escape = |text: &str| text.replace('+', "\\+");
    format!("cpe:2.3:a:{vendor_product}:{}:{}:*:*:*:*:*:*", escape(version), escape(&update))
}

fn split_version(text: &str) -> (&str, String) {
    let core = text.split(['-', '+', '~', ' ', '(', ',']).next().unwrap_or(text);
    let digits = core.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(core.len());
    let (number, rest) = core.split_at(digits);
    let plain = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric());
    let any = || "*".to_owned();
    let behind = text.get(core.len()..).and_then(|rest| rest.strip_prefix('-')).and_then(update_word);
    match (number.trim_end_matches('.'), rest) {
        ("", _) => ("*", any()),
        (number, "") => (number, behind.unwrap_or_else(any)),
        (number, rest) if plain(rest) => (number, rest.to_ascii_lowercase()),
        (number, _) => (number, any()),
    }
}

/// `P2` of `P2-RedHat`: a word for a patch level or for a release before the final one, and a number.
fn update_word(text: &str) -> Option<String> {
    let word = text.split(['-', '+', '~', ' ', '.', '(', ',']).next()?.to_ascii_lowercase();
    let digits = word.trim_start_matches(|c: char| c.is_ascii_lowercase());
    let name = word.strip_suffix(digits)?;
    let is_update = matches!(name, "p" | "s" | "rc" | "alpha" | "beta") && (1..=3).contains(&digits.len());
    (is_update && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| word.clone())
}

fn floor(text: &str, limit: usize) -> usize {
    (0..=limit.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

fn signatures() -> &'static [Signature] {
    static SIGNATURES: OnceLock<Vec<Signature>> = OnceLock::new();
    SIGNATURES.get_or_init(|| match parse(Catalog::file("services/products.toml").unwrap_or_default()) {
        Ok(signatures) => signatures,
        Err(error) => unreachable!("the embedded content is tested: {error}"),
    })
}

fn parse(text: &str) -> Result<Vec<Signature>, String> {
    let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
    let signature = |entry: Entry| Signature {
        service: entry.service,
        field: entry.field,
        pattern: Pattern::new(entry.pattern),
        name: entry.name,
        cpe: entry.cpe,
    };
    Ok(file.product.into_iter().map(signature).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn identified(service: &str, text: &str) -> (String, String, String) {
        let mut evidence = ServiceEvidence { service: Some(service.into()), ..ServiceEvidence::default() };
        apply(&mut evidence, text);
        (evidence.product.unwrap_or_default(), evidence.version.unwrap_or_default(), evidence.cpe.unwrap_or_default())
    }

    #[test]
    fn every_pattern_compiles() {
        for signature in signatures() {
            assert!(signature.pattern.compile().is_ok(), "{}", signature.pattern.text);
        }
    }

    #[test]
    fn banners_of_common_servers() {
        for (service, text, product, version, cpe) in [
            ("ssh", "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u7", "OpenSSH", "9.2p1", "openbsd:openssh:9.2:p1:"),
            ("ssh", "SSH-2.0-dropbear_2022.83", "Dropbear", "2022.83", "dropbear_ssh_project:dropbear_ssh:2022.83:*:"),
            ("http", "nginx/1.22.1", "nginx", "1.22.1", "f5:nginx:1.22.1:*:"),
            ("http", "nginx", "nginx", "", "f5:nginx:*:*:"),
            ("http", "Apache/2.4.62 (Debian)", "Apache HTTP Server", "2.4.62", "apache:http_server:2.4.62:*:"),
            ("ftp", "220 (vsFTPd 3.0.3)", "vsftpd", "3.0.3", "vsftpd_project:vsftpd:3.0.3:*:"),
            ("smtp", "220 mail.test ESMTP Postfix (Debian/GNU)", "Postfix", "", "postfix:postfix:*:*:"),
            ("smtp", "220 mx ESMTP Exim 4.96 Sun, 01 Nov 2026", "Exim", "4.96", "exim:exim:4.96:*:"),
        ] {
            let found = identified(service, text);
            assert_eq!((found.0.as_str(), found.1.as_str()), (product, version), "{text}");
            assert!(found.2.contains(cpe), "{text}: {}", found.2);
        }
        for (service, text, product, version, cpe) in [
            ("dns", "9.11.4-P2-RedHat-9.11.4-26.P2.el7", "BIND", "9.11.4-P2", "isc:bind:9.11.4:p2:"),
            ("dns", "9.10.3-P4-Ubuntu", "BIND", "9.10.3-P4", "isc:bind:9.10.3:p4:"),
            ("dns", "9.18.28-1~deb12u2-Debian", "BIND", "9.18.28", "isc:bind:9.18.28:*:"),
            ("dns", "9.16.48-S1", "BIND", "9.16.48-S1", "isc:bind:9.16.48:s1:"),
            ("smtp", "220 mx ESMTP Haraka ready", "Haraka", "", ""),
            ("smtp", "220 mx ESMTP Haraka/3.0.3 ready", "Haraka", "3.0.3", ""),
            ("http", "mini_httpd", "mini_httpd", "", "acme:mini_httpd:*:"),
            (
                "smtp",
                "220 host Microsoft ESMTP MAIL Service, Version: 10.0.17763.1697 ready at  Sun, 1 Nov 2026",
                "Microsoft IIS SMTP service",
                "",
                "",
            ),
            (
                "smtp",
                "220 EX01.example.test Microsoft ESMTP MAIL Service ready at Sun, 1 Nov 2026 10:00:00 +0100",
                "Microsoft Exchange",
                "",
                "microsoft:exchange_server:*:",
            ),
            (
                "imap",
                "* OK The Microsoft Exchange IMAP4 service is ready. [RQ==]",
                "Microsoft Exchange",
                "",
                "exchange",
            ),
            ("pop3", "+OK The Microsoft Exchange POP3 service is ready. [RQ==]", "Microsoft Exchange", "", "exchange"),
        ] {
            let found = identified(service, text);
            assert_eq!((found.0.as_str(), found.1.as_str()), (product, version), "{text}");
            assert!(found.2.contains(cpe), "{text}: {}", found.2);
        }
        // No part of a pattern may give an empty version.
        let mut empty = ServiceEvidence { service: Some("smtp".into()), ..ServiceEvidence::default() };
        apply(&mut empty, "220 mx ESMTP Haraka ready");
        assert_eq!(empty.version, None);
        assert_eq!(cpe_name("a:b", Some("1.2-beta3")), "cpe:2.3:a:a:b:1.2:beta3:*:*:*:*:*:*");
        assert_eq!(cpe_name("a:b", Some("8.0.35-27")), "cpe:2.3:a:a:b:8.0.35:*:*:*:*:*:*:*");
        assert_eq!(identified("ssh", "SSH-2.0-whatever").0, "");
    }

    #[test]
    fn greetings_that_are_like_no_other() {
        for (greeting, service, version) in [
            (
                &b"INFO {\"server_id\":\"NB\",\"server_name\":\"x\",\"version\":\"2.9.10\",\"proto\":1}\r\n"[..],
                "nats",
                "2.9.10",
            ),
            (b"220 host dictd 1.13.0/rf on Linux <auth.mime>\r\n", "dict", "1.13.0"),
            (b"OK MPD 0.23.5\n", "mpd", ""),
            (b"( success ( 2 2 ( ) ( edit-pipeline svndiff1 ) ) ) ", "svn", ""),
            (b"Asterisk Call Manager/7.0.3\r\n", "asterisk-manager", ""),
            (b"ENTER PASSWORD:", "openvpn-management", ""),
            (b"\r\nHello, this is FRRouting (version 8.4.4).\r\nCopyright 1996-2005\r\n\r\n", "vty", "8.4.4"),
        ] {
            let found = by_greeting(greeting).unwrap();
            assert_eq!(found.service.as_deref(), Some(service));
            assert_eq!(found.version.as_deref().unwrap_or_default(), version);
        }
        for other in
            [&b"220 mail ESMTP Postfix\r\n"[..], b"SSH-2.0-OpenSSH_9.2\r\n", b"* OK ready\r\n", b"\xff\xfd\x18", b""]
        {
            assert!(by_greeting(other).is_none());
        }
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_signatures(text in "\\PC{0,300}", version in "\\PC{0,40}") {
            for service in ["ssh", "http", "ftp", "smtp", "imap", "pop3"] {
                identified(service, &text);
            }
            let _ = by_greeting(text.as_bytes());
            for field in [Field::Via, Field::PoweredBy, Field::Body] {
                let mut evidence = ServiceEvidence { service: Some("http".into()), ..ServiceEvidence::default() };
                apply_to(&mut evidence, field, &text);
            }
            let name = cpe_name("a:b", Some(&version));
            prop_assert_eq!(name.matches(':').count(), 12);
        }
    }
}
