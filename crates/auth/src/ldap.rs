//! Sign-in with a directory: search for the entry, then bind as it (RFC 4511, 4513).
//!
//! What a person typed goes into a filter escaped (RFC 4515) and never into a distinguished name. An empty password is
//! refused before anything is sent: a server would take it for an unauthenticated bind and say yes. Exactly one entry
//! must be found. The connection is one of [`bartizan_outbound`], to an address it has vetted.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bartizan_outbound::http::Trust;
use bartizan_outbound::{Outbound, Settings, names, tls_verified};
use ldap3::adapters::EntriesOnly;
use ldap3::{Ldap, LdapConnAsync, LdapConnSettings, Scope, SearchEntry, SearchOptions, StdStream, ldap_escape};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::task::AbortHandle;
use url::{Host, Url};

use crate::external::{ExternalIdentity, Step, plain};

/// What every identity of a directory has as its issuer: entries keep their unique ids when the directory moves.
pub const ISSUER: &str = "ldap";
/// In place of the name that was typed, in a filter.
pub const USERNAME: &str = "{username}";
/// In place of the distinguished name that was found, in a filter for groups.
pub const DN: &str = "{dn}";

/// For one operation.
const OPERATION: Duration = Duration::from_secs(8);
/// For everything a sign-in takes.
const TOTAL: Duration = Duration::from_secs(20);
/// Addresses of the server that are tried.
const MOST_ADDRESSES: usize = 4;
/// Groups that are looked at.
const MOST_GROUPS: usize = 2000;
/// Characters of a name that is looked for.
const LONGEST_NAME: usize = 256;

/// Attributes that name an entry for good, the best first: RFC 4530, Active Directory, 389 Directory Server, FreeIPA,
/// eDirectory.
const UNIQUE: [&str; 5] = ["entryUUID", "objectGUID", "nsUniqueId", "ipaUniqueID", "GUID"];
/// Attributes with a name to sign in with.
const USERNAMES: [&str; 3] = ["uid", "sAMAccountName", "cn"];

/// A directory, as configured.
#[derive(Debug, Clone)]
pub struct Directory {
    /// `ldap://host[:port]` or `ldaps://host[:port]`.
    pub url: String,
    /// Whether an `ldap:` connection becomes TLS before anything else is sent.
    pub start_tls: bool,
    /// Whom to search as; empty for anonymous.
    pub bind_dn: String,
    /// The password for that.
    pub bind_password: Option<SecretString>,
    /// Where people are.
    pub user_base: String,
    /// Which entry is meant by a name: has [`USERNAME`] in it.
    pub user_filter: String,
    /// Where groups are; empty to read `memberOf` only.
    pub group_base: String,
    /// Which groups an entry is in: has [`DN`] or [`USERNAME`] in it.
    pub group_filter: String,
    /// Roots beside those of the system, in DER.
    pub roots: Vec<Vec<u8>>,
}

/// Why a sign-in failed. The texts are for logs and administrators.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LdapError {
    /// The directory cannot be reached or cannot answer.
    #[error("{0}")]
    Unreachable(String),
    /// The directory answers, and the settings do not fit it.
    #[error("{0}")]
    Settings(String),
    /// Nobody, or more than one, has that name, or the password is wrong.
    #[error("{0}")]
    Refused(&'static str),
}

/// Signs people in with directories.
#[derive(Debug, Clone)]
pub struct Directories {
    outbound: Outbound,
}

impl Default for Directories {
    fn default() -> Self {
        Self::new()
    }
}

/// A connection that ends with its owner.
struct Session {
    ldap: Ldap,
    driver: AbortHandle,
    _permit: tokio::sync::OwnedSemaphorePermit,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

struct Found {
    dn: String,
    entry: SearchEntry,
}

impl Directories {
    /// Within rules of its own: a directory is configured by an administrator and may have a private address.
    #[must_use]
    pub fn new() -> Self {
        let settings = Settings { connect_timeout: Duration::from_secs(5), max_sockets: 64, ..Settings::default() };
        Self { outbound: Outbound::new(settings).for_services() }
    }

