//! Going on with pending calls: one after the other for each call, a bounded number over all. What
//! comes of it is in the journal before anything follows from it.

use std::sync::Arc;

use casewright_machine::{CallError, ErrorKind};
use casewright_store::Table;
use jiff::SignedDuration;

use super::row::{Due, PendingRow, Stage};
use super::{Outcome, Resumed, WHAT, doubted};
use crate::engine::Refused;
use crate::engine::calls::{AGAIN_MS, Open, caught, checked_output, host_failed, not_installed};
use crate::engine::disclosures::{Sending, Unsent};
use crate::engine::draft::RunError;
use crate::engine::shared::{Shared, not_found};
use crate::port::{EffectKind, Invocation, Reason, Reply, Resumption};

/// Looks at a pending call and does what is due, until nothing is.
pub(crate) fn wake(shared: &Arc<Shared>, hash: Vec<u8>) {
    if !shared.resuming.begin(&hash) {
        return;
    }
    let open = Open::new(shared);
    let shared = Arc::clone(shared);
    tokio::spawn(async move {
        loop {
            match shared.go_on_with(&hash).await {
                Ok(true) => {}
                Ok(false) => {
                    if !shared.resuming.again(&hash) {
                        break;
                    }
                }
                // Its timer row is still there: the next start looks again.
                Err(refused) => {
                    tracing::warn!(refused = refused.in_log(), "a pending call could not go on");
                    shared.resuming.leave(&hash);
                    break;
                }
            }
        }
        drop(open);
    });
}

/// A call that goes on, with what its outcome is judged by.
struct Prepared {
    resumption: Resumption,
    effect: EffectKind,
    output: casewright_language::Schema,
    /// Why it must not ask outside now.
    unsent: Option<CallError>,
}

impl Shared {
    /// Whether there was something to do.
    async fn go_on_with(self: &Arc<Self>, hash: &[u8]) -> Result<bool, Refused> {
        let Ok(_place) = self.calls.places().acquire().await else {
            return Err(Refused::Stopping);
        };
        let found: Option<(PendingRow, u64)> = self.pending(Table::PendingCall, hash, WHAT)?;
        let Some((row, _)) = found else {
            return Ok(false);
        };
        let Some(due) = row.due(self.now()) else {
            return Ok(false);
        };
        let (effect, outcome) = match self.prepare_resumption(hash, &row, due).await? {
            None => (
                EffectKind::Keyed,
                Outcome::Returned(Err(not_installed(&row.function))),
            ),
            Some(Prepared {
                unsent: Some(error),
                effect,
                ..
            }) => (effect, Outcome::Returned(Err(doubted(effect, error)))),
            Some(prepared) => {
                let function = &row.function;
                tracing::debug!(
                    instance = row.instance,
                    function,
                    ?due,
                    "going on with a call"
                );
                let effect = prepared.effect;
                (effect, self.resume_now(prepared, function).await)
            }
        };
        let resumed = Resumed {
            turn: row.turn,
            due,
            effect,
            function: row.function,
            outcome,
        };
        self.record_outcome(&row.instance, hash, &resumed).await?;
        Ok(true)
    }

    async fn prepare_resumption(
        &self,
        hash: &[u8],
        row: &PendingRow,
        due: Due,
    ) -> Result<Option<Prepared>, Refused> {
        let held = self.hold(&row.instance).await?;
        let (deployment, run) = (Arc::clone(&held.deployment), held.row.clone());
        drop(held);
        let digest = deployment.plugin_of(&row.function);
        let signature = deployment.signatures.get(&row.function);
        let (Some(digest), Some(signature)) = (digest, signature) else {
            return Ok(None);
        };
        let Some(effect) = self.parts.invoke.effect(&row.function, digest) else {
            return Ok(None);
        };
        let reason = match due {
            Due::Callback(number) => {
                let message = self.callback(hash, number)?;
                Reason::Callback(message.ok_or_else(not_found)?)
            }
            Due::Expired => Reason::Expired,
            Due::Poll => Reason::Poll,
            Due::Cancelled => Reason::Cancelled,
        };
        let (Stage::Waiting(parked) | Stage::GivenUp(Some(parked))) = &row.stage else {
            return Ok(None);
        };
        // What it asks by itself may hand out facts again. A message that came in, and that
        // nobody waits any more, are told to the plugin whoever has agreed to what.
        let unsent = match due {
            Due::Poll | Due::Expired => {
                let sending = Sending {
                    instance: &row.instance,
                    row: &run,
                    deployment: &deployment,
                    function: &row.function,
                    delivery: &row.delivery,
                    key: &row.key,
                    because: row.because.as_deref(),
                };
                match self.clear(&sending).await {
                    Ok(()) => None,
                    Err(Unsent::HeldBack(error)) => Some(error),
                    Err(Unsent::Refused(refused)) => return Err(refused),
                }
            }
            Due::Callback(_) | Due::Cancelled => None,
        };
        let token = self.token(&row.agency, &row.instance, &row.key)?;
        Ok(Some(Prepared {
            resumption: Resumption {
                of: Invocation {
                    function: row.function.clone(),
                    digest: digest.to_owned(),
                    input: serde_json::Value::Null,
                    key: row.key.clone(),
                    attempt: row.delivery.attempt,
                    since: row.since,
                    agency: row.agency.clone(),
                    case: row.case.clone(),
                    step: format!("{}{}", row.instance, row.delivery.reference),
                    callback_token: token.unwrap_or_default(),
                },
                state: parked.state.clone(),
                reason,
            },
            effect,
            output: signature.output.clone(),
            unsent,
        }))
    }

    async fn resume_now(&self, prepared: Prepared, function: &str) -> Outcome {
        let Prepared {
            resumption,
            effect,
            output,
            unsent: _,
        } = prepared;
        let invoke = Arc::clone(&self.parts.invoke);
        let answered = caught(async move { invoke.resume(resumption).await }).await;
        let answered = answered.unwrap_or_else(|| Err(host_failed(function)));
        let answered = answered.and_then(|reply| match reply {
            Reply::Done(value) => checked_output(&output, function, value).map(Reply::Done),
            Reply::Pending(_) => Ok(reply),
        });
        match answered {
            Ok(Reply::Done(value)) => Outcome::Returned(Ok(value)),
            Ok(Reply::Pending(pending)) => Outcome::Pending(pending),
            Err(error) if error.kind == ErrorKind::Retryable => {
                tracing::info!(function, code = error.code, "a pending call rests");
                Outcome::Again(error.retry_after_ms)
            }
            Err(error) => Outcome::Returned(Err(doubted(effect, error))),
        }
    }

    /// The outcome is a fact by now: it is offered until the store takes it or is closed.
    async fn record_outcome(
        self: &Arc<Self>,
        instance: &str,
        hash: &[u8],
        resumed: &Resumed,
    ) -> Result<(), Refused> {
        loop {
            let recorded = self
                .deliver(instance, |draft| draft.resumed(hash, resumed))
                .await;
            match recorded {
                Ok(()) => return Ok(()),
                Err(RunError::Mismatch) => {
                    return Err(Refused::Damaged(
                        "a pending call is not open in its instance".to_owned(),
                    ));
                }
                Err(RunError::Refused(Refused::Busy | Refused::DiskFull)) => {
                    let again = self.parts.clock.now() + SignedDuration::from_millis(AGAIN_MS);
                    self.parts.clock.wait_until(again).await;
                }
                Err(RunError::Refused(refused)) => return Err(refused),
            }
        }
    }
}
