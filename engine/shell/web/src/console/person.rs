//! A person of a case: the form to add and to change one, and the page that shows a confidential
//! address to somebody who asked for it.

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use casewright_casework::contact::{Channel, Day, Leave};
use casewright_casework::person::{
    Address, AddressKind, Change, Contact, Details, Hidden, Messages, Person, Relation, Safety,
};
use casewright_runtime::Engine;
use jiff::civil::Date;

use crate::console::address::encoded;
use crate::console::chrome::{Chrome, Place, page};
use crate::console::failure::{Explanation, explain};
use crate::console::keys::request_key;
use crate::console::member::{Member, Submission};
use crate::console::notice::Notice;
use crate::console::words::humanize;
use crate::problem::Problem;

mod ways;

pub(crate) use ways::{channel_words, way_words};

#[derive(Template)]
#[template(path = "person.html")]
struct PersonPage {
    chrome: Chrome,
    case: String,
    key: String,
    errors: Vec<(String, String)>,
    refusal: Option<Explanation>,
    form: Typed,
    relations: Vec<(&'static str, String)>,
    channels: Vec<(&'static str, &'static str)>,
    leaves: Vec<(&'static str, &'static str)>,
    days: Vec<(&'static str, &'static str)>,
}

#[derive(Template)]
#[template(path = "address.html")]
struct AddressPage {
    chrome: Chrome,
    case: String,
    name: String,
    address: Option<String>,
    postal: bool,
    code_word: Option<String>,
}

/// The form as it was typed, or as it is filled from what is kept.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a box of the form that is ticked or not"
)]
#[derive(Debug, Clone, Default)]
struct Typed {
    name: String,
    born: String,
    relation: String,
    phone: String,
    email: String,
    address: String,
    confidential: bool,
    postal: bool,
    /// A confidential address is kept and not shown here.
    kept: bool,
    remove: bool,
    safety: String,
    how: String,
    messages: bool,
    ways: Vec<ways::Row>,
    word: String,
    /// A code word is kept and not shown here.
    word_kept: bool,
    word_remove: bool,
    staff: String,
    revision: String,
}

impl Typed {
    fn of(person: &Person) -> Self {
        let details = person.details.clone();
        let address = details.address;
        let confidential = address.as_ref().is_some_and(|address| address.confidential);
        let kind = address.as_ref().map(|address| address.kind);
        Self {
            name: details.name,
            born: details
                .born
                .map(|date| date.to_string())
                .unwrap_or_default(),
            relation: details.relation.as_str().to_owned(),
            phone: details.phone.unwrap_or_default(),
            email: details.email.unwrap_or_default(),
            address: address.map(|address| address.text).unwrap_or_default(),
            confidential,
            postal: kind == Some(AddressKind::Postal),
            kept: confidential,
            remove: false,
            safety: safety_word(details.contact.safety).to_owned(),
            how: details.contact.how.unwrap_or_default(),
            messages: details.contact.messages == Messages::Yes,
            ways: ways::rows(&details.contact.ways),
            word: String::new(),
            word_kept: details.contact.code_word.is_some(),
            word_remove: false,
            staff: details.staff.unwrap_or_default(),
            revision: person.revision.to_string(),
        }
    }

    fn read(submission: &Submission) -> Self {
        let text = |name| submission.value(name).unwrap_or_default().to_owned();
        let ticked = |name| submission.value(name).is_some();
        Self {
            name: text("name"),
            born: text("born"),
            relation: text("relation"),
            phone: text("phone"),
            email: text("email"),
            address: text("address"),
            confidential: ticked("confidential"),
            postal: ticked("postal"),
            kept: ticked("kept"),
            remove: ticked("remove"),
            safety: text("safety"),
            how: text("how"),
            messages: ticked("messages"),
            ways: ways::read(submission),
            word: text("codeWord"),
            word_kept: ticked("wordKept"),
            word_remove: ticked("wordRemove"),
            staff: text("staff"),
            revision: text("_revision"),
        }
    }

