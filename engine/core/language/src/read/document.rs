//! The document as a whole: its header and the keys at its root.

use sha2::{Digest, Sha256};

use super::scope::{Moment, Scope};
use super::{Reader, data, extension, reusable, schedule, tasks};
use crate::Workflow;
use crate::diagnostic::listed;
use crate::workflow::Document;
use crate::yaml::{Content, Entry, Fields, Node, Place};

/// Versions of the language that are read.
const VERSIONS: [&str; 4] = ["1.0.0", "1.0.1", "1.0.2", "1.0.3"];

pub(crate) const ROOT: [&str; 8] = [
    "document", "input", "use", "do", "timeout", "output", "schedule", "evaluate",
];
const HEADER: [&str; 8] = [
    "dsl",
    "namespace",
    "name",
    "version",
    "title",
    "summary",
    "tags",
    "metadata",
];

pub(super) fn read<'a>(reader: &mut Reader<'a>, text: &str, root: &'a Node) -> Option<Workflow> {
    let owner = "the workflow";
    let findings = &mut reader.findings;
    let mut fields = Fields::open(findings, root, Place::of_line(1), owner, &ROOT)?;
    if let Some(first) = fields.entries().first() {
        fields.place = first.key.place;
    }
    let write = "document: { dsl: '1.0.3', namespace: agency, name: workflow, version: '1.0.0' }";
    let header = fields.required(findings, "document", write);
    let document = header.and_then(|entry| header_of(reader, entry));
    let scope = Scope::default();
    let own = scope.inside(task_names(&fields));
    if let Some(entry) = fields.get("use") {
        reusable::read(reader, entry, &own);
    }
    let scheduled = fields.get("schedule");
    let schedule =
        scheduled.and_then(|entry| schedule::read(reader, entry, header, document.as_ref()));
    if let Some(entry) = fields.get("evaluate") {
        evaluate(reader, entry);
    }
    let input = fields
        .get("input")
        .map(|entry| data::input(reader, entry, owner, &scope, Moment::WorkflowInput));
    if let (Some(entry), Some(input)) = (scheduled, &input) {
        schedule::check_input(reader, entry, input);
    }
    let output = fields
        .get("output")
        .map(|entry| data::output(reader, entry, owner, &own, Moment::WorkflowOutput));
    let timeout = fields
        .get("timeout")
        .and_then(|entry| reusable::timeout(reader, entry, owner, (&scope, Moment::WorkflowInput)));
    let list = fields.required(&mut reader.findings, "do", "do: [ ... ]");
    let mut tasks = list.and_then(|entry| tasks::list(reader, entry, owner, &scope, ""));
    extension::apply(reader, tasks.as_deref_mut().unwrap_or_default());
    Some(Workflow {
        document: document?,
        digest: digest(text),
        definition: root.to_json(),
        input: input.unwrap_or_default(),
        output: output.unwrap_or_default(),
        timeout,
        schedule,
        tasks: tasks?,
    })
}

fn task_names<'a>(fields: &Fields<'a>) -> impl Iterator<Item = &'a str> {
    let items = fields
        .get("do")
        .and_then(|entry| entry.value.as_list())
        .unwrap_or_default();
    let entries = items.iter().filter_map(Node::as_map).flatten();
    entries.map(|entry| entry.key.text.as_str())
}

pub(super) fn digest(text: &str) -> String {
    use std::fmt::Write as _;

    Sha256::digest(text.as_bytes())
        .iter()
        .fold(String::new(), |mut out, byte| {
            let _ = write!(out, "{byte:02x}");
            out
        })
}

fn header_of(reader: &mut Reader<'_>, entry: &Entry) -> Option<Document> {
    let findings = &mut reader.findings;
    let fields = Fields::open(
        findings,
        &entry.value,
        entry.key.place,
        "`document`",
        &HEADER,
    )?;
    let dsl = fields.required(findings, "dsl", "dsl: '1.0.3'");
    let namespace = fields.required(findings, "namespace", "namespace: my-agency");
    let name = fields.required(findings, "name", "name: my-workflow");
    let version = fields.required(findings, "version", "version: '1.0.0'");
    let dsl = dsl.and_then(|entry| dsl_of(reader, &fields, entry));
    let namespace = namespace.and_then(|entry| {
        let name = label(reader, &fields, entry)?;
        compare_namespace(reader, entry, &name);
        Some(name)
    });
    let name = name.and_then(|entry| label(reader, &fields, entry));
    let version = version.and_then(|entry| version_of(reader, &fields, entry));
    let mut text = |key: &str| {
        let entry = fields.get(key)?;
        fields.text(&mut reader.findings, entry).map(str::to_owned)
    };
    let (title, summary) = (text("title"), text("summary"));
    for key in ["tags", "metadata"] {
        if let Some(entry) = fields.get(key)
            && entry.value.as_map().is_none()
        {
            fields.expected(&mut reader.findings, entry, "a map (`key: value`)");
        }
    }
    super::visible::check(reader, &fields);
    Some(Document {
        dsl: dsl?,
        namespace: namespace?,
        name: name?,
        version: version?,
        title,
        summary,
    })
}

