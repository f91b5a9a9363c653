//! `/_ctl`: orders faults and shows the journal.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;

use super::fault::Fault;
use super::housing::Application;
use super::journal::World;
use super::relief::Voucher;

/// The nth request from now on (from 1) to `path` suffers `kind`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Order {
    path: String,
    nth: usize,
    kind: String,
}

/// More would be a mistake in the test.
const NTH_MAX: usize = 10_000;

pub(super) async fn order_fault(
    State(world): State<Arc<World>>,
    Json(order): Json<Order>,
) -> Response {
    let Some(fault) = Fault::parse(&order.kind) else {
        let kinds = "delay:MS, drop-before, drop-after-commit, status:NNN, html200, truncated, \
                     huge, redirect";
        let sentence = format!("unknown kind `{}`; write one of: {kinds}", order.kind);
        return (StatusCode::UNPROCESSABLE_ENTITY, sentence).into_response();
    };
    if !(1..=NTH_MAX).contains(&order.nth) {
        let sentence = format!("nth must be 1 to {NTH_MAX}");
        return (StatusCode::UNPROCESSABLE_ENTITY, sentence).into_response();
    }
    let mut state = world.lock();
    let queue = state.faults.entry(order.path).or_default();
    if queue.len() < order.nth {
        queue.resize(order.nth, None);
    }
    queue[order.nth - 1] = Some(fault);
    StatusCode::NO_CONTENT.into_response()
}

pub(super) async fn journal(State(world): State<Arc<World>>) -> Response {
    let state = world.lock();
    let payments: Vec<_> = state.payments.values().collect();
    let applications: Vec<_> = state
        .applications
        .values()
        .map(Application::witnessed)
        .collect();
    let vouchers: Vec<_> = state.vouchers.values().map(Voucher::witnessed).collect();
    let messages: Vec<_> = state.messages.values().collect();
    Json(json!({
        "requests": state.requests,
        "payments": payments,
        "applications": applications,
        "vouchers": vouchers,
        "messages": messages,
    }))
    .into_response()
}

pub(super) async fn reset(State(world): State<Arc<World>>) -> Response {
    match world.lock().reset() {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}
