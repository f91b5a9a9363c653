//! Whole documents and the bounds of reading; each construct has its cases beside its reader.

use serde_json::json;

use super::*;
use crate::diagnostic::draw;
use crate::workflow::{Assign, Kind, Span, Then};
use crate::{Period, Template, Term};

const HEADER: &str =
    "document: { dsl: '1.0.3', namespace: agency, name: test, version: '1.0.0' }\n";

fn read_alone(body: &str) -> (String, Reading) {
    let text = format!("{HEADER}{body}");
    let reading = read("test.yaml", &text, &Surroundings::default());
    (text, reading)
}

fn workflow(body: &str) -> Workflow {
    let (text, reading) = read_alone(body);
    let drawn = draw(&reading.diagnostics, &text, false);
    reading.workflow.unwrap_or_else(|| panic!("{drawn}"))
}

const BROKERAGE: &str = r#"
do:
  - request:
      call: human-task
      with:
        title: Ask for brokerage
        form: brokerage-request
        assign: { role: case-worker }
  - reserve:
      call: fund.reserve
      with: { fund: brokerage, money: '${ $steps.request.data.money }', expires: 20 business days }
  - decision:
      call: approval
      with:
        title: '${ "Brokerage of \($steps.request.data.money | money) for \($case.number)" }'
        show: ${ $steps.request.data }
        assign: { role: team-leader }
        due: 3 business days
        rules:
          differentPersonFrom: [ request ]
          approvals: 1
          limit: { policy: brokerage-limits, money: '${ $steps.request.data.money }' }
          payee: ${ $steps.request.data.payee }
        outcomes: [ approve, decline, ask-for-changes ]
  - route:
      switch:
        - otherwise: { then: release }
        - approved: { when: $steps.decision.outcome == "approve", then: pay }
        - changes: { when: '${ $steps.decision.outcome == "ask-for-changes" }', then: request }
  - pay:
      try:
        - issue:
            call: payment-issue.pay:1.2.0@default
            with: { money: '${ $steps.request.data.money }' }
      catch:
        errors: { with: { type: 'urn:casewright:error:payment-issue.declined' } }
        retry: { delay: PT5S, backoff: { exponential: {} }, limit: { attempt: { count: 3 } } }
        do:
          - tell: { set: { reason: '${ $error.detail }' } }
  - settle:
      call: fund.commit
      with:
        reservation: ${ $steps.reserve.reservation }
        money: ${ $steps.request.data.money }
      then: end
  - release:
      call: fund.release
      with: { reservation: '${ $steps.reserve.reservation }' }
output:
  as: { decision: '${ $steps.decision.outcome }' }
"#;

#[test]
fn the_brokerage_workflow_is_read_whole() {
    let workflow = workflow(BROKERAGE);
    assert_eq!(workflow.identity(), "agency/test:1.0.0");
    assert_eq!(workflow.tasks.len(), 7);
    assert_eq!(workflow.digest.len(), 64);
    assert_eq!(workflow.definition["document"]["name"], json!("test"));
    let references: Vec<&str> = workflow
        .tasks
        .iter()
        .map(|task| task.reference.as_str())
        .collect();
    assert_eq!(references[..2], ["/do/0/request", "/do/1/reserve"]);
}

#[test]
fn an_approval_keeps_its_rules() {
    let workflow = workflow(BROKERAGE);
    let Kind::Human(human) = &workflow.tasks[2].kind else {
        panic!("an approval is human work");
    };
    assert!(human.approval && matches!(human.assign, Assign::Role(Template::Literal(_))));
    assert_eq!(human.due, Some(Term::BusinessDays(3)));
    assert_eq!(human.different_person_from, ["request"]);
    assert_eq!(human.limit.as_ref().unwrap().policy, "brokerage-limits");
    assert!(human.payee.is_some());
    let Kind::Human(asked) = &workflow.tasks[0].kind else {
        panic!("a human task is human work");
    };
    assert_eq!(
        (asked.approval, asked.outcomes.clone()),
        (false, vec!["done".to_owned()])
    );
}

#[test]
fn the_default_of_a_switch_is_tried_last() {
    let workflow = workflow(BROKERAGE);
    let Kind::Switch(cases) = &workflow.tasks[3].kind else {
        panic!("a switch is a switch");
    };
    let thens: Vec<Then> = cases.iter().map(|case| case.then).collect();
    assert_eq!(thens, [Then::Task(4), Then::Task(0), Then::Task(6)]);
    assert!(cases[2].when.is_none());
}

#[test]
fn a_try_keeps_its_references_and_its_retry() {
    let workflow = workflow(BROKERAGE);
    let Kind::Try(attempt) = &workflow.tasks[4].kind else {
        panic!("a try is a try");
    };
    assert_eq!(attempt.tasks[0].reference, "/do/4/pay/try/0/issue");
    let handler = attempt.catch.tasks.as_ref().unwrap();
    assert_eq!(handler[0].reference, "/do/4/pay/catch/do/0/tell");
    assert_eq!(attempt.catch.retry.as_ref().unwrap().count_max, Some(3));
    let Kind::Call(call) = &attempt.tasks[0].kind else {
        panic!("a call is a call");
    };
    assert_eq!(call.function, "payment-issue.pay");
    assert_eq!(call.version.as_deref(), Some("1.2.0"));
}

