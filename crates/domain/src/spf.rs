//! The grammar of SPF records (RFC 7208 sections 4.5, 4.6 and 12). Reading only: following a record through the DNS is
//! the probe's work, judging it the checks'.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Whether a TXT record claims to be SPF (RFC 7208 section 4.5).
#[must_use]
pub fn is_record(text: &str) -> bool {
    text.get(..6).is_some_and(|version| version.eq_ignore_ascii_case("v=spf1"))
        && text.as_bytes().get(6).is_none_or(|&next| next == b' ')
}

/// The result a matching directive gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Qualifier {
    /// `+` or none.
    Pass,
    /// `-`.
    Fail,
    /// `~`.
    SoftFail,
    /// `?`.
    Neutral,
}

/// A domain as written in a term.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DomainSpec {
    /// As written, lower case, no trailing dot.
    pub text: String,
    /// Whether it contains macros, so that the name depends on the message and cannot be known.
    pub has_macro: bool,
}

impl DomainSpec {
    /// The name, if it does not depend on the message: no macro but `%{d}`, which is the domain `current` whose record
    /// is being evaluated.
    #[must_use]
    pub fn name(&self, current: &str) -> Option<String> {
        let name = self.text.replace("%{d}", current);
        (!name.contains('%')).then_some(name)
    }
}

/// What a directive matches on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mechanism {
    /// Everything.
    All,
    /// Senders that another domain's record passes.
    Include(DomainSpec),
    /// Addresses of the domain, or of the one given.
    A(Option<DomainSpec>),
    /// Addresses of the domain's mail servers, or of the one given.
    Mx(Option<DomainSpec>),
    /// Reverse names; deprecated.
    Ptr(Option<DomainSpec>),
    /// A network.
    Ip4(Ipv4Addr, u8),
    /// A network.
    Ip6(Ipv6Addr, u8),
    /// Names that resolve.
    Exists(DomainSpec),
}

/// What a term looks up beside other SPF records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lookup {
    /// Addresses.
    Address,
    /// Mail servers.
    Mx,
}

/// A mechanism with its qualifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directive {
    /// Result when it matches.
    pub qualifier: Qualifier,
    /// What it matches.
    pub mechanism: Mechanism,
}

/// A record that follows the grammar.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SpfRecord {
    /// Directives in order, up to the first `all`: what follows it is never reached.
    pub directives: Vec<Directive>,
    /// The record that continues this one; dropped if there is an `all` (RFC 7208 section 6.1).
    pub redirect: Option<DomainSpec>,
}

impl SpfRecord {
    /// The qualifier of `all`, if there is one.
    #[must_use]
    pub fn all(&self) -> Option<Qualifier> {
        self.directives.iter().find(|d| d.mechanism == Mechanism::All).map(|d| d.qualifier)
    }

    /// Names whose records this one of `current` includes or continues with, where they can be known.
    #[must_use]
    pub fn followed(&self, current: &str) -> Vec<String> {
        let includes = self.directives.iter().filter_map(|directive| match &directive.mechanism {
            Mechanism::Include(domain) => domain.name(current),
            _ => None,
        });
        includes.chain(self.redirect.as_ref().and_then(|domain| domain.name(current))).collect()
    }

    /// Look-ups that `a`, `mx` and `exists` terms of the record of `current` cause, where the name can be known.
    #[must_use]
    pub fn looked_up(&self, current: &str) -> Vec<(Lookup, String)> {
        let named = |domain: &Option<DomainSpec>| match domain {
            Some(domain) => domain.name(current),
            None => Some(current.to_owned()),
        };
        self.directives
            .iter()
            .filter_map(|directive| match &directive.mechanism {
                Mechanism::A(domain) => Some((Lookup::Address, named(domain)?)),
                Mechanism::Exists(domain) => Some((Lookup::Address, domain.name(current)?)),
                Mechanism::Mx(domain) => Some((Lookup::Mx, named(domain)?)),
                _ => None,
            })
            .collect()
    }

