//! What the engine answers: plain values for API and console. No rights in here: they were
//! checked.

use casewright_casework::case::Episode;
use casewright_casework::fund::{Days, Entry, EntryKind};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::Value;

mod pack;

pub use pack::{PackView, PackWorkflow};

/// A page of a list.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Give it back to get the next page; opaque.
    pub next: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StartedView {
    pub id: String,
    pub case: String,
    pub status: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct InstanceView {
    pub id: String,
    pub workflow: String,
    pub version: String,
    pub case: String,
    pub status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<Value>,
    /// RFC 7807.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Value>,
    /// The instance that runs it with `run: workflow`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    pub waiting: Vec<WaitingView>,
    /// It failed, and may go on from the step that failed.
    #[serde(default)]
    pub retryable: bool,
    #[serde(default)]
    pub started: Option<Timestamp>,
    #[serde(default)]
    pub ended: Option<Timestamp>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WaitingView {
    /// `work-item`, `call`, `workflow`, `timer`, `event`, `retry`.
    pub kind: String,
    pub task: String,
    /// What people call it: the title of the work item, of the function or of the workflow.
    #[serde(default)]
    pub title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub work_item: Option<String>,
    /// The instance whose end it waits for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Types of events, where the document writes them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<String>,
}

/// An event that is on disk.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EventView {
    pub id: String,
    pub source: String,
}

#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own, as a caller reads it"
)]
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WorkItemView {
    pub id: String,
    pub instance: String,
    pub case: String,
    pub case_number: String,
    pub task: String,
    pub title: String,
    pub state: String,
    /// `{role}`, `{team}` or `{person}`.
    pub assigned: Value,
    /// Who may decide it as well since time ran out; the same shapes.
    #[serde(default)]
    pub escalated_to: Vec<Value>,
    /// When people were last reminded of it.
    #[serde(default)]
    pub reminded: Option<Timestamp>,
    /// Display name and id of who holds it.
    pub claimed_by: Option<PersonView>,
    pub due: Option<Timestamp>,
    /// What `due` was computed from; none for an item of an earlier engine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<DeadlineView>,
    pub overdue: bool,
    pub approval: bool,
    pub outcomes: Vec<String>,
    pub form: Option<String>,
    pub show: Value,
    pub offered: Timestamp,
    pub revision: u64,
    /// Digest of what is to be decided, as it is shown.
    pub shown: String,
    /// Why and until when it waits, if it does.
    #[serde(default)]
    pub hold: Option<HoldView>,
    /// Whether it may be let wait at all.
    #[serde(default)]
    pub holdable: bool,
    /// Whether the asking principal may take it: nobody has it, or it was escalated to them.
    #[serde(default)]
    pub claimable: bool,
    /// For whom the asking principal would take it, standing in.
    #[serde(default)]
    pub claimable_for: Option<PersonView>,
    /// For whom whoever holds it acts, and until when.
    #[serde(default)]
    pub acting_for: Option<PersonView>,
    #[serde(default)]
    pub acting_until: Option<Timestamp>,
    /// To whom it was pointed out as well, though it is not offered to them.
    #[serde(default)]
    pub told: Vec<Value>,
    /// Whether it may go to others at all.
    #[serde(default)]
    pub delegable: bool,
    /// Whether the asking principal may give it to others.
    #[serde(default)]
    pub arrangeable: bool,
    /// The role that may skip it, where one may.
    #[serde(default)]
    pub skippable: Option<String>,
    /// It was not answered but skipped.
    #[serde(default)]
    pub skipped: bool,
    /// The times that it went to somebody by somebody's word, with their reasons.
    #[serde(default)]
    pub moves: Vec<MoveView>,
    /// Which attempt at its task this is, from 1; told only of an item that is looked at alone.
    #[serde(default)]
    pub attempt: usize,
    /// Why the asking principal may not decide, if so: refusal code and sentence.
    pub barred: Option<(String, String)>,
    pub decisions: Vec<DecisionView>,
    /// Earlier answers to the same task of the same instance, oldest first; only of an item that
    /// is looked at alone.
    #[serde(default)]
    pub attempts: Vec<AttemptView>,
    /// What was answered, once it is completed; only of an item that is looked at alone.
    #[serde(default)]
    pub answers: Vec<AttemptView>,
}

