//! What begins by itself, as clients see it.

use crate::agency::{Agency, put_in_force};

const WEEKLY: &str = "
document:
  dsl: '1.0.3'
  namespace: little
  name: weekly
  version: '1.0.0'
  title: Weekly round
  metadata: { missed: skip }
schedule: { cron: '30 8 * * mon' }
do:
  - done: { set: { done: true } }
";

#[tokio::test]
async fn the_next_times_are_shown() {
    let agency = Agency::open().await;
    let casey = agency.client("casey").await;
    let none = casey.get("/api/v1/schedules").await.is(200).json();
    assert_eq!(none["items"], serde_json::json!([]));
    put_in_force(&agency.engine, &[("weekly.yaml", WEEKLY)]).await;
    let shown = casey.get("/api/v1/schedules").await.is(200).json();
    let weekly = &shown["items"][0];
    assert_eq!(weekly["workflow"], "weekly");
    assert_eq!(weekly["title"], "Weekly round");
    assert_eq!(weekly["cron"], "30 8 * * mon");
    assert_eq!(weekly["missed"], "skip");
    let next = weekly["next"].as_array().unwrap();
    assert_eq!(next.len(), 5);
    assert_eq!(
        next[0], "2026-11-29T22:30:00Z",
        "half past eight in Brisbane"
    );
    assert!(weekly.get("last").is_none());
}
