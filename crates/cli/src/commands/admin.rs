//! `bartizan admin`: upkeep of a server's data, on the machine it is on. Whoever can read the data folder may do it.

use anyhow::{Result, anyhow, bail};
use bartizan_services::api_keys::ApiKeysThen;
use bartizan_services::backups::Access;
use bartizan_services::{Services, ServicesConfig, audit, auth_config, passwords, second_factors, secrets, users};
use secrecy::SecretString;

use crate::args::{AdminCommand, ServerArgs};
use crate::commands::backup;
use crate::compose;
use crate::exit::Exit;
use crate::io;

/// Runs the command.
pub fn run(command: AdminCommand) -> Result<Exit> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match command {
            AdminCommand::VerifyAuditLog { expect, server } => verify_audit_log(expect, &server).await,
            AdminCommand::Migrate { server } => migrate(&server).await,
            AdminCommand::CreateUser { username, email, role, server } => {
                create_user((username, email, role), &server).await
            }
            AdminCommand::ResetPassword { user, remove_second_factor, keep_api_keys, server } => {
                let keys = if keep_api_keys { ApiKeysThen::Keep } else { ApiKeysThen::Revoke };
                reset_password(&user, remove_second_factor, keys, &server).await
            }
            AdminCommand::RotateKey { server } => rotate_key(&server).await,
            AdminCommand::EnablePasswordSignIn { server } => enable_passwords(&server).await,
            AdminCommand::Backup { file, server } => backup::write(&file, &server).await,
            AdminCommand::Restore { file, replace, keep_access, server } => {
                let access = if keep_access { Access::Stays } else { Access::Ends };
                backup::restore(&file, replace, access, &server).await
            }
        }
    })
}

async fn migrate(args: &ServerArgs) -> Result<Exit> {
    let services = open(args).await?;
    services.close().await.map_err(told)?;
    io::print("the database has the schema of this version\n")?;
    Ok(Exit::Done)
}

async fn create_user((username, email, role): (String, String, String), args: &ServerArgs) -> Result<Exit> {
    let password = password()?;
    let services = open(args).await?;
    let cx = services.administrator().await.map_err(told)?;
    let role = role.parse().map_err(|error| anyhow!("--role: {error}"))?;
    let member =
        users::create(&cx, &services, users::NewUser { username, email, password: Some(password), role }).await;
    let member = member.map_err(told)?;
    services.close().await.map_err(told)?;
    io::print(&format!("{} is {}\n", member.user.username, member.membership.role))?;
    Ok(Exit::Done)
}

async fn reset_password(user: &str, remove_second_factor: bool, keys: ApiKeysThen, args: &ServerArgs) -> Result<Exit> {
    let password = password()?;
    let services = open(args).await?;
    let cx = services.administrator().await.map_err(told)?;
    passwords::set_for(&cx, &services, user, password, keys).await.map_err(told)?;
    if remove_second_factor {
        second_factors::remove_for(&cx, &services, user).await.map_err(told)?;
    }
    services.close().await.map_err(told)?;
    io::print(match keys {
        ApiKeysThen::Revoke => {
            "the password is set; every session of the user has ended, and the API keys are revoked\n"
        }
        ApiKeysThen::Keep => "the password is set; every session of the user has ended\n",
    })?;
    Ok(Exit::Done)
}

/// A password from standard input: arguments can be read by everybody on the machine.
fn password() -> Result<SecretString> {
    use std::io::{BufRead as _, IsTerminal as _, Read as _};
    let input = std::io::stdin().lock();
    if input.is_terminal() {
        io::say("password (it is shown as you type; or give it in a pipe):");
    }
    let mut line = String::new();
    // No password is longer than this.
    std::io::BufReader::new(input.take(4096)).read_line(&mut line)?;
    let line = line.trim_end_matches(['\r', '\n']);
    if line.is_empty() {
        bail!("give the password on standard input");
    }
    Ok(line.into())
}

async fn rotate_key(args: &ServerArgs) -> Result<Exit> {
    let services = open(args).await?;
    let cx = services.administrator().await.map_err(told)?;
    let rotation = secrets::rotate(&cx, &services).await.map_err(told)?;
    io::print(&format!(
        "key {} seals from now on; {} secrets sealed anew; keys in the ring: {}\n",
        rotation.key_id,
        rotation.resealed,
        rotation.keys.join(", ")
    ))?;
    services.close().await.map_err(told)?;
    Ok(Exit::Done)
}

async fn enable_passwords(args: &ServerArgs) -> Result<Exit> {
    let services = open(args).await?;
    let cx = services.administrator().await.map_err(told)?;
    auth_config::enable_passwords(&cx, &services).await.map_err(told)?;
    io::print("sign-in with passwords is on\n")?;
    services.close().await.map_err(told)?;
    Ok(Exit::Done)
}

async fn verify_audit_log(expected: Vec<(i64, Vec<u8>)>, args: &ServerArgs) -> Result<Exit> {
    let services = open_as_it_is(args).await?;
    let mut broken = 0;
    for chain in audit::verify_all(&services).await.map_err(told)? {
        let name = chain.organization.as_deref().unwrap_or("(no organisation)");
        let head = chain.head.as_ref().map(|head| format!("{}:{}", head.seal.position, hex::encode(&head.seal.hash)));
        let head = head.unwrap_or_else(|| "none".to_owned());
        let state = match &chain.broken {
            None => "intact".to_owned(),
            Some(found) => {
                broken += 1;
                format!("BROKEN at {}: {}", found.position, found.reason)
            }
        };
        let (sealed, unsealed) = (chain.sealed, chain.unsealed);
        io::print(&format!("{name}: {state}; {sealed} sealed, {unsealed} not sealed yet, head {head}\n"))?;
    }
    for (position, hash) in expected {
        if !audit::is_linked(&services, &audit::Seal { position, hash }).await.map_err(told)? {
            broken += 1;
            io::print(&format!("BROKEN: the link noted down at {position} is in no chain: cut off or written anew\n"))?;
        }
    }
    services.close().await.map_err(told)?;
    Ok(if broken > 0 { Exit::Findings } else { Exit::Done })
}

/// The same without changing the database or making a key: it may be a later or an earlier version's, and be in use.
async fn open_as_it_is(args: &ServerArgs) -> Result<Services> {
    let store = compose::open_as_it_is(args).await?;
    if !store.is_current().await? {
        bail!("the database has the schema of another version of this program; use that version, or `admin migrate`");
    }
    compose::services(store, &compose::no_network(), ServicesConfig::default()).await
}

/// The use cases on the server's database and keys.
async fn open(args: &ServerArgs) -> Result<Services> {
    compose::make_folder(&args.data_dir)?;
    let store = compose::open_store(args).await?;
    let config = ServicesConfig { secret_keys: Some(compose::secret_keys(args)?), ..ServicesConfig::default() };
    compose::services(store, &compose::no_network(), config).await
}

/// Who runs this command may know the cause, which an API would keep to its log.
fn told(error: bartizan_domain::Error) -> anyhow::Error {
    match error.internal_context() {
        Some(context) => anyhow!("{context}"),
        None => anyhow!("{error}"),
    }
}
