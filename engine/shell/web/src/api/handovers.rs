//! `/work-items/{id}/delegate`, `/assign`, `/reassign` and `/skip`: work that goes to others, or
//! is not needed after all.

use axum::extract::State;
use axum::response::Response;
use casewright_casework::work_item::Assigned;
use casewright_runtime::Engine;
use casewright_runtime::engine::{Give, HandOver, Reassign};

use crate::api::dto::WorkItem;
use crate::api::dto::people::{
    AssignRequest, DelegateRequest, ReassignRequest, Recipient, SkipRequest,
};
use crate::api::query::Id;
use crate::api::work_items::tagged;
use crate::body::Posted;
use crate::moment;
use crate::problem::Problem;
use crate::visitor::Visitor;

/// Hand a work item that you have to a colleague until a moment, with a reason. They act for you:
/// it counts as done by both, both must be within a limit, and they cannot hand it on. Then it
/// comes back by itself; you can take it back before.
#[utoipa::path(
    post, operation_id = "delegateWorkItem",
    path = "/work-items/{id}/delegate", tag = "work items",
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = DelegateRequest,
    responses(
        (status = 200, body = WorkItem, headers(("ETag" = String))),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn delegate(
    State(engine): State<Engine>,
    visitor: Visitor,
    Id(id): Id,
    posted: Posted,
) -> Result<Response, Problem> {
    let DelegateRequest { to, until, reason } = posted.json()?;
    let until = moment::read(&until, &engine.zone(&visitor.principal))
        .ok_or_else(|| Problem::invalid_input("until must be a day or a moment (RFC 3339)"))?;
    let hand_over = HandOver { to, until, reason };
    let view = engine
        .hand_over(&visitor.principal, &id, hand_over, posted.key)
        .await?;
    Ok(tagged(view))
}

/// Give a work item that nobody has to a colleague who might take it themselves. Needs a role that
/// arranges.
#[utoipa::path(
    post, operation_id = "assignWorkItem",
    path = "/work-items/{id}/assign", tag = "work items",
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = AssignRequest,
    responses(
        (status = 200, body = WorkItem, headers(("ETag" = String))),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn assign(
    State(engine): State<Engine>,
    visitor: Visitor,
    Id(id): Id,
    posted: Posted,
) -> Result<Response, Problem> {
    let AssignRequest { to, reason } = posted.json()?;
    let give = Give { to, reason };
    let view = engine
        .give(&visitor.principal, &id, give, posted.key)
        .await?;
    Ok(tagged(view))
}

/// Give a work item to other people, whoever has it. An approval goes only to a person who may
/// decide it. Needs a role that arranges.
#[utoipa::path(
    post, operation_id = "reassignWorkItem",
    path = "/work-items/{id}/reassign", tag = "work items",
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = ReassignRequest,
    responses(
        (status = 200, body = WorkItem, headers(("ETag" = String))),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn reassign(
    State(engine): State<Engine>,
    visitor: Visitor,
    Id(id): Id,
    posted: Posted,
) -> Result<Response, Problem> {
    let ReassignRequest { to, reason } = posted.json()?;
    let to = match to {
        Recipient::Person(person) => Assigned::Person(person),
        Recipient::Role(role) => Assigned::Role(role),
        Recipient::Team(team) => Assigned::Team(team),
    };
    let reassign = Reassign { to, reason };
    let view = engine
        .reassign(&visitor.principal, &id, reassign, posted.key)
        .await?;
    Ok(tagged(view))
}

/// End a work item without an answer, with a reason, where its workflow says who may. An approval
/// is never skipped.
#[utoipa::path(
    post, operation_id = "skipWorkItem",
    path = "/work-items/{id}/skip", tag = "work items",
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = SkipRequest,
    responses(
        (status = 200, body = WorkItem, headers(("ETag" = String))),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn skip(
    State(engine): State<Engine>,
    visitor: Visitor,
    Id(id): Id,
    posted: Posted,
) -> Result<Response, Problem> {
    let SkipRequest { reason } = posted.json()?;
    let view = engine
        .skip(&visitor.principal, &id, &reason, posted.key)
        .await?;
    Ok(tagged(view))
}
