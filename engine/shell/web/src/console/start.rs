//! Starting something: what there is to start, its form if it has one, the start.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use casewright_casework::Principal;
use casewright_language::Form;
use casewright_runtime::Engine;
use casewright_runtime::engine::Start;
use casewright_runtime::view::{StartedView, WorkItemFilter, WorkflowView};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::console::address::{Lenient, encoded};
use crate::console::chrome::{Chrome, Place, page};
use crate::console::failure::{Explanation, explain, sentence};
use crate::console::fill::{self, Filled};
use crate::console::keys::request_key;
use crate::console::member::{Member, Submission};
use crate::console::notice::Notice;
use crate::console::when::Wall;
use crate::console::words::humanize;
use crate::problem::Problem;

#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct StartQuery {
    case: Option<String>,
    done: Option<String>,
}

#[derive(Template)]
#[template(path = "start_list.html")]
struct ListPage {
    chrome: Chrome,
    /// The case in which it is started.
    case: Option<CaseLink>,
    choices: Vec<Choice>,
    /// Whether the case is closed, and there is more than what may be started in a closed one.
    closed: bool,
}

/// A case as pages name it.
struct CaseLink {
    id: String,
    number: String,
}

struct Choice {
    address: String,
    title: String,
    summary: String,
}

#[derive(Template)]
#[template(path = "start.html")]
struct FormPage {
    chrome: Chrome,
    title: String,
    form: Filled,
    summary: String,
    case: Option<CaseLink>,
    /// Where what stands in the form comes from.
    calendars: Vec<String>,
    calendar: String,
    filled: Option<String>,
    key: String,
    refusal: Option<Explanation>,
}

pub(crate) async fn list(
    State(engine): State<Engine>,
    member: Member,
    Lenient(query): Lenient<StartQuery>,
) -> Result<Response, Problem> {
    let who = &member.principal;
    let mut workflows = engine.workflows(who).await?;
    let case = match query.case.filter(|id| !id.is_empty()) {
        Some(id) => Some(engine.case(who, &id).await?),
        None => None,
    };
    let closed = case.as_ref().is_some_and(|case| case.closed.is_some());
    workflows.retain(|workflow| workflow.offered && (!closed || workflow.in_closed_case));
    let tail = case
        .as_ref()
        .map_or_else(String::new, |case| format!("?case={}", encoded(&case.id)));
    let mut choices: Vec<_> = workflows
        .iter()
        .map(|workflow| Choice {
            address: format!("/start/{}{tail}", encoded(&workflow.name)),
            title: title(workflow),
            summary: workflow.summary.clone().unwrap_or_default(),
        })
        .collect();
    choices.sort_by_cached_key(|choice| choice.title.to_lowercase());
    let heading = match &case {
        Some(case) => format!("Start something in case {}", case.number),
        None => "Start something".to_owned(),
    };
    let body = ListPage {
        chrome: Chrome::new(&member, Place::Start, heading)
            .notice(Notice::text_of(query.done.as_deref())),
        case: case.map(|case| CaseLink {
            id: case.id,
            number: case.number,
        }),
        choices,
        closed,
    };
    Ok(page(StatusCode::OK, &body))
}

pub(crate) async fn show(
    State(engine): State<Engine>,
    member: Member,
    Path(name): Path<String>,
    Lenient(query): Lenient<StartQuery>,
) -> Result<Response, Problem> {
    let case = query.case.unwrap_or_default();
    let mut beginning = Beginning::find(&engine, member, &name, case).await?;
    let value = beginning.hand_over(&engine).await?;
    Ok(beginning.page(&value, None, None))
}

pub(crate) async fn start(
    State(engine): State<Engine>,
    Path(name): Path<String>,
    submission: Submission,
) -> Result<Response, Problem> {
    let member = submission.member.clone();
    let case = submission.value("_case").unwrap_or_default().to_owned();
    let mut beginning = Beginning::find(&engine, member, &name, case).await?;
    let calendar = submission.value("_calendar").map(str::to_owned);
    beginning.calendar = calendar.filter(|name| !name.is_empty());
    let value = beginning.gather(&submission.fields());
    let more = submission.value("_add");
    if more.is_some() {
        return Ok(beginning.page(&value, more, None));
    }
    let who = &beginning.member.principal;
    let request = beginning.request(value.clone());
    match engine.start(who, request, submission.key.clone()).await {
        Ok(started) => {
            let address = next_step(&engine, who, &started).await;
            Ok(Redirect::to(&address).into_response())
        }
        Err(refused) => Ok(beginning.page(&value, None, Some(&refused.into()))),
    }
}

/// To the first task that the person can do themselves, or to the case.
async fn next_step(engine: &Engine, who: &Principal, started: &StartedView) -> String {
    let filter = WorkItemFilter {
        instance: Some(started.id.clone()),
        ..WorkItemFilter::default()
    };
    let items = engine.work_items(who, filter).await.map(|page| page.items);
    let own = items
        .unwrap_or_default()
        .into_iter()
        .find(|item| item.barred.is_none() && item.claimed_by.is_none());
    if engine.instance(who, &started.id).await.is_err() {
        let word = Notice::PassedOn.word();
        let seen = engine.case_number(who, &started.case).await.is_ok();
        return if seen {
            format!("/cases/{}?done={word}", encoded(&started.case))
        } else {
            format!("/start?done={word}")
        };
    }
    let word = Notice::Started.word();
    match own {
        Some(item) => format!("/tasks/{}?done={word}", encoded(&item.id)),
        None => format!("/cases/{}?done={word}", encoded(&started.case)),
    }
}

