//! Checks without Rust: a CEL predicate over one kind of evidence.
//!
//! Expressions see `it` (the evidence of one endpoint, or of the asset for DNS, mail, registration and ports) and
//! `host` (all evidence). Reading a fact that is not there is an evaluation error, and an evaluation error is an
//! `error` verdict, never a pass.
//!
//! For web sites, `it.page` is the HTML page a visitor of the root ends at; `has(it.page)` says whether there is one.
//! Sites that serve the same at several ports are judged once.

use bartizan_catalog::Declaration;
use bartizan_domain::Location;
use bartizan_domain::evidence::web::WebResponse;
use bartizan_domain::evidence::{EvidenceKind, HostEvidence, WebEvidence};
use cel::{Context, Program, Value};
use serde::Serialize;

use crate::web::site;
use crate::{Fail, Verdicts};

/// Judges one declarative check.
pub fn judge(declaration: &Declaration, evidence: &HostEvidence, out: &mut Verdicts<'_>) {
    let rule = match Rule::compile(declaration) {
        Ok(rule) => rule,
        Err(error) => return out.error(Location::host(), error),
    };
    match declaration.evidence {
        EvidenceKind::Services => out.each_endpoint(&evidence.services, "no open port", |at, it, out| {
            rule.apply(&at.location(), it, evidence, out);
        }),
        EvidenceKind::Tls => out.each_endpoint(&evidence.tls, "no TLS endpoint", |at, it, out| {
            rule.apply(&at.location(), it, evidence, out);
        }),
        EvidenceKind::Web => site::each_distinct(evidence, out, |site, out| {
            let page = match site::page(site.web) {
                // A page that exists and could not be read must not look like none.
                Err(site::NoPage::Unknown(reason)) if rule.reads("it.page") => {
                    return out.error(site.location(), reason);
                }
                page => page.ok(),
            };
            rule.apply(&site.location(), &WebView { web: site.web, page }, evidence, out);
        }),
        EvidenceKind::Ssh => out
            .each_endpoint(&evidence.ssh, "no SSH server", |at, it, out| rule.apply(&at.location(), it, evidence, out)),
        EvidenceKind::Ports => rule.single(&Location::host(), &evidence.ports, evidence, out),
        EvidenceKind::Dns => rule.single(&Location::dns(), &evidence.dns, evidence, out),
        EvidenceKind::Mail => rule.single(&Location::dns(), &evidence.mail, evidence, out),
        EvidenceKind::Registration => rule.single(&Location::registration(), &evidence.registration, evidence, out),
    }
}

/// What `it` is for a web site.
#[derive(Serialize)]
struct WebView<'e> {
    #[serde(flatten)]
    web: &'e WebEvidence,
    #[serde(skip_serializing_if = "Option::is_none")]
    page: Option<&'e WebResponse>,
}

struct Rule<'d> {
    declaration: &'d Declaration,
    applies: Option<Program>,
    fail: Program,
    facts: Vec<(&'d str, Program)>,
}

impl<'d> Rule<'d> {
    fn compile(declaration: &'d Declaration) -> Result<Self, String> {
        let compile =
            |text: &str| Program::compile(text).map_err(|error| format!("`{text}` does not compile: {error}"));
        Ok(Self {
            declaration,
            applies: declaration.applies.as_deref().map(compile).transpose()?,
            fail: compile(&declaration.fail)?,
            facts: declaration
                .facts
                .iter()
                .map(|(name, text)| Ok((name.as_str(), compile(text)?)))
                .collect::<Result<_, String>>()?,
        })
    }

    /// Whether any expression of the rule mentions `path`.
    fn reads(&self, path: &str) -> bool {
        let declaration = self.declaration;
        [declaration.applies.as_deref(), Some(declaration.fail.as_str())]
            .into_iter()
            .flatten()
            .chain(declaration.facts.values().map(String::as_str))
            .any(|text| text.contains(path))
    }

    fn single<T: Serialize>(
        &self,
        location: &Location,
        observation: &bartizan_domain::evidence::Observation<T>,
        host: &HostEvidence,
        out: &mut Verdicts<'_>,
    ) {
        if let Some(it) = out.observed(location, observation) {
            self.apply(location, it, host, out);
        }
    }

    fn apply<T: Serialize>(&self, location: &Location, it: &T, host: &HostEvidence, out: &mut Verdicts<'_>) {
        let mut context = Context::default();
        let mut bound = context.add_variable("it", it);
        // Converting all evidence is dear, and few rules look beyond their endpoint.
        if self.reads("host") {
            bound = bound.and_then(|()| context.add_variable("host", host));
        }
        if let Err(error) = bound {
            return out.error(location.clone(), format!("evidence cannot be read: {error}"));
        }
        if let Some(applies) = &self.applies {
            match truth(applies, &context) {
                Ok(true) => {}
                Ok(false) => {
                    let reason = self
                        .declaration
                        .otherwise
                        .clone()
                        .unwrap_or_else(|| "the rule does not concern this".to_owned());
                    return out.not_applicable(location.clone(), reason);
                }
                Err(error) => return out.error(location.clone(), error),
            }
        }
        match truth(&self.fail, &context) {
            Ok(false) => out.pass(location.clone()),
            Ok(true) => {
                let mut facts = serde_json::Map::new();
                for (name, program) in &self.facts {
                    let value = program.execute(&context).ok().and_then(|value| value.json().ok()).unwrap_or_default();
                    facts.insert((*name).to_owned(), value);
                }
                out.fail(location.clone(), Fail::new(facts.into()));
            }
            Err(error) => out.error(location.clone(), error),
        }
    }
}

fn truth(program: &Program, context: &Context<'_, '_>) -> Result<bool, String> {
    match program.execute(context) {
        Ok(Value::Bool(value)) => Ok(value),
        Ok(other) => Err(format!("the predicate gave {other:?} and not true or false")),
        Err(error) => Err(format!("the predicate could not be evaluated: {error}")),
    }
}
