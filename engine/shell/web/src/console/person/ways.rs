//! The rows of the form in which ways are listed that are safe, and the same ways in words.
//!
//! A row without a channel is no way: that is how one is taken out.

use std::collections::BTreeSet;

use casewright_casework::contact::{Channel, Day, Hours, Leave, WAYS_MAX, Way};
use jiff::civil::{Date, Time};

use crate::console::member::Submission;
use crate::console::when::civil;

/// Empty rows after those that are filled.
const SPARE: usize = 2;

/// One row as it was typed, or as it is filled from what is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) channel: String,
    pub(super) leave: String,
    pub(super) days: Vec<String>,
    pub(super) from: String,
    pub(super) until: String,
    pub(super) language: String,
    pub(super) interpreter: bool,
    pub(super) review: String,
}

impl Row {
    fn of(way: &Way) -> Self {
        let time = |time: Time| time.strftime("%H:%M").to_string();
        Self {
            channel: way.channel.as_str().to_owned(),
            leave: way.leave.as_str().to_owned(),
            days: way.days.iter().map(|day| day.as_str().to_owned()).collect(),
            from: way.hours.map(|hours| time(hours.from)).unwrap_or_default(),
            until: way.hours.map(|hours| time(hours.until)).unwrap_or_default(),
            language: way.language.clone().unwrap_or_default(),
            interpreter: way.interpreter,
            review: way.review_on.to_string(),
        }
    }

    fn read(submission: &Submission, number: usize) -> Self {
        let text = |name: &str| {
            let value = submission.value(&format!("{name}{number}"));
            value.unwrap_or_default().trim().to_owned()
        };
        let days = format!("days{number}");
        let days = submission.pairs.iter().filter(|(key, _)| *key == days);
        Self {
            channel: text("channel"),
            leave: text("leave"),
            days: days.map(|(_, value)| value.clone()).collect(),
            from: text("from"),
            until: text("until"),
            language: text("language"),
            interpreter: !text("interpreter").is_empty(),
            review: text("review"),
        }
    }

    /// Whether anything was chosen or typed, for the template: what is to be left alone is folded.
    /// What may be left is always chosen.
    pub(super) fn is_filled(&self) -> bool {
        let texts = [
            &self.channel,
            &self.from,
            &self.until,
            &self.language,
            &self.review,
        ];
        self.interpreter || !self.days.is_empty() || texts.iter().any(|text| !text.is_empty())
    }

    /// Whether a day is ticked, for the template.
    pub(super) fn is_for(&self, day: &str) -> bool {
        self.days.iter().any(|one| one == day)
    }

    /// `None` for a row that is no way; otherwise what is wrong with it.
    fn way(&self, number: usize) -> Result<Option<Way>, Vec<(String, String)>> {
        let mut errors = Vec::new();
        let mut error = |name: &str, sentence: &str| {
            errors.push((format!("{name}{number}"), sentence.to_owned()));
        };
        if self.channel.is_empty() {
            return Ok(None);
        }
        let channel = Channel::named(&self.channel);
        if channel.is_none() {
            error("channel", "Choose how they are reached");
        }
        let hours = match (time(&self.from), time(&self.until)) {
            _ if self.from.is_empty() && self.until.is_empty() => None,
            (Some(from), Some(until)) => Some(Hours { from, until }),
            (None, _) => {
                error(
                    "from",
                    "Enter a time of day such as 09:00, or leave both empty",
                );
                None
            }
            (Some(_), None) => {
                error(
                    "until",
                    "Enter a time of day such as 17:00, or leave both empty",
                );
                None
            }
        };
        let review_on = self.review.parse::<Date>().ok();
        if review_on.is_none() {
            error(
                "review",
                "Enter the day by which this is looked at again, like 2026-11-30",
            );
        }
        let (Some(channel), Some(review_on), true) = (channel, review_on, errors.is_empty()) else {
            return Err(errors);
        };
        let named = |word: &String| Day::ALL.into_iter().find(|day| day.as_str() == word);
        Ok(Some(Way {
            channel,
            leave: Leave::named(&self.leave).unwrap_or_default(),
            days: self.days.iter().filter_map(named).collect::<BTreeSet<_>>(),
            hours,
            language: (!self.language.is_empty()).then(|| self.language.clone()),
            interpreter: self.interpreter,
            review_on,
        }))
    }
}

fn time(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
}

/// The rows of what is kept.
pub(super) fn rows(ways: &[Way]) -> Vec<Row> {
    spared(ways.iter().map(Row::of).collect())
}

