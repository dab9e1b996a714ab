//! A refresh token knows the one it was exchanged for, and can be withdrawn.

use sea_orm::DbErr;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait};

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0012_refresh_successors"
    }
}

#[expect(elided_lifetimes_in_paths, reason = "the trait is declared this way, and async_trait wants the same spelling")]
#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        super::run(manager, SUCCESSORS).await
    }
}

/// Tokens that were used before have no successor on record: their replay is reuse, whenever it comes.
const SUCCESSORS: &str = "
ALTER TABLE refresh_tokens ADD COLUMN successor {bytes};
ALTER TABLE refresh_tokens ADD COLUMN withdrawn_at {time};
";
