//! What other documents need to know of one: its name, version and input. Told from the text
//! alone, so that documents that run each other can be checked in any order.

use crate::Schema;
use crate::diagnostic::Findings;
use crate::yaml::{self, Node};

/// A document as `run: workflow` sees it.
#[derive(Debug, Clone)]
pub struct Outline {
    pub namespace: String,
    pub version: String,
    /// What it takes; `None` for anything, or when the schema itself has mistakes.
    pub input: Option<Schema>,
}

/// Name and outline of a document; `None` when it has no header to be found by.
pub fn outline(text: &str) -> Option<(String, Outline)> {
    // Its mistakes are reported when it is read itself.
    let root = yaml::parse(text, &mut Findings::new(""))?;
    let header = root.get("document")?;
    let word = |key| header.get(key)?.as_text().map(str::to_owned);
    let schema = root
        .get("input")
        .and_then(|input| input.get("schema"))
        .and_then(|schema| schema.get("document"));
    let outline = Outline {
        namespace: word("namespace")?,
        version: word("version")?,
        input: schema.and_then(|schema| Schema::new(schema.to_json()).ok()),
    };
    Some((word("name")?, outline))
}

/// The namespace in the header; empty without one.
pub(super) fn namespace(root: &Node) -> String {
    let written = root.get("document").and_then(|it| it.get("namespace"));
    written
        .and_then(Node::as_text)
        .unwrap_or_default()
        .to_owned()
}
