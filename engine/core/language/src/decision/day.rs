//! Days of the calendar as numbers, so that they compare and count. No zone and no clock.

use std::fmt;

use crate::schema::format;

/// A day from 0000-01-01 to 9999-12-31.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(i32);

const MONTHS: [i32; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

impl Day {
    pub(crate) const LEAST: Self = Self(0);
    /// 9999-12-31.
    pub(crate) const MOST: Self = Self(3_652_424);

    /// Reads `2026-07-01`.
    pub fn parse(text: &str) -> Option<Self> {
        if !format::date(text) {
            return None;
        }
        let part = |range: std::ops::Range<usize>| text.get(range)?.parse::<i32>().ok();
        let (year, month, day) = (part(0..4)?, part(5..7)?, part(8..10)?);
        let months: i32 = (1..month).map(|before| length(year, before)).sum();
        Some(Self(before(year) + months + day - 1))
    }

    pub(crate) fn number(self) -> i128 {
        i128::from(self.0)
    }

    pub(crate) fn of_number(number: i128) -> Self {
        let number = number.clamp(Self::LEAST.number(), Self::MOST.number());
        Self(i32::try_from(number).unwrap_or(0))
    }
}

/// `2026-07-01`
impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // At most one too many, since no year is longer.
        let mut year = self.0 / 365;
        while before(year) > self.0 {
            year -= 1;
        }
        let mut rest = self.0 - before(year);
        let mut month = 1;
        while rest >= length(year, month) {
            rest -= length(year, month);
            month += 1;
        }
        write!(f, "{year:04}-{month:02}-{:02}", rest + 1)
    }
}

/// Days before a year.
fn before(year: i32) -> i32 {
    // The year 0 is a leap year.
    let leaps = (year + 3) / 4 - (year + 99) / 100 + (year + 399) / 400;
    365 * year + leaps
}

fn length(year: i32, month: i32) -> i32 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let index = usize::try_from(month - 1).unwrap_or(0).min(11);
    MONTHS[index] + i32::from(leap && month == 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_has_its_number_and_is_written_as_it_is_read() {
        let mut before = None;
        for number in 0..=Day::MOST.0 {
            let text = Day(number).to_string();
            if number % 97 == 0 || text.ends_with("-02-29") || text.ends_with("-12-31") {
                assert_eq!(Day::parse(&text), Some(Day(number)), "{text}");
            }
            assert!(before.is_none_or(|before| before < text), "{text}");
            before = Some(text);
        }
        assert_eq!(before.as_deref(), Some("9999-12-31"));
        assert_eq!(Day(0).to_string(), "0000-01-01");
        for wrong in ["2026-02-29", "2026-7-1", "2026-13-01", "x", ""] {
            assert_eq!(Day::parse(wrong), None, "{wrong}");
        }
    }
}
