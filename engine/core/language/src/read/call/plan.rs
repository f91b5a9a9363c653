//! `plan.propose`, `plan.agree`, `plan.activate`: the plan of a case, and what the family says to
//! it.

use super::argument::{Arguments, computed, holds_expression};
use super::{arguments, found};
use crate::diagnostic::{listed, suggestion};
use crate::read::Reader;
use crate::read::tasks::{Body, Found};
use crate::yaml::{Content, Entry, Node};

const PLAN: &str = "plan: ${ $steps.draft.data }";
const DIGEST: &str = "digest: ${ $steps.proposed.digest }";
const PEOPLE: &str = "people: '${ $steps.ask.data.people }'";
const CHILD: &str = "child: '${ $steps.ask.data.children }'";
const AGREES: [&str; 3] = ["yes", "no", "in-part"];
const OF_PERSON: &[&str] = &["person", "agrees", "goals", "words", "copyGiven", "reason"];
const OF_CHILD: &[&str] = &["person", "view", "reason"];
const OF_GOAL: &[&str] = &["goal", "agrees", "words"];

pub(super) fn read(reader: &mut Reader<'_>, body: &Body<'_, '_>, name: &str) -> Option<Found> {
    let owner = body.fields.owner.as_str();
    let function = format!("call: {name}");
    let mut all = Arguments::open(&mut reader.findings, &function, owner, arguments(body))?;
    let findings = &mut reader.findings;
    match name {
        "plan.propose" => {
            all.refuse_unknown(findings, &["plan"]);
            if let Some(entry) = all.required(findings, "plan", PLAN) {
                plan(reader, &all, entry);
            }
        }
        "plan.agree" => {
            all.refuse_unknown(findings, &["digest", "people", "child"]);
            all.required(findings, "digest", DIGEST);
            if let Some(entry) = all.required(findings, "people", PEOPLE) {
                said(reader, &all, entry, ("agrees", OF_PERSON), PEOPLE);
            }
            if let Some(entry) = all.get("child") {
                said(reader, &all, entry, ("view", OF_CHILD), CHILD);
            }
        }
        _ => {
            all.refuse_unknown(findings, &["digest"]);
            all.required(findings, "digest", DIGEST);
        }
    }
    found(reader, body, name, None)
}

/// A plan that is written out has goals: there would be nothing to agree to.
fn plan(reader: &mut Reader<'_>, all: &Arguments<'_>, entry: &Entry) {
    if computed(&entry.value) {
        return;
    }
    if entry.value.as_map().is_none() {
        all.expected(&mut reader.findings, entry, "a map with `goals`", PLAN);
        return;
    }
    let goals = entry.value.get("goals");
    let listed =
        |goals: &Node| computed(goals) || goals.as_list().is_some_and(|goals| !goals.is_empty());
    if !goals.is_some_and(listed) {
        reader
            .findings
            .error(
                "CW0486",
                goals.map_or(entry.key.place, |goals| goals.place),
                format!("the plan of {} has no goals", all.owner),
            )
            .help("add `goals:` with a list: the family agrees to each of them");
    }
}

/// What people say, each with what was asked and either their word or why there is none.
fn said(
    reader: &mut Reader<'_>,
    all: &Arguments<'_>,
    entry: &Entry,
    (word, known): (&str, &[&str]),
    write: &str,
) {
    if computed(&entry.value) {
        return;
    }
    let Some(items) = entry.value.as_list() else {
        all.expected(&mut reader.findings, entry, "a list of people", write);
        return;
    };
    if !holds_expression(&entry.value.content) {
        let key = &entry.key.text;
        let message = format!("`{key}` of {} is written out in the document", all.owner);
        reader
            .findings
            .error("CW0487", entry.place(), message)
            .help(format!(
                "what people say is written down by staff in a task for people: write `{write}`"
            ));
        return;
    }
    for item in items {
        one(reader, item, word, known);
    }
}

fn one(reader: &mut Reader<'_>, item: &Node, word: &str, known: &[&str]) {
    if computed(item) {
        return;
    }
    let Some(entries) = item.as_map() else {
        let message = "what somebody says is a map with `person`".to_owned();
        let example = format!("write `{{ person: ..., {word}: ... }}`");
        reader
            .findings
            .error("CW0488", item.place, message)
            .help(example);
        return;
    };
    unknown(reader, entries, known);
    agrees(reader, entries);
    for need in ["person", word] {
        let there = |key: &str| entries.iter().any(|entry| entry.key.text == key);
        let given = there(need) || need == word && there("reason");
        if !given {
            reader
                .findings
                .error("CW0488", item.place, format!("`{need}` is missing here"))
                .help(format!(
                    "write `{{ person: ..., {word}: ... }}`, or `reason` for whoever was not asked"
                ));
        }
    }
    let goals = item.get("goals").and_then(Node::as_list);
    for goal in goals.unwrap_or_default() {
        if let Content::Map(entries) = &goal.content {
            unknown(reader, entries, OF_GOAL);
            agrees(reader, entries);
        }
    }
}

fn unknown(reader: &mut Reader<'_>, entries: &[Entry], known: &[&str]) {
    for entry in entries {
        let key = entry.key.text.as_str();
        if !known.contains(&key) {
            reader
                .findings
                .error(
                    "CW0488",
                    entry.key.place,
                    format!("there is no `{key}` here"),
                )
                .help(suggestion(key, known.iter().copied(), "remove it"));
        }
    }
}

fn agrees(reader: &mut Reader<'_>, entries: &[Entry]) {
    let written = entries.iter().find(|entry| entry.key.text == "agrees");
    let Some(entry) = written.filter(|entry| !computed(&entry.value)) else {
        return;
    };
    let known = entry
        .value
        .as_text()
        .is_some_and(|word| AGREES.contains(&word));
    if !known {
        let message = format!("`agrees` must be {}", listed(AGREES));
        let help = "`in-part` needs the person's words for each goal that they do not agree to";
        reader
            .findings
            .error("CW0488", entry.place(), message)
            .help(help);
    }
}