    /// Says who it is, if name and password are right.
    ///
    /// # Errors
    /// [`LdapError`].
    pub async fn authenticate(
        &self,
        directory: &Directory,
        username: &str,
        password: &SecretString,
    ) -> Result<ExternalIdentity, LdapError> {
        let (this, directory) = (self.clone(), directory.clone());
        let (username, password) = (username.to_owned(), password.clone());
        // On a task of its own: the protocol library panics where an answer is malformed.
        let task =
            tokio::spawn(
                async move { tokio::time::timeout(TOTAL, this.sign_in(&directory, &username, &password)).await },
            );
        match task.await {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(LdapError::Unreachable(format!("no answer within {TOTAL:?}"))),
            Err(_) => Err(LdapError::Unreachable("the directory answers with nonsense".to_owned())),
        }
    }

    /// Tries step by step what a sign-in does; with a name and a password to its end.
    pub async fn examine(&self, directory: &Directory, who: Option<(&str, &SecretString)>) -> Vec<Step> {
        let (this, directory) = (self.clone(), directory.clone());
        let who = who.map(|(name, password)| (name.to_owned(), password.clone()));
        let task = tokio::spawn(async move {
            let mut steps = Vec::new();
            let done = tokio::time::timeout(TOTAL, this.try_out(&directory, who, &mut steps)).await;
            if done.is_err() {
                steps.push(Step::of("time", Err(format!("not done within {TOTAL:?}"))));
            }
            steps
        });
        let nonsense = || vec![Step::of("answer", Err("the directory answers with nonsense".to_owned()))];
        task.await.unwrap_or_else(|_| nonsense())
    }

    async fn sign_in(
        &self,
        directory: &Directory,
        username: &str,
        password: &SecretString,
    ) -> Result<ExternalIdentity, LdapError> {
        check(username, password)?;
        let mut session = self.open(directory).await?;
        session.bind_service(directory).await?;
        let found = session.find(directory, username).await?;
        session.bind_as(&found, password).await?;
        let groups = session.groups(directory, username, &found).await?;
        Ok(identity(&found, username, groups))
    }

    async fn try_out(&self, directory: &Directory, who: Option<(String, SecretString)>, steps: &mut Vec<Step>) {
        let mut session = match self.open(directory).await {
            Ok(session) => session,
            Err(error) => return steps.push(Step::of("connect", Err(error.to_string()))),
        };
        let secure =
            if directory.start_tls || directory.url.starts_with("ldaps:") { "with TLS" } else { "without TLS" };
        steps.push(Step::of("connect", Ok(format!("{} {secure}", directory.url))));
        let bound = session.bind_service(directory).await;
        let name = if directory.bind_dn.is_empty() { "anonymous" } else { &directory.bind_dn };
        steps.push(Step::of("bind", bound.map(|()| name.to_owned()).map_err(|error| error.to_string())));
        if steps.iter().any(|step| !step.ok) {
            return;
        }
        let Some((username, password)) = who else {
            let looked = session.find(directory, "bartizan-test-nobody").await;
            let result = match looked {
                Ok(_) | Err(LdapError::Refused(_)) => Ok(format!("{} can be searched", directory.user_base)),
                Err(error) => Err(error.to_string()),
            };
            return steps.push(Step::of("search", result));
        };
        if let Err(error) = check(&username, &password) {
            return steps.push(Step::of("user", Err(error.to_string())));
        }
        let found = match session.find(directory, &username).await {
            Ok(found) => found,
            Err(error) => return steps.push(Step::of("user", Err(error.to_string()))),
        };
        steps.push(Step::of("user", Ok(plain(&found.dn))));
        let right = session.bind_as(&found, &password).await;
        let right = right.map(|()| "the password is right".to_owned()).map_err(|error| error.to_string());
        steps.push(Step::of("password", right));
        if steps.iter().any(|step| !step.ok) {
            return;
        }
        let groups = session.groups(directory, &username, &found).await;
        let groups = groups.map(|groups| {
            let names: Vec<String> = identity(&found, &username, groups).groups.into_iter().collect();
            if names.is_empty() { "none".to_owned() } else { plain(&names.join("; ")) }
        });
        steps.push(Step::of("groups", groups.map_err(|error| error.to_string())));
    }

