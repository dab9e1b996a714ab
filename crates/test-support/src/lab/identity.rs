//! A real OpenID provider (npm's `oidc-provider`), and a person who signs in with it without a browser.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::process::{Process, free_port};

/// Where the browser is sent back to in tests: nobody listens there.
pub const REDIRECT_URI: &str = "http://127.0.0.1:1/ui/login/oidc";
/// The client secret of this program.
pub const CLIENT_SECRET: &str = "only-the-provider-and-we-know";

/// Where claims are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claims {
    /// In the ID token.
    InToken,
    /// To who asks with the access token.
    AtUserinfo,
}

/// A running provider. Dropping it ends it.
#[derive(Debug)]
pub struct IdentityProvider {
    port: u16,
    file: PathBuf,
    settings: Value,
    process: Option<Process>,
    dir: TempDir,
}

impl IdentityProvider {
    /// Starts one with these accounts: claims by login.
    ///
    /// # Panics
    /// If node or the package is not installed, or it does not start.
    #[must_use]
    pub fn start(accounts: &Value, claims: Claims) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("settings.json");
        let settings = json!({
            "client": {
                "client_id": "bartizan", "client_secret": CLIENT_SECRET, "redirect_uris": [REDIRECT_URI],
                "response_types": ["code"], "grant_types": ["authorization_code"],
            },
            "claims_in_token": claims == Claims::InToken,
            "accounts": accounts,
        });
        // Node looks for packages beside the program.
        let packages = installed();
        assert!(packages.join("oidc-provider").exists(), "no oidc-provider: run scripts/install-test-deps.sh");
        std::os::unix::fs::symlink(packages, dir.path().join("node_modules")).unwrap();
        std::fs::write(dir.path().join("server.mjs"), include_str!("../../identity-provider/server.mjs")).unwrap();
        let mut provider = Self { port: free_port(), file, settings, process: None, dir };
        provider.write();
        provider.restart();
        provider
    }

    /// Starts it anew at the same place: with other keys.
    ///
    /// # Panics
    /// As [`Self::start`].
    pub fn restart(&mut self) {
        self.process = None;
        let mut node = Command::new("node");
        node.arg(self.dir.path().join("server.mjs")).arg(self.port.to_string()).arg(&self.file);
        let mut process = Process::spawn("the identity provider", "nodejs", node, &self.dir.path().join("log"));
        process.wait_for_port(self.address());
        self.process = Some(process);
    }

    /// Ends it, so that nobody answers at its address.
    pub fn stop(&mut self) {
        self.process = None;
    }

    /// Its issuer.
    #[must_use]
    pub fn issuer(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Changes what it says of somebody.
    pub fn set_account(&mut self, login: &str, claims: Value) {
        self.settings["accounts"][login] = claims;
        self.write();
    }

    /// What it wrote to its log.
    #[must_use]
    pub fn log(&self) -> String {
        self.process.as_ref().map(Process::output).unwrap_or_default()
    }

    /// Goes to the address the browser is sent to, signs in as `login`, agrees to everything, and says what the browser
    /// is sent back with: `code` and `state`.
    ///
    /// # Panics
    /// If it does not end at [`REDIRECT_URI`].
    pub async fn sign_in(&self, authorization_url: &str, login: &str) -> BTreeMap<String, String> {
        let mut cookies = BTreeMap::new();
        let mut path = self.path_of(authorization_url);
        let mut form: Option<String> = None;
        for _ in 0..20 {
            let answer = exchange(self.address(), &path, &cookies, form.take().as_deref()).await;
            cookies.extend(answer.cookies);
            if let Some(location) = answer.location {
                if let Some(query) = location.strip_prefix(&format!("{REDIRECT_URI}?")) {
                    return query_of(query);
                }
                path = self.path_of(&location);
                continue;
            }
            let prompt =
                ["login", "consent"].into_iter().find(|name| answer.body.contains(&format!("value=\"{name}\"")));
            let Some(prompt) = prompt else { panic!("not a form: {} {}", answer.body, self.log()) };
            form = Some(format!("prompt={prompt}&login={login}"));
        }
        panic!("the sign-in does not end")
    }

    fn path_of(&self, location: &str) -> String {
        location.strip_prefix(&self.issuer()).unwrap_or(location).to_owned()
    }

    fn address(&self) -> SocketAddr {
        ([127, 0, 0, 1], self.port).into()
    }

    fn write(&self) {
        std::fs::write(&self.file, self.settings.to_string()).unwrap();
    }
}

/// Where `scripts/install-test-deps.sh` puts npm's packages.
fn installed() -> PathBuf {
    let cache = std::env::var_os("XDG_CACHE_HOME")
        .map_or_else(|| Path::new(&std::env::var_os("HOME").unwrap_or_default()).join(".cache"), PathBuf::from);
    cache.join("bartizan/identity-provider/node_modules")
}

struct Answer {
    location: Option<String>,
    cookies: BTreeMap<String, String>,
    body: String,
}

async fn exchange(address: SocketAddr, path: &str, cookies: &BTreeMap<String, String>, form: Option<&str>) -> Answer {
    let cookies: Vec<String> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let method = if form.is_some() { "POST" } else { "GET" };
    let form = form.unwrap_or_default();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nCookie: {}\r\nAccept: text/html\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
        cookies.join("; "),
        form.len()
    );
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let fields = || head.lines().skip(1).filter_map(|line| line.split_once(": "));
    let values = |wanted: &'static str| fields().filter(move |(name, _)| name.eq_ignore_ascii_case(wanted));
    let cookies = values("set-cookie").filter_map(|(_, value)| {
        let (name, value) = value.split(';').next()?.split_once('=')?;
        Some((name.to_owned(), value.to_owned()))
    });
    Answer {
        location: values("location").next().map(|(_, value)| value.to_owned()),
        cookies: cookies.collect(),
        body: body.to_owned(),
    }
}

fn query_of(query: &str) -> BTreeMap<String, String> {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}
