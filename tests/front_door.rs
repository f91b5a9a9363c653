//! The product by its front door: one real process, HTTP, `kill -9`.
//!
//! A case worker asks for $1,300 of brokerage, is refused her own approval, somebody else approves,
//! a plugin pays once; then the same while the process is killed at random moments.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a panic is how a test reports, and a seed must be printed"
)]

mod front_door {
    pub(crate) mod agency;
    pub(crate) mod bookkeeping;
    pub(crate) mod client;
    pub(crate) mod family;
    pub(crate) mod housing;
    pub(crate) mod referral;
    pub(crate) mod seed;
    pub(crate) mod story;
}

use std::path::Path;
use std::process::{Command, Output};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use front_door::agency::Agency;
use front_door::bookkeeping;
use front_door::client::Client;
use front_door::family::Family;
use front_door::housing::{Application, decide, one_application};
use front_door::referral;
use front_door::seed::Seed;
use front_door::story::{self, Story};
use serde_json::{Value, json};

/// How many kills: few for the quick path; `CASEWRIGHT_CRASHES` sets the size of a campaign.
const CRASHES: usize = 4;

/// Stories of one agency: its fund pays for fifteen.
const STORIES: usize = 12;

#[test]
fn a_brokerage_request_is_approved_by_a_second_person_and_paid_once() {
    let mut agency = Agency::start();
    let story = Story::new("plain");
    story.tell(&mut agency);
    let journal = agency.journal();
    assert_eq!(
        journal["payments"].as_array().unwrap().len(),
        1,
        "{journal:#}"
    );
}

#[test]
fn the_partner_pays_once_even_when_it_drops_the_connection_after_paying() {
    let mut agency = Agency::start();
    let fault = json!({"path": "/pay/payments", "nth": 1, "kind": "drop-after-commit"});
    agency.order_fault(&fault);
    Story::new("dropped").tell(&mut agency);
    let journal = agency.journal();
    assert_eq!(
        journal["payments"].as_array().unwrap().len(),
        1,
        "{journal:#}"
    );
    assert!(
        journal["requests"].as_array().unwrap().len() > 1,
        "the fault was suffered"
    );
}

#[test]
fn a_failed_payment_goes_on_by_an_administrator_and_is_made_once() {
    let mut agency = Agency::start();
    agency.order_fault(&json!({"path": "/pay/payments", "nth": 1, "kind": "status:403"}));
    let story = Story::new("mended");
    story.ask(&mut agency);
    story.approve(&mut agency);
    let failed = story.failed(&mut agency);
    assert!(!failed.to_string().contains("Ridgeview"), "{failed}");
    let id = failed["id"].as_str().unwrap();

    let path = format!("/api/v1/instances/{id}/retry");
    let body = json!({"reason": "credential renewed"});
    for role in ["case-worker", "service-manager"] {
        let reply = agency.client(role).post(&path, &body, None).unwrap();
        let found = (reply.status, reply.body["code"].as_str());
        assert_eq!(found, (403, Some("not-assigned")), "{role}");
    }
    let admin = agency.client("administrator");
    let first = admin.post(&path, &body, Some("again")).unwrap();
    assert_eq!(first.status, 200, "{first:?}");
    let second = admin.post(&path, &body, Some("again")).unwrap();
    assert_eq!(second.body, first.body, "the same request");
    story.is_paid(&mut agency);
    let late = admin.post(&path, &body, None).unwrap();
    let found = (late.status, late.body["code"].as_str());
    assert_eq!(found, (409, Some("not-retryable")));
    let payments = agency.journal()["payments"].as_array().unwrap().len();
    assert_eq!(payments, 1);
}

#[test]
fn killed_at_random_moments_it_ends_the_same() {
    let wanted = std::env::var("CASEWRIGHT_CRASHES").map_or(CRASHES, |size| size.parse().unwrap());
    let mut seed = Seed::new();
    println!("seed {}", seed.number());
    let mut kills = 0;
    while kills < wanted {
        let mut agency = Agency::start();
        let mut stories = 0;
        while stories < STORIES && kills + agency.kills() < wanted {
            if seed.next(3) == 0 {
                let fault = json!({"path": "/pay/payments", "nth": 1, "kind": "drop-after-commit"});
                agency.order_fault(&fault);
            }
            agency.arm(&mut seed);
            Story::new(&format!("crash-{stories}")).tell(&mut agency);
            stories += 1;
        }
        agency.disarm();
        let journal = agency.journal();
        let paid = journal["payments"].as_array().unwrap().len();
        assert_eq!(
            paid, stories,
            "each story is paid exactly once: {journal:#}"
        );
        kills += agency.kills();
        println!("{} kills over {stories} stories", agency.kills());
    }
}

