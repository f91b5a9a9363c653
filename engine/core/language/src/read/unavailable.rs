//! What the language has and this engine does not do: not yet, or never. Always said, never
//! ignored.

use super::Reader;
use crate::yaml::Entry;

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

/// What `run` could start on the server.
pub(super) fn run(reader: &mut Reader<'_>, entry: &Entry) {
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

/// Why a protocol is refused for good.
pub(super) fn reason(name: &str) -> Option<&'static str> {
    NEVER
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, reason)| *reason)
}

pub(super) fn foreach(reader: &mut Reader<'_>, entry: &Entry) {
    reader
        .findings
        .error(
            "CW0920",
            entry.key.place,
            "`foreach` of a `listen` is not available yet",
        )
        .help("listen to one event at a time and go back with `then`");
}

pub(super) fn reusable(reader: &mut Reader<'_>, entry: &Entry) {
    let help = match entry.key.text.as_str() {
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
