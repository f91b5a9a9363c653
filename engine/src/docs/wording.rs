//! Plain words for lengths of time, titles and conditions.
//!
//! What cannot be put into words exactly is shown as its author wrote it; nothing is guessed.

use casewright_language::words::{humanize, phrase};
use casewright_language::workflow::Span;
use casewright_language::{Expression, Period, Template, Term};
use serde_json::Value;

/// A piece of the page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) words: String,
    /// Where the words lead to on the page.
    pub(super) link: Option<String>,
    /// As the author wrote it, after the words.
    pub(super) source: Option<String>,
}

impl Said {
    pub(super) fn words(words: impl Into<String>) -> Self {
        Self {
            words: words.into(),
            ..Self::default()
        }
    }

    pub(super) fn link(words: impl Into<String>, anchor: &str) -> Self {
        Self {
            words: words.into(),
            link: Some(anchor.to_owned()),
            source: None,
        }
    }

    pub(super) fn written(words: impl Into<String>, source: &str) -> Self {
        Self {
            words: words.into(),
            link: None,
            source: Some(source.to_owned()),
        }
    }
}

/// `1 day`, `3 days`.
pub(super) fn count(number: u64, word: &str) -> String {
    format!("{number} {word}{}", if number == 1 { "" } else { "s" })
}

/// `a`, `a and b`, `a, b and c`.
pub(super) fn list(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [only] => only.clone(),
        [before @ .., last] => format!("{} and {last}", before.join(", ")),
    }
}

pub(super) fn term(term: Term) -> String {
    match term {
        Term::BusinessDays(days) => count(days.into(), "business day"),
        Term::BusinessHours(hours) => count(hours.into(), "business hour"),
        Term::CalendarDays(days) => count(days.into(), "day"),
        Term::Exact(exact) => period(exact),
    }
}

pub(super) fn period(Period(ms): Period) -> String {
    let units = [
        (86_400_000, "day"),
        (3_600_000, "hour"),
        (60_000, "minute"),
        (1_000, "second"),
        (1, "millisecond"),
    ];
    let mut left = ms;
    let mut parts = Vec::new();
    for (length, word) in units {
        if left >= length {
            parts.push(count(left / length, word));
            left %= length;
        }
    }
    if parts.is_empty() {
        return "no time".to_owned();
    }
    list(&parts)
}

pub(super) fn span(before: &str, span: &Span) -> Said {
    match span {
        Span::Fixed(fixed) => Said::words(format!("{before}{}", period(*fixed))),
        Span::Computed(expression) => {
            let words = format!("{before}a time that is worked out:");
            Said::written(words, expression.source())
        }
    }
}

/// The literal text of a template, if it is one.
pub(super) fn literal(template: &Template) -> Option<&str> {
    match template {
        Template::Literal(Value::String(text)) => Some(text),
        Template::Literal(_) | Template::Expression(_) | Template::List(_) | Template::Map(_) => {
            None
        }
    }
}

/// A value as it was written.
pub(super) fn value(before: &str, template: &Template) -> Said {
    match template {
        Template::Literal(Value::String(text)) => Said::words(format!("{before}{text}")),
        Template::Literal(other) => Said::words(format!("{before}{other}")),
        Template::Expression(expression) => Said::written(before.trim_end(), expression.source()),
        Template::List(_) | Template::Map(_) => {
            Said::words(format!("{before}worked out while it runs"))
        }
    }
}

/// What a value has in it, by the names of its members.
pub(super) fn members(template: &Template) -> Vec<String> {
    match template {
        Template::Map(members) => members.iter().map(|(name, _)| humanize(name)).collect(),
        Template::Literal(Value::Object(members)) => {
            members.keys().map(|name| humanize(name)).collect()
        }
        Template::Literal(_) | Template::Expression(_) | Template::List(_) => Vec::new(),
    }
}

/// The title of a task; parts that come from the case stand in brackets.
pub(super) fn title(template: &Template, name: &str) -> String {
    let written = match template {
        Template::Literal(Value::String(title)) => Some(title.clone()),
        Template::Expression(expression) => filled(expression.source()),
        Template::Literal(_) | Template::List(_) | Template::Map(_) => None,
    };
    written
        .filter(|title| !title.trim().is_empty())
        .unwrap_or_else(|| humanize(name))
}

