//! `emergency-relief` in the sandbox: days of the calendar, and one voucher for one key.

use casewright_host::plugin::{EffectKind, FailureKind};
use serde_json::{Value, json};

use super::partner::{Answer, Partner};
use super::{Loaded, operator, schema_problems};

const NAME: &str = "emergency-relief";

async fn loaded(partner: &Partner) -> Loaded {
    let mut operator = operator(partner);
    operator.config["voucherMax"] = json!({ "minor": 20_000, "currency": "AUD" });
    Loaded::new(NAME, &operator).await
}

fn emergency() -> Value {
    json!({
        "event": "left-home-dfv",
        "eventDate": "2026-05-09",
        "today": "2026-05-12",
        "severeHardship": true,
        "incomeSupport": "unknown",
        "agencyVoucher": { "type": "grocery", "money": { "minor": 8_000, "currency": "AUD" } },
    })
}

fn voucher() -> Value {
    json!({ "id": "v-1", "code": "GROC-4417-2290", "expires": "2026-08-10" })
}

#[tokio::test]
async fn a_voucher_is_issued_once_and_asked_after_when_its_answer_got_lost() {
    let partner = Partner::start(vec![Answer::Drop, Answer::Json(200, voucher())]);
    let loaded = loaded(&partner).await;
    assert_eq!(schema_problems(&loaded.plugin), Vec::<String>::new());
    let [function] = loaded.plugin.description.functions.as_slice() else {
        panic!("one function")
    };
    assert_eq!(
        (function.name.as_str(), function.effect),
        ("arrange", EffectKind::Keyed)
    );
    assert_eq!(function.errors, ["declined", "conflict"]);

    let relief = loaded.call("arrange", 1, &emergency()).await.unwrap();
    assert_eq!(relief["voucher"], voucher());
    assert_eq!(
        relief["crisisPayment"],
        json!({ "contactBy": "2026-05-16", "claimByAfterContact": 14, "likely": "ask" })
    );
    let requests = partner.requests();
    let lines: Vec<_> = requests.iter().map(|one| one.line.as_str()).collect();
    assert_eq!(
        lines,
        [
            "POST /relief/vouchers HTTP/1.1",
            "GET /relief/vouchers/key-1 HTTP/1.1"
        ]
    );
    assert_eq!(requests[0].header("idempotency-key"), Some("key-1"));
    // The kind and the amount go out, and nothing about the family.
    let sent: Value = serde_json::from_str(&requests[0].body).unwrap();
    assert_eq!(sent, emergency()["agencyVoucher"]);
}

#[tokio::test]
async fn bad_input_and_a_voucher_above_the_bound_reach_nobody() {
    let partner = Partner::start(Vec::new());
    let loaded = loaded(&partner).await;
    for (pointer, value, kind, code) in [
        (
            "/eventDate",
            json!("2026-05-13"),
            FailureKind::Permanent,
            "invalid-input",
        ),
        (
            "/eventDate",
            json!("9 May"),
            FailureKind::Permanent,
            "invalid-input",
        ),
        (
            "/agencyVoucher/type",
            json!("cash"),
            FailureKind::Permanent,
            "invalid-input",
        ),
        (
            "/agencyVoucher/money/minor",
            json!(0),
            FailureKind::Permanent,
            "invalid-input",
        ),
        (
            "/agencyVoucher/money/minor",
            json!(20_001),
            FailureKind::Business,
            "declined",
        ),
    ] {
        let mut input = emergency();
        *input.pointer_mut(pointer).unwrap() = value;
        let failure = loaded.call("arrange", 1, &input).await.unwrap_err();
        assert_eq!(
            (failure.kind, failure.code.as_str()),
            (kind, code),
            "{pointer}"
        );
    }
    let mut advice = emergency();
    advice.as_object_mut().unwrap().remove("agencyVoucher");
    let relief = loaded.call("arrange", 1, &advice).await.unwrap();
    assert_eq!(relief["voucher"], Value::Null);
    assert!(partner.requests().is_empty());
}
