//! Work that somebody arranges: only with the role, with a reason, and to those who may.

use super::super::tests::{calendar, claim, item, now};
use super::super::{Clock, Terms};
use super::*;
use crate::principal::tests::staff;

fn leader(id: &str) -> Principal {
    staff(id, &["team-leader"])
}

fn by<'a>(who: &'a Principal, reason: &'a str) -> Arranger<'a> {
    Arranger {
        who,
        arranges: true,
        at: now(),
        reason,
    }
}

fn task() -> WorkItem {
    WorkItem {
        approval: false,
        excluded: [("casey".to_owned(), "you did `visit`".to_owned())].into(),
        ..item()
    }
}

fn person(id: &str) -> Assigned {
    Assigned::Person(id.to_owned())
}

fn reassign(item: &WorkItem, by: &Arranger<'_>, to: &Principal) -> Result<WorkItem, Code> {
    let given = item.reassign(by, &person(&to.id), Some(to), &calendar());
    given.map_err(|refusal| refusal.code)
}

fn give(item: &WorkItem, by: &Arranger<'_>, to: &Principal) -> Result<WorkItem, Code> {
    item.give(by, to).map_err(|refusal| refusal.code)
}

#[test]
fn it_needs_a_role_that_arranges_and_a_reason() {
    let (ria, kim) = (staff("ria", &["coordinator"]), leader("kim"));
    let powerless = Arranger {
        arranges: false,
        ..by(&ria, "on leave")
    };
    assert_eq!(reassign(&task(), &powerless, &kim), Err(Code::NotArranging));
    assert_eq!(give(&task(), &powerless, &kim), Err(Code::NotArranging));
    assert_eq!(
        reassign(&task(), &by(&ria, " "), &kim),
        Err(Code::HandoverInvalid)
    );
    let stranger = Principal {
        agency: "other".to_owned(),
        ..ria.clone()
    };
    assert_eq!(
        reassign(&task(), &by(&stranger, "why"), &kim),
        Err(Code::NotFound)
    );
    let gone = task().withdraw("timeout", now()).unwrap();
    assert_eq!(
        reassign(&gone, &by(&ria, "why"), &kim),
        Err(Code::AlreadyDecided)
    );
    let given = reassign(&task(), &by(&ria, " on leave "), &kim).unwrap();
    let moved = &given.moves[0];
    assert_eq!(
        (moved.what, moved.reason.as_str()),
        (What::Reassigned, "on leave")
    );
}

#[test]
fn a_task_goes_to_anybody_who_is_not_excluded() {
    let ria = staff("ria", &[]);
    let by = by(&ria, "on leave");
    let held = claim(&task(), &leader("lee")).unwrap();
    let worker = staff("kim", &["case-worker"]);
    let given = reassign(&held, &by, &worker).unwrap();
    assert_eq!((given.state, &given.claimed_by), (State::Offered, &None));
    assert!(claim(&given, &worker).is_ok());
    assert_eq!(claim(&given, &leader("lee")), Err(Code::NotAssigned));
    assert_eq!(
        reassign(&held, &by, &leader("casey")),
        Err(Code::NotDelegable)
    );
    let team = Assigned::Team("north".to_owned());
    let given = held.reassign(&by, &team, None, &calendar()).unwrap();
    assert_eq!(given.assigned, team);
    let stranger = Principal {
        agency: "other".to_owned(),
        ..worker
    };
    assert_eq!(reassign(&held, &by, &stranger), Err(Code::HandoverInvalid));
}

#[test]
fn an_approval_goes_only_to_who_may_decide_it() {
    let ria = staff("ria", &[]);
    let by_ria = by(&ria, "on leave");
    let open = item();
    for (to, what) in [
        (leader("casey"), "who asked for it"),
        (staff("kim", &["case-worker"]), "who lacks the role"),
        (ria.clone(), "whoever arranges, without the role"),
    ] {
        let refused = Err(Code::NotDelegable);
        assert_eq!(reassign(&open, &by_ria, &to), refused, "{what}");
        assert_eq!(give(&open, &by_ria, &to), refused, "{what}");
    }
    let role = Assigned::Role("case-worker".to_owned());
    let widened = open.reassign(&by_ria, &role, None, &calendar());
    assert_eq!(widened.unwrap_err().code, Code::NotDelegable);
    let kims = reassign(
        &claim(&open, &leader("lee")).unwrap(),
        &by_ria,
        &leader("kim"),
    );
    let kims = kims.unwrap();
    assert_eq!(kims.claimed_by.as_ref().unwrap().person, "kim");
    assert_eq!(kims.assigned, open.assigned, "its circle stays");
    // Whoever asked for it does not choose who decides.
    let asked = leader("casey");
    let refused = give(&open, &by(&asked, "why"), &leader("kim"));
    assert_eq!(refused, Err(Code::SelfApproval));
}

#[test]
fn what_nobody_has_is_given_to_who_might_take_it() {
    let ria = staff("ria", &[]);
    let by = by(&ria, "you know the family");
    let kims = give(&item(), &by, &leader("kim")).unwrap();
    assert_eq!(kims.state, State::Claimed);
    assert_eq!(kims.moves[0].to, person("kim"));
    assert_eq!(give(&kims, &by, &leader("lee")), Err(Code::AlreadyClaimed));
    let worker = staff("ola", &["case-worker"]);
    assert_eq!(give(&task(), &by, &worker), Err(Code::NotDelegable));
}

#[test]
fn a_duty_is_not_given_away() {
    let own = Terms {
        non_delegable: true,
        ..Terms::default()
    };
    let duties = [
        WorkItem {
            terms: own,
            ..task()
        },
        WorkItem {
            clock: Clock::Wall,
            ..task()
        },
    ];
    let ria = staff("ria", &[]);
    for duty in duties {
        let refused = Err(Code::NotDelegable);
        assert_eq!(reassign(&duty, &by(&ria, "why"), &leader("kim")), refused);
        assert_eq!(give(&duty, &by(&ria, "why"), &leader("kim")), refused);
    }
}

#[test]
fn a_hold_ends_and_its_time_does_not_count() {
    let due = Timestamp::from_second(9_000).unwrap();
    let at = |second| Timestamp::from_second(second).unwrap();
    let open = WorkItem {
        clock: Clock::StopsOnHold,
        due: Some(due),
        ..task()
    };
    let lee = leader("lee");
    let held = claim(&open, &lee).unwrap();
    let held = held
        .hold(&lee, at(1_500), None, "why", &calendar())
        .unwrap();
    let ria = staff("ria", &[]);
    let later = Arranger {
        at: at(2_500),
        ..by(&ria, "why")
    };
    let given = reassign(&held, &later, &leader("kim")).unwrap();
    assert_eq!(given.due, Some(at(10_000)));
    assert_eq!(given.holds[0].ended_at, Some(at(2_500)));
}
