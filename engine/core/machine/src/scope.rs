//! What an expression may see, and from where: the lists around a task, and the variables that
//! exist at each stage of it. Nothing is evaluated here.

use std::borrow::Cow;

use casewright_language::expression::Variables;
use casewright_language::{Task, Workflow};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::record::Record;

/// A list around a task, or a construct that brings a variable, from the inside out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scope<'a> {
    pub(crate) outer: Option<&'a Scope<'a>>,
    /// Empty when this scope only brings a variable, or is that of a branch of a fork.
    pub(crate) tasks: &'a [Task],
    /// Which entry of its task this is, or which round of a loop, from 1; 0 where it tells nothing
    /// apart.
    pub(crate) ordinal: u32,
    /// What a `catch` calls the error, a `for` its item.
    pub(crate) variable: Option<(&'a str, &'a Value)>,
    /// What is further out is not seen from within.
    pub(crate) wall: Option<Wall<'a>>,
    /// A `try` around may run this again: intents must be kept.
    pub(crate) kept: bool,
}

/// Around tasks that are written once and run in several places: those of functions and extensions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wall<'a> {
    /// The task that is extended: `$task` of all within.
    pub(crate) task: Option<TaskSight<'a>>,
}

/// The variables at one stage of one task, or of the workflow itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sight<'a> {
    pub(crate) workflow: &'a Workflow,
    pub(crate) record: &'a Record,
    /// Where a fault of this stage happened.
    pub(crate) place: &'a str,
    pub(crate) scope: Option<&'a Scope<'a>>,
    pub(crate) context: bool,
    /// `$input`: transformed.
    pub(crate) input: Option<&'a Value>,
    /// `$output`: transformed.
    pub(crate) output: Option<&'a Value>,
    pub(crate) task: Option<TaskSight<'a>>,
}

/// `$task`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TaskSight<'a> {
    pub(crate) task: &'a Task,
    /// Raw.
    pub(crate) input: &'a Value,
    /// Raw.
    pub(crate) output: Option<&'a Value>,
    pub(crate) started_at: Timestamp,
}

impl<'a> Scope<'a> {
    /// Around what belongs to a construct; it brings nothing by itself.
    pub(crate) fn within(outer: &'a Scope<'a>) -> Self {
        Self {
            outer: Some(outer),
            tasks: &[],
            ordinal: 0,
            variable: None,
            wall: None,
            kept: outer.kept,
        }
    }

    fn chain(&'a self) -> impl Iterator<Item = &'a Scope<'a>> {
        std::iter::successors(Some(self), |scope| scope.outer)
    }

    /// What expressions see: up to the nearest wall, which itself is seen.
    fn seen(&'a self) -> impl Iterator<Item = &'a Scope<'a>> {
        let inside = |scope: &&'a Scope<'a>| scope.wall.is_none();
        std::iter::successors(Some(self), move |scope| {
            Some(*scope).filter(inside).and_then(|scope| scope.outer)
        })
    }

    /// Rounds of the loops around, outer before inner.
    pub(crate) fn rounds(&self) -> Vec<u32> {
        let loops = self.chain().filter(|scope| scope.tasks.is_empty());
        let mut rounds: Vec<u32> = loops
            .map(|scope| scope.ordinal)
            .filter(|ordinal| *ordinal > 0)
            .collect();
        rounds.reverse();
        rounds
    }

    /// Tells one entry of a task from all others, but not from the same entry in a retried `try`.
    pub(crate) fn entry_path(&self, task: &Task) -> String {
        let mut ordinals: Vec<String> = self
            .chain()
            .filter(|scope| !scope.tasks.is_empty() || scope.ordinal > 0)
            .map(|scope| scope.ordinal.to_string())
            .collect();
        ordinals.reverse();
        format!("{}/#{}", task.reference, ordinals.join("."))
    }
}

/// The pointer of the list that a task stands in: `/do/0/a/try` of `/do/0/a/try/0/b`.
pub(crate) fn list_of(reference: &str) -> &str {
    let list = reference
        .rsplit_once('/')
        .and_then(|(rest, _)| rest.rsplit_once('/'));
    list.map_or(reference, |(list, _)| list)
}

impl Sight<'_> {
    /// Outputs of the tasks of this list and of those around it; the nearest name wins.
    fn steps(&self) -> Cow<'_, Value> {
        let lists = self.scope.into_iter().flat_map(Scope::seen);
        let mut outputs = lists.filter_map(|scope| {
            let list = list_of(&scope.tasks.first()?.reference);
            self.record.steps.get(list).map(|outputs| &**outputs)
        });
        let Some(nearest) = outputs.next() else {
            return Cow::Owned(Value::Object(Map::new()));
        };
        let mut merged = Cow::Borrowed(nearest);
        for outer in outputs {
            let (Some(outer), Some(all)) = (outer.as_object(), merged.to_mut().as_object_mut())
            else {
                continue;
            };
            for (task, output) in outer {
                all.entry(task).or_insert_with(|| output.clone());
            }
        }
        merged
    }

    fn workflow(&self) -> Value {
        let facts = &self.record.facts;
        json!({
            "id": facts.id,
            "definition": self.workflow.definition,
            "input": facts.input,
            "startedAt": moment(facts.started_at),
        })
    }

    fn runtime(&self) -> Value {
        let runtime = &self.record.facts.runtime;
        json!({ "name": runtime.name, "version": runtime.version, "metadata": {} })
    }

    fn case(&self) -> Value {
        let case = &self.record.facts.case;
        json!({ "id": case.id, "number": case.number, "opened": case.opened.to_string() })
    }
}

