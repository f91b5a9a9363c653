//! What the language has and this engine does not do: not yet, or never. Always said, never
//! ignored.

use super::Reader;
use super::tasks::Body;
use crate::yaml::Entry;

/// Tasks that are not built, with what serves meanwhile.
const TASKS: [(&str, &str); 2] = [
    (
        "listen",
        "ask a person with `call: human-task`, or let a plugin answer later",
    ),
    ("emit", "let a plugin send the event"),
];

/// What is reached by programs on the server or by other protocols, with the reason.
const NEVER: [(&str, &str); 7] = [
    (
        "container",
        "a workflow must not start programs on the server",
    ),
    (
        "script",
        "a workflow must not run code on the server outside the sandbox",
    ),
    ("shell", "a workflow must not reach the server's shell"),
    ("grpc", "the engine speaks only to plugins"),
    ("asyncapi", "the engine speaks only to plugins"),
    ("a2a", "the engine speaks only to plugins"),
    ("mcp", "the engine speaks only to plugins"),
];

pub(super) fn task(reader: &mut Reader<'_>, body: &Body<'_, '_>) {
    let kind = body.entry.key.text.as_str();
    if kind == "run" {
        run(reader, body);
        return;
    }
    let instead = TASKS
        .iter()
        .find(|(name, _)| *name == kind)
        .map_or("", |(_, help)| help);
    reader
        .findings
        .error(
            "CW0901",
            body.entry.key.place,
            format!("`{kind}` is not available yet"),
        )
        .help(instead);
}

fn run(reader: &mut Reader<'_>, body: &Body<'_, '_>) {
    let what = body.entry.value.as_map().and_then(|entries| {
        entries
            .iter()
            .find(|entry| NEVER.iter().any(|(name, _)| *name == entry.key.text))
    });
    match what {
        Some(entry) => {
            let reason = reason(&entry.key.text).unwrap_or_default();
            reader
                .findings
                .error(
                    "CW0907",
                    entry.key.place,
                    format!("`run: {}` is refused: {reason}", entry.key.text),
                )
                .help("write a plugin (`casewright plugin new`) and call it");
        }
        None => reader
            .findings
            .error(
                "CW0901",
                body.entry.key.place,
                "`run: workflow` is not available yet",
            )
            .help("put the tasks of the other workflow into a `do` here"),
    }
}

/// Why a protocol is refused for good.
pub(super) fn reason(name: &str) -> Option<&'static str> {
    NEVER
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, reason)| *reason)
}

pub(super) fn reusable(reader: &mut Reader<'_>, entry: &Entry) {
    let help = match entry.key.text.as_str() {
        "secrets" | "authentications" => {
            "bind secrets to a plugin in pack.yaml; the plugin uses them by name"
        }
        "functions" => "write the task out where it is called",
        "catalogs" => "install the functions as a plugin",
        "extensions" => "write the tasks out before and after",
        _ => return,
    };
    reader
        .findings
        .error(
            "CW0905",
            entry.key.place,
            format!("`use.{}` is not available yet", entry.key.text),
        )
        .help(help);
}

pub(super) fn schedule(reader: &mut Reader<'_>, entry: &Entry) {
    reader
        .findings
        .error("CW0903", entry.key.place, "`schedule` is not available yet")
        .help("start instances from outside: POST /api/v1/instances");
}
