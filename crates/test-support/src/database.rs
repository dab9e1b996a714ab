//! Databases for tests: a SQLite file in a temporary folder, or a fresh database on a private PostgreSQL server.
//!
//! The server is Debian's PostgreSQL (package `postgresql`), reached through a socket in a temporary folder and
//! through no network. It is started by the first test that needs it, shared by all test processes of the user, and
//! stops by itself some seconds after the last of them has ended. `BARTIZAN_TEST_POSTGRES` names the socket folder of
//! a server to be used instead; it must let the user `postgres` in without a password.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use tempfile::TempDir;

/// Where Debian keeps the server's programs, in a folder for each version.
const VERSIONS: &str = "/usr/lib/postgresql";

/// Stops the server when no test process holds the users' lock any more, and removes it.
const WATCHDOG: &str = r#"
while sleep 5; do
  if flock --exclusive --nonblock "$1/users.lock" sh -c '
    eval "$2 \"$3/pg_ctl\" stop --silent --mode=immediate --pgdata=\"$1/data\"" >/dev/null 2>&1
    rm -rf "$1/data" "$1/socket"' sh "$1" "$2" "$3"
  then exit 0; fi
done
"#;

/// A database for one test; it is gone when this is dropped.
#[derive(Debug)]
pub enum TestDatabase {
    /// A file of its own.
    Sqlite(TempDir),
    /// A database of its own on the shared server.
    Postgres(PostgresDatabase),
}

impl TestDatabase {
    /// A place for a SQLite file.
    ///
    /// # Panics
    /// If the temporary folder cannot be written.
    #[must_use]
    pub fn sqlite() -> Self {
        Self::Sqlite(tempfile::tempdir().unwrap())
    }

    /// A fresh database on PostgreSQL, starting the server if need be.
    ///
    /// # Panics
    /// If PostgreSQL is not installed or does not start; the message says why.
    #[must_use]
    pub fn postgres() -> Self {
        Self::Postgres(PostgresDatabase::create())
    }

    /// The path of the SQLite file, for [`Self::Sqlite`].
    #[must_use]
    pub fn sqlite_file(&self) -> Option<PathBuf> {
        match self {
            Self::Sqlite(folder) => Some(folder.path().join("bartizan.db")),
            Self::Postgres(_) => None,
        }
    }

    /// The address of the database, for [`Self::Postgres`].
    #[must_use]
    pub fn postgres_url(&self) -> Option<&str> {
        match self {
            Self::Sqlite(_) => None,
            Self::Postgres(database) => Some(&database.url),
        }
    }
}

/// A database on the shared server.
#[derive(Debug)]
pub struct PostgresDatabase {
    name: String,
    url: String,
}

impl PostgresDatabase {
    fn create() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let socket = server();
        let name = format!("t_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        sql(socket, &format!("CREATE DATABASE {name}"));
        let url = format!("postgres://postgres@localhost/{name}?host={}", socket.display());
        Self { name, url }
    }
}

impl Drop for PostgresDatabase {
    fn drop(&mut self) {
        // The server goes away as a whole anyway; this only keeps it small meanwhile.
        let _ = psql(server(), &format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
    }
}

/// Runs each of these async functions on both databases: `on_both_databases!(one, two);` makes the tests
/// `sqlite::one`, `postgres::one` and so on out of `async fn one(database: &TestDatabase)`. The crate needs `tokio`.
#[macro_export]
macro_rules! on_both_databases {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $name() {
                super::$name(&$crate::database::TestDatabase::sqlite()).await;
            })+
        }

        mod postgres {
            $(#[tokio::test]
            async fn $name() {
                super::$name(&$crate::database::TestDatabase::postgres()).await;
            })+
        }
    };
}

/// The socket folder of the server.
fn server() -> &'static Path {
    static SERVER: OnceLock<(PathBuf, Option<File>)> = OnceLock::new();
    let (socket, _) = SERVER.get_or_init(|| match std::env::var_os("BARTIZAN_TEST_POSTGRES") {
        Some(socket) => (socket.into(), None),
        None => {
            let (socket, users) = start();
            (socket, Some(users))
        }
    });
    socket
}

