//! When a workflow begins by itself, in words.
//!
//! It says which moments are meant, not when the next one is: that depends on the day.

use std::collections::BTreeSet;

use casewright_language::schedule::{Missed, Recurs, Schedule, Trigger};
use casewright_language::workflow::{EventFilter, Strategy};
use casewright_language::{Period, Template};
use serde_json::Value;

use super::wording::{Said, list, period};

/// Times of a day that are still listed one by one.
const TIMES_MAX: usize = 12;

const WEEKDAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

pub(super) fn words(schedule: &Schedule) -> Said {
    match &schedule.recurs {
        Recurs::Every(ms) => Said::words(format!("Again every {}", period(Period(*ms)))),
        Recurs::After(ms) => Said::words(format!(
            "Again {} after the one before has ended",
            period(Period(*ms))
        )),
        Recurs::On(trigger) => Said::words(events(trigger)),
        Recurs::Cron(cron) => {
            let moments: Vec<String> = cron.six_fields().iter().map(|text| moments(text)).collect();
            Said::written(capital(&moments.join(", and also ")), cron.source())
        }
    }
}

pub(super) fn missed(schedule: &Schedule) -> &'static str {
    if matches!(schedule.recurs, Recurs::On(_)) {
        return "What comes while the engine is not running is up to whoever sends it.";
    }
    match schedule.missed {
        Missed::Once => {
            "If the engine was not running at such a time, it begins once as soon as it can."
        }
        Missed::Skip => "If the engine was not running at such a time, that time is left out.",
    }
}

/// Which events it begins with.
fn events(trigger: &Trigger) -> String {
    let Some(listen) = trigger.listen() else {
        return "With an event".to_owned();
    };
    let kinds = |filters: &[EventFilter]| {
        let kind = |filter: &EventFilter| {
            let kind = filter.with.iter().find(|(name, _)| name == "type");
            match kind.map(|(_, wanted)| wanted) {
                Some(Template::Literal(Value::String(kind))) => format!("`{kind}`"),
                _ => "one that fits".to_owned(),
            }
        };
        list(&filters.iter().map(kind).collect::<Vec<_>>())
    };
    match &listen.to {
        Strategy::One(filter) => format!("With the event {}", kinds(std::slice::from_ref(filter))),
        Strategy::All(filters) => format!("When all of these events have come: {}", kinds(filters)),
        Strategy::Any { filters, .. } if filters.is_empty() => "With any event".to_owned(),
        Strategy::Any {
            filters,
            until: None,
        } => format!("With the event {}", kinds(filters).replace(" and ", " or ")),
        Strategy::Any {
            filters,
            until: Some(_),
        } => format!("With events that are gathered first: {}", kinds(filters)),
    }
}

/// Six fields of plain lists, second first, as `Cron::six_fields` gives them.
fn moments(fields: &str) -> String {
    let fields: Vec<&str> = fields.split(' ').collect();
    let [_, minutes, hours, days, months, weekdays] = fields.as_slice() else {
        return String::new();
    };
    let mut words = times(&numbers(minutes), &numbers(hours));
    let days_said = *days != "*";
    if days_said {
        let days: Vec<String> = numbers(days).iter().map(usize::to_string).collect();
        words.push_str(" on day ");
        words.push_str(&list(&days));
        words.push_str(" of the month");
    }
    if *weekdays != "*" {
        // Sunday is 1 here.
        let days: BTreeSet<usize> = numbers(weekdays).iter().map(|day| day - 1).collect();
        words.push_str(if days_said {
            ", only if it is "
        } else {
            " on "
        });
        words.push_str(&weekday_names(&days));
    } else if !days_said {
        words.push_str(" every day");
    }
    let months = numbers(months);
    if months.len() < MONTHS.len() {
        let names: Vec<String> = months
            .iter()
            .map(|month| name(&MONTHS, month - 1))
            .collect();
        words.push_str(", in ");
        words.push_str(&list(&names));
    }
    words
}

fn times(minutes: &BTreeSet<usize>, hours: &BTreeSet<usize>) -> String {
    if minutes.len() * hours.len() <= TIMES_MAX {
        let times: Vec<String> = hours
            .iter()
            .flat_map(|hour| {
                minutes
                    .iter()
                    .map(move |minute| format!("{hour:02}:{minute:02}"))
            })
            .collect();
        return format!("at {}", list(&times));
    }
    let texts = |found: &BTreeSet<usize>| -> Vec<String> {
        found.iter().map(|number| format!("{number:02}")).collect()
    };
    let minutes = if minutes.len() == 60 {
        "every minute".to_owned()
    } else {
        format!("at minute {}", list(&texts(minutes)))
    };
    if hours.len() == 24 {
        format!("{minutes} of every hour")
    } else {
        format!("{minutes} of the hours {}", list(&texts(hours)))
    }
}

fn weekday_names(days: &BTreeSet<usize>) -> String {
    if days.iter().eq(&[1, 2, 3, 4, 5]) {
        return "Monday to Friday".to_owned();
    }
    let names: Vec<String> = days.iter().map(|day| name(&WEEKDAYS, *day)).collect();
    list(&names)
}

fn capital(text: &str) -> String {
    let mut signs = text.chars();
    let first = signs.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(signs).collect()
}

fn name(names: &[&str], index: usize) -> String {
    names.get(index).copied().unwrap_or_default().to_owned()
}

fn numbers(field: &str) -> BTreeSet<usize> {
    field
        .split(',')
        .filter_map(|text| text.parse().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use casewright_language::schedule::Cron;

    use super::*;

    #[test]
    fn moments_are_words() {
        for (source, words) in [
            ("0 9 * * mon-fri", "at 09:00 on Monday to Friday"),
            ("30 8,17 1 * *", "at 08:30 and 17:30 on day 1 of the month"),
            ("0 0 * jan sun", "at 00:00 on Sunday, in January"),
            ("* * * * *", "every minute of every hour every day"),
            (
                "*/15 9-16 * * *",
                "at minute 00, 15, 30 and 45 of the hours 09, 10, 11, 12, 13, 14, \
              15 and 16 every day",
            ),
            (
                "0 9 13 6 5",
                "at 09:00 on day 13 of the month, in June, and also at 09:00 on \
              Friday, in June",
            ),
        ] {
            let fields = Cron::parse(source).unwrap().six_fields();
            let said: Vec<String> = fields.iter().map(|text| moments(text)).collect();
            assert_eq!(said.join(", and also "), words, "{source}");
        }
    }
}
