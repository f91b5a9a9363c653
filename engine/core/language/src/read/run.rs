//! `run: workflow`: which workflow is meant, and whether it takes what it is given. Containers,
//! scripts and the shell are refused for good, in `unavailable`.

use super::call::argument::{is_expression, misfits};
use super::document::is_semantic_version;
use super::outline::Outline;
use super::scope::Moment;
use super::tasks::{Body, Found};
use super::{Reader, unavailable};
use crate::diagnostic::{listed, similar};
use crate::workflow::{Child, Kind};
use crate::yaml::{self, Content, Entry, Fields};

const WRITE: &str = "workflow: { namespace: my-agency, name: my-workflow, version: '1.0.0' }";

pub(super) fn read(reader: &mut Reader<'_>, body: &Body<'_, '_>) -> Option<Found> {
    let owner = yaml::under(&body.fields.owner, "run");
    let entry = body.entry;
    let entries = entry.value.as_map().unwrap_or_default();
    let never = |entry: &&Entry| unavailable::reason(&entry.key.text).is_some();
    if let Some(refused) = entries.iter().find(never) {
        unavailable::run(reader, refused);
        return None;
    }
    let known = ["workflow", "await", "return"];
    let findings = &mut reader.findings;
    let fields = Fields::open(findings, &entry.value, entry.key.place, &owner, &known)?;
    let workflow = fields.required(findings, "workflow", WRITE);
    let awaited = match fields.get("await") {
        None => Some(true),
        Some(entry) => {
            let awaited = entry.value.as_bool();
            if awaited.is_none() {
                fields.expected(findings, entry, "`true` or `false`");
            }
            awaited
        }
    };
    if let Some(entry) = fields.get("return") {
        findings
            .warning(
                "CW0705",
                entry.key.place,
                "`return` has no meaning for a workflow",
            )
            .help("remove it: the task gives the output of the workflow that it runs");
    }
    let mut child = child(reader, body, workflow?, &owner)?;
    child.awaited = awaited?;
    Some(Kind::Run(Box::new(child)).into())
}

fn child(
    reader: &mut Reader<'_>,
    body: &Body<'_, '_>,
    entry: &Entry,
    owner: &str,
) -> Option<Child> {
    let owner = yaml::under(owner, "workflow");
    let known = ["namespace", "name", "version", "input"];
    let findings = &mut reader.findings;
    let fields = Fields::open(findings, &entry.value, entry.key.place, &owner, &known)?;
    let namespace = fields.required(findings, "namespace", "namespace: my-agency");
    let name = fields.required(findings, "name", "name: my-workflow");
    let version = fields.required(findings, "version", "version: '1.0.0'");
    let mut literal = |entry| literal(reader, &fields, entry);
    let (namespace_text, name_text, version_text) = (
        namespace.and_then(&mut literal),
        name.and_then(&mut literal),
        version.and_then(&mut literal),
    );
    let input = match fields.get("input") {
        None => Some(None),
        Some(entry) => given(reader, &fields, body, entry).map(Some),
    };
    let meant = Meant {
        namespace: (namespace?, namespace_text?),
        name: (name?, name_text?),
        version: (version?, version_text?),
    };
    let found = find(reader, &meant)?;
    if let Some(schema) = found.as_ref().and_then(|found| found.input.as_ref()) {
        check(reader, schema, &meant, fields.get("input"));
    }
    let version = meant.version.1;
    Some(Child {
        namespace: meant.namespace.1.to_owned(),
        name: meant.name.1.to_owned(),
        version: (version != LATEST).then(|| version.to_owned()),
        input: input?,
        awaited: true,
    })
}

/// What the specification writes for whatever version there is.
const LATEST: &str = "latest";

/// The workflow that a task names.
struct Meant<'a> {
    namespace: (&'a Entry, &'a str),
    name: (&'a Entry, &'a str),
    version: (&'a Entry, &'a str),
}

