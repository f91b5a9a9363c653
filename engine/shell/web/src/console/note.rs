//! A note of a case: written from the case page, shown in its timeline.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use casewright_runtime::Engine;

use crate::console::address::encoded;
use crate::console::chrome::{Chrome, Place, page};
use crate::console::failure::{Explanation, explain};
use crate::console::keys::request_key;
use crate::console::member::Submission;
use crate::console::notice::Notice;
use crate::problem::Problem;

/// What was typed, with what stands against it.
#[derive(Template)]
#[template(path = "note.html")]
struct NotePage {
    chrome: Chrome,
    case: String,
    key: String,
    text: String,
    errors: Vec<(String, String)>,
    refusal: Option<Explanation>,
}

pub(crate) async fn add(
    State(engine): State<Engine>,
    Path(case): Path<String>,
    submission: Submission,
) -> Result<Response, Problem> {
    let text = submission.value("text").unwrap_or_default();
    let who = &submission.member.principal;
    let added = engine.add_note(who, &case, text, None, submission.key.clone());
    let problem = match added.await {
        Ok(_) => {
            let word = Notice::NoteSaved.word();
            let address = format!("/cases/{}?done={word}#timeline", encoded(&case));
            return Ok(Redirect::to(&address).into_response());
        }
        Err(refused) => Problem::from(refused),
    };
    let errors = problem.fields();
    let errors: Vec<_> = errors
        .map(|(field, message)| (field.to_owned(), message.to_owned()))
        .collect();
    let refusal = errors
        .is_empty()
        .then(|| explain(problem.code(), problem.detail()));
    let body = NotePage {
        chrome: Chrome::new(&submission.member, Place::Cases, "Write a note").faulty(true),
        case,
        key: request_key(),
        text: text.to_owned(),
        errors,
        refusal,
    };
    Ok(page(problem.status(), &body))
}