#[test]
fn a_partners_answer_is_taken_once_though_it_comes_early_and_twice_over_kills() {
    let mut agency = Agency::start();
    let mine = referral::refer(&mut agency, "mine");
    let other = referral::refer(&mut agency, "other");
    let number = referral::number(&mut agency, &mine);
    // Before anybody waits for it, acknowledged, and killed at once.
    referral::answer(&mut agency, "a-1", &number, "there is a place");
    agency.kill();
    referral::answer(&mut agency, "a-1", &number, "there is a place");
    referral::send(&mut agency, &mine);
    referral::send(&mut agency, &other);
    agency.kill();
    referral::answer(&mut agency, "a-1", &number, "there is a place");
    let read = |view: &serde_json::Value| view["waiting"][0]["task"] == "read";
    referral::stands(&mut agency, &mine, read);
    assert_eq!(referral::received(&mut agency, &mine), 1);

    let waits = |view: &serde_json::Value| view["waiting"][0]["kind"] == "event";
    let view = referral::stands(&mut agency, &other, waits);
    let expected = json!(["org.partner.referral-answered"]);
    assert_eq!(view["waiting"][0]["events"], expected, "{view:#}");
    assert_eq!(referral::received(&mut agency, &other), 0);
    assert!(agency.kills() >= 2);
}

#[test]
fn an_application_is_sent_once_and_answered_by_callback_over_kills() {
    let mut agency = Agency::start();
    let sent_to = agency.url();
    let application = Application::new("callback");
    // Accepted by the register, and nobody hears of it; then the engine is killed.
    let fault = json!({"path": "/housing/applications", "nth": 1, "kind": "drop-after-commit"});
    agency.order_fault(&fault);
    application.apply(&mut agency);
    agency.kill();
    application.waits(&mut agency);
    agency.kill();
    application.waits(&mut agency);
    let told = decide(&agency.partner(), 3);
    // Its port may have been taken by somebody else meanwhile; then the register is asked.
    if agency.url() == sent_to {
        assert_eq!(told, [202; 3], "repeated messages are acknowledged");
    }
    agency.kill();
    let output = application.ends(&mut agency);
    assert_eq!(
        (&output["state"], &output["needLevel"]),
        (&json!("registered"), &json!("high"))
    );
    assert_eq!(application.returned(&mut agency), 1);
    let journal = agency.journal();
    let application = one_application(&journal);
    assert_eq!(
        (&application["told"], &application["state"]),
        (&json!(3), &json!("registered"))
    );
    let body = application["body"].to_string();
    assert!(
        !body.contains("callback"),
        "nothing but the application is in it: {body}"
    );
}

#[test]
fn an_answer_that_is_faster_than_the_register_s_own_is_not_lost() {
    let mut agency = Agency::start();
    let order = json!({"state": "declined", "callbacks": 2, "early": true});
    let reply = agency
        .partner()
        .post("/_ctl/housing", &order, None)
        .unwrap();
    assert_eq!(reply.status, 200, "{reply:?}");
    let application = Application::new("early");
    application.apply(&mut agency);
    let output = application.ends(&mut agency);
    assert_eq!(output["state"], "declined");
    assert_eq!(application.returned(&mut agency), 1);
    one_application(&agency.journal());
}

#[test]
fn without_a_callback_the_register_is_asked() {
    let mut agency = Agency::start();
    let application = Application::new("poll");
    application.apply(&mut agency);
    application.waits(&mut agency);
    // The register is out of order when it is asked first.
    let fault = json!({"path": "/housing/applications/H-000001", "nth": 1, "kind": "status:503"});
    agency.order_fault(&fault);
    assert!(decide(&agency.partner(), 0).is_empty());
    agency.kill();
    let output = application.ends(&mut agency);
    assert_eq!(output["state"], "registered");
    assert_eq!(application.returned(&mut agency), 1);
    let journal = agency.journal();
    assert_eq!(one_application(&journal)["told"], 0);
}

