//! Work that goes from hand to hand: by the API and by plain forms.

use serde_json::json;

use crate::agency::Agency;
use crate::browser::Browser;

#[tokio::test]
async fn a_colleague_acts_for_whoever_is_away() {
    let agency = Agency::open().await;
    let (casey, lee) = (agency.client("casey").await, agency.client("lee").await);
    let instance = casey.start().await;
    let item = casey.item(&instance, "request").await;
    casey.claim(&item).await.is(200);
    let path = format!("/api/v1/work-items/{}", item["id"].as_str().unwrap());
    lee.post(&format!("{path}/claim"), &json!({}))
        .await
        .problem(403, "not-assigned");
    let days = json!({"substitute": "lee", "from": "2026-11-23", "to": "2026-11-24"});
    for (wrong, status, code) in [
        (
            json!({"substitute": "nobody", "from": "2026-11-23", "to": "2026-11-24"}),
            422,
            "absence-invalid",
        ),
        (
            json!({"substitute": "casey", "from": "2026-11-23", "to": "2026-11-24"}),
            422,
            "absence-invalid",
        ),
        (
            json!({"substitute": "lee", "from": "2026-11-23", "to": "soon"}),
            422,
            "invalid-input",
        ),
        (
            json!({"person": "sam", "substitute": "lee", "from": "2026-11-23", "to": "2026-11-24"}),
            403,
            "not-arranging",
        ),
    ] {
        casey
            .post("/api/v1/absences", &wrong)
            .await
            .problem(status, code);
    }
    let absence = casey.post("/api/v1/absences", &days).await.is(201).json();
    assert_eq!(absence["ends"], "2026-11-24T14:00:00Z");
    let seen = lee.get(&path).await.json();
    assert_eq!(seen["claimableFor"]["displayName"], "Casey Brown");
    let taken = lee
        .post(&format!("{path}/claim"), &json!({}))
        .await
        .is(200)
        .json();
    assert_eq!(taken["actingFor"]["id"], "u-casey");
    let end = format!("/api/v1/absences/{}/end", absence["id"].as_str().unwrap());
    let ended = lee.post(&end, &json!({})).await.is(200).json();
    assert!(ended["ended"].is_string());
    let data = json!({"what": "A cot", "money": {"minor": 30_000, "currency": "AUD"}});
    let done = json!({"outcome": "done", "data": data});
    lee.complete(&item, &done).await.problem(409, "acting-over");
    let back = lee
        .post(&format!("{path}/release"), &json!({}))
        .await
        .is(200)
        .json();
    assert_eq!(back["claimedBy"]["id"], "u-casey");
    let over = json!({"to": "lee", "until": "2026-12-01", "reason": "a course"});
    let handed = casey
        .post(&format!("{path}/delegate"), &over)
        .await
        .is(200)
        .json();
    assert_eq!(handed["moves"][0]["reason"], "a course");
    lee.complete(&item, &done).await.is(200);
    // Both have worked on the request; neither decides it.
    let decision = casey.item(&instance, "decision").await;
    lee.claim(&decision).await.problem(403, "self-approval");
    let list = casey.get("/api/v1/absences").await.json();
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    let case = instance["case"].as_str().unwrap();
    let told = casey.get(&format!("/api/v1/cases/{case}/timeline")).await;
    told.is(200).shows(&[
        "Casey Brown handed",
        "Lee Tanaka, who acts for them",
        "Lee Tanaka did so for Casey Brown: it counts as done by both.",
        "a course",
    ]);
}

