//! `/cases/{id}/consents` and `/cases/{id}/disclosures`: what a family has agreed to, and what went
//! out about them.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use casewright_casework::consent::{self, How, Standing, Terms};
use casewright_casework::disclosure::{self, Ground};
use casewright_runtime::Engine;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::dto::Page;
use crate::api::query::{Id, Ids};
use crate::body::Posted;
use crate::problem::Problem;
use crate::visitor::Visitor;

/// What somebody agreed to. To renew a consent is to give it again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ConsentRequest {
    /// Id of the person of the case whom the facts are about.
    person: String,
    /// Words of `disclosure: purposes` of the pack.
    purposes: Vec<String>,
    /// Words of `disclosure: recipients` of the pack.
    recipients: Vec<String>,
    /// Which facts, in the words that were used.
    what: String,
    /// `written`, `spoken` or `witnessed`.
    #[schema(value_type = String, example = "spoken")]
    how: How,
    /// Who agreed, where it was somebody else: a parent for a child.
    given_by: Option<String>,
    /// Who heard it; needed for `witnessed`.
    witness: Option<String>,
    interpreter: Option<String>,
    #[schema(value_type = String, format = Date)]
    given_on: Date,
    /// The last day on which it holds.
    #[schema(value_type = String, format = Date)]
    expires_on: Date,
}

/// That a consent was taken back. Spoken is enough.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WithdrawRequest {
    /// `written`, `spoken` or `witnessed`.
    #[schema(value_type = String, example = "spoken")]
    how: How,
    /// Who took it back, where it was somebody else than the person.
    by: Option<String>,
}

/// A consent about one person of a case.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Consent {
    id: String,
    case: String,
    person: String,
    purposes: Vec<String>,
    recipients: Vec<String>,
    what: String,
    #[schema(value_type = String, example = "spoken")]
    how: How,
    given_by: Option<String>,
    witness: Option<String>,
    interpreter: Option<String>,
    #[schema(value_type = String, format = Date)]
    given_on: Date,
    #[schema(value_type = String, format = Date)]
    expires_on: Date,
    /// Today: `in-force`, `not-yet`, `expired` or `withdrawn`.
    standing: &'static str,
    revision: u64,
    #[schema(format = DateTime)]
    recorded_at: String,
    recorded_by: String,
    withdrawn: Option<Withdrawn>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Withdrawn {
    #[schema(format = DateTime)]
    at: String,
    recorded_by: String,
    by: Option<String>,
    #[schema(value_type = String, example = "spoken")]
    how: How,
}

/// That facts about people went out. It holds no content.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Disclosed {
    id: String,
    case: String,
    #[schema(format = DateTime)]
    at: String,
    instance: String,
    /// JSON pointer of the task.
    task: String,
    function: String,
    attempt: u32,
    /// The plugin's own words of what it hands out.
    discloses: Vec<String>,
    purpose: String,
    to: String,
    /// Ids of persons of the case.
    persons: Vec<String>,
    /// Ids of the consents that it went out on.
    consents: Vec<String>,
    /// The legal basis in place of consent.
    basis: Option<BasisShape>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BasisShape {
    name: String,
    /// Why consent was not sought.
    because: String,
}

