//! How right the correlation is, and how fast: comparison with other tools on a corpus of public data.
//!
//! The corpus is a folder named by `BARTIZAN_CORPUS` (its README lists the files). What needs it runs where it is and
//! says so where it is not; nothing of it is part of this repository but the tables of differences, which name
//! packages, versions and ids.
//!
//! Not here: tests of single rules, which stand beside the code.

pub mod seeds;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use bartizan_feeds::import::{self, Options};
use bartizan_feeds::store::Snapshot;
use bartizan_feeds::store::writer::StoreWriter;
use bartizan_inventory::{Collector, Limits};
use bartizan_matching::model::Package;
use chrono::{DateTime, Utc};
use tempfile::TempDir;

/// Memory for sorting while a store is written.
const MEMORY: usize = 64 << 20;

/// Anything that goes wrong in a comparison.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// The folder of the corpus, or `None` with a word about it.
#[must_use]
#[expect(clippy::print_stderr, reason = "a comparison that does not run says so")]
pub fn corpus() -> Option<PathBuf> {
    let folder = std::env::var_os("BARTIZAN_CORPUS").map(PathBuf::from).filter(|folder| folder.is_dir());
    if folder.is_none() {
        eprintln!("not compared: BARTIZAN_CORPUS names no folder");
    }
    folder
}

/// The instant comparisons take place at: the corpus is of one day.
#[must_use]
pub fn day() -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_305_600, 0).unwrap_or_default()
}

/// A store in a temporary folder.
pub struct Store {
    folder: TempDir,
}

impl Store {
    /// An empty store.
    ///
    /// # Errors
    /// If no folder can be made.
    pub fn new() -> Result<Self, Error> {
        Ok(Self { folder: tempfile::tempdir()? })
    }

    /// Imports files or folders.
    ///
    /// # Errors
    /// If anything of it fails.
    pub fn import(&self, paths: &[PathBuf]) -> Result<(), Error> {
        self.import_with(paths, &Options::default())
    }

    /// Imports files or folders with options.
    ///
    /// # Errors
    /// If anything of it fails.
    pub fn import_with(&self, paths: &[PathBuf], options: &Options) -> Result<(), Error> {
        let mut writer = StoreWriter::open(self.folder.path(), MEMORY)?;
        let report = import::import(&mut writer, paths, options, day(), &mut |_| {})?;
        if !report.is_complete() {
            return Err(format!("{report:?}").into());
        }
        Ok(())
    }

    /// Opens it.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn open(&self) -> Result<Snapshot, Error> {
        Ok(Snapshot::open(self.folder.path())?)
    }

    /// Its folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// Unpacks a `.tar.zst` below a folder.
///
/// # Errors
/// If it cannot be read or written.
pub fn unpack(archive: &Path, into: &Path) -> Result<(), Error> {
    let reader = zstd::Decoder::new(BufReader::new(File::open(archive)?))?;
    tar::Archive::new(reader).unpack(into)?;
    Ok(())
}

/// The text of a `.zst` file.
///
/// # Errors
/// If it cannot be read.
pub fn text(file: &Path) -> Result<String, Error> {
    let reader = File::open(file)?;
    if file.extension().is_some_and(|extension| extension == "zst") {
        return Ok(String::from_utf8(zstd::decode_all(reader)?)?);
    }
    Ok(std::io::read_to_string(reader)?)
}

/// The packages of one file.
///
/// # Errors
/// If it cannot be read.
pub fn packages(file: &Path) -> Result<Vec<Package>, Error> {
    let mut collector = Collector::new(Limits::default(), None);
    collector.add(file)?;
    let inventory = collector.finish();
    Ok(inventory.packages())
}

/// Rows of a CSV text by name of column.
///
/// # Errors
/// If it is no CSV.
pub fn rows(text: &str) -> Result<Vec<BTreeMap<String, String>>, Error> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    Ok(reader.deserialize().collect::<Result<_, _>>()?)
}

/// Compares differences that were found (one a line of fields) with a table whose last column is the rule that decides.
///
/// A difference that the table does not have, a row that no longer occurs, and a row without a rule are complaints. If
/// `BARTIZAN_WRITE_DIFFERENCES` names a folder, what was found is written there for a person to judge.
///
/// # Errors
/// If the table cannot be read.
pub fn against_table(name: &str, header: &str, found: &[Vec<String>]) -> Result<Vec<String>, Error> {
    if let Some(folder) = std::env::var_os("BARTIZAN_WRITE_DIFFERENCES") {
        let mut writer = csv::Writer::from_path(Path::new(&folder).join(name))?;
        writer.write_record(header.split(','))?;
        for row in found {
            writer.write_record(row)?;
        }
        writer.flush()?;
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tables").join(name);
    let mut reader = csv::Reader::from_path(&path)?;
    let mut known: BTreeMap<Vec<String>, String> = BTreeMap::new();
    let mut complaints = Vec::new();
    for record in reader.records() {
        let mut fields: Vec<String> = record?.iter().map(str::to_owned).collect();
        let rule = fields.pop().unwrap_or_default();
        if rule.trim().is_empty() {
            complaints.push(format!("no rule: {}", fields.join(",")));
        }
        known.insert(fields, rule);
    }
    for row in found {
        if known.remove(row).is_none() {
            complaints.push(format!("new: {}", row.join(",")));
        }
    }
    complaints.extend(known.keys().map(|row| format!("no longer: {}", row.join(","))));
    Ok(complaints)
}
