//! Settings of the organisation.

use bartizan_domain::id::OrganizationId;
use bartizan_domain::{Error, Permission, Result};
use bartizan_storage::settings::{self, Setting};
use bartizan_storage::{Db, StorageError, organizations};
use serde::{Deserialize, Serialize};

use crate::mutation::{Change, Mutation};
use crate::{OpContext, Services};

/// What scans may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScanSettings {
    /// Whether private, loopback and link-local addresses may be scanned, which are those of the network the program
    /// runs in: another organisation than the first may only where the first may. Cloud metadata addresses never are.
    pub allow_private: bool,
}

/// A settings object and its version, for `ETag` and `If-Match`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Versioned<T> {
    /// The settings.
    pub value: T,
    /// 0 while it is at its defaults, one more for each change.
    pub version: i64,
}

const SCAN: &str = "scan";

/// The scan settings.
///
/// # Errors
/// If the caller may not see them, or the database fails.
pub async fn scan(cx: &OpContext, services: &Services) -> Result<Versioned<ScanSettings>> {
    let organization = cx.require(Permission::ConfigView)?;
    read_scan(services.store.read(), organization).await
}

/// Changes the scan settings. With `expected`, only if they are still at that version.
///
/// # Errors
/// If the caller may not, or somebody else changed them meanwhile ([`Error::Conflict`]); [`Error::Forbidden`] also for
/// private addresses while the first organisation does not allow them.
pub async fn set_scan(
    cx: &OpContext,
    services: &Services,
    value: ScanSettings,
    expected: Option<i64>,
) -> Result<Versioned<ScanSettings>> {
    let (organization, change) = Mutation::begin(cx, services, Permission::ConfigManage).await?;
    let before = read_scan(change.db(), organization).await?;
    if expected.is_some_and(|version| version != before.version) {
        return Err(Error::Conflict("The settings were changed meanwhile; read them again".to_owned()));
    }
    if value.allow_private && !before.value.allow_private && !ceiling(change.db(), organization).await? {
        let text =
            "Scans of private addresses are not allowed on this installation; its first organisation may allow them";
        return Err(Error::Forbidden(text.to_owned()));
    }
    let after = Versioned { value, version: before.version + 1 };
    write_scan(cx, change.db(), organization, after).await?;
    let entry = Change::new("settings.update", "settings", SCAN);
    change.commit(entry.before(json(before.value)?).after(json(after.value)?)).await?;
    Ok(after)
}

pub(crate) async fn write_scan(
    cx: &OpContext,
    db: Db<'_>,
    organization: OrganizationId,
    settings: Versioned<ScanSettings>,
) -> Result<()> {
    let row = Setting {
        key: SCAN.to_owned(),
        value: json(settings.value)?,
        version: settings.version,
        updated_at: cx.now(),
        updated_by: cx.actor().user_id(),
    };
    if settings::put(db, organization, &row).await? {
        Ok(())
    } else {
        Err(Error::Conflict("The settings were changed meanwhile; read them again".to_owned()))
    }
}

pub(crate) async fn read_scan(db: Db<'_>, organization: OrganizationId) -> Result<Versioned<ScanSettings>> {
    match settings::get(db, organization, SCAN).await? {
        None => Ok(Versioned { value: ScanSettings::default(), version: 0 }),
        Some(row) => {
            let value = serde_json::from_value(row.value)
                .map_err(|error| StorageError::Corrupt(format!("setting {SCAN}: {error}")))?;
            Ok(Versioned { value, version: row.version })
        }
    }
}

/// Whether scans of an organisation may contact private addresses now.
pub(crate) async fn private_allowed(db: Db<'_>, organization: OrganizationId) -> Result<bool> {
    Ok(read_scan(db, organization).await?.value.allow_private && ceiling(db, organization).await?)
}

/// Whether the first organisation lets `organization` scan private addresses. The first asks nobody.
async fn ceiling(db: Db<'_>, organization: OrganizationId) -> Result<bool> {
    match organizations::first(db).await? {
        Some(first) if first.id != organization => Ok(read_scan(db, first.id).await?.value.allow_private),
        _ => Ok(true),
    }
}

fn json(value: impl Serialize) -> Result<serde_json::Value> {
    serde_json::to_value(value).map_err(Error::internal)
}
