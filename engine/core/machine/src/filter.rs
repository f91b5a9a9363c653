//! Whether an event fits a filter: attribute by attribute, then the correlations.
//!
//! What stands in the document must stand in the event; of an object only the members that are
//! written are looked at. An expression is evaluated on what stands at its place. An expression
//! that fails on an event says that it does not fit: what somebody outside sends must not stop a
//! family's case.

use casewright_language::workflow::{Correlation, EventFilter};
use casewright_language::{Expression, Template};
use serde_json::Value;

use crate::envelope::token;
use crate::interest::timeless;
use crate::run::{Run, Stop};
use crate::scope::Sight;

/// What a filter sees besides the event.
#[derive(Clone, Copy)]
pub(crate) struct Looking<'a> {
    pub(crate) run: &'a Run<'a>,
    pub(crate) sight: &'a Sight<'a>,
    /// Input of the task; `None` before its `listen` has begun, when only what never changes can
    /// be judged, and the rest is taken to fit.
    pub(crate) input: Option<&'a Value>,
}

impl Looking<'_> {
    /// Whether it fits, and the correlations that it would fix.
    pub(crate) fn fits(
        self,
        filter: &EventFilter,
        event: &Value,
    ) -> Result<Option<Vec<(String, Value)>>, Stop> {
        for (name, wanted) in &filter.with {
            if !self.matches(wanted, event.get(name).unwrap_or(&Value::Null))? {
                return Ok(None);
            }
        }
        let mut fixed = Vec::new();
        for correlation in &filter.correlate {
            match self.correlates(correlation, event)? {
                Correlates::No => return Ok(None),
                Correlates::Yes => {}
                Correlates::First(value) => fixed.push((correlation.name.clone(), value)),
            }
        }
        Ok(Some(fixed))
    }

    fn matches(self, wanted: &Template, found: &Value) -> Result<bool, Stop> {
        match wanted {
            Template::Literal(wanted) => Ok(holds(wanted, found)),
            Template::Expression(expression) => {
                if self.input.is_none() && !timeless(expression) {
                    return Ok(true);
                }
                Ok(match self.value(expression, found)? {
                    Some(Value::Bool(fits)) => fits,
                    Some(wanted) => !wanted.is_null() && holds(&wanted, found),
                    None => false,
                })
            }
            Template::List(wanted) => {
                let Some(found) = found.as_array().filter(|it| it.len() == wanted.len()) else {
                    return Ok(false);
                };
                for (wanted, found) in wanted.iter().zip(found) {
                    if !self.matches(wanted, found)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Template::Map(wanted) => {
                for (name, wanted) in wanted {
                    if !self.matches(wanted, found.get(name).unwrap_or(&Value::Null))? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
        }
    }

    fn correlates(self, correlation: &Correlation, event: &Value) -> Result<Correlates, Stop> {
        if self.input.is_none() && !timeless(&correlation.from) {
            return Ok(Correlates::Yes);
        }
        let found = self.value(&correlation.from, event)?;
        let Some(found) = found.filter(|value| !value.is_null()) else {
            return Ok(Correlates::No);
        };
        let Some(expect) = &correlation.expect else {
            return Ok(match self.run.record.correlations.get(&correlation.name) {
                None => Correlates::First(found),
                Some(first) => Correlates::of(same(first, &found)),
            });
        };
        let expected = match (expect, self.input) {
            (Template::Literal(value), _) => Some(value.clone()),
            (_, None) => return Ok(Correlates::Yes),
            (expect, Some(input)) => self.quiet(self.run.value(expect, input, self.sight))?,
        };
        Ok(Correlates::of(
            expected.is_some_and(|expected| same(&expected, &found)),
        ))
    }

    /// `None` when the expression fails on this event.
    fn value(self, expression: &Expression, at: &Value) -> Result<Option<Value>, Stop> {
        let template = Template::Expression(expression.clone());
        self.quiet(self.run.value(&template, at, self.sight))
    }

    #[expect(clippy::unused_self, reason = "reads beside its siblings")]
    fn quiet(self, result: Result<Value, Stop>) -> Result<Option<Value>, Stop> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(Stop::Fault(_)) => Ok(None),
            Err(stop) => Err(stop),
        }
    }
}

enum Correlates {
    Yes,
    No,
    /// The value is the first under this name and will be expected from then on.
    First(Value),
}

impl Correlates {
    fn of(holds: bool) -> Self {
        if holds { Self::Yes } else { Self::No }
    }
}

/// Whether what is wanted stands in what is found.
fn holds(wanted: &Value, found: &Value) -> bool {
    match (wanted, found) {
        (Value::Object(wanted), Value::Object(found)) => wanted
            .iter()
            .all(|(name, wanted)| found.get(name).is_some_and(|found| holds(wanted, found))),
        _ => same(wanted, found),
    }
}

/// Equal, also where a number is written in another way.
fn same(one: &Value, other: &Value) -> bool {
    match (token(one), token(other)) {
        (Some(one), Some(other)) => one == other,
        (_, _) => one == other,
    }
}
