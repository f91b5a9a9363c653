//! From the text of an expression to flat tokens, with the limits checked before anything else.
//!
//! Knows characters, not grammar. Text with `\( )` in it is kept as parts, whose inner tokens are
//! scanned by the same code.

use super::{DEPTH_MAX, ExpressionProblem, SOURCE_BYTES_MAX};

/// A token and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Token<'s> {
    pub(super) text: &'s str,
    pub(super) offset: usize,
    pub(super) kind: Kind<'s>,
}

#[derive(Debug, Clone)]
pub(super) enum Kind<'s> {
    /// `if`, `length`, `math::abs`
    Word,
    /// `$steps`
    Variable,
    /// `@base64`
    Format,
    Number,
    Text(Vec<TextPart<'s>>),
    /// Operators, brackets, and `.name`.
    Symbol,
}

#[derive(Debug, Clone)]
pub(super) enum TextPart<'s> {
    Plain(String),
    /// The tokens between `\(` and `)`.
    Inner(Vec<Token<'s>>),
}

/// Refuses what is too long or too deep by counting brackets, without recursion.
pub(super) fn limits(source: &str) -> Result<(), ExpressionProblem> {
    if source.len() > SOURCE_BYTES_MAX {
        return Err(ExpressionProblem::new(
            SOURCE_BYTES_MAX,
            format!(
                "the expression is {} bytes long; at most {SOURCE_BYTES_MAX} are allowed",
                source.len()
            ),
        )
        .help("split it over several `set` tasks"));
    }
    // Brackets inside of text count too: what stands there is rarely deep, and telling text from
    // code needs the scanner that this check protects.
    let mut depth = 0_usize;
    for (offset, byte) in source.bytes().enumerate() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEPTH_MAX {
            return Err(too_deep(offset));
        }
    }
    Ok(())
}

pub(super) fn too_deep(offset: usize) -> ExpressionProblem {
    ExpressionProblem::new(
        offset,
        format!("the expression is nested more than {DEPTH_MAX} deep"),
    )
    .help("split it over several `set` tasks")
}

/// All tokens of a source that passed [`limits`].
pub(super) fn scan(source: &str) -> Result<Vec<Token<'_>>, ExpressionProblem> {
    let mut scanner = Scanner {
        source,
        at: 0,
        depth: 0,
    };
    scanner.tokens(Until::End)
}

#[derive(Clone, Copy, PartialEq)]
enum Until {
    End,
    /// The `)` that closes `\(`.
    Closed,
}

struct Scanner<'s> {
    source: &'s str,
    at: usize,
    /// Of text within text.
    depth: usize,
}

impl<'s> Scanner<'s> {
    fn rest(&self) -> &'s str {
        &self.source[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn take_while(&mut self, accept: impl Fn(char) -> bool) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches(accept).len();
    }

    fn fail<T>(&self, message: impl Into<String>) -> Result<T, ExpressionProblem> {
        Err(ExpressionProblem::new(self.at, message))
    }

