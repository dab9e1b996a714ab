//! CSAF 2.0 advisories and VEX: Red Hat, SUSE, CISA's industrial advisories.
//!
//! Source of the rules: OASIS CSAF 2.0, sections 3.2.2 (product tree) and 3.2.3 (vulnerabilities); Red Hat's notes on how its
//! documents use them. A security advisory becomes one record that addresses its CVEs, whose statements name those they
//! are about where they are not about all; a VEX document (`csaf_vex`) becomes one
//! record for each of its vulnerabilities. A product is a package on a platform: the relationship
//! `default_component_of` (or `installed_on` …) joins both; the package is told by its package URL, else by the
//! name-version-release-architecture text of its name; the platform by its CPE (Red Hat), else by its name.
//!
//! | `product_status` | becomes |
//! |---|---|
//! | `fixed`, `first_fixed`, `recommended` | affected before the version of the package |
//! | `known_affected`, `first_affected`, `last_affected` | no fix yet, or will not be fixed where a remediation says so |
//! | `known_not_affected` | not affected |
//! | `under_investigation` | under investigation |
//!
//! A product with the package URL of a language becomes a statement about that package, unless it is a part of another
//! product or is said not to be affected: a publisher knows its own products, and the ecosystem decides about its packages.
//! Products that are no packages
//! (industrial advisories) become configurations where they have a CPE name, and otherwise statements about the generic
//! package `vendor:product`; both with ranges where the version is written as `<`, `<=`, `vers:`.
//!
//! Not supported: threats; signed arch conditions. A document is held in memory,
//! at most [`crate::Limits::max_record`]. Linear in products times vulnerabilities.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use super::Output;
use super::common::{self, MAX_REFERENCES};
use super::openvex::decode;
use crate::error::{FeedError, Result};
use crate::json::JsonStream;
use crate::record::Record;
use bartizan_matching::model::{
    Advisory, Affected, Condition, Ecosystem, NameKind, PackageKey, ReferenceKind, Scope, Text, VendorState,
};

mod document;
mod products;

use document::{Branch, Document, Note, Product, ProductTree, ReferenceJson, Vulnerability};
use products::{language_package, of_language, other_product};

/// Depth of branches in a product tree.
const MAX_BRANCHES: usize = 30;

/// What a product id stands for.
#[derive(Clone, Default)]
struct Entry<'d> {
    name: Cow<'d, str>,
    vendor: Cow<'d, str>,
    product: Cow<'d, str>,
    version: Cow<'d, str>,
    cpe: Cow<'d, str>,
    purl: Cow<'d, str>,
}

/// The product tree by product id.
struct Tree<'d> {
    entries: HashMap<&'d str, Entry<'d>>,
    /// Product id to package and platform.
    joined: HashMap<&'d str, (&'d str, &'d str)>,
    /// Group id to product ids.
    groups: HashMap<&'d str, Vec<&'d str>>,
}

impl<'d> Tree<'d> {
    fn new(tree: &'d ProductTree<'_>) -> Result<Self> {
        let groups = tree.product_groups.iter().map(|group| {
            let ids: Vec<&str> = group.product_ids.iter().map(|id| &**id).collect();
            (&*group.group_id, ids)
        });
        let mut found = Self { entries: HashMap::new(), joined: HashMap::new(), groups: groups.collect() };
        for branch in &tree.branches {
            found.walk(branch, &Entry::default(), 0)?;
        }
        for product in &tree.full_product_names {
            found.entry(product, &Entry::default());
        }
        for relationship in &tree.relationships {
            found.joined.insert(
                &relationship.full_product_name.product_id,
                (&relationship.product_reference, &relationship.relates_to_product_reference),
            );
        }
        Ok(found)
    }

    fn walk(&mut self, branch: &'d Branch<'_>, above: &Entry<'d>, depth: usize) -> Result<()> {
        if depth >= MAX_BRANCHES {
            return Err(FeedError::record("", "the branches of its product tree are nested too deep"));
        }
        let mut here = above.clone();
        let name = Cow::Borrowed(&*branch.name);
        match &*branch.category {
            "vendor" => here.vendor = name,
            "product_name" => here.product = name,
            "product_version" | "product_version_range" => here.version = name,
            _ => {}
        }
        if let Some(product) = &branch.product {
            self.entry(product, &here);
        }
        branch.branches.iter().try_for_each(|inner| self.walk(inner, &here, depth + 1))
    }

