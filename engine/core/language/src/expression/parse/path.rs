//! Paths: `.a`, `["a"]`, `[0]`, `[1:3]`, `.a?`.

use crate::expression::scan::Kind;
use crate::expression::term::{Step, StepKind, Term};
use crate::expression::{ExpressionProblem, StepName};

use super::{Commas, Parsed, Parser};

/// Steps of a path, and whether one of them iterates (`[]`), which only jq itself does.
#[derive(Default)]
pub(super) struct Steps {
    pub(super) steps: Vec<Step>,
    pub(super) iterates: bool,
}

impl Parser<'_, '_> {
    /// All steps that follow here.
    pub(super) fn steps(&mut self, found: &mut Steps) -> Parsed<()> {
        loop {
            self.brackets(found)?;
            let Some(token) = self.peek() else {
                return Ok(());
            };
            let Some(name) = token.text.strip_prefix('.').filter(|_| token.text != "..") else {
                return Ok(());
            };
            self.at += 1;
            if !name.is_empty() {
                self.push(found, StepKind::Name(name.to_owned()));
            } else if self.sees("[") {
                self.bracket(found)?;
            } else {
                let key = self.text_key()?;
                self.push(found, index(key));
            }
        }
    }

    fn brackets(&mut self, found: &mut Steps) -> Parsed<()> {
        while self.sees("[") {
            self.bracket(found)?;
        }
        Ok(())
    }

    fn bracket(&mut self, found: &mut Steps) -> Parsed<()> {
        self.expect("[")?;
        if self.eat("]") {
            found.iterates = true;
            self.optional();
            return Ok(());
        }
        let kind = if self.eat(":") {
            StepKind::Slice(None, Some(self.term(Commas::Allowed)?))
        } else {
            let term = self.term(Commas::Allowed)?;
            if !self.eat(":") {
                index(term)
            } else if self.sees("]") {
                StepKind::Slice(Some(term), None)
            } else {
                StepKind::Slice(Some(term), Some(self.term(Commas::Allowed)?))
            }
        };
        self.expect("]")?;
        self.push(found, kind);
        Ok(())
    }

    pub(super) fn push(&mut self, found: &mut Steps, kind: StepKind) {
        let optional = self.optional();
        found.steps.push(Step { kind, optional });
    }

    /// Takes any number of `?`.
    pub(super) fn optional(&mut self) -> bool {
        let mut seen = false;
        while self.eat("?") {
            seen = true;
        }
        seen
    }

    /// `"name"` or `@format "name"` as a key.
    pub(super) fn text_key(&mut self) -> Parsed<Term> {
        let formatted = matches!(self.peek(), Some(token) if matches!(token.kind, Kind::Format));
        let wanted = "a name, a text or `[`";
        let problem = self.unexpected(wanted);
        if formatted {
            self.at += 1;
        }
        let Some(token) = self.next() else {
            return Err(problem);
        };
        let Kind::Text(parts) = &token.kind else {
            return Err(problem);
        };
        let parts = self.text_parts(parts, token.offset)?;
        Ok(if formatted { Term::Beyond } else { text(parts) })
    }

    /// Notes `$steps.x` when `head` is `$steps`.
    pub(super) fn note_step(&mut self, head: &Term, found: &Steps, start: usize) {
        if !matches!(head, Term::Outer(name) if name == "steps") {
            return;
        }
        let Some(StepKind::Name(name)) = found.steps.first().map(|step| &step.kind) else {
            return;
        };
        let offset = self.tokens[start].offset;
        self.shared.findings.steps.push(StepName {
            name: name.clone(),
            offset,
            hyphenated: self.hyphenated(start + 1),
        });
    }

    /// The name that `.my-task` seems to mean, when `at` is the token `.my`.
    pub(super) fn hyphenated(&self, at: usize) -> Option<String> {
        let first = self.tokens.get(at)?;
        let mut name = first.text.strip_prefix('.')?.to_owned();
        let mut end = first.offset + first.text.len();
        let before = name.len();
        for pair in self.tokens[at + 1..].chunks(2) {
            let [minus, word] = pair else { break };
            let adjacent = minus.offset == end && word.offset == end + 1;
            let named = matches!(word.kind, Kind::Word | Kind::Number);
            if minus.text != "-" || !adjacent || !named {
                break;
            }
            name.push('-');
            name.push_str(word.text);
            end = word.offset + word.text.len();
        }
        (name.len() > before).then_some(name)
    }

    /// The problem with `first-name` after a point: what was meant as one name is a subtraction.
    pub(super) fn hyphen_problem(&self, call: usize) -> Option<ExpressionProblem> {
        let mut at = call;
        while at >= 2 && self.tokens[at - 1].text == "-" {
            at -= 2;
        }
        let name = self.hyphenated(at)?;
        Some(
            ExpressionProblem::new(
                self.tokens[at].offset,
                format!(
                    "`{}` is read as a subtraction",
                    self.tokens[at].text.to_owned() + &name[self.tokens[at].text.len() - 1..]
                ),
            )
            .help(format!("write `[\"{name}\"]` for a name with a hyphen")),
        )
    }
}

/// Text with nothing to evaluate in it is a literal.
pub(super) fn text(mut parts: Vec<Term>) -> Term {
    match parts.as_slice() {
        [] => Term::Literal("".into()),
        [Term::Literal(_)] => parts.remove(0),
        _ => Term::Text(parts),
    }
}

fn index(term: Term) -> StepKind {
    match term {
        Term::Literal(serde_json::Value::String(name)) => StepKind::Name(name),
        other => StepKind::Index(other),
    }
}
