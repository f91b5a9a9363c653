//! Lengths of time as documents write them. No clock and no calendar: `casework` counts days.

use serde::{Deserialize, Serialize};

/// A plain duration (`wait`, `timeout`), in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Period(pub u64);

/// A duration in an argument of a function: working time, calendar days or an exact length.
///
/// Business days are days of the case's calendar; both kinds of days end with the local day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Term {
    /// Days that the calendar calls working days.
    BusinessDays(u32),
    /// Hours within working days.
    BusinessHours(u32),
    /// Days of any kind.
    CalendarDays(u32),
    /// By the clock.
    Exact(Period),
}

/// Longest period: a hundred years of 365 days; more is a slip of the pen.
pub const PERIOD_DAYS_MAX: u64 = 36_500;

const DAY_MS: u64 = 86_400_000;
const PERIOD_HELP: &str = "write for example `PT15S`, `PT4H30M` or `P3DT12H`";
const TERM_HELP: &str = "write for example `3 business days`, `4 business hours`, `P3D` or `PT4H`";

impl Period {
    /// Reads ISO 8601 (`PT15S`, `P3DT4H`); years and months are refused, since their length needs
    /// a calendar. The error is a sentence for the author.
    pub fn parse_iso(text: &str) -> Result<Self, String> {
        let body = text
            .strip_prefix('P')
            .ok_or_else(|| format!("a duration begins with `P`; {PERIOD_HELP}"))?;
        let (days, time) = match body.split_once('T') {
            Some((days, time)) => (days, Some(time)),
            None => (body, None),
        };
        let wrong = || format!("`{text}` is not an ISO 8601 duration; {PERIOD_HELP}");
        if days.is_empty() && time.is_none_or(str::is_empty) || time == Some("") {
            return Err(wrong());
        }
        let mut total: u64 = 0;
        for (part, units) in [(days, &DATE_UNITS[..]), (time.unwrap_or(""), &TIME_UNITS)] {
            let ms = parts(part, units).map_err(|problem| match problem {
                PartProblem::Calendar => format!(
                    "`{text}` counts years or months, whose length depends on the calendar; \
                     count days or weeks instead, for example `P30D`"
                ),
                PartProblem::Shape => wrong(),
                PartProblem::Size => too_long(text),
            })?;
            total = total.checked_add(ms).ok_or_else(|| too_long(text))?;
        }
        if total > PERIOD_DAYS_MAX * DAY_MS {
            return Err(too_long(text));
        }
        Ok(Self(total))
    }
}

fn too_long(text: &str) -> String {
    format!("`{text}` is longer than a hundred years")
}

const DATE_UNITS: [(char, Option<u64>); 4] = [
    ('Y', None),
    ('M', None),
    ('W', Some(7 * DAY_MS)),
    ('D', Some(DAY_MS)),
];
const TIME_UNITS: [(char, Option<u64>); 3] = [
    ('H', Some(3_600_000)),
    ('M', Some(60_000)),
    ('S', Some(1_000)),
];

enum PartProblem {
    Calendar,
    Shape,
    Size,
}

/// Sums numbers with units, which come in the given order, each at most once. The last may have a
/// fraction.
fn parts(mut text: &str, units: &[(char, Option<u64>)]) -> Result<u64, PartProblem> {
    let mut units = units.iter();
    let mut total: u64 = 0;
    while !text.is_empty() {
        let end = text
            .find(|c: char| !c.is_ascii_digit() && c != '.' && c != ',')
            .ok_or(PartProblem::Shape)?;
        let (number, rest) = text.split_at(end);
        let unit = rest.chars().next().ok_or(PartProblem::Shape)?;
        text = &rest[unit.len_utf8()..];
        let (_, ms) = units
            .find(|(known, _)| *known == unit)
            .ok_or(PartProblem::Shape)?;
        let ms = ms.ok_or(PartProblem::Calendar)?;
        let (whole, fraction) = number.split_once(['.', ',']).unwrap_or((number, ""));
        let fractional = whole.len() < number.len();
        if whole.is_empty() || fractional && (fraction.is_empty() || !text.is_empty()) {
            return Err(PartProblem::Shape);
        }
        let whole: u64 = whole.parse().map_err(|_| PartProblem::Size)?;
        let mut part = whole.checked_mul(ms).ok_or(PartProblem::Size)?;
        let mut share = ms;
        for digit in fraction.chars() {
            let digit = digit.to_digit(10).ok_or(PartProblem::Shape)?;
            share /= 10;
            part = part
                .checked_add(share * u64::from(digit))
                .ok_or(PartProblem::Size)?;
        }
        total = total.checked_add(part).ok_or(PartProblem::Size)?;
    }
    Ok(total)
}

