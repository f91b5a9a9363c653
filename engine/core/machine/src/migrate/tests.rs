//! Pairs of versions, an instance that stands in the first, and what a move to the second does.

use std::collections::BTreeMap;

use casewright_language::Surroundings;
use serde_json::json;

use super::*;
use crate::{CaseFacts, Decider, RuntimeFacts, Started, Status, Step, step};

const AT: &str = "2026-03-02T09:00:00Z";

fn read(version: &str, tasks: &str) -> Workflow {
    let text = format!(
        "document: {{ dsl: 1.0.3, namespace: test, name: w, version: {version} }}\ndo:\n{tasks}"
    );
    let reading = casewright_language::read("w.yaml", &text, &Surroundings::default());
    let told = format!("{:#?}", reading.diagnostics);
    reading.workflow.unwrap_or_else(|| panic!("{told}"))
}

fn after(workflow: &Workflow, instance: &Instance, event: &Event) -> Instance {
    match step(workflow, instance, event, &Answers::default()) {
        Ok(Step::Done(transition)) => transition.instance,
        other => panic!("{other:?}"),
    }
}

fn at() -> Timestamp {
    AT.parse().unwrap()
}

fn started(workflow: &Workflow) -> Instance {
    let started = Started {
        at: at(),
        id: "i".to_owned(),
        input: json!({}),
        started_by: "casey".to_owned(),
        case: CaseFacts {
            id: "c".to_owned(),
            number: "C-1".to_owned(),
            opened: at(),
        },
        runtime: RuntimeFacts {
            name: "casewright".to_owned(),
            version: "0".to_owned(),
        },
        depth: 0,
        worked: Vec::new(),
    };
    let event = Event::Started(Box::new(started));
    after(workflow, &Instance::pending(), &event)
}

fn completed(workflow: &Workflow, instance: &Instance, item: u32, outcome: &str) -> Instance {
    let event = Event::WorkItemCompleted {
        at: at(),
        on: None,
        item,
        outcome: outcome.to_owned(),
        data: json!({ "n": item }),
        comment: None,
        by: vec![Decider {
            person: "kim".to_owned(),
            role: "worker".to_owned(),
            acting_for: None,
        }],
        overdue: false,
        skipped: false,
    };
    after(workflow, instance, &event)
}

fn human(name: &str) -> String {
    format!(
        "- {name}:\n    call: human-task\n    with: {{ title: T, assign: {{ role: worker }} }}\n"
    )
}

fn approval(name: &str) -> String {
    format!("- {name}:\n    call: approval\n    with: {{ title: T, assign: {{ role: lead }} }}\n")
}

/// Further to the right.
fn below(text: &str, margin: &str) -> String {
    let lines = text.lines();
    lines.fold(String::new(), |all, line| all + margin + line + "\n")
}

/// The codes that keep an instance, which did the first `done` human tasks, from the move.
fn codes(before: &str, other: &str, done: u32) -> Vec<Reason> {
    let (before, other) = (read("1.0.0", before), read("1.1.0", other));
    let mut instance = started(&before);
    for item in 1..=done {
        instance = completed(&before, &instance, item, "done");
    }
    let plan = plan(&before, &other, &Changed::default(), &instance);
    let codes = plan.obstacles.iter().map(|obstacle| obstacle.code);
    codes.collect()
}

/// Moves it, and sees that a written instance comes back the same.
fn moved(before: &Workflow, other: &Workflow, instance: &Instance) -> Transition {
    let plan = plan(before, other, &Changed::default(), instance);
    assert_eq!(plan.obstacles, []);
    let event = plan.event(at(), "alex", "a better way");
    let written = serde_json::to_string(&event).unwrap();
    let event: Event = serde_json::from_str(&written).unwrap();
    let Ok(Step::Done(transition)) = step(other, instance, &event, &Answers::default()) else {
        panic!("it was planned");
    };
    let written = serde_json::to_string(&transition.instance).unwrap();
    let back: Instance = serde_json::from_str(&written).unwrap();
    assert_eq!(back, transition.instance);
    *transition
}

#[test]
fn an_instance_goes_on_where_its_task_stands_in_the_other_version() {
    let before = read("1.0.0", &(human("ask") + &human("tell")));
    let other = read(
        "1.1.0",
        &format!(
            "- note: {{ set: {{ x: 1 }} }}\n{}{}- sum: {{ set: '${{ $steps.ask.data }}' }}\n",
            human("ask"),
            human("tell")
        ),
    );
    let instance = completed(&before, &started(&before), 1, "done");
    let Transition {
        instance, effects, ..
    } = moved(&before, &other, &instance);
    assert_eq!(effects, [], "what is open stays open");
    assert_eq!(instance.workflow_digest(), other.digest);
    let crate::Effect::Offer(offer) = &instance.outstanding()[0] else {
        panic!("it waits for people");
    };
    assert_eq!((offer.item, offer.reference.as_str()), (2, "/do/2/tell"));
    // What was done before is there for what comes after.
    let ended = completed(&other, &instance, 2, "done");
    assert_eq!(ended.output(), Some(&json!({ "n": 1 })));
    assert_eq!(ended.status(), Status::Completed);
}

