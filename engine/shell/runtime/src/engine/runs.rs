//! The list of runs of an agency, and of those that failed: lines kept up to date by the batches
//! that begin, end and retry a run, so that a page costs the same with a thousand runs and with a
//! million. For administrators; the lines hold nothing of a family.
//!
//! A run that goes on has one line whatever it does: whether it waits is asked of the run itself.

use casewright_casework::{Case, Code, Principal, Refusal};
use casewright_machine::{Fault, Instance, Outcome, Retry, Status};
use casewright_store::{Put, Table, Under};
use serde::{Deserialize, Serialize};

use super::draft::Draft;
use super::shared::{Shared, not_found, unreadable};
use super::start::may_start;
use super::walls::Sight;
use super::work_lists::bad_cursor;
use super::{Engine, Refused};
use crate::record::{self, InstanceRow};
use crate::view::{FailureView, Page, RunFilter, RunView};
use crate::{id, key};

/// Lines of a page unless asked otherwise, and at most.
const PAGE: usize = 50;
const PAGE_MAX: usize = 200;

/// Lines looked at for one page: a filter that hardly anything passes gives a short page and a
/// cursor.
const LOOKED_AT_MAX: usize = 1_000;

/// Longest error type in a line.
const CODE_LEN_MAX: usize = 200;

/// Which list a run stands in. Names are parts of keys: a format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Open,
    Completed,
    Faulted,
    Cancelled,
}

impl State {
    const ALL: [Self; 4] = [Self::Open, Self::Completed, Self::Faulted, Self::Cancelled];

    const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Completed => "completed",
            Self::Faulted => "faulted",
            Self::Cancelled => "cancelled",
        }
    }

    /// `None` for a word that is no status.
    fn of_status(status: &str) -> Option<Self> {
        match status {
            "pending" | "running" | "waiting" | "suspended" => Some(Self::Open),
            "completed" => Some(Self::Completed),
            "faulted" => Some(Self::Faulted),
            "cancelled" => Some(Self::Cancelled),
            _ => None,
        }
    }
}

/// What the line of a failed run says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct FailureRow {
    task: String,
    code: String,
    retryable: bool,
}

impl Engine {
    /// Whether they may see the agency's runs and what failed, and have it go on or end it.
    pub fn administers(&self, who: &Principal) -> bool {
        self.shared.may_administer(who)
    }

    /// Latest start first; of failed runs the latest failure first.
    pub async fn runs(&self, who: &Principal, filter: RunFilter) -> Result<Page<RunView>, Refused> {
        self.shared.only_administrators(who)?;
        self.shared.runs(who, &filter).await
    }
}

impl Shared {
    /// Where the pack in force names no role that administers, whoever starts workflows does.
    pub(crate) fn may_administer(&self, who: &Principal) -> bool {
        let Some(deployment) = self.in_force(&who.agency) else {
            return false;
        };
        let roles = &deployment.pack.roles;
        if !roles.values().any(|role| role.administers) {
            return may_start(&deployment, who).is_ok();
        }
        let mut held = roles.iter().filter(|(name, _)| who.holds(name));
        held.any(|(_, role)| role.administers)
    }

    pub(crate) fn only_administrators(&self, who: &Principal) -> Result<(), Refused> {
        if self.may_administer(who) {
            return Ok(());
        }
        Err(Refused::Rule(Refusal::new(
            Code::NotAssigned,
            "none of your roles administers the agency's workflows",
        )))
    }

    async fn runs(&self, who: &Principal, filter: &RunFilter) -> Result<Page<RunView>, Refused> {
        let states = match filter.status.as_deref() {
            None => State::ALL.to_vec(),
            Some(status) => vec![State::of_status(status).ok_or_else(|| no_status(status))?],
        };
        let limit = filter.limit.unwrap_or(PAGE).clamp(1, PAGE_MAX);
        let mut from = match &filter.cursor {
            Some(cursor) => Some(id::decode(cursor).ok_or_else(bad_cursor)?),
            None => None,
        };
        let sight = self.sight(who)?;
        let mut items = Vec::new();
        let mut looked_at = 0;
        loop {
            let places = self.places(&who.agency, &states, from.as_deref(), limit)?;
            let last = places.len() < limit;
            for place in places {
                looked_at += 1;
                items.extend(self.run_line(who, &sight, filter, &place).await?);
                if items.len() == limit || looked_at == LOOKED_AT_MAX {
                    let mut next = String::new();
                    id::encode(&place, &mut next);
                    let next = Some(next);
                    return Ok(Page { items, next });
                }
                from = Some(place);
            }
            if last {
                return Ok(Page { items, next: None });
            }
        }
    }

