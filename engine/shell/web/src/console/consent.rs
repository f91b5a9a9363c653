//! What a person of a case has agreed to: what holds today in words, the form to write down a
//! consent, the button that takes one back; and what went out of the case.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use casewright_casework::consent::{Consent, How, Standing, Terms};
use casewright_casework::disclosure::{Disclosure, Ground};
use casewright_runtime::Engine;
use jiff::civil::Date;

use crate::console::address::encoded;
use crate::console::chrome::{Chrome, Place, page};
use crate::console::failure::{Explanation, explain};
use crate::console::keys::request_key;
use crate::console::member::{Member, Submission};
use crate::console::when::{Wall, civil};
use crate::problem::Problem;

#[derive(Template)]
#[template(path = "consents.html")]
struct ConsentsPage {
    chrome: Chrome,
    case: String,
    person: String,
    name: String,
    key: String,
    errors: Vec<(String, String)>,
    refusal: Option<Explanation>,
    consents: Vec<Line>,
    purposes: Vec<Choice>,
    recipients: Vec<Choice>,
    form: Typed,
}

/// A consent in words.
struct Line {
    id: String,
    /// What holds of it today.
    standing: String,
    what: String,
    purposes: String,
    recipients: String,
    how: String,
    /// Whether it can be taken back.
    open: bool,
    /// Of the button's request.
    key: String,
}

struct Choice {
    word: String,
    title: String,
    chosen: bool,
}

#[derive(Template)]
#[template(path = "disclosures.html")]
struct DisclosuresPage {
    chrome: Chrome,
    case: String,
    lines: Vec<Sent>,
}

struct Sent {
    at: String,
    recipient: String,
    purpose: String,
    discloses: String,
    about: String,
    ground: String,
}

/// The form as it was typed.
#[derive(Default)]
struct Typed {
    purposes: Vec<String>,
    recipients: Vec<String>,
    what: String,
    how: String,
    given_by: String,
    witness: String,
    interpreter: String,
    given_on: String,
    expires_on: String,
}

impl Typed {
    fn read(submission: &Submission) -> Self {
        let text = |name| submission.value(name).unwrap_or_default().to_owned();
        let all = |name: &str| {
            let pairs = submission.pairs.iter();
            let named = pairs.filter(|(key, _)| key == name);
            named.map(|(_, value)| value.clone()).collect()
        };
        Self {
            purposes: all("purposes"),
            recipients: all("recipients"),
            what: text("what"),
            how: text("how"),
            given_by: text("givenBy"),
            witness: text("witness"),
            interpreter: text("interpreter"),
            given_on: text("givenOn"),
            expires_on: text("expiresOn"),
        }
    }

    fn terms(&self) -> Result<Terms, Vec<(String, String)>> {
        let mut errors = Vec::new();
        let mut day = |field: &str, text: &str| {
            let read = text.trim().parse::<Date>().ok();
            if read.is_none() {
                let sentence = "Enter a day as year-month-day, like 2026-11-30";
                errors.push((field.to_owned(), sentence.to_owned()));
            }
            read
        };
        let given_on = day("givenOn", &self.given_on);
        let expires_on = day("expiresOn", &self.expires_on);
        let how = how_of(&self.how);
        if how.is_none() {
            errors.push(("how".to_owned(), "Choose how it was given".to_owned()));
        }
        let (Some(given_on), Some(expires_on), Some(how)) = (given_on, expires_on, how) else {
            return Err(errors);
        };
        let some = |text: &str| Some(text.to_owned());
        Ok(Terms {
            purposes: self.purposes.clone(),
            recipients: self.recipients.clone(),
            what: self.what.clone(),
            how,
            given_by: some(&self.given_by),
            witness: some(&self.witness),
            interpreter: some(&self.interpreter),
            given_on,
            expires_on,
        })
    }
}

fn how_of(word: &str) -> Option<How> {
    How::ALL.into_iter().find(|how| how.as_str() == word)
}

