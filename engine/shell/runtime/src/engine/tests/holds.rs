//! Work on hold: its clock, its end by itself, over crashes. The world begins on Monday 3 August
//! 2026, 11:00 in Brisbane; Wednesday is a holiday, so `ask` is due when Friday ends.

use jiff::Timestamp;
use serde_json::json;

use super::world::{World, leader, moment, within_reason, worker};
use crate::engine::{Refused, Wait};
use crate::view::WorkItemView;

fn wait(until: Option<&str>) -> Wait {
    Wait {
        until: until.map(moment),
        reason: "the family is away".to_owned(),
    }
}

async fn look(world: &World, item: &str) -> WorkItemView {
    world.engine.work_item(&worker(), item).await.unwrap()
}

/// Waits until the item is as wanted.
async fn until(world: &World, item: &str, wanted: impl Fn(&WorkItemView) -> bool) -> WorkItemView {
    let mut changes = world.engine.changes();
    within_reason(async {
        loop {
            changes.borrow_and_update();
            let seen = look(world, item).await;
            if wanted(&seen) {
                return seen;
            }
            changes.changed().await.unwrap();
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn time_on_hold_does_not_count_and_it_comes_back_by_itself() {
    let world = World::new().await;
    let started = world.start("pause", json!({})).await;
    let item = world.item(&started.id, "ask").await.id;
    let engine = &world.engine;
    engine.claim(&worker(), &item, None).await.unwrap();
    let due = look(&world, &item).await.due;
    assert_eq!(due, Some(moment("2026-08-07T13:59:59.999Z")));
    // Until Monday the 17th at midnight: Tuesday, Thursday, Friday, five days of a week, Monday.
    let back = "2026-08-16T14:00:00Z";
    let held = engine.hold(&worker(), &item, wait(Some(back)), None).await;
    assert_eq!(held.unwrap().state, "held");
    let world = world.crash().await;
    world.clock.set(moment("2026-08-10T00:00:00Z"));
    let other = world.start("wait", json!({"pause": "PT1S"})).await;
    world.clock.set(moment("2026-08-10T00:00:01Z"));
    world
        .instance(&other.id, |view| view.status == "completed")
        .await;
    let held = look(&world, &item).await;
    assert!(held.escalated_to.is_empty() && !held.overdue, "{held:?}");
    world.clock.set(moment(back));
    let seen = until(&world, &item, |item| item.state == "claimed").await;
    assert_eq!(seen.claimed_by.unwrap().id, worker().id);
    let due: Timestamp = moment("2026-08-20T13:59:59.999Z");
    assert_eq!(
        seen.due,
        Some(due),
        "nine working days after Friday the 7th"
    );
    world.clock.set(due);
    let late = until(&world, &item, |item| !item.escalated_to.is_empty()).await;
    assert_eq!(late.escalated_to, [json!({"role": "team-leader"})]);
    let told = world.engine.timeline(&leader(), &started.case).await;
    let told = told.unwrap();
    let found = |action: &str| {
        let entry = told.iter().find(|entry| entry.action == action).unwrap();
        (entry.who.id.clone(), entry.comment.clone())
    };
    assert_eq!(
        found("work-item-held"),
        (worker().id, Some("the family is away".to_owned()))
    );
    assert_eq!(found("work-item-resumed").0, "engine");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_duty_on_the_wall_clock_never_waits() {
    let world = World::new().await;
    let started = world.start("pause", json!({})).await;
    let ask = world.item(&started.id, "ask").await.id;
    world
        .decide(&worker(), &ask, "done", json!({}))
        .await
        .unwrap();
    let duty = world.item(&started.id, "report").await;
    assert!(!duty.holdable);
    let engine = &world.engine;
    engine.claim(&worker(), &duty.id, None).await.unwrap();
    let refused = engine.hold(&worker(), &duty.id, wait(None), None).await;
    let Err(Refused::Rule(refusal)) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(refusal.code.as_str(), "not-holdable");
    assert_eq!(duty.due, Some(moment("2026-08-04T01:00:00Z")));
    world.clock.set(moment("2026-08-03T21:00:00Z"));
    until(&world, &duty.id, |item| item.reminded.is_some()).await;
}