/// A workflow that somebody is about to start.
struct Beginning {
    member: Member,
    workflow: WorkflowView,
    form: Option<Form>,
    case: Option<CaseLink>,
    /// Those that a new case may count its days by, and the one that was chosen.
    calendars: Vec<String>,
    calendar: Option<String>,
    /// What the form was filled from.
    filled: Option<String>,
}

impl Beginning {
    async fn find(
        engine: &Engine,
        member: Member,
        name: &str,
        case: String,
    ) -> Result<Self, Problem> {
        let who = &member.principal;
        let workflow = engine
            .workflows(who)
            .await?
            .into_iter()
            .find(|workflow| workflow.name == name)
            .ok_or_else(Problem::not_found)?;
        let form = engine.start_form(who, &full_name(&workflow)).await?;
        let case = match Some(case).filter(|id| !id.is_empty()) {
            Some(id) => Some(CaseLink {
                number: engine.case_number(who, &id).await?,
                id,
            }),
            None => None,
        };
        // Without a choice there is nothing to ask.
        let calendars = engine.calendars(&member.principal);
        let asked = case.is_none() && calendars.len() > 1;
        Ok(Self {
            calendars: if asked { calendars } else { Vec::new() },
            calendar: None,
            member,
            workflow,
            form,
            case,
            filled: None,
        })
    }

    /// What the form begins with: what a finished run of the case hands over, as far as it fits.
    async fn hand_over(&mut self, engine: &Engine) -> Result<Value, Problem> {
        let (Some(form), Some(case)) = (&self.form, &self.case) else {
            return Ok(json!({}));
        };
        let who = &self.member.principal;
        let next = engine.next_of(who, &case.id, &self.workflow.name).await?;
        let Some(next) = next else {
            return Ok(json!({}));
        };
        let value = fill::fitting(form, &next.input);
        if value.as_object().is_some_and(|map| !map.is_empty()) {
            let wall = Wall::new(engine.zone(who), engine.now());
            let from = next.from_title.as_deref().unwrap_or("what came before");
            self.filled = Some(format!(
                "Filled in from “{from}”, which ended on {}. Look at every answer before you send.",
                wall.date(next.since)
            ));
        }
        Ok(value)
    }

    fn gather(&self, fields: &[(String, String)]) -> Value {
        let form = self.form.as_ref();
        form.map_or_else(|| json!({}), |form| fill::gather(form, fields))
    }

    fn request(&self, input: Value) -> Start {
        Start {
            workflow: full_name(&self.workflow),
            version: Some(self.workflow.version.clone()),
            case: self.case.as_ref().map(|case| case.id.clone()),
            calendar: self.calendar.clone().filter(|_| self.case.is_none()),
            input,
        }
    }

    /// The form with what was typed, and with what stands against it.
    fn page(&self, value: &Value, more: Option<&str>, problem: Option<&Problem>) -> Response {
        let fields: Vec<_> = problem
            .iter()
            .flat_map(|problem| problem.fields())
            .map(|(field, message)| (field.to_owned(), message.to_owned()))
            .collect();
        let form = self.form.as_ref();
        let form = form.map(|form| fill::fill(form, value, &fields, more));
        let form = form.unwrap_or_default();
        let refusal = problem.filter(|_| fields.is_empty()).map(explained);
        let faulty = !form.errors.is_empty() || refusal.is_some();
        let title = title(&self.workflow);
        let named = match &self.case {
            Some(case) => format!("{title} – {}", case.number),
            None => title.clone(),
        };
        let body = FormPage {
            chrome: Chrome::new(&self.member, Place::Start, named).faulty(faulty),
            title,
            form,
            summary: self.workflow.summary.clone().unwrap_or_default(),
            case: self.case.as_ref().map(|case| CaseLink {
                id: case.id.clone(),
                number: case.number.clone(),
            }),
            calendars: self.calendars.clone(),
            calendar: self.calendar.clone().unwrap_or_default(),
            filled: self.filled.clone(),
            key: request_key(),
            refusal,
        };
        let status = problem.map_or(StatusCode::OK, Problem::status);
        let mut response = page(status, &body);
        if let Some(problem) = problem {
            carry_retry(problem, &mut response);
        }
        response
    }
}

/// A refusal of the input says which part of it, in the engine's words.
fn explained(problem: &Problem) -> Explanation {
    let mut explanation = explain(problem.code(), problem.detail());
    if problem.status() == StatusCode::UNPROCESSABLE_ENTITY {
        explanation.sentences.insert(0, sentence(problem.detail()));
    }
    explanation
}

/// A page that stands in for a problem keeps its headers.
pub(crate) fn carry_retry(problem: &Problem, response: &mut Response) {
    let name = axum::http::header::RETRY_AFTER;
    if let Some(value) = problem.clone().into_response().headers_mut().remove(&name) {
        response.headers_mut().insert(name, value);
    }
}

fn full_name(workflow: &WorkflowView) -> String {
    format!("{}/{}", workflow.namespace, workflow.name)
}

pub(crate) fn title(workflow: &WorkflowView) -> String {
    let title = workflow.title.clone().filter(|title| !title.is_empty());
    title.unwrap_or_else(|| humanize(&workflow.name))
}
