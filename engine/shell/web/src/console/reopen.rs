//! Opening a closed case again: the page that asks why, and its answer.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use casewright_runtime::Engine;

use crate::console::address::encoded;
use crate::console::chrome::{Chrome, Place, page};
use crate::console::failure::{Explanation, explain};
use crate::console::keys::request_key;
use crate::console::member::{Member, Submission};
use crate::console::notice::Notice;
use crate::problem::Problem;

/// What was typed, with what stands against it.
#[derive(Template)]
#[template(path = "reopen.html")]
struct ReopenPage {
    chrome: Chrome,
    case: String,
    number: String,
    key: String,
    reason: String,
    refusal: Option<Explanation>,
}

pub(crate) async fn blank(
    State(engine): State<Engine>,
    member: Member,
    Path(case): Path<String>,
) -> Result<Response, Problem> {
    draw(&engine, &member, case, "", None).await
}

pub(crate) async fn reopen(
    State(engine): State<Engine>,
    Path(case): Path<String>,
    submission: Submission,
) -> Result<Response, Problem> {
    let reason = submission.value("reason").unwrap_or_default();
    let (member, key) = (&submission.member, submission.key.clone());
    let reopened = engine.reopen(&member.principal, &case, reason, key).await;
    match reopened {
        Ok(_) => {
            let word = Notice::Reopened.word();
            let address = format!("/cases/{}?done={word}", encoded(&case));
            Ok(Redirect::to(&address).into_response())
        }
        Err(refused) => draw(&engine, member, case, reason, Some(refused.into())).await,
    }
}

async fn draw(
    engine: &Engine,
    member: &Member,
    case: String,
    reason: &str,
    problem: Option<Problem>,
) -> Result<Response, Problem> {
    let number = engine.case_number(&member.principal, &case).await?;
    let body = ReopenPage {
        chrome: Chrome::new(member, Place::Cases, "Open the case again").faulty(problem.is_some()),
        case,
        number,
        key: request_key(),
        reason: reason.to_owned(),
        refusal: problem
            .as_ref()
            .map(|problem| explain(problem.code(), problem.detail())),
    };
    let status = problem.map_or(StatusCode::OK, |problem| problem.status());
    Ok(page(status, &body))
}
