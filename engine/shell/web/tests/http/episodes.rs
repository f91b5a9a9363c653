//! The end of work with a family by the API alone: closed with a reason that is counted, open again
//! as another episode, and the report of how the work ended.

use serde_json::{Value, json};

use crate::agency::{Agency, Client, pack_files};

const END: &str = "
document: { dsl: '1.0.3', namespace: little, name: end, version: '1.0.0' }
do:
  - why: { call: human-task, with: { title: Why it ends, assign: { role: case-worker } } }
  - close:
      call: case.close
      with:
        reason: '${ $workflow.input.reason }'
        consentGiven: '${ $workflow.input.consent }'
";
const WORK: &str = "
document: { dsl: '1.0.3', namespace: little, name: work, version: '1.0.0' }
do:
  - work: { call: human-task, with: { title: Work, assign: { role: case-worker } } }
";
const REASONS: &str = "
closingReasons:
  reached: { title: The goals are reached, counts: achieved }
  some: { title: Some goals are reached, counts: partly }
  moved: { title: The family moved away, counts: excluded }
  stopped: { title: The family wants no help, counts: not }
";
const REPORT: &str = "/api/v1/reports/outcomes";

/// With somebody whose role sees reports and nothing else.
async fn open() -> Agency {
    let agency = Agency::open().await;
    let mut files: std::collections::BTreeMap<_, _> = pack_files().into_iter().collect();
    let pack = format!("{}{REASONS}", files["pack.yaml"]);
    let pack = pack.replace(
        "coordinator: { title: Coordinator, arranges: true }",
        "coordinator: { title: Coordinator, reports: true }",
    );
    files.insert("pack.yaml".to_owned(), pack);
    files.insert("end.yaml".to_owned(), END.to_owned());
    files.insert("work.yaml".to_owned(), WORK.to_owned());
    let alex = agency.client("alex").await;
    let body = json!({ "files": files });
    alex.post("/api/v1/packs", &body).await.is(201);
    agency
}

/// Ends the work in a case, or in a new one; how the run stands then.
async fn end(
    agency: &Agency,
    casey: &Client<'_>,
    case: Option<&Value>,
    (reason, consent): (&str, bool),
) -> Value {
    let mut body = json!({
        "workflow": "end", "input": { "reason": reason, "consent": consent },
    });
    if let Some(case) = case {
        body["case"] = case.clone();
    }
    let run = casey.post("/api/v1/instances", &body).await.is(201).json();
    done(casey, &run, "why").await;
    agency.engine.quiet().await.unwrap();
    let path = format!("/api/v1/instances/{}", run["id"].as_str().unwrap());
    casey.get(&path).await.is(200).json()
}

async fn done(casey: &Client<'_>, run: &Value, task: &str) {
    let item = casey.item(run, task).await;
    casey.claim(&item).await.is(200);
    let done = json!({"outcome": "done"});
    casey.complete(&item, &done).await.is(200);
}

fn path(case: &Value, more: &str) -> String {
    format!("/api/v1/cases/{}{more}", case.as_str().unwrap())
}

