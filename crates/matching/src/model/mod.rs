//! The nouns of vulnerability management, shared by the readers of sources, the store, the inventory readers and the
//! correlation core.
//!
//! A [`Package`] is what an inventory reader found. An [`Advisory`] is one record of one source, as that source states
//! it: nothing is merged when it is read. A [`Match`] is what the core concluded. Scores and exploitation facts that
//! are about a vulnerability rather than about packages are [`Signals`].
//!
//! Not here: how any of it is read, stored or shown.

mod advisory;
mod affected;
mod ecosystem;
mod package;
mod signals;
mod text;
mod verdict;

pub use advisory::{Advisory, AdvisoryHead, AdvisoryKind, Cwe, Reference, ReferenceKind, ScoreSystem, SeverityScore};
pub use affected::{Affected, Condition, Event, NameKind, PackageKey, Range, VendorState};
pub use ecosystem::{Authority, Ecosystem, Scope};
pub use package::{DependencyScope, Origin, Owner, Ownership, Package, SourcePackage};
pub use signals::{Epss, ExploitIndex, Kev, Signals, Ssvc};
pub use text::{Interner, Text};
pub use verdict::{
    AdvisoryEvidence, Confidence, CoverageGap, GapReason, Match, MatchState, Method, NoMatch, NoMatchReason,
};
