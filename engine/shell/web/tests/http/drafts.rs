//! Drafts: kept on the server for whoever writes them, gone once they are sent.

use serde_json::json;

use crate::agency::Agency;
use crate::browser::Browser;

#[tokio::test]
async fn a_draft_is_kept_unchecked_and_only_for_its_author() {
    let agency = Agency::open().await;
    let (casey, lee) = (agency.client("casey").await, agency.client("lee").await);
    let instance = casey.start().await;
    let item = casey.item(&instance, "request").await;
    let half = json!({"data": {"money": "about 30"}, "comment": "not yet"});
    casey
        .draft("PUT", &item, Some(&half))
        .await
        .problem(409, "not-claimed");
    casey
        .draft("GET", &item, None)
        .await
        .problem(404, "not-found");
    casey.claim(&item).await.is(200);
    let saved = casey.draft("PUT", &item, Some(&half)).await;
    assert_eq!(saved.is(200).json()["data"], half["data"]);
    assert_eq!(saved.json()["revision"], item["revision"]);
    lee.draft("PUT", &item, Some(&half))
        .await
        .problem(403, "not-assigned");
    lee.draft("GET", &item, None)
        .await
        .problem(404, "not-found");
    let wrong = json!({"dta": {}});
    casey
        .draft("PUT", &item, Some(&wrong))
        .await
        .problem(422, "invalid-input");

    // What nobody checked is still checked when it is sent.
    let sent = json!({"outcome": "done", "data": half["data"]});
    casey
        .complete(&item, &sent)
        .await
        .problem(422, "form-invalid");
    let kept = casey.draft("GET", &item, None).await;
    assert_eq!(kept.is(200).json(), saved.json());
    casey.draft("DELETE", &item, None).await.is(204);
    casey.draft("DELETE", &item, None).await.is(204);
    casey
        .draft("GET", &item, None)
        .await
        .problem(404, "not-found");

    casey.draft("PUT", &item, Some(&half)).await.is(200);
    let data = json!({"what": "Shoes", "money": {"minor": 100, "currency": "AUD"}});
    casey
        .complete(&item, &json!({"outcome": "done", "data": data}))
        .await
        .is(200);
    casey
        .draft("GET", &item, None)
        .await
        .problem(404, "not-found");
    casey
        .draft("PUT", &item, Some(&half))
        .await
        .problem(409, "already-decided");
}

#[tokio::test]
async fn a_rework_loop_keeps_every_answer() {
    let agency = Agency::open().await;
    let (casey, lee) = (agency.client("casey").await, agency.client("lee").await);
    let instance = casey.ask(130_000).await;
    let item = lee.item(&instance, "decision").await;
    lee.claim(&item).await.is(200);
    let back = json!({"outcome": "ask-for-changes", "comment": "Cheaper?"});
    lee.complete(&item, &back).await.is(200);
    let item = casey.item(&instance, "request").await;
    let path = format!("/api/v1/work-items/{}", item["id"].as_str().unwrap());
    let attempts = casey.get(&path).await.is(200).json()["attempts"].clone();
    assert_eq!(attempts.as_array().unwrap().len(), 1);
    assert_eq!(attempts[0]["by"]["displayName"], "Casey Brown");
    assert_eq!(attempts[0]["outcome"], "done");
    assert_eq!(attempts[0]["data"]["money"]["minor"], 130_000);

    casey.claim(&item).await.is(200);
    let data = json!({"what": "A bed", "money": {"minor": 90_000, "currency": "AUD"}});
    casey
        .complete(&item, &json!({"outcome": "done", "data": data}))
        .await
        .is(200);
    let item = lee.item(&instance, "decision").await;
    let path = item["id"].as_str().unwrap();
    let found = lee.get(&format!("/api/v1/work-items/{path}")).await.json();
    assert_eq!(found["attempts"][0]["outcome"], "ask-for-changes");
    assert_eq!(found["attempts"][0]["comment"], "Cheaper?");
    let page = Browser::signed_in(&agency, "lee").await;
    page.get(&format!("/tasks/{path}")).await.is(200).shows(&[
        "Earlier answers",
        "Answer 1: ask for changes, Lee Tanaka",
        "Cheaper?",
    ]);
}

#[tokio::test]
async fn a_form_is_saved_for_later_without_a_script() {
    let agency = Agency::open().await;
    let api = agency.client("casey").await;
    let instance = api.start().await;
    let item = api.item(&instance, "request").await;
    api.claim(&item).await.is(200);
    let address = format!("/tasks/{}", item["id"].as_str().unwrap());
    let casey = Browser::signed_in(&agency, "casey").await;
    let page = casey.get(&address).await;
    page.is(200).shows(&["Save and come back later"]);
    let typed = [("what", "A <bed>"), ("why", ""), ("money", "1,3oo")];
    let (complete, draft) = (format!("{address}/complete"), format!("{address}/draft"));
    let kept = casey.press(&page, &complete, &draft, &typed).await;
    let page = casey.follow(&kept).await;
    page.is(200).shows(&["Your draft is saved.", "Draft saved"]);

    // Another sign-in of the same person goes on where they were.
    let again = Browser::signed_in(&agency, "casey").await;
    let page = again.get(&address).await;
    page.is(200)
        .shows(&["A &#60;bed&#62;", "value=\"1,3oo\"", "Draft saved"]);
    let mut typed = vec![("what", "A bed"), ("why", ""), ("money", "1,3oo")];
    typed.push(("_outcome", "done"));
    let wrong = again.submit(&page, &complete, &typed).await;
    wrong.is(422).shows(&["There is a problem"]);
    typed[2].1 = "1300";
    let done = again.submit(&wrong, &complete, &typed).await;
    again.follow(&done).await.shows(&["This task is closed"]);

    // Once it is sent there is nothing to save a draft of, and nothing that was typed is lost.
    let late = again.press(&page, &complete, &draft, &typed).await;
    late.is(409).shows(&["What you had entered", "1300"]);
}
