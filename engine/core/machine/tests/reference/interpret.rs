//! The interpreter: what a workflow comes to, told from the specification and the choices that
//! the engine documents, by plain recursion. It shares nothing with the machine.
//!
//! It knows no time: whatever waits is answered at once, in the order it asks. Where the order of
//! branches would matter to the outcome it says so and gives up.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::plan::{Around, Jq, Kind, Plan, Task, Then, before};

/// How a run ends, with the tasks in the order they began and how each ended; sorted where they
/// are those of branches that waited and so went on in turn.
#[derive(Debug, PartialEq)]
pub(crate) struct Ended {
    pub(crate) outcome: Result<Value, Fault>,
    pub(crate) tasks: Vec<(String, &'static str)>,
    pub(crate) mixed: bool,
}

/// Type, status and place of an error.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fault {
    pub(crate) kind: String,
    pub(crate) status: i64,
    pub(crate) instance: String,
}

/// Why a list stops.
enum Stop {
    Fault(Fault),
    /// `end`, with the output of the workflow.
    End(Value),
    /// What comes first is up to whoever answers first.
    Unsure,
}

type Flow<T> = Result<T, Stop>;

const EXPRESSION: &str = "https://serverlessworkflow.io/spec/1.0.0/errors/expression";
const VALIDATION: &str = "https://serverlessworkflow.io/spec/1.0.0/errors/validation";

#[derive(Default)]
struct World {
    context: Value,
    /// Outputs by list and task.
    steps: BTreeMap<String, BTreeMap<String, Value>>,
    tasks: Vec<(String, &'static str)>,
    /// Calls, waits and retries so far.
    waits: usize,
    /// Whether tasks of several branches stand between each other.
    mixed: bool,
}

/// What expressions of a task see.
#[derive(Clone, Copy)]
struct Sight<'a> {
    list: &'a str,
    around: Around<'a>,
    input: Option<&'a Value>,
    item: Option<&'a Value>,
    /// Its status.
    error: Option<&'a Value>,
}

/// What surrounds a list.
#[derive(Clone, Copy, Default)]
struct Outer<'a> {
    item: Option<&'a Value>,
    error: Option<&'a Value>,
}

/// `None` where the outcome depends on who is faster.
pub(crate) fn interpret(plan: &Plan) -> Option<Ended> {
    let mut world = World {
        context: json!({}),
        ..World::default()
    };
    // Whoever sends nothing sends an empty object.
    let input = match &plan.input {
        Value::Null => json!({}),
        input => input.clone(),
    };
    let run = world.list(&plan.tasks, "/do", input, Outer::default());
    let last = match run {
        Ok((output, _)) | Err(Stop::End(output)) => Ok(output),
        Err(Stop::Fault(fault)) => Err(fault),
        Err(Stop::Unsure) => return None,
    };
    let outcome = last.and_then(|last| match &plan.output {
        None => Ok(last),
        Some(transform) => {
            let sight = Sight {
                list: "/do",
                around: (&[], 0),
                input: None,
                item: None,
                error: None,
            };
            world
                .jq(transform, &last, sight)
                .map_err(|()| fault(EXPRESSION, 400, "/output"))
        }
    });
    let ended = Ended {
        outcome,
        tasks: world.tasks,
        mixed: false,
    };
    Some(ended.sorted_if(world.mixed))
}

impl Ended {
    pub(crate) fn sorted_if(mut self, mixed: bool) -> Self {
        self.mixed = mixed;
        if mixed {
            self.tasks.sort();
        }
        self
    }
}

fn fault(kind: &str, status: i64, instance: &str) -> Fault {
    Fault {
        kind: kind.to_owned(),
        status,
        instance: instance.to_owned(),
    }
}

impl World {
    /// Output of the last task, and whether `exit` left the list.
    fn list(
        &mut self,
        tasks: &[Task],
        place: &str,
        input: Value,
        outer: Outer<'_>,
    ) -> Flow<(Value, bool)> {
        let (mut index, mut data) = (0, input);
        while let Some(task) = tasks.get(index) {
            let around = (tasks, index);
            let (output, then) = self.task(task, (place, around), &data, outer)?;
            data = output;
            match then {
                Then::Skip(further) if index + 1 + further < tasks.len() => index += 1 + further,
                Then::Unsaid | Then::Continue | Then::Skip(_) => index += 1,
                Then::Exit => return Ok((data, true)),
                Then::End => return Err(Stop::End(data)),
            }
        }
        Ok((data, false))
    }

