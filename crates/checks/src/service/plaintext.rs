//! `svc.plaintext`.

use bartizan_domain::Severity;
use bartizan_domain::evidence::service::{ServiceDetails, Upgrade};
use bartizan_domain::evidence::{EvidenceKind, HostEvidence};
use serde_json::json;

use super::{Class, each_service, facts};
use crate::{Check, Fail, JudgeSettings, Verdicts};

/// Credentials cross the network in the clear because the service knows no other way.
pub struct Plaintext;

impl Check for Plaintext {
    fn id(&self) -> &'static str {
        "svc.plaintext"
    }

    fn needs(&self) -> &'static [EvidenceKind] {
        &[EvidenceKind::Services]
    }

    fn judge(&self, evidence: &HostEvidence, _: &JudgeSettings, out: &mut Verdicts<'_>) {
        each_service(evidence, out, |at, it, protocol, out| {
            let fail = |why: &str| {
                let mut shown = facts(it, protocol);
                shown.insert("why".into(), json!(why));
                Fail::new(shown.into())
            };
            if it.tls {
                return out.pass(at);
            }
            match (protocol.name.as_str(), &it.details) {
                ("telnet", _) => out.fail(at, fail("telnet has no encryption").severity(Severity::High)),
                ("smtp", ServiceDetails::Mail { clear_auth }) => match &it.upgrade {
                    // Mail transfer without STARTTLS carries no password; whether mail should be encrypted is judged
                    // by the mail checks.
                    Upgrade::NotOffered if !clear_auth.is_empty() => {
                        out.fail(at, fail("logins are offered and TLS is not"));
                    }
                    Upgrade::Unknown { reason } => out.error(at, reason.clone()),
                    _ => out.pass(at),
                },
                ("http", ServiceDetails::Http { auth_schemes, .. }) => {
                    if auth_schemes.iter().any(|scheme| scheme == "basic") {
                        out.fail(at, fail("HTTP Basic authentication is asked for without TLS"));
                    } else {
                        out.pass(at);
                    }
                }
                _ if protocol.class == Class::Plaintext => match &it.upgrade {
                    Upgrade::Offered => out.pass(at),
                    Upgrade::NotOffered => out.fail(at, fail("the server offers no upgrade to TLS")),
                    Upgrade::Unknown { reason } => out.error(at, reason.clone()),
                    Upgrade::None => out.error(at, "the probe did not ask for an upgrade to TLS"),
                },
                ("smtp" | "http", _) => out.error(at, "the probe kept no details of the service"),
                ("ssh", _) => out.pass(at),
                _ => out.not_applicable(at, format!("{} is judged by its own checks", protocol.title)),
            }
        });
    }
}
