//! Expressions and values with expressions for leaves, with everything that can be known of them
//! before they run.
//!
//! Two kinds of fields: those that are an expression by nature (`if`, `when`, `from`, `as`) take it
//! bare or as `${ }`; in all others only text that is one `${ }` from end to end is an expression.

use std::collections::BTreeSet;

use serde_json::Value;

use super::scope::{Moment, Scope};
use super::{Doubt, Reader};
use crate::diagnostic::{similar, suggestion};
use crate::workflow::Piece;
use crate::yaml::{Content, Entry, Node, Place};
use crate::{Expression, Template};

mod text;

use text::Shape;

/// Variables that the language has and this engine gives nowhere yet.
const UNBUILT: [&str; 2] = ["secrets", "authorization"];

impl Reader<'_> {
    /// An expression field: bare or `${ }`.
    pub(super) fn expression(
        &mut self,
        node: &Node,
        scope: &Scope,
        moment: Moment,
    ) -> Option<Expression> {
        let Some(source) = node.as_text() else {
            self.findings
                .error(
                    "CW0310",
                    node.place,
                    format!("an expression belongs here, found {}", node.described()),
                )
                .help("write it as text, for example `.amount > 100`");
            return None;
        };
        match text::shape(source) {
            Shape::Plain => self.compile(node, source, 0, scope, moment),
            Shape::Expression { offset, source } => {
                self.compile(node, source, offset, scope, moment)
            }
            broken => {
                self.refuse_shape(node, source, &broken);
                None
            }
        }
    }

    /// An expression that must be true or false.
    pub(super) fn condition(
        &mut self,
        node: &Node,
        scope: &Scope,
        moment: Moment,
    ) -> Option<Expression> {
        if node.as_text().is_some_and(text::sets) {
            self.findings
                .error(
                    "CW0311",
                    node.place,
                    "`=` sets a value and is neither true nor false",
                )
                .help("to compare, write `==`");
            return None;
        }
        self.expression(node, scope, moment)
    }

    /// A value field: expressions only as `${ }`, in any depth.
    pub(super) fn template(
        &mut self,
        node: &Node,
        scope: &Scope,
        moment: Moment,
    ) -> Option<Template> {
        match &node.content {
            Content::Text(text) => self.leaf(node, &text.value, scope, moment),
            Content::List(items) => {
                let items: Vec<_> = items
                    .iter()
                    .map(|item| self.template(item, scope, moment))
                    .collect();
                items.into_iter().collect::<Option<Vec<_>>>().map(of_list)
            }
            Content::Map(entries) => {
                let entries: Vec<_> = entries
                    .iter()
                    .map(|entry| {
                        let value = self.template(&entry.value, scope, moment);
                        value.map(|value| (entry.key.text.clone(), value))
                    })
                    .collect();
                entries.into_iter().collect::<Option<Vec<_>>>().map(of_map)
            }
            _ => Some(Template::Literal(node.to_json())),
        }
    }

    /// `from` and `as`: an expression as text, or a map with expressions for leaves.
    pub(super) fn transform(
        &mut self,
        entry: &Entry,
        scope: &Scope,
        moment: Moment,
    ) -> Option<Template> {
        match &entry.value.content {
            Content::Text(_) => self
                .expression(&entry.value, scope, moment)
                .map(Template::Expression),
            Content::Map(_) => self.template(&entry.value, scope, moment),
            _ => {
                let found = entry.value.described();
                self.findings
                    .error(
                        "CW0310",
                        entry.place(),
                        format!(
                            "`{}` must be an expression or a map, found {found}",
                            entry.key.text
                        ),
                    )
                    .help(format!(
                        "write `{}: .name` or a map with `${{ }}` inside",
                        entry.key.text
                    ));
                None
            }
        }
    }

    /// A text that names secrets, where one may: `None` where it names none and is read as any
    /// other. What is wrong is reported.
    pub(super) fn sealed(&mut self, node: &Node, scope: &Scope) -> Option<Result<Vec<Piece>, ()>> {
        let Shape::Expression { offset, source } = text::shape(node.as_text()?) else {
            return None;
        };
        let expression = Expression::new(source).ok()?;
        let named = expression.variables().iter();
        let first = named
            .filter(|named| named.name == "secrets")
            .min_by_key(|it| it.offset)?;
        let place = node.place_within(offset + first.offset, first.name.len() + 1);
        let Some(pieces) = expression.pieces() else {
            self.refuse_variable(place, "secrets", scope, Moment::Definition);
            return Some(Err(()));
        };
        for piece in &pieces {
            if let Piece::Secret(name) = piece
                && !self.declares_secret(place, name)
            {
                return Some(Err(()));
            }
        }
        Some(Ok(pieces))
    }

    /// Whether `use.secrets` names it; reported otherwise.
    pub(super) fn declares_secret(&mut self, place: Place, name: &str) -> bool {
        let declared = &self.reusables.secrets;
        if declared.contains(name) {
            return true;
        }
        let none = format!("declare it: `use: {{ secrets: [ {name} ] }}`");
        let help = suggestion(name, declared.iter().map(String::as_str), &none);
        let message = format!("the document declares no secret `{name}`");
        self.findings.error("CW0421", place, message).help(help);
        false
    }

    fn leaf(
        &mut self,
        node: &Node,
        value: &str,
        scope: &Scope,
        moment: Moment,
    ) -> Option<Template> {
        match text::shape(value) {
            Shape::Plain => {
                self.warn_of_unmarked(node, value, scope, moment);
                Some(Template::Literal(Value::String(value.to_owned())))
            }
            Shape::Expression { offset, source } => self
                .compile(node, source, offset, scope, moment)
                .map(Template::Expression),
            broken => {
                self.refuse_shape(node, value, &broken);
                None
            }
        }
    }

    fn refuse_shape(&mut self, node: &Node, value: &str, shape: &Shape<'_>) {
        match shape {
            Shape::Unclosed => self
                .findings
                .error("CW0302", node.place, "`${` is opened and never closed")
                .help("close it with `}` at the end of the text"),
            _ => self
                .findings
                .error("CW0302", node.place, "text around `${ }` is not filled in")
                .help(format!(
                    "make the whole text one expression: {}",
                    text::as_one_expression(value)
                )),
        }
    }

    /// `total: .amount` is the text ".amount", which is seldom meant.
    fn warn_of_unmarked(&mut self, node: &Node, value: &str, scope: &Scope, moment: Moment) {
        let names = moment.variables().iter().copied();
        let names = names.chain(scope.brought.iter().map(String::as_str));
        if text::looks_like_expression(value, names) {
            self.findings
                .warning("CW0308", node.place, "this is text and is not evaluated")
                .help(format!("write `${{ {value} }}` to evaluate it"));
        }
    }

    fn compile(
        &mut self,
        node: &Node,
        source: &str,
        offset: usize,
        scope: &Scope,
        moment: Moment,
    ) -> Option<Expression> {
        let expression = match Expression::new(source) {
            Ok(expression) => expression,
            Err(problem) => {
                let place = node.place_within(offset + problem.offset, 1);
                let finding = self.findings.error("CW0301", place, problem.message);
                finding.help = problem.help;
                return None;
            }
        };
        let spot = Spot { node, offset };
        self.check_variables(&spot, &expression, scope, moment);
        if moment.variables().contains(&"steps") {
            self.check_steps(&spot, &expression, scope);
            self.check_outcomes(&spot, &expression);
        }
        if let Some(question) = expression.doubt() {
            let place = node.place_within(offset, source.len());
            let message = "jq does not understand this expression".to_owned();
            let finding = self.findings.unnoted("CW0303", place, message);
            self.questions.push(Doubt { question, finding });
        }
        Some(expression)
    }

    /// Each variable once, where it is first named.
    fn check_variables(
        &mut self,
        spot: &Spot<'_>,
        expression: &Expression,
        scope: &Scope,
        moment: Moment,
    ) {
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        for named in expression.variables() {
            let name = named.name.as_str();
            if scope.brought.contains(name) || !seen.insert(name) {
                continue;
            }
            let place = spot.place(named.offset, name.len() + 1);
            if !moment.variables().contains(&name) {
                self.refuse_variable(place, name, scope, moment);
            } else if name == "context" && self.names.exports == 0 {
                self.findings
                    .warning(
                        "CW0208",
                        place,
                        "`$context` is always empty in this document",
                    )
                    .help("add `export` to the task whose output it should hold, or use `$steps`");
            }
        }
    }

    fn refuse_variable(&mut self, place: Place, name: &str, scope: &Scope, moment: Moment) {
        let known: Vec<&str> = moment
            .variables()
            .iter()
            .copied()
            .chain(scope.brought.iter().map(String::as_str))
            .collect();
        let there = moment.described();
        let (code, message, help) = match name {
            _ if UNBUILT.contains(&name) => (
                "CW0910",
                format!("`${name}` is not available here"),
                "an expression never sees a secret: name it in `authentication` of a call, such as \
                 `bearer: { use: <secret> }`, or in one header, value of `query` or parameter, \
                 alone or joined with written text: `${ \"Token \" + $secrets.<secret> }`"
                    .to_owned(),
            ),
            "input" | "steps" | "task" | "context" => (
                "CW0304",
                format!("`${name}` does not exist in {there}"),
                moment.instead().to_owned(),
            ),
            "output" => (
                "CW0304",
                format!("`$output` does not exist in {there}; it exists only in `export.as`"),
                "use `.` in `output.as`, and `$steps.<task>` in later tasks".to_owned(),
            ),
            "item" | "index" if scope.brought.is_empty() => (
                "CW0304",
                format!("`${name}` exists only inside the `do` of a `for`"),
                "a `for` gives its items to the tasks inside it; its own `output` and the tasks \
                 after it see what its last round gave"
                    .to_owned(),
            ),
            "error" => (
                "CW0304",
                "`$error` exists only inside `catch`".to_owned(),
                "move the task into `do` of a `catch`, or keep what is needed with `set` there"
                    .to_owned(),
            ),
            _ => (
                "CW0304",
                format!("there is no variable `${name}`"),
                match similar(name, known.iter().copied()) {
                    Some(near) => format!("did you mean `${near}`?"),
                    None => format!(
                        "here exist: {}",
                        known
                            .iter()
                            .map(|name| format!("`${name}`"))
                            .collect::<Vec<_>>()
                            .join(", ")
                    ),
                },
            ),
        };
        self.findings.error(code, place, message).help(help);
    }

    fn check_steps(&mut self, spot: &Spot<'_>, expression: &Expression, scope: &Scope) {
        let mut seen: BTreeSet<&str> = BTreeSet::new();
        for step in expression.steps_named() {
            let name = step.name.as_str();
            if scope.steps.contains(name) || !seen.insert(name) {
                continue;
            }
            if let Some(meant) = step
                .hyphenated
                .as_deref()
                .filter(|meant| self.exists(meant, scope))
            {
                let place = spot.place(step.offset, "$steps.".len() + meant.len());
                self.findings
                    .error(
                        "CW0307",
                        place,
                        format!("`$steps.{meant}` subtracts, since `-` is a minus"),
                    )
                    .help(format!("write `$steps[\"{meant}\"]`"));
                continue;
            }
            let place = spot.place(step.offset, "$steps.".len() + name.len());
            if let Some((apart, line)) = self.names.apart(name) {
                let message = format!("the task `{name}` (line {line}) is not seen from here");
                let help = if apart {
                    "what a function or an extension does is seen only within it; what a function \
                     gives is the output of the task that calls it"
                } else {
                    "functions and extensions see nothing of where they are used: give it to a \
                     function by `with`, or keep it in `$context` by `export`"
                };
                self.findings.error("CW0306", place, message).help(help);
            } else if let Some(known) = self.names.get(name) {
                let inside = known.inside.clone().unwrap_or_default();
                let help = if self.names.is_fork(&inside) {
                    format!(
                        "a branch is seen by no other; after the fork use `$steps[\"{inside}\"]`, \
                         the list of what its branches gave, or in a race what the first gave"
                    )
                } else {
                    format!(
                        "only tasks of the same and of enclosing lists are visible; use \
                         `$steps[\"{inside}\"]`, whose output is that of its last task"
                    )
                };
                self.findings
                    .error(
                        "CW0306",
                        place,
                        format!("the task `{name}` lies inside `{inside}`, which hides it"),
                    )
                    .help(help);
            } else {
                let steps = scope.steps.iter().map(String::as_str);
                self.findings
                    .error("CW0305", place, format!("there is no task `{name}`"))
                    .help(suggestion(name, steps, "no task is visible here"));
            }
        }
    }

    /// A case that compares with an outcome nobody can choose never holds, and nobody would notice.
    fn check_outcomes(&mut self, spot: &Spot<'_>, expression: &Expression) {
        for step in expression.steps_named() {
            let source = expression.source();
            let Some((offset, word)) = text::compared_outcome(source, step.offset, &step.name)
            else {
                continue;
            };
            let Some(known) = self.names.get(&step.name).filter(|known| known.human) else {
                continue;
            };
            if known.outcomes.iter().any(|outcome| outcome == word) {
                continue;
            }
            let outcomes = known.outcomes.iter().map(String::as_str);
            let help = suggestion(word, outcomes, "it has none");
            let message = format!("`{}` has no outcome `{word}`", step.name);
            self.findings
                .error("CW0417", spot.place(offset, word.len()), message)
                .help(help);
        }
    }

    fn exists(&self, name: &str, scope: &Scope) -> bool {
        scope.steps.contains(name) || self.names.get(name).is_some()
    }
}

/// An expression within its node.
struct Spot<'a> {
    node: &'a Node,
    /// Where the expression begins in the node's text.
    offset: usize,
}

impl Spot<'_> {
    fn place(&self, offset: usize, length: usize) -> Place {
        self.node.place_within(self.offset + offset, length)
    }
}

fn of_list(items: Vec<Template>) -> Template {
    let values: Option<Vec<Value>> = items.iter().map(literal).collect();
    match values {
        Some(values) => Template::Literal(Value::Array(values)),
        None => Template::List(items),
    }
}

fn of_map(entries: Vec<(String, Template)>) -> Template {
    let values: Option<serde_json::Map<String, Value>> = entries
        .iter()
        .map(|(key, value)| literal(value).map(|value| (key.clone(), value)))
        .collect();
    match values {
        Some(values) => Template::Literal(Value::Object(values)),
        None => Template::Map(entries),
    }
}

fn literal(template: &Template) -> Option<Value> {
    match template {
        Template::Literal(value) => Some(value.clone()),
        Template::Expression(_) | Template::List(_) | Template::Map(_) => None,
    }
}
