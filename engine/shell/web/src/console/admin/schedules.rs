//! What begins by itself, and when next.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use casewright_runtime::Engine;
use casewright_runtime::view::ScheduleView;
use jiff::SignedDuration;

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

fn rule(one: &ScheduleView) -> String {
    if let Some(cron) = &one.cron {
        return format!("{cron} ({})", one.zone);
    }
    if let Some(millis) = one.every_ms {
        return format!("every {}", time(millis));
    }
    if let Some(millis) = one.after_ms {
        return format!("{} after the end of the one before", time(millis));
    }
    match one.on.as_deref() {
        Some([]) => "with any event".to_owned(),
        Some(kinds) => format!("with events: {}", kinds.join(", ")),
        None => String::new(),
    }
}

fn time(millis: u64) -> SignedDuration {
    SignedDuration::from_millis(i64::try_from(millis).unwrap_or(i64::MAX))
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
        rule: rule(&one),
        title: one.title.unwrap_or_else(|| humanize(&one.workflow)),
        missed: match (&one.on, one.missed.as_str()) {
            (Some(_), _) => "–",
            (None, "skip") => "left out",
            (None, _) => "made up for once",
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
