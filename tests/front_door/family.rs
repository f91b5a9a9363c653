//! One family from the referral to the end of the work, told by HTTP. The steps are those of the
//! pack's own test, `one-family.test.yaml`, played in real time by a real server; an application
//! for a home comes between the last two workflows. Every step may be repeated after a crash.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::agency::Agency;
use super::housing::Application;

const TEST: &str = "workflows/intensive-family-support/tests/one-family.test.yaml";

/// Looks at the engine this often before giving up; each look is a request of about a millisecond.
const LOOKS_MAX: usize = 10_000;

pub(crate) struct Family {
    name: String,
    file: Value,
    case: Option<String>,
    /// Workflow and instance, in the order they were started.
    started: Vec<(String, String)>,
}

impl Family {
    pub(crate) fn new(name: &str) -> Self {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../");
        let text = std::fs::read_to_string(format!("{root}{TEST}")).unwrap();
        Self {
            name: name.to_owned(),
            file: serde_yaml::from_str(&text).unwrap(),
            case: None,
            started: Vec::new(),
        }
    }

    /// Everything; the case's number at the end.
    pub(crate) fn live(&mut self, agency: &mut Agency) -> String {
        let steps = self.file["tests"][0]["steps"].take();
        let steps = steps.as_array().unwrap();
        assert!(steps.len() > 20, "the story has its steps");
        for (index, step) in steps.iter().enumerate() {
            if step["start"] == "closure" {
                self.find_a_home(agency);
            }
            self.take(agency, index, step);
        }
        self.number(agency)
    }

    fn take(&mut self, agency: &mut Agency, index: usize, step: &Value) {
        if step["start"].is_string() {
            self.start(agency, index, step);
        } else if step["complete"].is_string() {
            self.complete(agency, index, step);
        } else if step["claim"].is_string() {
            self.is_refused(agency, step);
        } else if step["person"].is_string() {
            self.add_person(agency, index, step);
        } else if step["event"].is_string() {
            self.event(agency, index, step);
        } else if step["ended"].is_string() {
            self.has_ended(agency, step);
        } else {
            // Time passes by itself here, and what partners were asked is in their journals.
            assert!(
                step["wait"].is_string() || step["calls"].is_string(),
                "{step}"
            );
        }
    }

    fn start(&mut self, agency: &mut Agency, index: usize, step: &Value) {
        let workflow = step["start"].as_str().unwrap();
        let mut body = json!({ "workflow": workflow, "input": self.data(&step["input"], step) });
        if step["sameCase"] == json!(true) {
            body["case"] = json!(self.case);
        }
        let role = self.role(step);
        let started = self.post(agency, &role, "/api/v1/instances", index, &body, 201);
        let text = |key: &str| started[key].as_str().unwrap().to_owned();
        self.case = Some(text("case"));
        self.started.push((workflow.to_owned(), text("id")));
    }

    fn add_person(&self, agency: &mut Agency, index: usize, step: &Value) {
        let path = format!("/api/v1/cases/{}/persons", self.case.as_deref().unwrap());
        let body = json!({ "name": step["person"], "relation": step["relation"] });
        self.post(agency, &self.role(step), &path, index, &body, 201);
    }

    fn complete(&self, agency: &mut Agency, index: usize, step: &Value) {
        let item = self.item(agency, step["complete"].as_str().unwrap(), step);
        let role = self.role(step);
        let path = format!("/api/v1/work-items/{}", item["id"].as_str().unwrap());
        self.post(
            agency,
            &role,
            &format!("{path}/claim"),
            index,
            &json!({}),
            200,
        );
        let outcome = match &step["outcome"] {
            Value::Null => item["outcomes"][0].clone(),
            outcome => outcome.clone(),
        };
        let mut body = json!({ "outcome": outcome, "comment": step["comment"] });
        let data = self.data(&step["data"], step);
        if !data.is_null() {
            body["data"] = data;
        }
        self.post(
            agency,
            &role,
            &format!("{path}/complete"),
            index,
            &body,
            200,
        );
    }

    fn is_refused(&self, agency: &mut Agency, step: &Value) {
        let item = self.item(agency, step["claim"].as_str().unwrap(), step);
        let path = format!("/api/v1/work-items/{}/claim", item["id"].as_str().unwrap());
        let role = self.role(step);
        let reply = agency.insist(&role, |client| client.post(&path, &json!({}), None));
        assert_eq!(reply.status, 403, "{reply:?}");
        assert_eq!(reply.body["code"], step["refused"], "{reply:?}");
    }

