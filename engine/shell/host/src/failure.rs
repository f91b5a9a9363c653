//! Why a call gave no value: one taxonomy for traps, limits and what a plugin says itself.

use std::fmt;
use std::str::Utf8Error;

use serde_json::Value;
use wasmtime::{PoolConcurrencyLimitError, Trap};

/// Why a call gave no value. `code` is one of [`CODES`] or the plugin's own.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// What to do about it.
    pub kind: FailureKind,
    /// Stable.
    pub code: String,
    /// For people.
    pub message: String,
    /// The plugin's own facts about it.
    pub details: Option<Value>,
    /// When a retry makes sense, if the plugin knows.
    pub retry_after_ms: Option<u64>,
    /// Whether a byte of a request may have reached somebody; `false` means that the call
    /// certainly did not act outside.
    pub sent: bool,
}

/// What to do about a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// Try again with the same key and input.
    Retryable,
    /// A retry cannot mend it.
    Permanent,
    /// An expected refusal that a workflow may branch on.
    Business,
}

/// The codes that the host gives; a plugin cannot take one, for its own never begin with
/// `plugin.`.
pub const CODES: [&str; 11] = [
    BAD_OUTPUT,
    BUSY,
    DEADLINE,
    HOST_LIMIT,
    MEMORY,
    OUTPUT_TOO_LARGE,
    OUT_OF_FUEL,
    PENDING,
    STACK,
    TRAP,
    UNKNOWN_FUNCTION,
];

pub(crate) const BAD_OUTPUT: &str = "plugin.bad-output";
pub(crate) const BUSY: &str = "plugin.busy";
pub(crate) const DEADLINE: &str = "plugin.deadline";
pub(crate) const HOST_LIMIT: &str = "plugin.host-limit";
pub(crate) const MEMORY: &str = "plugin.memory";
pub(crate) const OUTPUT_TOO_LARGE: &str = "plugin.output-too-large";
pub(crate) const OUT_OF_FUEL: &str = "plugin.out-of-fuel";
pub(crate) const PENDING: &str = "plugin.pending";
pub(crate) const STACK: &str = "plugin.stack";
pub(crate) const TRAP: &str = "plugin.trap";
pub(crate) const UNKNOWN_FUNCTION: &str = "plugin.unknown-function";

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for Failure {}

/// A reason of the host's own for ending a guest, raised inside a host function.
#[derive(Debug)]
pub(crate) struct Stop {
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Stop {}

/// What is known about a call when wasmtime reports an error.
pub(crate) struct Circumstances {
    pub(crate) memory_refused: Option<String>,
    pub(crate) deadline_passed: bool,
    pub(crate) sent: bool,
    pub(crate) fuel_max: u64,
    pub(crate) wall_ms: u64,
    pub(crate) output_bytes_max: u64,
}

impl Failure {
    /// A failure that a retry cannot mend and that sent nothing.
    pub(crate) fn permanent(code: &str, message: impl Into<String>) -> Self {
        Self {
            kind: FailureKind::Permanent,
            code: code.to_owned(),
            message: message.into(),
            details: None,
            retry_after_ms: None,
            sent: false,
        }
    }

    /// A failure that may pass.
    pub(crate) fn retryable(code: &str, message: impl Into<String>) -> Self {
        Self {
            kind: FailureKind::Retryable,
            ..Self::permanent(code, message)
        }
    }

    pub(crate) fn with_sent(self, sent: bool) -> Self {
        Self { sent, ..self }
    }

    pub(crate) fn deadline(wall_ms: u64) -> Self {
        Self::retryable(
            DEADLINE,
            format!(
                "the call did not end within {wall_ms} ms and was stopped; a longer `wall_ms` \
                under [limits] in plugin.toml gives it more time"
            ),
        )
    }

    /// Sorts an error of wasmtime.
    pub(crate) fn of(error: &wasmtime::Error, at: &Circumstances) -> Self {
        Self::sorted(error, at).with_sent(at.sent)
    }

    fn sorted(error: &wasmtime::Error, at: &Circumstances) -> Self {
        if let Some(stop) = error.downcast_ref::<Stop>() {
            return match stop.code {
                DEADLINE => Self::deadline(at.wall_ms),
                code => Self::permanent(code, stop.message.clone()),
            };
        }
        match error.downcast_ref::<Trap>() {
            Some(Trap::OutOfFuel) => {
                return Self::permanent(
                    OUT_OF_FUEL,
                    format!(
                        "the call used up its {} units of fuel; if it is not a loop without end, \
                        raise `fuel` under [limits] in plugin.toml",
                        at.fuel_max
                    ),
                );
            }
            Some(Trap::Interrupt) => return Self::deadline(at.wall_ms),
            Some(Trap::StackOverflow) => {
                return Self::permanent(
                    STACK,
                    "the plugin's stack overflowed; it calls itself too deeply",
                );
            }
            _ => {}
        }
        if at.deadline_passed {
            return Self::deadline(at.wall_ms);
        }
        if error.downcast_ref::<PoolConcurrencyLimitError>().is_some() {
            return Self::retryable(BUSY, "too many plugins run already");
        }
        if let Some(refused) = &at.memory_refused {
            return Self::permanent(
                MEMORY,
                format!(
                    "{refused}; raise `memory_mib` under [limits] in plugin.toml if it needs more"
                ),
            );
        }
        if error.downcast_ref::<Utf8Error>().is_some() {
            return Self::permanent(BAD_OUTPUT, "the plugin handed over text that is not UTF-8");
        }
        let text = format!("{error:#}");
        if text.contains("too much data is being copied") {
            return Self::permanent(
                OUTPUT_TOO_LARGE,
                format!(
                    "the plugin handed over more data than the host takes at once; the result of \
                    a call may have {} bytes",
                    at.output_bytes_max
                ),
            );
        }
        let cause = error
            .downcast_ref::<Trap>()
            .map_or_else(|| root(error), ToString::to_string);
        Self::permanent(
            TRAP,
            format!("the plugin broke off ({cause}); its log may say more"),
        )
    }
}

fn root(error: &wasmtime::Error) -> String {
    let mut text = error.root_cause().to_string();
    text.truncate(text.floor_char_boundary(512));
    text
}
