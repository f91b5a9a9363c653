//! `run: workflow` through the engine: hand-over, exclusions, cancellation, and a crash at every
//! flush on the way.

use std::collections::BTreeMap;

use casewright_casework::Principal;
use casewright_casework::audit::Action;
use casewright_store::{Moment, Put, Table};
use serde_json::{Value, json};

use super::meanwhile::of_case;
use super::world::{World, complete, leader, pack, request, start_of, within_reason, worker};
use crate::engine::{Limits, Refused};
use crate::port::EffectKind;
use crate::view::{InstanceView, WorkItemFilter};
use crate::{key, record};

const HEAD: &str = "dsl: '1.0.3', namespace: family-support, version: '1.0.0'";

/// The pack with a request that another workflow decides, and one that runs itself.
fn files() -> BTreeMap<String, String> {
    let mut files = pack("100000");
    let documents = [
        (
            "asking",
            "do:
  - request:
      call: human-task
      with: { title: Ask, assign: { role: case-worker } }
  - decide:
      run:
        workflow:
          namespace: family-support
          name: deciding
          version: '1.0.0'
          input: { plan: p1 }
  - last:
      set: { decided: '${ $steps.decide.outcome }' }
",
        ),
        (
            "deciding",
            "input: { schema: { document: { type: object, required: [ plan ] } } }
do:
  - decision:
      call: approval
      with: { title: Decide, assign: { role: team-leader } }
",
        ),
        (
            "apart",
            "do:
  - decide:
      run:
        await: false
        workflow:
          namespace: family-support
          name: deciding
          version: latest
          input: { plan: p1 }
",
        ),
        (
            "wrong",
            "do:
  - decide:
      run:
        workflow:
          namespace: family-support
          name: deciding
          version: latest
          input: '${ .given }'
",
        ),
        (
            "again",
            "do:
  - again:
      run: { workflow: { namespace: family-support, name: again, version: latest } }
",
        ),
        (
            "beside",
            "do:
  - both:
      fork:
        branches:
          - buy:
              run:
                workflow:
                  namespace: family-support
                  name: pay
                  version: latest
                  input: { money: { minor: 1, currency: AUD } }
          - two:
              do:
                - take:
                    call: fund.reserve
                    with: { fund: brokerage, money: { minor: 1, currency: AUD } }
                - refuse:
                    raise: { error: { type: 'https://agency.example/errors/no', status: 422 } }
",
        ),
        (
            "both-ways",
            "do:
  - both:
      fork:
        branches:
          - decide:
              run:
                workflow:
                  namespace: family-support
                  name: deciding
                  version: latest
                  input: { plan: p1 }
          - decision:
              call: approval
              with: { title: Decide, assign: { role: team-leader } }
          - collect:
              run: { workflow: { namespace: family-support, name: collecting, version: latest } }
",
        ),
        (
            "deep",
            "do:
  - all:
      fork:
        branches:
          - decide:
              run:
                workflow:
                  namespace: family-support
                  name: deciding
                  version: latest
                  input: { plan: p1 }
          - own:
              call: human-task
              with: { title: Look, assign: { role: team-leader } }
          - deeper:
              run: { workflow: { namespace: family-support, name: nesting, version: latest } }
",
        ),
        (
            "nesting",
            "do:
  - inner:
      run: { workflow: { namespace: family-support, name: collecting, version: latest } }
",
        ),
        (
            "collecting",
            "do:
  - quote:
      call: human-task
      with: { title: Collect, assign: { role: team-leader } }
",
        ),
    ];
    for (name, tasks) in documents {
        let text = format!("document: {{ {HEAD}, name: {name} }}\n{tasks}");
        files.insert(format!("{name}.yaml"), text);
    }
    files
}

async fn world() -> World {
    let world = World::within(Limits::default(), EffectKind::Keyed).await;
    world.deploy(files()).await.unwrap();
    world
}

fn waits_for_workflow(view: &InstanceView) -> bool {
    view.waiting.iter().any(|one| one.kind == "workflow")
}

/// The instance that this task waits for.
fn run_by(view: &InstanceView, task: &str) -> String {
    let found = view.waiting.iter().find(|one| one.task == task);
    found.and_then(|one| one.instance.clone()).unwrap()
}

