//! Pictures of small documents: arrows as text, and drawings as what must be in them.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;
use crate::{Surroundings, read};

const HEADER: &str =
    "document: { dsl: '1.0.3', namespace: agency, name: ask-for-money, version: '1.0.0' }\ndo:\n";

fn picture(tasks: &str) -> Picture {
    let text = format!("{HEADER}{tasks}");
    let reading = read("test.yaml", &text, &Surroundings::default());
    let workflow = reading.workflow;
    Picture::of(&workflow.unwrap_or_else(|| panic!("{:#?}", reading.diagnostics)))
}

/// The arrows as text, one to a line.
fn check(tasks: &str, expected: &str) {
    arrows(&picture(tasks), expected);
}

fn arrows(picture: &Picture, expected: &str) {
    let mut found = String::new();
    for arrow in &picture.arrows {
        let line = if arrow.problem { "~>" } else { "->" };
        let label = arrow.label.as_deref().map(|label| format!(" ({label})"));
        let (from, to) = (&picture.steps[arrow.from], &picture.steps[arrow.to]);
        let label = label.unwrap_or_default();
        writeln!(found, "{} {line} {}{label}", from.label, to.label).unwrap();
    }
    assert_eq!(found.trim(), expected.trim());
}

#[test]
fn arrows_follow_then() {
    check(
        "
  - first: { set: { a: 1 }, then: third }
  - second: { set: { a: 2 }, then: end }
  - third: { set: { a: 3 }, then: second }
",
        "
First -> Third
Third -> Second
Start -> First
Second -> End
",
    );
}

#[test]
fn what_extensions_add_stands_before_and_after() {
    let text = "\
document: { dsl: '1.0.3', namespace: agency, name: ask, version: '1.0.0' }
use:
  extensions:
    - outer:
        extend: all
        before: [ { note: { set: { a: 1 } } } ]
        after: [ { tell: { set: { a: 2 } } } ]
    - inner:
        extend: switch
        when: ${ .known }
        before: [ { check: { set: { a: 3 } } }, { skip: { if: .b, set: { a: 4 }, then: exit } } ]
do:
  - route:
      switch:
        - approved: { when: '${ .ok }', then: pay }
        - otherwise: { then: end }
  - pay: { set: { paid: true } }
";
    let reading = read("test.yaml", text, &Surroundings::default());
    let workflow = reading
        .workflow
        .unwrap_or_else(|| panic!("{:#?}", reading.diagnostics));
    let picture = Picture::of(&workflow);
    arrows(
        &picture,
        "
Check -> Skip
Skip -> Route (Otherwise)
Route -> Tell (Approved or Otherwise)
Skip -> Tell
Note -> Check
Pay -> Tell
Note -> Pay
Tell -> Note (Approved)
Start -> Note
Tell -> End (Otherwise)
Tell -> End
",
    );
    let check = picture.steps.iter().find(|step| step.label == "Check");
    assert!(check.unwrap().conditional);
}

#[test]
fn a_switch_parts_the_flow_and_says_when() {
    check(
        "
  - route:
      switch:
        - approved: { when: '${ .ok }', then: pay }
        - changes: { when: '${ .again }', then: route }
  - pay: { set: { paid: true } }
",
        "
Route -> Pay (Approved or None of these)
Route -> Route (Changes)
Start -> Route
Pay -> End
",
    );
}

#[test]
fn a_problem_leads_from_the_attempt_to_its_handler() {
    check(
        "
  - hold:
      try:
        - reserve: { set: { a: 1 } }
      catch:
        errors: { with: { type: 'urn:casewright:error:insufficient-funds' } }
        do:
          - noMoney: { set: { a: 2 }, then: end }
  - go: { wait: PT1H }
",
        "
Reserve ~> No money (If: Insufficient funds)
Reserve -> Go
Start -> Reserve
No money -> End
Go -> End
",
    );
}

#[test]
fn a_loop_leads_back_and_on_and_exit_leads_on_only() {
    check(
        "
  - each:
      for: { each: child, in: '${ .children }' }
      do:
        - look:
            switch:
              - gone: { when: '${ .gone }', then: exit }
              - other: { then: visit }
        - visit: { set: { a: 1 } }
  - after: { set: { a: 2 } }
",
        "
Look -> Visit (Other)
Visit -> Look (For the next one)
Visit -> After
Look -> After (Gone)
Start -> Look
After -> End
",
    );
}

#[test]
fn branches_leave_one_step_and_meet_in_the_next() {
    check(
        "
  - both:
      fork:
        branches:
          - ask: { set: { a: 1 } }
          - pay: { run: { workflow: { namespace: agency, name: pay-out, version: latest } } }
  - tell: { emit: { event: { with: { source: 'urn:a', type: org.told } } } }
  - hear: { listen: { to: { one: { with: { type: org.heard } } } } }
",
        "
Both -> Ask
Both -> Pay
Ask -> Tell
Pay -> Tell
Tell -> Hear
Start -> Both
Hear -> End
",
    );
}