    /// Whether the record permits nobody: `v=spf1 -all`, the statement of a domain that sends no mail.
    #[must_use]
    pub fn permits_nobody(&self) -> bool {
        self.all() == Some(Qualifier::Fail) && self.directives.len() == 1
    }
}

/// Where a record breaks the grammar.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{term}`: {reason}")]
pub struct SpfSyntaxError {
    /// The term.
    pub term: String,
    /// The rule.
    pub reason: String,
}

/// Reads a record.
///
/// # Errors
/// The first term that breaks the grammar; a receiver answers such a record with `permerror`.
pub fn parse(text: &str) -> Result<SpfRecord, SpfSyntaxError> {
    if !is_record(text) {
        return Err(error(text, "an SPF record begins with `v=spf1`"));
    }
    let mut record = SpfRecord::default();
    let mut redirect: Option<DomainSpec> = None;
    let mut explanation = false;
    let mut after_all = false;
    for term in text.get(6..).unwrap_or_default().split(' ').filter(|term| !term.is_empty()) {
        if let Some((name, value)) = modifier(term) {
            match name.to_ascii_lowercase().as_str() {
                "redirect" => {
                    if redirect.replace(domain_spec(term, value)?).is_some() {
                        return Err(error(term, "redirect may stand only once"));
                    }
                }
                "exp" => {
                    domain_spec(term, value)?;
                    if std::mem::replace(&mut explanation, true) {
                        return Err(error(term, "exp may stand only once"));
                    }
                }
                _ => macro_string(term, value)?,
            }
            continue;
        }
        let directive = directive(term)?;
        // Terms behind `all` are checked for syntax, as receivers do, and otherwise never reached.
        if !after_all {
            after_all = directive.mechanism == Mechanism::All;
            record.directives.push(directive);
        }
    }
    if !after_all {
        record.redirect = redirect;
    }
    Ok(record)
}

fn error(term: &str, reason: &str) -> SpfSyntaxError {
    SpfSyntaxError { term: term.chars().take(100).collect(), reason: reason.to_owned() }
}

/// `name=value` with a name of letters, digits, `-`, `_` and `.`; a mechanism's argument follows `:` or `/` instead.
fn modifier(term: &str) -> Option<(&str, &str)> {
    let (name, value) = term.split_once('=')?;
    let first = name.chars().next()?;
    let valid =
        first.is_ascii_alphabetic() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    valid.then_some((name, value))
}

fn directive(term: &str) -> Result<Directive, SpfSyntaxError> {
    let (qualifier, rest) = match term.as_bytes().first() {
        Some(b'+') => (Qualifier::Pass, term.get(1..)),
        Some(b'-') => (Qualifier::Fail, term.get(1..)),
        Some(b'~') => (Qualifier::SoftFail, term.get(1..)),
        Some(b'?') => (Qualifier::Neutral, term.get(1..)),
        _ => (Qualifier::Pass, Some(term)),
    };
    let rest = rest.unwrap_or_default();
    let end = rest.find([':', '/']).unwrap_or(rest.len());
    let (name, argument) = rest.split_at(end);
    let mechanism = match name.to_ascii_lowercase().as_str() {
        "all" if argument.is_empty() => Mechanism::All,
        "all" => return Err(error(term, "all takes no argument")),
        "include" => Mechanism::Include(required(term, argument)?),
        "exists" => Mechanism::Exists(required(term, argument)?),
        "a" => Mechanism::A(with_prefix(term, argument)?),
        "mx" => Mechanism::Mx(with_prefix(term, argument)?),
        "ptr" if argument.is_empty() => Mechanism::Ptr(None),
        "ptr" => Mechanism::Ptr(Some(required(term, argument)?)),
        "ip4" => {
            let (address, prefix) = network(term, argument, 32)?;
            Mechanism::Ip4(address.parse().map_err(|_| error(term, "expected an IPv4 address"))?, prefix)
        }
        "ip6" => {
            let (address, prefix) = network(term, argument, 128)?;
            Mechanism::Ip6(address.parse().map_err(|_| error(term, "expected an IPv6 address"))?, prefix)
        }
        _ => return Err(error(term, "unknown mechanism")),
    };
    Ok(Directive { qualifier, mechanism })
}

