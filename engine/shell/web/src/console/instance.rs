//! A run of a workflow: its picture with the present task lit, and the same as a list.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use casewright_language::picture::{Mark, Marks, Picture, Shape};
use casewright_runtime::Engine;
use serde_json::Value;

use crate::console::admin::cause::{self, Cause};
use crate::console::case;
use crate::console::chrome::{Chrome, Place, page};
use crate::console::failure::sentence;
use crate::console::member::Member;
use crate::problem::Problem;

#[derive(Template)]
#[template(path = "instance.html")]
struct Page {
    chrome: Chrome,
    id: String,
    case: String,
    number: String,
    status: &'static str,
    /// Why it failed, and what it said itself.
    failure: Option<(Cause, String)>,
    /// Where whoever looks after it has it go on.
    mend: bool,
    drawing: String,
    steps: Vec<StepLine>,
}

struct StepLine {
    label: String,
    detail: String,
    stand: &'static str,
}

pub(crate) async fn show(
    State(engine): State<Engine>,
    member: Member,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let who = &member.principal;
    let instance = engine.instance(who, &id).await?;
    let case = engine.case(who, &instance.case).await?;
    let (picture, marks) = engine.picture(who, &id).await?;
    let body = Page {
        chrome: Chrome::new(&member, Place::Cases, picture.title.clone()),
        status: case::status(&instance.status),
        mend: member.administers && instance.retryable,
        failure: instance.error.as_ref().map(failure),
        id: instance.id,
        drawing: picture.svg("workflow", &marks, &|_| None),
        steps: lines(&picture, &marks),
        case: case.id,
        number: case.number,
    };
    Ok(page(StatusCode::OK, &body))
}

fn failure(error: &Value) -> (Cause, String) {
    let code = error["type"].as_str().unwrap_or_default();
    let said = error["detail"].as_str().or_else(|| error["title"].as_str());
    (cause::told(code), sentence(said.unwrap_or_default()))
}

/// What the picture shows, in the order of the document, without its start and end.
fn lines(picture: &Picture, marks: &Marks) -> Vec<StepLine> {
    let steps = picture.steps.iter().enumerate();
    let steps = steps.filter(|(_, step)| !matches!(step.shape, Shape::Start | Shape::End));
    let line = |(index, step): (usize, &casewright_language::picture::Step)| StepLine {
        label: titled(picture, step.frame, &step.label),
        detail: step.detail.clone().unwrap_or_default(),
        stand: picture.mark(index, marks).map_or("Not yet", Mark::word),
    };
    steps.map(line).collect()
}

/// With the names of the groups around it.
fn titled(picture: &Picture, frame: Option<usize>, label: &str) -> String {
    match frame.and_then(|frame| picture.frames.get(frame)) {
        Some(frame) => titled(picture, frame.outer, &format!("{}: {label}", frame.label)),
        None => label.to_owned(),
    }
}
