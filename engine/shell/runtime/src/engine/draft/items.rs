//! Work items within a decision: offered, changed and withdrawn together with the instance.

use std::collections::BTreeSet;

use casewright_casework::calendar::{self, Calendar, Pace};
use casewright_casework::work_item::{Alarm, Assigned, Deadline, Limit, Skippable, State, Terms};
use casewright_casework::{Money, WorkItem, audit::Action as Audit};
use casewright_language::Term;
use casewright_machine::Offer;
use casewright_machine::effect::{Assignment, Exclusion, ExclusionReason, Since};
use casewright_store::{Guard, Table};
use jiff::Timestamp;

use super::payments::aspects;
use super::{Action, Draft, OpenItem};
use crate::engine::work_items::{item_id, write_item};
use crate::engine::{Refused, alarms};

/// The moments of a new item.
struct Times {
    due: Option<Timestamp>,
    deadline: Option<Deadline>,
    pace: Pace,
    alarms: Vec<Alarm>,
}

impl Draft<'_> {
    /// The item as this decision sees it: changed here, or pending in the store.
    pub(crate) fn item(&mut self, id: &str) -> Result<Option<WorkItem>, Refused> {
        if let Some(open) = self.items.get(id) {
            return Ok(Some(open.now.clone()));
        }
        let pending =
            self.shared
                .pending::<WorkItem>(Table::WorkItem, id.as_bytes(), "a work item")?;
        let Some((item, version)) = pending else {
            return Ok(None);
        };
        let open = OpenItem {
            before: Some((item.clone(), version)),
            now: item.clone(),
        };
        self.items.insert(id.to_owned(), open);
        Ok(Some(item))
    }

    /// An item that this decision has looked at, as it leaves it.
    pub(crate) fn held_item(&self, id: &str) -> Option<&WorkItem> {
        self.items.get(id).map(|open| &open.now)
    }

    /// Only items that [`Draft::item`] gave, or new ones.
    pub(crate) fn set_item(&mut self, item: WorkItem) {
        if let Some(open) = self.items.get_mut(&item.id) {
            open.now = item;
            return;
        }
        let open = OpenItem {
            before: None,
            now: item.clone(),
        };
        self.items.insert(item.id, open);
    }

    pub(super) fn offer(&mut self, offer: Offer) -> Result<(), Refused> {
        let mut item = self.offered(offer)?;
        if item.approval {
            for (person, task) in self.drafters()? {
                let sentence = worked_on(&task);
                item.excluded.entry(person).or_insert(sentence);
            }
        }
        self.note_own(Audit::WorkItemOffered, Some(item.id.clone()), None);
        self.set_item(item);
        Ok(())
    }

    /// Whoever began an answer to a human task of this instance, sent or not, with the task.
    fn drafters(&self) -> Result<Vec<(String, String)>, Refused> {
        let mut found = self.shared.drafters(&self.resident.id)?;
        // Rows show what is on disk: what is being completed here may be younger.
        let here = self.items.values().map(|open| &open.now);
        for item in here.filter(|item| !item.approval) {
            let editors = item.editors.iter();
            found.extend(editors.map(|person| (person.clone(), item.task.clone())));
        }
        Ok(found)
    }

    fn offered(&mut self, offer: Offer) -> Result<WorkItem, Refused> {
        let times = self.times(&offer)?;
        let resident = self.resident;
        Ok(WorkItem {
            id: item_id(&resident.id, offer.item),
            agency: resident.row.agency.clone(),
            case: resident.row.case.clone(),
            case_number: self.instance().case().number.clone(),
            instance: resident.id.clone(),
            number: offer.item,
            task: offer.task,
            reference: offer.reference,
            rounds: offer.rounds,
            approval: offer.approval,
            title: offer.title,
            show: offer.show,
            form: offer.form,
            assigned: assigned(offer.assign),
            outcomes: offer.outcomes,
            approvals_needed: offer.approvals,
            limit: offer.limit.map(|limit| Limit {
                policy: limit.policy,
                aspects: aspects(limit.aspects),
                money: Money {
                    minor: limit.minor,
                    currency: limit.currency,
                },
            }),
            excluded: offer.excluded.into_iter().map(excluded).collect(),
            seen_by: self.row.as_ref().unwrap_or(&resident.row).seen_by.clone(),
            offered_at: self.at,
            due: times.due,
            deadline: times.deadline,
            clock: alarms::clock(offer.clock),
            pace: times.pace,
            holds: Vec::new(),
            alarms: times.alarms,
            reminded_at: None,
            escalations: Vec::new(),
            told: Vec::new(),
            terms: Terms {
                non_delegable: offer.non_delegable,
                skippable: offer.skippable.map(|skippable| Skippable {
                    by: skippable.by,
                    outcome: skippable.outcome,
                }),
                holds_total: offer.holds_total.map(term),
            },
            moves: Vec::new(),
            editors: BTreeSet::new(),
            state: State::Offered,
            claimed_by: None,
            decisions: Vec::new(),
            revision: 1,
        })
    }

    /// When it is due and what happens until then, with what that was computed from.
    fn times(&mut self, offer: &Offer) -> Result<Times, Refused> {
        let pace = alarms::pace(offer);
        // Reminders count from `due`.
        if offer.due.is_none() && offer.escalate.is_empty() {
            return Ok(Times {
                due: None,
                deadline: None,
                pace,
                alarms: Vec::new(),
            });
        }
        let calendar = self.calendar(offer.calendar.as_deref())?;
        let written = offer.due.map(term);
        // A term beyond the calendar's end has no date: the item is offered without one.
        let from = counted_from(offer, self.at, &calendar);
        let due = written.and_then(|due| calendar.due(from, due).ok());
        let deadline = Deadline {
            term: written,
            since: Some(from).filter(|from| *from != self.at),
            calendar: calendar.name.clone(),
            digest: calendar.digest().to_owned(),
            moved: None,
        };
        Ok(Times {
            due,
            deadline: Some(deadline),
            pace,
            alarms: alarms::of_offer(offer, self.at, due, &calendar),
        })
    }

    pub(super) fn withdraw(&mut self, number: u32, reason: &str) -> Result<(), Refused> {
        let id = item_id(&self.resident.id, number);
        let Some(item) = self.item(&id)? else {
            return Ok(());
        };
        // Whoever was first keeps the field: a completed item stays completed.
        if let Ok(withdrawn) = item.withdraw(reason, self.at) {
            self.note_own(Audit::WorkItemWithdrawn, Some(id), None);
            self.set_item(withdrawn);
        }
        Ok(())
    }

    /// Whoever has just done work must not decide what is open in another branch, though it was
    /// offered before.
    pub(super) fn exclude(&mut self) -> Result<(), Refused> {
        let Some(workflow) = self.resident.workflow() else {
            return Ok(());
        };
        for (number, exclusions) in self.instance().excluded_since(workflow) {
            let id = item_id(&self.resident.id, number);
            if let Some(mut item) = self.item(&id)? {
                item.excluded.extend(exclusions.into_iter().map(excluded));
                self.set_item(item);
            }
        }
        Ok(())
    }

    pub(super) fn write_items(&mut self) {
        for (id, open) in std::mem::take(&mut self.items) {
            let (before, version) = open.before.unzip();
            if before.as_ref() == Some(&open.now) {
                continue;
            }
            self.batch.guards.push(Guard::Row {
                table: Table::WorkItem,
                key: id.into_bytes(),
                version: version.unwrap_or(0),
            });
            let moved = write_item(before.as_ref(), &open.now, self.at, &mut self.batch);
            self.actions.extend(moved.map(Action::MoveAlarm));
        }
    }
}

