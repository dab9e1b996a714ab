//! The whole server for API tests: a real listener on port 0, a fresh database, a fixed clock, and typed actors.
//!
//! Start reading at [`TestApp::start`]; an [`Actor`] makes the requests.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use bartizan_auth::{AccessTokens, Identity, KeyRing, SigningKey};
use bartizan_catalog::Catalog;
use bartizan_domain::evidence::HostEvidence;
use bartizan_domain::id::{OrganizationId, UserId};
use bartizan_domain::{Clock, Role};
use bartizan_engine::RecordedProbes;
use bartizan_http::{AppState, HttpConfig};
use bartizan_services::log_level::{LogControl, LogLevel};
use bartizan_services::workers::{Process, ProcessKind};
use bartizan_services::{Network, Origin, Probes, Random, Reach, ScanSettings, Services, ServicesConfig};
use bartizan_storage::members::{self, Membership};
use bartizan_storage::organizations::{self, Organization};
use bartizan_storage::users::{self, User};
use bartizan_storage::{Backend, Store};
use chrono::{DateTime, Utc};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{FixedClock, TestDatabase};

/// Password of every actor.
pub const PASSWORD: &str = "sherwood forest 1193";

/// Instant at which the fixed clock of a test stands at first.
pub const START: &str = "2026-11-22T09:00:00Z";

/// How long before the beginning of a test its organisations were made.
const SOME_TIME: chrono::TimeDelta = chrono::TimeDelta::hours(1);

/// Which database the servers of a test get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum On {
    /// A SQLite file of its own.
    Sqlite,
    /// A database of its own on the shared PostgreSQL server.
    Postgres,
}

tokio::task_local! {
    static DATABASE: On;
}

/// Runs a test whose servers are all [`On`] this database. [`crate::api_tests`] calls it.
pub async fn on(database: On, test: impl Future<Output = ()>) {
    DATABASE.scope(database, test).await;
}

/// Makes each of these async functions two tests, one on each database: `api_tests!(one, two);` makes `sqlite::one`,
/// `postgres::one` and so on out of `async fn one()`. The crate needs `tokio`.
#[macro_export]
macro_rules! api_tests {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $name() {
                $crate::app::on($crate::app::On::Sqlite, Box::pin(super::$name())).await;
            })+
        }

        mod postgres {
            $(#[tokio::test]
            async fn $name() {
                $crate::app::on($crate::app::On::Postgres, Box::pin(super::$name())).await;
            })+
        }
    };
}

/// Bytes that look random and are the same in every run.
#[derive(Debug, Default)]
pub struct RepeatableRandom(AtomicU64);

impl Random for RepeatableRandom {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            // SplitMix64: every counter value gives other, well-mixed bits.
            let mut z = self.0.fetch_add(1, Ordering::Relaxed).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            chunk.copy_from_slice(&(z ^ (z >> 31)).to_le_bytes()[..chunk.len()]);
        }
    }
}

/// A log that remembers its level and writes nothing.
#[derive(Debug)]
struct TestLog(Mutex<LogLevel>);

impl LogControl for TestLog {
    fn level(&self) -> LogLevel {
        *self.0.lock().unwrap()
    }

    fn set_level(&self, level: LogLevel) {
        *self.0.lock().unwrap() = level;
    }
}

/// A network of recorded hosts: what was recorded answers, everything else is unreachable.
#[derive(Debug, Default)]
struct Recorded(RecordedProbes);

impl Network for Recorded {
    fn probes(&self, _: &ScanSettings, _: Reach) -> bartizan_domain::Result<Arc<dyn Probes>> {
        Ok(Arc::new(self.0.clone()))
    }
}

/// How a test server is made.
#[derive(Debug, Clone)]
pub struct Options {
    /// Configuration of the API. The limit of sign-ins is off unless a test sets it.
    pub http: HttpConfig,
    /// The one-time token setup asks for.
    pub setup_token: Option<&'static str>,
    /// What scans find, as recorded evidence in JSON.
    pub hosts: Vec<&'static str>,
}

impl Default for Options {
    fn default() -> Self {
        let http = HttpConfig { sign_ins_per_minute: 100_000, writes_per_minute: 100_000, ..HttpConfig::default() };
        Self { http, setup_token: None, hosts: Vec::new() }
    }
}

/// A running server. Dropped, it stops and its database is gone.
pub struct TestApp {
    /// Where it listens.
    pub address: SocketAddr,
    /// Its clock.
    pub clock: Arc<FixedClock>,
    /// Its use cases, for what has no endpoint.
    pub services: Services,
    store: Store,
    tokens: Arc<AccessTokens>,
    organizations: Mutex<Vec<(String, OrganizationId)>>,
    server: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
    worker: CancellationToken,
    directory: TempDir,
    _database: Option<TestDatabase>,
}

