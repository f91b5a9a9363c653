//! The plan of a family by the API alone: proposed, agreed to word for word, in force; and what an
//! edited goal and somebody who joins the family do to it.

use serde_json::{Value, json};

use crate::agency::{Agency, Client, put_in_force};

const HEAD: &str = "dsl: '1.0.3', namespace: little, version: '1.0.0'";

const WHOLE: &str =
    "  - proposed: { call: plan.propose, with: { plan: '${ $workflow.input.plan }' } }
  - ask: { call: human-task, with: { title: Ask the family, assign: { role: case-worker } } }
  - agreed:
      call: plan.agree
      with:
        digest: '${ $steps.proposed.digest }'
        people: '${ $workflow.input.people }'
        child: '${ $workflow.input.child }'
  - active: { call: plan.activate, with: { digest: '${ $steps.proposed.digest }' } }
";
const EDIT: &str =
    "  - proposed: { call: plan.propose, with: { plan: '${ $workflow.input.plan }' } }
  - active: { call: plan.activate, with: { digest: '${ $steps.proposed.digest }' } }
";

async fn open() -> Agency {
    let agency = Agency::open().await;
    let document =
        |name: &str, tasks: &str| format!("document: {{ {HEAD}, name: {name} }}\ndo:\n{tasks}");
    let (whole, edit) = (document("whole", WHOLE), document("edit", EDIT));
    let files = [("whole.yaml", whole.as_str()), ("edit.yaml", &edit)];
    put_in_force(&agency.engine, &files).await;
    agency
}

fn written(second: &str) -> Value {
    json!({"goals": [{"goal": "School"}, {"goal": second}]})
}

/// Ids are of the case's people.
fn said(mother: &str, child: &str) -> Value {
    json!({
        "plan": written("Money"),
        "people": [{
            "person": mother, "agrees": "in-part", "words": "Not before summer",
            "goals": [{"goal": 1, "agrees": "yes"}, {"goal": 2, "agrees": "no", "words": "Later"}],
            "copyGiven": true,
        }],
        "child": [{"person": child, "view": "Wants the lift"}],
    })
}

/// A case with a mother and a child; its address under `/api/v1`, and their ids.
async fn family(casey: &Client<'_>) -> (String, String, String) {
    let case = casey.start().await["case"].as_str().unwrap().to_owned();
    let mother = joins(casey, &case, "Mai", "parent").await;
    let child = joins(casey, &case, "Kim", "child").await;
    (case, mother, child)
}

async fn joins(casey: &Client<'_>, case: &str, name: &str, relation: &str) -> String {
    let body = json!({"name": name, "relation": relation});
    let persons = format!("/api/v1/cases/{case}/persons");
    let added = casey.post(&persons, &body).await.is(201).json();
    added["id"].as_str().unwrap().to_owned()
}

async fn begin(casey: &Client<'_>, case: &str, workflow: &str, input: &Value) -> Value {
    let body = json!({"workflow": workflow, "case": case, "input": input});
    casey.post("/api/v1/instances", &body).await.is(201).json()
}

/// How a run stands once nothing is under way any more.
async fn stands(agency: &Agency, casey: &Client<'_>, run: &Value) -> Value {
    agency.engine.quiet().await.unwrap();
    let path = format!("/api/v1/instances/{}", run["id"].as_str().unwrap());
    casey.get(&path).await.is(200).json()
}

async fn answered(agency: &Agency, casey: &Client<'_>, run: &Value) -> Value {
    let item = casey.item(run, "ask").await;
    casey.claim(&item).await.is(200);
    casey
        .complete(&item, &json!({"outcome": "done"}))
        .await
        .is(200);
    stands(agency, casey, run).await
}

async fn plan(casey: &Client<'_>, case: &str) -> Value {
    let path = format!("/api/v1/cases/{case}/plan");
    casey.get(&path).await.is(200).json()
}

fn error(run: &Value) -> &str {
    run["error"]["type"]
        .as_str()
        .unwrap_or_else(|| panic!("it went on: {run}"))
}

