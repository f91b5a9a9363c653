//! One call: its store, its limits, its deadline, and what becomes of its answer.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use wasmtime::{Store, UpdateDeadline};

use super::{Context, Host, Pending, Plugin, Reason, Reply};
use crate::description::code_is_valid;
use crate::failure::{
    BAD_OUTPUT, BUSY, Circumstances, Failure, FailureKind, OUTPUT_TOO_LARGE, PENDING,
    UNKNOWN_FUNCTION,
};
use crate::grant::Grant;
use crate::json;
use crate::manifest::Limits;
use crate::state::State;
use crate::world::PluginPre;
use crate::world::casewright::plugin::types::{
    Callback, Context as GuestContext, ErrorKind, Outcome, Pending as GuestPending, PluginError,
    ResumeReason,
};

/// Bytes that a guest can hand over at once besides its output: the largest request and its
/// headers.
const HANDED_OVER_BYTES: u64 = 2 * 1024 * 1024;
const HANDLES_MAX: usize = 1_000;
const MESSAGE_BYTES_MAX: usize = 4 * 1024;
const DETAILS_BYTES_MAX: usize = 64 * 1024;
const STATE_BYTES_MAX: usize = 64 * 1024;
const CORRELATIONS_MAX: usize = 16;
const CORRELATION_BYTES_MAX: usize = 128;

pub(super) struct Invocation<'a> {
    pub(super) function: &'a str,
    pub(super) entry: Entry<'a>,
    pub(super) context: &'a Context,
    pub(super) grant: &'a Arc<Grant>,
    pub(super) limits: &'a Limits,
}

