//! When a working day begins and ends, and until when what is asked counts as asked on it.

use jiff::Timestamp;
use jiff::civil::{Date, Time};

use super::{Calendar, out_of_range};
use crate::Refusal;

/// The hours of a calendar's working days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hours {
    /// Terms in hours run from here.
    pub opens: Time,
    /// And up to here.
    pub closes: Time,
    /// What is asked at this time or later, or on a day without work, counts as asked on the next
    /// working day. Without it a day counts until midnight.
    pub cut_off: Option<Time>,
}

/// A part of a day without work, from one time up to another.
pub(super) type Part = (Time, Time);

impl Default for Hours {
    fn default() -> Self {
        Self {
            opens: Time::constant(9, 0, 0, 0),
            closes: Time::constant(17, 0, 0, 0),
            cut_off: None,
        }
    }
}

impl Calendar {
    /// The same days with other hours. For a calendar that nothing follows yet. The error is a
    /// sentence for the author of the pack.
    pub fn with_hours(mut self, hours: Hours) -> Result<Self, String> {
        if hours.opens >= hours.closes {
            return Err("a working day must open before it closes".to_owned());
        }
        self.first.hours = hours;
        for (day, (from, to)) in &self.first.parts {
            let Hours { opens, closes, .. } = self.first.hours;
            if *from > opens && *to < closes {
                return Err(format!(
                    "the part of {day} without work lies within the working hours; let it begin \
                     or end with them"
                ));
            }
            if *from <= opens && *to >= closes {
                return Err(format!(
                    "the part of {day} without work takes all working hours; write a whole day"
                ));
            }
        }
        Ok(self.digested())
    }

    /// When work begins on a day, and when it ends: a half day is shorter.
    pub(super) fn hours_of(&self, day: Date) -> (Time, Time) {
        let in_force = self.on_day(day);
        let Hours { opens, closes, .. } = in_force.hours;
        match in_force.parts.get(&day) {
            Some((from, to)) if *from <= opens => (opens.max(*to), closes),
            Some((from, _)) => (opens, closes.min(*from)),
            None => (opens, closes),
        }
    }

    /// The day on which something counts as asked. On a day without work it is as late as on the
    /// evening of the last working day before: nobody is served sooner for having asked later.
    pub(super) fn asked_on(&self, at: Timestamp) -> Result<Date, Refusal> {
        let local = at.to_zoned(self.zone.clone());
        let day = local.date();
        let open = self.open_on(day);
        let by = if open { day } else { self.last_open_to(day)? };
        match self.on_day(by).hours.cut_off {
            None => Ok(day),
            Some(cut_off) if open && local.time() < cut_off => Ok(day),
            Some(_) => self.first_open_from(day.tomorrow().map_err(out_of_range)?),
        }
    }
}
