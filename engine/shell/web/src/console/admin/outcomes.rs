//! How the work with families ended, in numbers that name nobody.

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use casewright_casework::case::Counts;
use casewright_runtime::Engine;
use jiff::ToSpan;
use jiff::civil::Date;
use serde::Deserialize;

use crate::console::address::Lenient;
use crate::console::chrome::{Chrome, Place, page};
use crate::console::member::Member;
use crate::console::when::civil;
use crate::console::words::humanize;
use crate::problem::Problem;

#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Days {
    from: Option<String>,
    to: Option<String>,
}

#[derive(Template)]
#[template(path = "admin/outcomes.html")]
struct Page {
    chrome: Chrome,
    from: String,
    to: String,
    days: String,
    figure: String,
    closed: u64,
    consent_given: u64,
    excluded: u64,
    denominator: u64,
    achieved: u64,
    partly: u64,
    lines: Vec<Line>,
}

struct Line {
    title: String,
    counts: &'static str,
    closed: u64,
    consent_given: u64,
}

pub(crate) async fn show(
    State(engine): State<Engine>,
    member: Member,
    Lenient(days): Lenient<Days>,
) -> Result<Response, Problem> {
    let who = &member.principal;
    let today = engine.today(who);
    let read = |day: Option<String>| day.and_then(|day| day.trim().parse::<Date>().ok());
    let to = read(days.to).unwrap_or(today);
    // A year, unless somebody asks for other days.
    let year = to.saturating_sub(1.year()).saturating_add(1.day());
    let from = read(days.from).unwrap_or(year).min(to);
    let view = engine.outcomes(who, from, to).await?;
    let (outcomes, titles) = (view.outcomes, view.titles);
    let body = Page {
        chrome: Chrome::new(&member, Place::Outcomes, "How the work with families ended"),
        from: from.to_string(),
        to: to.to_string(),
        days: format!("{} to {}", civil(from), civil(to)),
        figure: outcomes.permille().map_or_else(
            || "Nothing to measure against".to_owned(),
            |permille| format!("{}.{} %", permille / 10, permille % 10),
        ),
        closed: outcomes.closed,
        consent_given: outcomes.consent_given,
        excluded: outcomes.excluded,
        denominator: outcomes.denominator(),
        achieved: outcomes.achieved,
        partly: outcomes.partly,
        lines: outcomes
            .reasons
            .iter()
            .map(|(reason, line)| Line {
                title: titles
                    .get(reason)
                    .cloned()
                    .unwrap_or_else(|| humanize(reason)),
                counts: counts_words(line.counts),
                closed: line.closed,
                consent_given: line.consent_given,
            })
            .collect(),
    };
    Ok(page(StatusCode::OK, &body))
}

const fn counts_words(counts: Counts) -> &'static str {
    match counts {
        Counts::Achieved => "Goals reached",
        Counts::Partly => "A part reached",
        Counts::Not => "Not reached",
        Counts::Excluded => "Left out",
    }
}