impl std::fmt::Debug for TestApp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TestApp").field("address", &self.address).finish_non_exhaustive()
    }
}

impl TestApp {
    /// A server with a fresh database and no user.
    pub async fn blank() -> Self {
        Self::with(Options::default()).await
    }

    /// A server with a fresh database and an organisation `Example`, whose actors are made on demand.
    pub async fn start() -> Self {
        let app = Self::blank().await;
        app.organization("Example").await;
        app
    }

    /// A server made in a particular way.
    pub async fn with(options: Options) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (store, database) = match DATABASE.try_with(|database| *database).unwrap_or(On::Sqlite) {
            On::Sqlite => (Store::sqlite(&directory.path().join("bartizan.db")).await.unwrap(), None),
            On::Postgres => {
                let database = TestDatabase::postgres();
                (Store::postgres(database.postgres_url().unwrap()).await.unwrap(), Some(database))
            }
        };
        let clock = Arc::new(FixedClock::at(START.parse().unwrap()));
        let services = Services::new(
            store.clone(),
            Catalog::builtin(),
            bartizan_auth::Passwords::fast_for_tests(),
            Arc::new(Recorded(options.hosts.iter().map(|json| recorded(json)).collect())),
            (Arc::clone(&clock) as Arc<dyn Clock>, Arc::new(RepeatableRandom::default())),
            ServicesConfig {
                setup_token: options.setup_token.map(Into::into),
                secret_keys: Some(KeyRing::random().unwrap()),
                log: Some(Arc::new(TestLog(Mutex::new(LogLevel::Info)))),
                ..ServicesConfig::default()
            },
        );
        let key = SigningKey::random();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = AppState::new(services.clone(), AccessTokens::new(&key), options.http);
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = tokio::spawn(async move {
            let shutdown = async move {
                // Sent or dropped, both mean stop.
                let _ = stopped.await;
            };
            bartizan_http::serve(listener, state, shutdown).await;
        });
        Self {
            address,
            clock,
            services,
            store,
            tokens: Arc::new(AccessTokens::new(&key)),
            organizations: Mutex::default(),
            server: Some((stop, serving)),
            worker: CancellationToken::new(),
            directory,
            _database: database,
        }
    }

    /// Starts the worker, which runs queued scans on the recorded hosts.
    pub fn start_worker(&self) {
        let process = Process {
            name: "test".to_owned(),
            kind: ProcessKind::Worker,
            host: "test".to_owned(),
            id: std::process::id(),
            version: "0.0.0".to_owned(),
        };
        let runner = self.services.worker(process).unwrap();
        let stop = self.worker.clone();
        tokio::spawn(async move { runner.run(stop).await.unwrap() });
    }

    /// `sqlite` or `postgresql`.
    pub fn database(&self) -> &'static str {
        match self.store.backend() {
            Backend::Sqlite => "sqlite",
            Backend::Postgres => "postgresql",
        }
    }

    /// The folder of the server's data.
    pub fn data_dir(&self) -> &std::path::Path {
        self.directory.path()
    }

    /// Everything, in the organisation `Example`.
    pub async fn admin(&self) -> Actor {
        self.actor("Example", Role::Admin).await
    }

    /// Triage and asset upkeep, in the organisation `Example`.
    pub async fn analyst(&self) -> Actor {
        self.actor("Example", Role::Analyst).await
    }

    /// The user behind [`Self::analyst`], without signing in.
    pub async fn analyst_id(&self) -> UserId {
        users::by_login(self.store.read(), "analyst-example").await.unwrap().unwrap().id
    }

    /// What jobs keep, of whatever organisation the first one sees.
    pub async fn queued(&self) -> String {
        let organization = self.organization("Example").await;
        let filter = bartizan_storage::jobs::JobFilter::default();
        let page = bartizan_storage::Page::first(500);
        let whose = bartizan_storage::jobs::Whose::AndInstallation(organization);
        let listed = bartizan_storage::jobs::list(self.store.read(), whose, &filter, page).await.unwrap();
        assert!(!listed.rows.is_empty());
        listed.rows.iter().map(|job| format!("{job:?}\n")).collect()
    }

    /// The answers kept for repeated requests with the key `k-1`, as they are stored.
    pub async fn kept_answers(&self) -> Vec<String> {
        let admin = users::by_login(self.store.read(), "admin-example").await.unwrap().unwrap();
        let key = bartizan_storage::idempotency::IdempotencyKey {
            organization_id: self.organization("Example").await,
            principal: admin.id.to_string(),
            path: "POST /api/api-keys".to_owned(),
            key: "k-1".to_owned(),
        };
        let found = bartizan_storage::idempotency::get(self.store.read(), &key).await.unwrap();
        let kept = found.and_then(|found| found.response);
        kept.map(|kept| String::from_utf8_lossy(&kept.body).into_owned()).into_iter().collect()
    }

    /// Changes the database behind the server's back.
    pub async fn damage(&self, sql: &str) {
        self.store.damage(sql).await.unwrap();
    }

    /// Runs scans and reads, in the organisation `Example`.
    pub async fn auditor(&self) -> Actor {
        self.actor("Example", Role::Auditor).await
    }

    /// Reads, in the organisation `Example`.
    pub async fn read_only(&self) -> Actor {
        self.actor("Example", Role::ReadOnly).await
    }

    /// The administrator of another organisation.
    pub async fn outsider(&self) -> Actor {
        self.actor("Another", Role::Admin).await
    }

    /// Nobody.
    pub fn anonymous(&self) -> Actor {
        Actor { address: self.address, token: None, key: None, user_id: None }
    }

    /// An actor with a token of one's own making.
    pub fn bearer(&self, token: &str) -> Actor {
        Actor { token: Some(token.to_owned()), ..self.anonymous() }
    }

    /// A program with an API key.
    pub fn key(&self, key: &str) -> Actor {
        Actor { key: Some(key.to_owned()), ..self.anonymous() }
    }

    /// Makes the user with this role in one organisation a member of another, in some role.
    pub async fn join(&self, actor: &Actor, organization: &str, role: Role) -> OrganizationId {
        let organization_id = self.organization(organization).await;
        let created_at = self.clock.now();
        let membership =
            Membership { organization_id, user_id: actor.user_id(), role: role.into(), is_active: true, created_at };
        let tx = self.store.begin().await.unwrap();
        members::insert(tx.db(), &membership).await.unwrap();
        tx.commit().await.unwrap();
        organization_id
    }

    /// Signs in through the API.
    pub async fn sign_in(&self, username: &str, password: &str) -> Actor {
        let body = serde_json::json!({"username": username, "password": password});
        let answer = self.anonymous().post("/api/auth/login", &body).await.expect(200).json();
        let user_id = answer["user"]["id"].as_str().unwrap().parse().unwrap();
        Actor { user_id: Some(user_id), ..self.bearer(answer["access_token"].as_str().unwrap()) }
    }

    /// The user with this role in this organisation, signed in anew; both are made when missing.
    pub async fn actor(&self, organization: &str, role: Role) -> Actor {
        let organization_id = self.organization(organization).await;
        let username = format!("{}-{}", role.as_str(), organization.to_lowercase());
        if users::by_login(self.store.read(), &username).await.unwrap().is_none() {
            self.add_user(&username, organization_id, role).await;
        }
        let cx = self.services.anonymous(Origin::default());
        let signed_in = bartizan_services::auth::login(&cx, &self.services, &username, PASSWORD.into(), None);
        let signed_in = signed_in.await.unwrap();
        let identity = Identity {
            user: signed_in.profile.user_id,
            session: signed_in.session,
            organization: signed_in.profile.organization_id,
        };
        let token = self.tokens.issue(&identity, self.clock.now()).token;
        Actor { user_id: Some(identity.user), ..self.bearer(&token) }
    }

    async fn organization(&self, name: &str) -> OrganizationId {
        let known = self.organizations.lock().unwrap().iter().find(|(known, _)| known == name).map(|(_, id)| *id);
        if let Some(id) = known {
            return id;
        }
        let organization =
            // Before any that is made through the API, whose ids are of the fixed clock.
            Organization { id: Uuid::now_v7().into(), name: name.to_owned(), created_at: self.clock.now() - SOME_TIME };
        let tx = self.store.begin().await.unwrap();
        organizations::insert(tx.db(), &organization).await.unwrap();
        tx.commit().await.unwrap();
        self.organizations.lock().unwrap().push((name.to_owned(), organization.id));
        organization.id
    }

    async fn add_user(&self, username: &str, organization_id: OrganizationId, role: Role) {
        let now: DateTime<Utc> = self.clock.now();
        let hash = bartizan_auth::Passwords::fast_for_tests().hash(PASSWORD.into()).await.unwrap();
        let user = User {
            id: Uuid::now_v7().into(),
            username: username.to_owned(),
            email: format!("{username}@example.test"),
            password_hash: Some(hash),
            auth_provider: "internal".to_owned(),
            is_active: true,
            theme_preference: "system".to_owned(),
            created_at: now,
            updated_at: now,
            last_login_at: None,
        };
        let membership =
            Membership { organization_id, user_id: user.id, role: role.into(), is_active: true, created_at: now };
        let tx = self.store.begin().await.unwrap();
        users::insert(tx.db(), &user).await.unwrap();
        members::insert(tx.db(), &membership).await.unwrap();
        tx.commit().await.unwrap();
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        if let Some((stop, serving)) = self.server.take() {
            // The server may have ended by itself.
            let _ = stop.send(());
            serving.abort();
            self.worker.cancel();
        }
    }
}

