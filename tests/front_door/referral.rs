//! The story of a partner's answer: it comes before anybody waits for it, and twice, while the
//! process is killed in between.

use serde_json::{Value, json};

use super::agency::Agency;

/// Looks at the engine this often before giving up; each look is a request of about a millisecond.
const LOOKS_MAX: usize = 10_000;

/// Starts a referral; the instance.
pub(crate) fn refer(agency: &mut Agency, key: &str) -> Value {
    let body = json!({"workflow": "partner-referral"});
    let reply = agency.insist("case-worker", |client| {
        client.post("/api/v1/instances", &body, Some(key))
    });
    assert_eq!(reply.status, 201, "{reply:?}");
    reply.body
}

/// The partner answers for the case with this number.
pub(crate) fn answer(agency: &mut Agency, id: &str, number: &str, text: &str) {
    let event = json!({
        "specversion": "1.0",
        "id": id,
        "source": "urn:partner:housing",
        "type": "org.partner.referral-answered",
        "subject": number,
        "data": {"text": text},
    });
    let reply = agency.insist("case-worker", |client| {
        client.post_as(
            "application/cloudevents+json",
            "/api/v1/events",
            &event,
            None,
        )
    });
    assert_eq!(reply.status, 202, "{reply:?}");
    assert_eq!(reply.body["id"], id, "{reply:?}");
}

/// As people write it.
pub(crate) fn number(agency: &mut Agency, instance: &Value) -> String {
    let path = format!("/api/v1/cases/{}", instance["case"].as_str().unwrap());
    let reply = agency.insist("case-worker", |client| client.get(&path));
    reply.body["number"].as_str().unwrap().to_owned()
}

/// Claims and completes the first item of an instance.
pub(crate) fn send(agency: &mut Agency, instance: &Value) {
    let item = format!("{}-1", instance["id"].as_str().unwrap());
    for (step, body) in [
        ("claim", json!({})),
        ("complete", json!({"outcome": "done"})),
    ] {
        let path = format!("/api/v1/work-items/{item}/{step}");
        let key = format!("{item} {step}").replace(' ', "-");
        let reply = agency.insist("case-worker", |client| {
            client.post(&path, &body, Some(&key))
        });
        assert_eq!(reply.status, 200, "{reply:?}");
    }
}

/// Once the instance is as wanted.
pub(crate) fn stands(
    agency: &mut Agency,
    instance: &Value,
    wanted: impl Fn(&Value) -> bool,
) -> Value {
    let path = format!("/api/v1/instances/{}", instance["id"].as_str().unwrap());
    for _ in 0..LOOKS_MAX {
        let reply = agency.insist("case-worker", |client| client.get(&path));
        assert_eq!(reply.status, 200, "{reply:?}");
        if wanted(&reply.body) {
            return reply.body;
        }
    }
    panic!("it does not come so far: {path}");
}

/// How often an instance was given an event.
pub(crate) fn received(agency: &mut Agency, instance: &Value) -> usize {
    let path = format!(
        "/api/v1/instances/{}/history",
        instance["id"].as_str().unwrap()
    );
    let reply = agency.insist("case-worker", |client| client.get(&path));
    let items = reply.body["items"].as_array().unwrap();
    let events = items.iter().filter(|one| one["event"] == "event-received");
    events.count()
}
