//! Path building: from a server's certificate to a root that is trusted, with every reason why not.
//!
//! The rules are those of RFC 5280, section 6, that decide what a TLS client accepts: names and signatures chain, every
//! issuer is a certificate authority allowed to sign certificates, path lengths and name constraints hold, usage
//! permits a server, no critical extension is unknown. Two things are left to checks of their own: strength of keys and
//! signatures, and time, which is only looked at when an instant is given.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use x509_parser::extensions::{ExtendedKeyUsage, NameConstraints};
use x509_parser::prelude::{GeneralName, ParsedExtension};

use super::verify::{Verification, signed_by};
use super::x509::{Cert, Chain, shorten};
use crate::JudgeSettings;

/// Longest path, the server's certificate included.
const MAX_PATH: usize = 8;
/// Signatures verified for one path: hostile chains cannot cost more.
const MAX_SIGNATURES: u32 = 60;
/// Reasons that are kept.
const MAX_PROBLEMS: usize = 10;

static BUILTIN: LazyLock<Vec<Cert<'static>>> =
    LazyLock::new(|| webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().filter_map(|der| Cert::parse(der)).collect());

/// Certificates trusted for themselves.
#[derive(Debug)]
pub struct Anchors<'a> {
    extra: Vec<Cert<'a>>,
}

impl<'a> Anchors<'a> {
    /// The built-in roots and those of the user.
    #[must_use]
    pub fn new(settings: &'a JudgeSettings) -> Self {
        Self { extra: settings.extra_roots.iter().filter_map(|der| Cert::parse(der)).collect() }
    }

    fn all(&self) -> impl Iterator<Item = (&Cert<'a>, Origin)> {
        let own = self.extra.iter().map(|cert| (cert, Origin::User));
        BUILTIN.iter().map(|cert| (cert, Origin::Builtin)).chain(own)
    }

    fn is_anchor(&self, certificate: &Cert<'_>) -> Option<Origin> {
        self.all().find(|(anchor, _)| anchor.der == certificate.der).map(|(_, origin)| origin)
    }

    /// Whether a certificate itself is trusted.
    #[must_use]
    pub fn contains(&self, certificate: &Cert<'_>) -> bool {
        self.is_anchor(certificate).is_some()
    }

    /// Whether any anchor bears this name, DER.
    #[must_use]
    pub fn knows_name(&self, name: &[u8]) -> bool {
        self.all().any(|(anchor, _)| anchor.x509.subject().as_raw() == name)
    }
}

/// Where an anchor comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The public roots built in.
    Builtin,
    /// The user's own.
    User,
}

/// Which certificates a path may use between the server's and the root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pool {
    /// Those the server sent.
    Sent,
    /// And those that were looked up.
    SentAndFetched,
}

/// A path that ends at an anchor.
#[derive(Debug)]
pub struct Path<'c, 'a> {
    /// From the server's certificate to the last one below the anchor, or the anchor itself if it was sent.
    pub certificates: Vec<&'c Cert<'a>>,
    /// Whose anchor it is.
    pub origin: Origin,
}

/// Why there is no path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoPath {
    /// Every reason met, in order.
    pub problems: Vec<String>,
    /// Whether a signature could not be computed, so that trust is not known.
    pub unknown: bool,
}

/// Looks for a path. `at` is seconds since 1970: certificates not valid then are not used. `None` ignores time.
///
/// # Errors
/// All reasons why there is none.
pub fn find<'c, 'a>(
    chain: &'c Chain<'a>,
    pool: Pool,
    anchors: &Anchors<'_>,
    at: Option<i64>,
) -> Result<Path<'c, 'a>, NoPath> {
    let candidates: Vec<&'c Cert<'a>> = match pool {
        Pool::Sent => chain.sent.iter().collect(),
        Pool::SentAndFetched => chain.sent.iter().chain(&chain.fetched).collect(),
    };
    let mut search = Search { candidates, anchors, at, signatures: 0, problems: Vec::new(), unknown: false };
    search.leaf_usage(&chain.leaf);
    let leaf_fits = search.problems.is_empty() && search.in_time(&chain.leaf);
    let mut path = vec![&chain.leaf];
    let found = search.extend(&mut path);
    match found {
        Some(origin) if leaf_fits => Ok(Path { certificates: path, origin }),
        _ => {
            let mut seen = BTreeSet::new();
            search.problems.retain(|problem| seen.insert(problem.clone()));
            search.problems.truncate(MAX_PROBLEMS);
            Err(NoPath { problems: search.problems, unknown: search.unknown && leaf_fits })
        }
    }
}

