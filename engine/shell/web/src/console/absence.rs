//! Who is away and who stands in: the list, the form to write an absence down, the button that
//! takes one back.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use casewright_casework::Absence;
use casewright_runtime::Engine;
use casewright_runtime::engine::NewAbsence;
use jiff::civil::Date;
use serde::Deserialize;

use crate::console::address::Lenient;
use crate::console::chrome::{Chrome, Place, page};
use crate::console::failure::{Explanation, explain};
use crate::console::keys::request_key;
use crate::console::member::{Member, Submission};
use crate::console::notice::Notice;
use crate::console::when::civil;
use crate::problem::Problem;

#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct AbsenceQuery {
    done: Option<String>,
}

#[derive(Template)]
#[template(path = "absences.html")]
struct AbsencesPage {
    chrome: Chrome,
    key: String,
    refusal: Option<Explanation>,
    /// Whether they may say it of others.
    arranges: bool,
    lines: Vec<Line>,
    form: Typed,
}

/// An absence in words.
struct Line {
    id: String,
    person: String,
    substitute: String,
    days: String,
    standing: &'static str,
    /// Whether they may take it back.
    open: bool,
    /// Of the button's request.
    key: String,
}

/// The form as it was typed.
#[derive(Default)]
struct Typed {
    person: String,
    substitute: String,
    from: String,
    to: String,
}

pub(crate) async fn show(
    State(engine): State<Engine>,
    member: Member,
    Lenient(query): Lenient<AbsenceQuery>,
) -> Result<Response, Problem> {
    let notice = Notice::text_of(query.done.as_deref());
    draw(&engine, &member, Typed::default(), None, notice).await
}

pub(crate) async fn record(
    State(engine): State<Engine>,
    submission: Submission,
) -> Result<Response, Problem> {
    let text = |name: &str| submission.value(name).unwrap_or_default().trim().to_owned();
    let form = Typed {
        person: text("person"),
        substitute: text("substitute"),
        from: text("from"),
        to: text("to"),
    };
    let member = &submission.member;
    let (Ok(from), Ok(to)) = (form.from.parse::<Date>(), form.to.parse::<Date>()) else {
        let sentence = "enter the first and the last day";
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        let problem = Problem::new(status, "absence-invalid", sentence);
        return draw(&engine, member, form, Some(problem), None).await;
    };
    let new = NewAbsence {
        person: Some(form.person.clone()).filter(|person| !person.is_empty()),
        substitute: form.substitute.clone(),
        from,
        to,
    };
    let (who, key) = (&member.principal, submission.key.clone());
    match engine.record_absence(who, new, key).await {
        Ok(_) => Ok(go(Notice::AbsenceSaved)),
        Err(refused) => draw(&engine, member, form, Some(refused.into()), None).await,
    }
}

pub(crate) async fn end(
    State(engine): State<Engine>,
    Path(id): Path<String>,
    submission: Submission,
) -> Result<Response, Problem> {
    let (who, key) = (&submission.member.principal, submission.key.clone());
    engine.end_absence(who, &id, key).await?;
    Ok(go(Notice::AbsenceEnded))
}

fn go(notice: Notice) -> Response {
    Redirect::to(&format!("/absences?done={}", notice.word())).into_response()
}

async fn draw(
    engine: &Engine,
    member: &Member,
    form: Typed,
    problem: Option<Problem>,
    notice: Option<String>,
) -> Result<Response, Problem> {
    let who = &member.principal;
    let (arranges, now) = (engine.arranges(who), engine.now());
    let line = |absence: Absence| {
        let over = absence.ended.is_some() || absence.ends_at <= now;
        let own = absence.person == who.id || absence.substitute == who.id;
        Line {
            standing: match &absence {
                Absence { ended: Some(_), .. } => "Taken back",
                _ if over => "Over",
                _ if absence.in_force(now) => "Away",
                _ => "To come",
            },
            days: format!("{} to {}", civil(absence.from), civil(absence.to)),
            open: !over && (own || arranges),
            key: request_key(),
            id: absence.id,
            person: absence.display_name,
            substitute: absence.substitute_name,
        }
    };
    let lines = engine.absences(who).await?.into_iter().map(line).collect();
    let status = problem.as_ref().map_or(StatusCode::OK, Problem::status);
    let body = AbsencesPage {
        chrome: Chrome::new(member, Place::Absences, "Who is away")
            .faulty(problem.is_some())
            .notice(notice),
        key: request_key(),
        refusal: problem.map(|problem| explain(problem.code(), problem.detail())),
        arranges,
        lines,
        form,
    };
    Ok(page(status, &body))
}
