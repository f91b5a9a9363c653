//! `casewright serve` with a small agency of its own: what many requests at once may do to one
//! fund, on the real store and over `kill -9`.
//!
//! The sample agency and its story are in `front_door.rs`.

#![allow(
    clippy::unwrap_used,
    reason = "a panic is how a test reports what went wrong"
)]

mod front_door {
    pub(crate) mod client;
    pub(crate) mod served;
}

use std::fs;
use std::path::Path;
use std::process::Command;

use front_door::client::Client;
use front_door::served::{Served, agency, token};
use serde_json::{Value, json};

const PACK: &str = "
namespace: small-agency
title: Small agency
timeZone: Australia/Brisbane
calendar: none
calendars: { none: none.ics }
caseNumber: SA-{year}-{number:5}
roles:
  case-worker: { title: Case worker, starts: true }
  administrator: { title: Administrator, administers: true }
funds:
  brokerage: { title: Brokerage, allocated: { minor: 100000, currency: AUD } }
";

const CALENDAR: &str = "BEGIN:VCALENDAR\r
VERSION:2.0\r
PRODID:-//Casewright//tests//EN\r
BEGIN:VEVENT\r
UID:1@casewright.example\r
DTSTAMP:20260101T000000Z\r
DTSTART;VALUE=DATE:20261225\r
SUMMARY:Christmas Day\r
END:VEVENT\r
END:VCALENDAR\r
";

const RESERVE: &str = "
document: { dsl: '1.0.3', namespace: small-agency, name: reserve, version: '1.0.0' }
do:
  - take:
      try:
        - hold:
            call: fund.reserve
            with: { fund: brokerage, money: { minor: 10000, currency: AUD } }
      catch:
        errors: { with: { type: urn:casewright:error:insufficient-funds } }
        do:
          - none:
              set: { refused: true }
";

fn small_agency() -> tempfile::TempDir {
    let files = [
        ("pack/pack.yaml", PACK),
        ("pack/none.ics", CALENDAR),
        ("pack/reserve.yaml", RESERVE),
    ];
    agency(&files, &[("kim", "\"case-worker\", \"administrator\"")])
}

fn start(folder: &Path) -> (Served, Client) {
    let server = Served::new(folder);
    let client = server.client(folder, "kim.json");
    (server, client)
}

#[test]
fn of_fifty_reservations_at_once_a_fund_of_ten_pays_exactly_ten() {
    let folder = small_agency();
    let (server, client) = start(folder.path());
    let one = |_| {
        let body = json!({ "workflow": "reserve" });
        let started = client.post("/api/v1/instances", &body, None).unwrap();
        assert_eq!(started.status, 201, "{started:?}");
        let path = format!("/api/v1/instances/{}", started.body["id"].as_str().unwrap());
        let ended = client.get(&path).unwrap();
        assert_eq!(ended.body["status"], "completed", "{ended:?}");
        ended.body["output"]["refused"] != true
    };
    let reserved: Vec<bool> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..50).map(|n| scope.spawn(move || one(n))).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    assert_eq!(reserved.iter().filter(|yes| **yes).count(), 10);
    server.kill();

    let (_server, client) = start(folder.path());
    let funds = client.get("/api/v1/funds").unwrap();
    let fund = &funds.body["items"][0];
    assert_eq!(
        (&fund["reserved"]["minor"], &fund["available"]["minor"]),
        (&json!(100_000), &json!(0)),
        "{funds:?}"
    );
}

/// What a server logs as JSON, a value for each line; nothing else is on standard error.
fn logged(folder: &Path, act: impl FnOnce(&Client)) -> Vec<Value> {
    let said = folder.join("said");
    let mut command = Command::new(env!("CARGO_BIN_EXE_casewright"));
    command
        .env("CASEWRIGHT_LOG", "debug")
        .stderr(fs::File::create(&said).unwrap());
    let server = Served::with(folder, command, &["--log-format", "json"]);
    act(&server.client(folder, "kim.json"));
    assert!(server.stop().success());
    let said = fs::read_to_string(said).unwrap();
    let lines = said.lines().map(|line| {
        let line = serde_json::from_str(line);
        line.unwrap_or_else(|error| panic!("{error} in {said}"))
    });
    lines.collect()
}

/// The line with this message.
#[track_caller]
fn line<'a>(log: &'a [Value], message: &str) -> &'a Value {
    let mut lines = log.iter();
    let found = lines.find(|line| line["message"] == message);
    found.unwrap_or_else(|| panic!("no `{message}` in {log:?}"))
}

