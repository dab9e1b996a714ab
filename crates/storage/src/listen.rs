//! Word between processes that there is something to do: `LISTEN` and `NOTIFY` of PostgreSQL.
//!
//! It saves waiting and nothing else: whoever misses it finds out at its next look at the table.

use sea_orm::sqlx::postgres::PgListener;
use sea_orm::{ConnectionTrait as _, DbBackend, Statement};

use crate::{Backend, Db, Result, StorageError, Store};

const CHANNEL: &str = "bartizan_jobs";

/// Tells the other processes when the transaction is committed; several calls in one transaction are one word.
pub(crate) async fn announce(db: Db<'_>) -> Result<()> {
    if db.is_postgres() {
        let statement = Statement::from_string(DbBackend::Postgres, format!("NOTIFY {CHANNEL}"));
        db.conn().execute_raw(statement).await?;
    }
    Ok(())
}

/// Hears what the other processes announce.
#[derive(Debug)]
pub struct Listener(PgListener);

impl Listener {
    /// Waits for the next word; the connection is made anew where it broke.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn next(&mut self) -> Result<()> {
        self.0.recv().await.map(|_| ()).map_err(|error| StorageError::Unreachable(error.to_string()))
    }
}

impl Store {
    /// Listens for jobs added and stopped by other processes; `None` on SQLite, which has one process.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn listen(&self) -> Result<Option<Listener>> {
        if self.backend() == Backend::Sqlite {
            return Ok(None);
        }
        let fail = |error: sea_orm::sqlx::Error| StorageError::Unreachable(error.to_string());
        let mut listener = PgListener::connect_with(self.postgres_pool()).await.map_err(fail)?;
        listener.listen(CHANNEL).await.map_err(fail)?;
        Ok(Some(Listener(listener)))
    }
}
