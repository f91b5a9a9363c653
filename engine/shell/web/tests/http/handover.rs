//! What a finished run hands over to the next, and a case that is closed: as pages show it.

use serde_json::json;

use crate::agency::{Agency, put_in_force};
use crate::browser::Browser;

const FIRST: &str = "
document:
  dsl: '1.0.3'
  namespace: little
  name: first
  version: '1.0.0'
  title: First call
  summary: Somebody calls.
  metadata: { inClosedCase: true }
do:
  - listen:
      call: human-task
      with: { title: Write it down, form: reached, assign: { role: case-worker } }
  - over:
      set:
        outcome: taken-in
        case: open
        next:
          - workflow: reach
            note: this week
            input:
              ways: ${ $steps.listen.data.ways }
              mustNotKnow: ${ $steps.listen.data.mustNotKnow }
              on: next Friday
              secret: ${ $steps.listen.data.ways }
          - workflow: nowhere
          - { workflow: finish, on: 2026-12-24 }
";

const REACH: &str = "
document:
  dsl: '1.0.3'
  namespace: little
  name: reach
  version: '1.0.0'
  title: Another look
  metadata: { startForm: reached }
do:
  - look:
      call: human-task
      with:
        title: Look at it
        show:
          waysToday: ${ $workflow.input.ways }
          attention: ${ $workflow.input.mustNotKnow }
        assign: { role: team-leader }
";

const FINISH: &str = "
document:
  dsl: '1.0.3'
  namespace: little
  name: finish
  version: '1.0.0'
  title: The end
do:
  - why:
      call: human-task
      with: { title: Say why it ends, form: ending, assign: { role: case-worker } }
  - over:
      set: { case: closed, reason: '${ $steps.why.data.reason }', next: Nothing more to do }
";

const LATER: &str = "
document:
  dsl: '1.0.3'
  namespace: little
  name: later
  version: '1.0.0'
  title: What only others start
  metadata: { offered: false, inClosedCase: true }
do:
  - done: { set: { outcome: done } }
";

const REACHED: &str = "
title: How they are reached
schema:
  type: object
  required: [ways, mustNotKnow]
  additionalProperties: false
  properties:
    ways:
      title: Which ways are safe?
      type: array
      minItems: 1
      uniqueItems: true
      items: { oneOf: [ { const: phone, title: By phone }, { const: visit, title: By a visit } ] }
    mustNotKnow: { title: Is there somebody who must not learn of it?, type: boolean }
    on: { title: From which day?, type: string, format: date }
";

const ENDING: &str = "
title: The end
schema:
  type: object
  required: [reason]
  properties:
    reason:
      title: Why?
      oneOf: [ { const: goals-reached, title: All goals are reached } ]
";

async fn agency() -> Agency {
    let agency = Agency::open().await;
    let more = [
        ("first.yaml", FIRST),
        ("reach.yaml", REACH),
        ("finish.yaml", FINISH),
        ("later.yaml", LATER),
        ("forms/reached.yaml", REACHED),
        ("forms/ending.yaml", ENDING),
    ];
    put_in_force(&agency.engine, &more).await;
    agency
}

/// Answers the only open task of an instance.
async fn answer(agency: &Agency, instance: &str, task: &str, data: serde_json::Value) -> String {
    let casey = agency.client("casey").await;
    let item = casey.item(&json!({ "id": instance }), task).await;
    casey.claim(&item).await.is(200);
    let body = json!({ "outcome": "done", "data": data });
    casey.complete(&item, &body).await.is(200);
    item["id"].as_str().unwrap().to_owned()
}

/// Starts a workflow in a case, or in a new one: instance and case.
async fn start(agency: &Agency, workflow: &str, case: Option<&str>) -> (String, String) {
    let casey = agency.client("casey").await;
    let body = json!({ "workflow": workflow, "case": case });
    let started = casey.post("/api/v1/instances", &body).await;
    let text = |key: &str| started.json()[key].as_str().unwrap().to_owned();
    started.is(201);
    (text("id"), text("case"))
}

