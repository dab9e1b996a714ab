//! Which segments hold, and what is known about each source.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::FORMAT;
use crate::error::{FeedError, Result};

const NAME: &str = "manifest.json";
const MAX_MANIFEST: u64 = 64 << 20;

/// The manifest of a store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of the store.
    pub format: u32,
    /// The sources by their names.
    pub sources: BTreeMap<String, SourceEntry>,
}

impl Default for Manifest {
    fn default() -> Self {
        Self { format: FORMAT, sources: BTreeMap::new() }
    }
}

/// What is known about one source.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceEntry {
    /// File name of its segment; none if no import ever succeeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub segment: Option<String>,
    /// Size of the segment in bytes.
    #[serde(default)]
    pub bytes: u64,
    /// The format it was read from.
    #[serde(default)]
    pub format: String,
    /// Advisories.
    #[serde(default)]
    pub advisories: u64,
    /// Of these, withdrawn.
    #[serde(default)]
    pub withdrawn: u64,
    /// Vulnerabilities with signals.
    #[serde(default)]
    pub signals: u64,
    /// Products with a life cycle.
    #[serde(default)]
    pub lifecycles: u64,
    /// Criteria with listed names.
    #[serde(default)]
    pub names: u64,
    /// Records of the last import that could not be read and were left out.
    #[serde(default)]
    pub rejected: u64,
    /// When the data was imported that holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imported_at: Option<DateTime<Utc>>,
    /// The day that the data is of, where the format states one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day: Option<NaiveDate>,
    /// Ecosystems and releases it speaks for as a whole ([`crate::coverage::scope`]).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub covers: Vec<String>,
    /// Names of the files, or the address, it was imported from.
    #[serde(default)]
    pub origin: Vec<String>,
    /// What the server said of the data, for asking again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http: Option<HttpState>,
    /// The last attempt that changed nothing, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// When the source was last asked for, whatever came of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checked_at: Option<DateTime<Utc>>,
}

impl SourceEntry {
    /// Everything that can be looked up by an id of its own.
    #[must_use]
    pub const fn entries(&self) -> u64 {
        self.advisories + self.signals + self.lifecycles + self.names
    }
}

/// Validators of an HTTP response (RFC 9110, section 8.8).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HttpState {
    /// `ETag`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// `Last-Modified`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_modified: Option<String>,
}

/// An attempt that changed nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// When.
    pub at: DateTime<Utc>,
    /// Why.
    pub reason: String,
}

impl Manifest {
    /// Reads the manifest of a store; a folder without one is an empty store.
    ///
    /// # Errors
    /// If it cannot be read, or is of another version.
    pub fn read(folder: &Path) -> Result<Self> {
        let path = folder.join(NAME);
        let bytes = match fs::metadata(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(FeedError::io("reading", &path, error)),
            Ok(metadata) if metadata.len() > MAX_MANIFEST => {
                return Err(FeedError::Limit { what: "the size of the manifest in bytes", limit: MAX_MANIFEST });
            }
            Ok(_) => fs::read(&path).map_err(|error| FeedError::io("reading", &path, error))?,
        };
        let manifest: Self = serde_json::from_slice(&bytes)
            .map_err(|error| FeedError::Store(format!("its manifest cannot be read: {error}")))?;
        if manifest.format != FORMAT {
            return Err(FeedError::Store(format!(
                "it has format {}, this program writes format {FORMAT}; import the sources into a new folder",
                manifest.format
            )));
        }
        if let Some(bad) = manifest
            .sources
            .values()
            .filter_map(|source| source.segment.as_deref())
            .find(|name| name.contains(['/', '\\', '\0']) || name.starts_with('.'))
        {
            return Err(FeedError::Store(format!("its manifest names a segment `{}`", bad.escape_debug())));
        }
        Ok(manifest)
    }

    /// Replaces the manifest atomically and makes it durable.
    pub(super) fn write(&self, folder: &Path) -> Result<()> {
        let path = folder.join(NAME);
        let failed = |error: std::io::Error| FeedError::io("writing", &path, error);
        let mut text = serde_json::to_vec_pretty(self)
            .map_err(|error| FeedError::Store(format!("its manifest cannot be written: {error}")))?;
        text.push(b'\n');
        let mut file = tempfile::Builder::new().prefix(".manifest").tempfile_in(folder).map_err(failed)?;
        std::io::Write::write_all(&mut file, &text).map_err(failed)?;
        file.as_file().sync_all().map_err(failed)?;
        file.persist(&path).map_err(|error| failed(error.error))?;
        sync_folder(folder)
    }
}

/// Makes renames in a folder durable.
pub(super) fn sync_folder(folder: &Path) -> Result<()> {
    fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| FeedError::io("syncing", folder, error))
}

/// Where the segments lie.
pub(super) fn segments(folder: &Path) -> PathBuf {
    folder.join("segments")
}

/// Where a segment lies.
pub(super) fn segment_path(folder: &Path, name: &str) -> PathBuf {
    segments(folder).join(name)
}
