//! `bartizan admin backup` and `restore`.
//!
//! A backup of SQLite is a copy of the database file, made by SQLite itself while the server writes on. A backup of
//! PostgreSQL is an archive of `pg_dump`, which knows that database best. Either way it is one file that holds a single
//! moment, and the keys are not in it: whoever finds a backup cannot open the secrets in it.

use std::ffi::OsString;
use std::fs;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, anyhow, bail};
use bartizan_services::ServicesConfig;
use bartizan_services::backups::{self, Access, Ended};
use bartizan_storage::{Store, organizations};
use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

use crate::args::ServerArgs;
use crate::exit::Exit;
use crate::{compose, io};

/// First bytes of a SQLite file.
const SQLITE: &[u8] = b"SQLite format 3\0";
/// First bytes of an archive of `pg_dump`.
const PG_DUMP: &[u8] = b"PGDMP";

/// Writes a backup.
pub async fn write(file: &Path, args: &ServerArgs) -> Result<Exit> {
    let shown = file.display();
    if file.exists() {
        bail!("{shown} exists: a backup never replaces a file");
    }
    // Named otherwise until it is whole, so that half a backup is never taken for one.
    let mut staged = OsString::from(file);
    staged.push(".part");
    let staged = Path::new(&staged);
    remove(staged)?;
    let written = match &args.database_url {
        None => {
            let store = compose::open_as_it_is(args).await?;
            let copied = store.copy_into(staged).await;
            store.close().await?;
            copied.context("copying the database")
        }
        Some(url) => {
            let mut command = postgres_tool("pg_dump", &url.0)?;
            command.args(["--format=custom", "--no-owner", "--no-privileges", "--file"]).arg(staged);
            run(command)
        }
    };
    if let Err(error) = written {
        remove(staged)?;
        return Err(error);
    }
    owner_only(staged)?;
    fs::File::open(staged)?.sync_all()?;
    fs::rename(staged, file).with_context(|| format!("naming {shown}"))?;
    let size = fs::metadata(file)?.len();
    io::print(&format!("wrote {shown}, {size} bytes; keep the keys of the data folder as well, elsewhere\n"))?;
    Ok(Exit::Done)
}

/// Puts a backup in place.
pub async fn restore(file: &Path, replace: bool, access: Access, args: &ServerArgs) -> Result<Exit> {
    let mut head = [0; 16];
    let read = fs::File::open(file)
        .and_then(|mut opened| opened.read(&mut head))
        .with_context(|| format!("reading {}", file.display()))?;
    let head = &head[..read];
    match (&args.database_url, head.starts_with(SQLITE), head.starts_with(PG_DUMP)) {
        (None, true, _) => restore_sqlite(file, replace, access, args).await,
        (Some(url), _, true) => restore_postgres(file, (replace, access), &url.0, args).await,
        (None, _, true) => bail!("{} is a backup of PostgreSQL: set DATABASE_URL", file.display()),
        (Some(_), true, _) => bail!("{} is a backup of SQLite, and DATABASE_URL is set", file.display()),
        _ => bail!("{} is not a backup", file.display()),
    }
}

async fn restore_sqlite(file: &Path, replace: bool, access: Access, args: &ServerArgs) -> Result<Exit> {
    Store::examine(file).await.with_context(|| format!("{} cannot be restored", file.display()))?;
    compose::make_folder(&args.data_dir)?;
    let _lock = compose::lock_folder(&args.data_dir)?;
    let database = args.data_dir.join("bartizan.db");
    if database.exists() && !replace {
        bail!("{} exists: restore with --replace; it is kept beside, with a number", database.display());
    }
    let staged = args.data_dir.join("bartizan.db.restored");
    remove(&staged)?;
    fs::copy(file, &staged).context("copying the backup")?;
    owner_only(&staged)?;
    fs::File::open(&staged)?.sync_all()?;
    set_aside(&args.data_dir)?;
    fs::rename(&staged, &database)?;
    // Migrates it.
    finish(access, args).await
}

/// Moves a database aside with its log, without opening it: it may be damaged, or of a later version. The log goes under
/// the name that SQLite looks for beside the moved file. Nothing that was set aside before is overwritten.
fn set_aside(folder: &Path) -> Result<()> {
    let parts = ["", "-wal", "-shm"];
    let here = |part: &str| folder.join(format!("bartizan.db{part}"));
    if parts.iter().all(|part| !here(part).exists()) {
        return Ok(());
    }
    let there = |number: u32, part: &str| folder.join(format!("bartizan.db.replaced-{number}{part}"));
    let free = (1..10_000).find(|number| parts.iter().all(|part| !there(*number, part).exists()));
    let Some(number) = free else { bail!("{} holds too many replaced databases", folder.display()) };
    // The log first: a database without its log would look whole to whoever opened it in between.
    for part in parts.iter().rev() {
        if here(part).exists() {
            fs::rename(here(part), there(number, part)).with_context(|| format!("moving {}", here(part).display()))?;
        }
    }
    io::say(&format!("the database that was there is {}", there(number, "").display()));
    Ok(())
}

