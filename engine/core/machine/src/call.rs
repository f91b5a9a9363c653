//! `call`: one function of the engine or of a plugin, its idempotency key and its retries.
//!
//! The key belongs to an intent: one entry of one task. A retried `try` comes back to the same
//! intent, a `then` makes a new one. Input is fixed with the key.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use casewright_language::Template;
use casewright_language::workflow::Call as Written;

use crate::fault::{OWN_PREFIX, STANDARD_PREFIX};
use crate::position::{Open, Progress, Purpose, Signal, State, Timer};
use crate::record::{Fate, Intent};
use crate::retry::{Again, Broken, Cause};
use crate::run::{Run, Stop};
use crate::task::Here;
use crate::{Call, CallError, Delivery, Effect, ErrorKind, Fault, Status, http, notify, openapi};

/// Attempts after the first, when a function says that it may be tried again.
pub(crate) const RETRIES_MAX: u32 = 8;

/// Delay before the first retry, unless the function names one; it doubles each time.
pub(crate) const RETRY_DELAY_MS: u64 = 1_000;

/// The delay grows no further, and no function may ask for more.
pub(crate) const RETRY_DELAY_MS_MAX: u64 = 60_000;

/// How often a call may find that this is no moment for it.
const WAITS_MAX: u32 = 100;

/// The longest that one waits for its moment; it comes again within a week.
const WAIT_MS_MAX: u64 = 8 * 24 * 60 * 60 * 1_000;

/// Functions of the engine decide inside the committing transition: refused means not done.
const ENGINE_FUNCTIONS: [&str; 4] = ["fund.", "plan.", "case.", "decide"];

/// A call under way, or between two attempts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Calling {
    call: Box<Call>,
    /// Until the next attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rest: Option<Timer>,
    /// Attempts that were none, since it was no moment for them.
    #[serde(default, skip_serializing_if = "is_zero")]
    waits: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "it is what serde calls")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

impl Calling {
    pub(crate) fn call(&self) -> &Call {
        &self.call
    }

    pub(crate) fn open<'a>(&'a self, reference: &'a str, found: &mut Vec<Open<'a>>) {
        found.push(match self.rest {
            None => Open::Call(&self.call),
            Some(timer) => Open::Timer {
                timer,
                purpose: Purpose::Retry,
                reference,
            },
        });
    }

    pub(crate) fn reopen(&mut self, again: &mut Again<'_, '_>) {
        match &mut self.rest {
            None => again.call(&mut self.call),
            Some(rest) => again.moment(rest),
        }
    }

    pub(crate) fn status(&self) -> Status {
        match self.rest {
            None => Status::Running,
            Some(_) => Status::Waiting,
        }
    }
}

pub(crate) fn enter(
    run: &mut Run<'_>,
    here: &Here<'_>,
    written: &Written,
) -> Result<Progress<State>, Stop> {
    let wanted = Wanted {
        function: &written.function,
        version: written.version.clone(),
        input: run.value(&written.with, here.input, &here.sight(run))?,
        kept: here.scope.kept,
        attempt: 1,
    };
    start(run, here, wanted)
}

/// A call that nobody has sent yet.
pub(crate) struct Wanted<'a> {
    pub(crate) function: &'a str,
    pub(crate) version: Option<String>,
    pub(crate) input: Value,
    /// A retry of what is around comes back to the same intent.
    pub(crate) kept: bool,
    /// Not 1 where the task has made another call before: no two of its deliveries are equal.
    pub(crate) attempt: u32,
}

pub(crate) fn start(
    run: &mut Run<'_>,
    here: &Here<'_>,
    wanted: Wanted<'_>,
) -> Result<Progress<State>, Stop> {
    let because = because(run, here)?;
    let (key, since) = if wanted.kept {
        intend(run, here, &wanted.input)?
    } else {
        (run.mint_key(), run.now)
    };
    let call = Call {
        delivery: Delivery {
            reference: here.task.reference.clone(),
            run: here.entry.run,
            attempt: wanted.attempt,
        },
        rounds: here.scope.rounds(),
        function: wanted.function.to_owned(),
        version: wanted.version,
        input: wanted.input,
        key,
        since,
        because,
    };
    Ok(send(run, Box::new(call), 0))
}

/// What the document takes from the case for the record of a disclosure. Whether it will do is
/// asked when the call is sent.
fn because(run: &Run<'_>, here: &Here<'_>) -> Result<Option<String>, Stop> {
    let said = here.task.disclosure.as_ref();
    let said = said.and_then(|said| said.basis.as_ref());
    match said.map(|basis| &basis.because) {
        None | Some(Template::Literal(_)) => Ok(None),
        Some(computed) => {
            let value = run.value(computed, here.input, &here.sight(run))?;
            Ok(Some(value.as_str().unwrap_or_default().to_owned()))
        }
    }
}

pub(crate) fn resume(
    run: &mut Run<'_>,
    here: &Here<'_>,
    calling: Calling,
    signal: &Signal<'_>,
) -> Result<Progress<State>, Stop> {
    match (signal, calling.rest) {
        (Signal::Fired(fired), Some(rest)) if *fired == rest.timer => {
            let mut call = calling.call;
            call.delivery.attempt += 1;
            Ok(send(run, call, calling.waits))
        }
        (Signal::Returned { result, .. }, None) => match result {
            Ok(output) => Ok(Progress::finished(output.clone())),
            Err(error) => failed(run, here, calling, error),
        },
        (_, _) => Ok(Progress::Parked(State::Call(calling))),
    }
}

