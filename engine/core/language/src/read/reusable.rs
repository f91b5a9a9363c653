//! `use`: authentications, errors, retries, secrets and timeouts that tasks name.
//!
//! Each is read once, where it stands, also when nothing names it. Functions have a file of their
//! own beside those of the engine, extensions one of theirs.

use std::collections::{BTreeMap, BTreeSet};

use super::call::function;
use super::call::http::authentication::{self, Credential};
use super::scope::{Moment, Scope};
use super::{Reader, duration, extension, raise, r#try, unavailable};
use crate::Period;
use crate::diagnostic::suggestion;
use crate::workflow::{Problem, Retry, Span};
use crate::yaml::{self, Entry, Fields};

const KNOWN: [&str; 8] = [
    "authentications",
    "catalogs",
    "errors",
    "extensions",
    "functions",
    "retries",
    "secrets",
    "timeouts",
];

/// What may be named; `None` stands for a definition that is wrong and was reported there.
#[derive(Debug, Default)]
pub(super) struct Reusables {
    errors: BTreeMap<String, Option<Problem>>,
    retries: BTreeMap<String, Option<Retry>>,
    timeouts: BTreeMap<String, Option<Span>>,
    authentications: BTreeMap<String, Option<Credential>>,
    /// Names alone: what they stand for is known to whoever runs the engine.
    pub(super) secrets: BTreeSet<String>,
}

pub(super) fn read<'a>(reader: &mut Reader<'a>, entry: &'a Entry, scope: &Scope) {
    let findings = &mut reader.findings;
    let Some(fields) = Fields::open(findings, &entry.value, entry.key.place, "`use`", &KNOWN)
    else {
        return;
    };
    // Authentications name them.
    if let Some(entry) = fields.get("secrets") {
        secrets(reader, &fields, entry);
    }
    for entry in fields.entries() {
        match entry.key.text.as_str() {
            "authentications" => authentications(reader, entry, scope),
            "errors" => errors(reader, entry, scope),
            "retries" => retries(reader, entry, scope),
            "timeouts" => timeouts(reader, entry, scope),
            "catalogs" => unavailable::catalogs(reader, entry),
            // Read before, or below.
            _ => {}
        }
    }
    // Their tasks name all of the above.
    if let Some(entry) = fields.get("functions") {
        function::read(reader, entry);
    }
    if let Some(entry) = fields.get("extensions") {
        extension::read(reader, entry);
    }
}

fn secrets(reader: &mut Reader<'_>, fields: &Fields<'_>, entry: &Entry) {
    let Some(names) = entry.value.as_list() else {
        fields.expected(&mut reader.findings, entry, "a list of names");
        return;
    };
    for name in names {
        if let Some(text) = name.as_text() {
            reader.reusables.secrets.insert(text.to_owned());
        } else {
            let (findings, owner) = (&mut reader.findings, "a name in `use.secrets`");
            yaml::expected(findings, name.place, owner, "text", name);
        }
    }
}

fn authentications(reader: &mut Reader<'_>, entry: &Entry, scope: &Scope) {
    for entry in definitions(reader, entry) {
        let owner = "`use.authentications`";
        let credential = authentication::definition(reader, entry, owner, scope, &[]);
        let name = entry.key.text.clone();
        reader.reusables.authentications.insert(name, credential);
    }
}

fn errors(reader: &mut Reader<'_>, entry: &Entry, scope: &Scope) {
    for entry in definitions(reader, entry) {
        let problem = raise::problem(reader, entry, "`use.errors`", scope);
        reader
            .reusables
            .errors
            .insert(entry.key.text.clone(), problem);
    }
}

fn retries(reader: &mut Reader<'_>, entry: &Entry, scope: &Scope) {
    let caught = scope.with_variable("error");
    for entry in definitions(reader, entry) {
        let retry = r#try::retry(reader, entry, "`use.retries`", scope, &caught);
        reader
            .reusables
            .retries
            .insert(entry.key.text.clone(), retry);
    }
}

fn timeouts(reader: &mut Reader<'_>, entry: &Entry, scope: &Scope) {
    for entry in definitions(reader, entry) {
        // Also the workflow itself may name it, where no task has begun.
        let span = after(
            reader,
            entry,
            "`use.timeouts`",
            (scope, Moment::WorkflowInput),
        );
        reader
            .reusables
            .timeouts
            .insert(entry.key.text.clone(), span);
    }
}

/// What stands under one key of `use`, by name.
pub(super) fn definitions<'a>(reader: &mut Reader<'_>, entry: &'a Entry) -> &'a [Entry] {
    let owner = format!("`use.{}`", entry.key.text);
    let findings = &mut reader.findings;
    Fields::open_any(findings, &entry.value, entry.key.place, &owner)
        .map_or(&[], |fields| fields.entries())
}

/// `timeout` of a task or of the document: a definition or a name.
pub(super) fn timeout(
    reader: &mut Reader<'_>,
    entry: &Entry,
    owner: &str,
    at: (&Scope, Moment),
) -> Option<Span> {
    match entry.value.as_text() {
        Some(text) if Period::parse_iso(text).is_ok() || text.contains("${") => {
            reader
                .findings
                .error(
                    "CW0103",
                    entry.place(),
                    "`timeout` is a map or a name, not a duration",
                )
                .help(format!("write `timeout: {{ after: {} }}`", quoted(text)));
            None
        }
        Some(name) => named(reader, entry, name, "timeouts", |all| &all.timeouts),
        None => after(reader, entry, owner, at),
    }
}

fn quoted(text: &str) -> String {
    if text.contains("${") {
        format!("'{text}'")
    } else {
        text.to_owned()
    }
}

fn after(
    reader: &mut Reader<'_>,
    entry: &Entry,
    owner: &str,
    at: (&Scope, Moment),
) -> Option<Span> {
    let owner = yaml::under(owner, &entry.key.text);
    let findings = &mut reader.findings;
    let fields = Fields::open(findings, &entry.value, entry.key.place, &owner, &["after"])?;
    let after = fields.required(findings, "after", "after: PT30M")?;
    duration::read(reader, after, &owner, at)
}

pub(super) fn error(reader: &mut Reader<'_>, entry: &Entry, name: &str) -> Option<Problem> {
    named(reader, entry, name, "errors", |all| &all.errors)
}

pub(super) fn authentication(
    reader: &mut Reader<'_>,
    entry: &Entry,
    name: &str,
) -> Option<Credential> {
    named(reader, entry, name, "authentications", |all| {
        &all.authentications
    })
}

pub(super) fn retry(reader: &mut Reader<'_>, entry: &Entry, name: &str) -> Option<Retry> {
    named(reader, entry, name, "retries", |all| &all.retries)
}

fn named<T: Clone>(
    reader: &mut Reader<'_>,
    entry: &Entry,
    name: &str,
    kind: &str,
    of: impl Fn(&Reusables) -> &BTreeMap<String, Option<T>>,
) -> Option<T> {
    let known = of(&reader.reusables);
    if let Some(found) = known.get(name) {
        return found.clone();
    }
    let none = format!("define it under `use: {{ {kind}: {{ {name}: ... }} }}`");
    let help = suggestion(name, known.keys().map(String::as_str), &none);
    reader
        .findings
        .error(
            "CW0115",
            entry.place(),
            format!("`use.{kind}` has no `{name}`"),
        )
        .help(help);
    None
}
