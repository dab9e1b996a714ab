//! The CVSS object that NVD and CVE records share.
//!
//! Source: the JSON schemas of FIRST for CVSS 2.0, 3.0, 3.1 and 4.0, of which only vector and base score are read; the
//! rest is computed from the vector by whoever needs it.

use bartizan_matching::model::SeverityScore;
use serde::Deserialize;

use super::common::{self, Str};

/// The part of a CVSS object that is not derived from another part.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CvssData<'a> {
    #[serde(borrow, default)]
    pub vector_string: Str<'a>,
    #[serde(default)]
    pub base_score: Option<f32>,
    #[serde(borrow, default)]
    pub base_severity: Option<Str<'a>>,
}

impl CvssData<'_> {
    /// As a severity of `asserter`.
    pub fn severity(&self, asserter: &str) -> Option<SeverityScore> {
        let mut severity = common::vector(&self.vector_string, self.base_score, asserter)?;
        if let Some(word) = &self.base_severity {
            severity.label = common::cut(word, 20);
        }
        Some(severity)
    }
}
