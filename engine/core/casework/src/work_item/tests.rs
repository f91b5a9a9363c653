//! Who may do what, and in which order the checks come.

use serde_json::json;

use super::*;
use crate::Calendar;
use crate::policy::Row;
use crate::principal::tests::staff;

pub(super) fn now() -> Timestamp {
    Timestamp::from_second(1_000).unwrap()
}

pub(super) fn item() -> WorkItem {
    WorkItem {
        id: "i-1-1".to_owned(),
        agency: "agency".to_owned(),
        case: "c-1".to_owned(),
        case_number: "IFS-2026-00001".to_owned(),
        instance: "i-1".to_owned(),
        number: 1,
        task: "decision".to_owned(),
        reference: "/do/1/decision".to_owned(),
        rounds: Vec::new(),
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
            aspects: BTreeMap::new(),
            money: Money::new(130_000, "AUD"),
        }),
        excluded: [("casey".to_owned(), "you asked for this".to_owned())].into(),
        seen_by: crate::access::Audience::default(),
        offered_at: now(),
        due: None,
        clock: Clock::Runs,
        pace: Pace::Exact,
        holds: Vec::new(),
        deadline: None,
        alarms: Vec::new(),
        reminded_at: None,
        escalations: Vec::new(),
        told: Vec::new(),
        terms: Terms::default(),
        moves: Vec::new(),
        editors: BTreeSet::new(),
        state: State::Offered,
        claimed_by: None,
        decisions: Vec::new(),
        revision: 1,
    }
}

fn policy() -> Policy {
    let row = |role: &str, minor| Row::new(role, Money::new(minor, "AUD"));
    Policy::new(
        "brokerage-limits",
        vec![
            row("team-leader", 200_000),
            row("service-manager", 1_000_000),
        ],
    )
}

fn complete(item: &WorkItem, who: &Principal, outcome: &str) -> Result<Completed, Code> {
    let policy = policy();
    let completion = Completion {
        at: now(),
        outcome,
        data: &json!({}),
        comment: Some("Too dear"),
        revision: None,
        form_errors: &[],
        policy: Some(&policy),
        on: jiff::civil::Date::constant(2026, 11, 26),
        before: &[],
        shown: None,
    };
    item.complete(who, &completion)
        .map_err(|refusal| refusal.code)
}

pub(super) fn claim(item: &WorkItem, who: &Principal) -> Result<WorkItem, Code> {
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
        on: jiff::civil::Date::constant(2026, 11, 26),
        before: &[],
        shown: None,
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
    for nothing in [None, Some(""), Some(" \n\u{a0}")] {
        completion.comment = nothing;
        assert_eq!(code(&completion), Code::ReasonNeeded, "{nothing:?}");
    }
    completion.form_errors = &errors;
    assert_eq!(code(&completion), Code::FormInvalid, "the form comes first");
    completion.form_errors = &[];
    completion.comment = Some("Too dear");
    assert!(
        claimed.complete(&leader, &completion).is_ok(),
        "declining needs no power over money"
    );
}

