//! Findings as a terminal shows them: the line of the source, carets under it, and help.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::{Diagnostic, Severity};

/// Draws findings with the source around them, as a terminal shows them.
pub fn draw(diagnostics: &[Diagnostic], source: &str, colour: bool) -> String {
    let renderer = if colour {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let lines = LineStarts::new(source);
    let mut drawn: Vec<String> = diagnostics
        .iter()
        .map(|finding| renderer.render(&[group(finding, source, &lines)]))
        .collect();
    drawn.push(String::new());
    drawn.join("\n\n").trim_end_matches('\n').to_owned() + if drawn.len() > 1 { "\n" } else { "" }
}

fn group<'a>(finding: &'a Diagnostic, source: &'a str, lines: &LineStarts) -> Group<'a> {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let snippet = Snippet::source(source)
        .path(finding.file.as_str())
        .annotation(AnnotationKind::Primary.span(lines.range(finding, source)));
    let group = level
        .primary_title(finding.message.as_str())
        .id(finding.code)
        .element(snippet);
    match &finding.help {
        Some(help) => group.element(Level::HELP.message(help.as_str())),
        None => group,
    }
}

/// Byte at which each line begins.
struct LineStarts(Vec<usize>);

impl LineStarts {
    fn new(source: &str) -> Self {
        let breaks = source.match_indices('\n').map(|(at, _)| at + 1);
        Self(std::iter::once(0).chain(breaks).collect())
    }

    /// The bytes meant; of several lines only the first, since carets under a whole block say
    /// nothing.
    fn range(&self, finding: &Diagnostic, source: &str) -> Range<usize> {
        let start = self.byte(finding.line, finding.column, source);
        let end = if finding.end_line > finding.line {
            self.byte(finding.line, usize::MAX, source)
        } else {
            self.byte(finding.end_line, finding.end_column, source)
        };
        start..end.max(start)
    }

    fn byte(&self, line: usize, column: usize, source: &str) -> usize {
        let Some(start) = self.0.get(line.saturating_sub(1)).copied() else {
            return source.len();
        };
        let text = source[start..].lines().next().unwrap_or_default();
        let before = text.char_indices().nth(column.saturating_sub(1));
        start + before.map_or(text.len(), |(at, _)| at)
    }
}
