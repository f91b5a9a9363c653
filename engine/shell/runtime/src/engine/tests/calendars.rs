//! Which calendar counts the days of a workflow, and what its hours do.
//!
//! The world begins on Monday 3 August 2026, 11:00 in Brisbane. Wednesday is a holiday.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::world::{World, moment, pack, worker};
use crate::Deployment;
use crate::engine::Wait;

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
