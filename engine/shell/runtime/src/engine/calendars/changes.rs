//! Changes of calendars: noticed when a pack is put in force, and decided by whoever looks after
//! the agency's runs where the pack asks for it.

use std::sync::Arc;

use casewright_casework::{Calendar, Code, Principal, Refusal, WorkItem};
use casewright_language::pack::WhenChanged;
use casewright_store::{Batch, Guard, Put, SubmitError, Table, Under};

use super::row::{self, By, CalendarRow, Change, Outcome, Replaced, State};
use crate::deployment::Deployment;
use crate::engine::requests::{Ask, Asked};
use crate::engine::shared::{Shared, refused, unreadable};
use crate::engine::work_lists::{self, after_cursor};
use crate::engine::{Engine, OnChange, Refused, RequestKey};
use crate::view::{CalendarChangeView, CalendarDecisionView, DeadlineMoveView, Page};
use crate::{key, record};

/// A reason is a sentence or two.
const REASON_CHARS_MAX: usize = 500;

/// Lines of a page unless asked otherwise, and at most.
const PAGE: usize = 50;
const PAGE_MAX: usize = 200;

/// Lines looked at for one page.
const LOOKED_AT_MAX: usize = 5_000;

impl Engine {
    /// Calendars that have changed, each with what became of it or is asked; for those who look
    /// after the agency's runs.
    #[expect(
        clippy::unused_async,
        reason = "a store on another machine is awaited here"
    )]
    pub async fn calendar_changes(
        &self,
        who: &Principal,
    ) -> Result<Vec<CalendarChangeView>, Refused> {
        let shared = &self.shared;
        shared.administers(who)?;
        let prefix = key::prefix(&[&who.agency]);
        let end = key::after(&prefix);
        let store = &shared.parts.store;
        let rows = store.scan(Table::Calendar, &prefix, &end, usize::MAX);
        let mut views = Vec::new();
        for (key, row) in rows.map_err(unreadable)? {
            let name = String::from_utf8_lossy(&key[prefix.len()..]).into_owned();
            let row: CalendarRow = record::decode(row::WHAT, &row.value)?;
            views.push(shared.change_view(&who.agency, &name, &row));
        }
        Ok(views)
    }

    /// Open deadlines that a change moves or would move, soonest due first: each with the old and
    /// the new moment. It names tasks and cases, nothing of what families told.
    #[expect(
        clippy::unused_async,
        reason = "a store on another machine is awaited here"
    )]
    pub async fn calendar_change(
        &self,
        who: &Principal,
        calendar: &str,
        cursor: Option<String>,
        limit: Option<usize>,
    ) -> Result<Page<DeadlineMoveView>, Refused> {
        let shared = &self.shared;
        shared.administers(who)?;
        let key = row::key(&who.agency, calendar);
        let found = shared.read::<CalendarRow>(Table::Calendar, &key, row::WHAT)?;
        let change = found.and_then(|row| row.change);
        let change = change.ok_or_else(|| nothing_asked(calendar))?;
        let deployment = shared.deployment(&change.deployment)?;
        let version = deployment.calendar_named(calendar);
        let version = version.ok_or_else(|| nothing_asked(calendar))?;
        shared.would_move(who, version, cursor.as_deref(), limit)
    }

    /// Decides what becomes of open deadlines: they follow the calendar, or they stay.
    pub async fn decide_calendar_change(
        &self,
        who: &Principal,
        calendar: &str,
        decide: OnChange,
        key: Option<RequestKey>,
    ) -> Result<CalendarChangeView, Refused> {
        let admitted = self.shared.admit()?;
        self.shared.administers(who)?;
        check_reason(&decide.reason)?;
        let word = if decide.apply { "apply" } else { "keep" };
        let route = format!("{word} calendar {calendar}");
        let ask = match self.shared.ask(who, &route, key).await? {
            Asked::Before(answer) => return Ok(answer),
            Asked::Now(ask) => ask,
        };
        let (shared, who) = (Arc::clone(&self.shared), who.clone());
        let calendar = calendar.to_owned();
        Shared::carry(async move {
            let decided = shared
                .decide_change(&who, &calendar, &decide, ask.as_ref())
                .await;
            drop(admitted);
            if decide.apply && decided.is_ok() {
                shared.begin_moving();
            }
            decided
        })
        .await
    }
}

impl Shared {
    /// Notices calendars of which another version comes in force, and what the new pack says of
    /// that.
    pub(crate) fn establish_calendars(
        &self,
        before: &Deployment,
        after: &Deployment,
        batch: &mut Batch,
    ) -> Result<(), Refused> {
        let agency = &after.pack.namespace;
        for calendar in after.all_calendars() {
            let Some(was) = before.calendar_named(&calendar.name) else {
                continue;
            };
            if was.digest() == calendar.digest() {
                continue;
            }
            let key = row::key(agency, &calendar.name);
            let found = self.pending::<CalendarRow>(Table::Calendar, &key, row::WHAT)?;
            let (row, version) = found.unzip();
            let mut row = row.unwrap_or_default();
            let by = Replaced {
                at: self.now(),
                from: was.digest(),
                to: calendar.digest(),
                deployment: &after.digest,
            };
            row.replaced(&by, after.pack.when_changed(&calendar.name));
            put(agency, key, version.unwrap_or(0), &row, batch);
        }
        Ok(())
    }

