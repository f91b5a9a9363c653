//! Where a value that people are shown comes from: the form that asked for it, as far as the
//! document says so. With it a page writes the form's titles instead of keys and codes, in the
//! order of the form, or in the order in which the author wrote the members.
//!
//! It follows the text of the document and evaluates nothing. Where a value may come from several
//! tasks the first that says something counts; what is not known is `Unknown`. A wrong guess can
//! cost a title, never a value: who draws it shows every member, whatever is said here.

use std::cell::Cell;
use std::collections::BTreeMap;

use serde_json::Value;

use crate::form::{Control, Field};
use crate::workflow::{Kind, Task, Then};
use crate::{Form, Template, Workflow, words};

/// How many parts of a document are looked at for one value: tasks may name each other in circles.
const LOOKS_MAX: usize = 2_000;
/// Tasks that name tasks that name tasks: no author goes further, and circles end here.
const DEPTH_MAX: usize = 12;

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum Origin {
    /// Nothing is known of it.
    Unknown,
    /// An object that a form asked for.
    Fields(Vec<Field>),
    /// One answer of a form.
    Answer(Control),
    /// How people decided a task.
    Outcome,
    /// An object, in the author's order.
    Members(Vec<(String, Origin)>),
    /// A list.
    Items(Box<Origin>),
}

/// What the surroundings of an expression come from.
pub(crate) trait Sources {
    /// A variable, without the dollar sign; `$steps` has its own.
    fn variable(&self, name: &str) -> Origin;
    /// `$steps.<name>`
    fn step(&self, name: &str) -> Origin;
}

impl Origin {
    /// Of what the task at this reference shows.
    pub fn of_show(workflow: &Workflow, reference: &str, forms: &BTreeMap<String, Form>) -> Self {
        let tracer = Tracer::new(workflow, forms);
        let place = Place::find(&workflow.tasks, reference);
        let human = place.as_ref().and_then(|place| match &place.task()?.kind {
            Kind::Human(human) => Some(human),
            _ => None,
        });
        let show = human.and_then(|human| human.show.as_ref());
        match (show, &place) {
            (Some(show), Some(place)) => tracer.template(show, &tracer.input_of(place), place),
            _ => Self::Unknown,
        }
    }

    /// Of what the workflow gives at its end.
    pub fn of_output(workflow: &Workflow, forms: &BTreeMap<String, Form>) -> Self {
        let tracer = Tracer::new(workflow, forms);
        let list = &workflow.tasks[..];
        let last = list.iter().rposition(gives);
        let ends = (0..list.len()).filter(|index| {
            list.get(*index).is_some_and(|task| task.then == Then::End) || Some(*index) == last
        });
        let given = ends.map(|index| tracer.output_of(&Place(vec![(list, index)])));
        let given = given.fold(Self::Unknown, Self::or);
        match (&workflow.output.transform, last) {
            (Some(template), Some(last)) => {
                tracer.template(template, &given, &Place(vec![(list, last)]))
            }
            _ => given,
        }
    }

    /// Of one member.
    #[must_use]
    pub fn member(&self, name: &str) -> Self {
        match self {
            Self::Fields(fields) => field(fields, name),
            Self::Members(members) => members
                .iter()
                .find(|(key, _)| key == name)
                .map_or(Self::Unknown, |(_, origin)| origin.clone()),
            Self::Unknown | Self::Answer(_) | Self::Outcome | Self::Items(_) => Self::Unknown,
        }
    }

    /// Of one item of the list.
    #[must_use]
    pub fn item(&self) -> Self {
        match self {
            Self::Items(origin) => (**origin).clone(),
            Self::Answer(Control::Choices(choices)) => {
                Self::Answer(Control::Choice(choices.clone()))
            }
            Self::Unknown
            | Self::Fields(_)
            | Self::Answer(_)
            | Self::Outcome
            | Self::Members(_) => Self::Unknown,
        }
    }

    /// The title of a code, where the code has one.
    pub fn title(&self, value: &Value) -> Option<String> {
        let code = value.as_str()?;
        match self {
            Self::Answer(Control::Choice(choices)) => choices
                .iter()
                .find(|(value, _)| value == code)
                .map(|(_, title)| title.clone()),
            Self::Outcome => Some(words::humanize(code)),
            Self::Unknown
            | Self::Fields(_)
            | Self::Answer(_)
            | Self::Members(_)
            | Self::Items(_) => None,
        }
    }

