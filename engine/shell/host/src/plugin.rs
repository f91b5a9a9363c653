//! Plugins in wasmtime: describe, invoke, resume; a fresh instance for every call; limits on
//! everything.
//!
//! A plugin that breaks off, loops or lies ends as a [`Failure`] of that one call. Its store is
//! dropped with the call and never used again.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value;
use tokio::sync::Semaphore;
use wasmtime::Engine;
use wasmtime::component::Linker;

use crate::cache::Cache;
use crate::compile::{self, CompileError};
pub use crate::description::{Description, EffectKind, Function};
use crate::engine::{self, Ticker};
pub use crate::failure::{CODES, Failure, FailureKind};
use crate::grant::Grant;
use crate::http::Client;
use crate::manifest::Limits;
use crate::state::State;
use crate::world::{self, PluginPre};

mod call;
mod imported;

/// Calls of one plugin that run at once; further ones wait their turn. Memory is bounded by this
/// times the plugin's own limit.
const CALLS_AT_ONCE_MAX: usize = 64;

/// The engine of all plugins: compiler, code cache, clock of epochs.
pub struct Host {
    engine: Engine,
    linker: Linker<State>,
    cache: Option<Arc<Cache>>,
    http: Arc<Client>,
    ticker: Ticker,
}

/// A compiled component with its description. Several versions of one plugin can be loaded side
/// by side; they share nothing.
pub struct Plugin {
    /// Name from its manifest.
    pub name: String,
    /// SHA-256 of the component's bytes, lower-case hexadecimal.
    pub digest: String,
    /// What it offers.
    pub description: Description,
    compiled: PluginPre<State>,
    turns: Semaphore,
}

/// What a call is told besides its input.
#[derive(Debug, Clone, Default)]
pub struct Context {
    /// Equal for every attempt of one step.
    pub idempotency_key: String,
    /// 1, 2, 3 ...
    pub attempt: u32,
    /// Zero: only the limit of the call counts.
    pub deadline_unix_ms: u64,
    /// The same for every attempt.
    pub step_started_unix_ms: u64,
    /// Which agency asks.
    pub agency: String,
    /// Which case it is for.
    pub case_id: String,
    /// Which step of which instance.
    pub step_id: String,
    /// Under which a later answer arrives; empty where none is taken.
    pub callback_token: String,
    /// Where it may be sent, if anybody outside can reach this engine.
    pub callback_url: Option<String>,
}

/// What a function answered.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// Its output.
    Done(Value),
    /// The answer comes later.
    Pending(Pending),
}

/// The answer comes later: by a message under the call's token, or by asking again.
#[derive(Debug, Clone, PartialEq)]
pub struct Pending {
    /// Names of the matter at the other side.
    pub correlation: Vec<String>,
    /// After this nobody waits.
    pub expires_unix_ms: Option<u64>,
    /// When to ask again, from now.
    pub poll_after_ms: Option<u64>,
    /// Handed back when it goes on.
    pub state: Value,
}

/// Why a function goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// Somebody sent this.
    Callback {
        /// As received.
        headers: Vec<(String, String)>,
        /// As received.
        body: Vec<u8>,
    },
    /// It is time to ask.
    Poll,
    /// It is too late.
    Expired,
    /// Nobody waits any more.
    Cancelled,
}

/// Why there is no host.
#[derive(Debug)]
pub struct HostError(String);

/// Why a component cannot be used.
#[derive(Debug, Clone, PartialEq)]
pub enum LoadError {
    /// The bytes do not become a component.
    Compile(CompileError),
    /// It does not offer `describe`, `invoke` and `resume`, or wants what this host has not.
    World(String),
    /// `describe()` did not end well.
    Describe(Box<Failure>),
    /// `describe()` gave something that cannot be relied on.
    Description(String),
}

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for HostError {}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Compile(error) => error.fmt(f),
            Self::World(why) => write!(f, "the component does not fit the plugin world: {why}"),
            Self::Describe(failure) => write!(f, "describe() failed: {failure}"),
            Self::Description(why) => write!(f, "describe() cannot be used: {why}"),
        }
    }
}

