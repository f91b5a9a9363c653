//! Work that goes from hand to hand through the engine: who is away, who stands in, what somebody
//! arranges, what is skipped. The world begins on Monday 3 August 2026, 11:00 in Brisbane.

use casewright_casework::Principal;
use casewright_casework::work_item::Assigned;
use casewright_store::{Batch, Put, Table, Under};
use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::json;

use super::world::{World, aud, complete, leader, manager, moment, pack, staff, worker};
use super::world::{request, within_reason};
use crate::engine::{Give, HandOver, NewAbsence, Reassign, Refused, Unsent, Wait};
use crate::record::{self, UserRow};
use crate::view::{PersonView, WorkItemView};

const HAND: &str = include_str!("pack/hand.yaml");
const TWO: &str = include_str!("pack/two.yaml");

/// Stands in for the leader.
pub(super) fn deputy() -> Principal {
    staff("u-dee", &["team-leader"])
}

/// Arranges the work of others, and is nothing else.
pub(super) fn coordinator() -> Principal {
    staff("u-ria", &["coordinator"])
}

/// The world with staff who can be found by their names, and work that goes from hand to hand.
pub(super) async fn staffed() -> World {
    let world = World::new().await;
    let mut files = pack("100000");
    let roles = "roles:\n  coordinator: { title: Coordinator, arranges: true }";
    let with = files["pack.yaml"].replace("roles:", roles);
    files.insert("pack.yaml".to_owned(), with);
    files.insert("hand.yaml".to_owned(), HAND.to_owned());
    files.insert("two.yaml".to_owned(), TWO.to_owned());
    world.deploy(files).await.unwrap();
    let staff = [worker(), leader(), manager(), deputy(), coordinator()];
    let put = |who: Principal| {
        let user = UserRow {
            agency: who.agency.clone(),
            sign_in: who.id.clone(),
            id: who.id.clone(),
            display_name: who.display_name,
            roles: who.roles,
            // Nobody signs in here.
            passphrase: String::new(),
        };
        Put {
            table: Table::User,
            key: who.id.into_bytes(),
            value: Some(record::encode(&user)),
            under: Under::Agency(who.agency),
        }
    };
    let batch = Batch {
        puts: staff.into_iter().map(put).collect(),
        ..Batch::default()
    };
    world.engine.shared.commit(batch).await.unwrap();
    world
}

pub(super) fn hand_over(to: &str, until: &str) -> HandOver {
    HandOver {
        to: to.to_owned(),
        until: moment(until),
        reason: "a course".to_owned(),
    }
}

pub(super) fn give(to: &str) -> Give {
    Give {
        to: to.to_owned(),
        reason: "you know the family".to_owned(),
    }
}

pub(super) fn reassign(to: Assigned) -> Reassign {
    Reassign {
        to,
        reason: "on leave".to_owned(),
    }
}

/// The leader is away on the 3rd and the 4th.
pub(super) fn absence() -> NewAbsence {
    NewAbsence {
        person: None,
        substitute: "u-dee".to_owned(),
        from: Date::constant(2026, 8, 3),
        to: Date::constant(2026, 8, 4),
    }
}

async fn look(world: &World, item: &str) -> WorkItemView {
    world.engine.work_item(&worker(), item).await.unwrap()
}

/// Waits until the item is as wanted.
async fn until(world: &World, item: &str, wanted: impl Fn(&WorkItemView) -> bool) -> WorkItemView {
    let mut changes = world.engine.changes();
    within_reason(async {
        loop {
            changes.borrow_and_update();
            let seen = look(world, item).await;
            if wanted(&seen) {
                return seen;
            }
            changes.changed().await.unwrap();
        }
    })
    .await
}

#[track_caller]
fn refused<T: std::fmt::Debug>(answer: Result<T, Refused>, code: &str) {
    let Err(Refused::Rule(refusal)) = answer else {
        panic!("{answer:?}")
    };
    assert_eq!(refusal.code.as_str(), code, "{refusal:?}");
}

/// A request for brokerage, up to its decision.
async fn asked(world: &World) -> (String, String) {
    let started = world.start("brokerage", json!({})).await;
    let item = world.item(&started.id, "request").await.id;
    let data = json!({"money": aud(30_000)});
    world.decide(&worker(), &item, "done", data).await.unwrap();
    let decision = world.item(&started.id, "decision").await.id;
    (started.id, decision)
}

