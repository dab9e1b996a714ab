//! Indexes for the findings of one check, for what came and went in a time, and for the numbers of the overview.

use sea_orm::DbErr;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait};

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0016_number_indexes"
    }
}

#[expect(elided_lifetimes_in_paths, reason = "the trait is declared this way, and async_trait wants the same spelling")]
#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        super::run(manager, INDEXES).await
    }
}

// What is counted is in the index, so that no row is looked at for it.
const INDEXES: &str = "
DROP INDEX findings_by_first_seen;
CREATE INDEX findings_by_first_seen ON findings (organization_id, first_seen_at, id, status, severity, demo);
CREATE INDEX findings_by_resolved ON findings (organization_id, resolved_at, status, severity, demo)
    WHERE resolved_at IS NOT NULL;
CREATE INDEX findings_by_check_severity ON findings (organization_id, check_id, severity, id);
CREATE INDEX assets_in_numbers ON assets (organization_id, demo, last_seen_at, created_at, score, criticality);
";