    fn tokens(&mut self, until: Until) -> Result<Vec<Token<'s>>, ExpressionProblem> {
        let mut tokens = Vec::new();
        let mut open = 0_usize;
        loop {
            self.space();
            let offset = self.at;
            let Some(first) = self.peek() else {
                return match until {
                    Until::End => Ok(tokens),
                    Until::Closed => self.fail("the `\\(` in this text is never closed"),
                };
            };
            if until == Until::Closed && first == ')' && open == 0 {
                return Ok(tokens);
            }
            match first {
                '(' => open += 1,
                ')' => open = open.saturating_sub(1),
                _ => {}
            }
            let kind = self.token(first)?;
            let text = &self.source[offset..self.at];
            tokens.push(Token { text, offset, kind });
        }
    }

    fn token(&mut self, first: char) -> Result<Kind<'s>, ExpressionProblem> {
        match first {
            'a'..='z' | 'A'..='Z' | '_' => {
                self.name();
                if self.rest().starts_with("::") {
                    return self.fail("modules do not exist in expressions");
                }
                Ok(Kind::Word)
            }
            '$' | '@' => {
                self.at += 1;
                if !self.rest().starts_with(starts_name) {
                    return self.fail(format!("a name must follow `{first}`"));
                }
                self.name();
                Ok(if first == '$' {
                    Kind::Variable
                } else {
                    Kind::Format
                })
            }
            '0'..='9' => self.number(),
            '|' | '=' | '!' | '<' | '>' | '+' | '-' | '*' | '/' | '%' => {
                self.at += 1;
                self.take_while(|c| "|=!<>+*/%".contains(c));
                Ok(Kind::Symbol)
            }
            '.' => {
                self.at += 1;
                if self.rest().starts_with('.') {
                    self.at += 1;
                } else if self.rest().starts_with(starts_name) {
                    self.name();
                }
                Ok(Kind::Symbol)
            }
            ':' | ';' | ',' | '?' | '(' | ')' | '[' | ']' | '{' | '}' => {
                self.at += 1;
                Ok(Kind::Symbol)
            }
            '"' => self.text(),
            '\'' => Err(ExpressionProblem::new(
                self.at,
                "text in an expression stands between double quotes",
            )
            .help("write \"...\" instead of '...'")),
            '&' => Err(ExpressionProblem::new(self.at, "`&` means nothing here")
                .help("write `and` between conditions")),
            _ => self.fail(format!("`{first}` means nothing here")),
        }
    }

    fn name(&mut self) {
        self.take_while(|c| c.is_ascii_alphanumeric() || c == '_');
    }

    fn number(&mut self) -> Result<Kind<'s>, ExpressionProblem> {
        let digit = |c: char| c.is_ascii_digit();
        self.take_while(digit);
        if self.rest().starts_with('.') {
            self.at += 1;
            if !self.rest().starts_with(digit) {
                return self.fail("a digit must follow the point of a number");
            }
            self.take_while(digit);
        }
        if self.rest().starts_with(['e', 'E']) {
            self.at += 1;
            if self.rest().starts_with(['+', '-']) {
                self.at += 1;
            }
            if !self.rest().starts_with(digit) {
                return self.fail("a digit must follow the exponent of a number");
            }
            self.take_while(digit);
        }
        Ok(Kind::Number)
    }

    fn text(&mut self) -> Result<Kind<'s>, ExpressionProblem> {
        let start = self.at;
        self.at += 1;
        let mut parts = Vec::new();
        let mut plain = String::new();
        loop {
            let from = self.at;
            self.take_while(|c| c != '\\' && c != '"');
            plain.push_str(&self.source[from..self.at]);
            match self.peek() {
                None => {
                    return Err(ExpressionProblem::new(
                        start,
                        "the text that begins here is never closed",
                    )
                    .help("add a `\"`"));
                }
                Some('"') => {
                    self.at += 1;
                    if !plain.is_empty() {
                        parts.push(TextPart::Plain(plain));
                    }
                    return Ok(Kind::Text(parts));
                }
                Some(_) => {
                    self.at += 1;
                    if self.rest().starts_with('(') {
                        if !plain.is_empty() {
                            parts.push(TextPart::Plain(std::mem::take(&mut plain)));
                        }
                        parts.push(TextPart::Inner(self.inner()?));
                    } else {
                        plain.push(self.escape()?);
                    }
                }
            }
        }
    }

    fn inner(&mut self) -> Result<Vec<Token<'s>>, ExpressionProblem> {
        if self.depth >= DEPTH_MAX {
            return Err(too_deep(self.at));
        }
        self.at += 1;
        self.depth += 1;
        let tokens = self.tokens(Until::Closed)?;
        self.depth -= 1;
        self.at += 1;
        Ok(tokens)
    }

    fn escape(&mut self) -> Result<char, ExpressionProblem> {
        let escaped = match self.peek() {
            Some(c @ ('\\' | '/' | '"')) => c,
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('u') => {
                let hex = self.rest().get(1..5).unwrap_or_default();
                let code = u32::from_str_radix(hex, 16).ok().and_then(char::from_u32);
                let digits = hex.len() == 4 && hex.bytes().all(|b| b.is_ascii_hexdigit());
                let Some(c) = code.filter(|_| digits) else {
                    return self.fail("four hexadecimal digits of a character must follow `\\u`");
                };
                self.at += 4;
                c
            }
            _ => {
                return self.fail("unknown escape; write `\\\\` for a backslash");
            }
        };
        self.at += 1;
        Ok(escaped)
    }

    /// White space and comments; a comment goes on after a line that ends with an odd number of
    /// backslashes.
    fn space(&mut self) {
        loop {
            self.take_while(char::is_whitespace);
            if !self.rest().starts_with('#') {
                return;
            }
            loop {
                let line = self.rest().split('\n').next().unwrap_or_default();
                let ended = line.len() == self.rest().len();
                self.at += line.len() + usize::from(!ended);
                let line = line.strip_suffix('\r').unwrap_or(line);
                let backslashes = line.len() - line.trim_end_matches('\\').len();
                if ended || backslashes.is_multiple_of(2) {
                    break;
                }
            }
        }
    }
}

fn starts_name(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_'
}