    async fn open(&self, directory: &Directory) -> Result<Session, LdapError> {
        let url = Url::parse(&directory.url).map_err(|error| LdapError::Settings(format!("the address: {error}")))?;
        let port = url.port().unwrap_or(if url.scheme() == "ldaps" { 636 } else { 389 });
        let addresses = match url.host() {
            Some(Host::Ipv4(address)) => vec![address.into()],
            Some(Host::Ipv6(address)) => vec![address.into()],
            // `ldap` is no scheme of the web, so addresses in it are names to the parser.
            Some(Host::Domain(name)) => match name.parse() {
                Ok(address) => vec![address],
                Err(_) => names::resolve(name.to_owned()).await.map_err(|failure| unreachable(&failure.detail))?,
            },
            None => return Err(LdapError::Settings("the address names no host".to_owned())),
        };
        let mut last = unreachable("the name has no address");
        for address in addresses.into_iter().take(MOST_ADDRESSES) {
            let connection = match self.outbound.connect((address, port).into()).await {
                Ok(connection) => connection,
                Err(failure) => {
                    last = unreachable(&failure.detail);
                    continue;
                }
            };
            let (stream, permit) = connection.into_parts();
            let stream = stream.into_std().map_err(|error| unreachable(&error.to_string()))?;
            let mut settings = LdapConnSettings::new()
                .set_conn_timeout(OPERATION)
                .set_starttls(directory.start_tls)
                .set_std_stream(StdStream::Tcp(stream));
            if let Trust::Roots(roots) = Trust::system_roots_and(&directory.roots) {
                let config = tls_verified::client_config(&roots).map_err(|failure| unreachable(&failure.detail))?;
                settings = settings.set_config(Arc::new(config));
            }
            match LdapConnAsync::from_url_with_settings(settings, &url).await {
                Ok((connection, ldap)) => {
                    let driver = tokio::spawn(async move {
                        if let Err(error) = connection.drive().await {
                            tracing::debug!(%error, "a connection to the directory ended");
                        }
                    })
                    .abort_handle();
                    return Ok(Session { ldap, driver, _permit: permit });
                }
                Err(error) => last = unreachable(&error.to_string()),
            }
        }
        Err(last)
    }
}

impl Session {
    async fn bind_service(&mut self, directory: &Directory) -> Result<(), LdapError> {
        let empty = SecretString::default();
        let password = directory.bind_password.as_ref().unwrap_or(&empty);
        if !directory.bind_dn.is_empty() && password.expose_secret().is_empty() {
            return Err(LdapError::Settings("the account to search with has no password".to_owned()));
        }
        let bound = self.ldap.with_timeout(OPERATION).simple_bind(&directory.bind_dn, password.expose_secret()).await;
        let result = bound.map_err(|error| unreachable(&error.to_string()))?;
        match result.rc {
            0 => Ok(()),
            code if is_busy(code) => Err(unreachable(&told(code, &result.text))),
            code => Err(LdapError::Settings(format!("binding to search: {}", told(code, &result.text)))),
        }
    }

    async fn find(&mut self, directory: &Directory, username: &str) -> Result<Found, LdapError> {
        let filter = directory.user_filter.replace(USERNAME, &ldap_escape(username));
        let mut wanted: Vec<&str> = vec!["mail", "memberOf", "displayName"];
        wanted.extend(UNIQUE);
        wanted.extend(USERNAMES);
        // Two are enough to know that it is not one.
        let mut entries = self.search(&directory.user_base, &filter, wanted, 2).await?;
        match (entries.pop(), entries.is_empty()) {
            (None, _) => Err(LdapError::Refused("no such entry")),
            (Some(_), false) => Err(LdapError::Refused("more than one entry")),
            (Some(entry), true) => Ok(Found { dn: entry.dn.clone(), entry }),
        }
    }

    async fn bind_as(&mut self, found: &Found, password: &SecretString) -> Result<(), LdapError> {
        if found.dn.is_empty() {
            return Err(LdapError::Refused("the entry has no name to bind as"));
        }
        let bound = self.ldap.with_timeout(OPERATION).simple_bind(&found.dn, password.expose_secret()).await;
        let result = bound.map_err(|error| unreachable(&error.to_string()))?;
        match result.rc {
            0 => Ok(()),
            code if is_busy(code) => Err(unreachable(&told(code, &result.text))),
            49 => Err(LdapError::Refused("wrong password")),
            _ => Err(LdapError::Refused("the directory refuses this entry")),
        }
    }

