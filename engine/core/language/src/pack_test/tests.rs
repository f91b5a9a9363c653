//! Steps of tests as their author writes them, and what they become.

use serde_json::json;

use super::*;

fn around() -> Around {
    let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    let definition = json!({ "do": [
        { "request": { "call": "human-task", "with": { "title": "Ask" } } },
        { "pay": { "try": [
            { "decision": { "call": "approval", "with": { "outcomes": ["approve", "ask"] } } },
            { "send": { "call": "payment-issue.pay" } },
        ] } },
    ] });
    Around {
        roles: names(&["case-worker", "team-leader"]),
        funds: names(&["brokerage"]),
        calendars: names(&["office", "field"]),
        functions: Some(names(&["payment-issue.pay"])),
        workflows: BTreeMap::from([("brokerage".to_owned(), Around::human_tasks(&definition))]),
        refusals: names(&["self-approval", "form-invalid"]),
        actions: names(&["refused", "work-item-offered"]),
    }
}

fn one(steps: &str) -> (Vec<Test>, Vec<Diagnostic>) {
    let text = format!(
        "workflow: brokerage\nbegins: 2026-11-25 09:00\n\
         people: {{ casey: case-worker, lee: [team-leader] }}\n\
         samples:\n  bed: {{ item: A bed, money: {{ minor: 5, currency: AUD }} }}\n\
         tests:\n- test: it\n  steps:\n{steps}"
    );
    read("t.yaml", &text, &around())
}

#[test]
fn steps_become_deeds() {
    let (tests, found) = one("  - { start: brokerage, as: casey }\n  \
         - { complete: request, as: casey, data: bed, \
         but: { item: null, money: { minor: 7 } } }\n  \
         - { complete: decision, as: lee, outcome: approve, refused: self-approval }\n  \
         - { wait: 3 business days }\n  - { calls: payment-issue.pay, times: 0 }\n");
    assert_eq!(found, Vec::new());
    let test = &tests[0];
    assert_eq!(test.people["lee"], ["team-leader"]);
    assert_eq!(test.begins.and_then(|moment| moment.time), Some((9, 0)));
    assert_eq!(test.steps.len(), 5);
    let Deed::Complete(complete) = &test.steps[1].deed else {
        panic!("{:?}", test.steps[1]);
    };
    assert_eq!(
        complete.data,
        json!({"money": {"minor": 7, "currency": "AUD"}})
    );
    assert!(matches!(
        test.steps[3].deed,
        Deed::Wait(Term::BusinessDays(3))
    ));
}

#[test]
fn a_run_is_started_with_a_calendar_of_the_pack() {
    let start = |calendar: &str| {
        let step = format!("  - {{ start: brokerage, as: casey, calendar: {calendar} }}\n");
        one(&step)
    };
    let (tests, found) = start("field");
    assert_eq!(found, Vec::new());
    let Deed::Start(start_step) = &tests[0].steps[0].deed else {
        panic!("{:?}", tests[0].steps[0]);
    };
    assert_eq!(start_step.calendar.as_deref(), Some("field"));
    let (_, found) = start("feld");
    assert_eq!(found[0].code, "CW0803");
    assert!(
        found[0].help.as_ref().unwrap().contains("`field`"),
        "{found:?}"
    );
}

#[test]
fn human_tasks_are_found_wherever_they_stand() {
    let tasks = &around().workflows["brokerage"];
    assert_eq!(tasks["request"], ["done"]);
    assert_eq!(tasks["decision"], ["approve", "ask"]);
    assert_eq!(tasks.len(), 2);
}

#[test]
fn expected_data_names_only_what_matters() {
    let (tests, found) =
        one("  - { ended: completed, output: { outcome: paid, gone: null, list: [{ a: 1 }] } }\n");
    assert_eq!(found, Vec::new());
    let Deed::Ended(ended) = &tests[0].steps[0].deed else {
        panic!("{:?}", tests[0].steps[0]);
    };
    let output = ended.output.as_ref().unwrap();
    let like = json!({"outcome": "paid", "more": true, "list": [{"a": 1, "b": 2}]});
    assert_eq!(output.differences(&like), Vec::new());
    let unlike = json!({"outcome": "late", "gone": 1, "list": []});
    let found = output.differences(&unlike);
    let paths: Vec<_> = found.iter().map(|one| one.path.as_str()).collect();
    assert_eq!(paths, ["outcome", "gone", "list"]);
    assert_eq!(found[0].spot.line(), 9);
}
