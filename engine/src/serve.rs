//! `casewright serve`: an agency's engine from a configuration file.

mod config;

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use casewright_runtime::identity::NewUser;
use casewright_store::ExportTo;
use serde_json::json;
use tokio::net::TcpListener;

use self::config::Config;
use crate::exit;
use crate::folder;
use crate::keys;
use crate::log;
use crate::operator;
use crate::ports::plugins::Sources;
use crate::ready;
use crate::wiring::{self, Places, Running};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The configuration, TOML; see the README.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Written once the server answers: `{"url": ...}`.
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
    #[command(flatten)]
    log: log::Arguments,
}

pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    if let Err(code) = log::start(&arguments.log) {
        return code;
    }
    let config = match Config::read(&arguments.config) {
        Ok(config) => config,
        Err(sentence) => return exit::environment(&sentence),
    };
    match crate::asynchronous(serve(&config, arguments)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => exit::environment(&error),
    }
}

/// What a configuration says of what is served, without its secrets.
pub(crate) struct Outline {
    pub(crate) data: PathBuf,
    pub(crate) packs: Vec<PathBuf>,
    /// Whether messages are sent.
    pub(crate) gateway: bool,
    /// Whether exports of the keys have a place, so that they are rolled.
    pub(crate) recovery: bool,
}

/// The error is a sentence with file, place and remedy.
pub(crate) fn outline(config: &Path) -> Result<Outline, String> {
    let config = Config::read(config)?;
    Ok(Outline {
        gateway: config.has_gateway(),
        recovery: config.recovery().is_some(),
        data: config.data,
        packs: config.packs,
    })
}

/// Where the configuration says that data and keys are.
pub(crate) fn places(config: &Path) -> io::Result<(PathBuf, PathBuf)> {
    let config = Config::read(config).map_err(io::Error::other)?;
    Ok((config.data, config.keys))
}

/// Where the configuration says that exports of the keys go.
pub(crate) fn recovery(config: &Path) -> io::Result<Option<ExportTo>> {
    let config = Config::read(config).map_err(io::Error::other)?;
    Ok(config.recovery())
}

async fn serve(config: &Config, arguments: &Arguments) -> io::Result<()> {
    if let Some(path) = &arguments.ready_file {
        ready::clear(path)?;
    }
    let listener = TcpListener::bind(config.listen).await.map_err(|error| {
        io::Error::new(
            error.kind(),
            format!("cannot listen on {}: {error}", config.listen),
        )
    })?;
    let url = format!("http://{}", listener.local_addr()?);
    wiring::tell_start(&url, &config.data);
    let places = Places {
        data: config.data.clone(),
        keys: config.keys.clone(),
        disk_reserve_bytes: config.disk_reserve_mib * 1024 * 1024,
    };
    let sources = Sources {
        folders: config.plugins.clone(),
        operator: config.operator()?,
        http: config.http()?,
        gateway: config.gateway()?,
        public_url: config.public_url.clone(),
        ..Sources::default()
    };
    let running = wiring::open(&places, sources).await?;
    operator::listen(&config.data, running.store.clone(), config.recovery());
    keys::look_after(&running.store, config.recovery())?;
    let gateway = config.has_gateway();
    for pack in &config.packs {
        let pack = running.deploy(pack).await?;
        let senders = running.engine.message_senders(&pack.namespace);
        if !gateway && !senders.is_empty() {
            exit::note(&format!(
                "{}: its workflows send messages ({}), and no gateway sends them: name one under \
                 [notify] of {}, `endpoint = \"https://...\"`",
                pack.namespace,
                senders.join(", "),
                arguments.config.display()
            ));
        }
    }
    staff(config, &running).await?;
    if let Some(path) = &arguments.ready_file {
        ready::write(path, &json!({ "url": url }))?;
    }
    if !log::is_for_programs() {
        exit::note(&format!("serving on {url}"));
    }
    tracing::info!(address = url, "serving");
    let loopback = config.listen.ip().is_loopback();
    let settings = casewright_web::Settings {
        secure_cookies: config.secure_cookies.unwrap_or(!loopback),
    };
    wiring::serve(running.engine, listener, settings).await
}

async fn staff(config: &Config, running: &Running) -> io::Result<()> {
    let failed = |error: casewright_runtime::Refused| io::Error::other(exit::chain(&error));
    for member in &config.staff {
        let user = NewUser {
            agency: member.agency.clone(),
            id: member.id.clone(),
            sign_in: member.sign_in.clone(),
            display_name: member.name.clone(),
            roles: member.roles_and_teams(),
            passphrase: folder::secret(&member.passphrase_file)?,
        };
        running.engine.put_user(user).await.map_err(failed)?;
        if let Some(path) = &member.token_file {
            let token = running
                .engine
                .mint_token(&member.id, "config")
                .await
                .map_err(failed)?;
            ready::write(path, &json!({ "token": token.0 }))?;
        }
    }
    Ok(())
}