impl Sight<'_> {
    /// A member of `$workflow`; the same as in [`Sight::workflow`].
    fn workflow_member(&self, member: &str) -> Option<Cow<'_, Value>> {
        let facts = &self.record.facts;
        match member {
            "id" => Some(Cow::Owned(Value::from(facts.id.as_str()))),
            "definition" => Some(Cow::Borrowed(&self.workflow.definition)),
            "input" => Some(Cow::Borrowed(&facts.input)),
            "startedAt" => Some(Cow::Owned(moment(facts.started_at))),
            _ => None,
        }
    }

    /// A member of `$steps`, from the nearest list that has it.
    fn step(&self, task: &str) -> Option<Cow<'_, Value>> {
        let lists = self.scope.into_iter().flat_map(Scope::seen);
        let mut outputs = lists.filter_map(|scope| {
            let list = list_of(&scope.tasks.first()?.reference);
            self.record.steps.get(list)
        });
        outputs
            .find_map(|outputs| outputs.get(task))
            .map(Cow::Borrowed)
    }

    /// The task that `$task` describes, and whether it is seen from an extension around it.
    fn task(&self) -> Option<(&TaskSight<'_>, bool)> {
        let mut scopes = self.scope.into_iter().flat_map(Scope::seen);
        match scopes.find_map(|scope| scope.wall.as_ref()?.task.as_ref()) {
            Some(extended) => Some((extended, true)),
            None => self.task.as_ref().map(|task| (task, false)),
        }
    }
}

impl TaskSight<'_> {
    /// The same as in [`TaskSight::value`].
    fn member(&self, member: &str) -> Option<Cow<'_, Value>> {
        match member {
            "name" => Some(Cow::Owned(Value::from(self.task.name.as_str()))),
            "definition" => Some(Cow::Borrowed(&self.task.definition)),
            "input" => Some(Cow::Borrowed(self.input)),
            "output" => self.output.map(Cow::Borrowed),
            _ => None,
        }
    }

    fn value(&self) -> Value {
        let mut value = json!({
            "name": self.task.name,
            "reference": self.task.pointer(),
            "definition": self.task.definition,
            "input": self.input,
            "startedAt": moment(self.started_at),
        });
        if let (Some(output), Some(members)) = (self.output, value.as_object_mut()) {
            members.insert("output".to_owned(), output.clone());
        }
        value
    }

    /// As tasks of an extension see it: the specification names both what the author wrote
    /// (`$task.with`) and what is known of the run (`$task.reference`).
    fn extended(&self) -> Value {
        let mut value = self.value();
        let written = self.task.definition.as_object();
        if let (Some(members), Some(written)) = (value.as_object_mut(), written) {
            for (key, part) in written {
                members.entry(key).or_insert_with(|| part.clone());
            }
        }
        value
    }
}

impl Variables for Sight<'_> {
    fn variable(&self, name: &str) -> Option<Cow<'_, Value>> {
        match name {
            "context" => self.context.then_some(Cow::Borrowed(&*self.record.context)),
            "input" => self.input.map(Cow::Borrowed),
            "output" => self.output.map(Cow::Borrowed),
            "task" => self.task().map(|(task, extended)| {
                Cow::Owned(if extended {
                    task.extended()
                } else {
                    task.value()
                })
            }),
            "workflow" => Some(Cow::Owned(self.workflow())),
            "runtime" => Some(Cow::Owned(self.runtime())),
            "case" => Some(Cow::Owned(self.case())),
            "steps" => self.scope.map(|_| self.steps()),
            _ => {
                let mut scopes = self.scope.into_iter().flat_map(Scope::seen);
                scopes.find_map(|scope| {
                    let (variable, value) = scope.variable?;
                    (variable == name).then_some(Cow::Borrowed(value))
                })
            }
        }
    }

    fn member(&self, name: &str, member: &str) -> Option<Cow<'_, Value>> {
        match name {
            "workflow" => self.workflow_member(member),
            "task" => self.task()?.0.member(member),
            "steps" => self.scope.and_then(|_| self.step(member)),
            _ => None,
        }
    }
}

/// A moment as `$workflow` and `$task` show it.
fn moment(at: Timestamp) -> Value {
    json!({
        "iso8601": at.to_string(),
        "epoch": { "seconds": at.as_second(), "milliseconds": at.as_millisecond() },
    })
}
