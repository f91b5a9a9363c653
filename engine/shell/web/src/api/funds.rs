//! `/funds`: what the agency can still spend, the ledgers that bear it out, and payments that are
//! taken back.

mod export;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use casewright_casework::{Money, fund};
use casewright_runtime::Engine;
use casewright_runtime::engine::Correction;
use casewright_runtime::view::FundEntryView;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::dto::{self, Fund, Page};
use crate::api::query::{Checked, Id, Ids};
use crate::body::Posted;
use crate::problem::Problem;
use crate::visitor::Visitor;

pub(crate) use export::{Format, export};

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct DayQuery {
    /// The fund as it was at the end of this day, by the agency's time zone.
    #[param(value_type = Option<String>, example = "2026-09-30")]
    at: Option<String>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct EntriesQuery {
    cursor: Option<String>,
    /// 50 unless asked otherwise, 500 at most.
    limit: Option<usize>,
    /// `json`, or the whole ledger as `csv` or `jsonl`; what `Accept` asks for otherwise.
    #[param(example = "csv")]
    format: Option<String>,
}

/// A line of a fund's ledger; it never changes.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FundEntry {
    /// Its place in the ledger, from 0.
    number: u64,
    #[schema(format = DateTime)]
    at: String,
    /// `allocate`, `reduce`, `reserve`, `commit`, `release`, `expire` or `reverse`.
    #[schema(example = "commit")]
    kind: &'static str,
    amount: dto::Money,
    /// What can be reserved after it.
    available_after: dto::Money,
    #[serde(skip_serializing_if = "String::is_empty")]
    reservation: String,
    /// Id of the case whose money it is, if you may see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    case: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    case_number: Option<String>,
    /// Id of the instance that asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<String>,
    /// Number of the entry that this one takes back.
    #[serde(skip_serializing_if = "Option::is_none")]
    reverses: Option<u64>,
    /// Id of who took it back.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Of a payment: what of it was not taken back.
    #[serde(skip_serializing_if = "Option::is_none")]
    standing: Option<dto::Money>,
    /// Of a payment: how often some of it was taken back. Send it with a correction.
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<u64>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ReverseRequest {
    /// More than zero, at most what of the payment still stands.
    minor: i64,
    #[schema(example = "AUD")]
    currency: String,
    /// Why, in your words; at most 500 characters. Name nobody.
    reason: String,
    /// How often you have seen the payment corrected.
    revision: Option<u64>,
}

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

/// A fund as it is, or as its ledger adds up to at the end of a day.
#[utoipa::path(
    get, operation_id = "getFund",
    path = "/funds/{fund}", tag = "funds", params(("fund" = String, Path), DayQuery),
    responses(
        (status = 200, body = Fund),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn get(
    State(engine): State<Engine>,
    visitor: Visitor,
    Id(fund): Id,
    Checked(DayQuery { at }): Checked<DayQuery>,
) -> Result<Json<Fund>, Problem> {
    let day = at.map(|text| {
        text.parse::<Date>()
            .map_err(|_| Problem::invalid_input("at must be a day such as 2026-09-30"))
    });
    let view = engine.fund(&visitor.principal, &fund, day.transpose()?);
    Ok(Json(view.await?.into()))
}

/// The ledger of a fund: a page of it, newest first; or all of it as CSV (RFC 4180) or as a JSON
/// object a line, oldest first, without reasons. It names cases by number and nobody in them.
#[utoipa::path(
    get, operation_id = "listFundEntries",
    path = "/funds/{fund}/entries", tag = "funds",
    params(("fund" = String, Path), EntriesQuery),
    responses(
        (status = 200, content(
            (Page<FundEntry> = "application/json"),
            (String = "text/csv"),
            (String = "application/jsonl"),
        )),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn entries(
    State(engine): State<Engine>,
    visitor: Visitor,
    Id(fund): Id,
    Checked(query): Checked<EntriesQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let who = visitor.principal;
    let Some(format) = Format::asked(query.format.as_deref(), &headers)? else {
        let page = engine.fund_entries(&who, &fund, query.cursor, query.limit);
        return Ok(Json(Page::<FundEntry>::of(page.await?)).into_response());
    };
    export(engine, who, fund, format).await
}

/// One line of a fund's ledger.
#[utoipa::path(
    get, operation_id = "getFundEntry",
    path = "/funds/{fund}/entries/{number}", tag = "funds",
    params(("fund" = String, Path), ("number" = u64, Path)),
    responses(
        (status = 200, body = FundEntry),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn entry(
    State(engine): State<Engine>,
    visitor: Visitor,
    Ids(fund, number): Ids,
) -> Result<Json<FundEntry>, Problem> {
    let number = number.parse().map_err(|_| Problem::not_found())?;
    let entry = engine.fund_entry(&visitor.principal, &fund, number);
    Ok(Json(entry.await?.into()))
}

/// Take a payment back, whole or in part. The answer is the entry that does it; what was paid
/// stays in the ledger. Needs a role that the pack gives `reverses`, and nobody corrects a payment
/// that they asked for, approved or worked on.
#[utoipa::path(
    post, operation_id = "reverseFundEntry",
    path = "/funds/{fund}/entries/{number}/reverse", tag = "funds",
    params(
        ("fund" = String, Path),
        ("number" = u64, Path),
        ("Idempotency-Key" = Option<String>, Header),
    ),
    request_body = ReverseRequest,
    responses(
        (status = 201, body = FundEntry),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn reverse(
    State(engine): State<Engine>,
    visitor: Visitor,
    Ids(fund, number): Ids,
    posted: Posted,
) -> Result<(StatusCode, Json<FundEntry>), Problem> {
    let number = number.parse().map_err(|_| Problem::not_found())?;
    let asked: ReverseRequest = posted.json()?;
    let correction = Correction {
        money: Money::new(asked.minor, &asked.currency),
        reason: asked.reason,
        revision: asked.revision,
    };
    let who = &visitor.principal;
    let entry = engine.reverse(who, &fund, number, correction, posted.key);
    Ok((StatusCode::CREATED, Json(entry.await?.into())))
}

impl From<FundEntryView> for FundEntry {
    fn from(view: FundEntryView) -> Self {
        let money = |minor| dto::Money::new(minor, &view.currency);
        Self {
            number: view.number,
            at: view.at.to_string(),
            kind: fund::EntryKind::as_str(view.kind),
            amount: money(view.minor),
            available_after: money(view.available_after_minor),
            standing: view.standing.as_ref().map(|payment| money(payment.minor)),
            revision: view.standing.as_ref().map(|payment| payment.revision),
            reservation: view.reservation,
            case: view.case,
            case_number: view.case_number,
            instance: view.run,
            reverses: view.reverses,
            by: view.by,
            reason: view.reason,
        }
    }
}
