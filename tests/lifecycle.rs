//! Lifecycle events by the front door: every run and step tells what became of it, the same before
//! and after `kill -9`, and never a word of what a family or the staff wrote.

#![allow(
    clippy::unwrap_used,
    reason = "a panic is how a test reports what went wrong"
)]

mod front_door {
    pub(crate) mod client;
    pub(crate) mod served;
}

use std::collections::BTreeSet;

use front_door::client::{Client, Reply};
use front_door::served::{Served, agency};
use serde_json::{Value, json};

/// Stands in every text that people give here, and must stand in no event.
const FAMILY: &str = "Nguyen";

const PACK: &str = "
namespace: small-agency
title: Small agency
timeZone: Australia/Brisbane
roles:
  case-worker: { title: Case worker, starts: true }
  team-leader: { title: Team leader }
  administrator: { title: Administrator, administers: true }
";

const ASK: &str = "\
document: { dsl: '1.0.3', namespace: small-agency, name: ask, version: '1.0.0' }
do:
  - request:
      call: human-task
      with:
        title: '${ \"Ask \\(.family)\" }'
        assign: { role: case-worker }
  - decision:
      call: approval
      with:
        title: Decide
        assign: { role: team-leader }
";

/// Asks a host that nobody allows, which fails for certain, and may be tried again.
const LOOK: &str = "\
document: { dsl: '1.0.3', namespace: small-agency, name: look, version: '1.0.0' }
do:
  - around:
      do:
        - look:
            call: http
            with: { method: get, endpoint: 'http://127.0.0.1:9/homes' }
";

/// Raises errors with what it was given, one caught and one not.
const SHOUT: &str = "\
document: { dsl: '1.0.3', namespace: small-agency, name: shout, version: '1.0.0' }
do:
  - quietly:
      try:
        - first:
            raise:
              error: { type: '${ \"urn:\" + .family }', status: 409, title: '${ .family }' }
      catch:
        retry: { limit: { attempt: { count: 1 } } }
        do:
          - caught: { set: { family: '${ .family }' } }
  - aloud:
      raise:
        error: { type: 'urn:casewright:error:too-loud', status: 422, detail: '${ .family }' }
";

const HEAR: &str = "\
document: { dsl: '1.0.3', namespace: small-agency, name: hear, version: '1.0.0' }
do:
  - hear:
      listen: { to: { one: { with: { type: org.partner.answered } } } }
";

const STAFF: [(&str, &str); 3] = [
    ("kim", "\"case-worker\""),
    ("lee", "\"team-leader\", \"case-worker\""),
    ("alex", "\"administrator\""),
];

struct Agency(tempfile::TempDir);

impl Agency {
    fn new() -> Self {
        let files = [
            ("pack/pack.yaml", PACK),
            ("pack/ask.yaml", ASK),
            ("pack/look.yaml", LOOK),
            ("pack/shout.yaml", SHOUT),
            ("pack/hear.yaml", HEAR),
        ];
        Self(agency(&files, &STAFF))
    }

    fn serve(&self) -> Served {
        Served::new(self.0.path())
    }

    fn client(&self, served: &Served, who: &str) -> Client {
        served.client(self.0.path(), &format!("{who}.json"))
    }
}

fn post(client: &Client, path: &str, body: &Value) -> Reply {
    let reply = client.post(path, body, None).unwrap();
    assert!(reply.status < 300, "{path}: {reply:?}");
    reply
}

fn start(client: &Client, workflow: &str) -> String {
    let body = json!({ "workflow": workflow, "input": { "family": FAMILY } });
    let started = post(client, "/api/v1/instances", &body);
    started.body["id"].as_str().unwrap().to_owned()
}

fn show(client: &Client, id: &str) -> Value {
    client.get(&format!("/api/v1/instances/{id}")).unwrap().body
}

/// Waits for what goes on behind the answer; the server is asked until it has.
fn until(client: &Client, id: &str, status: &str) {
    for _ in 0..10_000 {
        if show(client, id)["status"] == status {
            return;
        }
    }
    panic!("never {status}: {}", show(client, id));
}

fn item(client: &Client, id: &str) -> String {
    let run = show(client, id);
    let item = run["waiting"][0]["workItem"].as_str();
    item.unwrap_or_else(|| panic!("{run}")).to_owned()
}

fn act(client: &Client, item: &str, what: &str, body: &Value) {
    post(client, &format!("/api/v1/work-items/{item}/{what}"), body);
}

