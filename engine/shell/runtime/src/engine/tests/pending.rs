//! Answers that come later: by message or by asking, early, late, twice, never; and over crashes
//! each exactly once.

use casewright_machine::ErrorKind;
use casewright_store::Moment;
use jiff::SignedDuration;
use serde_json::json;

use super::world::{World, fault, request, start_of, within_reason, worker};
use crate::engine::Refused;
use crate::port::{Callback, Pending, Reason, Reply};
use crate::view::{InstanceView, StartedView};

fn pending(poll_after_ms: Option<u64>, expires_unix_ms: Option<u64>) -> Pending {
    Pending {
        correlation: vec!["H-1".to_owned()],
        expires_unix_ms,
        poll_after_ms,
        state: json!({"number": "H-1"}),
    }
}

fn message(state: &str) -> Callback {
    Callback {
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: json!({"state": state}).to_string().into_bytes(),
    }
}

async fn world(pending: Pending) -> World {
    let world = World::new().await;
    *world.partner.pending.lock().unwrap() = Some(pending);
    world
}

/// The token that the partner was given with the first call.
async fn token(world: &World) -> String {
    let first = || {
        let journal = world.partner.journal.lock().unwrap();
        journal.first().map(|first| first.callback_token.clone())
    };
    within_reason(async {
        loop {
            if let Some(token) = first() {
                return token;
            }
            tokio::task::yield_now().await;
        }
    })
    .await
}

async fn parked(world: &World) -> StartedView {
    let started = world.start("apply", json!({})).await;
    world
        .instance(&started.id, |view| view.status == "waiting")
        .await;
    started
}

async fn ended(world: &World, id: &str) -> InstanceView {
    let over = |view: &InstanceView| !matches!(view.status.as_str(), "running" | "waiting");
    world.instance(id, over).await
}

async fn returned(world: &World, id: &str) -> usize {
    let history = world.engine.history(&worker(), id, 0).await.unwrap();
    let returned = history
        .iter()
        .filter(|entry| entry.event == "call-returned");
    returned.count()
}

