//! Strength of keys and signatures.

use bartizan_domain::evidence::{EvidenceKind, HostEvidence};
use serde_json::json;

use super::verify::broken_hash;
use super::x509::{Cert, KeyKind};
use super::{Judgement, each_chain};
use crate::{Check, Fail, JudgeSettings, Verdicts};

/// Smallest keys that are not weak: NIST SP 800-57 part 1 (112 bits of strength for RSA, 128 for curves), BSI TR-02102-1.
const fn smallest(kind: KeyKind) -> u32 {
    match kind {
        KeyKind::Rsa | KeyKind::Dsa => 2048,
        // Ed25519 keys are of 255 bits and as strong as P-256.
        KeyKind::Ec => 255,
    }
}

/// The server's certificate and the issuers sent with it. Roots are trusted for themselves, whatever they are made of.
fn below_the_root<'c, 'a>(chain: &'c super::Chain<'a>) -> impl Iterator<Item = &'c Cert<'a>> {
    std::iter::once(&chain.leaf).chain(chain.sent.iter().filter(|cert| !cert.self_issued()))
}

/// `cert.key_weak`.
#[derive(Debug)]
pub struct WeakKey;

impl Check for WeakKey {
    fn id(&self) -> &'static str {
        "cert.key_weak"
    }

    fn needs(&self) -> &'static [EvidenceKind] {
        &[EvidenceKind::Tls]
    }

    fn judge(&self, evidence: &HostEvidence, settings: &JudgeSettings, out: &mut Verdicts<'_>) {
        each_chain(evidence, settings, out, |case| {
            if case.chain.leaf.key().is_none() {
                return Judgement::Error("the kind of key in the server's certificate is not known".to_owned());
            }
            let weak = below_the_root(case.chain)
                .find_map(|cert| cert.key().filter(|(kind, bits)| *bits < smallest(*kind)).map(|key| (cert, key)));
            match weak {
                Some((cert, (kind, bits))) => Judgement::Fail(Fail::new(json!({
                    "key": kind.as_str(),
                    "bits": bits,
                    "smallest": smallest(kind),
                    "certificate": cert.facts(),
                }))),
                None => Judgement::Pass,
            }
        });
    }
}

/// `cert.sig_weak`.
#[derive(Debug)]
pub struct WeakSignature;

impl Check for WeakSignature {
    fn id(&self) -> &'static str {
        "cert.sig_weak"
    }

    fn needs(&self) -> &'static [EvidenceKind] {
        &[EvidenceKind::Tls]
    }

    fn judge(&self, evidence: &HostEvidence, settings: &JudgeSettings, out: &mut Verdicts<'_>) {
        each_chain(evidence, settings, out, |case| {
            // The signature of a certificate on itself proves nothing and is not checked by anybody.
            let weak = below_the_root(case.chain)
                .filter(|cert| !cert.self_issued())
                .find_map(|cert| broken_hash(cert).map(|hash| (cert, hash)));
            match weak {
                Some((cert, hash)) => Judgement::Fail(Fail::new(json!({ "hash": hash, "certificate": cert.facts() }))),
                None => Judgement::Pass,
            }
        });
    }
}
