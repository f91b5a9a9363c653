//! From the parser's events to a tree with places.
//!
//! The parser's own deserializer would lose the places of keys and the way a value was quoted, so
//! its events are read instead.

use std::collections::BTreeMap;

use serde_yaml::granit_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span, options};

use super::scalar::{self, Refusal};
use super::syntax;
use super::{Content, DEPTH_MAX, Entry, Key, Node, Place, TEXT_BYTES_MAX, Text, lines};
use crate::diagnostic::Findings;

/// Reads one document. `None` when it has no tree; findings may be errors even when there is one.
pub(crate) fn parse(text: &str, findings: &mut Findings) -> Option<Node> {
    if text.len() > TEXT_BYTES_MAX {
        findings
            .error(
                "CW0002",
                Place::of_line(1),
                format!(
                    "the file is {} bytes long, at most {TEXT_BYTES_MAX} are read",
                    text.len()
                ),
            )
            .help("move parts of it into a workflow of its own");
        return None;
    }
    let options = options! {
        strict_indentation: false,
        disallow_directives: true,
        emit_unresolved_aliases: true,
        emit_anchor_events: true,
        flow_nesting_limit: DEPTH_MAX + 1,
        block_nesting_limit: DEPTH_MAX + 1,
    };
    let mut builder = Builder {
        text,
        holes: false,
        parser: Parser::new_from_str_with_options(text, options),
        findings,
    };
    match builder.document() {
        Ok(node) => node,
        Err(Halt::Syntax(error)) => {
            syntax::report(text, &error, findings);
            None
        }
        Err(Halt::Reported) => None,
    }
}

enum Halt {
    Syntax(ScanError),
    Reported,
}

impl From<ScanError> for Halt {
    fn from(error: ScanError) -> Self {
        Self::Syntax(error)
    }
}

struct Builder<'a, P> {
    text: &'a str,
    parser: P,
    findings: &'a mut Findings,
    /// Whether a value is missing where an alias or a merge stood: the tree would lead to findings
    /// that have no cause of their own.
    holes: bool,
}

type Next<'a> = Result<(Event<'a>, Span), ScanError>;

