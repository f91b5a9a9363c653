//! The engine's side of a plugin: what the exports of `plugin!` do. Only in WebAssembly.

use std::panic;

use serde_json::Value;

pub use crate::bindings::casewright::plugin::types::{Context, ResumeReason};
pub use crate::bindings::exports::casewright::plugin::guest::Guest;

use crate::bindings::casewright::plugin::types::{ErrorKind, Outcome, Pending, PluginError};
use crate::{Callback, Error, Kind, Plugin, Reason, log};

/// What an export answers.
pub type Answer = Result<Outcome, PluginError>;

/// The export `describe`.
pub fn describe(plugin: &Plugin) -> String {
    plugin.description().to_string()
}

/// The export `invoke`.
pub fn invoke(plugin: &Plugin, function: &str, input: &str, context: Context) -> Answer {
    panic::set_hook(Box::new(report));
    answer(plugin.invoke(function, input, &own(context)))
}

/// The export `resume`.
pub fn resume(
    plugin: &Plugin,
    function: &str,
    state: &str,
    reason: ResumeReason,
    context: Context,
) -> Answer {
    panic::set_hook(Box::new(report));
    let reason = match reason {
        ResumeReason::Callback(callback) => Reason::Callback(Callback {
            headers: callback.headers,
            body: callback.body,
        }),
        ResumeReason::Poll => Reason::Poll,
        ResumeReason::Expired => Reason::Expired,
        ResumeReason::Cancelled => Reason::Cancelled,
    };
    answer(plugin.resume(function, state, reason, &own(context)))
}

fn answer(outcome: Result<crate::Outcome<Value>, Error>) -> Answer {
    match outcome.map_err(lower)? {
        crate::Outcome::Done(output) => Ok(Outcome::Done(output.to_string())),
        crate::Outcome::Pending(pending) => {
            let pause = pending.poll_after;
            let pause = pause.map(|pause| u64::try_from(pause.as_millis()).unwrap_or(u64::MAX));
            Ok(Outcome::Pending(Pending {
                correlation: pending.correlation,
                expires_unix_ms: pending.expires_unix_ms,
                poll_after_ms: pause,
                state: pending.state.to_string(),
            }))
        }
    }
}

/// Says where a panic came from. What it says may hold input, so it is not repeated.
fn report(info: &panic::PanicHookInfo<'_>) {
    let place = info
        .location()
        .map(|place| format!("{}:{}", place.file(), place.line()));
    log::error(
        "the plugin panicked",
        &[("at", place.as_deref().unwrap_or("unknown"))],
    );
}

fn own(context: Context) -> crate::Context {
    crate::Context {
        idempotency_key: context.idempotency_key,
        attempt: context.attempt,
        deadline_unix_ms: context.deadline_unix_ms,
        step_started_unix_ms: context.step_started_unix_ms,
        agency: context.agency,
        case_id: context.case_id,
        step_id: context.step_id,
        callback_token: context.callback_token,
        callback_url: context.callback_url,
        trace_parent: context.trace_parent,
        attributes: context.attributes,
    }
}

fn lower(error: Error) -> PluginError {
    let pause = error
        .retry_after()
        .map(|pause| u64::try_from(pause.as_millis()));
    PluginError {
        kind: match error.kind() {
            Kind::Retryable => ErrorKind::Retryable,
            Kind::Permanent => ErrorKind::Permanent,
            Kind::Business => ErrorKind::Business,
        },
        code: error.code().into(),
        message: error.message().into(),
        retry_after_ms: pause.map(|ms| ms.unwrap_or(u64::MAX)),
        details: error.details().map(Value::to_string),
    }
}