    /// The next lines of these lists together, in their common order.
    fn places(
        &self,
        agency: &str,
        states: &[State],
        from: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Vec<u8>>, Refused> {
        let mut places = Vec::new();
        for state in states {
            let (table, prefix) = match states {
                [State::Faulted] => (Table::Failure, key::prefix(&[agency])),
                _ => (Table::Run, key::prefix(&[agency, state.name()])),
            };
            let mut start = prefix.clone();
            if let Some(from) = from {
                start.extend_from_slice(from);
                start.push(0);
            }
            let store = &self.parts.store;
            let lines = store.scan(table, &start, &key::after(&prefix), limit);
            let place = |key: &[u8]| key.get(prefix.len()..).unwrap_or_default().to_vec();
            places.extend(lines.map_err(unreadable)?.iter().map(|(key, _)| place(key)));
        }
        places.sort();
        places.truncate(limit);
        Ok(places)
    }

    async fn run_line(
        &self,
        who: &Principal,
        sight: &Sight,
        filter: &RunFilter,
        place: &[u8],
    ) -> Result<Option<RunView>, Refused> {
        let id = String::from_utf8_lossy(place.get(8..).unwrap_or_default()).into_owned();
        // A line and its row may belong to different moments: the row is right.
        let row: Option<InstanceRow> =
            self.read(Table::Instance, id.as_bytes(), "an instance row")?;
        let seen = |row: &InstanceRow| {
            row.agency == who.agency && sight.sees(&row.case) && row.seen_by.has(who)
        };
        let Some(row) = row.filter(seen) else {
            return Ok(None);
        };
        let wanted = filter.workflow.as_ref();
        if wanted.is_some_and(|workflow| *workflow != row.workflow) {
            return Ok(None);
        }
        // Of an erased case nothing is left to show.
        let Some(case) = self.read::<Case>(Table::Case, row.case.as_bytes(), "a case")? else {
            return Ok(None);
        };
        let status = match self.instance_view(who, &id).await {
            Ok(view) => view.status,
            Err(Refused::Rule(_)) => return Ok(None),
            Err(refused) => return Err(refused),
        };
        let wanted = filter.status.as_ref();
        if wanted.is_some_and(|wanted| *wanted != status) {
            return Ok(None);
        }
        let failure = self.failure(&id, &row)?.filter(|_| status == "faulted");
        Ok(Some(RunView {
            id,
            workflow: row.workflow,
            version: row.version,
            case: row.case,
            case_number: case.number,
            status,
            started: row.started_at,
            ended: row.ended_at,
            parent: row.parent.map(|parent| parent.instance),
            failure,
        }))
    }

    fn failure(&self, id: &str, row: &InstanceRow) -> Result<Option<FailureView>, Refused> {
        let Some(key) = failure_key(row, id) else {
            return Ok(None);
        };
        let row: Option<FailureRow> = self.read(Table::Failure, &key, "a failure")?;
        Ok(row.map(|row| FailureView {
            task: row.task,
            code: row.code,
            retryable: row.retryable,
        }))
    }
}

impl Draft<'_> {
    /// Moves a run from one list to another.
    pub(crate) fn list_run(
        &mut self,
        id: &str,
        row: &InstanceRow,
        from: Option<State>,
        to: Option<State>,
    ) {
        for (state, set) in [(from, false), (to, true)] {
            let Some(state) = state else { continue };
            self.mark(Table::Run, run_key(row, state, id), set);
        }
    }

    /// The run has ended: its row says when, and its lines how.
    pub(crate) fn list_end(&mut self, row: &mut InstanceRow, outcome: &Outcome) {
        let id = self.resident.id.clone();
        let from = match row.ended_at {
            // A failed run that is given up.
            Some(_) => {
                self.unlist_failure(&id, row);
                State::Faulted
            }
            None => State::Open,
        };
        row.ended_at = Some(self.at);
        let to = match outcome {
            Outcome::Completed(_) => State::Completed,
            Outcome::Faulted(fault) => {
                self.list_failure(&id, row, fault);
                State::Faulted
            }
            Outcome::Cancelled => State::Cancelled,
        };
        self.list_run(&id, row, Some(from), Some(to));
    }

