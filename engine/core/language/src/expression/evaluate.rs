//! Runs a simple term: total, without a stack to overflow and without growth.
//!
//! The results equal jaq's. Where they might not (big integers, numbers that JSON cannot hold, the
//! order of keys in text), evaluation stops with [`Stop::Ask`] and jq itself is asked.

mod function;
mod number;
mod order;
mod path;
mod text;

use std::borrow::Cow;

use serde_json::{Map, Number, Value};

use super::Variables;
use super::term::{Comparison, Operator, Term};

/// Why there is no value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Stop {
    /// No result: not an error within an expression.
    Empty,
    /// A sentence for people, without any of the data.
    Failed(String),
    /// Only jq itself knows.
    Ask,
}

type Outcome<'v> = Result<Seen<'v>, Stop>;

/// A value on its way through an expression.
#[derive(Debug, Clone)]
pub(super) struct Seen<'v> {
    value: Cow<'v, Value>,
    /// Whether keys of objects in it have been in ascending order ever since: jq keeps the order in
    /// which an expression wrote them, and shows it when an object becomes text.
    ordered: bool,
}

impl Seen<'_> {
    fn owned(value: Value) -> Self {
        Self {
            value: Cow::Owned(value),
            ordered: true,
        }
    }

    fn truthy(&self) -> bool {
        !matches!(*self.value, Value::Null | Value::Bool(false))
    }
}

/// What one evaluation may still do. Counts values looked at and, in sixteens, bytes copied, so
/// that no expression of 4 KiB takes noticeable time or memory.
struct Work(usize);

const WORK_MAX: usize = 1 << 20;

impl Work {
    fn spend(&mut self, amount: usize) -> Result<(), Stop> {
        self.0 = self.0.checked_sub(amount).ok_or(Stop::Ask)?;
        Ok(())
    }

    fn bytes(&mut self, count: usize) -> Result<(), Stop> {
        self.spend(1 + count / 16)
    }

    /// Pays for a copy of the whole value.
    fn copy(&mut self, value: &Value) -> Result<(), Stop> {
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => self.spend(1),
            Value::String(text) => self.bytes(text.len()),
            Value::Array(items) => {
                self.spend(1)?;
                items.iter().try_for_each(|item| self.copy(item))
            }
            Value::Object(members) => {
                self.spend(1)?;
                members.iter().try_for_each(|(key, member)| {
                    self.bytes(key.len())?;
                    self.copy(member)
                })
            }
        }
    }
}

/// Variables bound by `as`, innermost first.
#[derive(Clone, Copy)]
struct Local<'p, 'v> {
    value: &'v Value,
    ordered: bool,
    outer: Option<&'p Local<'p, 'v>>,
}

/// A kind of value within a sentence.
pub(super) fn kind(value: &Value) -> &'static str {
    text::kind(value)
}

/// A number as text.
pub(super) fn number_text(number: &Number) -> String {
    text::number(number)
}

/// The single result of a simple term.
pub(super) fn evaluate(
    term: &Term,
    input: &Value,
    variables: &dyn Variables,
) -> Result<Value, Stop> {
    let mut run = Run {
        variables,
        work: Work(WORK_MAX),
    };
    let input = Here {
        value: input,
        ordered: true,
        local: None,
    };
    let seen = run.term(term, input)?;
    Ok(seen.value.into_owned())
}

/// What a term sees.
#[derive(Clone, Copy)]
struct Here<'p, 'v> {
    value: &'v Value,
    ordered: bool,
    local: Option<&'p Local<'p, 'v>>,
}

struct Run<'r> {
    variables: &'r dyn Variables,
    work: Work,
}

