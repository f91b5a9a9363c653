//! The days of a fund as a running engine keeps them: by the agency's zone, and for what is open
//! when another pack changes them.

use jiff::SignedDuration;
use serde_json::json;

use super::world::{World, aud, moment, pack, worker};
use crate::view::FundView;

/// Puts money aside, waits for somebody, and pays.
const HOLD: &str =
    "document: { dsl: '1.0.3', namespace: family-support, name: hold, version: 1.0.0 }
do:
  - reserve:
      call: fund.reserve
      with: { fund: brokerage, money: '${ $input }', expires: P90D }
  - look:
      call: human-task
      with: { title: Look, assign: { role: case-worker } }
  - settle:
      call: fund.commit
      with: { reservation: '${ $steps.reserve.reservation }', money: '${ $workflow.input }' }
";

/// With these days. It is 3 August 2026, 11 in the morning, in Brisbane.
async fn deploy(world: &World, days: &str) {
    let mut files = pack("100000");
    let allocated = "allocated: { minor: 100000, currency: AUD }";
    let text = files["pack.yaml"].replace(allocated, &format!("{allocated}, {days}"));
    assert_ne!(text, files["pack.yaml"]);
    let text = format!("{text}pettyCash: {{ minor: 100000, currency: AUD }}\n");
    files.insert("pack.yaml".to_owned(), text);
    files.insert("hold.yaml".to_owned(), HOLD.to_owned());
    world.deploy(files).await.unwrap();
}

/// How a run ends, once somebody has looked; its refusal where it never came so far.
async fn paid(world: &World, run: &str) -> String {
    let view = world.instance(run, |view| view.status != "running").await;
    if view.status == "waiting" {
        let item = world.item(run, "look").await;
        let decided = world.decide(&worker(), &item.id, "done", json!({})).await;
        decided.unwrap();
    }
    let over = |status: &str| status == "completed" || status == "faulted";
    let view = world.instance(run, |view| over(&view.status)).await;
    let error = view.error.map(|error| error["type"].clone());
    let kind = error.as_ref().and_then(|kind| kind.as_str());
    kind.map_or(view.status, |kind| {
        kind.trim_start_matches("urn:casewright:error:").to_owned()
    })
}

async fn hold(world: &World) -> String {
    world.start("hold", aud(10_000)).await.id
}

async fn fund(world: &World) -> FundView {
    world.engine.funds(&worker()).await.unwrap().remove(0)
}

fn to(world: &World, text: &str) {
    let now = *world.clock.0.borrow();
    world.clock.forward(moment(text).duration_since(now));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fund_is_reserved_and_paid_on_the_days_of_its_agency() {
    let world = World::new().await;
    deploy(
        &world,
        "from: 2026-08-04, until: 2026-08-05, settleUntil: 2026-08-07",
    )
    .await;
    assert_eq!(paid(&world, &hold(&world).await).await, "fund-closed");
    // Midnight in Brisbane is two in the afternoon in Greenwich.
    to(&world, "2026-08-03T14:00:00Z");
    let (first, second) = (hold(&world).await, hold(&world).await);
    assert_eq!(paid(&world, &first).await, "completed");
    to(&world, "2026-08-05T14:00:00Z");
    assert_eq!(paid(&world, &hold(&world).await).await, "fund-closed");
    to(&world, "2026-08-07T13:59:59Z");
    let view = fund(&world).await;
    assert_eq!(
        (view.committed_minor, view.reserved_minor),
        (10_000, 10_000)
    );
    to(&world, "2026-08-07T14:00:00Z");
    assert_eq!(paid(&world, &second).await, "fund-closed");
    let view = fund(&world).await;
    assert_eq!((view.committed_minor, view.reserved_minor), (10_000, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_days_of_a_fund_count_for_what_is_open() {
    let world = World::new().await;
    deploy(&world, "from: 2026-07-01").await;
    let run = hold(&world).await;
    deploy(&world, "from: 2026-07-01, until: 2026-08-04").await;
    let days = fund(&world).await.days;
    assert_eq!(
        days.last().map(|day| day.to_string()),
        Some("2026-08-04".to_owned())
    );
    world.clock.forward(SignedDuration::from_hours(48));
    assert_eq!(fund(&world).await.reserved_minor, 0);
    assert_eq!(paid(&world, &run).await, "fund-closed");
}
