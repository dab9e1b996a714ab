//! Mail policy of a domain: who receives for it (MX), who may send in its name (SPF) and what receivers are asked to
//! do about the rest (DMARC). Records are kept as text; `bartizan_domain::spf` and `bartizan_domain::dmarc` read them.

use serde::{Deserialize, Serialize};

use super::Observation;

/// Mail policy of a domain.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct MailEvidence {
    /// The name asked about: lower case, A-labels, no trailing dot.
    pub name: String,
    /// Whether the name is the apex of a zone of its own.
    #[serde(default)]
    pub zone_apex: Observation<bool>,
    /// Whether the name has an address, which makes it its own (implicit) mail server when there is no MX record
    /// (RFC 5321 section 5.1).
    #[serde(default)]
    pub has_address: Observation<bool>,
    /// MX records, by preference; empty if there are none.
    #[serde(default)]
    pub mx: Observation<Vec<MxRecord>>,
    /// SPF records of the name and of every name they lead to.
    #[serde(default)]
    pub spf: SpfEvidence,
    /// DMARC records of the name and of every ancestor that policy discovery may ask, the name first.
    #[serde(default)]
    pub dmarc: Vec<DmarcStep>,
    /// Whether report receivers outside the domain agreed to receive (RFC 7489 section 7.1).
    #[serde(default)]
    pub report_consent: Vec<ReportConsent>,
}

/// One MX record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct MxRecord {
    /// Preference; lower is asked first.
    pub preference: u16,
    /// Host name without the trailing dot; `.` alone is the null MX of RFC 7505.
    pub exchange: String,
}

/// SPF records, as a graph: each name once, each referenced from the text of others.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct SpfEvidence {
    /// The TXT records that begin with `v=spf1`, by name; the first entry is the asset's own name.
    #[serde(default)]
    pub records: Vec<SpfNode>,
    /// Look-ups that `a`, `mx` and `exists` terms cause, each once.
    #[serde(default)]
    pub lookups: Vec<SpfLookup>,
    /// Why following stopped early; `None` if everything that can be followed was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub truncated: Option<String>,
}

/// The SPF records of one name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SpfNode {
    /// The name, lower case, no trailing dot.
    pub domain: String,
    /// Its SPF records, and whether the look-up was void.
    pub answer: Observation<SpfTxt>,
}

/// TXT records of a name that claim to be SPF.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SpfTxt {
    /// The texts, strings joined.
    pub texts: Vec<String>,
    /// No such name, or no TXT record at all: a void look-up (RFC 7208 section 4.6.4).
    #[serde(default)]
    pub void: bool,
}

/// What a term of an SPF record looks up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpfLookupKind {
    /// Addresses, for `a` and `exists`.
    Address,
    /// Mail servers, for `mx`.
    Mx,
}

/// One look-up of a term.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SpfLookup {
    /// Name looked up, lower case, no trailing dot.
    pub domain: String,
    /// What was looked up.
    pub kind: SpfLookupKind,
    /// How many records came back; 0 is a void look-up.
    pub found: Observation<u32>,
}

/// DMARC records at one step of policy discovery.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DmarcStep {
    /// The domain, without `_dmarc.`.
    pub domain: String,
    /// TXT records of `_dmarc.<domain>` that begin with `v=DMARC1`.
    pub records: Observation<Vec<String>>,
}

/// Consent of an outside receiver of DMARC reports.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReportConsent {
    /// The domain whose policy names the receiver.
    pub domain: String,
    /// The receiver's domain.
    pub receiver: String,
    /// Whether `<domain>._report._dmarc.<receiver>` says `v=DMARC1`.
    pub given: Observation<bool>,
}
