//! Numbers over the whole installation, for monitoring. They name no organisation.

use bartizan_domain::{FindingStatus, ScanStatus, Severity};
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _};

use crate::{Db, Result, codes};

/// Waiting jobs of each kind that has some.
///
/// # Errors
/// If the database fails.
pub async fn queue_depths(db: Db<'_>) -> Result<Vec<(String, u64)>> {
    use crate::jobs::entity::{Column, Entity};
    let rows: Vec<(String, i64)> = Entity::find()
        .select_only()
        .column(Column::Kind)
        .expr(Expr::col(Column::Id).count())
        .filter(Column::Status.eq(crate::jobs::JobStatus::Queued.as_str()))
        .group_by(Column::Kind)
        .order_by_asc(Column::Kind)
        .into_tuple()
        .all(&db.conn())
        .await?;
    Ok(rows.into_iter().map(|(kind, count)| (kind, crate::counts::unsigned(count))).collect())
}

/// Scans that run.
///
/// # Errors
/// If the database fails.
pub async fn running_scans(db: Db<'_>) -> Result<u64> {
    use crate::scans::entity::{Column, Entity};
    let running = Entity::find().filter(Column::Status.eq(ScanStatus::Running.as_str()));
    crate::page::count(&db.conn(), &running).await
}

/// Findings by severity and status.
///
/// # Errors
/// If the database fails.
pub async fn findings(db: Db<'_>) -> Result<Vec<(Severity, FindingStatus, u64)>> {
    use crate::findings::entity::{Column, Entity};
    let rows: Vec<(i32, i32, i64)> = Entity::find()
        .select_only()
        .column(Column::Severity)
        .column(Column::Status)
        .expr(Expr::col(Column::Id).count())
        .group_by(Column::Severity)
        .group_by(Column::Status)
        .into_tuple()
        .all(&db.conn())
        .await?;
    rows.into_iter()
        .map(|(severity, status, count)| {
            Ok((codes::to_severity(severity)?, codes::to_status(status)?, crate::counts::unsigned(count)))
        })
        .collect()
}
