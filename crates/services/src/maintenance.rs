//! Maintenance mode: nothing is written on behalf of anybody and no new work is begun; what runs goes on to its end and
//! everything can be read. It holds for every process of the installation, each of which learns of it within a second.

use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bartizan_domain::{Error, Permission, Result};
use bartizan_jobs::{Pause, Ticker};
use bartizan_storage::installation::{self, InstallationSetting};
use bartizan_storage::{Db, StorageError};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::mutation::{Change, Mutation};
use crate::validate::Fields;
use crate::{OpContext, Services};

const KEY: &str = "maintenance";
/// How old the answer to "is it on?" may be.
const FRESH: TimeDelta = TimeDelta::seconds(1);
/// Most characters of a reason.
const REASON_LENGTH: usize = 500;

/// Whether maintenance mode is on.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Maintenance {
    /// Whether it is.
    pub enabled: bool,
    /// What people are told.
    pub reason: Option<String>,
    /// Since when.
    pub since: Option<DateTime<Utc>>,
    /// Who switched it on.
    pub by: Option<String>,
}

/// What is remembered between two looks.
#[derive(Debug, Default)]
pub(crate) struct Remembered(Mutex<Option<(DateTime<Utc>, Maintenance)>>);

impl Remembered {
    fn lock(&self) -> MutexGuard<'_, Option<(DateTime<Utc>, Maintenance)>> {
        // The value is replaced as a whole, so a panic leaves nothing half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether it is on, as of the last second. Anybody may know.
///
/// # Errors
/// If the database fails.
pub async fn present(cx: &OpContext, services: &Services) -> Result<Maintenance> {
    let now = cx.now();
    if let Some((at, known)) = services.maintenance.lock().as_ref()
        && (now - *at).abs() < FRESH
    {
        return Ok(known.clone());
    }
    let (present, _) = read(services.store.read()).await?;
    *services.maintenance.lock() = Some((now, present.clone()));
    Ok(present)
}

/// Whether it is on, as the caller is told: who switched it on is a member of the first organisation, and nobody else's
/// business.
///
/// # Errors
/// If nobody is signed in, or the database fails.
pub async fn told(cx: &OpContext, services: &Services) -> Result<Maintenance> {
    let present = present(cx, services).await?;
    let first = crate::installation::is_first(services.store.read(), cx.organization()?).await?;
    Ok(if first { present } else { Maintenance { by: None, ..present } })
}

/// Switches it on or off, for the whole installation.
///
/// # Errors
/// If the caller may not ([`crate::installation`]), or the reason breaks a rule.
pub async fn set(cx: &OpContext, services: &Services, enabled: bool, reason: Option<String>) -> Result<Maintenance> {
    crate::installation::require(cx, services, Permission::SystemManage).await?;
    let (_, change) = Mutation::begin(cx, services, Permission::SystemManage).await?;
    let mut fields = Fields::default();
    let reason = reason.map(|reason| fields.text("reason", &reason, REASON_LENGTH));
    fields.finish()?;
    let (before, version) = read(change.db()).await?;
    let after = if enabled {
        Maintenance {
            enabled,
            reason,
            since: if before.enabled { before.since } else { Some(cx.now()) },
            by: Some(cx.actor().name().to_owned()),
        }
    } else {
        Maintenance::default()
    };
    let row = InstallationSetting {
        key: KEY.to_owned(),
        value: serde_json::to_value(&after).map_err(Error::internal)?,
        version: version + 1,
        updated_at: cx.now(),
        updated_by_name: cx.actor().name().to_owned(),
    };
    if !installation::put(change.db(), &row).await? {
        return Err(Error::Conflict("Maintenance mode was switched by somebody else meanwhile".to_owned()));
    }
    let entry = Change::new("system.maintenance", "system", KEY);
    let json = |value: &Maintenance| serde_json::to_value(value).map_err(Error::internal);
    change.commit(entry.before(json(&before)?).after(json(&after)?)).await?;
    *services.maintenance.lock() = Some((cx.now(), after.clone()));
    services.queue.pause(if after.enabled { Pause::On } else { Pause::Off });
    Ok(after)
}

async fn read(db: Db<'_>) -> Result<(Maintenance, i64)> {
    match installation::get(db, KEY).await? {
        None => Ok((Maintenance::default(), 0)),
        Some(row) => {
            let value = serde_json::from_value(row.value)
                .map_err(|error| StorageError::Corrupt(format!("setting {KEY}: {error}")))?;
            Ok((value, row.version))
        }
    }
}

/// Holds the jobs of this process back while it is on.
pub(crate) struct Gate {
    services: Services,
}

impl Gate {
    pub(crate) const fn new(services: Services) -> Self {
        Self { services }
    }
}

#[async_trait]
impl Ticker for Gate {
    async fn tick(&self) {
        // Looked up afresh: a clock that stands still must not keep the gate shut.
        match read(self.services.store.read()).await {
            Ok((present, _)) => self.services.queue.pause(if present.enabled { Pause::On } else { Pause::Off }),
            Err(error) => tracing::error!(%error, "whether maintenance mode is on cannot be read"),
        }
    }
}
