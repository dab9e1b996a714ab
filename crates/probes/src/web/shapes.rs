//! What a fetched file is, by its structure. Status codes and names prove nothing: many sites answer every path
//! with the same page.

use std::collections::BTreeSet;

use bartizan_domain::evidence::web::PathShape;

use super::document::starts_like_html;

/// What the prober hopes to tell apart at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// `.git/HEAD`.
    GitHead,
    /// `.git/config`.
    GitConfig,
    /// A file below `.git/refs`.
    GitRef,
    /// A loose object.
    GitObject,
    /// `.git/objects/info/packs`.
    GitPacks,
    /// `.svn/entries`.
    SvnEntries,
    /// `.svn/wc.db`.
    SvnDatabase,
    /// `.hg/requires`.
    Hg,
    /// An environment file.
    Env,
}

/// The shape of `body`, looked at with one expectation.
pub fn shape(expect: Expect, body: &[u8]) -> PathShape {
    if starts_like_html(body) {
        return PathShape::Html;
    }
    let found = match expect {
        Expect::GitHead => text(body).and_then(git_head).map(|_| PathShape::GitHead),
        Expect::GitConfig => text(body).and_then(git_config),
        Expect::GitRef => text(body).and_then(object_id).map(|_| PathShape::GitRef),
        Expect::GitObject => is_zlib(body).then_some(PathShape::GitObject),
        Expect::GitPacks => text(body).is_some_and(lists_packs).then_some(PathShape::GitObject),
        Expect::SvnEntries => text(body).is_some_and(svn_entries).then_some(PathShape::Svn),
        Expect::SvnDatabase => body.starts_with(b"SQLite format 3\0").then_some(PathShape::Svn),
        Expect::Hg => text(body).is_some_and(hg_requires).then_some(PathShape::Hg),
        Expect::Env => text(body).and_then(env),
    };
    found.unwrap_or(PathShape::Other)
}

/// What `.git/HEAD` points to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GitHead {
    /// A reference: `refs/heads/main`.
    Reference(String),
    /// An object id, for a detached head.
    Object(String),
}

/// Reads `.git/HEAD`: exactly one line, a symbolic reference below `refs/` or an object id (gitrepository-layout).
pub fn git_head(text: &str) -> Option<GitHead> {
    let line = text.strip_suffix('\n').unwrap_or(text);
    if let Some(reference) = line.strip_prefix("ref: ") {
        let reference = reference.trim();
        let plain = |c: char| c.is_ascii_alphanumeric() || "/-_.@+#".contains(c);
        let well_formed = reference.starts_with("refs/")
            && reference.len() <= 200
            && reference.chars().all(plain)
            && !reference.contains("..")
            && !reference.ends_with('/');
        return well_formed.then(|| GitHead::Reference(reference.to_owned()));
    }
    object_id(line).map(GitHead::Object)
}

/// One object id, SHA-1 or SHA-256 in lower-case hex.
pub fn object_id(text: &str) -> Option<String> {
    let id = text.trim_end_matches(['\n', '\r']);
    let hex = id.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    (hex && (id.len() == 40 || id.len() == 64)).then(|| id.to_owned())
}

/// Reads a repository's `config`: INI-like, with a `[core]` section that says what every repository's does.
fn git_config(text: &str) -> Option<PathShape> {
    let (mut section, mut remotes, mut credentials, mut core) = (String::new(), 0_u32, false, false);
    for line in text.lines().map(str::trim) {
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(rest) = line.strip_prefix('[') {
            let (header, _) = rest.split_once(']')?;
            section = header.trim().to_ascii_lowercase();
            if section.starts_with("remote ") {
                remotes = remotes.saturating_add(1);
            }
            continue;
        }
        if section.is_empty() {
            return None;
        }
        let (key, value) = line.split_once('=').unwrap_or((line, ""));
        let key = key.trim().to_ascii_lowercase();
        if section == "core" && ["repositoryformatversion", "bare", "filemode"].contains(&key.as_str()) {
            core = true;
        }
        if key == "url" || key == "pushurl" {
            credentials |= has_password(value.trim());
        }
    }
    core.then_some(PathShape::GitConfig { remotes, credentials })
}

