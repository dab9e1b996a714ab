//! OVAL definitions about RPM and Debian packages: Red Hat, SUSE, Oracle, AlmaLinux, Debian.
//!
//! Source of the rules: OVAL 5.10/5.11, schemas `linux-definitions-schema` (`rpminfo`, `dpkginfo`) and `oval-definitions-schema`; the
//! vendors' notes on their files. A definition is a tree of criteria over tests; a test names an object (a package) and a
//! state. A test whose state says that EVR is *less than* a version means "affected before it"; one without such a state
//! ("is installed") means that no fix exists. Everything else (the platform, the signing key, the boot flags) only
//! restricts: the platform comes from the definition's `platform` or, without one, from the comments of its criteria.
//! `Module x:y is enabled` beside a test is a condition. Red Hat's `resolution` says why there is no fix. A definition of class
//! *patch* is a bulletin that addresses its CVEs; one of class *vulnerability* is a record about its CVE.
//!
//! The architectures of a test's state are a condition. A definition with a negated test of a package is left out and counted:
//! it says when a system is *not* affected, which no statement can.
//!
//! Not supported: `uname`, `textfilecontent54` and `variable` tests (Ubuntu's files, live kernels), `extend_definition`.
//! The definitions of a file are held until its tests are read, since these come last: memory is proportional to the
//! file, bounded by [`crate::Limits`]. Time linear.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read};

use bartizan_matching::model::{Condition, Ecosystem, NameKind, PackageKey, ReferenceKind, VendorState};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::Output;
use super::common::{self, MAX_REFERENCES};
use crate::error::{FeedError, Result};
use crate::limits::Limits;
use crate::record::Record;

/// Longest attribute or text that is kept.
const MAX_TEXT: usize = 8 << 10;

#[derive(Default)]
struct Definition {
    id: String,
    patch: bool,
    title: String,
    description: String,
    severity: String,
    issued: String,
    updated: String,
    platforms: Vec<String>,
    references: Vec<(String, String, String)>,
    cves: Vec<(String, String)>,
    resolutions: Vec<(String, Vec<String>)>,
    criteria: Vec<Criterion>,
}

/// A criterion with what stands around it.
struct Criterion {
    test: String,
    module: Option<String>,
    negated: bool,
}

/// What the files say about tests, objects and states, by id.
#[derive(Default)]
struct Lists {
    tests: HashMap<String, (String, Vec<String>, bool)>,
    objects: HashMap<String, String>,
    states: HashMap<String, (String, String)>,
    arches: HashMap<String, String>,
}

/// One file.
pub(super) fn file(reader: &mut dyn Read, limits: &Limits, out: &mut Output<'_>) -> Result<()> {
    let mut parser = Parser {
        reader: Reader::from_reader(Guard {
            inner: BufReader::with_capacity(256 << 10, reader),
            since: 0,
            bound: limits.max_record,
        }),
        path: Vec::new(),
        text: String::new(),
        definitions: Vec::new(),
        current: None,
        modules: Vec::new(),
        negated: Vec::new(),
        platforms_of_criteria: Vec::new(),
        lists: Lists::default(),
        entry: String::new(),
        limits: *limits,
        held: 0,
    };
    parser.reader.config_mut().trim_text(true);
    parser.run()?;
    let Parser { definitions, lists, .. } = parser;
    for definition in definitions {
        out.take(convert(definition, &lists).map(|advisory| Record::Advisory(Box::new(advisory))))?;
    }
    Ok(())
}

/// Fails when one tag or text does not end within the bound.
struct Guard<'r> {
    inner: BufReader<&'r mut dyn Read>,
    since: usize,
    bound: usize,
}

impl Read for Guard<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.inner.read(buffer)
    }
}

impl BufRead for Guard<'_> {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        if self.since > self.bound {
            return Err(std::io::Error::other(format!("a tag or a text is longer than {} bytes", self.bound)));
        }
        self.inner.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.since += amount;
        self.inner.consume(amount);
    }
}

