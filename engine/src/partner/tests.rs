//! One key pays once, under every fault, and over a restart.

use serde_json::{Value, json};

use super::*;

/// Runs a partner for the length of `act`, which is given its address.
fn with_partner(journal: Option<PathBuf>, act: impl FnOnce(&str) + Send + 'static) {
    let served = crate::asynchronous(async {
        let partner = start(0, journal).await?;
        let url = format!("http://{}", partner.address);
        tokio::task::spawn_blocking(move || act(&url))
            .await
            .map_err(io::Error::other)
    });
    served.unwrap();
}

fn agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder().http_status_as_error(false);
    config.max_idle_connections(0).build().into()
}

/// Status and body of a payment under a key; `None` when the connection broke.
fn pay(url: &str, key: &str, body: &Value) -> Option<(u16, Value)> {
    let request = agent()
        .post(format!("{url}/pay/payments"))
        .header("idempotency-key", key);
    let answer = request
        .header("content-type", "application/json")
        .send(body.to_string());
    let mut answer = answer.ok()?;
    let text = answer.body_mut().read_to_string().ok()?;
    Some((
        answer.status().as_u16(),
        serde_json::from_str(&text).unwrap_or(Value::Null),
    ))
}

fn order(url: &str, kind: &str) -> u16 {
    let body = json!({ "path": "/pay/payments", "nth": 1, "kind": kind }).to_string();
    let request = agent().post(format!("{url}/_ctl/fault"));
    request
        .header("content-type", "application/json")
        .send(body)
        .unwrap()
        .status()
        .as_u16()
}

fn payments(url: &str) -> usize {
    let mut answer = agent().get(format!("{url}/_ctl/journal")).call().unwrap();
    let text = answer.body_mut().read_to_string().unwrap();
    let journal: Value = serde_json::from_str(&text).unwrap();
    journal["payments"].as_array().unwrap().len()
}

#[test]
fn one_key_pays_once() {
    with_partner(None, |url| {
        let (first, again) = (
            pay(url, "k", &json!({"a": 1})),
            pay(url, "k", &json!({"a": 1})),
        );
        assert_eq!(first.as_ref().unwrap().0, 201);
        assert_eq!(again.as_ref().unwrap().0, 200);
        assert_eq!(first.unwrap().1, again.unwrap().1);
        assert_eq!(pay(url, "k", &json!({"a": 2})).unwrap().0, 422);
        assert_eq!(payments(url), 1);
    });
}

#[test]
fn faults_do_what_they_are_called() {
    with_partner(None, |url| {
        let body = json!({});
        assert_eq!(order(url, "drop-before"), 204);
        assert_eq!((pay(url, "a", &body), payments(url)), (None, 0));
        assert_eq!(order(url, "drop-after-commit"), 204);
        assert_eq!((pay(url, "b", &body), payments(url)), (None, 1));
        assert_eq!(order(url, "truncated"), 204);
        assert_eq!((pay(url, "c", &body), payments(url)), (None, 2));
        assert_eq!(order(url, "status:503"), 204);
        assert_eq!(pay(url, "d", &body).unwrap().0, 503);
        assert_eq!(order(url, "html200"), 204);
        assert_eq!(pay(url, "e", &body), Some((200, Value::Null)));
        assert_eq!(order(url, "earthquake"), 422);
        assert_eq!(payments(url), 2);
    });
}

#[test]
fn the_journal_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("journal.jsonl");
    with_partner(Some(file.clone()), |url| {
        assert_eq!(pay(url, "k", &json!({})).unwrap().0, 201);
    });
    with_partner(Some(file), |url| {
        assert_eq!(pay(url, "k", &json!({})).unwrap().0, 200);
        assert_eq!(payments(url), 1);
    });
}
