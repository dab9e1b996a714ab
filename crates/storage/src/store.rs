//! The connection: where the database is, how it is opened, how reads and writes reach it.

use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sea_orm::sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
use sea_orm::sqlx::{Connection as _, PgConnection};
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DatabaseExecutor, DatabaseTransaction, DbBackend,
    SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait,
};
use sea_orm_migration::MigratorTrait as _;

use crate::migration::Migrator;
use crate::{Result, StorageError};

/// Which database is behind a [`Store`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// One file, one process.
    Sqlite,
    /// A server, any number of processes.
    Postgres,
}

/// The database, open and migrated.
///
/// SQLite has one writer: all transactions run on one connection, begin immediately and so never wait for each other
/// in the middle; reads run on a pool of connections that cannot write. On PostgreSQL both are the same pool.
#[derive(Debug, Clone)]
pub struct Store {
    read: DatabaseConnection,
    write: DatabaseConnection,
    backend: Backend,
}

/// How long a server may take to answer the first connection.
const PATIENCE: Duration = Duration::from_secs(20);

/// That a process works on a database. PostgreSQL forgets it with the connection, which ends with the process.
#[derive(Debug)]
#[must_use = "dropped at once it says nothing"]
pub struct Presence(#[expect(dead_code, reason = "held, not used")] Option<sea_orm::sqlx::PgConnection>);

/// Number of the PostgreSQL advisory lock that whoever works on the database shares.
const PRESENCE_LOCK: i64 = 0x6261_7274_697a_7072;

/// What empties the schema of a PostgreSQL database that is ours, whatever version made its tables: for a script that
/// fills it again in the same transaction. What extensions brought stays, and so does what others own.
pub const EMPTY_THE_SCHEMA: &str = "DO $$ DECLARE found record; BEGIN
    FOR found IN SELECT quote_ident(schemaname) || '.' || quote_ident(viewname) AS name FROM pg_views
        WHERE schemaname = current_schema() AND viewowner = current_user LOOP
        EXECUTE 'DROP VIEW IF EXISTS ' || found.name || ' CASCADE';
    END LOOP;
    FOR found IN SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) AS name FROM pg_tables
        WHERE schemaname = current_schema() AND tableowner = current_user LOOP
        EXECUTE 'DROP TABLE IF EXISTS ' || found.name || ' CASCADE';
    END LOOP;
    FOR found IN SELECT oid::regprocedure AS name FROM pg_proc
        WHERE pronamespace = current_schema()::regnamespace AND proowner = current_user::regrole
        AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e') LOOP
        EXECUTE 'DROP ROUTINE IF EXISTS ' || found.name || ' CASCADE';
    END LOOP;
END $$;";

/// Number of the PostgreSQL advisory lock under which migrations run.
const MIGRATION_LOCK: i64 = 0x6261_7274_697a_616e;

impl Store {
    /// Opens a SQLite file, creating it where it is missing, and migrates it.
    ///
    /// # Errors
    /// If the file cannot be opened or migrated.
    pub async fn sqlite(file: &Path) -> Result<Self> {
        let Some(path) = file.to_str() else {
            return Err(StorageError::BadUrl(format!("the path {} is not valid UTF-8", file.display())));
        };
        let url = "sqlite:bartizan";
        let filename = path.to_owned();
        let mut writer = options(url, 1);
        let name = filename.clone();
        writer.map_sqlx_sqlite_opts(move |sqlite| sqlite_options(sqlite, &name).create_if_missing(true));
        let write = Database::connect(writer).await?;
        Migrator::up(&write, None).await?;
        let mut readers = options(url, 6);
        readers.map_sqlx_sqlite_opts(move |sqlite| sqlite_options(sqlite, &filename).pragma("query_only", "ON"));
        let read = Database::connect(readers).await?;
        Ok(Self { read, write, backend: Backend::Sqlite })
    }