    fn task(
        &mut self,
        task: &Task,
        (list, around): (&str, Around<'_>),
        raw: &Value,
        outer: Outer<'_>,
    ) -> Flow<(Value, Then)> {
        let place = format!("{list}/{}/{}", around.1, task.name);
        let early = Sight {
            list,
            around,
            input: None,
            item: outer.item,
            error: outer.error,
        };
        let wanted = match &task.condition {
            None => Ok(true),
            Some(condition) => self.holds(condition, raw, early),
        };
        if wanted == Ok(false) {
            return Ok((raw.clone(), Then::Unsaid));
        }
        let number = self.tasks.len();
        self.tasks.push((place.clone(), "running"));
        let broken = |()| Stop::Fault(fault(EXPRESSION, 400, &place));
        let done = wanted.map_err(broken).and_then(|_| {
            let input = match &task.from {
                None => raw.clone(),
                Some(from) => self.jq(from, raw, early).map_err(broken)?,
            };
            let sight = Sight {
                input: Some(&input),
                ..early
            };
            let (output, said) = self.kind(&task.kind, &place, &input, sight)?;
            let output = match &task.transform {
                None => output,
                Some(transform) => self.jq(transform, &output, sight).map_err(broken)?,
            };
            if let Some(export) = &task.export {
                self.context = self.jq(export, &output, sight).map_err(broken)?;
            }
            Ok((output, said))
        });
        self.tasks[number].1 = match &done {
            Ok(_) | Err(Stop::End(_)) => "completed",
            Err(_) => "faulted",
        };
        let (output, said) = done?;
        let outputs = self.steps.entry(list.to_owned()).or_default();
        outputs.insert(task.name.clone(), output.clone());
        let then = if said == Then::Unsaid {
            task.then
        } else {
            said
        };
        Ok((output, then))
    }

    fn kind(
        &mut self,
        kind: &Kind,
        place: &str,
        input: &Value,
        sight: Sight<'_>,
    ) -> Flow<(Value, Then)> {
        let outer = Outer {
            item: sight.item,
            error: sight.error,
        };
        let broken = |()| Stop::Fault(fault(EXPRESSION, 400, place));
        let output = match kind {
            Kind::Set(members) => {
                let mut made = Map::new();
                for (name, value) in members {
                    let value = self.jq(value, input, sight).map_err(broken)?;
                    made.insert((*name).to_owned(), value);
                }
                Value::Object(made)
            }
            Kind::Do(tasks) => {
                self.list(tasks, &format!("{place}/do"), input.clone(), outer)?
                    .0
            }
            Kind::For {
                items,
                condition,
                tasks,
            } => self.rounds(items, condition.as_ref(), tasks, place, input, sight)?,
            Kind::Fork { compete, branches } => {
                self.branches(*compete, branches, place, input, outer)?
            }
            Kind::Switch(cases) => {
                let mut standard = Then::Unsaid;
                for (when, then) in cases {
                    let said = if *then == Then::Unsaid {
                        Then::Continue
                    } else {
                        *then
                    };
                    match when {
                        None => standard = said,
                        Some(when) => {
                            if self.holds(when, input, sight).map_err(broken)? {
                                return Ok((input.clone(), said));
                            }
                        }
                    }
                }
                return Ok((input.clone(), standard));
            }
            Kind::Try { .. } => self.attempts(kind, place, input, sight)?,
            Kind::Raise(status) => {
                return Err(Stop::Fault(fault("urn:example:no", *status, place)));
            }
            Kind::Call { fails: true, .. } => {
                self.waits += 1;
                let kind = "urn:casewright:error:echo.closed";
                return Err(Stop::Fault(fault(kind, 422, place)));
            }
            Kind::Call { fails: false, with } => {
                self.waits += 1;
                json!({ "a": { "n": with } })
            }
            Kind::Wait => {
                self.waits += 1;
                input.clone()
            }
        };
        Ok((output, Then::Unsaid))
    }

    fn rounds(
        &mut self,
        items: &Jq,
        condition: Option<&Jq>,
        tasks: &[Task],
        place: &str,
        input: &Value,
        sight: Sight<'_>,
    ) -> Flow<Value> {
        let broken = |()| Stop::Fault(fault(EXPRESSION, 400, place));
        let Value::Array(items) = self.jq(items, input, sight).map_err(broken)? else {
            return Err(Stop::Fault(fault(VALIDATION, 400, place)));
        };
        let list = format!("{place}/do");
        let mut data = input.clone();
        for item in &items {
            self.forget(&list);
            let within = Sight {
                item: Some(item),
                ..sight
            };
            if let Some(condition) = condition
                && !self.holds(condition, &data, within).map_err(broken)?
            {
                break;
            }
            let outer = Outer {
                item: Some(item),
                error: sight.error,
            };
            let (output, left) = self.list(tasks, &list, data, outer)?;
            data = output;
            if left {
                break;
            }
        }
        self.forget(&list);
        Ok(data)
    }

    /// `$steps` shows a round its own outputs only.
    fn forget(&mut self, list: &str) {
        let within = format!("{list}/");
        self.steps
            .retain(|place, _| place != list && !place.starts_with(&within));
    }

    fn branches(
        &mut self,
        compete: bool,
        branches: &[Task],
        place: &str,
        input: &Value,
        outer: Outer<'_>,
    ) -> Flow<Value> {
        let list = format!("{place}/fork/branches");
        let (context, waits) = (self.context.clone(), self.waits);
        let mut outputs = Vec::new();
        for (index, branch) in branches.iter().enumerate() {
            let begun = self.tasks.len();
            // A branch stands in no list: it names no task before it.
            let around = (&branches[index..=index], 0);
            let place = format!("{list}/{index}/{}", branch.name);
            let done = self.branch(branch, (&list, index, around), input, outer);
            let skipped = self
                .tasks
                .get(begun)
                .is_none_or(|(begun, _)| *begun != place);
            self.context = context.clone();
            let waited = self.waits > waits;
            self.mixed |= waited && branches.len() > 1;
            match done {
                Ok(output) if compete && !skipped => {
                    if waited {
                        return Err(Stop::Unsure);
                    }
                    return Ok(output);
                }
                Ok(output) => outputs.push(output),
                Err(_) if waited => return Err(Stop::Unsure),
                Err(stop) => return Err(stop),
            }
            if compete && waited {
                return Err(Stop::Unsure);
            }
        }
        if compete {
            // All were skipped.
            return Err(Stop::Unsure);
        }
        Ok(Value::Array(outputs))
    }

    fn branch(
        &mut self,
        task: &Task,
        (list, index, _): (&str, usize, Around<'_>),
        input: &Value,
        outer: Outer<'_>,
    ) -> Flow<Value> {
        let alone = std::slice::from_ref(task);
        let begun = self.tasks.len();
        let done = self.task(task, (list, (alone, 0)), input, outer);
        // The place of a branch says which it is.
        let (from, to) = (
            format!("{list}/0/{}", task.name),
            format!("{list}/{index}/{}", task.name),
        );
        for (place, _) in &mut self.tasks[begun..] {
            if let Some(rest) = place.strip_prefix(&from) {
                *place = format!("{to}{rest}");
            }
        }
        self.steps.remove(list);
        let rename = |mut fault: Fault| {
            if let Some(rest) = fault.instance.strip_prefix(&from) {
                fault.instance = format!("{to}{rest}");
            }
            Stop::Fault(fault)
        };
        match done {
            Ok((output, Then::End)) => Err(Stop::End(output)),
            Ok((output, _)) => Ok(output),
            Err(Stop::Fault(fault)) => Err(rename(fault)),
            Err(stop) => Err(stop),
        }
    }

    fn attempts(
        &mut self,
        kind: &Kind,
        place: &str,
        input: &Value,
        sight: Sight<'_>,
    ) -> Flow<Value> {
        let Kind::Try {
            tasks,
            status,
            when,
            retries,
            handler,
        } = kind
        else {
            unreachable!("called for `try` alone");
        };
        let outer = Outer {
            item: sight.item,
            error: sight.error,
        };
        let mut left = retries.unwrap_or_default();
        loop {
            let done = self.list(tasks, &format!("{place}/try"), input.clone(), outer);
            let caught = match done {
                Err(Stop::Fault(caught)) => caught,
                done => return done.map(|(output, _)| output),
            };
            let error = json!(caught.status);
            let within = Sight {
                error: Some(&error),
                ..sight
            };
            let fits = status.is_none_or(|status| status == caught.status);
            let wanted = fits
                && match when {
                    None => true,
                    Some(when) => self
                        .holds(when, input, within)
                        .map_err(|()| Stop::Fault(fault(EXPRESSION, 400, place)))?,
                };
            if !wanted {
                return Err(Stop::Fault(caught));
            }
            if left > 0 {
                left -= 1;
                self.waits += 1;
                continue;
            }
            let Some(handler) = handler else {
                return Ok(input.clone());
            };
            let outer = Outer {
                error: Some(&error),
                ..outer
            };
            let list = format!("{place}/catch/do");
            return self
                .list(handler, &list, input.clone(), outer)
                .map(|(output, _)| output);
        }
    }

    fn holds(&self, condition: &Jq, input: &Value, sight: Sight<'_>) -> Result<bool, ()> {
        match self.jq(condition, input, sight)? {
            Value::Bool(holds) => Ok(holds),
            Value::Null => Ok(false),
            _ => Err(()),
        }
    }

    fn jq(&self, jq: &Jq, dot: &Value, sight: Sight<'_>) -> Result<Value, ()> {
        let of = |jq: &Jq| self.jq(jq, dot, sight);
        Ok(match jq {
            Jq::Dot => dot.clone(),
            Jq::Literal(value) => value.clone(),
            Jq::Field(from, name) => match of(from)? {
                Value::Null => Value::Null,
                Value::Object(members) => members.get(*name).cloned().unwrap_or_default(),
                _ => return Err(()),
            },
            Jq::Context => self.context.clone(),
            Jq::Input => sight.input.cloned().unwrap_or_default(),
            Jq::Item => sight.item.cloned().unwrap_or_default(),
            Jq::Status => sight.error.cloned().unwrap_or_default(),
            Jq::Before(back) => {
                let (tasks, index) = sight.around;
                let task = before(tasks, index, *back);
                let outputs = self.steps.get(sight.list);
                let output = task.and_then(|task| outputs?.get(&task.name));
                output.cloned().unwrap_or_default()
            }
            Jq::Add(one, other) => add(of(one)?, of(other)?)?,
            Jq::Equal(one, other) => json!(order(&of(one)?, &of(other)?) == Ordering::Equal),
            Jq::Less(one, other) => json!(order(&of(one)?, &of(other)?) == Ordering::Less),
            Jq::Or(one, other) => match of(one)? {
                Value::Null | Value::Bool(false) => of(other)?,
                value => value,
            },
            Jq::Object(members) => {
                let mut made = Map::new();
                for (name, value) in members {
                    made.insert((*name).to_owned(), of(value)?);
                }
                Value::Object(made)
            }
        })
    }
}

fn add(one: Value, other: Value) -> Result<Value, ()> {
    Ok(match (one, other) {
        (Value::Null, value) | (value, Value::Null) => value,
        (Value::Number(one), Value::Number(other)) => {
            json!(one.as_i64().ok_or(())? + other.as_i64().ok_or(())?)
        }
        (Value::String(one), Value::String(other)) => json!(one + &other),
        (Value::Array(one), Value::Array(other)) => one.into_iter().chain(other).collect(),
        (Value::Object(mut one), Value::Object(other)) => {
            one.extend(other);
            Value::Object(one)
        }
        (_, _) => return Err(()),
    })
}

/// The order of jq: null, false, true, numbers, texts, lists, objects.
fn order(one: &Value, other: &Value) -> Ordering {
    let rank = |value: &Value| match value {
        Value::Null => 0,
        Value::Bool(false) => 1,
        Value::Bool(true) => 2,
        Value::Number(_) => 3,
        Value::String(_) => 4,
        Value::Array(_) => 5,
        Value::Object(_) => 6,
    };
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one.as_i64().cmp(&other.as_i64()),
        (Value::String(one), Value::String(other)) => one.cmp(other),
        (Value::Array(one), Value::Array(other)) => {
            let mut pairs = one.iter().zip(other).map(|(one, other)| order(one, other));
            let first = pairs.find(|order| *order != Ordering::Equal);
            first.unwrap_or_else(|| one.len().cmp(&other.len()))
        }
        (Value::Object(one), Value::Object(other)) => {
            let sorted = |map: &Map<String, Value>| -> BTreeMap<String, Value> {
                map.clone().into_iter().collect()
            };
            let (one, other) = (sorted(one), sorted(other));
            one.keys().cmp(other.keys()).then_with(|| {
                let mut pairs = one.values().zip(other.values());
                let first = pairs.find_map(|(one, other)| match order(one, other) {
                    Ordering::Equal => None,
                    order => Some(order),
                });
                first.unwrap_or(Ordering::Equal)
            })
        }
        (_, _) => rank(one).cmp(&rank(other)),
    }
}
