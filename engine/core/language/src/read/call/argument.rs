//! Arguments of functions: what is missing, what is unknown, what has the wrong type.

use crate::Schema;
use crate::diagnostic::{Findings, similar, suggestion};
use crate::schema::Violation;
use crate::yaml::{Content, Entry, Node, Place};

/// The arguments of one call.
pub(super) struct Arguments<'a> {
    pub(super) function: &'a str,
    /// The task, for findings.
    pub(super) owner: &'a str,
    pub(super) place: Place,
    entries: &'a [Entry],
    /// Arguments that exist, once the unknown ones were reported.
    known: Vec<String>,
}

impl<'a> Arguments<'a> {
    /// `None` when `with` is no map, which is reported.
    pub(super) fn open(
        findings: &mut Findings,
        function: &'a str,
        owner: &'a str,
        (with, place): (Option<&'a Node>, Place),
    ) -> Option<Self> {
        let entries = match with.map(|with| &with.content) {
            Some(Content::Map(entries)) => entries,
            None => &[][..],
            Some(_) => {
                let found = with.map_or_else(String::new, Node::described);
                findings
                    .error(
                        "CW0404",
                        with.filter(|with| !with.is_null())
                            .map_or(place, |with| with.place),
                        format!("`with` of {owner} must be a map of arguments, found {found}"),
                    )
                    .help("write one argument per line: `name: value`");
                return None;
            }
        };
        Some(Self {
            function,
            owner,
            place,
            entries,
            known: Vec::new(),
        })
    }

    pub(super) fn entries(&self) -> &'a [Entry] {
        self.entries
    }

    pub(super) fn get(&self, name: &str) -> Option<&'a Entry> {
        self.entries.iter().find(|entry| entry.key.text == name)
    }

    /// Reports an argument that is missing, unless it was misspelt.
    pub(super) fn required(
        &self,
        findings: &mut Findings,
        name: &str,
        write: &str,
    ) -> Option<&'a Entry> {
        let entry = self.get(name);
        if entry.is_none() && !self.misspelt(name) {
            findings
                .error(
                    "CW0402",
                    self.place,
                    format!("`{}` of {} needs `{name}`", self.function, self.owner),
                )
                .help(format!("add `{write}` below `with:`"));
        }
        entry
    }

    /// Whether an unknown argument was meant to be this one.
    pub(super) fn misspelt(&self, name: &str) -> bool {
        let known = || self.known.iter().map(String::as_str);
        self.entries
            .iter()
            .map(|entry| entry.key.text.as_str())
            .filter(|word| !known().any(|known| known == *word))
            .any(|word| similar(word, known()) == Some(name))
    }

    pub(super) fn refuse_unknown(&mut self, findings: &mut Findings, known: &[&str]) {
        self.known = known.iter().map(|name| (*name).to_owned()).collect();
        for entry in self.entries {
            let name = entry.key.text.as_str();
            if !known.contains(&name) && !findings.full() {
                findings
                    .error(
                        "CW0403",
                        entry.key.place,
                        format!("`{}` takes no argument `{name}`", self.function),
                    )
                    .help(suggestion(
                        name,
                        known.iter().copied(),
                        "it takes no arguments",
                    ));
            }
        }
    }

    /// Reports an argument of the wrong type.
    pub(super) fn expected(
        &self,
        findings: &mut Findings,
        entry: &Entry,
        wanted: &str,
        write: &str,
    ) {
        findings
            .error(
                "CW0404",
                entry.place(),
                format!(
                    "`{}` of {} must be {wanted}, found {}",
                    entry.key.text,
                    self.owner,
                    entry.value.described()
                ),
            )
            .help(format!("write `{write}`"));
    }

    /// Text that is written out; an expression is refused, since the text is checked before
    /// anything runs.
    pub(super) fn literal(
        &self,
        findings: &mut Findings,
        entry: &'a Entry,
        write: &str,
    ) -> Option<&'a str> {
        match entry.value.as_text() {
            Some(text) if is_expression(text) => {
                let key = &entry.key.text;
                findings
                    .error(
                        "CW0309",
                        entry.place(),
                        format!("`{key}` of {} cannot be an expression", self.owner),
                    )
                    .help(format!(
                        "it is checked before anything runs; write `{write}`"
                    ));
                None
            }
            Some(text) => Some(text),
            None => {
                self.expected(findings, entry, "text", write);
                None
            }
        }
    }
}

pub(in crate::read) fn is_expression(text: &str) -> bool {
    text.trim_start().starts_with("${")
}

/// Whether a value is left to an expression.
pub(in crate::read) fn computed(node: &Node) -> bool {
    node.as_text().is_some_and(is_expression)
}

/// Whether any part of a value is left to an expression.
pub(super) fn holds_expression(content: &Content) -> bool {
    match content {
        Content::Text(text) => is_expression(&text.value),
        Content::List(items) => items.iter().any(|item| holds_expression(&item.content)),
        Content::Map(entries) => {
            let mut entries = entries.iter();
            entries.any(|entry| holds_expression(&entry.value.content))
        }
        Content::Null | Content::Bool(_) | Content::Integer(_) | Content::Float(_) => false,
    }
}

/// How much of what is wrong with one value is looked at.
const VIOLATIONS_MAX: usize = 50;

/// What of a written value does not fit a schema, with the place; what is left to expressions is
/// not judged.
pub(in crate::read) fn misfits<'n>(schema: &Schema, with: &'n Node) -> Vec<(&'n Node, Violation)> {
    let violations = schema.violations(&with.to_json()).into_iter();
    violations
        .take(VIOLATIONS_MAX)
        .map(|violation| (with.nearest(&violation.pointer), violation))
        .filter(|(at, violation)| !computed(at) && !left_open(with, &violation.pointer))
        .collect()
}

/// Whether an expression stands anywhere on the way to a pointer.
fn left_open(with: &Node, pointer: &str) -> bool {
    let mut node = with;
    for part in pointer.split('/').skip(1) {
        if computed(node) {
            return true;
        }
        let part = part.replace("~1", "/").replace("~0", "~");
        let next = match &node.content {
            Content::Map(_) => node.get(&part),
            Content::List(items) => part.parse::<usize>().ok().and_then(|at| items.get(at)),
            _ => None,
        };
        let Some(next) = next else {
            return false;
        };
        node = next;
    }
    computed(node)
}
