//! Codes of an authenticator: TOTP, RFC 6238, with what every app understands (SHA-1, six digits, thirty seconds).

use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret as _, SecretString};
use totp_rs::{Builder, Secret};

/// Shown beside the account in the authenticator.
const ISSUER: &str = "Bartizan";

/// A secret that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TotpError {
    /// The stored text is not base32, or too short.
    #[error("the stored secret of a second factor is damaged")]
    Damaged,
    /// The account cannot be named in an address.
    #[error("the account cannot be written as an otpauth address: {0}")]
    Url(String),
}

/// One secret.
pub struct Totp(totp_rs::Totp);

impl std::fmt::Debug for Totp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Totp(..)")
    }
}

impl Totp {
    /// A new one out of 160 random bits.
    #[must_use]
    pub fn from_bytes(secret: &[u8; 20]) -> Self {
        match Builder::new().with_secret(secret.to_vec()).build() {
            Ok(totp) => Self(totp),
            Err(error) => unreachable!("160 bits and the standard parameters are right: {error}"),
        }
    }

    /// A stored one.
    ///
    /// # Errors
    /// [`TotpError::Damaged`].
    pub fn from_base32(secret: &SecretString) -> Result<Self, TotpError> {
        let secret = Secret::try_from_base32(secret.expose_secret()).map_err(|_| TotpError::Damaged)?;
        Builder::new().with_secret(secret).build().map(Self).map_err(|_| TotpError::Damaged)
    }

    /// The secret in base32: for storing (sealed) and for typing.
    #[must_use]
    pub fn secret(&self) -> SecretString {
        self.0.secret().to_base32().into()
    }

    /// The `otpauth:` address for a QR code.
    ///
    /// # Errors
    /// [`TotpError::Url`].
    pub fn url(&self, account: &str) -> Result<SecretString, TotpError> {
        let named = Builder::new()
            .with_secret(self.0.secret().clone())
            .with_account_name(account.replace(':', "_"))
            .with_issuer(Some(ISSUER))
            .build();
        let url = named.and_then(|totp| totp.to_url()).map_err(|error| TotpError::Url(error.to_string()))?;
        Ok(url.into())
    }

    /// The time step whose code this is, if it is the code of the step at `now` or of one beside it.
    #[must_use]
    pub fn check(&self, code: &SecretString, now: DateTime<Utc>) -> Option<i64> {
        let plain: String = code.expose_secret().chars().filter(|c| !c.is_whitespace()).take(16).collect();
        let step = self.0.check(&plain, u64::try_from(now.timestamp()).ok()?)?;
        i64::try_from(step).ok()
    }

    /// The code at `now`, as an authenticator would show it.
    #[must_use]
    pub fn code(&self, now: DateTime<Utc>) -> String {
        self.0.generate(u64::try_from(now.timestamp()).unwrap_or(0)).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_the_standard() {
        // RFC 6238, appendix B: SHA-1, the last six of the eight digits.
        let totp = Totp::from_bytes(b"12345678901234567890");
        for (time, code) in [(59, "287082"), (1_111_111_109, "081804"), (20_000_000_000, "353130")] {
            assert_eq!(totp.code(DateTime::from_timestamp(time, 0).unwrap()), code);
        }
    }

    #[test]
    fn a_code_is_right_in_its_step_and_beside_it() {
        let totp = Totp::from_bytes(b"12345678901234567890");
        let at = |time| DateTime::from_timestamp(time, 0).unwrap();
        let code: SecretString = totp.code(at(1_000_000)).into();
        let step = 1_000_000 / 30;
        for (time, found) in
            [(999_960, Some(step)), (1_000_000, Some(step)), (1_000_030, Some(step)), (1_000_090, None)]
        {
            assert_eq!(totp.check(&code, at(time)), found, "{time}");
        }
        for bad in ["", "12345", "1234567", "abcdef", "٠٠٠٠٠٠"] {
            assert_eq!(totp.check(&bad.into(), at(1_000_000)), None);
        }
    }

    #[test]
    fn a_secret_is_stored_and_read_back_and_never_printed() {
        let totp = Totp::from_bytes(&[7; 20]);
        let again = Totp::from_base32(&totp.secret()).unwrap();
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        assert_eq!(totp.code(now), again.code(now));
        let url = totp.url("robin:hood").unwrap();
        assert!(
            url.expose_secret().starts_with("otpauth://totp/Bartizan:robin_hood?secret="),
            "{}",
            url.expose_secret()
        );
        assert!(!format!("{totp:?}").contains(totp.secret().expose_secret()));
        assert!(Totp::from_base32(&"not base32!".into()).is_err());
    }
}
