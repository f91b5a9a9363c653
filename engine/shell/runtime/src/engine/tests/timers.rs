//! Timers: never early, in order, over crashes and parking.

use casewright_store::Store;
use jiff::SignedDuration;
use serde_json::json;

use super::world::{World, worker};
use crate::engine::Limits;
use crate::port::EffectKind;

fn minutes(count: i64) -> SignedDuration {
    SignedDuration::from_mins(count)
}

/// Few timers in memory at once, so that a test reads rows many times.
fn narrow() -> Limits {
    Limits {
        timers_read_max: 4,
        horizon_ms: 120_000,
        ..Limits::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_timer_fires_at_its_time_and_not_before() {
    let world = World::new().await;
    let started = world.start("wait", json!({"pause": "PT1H"})).await;
    assert_eq!(started.status, "waiting");
    world.clock.forward(minutes(59));
    let other = world.start("wait", json!({"pause": "PT1S"})).await;
    world.clock.forward(SignedDuration::from_secs(59));
    world
        .instance(&other.id, |view| view.status == "completed")
        .await;
    let view = world.engine.instance(&worker(), &started.id).await.unwrap();
    assert_eq!(view.status, "waiting");
    assert_eq!(view.waiting[0].kind, "timer");
    world.clock.forward(SignedDuration::from_secs(1));
    let view = world
        .instance(&started.id, |view| view.status == "completed")
        .await;
    assert_eq!(view.output, Some(json!({"done": true})));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn overdue_timers_fire_once_in_due_order_after_a_crash() {
    let world = World::within(narrow(), EffectKind::Keyed).await;
    let mut waiting = Vec::new();
    for minute in [7, 3, 9, 1, 5, 8, 2, 6, 4, 10] {
        let pause = json!({"pause": format!("PT{minute}M")});
        waiting.push((minute, world.start("wait", pause).await));
    }
    waiting.sort_by_key(|(minute, _)| *minute);
    let world = world.crash().await;
    world.clock.forward(minutes(60 * 24 * 7));
    let mut ended = Vec::new();
    for (_, started) in &waiting {
        world
            .instance(&started.id, |view| view.status == "completed")
            .await;
        let timeline = world
            .engine
            .timeline(&worker(), &started.case)
            .await
            .unwrap();
        let end = timeline
            .iter()
            .filter(|entry| entry.action == "instance-completed");
        assert_eq!(end.count(), 1);
        let history = world
            .engine
            .history(&worker(), &started.id, 1)
            .await
            .unwrap();
        assert_eq!(history.len(), 1, "fired once");
        ended.push(history[0].at);
    }
    assert!(ended.is_sorted(), "{ended:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn timers_beyond_the_horizon_are_found_in_time() {
    let world = World::within(narrow(), EffectKind::Keyed).await;
    let mut waiting = Vec::new();
    for minute in 1..=30 {
        let pause = json!({"pause": format!("PT{minute}M")});
        waiting.push(world.start("wait", pause).await);
    }
    for (index, started) in waiting.iter().enumerate() {
        world.clock.forward(minutes(1));
        world
            .instance(&started.id, |view| view.status == "completed")
            .await;
        if let Some(next) = waiting.get(index + 1) {
            let view = world.engine.instance(&worker(), &next.id).await.unwrap();
            assert_eq!(view.status, "waiting", "timer {} is early", index + 2);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_parked_instance_wakes_for_its_timer() {
    let world = World::new().await;
    let started = world.start("wait", json!({"pause": "PT2H"})).await;
    assert_eq!(world.engine.resident_count(), 1);
    world.clock.forward(minutes(5));
    world.all_parked().await;
    let world = world.crash().await;
    assert_eq!(
        world.engine.resident_count(),
        0,
        "a parked instance is not recovered"
    );
    let history = world.store.history(&started.id).unwrap().unwrap();
    assert_eq!(history.folded_events, history.events.len() as u64);
    assert_eq!(history.snapshot, None, "few events are replayed");
    world.clock.forward(minutes(120));
    world
        .instance(&started.id, |view| view.status == "completed")
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_set_back_neither_repeats_nor_hastens() {
    let world = World::new().await;
    let began = world.engine.now();
    let started = world.start("wait", json!({"pause": "PT10M"})).await;
    world.clock.set(began - minutes(60));
    let later = world.start("wait", json!({"pause": "PT10M"})).await;
    world.clock.set(began + minutes(9));
    let view = world.engine.instance(&worker(), &later.id).await.unwrap();
    assert_eq!(view.status, "waiting");
    world.clock.set(began + minutes(10));
    world
        .instance(&started.id, |view| view.status == "completed")
        .await;
    world
        .instance(&later.id, |view| view.status == "completed")
        .await;
}