#[tokio::test]
async fn whoever_arranges_gives_work_away_and_nobody_else_does() {
    let agency = Agency::open().await;
    let (casey, ria) = (agency.client("casey").await, agency.client("ria").await);
    let instance = casey.start().await;
    let item = casey.item(&instance, "request").await;
    let path = format!("/api/v1/work-items/{}", item["id"].as_str().unwrap());
    let (assign, reassign) = (format!("{path}/assign"), format!("{path}/reassign"));
    let to = json!({"to": "casey", "reason": "you know them"});
    casey.post(&assign, &to).await.problem(403, "not-arranging");
    let lee = json!({"to": "lee", "reason": "why"});
    ria.post(&assign, &lee).await.problem(403, "not-delegable");
    let given = ria.post(&assign, &to).await.is(200).json();
    assert_eq!(given["claimedBy"]["id"], "u-casey");
    for wrong in [
        json!({"to": {"person": "lee", "role": "team-leader"}, "reason": "why"}),
        json!({"to": {}, "reason": "why"}),
    ] {
        ria.post(&reassign, &wrong)
            .await
            .problem(422, "invalid-input");
    }
    let nowhere = json!({"to": {"team": "east"}, "reason": "why"});
    ria.post(&reassign, &nowhere)
        .await
        .problem(422, "handover-invalid");
    let wider = json!({"to": {"role": "team-leader"}, "reason": "on leave"});
    let given = ria.post(&reassign, &wider).await.is(200).json();
    assert_eq!(given["assigned"], json!({"role": "team-leader"}));
    let skip = json!({"reason": "why"});
    ria.post(&format!("{path}/skip"), &skip)
        .await
        .problem(403, "not-skippable");
}

#[tokio::test]
async fn people_are_away_and_stood_in_for_without_a_script() {
    let agency = Agency::open().await;
    let api = agency.client("casey").await;
    let instance = api.start().await;
    let item = api.item(&instance, "request").await;
    api.claim(&item).await.is(200);
    let address = format!("/tasks/{}", item["id"].as_str().unwrap());
    let casey = Browser::signed_in(&agency, "casey").await;
    let page = casey.get("/absences").await;
    page.is(200).lacks(&["Who is away, by sign-in name"]);
    let days = [
        ("substitute", "casey"),
        ("from", "2026-11-23"),
        ("to", "2026-11-27"),
    ];
    let wrong = casey.submit(&page, "/absences", &days).await;
    wrong
        .is(422)
        .shows(&["Nobody stands in for themselves.", "2026-11-27"]);
    let days = [
        ("substitute", "lee"),
        ("from", "2026-11-23"),
        ("to", "2026-11-27"),
    ];
    let saved = casey.submit(&wrong, "/absences", &days).await;
    let page = casey.follow(&saved).await;
    page.is(200)
        .shows(&["Casey Brown", "Lee Tanaka", "Away", "Take back"]);
    let lee = Browser::signed_in(&agency, "lee").await;
    let task = lee.get(&address).await;
    task.is(200)
        .shows(&["is away and you stand in", "Take this task for"]);
    let taken = lee.submit(&task, &format!("{address}/claim"), &[]).await;
    let task = lee.follow(&taken).await;
    task.is(200)
        .shows(&["You, for Casey Brown until", "What is it?"]);
    task.lacks(&["Hand this task to a colleague"]);
    let back = lee.submit(&task, &format!("{address}/release"), &[]).await;
    lee.follow(&back).await.is(200);
    let task = casey.get(&address).await;
    let hand = format!("{address}/delegate");
    let over = [("_colleague", "lee"), ("_until", ""), ("_why", "a course")];
    let wrong = casey.submit(&task, &hand, &over).await;
    wrong
        .is(422)
        .shows(&["Choose the day on which it comes back to you.", "a course"]);
    let over = [
        ("_colleague", "lee"),
        ("_until", "2026-11-30"),
        ("_why", "a course"),
    ];
    let handed = casey.submit(&wrong, &hand, &over).await;
    casey
        .follow(&handed)
        .await
        .is(200)
        .shows(&["Your colleague has the task", "a course"]);
    let ria = Browser::signed_in(&agency, "ria").await;
    let task = ria.get(&address).await;
    task.is(200).shows(&["Give this task to somebody else"]);
    let to = [
        ("_colleague", ""),
        ("_role", "team-leader"),
        ("_why", "on leave"),
    ];
    let given = ria.submit(&task, &format!("{address}/reassign"), &to).await;
    ria.follow(&given)
        .await
        .is(200)
        .shows(&["The task was given to somebody else."]);
}
