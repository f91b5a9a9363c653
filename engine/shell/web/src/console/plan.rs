//! The plan of a case in words: where it stands on the page of the case, and a page with every
//! version and what was said to it.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use casewright_casework::plan::{Agrees, Missing, Said, Status, Word};
use casewright_language::Origin;
use casewright_runtime::Engine;
use casewright_runtime::engine::{PlanVersion, PlanView};

use crate::console::chrome::{Chrome, Place, page};
use crate::console::member::Member;
use crate::console::shown::Shown;
use crate::console::when::Wall;
use crate::problem::Problem;

#[derive(Template)]
#[template(path = "plan.html")]
struct PlanPage {
    chrome: Chrome,
    case: String,
    stand: Option<Stand>,
    versions: Vec<VersionLines>,
}

/// How a plan stands, for the page of the case too.
pub(crate) struct Stand {
    /// “version 3, needs the family's agreement”
    pub(crate) words: String,
    /// What is missing, one sentence each.
    pub(crate) missing: Vec<String>,
}

struct VersionLines {
    number: u32,
    written: String,
    content: Vec<(String, Shown)>,
    said: Vec<SaidLine>,
}

struct SaidLine {
    who: String,
    what: String,
    /// To single goals, where they said something else there.
    goals: Vec<String>,
    words: Option<String>,
    on: String,
}

pub(crate) async fn show(
    State(engine): State<Engine>,
    member: Member,
    Path(case): Path<String>,
) -> Result<Response, Problem> {
    let who = &member.principal;
    let versions = engine.plan_versions(who, &case).await?;
    let view = engine.plan_of(who, &case).await?;
    let wall = Wall::new(engine.zone(who), engine.now());
    let names = view.as_ref().map(|view| view.names.clone());
    let names = names.unwrap_or_default();
    let lines = versions.into_iter().rev();
    let body = PlanPage {
        chrome: Chrome::new(&member, Place::Cases, "The family's plan"),
        case,
        stand: view.map(|view| stand(&view, &wall)),
        versions: lines.map(|one| version(one, &names, &wall)).collect(),
    };
    Ok(page(StatusCode::OK, &body))
}

pub(crate) fn stand(view: &PlanView, wall: &Wall) -> Stand {
    let number = view.latest.version;
    let mut words = match view.status {
        Status::NeedsAgreement => format!("version {number}, needs the family's agreement"),
        Status::Agreed => format!("version {number}, the family agrees; it is not in force yet"),
        Status::Active => format!("version {number}, the family agrees; it is in force"),
    };
    if let Some(active) = &view.active {
        let since = wall.date(active.at);
        if active.version == number && view.status == Status::Active {
            words = format!("{words} since {since}");
        } else {
            words = format!(
                "{words} (version {} is in force since {since})",
                active.version
            );
        }
    }
    let missing = view.missing.iter();
    Stand {
        words,
        missing: missing.map(|one| lack(one, &view.names)).collect(),
    }
}

fn lack(missing: &Missing, names: &BTreeMap<String, String>) -> String {
    match missing {
        Missing::Caregiver => "A parent or carer has to agree".to_owned(),
        Missing::Asked(person) => format!(
            "{} was not asked, and no reason says why",
            named(person, names)
        ),
        Missing::Child(person) => format!(
            "The view of {} is missing, and no reason says why",
            named(person, names)
        ),
        Missing::Copy => "Whoever agrees needs a copy".to_owned(),
    }
}

fn version(one: PlanVersion, names: &BTreeMap<String, String>, wall: &Wall) -> VersionLines {
    VersionLines {
        number: one.version,
        written: wall.moment(one.at),
        content: Shown::of(&one.plan, &Origin::Unknown, wall).into_rows(),
        said: one
            .said
            .into_iter()
            .map(|said| said_line(said, names, wall))
            .collect(),
    }
}

fn said_line(said: Said, names: &BTreeMap<String, String>, wall: &Wall) -> SaidLine {
    let who = named(&said.person, names).to_owned();
    let on = wall.date(said.at);
    match said.word {
        Word::Answer {
            agrees,
            goals,
            words,
            copy_given,
        } => SaidLine {
            who,
            what: match (agree_words(agrees), copy_given) {
                (words, true) => format!("{words}, has a copy"),
                (words, false) => words.to_owned(),
            },
            goals: goals
                .into_iter()
                .filter(|goal| goal.agrees != Agrees::Yes || goal.words.is_some())
                .map(|goal| {
                    let stands = agree_words(goal.agrees);
                    let words = goal.words.map(|words| format!(" “{words}”"));
                    let words = words.unwrap_or_default();
                    format!("Goal {}: {stands}{words}", goal.goal)
                })
                .collect(),
            words,
            on,
        },
        Word::View { view } => SaidLine {
            who,
            what: "Said what they think".to_owned(),
            goals: Vec::new(),
            words: Some(view),
            on,
        },
        Word::NotAsked { reason } => SaidLine {
            who,
            what: "Was not asked".to_owned(),
            goals: Vec::new(),
            words: Some(reason),
            on,
        },
    }
}

const fn agree_words(agrees: Agrees) -> &'static str {
    match agrees {
        Agrees::Yes => "Agrees",
        Agrees::No => "Does not agree",
        Agrees::InPart => "Agrees to a part",
    }
}

fn named<'a>(person: &'a str, names: &'a BTreeMap<String, String>) -> &'a str {
    names.get(person).map_or(person, String::as_str)
}
