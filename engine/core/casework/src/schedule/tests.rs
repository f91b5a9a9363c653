//! Times as the wall clock shows them, over changes of clocks, and against looking at every minute.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap()
}

fn wall(expression: &str, zone_name: &str) -> Recurrence {
    Recurrence::wall(&[expression.to_owned()], zone(zone_name)).unwrap()
}

/// The next moments after one, as the wall clock shows them.
fn check(expression: &str, zone_name: &str, after: &str, expected: &[&str]) {
    let recurrence = wall(expression, zone_name);
    let mut after = at(after);
    for expected in expected {
        let next = recurrence.next(after, after).unwrap();
        let shown = next.to_zoned(zone(zone_name));
        assert_eq!(
            shown.strftime("%F %R %Z").to_string(),
            *expected,
            "{expression}"
        );
        after = next;
    }
}

#[test]
fn every_morning_stays_at_its_hour_over_both_changes_of_the_clock() {
    check(
        "0 0 9 * * *",
        "Australia/Sydney",
        "2026-04-03T12:00:00Z",
        &[
            "2026-04-04 09:00 AEDT",
            "2026-04-05 09:00 AEST",
            "2026-04-06 09:00 AEST",
        ],
    );
    check(
        "0 0 9 * * *",
        "Australia/Sydney",
        "2026-10-02T12:00:00Z",
        &[
            "2026-10-03 09:00 AEST",
            "2026-10-04 09:00 AEDT",
            "2026-10-05 09:00 AEDT",
        ],
    );
}

#[test]
fn a_time_that_is_skipped_comes_when_the_clock_jumps_and_once() {
    let times = [
        "2026-10-03 02:30 AEST",
        "2026-10-04 03:00 AEDT",
        "2026-10-05 02:30 AEDT",
    ];
    check(
        "0 30 2 * * *",
        "Australia/Sydney",
        "2026-10-02T12:00:00Z",
        &times,
    );
    check(
        "0 */20 * 4 10 *",
        "Australia/Sydney",
        "2026-10-03T15:30:00Z",
        &[
            "2026-10-04 01:40 AEST",
            "2026-10-04 03:00 AEDT",
            "2026-10-04 03:20 AEDT",
        ],
    );
}

#[test]
fn a_time_that_is_shown_twice_counts_once() {
    check(
        "0 30 2 * * *",
        "Australia/Sydney",
        "2026-04-03T13:00:00Z",
        &[
            "2026-04-04 02:30 AEDT",
            "2026-04-05 02:30 AEDT",
            "2026-04-06 02:30 AEST",
        ],
    );
    // Asked within the second showing.
    check(
        "0 30 2 * * *",
        "Australia/Sydney",
        "2026-04-04T16:10:00Z",
        &["2026-04-06 02:30 AEST"],
    );
    check(
        "0 */20 * * * *",
        "Australia/Sydney",
        "2026-04-04T16:10:00Z",
        &["2026-04-05 03:00 AEST"],
    );
}

#[test]
fn odd_zones_are_no_exception() {
    // Half an hour in autumn: 02:00 comes back to 01:30.
    check(
        "0 45 1 * * *",
        "Australia/Lord_Howe",
        "2026-04-04T00:00:00Z",
        &["2026-04-05 01:45 +11", "2026-04-06 01:45 +1030"],
    );
    // A whole day was left out.
    check(
        "0 0 9 * * *",
        "Pacific/Apia",
        "2011-12-29T12:00:00Z",
        &[
            "2011-12-29 09:00 -10",
            "2011-12-31 00:00 +14",
            "2011-12-31 09:00 +14",
        ],
    );
}

#[test]
fn sunday_is_one_and_a_leap_day_is_found() {
    check(
        "0 0 9 * * 1",
        "Australia/Brisbane",
        "2026-08-03T00:00:00Z",
        &["2026-08-09 09:00 AEST"],
    );
    check(
        "0 0 9 29 2 *",
        "Australia/Brisbane",
        "2026-08-03T00:00:00Z",
        &["2028-02-29 09:00 AEST", "2032-02-29 09:00 AEST"],
    );
}

#[test]
fn equal_times_do_not_drift_and_a_clock_that_is_set_back_repeats_none() {
    let hourly = Recurrence::every(SignedDuration::from_hours(1)).unwrap();
    let anchor = at("2026-04-04T12:00:00.5Z");
    for (after, next) in [
        ("2026-04-04T12:00:00.5Z", "2026-04-04T13:00:00.5Z"),
        ("2026-04-04T13:00:00.499Z", "2026-04-04T13:00:00.5Z"),
        ("2026-04-05T02:40:00Z", "2026-04-05T03:00:00.5Z"),
    ] {
        assert_eq!(hourly.next(anchor, at(after)), Some(at(next)));
    }
    assert!(Recurrence::every(SignedDuration::ZERO).is_none());
    assert_eq!(hourly.next(anchor, Timestamp::MAX), None);
}

/// The same by looking at every minute.
fn by_minutes(
    minutes: &BTreeSet<u8>,
    hours: &BTreeSet<u8>,
    zone: &TimeZone,
    from: Timestamp,
) -> Vec<Timestamp> {
    let mut found = Vec::new();
    let mut shown: BTreeSet<DateTime> = BTreeSet::new();
    let wanted = |time: DateTime| {
        let part = |part: i8| u8::try_from(part).unwrap();
        minutes.contains(&part(time.minute())) && hours.contains(&part(time.hour()))
    };
    let mut before = from.to_zoned(zone.clone()).datetime();
    shown.insert(before);
    for minute in 1..=4 * 24 * 60 {
        let moment = from + SignedDuration::from_mins(minute);
        let time = moment.to_zoned(zone.clone()).datetime();
        // Everything that the clock jumped over, and what it shows for the first time.
        let mut passed = before + SignedDuration::from_mins(1);
        let mut comes = false;
        while passed < time {
            comes |= shown.insert(passed) && wanted(passed);
            passed += SignedDuration::from_mins(1);
        }
        comes |= shown.insert(time) && wanted(time);
        if comes {
            found.push(moment);
        }
        before = time;
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn it_finds_what_looking_at_every_minute_finds(
        minutes in prop::collection::btree_set(0_u8..60, 1..4),
        hours in prop::collection::btree_set(0_u8..24, 1..6),
        zone_name in prop::sample::select(vec![
            "Australia/Sydney", "Australia/Lord_Howe", "America/New_York", "Europe/Dublin",
            "Australia/Brisbane", "Pacific/Apia",
        ]),
        days in 0_i64..365,
    ) {
        let zone = zone(zone_name);
        let from = at("2026-01-01T00:00:00Z") + SignedDuration::from_hours(24 * days);
        let listed = |values: &BTreeSet<u8>| {
            values.iter().map(u8::to_string).collect::<Vec<_>>().join(",")
        };
        let expression = format!("0 {} {} * * *", listed(&minutes), listed(&hours));
        let recurrence = Recurrence::wall(&[expression], zone.clone()).unwrap();
        let end = from + SignedDuration::from_hours(4 * 24);
        let mut found = Vec::new();
        let mut after = from;
        while let Some(next) = recurrence.next(from, after).filter(|next| *next <= end) {
            prop_assert!(next > after);
            found.push(next);
            after = next;
        }
        let expected = by_minutes(&minutes, &hours, &zone, from);
        prop_assert_eq!(found, expected);
    }
}
