//! Killed at every flush, before and after it reached the disk, the engine ends where it would
//! have ended, and the partner is asked to pay under one key.

use casewright_machine::ErrorKind;
use casewright_store::Moment;
use serde_json::json;

use super::world::{World, aud, complete, fault, leader, request, start_of, within_reason, worker};
use crate::engine::{Limits, Refused};
use crate::port::EffectKind;
use crate::view::InstanceView;

/// The whole story; every request has a key, so that a client may repeat it after a crash.
async fn story(world: &World) -> Result<InstanceView, Refused> {
    let engine = &world.engine;
    let (casey, lee) = (worker(), leader());
    let start = start_of("brokerage", json!({}));
    let started = engine.start(&casey, start, Some(request("start"))).await?;
    let data = json!({"money": aud(30_000)});
    for (who, number, outcome, data) in
        [(&casey, 1, "done", data), (&lee, 2, "approve", json!(null))]
    {
        let item = format!("{}-{number}", started.id);
        let key = |step: &str| Some(request(&format!("{step} {number}")));
        engine.claim(who, &item, key("claim")).await?;
        let complete = complete(outcome, data);
        engine
            .complete(who, &item, complete, key("complete"))
            .await?;
    }
    let mut changes = engine.changes();
    loop {
        changes.borrow_and_update();
        let view = engine.instance(&casey, &started.id).await?;
        if view.status != "running" {
            return Ok(view);
        }
        changes.changed().await.map_err(|_| Refused::Stopping)?;
    }
}

async fn survives(flush: u64, moment: Moment) -> bool {
    let mut world = World::new().await;
    world.faults.stop_at(flush, moment);
    let mut crashed = false;
    let view = loop {
        match within_reason(story(&world)).await {
            Ok(view) => break view,
            Err(Refused::Stopping) => {
                crashed = true;
                world = world.crash().await;
            }
            Err(refused) => panic!("flush {flush} {moment:?}: {refused:?}"),
        }
    };
    // What was told is on disk; and no fault is planted any more.
    let world = world.crash().await;
    let place = format!("flush {flush} {moment:?}");
    assert_eq!(view.status, "completed", "{place}");
    assert_eq!(
        view.output,
        Some(json!({"result": "paid", "receipt": "R-1"})),
        "{place}"
    );
    assert_eq!(world.partner.payments(), 1, "{place}");
    let fund = world.engine.funds(&worker()).await.unwrap().remove(0);
    assert_eq!(
        (fund.committed_minor, fund.reserved_minor),
        (30_000, 0),
        "{place}"
    );
    let chain = world.engine.audit(&worker(), &view.case).await.unwrap();
    assert_eq!(
        casewright_casework::audit::verify(&view.case, &chain),
        Ok(()),
        "{place}"
    );
    let cases = world.engine.cases(&worker(), None).await.unwrap().items;
    assert_eq!(
        cases.len(),
        1,
        "{place}: a repeated start opened another case"
    );
    crashed
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_at_any_flush_changes_nothing() {
    for moment in [Moment::BeforeFlush, Moment::AfterFlush] {
        let mut flush = 1;
        while survives(flush, moment).await {
            flush += 1;
            assert!(flush < 100, "the story has an end");
        }
        assert!(
            flush > 6,
            "the story has at least six flushes, crashed at {flush}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_keyed_call_under_way_is_sent_again_under_its_key() {
    let world = World::new().await;
    world.partner.hold();
    let started = world.start("pay", aud(500)).await;
    let world = world.crash().await;
    world.partner.open();
    let view = world
        .instance(&started.id, |view| view.status == "completed")
        .await;
    assert_eq!(view.output, Some(json!({"receipt": "R-1"})));
    let journal = world.partner.journal.lock().unwrap();
    assert!(journal.iter().all(|sent| sent.key == journal[0].key));
    assert!(journal.iter().all(|sent| sent.input == journal[0].input));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_acts_at_most_once_is_never_sent_twice() {
    let world = World::within(Limits::default(), EffectKind::AtMostOnce).await;
    world.partner.hold();
    let started = world.start("pay", aud(500)).await;
    let mut sent = world.partner.requests();
    while sent == 0 {
        tokio::task::yield_now().await;
        sent = world.partner.requests();
    }
    let world = world.crash().await;
    let view = world
        .instance(&started.id, |view| view.status != "running")
        .await;
    assert_eq!(world.partner.requests(), sent);
    assert_ne!(view.status, "completed", "nobody knows whether it was paid");
    world.partner.open();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_sandbox_says_of_an_at_most_once_call_is_a_doubt() {
    let world = World::within(Limits::default(), EffectKind::AtMostOnce).await;
    let planted = fault(ErrorKind::Retryable, "plugin.deadline");
    world.partner.faults.lock().unwrap().push(planted);
    let started = world.start("pay", aud(500)).await;
    let view = world
        .instance(&started.id, |view| view.status != "running")
        .await;
    assert_eq!(view.status, "faulted", "{view:?}");
    assert_eq!(world.partner.requests(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_deployment_is_read_again_for_its_instances() {
    let world = World::new().await;
    let started = world.start("brokerage", json!({})).await;
    let mut files = super::world::pack("100000");
    let changed = files["brokerage.yaml"].replace("Ask for brokerage", "Ask differently");
    files.insert("brokerage.yaml".to_owned(), changed);
    world.deploy(files).await.unwrap();
    let world = world.crash().await;
    let item = world.item(&started.id, "request").await;
    let data = json!({"money": aud(30_000)});
    world
        .decide(&worker(), &item.id, "done", data)
        .await
        .unwrap();
    world.item(&started.id, "decision").await;
    let newer = world.start("brokerage", json!({})).await;
    let item = world.item(&newer.id, "request").await;
    assert_eq!(item.title, "Ask differently");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_graceful_stop_leaves_nothing_to_replay() {
    let world = World::new().await;
    let started = world.start("brokerage", json!({})).await;
    world.item(&started.id, "request").await;
    world.engine.stop().await;
    assert!(!world.engine.ready());
    let refused = world
        .engine
        .start(&worker(), start_of("brokerage", json!({})), None)
        .await;
    assert_eq!(refused.unwrap_err(), Refused::Stopping);
    let world = world.crash().await;
    assert!(
        casewright_store::Store::unsettled(&*world.store)
            .unwrap()
            .is_empty()
    );
    world.item(&started.id, "request").await;
}