fn required(term: &str, argument: &str) -> Result<DomainSpec, SpfSyntaxError> {
    let value = argument.strip_prefix(':').ok_or_else(|| error(term, "a domain is required"))?;
    domain_spec(term, value)
}

/// `[:domain][/prefix][//prefix]`.
fn with_prefix(term: &str, argument: &str) -> Result<Option<DomainSpec>, SpfSyntaxError> {
    let (domain, lengths) = match argument.strip_prefix(':') {
        // A `/` may stand inside a macro's delimiters, so the length is looked for behind the last brace.
        Some(rest) => {
            let from = rest.rfind('}').map_or(0, |at| at + 1);
            let at = rest.get(from..).and_then(|tail| tail.find('/')).map_or(rest.len(), |at| at + from);
            let (domain, lengths) = rest.split_at(at);
            (Some(domain_spec(term, domain)?), lengths)
        }
        None => (None, argument),
    };
    let (v4, v6) = match lengths.split_once("//") {
        Some((v4, v6)) => (v4, Some(v6)),
        None => (lengths, None),
    };
    if let Some(length) = v4.strip_prefix('/') {
        prefix_length(term, length, 32)?;
    } else if !v4.is_empty() {
        return Err(error(term, "expected a prefix length"));
    }
    if let Some(length) = v6 {
        prefix_length(term, length, 128)?;
    }
    Ok(domain)
}

fn network<'t>(term: &str, argument: &'t str, longest: u8) -> Result<(&'t str, u8), SpfSyntaxError> {
    let value = argument.strip_prefix(':').ok_or_else(|| error(term, "an address is required"))?;
    match value.split_once('/') {
        Some((address, length)) => Ok((address, prefix_length(term, length, longest)?)),
        None => Ok((value, longest)),
    }
}

fn prefix_length(term: &str, text: &str, longest: u8) -> Result<u8, SpfSyntaxError> {
    let digits =
        !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    text.parse()
        .ok()
        .filter(|length| digits && *length <= longest)
        .ok_or_else(|| error(term, &format!("expected a prefix length of 0 to {longest}")))
}

fn domain_spec(term: &str, value: &str) -> Result<DomainSpec, SpfSyntaxError> {
    macro_string(term, value)?;
    let has_macro = value.contains('%');
    if value.is_empty() {
        return Err(error(term, "a domain is required"));
    }
    // domain-end = ( "." toplabel [ "." ] ) / macro-expand
    if !value.ends_with('}') {
        let top = value.trim_end_matches('.').rsplit_once('.').map(|(_, top)| top);
        let valid = top.is_some_and(|top| {
            !top.is_empty()
                && top.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
                && top.chars().any(|c| !c.is_ascii_digit())
                && !top.starts_with('-')
                && !top.ends_with('-')
        });
        if !valid {
            return Err(error(term, "expected a domain name with at least two labels"));
        }
    }
    Ok(DomainSpec { text: value.trim_end_matches('.').to_ascii_lowercase(), has_macro })
}

/// Checks visible characters and the form of every macro (RFC 7208 section 7.1).
fn macro_string(term: &str, value: &str) -> Result<(), SpfSyntaxError> {
    if !value.bytes().all(|b| (0x21..=0x7e).contains(&b)) {
        return Err(error(term, "only visible ASCII characters are allowed"));
    }
    let mut rest = value;
    while let Some(at) = rest.find('%') {
        let tail = rest.get(at + 1..).unwrap_or_default();
        rest = match tail.as_bytes().first() {
            Some(b'%' | b'_' | b'-') => tail.get(1..).unwrap_or_default(),
            Some(b'{') => {
                let (body, after) = tail
                    .get(1..)
                    .and_then(|t| t.split_once('}'))
                    .ok_or_else(|| error(term, "a macro is not closed"))?;
                if !macro_body(body) {
                    return Err(error(term, "unknown macro"));
                }
                after
            }
            _ => return Err(error(term, "`%` must begin a macro")),
        };
    }
    Ok(())
}

