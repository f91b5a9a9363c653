//! Limits over what was approved before, and money that goes out only as far as an approval that
//! still stands, at every way it can take: a fund, a function that pays, branches side by side, a
//! run within another.

use std::collections::BTreeMap;
use std::sync::Arc;

use casewright_casework::audit::Action;
use casewright_casework::person::{Contact, Details, Relation};
use casewright_casework::{Code, Walls, WorkItem};
use casewright_store::{Batch, Moment, Put, Store, Table};
use jiff::SignedDuration;
use serde_json::{Value, json};
use tokio::sync::Barrier;

use super::meanwhile::of_case;
use super::world::{World, aud, complete, fault, leader, manager, pack, staff, start_of, worker};
use crate::engine::{Limits, Refused, Start, walls};
use crate::identity::NewUser;
use crate::port::EffectKind;
use crate::record;
use casewright_machine::ErrorKind;

const HEAD: &str = "dsl: '1.0.3', namespace: family-support, version: '1.0.0'";

/// Approved, then a person buys, then so much goes out as the start said.
const SPEND: &str = "do:
  - decision:
      call: approval
      with:
        title: Decide
        assign: { role: team-leader }
        rules:
          limit:
            policy: spending
            money: ${ $workflow.input.money }
            supplier: ${ $workflow.input.supplier }
  - route:
      switch:
        - approved: { when: '${ $steps.decision.outcome == \"approve\" }', then: buy }
        - otherwise: { then: end }
  - buy:
      call: human-task
      with: { title: Buy it, assign: { role: case-worker } }
  - pay:
      fork:
        branches:
          - send:
              call: payment-issue.transfer
              with: { money: '${ $workflow.input.pay }' }
          - book:
              do:
                - reserve:
                    call: fund.reserve
                    with: { fund: brokerage, money: '${ $workflow.input.pay }' }
                - commit:
                    call: fund.commit
                    with:
                      reservation: ${ $steps.reserve.reservation }
                      money: ${ $workflow.input.pay }
";

/// Takes from the fund and sends nothing.
const BOOK: &str = "do:
  - decision:
      call: approval
      with:
        title: Decide
        assign: { role: team-leader }
        rules: { limit: { policy: brokerage-limits, money: '${ $workflow.input.money }' } }
  - reserve:
      call: fund.reserve
      with: { fund: brokerage, money: '${ $workflow.input.pay }' }
  - commit:
      call: fund.commit
      with:
        reservation: ${ $steps.reserve.reservation }
        money: ${ $workflow.input.pay }
";

/// Sends twice, in two branches.
const TWICE: &str = "do:
  - decision:
      call: approval
      with:
        title: Decide
        assign: { role: team-leader }
        rules: { limit: { policy: brokerage-limits, money: '${ $workflow.input.money }' } }
  - pay:
      fork:
        branches:
          - one: { call: payment-issue.transfer, with: { money: '${ $workflow.input.money }' } }
          - two: { call: payment-issue.transfer, with: { money: '${ $workflow.input.money }' } }
";

/// Sends what nobody was asked about, unless the run that runs it asked.
const BARE: &str = "do:
  - send:
      call: payment-issue.transfer
      with: { money: '${ $workflow.input.money }' }
";

const OUTER: &str = "do:
  - decision:
      call: approval
      with:
        title: Decide
        assign: { role: team-leader }
        rules: { limit: { policy: brokerage-limits, money: '${ $workflow.input.money }' } }
  - inner:
      run:
        workflow:
          namespace: family-support
          name: bare
          version: latest
          input: { money: '${ $workflow.input.pay }' }
";

const SPENDING: &str = "policies:
  spending:
    together: [ { by: [family, supplier], within: 7 days } ]
    limits:
      - { role: team-leader, upTo: { minor: 100000, currency: AUD } }
      - { role: service-manager, upTo: { minor: 1000000, currency: AUD } }";

/// Of one purchase, each approved by somebody else.
const PARTS: usize = 16;

