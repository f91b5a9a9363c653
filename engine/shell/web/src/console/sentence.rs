//! The timeline in sentences: one for every kind of entry, so that nothing that was recorded is
//! without words.

use casewright_casework::audit::Action;
use casewright_runtime::view::TimelineEntry;
use serde_json::Value;

use crate::console::assigned;
use crate::console::failure::explain;
use crate::console::words::{humanize, phrase};

/// How an entry is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weight {
    /// Somebody decided or started something.
    Milestone,
    /// A step on the way.
    Step,
    /// What the engine did on the way, or a mere step of somebody's work: shown when asked for.
    Machinery,
    /// Somebody looked: shown when asked for.
    Reading,
}

/// The action of an entry; `None` for one that a newer engine wrote.
pub(crate) fn action(entry: &TimelineEntry) -> Option<Action> {
    serde_json::from_value(Value::String(entry.action.clone())).ok()
}

pub(crate) const fn weight(action: Action) -> Weight {
    match action {
        Action::CaseRead | Action::AddressShown | Action::DocumentOpened => Weight::Reading,
        Action::CaseOpened
        | Action::CaseClosed
        | Action::CaseReopened
        | Action::InstanceStarted
        | Action::InstanceCompleted
        | Action::InstanceFaulted
        | Action::InstanceCancelled
        | Action::InstanceRetried
        | Action::InstanceMigrated
        | Action::WorkItemCompleted
        | Action::WorkItemActedFor
        | Action::WorkItemSkipped
        | Action::WorkItemReassigned
        | Action::WorkItemEscalated
        | Action::Refused
        | Action::FundCommitted
        | Action::FundReversed
        | Action::ConsentGiven
        | Action::ConsentWithdrawn
        | Action::PlanAnswered
        | Action::PlanActivated
        | Action::Disclosed
        | Action::DisclosureRefused
        | Action::WallDeclared
        | Action::WallLifted
        | Action::WallTakenAway
        | Action::HoldSet
        | Action::HoldLifted
        | Action::FileTransferred
        | Action::ErasureAsked
        | Action::ErasureDeclined
        | Action::CaseErased
        | Action::MessageSent
        | Action::MessageRefused
        | Action::NoteAdded => Weight::Milestone,
        Action::WorkItemOffered
        | Action::WorkItemClaimed
        | Action::WorkItemReleased
        | Action::WorkItemDrafted
        | Action::FunctionCalled
        | Action::FunctionReturned
        | Action::AnswerAwaited
        | Action::CallbackArrived
        | Action::EventAwaited => Weight::Machinery,
        Action::WorkItemWithdrawn
        | Action::WorkItemHeld
        | Action::WorkItemResumed
        | Action::WorkItemReminded
        | Action::WorkItemDueMoved
        | Action::CaseCalendarChanged
        | Action::WorkItemHandedOver
        | Action::WorkItemTakenFor
        | Action::WorkItemReturned
        | Action::WorkItemGiven
        | Action::FunctionFailed
        | Action::CallbackIgnored
        | Action::FundReserved
        | Action::FundReleased
        | Action::TableDecided
        | Action::PersonAdded
        | Action::PersonChanged
        | Action::PlanProposed
        | Action::DocumentAdded
        | Action::EventReceived
        | Action::EventEmitted
        | Action::EventLetGo => Weight::Step,
    }
}