struct Parser<'r> {
    reader: Reader<Guard<'r>>,
    path: Vec<String>,
    text: String,
    definitions: Vec<Definition>,
    current: Option<Definition>,
    /// The module that each open `criteria` is limited to.
    modules: Vec<Option<String>>,
    /// Whether each open `criteria` is negated by itself or by one above it.
    negated: Vec<bool>,
    platforms_of_criteria: Vec<String>,
    lists: Lists,
    /// Id of the test, object or state that is open.
    entry: String,
    limits: Limits,
    /// Bytes held for later.
    held: u64,
}

impl Parser<'_> {
    fn run(&mut self) -> Result<()> {
        let mut buffer = Vec::new();
        let mut opened = false;
        loop {
            buffer.clear();
            self.reader.get_mut().since = 0;
            let at = self.reader.buffer_position();
            let syntax = |rule: String| FeedError::Syntax { at, rule: rule.chars().take(200).collect() };
            let event = match self.reader.read_event_into(&mut buffer) {
                Ok(event) => event,
                Err(quick_xml::Error::Io(error)) => {
                    return Err(crate::input::damaged("plain", &std::io::Error::new(error.kind(), error.to_string())));
                }
                Err(error) if error.to_string().contains("end of input") => {
                    return Err(FeedError::Truncated("within an XML document"));
                }
                Err(error) => return Err(syntax(error.to_string())),
            };
            match event {
                Event::Start(start) => {
                    opened = true;
                    let start = start.into_owned();
                    self.open(&start)?;
                }
                Event::Empty(start) => {
                    opened = true;
                    let start = start.into_owned();
                    self.open(&start)?;
                    self.close();
                }
                Event::End(_) => self.close(),
                Event::Text(text) if self.text.len() < MAX_TEXT => {
                    self.text.push_str(&text[..text.floor_char_boundary(MAX_TEXT)]);
                }
                Event::CData(text) if self.text.len() < MAX_TEXT => {
                    self.text.push_str(&text[..text.floor_char_boundary(MAX_TEXT)]);
                }
                Event::GeneralRef(reference) if self.text.len() < MAX_TEXT => {
                    let character = reference.resolve_char_ref().ok().flatten();
                    // An entity that the document would have to define is never expanded.
                    match (character, quick_xml::escape::resolve_predefined_entity(&reference)) {
                        (Some(character), _) => self.text.push(character),
                        (None, Some(text)) => self.text.push_str(text),
                        (None, None) => {}
                    }
                }
                Event::DocType(_) => return Err(syntax("a document type is not admitted".to_owned())),
                Event::Eof => break,
                _ => {}
            }
        }
        if !opened || !self.path.is_empty() {
            return Err(FeedError::Truncated("within an XML document"));
        }
        Ok(())
    }

    fn hold(&mut self, bytes: usize) -> Result<()> {
        self.held += bytes as u64;
        let limit = (self.limits.max_record as u64).saturating_mul(16);
        if self.held > limit {
            return Err(FeedError::Limit { what: "the size of an OVAL file's definitions in bytes", limit });
        }
        Ok(())
    }

    fn open(&mut self, start: &BytesStart<'_>) -> Result<()> {
        if self.path.len() >= self.limits.max_depth {
            return Err(FeedError::Limit { what: "the nesting of XML", limit: self.limits.max_depth as u64 });
        }
        let name = start.local_name().as_ref().to_owned();
        let mut attributes: Vec<(String, String)> = Vec::new();
        for attribute in start.attributes().with_checks(false).take(50).flatten() {
            let key = attribute.key.local_name().as_ref().to_owned();
            let raw = &*attribute.value;
            let value = quick_xml::escape::unescape(raw).unwrap_or(std::borrow::Cow::Borrowed(raw));
            attributes.push((key, common::cut(&value, MAX_TEXT).to_string()));
        }
        let get = |key: &str| {
            attributes.iter().find(|(name, _)| name == key).map_or("", |(_, value)| value.as_str()).to_owned()
        };
        self.text.clear();
        self.hold(name.len() + attributes.iter().map(|(_, value)| value.len()).sum::<usize>())?;
        match name.as_str() {
            "definition" => {
                if self.definitions.len() as u64 >= self.limits.max_records {
                    return Err(FeedError::Limit { what: "the number of definitions", limit: self.limits.max_records });
                }
                self.current =
                    Some(Definition { id: get("id"), patch: get("class") == "patch", ..Definition::default() });
                self.modules.clear();
                self.negated.clear();
                self.platforms_of_criteria.clear();
            }
            "criteria" => {
                self.modules.push(self.modules.last().cloned().flatten());
                self.negated.push(self.negated.last() == Some(&true) || is_true(&get("negate")));
            }
            "criterion" => self.criterion(&get("test_ref"), &get("comment"), &get("negate")),
            "reference" => {
                if let Some(definition) = &mut self.current {
                    definition.references.push((get("source"), get("ref_id"), get("ref_url")));
                }
            }
            "cve" => {
                let cvss = [get("cvss4"), get("cvss3"), get("cvss2")].into_iter().find(|text| !text.is_empty());
                if let Some(definition) = &mut self.current {
                    definition.cves.push((get("href"), cvss.unwrap_or_default()));
                }
            }
            "resolution" => {
                if let Some(definition) = &mut self.current {
                    definition.resolutions.push((get("state"), Vec::new()));
                }
            }
            "issued" | "updated" => {
                if let Some(definition) = &mut self.current {
                    let date = get("date");
                    if name == "issued" {
                        definition.issued = date;
                    } else {
                        definition.updated = date;
                    }
                }
            }
            name if name.ends_with("_test") => {
                self.entry = get("id");
                let package = matches!(name, "rpminfo_test" | "dpkginfo_test");
                self.lists.tests.insert(self.entry.clone(), (String::new(), Vec::new(), package));
            }
            name if name.ends_with("_object") || name.ends_with("_state") => self.entry = get("id"),
            "object" => {
                if let Some(test) = self.lists.tests.get_mut(&self.entry) {
                    test.0 = get("object_ref");
                }
            }
            "state" => {
                if let Some(test) = self.lists.tests.get_mut(&self.entry) {
                    test.1.push(get("state_ref"));
                }
            }
            "evr" => {
                let operation = get("operation");
                self.lists.states.insert(self.entry.clone(), (operation, String::new()));
            }
            _ => {}
        }
        self.path.push(name);
        Ok(())
    }

    fn criterion(&mut self, test: &str, comment: &str, negate: &str) {
        let module = comment
            .strip_prefix("Module ")
            .and_then(|rest| rest.strip_suffix(" is enabled"))
            .filter(|module| module.contains(':'));
        if let Some(module) = module {
            // It limits what is joined with it, which comes after it or before it in the same group.
            if let Some(open) = self.modules.last_mut() {
                *open = Some(module.to_owned());
            }
            return;
        }
        if let Some(platform) = comment.strip_suffix(" is installed").filter(|name| common::platform(name).is_some()) {
            self.platforms_of_criteria.push(platform.to_owned());
        }
        let module = self.modules.last().cloned().flatten();
        let negated = self.negated.last() == Some(&true) || is_true(negate);
        if let Some(definition) = &mut self.current {
            definition.criteria.push(Criterion { test: test.to_owned(), module, negated });
        }
    }

    fn close(&mut self) {
        let Some(name) = self.path.pop() else { return };
        let text = std::mem::take(&mut self.text);
        let parent = self.path.last().map_or("", String::as_str);
        self.held += text.len() as u64;
        match (name.as_str(), parent) {
            ("definition", _) => {
                if let Some(mut definition) = self.current.take() {
                    if definition.platforms.is_empty() {
                        definition.platforms.append(&mut self.platforms_of_criteria);
                    }
                    self.definitions.push(definition);
                }
            }
            ("criteria", _) => {
                self.modules.pop();
                self.negated.pop();
            }
            ("name", parent) if parent.ends_with("info_object") => {
                self.lists.objects.insert(self.entry.clone(), text);
            }
            ("arch", parent) if parent.ends_with("_state") => {
                self.lists.arches.insert(self.entry.clone(), text);
            }
            ("evr", _) => {
                if let Some(state) = self.lists.states.get_mut(&self.entry) {
                    state.1 = text;
                }
            }
            (name, _) => {
                let Some(definition) = &mut self.current else { return };
                match name {
                    "title" => definition.title = text,
                    "description" => definition.description = text,
                    "severity" => definition.severity = text,
                    "platform" => definition.platforms.push(text),
                    "cve" => {
                        if let Some(cve) = definition.cves.last_mut() {
                            cve.0 = text;
                        }
                    }
                    "component" => {
                        if let Some((_, components)) = definition.resolutions.last_mut() {
                            components.push(text);
                        }
                    }
                    _ => {}
                }
            }
        }
    }
}

