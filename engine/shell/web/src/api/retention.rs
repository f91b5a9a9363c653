//! `/cases/{id}/retention` and `/retention`: how long files are kept, holds on them, and their
//! erasure, which one asks for and another decides.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use casewright_runtime::Engine;
use casewright_runtime::engine::{
    AskedView, ClassView, DeclinedView, DoneView, DueView, ErasedView, HoldView, ObstacleView,
    RetentionView, TransferView,
};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::dto::{Page, Person};
use crate::api::query::{Checked, Id, Ids};
use crate::body::Posted;
use crate::problem::Problem;
use crate::visitor::Visitor;

/// Why something is done.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct BecauseRequest {
    reason: String,
}

/// To whom a file was handed over, and when.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct TransferRequest {
    /// A word of `retention.recipients` of the pack.
    to: String,
    /// From the last end of the case to today.
    #[schema(value_type = String, format = Date)]
    on: Date,
}

/// Which request is decided, and why so.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DecideRequest {
    /// Id of the request, as it was shown.
    request: String,
    reason: String,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct ListQuery {
    cursor: Option<String>,
}

/// How long a case is kept, and what stands in the way of its erasure today.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Retention {
    case: String,
    number: String,
    /// The day it is where the agency is.
    #[schema(value_type = String, format = Date)]
    today: Date,
    /// Its last end; null while it is open.
    #[schema(value_type = Option<String>, format = Date)]
    closed: Option<Date>,
    /// The last day on which it is kept; null while nobody can say.
    #[schema(value_type = Option<String>, format = Date)]
    until: Option<Date>,
    classes: Vec<Class>,
    /// Nothing: its erasure could be asked for today.
    in_the_way: Vec<Obstacle>,
    holds: Vec<Hold>,
    transfers: Vec<Transfer>,
    /// The request that nobody has decided yet.
    asked: Option<Asked>,
    declined: Vec<Declined>,
}

/// A class that a case falls under.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Class {
    name: String,
    title: Option<String>,
    #[schema(value_type = Option<String>, format = Date)]
    until: Option<Date>,
    #[schema(example = "erase")]
    dispose: String,
}

/// What keeps a file from being erased.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Obstacle {
    /// `not-closed`, `runs-open`, `tasks-open`, `money-set-aside`, `no-class`, `birth-unknown`,
    /// `kept`, `held` or `not-transferred`.
    name: String,
    sentence: String,
}

/// Who did it, when and why.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Done {
    #[schema(format = DateTime)]
    at: String,
    by: Person,
    reason: String,
}

/// While one holds, nothing is erased.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Hold {
    id: String,
    set: Done,
    lifted: Option<Done>,
}

/// That a file was handed over.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Transfer {
    #[schema(format = DateTime)]
    at: String,
    by: Person,
    to: String,
    #[schema(value_type = String, format = Date)]
    on: Date,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Asked {
    id: String,
    asked: Done,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Declined {
    asked: Done,
    declined: Done,
}

/// A closed case whose time is over, or of which nobody can say it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Due {
    case: String,
    number: String,
    #[schema(value_type = String, format = Date)]
    closed: Date,
    #[schema(value_type = Option<String>, format = Date)]
    until: Option<Date>,
    in_the_way: Vec<Obstacle>,
    asked: Option<Asked>,
}

/// What stays of an erased case.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Erased {
    case: String,
    number: String,
    #[schema(format = DateTime)]
    opened: String,
    /// Its last end.
    #[schema(format = DateTime)]
    closed: String,
    /// The last day on which it had to be kept.
    #[schema(value_type = String, format = Date)]
    until: Date,
    classes: Vec<String>,
    #[schema(format = DateTime)]
    asked_at: String,
    asked_by: Person,
    #[schema(format = DateTime)]
    decided_at: String,
    decided_by: Person,
    transfers: Vec<Transfer>,
    /// Entries of its record, which stay.
    entries: u64,
    /// Hash of the last of them.
    last: String,
}