fn recorded(json: &str) -> HostEvidence {
    serde_json::from_str(json).unwrap()
}

/// Somebody who makes requests.
#[derive(Debug, Clone)]
pub struct Actor {
    address: SocketAddr,
    token: Option<String>,
    key: Option<String>,
    user_id: Option<UserId>,
}

impl Actor {
    /// The user behind it.
    pub fn user_id(&self) -> UserId {
        self.user_id.unwrap()
    }

    /// The access token.
    pub fn token(&self) -> &str {
        self.token.as_deref().unwrap()
    }

    /// `GET path`.
    pub async fn get(&self, path: &str) -> Answer {
        self.request(Method::GET, path).send().await
    }

    /// `POST path` with a JSON body.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.request(Method::POST, path).json(body).send().await
    }

    /// `PATCH path` with a JSON body.
    pub async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.request(Method::PATCH, path).json(body).send().await
    }

    /// `DELETE path`.
    pub async fn delete(&self, path: &str) -> Answer {
        self.request(Method::DELETE, path).send().await
    }

    /// Any request.
    pub fn request(&self, method: Method, path: &str) -> Call {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_str(&self.address.to_string()).unwrap());
        if let Some(token) = &self.token {
            headers.insert(AUTHORIZATION, HeaderValue::from_str(&format!("Bearer {token}")).unwrap());
        }
        if let Some(key) = &self.key {
            headers.insert("x-api-key", HeaderValue::from_str(key).unwrap());
        }
        Call { address: self.address, method, path: path.to_owned(), headers, body: Bytes::new() }
    }
}

