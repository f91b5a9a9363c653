//! Findings as a terminal shows them: the line of the source, carets under it, and help.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::{Diagnostic, Severity};
use crate::yaml;

/// Draws findings with the source around them, as a terminal shows them.
pub fn draw(diagnostics: &[Diagnostic], source: &str, colour: bool) -> String {
    let renderer = if colour {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let lines: Vec<&str> = yaml::lines(source).collect();
    let drawn: Vec<String> = diagnostics
        .iter()
        .map(|finding| {
            let line = lines.get(finding.line.saturating_sub(1));
            renderer.render(&[group(finding, line.copied().unwrap_or_default())]) + "\n"
        })
        .collect();
    drawn.join("\n")
}

/// Of several lines only the first is shown, since carets under a whole block say nothing.
fn group<'a>(finding: &'a Diagnostic, line: &'a str) -> Group<'a> {
    let level = match finding.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let snippet = Snippet::source(line)
        .line_start(finding.line)
        .path(finding.file.as_str())
        .annotation(AnnotationKind::Primary.span(stretch(finding, line)));
    let group = level
        .primary_title(finding.message.as_str())
        .id(finding.code)
        .element(snippet);
    match &finding.help {
        Some(help) => group.element(Level::HELP.message(help.as_str())),
        None => group,
    }
}

/// The bytes of the line that are meant.
fn stretch(finding: &Diagnostic, line: &str) -> Range<usize> {
    let byte = |column: usize| {
        let sign = line.char_indices().nth(column.saturating_sub(1));
        sign.map_or(line.len(), |(at, _)| at)
    };
    let start = byte(finding.column);
    let end = if finding.end_line > finding.line {
        line.len()
    } else {
        byte(finding.end_column)
    };
    start..end.max(start)
}
