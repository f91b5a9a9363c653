//! The expression evaluator: jaq in a disposable process of the same binary.
//!
//! ```text
//! Evaluator ──▶ Process ──stdin──▶ serve ──▶ jaq
//!     │            ◀──stdout──────────
//!     └── looks at its processor time, kills and replaces it
//! ```
//!
//! Whoever writes an expression is not trusted with this process: jq is a whole language, and its
//! parser alone can be made to overflow the stack. The child has no environment, opens no file, and
//! may use 64 MiB; what exceeds a limit ends as a sentence here and as a dead child there.

mod frame;
mod jaq;
mod limit;
mod process;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use serde_json::Value;
use tokio::sync::Semaphore;

pub use jaq::run;

use process::{Ended, Process};

/// One expression with all it may see.
#[derive(Debug, Clone)]
pub struct Program {
    /// jq.
    pub text: String,
    /// What `.` is.
    pub input: Value,
    /// By name, without the dollar sign.
    pub variables: BTreeMap<String, Value>,
    /// Compile only; do not run.
    pub check: bool,
}

/// What a program gave.
#[derive(Debug, Clone, PartialEq)]
pub enum Results {
    /// The one result.
    One(Value),
    /// No result.
    None,
    /// More than one result.
    Many,
    /// A sentence for people: syntax, type error, time or memory exceeded.
    Failed(String),
}

/// Evaluator processes, started when needed, killed and replaced when they exceed a limit.
pub struct Evaluator {
    binary: PathBuf,
    /// Processes that wait for work.
    idle: Mutex<Vec<Process>>,
    /// One permit for each process that may work. Callers wait for one: their number is bounded by
    /// the instances at work, and each of them needs its answer before it goes on.
    permits: Semaphore,
}

/// How many processes work at once; expressions are short, and the engine needs the cores.
const PROCESSES_MAX: usize = 2;

impl Evaluator {
    /// `binary evaluator` is started with an empty environment.
    pub fn new(binary: PathBuf) -> Self {
        Self {
            binary,
            idle: Mutex::new(Vec::new()),
            permits: Semaphore::new(PROCESSES_MAX),
        }
    }

    /// Runs a program, or compiles it when `check` is set. Dropping the future kills the process.
    pub async fn evaluate(&self, program: Program) -> Results {
        let request = match frame::request(&program) {
            Ok(request) => request,
            Err(sentence) => return Results::Failed(sentence),
        };
        let Ok(_permit) = self.permits.acquire().await else {
            return Results::Failed("the evaluator is shutting down".to_owned());
        };
        let waiting = self.idle().pop();
        let fresh = waiting.is_none();
        let mut process = match waiting.map_or_else(|| Process::start(&self.binary), Ok) {
            Ok(process) => process,
            Err(error) => return not_started(&error),
        };
        match process.exchange(&request).await {
            Ok(results) => {
                self.idle().push(process);
                results
            }
            // One that waited may have been killed by somebody meanwhile; a fresh one tells.
            Err(Ended::Gone) if !fresh => match Process::start(&self.binary) {
                Ok(mut process) => match process.exchange(&request).await {
                    Ok(results) => {
                        self.idle().push(process);
                        results
                    }
                    Err(ended) => Results::Failed(ended.to_string()),
                },
                Err(error) => not_started(&error),
            },
            Err(ended) => Results::Failed(ended.to_string()),
        }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Process>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn not_started(error: &std::io::Error) -> Results {
    tracing::error!(%error, "the expression evaluator did not start");
    Results::Failed("the expression evaluator did not start".to_owned())
}

/// The other side: serves standard input until it ends. Called by the hidden command `evaluator`
/// before anything else is set up.
pub fn serve() -> std::process::ExitCode {
    use std::io::{stdin, stdout};
    let served = limit::apply()
        .and_then(|mut clock| jaq::serve(&mut clock, &mut stdin().lock(), &mut stdout().lock()));
    match served {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(_) => std::process::ExitCode::FAILURE,
    }
}
