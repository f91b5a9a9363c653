//! The keys of a server from the command line: the recovery secret, exports, rolls, and a backup of
//! before that comes back with them.
//!
//! That an erased case stays away is shown where time can be moved: the tests of store and runtime.

#![allow(clippy::unwrap_used, reason = "a panic is how a test reports")]

mod front_door {
    pub(crate) mod client;
    pub(crate) mod served;
}

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use front_door::served::{Served, agency};
use serde_json::{Value, json};

const PACK: &str = "
namespace: small-agency
title: Small agency
timeZone: Australia/Brisbane
caseNumber: SA-{year}-{number:5}
roles:
  case-worker: { title: Case worker, starts: true }
";

const WAIT: &str = "
document: { dsl: '1.0.3', namespace: small-agency, name: look, version: '1.0.0' }
do:
  - look: { call: human-task, with: { title: Look, assign: { role: case-worker } } }
";

/// A small agency, with a recovery secret of its own.
struct Office {
    folder: tempfile::TempDir,
    /// What the configuration names.
    key: String,
}

/// How a command ended: its code, what it wrote and what it said.
struct Ended {
    code: Option<i32>,
    out: String,
    said: String,
}

impl Ended {
    #[track_caller]
    fn well(&self) -> &str {
        assert_eq!(self.code, Some(0), "{}{}", self.out, self.said);
        &self.out
    }

    #[track_caller]
    fn refused(&self, code: i32, sentence: &str) {
        assert_eq!(self.code, Some(code), "{}{}", self.out, self.said);
        assert!(self.said.contains(sentence), "{}", self.said);
    }
}

fn casewright(arguments: &[&str]) -> Ended {
    let mut command = Command::new(env!("CARGO_BIN_EXE_casewright"));
    let ended = command.args(arguments).env("NO_COLOR", "1").output();
    let ended = ended.unwrap();
    Ended {
        code: ended.status.code(),
        out: String::from_utf8(ended.stdout).unwrap(),
        said: String::from_utf8(ended.stderr).unwrap(),
    }
}

impl Office {
    fn new() -> Self {
        let files = [("pack/pack.yaml", PACK), ("pack/look.yaml", WAIT)];
        let folder = agency(&files, &[("kim", "\"case-worker\"")]);
        let mut office = Self {
            folder,
            key: String::new(),
        };
        let made = casewright(&["keys", "recovery", "--json", "--out", &office.at("secret")]);
        let made: Value = serde_json::from_str(made.well()).unwrap();
        made["key"].as_str().unwrap().clone_into(&mut office.key);
        office
    }