    fn entry(&mut self, product: &'d Product<'_>, above: &Entry<'d>) {
        let mut entry = above.clone();
        entry.name = Cow::Borrowed(&product.name);
        entry.cpe = Cow::Borrowed(&product.product_identification_helper.cpe);
        entry.purl = Cow::Borrowed(&product.product_identification_helper.purl);
        self.entries.insert(&product.product_id, entry);
    }

    /// Package and platform of a product id, however deep the relationships are nested (a module's package on a
    /// platform takes two). The innermost package is the package, the outermost place the platform; a module between
    /// them is the third.
    fn resolve(&self, id: &str) -> (Option<&Entry<'d>>, Option<&Entry<'d>>, Option<&Entry<'d>>) {
        let mut package = id;
        let mut platform: Option<&str> = None;
        let mut module = None;
        for _ in 0..8 {
            let Some((inner, place)) = self.joined.get(package) else { break };
            let outer = self.outermost(place);
            if platform.is_none() {
                platform = Some(outer);
            }
            if let Some((middle, _)) = self.joined.get(place) {
                module = self.entries.get(middle);
            }
            package = inner;
        }
        (self.entries.get(package), platform.and_then(|platform| self.entries.get(platform)), module)
    }

    fn outermost<'t>(&'t self, mut place: &'t str) -> &'t str {
        for _ in 0..8 {
            match self.joined.get(place) {
                Some((_, outer)) => place = outer,
                None => break,
            }
        }
        place
    }
}

/// A package of a distribution as a product names it.
struct Package {
    ecosystem: Option<Ecosystem>,
    name: String,
    version: String,
    source: bool,
    module: Option<Text>,
}

impl Package {
    fn of(entry: &Entry<'_>) -> Option<Self> {
        Self::of_purl(&entry.purl).or_else(|| Self::of_nevra(&entry.name))
    }

    fn of_purl(purl: &str) -> Option<Self> {
        let rest = purl.strip_prefix("pkg:")?;
        let (path, qualifiers) = rest.split_once('?').unwrap_or((rest, ""));
        let (path, version) = path.rsplit_once('@').unwrap_or((path, ""));
        let mut parts = path.split('/');
        let kind = parts.next()?;
        if !matches!(kind, "rpm" | "deb" | "apk") {
            return None;
        }
        let namespace = parts.next()?;
        let name = parts.next_back().unwrap_or(namespace);
        let ecosystem = match namespace {
            "redhat" => Some(Ecosystem::RedHat),
            "suse" => Some(Ecosystem::Suse),
            "opensuse" => Some(Ecosystem::OpenSuse),
            "debian" => Some(Ecosystem::Debian),
            "ubuntu" => Some(Ecosystem::Ubuntu),
            _ => None,
        };
        let qualifier = |key: &str| {
            let found = qualifiers.split('&').filter_map(|pair| pair.split_once('=')).find(|(name, _)| *name == key);
            found.map(|(_, value)| decode(value))
        };
        let version = decode(version);
        let version = match qualifier("epoch") {
            Some(epoch) if epoch != "0" && !version.is_empty() => format!("{epoch}:{version}"),
            _ => version,
        };
        let arch = qualifier("arch").unwrap_or_default();
        let module = qualifier("rpmmod").and_then(|module| {
            // `nodejs:18:8080020230718160424:63b34585`: name and stream decide.
            let mut parts = module.split(':');
            Some(Text::from(format!("{}:{}", parts.next()?, parts.next()?)))
        });
        Some(Self { ecosystem, name: decode(name), version, source: matches!(&*arch, "src" | "source"), module })
    }

    /// `openssl-1_1-1.1.1l-150500.17.22.1.x86_64`, `git-lfs-0:2.13.3-3.el8_6.1.src`
    fn of_nevra(text: &str) -> Option<Self> {
        let (bare, arch) = text
            .rsplit_once('.')
            .filter(|(_, arch)| {
                matches!(
                    *arch,
                    "src"
                        | "nosrc"
                        | "noarch"
                        | "x86_64"
                        | "aarch64"
                        | "ppc64le"
                        | "s390x"
                        | "i686"
                        | "i586"
                        | "armv7hl"
                        | "ppc64"
                        | "s390"
                        | "i386"
                )
            })
            .unwrap_or((text, ""));
        let (rest, release) = bare.rsplit_once('-')?;
        let (name, version) = rest.rsplit_once('-')?;
        let starts_with_digit = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
        if name.is_empty() || !starts_with_digit(version) || name.contains(' ') {
            return None;
        }
        let version = version.strip_prefix("0:").unwrap_or(version);
        Some(Self {
            ecosystem: None,
            name: name.to_owned(),
            version: format!("{version}-{release}"),
            source: matches!(arch, "src" | "nosrc"),
            module: None,
        })
    }
}

