//! Reminders and escalations: at their moments, once, over crashes, and never a decision.
//!
//! The world begins on Monday 3 August 2026, 11:00 in Brisbane. Wednesday is a holiday, so `late`
//! is due when Friday ends.

use casewright_store::{Batch, Guard, Moment, Store, SubmitError, Table};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::world::{
    World, complete, leader, manager, moment, request, staff, start_of, within_reason, worker,
};
use crate::engine::Refused;
use crate::view::{TimelineEntry, WorkItemFilter, WorkItemView};

/// 9:00 on Thursday, end of Friday, two hours later, end of Tuesday.
const MOMENTS: [&str; 4] = [
    "2026-08-05T23:00:00Z",
    "2026-08-07T13:59:59.999Z",
    "2026-08-07T15:59:59.999Z",
    "2026-08-11T13:59:59.999Z",
];

/// What time did to the case, as its record tells it.
async fn rang(world: &World, case: &str) -> Vec<(String, Timestamp, Option<String>)> {
    let timeline = world.engine.timeline(&worker(), case).await.unwrap();
    let by_time = |entry: &TimelineEntry| {
        ["work-item-reminded", "work-item-escalated"].contains(&entry.action.as_str())
    };
    let told = timeline.into_iter().filter(by_time);
    told.map(|entry| (entry.action, entry.at, entry.detail))
        .collect()
}

/// Waits until time has done so much to the case.
async fn rung(world: &World, case: &str, count: usize) {
    let mut changes = world.engine.changes();
    within_reason(async {
        loop {
            changes.borrow_and_update();
            if rang(world, case).await.len() >= count {
                return;
            }
            changes.changed().await.unwrap();
        }
    })
    .await;
}

/// Lets another timer fire at the present moment: what was due before has fired by then.
async fn settled(world: &World) {
    let other = world.start("wait", json!({"pause": "PT0.001S"})).await;
    world.clock.forward(SignedDuration::from_millis(1));
    world
        .instance(&other.id, |view| view.status == "completed")
        .await;
}

