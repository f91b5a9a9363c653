//! A calendar that changes while deadlines are open: kept, moved once over crashes, or asked.
//!
//! The world begins on Monday 3 August 2026, 11:00 in Brisbane. Wednesday is a holiday, so what is
//! due in three business days is due when Friday ends; once Thursday is one too, when Monday ends.

use std::collections::BTreeMap;

use casewright_casework::Principal;
use casewright_casework::audit::Action;
use casewright_store::{Moment, Store, Table};
use jiff::Timestamp;
use serde_json::json;

use super::meanwhile::{of_agency, of_case};
use super::world::{World, leader, manager, moment, pack, request, within_reason, worker};
use crate::engine::{OnChange, Refused, Wait};
use crate::view::{TimelineEntry, WorkItemView};

const BEFORE: &str = "2026-08-07T13:59:59.999Z";
const AFTER: &str = "2026-08-10T13:59:59.999Z";
const MOVED: &str = "work-item-due-moved";

/// The pack with these lines more, and these days of August as holidays.
fn with(lines: &str, holidays: &[u8]) -> BTreeMap<String, String> {
    let mut files = pack("100000");
    let text = files["pack.yaml"].replace(
        "includes: [ team-leader ] }",
        "includes: [ team-leader ], administers: true }",
    );
    files.insert("pack.yaml".to_owned(), format!("{text}{lines}\n"));
    let events: Vec<String> = holidays
        .iter()
        .map(|day| {
            format!(
                "BEGIN:VEVENT\r\nUID:{day}\r\nDTSTART;VALUE=DATE:202608{day:02}\r\n\
                 SUMMARY:Show day\r\nEND:VEVENT\r\n"
            )
        })
        .collect();
    let events = events.concat();
    files.insert(
        "calendars/au-qld.ics".to_owned(),
        format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:test\r\n{events}END:VCALENDAR\r\n"),
    );
    // A second task, offered when the first is done.
    let twice = files["late.yaml"].replace("name: late", "name: twice");
    let (head, tasks) = twice.split_once("  - said:").unwrap();
    let again = head.split_once("  - decision:").unwrap().1;
    let again = again
        .replace("call: approval", "call: human-task")
        .replace("{ role: team-leader }", "{ role: case-worker }");
    let twice = format!("{head}  - again:{again}  - said:{tasks}");
    files.insert("twice.yaml".to_owned(), twice);
    files
}

async fn world() -> World {
    let world = World::new().await;
    world.deploy(with("", &[5])).await.unwrap();
    world
}

async fn look(world: &World, item: &str) -> WorkItemView {
    world.engine.work_item(&worker(), item).await.unwrap()
}

async fn told(world: &World, case: &str, action: &str) -> Vec<TimelineEntry> {
    let timeline = world.engine.timeline(&worker(), case).await.unwrap();
    let of_action = timeline.into_iter().filter(|one| one.action == action);
    of_action.collect()
}

async fn decide(world: &World, who: &Principal, item: &str, outcome: &str) {
    let decided = world.decide(who, item, outcome, json!({}));
    decided.await.unwrap();
}

/// Moments of the timers of an item.
fn timers(world: &World, item: &str) -> Vec<Timestamp> {
    let rows = world.store.scan(Table::Timer, &[], &[0xff; 64], usize::MAX);
    let rows = rows.unwrap();
    let timers = rows
        .iter()
        .filter_map(|(key, _)| crate::key::read_timer(key));
    let own = timers.filter(|(_, owner, _)| owner == item);
    own.map(|(at, ..)| at).collect()
}

