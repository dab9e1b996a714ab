//! The invariants of ARCHITECTURE.md as rules over manifests and source text.
//!
//! Each rule is one function from the [`Tree`] to complaints, and each has a test that plants a violation and sees
//! the rule object. Text rules are deliberately simple: they look at words in code, not at types.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use bartizan_catalog::Catalog;

/// Crates that are pure: no async runtime, socket, database or clock in the manifest, no `now()` in the source.
const PURE: [&str; 7] = ["domain", "catalog", "checks", "evidence", "matching", "feeds", "reports"];
/// Dependencies a pure crate must not name. `feeds` fetches through `outbound` and is pure in its parsers only, so it
/// may name that one crate.
const IMPURE_DEPENDENCIES: [&str; 16] = [
    "tokio",
    "tokio-util",
    "tokio-rustls",
    "async-std",
    "smol",
    "futures",
    "hyper",
    "hyper-util",
    "axum",
    "reqwest",
    "socket2",
    "sqlx",
    "sea-orm",
    "sea-orm-migration",
    "redis",
    "rustls",
];
/// Crates of ours that stand for I/O.
const IMPURE_CRATES: [&str; 10] =
    ["outbound", "notify", "probes", "portscan", "engine", "storage", "jobs", "services", "http", "cli"];
/// Ways to read a clock.
const CLOCKS: [&str; 5] = ["Utc::now(", "Local::now(", "SystemTime::now(", "Instant::now(", "OffsetDateTime::now"];
/// Ways to open an outgoing connection.
const CONNECTIONS: [&str; 6] =
    ["TcpStream::connect", "UdpSocket::bind", "TcpSocket::new", "UnixStream::connect", "reqwest::", "Socket::new("];
/// Longest source file, in lines: beyond it a file has two subjects.
const MAX_LINES: usize = 700;
/// Words that mean unfinished work.
const UNFINISHED: [&str; 5] = ["TODO", "FIXME", "XXX:", "todo!(", "unimplemented!("];

/// One broken rule.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Complaint {
    /// Name of the rule.
    pub rule: &'static str,
    /// Where, relative to the root.
    pub place: String,
    /// What is wrong.
    pub message: String,
}

/// The part of the repository that the rules look at.
pub struct Tree {
    root: PathBuf,
    /// Short crate name (folder below `crates/`) to the names of its normal and build dependencies.
    dependencies: BTreeMap<String, Vec<String>>,
    /// Rust source files: path relative to the root, text.
    sources: Vec<(String, String)>,
}

/// Runs every rule; prints the complaints.
///
/// # Errors
/// If any rule is broken or the tree cannot be read.
pub fn run(root: &Path) -> Result<()> {
    let complaints = complaints(root)?;
    for complaint in &complaints {
        println!("{}: {}: {}", complaint.place, complaint.rule, complaint.message);
    }
    if !complaints.is_empty() {
        bail!("{} broken rules; ARCHITECTURE.md explains each", complaints.len());
    }
    println!("tidy: every invariant holds");
    Ok(())
}

/// Every broken rule, in order.
///
/// # Errors
/// If the tree cannot be read.
pub fn complaints(root: &Path) -> Result<Vec<Complaint>> {
    let tree = Tree::read(root)?;
    let rules: [fn(&Tree, &mut Vec<Complaint>); 10] = [
        pure_crates,
        sql_only_in_storage,
        api_only_in_http,
        connections_only_outbound,
        layers,
        clocks,
        nouns,
        mutations,
        module_docs,
        text,
    ];
    let mut found = Vec::new();
    for rule in rules {
        rule(&tree, &mut found);
    }
    content(&tree, &mut found)?;
    found.sort();
    Ok(found)
}