async fn episodes(casey: &Client<'_>, case: &Value) -> Vec<Value> {
    let told = casey.get(&path(case, "")).await.is(200).json();
    told["episodes"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_case_is_closed_with_a_reason_of_the_pack_and_nothing_begins_in_it() {
    let agency = open().await;
    let casey = agency.client("casey").await;
    let odd = end(&agency, &casey, None, ("because", true)).await;
    let kind = &odd["error"]["type"];
    assert_eq!(kind, "urn:casewright:error:unknown-closing-reason", "{odd}");
    let case = &odd["case"];
    assert_eq!(episodes(&casey, case).await[0]["closed"], Value::Null);

    let body = json!({ "workflow": "work", "case": case });
    let work = casey.post("/api/v1/instances", &body).await.is(201).json();
    let early = end(&agency, &casey, Some(case), ("moved", true)).await;
    assert_eq!(
        early["error"]["type"], "urn:casewright:error:still-open",
        "{early}"
    );
    assert_eq!(early["error"]["details"]["runs"], json!([work["id"]]));
    done(&casey, &work, "work").await;

    let over = end(&agency, &casey, Some(case), ("moved", true)).await;
    assert_eq!(over["status"], "completed", "{over}");
    let told = episodes(&casey, case).await;
    assert_eq!(told.len(), 1);
    let ended = ["number", "reason", "counts", "consentGiven"].map(|key| told[0][key].clone());
    assert_eq!(
        ended,
        [json!(1), json!("moved"), json!("excluded"), json!(true)]
    );
    assert_eq!(told[0]["closed"], "2026-11-23T02:00:00Z");
    let refused = casey.post("/api/v1/instances", &body).await;
    refused.problem(409, "case-closed");
}

#[tokio::test]
async fn a_closed_case_is_opened_again_as_another_episode_with_a_reason() {
    let agency = open().await;
    let casey = agency.client("casey").await;
    let over = end(&agency, &casey, None, ("stopped", true)).await;
    let case = &over["case"];
    let reopen = path(case, "/reopen");
    let why = json!({ "reason": "They rang us" });
    for (body, status, code) in [
        (json!({ "reason": " " }), 422, "reason-needed"),
        (json!({}), 422, "invalid-input"),
    ] {
        casey.post(&reopen, &body).await.problem(status, code);
    }
    // Whoever starts no workflows opens no case.
    let fin = agency.client("fin").await;
    fin.post(&reopen, &why).await.problem(403, "not-assigned");
    let key = [("idempotency-key", "again-1")];
    let opened = casey.post_with(&reopen, &why, &key).await.is(200).json();
    let again = casey.post_with(&reopen, &why, &key).await.is(200).json();
    assert_eq!(opened, again, "the same request once");
    casey.post(&reopen, &why).await.problem(409, "not-closed");

    let told = episodes(&casey, case).await;
    assert_eq!(told.len(), 2);
    assert_eq!(told[0]["reason"], "stopped", "what was closed stays closed");
    let second = ["number", "because", "openedBy", "closed"].map(|key| told[1][key].clone());
    let expected = [
        json!(2),
        json!("They rang us"),
        json!("u-casey"),
        Value::Null,
    ];
    assert_eq!(second, expected);
    let body = json!({ "workflow": "work", "case": case });
    casey.post("/api/v1/instances", &body).await.is(201);
}

#[tokio::test]
async fn the_report_counts_episodes_names_nobody_and_is_for_who_may_see_it() {
    let agency = open().await;
    let casey = agency.client("casey").await;
    let first = end(&agency, &casey, None, ("stopped", true)).await;
    let case = &first["case"];
    let why = json!({ "reason": "They came back" });
    casey.post(&path(case, "/reopen"), &why).await.is(200);
    end(&agency, &casey, Some(case), ("reached", true)).await;
    for ended in [("some", true), ("moved", true), ("reached", false)] {
        end(&agency, &casey, None, ended).await;
    }
    let days = format!("{REPORT}?from=2026-11-23&to=2026-11-23");
    casey.get(&days).await.problem(403, "not-assigned");
    for reader in ["alex", "ria"] {
        let reader = agency.client(reader).await;
        let told = reader.get(&days).await;
        told.is(200)
            .lacks(&["casey", case.as_str().unwrap(), "LA-2026"]);
        let told = told.json();
        let figures = [
            "closed",
            "consentGiven",
            "excluded",
            "denominator",
            "achieved",
            "partly",
        ]
        .map(|key| told[key].as_u64().unwrap());
        assert_eq!(figures, [5, 4, 1, 3, 1, 1], "{told}");
        assert_eq!(told["achievedPermille"], 333);
        let mut reasons = told["reasons"].as_array().unwrap().iter();
        let reached = reasons.find(|one| one["reason"] == "reached").unwrap();
        assert_eq!(
            (
                &reached["title"],
                &reached["closed"],
                &reached["consentGiven"]
            ),
            (&json!("The goals are reached"), &json!(2), &json!(1))
        );
        let before = format!("{REPORT}?from=2026-11-01&to=2026-11-22");
        let nothing = reader.get(&before).await.is(200).json();
        let figure = (&nothing["closed"], &nothing["achievedPermille"]);
        assert_eq!(figure, (&json!(0), &Value::Null));
    }
    let alex = agency.client("alex").await;
    for wrong in ["", "?from=2026-11-23", "?from=2026-11-23&to=soon"] {
        let refused = alex.get(&format!("{REPORT}{wrong}")).await;
        assert!(
            refused.status.is_client_error(),
            "{wrong}: {}",
            refused.text
        );
    }
}
