//! The formats: what they are called, how they are recognised, and how a document of each is read.
//!
//! One file a format, each naming the source of its rules, what is not supported and its cost. A parser gets the bytes
//! of one document and gives records to an [`Output`]; a record that breaks a rule of its format is left out and counted,
//! a document that breaks the syntax is refused as a whole. Recognition looks at content only ([`recognise`]).
//!
//! To add a format: `docs/adding-a-source.md`.

mod alpine;
mod common;
mod cpematch;
pub(crate) mod cpenames;
mod csaf;
mod cve5;
mod cvss;
mod debian;
mod debian_cves;
mod eol;
mod exploits;
mod ghsa;
mod node;
mod notus;
mod nvd;
mod nvd1;
mod openvex;
mod osv;
mod oval;
mod recognise;
mod ruby;
mod tables;
mod ubuntu_site;
mod ubuntu_tracker;
mod yaml;

use std::collections::BTreeSet;
use std::io::Read;

use bartizan_matching::model::Text;
use chrono::NaiveDate;

use crate::error::{FeedError, Result};
use crate::json::JsonStream;
use crate::limits::Limits;
use crate::record::Record;
use crate::store::segment::SameId;

pub use recognise::{PEEK, recognise, refused};

/// What a parser makes of one record.
pub(crate) type Parsed = Result<Record>;

macro_rules! formats {
    ($($(#[$doc:meta])* $variant:ident => $slug:literal, $source:literal, $same_id:ident, $files:ident;)*) => {
        /// A format that is known here.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Format {
            $($(#[$doc])* $variant,)*
        }

        impl Format {
            /// Every format.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its name, as `bartizan feeds list` shows it.
            #[must_use]
            pub const fn slug(self) -> &'static str {
                match self {
                    $(Self::$variant => $slug,)*
                }
            }

            /// The name of the source that a document of it belongs to, if nobody says otherwise: the whole name where
            /// there is one such source, else its beginning.
            #[must_use]
            pub const fn source(self) -> &'static str {
                match self {
                    $(Self::$variant => $source,)*
                }
            }

            /// What two records of one id and one publisher come to.
            #[must_use]
            pub const fn same_id(self) -> SameId {
                match self {
                    $(Self::$variant => SameId::$same_id,)*
                }
            }

            /// How the documents of it make up a source.
            #[must_use]
            pub const fn files(self) -> Files {
                match self {
                    $(Self::$variant => Files::$files,)*
                }
            }
        }
    };
}

/// How documents make up a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Files {
    /// One document is the whole source, and there is one such source: a newer document replaces it whatever it is called.
    Whole,
    /// One document is a source of its own, told from others by the name of its file.
    Part,
    /// One document is one record or a few: all documents of one archive or folder are a source.
    Single,
}