impl<'r> Run<'r> {
    fn term<'v>(&mut self, term: &'v Term, here: Here<'_, 'v>) -> Outcome<'v>
    where
        'r: 'v,
    {
        self.work.spend(1)?;
        match term {
            Term::Input => Ok(Seen {
                value: Cow::Borrowed(here.value),
                ordered: here.ordered,
            }),
            Term::Literal(value) => Ok(Seen {
                value: Cow::Borrowed(value),
                ordered: true,
            }),
            Term::Outer(name) => self
                .variables
                .variable(name)
                .map(|value| Seen {
                    value,
                    ordered: true,
                })
                .ok_or_else(|| Stop::Failed(format!("there is no variable `${name}` here"))),
            Term::Local(position) => Ok(local(here, *position)),
            Term::Path(head, steps) => self.path(head, steps, here),
            Term::Negate(inner) => {
                let inner = self.term(inner, here)?;
                number::negate(&inner.value).map(Seen::owned)
            }
            Term::Arithmetic(head, tail) => self.arithmetic(head, tail, here),
            Term::Compare(head, tail) => self.compare(head, tail, here),
            Term::Or(terms) => self.logic(terms, true, here),
            Term::And(terms) => self.logic(terms, false, here),
            Term::Alternative(terms) => self.alternative(terms, here),
            Term::Pipe(terms) => self.pipe(terms, here),
            Term::Bind(head, body) => self.bind(head, body, here),
            Term::If {
                condition,
                then,
                otherwise,
            } => {
                let chosen = if self.term(condition, here)?.truthy() {
                    then
                } else {
                    otherwise
                };
                self.term(chosen, here)
            }
            Term::Array(terms) => self.array(terms, here),
            Term::Object(entries) => self.object(entries, here),
            Term::Text(parts) => self.text(parts, here),
            Term::Try(inner) => match self.term(inner, here) {
                Err(Stop::Failed(_)) => Err(Stop::Empty),
                other => other,
            },
            Term::Call(function, arguments) => function::call(self, *function, arguments, here),
            Term::Comma(_) | Term::Beyond => Err(Stop::Ask),
        }
    }

    /// Both sides as jq combines them: a side without result wins over a failure of the other.
    fn both<'v, T>(
        &mut self,
        left: Result<T, Stop>,
        right: &'v Term,
        here: Here<'_, 'v>,
    ) -> Result<(T, Seen<'v>), Stop>
    where
        'r: 'v,
    {
        if let Err(stop @ (Stop::Empty | Stop::Ask)) = left {
            return Err(stop);
        }
        match self.term(right, here) {
            Ok(right) => left.map(|left| (left, right)),
            Err(stop @ (Stop::Empty | Stop::Ask)) => Err(stop),
            Err(stop) => Err(left.err().unwrap_or(stop)),
        }
    }

    fn arithmetic<'v>(
        &mut self,
        head: &'v Term,
        tail: &'v [(Operator, Term)],
        here: Here<'_, 'v>,
    ) -> Outcome<'v>
    where
        'r: 'v,
    {
        let mut left = self.term(head, here);
        for (operator, term) in tail {
            left = self
                .both(left, term, here)
                .and_then(|(left, right)| self.calculate(left, *operator, right));
        }
        left
    }

    fn calculate<'v>(
        &mut self,
        left: Seen<'v>,
        operator: Operator,
        right: Seen<'v>,
    ) -> Outcome<'v> {
        self.work.spend(1)?;
        match operator {
            Operator::Add => self.add(left, right),
            Operator::Divide if left.value.is_string() && right.value.is_string() => {
                let parts = function::split(&mut self.work, &left.value, &right.value)?;
                Ok(Seen::owned(parts))
            }
            _ => number::calculate(&left.value, operator, &right.value).map(Seen::owned),
        }
    }

    fn add<'v>(&mut self, left: Seen<'v>, right: Seen<'v>) -> Outcome<'v> {
        if left.value.is_null() {
            return Ok(right);
        }
        if right.value.is_null() {
            return Ok(left);
        }
        let objects = left.value.is_object();
        let ordered = left.ordered && right.ordered && !objects;
        if left.value.is_number() {
            return number::calculate(&left.value, Operator::Add, &right.value).map(Seen::owned);
        }
        self.work.copy(&left.value)?;
        self.work.copy(&right.value)?;
        let value = match (left.value.into_owned(), &*right.value) {
            (Value::String(mut left), Value::String(right)) => {
                left.push_str(right);
                Value::String(left)
            }
            (Value::Array(mut left), Value::Array(right)) => {
                left.extend_from_slice(right);
                Value::Array(left)
            }
            (Value::Object(mut left), Value::Object(right)) => {
                left.extend(right.iter().map(|(k, v)| (k.clone(), v.clone())));
                Value::Object(left)
            }
            (left, right) => {
                return Err(Stop::Failed(format!(
                    "cannot add {} and {}",
                    text::kind(&left),
                    text::kind(right)
                )));
            }
        };
        Ok(Seen {
            value: Cow::Owned(value),
            ordered,
        })
    }

    fn compare<'v>(
        &mut self,
        head: &'v Term,
        tail: &'v [(Comparison, Term)],
        here: Here<'_, 'v>,
    ) -> Outcome<'v>
    where
        'r: 'v,
    {
        let mut left = self.term(head, here);
        for (comparison, term) in tail {
            left = self.both(left, term, here).and_then(|(left, right)| {
                let ordering = order::compare(&mut self.work, &left.value, &right.value)?;
                let holds = match comparison {
                    Comparison::Equal => ordering.is_eq(),
                    Comparison::Unequal => ordering.is_ne(),
                    Comparison::Less => ordering.is_lt(),
                    Comparison::LessOrEqual => ordering.is_le(),
                    Comparison::Greater => ordering.is_gt(),
                    Comparison::GreaterOrEqual => ordering.is_ge(),
                };
                Ok(Seen::owned(Value::Bool(holds)))
            });
        }
        left
    }

    fn logic<'v>(&mut self, terms: &'v [Term], stop: bool, here: Here<'_, 'v>) -> Outcome<'v>
    where
        'r: 'v,
    {
        for term in terms {
            if self.term(term, here)?.truthy() == stop {
                return Ok(Seen::owned(Value::Bool(stop)));
            }
        }
        Ok(Seen::owned(Value::Bool(!stop)))
    }

    fn alternative<'v>(&mut self, terms: &'v [Term], here: Here<'_, 'v>) -> Outcome<'v>
    where
        'r: 'v,
    {
        let (last, others) = terms.split_last().ok_or(Stop::Ask)?;
        for term in others {
            match self.term(term, here) {
                Ok(seen) if !seen.truthy() => {}
                Err(Stop::Empty) => {}
                decided => return decided,
            }
        }
        self.term(last, here)
    }

    fn pipe<'v>(&mut self, terms: &'v [Term], here: Here<'_, 'v>) -> Outcome<'v>
    where
        'r: 'v,
    {
        let Some((first, rest)) = terms.split_first() else {
            return Ok(Seen {
                value: Cow::Borrowed(here.value),
                ordered: here.ordered,
            });
        };
        let mut seen = self.term(first, here)?;
        for term in rest {
            seen = match seen.value {
                Cow::Borrowed(value) => self.term(
                    term,
                    Here {
                        value,
                        ordered: seen.ordered,
                        local: here.local,
                    },
                )?,
                Cow::Owned(value) => {
                    let next = Here {
                        value: &value,
                        ordered: seen.ordered,
                        local: here.local,
                    };
                    let next = self.term(term, next)?;
                    self.detach(next)?
                }
            };
        }
        Ok(seen)
    }

    fn bind<'v>(&mut self, head: &'v Term, body: &'v Term, here: Here<'_, 'v>) -> Outcome<'v>
    where
        'r: 'v,
    {
        let bound = self.term(head, here)?;
        match &bound.value {
            Cow::Borrowed(value) => {
                let local = Local {
                    value,
                    ordered: bound.ordered,
                    outer: here.local,
                };
                self.term(
                    body,
                    Here {
                        local: Some(&local),
                        ..here
                    },
                )
            }
            Cow::Owned(value) => {
                let local = Local {
                    value,
                    ordered: bound.ordered,
                    outer: here.local,
                };
                let seen = self.term(
                    body,
                    Here {
                        local: Some(&local),
                        ..here
                    },
                )?;
                self.detach(seen)
            }
        }
    }

    /// A result that outlives what it was taken from.
    fn detach<'v>(&mut self, seen: Seen<'_>) -> Outcome<'v> {
        if matches!(seen.value, Cow::Borrowed(_)) {
            self.work.copy(&seen.value)?;
        }
        Ok(Seen {
            value: Cow::Owned(seen.value.into_owned()),
            ordered: seen.ordered,
        })
    }

    fn array<'v>(&mut self, terms: &'v [Term], here: Here<'_, 'v>) -> Outcome<'v>
    where
        'r: 'v,
    {
        let mut items = Vec::with_capacity(terms.len());
        let mut ordered = true;
        for term in terms {
            let seen = match self.term(term, here) {
                Err(Stop::Empty) => continue,
                other => self.detach(other?)?,
            };
            ordered &= seen.ordered;
            items.push(seen.value.into_owned());
        }
        Ok(Seen {
            value: Cow::Owned(Value::Array(items)),
            ordered,
        })
    }

    fn object<'v>(&mut self, entries: &'v [(Term, Term)], here: Here<'_, 'v>) -> Outcome<'v>
    where
        'r: 'v,
    {
        let mut members = Map::new();
        let mut ordered = true;
        let mut failure = None;
        for (key, value) in entries {
            let key = self.term(key, here);
            let (key, value) = match self.both(key, value, here) {
                Err(Stop::Failed(message)) => {
                    failure.get_or_insert(message);
                    continue;
                }
                other => other?,
            };
            // jq has objects with keys of any kind.
            let Value::String(key) = key.value.into_owned() else {
                return Err(Stop::Ask);
            };
            let value = self.detach(value)?;
            self.work.bytes(key.len())?;
            let last = members.keys().next_back();
            ordered &= value.ordered && last.is_none_or(|last: &String| *last < key);
            members.insert(key, value.value.into_owned());
        }
        if let Some(message) = failure {
            return Err(Stop::Failed(message));
        }
        Ok(Seen {
            value: Cow::Owned(Value::Object(members)),
            ordered,
        })
    }

    fn text<'v>(&mut self, parts: &'v [Term], here: Here<'_, 'v>) -> Outcome<'v>
    where
        'r: 'v,
    {
        let mut joined = String::new();
        let mut failure = None;
        for part in parts {
            match self.term(part, here) {
                Ok(seen) => text::push(&mut self.work, &mut joined, &seen)?,
                Err(Stop::Failed(message)) => {
                    failure.get_or_insert(message);
                }
                Err(stop) => return Err(stop),
            }
        }
        match failure {
            Some(message) => Err(Stop::Failed(message)),
            None => Ok(Seen::owned(Value::String(joined))),
        }
    }
}

fn local<'v>(here: Here<'_, 'v>, position: usize) -> Seen<'v> {
    let mut local = here.local;
    for _ in 0..position {
        local = local.and_then(|local| local.outer);
    }
    let local = local.expect("the parser counts only what is bound");
    Seen {
        value: Cow::Borrowed(local.value),
        ordered: local.ordered,
    }
}
