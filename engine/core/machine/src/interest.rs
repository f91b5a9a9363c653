//! What of the world's events an instance wants to hear, from its start to its end: by type, and
//! where it can be told from the start by a value that the event must carry.
//!
//! It narrows what reaches an instance; what fits a `listen` is decided there.

use std::collections::BTreeSet;

use casewright_language::workflow::EventFilter;
use casewright_language::{Expression, Template, Workflow};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::envelope::token;
use crate::run::Run;
use crate::step::outside;

/// One kind of event that an instance wants to hear.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Interest {
    /// Where the events are found.
    pub shape: Shape,
    /// What the event must carry there, as [`crate::envelope::token`] writes it; `None` when
    /// anything will do.
    pub value: Option<String>,
}

/// What is common to interests of one filter in all instances of a workflow.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Shape {
    /// `type` of the event; `None` for every type.
    pub kind: Option<String>,
    /// Expression on the event for the value that it must carry.
    pub from: Option<String>,
}

/// Every shape that instances of the workflow may be interested in.
pub fn shapes(workflow: &Workflow) -> BTreeSet<Shape> {
    let mut found = BTreeSet::new();
    for listen in workflow.listens() {
        for filter in listen.to.filters() {
            let kind = literal_type(filter).map(str::to_owned);
            let from = marks(filter).into_iter().next().map(|(from, _)| from);
            found.insert(Shape {
                kind: kind.clone(),
                from,
            });
            found.insert(Shape { kind, from: None });
        }
        if listen.to.takes_all() {
            found.insert(Shape::EVERYTHING);
        }
    }
    found
}

impl Shape {
    const EVERYTHING: Self = Self {
        kind: None,
        from: None,
    };
}

/// The interests of the instance of this run; the same whenever it is asked.
pub(crate) fn interests(run: &Run<'_>) -> Vec<Interest> {
    let mut found = BTreeSet::new();
    for listen in run.workflow.listens() {
        if listen.to.takes_all() {
            found.insert(Interest {
                shape: Shape::EVERYTHING,
                value: None,
            });
        }
        for filter in listen.to.filters() {
            found.insert(interest(run, filter));
        }
    }
    found.into_iter().collect()
}

fn interest(run: &Run<'_>, filter: &EventFilter) -> Interest {
    let kind = literal_type(filter).map(str::to_owned);
    let known = marks(filter).into_iter().next().and_then(|(from, wanted)| {
        let sight = outside(run, "/");
        let value = run.value(wanted, &Value::Null, &sight).ok()?;
        Some((from, token(&value)?))
    });
    match known {
        Some((from, value)) => Interest {
            shape: Shape {
                kind,
                from: Some(from),
            },
            value: Some(value),
        },
        None => Interest {
            shape: Shape { kind, from: None },
            value: None,
        },
    }
}

/// `type`, where the document writes it out.
pub(crate) fn literal_type(filter: &EventFilter) -> Option<&str> {
    filter
        .with
        .iter()
        .find_map(|(name, template)| match template {
            Template::Literal(Value::String(text)) if name == "type" => Some(text.as_str()),
            _ => None,
        })
}

/// Values of the event that are known from the start of an instance: where they are found, and
/// what says them.
fn marks(filter: &EventFilter) -> Vec<(String, &Template)> {
    let correlated = filter.correlate.iter().filter_map(|correlation| {
        let from = &correlation.from;
        let plain = from.is_simple() && from.variables().is_empty();
        let expect = correlation.expect.as_ref().filter(|expect| settled(expect));
        expect
            .filter(|_| plain)
            .map(|expect| (from.source().to_owned(), expect))
    });
    let attributes = filter.with.iter().filter_map(|(name, template)| {
        let fixed = matches!(template, Template::Expression(expression) if path(expression));
        (fixed && name != "data" && name != "type").then(|| (format!(".{name}"), template))
    });
    correlated.chain(attributes).collect()
}

/// Whether an instance can tell it at its start and it never changes.
fn settled(template: &Template) -> bool {
    match template {
        Template::Literal(_) => true,
        Template::Expression(expression) => path(expression),
        Template::List(_) | Template::Map(_) => false,
    }
}

/// A path into `$case` or `$workflow` and nothing else, so `.` does not matter.
fn path(expression: &Expression) -> bool {
    let source = expression.source().trim();
    ["$case", "$workflow"].iter().any(|root| {
        source.strip_prefix(root).is_some_and(|rest| {
            rest.starts_with('.')
                && !rest.contains("..")
                && rest
                    .bytes()
                    .all(|sign| sign.is_ascii_alphanumeric() || sign == b'_' || sign == b'.')
        })
    })
}

/// Whether what an expression gives on a value is the same throughout the life of an instance.
pub(crate) fn timeless(expression: &Expression) -> bool {
    expression
        .variables()
        .iter()
        .all(|named| matches!(named.name.as_str(), "case" | "workflow" | "runtime"))
}
