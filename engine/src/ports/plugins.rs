//! Installed plugins as `runtime` sees them: signatures, effects, invocations under their grants;
//! requests of `call: http` and messages are handed on.
//!
//! Components are kept by digest in the data folder, so that an instance finds the plugin it is
//! pinned to after another version was installed.

use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::{PoisonError, RwLock};

use casewright_host::grant::{Grant, OperatorSide, PackSide};
use casewright_host::manifest::Manifest;
use casewright_host::plugin::{self, Context, Failure, FailureKind, Function, Host, Plugin};
use casewright_language::pack::{Pack, PluginBinding};
use casewright_language::{Schema, Signature, Surroundings};
use casewright_machine::{CallError, ErrorKind};
use casewright_runtime::port::{
    Boxed, Callback, EffectKind, Invocation, Invoke, Pending, Reason, Reply, Resumption,
};

use super::gateway::{self, Gateway};
use super::http::{self, Http};

/// Where commands of one user keep compiled code between runs; none where there is no home.
pub(crate) fn user_cache() -> Option<PathBuf> {
    let base = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let base = base.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")))?;
    let folder = base.join("casewright/compiled");
    fs::create_dir_all(folder.parent()?).ok()?;
    base.is_absolute().then_some(folder)
}

/// All plugins of this process.
pub(crate) struct Plugins {
    host: Host,
    by_digest: BTreeMap<String, Loaded>,
    /// Name to digest of what is installed now; others are only kept.
    installed: BTreeMap<String, String>,
    operator: BTreeMap<String, OperatorSide>,
    /// Where partners reach this engine, without a slash at the end.
    public_url: Option<String>,
    /// Requests that no plugin sends.
    http: Http,
    /// Who sends messages.
    gateway: Gateway,
    /// What packs bind, by agency and plugin.
    bound: RwLock<BTreeMap<String, BTreeMap<String, PackSide>>>,
    /// Grants that follow from it, by agency and digest of the plugin; emptied when it changes.
    grants: RwLock<BTreeMap<String, BTreeMap<String, Arc<Grant>>>>,
}

struct Loaded {
    plugin: Arc<Plugin>,
    manifest: Manifest,
}

/// Where plugins come from and where their traces are kept.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    /// Folders of plugin folders, `<name>/{plugin.toml, <name>.wasm}`.
    pub(crate) folders: Vec<PathBuf>,
    /// Compiled code; owned by the engine.
    pub(crate) cache: Option<PathBuf>,
    /// Components by digest, for instances pinned to them.
    pub(crate) kept: Option<PathBuf>,
    pub(crate) operator: BTreeMap<String, OperatorSide>,
    /// What the operator lets `call: http` use.
    pub(crate) http: http::Operator,
    /// Who sends messages; without it none go out.
    pub(crate) gateway: Option<gateway::Settings>,
    /// Where partners reach this engine; without it plugins must ask for answers by themselves.
    pub(crate) public_url: Option<String>,
}

impl Plugins {
    pub(crate) async fn load(sources: Sources) -> io::Result<Self> {
        let host = Host::new(sources.cache).map_err(io::Error::other)?;
        let mut plugins = Self {
            host,
            by_digest: BTreeMap::new(),
            installed: BTreeMap::new(),
            operator: sources.operator,
            public_url: sources.public_url,
            http: Http::new(sources.http),
            gateway: Gateway::new(sources.gateway),
            bound: RwLock::default(),
            grants: RwLock::default(),
        };
        if let Some(kept) = &sources.kept {
            fs::create_dir_all(kept)?;
            for folder in folders_in(kept)? {
                plugins.load_one(&folder).await?;
            }
        }
        for folder in &sources.folders {
            for folder in folders_in(folder)? {
                let (name, digest) = plugins.load_one(&folder).await?;
                if let Some(kept) = &sources.kept {
                    keep(&folder, &kept.join(&digest), &name)?;
                }
                plugins.installed.insert(name, digest);
            }
        }
        Ok(plugins)
    }

    /// What the installed plugins say of themselves.
    pub(crate) fn manifests(&self) -> impl Iterator<Item = &Manifest> {
        let digests = self.installed.values();
        digests.map(|digest| &self.by_digest[digest].manifest)
    }

    fn bind(&self, agency: &str, pack: BTreeMap<String, PackSide>) {
        let mut bound = self.bound.write().unwrap_or_else(PoisonError::into_inner);
        let mut grants = self.grants.write().unwrap_or_else(PoisonError::into_inner);
        bound.insert(agency.to_owned(), pack);
        grants.remove(agency);
    }

    async fn load_one(&mut self, folder: &Path) -> io::Result<(String, String)> {
        let text = crate::folder::text(&folder.join("plugin.toml"))?;
        let manifest =
            Manifest::read(&text).map_err(|error| invalid(&folder.join("plugin.toml"), &error))?;
        let path = folder.join(format!("{}.wasm", manifest.name));
        let bytes = fs::read(&path).map_err(|error| invalid(&path, &error))?;
        let plugin = self
            .host
            .load(&manifest.name, &bytes)
            .await
            .map_err(|error| invalid(&path, &error))?;
        let (name, digest) = (manifest.name.clone(), plugin.digest.clone());
        self.by_digest
            .insert(digest.clone(), Loaded { plugin, manifest });
        Ok((name, digest))
    }