#[test]
fn an_operator_reads_in_the_log_what_the_server_does() {
    let folder = small_agency();
    let log = logged(folder.path(), |client| {
        let body = json!({ "workflow": "reserve" });
        let started = client.post("/api/v1/instances", &body, None).unwrap();
        assert_eq!(started.status, 201, "{started:?}");
    });
    let starting = line(&log, "starting");
    assert_eq!(starting["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(
        starting["data"],
        folder.path().join("data").to_str().unwrap()
    );
    assert_eq!(line(&log, "serving")["address"], starting["address"]);
    let pack = line(&log, "a pack is in force");
    assert_eq!(
        (&pack["agency"], &pack["from"]),
        (&json!("small-agency"), &json!("configuration"))
    );
    let request = line(&log, "request");
    assert_eq!(request["level"], "DEBUG");
    assert_eq!(request["route"], "/api/v1/instances");
    assert_eq!(
        (&request["method"], &request["status"]),
        (&json!("POST"), &json!(201))
    );
    line(&log, "stopped");
}

/// A pack that sends messages, served where nobody sends them.
#[test]
fn a_pack_that_sends_messages_without_a_gateway_is_told_by_doctor_and_at_the_start() {
    let folder = small_agency();
    let tell = "
document: { dsl: '1.0.3', namespace: small-agency, name: tell, version: '1.0.0' }
do:
  - tell: { call: notify, with: { to: { relation: parent }, template: hello } }
";
    let pack = folder.path().join("pack");
    fs::write(pack.join("tell.yaml"), tell).unwrap();
    fs::create_dir(pack.join("messages")).unwrap();
    fs::write(pack.join("messages/hello.yaml"), "text: Please ring us\n").unwrap();
    let config = folder.path().join("casewright.toml");
    let look = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_casewright"));
        command.args(["doctor", "--json", "--config"]).arg(&config);
        let told: Value = serde_json::from_slice(&command.output().unwrap().stdout).unwrap();
        let mut all = told.as_array().unwrap().clone().into_iter();
        all.find(|one| one["check"] == "messages").unwrap()
    };
    let ill = look();
    assert_eq!(ill["well"], false, "{ill}");
    let found = ill["found"].as_str().unwrap();
    assert!(found.contains("/pack send some (tell)"), "{ill}");
    let remedy = ill["remedy"].as_str().unwrap();
    assert!(
        remedy.contains("[notify]") && remedy.contains("casewright.toml"),
        "{ill}"
    );
    let log = logged(folder.path(), |client| {
        client.get("/readyz").unwrap();
    });
    let told = log.iter().filter_map(|line| line["message"].as_str());
    let told: Vec<_> = told.filter(|text| text.contains("no gateway")).collect();
    assert!(
        told[0].contains("(tell)") && told[0].contains("[notify]"),
        "{log:?}"
    );

    let text = fs::read_to_string(&config).unwrap();
    let named = format!("{text}[notify]\nendpoint = \"https://sms.example/messages\"\n");
    fs::write(&config, named).unwrap();
    assert_eq!(look()["well"], true);
    fs::remove_file(pack.join("tell.yaml")).unwrap();
    fs::write(&config, text).unwrap();
    assert_eq!(look()["well"], true);
}

#[test]
fn a_level_that_is_none_is_said_before_anything_begins() {
    let folder = small_agency();
    let config = folder.path().join("casewright.toml");
    for (variable, arguments, named) in [
        ("", &["--log", "loud"][..], "--log: `loud` is no level"),
        (
            "info,hyper=trace",
            &[],
            "CASEWRIGHT_LOG: `hyper=trace` names no part",
        ),
        (
            "",
            &["--log-format", "xml"],
            "[possible values: text, json]",
        ),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_casewright"));
        command.args(["serve", "--config"]).arg(&config);
        command.args(arguments).env("CASEWRIGHT_LOG", variable);
        let ended = command.output().unwrap();
        let said = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(2), "{said}");
        assert!(said.contains(named), "{said}");
        assert!(!folder.path().join("data").exists(), "{said}");
    }
}

/// A server whose disk fails from its nth call on, as strace plays it. `None` where there is no
/// strace, or where nobody may trace.
fn failing_server(folder: &Path, call: &str, nth: u32) -> Option<(Served, Client)> {
    let traced = Command::new("strace")
        .args(["-o", "/dev/null", "true"])
        .status();
    if !traced.is_ok_and(|status| status.success()) {
        return None;
    }
    let mut command = Command::new("strace");
    command
        .args(["-f", "-qq", "-o", "/dev/null", "-e"])
        .arg(format!("trace={call}"))
        .arg("-e")
        .arg(format!("inject={call}:error=EIO:when={nth}+"))
        .arg(env!("CARGO_BIN_EXE_casewright"))
        .stderr(fs::File::create(folder.join("said")).unwrap());
    let server = Served::by(folder, command);
    let client = server.client(folder, "kim.json");
    Some((server, client))
}