    /// What the engine is asked to keep, or the fields that cannot be read.
    fn details(&self) -> Result<(Details, Hidden), Vec<(String, String)>> {
        let mut errors = Vec::new();
        let born = self.born.trim();
        let born = match born.parse::<Date>() {
            _ if born.is_empty() => None,
            Ok(date) => Some(date),
            Err(_) => {
                let sentence = "Enter the date of birth as year-month-day, like 2017-04-09";
                errors.push(("born".to_owned(), sentence.to_owned()));
                None
            }
        };
        let relation = Relation::ALL
            .into_iter()
            .find(|relation| relation.as_str() == self.relation);
        let Some(relation) = relation else {
            let sentence = "Choose what this person is to the case";
            errors.push(("relation".to_owned(), sentence.to_owned()));
            return Err(errors);
        };
        let ways = ways::listed(&self.ways).unwrap_or_else(|found| {
            errors.extend(found);
            Vec::new()
        });
        if !errors.is_empty() {
            return Err(errors);
        }
        let some = |text: &str| Some(text.to_owned());
        let details = Details {
            name: self.name.clone(),
            born,
            relation,
            phone: some(&self.phone),
            email: some(&self.email),
            address: None,
            contact: Contact {
                safety: [Safety::Unknown, Safety::Safe, Safety::DoNotContact]
                    .into_iter()
                    .find(|safety| safety_word(*safety) == self.safety)
                    .unwrap_or_default(),
                how: some(&self.how),
                messages: if self.messages {
                    Messages::Yes
                } else {
                    Messages::No
                },
                ways,
                code_word: None,
            },
            staff: some(&self.staff),
        };
        let hidden = Hidden {
            address: self.address(),
            code_word: self.code_word(),
        };
        Ok((details, hidden))
    }

    /// A code word that is not typed anew stays.
    fn code_word(&self) -> Change<String> {
        let typed = !self.word.trim().is_empty();
        match (self.word_remove, typed, self.word_kept) {
            (true, _, _) | (false, false, false) => Change::Remove,
            (false, true, _) => Change::Set(self.word.clone()),
            (false, false, true) => Change::Keep,
        }
    }

    /// A confidential address that is not typed anew stays.
    fn address(&self) -> Change<Address> {
        let typed = !self.address.trim().is_empty();
        match (self.remove, typed, self.kept) {
            (true, _, _) | (false, false, false) => Change::Remove,
            (false, true, _) => Change::Set(Address {
                text: self.address.clone(),
                confidential: self.confidential,
                kind: if self.postal {
                    AddressKind::Postal
                } else {
                    AddressKind::Home
                },
            }),
            (false, false, true) => Change::Keep,
        }
    }
}

const fn safety_word(safety: Safety) -> &'static str {
    match safety {
        Safety::Unknown => "unknown",
        Safety::Safe => "safe",
        Safety::DoNotContact => "do-not-contact",
    }
}

pub(crate) async fn blank(
    State(engine): State<Engine>,
    member: Member,
    Path(case): Path<String>,
) -> Result<Response, Problem> {
    engine.case_file(&member.principal, &case).await?;
    let form = Typed {
        safety: "unknown".to_owned(),
        ways: ways::rows(&[]),
        ..Typed::default()
    };
    Ok(draw(&member, &case, form, None, Vec::new()))
}

