//! Money under concurrency, and what a new deployment may do to it.

use casewright_casework::Code;
use jiff::SignedDuration;
use serde_json::json;

use super::world::{World, aud, pack, start_of, worker};
use crate::engine::Refused;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_reservations_of_a_tenth_take_exactly_ten() {
    let world = World::new().await;
    let mut starts = Vec::new();
    for _ in 0..50 {
        let engine = world.engine.clone();
        starts.push(tokio::spawn(async move {
            let start = start_of("grab", aud(10_000));
            engine.start(&worker(), start, None).await.unwrap()
        }));
    }
    let (mut reserved, mut refused) = (0, 0);
    for start in starts {
        let started = start.await.unwrap();
        assert_eq!(started.status, "completed");
        let view = world.engine.instance(&worker(), &started.id).await.unwrap();
        let output = view.output.unwrap();
        if output.get("reservation").is_some() {
            reserved += 1;
        } else {
            assert_eq!(output, json!({"refused": 409}));
            refused += 1;
        }
    }
    assert_eq!((reserved, refused), (10, 40));
    let fund = world.engine.funds(&worker()).await.unwrap().remove(0);
    assert_eq!((fund.reserved_minor, fund.available_minor), (100_000, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_expired_is_free_again() {
    let world = World::new().await;
    let started = world.start("brokerage", json!({})).await;
    let request = world.item(&started.id, "request").await;
    let data = json!({"money": aud(100_000)});
    world
        .decide(&worker(), &request.id, "done", data)
        .await
        .unwrap();
    world.item(&started.id, "decision").await;
    let full = world.start("grab", aud(1)).await;
    let view = world.engine.instance(&worker(), &full.id).await.unwrap();
    assert_eq!(view.output, Some(json!({"refused": 409})));
    world.clock.forward(SignedDuration::from_hours(24 * 30));
    let late = world.start("grab", aud(100_000)).await;
    let view = world.engine.instance(&worker(), &late.id).await.unwrap();
    let balance = view.output.unwrap()["balance"].clone();
    assert_eq!(balance, aud(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redeploy_never_resets_a_fund() {
    let world = World::new().await;
    world.start("grab", aud(60_000)).await;
    world.deploy(pack("100000")).await.unwrap();
    let fund = || async { world.engine.funds(&worker()).await.unwrap().remove(0) };
    assert_eq!(fund().await.available_minor, 40_000);
    world.deploy(pack("150000")).await.unwrap();
    assert_eq!(fund().await.available_minor, 90_000);
    let refused = world.deploy(pack("59999")).await;
    let Err(Refused::Rule(refusal)) = refused else {
        panic!("must be refused: {refused:?}");
    };
    assert_eq!(refusal.code, Code::InsufficientFunds);
    assert!(
        refusal.message.starts_with("fund brokerage: "),
        "{}",
        refusal.message
    );
    assert_eq!(fund().await.available_minor, 90_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_arguments_reach_the_workflow_as_an_error() {
    let world = World::new().await;
    for (input, code) in [
        (json!({"minor": 0, "currency": "AUD"}), "amount-invalid"),
        (json!({"minor": -5, "currency": "AUD"}), "amount-invalid"),
        (json!({"minor": 5, "currency": "USD"}), "currency-mismatch"),
        (
            json!({"minor": 12.345, "currency": "AUD"}),
            "invalid-arguments",
        ),
        (json!("much"), "invalid-arguments"),
    ] {
        let started = world.start("grab", input.clone()).await;
        let view = world.engine.instance(&worker(), &started.id).await.unwrap();
        let kind = view.error.unwrap()["type"].clone();
        assert_eq!(kind, format!("urn:casewright:error:{code}"), "{input}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_branch_that_fails_takes_back_what_the_others_have_not_booked_or_sent() {
    let world = World::new().await;
    let started = world.start("grab-twice", aud(30_000)).await;
    assert_eq!(started.status, "faulted");
    let fund = world.engine.funds(&worker()).await.unwrap().remove(0);
    assert_eq!(fund.reserved_minor, 30_000);
    world.engine.stop().await;
    assert_eq!(world.partner.requests(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_loop_reserves_for_every_item_over_a_crash_in_the_middle() {
    let world = World::new().await;
    let items: Vec<_> = (0..1_200).map(|_| aud(1)).collect();
    let started = world.start("grab-each", json!({"items": items})).await;
    assert_eq!(started.status, "running");
    let world = world.crash().await;
    let view = world
        .instance(&started.id, |view| view.status == "completed")
        .await;
    assert_eq!(view.output.unwrap()["balance"], aud(100_000 - 1_200));
    let fund = world.engine.funds(&worker()).await.unwrap().remove(0);
    assert_eq!(fund.reserved_minor, 1_200);
}
