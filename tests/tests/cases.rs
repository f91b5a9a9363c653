//! Every `.case` file: played purely, and again from every prefix after a round trip of the
//! instance through its codec; and no instance in any of them takes an event that is not its own.
//! `UPDATE=1` rewrites what the files expect.

#![expect(
    clippy::unwrap_used,
    reason = "a test says best where it broke by breaking there"
)]

use std::path::{Path, PathBuf};

use casewright_language::{Answers, Workflow};
use casewright_machine::{Delivery, Effect, Event, Instance, Outcome, Retry, Status, step};
use casewright_tests::case::Case;
use jiff::Timestamp;
use serde_json::Value;

fn files() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let folders = std::fs::read_dir(root).unwrap();
    let mut files: Vec<PathBuf> = folders
        .flat_map(|folder| std::fs::read_dir(folder.unwrap().path()).unwrap())
        .map(|file| file.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "case")
        })
        .collect();
    files.sort();
    assert!(!files.is_empty(), "there are no cases");
    files
}

fn read(path: &Path) -> Case {
    let text = std::fs::read_to_string(path).unwrap();
    Case::parse(&text).unwrap_or_else(|problem| panic!("{}: {problem}", path.display()))
}

fn through_codec(instance: &Instance) -> Instance {
    let bytes = serde_json::to_vec(instance).unwrap();
    let back: Instance = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(&back, instance, "the codec keeps everything");
    back
}

fn check(path: &Path, case: &Case, way: &str, [expected, found]: [&str; 2]) {
    assert!(
        found == expected,
        "{}: {}\n{way}\n--- expected\n{expected}--- found\n{found}",
        path.display(),
        case.title,
    );
}

#[test]
fn every_case_holds() {
    for path in files() {
        let case = read(&path);
        let found = case.play(|_, instance| instance);
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&path, found).unwrap();
        } else {
            check(&path, &case, "played purely", [&case.text, &found]);
        }
    }
}

#[test]
fn every_case_holds_from_every_prefix_through_the_codec() {
    for path in files() {
        let case = read(&path);
        let pure = case.play(|_, instance| instance);
        for prefix in 0..case.moves.len() {
            let found = case.play(|index, instance| {
                if index == prefix {
                    through_codec(&instance)
                } else {
                    instance
                }
            });
            let way = format!("through the codec before event {prefix}");
            check(&path, &case, &way, [&pure, &found]);
        }
    }
}

#[test]
fn no_instance_takes_an_event_that_is_not_its_own() {
    let stranger = Case::parse("# another workflow\ndo:\n  - only:\n      wait: PT1S\n").unwrap();
    let stranger = stranger.workflow();
    let mut refused = 0;
    for path in files() {
        let case = read(&path);
        let own = case.workflow();
        case.play(|_, instance| {
            for event in foreign(&instance) {
                refuse(&path, &own, &instance, &event);
                refused += 1;
            }
            if instance.status() != Status::Pending {
                for event in [Event::Resumed { at: at() }, cancelled()] {
                    refuse(&path, &stranger, &instance, &event);
                }
            }
            instance
        });
    }
    assert!(refused > 1_000, "{refused}");
}

fn refuse(path: &Path, workflow: &Workflow, instance: &Instance, event: &Event) {
    let found = step(workflow, instance, event, &Answers::default());
    assert!(found.is_err(), "{}: {event:?} {found:?}", path.display());
}

/// Events that nothing open in the instance answers to.
fn foreign(instance: &Instance) -> Vec<Event> {
    let open = instance.outstanding();
    let numbers = 0..8;
    let timers = numbers.clone().filter(|number| {
        let own =
            |effect: &Effect| matches!(effect, Effect::SetTimer { timer, .. } if timer == number);
        !open.iter().any(own)
    });
    let items = numbers.filter(|number| {
        let own = |effect: &Effect| matches!(effect, Effect::Offer(offer) if offer.item == *number);
        !open.iter().any(own)
    });
    let mut events: Vec<Event> = timers
        .map(|timer| Event::TimerFired { at: at(), timer })
        .collect();
    events.extend(items.map(|item| Event::WorkItemCompleted {
        at: at(),
        on: None,
        item,
        outcome: "done".to_owned(),
        data: Value::Null,
        comment: None,
        by: Vec::new(),
        overdue: false,
        skipped: false,
    }));
    for effect in &open {
        if let Effect::Call(call) = effect {
            let delivery = &call.delivery;
            let (run, attempt) = (delivery.run, delivery.attempt);
            events.extend([(run + 1, attempt), (run, attempt + 1), (0, 0)].map(
                |(run, attempt)| {
                    let reference = delivery.reference.clone();
                    returned(Delivery {
                        reference,
                        run,
                        attempt,
                    })
                },
            ));
        }
    }
    events.push(child_ended("another key".to_owned()));
    events.push(returned(Delivery {
        reference: "/do/0/nowhere".to_owned(),
        run: 1,
        attempt: 1,
    }));
    if !open.contains(&Effect::Yield) {
        events.push(Event::Resumed { at: at() });
    }
    let ended = matches!(
        instance.status(),
        Status::Pending | Status::Completed | Status::Faulted | Status::Cancelled
    );
    let last = instance.retry() == Retry::Nothing;
    if ended && last {
        events.push(cancelled());
    }
    if last {
        events.push(Event::Retried {
            at: at(),
            by: "olga".to_owned(),
            reason: None,
            certain: true,
        });
    }
    events
}

fn returned(delivery: Delivery) -> Event {
    Event::CallReturned {
        at: at(),
        delivery,
        result: Ok(Value::Null),
    }
}

fn child_ended(key: String) -> Event {
    Event::ChildEnded {
        at: at(),
        key,
        outcome: Outcome::Cancelled,
        acted: false,
        worked: Vec::new(),
    }
}

fn cancelled() -> Event {
    Event::Cancelled {
        at: at(),
        by: "olga".to_owned(),
        reason: None,
    }
}

fn at() -> Timestamp {
    Timestamp::UNIX_EPOCH
}
