//! Text that is no YAML: the author's likely mistake instead of the parser's state.

use serde_yaml::granit_parser::{ErrorKind, ScanError};

use super::{Place, lines};
use crate::diagnostic::Findings;

/// Message and help for one mistake.
struct Advice {
    message: String,
    help: String,
}

/// Reports what made the parser stop. It stops at the first mistake, so there is exactly one.
pub(super) fn report(text: &str, error: &ScanError, findings: &mut Findings) {
    let marker = error.marker();
    let at = Spot::new(text, marker.line(), marker.col() + 1);
    let (at, code, advice) = advise(&at, error.kind());
    findings
        .error(code, at.place(), advice.message)
        .help(advice.help);
}

/// A position with its line at hand.
#[derive(Clone)]
struct Spot<'a> {
    text: &'a str,
    line: usize,
    column: usize,
    /// How much of the line is meant at most.
    width_max: usize,
}

impl<'a> Spot<'a> {
    /// A position at or after the end is taken back to the end of the last written line.
    fn new(text: &'a str, line: usize, column: usize) -> Self {
        let lines: Vec<&str> = super::lines(text).collect();
        let mut line = line.clamp(1, lines.len().max(1));
        let mut column = column;
        while line > 1
            && lines
                .get(line - 1)
                .is_none_or(|line| line.trim().is_empty())
        {
            line -= 1;
            column = usize::MAX;
        }
        let length = lines
            .get(line - 1)
            .map_or(0, |line| line.trim_end().chars().count());
        Self {
            text,
            line,
            column: column.min(length + 1),
            width_max: usize::MAX,
        }
    }

    fn source(&self) -> &'a str {
        lines(self.text).nth(self.line - 1).unwrap_or_default()
    }

    fn indent(&self) -> usize {
        let source = self.source();
        source.len() - source.trim_start().len()
    }

    /// The nearest line above that says something.
    fn above(&self) -> Option<Self> {
        let lines: Vec<&str> = super::lines(self.text).take(self.line - 1).collect();
        let at = lines.iter().rposition(|line| {
            let line = line.trim();
            !line.is_empty() && !line.starts_with('#')
        })?;
        Some(Self {
            text: self.text,
            line: at + 1,
            column: 1,
            width_max: usize::MAX,
        })
    }

    /// From the column to the end of the line, or the first character of the line's text when the
    /// column is beyond it.
    fn place(&self) -> Place {
        let source = self.source().trim_end();
        let length = source.chars().count();
        let column = if self.column > length {
            self.indent() + 1
        } else {
            self.column
        };
        let before: usize = source.chars().take(column - 1).map(char::len_utf8).sum();
        let line_start: usize = self
            .text
            .split_inclusive('\n')
            .take(self.line - 1)
            .map(str::len)
            .sum();
        Place {
            start: line_start + before,
            end: line_start + source.len(),
            line: self.line,
            column,
            end_line: self.line,
            end_column: (length.max(column) + 1).min(column.saturating_add(self.width_max)),
        }
    }
}

fn advise<'a>(at: &Spot<'a>, kind: &ErrorKind) -> (Spot<'a>, &'static str, Advice) {
    if let Some((spot, advice)) = tab(at) {
        return (spot, "CW0001", advice);
    }
    if matches!(kind, ErrorKind::DirectiveDisallowed) {
        return (at.clone(), "CW0005", directive());
    }
    if matches!(kind, ErrorKind::RecursionLimitExceeded) {
        return (at.clone(), "CW0002", too_deep());
    }
    for spot in [Some(at.clone()), at.above()].into_iter().flatten() {
        if let Some((spot, advice)) = expression_in_brackets(&spot) {
            return (spot, "CW0001", advice);
        }
        if let Some(advice) = bare_expression(&spot).or_else(|| bare_colon(&spot)) {
            return (spot.at_value(), "CW0001", advice);
        }
    }
    if let Some(advice) = quote(at, kind).or_else(|| indentation(at, kind)) {
        return (at.clone(), "CW0001", advice);
    }
    (at.clone(), "CW0001", by_kind(kind))
}

impl Spot<'_> {
    /// The same line, pointing at the value after its first key.
    fn at_value(mut self) -> Self {
        if let Some((_, value)) = key_and_value(self.source()) {
            let source = self.source();
            let before = &source[..source.len() - value.len()];
            self.column = before.chars().count() + 1;
        }
        self
    }
}

/// The key of a line `  - key: value` and the value as it stands.
fn key_and_value(source: &str) -> Option<(&str, &str)> {
    let (key, value) = source.split_once(": ")?;
    let value = value.trim_start();
    (!value.is_empty()).then(|| (key.trim_start_matches([' ', '-']), value))
}