impl Tree {
    fn read(root: &Path) -> Result<Self> {
        let metadata = cargo_metadata::MetadataCommand::new()
            .manifest_path(root.join("Cargo.toml"))
            .no_deps()
            .other_options(vec!["--offline".to_owned()])
            .exec()
            .context("cargo metadata")?;
        let mut dependencies = BTreeMap::new();
        for package in &metadata.packages {
            let folder =
                package.manifest_path.parent().and_then(|path| path.file_name()).unwrap_or_default().to_owned();
            let names = package
                .dependencies
                .iter()
                .filter(|d| d.kind != cargo_metadata::DependencyKind::Development)
                .map(|d| d.name.clone());
            dependencies.insert(folder, names.collect());
        }
        let mut sources = Vec::new();
        for folder in ["crates", "xtask"] {
            collect(root, &root.join(folder), &mut sources)?;
        }
        sources.sort();
        Ok(Self { root: root.to_owned(), dependencies, sources })
    }

    /// Source files of the library or binary part of a crate: not its tests, benches, examples.
    fn production(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.sources.iter().filter_map(|(path, text)| {
            let name = path.strip_prefix("crates/")?.split('/').next()?;
            let inside = path.strip_prefix("crates/")?.strip_prefix(name)?;
            (inside.starts_with("/src/") && name != "test-support").then_some((name, path.as_str(), before_tests(text)))
        })
    }

    fn depends(&self, name: &str) -> &[String] {
        self.dependencies.get(name).map(Vec::as_slice).unwrap_or_default()
    }
}

/// The text up to the unit tests, which may do what production code may not.
fn before_tests(text: &str) -> &str {
    text.find("#[cfg(test)]\nmod ").map_or(text, |at| &text[..at])
}

fn collect(root: &Path, folder: &Path, sources: &mut Vec<(String, String)>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() && !path.ends_with("target") && !path.ends_with("node_modules") {
            collect(root, &path, sources)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let relative = path.strip_prefix(root)?.to_string_lossy().into_owned();
            sources.push((relative, fs::read_to_string(&path).with_context(|| path.display().to_string())?));
        }
    }
    Ok(())
}

fn pure_crates(tree: &Tree, found: &mut Vec<Complaint>) {
    for name in PURE {
        for dependency in tree.depends(name) {
            let ours = dependency
                .strip_prefix("bartizan-")
                .is_some_and(|short| IMPURE_CRATES.contains(&short) && (name, short) != ("feeds", "outbound"));
            if ours || IMPURE_DEPENDENCIES.contains(&dependency.as_str()) {
                found.push(Complaint {
                    rule: "pure-crates",
                    place: format!("crates/{name}/Cargo.toml"),
                    message: format!("a pure crate must not depend on {dependency}"),
                });
            }
        }
    }
}

fn sql_only_in_storage(tree: &Tree, found: &mut Vec<Complaint>) {
    for (name, dependencies) in &tree.dependencies {
        if ["storage", "test-support"].contains(&name.as_str()) {
            continue;
        }
        for dependency in
            dependencies.iter().filter(|d| ["sqlx", "sea-orm", "sea-orm-migration", "rusqlite"].contains(&d.as_str()))
        {
            found.push(Complaint {
                rule: "sql-only-in-storage",
                place: format!("crates/{name}/Cargo.toml"),
                message: format!("only storage may depend on {dependency}"),
            });
        }
    }
}

fn api_only_in_http(tree: &Tree, found: &mut Vec<Complaint>) {
    for (name, dependencies) in &tree.dependencies {
        if ["http", "cli", "test-support"].contains(&name.as_str()) {
            continue;
        }
        if dependencies.iter().any(|d| d == "axum" || d == "utoipa-axum") {
            found.push(Complaint {
                rule: "api-only-in-http",
                place: format!("crates/{name}/Cargo.toml"),
                message: "status codes and routes of our API live in http alone".to_owned(),
            });
        }
    }
}

fn connections_only_outbound(tree: &Tree, found: &mut Vec<Complaint>) {
    for (name, path, text) in tree.production().filter(|(name, ..)| !["outbound", "portscan"].contains(name)) {
        for way in CONNECTIONS.iter().filter(|way| code_contains(text, way)) {
            found.push(Complaint {
                rule: "connections-only-outbound",
                place: path.to_owned(),
                message: format!("`{way}` in {name}: connections are opened in outbound and portscan alone"),
            });
        }
    }
}