#[test]
fn a_server_whose_disk_fails_ends_and_says_so_and_has_lost_nothing() {
    // Calls are counted for each thread; opening makes fewer.
    for (call, nth) in [("fdatasync", 60), ("pwrite64", 600)] {
        let folder = small_agency();
        let Some((mut server, client)) = failing_server(folder.path(), call, nth) else {
            eprintln!("not run: strace is missing or may not trace");
            return;
        };
        let body = json!({ "workflow": "reserve" });
        let start_one = || client.post("/api/v1/instances", &body, None);
        let mut acknowledged = Vec::new();
        while let Ok(started) = start_one() {
            if started.status != 201 {
                break;
            }
            acknowledged.push(started.body["id"].as_str().unwrap().to_owned());
            assert!(acknowledged.len() < 1_000, "{call} never failed");
        }
        let status = server.ended();
        let said = fs::read_to_string(folder.path().join("said")).unwrap();
        assert_eq!(status.code(), Some(3), "{call}: {said}");
        assert!(
            said.contains("the disk failed, stopping: "),
            "{call}: {said}"
        );
        assert!(!acknowledged.is_empty(), "{call} failed at once");

        let (_server, client) = start(folder.path());
        for id in acknowledged {
            let found = client.get(&format!("/api/v1/instances/{id}")).unwrap();
            assert_eq!(found.status, 200, "{call}: {id} is lost");
        }
    }
}

/// `casewright deploy` of a folder on that server; whether it went well, and what it wrote.
fn deploy(server: &Path, client: &Client, pack: &Path) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_casewright"))
        .arg("deploy")
        .arg(pack)
        .args(["--server", client.url()])
        .env("CASEWRIGHT_TOKEN", token(server, "kim.json"))
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).unwrap())
}

#[test]
fn a_pack_is_deployed_from_the_command_line_and_stands_over_a_restart() {
    let (folder, authored) = (small_agency(), small_agency());
    let (server, client) = start(folder.path());
    let pack = authored.path().join("pack");
    let version = |client: &Client| {
        let workflows = client.get("/api/v1/workflows").unwrap();
        workflows.body["items"][0]["version"].clone()
    };

    fs::write(
        pack.join("reserve.yaml"),
        RESERVE.replace("fund.reserve", "fund.reserves"),
    )
    .unwrap();
    let (well, told) = deploy(folder.path(), &client, &pack);
    assert!(
        !well && told.contains("fund.reserves") && told.contains("reserve.yaml:7"),
        "{told}"
    );
    assert!(told.contains("did you mean `fund.reserve`?"), "{told}");
    assert_eq!(version(&client), "1.0.0");

    fs::write(pack.join("reserve.yaml"), RESERVE.replace("1.0.0", "1.1.0")).unwrap();
    let (well, told) = deploy(folder.path(), &client, &pack);
    assert!(well && told.contains("small-agency is in force"), "{told}");
    assert_eq!(version(&client), "1.1.0");
    server.kill();

    let (server, client) = start(folder.path());
    assert_eq!(
        version(&client),
        "1.1.0",
        "the folder of the server has not changed"
    );
    drop(server);
    fs::write(
        folder.path().join("pack/reserve.yaml"),
        RESERVE.replace("1.0.0", "1.2.0"),
    )
    .unwrap();
    let (_server, client) = start(folder.path());
    assert_eq!(version(&client), "1.2.0");
    let (well, told) = deploy(folder.path(), &client, folder.path());
    assert!(!well && told.contains("has no pack.yaml"), "{told}");
}

/// What `casewright init` makes is valid, passes its tests and can be served; what is there already
/// stays.
#[test]
fn a_new_agency_is_whole_as_it_is_made() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("North Team");
    let casewright = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_casewright"));
        let ended = command.args(arguments).env("NO_COLOR", "1").output();
        let ended = ended.unwrap();
        let talk = [ended.stdout, ended.stderr].concat();
        (
            ended.status.code(),
            String::from_utf8(talk).unwrap_or_default(),
        )
    };
    let at = |path: &str| folder.join(path).to_str().unwrap().to_owned();
    let title = "Family support: north \"and\" south";
    let (code, said) = casewright(&["init", &at(""), "--title", title]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("`north-team`"), "{said}");
    for asked in [["validate", &at("pack")], ["test", &at("pack")]] {
        let (code, said) = casewright(&asked);
        assert_eq!(code, Some(0), "{asked:?}: {said}");
        // It calls none.
        assert!(!said.contains("plugin"), "{asked:?}: {said}");
    }
    let made = fs::read_to_string(at("pack/pack.yaml")).unwrap();
    let (code, said) = casewright(&["init", &at("")]);
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("not empty"), "{said}");
    assert_eq!(fs::read_to_string(at("pack/pack.yaml")).unwrap(), made);
    for wrong in [["--namespace", "North"], ["--title", "two\nlines"]] {
        let other = place.path().join("other");
        let arguments = [&["init", other.to_str().unwrap()][..], &wrong].concat();
        assert_eq!(casewright(&arguments).0, Some(2), "{wrong:?}");
        assert!(!other.exists(), "{wrong:?}");
    }

    let config = fs::read_to_string(at("casewright.toml")).unwrap();
    let config = config.replace("127.0.0.1:8080", "127.0.0.1:0").replace(
        "passphrase_file = \"secrets/casey.txt\"",
        "passphrase_file = \"secrets/casey.txt\"\ntoken_file = \"kim.json\"",
    );
    fs::write(at("casewright.toml"), config).unwrap();
    let (_server, client) = start(&folder);
    let asked = json!({ "workflow": "ask-for-help", "input": {} });
    let started = client.post("/api/v1/instances", &asked, None).unwrap();
    assert_eq!(started.status, 201, "{started:?}");
}
