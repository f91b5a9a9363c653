//! What people do with work items: take them, give them back or to others, let them wait, complete
//! or skip them. `casework` says yes or no; here rows, guards and audit entries come with the
//! answer.

use std::sync::Arc;

use casewright_casework::audit::{Action, Entry};
use casewright_casework::work_item::{
    APPROVE, Arranger, Assigned, Completed, Completion, Decision,
};
use casewright_casework::{Code, Principal, Refusal, WorkItem};
use casewright_machine::{Decider, Event};
use casewright_store::{AuditAppend, Batch, Guard, Put, SubmitError, Table, Under};
use jiff::Timestamp;
use jiff::civil::Date;

use super::alarms::{self, Moved};
use super::draft::Draft;
use super::requests::{Ask, Asked};
use super::shared::{Shared, not_found, refused};
use super::work_lists::{queue_keys, view};
use super::{Complete, Engine, Give, HandOver, Reassign, Refused, RequestKey, Wait, unsent};
use crate::deployment::Deployment;
use crate::record;
use crate::view::WorkItemView;

/// `<instance>-<number>`.
pub(crate) fn item_id(instance: &str, number: u32) -> String {
    format!("{instance}-{number}")
}

/// The number of an item's only timer: it has one at a time, for whatever comes next.
pub(crate) const ALARM: u32 = 0;

/// The instance that an item's id names; ids of instances themselves have no hyphen.
pub(crate) fn instance_of(item: &str) -> Result<&str, Refused> {
    let (instance, _) = item.rsplit_once('-').ok_or_else(not_found)?;
    Ok(instance)
}

/// What somebody does with an item besides deciding it.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    Claim,
    Release,
    Hold(Wait),
    Resume,
    HandOver(HandOver),
    Give(Give),
    Reassign(Reassign),
}

/// An item as somebody changes it, and what is said of it.
struct Changed {
    item: WorkItem,
    action: Action,
    detail: Option<String>,
    guards: Vec<Guard>,
}

impl Change {
    fn route(&self, id: &str) -> String {
        let name = match self {
            Self::Claim => "claim",
            Self::Release => "release",
            Self::Hold(_) => "hold",
            Self::Resume => "resume",
            Self::HandOver(_) => "hand over",
            Self::Give(_) => "give",
            Self::Reassign(_) => "reassign",
        };
        format!("{name} {id}")
    }

    fn of(
        &self,
        shared: &Shared,
        item: &WorkItem,
        who: &Principal,
        at: Timestamp,
    ) -> Result<Changed, Refused> {
        if let Self::Claim = self {
            return claimed(shared, item, who, at);
        }
        let stead = shared.stead(item, who)?;
        let actor = || stead.actor(item, who, at);
        let deployment = shared.deployment_of(item)?;
        let calendar = &*shared.calendar_of(item)?;
        let arranges = shared.arranges(who);
        let by = |reason| Arranger {
            who,
            arranges,
            at,
            reason,
        };
        let mut detail = None;
        let mut guards: Vec<_> = stead.guard().into_iter().collect();
        let (changed, action) = match self {
            Self::Claim => unreachable!("it was answered above"),
            Self::Release => (item.release(who, at), Action::WorkItemReleased),
            Self::Hold(Wait { until, reason }) => (
                actor().and_then(|actor| item.hold(actor, at, *until, reason, calendar)),
                Action::WorkItemHeld,
            ),
            Self::Resume => (
                actor().and_then(|actor| item.resume(actor, at, calendar)),
                Action::WorkItemResumed,
            ),
            Self::HandOver(HandOver { to, until, reason }) => {
                let to = shared.colleague(who, to, Code::HandoverInvalid)?;
                guards.extend(shared.open_to(&to, item)?);
                detail = Some(to.id.clone());
                let next = actor().and_then(|it| item.hand_over(it, &to, *until, reason, at));
                (next, Action::WorkItemHandedOver)
            }
            Self::Give(Give { to, reason }) => {
                let to = shared.colleague(who, to, Code::HandoverInvalid)?;
                guards.extend(shared.open_to(&to, item)?);
                detail = Some(to.id.clone());
                (item.give(&by(reason), &to), Action::WorkItemGiven)
            }
            Self::Reassign(Reassign { to, reason }) => {
                let (to, person) = shared.recipient(who, to, &deployment)?;
                if let Some(person) = &person {
                    guards.extend(shared.open_to(person, item)?);
                }
                detail = Some(bucket(&to));
                let next = item.reassign(&by(reason), &to, person.as_ref(), calendar);
                (next, Action::WorkItemReassigned)
            }
        };
        Ok(Changed {
            item: changed.map_err(Refused::Rule)?,
            action,
            detail,
            guards,
        })
    }
}