fn layers(tree: &Tree, found: &mut Vec<Complaint>) {
    let forbidden: [(&str, &[&str]); 10] = [
        ("http", &["storage", "engine", "probes", "outbound", "jobs"]),
        ("engine", &["storage", "jobs", "services", "http"]),
        ("services", &["http"]),
        ("storage", &["services", "http", "engine", "jobs", "probes"]),
        ("jobs", &["services", "http", "engine", "probes"]),
        ("probes", &["checks", "engine", "storage", "services", "http"]),
        ("outbound", &["probes", "checks", "engine", "storage", "services", "http"]),
        ("auth", &["storage", "services", "http", "engine"]),
        ("notify", &["storage", "jobs", "services", "http", "engine", "probes"]),
        ("portscan", &["domain", "catalog", "checks", "outbound", "probes", "engine", "storage", "services", "http"]),
    ];
    for (name, below) in forbidden {
        for dependency in tree.depends(name) {
            if dependency.strip_prefix("bartizan-").is_some_and(|short| below.contains(&short)) {
                found.push(Complaint {
                    rule: "layers",
                    place: format!("crates/{name}/Cargo.toml"),
                    message: format!("{name} must not depend on {dependency}"),
                });
            }
        }
    }
}

fn clocks(tree: &Tree, found: &mut Vec<Complaint>) {
    let timeless = |name: &str| PURE.contains(&name) || ["services", "storage", "http"].contains(&name);
    for (name, path, text) in tree.production().filter(|(name, ..)| timeless(name)) {
        // A monotonic clock for measuring a request is no source of dates.
        let allowed = |clock: &str| name == "http" && clock == "Instant::now(";
        for clock in CLOCKS.iter().filter(|clock| !allowed(clock) && code_contains(text, clock)) {
            found.push(Complaint {
                rule: "clocks",
                place: path.to_owned(),
                message: format!("`{clock})` in {name}: time comes from the caller"),
            });
        }
    }
}

/// A noun that `http` serves has its use cases in the service file of the same name.
fn nouns(tree: &Tree, found: &mut Vec<Complaint>) {
    let exists = |path: &str| tree.sources.iter().any(|(source, _)| source == path);
    for (path, text) in &tree.sources {
        let Some(noun) = path.strip_prefix("crates/http/src/").and_then(|file| file.strip_suffix(".rs")) else {
            continue;
        };
        // A folder divides its noun by subject.
        let noun = noun.split('/').next().unwrap_or(noun);
        if text.contains("#[utoipa::path(") && !exists(&format!("crates/services/src/{noun}.rs")) {
            found.push(Complaint {
                rule: "nouns",
                place: path.clone(),
                message: format!(
                    "crates/services/src/{noun}.rs does not exist: a noun has the same file name in every layer"
                ),
            });
        }
    }
}

/// What a person causes is written through the helper that adds the audit entry. What the program records on its own
/// (results of a scan, housekeeping, answers kept for idempotency) has transactions of its own, in files named here.
fn mutations(tree: &Tree, found: &mut Vec<Complaint>) {
    const OWN_RECORDS: [&str; 8] = [
        "mutation.rs",
        "scan_commit.rs",
        "scan_finish.rs",
        "scan_job.rs",
        "housekeeping.rs",
        "idempotency.rs",
        "mail_jobs.rs",
        "key_check.rs",
    ];
    for (name, path, text) in tree.production().filter(|(name, ..)| *name == "services") {
        let own = OWN_RECORDS.iter().any(|file| path.ends_with(&format!("/{file}")));
        if !own && code_contains(text, "store.begin(") {
            found.push(Complaint {
                rule: "mutations",
                place: path.to_owned(),
                message: format!(
                    "`store.begin(` in {name}: a mutation goes through the helper that writes the audit row in its transaction"
                ),
            });
        }
    }
}

fn module_docs(tree: &Tree, found: &mut Vec<Complaint>) {
    for (_, path, text) in tree.production() {
        if !text.trim_start().starts_with("//!") {
            found.push(Complaint {
                rule: "module-docs",
                place: path.to_owned(),
                message: "a module starts with `//!`: what it is, what is not here".to_owned(),
            });
        }
    }
}