    /// Distinguished names of the groups the entry says it is in, and of those that say it of the entry.
    async fn groups(
        &mut self,
        directory: &Directory,
        username: &str,
        found: &Found,
    ) -> Result<BTreeSet<String>, LdapError> {
        let mut groups = BTreeSet::new();
        let below = normal(&directory.group_base);
        for dn in values(&found.entry, "memberOf") {
            // Whoever may make a group anywhere must not be able to make one with the name of another.
            if below.is_empty() || normal(dn).ends_with(&format!(",{below}")) {
                groups.insert(dn.clone());
            }
        }
        if !directory.group_base.is_empty() && !directory.group_filter.is_empty() {
            // As the account that may search: the person may not be allowed to.
            self.bind_service(directory).await?;
            let filter = directory
                .group_filter
                .replace(USERNAME, &ldap_escape(username))
                .replace(DN, &ldap_escape(found.dn.as_str()));
            for entry in self.search(&directory.group_base, &filter, vec!["cn"], MOST_GROUPS).await? {
                groups.insert(entry.dn);
            }
        }
        Ok(groups)
    }

    async fn search(
        &mut self,
        base: &str,
        filter: &str,
        wanted: Vec<&str>,
        most: usize,
    ) -> Result<Vec<SearchEntry>, LdapError> {
        let limit = i32::try_from(most).unwrap_or(i32::MAX);
        let options = SearchOptions::new().sizelimit(limit).timelimit(8);
        let stream = self
            .ldap
            .with_timeout(OPERATION)
            .with_search_options(options)
            .streaming_search_with(EntriesOnly::new(), base, Scope::Subtree, filter, wanted)
            .await;
        let mut stream = stream.map_err(|error| match error {
            ldap3::LdapError::FilterParsing => LdapError::Settings(format!("the filter {filter} cannot be parsed")),
            other => unreachable(&other.to_string()),
        })?;
        let mut entries = Vec::new();
        while let Some(entry) = stream.next().await.map_err(|error| unreachable(&error.to_string()))? {
            entries.push(SearchEntry::construct(entry));
            if entries.len() >= most {
                // Whether there are more does not matter; the connection is done with this search.
                break;
            }
        }
        let result = stream.finish().await;
        match result.rc {
            // Size limit exceeded: of two that were asked for there were more.
            0 | 4 | 10 => Ok(entries),
            // What the library says of a search that was left before its end.
            88 => Ok(entries),
            code if is_busy(code) => Err(unreachable(&told(code, &result.text))),
            code => Err(LdapError::Settings(format!("searching {base}: {}", told(code, &result.text)))),
        }
    }
}

/// Whether a filter has a form that a directory understands, with `placeholders` filled in.
#[must_use]
pub fn is_filter(filter: &str) -> bool {
    ldap3::parse_filter(filter.replace(USERNAME, "a").replace(DN, "dc=a")).is_ok()
}

/// Whether passwords on their way to this address can be read by others: it is neither TLS nor this machine.
#[must_use]
pub fn is_readable_on_the_way(url: &Url, start_tls: bool) -> bool {
    let local = match url.host() {
        Some(Host::Domain(name)) => {
            name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
        }
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    url.scheme() == "ldap" && !start_tls && !local
}

/// Distinguished names are compared without regard to case and to space around commas.
#[must_use]
pub fn normal(dn: &str) -> String {
    dn.split(',').map(str::trim).collect::<Vec<_>>().join(",").to_lowercase()
}

fn check(username: &str, password: &SecretString) -> Result<(), LdapError> {
    if password.expose_secret().is_empty() {
        return Err(LdapError::Refused("empty password"));
    }
    if username.trim().is_empty() || username.chars().count() > LONGEST_NAME || username.chars().any(char::is_control) {
        return Err(LdapError::Refused("no name of a user"));
    }
    Ok(())
}

fn identity(found: &Found, username: &str, groups: BTreeSet<String>) -> ExternalIdentity {
    let first = |name: &str| values(&found.entry, name).first().map(|text| text.trim().to_owned());
    let subject = UNIQUE.iter().find_map(|name| unique(&found.entry, name));
    let named: BTreeSet<String> = groups.iter().filter_map(|dn| common_name(dn)).collect();
    ExternalIdentity {
        issuer: ISSUER.to_owned(),
        subject: subject.unwrap_or_else(|| format!("dn:{}", normal(&found.dn))),
        name: found.dn.clone(),
        username: USERNAMES.iter().find_map(|name| first(name)).or_else(|| Some(username.to_owned())),
        email: first("mail").filter(|mail| !mail.is_empty()),
        groups: groups.into_iter().chain(named).collect(),
    }
}

/// The values of an attribute; its name may come back in another case.
fn values<'e>(entry: &'e SearchEntry, name: &str) -> &'e [String] {
    let found = entry.attrs.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
    found.map(|(_, values)| values.as_slice()).unwrap_or_default()
}