    /// Where either may be it: both, as far as they can be joined.
    pub(crate) fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Members(mut members), Self::Members(others)) => {
                for (key, origin) in others {
                    match members.iter_mut().find(|(known, _)| *known == key) {
                        Some((_, known)) => {
                            *known = std::mem::replace(known, Self::Unknown).or(origin);
                        }
                        None => members.push((key, origin)),
                    }
                }
                Self::Members(members)
            }
            (Self::Items(one), Self::Items(other)) => Self::Items(Box::new(one.or(*other))),
            (Self::Unknown, origin) | (origin, _) => origin,
        }
    }

    fn of_control(control: &Control) -> Self {
        match control {
            Control::Group(fields) => Self::Items(Box::new(Self::Fields(fields.clone()))),
            Control::Text { .. }
            | Control::LongText { .. }
            | Control::Integer
            | Control::Money { .. }
            | Control::Date
            | Control::YesNo
            | Control::Choice(_)
            | Control::Choices(_) => Self::Answer(control.clone()),
        }
    }
}

/// A field by its name, or the fields below that name.
fn field(fields: &[Field], name: &str) -> Origin {
    if let Some(found) = fields.iter().find(|field| field.name == name) {
        return Origin::of_control(&found.control);
    }
    let below = fields.iter().filter_map(|field| {
        let rest = field.name.strip_prefix(name)?.strip_prefix('.')?;
        Some(Field {
            name: rest.to_owned(),
            ..field.clone()
        })
    });
    let below: Vec<_> = below.collect();
    if below.is_empty() {
        Origin::Unknown
    } else {
        Origin::Fields(below)
    }
}

/// A task: the lists around it, outermost first, with its index and those of the tasks it lies in.
#[derive(Clone)]
struct Place<'w>(Vec<(&'w [Task], usize)>);

impl<'w> Place<'w> {
    fn find(list: &'w [Task], reference: &str) -> Option<Self> {
        list.iter().enumerate().find_map(|(index, task)| {
            if task.reference == reference {
                return Some(Self(vec![(list, index)]));
            }
            let inside = task.lists();
            let Self(mut way) = inside
                .into_iter()
                .find_map(|list| Self::find(list, reference))?;
            way.insert(0, (list, index));
            Some(Self(way))
        })
    }

    fn task(&self) -> Option<&'w Task> {
        let (list, index) = self.0.last()?;
        list.get(*index)
    }

    /// The task around this one.
    fn outer(&self) -> Option<Self> {
        let (_, around) = self.0.split_last()?;
        (!around.is_empty()).then(|| Self(around.to_vec()))
    }

    /// The task whose output is that of a list within this task: the last that is no question of
    /// where to go on.
    fn last_of(&self, list: &'w [Task]) -> Option<Self> {
        let index = list.iter().rposition(gives)?;
        let mut way = self.0.clone();
        way.push((list, index));
        Some(Self(way))
    }

    /// The one before in the same list, as it was written.
    fn before(&self) -> Option<Self> {
        let ((list, index), around) = self.0.split_last()?;
        let index = list.get(..*index)?.iter().rposition(gives)?;
        let mut way = around.to_vec();
        way.push((list, index));
        Some(Self(way))
    }

    /// The task of this name that is seen from here: of the same list, or of one around it.
    fn named(&self, name: &str) -> Option<Self> {
        (0..self.0.len()).rev().find_map(|level| {
            let (list, _) = self.0.get(level)?;
            let index = list.iter().position(|task| task.name == name)?;
            let mut way = self.0.get(..level)?.to_vec();
            way.push((list, index));
            Some(Self(way))
        })
    }
}

/// A `switch` hands on what it was given.
fn gives(task: &Task) -> bool {
    !matches!(task.kind, Kind::Switch(_))
}

struct Tracer<'w> {
    workflow: &'w Workflow,
    forms: &'w BTreeMap<String, Form>,
    looks: Cell<usize>,
    depth: Cell<usize>,
    /// Whether it is `$context` that is looked for: what adds to it names it.
    in_context: Cell<bool>,
}

impl<'w> Tracer<'w> {
    fn new(workflow: &'w Workflow, forms: &'w BTreeMap<String, Form>) -> Self {
        Self {
            workflow,
            forms,
            looks: Cell::new(0),
            depth: Cell::new(0),
            in_context: Cell::new(false),
        }
    }

    fn template(&self, template: &Template, input: &Origin, place: &Place<'w>) -> Origin {
        match template {
            Template::Literal(_) => Origin::Unknown,
            Template::Expression(expression) => {
                let sources = Around {
                    tracer: self,
                    place,
                };
                expression.origin(input, &sources)
            }
            Template::List(items) => {
                let items = items.iter().map(|item| self.template(item, input, place));
                Origin::Items(Box::new(items.fold(Origin::Unknown, Origin::or)))
            }
            Template::Map(members) => Origin::Members(
                members
                    .iter()
                    .map(|(key, member)| (key.clone(), self.template(member, input, place)))
                    .collect(),
            ),
        }
    }