fn is_true(text: &str) -> bool {
    matches!(text.trim(), "true" | "1")
}

/// The architectures of a state: one, or a pattern that lists some (`aarch64|x86_64`, `^(?:a|b)$`).
fn arches(pattern: &str) -> Condition {
    let bare = pattern.trim().trim_start_matches('^').trim_end_matches('$');
    let bare = bare.strip_prefix('(').and_then(|bare| bare.strip_suffix(')')).unwrap_or(bare);
    let bare = bare.strip_prefix("?:").unwrap_or(bare);
    let is_name = |name: &str| {
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
    };
    if bare.split('|').all(is_name) {
        Condition::Arch(bare.split('|').take(50).map(|name| common::cut(name, 40)).collect())
    } else {
        Condition::Unevaluated(common::cut(&format!("architecture {pattern}"), 200))
    }
}

fn convert(definition: Definition, lists: &Lists) -> Result<bartizan_matching::model::Advisory> {
    let negated = |criterion: &&Criterion| {
        criterion.negated && lists.tests.get(&criterion.test).is_some_and(|(_, _, package)| *package)
    };
    if definition.criteria.iter().find(negated).is_some() {
        return Err(FeedError::record(&definition.id, "a negated test of a package is not supported"));
    }
    let mut cves: Vec<bartizan_matching::model::Text> = Vec::new();
    for (source, id, _) in &definition.references {
        if source.eq_ignore_ascii_case("CVE") {
            cves.extend(common::cves_in(id));
        }
    }
    for (id, _) in &definition.cves {
        cves.extend(common::cves_in(id));
    }
    if cves.is_empty() {
        cves = common::cves_in(&definition.title);
    }
    cves.sort_unstable();
    cves.dedup();
    let bulletin = definition
        .references
        .iter()
        .find(|(source, id, _)| !source.eq_ignore_ascii_case("CVE") && !id.is_empty() && !common::is_cve(id))
        .map(|(_, id, _)| id.as_str());
    let platforms: Vec<(Ecosystem, String)> =
        definition.platforms.iter().filter_map(|name| common::platform(name)).collect();
    let source = platforms.first().map_or("oval", |(ecosystem, _)| match ecosystem {
        Ecosystem::RedHat => "redhat",
        Ecosystem::AlmaLinux => "almalinux",
        Ecosystem::RockyLinux => "rocky",
        Ecosystem::OracleLinux => "oracle",
        Ecosystem::Suse | Ecosystem::OpenSuse => "suse",
        Ecosystem::Debian => "debian",
        Ecosystem::Ubuntu => "ubuntu",
        _ => "oval",
    });
    let id = match (&cves[..], bulletin) {
        ([only], _) if !definition.patch => only.to_string(),
        (_, Some(bulletin)) => bulletin.to_owned(),
        _ => definition.id.clone(),
    };
    let mut advisory = common::advisory(&common::cut(&id, 120), source);
    advisory.head.addresses = cves.into_iter().filter(|cve| *cve != advisory.head.id).collect();
    advisory.summary = common::line(&definition.title);
    advisory.details = common::details(&definition.description);
    advisory.published = common::time(&definition.issued);
    common::revise(&mut advisory, if definition.updated.is_empty() { &definition.issued } else { &definition.updated });
    advisory.head.severities.extend(common::label(&definition.severity, source));
    for (_, cvss) in &definition.cves {
        // Red Hat writes `5.7/CVSS:3.0/…`.
        let vector =
            cvss.split_once('/').filter(|(score, _)| score.parse::<f32>().is_ok()).map_or(cvss.as_str(), |(_, v)| v);
        let severity = common::vector(vector, None, source).filter(|new| !advisory.head.severities.contains(new));
        advisory.head.severities.extend(severity);
    }
    for (_, _, url) in definition.references.iter().take(MAX_REFERENCES) {
        advisory.references.extend(common::reference(ReferenceKind::Advisory, url));
    }
    for criterion in &definition.criteria {
        let Some((object, states, true)) = lists.tests.get(&criterion.test) else { continue };
        let Some(package) = lists.objects.get(object).filter(|name| !name.is_empty()) else { continue };
        let versions = states.iter().filter_map(|state| lists.states.get(state));
        let fixed = versions
            .clone()
            .find(|(operation, version)| operation == "less than" && !version.is_empty())
            .map(|(_, version)| version.trim());
        // A state about anything but the version (signing key, release of the system) is a restriction.
        if fixed.is_none() && !states.is_empty() {
            continue;
        }
        let state = match fixed {
            Some(_) => VendorState::Affected,
            None => resolution(&definition.resolutions, package),
        };
        for (ecosystem, release) in &platforms {
            if fixed.is_none() && is_release_package(package) {
                continue;
            }
            let kind = if *ecosystem == Ecosystem::Debian { NameKind::Source } else { NameKind::Binary };
            let key = PackageKey::new(ecosystem.clone(), release, package);
            let mut statement = common::statement(key, kind, state);
            // Debian's "earlier than 0" says that the package was never affected.
            match fixed.map(|version| version.strip_prefix("0:").unwrap_or(version)) {
                Some("0") => statement.state = VendorState::NotAffected,
                Some(version) => statement.ranges.push(common::before(version)),
                None => {}
            }
            let pattern = states.iter().find_map(|state| lists.arches.get(state)).filter(|text| !text.is_empty());
            statement.conditions.extend(pattern.map(|pattern| arches(pattern)));
            if let Some(module) = &criterion.module {
                statement.conditions.push(Condition::Module(common::cut(module, 100)));
            }
            if !advisory.affected.contains(&statement) {
                advisory.affected.push(statement);
            }
        }
    }
    Ok(advisory)
}

/// Packages that stand for the system itself in OVAL tests.
fn is_release_package(name: &str) -> bool {
    name.ends_with("-release") || name == "suse-release" || name == "sles-release"
}

/// What Red Hat says about a package without a fix. Components may be written `module:stream/package`.
fn resolution(resolutions: &[(String, Vec<String>)], package: &str) -> VendorState {
    let of_package = resolutions.iter().find(|(_, components)| {
        components.iter().any(|component| component == package || component.ends_with(&format!("/{package}")))
    });
    let word = of_package.or(resolutions.first()).map_or("", |(state, _)| state.as_str());
    match word.to_ascii_lowercase().as_str() {
        "will not fix" => VendorState::WillNotFix,
        "out of support scope" => VendorState::EndOfLife,
        "under investigation" => VendorState::UnderInvestigation,
        "not affected" => VendorState::NotAffected,
        _ => VendorState::NoFixYet,
    }
}
