//! Dates and times as people say them, in the agency's own time zone.

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

/// The agency's clock on the wall.
#[derive(Debug, Clone)]
pub(crate) struct Wall {
    zone: TimeZone,
    now: Timestamp,
}

/// How near a due date is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Band {
    Overdue,
    Today,
    ThisWeek,
    Later,
    NoDate,
}

impl Band {
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Overdue => "Overdue",
            Self::Today => "Due today",
            Self::ThisWeek => "Due this week",
            Self::Later => "Due later",
            Self::NoDate => "No due date",
        }
    }

    /// For the stylesheet.
    pub(crate) const fn class(self) -> &'static str {
        match self {
            Self::Overdue => "overdue",
            Self::Today => "today",
            Self::ThisWeek => "week",
            Self::Later => "later",
            Self::NoDate => "none",
        }
    }
}

impl Wall {
    pub(crate) fn new(zone: TimeZone, now: Timestamp) -> Self {
        Self { zone, now }
    }

    fn local(&self, at: Timestamp) -> jiff::Zoned {
        at.to_zoned(self.zone.clone())
    }

    /// `Fri 27 Nov 2026`.
    pub(crate) fn date(&self, at: Timestamp) -> String {
        civil(self.local(at).date())
    }

    /// `Fri 27 Nov 2026, 2:05 pm`.
    pub(crate) fn moment(&self, at: Timestamp) -> String {
        format!("{}, {}", self.date(at), self.time(at))
    }

    /// When something is due: the day where a whole day is meant, else the time as well.
    pub(crate) fn due(&self, at: Timestamp) -> String {
        let last_second = jiff::civil::time(23, 59, 59, 0);
        if self.local(at).time() >= last_second {
            self.date(at)
        } else {
            self.moment(at)
        }
    }

    /// `2:05 pm`.
    pub(crate) fn time(&self, at: Timestamp) -> String {
        self.local(at).strftime("%-I:%M %P").to_string()
    }

    /// The day a moment falls on, for grouping.
    pub(crate) fn day(&self, at: Timestamp) -> Date {
        self.local(at).date()
    }

    /// `Friday 27 November 2026`, with "today" and "yesterday" where they fit.
    pub(crate) fn day_title(&self, day: Date) -> String {
        let title = day.strftime("%A %-d %B %Y").to_string();
        let today = self.day(self.now);
        if day == today {
            format!("Today, {title}")
        } else if day.tomorrow().is_ok_and(|next| next == today) {
            format!("Yesterday, {title}")
        } else {
            title
        }
    }

    /// Weeks end on Sunday.
    pub(crate) fn band(&self, due: Option<Timestamp>, overdue: bool) -> Band {
        let Some(due) = due else {
            return Band::NoDate;
        };
        let (day, today) = (self.day(due), self.day(self.now));
        if overdue || due < self.now {
            Band::Overdue
        } else if day <= today {
            Band::Today
        } else if day <= week_end(today) {
            Band::ThisWeek
        } else {
            Band::Later
        }
    }
}

/// A plain date as people write it.
pub(crate) fn civil(date: Date) -> String {
    date.strftime("%a %-d %b %Y").to_string()
}

fn week_end(day: Date) -> Date {
    let days = Weekday::Sunday.since(day.weekday());
    day.checked_add(i32::from(days).days()).unwrap_or(day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wall(zone: &str, now: &str) -> Wall {
        Wall::new(TimeZone::get(zone).unwrap(), now.parse().unwrap())
    }

    #[track_caller]
    fn band(zone: &str, now: &str, due: &str, expected: Band) {
        let due = due.parse().unwrap();
        assert_eq!(wall(zone, now).band(Some(due), false), expected);
    }

    #[test]
    fn dates_are_local_to_the_agency() {
        // 13:59:59 UTC is the last second of the day in Brisbane.
        let at = "2026-11-27T13:59:59Z".parse().unwrap();
        let brisbane = wall("Australia/Brisbane", "2026-11-22T00:00:00Z");
        assert_eq!(brisbane.date(at), "Fri 27 Nov 2026");
        assert_eq!(brisbane.moment(at), "Fri 27 Nov 2026, 11:59 pm");
        assert_eq!(brisbane.due(at), "Fri 27 Nov 2026");
        let hours = "2026-11-27T04:05:00Z".parse().unwrap();
        assert_eq!(brisbane.due(hours), "Fri 27 Nov 2026, 2:05 pm");
        let chicago = wall("America/Chicago", "2026-11-22T00:00:00Z");
        assert_eq!(chicago.moment(at), "Fri 27 Nov 2026, 7:59 am");
    }

    #[test]
    fn bands_turn_at_the_agency_midnight() {
        let brisbane = "Australia/Brisbane";
        // Monday 23 November, 23:30 in Brisbane.
        let now = "2026-11-23T13:30:00Z";
        band(brisbane, now, "2026-11-23T13:29:59Z", Band::Overdue);
        band(brisbane, now, "2026-11-23T13:59:59Z", Band::Today);
        band(brisbane, now, "2026-11-23T14:00:00Z", Band::ThisWeek);
        band(brisbane, now, "2026-11-29T13:59:59Z", Band::ThisWeek);
        band(brisbane, now, "2026-11-29T14:00:00Z", Band::Later);
        // The same moments are another day in Chicago (Monday 7:30 in the morning).
        band("America/Chicago", now, "2026-11-23T14:00:00Z", Band::Today);
        // On a Sunday the week ends the same day.
        let sunday = "2026-11-29T00:00:00Z";
        band(brisbane, sunday, "2026-11-29T14:00:00Z", Band::Later);
        assert_eq!(wall(brisbane, now).band(None, false), Band::NoDate);
    }

    #[test]
    fn days_have_names() {
        let wall = wall("Australia/Brisbane", "2026-11-23T13:30:00Z");
        let title = |day: &str| wall.day_title(day.parse().unwrap());
        assert_eq!(title("2026-11-23"), "Today, Monday 23 November 2026");
        assert_eq!(title("2026-11-22"), "Yesterday, Sunday 22 November 2026");
        assert_eq!(title("2026-11-21"), "Saturday 21 November 2026");
    }
}
