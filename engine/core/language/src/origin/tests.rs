//! Documents in which people are shown what others wrote down, and where it comes from.

#![allow(clippy::unwrap_used, reason = "tests")]

use serde_json::json;

use super::*;
use crate::{Surroundings, pack, read};

const FORM: &str = "
title: Attempt
schema:
  type: object
  required: [way]
  properties:
    way:
      title: How did you try?
      oneOf: [ { const: phone, title: By phone }, { const: visit, title: By a visit } ]
    supplier:
      type: object
      properties: { name: { title: Name of the supplier, type: string } }
    goals:
      title: Goals
      type: array
      items:
        type: object
        properties: { goal: { title: What do they want?, type: string } }
";

fn forms() -> BTreeMap<String, Form> {
    let (form, findings) = pack::read_form("attempt", "forms/attempt.yaml", FORM);
    assert!(findings.is_empty(), "{findings:?}");
    BTreeMap::from([("attempt".to_owned(), form.unwrap())])
}

fn workflow(tasks: &str) -> Workflow {
    let head = "document: { dsl: '1.0.3', namespace: agency, name: test, version: '1.0.0', \
                metadata: { startForm: attempt } }\ndo:\n";
    let text = format!("{head}{tasks}");
    let reading = read("test.yaml", &text, &Surroundings::default());
    reading
        .workflow
        .unwrap_or_else(|| panic!("{:?}", reading.diagnostics))
}

const ASK: &str = "
  - ask:
      call: human-task
      with: { title: Ask, form: attempt, assign: { role: case-worker } }
";

/// Where the member `it` of what the task `look` shows comes from.
fn shown(before: &str, it: &str) -> Origin {
    let look = format!(
        "
  - look:
      call: human-task
      with:
        title: Look
        show: {{ it: '${{ {it} }}' }}
        assign: {{ role: case-worker }}
"
    );
    let workflow = workflow(&format!("{ASK}{before}{look}"));
    let last = workflow.tasks.last().unwrap();
    Origin::of_show(&workflow, &last.reference, &forms()).member("it")
}

fn data() -> Origin {
    Origin::Fields(forms()["attempt"].fields.clone())
}

#[test]
fn what_a_form_asked_for_is_known_however_it_came_here() {
    assert_eq!(shown("", "$steps.ask.data"), data());
    assert_eq!(shown("", "$workflow.input"), data());
    assert_eq!(
        shown("", "if 1 == 1 then $steps.ask.data else null end"),
        data()
    );
    assert_eq!(shown("", "null // $steps.ask.data"), data());
    let kept = "  - kept: { set: { plan: '${ $steps.ask.data }', count: 1 } }\n";
    assert_eq!(shown(kept, "$steps.kept.plan"), data());
    assert_eq!(shown(kept, ".plan"), data());
    let tried = "
  - tried:
      try:
        - within: { set: { by: '${ $steps.ask.data }' } }
        - asked: { switch: [ { otherwise: { then: exit } } ] }
      catch: {}
  - after: { set: { answer: '${ .by }' } }
";
    assert_eq!(shown(tried, "$steps.after.answer"), data());
    let round = "
  - round:
      set: { n: 1 }
      export:
        as: '${ $context + { all: (($context.all // []) + [{ way: $steps.ask.data.way }]) } }'
";
    let way = data().member("way");
    assert_eq!(shown(round, "$context.all").item().member("way"), way);
    assert_eq!(way.title(&json!("visit")).unwrap(), "By a visit");
    assert_eq!(way.title(&json!("bird")), None);
    assert_eq!(
        shown("", "$steps.ask.outcome")
            .title(&json!("wants-no-help"))
            .unwrap(),
        "Wants no help"
    );
}

#[test]
fn what_is_not_known_is_not_guessed() {
    assert_eq!(
        shown("", "$steps.ask.data.way | ascii_upcase"),
        Origin::Unknown
    );
    assert_eq!(shown("", "$steps.ask.comment"), Origin::Unknown);
    assert_eq!(shown("", "$steps.ask.data.other"), Origin::Unknown);
    // Tasks that name each other come to an end.
    let circle = "
  - one: { set: { it: '${ $steps.two.it // $steps.one.it }' } }
  - two: { set: { it: '${ $steps.one.it // $steps.two.it }' } }
";
    assert_eq!(shown(circle, "$steps.two.it"), Origin::Unknown);
}

#[test]
fn members_stand_in_the_author_s_order_and_fields_in_that_of_the_form() {
    let workflow = workflow(&format!(
        "{ASK}
  - look:
      call: human-task
      with:
        title: Look
        show: {{ zebra: '${{ $steps.ask.data.goals }}', apple: '${{ $steps.ask.data.supplier }}' }}
        assign: {{ role: case-worker }}
"
    ));
    let look = &workflow.tasks.last().unwrap().reference;
    let Origin::Members(members) = Origin::of_show(&workflow, look, &forms()) else {
        panic!("an object is shown");
    };
    let names: Vec<_> = members.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["zebra", "apple"]);
    let Origin::Fields(goal) = members[0].1.item() else {
        panic!("a list of a form's rows: {:?}", members[0].1);
    };
    assert_eq!(goal[0].label, "What do they want?");
    let Origin::Fields(supplier) = &members[1].1 else {
        panic!("an object of the form: {:?}", members[1].1);
    };
    assert_eq!(supplier[0].label, "Name of the supplier");
}

#[test]
fn what_a_workflow_gives_is_known_from_each_of_its_ends() {
    let workflow = workflow(&format!(
        "{ASK}
  - well:
      set: {{ outcome: well, way: '${{ $steps.ask.data.way }}' }}
      then: end
  - ill:
      set: {{ outcome: ill, why: '${{ $steps.ask.data.goals }}' }}
"
    ));
    let output = Origin::of_output(&workflow, &forms());
    assert_eq!(output.member("way"), data().member("way"));
    assert_eq!(output.member("why"), data().member("goals"));
}