struct Search<'c, 'a, 's> {
    candidates: Vec<&'c Cert<'a>>,
    anchors: &'s Anchors<'s>,
    at: Option<i64>,
    signatures: u32,
    problems: Vec<String>,
    unknown: bool,
}

impl<'c, 'a> Search<'c, 'a, '_> {
    fn extend(&mut self, path: &mut Vec<&'c Cert<'a>>) -> Option<Origin> {
        let current: &'c Cert<'a> = path.last().copied()?;
        if let Some(origin) = self.anchors.is_anchor(current) {
            return Some(origin);
        }
        let wanted = current.x509.issuer().as_raw();
        let mut met = false;
        let anchors = self.anchors;
        for (anchor, origin) in anchors.all().filter(|(anchor, _)| anchor.x509.subject().as_raw() == wanted) {
            met = true;
            // A root is trusted for itself, so its own dates and usage are the keeper's of the store.
            if self.signature(current, anchor) && self.constraints(anchor, path) {
                return Some(origin);
            }
        }
        if path.len() >= MAX_PATH {
            self.problem(format!("the chain is longer than {MAX_PATH} certificates"));
            return None;
        }
        for candidate in self.candidates.clone() {
            if candidate.x509.subject().as_raw() != wanted || path.iter().any(|used| used.der == candidate.der) {
                continue;
            }
            met = true;
            let fits = self.in_time(candidate)
                && self.may_issue(candidate, path)
                && self.constraints(candidate, path)
                && self.signature(current, candidate);
            if fits {
                path.push(candidate);
                if let Some(origin) = self.extend(path) {
                    return Some(origin);
                }
                path.pop();
            }
        }
        if current.self_issued() {
            self.problem(format!("`{}` is a root that is not trusted", subject(current)));
        } else if !met {
            let issuer = shorten(&current.x509.issuer().to_string());
            self.problem(format!("the issuer `{issuer}` was not sent and is no trusted root"));
        }
        None
    }

    fn problem(&mut self, text: String) {
        self.problems.push(text);
    }

    fn signature(&mut self, certificate: &Cert<'_>, issuer: &Cert<'_>) -> bool {
        self.signatures += 1;
        if self.signatures > MAX_SIGNATURES {
            self.problem(format!("more than {MAX_SIGNATURES} signatures to verify"));
            return false;
        }
        match signed_by(certificate, issuer) {
            Verification::Valid => true,
            Verification::Invalid => {
                self.problem(format!(
                    "`{}` was not signed with the key of `{}`",
                    subject(certificate),
                    subject(issuer)
                ));
                false
            }
            Verification::Unsupported(what) => {
                self.unknown = true;
                self.problem(format!("the signature of `{}` cannot be verified: {what}", subject(certificate)));
                false
            }
        }
    }

    fn in_time(&mut self, certificate: &Cert<'_>) -> bool {
        let Some(at) = self.at else { return true };
        let (begin, end) = certificate.validity();
        let fits = begin <= at && at <= end;
        if !fits {
            self.problem(format!("`{}` is not valid at this time", subject(certificate)));
        }
        fits
    }

    /// Whether `issuer` may sign certificates at this place. `below` is the path so far.
    fn may_issue(&mut self, issuer: &Cert<'_>, below: &[&Cert<'_>]) -> bool {
        let name = subject(issuer);
        let before = self.problems.len();
        match issuer.x509.basic_constraints() {
            Ok(Some(basic)) if basic.value.ca => {
                // Self-issued certificates below do not count (RFC 5280, section 4.2.1.9); the leaf does not either.
                let between = below.iter().skip(1).filter(|cert| !cert.self_issued()).count();
                if let Some(limit) = basic.value.path_len_constraint
                    && between > usize::try_from(limit).unwrap_or(usize::MAX)
                {
                    self.problem(format!(
                        "`{name}` permits {limit} certificate authorities below it, there are {between}"
                    ));
                }
            }
            _ => self.problem(format!("`{name}` is no certificate authority")),
        }
        match issuer.x509.key_usage() {
            Ok(Some(usage)) if !usage.value.key_cert_sign() => {
                self.problem(format!("the key usage of `{name}` does not include signing certificates"));
            }
            Err(_) => self.problem(format!("the key usage of `{name}` cannot be read")),
            _ => {}
        }
        self.server_usage(issuer);
        self.critical(issuer);
        self.problems.len() == before
    }

    fn leaf_usage(&mut self, leaf: &Cert<'_>) {
        self.server_usage(leaf);
        self.critical(leaf);
    }

    fn server_usage(&mut self, certificate: &Cert<'_>) {
        match certificate.x509.extended_key_usage() {
            Ok(Some(usage)) if !permits_server(usage.value) => {
                let name = subject(certificate);
                self.problem(format!("the extended key usage of `{name}` does not include server authentication"));
            }
            Err(_) => {
                let name = subject(certificate);
                self.problem(format!("the extended key usage of `{name}` cannot be read"));
            }
            _ => {}
        }
    }

    fn critical(&mut self, certificate: &Cert<'_>) {
        for extension in certificate.x509.extensions().iter().filter(|extension| extension.critical) {
            let unknown = matches!(
                extension.parsed_extension(),
                ParsedExtension::UnsupportedExtension { .. } | ParsedExtension::ParseError { .. }
            );
            if unknown {
                let (name, oid) = (subject(certificate), extension.oid.to_id_string());
                self.problem(format!("`{name}` has the critical extension {oid}, which is not understood"));
            }
        }
    }

    fn constraints(&mut self, issuer: &Cert<'_>, below: &[&Cert<'_>]) -> bool {
        let constraints = match issuer.x509.name_constraints() {
            Ok(Some(extension)) => extension.value,
            Ok(None) => return true,
            Err(_) => {
                let name = subject(issuer);
                self.problem(format!("the name constraints of `{name}` cannot be read"));
                return false;
            }
        };
        let Some(leaf) = below.first() else { return true };
        let outside: Vec<String> = leaf
            .alternative_names()
            .into_iter()
            .filter(|name| !permitted(constraints, name))
            .map(|name| shorten(&name.to_string()))
            .collect();
        if let Some(first) = outside.first() {
            self.problem(format!("`{}` may not issue for {first}", subject(issuer)));
        }
        outside.is_empty()
    }
}

