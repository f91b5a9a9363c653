//! Every way in which a file must not go, and that all of them are told at once.

use jiff::civil::date;

use super::*;
use crate::principal::tests::staff;
use crate::retention::{Dispose, Falls};

const TODAY: Date = date(2033, 8, 4);
const OVER: Date = date(2033, 8, 3);

fn nobody() -> &'static BTreeSet<String> {
    static NOBODY: BTreeSet<String> = BTreeSet::new();
    &NOBODY
}

fn by(who: &Principal) -> By<'_> {
    By {
        who,
        may: true,
        stands: false,
        acts_for: nobody(),
        at: Timestamp::UNIX_EPOCH,
    }
}

fn standing(until: Option<Date>, dispose: Dispose) -> Standing {
    let falls = Falls {
        class: "file".to_owned(),
        until,
        dispose,
    };
    Standing {
        classes: vec![falls],
        until,
    }
}

fn over() -> Standing {
    standing(Some(OVER), Dispose::Erase)
}

fn state(standing: &Standing) -> State<'_> {
    State {
        closed: Some(1),
        runs_open: false,
        tasks_open: false,
        money_set_aside: false,
        standing: Some(standing),
        today: TODAY,
    }
}

fn asked(standing: &Standing) -> Disposal {
    let asks = staff("u-a", &[]);
    let asked = Disposal::default().ask(by(&asks), "q1", " long over ", &state(standing));
    asked.unwrap()
}

fn code<T: std::fmt::Debug>(result: Result<T, Refusal>) -> Code {
    result.unwrap_err().code
}

#[test]
fn one_asks_and_another_agrees() {
    let (standing, other) = (over(), staff("u-b", &[]));
    let file = asked(&standing);
    let (request, until) = file
        .agree(by(&other), "q1", "yes", &state(&standing))
        .unwrap();
    assert_eq!(
        (&*request.asked.by, &*request.asked.reason, until),
        ("u-a", "long over", OVER)
    );
    let text = serde_json::to_value(&file).unwrap();
    assert_eq!(serde_json::from_value::<Disposal>(text).unwrap(), file);
}

#[test]
fn nobody_decides_what_they_asked_for_nor_whoever_stands_in_for_them() {
    let (standing, file) = (over(), asked(&over()));
    let (own, other) = (staff("u-a", &[]), staff("u-b", &[]));
    let state = state(&standing);
    assert_eq!(
        code(file.agree(by(&own), "q1", "yes", &state)),
        Code::SelfApproval
    );
    assert_eq!(
        code(file.decline(by(&own), "q1", "no", &state)),
        Code::SelfApproval
    );
    let for_them = BTreeSet::from(["u-a".to_owned()]);
    let acting = By {
        acts_for: &for_them,
        ..by(&other)
    };
    assert_eq!(
        code(file.agree(acting, "q1", "yes", &state)),
        Code::SelfApproval
    );
    // Asked while standing in for whoever decides now.
    let for_other = BTreeSet::from(["u-b".to_owned()]);
    let asking = By {
        acts_for: &for_other,
        ..by(&own)
    };
    let file = Disposal::default()
        .ask(asking, "q1", "over", &state)
        .unwrap();
    assert_eq!(
        code(file.agree(by(&other), "q1", "yes", &state)),
        Code::SelfApproval
    );
    let third = staff("u-c", &[]);
    let both = By {
        acts_for: &for_other,
        ..by(&third)
    };
    assert_eq!(
        code(file.agree(both, "q1", "yes", &state)),
        Code::SelfApproval
    );
    assert!(file.agree(by(&third), "q1", "yes", &state).is_ok());
}

#[test]
fn it_takes_the_role_a_reason_and_standing_outside_of_the_case() {
    let (standing, who) = (over(), staff("u-b", &[]));
    let (file, state) = (asked(&standing), state(&standing));
    let without = By {
        may: false,
        ..by(&who)
    };
    let within = By {
        stands: true,
        ..by(&who)
    };
    for (by, expected) in [(without, Code::NotAssigned), (within, Code::OwnWall)] {
        assert_eq!(code(file.hold(by, "h1", "court")), expected);
        assert_eq!(code(file.lift(by, "h1", "over")), expected);
        assert_eq!(code(file.ask(by, "q2", "over", &state)), expected);
        assert_eq!(code(file.agree(by, "q1", "yes", &state)), expected);
        assert_eq!(code(file.decline(by, "q1", "no", &state)), expected);
        assert_eq!(
            code(file.hand_over(by, "department", OVER, &state, OVER)),
            expected
        );
    }
    let long = "x".repeat(crate::refusal::REASON_CHARS_MAX + 1);
    for reason in ["  ", &long] {
        assert_eq!(code(file.hold(by(&who), "h1", reason)), Code::FormInvalid);
        assert_eq!(
            code(file.agree(by(&who), "q1", reason, &state)),
            Code::FormInvalid
        );
        assert_eq!(
            code(file.decline(by(&who), "q1", reason, &state)),
            Code::FormInvalid
        );
    }
}

