//! All runs of the agency, latest first; the filter stands in the address.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use casewright_runtime::Engine;
use casewright_runtime::view::RunFilter;
use serde::Deserialize;

use crate::console::address::{Lenient, encoded};
use crate::console::case;
use crate::console::chrome::{Chrome, Place, page};
use crate::console::member::Member;
use crate::console::when::Wall;
use crate::console::words::humanize;
use crate::problem::Problem;

const STATUSES: [&str; 5] = ["running", "waiting", "faulted", "completed", "cancelled"];

#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct RunsQuery {
    status: Option<String>,
    workflow: Option<String>,
    cursor: Option<String>,
}

#[derive(Template)]
#[template(path = "admin/runs.html")]
struct Page {
    chrome: Chrome,
    statuses: Vec<Choice>,
    workflows: Vec<Choice>,
    lines: Vec<Line>,
    next: Option<String>,
}

struct Choice {
    value: String,
    title: String,
    chosen: bool,
}

struct Line {
    id: String,
    workflow: String,
    case_number: String,
    status: &'static str,
    started: String,
    ended: String,
}

pub(crate) async fn show(
    State(engine): State<Engine>,
    member: Member,
    Lenient(query): Lenient<RunsQuery>,
) -> Result<Response, Problem> {
    let who = &member.principal;
    let given = |text: Option<String>| text.filter(|text| !text.is_empty());
    // A word from an old link that is no status is no filter.
    let known = |status: &String| STATUSES.contains(&status.as_str());
    let status = given(query.status).filter(known);
    let workflow = given(query.workflow);
    let filter = RunFilter {
        status: status.clone(),
        workflow: workflow.clone(),
        cursor: query.cursor,
        limit: None,
    };
    let found = engine.runs(who, filter).await?;
    let wall = Wall::new(engine.zone(who), engine.now());
    let lines = found.items.into_iter().map(|run| Line {
        workflow: humanize(&run.workflow),
        status: case::status(&run.status),
        started: wall.moment(run.started),
        ended: run.ended.map(|at| wall.moment(at)).unwrap_or_default(),
        case_number: run.case_number,
        id: run.id,
    });
    let lines: Vec<Line> = lines.collect();
    let next = found.next.map(|cursor| {
        let text = |given: &Option<String>| encoded(given.as_deref().unwrap_or_default());
        let (status, workflow) = (text(&status), text(&workflow));
        let cursor = encoded(&cursor);
        format!("/admin/instances?status={status}&workflow={workflow}&cursor={cursor}")
    });
    let statuses = STATUSES.iter().map(|&value| Choice {
        value: value.to_owned(),
        title: case::status(value).to_owned(),
        chosen: status.as_deref() == Some(value),
    });
    let statuses = statuses.collect();
    let workflows = engine.workflows(who).await?.into_iter().map(|one| Choice {
        title: one.title.unwrap_or_else(|| humanize(&one.name)),
        chosen: workflow.as_deref() == Some(one.name.as_str()),
        value: one.name,
    });
    let body = Page {
        chrome: Chrome::new(&member, Place::Runs, "Runs"),
        statuses,
        workflows: workflows.collect(),
        lines,
        next,
    };
    Ok(page(StatusCode::OK, &body))
}