pub(crate) async fn show(
    State(engine): State<Engine>,
    member: Member,
    Path((case, person)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let form = Typed {
        given_on: engine.today(&member.principal).to_string(),
        ..Typed::default()
    };
    draw(&engine, &member, (case, person), form, None, Vec::new()).await
}

pub(crate) async fn give(
    State(engine): State<Engine>,
    Path((case, person)): Path<(String, String)>,
    submission: Submission,
) -> Result<Response, Problem> {
    let form = Typed::read(&submission);
    let member = &submission.member;
    let terms = match form.terms() {
        Ok(terms) => terms,
        Err(errors) => return draw(&engine, member, (case, person), form, None, errors).await,
    };
    let (who, key) = (&member.principal, submission.key.clone());
    let given = engine.give_consent(who, &case, &person, terms, key).await;
    match given {
        Ok(_) => Ok(back(&case, &person)),
        Err(refused) => {
            let problem = Problem::from(refused);
            let fields = problem.fields();
            let errors = fields.map(|(field, message)| (field.to_owned(), message.to_owned()));
            let errors = errors.collect();
            draw(&engine, member, (case, person), form, Some(problem), errors).await
        }
    }
}

pub(crate) async fn withdraw(
    State(engine): State<Engine>,
    Path((case, person, id)): Path<(String, String, String)>,
    submission: Submission,
) -> Result<Response, Problem> {
    let how = submission.value("how").and_then(how_of);
    let by = submission.value("by").map(str::to_owned);
    let (who, key) = (&submission.member.principal, submission.key.clone());
    engine
        .withdraw_consent(who, &case, &id, how.unwrap_or(How::Spoken), by, key)
        .await?;
    Ok(back(&case, &person))
}

pub(crate) async fn disclosures(
    State(engine): State<Engine>,
    member: Member,
    Path(case): Path<String>,
) -> Result<Response, Problem> {
    let who = &member.principal;
    let log = engine.disclosures(who, &case).await?;
    let persons = engine.case_file(who, &case).await?.persons;
    let names: BTreeMap<_, _> = persons
        .into_iter()
        .map(|person| (person.id, person.details.name))
        .collect();
    let words = engine.disclosure_words(who);
    let wall = Wall::new(engine.zone(who), engine.now());
    let title = |words: &BTreeMap<String, String>, word: &str| {
        words.get(word).cloned().unwrap_or_else(|| word.to_owned())
    };
    let told = |one: Disclosure| {
        let named = |id: &String| names.get(id).cloned().unwrap_or_else(|| id.clone());
        Sent {
            at: wall.moment(one.at),
            recipient: title(&words.recipients, &one.recipient),
            purpose: title(&words.purposes, &one.purpose),
            discloses: one.discloses.join(", "),
            about: one.persons.iter().map(named).collect::<Vec<_>>().join(", "),
            ground: match one.ground {
                Ground::Consents(_) => "With consent".to_owned(),
                Ground::Basis { name, because } => {
                    format!(
                        "{}. Consent was not sought: {because}",
                        title(&words.bases, &name)
                    )
                }
            },
        }
    };
    let body = DisclosuresPage {
        chrome: Chrome::new(&member, Place::Cases, "What was sent to others"),
        case,
        lines: log.into_iter().rev().map(told).collect(),
    };
    Ok(page(StatusCode::OK, &body))
}

fn back(case: &str, person: &str) -> Response {
    let address = format!(
        "/cases/{}/persons/{}/consents",
        encoded(case),
        encoded(person)
    );
    Redirect::to(&address).into_response()
}

async fn draw(
    engine: &Engine,
    member: &Member,
    (case, person): (String, String),
    form: Typed,
    problem: Option<Problem>,
    errors: Vec<(String, String)>,
) -> Result<Response, Problem> {
    let who = &member.principal;
    let name = engine.person(who, &case, &person).await?.details.name;
    let (words, today) = (engine.disclosure_words(who), engine.today(who));
    let consents = engine.consents(who, &case).await?;
    let own = consents.into_iter().filter(|one| one.person == person);
    let mut consents: Vec<_> = own
        .map(|one| line(one, &words.purposes, &words.recipients, today))
        .collect();
    consents.reverse();
    let faulty = !errors.is_empty() || problem.is_some();
    let status = match &problem {
        Some(problem) => problem.status(),
        None if faulty => StatusCode::UNPROCESSABLE_ENTITY,
        None => StatusCode::OK,
    };
    let refusal = problem
        .filter(|_| errors.is_empty())
        .map(|problem| explain(problem.code(), problem.detail()));
    let body = ConsentsPage {
        chrome: Chrome::new(member, Place::Cases, "Consent to pass facts on").faulty(faulty),
        case,
        person,
        name,
        key: request_key(),
        errors,
        refusal,
        consents,
        purposes: choices(words.purposes, &form.purposes),
        recipients: choices(words.recipients, &form.recipients),
        form,
    };
    Ok(page(status, &body))
}

fn choices(words: BTreeMap<String, String>, chosen: &[String]) -> Vec<Choice> {
    let choice = |(word, title)| Choice {
        chosen: chosen.contains(&word),
        word,
        title,
    };
    words.into_iter().map(choice).collect()
}

fn line(
    consent: Consent,
    purposes: &BTreeMap<String, String>,
    recipients: &BTreeMap<String, String>,
    today: Date,
) -> Line {
    let titles = |words: &[String], titles: &BTreeMap<String, String>| {
        let title = |word: &String| titles.get(word).unwrap_or(word).clone();
        words.iter().map(title).collect::<Vec<_>>().join(", ")
    };
    let standing = consent.standing(today);
    let terms = &consent.terms;
    let standing_words = match standing {
        Standing::InForce => format!("In force until {}", civil(terms.expires_on)),
        Standing::NotYet => format!("Not in force before {}", civil(terms.given_on)),
        Standing::Expired => format!("Expired: it held until {}", civil(terms.expires_on)),
        Standing::Withdrawn => "Taken back: nothing is sent under it".to_owned(),
    };
    Line {
        standing: standing_words,
        how: how_words(terms),
        purposes: titles(&terms.purposes, purposes),
        recipients: titles(&terms.recipients, recipients),
        what: terms.what.clone(),
        open: standing != Standing::Withdrawn,
        key: request_key(),
        id: consent.id,
    }
}

/// How it was given, in one sentence.
fn how_words(terms: &Terms) -> String {
    let how = match terms.how {
        How::Written => "In writing",
        How::Spoken => "Spoken",
        How::Witnessed => "Spoken before a witness",
    };
    let mut words = format!("{how} on {}", civil(terms.given_on));
    for (before, text) in [
        ("given by", &terms.given_by),
        ("witness", &terms.witness),
        ("interpreter", &terms.interpreter),
    ] {
        if let Some(text) = text {
            words = format!("{words}, {before} {text}");
        }
    }
    words
}