impl World {
    /// Whoever worked in the tree does not take a decision in it.
    async fn barred(&self, who: &Principal, item: &str) {
        let Err(Refused::Rule(refusal)) = self.engine.claim(who, item, None).await else {
            panic!("{} may not decide", who.id);
        };
        assert_eq!(refusal.code.as_str(), "self-approval");
    }
}

/// The instance that the first of these waits for.
async fn child(world: &World, id: &str) -> String {
    let view = world.instance(id, waits_for_workflow).await;
    view.waiting[0].instance.clone().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_decides_what_they_asked_for_in_another_workflow() {
    let world = world().await;
    let started = world.start("asking", json!({})).await;
    let item = world.item(&started.id, "request").await;
    let asker = super::world::staff("u-robin", &["case-worker", "team-leader"]);
    world
        .decide(&asker, &item.id, "done", Value::Null)
        .await
        .unwrap();
    let child = child(&world, &started.id).await;
    let item = world.item(&child, "decision").await;
    for barred in [asker, super::world::staff("u-casey", &["team-leader"])] {
        world.barred(&barred, &item.id).await;
    }
    world
        .decide(&leader(), &item.id, "approve", Value::Null)
        .await
        .unwrap();
    let view = world
        .instance(&started.id, |view| view.status == "completed")
        .await;
    assert_eq!(view.output, Some(json!({"decided": "approve"})));
    let case = world.engine.case(&worker(), &started.case).await.unwrap();
    let parents: Vec<_> = case
        .instances
        .iter()
        .map(|one| one.parent.clone())
        .collect();
    assert_eq!(parents.len(), 2);
    assert!(parents.contains(&Some(started.id.clone())) && parents.contains(&None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancelled_instance_takes_what_it_runs_with_it() {
    let world = world().await;
    let started = world.start("asking", json!({})).await;
    let item = world.item(&started.id, "request").await;
    world
        .decide(&worker(), &item.id, "done", Value::Null)
        .await
        .unwrap();
    let child = child(&world, &started.id).await;
    world.item(&child, "decision").await;
    let engine = &world.engine;
    engine
        .cancel(&worker(), &started.id, None, None)
        .await
        .unwrap();
    world
        .instance(&child, |view| view.status == "cancelled")
        .await;
    let withdrawn = WorkItemFilter {
        state: Some("withdrawn".to_owned()),
        instance: Some(child),
        ..WorkItemFilter::default()
    };
    let page = engine.work_items(&worker(), withdrawn).await.unwrap();
    assert_eq!(page.items.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_awaited_goes_on_by_itself() {
    let world = world().await;
    let started = world.start("apart", json!({"a": 1})).await;
    let view = world
        .instance(&started.id, |view| view.status == "completed")
        .await;
    assert_eq!(view.output, Some(json!({"a": 1})));
    let case = world.engine.case(&worker(), &started.case).await.unwrap();
    let other = case.instances.iter().find(|one| one.id != started.id);
    let other = other.unwrap().id.clone();
    let item = world.item(&other, "decision").await;
    world
        .decide(&leader(), &item.id, "decline", Value::Null)
        .await
        .unwrap();
    world
        .instance(&other, |view| view.status == "completed")
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_input_that_does_not_fit_is_a_fault_of_the_task() {
    let world = world().await;
    let started = world.start("wrong", json!({"given": {"other": 1}})).await;
    let view = world
        .instance(&started.id, |view| view.status == "faulted")
        .await;
    let error = view.error.unwrap();
    assert_eq!(error["status"], 400);
    assert_eq!(error["instance"], "/do/0/decide");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_workflow_that_runs_itself_comes_to_an_end() {
    let world = world().await;
    let started = world.start("again", json!({})).await;
    let view = world
        .instance(&started.id, |view| view.status == "faulted")
        .await;
    assert_eq!(view.error.unwrap()["type"], "urn:casewright:error:too-deep");
    let case = world.engine.case(&worker(), &started.case).await.unwrap();
    let depth = usize::try_from(casewright_machine::DEPTH_MAX).unwrap();
    assert_eq!(case.instances.len(), depth + 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_branch_that_fails_keeps_another_from_starting_a_workflow_at_all() {
    let world = world().await;
    let started = world.start("beside", json!({})).await;
    assert_eq!(started.status, "faulted");
    let case = world.engine.case(&worker(), &started.case).await.unwrap();
    assert_eq!(case.instances.len(), 1);
    world.engine.stop().await;
    assert_eq!(world.partner.requests(), 0);
    let world = world.crash().await;
    let case = world.engine.case(&worker(), &started.case).await.unwrap();
    assert_eq!(case.instances.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_works_in_a_workflow_of_one_branch_does_not_decide_in_another() {
    let world = world().await;
    let started = world.start("both-ways", json!({})).await;
    let view = world
        .instance(&started.id, |view| view.waiting.len() == 3)
        .await;
    let collecting = view.waiting.iter().find(|one| one.task == "collect");
    let collecting = collecting.and_then(|one| one.instance.clone()).unwrap();
    let quote = world.item(&collecting, "quote").await;
    let decision = world.item(&started.id, "decision").await;
    world
        .engine
        .claim(&leader(), &decision.id, None)
        .await
        .unwrap();
    world
        .decide(&leader(), &quote.id, "done", Value::Null)
        .await
        .unwrap();
    world
        .instance(&started.id, |view| view.waiting.len() == 2)
        .await;
    let approve = complete("approve", Value::Null);
    let refused = world
        .engine
        .complete(&leader(), &decision.id, approve, None)
        .await;
    let Err(Refused::Rule(refusal)) = refused else {
        panic!("whoever collected may not decide");
    };
    assert_eq!(refusal.code.as_str(), "self-approval");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_works_in_one_workflow_does_not_decide_in_one_that_runs_beside_it() {
    let world = world().await;
    let started = world.start("both-ways", json!({})).await;
    let view = world
        .instance(&started.id, |view| view.waiting.len() == 3)
        .await;
    let child = |task: &str| run_by(&view, task);
    let quote = world.item(&child("collect"), "quote").await;
    let decision = world.item(&child("decide"), "decision").await;
    // Taking the decision before is of no help.
    world
        .engine
        .claim(&leader(), &decision.id, None)
        .await
        .unwrap();
    world
        .decide(&leader(), &quote.id, "done", Value::Null)
        .await
        .unwrap();
    let approve = complete("approve", Value::Null);
    let refused = world
        .engine
        .complete(&leader(), &decision.id, approve, None)
        .await;
    let Err(Refused::Rule(refusal)) = refused else {
        panic!("whoever collected may not decide");
    };
    assert_eq!(refusal.code.as_str(), "self-approval");
    let world = world.crash().await;
    let claimed = world.engine.claim(&leader(), &decision.id, None).await;
    let Err(Refused::Rule(refusal)) = claimed else {
        panic!("nor after a crash");
    };
    assert_eq!(refusal.code.as_str(), "self-approval");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_works_at_the_top_or_at_the_bottom_of_a_tree_decides_nowhere_in_it() {
    let world = world().await;
    let started = world.start("deep", json!({})).await;
    let view = world
        .instance(&started.id, |view| view.waiting.len() == 3)
        .await;
    let below = |task: &str| run_by(&view, task);
    let bottom = child(&world, &below("deeper")).await;
    let own = world.item(&started.id, "own").await;
    let quote = world.item(&bottom, "quote").await;
    let decision = world.item(&below("decide"), "decision").await;
    let leaders = ["u-robin", "u-kim"].map(|id| super::world::staff(id, &["team-leader"]));
    for (who, item) in leaders.iter().zip([&own, &quote]) {
        world
            .decide(who, &item.id, "done", Value::Null)
            .await
            .unwrap();
        world.barred(who, &decision.id).await;
    }
    world
        .decide(&leader(), &decision.id, "approve", Value::Null)
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_works_in_a_tree_at_the_same_time_as_another_is_remembered_beside_them() {
    let world = world().await;
    let started = world.start("both-ways", json!({})).await;
    let view = world
        .instance(&started.id, |view| view.waiting.len() == 3)
        .await;
    let child = |task: &str| run_by(&view, task);
    let quote = world.item(&child("collect"), "quote").await;
    let decision = world.item(&child("decide"), "decision").await;
    let (robin, kim) = ("u-robin", super::world::staff("u-kim", &["team-leader"]));
    let others = BTreeMap::from([(robin.to_owned(), "elsewhere".to_owned())]);
    let row = of_case(
        &started.case,
        Table::Index,
        key::join(&["tree-workers", &started.id]),
    );
    let written = Put {
        value: Some(record::encode(&others)),
        ..row
    };
    world.touch(Action::WorkItemCompleted, written);
    world
        .decide(&kim, &quote.id, "done", Value::Null)
        .await
        .unwrap();
    assert!(!world.overlooked());
    for who in [&super::world::staff(robin, &["team-leader"]), &kim] {
        world.barred(who, &decision.id).await;
    }
}

/// Every request has a key, so that a client may repeat it after a crash.
async fn story(world: &World, stop: Option<u64>) -> Result<InstanceView, Refused> {
    // A store that stopped while nobody had a request under way tells nobody.
    let stopped = || match stop {
        Some(flush) if world.faults.flush_count() >= flush => Err(Refused::Stopping),
        Some(_) | None => Ok(()),
    };
    let engine = &world.engine;
    let start = start_of("asking", json!({}));
    let started = engine
        .start(&worker(), start, Some(request("start")))
        .await?;
    let item = format!("{}-1", started.id);
    settle(world, &worker(), &item, "done").await?;
    let child = loop {
        let mut changes = engine.changes();
        changes.borrow_and_update();
        let view = engine.instance(&worker(), &started.id).await?;
        if ["completed", "faulted"].contains(&view.status.as_str()) {
            return Ok(view);
        }
        if let Some(child) = view.waiting.first().and_then(|one| one.instance.clone())
            && engine.instance(&worker(), &child).await?.status != "pending"
        {
            break child;
        }
        stopped()?;
        changes.changed().await.map_err(|_| Refused::Stopping)?;
    };
    settle(world, &leader(), &format!("{child}-1"), "approve").await?;
    let mut changes = engine.changes();
    loop {
        changes.borrow_and_update();
        let view = engine.instance(&worker(), &started.id).await?;
        if view.status == "completed" {
            return Ok(view);
        }
        stopped()?;
        changes.changed().await.map_err(|_| Refused::Stopping)?;
    }
}

async fn settle(world: &World, who: &Principal, item: &str, outcome: &str) -> Result<(), Refused> {
    let key = |step: &str| Some(request(&format!("{step} {item}")));
    world.engine.claim(who, item, key("claim")).await?;
    let complete = complete(outcome, Value::Null);
    let done = world.engine.complete(who, item, complete, key("complete"));
    done.await.map(drop)
}

async fn survives(flush: u64, moment: Moment) -> bool {
    let mut world = world().await;
    let mut stop = Some(world.faults.flush_count() + flush);
    world.faults.stop_at(flush, moment);
    let mut crashed = false;
    let view = loop {
        match within_reason(story(&world, stop)).await {
            Ok(view) => break view,
            Err(Refused::Stopping) => {
                (crashed, stop) = (true, None);
                world = world.crash().await;
            }
            Err(refused) => panic!("flush {flush} {moment:?}: {refused:?}"),
        }
    };
    let place = format!("flush {flush} {moment:?}");
    let world = world.crash().await;
    assert_eq!(view.output, Some(json!({"decided": "approve"})), "{place}");
    let case = world.engine.case(&worker(), &view.case).await.unwrap();
    assert_eq!(case.instances.len(), 2, "{place}: one of each");
    assert!(
        case.instances.iter().all(|one| one.status == "completed"),
        "{place}"
    );
    crashed
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_at_any_flush_runs_it_once() {
    for moment in [Moment::BeforeFlush, Moment::AfterFlush] {
        let mut flush = 1;
        while survives(flush, moment).await {
            flush += 1;
            assert!(flush < 100, "the story has an end");
        }
        assert!(flush > 7, "crashed at {flush} flushes only");
    }
}
