//! `/calendars/changes`: calendars that changed under open deadlines; `/cases/{id}/calendar`: the
//! calendar of one case.

use axum::Json;
use axum::extract::State;
use casewright_runtime::Engine;
use casewright_runtime::engine::OnChange;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::api::dto::Page;
use crate::api::dto::calendar::{
    CalendarChange, CalendarChangeRequest, CaseCalendar, CaseCalendarRequest, DeadlineMove,
};
use crate::api::query::{Checked, Id};
use crate::body::Posted;
use crate::problem::Problem;
use crate::visitor::Visitor;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct LinesQuery {
    cursor: Option<String>,
    /// 50 when it is left out, at most 200.
    limit: Option<usize>,
}

/// Calendars that have changed, for those who look after the agency's runs.
#[utoipa::path(
    get, operation_id = "listCalendarChanges",
    path = "/calendars/changes", tag = "calendars",
    responses(
        (status = 200, body = Page<CalendarChange>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list(
    State(engine): State<Engine>,
    visitor: Visitor,
) -> Result<Json<Page<CalendarChange>>, Problem> {
    let changes = engine.calendar_changes(&visitor.principal).await?;
    Ok(Json(Page::whole(changes)))
}

/// Open deadlines that the change of a calendar moves, or would move: each with the old and the
/// new moment.
///
/// Only of a change that waits for a decision or is being carried out: `no-calendar-change`
/// otherwise. A page may hold fewer than asked for.
#[utoipa::path(
    get, operation_id = "listDeadlineMoves",
    path = "/calendars/changes/{calendar}", tag = "calendars",
    params(("calendar" = String, Path), LinesQuery),
    responses(
        (status = 200, body = Page<DeadlineMove>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn lines(
    State(engine): State<Engine>,
    visitor: Visitor,
    Id(calendar): Id,
    Checked(query): Checked<LinesQuery>,
) -> Result<Json<Page<DeadlineMove>>, Problem> {
    let who = &visitor.principal;
    let page = engine
        .calendar_change(who, &calendar, query.cursor, query.limit)
        .await?;
    Ok(Json(Page::of(page)))
}

/// Have open deadlines follow a calendar that has changed.
///
/// They are computed again from their rule and their start; what would lie in the past is due at
/// once. Duties on the wall clock stay. It goes on after the answer, and over a crash.
#[utoipa::path(
    post, operation_id = "applyCalendarChange",
    path = "/calendars/changes/{calendar}/apply", tag = "calendars",
    params(("calendar" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = CalendarChangeRequest,
    responses(
        (status = 200, body = CalendarChange),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn apply(
    State(engine): State<Engine>,
    visitor: Visitor,
    Id(calendar): Id,
    posted: Posted,
) -> Result<Json<CalendarChange>, Problem> {
    decide(&engine, &visitor, &calendar, posted, true).await
}

/// Leave open deadlines as they are although their calendar has changed.
#[utoipa::path(
    post, operation_id = "keepDeadlines",
    path = "/calendars/changes/{calendar}/keep", tag = "calendars",
    params(("calendar" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = CalendarChangeRequest,
    responses(
        (status = 200, body = CalendarChange),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn keep(
    State(engine): State<Engine>,
    visitor: Visitor,
    Id(calendar): Id,
    posted: Posted,
) -> Result<Json<CalendarChange>, Problem> {
    decide(&engine, &visitor, &calendar, posted, false).await
}

async fn decide(
    engine: &Engine,
    visitor: &Visitor,
    calendar: &str,
    posted: Posted,
    apply: bool,
) -> Result<Json<CalendarChange>, Problem> {
    let request: CalendarChangeRequest = posted.json()?;
    let decision = OnChange {
        apply,
        version: request.version,
        reason: request.reason,
    };
    let who = &visitor.principal;
    let view = engine
        .decide_calendar_change(who, calendar, decision, posted.key)
        .await?;
    Ok(Json(view.into()))
}

/// The calendar that a case counts its days by.
#[utoipa::path(
    get, operation_id = "getCaseCalendar",
    path = "/cases/{id}/calendar", tag = "cases", params(("id" = String, Path)),
    responses(
        (status = 200, body = CaseCalendar),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn of_case(
    State(engine): State<Engine>,
    visitor: Visitor,
    Id(id): Id,
) -> Result<Json<CaseCalendar>, Problem> {
    let view = engine.case_calendar(&visitor.principal, &id).await?;
    Ok(Json(view.into()))
}

/// Have a case count its days by another calendar.
///
/// It counts for what is offered from here on; open deadlines stay. A task that names a calendar
/// of its own goes before it. `unknown-calendar` names those there are.
#[utoipa::path(
    post, operation_id = "setCaseCalendar",
    path = "/cases/{id}/calendar", tag = "cases",
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = CaseCalendarRequest,
    responses(
        (status = 200, body = CaseCalendar),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn set_for_case(
    State(engine): State<Engine>,
    visitor: Visitor,
    Id(id): Id,
    posted: Posted,
) -> Result<Json<CaseCalendar>, Problem> {
    let request: CaseCalendarRequest = posted.json()?;
    let who = &visitor.principal;
    let view = engine
        .set_case_calendar(who, &id, request.calendar, posted.key)
        .await?;
    Ok(Json(view.into()))
}