    /// Connects to PostgreSQL and migrates it. Several servers may start at once: one migrates, the others wait.
    ///
    /// # Errors
    /// If the server cannot be reached or migrated.
    pub async fn postgres(url: &str) -> Result<Self> {
        if !(url.starts_with("postgres://") || url.starts_with("postgresql://")) {
            return Err(StorageError::BadUrl(
                "DATABASE_URL must start with postgres:// or postgresql:// (SQLite is chosen by --data-dir)".to_owned(),
            ));
        }
        reach(url).await?;
        let pool = Database::connect(options(url, 20)).await?;
        let lock = pool.begin().await?;
        lock.execute_unprepared(&format!("SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")).await?;
        Migrator::up(&pool, None).await?;
        lock.commit().await?;
        Ok(Self { read: pool.clone(), write: pool, backend: Backend::Postgres })
    }

    /// Opens a SQLite file that exists and leaves its schema as it is: for reading and copying it, whatever version of this
    /// program made it. The file may be in use.
    ///
    /// # Errors
    /// If the file cannot be opened.
    pub async fn sqlite_as_it_is(file: &Path) -> Result<Self> {
        let Some(path) = file.to_str() else {
            return Err(StorageError::BadUrl(format!("the path {} is not valid UTF-8", file.display())));
        };
        let mut writer = options("sqlite:bartizan", 1);
        let filename = path.to_owned();
        writer.map_sqlx_sqlite_opts(move |sqlite| sqlite_options(sqlite, &filename).create_if_missing(false));
        let write = Database::connect(writer).await?;
        Ok(Self { read: write.clone(), write, backend: Backend::Sqlite })
    }

    /// Connects to PostgreSQL and leaves its schema as it is.
    ///
    /// # Errors
    /// If the server cannot be reached.
    pub async fn postgres_as_it_is(url: &str) -> Result<Self> {
        reach(url).await?;
        let pool = Database::connect(options(url, 4)).await?;
        Ok(Self { read: pool.clone(), write: pool, backend: Backend::Postgres })
    }