#[test]
fn a_move_and_one_back_leave_everything_as_it_was() {
    let before = read("1.0.0", &(human("ask") + &human("tell")));
    let other = read(
        "1.1.0",
        &("- note: { set: { x: 1 } }\n".to_owned() + &human("ask") + &human("tell")),
    );
    let instance = completed(&before, &started(&before), 1, "done");
    let there = moved(&before, &other, &instance).instance;
    assert_ne!(there, instance);
    assert_eq!(moved(&other, &before, &there).instance, instance);
}

#[test]
fn an_event_of_another_move_is_not_taken() {
    let before = read("1.0.0", &human("ask"));
    let other = read(
        "1.1.0",
        &("- n: { set: { x: 1 } }\n".to_owned() + &human("ask")),
    );
    let instance = started(&before);
    let event = plan(&before, &other, &Changed::default(), &instance).event(at(), "alex", "so");
    let there = after(&other, &instance, &event);
    assert!(
        step(&other, &there, &event, &Answers::default()).is_err(),
        "twice"
    );
    assert!(
        step(&before, &instance, &event, &Answers::default()).is_err(),
        "another version"
    );
}

#[test]
fn what_is_under_way_must_be_there() {
    assert_eq!(codes(&human("ask"), &human("say"), 0), [Reason::TaskGone]);
    assert_eq!(
        codes(&human("ask"), "- ask: { wait: PT1H }\n", 0),
        [Reason::TaskChanged]
    );
    let outcomes = human("ask").replace("title: T", "title: T, outcomes: [yes, no]");
    assert_eq!(
        codes(&human("ask"), &outcomes, 0),
        [Reason::OutcomesChanged]
    );
    let title = human("ask").replace("title: T", "title: Other, due: 2 business days");
    assert_eq!(codes(&human("ask"), &title, 0), []);
    let rules = human("ask").replace(
        "title: T",
        "title: T, rules: { differentPersonFrom: [ask] }",
    );
    assert_eq!(codes(&human("ask"), &rules, 0), [Reason::RulesChanged]);
}

#[test]
fn forms_and_policies_that_were_changed_keep_open_tasks_where_they_are() {
    let with_form = human("ask").replace("title: T", "title: T, form: f");
    let workflow = read("1.0.0", &with_form);
    let changed = Changed {
        forms: BTreeSet::from(["f".to_owned()]),
        ..Changed::default()
    };
    let plan = plan(&workflow, &workflow, &changed, &started(&workflow));
    assert_eq!(plan.obstacles[0].code, Reason::FormChanged);
}

#[test]
fn what_was_done_is_not_done_again() {
    let before = human("ask") + &human("tell");
    let turned = human("tell") + &human("ask");
    assert_eq!(codes(&before, &turned, 1), [Reason::WouldRepeat]);
    assert_eq!(codes(&before, &turned, 0), [], "nothing was done yet");
}

#[test]
fn no_move_gets_round_an_approval() {
    let before = human("ask") + &approval("decide") + &human("pay");
    for weaker in [
        human("ask") + &human("pay"),
        human("ask") + &human("decide") + &human("pay"),
        human("ask") + &approval("decide").replace("decide:", "judge:") + &human("pay"),
    ] {
        assert_eq!(
            codes(&before, &weaker, 0),
            [Reason::ApprovalLost],
            "{weaker}"
        );
    }
    // It stands behind where the run is: it would never be asked for.
    let first = approval("decide") + &human("ask") + &human("pay");
    assert_eq!(codes(&before, &first, 0), [Reason::ApprovalLost]);
    let more = before.clone() + &approval("again");
    assert_eq!(codes(&before, &more, 0), []);
    let new_before = approval("again") + &before;
    assert_eq!(codes(&before, &new_before, 0), [Reason::ApprovalLost]);
}

#[test]
fn an_approval_may_ask_for_more_and_never_for_less() {
    let with = |rules: &str| {
        let rules = format!("title: T, rules: {{ {rules} }}");
        human("ask") + &approval("decide").replace("title: T", &rules)
    };
    let two = with("approvals: 2, differentPersonFrom: [ask]");
    for (weaker, expected) in [
        (with("approvals: 3, differentPersonFrom: [ask]"), vec![]),
        (
            with("approvals: 1, differentPersonFrom: [ask]"),
            vec![Reason::ApprovalLost],
        ),
        (with("approvals: 2"), vec![Reason::ApprovalLost]),
        (
            two.replace("role: lead", "role: worker"),
            vec![Reason::ApprovalLost],
        ),
    ] {
        assert_eq!(codes(&two, &weaker, 0), expected, "{weaker}");
    }
}