fn is_quoted(value: &str) -> bool {
    value.starts_with(['"', '\'', '|', '>', '{', '['])
}

fn in_single_quotes(value: &str) -> String {
    format!("'{}'", value.trim_end().replace('\'', "''"))
}

fn tab<'a>(at: &Spot<'a>) -> Option<(Spot<'a>, Advice)> {
    let indented_by_tab = |spot: &Spot<'_>| {
        let source = spot.source();
        source[..spot.indent()].contains('\t')
    };
    let next = Spot {
        line: at.line + 1,
        ..at.clone()
    };
    let spot = [Some(at.clone()), at.above(), Some(next)]
        .into_iter()
        .flatten()
        .find(indented_by_tab)?;
    let column = spot.source().chars().take_while(|c| *c != '\t').count() + 1;
    let advice = Advice {
        message: "a tab indents this line".to_owned(),
        help: "YAML is indented with spaces: two for each level".to_owned(),
    };
    let width_max = 1;
    Some((
        Spot {
            column,
            width_max,
            ..spot
        },
        advice,
    ))
}

fn bare_expression(at: &Spot<'_>) -> Option<Advice> {
    let (key, value) = key_and_value(at.source())?;
    if is_quoted(value)
        || !value.starts_with("${")
        || !(value.contains(": ") || value.contains(" #"))
    {
        return None;
    }
    let sign = if value.contains(": ") { "`: `" } else { "` #`" };
    let object = value.trim_start_matches("${").trim_start().starts_with('{');
    let help = if object {
        let lines = object_as_map(value).unwrap_or_else(|| "\n  name: ${ .value }".to_owned());
        format!("write the object as a map, each value an expression of its own:\n{key}:{lines}")
    } else {
        format!(
            "put the expression in single quotes: {key}: {}",
            in_single_quotes(value)
        )
    };
    Some(Advice {
        message: format!("an expression with {sign} in it is not in quotes"),
        help,
    })
}

/// `{ money: ${ .money } }`: the brackets of the expression end the map.
fn expression_in_brackets<'a>(at: &Spot<'a>) -> Option<(Spot<'a>, Advice)> {
    let source = at.source();
    let open = source.find(['{', '['])?;
    let start = open + source[open..].find("${")?;
    let before = &source[..start];
    let quoted = |sign: char| before.matches(sign).count() % 2 == 1;
    if before.ends_with('$') || start == open || quoted('\'') || quoted('"') {
        return None;
    }
    let rest = &source[start..];
    let end = rest.find('}').map_or(rest.len(), |end| end + 1);
    let spot = Spot {
        column: before.chars().count() + 1,
        width_max: rest[..end].chars().count(),
        ..at.clone()
    };
    let advice = Advice {
        message: "an expression inside brackets is not in quotes".to_owned(),
        help: format!(
            "put it in single quotes: {}",
            in_single_quotes(&rest[..end])
        ),
    };
    Some((spot, advice))
}

/// `${ { a: .b, c: .d } }` as lines of a map, when it is as plain as that.
fn object_as_map(value: &str) -> Option<String> {
    let inner = value.trim().strip_prefix("${")?.strip_suffix('}')?.trim();
    let inner = inner.strip_prefix('{')?.strip_suffix('}')?;
    if inner.contains(['{', '[', '(', '"']) {
        return None;
    }
    inner
        .split(',')
        .map(|part| {
            let (key, value) = part.split_once(':')?;
            Some(format!("\n  {}: ${{ {} }}", key.trim(), value.trim()))
        })
        .collect()
}

fn bare_colon(at: &Spot<'_>) -> Option<Advice> {
    let (key, value) = key_and_value(at.source())?;
    if is_quoted(value) || !(value.contains(": ") || value.trim_end().ends_with(':')) {
        return None;
    }
    Some(Advice {
        message: "text with `: ` in it is not in quotes".to_owned(),
        help: format!(
            "put it in single quotes: {key}: {}",
            in_single_quotes(value)
        ),
    })
}

