//! Keys of repeated requests are held for a while, and know whether their request was carried out.

use sea_orm::DbErr;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait};

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0011_idempotency_leases"
    }
}

#[expect(elided_lifetimes_in_paths, reason = "the trait is declared this way, and async_trait wants the same spelling")]
#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        super::run(manager, LEASES).await
    }
}

/// Keys from before are forgotten: their hashes are of another form, and they last a day at most.
const LEASES: &str = "
DELETE FROM idempotency_keys;
ALTER TABLE idempotency_keys ADD COLUMN leased_at {time};
ALTER TABLE idempotency_keys ADD COLUMN applied TEXT;
";
