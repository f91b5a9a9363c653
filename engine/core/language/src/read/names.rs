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

/// Functions that the document defines, by name.
type Functions<'n> = BTreeMap<&'n str, &'n Node>;

#[derive(Debug, Clone, Default)]
pub(super) struct Names {
    tasks: BTreeMap<String, Known>,
    forks: BTreeSet<String>,
    /// Names of functions and extensions that no task has.
    reusable: BTreeSet<String>,
    /// How many tasks there are.
    pub(super) count: usize,
    /// How many tasks have an `export`.
    pub(super) exports: usize,
    /// Whether some task asks people for an amount, or runs a workflow that may.
    pub(super) money_asked: bool,
}

impl Names {
    pub(super) fn scan(root: &Node) -> Self {
        let mut names = Self::default();
        let defined = root.get("use").and_then(|it| it.get("functions"));
        let defined = defined.and_then(Node::as_map).unwrap_or_default();
        let functions: Functions<'_> = defined
            .iter()
            .map(|entry| (entry.key.text.as_str(), &entry.value))
            .collect();
        for (name, body) in &functions {
            names.count += 1;
            names.exports += usize::from(body.get("export").is_some());
            names.inner(body, name, &functions);
            names.reusable.insert((*name).to_owned());
        }
        let extensions = root.get("use").and_then(|it| it.get("extensions"));
        let extensions = extensions.and_then(Node::as_list).unwrap_or_default();
        for entry in extensions.iter().filter_map(Node::as_map).flatten() {
            names.reusable.insert(entry.key.text.clone());
            let lists = ["before", "after"].map(|key| entry.value.get(key));
            for list in lists.into_iter().flatten() {
                names.list(list, Some(&entry.key.text), &functions);
            }
        }
        // Last, since a name of the document's own list counts before one in `use`.
        if let Some(list) = root.get("do") {
            names.list(list, None, &functions);
        }
        let Self {
            tasks, reusable, ..
        } = &mut names;
        reusable.retain(|name| !tasks.contains_key(name));
        names
    }

    pub(super) fn get(&self, name: &str) -> Option<&Known> {
        self.tasks.get(name)
    }

    /// Whether a task of this name is a fork, whose output is a list.
    pub(super) fn is_fork(&self, name: &str) -> bool {
        self.forks.contains(name)
    }

    /// Of a task that does not lie inside another that can be named instead: whether it belongs to
    /// a function or an extension, and its line.
    pub(super) fn apart(&self, name: &str) -> Option<(bool, usize)> {
        let known = self.tasks.get(name)?;
        match &known.inside {
            None => Some((false, known.line)),
            Some(inside) => self.reusable.contains(inside).then_some((true, known.line)),
        }
    }

    pub(super) fn human(&self) -> impl Iterator<Item = &str> {
        let human = self.tasks.iter().filter(|(_, known)| known.human);
        human.map(|(name, _)| name.as_str())
    }

    fn list(&mut self, list: &Node, inside: Option<&str>, functions: &Functions<'_>) {
        for item in list.as_list().unwrap_or_default() {
            for entry in item.as_map().unwrap_or_default() {
                let known = self.tasks.entry(entry.key.text.clone()).or_default();
                self.count += 1;
                let body = called(&entry.value, functions);
                known.human |= is_human(body);
                self.money_asked |= has_limit(body) || body.get("run").is_some();
                known.outcomes.extend(outcomes(body));
                known.inside = inside.map(str::to_owned);
                known.line = entry.key.place.line;
                let each = entry.value.get("foreach");
                let exports = [Some(&entry.value), each].into_iter().flatten();
                let exports = exports.filter(|it| it.get("export").is_some());
                self.exports += exports.count();
                self.inner(&entry.value, &entry.key.text, functions);
            }
        }
    }

    fn inner(&mut self, body: &Node, name: &str, functions: &Functions<'_>) {
        for key in KEYS_WITH_TASKS {
            match body.get(key) {
                Some(node) if matches!(node.content, Content::List(_)) => {
                    self.list(node, Some(name), functions);
                }
                Some(node) => {
                    if let Some(list) = node.get("do") {
                        self.list(list, Some(name), functions);
                    }
                }
                None => {}
            }
        }
        if let Some(branches) = branches(body) {
            self.list(branches, Some(name), functions);
            self.forks.insert(name.to_owned());
        }
    }
}

/// The task that a call comes to: that of the function it calls, where the document defines it.
fn called<'n>(body: &'n Node, functions: &Functions<'n>) -> &'n Node {
    let mut body = body;
    // One that calls itself is refused elsewhere.
    for _ in 0..=functions.len() {
        match function(body).and_then(|name| functions.get(name)) {
            Some(defined) => body = defined,
            None => break,
        }
    }
    body
}

fn is_human(body: &Node) -> bool {
    matches!(function(body), Some("human-task" | "approval"))
}

fn has_limit(body: &Node) -> bool {
    let rules = body.get("with").and_then(|with| with.get("rules"));
    rules.is_some_and(|rules| rules.get("limit").is_some())
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
