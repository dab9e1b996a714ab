//! Our side of the key exchange.

use ring::agreement::{
    Algorithm, ECDH_P256, ECDH_P384, EphemeralPrivateKey, UnparsedPublicKey, X25519, agree_ephemeral,
};
use ring::rand::SystemRandom;
use rsa::traits::PublicKeyParts;
use rsa::{BigUint, RsaPublicKey};
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey;

use super::LegacyError;
use super::protection::random;
use crate::tls_wire::{DhParameters, EcParameters, put16, vector16};

/// Bits of the largest RSA key that is reckoned with.
const MAX_RSA: usize = 16 * 1024;
/// Bits of the largest Diffie-Hellman prime that is reckoned with.
const MAX_DH: usize = 8 * 1024;
/// Bytes of our private Diffie-Hellman number. Nobody gains from knowing it.
const PRIVATE: usize = 32;

/// Groups offered: those that `ring` has.
pub const GROUPS: [u16; 3] = [29, 23, 24];

/// What the exchange comes to.
pub struct Agreed {
    /// Body of the client key exchange message.
    pub message: Vec<u8>,
    /// The premaster secret.
    pub premaster: Vec<u8>,
}

/// Encrypts a fresh secret to the key of the certificate (RFC 5246, section 7.4.7.1). `offered` is the version in our
/// hello. Keys of any size will do that hold the secret, which takes 472 bits.
pub fn rsa(certificate: &[u8], offered: u16) -> Result<Agreed, LegacyError> {
    let unusable = |why: &str| LegacyError::Unsupported(format!("the key of the certificate cannot be used: {why}"));
    let (_, parsed) = x509_parser::certificate::X509Certificate::from_der(certificate)
        .map_err(|_| unusable("the certificate is malformed"))?;
    let Ok(PublicKey::RSA(key)) = parsed.public_key().parsed() else {
        return Err(unusable("it is no RSA key"));
    };
    let (modulus, exponent) = (BigUint::from_bytes_be(key.modulus), BigUint::from_bytes_be(key.exponent));
    let key =
        RsaPublicKey::new_with_max_size(modulus, exponent, MAX_RSA).map_err(|error| unusable(&error.to_string()))?;
    let mut premaster = Vec::with_capacity(48);
    put16(&mut premaster, offered);
    premaster.resize(48, 0);
    random(&mut premaster[2..]);

    // PKCS #1 v1.5 (RFC 8017, section 7.2.1): 0, 2, random bytes without zeros, 0, the secret.
    let size = key.size();
    let filling = size.checked_sub(3 + premaster.len()).filter(|filling| *filling >= 8);
    let Some(filling) = filling else { return Err(unusable("it is too short")) };
    let mut block = vec![0; size];
    block[1] = 2;
    random(&mut block[2..2 + filling]);
    for byte in &mut block[2..2 + filling] {
        while *byte == 0 {
            random(std::slice::from_mut(byte));
        }
    }
    block[3 + filling..].copy_from_slice(&premaster);
    let encrypted = BigUint::from_bytes_be(&block).modpow(key.e(), key.n()).to_bytes_be();
    let mut padded = vec![0; size - encrypted.len()];
    padded.extend(encrypted);
    let mut message = Vec::with_capacity(size + 2);
    vector16(&mut message, &padded);
    Ok(Agreed { message, premaster })
}

/// Diffie-Hellman in the server's group (RFC 5246, section 8.1.2).
pub fn dhe(parameters: &DhParameters<'_>) -> Result<Agreed, LegacyError> {
    let unusable = || LegacyError::Unsupported("the Diffie-Hellman parameters are no group".to_owned());
    if [parameters.prime, parameters.generator, parameters.public].iter().any(|number| number.len() * 8 > MAX_DH) {
        return Err(LegacyError::Unsupported("the Diffie-Hellman parameters are too long".to_owned()));
    }
    let prime = BigUint::from_bytes_be(parameters.prime);
    let (generator, public) = (BigUint::from_bytes_be(parameters.generator), BigUint::from_bytes_be(parameters.public));
    let (one, two) = (BigUint::from(1_u8), BigUint::from(2_u8));
    let odd = parameters.prime.last().is_some_and(|byte| byte & 1 == 1);
    // Zero, one and the prime less one are in no group of use.
    let inside = |number: &BigUint| *number >= two && *number < &prime - &one;
    if !odd || prime.bits() < 128 || !inside(&generator) || !inside(&public) {
        return Err(unusable());
    }
    let mut secret = [0; PRIVATE];
    random(&mut secret);
    let secret = BigUint::from_bytes_be(&secret);
    let mut message = Vec::new();
    vector16(&mut message, &generator.modpow(&secret, &prime).to_bytes_be());
    // Without leading zeros, as the rule is below TLS 1.3.
    Ok(Agreed { message, premaster: public.modpow(&secret, &prime).to_bytes_be() })
}

/// Diffie-Hellman on the server's curve (RFC 8422, section 5.7).
pub fn ecdhe(parameters: &EcParameters<'_>) -> Result<Agreed, LegacyError> {
    let algorithm: &'static Algorithm = match parameters.group {
        29 => &X25519,
        23 => &ECDH_P256,
        24 => &ECDH_P384,
        other => {
            return Err(LegacyError::Unsupported(format!("the server chose group {other}, which was not offered")));
        }
    };
    let failed = |_| LegacyError::Unsupported("the server's point is not on the curve".to_owned());
    let key = EphemeralPrivateKey::generate(algorithm, &SystemRandom::new()).map_err(failed)?;
    let ours = key.compute_public_key().map_err(failed)?;
    let length = u8::try_from(ours.as_ref().len()).unwrap_or_default();
    let mut message = vec![length];
    message.extend_from_slice(ours.as_ref());
    let peer = UnparsedPublicKey::new(algorithm, parameters.point);
    let premaster = agree_ephemeral(key, &peer, <[u8]>::to_vec).map_err(failed)?;
    Ok(Agreed { message, premaster })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn hostile_parameters_are_refused_or_used_and_never_panic(
            prime in prop::collection::vec(any::<u8>(), 0..40),
            generator in prop::collection::vec(any::<u8>(), 0..40),
            public in prop::collection::vec(any::<u8>(), 0..40),
            group in 0_u16..40,
        ) {
            let _ = dhe(&DhParameters { prime: &prime, generator: &generator, public: &public });
            let _ = ecdhe(&EcParameters { group, point: &public });
            prop_assert!(rsa(&prime, 0x0303).is_err());
        }
    }

    #[test]
    fn both_sides_of_a_small_group_agree() {
        // The largest prime of 128 bits; the server's private number is 5.
        let prime = (BigUint::from(1_u8) << 128_usize) - BigUint::from(159_u8);
        let (generator, private) = (BigUint::from(3_u8), BigUint::from(5_u8));
        let public = generator.modpow(&private, &prime);
        let bytes = [prime.to_bytes_be(), generator.to_bytes_be(), public.to_bytes_be()];
        let parameters = DhParameters { prime: &bytes[0], generator: &bytes[1], public: &bytes[2] };
        let agreed = dhe(&parameters).unwrap();
        let theirs = BigUint::from_bytes_be(&agreed.message[2..]).modpow(&private, &prime);
        assert_eq!(theirs.to_bytes_be(), agreed.premaster);
        let one = DhParameters { public: &[1], ..parameters };
        assert!(dhe(&one).is_err() && dhe(&DhParameters { prime: &[0], ..parameters }).is_err());
    }
}
