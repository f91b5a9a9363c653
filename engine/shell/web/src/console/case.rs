//! A case: where it stands, what is open, and everything that happened, in sentences.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use casewright_casework::person::AddressKind;
use casewright_casework::{Document, Person};
use casewright_runtime::Engine;
use casewright_runtime::engine::Keeper;
use casewright_runtime::view::{
    CaseView, InstanceView, NextView, TimelineEntry, WaitingView, WorkItemFilter, WorkItemView,
    WorkflowView,
};
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::Value;

use crate::console::address::{Lenient, encoded};
use crate::console::admin::cause;
use crate::console::assigned;
use crate::console::chrome::{Chrome, Place, page};
use crate::console::document::{kind_words, size_words};
use crate::console::escape::short;
use crate::console::keys::request_key;
use crate::console::member::Member;
use crate::console::notice::Notice;
use crate::console::person::{contact_words, relation_words, way_words};
use crate::console::plan;
use crate::console::sentence::{self, Weight};
use crate::console::start;
use crate::console::when::{Wall, civil};
use crate::console::words::humanize;
use crate::problem::Problem;

const TITLE_LENGTH_MAX: usize = 160;
/// Open tasks shown on the page; more are in the queue.
const TASKS_MAX: usize = 50;
/// Things that one run waits for, shown on the page.
const WAITING_MAX: usize = 10;

#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct ListQuery {
    cursor: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct CaseQuery {
    done: Option<String>,
    show: Option<String>,
}

#[derive(Template)]
#[template(path = "cases.html")]
struct ListPage {
    chrome: Chrome,
    lines: Vec<CaseLine>,
    next: Option<String>,
}

struct CaseLine {
    id: String,
    number: String,
    opened: String,
    stand: String,
}

#[derive(Template)]
#[template(path = "case.html")]
struct CasePage {
    chrome: Chrome,
    id: String,
    number: String,
    opened: String,
    printed: String,
    /// The calendar of the case, where it has one of its own.
    calendar: Option<String>,
    /// Those that whoever looks may give it.
    calendars: Vec<String>,
    calendar_key: String,
    key: String,
    persons: Vec<PersonLine>,
    documents: Vec<DocumentLine>,
    closed: Option<Closed>,
    plan: Option<plan::Stand>,
    next: Vec<NextLine>,
    /// Whether there is anything that may be started here.
    startable: bool,
    /// Whether an episode was closed that is not followed by another.
    reopenable: bool,
    /// What they do with files whose time is over.
    keeper: Keeper,
    episode: u32,
    tasks: Vec<TaskLine>,
    running: Vec<RunLine>,
    finished: Vec<FinishedLine>,
    days: Vec<Day>,
    /// How many entries are shown when asked for.
    folded: usize,
    all: bool,
}

/// The case is closed.
struct Closed {
    on: String,
    reason: Option<String>,
}

/// What a finished run says comes next.
struct NextLine {
    title: String,
    /// Where it is started, by whoever may.
    address: Option<String>,
    /// From which day on, why, and which run says so.
    about: String,
}

/// A finished task: what was answered is on its page.
struct FinishedLine {
    id: String,
    title: String,
    outcome: String,
    by: String,
    on: String,
}

struct PersonLine {
    id: String,
    name: String,
    relation: String,
    born: Option<String>,
    contact: String,
    reach: Vec<String>,
    address: Option<String>,
    confidential: bool,
    postal: bool,
    code_word: bool,
    staff: Option<String>,
}

struct DocumentLine {
    id: String,
    name: String,
    kind: String,
    size: String,
    added: String,
    by: String,
}

struct TaskLine {
    id: String,
    title: String,
    due: String,
    holder: String,
}

struct RunLine {
    id: String,
    title: String,
    /// What runs it, if something else does.
    within: Option<String>,
    status: String,
    notes: Vec<String>,
}

struct Day {
    title: String,
    entries: Vec<EntryLine>,
}

struct EntryLine {
    anchor: u64,
    time: String,
    sentence: String,
    comment: Option<String>,
    class: &'static str,
}

pub(crate) async fn list(
    State(engine): State<Engine>,
    member: Member,
    Lenient(query): Lenient<ListQuery>,
) -> Result<Response, Problem> {
    let who = &member.principal;
    let cases = engine
        .cases(who, query.cursor.filter(|text| !text.is_empty()))
        .await?;
    let wall = Wall::new(engine.zone(who), engine.now());
    let body = ListPage {
        chrome: Chrome::new(&member, Place::Cases, "Cases"),
        next: cases
            .next
            .map(|cursor| format!("/cases?cursor={}", encoded(&cursor))),
        lines: cases
            .items
            .iter()
            .map(|case| case_line(case, &wall))
            .collect(),
    };
    Ok(page(StatusCode::OK, &body))
}

