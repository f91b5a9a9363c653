//! `/instances/{id}/migrate` and its preview: a run in another version of its workflow.

use axum::Json;
use axum::extract::State;
use casewright_runtime::Engine;
use casewright_runtime::engine::{Migrate, MoveTo};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::api::dto::migration::{MigrateRequest, Migration};
use crate::api::query::{Checked, Id};
use crate::body::Posted;
use crate::problem::Problem;
use crate::visitor::Visitor;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PreviewQuery {
    /// Only this version will do; without it the one in force.
    to: Option<String>,
    /// Back to the version that it was moved away from last.
    #[serde(default)]
    undo: bool,
}

/// What a move to another version would do to a run; for those who put packs in force.
///
/// Nothing changes. Every obstacle is told: a run is moved whole or not at all.
#[utoipa::path(
    get, operation_id = "previewMigration",
    path = "/instances/{id}/migration-preview", tag = "instances",
    params(("id" = String, Path), PreviewQuery),
    responses(
        (status = 200, body = Migration),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn preview(
    State(engine): State<Engine>,
    visitor: Visitor,
    Id(id): Id,
    Checked(query): Checked<PreviewQuery>,
) -> Result<Json<Migration>, Problem> {
    let to = target(query.to, query.undo)?;
    let view = engine.migration(&visitor.principal, &id, &to).await?;
    Ok(Json(view.into()))
}

/// Move a run to another version of its workflow; for those who put packs in force.
///
/// Open tasks, timers, keys and everything that was decided stay as they are. `not-migratable`:
/// the preview says what keeps it. `unknown-version`: that version is not in force. With `undo` it
/// goes back to the version it was moved away from last, under the same conditions.
#[utoipa::path(
    post, operation_id = "migrateInstance",
    path = "/instances/{id}/migrate", tag = "instances",
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = MigrateRequest,
    responses(
        (status = 200, body = Migration),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn migrate(
    State(engine): State<Engine>,
    visitor: Visitor,
    Id(id): Id,
    posted: Posted,
) -> Result<Json<Migration>, Problem> {
    let request: MigrateRequest = posted.json()?;
    let migrate = Migrate {
        to: target(request.to, request.undo)?,
        reason: request.reason,
    };
    let view = engine
        .migrate(&visitor.principal, &id, migrate, posted.key)
        .await?;
    Ok(Json(view.into()))
}

fn target(to: Option<String>, undo: bool) -> Result<MoveTo, Problem> {
    match (to, undo) {
        (Some(_), true) => Err(Problem::invalid_input(
            "`to` and `undo` exclude each other: a run goes back to the version it came from"
                .to_owned(),
        )),
        (None, true) => Ok(MoveTo::Back),
        (to, false) => Ok(MoveTo::InForce(to)),
    }
}
