//! `/absences`: who is away, and who stands in.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use casewright_runtime::Engine;
use casewright_runtime::engine::NewAbsence;

use crate::api::dto::Page;
use crate::api::dto::people::{Absence, AbsenceRequest};
use crate::api::query::Id;
use crate::api::work_items::Nothing;
use crate::body::Posted;
use crate::problem::Problem;
use crate::visitor::Visitor;

/// Absences of your agency, the latest written down first.
#[utoipa::path(
    get, operation_id = "listAbsences",
    path = "/absences", tag = "absences",
    responses(
        (status = 200, body = Page<Absence>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list(
    State(engine): State<Engine>,
    visitor: Visitor,
) -> Result<Json<Page<Absence>>, Problem> {
    let absences = engine.absences(&visitor.principal).await?;
    Ok(Json(Page::whole(absences)))
}

/// Write down that you are away, and who stands in; with a role that arranges, that a colleague
/// is. Meanwhile the substitute may take what was given to that person by name, or what they have,
/// and it counts as done by both.
#[utoipa::path(
    post, operation_id = "recordAbsence",
    path = "/absences", tag = "absences",
    params(("Idempotency-Key" = Option<String>, Header)),
    request_body = AbsenceRequest,
    responses(
        (status = 201, body = Absence),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn record(
    State(engine): State<Engine>,
    visitor: Visitor,
    posted: Posted,
) -> Result<(StatusCode, Json<Absence>), Problem> {
    let AbsenceRequest {
        person,
        substitute,
        from,
        to,
    } = posted.json()?;
    let new = NewAbsence {
        person,
        substitute,
        from,
        to,
    };
    let absence = engine
        .record_absence(&visitor.principal, new, posted.key)
        .await?;
    Ok((StatusCode::CREATED, Json(absence.into())))
}

/// Take it back at once: the substitute finishes nothing more in that name.
#[utoipa::path(
    post, operation_id = "endAbsence",
    path = "/absences/{id}/end", tag = "absences",
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses(
        (status = 200, body = Absence),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn end(
    State(engine): State<Engine>,
    visitor: Visitor,
    Id(id): Id,
    posted: Posted,
) -> Result<Json<Absence>, Problem> {
    posted.json_or_default::<Nothing>()?;
    let absence = engine
        .end_absence(&visitor.principal, &id, posted.key)
        .await?;
    Ok(Json(absence.into()))
}
