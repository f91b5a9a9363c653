//! Lifecycle events of the specification, as those who watch ask for them: all of one run, told
//! from its journal and its case's record; and those of all runs of an agency, which are rows.
//!
//! Nothing is written for a step of a run. An event holds ids, moments, names from the document,
//! and of an error its type and status: never input, output, or a sentence.

mod feed;
mod row;

use casewright_casework::Principal;
use casewright_casework::audit::Action;
use casewright_language::Workflow;
use casewright_machine::lifecycle::{Cause, Happening, Phase};
use casewright_machine::{Chronicle, Instance};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::draft::{moment_of, replay};
use super::shared::{Shared, no_workflow, unreadable};
use super::work_lists::bad_cursor;
use super::{Engine, Refused};
use crate::record::{self, EventRead, InstanceRow};
use crate::view::{LifecycleEvent, LifecyclePage};

pub(crate) use feed::{Feed, Told};

/// Events of a page unless asked otherwise, and at most.
const PAGE: usize = 100;
const PAGE_MAX: usize = 500;

/// Before the types of the specification, which kept the name it had.
const PREFIX: &str = "io.serverlessworkflow";

impl Engine {
    /// What happened to a run and its tasks, oldest first, after what the cursor has seen.
    #[expect(
        clippy::unused_async,
        reason = "a store on another machine is awaited here"
    )]
    pub async fn lifecycle(
        &self,
        who: &Principal,
        id: &str,
        cursor: Option<String>,
        limit: Option<usize>,
    ) -> Result<LifecyclePage, Refused> {
        let row = self.shared.seen_instance(who, id)?;
        let mut seen = match cursor {
            Some(cursor) => Seen::read(&cursor).ok_or_else(bad_cursor)?,
            None => Seen::default(),
        };
        let limit = limit.unwrap_or(PAGE).clamp(1, PAGE_MAX);
        let items = self.shared.told_of(id, &row, &mut seen, limit)?;
        let next = seen.written();
        Ok(LifecyclePage { items, next })
    }
}

/// How far a reader of one run has come in the journal, and in the record of the case, where holds
/// of work items stand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Seen {
    /// Number of the event in the journal, and of what happened within it.
    journal: (u64, usize),
    /// Entries of the record.
    entries: u64,
}

impl Seen {
    fn written(self) -> String {
        let (sequence, ordinal) = self.journal;
        format!("{sequence}-{ordinal}-{}", self.entries)
    }

    fn read(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let seen = Self {
            journal: (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?),
            entries: parts.next()?.parse().ok()?,
        };
        parts.next().is_none().then_some(seen)
    }
}

/// One event on its way to a reader, and how far it brings them.
struct Step {
    event: LifecycleEvent,
    seen: Seen,
}

impl Shared {
    fn told_of(
        &self,
        id: &str,
        row: &InstanceRow,
        seen: &mut Seen,
        limit: usize,
    ) -> Result<Vec<LifecycleEvent>, Refused> {
        let mut chronicle = Chronicle::default();
        let journal = self.journal_told(id, row, &mut chronicle, seen, limit)?;
        let whole = journal.len() < limit;
        let holds = self.holds_told(id, row, &chronicle, seen, whole)?;
        let mut items = Vec::new();
        let (mut journal, mut holds) =
            (journal.into_iter().peekable(), holds.into_iter().peekable());
        while items.len() < limit {
            let held = match (journal.peek(), holds.peek()) {
                (Some(told), Some(hold)) => hold.event.time < told.event.time,
                (None, Some(_)) => true,
                (_, None) => false,
            };
            let step = if held { holds.next() } else { journal.next() };
            let Some(step) = step else { break };
            if held {
                seen.entries = step.seen.entries;
            } else {
                seen.journal = step.seen.journal;
            }
            items.push(step.event);
        }
        Ok(items)
    }

    /// What the journal tells after what was seen, at most so much.
    fn journal_told(
        &self,
        id: &str,
        row: &InstanceRow,
        chronicle: &mut Chronicle,
        seen: &Seen,
        limit: usize,
    ) -> Result<Vec<Step>, Refused> {
        let mut instance = Instance::pending();
        let mut steps = Vec::new();
        let events = self.parts.store.events(id).map_err(unreadable)?;
        for (sequence, bytes) in (1_u64..).zip(&events) {
            let read: EventRead = record::decode("an event", bytes)?;
            let deployment = self.deployment(row.deployment_at(sequence))?;
            let workflow = deployment.workflows.get(&row.workflow);
            let workflow = workflow.ok_or_else(|| no_workflow(id))?;
            let transition = replay(workflow, &instance, &read, id)?;
            let happened = chronicle.tell(workflow, &instance, &read.event, &transition);
            let run = Run { id, workflow };
            for (ordinal, one) in (1..).zip(&happened) {
                if (sequence, ordinal) <= seen.journal {
                    continue;
                }
                let name = one_of(sequence, ordinal, one);
                steps.push(Step {
                    event: run.event(&name, moment_of(&read.event), one),
                    seen: Seen {
                        journal: (sequence, ordinal),
                        ..*seen
                    },
                });
                if steps.len() == limit {
                    return Ok(steps);
                }
            }
            instance = transition.instance;
        }
        Ok(steps)
    }

