//! The work queue: what is mine, what my team has, soonest due first.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use askama::Template;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use casewright_casework::Principal;
use casewright_runtime::view::{Page, WorkItemFilter, WorkItemView};
use casewright_runtime::{Engine, Refused};
use serde::{Deserialize, Serialize};

use crate::console::address::{Lenient, encoded};
use crate::console::assigned;
use crate::console::chrome::{Chrome, Place, page};
use crate::console::escape::short;
use crate::console::keys::request_key;
use crate::console::member::Member;
use crate::console::notice::Notice;
use crate::console::when::{Band, Wall};
use crate::console::words::humanize;
use crate::problem::Problem;

/// Lines on a page of the queue.
const LINES_MAX: usize = 50;
/// Counts above this are shown as "100+": nobody needs the exact number of a long queue.
const COUNT_MAX: usize = 100;
const TITLE_LENGTH_MAX: usize = 160;

#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct QueueQuery {
    view: Option<String>,
    /// The same as `view=mine`, for links written by hand.
    mine: Option<String>,
    role: Option<String>,
    team: Option<String>,
    overdue: Option<String>,
    case: Option<String>,
    cursor: Option<String>,
    done: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum View {
    Mine,
    Team,
}

#[derive(Template)]
#[template(path = "queue.html")]
pub(crate) struct QueuePage {
    chrome: Chrome,
    tabs: [Tab; 2],
    mine: bool,
    filtered: bool,
    role: String,
    roles: Vec<(String, String)>,
    team: String,
    teams: Vec<(String, String)>,
    overdue: bool,
    /// How many tasks there are of those that are asked for.
    fitting: String,
    case: Option<CaseFilter>,
    bands: Vec<BandLines>,
    next: Option<String>,
    key: String,
}

pub(crate) struct Tab {
    title: &'static str,
    address: &'static str,
    count: String,
    id: &'static str,
    current: bool,
}

/// The list is narrowed to one case.
pub(crate) struct CaseFilter {
    id: String,
    number: String,
}

pub(crate) struct BandLines {
    band: Band,
    lines: Vec<Line>,
}

pub(crate) struct Line {
    id: String,
    title: String,
    case: String,
    case_number: String,
    due: String,
    holder: String,
    /// What is special about it, in words.
    marks: Vec<&'static str>,
    claimable: bool,
}

pub(crate) async fn show(
    State(engine): State<Engine>,
    member: Member,
    Lenient(query): Lenient<QueueQuery>,
) -> Result<Response, Problem> {
    let who = &member.principal;
    let view = view(&query);
    let counts = counts(&engine, who).await?;
    let filter = filter(&query, view, who);
    let fitting = fitting(&engine, who, &filter).await?;
    let list = engine.work_items(who, filter).await?;
    let wall = Wall::new(engine.zone(who), engine.now());
    let counts = (counts, fitting);
    let body = QueuePage::new(&member, &query, view, counts, list, &wall);
    Ok(page(StatusCode::OK, &body))
}

/// How many tasks there are, for the script that keeps the numbers fresh. No case data.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Counts {
    mine: usize,
    team: usize,
}

pub(crate) async fn count(
    State(engine): State<Engine>,
    member: Member,
) -> Result<Json<Counts>, Problem> {
    Ok(Json(counts(&engine, &member.principal).await?))
}

async fn counts(engine: &Engine, who: &Principal) -> Result<Counts, Refused> {
    let mine = WorkItemFilter {
        claimed_by: Some(who.id.clone()),
        limit: Some(COUNT_MAX),
        ..WorkItemFilter::default()
    };
    let team = WorkItemFilter {
        limit: Some(COUNT_MAX),
        ..WorkItemFilter::default()
    };
    Ok(Counts {
        mine: engine.work_items(who, mine).await?.items.len(),
        team: engine.work_items(who, team).await?.items.len(),
    })
}

/// Of all pages together, up to [`COUNT_MAX`].
async fn fitting(
    engine: &Engine,
    who: &Principal,
    filter: &WorkItemFilter,
) -> Result<usize, Refused> {
    let all = WorkItemFilter {
        cursor: None,
        limit: Some(COUNT_MAX),
        ..filter.clone()
    };
    Ok(engine.work_items(who, all).await?.items.len())
}

fn view(query: &QueueQuery) -> View {
    if query.view.as_deref() == Some("mine") || chosen(query.mine.as_ref()) {
        View::Mine
    } else {
        View::Team
    }
}

/// A box that was ticked, however an address says so.
fn chosen(value: Option<&String>) -> bool {
    value.is_some_and(|value| !matches!(value.as_str(), "" | "0" | "no" | "false"))
}

fn filter(query: &QueueQuery, view: View, who: &Principal) -> WorkItemFilter {
    let given = |value: &Option<String>| value.clone().filter(|text| !text.is_empty());
    WorkItemFilter {
        state: None,
        role: given(&query.role),
        team: given(&query.team),
        overdue: chosen(query.overdue.as_ref()),
        claimed_by: (view == View::Mine).then(|| who.id.clone()),
        case: given(&query.case),
        instance: None,
        cursor: given(&query.cursor),
        limit: Some(LINES_MAX),
    }
}

