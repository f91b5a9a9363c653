//! Who may do what, and in which order the checks come.

use serde_json::json;

use super::*;
use crate::policy::Row;
use crate::principal::tests::staff;

fn now() -> Timestamp {
    Timestamp::from_second(1_000).unwrap()
}

fn item() -> WorkItem {
    WorkItem {
        id: "i-1-1".to_owned(),
        agency: "agency".to_owned(),
        case: "c-1".to_owned(),
        case_number: "IFS-2026-00001".to_owned(),
        instance: "i-1".to_owned(),
        number: 1,
        task: "decision".to_owned(),
        reference: "/do/1/decision".to_owned(),
        approval: true,
        title: "Brokerage of $1,300.00".to_owned(),
        show: json!({}),
        form: None,
        assigned: Assigned::Role("team-leader".to_owned()),
        outcomes: ["approve", "decline", "ask-for-changes"]
            .map(str::to_owned)
            .into(),
        approvals_needed: 1,
        limit: Some(Limit {
            policy: "brokerage-limits".to_owned(),
            money: Money::new(130_000, "AUD"),
        }),
        excluded: [("casey".to_owned(), "you asked for this".to_owned())].into(),
        offered_at: now(),
        due: None,
        state: State::Offered,
        claimed_by: None,
        decisions: Vec::new(),
        revision: 1,
    }
}

fn policy() -> Policy {
    let row = |role: &str, minor| Row {
        role: role.to_owned(),
        up_to: Money::new(minor, "AUD"),
    };
    Policy {
        name: "brokerage-limits".to_owned(),
        rows: vec![
            row("team-leader", 200_000),
            row("service-manager", 1_000_000),
        ],
    }
}

fn complete(item: &WorkItem, who: &Principal, outcome: &str) -> Result<Completed, Code> {
    let policy = policy();
    let completion = Completion {
        at: now(),
        outcome,
        data: &json!({}),
        comment: None,
        revision: None,
        form_errors: &[],
        policy: Some(&policy),
    };
    item.complete(who, &completion)
        .map_err(|refusal| refusal.code)
}

fn claim(item: &WorkItem, who: &Principal) -> Result<WorkItem, Code> {
    item.claim(who, now()).map_err(|refusal| refusal.code)
}

#[test]
fn the_checks_come_in_one_order() {
    let leader = staff("lee", &["team-leader"]);
    let stranger = Principal {
        agency: "other".to_owned(),
        ..staff("casey", &["team-leader"])
    };
    let claimed = claim(&item(), &leader).unwrap();
    let decided = match complete(&claimed, &leader, "approve") {
        Ok(Completed::Done(item)) => item,
        other => panic!("{other:?}"),
    };
    // Another agency learns nothing, whatever else is wrong.
    assert_eq!(claim(&decided, &stranger), Err(Code::NotFound));
    // The exclusion comes before role and state.
    assert_eq!(
        claim(&decided, &staff("casey", &[])),
        Err(Code::SelfApproval)
    );
    assert_eq!(
        complete(&claimed, &staff("casey", &["team-leader"]), "?"),
        Err(Code::SelfApproval)
    );
    // The role comes before the state.
    assert_eq!(
        claim(&decided, &staff("kim", &["case-worker"])),
        Err(Code::NotAssigned)
    );
    // The state comes before outcome and limit.
    assert_eq!(complete(&item(), &leader, "?"), Err(Code::NotClaimed));
    assert_eq!(complete(&decided, &leader, "?"), Err(Code::AlreadyDecided));
    assert_eq!(complete(&claimed, &leader, "?"), Err(Code::UnknownOutcome));
}

