//! What failed, grouped by cause, the latest first.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use casewright_runtime::Engine;
use casewright_runtime::view::{FailureView, RunFilter, RunView};
use serde::Deserialize;

use super::cause::{self, Cause};
use crate::console::address::{Lenient, encoded};
use crate::console::chrome::{Chrome, Place, page};
use crate::console::keys::request_key;
use crate::console::member::Member;
use crate::console::when::Wall;
use crate::console::words::humanize;
use crate::problem::Problem;

/// Failed runs of one page.
const RUNS_MAX: usize = 50;

#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct FailuresQuery {
    cursor: Option<String>,
}

#[derive(Template)]
#[template(path = "admin/failures.html")]
struct Page {
    chrome: Chrome,
    groups: Vec<Group>,
    next: Option<String>,
    later: bool,
}

/// Runs that failed for the same cause.
struct Group {
    workflow: String,
    task: String,
    code: String,
    cause: Cause,
    first: String,
    last: String,
    runs: Vec<Line>,
}

struct Line {
    id: String,
    case_number: String,
    failed: String,
    retryable: bool,
    key: String,
}

pub(crate) async fn show(
    State(engine): State<Engine>,
    member: Member,
    Lenient(query): Lenient<FailuresQuery>,
) -> Result<Response, Problem> {
    let who = &member.principal;
    let later = query.cursor.is_some();
    let filter = RunFilter {
        status: Some("faulted".to_owned()),
        limit: Some(RUNS_MAX),
        cursor: query.cursor,
        workflow: None,
    };
    let found = engine.runs(who, filter).await?;
    let wall = Wall::new(engine.zone(who), engine.now());
    let body = Page {
        chrome: Chrome::new(&member, Place::Failures, "What failed"),
        groups: groups(found.items, &wall),
        next: found
            .next
            .map(|cursor| format!("/admin/failures?cursor={}", encoded(&cursor))),
        later,
    };
    Ok(page(StatusCode::OK, &body))
}

fn groups(runs: Vec<RunView>, wall: &Wall) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for run in runs {
        let ended = run.ended.unwrap_or(run.started);
        let failed = wall.moment(ended);
        let FailureView {
            task,
            code,
            retryable,
        } = run.failure.unwrap_or(FailureView {
            task: String::new(),
            code: "raised".to_owned(),
            retryable: false,
        });
        let line = Line {
            id: run.id,
            case_number: run.case_number,
            failed: failed.clone(),
            retryable,
            key: request_key(),
        };
        let workflow = humanize(&run.workflow);
        let task = humanize(&task);
        let cause = cause::told(&code);
        let code = cause::short(&code).to_owned();
        let same = |group: &&mut Group| {
            (&group.workflow, &group.task, &group.code) == (&workflow, &task, &code)
        };
        if let Some(group) = groups.iter_mut().find(same) {
            group.first = failed;
            group.runs.push(line);
            continue;
        }
        groups.push(Group {
            cause,
            workflow,
            task,
            code,
            first: failed.clone(),
            last: failed,
            runs: vec![line],
        });
    }
    groups
}
