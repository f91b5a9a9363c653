//! The task page as values: what is shown, in which order, and which buttons are live.

use askama::Template;
use casewright_casework::audit::Action;
use casewright_language::{Form, Origin};
use casewright_runtime::engine::Legend;
use casewright_runtime::view::{
    AttemptView, DeadlineView, DraftView, FundView, HoldView, TimelineEntry, WorkItemView,
    WorkflowView,
};
use serde_json::Value;

use crate::console::chrome::{Chrome, Place};
use crate::console::escape::short;
use crate::console::failure::{Explanation, explain, sentence};
use crate::console::fill::{self, Filled};
use crate::console::keys::request_key;
use crate::console::member::Member;
use crate::console::shown::{self, Shown};
use crate::console::when::Wall;
use crate::console::words::{humanize, phrase, term};
use crate::console::{assigned, money, sentence as timeline};
use crate::problem::Problem;

/// Longer titles are for the body of the page, not for its heading.
const HEADING_LENGTH_MAX: usize = 300;

/// What somebody tried with this task, and how it went.
#[derive(Debug, Clone, Default)]
pub(crate) struct Attempt {
    /// Whether anything was submitted.
    pub(crate) made: bool,
    pub(crate) value: Value,
    pub(crate) typed: Vec<(String, String)>,
    pub(crate) comment: String,
    /// Group that gets another row.
    pub(crate) more: Option<String>,
    pub(crate) errors: Vec<(String, String)>,
    /// Why it should wait, as far as it was typed.
    pub(crate) wait_for: String,
    /// Why it should go to somebody else or be skipped, as far as it was typed.
    pub(crate) why: String,
    pub(crate) problem: Option<Problem>,
}

/// What the page shows beside the task itself.
pub(crate) struct Surroundings {
    pub(crate) wall: Wall,
    /// How its codes and names read in words.
    pub(crate) legend: Legend,
    /// What the person typed before and did not send.
    pub(crate) draft: Option<DraftView>,
    pub(crate) funds: Vec<FundView>,
    /// Timeline of the case.
    pub(crate) before: Vec<TimelineEntry>,
    /// Those in force, for their titles.
    pub(crate) workflows: Vec<WorkflowView>,
    /// Id and title of what the person can go on with, once this is closed.
    pub(crate) onward: Option<(String, String)>,
}

