//! Calls of plugins and requests of `call: http`: sent after the flush that decided them, a bounded
//! number at once; what comes back is in the journal before anything follows from it.
//!
//! A call lives in the instance until it has returned, so nothing here need survive a crash:
//! recovery sends again under the same key, or says that nobody knows.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

use casewright_casework::audit::Action as Audit;
use casewright_machine::http::{self, Repeat, Request};
use casewright_machine::{Call, CallError, ErrorKind, Event, notify, openapi};
use jiff::SignedDuration;
use serde_json::Value;
use tokio::sync::Semaphore;

use super::Refused;
use super::disclosures::{Sending, Unsent};
use super::draft::{Draft, RunError};
use super::funds::permanent;
use super::messages::Ready;
use super::quiet::Going;
use super::shared::Shared;
use crate::deployment::Deployment;
use crate::port::{EffectKind, Invocation, Reply};
use crate::record::InstanceRow;

/// Calls under way and those waiting for their turn.
pub(crate) struct Calls {
    places: Semaphore,
    open: AtomicUsize,
    places_max: usize,
    drained: tokio::sync::Notify,
}

/// Whether this call may have reached the partner before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sent {
    Never,
    Perhaps,
}

/// How long a result waits before it is offered to a full disk or a busy store again.
pub(crate) const AGAIN_MS: i64 = 500;

impl Calls {
    pub(crate) fn new(places_max: usize) -> Self {
        Self {
            places: Semaphore::new(places_max),
            open: AtomicUsize::new(0),
            places_max,
            drained: tokio::sync::Notify::new(),
        }
    }

    /// Calls that wait for a place.
    pub(crate) fn waiting(&self) -> usize {
        self.open
            .load(Ordering::Relaxed)
            .saturating_sub(self.places_max)
    }

    /// Whoever acquires one may call.
    pub(crate) fn places(&self) -> &Semaphore {
        &self.places
    }

    /// Returns when no call is open.
    pub(crate) async fn drained(&self) {
        loop {
            let drained = self.drained.notified();
            if self.open.load(Ordering::Acquire) == 0 {
                return;
            }
            drained.await;
        }
    }

    /// Nothing more is sent; what waits for a place stays in its instance.
    pub(crate) fn close(&self) {
        self.places.close();
    }
}

/// Counts a call as open until it is dropped.
pub(crate) struct Open {
    shared: Arc<Shared>,
    _going: Going,
}

impl Open {
    pub(crate) fn new(shared: &Arc<Shared>) -> Self {
        shared.calls.open.fetch_add(1, Ordering::AcqRel);
        Self {
            shared: Arc::clone(shared),
            _going: shared.under_way.begin(),
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if self.shared.calls.open.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.shared.calls.drained.notify_waiters();
        }
    }
}

/// Sends a call and brings its result home, and the next of the run after it.
pub(crate) fn dispatch(shared: &Arc<Shared>, instance: &str, call: Call, sent: Sent) {
    let open = Open::new(shared);
    let (shared, instance) = (Arc::clone(shared), instance.to_owned());
    tokio::spawn(async move {
        let mut next = Some((call, sent));
        while let Some((mut call, sent)) = next {
            let input = std::mem::take(&mut call.input);
            let name = call.clone();
            call.input = input;
            let Some(answer) = shared.call(&instance, call, sent).await else {
                break;
            };
            let returned = Returned { call: name, answer };
            let following = shared.bring_home(&instance, returned).await;
            next = following.map(|call| (call, Sent::Never));
        }
        drop(open);
    });
}

/// `None` when it panics: a panic in a plugin's host is that call's failure, not ours. What it was
/// working on is dropped with it.
pub(crate) async fn caught<T>(work: impl Future<Output = T>) -> Option<T> {
    let mut work = std::pin::pin!(work);
    std::future::poll_fn(|context| {
        let polled = catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context)));
        polled.map_or(Poll::Ready(None), |polled| polled.map(Some))
    })
    .await
}

struct Returned {
    /// Without its input.
    call: Call,
    answer: Result<Reply, CallError>,
}

