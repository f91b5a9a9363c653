//! What a task page shows in each state, and to whom which buttons are live.

use casewright_casework::Principal;
use casewright_casework::principal::Kind;
use casewright_runtime::view::{DecisionView, PersonView};
use jiff::tz::TimeZone;
use serde_json::json;

use super::*;

fn person(id: &str, name: &str) -> PersonView {
    PersonView {
        id: id.into(),
        display_name: name.into(),
    }
}

fn item() -> WorkItemView {
    WorkItemView {
        id: "w-1".into(),
        instance: "i-1".into(),
        case: "c-1".into(),
        case_number: "IFS-2026-00001".into(),
        task: "decision".into(),
        title: "Brokerage of $1,300.00 for IFS-2026-00001".into(),
        state: "offered".into(),
        assigned: json!({"role": "team-leader"}),
        claimed_by: None,
        due: Some("2026-11-27T13:59:59Z".parse().unwrap()),
        deadline: None,
        escalated_to: Vec::new(),
        reminded: None,
        hold: None,
        holdable: true,
        claimable: true,
        overdue: false,
        approval: true,
        outcomes: vec!["approve".into(), "decline".into(), "ask-for-changes".into()],
        form: None,
        show: json!({
            "money": {"minor": 130_000, "currency": "AUD"},
            "why": "<img src=x onerror=alert(1)>",
            "goalActive": true,
        }),
        offered: "2026-11-22T00:00:00Z".parse().unwrap(),
        revision: 7,
        shown: String::new(),
        barred: None,
        decisions: Vec::new(),
        claimable_for: None,
        acting_for: None,
        acting_until: None,
        told: Vec::new(),
        delegable: true,
        arrangeable: false,
        skippable: None,
        skipped: false,
        moves: Vec::new(),
        attempt: 1,
        attempts: Vec::new(),
        answers: Vec::new(),
    }
}

fn mine() -> WorkItemView {
    WorkItemView {
        state: "claimed".into(),
        claimed_by: Some(person("u-lee", "Lee Tanaka")),
        claimable: false,
        ..item()
    }
}

fn draw(item: WorkItemView, attempt: &Attempt) -> String {
    let member = Member {
        principal: Principal {
            id: "u-lee".into(),
            display_name: "Lee Tanaka".into(),
            agency: "ifs".into(),
            roles: ["team-leader".to_owned()].into(),
            kind: Kind::Staff,
        },
        secret: "secret-of-lee".into(),
        administers: false,
        reports: false,
        keeper: casewright_runtime::engine::Keeper {
            asks: false,
            decides: false,
            holds: false,
        },
    };
    let fund = |name: &str, currency: &str| FundView {
        name: name.into(),
        title: format!("Fund {name}"),
        currency: currency.into(),
        allocated_minor: 2_000_000,
        committed_minor: 0,
        reserved_minor: 130_000,
        available_minor: 1_870_000,
        days: casewright_casework::fund::Days::default(),
        at: None,
    };
    let started = TimelineEntry {
        index: 1,
        at: "2026-11-21T23:00:00Z".parse().unwrap(),
        who: person("u-casey", "Casey Brown"),
        action: "instance-started".into(),
        instance: Some("i-1".into()),
        subject: None,
        title: None,
        detail: Some("ifs/brokerage".into()),
        comment: None,
        colleague: None,
    };
    let elsewhere = TimelineEntry {
        instance: Some("i-2".into()),
        detail: Some("ifs/closure".into()),
        ..started.clone()
    };
    let zone = TimeZone::get("Australia/Brisbane").unwrap();
    let around = Surroundings {
        wall: Wall::new(zone, "2026-11-23T02:00:00Z".parse().unwrap()),
        legend: Legend {
            show: Origin::Unknown,
            form: None,
            titles: [("request".to_owned(), "Ask for brokerage".to_owned())].into(),
        },
        draft: None,
        funds: vec![fund("a", "AUD"), fund("b", "USD")],
        before: vec![started, elsewhere],
        workflows: Vec::new(),
        onward: None,
    };
    TaskPage::new(&member, item, attempt, &around, None)
        .render()
        .unwrap()
}

#[track_caller]
fn check(page: &str, shown: &[&str], absent: &[&str]) {
    for text in shown {
        assert!(page.contains(text), "{text} is missing in {page}");
    }
    for text in absent {
        assert!(!page.contains(text), "{text} is in {page}");
    }
}

#[test]
fn a_decider_sees_request_amount_budget_and_who_asked() {
    let page = draw(item(), &Attempt::default());
    check(
        &page,
        &[
            "<title>Brokerage of $1,300.00 for IFS-2026-00001 – Casewright</title>",
            "Fri 27 Nov 2026",
            "<dt>Money</dt><dd><bdi>$1,300.00</bdi>",
            "<dt>Goal active</dt><dd><bdi>Yes</bdi>",
            "&#60;img src=x",
            "Fund a</th><td class=\"number\" data-label=\"Left\">$18,700.00",
            "Casey Brown started “Brokerage”.",
            "action=\"/tasks/w-1/claim\"",
        ],
        &[
            "<img",
            "{",
            "Fund b",
            "Closure",
            "/complete",
            "instance",
            "payload",
        ],
    );
}