formats! {
    /// NVD API 2.0, pages.
    NvdPage => "nvd-api-2.0", "nvd", Latest, Part;
    /// NVD API 2.0, single records.
    NvdRecord => "nvd-api-2.0-record", "nvd", Latest, Single;
    /// Configurations that NVD does not have.
    NvdOverride => "nvd-override", "nvd-overrides", Latest, Single;
    /// NVD CPE match strings, API 2.0, pages.
    NvdMatchPage => "nvd-cpematch-2.0", "nvd-cpematch", Latest, Part;
    /// NVD CPE match strings, API 2.0, one by one.
    NvdMatch => "nvd-cpematch-2.0-record", "nvd-cpematch", Latest, Single;
    /// NVD CPE match feed 1.0.
    NvdMatch1 => "nvd-cpematch-1.0", "nvd-cpematch", Latest, Part;
    /// NVD's dictionary of CPE names, API 2.0, pages.
    NvdCpePage => "nvd-cpe-2.0", "nvd-cpe", Latest, Single;
    /// NVD's dictionary of CPE names, API 2.0, one by one.
    NvdCpe => "nvd-cpe-2.0-record", "nvd-cpe", Latest, Single;
    /// NVD JSON 1.1.
    Nvd1 => "nvd-json-1.1", "nvd", Latest, Part;
    /// NVD JSON 1.1, single records.
    Nvd1Record => "nvd-json-1.1-record", "nvd", Latest, Single;
    /// CVE records 5.x.
    Cve5 => "cve-5", "cve", Latest, Single;
    /// OSV.
    Osv => "osv", "osv", Latest, Single;
    /// OSV as YAML.
    OsvYaml => "osv-yaml", "osv", Latest, Single;
    /// GitHub's advisories, REST.
    Ghsa => "ghsa-rest", "ghsa", Latest, Single;
    /// CISA KEV as JSON.
    KevJson => "kev-json", "kev", Latest, Whole;
    /// CISA KEV as CSV.
    KevCsv => "kev-csv", "kev", Latest, Whole;
    /// EPSS of one day.
    Epss => "epss", "epss", Latest, Whole;
    /// Debian's tracker.
    DebianTracker => "debian-tracker", "debian-tracker", Union, Whole;
    /// Debian's list of vulnerabilities.
    DebianCves => "debian-cve-list", "debian-cves", Latest, Whole;
    /// Debian's lists of DSA or DLA.
    DebianList => "debian-list", "debian-advisories", Latest, Single;
    /// Ubuntu's tracker.
    UbuntuTracker => "ubuntu-tracker", "ubuntu-tracker", Latest, Single;
    /// Ubuntu's notices.
    UbuntuNotices => "ubuntu-notices", "ubuntu-notices", Latest, Single;
    /// Ubuntu's vulnerabilities.
    UbuntuCves => "ubuntu-cves", "ubuntu-cves", Latest, Single;
    /// Ubuntu's database of notices.
    UbuntuDatabase => "ubuntu-usn-database", "ubuntu-usn-database", Latest, Whole;
    /// OpenVEX of Ubuntu.
    OpenVex => "openvex", "openvex", Latest, Single;
    /// Alpine's secdb as YAML.
    SecdbYaml => "alpine-secdb-yaml", "secdb", Union, Single;
    /// Alpine's secdb as JSON, and those like it.
    SecdbJson => "alpine-secdb", "secdb", Union, Single;
    /// CSAF advisories and VEX.
    Csaf => "csaf", "csaf", LatestByRelease, Single;
    /// OVAL definitions.
    Oval => "oval", "oval", Union, Part;
    /// Notus products.
    Notus => "notus", "notus", Union, Single;
    /// ruby-advisory-db.
    Ruby => "ruby-advisory-db", "ruby-advisory-db", Union, Single;
    /// npm advisories of Node's security working group.
    NodePackage => "node-security-wg", "node-security-wg", Latest, Single;
    /// A core advisory of Node's security working group.
    NodeCore => "node-core", "node-security-wg", Latest, Single;
    /// All core advisories of Node's security working group.
    NodeCoreIndex => "node-core-index", "node-security-wg", Latest, Single;
    /// ExploitDB.
    ExploitDb => "exploitdb-csv", "exploitdb", Latest, Whole;
    /// Metasploit's modules.
    Metasploit => "metasploit-modules", "metasploit", Latest, Whole;
    /// Nuclei's templates.
    Nuclei => "nuclei-cves", "nuclei", Latest, Whole;
    /// Index of proofs of concept.
    PocIndex => "poc-index", "poc-index", Latest, Whole;
    /// endoflife.date, pages.
    EolPage => "endoflife-page", "endoflife", Latest, Single;
    /// endoflife.date, API.
    EolApi => "endoflife-api", "endoflife", Latest, Single;
    /// endoflife.date, second API.
    EolApiV1 => "endoflife-api-v1", "endoflife", Latest, Single;
    /// endoflife.date, release data.
    EolReleaseData => "endoflife-release-data", "endoflife-releases", Latest, Single;
}

impl std::fmt::Display for Format {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.slug())
    }
}

