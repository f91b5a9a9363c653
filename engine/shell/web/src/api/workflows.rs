//! `/workflows`: what can be started.

use axum::Json;
use axum::extract::State;
use casewright_runtime::Engine;

use crate::api::dto::{Page, Workflow};
use crate::problem::Problem;
use crate::visitor::Visitor;

/// The workflows in force.
#[utoipa::path(
    get, operation_id = "listWorkflows",
    path = "/workflows", tag = "workflows",
    responses(
        (status = 200, body = Page<Workflow>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list(
    State(engine): State<Engine>,
    visitor: Visitor,
) -> Result<Json<Page<Workflow>>, Problem> {
    let workflows = engine.workflows(&visitor.principal).await?;
    Ok(Json(Page::whole(workflows)))
}
