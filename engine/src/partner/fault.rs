//! Faults on order: the nth next request to a path suffers one.

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderName, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::stream;

use super::connection::Switch;
use super::journal::{self, World};

/// Larger than any answer a plugin may take.
const HUGE_BYTES: usize = 64 * 1024 * 1024;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// Answers late.
    Delay(Duration),
    /// Cuts the connection without acting.
    DropBefore,
    /// Acts, then cuts the connection.
    DropAfterCommit,
    /// Answers this status without acting.
    Status(StatusCode),
    /// A page of HTML with status 200, without acting.
    Html,
    /// Acts, then ends the answer in the middle.
    Truncated,
    /// An answer without end in sight.
    Huge,
    /// Sends the caller elsewhere.
    Redirect,
}

impl Fault {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (name, argument) = text.split_once(':').unwrap_or((text, ""));
        Some(match name {
            "delay" => Self::Delay(Duration::from_millis(argument.parse().ok()?)),
            "drop-before" => Self::DropBefore,
            "drop-after-commit" => Self::DropAfterCommit,
            "status" => Self::Status(StatusCode::from_u16(argument.parse().ok()?).ok()?),
            "html200" => Self::Html,
            "truncated" => Self::Truncated,
            "huge" => Self::Huge,
            "redirect" => Self::Redirect,
            _ => return None,
        })
    }
}

/// Writes the request into the journal and lets it suffer what was ordered for its path.
pub(super) async fn suffer(
    State(world): State<Arc<World>>,
    ConnectInfo(switch): ConnectInfo<Switch>,
    request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path().to_owned();
    let fault = {
        let mut state = world.lock();
        let fault = state
            .faults
            .get_mut(&path)
            .and_then(std::collections::VecDeque::pop_front);
        let fault = fault.flatten();
        let noted = state.request(journal::Request {
            method: request.method().to_string(),
            path,
            key: super::pay::key(request.headers()),
            fault: fault.as_ref().map(|fault| format!("{fault:?}")),
        });
        if noted.is_err() {
            return StatusCode::INSUFFICIENT_STORAGE.into_response();
        }
        fault
    };
    match fault {
        None => next.run(request).await,
        Some(Fault::Delay(length)) => {
            let mut request = request;
            request.extensions_mut().insert(Late(length));
            next.run(request).await
        }
        Some(Fault::DropBefore) => cut(&switch),
        Some(Fault::DropAfterCommit) => {
            next.run(request).await;
            cut(&switch)
        }
        Some(Fault::Truncated) => {
            next.run(request).await;
            truncated()
        }
        Some(Fault::Status(status)) => status.into_response(),
        Some(Fault::Html) => (
            [(header::CONTENT_TYPE, "text/html")],
            "<html><body>Welcome</body></html>",
        )
            .into_response(),
        Some(Fault::Huge) => {
            let chunk = Bytes::from(vec![b' '; 64 * 1024]);
            let chunks = (0..HUGE_BYTES / chunk.len())
                .map(move |_| Ok::<_, std::convert::Infallible>(chunk.clone()));
            Body::from_stream(stream::iter(chunks)).into_response()
        }
        Some(Fault::Redirect) => {
            let elsewhere = [(header::LOCATION, "http://198.51.100.1/elsewhere")];
            (StatusCode::FOUND, elsewhere).into_response()
        }
    }
}

/// How late a handler answers; see [`Fault::Delay`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Late(Duration);

/// Waits as ordered, while the request counts as under way.
pub(super) async fn wait(late: Option<Extension<Late>>) {
    if let Some(Extension(Late(length))) = late {
        tokio::time::sleep(length).await;
    }
}

fn cut(switch: &Switch) -> Response {
    switch.cut();
    StatusCode::OK.into_response()
}

fn truncated() -> Response {
    let parts = [
        Ok(Bytes::from_static(b"{\"paymentId\": \"pa")),
        Err(std::io::Error::other("cut")),
    ];
    let length: (HeaderName, &str) = (header::CONTENT_LENGTH, "120");
    ([length], Body::from_stream(stream::iter(parts))).into_response()
}