/// Which of the guest's exports is called, and with what.
pub(super) enum Entry<'a> {
    Invoke { input: &'a Value },
    Resume { state: &'a Value, reason: Reason },
}

pub(super) async fn run(
    host: &Host,
    plugin: &Plugin,
    invocation: Invocation<'_>,
) -> Result<Reply, Failure> {
    let Some(described) = plugin.description.function(invocation.function) else {
        return Err(unknown(plugin, invocation.function));
    };
    let limits = effective(invocation.limits, invocation.context)?;
    let wall = Duration::from_millis(limits.wall_ms_max);
    let turn = tokio::time::timeout(wall, plugin.turns.acquire()).await;
    let Ok(Ok(_turn)) = turn else {
        return Err(Failure::retryable(
            BUSY,
            "too many calls of this plugin run already",
        ));
    };
    let mut store = store(
        host,
        State::new(invocation.grant.clone(), host.http.clone(), &limits),
        &limits,
    )?;
    store
        .data_mut()
        .step
        .clone_from(&invocation.context.step_id);
    let context = guest_context(invocation.context, &limits);
    let (function, entry) = (invocation.function, invocation.entry);
    let _running = host.ticker.run();
    let answer = bounded(&mut store, &limits, async |store| {
        let instance = plugin.compiled.instantiate_async(&mut *store).await?;
        let guest = instance.casewright_plugin_guest();
        match entry {
            Entry::Invoke { input } => {
                let input = input.to_string();
                guest.call_invoke(store, function, &input, &context).await
            }
            Entry::Resume { state, reason } => {
                let (state, reason) = (state.to_string(), guest_reason(reason));
                guest
                    .call_resume(store, function, &state, &reason, &context)
                    .await
            }
        }
    })
    .await;
    let state = store.into_data();
    state.finish_log();
    match answer? {
        Ok(Outcome::Done(text)) => output(&state, &text, &limits).map(Reply::Done),
        Ok(Outcome::Pending(answer)) if described.resumes => {
            pending(&state, answer).map(Reply::Pending)
        }
        Ok(Outcome::Pending(_)) => Err(Failure::permanent(
            PENDING,
            "the plugin answered `pending`, and its description does not say that the function \
            resumes",
        )),
        Err(error) => Err(own_failure(&state, error)),
    }
    .map_err(|failure| failure.with_sent(state.sent))
}

impl Host {
    /// Runs `describe()`, which may not touch anything.
    pub(super) async fn describe(
        &self,
        compiled: &PluginPre<State>,
        name: &str,
    ) -> Result<String, Failure> {
        let limits = Limits {
            wall_ms_max: 1_000,
            ..Limits::default()
        };
        let grant = Grant {
            plugin: name.to_owned(),
            ..Grant::default()
        };
        let mut state = State::new(Arc::new(grant), self.http.clone(), &limits);
        state.describing = true;
        let mut store = store(self, state, &limits)?;
        let _running = self.ticker.run();
        let text = bounded(&mut store, &limits, async |store| {
            let instance = compiled.instantiate_async(&mut *store).await?;
            instance
                .casewright_plugin_guest()
                .call_describe(store)
                .await
        })
        .await?;
        check_size(&text, &limits)?;
        Ok(text)
    }
}

/// A store with every limit set; `Err` only when the process is out of memory.
fn store(host: &Host, state: State, limits: &Limits) -> Result<Store<State>, Failure> {
    let mut store = Store::new(&host.engine, state);
    store.limiter(|state| &mut state.limiter);
    store.set_fuel(limits.fuel_max).map_err(|error| {
        Failure::permanent(crate::failure::TRAP, format!("fuel cannot be set: {error}"))
    })?;
    let handed_over = limits.output_bytes_max.saturating_add(HANDED_OVER_BYTES);
    store.set_hostcall_fuel(usize::try_from(handed_over).unwrap_or(usize::MAX));
    store.set_max_component_handles(HANDLES_MAX);
    store.set_epoch_deadline(1);
    // The callback reads the state and nothing else of the store.
    store.epoch_deadline_callback(|store| {
        if Instant::now() >= store.data().deadline {
            Ok(UpdateDeadline::Interrupt)
        } else {
            Ok(UpdateDeadline::Yield(1))
        }
    });
    Ok(store)
}

/// Runs a guest to its end or to its deadline, whichever comes first. Epochs stop a guest that
/// computes; the timer stops one that waits.
async fn bounded<T>(
    store: &mut Store<State>,
    limits: &Limits,
    run: impl AsyncFnOnce(&mut Store<State>) -> wasmtime::Result<T>,
) -> Result<T, Failure> {
    let deadline = store.data().deadline;
    let ended = tokio::time::timeout_at(deadline.into(), run(store)).await;
    let state = store.data();
    match ended {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(Failure::of(
            &error,
            &Circumstances {
                memory_refused: state.limiter.refused(),
                deadline_passed: Instant::now() >= deadline,
                sent: state.sent,
                fuel_max: limits.fuel_max,
                wall_ms: limits.wall_ms_max,
                output_bytes_max: limits.output_bytes_max,
            },
        )),
        Err(_) => Err(Failure::deadline(limits.wall_ms_max).with_sent(state.sent)),
    }
}

/// Caps of the engine, and the deadline of the step when it is nearer.
fn effective(limits: &Limits, context: &Context) -> Result<Limits, Failure> {
    let mut limits = limits.min(Limits::CAPS);
    if context.deadline_unix_ms > 0 {
        let left = context.deadline_unix_ms.saturating_sub(now_unix_ms());
        limits.wall_ms_max = limits.wall_ms_max.min(left);
    }
    if limits.wall_ms_max == 0 {
        return Err(Failure::deadline(0));
    }
    Ok(limits)
}

fn guest_context(context: &Context, limits: &Limits) -> GuestContext {
    GuestContext {
        idempotency_key: context.idempotency_key.clone(),
        attempt: context.attempt,
        deadline_unix_ms: now_unix_ms().saturating_add(limits.wall_ms_max),
        step_started_unix_ms: context.step_started_unix_ms,
        agency: context.agency.clone(),
        case_id: context.case_id.clone(),
        step_id: context.step_id.clone(),
        callback_token: context.callback_token.clone(),
        callback_url: context.callback_url.clone(),
        trace_parent: None,
        attributes: Vec::new(),
    }
}

fn now_unix_ms() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

fn unknown(plugin: &Plugin, function: &str) -> Failure {
    let offered: Vec<_> = plugin
        .description
        .functions
        .iter()
        .map(|function| function.name.as_str())
        .collect();
    Failure::permanent(
        UNKNOWN_FUNCTION,
        format!(
            "plugin `{}` offers no function `{function}`; it offers {}",
            plugin.name,
            offered.join(", ")
        ),
    )
}

fn check_size(text: &str, limits: &Limits) -> Result<(), Failure> {
    if text.len() as u64 > limits.output_bytes_max {
        return Err(Failure::permanent(
            OUTPUT_TOO_LARGE,
            format!(
                "the plugin returned {} bytes; a call may return {}",
                text.len(),
                limits.output_bytes_max
            ),
        ));
    }
    Ok(())
}

fn output(state: &State, text: &str, limits: &Limits) -> Result<Value, Failure> {
    check_size(text, limits)?;
    let bad = |why: String| Failure::permanent(BAD_OUTPUT, why);
    for (name, secret) in &state.grant.secrets {
        if secret.value.stands_in(text) {
            return Err(bad(format!(
                "the output holds the value of the secret `{name}`"
            )));
        }
    }
    json::read(text).map_err(|error| bad(format!("the output is not strict JSON: {error}")))
}

/// What the plugin leaves behind, held to the bounds of the world.
fn pending(state: &State, answer: GuestPending) -> Result<Pending, Failure> {
    let bad = |why: String| Failure::permanent(BAD_OUTPUT, why);
    let fits = |name: &String| {
        (1..=CORRELATION_BYTES_MAX).contains(&name.len()) && !name.contains(char::is_control)
    };
    if answer.correlation.len() > CORRELATIONS_MAX || !answer.correlation.iter().all(fits) {
        return Err(bad(format!(
            "a pending answer may have {CORRELATIONS_MAX} correlations of 1 to \
            {CORRELATION_BYTES_MAX} bytes"
        )));
    }
    if answer.state.len() > STATE_BYTES_MAX {
        return Err(bad(format!(
            "the state of a pending answer has {} bytes and may have {STATE_BYTES_MAX}",
            answer.state.len()
        )));
    }
    let kept = json::read(&state.redacted(answer.state)).map_err(|error| {
        bad(format!(
            "the state of a pending answer is not JSON: {error}"
        ))
    })?;
    Ok(Pending {
        correlation: answer.correlation,
        expires_unix_ms: answer.expires_unix_ms,
        poll_after_ms: answer.poll_after_ms,
        state: kept,
    })
}

fn guest_reason(reason: Reason) -> ResumeReason {
    match reason {
        Reason::Callback { headers, body } => ResumeReason::Callback(Callback { headers, body }),
        Reason::Poll => ResumeReason::Poll,
        Reason::Expired => ResumeReason::Expired,
        Reason::Cancelled => ResumeReason::Cancelled,
    }
}

/// What the plugin says itself, held to the bounds of the world.
fn own_failure(state: &State, error: PluginError) -> Failure {
    let kind = match error.kind {
        ErrorKind::Retryable => FailureKind::Retryable,
        ErrorKind::Permanent => FailureKind::Permanent,
        ErrorKind::Business => FailureKind::Business,
    };
    if !code_is_valid(&error.code) {
        return Failure::permanent(
            BAD_OUTPUT,
            "the plugin reported an error whose code is not 1 to 64 of a-z, 0-9, `.`, `_`, `-`, \
            or begins with `plugin.`",
        );
    }
    let mut message = error.message;
    message.truncate(message.floor_char_boundary(MESSAGE_BYTES_MAX));
    let details = error.details.filter(|text| text.len() <= DETAILS_BYTES_MAX);
    let details = details
        .map(|text| state.redacted(text))
        .and_then(|text| json::read(&text).ok());
    Failure {
        kind,
        code: error.code,
        message: state.redacted(message),
        details,
        retry_after_ms: error
            .retry_after_ms
            .filter(|_| kind == FailureKind::Retryable),
        sent: state.sent,
    }
}
