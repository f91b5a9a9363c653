//! Moments as people and programs send them: a day, which begins in the agency's own time zone, or
//! a moment with its offset.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// `None` for anything else.
pub(crate) fn read(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let text = text.trim();
    if text.len() == 10 {
        let day: Date = text.parse().ok()?;
        let begins = day.to_zoned(zone.clone()).ok()?;
        return Some(begins.timestamp());
    }
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_where_the_agency_is() {
        let zone = TimeZone::get("Australia/Brisbane").unwrap();
        let at = |text| read(text, &zone).map(|at| at.to_string());
        assert_eq!(at("2026-12-01").unwrap(), "2026-11-30T14:00:00Z");
        assert_eq!(
            at("2026-12-01T09:00:00+10:00").unwrap(),
            "2026-11-30T23:00:00Z"
        );
        for wrong in ["", "tomorrow", "2026-13-01", "2026-12-01T09:00:00"] {
            assert_eq!(at(wrong), None, "{wrong}");
        }
    }
}
