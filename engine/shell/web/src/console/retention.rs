//! How long the file of a case is kept, holds on it, and its erasure, for those who do it; and the
//! files whose time is over. Who may do what is not decided here.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use casewright_runtime::engine::{
    DoneView, DueView, ErasedView, HoldView, Keeper, RetentionView, TransferView,
};
use casewright_runtime::{Engine, Refused};
use jiff::civil::Date;
use serde::Deserialize;

use crate::console::address::encoded;
use crate::console::chrome::{Chrome, Place, page};
use crate::console::failure::{Explanation, explain};
use crate::console::keys::request_key;
use crate::console::member::{Member, Submission};
use crate::console::when::{Wall, civil};
use crate::problem::Problem;

#[derive(Template)]
#[template(path = "retention.html")]
struct RetentionPage {
    chrome: Chrome,
    case: String,
    number: String,
    errors: Vec<(String, String)>,
    refusal: Option<Explanation>,
    closed: Option<String>,
    until: Option<String>,
    classes: Vec<ClassLine>,
    in_the_way: Vec<String>,
    holds: Vec<HoldLine>,
    transfers: Vec<String>,
    asked: Option<AskedLine>,
    declined: Vec<String>,
    does: Keeper,
    /// Words of the pack with their titles.
    recipients: Vec<(String, String)>,
    today: Date,
    hold_key: String,
    transfer_key: String,
    ask_key: String,
}

struct ClassLine {
    title: String,
    until: String,
    handed_over: bool,
}

struct HoldLine {
    id: String,
    said: String,
    lifted: Option<String>,
    /// Whether they set it themselves.
    own: bool,
    key: String,
}

struct AskedLine {
    id: String,
    said: String,
    own: bool,
    agree_key: String,
    decline_key: String,
}

#[derive(Template)]
#[template(path = "files.html")]
struct FilesPage {
    chrome: Chrome,
    due: Vec<DueLine>,
    erased: Vec<ErasedLine>,
    /// Addresses of the pages after these.
    more_due: Option<String>,
    more_erased: Option<String>,
}

struct DueLine {
    case: String,
    number: String,
    closed: String,
    until: String,
    stand: String,
}

struct ErasedLine {
    number: String,
    closed: String,
    erased: String,
    by: String,
    to: String,
}

#[derive(Deserialize)]
pub(crate) struct FilesQuery {
    due: Option<String>,
    erased: Option<String>,
}

pub(crate) async fn files(
    State(engine): State<Engine>,
    member: Member,
    Query(query): Query<FilesQuery>,
) -> Result<Response, Problem> {
    let who = &member.principal;
    let given = |cursor: Option<String>| cursor.filter(|text| !text.is_empty());
    let due = engine.files_due(who, given(query.due)).await?;
    let erased = engine.files_erased(who, given(query.erased)).await?;
    let wall = Wall::new(engine.zone(who), engine.now());
    let recipients = engine.file_recipients(who);
    let more = |list: &str, next: Option<String>| {
        next.map(|cursor| format!("/files?{list}={}", encoded(&cursor)))
    };
    let body = FilesPage {
        chrome: Chrome::new(&member, Place::Files, "Files to erase"),
        due: due.items.into_iter().map(due_line).collect(),
        erased: erased
            .items
            .into_iter()
            .map(|one| erased_line(one, &recipients, &wall))
            .collect(),
        more_due: more("due", due.next),
        more_erased: more("erased", erased.next),
    };
    Ok(page(StatusCode::OK, &body))
}

pub(crate) async fn show(
    State(engine): State<Engine>,
    member: Member,
    Path(case): Path<String>,
) -> Result<Response, Problem> {
    draw(&engine, &member, case, None).await
}

pub(crate) async fn hold(
    State(engine): State<Engine>,
    Path(case): Path<String>,
    submission: Submission,
) -> Result<Response, Problem> {
    let (who, key) = (&submission.member.principal, submission.key.clone());
    let held = engine.hold_file(who, &case, reason(&submission), key).await;
    done(&engine, &submission.member, case, held).await
}

pub(crate) async fn lift(
    State(engine): State<Engine>,
    Path((case, hold)): Path<(String, String)>,
    submission: Submission,
) -> Result<Response, Problem> {
    let (who, key) = (&submission.member.principal, submission.key.clone());
    let lifted = engine.lift_hold(who, &case, &hold, reason(&submission), key);
    let lifted = lifted.await;
    done(&engine, &submission.member, case, lifted).await
}

pub(crate) async fn transfer(
    State(engine): State<Engine>,
    Path(case): Path<String>,
    submission: Submission,
) -> Result<Response, Problem> {
    let to = submission.value("to").unwrap_or_default().trim().to_owned();
    let (who, key) = (&submission.member.principal, submission.key.clone());
    let handed = match submission.day("on", "the day") {
        Ok(on) => engine.hand_file_over(who, &case, (to, on), key).await,
        Err(refused) => Err(refused),
    };
    done(&engine, &submission.member, case, handed).await
}

pub(crate) async fn ask(
    State(engine): State<Engine>,
    Path(case): Path<String>,
    submission: Submission,
) -> Result<Response, Problem> {
    let (who, key) = (&submission.member.principal, submission.key.clone());
    let asked = engine
        .ask_erasure(who, &case, reason(&submission), key)
        .await;
    done(&engine, &submission.member, case, asked).await
}

pub(crate) async fn agree(
    State(engine): State<Engine>,
    Path(case): Path<String>,
    submission: Submission,
) -> Result<Response, Problem> {
    let (who, key) = (&submission.member.principal, submission.key.clone());
    match engine
        .agree_erasure(who, &case, decision(&submission), key)
        .await
    {
        // There is no case to come back to.
        Ok(_) => Ok(Redirect::to("/files").into_response()),
        Err(refused) => draw(&engine, &submission.member, case, Some(refused.into())).await,
    }
}

