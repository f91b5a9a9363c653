//! `/housing`: a housing register that takes applications under an idempotency key and decides
//! later, when a test or somebody trying the demo says so. It tells whoever gave a `Callback-Url`.

use std::io;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::fault::{self, Late};
use super::journal::World;
use super::pay::{REPLAYED, key};

const CALLBACK: HeaderName = HeaderName::from_static("callback-url");

/// An application as the register keeps it. No names: the plugin sends none.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Application {
    pub(super) key: String,
    body: Value,
    number: String,
    #[serde(flatten)]
    decision: Decision,
    /// How often its sender was told.
    told: usize,
    /// A secret of its sender: kept, and never shown.
    callback_url: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Decision {
    state: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    missing: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    need_level: Option<String>,
}

/// What the register is to decide.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Order {
    /// All open ones without it.
    application_no: Option<String>,
    state: String,
    #[serde(default)]
    missing: Vec<String>,
    need_level: Option<String>,
    /// How often each sender is told; 0 leaves it to them to ask.
    #[serde(default = "once")]
    callbacks: usize,
    /// The next application instead: its sender is told before it gets its answer.
    #[serde(default)]
    early: bool,
}

fn once() -> usize {
    1
}

/// States that end an application.
const FINAL: [&str; 4] = ["registered", "declined", "more-info", "taken-back"];
const STATES: [&str; 5] = [
    "received",
    "assessed",
    "more-info",
    "registered",
    "declined",
];

/// More would be a mistake in the test.
const CALLBACKS_MAX: usize = 20;

impl Application {
    fn shown(&self) -> Value {
        json!({
            "applicationNo": self.number,
            "state": self.decision.state,
            "missing": self.decision.missing,
            "needLevel": self.decision.need_level,
        })
    }

    /// For the journal.
    pub(super) fn witnessed(&self) -> Value {
        let mut shown = self.shown();
        shown["key"] = self.key.clone().into();
        shown["body"] = self.body.clone();
        shown["told"] = self.told.into();
        shown
    }
}

/// One key is one application, whatever is sent how often.
pub(super) async fn create(
    State(world): State<Arc<World>>,
    headers: HeaderMap,
    late: Option<Extension<Late>>,
    Json(body): Json<Value>,
) -> Response {
    let Some(key) = key(&headers) else {
        return (StatusCode::BAD_REQUEST, "Idempotency-Key is required").into_response();
    };
    let callback_url = headers
        .get(CALLBACK)
        .and_then(|url| url.to_str().ok())
        .map(str::to_owned);
    fault::wait(late).await;
    let (status, application, early) = {
        let mut state = world.lock();
        let before = state.applications.get(&key).cloned();
        let status = match &before {
            Some(before) if before.body != body => {
                let sentence = "this key was used with another application";
                return (StatusCode::UNPROCESSABLE_ENTITY, sentence).into_response();
            }
            Some(_) => StatusCode::OK,
            None => StatusCode::CREATED,
        };
        let number = state.applications.len() + 1;
        let mut application = before.unwrap_or_else(|| Application {
            key,
            body,
            number: format!("H-{number:06}"),
            decision: Decision {
                state: "received".to_owned(),
                missing: Vec::new(),
                need_level: None,
            },
            told: 0,
            callback_url: None,
        });
        // The engine may have another address since.
        application.callback_url = callback_url.or(application.callback_url);
        let early = state.early.take();
        if state.application(application.clone()).is_err() {
            return StatusCode::INSUFFICIENT_STORAGE.into_response();
        }
        (status, application, early)
    };
    let answer = application.shown();
    if let Some(order) = early {
        // The answer still says `received`: it was on its way when the decision fell.
        decide(&world, application, &order).await;
    }
    match status {
        StatusCode::OK => ([(REPLAYED, "true")], Json(answer)).into_response(),
        status => (status, Json(answer)).into_response(),
    }
}

pub(super) async fn find(State(world): State<Arc<World>>, Path(number): Path<String>) -> Response {
    match numbered(&world, &number) {
        Some(application) => Json(application.shown()).into_response(),
        None => (StatusCode::NOT_FOUND, "no application has this number").into_response(),
    }
}

pub(super) async fn take_back(
    State(world): State<Arc<World>>,
    Path(number): Path<String>,
) -> Response {
    let Some(mut application) = numbered(&world, &number) else {
        return (StatusCode::NOT_FOUND, "no application has this number").into_response();
    };
    if FINAL.contains(&application.decision.state.as_str()) {
        return (StatusCode::CONFLICT, "this application is decided").into_response();
    }
    "taken-back".clone_into(&mut application.decision.state);
    match world.lock().application(application) {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(_) => StatusCode::INSUFFICIENT_STORAGE.into_response(),
    }
}

/// `/_ctl/housing`: decides, and answers what the senders said to being told.
pub(super) async fn order(State(world): State<Arc<World>>, Json(order): Json<Order>) -> Response {
    if !STATES.contains(&order.state.as_str()) || order.callbacks > CALLBACKS_MAX {
        let sentence = format!(
            "state must be one of {}, callbacks at most {CALLBACKS_MAX}",
            STATES.join(", ")
        );
        return (StatusCode::UNPROCESSABLE_ENTITY, sentence).into_response();
    }
    if order.early {
        world.lock().early = Some(order);
        return Json(json!({ "told": [] })).into_response();
    }
    let wanted = |application: &&Application| match &order.application_no {
        Some(number) => application.number == *number,
        None => !FINAL.contains(&application.decision.state.as_str()),
    };
    let meant: Vec<Application> = {
        let state = world.lock();
        state
            .applications
            .values()
            .filter(wanted)
            .cloned()
            .collect()
    };
    let mut told = Vec::new();
    for application in meant {
        told.extend(decide(&world, application, &order).await);
    }
    Json(json!({ "told": told })).into_response()
}

/// The statuses of being told; 0 where nobody answered.
async fn decide(world: &World, mut application: Application, order: &Order) -> Vec<u16> {
    application.decision = Decision {
        state: order.state.clone(),
        missing: order.missing.clone(),
        need_level: order.need_level.clone(),
    };
    let url = application.callback_url.clone();
    let callbacks = if url.is_some() { order.callbacks } else { 0 };
    application.told += callbacks;
    let body = application.shown().to_string();
    // Decided before anybody is told: whoever asks then must find it.
    if world.lock().application(application).is_err() {
        return Vec::new();
    }
    let mut told = Vec::new();
    for url in std::iter::repeat_n(url.unwrap_or_default(), callbacks) {
        told.push(post(&url, &body).await.unwrap_or(0));
    }
    told
}

fn numbered(world: &World, number: &str) -> Option<Application> {
    let state = world.lock();
    let mut all = state.applications.values();
    all.find(|one| one.number == number).cloned()
}

/// A POST to an address on this machine; its status.
async fn post(url: &str, body: &str) -> io::Result<u16> {
    let odd = || io::Error::other("not an address of this machine");
    let (authority, path) = url
        .strip_prefix("http://")
        .and_then(|rest| rest.split_once('/'))
        .ok_or_else(odd)?;
    let mut stream = TcpStream::connect(authority).await?;
    let request = format!(
        "POST /{path} HTTP/1.1\r\nHost: {authority}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    let status = answer
        .split(|byte| *byte == b' ')
        .nth(1)
        .and_then(|status| str::from_utf8(status).ok()?.parse().ok());
    status.ok_or_else(odd)
}
