//! A run that failed goes on: the call that gave no result is sent again under its own key, by the
//! path every call takes, so funds, grants and consent are looked at again.
//!
//! Where runs wait for each other, the one that failed first is retried; those that failed with it
//! are marked as due in the same batch and wait again. Each is guarded to stand as it was looked
//! at, so that none goes on without the others.

use std::sync::Arc;

use casewright_casework::Principal;
use casewright_casework::audit::Action as Audit;
use casewright_language::Workflow;
use casewright_machine::{Call, DEPTH_MAX, Event, Fault, Instance, Retry as Possible, Status};
use casewright_store::{Guard, Table};

use super::calls::effect_of_request;
use super::children::{Due, child_id};
use super::draft::{Action, Draft, RunError};
use super::instances::view;
use super::requests::{Ask, Asked};
use super::runs::row_of;
use super::shared::{ENGINE, Shared};
use super::{Engine, Refused, RequestKey, Retry};
use crate::port::EffectKind;
use crate::record::InstanceRow;
use crate::view::InstanceView;

/// A reason is a sentence or two.
const REASON_CHARS_MAX: usize = 500;

impl Engine {
    /// Goes on from the call that failed. The answer shows the run that goes on: of a run that
    /// failed with one that it ran, that one.
    pub async fn retry(
        &self,
        who: &Principal,
        id: &str,
        retry: Retry,
        key: Option<RequestKey>,
    ) -> Result<InstanceView, Refused> {
        let admitted = self.shared.admit()?;
        self.shared.seen_instance(who, id)?;
        self.shared.only_administrators(who)?;
        check_reason(&retry.reason)?;
        let ask = match self.shared.ask(who, &format!("retry {id}"), key).await? {
            Asked::Before(answer) => return Ok(answer),
            Asked::Now(ask) => ask,
        };
        let (shared, who, id) = (Arc::clone(&self.shared), who.clone(), id.to_owned());
        Shared::carry(async move {
            let retried = shared.retry(&who, &id, &retry, ask.as_ref()).await;
            drop(admitted);
            retried
        })
        .await
    }
}

/// The run to be retried, and that those above it stand as they were looked at.
struct Place {
    id: String,
    guards: Vec<Guard>,
    /// Whether something else that was under way may have happened.
    doubt: bool,
}

/// A run as it was looked at.
struct Seen {
    instance: Instance,
    events: u64,
    /// Whether a call that acts at most once was given up when the run failed.
    doubt: bool,
}

impl Shared {
    async fn retry(
        self: &Arc<Self>,
        who: &Principal,
        id: &str,
        retry: &Retry,
        ask: Option<&Ask>,
    ) -> Result<InstanceView, Refused> {
        let place = self.first_failed(id).await?;
        if !self.sees_run(who, &place.id)? {
            return Err(not_retryable(
                "what it waited for is for others to retry, who see it",
            ));
        }
        let mut held = self.hold(&place.id).await?;
        let decided = self
            .decide(
                &mut held,
                ask,
                |draft| {
                    draft.admit(who)?;
                    let doubt = possible(draft.instance())?;
                    if doubt && !retry.certain {
                        return Err(in_doubt("nobody knows whether the step happened"));
                    }
                    if place.doubt && !retry.certain {
                        return Err(in_doubt(
                            "another step was under way when this one failed, and nobody knows \
                             whether it happened",
                        ));
                    }
                    draft.batch.guards.extend(place.guards.iter().cloned());
                    let workflow = draft.resident.workflow();
                    let in_closed = workflow.is_some_and(Workflow::in_closed_case);
                    draft.begin_in_case(in_closed)?;
                    Ok(Some(draft.retried(who, Some(retry))))
                },
                |draft| {
                    Ok(view(
                        draft.row(),
                        &place.id,
                        draft.instance(),
                        &draft.awaited,
                    ))
                },
            )
            .await;
        drop(held);
        let (view, settling) = decided.map_err(|error| match error {
            RunError::Mismatch => not_retryable("it has changed meanwhile; look at it again"),
            RunError::Refused(refused) => refused,
        })?;
        settling.settle().await?;
        Ok(view)
    }

    /// Down to the run whose call failed, then up over those that wait for it.
    async fn first_failed(&self, id: &str) -> Result<Place, Refused> {
        let mut at = id.to_owned();
        for _ in 0..=DEPTH_MAX {
            let instance = self.look(&at).await?.instance;
            possible(&instance)?;
            let Possible::Child { key } = instance.retry() else {
                break;
            };
            let below = child_id(&key);
            match self.look(&below).await?.instance.status() {
                Status::Faulted => at = below,
                Status::Cancelled => {
                    return Err(not_retryable(
                        "the workflow that it waited for was cancelled; start it again",
                    ));
                }
                // Retried on its own, so that its end can be waited for again.
                Status::Pending
                | Status::Running
                | Status::Waiting
                | Status::Suspended
                | Status::Completed => break,
            }
        }
        let mut guards = Vec::new();
        let mut doubt = self.look(&at).await?.doubt;
        let mut below = row_of(self, &at)?;
        for _ in 0..=DEPTH_MAX {
            let Some(parent) = below.parent.filter(|parent| parent.awaited) else {
                break;
            };
            let seen = self.look(&parent.instance).await?;
            let instance = &seen.instance;
            doubt |= seen.doubt;
            let waits = instance.retry() == Possible::Child { key: parent.key };
            if !waits && instance.status() != Status::Faulted && instance.outcome().is_none() {
                // It is told of the failure this moment, or has caught it and gone on.
                return Err(not_retryable(
                    "the workflow that waited for it goes on without it",
                ));
            }
            if !waits {
                return Err(not_retryable(
                    "the workflow that waited for it has ended in another way; start it again",
                ));
            }
            guards.push(Guard::Instance {
                id: parent.instance.clone(),
                events: seen.events,
            });
            below = row_of(self, &parent.instance)?;
        }
        Ok(Place {
            id: at,
            guards,
            doubt,
        })
    }