impl Term {
    /// Reads `3 business days`, `4 business hours`, `P3D`, `PT4H`. The error is a sentence for the
    /// author that says what to write.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.starts_with('P') {
            return Self::parse_iso(text);
        }
        let wrong = || format!("`{text}` is not a term; {TERM_HELP}");
        let words: Vec<&str> = text.split_whitespace().collect();
        let (count, unit) = match words.as_slice() {
            [count, "business", unit] => (*count, *unit),
            [_, "day" | "days"] => {
                return Err(format!(
                    "`{text}` does not say which days; write `{} business days` or `P{}D`",
                    words[0], words[0]
                ));
            }
            [_, "hour" | "hours"] => {
                return Err(format!(
                    "`{text}` does not say which hours; write `{} business hours` or `PT{}H`",
                    words[0], words[0]
                ));
            }
            _ => return Err(wrong()),
        };
        let count: u32 = count.parse().map_err(|_| wrong())?;
        if u64::from(count) > PERIOD_DAYS_MAX {
            return Err(too_long(text));
        }
        match unit {
            "day" | "days" => Ok(Self::BusinessDays(count)),
            "hour" | "hours" => Ok(Self::BusinessHours(count)),
            _ => Err(wrong()),
        }
    }

    /// `P3D` and `P2W` are calendar days, which end with the local day; as soon as hours are
    /// named, the length is by the clock.
    fn parse_iso(text: &str) -> Result<Self, String> {
        let period =
            Period::parse_iso(text).map_err(|problem| problem.replace(PERIOD_HELP, TERM_HELP))?;
        let days = period.0 / DAY_MS;
        if text.contains('T') || !period.0.is_multiple_of(DAY_MS) {
            return Ok(Self::Exact(period));
        }
        u32::try_from(days)
            .map(Self::CalendarDays)
            .map_err(|_| too_long(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_summed_exactly() {
        for (text, ms) in [
            ("PT15S", 15_000),
            ("PT0.25S", 250),
            ("PT1,5H", 5_400_000),
            ("P3DT4H", 273_600_000),
            ("P2W", 1_209_600_000),
            ("PT0S", 0),
        ] {
            assert_eq!(Period::parse_iso(text), Ok(Period(ms)), "{text}");
        }
    }

    #[test]
    fn what_is_no_period_says_what_to_write() {
        for text in [
            "",
            "P",
            "PT",
            "3 days",
            "P1DT",
            "PT1M1H",
            "PT1H1H",
            "P1H",
            "PT1",
            "PTS",
            "PT.5S",
            "PT1.5H1M",
            "PT1.S",
            "-PT1S",
            "PT-1S",
            "P99999999D",
            "PT99999999999999999999S",
        ] {
            assert!(Period::parse_iso(text).is_err(), "{text}");
        }
        assert_eq!(
            Period::parse_iso("P1M").unwrap_err(),
            "`P1M` counts years or months, whose length depends on the calendar; count days or \
             weeks instead, for example `P30D`"
        );
    }

    #[test]
    fn terms_tell_working_days_from_days() {
        for (text, term) in [
            ("3 business days", Term::BusinessDays(3)),
            ("1 business day", Term::BusinessDays(1)),
            (" 4  business hours ", Term::BusinessHours(4)),
            ("P3D", Term::CalendarDays(3)),
            ("P2W", Term::CalendarDays(14)),
            ("PT4H", Term::Exact(Period(14_400_000))),
            ("P1DT1H", Term::Exact(Period(90_000_000))),
        ] {
            assert_eq!(Term::parse(text), Ok(term), "{text}");
        }
        assert_eq!(
            Term::parse("3 days").unwrap_err(),
            "`3 days` does not say which days; write `3 business days` or `P3D`"
        );
        for text in [
            "",
            "soon",
            "-1 business days",
            "3 business weeks",
            "three business days",
        ] {
            assert_eq!(
                Term::parse(text).unwrap_err(),
                format!("`{text}` is not a term; {TERM_HELP}")
            );
        }
    }
}