impl Shared {
    /// `None` when the engine stops, or the call is taken back, before it is sent.
    async fn call(
        self: &Arc<Self>,
        instance: &str,
        call: Call,
        sent: Sent,
    ) -> Option<Result<Reply, CallError>> {
        let _place = self.calls.places.acquire().await.ok()?;
        let prepared = match self.prepare(instance, call, sent).await {
            Ok(prepared) => prepared,
            Err(Unsendable::Answer(error)) => return Some(Err(error)),
            Err(Unsendable::Abandoned) => return None,
            Err(Unsendable::Unknown(refused)) => {
                tracing::error!(
                    instance,
                    refused = refused.in_log(),
                    "a call could not be prepared"
                );
                return None;
            }
        };
        tracing::debug!(instance, function = prepared.invocation.function, "calling");
        let invoke = Arc::clone(&self.parts.invoke);
        let effect = prepared.effect;
        let function = prepared.invocation.function.clone();
        let invocation = prepared.invocation;
        let result = caught(async move { invoke.invoke(invocation).await }).await;
        let result = result.unwrap_or_else(|| Err(host_failed(&function)));
        let result = result.map_err(|error| doubted(effect, error));
        // What a gateway answers could name an address: it goes nowhere.
        if let Some(told) = prepared.told {
            return Some(result.map(|_| Reply::Done(told)));
        }
        let Some(schema) = &prepared.output else {
            return Some(result);
        };
        Some(result.and_then(|reply| match reply {
            Reply::Done(output) => checked_output(schema, &function, output).map(Reply::Done),
            Reply::Pending(_) => Ok(reply),
        }))
    }

    async fn prepare(
        &self,
        instance: &str,
        call: Call,
        sent: Sent,
    ) -> Result<Prepared, Unsendable> {
        let held = self.hold(instance).await.map_err(Unsendable::Unknown)?;
        // Taken back while it waited for its place: it must not reach the partner.
        if !held.instance.awaits(&call.delivery) {
            return Err(Unsendable::Abandoned);
        }
        let (deployment, row) = (Arc::clone(&held.deployment), held.row.clone());
        drop(held);
        if let Some(effect) = effect_of_request(&call) {
            if sent == Sent::Perhaps && effect == EffectKind::AtMostOnce {
                return Err(Unsendable::Answer(in_doubt("the request")));
            }
            self.cleared(instance, &call, &row, &deployment).await?;
            let message = self.filled(instance, &call, &row, &deployment).await?;
            let mut invocation = invocation(instance, call, row, String::new(), String::new());
            let mut told = None;
            if let Some(message) = message {
                (invocation.input, told) = (message.body, Some(message.told));
            }
            return Ok(Prepared {
                invocation,
                output: None,
                told,
                effect,
            });
        }
        let function = &call.function;
        let found = deployment.signatures.get(function);
        let digest = deployment.plugin_of(function);
        let (Some(signature), Some(digest)) = (found, digest) else {
            return Err(Unsendable::Answer(unknown_function(function)));
        };
        let Some(effect) = self.parts.invoke.effect(function, digest) else {
            return Err(Unsendable::Answer(not_installed(function)));
        };
        if sent == Sent::Perhaps && effect == EffectKind::AtMostOnce {
            return Err(Unsendable::Answer(in_doubt(function)));
        }
        if let Some(first) = signature.input.violations(&call.input).first() {
            let sentence = format!(
                "input of {function}: {} at `{}`",
                first.message, first.pointer
            );
            return Err(Unsendable::Answer(permanent(
                "plugin.bad-input",
                422,
                sentence,
            )));
        }
        let token = if self.parts.invoke.resumes(function, digest) {
            self.token(&row.agency, instance, &call.key)
                .map_err(Unsendable::Unknown)?
        } else {
            None
        };
        self.cleared(instance, &call, &row, &deployment).await?;
        let (digest, output) = (digest.to_owned(), signature.output.clone());
        Ok(Prepared {
            invocation: invocation(instance, call, row, digest, token.unwrap_or_default()),
            output: Some(output),
            told: None,
            effect,
        })
    }

