//! What holds for every answer, errors and files included: the headers that keep browsers safe,
//! the counters, a line of the log, and a plain page or a problem when a handler panics.
//!
//! The log is told the route and never the path, whose ids are of people; no query, no body.

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
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
    let asked = Asked::of(&request);
    let mut response = next.run(request).await;
    let problem = response.extensions_mut().remove::<Problem>();
    asked.tell(response.status(), problem.as_ref());
    if let Some(problem) = problem {
        site.meter.refusal(problem.code());
        if !problem::wanted(&path) {
            response = console::failure::page_of(&problem, &response);
        }
    }
    site.meter.request(&path, response.status());
    secure(response.headers_mut(), site.settings.secure_cookies);
    response
}

/// What the log is told of a request.
struct Asked {
    method: &'static str,
    route: Option<MatchedPath>,
}

impl Asked {
    fn of(request: &Request) -> Self {
        Self {
            method: method(request.method()),
            route: request.extensions().get().cloned(),
        }
    }

    fn tell(&self, status: StatusCode, problem: Option<&Problem>) {
        let route = self.route.as_ref().map_or("none", MatchedPath::as_str);
        let (method, code) = (self.method, problem.map(Problem::code));
        let status = status.as_u16();
        match status {
            // Of these the engine wrote the sentence, and it says no more than what is damaged.
            500 => {
                let detail = problem.map(Problem::detail);
                tracing::error!(method, route, status, code, detail, "failed");
            }
            501.. => tracing::warn!(method, route, status, code, "refused"),
            _ => tracing::debug!(method, route, status, code, "request"),
        }
    }
}

/// Anybody may send any word as a method.
fn method(asked: &Method) -> &'static str {
    let known = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    let found = known.into_iter().find(|known| asked.as_str() == *known);
    found.unwrap_or("other")
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
