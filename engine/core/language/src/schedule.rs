//! When a workflow begins by itself: at moments of the agency's wall clock, again and again, or
//! with events.
//!
//! It says which moments are meant; where they lie in time, also where clocks are changed, is
//! `casework`'s.

mod trigger;

use std::collections::BTreeSet;

pub use trigger::Trigger;

/// `schedule` of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Schedule {
    pub recurs: Recurs,
    pub missed: Missed,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recurs {
    /// Again after so many milliseconds, however long an instance takes.
    Every(u64),
    /// So many milliseconds after the instance before it has ended.
    After(u64),
    /// On the wall clock of the agency.
    Cron(Cron),
    /// With these events.
    On(Trigger),
}

/// What becomes of beginnings that nobody could see to, because the engine was not running.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missed {
    /// One instance for all of them, as soon as possible.
    Once,
    /// None; the next one is on time.
    Skip,
}

/// Five fields of cron, as the values that they stand for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cron {
    source: String,
    minutes: BTreeSet<u8>,
    hours: BTreeSet<u8>,
    /// `None` for every day.
    days: Option<BTreeSet<u8>>,
    months: BTreeSet<u8>,
    /// 0 is Sunday; `None` for every day.
    weekdays: Option<BTreeSet<u8>>,
    /// A day of either kind will do: neither field begins with `*`.
    either: bool,
}

/// What is wrong with a cron expression, and what to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CronError {
    pub message: String,
    pub help: String,
}

/// One field: what it is called, its least and greatest value, names for values.
struct Field {
    name: &'static str,
    least: u8,
    most: u8,
    names: &'static [&'static str],
}

const FIELDS: [Field; 5] = [
    Field {
        name: "minute",
        least: 0,
        most: 59,
        names: &[],
    },
    Field {
        name: "hour",
        least: 0,
        most: 23,
        names: &[],
    },
    Field {
        name: "day of the month",
        least: 1,
        most: 31,
        names: &[],
    },
    Field {
        name: "month",
        least: 1,
        most: 12,
        names: &[
            "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
        ],
    },
    Field {
        name: "day of the week",
        least: 0,
        most: 7,
        names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
    },
];

/// Days of each month in its longest year.
const LONGEST: [u8; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

const EXAMPLE: &str = "write minute, hour, day, month, weekday: `30 8 * * 1-5` is half past eight \
                       from Monday to Friday";

impl Cron {
    /// Reads the usual five fields: numbers, names of months and weekdays, `*`, `a-b`, `/n`, lists.
    /// Sunday is 0 and 7.
    pub fn parse(text: &str) -> Result<Self, CronError> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let Ok([minute, hour, day, month, weekday]) = <[&str; 5]>::try_from(words.as_slice())
        else {
            return Err(CronError {
                message: format!(
                    "a cron expression has 5 fields, this one has {}",
                    words.len()
                ),
                help: EXAMPLE.to_owned(),
            });
        };
        let [minutes, hours, days, months, weekdays] = &FIELDS;
        let cron = Self {
            either: !day.starts_with('*') && !weekday.starts_with('*'),
            source: words.join(" "),
            minutes: minutes.read(minute)?,
            hours: hours.read(hour)?,
            days: restricted(days, day)?,
            months: months.read(month)?,
            weekdays: restricted(weekdays, weekday)?.map(|found| {
                let sunday = |value: u8| if value == 7 { 0 } else { value };
                found.into_iter().map(sunday).collect()
            }),
        };
        if cron.ever() {
            Ok(cron)
        } else {
            Err(CronError {
                message: "no day of the calendar fits this cron expression".to_owned(),
                help: "a month has at most 31 days, some have 30 and February 28 or 29".to_owned(),
            })
        }
    }

    /// As it was written, with single blanks.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The same as expressions of six fields (second first, Sunday 1), each by itself: where both
    /// kinds of days are restricted, either will do.
    pub fn six_fields(&self) -> Vec<String> {
        let weekdays = self.weekdays.as_ref().map(|found| {
            let numbered: BTreeSet<u8> = found.iter().map(|day| day + 1).collect();
            numbered
        });
        let of = |days: Option<&BTreeSet<u8>>, weekdays: Option<&BTreeSet<u8>>| {
            format!(
                "0 {} {} {} {} {}",
                listed(&self.minutes),
                listed(&self.hours),
                days.map_or_else(|| "*".to_owned(), listed),
                listed(&self.months),
                weekdays.map_or_else(|| "*".to_owned(), listed),
            )
        };
        let (days, weekdays) = (self.days.as_ref(), weekdays.as_ref());
        if self.either {
            vec![of(days, None), of(None, weekdays)]
        } else {
            vec![of(days, weekdays)]
        }
    }

    fn ever(&self) -> bool {
        let Some(days) = &self.days else {
            return true;
        };
        let first = days.first().copied().unwrap_or(1);
        let fits = |month: &u8| first <= LONGEST[usize::from(month - 1)];
        self.either || self.months.iter().any(fits)
    }
}

fn listed(values: &BTreeSet<u8>) -> String {
    let words: Vec<String> = values.iter().map(u8::to_string).collect();
    words.join(",")
}

