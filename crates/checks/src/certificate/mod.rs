//! Checks of the `cert` group: is a server's certificate in time, for this name, trusted, and strong?
//!
//! Certificates are judged here, in our own code, from the chain as it was sent, so that every reason is kept and no
//! TLS library's policy hides one behind another. Start at [`each_chain`]; path building is in [`path`], signatures
//! are in [`verify`].

use bartizan_domain::Severity;
use bartizan_domain::evidence::tls::TlsEvidence;
use bartizan_domain::evidence::{HostEvidence, Observation};

use crate::{Check, Fail, JudgeSettings, Verdicts};

mod identity;
pub mod names;
pub mod path;
mod strength;
mod trust;
mod validity;
pub mod verify;
pub mod x509;

use path::Anchors;
use x509::{Chain, ChainBytes};

/// The registry slice, in listing order.
pub static CHECKS: &[&dyn Check] = &[
    &identity::NameMismatch,
    &validity::Expired,
    &validity::NotYet,
    &validity::Expiring,
    &validity::Lifetime,
    &trust::SelfSigned,
    &trust::ChainIncomplete,
    &trust::Untrusted,
    &strength::WeakKey,
    &strength::WeakSignature,
    &identity::MustStaple,
];

/// What a rule says about one chain.
enum Judgement {
    Pass,
    Fail(Fail),
    Error(String),
    NotApplicable(String),
}

/// One chain and all that is known around it.
struct Case<'c, 'a> {
    host: &'c HostEvidence,
    tls: &'c TlsEvidence,
    chain: &'c Chain<'a>,
    anchors: &'c Anchors<'a>,
}

impl Case<'_, '_> {
    /// The instant of the scan, seconds since 1970.
    fn now(&self) -> i64 {
        self.host.gathered_at.timestamp()
    }
}

/// Judges every chain of every TLS endpoint; a server with two certificates fails if one of them does. Chains that
/// could not be read are errors.
fn each_chain(
    evidence: &HostEvidence,
    settings: &JudgeSettings,
    out: &mut Verdicts<'_>,
    rule: impl Fn(&Case<'_, '_>) -> Judgement,
) {
    let anchors = Anchors::new(settings);
    out.each_endpoint(&evidence.tls, "no TLS endpoint", |endpoint, tls, out| {
        let location = endpoint.location();
        let Some(chains) = out.observed(&location, &tls.chains) else { return };
        let mut worst = Judgement::Error("no certificate chain was recorded".to_owned());
        for (number, served) in chains.iter().enumerate() {
            let bytes = ChainBytes::decode(served, tls);
            let judgement = match bytes.parse() {
                Ok(chain) => rule(&Case { host: evidence, tls, chain: &chain, anchors: &anchors }),
                Err(reason) => Judgement::Error(reason),
            };
            if number == 0 || rank(&judgement) > rank(&worst) {
                worst = judgement;
            }
        }
        match worst {
            Judgement::Pass => out.pass(location),
            Judgement::Fail(fail) => out.fail(location, fail),
            Judgement::Error(reason) => out.error(location, reason),
            Judgement::NotApplicable(reason) => out.not_applicable(location, reason),
        }
    });
}

fn rank(judgement: &Judgement) -> (u8, Option<Severity>) {
    match judgement {
        Judgement::Fail(fail) => (3, fail.severity),
        Judgement::Error(_) => (2, None),
        Judgement::Pass => (1, None),
        Judgement::NotApplicable(_) => (0, None),
    }
}

/// Whether the server stapled an OCSP response, or why that is not known.
fn stapled(tls: &TlsEvidence) -> Result<bool, String> {
    match &tls.ocsp_stapled {
        Observation::Observed(stapled) => Ok(*stapled),
        Observation::Failed(failure) => Err(failure.to_string()),
        Observation::NotAttempted { reason } | Observation::NotApplicable { reason } => Err(reason.clone()),
    }
}
