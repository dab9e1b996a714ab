//! Sign-in by OpenID Connect and LDAP: sign-ins that were begun, and whom an outside identity belongs to.

use sea_orm::DbErr;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait};

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0008_external_sign_in"
    }
}

#[expect(elided_lifetimes_in_paths, reason = "the trait is declared this way, and async_trait wants the same spelling")]
#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        super::run(manager, TABLES).await
    }
}

const TABLES: &str = "
CREATE TABLE oidc_sign_ins (
    state_hash {bytes} NOT NULL PRIMARY KEY,
    browser_hash {bytes} NOT NULL,
    nonce TEXT NOT NULL,
    verifier TEXT NOT NULL,
    return_to TEXT,
    expires_at {time} NOT NULL
) {strict};
CREATE INDEX oidc_sign_ins_age ON oidc_sign_ins (expires_at);

CREATE TABLE external_identities (
    provider TEXT NOT NULL,
    issuer TEXT NOT NULL,
    subject TEXT NOT NULL,
    user_id {uuid} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    created_at {time} NOT NULL,
    PRIMARY KEY (provider, issuer, subject)
) {strict};
CREATE INDEX external_identities_user ON external_identities (user_id);
";