impl std::error::Error for LoadError {}

impl fmt::Debug for Plugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plugin")
            .field("name", &self.name)
            .field("digest", &self.digest)
            .finish_non_exhaustive()
    }
}

impl Host {
    /// `cache`: folder for precompiled code, owned by the engine, made with mode 0700.
    pub fn new(cache: Option<PathBuf>) -> Result<Self, HostError> {
        let broken = |error: wasmtime::Error| HostError(format!("wasmtime: {error:#}"));
        let engine = engine::engine().map_err(broken)?;
        let mut linker = Linker::new(&engine);
        world::Plugin::add_to_linker::<_, wasmtime::component::HasSelf<State>>(&mut linker, |s| s)
            .map_err(broken)?;
        let cache = cache.map(|folder| Cache::open(folder, &engine)).transpose();
        let cache = cache.map_err(|error| match std::error::Error::source(&error) {
            Some(source) => HostError(format!("{error}: {source}")),
            None => HostError(error.to_string()),
        })?;
        let ticker = Ticker::start(&engine)
            .map_err(|error| HostError(format!("the plugins' clock cannot be started: {error}")))?;
        Ok(Self {
            engine,
            linker,
            cache: cache.map(Arc::new),
            http: Arc::default(),
            ticker,
        })
    }

    /// Checks, compiles (or takes from the cache) and describes a component.
    pub async fn load(&self, name: &str, component: &[u8]) -> Result<Arc<Plugin>, LoadError> {
        let digest = compile::digest(component);
        let component = self.compile(&digest, component.to_vec()).await?;
        imported::check(&self.engine, &component).map_err(LoadError::World)?;
        let world = |error: wasmtime::Error| LoadError::World(format!("{error:#}"));
        let linked = self.linker.instantiate_pre(&component).map_err(world)?;
        let compiled = PluginPre::new(linked).map_err(world)?;
        let text = self
            .describe(&compiled, name)
            .await
            .map_err(|failure| LoadError::Describe(Box::new(failure)))?;
        let description = Description::read(&text).map_err(LoadError::Description)?;
        Ok(Arc::new(Plugin {
            name: name.to_owned(),
            digest,
            description,
            compiled,
            turns: Semaphore::new(CALLS_AT_ONCE_MAX),
        }))
    }

    /// Runs one function in a fresh instance. Input and output are checked by whoever knows the
    /// schemas; here the output is only known to be strict JSON within the limits.
    pub async fn invoke(
        &self,
        plugin: &Plugin,
        function: &str,
        input: &Value,
        context: &Context,
        grant: &Arc<Grant>,
        limits: &Limits,
    ) -> Result<Reply, Failure> {
        call::run(
            self,
            plugin,
            call::Invocation {
                function,
                entry: call::Entry::Invoke { input },
                context,
                grant,
                limits,
            },
        )
        .await
    }

    /// Goes on with a function that answered [`Reply::Pending`], in a fresh instance as well.
    #[expect(
        clippy::too_many_arguments,
        reason = "one more than `invoke`: the two are alike"
    )]
    pub async fn resume(
        &self,
        plugin: &Plugin,
        function: &str,
        state: &Value,
        reason: Reason,
        context: &Context,
        grant: &Arc<Grant>,
        limits: &Limits,
    ) -> Result<Reply, Failure> {
        call::run(
            self,
            plugin,
            call::Invocation {
                function,
                entry: call::Entry::Resume { state, reason },
                context,
                grant,
                limits,
            },
        )
        .await
    }

    /// Compiling takes seconds of CPU and is not ours: off the async threads, panics caught.
    async fn compile(
        &self,
        digest: &str,
        bytes: Vec<u8>,
    ) -> Result<wasmtime::component::Component, LoadError> {
        let (engine, cache, digest) = (self.engine.clone(), self.cache.clone(), digest.to_owned());
        let work = tokio::task::spawn_blocking(move || {
            compile::component(&engine, cache.as_deref(), &digest, &bytes)
        });
        work.await
            .map_err(|error| CompileError::Compiler(error.to_string()))
            .and_then(|result| result)
            .map_err(LoadError::Compile)
    }
}