/// `"Brokerage of \(... .money) for \($case.number)"` as `Brokerage of [money] for [case number]`;
/// `None` for an expression that is not one text.
fn filled(source: &str) -> Option<String> {
    let inner = source.trim().strip_prefix('"')?.strip_suffix('"')?;
    let mut words = String::new();
    let mut rest = inner;
    while let Some(index) = rest.find(['\\', '"']) {
        words.push_str(&rest[..index]);
        let escape = rest[index..].strip_prefix('\\')?;
        let sign = escape.chars().next()?;
        rest = &escape[sign.len_utf8()..];
        match sign {
            '(' => {
                let (inside, after) = enclosed(rest)?;
                words.push_str(&named(inside));
                rest = after;
            }
            '"' | '\\' | '/' => words.push(sign),
            'n' | 't' | 'r' => words.push(' '),
            _ => return None,
        }
    }
    words.push_str(rest);
    Some(words)
}

/// What stands before the bracket that closes, and after it.
fn enclosed(text: &str) -> Option<(&str, &str)> {
    let mut depth = 1_usize;
    for (index, sign) in text.char_indices() {
        match sign {
            '"' => return None,
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some((&text[..index], &text[index + 1..]));
        }
    }
    None
}

/// A value of the case by its name.
fn named(path: &str) -> String {
    let path = path.trim();
    let path = path.strip_suffix("| money").unwrap_or(path).trim();
    let plain = |part: &&str| {
        !part.is_empty()
            && part
                .chars()
                .all(|sign| sign.is_alphanumeric() || sign == '_')
    };
    let parts: Vec<&str> = match path.strip_prefix('$') {
        Some(path) => path.split('.').collect(),
        None => return "[…]".to_owned(),
    };
    if parts.len() < 2 || !parts.iter().all(plain) {
        return "[…]".to_owned();
    }
    let data = parts
        .iter()
        .position(|part| matches!(*part, "data" | "input"));
    let from = data.map_or(parts.len() - 2, |data| data + 1);
    let words: Vec<String> = parts[from.min(parts.len() - 1)..]
        .iter()
        .map(|part| phrase(part))
        .collect();
    format!("[{}]", words.join(" "))
}

/// A condition that asks how a task of a person ended: the task's name and the outcome.
pub(super) fn outcome_asked(condition: &Expression) -> Option<(&str, &str)> {
    let path = condition.source().trim().strip_prefix("$steps.")?;
    let (task, outcome) = path.split_once(".outcome == \"")?;
    let outcome = outcome.strip_suffix('"')?;
    let plain = |text: &str| {
        let fits = |sign: char| sign.is_ascii_alphanumeric() || matches!(sign, '_' | '-');
        !text.is_empty() && text.chars().all(fits)
    };
    (plain(task) && plain(outcome)).then_some((task, outcome))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_words() {
        assert_eq!(term(Term::BusinessDays(1)), "1 business day");
        assert_eq!(
            term(Term::Exact(Period(5_400_000))),
            "1 hour and 30 minutes"
        );
        assert_eq!(period(Period(0)), "no time");
    }

    #[test]
    fn what_a_title_is_filled_with_stands_in_brackets() {
        for (source, words) in [
            (
                r#""Brokerage of \($steps.request.data.money | money) for \($case.number)""#,
                Some("Brokerage of [money] for [case number]"),
            ),
            (r#""A \"\(1 + 2)\"""#, Some(r#"A "[…]""#)),
            (r#""\(.a // "b")""#, None),
            (r"$steps.a.title", None),
            (r#""a" + "b""#, None),
            (r#"""#, None),
        ] {
            assert_eq!(filled(source).as_deref(), words, "{source}");
        }
    }

    #[test]
    fn only_the_plain_question_for_an_outcome_is_put_into_words() {
        for (source, asked) in [
            (
                r#"$steps.look.outcome == "send-back""#,
                Some(("look", "send-back")),
            ),
            (r#"$steps.look.outcome == "a" or true"#, None),
            (r#"$steps.look.outcome == "a" and .b == "c""#, None),
            (r#"$steps.look.outcome != "a""#, None),
        ] {
            let condition = Expression::new(source).unwrap();
            assert_eq!(outcome_asked(&condition), asked, "{source}");
        }
    }
}