/// Consents of a case as they stand, oldest first. That you looked is recorded.
#[utoipa::path(
    get, operation_id = "listConsents",
    path = "/cases/{id}/consents", tag = "cases", params(("id" = String, Path)),
    responses(
        (status = 200, body = Page<Consent>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list(
    State(engine): State<Engine>,
    visitor: Visitor,
    Id(case): Id,
) -> Result<Json<Page<Consent>>, Problem> {
    let who = &visitor.principal;
    let all = engine.consents(who, &case).await?;
    let today = engine.today(who);
    Ok(Json(Page::whole(told(all, today))))
}

/// Every state that the consents of a case were in. That you looked is recorded.
#[utoipa::path(
    get, operation_id = "listConsentHistory",
    path = "/cases/{id}/consents/history", tag = "cases", params(("id" = String, Path)),
    responses(
        (status = 200, body = Page<Consent>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn history(
    State(engine): State<Engine>,
    visitor: Visitor,
    Id(case): Id,
) -> Result<Json<Page<Consent>>, Problem> {
    let who = &visitor.principal;
    let all = engine.consent_history(who, &case).await?;
    let today = engine.today(who);
    Ok(Json(Page::whole(told(all, today))))
}

/// Write down that somebody agreed.
#[utoipa::path(
    post, operation_id = "giveConsent",
    path = "/cases/{id}/consents", tag = "cases", request_body = ConsentRequest,
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses(
        (status = 201, body = Consent),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn give(
    State(engine): State<Engine>,
    visitor: Visitor,
    Id(case): Id,
    posted: Posted,
) -> Result<(StatusCode, Json<Consent>), Problem> {
    let (person, terms) = posted.json::<ConsentRequest>()?.split();
    let who = &visitor.principal;
    let given = engine
        .give_consent(who, &case, &person, terms, posted.key)
        .await?;
    let today = engine.today(who);
    Ok((StatusCode::CREATED, Json(Consent::of(given, today))))
}

/// Write down that a consent was taken back. Nothing is sent under it from then on.
#[utoipa::path(
    post, operation_id = "withdrawConsent",
    path = "/cases/{id}/consents/{consent}/withdraw", tag = "cases",
    request_body = WithdrawRequest,
    params(
        ("id" = String, Path), ("consent" = String, Path),
        ("Idempotency-Key" = Option<String>, Header),
    ),
    responses(
        (status = 200, body = Consent),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn withdraw(
    State(engine): State<Engine>,
    visitor: Visitor,
    Ids(case, id): Ids,
    posted: Posted,
) -> Result<Json<Consent>, Problem> {
    let WithdrawRequest { how, by } = posted.json()?;
    let who = &visitor.principal;
    let withdrawn = engine
        .withdraw_consent(who, &case, &id, how, by, posted.key)
        .await?;
    Ok(Json(Consent::of(withdrawn, engine.today(who))))
}

/// What went out about the people of a case, oldest first: to whom, for what and on what, without
/// content. That you looked is recorded.
#[utoipa::path(
    get, operation_id = "listDisclosures",
    path = "/cases/{id}/disclosures", tag = "cases", params(("id" = String, Path)),
    responses(
        (status = 200, body = Page<Disclosed>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn disclosures(
    State(engine): State<Engine>,
    visitor: Visitor,
    Id(case): Id,
) -> Result<Json<Page<Disclosed>>, Problem> {
    let log = engine.disclosures(&visitor.principal, &case).await?;
    Ok(Json(Page::whole(log)))
}

impl ConsentRequest {
    fn split(self) -> (String, Terms) {
        let terms = Terms {
            purposes: self.purposes,
            recipients: self.recipients,
            what: self.what,
            how: self.how,
            given_by: self.given_by,
            witness: self.witness,
            interpreter: self.interpreter,
            given_on: self.given_on,
            expires_on: self.expires_on,
        };
        (self.person, terms)
    }
}

fn told(all: Vec<consent::Consent>, today: Date) -> Vec<Consent> {
    all.into_iter().map(|one| Consent::of(one, today)).collect()
}

const fn standing_word(standing: Standing) -> &'static str {
    match standing {
        Standing::InForce => "in-force",
        Standing::NotYet => "not-yet",
        Standing::Expired => "expired",
        Standing::Withdrawn => "withdrawn",
    }
}

impl Consent {
    fn of(consent: consent::Consent, today: Date) -> Self {
        let standing = standing_word(consent.standing(today));
        let terms = consent.terms;
        Self {
            id: consent.id,
            case: consent.case,
            person: consent.person,
            purposes: terms.purposes,
            recipients: terms.recipients,
            what: terms.what,
            how: terms.how,
            given_by: terms.given_by,
            witness: terms.witness,
            interpreter: terms.interpreter,
            given_on: terms.given_on,
            expires_on: terms.expires_on,
            standing,
            revision: consent.revision,
            recorded_at: consent.recorded_at.to_string(),
            recorded_by: consent.recorded_by,
            withdrawn: consent.withdrawn.map(|one| Withdrawn {
                at: one.at.to_string(),
                recorded_by: one.recorded_by,
                by: one.by,
                how: one.how,
            }),
        }
    }
}

impl From<disclosure::Disclosure> for Disclosed {
    fn from(one: disclosure::Disclosure) -> Self {
        let (consents, basis) = match one.ground {
            Ground::Consents(consents) => (consents, None),
            Ground::Basis { name, because } => (Vec::new(), Some(BasisShape { name, because })),
        };
        Self {
            id: one.id,
            case: one.case,
            at: one.at.to_string(),
            instance: one.instance,
            task: one.task,
            function: one.function,
            attempt: one.attempt,
            discloses: one.discloses,
            purpose: one.purpose,
            to: one.recipient,
            persons: one.persons,
            consents,
            basis,
        }
    }
}
