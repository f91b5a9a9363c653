//! Fits store, plugins, evaluator, clock and randomness into a running engine, for `demo` and
//! `serve` alike.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use casewright_language::pack::Pack;
use casewright_runtime::Engine;
use casewright_runtime::engine::{NotDeployed, Parts};
use casewright_store::redb::RedbStore;
use casewright_store::{Settings, Store};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::exit;
use crate::ports::plugins::Sources;
use crate::ports::{EvaluatorProcess, Plugins, SystemClock, SystemEntropy};

/// Where an engine keeps what it must not lose.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    /// `casewright.redb`, kept plugins, compiled code.
    pub(crate) data: PathBuf,
    /// The epoch key: apart from the data, so that a copy of one opens nothing.
    pub(crate) keys: PathBuf,
    pub(crate) disk_reserve_bytes: u64,
}

/// A running engine with its store.
pub(crate) struct Running {
    pub(crate) engine: Engine,
    pub(crate) store: Arc<RedbStore>,
}

/// Opens the store, loads plugins and recovers what was under way.
pub(crate) async fn open(places: &Places, mut sources: Sources) -> io::Result<Running> {
    private_folder(&places.data)?;
    if let Some(parent) = places.keys.parent() {
        private_folder(parent)?;
    }
    sources.cache = Some(places.data.join("compiled"));
    sources.kept = Some(places.data.join("plugins"));
    let plugins = Arc::new(Plugins::load(sources).await?);
    let store = RedbStore::open(
        &database(&places.data),
        &places.keys,
        Settings {
            reserve_bytes: places.disk_reserve_bytes,
            on_fatal: Some(Arc::new(|reason: &str| {
                // Nobody knows what reached the disk: going on would be a lie.
                exit::note(&format!("the disk failed, stopping: {reason}"));
                std::process::exit(3);
            })),
            ..Settings::default()
        },
    )
    .map_err(|error| io::Error::other(exit::chain(&error)))?;
    let store = Arc::new(store);
    let engine = engine(store.clone(), plugins).await?;
    Ok(Running { engine, store })
}

/// The first line of a server's log.
pub(crate) fn tell_start(address: &str, data: &Path) {
    let (version, data) = (env!("CARGO_PKG_VERSION"), data.display());
    tracing::info!(version, address, %data, "starting");
}

/// The database of a data folder.
pub(crate) fn database(data: &Path) -> PathBuf {
    data.join("casewright.redb")
}

/// An engine over any store.
pub(crate) async fn engine(store: Arc<dyn Store>, plugins: Arc<Plugins>) -> io::Result<Engine> {
    let parts = Parts {
        store,
        invoke: plugins,
        evaluate: Arc::new(EvaluatorProcess::new()?),
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
    };
    Engine::open(parts)
        .await
        .map_err(|error| io::Error::other(exit::chain(&error)))
}

impl Running {
    /// Puts the pack of this folder in force; its mistakes are drawn and end in an error.
    pub(crate) async fn deploy(&self, folder: &Path) -> io::Result<Pack> {
        let files = crate::folder::read(folder)?;
        match self.engine.deploy_configured(files).await {
            Ok(deployment) => Ok(deployment.pack.clone()),
            Err(NotDeployed::Mistakes(diagnostics)) => {
                crate::validate::show(folder, &diagnostics);
                let sentence = format!("the pack in {} has mistakes", folder.display());
                Err(io::Error::new(io::ErrorKind::InvalidData, sentence))
            }
            Err(NotDeployed::Refused(refused)) => Err(io::Error::other(exit::chain(&refused))),
        }
    }
}

/// Serves until SIGINT or SIGTERM, then stops the engine gracefully.
pub(crate) async fn serve(
    engine: Engine,
    listener: TcpListener,
    settings: casewright_web::Settings,
) -> io::Result<()> {
    let app = casewright_web::router(engine.clone(), settings)
        .into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, app)
        .with_graceful_shutdown(stop_asked()?)
        .await?;
    engine.stop().await;
    tracing::info!("stopped");
    Ok(())
}

fn stop_asked() -> io::Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        exit::note(&"stopping; a second signal is not needed");
    })
}

/// Makes a folder that nobody else can look into; one that is there stays as it is.
pub(crate) fn private_folder(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;

    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|error| {
            io::Error::new(
                error.kind(),
                format!("cannot make the folder {}: {error}", path.display()),
            )
        })
}
