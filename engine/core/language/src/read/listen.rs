//! `listen`: which events a task waits for, and how they are read.

use super::tasks::{Body, Found};
use super::{Reader, event, unavailable};
use crate::workflow::{Kind, Listen, ReadAs};
use crate::yaml::{self, Entry, Fields};

const WRITE: &str = "to: { one: { with: { type: org.family.reply } } }";

pub(super) fn read(reader: &mut Reader<'_>, body: &Body<'_, '_>) -> Option<Found> {
    if let Some(entry) = body.fields.get("foreach") {
        unavailable::foreach(reader, entry);
    }
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
        }))
        .into(),
    )
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