impl<'a, P: Iterator<Item = Next<'a>>> Builder<'a, P> {
    fn document(&mut self) -> Result<Option<Node>, Halt> {
        let root = loop {
            match self.next()? {
                (Event::StreamStart | Event::DocumentStart(..), _) => {}
                (Event::StreamEnd, _) => return Ok(self.refuse_empty()),
                (event, span) => break self.node(event, span, 1)?,
            }
        };
        loop {
            match self.next()? {
                (Event::StreamEnd, _) => break,
                (Event::DocumentStart(..), span) => {
                    self.findings
                        .error("CW0004", place(&span), "a second document begins here")
                        .help("keep one document per file; remove the line `---`");
                    return Ok(None);
                }
                _ => {}
            }
        }
        if self.holes {
            return Ok(None);
        }
        if root.is_null() && root.place.start == root.place.end {
            return Ok(self.refuse_empty());
        }
        Ok(Some(root))
    }

    fn refuse_empty(&mut self) -> Option<Node> {
        self.findings
            .error("CW0003", Place::of_line(1), "the file is empty");
        None
    }

    /// The next event that is neither comment nor anchor.
    fn next(&mut self) -> Result<(Event<'a>, Span), Halt> {
        loop {
            match self.parser.next() {
                None => return Ok((Event::StreamEnd, Span::default())),
                Some(Err(error)) => return Err(error.into()),
                Some(Ok((Event::Anchor(..), span))) => {
                    self.findings
                        .error("CW0005", place(&span), "anchors (`&name`) are not read")
                        .help("write the value out; text that begins with `&` needs quotes");
                }
                Some(Ok((event, span))) => {
                    if !is_comment(&event) {
                        return Ok((event, span));
                    }
                }
            }
        }
    }

    fn node(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Node, Halt> {
        if depth > DEPTH_MAX {
            self.findings
                .error(
                    "CW0002",
                    place(&span),
                    format!("nested deeper than {DEPTH_MAX} levels"),
                )
                .help("move the inner part into a task of the enclosing list");
            return Err(Halt::Reported);
        }
        match event {
            Event::Scalar(value, style, _, tag) => {
                self.refuse_tag(&span, tag.is_some());
                Ok(self.scalar(&value, style, &span))
            }
            Event::SequenceStart(_, _, tag) => {
                self.refuse_tag(&span, tag.is_some());
                self.list(&span, depth)
            }
            Event::MappingStart(_, _, tag) => {
                self.refuse_tag(&span, tag.is_some());
                self.map(&span, depth)
            }
            Event::Alias(_) | Event::UnresolvedAlias(_) => {
                self.findings
                    .error("CW0005", place(&span), "aliases (`*name`) are not read")
                    .help("write the value out; text that begins with `*` needs quotes");
                self.holes = true;
                Ok(Node {
                    place: place(&span),
                    content: Content::Null,
                })
            }
            _ => unreachable!("the parser gives a node where a node must stand"),
        }
    }

    fn refuse_tag(&mut self, span: &Span, tagged: bool) {
        if tagged {
            let at = span
                .tag_span()
                .map_or_else(|| place(span), |tag| place(&tag));
            self.findings
                .error("CW0005", at, "tags (`!name`) are not read")
                .help("remove the tag; text that begins with `!` needs quotes");
        }
    }

    fn list(&mut self, start: &Span, depth: usize) -> Result<Node, Halt> {
        let mut items: Vec<Node> = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::SequenceEnd) {
                let last = items.last().map(|item| item.place);
                return Ok(self.collection(start, &span, last, Content::List(items)));
            }
            items.push(self.node(event, span, depth + 1)?);
        }
    }

    fn map(&mut self, start: &Span, depth: usize) -> Result<Node, Halt> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut lines: BTreeMap<String, usize> = BTreeMap::new();
        loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::MappingEnd) {
                let last = entries.last().map(Entry::place);
                return Ok(self.collection(start, &span, last, Content::Map(entries)));
            }
            let key = self.key(event, span)?;
            let (event, span) = self.next()?;
            let value = self.node(event, span, depth + 1)?;
            if self.accept(&key, &mut lines) {
                entries.push(Entry { key, value });
            }
        }
    }

    fn key(&mut self, event: Event<'a>, span: Span) -> Result<Key, Halt> {
        let Event::Scalar(value, _, _, tag) = event else {
            self.findings
                .error("CW0006", place(&span), "a key must be a word or text")
                .help("text that begins with `{`, `[`, `*` or `?` needs quotes");
            return Err(Halt::Reported);
        };
        self.refuse_tag(&span, tag.is_some());
        Ok(Key {
            text: value.into_owned(),
            place: place(&span),
        })
    }

    /// `lines` are those of the keys before it.
    fn accept(&mut self, key: &Key, lines: &mut BTreeMap<String, usize>) -> bool {
        if key.text == "<<" {
            self.findings
                .error("CW0005", key.place, "merge keys (`<<`) are not read")
                .help("write the values out");
            self.holes = true;
            return false;
        }
        if let Some(line) = lines.get(&key.text) {
            self.findings
                .error(
                    "CW0007",
                    key.place,
                    format!("the key `{}` stands twice in this map", key.text),
                )
                .help(format!(
                    "it is first written at line {line}; keep one of them"
                ));
            return false;
        }
        lines.insert(key.text.clone(), key.place.line);
        true
    }

    fn scalar(&mut self, value: &str, style: ScalarStyle, span: &Span) -> Node {
        let mut at = place(span);
        if matches!(style, ScalarStyle::Plain) {
            match scalar::resolve(value) {
                Ok(Some(content)) => return Node { place: at, content },
                Ok(None) => {}
                Err(refusal) => {
                    self.refuse_number(at, value, refusal);
                    let content = Content::Integer(0);
                    return Node { place: at, content };
                }
            }
        }
        if matches!(style, ScalarStyle::Literal | ScalarStyle::Folded) {
            at = self.without_trailing_lines(at);
        }
        let content = Content::Text(Text {
            value: value.to_owned(),
            quoted: !matches!(style, ScalarStyle::Plain),
            verbatim_at: self.verbatim_at(value, style, at),
            indent: self.indent(value, style, at),
        });
        Node { place: at, content }
    }

    fn refuse_number(&mut self, at: Place, value: &str, refusal: Refusal) {
        let message = match refusal {
            Refusal::LeadingZero => format!("`{value}` would lose its leading zeros as a number"),
            Refusal::TooLarge => format!("`{value}` has more digits than a number can keep"),
            Refusal::NotFinite => format!("`{value}` is not a number that JSON has"),
        };
        self.findings.error("CW0008", at, message).help(format!(
            "write '{value}' in quotes if it is text, such as a telephone number"
        ));
    }

    fn verbatim_at(&self, value: &str, style: ScalarStyle, at: Place) -> Option<usize> {
        let from = match style {
            ScalarStyle::Plain => at.start,
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => at.start + 1,
            ScalarStyle::Literal | ScalarStyle::Folded => return None,
        };
        let source = self.text.get(from..from + value.len())?;
        (source == value && !value.contains('\n')).then_some(from)
    }

    fn indent(&self, value: &str, style: ScalarStyle, at: Place) -> Option<usize> {
        if !matches!(style, ScalarStyle::Literal) {
            return None;
        }
        let indent = at.column - 1;
        let source = lines(self.text).skip(at.line - 1);
        let verbatim = value.lines().zip(source).all(|(line, source)| {
            line.is_empty() && source.trim().is_empty() || source.get(indent..) == Some(line)
        });
        verbatim.then_some(indent)
    }

    /// The end of a block of text is where its last line ends, not where the next key begins.
    fn without_trailing_lines(&self, mut at: Place) -> Place {
        let source = self.text.get(at.start..at.end).unwrap_or_default();
        let kept = source.trim_end();
        at.end = at.start + kept.len();
        let line_breaks = kept.matches('\n').count();
        at.end_line = at.line + line_breaks;
        let last_line = kept.rsplit('\n').next().unwrap_or_default();
        at.end_column = last_line.chars().count() + if line_breaks == 0 { at.column } else { 1 };
        at
    }

    /// From the first to the last thing inside; brackets count where there are some.
    fn collection(&self, start: &Span, end: &Span, last: Option<Place>, content: Content) -> Node {
        let mut at = place(start);
        let close = place(end);
        let bracket = self.text.get(close.start..close.end);
        let end = match last {
            _ if matches!(bracket, Some("]" | "}")) => close,
            Some(last) => last,
            None => close,
        };
        at.end = end.end.max(at.start);
        at.end_line = end.end_line;
        at.end_column = end.end_column;
        Node { place: at, content }
    }
}

/// Comments are events only when some crate in the build switches them on.
fn is_comment(event: &Event<'_>) -> bool {
    !matches!(
        event,
        Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(..)
            | Event::DocumentEnd
            | Event::Alias(_)
            | Event::UnresolvedAlias(_)
            | Event::Anchor(..)
            | Event::Scalar(..)
            | Event::SequenceStart(..)
            | Event::SequenceEnd
            | Event::MappingStart(..)
            | Event::MappingEnd
    )
}

pub(super) fn place(span: &Span) -> Place {
    let byte = |marker: &Marker| marker.byte_offset().unwrap_or_default();
    Place {
        start: byte(&span.start),
        end: byte(&span.end),
        line: span.start.line().max(1),
        column: span.start.col() + 1,
        end_line: span.end.line().max(1),
        end_column: span.end.col() + 1,
    }
}