/// What was read of a document or a source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stats {
    /// Records, those that say nothing we keep included.
    pub records: u64,
    /// Records that break a rule of their format and were left out.
    pub rejected: u64,
    /// Why the first of these were.
    pub reasons: Vec<String>,
    /// Their ids, as far as they can be told.
    pub rejected_ids: BTreeSet<Text>,
    /// The day that the data is of, where a document of the format states one.
    pub day: Option<NaiveDate>,
    /// The last line of a document has no end: it may be whole, and it may have been cut there.
    pub unterminated: bool,
    /// Repositories of a release that a document is the whole of, where the format divides releases so
    /// ([`crate::coverage`]).
    pub parts: BTreeSet<String>,
}

impl Stats {
    /// Adds what another document gave.
    pub fn add(&mut self, other: Self) {
        self.records += other.records;
        self.rejected += other.rejected;
        let room = MAX_REASONS.saturating_sub(self.reasons.len());
        self.reasons.extend(other.reasons.into_iter().take(room));
        self.rejected_ids.extend(other.rejected_ids);
        self.unterminated |= other.unterminated;
        self.parts.extend(other.parts);
        self.day = self.day.max(other.day);
    }
}

const MAX_REASONS: usize = 5;
/// Ids of rejected records that are kept.
const MAX_REJECTED: usize = 100_000;

/// Where a parser puts what it reads.
pub struct Output<'o> {
    sink: &'o mut dyn FnMut(Record) -> Result<()>,
    max_records: u64,
    /// What was read.
    pub stats: Stats,
}

impl<'o> Output<'o> {
    /// An output to `sink`.
    pub fn new(sink: &'o mut dyn FnMut(Record) -> Result<()>, limits: &Limits) -> Self {
        Self { sink, max_records: limits.max_records, stats: Stats::default() }
    }

