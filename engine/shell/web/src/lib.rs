//! HTTP API and console. It asks `runtime` and draws the answer; it never decides.
//!
//! ```text
//! request ─▶ headers, meter ─▶ /api/v1 ─▶ visitor (bearer or cookie) ─▶ Engine ─▶ JSON or problem
//!                          └▶ console ─▶ visitor (cookie), same origin ─▶ Engine ─▶ page
//! ```
//!
//! Own crate for reasons of weight: axum, templates and the OpenAPI generator stay here.

mod api;
mod asset;
mod body;
mod console;
mod guard;
mod json;
mod meter;
mod moment;
mod origin;
mod problem;
mod upload;
mod visitor;

use std::future::ready;
use std::sync::Arc;

use axum::Router;
use axum::extract::{FromRef, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use casewright_runtime::Engine;

pub use crate::console::escape::Html;

use crate::meter::Meter;
use crate::problem::Problem;

/// How the server is reached.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Whether cookies are marked `Secure`: true unless only loopback is served.
    pub secure_cookies: bool,
}

/// What every handler can reach.
#[derive(Clone)]
pub(crate) struct Site {
    pub(crate) engine: Engine,
    pub(crate) settings: Arc<Settings>,
    pub(crate) meter: Arc<Meter>,
}

impl FromRef<Site> for Engine {
    fn from_ref(site: &Site) -> Self {
        site.engine.clone()
    }
}

/// All routes: `/api/v1`, the console, `/openapi.json`, `/healthz`, `/readyz`, `/metrics`.
pub fn router(engine: Engine, settings: Settings) -> Router {
    let site = Site {
        engine,
        settings: Arc::new(settings),
        meter: Arc::new(Meter::default()),
    };
    let (api, document) = api::routes();
    let document: Arc<str> = api::document_text(&document).into();
    let routes = Router::new()
        .merge(api)
        .merge(console::routes())
        .route(
            "/openapi.json",
            get(move || ready(api::document(&document))),
        )
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(readiness))
        .route("/metrics", get(meter::show))
        .route("/assets/{name}", get(asset::serve))
        .fallback(unknown)
        .method_not_allowed_fallback(method_refused);
    guard::wrap(routes, &site).with_state(site)
}

async fn readiness(State(engine): State<Engine>) -> Response {
    if engine.ready() {
        "ready\n".into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not ready\n").into_response()
    }
}

async fn unknown() -> Problem {
    Problem::not_found()
}

async fn method_refused() -> Problem {
    Problem::method_not_allowed()
}
