//! `schedule`: when a workflow begins by itself, and what becomes of what was missed.

use serde_json::{Value, json};

use super::scope::{Moment, Scope};
use super::{Reader, document, duration, event, flat, listen};
use crate::diagnostic::listed;
use crate::schedule::{Cron, Missed, Recurs, Schedule, Trigger};
use crate::workflow::{Document, Inlet, Kind, Listen, Outlet, ReadAs, Span, Task, Then};
use crate::yaml::{Entry, Fields};
use crate::{Expression, Workflow};

const OWNER: &str = "`schedule`";

pub(crate) const KEYS: [&str; 5] = ["every", "cron", "after", "on", "read"];
/// Those that say when.
const KINDS: [&str; 4] = ["every", "cron", "after", "on"];

/// Shorter ones would keep an engine busy with beginnings.
const EVERY_MILLIS_MIN: u64 = 60_000;

pub(super) fn read(
    reader: &mut Reader<'_>,
    entry: &Entry,
    header: Option<&Entry>,
    document: Option<&Document>,
) -> Option<Schedule> {
    let findings = &mut reader.findings;
    let fields = Fields::open(findings, &entry.value, entry.key.place, OWNER, &KEYS)?;
    let given: Vec<&Entry> = KINDS.iter().filter_map(|kind| fields.get(kind)).collect();
    let chosen = match given.as_slice() {
        [one] => *one,
        [] => {
            findings
                .error(
                    "CW1001",
                    entry.place(),
                    format!("{OWNER} does not say when"),
                )
                .help(format!(
                    "it needs one of: {}",
                    listed(["cron", "every", "after", "on"])
                ));
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
    let read_as = flat(
        fields
            .get("read")
            .map(|entry| read_as(reader, &fields, entry, chosen)),
    );
    let recurs = match chosen.key.text.as_str() {
        "every" => period(reader, chosen).map(Recurs::Every),
        "after" => period(reader, chosen).map(Recurs::After),
        "cron" => cron(reader, &fields, chosen),
        _ => trigger(reader, chosen, read_as?, document).map(Recurs::On),
    };
    Some(Schedule {
        recurs: recurs?,
        missed: missed?,
    })
}

/// An instance that begins at its time is given nothing; one that begins with events has them.
pub(super) fn check_input(reader: &mut Reader<'_>, entry: &Entry, input: &Inlet) {
    let events = entry.value.get("on").is_some();
    let (what, given, help) = if events {
        (
            "what begins with events has a list of them as its input",
            json!([{}]),
            "let `input.schema` take a list: `{ type: array }`",
        )
    } else {
        (
            "what begins by itself has the input {}",
            json!({}),
            "let `input.schema` take an empty object, or run it from another workflow",
        )
    };
    let Some(schema) = &input.schema else {
        return;
    };
    // What is in an event is not known here: only that it is in a list.
    let violations = schema.violations(&given);
    let first = violations
        .first()
        .filter(|first| !events || first.pointer.is_empty());
    if let Some(first) = first {
        let message = format!("{what}: {}", first.message);
        reader
            .findings
            .error("CW1004", entry.key.place, message)
            .help(help);
    }
}

/// `on`, as a workflow of one `listen`.
fn trigger(
    reader: &mut Reader<'_>,
    entry: &Entry,
    read: Option<ReadAs>,
    document: Option<&Document>,
) -> Option<Trigger> {
    let to = event::strategy(reader, entry, OWNER, &Scope::default())?;
    let early = to.expressions().into_iter().flat_map(Expression::variables);
    if let Some(early) = early.into_iter().find(|named| named.name != "runtime") {
        let message = format!(
            "`${}` is not there before an instance has begun",
            early.name
        );
        reader
            .findings
            .error("CW1006", entry.key.place, message)
            .help("use `.`, which is the event or what stands at this place of it");
        return None;
    }
    let read = read.unwrap_or(ReadAs::Envelope);
    let listens = Task {
        name: "on".to_owned(),
        reference: "/schedule/on".to_owned(),
        written: None,
        definition: Value::Null,
        line: entry.key.place.line,
        condition: None,
        input: Inlet::default(),
        output: Outlet::default(),
        export: None,
        timeout: None,
        then: Then::Continue,
        disclosure: None,
        extensions: Vec::new(),
        kind: Kind::Listen(Box::new(Listen {
            to,
            read,
            foreach: None,
        })),
    };
    let written = format!("{read:?} {}", entry.value.to_json());
    Some(Trigger {
        gathers: Box::new(Workflow {
            document: document?.clone(),
            digest: document::digest(&written),
            definition: Value::Null,
            input: Inlet::default(),
            output: Outlet::default(),
            timeout: None,
            schedule: None,
            tasks: vec![listens],
        }),
    })
}

/// `read` came after version 1.0.3 of the language.
fn read_as(
    reader: &mut Reader<'_>,
    fields: &Fields<'_>,
    entry: &Entry,
    chosen: &Entry,
) -> Option<ReadAs> {
    let read = listen::read_as(reader, fields, entry)?;
    if chosen.key.text != "on" {
        let message = format!("`read` does not belong to `{}`", chosen.key.text);
        reader
            .findings
            .error("CW1001", entry.key.place, message)
            .help("it says how the events of `on` are read; remove it");
        return None;
    }
    reader
        .findings
        .warning(
            "CW0209",
            entry.key.place,
            "`read` of a `schedule` came after version 1.0.3 of the language".to_owned(),
        )
        .help("without it events come with all their attributes, here and elsewhere");
    Some(read)
}

/// `every` and `after`, in milliseconds.
fn period(reader: &mut Reader<'_>, entry: &Entry) -> Option<u64> {
    let key = &entry.key.text;
    let scope = Scope::default();
    let found = duration::read(reader, entry, OWNER, (&scope, Moment::WorkflowInput))?;
    let millis = match found {
        Span::Fixed(period) => period.0,
        Span::Computed(_) => {
            reader
                .findings
                .error(
                    "CW1003",
                    entry.place(),
                    format!("`{key}` cannot be computed"),
                )
                .help("no instance is there yet: write `PT1H` or `{ hours: 1 }`");
            return None;
        }
    };
    if millis < EVERY_MILLIS_MIN {
        reader
            .findings
            .error(
                "CW1003",
                entry.place(),
                format!("`{key}` is less than a minute"),
            )
            .help("write at least `PT1M`; within an instance `wait` may be shorter");
        return None;
    }
    Some(millis)
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
