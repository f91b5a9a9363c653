//! `decide`: what a decision table of the pack says of an input.

use super::argument::{Arguments, computed, holds_expression};
use super::{arguments, found};
use crate::decision::{Column, Table};
use crate::diagnostic::{Findings, suggestion};
use crate::read::Reader;
use crate::read::tasks::{Body, Found};
use crate::schema::format;
use crate::yaml::{Content, Entry};

const TABLE: &str = "table: <name of a file in decisions/>";
const INPUT: &str = "input: { amount: '${ .money }' }";
const AT: &str = "at: 2026-07-01";

pub(super) fn read(reader: &mut Reader<'_>, body: &Body<'_, '_>) -> Option<Found> {
    let owner = body.fields.owner.as_str();
    let mut all = Arguments::open(&mut reader.findings, "call: decide", owner, arguments(body))?;
    all.refuse_unknown(&mut reader.findings, &["table", "input", "at"]);
    let named = all.required(&mut reader.findings, "table", TABLE);
    let table = named.and_then(|entry| table(reader, &all, entry));
    if let Some(entry) = all.required(&mut reader.findings, "input", INPUT) {
        input(&mut reader.findings, &all, entry, table);
    }
    if let Some(entry) = all.get("at")
        && !computed(&entry.value)
        && !entry.value.as_text().is_some_and(format::date)
    {
        all.expected(&mut reader.findings, entry, "a day such as 2026-07-01", AT);
    }
    found(reader, body, "decide", None)
}

/// The table that is named, where it is known and well.
fn table<'a>(reader: &mut Reader<'a>, all: &Arguments<'_>, entry: &'_ Entry) -> Option<&'a Table> {
    // What is named is what the pack was checked with: an expression could name anything.
    let name = all.literal(&mut reader.findings, entry, TABLE)?;
    let surroundings = reader.surroundings;
    let pack = surroundings.pack.as_ref()?;
    let table = pack.tables.get(name);
    if table.is_none() && !pack.tables_broken.contains(name) {
        let known = pack.tables.keys().chain(&pack.tables_broken);
        let help = suggestion(
            name,
            known.map(String::as_str),
            &format!("add it as decisions/{name}.yaml"),
        );
        reader
            .findings
            .error(
                "CW1110",
                entry.place(),
                format!("the pack has no decision table `{name}`"),
            )
            .help(help);
    }
    table
}

/// What is written out is checked; expressions are when they have a value.
fn input(findings: &mut Findings, all: &Arguments<'_>, entry: &Entry, table: Option<&Table>) {
    if computed(&entry.value) {
        return;
    }
    let Content::Map(entries) = &entry.value.content else {
        all.expected(findings, entry, "a map of inputs", INPUT);
        return;
    };
    let Some(table) = table else {
        return;
    };
    let names = || table.inputs.iter().map(|column| column.name.as_str());
    let name = &table.name;
    for given in entries {
        let key = &given.key.text;
        let Some(column) = table.inputs.iter().find(|column| column.name == *key) else {
            findings
                .error(
                    "CW1111",
                    given.key.place,
                    format!("the table `{name}` has no input `{key}`"),
                )
                .help(suggestion(key, names(), "remove it"));
            continue;
        };
        value(findings, given, column);
    }
    for column in &table.inputs {
        let missing = !entries.iter().any(|given| given.key.text == column.name);
        if missing && !all_misspelt(entries, table) {
            let input = &column.name;
            findings
                .error(
                    "CW1111",
                    entry.key.place,
                    format!("the table `{name}` needs the input `{input}`"),
                )
                .help(format!(
                    "add `{input}: ...`, which must be {}",
                    column.wanted()
                ));
        }
    }
}

/// As many unknown names as missing ones: the help of the unknown ones says what was meant.
fn all_misspelt(entries: &[Entry], table: &Table) -> bool {
    let known = |given: &&Entry| {
        table
            .inputs
            .iter()
            .any(|column| column.name == given.key.text)
    };
    let right = entries.iter().filter(known).count();
    let unknown = entries.len() - right;
    unknown > 0 && unknown >= table.inputs.len() - right
}

fn value(findings: &mut Findings, given: &Entry, column: &Column) {
    if holds_expression(&given.value.content) || column.takes(&given.value.to_json()) {
        return;
    }
    findings
        .error(
            "CW1111",
            given.place(),
            format!("the input `{}` does not take this", column.name),
        )
        .help(format!("it must be {}", column.wanted()));
}
