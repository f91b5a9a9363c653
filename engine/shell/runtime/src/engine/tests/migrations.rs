//! A run in another version: over every crash, over timers and events, and beside whoever decides
//! at the same moment.

use std::collections::BTreeMap;

use casewright_casework::Principal;
use casewright_casework::audit::Action;
use casewright_store::{Moment, Table};
use jiff::SignedDuration;
use serde_json::{Map, Value, json};

use super::meanwhile::of_case;
use super::world::{World, complete, request, staff, start_of, within_reason, worker};
use crate::engine::{Limits, Migrate, MoveTo, Refused};
use crate::port::EffectKind;
use crate::view::InstanceView;

const PACK: &str = "
namespace: family-support
title: Moving agency
timeZone: Australia/Brisbane
caseNumber: MA-{year}-{number:5}
roles:
  case-worker: { title: Case worker, starts: true }
  administrator: { title: Administrator, administers: true }
";

/// Asks, pays under one key, waits, and hears an answer.
const TASKS: &str = "
  - ask:
      call: human-task
      with: { title: Ask, assign: { role: case-worker } }
  - pay:
      call: payment-issue.pay
      with: { money: { minor: 500, currency: AUD } }
  - pause:
      wait: P2D
  - answer:
      listen: { to: { one: { with: { type: org.OLD } } } }
  - said:
      set: { paid: '${ $steps.pay.receipt }', answer: '${ $steps.answer[0].word }' }
";

const NOTE: &str = "
  - note:
      set: { noted: true }";

fn files(version: &str, tasks: &str) -> BTreeMap<String, String> {
    let head = format!(
        "document: {{ dsl: '1.0.3', namespace: family-support, name: it, version: '{version}' }}"
    );
    BTreeMap::from([
        ("pack.yaml".to_owned(), PACK.to_owned()),
        ("it.yaml".to_owned(), format!("{head}\ndo:{tasks}")),
    ])
}

fn before() -> BTreeMap<String, String> {
    files("1.0.0", &TASKS.replace("OLD", "old"))
}

/// One more step before all others, so that every pointer changes; and another event at the end.
fn after() -> BTreeMap<String, String> {
    files("1.1.0", &format!("{NOTE}{}", TASKS.replace("OLD", "new")))
}

fn alex() -> Principal {
    staff("u-alex", &["administrator"])
}

fn to_new() -> Migrate {
    Migrate {
        to: MoveTo::InForce(None),
        reason: "a better way".to_owned(),
    }
}

fn event(kind: &str) -> Map<String, Value> {
    let event = json!({
        "specversion": "1.0",
        "id": format!("of-{kind}"),
        "source": "urn:partner",
        "type": format!("org.{kind}"),
        "data": { "word": kind },
    });
    event.as_object().unwrap().clone()
}

async fn world() -> World {
    let world = World::new().await;
    world.deploy(before()).await.unwrap();
    world
}

fn code(refused: &Refused) -> &str {
    match refused {
        Refused::Invalid { code, .. } => code,
        Refused::Rule(refusal) => refusal.code.as_str(),
        other => panic!("{other:?}"),
    }
}

/// Every request has a key, so that a client may repeat it after a crash.
async fn story(world: &World, stop: Option<u64>) -> Result<InstanceView, Refused> {
    let engine = &world.engine;
    let who = worker();
    let start = start_of("it", json!({}));
    let started = engine.start(&who, start, Some(request("start"))).await?;
    let id = started.id;
    if engine.pack(&alex())?.workflows[0].version == "1.0.0" {
        world.deploy(after()).await?;
    }
    engine
        .migrate(&alex(), &id, to_new(), Some(request("move")))
        .await?;
    let item = format!("{id}-1");
    engine.claim(&who, &item, Some(request("claim"))).await?;
    let done = complete("done", json!(null));
    engine
        .complete(&who, &item, done, Some(request("complete")))
        .await?;
    let waits = |view: &InstanceView| view.status == "waiting";
    settled(world, stop, &id, waits).await?;
    world.clock.forward(SignedDuration::from_hours(48));
    let hears = |view: &InstanceView| view.waiting.iter().any(|one| one.kind == "event");
    settled(world, stop, &id, hears).await?;
    engine.publish(&who, event("old"), None).await?;
    engine.publish(&who, event("new"), None).await?;
    settled(world, stop, &id, |view| view.status == "completed").await
}

/// As `World::instance`, for a world that may stop. A run that has gone further is as wanted too.
async fn settled(
    world: &World,
    stop: Option<u64>,
    id: &str,
    wanted: impl Fn(&InstanceView) -> bool,
) -> Result<InstanceView, Refused> {
    let mut changes = world.engine.changes();
    loop {
        changes.borrow_and_update();
        let view = world.engine.instance(&worker(), id).await?;
        if wanted(&view) || view.status == "completed" {
            return Ok(view);
        }
        // A store that stopped while nobody had a request under way tells nobody.
        if stop.is_some_and(|flush| world.faults.flush_count() >= flush) {
            return Err(Refused::Stopping);
        }
        changes.changed().await.map_err(|_| Refused::Stopping)?;
    }
}

