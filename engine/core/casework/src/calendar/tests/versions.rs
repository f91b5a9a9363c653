//! Calendars whose hours, cut-off or working week change on a day, and calendars that count
//! together.

use proptest::prelude::*;

use super::*;

fn hours(opens: i8, closes: i8, cut_off: Option<i8>) -> Hours {
    let time = |hour| Time::constant(hour, 0, 0, 0);
    Hours {
        opens: time(opens),
        closes: time(closes),
        cut_off: cut_off.map(time),
    }
}

fn plain(zone: &str) -> Calendar {
    Calendar::new("desk", zone, None).unwrap()
}

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

/// A Friday before a change of the clocks, and the Monday after it.
const WEEKENDS: [(&str, &str, &str); 10] = [
    ("Australia/Brisbane", "2026-04-03", "2026-04-06"),
    ("Australia/Brisbane", "2026-10-02", "2026-10-05"),
    ("Australia/Sydney", "2026-04-03", "2026-04-06"),
    ("Australia/Sydney", "2026-10-02", "2026-10-05"),
    ("Australia/Lord_Howe", "2026-04-03", "2026-04-06"),
    ("Australia/Lord_Howe", "2026-10-02", "2026-10-05"),
    ("America/Chicago", "2026-03-06", "2026-03-09"),
    ("America/Chicago", "2026-10-30", "2026-11-02"),
    ("Europe/Dublin", "2026-03-27", "2026-03-30"),
    ("Europe/Dublin", "2026-10-23", "2026-10-26"),
];

#[test]
fn each_day_is_counted_by_what_is_in_force_on_it_in_five_zones() {
    for (zone, friday, monday) in WEEKENDS {
        let before = plain(zone).with_hours(hours(9, 17, Some(15))).unwrap();
        let after = plain(zone).with_hours(hours(8, 12, None)).unwrap();
        let desk = before.followed_by(day(monday), after).unwrap();
        let days = Term::BusinessDays;
        let tuesday = day(monday).tomorrow().unwrap().to_string();
        // The cut-off is Friday's, not Monday's.
        check(&desk, &format!("{friday}T14:00"), days(1), monday);
        check(&desk, &format!("{friday}T16:00"), days(1), &tuesday);
        check(&desk, &format!("{monday}T16:00"), days(1), &tuesday);
        // Saturday is as late as Friday evening was.
        let saturday = day(friday).tomorrow().unwrap();
        check(&desk, &format!("{saturday}T10:00"), days(1), &tuesday);
        // Two hours of Friday, four of Monday, and one of Tuesday.
        let local = |text: &str| {
            let local: jiff::civil::DateTime = text.parse().unwrap();
            local.to_zoned(desk.zone().clone()).unwrap().timestamp()
        };
        let from = local(&format!("{friday}T15:00"));
        let due = desk.due(from, Term::BusinessHours(7)).unwrap();
        assert_eq!(due, local(&format!("{tuesday}T09:00")), "{zone} {friday}");
        // And back: people are told when work begins on that day.
        let end = format!("{tuesday}T23:59:59.999");
        told(&desk, &end, days(1), &format!("{monday}T08:00:00"));
        told(&desk, &end, days(2), &format!("{friday}T09:00:00"));
        // A pause from Friday noon to Monday noon: five hours and four.
        let pause = (
            local(&format!("{friday}T12:00")),
            local(&format!("{monday}T12:00")),
        );
        let moved = desk.later(
            local(&format!("{tuesday}T08:00")),
            pause,
            Pace::BusinessHours,
        );
        let third = day(&tuesday)
            .checked_add(jiff::Span::new().days(2))
            .unwrap();
        assert_eq!(moved.unwrap(), local(&format!("{third}T09:00")), "{zone}");
    }
}

#[test]
fn a_working_week_may_change_as_well() {
    use Weekday::{Friday, Monday, Saturday, Thursday, Tuesday, Wednesday};
    let six = plain("Australia/Sydney")
        .with_week(&[Monday, Tuesday, Wednesday, Thursday, Friday, Saturday]);
    let four = plain("Australia/Sydney").with_week(&[Monday, Tuesday, Wednesday, Thursday]);
    let desk = six.followed_by(day("2026-10-05"), four).unwrap();
    let days = Term::BusinessDays;
    // Friday to Saturday; over the change of the clocks to Monday; from Thursday to Monday.
    check(&desk, "2026-10-02T10:00", days(1), "2026-10-03");
    check(&desk, "2026-10-02T10:00", days(2), "2026-10-05");
    check(&desk, "2026-10-08T10:00", days(1), "2026-10-12");
}

