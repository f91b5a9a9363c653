//! How text gets onto a page: every value in every template passes through here.
//!
//! Beyond markup it disarms control characters and those that reorder text, so that a supplier's
//! name cannot make an amount read backwards.

use std::fmt::{self, Write};

use askama::filters::Escaper;

/// Stands where a character was that could mislead.
const REPLACED: &str = "\u{fffd}";

/// Writes text into markup.
#[derive(Debug, Clone, Copy)]
pub struct Html;

impl Escaper for Html {
    fn write_escaped_str<W: Write>(&self, mut dest: W, text: &str) -> fmt::Result {
        let mut plain_from = 0;
        for (index, character) in text.char_indices() {
            let Some(written) = written(character) else {
                continue;
            };
            dest.write_str(&text[plain_from..index])?;
            dest.write_str(written)?;
            plain_from = index + character.len_utf8();
        }
        dest.write_str(&text[plain_from..])
    }
}

/// What to write instead; `None` for a character that may stand as it is.
fn written(character: char) -> Option<&'static str> {
    match character {
        '&' => Some("&#38;"),
        '<' => Some("&#60;"),
        '>' => Some("&#62;"),
        '"' => Some("&#34;"),
        '\'' => Some("&#39;"),
        '\n' | '\r' | '\t' => None,
        _ if misleads(character) => Some(REPLACED),
        _ => None,
    }
}

fn misleads(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{061c}')
}

/// Text for places that hold one short line, such as a title in a list.
pub(crate) fn short(text: &str, length_max: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= length_max {
        return line;
    }
    let kept: String = line.chars().take(length_max - 1).collect();
    format!("{}…", kept.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let mut page = String::new();
        Html.write_escaped_str(&mut page, text).unwrap();
        assert_eq!(page, expected);
    }

    #[test]
    fn markup_is_text() {
        check(
            r#"<img src=x onerror="alert('1')">&amp;"#,
            "&#60;img src=x onerror=&#34;alert(&#39;1&#39;)&#34;&#62;&#38;amp;",
        );
        check("zoë — 家族 🏠\nline", "zoë — 家族 🏠\nline");
    }

    #[test]
    fn characters_that_reorder_text_are_shown_as_missing() {
        let shown = format!("pay {REPLACED}000,1${REPLACED} now{REPLACED}");
        check("pay \u{202e}000,1$\u{2069} now\u{0}", &shown);
        check("a\u{1b}[31m", &format!("a{REPLACED}[31m"));
    }

    #[test]
    fn long_titles_are_cut_at_a_character() {
        assert_eq!(short("a  b\nc", 10), "a b c");
        assert_eq!(short("ääää", 3), "ää…");
        assert_eq!(short(&"x".repeat(1_000_000), 200).chars().count(), 200);
    }
}
