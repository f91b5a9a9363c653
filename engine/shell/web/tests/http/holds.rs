//! Work that waits: by the API and by plain forms.

use serde_json::json;

use crate::agency::Agency;
use crate::browser::Browser;

#[tokio::test]
async fn work_waits_with_a_reason_and_goes_on() {
    let agency = Agency::open().await;
    let (casey, lee) = (agency.client("casey").await, agency.client("lee").await);
    let instance = casey.start().await;
    let item = casey.item(&instance, "request").await;
    let path = format!("/api/v1/work-items/{}", item["id"].as_str().unwrap());
    let (hold, resume) = (format!("{path}/hold"), format!("{path}/resume"));
    let wait = json!({"reason": "Waits for a quote", "until": "2026-12-01"});
    casey.post(&hold, &wait).await.problem(409, "not-claimed");
    casey.claim(&item).await.is(200);
    lee.post(&hold, &wait).await.problem(403, "not-assigned");
    casey
        .post(&resume, &json!({}))
        .await
        .problem(409, "not-on-hold");
    for (wrong, code) in [
        (json!({"reason": " "}), "hold-invalid"),
        (
            json!({"reason": "x", "until": "2026-11-23"}),
            "hold-invalid",
        ),
        (json!({"reason": "x", "until": "soon"}), "invalid-input"),
        (json!({"until": "2026-12-01"}), "invalid-input"),
    ] {
        casey.post(&hold, &wrong).await.problem(422, code);
    }
    let held = casey.post(&hold, &wait).await.is(200).json();
    assert_eq!(held["state"], "held");
    assert_eq!(held["hold"]["until"], "2026-11-30T14:00:00Z");
    assert_eq!(held["hold"]["clockStopped"], false);
    let list = casey.get("/api/v1/work-items?state=held").await.json();
    assert_eq!(list["items"][0]["id"], item["id"]);
    let done = json!({"outcome": "done", "data": {}});
    casey.complete(&item, &done).await.problem(409, "on-hold");
    let back = casey.post(&resume, &json!({})).await.is(200).json();
    assert_eq!(
        (&back["state"], &back["hold"]),
        (&json!("claimed"), &json!(null))
    );
    let case = instance["case"].as_str().unwrap();
    let told = casey.get(&format!("/api/v1/cases/{case}/timeline")).await;
    told.is(200)
        .shows(&["work-item-held", "Waits for a quote", "work-item-resumed"]);
}

#[tokio::test]
async fn a_task_is_put_on_hold_without_a_script() {
    let agency = Agency::open().await;
    let api = agency.client("casey").await;
    let instance = api.start().await;
    let item = api.item(&instance, "request").await;
    api.claim(&item).await.is(200);
    let address = format!("/tasks/{}", item["id"].as_str().unwrap());
    let casey = Browser::signed_in(&agency, "casey").await;
    let page = casey.get(&address).await;
    let hold = format!("{address}/hold");
    let early = [("_why", "The family is away"), ("_until", "2026-11-01")];
    let wrong = casey.submit(&page, &hold, &early).await;
    wrong
        .is(422)
        .shows(&["This task was not put on hold", "The family is away"]);
    let later = [("_why", "The family is away"), ("_until", "2026-12-01")];
    let held = casey.submit(&wrong, &hold, &later).await;
    let page = casey.follow(&held).await;
    page.is(200).shows(&[
        "You have put this task on hold",
        "The family is away",
        "Tue 1 Dec 2026",
    ]);
    casey
        .get("/tasks?mine=1")
        .await
        .shows(&["<span class=\"mark\">On hold</span>"]);
    let back = casey.submit(&page, &format!("{address}/resume"), &[]).await;
    casey
        .follow(&back)
        .await
        .shows(&["off hold", "What is it?"]);
}