    /// Human work that was let wait, and gone on with. Of an item that is not known yet, and of
    /// what comes after it, the next page tells.
    fn holds_told(
        &self,
        id: &str,
        row: &InstanceRow,
        chronicle: &Chronicle,
        seen: &Seen,
        whole: bool,
    ) -> Result<Vec<Step>, Refused> {
        let mut steps = Vec::new();
        let links = self.parts.store.audit(&row.case).map_err(unreadable)?;
        let deployment = self.deployment(&row.deployment)?;
        let workflow = deployment.workflows.get(&row.workflow);
        let run = Run {
            id,
            workflow: workflow.ok_or_else(|| no_workflow(id))?,
        };
        for link in links.iter().filter(|link| link.index >= seen.entries) {
            let phase = match link.entry.action {
                Action::WorkItemHeld => Phase::Suspended,
                Action::WorkItemResumed => Phase::Resumed,
                _ => continue,
            };
            let subject = link.entry.subject.as_deref().unwrap_or_default();
            let Some((instance, number)) = subject.rsplit_once('-') else {
                continue;
            };
            if instance != id {
                continue;
            }
            let number = number.parse().unwrap_or_default();
            let Some(task) = chronicle.offered_by(number) else {
                if whole {
                    continue;
                }
                break;
            };
            let one = Happening {
                phase,
                task: Some(task.clone()),
            };
            let name = format!("hold-{}", link.index);
            steps.push(Step {
                event: run.event(&name, link.entry.at, &one),
                seen: Seen {
                    entries: link.index + 1,
                    ..*seen
                },
            });
        }
        Ok(steps)
    }
}

/// What makes the id of an event: of a run as a whole it is the same in both lists.
fn one_of(sequence: u64, ordinal: usize, one: &Happening) -> String {
    match one.task {
        Some(_) => format!("{sequence}-{ordinal}"),
        None => whole(sequence, &one.phase),
    }
}

fn whole(sequence: u64, phase: &Phase) -> String {
    format!("{sequence}-{}", phase.name())
}

/// A run that events are about.
struct Run<'a> {
    id: &'a str,
    /// The version at that moment.
    workflow: &'a Workflow,
}

impl Run<'_> {
    fn event(&self, name: &str, at: Timestamp, one: &Happening) -> LifecycleEvent {
        // Some of these are kept to the millisecond.
        let at = Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at);
        let id = self.id;
        let about = match (&one.task, &one.phase) {
            (None, _) | (_, Phase::CorrelationStarted | Phase::CorrelationCompleted) => "workflow",
            (Some(_), _) => "task",
        };
        LifecycleEvent {
            id: format!("{id}-{name}"),
            source: format!("urn:casewright:instance:{id}"),
            kind: format!("{PREFIX}.{about}.{}.v1", one.phase.name()),
            subject: id.to_owned(),
            time: at,
            data: self.data(about, at, one),
        }
    }

    fn data(&self, about: &str, at: Timestamp, one: &Happening) -> Value {
        let document = &self.workflow.document;
        let qualified = format!("{}-{}.{}", document.name, self.id, document.namespace);
        let mut data = Map::new();
        let named = if about == "task" { "workflow" } else { "name" };
        data.insert(named.to_owned(), json!(qualified));
        if let Some(task) = &one.task {
            data.insert("task".to_owned(), json!(task.pointer));
            data.insert("run".to_owned(), json!(task.run));
        }
        data.insert(moment(&one.phase).to_owned(), json!(at.to_string()));
        if let Phase::Faulted(Cause { kind, status }) = &one.phase {
            let error = json!({ "type": kind, "status": status });
            data.insert("error".to_owned(), error);
        }
        if one.task.is_none() {
            match one.phase {
                Phase::Started => {
                    let definition = json!({
                        "name": document.name,
                        "namespace": document.namespace,
                        "version": document.version,
                    });
                    data.insert("definition".to_owned(), definition);
                }
                Phase::Completed => {
                    let place = format!("/api/v1/instances/{}", self.id);
                    data.insert("outputUri".to_owned(), json!(place));
                }
                Phase::Created
                | Phase::Suspended
                | Phase::Resumed
                | Phase::Retried
                | Phase::CorrelationStarted
                | Phase::CorrelationCompleted
                | Phase::Cancelled
                | Phase::Faulted(_) => {}
            }
        }
        Value::Object(data)
    }
}

/// What the specification calls the moment.
fn moment(phase: &Phase) -> &'static str {
    match phase {
        Phase::Created => "createdAt",
        Phase::Started | Phase::CorrelationStarted => "startedAt",
        Phase::Suspended => "suspendedAt",
        Phase::Resumed => "resumedAt",
        Phase::Retried => "retriedAt",
        Phase::Completed | Phase::CorrelationCompleted => "completedAt",
        Phase::Cancelled => "cancelledAt",
        Phase::Faulted(_) => "faultedAt",
    }
}