fn has_password(remote: &str) -> bool {
    url::Url::parse(remote)
        .is_ok_and(|url| url.password().is_some() || (url.scheme().starts_with("http") && !url.username().is_empty()))
}

/// Whether the body begins with a zlib header (RFC 1950, section 2.2), as a loose object does.
fn is_zlib(body: &[u8]) -> bool {
    match body {
        [cmf, flags, _, ..] => {
            cmf & 0x0f == 8
                && cmf >> 4 <= 7
                && flags & 0x20 == 0
                && (u16::from(*cmf) << 8 | u16::from(*flags)).is_multiple_of(31)
        }
        _ => false,
    }
}

fn lists_packs(text: &str) -> bool {
    let pack = |line: &str| {
        line.strip_prefix("P pack-")
            .and_then(|rest| rest.strip_suffix(".pack"))
            .is_some_and(|id| object_id(id).is_some())
    };
    text.lines().any(pack) && text.lines().all(|line| line.is_empty() || pack(line))
}

/// `entries` begins with the format number; from format 12 on it is nothing else.
fn svn_entries(text: &str) -> bool {
    let mut lines = text.lines();
    match lines.next().map(str::trim) {
        Some("12") => lines.all(|line| line.trim().is_empty()),
        Some("8" | "9" | "10") => text.contains("\ndir\n"),
        _ => false,
    }
}

/// `requires` lists features, one a line; every repository since 2008 has `revlogv1` or its successors.
fn hg_requires(text: &str) -> bool {
    let lines: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
    let feature = |line: &&str| !line.is_empty() && line.len() < 60 && line.bytes().all(|b| b.is_ascii_graphic());
    let known = ["revlogv1", "store", "dotencode", "fncache", "generaldelta", "sparserevlog", "share-safe"];
    (1..=30).contains(&lines.len())
        && lines.iter().all(feature)
        && lines.iter().filter(|line| known.contains(line)).count() >= 2.min(lines.len())
}

/// Reads an environment file: lines `NAME=value`, comments, blank lines. One other line in ten is borne (values
/// over several lines), more is some other text.
fn env(text: &str) -> Option<PathShape> {
    let (mut assignments, mut foreign, mut secrets) = (0_u32, 0_u32, 0_u32);
    let mut names = BTreeSet::new();
    for line in text.lines().map(str::trim) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let line = line.strip_prefix("export ").unwrap_or(line);
        match line.split_once('=') {
            Some((name, value)) if is_variable(name.trim_end()) => {
                assignments += 1;
                let name = name.trim_end();
                if sounds_secret(name) && !value.trim().trim_matches(['"', '\'']).is_empty() {
                    secrets += 1;
                }
                names.insert(name.to_owned());
            }
            _ => foreign += 1,
        }
    }
    let convincing = assignments >= 1 && foreign * 10 <= assignments;
    convincing.then(|| PathShape::Env { assignments, names: names.into_iter().take(50).collect(), secrets })
}

/// POSIX names; `-` and `.` never occur, a lower-case one-letter name is rather a query string.
fn is_variable(name: &str) -> bool {
    (2..=80).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn sounds_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    ["SECRET", "PASSWORD", "PASSWD", "TOKEN", "APIKEY", "API_KEY", "PRIVATE", "CREDENTIAL", "DATABASE_URL", "DSN"]
        .iter()
        .any(|word| name.contains(word))
        || name.split('_').any(|part| ["KEY", "PASS", "PWD", "PW", "SALT"].contains(&part))
}