fn files(more: &str) -> BTreeMap<String, String> {
    let mut files = pack("1000000");
    let text = files["pack.yaml"].replace("policies:", SPENDING);
    files.insert("pack.yaml".to_owned(), format!("{text}{more}\n"));
    let documents = [
        ("spend", SPEND),
        ("book", BOOK),
        ("twice", TWICE),
        ("bare", BARE),
        ("outer", OUTER),
    ];
    for (name, tasks) in documents {
        let text = format!("document: {{ {HEAD}, name: {name} }}\n{tasks}");
        files.insert(format!("{name}.yaml"), text);
    }
    files
}

async fn world() -> World {
    world_with("").await
}

async fn world_with(more: &str) -> World {
    let world = World::within(Limits::default(), EffectKind::Keyed).await;
    world.deploy(files(more)).await.unwrap();
    world
}

fn spending(money: i64, pay: i64, supplier: &str) -> Value {
    json!({"money": aud(money), "pay": aud(pay), "supplier": supplier})
}

async fn begin(world: &World, case: Option<&str>, input: Value) -> (String, String) {
    let start = Start {
        case: case.map(str::to_owned),
        ..start_of("spend", input)
    };
    let started = world.engine.start(&worker(), start, None).await.unwrap();
    (started.id, started.case)
}

fn code<T: std::fmt::Debug>(result: Result<T, Refused>) -> Code {
    match result {
        Err(Refused::Rule(refusal)) => refusal.code,
        other => panic!("a rule must refuse, not {other:?}"),
    }
}

async fn approve(
    world: &World,
    run: &str,
    who: casewright_casework::Principal,
) -> Result<(), Refused> {
    let item = world.item(run, "decision").await;
    let decided = world.decide(&who, &item.id, "approve", json!(null)).await;
    if decided.is_err() {
        let _ = world.engine.release(&who, &item.id, None).await;
    }
    decided.map(drop)
}

/// How the run ended: its output's place for an error is the code.
async fn end(world: &World, run: &str) -> String {
    let over = |status: &str| matches!(status, "completed" | "faulted");
    let view = world.instance(run, |view| over(&view.status)).await;
    let error = view.error.unwrap_or_default();
    let kind = error["type"].as_str().unwrap_or("completed");
    kind.trim_start_matches("urn:casewright:error:").to_owned()
}

