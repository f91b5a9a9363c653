//! `listen`: which events a task waits for, how they are read, and what is done with each.

use super::r#for::refuse_twins;
use super::scope::Moment;
use super::tasks::{self, Body, Found};
use super::{Reader, data, event, flat, variable};
use crate::workflow::{Foreach, Kind, Listen, ReadAs};
use crate::yaml::{self, Entry, Fields};

const WRITE: &str = "to: { one: { with: { type: org.family.reply } } }";

pub(super) fn read(reader: &mut Reader<'_>, body: &Body<'_, '_>) -> Option<Found> {
    let each = body.fields.get("foreach");
    let each = flat(each.map(|entry| foreach(reader, body, entry)));
    let owner = yaml::under(&body.fields.owner, "listen");
    let entry = body.entry;
    let findings = &mut reader.findings;
    let known = ["to", "read"];
    let fields = Fields::open(findings, &entry.value, entry.key.place, &owner, &known)?;
    let to = fields.required(findings, "to", WRITE);
    let to = to.and_then(|to| event::strategy(reader, to, &owner, body.scope));
    let read = match fields.get("read") {
        Some(entry) => read_as(reader, &fields, entry),
        None => Some(ReadAs::Data),
    };
    Some(
        Kind::Listen(Box::new(Listen {
            to: to?,
            read: read?,
            foreach: each?,
        }))
        .into(),
    )
}

fn foreach(reader: &mut Reader<'_>, body: &Body<'_, '_>, entry: &Entry) -> Option<Foreach> {
    let owner = yaml::under(&body.fields.owner, "foreach");
    let known = ["item", "at", "do", "output", "export"];
    let findings = &mut reader.findings;
    let fields = Fields::open(findings, &entry.value, entry.key.place, &owner, &known)?;
    let mut name = |key: &str, default| match fields.get(key) {
        Some(entry) => variable::name(reader, &fields, entry),
        None => Some(default),
    };
    let (item, mut at) = (name("item", "item"), name("at", "index"));
    if let (Some(twin), true) = (item, item == at) {
        let written = fields.get("at").or_else(|| fields.get("item"));
        refuse_twins(reader, written.unwrap_or(entry), twin);
        at = None;
    }
    let scope = body.scope.with_variable(item.unwrap_or("item"));
    let scope = scope.with_variable(at.unwrap_or("index"));
    let reference = format!("{}/foreach", body.reference);
    let tasks = fields
        .get("do")
        .map(|entry| tasks::list(reader, entry, &owner, &scope, &reference));
    let output = fields
        .get("output")
        .map(|entry| data::output(reader, entry, &owner, &scope, Moment::TaskOutput));
    let export = fields
        .get("export")
        .map(|entry| data::export(reader, entry, &owner, &scope));
    Some(Foreach {
        item: item?.to_owned(),
        at: at?.to_owned(),
        tasks: flat(tasks)?.unwrap_or_default(),
        output: output.unwrap_or_default(),
        export: flat(export)?,
    })
}

pub(super) fn read_as(
    reader: &mut Reader<'_>,
    fields: &Fields<'_>,
    entry: &Entry,
) -> Option<ReadAs> {
    match entry.value.as_text() {
        Some("data") => Some(ReadAs::Data),
        Some("envelope") => Some(ReadAs::Envelope),
        Some("raw") => Some(ReadAs::Raw),
        Some(_) | None => {
            let wanted = "`data`, `envelope` or `raw`";
            fields.expected(&mut reader.findings, entry, wanted);
            None
        }
    }
}
