//! `raise` and `use.errors`: a problem after RFC 7807.

use super::scope::{Moment, Scope};
use super::tasks::{Body, Found};
use super::{Reader, reusable};
use crate::Template;
use crate::workflow::{Kind, Problem};
use crate::yaml::{self, Content, Entry, Fields};

const WRITE: &str = "error: { type: https://agency.example/errors/name, status: 400 }";

pub(super) fn read(reader: &mut Reader<'_>, body: &Body<'_, '_>) -> Option<Found> {
    let owner = yaml::under(&body.fields.owner, "raise");
    let entry = body.entry;
    let findings = &mut reader.findings;
    let fields = Fields::open(findings, &entry.value, entry.key.place, &owner, &["error"])?;
    let error = fields.required(findings, "error", WRITE)?;
    let problem = match error.value.as_text() {
        Some(name) => reusable::error(reader, error, name),
        None => problem(reader, error, &owner, body.scope),
    };
    problem.map(|problem| Found {
        kind: Kind::Raise(problem),
        ways: Vec::new(),
        falls_on: false,
    })
}

/// The definition of a problem, here or in `use.errors`.
pub(super) fn problem(
    reader: &mut Reader<'_>,
    entry: &Entry,
    owner: &str,
    scope: &Scope,
) -> Option<Problem> {
    let owner = yaml::under(owner, &entry.key.text);
    let known = ["type", "status", "title", "detail", "instance"];
    let findings = &mut reader.findings;
    let fields = Fields::open(findings, &entry.value, entry.key.place, &owner, &known)?;
    let kind = fields.required(findings, "type", "type: https://agency.example/errors/name");
    let status = fields.required(findings, "status", "status: 400");
    if let Some(entry) = kind {
        warn_of_type(reader, entry);
    }
    let kind = kind.and_then(|entry| words(reader, &fields, entry, scope));
    let status = status.and_then(|entry| status_of(reader, &fields, entry));
    let mut optional = |key: &str| match fields.get(key) {
        Some(entry) => words(reader, &fields, entry, scope).map(Some),
        None => Some(None),
    };
    let (title, detail, instance) = (optional("title"), optional("detail"), optional("instance"));
    Some(Problem {
        kind: kind?,
        status: status?,
        title: title?,
        detail: detail?,
        instance: instance?,
    })
}

fn warn_of_type(reader: &mut Reader<'_>, entry: &Entry) {
    let write = "https://agency.example/errors/name";
    warn_of_address(reader, entry, "the type of an error", write);
}

/// The official schema takes only what looks like an address.
pub(super) fn warn_of_address(reader: &mut Reader<'_>, entry: &Entry, what: &str, write: &str) {
    let Some(kind) = entry.value.as_text().filter(|kind| !kind.contains("${")) else {
        return;
    };
    let scheme = kind.split_once("://").map(|(scheme, _)| scheme);
    let well = scheme.is_some_and(|scheme| {
        scheme.starts_with(|sign: char| sign.is_ascii_alphabetic())
            && scheme
                .chars()
                .all(|sign| sign.is_ascii_alphanumeric() || "+-.".contains(sign))
    });
    if !well {
        reader
            .findings
            .warning(
                "CW0211",
                entry.place(),
                format!("{what} should be an address"),
            )
            .help(format!("other engines refuse it; write `{write}`"));
    }
}

fn words(
    reader: &mut Reader<'_>,
    fields: &Fields<'_>,
    entry: &Entry,
    scope: &Scope,
) -> Option<Template> {
    if entry.value.as_text().is_none() {
        fields.expected(&mut reader.findings, entry, "text");
        return None;
    }
    reader.template(&entry.value, scope, Moment::Definition)
}

fn status_of(reader: &mut Reader<'_>, fields: &Fields<'_>, entry: &Entry) -> Option<Template> {
    match entry.value.content {
        Content::Integer(status) if (100..=599).contains(&status) => {
            Some(Template::Literal(status.into()))
        }
        _ => {
            fields.expected(
                &mut reader.findings,
                entry,
                "a whole number from 100 to 599",
            );
            None
        }
    }
}