/// Where a package is installed.
fn scope(platform: &Entry<'_>) -> Option<Scope> {
    if let Some(rest) =
        platform.cpe.strip_prefix("cpe:/").and_then(|cpe| cpe.split_once(":redhat:")).map(|(_, rest)| rest)
    {
        return Some(Scope::of_osv(&format!("Red Hat:{rest}")));
    }
    let cpe = &platform.cpe;
    if let Some(at) =
        ["cpe:/o:suse:", "cpe:/o:opensuse:"].iter().find_map(|prefix| cpe.strip_prefix(prefix).map(|_| prefix.len()))
    {
        // `cpe:/o:suse:sles:15:sp5`, `cpe:/o:opensuse:leap:15.5`
        let mut parts = cpe[at..].split(':');
        let (product, version, pack) = (parts.next()?, parts.next().unwrap_or(""), parts.next().unwrap_or(""));
        let (ecosystem, words) = if cpe.contains(":opensuse:") {
            (Ecosystem::OpenSuse, format!("{product} {version}"))
        } else {
            (Ecosystem::Suse, format!("Linux Enterprise {version} {pack}"))
        };
        let release = ecosystem.normalise_release(&words);
        return Some(Scope { ecosystem, release: release.into(), pocket: Text::default() });
    }
    let (ecosystem, release) = common::platform(&platform.name)?;
    Some(Scope { ecosystem, release: release.into(), pocket: Text::default() })
}

/// One product of one vulnerability.
fn product(tree: &Tree<'_>, id: &str, state: VendorState, advisory: &mut Advisory, seen: &mut Seen) {
    let (package, platform, module) = tree.resolve(id);
    // A module is where packages come from; it is no package itself.
    let Some(entry) = package.filter(|entry| !entry.purl.starts_with("pkg:rpmmod/")) else { return };
    if let (Some(package), Some(platform)) = (Package::of(entry), platform) {
        let Some(scope) = scope(platform) else { return };
        if package.ecosystem.as_ref().is_some_and(|ecosystem| ecosystem.purl_type() != scope.ecosystem.purl_type()) {
            return;
        }
        let kind = if package.source { NameKind::Source } else { NameKind::Binary };
        let key = PackageKey::new(scope.ecosystem, &scope.release, &package.name);
        let mut statement = common::statement(key, kind, state);
        if state == VendorState::Affected {
            if package.version.is_empty() {
                return;
            }
            statement.ranges.push(common::before(&package.version));
        }
        let module = package.module.or_else(|| module.and_then(|module| stream_of(module)));
        statement.conditions.extend(module.map(Condition::Module));
        statement.conditions.extend(common::pocket(&scope.pocket));
        add(statement, advisory, seen);
        return;
    }
    if let Some((ecosystem, name, version)) = language_package(&entry.purl) {
        // A language's package as a part of a product: what is said holds in the product, and nowhere else.
        if platform.is_some() {
            return;
        }
        return of_language(entry, (ecosystem, &name, &version), state, advisory, seen);
    }
    if platform.is_some() && entry.cpe.is_empty() && state != VendorState::Affected {
        // A package without a version on a platform: VEX of Red Hat for what has no fix.
        let Some(scope) = platform.and_then(scope) else { return };
        let (stream, name) = in_module(entry.name.trim());
        let key = PackageKey::new(scope.ecosystem, &scope.release, name);
        let mut statement = common::statement(key, NameKind::Source, state);
        statement.conditions.extend(stream.map(|stream| Condition::Module(stream.into())));
        statement.conditions.extend(common::pocket(&scope.pocket));
        add(statement, advisory, seen);
        return;
    }
    other_product(entry, state, advisory, seen);
}

