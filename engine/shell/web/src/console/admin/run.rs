//! One run for those who look after it: how it stands, why it failed, what was tried; try it again
//! or end it. After a retry it says what became of it, whatever that is.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use casewright_runtime::Engine;
use casewright_runtime::engine::Retry;
use serde::Deserialize;

use super::cause::{self, Cause};
use super::only_administrators;
use crate::console::address::{Lenient, encoded};
use crate::console::case;
use crate::console::chrome::{Chrome, Place, page};
use crate::console::failure::{Explanation, explain};
use crate::console::keys::request_key;
use crate::console::member::{Member, Submission};
use crate::console::when::Wall;
use crate::console::words::humanize;
use crate::problem::Problem;

#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct RunQuery {
    tried: Option<String>,
}

#[derive(Template)]
#[template(path = "admin/run.html")]
struct Page {
    chrome: Chrome,
    id: String,
    workflow: String,
    status: &'static str,
    cause: Option<(Cause, String)>,
    retryable: bool,
    /// What became of the retry that led here.
    outcome: Option<&'static str>,
    going: bool,
    tries: Vec<(String, String)>,
    key: String,
    reason: String,
    certain: bool,
    errors: Vec<(String, String)>,
    refusal: Option<Explanation>,
}

pub(crate) async fn show(
    State(engine): State<Engine>,
    member: Member,
    Path(id): Path<String>,
    Lenient(query): Lenient<RunQuery>,
) -> Result<Response, Problem> {
    let mut body = draw(&engine, &member, id).await?;
    if query.tried.is_some() {
        body.outcome = Some(if body.cause.is_some() {
            "It was tried again and failed again. The cause is below."
        } else if body.going {
            "It goes on. Look again to see what becomes of it."
        } else {
            "It was tried again and has come to its end."
        });
    }
    Ok(page(StatusCode::OK, &body))
}

pub(crate) async fn retry(
    State(engine): State<Engine>,
    Path(id): Path<String>,
    submission: Submission,
) -> Result<Response, Problem> {
    let member = &submission.member;
    let reason = submission.value("reason").unwrap_or_default().to_owned();
    let certain = submission.value("certain").is_some();
    let retry = Retry {
        reason: reason.clone(),
        certain,
    };
    let tried = engine.retry(&member.principal, &id, retry, submission.key.clone());
    let problem = match tried.await {
        Ok(_) => {
            let address = format!("/admin/instances/{}?tried=1", encoded(&id));
            return Ok(Redirect::to(&address).into_response());
        }
        Err(refused) => Problem::from(refused),
    };
    refused(&engine, member, id, problem, |body| {
        body.reason = reason;
        body.certain = true;
    })
    .await
}

pub(crate) async fn cancel(
    State(engine): State<Engine>,
    Path(id): Path<String>,
    submission: Submission,
) -> Result<Response, Problem> {
    let member = &submission.member;
    only_administrators(member)?;
    let reason = submission.value("reason").unwrap_or_default().to_owned();
    let cancelled = engine.cancel(&member.principal, &id, Some(reason), submission.key.clone());
    let problem = match cancelled.await {
        Ok(_) => {
            let address = format!("/admin/instances/{}", encoded(&id));
            return Ok(Redirect::to(&address).into_response());
        }
        Err(refused) => Problem::from(refused),
    };
    refused(&engine, member, id, problem, |_| ()).await
}

/// The page again with what stands against it; what cannot be shown is a page of its own.
async fn refused(
    engine: &Engine,
    member: &Member,
    id: String,
    problem: Problem,
    keep: impl FnOnce(&mut Page),
) -> Result<Response, Problem> {
    if !matches!(
        problem.code(),
        "in-doubt" | "not-retryable" | "invalid-input" | "busy" | "already-ended"
    ) {
        return Err(problem);
    }
    let mut body = draw(engine, member, id).await?;
    keep(&mut body);
    body.chrome = body.chrome.faulty(true);
    if problem.code() == "invalid-input" {
        let sentence = "Say in a few words what was done about the cause";
        body.errors = vec![("reason".to_owned(), sentence.to_owned())];
        body.certain = false;
    } else {
        body.certain &= problem.code() == "in-doubt";
        body.refusal = Some(explain(problem.code(), problem.detail()));
    }
    Ok(page(problem.status(), &body))
}

async fn draw(engine: &Engine, member: &Member, id: String) -> Result<Page, Problem> {
    let who = &member.principal;
    let run = engine.instance(who, &id).await?;
    only_administrators(member)?;
    let wall = Wall::new(engine.zone(who), engine.now());
    let history = engine.history(who, &id, 0).await?;
    let tries = history
        .into_iter()
        .filter(|entry| entry.event == "retried")
        .map(|entry| (wall.moment(entry.at), entry.reason.unwrap_or_default()));
    let going = matches!(
        run.status.as_str(),
        "pending" | "running" | "waiting" | "suspended"
    );
    let failed = (run.status == "faulted").then_some(run.error).flatten();
    let cause = failed.map(|error| {
        let code = error["type"].as_str().unwrap_or_default().to_owned();
        (cause::told(&code), cause::short(&code).to_owned())
    });
    let workflow = humanize(&run.workflow);
    Ok(Page {
        chrome: Chrome::new(member, Place::Runs, format!("A run of {workflow}")),
        status: case::status(&run.status),
        workflow,
        cause,
        retryable: run.retryable,
        outcome: None,
        going,
        tries: tries.collect(),
        key: request_key(),
        reason: String::new(),
        certain: false,
        errors: Vec::new(),
        refusal: None,
        id,
    })
}