#[test]
fn everything_in_the_way_is_told_at_once() {
    let free = Disposal::default();
    let held = free
        .hold(by(&staff("u-a", &[])), "h1", "a court asks for it")
        .unwrap();
    let (unknown, none) = (
        standing(None, Dispose::Transfer),
        Standing {
            classes: Vec::new(),
            until: None,
        },
    );
    let now = over();
    let words = |state: State<'_>, file: &Disposal| -> Vec<&'static str> {
        state
            .in_the_way(file)
            .iter()
            .map(Obstacle::as_str)
            .collect()
    };
    assert_eq!(words(state(&now), &free), Vec::<&str>::new());
    let open = State {
        closed: None,
        standing: None,
        ..state(&now)
    };
    assert_eq!(words(open, &free), ["not-closed"]);
    let busy = State {
        runs_open: true,
        tasks_open: true,
        money_set_aside: true,
        ..state(&now)
    };
    assert_eq!(
        words(busy, &held),
        ["runs-open", "tasks-open", "money-set-aside", "held"]
    );
    assert_eq!(
        words(state(&unknown), &held),
        ["birth-unknown", "not-transferred", "held"]
    );
    assert_eq!(words(state(&none), &free), ["no-class"]);
    let refused = free
        .ask(by(&staff("u-b", &[])), "q1", "over", &busy)
        .unwrap_err();
    assert_eq!(refused.code, Code::NotErasable);
    assert_eq!(refused.fields.len(), 3);
}

#[test]
fn not_a_day_too_early() {
    let standing = over();
    let on = |today| {
        State {
            today,
            ..state(&standing)
        }
        .in_the_way(&Disposal::default())
    };
    assert_eq!(on(date(2033, 8, 2)), [Obstacle::Kept(OVER)]);
    assert_eq!(on(OVER), [Obstacle::Kept(OVER)]);
    assert_eq!(on(date(2033, 8, 4)), []);
    let file = asked(&standing);
    let early = State {
        today: OVER,
        ..state(&standing)
    };
    let other = staff("u-b", &[]);
    assert_eq!(
        code(file.agree(by(&other), "q1", "yes", &early)),
        Code::NotErasable
    );
}

#[test]
fn while_one_of_several_holds_nothing_goes_and_another_lifts_it() {
    let standing = over();
    let (a, b) = (staff("u-a", &[]), staff("u-b", &[]));
    let file = asked(&standing).hold(by(&b), "h1", "a court").unwrap();
    let file = file.hold(by(&b), "h2", "a complaint").unwrap();
    let state = state(&standing);
    let agree = |file: &Disposal| file.agree(by(&b), "q1", "yes", &state).map(drop);
    assert_eq!(code(agree(&file)), Code::NotErasable);
    assert_eq!(code(file.lift(by(&b), "h1", "over")), Code::SelfApproval);
    let for_them = BTreeSet::from(["u-b".to_owned()]);
    let acting = By {
        acts_for: &for_them,
        ..by(&a)
    };
    assert_eq!(code(file.lift(acting, "h1", "over")), Code::SelfApproval);
    let one = file.lift(by(&a), "h1", "over").unwrap();
    assert_eq!(code(agree(&one)), Code::NotErasable, "the other holds");
    assert_eq!(code(one.lift(by(&a), "h1", "again")), Code::NotFound);
    let none = one.lift(by(&a), "h2", "withdrawn").unwrap();
    assert_eq!(agree(&none), Ok(()));
    assert_eq!(none.holds[1].lifted.as_ref().unwrap().reason, "withdrawn");
}

#[test]
fn a_request_is_decided_once_and_falls_when_the_case_is_opened_again() {
    let (standing, b) = (over(), staff("u-b", &[]));
    let file = asked(&standing);
    let first = state(&standing);
    assert_eq!(
        code(file.ask(by(&b), "q2", "over", &first)),
        Code::AlreadyAsked
    );
    assert_eq!(
        code(file.agree(by(&b), "q2", "yes", &first)),
        Code::NotAsked
    );
    let declined = file
        .decline(by(&b), "q1", "a sibling is a client", &first)
        .unwrap();
    assert_eq!(declined.declined[0].declined.by, "u-b");
    assert_eq!(
        code(declined.agree(by(&b), "q1", "yes", &first)),
        Code::NotAsked
    );
    let second = State {
        closed: Some(2),
        ..first
    };
    assert_eq!(
        code(file.agree(by(&b), "q1", "yes", &second)),
        Code::NotAsked
    );
    assert!(file.ask(by(&b), "q2", "over", &second).is_ok());
    let open = State {
        closed: None,
        standing: None,
        ..first
    };
    assert_eq!(code(file.agree(by(&b), "q1", "yes", &open)), Code::NotAsked);
}

#[test]
fn what_is_to_be_handed_over_was_handed_over_after_this_end() {
    let (standing, a) = (standing(Some(OVER), Dispose::Transfer), staff("u-a", &[]));
    let (file, state, closed) = (Disposal::default(), state(&standing), date(2026, 8, 3));
    let hand = |on| file.hand_over(by(&a), "department", on, &state, closed);
    for wrong in [date(2026, 8, 2), date(2033, 8, 5)] {
        assert_eq!(code(hand(wrong)), Code::FormInvalid, "{wrong}");
    }
    let handed = hand(TODAY).unwrap();
    assert_eq!(state.in_the_way(&handed), []);
    let second = State {
        closed: Some(2),
        ..state
    };
    assert_eq!(second.in_the_way(&handed), [Obstacle::NotTransferred]);
    let open = State {
        closed: None,
        standing: None,
        ..state
    };
    assert_eq!(
        code(file.hand_over(by(&a), "department", TODAY, &open, closed)),
        Code::NotClosed
    );
}
