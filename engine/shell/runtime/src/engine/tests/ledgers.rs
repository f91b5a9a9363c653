//! What a fund's row and the rows beside it come to: keys that are never forgotten, reservations
//! that end by a timer, and ledgers that add up, also those of an earlier engine.

use casewright_casework::fund::Entry;
use casewright_casework::fund::EntryKind::{Allocate, Commit, Reserve};
use casewright_store::{Batch, Put, Store, Table, Under};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::world::{World, aud, pack, within_reason, worker};
use crate::engine::funds::unbalanced;
use crate::key;
use crate::record::{self, FundRow};

const CLOSED: &str = "urn:casewright:error:reservation-closed";
const AGENCY: &str = "family-support";
const FUND: &str = "brokerage";

/// Puts money aside, waits for somebody, and pays twice from what was put aside once.
const HOLD: &str =
    "document: { dsl: '1.0.3', namespace: family-support, name: hold, version: 1.0.0 }
do:
  - reserve:
      call: fund.reserve
      with: { fund: brokerage, money: '${ $input.money }', expires: '${ $input.expires }' }
  - look:
      call: human-task
      with: { title: Look, assign: { role: case-worker } }
  - settle:
      call: fund.commit
      with: { reservation: '${ $steps.reserve.reservation }', money: '${ $workflow.input.money }' }
  - again:
      call: fund.commit
      with: { reservation: '${ $steps.reserve.reservation }', money: '${ $workflow.input.money }' }
";

async fn world() -> World {
    let world = World::new().await;
    deploy(&world).await;
    world
}

async fn deploy(world: &World) {
    let mut files = pack("100000");
    // What is asked here is what the fund says, not whether somebody approved.
    let text = format!(
        "{}pettyCash: {{ minor: 100000, currency: AUD }}\n",
        files["pack.yaml"]
    );
    files.insert("pack.yaml".to_owned(), text);
    files.insert("hold.yaml".to_owned(), HOLD.to_owned());
    world.deploy(files).await.unwrap();
}

async fn hold(world: &World, minor: i64, expires: &str) -> String {
    let input = json!({"money": aud(minor), "expires": expires});
    let started = world.start("hold", input).await;
    assert_ne!(started.status, "faulted");
    started.id
}

/// The error that the run ends with once somebody has looked.
async fn looked(world: &World, run: &str) -> Value {
    let item = world.item(run, "look").await;
    let decided = world.decide(&worker(), &item.id, "done", json!({})).await;
    decided.unwrap();
    let view = world.instance(run, |view| view.status == "faulted").await;
    view.error.unwrap()["type"].clone()
}

/// The fund as it lies in the store: what a look at it would free is not freed by that.
fn stored(world: &World) -> FundRow {
    let key = key::join(&[AGENCY, FUND]);
    let row = world.store.get(Table::Fund, &key).unwrap().unwrap();
    record::decode("a fund", &row.value).unwrap()
}

fn ledger(world: &World) -> Vec<Entry> {
    let prefix = key::prefix(&[AGENCY, FUND]);
    let end = key::after(&prefix);
    let rows = world.store.scan(Table::Ledger, &prefix, &end, usize::MAX);
    let rows = rows.unwrap().into_iter();
    rows.map(|(_, row)| record::decode("an entry", &row.value).unwrap())
        .collect()
}

async fn reserved(world: &World, minor: i64) {
    let mut changes = world.engine.changes();
    within_reason(async {
        while stored(world).fund.reserved() != minor {
            changes.changed().await.unwrap();
        }
    })
    .await;
}

