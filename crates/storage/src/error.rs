//! What can go wrong between us and the database.

use sea_orm::{DbErr, SqlErr};

/// Shorthand for results of this crate.
pub type Result<T, E = StorageError> = std::result::Result<T, E>;

/// A failure of the database, or of a row in it.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// A row with the same unique value exists. Says which constraint or column.
    #[error("unique constraint violated: {0}")]
    Unique(String),
    /// The database cannot be reached.
    #[error("the database cannot be reached: {0}")]
    Unreachable(String),
    /// The address of the database is not usable.
    #[error("{0}")]
    BadUrl(String),
    /// A stored value that this program cannot have written.
    #[error("stored row is corrupt: {0}")]
    Corrupt(String),
    /// Anything else the database said.
    #[error("database: {0}")]
    Database(#[source] DbErr),
}

impl From<DbErr> for StorageError {
    fn from(error: DbErr) -> Self {
        match error.sql_err() {
            Some(SqlErr::UniqueConstraintViolation(what)) => Self::Unique(what),
            _ => match error {
                DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => Self::Unreachable(error.to_string()),
                other => Self::Database(other),
            },
        }
    }
}

impl From<StorageError> for bartizan_domain::Error {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Unreachable(internal) => {
                Self::Unavailable { public: "The database cannot be reached".to_owned(), internal }
            }
            other => Self::internal(other),
        }
    }
}

/// Reads an enum back that was stored in its wire form.
pub(crate) fn parse<T: std::str::FromStr<Err = String>>(text: &str) -> Result<T> {
    text.parse().map_err(StorageError::Corrupt)
}
