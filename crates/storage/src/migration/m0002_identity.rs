//! Custom roles, deactivated members, invitations, one-time tokens, second factors, failed sign-ins, API keys.

use sea_orm::DbErr;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait};

pub(crate) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0002_identity"
    }
}

#[expect(elided_lifetimes_in_paths, reason = "the trait is declared this way, and async_trait wants the same spelling")]
#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        super::run(manager, TABLES).await
    }
}

// A role is named, not referenced, by memberships and invitations: built-in roles have no row.
const TABLES: &str = "
ALTER TABLE memberships ADD COLUMN is_active {bool} NOT NULL DEFAULT {true};
CREATE INDEX memberships_role ON memberships (organization_id, role);

CREATE TABLE roles (
    organization_id {uuid} NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    permissions {json} NOT NULL,
    created_at {time} NOT NULL,
    updated_at {time} NOT NULL,
    PRIMARY KEY (organization_id, name)
) {strict};

CREATE TABLE invitations (
    id {uuid} NOT NULL PRIMARY KEY,
    organization_id {uuid} NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    email TEXT NOT NULL,
    email_key TEXT NOT NULL,
    role TEXT NOT NULL,
    token_hash {bytes} NOT NULL UNIQUE,
    invited_by {uuid},
    invited_by_name TEXT NOT NULL,
    created_at {time} NOT NULL,
    expires_at {time} NOT NULL,
    accepted_at {time},
    accepted_by {uuid},
    revoked_at {time}
) {strict};
CREATE INDEX invitations_by_created ON invitations (organization_id, created_at, id);
CREATE INDEX invitations_by_email ON invitations (organization_id, email_key);

CREATE TABLE second_factors (
    user_id {uuid} NOT NULL PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    created_at {time} NOT NULL,
    confirmed_at {time},
    last_step BIGINT NOT NULL
) {strict};

CREATE TABLE recovery_codes (
    user_id {uuid} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    hash {bytes} NOT NULL,
    used_at {time},
    PRIMARY KEY (user_id, hash)
) {strict};

CREATE TABLE sign_in_failures (
    account TEXT NOT NULL PRIMARY KEY,
    failures INTEGER NOT NULL,
    last_at {time} NOT NULL,
    blocked_until {time}
) {strict};
CREATE INDEX sign_in_failures_age ON sign_in_failures (last_at);

CREATE TABLE api_keys (
    id {uuid} NOT NULL PRIMARY KEY,
    organization_id {uuid} NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    user_id {uuid} NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    prefix TEXT NOT NULL,
    hash {bytes} NOT NULL UNIQUE,
    permissions {json},
    created_at {time} NOT NULL,
    expires_at {time},
    last_used_at {time},
    last_used_ip TEXT,
    revoked_at {time}
) {strict};
CREATE INDEX api_keys_by_created ON api_keys (organization_id, created_at, id);
CREATE INDEX api_keys_user ON api_keys (user_id);
";
