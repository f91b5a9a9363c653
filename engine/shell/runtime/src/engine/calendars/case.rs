//! The calendar of one case: named when its first run starts, or later by whoever may start
//! workflows. It counts for what is offered from then on; what is open stays as it is.

use std::sync::Arc;

use casewright_casework::audit::{Action, Entry};
use casewright_casework::{Case, Principal};
use casewright_store::{AuditAppend, Batch, Guard, Put, SubmitError, Table, Under};

use crate::deployment::Deployment;
use crate::engine::requests::{Ask, Asked};
use crate::engine::shared::{Shared, not_found, refused};
use crate::engine::start::may_start;
use crate::engine::{Engine, Refused, RequestKey};
use crate::record;
use crate::view::CaseCalendarView;

impl Engine {
    /// Names of the calendars that a case may be counted by.
    pub fn calendars(&self, who: &Principal) -> Vec<String> {
        let in_force = self.shared.in_force(&who.agency);
        in_force.map_or_else(Vec::new, |pack| pack.calendars.keys().cloned().collect())
    }

    /// Names of the calendars that somebody may give a case: none to whoever may start nothing.
    pub fn calendars_to_give(&self, who: &Principal) -> Vec<String> {
        let in_force = self.shared.in_force(&who.agency);
        let may = in_force.filter(|deployment| may_start(deployment, who).is_ok());
        may.map_or_else(Vec::new, |pack| pack.calendars.keys().cloned().collect())
    }

    /// The calendar of a case, where it has one of its own.
    #[expect(
        clippy::unused_async,
        reason = "a store on another machine is awaited here"
    )]
    pub async fn case_calendar(
        &self,
        who: &Principal,
        case: &str,
    ) -> Result<CaseCalendarView, Refused> {
        let case = self.shared.seen_case(who, case)?;
        Ok(CaseCalendarView {
            case: case.id,
            calendar: case.calendar,
        })
    }

    /// Has a case count its days by a calendar from here on, or by those of its workflows again.
    pub async fn set_case_calendar(
        &self,
        who: &Principal,
        case: &str,
        calendar: Option<String>,
        key: Option<RequestKey>,
    ) -> Result<CaseCalendarView, Refused> {
        let admitted = self.shared.admit()?;
        let route = format!("calendar {case}");
        let ask = match self.shared.ask(who, &route, key).await? {
            Asked::Before(answer) => return Ok(answer),
            Asked::Now(ask) => ask,
        };
        let (shared, who, case) = (Arc::clone(&self.shared), who.clone(), case.to_owned());
        Shared::carry(async move {
            let set = shared.set_calendar(&who, &case, calendar, ask.as_ref());
            let set = set.await;
            drop(admitted);
            set
        })
        .await
    }
}

impl Shared {
    async fn set_calendar(
        &self,
        who: &Principal,
        id: &str,
        calendar: Option<String>,
        ask: Option<&Ask>,
    ) -> Result<CaseCalendarView, Refused> {
        self.seen_case(who, id)?;
        let deployment = self.in_force(&who.agency).ok_or_else(not_found)?;
        may_start(&deployment, who)?;
        if let Some(name) = &calendar {
            known(&deployment, name)?;
        }
        for _ in 0..self.limits.tries_max {
            let found = self.pending::<Case>(Table::Case, id.as_bytes(), "a case")?;
            let (before, version) = found.ok_or_else(not_found)?;
            let mut batch = Batch::default();
            let view = CaseCalendarView {
                case: before.id.clone(),
                calendar: calendar.clone(),
            };
            if before.calendar != calendar {
                self.put_calendar(who, before, version, calendar.clone(), &mut batch);
            }
            if let Some(ask) = ask {
                ask.record(&view, Under::Case(view.case.clone()), &mut batch);
            }
            if batch.puts.is_empty() {
                return Ok(view);
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

    fn put_calendar(
        &self,
        who: &Principal,
        mut case: Case,
        version: u64,
        calendar: Option<String>,
        batch: &mut Batch,
    ) {
        let key = case.id.clone().into_bytes();
        batch.guards.push(Guard::Row {
            table: Table::Case,
            key: key.clone(),
            version,
        });
        batch.audit.push(AuditAppend {
            case: case.id.clone(),
            entry: Entry {
                at: self.now(),
                who: who.id.clone(),
                action: Action::CaseCalendarChanged,
                instance: None,
                subject: None,
                detail: calendar.clone(),
            },
        });
        case.calendar = calendar;
        batch.puts.push(Put {
            table: Table::Case,
            key,
            value: Some(record::encode(&case)),
            under: Under::Case(case.id),
        });
    }
}

/// Whether the pack in force has a calendar of this name; the refusal names those there are.
pub(crate) fn known(deployment: &Deployment, name: &str) -> Result<(), Refused> {
    if deployment.calendars.contains_key(name) {
        return Ok(());
    }
    let names: Vec<_> = deployment.calendars.keys().map(String::as_str).collect();
    let there_are = if names.is_empty() {
        "your agency's pack has none".to_owned()
    } else {
        format!("there are: {}", names.join(", "))
    };
    Err(Refused::Invalid {
        code: "unknown-calendar",
        status: 422,
        message: format!("there is no calendar `{name}`; {there_are}"),
    })
}

/// A start in a case that is there names the calendar that it has, or none.
pub(crate) fn agrees(case: &Case, named: Option<&str>) -> Result<(), Refused> {
    if named.is_none_or(|named| case.calendar.as_deref() == Some(named)) {
        return Ok(());
    }
    let counted = case
        .calendar
        .as_ref()
        .map_or("has no calendar of its own".to_owned(), |name| {
            format!("counts its days by `{name}`")
        });
    Err(Refused::Invalid {
        code: "other-calendar",
        status: 409,
        message: format!(
            "this case {counted}: leave `calendar` out, or give the case another one first"
        ),
    })
}