/// Taken by somebody for themselves, or else for somebody they stand in for.
fn claimed(
    shared: &Shared,
    item: &WorkItem,
    who: &Principal,
    at: Timestamp,
) -> Result<Changed, Refused> {
    let changed = |item, action, detail, guards| Changed {
        item,
        action,
        detail,
        guards,
    };
    let refusal = match item.claim(who, at) {
        Ok(next) => return Ok(changed(next, Action::WorkItemClaimed, None, Vec::new())),
        Err(refusal) => refusal,
    };
    match shared.taken_for(item, who, at)? {
        Some(Ok((next, guards))) => {
            let detail = next.acting(who).map(|acting| acting.person.clone());
            let action = Action::WorkItemTakenFor;
            Ok(changed(next, action, detail, guards))
        }
        Some(Err(refusal)) => Err(Refused::Rule(refusal)),
        None => Err(Refused::Rule(refusal)),
    }
}

impl Engine {
    /// Takes an offered item; repeating one's own claim changes nothing.
    pub async fn claim(
        &self,
        who: &Principal,
        id: &str,
        key: Option<RequestKey>,
    ) -> Result<WorkItemView, Refused> {
        self.change(who, id, key, Change::Claim).await
    }

    /// Gives a claimed item back to those it was offered to.
    pub async fn release(
        &self,
        who: &Principal,
        id: &str,
        key: Option<RequestKey>,
    ) -> Result<WorkItemView, Refused> {
        self.change(who, id, key, Change::Release).await
    }

    /// Lets one's own item wait, with a reason; it comes back by itself where a moment is given.
    pub async fn hold(
        &self,
        who: &Principal,
        id: &str,
        wait: Wait,
        key: Option<RequestKey>,
    ) -> Result<WorkItemView, Refused> {
        self.change(who, id, key, Change::Hold(wait)).await
    }

    /// Goes on with one's own item before its hold is over.
    pub async fn resume(
        &self,
        who: &Principal,
        id: &str,
        key: Option<RequestKey>,
    ) -> Result<WorkItemView, Refused> {
        self.change(who, id, key, Change::Resume).await
    }

    /// Hands one's own item to a colleague who acts for oneself until a moment.
    pub async fn hand_over(
        &self,
        who: &Principal,
        id: &str,
        hand_over: HandOver,
        key: Option<RequestKey>,
    ) -> Result<WorkItemView, Refused> {
        self.change(who, id, key, Change::HandOver(hand_over)).await
    }

    /// Gives an item that nobody has to a colleague who might have taken it.
    pub async fn give(
        &self,
        who: &Principal,
        id: &str,
        give: Give,
        key: Option<RequestKey>,
    ) -> Result<WorkItemView, Refused> {
        self.change(who, id, key, Change::Give(give)).await
    }

    /// Gives an item to others, whoever has it.
    pub async fn reassign(
        &self,
        who: &Principal,
        id: &str,
        reassign: Reassign,
        key: Option<RequestKey>,
    ) -> Result<WorkItemView, Refused> {
        self.change(who, id, key, Change::Reassign(reassign)).await
    }

    async fn change(
        &self,
        who: &Principal,
        id: &str,
        key: Option<RequestKey>,
        change: Change,
    ) -> Result<WorkItemView, Refused> {
        let admitted = self.shared.admit()?;
        let ask = match self.shared.ask(who, &change.route(id), key).await? {
            Asked::Before(answer) => return self.shared.still(who, answer),
            Asked::Now(ask) => ask,
        };
        let (shared, who, id) = (Arc::clone(&self.shared), who.clone(), id.to_owned());
        Shared::carry(async move {
            let changed = shared.change_item(&who, &id, ask.as_ref(), &change).await;
            drop(admitted);
            note_refusal(&shared, &who, &id, changed).await
        })
        .await
    }