#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own, as the page asks for it"
)]
#[derive(Template)]
#[template(path = "task.html")]
pub(crate) struct TaskPage {
    chrome: Chrome,
    id: String,
    heading: String,
    case: String,
    case_number: String,
    approval: bool,
    facts: Vec<(&'static str, String)>,
    evidence: Vec<(String, Shown)>,
    budget: Vec<Budget>,
    earlier: Vec<Earlier>,
    attempts: Vec<Past>,
    /// What was answered, once it is closed.
    answers: Vec<Past>,
    onward: Option<(String, String)>,
    refusal: Option<Explanation>,
    /// What was typed and can no longer be sent.
    lost: Vec<(String, String)>,
    stand: Stand,
    /// Whether they may give it to others.
    arranges: bool,
    /// Whether nobody has it.
    free: bool,
    /// Whether they may skip it.
    skips: bool,
    /// Why it should go to somebody else, as far as it was typed.
    why: String,
    key: String,
}

/// What the person can do here.
enum Stand {
    /// They may not, and why, and who can.
    Barred {
        title: &'static str,
        reasons: Vec<String>,
    },
    /// Nobody has it; they may take it, for somebody perhaps.
    Open { stead: Option<String> },
    /// Somebody else has it.
    Taken {
        by: String,
        mine_to_take: bool,
        /// For whom they would take it.
        stead: Option<String>,
    },
    /// They have it, and it waits.
    Held {
        until: String,
        reason: String,
        stopped: bool,
    },
    /// They have it.
    Mine(Box<Answer>),
    /// Finished or taken back.
    Closed { how: String },
}

struct Answer {
    form: Filled,
    revision: u64,
    shown: String,
    /// Whether something typed before is in the form.
    kept: String,
    outcomes: Vec<Outcome>,
    holdable: bool,
    /// Whether they may hand it to a colleague.
    passes_on: bool,
    wait_for: String,
    comment: Option<Comment>,
}

struct Outcome {
    value: String,
    title: String,
    class: &'static str,
}

struct Comment {
    text: String,
    error: Option<String>,
    hint: String,
}

struct Budget {
    title: String,
    available: String,
    reserved: String,
    committed: String,
}

struct Earlier {
    sentence: String,
    when: String,
    comment: Option<String>,
}

/// An earlier answer to the same task.
struct Past {
    title: String,
    comment: Option<String>,
    data: Vec<(String, Shown)>,
}

impl TaskPage {
    pub(crate) fn new(
        member: &Member,
        item: WorkItemView,
        attempt: &Attempt,
        around: &Surroundings,
        notice: Option<String>,
    ) -> Self {
        let heading = short(&item.title, HEADING_LENGTH_MAX);
        let refusal = refusal(attempt);
        let stand = stand(member, &item, attempt, around);
        let live = matches!(stand, Stand::Mine(_));
        let closed = matches!(stand, Stand::Closed { .. });
        let faulty = refusal.is_some() || !attempt.errors.is_empty();
        Self {
            chrome: Chrome::new(member, Place::Tasks, titled(&heading, &item.case_number))
                .faulty(faulty)
                .notice(notice),
            facts: facts(member, &item, &around.wall),
            // What it was about is told while it is open: it may be meant to be seen once.
            evidence: if closed {
                Vec::new()
            } else {
                Shown::of(&item.show, &around.legend.show, &around.wall).into_rows()
            },
            budget: if closed {
                Vec::new()
            } else {
                budget(&item, &around.funds)
            },
            earlier: earlier(&item, around),
            attempts: past(&item.attempts, around),
            answers: answers(&item.answers, around),
            onward: around
                .onward
                .clone()
                .map(|(id, title)| (id, short(&title, HEADING_LENGTH_MAX))),
            lost: if live { Vec::new() } else { lost(attempt) },
            refusal,
            stand,
            arranges: item.arrangeable,
            free: item.claimed_by.is_none(),
            skips: !closed
                && item
                    .skippable
                    .as_ref()
                    .is_some_and(|role| member.principal.holds(role)),
            why: attempt.why.clone(),
            heading,
            id: item.id,
            case: item.case,
            case_number: item.case_number,
            approval: item.approval,
            key: request_key(),
        }
    }