/// Module stream and name of a component without a version (`nodejs:16/nodejs`).
fn in_module(name: &str) -> (Option<&str>, &str) {
    match name.split_once('/') {
        Some((stream, rest)) if stream.contains(':') && !rest.is_empty() => (Some(stream), rest),
        _ => (None, name),
    }
}

/// `nodejs:18:…` of a module product.
fn stream_of(module: &Entry<'_>) -> Option<Text> {
    let written = if module.purl.starts_with("pkg:rpmmod/") {
        let rest = module.purl.rsplit('/').next()?;
        decode(&rest.split('?').next()?.replace('@', ":"))
    } else {
        module.name.to_string()
    };
    let mut parts = written.split(':');
    Some(format!("{}:{}", parts.next()?, parts.next().filter(|stream| !stream.is_empty())?).into())
}

/// A key by which equal statements are left out: architectures share them all.
type Affected_ = (PackageKey, NameKind, u8, String);

fn add(statement: Affected, advisory: &mut Advisory, seen: &mut Seen) {
    let rest = format!("{:?}{:?}{:?}", statement.ranges, statement.versions, statement.conditions);
    let key = (statement.package.clone(), statement.name_kind, statement.state as u8, rest);
    let about = match seen.places.get(&key) {
        Some(at) => &mut seen.about[*at],
        None => {
            seen.places.insert(key, advisory.affected.len());
            advisory.affected.push(statement);
            seen.about.push(Vec::new());
            let last = seen.about.len() - 1;
            &mut seen.about[last]
        }
    };
    if about.last() != Some(&seen.vulnerability) {
        about.push(seen.vulnerability);
    }
}

/// The statements of a document, and which of its vulnerabilities say each of them.
#[derive(Default)]
struct Seen {
    places: BTreeMap<Affected_, usize>,
    /// For each statement the vulnerabilities by their place in the document, ascending.
    about: Vec<Vec<usize>>,
    /// The vulnerability that is read.
    vulnerability: usize,
}

