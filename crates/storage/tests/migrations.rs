//! Data of every earlier schema survives the changes since.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use bartizan_domain::Role;
use bartizan_domain::id::{OrganizationId, UserId};
use bartizan_storage::audit::{self, AuditFilter, Scope};
use bartizan_storage::{Page, Store, members, organizations};
use bartizan_test_support::{TestDatabase, on_both_databases};
use uuid::Uuid;

on_both_databases!(data_of_every_earlier_schema_survives);

/// An organisation, a member and an audit entry, as the first schema keeps them.
fn rows(postgres: bool) -> String {
    let id = |number: u128| {
        let id = Uuid::from_u128(number);
        if postgres { format!("'{id}'") } else { format!("x'{}'", id.simple()) }
    };
    let (yes, time) = (if postgres { "TRUE" } else { "1" }, "'2026-11-22T09:00:00+00:00'");
    format!(
        "INSERT INTO organizations (id, name, created_at) VALUES ({org}, 'Old', {time});
         INSERT INTO users (id, username, username_key, email, email_key, auth_provider, is_active, theme_preference,
             created_at, updated_at)
         VALUES ({user}, 'Ada', 'ada', 'ada@example.test', 'ada@example.test', 'internal', {yes}, 'system', {time}, {time});
         INSERT INTO memberships (organization_id, user_id, role, created_at) VALUES ({org}, {user}, 'auditor', {time});
         INSERT INTO audit_log (id, organization_id, at, actor_kind, actor_name, request_id, action, noun, noun_id)
         VALUES ({entry}, {org}, {time}, 'user', 'Ada', 'r', 'asset.create', 'asset', 'a');",
        org = id(1),
        user = id(2),
        entry = id(3)
    )
}

async fn data_of_every_earlier_schema_survives(database: &TestDatabase) {
    for steps in 1..Store::schema_changes() {
        let fresh = match database {
            TestDatabase::Sqlite(_) => TestDatabase::sqlite(),
            TestDatabase::Postgres(_) => TestDatabase::postgres(),
        };
        let store = match fresh.sqlite_file() {
            Some(file) => {
                Store::as_it_was(file.to_str().unwrap(), steps, &rows(false)).await.unwrap();
                Store::sqlite(&file).await.unwrap()
            }
            None => {
                let url = fresh.postgres_url().unwrap();
                Store::as_it_was(url, steps, &rows(true)).await.unwrap();
                Store::postgres(url).await.unwrap()
            }
        };
        let (organization, user) = (OrganizationId(Uuid::from_u128(1)), UserId(Uuid::from_u128(2)));
        assert_eq!(organizations::first(store.read()).await.unwrap().unwrap().name, "Old");
        let member = members::get(store.read(), organization, user).await.unwrap().unwrap();
        assert_eq!(member.membership.role, Role::Auditor.into());
        assert!(member.membership.is_active, "a member from before may still work");
        let scope = Scope::Organization(organization);
        let found = audit::search(store.read(), scope, &AuditFilter::default(), Page::first(10)).await.unwrap();
        assert_eq!((found.total, &found.rows[0].1), (1, &None), "an entry from before waits to be sealed");
        assert_eq!(audit::unsealed(store.read(), 10).await.unwrap().len(), 1);
        store.close().await.unwrap();
    }
}
