//! The audit log becomes a chain: each sealed entry has its place and the hash of everything up to it.

use sea_orm::DbErr;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait};

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0003_audit_chain"
    }
}

#[expect(elided_lifetimes_in_paths, reason = "the trait is declared this way, and async_trait wants the same spelling")]
#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        super::run(manager, TABLES).await
    }
}

// Entries are found unsealed through a partial index, so that a long sealed log costs the sealer nothing. `chain` is
// the organisation's id, or 32 zeros for what belongs to none.
const TABLES: &str = "
ALTER TABLE audit_log ADD COLUMN position BIGINT;
ALTER TABLE audit_log ADD COLUMN hash {bytes};
CREATE INDEX audit_log_unsealed ON audit_log (at, id) WHERE position IS NULL;
CREATE INDEX audit_log_chain ON audit_log (organization_id, position);
CREATE INDEX audit_log_by_actor ON audit_log (organization_id, actor_name, at, id);
CREATE INDEX audit_log_by_action ON audit_log (organization_id, action, at, id);

CREATE TABLE audit_heads (
    chain TEXT NOT NULL PRIMARY KEY,
    position BIGINT NOT NULL,
    hash {bytes} NOT NULL,
    sealed_at {time} NOT NULL
) {strict};
";
