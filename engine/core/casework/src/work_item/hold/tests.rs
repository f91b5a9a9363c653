//! Who may let work wait, and what becomes of its deadline.

use super::super::tests::{calendar, claim, item, now, timed};
use super::super::{Alarm, Rings, Terms};
use super::*;
use crate::calendar::Term;
use crate::principal::tests::staff;

fn second(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// Lee has it; it is due at 5,000 s.
fn taken(clock: Clock) -> WorkItem {
    let due = WorkItem {
        clock,
        due: Some(second(5_000)),
        ..timed()
    };
    claim(&due, &staff("lee", &["team-leader"])).unwrap()
}

fn held(clock: Clock, until: Option<Timestamp>) -> WorkItem {
    let lee = staff("lee", &["team-leader"]);
    taken(clock)
        .hold(
            &lee,
            second(1_500),
            until,
            " waits for the family ",
            &calendar(),
        )
        .unwrap()
}

#[track_caller]
fn refused(result: Result<WorkItem, Refusal>, code: Code) {
    assert_eq!(result.map_err(|refusal| refusal.code), Err(code));
}

#[test]
fn only_whoever_has_it_lets_it_wait_and_says_why() {
    let (lee, sam) = (
        staff("lee", &["team-leader"]),
        staff("sam", &["team-leader"]),
    );
    let open = taken(Clock::Runs);
    let at = second(1_500);
    refused(
        item().hold(&lee, at, None, "why", &calendar()),
        Code::NotClaimed,
    );
    refused(
        open.hold(&sam, at, None, "why", &calendar()),
        Code::AlreadyClaimed,
    );
    refused(
        open.hold(&lee, at, None, " ", &calendar()),
        Code::HoldInvalid,
    );
    let long = "x".repeat(REASON_BYTES_MAX + 1);
    refused(
        open.hold(&lee, at, None, &long, &calendar()),
        Code::HoldInvalid,
    );
    refused(
        open.hold(&lee, at, Some(at), "why", &calendar()),
        Code::HoldInvalid,
    );
    refused(open.resume(&lee, at, &calendar()), Code::NotOnHold);
    let held = held(Clock::Runs, None);
    assert_eq!(held.on_hold().unwrap().reason, "waits for the family");
    refused(
        held.hold(&lee, at, None, "again", &calendar()),
        Code::OnHold,
    );
    refused(held.release(&lee, at), Code::OnHold);
    refused(held.resume(&sam, at, &calendar()), Code::AlreadyClaimed);
    let many = WorkItem {
        holds: vec![held.holds[0].clone(); HOLDS_MAX],
        ..open
    };
    refused(
        many.hold(&lee, at, None, "why", &calendar()),
        Code::HoldInvalid,
    );
}

#[test]
fn a_duty_on_the_wall_clock_cannot_wait() {
    let lee = staff("lee", &["team-leader"]);
    let duty = taken(Clock::Wall);
    refused(
        duty.hold(&lee, now(), None, "why", &calendar()),
        Code::NotHoldable,
    );
}

#[test]
fn a_clock_that_stops_gives_the_time_back() {
    let held = held(Clock::StopsOnHold, None);
    assert_eq!(held.next_alarm(), None);
    assert_eq!(held.ring(second(1_000_000), &calendar(), None), None);
    assert!(!held.overdue(second(1_000_000)));
    let lee = staff("lee", &["team-leader"]);
    let back = held.resume(&lee, second(101_500), &calendar()).unwrap();
    assert_eq!(back.state, State::Claimed);
    assert_eq!(back.due, Some(second(105_000)));
    assert_eq!(back.next_alarm(), Some(second(102_000)));
    assert_eq!(back.holds[0].ended_at, Some(second(101_500)));
    assert!(!back.overdue(second(105_000)) && back.overdue(second(105_001)));
}

#[test]
fn a_clock_that_runs_goes_on_without_the_waiting() {
    let held = held(Clock::Runs, None);
    assert_eq!(held.next_alarm(), Some(second(2_000)));
    let (rung, rang) = held.ring(second(2_000), &calendar(), None).unwrap();
    assert_eq!((rung.state, rang), (State::Held, vec![Rings::Remind]));
    assert!(held.overdue(second(5_001)));
    let lee = staff("lee", &["team-leader"]);
    let back = held.resume(&lee, second(101_500), &calendar()).unwrap();
    assert_eq!(back.due, Some(second(5_000)));
}

#[test]
fn what_is_on_hold_is_taken_over_only_while_its_clock_runs() {
    let sam = staff("sam", &["service-manager"]);
    for (clock, taken) in [(Clock::Runs, true), (Clock::StopsOnHold, false)] {
        let escalated = taken_over(clock);
        assert_eq!(escalated.claimable(&sam), taken);
        match escalated.claim(&sam, second(4_000)) {
            Ok(next) => {
                assert!(taken);
                assert_eq!(next.state, State::Claimed);
                assert_eq!(next.holds[0].ended_at, Some(second(4_000)));
            }
            Err(refusal) => assert_eq!((taken, refusal.code), (false, Code::AlreadyClaimed)),
        }
    }
}

/// Escalated to managers, then put on hold by lee.
fn taken_over(clock: Clock) -> WorkItem {
    let (escalated, _) = taken(clock).ring(second(3_000), &calendar(), None).unwrap();
    let lee = staff("lee", &["team-leader"]);
    escalated
        .hold(&lee, second(3_500), None, "why", &calendar())
        .unwrap()
}

#[test]
fn nothing_is_decided_while_it_waits() {
    let lee = staff("lee", &["team-leader"]);
    let completion = crate::work_item::Completion {
        at: second(2_000),
        outcome: "approve",
        data: &serde_json::json!({}),
        comment: None,
        revision: None,
        form_errors: &[],
        policy: None,
        on: jiff::civil::Date::constant(2026, 11, 26),
        before: &[],
        shown: None,
    };
    let refused = held(Clock::Runs, None).complete(&lee, &completion);
    assert_eq!(refused.unwrap_err().code, Code::OnHold);
    let gone = held(Clock::Runs, None).withdraw("timeout", second(2_000));
    assert_eq!(gone.unwrap().holds[0].ended_at, Some(second(2_000)));
}

#[test]
fn it_comes_back_by_itself_to_whoever_had_it() {
    let held = held(Clock::StopsOnHold, Some(second(11_500)));
    assert_eq!(held.next_alarm(), Some(second(11_500)));
    assert_eq!(held.ring(second(11_499), &calendar(), None), None);
    // Late by a day: the hold ended at its moment, and what was due since then came.
    let (back, rang) = held.ring(second(12_600), &calendar(), None).unwrap();
    assert_eq!(rang, [Rings::Resume, Rings::Remind]);
    assert_eq!(back.state, State::Claimed);
    assert_eq!(back.claimed_by, held.claimed_by);
    assert_eq!(back.due, Some(second(15_000)));
    let left: Vec<&Alarm> = back.alarms.iter().collect();
    assert_eq!(left[0].at, second(13_000));
    assert_eq!(back.ring(second(12_600), &calendar(), None), None);
}

/// Lee has it, and it may wait a thousand seconds in all.
fn bounded(clock: Clock) -> WorkItem {
    WorkItem {
        terms: Terms {
            holds_total: Some(Term::ExactMs(1_000_000)),
            ..Terms::default()
        },
        alarms: Vec::new(),
        ..taken(clock)
    }
}

#[test]
fn all_holds_together_are_as_long_as_they_may_be_and_no_longer() {
    let lee = staff("lee", &["team-leader"]);
    let hold = |item: &WorkItem, at, until| item.hold(&lee, at, until, "why", &calendar());
    for clock in [Clock::Runs, Clock::StopsOnHold] {
        let first = hold(&bounded(clock), second(2_000), None).unwrap();
        assert_eq!(first.on_hold().unwrap().until, Some(second(3_000)));
        let back = first.resume(&lee, second(2_400), &calendar()).unwrap();
        // 600 seconds are left, whatever time is between.
        let next = hold(&back, second(4_000), Some(second(4_100))).unwrap();
        assert_eq!(next.on_hold().unwrap().until, Some(second(4_100)));
        let (back, _) = next.ring(second(4_100), &calendar(), None).unwrap();
        let last = hold(&back, second(4_200), Some(second(9_000))).unwrap();
        assert_eq!(
            last.on_hold().unwrap().until,
            Some(second(4_700)),
            "{clock:?}"
        );
        let (back, rang) = last.ring(second(4_700), &calendar(), None).unwrap();
        assert_eq!((back.state, rang), (State::Claimed, vec![Rings::Resume]));
        refused(hold(&back, second(4_800), None), Code::NotHoldable);
    }
}

#[test]
fn holds_in_working_days_do_not_count_what_is_between() {
    let item = WorkItem {
        terms: Terms {
            holds_total: Some(Term::BusinessDays(3)),
            ..Terms::default()
        },
        ..bounded(Clock::Runs)
    };
    let lee = staff("lee", &["team-leader"]);
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    let hold = |item: &WorkItem, text| item.hold(&lee, at(text), None, "why", &calendar());
    // Monday: until Thursday ends.
    let first = hold(&item, "2026-08-03T09:00:00Z").unwrap();
    let until = first.on_hold().unwrap().until.unwrap();
    assert_eq!(until, at("2026-08-06T23:59:59.999Z"));
    // Back on Tuesday; a week later two days are left.
    let back = first.resume(&lee, at("2026-08-04T09:00:00Z"), &calendar());
    let again = hold(&back.unwrap(), "2026-08-11T09:00:00Z").unwrap();
    let until = again.on_hold().unwrap().until.unwrap();
    assert_eq!(until, at("2026-08-13T23:59:59.999Z"));
}
