//! What is generated: a workflow as the interpreter walks it, and the same as a document.
//!
//! It holds only what the interpreter knows: tasks that need nothing from outside, calls, waits.

use serde_json::{Map, Value, json};

/// A document of such tasks.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) input: Value,
    pub(crate) tasks: Vec<Task>,
    pub(crate) output: Option<Jq>,
}

#[derive(Debug, Clone)]
pub(crate) struct Task {
    pub(crate) name: String,
    pub(crate) condition: Option<Jq>,
    pub(crate) from: Option<Jq>,
    pub(crate) transform: Option<Jq>,
    pub(crate) export: Option<Jq>,
    pub(crate) then: Then,
    pub(crate) kind: Kind,
}

#[derive(Debug, Clone)]
pub(crate) enum Kind {
    Set(Vec<(&'static str, Jq)>),
    Do(Vec<Task>),
    For {
        items: Jq,
        condition: Option<Jq>,
        tasks: Vec<Task>,
    },
    Fork {
        compete: bool,
        branches: Vec<Task>,
    },
    /// `None` is the default.
    Switch(Vec<(Option<Jq>, Then)>),
    Try {
        tasks: Vec<Task>,
        status: Option<i64>,
        when: Option<Jq>,
        retries: Option<u32>,
        handler: Option<Vec<Task>>,
    },
    Raise(i64),
    /// A function gives its input back, or fails.
    Call {
        fails: bool,
        with: i64,
    },
    Wait,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    Unsaid,
    Continue,
    Exit,
    End,
    /// So many tasks further on in the list; beyond its end it is not said.
    Skip(usize),
}

/// An expression.
#[derive(Debug, Clone)]
pub(crate) enum Jq {
    Dot,
    Literal(Value),
    Field(Box<Jq>, &'static str),
    Context,
    Input,
    Item,
    /// Of the caught error; its texts are not for the interpreter to know.
    Status,
    /// Output of the task so many places before in the same list; null when there is none.
    Before(usize),
    Add(Box<Jq>, Box<Jq>),
    Equal(Box<Jq>, Box<Jq>),
    Less(Box<Jq>, Box<Jq>),
    Or(Box<Jq>, Box<Jq>),
    Object(Vec<(&'static str, Jq)>),
}

/// Names in the order of the text, so that each is there once.
pub(crate) fn name(tasks: &mut [Task], count: &mut usize) {
    for task in tasks {
        task.name = format!("t{count}");
        *count += 1;
        match &mut task.kind {
            Kind::Do(tasks) | Kind::For { tasks, .. } => name(tasks, count),
            Kind::Fork { branches, .. } => name(branches, count),
            Kind::Try { tasks, handler, .. } => {
                name(tasks, count);
                name(handler.as_deref_mut().unwrap_or_default(), count);
            }
            Kind::Set(_) | Kind::Switch(_) | Kind::Raise(_) | Kind::Call { .. } | Kind::Wait => {}
        }
    }
}

/// The list around an expression, and the place in it.
pub(crate) type Around<'a> = (&'a [Task], usize);

impl Jq {
    pub(crate) fn text(&self, around: Around<'_>) -> String {
        let (tasks, index) = around;
        let two = |one: &Jq, sign: &str, other: &Jq| {
            format!("({} {sign} {})", one.text(around), other.text(around))
        };
        match self {
            Self::Dot => ".".to_owned(),
            Self::Literal(value) => value.to_string(),
            Self::Field(of, name) => match &**of {
                Self::Dot => format!(".{name}"),
                of => format!("{}.{name}", of.text(around)),
            },
            Self::Context => "$context".to_owned(),
            Self::Input => "$input".to_owned(),
            Self::Item => "$item".to_owned(),
            Self::Status => "$error.status".to_owned(),
            Self::Before(back) => match before(tasks, index, *back) {
                Some(task) => format!("$steps.{}", task.name),
                None => "null".to_owned(),
            },
            Self::Add(one, other) => two(one, "+", other),
            Self::Equal(one, other) => two(one, "==", other),
            Self::Less(one, other) => two(one, "<", other),
            Self::Or(one, other) => two(one, "//", other),
            Self::Object(members) => {
                let members = members
                    .iter()
                    .map(|(name, value)| format!("{name}: {}", value.text(around)));
                format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
            }
        }
    }

    fn whole(&self, around: Around<'_>) -> Value {
        json!(format!("${{ {} }}", self.text(around)))
    }
}

pub(crate) fn before(tasks: &[Task], index: usize, back: usize) -> Option<&Task> {
    tasks.get(index.checked_sub(back + 1)?)
}

impl Plan {
    pub(crate) fn document(&self) -> Value {
        let mut document = json!({
            "document": {
                "dsl": "1.0.3", "namespace": "agency", "name": "generated", "version": "1.0.0",
            },
            "do": list(&self.tasks),
        });
        if let Some(output) = &self.output {
            document["output"] = json!({ "as": output.whole((&[], 0)) });
        }
        document
    }
}

fn list(tasks: &[Task]) -> Value {
    let named = tasks.iter().enumerate();
    named
        .map(|(index, task)| json!({ &task.name: task.document((tasks, index)) }))
        .collect()
}

/// Branches do not lead to each other, nor name each other's output.
fn alone(branches: &[Task]) -> Value {
    let named = branches.iter().map(|branch| {
        let body = branch.document((std::slice::from_ref(branch), 0));
        json!({ &branch.name: body })
    });
    named.collect()
}

impl Task {
    fn document(&self, around: Around<'_>) -> Value {
        let mut body = self.kind.document(around);
        let members = body.as_object_mut().expect("a task is a map");
        let mut say = |key: &str, value: Value| drop(members.insert(key.to_owned(), value));
        if let Some(condition) = &self.condition {
            say("if", condition.whole(around));
        }
        if let Some(from) = &self.from {
            say("input", json!({ "from": from.whole(around) }));
        }
        if let Some(transform) = &self.transform {
            say("output", json!({ "as": transform.whole(around) }));
        }
        if let Some(export) = &self.export {
            say("export", json!({ "as": export.whole(around) }));
        }
        if let Some(then) = self.then.text(around) {
            say("then", json!(then));
        }
        body
    }
}

impl Then {
    /// Where it leads to, if that can be said here.
    pub(crate) fn text(self, (tasks, index): Around<'_>) -> Option<String> {
        match self {
            Self::Unsaid => None,
            Self::Continue => Some("continue".to_owned()),
            Self::Exit => Some("exit".to_owned()),
            Self::End => Some("end".to_owned()),
            Self::Skip(further) => Some(tasks.get(index + 1 + further)?.name.clone()),
        }
    }
}

impl Kind {
    fn document(&self, around: Around<'_>) -> Value {
        match self {
            Self::Set(members) => {
                let members = members.iter();
                let members: Map<String, Value> = members
                    .map(|(name, value)| ((*name).to_owned(), value.whole(around)))
                    .collect();
                json!({ "set": members })
            }
            Self::Do(tasks) => json!({ "do": list(tasks) }),
            Self::For {
                items,
                condition,
                tasks,
            } => {
                let mut body = json!({
                    "for": { "in": items.whole(around) }, "do": list(tasks),
                });
                if let Some(condition) = condition {
                    body["while"] = condition.whole(around);
                }
                body
            }
            Self::Fork { compete, branches } => {
                json!({ "fork": { "compete": compete, "branches": alone(branches) } })
            }
            Self::Switch(cases) => {
                let cases = cases.iter().enumerate().map(|(number, (when, then))| {
                    let mut case = Map::new();
                    if let Some(when) = when {
                        case.insert("when".to_owned(), when.whole(around));
                    }
                    let then = then.text(around).unwrap_or_else(|| "continue".to_owned());
                    case.insert("then".to_owned(), json!(then));
                    json!({ format!("case{number}"): case })
                });
                json!({ "switch": cases.collect::<Vec<_>>() })
            }
            Self::Try {
                tasks,
                status,
                when,
                retries,
                handler,
            } => {
                let mut catch = Map::new();
                let mut say = |key: &str, value: Value| drop(catch.insert(key.to_owned(), value));
                if let Some(status) = status {
                    say("errors", json!({ "with": { "status": status } }));
                }
                if let Some(when) = when {
                    say("when", when.whole(around));
                }
                if let Some(retries) = retries {
                    let limit = json!({ "attempt": { "count": retries } });
                    say("retry", json!({ "delay": "PT1S", "limit": limit }));
                }
                if let Some(handler) = handler {
                    say("do", list(handler));
                }
                json!({ "try": list(tasks), "catch": catch })
            }
            Self::Raise(status) => {
                json!({ "raise": { "error": { "type": "urn:example:no", "status": status } } })
            }
            Self::Call { fails, with } => {
                let function = if *fails { "echo.fail" } else { "echo.give" };
                json!({ "call": function, "with": { "n": with } })
            }
            Self::Wait => json!({ "wait": "PT1S" }),
        }
    }
}