    fn grant(&self, agency: &str, loaded: &Loaded) -> Arc<Grant> {
        let digest = &loaded.plugin.digest;
        let known = self.grants.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(grant) = known.get(agency).and_then(|of| of.get(digest)) {
            return Arc::clone(grant);
        }
        drop(known);
        // Held until the grant is kept: what is bound meanwhile takes it away again.
        let bound = self.bound.read().unwrap_or_else(PoisonError::into_inner);
        let manifest = &loaded.manifest;
        let pack = bound.get(agency).and_then(|of| of.get(&manifest.name));
        let nothing = OperatorSide::default();
        let operator = self.operator.get(&manifest.name);
        let operator = operator.or_else(|| self.operator.get("*"));
        let grant = Grant::intersect(manifest, pack, operator.unwrap_or(&nothing));
        let grant = Arc::new(grant);
        let mut known = self.grants.write().unwrap_or_else(PoisonError::into_inner);
        let of_agency = known.entry(agency.to_owned()).or_default();
        of_agency.insert(digest.clone(), Arc::clone(&grant));
        grant
    }

    fn function(&self, digest: &str, name: &str) -> Option<(&Loaded, &Function)> {
        let loaded = self.by_digest.get(digest)?;
        let (_, function) = name.split_once('.')?;
        let functions = &loaded.plugin.description.functions;
        Some((
            loaded,
            functions.iter().find(|known| known.name == function)?,
        ))
    }

    async fn call(&self, invocation: Invocation) -> Result<Reply, CallError> {
        if invocation.function == casewright_machine::http::FUNCTION {
            return self.http.call(invocation).await;
        }
        if invocation.function == casewright_machine::notify::FUNCTION {
            return self.gateway.call(invocation).await;
        }
        if invocation.function == casewright_machine::openapi::FUNCTION {
            return self.http.describe(invocation).await;
        }
        let Some((loaded, function)) = self.function(&invocation.digest, &invocation.function)
        else {
            return Err(not_installed(&invocation.function));
        };
        let grant = self.grant(&invocation.agency, loaded);
        let limits = loaded.manifest.limits;
        let context = self.context(&invocation, limits.wall_ms_max);
        let input = &invocation.input;
        self.host
            .invoke(
                &loaded.plugin,
                &function.name,
                input,
                &context,
                &grant,
                &limits,
            )
            .await
            .map(reply)
            .map_err(|failure| call_error(&loaded.plugin.name, failure))
    }

    async fn go_on(&self, resumption: Resumption) -> Result<Reply, CallError> {
        let Resumption { of, state, reason } = resumption;
        let Some((loaded, function)) = self.function(&of.digest, &of.function) else {
            return Err(not_installed(&of.function));
        };
        let grant = self.grant(&of.agency, loaded);
        let limits = loaded.manifest.limits;
        let context = self.context(&of, limits.wall_ms_max);
        self.host
            .resume(
                &loaded.plugin,
                &function.name,
                &state,
                host_reason(reason),
                &context,
                &grant,
                &limits,
            )
            .await
            .map(reply)
            .map_err(|failure| call_error(&loaded.plugin.name, failure))
    }

    fn context(&self, invocation: &Invocation, wall_ms_max: u64) -> Context {
        let unix_ms = |at: jiff::Timestamp| u64::try_from(at.as_millisecond()).unwrap_or(0);
        let token = &invocation.callback_token;
        let url = self.public_url.as_ref().filter(|_| !token.is_empty());
        Context {
            idempotency_key: invocation.key.clone(),
            attempt: invocation.attempt,
            deadline_unix_ms: unix_ms(jiff::Timestamp::now()).saturating_add(wall_ms_max),
            step_started_unix_ms: unix_ms(invocation.since),
            agency: invocation.agency.clone(),
            case_id: invocation.case.clone(),
            step_id: invocation.step.clone(),
            callback_token: token.clone(),
            callback_url: url.map(|url| format!("{url}/api/v1/callbacks/{token}")),
        }
    }
}

fn reply(reply: plugin::Reply) -> Reply {
    match reply {
        plugin::Reply::Done(output) => Reply::Done(output),
        plugin::Reply::Pending(pending) => Reply::Pending(Pending {
            correlation: pending.correlation,
            expires_unix_ms: pending.expires_unix_ms,
            poll_after_ms: pending.poll_after_ms,
            state: pending.state,
        }),
    }
}

fn host_reason(reason: Reason) -> plugin::Reason {
    match reason {
        Reason::Callback(Callback { headers, body }) => plugin::Reason::Callback { headers, body },
        Reason::Poll => plugin::Reason::Poll,
        Reason::Expired => plugin::Reason::Expired,
        Reason::Cancelled => plugin::Reason::Cancelled,
    }
}

