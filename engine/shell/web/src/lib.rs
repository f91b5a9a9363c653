//! HTTP API and console. It asks `runtime` and draws the answer; it never decides.
//!
//! Own crate for reasons of weight: axum, templates and the OpenAPI generator stay here.

use axum::Router;
use casewright_runtime::Engine;

/// How the server is reached.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Whether cookies are marked `Secure`: true unless only loopback is served.
    pub secure_cookies: bool,
}

/// All routes: `/api/v1`, the console, `/openapi.json`, `/healthz`, `/readyz`, `/metrics`.
pub fn router(_engine: Engine, _settings: Settings) -> Router {
    unimplemented!()
}