/// The rule behind the moments of a work item.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeadlineView {
    /// As a document writes it: `3 business days`. None where only alarms have a moment.
    pub rule: Option<String>,
    /// What it runs from.
    pub from: Timestamp,
    /// Name of the calendar.
    pub calendar: String,
    /// Which version of it.
    pub version: String,
    /// What is still to come.
    pub alarms: Vec<AlarmView>,
    /// The last time that its calendar changed and it moved.
    pub moved: Option<ShiftView>,
}

/// A moment at which people are reminded, or others are asked as well.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AlarmView {
    pub at: Timestamp,
    /// `remind` or `escalate`.
    pub kind: String,
    /// `1 business day before`, `due`, `5 business days`.
    pub rule: Option<String>,
}

/// How a change of its calendar moved a work item.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ShiftView {
    pub at: Timestamp,
    /// When it was due before.
    pub from: Option<Timestamp>,
    /// The moment by the changed calendar had passed, so it became due at once.
    pub at_once: bool,
}

/// A calendar that has changed.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CalendarChangeView {
    pub calendar: String,
    /// What the pack in force says: `keep`, `recompute` or `ask`.
    pub policy: String,
    /// `asked`: somebody is to decide. `moving`: open deadlines are being moved. `settled`.
    pub state: String,
    /// Since when it is asked, or carried out.
    pub since: Option<Timestamp>,
    /// The version that this is about.
    pub version: Option<String>,
    /// What became of earlier changes, latest first.
    pub decided: Vec<CalendarDecisionView>,
}

/// What became of a change of a calendar.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CalendarDecisionView {
    pub at: Timestamp,
    pub version: String,
    /// `moved`, `kept` or `lapsed`.
    pub outcome: String,
    /// Person id; none where the pack said it.
    pub by: Option<String>,
    pub reason: Option<String>,
}

/// An open deadline that a change of its calendar moves. It names tasks, nothing of a case.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeadlineMoveView {
    pub work_item: String,
    pub case: String,
    pub case_number: String,
    pub task: String,
    /// `3 business days`.
    pub rule: Option<String>,
    /// What it runs from.
    pub from: Timestamp,
    pub due: Option<Timestamp>,
    pub new_due: Option<Timestamp>,
    /// The new moment has passed, so it is due at once.
    pub at_once: bool,
}

/// The calendar of a case; none where its workflows say it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CaseCalendarView {
    pub case: String,
    pub calendar: Option<String>,
}

/// A piece of work that waits.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HoldView {
    pub since: Timestamp,
    pub until: Option<Timestamp>,
    pub reason: String,
    pub by: PersonView,
    /// Whether the time until it is due stands still meanwhile.
    pub clock_stopped: bool,
}

/// One time that a piece of work went to somebody.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MoveView {
    /// `handed-over`, `given` or `reassigned`.
    pub what: String,
    pub at: Timestamp,
    pub by: PersonView,
    /// `{role}`, `{team}` or `{person}`.
    pub to: Value,
    pub until: Option<Timestamp>,
    pub reason: String,
}

/// How an earlier run of a task was answered.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AttemptView {
    pub work_item: String,
    pub by: PersonView,
    pub role: String,
    pub at: Timestamp,
    pub outcome: String,
    pub comment: Option<String>,
    pub data: Value,
}

