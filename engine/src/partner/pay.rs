//! `/pay`: payments with an idempotency key, as banks' interfaces have them.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::{Value, json};

use super::fault::{self, Late};
use super::journal::{Payment, World};

const KEY: HeaderName = HeaderName::from_static("idempotency-key");
pub(super) const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

pub(super) fn key(headers: &HeaderMap) -> Option<String> {
    headers
        .get(KEY)
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned)
}

/// One key pays once, whatever is sent how often.
pub(super) async fn create(
    State(world): State<Arc<World>>,
    headers: HeaderMap,
    late: Option<Extension<Late>>,
    Json(body): Json<Value>,
) -> Response {
    let Some(key) = key(&headers) else {
        return (StatusCode::BAD_REQUEST, "Idempotency-Key is required").into_response();
    };
    {
        let mut state = world.lock();
        if let Some(payment) = state.payments.get(&key) {
            return if payment.body == body {
                ([(REPLAYED, "true")], Json(shown(payment))).into_response()
            } else {
                let sentence = "this key was used with another body";
                (StatusCode::UNPROCESSABLE_ENTITY, sentence).into_response()
            };
        }
        if state.under_way.contains(&key) {
            return (StatusCode::CONFLICT, "this payment is under way").into_response();
        }
        state.under_way.push(key.clone());
    }
    // A caller that gives up drops this future: the key must not stay under way.
    let _under_way = UnderWay {
        world: world.clone(),
        key: key.clone(),
    };
    fault::wait(late).await;
    let mut state = world.lock();
    let number = state.payments.len() + 1;
    let payment = Payment {
        key,
        body,
        id: format!("pay-{number:06}"),
        bank_ref: format!("BR{number:08}"),
        at: jiff::Timestamp::now().to_string(),
    };
    let answer = shown(&payment);
    match state.pay(payment) {
        Ok(()) => (StatusCode::CREATED, Json(answer)).into_response(),
        Err(_) => StatusCode::INSUFFICIENT_STORAGE.into_response(),
    }
}

#[derive(Deserialize)]
pub(super) struct Find {
    key: String,
}

pub(super) async fn find(State(world): State<Arc<World>>, Query(find): Query<Find>) -> Response {
    match world.lock().payments.get(&find.key) {
        Some(payment) => Json(shown(payment)).into_response(),
        None => (StatusCode::NOT_FOUND, "no payment has this key").into_response(),
    }
}

fn shown(payment: &Payment) -> Value {
    json!({
        "paymentId": payment.id,
        "state": "accepted",
        "bankRef": payment.bank_ref,
        "at": payment.at,
    })
}

struct UnderWay {
    world: Arc<World>,
    key: String,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.world.lock().under_way.retain(|key| *key != self.key);
    }
}
