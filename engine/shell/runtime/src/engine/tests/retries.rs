//! A failed run goes on: the partner sees one key, runs that wait for each other go on together,
//! whatever would fail again is refused, and a crash at any flush changes nothing of it.

use std::collections::BTreeMap;

use casewright_machine::ErrorKind;
use casewright_store::Moment;
use casewright_store::settings::Settings;
use jiff::SignedDuration;
use serde_json::json;

use super::world::{World, fault, pack, request, start_of, within_reason, worker};
use crate::engine::{Limits, Refused, Retry};
use crate::port::EffectKind;
use crate::view::{InstanceView, RunFilter};

const HEAD: &str = "dsl: '1.0.3', namespace: family-support, version: '1.0.0'";

/// The pack with a workflow that has another one pay, and one that fails by itself.
fn files() -> BTreeMap<String, String> {
    let mut files = pack("100000");
    let documents = [
        (
            "having-paid",
            "do:
  - buy:
      run:
        workflow:
          namespace: family-support
          name: pay
          version: latest
          input: { minor: 1300, currency: AUD }
  - last:
      set: { receipt: '${ $steps.buy.receipt }' }
",
        ),
        (
            "breaking",
            "do:\n  - half:\n      set: { half: '${ .amount / 0 }' }\n",
        ),
    ];
    for (name, tasks) in documents {
        let text = format!("document: {{ {HEAD}, name: {name} }}\n{tasks}");
        files.insert(format!("{name}.yaml"), text);
    }
    files
}

async fn world(effect: EffectKind) -> World {
    let world = World::empty(Limits::default(), effect, Settings::default());
    let world = world.await;
    world.deploy(files()).await.unwrap();
    world
}

fn again(certain: bool) -> Retry {
    Retry {
        reason: "the partner is back".to_owned(),
        certain,
    }
}

fn code(refused: Result<InstanceView, Refused>) -> &'static str {
    match refused {
        Err(Refused::Invalid { code, .. }) => code,
        other => panic!("{other:?}"),
    }
}

fn ended(view: &InstanceView) -> bool {
    ["completed", "faulted"].contains(&view.status.as_str())
}

fn status(wanted: &str) -> RunFilter {
    RunFilter {
        status: Some(wanted.to_owned()),
        ..RunFilter::default()
    }
}

#[tokio::test]
async fn a_retry_asks_the_partner_again_under_the_same_key() {
    let world = world(EffectKind::Keyed).await;
    world
        .partner
        .faults
        .lock()
        .unwrap()
        .push(fault(ErrorKind::Permanent, "pay.closed"));
    let id = world
        .start("pay", json!({"minor": 1300, "currency": "AUD"}))
        .await
        .id;
    let failed = world.instance(&id, ended).await;
    assert_eq!(
        (failed.status.as_str(), failed.retryable),
        ("faulted", true)
    );

    let listed = world
        .engine
        .runs(&worker(), status("faulted"))
        .await
        .unwrap();
    let failure = listed.items[0].failure.clone().unwrap();
    assert_eq!((failure.task.as_str(), failure.retryable), ("pay", true));
    assert_eq!(failure.code, "urn:casewright:error:pay.closed");

    // It fails again with another cause, and says so.
    world
        .partner
        .faults
        .lock()
        .unwrap()
        .push(fault(ErrorKind::Business, "pay.declined"));
    world
        .engine
        .retry(&worker(), &id, again(false), None)
        .await
        .unwrap();
    let failed = world.instance(&id, ended).await;
    assert_eq!(
        failed.error.unwrap()["type"],
        "urn:casewright:error:pay.declined"
    );

    let key = || Some(request("again"));
    let first = world
        .engine
        .retry(&worker(), &id, again(false), key())
        .await
        .unwrap();
    let view = world.instance(&id, ended).await;
    assert_eq!(view.status, "completed");
    // A request that is repeated has its answer, and does nothing.
    let second = world
        .engine
        .retry(&worker(), &id, again(false), key())
        .await
        .unwrap();
    assert_eq!(first.status, second.status);
    assert_eq!(
        code(world.engine.retry(&worker(), &id, again(false), None).await),
        "not-retryable"
    );

    assert_eq!(world.partner.payments(), 1);
    {
        let journal = world.partner.journal.lock().unwrap();
        assert_eq!(journal.len(), 3);
        assert!(
            journal
                .iter()
                .all(|sent| sent.key == journal[0].key && sent.input == journal[0].input)
        );
    }
    let listed = world
        .engine
        .runs(&worker(), status("faulted"))
        .await
        .unwrap();
    assert!(listed.items.is_empty(), "{listed:?}");
    let history = world.engine.history(&worker(), &id, 0).await.unwrap();
    let retried = history.iter().filter(|one| one.event == "retried");
    let reasons: Vec<_> = retried
        .map(|one| (one.by.as_deref(), one.reason.as_deref()))
        .collect();
    assert_eq!(reasons, [(Some("u-casey"), Some("the partner is back")); 2]);
}

#[tokio::test]
async fn what_is_in_doubt_wants_somebody_who_made_sure() {
    let world = world(EffectKind::AtMostOnce).await;
    world
        .partner
        .faults
        .lock()
        .unwrap()
        .push(fault(ErrorKind::InDoubt, "pay.unknown"));
    let id = world
        .start("pay", json!({"minor": 1300, "currency": "AUD"}))
        .await
        .id;
    world.instance(&id, ended).await;
    assert_eq!(
        code(world.engine.retry(&worker(), &id, again(false), None).await),
        "in-doubt"
    );
    world
        .engine
        .retry(&worker(), &id, again(true), None)
        .await
        .unwrap();
    assert_eq!(world.instance(&id, ended).await.status, "completed");
    assert_eq!(world.partner.payments(), 1);
}