/// A request in the making.
#[derive(Debug)]
pub struct Call {
    address: SocketAddr,
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Bytes,
}

impl Call {
    /// Sets a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        self.headers.insert(name, HeaderValue::from_str(value).unwrap());
        self
    }

    /// A JSON body.
    #[must_use]
    pub fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }

    /// Any body.
    #[must_use]
    pub fn body(mut self, media: &str, body: impl Into<Bytes>) -> Self {
        self.headers.insert(CONTENT_TYPE, HeaderValue::from_str(media).unwrap());
        self.body = body.into();
        self
    }

    /// A multipart form with one file in the part `file`.
    #[must_use]
    pub fn file(self, content: impl AsRef<[u8]>) -> Self {
        let head = "--boundary\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\
            Content-Type: application/octet-stream\r\n\r\n";
        let body = [head.as_bytes(), content.as_ref(), b"\r\n--boundary--\r\n"].concat();
        self.body("multipart/form-data; boundary=boundary", body)
    }

    /// Sends it and reads the whole answer.
    pub async fn send(self) -> Answer {
        let streamed = self.open().await;
        let (status, headers) = (streamed.status, streamed.headers);
        let body = streamed.body.collect().await.unwrap().to_bytes();
        Answer { status, headers, body }
    }

    /// Sends it and leaves the body to be read as it comes.
    pub async fn open(self) -> Streamed {
        let stream = TcpStream::connect(self.address).await.unwrap();
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let mut request = Request::builder().method(self.method).uri(&self.path).body(Full::new(self.body)).unwrap();
        *request.headers_mut() = self.headers;
        let (parts, body) = sender.send_request(request).await.unwrap().into_parts();
        Streamed { status: parts.status.as_u16(), headers: parts.headers, body }
    }
}

/// An answer whose body is read as it comes.
#[derive(Debug)]
pub struct Streamed {
    /// Status code.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    body: Incoming,
}

impl Streamed {
    /// The rest of the body as text, once the server ends it.
    pub async fn rest(self) -> String {
        String::from_utf8(self.body.collect().await.unwrap().to_bytes().to_vec()).unwrap()
    }
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub body: Bytes,
}

impl Answer {
    /// The answer, which must have this status.
    ///
    /// # Panics
    /// If it has another.
    #[track_caller]
    #[must_use]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// If it is not.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {}", self.text()))
    }

    /// A header as text, empty when missing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The fields that a 422 names.
    #[track_caller]
    pub fn fields(&self) -> Vec<String> {
        let body = self.json();
        let errors = body["errors"].as_array().unwrap_or_else(|| panic!("no errors in {body}"));
        errors.iter().map(|error| error["field"].as_str().unwrap().to_owned()).collect()
    }
}