#[tokio::test]
async fn a_plan_is_proposed_agreed_to_and_put_in_force_by_the_api() {
    let agency = open().await;
    let casey = agency.client("casey").await;
    let (case, mother, child) = family(&casey).await;
    let path = format!("/api/v1/cases/{case}/plan");
    casey.get(&path).await.problem(404, "not-found");

    let run = begin(&casey, &case, "whole", &said("Mai", "Kim")).await;
    let proposed = plan(&casey, &case).await;
    assert_eq!(proposed["status"], "needs-agreement");
    assert_eq!(
        (&proposed["version"], &proposed["active"]),
        (&json!(1), &Value::Null)
    );
    let missing: Vec<_> = proposed["missing"].as_array().unwrap().iter().collect();
    let whom = missing.iter().map(|one| one["person"].as_str());
    let whom: Vec<_> = whom.collect();
    assert!(
        whom.contains(&Some(&*mother)) && whom.contains(&Some(&*child)),
        "{proposed}"
    );

    let over = answered(&agency, &casey, &run).await;
    assert_eq!(over["status"], "completed", "{over}");
    let active = plan(&casey, &case).await;
    assert_eq!(
        (&active["status"], &active["agreed"]),
        (&json!("active"), &json!(true))
    );
    assert_eq!(active["active"]["version"], 1);
    assert_eq!(active["active"]["digest"], proposed["digest"]);
    let words = active["latest"]["said"].as_array().unwrap().iter();
    let of = |person: &str| words.clone().find(|one| one["person"] == person).unwrap();
    let hers = of(&mother);
    assert_eq!(
        (&hers["agrees"], &hers["by"]),
        (&json!("in-part"), &json!("u-casey"))
    );
    assert_eq!(
        (&hers["words"], &hers["copyGiven"]),
        (&json!("Not before summer"), &json!(true))
    );
    assert_eq!(
        hers["goals"][1],
        json!({"goal": 2, "agrees": "no", "words": "Later"})
    );
    assert_eq!(of(&child)["view"], "Wants the lift");
}

#[tokio::test]
async fn an_edited_goal_and_whoever_joins_open_the_agreement_again() {
    let agency = open().await;
    let casey = agency.client("casey").await;
    let (case, _, _) = family(&casey).await;
    let run = begin(&casey, &case, "whole", &said("Mai", "Kim")).await;
    answered(&agency, &casey, &run).await;

    let edited = json!({"plan": written("A course")});
    let run = begin(&casey, &case, "edit", &edited).await;
    let run = stands(&agency, &casey, &run).await;
    assert_eq!(error(&run), "urn:casewright:error:needs-agreement");
    assert_eq!(run["error"]["status"], 409);
    let now = plan(&casey, &case).await;
    assert_eq!(
        (&now["status"], &now["version"]),
        (&json!("needs-agreement"), &json!(2))
    );
    assert_eq!(
        (&now["active"]["version"], &now["active"]["agreed"]),
        (&json!(1), &json!(false)),
        "people go on by the version that was agreed to"
    );
    let versions = casey
        .get(&format!("/api/v1/cases/{case}/plan/versions"))
        .await;
    let versions = versions.is(200).json();
    let versions = versions["items"].as_array().unwrap();
    let words: Vec<_> = versions
        .iter()
        .map(|one| one["said"].as_array().unwrap().len())
        .collect();
    assert_eq!(words, [2, 0]);
    assert_eq!(versions[0]["plan"], written("Money"));

    // The first words once more are agreed to, until somebody joins who was not asked.
    let same = json!({"plan": written("Money")});
    let run = begin(&casey, &case, "whole", &said("Mai", "Kim")).await;
    assert_eq!(answered(&agency, &casey, &run).await["status"], "completed");
    let aunt = joins(&casey, &case, "Ana", "carer").await;
    let now = plan(&casey, &case).await;
    assert_eq!(now["status"], "needs-agreement");
    assert_eq!(now["missing"][0]["person"], *aunt);
    let run = begin(&casey, &case, "edit", &same).await;
    let run = stands(&agency, &casey, &run).await;
    assert_eq!(error(&run), "urn:casewright:error:needs-agreement");
}

#[tokio::test]
async fn nobody_agrees_who_is_not_in_the_case_and_others_see_no_plan() {
    let agency = open().await;
    let casey = agency.client("casey").await;
    let (case, _, _) = family(&casey).await;
    let run = begin(&casey, &case, "whole", &said("Somebody", "Kim")).await;
    let run = answered(&agency, &casey, &run).await;
    assert_eq!(error(&run), "urn:casewright:error:unknown-person");
    assert_eq!(plan(&casey, &case).await["latest"]["said"], json!([]));
    for path in ["plan", "plan/versions"] {
        let nowhere = casey.get(&format!("/api/v1/cases/c-none/{path}")).await;
        nowhere.problem(404, "not-found");
    }
}
