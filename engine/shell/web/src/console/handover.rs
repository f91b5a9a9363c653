//! A task that goes to somebody else: handed over for a while, given to a colleague or to others by
//! whoever arranges, or skipped. A refusal is the task again, with the reason that was typed.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use casewright_casework::work_item::Assigned;
use casewright_runtime::Engine;
use casewright_runtime::engine::{Give, HandOver, Reassign};

use crate::console::member::Submission;
use crate::console::notice::Notice;
use crate::console::task::draw::Attempt;
use crate::console::task::settle;
use crate::moment;
use crate::problem::Problem;

pub(crate) async fn delegate(
    State(engine): State<Engine>,
    Path(id): Path<String>,
    submission: Submission,
) -> Result<Response, Problem> {
    let who = &submission.member.principal;
    let day = text(&submission, "_until");
    let Some(until) = moment::read(&day, &engine.zone(who)) else {
        let sentence = "choose the day on which it comes back to you";
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        let problem = Problem::new(status, "handover-invalid", sentence);
        return settle(&engine, &submission, &id, Err(problem), typed(&submission)).await;
    };
    let hand_over = HandOver {
        to: text(&submission, "_colleague"),
        until,
        reason: text(&submission, "_why"),
    };
    let key = submission.key.clone();
    let answer = engine.hand_over(who, &id, hand_over, key).await;
    let answer = answer.map(|_| Notice::HandedOver);
    settle(&engine, &submission, &id, answer, typed(&submission)).await
}

pub(crate) async fn assign(
    State(engine): State<Engine>,
    Path(id): Path<String>,
    submission: Submission,
) -> Result<Response, Problem> {
    let who = &submission.member.principal;
    let give = Give {
        to: text(&submission, "_colleague"),
        reason: text(&submission, "_why"),
    };
    let answer = engine.give(who, &id, give, submission.key.clone()).await;
    let answer = answer.map(|_| Notice::Given);
    settle(&engine, &submission, &id, answer, typed(&submission)).await
}

pub(crate) async fn reassign(
    State(engine): State<Engine>,
    Path(id): Path<String>,
    submission: Submission,
) -> Result<Response, Problem> {
    let who = &submission.member.principal;
    let given = |name: &str| Some(text(&submission, name)).filter(|text| !text.is_empty());
    let to = match (given("_colleague"), given("_role"), given("_team")) {
        (Some(person), None, None) => Assigned::Person(person),
        (None, Some(role), None) => Assigned::Role(role),
        (None, None, Some(team)) => Assigned::Team(team),
        _ => {
            let sentence = "name one colleague, or one role or team";
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            let problem = Problem::new(status, "handover-invalid", sentence);
            return settle(&engine, &submission, &id, Err(problem), typed(&submission)).await;
        }
    };
    let reassign = Reassign {
        to,
        reason: text(&submission, "_why"),
    };
    let key = submission.key.clone();
    let answer = engine.reassign(who, &id, reassign, key).await;
    let answer = answer.map(|_| Notice::Given);
    settle(&engine, &submission, &id, answer, typed(&submission)).await
}

pub(crate) async fn skip(
    State(engine): State<Engine>,
    Path(id): Path<String>,
    submission: Submission,
) -> Result<Response, Problem> {
    let who = &submission.member.principal;
    let (reason, key) = (text(&submission, "_why"), submission.key.clone());
    let answer = engine.skip(who, &id, &reason, key).await;
    let answer = answer.map(|_| Notice::Skipped);
    settle(&engine, &submission, &id, answer, typed(&submission)).await
}

fn text(submission: &Submission, name: &str) -> String {
    submission.value(name).unwrap_or_default().trim().to_owned()
}

/// The reason as it was typed, for the same form once more.
fn typed(submission: &Submission) -> Attempt {
    Attempt {
        why: text(submission, "_why"),
        ..Attempt::default()
    }
}
