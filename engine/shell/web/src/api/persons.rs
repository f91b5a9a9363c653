//! `/cases/{id}/persons`: who a case is about or around. Confidential addresses come only from
//! their own endpoint.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use casewright_casework::person::{self, AddressKind, Change, Details, Hidden, Relation};
use casewright_runtime::Engine;
use jiff::civil::Date;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use crate::api::contact::ContactShape;
use crate::api::dto::Page;
use crate::api::query::{Id, Ids, if_match};
use crate::body::Posted;
use crate::problem::Problem;
use crate::visitor::Visitor;

/// What is known of a person.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct PersonRequest {
    name: String,
    #[schema(value_type = Option<String>, format = Date)]
    born: Option<Date>,
    /// `parent`, `carer`, `child`, `sibling`, `partner`, `other-family`, `referrer`, `payee`,
    /// `professional` or `other`.
    #[schema(value_type = String, example = "parent")]
    relation: Relation,
    phone: Option<String>,
    email: Option<String>,
    /// Left out: it stays as it is. `null`: it is removed.
    #[serde(default)]
    #[schema(value_type = Option<AddressRequest>)]
    address: Said<AddressRequest>,
    #[serde(default)]
    contact: ContactShape,
    /// By which they know who calls; never sent by the engine. Left out: it stays as it is.
    /// `null`: it is removed.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    code_word: Said<String>,
    /// Id or sign-in name, when this is a member of the agency's staff: as family or payee they
    /// do not open this case.
    staff: Option<String>,
}

/// Tells `null` from what was left out.
#[derive(Debug, Default)]
enum Said<T> {
    #[default]
    LeftOut,
    Null,
    Given(T),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Said<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let given = Option::deserialize(deserializer)?;
        Ok(given.map_or(Self::Null, Self::Given))
    }
}