#[test]
fn a_callback_under_no_token_finds_nothing() {
    let agency = Agency::start();
    let stranger: Client = agency.stranger();
    for token in ["cwc_0", "x", "..%2F..%2Fcases"] {
        let path = format!("/api/v1/callbacks/{token}");
        let reply = stranger
            .post(&path, &json!({"state": "registered"}), None)
            .unwrap();
        assert_eq!(
            (reply.status, &reply.body["code"]),
            (404, &json!("not-found")),
            "{token}"
        );
    }
}

#[test]
fn of_two_who_claim_at_once_one_gets_it() {
    let mut agency = Agency::start();
    let story = Story::new("race");
    story.ask(&mut agency);
    let decision = story.item(&mut agency, "decision");
    let path = format!("/api/v1/work-items/{decision}/claim");
    let clients = [
        agency.client("team-leader"),
        agency.client("service-manager"),
    ];
    let answers: Vec<_> = std::thread::scope(|scope| {
        let claims = clients.map(|client| {
            let path = path.clone();
            scope.spawn(move || client.post(&path, &json!({}), None).unwrap())
        });
        claims.map(|claim| claim.join().unwrap()).into()
    });
    let won = answers.iter().filter(|answer| answer.status == 200).count();
    let lost: Vec<_> = answers
        .iter()
        .filter(|answer| answer.status != 200)
        .collect();
    assert_eq!((won, lost.len()), (1, 1), "{answers:?}");
    assert_eq!(
        (lost[0].status, lost[0].body["code"].as_str()),
        (409, Some("already-claimed"))
    );
}

/// A small file system of its own, unmounted at the end.
#[test]
fn a_family_is_taken_in_helped_and_bid_farewell() {
    let mut agency = Agency::start();
    let number = Family::new("family").live(&mut agency);
    one_of_each(&agency.journal(), 1);
    assert!(number.starts_with("IFS-"), "{number}");
}

#[test]
fn killed_at_random_moments_a_family_comes_to_the_same_end() {
    let wanted = std::env::var("CASEWRIGHT_CRASHES").map_or(CRASHES, |size| size.parse().unwrap());
    let mut seed = Seed::new();
    println!("seed {}", seed.number());
    let mut agency = Agency::start();
    let mut families = 0;
    while agency.kills() < wanted {
        agency.arm(&mut seed);
        Family::new(&format!("family-{families}")).live(&mut agency);
        families += 1;
    }
    agency.disarm();
    println!("{} kills over {families} families", agency.kills());
    one_of_each(&agency.journal(), families);
}

/// One payment and one application for each family, whatever was sent how often.
fn one_of_each(journal: &Value, families: usize) {
    for kind in ["payments", "applications"] {
        let found = journal[kind].as_array().unwrap().len();
        assert_eq!(found, families, "{kind}: {journal:#}");
    }
}

