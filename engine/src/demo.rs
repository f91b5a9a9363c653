//! `casewright demo`: everything on loopback. Builds the plugins of this checkout when they are
//! missing, puts its packs in force, seeds staff, starts the fake partners and prints sign-ins.
//!
//! It is for trying and testing: secrets are printed, and everything is bound to loopback.

mod staff;

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use casewright_host::grant::OperatorSide;
use serde_json::json;
use tokio::net::TcpListener;

use crate::exit;
use crate::log;
use crate::plugin::BuildError;
use crate::ports::plugins::Sources;
use crate::ports::{gateway, http};
use crate::wiring::{self, Places};
use crate::{operator, partner, plugin, ready};

/// Taken when it is free and no other was asked for.
const PORT: u16 = 8080;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Port on loopback; 0 takes a free one. Without it 8080, or a free one when that is taken.
    #[arg(long)]
    port: Option<u16>,
    /// Where the demo keeps its data; `target/demo` of the checkout otherwise.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Written once the server answers: `{"url": ..., "tokens": {"case-worker": ...}}`.
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
    #[command(flatten)]
    log: log::Arguments,
}

pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    if let Err(code) = log::start(&arguments.log) {
        return code;
    }
    match demo(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => exit::environment(&error),
    }
}

fn demo(arguments: &Arguments) -> io::Result<()> {
    if let Some(path) = &arguments.ready_file {
        ready::clear(path)?;
    }
    let here = std::env::current_dir()?;
    let checkout = plugin::find_checkout(&here).ok_or_else(|| {
        io::Error::other(format!(
            "there is no checkout of Casewright (a folder with workflows/, plugins/ and sdk/) at \
             or above {}; run the demo inside one",
            here.display()
        ))
    })?;
    let built = checkout.join("target/plugins");
    build_plugins(&checkout, &built).map_err(io::Error::other)?;
    let data = arguments
        .data
        .clone()
        .unwrap_or_else(|| checkout.join("target/demo"));
    crate::asynchronous(serve(arguments, &checkout, &built, &data))
}

/// Builds what is missing or older than its source; installs the toolchain where it may.
fn build_plugins(checkout: &Path, built: &Path) -> Result<(), BuildError> {
    plugin::with_progress(
        |progress| match plugin::build_all(checkout, built, progress) {
            Err(BuildError::NoToolchain(_)) if plugin::can_install_toolchain() => {
                plugin::install_toolchain(progress)?;
                plugin::build_all(checkout, built, progress)
            }
            outcome => outcome,
        },
    )
    .map(drop)
}

async fn serve(
    arguments: &Arguments,
    checkout: &Path,
    built: &Path,
    data: &Path,
) -> io::Result<()> {
    // Bound first: a port that is taken should be said before anything is written.
    let listener = listen(arguments.port, data).await?;
    let url = format!("http://{}", listener.local_addr()?);
    wiring::tell_start(&url, data);
    let partner = start_partner(data).await?;
    let places = Places {
        data: data.to_path_buf(),
        keys: data.join("keys/epoch.json"),
        disk_reserve_bytes: 64 * 1024 * 1024,
    };
    let sources = Sources {
        folders: vec![built.to_path_buf()],
        operator: operator(&partner),
        http: http(&partner),
        gateway: Some(gateway(&partner)),
        public_url: Some(url.clone()),
        ..Sources::default()
    };
    let running = wiring::open(&places, sources).await?;
    operator::listen(data, running.store.clone(), None);
    let mut agencies = Vec::new();
    for pack in packs(checkout)? {
        agencies.push(running.deploy(&pack).await?.namespace);
    }
    let seeded = staff::seed(&running.engine, &agencies).await?;
    let settings = casewright_web::Settings {
        secure_cookies: false,
    };
    let ready = async {
        if let Some(path) = &arguments.ready_file {
            let content = json!({
                "url": url,
                "tokens": seeded.tokens(),
                "signIns": seeded.sign_ins(),
                "partner": partner,
            });
            ready::write(path, &content)?;
        }
        exit::say(&seeded.welcome(&url));
        tracing::info!(address = url, "serving");
        Ok(())
    };
    // The listener already queues connections, so that whoever reads the file is answered.
    ready
        .await
        .and(wiring::serve(running.engine, listener, settings).await)
}

/// A free port stays the same over starts if it can: partners were told where to send answers.
async fn listen(port: Option<u16>, data: &Path) -> io::Result<TcpListener> {
    let port_file = data.join("port");
    let before = fs::read_to_string(&port_file);
    let before = before.ok().and_then(|text| text.trim().parse().ok());
    let free = async || match TcpListener::bind((Ipv4Addr::LOCALHOST, before.unwrap_or(0))).await {
        Ok(listener) => Ok(listener),
        Err(_) => TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await,
    };
    let listener = match port {
        None => match TcpListener::bind((Ipv4Addr::LOCALHOST, PORT)).await {
            Ok(listener) => Ok(listener),
            Err(_) => free().await,
        },
        Some(0) => free().await,
        Some(port) => TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            .await
            .map_err(|error| {
                let sentence = format!("cannot listen on port {port} of loopback: {error}");
                io::Error::new(error.kind(), sentence)
            }),
    }?;
    fs::create_dir_all(data)?;
    fs::write(port_file, listener.local_addr()?.port().to_string())?;
    Ok(listener)
}

/// The partner keeps its journal beside the data, and its port if it can: what was under way when
/// the demo was killed goes on with the same partner.
async fn start_partner(data: &Path) -> io::Result<String> {
    let folder = data.join("partner");
    fs::create_dir_all(&folder)?;
    let port_file = folder.join("port");
    let port = fs::read_to_string(&port_file)
        .ok()
        .and_then(|text| text.trim().parse().ok());
    let journal = Some(folder.join("journal.jsonl"));
    let started = match partner::start(port.unwrap_or(0), journal.clone()).await {
        Err(_) => partner::start(0, journal).await?,
        Ok(started) => started,
    };
    fs::write(port_file, started.address.port().to_string())?;
    Ok(format!("http://{}", started.address))
}

/// The demo's operator lets the plugins reach the fake partners and nothing else.
fn operator(partner: &str) -> BTreeMap<String, OperatorSide> {
    let side = |plugin: &str, config| {
        let side = OperatorSide {
            config,
            hosts: vec![partner.to_owned()],
            ..OperatorSide::default()
        };
        (plugin.to_owned(), side)
    };
    // Nobody who tries the demo waits an hour for the register to be asked.
    let housing = json!({ "endpoint": partner, "pollSeconds": 1 });
    BTreeMap::from([
        side("directory-search", json!({ "endpoint": partner })),
        side("emergency-relief", json!({ "endpoint": partner })),
        side("housing-application", housing),
        side("payment-issue", json!({ "endpoint": partner })),
    ])
}

/// What a pack binds of it, its documents may ask without a plugin.
/// The fake partners take messages and send none.
fn gateway(partner: &str) -> gateway::Settings {
    gateway::Settings {
        endpoint: format!("{partner}/notify/messages"),
        secret: None,
    }
}

fn http(partner: &str) -> http::Operator {
    let everybody = http::Side {
        hosts: vec![partner.to_owned()],
        ..http::Side::default()
    };
    http::Operator {
        everybody,
        ..http::Operator::default()
    }
}

fn packs(checkout: &Path) -> io::Result<Vec<PathBuf>> {
    let mut packs = Vec::new();
    for entry in fs::read_dir(checkout.join("workflows"))? {
        let path = entry?.path();
        if path.join("pack.yaml").is_file() {
            packs.push(path);
        }
    }
    packs.sort();
    Ok(packs)
}
