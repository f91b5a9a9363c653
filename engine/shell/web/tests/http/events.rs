//! Events by HTTP: both modes, twice, from another agency, and how broken ones are refused.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::Request;
use casewright_language::Surroundings;
use casewright_runtime::Deployment;
use casewright_runtime::identity::NewUser;
use serde_json::{Value, json};

use crate::agency::{Agency, Answer, PASSPHRASE};

const TASKS: &str = "
do:
  - replies:
      listen:
        to:
          any: [ { with: { type: org.reply } } ]
          until: length >= 2
";

/// Puts a pack with one listening workflow in force.
async fn listen(agency: &Agency, namespace: &str) {
    let pack = format!(
        "namespace: {namespace}\ntitle: Listening\ntimeZone: Australia/Brisbane\n\
         caseNumber: LA-{{year}}-{{number:5}}\nroles:\n  case-worker: {{ title: Case worker }}\n"
    );
    let head = format!(
        "document: {{ dsl: '1.0.3', namespace: {namespace}, name: replies, version: '1.0.0' }}"
    );
    let files = [("pack.yaml", pack), ("replies.yaml", head + TASKS)];
    let files = files.map(|(path, text)| (path.to_owned(), text));
    let read = Deployment::read(BTreeMap::from(files), &Surroundings::default(), &[]);
    agency.engine.deploy(read.unwrap()).await.unwrap();
}

fn event(id: &str, data: &Value) -> Value {
    json!({
        "specversion": "1.0", "id": id, "source": "urn:family:portal", "type": "org.reply",
        "data": data,
    })
}

struct Teller<'a> {
    agency: &'a Agency,
    token: String,
}

impl<'a> Teller<'a> {
    async fn of(agency: &'a Agency, user: &str) -> Self {
        let minted = agency.engine.mint_token(user, "portal").await.unwrap();
        Self {
            agency,
            token: minted.0,
        }
    }

    async fn send(&self, headers: &[(&str, &str)], body: String) -> Answer {
        let mut request = Request::post("/api/v1/events")
            .header("authorization", format!("Bearer {}", self.token));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.agency
            .send(request.body(Body::from(body)).unwrap())
            .await
    }

    async fn structured(&self, event: &Value) -> Answer {
        let kind = "application/cloudevents+json; charset=utf-8";
        self.send(&[("content-type", kind)], event.to_string())
            .await
    }
}

/// Until every event has been brought.
async fn settled(agency: &Agency) {
    let mut changes = agency.engine.changes();
    loop {
        changes.borrow_and_update();
        if agency.engine.events_settled().unwrap() {
            return;
        }
        changes.changed().await.unwrap();
    }
}

#[tokio::test]
async fn events_come_structured_and_binary_and_each_counts_once() {
    let agency = Agency::open().await;
    listen(&agency, "little").await;
    let casey = agency.client("casey").await;
    let started = casey
        .post("/api/v1/instances", &json!({"workflow": "replies"}))
        .await;
    let instance = started.is(201).json();
    let path = format!("/api/v1/instances/{}", instance["id"].as_str().unwrap());
    let waiting = casey.get(&path).await.is(200).json()["waiting"].clone();
    assert_eq!(
        waiting,
        json!([{"kind": "event", "task": "replies", "events": ["org.reply"]}])
    );

    let portal = Teller::of(&agency, "u-casey").await;
    for _ in 0..2 {
        let taken = portal.structured(&event("1", &json!("one"))).await;
        let expected = json!({"id": "1", "source": "urn:family:portal"});
        assert_eq!(taken.is(202).json(), expected);
    }
    settled(&agency).await;
    assert_eq!(casey.get(&path).await.json()["status"], "waiting");
    let binary = [
        ("ce-specversion", "1.0"),
        ("ce-id", "2"),
        ("ce-source", "urn:family:portal"),
        ("ce-type", "org.reply"),
        ("content-type", "application/json"),
    ];
    portal.send(&binary, "{\"n\":2}".to_owned()).await.is(202);
    settled(&agency).await;
    let view = casey.get(&path).await.is(200).json();
    assert_eq!(view["output"], json!(["one", {"n": 2}]), "{view:#}");

    let case = instance["case"].as_str().unwrap();
    let page = casey.get(&format!("/api/v1/cases/{case}/timeline")).await;
    page.is(200).shows(&["event-awaited", "event-received"]);
}

#[tokio::test]
async fn another_agencys_events_are_not_heard() {
    let agency = Agency::open().await;
    listen(&agency, "little").await;
    listen(&agency, "other").await;
    let stranger = NewUser {
        agency: "other".to_owned(),
        id: "u-olive".to_owned(),
        sign_in: "olive".to_owned(),
        display_name: "Olive Stone".to_owned(),
        roles: ["case-worker".to_owned()].into(),
        passphrase: PASSPHRASE.to_owned(),
    };
    agency.engine.put_user(stranger).await.unwrap();
    let (casey, olive) = (agency.client("casey").await, agency.client("olive").await);
    let body = json!({"workflow": "replies"});
    let mine = casey.post("/api/v1/instances", &body).await.is(201).json();
    let theirs = olive.post("/api/v1/instances", &body).await.is(201).json();
    let history = |instance: &Value| {
        let id = instance["id"].as_str().unwrap();
        format!("/api/v1/instances/{id}/history")
    };
    let teller = Teller::of(&agency, "u-olive").await;
    teller.structured(&event("1", &json!("x"))).await.is(202);
    settled(&agency).await;
    let heard = olive.get(&history(&theirs)).await;
    heard.is(200).shows(&["event-received"]);
    let heard = casey.get(&history(&mine)).await;
    heard.is(200).lacks(&["event-received"]);
}

#[tokio::test]
async fn what_is_no_event_or_not_signed_in_is_refused() {
    let agency = Agency::open().await;
    let portal = Teller::of(&agency, "u-casey").await;
    let mut broken = event("1", &json!({"name": "Mrs Smith"}));
    broken["source"] = json!("");
    let refused = portal.structured(&broken).await;
    refused.problem(422, "event-invalid").lacks(&["Smith"]);
    let json_kind = [("content-type", "application/json")];
    let refused = portal.send(&json_kind, event("1", &json!(1)).to_string());
    refused.await.problem(415, "unsupported-media-type");
    let kind = [("content-type", "application/cloudevents+json")];
    let refused = portal.send(&kind, "{".to_owned()).await;
    refused.problem(400, "invalid-json");
    let request = Request::post("/api/v1/events").header(kind[0].0, kind[0].1);
    let body = Body::from(event("1", &json!(1)).to_string());
    let refused = agency.send(request.body(body).unwrap()).await;
    refused.problem(401, "unauthenticated");

    let key = [kind[0], ("idempotency-key", "k-1")];
    let text = event("k", &json!(1)).to_string();
    portal.send(&key, text.clone()).await.is(202);
    portal.send(&key, text).await.is(202);
    let other = portal.send(&key, event("l", &json!(1)).to_string()).await;
    other.problem(422, "key-reused");
}
