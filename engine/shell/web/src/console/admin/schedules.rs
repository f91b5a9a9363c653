//! What begins by itself, and when next.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use casewright_runtime::Engine;

use super::only_administrators;
use crate::console::chrome::{Chrome, Place, page};
use crate::console::member::Member;
use crate::console::when::Wall;
use crate::console::words::humanize;
use crate::problem::Problem;

#[derive(Template)]
#[template(path = "admin/schedules.html")]
struct Page {
    chrome: Chrome,
    lines: Vec<Line>,
}

struct Line {
    title: String,
    rule: String,
    missed: &'static str,
    next: Vec<String>,
    last: Option<(String, String)>,
}

pub(crate) async fn show(
    State(engine): State<Engine>,
    member: Member,
) -> Result<Response, Problem> {
    only_administrators(&member)?;
    let who = &member.principal;
    let wall = Wall::new(engine.zone(who), engine.now());
    let schedules = engine.schedules(who).await?.into_iter();
    let lines = schedules.map(|one| Line {
        title: one.title.unwrap_or_else(|| humanize(&one.workflow)),
        rule: match (one.cron, one.every_ms) {
            (Some(cron), _) => format!("{cron} ({})", one.zone),
            (None, Some(millis)) => format!(
                "every {}",
                jiff::SignedDuration::from_millis(i64::try_from(millis).unwrap_or(i64::MAX),)
            ),
            (None, None) => String::new(),
        },
        missed: if one.missed == "skip" {
            "left out"
        } else {
            "made up for once"
        },
        next: one.next.iter().map(|at| wall.moment(*at)).collect(),
        last: one.last.map(|last| (last.instance, wall.moment(last.due))),
    });
    let body = Page {
        lines: lines.collect(),
        chrome: Chrome::new(&member, Place::Schedules, "What begins by itself"),
    };
    Ok(page(StatusCode::OK, &body))
}