fn case_line(case: &CaseView, wall: &Wall) -> CaseLine {
    let open = case
        .instances
        .iter()
        .filter(|run| !ended(&run.status))
        .count();
    CaseLine {
        id: case.id.clone(),
        number: case.number.clone(),
        opened: wall.date(case.opened),
        stand: match open {
            _ if case.closed.is_some() && open == 0 => "Closed".to_owned(),
            0 => "Nothing under way".to_owned(),
            1 => "1 thing under way".to_owned(),
            _ => format!("{open} things under way"),
        },
    }
}

fn ended(status: &str) -> bool {
    matches!(status, "completed" | "faulted" | "cancelled")
}

pub(crate) async fn show(
    State(engine): State<Engine>,
    member: Member,
    Path(id): Path<String>,
    Lenient(query): Lenient<CaseQuery>,
) -> Result<Response, Problem> {
    let who = &member.principal;
    let case = engine.case(who, &id).await?;
    let of_case = WorkItemFilter {
        case: Some(id.clone()),
        limit: Some(TASKS_MAX),
        ..WorkItemFilter::default()
    };
    let done = WorkItemFilter {
        state: Some("completed".to_owned()),
        ..of_case.clone()
    };
    let tasks = engine.work_items(who, of_case).await?.items;
    let finished = engine.work_items(who, done).await?.items;
    let file = engine.case_file(who, &id).await?;
    let entries = engine.timeline(who, &id).await?;
    let workflows = engine.workflows(who).await?;
    let plan = engine.plan_of(who, &id).await?;
    let wall = Wall::new(engine.zone(who), engine.now());
    let all = query.show.as_deref() == Some("all");
    let titles = run_titles(&case, &workflows);
    let (days, folded) = days(&entries, &titles, all, &wall);
    let closed = case.closed.is_some();
    let allowed =
        |workflow: &WorkflowView| workflow.offered && (!closed || workflow.in_closed_case);
    let body = CasePage {
        chrome: Chrome::new(&member, Place::Cases, format!("Case {}", case.number))
            .notice(Notice::text_of(query.done.as_deref())),
        opened: wall.date(case.opened),
        printed: wall.moment(engine.now()),
        calendar: case.calendar.clone(),
        calendars: engine.calendars_to_give(who),
        calendar_key: request_key(),
        key: request_key(),
        persons: file
            .persons
            .into_iter()
            .map(|person| person_line(person, &engine, &member))
            .collect(),
        documents: file
            .documents
            .into_iter()
            .map(|document| document_line(document, &engine, &member, &wall))
            .collect(),
        tasks: tasks
            .into_iter()
            .map(|item| task_line(item, &member, &wall))
            .collect(),
        running: case
            .instances
            .iter()
            .map(|run| run_line(run, &titles, &wall))
            .collect(),
        keeper: member.keeper,
        reopenable: case.episodes.last().is_some_and(|one| one.closed.is_some()),
        episode: case.episodes.last().map_or(1, |one| one.number),
        closed: case.closed.map(|closed| Closed {
            on: wall.date(closed.at),
            reason: closed.reason,
        }),
        plan: plan.map(|view| plan::stand(&view, &wall)),
        next: case
            .next
            .into_iter()
            .map(|next| next_line(next, &case.id, &wall))
            .collect(),
        startable: workflows.iter().any(allowed),
        finished: finished_lines(&finished, &wall),
        days,
        folded,
        all,
        id: case.id,
        number: case.number,
    };
    Ok(page(StatusCode::OK, &body))
}

fn person_line(person: Person, engine: &Engine, member: &Member) -> PersonLine {
    let details = person.details;
    let staff = details.staff.as_deref();
    let address = details.address.as_ref();
    let confidential = address.is_some_and(|one| one.confidential);
    let postal = address.is_some_and(|one| one.kind == AddressKind::Postal);
    PersonLine {
        id: person.id,
        relation: relation_words(details.relation),
        born: details.born.map(civil),
        contact: contact_words(&details.contact),
        code_word: details.contact.code_word.is_some(),
        reach: [details.phone, details.email]
            .into_iter()
            .flatten()
            .chain(details.contact.ways.iter().map(way_words))
            .collect(),
        address: details.address.map(|address| address.text),
        confidential,
        postal,
        staff: staff.and_then(|id| engine.staff_name(&member.principal, id)),
        name: details.name,
    }
}

