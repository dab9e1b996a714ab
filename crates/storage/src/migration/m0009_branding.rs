//! Pictures of an organisation's appearance.

use sea_orm::DbErr;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait};

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0009_branding"
    }
}

#[expect(elided_lifetimes_in_paths, reason = "the trait is declared this way, and async_trait wants the same spelling")]
#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        super::run(manager, BRANDING).await
    }
}

const BRANDING: &str = "
CREATE TABLE branding_assets (
    organization_id {uuid} NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    hash TEXT NOT NULL,
    bytes {bytes} NOT NULL,
    updated_at {time} NOT NULL,
    PRIMARY KEY (organization_id, kind)
) {strict};
";