#[test]
fn the_holder_gets_one_button_for_each_outcome() {
    let page = draw(mine(), &Attempt::default());
    check(
        &page,
        &[
            "name=\"_outcome\" value=\"approve\">Approve</button>",
            "name=\"_outcome\" value=\"decline\">Decline</button>",
            "name=\"_outcome\" value=\"ask-for-changes\">Ask for changes</button>",
            "Needed if you decline or ask for changes.",
            "name=\"_revision\" value=\"7\"",
            "/tasks/w-1/release",
        ],
        &["/claim\"", "There is a problem"],
    );
    // What Enter in a field presses is the first button, and it decides nothing.
    let first = page.split("<button").nth(2).unwrap();
    assert!(first.starts_with(" class=\"first\"") && !first.contains("_outcome"));
}

#[test]
fn who_is_barred_is_told_why_and_who_can() {
    let mut item = item();
    item.barred = Some(("self-approval".into(), "you asked for this yourself".into()));
    let page = draw(item, &Attempt::default());
    check(
        &page,
        &[
            "You cannot decide this",
            "You asked for this yourself.",
            "Somebody else who is team leader can decide it.",
        ],
        &["/claim", "/complete", "_outcome"],
    );
}

#[test]
fn tasks_have_their_titles_in_the_reasons_of_rules() {
    let mut item = item();
    let rule = "you did `request`; not `lookAgain`";
    item.barred = Some(("self-approval".into(), rule.into()));
    let page = draw(item, &Attempt::default());
    check(
        &page,
        &["You did “Ask for brokerage”; not “Look again”."],
        &["`"],
    );
}

#[test]
fn a_reason_is_asked_for_where_no_form_asks() {
    let mut item = WorkItemView {
        approval: false,
        outcomes: vec!["reached".into(), "not-reached".into()],
        ..mine()
    };
    check(
        &draw(item.clone(), &Attempt::default()),
        &["Optional."],
        &[],
    );
    item.form = Some("attempt".into());
    check(&draw(item.clone(), &Attempt::default()), &[], &["_comment"]);
    item.outcomes.push("decline".into());
    check(
        &draw(item, &Attempt::default()),
        &["Needed if you decline."],
        &[],
    );
}

#[test]
fn a_finished_task_says_what_was_answered_and_not_what_it_was_about() {
    let item = WorkItemView {
        state: "completed".into(),
        answers: vec![AttemptView {
            work_item: "w-1".into(),
            by: person("u-sam", "Sam Rossi"),
            role: "service-manager".into(),
            at: "2026-11-23T01:00:00Z".parse().unwrap(),
            outcome: "ask-for-changes".into(),
            comment: Some("Cheaper?".into()),
            data: json!({"lookedAt": "2026-11-20"}),
        }],
        ..item()
    };
    check(
        &draw(item, &Attempt::default()),
        &[
            "This task is closed",
            "Ask for changes: Sam Rossi, Mon 23 Nov 2026, 11:00 am",
            "Cheaper?",
            "<dt>Looked at</dt><dd><bdi>Fri 20 Nov 2026</bdi>",
            "Back to case IFS-2026-00001",
        ],
        &["$1,300.00</bdi>", "Goal active", "Fund a", "Who has it"],
    );
}

#[test]
fn a_missing_reason_is_asked_for_and_nothing_typed_is_lost() {
    let attempt = Attempt {
        made: true,
        errors: vec![("_comment".into(), "Enter a reason to decline".into())],
        ..Attempt::default()
    };
    let page = draw(mine(), &attempt);
    check(
        &page,
        &[
            "<title>Error: Brokerage",
            "<a href=\"#comment\">Enter a reason to decline</a>",
            "id=\"comment-error\"",
            "aria-invalid=\"true\"",
        ],
        &[],
    );
}

#[test]
fn a_stale_answer_keeps_what_was_typed() {
    let attempt = Attempt {
        made: true,
        comment: "Too <much>".into(),
        typed: vec![("conditions".into(), "Worker collects".into())],
        problem: Some(
            casewright_casework::Refusal::new(
                casewright_casework::Code::StaleRevision,
                "it changed",
            )
            .into(),
        ),
        ..Attempt::default()
    };
    // Still theirs: the form comes back filled, with the revision of now.
    let page = draw(mine(), &attempt);
    check(
        &page,
        &[
            "This task has changed",
            "Too &#60;much&#62;</textarea>",
            "value=\"7\"",
        ],
        &["What you had entered"],
    );
    // Decided by somebody else: the words are there to be copied.
    let mut done = item();
    done.state = "completed".into();
    done.decisions = vec![DecisionView {
        acting_for: None,
        skipped: false,
        by: person("u-sam", "Sam Rossi"),
        role: "service-manager".into(),
        at: "2026-11-23T01:00:00Z".parse().unwrap(),
        outcome: "approve".into(),
        comment: None,
    }];
    let page = draw(done, &attempt);
    check(
        &page,
        &[
            "What you had entered",
            "Worker collects",
            "Too &#60;much&#62;",
            "Approve: Sam Rossi, Mon 23 Nov 2026, 11:00 am.",
        ],
        &["/complete", "/claim"],
    );
}