    /// The last question before it goes out: whether facts about people may.
    async fn cleared(
        &self,
        instance: &str,
        call: &Call,
        row: &InstanceRow,
        deployment: &Deployment,
    ) -> Result<(), Unsendable> {
        let sending = sending(instance, call, row, deployment);
        self.clear(&sending).await.map_err(Unsendable::from)
    }

    /// What goes out for a message, which is asked and written down first; `None` for other calls.
    async fn filled(
        &self,
        instance: &str,
        call: &Call,
        row: &InstanceRow,
        deployment: &Deployment,
    ) -> Result<Option<Ready>, Unsendable> {
        if call.function != notify::FUNCTION {
            return Ok(None);
        }
        let sending = sending(instance, call, row, deployment);
        let ready = self.message_ready(&sending, &call.input).await;
        ready.map(Some).map_err(Unsendable::from)
    }

    /// The result is a fact by now: it is offered until the store takes it or is closed.
    ///
    /// Gives the call that follows from it, if one does.
    async fn bring_home(self: &Arc<Self>, instance: &str, returned: Returned) -> Option<Call> {
        loop {
            let delivered = async {
                let settling = self.queue(instance, |draft| returned.told(draft)).await?;
                settling.settle_to_call().await.map_err(RunError::Refused)
            };
            match delivered.await {
                Ok(following) => return following,
                // When the engine stops, the call is still open for the next start.
                Err(RunError::Refused(Refused::Stopping)) => return None,
                // Nobody waits for it any more: a timeout or a cancellation was first.
                Err(RunError::Mismatch) => {
                    self.close_unwanted(instance, &returned.call).await;
                    return None;
                }
                Err(RunError::Refused(Refused::Busy | Refused::DiskFull)) => {
                    let again = self.parts.clock.now() + SignedDuration::from_millis(AGAIN_MS);
                    self.parts.clock.wait_until(again).await;
                }
                Err(RunError::Refused(refused)) => {
                    tracing::error!(
                        instance,
                        refused = refused.in_log(),
                        "a result could not be taken in"
                    );
                    return None;
                }
            }
        }
    }
}

impl Shared {
    /// What was written down for its answer is over.
    async fn close_unwanted(self: &Arc<Self>, instance: &str, call: &Call) {
        let closed = self
            .deliver(instance, |draft| {
                draft.close_call(&call.function, &call.key)?;
                Ok(None)
            })
            .await;
        if let Err(error) = closed {
            let refused = Refused::from(error);
            tracing::debug!(
                instance,
                refused = refused.in_log(),
                "a call that nobody waits for is not closed"
            );
        }
    }
}

impl Returned {
    fn told(&self, draft: &mut Draft<'_>) -> Result<Option<Event>, Refused> {
        let Call { key, function, .. } = &self.call;
        let result = match &self.answer {
            Ok(Reply::Pending(pending)) => {
                draft.park(&self.call, pending)?;
                return Ok(None);
            }
            Ok(Reply::Done(output)) => Ok(output.clone()),
            Err(error) => Err(error.clone()),
        };
        let (action, detail) = match &result {
            Ok(_) => (Audit::FunctionReturned, function.clone()),
            Err(error) => (Audit::FunctionFailed, code_of(error)),
        };
        // After a failure that may pass it is sent again, and an answer may be here by then.
        let passing = [ErrorKind::Retryable, ErrorKind::NotYet];
        if !matches!(&result, Err(error) if passing.contains(&error.kind)) {
            draft.close_call(function, key)?;
        }
        draft.note_own(action, Some(key.clone()), Some(detail));
        if result.as_ref().is_err_and(not_done) {
            draft.give_back(function, key)?;
        }
        Ok(Some(Event::CallReturned {
            at: draft.at,
            delivery: self.call.delivery.clone(),
            result,
        }))
    }
}

struct Prepared {
    invocation: Invocation,
    /// What a function gives; an answer to a request has no schema.
    output: Option<casewright_language::Schema>,
    /// What the task is given, whatever the answer says.
    told: Option<Value>,
    effect: EffectKind,
}

fn sending<'a>(
    instance: &'a str,
    call: &'a Call,
    row: &'a InstanceRow,
    deployment: &'a Deployment,
) -> Sending<'a> {
    Sending {
        instance,
        row,
        deployment,
        function: &call.function,
        delivery: &call.delivery,
        key: &call.key,
        because: call.because.as_deref(),
    }
}