    /// A failed run goes on.
    pub(crate) fn list_retried(&mut self, row: &mut InstanceRow) {
        let id = self.resident.id.clone();
        self.unlist_failure(&id, row);
        row.ended_at = None;
        self.list_run(&id, row, Some(State::Faulted), Some(State::Open));
    }

    fn list_failure(&mut self, id: &str, row: &InstanceRow, fault: &Fault) {
        let Some(key) = failure_key(row, id) else {
            return;
        };
        let instance = self.instance();
        let value = FailureRow {
            task: self.failed_task(fault),
            code: code(instance, fault),
            retryable: instance.retry() != Retry::Nothing,
        };
        self.batch.puts.push(Put {
            table: Table::Failure,
            key,
            value: Some(record::encode(&value)),
            under: Under::Agency(row.agency.clone()),
        });
    }

    fn unlist_failure(&mut self, id: &str, row: &InstanceRow) {
        if let Some(key) = failure_key(row, id) {
            self.batch.puts.push(Put {
                table: Table::Failure,
                key,
                value: None,
                under: Under::Agency(row.agency.clone()),
            });
        }
    }

    /// Its name, if the place is one of the document: a raised error may say anything.
    pub(crate) fn failed_task(&self, fault: &Fault) -> String {
        let Some(workflow) = self.resident.workflow() else {
            return String::new();
        };
        // A function is written once and called from several places: the run says which it was.
        let runs = self.instance().task_runs().iter().rev();
        let faulted = runs.filter(|run| run.status == Status::Faulted);
        let mut tasks = faulted.filter_map(|run| workflow.task(&run.reference));
        let task = tasks.find(|task| task.pointer() == fault.instance);
        let task = task.or_else(|| workflow.task(&fault.instance));
        task.map(|task| task.name.clone()).unwrap_or_default()
    }
}

/// Latest first.
fn run_key(row: &InstanceRow, state: State, id: &str) -> Vec<u8> {
    let mut line = key::prefix(&[&row.agency, state.name()]);
    line.extend_from_slice(&key::moment_latest_first(row.started_at));
    line.extend_from_slice(id.as_bytes());
    line
}

/// Every line under which a run may stand in a list.
pub(super) fn lines_of(id: &str, row: &InstanceRow) -> Vec<(Table, Vec<u8>)> {
    let states = State::ALL.into_iter();
    let lines = states.map(|state| (Table::Run, run_key(row, state, id)));
    let failed = failure_key(row, id).map(|key| (Table::Failure, key));
    lines.chain(failed).collect()
}

/// Latest failure first.
fn failure_key(row: &InstanceRow, id: &str) -> Option<Vec<u8>> {
    let mut key = key::prefix(&[&row.agency]);
    key.extend_from_slice(&key::moment_latest_first(row.ended_at?));
    key.extend_from_slice(id.as_bytes());
    Some(key)
}

/// The error type where engine or plugin chose it; what a workflow raises may hold anything.
fn code(instance: &Instance, fault: &Fault) -> String {
    let kind = &fault.kind;
    let chosen = match instance.retry() {
        Retry::Call { .. } => true,
        Retry::Child { .. } | Retry::Torn { .. } | Retry::Nothing => {
            kind.starts_with("https://serverlessworkflow.io/spec/1.0.0/errors/")
        }
    };
    if chosen && kind.len() <= CODE_LEN_MAX {
        kind.clone()
    } else if instance.retry() == Retry::Nothing {
        "raised".to_owned()
    } else {
        "workflow-failed".to_owned()
    }
}

fn no_status(status: &str) -> Refused {
    let known = "pending, running, waiting, suspended, cancelled, faulted or completed";
    // Only a word is repeated.
    let shown: String = status.chars().take(20).collect();
    Refused::Invalid {
        code: "invalid-input",
        status: 422,
        message: format!("`{shown}` is no status; it is one of {known}"),
    }
}

/// For those who look for a run of another agency.
pub(crate) fn row_of(shared: &Shared, id: &str) -> Result<InstanceRow, Refused> {
    shared
        .pending::<InstanceRow>(Table::Instance, id.as_bytes(), "an instance row")?
        .map(|(row, _)| row)
        .ok_or_else(not_found)
}
