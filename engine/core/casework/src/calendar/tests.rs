//! The vectors of the field: business days over Easter, Christmas, show days and zones.

use jiff::civil::Weekday;

use super::*;

const QLD: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:test\r\n\
BEGIN:VEVENT\r\nUID:1\r\nSUMMARY:Good Friday\r\nDTSTART;VALUE=DATE:20260403\r\nEND:VEVENT\r\n\
BEGIN:VEVENT\r\nUID:2\r\nSUMMARY:Easter Monday\r\n\
DTSTART;VALUE=DATE:20260406\r\nDTEND;VALUE=DATE:20260407\r\nEND:VEVENT\r\n\
BEGIN:VEVENT\r\nUID:3\r\nSUMMARY:King's Birthday\r\nDTSTART;VALUE=DATE:20261005\r\nEND:VEVENT\r\n\
BEGIN:VEVENT\r\nUID:4\r\nSUMMARY:Christmas Day\r\nDTSTART;VALUE=DATE:20261225\r\nEND:VEVENT\r\n\
BEGIN:VEVENT\r\nUID:5\r\nSUMMARY:Boxing Day (substitute)\r\n\
DTSTART;VALUE=DATE:20261228\r\nEND:VEVENT\r\n\
BEGIN:VEVENT\r\nUID:6\r\nSUMMARY:New Year's Day\r\nDTSTART;VALUE=DATE:20270101\r\nEND:VEVENT\r\n\
END:VCALENDAR\r\n";

const US: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:test\r\n\
BEGIN:VEVENT\r\nUID:1\r\nSUMMARY:Thanksgiving\r\nDTSTART;VALUE=DATE:20261126\r\nEND:VEVENT\r\n\
BEGIN:VEVENT\r\nUID:2\r\nSUMMARY:Independence Day (observed)\r\n\
DTSTART;VALUE=DATE:20260703\r\nEND:VEVENT\r\n\
END:VCALENDAR\r\n";

/// `from` and the expected day are local; a term of days must end with the last millisecond of it.
fn check(calendar: &Calendar, from: &str, term: Term, day: &str) {
    let from: jiff::civil::DateTime = from.parse().unwrap();
    let from = from.to_zoned(calendar.zone().clone()).unwrap().timestamp();
    let due = calendar
        .due(from, term)
        .unwrap()
        .to_zoned(calendar.zone().clone());
    assert_eq!(due.datetime().to_string(), format!("{day}T23:59:59.999"));
}

#[test]
fn business_days_skip_weekends_and_holidays() {
    let qld = Calendar::new("AU-QLD", "Australia/Brisbane", Some(QLD)).unwrap();
    check(
        &qld,
        "2026-04-02T10:00",
        Term::BusinessDays(2),
        "2026-04-08",
    );
    check(
        &qld,
        "2026-04-24T16:59",
        Term::BusinessDays(1),
        "2026-04-27",
    );
    check(
        &qld,
        "2026-12-23T09:00",
        Term::BusinessDays(5),
        "2027-01-04",
    );
    check(
        &qld,
        "2026-12-24T23:00",
        Term::BusinessDays(1),
        "2026-12-29",
    );
    check(
        &qld,
        "2026-10-02T12:00",
        Term::BusinessDays(10),
        "2026-10-19",
    );
    check(
        &qld,
        "2026-11-21T12:00",
        Term::BusinessDays(0),
        "2026-11-23",
    );
    let us = Calendar::new("US", "America/Chicago", Some(US)).unwrap();
    check(&us, "2026-11-25T12:00", Term::BusinessDays(2), "2026-11-30");
    check(&us, "2026-07-02T08:00", Term::BusinessDays(2), "2026-07-07");
}

#[test]
fn calendar_days_are_days_even_when_the_clocks_change() {
    let chicago = Calendar::new("US", "America/Chicago", Some(US)).unwrap();
    check(
        &chicago,
        "2026-03-07T12:00",
        Term::CalendarDays(1),
        "2026-03-08",
    );
    check(
        &chicago,
        "2026-10-31T12:00",
        Term::CalendarDays(3),
        "2026-11-03",
    );
}

