//! From tokens to a [`Term`], following jaq's grammar, and what an expression names on the way.
//!
//! All of jq is read, so that every mistake has a place; what our evaluator does not run becomes
//! [`Term::Beyond`], with its names noted all the same.

mod atom;
mod path;

use super::scan::{Kind, TextPart, Token};
use super::term::{Comparison, Operator, Term};
use super::{DEPTH_MAX, ExpressionProblem, Name, StepName, absent, scan};

/// What stands in an expression besides its tree.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) variables: Vec<Name>,
    pub(super) steps: Vec<StepName>,
    pub(super) money: bool,
}

/// Parses all tokens of `source`.
pub(super) fn parse(
    source: &str,
    tokens: &[Token<'_>],
) -> Result<(Term, Findings), ExpressionProblem> {
    let mut shared = Shared::default();
    let mut parser = Parser {
        tokens,
        at: 0,
        end: source.len(),
        shared: &mut shared,
    };
    if tokens.is_empty() {
        return Err(ExpressionProblem::new(0, "the expression is empty")
            .help("write `.` for the input as it is"));
    }
    let term = parser.term(Commas::Allowed)?;
    parser.finished()?;
    Ok((term, shared.findings))
}

/// Whether `,` joins results here; in an object it separates entries.
#[derive(Clone, Copy, PartialEq)]
enum Commas {
    Allowed,
    Separate,
}

#[derive(Default)]
struct Shared {
    findings: Findings,
    /// Variables bound within the expression, innermost last.
    locals: Vec<String>,
    /// Functions defined within the expression: name and number of arguments.
    definitions: Vec<(String, usize)>,
    depth: usize,
}

struct Parser<'p, 's> {
    tokens: &'p [Token<'s>],
    at: usize,
    /// Offset behind the last token.
    end: usize,
    shared: &'p mut Shared,
}

type Parsed<T> = Result<T, ExpressionProblem>;

impl<'p, 's> Parser<'p, 's> {
    fn peek(&self) -> Option<&'p Token<'s>> {
        self.tokens.get(self.at)
    }

    fn next(&mut self) -> Option<&'p Token<'s>> {
        let token = self.tokens.get(self.at);
        self.at += 1;
        token
    }

    fn offset(&self) -> usize {
        self.peek().map_or(self.end, |token| token.offset)
    }

    /// Whether the next token is this symbol or word; text never is.
    fn sees(&self, text: &str) -> bool {
        self.peek()
            .is_some_and(|token| token.text == text && !matches!(token.kind, Kind::Text(_)))
    }

    fn eat(&mut self, text: &str) -> bool {
        let seen = self.sees(text);
        self.at += usize::from(seen);
        seen
    }

    fn expect(&mut self, text: &str) -> Parsed<()> {
        if self.eat(text) {
            return Ok(());
        }
        Err(self.unexpected(&format!("`{text}`")))
    }

    fn unexpected(&self, wanted: &str) -> ExpressionProblem {
        let found = match self.peek() {
            None => "the end".to_owned(),
            Some(token) if matches!(token.kind, Kind::Text(_)) => "text".to_owned(),
            Some(token) => format!("`{}`", token.text),
        };
        ExpressionProblem::new(self.offset(), format!("expected {wanted}, found {found}"))
    }

    fn finished(&self) -> Parsed<()> {
        match self.peek() {
            None => Ok(()),
            Some(token) if matches!(token.kind, Kind::Symbol) && "=!<>".contains(token.text) => {
                Err(self
                    .unexpected("an operator")
                    .help("comparisons are `==`, `!=`, `<`, `<=`, `>`, `>=`"))
            }
            Some(token) if token.text == "||" => Err(self
                .unexpected("an operator")
                .help("write `or` between conditions")),
            Some(_) => Err(self.unexpected("an operator or the end")),
        }
    }

    fn deeper<T>(&mut self, parse: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        self.shared.depth += 1;
        if self.shared.depth > DEPTH_MAX + 1 {
            return Err(scan::too_deep(self.offset()));
        }
        let parsed = parse(self);
        self.shared.depth -= 1;
        parsed
    }

