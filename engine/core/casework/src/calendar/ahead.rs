//! Moments before a deadline: when people are told that it comes near.

use jiff::civil::{Date, Time};
use jiff::{SignedDuration, Timestamp, Zoned};

use super::{CLOSED_DAYS_MAX, Calendar, Term, out_of_range, within_limit};
use crate::{Code, Refusal};

impl Calendar {
    /// When a term before a deadline begins. Days count back from the deadline's own day and begin
    /// when work begins: what is said at midnight is heard by nobody. Never after the deadline.
    pub fn ahead(&self, deadline: Timestamp, term: Term) -> Result<Timestamp, Refusal> {
        if let Some(joined) = &self.joined {
            return joined.earliest(|each| each.ahead(deadline, term));
        }
        let end = deadline.to_zoned(self.zone.clone());
        let at = match term {
            Term::BusinessDays(count) => {
                let day = self.business_day_before(end.date(), within_limit(count)?)?;
                self.at(day, self.hours_of(day).0)?.timestamp()
            }
            Term::CalendarDays(count) => {
                let days = jiff::Span::new().days(i64::from(within_limit(count)?));
                let day = end.date().checked_sub(days).map_err(out_of_range)?;
                self.at(day, self.hours_of(day).0)?.timestamp()
            }
            Term::BusinessHours(count) => self.before_business_hours(end, within_limit(count)?)?,
            Term::ExactMs(length) => {
                let length = i64::try_from(length).map_err(out_of_range)?;
                let length = SignedDuration::from_millis(length);
                deadline.checked_sub(length).map_err(out_of_range)?
            }
        };
        Ok(at.min(deadline))
    }

    /// Zero business days means that day, or the last day of work before it.
    fn business_day_before(&self, from: Date, count: u32) -> Result<Date, Refusal> {
        let mut day = from;
        if count == 0 {
            return self.last_open_to(day);
        }
        for _ in 0..count {
            day = self.last_open_to(day.yesterday().map_err(out_of_range)?)?;
        }
        Ok(day)
    }

    pub(super) fn last_open_to(&self, mut day: Date) -> Result<Date, Refusal> {
        for _ in 0..CLOSED_DAYS_MAX {
            if self.open_on(day) {
                return Ok(day);
            }
            day = day.yesterday().map_err(out_of_range)?;
        }
        let sentence = format!("calendar {} has no working day for over a year", self.name);
        Err(Refusal::new(Code::AmountInvalid, sentence))
    }

    fn before_business_hours(&self, end: Zoned, hours: u32) -> Result<Timestamp, Refusal> {
        let mut left = SignedDuration::from_hours(i64::from(hours));
        let mut now = end;
        loop {
            let day = self.last_open_to(now.date())?;
            let (opens, closes) = self.hours_of(day);
            let (opens, closes) = (self.at(day, opens)?, self.at(day, closes)?);
            if now > closes {
                now = closes;
            }
            if now > opens {
                let open_for = opens.duration_until(&now);
                if left <= open_for {
                    return now.timestamp().checked_sub(left).map_err(out_of_range);
                }
                left -= open_for;
            }
            let before = day.yesterday().map_err(out_of_range)?;
            let before = self.last_open_to(before)?;
            now = self.at(before, self.hours_of(before).1)?;
        }
    }

    fn at(&self, day: Date, time: Time) -> Result<Zoned, Refusal> {
        day.to_datetime(time)
            .to_zoned(self.zone.clone())
            .map_err(out_of_range)
    }
}