fn invocation(
    instance: &str,
    call: Call,
    row: InstanceRow,
    digest: String,
    callback_token: String,
) -> Invocation {
    Invocation {
        step: format!("{instance}{}", call.delivery.reference),
        function: call.function,
        digest,
        input: call.input,
        key: call.key,
        attempt: call.delivery.attempt,
        since: call.since,
        agency: row.agency,
        case: row.case,
        callback_token,
    }
}

/// The request of a `call: http`.
fn request_of(call: &Call) -> Option<Request> {
    (call.function == http::FUNCTION)
        .then(|| Request::of(&call.input))
        .flatten()
}

/// What a call does outside, where that is known without a plugin.
pub(crate) fn effect_of_request(call: &Call) -> Option<EffectKind> {
    // Asking a service what it offers changes nothing.
    if call.function == openapi::FUNCTION {
        return Some(EffectKind::None);
    }
    // The gateway is given the key.
    if call.function == notify::FUNCTION {
        return Some(EffectKind::Keyed);
    }
    request_of(call).as_ref().map(effect_of)
}

fn effect_of(request: &Request) -> EffectKind {
    match request.repeat() {
        Repeat::Free => EffectKind::None,
        Repeat::Keyed => EffectKind::Keyed,
        Repeat::Never => EffectKind::AtMostOnce,
    }
}

impl From<Unsent> for Unsendable {
    fn from(unsent: Unsent) -> Self {
        match unsent {
            Unsent::HeldBack(error) => Self::Answer(error),
            Unsent::Refused(refused) => Self::Unknown(refused),
        }
    }
}

enum Unsendable {
    /// The call is over without having been sent.
    Answer(CallError),
    /// Nobody waits for it any more.
    Abandoned,
    /// It stays open.
    Unknown(Refused),
}

/// Codes are from a fixed list or from the plugin's declaration.
fn code_of(error: &CallError) -> String {
    error.code.clone()
}

pub(crate) fn checked_output(
    schema: &casewright_language::Schema,
    function: &str,
    output: Value,
) -> Result<Value, CallError> {
    match schema.violations(&output).first() {
        None => Ok(output),
        Some(first) => {
            let sentence = format!(
                "output of {function}: {} at `{}`",
                first.message, first.pointer
            );
            Err(permanent("plugin.bad-output", 502, sentence))
        }
    }
}

/// What the sandbox says of a call that acts at most once (out of time, trapped) leaves open
/// whether it acted; what the plugin itself says does not.
fn doubted(effect: EffectKind, error: CallError) -> CallError {
    let of_sandbox = error.code.starts_with("plugin.");
    if effect == EffectKind::AtMostOnce && of_sandbox && error.code != "plugin.denied" {
        return CallError {
            kind: ErrorKind::InDoubt,
            ..error
        };
    }
    error
}

/// Whether the function itself says that it did nothing. What the sandbox says of it leaves that
/// open, and so does what may pass.
pub(crate) fn not_done(error: &CallError) -> bool {
    match error.kind {
        ErrorKind::Business => true,
        ErrorKind::Permanent => !error.code.starts_with("plugin."),
        ErrorKind::Retryable | ErrorKind::InDoubt | ErrorKind::NotYet => false,
    }
}

fn in_doubt(function: &str) -> CallError {
    CallError {
        kind: ErrorKind::InDoubt,
        code: "in-doubt".to_owned(),
        status: 409,
        message: format!("the engine stopped while {function} was under way; it may have happened"),
        details: None,
        retry_after_ms: None,
    }
}

pub(crate) fn host_failed(function: &str) -> CallError {
    permanent(
        "plugin.host-failed",
        500,
        format!("the host of {function} failed"),
    )
}

fn unknown_function(function: &str) -> CallError {
    let sentence = format!("no plugin offered {function} when the workflow was deployed");
    permanent("unknown-function", 404, sentence)
}

pub(crate) fn not_installed(function: &str) -> CallError {
    let sentence = format!("the plugin version that {function} is pinned to is not installed");
    permanent("not-installed", 404, sentence)
}