/// The sentence for an entry. `run` is the title of what was started, where it is known.
pub(crate) fn sentence(entry: &TimelineEntry, run: Option<&str>) -> String {
    let who = &entry.who.display_name;
    let Some(action) = action(entry) else {
        return format!("{who} did something that this version cannot describe.");
    };
    let detail = entry.detail.as_deref().unwrap_or_default();
    let task = quoted(entry.title.as_deref(), "a task");
    let known = run.or(entry.title.as_deref());
    let run = quoted(known.or_else(|| started(action, detail)), "something");
    match action {
        Action::CaseOpened => format!("{who} opened this case."),
        Action::CaseClosed => format!("{who} closed this case{}.", titled(entry)),
        Action::CaseReopened => format!("{who} opened this case again."),
        Action::CaseRead => format!("{who} looked at this case."),
        Action::InstanceStarted => format!("{who} started {run}."),
        Action::InstanceCompleted => format!("{} came to its end.", capital(&run)),
        Action::InstanceFaulted => {
            format!(
                "{} stopped because of a problem{}.",
                capital(&run),
                bracket(detail)
            )
        }
        Action::InstanceCancelled => format!("{who} cancelled {run}."),
        Action::InstanceRetried if detail.is_empty() => format!("{who} tried {run} again."),
        Action::InstanceRetried => format!("{who} tried `{detail}` of {run} again."),
        Action::InstanceMigrated if detail.is_empty() => {
            format!("{who} moved {run} to another version.")
        }
        Action::InstanceMigrated => format!("{who} moved {run} to another version ({detail})."),
        Action::WorkItemOffered => format!("{} was put on the task list.", capital(&task)),
        Action::WorkItemClaimed => format!("{who} took {task}."),
        Action::WorkItemReleased => format!("{who} gave {task} back."),
        Action::WorkItemCompleted => decided(who, &task, detail),
        Action::WorkItemWithdrawn => format!("{} was taken off the task list.", capital(&task)),
        Action::WorkItemDrafted => format!("{who} began an answer to {task}."),
        Action::WorkItemHeld => format!("{who} put {task} on hold."),
        Action::WorkItemResumed => format!("{who} took {task} off hold."),
        Action::WorkItemReminded if detail.is_empty() => {
            format!("A reminder came that {task} is waiting.")
        }
        Action::WorkItemReminded => format!(
            "{} was told that {task} is waiting.",
            capital(&colleague(entry, detail))
        ),
        Action::WorkItemHandedOver => format!(
            "{who} handed {task} to {}, who acts for them.",
            colleague(entry, detail)
        ),
        Action::WorkItemTakenFor => {
            format!("{who} took {task} for {}.", colleague(entry, detail))
        }
        Action::WorkItemReturned => format!(
            "{} came back: the time in which somebody acted for a colleague was over.",
            capital(&task)
        ),
        Action::WorkItemActedFor => format!(
            "{who} did so for {}: it counts as done by both.",
            colleague(entry, detail)
        ),
        Action::WorkItemGiven => {
            format!("{who} gave {task} to {}.", colleague(entry, detail))
        }
        Action::WorkItemReassigned => {
            format!("{who} gave {task} to others: {}.", colleague(entry, detail))
        }
        Action::WorkItemSkipped => format!("{who} skipped {task}."),
        Action::WorkItemEscalated => format!(
            "{} was still waiting, so it was given to {} too.",
            capital(&task),
            colleague(entry, detail)
        ),
        Action::WorkItemDueMoved => due_moved(&task, detail),
        Action::CaseCalendarChanged if detail.is_empty() => {
            format!("{who} had this case count its days as its workflows say.")
        }
        Action::CaseCalendarChanged => {
            format!("{who} had this case count its days by the calendar “{detail}”.")
        }
        Action::Refused => refused(who, &task, detail),
        Action::FunctionCalled => format!("{} was asked for.", function(detail)),
        Action::FunctionReturned => format!("{} was done.", function(detail)),
        Action::FunctionFailed => format!("A step did not work{}.", bracket(detail)),
        Action::AnswerAwaited => format!("Waiting for an answer from {}.", function(detail)),
        Action::CallbackArrived => format!("A message arrived for {}.", function(detail)),
        Action::CallbackIgnored => {
            format!(
                "A message for {} came too late and was not used.",
                function(detail)
            )
        }
        Action::FundReserved => format!("Money was set aside{}.", fund(entry)),
        Action::FundCommitted => format!("Money was paid out{}.", fund(entry)),
        Action::FundReleased => {
            format!("Money that was set aside was given back{}.", fund(entry))
        }
        Action::FundReversed => {
            format!("{who} took a payment back{}.", fund(entry))
        }
        Action::TableDecided => format!("A decision table was asked{}.", bracket(detail)),
        Action::PersonAdded => format!("{who} added {} to this case.", person(entry)),
        Action::PersonChanged => format!("{who} changed what is known of {}.", person(entry)),
        Action::AddressShown => {
            format!(
                "{who} looked at the confidential address of {}.",
                person(entry)
            )
        }
        Action::WallDeclared => {
            format!("{who} declared that {} stands in this case.", member(entry))
        }
        Action::WallLifted => {
            let until = if detail.is_empty() { "a day" } else { detail };
            format!("{who} let {} read this case until {until}.", member(entry))
        }
        Action::WallTakenAway => format!(
            "{who} took away that {} stands in this case.",
            member(entry)
        ),
        Action::HoldSet => format!("{who} held this file back from erasure."),
        Action::HoldLifted => format!("{who} lifted a hold on this file."),
        Action::FileTransferred => {
            let to = titled(entry);
            format!("{who} recorded that this file was handed over{to}.")
        }
        Action::ErasureAsked => format!("{who} asked that this file be erased."),
        Action::ErasureDeclined => format!("{who} did not agree that this file be erased."),
        Action::CaseErased => format!("{who} agreed that this file be erased."),
        Action::ConsentGiven => format!("{who} recorded a consent about {}.", person(entry)),
        Action::ConsentWithdrawn => {
            format!(
                "{who} recorded that a consent about {} was taken back.",
                person(entry)
            )
        }
        Action::PlanProposed => format!("The plan was written ({}).", worded(detail)),
        Action::PlanAnswered => format!(
            "{who} wrote down what the family says to the plan ({}).",
            worded(detail)
        ),
        Action::PlanActivated => {
            format!("The plan came into force ({}).", worded(detail))
        }
        Action::Disclosed => format!("Facts about people were sent{}.", bracket(detail)),
        Action::DisclosureRefused => format!(
            "{} did not send facts about people: nobody has agreed to it.",
            capital(&function(detail))
        ),
        Action::MessageSent => format!("A message was sent{}.", bracket(detail)),
        Action::MessageRefused => format!(
            "A message was not sent{}: nobody has said that it is safe.",
            bracket(detail)
        ),
        Action::NoteAdded => format!("{who} wrote a note."),
        Action::DocumentAdded => format!("{who} added the document {task}."),
        Action::DocumentOpened => format!("{who} opened the document {task}."),
        Action::EventAwaited => format!(
            "{} waits for an answer at {}.",
            capital(&run),
            quoted(Some(detail), "a step")
        ),
        Action::EventReceived if detail.is_empty() => "A message was received.".to_owned(),
        Action::EventReceived => format!("A message was received ({detail})."),
        Action::EventEmitted => {
            format!("A message was sent at {}.", quoted(Some(detail), "a step"))
        }
        Action::EventLetGo => {
            "A message was let go, since too many came before they were waited for.".to_owned()
        }
    }
}

