//! The table of business days that the field gives, with the calendars of the sample agency, and
//! days over the changes of the clocks in five zones.

use super::*;

const AU_QLD: &str =
    include_str!("../../../../../../workflows/intensive-family-support/calendars/au-qld.ics");
const BRISBANE: &str = include_str!(
    "../../../../../../workflows/intensive-family-support/calendars/au-qld-brisbane.ics"
);

fn of(zone: &str, ical: Option<&str>) -> Calendar {
    Calendar::new("x", zone, ical).unwrap()
}

#[test]
fn every_row_of_the_table_holds() {
    let days = Term::BusinessDays;
    let qld = of("Australia/Brisbane", Some(AU_QLD));
    let brisbane = of("Australia/Brisbane", Some(BRISBANE));
    check(&qld, "2026-04-02T09:00", days(2), "2026-04-08");
    check(&qld, "2026-04-24T09:00", days(1), "2026-04-27");
    let anzac = "2027-04-26".parse().unwrap();
    assert_eq!(qld.holiday(anzac), Some("Anzac Day"));
    assert_eq!(qld.holiday("2026-04-27".parse().unwrap()), None);
    check(&qld, "2026-08-11T09:00", days(1), "2026-08-12");
    check(&brisbane, "2026-08-11T09:00", days(1), "2026-08-13");
    check(&qld, "2026-12-23T09:00", days(5), "2027-01-04");
    check(&qld, "2026-12-24T09:00", days(1), "2026-12-29");
    check(&qld, "2026-10-02T09:00", days(10), "2026-10-19");
    let us = of("America/Chicago", Some(US));
    check(&us, "2026-11-25T09:00", days(2), "2026-11-30");
    check(&us, "2026-07-02T09:00", days(2), "2026-07-07");
}

/// A zone, the Friday before a change of its clocks, and how long the Sunday of the change is.
const CHANGES: [(&str, &str, &str, i64); 10] = [
    ("Australia/Brisbane", "2026-04-03", "2026-04-05", 24 * 60),
    ("Australia/Brisbane", "2026-10-02", "2026-10-04", 24 * 60),
    ("Australia/Sydney", "2026-04-03", "2026-04-05", 25 * 60),
    ("Australia/Sydney", "2026-10-02", "2026-10-04", 23 * 60),
    (
        "Australia/Lord_Howe",
        "2026-04-03",
        "2026-04-05",
        24 * 60 + 30,
    ),
    (
        "Australia/Lord_Howe",
        "2026-10-02",
        "2026-10-04",
        23 * 60 + 30,
    ),
    ("America/Chicago", "2026-03-06", "2026-03-08", 23 * 60),
    ("America/Chicago", "2026-10-30", "2026-11-01", 25 * 60),
    ("Europe/Dublin", "2026-03-27", "2026-03-29", 23 * 60),
    ("Europe/Dublin", "2026-10-23", "2026-10-25", 25 * 60),
];

#[test]
fn days_are_local_days_over_the_changes_of_the_clocks_in_five_zones() {
    for (zone, friday, sunday, minutes) in CHANGES {
        let calendar = of(zone, None);
        let (friday, sunday): (Date, Date) = (friday.parse().unwrap(), sunday.parse().unwrap());
        let monday = sunday.tomorrow().unwrap();
        let noon = |day: Date| format!("{day}T12:00");
        let text = |day: Date| day.to_string();
        check(
            &calendar,
            &noon(friday),
            Term::BusinessDays(1),
            &text(monday),
        );
        check(
            &calendar,
            &noon(friday),
            Term::CalendarDays(2),
            &text(sunday),
        );
        check(
            &calendar,
            &noon(friday),
            Term::CalendarDays(3),
            &text(monday),
        );
        let saturday = sunday.yesterday().unwrap();
        let start = saturday
            .to_datetime(Time::midnight())
            .to_zoned(calendar.zone.clone());
        let start = start.unwrap().timestamp();
        let ends = |count| calendar.due(start, Term::CalendarDays(count)).unwrap();
        let length = ends(0).duration_until(ends(1)).as_mins();
        assert_eq!(length, minutes, "{zone} {sunday}");
        // Hours by the clock on the wall are hours that pass, whatever the clocks say.
        let day = Term::ExactMs(24 * 3_600_000);
        let passed = start.duration_until(calendar.due(start, day).unwrap());
        assert_eq!(passed, SignedDuration::from_hours(24));
        // Hours of work are those of the desk: seven on Friday, one on Monday.
        let at_ten = friday
            .at(10, 0, 0, 0)
            .to_zoned(calendar.zone.clone())
            .unwrap();
        let due = calendar
            .due(at_ten.timestamp(), Term::BusinessHours(8))
            .unwrap();
        let due = due.to_zoned(calendar.zone.clone()).datetime();
        assert_eq!(due, monday.at(10, 0, 0, 0), "{zone}");
    }
}
