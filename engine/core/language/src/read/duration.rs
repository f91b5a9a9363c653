//! Durations of `wait`, `timeout` and retries: a map of units, ISO 8601 text or an expression.

use super::Reader;
use super::scope::{Moment, Scope};
use crate::workflow::Span;
use crate::yaml::{self, Content, Entry, Fields};
use crate::{Period, Term};

/// Units of the map form with their length in milliseconds.
const UNITS: [(&str, u64); 5] = [
    ("days", 86_400_000),
    ("hours", 3_600_000),
    ("minutes", 60_000),
    ("seconds", 1_000),
    ("milliseconds", 1),
];

const WRITE: &str = "write `PT30S`, `PT15M`, `P3D`, or a map such as `{ hours: 4 }`";

/// Reads a duration; an expression is evaluated at the moment given.
pub(super) fn read(
    reader: &mut Reader<'_>,
    entry: &Entry,
    owner: &str,
    (scope, moment): (&Scope, Moment),
) -> Option<Span> {
    let owner = yaml::under(owner, &entry.key.text);
    match &entry.value.content {
        Content::Map(_) => units(reader, entry, &owner),
        Content::Text(text) if text.value.trim_start().starts_with("${") => reader
            .expression(&entry.value, scope, moment)
            .map(Span::Computed),
        Content::Text(text) => iso(reader, entry, &owner, &text.value),
        _ => {
            reader
                .findings
                .error(
                    "CW0113",
                    entry.place(),
                    format!(
                        "{owner} must be a duration, found {}",
                        entry.value.described()
                    ),
                )
                .help(WRITE);
            None
        }
    }
}

fn units(reader: &mut Reader<'_>, entry: &Entry, owner: &str) -> Option<Span> {
    let names: Vec<&str> = UNITS.iter().map(|(name, _)| *name).collect();
    let findings = &mut reader.findings;
    let fields = Fields::open(findings, &entry.value, entry.key.place, owner, &names)?;
    if fields.entries().is_empty() {
        findings
            .error("CW0113", entry.place(), format!("{owner} is empty"))
            .help(WRITE);
        return None;
    }
    let mut total = Some(0_u64);
    for part in fields.entries() {
        let unit = UNITS.iter().find(|(name, _)| *name == part.key.text);
        let length = part
            .value
            .as_integer()
            .and_then(|count| u64::try_from(count).ok());
        let (Some((_, unit)), Some(length)) = (unit, length) else {
            if unit.is_some() {
                fields.expected(findings, part, "a whole number, not negative");
            }
            return None;
        };
        total = length
            .checked_mul(*unit)
            .and_then(|length| total.and_then(|total| total.checked_add(length)));
    }
    if total.is_none() {
        findings.error(
            "CW0113",
            entry.place(),
            format!("{owner} is longer than can be counted"),
        );
    }
    total.map(|total| Span::Fixed(Period(total)))
}

fn iso(reader: &mut Reader<'_>, entry: &Entry, owner: &str, text: &str) -> Option<Span> {
    if !text.trim().starts_with('P') && Term::parse(text).is_ok() {
        reader
            .findings
            .error(
                "CW0113",
                entry.place(),
                format!("{owner} cannot be working time"),
            )
            .help(format!(
                "working time exists in `due` of human work; here {WRITE}"
            ));
        return None;
    }
    match Period::parse_iso(text) {
        Ok(period) => Some(Span::Fixed(period)),
        Err(problem) => {
            let help = spelled_out(text).map_or(problem, |iso| format!("write `{iso}`"));
            reader
                .findings
                .error(
                    "CW0113",
                    entry.place(),
                    format!("{owner} is not a duration"),
                )
                .help(help);
            None
        }
    }
}

/// `5 minutes` as `PT5M`.
fn spelled_out(text: &str) -> Option<String> {
    let (count, unit) = text.trim().split_once(' ')?;
    let count: u32 = count.parse().ok()?;
    match unit.trim().trim_end_matches('s') {
        "second" => Some(format!("PT{count}S")),
        "minute" => Some(format!("PT{count}M")),
        "hour" => Some(format!("PT{count}H")),
        "day" => Some(format!("P{count}D")),
        "week" => Some(format!("P{}D", count.checked_mul(7)?)),
        _ => None,
    }
}