fn subject(certificate: &Cert<'_>) -> String {
    shorten(&certificate.x509.subject().to_string())
}

fn permits_server(usage: &ExtendedKeyUsage<'_>) -> bool {
    usage.server_auth || usage.any
}

/// Whether name constraints leave a name of the server's certificate free (RFC 5280, section 4.2.1.10). Only the two
/// kinds of name that identify servers are judged.
fn permitted(constraints: &NameConstraints<'_>, name: &GeneralName<'_>) -> bool {
    let excluded = constraints.excluded_subtrees.iter().flatten().any(|tree| within(&tree.base, name) == Some(true));
    let mut of_kind =
        constraints.permitted_subtrees.iter().flatten().filter_map(|tree| within(&tree.base, name)).peekable();
    let allowed = of_kind.peek().is_none() || of_kind.any(|inside| inside);
    !excluded && allowed
}

/// Whether `name` lies in the subtree; `None` if they are of different kinds.
fn within(base: &GeneralName<'_>, name: &GeneralName<'_>) -> Option<bool> {
    match (base, name) {
        (GeneralName::DNSName(base), GeneralName::DNSName(name)) => {
            let base = base.trim_start_matches('.').to_ascii_lowercase();
            let name = name.trim_start_matches("*.").to_ascii_lowercase();
            Some(base.is_empty() || name == base || name.ends_with(&format!(".{base}")))
        }
        (GeneralName::IPAddress(base), GeneralName::IPAddress(name)) => {
            let half = base.len() / 2;
            let inside = base.len() == name.len() * 2
                && name.iter().enumerate().all(|(i, byte)| byte & base[half + i] == base[i] & base[half + i]);
            Some(inside)
        }
        _ => None,
    }
}

/// Whether the certificate itself says that its issuer is a self-signed root: the authority key identifier may name the
/// issuer of the issuer, and then it is the issuer's own name.
#[must_use]
pub fn issuer_is_a_root(certificate: &Cert<'_>) -> bool {
    certificate.x509.extensions().iter().any(|extension| match extension.parsed_extension() {
        ParsedExtension::AuthorityKeyIdentifier(key) => key.authority_cert_issuer.iter().flatten().any(|name| {
            matches!(name, GeneralName::DirectoryName(directory) if directory.as_raw() == certificate.x509.issuer().as_raw())
        }),
        _ => false,
    })
}