    /// Runs `parse` while `names` are bound.
    fn with_locals<T>(
        &mut self,
        names: &[String],
        parse: impl FnOnce(&mut Self) -> Parsed<T>,
    ) -> Parsed<T> {
        let before = self.shared.locals.len();
        self.shared.locals.extend_from_slice(names);
        let parsed = parse(self);
        self.shared.locals.truncate(before);
        parsed
    }

    /// A whole term, down to the pipe.
    fn term(&mut self, commas: Commas) -> Parsed<Term> {
        self.deeper(|parser| parser.chain("|", |parser| parser.comma(commas), Term::Pipe))
    }

    /// One or more operands between which `operator` stands; a single one is left as it is.
    fn chain(
        &mut self,
        operator: &str,
        mut operand: impl FnMut(&mut Self) -> Parsed<Term>,
        join: fn(Vec<Term>) -> Term,
    ) -> Parsed<Term> {
        let first = operand(self)?;
        if !self.sees(operator) {
            return Ok(first);
        }
        let mut terms = vec![first];
        while self.eat(operator) {
            terms.push(operand(self)?);
        }
        Ok(join(terms))
    }

    fn comma(&mut self, commas: Commas) -> Parsed<Term> {
        if commas == Commas::Separate {
            return self.binding(commas);
        }
        self.chain(",", |parser| parser.binding(commas), Term::Comma)
    }

    /// `a as $x | b`, where `b` reaches as far as it can.
    fn binding(&mut self, commas: Commas) -> Parsed<Term> {
        let head = self.assignment()?;
        if !self.eat("as") {
            return Ok(head);
        }
        let (names, plain) = self.pattern()?;
        self.expect("|")?;
        let body = self.with_locals(&names, |parser| parser.term(commas))?;
        Ok(if plain {
            Term::Bind(Box::new(head), Box::new(body))
        } else {
            Term::Beyond
        })
    }

    fn assignment(&mut self) -> Parsed<Term> {
        let mut term = self.alternative()?;
        while ["=", "|=", "+=", "-=", "*=", "/=", "%=", "//="]
            .iter()
            .any(|operator| self.eat(operator))
        {
            self.alternative()?;
            term = Term::Beyond;
        }
        Ok(term)
    }

    fn alternative(&mut self) -> Parsed<Term> {
        self.chain("//", Self::or, Term::Alternative)
    }

    fn or(&mut self) -> Parsed<Term> {
        self.chain("or", Self::and, Term::Or)
    }

    fn and(&mut self) -> Parsed<Term> {
        self.chain("and", Self::equality, Term::And)
    }

    fn equality(&mut self) -> Parsed<Term> {
        self.comparison(&EQUALITIES, |parser| {
            parser.comparison(&ORDERINGS, Self::sum)
        })
    }

    fn comparison(
        &mut self,
        operators: &[(&str, Comparison)],
        operand: fn(&mut Self) -> Parsed<Term>,
    ) -> Parsed<Term> {
        self.operators(operators, operand, Term::Compare)
    }

    fn sum(&mut self) -> Parsed<Term> {
        self.operators(&SUMS, Self::product, Term::Arithmetic)
    }

    fn product(&mut self) -> Parsed<Term> {
        self.operators(&PRODUCTS, Self::remainder, Term::Arithmetic)
    }

    fn remainder(&mut self) -> Parsed<Term> {
        self.operators(&REMAINDERS, Self::atom, Term::Arithmetic)
    }

    fn operators<O: Copy>(
        &mut self,
        operators: &[(&str, O)],
        operand: fn(&mut Self) -> Parsed<Term>,
        join: fn(Box<Term>, Vec<(O, Term)>) -> Term,
    ) -> Parsed<Term> {
        let head = operand(self)?;
        let mut tail = Vec::new();
        while let Some((_, operator)) = operators.iter().find(|(text, _)| self.eat(text)) {
            tail.push((*operator, operand(self)?));
        }
        Ok(if tail.is_empty() {
            head
        } else {
            join(Box::new(head), tail)
        })
    }

