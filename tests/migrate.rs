//! `casewright serve` over a change of its pack: runs under way are moved to the new version by the
//! front door, over `kill -9`, and nothing that was decided or left out is lost on the way.

#![allow(
    clippy::unwrap_used,
    reason = "a panic is how a test reports what went wrong"
)]

mod front_door {
    pub(crate) mod client;
    pub(crate) mod served;
}

use std::process::Output;

use front_door::client::{Client, Reply};
use front_door::served::{Served, agency};
use serde_json::{Value, json};

const PACK: &str = "
namespace: small-agency
title: Small agency
timeZone: Australia/Brisbane
roles:
  case-worker: { title: Case worker, starts: true }
  team-leader: { title: Team leader }
  administrator: { title: Administrator, administers: true }
";

/// Somebody asks, somebody else decides, and a third step tells what was decided.
const WORKFLOW: &str = "\
document: { dsl: '1.0.3', namespace: small-agency, name: ask, version: '1.0.0' }
do:
  - request:
      call: human-task
      with:
        title: Ask
        assign: { role: case-worker }
  - decision:
      call: approval
      with:
        title: Decide
        assign: { role: team-leader }
        due: 3 business days
  - told:
      set:
        asked: ${ $steps.request.outcome }
        decided: ${ $steps.decision.outcome }
";

const STAFF: [(&str, &str); 3] = [
    ("kim", "\"case-worker\", \"team-leader\""),
    ("lee", "\"team-leader\""),
    ("alex", "\"administrator\""),
];

/// A folder with a server's everything.
struct Agency(tempfile::TempDir);

impl Agency {
    fn new() -> Self {
        let files = [("pack/pack.yaml", PACK), ("pack/ask.yaml", WORKFLOW)];
        Self(agency(&files, &STAFF))
    }

    fn start(&self) -> Served {
        Served::new(self.0.path())
    }

    fn client(&self, running: &Served, who: &str) -> Client {
        running.client(self.0.path(), &format!("{who}.json"))
    }

    /// Puts the workflow in force with these texts replaced.
    fn deploy(&self, running: &Served, changes: &[(&str, &str)]) {
        let mut text = WORKFLOW.to_owned();
        for (before, after) in changes {
            assert!(text.contains(before), "{before}");
            text = text.replacen(before, after, 1);
        }
        let files = json!({ "pack.yaml": PACK, "ask.yaml": text });
        let alex = self.client(running, "alex");
        let body = json!({ "files": files });
        let reply = alex.post("/api/v1/packs", &body, None).unwrap();
        assert_eq!(reply.status, 201, "{reply:?}");
    }

    /// The command line as Alex types it.
    fn command(&self, running: &Served, arguments: &[&str]) -> Output {
        running.command(self.0.path(), "alex.json", arguments)
    }
}

const NEXT: (&str, &str) = ("version: '1.0.0'", "version: '1.1.0'");
/// A step before everything else, so that every pointer changes.
const NOTED: (&str, &str) = ("do:\n", "do:\n  - noted: { set: { seen: true } }\n");
const RENAMED: (&str, &str) = ("  - decision:\n", "  - judgement:\n");

fn started(client: &Client) -> String {
    let body = json!({ "workflow": "ask" });
    let reply = client.post("/api/v1/instances", &body, None).unwrap();
    assert_eq!(reply.status, 201, "{reply:?}");
    reply.body["id"].as_str().unwrap().to_owned()
}

fn show(client: &Client, id: &str) -> Value {
    client.get(&format!("/api/v1/instances/{id}")).unwrap().body
}

/// The work item that the run waits for.
fn item(client: &Client, id: &str) -> String {
    let run = show(client, id);
    let item = run["waiting"][0]["workItem"].as_str();
    item.unwrap_or_else(|| panic!("{run}")).to_owned()
}

fn act(client: &Client, item: &str, what: &str, body: &Value) -> Reply {
    let path = format!("/api/v1/work-items/{item}/{what}");
    client.post(&path, body, None).unwrap()
}

fn complete(client: &Client, item: &str, outcome: &str) -> Reply {
    let claimed = act(client, item, "claim", &json!({}));
    assert_eq!(claimed.status, 200, "{claimed:?}");
    act(client, item, "complete", &json!({ "outcome": outcome }))
}

fn migrate(client: &Client, id: &str, body: &Value) -> Reply {
    let path = format!("/api/v1/instances/{id}/migrate");
    client.post(&path, body, None).unwrap()
}