#[tokio::test]
async fn what_would_fail_again_is_refused_and_says_what_to_do() {
    let world = world(EffectKind::Keyed).await;
    let id = world.start("breaking", json!({"amount": 5})).await.id;
    assert!(!world.instance(&id, ended).await.retryable);
    let refused = world.engine.retry(&worker(), &id, again(true), None).await;
    let Err(Refused::Invalid { code, message, .. }) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(code, "not-retryable");
    assert!(message.contains("start again"), "{message}");
    let silent = Retry {
        reason: " ".to_owned(),
        certain: false,
    };
    assert_eq!(
        self::code(world.engine.retry(&worker(), &id, silent, None).await),
        "invalid-input"
    );
}

#[tokio::test]
async fn a_failed_run_that_is_given_up_is_cancelled() {
    let world = world(EffectKind::Keyed).await;
    world
        .partner
        .faults
        .lock()
        .unwrap()
        .push(fault(ErrorKind::Permanent, "pay.closed"));
    let id = world
        .start("pay", json!({"minor": 1300, "currency": "AUD"}))
        .await
        .id;
    world.instance(&id, ended).await;
    world
        .engine
        .cancel(&worker(), &id, None, None)
        .await
        .unwrap();
    assert_eq!(
        code(world.engine.retry(&worker(), &id, again(true), None).await),
        "not-retryable"
    );
    for (wanted, count) in [("faulted", 0), ("cancelled", 1)] {
        let listed = world.engine.runs(&worker(), status(wanted)).await.unwrap();
        assert_eq!(listed.items.len(), count, "{wanted}");
    }
}

#[tokio::test]
async fn the_list_is_paged_latest_first_and_holds_every_status() {
    let world = world(EffectKind::Keyed).await;
    let mut started = Vec::new();
    for _ in 0..7 {
        started.push(world.start("wait", json!({"pause": "PT5H"})).await.id);
        world.clock.forward(SignedDuration::from_secs(1));
    }
    world
        .engine
        .cancel(&worker(), &started[3], None, None)
        .await
        .unwrap();
    let (mut seen, mut cursor) = (Vec::new(), None);
    loop {
        let limit = Some(2);
        let filter = RunFilter {
            cursor,
            limit,
            ..RunFilter::default()
        };
        let page = world.engine.runs(&worker(), filter).await.unwrap();
        assert!(page.items.len() <= 2);
        seen.extend(page.items.into_iter().map(|run| run.id));
        match page.next {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    started.reverse();
    assert_eq!(seen, started);
    let refused = world.engine.runs(&worker(), status("broken")).await;
    assert!(
        matches!(refused, Err(Refused::Invalid { status: 422, .. })),
        "{refused:?}"
    );
}

/// Every request has a key, so that a client may repeat it after a crash.
async fn story(world: &World, stop: Option<u64>) -> Result<InstanceView, Refused> {
    let stopped = || match stop {
        Some(flush) if world.faults.flush_count() >= flush => Err(Refused::Stopping),
        Some(_) | None => Ok(()),
    };
    let engine = &world.engine;
    let start = start_of("having-paid", json!({}));
    let id = engine
        .start(&worker(), start, Some(request("start")))
        .await?
        .id;
    let mut retried = false;
    let mut changes = engine.changes();
    loop {
        changes.borrow_and_update();
        let view = engine.instance(&worker(), &id).await?;
        if view.status == "completed" {
            return Ok(view);
        }
        if view.status == "faulted" && !retried {
            let key = Some(request("retry"));
            match engine.retry(&worker(), &id, again(false), key).await {
                Ok(_) => retried = true,
                Err(Refused::Busy) => {}
                Err(refused) => return Err(refused),
            }
            continue;
        }
        stopped()?;
        changes.changed().await.map_err(|_| Refused::Stopping)?;
    }
}

async fn survives(flush: u64, moment: Moment) -> bool {
    let mut world = world(EffectKind::Keyed).await;
    world
        .partner
        .faults
        .lock()
        .unwrap()
        .push(fault(ErrorKind::Permanent, "pay.closed"));
    let mut stop = Some(world.faults.flush_count() + flush);
    world.faults.stop_at(flush, moment);
    let mut crashed = false;
    let view = loop {
        match within_reason(story(&world, stop)).await {
            Ok(view) => break view,
            Err(Refused::Stopping) => {
                (crashed, stop) = (true, None);
                world = world.crash().await;
            }
            Err(refused) => panic!("flush {flush} {moment:?}: {refused:?}"),
        }
    };
    let place = format!("flush {flush} {moment:?}");
    let world = world.crash().await;
    assert_eq!(view.output, Some(json!({"receipt": "R-1"})), "{place}");
    assert_eq!(world.partner.payments(), 1, "{place}");
    let case = world.engine.case(&worker(), &view.case).await.unwrap();
    assert!(
        case.instances.iter().all(|one| one.status == "completed"),
        "{place}"
    );
    let listed = world
        .engine
        .runs(&worker(), RunFilter::default())
        .await
        .unwrap();
    assert!(
        listed.items.iter().all(|run| run.status == "completed"),
        "{place}"
    );
    assert_eq!(listed.items.len(), 2, "{place}");
    crashed
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_at_any_flush_of_a_failure_and_its_retry_pays_once() {
    for moment in [Moment::BeforeFlush, Moment::AfterFlush] {
        let mut flush = 1;
        while survives(flush, moment).await {
            flush += 1;
            assert!(flush < 100, "the story has an end");
        }
        assert!(flush > 7, "crashed at {flush} flushes only");
    }
}
