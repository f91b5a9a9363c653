//! The differences as one page: the list, and the picture of each workflow that changed.
//!
//! Every word is escaped; the page needs nothing else and runs nothing.

use std::fmt::Write as _;

use casewright_language::diff;
use casewright_language::picture::Picture;

use super::Pair;
use super::told::{Change, Said, Told};

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;\
padding:0 1rem;color:#0b0c0c;background:#fff}h2{margin-top:2.5rem}li{margin:.5rem 0}\
.what{font-weight:700}.place{color:#505a5f}.picture{overflow-x:auto}ins{background:#dfeee6;\
text-decoration:none}del{background:#f8e0dc}code{font-size:.95em}";

pub(super) fn write(told: &Told, pairs: &[Pair<'_>]) -> String {
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>What changes</title><style>{STYLE}</style></head><body><h1>What changes</h1>\n"
    );
    for (index, workflow) in told.workflows.iter().enumerate() {
        let _ = writeln!(page, "<h2>{}</h2>", escaped(&workflow.head()));
        list(&mut page, &workflow.changes);
        let pair = pairs.iter().find(|pair| pair.name == workflow.name);
        if let Some((before, after)) = pair.and_then(|pair| Some((pair.before?, pair.after?))) {
            let (picture, marks) = Picture::of_both(before, after, &diff::diff(before, after));
            let svg = picture.svg(&format!("w{index}"), &marks, &|_| None);
            let _ = writeln!(page, "<div class=\"picture\">{svg}</div>");
        }
    }
    if !told.pack.is_empty() {
        page.push_str("<h2>Roles, limits, forms and what else the pack says</h2>\n");
        list(&mut page, &told.pack);
    }
    if told.workflows.is_empty() && told.pack.is_empty() {
        page.push_str("<p>Nothing is different.</p>\n");
    }
    page.push_str("</body></html>\n");
    page
}

fn list(page: &mut String, changes: &[Change]) {
    page.push_str("<ul>\n");
    for change in changes {
        let (word, title) = (change.what.word(), escaped(&change.title));
        let task = match &change.task {
            Some((name, place)) => {
                let (name, place) = (escaped(name), escaped(place));
                format!(" <span class=\"place\">({name}, {place})</span>")
            }
            None => String::new(),
        };
        let said: String = change.said.iter().map(said).collect();
        let _ = writeln!(
            page,
            "<li><span class=\"what\">{word}:</span> {title}{task}<ul>{said}</ul></li>"
        );
    }
    page.push_str("</ul>\n");
}

fn said(said: &Said) -> String {
    let term = escaped(&said.term);
    let term = if said.written {
        format!("<code>{term}</code>")
    } else {
        term
    };
    let before = said.before.as_deref().map(escaped);
    let after = said.after.as_deref().map(escaped);
    let words = match (before, after) {
        (Some(before), Some(after)) => {
            format!("before <del>{before}</del>, now <ins>{after}</ins>")
        }
        (None, Some(after)) => format!("<ins>{after}</ins>"),
        (Some(before), None) => format!("not any more: <del>{before}</del>"),
        (None, None) => String::new(),
    };
    format!("<li>{term}: {words}</li>")
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // It would make what follows read backwards.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{061c}' => {
                out.push('\u{fffd}');
            }
            character if character.is_control() => out.push(' '),
            character => out.push(character),
        }
    }
    out
}
