//! Settings of the whole installation.

use sea_orm::DbErr;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait};

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0006_installation"
    }
}

#[expect(elided_lifetimes_in_paths, reason = "the trait is declared this way, and async_trait wants the same spelling")]
#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        super::run(manager, INSTALLATION).await
    }
}

const INSTALLATION: &str = "
CREATE TABLE installation_settings (
    key TEXT NOT NULL PRIMARY KEY,
    value {json} NOT NULL,
    version BIGINT NOT NULL,
    updated_at {time} NOT NULL,
    updated_by_name TEXT NOT NULL
) {strict};
";