fn document_line(
    document: Document,
    engine: &Engine,
    member: &Member,
    wall: &Wall,
) -> DocumentLine {
    let by = engine.staff_name(&member.principal, &document.by);
    DocumentLine {
        kind: kind_words(document.kind),
        size: size_words(&document),
        added: wall.date(document.at),
        by: by.unwrap_or_else(|| "a service".to_owned()),
        id: document.id,
        name: short(&document.name, TITLE_LENGTH_MAX),
    }
}

fn task_line(item: WorkItemView, member: &Member, wall: &Wall) -> TaskLine {
    let due = item
        .due
        .map_or_else(|| "No due date".to_owned(), |due| wall.due(due));
    let late = if item.overdue { " (overdue)" } else { "" };
    let nobody = format!("Nobody yet ({})", assigned::phrase_of_all(&item));
    TaskLine {
        title: short(&item.title, TITLE_LENGTH_MAX),
        due: format!("{due}{late}"),
        holder: match item.claimed_by {
            Some(person) if person.id == member.principal.id => "You".to_owned(),
            Some(person) => person.display_name,
            None => nobody,
        },
        id: item.id,
    }
}

fn next_line(next: NextView, case: &str, wall: &Wall) -> NextLine {
    let title = next.title.unwrap_or_else(|| humanize(&next.workflow));
    let mut about = Vec::new();
    about.extend(next.on.map(|day| format!("from {}", civil(day))));
    about.extend(next.note);
    let from = next.from_title.unwrap_or_default();
    about.push(format!("after “{from}”, {}", wall.date(next.since)));
    NextLine {
        address: next
            .startable
            .then(|| format!("/start/{}?case={}", encoded(&next.workflow), encoded(case))),
        title: short(&title, TITLE_LENGTH_MAX),
        about: about.join("; "),
    }
}

/// The latest first.
fn finished_lines(items: &[WorkItemView], wall: &Wall) -> Vec<FinishedLine> {
    let decided = |item: &WorkItemView| item.decisions.last().map(|decision| decision.at);
    let mut items: Vec<_> = items.iter().collect();
    items.sort_by_key(|item| std::cmp::Reverse(decided(item)));
    let line = |item: &WorkItemView| {
        let decision = item.decisions.last()?;
        Some(FinishedLine {
            id: item.id.clone(),
            title: short(&item.title, TITLE_LENGTH_MAX),
            outcome: match decision.outcome.as_str() {
                "done" => "Finished".to_owned(),
                other => humanize(other),
            },
            by: decision.by.display_name.clone(),
            on: wall.date(decision.at),
        })
    };
    items.into_iter().filter_map(line).collect()
}

fn run_line(run: &InstanceView, titles: &BTreeMap<&str, String>, wall: &Wall) -> RunLine {
    let title = |id: &str| titles.get(id).cloned();
    RunLine {
        id: run.id.clone(),
        title: title(&run.id).unwrap_or_default(),
        within: run.parent.as_deref().and_then(title),
        status: status(&run.status).to_owned(),
        notes: match run.status.as_str() {
            "faulted" => fault(run.error.as_ref()).into_iter().collect(),
            "completed" => said(run.output.as_ref()),
            _ => waits(&run.waiting, wall),
        },
    }
}

/// What a finished run says in words: how it ended, and what to do next where no workflow does it.
fn said(output: Option<&Value>) -> Vec<String> {
    let text = |key: &str| output?.get(key)?.as_str();
    let outcome = text("outcome").map(humanize);
    let next = text("next").map(str::to_owned);
    let said = outcome.into_iter().chain(next);
    said.map(|text| short(&text, TITLE_LENGTH_MAX)).collect()
}

fn run_title(run: &InstanceView, workflows: &[WorkflowView]) -> String {
    let name = run.workflow.rsplit('/').next().unwrap_or(&run.workflow);
    let known = workflows.iter().find(|workflow| workflow.name == name);
    known.map_or_else(|| humanize(name), start::title)
}

fn run_titles<'a>(case: &'a CaseView, workflows: &[WorkflowView]) -> BTreeMap<&'a str, String> {
    let runs = case.instances.iter();
    runs.map(|run| (run.id.as_str(), run_title(run, workflows)))
        .collect()
}