async fn actions(world: &World, case: &str) -> Vec<String> {
    let timeline = world.engine.timeline(&worker(), case).await.unwrap();
    timeline.into_iter().map(|entry| entry.action).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_is_the_answer_once_however_often_it_is_sent() {
    let world = world(pending(None, None)).await;
    let started = parked(&world).await;
    let token = token(&world).await;
    let view = world.engine.instance(&worker(), &started.id).await.unwrap();
    let [waiting] = view.waiting.as_slice() else {
        panic!("{view:?}")
    };
    assert_eq!(
        (waiting.kind.as_str(), waiting.task.as_str()),
        ("call", "apply")
    );

    for _ in 0..3 {
        world
            .engine
            .callback(&token, message("registered"))
            .await
            .unwrap();
    }
    let view = ended(&world, &started.id).await;
    assert_eq!(view.output, Some(json!({"state": "registered"})));
    world
        .engine
        .callback(&token, message("declined"))
        .await
        .unwrap();
    assert_eq!(returned(&world, &started.id).await, 1);
    assert_eq!(world.partner.resumed.lock().unwrap().len(), 1);
    let actions = actions(&world, &started.case).await;
    for (action, count) in [
        ("answer-awaited", 1),
        ("callback-arrived", 1),
        ("callback-ignored", 1),
        ("function-returned", 1),
    ] {
        let found = actions.iter().filter(|known| *known == action);
        assert_eq!(found.count(), count, "{action} in {actions:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_guesses_a_token_finds_nothing() {
    let world = world(pending(None, None)).await;
    parked(&world).await;
    let token = token(&world).await;
    let last = if token.ends_with('0') { 'g' } else { '0' };
    let other = format!("{}{last}", &token[..token.len() - 1]);
    for guess in ["", "cwc_", &other[..], &token[1..], &"cwc_0".repeat(1_000)] {
        let refused = world.engine.callback(guess, message("registered")).await;
        let Err(Refused::Rule(refusal)) = refused else {
            panic!("{guess}: {refused:?}")
        };
        assert_eq!(refusal.code.status(), 404, "{guess}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_is_faster_than_the_answer_is_kept_for_it() {
    let world = world(pending(None, None)).await;
    world.partner.hold();
    let started = world.start("apply", json!({})).await;
    let token = token(&world).await;
    world
        .engine
        .callback(&token, message("registered"))
        .await
        .unwrap();
    let view = world.engine.instance(&worker(), &started.id).await.unwrap();
    assert_eq!(
        view.status, "running",
        "the call itself has not answered yet"
    );
    world.partner.open();
    let view = ended(&world, &started.id).await;
    assert_eq!(view.output, Some(json!({"state": "registered"})));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_message_it_is_asked_for_when_the_plugin_said() {
    let world = world(pending(Some(60_000), None)).await;
    let started = parked(&world).await;
    let view = world.engine.instance(&worker(), &started.id).await.unwrap();
    let due = view.waiting[0].until.unwrap();
    {
        let mut replies = world.partner.replies.lock().unwrap();
        replies.push_back(Err(fault(ErrorKind::Retryable, "housing.upstream-5xx")));
        replies.push_back(Ok(Reply::Pending(pending(Some(120_000), None))));
        replies.push_back(Ok(Reply::Done(json!({"state": "registered"}))));
    }
    world.clock.set(due);
    // Rests a second after the failure, then waits two minutes.
    for pause in [1, 120] {
        let before = view.waiting[0].until;
        let until = |view: &InstanceView| view.waiting.first().and_then(|one| one.until);
        let now = crate::port::Clock::now(&*world.clock);
        let wanted = now + SignedDuration::from_secs(pause);
        world
            .instance(&started.id, |view| until(view) == Some(wanted))
            .await;
        assert_ne!(before, Some(wanted));
        world.clock.set(wanted);
    }
    let view = ended(&world, &started.id).await;
    assert_eq!(view.output, Some(json!({"state": "registered"})));
    let resumed = world.partner.resumed.lock().unwrap();
    assert_eq!(*resumed, [Reason::Poll, Reason::Poll, Reason::Poll]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_never_comes_ends_the_call() {
    let expires = 1_785_900_000_000;
    let world = world(pending(None, Some(expires))).await;
    let started = parked(&world).await;
    let expires = jiff::Timestamp::from_millisecond(1_785_900_000_000).unwrap();
    world.clock.set(expires);
    let view = ended(&world, &started.id).await;
    assert_eq!(view.status, "faulted");
    let kind = view.error.unwrap()["type"].clone();
    assert_eq!(kind, "urn:casewright:error:expired");
    assert_eq!(*world.partner.resumed.lock().unwrap(), [Reason::Expired]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_gives_up_tells_the_plugin_and_ignores_what_comes_later() {
    let world = world(pending(Some(60_000), None)).await;
    let started = parked(&world).await;
    let token = token(&world).await;
    let replies = || world.partner.replies.lock().unwrap();
    replies().push_back(Err(fault(ErrorKind::Retryable, "housing.upstream-5xx")));
    replies().push_back(Ok(Reply::Done(json!({"state": "withdrawn"}))));
    let engine = &world.engine;
    engine
        .cancel(&worker(), &started.id, None, None)
        .await
        .unwrap();
    let told = |count: usize| {
        let world = &world;
        within_reason(async move {
            while world.partner.resumed.lock().unwrap().len() < count {
                tokio::task::yield_now().await;
            }
        })
    };
    told(1).await;
    world
        .engine
        .callback(&token, message("registered"))
        .await
        .unwrap();
    // The first try to tell failed; it rests and is told again.
    within_reason(async {
        while world.partner.resumed.lock().unwrap().len() < 2 {
            world.clock.forward(SignedDuration::from_secs(1));
            tokio::task::yield_now().await;
        }
    })
    .await;
    let resumed = world.partner.resumed.lock().unwrap().clone();
    assert_eq!(resumed, [Reason::Cancelled, Reason::Cancelled]);
    let view = world.engine.instance(&worker(), &started.id).await.unwrap();
    assert_eq!(view.status, "cancelled");
    let actions = actions(&world, &started.case).await;
    assert!(
        actions.iter().any(|action| action == "callback-ignored"),
        "{actions:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_waits_outside_of_memory_and_is_not_sent_again_after_a_crash() {
    let world = world(pending(Some(86_400_000), None)).await;
    let started = parked(&world).await;
    let token = token(&world).await;
    world.clock.forward(SignedDuration::from_mins(5));
    world.all_parked().await;
    let world = world.crash().await;
    assert_eq!(world.engine.resident_count(), 0);
    let view = world.engine.instance(&worker(), &started.id).await.unwrap();
    assert_eq!(view.status, "waiting");
    assert!(view.waiting[0].until.is_some());
    world
        .engine
        .callback(&token, message("registered"))
        .await
        .unwrap();
    let view = ended(&world, &started.id).await;
    assert_eq!(view.output, Some(json!({"state": "registered"})));
    assert_eq!(world.partner.requests(), 1);
}

/// Every request may be repeated after a crash, the message too.
async fn story(world: &World) -> Result<InstanceView, Refused> {
    let engine = &world.engine;
    let start = start_of("apply", json!({}));
    let started = engine
        .start(&worker(), start, Some(request("start")))
        .await?;
    let token = token(world).await;
    engine.callback(&token, message("registered")).await?;
    let mut changes = engine.changes();
    loop {
        changes.borrow_and_update();
        let view = engine.instance(&worker(), &started.id).await?;
        if view.status == "completed" {
            return Ok(view);
        }
        assert!(
            matches!(view.status.as_str(), "running" | "waiting"),
            "{view:?}"
        );
        changes.changed().await.map_err(|_| Refused::Stopping)?;
    }
}

async fn survives(flush: u64, moment: Moment) -> bool {
    let mut world = world(pending(None, None)).await;
    world.faults.stop_at(flush, moment);
    let mut crashed = false;
    let place = format!("flush {flush} {moment:?}");
    let view = loop {
        match within_reason(story(&world)).await {
            Ok(view) => break view,
            Err(Refused::Stopping) => {
                crashed = true;
                world = world.crash().await;
            }
            Err(refused) => panic!("{place}: {refused:?}"),
        }
    };
    let world = world.crash().await;
    assert_eq!(view.output, Some(json!({"state": "registered"})), "{place}");
    assert_eq!(returned(&world, &view.id).await, 1, "{place}");
    let journal = world.partner.journal.lock().unwrap().clone();
    for sent in &journal {
        assert_eq!(sent.callback_token, journal[0].callback_token, "{place}");
        assert_eq!(sent.key, journal[0].key, "{place}");
    }
    crashed
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_at_any_flush_loses_and_doubles_nothing() {
    for moment in [Moment::BeforeFlush, Moment::AfterFlush] {
        let mut flush = 1;
        while survives(flush, moment).await {
            flush += 1;
            assert!(flush < 60, "the story has an end");
        }
        // The start, what came meanwhile and the outcome follow from one another.
        assert!(flush > 3, "crashed at {flush} flushes");
    }
}
