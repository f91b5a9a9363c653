//! `/work-items/{id}/draft`: what the caller has typed and not yet sent. Nobody else sees it.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use casewright_runtime::Engine;
use casewright_runtime::engine::Unsent;

use crate::api::dto::{Draft, DraftRequest};
use crate::api::query::Id;
use crate::body::Posted;
use crate::problem::Problem;
use crate::visitor::Visitor;

/// Your unfinished answer; `not-found` when there is none.
#[utoipa::path(
    get, operation_id = "getDraft",
    path = "/work-items/{id}/draft", tag = "work items", params(("id" = String, Path)),
    responses(
        (status = 200, body = Draft),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn get(
    State(engine): State<Engine>,
    visitor: Visitor,
    Id(id): Id,
) -> Result<Json<Draft>, Problem> {
    let draft = engine.draft(&visitor.principal, &id).await?;
    draft
        .map(|draft| Json(draft.into()))
        .ok_or_else(Problem::not_found)
}

/// Keep an unfinished answer to a work item that you have, in place of the one before. It is not
/// checked, only you see it, and it is gone once you complete. Who began an answer counts as having
/// worked on it.
#[utoipa::path(
    put, operation_id = "saveDraft",
    path = "/work-items/{id}/draft", tag = "work items", params(("id" = String, Path)),
    request_body = DraftRequest,
    responses(
        (status = 200, body = Draft),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn put(
    State(engine): State<Engine>,
    visitor: Visitor,
    Id(id): Id,
    posted: Posted,
) -> Result<Json<Draft>, Problem> {
    let DraftRequest { data, comment } = posted.json()?;
    let unsent = Unsent { data, comment };
    let draft = engine.save_draft(&visitor.principal, &id, unsent).await?;
    Ok(Json(draft.into()))
}

/// Drop it; that there is none is no mistake.
#[utoipa::path(
    delete, operation_id = "deleteDraft",
    path = "/work-items/{id}/draft", tag = "work items", params(("id" = String, Path)),
    responses(
        (status = 204),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn delete(
    State(engine): State<Engine>,
    visitor: Visitor,
    Id(id): Id,
) -> Result<StatusCode, Problem> {
    engine.discard_draft(&visitor.principal, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
