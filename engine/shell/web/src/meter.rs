//! `/metrics`: how much is asked and how it ends, in Prometheus text. Counts only: no names, no
//! ids, no addresses.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;

use crate::Site;

/// Counters since the start of the process.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    counts: Mutex<BTreeMap<Series, u64>>,
}

/// One line of the output. Labels come from fixed vocabularies.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Series {
    Request { area: &'static str, class: u16 },
    Refusal { code: String },
    SignIn { result: &'static str },
}

impl Meter {
    pub(crate) fn request(&self, path: &str, status: StatusCode) {
        let class = status.as_u16() / 100;
        let area = area(path);
        self.add(Series::Request { area, class });
    }

    pub(crate) fn refusal(&self, code: &str) {
        let code = code.to_owned();
        self.add(Series::Refusal { code });
    }

    pub(crate) fn sign_in(&self, accepted: bool) {
        let result = if accepted { "accepted" } else { "refused" };
        self.add(Series::SignIn { result });
    }

    fn add(&self, series: Series) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry(series).or_default() += 1;
    }

    fn text(&self, ready: bool) -> String {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = String::from("# TYPE casewright_ready gauge\n");
        let _ = writeln!(text, "casewright_ready {}", u8::from(ready));
        let mut last = "";
        for (series, count) in &*counts {
            let (name, labels) = series.line();
            if name != last {
                let _ = writeln!(text, "# TYPE {name} counter");
                last = name;
            }
            let _ = writeln!(text, "{name}{{{labels}}} {count}");
        }
        text
    }
}

impl Series {
    fn line(&self) -> (&'static str, String) {
        match self {
            Self::Request { area, class } => (
                "casewright_http_requests_total",
                format!("area=\"{area}\",status=\"{class}xx\""),
            ),
            Self::Refusal { code } => ("casewright_refusals_total", format!("code=\"{code}\"")),
            Self::SignIn { result } => {
                ("casewright_sign_ins_total", format!("result=\"{result}\""))
            }
        }
    }
}

fn area(path: &str) -> &'static str {
    match path.split('/').nth(1) {
        Some("api" | "openapi.json") => "api",
        Some("assets") => "assets",
        Some("healthz" | "readyz" | "metrics") => "operations",
        _ => "console",
    }
}

pub(crate) async fn show(State(site): State<Site>) -> impl IntoResponse {
    let text = site.meter.text(site.engine.ready());
    let kind = "text/plain; version=0.0.4; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_prometheus_text_without_addresses() {
        let meter = Meter::default();
        meter.request("/api/v1/cases/c-1", StatusCode::OK);
        meter.request("/api/v1/cases/c-2", StatusCode::CREATED);
        meter.request("/tasks/wi-1", StatusCode::FORBIDDEN);
        meter.refusal("self-approval");
        meter.sign_in(true);
        assert_eq!(
            meter.text(true),
            "# TYPE casewright_ready gauge\n\
             casewright_ready 1\n\
             # TYPE casewright_http_requests_total counter\n\
             casewright_http_requests_total{area=\"api\",status=\"2xx\"} 2\n\
             casewright_http_requests_total{area=\"console\",status=\"4xx\"} 1\n\
             # TYPE casewright_refusals_total counter\n\
             casewright_refusals_total{code=\"self-approval\"} 1\n\
             # TYPE casewright_sign_ins_total counter\n\
             casewright_sign_ins_total{result=\"accepted\"} 1\n"
        );
    }
}
