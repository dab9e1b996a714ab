//! What is done to a database that was put in place from a backup.

use bartizan_domain::Result;
use bartizan_storage::{api_keys, invitations, jobs, passwords, sessions};
use serde_json::json;

use crate::mutation::{Change, Mutation};
use crate::{OpContext, Services};

/// Why a session ended, as its owner reads it.
const BECAUSE: &str = "restored";

/// What becomes of the access that the backup holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// It ends: what was taken back after the backup was made would hold again otherwise.
    Ends,
    /// It stays, for a backup that was made a moment ago, as when moving to another machine.
    Stays,
}

/// Access that ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ended {
    /// Sessions.
    pub sessions: u64,
    /// API keys.
    pub api_keys: u64,
    /// Links to set a password, and invitations.
    pub links: u64,
    /// Letters that waited to be sent.
    pub letters: u64,
}

/// Puts on record that the database was put in place from a backup, and ends the access in it: sessions, API keys, links
/// and the letters that carry them. Accounts, their passwords and roles are those of the backup.
///
/// # Errors
/// If the database fails; then nothing of it is done.
pub async fn restored(cx: &OpContext, services: &Services, access: Access) -> Result<Ended> {
    let change = Mutation::begin_open(cx, services, cx.organization_if_any()).await?;
    let (db, now) = (change.db(), cx.now());
    let ended = match access {
        Access::Stays => Ended::default(),
        Access::Ends => Ended {
            sessions: sessions::end_every(db, now, BECAUSE).await?,
            api_keys: api_keys::revoke_every(db, now).await?,
            links: passwords::use_every_reset(db, now).await? + invitations::revoke_every(db, now).await?,
            letters: jobs::cancel_every(db, crate::mail_jobs::KIND, now).await?,
        },
    };
    let entry = Change::new("backup.restore", "database", services.store.backend_name()).after(json!({
        "sessions_ended": ended.sessions, "api_keys_revoked": ended.api_keys, "links_ended": ended.links,
        "letters_cancelled": ended.letters,
    }));
    change.commit(entry).await?;
    Ok(ended)
}
