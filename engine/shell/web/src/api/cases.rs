//! `/cases`: one family's file, its timeline and its audit chain.

use axum::Json;
use axum::extract::State;
use casewright_runtime::Engine;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use crate::api::dto::{AuditLink, Case, Page, TimelineEntry};
use crate::api::query::{Checked, Id};
use crate::body::Posted;
use crate::problem::Problem;
use crate::visitor::Visitor;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    cursor: Option<String>,
}

/// The cases you may see.
#[utoipa::path(
    get, operation_id = "listCases",
    path = "/cases", tag = "cases", params(ListQuery),
    responses(
        (status = 200, body = Page<Case>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list(
    State(engine): State<Engine>,
    visitor: Visitor,
    Checked(query): Checked<ListQuery>,
) -> Result<Json<Page<Case>>, Problem> {
    let page = engine.cases(&visitor.principal, query.cursor).await?;
    Ok(Json(Page::of(page)))
}

/// Open a case. That you did is recorded.
#[utoipa::path(
    get, operation_id = "getCase",
    path = "/cases/{id}", tag = "cases", params(("id" = String, Path)),
    responses(
        (status = 200, body = Case),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn get(
    State(engine): State<Engine>,
    visitor: Visitor,
    Id(id): Id,
) -> Result<Json<Case>, Problem> {
    let view = engine.case(&visitor.principal, &id).await?;
    Ok(Json(view.into()))
}

/// Why a closed case is opened again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReopenRequest {
    reason: String,
}

/// Open a closed case again: its next episode. What was closed stays closed. `not-closed` when it
/// is open; needs a role that may start workflows.
#[utoipa::path(
    post, operation_id = "reopenCase",
    path = "/cases/{id}/reopen", tag = "cases", request_body = ReopenRequest,
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses(
        (status = 200, body = Case),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn reopen(
    State(engine): State<Engine>,
    visitor: Visitor,
    Id(id): Id,
    posted: Posted,
) -> Result<Json<Case>, Problem> {
    let ReopenRequest { reason } = posted.json()?;
    let who = &visitor.principal;
    let view = engine.reopen(who, &id, &reason, posted.key).await?;
    Ok(Json(view.into()))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct TimelineQuery {
    cursor: Option<String>,
    /// At most 200.
    limit: Option<usize>,
}

/// Who did what and when, newest first, each with its sentence. That you looked is recorded.
#[utoipa::path(
    get, operation_id = "getCaseTimeline",
    path = "/cases/{id}/timeline", tag = "cases",
    params(("id" = String, Path), TimelineQuery),
    responses(
        (status = 200, body = Page<TimelineEntry>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn timeline(
    State(engine): State<Engine>,
    visitor: Visitor,
    Id(id): Id,
    Checked(query): Checked<TimelineQuery>,
) -> Result<Json<Page<TimelineEntry>>, Problem> {
    let TimelineQuery { cursor, limit } = query;
    let who = &visitor.principal;
    let page = engine.timeline_page(who, &id, cursor, limit).await?;
    Ok(Json(Page::of(page)))
}

/// The audit chain, to be verified without the engine. Of what is hidden from you there is its
/// place and its hash, with which the rest can be verified.
#[utoipa::path(
    get, operation_id = "getCaseAudit",
    path = "/cases/{id}/audit", tag = "cases", params(("id" = String, Path)),
    responses(
        (status = 200, body = Page<AuditLink>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn audit(
    State(engine): State<Engine>,
    visitor: Visitor,
    Id(id): Id,
) -> Result<Json<Page<AuditLink>>, Problem> {
    let links = engine.audit_shown(&visitor.principal, &id).await?;
    Ok(Json(Page::whole(links)))
}
