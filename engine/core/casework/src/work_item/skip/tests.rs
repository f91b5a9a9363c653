//! Who may skip what.

use super::super::tests::{item, now};
use super::super::{Clock, Terms};
use super::*;
use crate::principal::tests::staff;

fn visit() -> WorkItem {
    let skippable = Skippable {
        by: "team-leader".to_owned(),
        outcome: "decline".to_owned(),
    };
    WorkItem {
        approval: false,
        terms: Terms {
            skippable: Some(skippable),
            ..Terms::default()
        },
        ..item()
    }
}

fn skip(item: &WorkItem, who: &str, roles: &[&str], reason: &str) -> Result<WorkItem, Code> {
    let skipped = item.skip(&staff(who, roles), reason, now());
    skipped.map_err(|refusal| refusal.code)
}

#[test]
fn only_the_role_that_is_named_skips_it_and_says_why() {
    let skipped = skip(&visit(), "lee", &["team-leader"], " moved away ").unwrap();
    let last = skipped.decisions.last().unwrap();
    assert_eq!((last.outcome.as_str(), last.skipped), ("decline", true));
    assert_eq!(last.comment.as_deref(), Some("moved away"));
    assert_eq!(skipped.state, State::Completed);
    let refused = skip(&visit(), "kim", &["case-worker"], "why");
    assert_eq!(refused, Err(Code::NotAssigned));
    let leader = ["team-leader"];
    assert_eq!(skip(&visit(), "lee", &leader, " "), Err(Code::ReasonNeeded));
    let long = "x".repeat(REASON_BYTES_MAX + 1);
    assert_eq!(
        skip(&visit(), "lee", &leader, &long),
        Err(Code::ReasonNeeded)
    );
    let hidden = WorkItem {
        seen_by: crate::access::Audience::default().within(&["safety-officer"]),
        ..visit()
    };
    assert_eq!(skip(&hidden, "lee", &leader, "why"), Err(Code::NotFound));
    assert_eq!(
        skip(&visit(), "casey", &leader, "why"),
        Err(Code::SelfApproval)
    );
    assert_eq!(
        skip(&skipped, "lee", &leader, "why"),
        Err(Code::AlreadyDecided)
    );
}

#[test]
fn an_approval_and_a_duty_are_never_skipped() {
    let plain = WorkItem {
        terms: Terms::default(),
        ..visit()
    };
    let approval = WorkItem {
        approval: true,
        ..visit()
    };
    let duty = WorkItem {
        clock: Clock::Wall,
        ..visit()
    };
    let own = WorkItem {
        terms: Terms {
            non_delegable: true,
            ..visit().terms
        },
        ..visit()
    };
    for item in [plain, approval, duty, own] {
        let refused = skip(&item, "lee", &["team-leader"], "why");
        assert_eq!(refused, Err(Code::NotSkippable));
    }
}
