//! Counts by what a finding is, kept by the database as findings come, change and go: a count over them reads some
//! thousand rows at most, however many findings there are.
//!
//! On SQLite each combination is one row. On PostgreSQL writers add what they changed, so that none waits for another,
//! and [`compact`] adds that up now and then.

use bartizan_domain::id::OrganizationId;
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _, Select, Statement,
};

use super::{FindingFilter, codes};
use crate::counts::unsigned;
use crate::{Db, Result};

pub(super) mod entity {
    use sea_orm::entity::prelude::*;

    // What is declared as the key is one on SQLite only; rows are never looked up by it.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "finding_tally")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub organization_id: Uuid,
        #[sea_orm(primary_key, auto_increment = false)]
        pub severity: i32,
        #[sea_orm(primary_key, auto_increment = false)]
        pub status: i32,
        #[sea_orm(primary_key, auto_increment = false)]
        pub category: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub check_id: String,
        #[sea_orm(primary_key, auto_increment = false)]
        pub demo: bool,
        pub findings: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

use entity::Column;

/// The rows that a filter lets through; `None` if it asks for something that is not kept.
pub(super) fn select(organization: OrganizationId, filter: &FindingFilter) -> Option<Select<entity::Entity>> {
    let FindingFilter {
        severities,
        statuses,
        categories,
        checks,
        asset_id: None,
        asset: None,
        scan: None,
        q: None,
        ids: None,
        accepted_until_before: None,
        first_seen_after: None,
        tags,
        demo,
        reopened: None,
    } = filter
    else {
        return None;
    };
    if !tags.is_empty() {
        return None;
    }
    let mut all = Condition::all().add(Column::OrganizationId.eq(organization.0));
    if !severities.is_empty() {
        all = all.add(Column::Severity.is_in(severities.iter().map(|severity| codes::severity(*severity))));
    }
    if !statuses.is_empty() {
        all = all.add(Column::Status.is_in(statuses.iter().map(|status| codes::status(*status))));
    }
    if !categories.is_empty() {
        all = all.add(Column::Category.is_in(categories.iter().map(String::as_str)));
    }
    if !checks.is_empty() {
        all = all.add(Column::CheckId.is_in(checks.iter().map(String::as_str)));
    }
    if let Some(demo) = demo {
        all = all.add(Column::Demo.eq(*demo));
    }
    Some(entity::Entity::find().filter(all))
}

/// The sum over rows, as a number of the size that both databases return.
pub(super) fn sum() -> Expr {
    Expr::col(Column::Findings).sum().cast_as("BIGINT")
}

/// Whether there is anything to count in a group.
pub(super) fn some() -> Expr {
    Expr::col(Column::Findings).sum().gt(0)
}

/// How many findings of each severity the rows stand for, lowest first; none of which there are none.
pub(super) async fn by_severity(db: Db<'_>, select: Select<entity::Entity>) -> Result<Vec<(i32, u64)>> {
    let counts: Vec<(i32, i64)> = select
        .select_only()
        .column(Column::Severity)
        .expr(sum())
        .group_by(Column::Severity)
        .having(some())
        .order_by_asc(Column::Severity)
        .into_tuple()
        .all(&db.conn())
        .await?;
    Ok(counts.into_iter().map(|(severity, count)| (severity, unsigned(count))).collect())
}

/// How many findings the rows stand for.
pub(super) async fn total(db: Db<'_>, select: Select<entity::Entity>) -> Result<u64> {
    let total: Option<Option<i64>> = select.select_only().expr(sum()).into_tuple().one(&db.conn()).await?;
    Ok(unsigned(total.flatten().unwrap_or(0)))
}

/// Adds up what writers left, so that reading stays quick. Counts are the same before, meanwhile and afterwards.
///
/// # Errors
/// If the database fails.
pub async fn compact(db: Db<'_>) -> Result<()> {
    let text = if db.is_postgres() {
        "WITH gone AS (DELETE FROM finding_tally RETURNING *)
         INSERT INTO finding_tally
         SELECT organization_id, severity, status, category, check_id, demo, sum(findings)
         FROM gone GROUP BY 1, 2, 3, 4, 5, 6 HAVING sum(findings) <> 0"
    } else {
        "DELETE FROM finding_tally WHERE findings = 0"
    };
    let statement = Statement::from_string(db.conn().get_database_backend(), text);
    db.conn().execute_raw(statement).await?;
    Ok(())
}
