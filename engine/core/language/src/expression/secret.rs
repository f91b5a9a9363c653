//! Text that holds secrets: written text and names of secrets, joined. Nothing is evaluated; a
//! value is put in by whoever sends it.

use serde_json::Value;

use super::Expression;
use super::term::{Operator, Step, StepKind, Term};
use crate::workflow::Piece;

impl Expression {
    /// The pieces, if it is nothing but `$secrets.<name>` and written text, joined with `+` or in
    /// one text.
    pub(crate) fn pieces(&self) -> Option<Vec<Piece>> {
        let mut found = Vec::new();
        gather(&self.checked.tree, &mut found)?;
        Some(found)
    }
}

/// As deep as brackets may be: the parser has counted them.
fn gather(term: &Term, found: &mut Vec<Piece>) -> Option<()> {
    match term {
        Term::Literal(Value::String(text)) => found.push(Piece::Text(text.clone())),
        Term::Path(head, steps) => {
            let (Term::Outer(name), [step]) = (&**head, &steps[..]) else {
                return None;
            };
            found.push(Piece::Secret(named(step).filter(|_| name == "secrets")?));
        }
        Term::Arithmetic(head, tail) => {
            gather(head, found)?;
            for (operator, term) in tail {
                if *operator != Operator::Add {
                    return None;
                }
                gather(term, found)?;
            }
        }
        Term::Text(parts) => {
            for part in parts {
                gather(part, found)?;
            }
        }
        _ => return None,
    }
    Some(())
}

fn named(step: &Step) -> Option<String> {
    match &step.kind {
        StepKind::Name(name) if !step.optional => Some(name.clone()),
        StepKind::Index(Term::Literal(Value::String(name))) if !step.optional => Some(name.clone()),
        StepKind::Name(_) | StepKind::Index(_) | StepKind::Slice(..) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(source: &str) -> Option<String> {
        let found = Expression::new(source).unwrap().pieces()?;
        let one = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Secret(name) => format!("<{name}>"),
        };
        Some(found.iter().map(one).collect())
    }

    #[test]
    fn secrets_are_joined_with_written_text_and_with_nothing_else() {
        for (source, expected) in [
            ("$secrets.desk", Some("<desk>")),
            ("$secrets[\"the-desk\"]", Some("<the-desk>")),
            ("\"Token \" + $secrets.desk", Some("Token <desk>")),
            ("(\"a\" + $secrets.b) + \"c\"", Some("a<b>c")),
            ("\"Token \\($secrets.desk)!\"", Some("Token <desk>!")),
            ("$secrets", None),
            ("$secrets.desk.token", None),
            ("$secrets.desk?", None),
            ("$secrets[.name]", None),
            ("$secrets.desk | length", None),
            ("$secrets.desk + .name", None),
            ("$input.desk", None),
            ("if .x then $secrets.a else $secrets.b end", None),
            ("[$secrets.desk]", None),
        ] {
            assert_eq!(pieces(source).as_deref(), expected, "{source}");
        }
    }
}
