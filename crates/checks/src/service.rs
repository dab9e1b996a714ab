//! Checks of ports and services (`svc.*`): what is reachable that should not be, and what lets anybody in.
//!
//! Judged from what a service answered, never from its port number. What a protocol's exposure means is data,
//! `content/services/classes.toml`; a service that could not be identified is an error verdict and no pass.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use bartizan_catalog::Catalog;
use bartizan_domain::evidence::service::Access;
use bartizan_domain::evidence::{Endpoint, HostEvidence, ServiceEvidence};
use bartizan_domain::{Location, Severity};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{Check, Verdicts};

mod access;
mod exposure;
mod plaintext;
mod ports;

/// The registry slice, in listing order.
pub static CHECKS: &[&dyn Check] = &[
    &access::Unauthenticated,
    &exposure::DatastoreExposed,
    &exposure::OrchestrationExposed,
    &exposure::ManagementExposed,
    &exposure::FileSharingExposed,
    &plaintext::Plaintext,
    &ports::EverythingOpen,
];

/// What kind of service a protocol is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Class {
    Datastore,
    Orchestration,
    Management,
    FileSharing,
    Plaintext,
    Other,
}

/// Whether identification tries to get in without credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Anonymous {
    Tested,
    Untested,
}

/// An entry of `content/services/classes.toml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Protocol {
    name: String,
    title: String,
    class: Class,
    #[serde(default)]
    severity: Option<Severity>,
    #[serde(default)]
    severity_in_tls: Option<Severity>,
    #[serde(default)]
    severity_open: Option<Severity>,
    #[serde(default)]
    anonymous: Option<Anonymous>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    service: Vec<Protocol>,
}

fn protocol(name: &str) -> Option<&'static Protocol> {
    static PROTOCOLS: OnceLock<BTreeMap<String, Protocol>> = OnceLock::new();
    PROTOCOLS
        .get_or_init(|| match toml::from_str::<File>(Catalog::file("services/classes.toml").unwrap_or_default()) {
            Ok(file) => file.service.into_iter().map(|entry| (entry.name.clone(), entry)).collect(),
            Err(error) => unreachable!("the embedded content is tested: {error}"),
        })
        .get(name)
}

/// Judges every identified service; what could not be identified is stated as an error.
fn each_service(
    evidence: &HostEvidence,
    out: &mut Verdicts<'_>,
    mut judge: impl FnMut(Location, &ServiceEvidence, &'static Protocol, &mut Verdicts<'_>),
) {
    out.each_endpoint(&evidence.services, "no open port", |at: &Endpoint, it, out| {
        let Some(name) = it.service.as_deref() else {
            let what = if it.tls { "TLS answers, and what runs inside it" } else { "what listens here" };
            return out.error(at.location(), format!("{what} could not be identified"));
        };
        match protocol(name) {
            Some(protocol) => judge(at.location(), it, protocol, out),
            None => out.error(at.location(), format!("the protocol `{name}` is not classified")),
        }
    });
}

/// The facts every finding about a service shows.
fn facts(it: &ServiceEvidence, protocol: &Protocol) -> Map<String, Value> {
    let mut facts = Map::new();
    facts.insert("service".into(), json!(protocol.title));
    facts.insert("tls".into(), json!(it.tls));
    for (key, value) in [("product", &it.product), ("version", &it.version)] {
        if let Some(value) = value {
            facts.insert(key.into(), json!(value));
        }
    }
    match &it.access {
        Access::AuthRequired { proof } => {
            facts.insert("access".into(), json!(format!("credentials required: {proof}")))
        }
        Access::Open { proof } => facts.insert("proof".into(), json!(proof)),
        Access::Unknown { .. } => None,
    };
    facts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_classes_parse() {
        for name in ["redis", "docker", "rdp", "smb", "telnet", "http", "ssh"] {
            assert!(protocol(name).is_some(), "{name}");
        }
    }
}