/// How long a case is kept and what stands in the way of its erasure: nothing is changed. Needs a
/// role of `retention` in the pack. That you looked is recorded.
#[utoipa::path(
    get, operation_id = "getRetention",
    path = "/cases/{id}/retention", tag = "retention", params(("id" = String, Path)),
    responses(
        (status = 200, body = Retention),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn get(
    State(engine): State<Engine>,
    visitor: Visitor,
    Id(case): Id,
) -> Result<Json<Retention>, Problem> {
    let view = engine.case_retention(&visitor.principal, &case).await?;
    Ok(Json(view.into()))
}

/// Hold a file back from erasure. Several may hold it at once.
#[utoipa::path(
    post, operation_id = "holdFile",
    path = "/cases/{id}/retention/holds", tag = "retention", request_body = BecauseRequest,
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses(
        (status = 201, body = Retention),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn hold(
    State(engine): State<Engine>,
    visitor: Visitor,
    Id(case): Id,
    posted: Posted,
) -> Result<(StatusCode, Json<Retention>), Problem> {
    let BecauseRequest { reason } = posted.json()?;
    let who = &visitor.principal;
    let view = engine.hold_file(who, &case, reason, posted.key).await?;
    Ok((StatusCode::CREATED, Json(view.into())))
}

/// Lift one hold. `self-approval` for whoever set it.
#[utoipa::path(
    post, operation_id = "liftHold",
    path = "/cases/{id}/retention/holds/{hold}/lift", tag = "retention",
    request_body = BecauseRequest,
    params(
        ("id" = String, Path), ("hold" = String, Path),
        ("Idempotency-Key" = Option<String>, Header),
    ),
    responses(
        (status = 200, body = Retention),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn lift(
    State(engine): State<Engine>,
    visitor: Visitor,
    Ids(case, hold): Ids,
    posted: Posted,
) -> Result<Json<Retention>, Problem> {
    let BecauseRequest { reason } = posted.json()?;
    let who = &visitor.principal;
    let view = engine
        .lift_hold(who, &case, &hold, reason, posted.key)
        .await?;
    Ok(Json(view.into()))
}

/// Write down that a file was handed over.
#[utoipa::path(
    post, operation_id = "transferFile",
    path = "/cases/{id}/retention/transfers", tag = "retention", request_body = TransferRequest,
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses(
        (status = 201, body = Retention),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn transfer(
    State(engine): State<Engine>,
    visitor: Visitor,
    Id(case): Id,
    posted: Posted,
) -> Result<(StatusCode, Json<Retention>), Problem> {
    let TransferRequest { to, on } = posted.json()?;
    let who = &visitor.principal;
    let view = engine
        .hand_file_over(who, &case, (to, on), posted.key)
        .await?;
    Ok((StatusCode::CREATED, Json(view.into())))
}

/// Ask that a file be erased; another decides. `not-erasable` lists all that stands in the way.
#[utoipa::path(
    post, operation_id = "askErasure",
    path = "/cases/{id}/retention/erasure", tag = "retention", request_body = BecauseRequest,
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses(
        (status = 201, body = Retention),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn ask(
    State(engine): State<Engine>,
    visitor: Visitor,
    Id(case): Id,
    posted: Posted,
) -> Result<(StatusCode, Json<Retention>), Problem> {
    let BecauseRequest { reason } = posted.json()?;
    let who = &visitor.principal;
    let view = engine.ask_erasure(who, &case, reason, posted.key).await?;
    Ok((StatusCode::CREATED, Json(view.into())))
}

/// Agree to what another asked for. The case is gone for everybody; there is no way back.
#[utoipa::path(
    post, operation_id = "agreeErasure",
    path = "/cases/{id}/retention/erasure/agree", tag = "retention",
    request_body = DecideRequest,
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses(
        (status = 200, body = Erased),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn agree(
    State(engine): State<Engine>,
    visitor: Visitor,
    Id(case): Id,
    posted: Posted,
) -> Result<Json<Erased>, Problem> {
    let DecideRequest { request, reason } = posted.json()?;
    let who = &visitor.principal;
    let agreed = engine.agree_erasure(who, &case, (request, reason), posted.key);
    Ok(Json(agreed.await?.into()))
}

/// Do not agree to what another asked for: the file stays.
#[utoipa::path(
    post, operation_id = "declineErasure",
    path = "/cases/{id}/retention/erasure/decline", tag = "retention",
    request_body = DecideRequest,
    params(("id" = String, Path), ("Idempotency-Key" = Option<String>, Header)),
    responses(
        (status = 200, body = Retention),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn decline(
    State(engine): State<Engine>,
    visitor: Visitor,
    Id(case): Id,
    posted: Posted,
) -> Result<Json<Retention>, Problem> {
    let DecideRequest { request, reason } = posted.json()?;
    let who = &visitor.principal;
    let declined = engine.decline_erasure(who, &case, (request, reason), posted.key);
    Ok(Json(declined.await?.into()))
}

/// Closed cases whose time is over, or of which nobody can say it, the longest over first. Needs a
/// role of `retention` in the pack. A page may be short.
#[utoipa::path(
    get, operation_id = "listFilesDue",
    path = "/retention/due", tag = "retention", params(ListQuery),
    responses(
        (status = 200, body = Page<Due>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn due(
    State(engine): State<Engine>,
    visitor: Visitor,
    Checked(query): Checked<ListQuery>,
) -> Result<Json<Page<Due>>, Problem> {
    let page = engine.files_due(&visitor.principal, query.cursor).await?;
    Ok(Json(Page::of(page)))
}

/// What stays of erased cases, latest first. Needs a role of `retention` in the pack.
#[utoipa::path(
    get, operation_id = "listFilesErased",
    path = "/retention/erased", tag = "retention", params(ListQuery),
    responses(
        (status = 200, body = Page<Erased>),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn erased(
    State(engine): State<Engine>,
    visitor: Visitor,
    Checked(query): Checked<ListQuery>,
) -> Result<Json<Page<Erased>>, Problem> {
    let page = engine
        .files_erased(&visitor.principal, query.cursor)
        .await?;
    Ok(Json(Page::of(page)))
}

fn all<V, T: From<V>>(views: Vec<V>) -> Vec<T> {
    views.into_iter().map(T::from).collect()
}

impl From<RetentionView> for Retention {
    fn from(view: RetentionView) -> Self {
        Self {
            case: view.case,
            number: view.number,
            today: view.today,
            closed: view.closed,
            until: view.until,
            classes: all(view.classes),
            in_the_way: all(view.in_the_way),
            holds: all(view.holds),
            transfers: all(view.transfers),
            asked: view.asked.map(Asked::from),
            declined: all(view.declined),
        }
    }
}

impl From<ClassView> for Class {
    fn from(view: ClassView) -> Self {
        Self {
            name: view.name,
            title: view.title,
            until: view.until,
            dispose: view.dispose,
        }
    }
}

impl From<ObstacleView> for Obstacle {
    fn from(view: ObstacleView) -> Self {
        Self {
            name: view.name,
            sentence: view.sentence,
        }
    }
}

impl From<DoneView> for Done {
    fn from(view: DoneView) -> Self {
        Self {
            at: view.at.to_string(),
            by: view.by.into(),
            reason: view.reason,
        }
    }
}

impl From<HoldView> for Hold {
    fn from(view: HoldView) -> Self {
        Self {
            id: view.id,
            set: view.set.into(),
            lifted: view.lifted.map(Done::from),
        }
    }
}

impl From<TransferView> for Transfer {
    fn from(view: TransferView) -> Self {
        Self {
            at: view.at.to_string(),
            by: view.by.into(),
            to: view.to,
            on: view.on,
        }
    }
}

impl From<AskedView> for Asked {
    fn from(view: AskedView) -> Self {
        Self {
            id: view.id,
            asked: view.asked.into(),
        }
    }
}

impl From<DeclinedView> for Declined {
    fn from(view: DeclinedView) -> Self {
        Self {
            asked: view.asked.into(),
            declined: view.declined.into(),
        }
    }
}

impl From<DueView> for Due {
    fn from(view: DueView) -> Self {
        Self {
            case: view.case,
            number: view.number,
            closed: view.closed,
            until: view.until,
            in_the_way: all(view.in_the_way),
            asked: view.asked.map(Asked::from),
        }
    }
}

impl From<ErasedView> for Erased {
    fn from(view: ErasedView) -> Self {
        Self {
            case: view.case,
            number: view.number,
            opened: view.opened.to_string(),
            closed: view.closed.to_string(),
            until: view.until,
            classes: view.classes,
            asked_at: view.asked_at.to_string(),
            asked_by: view.asked_by.into(),
            decided_at: view.decided_at.to_string(),
            decided_by: view.decided_by.into(),
            transfers: all(view.transfers),
            entries: view.entries,
            last: view.last,
        }
    }
}
