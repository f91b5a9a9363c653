//! What people keep in a case: persons and notes, through API and pages. Nobody else's case, no
//! stale change, no confidential address in passing, and no decision by family or payee.

use casewright_runtime::identity::NewUser;
use serde_json::{Value, json};

use crate::agency::{Agency, Answer, Client, PASSPHRASE};
use crate::browser::Browser;

const LANE: &str = "1 Hidden Lane, Logan";

fn mai() -> Value {
    json!({
        "name": "Mai Nguyen", "born": "1990-05-01", "relation": "parent",
        "phone": "0400 000 000",
        "address": {"text": LANE, "confidential": true},
        "contact": {"safety": "safe", "how": "Mornings only", "messages": "no"},
    })
}

async fn stranger(agency: &Agency) -> Client<'_> {
    let user = NewUser {
        agency: "elsewhere".to_owned(),
        id: "u-alex".to_owned(),
        sign_in: "alex".to_owned(),
        display_name: "Alex Other".to_owned(),
        roles: ["case-worker".to_owned()].into(),
        passphrase: PASSPHRASE.to_owned(),
    };
    agency.engine.put_user(user).await.unwrap();
    agency.client("alex").await
}

fn case_of(instance: &Value) -> String {
    format!("/api/v1/cases/{}", instance["case"].as_str().unwrap())
}

