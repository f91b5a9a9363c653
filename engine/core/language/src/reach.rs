//! What of a workflow can be reached: its tasks, and the ways that part at them - the cases of a
//! `switch`, the outcomes of human work, the `catch` of a `try` - each with its line. Whoever runs
//! a workflow compares what was reached with it.
//!
//! It does not say whether anything leads there; it runs nothing.

use serde_json::Value;

use crate::Workflow;
use crate::diagnostic::Findings;
use crate::workflow::{Kind, Task};
use crate::yaml::{self, Content, Node};

/// A task, or one way that parts at it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reach {
    /// JSON pointer of the task.
    pub reference: String,
    /// Name of the task.
    pub task: String,
    /// `None` for the task itself.
    pub way: Option<Way>,
    /// In the document, from 1.
    pub line: usize,
}

/// One way of several.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// A case of a `switch`, by its name.
    Case(String),
    /// An outcome of human work.
    Outcome(String),
    /// The `catch` of a `try`, once it does not try again.
    Catch,
}

impl Way {
    /// What a run calls it.
    pub fn name(&self) -> &str {
        match self {
            Self::Case(name) | Self::Outcome(name) => name,
            Self::Catch => "catch",
        }
    }
}

/// Everything in the order of the document. `text` is what the workflow was read from: it has the
/// lines.
pub fn reach(workflow: &Workflow, text: &str) -> Vec<Reach> {
    let root = yaml::parse(text, &mut Findings::new(""));
    let mut found = Vec::new();
    gather(&workflow.tasks, root.as_ref(), &mut found);
    found
}

fn gather(tasks: &[Task], root: Option<&Node>, found: &mut Vec<Reach>) {
    for task in tasks {
        found.push(one(task, None, task.line));
        for (way, within) in ways(task) {
            let pointer = format!("{}{within}", task.reference);
            let line = root.and_then(|root| line_of(root, &pointer));
            found.push(one(task, Some(way), line.unwrap_or(task.line)));
        }
        for list in task.lists() {
            gather(list, root, found);
        }
    }
}

fn one(task: &Task, way: Option<Way>, line: usize) -> Reach {
    Reach {
        reference: task.reference.clone(),
        task: task.name.clone(),
        way,
        line,
    }
}

/// Each with where it is written below the task.
fn ways(task: &Task) -> Vec<(Way, String)> {
    match &task.kind {
        Kind::Switch(_) => {
            let cases = task.definition.get("switch").and_then(Value::as_array);
            let names = cases
                .into_iter()
                .flatten()
                .filter_map(|case| case.as_object()?.keys().next());
            let way = |(index, name): (usize, &String)| {
                let escaped = name.replace('~', "~0").replace('/', "~1");
                (
                    Way::Case(name.clone()),
                    format!("/switch/{index}/{escaped}"),
                )
            };
            names.enumerate().map(way).collect()
        }
        Kind::Human(human) => {
            let outcomes = human.outcomes.iter().enumerate();
            let way = |(index, name): (usize, &String)| {
                (
                    Way::Outcome(name.clone()),
                    format!("/with/outcomes/{index}"),
                )
            };
            outcomes.map(way).collect()
        }
        Kind::Try(_) => vec![(Way::Catch, "/catch".to_owned())],
        Kind::Do(_)
        | Kind::For(_)
        | Kind::Fork(_)
        | Kind::Set(_)
        | Kind::Call(_)
        | Kind::Http(_)
        | Kind::OpenApi(_)
        | Kind::Function(_)
        | Kind::Raise(_)
        | Kind::Run(_)
        | Kind::Wait(_)
        | Kind::Emit(_)
        | Kind::Listen(_) => Vec::new(),
    }
}

/// Where the key or the item that this JSON pointer ends in is written.
fn line_of(root: &Node, pointer: &str) -> Option<usize> {
    let mut node = root;
    let mut line = root.place.line;
    for segment in pointer.split('/').skip(1) {
        let segment = segment.replace("~1", "/").replace("~0", "~");
        match &node.content {
            Content::Map(entries) => {
                let entry = entries.iter().find(|entry| entry.key.text == segment)?;
                (node, line) = (&entry.value, entry.key.place.line);
            }
            Content::List(items) => {
                node = items.get(segment.parse::<usize>().ok()?)?;
                line = node.place.line;
            }
            Content::Null
            | Content::Bool(_)
            | Content::Integer(_)
            | Content::Float(_)
            | Content::Text(_) => return None,
        }
    }
    Some(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Surroundings;

    const TEXT: &str = "\
document: { dsl: 1.0.3, namespace: test, name: w, version: 1.0.0 }
do:
  - ask:
      call: human-task
      with:
        title: Ask
        assign: { role: worker }
        outcomes:
          - yes
          - later
  - part:
      switch:
        - well:
            when: ${ $steps.ask.outcome == \"yes\" }
            then: go
        - otherwise:
            then: end
  - go:
      try:
        - look: { set: { a: 1 } }
      catch:
        do:
          - mend: { set: { a: 2 } }
";

    #[test]
    fn tasks_and_ways_stand_at_their_lines() {
        let reading = crate::read("w.yaml", TEXT, &Surroundings::default());
        let workflow = reading.workflow.expect("it has no mistakes");
        let found = reach(&workflow, TEXT);
        let told: Vec<_> = found
            .iter()
            .map(|one| {
                let way = one.way.as_ref().map_or("", Way::name);
                format!("{} {way} {}", one.task, one.line)
            })
            .collect();
        assert_eq!(
            told,
            [
                "ask  3",
                "ask yes 9",
                "ask later 10",
                "part  11",
                "part well 13",
                "part otherwise 16",
                "go  18",
                "go catch 21",
                "look  20",
                "mend  23",
            ]
        );
    }
}
