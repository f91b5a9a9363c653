//! Putting a pack in force by HTTP: who may, and what is said of a pack with mistakes.

use serde_json::json;

use crate::agency::{Agency, pack_files};

#[tokio::test]
async fn an_administrator_deploys_and_everybody_else_is_refused() {
    let agency = Agency::open().await;
    let mut files = pack_files();
    let pack = &mut files
        .iter_mut()
        .find(|(path, _)| path == "pack.yaml")
        .unwrap()
        .1;
    *pack = pack.replace("title: Little Agency", "title: Larger Agency");
    let files: std::collections::BTreeMap<_, _> = files.into_iter().collect();
    let body = json!({ "files": files });
    let casey = agency.client("casey").await;
    let refused = casey.post("/api/v1/packs", &body).await.is(403).json();
    assert_eq!(refused["code"], "not-assigned");
    casey.get("/api/v1/packs").await.is(403);

    let alex = agency.client("alex").await;
    let deployed = alex.post("/api/v1/packs", &body).await.is(201).json();
    assert_eq!(deployed["title"], "Larger Agency");
    assert_eq!(deployed["by"], "u-alex");
    assert_eq!(deployed["workflows"][0]["name"], "help");
    let shown = alex.get("/api/v1/packs").await.is(200).json();
    assert_eq!(shown["items"], json!([deployed]));
}

#[tokio::test]
async fn every_mistake_of_a_pack_is_told_with_its_place() {
    let agency = Agency::open().await;
    let alex = agency.client("alex").await;
    let before = agency.state();
    let mut files: std::collections::BTreeMap<_, _> = pack_files().into_iter().collect();
    let help = files["help.yaml"].replace("call: human-task", "call: human-tusk");
    files.insert("help.yaml".to_owned(), help);
    files.insert("forms/ask.yaml".to_owned(), "title: 7\n".to_owned());
    let body = json!({ "files": files });
    let problem = alex.post("/api/v1/packs", &body).await.is(422).json();
    assert_eq!(problem["code"], "pack-invalid");
    let found = problem["diagnostics"].as_array().unwrap();
    let unknown = found.iter().find(|one| one["code"] == "CW0401").unwrap();
    assert_eq!(unknown["file"], "help.yaml");
    assert!(unknown["line"].as_u64().unwrap() > 1);
    assert!(unknown["help"].as_str().unwrap().contains("human-task"));
    assert!(found.iter().any(|one| one["file"] == "forms/ask.yaml"));
    assert_eq!(agency.state(), before, "nothing was changed");
    for body in [
        json!({}),
        json!({ "files": [] }),
        json!({ "files": {}, "by": "u-sam" }),
    ] {
        let problem = alex.post("/api/v1/packs", &body).await.json();
        assert!(["invalid-input", "invalid-json"].contains(&problem["code"].as_str().unwrap()));
    }
    alex.post("/api/v1/packs", &json!({ "files": {} }))
        .await
        .is(422);
}
