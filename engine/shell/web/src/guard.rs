//! What holds for every answer, errors and files included: the headers that keep browsers safe,
//! the counters, and a plain page or a problem when a handler panics.

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use tower_http::catch_panic::CatchPanicLayer;

use crate::problem::{self, Problem};
use crate::{Site, console};

/// Everything from here, nothing inline, no framing.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; \
    object-src 'none'";

const ALWAYS: [(HeaderName, &str); 6] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
];

const HSTS: &str = "max-age=63072000; includeSubDomains";

/// Puts the guard around all routes.
pub(crate) fn wrap(routes: Router<Site>, site: &Site) -> Router<Site> {
    routes
        .layer(CatchPanicLayer::custom(|_| Problem::bug().into_response()))
        .layer(from_fn_with_state(site.clone(), watch))
}

async fn watch(State(site): State<Site>, request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let mut response = next.run(request).await;
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        site.meter.refusal(problem.code());
        if !problem::wanted(&path) {
            response = console::failure::page_of(&problem, &response);
        }
    }
    site.meter.request(&path, response.status());
    secure(response.headers_mut(), site.settings.secure_cookies);
    response
}

fn secure(headers: &mut HeaderMap, served_over_tls: bool) {
    for (name, value) in ALWAYS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    if served_over_tls {
        let value = HeaderValue::from_static(HSTS);
        headers.insert(header::STRICT_TRANSPORT_SECURITY, value);
    }
}
