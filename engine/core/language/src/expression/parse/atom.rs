//! What stands between operators: literals, variables, calls, brackets, `if`, `reduce` and so on.

use serde_json::{Number, Value};

use crate::expression::scan::{Kind, Token};
use crate::expression::term::{Function, StepKind, Term};
use crate::expression::{ExpressionProblem, absent, evaluate, known};

use super::path::{self, Steps};
use super::{Commas, Parsed, Parser};

impl<'p, 's> Parser<'p, 's> {
    /// A head with the path behind it.
    pub(super) fn atom(&mut self) -> Parsed<Term> {
        let start = self.at;
        let Some(token) = self.next() else {
            return Err(self.unexpected_before(start));
        };
        let mut found = Steps::default();
        let head = self.head(token, start, &mut found)?;
        // `?` behind the head itself, as in `(1 + .a)?`; a path takes its own.
        let head = if found.steps.is_empty() && !found.iterates && self.optional() {
            Term::Try(Box::new(head))
        } else {
            head
        };
        self.steps(&mut found)?;
        self.note_step(&head, &found, start);
        Ok(if found.iterates {
            Term::Beyond
        } else if found.steps.is_empty() {
            head
        } else {
            Term::Path(Box::new(head), found.steps)
        })
    }

    fn unexpected_before(&mut self, start: usize) -> ExpressionProblem {
        self.at = start;
        self.unexpected("a value, such as `.name`, `$steps.name`, a number or a text")
    }

    fn head(&mut self, token: &'p Token<'s>, start: usize, found: &mut Steps) -> Parsed<Term> {
        match &token.kind {
            Kind::Number => Ok(number(token.text)),
            Kind::Variable => self.variable(token),
            Kind::Text(parts) => Ok(path::text(self.text_parts(parts, token.offset)?)),
            Kind::Format => {
                if let Some(Token {
                    kind: Kind::Text(parts),
                    offset,
                    ..
                }) = self.peek()
                {
                    self.at += 1;
                    self.text_parts(parts, *offset)?;
                } else {
                    self.arguments()?;
                }
                Ok(Term::Beyond)
            }
            Kind::Word => self.word(token, start),
            Kind::Symbol => self.symbol(token, start, found),
        }
    }

    fn symbol(&mut self, token: &Token<'_>, start: usize, found: &mut Steps) -> Parsed<Term> {
        match token.text {
            "-" => Ok(Term::Negate(Box::new(self.deeper(Self::atom)?))),
            "(" => {
                let term = self.term(Commas::Allowed)?;
                self.expect(")")?;
                Ok(term)
            }
            "[" => self.array(),
            "{" => self.object(),
            ".." => Ok(Term::Beyond),
            "." => {
                let text = |next: &Token<'_>| matches!(next.kind, Kind::Text(_) | Kind::Format);
                if self.peek().is_some_and(text) {
                    let key = self.text_key()?;
                    let kind = match key {
                        Term::Literal(Value::String(name)) => StepKind::Name(name),
                        other => StepKind::Index(other),
                    };
                    self.push(found, kind);
                }
                Ok(Term::Input)
            }
            other => {
                if let Some(name) = other.strip_prefix('.') {
                    self.push(found, StepKind::Name(name.to_owned()));
                    return Ok(Term::Input);
                }
                Err(self.unexpected_before(start))
            }
        }
    }

    fn array(&mut self) -> Parsed<Term> {
        if self.eat("]") {
            return Ok(Term::Array(Vec::new()));
        }
        let term = self.term(Commas::Allowed)?;
        self.expect("]")?;
        let mut items = Vec::new();
        flatten(term, &mut items);
        Ok(Term::Array(items))
    }

    fn object(&mut self) -> Parsed<Term> {
        let mut entries = Vec::new();
        if self.eat("}") {
            return Ok(Term::Object(entries));
        }
        loop {
            entries.push(self.entry()?);
            if self.eat("}") {
                return Ok(Term::Object(entries));
            }
            if !self.eat(",") {
                return Err(self.unexpected("`,` or `}`"));
            }
            if self.eat("}") {
                return Ok(Term::Object(entries));
            }
        }
    }

