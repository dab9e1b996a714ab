//! File descriptors: how many this process may still open.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors kept free for everything else the process does.
const RESERVE: usize = 64;

/// Raises the soft limit of open files to the hard limit and returns the limit in force afterwards. A matter for the
/// program, not for a run: call it once at start.
pub fn raise_limit() -> usize {
    let limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        // Not being allowed leaves the old limit in force, which the engine respects.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
    }
    soft_limit()
}

/// How many sockets a run may have open beside what the process has open already; at least 1.
#[must_use]
pub fn available() -> usize {
    let used = std::fs::read_dir("/proc/self/fd").map_or(RESERVE, Iterator::count);
    soft_limit().saturating_sub(used + RESERVE).max(1)
}

fn soft_limit() -> usize {
    getrlimit(Resource::Nofile).current.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX))
}
