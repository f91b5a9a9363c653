//! What the runtime needs of the world; the binary fits it in.

use std::future::Future;
use std::pin::Pin;

use casewright_language::{Answer, Question, Surroundings};
use casewright_machine::CallError;
use jiff::Timestamp;
use serde_json::Value;

pub type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Plugins. Functions of the engine (`fund.*`) never come here.
pub trait Invoke: Send + Sync + 'static {
    /// What a plugin function does outside, for recovery; `None` when it is not installed.
    fn effect(&self, function: &str, digest: &str) -> Option<EffectKind>;

    /// Adds the installed functions, and gives the digest of each plugin, to be pinned.
    fn describe(&self, surroundings: &mut Surroundings) -> Vec<(String, String)>;

    /// Input was checked against the schema; so must be the output.
    fn invoke(&self, invocation: Invocation) -> Boxed<'_, Result<Value, CallError>>;
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EffectKind {
    None,
    Keyed,
    AtMostOnce,
}

#[derive(Debug, Clone)]
pub struct Invocation {
    pub function: String,
    /// Digest of the plugin that the instance is pinned to.
    pub digest: String,
    pub input: Value,
    pub key: String,
    pub attempt: u32,
    pub since: Timestamp,
    pub agency: String,
    pub case: String,
    /// Instance and reference.
    pub step: String,
}

/// The expression evaluator.
pub trait Evaluate: Send + Sync + 'static {
    /// Runs the program; whatever goes wrong is an answer.
    fn evaluate(&self, question: Question) -> Boxed<'_, Answer>;

    /// Whether the program compiles, without running it; the sentence says why not.
    fn compile(&self, question: Question) -> Boxed<'_, Result<(), String>>;
}

/// Time. In tests it is moved by hand.
pub trait Clock: Send + Sync + 'static {
    fn now(&self) -> Timestamp;
    /// Resolves at or after `at`.
    fn wait_until(&self, at: Timestamp) -> Boxed<'_, ()>;
}

/// Randomness for ids and secrets.
pub trait Entropy: Send + Sync + 'static {
    fn fill(&self, bytes: &mut [u8]);
}
