//! The fund and its ledger from the command line, when a payment has to be taken back.

use std::path::Path;

use serde_json::{Value, json};

/// What a bookkeeper does from the command line, with the one payment of the story.
pub(crate) fn the_payment_is_taken_back(
    ask: &impl Fn(&str, &[&str]) -> (Option<i32>, Value),
    folder: &Path,
) {
    let (_, funds) = ask("case-worker", &["fund", "list"]);
    let fund = funds["items"][0]["name"].as_str().unwrap();
    let spent = |fund: &Value| fund["committed"]["minor"].as_i64().unwrap();
    assert_eq!(spent(&funds["items"][0]), 130_000, "{funds:#}");
    let (_, entries) = ask("case-worker", &["fund", "entries", fund]);
    let entries = entries["items"].as_array().unwrap();
    let paid = entries.iter().find(|one| one["kind"] == "commit").unwrap();
    let number = paid["number"].to_string();
    let reverse = ["fund", "reverse", fund, &number, "--reason", "sent back"];
    for (role, refusal) in [
        ("case-worker", "not-assigned"),
        ("team-leader", "not-assigned"),
    ] {
        let (code, refused) = ask(role, &reverse);
        assert_eq!((code, &refused["code"]), (Some(1), &json!(refusal)));
    }
    let part = [&reverse[..], &["--minor", "30000"]].concat();
    for (arguments, minor) in [(&part[..], 30_000), (&reverse[..], 100_000)] {
        let (code, written) = ask("service-manager", arguments);
        assert_eq!(code, Some(0), "{written:#}");
        assert_eq!(written["amount"]["minor"], minor);
    }
    let (code, refused) = ask("service-manager", &part);
    assert_eq!(
        (code, &refused["code"]),
        (Some(1), &json!("not-reversible"))
    );
    let (_, now) = ask("case-worker", &["fund", "balance", fund]);
    assert_eq!(spent(&now), 0);
    let (_, before) = ask(
        "case-worker",
        &["fund", "balance", fund, "--at", "2020-01-01"],
    );
    assert_eq!(before["allocated"]["minor"], 0);
    let file = folder.join("ledger.csv");
    let (code, _) = ask(
        "case-worker",
        &["fund", "export", fund, "--out", file.to_str().unwrap()],
    );
    assert_eq!(code, Some(0));
    let text = std::fs::read_to_string(file).unwrap();
    assert_eq!(text.matches(",reverse,").count(), 2, "{text}");
    assert!(!text.contains("sent back"));
}