/// An unfinished answer; only whoever wrote it sees it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DraftView {
    pub saved: Timestamp,
    /// The item's revision when it was saved.
    pub revision: u64,
    pub data: Value,
    pub comment: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PersonView {
    pub id: String,
    pub display_name: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DecisionView {
    /// For whom they acted.
    #[serde(default)]
    pub acting_for: Option<PersonView>,
    #[serde(default)]
    pub skipped: bool,
    pub by: PersonView,
    pub role: String,
    pub at: Timestamp,
    pub outcome: String,
    pub comment: Option<String>,
}

/// Which work items a list holds; every field narrows it.
#[derive(Debug, Clone, Default)]
pub struct WorkItemFilter {
    /// `offered`, `claimed`, `held`, `completed` or `withdrawn`; `None`: the open ones (offered,
    /// claimed, held).
    pub state: Option<String>,
    /// Assigned to this role.
    pub role: Option<String>,
    /// Assigned to this team.
    pub team: Option<String>,
    /// Only those that should have been done by this time.
    pub overdue: bool,
    /// Held by this person (id): "my tasks".
    pub claimed_by: Option<String>,
    pub case: Option<String>,
    pub instance: Option<String>,
    pub cursor: Option<String>,
    pub limit: Option<usize>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CaseView {
    pub id: String,
    pub number: String,
    pub agency: String,
    pub opened: Timestamp,
    /// The calendar that its days are counted by, where it has one of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar: Option<String>,
    pub instances: Vec<InstanceView>,
    /// Since when it is closed, if it is.
    #[serde(default)]
    pub closed: Option<ClosedView>,
    /// The latest last.
    #[serde(default)]
    pub episodes: Vec<Episode>,
    /// What finished runs say comes next, oldest first.
    #[serde(default)]
    pub next: Vec<NextView>,
}

/// A run said that the case is closed, and none since then that it is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClosedView {
    pub at: Timestamp,
    /// The `reason` that the run gives, with the title that its form has for it.
    pub reason: Option<String>,
}

/// A workflow that a finished run says comes next, and that was not started since.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NextView {
    pub workflow: String,
    pub title: Option<String>,
    /// The run that says so, its workflow's title and when it ended.
    pub from: String,
    pub from_title: Option<String>,
    pub since: Timestamp,
    /// Not before this day.
    pub on: Option<Date>,
    /// A sentence for people.
    pub note: Option<String>,
    /// What its form begins with, as far as it fits.
    pub input: Value,
    /// Whether the asking principal may start it.
    pub startable: bool,
}

/// One line of a case's timeline, from its audit chain; the console makes the sentence.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TimelineEntry {
    /// Durable anchor within the case.
    pub index: u64,
    pub at: Timestamp,
    pub who: PersonView,
    /// As `audit::Action` is written.
    pub action: String,
    pub instance: Option<String>,
    pub subject: Option<String>,
    /// Of what it is about, where that has one: a work item, a person, the word of the pack in
    /// `detail`.
    pub title: Option<String>,
    pub detail: Option<String>,
    pub comment: Option<String>,
    /// The colleague that it is about, besides whoever did it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub colleague: Option<PersonView>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HistoryEntry {
    pub sequence: u64,
    pub at: Timestamp,
    /// Name of the event as written in the journal.
    pub event: String,
    pub tasks: Vec<Value>,
    /// `{reference, way}` for each case, outcome or `catch` that was taken.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<Value>,
    /// Person id of whoever did it, for a retry and a cancellation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// That a member of staff stands in a case.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WallView {
    pub person: PersonView,
    /// Whether the case is closed to them today.
    pub closed: bool,
    /// Ids of persons of the case whom they are, as family or payee.
    pub stands_as: Vec<String>,
    /// When it was declared, if it was; by whom and why.
    pub declared: Option<Timestamp>,
    pub by: Option<PersonView>,
    pub reason: Option<String>,
    /// What lets them read the case today.
    pub lifted: Option<LiftedView>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LiftedView {
    pub by: PersonView,
    pub at: Timestamp,
    pub reason: String,
    /// The last day.
    pub until: Date,
}

/// An event of the lifecycle of a run or of a task, after `CloudEvents` 1.0. It names things, and
/// holds nothing that a run worked on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LifecycleEvent {
    /// The same whenever the event is asked for.
    pub id: String,
    /// The run, as a name that no other engine gives.
    pub source: String,
    #[serde(rename = "type")]
    pub kind: String,
    /// Id of the run.
    pub subject: String,
    pub time: Timestamp,
    pub data: Value,
}

/// A page of such events, in their order.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LifecyclePage {
    pub items: Vec<LifecycleEvent>,
    /// Give it back for what comes after these; opaque. There is always one, since more may come.
    pub next: String,
}