#[test]
fn who_did_a_task_that_is_renamed_stays_excluded() {
    let before = human("ask") + &human("check");
    let rules = "title: T, rules: { differentPersonFrom: [request] }";
    let other = human("request") + &human("check") + &human("look").replace("title: T", rules);
    assert_eq!(codes(&before, &other, 1), [Reason::PersonLost]);
}

#[test]
fn what_a_later_task_reads_must_have_been_given() {
    let before = human("ask");
    let reads = "- sum: { set: { x: '${ $steps.note.x }' } }\n";
    let other = "- note: { set: { x: 1 } }\n".to_owned() + &human("ask") + reads;
    assert_eq!(codes(&before, &other, 0), [Reason::ReadsMissing]);
    let other_name = other.replace("$steps.note.x", "$steps.noted.x");
    let other_name = "- noted: { set: { x: 1 } }\n".to_owned() + &other_name;
    assert_eq!(codes(&before, &other_name, 0), [Reason::ReadsMissing]);
}

#[test]
fn constructs_around_the_task_must_be_the_same() {
    let list = "- each:\n    for: { in: '${ [1, 2] }' }\n    do:\n";
    let indented = |text: &str| below(text, "      ");
    let looped = list.to_owned() + &indented(&human("ask"));
    assert_eq!(
        codes(&looped, &looped.replace("[1, 2]", "[1]"), 0),
        [Reason::LoopChanged]
    );
    let more = list.to_owned() + &indented("- n: { set: { x: 1 } }") + &indented(&human("ask"));
    assert_eq!(codes(&looped, &more, 0), []);

    let fork = "- both:\n    fork:\n      branches:\n";
    let branch = |text: &str| below(text, "        ");
    let two = fork.to_owned() + &branch(&human("left")) + &branch(&human("right"));
    let three = two.clone() + &branch(&human("third"));
    assert_eq!(codes(&two, &three, 0), [Reason::ForkChanged]);

    let hear = "- hear:\n    listen: { to: { one: { with: { type: a } } } }\n";
    let tried = "- pay:\n    try:\n".to_owned()
        + &indented(hear)
        + "    catch: { retry: { delay: PT1M, limit: { attempt: { count: 2 } } } }\n";
    let slower = tried.replace("PT1M", "PT2M");
    assert_eq!(codes(&tried, &slower, 0), [Reason::RetryChanged]);
    let shifted = tried.replace("    try:\n", "    try:\n      - n: { set: { x: 1 } }\n");
    assert_eq!(codes(&tried, &shifted, 0), [Reason::RetryChanged]);
    let behind = tried.replace("    catch:", "      - n: { set: { x: 1 } }\n    catch:");
    assert_eq!(codes(&tried, &behind, 0), []);
}

#[test]
fn subscriptions_follow_the_version() {
    let listen = |kind: &str| {
        format!("- hear:\n    listen: {{ to: {{ one: {{ with: {{ type: {kind} }} }} }} }}\n")
    };
    let before = read("1.0.0", &(human("ask") + &listen("a")));
    let other = read("1.1.0", &(human("ask") + &listen("b")));
    let effects = moved(&before, &other, &started(&before)).effects;
    let told: Vec<_> = effects
        .iter()
        .map(|effect| match effect {
            crate::Effect::Subscribe(these) => format!("+ {:?}", these[0].shape.kind),
            crate::Effect::Unsubscribe(these) => format!("- {:?}", these[0].shape.kind),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(told, ["- Some(\"a\")", "+ Some(\"b\")"]);
    // What it listens to now must stay.
    assert_eq!(
        codes(&listen("a"), &listen("b"), 0),
        [Reason::EventsChanged]
    );
}

#[test]
fn time_limits_that_run_must_stay() {
    let limited = human("ask") + "    timeout: { after: P1D }\n";
    assert_eq!(codes(&limited, &human("ask"), 0), [Reason::TimeLimitGone]);
    assert_eq!(codes(&limited, &limited.replace("P1D", "P2D"), 0), []);
}

#[test]
fn nothing_is_moved_while_it_goes_on_by_itself_or_after_its_end() {
    let calls = "- pay: { call: bank.pay, with: {} }\n";
    assert_eq!(codes(calls, calls, 0), [Reason::Busy]);
    assert_eq!(codes(&human("ask"), &human("ask"), 1), [Reason::Ended]);
}

#[test]
fn every_pointer_of_a_task_under_way_is_told() {
    let before = read("1.0.0", &human("ask"));
    let other = read(
        "1.1.0",
        &("- n: { set: { x: 1 } }\n".to_owned() + &human("ask")),
    );
    let plan = plan(&before, &other, &Changed::default(), &started(&before));
    assert_eq!(
        plan.stands,
        [Stand {
            task: "ask".to_owned(),
            before: "/do/0/ask".to_owned(),
            after: Some("/do/1/ask".to_owned()),
        }]
    );
    let moves = BTreeMap::from([("/do/0/ask".to_owned(), "/do/1/ask".to_owned())]);
    assert_eq!(plan.moves(), &moves);
}
