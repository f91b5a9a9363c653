//! A map whose keys are fixed: unknown keys are reported, missing ones named.

use super::{Content, Entry, Node, Place};
use crate::diagnostic::{Findings, similar, suggestion};

/// The keys of one map, after the unknown ones were reported.
#[derive(Debug, Clone)]
pub(crate) struct Fields<'a> {
    /// How findings call the map: ``the task `pay` ``, `` `catch` of the task `pay` ``.
    pub(crate) owner: String,
    /// Where to point when a key is missing.
    pub(crate) place: Place,
    entries: &'a [Entry],
    /// Keys that are not known; filled when they are reported.
    unknown: Vec<&'a str>,
    known: Vec<String>,
}

/// `` `key` of the owner ``, or `` `a.key` of the task `x` `` below `` `a` of the task `x` ``.
pub(crate) fn under(owner: &str, key: &str) -> String {
    let path = owner
        .strip_prefix('`')
        .and_then(|rest| rest.split_once('`'));
    match path {
        Some((path, rest)) => format!("`{path}.{key}`{rest}"),
        None => format!("`{key}` of {owner}"),
    }
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
        let mut fields = Self::open_any(findings, node, place, owner)?;
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
            unknown: Vec::new(),
            known: Vec::new(),
        })
    }

    pub(crate) fn refuse_unknown(&mut self, findings: &mut Findings, known: &[&str]) {
        self.known = known.iter().map(|key| (*key).to_owned()).collect();
        for entry in self.entries {
            let key = entry.key.text.as_str();
            if !known.contains(&key) && !findings.full() {
                self.unknown.push(key);
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

    /// Reports a key that is missing, unless it was misspelt; `write` shows how to write it.
    pub(crate) fn required(
        &self,
        findings: &mut Findings,
        key: &str,
        write: &str,
    ) -> Option<&'a Entry> {
        let entry = self.get(key);
        if entry.is_none() && !self.misspelt(key) {
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

    /// Whether an unknown key, reported as such, probably means this one.
    fn misspelt(&self, key: &str) -> bool {
        let known = || self.known.iter().map(String::as_str);
        self.unknown
            .iter()
            .any(|word| similar(word, known()) == Some(key))
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
        let owner = under(&self.owner, &entry.key.text);
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
        (Content::Text(text), _) if text.value.parse::<i64>().is_ok() => {
            finding.help(format!("remove the quotes: {}", text.value));
        }
        (Content::Text(text), "`true` or `false`")
            if matches!(text.value.as_str(), "yes" | "no" | "on" | "off") =>
        {
            finding.help("`yes`, `no`, `on` and `off` are text: write `true` or `false`");
        }
        _ => {}
    }
}
