//! `http.methods`: request methods that nobody should need.

use bartizan_domain::evidence::web::OptionsFacts;
use bartizan_domain::evidence::{EvidenceKind, HostEvidence, Observation};
use bartizan_domain::{Confidence, Severity};
use serde_json::json;

use super::site;
use crate::{Check, Fail, JudgeSettings, Verdicts};

/// Methods of WebDAV (RFC 4918) and the two of HTTP that write.
const WRITING: [&str; 9] = ["PUT", "DELETE", "MKCOL", "COPY", "MOVE", "PROPPATCH", "LOCK", "UNLOCK", "PROPFIND"];

/// `http.methods`.
#[derive(Debug)]
pub struct Methods;

impl Check for Methods {
    fn id(&self) -> &'static str {
        "http.methods"
    }

    fn needs(&self) -> &'static [EvidenceKind] {
        &[EvidenceKind::Web]
    }

    fn judge(&self, evidence: &HostEvidence, _: &JudgeSettings, out: &mut Verdicts<'_>) {
        site::each_distinct(evidence, out, |site, out| {
            let location = site.location();
            let Some(methods) = out.observed(&location, &site.web.methods) else { return };
            let trace = methods.trace.observed().is_some_and(|trace| trace.echoed);
            let (dav, writing) = methods.options.observed().map(offered).unwrap_or_default();
            if trace || !writing.is_empty() || dav.is_some() {
                let facts = json!({"trace_echoes": trace, "dav": dav, "advertised": writing});
                // An echo is proof. A list of methods is what the server says of itself, and nothing was written.
                let fail = if trace { Fail::new(facts) } else { Fail::new(facts).confidence(Confidence::Hint) };
                let severity = if dav.is_some() { Severity::Medium } else { Severity::Low };
                return out.fail(location, fail.severity(severity));
            }
            match (&methods.trace, &methods.options) {
                (Observation::Observed(_), Observation::Observed(_)) => out.pass(location),
                (Observation::Failed(failure), _) => out.error(location, format!("TRACE: {failure}")),
                (_, Observation::Failed(failure)) => out.error(location, format!("OPTIONS: {failure}")),
                _ => out.not_tested(location, "the methods were not asked for"),
            }
        });
    }
}

fn offered(options: &OptionsFacts) -> (Option<&str>, Vec<&str>) {
    // A server that rejects OPTIONS lists what it would have allowed; that list counts as well.
    let writing = options.allow.iter().map(String::as_str).filter(|method| WRITING.contains(method)).collect();
    (options.dav.as_deref(), writing)
}