#[test]
fn business_hours_stop_at_night_and_on_holidays() {
    let qld = Calendar::new("AU-QLD", "Australia/Brisbane", Some(QLD)).unwrap();
    let from = "2026-04-02T15:00[Australia/Brisbane]"
        .parse::<Zoned>()
        .unwrap()
        .timestamp();
    let due = qld.due(from, Term::BusinessHours(4)).unwrap();
    let local = due.to_zoned(qld.zone().clone()).datetime().to_string();
    assert_eq!(local, "2026-04-07T11:00:00");
}

/// Local deadline and local moment at which people are told.
#[track_caller]
fn told(calendar: &Calendar, deadline: &str, term: Term, at: &str) {
    let deadline: jiff::civil::DateTime = deadline.parse().unwrap();
    let deadline = deadline.to_zoned(calendar.zone().clone()).unwrap();
    let told = calendar.ahead(deadline.timestamp(), term).unwrap();
    let local = told.to_zoned(calendar.zone().clone()).datetime();
    assert_eq!(local.to_string(), at);
}

#[test]
fn people_are_told_in_the_morning_of_a_working_day() {
    let qld = Calendar::new("AU-QLD", "Australia/Brisbane", Some(QLD)).unwrap();
    let days = Term::BusinessDays;
    told(
        &qld,
        "2026-08-06T23:59:59.999",
        days(1),
        "2026-08-05T09:00:00",
    );
    // Over a weekend and over Easter.
    told(
        &qld,
        "2026-08-10T23:59:59.999",
        days(1),
        "2026-08-07T09:00:00",
    );
    told(
        &qld,
        "2026-04-07T23:59:59.999",
        days(1),
        "2026-04-02T09:00:00",
    );
    told(&qld, "2026-04-05T12:00:00", days(0), "2026-04-02T09:00:00");
    // Hours count back through opening hours only.
    let hours = Term::BusinessHours;
    told(&qld, "2026-08-06T11:00:00", hours(1), "2026-08-06T10:00:00");
    told(&qld, "2026-08-06T11:00:00", hours(4), "2026-08-05T15:00:00");
    told(
        &qld,
        "2026-08-10T23:59:59.999",
        hours(9),
        "2026-08-07T16:00:00",
    );
    told(&qld, "2026-08-06T11:00:00", hours(2), "2026-08-06T09:00:00");
    told(
        &qld,
        "2026-08-06T11:00:00",
        Term::ExactMs(60_000),
        "2026-08-06T10:59:00",
    );
    // Never after the deadline itself.
    told(&qld, "2026-08-06T08:00:00", days(0), "2026-08-06T08:00:00");
    assert!(qld.ahead(Timestamp::MIN, days(1)).is_err());
    assert!(
        qld.ahead(Timestamp::UNIX_EPOCH, days(TERM_MAX + 1))
            .is_err()
    );
}

