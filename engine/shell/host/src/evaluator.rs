//! The expression evaluator: jaq in a disposable process of the same binary.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;

/// One expression with all it may see.
#[derive(Debug, Clone)]
pub struct Program {
    pub text: String,
    pub input: Value,
    pub variables: BTreeMap<String, Value>,
    /// Compile only; do not run.
    pub check: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Results {
    One(Value),
    None,
    Many,
    /// A sentence for people: syntax, type error, time or memory exceeded.
    Failed(String),
}

/// Evaluator processes, started when needed, killed and replaced when they exceed a limit.
pub struct Evaluator {
    _binary: PathBuf,
}

impl Evaluator {
    /// `binary evaluator` is started with an empty environment.
    pub fn new(_binary: PathBuf) -> Self {
        unimplemented!()
    }

    pub async fn evaluate(&self, _program: Program) -> Results {
        unimplemented!()
    }
}

/// The other side: serves standard input until it ends. Called by the hidden command `evaluator`
/// before anything else is set up.
pub fn serve() -> std::process::ExitCode {
    unimplemented!()
}
