//! The bounds of what is kept and gathered; what fits is in `tests/cases/listen`.

use std::sync::Arc;

use casewright_language::{Answers, Surroundings, Workflow, read};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{GATHERED_COUNT_MAX, KEPT_BYTES_MAX, KEPT_COUNT_MAX};
use crate::envelope::EVENT_BYTES_MAX;
use crate::event::RuntimeFacts;
use crate::{CaseFacts, Effect, Event, Instance, Started, Status, Step, Transition, step};

fn workflow(tasks: &str) -> Workflow {
    let head = "document: { dsl: '1.0.3', namespace: test, name: it, version: '1.0.0' }\ndo:\n";
    let reading = read("it", &format!("{head}{tasks}"), &Surroundings::default());
    reading.workflow.expect("the document is valid")
}

fn advance(workflow: &Workflow, instance: &Instance, event: &Event) -> Transition {
    match step(workflow, instance, event, &Answers::default()) {
        Ok(Step::Done(transition)) => *transition,
        other => panic!("{other:?}"),
    }
}

fn started(workflow: &Workflow) -> Instance {
    let at = Timestamp::UNIX_EPOCH;
    let started = Started {
        at,
        id: "i1".to_owned(),
        input: json!({}),
        started_by: "anna".to_owned(),
        depth: 0,
        worked: Vec::new(),
        case: CaseFacts {
            id: "c1".to_owned(),
            number: "1".to_owned(),
            opened: at,
        },
        runtime: RuntimeFacts {
            name: "it".to_owned(),
            version: "0".to_owned(),
        },
    };
    advance(
        workflow,
        &Instance::pending(),
        &Event::Started(Box::new(started)),
    )
    .instance
}

fn arrived(id: usize, data: &Value) -> Event {
    Event::EventReceived {
        at: Timestamp::UNIX_EPOCH,
        envelope: Arc::new(json!({
            "specversion": "1.0", "source": "urn:it", "type": "a", "id": id.to_string(),
            "data": data,
        })),
    }
}

const LATER: &str = "
  - first: { wait: PT1H }
  - reply:
      listen: { to: { one: { with: { type: a } } }, read: envelope }
";

/// Lets so many events come before the `listen` begins; which one it takes, and how many were let
/// go.
fn kept(count: usize, data: &Value) -> (String, usize) {
    let workflow = workflow(LATER);
    let mut instance = started(&workflow);
    let mut let_go = 0;
    for id in 0..count {
        let transition = advance(&workflow, &instance, &arrived(id, data));
        let gone = |effect: &&Effect| matches!(effect, Effect::LetGo { .. });
        let_go += transition.effects.iter().filter(gone).count();
        instance = transition.instance;
    }
    let fired = Event::TimerFired {
        at: Timestamp::UNIX_EPOCH,
        timer: 1,
    };
    let ended = advance(&workflow, &instance, &fired).instance;
    let output = ended.output().expect("it took one");
    (
        output[0]["id"].as_str().unwrap_or_default().to_owned(),
        let_go,
    )
}

#[test]
fn as_many_are_kept_as_fit_and_the_oldest_make_room() {
    assert_eq!(kept(KEPT_COUNT_MAX, &json!(1)), ("0".to_owned(), 0));
    assert_eq!(kept(KEPT_COUNT_MAX + 2, &json!(1)), ("2".to_owned(), 2));
    let large = json!("x".repeat(EVENT_BYTES_MAX - 200));
    let fit = KEPT_BYTES_MAX / EVENT_BYTES_MAX;
    assert_eq!(kept(fit + 3, &large), ("3".to_owned(), 3));
}

const FOR_EVER: &str = "
  - all:
      listen: { to: { any: [ { with: { type: a } } ], until: '${ false }' } }
";

/// How many events it gathers before it faults.
fn gathered(data: &Value) -> usize {
    let workflow = workflow(FOR_EVER);
    let mut instance = started(&workflow);
    for id in 0.. {
        instance = advance(&workflow, &instance, &arrived(id, data)).instance;
        if instance.status() == Status::Faulted {
            return id;
        }
    }
    unreachable!("it gathers without end")
}

#[test]
fn a_listen_that_gathers_without_end_faults() {
    assert_eq!(gathered(&json!(1)), GATHERED_COUNT_MAX);
    assert_eq!(gathered(&json!("x".repeat(EVENT_BYTES_MAX - 200))), 4);
}

const EACH: &str = "
  - all:
      listen: { to: { any: [ { with: { type: a } } ], until: '${ false }' } }
      foreach: { do: [ { look: { if: . == \"wait\", wait: PT1H } } ] }
";

#[test]
fn a_listen_for_ever_does_not_grow_with_what_it_does_for_each() {
    let workflow = workflow(EACH);
    let mut instance = started(&workflow);
    for id in 0..=GATHERED_COUNT_MAX {
        instance = advance(&workflow, &instance, &arrived(id, &json!(1))).instance;
    }
    assert_eq!(instance.status(), Status::Waiting);
    let written = serde_json::to_vec(&instance).expect("it can be written");
    assert!(written.len() < 2_000, "{}", written.len());
}

#[test]
fn what_waits_for_its_turn_is_bounded_and_the_oldest_make_room() {
    let workflow = workflow(EACH);
    let first = arrived(0, &json!("wait"));
    let mut instance = advance(&workflow, &started(&workflow), &first).instance;
    let mut let_go = 0;
    for id in 1..=KEPT_COUNT_MAX + 2 {
        let transition = advance(&workflow, &instance, &arrived(id, &json!(id)));
        let gone = |effect: &&Effect| matches!(effect, Effect::LetGo { .. });
        let_go += transition.effects.iter().filter(gone).count();
        instance = transition.instance;
    }
    assert_eq!(let_go, 2);
}
