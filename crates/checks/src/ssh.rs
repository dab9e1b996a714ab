//! Checks of SSH servers (`ssh.*`), from the server's own offer.
//!
//! What counts as weak follows the RFCs that retired the algorithms (RFC 8758, RFC 9142) and RFC 4253's own security
//! considerations; the lists are deliberately short, so that a server as current distributions ship it passes.

use bartizan_domain::evidence::ssh::SshAlgorithms;
use bartizan_domain::evidence::{EvidenceKind, HostEvidence};
use bartizan_domain::{Confidence, Location, Severity};
use serde_json::json;

use crate::{Check, Fail, JudgeSettings, Verdicts};

/// The registry slice, in listing order. `ssh.v1` is declared in its content file.
pub static CHECKS: &[&dyn Check] = &[&WeakKex, &WeakCipher, &WeakMac, &WeakHostKey, &Terrapin, &PasswordLogin];

/// What makes a key exchange resistant to the Terrapin attack, offered by a server.
const STRICT_KEX: &str = "kex-strict-s-v00@openssh.com";
const CHACHA: &str = "chacha20-poly1305@openssh.com";

fn each_offer(
    evidence: &HostEvidence,
    out: &mut Verdicts<'_>,
    mut judge: impl FnMut(Location, &SshAlgorithms, &mut Verdicts<'_>),
) {
    out.each_endpoint(&evidence.ssh, "no SSH server", |at, it, out| {
        let at = at.location();
        if let Some(offer) = out.observed(&at, &it.algorithms) {
            judge(at, offer, out);
        }
    });
}

/// Fails with the names among `offered` that `weakness` rates, at the worst of their severities.
fn judge_names(at: Location, offered: &[&str], weakness: fn(&str) -> Option<Severity>, out: &mut Verdicts<'_>) {
    let weak: Vec<(&str, Severity)> = offered.iter().filter_map(|name| Some((*name, weakness(name)?))).collect();
    match weak.iter().map(|(_, severity)| *severity).max() {
        None => out.pass(at),
        Some(worst) => {
            let names: Vec<&str> = weak.iter().map(|(name, _)| *name).collect();
            out.fail(at, Fail::new(json!({ "weak": names })).severity(worst));
        }
    }
}

/// Declares a check over one list of names.
macro_rules! weak_names {
    ($(#[$doc:meta])* $name:ident, $id:literal, $names:ident, $weakness:ident) => {
        $(#[$doc])*
        pub struct $name;

        impl Check for $name {
            fn id(&self) -> &'static str {
                $id
            }

            fn needs(&self) -> &'static [EvidenceKind] {
                &[EvidenceKind::Ssh]
            }

            fn judge(&self, evidence: &HostEvidence, _: &JudgeSettings, out: &mut Verdicts<'_>) {
                each_offer(evidence, out, |at, offer, out| judge_names(at, &$names(offer), $weakness, out));
            }
        }
    };
}

weak_names!(
    /// Key exchanges with SHA-1 or a 1024-bit group.
    WeakKex,
    "ssh.weak_kex",
    exchanges,
    weak_kex
);

weak_names!(
    /// CBC mode, RC4, DES and no cipher at all.
    WeakCipher,
    "ssh.weak_cipher",
    ciphers,
    weak_cipher
);

weak_names!(
    /// MD5, 96-bit tags and no code at all.
    WeakMac,
    "ssh.weak_mac",
    macs,
    weak_mac
);

fn exchanges(offer: &SshAlgorithms) -> Vec<&str> {
    offer.kex.iter().map(String::as_str).collect()
}

fn ciphers(offer: &SshAlgorithms) -> Vec<&str> {
    offer.ciphers().collect()
}

fn macs(offer: &SshAlgorithms) -> Vec<&str> {
    offer.macs().collect()
}

/// RFC 9142 section 3: SHA-1 exchanges are to be avoided, group 1 (1024 bits) and 1024-bit RSA must not be used.
fn weak_kex(name: &str) -> Option<Severity> {
    let group1 = name == "diffie-hellman-group1-sha1" || name.starts_with("gss-group1-sha1-") || name == "rsa1024-sha1";
    let sha1 = name.ends_with("-sha1") || (name.starts_with("gss-") && name.contains("-sha1-"));
    match (group1, sha1) {
        (true, _) => Some(Severity::High),
        (false, true) => Some(Severity::Medium),
        _ => None,
    }
}

/// RFC 8758 retires RC4; CBC in SSH leaks plaintext (CVE-2008-5161) and has 64-bit blocks in its older forms.
fn weak_cipher(name: &str) -> Option<Severity> {
    match name {
        "none" | "des-cbc" | "des-cbc@ssh.com" | "des" => Some(Severity::High),
        name if name.starts_with("arcfour") => Some(Severity::High),
        name if name.ends_with("-cbc") || name.ends_with("-cbc@lysator.liu.se") || name.ends_with("-cbc@ssh.com") => {
            Some(Severity::Medium)
        }
        _ => None,
    }
}

fn weak_mac(name: &str) -> Option<Severity> {
    let plain = name.split('@').next().unwrap_or(name).trim_end_matches("-etm");
    match plain {
        "none" => Some(Severity::High),
        plain if plain.starts_with("hmac-md5") => Some(Severity::Medium),
        plain if plain.ends_with("-96") => Some(Severity::Low),
        _ => None,
    }
}

/// `ssh.weak_hostkey`
pub struct WeakHostKey;

impl Check for WeakHostKey {
    fn id(&self) -> &'static str {
        "ssh.weak_hostkey"
    }

    fn needs(&self) -> &'static [EvidenceKind] {
        &[EvidenceKind::Ssh]
    }

    fn judge(&self, evidence: &HostEvidence, _: &JudgeSettings, out: &mut Verdicts<'_>) {
        out.each_endpoint(&evidence.ssh, "no SSH server", |at, it, out| {
            let at = at.location();
            let Some(offer) = out.observed(&at, &it.algorithms) else { return };
            let mut weak: Vec<String> = Vec::new();
            let mut worst = None;
            let mut add = |what: String, severity: Severity| {
                weak.push(what);
                worst = worst.max(Some(severity));
            };
            for name in &offer.host_key {
                match name.split("-cert-").next().unwrap_or(name) {
                    "ssh-dss" => add(format!("{name}: DSA, 1024 bits and SHA-1"), Severity::High),
                    "ssh-rsa" => add(format!("{name}: RSA signatures with SHA-1"), Severity::Low),
                    _ => {}
                }
            }
            for key in it.host_keys.observed().into_iter().flatten().filter(|key| key.algorithm == "ssh-rsa") {
                if let Some(bits) = key.bits.filter(|bits| *bits < 2048) {
                    add(format!("RSA key of {bits} bits"), Severity::High);
                }
            }
            match worst {
                Some(worst) => out.fail(at, Fail::new(json!({ "weak": weak })).severity(worst)),
                // The lists alone do not show how long an RSA key is.
                None if out.observed(&at, &it.host_keys).is_some() => out.pass(at),
                None => {}
            }
        });
    }
}