#[test]
fn a_workflow_that_always_gives_up_has_no_end() {
    let picture =
        picture("  - stop: { raise: { error: { type: 'https://a.example/e', status: 409 } } }\n");
    let shapes: Vec<Shape> = picture.steps.iter().map(|step| step.shape).collect();
    assert_eq!(shapes, [Shape::Start, Shape::Problem]);
}

#[test]
fn what_an_author_wrote_is_text_in_the_drawing() {
    let mut picture = picture("  - ask: { set: { a: 1 } }\n");
    picture.title = "</title><script>alert(1)</script>".to_owned();
    picture.steps[1].label = "\"quoted\" & <b>".to_owned();
    picture.steps[1].detail = Some("a\u{1}b".to_owned());
    let link = |_: &Step| Some("/x?\"onload=\"y".to_owned());
    let drawn = picture.svg("p", &Marks::new(), &link);
    for raw in ["<script", "<b>", "\"onload", "\u{1}"] {
        assert!(!drawn.contains(raw), "{raw} in {drawn}");
    }
    assert!(
        drawn.contains("&quot;quoted&quot; &amp; &lt;b&gt;"),
        "{drawn}"
    );
    assert!(
        picture
            .mermaid(&Marks::new())
            .contains("\"#quot;quoted#quot; & <b>")
    );
}

#[test]
fn marks_are_words_and_not_only_colours() {
    let picture = picture("  - ask: { set: { a: 1 } }\n  - wait: { wait: PT1H }\n");
    let marks = Marks::from([
        ("/do/0/ask".to_owned(), Mark::Done),
        ("/do/1/wait".to_owned(), Mark::Here),
    ]);
    let drawn = picture.svg("p", &marks, &|_| None);
    assert!(
        drawn.contains(">Done<") && drawn.contains(">Here now<"),
        "{drawn}"
    );
    assert!(!drawn.contains("Stopped"));
}

#[test]
fn mermaid_groups_what_belongs_together() {
    let picture = picture(
        "
  - prepare:
      do:
        - ask: { set: { a: 1 } }
",
    );
    assert_eq!(
        picture.mermaid(&Marks::new()),
        "flowchart TD
  s0([\"Start\"])
  s2([\"End\"])
  subgraph f0[\"Prepare\"]
    s1(\"Ask\")
  end
  s0 --> s1
  s1 --> s2
"
    );
}

/// Every task may jump anywhere in its list, and lists lie within lists.
fn any_tasks(depth: u32) -> BoxedStrategy<Vec<String>> {
    let leaf = prop_oneof![
        Just("set: { a: 1 }".to_owned()),
        Just("wait: PT1H".to_owned()),
    ];
    let task = if depth == 0 {
        leaf.boxed()
    } else {
        let inner = any_tasks(depth - 1);
        let body = inner
            .clone()
            .prop_map(|tasks| format!("do: [{}]", tasks.join(", ")));
        let attempt = (inner.clone(), inner).prop_map(|(tasks, handler)| {
            let (tasks, handler) = (tasks.join(", "), handler.join(", "));
            format!("try: [{tasks}], catch: {{ do: [{handler}] }}")
        });
        prop_oneof![3 => leaf, 1 => body, 1 => attempt].boxed()
    };
    let then = prop_oneof![
        Just("continue".to_owned()),
        Just("exit".to_owned()),
        Just("end".to_owned()),
        (0_usize..5).prop_map(|to| format!("t{to}")),
    ];
    prop::collection::vec((task, then.clone(), then), 5)
        .prop_map(|tasks| {
            let one = |(index, (task, then, other)): (usize, (String, String, String))| {
                if index == 2 {
                    let first = format!("{{ a: {{ when: '${{ .a }}', then: {then} }} }}");
                    let second = format!("{{ b: {{ then: {other} }} }}");
                    format!("{{ t{index}: {{ switch: [{first}, {second}] }} }}")
                } else {
                    format!("{{ t{index}: {{ {task}, then: {then} }} }}")
                }
            };
            tasks.into_iter().enumerate().map(one).collect()
        })
        .boxed()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn every_workflow_can_be_drawn_and_always_the_same(tasks in any_tasks(2)) {
        let picture = picture(&format!("  [{}]\n", tasks.join(", ")));
        let drawn = picture.svg("p", &Marks::new(), &|_| None);
        prop_assert!(!drawn.contains("NaN") && !drawn.contains("inf"));
        prop_assert_eq!(&drawn, &picture.svg("p", &Marks::new(), &|_| None));
        let count = picture.steps.len();
        let known = picture.arrows.iter().all(|arrow| arrow.from < count && arrow.to < count);
        prop_assert!(known);
    }
}
