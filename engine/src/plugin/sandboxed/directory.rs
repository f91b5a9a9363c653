//! `directory-search` in the sandbox: one word goes out, services come back with reasons.

use casewright_host::plugin::{EffectKind, FailureKind};
use serde_json::{Value, json};

use super::partner::{Answer, Partner};
use super::{Loaded, operator, schema_problems};

const NAME: &str = "directory-search";

fn search() -> Value {
    json!({ "need": "housing", "postcode": "4114", "childAges": [9], "language": null })
}

fn page(last: bool) -> Answer {
    let service = json!({
        "id": "6f0c1c5e-2b1c-4f5e-9a40-0f1f5e6a7001",
        "name": "Ridgeview Tenancy Sustainment",
        "status": "active",
        "service_areas": [{ "extent": "postcode:4114" }],
    });
    Answer::Json(200, json!({ "contents": [service, 7], "last_page": last }))
}

#[tokio::test]
async fn a_directory_is_asked_for_a_word_and_nothing_else() {
    let partner = Partner::start(vec![page(false), page(true)]);
    let loaded = Loaded::new(NAME, &operator(&partner)).await;
    assert_eq!(schema_problems(&loaded.plugin), Vec::<String>::new());
    let [function] = loaded.plugin.description.functions.as_slice() else {
        panic!("one function")
    };
    assert_eq!(
        (function.name.as_str(), function.effect),
        ("find", EffectKind::None)
    );
    let found = loaded.call("find", 1, &search()).await.unwrap();
    assert_eq!(found["results"].as_array().unwrap().len(), 1);
    assert_eq!(found["results"][0]["eligible"], "yes");
    assert_eq!(found["warnings"][0]["at"], "1:2");
    let lines: Vec<_> = partner
        .requests()
        .into_iter()
        .map(|request| request.line)
        .collect();
    let asked = |page| {
        format!("GET /hsds/services?search=housing&page={page}&per_page=50&full=true HTTP/1.1")
    };
    assert_eq!(lines, [asked(1), asked(2)]);
}

#[tokio::test]
async fn a_bad_search_asks_nobody_and_a_directory_out_of_order_is_asked_again_later() {
    let partner = Partner::start(vec![Answer::Json(503, json!({}))]);
    let loaded = Loaded::new(NAME, &operator(&partner)).await;
    for (key, value) in [
        ("need", json!("Maria Nguyen")),
        ("postcode", json!("12 Oak Street")),
        ("childAges", json!([121])),
        ("max", json!(0)),
    ] {
        let mut input = search();
        input[key] = value;
        let failure = loaded.call("find", 1, &input).await.unwrap_err();
        assert_eq!(
            (failure.kind, failure.code.as_str()),
            (FailureKind::Permanent, "invalid-input"),
            "{key}"
        );
        assert!(!failure.message.contains("Nguyen"), "{failure:?}");
    }
    assert!(partner.requests().is_empty());
    let failure = loaded.call("find", 1, &search()).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Retryable);
}
