//! The checkout's plugins as the engine runs them: built, loaded, called through the sandbox, with
//! a partner on loopback. What they decide is tested natively beside them; here it is the way in
//! and out.

mod directory;
mod housing;
mod partner;
mod relief;

use std::path::Path;
use std::sync::Arc;

use casewright_host::grant::{Grant, OperatorSide};
use casewright_host::manifest::Manifest;
use casewright_host::plugin::{
    Context, EffectKind, Failure, FailureKind, Host, Plugin, Reason, Reply,
};
use serde_json::{Value, json};

use super::check::schema_problems;
use super::{build_all, find_checkout};
use partner::{Answer, Partner};

/// A plugin with what it needs to be called.
struct Loaded {
    host: Host,
    plugin: Arc<Plugin>,
    manifest: Manifest,
    grant: Arc<Grant>,
}

impl Loaded {
    /// Builds what is not built yet. A machine without a toolchain fails here and says what to
    /// type.
    async fn new(name: &str, operator: &OperatorSide) -> Self {
        let root = find_checkout(Path::new(env!("CARGO_MANIFEST_DIR"))).expect("a checkout");
        let out = root.join("target/plugins");
        let built = build_all(&root, &out, &|line| eprintln!("{line}"));
        built.unwrap_or_else(|error| panic!("{error}"));
        let folder = out.join(name);
        let manifest = std::fs::read_to_string(folder.join("plugin.toml")).unwrap();
        let manifest = Manifest::read(&manifest).unwrap();
        let component = std::fs::read(folder.join(format!("{name}.wasm"))).unwrap();
        let host = Host::new(None).unwrap();
        let plugin = host.load(name, &component).await.unwrap();
        let grant = Arc::new(Grant::intersect(&manifest, None, operator));
        Self {
            host,
            plugin,
            manifest,
            grant,
        }
    }

    /// A function that answers at once.
    async fn call(&self, function: &str, attempt: u32, input: &Value) -> Result<Value, Failure> {
        let reply = self.send(function, attempt, input).await?;
        match reply {
            Reply::Done(output) => Ok(output),
            Reply::Pending(pending) => panic!("{pending:?}"),
        }
    }

    async fn send(&self, function: &str, attempt: u32, input: &Value) -> Result<Reply, Failure> {
        let limits = &self.manifest.limits;
        let context = context(attempt);
        self.host
            .invoke(&self.plugin, function, input, &context, &self.grant, limits)
            .await
    }

    async fn go_on(&self, function: &str, state: &Value, reason: Reason) -> Result<Reply, Failure> {
        let (context, grant, limits) = (context(1), &self.grant, &self.manifest.limits);
        self.host
            .resume(
                &self.plugin,
                function,
                state,
                reason,
                &context,
                grant,
                limits,
            )
            .await
    }
}

fn context(attempt: u32) -> Context {
    Context {
        idempotency_key: "key-1".into(),
        attempt,
        case_id: "c01h".into(),
        step_started_unix_ms: 1_778_544_000_000,
        callback_token: "cwc_1".into(),
        callback_url: Some("https://casewright.test/api/v1/callbacks/cwc_1".into()),
        ..Context::default()
    }
}

fn operator(partner: &Partner) -> OperatorSide {
    OperatorSide {
        config: json!({ "endpoint": partner.origin(), "timeoutMs": 2_000 }),
        hosts: vec![partner.origin()],
        ..OperatorSide::default()
    }
}

fn payment() -> Value {
    json!({
        "payee": { "name": "Ridgeview Beds Pty Ltd", "accountHandle": "sec:pay/ridgeview" },
        "money": { "minor": 130_000, "currency": "AUD" },
        "reference": "FS-2026-00417-B3",
        "purposeCode": "household",
    })
}

fn receipt() -> Value {
    json!({ "paymentId": "p-1", "state": "settled", "bankRef": "B1", "at": "2026-05-12T00:00:00Z" })
}