#[test]
fn every_task_is_found_by_its_reference() {
    let workflow = workflow(
        r"
do:
  - one:
      for: { in: .items }
      do:
        - two:
            fork:
              branches:
                - three: { set: { n: 1 } }
                - threefold:
                    try: [ { four: { wait: PT1S } } ]
                    catch: { do: [ { five: { do: [ { six: { set: { n: 1 } } } ] } } ] }
",
    );
    for reference in [
        "/do/0/one",
        "/do/0/one/do/0/two",
        "/do/0/one/do/0/two/fork/branches/0/three",
        "/do/0/one/do/0/two/fork/branches/1/threefold/try/0/four",
        "/do/0/one/do/0/two/fork/branches/1/threefold/catch/do/0/five/do/0/six",
    ] {
        assert_eq!(workflow.task(reference).unwrap().reference, reference);
    }
    for reference in [
        "/do/0",
        "/do/0/on",
        "/do/0/one/do/1/two",
        "/do/0/one/do/0/two/fork",
    ] {
        assert!(workflow.task(reference).is_none(), "{reference}");
    }
}

#[test]
fn durations_and_reusables() {
    let workflow = workflow(
        "use:\n  timeouts: { short: { after: { minutes: 1, seconds: 30 } } }\n  \
         errors: { broken: { type: 'https://a.example/broken', status: 422 } }\n\
         do:\n  - rest: { wait: PT2H, timeout: short }\n  - stop: { raise: { error: broken } }\n",
    );
    assert!(matches!(
        workflow.tasks[0].kind,
        Kind::Wait(Span::Fixed(Period(7_200_000)))
    ));
    assert!(matches!(
        workflow.tasks[0].timeout,
        Some(Span::Fixed(Period(90_000)))
    ));
    assert!(matches!(workflow.tasks[1].kind, Kind::Raise(_)));
}

#[test]
fn what_only_jq_understands_is_a_question_with_its_place() {
    let (_, reading) = read_alone("do:\n  - sum:\n      set: { n: '${ [.items[].n] | add }' }\n");
    assert!(reading.workflow.is_some() && reading.diagnostics.is_empty());
    let [doubt] = &reading.questions[..] else {
        panic!("one expression is beyond the simple ones");
    };
    assert!(doubt.question.program.contains("add"));
    let finding = &doubt.finding;
    assert_eq!(
        (finding.code, finding.line, finding.column),
        ("CW0303", 4, 21)
    );
}

#[test]
fn a_function_of_a_plugin_unknown_here_is_taken_at_its_word() {
    let body = "do:\n  - pay: { call: some-plugin.pay, with: { any: thing } }\n";
    assert!(read_alone(body).1.workflow.is_some());
    let known = Surroundings {
        functions_known: true,
        ..Surroundings::default()
    };
    let reading = read("test.yaml", &format!("{HEADER}{body}"), &known);
    assert_eq!(reading.diagnostics[0].code, "CW0401");
}

/// A text of about this many bytes, made of lines.
fn filled(start: &str, bytes: usize, line: impl Fn(usize) -> String) -> String {
    let mut text = format!("{HEADER}{start}");
    let mut index = 0;
    while text.len() < bytes {
        text.push_str(&line(index));
        index += 1;
    }
    text
}

#[test]
fn the_largest_texts_are_read_in_bounded_work() {
    let bytes = crate::yaml::TEXT_BYTES_MAX - 200;
    let texts = [
        filled("metadata:\n", bytes, |index| format!("  k{index}: 1\n")),
        filled("", bytes, |index| format!("k{index}: 1\n")),
        filled("do:\n", bytes, |index| {
            format!("  - t{index}: {{ sett: {{ a: 1 }} }}\n")
        }),
        filled("do:\n  - a:\n      switch:\n", bytes, |index| {
            format!("        - c{index}: {{ when: .a, then: t{index} }}\n")
        }),
        filled("do:\n  - a:\n      set:\n", bytes, |index| {
            format!("        v{index}: '${{ $steps.t{index} + $v{index} }}'\n")
        }),
    ];
    for text in texts {
        let reading = read("test.yaml", &text, &Surroundings::default());
        assert!(reading.workflow.is_none() && reading.diagnostics.len() <= 500);
    }
}

#[test]
fn two_thousand_tasks_are_read_and_one_more_is_not() {
    let tasks = |count: usize| {
        let line = |index: usize| {
            format!(
                "  - t{index}: {{ set: {{ a: 1 }}, then: t{} }}\n",
                index / 2
            )
        };
        (0..count).map(line).collect::<String>()
    };
    let (_, well) = read_alone(&format!("do:\n{}", tasks(TASKS_MAX)));
    assert_eq!(well.workflow.unwrap().tasks.len(), TASKS_MAX);
    let (_, beyond) = read_alone(&format!("do:\n{}", tasks(TASKS_MAX + 1)));
    assert_eq!(beyond.diagnostics[0].code, "CW0002");
}