fn macro_body(body: &str) -> bool {
    let Some(letter) = body.chars().next().filter(char::is_ascii) else { return false };
    let rest = body.get(1..).unwrap_or_default();
    let digits = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    let delimiters = digits.strip_prefix(['r', 'R']).unwrap_or(digits);
    matches!(letter.to_ascii_lowercase(), 's' | 'l' | 'o' | 'd' | 'i' | 'p' | 'h' | 'c' | 'r' | 't' | 'v')
        && delimiters.chars().all(|c| matches!(c, '.' | '-' | '+' | ',' | '/' | '_' | '='))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn records_of_the_rfc_are_read() {
        for text in [
            "v=spf1",
            "v=spf1 -all",
            "V=SPF1 +all",
            "v=spf1 +mx a:colo.example.com/28 -all",
            "v=spf1 a/24//64 mx//48 ip4:192.0.2.0/24 ip6:2001:db8::/32 ?all",
            "v=spf1 include:example.net. redirect=_spf.%{d}",
            "v=spf1 exists:%{ir}.%{v}._spf.%{d2} -all",
            "v=spf1 mx -all exp=explain._spf.%{d}",
            "v=spf1 ptr ptr:example.org unknown=value%% -all",
            "v=spf1   a    -all  ",
        ] {
            assert!(parse(text).is_ok(), "{text}: {:?}", parse(text));
        }
    }

    #[test]
    fn broken_records_name_the_term() {
        for (text, term) in [
            ("v=spf1 ipv4:192.0.2.1 -all", "ipv4:192.0.2.1"),
            ("v=spf1 ip4:192.0.2.300", "ip4:192.0.2.300"),
            ("v=spf1 ip4:192.0.2.0/33", "ip4:192.0.2.0/33"),
            ("v=spf1 include -all", "include"),
            ("v=spf1 include: -all", "include:"),
            ("v=spf1 a:example -all", "a:example"),
            ("v=spf1 all:foo", "all:foo"),
            ("v=spf1 exists:%{x}.example.com", "exists:%{x}.example.com"),
            ("v=spf1 exists:%{d.example.com", "exists:%{d.example.com"),
            ("v=spf1 redirect=a.example redirect=b.example", "redirect=b.example"),
            ("v=spf1 -all,", "-all,"),
            ("v=spf1 a/024", "a/024"),
            ("v=spf1 -all ipx:1", "ipx:1"),
        ] {
            assert_eq!(parse(text).unwrap_err().term, term, "{text}");
        }
    }

    #[test]
    fn only_spf_records_are_spf_records() {
        assert!(is_record("v=spf1") && is_record("v=spf1 -all") && is_record("V=spf1 a"));
        assert!(!is_record("v=spf10 -all") && !is_record("v=spf2.0/pra") && !is_record("") && !is_record("spf1 -all"));
    }

    #[test]
    fn nothing_behind_all_counts() {
        let record = parse("v=spf1 -all include:example.net redirect=example.org").unwrap();
        assert_eq!(record.directives.len(), 1);
        assert_eq!(record.redirect, None);
        assert!(record.permits_nobody());
        assert!(!parse("v=spf1 a -all").unwrap().permits_nobody());
        assert!(!parse("v=spf1 ~all").unwrap().permits_nobody());
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".{0,200}") {
            let _ = parse(&text);
            let _ = parse(&format!("v=spf1 {text}"));
        }

        #[test]
        fn no_term_panics(text in "v=spf1( [-+~?]?(a|mx|ip4|ip6|include|exists|ptr|all|redirect=|x=)[:/%{}.=a-z0-9é]{0,12}){0,6}") {
            let _ = parse(&text);
        }
    }
}