    /// Anchors and sentences for the error summary.
    fn errors(&self) -> Vec<(String, String)> {
        let Stand::Mine(answer) = &self.stand else {
            return Vec::new();
        };
        let comment = answer
            .comment
            .as_ref()
            .and_then(|comment| comment.error.clone());
        let comment = comment.map(|text| ("comment".to_owned(), text));
        answer.form.errors.iter().cloned().chain(comment).collect()
    }
}

/// The title of the page names the case, where the task's own title does not.
fn titled(heading: &str, case_number: &str) -> String {
    if heading.contains(case_number) {
        heading.to_owned()
    } else {
        format!("{heading} – {case_number}")
    }
}

fn facts(member: &Member, item: &WorkItemView, wall: &Wall) -> Vec<(&'static str, String)> {
    let due = item.due.map_or_else(
        || "No due date".to_owned(),
        |due| {
            let late = if item.overdue { " (overdue)" } else { "" };
            format!("{}{late}", wall.due(due))
        },
    );
    let holder = match &item.claimed_by {
        Some(person) if person.id == member.principal.id => "You".to_owned(),
        Some(person) => person.display_name.clone(),
        None => "Nobody yet".to_owned(),
    };
    let holder = match (&item.acting_for, item.acting_until) {
        (Some(person), Some(until)) => {
            let until = wall.moment(until);
            format!("{holder}, for {} until {until}", person.display_name)
        }
        _ => holder,
    };
    let given = humanize(&assigned::phrase_of_all(item));
    if matches!(item.state.as_str(), "completed" | "withdrawn") {
        return vec![
            ("Given to", given),
            ("Asked for", wall.moment(item.offered)),
        ];
    }
    let mut facts = vec![("Due", due)];
    if let Some(deadline) = &item.deadline {
        facts.extend(counted(deadline, wall));
    }
    facts.extend([
        ("Given to", given),
        ("Who has it", holder),
        ("Waiting since", wall.moment(item.offered)),
    ]);
    if let Some(hold) = &item.hold {
        facts.push(("On hold since", wall.moment(hold.since)));
    }
    if item.attempt > 1 {
        let before = item.attempt - 1;
        let times = if before == 1 { "once" } else { "times" };
        let asked = if before == 1 {
            times.to_owned()
        } else {
            format!("{before} {times}")
        };
        facts.push(("Asked before", asked));
    }
    if let Some(moved) = item.moves.last() {
        let by = &moved.by.display_name;
        facts.push(("Given on by", format!("{by}: {}", moved.reason)));
    }
    if !item.delegable {
        let own = "It stays with those it was given to".to_owned();
        facts.push(("Goes to others", own));
    }
    if let Some(at) = item.reminded {
        facts.push(("Last reminder", wall.moment(at)));
    }
    facts
}

/// What the due date comes from: the rule, what it runs from, the calendar, and what a change of
/// it did.
fn counted(deadline: &DeadlineView, wall: &Wall) -> Vec<(&'static str, String)> {
    let mut facts = Vec::new();
    if let Some(rule) = &deadline.rule {
        let (words, by_the_clock) = term(rule);
        let from = if by_the_clock {
            wall.moment(deadline.from)
        } else {
            wall.date(deadline.from)
        };
        let calendar = &deadline.calendar;
        facts.push((
            "Counted as",
            format!("{words} from {from}, calendar {calendar}"),
        ));
    }
    if let Some(moved) = &deadline.moved {
        let before = moved.from.map_or_else(String::new, |from| {
            format!(": it was due {} before", wall.due(from))
        });
        let at_once = if moved.at_once {
            "; its new day had passed, so it is due at once"
        } else {
            ""
        };
        let on = wall.date(moved.at);
        facts.push((
            "Moved",
            format!("The calendar changed on {on}{before}{at_once}"),
        ));
    }
    facts
}

fn stand(member: &Member, item: &WorkItemView, attempt: &Attempt, around: &Surroundings) -> Stand {
    match item.state.as_str() {
        "completed" => {
            return Stand::Closed {
                how: closing(item, &around.wall),
            };
        }
        "withdrawn" => {
            let how = "This task was taken back. Nothing more has to be done here.".to_owned();
            return Stand::Closed { how };
        }
        _ => {}
    }
    if let Some((code, message)) = &item.barred {
        return barred(item, code, &named(message, &around.legend));
    }
    match &item.claimed_by {
        None => Stand::Open {
            stead: item
                .claimable_for
                .as_ref()
                .map(|one| one.display_name.clone()),
        },
        Some(person) if person.id == member.principal.id => {
            if let Some(hold) = &item.hold {
                return held(hold, &around.wall);
            }
            Stand::Mine(Box::new(answer(item, attempt, around)))
        }
        Some(person) => Stand::Taken {
            by: person.display_name.clone(),
            mine_to_take: item.claimable,
            stead: item
                .claimable_for
                .as_ref()
                .map(|one| one.display_name.clone()),
        },
    }
}

fn held(hold: &HoldView, wall: &Wall) -> Stand {
    Stand::Held {
        until: hold.until.map_or_else(
            || "It waits until you take it off hold.".to_owned(),
            |until| format!("It comes back by itself on {}.", wall.moment(until)),
        ),
        reason: hold.reason.clone(),
        stopped: hold.clock_stopped,
    }
}

fn closing(item: &WorkItemView, wall: &Wall) -> String {
    match item.decisions.last() {
        Some(decision) if decision.skipped => format!(
            "Skipped by {}, {}: {}.",
            decision.by.display_name,
            wall.moment(decision.at),
            decision.comment.as_deref().unwrap_or_default()
        ),
        Some(decision) => format!(
            "{}: {}, {}.",
            humanize(&decision.outcome),
            decision.by.display_name,
            wall.moment(decision.at)
        ),
        None => "This task is finished.".to_owned(),
    }
}

/// The rule's sentence with the tasks by their titles: `referral` is a name for authors.
fn named(message: &str, legend: &Legend) -> String {
    let parts = message.split('`').enumerate();
    parts
        .map(|(index, part)| match legend.titles.get(part) {
            Some(title) if index % 2 == 1 => format!("“{title}”"),
            None if index % 2 == 1 => format!("“{}”", humanize(part)),
            Some(_) | None => part.to_owned(),
        })
        .collect()
}

fn barred(item: &WorkItemView, code: &str, message: &str) -> Stand {
    let words = explain(code, message);
    let who = assigned::phrase_of_all(item);
    let able = match code {
        "self-approval" => format!("Somebody else who is {who} can decide it."),
        "over-limit" => "Somebody with a higher limit can decide it.".to_owned(),
        _ => format!("It can be decided by: {who}."),
    };
    let reason = words.sentences.first().cloned();
    let reason = reason.unwrap_or_else(|| sentence(message));
    Stand::Barred {
        title: words.title,
        reasons: vec![reason, able],
    }
}

fn answer(item: &WorkItemView, attempt: &Attempt, around: &Surroundings) -> Answer {
    let more = attempt.more.as_deref();
    let form = around.legend.form.as_ref().map(|form| {
        let shown = attempt.shown(form, item);
        fill::fill(form, &shown, &form_errors(attempt), more)
    });
    let mut form = form.unwrap_or_default();
    if let Some(message) = error_of(attempt, "_outcome") {
        form.errors.push(("answer".to_owned(), message));
    }
    Answer {
        form,
        revision: item.revision,
        shown: item.shown.clone(),
        kept: around
            .draft
            .as_ref()
            .map_or_else(String::new, |draft| resumed(draft, item, &around.wall)),
        outcomes: item.outcomes.iter().map(|name| outcome(name)).collect(),
        comment: comment(item, attempt),
        holdable: item.holdable,
        passes_on: item.delegable && item.acting_for.is_none(),
        wait_for: attempt.wait_for.clone(),
    }
}

/// The line that says that nothing is lost.
pub(super) fn kept(draft: &DraftView, wall: &Wall) -> String {
    format!(
        "Draft saved {}. Only you can see it.",
        wall.moment(draft.saved)
    )
}

fn resumed(draft: &DraftView, item: &WorkItemView, wall: &Wall) -> String {
    let mut text = kept(draft, wall);
    if draft.revision != item.revision {
        text.push_str(" The task has changed since then: look at it again before you send.");
    }
    text
}

fn past(attempts: &[AttemptView], around: &Surroundings) -> Vec<Past> {
    let numbered = (1..).zip(attempts);
    let past = |(number, attempt): (usize, &AttemptView)| Past {
        title: format!(
            "Answer {number}: {}, {}, {}",
            phrase(&attempt.outcome),
            attempt.by.display_name,
            around.wall.moment(attempt.at)
        ),
        ..told(attempt, around)
    };
    numbered.map(past).collect()
}

fn answers(answers: &[AttemptView], around: &Surroundings) -> Vec<Past> {
    answers.iter().map(|answer| told(answer, around)).collect()
}

/// An answer with the titles of the form that asked for it.
fn told(answer: &AttemptView, around: &Surroundings) -> Past {
    let origin = |form: &Form| Origin::Fields(form.fields.clone());
    let origin = around.legend.form.as_ref().map_or(Origin::Unknown, origin);
    let outcome = match answer.outcome.as_str() {
        "done" => "Finished".to_owned(),
        other => humanize(other),
    };
    Past {
        title: format!(
            "{outcome}: {}, {}",
            answer.by.display_name,
            around.wall.moment(answer.at)
        ),
        comment: answer.comment.clone().filter(|text| !text.is_empty()),
        data: Shown::of(&answer.data, &origin, &around.wall).into_rows(),
    }
}

fn outcome(name: &str) -> Outcome {
    let title = match name {
        "done" => "Save and finish".to_owned(),
        _ => humanize(name),
    };
    let class = match name {
        "approve" | "done" => "button",
        "decline" | "reject" => "button warning",
        _ => "button secondary",
    };
    Outcome {
        value: name.to_owned(),
        title,
        class,
    }
}

/// A reason is asked for wherever there is something to decide; where a form asks what there is
/// to say, only if it is owed.
fn comment(item: &WorkItemView, attempt: &Attempt) -> Option<Comment> {
    let owed: Vec<_> = item
        .outcomes
        .iter()
        .filter(|name| super::reason_needed(item, name))
        .map(|name| phrase(name))
        .collect();
    let choice = item.outcomes.len() > 1;
    let asked = item.approval || (choice && (item.form.is_none() || !owed.is_empty()));
    if !asked {
        return None;
    }
    let hint = if owed.is_empty() {
        "Optional.".to_owned()
    } else {
        format!(
            "Needed if you {}. Everybody who works on the case can read it.",
            owed.join(" or ")
        )
    };
    Some(Comment {
        text: attempt.comment.clone(),
        error: error_of(attempt, "_comment"),
        hint,
    })
}

fn error_of(attempt: &Attempt, name: &str) -> Option<String> {
    let found = attempt.errors.iter().find(|(field, _)| field == name);
    found.map(|(_, message)| message.clone())
}

fn form_errors(attempt: &Attempt) -> Vec<(String, String)> {
    let own = |name: &str| name.starts_with('_');
    attempt
        .errors
        .iter()
        .filter(|(field, _)| !own(field))
        .cloned()
        .collect()
}

/// The banner of a refusal; errors of fields have their own summary.
fn refusal(attempt: &Attempt) -> Option<Explanation> {
    let problem = attempt.problem.as_ref()?;
    attempt
        .errors
        .is_empty()
        .then(|| explain(problem.code(), problem.detail()))
}

fn lost(attempt: &Attempt) -> Vec<(String, String)> {
    let comment = [("Reason".to_owned(), attempt.comment.clone())];
    attempt
        .typed
        .iter()
        .map(|(name, value)| (humanize(name), value.clone()))
        .chain(comment)
        .filter(|(_, value)| !value.is_empty())
        .collect()
}

fn budget(item: &WorkItemView, funds: &[FundView]) -> Vec<Budget> {
    let Some((_, currency)) = shown::amount(&item.show) else {
        return Vec::new();
    };
    funds
        .iter()
        .filter(|fund| fund.currency == currency)
        .map(|fund| Budget {
            title: fund.title.clone(),
            available: money::written(fund.available_minor, &fund.currency),
            reserved: money::written(fund.reserved_minor, &fund.currency),
            committed: money::written(fund.committed_minor, &fund.currency),
        })
        .collect()
}

/// Who asked for this and who answered before, from the record of the case.
fn earlier(item: &WorkItemView, around: &Surroundings) -> Vec<Earlier> {
    let of_this_run = around.before.iter().filter(|entry| {
        let this = entry.subject.as_deref() == Some(&item.id);
        !this && entry.instance.as_deref() == Some(&item.instance)
    });
    of_this_run
        .filter(|entry| {
            matches!(
                timeline::action(entry),
                Some(Action::InstanceStarted | Action::WorkItemCompleted)
            )
        })
        .map(|entry| Earlier {
            sentence: timeline::sentence(entry, run_title(entry, &around.workflows)),
            when: around.wall.moment(entry.at),
            comment: entry.comment.clone().filter(|text| !text.is_empty()),
        })
        .collect()
}

/// What people call the workflow that was started.
fn run_title<'a>(entry: &TimelineEntry, workflows: &'a [WorkflowView]) -> Option<&'a str> {
    if timeline::action(entry) != Some(Action::InstanceStarted) {
        return None;
    }
    let name = entry.title.as_deref()?;
    let known = workflows.iter().find(|known| known.name == name)?;
    known.title.as_deref()
}

#[cfg(test)]
mod tests;