/// The rows as they were sent.
pub(super) fn read(submission: &Submission) -> Vec<Row> {
    let rows = (0..WAYS_MAX + SPARE).map(|number| Row::read(submission, number));
    spared(rows.filter(|row| !row.channel.is_empty()).collect())
}

fn spared(mut rows: Vec<Row>) -> Vec<Row> {
    rows.extend(std::iter::repeat_n(Row::default(), SPARE));
    rows
}

/// What the rows list, or everything that is wrong with them.
pub(super) fn listed(rows: &[Row]) -> Result<Vec<Way>, Vec<(String, String)>> {
    let (mut ways, mut errors) = (Vec::new(), Vec::new());
    for (number, row) in rows.iter().enumerate() {
        match row.way(number) {
            Ok(way) => ways.extend(way),
            Err(found) => errors.extend(found),
        }
    }
    if errors.is_empty() {
        Ok(ways)
    } else {
        Err(errors)
    }
}

/// A channel as people say it.
pub(crate) const fn channel_words(channel: Channel) -> &'static str {
    match channel {
        Channel::PhoneCall => "Phone call",
        Channel::TextMessage => "Text message",
        Channel::EMail => "E-mail",
        Channel::Letter => "Letter",
    }
}

/// What may be left, as people say it.
pub(super) const fn leave_words(leave: Leave) -> &'static str {
    match leave {
        Leave::Nothing => "leave nothing",
        Leave::Neutral => "leave only what says nothing of the case",
        Leave::Content => "others may see what is in it",
    }
}

/// One way in a sentence.
pub(crate) fn way_words(way: &Way) -> String {
    let mut words = channel_words(way.channel).to_owned();
    if !way.days.is_empty() {
        let days: Vec<_> = way.days.iter().map(|day| day_words(*day)).collect();
        words = format!("{words} on {}", days.join(", "));
    }
    if let Some(hours) = way.hours {
        let time = |time: Time| time.strftime("%H:%M").to_string();
        words = format!("{words} from {} to {}", time(hours.from), time(hours.until));
    }
    words = format!("{words}: {}", leave_words(way.leave));
    if let Some(language) = &way.language {
        words = format!("{words}, in {language}");
    }
    if way.interpreter {
        words = format!("{words}, with an interpreter");
    }
    format!("{words}. Until {}", civil(way.review_on))
}

/// A day of the week, short.
pub(super) const fn day_words(day: Day) -> &'static str {
    match day {
        Day::Mon => "Mon",
        Day::Tue => "Tue",
        Day::Wed => "Wed",
        Day::Thu => "Thu",
        Day::Fri => "Fri",
        Day::Sat => "Sat",
        Day::Sun => "Sun",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> Row {
        Row {
            channel: "text-message".to_owned(),
            leave: "neutral".to_owned(),
            days: vec!["mon".to_owned(), "fri".to_owned()],
            from: "09:00".to_owned(),
            until: "11:30".to_owned(),
            language: "vi".to_owned(),
            interpreter: false,
            review: "2026-12-31".to_owned(),
        }
    }

    #[test]
    fn what_is_kept_comes_back_from_its_rows() {
        let ways = listed(&[row(), Row::default()]).unwrap();
        assert_eq!(rows(&ways), [row(), Row::default(), Row::default()]);
        assert_eq!(listed(&rows(&ways)).unwrap(), ways);
        assert_eq!(
            way_words(&ways[0]),
            "Text message on Mon, Fri from 09:00 to 11:30: leave only what says nothing of the \
             case, in vi. Until Thu 31 Dec 2026"
        );
    }

    #[test]
    fn a_row_without_its_review_day_is_named() {
        let bad = Row {
            review: String::new(),
            from: String::new(),
            ..row()
        };
        let errors = listed(&[row(), bad]).unwrap_err();
        let fields: Vec<_> = errors.iter().map(|(field, _)| &**field).collect();
        assert_eq!(fields, ["from1", "review1"]);
    }

    #[test]
    fn a_row_that_nobody_touched_is_folded() {
        let untouched = Row {
            leave: "nothing".to_owned(),
            ..Row::default()
        };
        assert!(!Row::default().is_filled() && !untouched.is_filled());
        assert!(row().is_filled());
        let wrong = Row {
            from: "nine".to_owned(),
            ..untouched
        };
        assert!(wrong.is_filled());
    }

    #[test]
    fn a_row_without_a_channel_is_no_way() {
        let gone = Row {
            channel: String::new(),
            ..row()
        };
        assert_eq!(listed(&[gone]), Ok(Vec::new()));
    }
}
