//! A plan comes into force only when the family has agreed to exactly this version of it, as staff
//! wrote it down.

use std::collections::BTreeMap;

use casewright_casework::audit::Action;
use casewright_casework::person::{Contact, Details, Relation};
use casewright_casework::plan::Status;
use casewright_store::settings::Settings;
use casewright_store::{Store, Table};
use serde_json::{Value, json};

use super::meanwhile::of_case;
use super::world::{World, pack, start_of, worker};
use crate::engine::plans::{head, version_key};
use crate::engine::{Limits, PlanView, Start};
use crate::port::EffectKind;
use crate::view::{InstanceView, StartedView};

const HEAD: &str = "dsl: '1.0.3', namespace: family-support, version: '1.0.0'";

const PROPOSE: &str =
    "  - proposed: { call: plan.propose, with: { plan: '${ $workflow.input.plan }' } }
";
const ASK: &str =
    "  - ask: { call: human-task, with: { title: Ask, assign: { role: case-worker } } }
";
const AGREE: &str = "  - agreed:
      call: plan.agree
      with:
        digest: '${ $steps.proposed.digest }'
        people: '${ $workflow.input.people }'
        child: '${ $workflow.input.child }'
";
const ACTIVATE: &str =
    "  - active: { call: plan.activate, with: { digest: '${ $steps.proposed.digest }' } }
";
/// Of a version that was in force before.
const ACTIVATE_OLD: &str =
    "  - active: { call: plan.activate, with: { digest: '${ $workflow.input.digest }' } }
";

async fn world() -> World {
    let world = World::empty(Limits::default(), EffectKind::Keyed, Settings::default()).await;
    let mut files: BTreeMap<String, String> = pack("100000");
    for (name, tasks) in [
        ("whole", vec![PROPOSE, ASK, AGREE, ACTIVATE]),
        ("edit", vec![PROPOSE, ACTIVATE]),
        ("back", vec![PROPOSE, ACTIVATE_OLD]),
        ("silent", vec![PROPOSE, AGREE, ACTIVATE]),
        ("early", vec![ACTIVATE_OLD]),
    ] {
        let text = format!(
            "document: {{ {HEAD}, name: {name} }}\ndo:\n{}",
            tasks.concat()
        );
        files.insert(format!("{name}.yaml"), text);
    }
    world.deploy(files).await.unwrap();
    world
}

fn written(second: &str) -> Value {
    json!({"goals": [{"goal": "School"}, {"goal": second}]})
}

fn all_agree() -> Value {
    json!({
        "plan": written("Money"),
        "people": [
            {"person": "Mai", "agrees": "yes", "copyGiven": true},
            {"person": "Tom", "reason": "Asking him would not be safe"},
        ],
        "child": [{"person": "Kim", "view": "Wants the lift"}],
    })
}

impl World {
    async fn with_family(&self, workflow: &str, input: Value) -> StartedView {
        let started = self.start(workflow, input).await;
        for (name, relation) in [
            ("Mai", Relation::Parent),
            ("Tom", Relation::Parent),
            ("Kim", Relation::Child),
        ] {
            self.joins(&started.case, name, relation).await;
        }
        started
    }

    async fn joins(&self, case: &str, name: &str, relation: Relation) {
        let details = Details {
            name: name.to_owned(),
            born: None,
            relation,
            phone: None,
            email: None,
            address: None,
            contact: Contact::default(),
            staff: None,
        };
        let who = worker();
        let added = self.engine.add_person(&who, case, details, None);
        added.await.unwrap();
    }

    async fn asked(&self, run: &StartedView) -> InstanceView {
        let item = self.item(&run.id, "ask").await;
        self.decide(&worker(), &item.id, "done", json!(null))
            .await
            .unwrap();
        self.over(&run.id).await
    }

    async fn over(&self, id: &str) -> InstanceView {
        let over = |view: &InstanceView| ["completed", "faulted"].contains(&view.status.as_str());
        self.instance(id, over).await
    }

    /// Another run in the same case.
    async fn run_in(&self, case: &str, workflow: &str, input: Value) -> InstanceView {
        let start = Start {
            case: Some(case.to_owned()),
            ..start_of(workflow, input)
        };
        let started = self.engine.start(&worker(), start, None).await.unwrap();
        self.over(&started.id).await
    }

    async fn plan(&self, case: &str) -> PlanView {
        self.engine.plan(&worker(), case).await.unwrap()
    }
}