/// The one value of an attribute that names an entry for good. Active Directory's is bytes, which may happen to be text.
fn unique(entry: &SearchEntry, name: &str) -> Option<String> {
    let binary = entry.bin_attrs.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
    if let Some(bytes) = binary.and_then(|(_, values)| values.first()) {
        return Some(hex::encode(bytes));
    }
    let text = values(entry, name).first().filter(|text| !text.is_empty())?;
    let bytes = name.eq_ignore_ascii_case("objectGUID") || name.eq_ignore_ascii_case("GUID");
    Some(if bytes { hex::encode(text) } else { text.to_lowercase() })
}

/// The value of the first part of a distinguished name: `admins` of `cn=admins,ou=groups,dc=example`.
fn common_name(dn: &str) -> Option<String> {
    let (_, rest) = dn.split_once('=')?;
    let mut name = Vec::new();
    let mut bytes = rest.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b',' | b'+' => break,
            b'\\' => {
                let first = bytes.next()?;
                if first.is_ascii_hexdigit() {
                    let digits = [first, bytes.next()?];
                    name.extend(hex::decode(digits).ok()?);
                } else {
                    name.push(first);
                }
            }
            plain => name.push(plain),
        }
    }
    let name = String::from_utf8(name).ok()?.trim().to_owned();
    (!name.is_empty()).then_some(name)
}

/// The directory cannot answer now: busy, unavailable.
const fn is_busy(code: u32) -> bool {
    matches!(code, 51 | 52 | 3)
}

fn told(code: u32, text: &str) -> String {
    plain(&format!("result {code} {text}"))
}

fn unreachable(text: &str) -> LdapError {
    LdapError::Unreachable(plain(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_part_of_a_name_is_read_with_its_escapes() {
        assert_eq!(common_name("cn=Admins,ou=groups").as_deref(), Some("Admins"));
        assert_eq!(common_name("CN=Doe\\, Jane\\2c x+sn=1,dc=a").as_deref(), Some("Doe, Jane, x"));
        assert_eq!(common_name("cn=\\c3\\a9t\\C3\\A9,dc=a").as_deref(), Some("été"));
        for bad in ["", "cn", "cn=", "cn=\\", "cn=\\f", "cn=\\ff,dc=a"] {
            assert_eq!(common_name(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_is_typed_cannot_leave_its_place_in_a_filter() {
        let filter = "(&(objectClass=person)(uid={username}))".replace(USERNAME, &ldap_escape("*)(uid=*"));
        assert_eq!(filter, "(&(objectClass=person)(uid=\\2a\\29\\28uid=\\2a))");
        assert!(is_filter("(&(objectClass=person)(uid={username}))"));
        assert!(!is_filter("(uid={username}"));
    }

    #[test]
    fn passwords_travel_in_the_clear_on_this_machine_only() {
        let url = |text: &str| Url::parse(text).unwrap();
        assert!(is_readable_on_the_way(&url("ldap://ldap.example"), false));
        assert!(!is_readable_on_the_way(&url("ldap://ldap.example"), true));
        assert!(!is_readable_on_the_way(&url("ldaps://ldap.example"), false));
        assert!(!is_readable_on_the_way(&url("ldap://127.0.0.1:3890"), false));
        assert!(!is_readable_on_the_way(&url("ldap://[::1]:3890"), false));
        assert!(is_readable_on_the_way(&url("ldap://127.0.0.1.evil.example"), false));
    }
}