#[tokio::test]
async fn evidence_is_checked_in_the_sandbox() {
    let loaded = Loaded::new("evidence-check", &OperatorSide::default()).await;
    assert_eq!(schema_problems(&loaded.plugin), Vec::<String>::new());
    let [function] = loaded.plugin.description.functions.as_slice() else {
        panic!("one function")
    };
    assert_eq!(
        (function.name.as_str(), function.effect),
        ("check", EffectKind::None)
    );

    let request = |minor: i64| {
        json!({
            "money": { "minor": minor, "currency": "AUD" },
            "category": "household",
            "goalActive": true,
            "quotes": [{
                "supplier": "Ridgeview Beds",
                "money": { "minor": 130_000, "currency": "AUD" },
                "date": "2026-05-01",
            }],
            "today": "2026-05-12",
        })
    };
    let verdict = loaded.call("check", 1, &request(130_000)).await;
    assert_eq!(verdict, Ok(json!({ "ok": true, "findings": [] })));
    let verdict = loaded.call("check", 1, &request(200_001)).await.unwrap();
    assert_eq!(verdict["findings"][0]["code"], "too-few-quotes");
    let failure = loaded.call("check", 1, &request(0)).await.unwrap_err();
    assert_eq!(
        (failure.kind, failure.code.as_str()),
        (FailureKind::Permanent, "invalid-input")
    );
    assert_eq!(failure.details, Some(json!({ "field": "/money/minor" })));
}

#[tokio::test]
async fn a_payment_goes_out_once_with_its_key() {
    let partner = Partner::start(vec![Answer::Json(200, receipt())]);
    let loaded = Loaded::new("payment-issue", &operator(&partner)).await;
    assert_eq!(schema_problems(&loaded.plugin), Vec::<String>::new());
    let [function] = loaded.plugin.description.functions.as_slice() else {
        panic!("one function")
    };
    assert_eq!(
        (function.name.as_str(), function.effect),
        ("pay", EffectKind::Keyed)
    );
    assert_eq!(function.errors, ["declined", "conflict"]);

    assert_eq!(loaded.call("pay", 1, &payment()).await, Ok(receipt()));
    let [request] = partner.requests().try_into().unwrap();
    assert_eq!(request.line, "POST /pay/payments HTTP/1.1");
    assert_eq!(request.header("idempotency-key"), Some("key-1"));
    assert_eq!(
        serde_json::from_str::<Value>(&request.body).unwrap(),
        payment()
    );
}

#[tokio::test]
async fn a_dropped_connection_is_asked_after_and_not_paid_again() {
    let partner = Partner::start(vec![Answer::Drop, Answer::Json(200, receipt())]);
    let loaded = Loaded::new("payment-issue", &operator(&partner)).await;
    assert_eq!(loaded.call("pay", 1, &payment()).await, Ok(receipt()));
    let lines: Vec<_> = partner
        .requests()
        .into_iter()
        .map(|request| request.line)
        .collect();
    assert_eq!(
        lines,
        [
            "POST /pay/payments HTTP/1.1",
            "GET /pay/payments?key=key-1 HTTP/1.1"
        ]
    );
}

#[tokio::test]
async fn an_unclear_payment_is_tried_again_and_asks_first() {
    let partner = Partner::start(vec![
        Answer::Json(503, json!({})),
        Answer::Json(404, json!({})),
        Answer::Json(200, receipt()),
    ]);
    let loaded = Loaded::new("payment-issue", &operator(&partner)).await;
    let failure = loaded.call("pay", 1, &payment()).await.unwrap_err();
    assert_eq!(
        (failure.kind, failure.code.as_str()),
        (FailureKind::Retryable, "upstream-5xx")
    );
    assert_eq!(loaded.call("pay", 2, &payment()).await, Ok(receipt()));
    let posts = partner
        .requests()
        .into_iter()
        .filter(|request| request.line.starts_with("POST"));
    assert_eq!(posts.count(), 1);
}

#[tokio::test]
async fn refusals_reach_the_engine_with_their_kind() {
    let partner = Partner::start(vec![Answer::Json(402, json!({}))]);
    let loaded = Loaded::new("payment-issue", &operator(&partner)).await;
    let failure = loaded.call("pay", 1, &payment()).await.unwrap_err();
    assert_eq!(
        (failure.kind, failure.code.as_str()),
        (FailureKind::Business, "declined")
    );

    let mut named = payment();
    named["reference"] = json!("Maria Nguyen");
    let failure = loaded.call("pay", 1, &named).await.unwrap_err();
    assert_eq!(
        (failure.kind, failure.code.as_str()),
        (FailureKind::Permanent, "invalid-input")
    );
    assert_eq!(partner.requests().len(), 1, "bad input sends nothing");
}

#[tokio::test]
async fn without_a_grant_nothing_is_sent() {
    let partner = Partner::start(Vec::new());
    let unnamed = OperatorSide {
        hosts: Vec::new(),
        ..operator(&partner)
    };
    let loaded = Loaded::new("payment-issue", &unnamed).await;
    let failure = loaded.call("pay", 1, &payment()).await.unwrap_err();
    assert_eq!(
        (failure.kind, failure.code.as_str()),
        (FailureKind::Permanent, "denied")
    );
    assert!(partner.requests().is_empty());
}