/// All events, by pages of this size.
fn all(client: &Client, path: &str, limit: usize) -> Vec<Value> {
    let mut found = Vec::new();
    let mut page = client.get(&format!("{path}?limit={limit}")).unwrap().body;
    loop {
        let items = page["items"].as_array().unwrap_or_else(|| panic!("{page}"));
        if items.is_empty() {
            return found;
        }
        assert!(items.len() <= limit);
        found.extend(items.iter().cloned());
        let next = page["next"].as_str().unwrap();
        let next = format!("{path}?limit={limit}&cursor={next}");
        page = client.get(&next).unwrap().body;
    }
}

fn of_run(client: &Client, id: &str, limit: usize) -> Vec<Value> {
    all(client, &format!("/api/v1/instances/{id}/lifecycle"), limit)
}

/// `task.started /do/0/request`
fn told(events: &[Value]) -> Vec<String> {
    let one = |event: &Value| {
        let kind = event["type"].as_str().unwrap();
        let kind = kind.strip_prefix("io.serverlessworkflow.").unwrap();
        let kind = kind.strip_suffix(".v1").unwrap();
        let task = event["data"]["task"].as_str().unwrap_or_default();
        format!("{kind} {task}").trim_end().to_owned()
    };
    events.iter().map(one).collect()
}

/// A request that waits for Kim and comes back, moves to another version, and is decided by Lee.
fn asked(agency: &Agency, served: &Served) -> String {
    let (kim, lee) = (agency.client(served, "kim"), agency.client(served, "lee"));
    let alex = agency.client(served, "alex");
    let id = start(&kim, "ask");
    let open = item(&kim, &id);
    act(&kim, &open, "claim", &json!({}));
    act(&kim, &open, "hold", &json!({ "reason": FAMILY }));
    act(&kim, &open, "resume", &json!({}));
    let done = json!({ "outcome": "done", "comment": FAMILY });
    act(&kim, &open, "complete", &done);
    let moved = ASK.replace("1.0.0", "1.1.0");
    let moved = moved.replace("do:\n", "do:\n  - noted: { set: { seen: true } }\n");
    let files = json!({
        "pack.yaml": PACK, "ask.yaml": moved, "look.yaml": LOOK, "shout.yaml": SHOUT,
        "hear.yaml": HEAR,
    });
    post(&alex, "/api/v1/packs", &json!({ "files": files }));
    let path = format!("/api/v1/instances/{id}/migrate");
    post(&alex, &path, &json!({ "reason": FAMILY }));
    let open = item(&kim, &id);
    act(&lee, &open, "claim", &json!({}));
    act(&lee, &open, "complete", &json!({ "outcome": "approve" }));
    assert_eq!(show(&kim, &id)["status"], "completed");
    id
}

fn looked(agency: &Agency, served: &Served) -> String {
    let (kim, alex) = (agency.client(served, "kim"), agency.client(served, "alex"));
    let id = start(&kim, "look");
    until(&kim, &id, "faulted");
    let path = format!("/api/v1/instances/{id}/retry");
    post(&alex, &path, &json!({ "reason": FAMILY }));
    until(&kim, &id, "faulted");
    id
}

fn heard(agency: &Agency, served: &Served) -> String {
    let kim = agency.client(served, "kim");
    let id = start(&kim, "hear");
    let event = json!({
        "specversion": "1.0", "id": "a-1", "source": "urn:partner",
        "type": "org.partner.answered", "data": { "family": FAMILY },
    });
    let kind = "application/cloudevents+json";
    let sent = kim.post_as(kind, "/api/v1/events", &event, None).unwrap();
    assert_eq!(sent.status, 202, "{sent:?}");
    until(&kim, &id, "completed");
    id
}