#[test]
fn only_what_is_not_approved_needs_a_reason() {
    let lee = staff("lee", &["team-leader"]);
    let answer = |approval, outcome| {
        let item = WorkItem { approval, ..item() };
        let completion = Completion {
            at: now(),
            outcome,
            data: &json!({}),
            comment: None,
            revision: None,
            form_errors: &[],
            policy: Some(&policy()),
            on: jiff::civil::Date::constant(2026, 11, 26),
            before: &[],
            shown: None,
        };
        let claimed = claim(&item, &lee).unwrap();
        let answered = claimed.complete(&lee, &completion);
        answered.map(drop).map_err(|refusal| refusal.code)
    };
    assert_eq!(answer(true, "approve"), Ok(()));
    for outcome in ["decline", "ask-for-changes"] {
        assert_eq!(answer(true, outcome), Err(Code::ReasonNeeded));
        assert_eq!(answer(false, outcome), Ok(()), "a form says what it needs");
    }
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
fn what_is_kept_to_a_group_is_there_for_that_group_alone() {
    let item = WorkItem {
        seen_by: crate::access::Audience::default().within(&["safety-officer"]),
        ..item()
    };
    let leader = staff("lee", &["team-leader"]);
    assert!(!item.visible(&leader));
    assert_eq!(claim(&item, &leader).unwrap_err(), Code::NotFound);
    let both = staff("sofia", &["team-leader", "safety-officer"]);
    assert!(item.visible(&both) && claim(&item, &both).is_ok());
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

/// Reminded at 2,000 s, escalated to service managers at 3,000 s and to casey at 4,000 s.
pub(super) fn timed() -> WorkItem {
    let alarm = |second, rings| Alarm {
        at: Timestamp::from_second(second).unwrap(),
        rings,
        by: None,
    };
    WorkItem {
        alarms: vec![
            alarm(2_000, Rings::Remind),
            alarm(
                3_000,
                Rings::Escalate(Assigned::Role("service-manager".to_owned())),
            ),
            alarm(4_000, Rings::Escalate(Assigned::Person("casey".to_owned()))),
        ],
        ..item()
    }
}

/// Without holidays, in UTC.
pub(super) fn calendar() -> Calendar {
    Calendar::new("weekdays", "Etc/UTC", None).unwrap()
}

fn rung(item: &WorkItem, second: i64) -> WorkItem {
    let at = Timestamp::from_second(second).unwrap();
    item.ring(at, &calendar(), None).expect("something rings").0
}

#[test]
fn time_rings_once_in_order_and_never_early() {
    let at = |second| Timestamp::from_second(second).unwrap();
    let item = timed();
    assert_eq!(item.next_alarm(), Some(at(2_000)));
    assert_eq!(item.ring(at(1_999), &calendar(), None), None);
    let (reminded, rang) = item.ring(at(2_000), &calendar(), None).unwrap();
    assert_eq!(rang, [Rings::Remind]);
    assert_eq!(reminded.reminded_at, Some(at(2_000)));
    assert_eq!(reminded.revision, item.revision, "nothing else to decide");
    assert_eq!(reminded.ring(at(2_999), &calendar(), None), None);
    let (escalated, rang) = reminded.ring(at(9_000), &calendar(), None).unwrap();
    assert_eq!(rang.len(), 2, "what is late comes in one go");
    assert_eq!(escalated.next_alarm(), None);
    assert_eq!(escalated.ring(at(9_000), &calendar(), None), None);
    assert_eq!(escalated.state, State::Offered);
    assert_eq!(escalated.decisions, []);
}

#[test]
fn an_escalation_lets_others_decide_but_never_the_excluded() {
    let manager = staff("sam", &["service-manager"]);
    let casey = staff("casey", &["team-leader", "service-manager"]);
    assert_eq!(claim(&timed(), &manager), Err(Code::NotAssigned));
    let escalated = rung(&timed(), 9_000);
    assert_eq!(claim(&escalated, &casey), Err(Code::SelfApproval));
    let claimed = claim(&escalated, &manager).unwrap();
    let Completed::Done(done) = complete(&claimed, &manager, "decline").unwrap() else {
        panic!("one decision is enough")
    };
    assert_eq!(done.decisions[0].role, "service-manager");
    // Those it was offered to first still may.
    assert!(claim(&escalated, &staff("lee", &["team-leader"])).is_ok());
}

#[test]
fn whoever_it_is_escalated_to_may_take_it_over_once() {
    let (lee, sam) = (
        staff("lee", &["team-leader"]),
        staff("sam", &["service-manager"]),
    );
    let kim = staff("kim", &["service-manager"]);
    let claimed = claim(&timed(), &lee).unwrap();
    let escalated = rung(&claimed, 3_500);
    assert_eq!(escalated.state, State::Claimed, "nobody loses it to time");
    assert!(escalated.claimable(&sam) && !escalated.claimable(&lee));
    assert_eq!(
        claim(&escalated, &staff("max", &["team-leader"])),
        Err(Code::AlreadyClaimed)
    );
    let later = Timestamp::from_second(3_600).unwrap();
    let taken = escalated.claim(&sam, later).unwrap();
    assert_eq!(taken.claimed_by.as_ref().unwrap().person, "sam");
    assert_eq!(complete(&taken, &lee, "approve"), Err(Code::AlreadyClaimed));
    assert_eq!(claim(&taken, &kim), Err(Code::AlreadyClaimed));
}

#[test]
fn what_is_closed_rings_no_more() {
    let lee = staff("lee", &["team-leader"]);
    let claimed = claim(&timed(), &lee).unwrap();
    let Completed::Done(done) = complete(&claimed, &lee, "approve").unwrap() else {
        panic!("one approval is enough")
    };
    let gone = timed().withdraw("timeout", now()).unwrap();
    for closed in [done, gone] {
        assert_eq!(closed.next_alarm(), None);
        assert_eq!(closed.ring(Timestamp::MAX, &calendar(), None), None);
    }
}

#[test]
fn an_item_of_an_older_engine_is_read() {
    let mut old = serde_json::to_value(timed()).unwrap();
    for newer in ["clock", "pace", "alarms", "reminded_at", "escalations"] {
        old.as_object_mut().unwrap().remove(newer);
    }
    assert_eq!(serde_json::from_value::<WorkItem>(old).unwrap(), item());
}

#[test]
fn only_whoever_has_it_keeps_an_unfinished_answer() {
    let (lee, sam) = (
        staff("lee", &["team-leader"]),
        staff("sam", &["team-leader"]),
    );
    let edit = |item: &WorkItem, who: &Principal| item.edit(who).map_err(|refusal| refusal.code);
    assert_eq!(edit(&item(), &lee), Err(Code::NotClaimed));
    let claimed = claim(&item(), &lee).unwrap();
    assert_eq!(edit(&claimed, &sam), Err(Code::AlreadyClaimed));
    assert_eq!(
        edit(&claimed, &staff("casey", &["team-leader"])),
        Err(Code::SelfApproval)
    );
    let edited = edit(&claimed, &lee).unwrap();
    assert_eq!(edited.editors, ["lee".to_owned()].into());
    assert_eq!(edited.revision, claimed.revision);
    assert_eq!(edit(&edited, &lee).unwrap(), edited);
}

#[test]
fn a_stale_answer_hears_what_has_changed() {
    let (lee, sam) = (
        staff("lee", &["team-leader"]),
        staff("sam", &["team-leader"]),
    );
    let wanted = WorkItem {
        approvals_needed: 2,
        limit: None,
        ..item()
    };
    let Completed::More(open) = complete(&claim(&wanted, &lee).unwrap(), &lee, "approve").unwrap()
    else {
        panic!("one approval must not be enough")
    };
    let stale = Completion {
        at: now(),
        outcome: "approve",
        data: &json!({}),
        comment: None,
        revision: Some(1),
        form_errors: &[],
        policy: None,
        on: jiff::civil::Date::constant(2026, 11, 26),
        before: &[],
        shown: None,
    };
    let refusal = claim(&open, &sam)
        .unwrap()
        .complete(&sam, &stale)
        .unwrap_err();
    assert_eq!(refusal.code, Code::StaleRevision);
    assert_eq!(
        refusal.message,
        "the task has changed since you opened it: LEE answered `approve`; read it again"
    );
}

#[test]
fn a_task_for_a_team_is_for_its_members_and_only_while_they_are() {
    let team = WorkItem {
        assigned: Assigned::Team("north".to_owned()),
        limit: None,
        ..item()
    };
    let kim = staff("kim", &["case-worker", "team:north"]);
    let left = staff("kim", &["case-worker"]);
    for other in ["south", "nort", "north-east"] {
        let other = staff("sam", &["team-leader", "north", &format!("team:{other}")]);
        assert_eq!(claim(&team, &other), Err(Code::NotAssigned));
    }
    let claimed = claim(&team, &kim).unwrap();
    assert_eq!(complete(&claimed, &left, "approve"), Err(Code::NotAssigned));
    let Completed::Done(done) = complete(&claimed, &kim, "approve").unwrap() else {
        panic!("one approval is enough")
    };
    assert_eq!(done.decisions[0].role, "north");
    assert_eq!(kim.teams().collect::<Vec<_>>(), ["north"]);
}

#[test]
fn a_decision_is_on_what_was_shown_and_says_so() {
    let item = item()
        .claim(&staff("lee", &["team-leader"]), now())
        .unwrap();
    let policy = policy();
    let decide = |item: &WorkItem, shown: Option<&str>| {
        let completion = Completion {
            at: now(),
            outcome: APPROVE,
            data: &json!({}),
            comment: None,
            revision: None,
            form_errors: &[],
            policy: Some(&policy),
            on: jiff::civil::Date::constant(2026, 11, 26),
            before: &[],
            shown,
        };
        item.complete(&staff("lee", &["team-leader"]), &completion)
    };
    let shown = item.shown();
    let Completed::Done(decided) = decide(&item, Some(&shown)).unwrap() else {
        panic!("one approval is enough")
    };
    assert_eq!(decided.decisions[0].shown, shown);
    // Told or not, the record holds what it was on.
    assert!(decide(&item, None).is_ok());
    let mut other = item.clone();
    other.limit.as_mut().unwrap().money.minor += 1;
    assert_ne!(other.shown(), shown);
    let refusal = decide(&other, Some(&shown)).unwrap_err();
    assert_eq!(refusal.code, Code::StaleRevision);
    let mut other = item.clone();
    other.show = json!({"payee": "somebody else"});
    assert_ne!(other.shown(), shown);
    let changes: [fn(&mut WorkItem); 4] = [
        |item| item.title.push('!'),
        |item| item.form = Some("another".to_owned()),
        |item| item.outcomes.truncate(2),
        |item| item.approvals_needed = 2,
    ];
    for change in changes {
        let mut other = item.clone();
        change(&mut other);
        assert_ne!(other.shown(), shown, "{other:?}");
    }
    // Who has it and when it is due is not what is decided.
    let mut same = item;
    (same.claimed_by, same.due, same.revision) = (None, None, 7);
    assert_eq!(same.shown(), shown);
}