/// `ssh.terrapin`: CVE-2023-48795 needs a vulnerable mode on offer and a server without strict key exchange.
pub struct Terrapin;

impl Check for Terrapin {
    fn id(&self) -> &'static str {
        "ssh.terrapin"
    }

    fn needs(&self) -> &'static [EvidenceKind] {
        &[EvidenceKind::Ssh]
    }

    fn judge(&self, evidence: &HostEvidence, _: &JudgeSettings, out: &mut Verdicts<'_>) {
        each_offer(evidence, out, |at, offer, out| {
            let etm = offer.macs().any(|name| name.ends_with("-etm@openssh.com"));
            let modes: Vec<&str> =
                offer.ciphers().filter(|name| *name == CHACHA || (etm && name.contains("-cbc"))).collect();
            if modes.is_empty() || offer.kex.iter().any(|name| name == STRICT_KEX) {
                out.pass(at);
            } else {
                out.fail(at, Fail::new(json!({ "ciphers": modes, "strict_key_exchange": false })));
            }
        });
    }
}

/// `ssh.password_login`
pub struct PasswordLogin;

impl Check for PasswordLogin {
    fn id(&self) -> &'static str {
        "ssh.password_login"
    }

    fn needs(&self) -> &'static [EvidenceKind] {
        &[EvidenceKind::Ssh]
    }

    fn judge(&self, evidence: &HostEvidence, _: &JudgeSettings, out: &mut Verdicts<'_>) {
        out.each_endpoint(&evidence.ssh, "no SSH server", |at, it, out| {
            let at = at.location();
            let Some(methods) = out.observed(&at, &it.auth_methods) else { return };
            let guessable = |name: &String| matches!(name.as_str(), "password" | "keyboard-interactive");
            if methods.is_empty() {
                let facts = json!({ "methods": [], "note": "an unknown user was let in without credentials" });
                out.fail(at, Fail::new(facts).severity(Severity::High).confidence(Confidence::Probable));
            } else if methods.iter().any(guessable) {
                out.fail(at, Fail::new(json!({ "methods": methods })));
            } else {
                out.pass(at);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_current_distributions_offer_is_not_weak() {
        for name in
            ["sntrup761x25519-sha512@openssh.com", "curve25519-sha256", "diffie-hellman-group14-sha256", STRICT_KEX]
        {
            assert_eq!(weak_kex(name), None, "{name}");
        }
        for name in [CHACHA, "aes128-ctr", "aes256-gcm@openssh.com"] {
            assert_eq!(weak_cipher(name), None, "{name}");
        }
        for name in ["umac-64-etm@openssh.com", "hmac-sha1", "hmac-sha1-etm@openssh.com", "hmac-sha2-256"] {
            assert_eq!(weak_mac(name), None, "{name}");
        }
    }

    #[test]
    fn old_names_are_weak() {
        assert_eq!(weak_kex("diffie-hellman-group1-sha1"), Some(Severity::High));
        assert_eq!(weak_kex("diffie-hellman-group-exchange-sha1"), Some(Severity::Medium));
        assert_eq!(weak_kex("gss-gex-sha1-toWM5Slw5Ew8Mqkay+al2g=="), Some(Severity::Medium));
        assert_eq!(weak_cipher("arcfour256"), Some(Severity::High));
        assert_eq!(weak_cipher("rijndael-cbc@lysator.liu.se"), Some(Severity::Medium));
        assert_eq!(weak_mac("hmac-md5-96-etm@openssh.com"), Some(Severity::Medium));
        assert_eq!(weak_mac("hmac-sha1-96-etm@openssh.com"), Some(Severity::Low));
    }
}
