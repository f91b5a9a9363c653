//! Acting for somebody: who may, for how long, and that it counts as done by both.

use jiff::tz::TimeZone;
use serde_json::json;

use super::super::tests::{calendar, claim, item, now};
use super::super::{Alarm, Away, Clock, Completed, Completion, Decision, Escalation, Rings, Terms};
use super::*;
use crate::absence::{Absences, Asked};
use crate::policy::Row;
use crate::principal::tests::staff;
use crate::{Money, Policy};

fn second(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn leader(id: &str) -> Principal {
    staff(id, &["team-leader"])
}

/// Lee is away on the first day there is; Sam stands in.
fn absence() -> Absence {
    let (lee, sam) = (leader("lee"), leader("sam"));
    let asked = Asked {
        id: "a-1",
        who: &lee,
        arranges: false,
        person: &lee,
        substitute: &sam,
        from: jiff::civil::Date::constant(1970, 1, 1),
        to: jiff::civil::Date::constant(1970, 1, 1),
        at: second(0),
        zone: &TimeZone::UTC,
    };
    Absences::default().asked(&asked).unwrap()
}

fn taken() -> WorkItem {
    claim(&item(), &leader("lee")).unwrap()
}

fn hand(item: &WorkItem, from: &Principal, to: &Principal) -> Result<WorkItem, Code> {
    let handed = item.hand_over(from, to, second(5_000), "a course", now());
    handed.map_err(|refusal| refusal.code)
}

/// What somebody who acts for another decides.
fn decide(
    item: &WorkItem,
    who: &Principal,
    stead: &Principal,
    absence: Option<&Absence>,
    at: Timestamp,
) -> Result<WorkItem, Code> {
    let row = |role: &str, minor| Row::new(role, Money::new(minor, "AUD"));
    let rows = vec![row("team-leader", 200_000), row("director", 900_000)];
    let policy = Policy::new("brokerage-limits", rows);
    let actor = item.actor(who, Some(stead), absence, at);
    let by = Completion {
        at,
        outcome: "approve",
        data: &json!({}),
        comment: None,
        revision: None,
        form_errors: &[],
        policy: Some(&policy),
        on: jiff::civil::Date::constant(2026, 11, 26),
        before: &[],
        shown: None,
    };
    let completed = actor.and_then(|actor| item.complete(actor, &by));
    match completed.map_err(|refusal| refusal.code)? {
        Completed::More(item) | Completed::Done(item) => Ok(item),
    }
}

#[test]
fn whoever_has_it_hands_it_over_and_both_have_done_it() {
    let (lee, sam) = (leader("lee"), leader("sam"));
    let handed = hand(&taken(), &lee, &sam).unwrap();
    assert_eq!(handed.acting(&sam).unwrap().person, "lee");
    assert_eq!(handed.moves[0].reason, "a course");
    let edited = handed
        .edit(handed.actor(&sam, Some(&lee), None, now()).unwrap())
        .unwrap();
    assert!(edited.editors.contains("lee") && edited.editors.contains("sam"));
    let done = decide(&handed, &sam, &lee, None, now()).unwrap();
    let people: Vec<_> = done.decisions[0].people().collect();
    assert_eq!(people, ["sam", "lee"]);
}

#[test]
fn nobody_decides_for_another_in_their_own_name() {
    let (lee, sam) = (leader("lee"), leader("sam"));
    let handed = hand(&taken(), &lee, &sam).unwrap();
    let refused = handed.edit(&sam).unwrap_err();
    assert_eq!(refused.code, Code::ActingOver);
    let kim = leader("kim");
    let refused = handed.actor(&sam, Some(&kim), None, now());
    assert_eq!(refused.unwrap_err().code, Code::ActingOver);
}

#[test]
fn only_a_colleague_who_may_gets_it_and_nobody_hands_it_on() {
    let (lee, sam, kim) = (leader("lee"), leader("sam"), leader("kim"));
    let open = taken();
    assert_eq!(hand(&item(), &lee, &sam), Err(Code::NotClaimed));
    assert_eq!(hand(&open, &sam, &kim), Err(Code::AlreadyClaimed));
    assert_eq!(hand(&open, &lee, &lee), Err(Code::HandoverInvalid));
    let asked = leader("casey");
    assert_eq!(
        hand(&open, &lee, &asked),
        Err(Code::NotDelegable),
        "asked for it"
    );
    let worker = staff("kim", &["case-worker"]);
    assert_eq!(
        hand(&open, &lee, &worker),
        Err(Code::NotDelegable),
        "no role"
    );
    let stranger = Principal {
        agency: "other".to_owned(),
        ..leader("sam")
    };
    assert_eq!(hand(&open, &lee, &stranger), Err(Code::NotDelegable));
    let handed = hand(&open, &lee, &sam).unwrap();
    let actor = handed.actor(&sam, Some(&lee), None, now()).unwrap();
    let on = handed.hand_over(actor, &kim, second(5_000), "on", now());
    assert_eq!(on.unwrap_err().code, Code::NotDelegable);
    for (until, reason) in [
        (now(), "why"),
        (second(5_000), " "),
        (second(9_000_000), "why"),
    ] {
        let refused = open
            .hand_over(&lee, &sam, until, reason, now())
            .unwrap_err();
        assert_eq!(refused.code, Code::HandoverInvalid, "{until} {reason}");
    }
}

#[test]
fn a_task_that_is_no_approval_needs_no_role_of_the_colleague() {
    let open = WorkItem {
        approval: false,
        ..taken()
    };
    let (lee, worker) = (leader("lee"), staff("kim", &["case-worker"]));
    assert!(hand(&open, &lee, &worker).is_ok());
}

#[test]
fn what_is_somebodys_own_stays_with_them() {
    let own = Terms {
        non_delegable: true,
        ..Terms::default()
    };
    let duties = [
        WorkItem {
            terms: own,
            ..taken()
        },
        WorkItem {
            clock: Clock::Wall,
            ..taken()
        },
    ];
    for duty in duties {
        let (lee, sam) = (leader("lee"), leader("sam"));
        assert_eq!(hand(&duty, &lee, &sam), Err(Code::NotDelegable));
        let taken = duty.claim_for(&sam, &lee, &absence(), now());
        assert_eq!(taken.unwrap_err().code, Code::NotDelegable);
    }
}

#[test]
fn whoever_stands_in_takes_what_is_theirs_and_nothing_else() {
    let (lee, sam, kim) = (leader("lee"), leader("sam"), leader("kim"));
    let for_lee = |item: &WorkItem, who: &Principal, at| {
        let taken = item.claim_for(who, &lee, &absence(), at);
        taken.map_err(|refusal| refusal.code)
    };
    let mine = for_lee(&taken(), &sam, now()).unwrap();
    assert_eq!(mine.acting(&sam).unwrap().claimed_at, Some(now()));
    assert_eq!(for_lee(&mine, &sam, second(2_000)), Ok(mine.clone()));
    let named = WorkItem {
        assigned: Assigned::Person("lee".to_owned()),
        ..item()
    };
    let mine = for_lee(&named, &sam, now()).unwrap();
    assert_eq!(mine.acting(&sam).unwrap().claimed_at, None);
    assert_eq!(
        for_lee(&item(), &sam, now()),
        Err(Code::NotAssigned),
        "of a role"
    );
    let other = claim(&item(), &kim).unwrap();
    assert_eq!(for_lee(&other, &sam, now()), Err(Code::AlreadyClaimed));
    assert_eq!(
        for_lee(&taken(), &kim, now()),
        Err(Code::ActingOver),
        "not her days"
    );
    assert_eq!(
        for_lee(&taken(), &sam, second(86_400)),
        Err(Code::ActingOver)
    );
    // What Lee has for somebody else is not passed on.
    let handed = hand(&claim(&item(), &kim).unwrap(), &kim, &lee).unwrap();
    assert_eq!(for_lee(&handed, &sam, now()), Err(Code::AlreadyClaimed));
}

#[test]
fn whoever_stands_in_finishes_nothing_once_the_days_are_over() {
    let (lee, sam) = (leader("lee"), leader("sam"));
    let mine = taken().claim_for(&sam, &lee, &absence(), now()).unwrap();
    let days = absence();
    let over = second(86_400);
    assert_eq!(
        decide(&mine, &sam, &lee, Some(&days), over),
        Err(Code::ActingOver)
    );
    let back = days.ended(&lee, false, second(1_500)).unwrap();
    let at = second(1_600);
    assert_eq!(
        decide(&mine, &sam, &lee, Some(&back), at),
        Err(Code::ActingOver)
    );
    assert_eq!(decide(&mine, &sam, &lee, None, at), Err(Code::ActingOver));
    assert!(decide(&mine, &sam, &lee, Some(&days), at).is_ok());
    // To give it back is always right; then it is Lee's again.
    let released = mine.release(&sam, over).unwrap();
    assert_eq!(released.claimed_by, taken().claimed_by);
}

#[test]
fn whom_somebody_acts_for_takes_it_back_at_any_time() {
    let (lee, sam, kim) = (leader("lee"), leader("sam"), leader("kim"));
    let handed = hand(&taken(), &lee, &sam).unwrap();
    assert!(handed.claimable(&lee) && !handed.claimable(&kim));
    let back = handed.claim(&lee, second(1_100)).unwrap();
    assert_eq!(back.claimed_by.unwrap().acting, None);
}

#[test]
fn the_exclusion_of_either_excludes() {
    let (lee, sam) = (leader("lee"), leader("sam"));
    for excluded in ["lee", "sam"] {
        let mut handed = hand(&taken(), &lee, &sam).unwrap();
        let reason = "you worked on it".to_owned();
        handed.excluded.insert(excluded.to_owned(), reason);
        let refused = decide(&handed, &sam, &lee, None, now());
        assert_eq!(refused, Err(Code::SelfApproval), "{excluded}");
    }
}

#[test]
fn both_must_be_within_the_limit() {
    let director = |id: &str| staff(id, &["team-leader", "director"]);
    let (lee, sam) = (leader("lee"), leader("sam"));
    let mut dear = taken();
    dear.limit.as_mut().unwrap().money.minor = 500_000;
    let handed = hand(&dear, &lee, &sam).unwrap();
    let refused = |who: &Principal, stead: &Principal| decide(&handed, who, stead, None, now());
    assert_eq!(refused(&sam, &lee), Err(Code::OverLimit));
    assert_eq!(refused(&director("sam"), &lee), Err(Code::OverLimit));
    assert_eq!(refused(&sam, &director("lee")), Err(Code::OverLimit));
    assert!(refused(&director("sam"), &director("lee")).is_ok());
}

#[test]
fn one_of_two_approvals_is_not_given_again_by_the_other() {
    let (lee, sam, kim) = (leader("lee"), leader("sam"), leader("kim"));
    let two = WorkItem {
        approvals_needed: 2,
        ..taken()
    };
    let half = decide(&hand(&two, &lee, &sam).unwrap(), &sam, &lee, None, now()).unwrap();
    assert_eq!(half.state, State::Offered);
    assert_eq!(claim(&half, &lee), Err(Code::AlreadyDecided));
    assert_eq!(claim(&half, &sam), Err(Code::AlreadyDecided));
    let kims = claim(&half, &kim).unwrap();
    assert_eq!(hand(&kims, &kim, &lee), Err(Code::NotDelegable));
    assert_eq!(hand(&kims, &kim, &sam), Err(Code::NotDelegable));
    assert!(hand(&kims, &kim, &leader("ola")).is_ok());
}

#[test]
fn a_person_named_for_an_approval_is_stood_in_for_by_their_equal() {
    let named = WorkItem {
        assigned: Assigned::Person("lee".to_owned()),
        limit: None,
        ..item()
    };
    let lee = staff("lee", &["team-leader", "team:north"]);
    let worker = staff("sam", &["case-worker"]);
    let refused = named.claim_for(&worker, &lee, &absence(), now());
    assert_eq!(refused.unwrap_err().code, Code::NotAssigned);
    assert!(
        named
            .claim_for(&leader("sam"), &lee, &absence(), now())
            .is_ok()
    );
}

#[test]
fn it_comes_back_by_itself() {
    let (lee, sam) = (leader("lee"), leader("sam"));
    let handed = hand(&taken(), &lee, &sam).unwrap();
    assert_eq!(handed.next_alarm(), Some(second(5_000)));
    assert_eq!(handed.ring(second(4_999), &calendar(), None), None);
    let (back, rang) = handed.ring(second(5_000), &calendar(), None).unwrap();
    assert_eq!(
        (&back.claimed_by, rang),
        (&taken().claimed_by, vec![Rings::Return])
    );
    let named = WorkItem {
        assigned: Assigned::Person("lee".to_owned()),
        clock: Clock::StopsOnHold,
        due: Some(second(50_000)),
        ..item()
    };
    let mine = named.claim_for(&sam, &lee, &absence(), now()).unwrap();
    let days = absence();
    let actor = mine.actor(&sam, Some(&lee), Some(&days), now()).unwrap();
    let held = mine.hold(actor, now(), None, "away", &calendar()).unwrap();
    let (back, _) = held.ring(second(86_400), &calendar(), None).unwrap();
    assert_eq!((back.state, back.claimed_by), (State::Offered, None));
    assert_eq!(
        back.due,
        Some(second(50_000 + 86_400 - 1_000)),
        "time on hold"
    );
}

fn away(able: bool) -> Away {
    Away {
        substitute: "sam".to_owned(),
        able,
    }
}

fn told(item: &WorkItem) -> Vec<Assigned> {
    let told = item.told.iter();
    told.map(|Escalation { to, .. }| to.clone()).collect()
}

#[test]
fn a_duty_of_somebody_away_is_pointed_out_and_stays_theirs() {
    let leaders = Assigned::Role("team-leader".to_owned());
    let duty = WorkItem {
        terms: Terms {
            non_delegable: true,
            ..Terms::default()
        },
        approval: false,
        assigned: Assigned::Person("lee".to_owned()),
        alarms: vec![
            Alarm {
                at: second(2_000),
                rings: Rings::Remind,
                by: None,
            },
            Alarm {
                at: second(3_000),
                rings: Rings::Escalate(leaders.clone()),
                by: None,
            },
        ],
        ..item()
    };
    let sam = Assigned::Person("sam".to_owned());
    let (reminded, rang) = duty
        .ring(second(2_000), &calendar(), Some(&away(false)))
        .unwrap();
    assert_eq!(rang, [Rings::Remind, Rings::Tell(sam.clone())]);
    let (late, rang) = reminded
        .ring(second(3_000), &calendar(), Some(&away(false)))
        .unwrap();
    assert_eq!(rang, [Rings::Tell(leaders.clone())]);
    assert_eq!(told(&late), [sam, leaders]);
    assert!(late.escalations.is_empty());
    assert_eq!(claim(&late, &leader("sam")), Err(Code::NotAssigned));
    assert!(claim(&late, &leader("lee")).is_ok());
}

#[test]
fn what_is_late_goes_to_whoever_stands_in_or_is_escalated_at_once() {
    let leaders = Assigned::Role("team-leader".to_owned());
    let late = WorkItem {
        assigned: Assigned::Person("lee".to_owned()),
        alarms: vec![
            Alarm {
                at: second(2_000),
                rings: Rings::Overdue,
                by: None,
            },
            Alarm {
                at: second(9_000),
                rings: Rings::Escalate(leaders.clone()),
                by: None,
            },
        ],
        ..item()
    };
    let rung = |away: Option<&Away>| late.ring(second(2_000), &calendar(), away).unwrap();
    let (there, rang) = rung(None);
    assert_eq!((rang, told(&there)), (vec![Rings::Overdue], Vec::new()));
    let (stood_in, rang) = rung(Some(&away(true)));
    let sam = Assigned::Person("sam".to_owned());
    assert_eq!(rang, [Rings::Overdue, Rings::Tell(sam.clone())]);
    assert_eq!(
        (told(&stood_in), stood_in.escalations.len()),
        (vec![sam], 0)
    );
    let (escalated, rang) = rung(Some(&away(false)));
    assert_eq!(rang, [Rings::Overdue, Rings::Escalate(leaders)]);
    assert!(escalated.alarms.is_empty());
    assert!(claim(&escalated, &leader("kim")).is_ok());
}

#[test]
fn a_decision_of_before_has_nobody_acting() {
    let written = json!({
        "person": "lee", "display_name": "Lee", "role": "team-leader",
        "at": "2026-08-03T01:00:00Z", "outcome": "approve", "data": null, "comment": null,
    });
    let read: Decision = serde_json::from_value(written).unwrap();
    assert_eq!(read.people().collect::<Vec<_>>(), ["lee"]);
}