    /// Decides an item, or adds one of several approvals. What follows in the instance is in the
    /// same batch.
    pub async fn complete(
        &self,
        who: &Principal,
        id: &str,
        complete: Complete,
        key: Option<RequestKey>,
    ) -> Result<WorkItemView, Refused> {
        let end = move |draft: &mut Draft<'_>, who: &Principal, id: &str| {
            decide_item(draft, who, id, &complete)
        };
        self.end(who, id, ("complete", key), end).await
    }

    /// What may end an item, decided with the run that waits for it in one batch. Beside it the
    /// word of the request and its key.
    pub(super) async fn end<F>(
        &self,
        who: &Principal,
        id: &str,
        (word, key): (&str, Option<RequestKey>),
        end: F,
    ) -> Result<WorkItemView, Refused>
    where
        F: Fn(&mut Draft<'_>, &Principal, &str) -> Result<Option<Event>, Refused>,
        F: Send + Sync + 'static,
    {
        let admitted = self.shared.admit()?;
        let ask = match self.shared.ask(who, &format!("{word} {id}"), key).await? {
            Asked::Before(answer) => return self.shared.still(who, answer),
            Asked::Now(ask) => ask,
        };
        let (shared, who, id) = (Arc::clone(&self.shared), who.clone(), id.to_owned());
        Shared::carry(async move {
            let ended = shared.end_item(&who, &id, ask.as_ref(), end).await;
            drop(admitted);
            note_refusal(&shared, &who, &id, ended).await
        })
        .await
    }
}

impl Shared {
    /// What was answered before is told again to those who may open the case still.
    fn still(&self, who: &Principal, answer: WorkItemView) -> Result<WorkItemView, Refused> {
        self.seen_case(who, &answer.case)?;
        Ok(answer)
    }

    /// Nothing of the instance changes, so its slot is not needed: the row's guard is enough.
    async fn change_item(
        &self,
        who: &Principal,
        id: &str,
        ask: Option<&Ask>,
        change: &Change,
    ) -> Result<WorkItemView, Refused> {
        for _ in 0..self.limits.tries_max {
            let (before, version) = self
                .pending::<WorkItem>(Table::WorkItem, id.as_bytes(), "a work item")?
                .ok_or_else(not_found)?;
            let door = self.door(who, &before.case)?;
            let mut item = self.freed(&before)?.unwrap_or_else(|| before.clone());
            let related = self.with_related(&mut item)?;
            let kin = self.with_kin(&mut item)?;
            let at = self.now();
            let Changed {
                item: mut changed,
                action,
                detail,
                guards,
            } = change.of(self, &item, who, at)?;
            changed.excluded.clone_from(&before.excluded);
            let mut batch = Batch::default();
            batch.guards.extend(door);
            batch.guards.extend(related.into_iter().chain(kin));
            batch.guards.extend(guards);
            batch.guards.push(Guard::Row {
                table: Table::WorkItem,
                key: id.as_bytes().to_vec(),
                version,
            });
            let mut moved = None;
            if changed != before {
                moved = write_item(Some(&before), &changed, at, &mut batch);
                batch
                    .audit
                    .push(entry(&changed, &who.id, at, action, detail));
            }
            let view = view(self, who, &changed)?;
            if let Some(ask) = ask {
                ask.record(&view, Under::Case(item.case.clone()), &mut batch);
            }
            match self.submit(batch) {
                Ok(ticket) => {
                    let flushed = ticket.flushed().await;
                    self.changed();
                    flushed.map_err(refused)?;
                    if let Some(moved) = moved {
                        self.timers.move_alarm(&moved);
                    }
                    return Ok(view);
                }
                Err(SubmitError::Guard { .. }) => {}
                Err(error) => return Err(refused(error)),
            }
        }
        Err(Refused::Busy)
    }