fn quote(at: &Spot<'_>, kind: &ErrorKind) -> Option<Advice> {
    let advice = |message: &str, help: &str| {
        Some(Advice {
            message: message.to_owned(),
            help: help.to_owned(),
        })
    };
    match kind {
        ErrorKind::UnclosedQuotedScalar
        | ErrorKind::DocumentIndicatorInQuotedScalar
        | ErrorKind::InvalidQuotedScalarIndent => advice(
            "a quote is opened and never closed",
            "close it; inside single quotes write `''` for an apostrophe",
        ),
        ErrorKind::InvalidTrailingSingleQuotedScalar => advice(
            "text goes on after its closing quote",
            "inside single quotes write `''` for an apostrophe; put quotes around the whole text",
        ),
        ErrorKind::InvalidTrailingDoubleQuotedScalar => advice(
            "text goes on after its closing quote",
            "put single quotes around the whole text; a double quote may stand inside them",
        ),
        ErrorKind::UnknownQuotedScalarEscape => advice(
            "this escape does not exist inside double quotes",
            "use single quotes, in which `\\` is an ordinary character",
        ),
        ErrorKind::UnexpectedCharacter { character } => Some(Advice {
            message: format!("text cannot begin with `{character}`"),
            help: match key_and_value(at.source()) {
                Some((key, value)) => {
                    format!(
                        "put it in single quotes: {key}: {}",
                        in_single_quotes(value)
                    )
                }
                None => "put it in single quotes".to_owned(),
            },
        }),
        _ => None,
    }
}

fn indentation(at: &Spot<'_>, kind: &ErrorKind) -> Option<Advice> {
    let structural = matches!(
        kind,
        ErrorKind::ExpectedBlockMappingKey
            | ErrorKind::ExpectedBlockSequenceEntry
            | ErrorKind::ExpectedDocumentStart
            | ErrorKind::InvalidIndentation
            | ErrorKind::MappingKeyNotAllowed
            | ErrorKind::MappingValueNotAllowed
            | ErrorKind::BlockSequenceEntryNotAllowed
            | ErrorKind::SimpleKeyExpected
            | ErrorKind::InvalidSimpleKey
    );
    if !structural {
        return None;
    }
    let above = at.above();
    if !at.source().contains(':') && !at.source().trim_start().starts_with('-') {
        return Some(Advice {
            message: "this line is neither `key: value` nor an item `- ...`".to_owned(),
            help: "write `key: value` with a space after the colon, or put text of several lines \
                   after `key: |`"
                .to_owned(),
        });
    }
    let levels = above.map_or_else(String::new, |above| {
        format!("; the line above begins at column {}", above.indent() + 1)
    });
    Some(Advice {
        message: format!(
            "this line begins at column {}, where nothing can belong to it",
            at.indent() + 1
        ),
        help: format!(
            "begin it in the same column as its neighbours{levels}. Under a dash, all keys of the \
             item begin where the first one does"
        ),
    })
}

fn directive() -> Advice {
    Advice {
        message: "directives (`%...`) are not read".to_owned(),
        help: "remove the line; text that begins with `%` needs quotes".to_owned(),
    }
}

fn too_deep() -> Advice {
    Advice {
        message: format!("nested deeper than {} levels", super::DEPTH_MAX),
        help: "move the inner part into a task of the enclosing list".to_owned(),
    }
}

fn by_kind(kind: &ErrorKind) -> Advice {
    let (message, help) = match kind {
        ErrorKind::UnclosedFlowCollection { open } => (
            format!("`{open}` is opened and never closed"),
            "close it, or put the text in single quotes if it is text",
        ),
        ErrorKind::MismatchedFlowCollectionEnd { open, close } => (
            format!("`{open}` is closed by `{close}`"),
            "close every bracket with its own kind",
        ),
        ErrorKind::MisplacedFlowCollectionEnd => (
            "a bracket is closed that was not opened".to_owned(),
            "remove it, or put the text in single quotes if it is text",
        ),
        ErrorKind::ExpectedFlowMappingSeparator
        | ErrorKind::ExpectedFlowSequenceSeparator
        | ErrorKind::UnexpectedEofFlowMapping
        | ErrorKind::UnexpectedEofFlowSequence
        | ErrorKind::UnexpectedEofImplicitFlowMapping => (
            "inside brackets, entries are separated by commas".to_owned(),
            "write `[ a, b ]` and `{ a: 1, b: 2 }`; an expression inside brackets needs quotes",
        ),
        ErrorKind::CommentNotSeparated | ErrorKind::CommentInterceptedScalar => (
            "a comment begins in the middle of a text".to_owned(),
            "put the text in quotes; a comment needs a space before `#`",
        ),
        ErrorKind::ExpectedWhitespace | ErrorKind::InvalidMappingValueWhitespace => (
            "a space is missing".to_owned(),
            "write a space after `:` and after `-`",
        ),
        ErrorKind::InvalidBlockScalarIndent
        | ErrorKind::InvalidBlockScalarHeader
        | ErrorKind::TabAtBlockScalarStart
        | ErrorKind::ZeroBlockScalarIndent => (
            "a text of several lines is indented unevenly".to_owned(),
            "after `key: |`, indent every line of the text two spaces deeper than the key",
        ),
        _ => (
            "this is not YAML".to_owned(),
            "put text with special characters in single quotes, and check the indentation",
        ),
    };
    Advice {
        message,
        help: help.to_owned(),
    }
}
