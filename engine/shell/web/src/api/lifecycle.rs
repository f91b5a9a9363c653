//! Lifecycle events of runs and tasks, after CloudEvents 1.0, to be asked for again and again by
//! whoever watches. They name things; nothing of a case is in here.

use axum::Json;
use axum::extract::State;
use casewright_runtime::Engine;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::api::dto::lifecycle::LifecyclePage;
use crate::api::query::{Checked, Id};
use crate::problem::Problem;
use crate::visitor::Visitor;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct LifecycleQuery {
    /// `next` of the page before: only what came after it.
    cursor: Option<String>,
    /// Events of a page, 100 unless given, at most 500.
    limit: Option<usize>,
}

/// Lifecycle events of a run and its tasks, oldest first.
#[utoipa::path(
    get, operation_id = "getInstanceLifecycle",
    path = "/instances/{id}/lifecycle", tag = "lifecycle",
    params(("id" = String, Path), LifecycleQuery),
    responses(
        (status = 200, body = LifecyclePage),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn of_run(
    State(engine): State<Engine>,
    visitor: Visitor,
    Id(id): Id,
    Checked(query): Checked<LifecycleQuery>,
) -> Result<Json<LifecyclePage>, Problem> {
    let LifecycleQuery { cursor, limit } = query;
    let page = engine
        .lifecycle(&visitor.principal, &id, cursor, limit)
        .await?;
    Ok(Json(page.into()))
}

/// Lifecycle events of all runs of the agency, without those of tasks; for administrators.
///
/// An event comes once, after all that were on disk before it. Receivers know an event again by
/// its source and id.
#[utoipa::path(
    get, operation_id = "getLifecycle",
    path = "/lifecycle", tag = "lifecycle",
    params(LifecycleQuery),
    responses(
        (status = 200, body = LifecyclePage),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn of_agency(
    State(engine): State<Engine>,
    visitor: Visitor,
    Checked(query): Checked<LifecycleQuery>,
) -> Result<Json<LifecyclePage>, Problem> {
    let LifecycleQuery { cursor, limit } = query;
    let page = engine.lifecycles(&visitor.principal, cursor, limit).await?;
    Ok(Json(page.into()))
}