/// Names are checked before anything runs, so they are written out.
fn literal<'a>(reader: &mut Reader<'_>, fields: &Fields<'_>, entry: &'a Entry) -> Option<&'a str> {
    let Some(text) = entry.value.as_text() else {
        fields.expected(&mut reader.findings, entry, "text");
        return None;
    };
    if is_expression(text) {
        let message = format!(
            "{} cannot be an expression",
            yaml::under(&fields.owner, &entry.key.text)
        );
        reader
            .findings
            .error("CW0309", entry.place(), message)
            .help("it is checked before anything runs; choose with `switch` between two tasks");
        return None;
    }
    Some(text)
}

fn given(
    reader: &mut Reader<'_>,
    fields: &Fields<'_>,
    body: &Body<'_, '_>,
    entry: &Entry,
) -> Option<crate::Template> {
    let computed = entry.value.as_text().is_some_and(is_expression);
    if !computed && !matches!(entry.value.content, Content::Map(_)) {
        fields.expected(&mut reader.findings, entry, "a map (`key: value`)");
        return None;
    }
    reader.template(&entry.value, body.scope, Moment::Definition)
}

/// `Some(None)` where the workflows around the document are not known.
#[expect(clippy::option_option, reason = "unknown and wrong are different")]
fn find(reader: &mut Reader<'_>, meant: &Meant<'_>) -> Option<Option<Outline>> {
    let (entry, namespace) = meant.namespace;
    let pack = reader.surroundings.pack.as_ref();
    let own = pack.map_or(reader.namespace.as_str(), |pack| pack.namespace.as_str());
    if namespace != own && namespace != reader.namespace {
        let message = format!("workflows of `{namespace}` belong to another agency");
        reader
            .findings
            .error("CW0702", entry.place(), message)
            .help(format!("only those of `{own}` can be run from here"));
        return None;
    }
    let Some(workflows) = &reader.surroundings.workflows else {
        return version_of(reader, meant).map(|()| None);
    };
    let (entry, name) = meant.name;
    let known = workflows.get(name);
    let Some(found) = known.filter(|found| found.namespace == namespace) else {
        let names = || workflows.keys().map(String::as_str);
        let help = match similar(name, names()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("the pack has: {}", listed(names())),
        };
        let message = format!("there is no workflow `{name}` in `{namespace}`");
        let findings = &mut reader.findings;
        findings.error("CW0701", entry.place(), message).help(help);
        return None;
    };
    version_of(reader, meant)?;
    let (entry, version) = meant.version;
    if version != LATEST && version != found.version {
        let message = format!("`{name}` has version `{}`, not `{version}`", found.version);
        reader
            .findings
            .error("CW0703", entry.place(), message)
            .help(format!(
                "one version of a workflow is in force: write `version: '{}'`",
                found.version
            ));
        return None;
    }
    Some(Some(found.clone()))
}

fn version_of(reader: &mut Reader<'_>, meant: &Meant<'_>) -> Option<()> {
    let (entry, version) = meant.version;
    if version == LATEST || is_semantic_version(version) {
        return Some(());
    }
    let message = format!("`{version}` is not a semantic version");
    reader
        .findings
        .error("CW0107", entry.place(), message)
        .help("write three numbers, `version: '1.0.0'`, or `version: latest`");
    None
}

/// As far as the input is written out; the rest is checked when the workflow starts.
fn check(
    reader: &mut Reader<'_>,
    schema: &crate::Schema,
    meant: &Meant<'_>,
    input: Option<&Entry>,
) {
    let name = meant.name.1;
    let Some(input) = input else {
        let nothing = serde_json::Value::Object(serde_json::Map::new());
        if let Some(first) = schema.violations(&nothing).first() {
            let message = format!("`{name}` takes an input: {}", first.message);
            reader
                .findings
                .error("CW0704", meant.name.0.place(), message)
                .help("add `input: { ... }`");
        }
        return;
    };
    for (at, violation) in misfits(schema, &input.value) {
        let member = violation.pointer.trim_start_matches('/').replace('/', ".");
        let what = if member.is_empty() {
            "the input".to_owned()
        } else {
            format!("`{member}` of the input")
        };
        let place = if at.place == input.value.place {
            input.key.place
        } else {
            at.place
        };
        let message = format!("{what} does not fit `{name}`: {}", violation.message);
        reader.findings.error("CW0704", place, message);
    }
}
