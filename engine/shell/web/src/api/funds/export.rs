//! A whole ledger for the programs of bookkeepers: CSV as RFC 4180 has it, or a JSON object a line.
//! It is sent as it is read, so that no ledger is too long.
//!
//! No cell is a formula where the file is opened: what begins like one gets an apostrophe.

use axum::body::Body;
use axum::http::header::{ACCEPT, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use casewright_casework::Principal;
use casewright_runtime::view::FundEntryView;
use casewright_runtime::{Engine, Refused};
use futures_util::stream;

use super::FundEntry;
use crate::problem::Problem;

/// Entries that are read and sent at a time.
const READ: u64 = 500;

const COLUMNS: [&str; 12] = [
    "number",
    "at",
    "kind",
    "minor",
    "currency",
    "available_after_minor",
    "case_number",
    "case",
    "instance",
    "reservation",
    "reverses",
    "by",
];

/// How the file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Csv,
    JsonLines,
}

impl Format {
    /// What is asked for; nothing where pages are. A word after the `?` counts before `Accept`.
    pub(super) fn asked(word: Option<&str>, headers: &HeaderMap) -> Result<Option<Self>, Problem> {
        if let Some(word) = word {
            return match word {
                "json" => Ok(None),
                "csv" => Ok(Some(Self::Csv)),
                "jsonl" => Ok(Some(Self::JsonLines)),
                _ => Err(Problem::invalid_input("format must be json, csv or jsonl")),
            };
        }
        let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok());
        let mut kinds = accept.unwrap_or_default().split(',').map(|one| {
            let kind = one.split(';').next().unwrap_or_default();
            kind.trim().to_ascii_lowercase()
        });
        Ok(kinds
            .find_map(|kind| match kind.as_str() {
                "text/csv" => Some(Some(Self::Csv)),
                "application/jsonl" | "application/x-ndjson" => Some(Some(Self::JsonLines)),
                "application/json" | "*/*" => Some(None),
                _ => None,
            })
            .flatten())
    }

    const fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::JsonLines => "application/jsonl",
        }
    }

    const fn ending(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::JsonLines => "jsonl",
        }
    }

    fn head(self) -> String {
        match self {
            Self::Csv => line(&COLUMNS),
            Self::JsonLines => String::new(),
        }
    }

    fn entry(self, view: FundEntryView) -> String {
        match self {
            Self::Csv => row(view),
            Self::JsonLines => {
                let entry = serde_json::to_string(&FundEntry::from(view));
                entry.unwrap_or_default() + "\n"
            }
        }
    }
}

/// The ledger as a file. That it was taken is logged: no case is read by it.
pub(crate) async fn export(
    engine: Engine,
    who: Principal,
    fund: String,
    format: Format,
) -> Result<Response, Problem> {
    // What is refused is refused before the first byte.
    engine.fund(&who, &fund, None).await?;
    tracing::info!(who = who.id, fund, "the ledger of a fund was exported");
    let name = format!("attachment; filename=\"fund-{fund}.{}\"", format.ending());
    let from = (engine, who, fund, Some(0));
    let parts = stream::try_unfold(from, move |(engine, who, fund, next)| async move {
        let Some(first) = next else {
            return Ok::<_, Refused>(None);
        };
        let read = engine.fund_ledger(&who, &fund, first, READ).await?;
        let next = (!read.is_empty()).then_some(first + READ);
        let mut text = if first == 0 {
            format.head()
        } else {
            String::new()
        };
        text.extend(read.into_iter().map(|view| format.entry(view)));
        Ok(Some((text, (engine, who, fund, next))))
    });
    let mut response = Response::new(Body::from_stream(parts));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(format.media_type()));
    if let Ok(name) = HeaderValue::from_str(&name) {
        headers.insert(CONTENT_DISPOSITION, name);
    }
    Ok(response)
}

fn row(view: FundEntryView) -> String {
    let entry = FundEntry::from(view);
    let some = |text: Option<String>| text.unwrap_or_default();
    line(&[
        entry.number.to_string(),
        entry.at,
        entry.kind.to_owned(),
        entry.amount.minor().to_string(),
        entry.amount.currency().to_owned(),
        entry.available_after.minor().to_string(),
        some(entry.case_number),
        some(entry.case),
        some(entry.instance),
        entry.reservation,
        some(entry.reverses.map(|number| number.to_string())),
        some(entry.by),
    ])
}

fn line<T: AsRef<str>>(cells: &[T; COLUMNS.len()]) -> String {
    let cells = cells.each_ref().map(|cell| cell_text(cell.as_ref()));
    cells.join(",") + "\r\n"
}

/// In quotes where it has to be. Amounts of entries are never negative: what begins with a sign is
/// text.
fn cell_text(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let guarded = if formula {
        format!("'{text}")
    } else {
        text.to_owned()
    };
    if guarded.contains(['"', ',', '\r', '\n']) {
        return format!("\"{}\"", guarded.replace('"', "\"\""));
    }
    guarded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_quoted_where_it_must_be_and_never_a_formula() {
        for (text, cell) in [
            ("IFS-2026-00042", "IFS-2026-00042"),
            ("", ""),
            ("a,b", "\"a,b\""),
            ("say \"yes\"", "\"say \"\"yes\"\"\""),
            ("two\nlines", "\"two\nlines\""),
            ("=HYPERLINK(\"x\")", "\"'=HYPERLINK(\"\"x\"\")\""),
            ("+61", "'+61"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\tx", "'\tx"),
            ("\rx", "\"'\rx\""),
        ] {
            assert_eq!(cell_text(text), cell, "{text:?}");
        }
        assert!(line(&COLUMNS).ends_with(",by\r\n"));
    }

    #[test]
    fn a_word_counts_before_what_is_accepted() {
        let asked = |word: Option<&str>, accept: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, accept.parse().unwrap());
            Format::asked(word, &headers)
        };
        let (csv, lines) = (Some(Format::Csv), Some(Format::JsonLines));
        for (accept, format) in [
            ("text/csv", csv),
            ("application/x-ndjson;q=0.9", lines),
            ("text/html, Application/JSONL", lines),
            ("application/json, text/csv", None),
            ("*/*", None),
            ("text/html", None),
        ] {
            assert_eq!(asked(None, accept).unwrap(), format, "{accept}");
            assert_eq!(asked(Some("csv"), accept).unwrap(), csv);
            assert_eq!(asked(Some("json"), accept).unwrap(), None);
        }
        assert_eq!(
            asked(Some("xlsx"), "*/*").unwrap_err().code(),
            "invalid-input"
        );
        assert_eq!(Format::asked(None, &HeaderMap::new()).unwrap(), None);
    }
}
