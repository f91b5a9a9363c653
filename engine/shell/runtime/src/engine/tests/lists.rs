//! The work queue: sorted, narrowed, in pages.

use serde_json::json;

use super::world::{World, leader, moment, staff, start_of, worker};
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

/// Instances of all pages of a list.
async fn all(world: &World, filter: &WorkItemFilter) -> Vec<String> {
    let (mut cursor, mut found) = (None, Vec::new());
    loop {
        let filter = WorkItemFilter {
            cursor,
            ..filter.clone()
        };
        let page = world.engine.work_items(&leader(), filter).await.unwrap();
        found.extend(page.items.into_iter().map(|item| item.instance));
        cursor = page.next;
        if cursor.is_none() {
            return found;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_overdue_is_a_list_of_its_own_in_pages() {
    let world = World::new().await;
    let mut late = Vec::new();
    for _ in 0..5 {
        late.push(world.start("late", json!({})).await.id);
    }
    let overdue = WorkItemFilter {
        overdue: true,
        limit: Some(2),
        ..WorkItemFilter::default()
    };
    let of_role = |role: &str| WorkItemFilter {
        role: Some(role.to_owned()),
        ..overdue.clone()
    };
    assert!(all(&world, &overdue).await.is_empty());
    world.clock.set(moment("2026-08-07T14:00:00Z"));
    // Due three days later, and not overdue.
    world.start("late", json!({})).await;
    assert_eq!(all(&world, &overdue).await, late);
    assert_eq!(all(&world, &of_role("team-leader")).await, late);
    assert!(all(&world, &of_role("case-worker")).await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_team_has_its_own_list_and_members_alone_take_from_it() {
    let world = World::new().await;
    let started = world.start("team", json!({})).await;
    let item = world.item(&started.id, "look").await;
    let north = WorkItemFilter {
        team: Some("north".to_owned()),
        ..WorkItemFilter::default()
    };
    let south = WorkItemFilter {
        team: Some("south".to_owned()),
        ..WorkItemFilter::default()
    };
    let kim = staff("u-kim", &["case-worker", "team:north"]);
    let listed = |filter| async { world.engine.work_items(&kim, filter).await.unwrap().items };
    assert_eq!(listed(north).await.len(), 1);
    assert_eq!(listed(south).await.len(), 0);
    let other = world.engine.claim(&leader(), &item.id, None).await;
    assert!(matches!(other, Err(Refused::Rule(_))), "{other:?}");
    world
        .decide(&kim, &item.id, "done", json!({}))
        .await
        .unwrap();
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