pub(crate) async fn decline(
    State(engine): State<Engine>,
    Path(case): Path<String>,
    submission: Submission,
) -> Result<Response, Problem> {
    let (who, key) = (&submission.member.principal, submission.key.clone());
    let declined = engine.decline_erasure(who, &case, decision(&submission), key);
    let declined = declined.await;
    done(&engine, &submission.member, case, declined).await
}

fn reason(submission: &Submission) -> String {
    submission.value("reason").unwrap_or_default().to_owned()
}

fn decision(submission: &Submission) -> (String, String) {
    let request = submission.value("request").unwrap_or_default().to_owned();
    (request, reason(submission))
}

async fn done(
    engine: &Engine,
    member: &Member,
    case: String,
    answer: Result<RetentionView, Refused>,
) -> Result<Response, Problem> {
    match answer {
        Ok(_) => {
            let address = format!("/cases/{}/retention", encoded(&case));
            Ok(Redirect::to(&address).into_response())
        }
        Err(refused) => draw(engine, member, case, Some(refused.into())).await,
    }
}

async fn draw(
    engine: &Engine,
    member: &Member,
    case: String,
    problem: Option<Problem>,
) -> Result<Response, Problem> {
    let who = &member.principal;
    let view = engine.case_retention(who, &case).await?;
    let wall = Wall::new(engine.zone(who), engine.now());
    let recipients = engine.file_recipients(who);
    // What stands in the way is told on the page itself.
    let form = problem.as_ref().filter(|it| it.code() == "form-invalid");
    let fields = form.map(Problem::fields).into_iter().flatten();
    let errors: Vec<_> = fields
        .map(|(field, message)| (field.to_owned(), message.to_owned()))
        .collect();
    let faulty = problem.is_some();
    let status = problem.as_ref().map_or(StatusCode::OK, Problem::status);
    let refusal = problem
        .filter(|_| errors.is_empty())
        .map(|problem| explain(problem.code(), problem.detail()));
    let own = |done: &DoneView| done.by.id == who.id;
    let body = RetentionPage {
        chrome: Chrome::new(member, Place::Files, "Keeping and erasing this file").faulty(faulty),
        number: view.number,
        errors,
        refusal,
        closed: view.closed.map(civil),
        until: view.until.map(civil),
        classes: view
            .classes
            .into_iter()
            .map(|one| ClassLine {
                title: one.title.unwrap_or(one.name),
                until: one.until.map_or_else(unknown, civil),
                handed_over: one.dispose == "transfer",
            })
            .collect(),
        in_the_way: view
            .in_the_way
            .into_iter()
            .map(|one| one.sentence)
            .collect(),
        holds: view
            .holds
            .into_iter()
            .map(|one| hold_line(own(&one.set), one, &wall))
            .collect(),
        transfers: view
            .transfers
            .iter()
            .map(|one| transfer_line(one, &recipients))
            .collect(),
        asked: view.asked.map(|one| AskedLine {
            own: own(&one.asked),
            said: said(&one.asked, &wall),
            id: one.id,
            agree_key: request_key(),
            decline_key: request_key(),
        }),
        declined: view
            .declined
            .iter()
            .map(|one| said(&one.declined, &wall))
            .collect(),
        does: member.keeper,
        recipients,
        today: view.today,
        hold_key: request_key(),
        transfer_key: request_key(),
        ask_key: request_key(),
        case,
    };
    Ok(page(status, &body))
}

fn unknown() -> String {
    "not known".to_owned()
}

/// `A court asks for it (Sam Service, Fri 27 Nov 2026)`.
fn said(done: &DoneView, wall: &Wall) -> String {
    let (by, on) = (&done.by.display_name, wall.date(done.at));
    format!("{} ({by}, {on})", done.reason)
}

fn hold_line(own: bool, hold: HoldView, wall: &Wall) -> HoldLine {
    HoldLine {
        said: said(&hold.set, wall),
        lifted: hold.lifted.map(|one| said(&one, wall)),
        own,
        id: hold.id,
        key: request_key(),
    }
}

fn titled<'a>(word: &'a str, recipients: &'a [(String, String)]) -> &'a str {
    let found = recipients.iter().find(|(known, _)| known == word);
    found.map_or(word, |(_, title)| title.as_str())
}

fn transfer_line(one: &TransferView, recipients: &[(String, String)]) -> String {
    let to = titled(&one.to, recipients);
    let by = &one.by.display_name;
    format!("{to}, {} (recorded by {by})", civil(one.on))
}

fn due_line(view: DueView) -> DueLine {
    let sentences: Vec<_> = view
        .in_the_way
        .into_iter()
        .map(|one| one.sentence)
        .collect();
    let stand = match (&view.asked, sentences.is_empty()) {
        (Some(asked), true) => format!("{} asked for it", asked.asked.by.display_name),
        (None, true) => "Nothing stands in the way".to_owned(),
        (_, false) => sentences.join("; "),
    };
    DueLine {
        closed: civil(view.closed),
        until: view.until.map_or_else(unknown, civil),
        stand,
        case: view.case,
        number: view.number,
    }
}

fn erased_line(view: ErasedView, recipients: &[(String, String)], wall: &Wall) -> ErasedLine {
    let to: Vec<_> = view
        .transfers
        .iter()
        .map(|one| titled(&one.to, recipients).to_owned())
        .collect();
    let (asked, decided) = (&view.asked_by.display_name, &view.decided_by.display_name);
    ErasedLine {
        by: format!("{asked} asked, {decided} agreed"),
        closed: wall.date(view.closed),
        erased: wall.date(view.decided_at),
        to: to.join(", "),
        number: view.number,
    }
}
