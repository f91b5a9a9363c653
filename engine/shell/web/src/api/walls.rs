//! `/cases/{id}/walls`: which of the staff stand in a case themselves and may not open it.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use casewright_runtime::Engine;
use casewright_runtime::view::{LiftedView, WallView};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::dto::{Page, Person};
use crate::api::query::{Id, Ids};
use crate::body::Posted;
use crate::problem::Problem;
use crate::visitor::Visitor;

/// That a member of staff stands in a case, as family or payee or close to one.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WallRequest {
    /// Id or sign-in name of a member of staff; you, when it is left out. For others a role with
    /// `walls: true` is needed.
    person: Option<String>,
    reason: String,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LiftRequest {
    reason: String,
    /// The last day on which they may read the case, at most ninety days from today.
    #[schema(value_type = String, format = Date)]
    until: Date,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TakeAwayRequest {
    reason: String,
}

/// A wall between a member of staff and a case.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Wall {
    person: Person,
    /// Whether the case is closed to them today.
    closed: bool,
    /// Ids of persons of the case whom they are, as family or payee.
    stands_as: Vec<String>,
    /// When it was declared, if it was.
    #[schema(format = DateTime)]
    declared: Option<String>,
    by: Option<Person>,
    reason: Option<String>,
    /// What lets them read the case today. What is to be approved stays with others.
    lifted: Option<Lifted>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Lifted {
    by: Person,
    #[schema(format = DateTime)]
    at: String,
    reason: String,
    /// The last day.
    #[schema(value_type = String, format = Date)]
    until: Date,
}

/// The walls of a case. That you looked is recorded.
#[utoipa::path(
    get, operation_id = "listWalls",
    path = "/cases/{id}/walls", tag = "cases", params(("id" = String, Path)),
    responses(
        (status = 200, body = Page<Wall>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list(
    State(engine): State<Engine>,
    visitor: Visitor,
    Id(case): Id,
) -> Result<Json<Page<Wall>>, Problem> {
    let walls = engine.walls(&visitor.principal, &case).await?;
    Ok(Json(Page::whole(walls)))
}

/// Declare that you, or a colleague, stand in the case. It is closed to them from then on, and
/// tasks that they had taken go back to those they were offered to.
#[utoipa::path(
    post, operation_id = "declareWall",
    path = "/cases/{id}/walls", tag = "cases", request_body = WallRequest,
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses(
        (status = 201, body = Wall),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn declare(
    State(engine): State<Engine>,
    visitor: Visitor,
    Id(case): Id,
    posted: Posted,
) -> Result<(StatusCode, Json<Wall>), Problem> {
    let WallRequest { person, reason } = posted.json()?;
    let who = &visitor.principal;
    let wall = engine
        .declare_wall(who, &case, person.as_deref(), reason, posted.key)
        .await?;
    Ok((StatusCode::CREATED, Json(wall.into())))
}

/// Let somebody read the case again up to a day. Needs a role with `walls: true`; nobody lifts
/// their own.
#[utoipa::path(
    post, operation_id = "liftWall",
    path = "/cases/{id}/walls/{person}/lift", tag = "cases", request_body = LiftRequest,
    params(
        ("id" = String, Path), ("person" = String, Path),
        ("Idempotency-Key" = Option<String>, Header),
    ),
    responses(
        (status = 200, body = Wall),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn lift(
    State(engine): State<Engine>,
    visitor: Visitor,
    Ids(case, person): Ids,
    posted: Posted,
) -> Result<Json<Wall>, Problem> {
    let LiftRequest { reason, until } = posted.json()?;
    let who = &visitor.principal;
    let wall = engine
        .lift_wall(who, &case, &person, (reason, until), posted.key)
        .await?;
    Ok(Json(wall.into()))
}

/// Take a declaration away. Needs a role with `walls: true`; nobody takes their own away.
#[utoipa::path(
    post, operation_id = "takeWallAway",
    path = "/cases/{id}/walls/{person}/take-away", tag = "cases",
    request_body = TakeAwayRequest,
    params(
        ("id" = String, Path), ("person" = String, Path),
        ("Idempotency-Key" = Option<String>, Header),
    ),
    responses(
        (status = 200, body = Wall),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn take_away(
    State(engine): State<Engine>,
    visitor: Visitor,
    Ids(case, person): Ids,
    posted: Posted,
) -> Result<Json<Wall>, Problem> {
    let TakeAwayRequest { reason } = posted.json()?;
    let who = &visitor.principal;
    let wall = engine
        .take_wall_away(who, &case, &person, reason, posted.key)
        .await?;
    Ok(Json(wall.into()))
}

impl From<WallView> for Wall {
    fn from(view: WallView) -> Self {
        Self {
            person: view.person.into(),
            closed: view.closed,
            stands_as: view.stands_as,
            declared: view.declared.map(|at| at.to_string()),
            by: view.by.map(Person::from),
            reason: view.reason,
            lifted: view.lifted.map(Lifted::from),
        }
    }
}

impl From<LiftedView> for Lifted {
    fn from(view: LiftedView) -> Self {
        Self {
            by: view.by.into(),
            at: view.at.to_string(),
            reason: view.reason,
            until: view.until,
        }
    }
}
