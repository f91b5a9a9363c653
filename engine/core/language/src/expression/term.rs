//! The tree of an expression, as far as our own evaluator runs it.

use serde_json::Value;

/// A part of an expression.
#[derive(Debug, Clone)]
pub(super) enum Term {
    /// `.`
    Input,
    Literal(Value),
    /// `$name` of the surroundings.
    Outer(String),
    /// `$name` bound by `as`, counted from the innermost, which is 0.
    Local(usize),
    Path(Box<Term>, Vec<Step>),
    Negate(Box<Term>),
    /// `a + b - c`, from left to right.
    Arithmetic(Box<Term>, Vec<(Operator, Term)>),
    /// `a < b`, from left to right.
    Compare(Box<Term>, Vec<(Comparison, Term)>),
    /// Stops at the first true.
    Or(Vec<Term>),
    /// Stops at the first false.
    And(Vec<Term>),
    /// `a // b`
    Alternative(Vec<Term>),
    Pipe(Vec<Term>),
    /// `a as $x | b`
    Bind(Box<Term>, Box<Term>),
    If {
        condition: Box<Term>,
        then: Box<Term>,
        otherwise: Box<Term>,
    },
    Array(Vec<Term>),
    Object(Vec<(Term, Term)>),
    /// Interpolated text; a literal part is a `Literal`, any other is turned into text.
    Text(Vec<Term>),
    /// `f?`
    Try(Box<Term>),
    Call(Function, Vec<Term>),
    /// `a, b`: simple only directly within `[ ]`.
    Comma(Vec<Term>),
    /// Anything that only jq itself runs.
    Beyond,
}

/// One step of a path.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) kind: StepKind,
    /// Followed by `?`.
    pub(super) optional: bool,
}

#[derive(Debug, Clone)]
pub(super) enum StepKind {
    /// `.name`, `["name"]`
    Name(String),
    Index(Term),
    Slice(Option<Term>, Option<Term>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// The functions that our own evaluator knows: total, and without iteration over other filters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    Abs,
    AsciiDowncase,
    AsciiUpcase,
    Ceil,
    Contains,
    Empty,
    EndsWith,
    First,
    Floor,
    Has,
    Join,
    Keys,
    Last,
    Length,
    Ltrim,
    Ltrimstr,
    Money,
    Not,
    Round,
    Rtrim,
    Rtrimstr,
    Split,
    StartsWith,
    ToJson,
    ToNumber,
    ToText,
    Trim,
    Type,
}

impl Function {
    pub(super) fn named(name: &str, argument_count: usize) -> Option<Self> {
        Some(match (name, argument_count) {
            ("abs", 0) => Self::Abs,
            ("ascii_downcase", 0) => Self::AsciiDowncase,
            ("ascii_upcase", 0) => Self::AsciiUpcase,
            ("ceil", 0) => Self::Ceil,
            ("contains", 1) => Self::Contains,
            ("empty", 0) => Self::Empty,
            ("endswith", 1) => Self::EndsWith,
            ("first", 0) => Self::First,
            ("floor", 0) => Self::Floor,
            ("has", 1) => Self::Has,
            ("join", 1) => Self::Join,
            ("keys", 0) => Self::Keys,
            ("last", 0) => Self::Last,
            ("length", 0) => Self::Length,
            ("ltrim", 0) => Self::Ltrim,
            ("ltrimstr", 1) => Self::Ltrimstr,
            ("money", 0) => Self::Money,
            ("not", 0) => Self::Not,
            ("round", 0) => Self::Round,
            ("rtrim", 0) => Self::Rtrim,
            ("rtrimstr", 1) => Self::Rtrimstr,
            ("split", 1) => Self::Split,
            ("startswith", 1) => Self::StartsWith,
            ("tojson", 0) => Self::ToJson,
            ("tonumber", 0) => Self::ToNumber,
            ("tostring", 0) => Self::ToText,
            ("trim", 0) => Self::Trim,
            ("type", 0) => Self::Type,
            _ => return None,
        })
    }
}

impl Term {
    /// Whether our own evaluator runs all of it.
    pub(super) fn simple(&self) -> bool {
        let all = |terms: &[Self]| terms.iter().all(Self::simple);
        match self {
            Self::Input | Self::Literal(_) | Self::Outer(_) | Self::Local(_) => true,
            Self::Path(head, steps) => {
                head.simple()
                    && steps.iter().all(|step| match &step.kind {
                        StepKind::Name(_) => true,
                        StepKind::Index(index) => index.simple(),
                        StepKind::Slice(from, to) => from.iter().chain(to).all(Self::simple),
                    })
            }
            Self::Negate(term) | Self::Try(term) => term.simple(),
            Self::Arithmetic(head, tail) => head.simple() && tail.iter().all(|(_, t)| t.simple()),
            Self::Compare(head, tail) => head.simple() && tail.iter().all(|(_, t)| t.simple()),
            Self::Or(terms)
            | Self::And(terms)
            | Self::Alternative(terms)
            | Self::Pipe(terms)
            | Self::Array(terms)
            | Self::Text(terms)
            | Self::Call(_, terms) => all(terms),
            Self::Bind(head, body) => head.simple() && body.simple(),
            Self::If {
                condition,
                then,
                otherwise,
            } => condition.simple() && then.simple() && otherwise.simple(),
            Self::Object(entries) => entries.iter().all(|(k, v)| k.simple() && v.simple()),
            Self::Comma(_) | Self::Beyond => false,
        }
    }
}
