//! `/funds`: what the agency can still spend.

use axum::Json;
use axum::extract::State;
use casewright_runtime::Engine;

use crate::api::dto::{Fund, Page};
use crate::problem::Problem;
use crate::visitor::Visitor;

/// The agency's funds.
#[utoipa::path(
    get, operation_id = "listFunds",
    path = "/funds", tag = "funds",
    responses(
        (status = 200, body = Page<Fund>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list(
    State(engine): State<Engine>,
    visitor: Visitor,
) -> Result<Json<Page<Fund>>, Problem> {
    let funds = engine.funds(&visitor.principal).await?;
    Ok(Json(Page::whole(funds)))
}