#[test]
fn every_run_tells_what_became_of_it_and_nothing_of_the_family() {
    let agency = Agency::new();
    let served = agency.serve();
    let kim = agency.client(&served, "kim");
    let asked = asked(&agency, &served);
    let cancelled = start(&kim, "ask");
    let path = format!("/api/v1/instances/{cancelled}/cancel");
    post(&kim, &path, &json!({ "reason": FAMILY }));
    let looked = looked(&agency, &served);
    let shouted = start(&kim, "shout");
    until(&kim, &shouted, "faulted");
    let heard = heard(&agency, &served);

    let of = |id: &str| of_run(&kim, id, 500);
    assert_eq!(
        told(&of(&asked)),
        [
            "workflow.started",
            "task.created /do/0/request",
            "task.started /do/0/request",
            "task.suspended /do/0/request",
            "task.resumed /do/0/request",
            "task.completed /do/0/request",
            "task.created /do/1/decision",
            "task.started /do/1/decision",
            "task.completed /do/2/decision",
            "workflow.completed",
        ]
    );
    assert_eq!(
        told(&of(&cancelled))[6..],
        ["task.cancelled /do/1/request", "workflow.cancelled"]
    );
    let failed = [
        "task.faulted /do/0/around/do/0/look",
        "task.faulted /do/0/around",
        "workflow.faulted",
    ];
    let again = [
        "workflow.resumed",
        "task.resumed /do/0/around",
        "task.retried /do/0/around/do/0/look",
    ];
    assert_eq!(
        told(&of(&looked))[5..],
        [&failed[..], &again, &failed].concat()
    );
    let shouts = of(&shouted);
    let errors: BTreeSet<_> = shouts
        .iter()
        .map(|event| &event["data"]["error"])
        .collect::<Vec<_>>()
        .into_iter()
        .filter(|error| error.is_object())
        .map(Value::to_string)
        .collect();
    let errors: Vec<_> = errors.into_iter().collect();
    assert_eq!(
        errors,
        [
            r#"{"status":409,"type":"urn:casewright:error:raised"}"#,
            r#"{"status":422,"type":"urn:casewright:error:too-loud"}"#,
        ]
    );
    assert!(told(&shouts).contains(&"task.retried /do/0/quietly".to_owned()));
    assert_eq!(
        told(&of(&heard)),
        [
            "workflow.started",
            "task.created /do/0/hear",
            "task.started /do/0/hear",
            "workflow.correlation-started /do/0/hear",
            "workflow.correlation-completed /do/0/hear",
            "task.completed /do/0/hear",
            "workflow.completed",
        ]
    );

    // The agency's list is made of the same events, each once; pages of any size give the same.
    let alex = agency.client(&served, "alex");
    let refused = kim.get("/api/v1/lifecycle").unwrap();
    assert_eq!(refused.status, 403, "{refused:?}");
    let feed = all(&alex, "/api/v1/lifecycle", 500);
    let runs = [asked, cancelled, looked, shouted, heard];
    let mut whole: Vec<Value> = Vec::new();
    for id in &runs {
        let events = of(id);
        assert_eq!(of_run(&kim, id, 1), events);
        assert_eq!(of_run(&kim, id, 3), events);
        whole.extend(events);
    }
    let ids: BTreeSet<_> = whole.iter().map(|event| event["id"].to_string()).collect();
    assert_eq!(ids.len(), whole.len(), "no id comes twice");
    let text = json!([whole, feed]).to_string();
    assert!(!text.contains(FAMILY) && !text.contains("Decide"), "{text}");
    let tasks = |event: &&Value| event["data"]["task"].is_null();
    let mut of_runs: Vec<_> = whole.iter().filter(tasks).cloned().collect();
    let mut sorted = feed.clone();
    let by_id = |event: &Value| event["id"].to_string();
    of_runs.sort_by_key(by_id);
    sorted.sort_by_key(by_id);
    assert_eq!(sorted, of_runs);
    assert_eq!(all(&alex, "/api/v1/lifecycle", 2), feed);

    let printed = served.command(
        agency.0.path(),
        "alex.json",
        &["event", "lifecycle", "--json"],
    );
    let printed: Value = serde_json::from_slice(&printed.stdout).unwrap();
    assert_eq!(printed["items"], json!(feed));
    served.kill();

    let served = agency.serve();
    let (kim, alex) = (
        agency.client(&served, "kim"),
        agency.client(&served, "alex"),
    );
    assert_eq!(all(&alex, "/api/v1/lifecycle", 3), feed);
    let again: Vec<_> = runs.iter().flat_map(|id| of_run(&kim, id, 7)).collect();
    assert_eq!(again, whole);
    // And it goes on from where a reader was.
    let later = start(&kim, "ask");
    let next = printed["next"].as_str().unwrap();
    let path = ["event", "lifecycle", "--after", next];
    let told = served.command(agency.0.path(), "alex.json", &path);
    let told = String::from_utf8(told.stdout).unwrap();
    assert!(
        told.contains(&later) && told.contains("workflow.started"),
        "{told}"
    );
    assert!(runs.iter().all(|id| !told.contains(id)), "{told}");
}
