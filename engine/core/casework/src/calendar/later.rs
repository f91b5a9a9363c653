//! Moments moved on by a pause: what stop-the-clock means for a deadline.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, Zoned};
use serde::{Deserialize, Serialize};

use super::{Calendar, TERM_MAX, Term, out_of_range};
use crate::Refusal;

/// What a deadline counts, and so what a pause takes out of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pace {
    BusinessDays,
    BusinessHours,
    CalendarDays,
    #[default]
    Exact,
}

impl From<Term> for Pace {
    fn from(term: Term) -> Self {
        match term {
            Term::BusinessDays(_) => Self::BusinessDays,
            Term::BusinessHours(_) => Self::BusinessHours,
            Term::CalendarDays(_) => Self::CalendarDays,
            Term::ExactMs(_) => Self::Exact,
        }
    }
}

impl Calendar {
    /// A moment moved on by what lies between two others. Days keep the time of day, so that a
    /// deadline at the end of a day stays one, also when the clocks change.
    pub fn later(
        &self,
        moment: Timestamp,
        (from, to): (Timestamp, Timestamp),
        pace: Pace,
    ) -> Result<Timestamp, Refusal> {
        if let Some(joined) = &self.joined {
            return joined.settle(|each| each.later(moment, (from, to), pace));
        }
        let local = moment.to_zoned(self.zone.clone());
        let (from, to) = (
            from.to_zoned(self.zone.clone()),
            to.to_zoned(self.zone.clone()),
        );
        match pace {
            Pace::BusinessDays => {
                let count = self.business_days_between(from.date(), to.date())?;
                if count == 0 {
                    return Ok(moment);
                }
                let day = self.business_day_after(local.date(), count)?;
                self.on(&local, day)
            }
            Pace::CalendarDays => {
                let days = to.date().since(from.date()).map_err(out_of_range)?;
                let day = local.date().checked_add(days).map_err(out_of_range)?;
                self.on(&local, day)
            }
            Pace::BusinessHours => {
                let paused = self.business_time_between(&from, &to)?;
                self.after_business_time(local, paused)
            }
            Pace::Exact => moment
                .checked_add(from.duration_until(&to))
                .map_err(out_of_range),
        }
    }

    fn on(&self, local: &Zoned, day: Date) -> Result<Timestamp, Refusal> {
        let at = day.to_datetime(local.time());
        let zoned = at.to_zoned(self.zone.clone()).map_err(out_of_range)?;
        Ok(zoned.timestamp())
    }

    /// Working days after the first day, up to and with the last.
    fn business_days_between(&self, from: Date, to: Date) -> Result<u32, Refusal> {
        let mut count = 0;
        let mut day = from;
        for _ in 0..TERM_MAX {
            if day >= to {
                break;
            }
            day = day.tomorrow().map_err(out_of_range)?;
            count += u32::from(self.open_on(day));
        }
        Ok(count)
    }

    fn business_time_between(&self, from: &Zoned, to: &Zoned) -> Result<SignedDuration, Refusal> {
        let mut sum = SignedDuration::ZERO;
        let mut day = from.date();
        for _ in 0..TERM_MAX {
            if day > to.date() {
                break;
            }
            if self.open_on(day) {
                let at = |time| day.to_datetime(time).to_zoned(self.zone.clone());
                let (opens, closes) = self.hours_of(day);
                let opens = at(opens).map_err(out_of_range)?.max(from.clone());
                let closes = at(closes).map_err(out_of_range)?.min(to.clone());
                if opens < closes {
                    sum += opens.duration_until(&closes);
                }
            }
            day = day.tomorrow().map_err(out_of_range)?;
        }
        Ok(sum)
    }
}
