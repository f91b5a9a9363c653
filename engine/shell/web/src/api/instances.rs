//! `/instances`: start a workflow, look at runs, cancel one, have one go on that failed.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use casewright_runtime::Engine;
use casewright_runtime::engine::{Retry, Start};
use casewright_runtime::view::RunFilter;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::api::dto::run::{RetryRequest, Run};
use crate::api::dto::{CancelRequest, HistoryEntry, Instance, Page, StartRequest, Started};
use crate::api::query::{Checked, Id};
use crate::body::Posted;
use crate::problem::Problem;
use crate::visitor::Visitor;

/// Start a workflow.
#[utoipa::path(
    post, operation_id = "startInstance",
    path = "/instances", tag = "instances",
    params(("Idempotency-Key" = Option<String>, Header)),
    request_body = StartRequest,
    responses(
        (status = 201, body = Started),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn start(
    State(engine): State<Engine>,
    visitor: Visitor,
    posted: Posted,
) -> Result<impl IntoResponse, Problem> {
    let request: StartRequest = posted.json()?;
    let start = Start {
        workflow: request.workflow,
        version: request.version,
        case: request.case,
        calendar: request.calendar,
        input: request.input,
    };
    let view = engine.start(&visitor.principal, start, posted.key).await?;
    let started = Started::from(view);
    let location = format!("/api/v1/instances/{}", started.id);
    Ok((
        StatusCode::CREATED,
        [(header::LOCATION, location)],
        Json(started),
    ))
}

/// Look at a run of a workflow.
#[utoipa::path(
    get, operation_id = "getInstance",
    path = "/instances/{id}", tag = "instances", params(("id" = String, Path)),
    responses(
        (status = 200, body = Instance),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn get(
    State(engine): State<Engine>,
    visitor: Visitor,
    Id(id): Id,
) -> Result<Json<Instance>, Problem> {
    let view = engine.instance(&visitor.principal, &id).await?;
    Ok(Json(view.into()))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct HistoryQuery {
    /// Only what came after this sequence number.
    after: Option<u64>,
}

/// What happened to a run, oldest first.
#[utoipa::path(
    get, operation_id = "getInstanceHistory",
    path = "/instances/{id}/history", tag = "instances",
    params(("id" = String, Path), HistoryQuery),
    responses(
        (status = 200, body = Page<HistoryEntry>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn history(
    State(engine): State<Engine>,
    visitor: Visitor,
    Id(id): Id,
    Checked(query): Checked<HistoryQuery>,
) -> Result<Json<Page<HistoryEntry>>, Problem> {
    let after = query.after.unwrap_or(0);
    let entries = engine.history(&visitor.principal, &id, after).await?;
    Ok(Json(Page::whole(entries)))
}

/// Cancel a run.
#[utoipa::path(
    post, operation_id = "cancelInstance",
    path = "/instances/{id}/cancel", tag = "instances",
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = Option<CancelRequest>,
    responses(
        (status = 200, body = Instance),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn cancel(
    State(engine): State<Engine>,
    visitor: Visitor,
    Id(id): Id,
    posted: Posted,
) -> Result<Json<Instance>, Problem> {
    let request: CancelRequest = posted.json_or_default()?;
    let view = engine
        .cancel(&visitor.principal, &id, request.reason, posted.key)
        .await?;
    Ok(Json(view.into()))
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct RunsQuery {
    /// `pending`, `running`, `waiting`, `suspended`, `cancelled`, `faulted` or `completed`.
    status: Option<String>,
    /// Name of a workflow.
    workflow: Option<String>,
    cursor: Option<String>,
    limit: Option<usize>,
}

/// Runs of the agency, latest first; for administrators. Nothing of a case is in here.
#[utoipa::path(
    get, operation_id = "listInstances",
    path = "/instances", tag = "instances", params(RunsQuery),
    responses(
        (status = 200, body = Page<Run>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list(
    State(engine): State<Engine>,
    visitor: Visitor,
    Checked(query): Checked<RunsQuery>,
) -> Result<Json<Page<Run>>, Problem> {
    let filter = RunFilter {
        status: query.status,
        workflow: query.workflow,
        cursor: query.cursor,
        limit: query.limit,
    };
    let page = engine.runs(&visitor.principal, filter).await?;
    Ok(Json(Page::of(page)))
}

/// Have a run go on from the call that failed; for administrators.
///
/// The call is sent again under the same key, and everything is checked again. `not-retryable`: it
/// would fail again for certain. `in-doubt`: it may have happened; make sure that it did not, and
/// send `certain`. Of a run that failed with one that it ran, that one goes on first and is the
/// answer.
#[utoipa::path(
    post, operation_id = "retryInstance",
    path = "/instances/{id}/retry", tag = "instances",
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    request_body = RetryRequest,
    responses(
        (status = 200, body = Instance),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn retry(
    State(engine): State<Engine>,
    visitor: Visitor,
    Id(id): Id,
    posted: Posted,
) -> Result<Json<Instance>, Problem> {
    let request: RetryRequest = posted.json()?;
    let retry = Retry {
        reason: request.reason,
        certain: request.certain,
    };
    let view = engine
        .retry(&visitor.principal, &id, retry, posted.key)
        .await?;
    Ok(Json(view.into()))
}