#[test]
fn a_pause_moves_a_deadline_by_what_the_deadline_counts() {
    let qld = Calendar::new("AU-QLD", "Australia/Brisbane", Some(QLD)).unwrap();
    let at = |text: &str| {
        let local: jiff::civil::DateTime = text.parse().unwrap();
        local.to_zoned(qld.zone().clone()).unwrap().timestamp()
    };
    let moved = |from: &str, to: &str, pace| {
        let due = at("2026-08-06T23:59:59.999");
        let due = qld.later(due, (at(from), at(to)), pace).unwrap();
        due.to_zoned(qld.zone().clone()).datetime().to_string()
    };
    // From Tuesday to Friday are three days of work: Thursday becomes Tuesday.
    let (tuesday, friday) = ("2026-08-04T15:00", "2026-08-07T10:00");
    let end = "T23:59:59.999";
    let days = Pace::BusinessDays;
    assert_eq!(moved(tuesday, friday, days), format!("2026-08-11{end}"));
    // A weekend is no working time, and neither is an hour of the same day.
    let weekend = ("2026-08-07T18:00", "2026-08-09T12:00");
    assert_eq!(
        moved(weekend.0, weekend.1, days),
        format!("2026-08-06{end}")
    );
    assert_eq!(
        moved(tuesday, "2026-08-04T16:00", days),
        format!("2026-08-06{end}")
    );
    let calendar_days = Pace::CalendarDays;
    assert_eq!(
        moved(tuesday, friday, calendar_days),
        format!("2026-08-09{end}")
    );
    let hour = moved(tuesday, "2026-08-04T16:00", Pace::Exact);
    assert_eq!(hour, "2026-08-07T00:59:59.999");
    // Two hours of Tuesday, eight of Wednesday and Thursday each, one of Friday.
    let hours = qld.later(
        at("2026-08-06T11:00"),
        (at(tuesday), at(friday)),
        Pace::BusinessHours,
    );
    assert_eq!(hours.unwrap(), at("2026-08-10T14:00"));
    // Days stay local days when the clocks change.
    let chicago = Calendar::new("US", "America/Chicago", Some(US)).unwrap();
    let at = |text: &str| {
        let local: jiff::civil::DateTime = text.parse().unwrap();
        local.to_zoned(chicago.zone().clone()).unwrap().timestamp()
    };
    for (from, to, due, wanted) in [
        (
            "2026-03-07T12:00",
            "2026-03-09T12:00",
            "2026-03-08",
            "2026-03-10",
        ),
        (
            "2026-10-31T12:00",
            "2026-11-02T12:00",
            "2026-11-01",
            "2026-11-03",
        ),
    ] {
        let due = at(&format!("{due}{end}"));
        let moved = chicago.later(due, (at(from), at(to)), Pace::CalendarDays);
        assert_eq!(moved.unwrap(), at(&format!("{wanted}{end}")));
    }
}

#[test]
fn days_before_a_deadline_are_local_days_when_the_clocks_change() {
    let chicago = Calendar::new("US", "America/Chicago", Some(US)).unwrap();
    // The clocks go forward on Sunday 8 March and back on Sunday 1 November 2026.
    for (deadline, at) in [
        ("2026-03-08T23:59:59.999", "2026-03-07T09:00:00"),
        ("2026-03-09T23:59:59.999", "2026-03-08T09:00:00"),
        ("2026-11-01T23:59:59.999", "2026-10-31T09:00:00"),
        ("2026-11-02T23:59:59.999", "2026-11-01T09:00:00"),
    ] {
        told(&chicago, deadline, Term::CalendarDays(1), at);
    }
    told(
        &chicago,
        "2026-11-02T23:59:59.999",
        Term::BusinessDays(1),
        "2026-10-30T09:00:00",
    );
}

#[test]
fn what_cannot_be_a_calendar_is_refused_with_a_sentence() {
    let message = Calendar::new("x", "Mars/Olympus", None).unwrap_err();
    assert!(message.contains("no time zone `Mars/Olympus`"), "{message}");
    let repeating = QLD.replace("UID:1", "UID:1\r\nRRULE:FREQ=YEARLY");
    let message = Calendar::new("x", "Australia/Brisbane", Some(&repeating)).unwrap_err();
    assert!(message.contains("`Good Friday` repeats"), "{message}");
    let timed = QLD.replace(";VALUE=DATE:20260403", ":20260403T000000Z");
    let message = Calendar::new("x", "Australia/Brisbane", Some(&timed)).unwrap_err();
    assert!(message.contains("whole day"), "{message}");
    let qld = Calendar::new("AU-QLD", "Australia/Brisbane", None).unwrap();
    let now = Timestamp::from_second(0).unwrap();
    assert!(qld.due(now, Term::BusinessDays(TERM_MAX)).is_ok());
    assert!(qld.due(now, Term::BusinessDays(TERM_MAX + 1)).is_err());
    assert!(qld.due(now, Term::ExactMs(u64::MAX)).is_err());
}

mod hours;
mod vectors;
mod versions;
