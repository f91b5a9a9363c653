//! `/schedules`: what begins by itself, and when.

use axum::Json;
use axum::extract::State;
use casewright_runtime::Engine;

use crate::api::dto::Page;
use crate::api::dto::schedule::Schedule;
use crate::problem::Problem;
use crate::visitor::Visitor;

/// The workflows in force that begin by themselves.
#[utoipa::path(
    get, operation_id = "listSchedules",
    path = "/schedules", tag = "schedules",
    responses(
        (status = 200, body = Page<Schedule>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list(
    State(engine): State<Engine>,
    visitor: Visitor,
) -> Result<Json<Page<Schedule>>, Problem> {
    let schedules = engine.schedules(&visitor.principal).await?;
    Ok(Json(Page::whole(schedules)))
}
