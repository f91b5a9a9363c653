//! Which calendar counts the days of a workflow, and what its hours do.
//!
//! The world begins on Monday 3 August 2026, 11:00 in Brisbane. Wednesday is a holiday.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::world::{World, moment, pack, staff, start_of, worker};
use crate::Deployment;
use crate::engine::{Refused, Start, Wait};

const CALENDARS: &str = "  au-qld: calendars/au-qld.ics\n";

/// `desk` takes what is asked until ten; `late-desk` counts its days so.
fn files(named: &str) -> BTreeMap<String, String> {
    let mut files = pack("100000");
    let more = format!("{CALENDARS}  desk: {{ file: calendars/au-qld.ics, cutOff: '10:00' }}\n");
    let text = files["pack.yaml"].replace(CALENDARS, &more);
    assert!(text.contains("desk"));
    files.insert("pack.yaml".to_owned(), text);
    let late = files["late.yaml"]
        .replace("name: late", "name: late-desk")
        .replace(
            "due: 3 business days",
            "due: 3 business days\n        clock: stops-on-hold",
        )
        .replace("call: approval", "call: human-task")
        .replace("{ role: team-leader }", "{ role: case-worker }")
        .replace(
            "  version:",
            &format!("  metadata: {{ calendar: {named} }}\n  version:"),
        );
    files.insert("late-desk.yaml".to_owned(), late);
    files
}

