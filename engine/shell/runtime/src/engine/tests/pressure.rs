//! Too much at once, a full disk, small memory: refused in time, nothing lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use casewright_store::settings::Settings;
use serde_json::json;

use super::world::{World, aud, pack, start_of, within_reason, worker};
use crate::engine::{Limits, Refused};
use crate::port::EffectKind;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_many_requests_are_refused_and_the_others_kept() {
    let limits = Limits {
        requests_max: 3,
        ..Limits::default()
    };
    let world = World::within(limits, EffectKind::Keyed).await;
    world.faults.hold();
    let mut starts = Vec::new();
    for _ in 0..3 {
        let engine = world.engine.clone();
        starts.push(tokio::spawn(async move {
            engine
                .start(&worker(), start_of("brokerage", json!({})), None)
                .await
        }));
    }
    within_reason(async {
        // The three hold their places until their flush.
        while world.engine.resident_count() < 3 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let fourth = world
        .engine
        .start(&worker(), start_of("brokerage", json!({})), None)
        .await;
    assert_eq!(fourth.unwrap_err(), Refused::Busy);
    world.faults.release();
    for start in starts {
        let started = start.await.unwrap().unwrap();
        world.item(&started.id, "request").await;
    }
    world.start("brokerage", json!({})).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_changes_and_serves_reads() {
    let free = Arc::new(AtomicU64::new(1 << 40));
    let probe = Arc::clone(&free);
    let settings = Settings {
        free_space: Some(Arc::new(move || Ok(probe.load(Ordering::Relaxed)))),
        probe_every: std::time::Duration::ZERO,
        ..Settings::default()
    };
    let reserve = settings.reserve_bytes;
    let world = World::empty(Limits::default(), EffectKind::Keyed, settings).await;
    world.deploy(pack("100000")).await.unwrap();
    let started = world.start("brokerage", json!({})).await;
    let item = world.item(&started.id, "request").await;
    free.store(reserve / 2, Ordering::Relaxed);
    let full = || async {
        let start = start_of("brokerage", json!({}));
        world.engine.start(&worker(), start, None).await
    };
    // The store may take what it had measured room for before.
    within_reason(async { while full().await.err() != Some(Refused::DiskFull) {} }).await;
    assert_eq!(
        world
            .engine
            .claim(&worker(), &item.id, None)
            .await
            .unwrap_err(),
        Refused::DiskFull
    );
    world.engine.instance(&worker(), &started.id).await.unwrap();
    world.engine.work_item(&worker(), &item.id).await.unwrap();
    // Opening a case is audited from the reserve.
    world.engine.case(&worker(), &started.case).await.unwrap();
    free.store(1 << 40, Ordering::Relaxed);
    world.engine.claim(&worker(), &item.id, None).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_instances_than_memory_holds_go_on() {
    let limits = Limits {
        residents_max: 4,
        ..Limits::default()
    };
    let world = World::within(limits, EffectKind::Keyed).await;
    let mut all = Vec::new();
    for _ in 0..20 {
        all.push(world.start("brokerage", json!({})).await);
        world.clock.forward(jiff::SignedDuration::from_secs(1));
    }
    let _settled = world.engine.changes();
    for started in &all {
        let item = world.item(&started.id, "request").await;
        let data = json!({"money": aud(1_000)});
        world
            .decide(&worker(), &item.id, "done", data)
            .await
            .unwrap();
        world.item(&started.id, "decision").await;
    }
    let fund = world.engine.funds(&worker()).await.unwrap().remove(0);
    assert_eq!(fund.reserved_minor, 20_000);
    world.clock.forward(jiff::SignedDuration::from_mins(5));
    within_reason(async {
        while world.engine.resident_count() > 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_beyond_the_bound_wait_for_their_turn() {
    let limits = Limits {
        calls_max: 2,
        calls_waiting_max: 3,
        ..Limits::default()
    };
    let world = World::within(limits, EffectKind::Keyed).await;
    world.partner.hold();
    let mut all = Vec::new();
    for _ in 0..5 {
        all.push(world.start("pay", aud(500)).await);
    }
    let sixth = world
        .engine
        .start(&worker(), start_of("pay", aud(500)), None)
        .await;
    assert_eq!(sixth.unwrap_err(), Refused::Busy);
    within_reason(async {
        while world.partner.requests() < 2 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(world.partner.requests(), 2);
    world.partner.open();
    for started in &all {
        world
            .instance(&started.id, |view| view.status == "completed")
            .await;
    }
    assert_eq!(world.partner.payments(), 5);
}
