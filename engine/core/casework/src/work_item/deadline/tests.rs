//! What a change of a calendar does to an open item. In Brisbane, from Tuesday 4 August 2026 at
//! 11:00: three business days end on Friday the 7th; the new calendar may take days away or add.

use super::super::tests::{claim, item};
use super::super::{Assigned, Rings};
use super::*;
use crate::calendar::Pace;
use crate::principal::tests::staff;

const OFFERED: &str = "2026-08-04T11:00";

fn zone() -> jiff::tz::TimeZone {
    jiff::tz::TimeZone::get("Australia/Brisbane").unwrap()
}

fn at(local: &str) -> Timestamp {
    let local: jiff::civil::DateTime = local.parse().unwrap();
    local.to_zoned(zone()).unwrap().timestamp()
}

fn end(day: &str) -> Timestamp {
    at(&format!("{day}T23:59:59.999"))
}

/// The calendar `qld` with these holidays.
fn qld(holidays: &[&str]) -> Calendar {
    let events: Vec<String> = holidays
        .iter()
        .map(|day| {
            format!(
                "BEGIN:VEVENT\r\nUID:{day}\r\nSUMMARY:Holiday\r\n\
                 DTSTART;VALUE=DATE:{day}\r\nEND:VEVENT\r\n"
            )
        })
        .collect();
    let events = events.concat();
    let text =
        format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:test\r\n{events}END:VCALENDAR\r\n");
    Calendar::new("qld", "Australia/Brisbane", Some(&text)).unwrap()
}

fn offered(calendar: &Calendar, clock: Clock) -> WorkItem {
    let (from, term) = (at(OFFERED), Term::BusinessDays(3));
    let due = calendar.due(from, term).unwrap();
    let alarm = |by: When, rings| Alarm {
        at: by.moment(calendar, from, Some(due)).unwrap(),
        rings,
        by: Some(by),
    };
    let leader = || Rings::Escalate(Assigned::Role("team-leader".to_owned()));
    let days = Term::BusinessDays;
    WorkItem {
        offered_at: from,
        due: Some(due),
        clock,
        pace: Pace::BusinessDays,
        deadline: Some(Deadline {
            since: None,
            term: Some(term),
            calendar: calendar.name.clone(),
            digest: calendar.digest().to_owned(),
            moved: None,
        }),
        alarms: vec![
            alarm(When::Before(days(1)), Rings::Remind),
            alarm(When::Offered(days(2)), leader()),
            alarm(When::Due, leader()),
            alarm(When::After(days(1)), Rings::Remind),
        ],
        ..item()
    }
}

fn alarms(item: &WorkItem) -> Vec<Timestamp> {
    moments(&item.alarms)
}

#[test]
fn due_and_alarms_follow_their_calendar_once() {
    let item = offered(&qld(&[]), Clock::Runs);
    assert_eq!(item.due, Some(end("2026-08-07")));
    let show = qld(&["20260806"]);
    let moved = item.recomputed(&show, at("2026-08-05T10:00")).unwrap();
    assert_eq!(moved.due, Some(end("2026-08-10")));
    assert_eq!(
        alarms(&moved),
        [
            at("2026-08-07T09:00"),
            end("2026-08-07"),
            end("2026-08-10"),
            end("2026-08-11")
        ]
    );
    let deadline = moved.deadline.as_ref().unwrap();
    assert_eq!(deadline.digest, show.digest());
    let shift = deadline.moved.as_ref().unwrap();
    assert_eq!(shift.from, Some(end("2026-08-07")));
    assert!(!shift.at_once);
    assert_eq!(moved.revision, item.revision, "nothing else to decide");
    assert_eq!(moved.recomputed(&show, at("2026-08-05T11:00")), None);
    // And back, when the holiday is taken back.
    let back = moved.recomputed(&qld(&[]), at("2026-08-05T12:00")).unwrap();
    assert_eq!(back.due, item.due);
    assert_eq!(alarms(&back), alarms(&item));
}

