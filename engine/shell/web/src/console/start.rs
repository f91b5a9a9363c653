//! Starting something: the workflows that have a form for it, the form, the start.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use casewright_language::Form;
use casewright_runtime::Engine;
use casewright_runtime::engine::Start;
use casewright_runtime::view::WorkflowView;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::console::address::{Lenient, encoded};
use crate::console::chrome::{Chrome, Place, page};
use crate::console::failure::{Explanation, explain, sentence};
use crate::console::fill::{self, Filled};
use crate::console::keys::request_key;
use crate::console::member::{Member, Submission};
use crate::console::notice::Notice;
use crate::console::words::humanize;
use crate::problem::Problem;

#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct StartQuery {
    case: Option<String>,
}

#[derive(Template)]
#[template(path = "start_list.html")]
struct ListPage {
    chrome: Chrome,
    /// Address and title.
    choices: Vec<(String, String)>,
}

#[derive(Template)]
#[template(path = "start.html")]
struct FormPage {
    chrome: Chrome,
    form: Filled,
    case: String,
    key: String,
    refusal: Option<Explanation>,
}

pub(crate) async fn list(
    State(engine): State<Engine>,
    member: Member,
    Lenient(query): Lenient<StartQuery>,
) -> Result<Response, Problem> {
    let workflows = engine.workflows(&member.principal).await?;
    let case = query.case.filter(|id| !id.is_empty());
    let tail = case.map_or_else(String::new, |id| format!("?case={}", encoded(&id)));
    let choices = workflows
        .iter()
        .filter(|workflow| workflow.start_form.is_some())
        .map(|workflow| {
            (
                format!("/start/{}{tail}", encoded(&workflow.name)),
                title(workflow),
            )
        })
        .collect();
    let body = ListPage {
        chrome: Chrome::new(&member, Place::Start, "Start something"),
        choices,
    };
    Ok(page(StatusCode::OK, &body))
}

pub(crate) async fn show(
    State(engine): State<Engine>,
    member: Member,
    Path(name): Path<String>,
    Lenient(query): Lenient<StartQuery>,
) -> Result<Response, Problem> {
    let (workflow, form) = find(&engine, &member, &name).await?;
    let filled = fill::fill(&form, &json!({}), &[], None);
    let case = query.case.unwrap_or_default();
    Ok(form_page(
        StatusCode::OK,
        &member,
        &workflow,
        filled,
        case,
        None,
    ))
}

pub(crate) async fn start(
    State(engine): State<Engine>,
    Path(name): Path<String>,
    submission: Submission,
) -> Result<Response, Problem> {
    let member = &submission.member;
    let (workflow, form) = find(&engine, member, &name).await?;
    let value = fill::gather(&form, &submission.fields());
    let case = submission.value("_case").unwrap_or_default().to_owned();
    let more = submission.value("_add");
    if more.is_some() {
        let filled = fill::fill(&form, &value, &[], more);
        return Ok(form_page(
            StatusCode::OK,
            member,
            &workflow,
            filled,
            case,
            None,
        ));
    }
    let errors: Vec<_> = form
        .check(&value)
        .into_iter()
        .map(|error| (error.field, error.message))
        .collect();
    let invalid = StatusCode::UNPROCESSABLE_ENTITY;
    if !errors.is_empty() {
        let filled = fill::fill(&form, &value, &errors, None);
        return Ok(form_page(invalid, member, &workflow, filled, case, None));
    }
    let request = Start {
        workflow: full_name(&workflow),
        version: Some(workflow.version.clone()),
        case: Some(case.clone()).filter(|id| !id.is_empty()),
        input: value.clone(),
    };
    match engine
        .start(&member.principal, request, submission.key.clone())
        .await
    {
        Ok(started) => {
            let word = Notice::Started.word();
            let address = format!("/cases/{}?done={word}", encoded(&started.case));
            Ok(Redirect::to(&address).into_response())
        }
        Err(refused) => Ok(refused_page(
            member,
            &workflow,
            &form,
            &value,
            case,
            &refused.into(),
        )),
    }
}

fn refused_page(
    member: &Member,
    workflow: &WorkflowView,
    form: &Form,
    value: &Value,
    case: String,
    problem: &Problem,
) -> Response {
    let fields: Vec<_> = problem
        .fields()
        .map(|(field, message)| (field.to_owned(), message.to_owned()))
        .collect();
    let filled = fill::fill(form, value, &fields, None);
    let mut explanation = explain(problem.code(), problem.detail());
    if fields.is_empty() && problem.status() == StatusCode::UNPROCESSABLE_ENTITY {
        explanation.sentences.insert(0, sentence(problem.detail()));
    }
    let refusal = fields.is_empty().then_some(explanation);
    let mut response = form_page(problem.status(), member, workflow, filled, case, refusal);
    carry_retry(problem, &mut response);
    response
}

/// A page that stands in for a problem keeps its headers.
pub(crate) fn carry_retry(problem: &Problem, response: &mut Response) {
    let name = axum::http::header::RETRY_AFTER;
    if let Some(value) = problem.clone().into_response().headers_mut().remove(&name) {
        response.headers_mut().insert(name, value);
    }
}

fn form_page(
    status: StatusCode,
    member: &Member,
    workflow: &WorkflowView,
    form: Filled,
    case: String,
    refusal: Option<Explanation>,
) -> Response {
    let faulty = !form.errors.is_empty() || refusal.is_some();
    let body = FormPage {
        chrome: Chrome::new(member, Place::Start, title(workflow)).faulty(faulty),
        form,
        case,
        key: request_key(),
        refusal,
    };
    page(status, &body)
}

async fn find(
    engine: &Engine,
    member: &Member,
    name: &str,
) -> Result<(WorkflowView, Form), Problem> {
    let workflows = engine.workflows(&member.principal).await?;
    let workflow = workflows
        .into_iter()
        .find(|workflow| workflow.name == name)
        .ok_or_else(Problem::not_found)?;
    let form = engine
        .start_form(&member.principal, &full_name(&workflow))
        .await?
        .ok_or_else(Problem::not_found)?;
    Ok((workflow, form))
}

fn full_name(workflow: &WorkflowView) -> String {
    format!("{}/{}", workflow.namespace, workflow.name)
}

pub(crate) fn title(workflow: &WorkflowView) -> String {
    let title = workflow.title.clone().filter(|title| !title.is_empty());
    title.unwrap_or_else(|| humanize(&workflow.name))
}