#[test]
fn the_story_is_told_from_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let agency = Agency::start_in(folder.path());
    let ready = folder.path().join("ready.json");
    let form = folder.path().join("request.json");
    std::fs::write(&form, story::request().to_string()).unwrap();
    let ask = |role: &str, arguments: &[&str]| {
        let server = ["--ready-file", path(&ready), "--as", role, "--json"];
        let output = casewright(&[arguments, &server].concat());
        let answer: Value = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{arguments:?}: {output:?}"));
        (output.status.code(), answer)
    };
    let (code, started) = ask("case-worker", &["instance", "start", "brokerage"]);
    assert_eq!(code, Some(0), "{started:#}");
    let case = started["case"].as_str().unwrap();
    let task = |wanted: &str| {
        let mut changes = 0;
        loop {
            let (code, list) = ask("team-leader", &["task", "list", "--case", case]);
            assert_eq!(code, Some(0), "{list:#}");
            let mut items = list["items"].as_array().unwrap().iter();
            if let Some(item) = items.find(|item| item["task"] == wanted) {
                return item["id"].as_str().unwrap().to_owned();
            }
            changes += 1;
            assert!(changes < 1_000, "{list:#}");
        }
    };
    let request = task("request");
    assert_eq!(ask("case-worker", &["task", "claim", &request]).0, Some(0));
    // A form that is not filled is refused with its fields.
    let (code, refused) = ask("case-worker", &["task", "complete", &request]);
    assert_eq!((code, &refused["code"]), (Some(1), &json!("form-invalid")));
    let complete = ["task", "complete", &request, "--data", path(&form)];
    let (code, done) = ask("case-worker", &complete);
    assert_eq!(code, Some(0), "{done:#}");
    let decision = task("decision");
    let (code, refused) = ask("case-worker", &["task", "claim", &decision]);
    assert_eq!((code, &refused["code"]), (Some(1), &json!("self-approval")));
    assert_eq!(ask("team-leader", &["task", "claim", &decision]).0, Some(0));
    let approve = [
        "task",
        "complete",
        &decision,
        "--outcome",
        "approve",
        "--comment",
        "Agreed",
    ];
    assert_eq!(ask("team-leader", &approve).0, Some(0));
    let id = started["id"].as_str().unwrap();
    let paid = (0..1_000).any(|_| {
        let (_, shown) = ask("case-worker", &["instance", "show", id]);
        shown["output"]["outcome"] == "paid"
    });
    assert!(paid);
    let (_, timeline) = ask("case-worker", &["case", "timeline", case]);
    let mut entries = timeline["items"].as_array().unwrap().iter();
    assert!(
        entries.any(|entry| entry["action"] == "fund-committed"),
        "{timeline:#}"
    );
    bookkeeping::the_payment_is_taken_back(&ask, folder.path());
    let (code, unknown) = ask("case-worker", &["case", "show", "../users"]);
    assert_eq!((code, &unknown["code"]), (Some(1), &json!("not-found")));
    drop(agency);
    let output = casewright(&["task", "list", "--ready-file", path(&ready)]);
    assert_eq!(
        output.status.code(),
        Some(3),
        "the server is gone: {output:?}"
    );
}

/// How many backups: `CASEWRIGHT_BACKUPS` sets the size of a campaign.
const BACKUPS: usize = 2;

#[test]
fn a_backup_under_load_has_everything_acknowledged_before_it_and_is_restored_elsewhere() {
    let wanted = std::env::var("CASEWRIGHT_BACKUPS").map_or(BACKUPS, |size| size.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let keys = "keys/epoch.json";
    let mut agency = Agency::start_in(folder.path());
    // Where an agency keeps its data within its folder.
    let data = folder.path().join("data");
    Story::new("paid").tell(&mut agency);
    let open = Story::new("open");
    open.ask(&mut agency);
    let acknowledged = Mutex::new(Vec::new());
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let _ends = Ends(&over);
        for _ in 0..2 {
            let worker = agency.client("case-worker");
            let (acknowledged, over) = (&acknowledged, &over);
            scope.spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    let start = json!({"workflow": "brokerage"});
                    let reply = worker.post("/api/v1/instances", &start, None).unwrap();
                    let id = reply.body["id"].as_str().unwrap().to_owned();
                    acknowledged.lock().unwrap().push(id);
                }
            });
        }
        for number in 0..wanted {
            // The load is under way, and goes on.
            let before = acknowledged.lock().unwrap().len();
            while acknowledged.lock().unwrap().len() < before + 20 {
                std::thread::yield_now();
            }
            let before = acknowledged.lock().unwrap().clone();
            let file = folder.path().join(format!("{number}.backup"));
            let home = folder.path().join(format!("elsewhere-{number}"));
            let elsewhere = home.join("data");
            well(&["backup", "--data", path(&data), "--out", path(&file)]);
            std::fs::create_dir_all(elsewhere.join("keys")).unwrap();
            std::fs::copy(data.join(keys), elsewhere.join(keys)).unwrap();
            well(&["restore", path(&file), "--data", path(&elsewhere)]);
            let verified = well(&["audit", "verify", "--data", path(&elsewhere), "--json"]);
            let verified: Value = serde_json::from_slice(&verified).unwrap();
            assert!(verified["cases"].as_u64().unwrap() >= before.len() as u64 + 2);
            assert_eq!(verified["broken"], json!([]));
            assert!(verified["funds"].as_u64().unwrap() > 0);
            assert_eq!(verified["unbalanced"], json!([]));
            // A backup of what was restored is the same, byte by byte.
            let again = folder.path().join(format!("{number}-again.backup"));
            well(&["backup", "--data", path(&elsewhere), "--out", path(&again)]);
            assert!(std::fs::read(&file).unwrap() == std::fs::read(again).unwrap());
            let restored = Agency::start_in(&home);
            let worker = restored.client("case-worker");
            for id in &before {
                let reply = worker.get(&format!("/api/v1/instances/{id}")).unwrap();
                assert_eq!(reply.status, 200, "{id} was acknowledged: {reply:?}");
            }
        }
    });
    // What was open when it was backed up is carried on from there, and paid once.
    let mut restored = Agency::start_in(&folder.path().join("elsewhere-0"));
    open.tell(&mut restored);
    let journal = restored.journal();
    assert_eq!(journal["payments"].as_array().unwrap().len(), 1);
}

