//! `/relief`: issues vouchers, one for each idempotency key.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::fault::{self, Late};
use super::journal::World;
use super::pay::{REPLAYED, key};

/// Vouchers buy something for so long.
const VALID_DAYS: i64 = 90;

/// A voucher that was issued.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Voucher {
    pub(super) key: String,
    body: Value,
    id: String,
    /// As good as money: kept, and never shown in the journal.
    code: String,
    expires: jiff::civil::Date,
}

impl Voucher {
    fn shown(&self) -> Value {
        json!({ "id": self.id, "code": self.code, "expires": self.expires })
    }

    /// For the journal.
    pub(super) fn witnessed(&self) -> Value {
        json!({ "key": self.key, "body": self.body, "id": self.id, "expires": self.expires })
    }
}

/// One key is one voucher, whatever is sent how often.
pub(super) async fn create(
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
    if let Some(before) = state.vouchers.get(&key) {
        return if before.body == body {
            ([(REPLAYED, "true")], Json(before.shown())).into_response()
        } else {
            let sentence = "this key was used for another voucher";
            (StatusCode::UNPROCESSABLE_ENTITY, sentence).into_response()
        };
    }
    let number = state.vouchers.len() + 1;
    let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC);
    let Ok(expires) = today.date().checked_add(jiff::Span::new().days(VALID_DAYS)) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let voucher = Voucher {
        id: format!("v-{number:06}"),
        // Not to be guessed from its number: the key is known to its sender alone.
        code: format!("RELIEF-{number:04}-{}", check_letters(&key)),
        key,
        body,
        expires,
    };
    let answer = voucher.shown();
    match state.voucher(voucher) {
        Ok(()) => (StatusCode::CREATED, Json(answer)).into_response(),
        Err(_) => StatusCode::INSUFFICIENT_STORAGE.into_response(),
    }
}

pub(super) async fn find(State(world): State<Arc<World>>, Path(key): Path<String>) -> Response {
    match world.lock().vouchers.get(&key) {
        Some(voucher) => Json(voucher.shown()).into_response(),
        None => (StatusCode::NOT_FOUND, "no voucher has this key").into_response(),
    }
}

fn check_letters(key: &str) -> String {
    let letters = key.chars().filter(char::is_ascii_alphanumeric);
    let mut letters: Vec<char> = letters.collect();
    letters.reverse();
    letters.truncate(6);
    letters.into_iter().collect::<String>().to_uppercase()
}
