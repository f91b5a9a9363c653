//! `housing-application` in the sandbox: sent, waited for, asked after, taken back.

use casewright_host::plugin::{EffectKind, FailureKind, Pending, Reason, Reply};
use serde_json::{Value, json};

use super::partner::{Answer, Partner};
use super::{Loaded, operator, schema_problems};

const NAME: &str = "housing-application";

fn application() -> Value {
    json!({
        "applicants": [{ "role": "applicant" }, { "role": "child", "dateOfBirth": "2019-03-04" }],
        "suburbWishes": ["Logan Central"],
        "bedrooms": 3,
        "violencePriority": true,
        "wellbeingReasons": ["leaving-violence", "homeless"],
        "weeklyIncome": { "minor": 68_000, "currency": "AUD" },
        "documents": [{ "type": "proof-of-income", "ref": "doc:c01h/12" }],
    })
}

fn shown(state: &str) -> Value {
    json!({ "applicationNo": "H-7", "state": state, "needLevel": "very-high" })
}

/// Sends the application; what it left behind to go on with.
async fn parked(loaded: &Loaded) -> Pending {
    match loaded.send("apply", 1, &application()).await {
        Ok(Reply::Pending(pending)) => pending,
        other => panic!("{other:?}"),
    }
}

fn lines(partner: &Partner) -> Vec<String> {
    let requests = partner.requests().into_iter();
    requests.map(|request| request.line).collect()
}

#[tokio::test]
async fn an_application_is_sent_with_its_key_and_decided_later() {
    let partner = Partner::start(vec![
        Answer::Json(201, shown("received")),
        Answer::Json(200, shown("assessed")),
        Answer::Json(200, shown("registered")),
    ]);
    let loaded = Loaded::new(NAME, &operator(&partner)).await;
    assert_eq!(schema_problems(&loaded.plugin), Vec::<String>::new());
    let [function] = loaded.plugin.description.functions.as_slice() else {
        panic!("one function")
    };
    assert_eq!(
        (function.name.as_str(), function.effect, function.resumes),
        ("apply", EffectKind::Keyed, true)
    );

    let pending = parked(&loaded).await;
    assert_eq!(pending.correlation, ["H-7"]);
    assert_eq!(pending.poll_after_ms, Some(3_600_000));
    assert_eq!(
        pending.expires_unix_ms,
        Some(1_778_544_000_000 + 7_776_000_000)
    );
    let sent = &partner.requests()[0];
    assert_eq!(sent.header("idempotency-key"), Some("key-1"));
    assert_eq!(
        sent.header("callback-url"),
        Some("https://casewright.test/api/v1/callbacks/cwc_1")
    );
    let body: Value = serde_json::from_str(&sent.body).unwrap();
    assert_eq!(body, application());

    let asked = loaded.go_on("apply", &pending.state, Reason::Poll).await;
    let Ok(Reply::Pending(pending)) = asked else {
        panic!("{asked:?}")
    };
    // A message that claims something is only a reason to ask.
    let claim = Reason::Callback {
        headers: Vec::new(),
        body: br#"{"state": "declined"}"#.to_vec(),
    };
    let decided = loaded.go_on("apply", &pending.state, claim).await;
    let mut expected = shown("registered");
    expected["missing"] = json!([]);
    assert_eq!(decided, Ok(Reply::Done(expected)));
    assert_eq!(
        lines(&partner),
        [
            "POST /housing/applications HTTP/1.1",
            "GET /housing/applications/H-7 HTTP/1.1",
            "GET /housing/applications/H-7 HTTP/1.1",
        ]
    );
}

#[tokio::test]
async fn an_application_that_nobody_waits_for_is_taken_back() {
    let partner = Partner::start(vec![
        Answer::Json(201, shown("received")),
        Answer::Json(200, json!({})),
    ]);
    let loaded = Loaded::new(NAME, &operator(&partner)).await;
    let pending = parked(&loaded).await;
    let taken = loaded.go_on("apply", &pending.state, Reason::Cancelled);
    assert_eq!(taken.await.unwrap_err().code, "taken-back");
    assert_eq!(
        lines(&partner)[1],
        "DELETE /housing/applications/H-7 HTTP/1.1"
    );
}

#[tokio::test]
async fn a_bad_application_leaves_nothing_outside() {
    let partner = Partner::start(Vec::new());
    let loaded = Loaded::new(NAME, &operator(&partner)).await;
    for (pointer, value, code) in [
        ("/wellbeingReasons", json!(["homeless"]), "invalid-input"),
        ("/bedrooms", json!(99), "invalid-input"),
        (
            "/applicants/1/dateOfBirth",
            json!("2031-01-01"),
            "invalid-input",
        ),
        ("/suburbWishes/0", json!("Logan\u{202e}"), "invalid-input"),
        ("/documents/0/ref", json!("doc:other-case/12"), "denied"),
    ] {
        let mut input = application();
        *input.pointer_mut(pointer).unwrap() = value;
        let failure = loaded.send("apply", 1, &input).await.unwrap_err();
        assert_eq!(
            (failure.kind, failure.code.as_str()),
            (FailureKind::Permanent, code),
            "{pointer}"
        );
    }
    assert!(partner.requests().is_empty());
}
