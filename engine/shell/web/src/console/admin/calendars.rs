//! Calendars that changed while work was open: what is asked, what it would move, and the decision.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use casewright_runtime::Engine;
use casewright_runtime::engine::OnChange;
use casewright_runtime::view::{CalendarChangeView, DeadlineMoveView};
use serde::Deserialize;

use super::only_administrators;
use crate::console::address::{Lenient, encoded};
use crate::console::chrome::{Chrome, Place, page};
use crate::console::failure::{Explanation, explain};
use crate::console::keys::request_key;
use crate::console::member::{Member, Submission};
use crate::console::when::Wall;
use crate::console::words::term;
use crate::problem::Problem;

/// Lines of a page: as many as anybody reads before they decide.
const LINES: usize = 100;

#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct LinesQuery {
    cursor: Option<String>,
}

#[derive(Template)]
#[template(path = "admin/calendars.html")]
struct ListPage {
    chrome: Chrome,
    lines: Vec<Line>,
}

struct Line {
    name: String,
    address: Option<String>,
    state: String,
    decided: Vec<String>,
}

#[derive(Template)]
#[template(path = "admin/calendar.html")]
struct ChangePage {
    chrome: Chrome,
    address: String,
    /// Somebody is to decide; otherwise it is being carried out.
    asked: bool,
    since: String,
    version: String,
    lines: Vec<Row>,
    next: Option<String>,
    key: String,
    reason: String,
    errors: Vec<(String, String)>,
    refusal: Option<Explanation>,
}

struct Row {
    case: String,
    case_number: String,
    task: String,
    item: String,
    rule: String,
    before: String,
    after: String,
}

pub(crate) async fn list(
    State(engine): State<Engine>,
    member: Member,
) -> Result<Response, Problem> {
    only_administrators(&member)?;
    let who = &member.principal;
    let wall = Wall::new(engine.zone(who), engine.now());
    let changes = engine.calendar_changes(who).await?.into_iter();
    let body = ListPage {
        lines: changes.map(|change| line(change, &wall)).collect(),
        chrome: Chrome::new(&member, Place::Calendars, "Calendars that changed"),
    };
    Ok(page(StatusCode::OK, &body))
}

pub(crate) async fn show(
    State(engine): State<Engine>,
    member: Member,
    Path(name): Path<String>,
    Lenient(query): Lenient<LinesQuery>,
) -> Result<Response, Problem> {
    let body = draw(&engine, &member, &name, query.cursor).await?;
    Ok(page(StatusCode::OK, &body))
}

pub(crate) async fn apply(
    State(engine): State<Engine>,
    Path(name): Path<String>,
    submission: Submission,
) -> Result<Response, Problem> {
    decide(&engine, &submission, &name, true).await
}

pub(crate) async fn keep(
    State(engine): State<Engine>,
    Path(name): Path<String>,
    submission: Submission,
) -> Result<Response, Problem> {
    decide(&engine, &submission, &name, false).await
}

async fn decide(
    engine: &Engine,
    submission: &Submission,
    name: &str,
    apply: bool,
) -> Result<Response, Problem> {
    let member = &submission.member;
    only_administrators(member)?;
    let reason = submission.value("reason").unwrap_or_default().to_owned();
    let decision = OnChange {
        apply,
        version: submission.value("_version").map(str::to_owned),
        reason: reason.clone(),
    };
    let key = submission.key.clone();
    let who = &member.principal;
    let decided = engine.decide_calendar_change(who, name, decision, key);
    let problem = match decided.await {
        Ok(_) => return Ok(Redirect::to("/admin/calendars").into_response()),
        Err(refused) => Problem::from(refused),
    };
    if !matches!(problem.code(), "invalid-input" | "stale-revision" | "busy") {
        return Err(problem);
    }
    let mut body = draw(engine, member, name, None).await?;
    body.reason = reason;
    body.chrome = body.chrome.faulty(true);
    if problem.code() == "invalid-input" {
        let sentence = "Say in a few words why";
        body.errors = vec![("reason".to_owned(), sentence.to_owned())];
    } else {
        body.refusal = Some(explain(problem.code(), problem.detail()));
    }
    Ok(page(problem.status(), &body))
}

async fn draw(
    engine: &Engine,
    member: &Member,
    name: &str,
    cursor: Option<String>,
) -> Result<ChangePage, Problem> {
    only_administrators(member)?;
    let who = &member.principal;
    let wall = Wall::new(engine.zone(who), engine.now());
    let changes = engine.calendar_changes(who).await?;
    let change = changes.into_iter().find(|change| change.calendar == name);
    let change = change.ok_or_else(Problem::not_found)?;
    let lines = engine.calendar_change(who, name, cursor, Some(LINES));
    let lines = lines.await?;
    Ok(ChangePage {
        chrome: Chrome::new(member, Place::Calendars, format!("The calendar {name}")),
        address: format!("/admin/calendars/{}", encoded(name)),
        asked: change.state == "asked",
        since: change.since.map(|at| wall.moment(at)).unwrap_or_default(),
        version: change.version.unwrap_or_default(),
        lines: lines.items.into_iter().map(|one| row(one, &wall)).collect(),
        next: lines.next.map(|cursor| encoded(&cursor)),
        key: request_key(),
        reason: String::new(),
        errors: Vec::new(),
        refusal: None,
    })
}

fn line(change: CalendarChangeView, wall: &Wall) -> Line {
    let since = change.since.map(|at| wall.moment(at)).unwrap_or_default();
    let open = change.state != "settled";
    let state = match change.state.as_str() {
        "asked" => format!("It changed on {since}. Somebody has to decide."),
        "moving" => format!("It changed on {since}. Open due dates are being moved."),
        _ => "Nothing is to be decided.".to_owned(),
    };
    let decided = change.decided.iter().map(|one| {
        let words = match one.outcome.as_str() {
            "moved" => "open due dates were moved",
            "kept" => "open due dates stayed",
            _ => "it changed again before anybody decided",
        };
        let reason = one.reason.as_deref();
        let reason = reason.map_or_else(String::new, |reason| format!(" ({reason})"));
        format!("{}: {words}{reason}", wall.moment(one.at))
    });
    Line {
        address: open.then(|| format!("/admin/calendars/{}", encoded(&change.calendar))),
        decided: decided.collect(),
        name: change.calendar,
        state,
    }
}

fn row(one: DeadlineMoveView, wall: &Wall) -> Row {
    let due = |due: Option<jiff::Timestamp>| due.map_or("–".to_owned(), |due| wall.due(due));
    let rule = one.rule.map_or_else(String::new, |rule| {
        format!("{} from {}", term(&rule).0, wall.date(one.from))
    });
    let after = if one.at_once {
        "at once: the new day has passed".to_owned()
    } else {
        due(one.new_due)
    };
    Row {
        before: due(one.due),
        after,
        rule,
        case: one.case,
        case_number: one.case_number,
        task: one.task,
        item: one.work_item,
    }
}