    fn event(&self, agency: &mut Agency, index: usize, step: &Value) {
        let number = self.number(agency);
        let data = step["data"].to_string().replace("IFS-2026-00001", &number);
        let event = json!({
            "specversion": "1.0",
            "id": format!("{}-{index}", self.name),
            "source": "urn:partner:child-care",
            "type": step["event"],
            "subject": number,
            "data": serde_json::from_str::<Value>(&data).unwrap(),
        });
        let kind = "application/cloudevents+json";
        let reply = agency.insist("case-worker", |client| {
            client.post_as(kind, "/api/v1/events", &event, None)
        });
        assert_eq!(reply.status, 202, "{reply:?}");
    }

    fn has_ended(&self, agency: &mut Agency, step: &Value) {
        let of = step["of"].as_str().unwrap();
        let (_, id) = self.started.iter().rfind(|(name, _)| name == of).unwrap();
        let path = format!("/api/v1/instances/{id}");
        for _ in 0..LOOKS_MAX {
            let reply = agency.insist("case-worker", |client| client.get(&path));
            let status = reply.body["status"].as_str();
            if !matches!(status, Some("running" | "waiting")) {
                assert_eq!(status, step["ended"].as_str(), "{reply:?}");
                let found = &reply.body["output"];
                assert!(holds(&step["output"], found), "{step}: {found:#}");
                return;
            }
        }
        panic!("{of} did not end in time");
    }

    /// The register decides at once; its answer comes by callback, or the engine asks for it.
    fn find_a_home(&self, agency: &mut Agency) {
        let home = Application::of_case(&self.name, self.case.as_deref().unwrap());
        home.apply(agency);
        home.waits(agency);
        let order = json!({ "state": "registered", "needLevel": "high", "callbacks": 1 });
        agency.tell_partner("/_ctl/housing", &order);
        home.ends(agency);
    }

    fn number(&self, agency: &mut Agency) -> String {
        let path = format!("/api/v1/cases/{}", self.case.as_deref().unwrap());
        let reply = agency.insist("case-worker", |client| client.get(&path));
        reply.body["number"].as_str().unwrap().to_owned()
    }

    /// The latest item of a task, once it is offered.
    fn item(&self, agency: &mut Agency, task: &str, step: &Value) -> Value {
        let of = step["of"].as_str();
        let instances = self.started.iter().rev();
        let instances: Vec<_> = instances
            .filter(|(name, _)| of.is_none_or(|of| of == name))
            .map(|(_, id)| id)
            .collect();
        for _ in 0..LOOKS_MAX {
            for id in &instances {
                let path = format!("/api/v1/work-items?instance={id}&state=any&limit=50");
                let reply = agency.insist("team-leader", |client| client.get(&path));
                let items = reply.body["items"].as_array().unwrap();
                if let Some(item) = items.iter().rev().find(|item| item["task"] == task) {
                    return item.clone();
                }
            }
        }
        panic!("the task {task} was not offered in time");
    }

    fn role(&self, step: &Value) -> String {
        let person = step["as"].as_str().unwrap();
        self.file["people"][person].as_str().unwrap().to_owned()
    }

    /// What is written there, or the sample of that name, with `but` put over it.
    fn data(&self, written: &Value, step: &Value) -> Value {
        let mut data = match written.as_str() {
            Some(name) => self.file["samples"][name].clone(),
            None => written.clone(),
        };
        let but = step["but"].as_object().cloned().unwrap_or_default();
        if data.is_null() && (!but.is_empty() || step["start"].is_string()) {
            data = json!({});
        }
        let overlay: BTreeMap<String, Value> = but.into_iter().collect();
        if let Some(members) = data.as_object_mut() {
            members.extend(overlay);
        }
        data
    }

    /// Posts under a key of its own, so that repeating it after a crash does nothing new.
    fn post(
        &self,
        agency: &mut Agency,
        role: &str,
        path: &str,
        index: usize,
        body: &Value,
        wanted: u16,
    ) -> Value {
        let key = format!("{}:{index}:{path}", self.name);
        let reply = agency.insist(role, |client| client.post(path, body, Some(&key)));
        assert_eq!(reply.status, wanted, "{path} {body:#}: {reply:?}");
        reply.body
    }
}

/// Expected data names only what matters.
fn holds(expected: &Value, found: &Value) -> bool {
    match expected {
        Value::Object(members) => members.iter().all(|(key, value)| holds(value, &found[key])),
        Value::Null => true,
        other => other == found,
    }
}
