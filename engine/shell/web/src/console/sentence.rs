//! The timeline in sentences: one for every kind of entry, so that nothing that was recorded is
//! without words.

use casewright_casework::audit::Action;
use casewright_runtime::view::TimelineEntry;
use serde_json::Value;

use crate::console::failure::explain;
use crate::console::words::{humanize, phrase};

/// How an entry is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weight {
    /// Somebody decided or started something.
    Milestone,
    /// A step on the way.
    Step,
    /// Somebody looked: shown when asked for.
    Reading,
}

/// The action of an entry; `None` for one that a newer engine wrote.
pub(crate) fn action(entry: &TimelineEntry) -> Option<Action> {
    serde_json::from_value(Value::String(entry.action.clone())).ok()
}

pub(crate) const fn weight(action: Action) -> Weight {
    match action {
        Action::CaseRead => Weight::Reading,
        Action::CaseOpened
        | Action::InstanceStarted
        | Action::InstanceCompleted
        | Action::InstanceFaulted
        | Action::InstanceCancelled
        | Action::WorkItemCompleted
        | Action::Refused
        | Action::FundCommitted => Weight::Milestone,
        Action::WorkItemOffered
        | Action::WorkItemClaimed
        | Action::WorkItemReleased
        | Action::WorkItemWithdrawn
        | Action::FunctionCalled
        | Action::FunctionReturned
        | Action::FunctionFailed
        | Action::FundReserved
        | Action::FundReleased => Weight::Step,
    }
}

/// The sentence for an entry.
pub(crate) fn sentence(entry: &TimelineEntry) -> String {
    let who = &entry.who.display_name;
    let Some(action) = action(entry) else {
        return format!("{who} did something that this version cannot describe.");
    };
    let title = title(entry);
    let detail = entry.detail.as_deref().unwrap_or_default();
    match action {
        Action::CaseOpened => format!("{who} opened this case."),
        Action::CaseRead => format!("{who} looked at this case."),
        Action::InstanceStarted => format!("{who} started {title}."),
        Action::InstanceCompleted => format!("{} was finished.", capital(&title)),
        Action::InstanceFaulted => {
            format!(
                "{} stopped because of a problem{}.",
                capital(&title),
                bracket(detail)
            )
        }
        Action::InstanceCancelled => format!("{who} cancelled {title}."),
        Action::WorkItemOffered => format!(
            "{} was put in the task list{}.",
            capital(&title),
            to(detail)
        ),
        Action::WorkItemClaimed => format!("{who} took {title}."),
        Action::WorkItemReleased => format!("{who} gave {title} back."),
        Action::WorkItemCompleted => decided(who, &title, detail),
        Action::WorkItemWithdrawn => format!("{} was taken off the task list.", capital(&title)),
        Action::Refused => refused(who, &title, detail),
        Action::FunctionCalled => format!("{} was begun{}.", capital(&title), by(detail)),
        Action::FunctionReturned => format!("{} was done{}.", capital(&title), by(detail)),
        Action::FunctionFailed => format!("{} did not work{}.", capital(&title), by(detail)),
        Action::FundReserved => format!("Money was set aside{}.", fund(detail)),
        Action::FundCommitted => format!("Money was paid out{}.", fund(detail)),
        Action::FundReleased => format!("Money that was set aside was given back{}.", fund(detail)),
    }
}

/// The work item or task in quotation marks, or a word that fits any.
fn title(entry: &TimelineEntry) -> String {
    match entry.title.as_deref().filter(|title| !title.is_empty()) {
        Some(title) if title.contains(' ') => format!("“{title}”"),
        Some(name) => format!("“{}”", humanize(name)),
        None => "a step".to_owned(),
    }
}

fn decided(who: &str, title: &str, outcome: &str) -> String {
    match outcome {
        "approve" => format!("{who} approved {title}."),
        "decline" => format!("{who} declined {title}."),
        "ask-for-changes" => format!("{who} asked for changes to {title}."),
        "done" | "" => format!("{who} finished {title}."),
        other => format!("{who} finished {title} with “{}”.", phrase(other)),
    }
}

fn refused(who: &str, title: &str, code: &str) -> String {
    let reason = explain(code, "").title;
    format!("{who} was refused at {title}: {}.", uncapital(reason))
}

fn by(function: &str) -> String {
    match function.split('.').next().filter(|name| !name.is_empty()) {
        Some(plugin) => format!(" by {}", phrase(plugin)),
        None => String::new(),
    }
}

fn fund(name: &str) -> String {
    if name.is_empty() {
        String::new()
    } else {
        format!(" ({})", phrase(name))
    }
}

fn to(role: &str) -> String {
    if role.is_empty() {
        String::new()
    } else {
        format!(" of {}", phrase(role))
    }
}

fn bracket(detail: &str) -> String {
    if detail.is_empty() {
        String::new()
    } else {
        format!(" ({})", phrase(detail))
    }
}

fn capital(text: &str) -> String {
    let mut characters = text.chars();
    match characters.next() {
        Some(first) => format!("{}{}", first.to_uppercase(), characters.as_str()),
        None => String::new(),
    }
}

fn uncapital(text: &str) -> String {
    let mut characters = text.chars();
    match characters.next() {
        Some(first) => format!("{}{}", first.to_lowercase(), characters.as_str()),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests;