    fn entry(&mut self) -> Parsed<(Term, Term)> {
        let key = match self.peek() {
            Some(token) if token.text == "(" => {
                self.at += 1;
                let key = self.term(Commas::Allowed)?;
                self.expect(")")?;
                self.expect(":")?;
                return Ok((key, self.term(Commas::Separate)?));
            }
            Some(token) if matches!(token.kind, Kind::Variable) => {
                self.at += 1;
                let variable = self.variable(token)?;
                if self.eat(":") {
                    return Ok((variable, self.term(Commas::Separate)?));
                }
                return Ok((Term::Literal(token.text[1..].into()), variable));
            }
            Some(token) if matches!(token.kind, Kind::Word) => {
                self.at += 1;
                Term::Literal(token.text.into())
            }
            _ => self.text_key()?,
        };
        if self.eat(":") {
            return Ok((key, self.term(Commas::Separate)?));
        }
        let kind = match &key {
            Term::Literal(Value::String(name)) => StepKind::Name(name.clone()),
            other => StepKind::Index(other.clone()),
        };
        let step = crate::expression::term::Step {
            kind,
            optional: false,
        };
        Ok((key, Term::Path(Box::new(Term::Input), vec![step])))
    }

    fn word(&mut self, token: &Token<'_>, start: usize) -> Parsed<Term> {
        match token.text {
            "if" => self.condition(),
            "try" => {
                self.deeper(Self::atom)?;
                if self.eat("catch") {
                    self.deeper(Self::atom)?;
                }
                Ok(Term::Beyond)
            }
            "label" => {
                self.label()?;
                self.expect("|")?;
                self.term(Commas::Allowed)?;
                Ok(Term::Beyond)
            }
            "break" => {
                self.label()?;
                Ok(Term::Beyond)
            }
            "reduce" | "foreach" => {
                self.deeper(Self::atom)?;
                self.expect("as")?;
                let (names, _) = self.pattern()?;
                self.expect("(")?;
                self.term(Commas::Allowed)?;
                self.with_locals(&names, |parser| {
                    while parser.eat(";") {
                        parser.term(Commas::Allowed)?;
                    }
                    Ok(())
                })?;
                self.expect(")")?;
                Ok(Term::Beyond)
            }
            "def" => self.definitions(),
            "then" | "elif" | "else" | "end" | "as" | "catch" | "and" | "or" => {
                Err(self.unexpected_before(start))
            }
            name => self.call(name, token.offset, start),
        }
    }

    fn label(&mut self) -> Parsed<()> {
        match self.next() {
            Some(token) if matches!(token.kind, Kind::Variable) => Ok(()),
            _ => {
                self.at -= 1;
                Err(self.unexpected("a label such as `$out`"))
            }
        }
    }

    fn condition(&mut self) -> Parsed<Term> {
        let mut branches = Vec::new();
        let mut otherwise = Term::Input;
        loop {
            let condition = self.term(Commas::Allowed)?;
            self.expect("then")?;
            branches.push((condition, self.term(Commas::Allowed)?));
            if self.eat("elif") {
                continue;
            }
            if self.eat("else") {
                otherwise = self.term(Commas::Allowed)?;
                self.expect("end")?;
                break;
            }
            if self.eat("end") {
                break;
            }
            return Err(self.unexpected("`elif`, `else` or `end`"));
        }
        // A long chain of `elif` is a deep tree.
        if branches.len() > crate::expression::DEPTH_MAX {
            return Ok(Term::Beyond);
        }
        Ok(branches
            .into_iter()
            .rev()
            .fold(otherwise, |otherwise, (condition, then)| Term::If {
                condition: Box::new(condition),
                then: Box::new(then),
                otherwise: Box::new(otherwise),
            }))
    }

    /// `def f: a; def g($x; h): b; c`: the first `def` has been taken.
    fn definitions(&mut self) -> Parsed<Term> {
        let before = self.shared.definitions.len();
        loop {
            self.definition()?;
            if !self.eat("def") {
                break;
            }
        }
        self.term(Commas::Allowed)?;
        self.shared.definitions.truncate(before);
        Ok(Term::Beyond)
    }

