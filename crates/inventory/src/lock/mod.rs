//! Lock files of language package managers: what a build was resolved to.
//!
//! One file a format; each says what it reads, where its rules come from and what it does not support. A lock file
//! names releases of a registry, and commits, archives and folders beside them; the latter are kept apart by
//! [`Origin`](crate::Origin), because advisories speak about releases.

pub mod cargo;
pub mod composer;
pub mod conan;
pub mod gemfile;
pub mod gomod;
pub mod gosum;
pub mod gradle;
pub mod mix;
pub mod npm;
pub mod nuget;
pub mod pipfile;
pub mod pnpm;
pub mod poetry;
pub mod pom;
pub mod requirements;
pub mod uv;
pub mod yarn;
