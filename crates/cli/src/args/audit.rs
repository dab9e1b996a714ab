//! Arguments of `bartizan audit` and `bartizan explain`.

use std::path::PathBuf;

use bartizan_domain::Severity;
use bartizan_inventory::os::Os;
use bartizan_matching::score::Weights;
use bartizan_reports::audit::AuditFormat;
use clap::{Args, ValueHint};

use super::feeds::StoreArgs;
use super::{ColorMode, ListFormat};
use crate::io::{Formats, OutputSpec};

/// What to read, and against which data.
#[derive(Debug, Args)]
pub struct InventoryArgs {
    #[command(flatten)]
    pub store: StoreArgs,

    /// Read the package databases of this machine
    #[arg(long, env = "BARTIZAN_HOST", help_heading = "What to read")]
    pub host: bool,

    /// Operating system of package databases that lie without an os-release: debian:12, ubuntu:22.04, alpine:3.18
    #[arg(long, value_name = "ID:VERSION", value_parser = os, env = "BARTIZAN_OS", help_heading = "What to read")]
    pub os: Option<Os>,

    /// Weights of the composite score, 0 leaves a part out, such as kev=2,exploit=1,epss=1.5,cvss=1 (the default)
    #[arg(long, value_name = "PART=WEIGHT,…", value_parser = weights, env = "BARTIZAN_WEIGHTS", help_heading = "Results")]
    pub weights: Option<Weights>,
}

#[derive(Debug, Args)]
pub struct AuditArgs {
    /// Folders, lock files, SBOM documents (CycloneDX, SPDX), package databases (dpkg status, rpm, apk)
    #[arg(required_unless_present = "host", value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub paths: Vec<PathBuf>,

    #[command(flatten)]
    pub inventory: InventoryArgs,

    /// Leave out what is needed for development only, where the file says so
    #[arg(long, env = "BARTIZAN_NO_DEV", help_heading = "What to read")]
    pub no_dev: bool,

    /// VEX documents: OpenVEX, CycloneDX or CSAF; may be repeated
    #[arg(long, value_name = "FILE", env = "BARTIZAN_VEX", value_hint = ValueHint::FilePath, help_heading = "Decisions")]
    pub vex: Vec<PathBuf>,

    /// What is audited, as a package URL, CPE name or id that VEX documents use for it: lets statements about parts of that
    /// product hold where no SBOM says what it is about; may be repeated
    #[arg(long, value_name = "NAME", env = "BARTIZAN_VEX_PRODUCT", help_heading = "Decisions")]
    pub vex_product: Vec<String>,

    /// Ignore files (TOML): entries with id or package, where, reason (mandatory), expires; may be repeated
    #[arg(long, value_name = "FILE", env = "BARTIZAN_IGNORE_FILE", value_hint = ValueHint::FilePath, help_heading = "Decisions")]
    pub ignore_file: Vec<PathBuf>,

    /// An earlier result in JSON: tells what is new since, and what is gone and why
    #[arg(long, value_name = "FILE", env = "BARTIZAN_BASELINE", value_hint = ValueHint::FilePath, help_heading = "Results")]
    pub baseline: Option<PathBuf>,

    /// Write results as table, json, csv, sarif, cyclonedx-vex or openvex, to a file or standard output; may be repeated
    /// [default: table]
    #[arg(short, long = "output", value_name = "FORMAT[=FILE]", env = "BARTIZAN_OUTPUT", help_heading = "Results")]
    pub output: Vec<AuditOutput>,

    /// End with 1 if a vulnerability of this severity or worse is found: critical, high, medium, low, info
    #[arg(long, value_name = "SEVERITY", env = "BARTIZAN_FAIL_ON", help_heading = "Results")]
    pub fail_on: Option<Severity>,

    /// End with 0 although files could not be read or ecosystems are not covered
    #[arg(long, env = "BARTIZAN_ALLOW_PARTIAL", help_heading = "Results")]
    pub allow_partial: bool,

    /// Gaps count more than findings: end with 3 rather than 1
    #[arg(long, env = "BARTIZAN_STRICT", help_heading = "Results")]
    pub strict: bool,

    /// Colours in the table; NO_COLOR is honoured
    #[arg(long, value_enum, default_value = "auto", env = "BARTIZAN_COLOR", help_heading = "Results")]
    pub color: ColorMode,

    /// Say nothing on standard error but errors
    #[arg(short, long, env = "BARTIZAN_QUIET", help_heading = "Results")]
    pub quiet: bool,
}

#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// A package: a package URL (pkg:npm/lodash@4.17.20), or a name that PATH or --host contains, as in lodash or lodash@4.17.20
    #[arg(value_name = "PACKAGE")]
    pub package: String,

    /// Any name of the vulnerability: CVE-2021-23337, GHSA-…, RUSTSEC-…, DSA-…
    #[arg(value_name = "ID")]
    pub id: String,

    /// Where the package is looked for: as for `bartizan audit`
    #[arg(value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub paths: Vec<PathBuf>,

    #[command(flatten)]
    pub inventory: InventoryArgs,

    /// How to print the explanation
    #[arg(long, value_enum, default_value = "table", help_heading = "Results")]
    pub format: ListFormat,
}

/// What `-o` asks an audit for.
pub type AuditOutput = OutputSpec<AuditFormat>;

impl Formats for AuditFormat {
    const DEFAULT: Self = Self::Table;

    fn named(name: &str) -> Result<Self, String> {
        name.parse()
    }

    fn name(self) -> &'static str {
        self.as_str()
    }
}

fn weights(text: &str) -> Result<Weights, String> {
    let mut weights = Weights::default();
    for part in text.split(',').map(str::trim) {
        let rule = || format!("`{part}` is not PART=WEIGHT with kev, exploit, epss or cvss and a weight from 0 to 100");
        let (name, value) = part.split_once('=').ok_or_else(rule)?;
        let value: f32 = value.trim().parse().ok().filter(|value| (0.0..=100.0).contains(value)).ok_or_else(rule)?;
        match name.trim() {
            "kev" => weights.kev = value,
            "exploit" => weights.exploit = value,
            "epss" => weights.epss = value,
            "cvss" => weights.cvss = value,
            _ => return Err(rule()),
        }
    }
    let sum = weights.kev + weights.exploit + weights.epss + weights.cvss;
    if sum > 0.0 { Ok(weights) } else { Err(format!("`{text}` leaves every part out")) }
}

fn os(text: &str) -> Result<Os, String> {
    let rule = || format!("`{text}` is not ID:VERSION, such as debian:12");
    let (id, version) = text.split_once(':').ok_or_else(rule)?;
    if id.trim().is_empty() || version.trim().is_empty() {
        return Err(rule());
    }
    let os = Os::of_id(id, version);
    if matches!(os.ecosystem, bartizan_matching::model::Ecosystem::Other(_)) {
        return Err(format!("`{id}` is not a distribution that is known: use the ID of its os-release"));
    }
    Ok(os)
}