#[test]
fn holidays_are_those_in_force_on_their_day() {
    let old = Calendar::new("x", "Australia/Brisbane", Some(QLD)).unwrap();
    let new = Calendar::new("x", "Australia/Brisbane", None).unwrap();
    let both = old.clone().followed_by(day("2026-10-05"), new.clone());
    let both = both.unwrap();
    check(
        &both,
        "2026-04-02T10:00",
        Term::BusinessDays(2),
        "2026-04-08",
    );
    check(
        &both,
        "2026-10-02T10:00",
        Term::BusinessDays(1),
        "2026-10-05",
    );
    assert_eq!(both.holiday(day("2026-04-03")), Some("Good Friday"));
    assert_eq!(both.holiday(day("2026-10-05")), None);
    let twice = both.followed_by(day("2026-10-05"), new).unwrap_err();
    assert!(twice.contains("in force later"), "{twice}");
}

#[test]
fn a_digest_tells_what_counts_and_nothing_else() {
    let qld = |text: &str| Calendar::new("a", "Australia/Brisbane", Some(text)).unwrap();
    let one = qld(QLD);
    assert_eq!(
        one.digest(),
        qld(&QLD.replace("PRODID:test", "PRODID:x")).digest()
    );
    let renamed = qld(&QLD.replace("Good Friday", "Friday"));
    assert_eq!(
        one.digest(),
        renamed.digest(),
        "the name of a holiday counts nothing"
    );
    let moved = qld(&QLD.replace("20261005", "20261006"));
    let other_zone = Calendar::new("a", "Australia/Sydney", Some(QLD)).unwrap();
    let late = one.clone().with_hours(hours(9, 17, Some(15))).unwrap();
    let week = one.clone().with_week(&[Weekday::Monday]);
    let later = one.clone().followed_by(day("2027-01-01"), moved.clone());
    let both = Calendar::joined("a", Which::Latest, &[one.clone(), moved.clone()]);
    let all = [moved, other_zone, late, week, later.unwrap(), both.unwrap()];
    let digests: std::collections::BTreeSet<_> = all
        .iter()
        .chain([&one])
        .map(|calendar| calendar.digest().to_owned())
        .collect();
    assert_eq!(digests.len(), 7);
    assert!(digests.iter().all(|digest| digest.len() == 32));
}

#[test]
fn of_two_calendars_the_latest_or_the_earliest_counts() {
    let show = QLD.replace("20261005", "20260812");
    let qld = Calendar::new("qld", "Australia/Brisbane", Some(QLD)).unwrap();
    let brisbane = Calendar::new("brisbane", "Australia/Brisbane", Some(&show)).unwrap();
    let of = [qld, brisbane];
    let latest = Calendar::joined("both", Which::Latest, &of).unwrap();
    let earliest = Calendar::joined("both", Which::Earliest, &of).unwrap();
    let days = Term::BusinessDays;
    check(&latest, "2026-08-11T10:00", days(1), "2026-08-13");
    check(&earliest, "2026-08-11T10:00", days(1), "2026-08-12");
    check(&latest, "2026-10-02T10:00", days(1), "2026-10-06");
    check(&earliest, "2026-10-02T10:00", days(1), "2026-10-05");
    for both in [&latest, &earliest] {
        // A day before Thursday is Wednesday by one and Tuesday by the other.
        told(
            both,
            "2026-08-13T23:59:59.999",
            days(1),
            "2026-08-11T09:00:00",
        );
    }
    assert!(Calendar::joined("none", Which::Latest, &[]).is_err());
    assert!(Calendar::joined("again", Which::Latest, &[latest]).is_err());
}

#[test]
fn a_term_reads_as_an_author_writes_it() {
    for (term, text) in [
        (Term::BusinessDays(1), "1 business day"),
        (Term::BusinessDays(3), "3 business days"),
        (Term::BusinessHours(1), "1 business hour"),
        (Term::BusinessHours(4), "4 business hours"),
        (Term::CalendarDays(14), "P14D"),
        (Term::ExactMs(86_400_000), "PT24H"),
        (Term::ExactMs(5_400_250), "PT1H30M0.250S"),
        (Term::ExactMs(61_000), "PT1M1S"),
        (Term::ExactMs(0), "PT0S"),
    ] {
        assert_eq!(term.to_string(), text);
    }
}

proptest! {
    /// Nobody is served sooner for having asked later, also where the cut-off changes meanwhile.
    #[test]
    fn what_is_asked_later_is_never_due_before_over_a_change(
        first in 0..40_000_i64, later in 0..5_000_i64, days in 0..9_u32,
        cuts in (0..3_usize, 0..3_usize),
    ) {
        let zone = "Australia/Sydney";
        let cut = |which: usize| hours(9, 17, [None, Some(10), Some(15)][which]);
        let of = |cut| Calendar::new("x", zone, Some(QLD)).unwrap().with_hours(cut).unwrap();
        let calendar = of(cut(cuts.0)).followed_by(day("2026-04-06"), of(cut(cuts.1))).unwrap();
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
