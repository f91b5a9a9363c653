//! `/work-items`: the queue, and what people do with a piece of work.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use casewright_casework::Principal;
use casewright_runtime::Engine;
use casewright_runtime::engine::Complete;
use casewright_runtime::view::{self, WorkItemFilter, WorkItemView};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::dto::{CompleteRequest, Page, WorkItem};
use crate::api::query::{Checked, Id, if_match};
use crate::body::Posted;
use crate::problem::Problem;
use crate::visitor::Visitor;

const LIMIT_MAX: usize = 200;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    /// Without it the open ones: offered, claimed, held.
    #[param(inline)]
    state: Option<ItemState>,
    /// Assigned to this role.
    role: Option<String>,
    /// Assigned to this team.
    team: Option<String>,
    /// `true`: only open ones that should have been done by now.
    overdue: Option<bool>,
    /// Held by this person; `me` for the caller.
    claimed_by: Option<String>,
    case: Option<String>,
    instance: Option<String>,
    cursor: Option<String>,
    /// 1 to 200.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<usize>,
}

#[derive(Debug, Clone, Copy, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = WorkItemState)]
enum ItemState {
    Offered,
    Claimed,
    Held,
    Completed,
    Withdrawn,
    /// All of them; only together with `case` or `instance`.
    Any,
}

impl ItemState {
    const fn name(self) -> &'static str {
        match self {
            Self::Offered => "offered",
            Self::Claimed => "claimed",
            Self::Held => "held",
            Self::Completed => "completed",
            Self::Withdrawn => "withdrawn",
            Self::Any => "any",
        }
    }
}

/// The queue, by due time; those without one last.
#[utoipa::path(
    get, operation_id = "listWorkItems",
    path = "/work-items", tag = "work items", params(ListQuery),
    responses(
        (status = 200, body = Page<WorkItem>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list(
    State(engine): State<Engine>,
    visitor: Visitor,
    Checked(query): Checked<ListQuery>,
) -> Result<Json<Page<WorkItem>>, Problem> {
    if query
        .limit
        .is_some_and(|limit| limit == 0 || limit > LIMIT_MAX)
    {
        return Err(Problem::invalid_input("limit must be 1 to 200"));
    }
    let me = &visitor.principal;
    let any = matches!(query.state, Some(ItemState::Any));
    if any && query.case.is_none() && query.instance.is_none() {
        return Err(Problem::invalid_input(
            "state=any needs a case or an instance",
        ));
    }
    let state = query.state.filter(|_| !any);
    let filter = WorkItemFilter {
        state: state.map(|state| state.name().to_owned()),
        role: query.role,
        team: query.team,
        overdue: query.overdue.unwrap_or(false),
        claimed_by: query.claimed_by.map(|person| {
            if person == "me" {
                me.id.clone()
            } else {
                person
            }
        }),
        case: query.case,
        instance: query.instance,
        cursor: query.cursor,
        limit: query.limit,
    };
    let page = if any {
        of_any_state(&engine, me, filter).await?
    } else {
        engine.work_items(me, filter).await?
    };
    Ok(Json(Page::of(page)))
}

/// Open and closed work of one case, in the order in which it came up: a case has little.
async fn of_any_state(
    engine: &Engine,
    me: &Principal,
    open: WorkItemFilter,
) -> Result<view::Page<WorkItemView>, Problem> {
    let mut all = view::Page {
        items: Vec::new(),
        next: None,
    };
    for state in [None, Some("completed"), Some("withdrawn")] {
        let filter = WorkItemFilter {
            state: state.map(str::to_owned),
            ..open.clone()
        };
        all.items.extend(engine.work_items(me, filter).await?.items);
    }
    all.items
        .sort_by_key(|item| (item.offered, item.id.clone()));
    // One that was finished between two of the reads.
    all.items.dedup_by(|later, earlier| later.id == earlier.id);
    Ok(all)
}

/// One work item.
#[utoipa::path(
    get, operation_id = "getWorkItem",
    path = "/work-items/{id}", tag = "work items", params(("id" = String, Path)),
    responses(
        (status = 200, body = WorkItem, headers(("ETag" = String))),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn get(
    State(engine): State<Engine>,
    visitor: Visitor,
    Id(id): Id,
) -> Result<Response, Problem> {
    let view = engine.work_item(&visitor.principal, &id).await?;
    Ok(tagged(view))
}

/// Take it, so that others see that you have it.
#[utoipa::path(
    post, operation_id = "claimWorkItem",
    path = "/work-items/{id}/claim", tag = "work items",
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses(
        (status = 200, body = WorkItem, headers(("ETag" = String))),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn claim(
    State(engine): State<Engine>,
    visitor: Visitor,
    Id(id): Id,
    posted: Posted,
) -> Result<Response, Problem> {
    posted.json_or_default::<Nothing>()?;
    let view = engine.claim(&visitor.principal, &id, posted.key).await?;
    Ok(tagged(view))
}

/// Give it back to those it was offered to.
#[utoipa::path(
    post, operation_id = "releaseWorkItem",
    path = "/work-items/{id}/release", tag = "work items",
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses(
        (status = 200, body = WorkItem, headers(("ETag" = String))),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn release(
    State(engine): State<Engine>,
    visitor: Visitor,
    Id(id): Id,
    posted: Posted,
) -> Result<Response, Problem> {
    posted.json_or_default::<Nothing>()?;
    let view = engine.release(&visitor.principal, &id, posted.key).await?;
    Ok(tagged(view))
}

/// Decide or finish it.
#[utoipa::path(
    post, operation_id = "completeWorkItem",
    path = "/work-items/{id}/complete", tag = "work items",
    params(
        ("id" = String, Path),
        ("Idempotency-Key" = Option<String>, Header),
        ("If-Match" = Option<String>, Header, description = "The ETag seen, instead of `revision`"),
    ),
    request_body = CompleteRequest,
    responses(
        (status = 200, body = WorkItem, headers(("ETag" = String))),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn complete(
    State(engine): State<Engine>,
    visitor: Visitor,
    Id(id): Id,
    headers: HeaderMap,
    posted: Posted,
) -> Result<Response, Problem> {
    let request: CompleteRequest = posted.json()?;
    let revision = match (request.revision, if_match(&headers)?) {
        (Some(one), Some(other)) if one != other => {
            return Err(Problem::invalid_input("If-Match and revision differ"));
        }
        (body, header) => body.or(header),
    };
    let complete = Complete {
        outcome: request.outcome,
        data: request.data,
        comment: request.comment,
        revision,
        shown: request.shown,
    };
    let view = engine
        .complete(&visitor.principal, &id, complete, posted.key)
        .await?;
    Ok(tagged(view))
}

/// A body that may only be left out or empty.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

pub(super) fn tagged(view: WorkItemView) -> Response {
    let item = WorkItem::from(view);
    let tag = format!("\"{}\"", item.revision);
    ([(header::ETAG, tag)], Json(item)).into_response()
}