fn send(run: &mut Run<'_>, call: Box<Call>, waits: u32) -> Progress<State> {
    run.effects.push(Effect::Call((*call).clone()));
    Progress::Parked(State::Call(Calling {
        call,
        rest: None,
        waits,
    }))
}

/// The key of this entry and the time it was first used.
pub(crate) fn intend(
    run: &mut Run<'_>,
    here: &Here<'_>,
    input: &Value,
) -> Result<(String, Timestamp), Stop> {
    if !here.scope.kept {
        return Ok((run.mint_key(), run.now));
    }
    let path = here.scope.entry_path(here.task);
    if let Some(earlier) = run.record.intents.get(&path) {
        match earlier.fate {
            Fate::Possible | Fate::Refused if earlier.input == *input => {
                return Ok((earlier.key.clone(), earlier.since));
            }
            Fate::Refused => {}
            Fate::Possible | Fate::InDoubt => {
                let detail = "the call comes again with another input, and the earlier one may \
                              have acted; a person has to decide";
                return Err(Fault::in_doubt(here.place(), detail).into());
            }
        }
    }
    let intent = Intent {
        key: run.mint_key(),
        since: run.now,
        input: input.clone(),
        fate: Fate::Possible,
    };
    let minted = (intent.key.clone(), intent.since);
    run.record.intents.insert(path, intent);
    Ok(minted)
}

fn failed(
    run: &mut Run<'_>,
    here: &Here<'_>,
    Calling { call, waits, .. }: Calling,
    error: &CallError,
) -> Result<Progress<State>, Stop> {
    let retries = call.delivery.attempt.saturating_sub(1 + waits);
    let (delay_ms, waits) = match error.kind {
        ErrorKind::Retryable if retries < RETRIES_MAX => {
            (Some(retry_delay_ms(retries, error.retry_after_ms)), waits)
        }
        ErrorKind::NotYet if waits < WAITS_MAX => {
            let wait_ms = error.retry_after_ms.unwrap_or(RETRY_DELAY_MS_MAX);
            (Some(wait_ms.min(WAIT_MS_MAX)), waits + 1)
        }
        ErrorKind::Retryable
        | ErrorKind::NotYet
        | ErrorKind::Permanent
        | ErrorKind::Business
        | ErrorKind::InDoubt => (None, waits),
    };
    if let Some(delay_ms) = delay_ms {
        let at = run.after(delay_ms, here.place())?;
        let rest = Some(run.set_timer(at));
        return Ok(Progress::Parked(State::Call(Calling { call, rest, waits })));
    }
    if here.scope.kept {
        let path = here.scope.entry_path(here.task);
        let intent = run.record.intents.get_mut(&path);
        // A call that asks only how to go on has no intent, and says nothing of the task's own.
        if let Some(intent) = intent.filter(|intent| intent.key == call.key) {
            intent.fate = fate_of(&call.function, error.kind);
        }
    }
    let fault = Fault {
        kind: format!("{}{}", prefix(&call.function, &error.code), error.code),
        status: error.status,
        title: Some(format!("`{}` gave no result", call.function)),
        detail: Some(error.message.clone()),
        instance: here.place().to_owned(),
        details: error.details.clone(),
    };
    let cause = Cause::Call {
        delivery: call.delivery,
        doubt: error.kind == ErrorKind::InDoubt,
    };
    run.broken = Some(Broken {
        cause,
        fault: fault.clone(),
    });
    Err(fault.into())
}

/// What a request comes to has types of the language; functions have codes of their own.
fn prefix(function: &str, code: &str) -> &'static str {
    let standard = [
        "communication",
        "configuration",
        "authentication",
        "authorization",
        "validation",
    ];
    let asks = [http::FUNCTION, openapi::FUNCTION, notify::FUNCTION].contains(&function);
    if asks && standard.contains(&code) {
        STANDARD_PREFIX
    } else {
        OWN_PREFIX
    }
}

/// A function's own wish stands above the table, within its bound.
fn retry_delay_ms(retries: u32, wished: Option<u64>) -> u64 {
    let doubled = RETRY_DELAY_MS.saturating_mul(1_u64.checked_shl(retries).unwrap_or(u64::MAX));
    wished.unwrap_or(doubled).min(RETRY_DELAY_MS_MAX)
}

/// Only a refusal by contract certainly did nothing. A plugin that failed for good may have failed
/// after acting.
fn fate_of(function: &str, kind: ErrorKind) -> Fate {
    let of_engine = ENGINE_FUNCTIONS
        .iter()
        .any(|prefix| function.starts_with(prefix));
    match kind {
        ErrorKind::Business => Fate::Refused,
        ErrorKind::Permanent if of_engine => Fate::Refused,
        // An attempt before it may have been sent.
        ErrorKind::Permanent | ErrorKind::Retryable | ErrorKind::NotYet => Fate::Possible,
        ErrorKind::InDoubt => Fate::InDoubt,
    }
}

#[cfg(test)]
mod tests {
    use super::{RETRY_DELAY_MS_MAX, retry_delay_ms};

    #[test]
    fn delays_double_up_to_a_minute() {
        let delays: Vec<u64> = (0..8)
            .map(|retries| retry_delay_ms(retries, None))
            .collect();
        assert_eq!(
            delays,
            [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]
        );
        assert_eq!(retry_delay_ms(u32::MAX, None), RETRY_DELAY_MS_MAX);
    }

    #[test]
    fn a_function_may_name_its_delay_but_not_a_day() {
        assert_eq!(retry_delay_ms(5, Some(250)), 250);
        assert_eq!(retry_delay_ms(0, Some(86_400_000)), RETRY_DELAY_MS_MAX);
    }
}
