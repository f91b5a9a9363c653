//! The story of one brokerage request, told by HTTP. Every step may be repeated after a crash.

use serde_json::{Value, json};

use super::agency::Agency;

/// Looks at the engine this often before giving up; each look is a request of about a millisecond.
const LOOKS_MAX: usize = 10_000;

pub(crate) struct Story {
    name: String,
}

impl Story {
    pub(crate) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
        }
    }

    /// From the request to the payment.
    pub(crate) fn tell(&self, agency: &mut Agency) {
        self.ask(agency);
        self.requester_is_refused(agency);
        self.approve(agency);
        self.is_paid(agency);
        self.timeline_tells_it(agency);
    }

    /// The case worker starts the workflow and fills the request.
    pub(crate) fn ask(&self, agency: &mut Agency) {
        let item = self.item(agency, "request");
        self.claim(agency, "case-worker", &item);
        let body = json!({ "outcome": "done", "data": request() });
        self.post(
            agency,
            "case-worker",
            &format!("/api/v1/work-items/{item}/complete"),
            &body,
            200,
        );
    }

    fn requester_is_refused(&self, agency: &mut Agency) {
        let item = self.item(agency, "decision");
        let path = format!("/api/v1/work-items/{item}/claim");
        let reply = agency.insist("case-worker", |client| client.post(&path, &json!({}), None));
        assert_eq!(reply.status, 403, "{reply:?}");
        assert_eq!(reply.body["code"], "self-approval", "{reply:?}");
    }

    pub(crate) fn approve(&self, agency: &mut Agency) {
        let item = self.item(agency, "decision");
        self.claim(agency, "team-leader", &item);
        let body = json!({ "outcome": "approve", "comment": "Agreed with the plan" });
        self.post(
            agency,
            "team-leader",
            &format!("/api/v1/work-items/{item}/complete"),
            &body,
            200,
        );
    }

    /// What the list of failed runs says, once it is there.
    pub(crate) fn failed(&self, agency: &mut Agency) -> Value {
        let id = self.instance(agency)["id"].clone();
        let path = "/api/v1/instances?status=faulted&workflow=brokerage";
        for _ in 0..LOOKS_MAX {
            let reply = agency.insist("administrator", |client| client.get(path));
            assert_eq!(reply.status, 200, "{reply:?}");
            let items = reply.body["items"].as_array().unwrap();
            if let Some(item) = items.iter().find(|item| item["id"] == id) {
                return item.clone();
            }
        }
        panic!("it did not fail in time");
    }

    pub(crate) fn is_paid(&self, agency: &mut Agency) {
        let path = format!(
            "/api/v1/instances/{}",
            self.instance(agency)["id"].as_str().unwrap()
        );
        for _ in 0..LOOKS_MAX {
            let reply = agency.insist("case-worker", |client| client.get(&path));
            assert_eq!(reply.status, 200, "{reply:?}");
            match reply.body["status"].as_str() {
                Some("completed") => {
                    assert_eq!(reply.body["output"]["outcome"], "paid", "{reply:?}");
                    return;
                }
                Some("running" | "waiting") => {}
                _ => panic!("{reply:?}"),
            }
        }
        panic!("it was not paid in time");
    }

    fn timeline_tells_it(&self, agency: &mut Agency) {
        let case = self.instance(agency)["case"].as_str().unwrap().to_owned();
        let path = format!("/api/v1/cases/{case}/timeline");
        let reply = agency.insist("team-leader", |client| client.get(&path));
        let told = reply.body.to_string();
        for action in [
            "case-opened",
            "work-item-completed",
            "refused",
            "fund-reserved",
            "fund-committed",
        ] {
            assert!(told.contains(action), "the timeline lacks {action}: {told}");
        }
    }

    /// The instance of this story; started when it is not.
    fn instance(&self, agency: &mut Agency) -> Value {
        self.post(
            agency,
            "case-worker",
            "/api/v1/instances",
            &json!({"workflow": "brokerage"}),
            201,
        )
    }

    /// Id of the latest open or ended item of a task, once it is offered.
    pub(crate) fn item(&self, agency: &mut Agency, task: &str) -> String {
        let instance = self.instance(agency)["id"].as_str().unwrap().to_owned();
        let path = format!("/api/v1/work-items?instance={instance}&state=any&limit=50");
        for _ in 0..LOOKS_MAX {
            let reply = agency.insist("team-leader", |client| client.get(&path));
            assert_eq!(reply.status, 200, "{reply:?}");
            let items = reply.body["items"].as_array().unwrap();
            if let Some(item) = items.iter().rev().find(|item| item["task"] == task) {
                return item["id"].as_str().unwrap().to_owned();
            }
        }
        let path = format!("/api/v1/instances/{instance}");
        let stands = agency.insist("team-leader", |client| client.get(&path));
        panic!("the task {task} was not offered in time: {stands:?}");
    }

    fn claim(&self, agency: &mut Agency, role: &str, item: &str) {
        let path = format!("/api/v1/work-items/{item}/claim");
        self.post(agency, role, &path, &json!({}), 200);
    }

    /// Posts under a key of its own, so that repeating it after a crash does nothing new.
    fn post(
        &self,
        agency: &mut Agency,
        role: &str,
        path: &str,
        body: &Value,
        wanted: u16,
    ) -> Value {
        let key = format!("{}:{path}", self.name);
        let reply = agency.insist(role, |client| client.post(path, body, Some(&key)));
        assert_eq!(reply.status, wanted, "{path}: {reply:?}");
        reply.body
    }
}

/// $1,300 for a car seat and a bed.
pub(crate) fn request() -> Value {
    json!({
        "category": "children",
        "item": "Car seat and a bed",
        "why": "Goal 2: the children sleep and travel safely",
        "goalActive": true,
        "otherSources": [{ "source": "charity", "answer": "too-late" }],
        "familyContribution": "not-able",
        "supplier": { "name": "Ridgeview Furniture", "account": "sec:pay/ridgeview" },
        "money": { "minor": 130_000, "currency": "AUD" },
        "delivery": "worker-brings",
        "quotes": [],
    })
}
