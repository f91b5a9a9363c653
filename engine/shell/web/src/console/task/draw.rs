//! The task page as values: what is shown, in which order, and which buttons are live.

use askama::Template;
use casewright_casework::audit::Action;
use casewright_language::Form;
use casewright_runtime::view::{AttemptView, DraftView, FundView, TimelineEntry, WorkItemView};
use serde_json::Value;

use crate::console::chrome::{Chrome, Place};
use crate::console::escape::short;
use crate::console::failure::{Explanation, explain, sentence};
use crate::console::fill::{self, Filled};
use crate::console::keys::request_key;
use crate::console::member::Member;
use crate::console::shown::{self, Shown};
use crate::console::when::Wall;
use crate::console::words::{humanize, phrase};
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
    pub(crate) problem: Option<Problem>,
}

/// What the page shows beside the task itself.
pub(crate) struct Surroundings {
    pub(crate) wall: Wall,
    pub(crate) form: Option<Form>,
    /// What the person typed before and did not send.
    pub(crate) draft: Option<DraftView>,
    pub(crate) funds: Vec<FundView>,
    /// Timeline of the case.
    pub(crate) before: Vec<TimelineEntry>,
}

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
    refusal: Option<Explanation>,
    /// What was typed and can no longer be sent.
    lost: Vec<(String, String)>,
    stand: Stand,
    key: String,
}

/// What the person can do here.
enum Stand {
    /// They may not, and why, and who can.
    Barred {
        title: &'static str,
        reasons: Vec<String>,
    },
    /// Nobody has it; they may take it.
    Open,
    /// Somebody else has it.
    Taken { by: String, mine_to_take: bool },
    /// They have it.
    Mine(Box<Answer>),
    /// Finished or taken back.
    Closed { how: String },
}

struct Answer {
    form: Filled,
    revision: u64,
    /// Whether something typed before is in the form.
    kept: String,
    outcomes: Vec<Outcome>,
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
        let faulty = refusal.is_some() || !attempt.errors.is_empty();
        Self {
            chrome: Chrome::new(member, Place::Tasks, heading.clone())
                .faulty(faulty)
                .notice(notice),
            facts: facts(member, &item, &around.wall),
            evidence: Shown::of(&item.show, &around.wall).into_rows(),
            budget: budget(&item, &around.funds),
            earlier: earlier(&item, &around.before, &around.wall),
            attempts: past(&item.attempts, &around.wall),
            lost: if live { Vec::new() } else { lost(attempt) },
            refusal,
            stand,
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

fn facts(member: &Member, item: &WorkItemView, wall: &Wall) -> Vec<(&'static str, String)> {
    let due = item.due.map_or_else(
        || "No due date".to_owned(),
        |due| {
            let late = if item.overdue { " (overdue)" } else { "" };
            format!("{}{late}", wall.date(due))
        },
    );
    let holder = match &item.claimed_by {
        Some(person) if person.id == member.principal.id => "You".to_owned(),
        Some(person) => person.display_name.clone(),
        None => "Nobody yet".to_owned(),
    };
    let given = humanize(&assigned::phrase_of_all(item));
    let mut facts = vec![
        ("Due", due),
        ("Given to", given),
        ("Who has it", holder),
        ("Waiting since", wall.moment(item.offered)),
    ];
    if let Some(at) = item.reminded {
        facts.push(("Last reminder", wall.moment(at)));
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
        return barred(item, code, message);
    }
    match &item.claimed_by {
        None => Stand::Open,
        Some(person) if person.id == member.principal.id => {
            Stand::Mine(Box::new(answer(item, attempt, around)))
        }
        Some(person) => Stand::Taken {
            by: person.display_name.clone(),
            mine_to_take: item.claimable,
        },
    }
}

fn closing(item: &WorkItemView, wall: &Wall) -> String {
    match item.decisions.last() {
        Some(decision) => format!(
            "{}: {}, {}.",
            humanize(&decision.outcome),
            decision.by.display_name,
            wall.moment(decision.at)
        ),
        None => "This task is finished.".to_owned(),
    }
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
    let form = around.form.as_ref().map(|form| {
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
        kept: around
            .draft
            .as_ref()
            .map_or_else(String::new, |draft| resumed(draft, item, &around.wall)),
        outcomes: item.outcomes.iter().map(|name| outcome(name)).collect(),
        comment: comment(item, attempt),
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

fn past(attempts: &[AttemptView], wall: &Wall) -> Vec<Past> {
    let numbered = (1..).zip(attempts);
    let past = |(number, attempt): (usize, &AttemptView)| Past {
        title: format!(
            "Answer {number}: {}, {}, {}",
            phrase(&attempt.outcome),
            attempt.by.display_name,
            wall.moment(attempt.at)
        ),
        comment: attempt.comment.clone().filter(|text| !text.is_empty()),
        data: Shown::of(&attempt.data, wall).into_rows(),
    };
    numbered.map(past).collect()
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

/// A reason is asked for wherever there is something to decide.
fn comment(item: &WorkItemView, attempt: &Attempt) -> Option<Comment> {
    if !item.approval && item.outcomes.len() < 2 {
        return None;
    }
    let owed: Vec<_> = item
        .outcomes
        .iter()
        .filter(|name| super::reason_needed(item, name))
        .map(|name| phrase(name))
        .collect();
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
fn earlier(item: &WorkItemView, entries: &[TimelineEntry], wall: &Wall) -> Vec<Earlier> {
    entries
        .iter()
        .filter(|entry| entry.instance.as_deref() == Some(&item.instance))
        .filter(|entry| {
            matches!(
                timeline::action(entry),
                Some(Action::InstanceStarted | Action::WorkItemCompleted)
            )
        })
        .map(|entry| Earlier {
            sentence: timeline::sentence(entry, None),
            when: wall.moment(entry.at),
            comment: entry.comment.clone().filter(|text| !text.is_empty()),
        })
        .collect()
}

#[cfg(test)]
mod tests;
