//! Funds through API and pages: balances, ledgers, files of them, and payments taken back.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};

use crate::agency::Agency;
use crate::browser::Browser;

const ENTRIES: &str = "/api/v1/funds/help/entries";
/// After the allocation and the reservation.
const PAID: &str = "/api/v1/funds/help/entries/2";

/// $1,300.00 of $5,000.00 were asked for by Casey, approved by Lee and paid; its instance.
async fn paid(agency: &Agency) -> Value {
    let (casey, lee) = (agency.client("casey").await, agency.client("lee").await);
    let instance = casey.ask(130_000).await;
    let item = lee.item(&instance, "decision").await;
    lee.claim(&item).await.is(200);
    let approve = json!({"outcome": "approve"});
    lee.complete(&item, &approve).await.is(200);
    instance
}

fn back(minor: i64) -> Value {
    json!({"minor": minor, "currency": "AUD", "reason": "the shop returned it"})
}

#[tokio::test]
async fn a_ledger_is_read_page_by_page_and_as_of_a_day() {
    let agency = Agency::open().await;
    let instance = paid(&agency).await;
    let casey = agency.client("casey").await;
    let first = casey
        .get(&format!("{ENTRIES}?limit=2"))
        .await
        .is(200)
        .json();
    let kinds = |page: &Value| -> Vec<String> {
        let items = page["items"].as_array().unwrap().iter();
        items
            .map(|one| one["kind"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(kinds(&first), ["commit", "reserve"]);
    let payment = &first["items"][0];
    assert_eq!(payment["number"], 2);
    assert_eq!(payment["caseNumber"], "LA-2026-00001");
    assert_eq!(payment["case"], instance["case"]);
    assert_eq!(
        payment["standing"],
        json!({"minor": 130_000, "currency": "AUD"})
    );
    assert_eq!(payment["revision"], 0);
    assert_eq!(*payment, casey.get(PAID).await.is(200).json());
    let next = first["next"].as_str().unwrap();
    let rest = casey.get(&format!("{ENTRIES}?limit=2&cursor={next}")).await;
    let rest = rest.is(200).json();
    assert_eq!(kinds(&rest), ["allocate"]);
    assert_eq!(rest["next"], Value::Null);
    casey
        .get(&format!("{ENTRIES}?cursor=x"))
        .await
        .problem(400, "bad-cursor");
    casey
        .get("/api/v1/funds/other/entries")
        .await
        .problem(404, "not-found");
    casey
        .get("/api/v1/funds/help/entries/3")
        .await
        .problem(404, "not-found");

    let on = async |day: &str| {
        let fund = casey.get(&format!("/api/v1/funds/help?at={day}")).await;
        let fund = fund.is(200).json();
        ["allocated", "committed", "available"].map(|key| fund[key]["minor"].as_i64().unwrap())
    };
    assert_eq!(on("2026-11-22").await, [0, 0, 0]);
    assert_eq!(on("2026-11-23").await, [500_000, 130_000, 370_000]);
    let bad = casey.get("/api/v1/funds/help?at=30%20June").await;
    bad.problem(422, "invalid-input");
}

#[tokio::test]
async fn a_ledger_is_a_file_for_other_programs() {
    let agency = Agency::open().await;
    paid(&agency).await;
    let fin = agency.client("fin").await;
    fin.post(&format!("{PAID}/reverse"), &back(30_000))
        .await
        .is(201);
    let csv = fin.get(&format!("{ENTRIES}?format=csv")).await;
    csv.is(200).lacks(&["returned", "Casey", "\"", "A bed"]);
    assert!(csv.header("content-type").starts_with("text/csv"));
    let name = "attachment; filename=\"fund-help.csv\"";
    assert_eq!(csv.header("content-disposition"), name);
    let lines: Vec<_> = csv.text.split("\r\n").collect();
    assert_eq!(lines.len(), 6, "a head, four entries, and the last break");
    assert!(lines[0].starts_with("number,at,kind,minor,currency,"));
    assert!(lines[3].starts_with("2,2026-11-23T02:00:00Z,commit,130000,AUD,370000,LA-2026-00001,"));
    assert!(lines[4].ends_with(",2,u-fin"), "{}", lines[4]);
    let json = fin.get(&format!("{ENTRIES}?format=jsonl")).await;
    let json: Vec<Value> = json
        .is(200)
        .text
        .lines()
        .map(|it| serde_json::from_str(it).unwrap())
        .collect();
    assert_eq!(json.len(), 4);
    assert_eq!(json[3]["reverses"], 2);
    assert_eq!(json[3].get("reason"), None);
    fin.get(&format!("{ENTRIES}?format=xlsx"))
        .await
        .problem(422, "invalid-input");
    let nothing = agency
        .send(Request::get(ENTRIES).body(Body::empty()).unwrap())
        .await;
    nothing.problem(401, "unauthenticated");
}

#[tokio::test]
async fn a_payment_is_taken_back_by_whoever_may_and_once() {
    let agency = Agency::open().await;
    let instance = paid(&agency).await;
    let reverse = format!("{PAID}/reverse");
    for (who, code) in [("casey", "not-assigned"), ("lee", "not-assigned")] {
        let client = agency.client(who).await;
        client.post(&reverse, &back(1)).await.problem(403, code);
    }
    let fin = agency.client("fin").await;
    fin.post(&reverse, &back(130_001))
        .await
        .problem(409, "not-reversible");
    let euros = json!({"minor": 1, "currency": "EUR", "reason": "x"});
    fin.post(&reverse, &euros)
        .await
        .problem(422, "currency-mismatch");
    let silent = json!({"minor": 1, "currency": "AUD", "reason": ""});
    fin.post(&reverse, &silent)
        .await
        .problem(422, "reason-needed");
    let first = format!("{ENTRIES}/0/reverse");
    fin.post(&first, &back(1))
        .await
        .problem(409, "not-reversible");
    let key = [("idempotency-key", "k-1")];
    for _ in 0..2 {
        let done = fin.post_with(&reverse, &back(30_000), &key).await;
        let entry = done.is(201).json();
        assert_eq!(
            (&entry["number"], &entry["reverses"]),
            (&json!(3), &json!(2))
        );
        assert_eq!(entry["by"], "u-fin");
    }
    let stale = json!({"minor": 1, "currency": "AUD", "reason": "x", "revision": 0});
    fin.post(&reverse, &stale)
        .await
        .problem(409, "stale-revision");
    let fund = fin.get("/api/v1/funds/help").await.is(200).json();
    assert_eq!(fund["committed"]["minor"], 100_000);
    let case = instance["case"].as_str().unwrap();
    let told = fin.get(&format!("/api/v1/cases/{case}/timeline")).await;
    told.is(200)
        .shows(&["fund-reversed", "u-fin"])
        .lacks(&["returned"]);
}

#[tokio::test]
async fn pages_show_a_fund_and_take_a_payment_back() {
    let agency = Agency::open().await;
    paid(&agency).await;
    let fin = Browser::signed_in(&agency, "fin").await;
    let list = fin.get("/funds").await;
    list.is(200).shows(&["Family help", "$3,700.00", "Always"]);
    let page = fin.get("/funds/help").await;
    page.is(200).shows(&[
        "Given to the fund",
        "Set aside",
        "Paid",
        "LA-2026-00001",
        "$1,300.00",
    ]);
    let before = fin.get("/funds/help?at=2026-11-22").await;
    before.is(200).shows(&["at the end of", "$0.00"]);
    let wrong = fin.get("/funds/help?at=soon").await;
    wrong.is(200).shows(&["Enter a day as year-month-day"]);
    let address = "/funds/help/entries/2";
    let casey = Browser::signed_in(&agency, "casey").await;
    casey
        .get(address)
        .await
        .is(200)
        .lacks(&["Take this payment back"]);
    let form = fin.get(address).await;
    form.is(200)
        .shows(&["Take this payment back", "value=\"1300.00\""]);
    let asked = [("amount", "lots"), ("reason", " ")];
    let refused = fin.submit(&form, address, &asked).await;
    refused
        .is(422)
        .shows(&["Enter an amount of money", "Say why", "value=\"lots\""]);
    let asked = [("amount", "1,300.01"), ("reason", "Paid <twice>")];
    let refused = fin.submit(&form, address, &asked).await;
    refused
        .is(409)
        .shows(&["This cannot be taken back", "Paid &#60;twice&#62;"]);
    let asked = [("amount", "$300"), ("reason", "Paid <twice>")];
    let done = fin.submit(&form, address, &asked).await;
    let page = fin.follow(&done).await;
    page.is(200).shows(&[
        "The payment was taken back",
        "Paid &#60;twice&#62;",
        "$4,000.00",
    ]);
    fin.get("/funds/help/entries/3")
        .await
        .is(200)
        .shows(&["Fin Moreau", "entry 2"]);
    fin.get("/funds/none").await.is(404);
    fin.get("/funds/help/entries/last").await.is(404);
}
