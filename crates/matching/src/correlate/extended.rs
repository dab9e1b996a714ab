//! Builds of extended support. Red Hat goes on fixing a minor release for those who subscribe to it (`rhel_eus:8.8`) with
//! builds of that release (`4.18.0-477.51.1.el8_8`), which are older than the fix of the ordinary release (`…el8_9`) and
//! contain it all the same. An inventory does not tell the subscription; the build does, once it is one that only extended
//! support brought.

use std::sync::Arc;

use super::examine::{Compiled, Read, Weight, examine, fixed_elsewhere};
use super::subjects::Subject;
use crate::model::{Confidence, Ecosystem, Event, NoMatchReason, Package, Range, Text};

/// A package of the ordinary release, seen as one of its minor release with extended support.
pub(super) struct Extended {
    packages: Vec<Package>,
}

impl Extended {
    /// The releases with extended support one of whose fixes the package contains; `None` if there is none, or it is no
    /// build of a minor release.
    pub(super) fn of(package: &Package, subject: &Subject, statements: &[Arc<Compiled>]) -> Option<Self> {
        let (mark, minor) = minor(package)?;
        let mut packages: Vec<Package> = Vec::new();
        for compiled in statements.iter().filter(|compiled| compiled.head.withdrawn.is_none()) {
            let release = &compiled.affected.package.release;
            if is_extension(release, &minor) && !packages.iter().any(|known| known.release == *release) {
                packages.push(Package { release: release.clone(), ..package.clone() });
            }
        }
        let contains = |seen: &Package| {
            statements.iter().filter(|compiled| compiled.affected.package.release == seen.release).any(|compiled| {
                has_fix_of(compiled, &mark)
                    && examine(seen, subject, compiled, &mut [None, None]).err() == Some(NoMatchReason::OutsideRange)
            })
        };
        packages.iter().any(contains).then_some(Self { packages })
    }

    /// What a statement comes to for such a build; `None` if it is about neither release.
    pub(super) fn read(&self, package: &Package, subject: &Subject, compiled: &Arc<Compiled>) -> Option<Read> {
        let release: &Text = &compiled.affected.package.release;
        let mut keys = [None, None];
        if let Some(seen) = self.packages.iter().find(|seen| seen.release == *release) {
            return match examine(seen, subject, compiled, &mut keys) {
                Ok(read) => Some(read),
                Err(NoMatchReason::OutsideRange) => {
                    let note = format!("the installed build contains the fix of extended support ({release})");
                    Some(fixed_elsewhere(subject, compiled, note.into()))
                }
                Err(_) => None,
            };
        }
        let mut read = examine(package, subject, compiled, &mut keys).ok()?;
        read.weight = Weight::Archive;
        read.confidence = read.confidence.min(Confidence::ROUGH);
        read.notes
            .push("the installed build is of extended support; the statement is about the release without it".into());
        Some(read)
    }
}

/// The mark of a minor release in a build (`.el8_8`) and its number (`8.8`).
fn minor(package: &Package) -> Option<(String, String)> {
    if package.ecosystem != Ecosystem::RedHat {
        return None;
    }
    let at = package.version.find(".el")?;
    let digits = |text: &str| text.chars().take_while(char::is_ascii_digit).collect::<String>();
    let rest = &package.version[at + 3..];
    let major = digits(rest);
    let number = digits(rest.strip_prefix(&*major)?.strip_prefix('_')?);
    (major == *package.release && !number.is_empty())
        .then(|| (format!(".el{major}_{number}"), format!("{major}.{number}")))
}

/// Whether a release is a minor release with extended support (`rhel_eus:8.8`, `rhel_aus:8.4`).
fn is_extension(release: &str, minor: &str) -> bool {
    release.split_once(':').is_some_and(|(product, number)| product.starts_with("rhel_") && number == minor)
}

fn has_fix_of(compiled: &Compiled, mark: &str) -> bool {
    compiled.affected.ranges.iter().any(|range| match range {
        Range::Events { events, .. } => events.iter().any(|event| match event {
            Event::Fixed(version) => {
                let rest = version.find(mark).map(|at| &version[at + mark.len()..]);
                rest.is_some_and(|rest| !rest.starts_with(|next: char| next.is_ascii_digit()))
            }
            _ => false,
        }),
        _ => false,
    })
}