impl<T> Said<T> {
    fn change<U>(self, meant: impl FnOnce(T) -> U) -> Change<U> {
        match self {
            Self::LeftOut => Change::Keep,
            Self::Null => Change::Remove,
            Self::Given(given) => Change::Set(meant(given)),
        }
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AddressRequest {
    text: String,
    /// Shown only by `show-address`.
    #[serde(default)]
    confidential: bool,
    /// `home`, or `postal` for a post box or an address that stands in for another: letters reach
    /// them there, and no goods and no visits.
    #[serde(default)]
    #[schema(value_type = String, example = "home")]
    kind: AddressKind,
}

/// A person of a case.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct CasePerson {
    id: String,
    case: String,
    name: String,
    #[schema(value_type = Option<String>, format = Date)]
    born: Option<Date>,
    #[schema(value_type = String, example = "parent")]
    relation: Relation,
    phone: Option<String>,
    email: Option<String>,
    address: Option<AddressShape>,
    contact: ContactShape,
    /// Whether there is a code word: `show-address` shows it.
    has_code_word: bool,
    staff: Option<String>,
    revision: u64,
    #[schema(format = DateTime)]
    changed_at: String,
    changed_by: String,
}

/// What is shown only to whoever asks for it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct ShownShape {
    text: Option<String>,
    confidential: bool,
    /// `home` or `postal`; absent where there is no address.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    kind: Option<AddressKind>,
    code_word: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct AddressShape {
    /// Absent where the address is confidential.
    text: Option<String>,
    confidential: bool,
    /// `home` or `postal`.
    #[schema(value_type = String)]
    kind: AddressKind,
}

/// The persons of a case. That you looked is recorded.
#[utoipa::path(
    get, operation_id = "listPersons",
    path = "/cases/{id}/persons", tag = "cases", params(("id" = String, Path)),
    responses(
        (status = 200, body = Page<CasePerson>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list(
    State(engine): State<Engine>,
    visitor: Visitor,
    Id(case): Id,
) -> Result<Json<Page<CasePerson>>, Problem> {
    let persons = engine.persons(&visitor.principal, &case).await?;
    Ok(Json(Page::whole(persons)))
}

/// Add a person to a case.
#[utoipa::path(
    post, operation_id = "addPerson",
    path = "/cases/{id}/persons", tag = "cases", request_body = PersonRequest,
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses(
        (status = 201, body = CasePerson, headers(("ETag" = String))),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn add(
    State(engine): State<Engine>,
    visitor: Visitor,
    Id(case): Id,
    posted: Posted,
) -> Result<Response, Problem> {
    let (details, hidden) = posted.json::<PersonRequest>()?.split();
    let details = hidden.with(details);
    let who = &visitor.principal;
    let person = engine.add_person(who, &case, details, posted.key).await?;
    Ok(tagged(StatusCode::CREATED, person))
}

/// One person. That you looked is recorded.
#[utoipa::path(
    get, operation_id = "getPerson",
    path = "/cases/{id}/persons/{person}", tag = "cases",
    params(("id" = String, Path), ("person" = String, Path)),
    responses(
        (status = 200, body = CasePerson, headers(("ETag" = String))),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn get(
    State(engine): State<Engine>,
    visitor: Visitor,
    Ids(case, id): Ids,
) -> Result<Response, Problem> {
    let persons = engine.persons(&visitor.principal, &case).await?;
    let person = persons.into_iter().find(|person| person.id == id);
    let person = person.ok_or_else(Problem::not_found)?;
    Ok(tagged(StatusCode::OK, person))
}

/// Replace what is known of a person. Send the ETag that you have seen as `If-Match`.
#[utoipa::path(
    put, operation_id = "changePerson",
    path = "/cases/{id}/persons/{person}", tag = "cases", request_body = PersonRequest,
    params(
        ("id" = String, Path), ("person" = String, Path),
        ("If-Match" = String, Header),
        ("Idempotency-Key" = Option<String>, Header),
    ),
    responses(
        (status = 200, body = CasePerson, headers(("ETag" = String))),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn change(
    State(engine): State<Engine>,
    visitor: Visitor,
    Ids(case, id): Ids,
    headers: HeaderMap,
    posted: Posted,
) -> Result<Response, Problem> {
    if !headers.contains_key(header::IF_MATCH) {
        return Err(Problem::new(
            StatusCode::PRECONDITION_REQUIRED,
            "if-match-required",
            "send the ETag of the person as you read it in If-Match",
        ));
    }
    let revision = if_match(&headers)?;
    let (details, hidden) = posted.json::<PersonRequest>()?.split();
    let who = &visitor.principal;
    let changed = engine
        .change_person(who, &case, &id, details, hidden, revision, posted.key)
        .await?;
    Ok(tagged(StatusCode::OK, changed))
}

/// An address, also a confidential one, and the code word. That you asked is recorded before they
/// are shown.
#[utoipa::path(
    post, operation_id = "showPersonAddress",
    path = "/cases/{id}/persons/{person}/show-address", tag = "cases",
    params(("id" = String, Path), ("person" = String, Path)),
    responses(
        (status = 200, body = ShownShape),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn show_address(
    State(engine): State<Engine>,
    visitor: Visitor,
    Ids(case, id): Ids,
    _posted: Posted,
) -> Result<Json<ShownShape>, Problem> {
    let shown = engine.show_address(&visitor.principal, &case, &id).await?;
    if shown.address.is_none() && shown.code_word.is_none() {
        return Err(Problem::not_found());
    }
    Ok(Json(ShownShape {
        confidential: shown.address.as_ref().is_some_and(|one| one.confidential),
        kind: shown.address.as_ref().map(|address| address.kind),
        text: shown.address.map(|address| address.text),
        code_word: shown.code_word,
    }))
}

impl PersonRequest {
    fn split(self) -> (Details, Hidden) {
        let hidden = Hidden {
            address: self.address.change(|address| person::Address {
                text: address.text,
                confidential: address.confidential,
                kind: address.kind,
            }),
            code_word: self.code_word.change(|word| word),
        };
        let details = Details {
            name: self.name,
            born: self.born,
            relation: self.relation,
            phone: self.phone,
            email: self.email,
            address: None,
            contact: self.contact.into_contact(),
            staff: self.staff,
        };
        (details, hidden)
    }
}

impl From<person::Person> for CasePerson {
    fn from(person: person::Person) -> Self {
        let details = person.details;
        Self {
            id: person.id,
            case: person.case,
            name: details.name,
            born: details.born,
            relation: details.relation,
            phone: details.phone,
            email: details.email,
            address: details.address.map(|address| AddressShape {
                text: (!address.confidential).then_some(address.text),
                confidential: address.confidential,
                kind: address.kind,
            }),
            has_code_word: details.contact.code_word.is_some(),
            contact: details.contact.into(),
            staff: details.staff,
            revision: person.revision,
            changed_at: person.changed_at.to_string(),
            changed_by: person.changed_by,
        }
    }
}

fn tagged(status: StatusCode, person: person::Person) -> Response {
    let tag = format!("\"{}\"", person.revision);
    let body = Json(CasePerson::from(person));
    (status, [(header::ETAG, tag)], body).into_response()
}
