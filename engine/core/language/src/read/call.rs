//! `call`: which function is meant. Its arguments are read beside it.

use super::document::is_semantic_version;
use super::scope::Moment;
use super::tasks::{Body, Found};
use super::{Reader, unavailable};
use crate::diagnostic::{listed, similar};
use crate::workflow::{Call, Kind};
use crate::yaml::{Entry, Node, Place};

pub(super) mod argument;
mod close;
mod decide;
pub(super) mod function;
mod fund;
pub(super) mod http;
mod human;
mod notify;
mod openapi;
mod plan;
mod plugin;

/// Functions of the engine that are built.
pub(crate) const BUILT_IN: [&str; 13] = [
    "http",
    "openapi",
    "human-task",
    "approval",
    "decide",
    "fund.reserve",
    "fund.commit",
    "fund.release",
    "plan.propose",
    "plan.agree",
    "plan.activate",
    "notify",
    "case.close",
];

/// `name:version@catalog` in its parts.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Reference<'a> {
    name: &'a str,
    version: Option<&'a str>,
    catalog: Option<&'a str>,
}

impl<'a> Reference<'a> {
    fn parse(text: &'a str) -> Self {
        let (text, catalog) = match text.split_once('@') {
            Some((text, catalog)) => (text, Some(catalog)),
            None => (text, None),
        };
        let (name, version) = match text.split_once(':') {
            Some((name, version)) => (name, Some(version)),
            None => (text, None),
        };
        Self {
            name,
            version,
            catalog,
        }
    }
}

pub(super) fn read(reader: &mut Reader<'_>, body: &Body<'_, '_>) -> Option<Found> {
    let entry = body.entry;
    let Some(text) = entry.value.as_text() else {
        body.fields
            .expected(&mut reader.findings, entry, "the name of a function");
        return None;
    };
    if text.contains("://") {
        refuse(
            reader,
            entry,
            "CW0909",
            "functions from an address are not available",
        );
        return None;
    }
    let reference = Reference::parse(text);
    if function::is_defined(reader, reference.name) {
        return function::call(reader, body, &reference);
    }
    if refuse_reference(reader, entry, &reference) {
        return None;
    }
    match reference.name {
        "http" => http::read(reader, body),
        "openapi" => openapi::read(reader, body),
        "human-task" | "approval" => human::read(reader, body, reference.name == "approval"),
        "decide" => decide::read(reader, body),
        "case.close" => close::read(reader, body, "case.close"),
        name if name.starts_with("plan.") && BUILT_IN.contains(&name) => {
            plan::read(reader, body, name)
        }
        "notify" => notify::read(reader, body),
        name if BUILT_IN.contains(&name) => fund::read(reader, body, name),
        name => plugin::read(reader, body, name, reference.version),
    }
}

/// Money that nobody in this document is asked about stays where it is, unless a run around it
/// asked: better said here than when it is due.
fn money_goes_out(reader: &mut Reader<'_>, entry: &Entry, name: &str) {
    let pack = reader.surroundings.pack.as_ref();
    if reader.names.money_asked || pack.is_some_and(|pack| pack.petty_cash) {
        return;
    }
    let message = format!("`call: {name}` lets money out, and nobody is asked how much");
    let finding = reader.findings.warning("CW0446", entry.place(), message);
    finding.help(
        "ask before it with `call: approval` and `rules: { limit: { policy, money } }`; without \
         one it is refused when it is due, unless the workflow that runs this one asked",
    );
}

/// Whether a name of a function is taken by the language or by the engine.
fn reserved(name: &str) -> bool {
    BUILT_IN.contains(&name) || unavailable::reason(name).is_some()
}

fn refuse(reader: &mut Reader<'_>, entry: &Entry, code: &'static str, message: &str) {
    reader
        .findings
        .error(code, entry.place(), message)
        .help("install the function as a plugin: `call: <plugin>.<function>`");
}

/// What is wrong with the name alone.
fn refuse_reference(reader: &mut Reader<'_>, entry: &Entry, reference: &Reference<'_>) -> bool {
    let name = reference.name;
    if let Some(reason) = unavailable::reason(name) {
        refuse(
            reader,
            entry,
            "CW0908",
            &format!("`call: {name}` is refused: {reason}"),
        );
        return true;
    }
    if let Some(catalog) = reference.catalog
        && catalog != "default"
    {
        let message = format!("functions of the catalogue `{catalog}` are not available");
        refuse(reader, entry, "CW0909", &message);
        return true;
    }
    refuse_version(reader, entry, reference)
}

fn refuse_version(reader: &mut Reader<'_>, entry: &Entry, reference: &Reference<'_>) -> bool {
    let name = reference.name;
    match reference.version {
        Some(_) if BUILT_IN.contains(&name) => {
            reader
                .findings
                .error(
                    "CW0405",
                    entry.place(),
                    format!("`{name}` belongs to the engine and has no version"),
                )
                .help(format!("write `call: {name}`"));
            true
        }
        Some(version) if !is_semantic_version(version) => {
            reader
                .findings
                .error(
                    "CW0405",
                    entry.place(),
                    format!("`{version}` is not a version of a function"),
                )
                .help(format!(
                    "write `call: {name}:1.0.0@default`, or `call: {name}` for the version deployed"
                ));
            true
        }
        _ => false,
    }
}

/// Reports a function that does not exist.
fn unknown(reader: &mut Reader<'_>, entry: &Entry, name: &str) {
    let installed = reader.surroundings.functions.keys().map(String::as_str);
    let defined = function::names(reader);
    let near = similar(name, installed.clone().chain(BUILT_IN).chain(defined));
    let plugin = name.split_once('.').map(|(plugin, _)| format!("{plugin}."));
    let siblings: Vec<&str> = installed
        .filter(|known| {
            plugin
                .as_ref()
                .is_some_and(|plugin| known.starts_with(plugin))
        })
        .collect();
    let help = match near {
        Some(near) => format!("did you mean `{near}`?"),
        None if siblings.is_empty() => format!(
            "the engine has {}; anything else is `<plugin>.<function>` of an installed plugin",
            listed(BUILT_IN)
        ),
        None => format!("that plugin has {}", listed(siblings)),
    };
    reader
        .findings
        .error(
            "CW0401",
            entry.place(),
            format!("there is no function `{name}`"),
        )
        .help(help);
}

/// The `with` of a call and where to point when something is missing in it.
fn arguments<'a>(body: &Body<'a, '_>) -> (Option<&'a Node>, Place) {
    match body.fields.get("with") {
        Some(entry) => (Some(&entry.value), entry.key.place),
        None => (None, body.entry.place()),
    }
}

/// A call whose arguments were checked.
fn found(
    reader: &mut Reader<'_>,
    body: &Body<'_, '_>,
    function: &str,
    version: Option<&str>,
) -> Option<Found> {
    let with = match arguments(body).0 {
        Some(with) => reader.template(with, body.scope, Moment::Definition)?,
        None => crate::Template::Literal(serde_json::Value::Object(serde_json::Map::new())),
    };
    let call = Call {
        function: function.to_owned(),
        version: version.map(str::to_owned),
        with,
    };
    Some(Kind::Call(call).into())
}
