//! The JSON shapes of the API: views of the runtime as clients see them. Times are RFC 3339 in
//! UTC, money is minor units with a currency.

pub(crate) mod calendar;
mod case;
pub(crate) mod lifecycle;
pub(crate) mod migration;
pub(crate) mod people;
pub(crate) mod run;
pub(crate) mod schedule;

use casewright_casework::audit;
use casewright_runtime::view;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::console::sentence;

pub(crate) use case::Case;

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    /// Give it back as `cursor` for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<String>,
}

impl<T> Page<T> {
    pub(crate) fn whole<V: Into<T>>(items: Vec<V>) -> Self {
        Self {
            items: items.into_iter().map(Into::into).collect(),
            next: None,
        }
    }

    pub(crate) fn of<V: Into<T>>(page: view::Page<V>) -> Self {
        Self {
            next: page.next,
            ..Self::whole(page.items)
        }
    }
}

/// What to start.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StartRequest {
    /// `name` or `namespace/name`.
    pub(crate) workflow: String,
    pub(crate) version: Option<String>,
    /// Without one a new case is opened.
    pub(crate) case: Option<String>,
    /// A calendar of the pack that a new case counts its days by. `unknown-calendar` names those
    /// there are; a case that is there keeps its own: `other-calendar`.
    pub(crate) calendar: Option<String>,
    #[serde(default)]
    pub(crate) input: Value,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Started {
    pub(crate) id: String,
    case: String,
    #[schema(example = "running")]
    status: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Instance {
    id: String,
    workflow: String,
    version: String,
    case: String,
    #[schema(example = "waiting")]
    status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<Value>,
    /// An RFC 7807 error of the workflow, when it faulted.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Value>,
    /// The instance that runs this one with `run: workflow`.
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<String>,
    waiting: Vec<Waiting>,
    /// It failed, and may go on from the step that failed.
    retryable: bool,
}

/// What an instance waits for.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Waiting {
    /// `work-item`, `call`, `workflow`, `timer`, `event` or `retry`.
    kind: String,
    task: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    work_item: Option<String>,
    /// For `workflow`: the instance whose end it waits for.
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    until: Option<String>,
    /// For `event`: the types it listens for; absent when any will do.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    events: Vec<String>,
}

/// An event that is on disk. What it brings on follows at once, and after a crash.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EventAccepted {
    id: String,
    source: String,
}

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CancelRequest {
    pub(crate) reason: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HistoryEntry {
    sequence: u64,
    #[schema(format = DateTime)]
    at: String,
    event: String,
    tasks: Vec<Value>,
    /// `{reference, way}` for each case, outcome or `catch` that was taken.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    choices: Vec<Value>,
    /// Person id of whoever did it, for a retry and a cancellation.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own, as a caller reads it"
)]
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WorkItem {
    id: String,
    instance: String,
    case: String,
    case_number: String,
    task: String,
    title: String,
    /// `offered`, `claimed`, `held`, `completed` or `withdrawn`.
    state: String,
    /// `{role}`, `{team}` or `{person}`.
    #[schema(value_type = Object)]
    assigned: Value,
    /// Who may decide it as well since time ran out; the same shapes.
    #[schema(value_type = Vec<Object>)]
    escalated_to: Vec<Value>,
    /// When people were last reminded of it.
    #[schema(format = DateTime)]
    reminded: Option<String>,
    claimed_by: Option<Person>,
    #[schema(format = DateTime)]
    due: Option<String>,
    /// What `due` was computed from; absent for work that has no time, or was offered by an older
    /// version.
    #[serde(skip_serializing_if = "Option::is_none")]
    deadline: Option<calendar::Deadline>,
    overdue: bool,
    approval: bool,
    outcomes: Vec<String>,
    /// Name of the form whose data `complete` takes.
    form: Option<String>,
    /// What the person who decides needs to see.
    show: Value,
    #[schema(format = DateTime)]
    offered: String,
    /// Give it back on `complete`, or as `If-Match`.
    pub(crate) revision: u64,
    /// Digest of what is to be decided: title, `show`, form, outcomes, amount. Give it back on
    /// `complete`, so that nothing else is decided than what was seen.
    shown: String,
    /// Why and until when it waits, if it does.
    hold: Option<Hold>,
    /// Whether it may be put on hold: a duty with a fixed time may not.
    holdable: bool,
    /// Whether you may take it: nobody has it, or it was escalated to you.
    claimable: bool,
    /// For whom you would take it, standing in for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    claimable_for: Option<Person>,
    /// For whom whoever has it acts, and until when.
    #[serde(skip_serializing_if = "Option::is_none")]
    acting_for: Option<Person>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    acting_until: Option<String>,
    /// To whom it was pointed out as well, though it is not offered to them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<Object>)]
    told: Vec<Value>,
    /// Whether it may go to others: a duty of those it was given to may not.
    delegable: bool,
    /// Whether you may give it to others.
    arrangeable: bool,
    /// The role that may skip it, where one may.
    #[serde(skip_serializing_if = "Option::is_none")]
    skippable: Option<String>,
    /// It was not answered but skipped.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    skipped: bool,
    /// The times that it went to somebody by somebody's word.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    moves: Vec<people::Move>,
    /// Why you may not decide, if so.
    barred: Option<Barred>,
    decisions: Vec<Decision>,
    /// Earlier answers to the same task, oldest first; only where one work item is asked for.
    attempts: Vec<PastAttempt>,
    /// Which attempt at its task this is, from 1; only where one work item is asked for.
    attempt: usize,
}

