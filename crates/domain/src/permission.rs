//! Who may do what: dotted permissions, and the built-in roles as sets of them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

macro_rules! permissions {
    ($($variant:ident = $text:literal),+ $(,)?) => {
        /// A permission an operation asks for. The colon form (`scans:run`) is read as an alias.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Permission {
            $(#[doc = concat!("`", $text, "`")] $variant),+
        }

        impl Permission {
            /// Every permission.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The dotted form.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }
    };
}

permissions! {
    DashboardView = "dashboard.view", AssetsView = "assets.view", ScansView = "scans.view",
    FindingsView = "findings.view", VulnsView = "vulns.view", AlertsView = "alerts.view",
    TemplatesView = "templates.view", SchedulesView = "schedules.view", ScannersView = "scanners.view",
    AccountsView = "accounts.view", IntelligenceView = "intelligence.view", ComplianceView = "compliance.view",
    EvidenceView = "evidence.view", ReportsView = "reports.view", ConfigView = "config.view",
    SystemView = "system.view", ExportsRun = "exports.run",
    ScansRun = "scans.run", ScansCancel = "scans.cancel", PreflightRun = "preflight.run",
    ReportsGenerate = "reports.generate", AuditView = "audit.view",
    AssetsManage = "assets.manage", FindingsTriage = "findings.triage", VulnsTriage = "vulns.triage",
    AlertsManage = "alerts.manage", TemplatesManage = "templates.manage", SchedulesManage = "schedules.manage",
    GithubScan = "github.scan", ScopesManage = "scopes.manage", EvidenceManage = "evidence.manage",
    ScansDelete = "scans.delete", ReportsDelete = "reports.delete", AccountsManage = "accounts.manage",
    ScannersManage = "scanners.manage", PoliciesManage = "policies.manage", CataloguesManage = "catalogues.manage",
    MembersManage = "members.manage", UsersManage = "users.manage", ConfigManage = "config.manage",
    ConfigTest = "config.test", BrandingManage = "branding.manage", RetentionManage = "retention.manage",
    SystemManage = "system.manage", ModesManage = "modes.manage",
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Permission {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let dotted = text.replacen(':', ".", 1);
        Self::ALL.iter().copied().find(|p| p.as_str() == dotted).ok_or_else(|| format!("unknown permission `{text}`"))
    }
}

/// A built-in role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything.
    Admin,
    /// Triage and asset upkeep, and all an auditor may.
    Analyst,
    /// Runs scans, reads all, generates reports, reads the audit log.
    Auditor,
    /// Reads. `viewer` is a synonym.
    #[serde(alias = "viewer")]
    ReadOnly,
}

impl Role {
    /// The wire form.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Analyst => "analyst",
            Self::Auditor => "auditor",
            Self::ReadOnly => "read_only",
        }
    }

    /// Whether the role holds `permission`. Roles are nested: each holds what the one before it does.
    #[must_use]
    pub fn holds(self, permission: Permission) -> bool {
        self.rank() >= least_rank(permission)
    }

    /// Every permission the role holds.
    pub fn permissions(self) -> impl Iterator<Item = Permission> {
        Permission::ALL.iter().copied().filter(move |permission| self.holds(*permission))
    }

    const fn rank(self) -> u8 {
        match self {
            Self::ReadOnly => 0,
            Self::Auditor => 1,
            Self::Analyst => 2,
            Self::Admin => 3,
        }
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "admin" => Ok(Self::Admin),
            "analyst" => Ok(Self::Analyst),
            "auditor" => Ok(Self::Auditor),
            "read_only" | "viewer" => Ok(Self::ReadOnly),
            _ => Err(format!("unknown role `{text}`: expected admin, analyst, auditor or read_only")),
        }
    }
}

/// Most characters of the name of a role.
const ROLE_NAME_LENGTH: usize = 40;

/// Name of a role: a built-in one, or one that an organisation made of permissions. Lower-case letters, digits and
/// underscores, beginning with a letter; `viewer` is read as `read_only`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = String, example = "analyst"))]
#[serde(try_from = "String")]
pub struct RoleName(String);

impl RoleName {
    /// The wire form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The built-in role of this name, if it is one.
    #[must_use]
    pub fn builtin(&self) -> Option<Role> {
        self.0.parse().ok()
    }
}

impl From<Role> for RoleName {
    fn from(role: Role) -> Self {
        Self(role.as_str().to_owned())
    }
}

impl fmt::Display for RoleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for RoleName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(role) = text.parse::<Role>() {
            return Ok(role.into());
        }
        let rule = text.len() <= ROLE_NAME_LENGTH
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        if rule {
            Ok(Self(text.to_owned()))
        } else {
            Err(format!(
                "a role's name has 1 to {ROLE_NAME_LENGTH} lower-case letters, digits and underscores and begins with \
                 a letter"
            ))
        }
    }
}

impl TryFrom<String> for RoleName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

const fn least_rank(permission: Permission) -> u8 {
    use Permission as P;
    match permission {
        P::DashboardView
        | P::AssetsView
        | P::ScansView
        | P::FindingsView
        | P::VulnsView
        | P::AlertsView
        | P::TemplatesView
        | P::SchedulesView
        | P::ScannersView
        | P::AccountsView
        | P::IntelligenceView
        | P::ComplianceView
        | P::EvidenceView
        | P::ReportsView
        | P::ConfigView
        | P::SystemView
        | P::ExportsRun => 0,
        P::ScansRun | P::ScansCancel | P::PreflightRun | P::ReportsGenerate | P::AuditView => 1,
        P::AssetsManage
        | P::FindingsTriage
        | P::VulnsTriage
        | P::AlertsManage
        | P::TemplatesManage
        | P::SchedulesManage
        | P::GithubScan
        | P::ScopesManage
        | P::EvidenceManage => 2,
        P::ScansDelete
        | P::ReportsDelete
        | P::AccountsManage
        | P::ScannersManage
        | P::PoliciesManage
        | P::CataloguesManage
        | P::MembersManage
        | P::UsersManage
        | P::ConfigManage
        | P::ConfigTest
        | P::BrandingManage
        | P::RetentionManage
        | P::SystemManage
        | P::ModesManage => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn role_names_are_plain_words_and_viewer_is_read_only() {
        let name = |text: &str| text.parse::<RoleName>();
        assert_eq!(name("viewer").unwrap().as_str(), "read_only");
        assert_eq!(name("admin").unwrap().builtin(), Some(Role::Admin));
        assert_eq!(name("soc_lead2").unwrap().builtin(), None);
        for bad in ["", "Admin", "2nd", "a b", "a-b", "_a", &"x".repeat(41)] {
            assert!(name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn roles_are_nested_and_the_colon_form_is_read() {
        assert_eq!("scans:run".parse(), Ok(Permission::ScansRun));
        let count = |role: Role| role.permissions().count();
        assert_eq!(count(Role::ReadOnly), 17);
        assert_eq!(count(Role::Auditor), 22);
        assert_eq!(count(Role::Analyst), 31);
        assert_eq!(count(Role::Admin), Permission::ALL.len());
    }
}
