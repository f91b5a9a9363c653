//! An invoice is paid once in an agency, however it is written and however many ask at once; taking
//! the whole payment back frees it.

use std::sync::Arc;

use casewright_casework::{Money, Principal};
use casewright_store::{Store, Table};
use serde_json::{Value, json};
use tokio::sync::Barrier;

use super::world::{World, aud, leader, pack, staff, start_of, within_reason, worker};
use crate::engine::{Correction, Start};

const FUND: &str = "brokerage";

/// Puts money aside and pays an invoice with it; the refusal is what it ends with otherwise.
const BILL: &str =
    "document: { dsl: '1.0.3', namespace: family-support, name: bill, version: 1.0.0 }
do:
  - reserve:
      call: fund.reserve
      with: { fund: '${ $input.fund }', money: '${ $input.money }' }
  - pay:
      try:
        - settle:
            call: fund.commit
            with:
              reservation: ${ $steps.reserve.reservation }
              money: ${ $workflow.input.money }
              invoice: ${ $workflow.input.invoice }
      catch:
        errors: { with: { status: 409 } }
        as: problem
        do:
          - refused:
              set: { type: '${ $problem.type }', detail: '${ $problem.detail }' }
";

async fn world() -> World {
    let world = World::new().await;
    let mut files = pack("100000");
    let role = "  bookkeeper: { title: Bookkeeper, reverses: true }\nteams:";
    let text = files["pack.yaml"].replacen("teams:", role, 1);
    let other = "  relief: { title: Relief, allocated: { minor: 100000, currency: AUD } }";
    let text = text.replacen("policies:", &format!("{other}\npolicies:"), 1);
    let text = format!("{text}pettyCash: {{ minor: 100000, currency: AUD }}\n");
    files.insert("pack.yaml".to_owned(), text);
    files.insert("bill.yaml".to_owned(), BILL.to_owned());
    // The same, and it waits for another one before what it decided is written.
    let wait = "        - wait: { set: { rounds: '${ [range(2)] }' } }\n      catch:";
    let meeting = BILL
        .replacen("      catch:", wait, 1)
        .replace("name: bill", "name: meet");
    files.insert("meet.yaml".to_owned(), meeting);
    world.deploy(files).await.unwrap();
    world
}

fn bill(supplier: &str, number: &str, minor: i64) -> Start {
    let invoice = json!({"supplier": supplier, "number": number});
    let input = json!({"fund": FUND, "money": aud(minor), "invoice": invoice});
    start_of("bill", input)
}

/// The sentence that refuses it; nothing where it is paid.
async fn refused(world: &World, start: Start) -> Option<String> {
    let started = world.engine.start(&worker(), start, None).await.unwrap();
    let view = world
        .instance(&started.id, |view| view.output.is_some())
        .await;
    let output: Value = view.output.unwrap();
    let kind = output.get("type")?;
    assert_eq!(*kind, "urn:casewright:error:duplicate-invoice");
    Some(output["detail"].as_str().unwrap().to_owned())
}

