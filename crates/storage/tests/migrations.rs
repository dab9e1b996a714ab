//! Data of every earlier schema survives the changes since.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use bartizan_domain::Role;
use bartizan_domain::id::{OrganizationId, UserId};
use bartizan_storage::audit::{self, AuditFilter, Scope};
use bartizan_storage::{Page, Store, members, organizations};
use bartizan_test_support::{TestDatabase, on_both_databases};
use uuid::Uuid;

#[path = "migrations/raw.rs"]
mod raw;
use raw::{Content, Raw};

on_both_databases!(data_of_every_earlier_schema_survives, rows_of_every_table_survive_every_change);

/// An organisation, a member and an audit entry, as the schema after `steps` changes keeps them.
fn rows(postgres: bool, steps: u32) -> String {
    let id = |number: u128| {
        let id = Uuid::from_u128(number);
        if postgres { format!("'{id}'") } else { format!("x'{}'", id.simple()) }
    };
    let (yes, time) = (if postgres { "TRUE" } else { "1" }, "'2026-11-22T09:00:00+00:00'");
    let first = if steps < 15 {
        String::new()
    } else {
        format!("INSERT INTO first_organization (one, organization_id) VALUES (1, {});", id(1))
    };
    format!(
        "INSERT INTO organizations (id, name, created_at) VALUES ({org}, 'Old', {time}); {first}
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

fn fresh_like(database: &TestDatabase) -> TestDatabase {
    match database {
        TestDatabase::Sqlite(_) => TestDatabase::sqlite(),
        TestDatabase::Postgres(_) => TestDatabase::postgres(),
    }
}

async fn open(database: &TestDatabase) -> Store {
    match database.sqlite_file() {
        Some(file) => Store::sqlite(&file).await.unwrap(),
        None => Store::postgres(database.postgres_url().unwrap()).await.unwrap(),
    }
}

async fn as_it_was(database: &TestDatabase, steps: u32, sql: &str) {
    let file = database.sqlite_file();
    let place = file.as_ref().map_or_else(|| database.postgres_url().unwrap(), |file| file.to_str().unwrap());
    Store::as_it_was(place, steps, sql).await.unwrap();
}

/// Tables that a change empties on purpose, and the change: keys are kept for a day, and the old ones had no lease.
const EMPTIED: [(&str, u32); 1] = [("idempotency_keys", 11)];

async fn rows_of_every_table_survive_every_change(database: &TestDatabase) {
    open(database).await.close().await.unwrap();
    let new = Raw::open(database).await;
    let schema = new.schema().await;
    new.close().await;
    for steps in 1..Store::schema_changes() {
        let database = fresh_like(database);
        as_it_was(&database, steps, "SELECT 1").await;
        let raw = Raw::open(&database).await;
        raw.fill().await;
        let before = raw.content(&Content::new()).await;
        raw.close().await;
        open(&database).await.close().await.unwrap();

        let raw = Raw::open(&database).await;
        assert_eq!(raw.schema().await, schema, "after {steps} changes and the rest");
        let after = raw.content(&before).await;
        for (table, (columns, rows)) in &before {
            assert!(!rows.is_empty(), "{table} was filled");
            let (kept, now) = after.get(table).unwrap_or_else(|| panic!("{table} is gone since change {steps}"));
            assert_eq!(kept, columns, "columns of {table} since change {steps}");
            if EMPTIED.iter().any(|(name, at)| name == table && steps < *at) {
                assert!(now.is_empty(), "{table}");
            } else {
                assert_eq!(now, rows, "{table} since change {steps}");
            }
        }
        filled_in(&raw, steps).await;
        raw.close().await;
    }
}

/// What changes after the first `steps` work out from the rows that were there.
async fn filled_in(raw: &Raw, steps: u32) {
    let sorted = async |sql: &str| {
        let mut rows = raw.query(sql).await;
        rows.sort();
        rows
    };
    let numbers = async |sql: &str| raw.query(sql).await.into_iter().flatten().collect::<Vec<_>>();
    let text = |column: &str| format!("CAST({column} AS TEXT)");
    if steps < 2 {
        assert_eq!(numbers("SELECT CAST(count(*) AS TEXT) FROM memberships WHERE is_active").await, ["2"]);
    }
    if steps < 3 {
        let unsealed = "SELECT CAST(count(*) AS TEXT) FROM audit_log WHERE position IS NULL AND hash IS NULL";
        assert_eq!(numbers(unsealed).await, ["2"]);
    }
    if steps < 5 {
        assert_eq!(numbers("SELECT CAST(count(*) AS TEXT) FROM jobs WHERE rank = 0").await, ["2"]);
    }
    if steps < 10 {
        let of = |from: &str, count: &str| {
            format!(
                "SELECT {}, {}, {}, category, check_id, {} FROM {from}",
                text("severity"),
                text("status"),
                text("demo"),
                text(count)
            )
        };
        let counted = sorted(&format!(
            "{} GROUP BY organization_id, severity, status, category, check_id, demo",
            of("findings", "count(*)")
        ))
        .await;
        assert_eq!(counted.len(), 2);
        assert_eq!(sorted(&of("finding_tally", "findings")).await, counted);
    }
    if steps < 14 {
        let texts = "SELECT CAST(field AS TEXT), text, title FROM finding_texts";
        let field = |number: u8, text: &str, title: &str| format!("SELECT '{number}', {text}, {title} FROM findings");
        let expected =
            [field(1, "asset", "''"), field(2, "check_id", "title"), field(3, "location", "''")].join(" UNION ");
        let expected = sorted(&expected).await;
        assert_eq!(expected.len(), 6);
        assert_eq!(sorted(texts).await, expected);
    }
    if steps < 15 {
        let name = "SELECT name FROM organizations WHERE id IN (SELECT organization_id FROM first_organization)";
        assert_eq!(numbers(name).await, ["name 1"], "the oldest one");
        assert_eq!(numbers("SELECT CAST(count(*) AS TEXT) FROM first_organization").await, ["1"]);
    }
}

async fn data_of_every_earlier_schema_survives(database: &TestDatabase) {
    for steps in 1..Store::schema_changes() {
        let fresh = fresh_like(database);
        as_it_was(&fresh, steps, &rows(fresh.postgres_url().is_some(), steps)).await;
        let store = open(&fresh).await;
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