fn text(tree: &Tree, found: &mut Vec<Complaint>) {
    for (path, text) in &tree.sources {
        if path.ends_with("xtask/src/tidy.rs") {
            continue;
        }
        for word in UNFINISHED.iter().filter(|word| text.contains(*word)) {
            found.push(Complaint {
                rule: "unfinished",
                place: path.clone(),
                message: format!("`{word}` marks unfinished work"),
            });
        }
        for machine in ["/root/", "/work/", "/home/"].iter().filter(|machine| text.contains(&format!("\"{machine}"))) {
            found.push(Complaint {
                rule: "machine-paths",
                place: path.clone(),
                message: format!("`{machine}` is a path of one machine"),
            });
        }
        let lines = before_tests(text).lines().count();
        if path.contains("/src/") && lines > MAX_LINES {
            found.push(Complaint {
                rule: "file-length",
                place: path.clone(),
                message: format!("{lines} lines; beyond {MAX_LINES} a file has two subjects"),
            });
        }
    }
}

/// The shipped content: frameworks name checks that exist, and every check has its three kinds of fixtures.
fn content(tree: &Tree, found: &mut Vec<Complaint>) -> Result<()> {
    let mut files = Vec::new();
    content_files(&tree.root.join("content"), &tree.root.join("content"), &mut files)?;
    let catalog = match Catalog::parse(&files) {
        Ok(catalog) => catalog,
        Err(error) => {
            found.push(Complaint { rule: "content", place: format!("content/{}", error.file), message: error.message });
            return Ok(());
        }
    };
    for (framework, control, selector) in catalog.dangling_selectors() {
        found.push(Complaint {
            rule: "frameworks",
            place: format!("content/frameworks/{framework}.json"),
            message: format!("control {control} selects `{selector}`, which no check matches"),
        });
    }
    for meta in catalog.checks() {
        let folder = tree.root.join("crates/checks/fixtures").join(meta.id.as_str());
        let names: Vec<String> = fs::read_dir(&folder)
            .map(|entries| entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect())
            .unwrap_or_default();
        for kind in ["fail", "pass", "inconclusive"] {
            if !names.iter().any(|name| name.starts_with(kind)) {
                found.push(Complaint {
                    rule: "fixtures",
                    place: format!("crates/checks/fixtures/{}", meta.id),
                    message: format!("no {kind} fixture"),
                });
            }
        }
    }
    Ok(())
}

fn content_files(root: &Path, folder: &Path, files: &mut Vec<(String, String)>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            content_files(root, &path, files)?;
        } else if let Ok(text) = fs::read_to_string(&path) {
            files.push((path.strip_prefix(root)?.to_string_lossy().into_owned(), text));
        }
    }
    Ok(())
}

