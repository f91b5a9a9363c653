//! `call: openapi`: which document describes the operation, and what it is given.
//!
//! The document is not read here: it stands at another service, and is asked for when a run comes
//! to the task. So nothing of the operation is known yet but its name.

use serde_json::Value;

use super::argument::Arguments;
use super::arguments;
use super::http::authentication::{self, Credential};
use super::http::{OUTPUTS, Target, redirect, target, word};
use crate::Template;
use crate::read::Reader;
use crate::read::scope::Moment;
use crate::read::tasks::{Body, Found};
use crate::workflow::{Kind, OpenApi, OutputAs, Piece};
use crate::yaml::{self, Entry, Fields};

const ARGUMENTS: [&str; 6] = [
    "document",
    "operationId",
    "parameters",
    "authentication",
    "output",
    "redirect",
];
const DOCUMENT: &str = "document: { endpoint: https://homes.example/openapi.json }";

pub(super) fn read(reader: &mut Reader<'_>, body: &Body<'_, '_>) -> Option<Found> {
    let owner = body.fields.owner.as_str();
    let with = arguments(body);
    let mut all = Arguments::open(&mut reader.findings, "call: openapi", owner, with)?;
    let findings = &mut reader.findings;
    all.refuse_unknown(findings, &ARGUMENTS);
    let document = all.required(findings, "document", DOCUMENT);
    let operation = all.required(findings, "operationId", "operationId: findHomes");
    let operation = operation.and_then(|entry| {
        let id = all.literal(&mut reader.findings, entry, "operationId: findHomes");
        id.filter(|id| named(reader, &all, entry, id))
    });
    let document = document.and_then(|entry| of_document(reader, body, owner, entry));
    let mut with = Vec::new();
    let mut whole = true;
    let mut sealed = Vec::new();
    if let Some(entry) = all.get("parameters") {
        match parameters(reader, body, &all, entry, &mut sealed) {
            Some(given) => with.push(("parameters".to_owned(), given)),
            None => whole = false,
        }
    }
    let credential = match all.get("authentication") {
        None => Some(None),
        Some(entry) => authentication::of_endpoint(reader, entry, owner, body.scope).map(Some),
    };
    let output = match all.get("output") {
        None => Some(OutputAs::Content),
        Some(entry) => word(reader, &all, entry, &OUTPUTS, "CW0420", "output"),
    };
    let redirect = redirect(reader, &all);
    let document = document?;
    with.extend(document.computed.map(|it| ("endpoint".to_owned(), it)));
    let mut said = |name: &str, credential: Option<Credential>| {
        let credential = credential?;
        let words = credential.words;
        with.extend(words.map(|words| (name.to_owned(), words)));
        Some(credential.authentication)
    };
    let openapi = OpenApi {
        document: document.written,
        document_authentication: said("document", document.authentication),
        operation_id: operation?.to_owned(),
        sealed,
        authentication: said("authentication", credential?),
        with: if with.is_empty() {
            Template::Literal(Value::Object(serde_json::Map::new()))
        } else {
            Template::Map(with)
        },
        output: output?,
        redirect: redirect?,
    };
    whole.then(|| Kind::OpenApi(Box::new(openapi)).into())
}

fn named(reader: &mut Reader<'_>, all: &Arguments<'_>, entry: &Entry, id: &str) -> bool {
    if id.is_empty() {
        let findings = &mut reader.findings;
        all.expected(
            findings,
            entry,
            "the name of an operation",
            "operationId: findHomes",
        );
    }
    !id.is_empty()
}

fn of_document(
    reader: &mut Reader<'_>,
    body: &Body<'_, '_>,
    owner: &str,
    entry: &Entry,
) -> Option<Target> {
    let owner = yaml::under(owner, "document");
    let known = ["name", "endpoint"];
    let findings = &mut reader.findings;
    let fields = Fields::open(findings, &entry.value, entry.key.place, &owner, &known)?;
    if let Some(name) = fields.get("name") {
        fields.text(findings, name);
    }
    let write = "endpoint: https://homes.example/openapi.json";
    let endpoint = fields.required(findings, "endpoint", write)?;
    target(reader, body, &owner, endpoint)
}

/// Names with values; the language takes no expression for all of them.
fn parameters(
    reader: &mut Reader<'_>,
    body: &Body<'_, '_>,
    all: &Arguments<'_>,
    entry: &Entry,
    sealed: &mut Vec<(String, Vec<Piece>)>,
) -> Option<Template> {
    let Some(entries) = entry.value.as_map() else {
        let write = "parameters: { name: value }";
        all.expected(&mut reader.findings, entry, "a map of parameters", write);
        return None;
    };
    let mut members = Vec::new();
    let mut whole = true;
    for member in entries {
        let name = &member.key.text;
        match reader.sealed(&member.value, body.scope) {
            Some(Ok(pieces)) => sealed.push((name.clone(), pieces)),
            Some(Err(())) => whole = false,
            None => match reader.template(&member.value, body.scope, Moment::Definition) {
                Some(value) => members.push((name.clone(), value)),
                None => whole = false,
            },
        }
    }
    whole.then_some(Template::Map(members))
}
