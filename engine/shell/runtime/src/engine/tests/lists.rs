//! The work queue: sorted, narrowed, in pages.

use serde_json::json;

use super::world::{World, leader, start_of, worker};
use crate::engine::Refused;
use crate::view::WorkItemFilter;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_hold_every_open_item_once() {
    let world = World::new().await;
    let mut wanted = std::collections::BTreeSet::new();
    for _ in 0..7 {
        let started = world.start("brokerage", json!({})).await;
        wanted.insert(format!("{}-1", started.id));
    }
    let (mut cursor, mut found, mut pages) = (None, Vec::new(), 0);
    loop {
        let filter = WorkItemFilter {
            limit: Some(3),
            cursor: cursor.clone(),
            ..WorkItemFilter::default()
        };
        let page = world.engine.work_items(&worker(), filter).await.unwrap();
        found.extend(page.items.into_iter().map(|item| item.id));
        pages += 1;
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(pages, 3);
    assert_eq!(found.len(), 7);
    assert_eq!(
        found.into_iter().collect::<std::collections::BTreeSet<_>>(),
        wanted
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn filters_narrow_by_state_role_holder_and_case() {
    let world = World::new().await;
    let one = world.start("brokerage", json!({})).await;
    let two = world.start("brokerage", json!({})).await;
    let item = world.item(&one.id, "request").await;
    world.engine.claim(&worker(), &item.id, None).await.unwrap();
    let listed = |filter: WorkItemFilter| async {
        let page = world.engine.work_items(&worker(), filter).await.unwrap();
        page.items
            .into_iter()
            .map(|item| item.instance)
            .collect::<Vec<_>>()
    };
    let all = WorkItemFilter::default;
    let claimed = WorkItemFilter {
        state: Some("claimed".into()),
        ..all()
    };
    assert_eq!(listed(claimed).await, [&*one.id]);
    let mine = WorkItemFilter {
        claimed_by: Some("u-casey".into()),
        ..all()
    };
    assert_eq!(listed(mine.clone()).await, [&*one.id]);
    let role = WorkItemFilter {
        role: Some("case-worker".into()),
        ..all()
    };
    assert_eq!(listed(role).await.len(), 2);
    let leaders = WorkItemFilter {
        role: Some("team-leader".into()),
        ..all()
    };
    assert!(listed(leaders).await.is_empty());
    let case = WorkItemFilter {
        case: Some(two.case.clone()),
        ..all()
    };
    assert_eq!(listed(case).await, [&*two.id]);
    world
        .engine
        .release(&worker(), &item.id, None)
        .await
        .unwrap();
    assert!(listed(mine).await.is_empty());
    world
        .decide(
            &worker(),
            &item.id,
            "done",
            json!({"money": super::world::aud(5)}),
        )
        .await
        .unwrap();
    let done = WorkItemFilter {
        state: Some("completed".into()),
        ..all()
    };
    assert_eq!(listed(done).await, [&*one.id]);
    let decision = world.item(&one.id, "decision").await;
    assert!(
        decision
            .barred
            .is_some_and(|(code, _)| code == "self-approval")
    );
    let seen = world
        .engine
        .work_item(&leader(), &decision.id)
        .await
        .unwrap();
    assert_eq!(seen.barred, None);
    let first = world
        .engine
        .work_items(&worker(), all())
        .await
        .unwrap()
        .items
        .remove(0);
    assert_eq!(first.id, decision.id, "what is due comes first");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_foreign_cursor_is_refused() {
    let world = World::new().await;
    let filter = WorkItemFilter {
        cursor: Some("../../etc".into()),
        ..WorkItemFilter::default()
    };
    let refused = world.engine.work_items(&worker(), filter).await;
    assert!(matches!(
        refused,
        Err(Refused::Invalid {
            code: "bad-cursor",
            ..
        })
    ));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_roles_that_start_may_start() {
    let world = World::new().await;
    let refused = world
        .engine
        .start(&leader(), start_of("brokerage", json!({})), None)
        .await;
    assert!(matches!(refused, Err(Refused::Rule(_))), "{refused:?}");
    let unknown = world
        .engine
        .start(&worker(), start_of("nothing", json!({})), None)
        .await;
    assert!(matches!(
        unknown,
        Err(Refused::Invalid {
            code: "unknown-workflow",
            ..
        })
    ));
}