    async fn end_item(
        self: &Arc<Self>,
        who: &Principal,
        id: &str,
        ask: Option<&Ask>,
        end: impl Fn(&mut Draft<'_>, &Principal, &str) -> Result<Option<Event>, Refused>,
    ) -> Result<WorkItemView, Refused> {
        let mut held = self.hold(instance_of(id)?).await?;
        let decided = self
            .decide(
                &mut held,
                ask,
                |draft| end(draft, who, id),
                |draft| {
                    let item = draft.held_item(id).ok_or_else(not_found)?;
                    view(self, who, item)
                },
            )
            .await;
        drop(held);
        let (view, settling) = decided?;
        settling.settle().await?;
        Ok(view)
    }
}

/// The completion itself: the item changes in the draft, and when enough people have decided, the
/// instance hears of it.
fn decide_item(
    draft: &mut Draft<'_>,
    who: &Principal,
    id: &str,
    complete: &Complete,
) -> Result<Option<Event>, Refused> {
    let before = draft.item(id)?.ok_or_else(not_found)?;
    draft.admit(who)?;
    let mut item = before.clone();
    let related = draft.shared.with_related(&mut item)?;
    let kin = draft.shared.with_kin(&mut item)?;
    draft.batch.guards.extend(related.into_iter().chain(kin));
    let deployment = &draft.resident.deployment;
    let form_errors = match item
        .form
        .as_ref()
        .and_then(|form| deployment.forms.get(form))
    {
        Some(form) => {
            let mistakes = form.check(&complete.data).into_iter();
            mistakes.map(|one| (one.field, one.message)).collect()
        }
        None => Vec::new(),
    };
    let policy = item
        .limit
        .as_ref()
        .and_then(|limit| deployment.policies.get(&limit.policy));
    let on = local_day(draft);
    let approves = complete.outcome == APPROVE;
    let counted = match policy {
        Some(policy) if approves => draft.counted_before(&item, policy, on)?,
        Some(_) | None => Vec::new(),
    };
    let completion = Completion {
        at: draft.at,
        outcome: &complete.outcome,
        data: &complete.data,
        comment: complete.comment.as_deref(),
        revision: complete.revision,
        form_errors: &form_errors,
        policy,
        on,
        before: &counted,
        shown: complete.shown.as_deref(),
    };
    let stead = draft.shared.stead(&item, who)?;
    let actor = stead.actor(&item, who, draft.at).map_err(Refused::Rule)?;
    let completed = item.complete(actor, &completion).map_err(Refused::Rule)?;
    draft.batch.guards.extend(stead.guard());
    let outcome = Some(complete.outcome.clone());
    draft.note(
        &who.id,
        Action::WorkItemCompleted,
        Some(id.to_owned()),
        outcome,
    );
    if let Some(acting) = item.acting(who) {
        let person = Some(acting.person.clone());
        draft.note(
            &who.id,
            Action::WorkItemActedFor,
            Some(id.to_owned()),
            person,
        );
    }
    Ok(match completed {
        Completed::More(mut item) => {
            item.excluded = before.excluded;
            draft.set_item(item);
            None
        }
        Completed::Done(mut item) => {
            item.excluded = before.excluded;
            let event = completed_event(&item, draft.at, on);
            draft.remember_work(&item)?;
            draft.set_item(item.clone());
            draft.approve_money(&item, policy, on)?;
            event
        }
    })
}

/// The day it is where the agency is.
pub(super) fn local_day(draft: &Draft<'_>) -> Date {
    let zone = draft.resident.deployment.calendar().zone();
    draft.at.to_zoned(zone.clone()).date()
}

pub(super) fn completed_event(item: &WorkItem, at: Timestamp, day: Date) -> Option<Event> {
    let last = item.decisions.last()?;
    // Who decided otherwise before (an approval that a later one declined) took part as well.
    let by = item.decisions.iter().map(|decision: &Decision| Decider {
        person: decision.person.clone(),
        role: decision.role.clone(),
        acting_for: decision.acting_for.as_ref().map(|one| one.person.clone()),
    });
    Some(Event::WorkItemCompleted {
        at,
        on: Some(day),
        item: item.number,
        outcome: last.outcome.clone(),
        data: last.data.clone(),
        comment: last.comment.clone(),
        by: by.collect(),
        overdue: item.overdue(at),
        skipped: last.skipped,
    })
}

/// The item's row, its lines in the lists and its timer. What is given back is for memory, once
/// the batch is on disk.
pub(crate) fn write_item(
    before: Option<&WorkItem>,
    now: &WorkItem,
    at: Timestamp,
    batch: &mut Batch,
) -> Option<Moved> {
    let under = Under::Case(now.case.clone());
    batch.puts.push(Put {
        table: Table::WorkItem,
        key: now.id.clone().into_bytes(),
        value: Some(record::encode(now)),
        under: under.clone(),
    });
    let (old, new) = (
        before.map_or_else(Vec::new, |before| queue_keys(before, at)),
        queue_keys(now, at),
    );
    let lines = old
        .iter()
        .filter(|key| !new.contains(key))
        .map(|key| (key, None))
        .chain(
            new.iter()
                .filter(|key| !old.contains(key))
                .map(|key| (key, Some(Vec::new()))),
        );
    for (key, value) in lines {
        batch.puts.push(Put {
            table: Table::Queue,
            key: key.clone(),
            value,
            under: under.clone(),
        });
    }
    unsent::forget(before, now, batch);
    alarms::write(before, now, batch)
}

pub(crate) fn entry(
    item: &WorkItem,
    who: &str,
    at: Timestamp,
    action: Action,
    detail: Option<String>,
) -> AuditAppend {
    AuditAppend {
        case: item.case.clone(),
        entry: Entry {
            at,
            who: who.to_owned(),
            action,
            instance: Some(item.instance.clone()),
            subject: Some(item.id.clone()),
            detail,
        },
    }
}

/// A refusal for what somebody is or may is a fact of the case: it is written before it is told.
/// Lost races and mistakes in forms are not.
pub(crate) async fn note_refusal<T>(
    shared: &Arc<Shared>,
    who: &Principal,
    id: &str,
    result: Result<T, Refused>,
) -> Result<T, Refused> {
    if let Err(Refused::Rule(Refusal { code, .. })) = &result
        && matches!(
            code,
            Code::SelfApproval
                | Code::NotAssigned
                | Code::OverLimit
                | Code::NotDelegable
                | Code::ActingOver
                | Code::NotArranging
                | Code::NotSkippable
        )
        && let Some(item) =
            shared.read::<WorkItem>(Table::WorkItem, id.as_bytes(), "a work item")?
    {
        let detail = Some(code.as_str().to_owned());
        let refused = entry(&item, &who.id, shared.now(), Action::Refused, detail);
        let batch = Batch {
            audit: vec![refused],
            reserve: true,
            ..Batch::default()
        };
        shared.commit(batch).await?;
    }
    result
}

impl Shared {
    /// To whom an item is to go, and who that is where it is a person. Roles and teams are those
    /// of the pack that its run is pinned to.
    fn recipient(
        &self,
        who: &Principal,
        to: &Assigned,
        deployment: &Deployment,
    ) -> Result<(Assigned, Option<Principal>), Refused> {
        let pack = &deployment.pack;
        let (known, what) = match to {
            Assigned::Person(named) => {
                let person = self.colleague(who, named, Code::HandoverInvalid)?;
                return Ok((Assigned::Person(person.id.clone()), Some(person)));
            }
            Assigned::Role(role) => (pack.roles.contains_key(role), "role"),
            Assigned::Team(team) => (pack.teams.contains_key(team), "team"),
        };
        if known {
            return Ok((to.clone(), None));
        }
        let sentence = format!("the pack of this run has no such {what}");
        let refusal = Refusal::new(Code::HandoverInvalid, sentence);
        Err(Refused::Rule(refusal))
    }
}

/// Who an item is for, as list buckets name it.
pub(crate) fn bucket(assigned: &Assigned) -> String {
    match assigned {
        Assigned::Role(role) => format!("role {role}"),
        Assigned::Team(team) => format!("team {team}"),
        Assigned::Person(person) => format!("person {person}"),
    }
}
