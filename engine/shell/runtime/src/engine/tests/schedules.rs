//! Workflows that begin by themselves, over changes of the clock, crashes and times when nobody was
//! there.

use std::collections::{BTreeMap, BTreeSet};

use casewright_store::Moment;
use casewright_store::settings::Settings;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::world::{World, moment, start_of, within_reason, worker};
use crate::engine::{Limits, Refused};
use crate::port::EffectKind;

const PACK: &str = "
namespace: family-support
title: Agency with a clock
timeZone: Australia/Sydney
caseNumber: CL-{year}-{number:5}
roles:
  case-worker: { title: Case worker, starts: true }
";

const NIGHTLY: &str = "schedule: { cron: '30 2 * * *' }";
const MORNING: &str = "schedule: { cron: '0 9 * * mon-fri' }";
const HOURLY: &str = "schedule: { every: PT1H }";

fn document(name: &str, metadata: &str, schedule: &str, tasks: &str) -> (String, String) {
    let head = format!(
        "document: {{ dsl: '1.0.3', namespace: family-support, name: {name}, version: '1.0.0'\
         {metadata} }}\n"
    );
    let text = format!("{head}{schedule}\ndo:\n{tasks}");
    (format!("{name}.yaml"), text)
}

const DONE: &str = "  - done: { set: { done: true } }\n";

fn files(documents: impl IntoIterator<Item = (String, String)>) -> BTreeMap<String, String> {
    let mut files: BTreeMap<String, String> = documents.into_iter().collect();
    files.insert("pack.yaml".to_owned(), PACK.to_owned());
    files
}

async fn world_at(start: &str, documents: impl IntoIterator<Item = (String, String)>) -> World {
    let world = World::empty(Limits::default(), EffectKind::Keyed, Settings::default()).await;
    world.clock.set(moment(start));
    world.deploy(files(documents)).await.unwrap();
    world
}

/// What began, by workflow: the time that was meant and the instance.
type Begun = BTreeMap<String, BTreeMap<Timestamp, String>>;

impl World {
    /// Everything due has happened; what began last is noted. Never before its time.
    async fn note(&self, begun: &mut Begun) {
        within_reason(self.engine.quiet()).await.unwrap();
        let now = *self.clock.0.borrow();
        for schedule in self.engine.schedules(&worker()).await.unwrap() {
            let Some(last) = schedule.last else { continue };
            assert!(last.due <= now, "{} began early", schedule.workflow);
            let of = begun.entry(schedule.workflow.clone()).or_default();
            let known = of.insert(last.due, last.instance.clone());
            assert!(
                known.is_none_or(|known| known == last.instance),
                "{} began twice at {}",
                schedule.workflow,
                last.due
            );
        }
    }

    async fn case_count(&self) -> usize {
        let (mut count, mut cursor) = (0, None);
        loop {
            let page = self.engine.cases(&worker(), cursor).await.unwrap();
            count += page.items.len();
            cursor = page.next;
            if cursor.is_none() {
                return count;
            }
        }
    }
}

fn shown(times: &BTreeMap<Timestamp, String>) -> Vec<String> {
    let zone = TimeZone::get("Australia/Sydney").unwrap();
    let shown = |at: &Timestamp| {
        at.to_zoned(zone.clone())
            .strftime("%a %d %R %Z")
            .to_string()
    };
    times.keys().map(shown).collect()
}

