//! Repeated requests: one effect, the same answer.

use serde_json::json;

use super::world::{World, aud, request, start_of, worker};
use crate::engine::{Refused, RequestKey};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_request_twice_is_one_instance() {
    let world = World::new().await;
    let casey = worker();
    let start = async |world: &World, key| {
        let start = start_of("brokerage", json!({}));
        world.engine.start(&casey, start, Some(key)).await
    };
    let first = start(&world, request("k")).await.unwrap();
    assert_eq!(start(&world, request("k")).await.unwrap().id, first.id);
    let world = world.crash().await;
    assert_eq!(start(&world, request("k")).await.unwrap().id, first.id);
    let other = RequestKey {
        body_hash: [2; 32],
        ..request("k")
    };
    assert_eq!(start(&world, other).await.unwrap_err(), Refused::KeyReused);
    let item = format!("{}-1", first.id);
    let elsewhere = world.engine.claim(&casey, &item, Some(request("k"))).await;
    assert_eq!(elsewhere.unwrap_err(), Refused::KeyReused, "another route");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_at_once_are_one_instance() {
    let world = World::new().await;
    let mut starts = Vec::new();
    for _ in 0..20 {
        let engine = world.engine.clone();
        starts.push(tokio::spawn(async move {
            let start = start_of("grab", aud(10_000));
            engine
                .start(&worker(), start, Some(request("same")))
                .await
                .unwrap()
        }));
    }
    let mut ids = std::collections::BTreeSet::new();
    for start in starts {
        ids.insert(start.await.unwrap().id);
    }
    assert_eq!(ids.len(), 1);
    let fund = world.engine.funds(&worker()).await.unwrap().remove(0);
    assert_eq!(fund.reserved_minor, 10_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_of_different_people_are_different() {
    let world = World::new().await;
    let start = start_of("brokerage", json!({}));
    let other = super::world::staff("u-kim", &["case-worker"]);
    let one = world
        .engine
        .start(&worker(), start.clone(), Some(request("k")))
        .await
        .unwrap();
    let two = world
        .engine
        .start(&other, start, Some(request("k")))
        .await
        .unwrap();
    assert_ne!(one.id, two.id);
    assert_ne!(one.case, two.case);
}