fn compare_namespace(reader: &mut Reader<'_>, entry: &Entry, name: &str) {
    let pack = reader.surroundings.pack.as_ref();
    let Some(own) = pack.map(|pack| &pack.namespace).filter(|own| *own != name) else {
        return;
    };
    reader
        .findings
        .warning(
            "CW0117",
            entry.place(),
            format!("the pack is `{own}`, and the document says `{name}`"),
        )
        .help(format!("write `namespace: {own}`"));
}

fn dsl_of(reader: &mut Reader<'_>, fields: &Fields<'_>, entry: &Entry) -> Option<String> {
    let version = versioned(reader, fields, entry, "CW0105", "dsl: '1.0.3'")?;
    if VERSIONS.contains(&version) {
        return Some(version.to_owned());
    }
    reader
        .findings
        .error(
            "CW0105",
            entry.place(),
            format!("version `{version}` of the language is not read"),
        )
        .help(format!("write one of: {}", listed(VERSIONS)));
    None
}

fn version_of(reader: &mut Reader<'_>, fields: &Fields<'_>, entry: &Entry) -> Option<String> {
    let version = versioned(reader, fields, entry, "CW0107", "version: '1.0.0'")?;
    if is_semantic_version(version) {
        return Some(version.to_owned());
    }
    reader
        .findings
        .error(
            "CW0107",
            entry.place(),
            format!("`{version}` is not a semantic version"),
        )
        .help("write three numbers: `version: '1.0.0'`");
    None
}

/// Text that must be a version; `1.0` without quotes is a number.
fn versioned<'a>(
    reader: &mut Reader<'_>,
    fields: &Fields<'_>,
    entry: &'a Entry,
    code: &'static str,
    write: &str,
) -> Option<&'a str> {
    match &entry.value.content {
        Content::Text(text) => Some(&text.value),
        Content::Integer(_) | Content::Float(_) => {
            let key = &entry.key.text;
            reader
                .findings
                .error(
                    code,
                    entry.place(),
                    format!("`{key}` of {} is a number", fields.owner),
                )
                .help(format!("write three numbers in quotes: `{write}`"));
            None
        }
        _ => {
            fields.expected(&mut reader.findings, entry, "text");
            None
        }
    }
}

fn label(reader: &mut Reader<'_>, fields: &Fields<'_>, entry: &Entry) -> Option<String> {
    let label = fields.text(&mut reader.findings, entry)?;
    let edge = |sign: Option<char>| sign.is_some_and(|sign| sign.is_ascii_alphanumeric());
    let well = label.len() <= 63
        && edge(label.chars().next())
        && edge(label.chars().last())
        && label
            .chars()
            .all(|sign| sign.is_ascii_alphanumeric() || sign == '-');
    if well {
        return Some(label.to_owned());
    }
    let mended: String = label
        .trim()
        .chars()
        .map(|sign| {
            if sign.is_ascii_alphanumeric() {
                sign.to_ascii_lowercase()
            } else {
                '-'
            }
        })
        .take(63)
        .collect();
    let mended = mended.trim_matches('-');
    let key = &entry.key.text;
    let mended = if mended.is_empty() { "my-name" } else { mended };
    reader
        .findings
        .error(
            "CW0106",
            entry.place(),
            format!("`{key}` has a sign that a name cannot have"),
        )
        .help(format!(
            "use letters, digits and `-`, at most 63: `{key}: {mended}`"
        ));
    None
}

/// `major.minor.patch` with the usual tails.
pub(super) fn is_semantic_version(version: &str) -> bool {
    let (core, build) = split(version, '+');
    let (core, pre) = split(core, '-');
    let numeric = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_digit())
            && (part == "0" || !part.starts_with('0'))
    };
    let tail = |tail: Option<&str>| {
        tail.is_none_or(|tail| {
            tail.split('.').all(|part| {
                !part.is_empty()
                    && part
                        .bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            })
        })
    };
    let parts: Vec<&str> = core.split('.').collect();
    parts.len() == 3 && parts.iter().all(|part| numeric(part)) && tail(pre) && tail(build)
}

fn split(text: &str, at: char) -> (&str, Option<&str>) {
    match text.split_once(at) {
        Some((head, tail)) => (head, Some(tail)),
        None => (text, None),
    }
}

fn evaluate(reader: &mut Reader<'_>, entry: &Entry) {
    let findings = &mut reader.findings;
    let known = ["language", "mode"];
    let place = entry.key.place;
    let Some(fields) = Fields::open(findings, &entry.value, place, "`evaluate`", &known) else {
        return;
    };
    for (key, only) in [("language", "jq"), ("mode", "strict")] {
        if let Some(entry) = fields.get(key)
            && entry.value.as_text() != Some(only)
        {
            findings
                .error(
                    "CW0910",
                    entry.place(),
                    format!("`{key}` of `evaluate` must be `{only}`"),
                )
                .help(format!("write `{key}: {only}`, or leave it out"));
        }
    }
}
