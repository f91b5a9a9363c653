//! What a workflow keeps to a group is there for that group alone: in no list, no page, no feed and
//! no record of anybody else, whoever began it included.

use casewright_casework::audit::{Shown, verify_shown};
use casewright_runtime::identity::NewUser;
use serde_json::{Value, json};

use crate::agency::{Agency, Client, PASSPHRASE, pack_files, put_in_force};
use crate::browser::Browser;
use crate::walls::{File, doors, elsewhere, id, pages, text};

const HARM: &str = "
document:
  dsl: '1.0.3'
  namespace: little
  name: harm
  version: '1.0.0'
  title: Somebody is not safe
  metadata: { visibleTo: [safety-officer] }
do:
  - school:
      run: { await: false, workflow: { namespace: little, name: talk, version: '1.0.0' } }
  - look:
      call: human-task
      with: { title: Look into it, show: '${ $input }', assign: { role: safety-officer } }
";

const TALK: &str = "
document: { dsl: '1.0.3', namespace: little, name: talk, version: '1.0.0' }
do:
  - talk:
      call: human-task
      with: { title: Talk to the school, assign: { role: case-worker } }
";

const AROUND: &str = "
document: { dsl: '1.0.3', namespace: little, name: around, version: '1.0.0' }
do:
  - pass:
      run: { workflow: { namespace: little, name: harm, version: '1.0.0' } }
";

/// Sofia belongs to the group; Alex looks after the runs of the agency and does not.
async fn agency() -> Agency {
    let agency = Agency::open().await;
    let files = pack_files();
    let whole = &files
        .iter()
        .find(|(path, _)| path == "pack.yaml")
        .unwrap()
        .1;
    let roles = "roles:\n  safety-officer: { title: Safety officer }\n";
    let pack = whole.replace("roles:\n", roles);
    let documents = [
        ("pack.yaml", &*pack),
        ("harm.yaml", HARM),
        ("talk.yaml", TALK),
        ("around.yaml", AROUND),
    ];
    put_in_force(&agency.engine, &documents).await;
    let sofia = NewUser {
        agency: "little".to_owned(),
        id: "u-sofia".to_owned(),
        sign_in: "sofia".to_owned(),
        display_name: "Sofia".to_owned(),
        roles: ["safety-officer", "case-worker", "administrator"]
            .map(str::to_owned)
            .into(),
        passphrase: PASSPHRASE.to_owned(),
    };
    agency.engine.put_user(sofia).await.unwrap();
    agency
}

/// A case in which Casey has begun something and then says that somebody is not safe: what stands
/// for what in paths, and what nobody but Sofia may read.
async fn report(casey: &Client<'_>, sofia: &Client<'_>) -> File {
    let case = text(&casey.start().await["case"]);
    let harm = json!({"workflow": "harm", "case": case, "input": {"seen": "bruises"}});
    let run = id(&casey.post("/api/v1/instances", &harm).await);
    // The run within begins after the flush of the one that runs it.
    let list = format!("/api/v1/work-items?case={case}");
    let (look, talk) = loop {
        let items = sofia.get(&list).await.is(200).json()["items"].take();
        let items = items.as_array().unwrap().clone();
        let find = |task: &str| items.iter().find(|item| item["task"] == task).cloned();
        match (find("look"), find("talk")) {
            (Some(look), Some(talk)) => break (look, talk),
            _ => tokio::task::yield_now().await,
        }
    };
    let (item, child) = (text(&look["id"]), text(&talk["instance"]));
    let none = "none".to_owned();
    File {
        marks: vec![
            run.clone(),
            item.clone(),
            child,
            text(&talk["id"]),
            "Look into it".to_owned(),
            "Talk to the school".to_owned(),
            "bruises".to_owned(),
        ],
        words: vec![
            ("cases/{id}", case),
            ("instances/{id}", run),
            ("work-items/{id}", item.clone()),
            ("tasks/{id}", item),
            ("{person}", none.clone()),
            ("{consent}", none.clone()),
            ("{document}", none.clone()),
            ("{hold}", none.clone()),
            ("{workflow}", "help".to_owned()),
            ("{token}", none),
        ]
        .into_iter()
        .chain(elsewhere())
        .collect(),
    }
}

#[tokio::test]
async fn no_door_shows_safety_work_to_others_not_even_to_whoever_raised_it() {
    let agency = agency().await;
    let (casey, sofia) = (agency.client("casey").await, agency.client("sofia").await);
    let (lee, alex) = (agency.client("lee").await, agency.client("alex").await);
    let file = report(&casey, &sofia).await;
    let doors = doors(&sofia, &file).await;
    let mut telling = 0;
    for (method, path, _) in &doors {
        if method != "get" {
            continue;
        }
        telling += usize::from(file.told(&sofia.get(path).await));
        for who in [&casey, &lee, &alex] {
            let answer = who.get(path).await;
            file.hidden(path, &answer);
            if path.contains("/instances/") || path.contains("/work-items/") {
                answer.problem(404, "not-found");
            }
        }
    }
    assert!(telling >= 8, "the group is shown it");
    let case = file.word("cases/{id}");
    for list in ["work-items?case=", "work-items?state=any&case="] {
        let answer = lee.get(&format!("/api/v1/{list}{case}")).await;
        file.hidden(list, answer.is(200));
    }
    let item = json!({"id": file.word("work-items/{id}")});
    for who in [&casey, &lee] {
        who.claim(&item).await.problem(404, "not-found");
    }
    sofia.claim(&item).await.is(200);
}