/// `None` for `*`.
fn restricted(field: &Field, text: &str) -> Result<Option<BTreeSet<u8>>, CronError> {
    let values = field.read(text)?;
    Ok((text != "*").then_some(values))
}

impl Field {
    fn read(&self, text: &str) -> Result<BTreeSet<u8>, CronError> {
        let mut values = BTreeSet::new();
        for part in text.split(',') {
            let (range, step) = match part.split_once('/') {
                Some((range, step)) => (range, Some(step)),
                None => (part, None),
            };
            let by = match step.map(str::parse::<u8>) {
                None => 1,
                Some(Ok(by)) if by > 0 => by,
                Some(_) => return Err(self.wrong(part)),
            };
            let (from, to) = self.range(range, step.is_some())?;
            values.extend((from..=to).step_by(usize::from(by)));
        }
        Ok(values)
    }

    fn range(&self, text: &str, stepped: bool) -> Result<(u8, u8), CronError> {
        if text == "*" {
            // Sunday is meant once.
            let most = if self.most == 7 { 6 } else { self.most };
            return Ok((self.least, most));
        }
        let Some((from, to)) = text.split_once('-') else {
            let value = self.value(text)?;
            // `5/10`: from 5 on.
            return Ok((value, if stepped { self.most } else { value }));
        };
        let (from, to) = (self.value(from)?, self.value(to)?);
        if from > to {
            return Err(CronError {
                message: format!("`{text}` runs backwards"),
                help: format!("write two ranges with a comma for the {}", self.name),
            });
        }
        Ok((from, to))
    }

    fn value(&self, text: &str) -> Result<u8, CronError> {
        let lower = text.to_ascii_lowercase();
        if let Some(index) = self.names.iter().position(|name| *name == lower) {
            return Ok(self.least + u8::try_from(index).unwrap_or_default());
        }
        let digits = !text.is_empty() && text.bytes().all(|sign| sign.is_ascii_digit());
        let value = digits.then(|| text.parse::<u8>().ok()).flatten();
        value
            .filter(|value| (self.least..=self.most).contains(value))
            .ok_or_else(|| self.wrong(text))
    }

    fn wrong(&self, text: &str) -> CronError {
        let names = match self.names {
            [] => String::new(),
            [first, .., last] => format!(", or {first} to {last}"),
            [only] => format!(", or {only}"),
        };
        CronError {
            message: format!("`{text}` is no {}", self.name),
            help: format!(
                "the {} is a number from {} to {}{names}; also `*`, `1-5`, `*/15`, `1,3`",
                self.name, self.least, self.most
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn six(text: &str) -> Vec<String> {
        Cron::parse(text).unwrap().six_fields()
    }

    #[test]
    fn five_fields_become_six() {
        let all = "0 0 9 * 1,2,3,4,5,6,7,8,9,10,11,12";
        assert_eq!(six("0 9 * * 0"), [format!("{all} 1")]);
        assert_eq!(six("0 9 * * 7"), [format!("{all} 1")]);
        assert_eq!(six("0  9 * * Sun,sat"), [format!("{all} 1,7")]);
        assert_eq!(six("0 9 * * mon-fri"), [format!("{all} 2,3,4,5,6")]);
        assert_eq!(six("0 9 * * *"), [format!("{all} *")]);
        assert_eq!(six("*/20 0-2 1 jan *"), ["0 0,20,40 0,1,2 1 1 *"]);
        assert_eq!(six("50/5 0 1 2 *"), ["0 50,55 0 1 2 *"]);
    }

    #[test]
    fn either_kind_of_day_will_do_where_both_are_restricted() {
        assert_eq!(
            six("0 9 13 6 5"),
            ["0 0 9 13 6 *", "0 0 9 * 6 6"],
            "Fridays and the 13th"
        );
        let odd = "1,3,5,7,9,11,13,15,17,19,21,23,25,27,29,31";
        assert_eq!(
            six("0 9 */2 6 5"),
            [format!("0 0 9 {odd} 6 6")],
            "a field that begins with * narrows the other"
        );
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, message) in [
            ("", "a cron expression has 5 fields, this one has 0"),
            (
                "0 0 9 * * 1",
                "a cron expression has 5 fields, this one has 6",
            ),
            ("60 9 * * *", "`60` is no minute"),
            ("0 24 * * *", "`24` is no hour"),
            ("0 9 0 * *", "`0` is no day of the month"),
            ("0 9 * 13 *", "`13` is no month"),
            ("0 9 * * 8", "`8` is no day of the week"),
            ("0 9 * * 5-1", "`5-1` runs backwards"),
            ("*/0 9 * * *", "`*/0` is no minute"),
            ("1,, 9 * * *", "`` is no minute"),
            ("+1 9 * * *", "`+1` is no minute"),
            (
                "0 9 30 2 *",
                "no day of the calendar fits this cron expression",
            ),
            (
                "0 9 31 4,6,9,11 *",
                "no day of the calendar fits this cron expression",
            ),
        ] {
            assert_eq!(Cron::parse(text).unwrap_err().message, message, "{text}");
        }
        assert!(Cron::parse("0 9 29 2 *").is_ok());
        assert!(Cron::parse("0 9 31 2 1").is_ok());
        assert!(Cron::parse("0 9 31 2 */2").is_err());
    }
}
