//! A piece of work: take it, give it back, answer it. The engine decides; a refusal becomes the
//! same page with the reason and with everything that was typed.

pub(super) mod draw;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use casewright_casework::Principal;
use casewright_language::Form;
use casewright_runtime::Engine;
use casewright_runtime::engine::{Complete, Unsent, Wait};
use casewright_runtime::view::{DraftView, WorkItemFilter, WorkItemView};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::console::address::{Lenient, encoded};
use crate::console::chrome::page;
use crate::console::fill;
use crate::console::member::{Member, Submission};
use crate::console::notice::Notice;
use crate::console::start::carry_retry;
use crate::console::task::draw::{Attempt, Surroundings, TaskPage};
use crate::console::when::Wall;
use crate::console::words::phrase;
use crate::moment;
use crate::problem::Problem;

#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct TaskQuery {
    done: Option<String>,
}

pub(crate) async fn show(
    State(engine): State<Engine>,
    member: Member,
    Path(id): Path<String>,
    Lenient(query): Lenient<TaskQuery>,
) -> Result<Response, Problem> {
    let item = engine.work_item(&member.principal, &id).await?;
    let notice = Notice::text_of(query.done.as_deref());
    draw(&engine, &member, item, Attempt::default(), notice).await
}

pub(crate) async fn claim(
    State(engine): State<Engine>,
    Path(id): Path<String>,
    submission: Submission,
) -> Result<Response, Problem> {
    let who = &submission.member.principal;
    let answer = engine.claim(who, &id, submission.key.clone()).await;
    let answer = answer.map(|_| Notice::Claimed);
    settle(&engine, &submission, &id, answer, Attempt::default()).await
}

pub(crate) async fn release(
    State(engine): State<Engine>,
    Path(id): Path<String>,
    submission: Submission,
) -> Result<Response, Problem> {
    let who = &submission.member.principal;
    let answer = engine.release(who, &id, submission.key.clone()).await;
    let answer = answer.map(|_| Notice::Released);
    settle(&engine, &submission, &id, answer, Attempt::default()).await
}

pub(crate) async fn hold(
    State(engine): State<Engine>,
    Path(id): Path<String>,
    submission: Submission,
) -> Result<Response, Problem> {
    let who = &submission.member.principal;
    let day = submission.value("_until").unwrap_or_default();
    let until = moment::read(day, &engine.zone(who));
    let typed = Attempt {
        wait_for: submission.value("_why").unwrap_or_default().to_owned(),
        ..Attempt::default()
    };
    if until.is_none() && !day.trim().is_empty() {
        let sentence = "choose the day on which it comes back";
        let problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "hold-invalid", sentence);
        return settle(&engine, &submission, &id, Err(problem), typed).await;
    }
    let reason = typed.wait_for.clone();
    let wait = Wait { until, reason };
    let answer = engine.hold(who, &id, wait, submission.key.clone()).await;
    let answer = answer.map(|_| Notice::Held);
    settle(&engine, &submission, &id, answer, typed).await
}

pub(crate) async fn resume(
    State(engine): State<Engine>,
    Path(id): Path<String>,
    submission: Submission,
) -> Result<Response, Problem> {
    let who = &submission.member.principal;
    let answer = engine.resume(who, &id, submission.key.clone()).await;
    let answer = answer.map(|_| Notice::Resumed);
    settle(&engine, &submission, &id, answer, Attempt::default()).await
}

/// After such a step: the task as it is then, or with the reason why not and what was typed.
pub(super) async fn settle(
    engine: &Engine,
    submission: &Submission,
    id: &str,
    answer: Result<Notice, impl Into<Problem>>,
    typed: Attempt,
) -> Result<Response, Problem> {
    match answer {
        Ok(notice) => Ok(go(id, notice)),
        Err(why) => {
            let attempt = Attempt {
                problem: Some(why.into()),
                ..typed
            };
            again(engine, &submission.member, id, attempt).await
        }
    }
}

/// Keeps what was typed, as it is. A script asks for JSON and stays on the page.
pub(crate) async fn keep(
    State(engine): State<Engine>,
    Path(id): Path<String>,
    headers: HeaderMap,
    submission: Submission,
) -> Result<Response, Problem> {
    let who = &submission.member.principal;
    let form = engine.form(who, &id).await?;
    let mut attempt = Attempt::of(&submission, form.as_ref());
    let unsent = Unsent {
        data: attempt.value.clone(),
        comment: Some(attempt.comment.clone()).filter(|text| !text.is_empty()),
    };
    let kept = engine.save_draft(who, &id, unsent).await;
    let by_script = headers
        .get(header::ACCEPT)
        .is_some_and(|accepted| accepted == "application/json");
    match kept {
        Ok(draft) if by_script => {
            let wall = Wall::new(engine.zone(who), engine.now());
            Ok(Json(json!({ "text": draw::kept(&draft, &wall) })).into_response())
        }
        Ok(_) => Ok(go(&id, Notice::Kept)),
        Err(refused) if by_script => Err(refused.into()),
        Err(refused) => {
            attempt.problem = Some(refused.into());
            again(&engine, &submission.member, &id, attempt).await
        }
    }
}