    async fn look(&self, id: &str) -> Result<Seen, Refused> {
        let held = self.hold(id).await?;
        let once = |call: Call| {
            let digest = held.deployment.plugin_of(&call.function);
            let effect = digest.and_then(|digest| {
                let invoke = &self.parts.invoke;
                invoke.effect(&call.function, digest)
            });
            effect_of_request(&call).or(effect) == Some(EffectKind::AtMostOnce)
        };
        Ok(Seen {
            doubt: held.instance.given_up().into_iter().any(once),
            instance: held.instance.clone(),
            events: held.events,
        })
    }

    /// What it waited for goes on, so it waits again.
    pub(super) async fn revive(self: &Arc<Self>, id: &str) -> Result<(), Refused> {
        let case = row_of(self, id)?.case;
        let engine = Principal {
            id: ENGINE.to_owned(),
            display_name: ENGINE.to_owned(),
            agency: String::new(),
            roles: std::collections::BTreeSet::new(),
            kind: casewright_casework::principal::Kind::Engine,
        };
        let revived = self
            .deliver(id, |draft| {
                draft.mark(Table::Index, Due::Revive.key(id), false);
                match draft.instance().retry() {
                    Possible::Child { .. } => Ok(Some(draft.retried(&engine, None))),
                    Possible::Call { .. } | Possible::Nothing | Possible::Torn { .. } => Ok(None),
                }
            })
            .await;
        match revived {
            Ok(()) => Ok(()),
            Err(RunError::Mismatch) => self.unmark(Due::Revive, id, case).await,
            Err(RunError::Refused(refused)) => Err(refused),
        }
    }
}

impl Draft<'_> {
    /// Rows, record and event of a retry, and the mark for the run that waits for this one.
    fn retried(&mut self, who: &Principal, retry: Option<&Retry>) -> Event {
        let fault = self.instance().fault().cloned();
        let task = fault.map(|fault| self.failed_task(&fault));
        self.note(&who.id, Audit::InstanceRetried, None, task);
        let mut row = self.row().clone();
        self.list_retried(&mut row);
        if let Some(parent) = row.parent.as_ref().filter(|parent| parent.awaited) {
            let above = parent.instance.clone();
            self.mark(Table::Index, Due::Revive.key(&above), true);
            self.after_flush(Action::Attend(Due::Revive, above));
        }
        self.set_row(row);
        Event::Retried {
            at: self.at,
            by: who.id.clone(),
            reason: retry.map(|retry| retry.reason.clone()),
            certain: retry.is_some_and(|retry| retry.certain),
        }
    }

    fn row(&self) -> &InstanceRow {
        self.row.as_ref().unwrap_or(&self.resident.row)
    }
}

/// Whether somebody has to make sure first; or why it cannot be retried at all.
fn possible(instance: &Instance) -> Result<bool, Refused> {
    match instance.retry() {
        Possible::Call { doubt, .. } => Ok(doubt),
        Possible::Child { .. } => Ok(false),
        Possible::Torn { task } => Err(not_retryable(&format!(
            "the workflow that `{task}` waited for was cancelled when this run failed; start again"
        ))),
        Possible::Nothing => Err(not_retryable(match instance.fault() {
            None => "it has not failed",
            Some(fault) => certain_to_fail(fault),
        })),
    }
}

/// Why it would fail again, and what to do instead.
fn certain_to_fail(fault: &Fault) -> &'static str {
    let kind = fault.kind.rsplit('/').next().unwrap_or_default();
    match kind {
        "expression" => {
            "an expression of the workflow fails on this data and would fail again; mend the \
             workflow, then start again"
        }
        "validation" => {
            "the data do not fit what the workflow asks for and would not fit again; mend the \
             workflow or the input, then start again"
        }
        "timeout" => "its time ran out; start again",
        _ => {
            "the workflow itself ended with this error and would again; see what it says, then \
             start again"
        }
    }
}

fn check_reason(reason: &str) -> Result<(), Refused> {
    let length = reason.trim().chars().count();
    if (1..=REASON_CHARS_MAX).contains(&length) {
        return Ok(());
    }
    Err(Refused::Invalid {
        code: "invalid-input",
        status: 422,
        message: format!(
            "say in `reason` what was done about the cause, in at most {REASON_CHARS_MAX} \
             characters"
        ),
    })
}

fn not_retryable(sentence: &str) -> Refused {
    Refused::Invalid {
        code: "not-retryable",
        status: 409,
        message: sentence.to_owned(),
    }
}

fn in_doubt(sentence: &str) -> Refused {
    Refused::Invalid {
        code: "in-doubt",
        status: 409,
        message: format!("{sentence}; make sure with the other side that it did not, and say so"),
    }
}
