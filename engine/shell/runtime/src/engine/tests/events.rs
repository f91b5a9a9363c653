//! Events from outside and from `emit`: once, in order, to those who want them and nobody else,
//! whatever crashes.

use std::collections::BTreeMap;

use casewright_casework::Principal;
use casewright_store::settings::Settings;
use casewright_store::{Moment, Store, Table};
use jiff::SignedDuration;
use serde_json::{Map, Value, json};

use super::world::{World, complete, request, start_of, within_reason, worker};
use crate::engine::{Limits, Refused};
use crate::port::EffectKind;
use crate::view::InstanceView;

const PACK: &str = "
namespace: NAMESPACE
title: Listening agency
timeZone: Australia/Brisbane
caseNumber: LA-{year}-{number:5}
roles:
  case-worker: { title: Case worker, starts: true }
";

/// Asks, then waits for the family's reply.
const REPLY: &str = "
  - ask:
      call: human-task
      with: { title: Ask the family, assign: { role: case-worker } }
  - reply:
      listen:
        to:
          one:
            with: { type: org.reply }
            correlate:
              family: { from: .data.family, expect: '${ $workflow.input.family }' }
";

/// Waits for two of the same kind, one after the other.
const TWICE: &str = "
  - first:
      listen: { to: { one: { with: { type: org.news } } } }
  - second:
      listen: { to: { one: { with: { type: org.news } } } }
";

const TELL: &str = "
  - tell:
      emit: { event: { with: { source: urn:it, type: org.news, data: { from: tell } } } }
";

const TELL_ALL: &str = "
  - tell:
      metadata: { deliver: agency }
      emit: { event: { with: { source: urn:it, type: org.news, data: { from: tell } } } }
";

fn files(namespace: &str) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    files.insert("pack.yaml".to_owned(), PACK.replace("NAMESPACE", namespace));
    for (name, tasks) in [
        ("reply", REPLY),
        ("twice", TWICE),
        ("tell", TELL),
        ("tell-all", TELL_ALL),
    ] {
        let head = format!(
            "document: {{ dsl: '1.0.3', namespace: {namespace}, name: {name}, version: '1.0.0' }}\n\
             do:"
        );
        files.insert(format!("{name}.yaml"), head + tasks);
    }
    files
}

async fn listening() -> World {
    let world = World::empty(Limits::default(), EffectKind::Keyed, Settings::default()).await;
    world.deploy(files("family-support")).await.unwrap();
    world
}

fn event(kind: &str, id: &str, data: &Value) -> Map<String, Value> {
    let event = json!({
        "specversion": "1.0", "source": "urn:outside", "type": kind, "id": id, "data": data,
    });
    event.as_object().unwrap().clone()
}

fn reply(id: &str, family: &str) -> Map<String, Value> {
    event("org.reply", id, &json!({"family": family, "id": id}))
}

impl World {
    async fn told(&self, who: &Principal, event: Map<String, Value>) {
        self.engine.publish(who, event, None).await.unwrap();
    }

    /// Until everything that was acknowledged has been brought.
    async fn settled(&self) {
        let mut changes = self.engine.changes();
        within_reason(async {
            loop {
                changes.borrow_and_update();
                if self.engine.events_settled().unwrap() {
                    return;
                }
                changes.changed().await.unwrap();
            }
        })
        .await;
    }

    /// How many events an instance has received, whether or not it took them.
    async fn received(&self, id: &str) -> usize {
        let history = self.engine.history(&worker(), id, 0).await.unwrap();
        let received = history.iter().filter(|one| one.event == "event-received");
        received.count()
    }
}

/// The reply comes twice and before anybody waits for it; every request may be repeated.
async fn story(world: &World) -> Result<InstanceView, Refused> {
    let (engine, casey) = (&world.engine, worker());
    let start = start_of("reply", json!({"family": "f7"}));
    let started = engine.start(&casey, start, Some(request("start"))).await?;
    for _ in 0..2 {
        engine.publish(&casey, reply("e1", "f7"), None).await?;
    }
    let item = format!("{}-1", started.id);
    engine.claim(&casey, &item, Some(request("claim"))).await?;
    let done = complete("done", json!(null));
    let key = Some(request("complete"));
    engine.complete(&casey, &item, done, key).await?;
    let mut changes = engine.changes();
    loop {
        changes.borrow_and_update();
        let view = engine.instance(&casey, &started.id).await?;
        if view.status == "completed" {
            return Ok(view);
        }
        changes.changed().await.map_err(|_| Refused::Stopping)?;
    }
}

