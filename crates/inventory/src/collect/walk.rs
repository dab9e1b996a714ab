//! The walk of a folder, and what it does with symbolic links.
//!
//! | a link to | is |
//! |---|---|
//! | a file below the folder that the walk reads anyway | passed over, and reported so |
//! | a file below the folder that it would not read (in a cache, under another name) | read under the link's name |
//! | a folder below the folder | passed over: what is in it is read where it lies; incomplete if the walk does not go there |
//! | a file outside of the folder | not followed; if it has the name of a known file, the audit is incomplete |
//! | a folder outside of the folder | not followed, and reported: it is no part of what is audited |
//! | nothing, or itself | not followed; if it has the name of a known file, the audit is incomplete |
//!
//! So there are no loops, each file is read once, and nothing outside of what is audited is read.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::{Collector, Skipped, shown, sniff};
use crate::format::Format;

/// Folders that hold copies of what the lock files beside them list, or no files of a project at all.
const SKIPPED_FOLDERS: [&str; 5] = [".git", ".hg", ".svn", "node_modules", "__pycache__"];
/// Folders of the kernel in the root of a system.
const KERNEL_FOLDERS: [&str; 3] = ["/proc", "/sys", "/dev"];
/// How a folder says that it holds a cache (<https://bford.info/cachedir/>); Cargo's `target` does.
const CACHE_TAG: &str = "CACHEDIR.TAG";

/// Whether a path leads, through whatever links, to a regular file below `root`, which has no links itself.
pub(super) fn is_file_within(root: &Path, path: &Path) -> bool {
    fs::canonicalize(path).is_ok_and(|real| real.starts_with(root) && real.is_file())
}

/// Whether a file of this name is one of those that tell by their content what they are, and surely mean an SBOM.
fn is_named_as_sbom(path: &Path) -> bool {
    Format::is_candidate(path) && path.file_name().is_some_and(|name| name != "status")
}

/// Whether a folder of this name is never entered.
fn is_left_out(path: &Path) -> bool {
    path.file_name().and_then(|name| name.to_str()).is_some_and(|name| SKIPPED_FOLDERS.contains(&name))
}

/// Whether the walk of `root` does not come to a folder below it.
fn leaves_out(root: &Path, folder: &Path) -> bool {
    let below = folder.ancestors().take_while(|ancestor| *ancestor != root);
    below.into_iter().any(|ancestor| is_left_out(ancestor) || ancestor.join(CACHE_TAG).is_file())
}

impl Collector {
    /// Walks `root`, whose path without links is `real`.
    pub(super) fn walk(&mut self, root: &Path, real: &Path) {
        let mut links = Vec::new();
        self.walk_folders(root, &mut links);
        self.follow(real, links);
    }

    fn walk_folders(&mut self, root: &Path, links: &mut Vec<PathBuf>) {
        let mut open = vec![(root.to_owned(), 0)];
        while let Some((folder, depth)) = open.pop() {
            let entries = match fs::read_dir(&folder) {
                Ok(entries) => entries,
                Err(error) => {
                    self.skip(&folder, format!("the folder cannot be read: {error}"));
                    continue;
                }
            };
            let mut names: Vec<(PathBuf, fs::FileType)> = Vec::new();
            for entry in entries {
                self.entries += 1;
                if self.entries > self.limits.entries {
                    return self
                        .skip(&folder, format!("more than {} entries: the walk ends here", self.limits.entries));
                }
                match entry.and_then(|entry| Ok((entry.path(), entry.file_type()?))) {
                    Ok(entry) => names.push(entry),
                    Err(error) => self.skip(&folder, format!("an entry cannot be read: {error}")),
                }
            }
            if depth > 0 && names.iter().any(|(path, kind)| kind.is_file() && path.ends_with(CACHE_TAG)) {
                continue;
            }
            names.sort_by(|a, b| a.0.cmp(&b.0));
            for (path, kind) in names {
                if self.inventory.sources.len() >= self.limits.files {
                    return self.skip(&folder, format!("more than {} files: the walk ends here", self.limits.files));
                }
                if kind.is_dir() {
                    self.descend(path, depth, &mut open);
                } else if kind.is_symlink() {
                    links.push(path);
                } else if kind.is_file() {
                    let format =
                        Format::of_path(&path).or_else(|| Format::is_candidate(&path).then(|| sniff(&path)).flatten());
                    if let Some(format) = format {
                        self.read(&path, format);
                    }
                }
            }
        }
    }

    fn descend(&mut self, path: PathBuf, depth: usize, open: &mut Vec<(PathBuf, usize)>) {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if SKIPPED_FOLDERS.contains(&name) || KERNEL_FOLDERS.iter().any(|kernel| path == Path::new(kernel)) {
            return;
        }
        if depth >= self.limits.depth {
            return self.skip(&path, format!("more than {} folders deep: not entered", self.limits.depth));
        }
        open.push((path, depth + 1));
    }

    /// Decides about the links of a walk, when it is known what was read.
    fn follow(&mut self, real: &Path, links: Vec<PathBuf>) {
        if links.is_empty() {
            return;
        }
        let mut read: BTreeSet<PathBuf> =
            self.inventory.sources.iter().filter_map(|source| fs::canonicalize(&source.path).ok()).collect();
        for link in links {
            let has_known_name = Format::of_path(&link).is_some() || is_named_as_sbom(&link);
            let Ok(target) = fs::canonicalize(&link) else {
                if has_known_name {
                    self.skip(&link, "a symbolic link that leads nowhere");
                }
                continue;
            };
            if !target.starts_with(real) {
                let reason =
                    format!("a symbolic link to `{}`, outside of what is audited: not followed", shown(&target));
                if has_known_name {
                    self.skip(&link, reason);
                } else if target.is_dir() {
                    self.pass_over(&link, reason);
                }
                continue;
            }
            if target.is_dir() && !is_left_out(&link) && leaves_out(real, &target) {
                let place = target.strip_prefix(real).unwrap_or(&target);
                self.skip(&link, format!("a symbolic link to `{}`, a folder that is not entered", shown(place)));
            }
            if !target.is_file() {
                continue;
            }
            let format =
                Format::of_path(&link).or_else(|| Format::is_candidate(&link).then(|| sniff(&target)).flatten());
            let Some(format) = format else { continue };
            if !read.insert(target.clone()) {
                let place = target.strip_prefix(real).unwrap_or(&target);
                self.pass_over(&link, format!("a symbolic link to `{}`, which is read there", shown(place)));
            } else if self.inventory.sources.len() >= self.limits.files {
                return self.skip(&link, format!("more than {} files: the walk ends here", self.limits.files));
            } else {
                self.read(&link, format);
            }
        }
    }

    fn pass_over(&mut self, path: &Path, reason: String) {
        self.inventory.passed_over.push(Skipped { path: shown(path), reason });
    }
}