/// What `due` counts from. A moment that is still to come gives nobody more time.
fn counted_from(offer: &Offer, at: Timestamp, calendar: &Calendar) -> Timestamp {
    let since = match offer.since {
        None => None,
        Some(Since::Moment(moment)) => Some(moment),
        Some(Since::Shown(shown)) => calendar.moment(shown).ok(),
    };
    since.map_or(at, |since| since.min(at))
}

pub(crate) fn term(term: Term) -> calendar::Term {
    match term {
        Term::BusinessDays(count) => calendar::Term::BusinessDays(count),
        Term::BusinessHours(count) => calendar::Term::BusinessHours(count),
        Term::CalendarDays(count) => calendar::Term::CalendarDays(count),
        Term::Exact(period) => calendar::Term::ExactMs(period.0),
    }
}

pub(crate) fn assigned(assignment: Assignment) -> Assigned {
    match assignment {
        Assignment::Role(role) => Assigned::Role(role),
        Assignment::Team(team) => Assigned::Team(team),
        Assignment::Person(person) => Assigned::Person(person),
    }
}

pub(crate) fn worked_on(task: &str) -> String {
    format!("you worked on `{task}`; another person must decide")
}

/// Person, and the sentence they are told.
fn excluded(exclusion: Exclusion) -> (String, String) {
    let sentence = match exclusion.reason {
        ExclusionReason::Started => "you asked for this; another person must decide".to_owned(),
        ExclusionReason::Completed(task) => worked_on(&task),
        ExclusionReason::Payee => "you are to be paid; another person must decide".to_owned(),
        ExclusionReason::Different(task) => {
            format!("you did `{task}`; the workflow asks for another person here")
        }
    };
    (exclusion.person, sentence)
}