async fn put(world: &World, table: Table, key: Vec<u8>, value: Option<Vec<u8>>) {
    let put = Put {
        table,
        key,
        value,
        under: Under::Agency(AGENCY.to_owned()),
    };
    let batch = Batch {
        puts: vec![put],
        ..Batch::default()
    };
    let ticket = world.store.submit(batch).unwrap();
    ticket.flushed().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_paid_once_is_not_paid_again() {
    let world = world().await;
    let run = hold(&world, 40_000, "PT240H").await;
    assert_eq!(looked(&world, &run).await, CLOSED);
    let fund = stored(&world).fund;
    assert_eq!((fund.committed(), fund.reserved()), (40_000, 0));
    let kinds: Vec<_> = ledger(&world).iter().map(|entry| entry.kind).collect();
    assert_eq!(kinds, [Allocate, Reserve, Commit]);
    assert_eq!(stored(&world).timer, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reservations_end_by_a_timer_of_their_own_over_a_crash() {
    let world = world().await;
    let first = hold(&world, 40_000, "PT24H").await;
    hold(&world, 20_000, "PT48H").await;
    let world = world.crash().await;
    world.clock.forward(SignedDuration::from_hours(24));
    // At the moment itself it is still good.
    world.clock.forward(SignedDuration::from_millis(1));
    reserved(&world, 20_000).await;
    assert_eq!(looked(&world, &first).await, CLOSED);
    // Both came due while the engine was away.
    let world = world.crash().await;
    world.clock.forward(SignedDuration::from_hours(24 * 9));
    reserved(&world, 0).await;
    let row = stored(&world);
    assert_eq!((row.fund.available(), row.timer), (100_000, None));
    let rows = world.store.scan(Table::Timer, &[], &[0xff; 64], 10);
    let due = |key: &[u8]| key::read_timer(key).is_some_and(|(_, id, _)| id.starts_with("fund:"));
    assert!(!rows.unwrap().iter().any(|(key, _)| due(key)));
    assert_eq!(unbalanced(&*world.store).unwrap(), (1, Vec::new()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn money_of_an_earlier_engine_is_held_paid_and_timed() {
    let world = world().await;
    let run = hold(&world, 40_000, "PT240H").await;
    let late = hold(&world, 20_000, "PT240H").await;
    // As it was: no allocation in the ledger, no timer, nothing beside the fund.
    let row = stored(&world);
    let at: Timestamp = row.timer.unwrap();
    let timer = key::timer(at, "fund:family-support/brokerage", 0);
    put(&world, Table::Timer, timer, None).await;
    let mut value: Value = serde_json::to_value(&row).unwrap();
    value.as_object_mut().unwrap().remove("timer");
    value["entries"] = json!(2);
    let key = key::join(&[AGENCY, FUND]);
    put(&world, Table::Fund, key, Some(record::encode(&value))).await;
    let entries = ledger(&world);
    for (number, entry) in (0_u64..).zip([Some(&entries[1]), Some(&entries[2]), None]) {
        let key = [key::prefix(&[AGENCY, FUND]), number.to_be_bytes().to_vec()].concat();
        put(&world, Table::Ledger, key, entry.map(record::encode)).await;
    }
    let prefix = key::prefix(&[AGENCY]);
    let kept = world
        .store
        .scan(Table::Reservation, &prefix, &key::after(&prefix), 10);
    for (key, _) in kept.unwrap() {
        put(&world, Table::Reservation, key, None).await;
    }
    let world = world.crash().await;
    assert_eq!(unbalanced(&*world.store).unwrap(), (1, Vec::new()));
    deploy(&world).await;
    assert_eq!(stored(&world).timer, Some(at));
    assert_eq!(looked(&world, &run).await, CLOSED, "the second of two");
    assert_eq!(stored(&world).fund.committed(), 40_000);
    world.clock.forward(SignedDuration::from_hours(24 * 11));
    reserved(&world, 0).await;
    assert_eq!(looked(&world, &late).await, CLOSED);
    assert_eq!(unbalanced(&*world.store).unwrap(), (1, Vec::new()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ledger_that_lacks_an_entry_is_found() {
    let world = world().await;
    hold(&world, 40_000, "PT240H").await;
    assert_eq!(unbalanced(&*world.store).unwrap(), (1, Vec::new()));
    let key = [key::prefix(&[AGENCY, FUND]), 1_u64.to_be_bytes().to_vec()].concat();
    put(&world, Table::Ledger, key, None).await;
    let (_, found) = unbalanced(&*world.store).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].agency.as_str(), found[0].fund.as_str()),
        (AGENCY, FUND)
    );
    assert_eq!(found[0].reason, "its ledger has 1 entries of 2");
}