#[test]
fn a_run_goes_on_in_the_new_version_also_after_a_kill_and_whoever_asked_stays_excluded() {
    let agency = Agency::new();
    let running = agency.start();
    let kim = agency.client(&running, "kim");
    let id = started(&kim);
    assert_eq!(complete(&kim, &item(&kim, &id), "done").status, 200);
    let open = item(&kim, &id);
    agency.deploy(&running, &[NEXT, NOTED]);
    assert_eq!(
        show(&kim, &id)["version"],
        "1.0.0",
        "it stays where it began"
    );

    let alex = agency.client(&running, "alex");
    let path = format!("/api/v1/instances/{id}/migration-preview");
    let preview = alex.get(&path).unwrap().body;
    assert_eq!(
        (&preview["possible"], &preview["moved"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(preview["stands"][0]["after"], "/do/2/decision", "{preview}");
    assert_eq!(
        show(&kim, &id)["version"],
        "1.0.0",
        "a preview changes nothing"
    );

    let refused = migrate(&kim, &id, &json!({ "reason": "I want to" }));
    assert_eq!(
        (refused.status, &refused.body["code"]),
        (403, &json!("not-assigned"))
    );
    let silent = migrate(&alex, &id, &json!({ "reason": " " }));
    assert_eq!(silent.status, 422, "{silent:?}");
    let body = json!({ "to": "1.1.0", "reason": "the new law" });
    let path = format!("/api/v1/instances/{id}/migrate");
    let moved = alex.post(&path, &body, Some("one-move")).unwrap();
    assert_eq!(moved.status, 200, "{moved:?}");
    assert_eq!(moved.body["moved"], true);
    let again = alex.post(&path, &body, Some("one-move")).unwrap();
    assert_eq!(
        (again.status, &again.body),
        (200, &moved.body),
        "the same answer"
    );
    let second = migrate(&alex, &id, &body);
    assert_eq!(second.body["code"], "same-version", "{second:?}");
    running.kill();

    let running = agency.start();
    let kim = agency.client(&running, "kim");
    assert_eq!(show(&kim, &id)["version"], "1.1.0");
    assert_eq!(item(&kim, &id), open, "the open task is the same one");
    // Kim asked in the version before, and decides in no version.
    let own = act(&kim, &open, "claim", &json!({}));
    assert_eq!(
        (own.status, &own.body["code"]),
        (403, &json!("self-approval"))
    );
    let lee = agency.client(&running, "lee");
    assert_eq!(complete(&lee, &open, "approve").status, 200);
    let ended = show(&kim, &id);
    assert_eq!(ended["status"], "completed", "{ended}");
    assert_eq!(
        ended["output"],
        json!({ "asked": "done", "decided": "approve" })
    );

    // The whole way is told from the beginning, each event by the version that decided it.
    let history = format!("/api/v1/instances/{id}/history");
    let history = lee.get(&history).unwrap().body;
    let events: Vec<_> = history["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["event"].as_str().unwrap())
        .collect();
    assert_eq!(
        events,
        [
            "started",
            "work-item-completed",
            "migrated",
            "work-item-completed"
        ]
    );
    let migrated = &history["items"][2];
    assert_eq!(
        (&migrated["by"], &migrated["reason"]),
        (&json!("u-alex"), &json!("the new law"))
    );
    let case = ended["case"].as_str().unwrap();
    let timeline = lee
        .get(&format!("/api/v1/cases/{case}/timeline"))
        .unwrap()
        .body;
    let entries = timeline["items"].as_array().unwrap();
    let entry = entries
        .iter()
        .find(|entry| entry["action"] == "instance-migrated");
    assert_eq!(entry.unwrap()["detail"], "1.0.0 to 1.1.0", "{timeline}");
}

#[test]
fn no_run_is_moved_past_an_approval_and_nothing_of_it_changes() {
    let agency = Agency::new();
    let running = agency.start();
    let (kim, alex) = (
        agency.client(&running, "kim"),
        agency.client(&running, "alex"),
    );
    let (asking, deciding) = (started(&kim), started(&kim));
    assert_eq!(complete(&kim, &item(&kim, &deciding), "done").status, 200);
    let renamed = ("$steps.decision.outcome", "$steps.judgement.outcome");
    agency.deploy(&running, &[NEXT, RENAMED, renamed]);
    for (id, code) in [(&asking, "approval-lost"), (&deciding, "task-gone")] {
        let before = show(&kim, id);
        let refused = migrate(&alex, id, &json!({ "reason": "so" }));
        assert_eq!(
            (refused.status, &refused.body["code"]),
            (409, &json!("not-migratable"))
        );
        let path = format!("/api/v1/instances/{id}/migration-preview");
        let preview = alex.get(&path).unwrap().body;
        let codes = preview["obstacles"].as_array().unwrap().iter();
        let codes: Vec<_> = codes.map(|one| one["code"].as_str().unwrap()).collect();
        assert!(codes.contains(&code), "{preview}");
        assert_eq!(show(&kim, id), before);
    }
    let other = migrate(&alex, &asking, &json!({ "to": "2.0.0", "reason": "so" }));
    assert_eq!(other.body["code"], "unknown-version", "{other:?}");
    let detail = other.body["detail"].as_str().unwrap();
    assert!(detail.contains("1.1.0 is"), "{detail}");
}

#[test]
fn a_decided_approval_is_not_decided_again_and_a_move_is_taken_back() {
    let agency = Agency::new();
    let running = agency.start();
    let (kim, lee) = (
        agency.client(&running, "kim"),
        agency.client(&running, "lee"),
    );
    let after = "  - handed:\n      call: human-task\n      with: { title: Hand it over, \
                 assign: { role: case-worker } }\n  - told:\n";
    let with_more = ("  - told:\n", after);
    agency.deploy(&running, &[with_more]);
    let id = started(&kim);
    assert_eq!(complete(&kim, &item(&kim, &id), "done").status, 200);
    assert_eq!(complete(&lee, &item(&kim, &id), "approve").status, 200);
    let open = item(&kim, &id);
    agency.deploy(&running, &[NEXT, NOTED, with_more]);
    let alex = agency.client(&running, "alex");
    let moved = migrate(&alex, &id, &json!({ "reason": "the new law" }));
    assert_eq!(moved.status, 200, "{moved:?}");
    let back = migrate(&alex, &id, &json!({ "undo": true, "reason": "too early" }));
    assert_eq!(back.status, 200, "{back:?}");
    assert_eq!(show(&kim, &id)["version"], "1.0.0");
    let again = migrate(&alex, &id, &json!({ "reason": "now it is time" }));
    assert_eq!(again.status, 200, "{again:?}");
    running.kill();
    let running = agency.start();
    let kim = agency.client(&running, "kim");
    assert_eq!(item(&kim, &id), open, "only the last step is open");
    assert_eq!(complete(&kim, &open, "done").status, 200);
    let ended = show(&kim, &id);
    assert_eq!(ended["version"], "1.1.0");
    assert_eq!(ended["output"]["decided"], "approve", "{ended}");
}

#[test]
fn the_command_line_says_of_each_run_what_would_become_of_it() {
    let agency = Agency::new();
    let running = agency.start();
    let kim = agency.client(&running, "kim");
    let (asking, deciding) = (started(&kim), started(&kim));
    assert_eq!(complete(&kim, &item(&kim, &deciding), "done").status, 200);
    // The step that the second one stands at ends in another way there.
    let outcomes = (
        "due: 3 business days",
        "due: 3 business days\n        outcomes: [approve, no]",
    );
    agency.deploy(&running, &[NEXT, outcomes]);
    let preview = agency.command(&running, &["migrate", "ask", "--preview"]);
    let told = String::from_utf8(preview.stdout).unwrap();
    assert_eq!(preview.status.code(), Some(1), "{told}");
    assert!(
        told.contains(&format!("{asking}: can be moved, 1.0.0 to 1.1.0")),
        "{told}"
    );
    assert!(told.contains(&format!("{deciding}: stays")), "{told}");
    assert!(
        told.contains("can end in other ways there: approve, no"),
        "{told}"
    );
    assert!(told.ends_with("1 of 2 can be moved\n"), "{told}");
    let all = [
        "migrate",
        "ask",
        "--to",
        "1.1.0",
        "--reason",
        "the new law",
        "--json",
    ];
    let moved = agency.command(&running, &all);
    assert_eq!(moved.status.code(), Some(1));
    let printed: Value = serde_json::from_slice(&moved.stdout).unwrap();
    let of = |id: &str| {
        let items = printed["items"].as_array().unwrap();
        items.iter().find(|one| one["id"] == id).unwrap()["moved"] == true
    };
    assert!(of(&asking) && !of(&deciding), "{printed}");
    let again = [
        "migrate",
        "ask",
        "--reason",
        "once more",
        "--instance",
        &asking,
    ];
    let again = agency.command(&running, &again);
    let told = String::from_utf8(again.stdout).unwrap();
    assert_eq!(again.status.code(), Some(0), "{told}");
    assert!(
        told.contains("is there already") && told.ends_with("0 of 1 moved\n"),
        "{told}"
    );
    assert_eq!(show(&kim, &asking)["version"], "1.1.0");
    assert_eq!(show(&kim, &deciding)["version"], "1.0.0");
    let one = [
        "migrate",
        "ask",
        "--undo",
        "--reason",
        "too early",
        "--instance",
        &asking,
    ];
    assert_eq!(agency.command(&running, &one).status.code(), Some(0));
    assert_eq!(show(&kim, &asking)["version"], "1.0.0");
    let usage = agency.command(&running, &["migrate", "ask"]);
    assert_eq!(usage.status.code(), Some(2), "a move says why");
}
