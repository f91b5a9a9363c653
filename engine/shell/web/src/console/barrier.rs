//! The walls of a case: which colleagues stand in it themselves and may not open it, the form to
//! declare one, and for whoever keeps the walls to lift one or take it away. What a wall means is
//! not decided here.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use casewright_runtime::view::WallView;
use casewright_runtime::{Engine, Refused};

use crate::console::address::encoded;
use crate::console::chrome::{Chrome, Place, page};
use crate::console::failure::{Explanation, explain};
use crate::console::keys::request_key;
use crate::console::member::{Member, Submission};
use crate::console::when::{Wall, civil};
use crate::problem::Problem;

#[derive(Template)]
#[template(path = "walls.html")]
struct WallsPage {
    chrome: Chrome,
    case: String,
    key: String,
    errors: Vec<(String, String)>,
    refusal: Option<Explanation>,
    lines: Vec<Line>,
    /// Whether they declare walls for others, lift them and take them away.
    keeps: bool,
    /// Sign-in name and reason as they were typed.
    person: String,
    reason: String,
}

/// A wall in words.
struct Line {
    id: String,
    name: String,
    standing: String,
    why: String,
    declared: bool,
    lift_key: String,
    take_key: String,
}

pub(crate) async fn show(
    State(engine): State<Engine>,
    member: Member,
    Path(case): Path<String>,
) -> Result<Response, Problem> {
    draw(&engine, &member, case, None, (String::new(), String::new())).await
}

pub(crate) async fn declare(
    State(engine): State<Engine>,
    Path(case): Path<String>,
    submission: Submission,
) -> Result<Response, Problem> {
    let text = |name| submission.value(name).unwrap_or_default().trim().to_owned();
    let (person, reason) = (text("person"), text("reason"));
    let (who, key) = (&submission.member.principal, submission.key.clone());
    let named = Some(person.as_str()).filter(|name| !name.is_empty());
    let declared = engine.declare_wall(who, &case, named, reason.clone(), key);
    match declared.await {
        // Who has put up a wall for themselves does not come back to this case.
        Ok(wall) if wall.person.id == who.id => Ok(Redirect::to("/cases").into_response()),
        Ok(_) => Ok(back(&case)),
        Err(refused) => {
            let problem = Some(Problem::from(refused));
            draw(&engine, &submission.member, case, problem, (person, reason)).await
        }
    }
}

pub(crate) async fn lift(
    State(engine): State<Engine>,
    Path((case, person)): Path<(String, String)>,
    submission: Submission,
) -> Result<Response, Problem> {
    let reason = submission.value("reason").unwrap_or_default().to_owned();
    let (who, key) = (&submission.member.principal, submission.key.clone());
    let lifted = match submission.day("until", "the last day") {
        Ok(until) => {
            let wish = (reason, until);
            engine.lift_wall(who, &case, &person, wish, key).await
        }
        Err(refused) => Err(refused),
    };
    done(&engine, &submission.member, case, lifted).await
}

pub(crate) async fn take_away(
    State(engine): State<Engine>,
    Path((case, person)): Path<(String, String)>,
    submission: Submission,
) -> Result<Response, Problem> {
    let reason = submission.value("reason").unwrap_or_default().to_owned();
    let (who, key) = (&submission.member.principal, submission.key.clone());
    let taken = engine.take_wall_away(who, &case, &person, reason, key);
    let taken = taken.await;
    done(&engine, &submission.member, case, taken).await
}

async fn done(
    engine: &Engine,
    member: &Member,
    case: String,
    answer: Result<WallView, Refused>,
) -> Result<Response, Problem> {
    match answer {
        Ok(_) => Ok(back(&case)),
        Err(refused) => {
            let problem = Some(Problem::from(refused));
            draw(
                engine,
                member,
                case,
                problem,
                (String::new(), String::new()),
            )
            .await
        }
    }
}

fn back(case: &str) -> Response {
    Redirect::to(&format!("/cases/{}/walls", encoded(case))).into_response()
}

async fn draw(
    engine: &Engine,
    member: &Member,
    case: String,
    problem: Option<Problem>,
    (person, reason): (String, String),
) -> Result<Response, Problem> {
    let who = &member.principal;
    let walls = engine.walls(who, &case).await?;
    let wall = Wall::new(engine.zone(who), engine.now());
    let fields = problem.as_ref().map(Problem::fields).into_iter().flatten();
    let errors: Vec<_> = fields
        .map(|(field, message)| (field.to_owned(), message.to_owned()))
        .collect();
    let faulty = problem.is_some();
    let status = problem.as_ref().map_or(StatusCode::OK, Problem::status);
    let refusal = problem
        .filter(|_| errors.is_empty())
        .map(|problem| explain(problem.code(), problem.detail()));
    let body = WallsPage {
        chrome: Chrome::new(member, Place::Cases, "Colleagues who stand in this case")
            .faulty(faulty),
        key: request_key(),
        errors,
        refusal,
        lines: walls.into_iter().map(|one| line(one, &wall)).collect(),
        keeps: engine.keeps_walls(who),
        case,
        person,
        reason,
    };
    Ok(page(status, &body))
}

fn line(view: WallView, wall: &Wall) -> Line {
    let standing = match &view.lifted {
        Some(lifted) => format!(
            "May read the case until {}, and approves nothing in it. Allowed by {}: {}",
            civil(lifted.until),
            lifted.by.display_name,
            lifted.reason
        ),
        None => "May not open the case".to_owned(),
    };
    let mut why = Vec::new();
    if !view.stands_as.is_empty() {
        why.push("is family or to be paid, as the people of the case say".to_owned());
    }
    if let (Some(at), Some(by)) = (view.declared, &view.by) {
        let reason = view.reason.as_deref().unwrap_or_default();
        why.push(format!(
            "{reason} (declared by {}, {})",
            by.display_name,
            wall.date(at)
        ));
    }
    Line {
        declared: view.declared.is_some(),
        name: view.person.display_name,
        id: view.person.id,
        standing,
        why: why.join("; "),
        lift_key: request_key(),
        take_key: request_key(),
    }
}
