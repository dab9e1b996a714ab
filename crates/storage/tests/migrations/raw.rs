//! A database as its own catalogue describes it: what tests of schema changes fill and compare without knowing a table.

use std::collections::{BTreeMap, BTreeSet};

use bartizan_test_support::TestDatabase;
use sea_orm::{ConnectionTrait as _, Database, DatabaseConnection, DbBackend, Statement};
use uuid::Uuid;

/// A connection that knows no schema.
pub struct Raw {
    connection: DatabaseConnection,
    postgres: bool,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    pub kind: String,
}

/// Of each table, its columns and its rows as text, in order.
pub type Content = BTreeMap<String, (Vec<String>, Vec<Vec<String>>)>;

impl Raw {
    pub async fn open(database: &TestDatabase) -> Self {
        let (url, postgres) = match database.sqlite_file() {
            Some(file) => (format!("sqlite:{}", file.display()), false),
            None => (database.postgres_url().unwrap().to_owned(), true),
        };
        Self { connection: Database::connect(url).await.unwrap(), postgres }
    }

    pub async fn close(self) {
        self.connection.close().await.unwrap();
    }

    /// What a query finds, every value as text.
    pub async fn query(&self, sql: &str) -> Vec<Vec<String>> {
        let backend = if self.postgres { DbBackend::Postgres } else { DbBackend::Sqlite };
        let rows = self.connection.query_all_raw(Statement::from_string(backend, sql.to_owned())).await;
        let rows = rows.unwrap_or_else(|error| panic!("{sql}: {error}"));
        let texts = |row: &sea_orm::QueryResult| {
            let number = row.column_names().len();
            (0..number).map(|at| row.try_get_by_index::<String>(at).unwrap()).collect()
        };
        rows.iter().map(texts).collect()
    }

