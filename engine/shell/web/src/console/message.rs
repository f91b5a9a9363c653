//! What was sent to people of a case and to colleagues: to whom, how and when, without content.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use casewright_casework::Message;
use casewright_casework::message::To;
use casewright_runtime::Engine;

use crate::console::chrome::{Chrome, Place, page};
use crate::console::member::Member;
use crate::console::person::channel_words;
use crate::console::when::Wall;
use crate::console::words::humanize;
use crate::problem::Problem;

#[derive(Template)]
#[template(path = "messages.html")]
struct MessagesPage {
    chrome: Chrome,
    case: String,
    lines: Vec<Line>,
}

struct Line {
    at: String,
    to: String,
    how: String,
    what: String,
    attempt: u32,
}

pub(crate) async fn list(
    State(engine): State<Engine>,
    member: Member,
    Path(case): Path<String>,
) -> Result<Response, Problem> {
    let who = &member.principal;
    let sent = engine.messages(who, &case).await?;
    let persons = engine.case_file(who, &case).await?.persons;
    let names: BTreeMap<_, _> = persons
        .into_iter()
        .map(|person| (person.id, person.details.name))
        .collect();
    let wall = Wall::new(engine.zone(who), engine.now());
    let line = |one: Message| {
        let named = |id: &String| {
            let known = names.get(id).cloned();
            let known = known.or_else(|| engine.staff_name(who, id));
            known.unwrap_or_else(|| id.clone())
        };
        let recipients: Vec<_> = one.recipients.iter().map(named).collect();
        Line {
            at: wall.moment(one.at),
            to: match &one.to {
                To::Person(_) | To::Relation(_) | To::Staff(_) => recipients.join(", "),
                To::Role(name) | To::Team(name) => {
                    format!("{}: {}", humanize(name), recipients.join(", "))
                }
            },
            how: match &one.way {
                Some(way) => channel_words(way.channel).to_owned(),
                None => "To colleagues".to_owned(),
            },
            what: match &one.template {
                Some(template) => humanize(template),
                None => "That there is a task, with the number of the case".to_owned(),
            },
            attempt: one.attempt,
        }
    };
    let body = MessagesPage {
        chrome: Chrome::new(&member, Place::Cases, "Messages sent"),
        case,
        lines: sent.into_iter().rev().map(line).collect(),
    };
    Ok(page(StatusCode::OK, &body))
}
