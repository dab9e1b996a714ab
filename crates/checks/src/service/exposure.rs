//! `svc.*_exposed`: services that belong behind a firewall, by class.

use bartizan_domain::evidence::service::{Access, ServiceDetails};
use bartizan_domain::evidence::{EvidenceKind, HostEvidence, ServiceEvidence};
use bartizan_domain::{Confidence, Severity};
use serde_json::{Map, Value, json};

use super::{Class, Protocol, each_service, facts};
use crate::{Check, Fail, JudgeSettings, Verdicts};

/// What a protocol's own facts make of an exposure.
#[derive(Debug, Default)]
struct Particulars {
    severity: Option<Severity>,
    confidence: Confidence,
    facts: Map<String, Value>,
}

fn judge_class(
    class: Class,
    evidence: &HostEvidence,
    out: &mut Verdicts<'_>,
    particulars: fn(&ServiceEvidence) -> Particulars,
) {
    each_service(evidence, out, |at, it, protocol, out| {
        if protocol.class != class {
            return out.pass(at);
        }
        let own = particulars(it);
        let mut shown = facts(it, protocol);
        shown.extend(own.facts);
        let mut fail = Fail::new(shown.into()).confidence(own.confidence);
        if let Some(severity) = own.severity.or_else(|| severity(it, protocol)) {
            fail = fail.severity(severity);
        }
        out.fail(at, fail);
    });
}

/// The severity the classification states; `None` leaves the check's default.
fn severity(it: &ServiceEvidence, protocol: &Protocol) -> Option<Severity> {
    // Softer severities are for services that keep strangers out.
    if matches!(it.access, Access::Open { .. }) {
        return None;
    }
    if it.tls && protocol.severity_in_tls.is_some() { protocol.severity_in_tls } else { protocol.severity }
}

/// Declares a check of one class.
macro_rules! exposed {
    ($(#[$doc:meta])* $name:ident, $id:literal, $class:expr, $particulars:expr) => {
        $(#[$doc])*
        pub struct $name;

        impl Check for $name {
            fn id(&self) -> &'static str {
                $id
            }

            fn needs(&self) -> &'static [EvidenceKind] {
                &[EvidenceKind::Services]
            }

            fn judge(&self, evidence: &HostEvidence, _: &JudgeSettings, out: &mut Verdicts<'_>) {
                judge_class($class, evidence, out, $particulars);
            }
        }
    };
}

exposed!(
    /// A database, cache, search engine or broker is reachable.
    DatastoreExposed,
    "svc.datastore_exposed",
    Class::Datastore,
    |_| Particulars::default()
);

exposed!(
    /// A container or cluster control plane is reachable.
    OrchestrationExposed,
    "svc.orchestration_exposed",
    Class::Orchestration,
    |_| Particulars::default()
);

exposed!(
    /// Remote desktops and the like. SSH is no part of this class: how it is set up is judged by `ssh.*`.
    ManagementExposed,
    "svc.management_exposed",
    Class::Management,
    management
);

exposed!(
    /// A file share is reachable.
    FileSharingExposed,
    "svc.file_sharing_exposed",
    Class::FileSharing,
    file_sharing
);

/// Remote Desktop that insists on Network Level Authentication keeps strangers from the login screen; one that does
/// not, or VNC with its eight-character password, is a guess away.
fn management(it: &ServiceEvidence) -> Particulars {
    let mut own = Particulars::default();
    match &it.details {
        ServiceDetails::Rdp { standard, tls, nla } => {
            let insists = *nla == Some(true) && *tls == Some(false) && *standard == Some(false);
            let offers_more = *tls == Some(true) || *standard == Some(true) || *nla == Some(false);
            own.severity = Some(if insists || !offers_more { Severity::Medium } else { Severity::High });
            if !insists && !offers_more {
                own.confidence = Confidence::Probable;
            }
            own.facts.insert("network_level_authentication".into(), state(*nla, insists));
            own.facts.insert("standard_rdp_security".into(), json!(standard));
        }
        ServiceDetails::Vnc { security_types } => {
            // 18 TLS, 19 VeNCrypt, 5 and 129 RSA-AES: the session is encrypted (IANA registry "Remote Framebuffer").
            let encrypted = |kind: &u8| matches!(*kind, 5 | 18 | 19 | 129);
            if !security_types.is_empty() && security_types.iter().all(encrypted) {
                own.severity = Some(Severity::Medium);
            }
            own.facts.insert("security_types".into(), json!(security_types));
        }
        _ => {}
    }
    own
}

fn state(offered: Option<bool>, required: bool) -> Value {
    json!(match offered {
        Some(true) if required => "required",
        Some(true) => "offered",
        Some(false) => "not offered",
        None => "unknown",
    })
}

/// SMB 1 is critical wherever it is reachable: it has no protection against the attacks that worms have used since 2017.
fn file_sharing(it: &ServiceEvidence) -> Particulars {
    let mut own = Particulars::default();
    match &it.details {
        ServiceDetails::Smb { dialect, smb1, signing_required } => {
            if *smb1 == Some(true) {
                own.severity = Some(Severity::Critical);
            }
            own.facts.insert("highest_dialect".into(), json!(dialect));
            own.facts.insert("smb1".into(), json!(smb1));
            own.facts.insert("signing_required".into(), json!(signing_required));
        }
        ServiceDetails::Rsync { modules } => {
            if modules.is_empty() {
                own.severity = Some(Severity::Medium);
            }
            own.facts.insert("listed_modules".into(), json!(modules));
        }
        _ => {}
    }
    own
}
