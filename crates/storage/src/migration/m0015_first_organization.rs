//! Which organisation is the one that setup made is remembered, not worked out from dates.

use sea_orm::DbErr;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait};

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0015_first_organization"
    }
}

#[expect(elided_lifetimes_in_paths, reason = "the trait is declared this way, and async_trait wants the same spelling")]
#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        super::run(manager, FIRST).await
    }
}

// One row at most. Without it, whoever set a clock back and added an organisation would have made it the first.
const FIRST: &str = "
CREATE TABLE first_organization (
    one INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    organization_id {uuid} NOT NULL REFERENCES organizations (id)
) {strict};
INSERT INTO first_organization (one, organization_id)
SELECT 1, id FROM organizations ORDER BY created_at, id LIMIT 1;
";
