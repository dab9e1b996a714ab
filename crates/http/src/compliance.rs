//! The compliance matrix of NIS2 Art. 21(2).

use axum::Json;
use axum::extract::State;
use bartizan_domain::Severity;
use bartizan_domain::id::{FindingId, ScanId};
use bartizan_services::compliance;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::AppState;
use crate::caller::Caller;
use crate::error::{ApiResult, ReadErrors};
use crate::wire::text_of;

/// The operations of this file.
pub(crate) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(get_compliance_matrix))
}

/// The matrix of the completed scan that ended last.
#[derive(Debug, Serialize, ToSchema)]
pub struct ComplianceMatrix {
    /// The scan; null before one has completed.
    pub scan_id: Option<ScanId>,
    /// One row a measure, `a` to `j`; empty before a scan has completed.
    pub rows: Vec<MatrixRow>,
}

/// How a scan bears on one measure. It never says compliant: at best, no technical finding is open in scope.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"letter": "h", "control": "21.2.h", "title": "Cryptography and encryption",
    "automation": "technical", "status": "open_findings",
    "checks": {"planned": 24, "passed": 20, "failed": 1, "error": 0, "not_applicable": 2, "not_tested": 1},
    "coverage": 0.96, "open_findings": 1, "worst_open_severity": "high", "accepted_risks": 0,
    "finding_ids": ["01991b5e-7c1a-7cc2-b5a5-0b1d6f6f1c55"], "annex_points": ["2024/2690:9.2"], "attestation": null}))]
pub struct MatrixRow {
    /// `a` to `j`.
    pub letter: String,
    /// Control id: `21.2.h`.
    pub control: String,
    /// Title.
    pub title: String,
    /// How far checks can speak about it: `technical`, `partial`, `organisational`.
    pub automation: String,
    /// `not_assessed`, `manual_required`, `no_open_findings`, `open_findings`, `attested`.
    pub status: String,
    /// Checks by how they ended, each at its worst place.
    pub checks: MatrixChecks,
    /// Share of planned checks that came to a conclusion, 0 to 1; null if none was planned.
    pub coverage: Option<f64>,
    /// Unresolved findings of the scan.
    pub open_findings: u64,
    /// The worst of them.
    pub worst_open_severity: Option<Severity>,
    /// Findings of the scan whose risk is accepted.
    pub accepted_risks: u64,
    /// Unresolved findings, worst first, at most 100.
    pub finding_ids: Vec<FindingId>,
    /// Points of the annex of Implementing Regulation (EU) 2024/2690.
    pub annex_points: Vec<String>,
    /// What a person has stated.
    pub attestation: Option<String>,
}

/// Checks of a row by how they ended.
#[derive(Debug, Serialize, ToSchema)]
pub struct MatrixChecks {
    /// Planned.
    pub planned: u64,
    /// Fine everywhere.
    pub passed: u64,
    /// Broken somewhere.
    pub failed: u64,
    /// Without the needed answer somewhere.
    pub error: u64,
    /// Not applicable anywhere.
    pub not_applicable: u64,
    /// Not probed somewhere.
    pub not_tested: u64,
}

impl From<&compliance::MatrixRow> for MatrixRow {
    fn from(row: &compliance::MatrixRow) -> Self {
        let checks = row.checks;
        Self {
            letter: row.letter.clone(),
            control: row.control.clone(),
            title: row.title.clone(),
            automation: text_of(&row.automation),
            status: row.status.as_str().to_owned(),
            checks: MatrixChecks {
                planned: checks.planned,
                passed: checks.passed,
                failed: checks.failed,
                error: checks.error,
                not_applicable: checks.not_applicable,
                not_tested: checks.not_tested,
            },
            coverage: row.coverage,
            open_findings: row.open_findings,
            worst_open_severity: row.worst_open_severity,
            accepted_risks: row.accepted_risks,
            finding_ids: row.finding_ids.clone(),
            annex_points: row.annex_points.clone(),
            attestation: row.attestation.clone(),
        }
    }
}

/// Reads the compliance matrix.
///
/// Needs `compliance.view`.
#[utoipa::path(get, path = "/api/compliance/matrix", operation_id = "get_compliance_matrix", tag = "compliance",
    responses((status = 200, body = ComplianceMatrix), ReadErrors))]
async fn get_compliance_matrix(State(state): State<AppState>, caller: Caller) -> ApiResult<Json<ComplianceMatrix>> {
    let found = compliance::matrix(&caller.cx, state.services()).await?;
    let (scan_id, rows) = found.map_or((None, Vec::new()), |(scan, rows)| (Some(scan), rows));
    Ok(Json(ComplianceMatrix { scan_id, rows: rows.iter().map(MatrixRow::from).collect() }))
}