    /// Of what a task gives; within bounds, since tasks may name each other in circles.
    fn output_of(&self, place: &Place<'w>) -> Origin {
        let (looks, depth) = (self.looks.get() + 1, self.depth.get());
        if looks > LOOKS_MAX || depth == DEPTH_MAX {
            return Origin::Unknown;
        }
        self.looks.set(looks);
        self.depth.set(depth + 1);
        let origin = self.given_by(place);
        self.depth.set(depth);
        origin
    }

    fn given_by(&self, place: &Place<'w>) -> Origin {
        let Some(task) = place.task() else {
            return Origin::Unknown;
        };
        let raw = match &task.kind {
            Kind::Human(human) => answered(human.form.as_deref().and_then(|it| self.form(it))),
            Kind::Set(template) => self.template(template, &self.input_of(place), place),
            Kind::Do(tasks) => self.last_of(place, tasks),
            Kind::Function(function) => self.last_of(place, &function.tasks),
            Kind::For(each) => self.last_of(place, &each.tasks),
            Kind::Try(tried) => {
                let handled = tried.catch.tasks.as_deref();
                let handled = handled.map_or(Origin::Unknown, |tasks| self.last_of(place, tasks));
                self.last_of(place, &tried.tasks).or(handled)
            }
            Kind::Fork(_)
            | Kind::Switch(_)
            | Kind::Call(_)
            | Kind::Http(_)
            | Kind::OpenApi(_)
            | Kind::Raise(_)
            | Kind::Run(_)
            | Kind::Wait(_)
            | Kind::Emit(_)
            | Kind::Listen(_) => Origin::Unknown,
        };
        match &task.output.transform {
            Some(template) => self.template(template, &raw, place),
            None => raw,
        }
    }

    fn last_of(&self, place: &Place<'w>, list: &'w [Task]) -> Origin {
        let last = place.last_of(list);
        last.map_or(Origin::Unknown, |last| self.output_of(&last))
    }

    /// Of what a task is given, as it was written: jumps from elsewhere are not looked at.
    fn input_of(&self, place: &Place<'w>) -> Origin {
        if let Some(before) = place.before() {
            return self.output_of(&before);
        }
        match place.outer() {
            Some(outer) => match outer.task().map(|task| &task.kind) {
                Some(Kind::Function(function)) => {
                    self.template(&function.with, &self.input_of(&outer), &outer)
                }
                _ => self.input_of(&outer),
            },
            None => self.started_with(),
        }
    }

    /// Of the input of the workflow.
    fn started_with(&self) -> Origin {
        let name = self.workflow.start_form();
        let form = name.and_then(|name| self.form(name));
        form.map_or(Origin::Unknown, |form| Origin::Fields(form.fields.clone()))
    }

    /// Of `$context`, whichever task wrote it.
    fn context(&self) -> Origin {
        if self.in_context.replace(true) {
            return Origin::Unknown;
        }
        let mut exports = Origin::Unknown;
        let mut open = vec![Place(vec![(&self.workflow.tasks[..], 0)])];
        while let Some(place) = open.pop() {
            let Some(task) = place.task() else {
                continue;
            };
            if let Some(export) = &task.export {
                let input = self.output_of(&place);
                exports = exports.or(self.template(&export.transform, &input, &place));
            }
            for list in task.lists() {
                let mut way = place.0.clone();
                way.push((list, 0));
                open.push(Place(way));
            }
            let mut next = place;
            if let Some((_, index)) = next.0.last_mut() {
                *index += 1;
            }
            open.push(next);
        }
        self.in_context.set(false);
        exports
    }

    fn form(&self, name: &str) -> Option<&'w Form> {
        self.forms.get(name)
    }
}

/// What a task of people gives.
fn answered(form: Option<&Form>) -> Origin {
    let data = form.map_or(Origin::Unknown, |form| Origin::Fields(form.fields.clone()));
    Origin::Members(vec![
        ("outcome".to_owned(), Origin::Outcome),
        ("data".to_owned(), data),
    ])
}

/// An expression's surroundings at a task.
struct Around<'t, 'w> {
    tracer: &'t Tracer<'w>,
    place: &'t Place<'w>,
}

impl Sources for Around<'_, '_> {
    fn variable(&self, name: &str) -> Origin {
        match name {
            "workflow" => {
                let input = self.tracer.started_with();
                Origin::Members(vec![("input".to_owned(), input)])
            }
            "context" => self.tracer.context(),
            _ => Origin::Unknown,
        }
    }

    fn step(&self, name: &str) -> Origin {
        let named = self.place.named(name);
        named.map_or(Origin::Unknown, |place| self.tracer.output_of(&place))
    }
}

#[cfg(test)]
mod tests;