async fn buy(world: &World, run: &str) {
    let item = world.item(run, "buy").await;
    let bought = world.decide(&worker(), &item.id, "done", json!({})).await;
    bought.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_purchase_in_two_parts_needs_whoever_may_approve_the_whole() {
    let world = world().await;
    let half = || spending(90_000, 90_000, "Bed World");
    let (one, case) = begin(&world, None, half()).await;
    approve(&world, &one, leader()).await.unwrap();
    let parts = spending(90_000, 90_000, " bed  WORLD");
    let (two, _) = begin(&world, Some(&case), parts).await;
    assert_eq!(code(approve(&world, &two, leader()).await), Code::OverLimit);
    // Other suppliers and other families are other purchases.
    let (other, _) = begin(&world, Some(&case), spending(90_000, 1, "Ridgeview")).await;
    approve(&world, &other, leader()).await.unwrap();
    let (family, _) = begin(&world, None, half()).await;
    approve(&world, &family, leader()).await.unwrap();
    let world = world.crash().await;
    assert_eq!(code(approve(&world, &two, leader()).await), Code::OverLimit);
    approve(&world, &two, manager()).await.unwrap();
    // A week and a day later both are past.
    world.clock.forward(SignedDuration::from_hours(24 * 8));
    let (later, _) = begin(&world, Some(&case), half()).await;
    approve(&world, &later, leader()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_approved_and_not_paid_counts_no_longer_when_the_run_is_over() {
    let world = world().await;
    let (one, case) = begin(&world, None, spending(90_000, 20_000, "Bed World")).await;
    approve(&world, &one, leader()).await.unwrap();
    let again = || spending(80_000, 80_000, "Bed World");
    let (two, _) = begin(&world, Some(&case), again()).await;
    assert_eq!(code(approve(&world, &two, leader()).await), Code::OverLimit);
    buy(&world, &one).await;
    assert_eq!(end(&world, &one).await, "completed");
    // 20,000 of 90,000 went out.
    approve(&world, &two, leader()).await.unwrap();
    let (three, _) = begin(&world, Some(&case), spending(1, 1, "Bed World")).await;
    assert_eq!(
        code(approve(&world, &three, leader()).await),
        Code::OverLimit
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_parts_approved_at_once_only_one_passes() {
    for _ in 0..5 {
        let world = world().await;
        let mut case = None;
        let mut claimed = Vec::new();
        for number in 0..PARTS {
            let part = spending(90_000, 90_000, "Bed World");
            let (run, opened) = begin(&world, case.as_deref(), part).await;
            case = Some(opened);
            let item = world.item(&run, "decision").await;
            let who = staff(&format!("u-lee-{number}"), &["team-leader"]);
            world.engine.claim(&who, &item.id, None).await.unwrap();
            claimed.push((who, item.id));
        }
        let at_once = Arc::new(Barrier::new(PARTS));
        let decisions: Vec<_> = claimed
            .into_iter()
            .map(|(who, item)| {
                let (engine, at_once) = (world.engine.clone(), Arc::clone(&at_once));
                tokio::spawn(async move {
                    at_once.wait().await;
                    let yes = complete("approve", json!(null));
                    engine.complete(&who, &item, yes, None).await
                })
            })
            .collect();
        let mut passed = 0;
        for decision in decisions {
            match decision.await.unwrap() {
                Ok(_) => passed += 1,
                refused => assert_eq!(code(refused), Code::OverLimit),
            }
        }
        assert_eq!(passed, 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_goes_out_than_was_approved() {
    let world = world().await;
    let (run, _) = begin(&world, None, spending(30_000, 30_001, "Bed World")).await;
    approve(&world, &run, leader()).await.unwrap();
    buy(&world, &run).await;
    assert_eq!(end(&world, &run).await, "not-approved");
    assert_eq!(world.partner.requests(), 0);
    let started = world.start("twice", json!({"money": aud(30_000)})).await;
    approve(&world, &started.id, leader()).await.unwrap();
    assert_eq!(end(&world, &started.id).await, "not-approved");
    let started = world.start("bare", json!({"money": aud(1)})).await;
    assert_eq!(end(&world, &started.id).await, "not-approved");
    let odd = json!({"money": {"minor": "1", "currency": "AUD"}});
    let started = world.start("bare", odd).await;
    assert_eq!(end(&world, &started.id).await, "amount-invalid");
    for (pay, how) in [(30_000, "completed"), (30_001, "not-approved")] {
        let input = json!({"money": aud(30_000), "pay": aud(pay)});
        let started = world.start("book", input).await;
        approve(&world, &started.id, leader()).await.unwrap();
        assert_eq!(end(&world, &started.id).await, how);
    }
    assert!(
        world.partner.payments() <= 1,
        "one of the two branches at most"
    );
    let fund = world.engine.funds(&worker()).await.unwrap().remove(0);
    assert_eq!(fund.committed_minor, 30_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_declined_bears_nothing() {
    let world = world().await;
    let input = json!({"money": aud(30_000), "pay": aud(1)});
    let started = world.start("book", input).await;
    let item = world.item(&started.id, "decision").await;
    let lee = leader();
    world.engine.claim(&lee, &item.id, None).await.unwrap();
    let mut no = complete("decline", json!(null));
    no.comment = Some("it is too much".to_owned());
    let declined = world.engine.complete(&lee, &item.id, no, None);
    declined.await.unwrap();
    assert_eq!(end(&world, &started.id).await, "not-approved");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_moves_on_an_approval_of_something_else() {
    let world = world().await;
    let (run, _) = begin(&world, None, spending(30_000, 30_000, "Bed World")).await;
    let id = world.item(&run, "decision").await.id;
    approve(&world, &run, leader()).await.unwrap();
    let row = world.store.get(Table::WorkItem, id.as_bytes()).unwrap();
    let mut item: WorkItem = record::decode("a task", &row.unwrap().value).unwrap();
    item.title = "Something else".to_owned();
    let other = Put {
        value: Some(record::encode(&item)),
        ..of_case(&item.case, Table::WorkItem, id.into_bytes())
    };
    let batch = Batch {
        puts: vec![other],
        ..Batch::default()
    };
    let ticket = world.store.submit(batch).unwrap();
    ticket.flushed().await.unwrap();
    buy(&world, &run).await;
    assert_eq!(end(&world, &run).await, "not-approved");
    assert_eq!(world.partner.requests(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn money_moves_on_what_stands_until_it_is_on_disk() {
    for relations in [true, false] {
        let world = world().await;
        let (run, case) = begin(&world, None, spending(30_000, 30_000, "Bed World")).await;
        approve(&world, &run, leader()).await.unwrap();
        let nobody = record::encode(&BTreeMap::<String, String>::new());
        let (row, value) = if relations {
            let key = walls::related_key(&case);
            (of_case(&case, Table::Index, key), nobody)
        } else {
            let row = of_case(&case, Table::Wall, walls::walls_key(&case));
            (row, record::encode(&Walls::default()))
        };
        let row = Put {
            value: Some(value),
            ..row
        };
        world.touch(Action::FundCommitted, row);
        buy(&world, &run).await;
        assert_eq!(end(&world, &run).await, "completed");
        assert!(!world.overlooked(), "{relations}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_approved_in_a_run_that_failed_counts_on() {
    let world = world().await;
    let (one, case) = begin(&world, None, spending(90_000, 20_000, "Bed World")).await;
    approve(&world, &one, leader()).await.unwrap();
    let refused = fault(ErrorKind::Permanent, "bank.closed");
    world.partner.faults.lock().unwrap().push(refused);
    buy(&world, &one).await;
    assert_ne!(end(&world, &one).await, "completed");
    // It may be retried, and pay what was approved in it.
    let (two, _) = begin(&world, Some(&case), spending(80_000, 1, "Bed World")).await;
    assert_eq!(code(approve(&world, &two, leader()).await), Code::OverLimit);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_counts_by_supplier_counts_in_every_case() {
    let world = world().await;
    let mut files = files("");
    let one = "policies:\n  suppliers:\n    together: [ { by: [supplier], within: 7 days } ]\n    \
               limits: [ { role: team-leader, upTo: { minor: 100000, currency: AUD } } ]\n";
    let text = files["pack.yaml"].replace("policies:\n", one);
    files.insert("pack.yaml".to_owned(), text);
    let spend = files["spend.yaml"].replace("policy: spending", "policy: suppliers");
    files.insert("spend.yaml".to_owned(), spend);
    world.deploy(files).await.unwrap();
    let half = || spending(60_000, 1, "Bed World");
    let (here, _) = begin(&world, None, half()).await;
    approve(&world, &here, leader()).await.unwrap();
    let (there, _) = begin(&world, None, half()).await;
    let refused = approve(&world, &there, leader()).await;
    assert_eq!(code(refused), Code::OverLimit);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_approval_bears_what_a_run_within_sends_and_no_more() {
    let world = world().await;
    for (pay, how) in [(30_000, "completed"), (30_001, "not-approved")] {
        let input = json!({"money": aud(30_000), "pay": aud(pay)});
        let started = world.start("outer", input).await;
        approve(&world, &started.id, leader()).await.unwrap();
        assert_eq!(end(&world, &started.id).await, how);
    }
    assert_eq!(world.partner.payments(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_turns_out_to_stand_in_the_case_has_approved_nothing() {
    let world = world().await;
    let user = NewUser {
        id: "u-lee".to_owned(),
        agency: "family-support".to_owned(),
        sign_in: "lee".to_owned(),
        display_name: "Lee".to_owned(),
        roles: ["team-leader".to_owned()].into(),
        passphrase: "three blue kites".to_owned(),
    };
    world.engine.put_user(user).await.unwrap();
    let (run, case) = begin(&world, None, spending(30_000, 30_000, "Bed World")).await;
    approve(&world, &run, leader()).await.unwrap();
    let details = Details {
        name: "Lee".to_owned(),
        born: None,
        relation: Relation::Payee,
        phone: None,
        email: None,
        address: None,
        contact: Contact::default(),
        staff: Some("u-lee".to_owned()),
    };
    let added = world
        .engine
        .add_person(&worker(), &case, details, None)
        .await;
    added.unwrap();
    buy(&world, &run).await;
    assert_eq!(end(&world, &run).await, "self-approval");
    assert_eq!(world.partner.requests(), 0);
    let fund = world.engine.funds(&worker()).await.unwrap().remove(0);
    assert_eq!(fund.committed_minor, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn petty_cash_goes_out_with_nobodys_approval_and_no_further() {
    let world = world_with("pettyCash: { minor: 500, currency: AUD }").await;
    for (minor, how) in [(500, "completed"), (501, "not-approved")] {
        let started = world.start("bare", json!({"money": aud(minor)})).await;
        assert_eq!(end(&world, &started.id).await, how);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payment_that_was_declined_may_be_made_again() {
    let world = world().await;
    let declined = fault(ErrorKind::Business, "payment-issue.declined");
    world.partner.faults.lock().unwrap().push(declined);
    let mut files = files("");
    let text = "do:
  - decision:
      call: approval
      with:
        title: Decide
        assign: { role: team-leader }
        rules: { limit: { policy: brokerage-limits, money: '${ $workflow.input.money }' } }
  - first:
      try:
        - send: { call: payment-issue.transfer, with: { money: '${ $workflow.input.money }' } }
      catch:
        errors: { with: { type: urn:casewright:error:payment-issue.declined } }
        do:
          - note: { set: { declined: true } }
  - second: { call: payment-issue.transfer, with: { money: '${ $workflow.input.money }' } }
  - third: { call: payment-issue.transfer, with: { money: '${ $workflow.input.money }' } }
";
    let text = format!("document: {{ {HEAD}, name: again }}\n{text}");
    files.insert("again.yaml".to_owned(), text);
    world.deploy(files).await.unwrap();
    let started = world.start("again", json!({"money": aud(30_000)})).await;
    approve(&world, &started.id, leader()).await.unwrap();
    assert_eq!(end(&world, &started.id).await, "not-approved");
    assert_eq!(world.partner.payments(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_decision_is_on_what_was_shown_at_every_door() {
    let world = world().await;
    let (run, _) = begin(&world, None, spending(30_000, 30_000, "Bed World")).await;
    let item = world.item(&run, "decision").await;
    world.engine.claim(&leader(), &item.id, None).await.unwrap();
    let decide = async |shown: &str| {
        let mut yes = complete("approve", json!(null));
        yes.shown = Some(shown.to_owned());
        world.engine.complete(&leader(), &item.id, yes, None).await
    };
    assert_eq!(code(decide("sha256:0").await), Code::StaleRevision);
    decide(&item.shown).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_at_any_flush_pays_once_and_counts_once() {
    for flush in 1..=8 {
        for moment in [Moment::BeforeFlush, Moment::AfterFlush] {
            let world = world().await;
            let (run, case) = begin(&world, None, spending(60_000, 60_000, "Bed World")).await;
            let item = world.item(&run, "decision").await;
            world.engine.claim(&leader(), &item.id, None).await.unwrap();
            world.faults.stop_at(flush, moment);
            // What the crash let through is refused when it is done again.
            for _ in 0..2 {
                let yes = complete("approve", json!(null));
                let _ = world.engine.complete(&leader(), &item.id, yes, None).await;
            }
            let buy = format!("{run}-2");
            let _ = world.decide(&worker(), &buy, "done", json!({})).await;
            let world = world.crash().await;
            let yes = complete("approve", json!(null));
            let _ = world.engine.complete(&leader(), &item.id, yes, None).await;
            let _ = world.decide(&worker(), &buy, "done", json!({})).await;
            assert_eq!(end(&world, &run).await, "completed", "{flush} {moment:?}");
            assert_eq!(world.partner.payments(), 1);
            // It counts, and once: 40,000 more are within the limit, 40,001 are not.
            let (two, _) = begin(&world, Some(&case), spending(40_001, 1, "Bed World")).await;
            assert_eq!(code(approve(&world, &two, leader()).await), Code::OverLimit);
            let (two, _) = begin(&world, Some(&case), spending(40_000, 1, "Bed World")).await;
            approve(&world, &two, leader()).await.unwrap();
        }
    }
}