fn text(body: &[u8]) -> Option<&str> {
    std::str::from_utf8(body).ok().filter(|text| !text.contains('\0'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn heads_are_strict() {
        assert_eq!(git_head("ref: refs/heads/main\n"), Some(GitHead::Reference("refs/heads/main".into())));
        assert!(matches!(git_head(&format!("{}\n", "a1".repeat(20))), Some(GitHead::Object(_))));
        for text in
            ["ref: refs/heads/main\nmore", "ref: ../x", "ref: refs/../etc/passwd", "hello", "", "ref: refs/heads/"]
        {
            assert_eq!(git_head(text), None, "{text:?}");
        }
    }

    #[test]
    fn configurations_need_a_core_section() {
        let config = "[core]\n\trepositoryformatversion = 0\n\tbare = false\n[remote \"origin\"]\n\turl = https://me:pw@git.test/x.git\n";
        assert_eq!(shape(Expect::GitConfig, config.as_bytes()), PathShape::GitConfig { remotes: 1, credentials: true });
        assert_eq!(shape(Expect::GitConfig, b"[section]\nkey = value\n"), PathShape::Other);
        assert_eq!(shape(Expect::GitConfig, b"key = value\n[core]\nbare = true"), PathShape::Other);
        assert_eq!(shape(Expect::GitConfig, b"<!doctype html><p>[core]\nbare=true"), PathShape::Html);
    }

    #[test]
    fn environment_files_give_names_and_no_values() {
        let file =
            "# production\nAPP_KEY=base64:hunter2hunter2\nexport DB_PASSWORD='hunter2'\nDEBUG=true\nEMPTY_TOKEN=\n";
        let found = shape(Expect::Env, file.as_bytes());
        assert_eq!(
            found,
            PathShape::Env {
                assignments: 4,
                names: ["APP_KEY", "DB_PASSWORD", "DEBUG", "EMPTY_TOKEN"].map(str::to_owned).to_vec(),
                secrets: 2
            }
        );
        assert!(!serde_json::to_string(&found).unwrap().contains("hunter2"));
        for text in ["a=b&c=d", "{\"a\"=\"b\"}", "just text\nwith = sign", "", "x=1"] {
            assert_eq!(shape(Expect::Env, text.as_bytes()), PathShape::Other, "{text:?}");
        }
    }

    #[test]
    fn other_version_control() {
        assert_eq!(shape(Expect::SvnEntries, b"12\n"), PathShape::Svn);
        assert_eq!(shape(Expect::SvnEntries, b"12 monkeys\n"), PathShape::Other);
        assert_eq!(shape(Expect::SvnDatabase, b"SQLite format 3\0\x10\0"), PathShape::Svn);
        assert_eq!(shape(Expect::Hg, b"dotencode\nfncache\nrevlogv1\nstore\n"), PathShape::Hg);
        assert_eq!(shape(Expect::Hg, b"not found\n"), PathShape::Other);
        assert_eq!(shape(Expect::GitObject, &[0x78, 0x01, 0x4b, 0xca]), PathShape::GitObject);
        assert_eq!(shape(Expect::GitObject, b"Not found"), PathShape::Other);
        let packs = format!("P pack-{}.pack\n\n", "0f".repeat(20));
        assert_eq!(shape(Expect::GitPacks, packs.as_bytes()), PathShape::GitObject);
    }

    proptest! {
        #[test]
        fn any_bytes_have_a_shape(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            for expect in [Expect::GitHead, Expect::GitConfig, Expect::GitRef, Expect::GitObject, Expect::GitPacks,
                           Expect::SvnEntries, Expect::SvnDatabase, Expect::Hg, Expect::Env] {
                let _ = shape(expect, &bytes);
            }
        }

        #[test]
        fn any_ini_text_is_read(text in "(\\[?[a-z \"]{0,8}\\]?\n?[a-z]{0,5} ?=? ?[ -~]{0,10}\n){0,10}") {
            let _ = shape(Expect::GitConfig, text.as_bytes());
            let _ = shape(Expect::Env, text.as_bytes());
        }
    }
}
