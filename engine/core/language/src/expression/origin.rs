//! Where the result of an expression comes from, as far as its text says so. Nothing is evaluated:
//! of `if a then b else c` both branches count, and what only jq itself runs comes from nowhere
//! that is known.

use serde_json::Value;

use super::Expression;
use super::term::{Function, Step, StepKind, Term};
use crate::origin::{Origin, Sources};

impl Expression {
    /// Where its result comes from, when `.` comes from `input`.
    pub(crate) fn origin(&self, input: &Origin, sources: &dyn Sources) -> Origin {
        trace(&self.checked.tree, input, sources)
    }
}

/// As deep as brackets may be: the parser has counted them.
fn trace(term: &Term, input: &Origin, sources: &dyn Sources) -> Origin {
    let any = |terms: &[Term]| {
        let origins = terms.iter().map(|term| trace(term, input, sources));
        origins.fold(Origin::Unknown, Origin::or)
    };
    match term {
        Term::Input => input.clone(),
        Term::Outer(name) => sources.variable(name),
        Term::Path(head, steps) => path(head, steps, input, sources),
        Term::Arithmetic(head, tail) => tail
            .iter()
            .map(|(_, term)| trace(term, input, sources))
            .fold(trace(head, input, sources), Origin::or),
        Term::Alternative(terms) | Term::Comma(terms) => any(terms),
        Term::Pipe(terms) => terms
            .iter()
            .fold(input.clone(), |before, term| trace(term, &before, sources)),
        Term::Bind(_, body) => trace(body, input, sources),
        Term::If {
            then, otherwise, ..
        } => trace(then, input, sources).or(trace(otherwise, input, sources)),
        Term::Array(terms) => Origin::Items(Box::new(any(terms))),
        Term::Object(entries) => Origin::Members(
            entries
                .iter()
                .filter_map(|(key, value)| match key {
                    Term::Literal(Value::String(key)) => {
                        Some((key.clone(), trace(value, input, sources)))
                    }
                    _ => None,
                })
                .collect(),
        ),
        Term::Try(term) => trace(term, input, sources),
        Term::Call(Function::First | Function::Last, _) => input.item(),
        Term::Literal(_)
        | Term::Local(_)
        | Term::Negate(_)
        | Term::Compare(..)
        | Term::Or(_)
        | Term::And(_)
        | Term::Text(_)
        | Term::Call(..)
        | Term::Beyond => Origin::Unknown,
    }
}

fn path(head: &Term, steps: &[Step], input: &Origin, sources: &dyn Sources) -> Origin {
    match (head, steps) {
        (Term::Outer(name), [first, rest @ ..]) if name == "steps" => match &first.kind {
            StepKind::Name(task) => follow(sources.step(task), rest),
            StepKind::Index(_) | StepKind::Slice(..) => Origin::Unknown,
        },
        _ => follow(trace(head, input, sources), steps),
    }
}

fn follow(from: Origin, steps: &[Step]) -> Origin {
    steps.iter().fold(from, |origin, step| match &step.kind {
        StepKind::Name(name) => origin.member(name),
        StepKind::Index(_) => origin.item(),
        StepKind::Slice(..) => origin,
    })
}
