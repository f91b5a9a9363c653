//! Workflows that begin with events: once for each, with all that belong together, whatever
//! crashes; and those that begin after the one before has ended.

use std::collections::BTreeMap;

use casewright_store::settings::Settings;
use casewright_store::{Moment, Store, Table};
use jiff::SignedDuration;
use serde_json::{Map, Value, json};

use super::world::{World, moment, within_reason, worker};
use crate::engine::{Limits, Refused};
use crate::port::EffectKind;
use crate::view::{InstanceView, RunFilter};

const PACK: &str = "
namespace: family-support
title: Listening agency
timeZone: Australia/Brisbane
caseNumber: LA-{year}-{number:5}
roles:
  case-worker: { title: Case worker, starts: true }
";

const ONE: &str = "schedule: { on: { one: { with: { type: org.referral } } } }";

/// Referral and consent of the same family.
const ALL: &str = "
schedule:
  on:
    all:
      - with: { type: org.referral }
        correlate: { family: { from: .data.family } }
      - with: { type: org.consent }
        correlate: { family: { from: .data.family } }
";

const WHOLE_INPUT: &str = "  - all: { set: { events: '${ $workflow.input }' } }\n";

fn document(name: &str, schedule: &str, tasks: &str) -> (String, String) {
    let head = format!(
        "document: {{ dsl: '1.0.3', namespace: family-support, name: {name}, version: '1.0.0' }}\n"
    );
    (
        format!("{name}.yaml"),
        format!("{head}{schedule}\ndo:\n{tasks}"),
    )
}

fn files(documents: impl IntoIterator<Item = (String, String)>) -> BTreeMap<String, String> {
    let mut files: BTreeMap<String, String> = documents.into_iter().collect();
    files.insert("pack.yaml".to_owned(), PACK.to_owned());
    files
}

async fn world(documents: impl IntoIterator<Item = (String, String)>) -> World {
    let world = World::empty(Limits::default(), EffectKind::Keyed, Settings::default()).await;
    world.clock.set(moment("2026-08-03T01:00:00Z"));
    world.deploy(files(documents)).await.unwrap();
    world
}

fn event(kind: &str, id: &str, family: &str) -> Map<String, Value> {
    let event = json!({
        "specversion": "1.0", "source": "urn:outside", "type": kind, "id": id,
        "data": { "family": family },
    });
    event.as_object().unwrap().clone()
}

impl World {
    async fn tell(&self, kind: &str, id: &str, family: &str) -> Result<(), Refused> {
        let event = event(kind, id, family);
        self.engine.publish(&worker(), event, None).await.map(drop)
    }

    /// What began, once everything has come to rest; in the same moment in any order.
    async fn begun(&self) -> Vec<InstanceView> {
        within_reason(self.engine.quiet()).await.unwrap();
        let runs = self
            .engine
            .runs(&worker(), RunFilter::default())
            .await
            .unwrap();
        let mut begun = Vec::new();
        for run in runs.items.into_iter().rev() {
            begun.push(self.engine.instance(&worker(), &run.id).await.unwrap());
        }
        begun
    }

    /// Ids of the events that each began with, sorted.
    async fn begun_with(&self) -> Vec<Vec<String>> {
        let events = |view: InstanceView| {
            assert_eq!(view.status, "completed");
            let events = view.output.unwrap()["events"].as_array().unwrap().clone();
            let id = |event: &Value| event["id"].as_str().unwrap().to_owned();
            events.iter().map(id).collect()
        };
        let mut with: Vec<Vec<String>> = self.begun().await.into_iter().map(events).collect();
        with.sort();
        with
    }

