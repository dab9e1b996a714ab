//! Trust: does the chain lead to a root that is trusted, as if the time were right?
//!
//! One cause, one finding. A certificate that is its own issuer is `cert.self_signed`. A chain that lacks an
//! intermediate is `cert.chain_incomplete`. Every other chain without a path is `cert.untrusted`. The three are told
//! apart so:
//!
//! * A path exists once issuers are added that were looked up at the address in the certificate: incomplete, confirmed.
//! * No path, and the issuer could not be looked up. If the server sent nothing but its own certificate, which another
//!   name issued, an intermediate is missing or the issuer is a private root; from outside the two look alike. Public
//!   and private authorities alike issue server certificates from intermediates, and sending the leaf alone is the
//!   classic slip, so this is incomplete, with the confidence "probable". It is untrusted after all where the
//!   certificate itself says that its issuer is a root (authority key identifier with the issuer's name).
//! * No path although the server sent intermediates: what is missing is trust in the root, which nobody has to send.

use bartizan_domain::Confidence;
use bartizan_domain::evidence::{EvidenceKind, HostEvidence};
use serde_json::json;

use super::path::{self, NoPath, Pool};
use super::verify::{Verification, signed_by};
use super::x509::shorten;
use super::{Case, Judgement, each_chain};
use crate::{Check, Fail, JudgeSettings, Verdicts};

/// How a chain stands.
enum Standing {
    Trusted,
    SelfSigned,
    Incomplete(Confidence, NoPath),
    Untrusted(NoPath),
    Unknown(String),
}

fn standing(case: &Case<'_, '_>) -> Standing {
    let leaf = &case.chain.leaf;
    let sent = match path::find(case.chain, Pool::Sent, case.anchors, None) {
        Ok(_) => return Standing::Trusted,
        Err(sent) => sent,
    };
    if leaf.self_issued() && signed_by(leaf, leaf) != Verification::Invalid {
        return Standing::SelfSigned;
    }
    if path::find(case.chain, Pool::SentAndFetched, case.anchors, None).is_ok() {
        return Standing::Incomplete(Confidence::Confirmed, sent);
    }
    if sent.unknown {
        return Standing::Unknown(sent.problems.join("; "));
    }
    let issuer = leaf.x509.issuer().as_raw();
    let issuer_seen = case.chain.sent.iter().chain(&case.chain.fetched).any(|c| c.x509.subject().as_raw() == issuer);
    let alone = !issuer_seen && !leaf.self_issued() && !case.anchors.knows_name(issuer);
    if alone && only_the_issuer_is_missing(&sent) && !path::issuer_is_a_root(leaf) {
        return Standing::Incomplete(Confidence::Probable, sent);
    }
    Standing::Untrusted(sent)
}

/// Whether the one thing wrong is that the issuer is not there: a certificate that may not be a server's would not
/// become trusted by more certificates.
fn only_the_issuer_is_missing(reasons: &NoPath) -> bool {
    reasons.problems.len() == 1
}

/// `cert.self_signed`.
#[derive(Debug)]
pub struct SelfSigned;

impl Check for SelfSigned {
    fn id(&self) -> &'static str {
        "cert.self_signed"
    }

    fn needs(&self) -> &'static [EvidenceKind] {
        &[EvidenceKind::Tls]
    }

    fn judge(&self, evidence: &HostEvidence, settings: &JudgeSettings, out: &mut Verdicts<'_>) {
        each_chain(evidence, settings, out, |case| match standing(case) {
            Standing::SelfSigned => Judgement::Fail(Fail::new(json!({ "certificate": case.chain.leaf.facts() }))),
            _ => Judgement::Pass,
        });
    }
}

/// `cert.chain_incomplete`.
#[derive(Debug)]
pub struct ChainIncomplete;

impl Check for ChainIncomplete {
    fn id(&self) -> &'static str {
        "cert.chain_incomplete"
    }

    fn needs(&self) -> &'static [EvidenceKind] {
        &[EvidenceKind::Tls]
    }

    fn judge(&self, evidence: &HostEvidence, settings: &JudgeSettings, out: &mut Verdicts<'_>) {
        each_chain(evidence, settings, out, |case| match standing(case) {
            Standing::Incomplete(confidence, reasons) => Judgement::Fail(
                Fail::new(json!({
                    "missing_issuer": shorten(&last_reached(case)),
                    "sent_certificates": case.chain.sent.len() + 1,
                    "looked_up_at": case.tls.fetched_issuers.iter().map(|i| shorten(&i.url)).collect::<Vec<_>>(),
                    "reasons": reasons.problems,
                    "certificate": case.chain.leaf.facts(),
                }))
                .confidence(confidence),
            ),
            Standing::Unknown(reason) => Judgement::Error(reason),
            _ => Judgement::Pass,
        });
    }
}

/// The issuer's name of the last certificate that can be reached from the leaf among those sent.
fn last_reached(case: &Case<'_, '_>) -> String {
    let mut current = &case.chain.leaf;
    for _ in 0..case.chain.sent.len() {
        let issuer = current.x509.issuer().as_raw();
        match case.chain.sent.iter().find(|cert| cert.x509.subject().as_raw() == issuer && cert.der != current.der) {
            Some(next) => current = next,
            None => break,
        }
    }
    current.x509.issuer().to_string()
}

/// `cert.untrusted`.
#[derive(Debug)]
pub struct Untrusted;

impl Check for Untrusted {
    fn id(&self) -> &'static str {
        "cert.untrusted"
    }

    fn needs(&self) -> &'static [EvidenceKind] {
        &[EvidenceKind::Tls]
    }

    fn judge(&self, evidence: &HostEvidence, settings: &JudgeSettings, out: &mut Verdicts<'_>) {
        each_chain(evidence, settings, out, |case| match standing(case) {
            Standing::Trusted => Judgement::Pass,
            Standing::Untrusted(reasons) => Judgement::Fail(Fail::new(json!({
                "reasons": reasons.problems,
                "certificate": case.chain.leaf.facts(),
            }))),
            Standing::SelfSigned => Judgement::NotApplicable("explained by cert.self_signed".to_owned()),
            Standing::Incomplete(..) => Judgement::NotApplicable("explained by cert.chain_incomplete".to_owned()),
            Standing::Unknown(reason) => Judgement::Error(reason),
        });
    }
}
