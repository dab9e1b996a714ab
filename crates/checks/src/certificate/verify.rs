//! Does a key's owner stand behind a certificate? Signature verification without a policy on strength.
//!
//! Trust is judged as if strength were right, so that a weak signature or key is one finding of its own and not
//! "untrusted" as well. Libraries for safe use refuse MD5, SHA-1 and short keys; here they are only called weak.

use md5::Md5;
use p256::ecdsa::signature::hazmat::PrehashVerifier;
use ring::signature as ring_signature;
use rsa::{BigUint, Pkcs1v15Sign, RsaPublicKey};
use sha1::Sha1;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};
use x509_parser::public_key::PublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;

use super::x509::Cert;

/// Longest RSA modulus that is computed with, in bits; longer ones only cost time.
const MAX_RSA_BITS: usize = 16_384;

/// Outcome of verifying a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verification {
    /// The signature is right.
    Valid,
    /// It is not.
    Invalid,
    /// Not known: an algorithm we cannot compute.
    Unsupported(String),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hash {
    Md5,
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    fn digest(self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Md5 => Md5::digest(message).to_vec(),
            Self::Sha1 => Sha1::digest(message).to_vec(),
            Self::Sha224 => Sha224::digest(message).to_vec(),
            Self::Sha256 => Sha256::digest(message).to_vec(),
            Self::Sha384 => Sha384::digest(message).to_vec(),
            Self::Sha512 => Sha512::digest(message).to_vec(),
        }
    }

    /// What precedes the digest in a PKCS #1 v1.5 signature: RFC 8017, section 9.2, note 1.
    const fn prefix(self) -> &'static [u8] {
        match self {
            Self::Md5 => &[0x30, 0x20, 0x30, 0x0c, 6, 8, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 2, 5, 5, 0, 4, 0x10],
            Self::Sha1 => &[0x30, 0x21, 0x30, 9, 6, 5, 0x2b, 0x0e, 3, 2, 0x1a, 5, 0, 4, 0x14],
            Self::Sha224 => &[0x30, 0x2d, 0x30, 0x0d, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 4, 5, 0, 4, 0x1c],
            Self::Sha256 => &[0x30, 0x31, 0x30, 0x0d, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1, 5, 0, 4, 0x20],
            Self::Sha384 => &[0x30, 0x41, 0x30, 0x0d, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 2, 5, 0, 4, 0x30],
            Self::Sha512 => &[0x30, 0x51, 0x30, 0x0d, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 3, 5, 0, 4, 0x40],
        }
    }
}

/// A signature algorithm of X.509 certificates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Algorithm {
    Pkcs1(Hash),
    Pss,
    Ecdsa(Hash),
    Ed25519,
    Other,
}

fn algorithm_of(oid: &str) -> Algorithm {
    match oid {
        "1.2.840.113549.1.1.4" => Algorithm::Pkcs1(Hash::Md5),
        "1.2.840.113549.1.1.5" | "1.3.14.3.2.29" => Algorithm::Pkcs1(Hash::Sha1),
        "1.2.840.113549.1.1.14" => Algorithm::Pkcs1(Hash::Sha224),
        "1.2.840.113549.1.1.11" => Algorithm::Pkcs1(Hash::Sha256),
        "1.2.840.113549.1.1.12" => Algorithm::Pkcs1(Hash::Sha384),
        "1.2.840.113549.1.1.13" => Algorithm::Pkcs1(Hash::Sha512),
        "1.2.840.113549.1.1.10" => Algorithm::Pss,
        "1.2.840.10045.4.1" => Algorithm::Ecdsa(Hash::Sha1),
        "1.2.840.10045.4.3.1" => Algorithm::Ecdsa(Hash::Sha224),
        "1.2.840.10045.4.3.2" => Algorithm::Ecdsa(Hash::Sha256),
        "1.2.840.10045.4.3.3" => Algorithm::Ecdsa(Hash::Sha384),
        "1.2.840.10045.4.3.4" => Algorithm::Ecdsa(Hash::Sha512),
        "1.3.101.112" => Algorithm::Ed25519,
        _ => Algorithm::Other,
    }
}

