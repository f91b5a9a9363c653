//! `for`: a list of tasks once for each item of a list.

use super::scope::{Moment, Scope};
use super::tasks::{self, Body, Found};
use super::{Reader, flat, variable};
use crate::Expression;
use crate::workflow::{For, Kind};
use crate::yaml::{self, Entry, Fields};

pub(super) fn read(reader: &mut Reader<'_>, body: &Body<'_, '_>) -> Option<Found> {
    let head = head(reader, body);
    // A name that is wrong was reported; what uses the tasks inside would only repeat it.
    let (each, at) = (head.each.unwrap_or("item"), head.at.unwrap_or("index"));
    let scope = body.scope.with_variable(each).with_variable(at);
    let condition = body
        .fields
        .get("while")
        .map(|entry| reader.condition(&entry.value, &scope, Moment::Definition));
    let write = "do: [ ... ]";
    let list = body.fields.required(&mut reader.findings, "do", write);
    let owner = body.fields.owner.as_str();
    let tasks = list.and_then(|list| tasks::list(reader, list, owner, &scope, body.reference));
    let kind = Kind::For(Box::new(For {
        items: head.items?,
        each: head.each?.to_owned(),
        at: head.at?.to_owned(),
        condition: flat(condition)?,
        tasks: tasks?,
    }));
    Some(kind.into())
}

/// What stands below `for` itself; `None` for what could not be read.
#[derive(Default)]
struct Head<'a> {
    items: Option<Expression>,
    each: Option<&'a str>,
    at: Option<&'a str>,
}

fn head<'a>(reader: &mut Reader<'_>, body: &Body<'a, '_>) -> Head<'a> {
    let owner = yaml::under(&body.fields.owner, "for");
    let entry = body.entry;
    let findings = &mut reader.findings;
    let known = ["each", "in", "at"];
    let fields = Fields::open(findings, &entry.value, entry.key.place, &owner, &known);
    let Some(fields) = fields else {
        return Head::default();
    };
    let list = fields.required(findings, "in", "in: ${ .items }");
    let items = list.and_then(|list| items(reader, list, &owner, body.scope));
    let mut name = |key: &str, default| match fields.get(key) {
        Some(entry) => variable::name(reader, &fields, entry),
        None => Some(default),
    };
    let (each, mut at) = (name("each", "item"), name("at", "index"));
    if let (Some(twin), true) = (each, each == at) {
        let written = fields.get("at").or_else(|| fields.get("each"));
        refuse_twins(reader, written.unwrap_or(entry), twin);
        at = None;
    }
    Head { items, each, at }
}

fn items(reader: &mut Reader<'_>, entry: &Entry, owner: &str, scope: &Scope) -> Option<Expression> {
    if entry.value.as_list().is_none() {
        return reader.expression(&entry.value, scope, Moment::Definition);
    }
    let owner = yaml::under(owner, &entry.key.text);
    reader
        .findings
        .error(
            "CW0310",
            entry.place(),
            format!("{owner} must be an expression, found a list"),
        )
        .help("write one that gives the list: `in: .children`, `in: '${ [\"one\", \"two\"] }'`");
    None
}

/// Both variables would have one name.
pub(super) fn refuse_twins(reader: &mut Reader<'_>, entry: &Entry, name: &str) {
    reader
        .findings
        .error(
            "CW0116",
            entry.place(),
            format!("the item and its index are both named `{name}`"),
        )
        .help("they are `item` and `index` unless written; give one of them another name");
}