    /// Whether the schema is the one of this version: nothing is missing, and nothing of a later version is there.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn is_current(&self) -> Result<bool> {
        let mut applied = self.applied().await?;
        let mut known: Vec<String> = Migrator::migrations().iter().map(|known| known.name().to_owned()).collect();
        applied.sort();
        known.sort();
        Ok(applied == known)
    }

    /// Whether this program made the tables of the database, in whatever version.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn is_ours(&self) -> Result<bool> {
        Ok(self.applied().await?.iter().any(|name| name == "m0001_initial"))
    }

    /// Whether the database holds the data of an installation, whatever its version.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn is_filled(&self) -> Result<bool> {
        if self.applied().await?.is_empty() {
            return Ok(false);
        }
        let sql = "SELECT 1 FROM organizations LIMIT 1".to_owned();
        let row = self.read.query_one_raw(Statement::from_string(self.read.get_database_backend(), sql)).await?;
        Ok(row.is_some())
    }

    /// The schema changes that were made, none in an empty database.
    async fn applied(&self) -> Result<Vec<String>> {
        let backend = self.read.get_database_backend();
        let exists = match self.backend {
            Backend::Sqlite => "SELECT name FROM sqlite_schema WHERE name = 'seaql_migrations'",
            Backend::Postgres => "SELECT relname::text FROM pg_class WHERE oid = to_regclass('seaql_migrations')",
        };
        if self.read.query_one_raw(Statement::from_string(backend, exists.to_owned())).await?.is_none() {
            return Ok(Vec::new());
        }
        let sql = "SELECT version FROM seaql_migrations".to_owned();
        let rows = self.read.query_all_raw(Statement::from_string(backend, sql)).await?;
        rows.into_iter().map(|row| Ok(row.try_get_by_index(0)?)).collect()
    }

    /// Notes that this process works on the database, until what is returned is dropped: nobody replaces it meanwhile.
    /// On SQLite the lock of the data folder does that, and nothing is noted.
    ///
    /// # Errors
    /// [`StorageError::BadUrl`] while somebody replaces it; if the database fails.
    pub async fn work_on(&self) -> Result<Presence> {
        self.present("SELECT pg_try_advisory_lock_shared($1)", "the database is being restored").await
    }

    /// Has the database to oneself until what is returned is dropped.
    ///
    /// # Errors
    /// [`StorageError::BadUrl`] while a process works on it; if the database fails.
    pub async fn have_alone(&self) -> Result<Presence> {
        self.present("SELECT pg_try_advisory_lock($1)", "servers or workers are running on the database: stop them")
            .await
    }

    async fn present(&self, sql: &'static str, otherwise: &str) -> Result<Presence> {
        if self.backend == Backend::Sqlite {
            return Ok(Presence(None));
        }
        let failed = |error: sea_orm::sqlx::Error| StorageError::Unreachable(error.to_string());
        let mut connection = self.postgres_pool().acquire().await.map_err(failed)?.detach();
        let taken: bool =
            sea_orm::sqlx::query_scalar(sql).bind(PRESENCE_LOCK).fetch_one(&mut connection).await.map_err(failed)?;
        if taken { Ok(Presence(Some(connection))) } else { Err(StorageError::BadUrl(otherwise.to_owned())) }
    }

    /// How many schema changes there are.
    #[must_use]
    pub fn schema_changes() -> u32 {
        u32::try_from(Migrator::migrations().len()).unwrap_or(u32::MAX)
    }

    /// Makes a database with the schema of an earlier time, the first `steps` changes, and runs `sql` in it: for tests
    /// of what later changes do to data. A path is SQLite, an address PostgreSQL.
    ///
    /// # Errors
    /// If the database fails.
    #[doc(hidden)]
    pub async fn as_it_was(database: &str, steps: u32, sql: &str) -> Result<()> {
        let options = if database.starts_with("postgres") {
            options(database, 1)
        } else {
            let mut sqlite = options("sqlite:bartizan", 1);
            let name = database.to_owned();
            sqlite.map_sqlx_sqlite_opts(move |sqlite| sqlite_options(sqlite, &name).create_if_missing(true));
            sqlite
        };
        let connection = Database::connect(options).await?;
        Migrator::up(&connection, Some(steps)).await?;
        connection.execute_unprepared(sql).await?;
        connection.close().await?;
        Ok(())
    }

    /// Which database this is.
    #[must_use]
    pub const fn backend(&self) -> Backend {
        self.backend
    }

    /// `sqlite` or `postgresql`.
    #[must_use]
    pub const fn backend_name(&self) -> &'static str {
        match self.backend {
            Backend::Sqlite => "sqlite",
            Backend::Postgres => "postgresql",
        }
    }

    /// For reading outside a transaction.
    #[must_use]
    pub const fn read(&self) -> Db<'_> {
        Db(Inner::Pool(&self.read))
    }

    /// Begins a transaction. Dropping it without [`Tx::commit`] undoes everything in it.
    ///
    /// On SQLite there is one at a time: never begin a second one while holding the first.
    ///
    /// # Errors
    /// If no connection is to be had.
    pub async fn begin(&self) -> Result<Tx> {
        let mode = match self.backend {
            Backend::Sqlite => Some(SqliteTransactionMode::Immediate),
            Backend::Postgres => None,
        };
        let options = TransactionOptions { sqlite_transaction_mode: mode, ..TransactionOptions::default() };
        Ok(Tx(self.write.begin_with_options(options).await?))
    }

    /// Connections that are in use at this moment, and connections that are open.
    #[must_use]
    pub fn pool_use(&self) -> (u64, u64) {
        let (open, idle) = match self.backend {
            Backend::Postgres => {
                let pool = self.postgres_pool();
                (pool.size(), pool.num_idle())
            }
            Backend::Sqlite => {
                let (read, write) = (self.read.get_sqlite_connection_pool(), self.write.get_sqlite_connection_pool());
                (read.size() + write.size(), read.num_idle() + write.num_idle())
            }
        };
        let open = u64::from(open);
        (open.saturating_sub(idle as u64), open)
    }

    /// Copies a SQLite database, as it is at this moment and without stopping its writers, into a new file.
    ///
    /// # Errors
    /// If the file exists or cannot be written, or this is not SQLite.
    pub async fn copy_into(&self, file: &Path) -> Result<()> {
        if self.backend != Backend::Sqlite {
            return Err(StorageError::BadUrl("only SQLite is copied as a file".to_owned()));
        }
        let Some(path) = file.to_str() else {
            return Err(StorageError::BadUrl(format!("the path {} is not valid UTF-8", file.display())));
        };
        let statement = Statement::from_sql_and_values(DbBackend::Sqlite, "VACUUM INTO ?", [path.into()]);
        // Not on the readers' connections, which may not write anything anywhere.
        self.write.execute_raw(statement).await?;
        Ok(())
    }

    /// Examines a SQLite file for damage without changing it, and says how it is.
    ///
    /// # Errors
    /// If it is not a database, is damaged, or was written by a later version of this program.
    pub async fn examine(file: &Path) -> Result<()> {
        let mut options = options("sqlite:bartizan", 1);
        let name = file.to_string_lossy().into_owned();
        options.map_sqlx_sqlite_opts(move |sqlite| {
            sqlite.filename(&name).in_memory(false).shared_cache(false).immutable(true).read_only(true)
        });
        let connection = Database::connect(options).await?;
        let text = |sql: &str| Statement::from_string(DbBackend::Sqlite, sql.to_owned());
        let verdict = connection.query_one_raw(text("PRAGMA integrity_check(1)")).await?;
        let verdict: String = match verdict {
            Some(row) => row.try_get_by_index(0)?,
            None => "no answer".to_owned(),
        };
        if verdict != "ok" {
            return Err(StorageError::Corrupt(verdict));
        }
        let rows = connection.query_all_raw(text("SELECT version FROM seaql_migrations")).await?;
        let known: Vec<String> = Migrator::migrations().iter().map(|migration| migration.name().to_owned()).collect();
        for row in rows {
            let version: String = row.try_get_by_index(0)?;
            if !known.contains(&version) {
                return Err(StorageError::Corrupt(format!("it was written by a later version, with `{version}`")));
            }
        }
        connection.close().await?;
        Ok(())
    }

    /// The pool behind the connection; there is one for [`Backend::Postgres`] only.
    pub(crate) fn postgres_pool(&self) -> &sea_orm::sqlx::PgPool {
        self.write.get_postgres_connection_pool()
    }

    /// What time it is by the clock of the database server; `None` on SQLite, which goes by the machine's.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn time(&self) -> Result<Option<DateTime<Utc>>> {
        if self.backend == Backend::Sqlite {
            return Ok(None);
        }
        let row =
            self.read.query_one_raw(Statement::from_string(DbBackend::Postgres, "SELECT clock_timestamp()")).await?;
        let row = row.ok_or_else(|| StorageError::Corrupt("no row".to_owned()))?;
        Ok(Some(row.try_get_by_index(0)?))
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// If it does not.
    pub async fn ping(&self) -> Result<()> {
        self.read.execute_unprepared("SELECT 1").await?;
        Ok(())
    }

    /// Runs a statement of a test's own.
    ///
    /// # Errors
    /// If the database refuses.
    #[cfg(feature = "damage")]
    pub async fn damage(&self, sql: &str) -> Result<()> {
        self.write.execute_unprepared(sql).await?;
        Ok(())
    }

    /// The number that a query of a test's own finds.
    ///
    /// # Errors
    /// If the database refuses, or finds something else.
    #[cfg(feature = "damage")]
    pub async fn number(&self, sql: &str) -> Result<i64> {
        let statement = Statement::from_string(self.read.get_database_backend(), sql.to_owned());
        let row = self.read.query_one_raw(statement).await?;
        let row = row.ok_or_else(|| StorageError::Corrupt("no row".to_owned()))?;
        Ok(row.try_get_by_index(0)?)
    }

    /// Closes every connection; SQLite merges its log into the file.
    ///
    /// # Errors
    /// If the database cannot be closed in an orderly way.
    pub async fn close(&self) -> Result<()> {
        self.read.close_by_ref().await?;
        self.write.close_by_ref().await?;
        Ok(())
    }
}