#[test]
fn an_older_file_put_back_is_refused_until_it_is_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let verify = ["audit", "verify", "--data", path(&data), "--json"];
    let turns = || {
        let report: Value = serde_json::from_slice(&well(&verify)).unwrap();
        report["turns"].as_array().unwrap().clone()
    };
    drop(Agency::start_in(folder.path()));
    assert_eq!(turns(), [] as [Value; 0], "a kill is no such thing");
    let file = data.join("casewright.redb");
    let older = std::fs::read(&file).unwrap();
    let agency = Agency::start_in(folder.path());
    let start = json!({"workflow": "brokerage"});
    let worker = agency.client("case-worker");
    let reply = worker.post("/api/v1/instances", &start, None).unwrap();
    let id = reply.body["id"].as_str().unwrap().to_owned();
    drop(agency);
    // What a kill leaves is not told to the checkpoint before the next clean end.
    assert_eq!(turns(), [] as [Value; 0]);

    std::fs::write(&file, older).unwrap();
    let refused = casewright(&verify);
    assert_eq!(refused.status.code(), Some(3));
    let told = String::from_utf8(refused.stderr).unwrap();
    assert!(told.contains("is not the newest"), "{told}");
    assert!(told.contains("casewright audit accept"), "{told}");
    let accept = ["audit", "accept", "--data", path(&data), "--json"];
    let accepted: Value = serde_json::from_slice(&well(&accept)).unwrap();
    assert_eq!(accepted["accepted"], true);
    assert!(accepted["from"].as_u64() > accepted["to"].as_u64());
    let again: Value = serde_json::from_slice(&well(&accept)).unwrap();
    assert_eq!(again["accepted"], false);
    let agency = Agency::start_in(folder.path());
    let worker = agency.client("case-worker");
    let reply = worker.get(&format!("/api/v1/instances/{id}")).unwrap();
    assert_eq!(reply.status, 404, "it came later");
    drop(agency);
    let turns = turns();
    assert_eq!(turns.len(), 1);
    assert_eq!(turns[0]["why"], "accepted");
}

#[test]
fn what_is_no_sound_backup_is_refused_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut agency = Agency::start_in(folder.path());
    let data = folder.path().join("data");
    Story::new("paid").tell(&mut agency);
    let file = folder.path().join("sound.backup");
    well(&["backup", "--data", path(&data), "--out", path(&file)]);
    let sound = std::fs::read(&file).unwrap();
    let refused = |what: &str, data: &Path, says: &str| {
        let keys = folder.path().join("data/keys/epoch.json");
        let bad = folder.path().join("bad.backup");
        let arguments = [
            "restore",
            path(&bad),
            "--data",
            path(data),
            "--keys",
            path(&keys),
        ];
        let output = casewright(&arguments);
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{what}: {told}");
        assert!(told.contains(says), "{what}: {told}");
    };
    let elsewhere = folder.path().join("elsewhere");
    let bad = |bytes: &[u8]| std::fs::write(folder.path().join("bad.backup"), bytes).unwrap();
    bad(b"");
    refused("empty", &elsewhere, "no backup");
    bad(&sound[..sound.len() - 40]);
    refused("cut off", &elsewhere, "ends too early");
    let mut changed = sound.clone();
    let middle = changed.len() / 2;
    changed[middle] ^= 1;
    bad(&changed);
    refused("changed", &elsewhere, "");
    bad(&sound);
    refused("a store is there", &data, "there is a store");
    assert!(!elsewhere.join("casewright.redb").exists());
    // With the key file of another store nothing opens, and nothing is put in its place.
    let other = folder.path().join("other");
    std::fs::create_dir(&other).unwrap();
    drop(Agency::start_in(&other));
    let keys = other.join("data/keys/epoch.json");
    let arguments = [
        "restore",
        path(&file),
        "--data",
        path(&elsewhere),
        "--keys",
        path(&keys),
    ];
    let output = casewright(&arguments);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(!elsewhere.join("casewright.redb").exists());
}