pub(crate) fn status(name: &str) -> &'static str {
    match name {
        "pending" | "running" => "Under way",
        "waiting" => "Waiting",
        "suspended" => "Paused",
        "cancelled" => "Cancelled",
        "faulted" => "Stopped by a problem",
        "completed" => "Finished",
        _ => "Unknown",
    }
}

/// One line for each thing that is open, the last for those beyond the bound.
fn waits(waiting: &[WaitingView], wall: &Wall) -> Vec<String> {
    let shown = waiting.iter().take(WAITING_MAX);
    let mut lines: Vec<String> = shown.map(|one| waits_for(one, wall)).collect();
    if waiting.len() > WAITING_MAX {
        lines.push(format!("And {} more", waiting.len() - WAITING_MAX));
    }
    lines
}

fn waits_for(waiting: &WaitingView, wall: &Wall) -> String {
    let task = waiting.title.clone();
    let task = task.unwrap_or_else(|| humanize(&waiting.task));
    let task = short(&task, TITLE_LENGTH_MAX);
    match (waiting.kind.as_str(), waiting.until) {
        ("work-item", _) => format!("Waits for a person: {task}"),
        ("workflow", _) => format!("Waits for what it started: {task}"),
        ("call", _) => format!("Waits for an answer: {task}"),
        ("event", _) => format!("Waits for a message: {task}"),
        (_, Some(until)) => format!("Waits until {}: {task}", wall.moment(until)),
        (_, None) => format!("Waits: {task}"),
    }
}

/// What stopped it: plain words for what the engine refuses, otherwise the title, which is the
/// author's or the engine's.
fn fault(error: Option<&Value>) -> Option<String> {
    let kind = error?
        .get("type")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if let Some(cause) = cause::known(kind) {
        return Some(cause.what.to_owned());
    }
    let text = error?.get("title").and_then(Value::as_str)?;
    Some(short(text, TITLE_LENGTH_MAX))
}

/// Newest day first, within a day newest first, so that what just happened is on top.
fn days(
    entries: &[TimelineEntry],
    titles: &BTreeMap<&str, String>,
    all: bool,
    wall: &Wall,
) -> (Vec<Day>, usize) {
    let mut days: Vec<(Date, Day)> = Vec::new();
    let mut folded = 0;
    for entry in entries.iter().rev() {
        let weight = sentence::action(entry).map_or(Weight::Step, sentence::weight);
        if matches!(weight, Weight::Reading | Weight::Machinery) {
            folded += 1;
            if !all {
                continue;
            }
        }
        let date = wall.day(entry.at);
        let run = entry.instance.as_deref().and_then(|id| titles.get(id));
        let line = entry_line(entry, run.map(String::as_str), weight, wall);
        match days.last_mut().filter(|(last, _)| *last == date) {
            Some((_, day)) => day.entries.push(line),
            None => days.push((
                date,
                Day {
                    title: wall.day_title(date),
                    entries: vec![line],
                },
            )),
        }
    }
    (days.into_iter().map(|(_, day)| day).collect(), folded)
}

fn entry_line(entry: &TimelineEntry, run: Option<&str>, weight: Weight, wall: &Wall) -> EntryLine {
    EntryLine {
        anchor: entry.index,
        time: wall.time(entry.at),
        sentence: sentence::sentence(entry, run),
        comment: entry.comment.clone().filter(|text| !text.is_empty()),
        class: match weight {
            Weight::Milestone => "milestone",
            Weight::Step | Weight::Machinery => "step",
            Weight::Reading => "reading",
        },
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use jiff::tz::TimeZone;

    use super::*;

    #[test]
    fn everything_that_is_open_has_its_line_up_to_a_bound() {
        let wall = Wall::new(TimeZone::UTC, Timestamp::UNIX_EPOCH);
        let open = |kind: &str, task: &str, until| WaitingView {
            kind: kind.to_owned(),
            task: task.to_owned(),
            title: None,
            work_item: None,
            instance: None,
            until,
            events: Vec::new(),
        };
        let day = Some(Timestamp::UNIX_EPOCH);
        let two = [
            open("work-item", "askFamily", None),
            open("call", "pay", None),
        ];
        assert_eq!(
            waits(&two, &wall),
            ["Waits for a person: Ask family", "Waits for an answer: Pay"]
        );
        let many: Vec<WaitingView> = (0..12).map(|_| open("timer", "rest", day)).collect();
        let lines = waits(&many, &wall);
        assert_eq!(lines.len(), WAITING_MAX + 1);
        assert_eq!(lines[WAITING_MAX], "And 2 more");
        assert!(waits(&[], &wall).is_empty());
    }
}