/// A work item that waits.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Hold {
    #[schema(format = DateTime)]
    since: String,
    /// When it comes back by itself.
    #[schema(format = DateTime)]
    until: Option<String>,
    reason: String,
    by: Person,
    /// Whether the time until it is due stands still meanwhile.
    clock_stopped: bool,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HoldRequest {
    /// A moment, or a day: it comes back when that day begins for the agency.
    #[schema(example = "2026-12-01")]
    pub(crate) until: Option<String>,
    /// Others read it.
    pub(crate) reason: String,
}

/// How an earlier run of a task was answered.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PastAttempt {
    work_item: String,
    by: Person,
    role: String,
    #[schema(format = DateTime)]
    at: String,
    outcome: String,
    comment: Option<String>,
    data: Value,
}

/// An unfinished answer of yours.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Draft {
    #[schema(format = DateTime)]
    saved: String,
    /// The work item's revision when it was saved: another one than the item's means that the item
    /// has changed since.
    revision: u64,
    data: Value,
    comment: Option<String>,
}

/// An unfinished answer: nobody checks it against the form.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DraftRequest {
    #[serde(default = "nothing_filled")]
    pub(crate) data: Value,
    pub(crate) comment: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Barred {
    #[schema(example = "self-approval")]
    code: String,
    message: String,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Person {
    pub(crate) id: String,
    pub(crate) display_name: String,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Decision {
    by: Person,
    /// For whom they acted: it counts as decided by both.
    #[serde(skip_serializing_if = "Option::is_none")]
    acting_for: Option<Person>,
    /// It was not answered but skipped, and the comment says why.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    skipped: bool,
    /// The role under which they decided.
    role: String,
    #[schema(format = DateTime)]
    at: String,
    outcome: String,
    comment: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CompleteRequest {
    /// One of the work item's outcomes.
    pub(crate) outcome: String,
    /// What its form asks for; `{}` when it is left out.
    #[serde(default = "nothing_filled")]
    pub(crate) data: Value,
    /// An approval that is not given needs one: `reason-needed` without.
    pub(crate) comment: Option<String>,
    /// Refused with `stale-revision` when the work item has changed since.
    pub(crate) revision: Option<u64>,
    /// Refused with `stale-revision` when what is to be decided is not what this digest is of.
    pub(crate) shown: Option<String>,
}

fn nothing_filled() -> Value {
    Value::Object(serde_json::Map::new())
}

/// One line of a case's timeline.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TimelineEntry {
    index: u64,
    #[schema(format = DateTime)]
    at: String,
    who: Person,
    /// What happened, in plain words.
    sentence: String,
    #[schema(example = "work-item-completed")]
    action: String,
    instance: Option<String>,
    subject: Option<String>,
    title: Option<String>,
    detail: Option<String>,
    comment: Option<String>,
    /// The colleague that it is about, besides whoever did it.
    #[serde(skip_serializing_if = "Option::is_none")]
    colleague: Option<Person>,
}

/// One link of a case's audit chain, to be verified without the engine.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuditLink {
    index: u64,
    /// Hexadecimal SHA-256 over the previous hash and the entry.
    hash: String,
    /// Null for what is hidden from you.
    entry: Option<AuditEntry>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuditEntry {
    #[schema(format = DateTime)]
    at: String,
    who: String,
    action: Value,
    instance: Option<String>,
    subject: Option<String>,
    detail: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Fund {
    name: String,
    title: String,
    /// First day on which money is put aside.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = Date)]
    from: Option<String>,
    /// Last day on which money is put aside.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = Date)]
    until: Option<String>,
    /// Last day on which what was put aside is paid; `until` where it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = Date)]
    settle_until: Option<String>,
    /// The day at whose end it was so, when one was asked about.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = Date)]
    at: Option<String>,
    allocated: Money,
    committed: Money,
    reserved: Money,
    /// What can still be reserved.
    available: Money,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Money {
    minor: i64,
    #[schema(example = "AUD")]
    currency: String,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Workflow {
    namespace: String,
    name: String,
    version: String,
    title: Option<String>,
    start_form: Option<String>,
}

impl From<view::StartedView> for Started {
    fn from(view: view::StartedView) -> Self {
        Self {
            id: view.id,
            case: view.case,
            status: view.status,
        }
    }
}

impl From<view::InstanceView> for Instance {
    fn from(view: view::InstanceView) -> Self {
        Self {
            id: view.id,
            workflow: view.workflow,
            version: view.version,
            case: view.case,
            status: view.status,
            output: view.output,
            error: view.error,
            parent: view.parent,
            waiting: view.waiting.into_iter().map(Into::into).collect(),
            retryable: view.retryable,
        }
    }
}

impl From<view::WaitingView> for Waiting {
    fn from(view: view::WaitingView) -> Self {
        Self {
            kind: view.kind,
            task: view.task,
            work_item: view.work_item,
            instance: view.instance,
            until: view.until.map(|at| at.to_string()),
            events: view.events,
        }
    }
}

impl From<view::EventView> for EventAccepted {
    fn from(view: view::EventView) -> Self {
        Self {
            id: view.id,
            source: view.source,
        }
    }
}

impl From<view::HistoryEntry> for HistoryEntry {
    fn from(view: view::HistoryEntry) -> Self {
        Self {
            sequence: view.sequence,
            at: view.at.to_string(),
            event: view.event,
            tasks: view.tasks,
            choices: view.choices,
            by: view.by,
            reason: view.reason,
        }
    }
}

impl From<view::WorkItemView> for WorkItem {
    fn from(view: view::WorkItemView) -> Self {
        Self {
            id: view.id,
            instance: view.instance,
            case: view.case,
            case_number: view.case_number,
            task: view.task,
            title: view.title,
            state: view.state,
            assigned: view.assigned,
            escalated_to: view.escalated_to,
            reminded: view.reminded.map(|at| at.to_string()),
            claimed_by: view.claimed_by.map(Into::into),
            due: view.due.map(|at| at.to_string()),
            deadline: view.deadline.map(Into::into),
            overdue: view.overdue,
            approval: view.approval,
            outcomes: view.outcomes,
            form: view.form,
            show: view.show,
            offered: view.offered.to_string(),
            revision: view.revision,
            shown: view.shown,
            hold: view.hold.map(Into::into),
            holdable: view.holdable,
            claimable: view.claimable,
            claimable_for: view.claimable_for.map(Into::into),
            acting_for: view.acting_for.map(Into::into),
            acting_until: view.acting_until.map(|at| at.to_string()),
            told: view.told,
            delegable: view.delegable,
            arrangeable: view.arrangeable,
            skippable: view.skippable,
            skipped: view.skipped,
            moves: view.moves.into_iter().map(Into::into).collect(),
            barred: view.barred.map(|(code, message)| Barred { code, message }),
            decisions: view.decisions.into_iter().map(Into::into).collect(),
            attempts: view.attempts.into_iter().map(Into::into).collect(),
            attempt: view.attempt,
        }
    }
}

impl From<view::HoldView> for Hold {
    fn from(view: view::HoldView) -> Self {
        Self {
            since: view.since.to_string(),
            until: view.until.map(|at| at.to_string()),
            reason: view.reason,
            by: view.by.into(),
            clock_stopped: view.clock_stopped,
        }
    }
}

impl From<view::AttemptView> for PastAttempt {
    fn from(view: view::AttemptView) -> Self {
        Self {
            work_item: view.work_item,
            by: view.by.into(),
            role: view.role,
            at: view.at.to_string(),
            outcome: view.outcome,
            comment: view.comment,
            data: view.data,
        }
    }
}

impl From<view::DraftView> for Draft {
    fn from(view: view::DraftView) -> Self {
        Self {
            saved: view.saved.to_string(),
            revision: view.revision,
            data: view.data,
            comment: view.comment,
        }
    }
}

impl From<view::PersonView> for Person {
    fn from(view: view::PersonView) -> Self {
        Self {
            id: view.id,
            display_name: view.display_name,
        }
    }
}

impl From<view::DecisionView> for Decision {
    fn from(view: view::DecisionView) -> Self {
        Self {
            by: view.by.into(),
            acting_for: view.acting_for.map(Into::into),
            skipped: view.skipped,
            role: view.role,
            at: view.at.to_string(),
            outcome: view.outcome,
            comment: view.comment,
        }
    }
}

impl From<view::TimelineEntry> for TimelineEntry {
    fn from(view: view::TimelineEntry) -> Self {
        Self {
            sentence: sentence::sentence(&view, None),
            index: view.index,
            at: view.at.to_string(),
            who: view.who.into(),
            action: view.action,
            instance: view.instance,
            subject: view.subject,
            title: view.title,
            detail: view.detail,
            comment: view.comment,
            colleague: view.colleague.map(Into::into),
        }
    }
}

impl From<audit::Shown> for AuditLink {
    fn from(link: audit::Shown) -> Self {
        let entry = link.entry.map(|entry| AuditEntry {
            at: entry.at.to_string(),
            who: entry.who,
            action: serde_json::to_value(entry.action).unwrap_or_default(),
            instance: entry.instance,
            subject: entry.subject,
            detail: entry.detail,
        });
        Self {
            index: link.index,
            hash: link.hash,
            entry,
        }
    }
}

impl Money {
    pub(crate) fn new(minor: i64, currency: &str) -> Self {
        Self {
            minor,
            currency: currency.to_owned(),
        }
    }

    pub(crate) fn minor(&self) -> i64 {
        self.minor
    }

    pub(crate) fn currency(&self) -> &str {
        &self.currency
    }
}

impl From<view::FundView> for Fund {
    fn from(view: view::FundView) -> Self {
        let money = |minor| Money::new(minor, &view.currency);
        let day = |day: Option<Date>| day.map(|day| day.to_string());
        Self {
            from: day(view.days.from),
            until: day(view.days.until),
            settle_until: day(view.days.settle_until),
            at: day(view.at),
            allocated: money(view.allocated_minor),
            committed: money(view.committed_minor),
            reserved: money(view.reserved_minor),
            available: money(view.available_minor),
            name: view.name,
            title: view.title,
        }
    }
}

impl From<view::WorkflowView> for Workflow {
    fn from(view: view::WorkflowView) -> Self {
        Self {
            namespace: view.namespace,
            name: view.name,
            version: view.version,
            title: view.title,
            start_form: view.start_form,
        }
    }
}