/// The load ends with the test, also when it fails.
struct Ends<'o>(&'o AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn casewright(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_casewright"));
    command.args(arguments).output().unwrap()
}

/// Standard output of a command that is well.
fn well(arguments: &[&str]) -> Vec<u8> {
    let output = casewright(arguments);
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {told}");
    output.stdout
}

struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    /// `None` where this process may not mount.
    fn mount(mib: u32) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let size = format!("size={mib}m");
        let mut mount = Command::new("mount");
        mount
            .args(["-t", "tmpfs", "-o", &size, "tmpfs"])
            .arg(folder.path());
        mount
            .status()
            .is_ok_and(|status| status.success())
            .then_some(Self(folder))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).status();
    }
}

#[test]
fn a_full_disk_refuses_what_is_new_and_loses_nothing() {
    let Some(disk) = SmallDisk::mount(192) else {
        println!("not run: mounting a small file system needs root");
        return;
    };
    let mut agency = Agency::start_in(disk.0.path());
    let before = Story::new("before");
    before.ask(&mut agency);
    let decision = before.item(&mut agency, "decision");
    // Leaves less than the reserve of 64 MiB, more than the quarter of it that reads may use.
    let ballast = disk.0.path().join("ballast");
    let free = free_bytes(disk.0.path());
    std::fs::write(
        &ballast,
        vec![1_u8; usize::try_from(free - 40 * 1024 * 1024).unwrap()],
    )
    .unwrap();
    let worker = agency.client("case-worker");
    let start = json!({"workflow": "brokerage"});
    // What was accepted before the disk was looked at again is written from the reserve.
    let refused = (0..100)
        .map(|_| worker.post("/api/v1/instances", &start, None).unwrap())
        .find(|reply| reply.status != 201)
        .expect("the full disk is noticed");
    assert_eq!(
        (refused.status, refused.body["code"].as_str()),
        (507, Some("disk-full")),
        "{refused:?}"
    );
    let read = agency
        .client("team-leader")
        .get(&format!("/api/v1/work-items/{decision}"))
        .unwrap();
    assert_eq!(read.status, 200, "reads go on: {read:?}");
    // Killed and started again while the disk is still full: staff sign in and read on, what is
    // new is refused, and nothing that was acknowledged is lost.
    agency.kill();
    let again = before.item(&mut agency, "decision");
    assert_eq!(again, decision);
    let refused = (0..100)
        .map(|_| {
            agency
                .client("case-worker")
                .post("/api/v1/instances", &start, None)
                .unwrap()
        })
        .find(|reply| reply.status != 201)
        .expect("the full disk is noticed after a start");
    assert_eq!(refused.status, 507, "{refused:?}");
    std::fs::remove_file(ballast).unwrap();
    let accepted = (0..10_000).any(|_| {
        let reply = agency.insist("case-worker", |client| {
            client.post("/api/v1/instances", &start, None)
        });
        reply.status == 201
    });
    assert!(accepted, "it carries on after space is freed");
    before.tell(&mut agency);
}

/// Free bytes of the file system, as `df` says.
fn free_bytes(path: &std::path::Path) -> u64 {
    let output = Command::new("df")
        .args(["--output=avail", "-B1"])
        .arg(path)
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().last().unwrap().trim().parse().unwrap()
}
