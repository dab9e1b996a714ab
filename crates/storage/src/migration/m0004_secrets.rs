//! Secrets, sealed with a key that is not in the database.

use sea_orm::DbErr;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait};

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0004_secrets"
    }
}

#[expect(elided_lifetimes_in_paths, reason = "the trait is declared this way, and async_trait wants the same spelling")]
#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        super::run(manager, SECRETS).await
    }
}

const SECRETS: &str = "
CREATE TABLE secrets (
    scope TEXT NOT NULL,
    name TEXT NOT NULL,
    organization_id {uuid} REFERENCES organizations (id) ON DELETE CASCADE,
    key_id TEXT NOT NULL,
    sealed {bytes} NOT NULL,
    updated_at {time} NOT NULL,
    PRIMARY KEY (scope, name)
) {strict};
CREATE INDEX secrets_by_key ON secrets (key_id);
CREATE INDEX secrets_by_organization ON secrets (organization_id);
";
