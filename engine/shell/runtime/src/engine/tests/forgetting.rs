//! What tells repeated things apart is kept for a quarter of a year, and not for ever.

use casewright_store::{Store, Table};
use jiff::SignedDuration;
use serde_json::{Map, json};

use super::world::{World, request, start_of, within_reason, worker};

fn rows(world: &World, table: Table) -> usize {
    let rows = Store::scan(&*world.store, table, &[], &[0xff; 64], 10_000);
    rows.unwrap().len()
}

fn news(id: u32) -> Map<String, serde_json::Value> {
    let event = json!({
        "specversion": "1.0", "id": format!("e{id}"), "source": "urn:it", "type": "org.news",
    });
    event.as_object().unwrap().clone()
}

async fn settled(world: &World, wanted: usize) {
    within_reason(async {
        while rows(world, Table::EventSeen) + rows(world, Table::Request) != wanted {
            // The next turn comes with time.
            world.clock.forward(SignedDuration::from_mins(61));
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn seen_events_and_answers_are_forgotten_after_ninety_days_and_not_before() {
    let world = World::new().await;
    let casey = worker();
    // More than one turn looks at.
    for id in 0..300 {
        world.engine.publish(&casey, news(id), None).await.unwrap();
    }
    let start = async |key| {
        let start = start_of("brokerage", json!({}));
        let started = world.engine.start(&casey, start, Some(request(key)));
        started.await.unwrap()
    };
    let first = start("early").await;
    world.clock.forward(SignedDuration::from_hours(89 * 24));
    assert_eq!(start("early").await.id, first.id, "still the same request");
    world
        .engine
        .publish(&casey, news(1_000), None)
        .await
        .unwrap();
    start("late").await;
    assert_eq!(
        (rows(&world, Table::EventSeen), rows(&world, Table::Request)),
        (301, 2)
    );
    world.clock.forward(SignedDuration::from_hours(25));
    settled(&world, 2).await;
    assert_eq!(
        (rows(&world, Table::EventSeen), rows(&world, Table::Request)),
        (1, 1)
    );
    assert_ne!(
        start("early").await.id,
        first.id,
        "forgotten: another request"
    );
}
