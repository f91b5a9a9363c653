//! The binary under load, killed at any moment: by SIGKILL at a random one, at the n-th write,
//! flush, rename or answer, and while it recovers from the kill before.
//!
//! Several clients start runs, race for work items, decide, spend, hold money that few can hold,
//! write notes and send events; a partner is paid and keeps a journal. They remember what was
//! acknowledged, and repeat under its key what got no answer. After each restart everything
//! acknowledged is looked for; whenever the load comes to rest, money and payments are exactly what
//! was decided. A data folder lives on through its kills, on a disk and not in memory; a long
//! campaign has many folders, two of them at a time, since a kill in a full one takes longer.
//!
//! `CASEWRIGHT_CRASH_CYCLES` says how many kills, a hundred without it; `CASEWRIGHT_BIN` which
//! binary, otherwise the one that was built with the tests; `CASEWRIGHT_SEED` repeats the kills of
//! a campaign, though not the scheduling of its threads.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a panic is how a test reports, and a seed must be printed"
)]

#[path = "front_door/client.rs"]
mod client;
#[path = "front_door/seed.rs"]
mod seed;

mod crash {
    pub(crate) mod campaign;
    pub(crate) mod home;
    pub(crate) mod injection;
    pub(crate) mod journey;
    pub(crate) mod ledger;
    pub(crate) mod life;
    pub(crate) mod planted;
    pub(crate) mod receiver;
    pub(crate) mod world;
}

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::Instant;

use crash::campaign::{self, Settings, Told, Wrong};
use crash::home::{Home, STAFF};
use crash::injection::{Injection, Injections};
use crash::life::{Host, Plan, Process};
use crash::planted::{Bug, Planted};
use crash::receiver::Receiver;
use crash::world::World;
use seed::Seed;
use serde_json::Value;

/// How many kills: few for the quick path.
const CYCLES: u64 = 100;

fn binary() -> PathBuf {
    let set = std::env::var_os("CASEWRIGHT_BIN");
    set.map_or_else(|| env!("CARGO_BIN_EXE_casewright").into(), PathBuf::from)
}

