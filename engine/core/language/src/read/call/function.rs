//! `use.functions`: tasks that a document defines once and calls by names of its own.
//!
//! Each is read once, where it stands, also when nothing calls it; a call gets a copy. So a mistake
//! in a function is reported once, and what a call runs is known before anything runs.

use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::{Map, Value};

use super::argument::Arguments;
use super::{Reference, arguments, plugin, reserved};
use crate::Template;
use crate::read::copy::Original;
use crate::read::names::escaped;
use crate::read::scope::{Moment, Scope};
use crate::read::tasks::{self, Body, Found};
use crate::read::{Reader, reusable};
use crate::workflow::{Function, Kind, Task};
use crate::yaml::{Entry, Place};

/// The functions of one document.
#[derive(Default)]
pub(in crate::read) struct Functions<'a> {
    written: BTreeMap<&'a str, &'a Entry>,
    /// `None` stands for one that is wrong and was reported where it stands.
    known: BTreeMap<&'a str, Option<Rc<Known>>>,
    /// Those being read, since each is called by the one before.
    under_way: Vec<&'a str>,
}

/// A function that was read.
struct Known {
    task: Task,
    /// How much text it is, with what it calls.
    bytes: usize,
}

pub(in crate::read) fn read<'a>(reader: &mut Reader<'a>, entry: &'a Entry) {
    let defined = reusable::definitions(reader, entry);
    for entry in defined {
        if is_named_well(reader, entry) {
            let name = entry.key.text.as_str();
            reader.functions.written.insert(name, entry);
        }
    }
    for entry in defined {
        known(reader, &entry.key.text, entry.key.place);
    }
}

fn is_named_well(reader: &mut Reader<'_>, entry: &Entry) -> bool {
    let name = entry.key.text.as_str();
    let well = name.starts_with(|sign: char| sign.is_ascii_alphabetic())
        && name
            .chars()
            .all(|sign| sign.is_ascii_alphanumeric() || matches!(sign, '-' | '_'));
    let (message, help) = if reserved(name) {
        (
            format!("`{name}` is a function of the language or of the engine"),
            "give yours another name",
        )
    } else if !well {
        (
            format!("a function of the document cannot be named `{name}`"),
            "use letters, digits, `-` and `_`; a name with a dot is a function of a plugin",
        )
    } else {
        return true;
    };
    let finding = reader.findings.error("CW0440", entry.key.place, message);
    finding.help(help);
    false
}

/// The function of this name, read when it is first asked for.
fn known(reader: &mut Reader<'_>, name: &str, place: Place) -> Option<Rc<Known>> {
    let (name, entry) = reader.functions.written.get_key_value(name)?;
    let (name, entry) = (*name, *entry);
    if let Some(known) = reader.functions.known.get(name) {
        return known.clone();
    }
    if let Some(at) = reader.functions.under_way.iter().position(|it| *it == name) {
        refuse_cycle(reader, at, name, place);
        return None;
    }
    reader.functions.under_way.push(name);
    let before = reader.copied.bytes;
    let owner = format!("the function `{name}`");
    let reference = format!("/use/functions/{}", escaped(name));
    let read = tasks::one(reader, entry, &owner, &[], &Scope::default(), &reference);
    reader.functions.under_way.pop();
    let bytes = entry.value.place.end - entry.value.place.start + reader.copied.bytes - before;
    let known = read.map(|(task, _)| Rc::new(Known { task, bytes }));
    reader.functions.known.insert(name, known.clone());
    known
}

fn refuse_cycle(reader: &mut Reader<'_>, at: usize, name: &str, place: Place) {
    let way = &reader.functions.under_way[at..];
    let way: Vec<String> = way.iter().map(|name| format!("`{name}`")).collect();
    let message = format!(
        "`{name}` calls itself: {} calls `{name}`",
        way.join(" calls ")
    );
    reader.findings.error("CW0441", place, message).help(
        "to repeat something use `for`, or go back with `then`; what calls itself must be a \
         workflow of its own, by `run: workflow`",
    );
}

/// Whether the document defines a function of this name.
pub(super) fn is_defined(reader: &Reader<'_>, name: &str) -> bool {
    reader.functions.written.contains_key(name)
}

/// The names of all that it defines.
pub(super) fn names<'r>(reader: &'r Reader<'_>) -> impl Iterator<Item = &'r str> {
    reader.functions.written.keys().copied()
}

pub(super) fn call(
    reader: &mut Reader<'_>,
    body: &Body<'_, '_>,
    reference: &Reference<'_>,
) -> Option<Found> {
    let name = reference.name;
    let place = body.entry.place();
    if reference.version.is_some() || reference.catalog.is_some() {
        let message = format!("`{name}` is defined in this document and has no version");
        let finding = reader.findings.error("CW0405", place, message);
        finding.help(format!("write `call: {name}`"));
        return None;
    }
    let known = known(reader, name, place);
    let function = format!("call: {name}");
    let owner = body.fields.owner.as_str();
    let mut all = Arguments::open(&mut reader.findings, &function, owner, arguments(body))?;
    let with = arguments(body).0;
    let schema = known.as_ref().and_then(|it| it.task.input.schema.as_ref());
    if let Some(schema) = schema {
        plugin::check(&mut reader.findings, &mut all, schema, with);
    }
    let with = match with {
        Some(with) => reader.template(with, body.scope, Moment::Definition),
        None => Some(Template::Literal(Value::Object(Map::new()))),
    };
    let known = known?;
    let original = Original {
        tasks: std::slice::from_ref(&known.task),
        reference: &known.task.reference,
        bytes: known.bytes,
    };
    // It runs under the name of the task that calls it: by that name rules about people know it.
    let reference = format!("{}/call/0/{}", body.reference, escaped(body.name));
    let mut tasks = original.copy(reader, &reference, place)?;
    for task in &mut tasks {
        body.name.clone_into(&mut task.name);
    }
    let function = Function {
        name: name.to_owned(),
        with: with?,
        tasks,
    };
    Some(Kind::Function(Box::new(function)).into())
}
