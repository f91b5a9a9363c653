//! From when the time of a duty counts, in a place where the clocks change.
//!
//! In Chicago clocks show 01:00 to 02:00 twice on 1 November 2026, and skip 02:00 to 03:00 on
//! 8 March.

use std::collections::BTreeMap;

use serde_json::json;

use super::world::{World, moment, pack};

const DUTY: &str = "
document: { dsl: '1.0.3', namespace: family-support, name: duty, version: '1.0.0' }
do:
  - report:
      call: human-task
      with:
        title: Report
        assign: { role: case-worker }
        due: PT24H
        since: ${ $workflow.input.suspected }
        clock: wall
";

fn files() -> BTreeMap<String, String> {
    let mut files = pack("100000");
    let text = files["pack.yaml"].replace("Australia/Brisbane", "America/Chicago");
    assert!(text.contains("America/Chicago"));
    files.insert("pack.yaml".to_owned(), text);
    files.insert("duty.yaml".to_owned(), DUTY.to_owned());
    files
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_duty_counts_from_the_suspicion_and_never_later() {
    let world = World::new().await;
    world.deploy(files()).await.unwrap();
    world.clock.set(moment("2026-11-01T12:00:00Z"));
    for (suspected, due) in [
        // The first of the two times that clocks show it, unless the offset says which.
        ("2026-11-01T01:30", "2026-11-02T06:30:00Z"),
        ("2026-11-01T01:30-05:00", "2026-11-02T06:30:00Z"),
        ("2026-11-01T01:30-06:00", "2026-11-02T07:30:00Z"),
        // 24 hours, whatever the clocks did meanwhile.
        ("2026-10-31T21:00", "2026-11-02T02:00:00Z"),
        ("2026-03-07T21:00", "2026-03-09T03:00:00Z"),
        // A time that no clock showed.
        ("2026-03-08T02:30", "2026-03-09T07:30:00Z"),
        // What is still to come gives nobody more time.
        ("2026-11-01T18:00", "2026-11-02T12:00:00Z"),
    ] {
        let started = world.start("duty", json!({ "suspected": suspected })).await;
        let item = world.item(&started.id, "report").await;
        assert_eq!(item.due, Some(moment(due)), "{suspected}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_duty_that_counts_from_no_moment_is_a_fault_and_not_late() {
    let world = World::new().await;
    world.deploy(files()).await.unwrap();
    let started = world
        .start("duty", json!({ "suspected": "last night" }))
        .await;
    let failed = world.instance(&started.id, |view| view.status == "faulted");
    let told = failed.await.error.unwrap().to_string();
    assert!(told.contains("`since` must be a moment"), "{told}");
}