#[tokio::test]
async fn whoever_raised_it_reads_that_they_did_and_every_chain_verifies() {
    let agency = agency().await;
    let (casey, sofia) = (agency.client("casey").await, agency.client("sofia").await);
    let lee = agency.client("lee").await;
    let file = report(&casey, &sofia).await;
    let case = file.word("cases/{id}");
    let begun = |answer: &Value| {
        let entries = answer["items"].as_array().unwrap().iter();
        let harm = entries.filter(|entry| entry["detail"] == "harm");
        harm.cloned().collect::<Vec<_>>()
    };
    let timeline = format!("/api/v1/cases/{case}/timeline");
    let own = begun(&casey.get(&timeline).await.is(200).json());
    assert_eq!(own.len(), 1);
    assert_eq!(
        (&own[0]["action"], &own[0]["instance"]),
        (&json!("instance-started"), &Value::Null)
    );
    assert!(begun(&lee.get(&timeline).await.is(200).json()).is_empty());

    let audit = format!("/api/v1/cases/{case}/audit");
    for (who, whole) in [(&casey, false), (&lee, false), (&sofia, true)] {
        let links = who.get(&audit).await.is(200).json()["items"].take();
        let links: Vec<Shown> = serde_json::from_value(links).unwrap();
        assert_eq!(verify_shown(case, &links), Ok(()));
        assert_eq!(links.iter().all(|link| link.entry.is_some()), whole);
    }
}

#[tokio::test]
async fn no_page_shows_safety_work_to_others() {
    let agency = agency().await;
    let (casey, sofia) = (agency.client("casey").await, agency.client("sofia").await);
    let file = report(&casey, &sofia).await;
    for name in ["casey", "lee", "alex"] {
        let browser = Browser::signed_in(&agency, name).await;
        for page in pages() {
            let (path, _) = file.filled(&page);
            let answer = browser.get(&path).await;
            file.hidden(&path, &answer);
        }
        let case = format!("/cases/{}?show=all", file.word("cases/{id}"));
        file.hidden(&case, browser.get(&case).await.is(200));
    }
    let sofia = Browser::signed_in(&agency, "sofia").await;
    let case = format!("/cases/{}", file.word("cases/{id}"));
    sofia
        .get(&case)
        .await
        .is(200)
        .shows(&["Look into it", "Talk to the school"]);
}

#[tokio::test]
async fn a_case_that_safety_work_opens_is_hidden_with_it() {
    let agency = agency().await;
    let (casey, sofia) = (agency.client("casey").await, agency.client("sofia").await);
    let harm = json!({"workflow": "harm", "input": {"seen": "bruises"}});
    let key = [("idempotency-key", "raised")];
    let raised = casey.post_with("/api/v1/instances", &harm, &key).await;
    let raised = raised.is(201).json();
    // Whoever repeats it hears the same.
    let again = casey.post_with("/api/v1/instances", &harm, &key).await;
    assert_eq!(again.is(201).json(), raised);
    let case = text(&raised["case"]);
    let path = format!("/api/v1/cases/{case}");
    casey.get(&path).await.problem(404, "not-found");
    casey.get("/api/v1/cases").await.is(200).lacks(&[&case]);
    sofia.get("/api/v1/cases").await.is(200).shows(&[&case]);
    // What is begun in it is seen by nobody else either.
    let in_it = json!({"workflow": "help", "case": case});
    casey
        .post("/api/v1/instances", &in_it)
        .await
        .problem(404, "not-found");
    sofia.post("/api/v1/instances", &in_it).await.is(201);
    casey
        .get("/api/v1/work-items")
        .await
        .is(200)
        .lacks(&[&case]);

    let browser = Browser::signed_in(&agency, "casey").await;
    let page = browser.get("/start/harm").await;
    let sent = browser.submit(&page, "/start/harm", &[]).await;
    assert_eq!(sent.is(303).header("location"), "/start?done=passed-on");
    let after = browser.get("/start?done=passed-on").await;
    after.is(200).shows(&["was passed on"]);
}

#[tokio::test]
async fn what_waits_for_safety_work_does_not_say_which() {
    let agency = agency().await;
    let (casey, sofia) = (agency.client("casey").await, agency.client("sofia").await);
    let around = json!({"workflow": "around"});
    let started = casey.post("/api/v1/instances", &around).await;
    let started = started.is(201).json();
    let path = format!("/api/v1/instances/{}", text(&started["id"]));
    let seen = sofia.get(&path).await.is(200).json();
    let child = text(&seen["waiting"][0]["instance"]);
    casey.get(&path).await.is(200).lacks(&[&child]);
    let page = format!("/cases/{}", text(&started["case"]));
    for (name, told) in [("casey", false), ("sofia", true)] {
        let browser = Browser::signed_in(&agency, name).await;
        let answer = browser.get(&page).await;
        let found = answer.is(200).text.contains("Somebody is not safe");
        assert_eq!(found, told, "{name}");
    }
    let child = format!("/api/v1/instances/{child}");
    casey.get(&child).await.problem(404, "not-found");
}
