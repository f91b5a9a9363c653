//! Generated workflows, run by the machine and by an interpreter of its own: both come to the same
//! output or error, by the same tasks in the same order.
//!
//! `PROPTEST_CASES` says how many; a campaign runs many more than the tests do.
#![expect(clippy::expect_used, reason = "a test that cannot go on should stop")]
#![allow(clippy::print_stdout, reason = "a campaign says what it counted")]

#[path = "reference/generate.rs"]
mod generate;
#[path = "reference/interpret.rs"]
mod interpret;
#[path = "reference/plan.rs"]
mod plan;

use std::cell::Cell;
use std::collections::VecDeque;

use casewright_language::{Answers, Severity, Surroundings, Workflow};
use casewright_machine::event::RuntimeFacts;
use casewright_machine::{
    CallError, CaseFacts, Effect, ErrorKind, Event, Instance, Outcome, Started, Status, Step, step,
};
use interpret::{Ended, Fault, interpret};
use jiff::Timestamp;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use serde_json::{Value, json};

/// Some outcomes depend on who is faster; most do not.
const UNSURE_MAX: u32 = 100_000;

/// The document, checked; what is generated is valid.
fn read(text: &str) -> Workflow {
    let reading = casewright_language::read("generated.yaml", text, &Surroundings::default());
    let errors = reading.diagnostics.iter();
    let errors: Vec<_> = errors
        .filter(|found| found.severity == Severity::Error)
        .map(|found| format!("{} {} {:?}", found.code, found.message, found.help))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}\n{text}");
    reading.workflow.expect("it has no errors")
}

/// Runs it to its end; what it waits for comes in the order it asked.
fn run(workflow: &Workflow, input: &Value) -> Ended {
    let at = Timestamp::UNIX_EPOCH;
    let started = Started {
        at,
        id: "i1".to_owned(),
        input: input.clone(),
        started_by: "ada".to_owned(),
        case: CaseFacts {
            id: "c1".to_owned(),
            number: "1".to_owned(),
            opened: at,
        },
        runtime: RuntimeFacts {
            name: "casewright".to_owned(),
            version: "0".to_owned(),
        },
        depth: 0,
        worked: Vec::new(),
    };
    let mut waiting = VecDeque::from([Event::Started(Box::new(started))]);
    let mut instance = Instance::pending();
    while let Some(event) = waiting.pop_front() {
        let transition = match step(workflow, &instance, &event, &Answers::default()) {
            Ok(Step::Done(transition)) => transition,
            Ok(Step::Ask(questions)) => panic!("{questions:?}"),
            // It was taken back meanwhile.
            Err(_) => continue,
        };
        instance = transition.instance;
        waiting.extend(
            transition
                .effects
                .into_iter()
                .filter_map(|effect| answer(effect, at)),
        );
    }
    let outcome = match instance.outcome().expect("it ends") {
        Outcome::Completed(output) => Ok(output.clone()),
        Outcome::Faulted(fault) => Err(Fault {
            kind: fault.kind.clone(),
            status: fault.status,
            instance: fault.instance.clone(),
        }),
        Outcome::Cancelled => panic!("nobody cancels it"),
    };
    let tasks = instance.task_runs().iter().map(|run| {
        let status = match run.status {
            Status::Completed => "completed",
            Status::Faulted => "faulted",
            other => panic!("{other:?}"),
        };
        (run.reference.to_string(), status)
    });
    Ended {
        outcome,
        tasks: tasks.collect(),
        mixed: false,
    }
}

fn answer(effect: Effect, at: Timestamp) -> Option<Event> {
    match effect {
        Effect::Call(call) => {
            let result = if call.function == "echo.give" {
                Ok(json!({ "a": call.input }))
            } else {
                Err(CallError {
                    kind: ErrorKind::Business,
                    code: "echo.closed".to_owned(),
                    status: 422,
                    message: "closed".to_owned(),
                    details: None,
                    retry_after_ms: None,
                })
            };
            Some(Event::CallReturned {
                at,
                delivery: call.delivery,
                result,
            })
        }
        Effect::SetTimer { timer, .. } => Some(Event::TimerFired { at, timer }),
        _ => None,
    }
}

#[test]
fn the_machine_and_the_interpreter_agree() {
    let (compared, unsure) = (Cell::new(0_u32), Cell::new(0_u32));
    let mut runner = TestRunner::new(Config {
        max_global_rejects: UNSURE_MAX,
        failure_persistence: None,
        ..Config::default()
    });
    let agreed = runner.run(&generate::plans(), |plan| {
        let text = plan.document().to_string();
        let workflow = read(&text);
        let Some(expected) = interpret(&plan) else {
            // Who is faster is not for the interpreter to say.
            unsure.set(unsure.get() + 1);
            return Err(TestCaseError::reject("unsure"));
        };
        let found = run(&workflow, &plan.input).sorted_if(expected.mixed);
        prop_assert_eq!(found, expected, "{}", text);
        compared.set(compared.get() + 1);
        Ok(())
    });
    let (compared, unsure) = (compared.get(), unsure.get());
    println!("{compared} workflows compared, {unsure} passed over as unsure");
    if let Err(error) = agreed {
        panic!("{error}");
    }
}
