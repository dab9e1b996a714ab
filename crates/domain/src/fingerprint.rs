//! Identity of a finding across scans.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{AssetRef, CheckId, Location};

/// `v1:` and 32 hex digits over check, canonical asset and location key. No text, date, count, address of a
/// domain or severity goes in, so that a finding keeps its identity when any of them changes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(transparent)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// The identity of `check` failing on `asset` at `location`.
    #[must_use]
    pub fn of(check: &CheckId, asset: &AssetRef, location: &Location) -> Self {
        let mut hash = Sha256::new();
        for part in [check.as_str(), &asset.to_string(), location.as_str()] {
            // Length-prefixed, so that no two different triples concatenate to the same bytes.
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        let digest = hash.finalize();
        let hex = digest.iter().take(16).fold(String::with_capacity(32), |mut text, byte| {
            use fmt::Write as _;
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        });
        Self(format!("v1:{hex}"))
    }

    /// The text form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identity_depends_on_each_part_and_on_nothing_else() {
        let check = CheckId::parse("cert.expired").unwrap();
        let asset = AssetRef::Domain("example.test".into());
        let https = Location::from_stored("tcp/443");
        let one = Fingerprint::of(&check, &asset, &https);
        assert_eq!(one, Fingerprint::of(&check, &asset, &https));
        assert_ne!(one, Fingerprint::of(&check, &asset, &Location::from_stored("tcp/8443")));
        assert_ne!(
            one,
            Fingerprint::of(&check, &AssetRef::Domain("example.tes".into()), &Location::from_stored("ttcp/443"))
        );
        assert!(one.as_str().starts_with("v1:") && one.as_str().len() == 35);
    }
}