impl Seen {
    /// Writes into each statement which vulnerabilities it is about, unless it is about all of them: documents give one
    /// package different states for different vulnerabilities.
    fn settle(&self, vulnerabilities: &[Vulnerability<'_>], advisory: &mut Advisory) {
        let all = &advisory.head.addresses;
        for (statement, about) in advisory.affected.iter_mut().zip(&self.about) {
            let mut ids: Vec<Text> = Vec::new();
            for id in about.iter().map(|at| &vulnerabilities[*at].cve) {
                if !ids.iter().any(|known| *known == **id) {
                    ids.push((&**id).into());
                }
            }
            // What a vulnerability without a name says cannot be told from the others.
            let unnamed = ids.iter().any(|id| !all.contains(id));
            if !unnamed && ids.len() < all.len() {
                statement.conditions.push(Condition::About(ids));
            }
        }
    }
}

/// The statements of one vulnerability.
fn statements(tree: &Tree<'_>, vulnerability: &Vulnerability<'_>, advisory: &mut Advisory, seen: &mut Seen) {
    let status = &vulnerability.product_status;
    for id in status.fixed.iter().chain(&status.first_fixed).chain(&status.recommended) {
        product(tree, id, VendorState::Affected, advisory, seen);
    }
    let mut unfixed: BTreeMap<&str, VendorState> = BTreeMap::new();
    for remediation in &vulnerability.remediations {
        let words = remediation.details.to_ascii_lowercase();
        let state = match &*remediation.category {
            "no_fix_planned" if words.contains("out of support") => VendorState::EndOfLife,
            "no_fix_planned" => VendorState::WillNotFix,
            _ => continue,
        };
        let grouped = remediation.group_ids.iter().filter_map(|id| tree.groups.get(&**id)).flatten().copied();
        for id in remediation.product_ids.iter().map(|id| &**id).chain(grouped) {
            unfixed.insert(id, state);
        }
    }
    for id in status.known_affected.iter().chain(&status.first_affected).chain(&status.last_affected) {
        let state = unfixed.get(&**id).copied().unwrap_or(VendorState::NoFixYet);
        product(tree, id, state, advisory, seen);
    }
    for id in &status.known_not_affected {
        product(tree, id, VendorState::NotAffected, advisory, seen);
    }
    for id in &status.under_investigation {
        product(tree, id, VendorState::UnderInvestigation, advisory, seen);
    }
}

fn describe(vulnerability: &Vulnerability<'_>, source: &str, advisory: &mut Advisory) {
    for score in &vulnerability.scores {
        for cvss in [&score.cvss_v4, &score.cvss_v3, &score.cvss_v2].into_iter().flatten() {
            let severity = cvss.severity(source).filter(|severity| !advisory.head.severities.contains(severity));
            advisory.head.severities.extend(severity);
        }
    }
    if let Some(cwe) = common::cwe(&vulnerability.cwe.id).filter(|cwe| !advisory.cwes.contains(cwe)) {
        advisory.cwes.push(cwe);
    }
}

fn note<'n>(notes: &'n [Note<'_>], categories: &[&str]) -> &'n str {
    categories
        .iter()
        .find_map(|category| notes.iter().find(|note| *note.category == **category))
        .map_or("", |note| &note.text)
}

fn references(list: &[ReferenceJson<'_>], advisory: &mut Advisory) {
    for reference in list {
        let kind = if &*reference.category == "self" { ReferenceKind::Advisory } else { ReferenceKind::Web };
        if advisory.references.len() < MAX_REFERENCES
            && !advisory.references.iter().any(|known| known.url == *reference.url)
        {
            advisory.references.extend(common::reference(kind, &reference.url));
        }
    }
}

fn convert(bytes: &[u8], out: &mut Output<'_>) -> Result<()> {
    let read: Document<'_> = serde_json::from_slice(bytes).map_err(|error| FeedError::record("", error))?;
    let meta = &read.document;
    let publisher = meta.publisher.name.to_lowercase();
    // Records of one id and different publishers are different records.
    let source = match () {
        () if publisher.contains("red hat") => Cow::Borrowed("redhat"),
        () if publisher.contains("suse") => Cow::Borrowed("suse"),
        () if publisher.contains("cisa") => Cow::Borrowed("cisa-csaf"),
        () if publisher.trim().is_empty() => Cow::Borrowed("csaf"),
        () => Cow::Owned(common::cut(&format!("csaf:{}", publisher.trim()), 60).to_string()),
    };
    let source = &*source;
    let tree = Tree::new(&read.product_tree)?;
    let base = |id: &str| {
        let mut advisory = common::advisory(&common::cut(id, 120), source);
        advisory.published = common::time(&meta.tracking.initial_release_date);
        common::revise(&mut advisory, &meta.tracking.current_release_date);
        advisory
    };
    if &*meta.category == "csaf_vex" {
        for vulnerability in read.vulnerabilities.iter().filter(|vulnerability| !vulnerability.cve.is_empty()) {
            let mut advisory = base(&vulnerability.cve);
            advisory.summary = common::line(&vulnerability.title);
            advisory.details = common::details(note(&vulnerability.notes, &["description", "summary"]));
            advisory.head.severities.extend(common::label(&meta.aggregate_severity.text, source));
            describe(vulnerability, source, &mut advisory);
            references(&vulnerability.references, &mut advisory);
            statements(&tree, vulnerability, &mut advisory, &mut Seen::default());
            out.take(Ok(Record::Advisory(Box::new(advisory))))?;
        }
        return Ok(());
    }
    let mut advisory = base(&meta.tracking.id);
    advisory.summary = common::line(&meta.title);
    advisory.details = common::details(note(&meta.notes, &["summary", "description", "general"]));
    advisory.head.severities.extend(common::label(&meta.aggregate_severity.text, source));
    references(&meta.references, &mut advisory);
    let mut seen = Seen::default();
    for (at, vulnerability) in read.vulnerabilities.iter().enumerate() {
        seen.vulnerability = at;
        if common::is_cve(&vulnerability.cve)
            && !advisory.head.addresses.iter().any(|known| known == &*vulnerability.cve)
        {
            advisory.head.addresses.push((&*vulnerability.cve).into());
        }
        describe(vulnerability, source, &mut advisory);
        statements(&tree, vulnerability, &mut advisory, &mut seen);
    }
    seen.settle(&read.vulnerabilities, &mut advisory);
    out.take(Ok(Record::Advisory(Box::new(advisory))))
}

/// Documents one after the other.
pub(super) fn documents(stream: &mut JsonStream<'_>, out: &mut Output<'_>) -> Result<()> {
    stream.records(|bytes| match convert(bytes, out) {
        Err(error) if error.is_of_one_record() => out.take(Err(error)),
        other => other,
    })
}
