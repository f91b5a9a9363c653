//! Holidays from iCalendar text (RFC 5545): all-day events. Nothing else of the format is used.

use std::collections::BTreeMap;

use icalendar::parser::{Component, read_calendar, unfold};
use jiff::civil::Date;

/// The longest holiday; a longer one is a mistake in the file.
const HOLIDAY_DAYS_MAX: i32 = 31;

/// Day to name. The error is a sentence for the author of the pack.
pub(super) fn holidays(text: &str) -> Result<BTreeMap<Date, String>, String> {
    let unfolded = unfold(text);
    let calendar =
        read_calendar(&unfolded).map_err(|_| "the file is not an iCalendar file".to_owned())?;
    let mut days = BTreeMap::new();
    for event in calendar
        .components
        .iter()
        .filter(|part| part.name == "VEVENT")
    {
        add(event, &mut days)?;
    }
    Ok(days)
}

fn add(event: &Component<'_>, days: &mut BTreeMap<Date, String>) -> Result<(), String> {
    let name = text_of(event, "SUMMARY").unwrap_or_else(|| "holiday".to_owned());
    if event.find_prop("RRULE").is_some() {
        return Err(format!(
            "the event `{name}` repeats (RRULE); write one event for each year, since holidays move"
        ));
    }
    let first = date_of(event, "DTSTART", &name)?
        .ok_or_else(|| format!("the event `{name}` has no DTSTART"))?;
    // DTEND is exclusive; without it the event is one day long.
    let end = date_of(event, "DTEND", &name)?;
    let length = end.map_or(Ok(1), |end| first.until(end).map(|span| span.get_days()));
    match length {
        Ok(length) if (1..=HOLIDAY_DAYS_MAX).contains(&length) => {
            days.extend(
                first
                    .series(jiff::Span::new().days(1))
                    .take(usize_of(length))
                    .map(|day| (day, name.clone())),
            );
            Ok(())
        }
        _ => Err(format!(
            "the event `{name}` must last 1 to {HOLIDAY_DAYS_MAX} days"
        )),
    }
}

fn usize_of(length: i32) -> usize {
    usize::try_from(length).expect("the length was checked to be positive")
}

fn text_of(event: &Component<'_>, key: &str) -> Option<String> {
    event
        .find_prop(key)
        .map(|property| property.val.as_str().to_owned())
}

fn date_of(event: &Component<'_>, key: &str, name: &str) -> Result<Option<Date>, String> {
    let Some(text) = text_of(event, key) else {
        return Ok(None);
    };
    let date = (text.len() == 8)
        .then(|| Date::strptime("%Y%m%d", &text).ok())
        .flatten();
    date.map(Some).ok_or_else(|| {
        format!("{key} of the event `{name}` must be a whole day such as 20260403, not a time")
    })
}