/// Whether a word occurs outside of comments.
fn code_contains(text: &str, word: &str) -> bool {
    text.lines().any(|line| line.split("//").next().is_some_and(|code| code.contains(word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A copy of the real tree's manifests, sources and content, to plant violations in.
    fn copy() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let root = crate::root();
        for name in ["Cargo.toml", "Cargo.lock"] {
            fs::copy(root.join(name), folder.path().join(name)).unwrap();
        }
        for name in ["crates", "xtask", "content"] {
            copy_folder(&root.join(name), &folder.path().join(name));
        }
        folder
    }

    fn copy_folder(from: &Path, to: &Path) {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let path = entry.unwrap().path();
            let target = to.join(path.file_name().unwrap());
            if path.is_dir() {
                copy_folder(&path, &target);
            } else {
                fs::copy(&path, &target).unwrap();
            }
        }
    }

    fn plant(folder: &Path, file: &str, change: impl FnOnce(String) -> String) {
        let path = folder.join(file);
        let text = fs::read_to_string(&path).unwrap_or_default();
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, change(text)).unwrap();
    }

    fn add_dependency(line: &'static str) -> impl FnOnce(String) -> String {
        move |text| text.replacen("[dependencies]\n", &format!("[dependencies]\n{line} = {{ workspace = true }}\n"), 1)
    }

    /// Adds a line of production code: before the unit tests where a file has them.
    fn append(line: &'static str) -> impl FnOnce(String) -> String {
        move |text| match text.find("#[cfg(test)]\nmod ") {
            Some(at) => format!("{}{line}\n\n{}", &text[..at], &text[at..]),
            None => format!("{text}\n{line}\n"),
        }
    }

    #[test]
    fn the_tree_is_tidy() {
        let complaints = complaints(&crate::root()).unwrap();
        assert!(complaints.is_empty(), "{complaints:#?}");
    }

    #[test]
    fn every_planted_violation_is_found() {
        type Change = Box<dyn FnOnce(String) -> String>;
        let plants: Vec<(&str, &str, Change)> = vec![
            ("pure-crates", "crates/domain/Cargo.toml", Box::new(add_dependency("tokio"))),
            ("pure-crates", "crates/reports/Cargo.toml", Box::new(add_dependency("bartizan-outbound"))),
            ("sql-only-in-storage", "crates/services/Cargo.toml", Box::new(add_dependency("sea-orm"))),
            ("api-only-in-http", "crates/services/Cargo.toml", Box::new(add_dependency("axum"))),
            (
                "connections-only-outbound",
                "crates/probes/src/lib.rs",
                Box::new(append("fn planted() { let _ = std::net::TcpStream::connect(\"x\"); }")),
            ),
            ("layers", "crates/http/Cargo.toml", Box::new(add_dependency("bartizan-storage"))),
            ("layers", "crates/engine/Cargo.toml", Box::new(add_dependency("bartizan-storage"))),
            ("clocks", "crates/services/src/lib.rs", Box::new(append("fn planted() { let _ = chrono::Utc::now(); }"))),
            (
                "clocks",
                "crates/domain/src/score.rs",
                Box::new(append("fn planted() { let _ = std::time::SystemTime::now(); }")),
            ),
            (
                "nouns",
                "crates/http/src/widgets.rs",
                Box::new(|_| "//! Widgets.\n#[utoipa::path(get, path = \"/\")]\nfn list() {}\n".to_owned()),
            ),
            (
                "mutations",
                "crates/services/src/lib.rs",
                Box::new(append("async fn planted(db: X) { let _ = db.store.begin().await; }")),
            ),
            ("module-docs", "crates/domain/src/planted.rs", Box::new(|_| "fn planted() {}\n".to_owned())),
            ("unfinished", "crates/domain/src/planted.rs", Box::new(|_| "//! Planted. TODO\n".to_owned())),
            (
                "machine-paths",
                "crates/domain/src/planted.rs",
                Box::new(|_| "//! P.\nconst P: &str = \"/root/x\";\n".to_owned()),
            ),
            (
                "file-length",
                "crates/domain/src/planted.rs",
                Box::new(|_| format!("//! P.\n{}", "//\n".repeat(MAX_LINES))),
            ),
            (
                "frameworks",
                "content/frameworks/nis2.json",
                Box::new(|text| text.replacen("\"sectxt.*\"", "\"nonsense.*\"", 1)),
            ),
            ("content", "content/profiles/quick.toml", Box::new(|text| format!("{text}\nnonsense = 1\n"))),
            ("fixtures", "crates/checks/fixtures/cert.expired/gone", Box::new(|text| text)),
        ];
        let folder = copy();
        for (rule, file, change) in plants {
            let path = folder.path().join(file);
            let before = fs::read(&path).ok();
            if rule == "fixtures" {
                let fixtures = path.parent().unwrap().to_owned();
                let kept = fixtures.with_extension("kept");
                fs::rename(&fixtures, &kept).unwrap();
                let found = complaints(folder.path()).unwrap();
                fs::rename(&kept, &fixtures).unwrap();
                assert!(found.iter().any(|complaint| complaint.rule == rule), "{rule} not found");
                continue;
            }
            plant(folder.path(), file, change);
            let found = complaints(folder.path()).unwrap();
            assert!(
                found.iter().any(|complaint| complaint.rule == rule),
                "planted in {file}, {rule} not found: {found:#?}"
            );
            match before {
                Some(bytes) => fs::write(&path, bytes).unwrap(),
                None => fs::remove_file(&path).unwrap(),
            }
        }
    }
}
