//! `/notify`: a gateway that takes messages and sends none. One key is one message, whatever else
//! is in it.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::fault::{self, Late};
use super::journal::World;
use super::pay::{REPLAYED, key};

/// A message that was taken, for the journal: whom it is for is what tests look at.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Message {
    pub(super) key: String,
    body: Value,
}

pub(super) async fn take(
    State(world): State<Arc<World>>,
    headers: HeaderMap,
    late: Option<Extension<Late>>,
    Json(body): Json<Value>,
) -> Response {
    let Some(key) = key(&headers) else {
        return (StatusCode::BAD_REQUEST, "Idempotency-Key is required").into_response();
    };
    fault::wait(late).await;
    let mut state = world.lock();
    if state.messages.contains_key(&key) {
        return (StatusCode::OK, [(REPLAYED, "true")]).into_response();
    }
    match state.message(Message { key, body }) {
        Ok(()) => (StatusCode::ACCEPTED, Json(json!({ "taken": true }))).into_response(),
        Err(_) => StatusCode::INSUFFICIENT_STORAGE.into_response(),
    }
}
