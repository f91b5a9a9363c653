//! How a text relates to `${ }`: none, one expression from end to end, or something in between.

/// What a text is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Shape<'a> {
    /// No `${` in it.
    Plain,
    /// One expression from end to end; `offset` is where `source` begins in the text.
    Expression { offset: usize, source: &'a str },
    /// Text around an expression, or several expressions.
    Mixed,
    /// `${` without its `}`.
    Unclosed,
}

pub(super) fn shape(text: &str) -> Shape<'_> {
    let trimmed = text.trim();
    let Some(first) = trimmed.find("${") else {
        return Shape::Plain;
    };
    let rest = &trimmed[first + 2..];
    let Some(end) = closing(rest) else {
        return Shape::Unclosed;
    };
    if first > 0 || end + 1 < rest.len() {
        return Shape::Mixed;
    }
    let inner = &rest[..end];
    let lead = text.len() - text.trim_start().len();
    Shape::Expression {
        offset: lead + 2 + (inner.len() - inner.trim_start().len()),
        source: inner.trim(),
    }
}

/// The byte of the `}` that closes a `${` before this text; strings, their interpolations and
/// comments of jq are seen through.
fn closing(text: &str) -> Option<usize> {
    #[derive(PartialEq)]
    enum Inside {
        Braces,
        Parentheses,
        Text,
        Comment,
    }
    let mut around: Vec<Inside> = Vec::new();
    let mut escaped = false;
    for (at, sign) in text.char_indices() {
        match around.last() {
            Some(Inside::Text) if escaped => {
                escaped = false;
                if sign == '(' {
                    around.push(Inside::Parentheses);
                }
            }
            Some(Inside::Text) => match sign {
                '\\' => escaped = true,
                '"' => drop(around.pop()),
                _ => {}
            },
            Some(Inside::Comment) => {
                if sign == '\n' {
                    around.pop();
                }
            }
            top => match sign {
                '"' => around.push(Inside::Text),
                '#' => around.push(Inside::Comment),
                '{' => around.push(Inside::Braces),
                '(' => around.push(Inside::Parentheses),
                ')' if top == Some(&Inside::Parentheses) => drop(around.pop()),
                '}' if top == Some(&Inside::Braces) => drop(around.pop()),
                '}' => return Some(at),
                _ => {}
            },
        }
    }
    None
}

/// `Hello ${ .a }!` as `'${ "Hello \(.a)!" }'`.
pub(super) fn as_one_expression(text: &str) -> String {
    let mut inside = String::new();
    let mut rest = text.trim();
    while let Some(start) = rest.find("${") {
        push_escaped(&mut inside, &rest[..start]);
        let after = &rest[start + 2..];
        let end = closing(after).unwrap_or(after.len());
        inside.push_str("\\(");
        inside.push_str(after[..end].trim());
        inside.push(')');
        rest = after.get(end + 1..).unwrap_or_default();
    }
    push_escaped(&mut inside, rest);
    format!("'${{ \"{}\" }}'", inside.replace('\'', "''"))
}

fn push_escaped(out: &mut String, literal: &str) {
    for sign in literal.chars() {
        match sign {
            '"' | '\\' => {
                out.push('\\');
                out.push(sign);
            }
            '\n' => out.push_str("\\n"),
            _ => out.push(sign),
        }
    }
}

/// Whether a text begins with a variable or is a path: `$context.a`, `.customer.age`.
pub(super) fn looks_like_expression<'a>(
    text: &str,
    mut variables: impl Iterator<Item = &'a str>,
) -> bool {
    let text = text.trim();
    if let Some(rest) = text.strip_prefix('$') {
        let name = &rest[..word_length(rest)];
        return !name.is_empty() && variables.any(|variable| variable == name);
    }
    let Some(path) = text.strip_prefix('.') else {
        return false;
    };
    path.starts_with(|sign: char| sign.is_ascii_alphabetic())
        && path
            .chars()
            .all(|sign| sign.is_ascii_alphanumeric() || matches!(sign, '_' | '.' | '[' | ']'))
}

