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
    pub(crate) mod client;
    pub(crate) mod referral;
    pub(crate) mod story;
}

use std::process::Command;

use front_door::agency::{Agency, Seed};
use front_door::referral;
use front_door::story::Story;
use serde_json::json;

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