pub(crate) async fn show(
    State(engine): State<Engine>,
    member: Member,
    Path((case, id)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let person = engine.person(&member.principal, &case, &id).await?;
    Ok(draw(&member, &case, Typed::of(&person), None, Vec::new()))
}

pub(crate) async fn add(
    State(engine): State<Engine>,
    Path(case): Path<String>,
    submission: Submission,
) -> Result<Response, Problem> {
    let form = Typed::read(&submission);
    let member = &submission.member;
    let details = match form.details() {
        Ok((details, hidden)) => hidden.with(details),
        Err(errors) => return Ok(draw(member, &case, form, None, errors)),
    };
    let who = &member.principal;
    let added = engine.add_person(who, &case, details, submission.key.clone());
    Ok(answer(member, &case, form, added.await.map_err(Into::into)))
}

pub(crate) async fn change(
    State(engine): State<Engine>,
    Path((case, id)): Path<(String, String)>,
    submission: Submission,
) -> Result<Response, Problem> {
    let form = Typed::read(&submission);
    let member = &submission.member;
    let (details, hidden) = match form.details() {
        Ok(read) => read,
        Err(errors) => return Ok(draw(member, &case, form, None, errors)),
    };
    let revision = form.revision.parse();
    let revision = Some(revision.map_err(|_| Problem::invalid_input("the form has no revision"))?);
    let (who, key) = (&member.principal, submission.key.clone());
    let changed = engine.change_person(who, &case, &id, details, hidden, revision, key);
    Ok(answer(
        member,
        &case,
        form,
        changed.await.map_err(Into::into),
    ))
}

/// Only after a press of the button, so that no link and no reload shows it.
pub(crate) async fn show_address(
    State(engine): State<Engine>,
    Path((case, id)): Path<(String, String)>,
    submission: Submission,
) -> Result<Response, Problem> {
    let who = &submission.member.principal;
    let shown = engine.show_address(who, &case, &id).await?;
    let person = engine.person(who, &case, &id).await?;
    let address = shown.address.as_ref();
    let body = AddressPage {
        chrome: Chrome::new(&submission.member, Place::Cases, "Address"),
        case,
        name: person.details.name,
        postal: address.is_some_and(|address| address.kind == AddressKind::Postal),
        address: shown.address.map(|address| address.text),
        code_word: shown.code_word,
    };
    Ok(page(StatusCode::OK, &body))
}

fn answer(member: &Member, case: &str, form: Typed, done: Result<Person, Problem>) -> Response {
    match done {
        Ok(_) => {
            let word = Notice::PersonSaved.word();
            let address = format!("/cases/{}?done={word}#persons", encoded(case));
            Redirect::to(&address).into_response()
        }
        Err(problem) => {
            let fields = problem.fields();
            let errors = fields.map(|(field, message)| (field.to_owned(), message.to_owned()));
            let errors = errors.collect();
            draw(member, case, form, Some(&problem), errors)
        }
    }
}

fn draw(
    member: &Member,
    case: &str,
    form: Typed,
    problem: Option<&Problem>,
    errors: Vec<(String, String)>,
) -> Response {
    let refusal = problem.filter(|_| errors.is_empty());
    let refusal = refusal.map(|problem| explain(problem.code(), problem.detail()));
    let faulty = !errors.is_empty() || refusal.is_some();
    let title = if form.revision.is_empty() {
        "Add a person"
    } else {
        "Change a person"
    };
    let status = match problem {
        Some(problem) => problem.status(),
        None if faulty => StatusCode::UNPROCESSABLE_ENTITY,
        None => StatusCode::OK,
    };
    let body = PersonPage {
        chrome: Chrome::new(member, Place::Cases, title).faulty(faulty),
        case: case.to_owned(),
        key: request_key(),
        errors,
        refusal,
        form,
        relations: Relation::ALL
            .map(|one| (one.as_str(), relation_words(one)))
            .to_vec(),
        channels: Channel::ALL
            .map(|one| (one.as_str(), channel_words(one)))
            .to_vec(),
        leaves: Leave::ALL
            .map(|one| (one.as_str(), ways::leave_words(one)))
            .to_vec(),
        days: Day::ALL
            .map(|one| (one.as_str(), ways::day_words(one)))
            .to_vec(),
    };
    page(status, &body)
}

/// A relation as people say it.
pub(crate) fn relation_words(relation: Relation) -> String {
    humanize(relation.as_str())
}

/// How somebody may be reached, in one sentence.
pub(crate) fn contact_words(contact: &Contact) -> String {
    let messages = match contact.messages {
        Messages::No => "Do not leave messages.",
        Messages::Yes => "Messages may be left.",
    };
    let how = contact.how.as_deref().unwrap_or_default();
    match contact.safety {
        Safety::Unknown => {
            "Not asked yet: do not contact before it is known to be safe.".to_owned()
        }
        Safety::DoNotContact => format!("Do not contact. {how}").trim().to_owned(),
        Safety::Safe => format!("Safe to contact. {messages} {how}")
            .trim()
            .to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_confidential_address_survives_a_form_that_does_not_show_it() {
        let typed = |address: &str, kept, remove| Typed {
            address: address.to_owned(),
            confidential: true,
            kept,
            remove,
            ..Typed::default()
        };
        assert_eq!(typed(" ", true, false).address(), Change::Keep);
        assert_eq!(typed("", false, false).address(), Change::Remove);
        assert_eq!(typed("", true, true).address(), Change::Remove);
        let set = typed("2 New Street", true, false).address();
        assert!(matches!(set, Change::Set(address) if address.confidential));
    }

    #[test]
    fn what_was_not_asked_is_not_safe() {
        let unknown = contact_words(&Contact::default());
        assert!(unknown.contains("do not contact"), "{unknown}");
        let safe = Contact {
            safety: Safety::Safe,
            how: Some("Ring twice".to_owned()),
            messages: Messages::No,
            ..Contact::default()
        };
        assert_eq!(
            contact_words(&safe),
            "Safe to contact. Do not leave messages. Ring twice"
        );
    }
}
