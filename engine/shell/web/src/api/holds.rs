//! `/work-items/{id}/hold` and `/resume`: work that waits for something outside.

use axum::extract::State;
use axum::response::Response;
use casewright_runtime::Engine;
use casewright_runtime::engine::Wait;

use crate::api::dto::{HoldRequest, WorkItem};
use crate::api::query::Id;
use crate::api::work_items::{Nothing, tagged};
use crate::body::Posted;
use crate::moment;
use crate::problem::Problem;
use crate::visitor::Visitor;

/// Let a work item that you have wait, with a reason. Whether its time stands still meanwhile is
/// the workflow's to say; a duty with a fixed time cannot wait (`not-holdable`).
#[utoipa::path(
    post, operation_id = "holdWorkItem",
    path = "/work-items/{id}/hold", tag = "work items",
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = HoldRequest,
    responses(
        (status = 200, body = WorkItem, headers(("ETag" = String))),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn hold(
    State(engine): State<Engine>,
    visitor: Visitor,
    Id(id): Id,
    posted: Posted,
) -> Result<Response, Problem> {
    let HoldRequest { until, reason } = posted.json()?;
    let zone = engine.zone(&visitor.principal);
    let until = until.map(|text| {
        moment::read(&text, &zone)
            .ok_or_else(|| Problem::invalid_input("until must be a day or a moment (RFC 3339)"))
    });
    let wait = Wait {
        until: until.transpose()?,
        reason,
    };
    let view = engine
        .hold(&visitor.principal, &id, wait, posted.key)
        .await?;
    Ok(tagged(view))
}

/// Go on with a work item that you had put on hold.
#[utoipa::path(
    post, operation_id = "resumeWorkItem",
    path = "/work-items/{id}/resume", tag = "work items",
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses(
        (status = 200, body = WorkItem, headers(("ETag" = String))),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn resume(
    State(engine): State<Engine>,
    visitor: Visitor,
    Id(id): Id,
    posted: Posted,
) -> Result<Response, Problem> {
    posted.json_or_default::<Nothing>()?;
    let view = engine.resume(&visitor.principal, &id, posted.key).await?;
    Ok(tagged(view))
}
