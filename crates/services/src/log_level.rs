//! How much is logged. A change holds for every process of the installation that runs, each of which learns of it within
//! seconds; a process that starts later goes by what it was started with.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use bartizan_domain::{Error, Permission, Result};
use bartizan_jobs::Ticker;
use bartizan_storage::installation::{self as settings, InstallationSetting};
use bartizan_storage::{Db, StorageError};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::mutation::{Change, Mutation};
use crate::{OpContext, Origin, Services, installation};

const KEY: &str = "log_level";

/// How much is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogLevel {
    /// Everything.
    Debug,
    /// What happens.
    Info,
    /// What may need attention.
    Warn,
    /// What failed.
    Error,
}

impl LogLevel {
    /// The wire form.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

/// The log of this process. Implemented where the program is put together.
pub trait LogControl: fmt::Debug + Send + Sync {
    /// How much is logged.
    fn level(&self) -> LogLevel;

    /// Logs more or less from now on.
    fn set_level(&self, level: LogLevel);
}

#[derive(Serialize, Deserialize)]
struct Stored {
    level: LogLevel,
}

/// How much this process logs.
///
/// # Errors
/// If the caller may not know.
pub async fn present(cx: &OpContext, services: &Services) -> Result<LogLevel> {
    installation::require(cx, services, Permission::SystemManage).await?;
    Ok(log(services)?.level())
}

/// Makes every process that runs log more or less, until it ends.
///
/// # Errors
/// If the caller may not, somebody else changes it at the same time, or the database fails.
pub async fn set(cx: &OpContext, services: &Services, level: LogLevel) -> Result<LogLevel> {
    installation::require(cx, services, Permission::SystemManage).await?;
    let (_, change) = Mutation::begin(cx, services, Permission::SystemManage).await?;
    let log = log(services)?;
    let version = read(change.db()).await?.map_or(0, |(row, _)| row.version);
    let row = InstallationSetting {
        key: KEY.to_owned(),
        value: serde_json::to_value(Stored { level }).map_err(Error::internal)?,
        version: version + 1,
        updated_at: cx.now(),
        updated_by_name: cx.actor().name().to_owned(),
    };
    if !settings::put(change.db(), &row).await? {
        return Err(Error::Conflict("The log level was changed by somebody else meanwhile".to_owned()));
    }
    let entry = Change::new("system.log_level", "system", KEY);
    let (before, after) = (json!({ "level": log.level() }), json!({ "level": level }));
    change.commit(entry.before(before).after(after)).await?;
    log.set_level(level);
    Ok(level)
}

fn log(services: &Services) -> Result<&dyn LogControl> {
    services.config.log.as_deref().ok_or_else(|| Error::internal("the log of this process cannot be changed"))
}

async fn read(db: Db<'_>) -> Result<Option<(InstallationSetting, LogLevel)>> {
    let Some(row) = settings::get(db, KEY).await? else { return Ok(None) };
    let stored: Stored = serde_json::from_value(row.value.clone())
        .map_err(|error| StorageError::Corrupt(format!("setting {KEY}: {error}")))?;
    Ok(Some((row, stored.level)))
}

/// Follows what is set by way of other processes.
pub(crate) struct Follower {
    services: Services,
    begun: DateTime<Utc>,
    seen: Mutex<i64>,
}

impl Follower {
    pub(crate) fn new(services: Services) -> Self {
        Self { begun: services.anonymous(Origin::default()).now(), services, seen: Mutex::new(0) }
    }

    /// Whether `version` is one that this process has not gone by yet.
    fn is_new(&self, version: i64) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *seen, version) != version
    }
}

#[async_trait]
impl Ticker for Follower {
    async fn tick(&self) {
        match read(self.services.store.read()).await {
            Ok(Some((row, level))) if row.updated_at >= self.begun && self.is_new(row.version) => {
                if let Some(log) = self.services.config.log.as_deref() {
                    log.set_level(level);
                }
            }
            Ok(_) => {}
            Err(error) => tracing::error!(%error, "the log level cannot be read"),
        }
    }
}