#[tokio::test]
async fn what_was_told_once_is_in_the_next_form() {
    let agency = agency().await;
    let (first, case) = start(&agency, "first", None).await;
    let told = json!({ "ways": ["visit"], "mustNotKnow": true });
    let item = answer(&agency, &first, "listen", told).await;

    let casey = Browser::signed_in(&agency, "casey").await;
    let page = format!("/cases/{case}");
    let address = format!("/start/reach?case={case}");
    casey.get(&page).await.is(200).shows(&[
        "<h2 id=\"next\">What comes next</h2>",
        &format!("href=\"{address}\">Start: Another look</a>"),
        "this week; after “First call”, Mon 23 Nov 2026",
        "Start: The end",
        "from Thu 24 Dec 2026; after “First call”",
        "Taken in",
        // What was written down can be read from here.
        &format!("href=\"/tasks/{item}\"><bdi>Write it down</bdi></a>"),
    ]);
    casey.get(&format!("/tasks/{item}")).await.is(200).shows(&[
        "This task is closed",
        "<dt>Which ways are safe?</dt><dd>",
        "<bdi>By a visit</bdi>",
        "Back to case LA-2026-00001",
    ]);
    let form = casey.get(&address).await;
    form.is(200).shows(&[
        "In <a href=\"/cases/",
        ">case LA-2026-00001</a>",
        "<title>Another look – LA-2026-00001 – Casewright</title>",
        "Filled in from “First call”, which ended on Mon 23 Nov 2026.",
        "value=\"visit\" checked",
        "name=\"mustNotKnow\" value=\"yes\" checked",
    ]);
    // What would not fit is left to be asked, and what is not asked for is not there.
    form.lacks(&["value=\"phone\" checked", "next Friday", "secret"]);
    // A person may change it, and nothing is started without them.
    let sent = [("ways", "phone"), ("mustNotKnow", "no")];
    casey.submit(&form, &address, &sent).await.is(303);
    casey
        .get(&page)
        .await
        .shows(&["Start: The end", "Waits for a person: Look at it"])
        .lacks(&["Start: Another look"]);
    casey
        .get(&address)
        .await
        .lacks(&["Filled in from", " checked"]);

    // The next task has the titles of the form, in the order in which the author wrote them.
    let lee = Browser::signed_in(&agency, "lee").await;
    let list = lee.get(&page).await;
    let task = list.text.split("href=\"/tasks/").nth(1).unwrap();
    let task = format!("/tasks/{}", task.split('"').next().unwrap());
    let shown = lee.get(&task).await;
    shown.is(200).shows(&["<bdi>By phone</bdi>"]);
    let (ways, attention) = (shown.text.find("Ways today"), shown.text.find("Attention"));
    assert!(ways.unwrap() < attention.unwrap(), "{}", shown.text);

    // Nobody else's case hands anything over.
    casey.get("/start/reach?case=c-nobodys").await.is(404);
}

#[tokio::test]
async fn a_closed_case_looks_closed_until_it_is_open_again() {
    let agency = agency().await;
    let (finish, case) = start(&agency, "finish", None).await;
    let casey = Browser::signed_in(&agency, "casey").await;
    let page = format!("/cases/{case}");
    let list = format!("/start?case={case}");
    casey.get(&page).await.lacks(&["Closed"]);
    casey
        .get(&list)
        .await
        .shows(&["Start something in case LA-2026-00001", "Help for a family"]);

    answer(
        &agency,
        &finish,
        "why",
        json!({ "reason": "goals-reached" }),
    )
    .await;
    casey
        .get(&page)
        .await
        .shows(&[
            "<span class=\"mark\">Closed</span>",
            "<dt>Closed</dt><dd>Mon 23 Nov 2026</dd>",
            "<dt>Reason</dt><dd><bdi>All goals are reached</bdi></dd>",
            "Nothing more to do",
            "The family needs help again",
        ])
        .lacks(&["Start something in this case", "What comes next"]);
    casey
        .get(&list)
        .await
        .shows(&["This case is closed.", "First call", "Somebody calls."])
        .lacks(&["Help for a family", "Another look"]);
    casey.get("/cases").await.shows(&[">Closed</td>"]);

    agency.clock.move_to("2026-11-23T02:01:00Z");
    let (first, _) = start(&agency, "first", Some(&case)).await;
    let told = json!({ "ways": ["phone"], "mustNotKnow": false });
    answer(&agency, &first, "listen", told).await;
    casey
        .get(&page)
        .await
        .shows(&["Start something in this case", "Start: Another look"])
        .lacks(&["Closed"]);
}

#[tokio::test]
async fn what_may_be_started_is_told_by_title_with_its_summary() {
    let agency = agency().await;
    let casey = Browser::signed_in(&agency, "casey").await;
    let list = casey.get("/start").await;
    list.is(200)
        .shows(&["<span class=\"quiet\">Somebody calls.</span>"]);
    let titles = ["Another look", "First call", "Help for a family", "The end"];
    let places: Vec<_> = titles.map(|title| list.text.find(title).unwrap()).into();
    assert!(places.is_sorted(), "{}", list.text);
    list.lacks(&["What only others start"]);
}
