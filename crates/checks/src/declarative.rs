//! Checks without Rust: a CEL predicate over one kind of evidence.
//!
//! Expressions see `it` (the evidence of one endpoint, or of the asset for DNS, mail, registration and ports) and
//! `host` (all evidence). Reading a fact that is not there is an evaluation error, and an evaluation error is an
//! `error` verdict, never a pass.

use bartizan_catalog::Declaration;
use bartizan_domain::Location;
use bartizan_domain::evidence::{EvidenceKind, HostEvidence};
use cel::{Context, Program, Value};
use serde::Serialize;

use crate::{Fail, Verdicts};

/// Judges one declarative check.
pub fn judge(declaration: &Declaration, evidence: &HostEvidence, out: &mut Verdicts<'_>) {
    let rule = match Rule::compile(declaration) {
        Ok(rule) => rule,
        Err(error) => return out.error(Location::host(), error),
    };
    match declaration.evidence {
        EvidenceKind::Services => out.each_endpoint(&evidence.services, "no open port", |at, it, out| {
            rule.apply(&at.location(), it, evidence, out)
        }),
        EvidenceKind::Tls => out.each_endpoint(&evidence.tls, "no TLS endpoint", |at, it, out| {
            rule.apply(&at.location(), it, evidence, out)
        }),
        EvidenceKind::Web => {
            out.each_endpoint(&evidence.web, "no web site", |at, it, out| rule.apply(&at.location(), it, evidence, out))
        }
        EvidenceKind::Ssh => out
            .each_endpoint(&evidence.ssh, "no SSH server", |at, it, out| rule.apply(&at.location(), it, evidence, out)),
        EvidenceKind::Ports => rule.single(&Location::host(), &evidence.ports, evidence, out),
        EvidenceKind::Dns => rule.single(&Location::dns(), &evidence.dns, evidence, out),
        EvidenceKind::Mail => rule.single(&Location::dns(), &evidence.mail, evidence, out),
        EvidenceKind::Registration => rule.single(&Location::registration(), &evidence.registration, evidence, out),
    }
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
        if let Err(error) = context.add_variable("it", it).and_then(|()| context.add_variable("host", host)) {
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