    fn definition(&mut self) -> Parsed<()> {
        let name = match self.peek() {
            Some(token) if matches!(token.kind, Kind::Word | Kind::Format) => token.text.to_owned(),
            _ => return Err(self.unexpected("the name of the function")),
        };
        self.at += 1;
        let mut variables = Vec::new();
        let mut filters = Vec::new();
        if self.eat("(") {
            loop {
                match self.peek() {
                    Some(token) if matches!(token.kind, Kind::Variable) => {
                        variables.push(token.text[1..].to_owned());
                    }
                    Some(token) if matches!(token.kind, Kind::Word) => {
                        filters.push((token.text.to_owned(), 0));
                    }
                    _ => return Err(self.unexpected("an argument such as `f` or `$x`")),
                }
                self.at += 1;
                if !self.eat(";") {
                    break;
                }
            }
            self.expect(")")?;
        }
        self.expect(":")?;
        let count = variables.len() + filters.len();
        self.shared.definitions.push((name, count));
        let before = self.shared.definitions.len();
        self.shared.definitions.extend(filters);
        self.with_locals(&variables, |parser| parser.term(Commas::Allowed))?;
        self.shared.definitions.truncate(before);
        self.expect(";")
    }

    fn arguments(&mut self) -> Parsed<Vec<Term>> {
        let mut arguments = Vec::new();
        if !self.eat("(") {
            return Ok(arguments);
        }
        loop {
            arguments.push(self.term(Commas::Allowed)?);
            if !self.eat(";") {
                break;
            }
        }
        if !self.eat(")") {
            return Err(self.unexpected("`;` or `)`"));
        }
        Ok(arguments)
    }

    fn call(&mut self, name: &str, offset: usize, start: usize) -> Parsed<Term> {
        let arguments = self.arguments()?;
        let count = arguments.len();
        let shared = &mut *self.shared;
        if shared
            .definitions
            .iter()
            .any(|(defined, arity)| defined == name && *arity == count)
        {
            return Ok(Term::Beyond);
        }
        if let Some(reason) = absent::function(name) {
            return Err(ExpressionProblem::new(
                offset,
                format!("`{name}` does not exist: {reason}"),
            ));
        }
        match (name, count) {
            ("null", 0) => return Ok(Term::Literal(Value::Null)),
            ("true", 0) => return Ok(Term::Literal(Value::Bool(true))),
            ("false", 0) => return Ok(Term::Literal(Value::Bool(false))),
            ("money", 0) => shared.findings.money = true,
            _ => {}
        }
        if let Some(function) = Function::named(name, count) {
            return Ok(Term::Call(function, arguments));
        }
        if known::function(name, count) {
            return Ok(Term::Beyond);
        }
        // `$steps.my-task` is reported by whoever knows the names of the tasks.
        if self.follows_step(start) {
            return Ok(Term::Beyond);
        }
        Err(self
            .hyphen_problem(start)
            .unwrap_or_else(|| known::problem(name, count, offset)))
    }

    /// Whether the word at `call` continues `$steps.my-`.
    fn follows_step(&self, call: usize) -> bool {
        let mut at = call;
        while at >= 2 && self.tokens[at - 1].text == "-" {
            at -= 2;
        }
        at >= 1 && self.tokens[at - 1].text == "$steps" && self.hyphenated(at).is_some()
    }
}

/// Items of an array: commas in brackets of their own mean the same.
fn flatten(term: Term, items: &mut Vec<Term>) {
    match term {
        Term::Comma(terms) => {
            for term in terms {
                flatten(term, items);
            }
        }
        other => items.push(other),
    }
}

/// A number as written. jq keeps the text of a decimal; ours only where both print it the same.
fn number(text: &str) -> Term {
    if let Ok(integer) = text.parse::<i64>() {
        return Term::Literal(integer.into());
    }
    text.parse::<f64>()
        .ok()
        .and_then(Number::from_f64)
        .filter(|number| evaluate::number_text(number) == text)
        .map_or(Term::Beyond, |number| Term::Literal(Value::Number(number)))
}
