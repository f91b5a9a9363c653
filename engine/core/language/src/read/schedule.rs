//! `schedule`: when a workflow begins by itself, and what becomes of what was missed.

use serde_json::{Map, Value};

use super::scope::{Moment, Scope};
use super::{Reader, duration, unavailable};
use crate::diagnostic::listed;
use crate::schedule::{Cron, Missed, Recurs, Schedule};
use crate::workflow::{Inlet, Span};
use crate::yaml::{Entry, Fields};

const OWNER: &str = "`schedule`";

/// Shorter ones would keep an engine busy with beginnings.
const EVERY_MILLIS_MIN: u64 = 60_000;

pub(super) fn read(
    reader: &mut Reader<'_>,
    entry: &Entry,
    header: Option<&Entry>,
) -> Option<Schedule> {
    let known = ["every", "cron", "after", "on", "read"];
    let findings = &mut reader.findings;
    let fields = Fields::open(findings, &entry.value, entry.key.place, OWNER, &known)?;
    let kinds = ["every", "cron", "after", "on"];
    let given: Vec<&Entry> = kinds.iter().filter_map(|kind| fields.get(kind)).collect();
    let chosen = match given.as_slice() {
        [one] => *one,
        [] => {
            findings
                .error(
                    "CW1001",
                    entry.place(),
                    format!("{OWNER} does not say when"),
                )
                .help(format!("it needs one of: {}", listed(["cron", "every"])));
            return None;
        }
        [_, another, ..] => {
            findings
                .error(
                    "CW1001",
                    another.key.place,
                    format!("{OWNER} says in {} ways when", given.len()),
                )
                .help("keep one, and make a workflow of its own for each other one");
            return None;
        }
    };
    let missed = missed(reader, header);
    let recurs = match chosen.key.text.as_str() {
        "every" => every(reader, chosen),
        "cron" => cron(reader, &fields, chosen),
        _ => {
            unavailable::schedule(reader, chosen);
            None
        }
    };
    Some(Schedule {
        recurs: recurs?,
        missed: missed?,
    })
}

/// An instance that begins by itself is given nothing.
pub(super) fn check_input(reader: &mut Reader<'_>, entry: &Entry, input: &Inlet) {
    let nothing = Value::Object(Map::new());
    let Some(schema) = &input.schema else {
        return;
    };
    if let Some(first) = schema.violations(&nothing).first() {
        reader
            .findings
            .error(
                "CW1004",
                entry.key.place,
                format!(
                    "what begins by itself has the input {{}}: {}",
                    first.message
                ),
            )
            .help("let `input.schema` take an empty object, or run it from another workflow");
    }
}

fn every(reader: &mut Reader<'_>, entry: &Entry) -> Option<Recurs> {
    let scope = Scope::default();
    let found = duration::read(reader, entry, OWNER, (&scope, Moment::WorkflowInput))?;
    let millis = match found {
        Span::Fixed(period) => period.0,
        Span::Computed(_) => {
            reader
                .findings
                .error("CW1003", entry.place(), "`every` cannot be computed")
                .help("no instance is there yet: write `PT1H` or `{ hours: 1 }`");
            return None;
        }
    };
    if millis < EVERY_MILLIS_MIN {
        reader
            .findings
            .error("CW1003", entry.place(), "`every` is less than a minute")
            .help("write at least `PT1M`; within an instance `wait` may be shorter");
        return None;
    }
    Some(Recurs::Every(millis))
}

fn cron(reader: &mut Reader<'_>, fields: &Fields<'_>, entry: &Entry) -> Option<Recurs> {
    let text = fields.text(&mut reader.findings, entry)?;
    match Cron::parse(text) {
        Ok(cron) => Some(Recurs::Cron(cron)),
        Err(wrong) => {
            reader
                .findings
                .error("CW1002", entry.place(), wrong.message)
                .help(wrong.help);
            None
        }
    }
}

/// `missed` in the metadata of the document.
fn missed(reader: &mut Reader<'_>, header: Option<&Entry>) -> Option<Missed> {
    let metadata = header.and_then(|it| it.value.get("metadata")?.as_map());
    let mut entries = metadata.unwrap_or_default().iter();
    let Some(entry) = entries.find(|entry| entry.key.text == "missed") else {
        return Some(Missed::Once);
    };
    match entry.value.as_text() {
        Some("once") => Some(Missed::Once),
        Some("skip") => Some(Missed::Skip),
        Some(_) | None => {
            reader
                .findings
                .error("CW1005", entry.place(), "`missed` must be `once` or `skip`")
                .help("without it one instance begins for all that were missed");
            None
        }
    }
}