#[test]
fn what_would_lie_in_the_past_is_due_at_once_and_says_so() {
    let item = offered(&qld(&["20260805", "20260806"]), Clock::Runs);
    assert_eq!(item.due, Some(end("2026-08-11")));
    let now = at("2026-08-10T10:00");
    let late = WorkItem {
        alarms: item
            .alarms
            .iter()
            .filter(|alarm| alarm.at > now)
            .cloned()
            .collect(),
        ..item.clone()
    };
    let moved = late.recomputed(&qld(&[]), now).unwrap();
    assert_eq!(moved.due, Some(now));
    assert!(
        moved
            .deadline
            .as_ref()
            .unwrap()
            .moved
            .as_ref()
            .unwrap()
            .at_once
    );
    assert!(moved.overdue(now + jiff::SignedDuration::from_millis(1)));
    // The escalation at `due` comes at once, the reminder a day after counts from there.
    assert_eq!(alarms(&moved), [now, now, end("2026-08-11")]);
    // What had passed by both stays when it was.
    let after = at("2026-08-20T10:00");
    let passed = late.recomputed(&qld(&[]), after).unwrap();
    assert_eq!(passed.due, late.due);
    assert!(passed.deadline.unwrap().moved.is_none());
}

#[test]
fn time_on_hold_stays_out_of_the_new_moment() {
    let old = qld(&[]);
    let lee = staff("lee", &["team-leader"]);
    let item = claim(&offered(&old, Clock::StopsOnHold), &lee).unwrap();
    let held = item
        .hold(&lee, at("2026-08-04T12:00"), None, "away", &old)
        .unwrap();
    let back = held.resume(&lee, at("2026-08-06T12:00"), &old).unwrap();
    assert_eq!(back.due, Some(end("2026-08-11")), "two working days later");
    let new = qld(&["20260810"]);
    let moved = back.recomputed(&new, at("2026-08-06T13:00")).unwrap();
    assert_eq!(moved.due, Some(end("2026-08-12")));
    // A hold that is on is counted when it ends, by the new calendar.
    let moved = held.recomputed(&new, at("2026-08-06T11:00")).unwrap();
    assert_eq!(moved.due, Some(end("2026-08-07")));
    let back = moved.resume(&lee, at("2026-08-06T12:00"), &new).unwrap();
    assert_eq!(back.due, Some(end("2026-08-12")));
}

#[test]
fn a_duty_on_the_wall_clock_and_what_is_over_never_move() {
    let (old, new) = (qld(&[]), qld(&["20260806"]));
    let now = at("2026-08-05T10:00");
    assert_eq!(offered(&old, Clock::Wall).recomputed(&new, now), None);
    let open = offered(&old, Clock::Runs);
    let closed = open.withdraw("no longer needed", now).unwrap();
    assert_eq!(closed.recomputed(&new, now), None);
    let earlier = WorkItem {
        deadline: None,
        ..open.clone()
    };
    assert_eq!(earlier.recomputed(&new, now), None);
    let mut other = new;
    other.name = "vic".to_owned();
    assert_eq!(open.recomputed(&other, now), None);
}

#[test]
fn an_item_without_a_rule_reads_and_one_with_it_reads_the_same() {
    let item = offered(&qld(&[]), Clock::Runs);
    let written = serde_json::to_value(&item).unwrap();
    assert_eq!(written["deadline"]["term"]["business-days"], 3);
    assert_eq!(written["alarms"][0]["by"]["before"]["business-days"], 1);
    let read: WorkItem = serde_json::from_value(written.clone()).unwrap();
    assert_eq!(read, item);
    let mut old = written;
    old.as_object_mut().unwrap().remove("deadline");
    for alarm in old["alarms"].as_array_mut().unwrap() {
        alarm.as_object_mut().unwrap().remove("by");
    }
    let read: WorkItem = serde_json::from_value(old).unwrap();
    assert_eq!((read.due, read.deadline), (item.due, None));
}
