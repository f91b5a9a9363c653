//! The API: the brokerage story in small, and how every kind of request is refused.

use axum::body::Body;
use axum::http::Request;
use serde_json::json;

use crate::agency::Agency;

#[tokio::test]
async fn one_asks_and_another_decides() {
    let agency = Agency::open().await;
    let (casey, lee) = (agency.client("casey").await, agency.client("lee").await);
    let instance = casey.ask(130_000).await;
    let item = lee.item(&instance, "decision").await;
    assert_eq!(
        item["show"]["money"],
        json!({"minor": 130_000, "currency": "AUD"})
    );
    assert_eq!(item["assigned"], json!({"role": "team-leader"}));

    casey.claim(&item).await.problem(403, "self-approval");
    let claimed = lee.claim(&item).await;
    claimed.is(200);
    assert_eq!(claimed.json()["claimedBy"]["displayName"], "Lee Tanaka");
    let sam = agency.client("sam").await;
    sam.claim(&item).await.problem(409, "already-claimed");
    lee.complete(&item, &json!({"outcome": "approve"}))
        .await
        .is(200);
    lee.complete(&item, &json!({"outcome": "decline"}))
        .await
        .problem(409, "already-decided");

    let path = format!("/api/v1/instances/{}", instance["id"].as_str().unwrap());
    assert_eq!(casey.get(&path).await.is(200).json()["status"], "completed");
    assert!(casey.get(&format!("{path}/history")).await.is(200).json()["items"][0].is_object());
    let funds = lee.get("/api/v1/funds").await.is(200).json();
    assert_eq!(
        funds["items"][0]["available"],
        json!({"minor": 370_000, "currency": "AUD"})
    );
    assert_eq!(funds["items"][0]["committed"]["minor"], 130_000);

    let case = instance["case"].as_str().unwrap();
    let number = casey.get(&format!("/api/v1/cases/{case}")).await.json()["number"].clone();
    assert_eq!(number, "LA-2026-00001");
    let timeline = casey.get(&format!("/api/v1/cases/{case}/timeline")).await;
    timeline
        .is(200)
        .shows(&["work-item-completed", "refused", "fund-committed"]);
    let chain = casey
        .get(&format!("/api/v1/cases/{case}/audit"))
        .await
        .is(200)
        .json();
    let first = &chain["items"][0];
    assert_eq!(
        (&first["index"], &first["entry"]["action"]),
        (&json!(0), &json!("case-opened"))
    );
    assert_eq!(first["hash"].as_str().unwrap().len(), 64);
}