impl Invoke for Plugins {
    fn effect(&self, function: &str, digest: &str) -> Option<EffectKind> {
        let (_, function) = self.function(digest, function)?;
        Some(match function.effect {
            plugin::EffectKind::None => EffectKind::None,
            plugin::EffectKind::Keyed => EffectKind::Keyed,
            plugin::EffectKind::AtMostOnce => EffectKind::AtMostOnce,
        })
    }

    fn describe(&self, surroundings: &mut Surroundings) -> Vec<(String, String)> {
        surroundings.functions_known = true;
        for (name, digest) in &self.installed {
            for function in &self.by_digest[digest].plugin.description.functions {
                if let Ok(signature) = signature(function) {
                    surroundings
                        .functions
                        .insert(format!("{name}.{}", function.name), signature);
                }
            }
        }
        self.installed
            .iter()
            .map(|(name, digest)| (name.clone(), digest.clone()))
            .collect()
    }

    fn bind(&self, pack: &Pack) {
        self.bind(&pack.namespace, pack_sides(pack));
        self.http.bind(&pack.namespace, pack.http.clone());
    }

    fn discloses(&self, function: &str, digest: &str) -> Vec<String> {
        let found = self.function(digest, function);
        found.map_or_else(Vec::new, |(_, function)| words(function.discloses.as_ref()))
    }

    fn resumes(&self, function: &str, digest: &str) -> bool {
        self.function(digest, function)
            .is_some_and(|(_, function)| function.resumes)
    }

    fn invoke(&self, invocation: Invocation) -> Boxed<'_, Result<Reply, CallError>> {
        Box::pin(self.call(invocation))
    }

    fn resume(&self, resumption: Resumption) -> Boxed<'_, Result<Reply, CallError>> {
        Box::pin(self.go_on(resumption))
    }
}

fn signature(function: &Function) -> Result<Signature, casewright_language::schema::Violation> {
    Ok(Signature {
        title: function.title.clone(),
        input: Schema::new(function.input.clone())?,
        output: Schema::new(function.output.clone())?,
        errors: function.errors.clone(),
        pays: function.pays.clone(),
        discloses: words(function.discloses.as_ref()),
    })
}

/// What a plugin says that it hands out. What is no list of words is still said.
fn words(discloses: Option<&Value>) -> Vec<String> {
    match discloses {
        None | Some(Value::Null | Value::Bool(false)) => Vec::new(),
        Some(Value::Array(all)) => all
            .iter()
            .map(|one| one.as_str().map_or_else(|| one.to_string(), str::to_owned))
            .collect(),
        Some(Value::String(word)) => vec![word.clone()],
        Some(other) => vec![other.to_string()],
    }
}

/// What a pack binds for its plugins.
fn pack_sides(pack: &Pack) -> BTreeMap<String, PackSide> {
    let side = |(name, binding): (&String, &PluginBinding)| {
        let side = PackSide {
            config: binding.config.clone(),
            origins: binding.origins.clone(),
            secrets: binding.secrets.clone(),
        };
        (name.clone(), side)
    };
    pack.plugins.iter().map(side).collect()
}

fn call_error(plugin: &str, failure: Failure) -> CallError {
    let (kind, status) = match failure.kind {
        FailureKind::Retryable => (ErrorKind::Retryable, 503),
        FailureKind::Permanent => (ErrorKind::Permanent, 500),
        FailureKind::Business => (ErrorKind::Business, 422),
    };
    // The host's own codes begin with `plugin.`; a plugin's codes are qualified by its name.
    let code = match failure.code.strip_prefix("plugin.") {
        Some(_) => failure.code,
        None => format!("{plugin}.{}", failure.code),
    };
    CallError {
        kind,
        code,
        status,
        message: failure.message,
        details: failure.details,
        retry_after_ms: failure.retry_after_ms,
    }
}

fn not_installed(function: &str) -> CallError {
    CallError {
        kind: ErrorKind::Permanent,
        code: "plugin.not-installed".to_owned(),
        status: 501,
        message: format!(
            "the plugin of `{function}` is not installed in the version this instance is pinned to"
        ),
        details: None,
        retry_after_ms: None,
    }
}

fn folders_in(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder)
        .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", folder.display())))?;
    let mut folders = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.join("plugin.toml").is_file() {
            folders.push(path);
        }
    }
    folders.sort();
    Ok(folders)
}

/// Copies a plugin under its digest, whole or not at all.
fn keep(from: &Path, to: &Path, name: &str) -> io::Result<()> {
    if to.is_dir() {
        return Ok(());
    }
    let unfinished = to.with_extension("new");
    fs::create_dir_all(&unfinished)?;
    let component = format!("{name}.wasm");
    for file in ["plugin.toml", component.as_str()] {
        fs::copy(from.join(file), unfinished.join(file))?;
        fs::File::open(unfinished.join(file))?.sync_all()?;
    }
    fs::rename(&unfinished, to)
}

fn invalid(path: &Path, reason: &dyn std::fmt::Display) -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        format!("{}: {reason}", path.display()),
    )
}
