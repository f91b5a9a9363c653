//! A piece of work in every state it can be in. The engine is killed after every step that was
//! acknowledged, and the item is the same; killed before the step reached the disk, the step never
//! happened, and the same request brings it about.

use casewright_casework::Principal;
use casewright_casework::work_item::Assigned;
use casewright_store::Moment;
use serde_json::{Value, json};

use super::handovers::{absence, coordinator, deputy, give, hand_over, reassign, staffed};
use super::world::{World, complete, leader, manager, moment, request, worker};
use crate::engine::{HandOver, Refused, Wait};
use crate::view::WorkItemView;

/// What somebody does, and the state that it leads to.
type Step = (&'static str, &'static str);

/// Offered, taken, on hold, handed over, given back, given and given to others, finished.
const VISIT: &[Step] = &[
    ("casey claims", "claimed"),
    ("casey holds", "held"),
    ("casey hands over", "held"),
    ("dee resumes", "claimed"),
    ("dee releases", "claimed"),
    ("casey releases", "offered"),
    ("ria gives", "claimed"),
    ("ria reassigns", "offered"),
    ("dee claims", "claimed"),
    ("dee completes", "completed"),
];

const SKIP: &[Step] = &[("casey claims", "claimed"), ("lee skips", "completed")];

/// Half approved by somebody who stands in, then by a colleague.
const TWO_APPROVALS: &[Step] = &[
    ("lee claims", "claimed"),
    ("dee stands in", "claimed"),
    ("dee approves", "offered"),
    ("sam claims", "claimed"),
    ("sam approves", "completed"),
];

const ALL: [(&str, &str, &[Step]); 3] = [
    ("hand", "visit", VISIT),
    ("hand", "visit", SKIP),
    ("two", "decision", TWO_APPROVALS),
];

/// The same request each time that it is made.
async fn ask(world: &World, name: &str, item: &str) -> Result<WorkItemView, Refused> {
    let (engine, key) = (&world.engine, || Some(request(name)));
    match name {
        "casey claims" => engine.claim(&worker(), item, key()).await,
        "lee claims" => engine.claim(&leader(), item, key()).await,
        "dee claims" => engine.claim(&deputy(), item, key()).await,
        "sam claims" => engine.claim(&manager(), item, key()).await,
        "casey holds" => engine.hold(&worker(), item, wait(), key()).await,
        "casey hands over" => {
            engine
                .hand_over(&worker(), item, until_wednesday(), key())
                .await
        }
        "dee resumes" => engine.resume(&deputy(), item, key()).await,
        "dee releases" => engine.release(&deputy(), item, key()).await,
        "casey releases" => engine.release(&worker(), item, key()).await,
        "ria gives" => {
            engine
                .give(&coordinator(), item, give("u-casey"), key())
                .await
        }
        "ria reassigns" => {
            let to = Assigned::Person("u-dee".to_owned());
            engine
                .reassign(&coordinator(), item, reassign(to), key())
                .await
        }
        "lee skips" => engine.skip(&leader(), item, "they moved away", key()).await,
        "dee stands in" => {
            let away = Some(request("lee is away"));
            engine.record_absence(&leader(), absence(), away).await?;
            engine.claim(&deputy(), item, key()).await
        }
        "dee completes" => {
            let visited = complete("visited", json!({}));
            engine.complete(&deputy(), item, visited, key()).await
        }
        "dee approves" => {
            let approved = complete("approve", json!({}));
            engine.complete(&deputy(), item, approved, key()).await
        }
        "sam approves" => {
            let approved = complete("approve", json!({}));
            engine.complete(&manager(), item, approved, key()).await
        }
        other => panic!("nobody knows what `{other}` is"),
    }
}

fn until_wednesday() -> HandOver {
    hand_over("u-dee", "2026-08-05T00:00:00Z")
}

fn wait() -> Wait {
    Wait {
        until: Some(moment("2026-08-04T00:00:00Z")),
        reason: "the family is away".to_owned(),
    }
}

/// Everything that everybody is told of it.
async fn told(world: &World, item: &str) -> Vec<Value> {
    let mut told = Vec::new();
    let people: [Principal; 4] = [worker(), leader(), deputy(), coordinator()];
    for who in people {
        let view = world.engine.work_item(&who, item).await.unwrap();
        told.push(serde_json::to_value(view).unwrap());
    }
    told
}

async fn begun(workflow: &str, task: &str) -> (World, String, String) {
    let world = staffed().await;
    let started = world.start(workflow, json!({})).await;
    let item = world.item(&started.id, task).await.id;
    (world, item, started.case)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_item_is_the_same_after_a_crash_in_every_state() {
    for (workflow, task, steps) in ALL {
        let (mut world, item, case) = begun(workflow, task).await;
        for (step, state) in steps {
            let view = ask(&world, step, &item).await;
            let view = view.unwrap_or_else(|error| panic!("{step}: {error:?}"));
            assert_eq!(view.state, *state, "{step}");
            let before = told(&world, &item).await;
            world = world.crash().await;
            assert_eq!(told(&world, &item).await, before, "{step}");
            // Acknowledged once, it is never done again.
            let again = ask(&world, step, &item).await.unwrap();
            assert_eq!(again.state, view.state, "{step}");
            assert_eq!(told(&world, &item).await, before, "{step} again");
        }
        let chain = world.engine.audit(&worker(), &case).await.unwrap();
        assert_eq!(casewright_casework::audit::verify(&case, &chain), Ok(()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_did_not_reach_the_disk_never_happened() {
    for (workflow, task, steps) in ALL {
        for (index, (step, state)) in steps.iter().enumerate() {
            let (world, item, _) = begun(workflow, task).await;
            for (earlier, _) in &steps[..index] {
                ask(&world, earlier, &item).await.unwrap();
            }
            let before = told(&world, &item).await;
            world.faults.stop_at(1, Moment::BeforeFlush);
            let lost = ask(&world, step, &item).await;
            assert_eq!(lost.unwrap_err(), Refused::Stopping, "{step}");
            let world = world.crash().await;
            assert_eq!(told(&world, &item).await, before, "{step}");
            let done = ask(&world, step, &item).await.unwrap();
            assert_eq!(done.state, *state, "{step}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_withdrawn_stays_withdrawn() {
    let (world, item, case) = begun("hand", "visit").await;
    world.engine.claim(&worker(), &item, None).await.unwrap();
    let over = until_wednesday();
    let handed = world.engine.hand_over(&worker(), &item, over, None).await;
    let run = handed.unwrap().instance;
    let (who, why) = (worker(), Some("closed".to_owned()));
    world.engine.cancel(&who, &run, why, None).await.unwrap();
    let before = told(&world, &item).await;
    assert_eq!(before[0]["state"], "withdrawn");
    let world = world.crash().await;
    assert_eq!(told(&world, &item).await, before);
    // Its timer is gone with it: nothing comes back to anybody.
    world.clock.set(moment("2026-08-06T00:00:00Z"));
    let chain = world.engine.audit(&worker(), &case).await.unwrap();
    assert_eq!(casewright_casework::audit::verify(&case, &chain), Ok(()));
    assert_eq!(told(&world, &item).await[0]["state"], "withdrawn");
}