async fn survives(flush: u64, moment: Moment) -> bool {
    let mut world = world().await;
    let mut stop = Some(world.faults.flush_count() + flush);
    world.faults.stop_at(flush, moment);
    let mut crashed = false;
    let view = loop {
        match within_reason(story(&world, stop)).await {
            Ok(view) => break view,
            Err(Refused::Stopping) => {
                crashed = true;
                stop = None;
                world = world.crash().await;
            }
            Err(refused) => panic!("flush {flush} {moment:?}: {refused:?}"),
        }
    };
    let world = world.crash().await;
    let place = format!("flush {flush} {moment:?}");
    assert_eq!(view.version, "1.1.0", "{place}");
    let output = json!({"paid": "R-1", "answer": "new"});
    assert_eq!(view.output, Some(output), "{place}");
    assert_eq!(world.partner.payments(), 1, "{place}");
    let history = world.engine.history(&worker(), &view.id, 0).await.unwrap();
    let moves = history.iter().filter(|entry| entry.event == "migrated");
    assert_eq!(moves.count(), 1, "{place}");
    crashed
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_at_any_flush_moves_a_run_once_and_pays_once() {
    for moment in [Moment::BeforeFlush, Moment::AfterFlush] {
        let mut flush = 1;
        while survives(flush, moment).await {
            flush += 1;
            assert!(flush < 100, "the story has an end");
        }
        assert!(flush > 8, "crashed at {flush}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_left_memory_is_read_by_the_version_of_each_event() {
    let limits = Limits {
        idle_ms: 0,
        ..Limits::default()
    };
    let world = World::within(limits, EffectKind::Keyed).await;
    world.deploy(before()).await.unwrap();
    let id = world.start("it", json!({})).await.id;
    world.deploy(after()).await.unwrap();
    for (to, version) in [
        (MoveTo::InForce(Some("1.1.0".to_owned())), "1.1.0"),
        (MoveTo::Back, "1.0.0"),
        (MoveTo::Back, "1.1.0"),
    ] {
        world.all_parked().await;
        let migrate = Migrate {
            to,
            reason: "to and fro".to_owned(),
        };
        let moved = world.engine.migrate(&alex(), &id, migrate, None).await;
        assert_eq!(moved.unwrap().to, version);
    }
    let world = world.crash().await;
    let view = world.engine.instance(&worker(), &id).await.unwrap();
    assert_eq!(view.version, "1.1.0");
    let item = format!("{id}-1");
    let done = world.decide(&worker(), &item, "done", json!(null)).await;
    assert_eq!(done.unwrap().state, "completed");
    let history = world.engine.history(&worker(), &id, 0).await.unwrap();
    assert_eq!(
        history.iter().filter(|one| one.event == "migrated").count(),
        3
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_timer_goes_on_and_events_follow_the_version() {
    let world = world().await;
    let id = world.start("it", json!({})).await.id;
    world
        .decide(&worker(), &format!("{id}-1"), "done", json!(null))
        .await
        .unwrap();
    let paused = |view: &InstanceView| view.waiting.iter().any(|one| one.kind == "timer");
    let until = world.instance(&id, paused).await.waiting[0].until;
    world.deploy(after()).await.unwrap();
    world
        .engine
        .migrate(&alex(), &id, to_new(), None)
        .await
        .unwrap();
    let view = world.instance(&id, paused).await;
    assert_eq!(view.waiting[0].until, until, "the moment is kept");
    world.clock.forward(SignedDuration::from_hours(48));
    let hears = |view: &InstanceView| view.waiting.iter().any(|one| one.kind == "event");
    world.instance(&id, hears).await;
    // Another version waits for another event: a run is not moved from under what it waits for.
    let other = files("1.2.0", &format!("{NOTE}{}", TASKS.replace("OLD", "newer")));
    world.deploy(other).await.unwrap();
    let refused = world.engine.migrate(&alex(), &id, to_new(), None).await;
    assert_eq!(code(&refused.unwrap_err()), "not-migratable");
    world
        .engine
        .publish(&worker(), event("new"), None)
        .await
        .unwrap();
    let ended = |view: &InstanceView| view.status == "completed";
    let output = world.instance(&id, ended).await.output;
    assert_eq!(output.unwrap()["answer"], "new");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_moved_while_a_call_is_under_way() {
    let world = world().await;
    let id = world.start("it", json!({})).await.id;
    world.partner.hold();
    world
        .decide(&worker(), &format!("{id}-1"), "done", json!(null))
        .await
        .unwrap();
    world.deploy(after()).await.unwrap();
    let preview = world
        .engine
        .migration(&alex(), &id, &MoveTo::InForce(None))
        .await;
    assert_eq!(preview.unwrap().obstacles[0]["code"], "busy");
    let refused = world.engine.migrate(&alex(), &id, to_new(), None).await;
    assert_eq!(code(&refused.unwrap_err()), "not-migratable");
    world.partner.open();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_who_may_deploy_moves_a_run_and_says_why() {
    let world = world().await;
    let id = world.start("it", json!({})).await.id;
    world.deploy(after()).await.unwrap();
    let refused = world.engine.migrate(&worker(), &id, to_new(), None).await;
    assert_eq!(code(&refused.unwrap_err()), "not-assigned");
    let refused = world
        .engine
        .migration(&worker(), &id, &MoveTo::InForce(None))
        .await;
    assert_eq!(code(&refused.unwrap_err()), "not-assigned");
    let silent = Migrate {
        reason: " ".to_owned(),
        ..to_new()
    };
    let refused = world.engine.migrate(&alex(), &id, silent, None).await;
    assert_eq!(code(&refused.unwrap_err()), "invalid-input");
    let never = Migrate {
        to: MoveTo::Back,
        ..to_new()
    };
    let refused = world.engine.migrate(&alex(), &id, never, None).await;
    assert_eq!(code(&refused.unwrap_err()), "not-migrated");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_is_moved_as_its_open_task_stands_then() {
    let world = world().await;
    let started = world.start("it", json!({})).await;
    world.deploy(after()).await.unwrap();
    let key = format!("{}-1", started.id).into_bytes();
    let row = of_case(&started.case, Table::WorkItem, key);
    world.touch(Action::InstanceMigrated, row);
    let who = alex();
    let moved = world.engine.migrate(&who, &started.id, to_new(), None);
    moved.await.unwrap();
    assert!(!world.overlooked());
}
