//! `call: http` over crashes: what may be sent again is, and of what may not nobody pretends to
//! know. The partner stands for whoever sends requests.

use casewright_casework::audit::Action;
use serde_json::json;

use super::world::{World, pack, worker};
use crate::engine::Limits;
use crate::port::EffectKind;
use crate::view::InstanceView;

async fn world(method: &str) -> World {
    let document = format!(
        "document: {{ dsl: '1.0.3', namespace: family-support, name: send, version: '1.0.0' }}\n\
         use: {{ secrets: [ homes ] }}\n\
         do:\n  - send:\n      call: http\n      with:\n        method: {method}\n        \
         endpoint:\n          uri: https://homes.example/{{id}}\n          \
         authentication: {{ bearer: {{ use: homes }} }}\n        body: {{ beds: 2 }}\n"
    );
    with(document).await
}

async fn with(document: String) -> World {
    let mut files = pack("100000");
    files.insert("send.yaml".to_owned(), document);
    let settings = casewright_store::settings::Settings::default();
    let world = World::empty(Limits::default(), EffectKind::Keyed, settings).await;
    world.deploy(files).await.unwrap();
    world
}

fn over(view: &InstanceView) -> bool {
    !matches!(view.status.as_str(), "pending" | "running")
}

/// Sent, and the engine killed before an answer came.
async fn killed(method: &str) -> (World, InstanceView) {
    killed_in(world(method).await).await
}

async fn killed_in(world: World) -> (World, InstanceView) {
    world.partner.hold();
    let started = world.start("send", json!({"id": 7})).await;
    // The request leaves after its commit; it is under way when it is in the journal.
    super::world::within_reason(async {
        while world.partner.requests() == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let world = world.crash().await;
    world.partner.open();
    let view = world.instance(&started.id, over).await;
    (world, view)
}

#[tokio::test]
async fn what_may_be_sent_again_is_sent_again_under_its_key() {
    for method in ["get", "put", "delete"] {
        let (world, view) = killed(method).await;
        assert_eq!(view.status, "completed", "{method}: {:?}", view.error);
        let journal = world.partner.journal.lock().unwrap();
        assert_eq!(journal.len(), 2, "{method}");
        assert_eq!(journal[0].key, journal[1].key, "{method}");
        assert_eq!(journal[0].input, journal[1].input, "{method}");
        assert_eq!(journal[0].function, "http");
        let expected = json!({"scheme": "bearer", "use": "homes"});
        assert_eq!(journal[0].input["authentication"], expected);
    }
}

#[tokio::test]
async fn what_may_not_be_sent_again_is_in_doubt() {
    for method in ["post", "patch"] {
        let (world, view) = killed(method).await;
        assert_eq!(view.status, "faulted", "{method}");
        let error = serde_json::to_value(view.error).unwrap();
        assert_eq!(error["type"], "urn:casewright:error:in-doubt", "{method}");
        assert_eq!(error["status"], 409, "{method}");
        assert_eq!(world.partner.requests(), 1, "{method}");
        // That it was going to be sent is in the record.
        let chain = world.engine.audit(&worker(), &view.case).await.unwrap();
        let mut actions = chain.iter().map(|link| link.entry.action);
        assert!(
            actions.any(|action| action == Action::FunctionCalled),
            "{method}"
        );
    }
}

#[tokio::test]
async fn a_service_is_asked_again_what_it_offers() {
    for operation in ["get", "post"] {
        let document = format!(
            "document: {{ dsl: '1.0.3', namespace: family-support, name: send, version: '1.0.0' \
             }}\ndo:\n  - send:\n      call: openapi\n      with:\n        document: {{ endpoint: \
             https://homes.example/openapi.json }}\n        operationId: {operation}\n"
        );
        let (world, view) = killed_in(with(document).await).await;
        assert_eq!(view.status, "completed", "{operation}: {:?}", view.error);
        let journal = world.partner.journal.lock().unwrap();
        let functions: Vec<&str> = journal.iter().map(|it| it.function.as_str()).collect();
        assert_eq!(functions, ["openapi", "openapi", "http"], "{operation}");
        assert_eq!(journal[0].key, journal[1].key, "{operation}");
        assert_ne!(journal[1].key, journal[2].key, "{operation}");
        assert_eq!(journal[2].input["method"], operation.to_ascii_uppercase());
    }
}