fn person(view: Option<&PersonView>) -> Option<&str> {
    view.map(|person| person.id.as_str())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_substitute_decides_for_both_while_the_days_last() {
    let world = staffed().await;
    let (run, decision) = asked(&world).await;
    let engine = &world.engine;
    let dee = deputy();
    engine.claim(&leader(), &decision, None).await.unwrap();
    refused(
        engine.claim(&deputy(), &decision, None).await,
        "already-claimed",
    );
    let absence = engine
        .record_absence(&leader(), absence(), None)
        .await
        .unwrap();
    let seen = engine.work_item(&deputy(), &decision).await.unwrap();
    assert_eq!(person(seen.claimable_for.as_ref()), Some("u-lee"));
    let taken = engine.claim(&deputy(), &decision, None).await.unwrap();
    assert_eq!(person(taken.acting_for.as_ref()), Some("u-lee"));
    assert_eq!(taken.acting_until, Some(moment("2026-08-04T14:00:00Z")));
    assert!(taken.barred.is_none());
    // Taken back, it binds at once, also what is in hand.
    engine
        .end_absence(&leader(), &absence.id, None)
        .await
        .unwrap();
    let late = engine.complete(&dee, &decision, complete("approve", json!(null)), None);
    refused(late.await, "acting-over");
    let again = engine
        .record_absence(&leader(), self::absence(), None)
        .await;
    again.unwrap();
    // Another absence is not the one that it was taken for.
    let late = engine.complete(&dee, &decision, complete("approve", json!(null)), None);
    refused(late.await, "acting-over");
    engine.release(&deputy(), &decision, None).await.unwrap();
    engine.claim(&deputy(), &decision, None).await.unwrap();
    let done = engine.complete(&dee, &decision, complete("approve", json!(null)), None);
    let done = done.await.unwrap();
    assert_eq!(person(done.decisions[0].acting_for.as_ref()), Some("u-lee"));
    let ended = world
        .instance(&run, |view| view.status == "completed")
        .await;
    let told = engine.timeline(&leader(), &ended.case).await.unwrap();
    let entry = |action: &str| {
        let mut found = told.iter().filter(|entry| entry.action == action);
        let last = found.next_back().unwrap();
        (
            last.who.id.clone(),
            last.colleague.clone().unwrap().display_name,
        )
    };
    let both = ("u-dee".to_owned(), "U-LEE".to_owned());
    assert_eq!(entry("work-item-taken-for"), both);
    assert_eq!(entry("work-item-acted-for"), both);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_done_for_somebody_excludes_both_from_deciding_it() {
    let world = staffed().await;
    let engine = &world.engine;
    let started = world.start("brokerage", json!({})).await;
    let item = world.item(&started.id, "request").await.id;
    engine.claim(&worker(), &item, None).await.unwrap();
    // A task that is no approval needs no role of whoever does it for another.
    let over = hand_over("u-lee", "2026-08-05T00:00:00Z");
    engine
        .hand_over(&worker(), &item, over, None)
        .await
        .unwrap();
    let unsent = Unsent {
        data: json!({}),
        comment: None,
    };
    engine.save_draft(&leader(), &item, unsent).await.unwrap();
    let data = json!({"money": aud(30_000)});
    let done = engine
        .complete(&leader(), &item, complete("done", data), None)
        .await;
    done.unwrap();
    let decision = world.item(&started.id, "decision").await.id;
    refused(
        engine.claim(&leader(), &decision, None).await,
        "self-approval",
    );
    refused(
        engine.claim(&worker(), &decision, None).await,
        "self-approval",
    );
    // Nor for somebody who is away, nor by whoever stands in for one of them.
    engine.claim(&deputy(), &decision, None).await.unwrap();
    for to in ["u-lee", "u-casey"] {
        let over = hand_over(to, "2026-08-05T00:00:00Z");
        refused(
            engine.hand_over(&deputy(), &decision, over, None).await,
            "not-delegable",
        );
    }
    let world = world.crash().await;
    refused(
        world.engine.claim(&leader(), &decision, None).await,
        "self-approval",
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_handed_over_comes_back_by_itself_over_a_crash() {
    let world = staffed().await;
    let (_, decision) = asked(&world).await;
    let engine = &world.engine;
    engine.claim(&leader(), &decision, None).await.unwrap();
    let over = hand_over("u-dee", "2026-08-04T00:00:00Z");
    let handed = engine
        .hand_over(&leader(), &decision, over, Some(request("hand")))
        .await;
    let handed = handed.unwrap();
    assert_eq!(person(handed.claimed_by.as_ref()), Some("u-dee"));
    assert_eq!(handed.moves[0].reason, "a course");
    let world = world.crash().await;
    let over = hand_over("u-dee", "2026-08-04T00:00:00Z");
    let same = world
        .engine
        .hand_over(&leader(), &decision, over, Some(request("hand")))
        .await;
    assert_eq!(same.unwrap().moves.len(), 1, "the same request");
    world.clock.set(moment("2026-08-04T00:00:00Z"));
    let back = until(&world, &decision, |item| item.acting_for.is_none()).await;
    assert_eq!(person(back.claimed_by.as_ref()), Some("u-lee"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_arranges_gives_work_to_those_who_may_take_it() {
    let world = staffed().await;
    let engine = &world.engine;
    let (_, decision) = asked(&world).await;
    let ria = coordinator();
    refused(
        engine.give(&leader(), &decision, give("u-dee"), None).await,
        "not-arranging",
    );
    refused(
        engine.give(&ria, &decision, give("u-casey"), None).await,
        "not-delegable",
    );
    refused(
        engine.give(&ria, &decision, give("u-ria"), None).await,
        "not-delegable",
    );
    refused(
        engine.give(&ria, &decision, give("nobody"), None).await,
        "handover-invalid",
    );
    let given = engine
        .give(&ria, &decision, give("u-lee"), None)
        .await
        .unwrap();
    assert_eq!(person(given.claimed_by.as_ref()), Some("u-lee"));
    let wider = reassign(Assigned::Role("case-worker".to_owned()));
    refused(
        engine.reassign(&ria, &decision, wider, None).await,
        "not-delegable",
    );
    let to = reassign(Assigned::Person("u-dee".to_owned()));
    let given = engine.reassign(&ria, &decision, to, None).await.unwrap();
    assert_eq!(person(given.claimed_by.as_ref()), Some("u-dee"));
    let started = world.start("hand", json!({})).await;
    let visit = world.item(&started.id, "visit").await.id;
    let unknown = reassign(Assigned::Team("east".to_owned()));
    refused(
        engine.reassign(&ria, &visit, unknown, None).await,
        "handover-invalid",
    );
    let team = reassign(Assigned::Team("north".to_owned()));
    let given = engine.reassign(&ria, &visit, team, None).await.unwrap();
    assert_eq!(given.assigned, json!({"team": "north"}));
    let told = engine.timeline(&ria, &started.case).await.unwrap();
    let entry = told
        .iter()
        .find(|entry| entry.action == "work-item-reassigned");
    let entry = entry.unwrap();
    assert_eq!(entry.comment.as_deref(), Some("on leave"));
    assert_eq!(entry.detail.as_deref(), Some("team north"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_what_the_document_lets_be_skipped_is_skipped_and_the_run_hears_why() {
    let world = staffed().await;
    let engine = &world.engine;
    let started = world.start("hand", json!({})).await;
    let visit = world.item(&started.id, "visit").await.id;
    refused(
        engine.skip(&worker(), &visit, "gone", None).await,
        "not-assigned",
    );
    refused(
        engine.skip(&leader(), &visit, " ", None).await,
        "reason-needed",
    );
    let skipped = engine
        .skip(&leader(), &visit, "they moved away", None)
        .await
        .unwrap();
    assert!(skipped.skipped && skipped.state == "completed");
    let (_, decision) = asked(&world).await;
    refused(
        engine.skip(&leader(), &decision, "why", None).await,
        "not-skippable",
    );
    let report = world.item(&started.id, "report").await;
    refused(
        engine.skip(&leader(), &report.id, "why", None).await,
        "not-skippable",
    );
    world
        .decide(&worker(), &report.id, "done", json!({}))
        .await
        .unwrap();
    let letter = world.item(&started.id, "letter").await;
    assert_eq!(
        letter.show,
        json!({"outcome": "not-needed", "skipped": true, "reason": "they moved away"})
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_duty_of_somebody_away_stays_theirs_and_others_are_told() {
    let world = staffed().await;
    let engine = &world.engine;
    let started = world.start("hand", json!({})).await;
    let visit = world.item(&started.id, "visit").await.id;
    engine.skip(&leader(), &visit, "gone", None).await.unwrap();
    let report = world.item(&started.id, "report").await;
    assert!(!report.delegable);
    let away = NewAbsence {
        person: Some("u-casey".to_owned()),
        ..absence()
    };
    engine
        .record_absence(&coordinator(), away, None)
        .await
        .unwrap();
    refused(
        engine.claim(&deputy(), &report.id, None).await,
        "not-delegable",
    );
    let to = reassign(Assigned::Person("u-dee".to_owned()));
    let given = engine.reassign(&coordinator(), &report.id, to, None).await;
    refused(given, "not-delegable");
    world.clock.set(moment("2026-08-03T21:00:00Z"));
    let told = until(&world, &report.id, |item| !item.told.is_empty()).await;
    assert_eq!(told.told, [json!({"person": "u-dee"})]);
    world.clock.set(moment("2026-08-04T01:00:00Z"));
    let late = until(&world, &report.id, |item| item.told.len() == 2).await;
    assert_eq!(late.told[1], json!({"role": "team-leader"}));
    assert!(late.escalated_to.is_empty());
    refused(
        world.engine.claim(&leader(), &report.id, None).await,
        "not-assigned",
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_late_of_somebody_away_is_offered_to_who_stands_in_or_to_the_role() {
    for (substitute_away, told, escalated) in [
        (false, vec![json!({"person": "u-dee"})], Vec::new()),
        (true, Vec::new(), vec![json!({"role": "team-leader"})]),
    ] {
        let world = staffed().await;
        let engine = &world.engine;
        let started = world.start("hand", json!({})).await;
        let visit = world.item(&started.id, "visit").await.id;
        engine.skip(&leader(), &visit, "gone", None).await.unwrap();
        let report = world.item(&started.id, "report").await.id;
        world
            .decide(&worker(), &report, "done", json!({}))
            .await
            .unwrap();
        let letter = world.item(&started.id, "letter").await;
        let away = |person: &str, substitute: &str| NewAbsence {
            person: Some(person.to_owned()),
            substitute: substitute.to_owned(),
            from: Date::constant(2026, 8, 3),
            to: Date::constant(2026, 8, 9),
        };
        let ria = coordinator();
        engine
            .record_absence(&ria, away("u-casey", "u-dee"), None)
            .await
            .unwrap();
        if substitute_away {
            engine
                .record_absence(&ria, away("u-dee", "u-lee"), None)
                .await
                .unwrap();
        }
        let due: Timestamp = letter.due.unwrap();
        world.clock.set(due);
        let late = until(&world, &letter.id, |item| {
            item.told == told && item.escalated_to == escalated
        });
        late.await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hold_ends_when_all_of_them_are_as_long_as_they_may_be() {
    let world = staffed().await;
    let started = world.start("hand", json!({})).await;
    let visit = world.item(&started.id, "visit").await.id;
    let engine = &world.engine;
    engine.claim(&worker(), &visit, None).await.unwrap();
    let wait = || Wait {
        until: None,
        reason: "the family is away".to_owned(),
    };
    let held = engine.hold(&worker(), &visit, wait(), None).await.unwrap();
    // Two business days: Tuesday and Thursday, since Wednesday is a holiday.
    let end = moment("2026-08-06T13:59:59.999Z");
    assert_eq!(held.hold.unwrap().until, Some(end));
    let world = world.crash().await;
    world.clock.set(end);
    until(&world, &visit, |item| item.state == "claimed").await;
    let again = world.engine.hold(&worker(), &visit, wait(), None).await;
    refused(again, "not-holdable");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_item_says_which_attempt_it_is() {
    let world = staffed().await;
    let (run, decision) = asked(&world).await;
    let lee = leader();
    let back = world
        .decide(&lee, &decision, "ask-for-changes", json!(null))
        .await;
    back.unwrap();
    let again = world.item(&run, "request").await.id;
    let seen = look(&world, &again).await;
    assert_eq!((seen.attempt, seen.attempts.len()), (2, 1));
    assert_eq!(look(&world, &decision).await.attempt, 1);
}