async fn look(world: &World, item: &str) -> WorkItemView {
    world.engine.work_item(&manager(), item).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn time_reminds_and_asks_more_people_at_its_moments() {
    let world = World::new().await;
    let started = world.start("late", json!({})).await;
    let item = world.item(&started.id, "decision").await;
    let millisecond = SignedDuration::from_millis(1);
    for (index, at) in MOMENTS.map(moment).into_iter().enumerate() {
        world.clock.set(at - millisecond * 2);
        settled(&world).await;
        assert_eq!(rang(&world, &started.case).await.len(), index, "{at} early");
        world.clock.set(at);
        rung(&world, &started.case, index + 1).await;
    }
    let (remind, escalate) = ("work-item-reminded", "work-item-escalated");
    let wanted = [
        (remind, None),
        (escalate, Some("role service-manager")),
        (remind, None),
        (escalate, Some("person u-casey")),
    ];
    let told = rang(&world, &started.case).await;
    for ((told, wanted), at) in told.iter().zip(wanted).zip(MOMENTS) {
        let (action, when, detail) = told;
        assert_eq!((action.as_str(), detail.as_deref()), wanted);
        assert_eq!(*when, moment(at));
    }
    let late = look(&world, &item.id).await;
    assert_eq!(late.state, "offered", "silence decides nothing");
    assert!(late.overdue);
    assert_eq!(late.reminded, Some(moment(MOMENTS[2])));
    assert_eq!(late.assigned, json!({"role": "team-leader"}));
    assert_eq!(
        late.escalated_to,
        [
            json!({"role": "service-manager"}),
            json!({"person": "u-casey"})
        ]
    );
    assert_eq!(late.revision, item.revision);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn those_asked_as_well_may_decide_but_not_the_excluded() {
    let world = World::new().await;
    let started = world.start("late", json!({})).await;
    let item = world.item(&started.id, "decision").await;
    let kim = staff("u-kim", &["service-manager"]);
    let code = |refused: Refused| match refused {
        Refused::Rule(refusal) => refusal.code.as_str(),
        other => panic!("{other:?}"),
    };
    let early = world.engine.claim(&kim, &item.id, None).await;
    assert_eq!(code(early.unwrap_err()), "not-assigned");
    let of_managers = WorkItemFilter {
        role: Some("service-manager".to_owned()),
        ..WorkItemFilter::default()
    };
    let listed = |filter: WorkItemFilter| async {
        let page = world.engine.work_items(&kim, filter).await.unwrap();
        page.items.len()
    };
    assert_eq!(listed(of_managers.clone()).await, 0);
    world.engine.claim(&leader(), &item.id, None).await.unwrap();
    world.clock.set(moment(MOMENTS[3]));
    rung(&world, &started.case, 4).await;
    assert_eq!(listed(of_managers).await, 1, "it is in the managers' queue");
    // Casey started it: being asked by time changes nothing about that.
    let own = world.engine.claim(&worker(), &item.id, None).await;
    assert_eq!(code(own.unwrap_err()), "self-approval");
    assert!(look(&world, &item.id).await.claimable);
    let decided = world.decide(&kim, &item.id, "decline", json!({})).await;
    let decided = decided.unwrap();
    assert_eq!(decided.decisions[0].role, "service-manager");
    let view = world
        .instance(&started.id, |view| view.status == "completed")
        .await;
    assert_eq!(
        view.output,
        Some(json!({"outcome": "decline", "late": true}))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_decided_or_taken_back_rings_no_more() {
    let world = World::new().await;
    let decided = world.start("late", json!({})).await;
    let cancelled = world.start("late", json!({})).await;
    let item = world.item(&decided.id, "decision").await;
    world.item(&cancelled.id, "decision").await;
    world.clock.set(moment(MOMENTS[0]));
    rung(&world, &decided.case, 1).await;
    rung(&world, &cancelled.case, 1).await;
    world
        .decide(&leader(), &item.id, "approve", json!({}))
        .await
        .unwrap();
    world
        .engine
        .cancel(&worker(), &cancelled.id, None, None)
        .await
        .unwrap();
    let world = world.crash().await;
    world.clock.set(moment("2026-12-01T00:00:00Z"));
    settled(&world).await;
    for case in [&decided.case, &cancelled.case] {
        assert_eq!(rang(&world, case).await.len(), 1);
    }
    let rows = Store::scan(&*world.store, Table::Timer, &[], &[0xff; 64], 100);
    assert_eq!(rows.unwrap().len(), 0, "no timer is left behind");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_item_of_a_parked_instance_rings_without_waking_it() {
    let world = World::new().await;
    let started = world.start("late", json!({})).await;
    world.item(&started.id, "decision").await;
    world.engine.stop().await;
    let world = world.crash().await;
    assert_eq!(world.engine.resident_count(), 0);
    world.clock.set(moment(MOMENTS[1]));
    rung(&world, &started.case, 2).await;
    assert_eq!(world.engine.resident_count(), 0);
}

/// Asks the store without writing: this guard never holds.
fn stopped(world: &World) -> bool {
    let batch = Batch {
        guards: vec![Guard::Row {
            table: Table::WorkItem,
            key: b"none".to_vec(),
            version: 1,
        }],
        ..Batch::default()
    };
    let refused = Store::submit(&*world.store, batch).err();
    matches!(refused, Some(SubmitError::Stopped))
}

/// Asks, lets everything ring, decides; repeats itself after a crash.
async fn story(world: &World) -> Result<String, Refused> {
    let engine = &world.engine;
    let start = start_of("late", json!({}));
    let started = engine
        .start(&worker(), start, Some(request("start")))
        .await?;
    let item = format!("{}-1", started.id);
    let mut changes = engine.changes();
    for (index, at) in MOMENTS.map(moment).into_iter().enumerate() {
        if engine.now() < at {
            world.clock.set(at);
        }
        loop {
            changes.borrow_and_update();
            let seen = engine.work_item(&manager(), &item).await?;
            let due = [1, 2, 2, 3][index];
            let come = usize::from(seen.reminded.is_some()) + seen.escalated_to.len();
            if come >= due {
                break;
            }
            if stopped(world) {
                return Err(Refused::Stopping);
            }
            changes.changed().await.map_err(|_| Refused::Stopping)?;
        }
    }
    engine
        .claim(&leader(), &item, Some(request("claim")))
        .await?;
    let complete = complete("approve", json!({}));
    engine
        .complete(&leader(), &item, complete, Some(request("complete")))
        .await?;
    Ok(started.case)
}

async fn survives(flush: u64, moment: Moment) -> bool {
    let mut world = World::new().await;
    world.faults.stop_at(flush, moment);
    let mut crashed = false;
    let case = loop {
        match within_reason(story(&world)).await {
            Ok(case) => break case,
            Err(Refused::Stopping) => {
                crashed = true;
                world = world.crash().await;
            }
            Err(refused) => panic!("flush {flush} {moment:?}: {refused:?}"),
        }
    };
    let world = world.crash().await;
    let place = format!("flush {flush} {moment:?}");
    let told = rang(&world, &case).await;
    let count = |action: &str| told.iter().filter(|entry| entry.0 == action).count();
    assert_eq!(count("work-item-escalated"), 2, "{place}: {told:?}");
    assert_eq!(count("work-item-reminded"), 2, "{place}: {told:?}");
    for ((_, at, _), due) in told.iter().zip(MOMENTS) {
        assert!(*at >= super::world::moment(due), "{place}: {at} is early");
    }
    let chain = world.engine.audit(&worker(), &case).await.unwrap();
    assert_eq!(casewright_casework::audit::verify(&case, &chain), Ok(()));
    crashed
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_at_any_flush_neither_loses_nor_repeats_an_alarm() {
    for moment in [Moment::BeforeFlush, Moment::AfterFlush] {
        let mut flush = 1;
        while survives(flush, moment).await {
            flush += 1;
            assert!(flush < 200, "the story has an end");
        }
        assert!(flush > 6, "crashed at {flush} flushes only");
    }
}