#[test]
fn revision_form_and_limit_follow_the_state() {
    let leader = staff("lee", &["team-leader"]);
    let mut claimed = claim(&item(), &leader).unwrap();
    claimed.limit.as_mut().unwrap().money.minor = 200_001;
    let policy = policy();
    let errors = [("amount".to_owned(), "Enter the amount".to_owned())];
    let data = json!({});
    let mut completion = Completion {
        at: now(),
        outcome: "approve",
        data: &data,
        comment: None,
        revision: Some(7),
        form_errors: &errors,
        policy: Some(&policy),
    };
    let code =
        |completion: &Completion<'_>| claimed.complete(&leader, completion).unwrap_err().code;
    assert_eq!(code(&completion), Code::StaleRevision);
    completion.revision = Some(1);
    assert_eq!(code(&completion), Code::FormInvalid);
    completion.form_errors = &[];
    assert_eq!(code(&completion), Code::OverLimit);
    completion.policy = None;
    assert_eq!(
        code(&completion),
        Code::OverLimit,
        "a missing policy permits nobody"
    );
    completion.outcome = "decline";
    assert!(
        claimed.complete(&leader, &completion).is_ok(),
        "declining needs no power over money"
    );
}

#[test]
fn one_claim_wins_and_only_its_holder_decides() {
    let (lee, sam) = (
        staff("lee", &["team-leader"]),
        staff("sam", &["team-leader"]),
    );
    let claimed = claim(&item(), &lee).unwrap();
    assert_eq!(claim(&claimed, &sam), Err(Code::AlreadyClaimed));
    assert_eq!(claim(&claimed, &lee), Ok(claimed.clone()));
    assert_eq!(
        complete(&claimed, &sam, "approve"),
        Err(Code::AlreadyClaimed)
    );
    assert_eq!(
        claimed.release(&sam, now()).unwrap_err().code,
        Code::AlreadyClaimed
    );
    let released = claimed.release(&lee, now()).unwrap();
    assert!(claim(&released, &sam).is_ok());
}

#[test]
fn two_approvals_need_two_people() {
    let (lee, sam) = (
        staff("lee", &["team-leader"]),
        staff("sam", &["team-leader"]),
    );
    let wanted = WorkItem {
        approvals_needed: 2,
        ..item()
    };
    let first = complete(&claim(&wanted, &lee).unwrap(), &lee, "approve").unwrap();
    let Completed::More(open) = first else {
        panic!("one approval must not be enough")
    };
    assert_eq!((open.state, open.revision), (State::Offered, 2));
    assert_eq!(claim(&open, &lee), Err(Code::AlreadyDecided));
    let second = complete(&claim(&open, &sam).unwrap(), &sam, "approve").unwrap();
    let Completed::Done(done) = second else {
        panic!("two approvals are enough")
    };
    assert_eq!(done.decisions.len(), 2);
    // One refusal ends it.
    let declined = complete(&claim(&open, &sam).unwrap(), &sam, "decline").unwrap();
    assert!(matches!(declined, Completed::Done(_)));
}

#[test]
fn the_engine_never_decides_and_withdrawing_is_final() {
    let engine = Principal {
        kind: Kind::Engine,
        ..staff("engine", &["team-leader"])
    };
    assert_eq!(claim(&item(), &engine), Err(Code::NotAssigned));
    let gone = item().withdraw("timeout", now()).unwrap();
    assert_eq!(
        claim(&gone, &staff("lee", &["team-leader"])),
        Err(Code::AlreadyDecided)
    );
    assert_eq!(
        gone.withdraw("again", now()).unwrap_err().code,
        Code::AlreadyDecided
    );
}

#[test]
fn a_task_for_one_person_is_for_that_person() {
    let personal = WorkItem {
        assigned: Assigned::Person("lee".to_owned()),
        limit: None,
        ..item()
    };
    assert_eq!(
        claim(&personal, &staff("sam", &["team-leader"])),
        Err(Code::NotAssigned)
    );
    let lee = staff("lee", &["case-worker"]);
    assert!(complete(&claim(&personal, &lee).unwrap(), &lee, "approve").is_ok());
}
