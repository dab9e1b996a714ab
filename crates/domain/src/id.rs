//! Typed identifiers: mixing two of them does not compile.
//!
//! UUIDs are version 7 and are generated where randomness lives (`services::OpContext`), never here.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! uuid_ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }
    )+};
}

uuid_ids! {
    /// An organisation: the tenant every row belongs to.
    OrganizationId,
    /// A person or service account that signs in.
    UserId,
    /// A sign-in session (one refresh-token family).
    SessionId,
    /// An invitation to an organisation.
    InvitationId,
    /// A key for programs that call the API.
    ApiKeyId,
    /// Something that can be scanned.
    AssetId,
    /// One finding record: a check that fails on an asset at a location, across scans.
    FindingId,
    /// A background job.
    JobId,
    /// A schedule of scans.
    ScheduleId,
    /// One entry of a finding's history.
    FindingEventId,
}

/// A scan number, shown as `#N`, global over all organisations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(transparent)]
pub struct ScanId(pub i64);

impl fmt::Display for ScanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
