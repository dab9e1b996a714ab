//! `bartizan admin`: upkeep of a server's data, on the machine it is on. Whoever can read the data folder may do it.

use anyhow::{Result, anyhow};
use bartizan_services::{Origin, Services, ServicesConfig, audit, auth_config, secrets};

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
            AdminCommand::VerifyAuditLog { server } => verify_audit_log(&server).await,
            AdminCommand::RotateKey { server } => rotate_key(&server).await,
            AdminCommand::EnablePasswordSignIn { server } => enable_passwords(&server).await,
            AdminCommand::Backup { file, server } => backup::write(&file, &server).await,
            AdminCommand::Restore { file, replace, server } => backup::restore(&file, replace, &server).await,
        }
    })
}

async fn rotate_key(args: &ServerArgs) -> Result<Exit> {
    let services = open(args).await?;
    let cx = services.anonymous(Origin { request_id: "admin".to_owned(), ..Origin::default() });
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
    let cx = services.anonymous(Origin { request_id: "admin".to_owned(), ..Origin::default() });
    auth_config::enable_passwords(&cx, &services).await.map_err(told)?;
    io::print("sign-in with passwords is on\n")?;
    services.close().await.map_err(told)?;
    Ok(Exit::Done)
}

async fn verify_audit_log(args: &ServerArgs) -> Result<Exit> {
    let services = open(args).await?;
    let mut broken = 0;
    for chain in audit::verify_all(&services).await.map_err(told)? {
        let name = chain.organization.as_deref().unwrap_or("(no organisation)");
        let head = chain.head_hash().unwrap_or_else(|| "none".to_owned());
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
    services.close().await.map_err(told)?;
    Ok(if broken > 0 { Exit::Findings } else { Exit::Done })
}

/// The use cases on the server's database and keys.
async fn open(args: &ServerArgs) -> Result<Services> {
    compose::make_folder(&args.data_dir)?;
    let store = compose::open_store(args).await?;
    let config = ServicesConfig { secret_keys: Some(compose::secret_keys(args)?), ..ServicesConfig::default() };
    Ok(compose::services(store, &compose::no_network(), config))
}

/// Who runs this command may know the cause, which an API would keep to its log.
fn told(error: bartizan_domain::Error) -> anyhow::Error {
    match error.internal_context() {
        Some(context) => anyhow!("{context}"),
        None => anyhow!("{error}"),
    }
}