/// Under the build's own folder, which lies on a disk: what is flushed there is flushed.
fn folder() -> tempfile::TempDir {
    let mut builder = tempfile::Builder::new();
    builder.prefix("crash-");
    builder.tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

/// Kills of one data folder.
const FOLDER_CYCLES: u64 = 250;
/// Folders at a time.
const FOLDERS: usize = 2;

#[test]
fn killed_at_any_moment_it_loses_nothing_and_does_nothing_twice() {
    let set = std::env::var("CASEWRIGHT_CRASH_CYCLES");
    let cycles = set.map_or(CYCLES, |size| size.parse().unwrap());
    let (mut seed, began) = (Seed::new(), Instant::now());
    let number = seed.number();
    println!("seed {number}");
    let mut parts: Vec<(u64, Seed)> = (0..cycles.div_ceil(FOLDER_CYCLES))
        .map(|part| (cycles - part * FOLDER_CYCLES).min(FOLDER_CYCLES))
        .map(|cycles| (cycles, Seed::of(seed.next(u64::MAX))))
        .collect();
    if let [(_, only)] = parts.as_mut_slice() {
        *only = seed;
    }
    let parts = Mutex::new(parts.into_iter());
    let all = Mutex::new(Vec::new());
    let lane = || {
        loop {
            // Not in the condition of a loop: it would be held while the part runs.
            let part = parts.lock().unwrap().next();
            let Some((cycles, seed)) = part else { return };
            let told = killed_in_a_folder(cycles, seed);
            all.lock().unwrap().push(told);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..FOLDERS {
            scope.spawn(lane);
        }
    });
    let all = all.into_inner().unwrap();
    if all.len() > 1 {
        println!("in all: {}", Told::sum(&all, number, began.elapsed()));
    }
}

fn killed_in_a_folder(cycles: u64, mut seed: Seed) -> Told {
    let folder = folder();
    match killed(folder.path(), cycles, &mut seed) {
        Ok(told) => {
            println!("{told}");
            told
        }
        Err(Wrong { cycle, what }) => {
            let kept = folder.keep();
            let seed = seed.number();
            panic!(
                "cycle {cycle}, seed {seed}: {what}\nthe data are in {}",
                kept.display()
            );
        }
    }
}

fn killed(folder: &Path, cycles: u64, seed: &mut Seed) -> Result<Told, Wrong> {
    let binary = binary();
    let home = Home::make(folder);
    home.take_plugin(&binary);
    let mut receiver = Receiver::start(&binary, folder);
    home.configure(receiver.url());
    let mut host = Process::new(binary.clone(), home.path("first.toml"));
    let world = World::new(campaign::clients());
    let wrong = |what| Wrong { cycle: 0, what };
    let first = host.start(&Plan::default()).map_err(wrong)?;
    assert!(first.is_some(), "nobody kills the first start");
    for (id, _) in STAFF {
        world.give_token(id, home.token(id));
    }
    host.kill().map_err(wrong)?;
    host.configure(home.path("later.toml"));

    let injections = Injections::find();
    let injects = injections.is_some();
    if !injects {
        println!("no kills at the n-th call: strace is missing here, or may not trace");
    }
    let settings = Settings {
        cycles,
        reckon_every: 50,
        faults: true,
        injections,
    };
    let told = campaign::run(&mut host, &mut receiver, &world, settings, seed)?;
    verify(&binary, &home, told.runs).map_err(|what| Wrong {
        cycle: cycles,
        what,
    })?;
    let progress = told.check_progress(injects);
    progress.map_err(|what| Wrong {
        cycle: cycles,
        what: format!("{what}\n{told}"),
    })?;
    Ok(told)
}

/// Every value opens, the chain of every case is whole, and every fund is what its ledger says.
fn verify(binary: &Path, home: &Home, runs: usize) -> Result<(), String> {
    let mut command = Command::new(binary);
    command.args(["audit", "verify", "--json", "--config"]);
    let output = command.arg(home.path("later.toml")).output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let sound = output.status.success()
        && report["broken"].as_array().is_some_and(Vec::is_empty)
        && report["unbalanced"].as_array().is_some_and(Vec::is_empty)
        && report["entries"]
            .as_u64()
            .is_some_and(|entries| entries > runs as u64);
    sound
        .then_some(())
        .ok_or_else(|| format!("the audit is not whole: {output:?}"))
}

/// Kills of an engine with a bug until the net must have caught it.
const PLANTED_CYCLES: u64 = 120;

/// The same load, kills and checks over an engine in this process.
fn planted(bug: Bug, cycles: u64) -> Result<Told, Wrong> {
    let mut seed = Seed::new();
    println!("{bug:?}, seed {}", seed.number());
    let folder = folder();
    let mut receiver = Receiver::start(&binary(), folder.path());
    let mut host = Planted::new(bug, folder.path(), receiver.url(), &seed);
    let world = World::new(campaign::clients());
    for (id, token) in host.first_start() {
        world.give_token(id, token);
    }
    let settings = Settings {
        cycles,
        reckon_every: 10,
        faults: false,
        injections: None,
    };
    campaign::run(&mut host, &mut receiver, &world, settings, &mut seed)
}

fn is_caught(bug: Bug, classes: &[&str]) {
    let caught = planted(bug, PLANTED_CYCLES);
    let Err(Wrong { cycle, what }) = caught else {
        panic!("nobody noticed {bug:?}: {}", caught.unwrap());
    };
    println!("caught in cycle {cycle}: {what}");
    let class = classes.iter().any(|class| what.starts_with(class));
    assert!(class, "{bug:?} was taken for something else: {what}");
}

/// What is caught below is the bug, and not the engine being in this process.
#[test]
fn without_a_bug_the_engine_in_this_process_passes() {
    match planted(Bug::None, 20) {
        Ok(told) => assert!(told.acknowledged > 40 && told.payments > 4, "{told}"),
        Err(Wrong { cycle, what }) => panic!("cycle {cycle}: {what}"),
    }
}

#[test]
fn an_acknowledgement_before_the_flush_is_caught() {
    // What was acknowledged and forgotten is missing, done once more or decided anew, or refused to
    // whoever goes on from it: which is seen first depends on where the kill fell. The engine
    // without a bug, above, is what says that nothing else is taken for it.
    let harness = ["hardly anything happened", "the server"];
    let caught = planted(Bug::AcknowledgedBeforeFlush, PLANTED_CYCLES);
    let Err(Wrong { cycle, what }) = caught else {
        panic!("nobody noticed it: {}", caught.unwrap());
    };
    println!("caught in cycle {cycle}: {what}");
    assert!(!harness.iter().any(|own| what.starts_with(own)), "{what}");
}

#[test]
fn a_key_minted_per_attempt_is_caught() {
    is_caught(
        Bug::KeyPerAttempt,
        &["doubled: one intent was paid under two keys"],
    );
}

#[test]
fn a_guard_that_is_not_checked_is_caught() {
    is_caught(
        Bug::GuardNotChecked,
        &["a guard was not held", "money is not conserved"],
    );
}

/// A first start makes the store, its keys and the tokens of the staff. Killed at any of its calls,
/// the next start finds something that it can go on from.
#[test]
fn killed_at_any_call_of_its_first_start_it_starts_again() {
    if Injections::find().is_none() {
        println!("not run: strace is missing here, or may not trace");
        return;
    }
    let mut kills = 0;
    for kind in Injection::kinds() {
        let mut nth = 1;
        while is_born_again(kind, nth) {
            kills += 1;
            // Every one of the first, where files come to be, then fewer and fewer.
            nth += 1 + nth / 2;
        }
    }
    println!("{kills} first starts were killed, each came up at the second");
    assert!(kills >= 10, "only {kills} kills");
}

/// Whether the first start was killed.
fn is_born_again(kind: &'static str, nth: u64) -> bool {
    let folder = folder();
    let home = Home::make_small(folder.path());
    home.configure("http://127.0.0.1:9");
    let mut host = Process::new(binary(), home.path("first.toml"));
    let plan = Plan {
        injection: Some(Injection::at(kind, nth)),
        ..Plan::default()
    };
    let place = format!("killed at {kind} {nth} of its first start");
    let born = host
        .start(&plan)
        .unwrap_or_else(|what| panic!("{place}: {what}"));
    if born.is_some() {
        host.kill().unwrap();
        return false;
    }
    let again = host.start(&Plan::default());
    let url = again.unwrap_or_else(|what| panic!("{place}: {what}"));
    let client = client::Client::keeping(&url.unwrap(), Some(home.token("u-casey")));
    let funds = client.get("/api/v1/funds").unwrap();
    assert_eq!(funds.status, 200, "{place}: {funds:?}");
    let start = serde_json::json!({ "workflow": "hold", "input": {
        "money": { "minor": 1, "currency": "AUD" },
    }});
    let started = client.post("/api/v1/instances", &start, None).unwrap();
    assert_eq!(started.status, 201, "{place}: {started:?}");
    true
}
