//! Which tasks a document names: which there are, whose doers exclude each other, and whose output
//! is read where. It looks at what is written and evaluates nothing.

use std::collections::BTreeSet;

use casewright_language::Task;
use casewright_language::workflow::Kind;
use serde_json::Value;

/// Of every task.
pub(super) fn names(tasks: &[Task]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for task in tasks {
        found.insert(task.name.clone());
        for list in task.lists() {
            found.extend(names(list));
        }
    }
    found
}

/// Names of tasks whose doers may not do another.
pub(super) fn excluding(tasks: &[Task]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for task in tasks {
        if let Kind::Human(human) = &task.kind {
            found.extend(human.different_person_from.iter().cloned());
        }
        for list in task.lists() {
            found.extend(excluding(list));
        }
    }
    found
}

/// The first task, other than the one at `except`, that reads what this task gave.
pub(super) fn reader_of(name: &str, tasks: &[Task], except: &str) -> Option<String> {
    tasks.iter().find_map(|task| {
        if task.reference == except {
            return None;
        }
        if task.lists().is_empty() {
            return reads(&task.definition, name).then(|| task.name.clone());
        }
        let mut inner = task.lists().into_iter();
        let inner = inner.find_map(|list| reader_of(name, list, except));
        // What stands around the tasks within is read here as well.
        inner.or_else(|| reads(&task.definition, name).then(|| task.name.clone()))
    })
}

pub(super) fn reads(value: &Value, name: &str) -> bool {
    match value {
        Value::String(text) => {
            let plain = format!("$steps.{name}");
            let dotted = text.match_indices(&plain).any(|(at, found)| {
                let next = text[at + found.len()..].chars().next();
                !next.is_some_and(|next| next.is_alphanumeric() || next == '_')
            });
            dotted || text.contains(&format!("$steps[\"{name}\"]"))
        }
        Value::Array(items) => items.iter().any(|item| reads(item, name)),
        Value::Object(members) => members.values().any(|member| reads(member, name)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}