/// Name of a broken hash in a certificate's signature, `None` if it is not broken or not known.
#[must_use]
pub fn broken_hash(certificate: &Cert<'_>) -> Option<&'static str> {
    let oid = certificate.x509.signature_algorithm.algorithm.to_id_string();
    match oid.as_str() {
        "1.2.840.113549.1.1.2" => Some("MD2"),
        // DSA with SHA-1 is here too; DSA has no other use in certificates worth naming.
        "1.2.840.10040.4.3" => Some("SHA-1"),
        "1.2.840.113549.1.1.10" => pss_hash(certificate).filter(|hash| *hash == Hash::Sha1).map(|_| "SHA-1"),
        other => match algorithm_of(other) {
            Algorithm::Pkcs1(Hash::Md5) => Some("MD5"),
            Algorithm::Pkcs1(Hash::Sha1) | Algorithm::Ecdsa(Hash::Sha1) => Some("SHA-1"),
            _ => None,
        },
    }
}

/// The hash in the parameters of RSASSA-PSS; SHA-1 is the default that is left out (RFC 8017, appendix A.2.3).
fn pss_hash(certificate: &Cert<'_>) -> Option<Hash> {
    let parameters = certificate.x509.signature_algorithm.parameters.as_ref()?;
    let holds = |arc: u8| {
        let oid = [6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, arc];
        parameters.data.windows(oid.len()).any(|window| window == oid)
    };
    Some(match (holds(1), holds(2), holds(3)) {
        (true, ..) => Hash::Sha256,
        (_, true, _) => Hash::Sha384,
        (_, _, true) => Hash::Sha512,
        _ => Hash::Sha1,
    })
}

/// Whether `issuer`'s key made the signature on `certificate`.
#[must_use]
pub fn signed_by(certificate: &Cert<'_>, issuer: &Cert<'_>) -> Verification {
    let x509 = &certificate.x509;
    let message = x509.tbs_certificate.as_ref();
    let signature = x509.signature_value.data.as_ref();
    let key = issuer.x509.public_key();
    let oid = x509.signature_algorithm.algorithm.to_id_string();
    match algorithm_of(&oid) {
        Algorithm::Pkcs1(hash) => pkcs1(key, hash, message, signature),
        Algorithm::Pss => match pss_hash(certificate) {
            Some(hash) => pss(key, hash, message, signature),
            None => Verification::Unsupported("RSASSA-PSS without parameters".to_owned()),
        },
        Algorithm::Ecdsa(hash) => ecdsa(key, hash, message, signature),
        Algorithm::Ed25519 => by_ring(&ring_signature::ED25519, &key.subject_public_key.data, message, signature),
        Algorithm::Other => Verification::Unsupported(format!("signature algorithm {oid}")),
    }
}

fn verdict(valid: bool) -> Verification {
    if valid { Verification::Valid } else { Verification::Invalid }
}

fn by_ring(
    algorithm: &'static dyn ring_signature::VerificationAlgorithm,
    key: &[u8],
    message: &[u8],
    signature: &[u8],
) -> Verification {
    verdict(ring_signature::UnparsedPublicKey::new(algorithm, key).verify(message, signature).is_ok())
}

fn pkcs1(key: &SubjectPublicKeyInfo<'_>, hash: Hash, message: &[u8], signature: &[u8]) -> Verification {
    let Ok(PublicKey::RSA(rsa)) = key.parsed() else { return Verification::Invalid };
    let modulus = BigUint::from_bytes_be(rsa.modulus);
    let exponent = BigUint::from_bytes_be(rsa.exponent);
    let Ok(key) = RsaPublicKey::new_with_max_size(modulus, exponent, MAX_RSA_BITS) else {
        return Verification::Unsupported("an RSA key of unusual form".to_owned());
    };
    let digest = hash.digest(message);
    let padding = Pkcs1v15Sign { hash_len: Some(digest.len()), prefix: hash.prefix().into() };
    verdict(key.verify(padding, &digest, signature).is_ok())
}

fn pss(key: &SubjectPublicKeyInfo<'_>, hash: Hash, message: &[u8], signature: &[u8]) -> Verification {
    let algorithm: &'static dyn ring_signature::VerificationAlgorithm = match hash {
        Hash::Sha256 => &ring_signature::RSA_PSS_2048_8192_SHA256,
        Hash::Sha384 => &ring_signature::RSA_PSS_2048_8192_SHA384,
        Hash::Sha512 => &ring_signature::RSA_PSS_2048_8192_SHA512,
        _ => return Verification::Unsupported("RSASSA-PSS with an old hash".to_owned()),
    };
    by_ring(algorithm, &key.subject_public_key.data, message, signature)
}

fn ecdsa(key: &SubjectPublicKeyInfo<'_>, hash: Hash, message: &[u8], signature: &[u8]) -> Verification {
    if key.algorithm.algorithm.to_id_string() != "1.2.840.10045.2.1" {
        return Verification::Invalid;
    }
    let curve = key.algorithm.parameters.as_ref().and_then(|any| any.as_oid().ok()).map(|oid| oid.to_id_string());
    let point = key.subject_public_key.data.as_ref();
    let digest = hash.digest(message);
    match curve.as_deref() {
        Some("1.2.840.10045.3.1.7") => {
            let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(point);
            let signature = p256::ecdsa::Signature::from_der(signature);
            verdict(
                matches!((key, signature), (Ok(key), Ok(signature)) if key.verify_prehash(&digest, &signature).is_ok()),
            )
        }
        Some("1.3.132.0.34") => {
            let key = p384::ecdsa::VerifyingKey::from_sec1_bytes(point);
            let signature = p384::ecdsa::Signature::from_der(signature);
            verdict(
                matches!((key, signature), (Ok(key), Ok(signature)) if key.verify_prehash(&digest, &signature).is_ok()),
            )
        }
        Some(other) => Verification::Unsupported(format!("ECDSA on curve {other}")),
        None => Verification::Unsupported("ECDSA without a named curve".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_roots_sign_themselves_and_nobody_else() {
        let roots: Vec<Cert<'_>> =
            webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().map(|der| Cert::parse(der).unwrap()).collect();
        for root in &roots {
            let own = signed_by(root, root);
            assert!(matches!(own, Verification::Valid | Verification::Unsupported(_)), "{}", root.facts());
        }
        assert_eq!(signed_by(&roots[0], &roots[1]), Verification::Invalid);
    }
}
