//! Half days, other hours, and the time of day from which something counts as asked tomorrow.

use proptest::prelude::*;

use super::*;

const HALF: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:test\r\n\
BEGIN:VEVENT\r\nUID:1\r\nSUMMARY:Christmas Eve\r\n\
DTSTART:20261224T120000\r\nDTEND:20261225T000000\r\nEND:VEVENT\r\n\
BEGIN:VEVENT\r\nUID:2\r\nSUMMARY:Forenoon\r\n\
DTSTART:20261222T000000\r\nDTEND:20261222T130000\r\nEND:VEVENT\r\n\
BEGIN:VEVENT\r\nUID:3\r\nSUMMARY:Christmas\r\nDTSTART;VALUE=DATE:20261225\r\nEND:VEVENT\r\n\
END:VCALENDAR\r\n";

fn time(hour: i8) -> Time {
    Time::constant(hour, 0, 0, 0)
}

fn half() -> Calendar {
    Calendar::new("x", "Australia/Brisbane", Some(HALF)).unwrap()
}

fn with_cut_off(ical: Option<&str>, zone: &str) -> Calendar {
    let hours = Hours {
        cut_off: Some(time(15)),
        ..Hours::default()
    };
    let calendar = Calendar::new("x", zone, ical).unwrap();
    calendar.with_hours(hours).unwrap()
}

#[track_caller]
fn hours(calendar: &Calendar, from: &str, count: u32, wanted: &str) {
    let from: jiff::civil::DateTime = from.parse().unwrap();
    let from = from.to_zoned(calendar.zone().clone()).unwrap().timestamp();
    let due = calendar.due(from, Term::BusinessHours(count)).unwrap();
    let due = due.to_zoned(calendar.zone().clone()).datetime();
    assert_eq!(due.to_string(), wanted);
}

#[test]
fn a_half_day_is_a_business_day_with_fewer_hours() {
    let half = half();
    check(
        &half,
        "2026-12-23T10:00",
        Term::BusinessDays(1),
        "2026-12-24",
    );
    hours(&half, "2026-12-24T11:00", 1, "2026-12-24T12:00:00");
    // One hour of Thursday is left, Friday is Christmas, the other hour is Monday's.
    hours(&half, "2026-12-24T11:00", 2, "2026-12-28T10:00:00");
    hours(&half, "2026-12-22T08:00", 1, "2026-12-22T14:00:00");
    // People are told when work begins.
    told(
        &half,
        "2026-12-23T23:59:59.999",
        Term::BusinessDays(1),
        "2026-12-22T13:00:00",
    );
    told(
        &half,
        "2026-12-28T10:00:00",
        Term::BusinessHours(2),
        "2026-12-24T11:00:00",
    );
    // Of a pause, only the hours of work count.
    let at = |text: &str| {
        let local: jiff::civil::DateTime = text.parse().unwrap();
        local.to_zoned(half.zone().clone()).unwrap().timestamp()
    };
    let pause = (at("2026-12-24T10:00"), at("2026-12-24T16:00"));
    let moved = half.later(at("2026-12-29T09:00"), pause, Pace::BusinessHours);
    assert_eq!(moved.unwrap(), at("2026-12-29T11:00"));
}

#[test]
fn what_is_asked_after_the_cut_off_counts_as_the_next_business_day() {
    for zone in [
        "Australia/Brisbane",
        "Australia/Lord_Howe",
        "America/Chicago",
    ] {
        let late = with_cut_off(None, zone);
        let days = Term::BusinessDays;
        check(&late, "2026-03-05T14:59:59.999", days(1), "2026-03-06");
        check(&late, "2026-03-05T15:00", days(1), "2026-03-09");
        // Friday evening and Saturday count as Monday, also over a change of the clocks.
        check(&late, "2026-03-06T15:00", days(1), "2026-03-10");
        check(&late, "2026-03-07T10:00", days(1), "2026-03-10");
        check(&late, "2026-03-09T10:00", days(1), "2026-03-10");
        check(&late, "2026-03-06T15:00", days(0), "2026-03-09");
        // It says nothing of days of any kind, nor of hours.
        check(
            &late,
            "2026-03-05T15:00",
            Term::CalendarDays(1),
            "2026-03-06",
        );
        hours(&late, "2026-03-05T15:00", 1, "2026-03-05T16:00:00");
    }
    let holiday = with_cut_off(Some(HALF), "Australia/Brisbane");
    check(
        &holiday,
        "2026-12-24T15:00",
        Term::BusinessDays(1),
        "2026-12-29",
    );
}

#[test]
fn hours_that_cannot_be_are_refused_with_a_sentence() {
    let hours = |opens, closes| Hours {
        opens: time(opens),
        closes: time(closes),
        cut_off: None,
    };
    let refused = |opens, closes| half().with_hours(hours(opens, closes)).unwrap_err();
    assert!(refused(17, 9).contains("open before it closes"));
    assert!(refused(9, 9).contains("open before it closes"));
    // By then Thursday, and before it Tuesday, is without work altogether.
    assert!(refused(14, 17).contains("2026-12-24 without work takes all"));
    assert!(refused(9, 12).contains("2026-12-22 without work takes all"));
    let read = |from: &str, to: &str| {
        Calendar::new("x", "Australia/Brisbane", Some(&HALF.replace(from, to))).unwrap_err()
    };
    let noon = read("DTEND:20261222T130000", "DTEND:20261223T130000");
    assert!(noon.contains("must end on the same day"), "{noon}");
    let zoned = read(
        "DTSTART:20261224T120000",
        "DTSTART;TZID=UTC:20261224T120000",
    );
    assert!(zoned.contains("without a zone"), "{zoned}");
    let within = HALF.replace("DTSTART:20261222T000000", "DTSTART:20261222T110000");
    let within = Calendar::new("x", "Australia/Brisbane", Some(&within)).unwrap();
    let sentence = within.clone().with_hours(Hours::default()).unwrap_err();
    assert!(
        sentence.contains("lies within the working hours"),
        "{sentence}"
    );
    assert!(
        within.with_hours(hours(11, 17)).is_ok(),
        "then it is a forenoon"
    );
    let twice = read("20261222", "20261224").replace('\r', "");
    assert!(twice.contains("two parts of 2026-12-24"), "{twice}");
}

proptest! {
    /// Nobody is served sooner for having asked later.
    #[test]
    fn what_is_asked_later_is_never_due_before(
        first in 0..40_000_i64, later in 0..5_000_i64, days in 0..9_u32, cut in any::<bool>(),
    ) {
        let calendar = if cut { with_cut_off(Some(QLD), "Australia/Sydney") } else {
            Calendar::new("x", "Australia/Sydney", Some(QLD)).unwrap()
        };
        let at = |minutes: i64| {
            let start: Timestamp = "2026-03-25T00:00:00Z".parse().unwrap();
            start + SignedDuration::from_mins(minutes)
        };
        let due = |at| calendar.due(at, Term::BusinessDays(days)).unwrap();
        let (one, other) = (due(at(first)), due(at(first + later)));
        prop_assert!(one <= other);
        prop_assert!(one >= at(first));
    }
}