/// The word that the outcome of a task is compared with: `approve` and where it begins, in
/// `$steps.decision.outcome == "approve"`. The name of the task begins at `from`.
pub(super) fn compared_outcome<'a>(
    source: &'a str,
    from: usize,
    task: &str,
) -> Option<(usize, &'a str)> {
    let rest = source.get(from..)?.strip_prefix("$steps")?;
    let rest = rest
        .strip_prefix(format!(".{task}.outcome").as_str())
        .or_else(|| rest.strip_prefix(format!("[\"{task}\"].outcome").as_str()))?
        .trim_start();
    let rest = rest
        .strip_prefix("==")
        .or_else(|| rest.strip_prefix("!="))?;
    let rest = rest.trim_start().strip_prefix('"')?;
    let word = rest.split('"').next().filter(|word| !word.contains('\\'))?;
    Some((source.len() - rest.len(), word))
}

fn word_length(text: &str) -> usize {
    text.find(|sign: char| !(sign.is_ascii_alphanumeric() || sign == '_'))
        .unwrap_or(text.len())
}

/// Whether a program as a whole sets something, where a comparison was meant: a single `=` that no
/// bracket, string or later step encloses.
pub(super) fn sets(source: &str) -> bool {
    let mut depth = 0_usize;
    let mut sets = false;
    let mut before = ' ';
    let mut signs = source.trim().trim_start_matches("${").chars().peekable();
    while let Some(sign) = signs.next() {
        match sign {
            '"' => {
                while let Some(inner) = signs.next() {
                    match (inner, signs.peek()) {
                        ('"', _) => break,
                        // What is put into the text may hold strings itself.
                        ('\\', Some('(')) => return false,
                        ('\\', _) => drop(signs.next()),
                        _ => {}
                    }
                }
            }
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            '|' | ',' if depth == 0 && signs.peek() != Some(&'=') => return false,
            '=' if signs.peek() == Some(&'=') => drop(signs.next()),
            '=' if depth == 0 && !"!<>|+-*/%".contains(before) => sets = true,
            _ => {}
        }
        before = sign;
    }
    let words = ["if", "then", "reduce", "foreach", "def", "as", "//"];
    sets && !source.split_whitespace().any(|word| words.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expression(text: &str) -> Option<&str> {
        match shape(text) {
            Shape::Expression { offset, source } => {
                assert!(text[offset..].starts_with(source));
                Some(source)
            }
            _ => None,
        }
    }

    #[test]
    fn one_expression_from_end_to_end() {
        assert_eq!(expression(" ${ .a } "), Some(".a"));
        assert_eq!(expression("${{a: .b}}"), Some("{a: .b}"));
        assert_eq!(
            expression(r#"${ "}\(.a | "}")" }"#),
            Some(r#""}\(.a | "}")""#)
        );
        assert_eq!(expression("${ .a # }\n }"), Some(".a # }"));
        assert_eq!(expression("${ .a\n + .b }"), Some(".a\n + .b"));
    }

    #[test]
    fn outcomes_that_are_compared() {
        let found = |source: &'static str| compared_outcome(source, 2, "a");
        assert_eq!(
            found("1|$steps.a.outcome == \"yes\" and 1"),
            Some((23, "yes"))
        );
        assert_eq!(found("1|$steps[\"a\"].outcome!=\"no\""), Some((24, "no")));
        assert_eq!(found("1|$steps.a.outcome == .b"), None);
        assert_eq!(found("1|$steps.a.outcomes == \"x\""), None);
    }

    #[test]
    fn what_sets_where_a_comparison_was_meant() {
        for source in [
            ".a = 1",
            "${ .a=\"x\" }",
            ".a == 1 and .b = 2",
            ".a = (1 | 2)",
        ] {
            assert!(sets(source), "{source}");
        }
        for source in [
            ".a == 1",
            ".a != 1 or .b <= 2 or .c >= 3",
            ".a |= 1 | .b",
            "(.a = 1) == .b",
            ".a = 1 | .b == 2",
            "if .a = 1 then true else false end",
            "test(\"=\")",
            ".a == \"a = b\"",
            ".a == \"\\(.b = 1)\"",
            "{a: 1} == {a: 1}",
        ] {
            assert!(!sets(source), "{source}");
        }
    }

    #[test]
    fn everything_between() {
        assert_eq!(shape("plain {text}"), Shape::Plain);
        assert_eq!(shape("${ .a } - ${ .b }"), Shape::Mixed);
        assert_eq!(shape("Dear ${ .a }"), Shape::Mixed);
        assert_eq!(shape("${ .a"), Shape::Unclosed);
        assert_eq!(
            as_one_expression(r#"It's "${ .a }" and ${ .b }"#),
            r#"'${ "It''s \"\(.a)\" and \(.b)" }'"#
        );
    }
}