#[tokio::test]
async fn the_same_key_and_body_do_one_thing() {
    let agency = Agency::open().await;
    let casey = agency.client("casey").await;
    let key = [("idempotency-key", "k-1")];
    let body = json!({"workflow": "help"});
    let first = casey.post_with("/api/v1/instances", &body, &key).await;
    let again = casey.post_with("/api/v1/instances", &body, &key).await;
    assert_eq!(first.is(201).json(), again.is(201).json());
    let location = format!("/api/v1/instances/{}", first.json()["id"].as_str().unwrap());
    assert_eq!(first.header("location"), location);
    let other = json!({"workflow": "help", "input": {}});
    casey
        .post_with("/api/v1/instances", &other, &key)
        .await
        .problem(422, "key-reused");
    assert_eq!(
        casey.get("/api/v1/cases").await.json()["items"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    casey
        .post_with("/api/v1/instances", &body, &[("idempotency-key", "a b")])
        .await
        .problem(400, "invalid-idempotency-key");
}

#[tokio::test]
async fn a_stale_revision_is_refused_in_body_and_header() {
    let agency = Agency::open().await;
    let casey = agency.client("casey").await;
    let instance = casey.start().await;
    let item = casey.item(&instance, "request").await;
    let claimed = casey.claim(&item).await;
    let revision = claimed.json()["revision"].as_u64().unwrap();
    assert_eq!(claimed.header("etag"), format!("\"{revision}\""));
    let money = json!({"minor": 100, "currency": "AUD"});
    let data = json!({"what": "Shoes", "money": money});
    let stale = json!({"outcome": "done", "data": data, "revision": revision - 1});
    casey
        .complete(&item, &stale)
        .await
        .problem(409, "stale-revision");
    let path = format!(
        "/api/v1/work-items/{}/complete",
        item["id"].as_str().unwrap()
    );
    let body = json!({"outcome": "done", "data": data});
    let old = format!("\"{}\"", revision - 1);
    let answer = casey.post_with(&path, &body, &[("if-match", &old)]).await;
    answer.problem(409, "stale-revision");
    let now = format!("\"{revision}\"");
    casey
        .post_with(&path, &body, &[("if-match", &now)])
        .await
        .is(200);
}

#[tokio::test]
async fn every_failure_is_a_problem_with_its_code() {
    let agency = Agency::open().await;
    let casey = agency.client("casey").await;
    let instance = casey.start().await;
    let item = casey.item(&instance, "request").await;
    casey.get("/api/v1/nothing").await.problem(404, "not-found");
    casey
        .get("/api/v1/cases/c-0")
        .await
        .problem(404, "not-found");
    casey
        .get("/api/v1/work-items/%00")
        .await
        .problem(404, "not-found");
    casey
        .get("/api/v1/work-items?state=sleepy")
        .await
        .problem(422, "invalid-input");
    casey
        .get("/api/v1/work-items?limit=0")
        .await
        .problem(422, "invalid-input");
    casey
        .get("/api/v1/work-items?colour=red")
        .await
        .problem(422, "invalid-input");
    casey
        .get("/api/v1/work-items?state=any")
        .await
        .problem(422, "invalid-input");
    casey
        .get("/api/v1/work-items?cursor=!")
        .await
        .problem(400, "bad-cursor");
    let refused = casey.post("/api/v1/funds", &json!({})).await;
    refused.problem(405, "method-not-allowed");
    assert!(refused.header("allow").contains("GET"));
    let unknown = json!({"workflow": "no-such"});
    casey
        .post("/api/v1/instances", &unknown)
        .await
        .problem(404, "unknown-workflow");
    let misspelt = json!({"workflow": "help", "inputs": {}});
    casey
        .post("/api/v1/instances", &misspelt)
        .await
        .problem(422, "invalid-input");
    casey
        .complete(&item, &json!({"outcome": "done"}))
        .await
        .problem(409, "not-claimed");
    casey.claim(&item).await.is(200);
    casey
        .complete(&item, &json!({"outcome": "fly"}))
        .await
        .problem(422, "unknown-outcome");
    let empty = casey
        .complete(&item, &json!({"outcome": "done", "data": {}}))
        .await;
    empty.problem(422, "form-invalid");
    let fields = empty.json()["fields"].clone();
    let names: Vec<_> = fields
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["field"])
        .collect();
    assert_eq!(names, ["what", "money"]);

    let anonymous = Request::get("/api/v1/cases").body(Body::empty()).unwrap();
    let answer = agency.send(anonymous).await;
    answer.problem(401, "unauthenticated");
    assert_eq!(answer.header("www-authenticate"), "Bearer");
    for token in ["Bearer nonsense", "Basic abc", "Bearer"] {
        let request = Request::get("/api/v1/cases").header("authorization", token);
        let answer = agency.send(request.body(Body::empty()).unwrap()).await;
        answer.problem(401, "unauthenticated");
    }
}

#[tokio::test]
async fn bodies_are_read_strictly() {
    let agency = Agency::open().await;
    let token = agency.engine.mint_token("u-casey", "raw").await.unwrap().0;
    for (kind, body, status, code) in [
        ("application/json", "{", 400, "invalid-json"),
        ("application/json", "", 400, "invalid-json"),
        (
            "application/json",
            r#"{"workflow": "help", "workflow": "help"}"#,
            400,
            "invalid-json",
        ),
        (
            "application/json; charset=utf-8",
            "[]",
            422,
            "invalid-input",
        ),
        (
            "text/plain",
            r#"{"workflow": "help"}"#,
            415,
            "unsupported-media-type",
        ),
        (
            "application/json",
            &"x".repeat(1024 * 1024 + 1),
            413,
            "too-large",
        ),
    ] {
        let request = Request::post("/api/v1/instances")
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", kind)
            .body(Body::from(body.to_owned()));
        agency.send(request.unwrap()).await.problem(status, code);
    }
}

#[tokio::test]
async fn operators_see_counts_and_readiness() {
    let agency = Agency::open().await;
    agency
        .client("casey")
        .await
        .get("/api/v1/nothing")
        .await
        .is(404);
    for path in ["/healthz", "/readyz", "/openapi.json"] {
        agency
            .send(Request::get(path).body(Body::empty()).unwrap())
            .await
            .is(200);
    }
    let metrics = agency
        .send(Request::get("/metrics").body(Body::empty()).unwrap())
        .await;
    metrics.is(200).shows(&[
        "casewright_ready 1\n",
        "casewright_refusals_total{code=\"not-found\"} 1\n",
        "casewright_http_requests_total{area=\"api\",status=\"4xx\"} 1\n",
    ]);
}

#[tokio::test]
async fn all_states_of_one_run_come_in_one_list() {
    let agency = Agency::open().await;
    let casey = agency.client("casey").await;
    let instance = casey.ask(5_000).await;
    let id = instance["id"].as_str().unwrap();
    let list = casey
        .get(&format!("/api/v1/work-items?instance={id}&state=any"))
        .await
        .json();
    let states: Vec<_> = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| {
            (
                item["task"].as_str().unwrap(),
                item["state"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(states, [("request", "completed"), ("decision", "offered")]);
}

#[tokio::test]
async fn whoever_guesses_a_callback_token_finds_nothing() {
    let agency = Agency::open().await;
    let before = agency.state();
    for token in ["cwc_0", "cwt_0", "%00", "x"] {
        let sent = Request::post(format!("/api/v1/callbacks/{token}"));
        let answer = agency.send(sent.body(Body::from("{}")).unwrap()).await;
        answer.problem(404, "not-found");
    }
    let large = Request::post("/api/v1/callbacks/cwc_0").body(Body::from(vec![b' '; 65_537]));
    agency.send(large.unwrap()).await.problem(413, "too-large");
    assert_eq!(agency.state(), before);
}

#[tokio::test]
async fn what_is_not_approved_has_a_reason() {
    let agency = Agency::open().await;
    let (casey, lee) = (agency.client("casey").await, agency.client("lee").await);
    let instance = casey.ask(130_000).await;
    let item = lee.item(&instance, "decision").await;
    lee.claim(&item).await.is(200);
    for outcome in ["decline", "ask-for-changes"] {
        for answer in [
            json!({"outcome": outcome}),
            json!({"outcome": outcome, "comment": null}),
            json!({"outcome": outcome, "comment": " \n"}),
        ] {
            let refused = lee.complete(&item, &answer).await;
            refused.problem(422, "reason-needed");
            refused.shows(&["say in the comment why this is not approved"]);
        }
    }
    let path = format!("/api/v1/work-items/{}", item["id"].as_str().unwrap());
    assert_eq!(lee.get(&path).await.json()["state"], "claimed");
    let said = json!({"outcome": "decline", "comment": "The housing program pays"});
    lee.complete(&item, &said).await.is(200);
    let case = instance["case"].as_str().unwrap();
    let told = casey.get(&format!("/api/v1/cases/{case}/timeline")).await;
    told.is(200).shows(&["The housing program pays"]);
}