fn person_of(answer: &Answer) -> String {
    answer.json()["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_confidential_address_is_shown_only_where_it_is_asked_for() {
    let agency = Agency::open().await;
    let casey = agency.client("casey").await;
    let case = case_of(&casey.start().await);
    let persons = format!("{case}/persons");
    let added = casey.post(&persons, &mai()).await;
    assert_eq!(added.is(201).header("etag"), "\"1\"");
    added.lacks(&[LANE]);
    let one = format!("{persons}/{}", person_of(&added));

    for path in [
        &case,
        &persons,
        &one,
        &format!("{case}/timeline"),
        &format!("{case}/audit"),
    ] {
        casey.get(path).await.is(200).lacks(&["Hidden Lane"]);
    }
    let chain = || async { casey.get(&format!("{case}/audit")).await };
    chain().await.lacks(&["address-shown", "Mai"]);
    let shown = casey.post(&format!("{one}/show-address"), &json!({})).await;
    assert_eq!(shown.is(200).json()["text"], LANE);
    chain().await.shows(&["address-shown"]).lacks(&["Mai"]);
    let told = casey.get(&format!("{case}/timeline?limit=200")).await;
    told.is(200).shows(&[
        "Casey Brown added Mai Nguyen to this case.",
        "Casey Brown looked at the confidential address of Mai Nguyen.",
    ]);
}

/// Whoever orders something must know it without asking for the address.
#[tokio::test]
async fn whether_an_address_is_for_post_alone_is_kept_and_no_secret() {
    let agency = Agency::open().await;
    let casey = agency.client("casey").await;
    let case = case_of(&casey.start().await);
    let persons = format!("{case}/persons");
    let mut mother = mai();
    mother["address"]["kind"] = json!("postal");
    let one = format!(
        "{persons}/{}",
        person_of(&casey.post(&persons, &mother).await)
    );
    let told = casey.get(&one).await.is(200).json();
    let address = json!({ "text": null, "confidential": true, "kind": "postal" });
    assert_eq!(told["address"], address);
    let shown = casey.post(&format!("{one}/show-address"), &json!({})).await;
    assert_eq!(shown.is(200).json()["kind"], "postal");
    mother["address"]["kind"] = json!("castle");
    let odd = casey.post(&persons, &mother).await;
    odd.problem(422, "invalid-input");

    let browser = Browser::signed_in(&agency, "casey").await;
    let page = case.replace("/api/v1", "");
    let told = browser.get(&page).await;
    let words = "Post only: nothing is delivered there and nobody visits";
    told.is(200).shows(&[words]).lacks(&[LANE]);
    let form = browser.get(&one.replace("/api/v1", "")).await;
    form.is(200)
        .shows(&["name=\"postal\" value=\"yes\" checked"]);
    let typed = [
        ("name", "Mai"),
        ("relation", "parent"),
        ("safety", "unknown"),
        ("kept", "yes"),
        ("address", "2 New Street"),
        ("_revision", "1"),
    ];
    let saved = browser
        .submit(&form, &one.replace("/api/v1", ""), &typed)
        .await;
    let told = browser.follow(&saved).await;
    told.is(200).shows(&["2 New Street"]).lacks(&[words]);
}

#[tokio::test]
async fn a_change_is_made_by_who_has_seen_the_latest() {
    let agency = Agency::open().await;
    let casey = agency.client("casey").await;
    let case = case_of(&casey.start().await);
    let persons = format!("{case}/persons");
    let one = format!(
        "{persons}/{}",
        person_of(&casey.post(&persons, &mai()).await)
    );

    let change = json!({"name": "Mai Tran", "relation": "carer"});
    casey
        .put(&one, &change, &[])
        .await
        .problem(428, "if-match-required");
    let first = [("if-match", "\"1\"")];
    let changed = casey.put(&one, &change, &first).await;
    assert_eq!(changed.is(200).header("etag"), "\"2\"");
    casey
        .put(&one, &change, &first)
        .await
        .problem(409, "stale-revision");
    // What was left out stays: nobody can lose an address that they do not see.
    let shown = casey.post(&format!("{one}/show-address"), &json!({})).await;
    assert_eq!(shown.is(200).json()["text"], LANE);
    let gone = json!({"name": "Mai Tran", "relation": "carer", "address": null});
    casey
        .put(&one, &gone, &[("if-match", "\"2\"")])
        .await
        .is(200);
    casey
        .post(&format!("{one}/show-address"), &json!({}))
        .await
        .problem(404, "not-found");

    let wrong = json!({"name": " ", "relation": "parent", "email": "nowhere", "staff": "nobody"});
    casey
        .post(&persons, &wrong)
        .await
        .problem(422, "form-invalid");
    let unknown = json!({"name": "Kai", "relation": "pet"});
    casey
        .post(&persons, &unknown)
        .await
        .problem(422, "invalid-input");
    let key = [("idempotency-key", "p-1")];
    let kai = json!({"name": "Kai", "relation": "child"});
    let twice = [
        casey.post_with(&persons, &kai, &key).await,
        casey.post_with(&persons, &kai, &key).await,
    ];
    assert_eq!(person_of(twice[0].is(201)), person_of(twice[1].is(201)));
    let all = casey.get(&persons).await.json();
    assert_eq!(all["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_colleague_who_is_to_be_paid_decides_nothing() {
    let agency = Agency::open().await;
    let (casey, lee) = (agency.client("casey").await, agency.client("lee").await);
    let instance = casey.ask(10_000).await;
    let persons = format!("{}/persons", case_of(&instance));
    let item = lee.item(&instance, "decision").await;
    lee.claim(&item).await.is(200);
    let payee = json!({"name": "L. Tanaka", "relation": "payee", "staff": "lee"});
    let added = casey.post(&persons, &payee).await;
    assert_eq!(added.is(201).json()["staff"], "u-lee");
    // Also after the task was taken: the case is closed to Lee, and the task is free again.
    lee.complete(&item, &json!({"outcome": "approve"}))
        .await
        .problem(404, "not-found");
    let free = agency.client("sam").await.item(&instance, "decision").await;
    assert_eq!(
        (&free["state"], &free["claimable"]),
        (&json!("offered"), &json!(true))
    );
    // Written down by mistake and put right: nothing of it sticks to the task.
    let put_right = json!({"name": "L. Tanaka", "relation": "referrer", "staff": "lee"});
    let person = format!("{persons}/{}", person_of(&added));
    casey
        .put(&person, &put_right, &[("if-match", "\"1\"")])
        .await
        .is(200);
    lee.claim(&item).await.is(200);
    lee.complete(&item, &json!({"outcome": "approve"}))
        .await
        .is(200);

    let other = casey.ask(10_000).await;
    let helper = json!({"name": "Lee", "relation": "professional", "staff": "u-lee"});
    let persons = format!("{}/persons", case_of(&other));
    casey.post(&persons, &helper).await.is(201);
    let item = lee.item(&other, "decision").await;
    lee.claim(&item).await.is(200);
    lee.complete(&item, &json!({"outcome": "approve"}))
        .await
        .is(200);
}

#[tokio::test]
async fn notes_stay_and_are_corrected_by_notes() {
    let agency = Agency::open().await;
    let casey = agency.client("casey").await;
    let (case, other) = (case_of(&casey.start().await), case_of(&casey.start().await));
    let notes = format!("{case}/notes");
    let first = casey
        .post(&notes, &json!({"text": " Visited at 10. "}))
        .await;
    assert_eq!(first.is(201).json()["text"], "Visited at 10.");
    let corrects = first.json()["id"].clone();
    let second = json!({"text": "It was 11.", "corrects": corrects});
    casey.post(&notes, &second).await.is(201);
    // A note of another case is not there.
    casey
        .post(&format!("{other}/notes"), &second)
        .await
        .problem(404, "not-found");
    casey
        .post(&notes, &json!({"text": " "}))
        .await
        .problem(422, "form-invalid");
    let all = casey.get(&notes).await.is(200).json();
    let all = all["items"].as_array().unwrap();
    let correction = all.iter().find(|note| note["text"] == "It was 11.");
    assert_eq!(correction.unwrap()["corrects"], corrects);
    casey.get(&format!("{case}/timeline")).await.shows(&[
        "Casey Brown wrote a note.",
        "Visited at 10.",
        "It was 11.",
    ]);
    casey
        .get(&format!("{case}/audit"))
        .await
        .shows(&["note-added"])
        .lacks(&["Visited"]);
}

#[tokio::test]
async fn another_agency_and_another_case_find_nothing() {
    let agency = Agency::open().await;
    let casey = agency.client("casey").await;
    let (case, other) = (case_of(&casey.start().await), case_of(&casey.start().await));
    let person = person_of(&casey.post(&format!("{case}/persons"), &mai()).await);
    let before = agency.state();
    let alex = stranger(&agency).await;
    let missing = casey.get("/api/v1/cases/c0/persons").await;
    missing.problem(404, "not-found");
    for path in ["persons", "notes", "timeline", &format!("persons/{person}")] {
        let answer = alex.get(&format!("{case}/{path}")).await;
        assert_eq!(answer.problem(404, "not-found").text, missing.text);
    }
    let one = format!("{case}/persons/{person}");
    for (path, body) in [
        (format!("{case}/persons"), mai()),
        (format!("{case}/notes"), json!({"text": "x"})),
        (format!("{one}/show-address"), json!({})),
    ] {
        alex.post(&path, &body).await.problem(404, "not-found");
    }
    alex.put(&one, &mai(), &[("if-match", "*")])
        .await
        .problem(404, "not-found");
    let elsewhere = format!("{other}/persons/{person}");
    casey.get(&elsewhere).await.problem(404, "not-found");
    casey
        .post(&format!("{elsewhere}/show-address"), &json!({}))
        .await
        .problem(404, "not-found");
    let rows = |state: Vec<String>| {
        let rows = state.into_iter();
        rows.filter(|row| row.starts_with("Person") || row.starts_with("Note"))
            .collect::<Vec<_>>()
    };
    assert_eq!(rows(agency.state()), rows(before));
}

#[tokio::test]
async fn the_case_page_has_people_and_notes_without_a_script() {
    let agency = Agency::open().await;
    let client = agency.client("casey").await;
    let case = client.start().await["case"].as_str().unwrap().to_owned();
    let case = format!("/cases/{case}");
    let casey = Browser::signed_in(&agency, "casey").await;
    let form = casey.get(&format!("{case}/persons")).await;
    let action = format!("{case}/persons");
    let typed = [
        ("name", "Mai <Nguyen>"),
        ("relation", ""),
        ("born", "1 May"),
        ("safety", "safe"),
        ("how", "Mornings"),
        ("address", LANE),
        ("confidential", "yes"),
    ];
    let wrong = casey.submit(&form, &action, &typed).await;
    wrong.is(422).shows(&[
        "Error: Add a person",
        "href=\"#born\"",
        "href=\"#relation\"",
        LANE,
    ]);
    let mut typed = typed.to_vec();
    typed[1] = ("relation", "parent");
    typed[2] = ("born", "1990-05-01");
    let page = casey
        .follow(&casey.submit(&wrong, &action, &typed).await)
        .await;
    page.is(200)
        .shows(&[
            "The person was saved.",
            "Mai &#60;Nguyen&#62;",
            "Safe to contact. Do not leave messages. Mornings",
            "Show the confidential address",
        ])
        .lacks(&[LANE]);
    let person = page.text.split(&format!("{case}/persons/")).nth(1).unwrap();
    let one = format!("{case}/persons/{}", person.split('"').next().unwrap());
    let shown = casey.submit(&page, &format!("{one}/address"), &[]).await;
    shown.is(200).shows(&[LANE, "was recorded"]);
    let edit = casey.get(&one).await;
    edit.is(200)
        .shows(&["Leave this empty to keep it"])
        .lacks(&[LANE]);

    let notes = format!("{case}/notes");
    casey
        .submit(&page, &notes, &[("text", " ")])
        .await
        .is(422)
        .shows(&["Enter what you want to note"]);
    let note = [("text", "Spoke with <b>Mai</b>")];
    let page = casey
        .follow(&casey.submit(&page, &notes, &note).await)
        .await;
    page.is(200).shows(&[
        "Casey Brown wrote a note.",
        "Spoke with &#60;b&#62;Mai&#60;/b&#62;",
    ]);
}
