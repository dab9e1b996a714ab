//! Checks of web sites: transport, headers, cookies, exposed files, `security.txt`.
//!
//! Each file holds one subject with its parser. Which sites a rule looks at, and which of several equal ones, is
//! decided in [`site`]. Simple rules are declarative and live in `content/checks/web/` alone.

pub mod cookies;
pub mod csp;
pub mod disclosure;
pub mod exposed;
pub mod frame;
pub mod hsts;
pub mod methods;
pub mod sectxt;
pub mod site;
pub mod sri;
pub mod transport;

use crate::Check;

/// The registry slice, in listing order.
pub static CHECKS: &[&dyn Check] = &[
    &transport::NoHttps,
    &transport::NoRedirect,
    &hsts::Rule::Missing,
    &hsts::Rule::Zero,
    &hsts::Rule::Short,
    &hsts::Rule::NoSubdomains,
    &hsts::Rule::Preload,
    &csp::Missing,
    &csp::Weak,
    &frame::Unprotected,
    &cookies::Rule::NoSecure,
    &cookies::Rule::NoHttpOnly,
    &cookies::Rule::SameSite,
    &cookies::Rule::Prefix,
    &cookies::Rule::Domain,
    &sri::Missing,
    &disclosure::Version,
    &exposed::Vcs,
    &exposed::Env,
    &sectxt::Rule::Missing,
    &sectxt::Rule::Path,
    &sectxt::Rule::NotText,
    &sectxt::Rule::NoContact,
    &sectxt::Rule::NoExpires,
    &sectxt::Rule::Expired,
    &sectxt::Rule::Expiring,
    &sectxt::Rule::Signature,
    &methods::Methods,
];
