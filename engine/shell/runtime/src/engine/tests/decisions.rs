//! Decision tables in runs: which version answers, what a run keeps, what a record holds.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::world::{World, aud, pack, worker};
use crate::Deployment;

const TABLE: &str = "
title: How many quotes
inputs:
  amount: { type: money, currency: AUD }
outputs: { quotes: { type: number } }
versions:
  - from: 2020-01-01
    rows:
      - { when: { amount: up to 2000 }, then: { quotes: 0 } }
      - { when: { amount: above 2000 }, then: { quotes: 2 } }
  - from: 2030-01-01
    rows: [ { then: { quotes: 9 } } ]
";

const WORKFLOW: &str = "
document: { dsl: '1.0.3', namespace: family-support, name: quotes, version: '1.0.0' }
do:
  - pause:
      if: ${ .wait == true }
      wait: { days: 1 }
  - look:
      try:
        - ask:
            call: decide
            with:
              table: quotes
              input: { amount: '${ $workflow.input.amount }' }
              at: ${ $workflow.input.at }
      catch:
        errors: { with: { status: 422 } }
        do:
          - no:
              set: { refused: '${ $error.type }' }
";

fn files(table: &str) -> BTreeMap<String, String> {
    let mut files = pack("100000");
    // Without `at` it is the day of the call.
    let today = WORKFLOW
        .replace("name: quotes", "name: quotes-today")
        .replace("              at: ${ $workflow.input.at }\n", "");
    files.insert("decisions/quotes.yaml".to_owned(), table.to_owned());
    files.insert("quotes.yaml".to_owned(), WORKFLOW.to_owned());
    files.insert("quotes-today.yaml".to_owned(), today);
    files
}

async fn world() -> World {
    let world = World::new().await;
    world.deploy(files(TABLE)).await.unwrap();
    world
}

async fn said(world: &World, id: &str) -> Value {
    let view = world.engine.instance(&worker(), id).await.unwrap();
    assert_eq!(view.status, "completed");
    view.output.unwrap()
}

async fn asked(world: &World, input: Value) -> Value {
    let workflow = if input.get("at").is_some() {
        "quotes"
    } else {
        "quotes-today"
    };
    let started = world.start(workflow, input).await;
    said(world, &started.id).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_answers_by_the_version_of_the_day() {
    let world = world().await;
    let answer = |quotes: u32, version: &str, row: usize| {
        let result = json!({"quotes": quotes});
        json!({"result": result, "table": "quotes", "version": version, "rows": [row]})
    };
    let today = asked(&world, json!({"amount": aud(200_000)})).await;
    assert_eq!(today, answer(0, "2020-01-01", 1));
    let more = asked(&world, json!({"amount": aud(200_001)})).await;
    assert_eq!(more, answer(2, "2020-01-01", 2));
    let later = asked(&world, json!({"amount": aud(1), "at": "2030-01-01"})).await;
    assert_eq!(later, answer(9, "2030-01-01", 1));
    // In Brisbane the new year is ten hours old by then.
    let moment = asked(
        &world,
        json!({"amount": aud(1), "at": "2029-12-31T14:00:00Z"}),
    )
    .await;
    assert_eq!(moment, answer(9, "2030-01-01", 1));
    let before = asked(
        &world,
        json!({"amount": aud(1), "at": "2029-12-31T13:59:59Z"}),
    )
    .await;
    assert_eq!(before, answer(0, "2020-01-01", 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_table_does_not_take_is_an_error_with_a_code_of_its_own() {
    let world = world().await;
    let refused = |code: &str| json!({"refused": format!("urn:casewright:error:{code}")});
    let early = asked(&world, json!({"amount": aud(1), "at": "2019-12-31"})).await;
    assert_eq!(early, refused("table-not-in-force"));
    let dollars = json!({"minor": 1, "currency": "NZD"});
    let dollars = asked(&world, json!({"amount": dollars})).await;
    assert_eq!(dollars, refused("currency-mismatch"));
    let nothing = asked(&world, json!({"amount": null})).await;
    assert_eq!(nothing, refused("table-input-invalid"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_keeps_the_tables_that_it_began_with_through_a_crash() {
    let world = world().await;
    let input = || json!({"wait": true, "amount": aud(1)});
    let before = world.start("quotes-today", input()).await;
    let changed = TABLE.replace(
        "up to 2000 }, then: { quotes: 0 }",
        "up to 2000 }, then: { quotes: 5 }",
    );
    assert_ne!(changed, TABLE);
    world.deploy(files(&changed)).await.unwrap();
    let after = world.start("quotes-today", input()).await;
    let world = world.crash().await;
    world.clock.forward(SignedDuration::from_hours(25));
    world.engine.quiet().await.unwrap();
    let quotes = async |id: &str| said(&world, id).await["result"]["quotes"].clone();
    assert_eq!(quotes(&before.id).await, json!(0));
    assert_eq!(quotes(&after.id).await, json!(5));
}

#[test]
fn a_pack_with_a_broken_table_is_refused_once_for_the_table() {
    let broken = TABLE.replace("above 2000", "above 3000");
    let installed = casewright_language::Surroundings::default();
    let findings = Deployment::read(files(&broken), &installed, &[]).unwrap_err();
    let codes: Vec<_> = findings
        .iter()
        .map(|found| (found.code, found.file.as_str()))
        .collect();
    assert_eq!(codes, [("CW1106", "decisions/quotes.yaml")]);
}