impl QueuePage {
    fn new(
        member: &Member,
        query: &QueueQuery,
        view: View,
        (counts, fitting): (Counts, usize),
        list: Page<WorkItemView>,
        wall: &Wall,
    ) -> Self {
        let mine = view == View::Mine;
        let title = if mine { "My tasks" } else { "Team tasks" };
        let role = query.role.clone().unwrap_or_default();
        let team = query.team.clone().unwrap_or_default();
        let overdue = chosen(query.overdue.as_ref());
        let held = &member.principal;
        let case = query.case.clone().filter(|id| !id.is_empty());
        let case = case.map(|id| CaseFilter {
            number: list
                .items
                .first()
                .map_or_else(String::new, |item| item.case_number.clone()),
            id,
        });
        Self {
            chrome: Chrome::new(member, Place::Tasks, title)
                .notice(Notice::text_of(query.done.as_deref())),
            tabs: tabs(mine, counts),
            mine,
            filtered: !role.is_empty() || !team.is_empty() || overdue || case.is_some(),
            roles: choices(held.roles.iter().filter(|role| !role.contains(':')), &role),
            teams: choices(held.teams(), &team),
            overdue,
            fitting: fit(fitting),
            next: list.next.map(|cursor| next_address(query, view, &cursor)),
            bands: bands(list.items, &member.principal, wall),
            key: request_key(),
            role,
            team,
            case,
        }
    }
}

fn capped(count: usize) -> String {
    if count >= COUNT_MAX {
        format!("{COUNT_MAX}+")
    } else {
        count.to_string()
    }
}

fn fit(count: usize) -> String {
    match count {
        1 => "1 task".to_owned(),
        _ => format!("{} tasks", capped(count)),
    }
}

fn tabs(mine: bool, counts: Counts) -> [Tab; 2] {
    [
        Tab {
            title: "My tasks",
            address: "/tasks?view=mine",
            count: capped(counts.mine),
            id: "count-mine",
            current: mine,
        },
        Tab {
            title: "Team tasks",
            address: "/tasks?view=team",
            count: capped(counts.team),
            id: "count-team",
            current: !mine,
        },
    ]
}

/// What somebody may choose among, with what the address already says.
fn choices<'a, T: AsRef<str> + ?Sized + 'a>(
    held: impl Iterator<Item = &'a T>,
    chosen: &str,
) -> Vec<(String, String)> {
    let mut all: BTreeSet<String> = held.map(|name| name.as_ref().to_owned()).collect();
    if !chosen.is_empty() {
        all.insert(chosen.to_owned());
    }
    all.into_iter()
        .map(|name| {
            let title = humanize(&name);
            (name, title)
        })
        .collect()
}

fn next_address(query: &QueueQuery, view: View, cursor: &str) -> String {
    let view = if view == View::Mine { "mine" } else { "team" };
    let mut address = format!("/tasks?view={view}");
    let text = |value: &'_ Option<String>| value.clone().unwrap_or_default();
    let overdue = chosen(query.overdue.as_ref()).then_some("yes");
    for (name, value) in [
        ("role", text(&query.role).as_str()),
        ("team", text(&query.team).as_str()),
        ("overdue", overdue.unwrap_or_default()),
        ("case", text(&query.case).as_str()),
        ("cursor", cursor),
    ] {
        if !value.is_empty() {
            let _ = write!(address, "&{name}={}", encoded(value));
        }
    }
    address
}

fn bands(items: Vec<WorkItemView>, who: &Principal, wall: &Wall) -> Vec<BandLines> {
    let mut bands: Vec<BandLines> = Vec::new();
    for item in items {
        let band = wall.band(item.due, item.overdue);
        let line = Line::new(item, who, wall);
        match bands.last_mut().filter(|last| last.band == band) {
            Some(last) => last.lines.push(line),
            None => bands.push(BandLines {
                band,
                lines: vec![line],
            }),
        }
    }
    bands
}

/// In words, since colour alone tells nothing to many.
fn marks(item: &WorkItemView) -> Vec<&'static str> {
    let marks = [
        (item.overdue, "Overdue"),
        (item.hold.is_some(), "On hold"),
        (!item.escalated_to.is_empty(), "Escalated"),
        (item.reminded.is_some(), "Reminder"),
        (item.acting_for.is_some(), "Somebody acts for a colleague"),
        (item.claimable_for.is_some(), "You stand in"),
    ];
    let shown = marks.into_iter().filter(|(shown, _)| *shown);
    shown.map(|(_, mark)| mark).collect()
}

impl Line {
    fn new(item: WorkItemView, who: &Principal, wall: &Wall) -> Self {
        let holder = match &item.claimed_by {
            Some(person) if person.id == who.id => "You".to_owned(),
            Some(person) => person.display_name.clone(),
            None => format!("Nobody yet ({})", assigned::phrase_of_all(&item)),
        };
        Self {
            marks: marks(&item),
            claimable: item.claimable,
            title: short(&item.title, TITLE_LENGTH_MAX),
            due: item
                .due
                .map_or_else(|| "No due date".to_owned(), |due| wall.due(due)),
            id: item.id,
            case: item.case,
            case_number: item.case_number,
            holder,
        }
    }
}

#[cfg(test)]
mod tests;