/// What a move to another version does, or would do, to a run. It names tasks, nothing of a case.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MigrationView {
    pub id: String,
    pub workflow: String,
    /// Version that it runs.
    pub from: String,
    pub to: String,
    /// Whether nothing keeps it from being moved.
    pub possible: bool,
    /// Whether it was.
    pub moved: bool,
    /// `{task, before, after}`: JSON pointers; `after` is null where the task is gone.
    pub stands: Vec<Value>,
    /// `{code, task, message}`
    pub obstacles: Vec<Value>,
    /// `{task, message}`
    pub notes: Vec<Value>,
}

/// A line of the list of runs: no content of the case.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunView {
    pub id: String,
    pub workflow: String,
    pub version: String,
    pub case: String,
    pub case_number: String,
    pub status: String,
    pub started: Timestamp,
    pub ended: Option<Timestamp>,
    pub parent: Option<String>,
    pub failure: Option<FailureView>,
}

/// Why a run failed, as the list says it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FailureView {
    /// Name of the step; empty when it was the workflow itself.
    pub task: String,
    /// Error type, or `raised` where only the workflow knows what it means.
    pub code: String,
    pub retryable: bool,
}

/// Which runs; all of the agency unless it says more.
#[derive(Debug, Clone, Default)]
pub struct RunFilter {
    /// A status name.
    pub status: Option<String>,
    /// Name of the workflow.
    pub workflow: Option<String>,
    pub cursor: Option<String>,
    pub limit: Option<usize>,
}

/// A line of a fund's ledger. Of a case that the reader may not see it says nothing.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FundEntryView {
    /// Its place in the ledger, from 0.
    pub number: u64,
    pub at: Timestamp,
    pub kind: EntryKind,
    pub reservation: String,
    pub minor: i64,
    pub currency: String,
    pub available_after_minor: i64,
    pub case: Option<String>,
    pub case_number: Option<String>,
    pub run: Option<String>,
    /// Number of the entry that it takes back.
    pub reverses: Option<u64>,
    /// Id of who took it back.
    pub by: Option<String>,
    /// Why, as they wrote it.
    pub reason: Option<String>,
    /// Of a payment: what was not taken back, and how often some of it was.
    pub standing: Option<PaymentView>,
}

/// How a payment stands.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PaymentView {
    pub minor: i64,
    pub revision: u64,
}

impl FundEntryView {
    pub(crate) fn new(number: u64, entry: Entry, currency: &str) -> Self {
        Self {
            number,
            at: entry.at,
            kind: entry.kind,
            reservation: entry.reservation,
            minor: entry.minor,
            currency: currency.to_owned(),
            available_after_minor: entry.available_after,
            case: entry.case,
            case_number: None,
            run: entry.run,
            reverses: entry.reverses,
            by: entry.by,
            reason: None,
            standing: None,
        }
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FundView {
    pub name: String,
    pub title: String,
    pub currency: String,
    pub allocated_minor: i64,
    pub committed_minor: i64,
    pub reserved_minor: i64,
    pub available_minor: i64,
    /// When it is open.
    #[serde(default)]
    pub days: Days,
    /// The day at whose end it was so; as it is where nothing stands.
    #[serde(default)]
    pub at: Option<Date>,
}

/// A workflow that begins by itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScheduleView {
    pub workflow: String,
    pub title: Option<String>,
    /// Five fields on the wall clock of `zone`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cron: Option<String>,
    /// Or a time between.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every_ms: Option<u64>,
    /// Or a time after the end of the one before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after_ms: Option<u64>,
    /// Or events of these types; of every type when there are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on: Option<Vec<String>>,
    pub zone: String,
    /// `once` or `skip`.
    pub missed: String,
    /// The next times, earliest first.
    pub next: Vec<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<ScheduledRunView>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScheduledRunView {
    /// The time that was meant.
    pub due: Timestamp,
    pub instance: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WorkflowView {
    pub namespace: String,
    pub name: String,
    pub version: String,
    pub title: Option<String>,
    #[serde(default)]
    pub summary: Option<String>,
    /// Whether people are asked to start it.
    #[serde(default = "yes")]
    pub offered: bool,
    /// And in a case that is closed.
    #[serde(default)]
    pub in_closed_case: bool,
    /// Form for the start input, if the pack names one with `metadata.startForm`.
    pub start_form: Option<String>,
}

const fn yes() -> bool {
    true
}
