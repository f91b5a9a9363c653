//! A map whose keys are fixed: unknown keys are reported, missing ones named.

use super::{Content, Entry, Node, Place};
use crate::diagnostic::{Findings, suggestion};

/// The keys of one map, after the unknown ones were reported.
#[derive(Debug, Clone)]
pub(crate) struct Fields<'a> {
    /// How findings call the map: ``the task `pay` ``, `` `catch` of the task `pay` ``.
    pub(crate) owner: String,
    /// Where to point when a key is missing.
    pub(crate) place: Place,
    entries: &'a [Entry],
}

impl<'a> Fields<'a> {
    /// `None` when the value is no map, which is reported.
    pub(crate) fn open(
        findings: &mut Findings,
        node: &'a Node,
        place: Place,
        owner: &str,
        known: &[&str],
    ) -> Option<Self> {
        let fields = Self::open_any(findings, node, place, owner)?;
        fields.refuse_unknown(findings, known);
        Some(fields)
    }

    /// The same for a map whose known keys are told later.
    pub(crate) fn open_any(
        findings: &mut Findings,
        node: &'a Node,
        place: Place,
        owner: &str,
    ) -> Option<Self> {
        let Content::Map(entries) = &node.content else {
            let at = if node.is_null() { place } else { node.place };
            expected(findings, at, owner, "a map (`key: value`)", node);
            return None;
        };
        Some(Self {
            owner: owner.to_owned(),
            place,
            entries,
        })
    }

    pub(crate) fn refuse_unknown(&self, findings: &mut Findings, known: &[&str]) {
        for entry in self.entries {
            let key = entry.key.text.as_str();
            if !known.contains(&key) {
                findings
                    .error(
                        "CW0102",
                        entry.key.place,
                        format!("unknown key `{key}` in {}", self.owner),
                    )
                    .help(suggestion(key, known.iter().copied(), "remove it"));
            }
        }
    }

    pub(crate) fn entries(&self) -> &'a [Entry] {
        self.entries
    }

    pub(crate) fn get(&self, key: &str) -> Option<&'a Entry> {
        self.entries.iter().find(|entry| entry.key.text == key)
    }

    /// Reports a key that is missing; `write` shows how to write it.
    pub(crate) fn required(
        &self,
        findings: &mut Findings,
        key: &str,
        write: &str,
    ) -> Option<&'a Entry> {
        let entry = self.get(key);
        if entry.is_none() {
            findings
                .error(
                    "CW0101",
                    self.place,
                    format!("{} has no `{key}`", self.owner),
                )
                .help(format!("add `{write}`"));
        }
        entry
    }

    /// Text under a key; anything else is reported.
    pub(crate) fn text(&self, findings: &mut Findings, entry: &'a Entry) -> Option<&'a str> {
        let text = entry.value.as_text();
        if text.is_none() {
            self.expected(findings, entry, "text");
        }
        text
    }

    /// Reports a value of the wrong kind under one of these keys.
    pub(crate) fn expected(&self, findings: &mut Findings, entry: &Entry, wanted: &str) {
        let owner = format!("`{}` of {}", entry.key.text, self.owner);
        expected(findings, entry.place(), &owner, wanted, &entry.value);
    }
}

/// Reports a value of the wrong kind.
pub(crate) fn expected(
    findings: &mut Findings,
    place: Place,
    owner: &str,
    wanted: &str,
    found: &Node,
) {
    let finding = findings.error(
        "CW0103",
        place,
        format!("{owner} must be {wanted}, found {}", found.described()),
    );
    match (&found.content, wanted) {
        (Content::Integer(_) | Content::Float(_) | Content::Bool(_), "text") => {
            finding.help("put it in quotes to make it text");
        }
        (Content::Text(text), "`true` or `false`")
            if matches!(text.value.as_str(), "yes" | "no" | "on" | "off") =>
        {
            finding.help("`yes`, `no`, `on` and `off` are text: write `true` or `false`");
        }
        _ => {}
    }
}
