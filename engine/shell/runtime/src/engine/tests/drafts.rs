//! What was typed and not sent: survives a crash, makes its author an editor, and ends with the
//! item.

use serde_json::json;

use super::world::{World, aud, leader, manager, request, staff, worker};
use crate::engine::{Refused, Unsent};

fn half() -> Unsent {
    Unsent {
        data: json!({"money": "a lot"}),
        comment: Some("to be checked".to_owned()),
    }
}

fn code(refused: Refused) -> &'static str {
    match refused {
        Refused::Rule(refusal) => refusal.code.as_str(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_draft_survives_a_crash_and_a_release() {
    let world = World::new().await;
    let started = world.start("brokerage", json!({})).await;
    let item = world.item(&started.id, "request").await;
    let engine = &world.engine;
    engine.claim(&worker(), &item.id, None).await.unwrap();
    engine
        .save_draft(&worker(), &item.id, half())
        .await
        .unwrap();
    engine.release(&worker(), &item.id, None).await.unwrap();
    let world = world.crash().await;
    let draft = world.engine.draft(&worker(), &item.id).await.unwrap();
    let draft = draft.expect("it was acknowledged");
    assert_eq!(draft.data, half().data);
    assert_eq!(draft.comment, half().comment);
    assert!(
        world
            .engine
            .draft(&manager(), &item.id)
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_began_a_request_does_not_approve_it() {
    let world = World::new().await;
    let kim = staff("u-kim", &["case-worker", "team-leader"]);
    let started = world.start("brokerage", json!({})).await;
    let item = world.item(&started.id, "request").await;
    let engine = &world.engine;
    engine.claim(&kim, &item.id, None).await.unwrap();
    for _ in 0..3 {
        engine.save_draft(&kim, &item.id, half()).await.unwrap();
    }
    engine.release(&kim, &item.id, None).await.unwrap();
    let data = json!({"money": aud(30_000)});
    world
        .decide(&worker(), &item.id, "done", data)
        .await
        .unwrap();
    let decision = world.item(&started.id, "decision").await;
    let refused = world.engine.claim(&kim, &decision.id, None).await;
    assert_eq!(code(refused.unwrap_err()), "self-approval");
    // The draft is gone, and the record says once who wrote.
    assert!(world.engine.draft(&kim, &item.id).await.unwrap().is_none());
    let told = world
        .engine
        .timeline(&leader(), &started.case)
        .await
        .unwrap();
    let began = told
        .iter()
        .filter(|entry| entry.action == "work-item-drafted");
    assert_eq!(began.count(), 1);
    world
        .decide(&leader(), &decision.id, "approve", json!({}))
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_draft_of_what_is_taken_back_is_gone() {
    let world = World::new().await;
    let started = world.start("brokerage", json!({})).await;
    let item = world.item(&started.id, "request").await;
    let engine = &world.engine;
    engine.claim(&worker(), &item.id, None).await.unwrap();
    engine
        .save_draft(&worker(), &item.id, half())
        .await
        .unwrap();
    engine
        .cancel(&worker(), &started.id, None, Some(request("cancel")))
        .await
        .unwrap();
    assert!(engine.draft(&worker(), &item.id).await.unwrap().is_none());
    let refused = engine.save_draft(&worker(), &item.id, half()).await;
    assert_eq!(code(refused.unwrap_err()), "already-decided");
    let rows = casewright_store::Store::scan(
        &*world.store,
        casewright_store::Table::Draft,
        &[],
        &[0xff; 64],
        100,
    );
    assert_eq!(rows.unwrap().len(), 0);
}