/// Starts the shared server unless it is running, and returns its socket folder with the lock that keeps it alive.
fn start() -> (PathBuf, File) {
    let home = std::env::temp_dir().join(format!("bartizan-postgres-{}", user_id()));
    std::fs::create_dir_all(&home).unwrap();
    let lock = |name: &str| OpenOptions::new().create(true).append(true).open(home.join(name)).unwrap();
    let users = lock("users.lock");
    users.lock_shared().unwrap();
    let starting = lock("start.lock");
    starting.lock().unwrap();
    let socket = home.join("socket");
    if psql(&socket, "SELECT 1").is_ok_and(|output| output.status.success()) {
        return (socket, users);
    }
    let data = home.join("data");
    for folder in [&data, &socket] {
        let _ = std::fs::remove_dir_all(folder);
        std::fs::create_dir(folder).unwrap();
    }
    if user_id() == 0 {
        // The server refuses to run as root.
        done(Command::new("chown").arg("postgres").args([&data, &socket]));
    }
    done(
        as_server("initdb")
            .args(["--auth=trust", "--username=postgres", "--encoding=UTF8", "--no-locale"])
            .args(["--no-sync", "--no-instructions", "--pgdata"])
            .arg(&data),
    );
    let options = format!(
        "-c listen_addresses= -c unix_socket_directories={} -c fsync=off -c synchronous_commit=off \
         -c full_page_writes=off -c max_connections=400 -c shared_buffers=64MB",
        socket.display()
    );
    let log = data.join("log");
    done(
        as_server("pg_ctl")
            .args(["start", "--silent", "--wait", "--timeout=60", "--pgdata"])
            .arg(&data)
            .args(["--options", &options, "--log"])
            .arg(&log),
    );
    let become_server = if user_id() == 0 { "runuser --user postgres --" } else { "" };
    // Forked off: it outlives this process on purpose and is nobody's child.
    done(
        Command::new("setsid")
            .args(["--fork", "sh", "-c", WATCHDOG, "watchdog"])
            .arg(&home)
            .arg(become_server)
            .arg(bin())
            .current_dir("/"),
    );
    (socket, users)
}

fn as_server(program: &str) -> Command {
    let program = bin().join(program);
    let mut command = if user_id() == 0 {
        let mut command = Command::new("runuser");
        command.args(["--user", "postgres", "--"]).arg(program);
        command
    } else {
        Command::new(program)
    };
    // The server's user may not be let into the folder the tests run in.
    command.current_dir("/");
    command
}

fn done(command: &mut Command) {
    // A server that keeps a pipe of ours open would keep us waiting for its end.
    let output = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    assert!(output.success(), "{command:?} failed");
}

fn psql(socket: &Path, text: &str) -> std::io::Result<Output> {
    Command::new(bin().join("psql"))
        .args(["--no-psqlrc", "--quiet", "--username=postgres", "--dbname=postgres", "--set=ON_ERROR_STOP=1", "--host"])
        .arg(socket)
        .args(["--command", text])
        .stdin(Stdio::null())
        .output()
}

fn sql(socket: &Path, text: &str) {
    let output = psql(socket, text).unwrap();
    assert!(output.status.success(), "{text}: {}", String::from_utf8_lossy(&output.stderr));
}

/// The programs of the newest version.
fn bin() -> &'static Path {
    static BIN: OnceLock<PathBuf> = OnceLock::new();
    BIN.get_or_init(|| {
        let version = |folder: &PathBuf| folder.file_name()?.to_str()?.parse::<u32>().ok();
        let found = std::fs::read_dir(VERSIONS)
            .into_iter()
            .flatten()
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|folder| folder.join("bin/postgres").exists())
            .max_by_key(version);
        let folder =
            found.expect("PostgreSQL is missing: install the Debian package postgresql (scripts/test-deps.txt)");
        folder.join("bin")
    })
}

fn user_id() -> u32 {
    use std::os::unix::fs::MetadataExt as _;
    // The owner of our own entry in /proc is who we are.
    std::fs::metadata("/proc/self").unwrap().uid()
}
