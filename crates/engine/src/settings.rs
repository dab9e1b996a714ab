//! What a scan was asked to do, resolved once and frozen: profile defaults, then the caller's wishes, then validation.

use bartizan_catalog::{Catalog, Mode, Profile};
use bartizan_checks::{JudgeSettings, Selection};
use bartizan_domain::scan::{FeatureToggles, bounds};
use bartizan_domain::{PortSet, ScanProfile};
use bartizan_probes::ports::{default_udp, named_set};
use serde::{Deserialize, Serialize};

/// The caller's wishes; `None` and empty mean the profile's choice.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScanOptions {
    /// Which profile to start from.
    pub profile: ScanProfile,
    /// What is switched on.
    pub toggles: FeatureToggles,
    /// TCP ports: `22,80,8000-8100`, `top:100`, `-` for all.
    pub ports: Option<String>,
    /// UDP ports, the same notation.
    pub udp_ports: Option<String>,
    /// Run these checks and no others: ids or groups (`tls.*`).
    pub checks: Vec<String>,
    /// Leave these checks out.
    pub skip: Vec<String>,
    /// Probes in flight, 1 to 200.
    pub concurrency: Option<u32>,
    /// Seconds one probe may take, 1 to 120.
    pub timeout_seconds: Option<u32>,
    /// Seconds the whole scan may take.
    pub max_time_seconds: Option<u32>,
    /// Assets to scan at most; 0 means all.
    pub max_hosts: u32,
    /// Inputs of judgement.
    pub judge: JudgeSettings,
}

/// Resolved settings of one scan. Stored with its results, so that they can be judged again in the same way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanSettings {
    /// The profile it started from.
    pub profile: ScanProfile,
    /// What is switched on.
    pub toggles: FeatureToggles,
    /// TCP ports.
    pub tcp_ports: PortSet,
    /// UDP ports.
    #[serde(default)]
    pub udp_ports: PortSet,
    /// Which checks run.
    pub selection: Selection,
    /// Whether paths below the root of a web site are requested.
    pub path_probes: bool,
    /// Probes in flight.
    pub concurrency: u32,
    /// Seconds one probe may take.
    pub timeout_seconds: u32,
    /// Seconds the whole scan may take.
    #[serde(default)]
    pub max_time_seconds: Option<u32>,
    /// Assets to scan at most; 0 means all.
    #[serde(default)]
    pub max_hosts: u32,
    /// Inputs of judgement.
    #[serde(default)]
    pub judge: JudgeSettings,
}

/// A wish that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SettingsError {
    /// The field of [`ScanOptions`], as the API names it: `ports`.
    pub field: &'static str,
    /// The value and the rule.
    pub message: String,
}

impl ScanSettings {
    /// Resolves wishes against the catalogue.
    ///
    /// # Errors
    /// The first wish that breaks a rule, naming value and rule.
    pub fn resolve(catalog: &Catalog, options: &ScanOptions) -> Result<Self, SettingsError> {
        let fail = |field| move |message| SettingsError { field, message };
        let profile = profile_of(catalog, options.profile)?;
        let toggles = options.toggles;
        let tcp_ports = tcp_set(options.ports.as_deref().unwrap_or(&profile.ports)).map_err(fail("ports"))?;
        let udp_ports =
            udp_set(options.udp_ports.as_deref().unwrap_or(&profile.udp_ports)).map_err(fail("udp_ports"))?;
        if toggles == (FeatureToggles { port_scan: false, web_checks: false, dns_checks: false, whois_checks: false }) {
            return Err(fail("toggles")("everything is switched off: nothing is left to scan".to_owned()));
        }
        let selection = select(catalog, profile, options)?;
        Ok(Self {
            profile: options.profile,
            toggles,
            tcp_ports,
            udp_ports,
            // Whoever names checks gets the probes they need, whatever the profile is.
            path_probes: profile.path_probes || !options.checks.is_empty(),
            selection,
            concurrency: within("concurrency", options.concurrency, bounds::CONCURRENCY)?,
            timeout_seconds: within("timeout", options.timeout_seconds, bounds::TIMEOUT_SECONDS)?,
            max_time_seconds: match options.max_time_seconds {
                Some(0) => return Err(fail("max_time")("max_time 0 is out of range: at least 1 second".to_owned())),
                other => other,
            },
            max_hosts: options.max_hosts,
            judge: options.judge.clone(),
        })
    }
}

fn profile_of(catalog: &Catalog, name: ScanProfile) -> Result<&Profile, SettingsError> {
    catalog
        .profiles()
        .iter()
        .find(|profile| profile.name == name)
        .ok_or_else(|| SettingsError { field: "profile", message: format!("profile `{name}` is not in the catalogue") })
}

fn select(catalog: &Catalog, profile: &Profile, options: &ScanOptions) -> Result<Selection, SettingsError> {
    let fail = |field| move |message| SettingsError { field, message };
    let wanted = if options.checks.is_empty() {
        Selection::filter(catalog, |check| profile.includes(check))
    } else {
        // Naming checks replaces the profile's choice, save that intrusive ones are not started by name.
        Selection::resolve(catalog, &options.checks)
            .map_err(fail("checks"))?
            .intersect(&Selection::filter(catalog, |check| check.mode != Mode::Intrusive))
    };
    let skipped = Selection::resolve(catalog, &options.skip).map_err(fail("skip"))?;
    let selection = wanted.without(&skipped);
    if selection.is_empty() {
        return Err(fail("checks")("no check is left to run".to_owned()));
    }
    Ok(selection)
}

fn within(
    field: &'static str,
    value: Option<u32>,
    (least, greatest, default): (u32, u32, u32),
) -> Result<u32, SettingsError> {
    let value = value.unwrap_or(default);
    if (least..=greatest).contains(&value) {
        return Ok(value);
    }
    Err(SettingsError { field, message: format!("{field} {value} is out of range: {least} to {greatest} are allowed") })
}

/// The UDP ports that a request is known for.
const COMMON_UDP: &str = "common";

fn tcp_set(text: &str) -> Result<PortSet, String> {
    if text.trim().is_empty() { Ok(PortSet::new()) } else { named_set(text) }
}

fn udp_set(text: &str) -> Result<PortSet, String> {
    match text.trim() {
        "" => Ok(PortSet::new()),
        COMMON_UDP => Ok(default_udp()),
        list => list.parse(),
    }
}
