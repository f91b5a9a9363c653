//! `/callbacks/{token}`: where partners answer pending calls. The token is the only secret; nobody
//! signs in here.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use casewright_runtime::Engine;
use casewright_runtime::port::Callback;

use crate::body;
use crate::problem::Problem;

/// An answer is a small document; what is larger belongs behind a link.
const BODY_BYTES_MAX: usize = 64 * 1024;
/// Headers that are kept for the plugin, which may look for a signature.
const HEADERS_BYTES_MAX: usize = 8 * 1024;

/// Answer a pending call of a plugin.
///
/// Accepted means kept, or known already, or too late to matter. Sending it again does no harm.
#[utoipa::path(
    post, operation_id = "answerCall",
    path = "/callbacks/{token}", tag = "callbacks", params(("token" = String, Path)),
    security(()),
    responses(
        (status = 202, description = "accepted"),
        (status = "default", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(super) async fn receive(
    State(engine): State<Engine>,
    Path(token): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, Problem> {
    let body = body::read_within(body, BODY_BYTES_MAX).await?;
    let callback = Callback {
        headers: kept(&headers),
        body: body.to_vec(),
    };
    engine.callback(&token, callback).await?;
    Ok(StatusCode::ACCEPTED)
}

/// All but what is for the server, in order, up to the bound.
fn kept(headers: &HeaderMap) -> Vec<(String, String)> {
    let mut left = HEADERS_BYTES_MAX;
    let mut kept = Vec::new();
    for (name, value) in headers {
        let Ok(value) = value.to_str() else { continue };
        if *name == header::COOKIE || *name == header::HOST {
            continue;
        }
        let Some(rest) = left.checked_sub(name.as_str().len() + value.len()) else {
            break;
        };
        left = rest;
        kept.push((name.as_str().to_owned(), value.to_owned()));
    }
    kept
}
