//! Plugins in wasmtime: describe, invoke; fresh instance for every call; limits on everything.

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value;

use crate::grant::Grant;
use crate::manifest::Limits;

/// The engine of all plugins: compiler, code cache, clock of epochs.
pub struct Host {
    _cache: Option<PathBuf>,
}

/// A compiled component with its description.
pub struct Plugin {
    pub name: String,
    /// SHA-256 of the component's bytes, lower-case hexadecimal.
    pub digest: String,
    pub description: Description,
}

/// `describe()`, checked.
#[derive(Debug, Clone)]
pub struct Description {
    pub functions: Vec<Function>,
}

#[derive(Debug, Clone)]
pub struct Function {
    pub name: String,
    pub title: String,
    pub input: Value,
    pub output: Value,
    pub effect: EffectKind,
    pub resumes: bool,
    pub errors: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EffectKind {
    None,
    Keyed,
    AtMostOnce,
}

/// What a call is told besides its input.
#[derive(Debug, Clone, Default)]
pub struct Context {
    pub idempotency_key: String,
    pub attempt: u32,
    pub deadline_unix_ms: u64,
    pub step_started_unix_ms: u64,
    pub agency: String,
    pub case_id: String,
    pub step_id: String,
    pub callback_token: String,
}

/// Why a call gave no value. `code` is from a fixed list (`plugin.out-of-fuel`, `plugin.deadline`,
/// `plugin.memory`, `plugin.trap`, `plugin.output-too-large`, `plugin.bad-output`, ...) or the
/// plugin's own.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    pub kind: FailureKind,
    pub code: String,
    pub message: String,
    pub details: Option<Value>,
    pub retry_after_ms: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    Retryable,
    Permanent,
    Business,
}

impl Host {
    /// `cache`: folder for precompiled code, owned by the engine, made with mode 0700.
    pub fn new(_cache: Option<PathBuf>) -> Result<Self, String> {
        unimplemented!()
    }

    /// Checks, compiles (or takes from the cache) and describes a component.
    pub async fn load(&self, _name: &str, _component: &[u8]) -> Result<Arc<Plugin>, String> {
        unimplemented!()
    }

    /// Runs one function in a fresh instance.
    pub async fn invoke(
        &self,
        _plugin: &Plugin,
        _function: &str,
        _input: &Value,
        _context: &Context,
        _grant: &Grant,
        _limits: &Limits,
    ) -> Result<Value, Failure> {
        unimplemented!()
    }
}