    /// The server keeps exports at this place.
    fn exporting(self, to: &str) -> Self {
        let config = self.folder.path().join("casewright.toml");
        let text = fs::read_to_string(&config).unwrap();
        let key = &self.key;
        let text = format!("{text}[recovery]\nkey = \"{key}\"\nexport = \"{to}\"\n");
        fs::write(config, text).unwrap();
        self
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn at(&self, name: &str) -> String {
        let path: PathBuf = self.path().join(name);
        path.to_str().unwrap().to_owned()
    }

    /// A command that finds the store by the configuration.
    fn ask(&self, arguments: &[&str]) -> Ended {
        let config = self.at("casewright.toml");
        casewright(&[arguments, &["--config", &config]].concat())
    }

    fn keys(&self) -> String {
        fs::read_to_string(self.path().join("keys/epoch.json")).unwrap()
    }

    /// Makes the data of a backup again in another folder, with an export and a secret.
    fn restore(&self, to: &str, export: &str, secret: &str) -> Ended {
        let (data, keys) = (self.at(to), self.at(&format!("{to}/epoch.json")));
        let (backup, export, secret) = (self.at("backup"), self.at(export), self.at(secret));
        casewright(&[
            "restore",
            &backup,
            "--data",
            &data,
            "--keys",
            &keys,
            "--key-export",
            &export,
            "--recovery",
            &secret,
        ])
    }
}

fn begin(server: &Served, folder: &Path) -> String {
    let client = server.client(folder, "kim.json");
    let started = client.post("/api/v1/instances", &json!({"workflow": "look"}), None);
    let started = started.unwrap();
    assert_eq!(started.status, 201, "{started:?}");
    started.body["id"].as_str().unwrap().to_owned()
}

#[test]
fn a_backup_of_before_a_roll_comes_back_with_the_export_and_the_secret() {
    let office = Office::new().exporting("elsewhere.export");
    let server = Served::new(office.path());
    let first = fs::read(office.path().join("elsewhere.export")).unwrap();
    let run = begin(&server, office.path());
    office
        .ask(&["backup", "--out", &office.at("backup")])
        .well();
    let before = office.keys();
    fs::copy(office.at("keys/epoch.json"), office.at("old-key")).unwrap();

    // Of the agency and of the case.
    let told = office.ask(&["keys", "export", "--json"]);
    let told: Value = serde_json::from_str(told.well()).unwrap();
    assert_eq!(told["keys"], 2, "{told}");
    assert_eq!(told["export"], office.at("elsewhere.export"));
    assert_eq!(office.keys(), before, "an export changes nothing");
    let rolled = office.ask(&["keys", "roll"]);
    assert!(rolled.well().contains("anew: 2;"), "{}", rolled.out);
    assert_ne!(office.keys(), before);
    assert_ne!(fs::read(office.at("elsewhere.export")).unwrap(), first);

    // It goes on, and starts again.
    begin(&server, office.path());
    assert!(server.stop().success());
    let server = Served::new(office.path());
    let client = server.client(office.path(), "kim.json");
    let path = format!("/api/v1/instances/{run}");
    assert_eq!(client.get(&path).unwrap().status, 200);
    drop(server);
    office.ask(&["audit", "verify"]).well();

    let (data, keys) = (office.at("again"), office.at("keys/epoch.json"));
    let alone = [
        "restore",
        &office.at("backup"),
        "--data",
        &data,
        "--keys",
        &keys,
    ];
    casewright(&alone).refused(1, "`--key-export`");
    casewright(&["keys", "recovery", "--out", &office.at("another")]).well();
    let foreign = office.restore("again", "elsewhere.export", "another");
    foreign.refused(1, "sealed for another recovery secret");
    let no_secret = office.restore("again", "elsewhere.export", "passphrase");
    no_secret.refused(1, "this is no recovery secret");
    let no_export = office.restore("again", "passphrase", "secret");
    no_export.refused(1, "this is no export of keys");
    let missing = office.restore("again", "no.export", "secret");
    missing.refused(3, "no.export");
    assert!(!office.path().join("again/casewright.redb").exists());
    office.restore("again", "elsewhere.export", "secret").well();

    // What came back is what the backup had: served with the keys that came with the export.
    let config = fs::read_to_string(office.at("casewright.toml")).unwrap();
    let config = config
        .replace("\"data\"", "\"again\"")
        .replace("keys/epoch.json", "again/epoch.json");
    fs::write(office.at("casewright.toml"), config).unwrap();
    let server = Served::new(office.path());
    let client = server.client(office.path(), "kim.json");
    assert_eq!(client.get(&path).unwrap().status, 200);
}

#[test]
fn a_secret_is_written_once_and_never_shown() {
    let office = Office::new();
    let secret = fs::read_to_string(office.at("secret")).unwrap();
    let mode = fs::metadata(office.at("secret")).unwrap().permissions();
    assert_eq!(mode.mode() & 0o777, 0o600);
    let again = casewright(&["keys", "recovery", "--out", &office.at("secret")]);
    again.refused(3, "exists");
    assert_eq!(fs::read_to_string(office.at("secret")).unwrap(), secret);
    let told = casewright(&["keys", "recovery", "--out", &office.at("second")]);
    let second = fs::read_to_string(office.at("second")).unwrap();
    let hex = second.split_whitespace().last().unwrap();
    assert!(
        !told.well().contains(hex) && told.out.contains("[recovery]"),
        "{}",
        told.out
    );
    let mut asked = vec!["keys", "roll", "--recovery-key", "abc", "--export", "x"];
    asked.extend(["--data", "y"]);
    casewright(&asked).refused(2, "64 hexadecimal digits");
}

#[test]
fn without_a_place_for_the_export_nothing_is_rolled_and_without_a_server_it_is_named() {
    let office = Office::new();
    let server = Served::new(office.path());
    begin(&server, office.path());
    let before = office.keys();
    for what in ["roll", "export"] {
        office
            .ask(&["keys", what])
            .refused(3, "[recovery] of the configuration");
    }
    let (data, keys, export) = (
        office.at("data"),
        office.at("keys/epoch.json"),
        office.at("out"),
    );
    let named = |what| {
        let place = ["keys", what, "--data", &data, "--keys", &keys];
        casewright(
            &[
                &place[..],
                &["--export", &export, "--recovery-key", &office.key],
            ]
            .concat(),
        )
    };
    // The server has the store, and its configuration says where exports go.
    assert_eq!(named("roll").code, Some(3));
    assert!(!office.path().join("out").exists());
    assert_eq!(office.keys(), before);
    assert!(server.stop().success());
    office
        .ask(&["keys", "roll"])
        .refused(3, "[recovery] of the configuration");
    assert!(named("export").well().contains("in the export: 2"));
    assert!(named("roll").well().contains("anew: 2;"));
    assert_ne!(office.keys(), before);
    let nowhere = ["keys", "export", "--data", &office.at("none")];
    let nowhere = [
        &nowhere[..],
        &["--export", &export, "--recovery-key", &office.key],
    ]
    .concat();
    casewright(&nowhere).refused(3, "there is no store in");
}

#[test]
fn doctor_tells_of_files_that_are_erased_where_no_key_is_rolled() {
    let kept = "
retention:
  asks: [case-worker]
  decides: [case-worker]
  holds: [case-worker]
  classes: { file: { title: The file, keep: P7Y, from: closed } }
";
    let office = Office::new();
    let look = |office: &Office| {
        let told: Value = serde_json::from_str(&office.ask(&["doctor", "--json"]).out).unwrap();
        let mut all = told.as_array().unwrap().clone().into_iter();
        all.find(|one| one["check"] == "erasure")
    };
    assert_eq!(look(&office), None, "nothing is erased");
    fs::write(office.at("pack/pack.yaml"), format!("{PACK}{kept}")).unwrap();
    let ill = look(&office).unwrap();
    assert_eq!(ill["well"], false, "{ill}");
    let remedy = ill["remedy"].as_str().unwrap();
    assert!(remedy.contains("casewright keys recovery"), "{ill}");
    let office = office.exporting("elsewhere.export");
    assert_eq!(look(&office).unwrap()["well"], true);
}

#[test]
fn an_export_that_cannot_be_written_keeps_nobody_from_working() {
    let office = Office::new().exporting("not/there/keys.export");
    let said = office.path().join("said");
    let mut command = Command::new(env!("CARGO_BIN_EXE_casewright"));
    command.stderr(fs::File::create(&said).unwrap());
    let server = Served::by(office.path(), command);
    begin(&server, office.path());
    let said = fs::read_to_string(said).unwrap();
    assert!(said.contains("the keys could not be exported"), "{said}");
    let before = office.keys();
    office
        .ask(&["keys", "roll"])
        .refused(3, "not/there/keys.export");
    assert_eq!(office.keys(), before, "no epoch is begun");
    fs::create_dir_all(office.at("not/there")).unwrap();
    office.ask(&["keys", "roll"]).well();
    assert_ne!(office.keys(), before);
}

#[test]
fn a_recovery_key_that_is_none_is_said_before_anything_begins() {
    let mut office = Office::new();
    office.key = "secret".to_owned();
    let office = office.exporting("elsewhere.export");
    office.ask(&["serve"]).refused(3, "key under [recovery]");
    assert!(!office.path().join("data").exists());
}
