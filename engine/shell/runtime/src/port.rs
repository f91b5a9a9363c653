//! What the runtime needs of the world; the binary fits it in.

use std::future::Future;
use std::pin::Pin;

use casewright_language::pack::Pack;
use casewright_language::{Answer, Question, Surroundings};
use casewright_machine::CallError;
use jiff::Timestamp;
use serde_json::Value;

pub type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Plugins, and the requests of `call: http`, whose function is `http` and whose input is a
/// [`casewright_machine::http::Request`]; they are no function of a plugin, and have no digest. So
/// are the questions of `call: openapi`, `openapi` with a [`casewright_machine::openapi::Wish`].
/// Functions of the engine (`fund.*`) never come here.
pub trait Invoke: Send + Sync + 'static {
    /// What a plugin function does outside, for recovery; `None` when it is not installed.
    fn effect(&self, function: &str, digest: &str) -> Option<EffectKind>;

    /// Adds the installed functions, and gives the digest of each plugin, to be pinned.
    fn describe(&self, surroundings: &mut Surroundings) -> Vec<(String, String)>;

    /// What this pack binds for its plugins takes the place of what its agency bound before.
    fn bind(&self, pack: &Pack);

    /// What facts about people a function hands out, in the plugin's words; empty for none.
    fn discloses(&self, function: &str, digest: &str) -> Vec<String>;

    /// Whether this function may answer later.
    fn resumes(&self, function: &str, digest: &str) -> bool;

    /// Input was checked against the schema; so must be the output.
    fn invoke(&self, invocation: Invocation) -> Boxed<'_, Result<Reply, CallError>>;

    /// Goes on with a call that answered `pending`. May be asked more than once for one reason: a
    /// crash can come between the answer and its commit.
    fn resume(&self, resumption: Resumption) -> Boxed<'_, Result<Reply, CallError>>;
}

/// What a function answered.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// Its output.
    Done(Value),
    /// The answer comes later.
    Pending(Pending),
}

/// A function has asked somebody and waits.
#[derive(Debug, Clone, PartialEq)]
pub struct Pending {
    /// Names of the matter at the other side, for people who look for it.
    pub correlation: Vec<String>,
    /// After this the call has failed.
    pub expires_unix_ms: Option<u64>,
    /// How long to wait before the plugin is to ask by itself.
    pub poll_after_ms: Option<u64>,
    /// Handed back when it goes on.
    pub state: Value,
}

/// Why a plugin is to go on.
#[derive(Debug, Clone, PartialEq)]
pub enum Reason {
    /// Somebody sent something under the call's token.
    Callback(Callback),
    /// Nothing came for as long as the plugin wanted to wait.
    Poll,
    /// Nothing came at all.
    Expired,
    /// Nobody waits for the answer any more.
    Cancelled,
}

/// What somebody sent, as it arrived, so that the plugin can check a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Callback {
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// A call that goes on.
#[derive(Debug, Clone)]
pub struct Resumption {
    /// As it was when it was sent.
    pub of: Invocation,
    pub state: Value,
    pub reason: Reason,
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
    /// Under which a later answer arrives; empty where the function takes none. A secret.
    pub callback_token: String,
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