/// To or for whom it was: a colleague by name, or those of a role or team.
fn colleague(entry: &TimelineEntry, detail: &str) -> String {
    match &entry.colleague {
        Some(person) => person.display_name.clone(),
        None => assigned::phrase_of_bucket(detail),
    }
}

/// A start names its workflow itself.
fn started(action: Action, detail: &str) -> Option<&str> {
    let name = detail.rsplit('/').next().filter(|name| !name.is_empty());
    name.filter(|_| action == Action::InstanceStarted)
}

/// A title in quotation marks, or a word that fits any.
fn quoted(title: Option<&str>, otherwise: &str) -> String {
    match title.filter(|title| !title.is_empty()) {
        Some(title) if title.contains(' ') => format!("“{title}”"),
        Some(name) => format!("“{}”", humanize(name)),
        None => otherwise.to_owned(),
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

/// Calendar, old and new moment, and whether the new one had passed.
fn due_moved(task: &str, detail: &str) -> String {
    let (rest, at_once) = match detail.strip_suffix(" at-once") {
        Some(rest) => (rest, " It is due at once."),
        None => (detail, ""),
    };
    // A calendar's name may have spaces, a moment has none.
    let calendar = rest.rsplitn(3, ' ').nth(2).unwrap_or_default();
    format!(
        "The due date of {task} moved, since the calendar {} changed.{at_once}",
        quoted(Some(calendar), "of its days")
    )
}

fn refused(who: &str, title: &str, code: &str) -> String {
    let reason = explain(code, "").title;
    format!("{who} was refused at {title}: {}.", phrase(reason))
}

/// `payment-issue.pay` as “Payment issue: pay”.
fn function(name: &str) -> String {
    match name.split_once('.') {
        Some((plugin, function)) => {
            format!("“{}: {}”", humanize(plugin), phrase(function))
        }
        None if name == "http" => "A request to another service".to_owned(),
        None if name == "openapi" => "What another service offers".to_owned(),
        None => capital(&quoted(Some(name), "a step")),
    }
}

fn fund(entry: &TimelineEntry) -> String {
    match entry.title.as_deref().or(entry.detail.as_deref()) {
        Some(name) if !name.is_empty() => format!(" ({name})"),
        _ => String::new(),
    }
}

/// A member of staff by the name they have.
fn member(entry: &TimelineEntry) -> &str {
    let name = entry.title.as_deref().filter(|name| !name.is_empty());
    name.unwrap_or("a colleague")
}

/// A person of the case by the name they have.
fn person(entry: &TimelineEntry) -> &str {
    let name = entry.title.as_deref().filter(|name| !name.is_empty());
    name.unwrap_or("a person")
}

/// Which version of a plan.
fn worded(detail: &str) -> &str {
    if detail.is_empty() {
        "a version"
    } else {
        detail
    }
}

/// ` (They moved)`: as the pack calls the word, where it still has it.
fn titled(entry: &TimelineEntry) -> String {
    let word = || bracket(entry.detail.as_deref().unwrap_or_default());
    let title = entry.title.as_ref();
    title.map_or_else(word, |title| format!(" ({title})"))
}

/// An error's code, without the namespace that only programs need.
fn bracket(detail: &str) -> String {
    let code = detail.rsplit([':', '/']).next().unwrap_or_default();
    if code.is_empty() {
        String::new()
    } else {
        format!(" ({})", phrase(code))
    }
}

fn capital(text: &str) -> String {
    let mut characters = text.chars();
    match characters.next() {
        Some(first) => format!("{}{}", first.to_uppercase(), characters.as_str()),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests;