pub(crate) async fn complete(
    State(engine): State<Engine>,
    Path(id): Path<String>,
    submission: Submission,
) -> Result<Response, Problem> {
    let member = &submission.member;
    let item = engine.work_item(&member.principal, &id).await?;
    let form = engine.form(&member.principal, &id).await?;
    let mut attempt = Attempt::of(&submission, form.as_ref());
    if attempt.more.is_some() {
        return draw(&engine, member, item, attempt, None).await;
    }
    let outcome = submission.value("_outcome").unwrap_or_default();
    attempt.errors = missing(&item, outcome, &attempt.comment);
    if !attempt.errors.is_empty() {
        return draw(&engine, member, item, attempt, None).await;
    }
    let request = Complete {
        outcome: outcome.to_owned(),
        data: attempt.value.clone(),
        comment: Some(attempt.comment.clone()).filter(|text| !text.is_empty()),
        revision: submission
            .value("_revision")
            .and_then(|text| text.parse().ok()),
        shown: submission.value("_shown").map(str::to_owned),
    };
    let key = submission.key.clone();
    match engine.complete(&member.principal, &id, request, key).await {
        Ok(done) if done.state == "completed" => Ok(go(&id, Notice::Sent)),
        Ok(_) => Ok(go(&id, Notice::MoreNeeded)),
        Err(refused) => {
            let problem = Problem::from(refused);
            let fields = problem.fields();
            attempt.errors = fields.map(|(a, b)| (a.to_owned(), b.to_owned())).collect();
            attempt.problem = Some(problem);
            again(&engine, member, &id, attempt).await
        }
    }
}

/// What the console asks for before it sends: an answer, and a reason where one is owed.
fn missing(item: &WorkItemView, outcome: &str, comment: &str) -> Vec<(String, String)> {
    if outcome.is_empty() {
        let choices: Vec<_> = item.outcomes.iter().map(|name| phrase(name)).collect();
        let message = format!("Choose an answer: {}", choices.join(", "));
        return vec![("_outcome".to_owned(), message)];
    }
    if reason_needed(item, outcome) && comment.is_empty() {
        let message = format!("Enter a reason to {}", phrase(outcome));
        return vec![("_comment".to_owned(), message)];
    }
    Vec::new()
}

/// Whoever is told no is told why.
fn reason_needed(item: &WorkItemView, outcome: &str) -> bool {
    matches!(outcome, "decline" | "ask-for-changes" | "reject" | "return")
        || (item.approval && outcome != "approve")
}

impl Attempt {
    fn of(submission: &Submission, form: Option<&Form>) -> Self {
        let fields = submission.fields();
        Self {
            value: form.map_or_else(|| json!({}), |form| fill::gather(form, &fields)),
            typed: fields,
            comment: submission
                .value("_comment")
                .unwrap_or_default()
                .trim()
                .to_owned(),
            more: submission.value("_add").map(str::to_owned),
            made: true,
            ..Self::default()
        }
    }
}

/// Draws the task as it is after a refusal.
async fn again(
    engine: &Engine,
    member: &Member,
    id: &str,
    attempt: Attempt,
) -> Result<Response, Problem> {
    let item = engine.work_item(&member.principal, id).await?;
    draw(engine, member, item, attempt, None).await
}

async fn draw(
    engine: &Engine,
    member: &Member,
    item: WorkItemView,
    mut attempt: Attempt,
    notice: Option<String>,
) -> Result<Response, Problem> {
    let who = &member.principal;
    let draft = match &item.claimed_by {
        Some(holder) if holder.id == who.id => engine.draft(who, &item.id).await?,
        _ => None,
    };
    attempt.go_on_from(draft.as_ref());
    let legend = engine.legend(who, &item.id).await?;
    let onward = match item.state.as_str() {
        "completed" | "withdrawn" => onward(engine, who, &item).await?,
        _ => None,
    };
    let surroundings = Surroundings {
        wall: Wall::new(engine.zone(who), engine.now()),
        legend,
        draft,
        onward,
        workflows: engine.workflows(who).await?,
        funds: engine.funds(who).await.unwrap_or_default(),
        before: engine.timeline(who, &item.case).await.unwrap_or_default(),
    };
    let problem = attempt.problem.clone();
    let status = attempt.status();
    let body = TaskPage::new(member, item, &attempt, &surroundings, notice);
    let mut response = page(status, &body);
    if let Some(problem) = problem {
        carry_retry(&problem, &mut response);
    }
    Ok(response)
}

/// The next open task of the same case that the person can do: of the same run first.
async fn onward(
    engine: &Engine,
    who: &Principal,
    done: &WorkItemView,
) -> Result<Option<(String, String)>, Problem> {
    let filter = WorkItemFilter {
        case: Some(done.case.clone()),
        ..WorkItemFilter::default()
    };
    let mine = |item: &WorkItemView| {
        let holder = item.claimed_by.as_ref();
        item.barred.is_none() && holder.map_or(item.claimable, |holder| holder.id == who.id)
    };
    let open = engine.work_items(who, filter).await?.items;
    let mut open: Vec<_> = open.into_iter().filter(mine).collect();
    open.sort_by_key(|item| item.instance != done.instance);
    Ok(open.into_iter().next().map(|item| (item.id, item.title)))
}

fn go(id: &str, notice: Notice) -> Response {
    let address = format!("/tasks/{}?done={}", encoded(id), notice.word());
    Redirect::to(&address).into_response()
}

impl Attempt {
    /// Without a new try, the form shows what was typed before.
    fn go_on_from(&mut self, draft: Option<&DraftView>) {
        if let (false, Some(draft)) = (self.made, draft) {
            self.made = true;
            self.value = draft.data.clone();
            self.comment = draft.comment.clone().unwrap_or_default();
        }
    }

    fn status(&self) -> StatusCode {
        match &self.problem {
            Some(problem) => problem.status(),
            None if self.errors.is_empty() => StatusCode::OK,
            None => StatusCode::UNPROCESSABLE_ENTITY,
        }
    }

    /// The value the form shows: what was typed, or what the task brings along.
    fn shown(&self, form: &Form, item: &WorkItemView) -> Value {
        if self.made {
            self.value.clone()
        } else if item.approval {
            json!({})
        } else {
            fill::first_value(form, &item.show)
        }
    }
}