async fn committed(world: &World) -> i64 {
    let funds = world.engine.funds(&worker()).await.unwrap();
    funds[0].committed_minor
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invoice_is_paid_once_however_it_is_written() {
    let world = world().await;
    assert_eq!(
        refused(&world, bill("Bed World Pty Ltd", "INV-7", 10_000)).await,
        None
    );
    let again = refused(&world, bill("BED WORLD PTY. LTD.", "inv 7", 10_000)).await;
    assert!(again.unwrap().ends_with("in another case"));
    for other in [
        bill("Bed World Pty Ltd", "INV-8", 10_000),
        bill("Chair World", "INV-7", 10_000),
        bill("Bed World Pty Ltd", "INV-7", 10_001),
    ] {
        assert_eq!(refused(&world, other).await, None);
    }
    assert_eq!(committed(&world).await, 40_001);
    // Over a crash, and in the same case, which may be named.
    let world = world.crash().await;
    let first = world
        .engine
        .start(&worker(), bill("A", "1", 1), None)
        .await
        .unwrap();
    let mut same = bill("A", "1", 1);
    same.case = Some(first.case.clone());
    let number = world
        .engine
        .case_number(&worker(), &first.case)
        .await
        .unwrap();
    assert!(refused(&world, same).await.unwrap().contains(&number));
    assert_eq!(committed(&world).await, 40_002);
    // Nothing of an invoice stands in a key.
    let rows = world
        .store
        .scan(Table::Invoice, &[], &[0xff; 64], 100)
        .unwrap();
    assert_eq!(rows.len(), 6, "a secret and five invoices");
    for (key, row) in rows {
        let text = format!(
            "{}{}",
            String::from_utf8_lossy(&key),
            String::from_utf8_lossy(&row.value)
        );
        let text = text.to_lowercase();
        assert!(!text.contains("bed") && !text.contains("inv7") && !text.contains("inv-7"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_who_pay_an_invoice_from_two_funds_at_once_one_does() {
    let world = world().await;
    // Both have found it unpaid before either has written anything.
    let together = Arc::new(Barrier::new(2));
    *world.evaluator.meeting.lock().unwrap() = Some(together);
    let start = |fund: &str| {
        let (engine, mut start) = (world.engine.clone(), bill("Bed World", "INV-7", 1_000));
        start.workflow = "meet".to_owned();
        start.input["fund"] = json!(fund);
        async move { engine.start(&worker(), start, None).await.unwrap() }
    };
    let (one, other) = (tokio::spawn(start(FUND)), tokio::spawn(start("relief")));
    let both = within_reason(async { [one.await.unwrap(), other.await.unwrap()] }).await;
    for started in both {
        let over = world.instance(&started.id, |view| view.output.is_some());
        over.await;
    }
    let funds = world.engine.funds(&worker()).await.unwrap();
    let spent: i64 = funds.iter().map(|fund| fund.committed_minor).sum();
    assert_eq!((funds.len(), spent), (2, 1_000));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invoice_whose_payment_was_taken_back_whole_may_be_paid_again() {
    let world = world().await;
    let pay = || refused(&world, bill("Bed World", "INV-7", 10_000));
    assert_eq!(pay().await, None);
    let fin: Principal = staff("u-fin", &["bookkeeper"]);
    let back = async |minor| {
        let correction = Correction {
            money: Money::new(minor, "AUD"),
            reason: "wrong family".to_owned(),
            revision: None,
        };
        // After the allocation and the reservation.
        world
            .engine
            .reverse(&fin, FUND, 2, correction, None)
            .await
            .unwrap();
    };
    back(4_000).await;
    assert!(pay().await.is_some(), "a part of it stands");
    back(6_000).await;
    assert_eq!(pay().await, None);
    assert!(pay().await.is_some());
    assert_eq!(committed(&world).await, 10_000);
}

/// Pays what was approved for the first invoice, or for the second when the first was paid before.
const APPROVED: &str =
    "document: { dsl: '1.0.3', namespace: family-support, name: approved, version: 1.0.0 }
do:
  - decision:
      call: approval
      with:
        title: Decide
        assign: { role: team-leader }
        rules: { limit: { policy: brokerage-limits, money: '${ $workflow.input }' } }
  - first:
      call: fund.reserve
      with: { fund: brokerage, money: '${ $workflow.input }' }
  - pay:
      try:
        - settle:
            call: fund.commit
            with:
              reservation: ${ $steps.first.reservation }
              money: ${ $workflow.input }
              invoice: { supplier: Bed World, number: INV-7 }
      catch:
        as: problem
        do:
          - second:
              call: fund.reserve
              with: { fund: brokerage, money: '${ $workflow.input }' }
          - settleOther:
              call: fund.commit
              with:
                reservation: ${ $steps.second.reservation }
                money: ${ $workflow.input }
                invoice: { supplier: Bed World, number: INV-8 }
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_booking_that_is_refused_leaves_the_approval_as_it_was() {
    let world = World::new().await;
    let mut files = pack("100000");
    files.insert("approved.yaml".to_owned(), APPROVED.to_owned());
    world.deploy(files).await.unwrap();
    for spent in [10_000, 20_000] {
        let started = world.start("approved", aud(10_000)).await;
        let item = world.item(&started.id, "decision").await;
        let decided = world
            .decide(&leader(), &item.id, "approve", json!(null))
            .await;
        decided.unwrap();
        let over = |status: &str| status == "completed" || status == "faulted";
        let view = world.instance(&started.id, |view| over(&view.status)).await;
        assert_eq!(view.status, "completed", "{:?}", view.error);
        assert_eq!(committed(&world).await, spent);
    }
}
