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

/// Catalogues other than that of the engine, which needs no entry.
pub(super) fn catalogs(reader: &mut Reader<'_>, entry: &Entry) {
    reader
        .findings
        .error(
            "CW0909",
            entry.key.place,
            "`use.catalogs` is refused: what runs is what was installed and looked at",
        )
        .help(
            "write the function out under `use.functions`, or install it as a plugin and call \
             `<plugin>.<function>`",
        );
}
