//! Every task of the document by name, gathered before anything is read: for names that point
//! forward, and for saying that a task exists but lies elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use crate::yaml::{Content, Node};

/// Where a task holds lists of tasks.
const KEYS_WITH_TASKS: [&str; 4] = ["do", "try", "catch", "foreach"];

/// What is known of the tasks that bear one name.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    /// Whether one of them is work for people.
    pub(super) human: bool,
    /// What people may answer there.
    pub(super) outcomes: Vec<String>,
    /// Name of the task around one of them; `None` when it stands in the document's own list.
    pub(super) inside: Option<String>,
    /// Line of one of them.
    pub(super) line: usize,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Names {
    tasks: BTreeMap<String, Known>,
    forks: BTreeSet<String>,
    /// How many tasks there are.
    pub(super) count: usize,
    /// How many tasks have an `export`.
    pub(super) exports: usize,
}

impl Names {
    pub(super) fn scan(root: &Node) -> Self {
        let mut names = Self::default();
        if let Some(list) = root.get("do") {
            names.list(list, None);
        }
        names
    }

    pub(super) fn get(&self, name: &str) -> Option<&Known> {
        self.tasks.get(name)
    }

    /// Whether a task of this name is a fork, whose output is a list.
    pub(super) fn is_fork(&self, name: &str) -> bool {
        self.forks.contains(name)
    }

    pub(super) fn human(&self) -> impl Iterator<Item = &str> {
        let human = self.tasks.iter().filter(|(_, known)| known.human);
        human.map(|(name, _)| name.as_str())
    }

    fn list(&mut self, list: &Node, inside: Option<&str>) {
        for item in list.as_list().unwrap_or_default() {
            for entry in item.as_map().unwrap_or_default() {
                let known = self.tasks.entry(entry.key.text.clone()).or_default();
                self.count += 1;
                known.human |= is_human(&entry.value);
                known.outcomes.extend(outcomes(&entry.value));
                known.inside = inside.map(str::to_owned);
                known.line = entry.key.place.line;
                self.exports += usize::from(entry.value.get("export").is_some());
                self.inner(&entry.value, &entry.key.text);
            }
        }
    }

    fn inner(&mut self, body: &Node, name: &str) {
        for key in KEYS_WITH_TASKS {
            match body.get(key) {
                Some(node) if matches!(node.content, Content::List(_)) => {
                    self.list(node, Some(name));
                }
                Some(node) => {
                    if let Some(list) = node.get("do") {
                        self.list(list, Some(name));
                    }
                }
                None => {}
            }
        }
        if let Some(branches) = branches(body) {
            self.list(branches, Some(name));
            self.forks.insert(name.to_owned());
        }
    }
}

fn is_human(body: &Node) -> bool {
    matches!(function(body), Some("human-task" | "approval"))
}

fn function(body: &Node) -> Option<&str> {
    let function = body.get("call").and_then(Node::as_text)?;
    function.split([':', '@']).next()
}

fn outcomes(body: &Node) -> Vec<String> {
    let written = body.get("with").and_then(|with| with.get("outcomes"));
    let defaults: &[&str] = match (function(body), written) {
        (Some("human-task"), None) => &["done"],
        (Some("approval"), None) => &["approve", "decline"],
        _ => &[],
    };
    let items = written.and_then(Node::as_list).unwrap_or_default();
    let written = items.iter().filter_map(Node::as_text);
    written
        .chain(defaults.iter().copied())
        .map(str::to_owned)
        .collect()
}

fn branches(body: &Node) -> Option<&Node> {
    body.get("fork")?.get("branches")
}

/// The first work for people inside a list, by name.
pub(super) fn human_inside(list: &Node) -> Option<&str> {
    let items = list.as_list().unwrap_or_default();
    let entries = items.iter().filter_map(Node::as_map).flatten();
    entries.into_iter().find_map(|entry| {
        if is_human(&entry.value) {
            return Some(entry.key.text.as_str());
        }
        let within = KEYS_WITH_TASKS.iter().find_map(|key| {
            let node = entry.value.get(key)?;
            human_inside(node).or_else(|| human_inside(node.get("do")?))
        });
        within.or_else(|| human_inside(branches(&entry.value)?))
    })
}

/// A name as part of a JSON pointer.
pub(super) fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