    async fn run(&self, sql: &str) {
        self.connection.execute_unprepared(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    pub async fn tables(&self) -> Vec<String> {
        let sql = if self.postgres {
            "SELECT tablename::text FROM pg_tables WHERE schemaname = current_schema()"
        } else {
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite~_%' ESCAPE '~'"
        };
        let names = self.query(sql).await.into_iter().flatten();
        names.filter(|name| name != "seaql_migrations").collect::<BTreeSet<_>>().into_iter().collect()
    }

    pub async fn columns(&self, table: &str) -> Vec<Column> {
        let sql = if self.postgres {
            format!(
                "SELECT column_name::text, data_type::text FROM information_schema.columns
                 WHERE table_schema = current_schema() AND table_name = '{table}' ORDER BY ordinal_position"
            )
        } else {
            format!("SELECT name, type FROM pragma_table_info('{table}') ORDER BY cid")
        };
        let rows = self.query(&sql).await;
        rows.into_iter().map(|row| Column { name: row[0].clone(), kind: row[1].to_lowercase() }).collect()
    }

    /// Columns of a table that point to a column of another one.
    async fn references(&self, table: &str) -> BTreeMap<String, (String, String)> {
        let sql = if self.postgres {
            format!(
                "SELECT a.attname::text, c.confrelid::regclass::text, b.attname::text
                 FROM pg_constraint c, unnest(c.conkey, c.confkey) AS pair (here, there), pg_attribute a, pg_attribute b
                 WHERE c.contype = 'f' AND c.conrelid = '{table}'::regclass
                    AND a.attrelid = c.conrelid AND a.attnum = pair.here
                    AND b.attrelid = c.confrelid AND b.attnum = pair.there"
            )
        } else {
            format!("SELECT \"from\", \"table\", coalesce(\"to\", 'id') FROM pragma_foreign_key_list('{table}')")
        };
        let rows = self.query(&sql).await;
        rows.into_iter().map(|row| (row[0].clone(), (row[1].clone(), row[2].clone()))).collect()
    }

    /// Puts two rows into every table, each value its own, with the references that the schema asks for.
    pub async fn fill(&self) {
        let tables = self.tables().await;
        let mut references = BTreeMap::new();
        for table in &tables {
            references.insert(table.clone(), self.references(table).await);
        }
        let mut filled: BTreeSet<String> = BTreeSet::new();
        while filled.len() < tables.len() {
            let ready = |table: &&String| {
                let mut needed = references[*table].values().map(|(other, _)| other);
                !filled.contains(*table) && needed.all(|other| other == *table || filled.contains(other))
            };
            let table = tables.iter().find(ready).expect("tables refer to each other in a circle");
            self.fill_one(table, &references[table]).await;
            filled.insert(table.clone());
        }
    }

    async fn fill_one(&self, table: &str, references: &BTreeMap<String, (String, String)>) {
        let columns = self.columns(table).await;
        let names: Vec<String> = columns.iter().map(|column| format!("\"{}\"", column.name)).collect();
        // The table of one row has one.
        let rows = if columns.iter().any(|column| column.name == "one") { 1 } else { 2 };
        for row in 1..=rows {
            let mut values = Vec::new();
            for column in &columns {
                // What is referred to has the same value as in the row of the same number there.
                let (of_table, of_column) = match references.get(&column.name) {
                    Some((table, column)) => (table.as_str(), column.as_str()),
                    None => (table, column.name.as_str()),
                };
                values.push(self.value(&column.kind, of_table, of_column, row));
            }
            let (names, values) = (names.join(", "), values.join(", "));
            self.run(&format!("INSERT INTO {table} ({names}) VALUES ({values})")).await;
        }
    }

    fn value(&self, kind: &str, table: &str, column: &str, row: u128) -> String {
        let id = || {
            let name: u128 =
                format!("{table}.{column}").bytes().fold(0, |sum, byte| (sum * 31 + u128::from(byte)) >> 1);
            Uuid::from_u128((name << 8) + row)
        };
        match kind {
            "uuid" => format!("'{}'", id()),
            "blob" => format!("x'{}'", id().simple()),
            "bytea" => format!("'\\x{}'", id().simple()),
            "boolean" => "TRUE".to_owned(),
            "integer" | "bigint" | "real" | "double precision" => row.to_string(),
            "timestamp with time zone" => format!("'2026-11-2{row}T09:00:00+00:00'"),
            "jsonb" => format!("'{{\"{column}\": {row}}}'"),
            "text" => format!("'{column} {row}'"),
            other => panic!("{table}.{column} is of the kind `{other}`: say what is put there"),
        }
    }

    /// What is in these columns of every table; in all columns, for a table that is not named.
    pub async fn content(&self, wanted: &Content) -> Content {
        let mut content = Content::new();
        for table in self.tables().await {
            let present: Vec<String> = self.columns(&table).await.into_iter().map(|column| column.name).collect();
            let columns = match wanted.get(&table) {
                Some((columns, _)) => columns.iter().filter(|name| present.contains(name)).cloned().collect(),
                None => present,
            };
            let as_text = |column: &String| {
                if self.postgres {
                    format!("coalesce(\"{column}\"::text, 'NULL')")
                } else {
                    format!("CAST(quote(\"{column}\") AS TEXT)")
                }
            };
            let expressions: Vec<String> = columns.iter().map(as_text).collect();
            let mut rows = self.query(&format!("SELECT {} FROM {table}", expressions.join(", "))).await;
            rows.sort();
            content.insert(table, (columns, rows));
        }
        content
    }

    /// What the catalogue says of the schema: tables, columns, indexes, constraints, triggers, functions.
    pub async fn schema(&self) -> Vec<Vec<String>> {
        let mut schema = Vec::new();
        let parts: &[&str] = if self.postgres {
            &[
                "SELECT table_name::text, column_name::text, data_type::text, is_nullable::text,
                    coalesce(column_default, '')::text FROM information_schema.columns
                    WHERE table_schema = current_schema()",
                "SELECT indexname::text, indexdef FROM pg_indexes WHERE schemaname = current_schema()",
                "SELECT conname::text, conrelid::regclass::text, pg_get_constraintdef(oid) FROM pg_constraint
                    WHERE connamespace = current_schema()::regnamespace",
                "SELECT tgname::text, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
                "SELECT proname::text, prosrc FROM pg_proc WHERE pronamespace = current_schema()::regnamespace",
            ]
        } else {
            &["SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_schema"]
        };
        for part in parts {
            schema.extend(self.query(part).await);
        }
        schema.sort();
        schema
    }
}
