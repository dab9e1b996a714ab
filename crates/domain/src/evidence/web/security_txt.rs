//! The security contact file (RFC 9116) as served.

use serde::{Deserialize, Serialize};

use crate::evidence::Observation;

/// The security contact file at its two places.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SecurityTxtEvidence {
    /// `/.well-known/security.txt`.
    pub well_known: Observation<SecurityTxtAnswer>,
    /// `/security.txt`, the legacy place.
    pub legacy: Observation<SecurityTxtAnswer>,
}

/// Answer at one place of the security contact file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecurityTxtAnswer {
    /// URL of the last response, without secrets.
    pub url: String,
    /// Status of the last response.
    pub status: u16,
    /// How many redirects led there.
    pub redirects: u32,
    /// Media type, lower case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// `charset` parameter, lower case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub charset: Option<String>,
    /// Whether the answer is what the site says to paths that do not exist.
    pub equals_baseline: bool,
    /// Whether the body is an HTML page.
    pub is_html: bool,
    /// The file, if the last response is one: status 200, different from the baseline, no HTML page, and with at least
    /// one field of RFC 9116.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<SecurityTxt>,
}

/// A security contact file, read by RFC 9116.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SecurityTxt {
    /// `Contact` values.
    pub contact: Vec<String>,
    /// `Expires` values as written.
    pub expires: Vec<String>,
    /// `Canonical` values.
    #[serde(default)]
    pub canonical: Vec<String>,
    /// `Encryption` values.
    #[serde(default)]
    pub encryption: Vec<String>,
    /// `Policy` values.
    #[serde(default)]
    pub policy: Vec<String>,
    /// `Preferred-Languages` values.
    #[serde(default)]
    pub preferred_languages: Vec<String>,
    /// Names of the other fields, lower case, at most 20.
    #[serde(default)]
    pub other_fields: Vec<String>,
    /// Lines that are neither field, comment nor blank.
    #[serde(default)]
    pub malformed_lines: u32,
    /// OpenPGP cleartext signature around the file.
    pub signature: SignatureForm,
}

/// Form of an OpenPGP cleartext signature (RFC 9580, section 7). Whether the signature is by a trusted key is not
/// looked into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignatureForm {
    /// The file is not signed, which is allowed.
    #[default]
    None,
    /// Header, text and armoured signature are there, and the armour holds a signature packet.
    WellFormed,
    /// The file begins as a signed message and does not hold together as one.
    Broken,
}