async fn due(world: &World, id: &str) -> Timestamp {
    world.item(id, "decision").await.due.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_workflow_counts_its_days_by_the_calendar_that_it_names() {
    let world = World::new().await;
    world.deploy(files("desk")).await.unwrap();
    let late = world.start("late", json!({})).await;
    let desk = world.start("late-desk", json!({})).await;
    // Tuesday, Thursday and Friday; asked after ten, Tuesday is the day of asking.
    assert_eq!(
        due(&world, &late.id).await,
        moment("2026-08-07T13:59:59.999Z")
    );
    assert_eq!(
        due(&world, &desk.id).await,
        moment("2026-08-10T13:59:59.999Z")
    );
    // The clock that stood still goes on by the same calendar, also after a crash.
    let item = world.item(&desk.id, "decision").await;
    world.engine.claim(&worker(), &item.id, None).await.unwrap();
    let wait = Wait {
        until: None,
        reason: "The family is away".to_owned(),
    };
    world
        .engine
        .hold(&worker(), &item.id, wait, None)
        .await
        .unwrap();
    let world = world.crash().await;
    world.clock.forward(SignedDuration::from_hours(24));
    world
        .engine
        .resume(&worker(), &item.id, None)
        .await
        .unwrap();
    assert_eq!(
        due(&world, &desk.id).await,
        moment("2026-08-11T13:59:59.999Z")
    );
}

#[test]
fn a_calendar_that_is_not_there_is_refused_with_the_file_that_names_it() {
    let installed = casewright_language::Surroundings::default();
    let findings = Deployment::read(files("dsek"), &installed, &[]).unwrap_err();
    let told: Vec<_> = findings
        .iter()
        .map(|found| (found.code, found.file.as_str()))
        .collect();
    assert_eq!(told, [("CW0501", "late-desk.yaml")]);
    assert!(
        findings[0].message.contains("`dsek`"),
        "{}",
        findings[0].message
    );
}

/// `late` in three shapes: as it is, with a calendar of its workflow, with one of its task.
fn placed() -> BTreeMap<String, String> {
    let mut files = pack("100000");
    let week = |name: &str, days: &str| {
        format!("  {name}: {{ file: calendars/au-qld.ics, workingDays: [ {days} ] }}\n")
    };
    let more = [
        CALENDARS.to_owned(),
        week("early", "monday, tuesday"),
        week("weekend", "saturday, sunday"),
        week("midweek", "wednesday, thursday"),
    ];
    let text = files["pack.yaml"].replace(CALENDARS, &more.concat());
    files.insert("pack.yaml".to_owned(), text);
    let named = files["late.yaml"]
        .replace("name: late", "name: late-named")
        .replace(
            "  version:",
            "  metadata: { calendar: midweek }\n  version:",
        );
    let task = named
        .replace("name: late-named", "name: late-task")
        .replace(
            "due: 3 business days",
            "due: 3 business days\n        calendar: weekend",
        );
    files.insert("late-named.yaml".to_owned(), named);
    files.insert("late-task.yaml".to_owned(), task);
    files
}

fn start(workflow: &str, case: Option<&str>, calendar: Option<&str>) -> Start {
    Start {
        case: case.map(str::to_owned),
        calendar: calendar.map(str::to_owned),
        ..start_of(workflow, json!({}))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_task_goes_before_the_case_and_that_before_workflow_and_pack() {
    let world = World::new().await;
    world.deploy(placed()).await.unwrap();
    let (engine, who) = (&world.engine, worker());
    // The third working day after Monday 3 August, by each; Wednesday is a holiday for all.
    let (pack, workflow) = ("2026-08-07", "2026-08-13");
    let (case, task) = ("2026-08-11", "2026-08-15");
    for (name, calendar, day, counted) in [
        ("late", None, pack, "au-qld"),
        ("late-named", None, workflow, "midweek"),
        ("late", Some("early"), case, "early"),
        ("late-named", Some("early"), case, "early"),
        ("late-task", None, task, "weekend"),
        ("late-task", Some("early"), task, "weekend"),
    ] {
        let started = engine.start(&who, start(name, None, calendar), None);
        let started = started.await.unwrap();
        let item = world.item(&started.id, "decision").await;
        let end = moment(&format!("{day}T13:59:59.999Z"));
        assert_eq!(item.due, Some(end), "{name} {calendar:?}");
        assert_eq!(item.deadline.unwrap().calendar, counted);
    }
    let unknown = start("late", None, Some("erly"));
    let Err(Refused::Invalid { code, message, .. }) = engine.start(&who, unknown, None).await
    else {
        panic!("it must be refused");
    };
    assert_eq!(code, "unknown-calendar");
    assert_eq!(
        message,
        "there is no calendar `erly`; there are: au-qld, early, midweek, weekend"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_case_keeps_its_calendar_and_may_be_given_another() {
    let world = World::new().await;
    world.deploy(placed()).await.unwrap();
    let (engine, who) = (&world.engine, worker());
    let first = start("late", None, Some("early"));
    let first = engine.start(&who, first, None).await.unwrap();
    let case = first.case.clone();
    let world = world.crash().await;
    let (engine, who) = (&world.engine, worker());
    let second = start("late", Some(&case), Some("early"));
    let second = engine.start(&who, second, None).await.unwrap();
    assert_eq!(
        due(&world, &second.id).await,
        moment("2026-08-11T13:59:59.999Z")
    );
    // It does not change because a start says so.
    let other = start("late", Some(&case), Some("weekend"));
    let Err(Refused::Invalid { code, message, .. }) = engine.start(&who, other, None).await else {
        panic!("it must be refused");
    };
    assert_eq!(code, "other-calendar");
    assert!(message.contains("counts its days by `early`"), "{message}");
    let weekend = Some("weekend".to_owned());
    let set = engine.set_case_calendar(&who, &case, weekend.clone(), None);
    assert_eq!(set.await.unwrap().calendar, weekend);
    let third = engine.start(&who, start("late", Some(&case), None), None);
    let third = third.await.unwrap();
    assert_eq!(
        due(&world, &third.id).await,
        moment("2026-08-15T13:59:59.999Z")
    );
    assert_eq!(
        due(&world, &first.id).await,
        moment("2026-08-11T13:59:59.999Z"),
        "what is open stays"
    );
    let unknown = engine.set_case_calendar(&who, &case, Some("none".to_owned()), None);
    assert!(matches!(
        unknown.await,
        Err(Refused::Invalid {
            code: "unknown-calendar",
            ..
        })
    ));
    let nobody = staff("u-lee", &["team-leader"]);
    let barred = engine.set_case_calendar(&nobody, &case, None, None).await;
    assert!(matches!(barred, Err(Refused::Rule(_))), "{barred:?}");
    let back = engine.set_case_calendar(&who, &case, None, None);
    assert_eq!(back.await.unwrap().calendar, None);
    let told = engine.timeline(&who, &case).await.unwrap();
    let changes = told
        .iter()
        .filter(|one| one.action == "case-calendar-changed");
    assert_eq!(changes.count(), 2);
}
