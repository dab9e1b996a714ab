//! Following an SPF record through recorded evidence, as a receiver would (RFC 7208 sections 4.6.4 and 5).

use bartizan_domain::evidence::mail::{MailEvidence, SpfLookupKind, SpfTxt};
use bartizan_domain::spf::{Directive, DomainSpec, Mechanism, Qualifier, SpfRecord, parse};

use super::known;

/// Look-ups that terms may cause (RFC 7208 section 4.6.4).
pub(super) const MAX_LOOKUPS: u32 = 10;
/// Look-ups that may come back empty.
pub(super) const MAX_VOID: usize = 2;
/// Mail servers an `mx` term may name.
const MAX_MX: u32 = 10;
/// Where counting stops: well beyond any limit.
const ENOUGH: u32 = 40;

/// What the domain publishes itself.
pub(super) enum Own {
    /// No record.
    None,
    /// More than one.
    Several(Vec<String>),
    /// One that breaks the grammar.
    Broken {
        /// As published.
        text: String,
        /// The rule.
        why: String,
    },
    /// One.
    Record {
        /// As published.
        text: String,
        /// The record.
        record: SpfRecord,
    },
}

/// The record of the domain itself.
///
/// # Errors
/// Why it is not known, in a sentence.
pub(super) fn own(mail: &MailEvidence) -> Result<Own, String> {
    let texts = &answer(mail, &mail.name)?.texts;
    Ok(match texts.as_slice() {
        [] => Own::None,
        [text] => match parse(text) {
            Ok(record) => Own::Record { text: text.clone(), record },
            Err(error) => Own::Broken { text: text.clone(), why: error.to_string() },
        },
        several => Own::Several(several.to_vec()),
    })
}

fn answer<'e>(mail: &'e MailEvidence, domain: &str) -> Result<&'e SpfTxt, String> {
    let node = mail.spf.records.iter().find(|node| node.domain == domain);
    let node = node.ok_or_else(|| {
        let why = mail.spf.truncated.as_deref().unwrap_or("it was not asked for");
        format!("the SPF record of {domain}: {why}")
    })?;
    known(&node.answer, &format!("the SPF record of {domain}"))
}

/// What evaluating a record to its end costs and meets.
#[derive(Debug, Default)]
pub(super) struct Walk {
    /// Terms that cause look-ups.
    pub(super) lookups: u32,
    /// Terms whose look-up came back empty.
    pub(super) voids: Vec<String>,
    /// What makes the evaluation end in `permerror`, beside too many look-ups.
    pub(super) errors: Vec<String>,
    /// What could not be followed, so that the figures are lower bounds.
    pub(super) unknown: Option<String>,
    /// Whether some term passes every sender.
    pub(super) passes_all: bool,
    /// Qualifier of the `all` that ends the evaluation; `None` without one.
    pub(super) all: Option<Qualifier>,
}

/// Walks the whole tree: the worst case, a sender that matches nothing before the end.
pub(super) fn walk(mail: &MailEvidence, record: &SpfRecord) -> Walk {
    let mut walk = Walk::default();
    let (passes_all, all) = walk.record(mail, &mail.name, record, &mut vec![mail.name.clone()]);
    walk.passes_all = passes_all;
    walk.all = all;
    walk
}

impl Walk {
    /// Returns whether the record passes everyone, and its final `all`.
    fn record(
        &mut self,
        mail: &MailEvidence,
        domain: &str,
        record: &SpfRecord,
        path: &mut Vec<String>,
    ) -> (bool, Option<Qualifier>) {
        let mut passes_all = false;
        for Directive { qualifier, mechanism } in &record.directives {
            if self.lookups > ENOUGH {
                break;
            }
            let everyone = match mechanism {
                Mechanism::All => true,
                Mechanism::Ip4(_, prefix) | Mechanism::Ip6(_, prefix) => *prefix == 0,
                Mechanism::Include(target) => self.follow(mail, domain, target, "include", path).0,
                Mechanism::A(target) => {
                    self.lookup(mail, domain, target.as_ref(), SpfLookupKind::Address, "a");
                    false
                }
                Mechanism::Exists(target) => {
                    self.lookup(mail, domain, Some(target), SpfLookupKind::Address, "exists");
                    false
                }
                Mechanism::Mx(target) => {
                    self.lookup(mail, domain, target.as_ref(), SpfLookupKind::Mx, "mx");
                    false
                }
                Mechanism::Ptr(_) => {
                    self.lookups += 1;
                    false
                }
            };
            passes_all |= everyone && *qualifier == Qualifier::Pass;
        }
        match &record.redirect {
            Some(target) => {
                let (passes, all) = self.follow(mail, domain, target, "redirect", path);
                (passes_all || passes, all)
            }
            None => (passes_all, record.all()),
        }
    }

    fn follow(
        &mut self,
        mail: &MailEvidence,
        domain: &str,
        target: &DomainSpec,
        term: &str,
        path: &mut Vec<String>,
    ) -> (bool, Option<Qualifier>) {
        self.lookups += 1;
        // A name that depends on the message cannot be followed; what it leads to is the message's.
        let Some(name) = target.name(domain) else { return (false, Some(Qualifier::Neutral)) };
        if path.contains(&name) {
            // A loop ends for receivers at the limit of look-ups.
            self.lookups += ENOUGH;
            return (false, None);
        }
        let answer = match answer(mail, &name) {
            Ok(answer) => answer,
            Err(reason) => {
                self.unknown = Some(reason);
                return (false, Some(Qualifier::Neutral));
            }
        };
        if answer.void {
            self.voids.push(format!("{term}:{name}"));
        }
        match answer.texts.as_slice() {
            [] => self.errors.push(format!("{term} names {name}, which has no SPF record")),
            [text] => match parse(text) {
                Ok(next) => {
                    path.push(name.clone());
                    let result = self.record(mail, &name, &next, path);
                    path.pop();
                    return result;
                }
                Err(error) => self.errors.push(format!("the record of {name}, named by {term}: {error}")),
            },
            _ => self.errors.push(format!("{term} names {name}, which has more than one SPF record")),
        }
        (false, None)
    }

    fn lookup(
        &mut self,
        mail: &MailEvidence,
        domain: &str,
        target: Option<&DomainSpec>,
        kind: SpfLookupKind,
        term: &str,
    ) {
        self.lookups += 1;
        let name = match target {
            Some(target) => target.name(domain),
            None => Some(domain.to_owned()),
        };
        let Some(name) = name else { return };
        let lookup = mail.spf.lookups.iter().find(|lookup| lookup.domain == name && lookup.kind == kind);
        let Some(lookup) = lookup else {
            self.unknown = Some(format!("{term}:{name} was not looked up"));
            return;
        };
        match known(&lookup.found, &format!("{term}:{name}")) {
            Ok(0) => self.voids.push(format!("{term}:{name}")),
            Ok(&count) if kind == SpfLookupKind::Mx && count > MAX_MX => {
                self.errors.push(format!("{term}:{name} has {count} mail servers, more than {MAX_MX}"));
            }
            Ok(_) => {}
            Err(reason) => self.unknown = Some(reason),
        }
    }
}