/// Thirty deadlines wait; the engine is killed at one flush of the change. Whether it was.
async fn survives(flush: u64, at: Moment) -> bool {
    let mut world = world().await;
    let mut items = Vec::new();
    for _ in 0..30 {
        let started = world.start("late", json!({})).await;
        let item = world.item(&started.id, "decision").await;
        assert_eq!(item.due, Some(moment(BEFORE)));
        items.push((item.id, started.case));
    }
    world.engine.quiet().await.unwrap();
    world.faults.stop_at(flush, at);
    let place = format!("flush {flush} {at:?}");
    let changed = || with("whenCalendarsChange: recompute", &[5, 6]);
    let mut crashed = false;
    loop {
        let deployed = within_reason(world.deploy(changed())).await;
        let quiet = match deployed {
            Ok(()) => within_reason(world.engine.quiet()).await,
            Err(refused) => Err(refused),
        };
        match quiet {
            Ok(()) => break,
            Err(Refused::Stopping) => {
                crashed = true;
                world = world.crash().await;
                world.engine.quiet().await.unwrap();
            }
            Err(refused) => panic!("{place}: {refused:?}"),
        }
    }
    let world = world.crash().await;
    world.engine.quiet().await.unwrap();
    for (item, case) in &items {
        let seen = look(&world, item).await;
        assert_eq!(seen.due, Some(moment(AFTER)), "{place}");
        let moved = told(&world, case, MOVED).await;
        assert_eq!(moved.len(), 1, "{place}: moved once");
        let detail = format!("au-qld {BEFORE} {AFTER}");
        assert_eq!(moved[0].detail.as_deref(), Some(&*detail), "{place}");
        // The reminder comes first, on Friday in the morning.
        assert_eq!(
            timers(&world, item),
            [moment("2026-08-06T23:00:00Z")],
            "{place}"
        );
    }
    world.clock.set(moment(BEFORE));
    world.engine.quiet().await.unwrap();
    let (first, case) = &items[0];
    assert!(look(&world, first).await.escalated_to.is_empty(), "{place}");
    world.clock.set(moment(AFTER));
    world.engine.quiet().await.unwrap();
    assert_eq!(told(&world, case, "work-item-escalated").await.len(), 1);
    let chain = world.engine.audit(&worker(), case).await.unwrap();
    assert_eq!(casewright_casework::audit::verify(case, &chain), Ok(()));
    crashed
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thirty_open_deadlines_follow_their_calendar_once_over_a_crash_at_any_flush() {
    for at in [Moment::BeforeFlush, Moment::AfterFlush] {
        let mut flush = 1;
        while survives(flush, at).await {
            flush += 1;
            assert!(flush < 50, "the change has an end");
        }
        assert!(flush > 3, "crashed at {flush}: pack, two batches, the end");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_open_stays_unless_the_pack_says_otherwise() {
    let world = world().await;
    let started = world.start("twice", json!({})).await;
    let item = world.item(&started.id, "decision").await;
    let rule = item.deadline.clone().unwrap();
    assert_eq!(rule.rule.as_deref(), Some("3 business days"));
    assert_eq!(rule.calendar, "au-qld");
    assert_eq!(rule.from, moment("2026-08-03T01:00:00Z"));
    let alarms: Vec<_> = rule.alarms.iter().map(|one| one.rule.clone()).collect();
    let alarms: Vec<_> = alarms.iter().flatten().map(String::as_str).collect();
    assert_eq!(
        alarms,
        [
            "1 business day before",
            "due",
            "PT2H after",
            "5 business days"
        ]
    );
    world.deploy(with("", &[5, 6])).await.unwrap();
    world.engine.quiet().await.unwrap();
    assert_eq!(look(&world, &item.id).await.due, Some(moment(BEFORE)));
    // And what the run offers later is counted as the run began.
    decide(&world, &leader(), &item.id, "approve").await;
    let again = world.item(&started.id, "again").await;
    assert_eq!(again.due, Some(moment(BEFORE)));
    let new = world.start("late", json!({})).await;
    let new = world.item(&new.id, "decision").await;
    assert_eq!(new.due, Some(moment(AFTER)), "a new run has the new days");
    assert_ne!(new.deadline.unwrap().version, rule.version);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_run_offers_later_follows_too() {
    let world = world().await;
    let started = world.start("twice", json!({})).await;
    let item = world.item(&started.id, "decision").await;
    world
        .deploy(with("whenCalendarsChange: recompute", &[5, 6]))
        .await
        .unwrap();
    world.engine.quiet().await.unwrap();
    decide(&world, &leader(), &item.id, "approve").await;
    let again = world.item(&started.id, "again").await;
    assert_eq!(again.due, Some(moment(AFTER)));
    // A hold is counted by the version that the deadline was moved to.
    let world = world.crash().await;
    // And a calendar that changes back moves it back.
    world
        .deploy(with("whenCalendarsChange: recompute", &[5]))
        .await
        .unwrap();
    world.engine.quiet().await.unwrap();
    let seen = look(&world, &again.id).await;
    assert_eq!(seen.due, Some(moment(BEFORE)));
    assert_eq!(told(&world, &started.case, MOVED).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn time_on_hold_is_counted_by_the_version_that_counts_then() {
    let world = world().await;
    let started = world.start("pause", json!({})).await;
    let item = world.item(&started.id, "ask").await.id;
    let engine = &world.engine;
    engine.claim(&worker(), &item, None).await.unwrap();
    let wait = Wait {
        until: None,
        reason: "the family is away".to_owned(),
    };
    engine.hold(&worker(), &item, wait, None).await.unwrap();
    world
        .deploy(with("whenCalendarsChange: recompute", &[5, 6]))
        .await
        .unwrap();
    world.engine.quiet().await.unwrap();
    assert_eq!(look(&world, &item).await.due, Some(moment(AFTER)));
    let world = world.crash().await;
    // To Friday morning: Tuesday and Friday do not count; Wednesday and Thursday are none.
    world.clock.set(moment("2026-08-06T23:30:00Z"));
    let back = world.engine.resume(&worker(), &item, None).await.unwrap();
    assert_eq!(back.due, Some(moment("2026-08-12T13:59:59.999Z")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_duty_on_the_wall_clock_stays_and_what_has_passed_is_due_at_once() {
    let world = World::new().await;
    world.deploy(with("", &[5, 6])).await.unwrap();
    let started = world.start("pause", json!({})).await;
    let ask = world.item(&started.id, "ask").await.id;
    decide(&world, &worker(), &ask, "done").await;
    let duty = world.item(&started.id, "report").await;
    let late = world.start("late", json!({})).await;
    let item = world.item(&late.id, "decision").await;
    assert_eq!(item.due, Some(moment(AFTER)));
    // Monday in the morning: by the new calendar it was due on Friday.
    let now = moment("2026-08-10T00:00:00Z");
    world.clock.set(now);
    world.engine.quiet().await.unwrap();
    let before = look(&world, &duty.id).await;
    world
        .deploy(with("whenCalendarsChange: recompute", &[5]))
        .await
        .unwrap();
    world.engine.quiet().await.unwrap();
    let seen = look(&world, &item.id).await;
    assert_eq!(seen.due, Some(now));
    let moved = seen.deadline.unwrap().moved.unwrap();
    assert!(moved.at_once);
    assert_eq!(moved.from, Some(moment(AFTER)));
    assert_eq!(seen.escalated_to.len(), 1, "it is escalated at once");
    let told = told(&world, &late.case, MOVED).await;
    assert!(told[0].detail.as_deref().unwrap().ends_with(" at-once"));
    let after = look(&world, &duty.id).await;
    assert_eq!(after.due, before.due);
    assert_eq!(
        after.deadline.unwrap().version,
        before.deadline.unwrap().version
    );
}

fn decision(apply: bool, version: Option<String>) -> OnChange {
    OnChange {
        apply,
        version,
        reason: " The council moved the show day. ".to_owned(),
    }
}

fn code(refused: &Refused) -> &str {
    match refused {
        Refused::Invalid { code, .. } => code,
        Refused::Rule(refusal) => refusal.code.as_str(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_looks_after_the_runs_is_asked_and_decides_with_a_reason() {
    let world = world().await;
    let started = world.start("twice", json!({})).await;
    let item = world.item(&started.id, "decision").await;
    let nothing = world.engine.calendar_changes(&manager()).await.unwrap();
    assert!(nothing.is_empty(), "{nothing:?}");
    world
        .deploy(with("whenCalendarsChange: ask", &[5, 6]))
        .await
        .unwrap();
    world.engine.quiet().await.unwrap();
    assert_eq!(look(&world, &item.id).await.due, Some(moment(BEFORE)));
    let world = world.crash().await;
    let engine = &world.engine;
    let change = engine.calendar_changes(&manager()).await.unwrap().remove(0);
    assert_eq!(
        (&*change.calendar, &*change.policy, &*change.state),
        ("au-qld", "ask", "asked")
    );
    let (lead, manage) = (leader(), manager());
    let lines = engine.calendar_change(&manage, "au-qld", None, None);
    let line = lines.await.unwrap().items.remove(0);
    assert_eq!(line.work_item, item.id);
    assert_eq!(
        (line.due, line.new_due, line.at_once),
        (Some(moment(BEFORE)), Some(moment(AFTER)), false)
    );
    // Nobody else, nothing without a reason, and only what was looked at.
    let refused = engine.calendar_changes(&leader()).await.unwrap_err();
    assert_eq!(code(&refused), "not-assigned");
    let settle = |who, decision| engine.decide_calendar_change(who, "au-qld", decision, None);
    let refused = settle(&lead, decision(true, None)).await.unwrap_err();
    assert_eq!(code(&refused), "not-assigned");
    let silent = OnChange {
        reason: " ".to_owned(),
        ..decision(true, None)
    };
    let refused = settle(&manage, silent).await.unwrap_err();
    assert_eq!(code(&refused), "invalid-input");
    let stale = decision(true, Some("another".to_owned()));
    let refused = settle(&manage, stale).await.unwrap_err();
    assert_eq!(code(&refused), "stale-revision");
    // Once, whatever is sent again.
    for _ in 0..2 {
        let asked = decision(true, change.version.clone());
        let key = Some(request("apply"));
        let applied = engine.decide_calendar_change(&manage, "au-qld", asked, key);
        assert_eq!(applied.await.unwrap().state, "moving");
    }
    engine.quiet().await.unwrap();
    assert_eq!(look(&world, &item.id).await.due, Some(moment(AFTER)));
    let moved = told(&world, &started.case, MOVED).await;
    assert_eq!(moved.len(), 1);
    assert_eq!(moved[0].who.id, manage.id);
    let settled = engine.calendar_changes(&manager()).await.unwrap().remove(0);
    assert_eq!(settled.state, "settled");
    assert_eq!(settled.decided[0].outcome, "moved");
    assert_eq!(
        settled.decided[0].reason.as_deref(),
        Some("The council moved the show day.")
    );
    let refused = settle(&manage, decision(false, None)).await.unwrap_err();
    assert_eq!(code(&refused), "no-calendar-change");
    // What the run offers later is counted so too.
    decide(&world, &leader(), &item.id, "approve").await;
    assert_eq!(
        world.item(&started.id, "again").await.due,
        Some(moment(AFTER))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_kept_stays_and_one_calendar_may_say_otherwise() {
    let world = world().await;
    let started = world.start("late", json!({})).await;
    let item = world.item(&started.id, "decision").await;
    let mut files = with("whenCalendarsChange: recompute", &[5, 6]);
    let text = files["pack.yaml"].replace(
        "au-qld: calendars/au-qld.ics",
        "au-qld: { file: calendars/au-qld.ics, whenChanged: ask }",
    );
    files.insert("pack.yaml".to_owned(), text);
    world.deploy(files).await.unwrap();
    world.engine.quiet().await.unwrap();
    let engine = &world.engine;
    let kept = engine
        .decide_calendar_change(&manager(), "au-qld", decision(false, None), None)
        .await
        .unwrap();
    assert_eq!(
        (&*kept.state, &*kept.decided[0].outcome),
        ("settled", "kept")
    );
    engine.quiet().await.unwrap();
    assert_eq!(look(&world, &item.id).await.due, Some(moment(BEFORE)));
    assert!(told(&world, &started.case, MOVED).await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_offered_by_a_calendar_that_changes_meanwhile() {
    for table in [Table::Case, Table::Calendar] {
        let world = world().await;
        let changed = with("whenCalendarsChange: recompute", &[5, 6]);
        world.deploy(changed).await.unwrap();
        world.engine.quiet().await.unwrap();
        let started = world.start("twice", json!({})).await;
        let item = world.item(&started.id, "decision").await;
        let row = if table == Table::Case {
            of_case(&started.case, table, started.case.clone().into_bytes())
        } else {
            of_agency(table, crate::key::join(&["family-support", "au-qld"]))
        };
        world.touch(Action::WorkItemOffered, row);
        decide(&world, &leader(), &item.id, "approve").await;
        assert!(!world.overlooked(), "{table:?}");
        let again = world.item(&started.id, "again").await;
        assert_eq!(again.due, Some(moment(AFTER)), "{table:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deadline_is_moved_as_its_task_and_its_calendar_stand_then() {
    for table in [Table::WorkItem, Table::Calendar] {
        let world = world().await;
        let started = world.start("late", json!({})).await;
        let item = world.item(&started.id, "decision").await.id;
        let row = if table == Table::WorkItem {
            of_case(&started.case, table, item.clone().into_bytes())
        } else {
            of_agency(table, crate::key::join(&["family-support", "au-qld"]))
        };
        world.touch(Action::WorkItemDueMoved, row);
        let changed = with("whenCalendarsChange: recompute", &[5, 6]);
        world.deploy(changed).await.unwrap();
        world.engine.quiet().await.unwrap();
        assert!(!world.overlooked(), "{table:?}");
        assert_eq!(look(&world, &item).await.due, Some(moment(AFTER)));
        assert_eq!(told(&world, &started.case, MOVED).await.len(), 1);
    }
}