    async fn decide_change(
        &self,
        who: &Principal,
        calendar: &str,
        decide: &OnChange,
        ask: Option<&Ask>,
    ) -> Result<CalendarChangeView, Refused> {
        for _ in 0..self.limits.tries_max {
            let key = row::key(&who.agency, calendar);
            let found = self.pending::<CalendarRow>(Table::Calendar, &key, row::WHAT)?;
            let (mut row, version) = found.ok_or_else(|| nothing_asked(calendar))?;
            let to = match &row.change {
                Some(change) if change.state == State::Asked => &change.to,
                Some(_) | None => return Err(nothing_asked(calendar)),
            };
            if decide.version.as_ref().is_some_and(|seen| seen != to) {
                let sentence = "the calendar has changed again since you looked; look again";
                return Err(Refused::Rule(Refusal::new(Code::StaleRevision, sentence)));
            }
            let by = By {
                person: Some(who.id.clone()),
                reason: Some(decide.reason.trim().to_owned()),
            };
            if decide.apply {
                row.apply(by);
            } else {
                row.keep(self.now(), by);
            }
            let mut batch = Batch::default();
            put(&who.agency, key, version, &row, &mut batch);
            let view = self.change_view(&who.agency, calendar, &row);
            if let Some(ask) = ask {
                ask.record(&view, Under::Agency(who.agency.clone()), &mut batch);
            }
            match self.submit(batch) {
                Ok(ticket) => {
                    let flushed = ticket.flushed().await;
                    self.changed();
                    flushed.map_err(refused)?;
                    return Ok(view);
                }
                Err(SubmitError::Guard { .. }) => {}
                Err(error) => return Err(refused(error)),
            }
        }
        Err(Refused::Busy)
    }

    fn would_move(
        &self,
        who: &Principal,
        version: &Calendar,
        cursor: Option<&str>,
        limit: Option<usize>,
    ) -> Result<Page<DeadlineMoveView>, Refused> {
        let prefix = key::prefix(&[&who.agency, "open"]);
        let (mut start, end) = (after_cursor(&prefix, cursor)?, key::after(&prefix));
        let limit = limit.unwrap_or(PAGE).clamp(1, PAGE_MAX);
        let mut items = Vec::new();
        let mut looked_at = 0;
        let sight = self.sight(who)?;
        loop {
            let store = &self.parts.store;
            let lines = store.scan(Table::Queue, &start, &end, limit);
            let lines = lines.map_err(unreadable)?;
            let last = lines.len() < limit;
            for (key, _) in lines {
                looked_at += 1;
                let place = key.get(prefix.len()..).unwrap_or_default();
                let id = place.get(8..).unwrap_or_default();
                let item = self.read::<WorkItem>(Table::WorkItem, id, "a work item")?;
                let item = item.filter(|item| item.visible(who) && sight.sees(&item.case));
                items.extend(item.and_then(|item| self.line(&item, version)));
                if items.len() == limit || looked_at == LOOKED_AT_MAX {
                    let next = Some(work_lists::cursor(place));
                    return Ok(Page { items, next });
                }
                start = key;
                start.push(0);
            }
            if last {
                return Ok(Page { items, next: None });
            }
        }
    }

    /// `None` where the change moves nothing.
    fn line(&self, item: &WorkItem, version: &Calendar) -> Option<DeadlineMoveView> {
        let next = item.recomputed(version, self.now())?;
        let was = item.deadline.as_ref()?;
        let moved = next.deadline.and_then(|deadline| deadline.moved);
        let moved = moved.filter(|moved| Some(moved) != was.moved.as_ref())?;
        Some(DeadlineMoveView {
            work_item: item.id.clone(),
            case: item.case.clone(),
            case_number: item.case_number.clone(),
            task: item.task.clone(),
            rule: was.term.map(|term| term.to_string()),
            from: item.counted_from(),
            due: item.due,
            new_due: next.due,
            at_once: moved.at_once,
        })
    }

    fn change_view(&self, agency: &str, calendar: &str, row: &CalendarRow) -> CalendarChangeView {
        let policy = self.in_force(agency).map_or(WhenChanged::Keep, |in_force| {
            in_force.pack.when_changed(calendar)
        });
        let state = row.change.as_ref().map(|change| match &change.state {
            State::Asked => "asked",
            State::Moving(_) => "moving",
        });
        let decided = row.decided.iter().rev().map(|decided| {
            let outcome = match decided.outcome {
                Outcome::Moved => "moved",
                Outcome::Kept => "kept",
                Outcome::Lapsed => "lapsed",
            };
            CalendarDecisionView {
                at: decided.at,
                version: decided.to.clone(),
                outcome: outcome.to_owned(),
                by: decided.by.person.clone(),
                reason: decided.by.reason.clone(),
            }
        });
        let open = |part: fn(&Change) -> String| row.change.as_ref().map(part);
        CalendarChangeView {
            calendar: calendar.to_owned(),
            policy: policy.as_str().to_owned(),
            state: state.unwrap_or("settled").to_owned(),
            since: row.change.as_ref().map(|change| change.since),
            version: open(|change| change.to.clone()),
            decided: decided.collect(),
        }
    }
}

fn put(agency: &str, key: Vec<u8>, version: u64, row: &CalendarRow, batch: &mut Batch) {
    batch.guards.push(Guard::Row {
        table: Table::Calendar,
        key: key.clone(),
        version,
    });
    batch.puts.push(Put {
        table: Table::Calendar,
        key,
        value: Some(record::encode(row)),
        under: Under::Agency(agency.to_owned()),
    });
}

fn check_reason(reason: &str) -> Result<(), Refused> {
    let length = reason.trim().chars().count();
    if (1..=REASON_CHARS_MAX).contains(&length) {
        return Ok(());
    }
    Err(Refused::Invalid {
        code: "invalid-input",
        status: 422,
        message: format!("say in `reason` why, in at most {REASON_CHARS_MAX} characters"),
    })
}

fn nothing_asked(calendar: &str) -> Refused {
    Refused::Invalid {
        code: "no-calendar-change",
        status: 409,
        message: format!("no change of a calendar `{calendar}` waits for a decision"),
    }
}