    /// `$x`, `[$x, $y]`, `{a: $x}`: the names it binds, and whether it is a single variable.
    fn pattern(&mut self) -> Parsed<(Vec<String>, bool)> {
        self.deeper(|parser| {
            let mut names = Vec::new();
            match parser.peek() {
                Some(token) if matches!(token.kind, Kind::Variable) => {
                    parser.at += 1;
                    names.push(token.text[1..].to_owned());
                    return Ok((names, true));
                }
                Some(token) if token.text == "[" => {
                    parser.at += 1;
                    loop {
                        names.extend(parser.pattern()?.0);
                        if !parser.eat(",") {
                            break;
                        }
                    }
                    parser.expect("]")?;
                }
                Some(token) if token.text == "{" => {
                    parser.at += 1;
                    loop {
                        names.extend(parser.pattern_entry()?);
                        if !parser.eat(",") || parser.sees("}") {
                            break;
                        }
                    }
                    parser.expect("}")?;
                }
                _ => return Err(parser.unexpected("a variable such as `$x`")),
            }
            Ok((names, false))
        })
    }

    fn pattern_entry(&mut self) -> Parsed<Vec<String>> {
        match self.peek() {
            Some(token) if matches!(token.kind, Kind::Variable) => {
                self.at += 1;
                return Ok(vec![token.text[1..].to_owned()]);
            }
            Some(token) if token.text == "(" => {
                self.at += 1;
                self.term(Commas::Allowed)?;
                self.expect(")")?;
            }
            Some(token) if matches!(token.kind, Kind::Word) => self.at += 1,
            _ => {
                self.text_key()?;
            }
        }
        self.expect(":")?;
        Ok(self.pattern()?.0)
    }

    /// The parts of a text, each inner one parsed to its end.
    fn text_parts(&mut self, parts: &'p [TextPart<'s>], end: usize) -> Parsed<Vec<Term>> {
        parts
            .iter()
            .map(|part| match part {
                TextPart::Plain(text) => Ok(Term::Literal(text.clone().into())),
                TextPart::Inner(tokens) => {
                    let mut inner = Parser {
                        tokens,
                        at: 0,
                        end: tokens.last().map_or(end, |t| t.offset + t.text.len()),
                        shared: self.shared,
                    };
                    let term = inner.term(Commas::Allowed)?;
                    if inner.peek().is_some() {
                        return Err(inner.unexpected("an operator or `)`"));
                    }
                    // Text that stands here by itself would be taken for a plain part.
                    Ok(match term {
                        Term::Literal(_) => Term::Pipe(vec![term]),
                        other => other,
                    })
                }
            })
            .collect()
    }

    /// Notes `$name`; gives the term that reads it.
    fn variable(&mut self, token: &Token<'_>) -> Parsed<Term> {
        let name = &token.text[1..];
        let locals = &self.shared.locals;
        if let Some(position) = locals.iter().rposition(|local| local == name) {
            return Ok(Term::Local(locals.len() - 1 - position));
        }
        if let Some(reason) = absent::variable(name) {
            return Err(ExpressionProblem::new(
                token.offset,
                format!("`${name}` does not exist: {reason}"),
            ));
        }
        self.shared.findings.variables.push(Name {
            name: name.to_owned(),
            offset: token.offset,
        });
        Ok(Term::Outer(name.to_owned()))
    }
}

const EQUALITIES: [(&str, Comparison); 2] =
    [("==", Comparison::Equal), ("!=", Comparison::Unequal)];
const ORDERINGS: [(&str, Comparison); 4] = [
    ("<", Comparison::Less),
    ("<=", Comparison::LessOrEqual),
    (">", Comparison::Greater),
    (">=", Comparison::GreaterOrEqual),
];
const SUMS: [(&str, Operator); 2] = [("+", Operator::Add), ("-", Operator::Subtract)];
const PRODUCTS: [(&str, Operator); 2] = [("*", Operator::Multiply), ("/", Operator::Divide)];
const REMAINDERS: [(&str, Operator); 1] = [("%", Operator::Remainder)];