/// An open transaction.
#[derive(Debug)]
pub struct Tx(DatabaseTransaction);

impl Tx {
    /// For queries inside the transaction.
    #[must_use]
    pub const fn db(&self) -> Db<'_> {
        Db(Inner::Tx(&self.0))
    }

    /// Runs a statement of a test's own in it.
    ///
    /// # Errors
    /// If the database refuses.
    #[cfg(feature = "damage")]
    pub async fn damage(&self, sql: &str) -> Result<()> {
        self.0.execute_unprepared(sql).await?;
        Ok(())
    }

    /// Makes everything in it last.
    ///
    /// # Errors
    /// If the database refuses; then nothing of it lasts.
    pub async fn commit(self) -> Result<()> {
        Ok(self.0.commit().await?)
    }
}

/// Where a query runs: in a transaction, or on the reading side outside of one.
#[derive(Debug, Clone, Copy)]
pub struct Db<'a>(Inner<'a>);

#[derive(Debug, Clone, Copy)]
enum Inner<'a> {
    Pool(&'a DatabaseConnection),
    Tx(&'a DatabaseTransaction),
}

impl<'a> Db<'a> {
    pub(crate) fn conn(self) -> DatabaseExecutor<'a> {
        match self.0 {
            Inner::Pool(pool) => pool.into(),
            Inner::Tx(tx) => tx.into(),
        }
    }

    pub(crate) fn is_postgres(self) -> bool {
        self.conn().get_database_backend() == DbBackend::Postgres
    }

    /// Waits for, and holds until the end of the transaction, the lock called `name`. On SQLite the transaction itself
    /// is that lock, since there is one writer.
    pub(crate) async fn lock(self, name: &str) -> Result<()> {
        if self.is_postgres() {
            let statement = Statement::from_sql_and_values(
                DbBackend::Postgres,
                "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))",
                [name.into()],
            );
            self.conn().execute_raw(statement).await?;
        }
        Ok(())
    }
}

/// One connection before there is a pool, which would try again and again, and in the end tell that it waited and not why.
async fn reach(url: &str) -> Result<()> {
    let reached = tokio::time::timeout(PATIENCE, PgConnection::connect(url)).await;
    let unreachable = |why: String| StorageError::Unreachable(why);
    let connection = reached
        .map_err(|_| unreachable(format!("no answer within {} seconds", PATIENCE.as_secs())))?
        .map_err(|error| unreachable(error.to_string()))?;
    connection.close().await.map_err(|error| unreachable(error.to_string()))
}

fn options(url: &str, connections: u32) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(connections)
        .min_connections(1)
        .acquire_timeout(Duration::from_secs(30))
        .connect_timeout(Duration::from_secs(10))
        .sqlx_logging(false);
    options
}

fn sqlite_options(
    options: sea_orm::sqlx::sqlite::SqliteConnectOptions,
    filename: &str,
) -> sea_orm::sqlx::sqlite::SqliteConnectOptions {
    options
        .filename(filename)
        .in_memory(false)
        .shared_cache(false)
        .journal_mode(SqliteJournalMode::Wal)
        // What was acknowledged is to survive a loss of power, not the loss of the process alone: one sync a commit.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(15))
}