async fn restore_postgres(
    file: &Path,
    (replace, access): (bool, Access),
    url: &SecretString,
    args: &ServerArgs,
) -> Result<Exit> {
    // As it is: what is to be replaced may be of a later version.
    let store = compose::open_as_it_is(args).await?;
    let ours = store.is_ours().await?;
    if store.is_filled().await? && !replace {
        bail!("the database has data in it: restore with --replace");
    }
    let alone = store.have_alone().await.context("the database cannot be restored now")?;
    replay(file, ours, url)?;
    let done = finish(access, args).await;
    drop(alone);
    store.close().await?;
    done
}

/// Writes an archive into the database, in one transaction. The tables that are there go first: those of a later version
/// are not in the archive, and would be in the way of the migrations that make them.
fn replay(file: &Path, ours: bool, url: &SecretString) -> Result<()> {
    let mut read = Command::new("pg_restore");
    read.args(["--clean", "--if-exists", "--no-owner", "--no-privileges", "--file=-"]).arg(file);
    read.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut write = postgres_tool("psql", url)?;
    write.args(["--no-psqlrc", "--quiet", "--no-password", "--set=ON_ERROR_STOP=1", "--file=-"]);
    write.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    let missing = "pg_restore or psql cannot be run: is postgresql-client installed?";
    let mut read = read.spawn().context(missing)?;
    let mut write = write.spawn().context(missing)?;
    let (Some(mut script), Some(mut database)) = (read.stdout.take(), write.stdin.take()) else {
        unreachable!("both were asked for above");
    };
    // A script that is cut off has no COMMIT, and PostgreSQL undoes it.
    let copied = (|| {
        database.write_all(b"BEGIN;\nSET LOCAL client_min_messages = warning;\n")?;
        if ours {
            database.write_all(bartizan_storage::EMPTY_THE_SCHEMA.as_bytes())?;
        }
        std::io::copy(&mut script, &mut database)
    })();
    drop(script);
    let read = read.wait_with_output()?;
    if read.status.success() && copied.is_ok() {
        // If psql has ended, its own word says why.
        let _ = database.write_all(b"\nCOMMIT;\n");
    }
    drop(database);
    let write = write.wait_with_output()?;
    let told = |output: &std::process::Output| String::from_utf8_lossy(&output.stderr).trim().to_owned();
    if !write.status.success() {
        bail!("psql: {}", told(&write));
    }
    if !read.status.success() {
        bail!("pg_restore: {}", told(&read));
    }
    copied.context("handing the backup to psql")?;
    Ok(())
}

async fn finish(access: Access, args: &ServerArgs) -> Result<Exit> {
    let store = compose::open_store(args).await.context("the restored database")?;
    let count = organizations::all(store.read()).await?.len();
    let services = compose::services(store, &compose::no_network(), ServicesConfig::default()).await?;
    let restored = async {
        let cx = services.administrator().await?;
        backups::restored(&cx, &services, access).await
    };
    let ended = restored
        .await
        .map_err(|error| anyhow!("putting it on record: {}", error.internal_context().unwrap_or("failed")))?;
    services.close().await.map_err(|error| anyhow!("{error}"))?;
    io::print(&format!("restored; {count} organisations\n"))?;
    if access == Access::Ends {
        let Ended { sessions, api_keys, links, letters } = ended;
        io::print(&format!(
            "ended: {sessions} sessions, {api_keys} API keys, {links} links; {letters} letters are not sent\n"
        ))?;
    }
    io::say("accounts, passwords and roles are those of the backup: what was taken away since holds again");
    Ok(Exit::Done)
}

/// A tool of PostgreSQL that finds the database by its environment: arguments can be read by everybody on the machine.
fn postgres_tool(name: &str, url: &SecretString) -> Result<Command> {
    let parsed = parse(url)?;
    let decoded = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    let mut command = Command::new(name);
    command.stdin(Stdio::null());
    let query =
        |wanted: &str| parsed.query_pairs().find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned());
    let host = query("host").or_else(|| parsed.host_str().filter(|host| !host.is_empty()).map(decoded));
    let port = query("port").or_else(|| parsed.port().map(|port| port.to_string()));
    let user = query("user").or_else(|| Some(decoded(parsed.username())).filter(|user| !user.is_empty()));
    let password = query("password").or_else(|| parsed.password().map(decoded));
    let settings = [
        ("PGHOST", host),
        ("PGPORT", port),
        ("PGUSER", user),
        ("PGPASSWORD", password),
        ("PGSSLMODE", query("sslmode")),
    ];
    for (name, value) in settings {
        if let Some(value) = value {
            command.env(name, value);
        }
    }
    command.env("PGDATABASE", database_of(url)?);
    Ok(command)
}

fn parse(url: &SecretString) -> Result<Url> {
    Url::parse(url.expose_secret()).context("DATABASE_URL is not a URL")
}

fn database_of(url: &SecretString) -> Result<String> {
    let parsed = parse(url)?;
    let name = percent_encoding::percent_decode_str(parsed.path().trim_start_matches('/')).decode_utf8_lossy();
    if name.is_empty() || name.contains('=') || name.contains("://") {
        bail!("DATABASE_URL names no database");
    }
    Ok(name.into_owned())
}

fn run(mut command: Command) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("{name} cannot be run: is postgresql-client installed?"))?;
    if !output.status.success() {
        bail!("{name}: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}

fn remove(file: &Path) -> Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("removing {}", file.display()))
        }
        _ => Ok(()),
    }
}

fn owner_only(file: &Path) -> Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(file, fs::Permissions::from_mode(0o600))?;
    }
    Ok(())
}
