//! `set`: a value in place of the data flowing on.

use super::Reader;
use super::scope::Moment;
use super::tasks::{Body, Found};
use crate::workflow::Kind;
use crate::yaml::Content;

pub(super) fn read(reader: &mut Reader<'_>, body: &Body<'_, '_>) -> Option<Found> {
    let value = &body.entry.value;
    match &value.content {
        Content::Map(entries) if !entries.is_empty() => {}
        Content::Text(text) if text.value.trim_start().starts_with("${") => {}
        Content::Text(_) => {
            reader
                .findings
                .error(
                    "CW0310",
                    value.place,
                    format!("`set` of {} is plain text", body.fields.owner),
                )
                .help("write a map of names and values, or one expression: `set: ${ .request }`");
            return None;
        }
        _ => {
            body.fields.expected(
                &mut reader.findings,
                body.entry,
                "a map with at least one key",
            );
            return None;
        }
    }
    reader
        .template(value, body.scope, Moment::Definition)
        .map(|template| Kind::Set(template).into())
}