async fn survives(flush: u64, moment: Moment) -> bool {
    let mut world = listening().await;
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
    let world = world.crash().await;
    let place = format!("flush {flush} {moment:?}");
    assert_eq!(
        view.output,
        Some(json!([{"family": "f7", "id": "e1"}])),
        "{place}"
    );
    world.settled().await;
    assert_eq!(world.received(&view.id).await, 1, "{place}");
    crashed
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_early_and_repeated_event_is_taken_once_over_a_crash_at_any_flush() {
    for moment in [Moment::BeforeFlush, Moment::AfterFlush] {
        let mut flush = 1;
        while survives(flush, moment).await {
            flush += 1;
            assert!(flush < 100, "the story has an end");
        }
        assert!(flush > 3, "crashed at {flush}");
    }
}

/// Four wait for one event, and the store stops at this flush after it is published.
async fn reaches_all(flush: u64, moment: Moment) -> bool {
    let mut world = listening().await;
    let mut ids = Vec::new();
    for _ in 0..4 {
        ids.push(world.start("twice", json!({})).await.id);
    }
    let last = world.faults.flush_count() + flush;
    world.faults.stop_at(flush, moment);
    let news = || event("org.news", "n1", &json!(1));
    let told = world.engine.publish(&worker(), news(), None).await.is_ok();
    let crashed = within_reason(async {
        // The brought are not waited for by anybody: only the store can tell that it stopped.
        while !world.engine.events_settled().unwrap() {
            if world.faults.flush_count() >= last {
                return true;
            }
            tokio::task::yield_now().await;
        }
        !told
    })
    .await;
    if crashed {
        world = world.crash().await;
    }
    if !told {
        world.told(&worker(), news()).await;
    }
    let world = world.crash().await;
    world.settled().await;
    for id in &ids {
        assert_eq!(world.received(id).await, 1, "flush {flush} {moment:?}");
    }
    crashed
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_for_many_reaches_each_once_over_a_crash_at_any_flush() {
    for moment in [Moment::BeforeFlush, Moment::AfterFlush] {
        let mut flush = 1;
        while reaches_all(flush, moment).await {
            flush += 1;
            assert!(flush < 50, "the story has an end");
        }
        assert!(flush > 1, "publishing is one flush");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_one_run_wants_needs_nobody_to_bring_it() {
    let world = listening().await;
    let mine = world.start("reply", json!({"family": "f7"})).await.id;
    let _nothing_is_brought = world.engine.shared.inbox.bringing.lock().await;
    for _ in 0..2 {
        world.told(&worker(), reply("e1", "f7")).await;
        let kept = world.store.scan(Table::EventKept, &[], &[0xff; 17], 1);
        assert!(kept.unwrap().is_empty());
        assert_eq!(world.received(&mine).await, 1);
    }
    for _ in 0..2 {
        let key = Some(request("e2"));
        let published = world
            .engine
            .publish(&worker(), reply("e2", "f7"), key)
            .await;
        assert_eq!(published.unwrap().id, "e2");
        assert_eq!(world.received(&mine).await, 2);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_overtakes_no_event_that_is_still_on_its_way() {
    let world = listening().await;
    for _ in 0..2 {
        world.start("twice", json!({})).await;
    }
    let mine = world.start("reply", json!({"family": "f7"})).await.id;
    let nothing_is_brought = world.engine.shared.inbox.bringing.lock().await;
    world
        .told(&worker(), event("org.news", "n1", &json!(1)))
        .await;
    world.told(&worker(), reply("e1", "f7")).await;
    assert_eq!(world.received(&mine).await, 0);
    drop(nothing_is_brought);
    world.settled().await;
    assert_eq!(world.received(&mine).await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_correlation_known_from_the_start_keeps_others_events_away() {
    let world = listening().await;
    let mine = world.start("reply", json!({"family": "f7"})).await.id;
    let other = world.start("reply", json!({"family": "f8"})).await.id;
    world.told(&worker(), reply("e1", "f7")).await;
    world
        .told(&worker(), event("org.else", "e2", &json!({"family": "f7"})))
        .await;
    world.settled().await;
    assert_eq!(
        (world.received(&mine).await, world.received(&other).await),
        (1, 0)
    );
    let rows = world.store.scan(Table::Subscription, &[], &[0xff; 9], 99);
    let keys = rows.unwrap();
    let text: Vec<String> = keys
        .iter()
        .map(|(key, _)| String::from_utf8_lossy(key).into_owned())
        .collect();
    assert!(
        text.iter()
            .all(|key| !key.contains("f7") && !key.contains("org.reply")),
        "{text:?}"
    );
    world
        .engine
        .cancel(&worker(), &other, None, None)
        .await
        .unwrap();
    let rows = world.store.scan(Table::Subscription, b"for", b"fos", 99);
    assert_eq!(
        rows.unwrap().len(),
        1,
        "an instance that has ended wants nothing"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_do_not_cross_agencies() {
    let world = listening().await;
    world.deploy(files("elsewhere")).await.unwrap();
    let stranger = Principal {
        agency: "elsewhere".to_owned(),
        ..worker()
    };
    let mine = world.start("twice", json!({})).await.id;
    let start = start_of("twice", json!({}));
    let theirs = world.engine.start(&stranger, start, None).await.unwrap().id;
    world
        .told(&stranger, event("org.news", "n1", &json!("theirs")))
        .await;
    world.settled().await;
    assert_eq!(world.received(&mine).await, 0);
    // The same source and id in another agency is another event.
    world
        .told(&worker(), event("org.news", "n1", &json!("mine")))
        .await;
    world.settled().await;
    assert_eq!(world.received(&mine).await, 1);
    let history = world.engine.history(&stranger, &theirs, 0).await.unwrap();
    assert_eq!(history.len(), 2, "started, and one event");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_case_emits_stays_in_it_unless_the_document_says_otherwise() {
    let world = listening().await;
    let same = world.start("twice", json!({})).await;
    let other = world.start("twice", json!({})).await.id;
    let in_case = |workflow: &str| crate::engine::Start {
        case: Some(same.case.clone()),
        calendar: None,
        ..start_of(workflow, json!({}))
    };
    let told = world.engine.start(&worker(), in_case("tell"), None).await;
    let told = told.unwrap();
    world.settled().await;
    assert_eq!(told.status, "completed");
    assert_eq!(
        (world.received(&same.id).await, world.received(&other).await),
        (1, 0)
    );
    let all = world
        .engine
        .start(&worker(), in_case("tell-all"), None)
        .await;
    all.unwrap();
    world.settled().await;
    assert_eq!(
        (world.received(&same.id).await, world.received(&other).await),
        (2, 1)
    );
    let view = world
        .instance(&same.id, |view| view.status == "completed")
        .await;
    assert_eq!(view.output, Some(json!([{"from": "tell"}])));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_happened_before_an_instance_began_is_not_for_it() {
    let world = listening().await;
    world
        .told(&worker(), event("org.news", "n1", &json!(1)))
        .await;
    world.clock.forward(SignedDuration::from_secs(1));
    let late = world.start("twice", json!({})).await.id;
    world.settled().await;
    assert_eq!(world.received(&late).await, 0);
    let view = world.instance(&late, |_| true).await;
    assert_eq!(view.waiting[0].kind, "event");
    assert_eq!(view.waiting[0].events, ["org.news"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_event_is_refused_and_quotes_nothing() {
    let world = listening().await;
    let mut broken = reply("e1", "f7");
    broken.insert("time".to_owned(), "Mrs Smith".into());
    let refused = world.engine.publish(&worker(), broken, None).await;
    let Err(Refused::Invalid {
        code,
        status,
        message,
    }) = refused
    else {
        panic!("{refused:?}");
    };
    assert_eq!((code, status), ("event-invalid", 422));
    assert!(!message.contains("Smith"), "{message}");
}