fn refused(view: &InstanceView) -> String {
    let error = view
        .error
        .as_ref()
        .unwrap_or_else(|| panic!("it went on: {:?}", view.output));
    let kind = error["type"].as_str().unwrap();
    kind.rsplit(':').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_plan_is_agreed_to_and_comes_into_force() {
    let world = world().await;
    let run = world.with_family("whole", all_agree()).await;
    let plan = world.plan(&run.case).await;
    assert_eq!(
        (plan.status, plan.latest.version),
        (Status::NeedsAgreement, 1)
    );
    let over = world.asked(&run).await;
    assert_eq!(
        over.output.as_ref().unwrap()["status"],
        "active",
        "{over:?}"
    );
    let world = world.crash().await;
    let plan = world.plan(&run.case).await;
    assert!(plan.agreed() && plan.status == Status::Active);
    assert_eq!(plan.latest.said.len(), 3);
    assert!(plan.latest.said.iter().all(|said| said.by == "u-casey"));
    let entries = world.engine.timeline(&worker(), &run.case).await.unwrap();
    let about = |action: &str| {
        let mut entries = entries.iter();
        entries
            .find(|entry| entry.action == action)
            .unwrap()
            .clone()
    };
    assert_eq!(about("plan-answered").who.id, "u-casey");
    assert_eq!(about("plan-activated").detail.as_deref(), Some("version 1"));
}

#[tokio::test]
async fn an_edited_goal_needs_the_family_again_whoever_activates() {
    let world = world().await;
    let run = world.with_family("whole", all_agree()).await;
    world.asked(&run).await;
    let digest = world.plan(&run.case).await.latest.digest;
    // The same words once more: agreed and in force as before.
    let same = world
        .run_in(&run.case, "edit", json!({"plan": written("Money")}))
        .await;
    assert_eq!(same.output.unwrap()["version"], 1);
    let edited = json!({"plan": written("A course"), "digest": digest});
    for workflow in ["edit", "back"] {
        let run = world.run_in(&run.case, workflow, edited.clone()).await;
        assert_eq!(refused(&run), "needs-agreement", "{workflow}");
    }
    let plan = world.plan(&run.case).await;
    assert_eq!(
        (plan.status, plan.latest.version),
        (Status::NeedsAgreement, 2)
    );
    assert_eq!(plan.active.as_ref().unwrap().version, 1);
    assert!(!plan.agreed());
    let versions = world
        .engine
        .plan_versions(&worker(), &run.case)
        .await
        .unwrap();
    let said: Vec<_> = versions.iter().map(|one| one.said.len()).collect();
    assert_eq!(said, [3, 0], "each version keeps what was said to it");
}

#[tokio::test]
async fn what_no_person_wrote_down_the_family_has_not_said() {
    let world = world().await;
    let run = world.with_family("whole", all_agree()).await;
    let silent = world.run_in(&run.case, "silent", all_agree()).await;
    assert_eq!(refused(&silent), "needs-agreement");
    assert!(world.plan(&run.case).await.latest.said.is_empty());
    // A task that was done before the version was written is no answer to it.
    let over = world.asked(&run).await;
    assert_eq!(over.status, "completed");
}

#[tokio::test]
async fn whoever_is_not_in_the_case_agrees_to_nothing() {
    let world = world().await;
    let mut input = all_agree();
    input["people"][0]["person"] = json!("Somebody");
    let run = world.with_family("whole", input).await;
    assert_eq!(refused(&world.asked(&run).await), "unknown-person");
    let early = world.start("early", json!({"digest": "sha256:0"})).await;
    assert_eq!(refused(&world.over(&early.id).await), "unknown-plan");
}

#[tokio::test]
async fn a_parent_who_joins_the_case_is_asked_too() {
    let world = world().await;
    let run = world.with_family("whole", all_agree()).await;
    world.asked(&run).await;
    world.joins(&run.case, "Ana", Relation::Carer).await;
    let plan = world.plan(&run.case).await;
    assert_eq!(plan.status, Status::NeedsAgreement);
    assert_eq!(plan.active.unwrap().version, 1);
    let again = world
        .run_in(&run.case, "edit", json!({"plan": written("Money")}))
        .await;
    assert_eq!(refused(&again), "needs-agreement");
}

#[tokio::test]
async fn a_plan_or_a_person_that_changes_meanwhile_has_it_decided_anew() {
    for index in 0..3 {
        let world = world().await;
        let run = world.with_family("whole", all_agree()).await;
        let case = run.case.clone();
        let people = world.store.scan(Table::Person, &[], &[0xff; 64], 1);
        let rows = [
            (Table::Person, people.unwrap().remove(0).0),
            (Table::Index, head(&case)),
            (Table::Plan, version_key(&case, 1)),
        ];
        let (table, key) = rows[index].clone();
        world.touch(Action::PlanActivated, of_case(&case, table, key));
        let over = world.asked(&run).await;
        assert!(!world.overlooked(), "{table:?}");
        assert_eq!(over.output.unwrap()["status"], "active", "{table:?}");
        let answered = world.engine.timeline(&worker(), &run.case).await.unwrap();
        let answered = answered.iter().filter(|one| one.action == "plan-answered");
        assert_eq!(
            answered.count(),
            1,
            "{table:?}: decided anew, and said once"
        );
    }
}