    /// One record. An error that concerns only this record is counted; any other ends the document.
    pub(crate) fn take(&mut self, parsed: Parsed) -> Result<()> {
        match parsed {
            Ok(record) => {
                self.count()?;
                (self.sink)(record)
            }
            Err(error) if error.is_of_one_record() => {
                self.count()?;
                self.reject(&error);
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Something that belongs to a record that is counted elsewhere.
    pub(crate) fn extra(&mut self, record: Record) -> Result<()> {
        (self.sink)(record)
    }

    /// A record that says nothing we keep.
    pub(crate) fn count(&mut self) -> Result<()> {
        self.stats.records += 1;
        if self.stats.records > self.max_records {
            return Err(FeedError::Limit { what: "the number of records", limit: self.max_records });
        }
        Ok(())
    }

    /// A part of a record that was left out.
    pub(crate) fn reject(&mut self, error: &FeedError) {
        self.stats.rejected += 1;
        let id = error.id().unwrap_or_default();
        if !id.is_empty() && self.stats.rejected_ids.len() < MAX_REJECTED {
            self.stats.rejected_ids.insert(id.into());
        }
        if self.stats.reasons.len() < MAX_REASONS {
            self.stats.reasons.push(match error {
                FeedError::Record { id, rule } if id.is_empty() => {
                    format!("record number {}: {rule}", self.stats.records)
                }
                other => other.to_string(),
            });
        }
    }
}

/// Reads one document. `name` is its name in an archive or folder; a few formats tell their record by it.
///
/// # Errors
/// If the document breaks the syntax of its format, exceeds a bound, or ends too early; whatever the output returns.
pub fn parse(format: Format, name: &str, reader: &mut dyn Read, limits: &Limits, out: &mut Output<'_>) -> Result<()> {
    match format {
        Format::KevCsv => return tables::kev(reader, limits, out),
        Format::Epss => return tables::epss(reader, out),
        Format::ExploitDb => return tables::exploit_db(reader, limits, out),
        Format::PocIndex => return tables::poc(reader, limits, out),
        Format::DebianCves => return debian_cves::list(reader, limits, out),
        Format::DebianList => return debian::list(reader, limits, out),
        Format::UbuntuTracker => return ubuntu_tracker::file(name, reader, limits, out),
        Format::Oval => return oval::file(reader, limits, out),
        Format::SecdbYaml => {
            let text = yaml::text(reader, limits, out)?;
            return alpine::database(yaml::read(&text, limits)?, out);
        }
        Format::Ruby => {
            let text = yaml::text(reader, limits, out)?;
            return ruby::file(yaml::value(&text, limits)?, out);
        }
        Format::OsvYaml => {
            let text = yaml::text(reader, limits, out)?;
            return osv::yaml(&yaml::value(&text, limits)?, out);
        }
        Format::EolPage => {
            let text = yaml::text(reader, limits, out)?;
            return eol::page(name, yaml::value(front_matter(&text)?, limits)?, out);
        }
        _ => {}
    }
    let mut stream = JsonStream::new(reader, limits);
    json(format, name, &mut stream, out)?;
    out.stats.unterminated |= stream.is_unterminated();
    Ok(())
}

fn json(format: Format, name: &str, stream: &mut JsonStream<'_>, out: &mut Output<'_>) -> Result<()> {
    match format {
        Format::NvdPage => nvd::pages(stream, out),
        Format::NvdRecord => nvd::records(stream, out),
        Format::NvdOverride => nvd::overrides(stream, out),
        Format::NvdMatchPage => cpematch::pages(stream, out),
        Format::NvdMatch => cpematch::records(stream, out),
        Format::NvdMatch1 => cpematch::feed(stream, out),
        Format::NvdCpePage => cpenames::pages(stream, out),
        Format::NvdCpe => cpenames::records(stream, out),
        Format::Nvd1 => nvd1::feed(stream, out),
        Format::Nvd1Record => nvd1::records(stream, out),
        Format::Cve5 => cve5::records(stream, out),
        Format::Osv => osv::records(stream, out),
        Format::Ghsa => ghsa::records(stream, out),
        Format::KevJson => exploits::kev(stream, out),
        Format::DebianTracker => debian::tracker(stream, out),
        Format::UbuntuNotices => ubuntu_site::notices(stream, out),
        Format::UbuntuCves => ubuntu_site::cves(stream, out),
        Format::UbuntuDatabase => ubuntu_site::database(stream, out),
        Format::OpenVex => openvex::documents(stream, out),
        Format::SecdbJson => {
            let database = stream.read()?;
            stream.finish()?;
            alpine::database(database, out)
        }
        Format::Csaf => csaf::documents(stream, out),
        Format::Notus => notus::product(stream, out),
        Format::NodePackage => node::packages(stream, out),
        Format::NodeCore => node::core_file(name, stream, out),
        Format::NodeCoreIndex => node::core_index(stream, out),
        Format::Metasploit => exploits::metasploit(stream, out),
        Format::Nuclei => exploits::nuclei(stream, out),
        Format::EolApi => eol::api(name, stream, out),
        Format::EolApiV1 => eol::api_v1(stream, out),
        Format::EolReleaseData => eol::release_data(name, stream, out),
        Format::KevCsv
        | Format::Epss
        | Format::ExploitDb
        | Format::PocIndex
        | Format::DebianCves
        | Format::DebianList
        | Format::UbuntuTracker
        | Format::Oval
        | Format::SecdbYaml
        | Format::Ruby
        | Format::OsvYaml
        | Format::EolPage => unreachable!("the caller reads formats that are not JSON"),
    }
}

/// The YAML between the first two lines of dashes.
fn front_matter(text: &str) -> Result<&str> {
    let rest = text.trim_start_matches('\u{feff}').strip_prefix("---").and_then(|rest| rest.split_once('\n'));
    rest.and_then(|(_, rest)| rest.find("\n---").map(|end| &rest[..end]))
        .ok_or_else(|| FeedError::Syntax { at: 0, rule: "the page has no YAML head".to_owned() })
}
