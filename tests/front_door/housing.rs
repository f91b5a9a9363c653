//! The story of an application for a home, told by HTTP: sent once, answered when the register has
//! decided. Every step may be repeated after a crash.

use serde_json::{Value, json};

use super::agency::Agency;
use super::client::Client;

/// Looks at the engine this often before giving up; each look is a request of about a millisecond,
/// and the engine asks the register after a second.
const LOOKS_MAX: usize = 20_000;

pub(crate) struct Application {
    name: String,
    /// In this case; in one of its own otherwise.
    case: Option<String>,
}

impl Application {
    pub(crate) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            case: None,
        }
    }

    pub(crate) fn of_case(name: &str, case: &str) -> Self {
        Self {
            name: name.to_owned(),
            case: Some(case.to_owned()),
        }
    }

    /// Up to the call: the application is on its way to the register.
    pub(crate) fn apply(&self, agency: &mut Agency) {
        self.agree(agency);
        let item = self.item(agency, "details");
        self.post(
            agency,
            &format!("/api/v1/work-items/{item}/claim"),
            &json!({}),
            200,
        );
        let body = json!({ "outcome": "done", "data": wishes() });
        self.post(
            agency,
            &format!("/api/v1/work-items/{item}/complete"),
            &body,
            200,
        );
    }

    /// The family agrees that the register is told.
    fn agree(&self, agency: &mut Agency) {
        let path = format!("/api/v1/instances/{}", self.instance(agency));
        let reply = agency.insist("case-worker", |client| client.get(&path));
        let case = reply.body["case"].as_str().unwrap().to_owned();
        let parent = json!({ "name": "Mai Nguyen", "relation": "parent" });
        let persons = format!("/api/v1/cases/{case}/persons");
        let reply = agency.insist("case-worker", |client| client.get(&persons));
        let mut known = reply.body["items"].as_array().unwrap().iter();
        let person = known.find(|one| one["name"] == parent["name"]).cloned();
        let person = person.unwrap_or_else(|| self.post(agency, &persons, &parent, 201));
        let consent = json!({
            "person": person["id"], "purposes": ["housing"], "recipients": ["housing-register"],
            "what": "Who lives with us and what we earn", "how": "spoken",
            "givenOn": "2026-01-01", "expiresOn": "2099-12-31",
        });
        let consents = format!("/api/v1/cases/{case}/consents");
        self.post(agency, &consents, &consent, 201);
    }

    /// Waits until the call waits for its answer.
    pub(crate) fn waits(&self, agency: &mut Agency) {
        self.look(agency, |view| {
            view["status"] == "waiting"
                && view["waiting"][0]["kind"] == "call"
                && view["waiting"][0]["until"].is_string()
        });
    }

    /// Waits for the register's answer and tells the family.
    pub(crate) fn ends(&self, agency: &mut Agency) -> Value {
        let item = self.item(agency, "tell");
        self.post(
            agency,
            &format!("/api/v1/work-items/{item}/claim"),
            &json!({}),
            200,
        );
        let body = json!({ "outcome": "done" });
        self.post(
            agency,
            &format!("/api/v1/work-items/{item}/complete"),
            &body,
            200,
        );
        self.look(agency, |view| view["status"] == "completed")["output"].clone()
    }

    /// How often the call has returned.
    pub(crate) fn returned(&self, agency: &mut Agency) -> usize {
        let id = self.instance(agency);
        let path = format!("/api/v1/instances/{id}/history");
        let reply = agency.insist("case-worker", |client| client.get(&path));
        let entries = reply.body["items"].as_array().unwrap();
        let returned = entries
            .iter()
            .filter(|entry| entry["event"] == "call-returned");
        returned.count()
    }

    fn look(&self, agency: &mut Agency, wanted: impl Fn(&Value) -> bool) -> Value {
        let path = format!("/api/v1/instances/{}", self.instance(agency));
        let mut last = Value::Null;
        for _ in 0..LOOKS_MAX {
            let reply = agency.insist("case-worker", |client| client.get(&path));
            assert_eq!(reply.status, 200, "{reply:?}");
            if wanted(&reply.body) {
                return reply.body;
            }
            last = reply.body;
        }
        panic!("it did not come so far in time: {last}");
    }

    fn item(&self, agency: &mut Agency, task: &str) -> String {
        let instance = self.instance(agency);
        let path = format!("/api/v1/work-items?instance={instance}&state=any&limit=50");
        let mut last = Value::Null;
        for _ in 0..LOOKS_MAX {
            let reply = agency.insist("case-worker", |client| client.get(&path));
            assert_eq!(reply.status, 200, "{reply:?}");
            let items = reply.body["items"].as_array().unwrap();
            if let Some(item) = items.iter().find(|item| item["task"] == task) {
                return item["id"].as_str().unwrap().to_owned();
            }
            last = reply.body;
        }
        let path = format!("/api/v1/instances/{instance}");
        let stands = agency.insist("case-worker", |client| client.get(&path));
        panic!("the task {task} was not offered in time: {stands:?} {last}");
    }

    fn instance(&self, agency: &mut Agency) -> String {
        let mut start = json!({ "workflow": "housing" });
        if let Some(case) = &self.case {
            start["case"] = json!(case);
        }
        let started = self.post(agency, "/api/v1/instances", &start, 201);
        started["id"].as_str().unwrap().to_owned()
    }

    fn post(&self, agency: &mut Agency, path: &str, body: &Value, wanted: u16) -> Value {
        let key = format!("{}:home:{path}", self.name);
        let reply = agency.insist("case-worker", |client| client.post(path, body, Some(&key)));
        assert_eq!(reply.status, wanted, "{path}: {reply:?}");
        reply.body
    }
}

/// The register decides all open applications; what those who are told answered.
pub(crate) fn decide(partner: &Client, callbacks: usize) -> Vec<u64> {
    let order = json!({
        "state": "registered", "needLevel": "high", "callbacks": callbacks,
    });
    let reply = partner.post("/_ctl/housing", &order, None).unwrap();
    assert_eq!(reply.status, 200, "{reply:?}");
    let told = reply.body["told"].as_array().unwrap();
    told.iter().filter_map(Value::as_u64).collect()
}

/// One application in the register's journal, and what became of it.
pub(crate) fn one_application(journal: &Value) -> &Value {
    let applications = journal["applications"].as_array().unwrap();
    assert_eq!(applications.len(), 1, "{journal:#}");
    &applications[0]
}

fn wishes() -> Value {
    json!({
        "applicants": [
            { "role": "applicant" },
            { "role": "child", "dateOfBirth": "2019-03-04" },
        ],
        "suburbs": [{ "name": "Logan Central" }],
        "bedrooms": 3,
        "violencePriority": false,
        "reason": "homeless",
        "furtherReason": "disability",
        "weeklyIncome": { "minor": 68_000, "currency": "AUD" },
    })
}
