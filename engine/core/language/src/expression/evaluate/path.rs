//! Paths: `.a`, `.["a"]`, `.[0]`, `.[1:3]`, `$workflow.id`, one step after the other.

use std::borrow::Cow;

use serde_json::Value;

use super::super::term::{Step, StepKind, Term};
use super::{Here, Outcome, Run, Seen, Stop, number, text};

impl<'r> Run<'r> {
    pub(super) fn path<'v>(
        &mut self,
        head: &'v Term,
        steps: &'v [Step],
        here: Here<'_, 'v>,
    ) -> Outcome<'v>
    where
        'r: 'v,
    {
        let (mut seen, steps) = match self.shortcut(head, steps)? {
            Some(member) => (member, &steps[1..]),
            None => (self.term(head, here)?, steps),
        };
        // jq evaluates every index before it takes the first step; one without result makes the
        // whole path have none, even where another failed.
        let mut indices = Vec::new();
        let mut failure = None;
        for step in steps {
            let terms = match &step.kind {
                StepKind::Name(_) => [None, None],
                StepKind::Index(index) => [Some(index), None],
                StepKind::Slice(from, to) => [from.as_ref(), to.as_ref()],
            };
            for term in terms.into_iter().flatten() {
                match self.term(term, here) {
                    Ok(index) => indices.push(index),
                    Err(Stop::Failed(message)) => {
                        failure.get_or_insert(message);
                    }
                    Err(stop) => return Err(stop),
                }
            }
        }
        if let Some(message) = failure {
            return Err(Stop::Failed(message));
        }
        let mut indices = indices.into_iter();
        for step in steps {
            self.work.spend(1)?;
            let ordered = seen.ordered;
            let taken = match &step.kind {
                StepKind::Name(name) => member(seen.value, name),
                StepKind::Index(_) => {
                    let key = indices.next().expect("one was evaluated for each");
                    index(seen.value, &key.value)
                }
                StepKind::Slice(from, to) => {
                    let from = from.is_some().then(|| indices.next()).flatten();
                    let to = to.is_some().then(|| indices.next()).flatten();
                    self.slice(
                        &seen.value,
                        from.as_ref().map(|seen| &*seen.value),
                        to.as_ref().map(|seen| &*seen.value),
                    )
                    .map(Cow::Owned)
                }
            };
            let value = match taken {
                Err(Stop::Failed(_)) if step.optional => return Err(Stop::Empty),
                other => other?,
            };
            seen = Seen { value, ordered };
        }
        Ok(seen)
    }

    /// The first step of `$workflow.id` and the like, without a copy of all of `$workflow`.
    fn shortcut<'v>(&mut self, head: &Term, steps: &[Step]) -> Result<Option<Seen<'v>>, Stop>
    where
        'r: 'v,
    {
        let (Term::Outer(name), Some(first)) = (head, steps.first()) else {
            return Ok(None);
        };
        let StepKind::Name(member) = &first.kind else {
            return Ok(None);
        };
        let Some(value) = self.variables.member(name, member) else {
            return Ok(None);
        };
        debug_assert_eq!(
            self.variables
                .variable(name)
                .and_then(|whole| whole.get(member).cloned()),
            Some(value.clone().into_owned()),
            "${name}.{member} is the same by both ways"
        );
        // As much as the two ways to it would have taken.
        self.work.spend(2)?;
        Ok(Some(Seen {
            value,
            ordered: true,
        }))
    }

    fn slice(
        &mut self,
        value: &Value,
        from: Option<&Value>,
        to: Option<&Value>,
    ) -> Result<Value, Stop> {
        let whole = |bound: Option<&Value>| match bound {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Number(bound)) => match number::position(bound)? {
                Some(position) => Ok(Some(position)),
                None => Err(Stop::Failed("a slice needs whole numbers".into())),
            },
            Some(_) => Err(Stop::Failed("a slice needs whole numbers".into())),
        };
        match value {
            Value::Array(items) => {
                let (from, to) = number::bounds(whole(from)?, whole(to)?, items.len());
                let items = items.get(from..to).unwrap_or_default();
                items.iter().try_for_each(|item| self.work.copy(item))?;
                Ok(Value::Array(items.to_vec()))
            }
            Value::String(text) => {
                self.work.bytes(text.len())?;
                let (from, to) = (whole(from)?, whole(to)?);
                let (from, to) = number::bounds(from, to, text.chars().count());
                let taken = text.chars().skip(from).take(to.saturating_sub(from));
                Ok(Value::String(taken.collect()))
            }
            other => Err(Stop::Failed(format!(
                "cannot take a slice of {}",
                text::kind(other)
            ))),
        }
    }
}

fn member<'v>(value: Cow<'v, Value>, name: &str) -> Result<Cow<'v, Value>, Stop> {
    match value {
        Cow::Borrowed(Value::Object(members)) => Ok(members
            .get(name)
            .map_or(Cow::Owned(Value::Null), Cow::Borrowed)),
        Cow::Owned(Value::Object(mut members)) => {
            Ok(Cow::Owned(members.remove(name).unwrap_or(Value::Null)))
        }
        Cow::Borrowed(Value::Null) | Cow::Owned(Value::Null) => Ok(Cow::Owned(Value::Null)),
        other => Err(Stop::Failed(format!(
            "cannot take `.{name}` of {}",
            text::kind(&other)
        ))),
    }
}

pub(super) fn index<'v>(value: Cow<'v, Value>, index: &Value) -> Result<Cow<'v, Value>, Stop> {
    match (&*value, index) {
        (Value::Null, _) => Ok(Cow::Owned(Value::Null)),
        (_, Value::String(name)) => member(value, name),
        // Keys of an object here are text, so that no other index finds anything.
        (Value::Object(_), Value::Null | Value::Bool(_) | Value::Number(_)) => {
            Ok(Cow::Owned(Value::Null))
        }
        (Value::Array(items), Value::Number(position)) => {
            let Some(position) = number::position(position)? else {
                return Err(no_index(&value, index));
            };
            let position = number::wrap(position, items.len());
            Ok(take(value, position))
        }
        (_, Value::Object(_) | Value::Array(_)) => Err(Stop::Ask),
        _ => Err(no_index(&value, index)),
    }
}

fn take(value: Cow<'_, Value>, position: Option<usize>) -> Cow<'_, Value> {
    let Some(position) = position else {
        return Cow::Owned(Value::Null);
    };
    match value {
        Cow::Borrowed(value) => value
            .get(position)
            .map_or(Cow::Owned(Value::Null), Cow::Borrowed),
        Cow::Owned(Value::Array(mut items)) if position < items.len() => {
            Cow::Owned(items.swap_remove(position))
        }
        Cow::Owned(_) => Cow::Owned(Value::Null),
    }
}

fn no_index(value: &Value, index: &Value) -> Stop {
    Stop::Failed(format!(
        "cannot look up {} in {}",
        text::kind(index),
        text::kind(value)
    ))
}