#[test]
fn earlier_answers_to_the_same_task_are_kept_in_view() {
    let attempt = |at: &str, comment: Option<&str>, minor| AttemptView {
        work_item: "i-1-1".into(),
        by: person("u-casey", "Casey Brown"),
        role: "case-worker".into(),
        at: at.parse().unwrap(),
        outcome: "done".into(),
        comment: comment.map(Into::into),
        data: json!({"money": {"minor": minor, "currency": "AUD"}}),
    };
    let again = WorkItemView {
        attempts: vec![
            attempt("2026-11-21T00:00:00Z", Some("<b>first</b>"), 100),
            attempt("2026-11-22T00:00:00Z", None, 200),
        ],
        ..item()
    };
    let page = draw(again, &Attempt::default());
    check(
        &page,
        &[
            "Earlier answers",
            "Answer 1: done, Casey Brown, Sat 21 Nov 2026, 10:00 am",
            "Answer 2: done, Casey Brown, Sun 22 Nov 2026, 10:00 am",
            "&#60;b&#62;first",
            "$1.00",
            "$2.00",
        ],
        &["<b>first"],
    );
    let page = draw(item(), &Attempt::default());
    check(&page, &[], &["Earlier answers"]);
}

#[test]
fn an_unfinished_answer_says_that_it_is_kept() {
    let wall = Wall::new(
        TimeZone::get("Australia/Brisbane").unwrap(),
        "2026-11-23T02:00:00Z".parse().unwrap(),
    );
    let mut draft = DraftView {
        saved: "2026-11-23T01:05:00Z".parse().unwrap(),
        revision: 7,
        data: json!({}),
        comment: None,
    };
    let saved = "Draft saved Mon 23 Nov 2026, 11:05 am. Only you can see it.";
    assert_eq!(resumed(&draft, &item(), &wall), saved);
    draft.revision = 6;
    assert!(resumed(&draft, &item(), &wall).contains("has changed since"));
    check(
        &draw(mine(), &Attempt::default()),
        &["Save and come back later", "/tasks/w-1/draft"],
        &["Draft saved"],
    );
}

#[test]
fn work_on_hold_says_why_and_offers_to_go_on() {
    let waiting = |until: Option<&str>, clock_stopped| WorkItemView {
        hold: Some(HoldView {
            since: "2026-11-22T00:00:00Z".parse().unwrap(),
            until: until.map(|until| until.parse().unwrap()),
            reason: "The <family> is away".into(),
            by: person("u-lee", "Lee Tanaka"),
            clock_stopped,
        }),
        state: "held".into(),
        ..mine()
    };
    let back = waiting(Some("2026-11-30T14:00:00Z"), true);
    check(
        &draw(back, &Attempt::default()),
        &[
            "The &#60;family&#62; is away",
            "It comes back by itself on Tue 1 Dec 2026, 12:00 am.",
            "Its time stands still meanwhile.",
            "/tasks/w-1/resume",
        ],
        &["_outcome", "/tasks/w-1/hold"],
    );
    let page = draw(waiting(None, false), &Attempt::default());
    check(
        &page,
        &["until you take it off hold", "stays as it is"],
        &[],
    );
    let duty = WorkItemView {
        holdable: false,
        ..mine()
    };
    check(
        &draw(duty, &Attempt::default()),
        &["_outcome"],
        &["on hold"],
    );
}

#[test]
fn a_due_date_says_what_it_comes_from_and_what_moved_it() {
    let deadline = |at_once| DeadlineView {
        rule: Some("3 business days".into()),
        from: "2026-11-24T02:00:00Z".parse().unwrap(),
        calendar: "au-qld".into(),
        version: String::new(),
        alarms: Vec::new(),
        moved: Some(casewright_runtime::view::ShiftView {
            at: "2026-11-25T02:00:00Z".parse().unwrap(),
            from: Some("2026-11-26T13:59:59.999Z".parse().unwrap()),
            at_once,
        }),
    };
    for (at_once, told) in [
        (
            false,
            "The calendar changed on Wed 25 Nov 2026: it was due Thu 26 Nov 2026 before<",
        ),
        (
            true,
            "Thu 26 Nov 2026 before; its new day had passed, so it is due at once",
        ),
    ] {
        let counted = WorkItemView {
            deadline: Some(deadline(at_once)),
            ..item()
        };
        let page = draw(counted, &Attempt::default());
        assert!(
            page.contains("3 business days from Tue 24 Nov 2026, calendar au-qld"),
            "{page}"
        );
        assert!(page.contains(told), "{page}");
    }
    let plain = draw(item(), &Attempt::default());
    assert!(!plain.contains("Counted as"), "{plain}");
}