/// Four days in steps of a quarter of an hour; the engine is killed at every eleventh. An instance
/// of another workflow waits for the same 85 hours meanwhile.
async fn over_a_change(start: &str, nightly: &[&str], morning: &[&str]) {
    let mut world = world_at(
        start,
        [
            document("nightly", "", NIGHTLY, DONE),
            document("morning", "", MORNING, DONE),
            document("hourly", "", HOURLY, DONE),
            document("rest", "", "", "  - rest: { wait: PT85H }\n"),
        ],
    )
    .await;
    let resting = world.start("rest", json!({})).await;
    let mut begun = Begun::new();
    let start = moment(start);
    for step in 1..=4 * 24 * 4 {
        let passed = SignedDuration::from_mins(15 * step);
        world.clock.set(start + passed);
        if step % 11 == 0 {
            world = world.crash().await;
        }
        world.note(&mut begun).await;
        let view = world.engine.instance(&worker(), &resting.id).await.unwrap();
        let over = passed >= SignedDuration::from_hours(85);
        assert_eq!(view.status == "completed", over, "after {passed}");
    }
    assert_eq!(shown(&begun["nightly"]), nightly);
    assert_eq!(shown(&begun["morning"]), morning);
    let hourly: Vec<Timestamp> = begun["hourly"].keys().copied().collect();
    let expected: Vec<Timestamp> = (1..=96)
        .map(|hour| start + SignedDuration::from_hours(hour))
        .collect();
    assert_eq!(hourly, expected);
    let instances: BTreeSet<&String> = begun.values().flat_map(BTreeMap::values).collect();
    assert_eq!(instances.len(), 96 + nightly.len() + morning.len());
    assert_eq!(world.case_count().await, instances.len() + 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_early_lost_or_doubled_where_the_clock_is_set_forward() {
    // 02:00 to 03:00 on Sunday the 4th: half past two comes when the clock jumps.
    over_a_change(
        "2026-10-02T12:00:00Z",
        &[
            "Sat 03 02:30 AEST",
            "Sun 04 03:00 AEDT",
            "Mon 05 02:30 AEDT",
            "Tue 06 02:30 AEDT",
        ],
        &["Mon 05 09:00 AEDT", "Tue 06 09:00 AEDT"],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_early_lost_or_doubled_where_the_clock_is_set_back() {
    // 03:00 to 02:00 on Sunday the 4th: half past two is shown twice.
    over_a_change(
        "2027-04-02T12:00:00Z",
        &[
            "Sat 03 02:30 AEDT",
            "Sun 04 02:30 AEDT",
            "Mon 05 02:30 AEST",
            "Tue 06 02:30 AEST",
        ],
        &["Mon 05 09:00 AEST", "Tue 06 09:00 AEST"],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_missed_begins_once_or_not_at_all_and_the_next_is_on_time() {
    let mut world = world_at(
        "2026-08-03T01:00:00Z",
        [
            document("once", "", NIGHTLY, DONE),
            document("skip", ", metadata: { missed: skip }", NIGHTLY, DONE),
        ],
    )
    .await;
    let mut begun = Begun::new();
    world.note(&mut begun).await;
    assert!(begun.is_empty());
    // Nobody is there for three nights.
    world.engine.stop().await;
    world.clock.set(moment("2026-08-05T20:00:00Z"));
    world = world.crash().await;
    world.note(&mut begun).await;
    assert_eq!(shown(&begun["once"]), ["Tue 04 02:30 AEST"]);
    assert!(!begun.contains_key("skip"));
    world.clock.set(moment("2026-08-06T16:29:59Z"));
    world.note(&mut begun).await;
    assert_eq!(begun["once"].len(), 1);
    world.clock.set(moment("2026-08-06T16:30:00Z"));
    world.note(&mut begun).await;
    assert_eq!(
        shown(&begun["once"]),
        ["Tue 04 02:30 AEST", "Fri 07 02:30 AEST"]
    );
    assert_eq!(shown(&begun["skip"]), ["Fri 07 02:30 AEST"]);
    assert_eq!(world.case_count().await, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_is_set_back_repeats_nothing() {
    let world = world_at(
        "2026-08-03T01:00:00Z",
        [document("hourly", "", HOURLY, DONE)],
    )
    .await;
    let mut begun = Begun::new();
    world.clock.set(moment("2026-08-03T02:00:00Z"));
    world.note(&mut begun).await;
    world.clock.set(moment("2026-08-02T23:00:00Z"));
    within_reason(world.engine.quiet()).await.unwrap();
    world.clock.set(moment("2026-08-03T02:30:00Z"));
    world.note(&mut begun).await;
    assert_eq!(begun["hourly"].len(), 1);
    assert_eq!(world.case_count().await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_pack_changes_what_begins_and_the_same_one_keeps_its_times() {
    let world = world_at(
        "2026-08-03T01:10:00Z",
        [document("hourly", "", HOURLY, DONE)],
    )
    .await;
    let next = async |world: &World| {
        let found = world.engine.schedules(&worker()).await.unwrap();
        found.first().map(|one| one.next[0])
    };
    let first = moment("2026-08-03T02:10:00Z");
    assert_eq!(next(&world).await, Some(first));
    world.clock.set(moment("2026-08-03T01:40:00Z"));
    // Something else changed.
    let other = document("other", "", "", DONE);
    let same = [document("hourly", "", HOURLY, DONE), other.clone()];
    world.deploy(files(same)).await.unwrap();
    assert_eq!(next(&world).await, Some(first));
    let slower = document("hourly", "", "schedule: { every: PT2H }", DONE);
    world.deploy(files([slower])).await.unwrap();
    assert_eq!(next(&world).await, Some(moment("2026-08-03T03:40:00Z")));
    world.deploy(files([other])).await.unwrap();
    assert_eq!(next(&world).await, None);
    assert_eq!(world.engine.next_timer().unwrap(), None);
    let world = world.crash().await;
    world.clock.set(moment("2026-08-04T00:00:00Z"));
    within_reason(world.engine.quiet()).await.unwrap();
    assert_eq!(world.case_count().await, 0);
}

/// Whether the store stopped at this flush after the time had come.
async fn survives(flush: u64, at: Moment) -> bool {
    let mut world = world_at(
        "2026-08-03T01:00:00Z",
        [document("hourly", "", HOURLY, DONE)],
    )
    .await;
    let last = world.faults.flush_count() + flush;
    world.faults.stop_at(flush, at);
    world.clock.set(moment("2026-08-03T02:00:00Z"));
    let quiet = match within_reason(world.engine.quiet()).await {
        Err(Refused::Stopping) => false,
        Err(refused) => panic!("{refused:?}"),
        Ok(()) => world.faults.flush_count() < last,
    };
    world = world.crash().await;
    let mut begun = Begun::new();
    world.note(&mut begun).await;
    assert_eq!(begun["hourly"].len(), 1, "flush {flush} {at:?}");
    world.clock.set(moment("2026-08-03T03:00:00Z"));
    world.note(&mut begun).await;
    assert_eq!(begun["hourly"].len(), 2, "flush {flush} {at:?}");
    assert_eq!(world.case_count().await, 2, "flush {flush} {at:?}");
    for instance in begun["hourly"].values() {
        let view = world.engine.instance(&worker(), instance).await.unwrap();
        assert_eq!(view.status, "completed", "flush {flush} {at:?}");
    }
    !quiet
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_at_any_flush_begins_it_once() {
    for at in [Moment::BeforeFlush, Moment::AfterFlush] {
        let mut flush = 1;
        while survives(flush, at).await {
            flush += 1;
            assert!(flush < 30, "the story has an end");
        }
        assert!(flush > 1, "a beginning is one flush");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_may_begin_it_as_well() {
    let world = world_at(
        "2026-08-03T01:00:00Z",
        [document("morning", "", MORNING, DONE)],
    )
    .await;
    let start = start_of("morning", json!({}));
    let started = world.engine.start(&worker(), start, None).await.unwrap();
    assert_eq!(started.status, "completed");
    let schedules = world.engine.schedules(&worker()).await.unwrap();
    assert!(schedules[0].last.is_none());
    assert_eq!(schedules[0].zone, "Australia/Sydney");
    assert_eq!(schedules[0].next.len(), 5);
}