    fn gathered(&self) -> usize {
        let rows = self.store.scan(Table::Gathering, &[], &[0xff; 64], 100);
        rows.unwrap().len()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_event_begins_a_run_in_a_case_of_its_own() {
    let world = world([document("intake", ONE, WHOLE_INPUT)]).await;
    for (kind, id) in [
        ("org.referral", "a"),
        ("org.other", "b"),
        ("org.referral", "c"),
        ("org.referral", "a"),
    ] {
        world.tell(kind, id, "Ng").await.unwrap();
    }
    assert_eq!(world.begun_with().await, [["a"], ["c"]]);
    let begun = world.begun().await;
    assert_ne!(begun[0].case, begun[1].case);
    let event = &begun[0].output.as_ref().unwrap()["events"][0];
    assert_eq!(event["source"], "urn:outside", "with all its attributes");
    let schedule = world.engine.schedules(&worker()).await.unwrap().remove(0);
    assert_eq!(schedule.on.unwrap(), ["org.referral"]);
    let last = begun
        .iter()
        .find(|one| one.output.as_ref().unwrap()["events"][0]["id"] == "c");
    assert_eq!(schedule.last.unwrap().instance, last.unwrap().id);
    assert!(schedule.next.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_begins_a_run_and_reaches_those_that_wait_for_it() {
    let listens = "  - more: { listen: { to: { one: { with: { type: org.referral } } } } }\n";
    let world = world([
        document("intake", ONE, WHOLE_INPUT),
        document("waits", "", listens),
    ])
    .await;
    let waiting = world.start("waits", json!({})).await;
    world.tell("org.referral", "a", "Ng").await.unwrap();
    let begun = world.begun().await;
    assert_eq!(begun.len(), 2);
    assert!(begun.iter().any(|one| one.id == waiting.id));
    assert!(
        begun.iter().all(|one| one.status == "completed"),
        "{begun:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_belongs_together_is_gathered_family_by_family() {
    let mut world = world([document("intake", ALL, WHOLE_INPUT)]).await;
    for (kind, id, family) in [
        ("org.referral", "a", "Ng"),
        ("org.referral", "b", "Lee"),
        ("org.consent", "c", "Okafor"),
        ("org.consent", "d", "Lee"),
    ] {
        world.tell(kind, id, family).await.unwrap();
    }
    assert_eq!(world.begun_with().await, [["b", "d"]]);
    assert_eq!(world.gathered(), 2);
    world = world.crash().await;
    world.tell("org.referral", "e", "Okafor").await.unwrap();
    world.tell("org.consent", "f", "Ng").await.unwrap();
    assert_eq!(
        world.begun_with().await,
        [["a", "f"], ["b", "d"], ["c", "e"]]
    );
    assert_eq!(world.gathered(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_version_goes_on_with_what_was_gathered_and_another_schedule_does_not() {
    let world = world([document("intake", ALL, WHOLE_INPUT)]).await;
    world.tell("org.referral", "a", "Ng").await.unwrap();
    assert!(world.begun().await.is_empty());
    let more = format!("{WHOLE_INPUT}  - done: {{ set: '${{ . }}' }}\n");
    world
        .deploy(files([document("intake", ALL, &more)]))
        .await
        .unwrap();
    world.tell("org.consent", "b", "Ng").await.unwrap();
    assert_eq!(world.begun_with().await, [["a", "b"]]);
    world.tell("org.referral", "c", "Ng").await.unwrap();
    within_reason(world.engine.quiet()).await.unwrap();
    assert_eq!(world.gathered(), 1);
    world
        .deploy(files([document("intake", ONE, WHOLE_INPUT)]))
        .await
        .unwrap();
    assert_eq!(world.gathered(), 0);
    world.tell("org.consent", "d", "Ng").await.unwrap();
    world.tell("org.referral", "e", "Ng").await.unwrap();
    assert_eq!(world.begun_with().await, [vec!["a", "b"], vec!["e"]]);
}

/// Whether the store stopped at this flush while referral and consent came.
async fn survives(flush: u64, at: Moment) -> bool {
    let mut world = world([document("intake", ALL, WHOLE_INPUT)]).await;
    let last = world.faults.flush_count() + flush;
    world.faults.stop_at(flush, at);
    let told = [("org.referral", "a"), ("org.consent", "b")];
    let mut whole = true;
    for (kind, id) in told {
        whole &= world.tell(kind, id, "Ng").await.is_ok();
    }
    let whole = whole
        && within_reason(world.engine.quiet()).await.is_ok()
        && world.faults.flush_count() < last;
    world = world.crash().await;
    // Whoever was not answered sends again; so may one who was.
    for (kind, id) in told {
        world.tell(kind, id, "Ng").await.unwrap();
    }
    let begun = world.begun_with().await;
    assert_eq!(begun, [["a", "b"]], "flush {flush} {at:?}");
    assert_eq!(world.gathered(), 0, "flush {flush} {at:?}");
    !whole
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_at_any_flush_begins_it_once() {
    for at in [Moment::BeforeFlush, Moment::AfterFlush] {
        let mut flush = 1;
        while survives(flush, at).await {
            flush += 1;
            assert!(flush < 30, "the story has an end");
        }
        assert!(flush > 3, "two are taken in, gathered and begin a run");
    }
}

const AFTER: &str = "schedule: { after: PT1H }";
/// Ten minutes of work.
const WORK: &str = "  - work: { wait: PT10M }\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_next_begins_so_long_after_the_one_before_has_ended() {
    let mut world = world([document("again", AFTER, WORK)]).await;
    let start = moment("2026-08-03T01:00:00Z");
    for (minutes, begun) in [
        (59, 0),
        (60, 1),
        (69, 1),
        (70, 1),
        (129, 1),
        (130, 2),
        (140, 2),
        (199, 2),
        (200, 3),
    ] {
        world.clock.set(start + SignedDuration::from_mins(minutes));
        assert_eq!(world.begun().await.len(), begun, "after {minutes} minutes");
        world = world.crash().await;
    }
    // It runs: nobody can say when the next one begins, and no other pack makes it overlap.
    let schedule = world.engine.schedules(&worker()).await.unwrap().remove(0);
    assert_eq!(schedule.after_ms, Some(3_600_000));
    assert!(schedule.next.is_empty());
    let slower = document("again", "schedule: { after: PT2H }", WORK);
    world.deploy(files([slower])).await.unwrap();
    let schedule = world.engine.schedules(&worker()).await.unwrap().remove(0);
    assert!(schedule.next.is_empty());
    world.clock.set(start + SignedDuration::from_mins(210));
    assert_eq!(world.begun().await.len(), 3);
    let schedule = world.engine.schedules(&worker()).await.unwrap().remove(0);
    assert_eq!(schedule.next, [start + SignedDuration::from_mins(330)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_failed_or_was_begun_by_hand_does_not_stop_the_next() {
    let fails = "  - fails: { raise: { error: { type: 'urn:a', status: 500 } } }\n";
    let world = world([document("again", AFTER, fails)]).await;
    let start = moment("2026-08-03T01:00:00Z");
    world.start("again", json!({})).await;
    for (minutes, begun) in [(60, 2), (120, 3)] {
        world.clock.set(start + SignedDuration::from_mins(minutes));
        assert_eq!(world.begun().await.len(), begun, "after {minutes} minutes");
    }
}
