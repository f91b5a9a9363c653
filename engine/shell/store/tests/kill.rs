//! Real kills: a child process writes and prints what was acknowledged, and is killed with SIGKILL
//! at a random moment. Whatever it had printed is found afterwards, and nothing is there by half.
//!
//! The child is this test binary run again; it does its part only when told so by its environment.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use casewright_store::{Batch, EventAppend, Fold, Put, RedbStore, Settings, Store, Table, Under};

/// Without `CASEWRIGHT_KILLS`.
const KILLS: usize = 20;
const CHILD: &str = "CASEWRIGHT_KILLED_CHILD";

/// The number of the batch that an instance has come to is the number of its events: row, event and
/// audit entry of a batch must be there together or not at all.
const INSTANCES: usize = 5;

#[test]
fn what_was_acknowledged_survives_sigkill() {
    if let Ok(folder) = std::env::var(CHILD) {
        write_until_killed(Path::new(&folder));
    }
    let folder = tempfile::tempdir().unwrap();
    let mut random = u64::from(std::process::id());
    let mut acknowledged = [0_u64; INSTANCES];
    let set = std::env::var("CASEWRIGHT_KILLS").ok();
    let kills = set.map_or(KILLS, |text| text.parse().unwrap());
    for round in 0..kills {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let lines = (random >> 33) % 60;
        run_child(folder.path(), lines, &mut acknowledged);
        let store = open(folder.path());
        for (index, acknowledged) in acknowledged.iter_mut().enumerate() {
            let found = check_instance(&store, index);
            assert!(
                found >= *acknowledged,
                "round {round}: instance {index} had {acknowledged} acknowledged, has {found}"
            );
            *acknowledged = found;
        }
    }
    let total: u64 = acknowledged.iter().sum();
    eprintln!("{kills} kills, {total} batches: nothing acknowledged was lost");
    assert!(total > 100, "only {total} batches: the test has hardly run");
}

/// Runs a child until it has printed so many lines, then kills it.
fn run_child(folder: &Path, lines: u64, acknowledged: &mut [u64; INSTANCES]) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "what_was_acknowledged_survives_sigkill",
            "--exact",
            "--nocapture",
        ])
        .env(CHILD, folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    let mut seen = 0;
    for line in output.lines() {
        // A line cut off by the kill says nothing.
        let Some((index, count)) = line.as_ref().ok().and_then(|line| parse(line)) else {
            continue;
        };
        acknowledged[index] = acknowledged[index].max(count);
        seen += 1;
        if seen == lines + 1 {
            child.kill().unwrap();
        }
    }
    let status = child.wait().unwrap();
    assert!(seen > lines, "the child ended by itself: {status}");
}

/// `ack <instance> <events>.`
fn parse(line: &str) -> Option<(usize, u64)> {
    let words = line.strip_prefix("ack ")?.strip_suffix('.')?;
    let (index, count) = words.split_once(' ')?;
    Some((index.parse().ok()?, count.parse().ok()?))
}

/// Gives the number of batches of an instance, which everything of it must agree on.
fn check_instance(store: &RedbStore, index: usize) -> u64 {
    let id = name(index);
    let events = store.events(&id).unwrap();
    for (number, event) in events.iter().enumerate() {
        assert_eq!(event, &text(index, number as u64));
    }
    let count = events.len() as u64;
    let row = store.get(Table::Instance, id.as_bytes()).unwrap();
    let row = row.map_or((0, Vec::new()), |row| (row.version, row.value));
    let expected = match count {
        0 => (0, Vec::new()),
        _ => (count, text(index, count - 1)),
    };
    assert_eq!(row, expected, "row of {id}");
    let history = store.history(&id).unwrap();
    let known = history.map_or(0, |history| {
        history.snapshot_events + history.events.len() as u64
    });
    assert_eq!(known, count, "history of {id}");
    count
}

fn write_until_killed(folder: &Path) -> ! {
    let store = open(folder);
    store
        .submit(Batch {
            opens: vec!["case".to_owned()],
            ..Batch::default()
        })
        .unwrap();
    std::thread::scope(|scope| {
        for index in 0..INSTANCES {
            let store = &store;
            scope.spawn(move || write_instance(store, index));
        }
    });
    unreachable!("the child writes until it is killed")
}

fn write_instance(store: &RedbStore, index: usize) {
    let id = name(index);
    let mut count = check_instance(store, index);
    loop {
        let mut batch = Batch {
            events: vec![EventAppend {
                instance: id.clone(),
                case: "case".to_owned(),
                bytes: text(index, count),
            }],
            puts: vec![Put {
                table: Table::Instance,
                key: id.clone().into_bytes(),
                value: Some(text(index, count)),
                under: Under::Case("case".to_owned()),
            }],
            ..Batch::default()
        };
        count += 1;
        if count.is_multiple_of(7) {
            batch.folds = vec![Fold {
                instance: id.clone(),
                case: "case".to_owned(),
                events: count,
                snapshot: count.is_multiple_of(2).then(|| text(index, count)),
                active: count.is_multiple_of(2),
            }];
        }
        store.submit(batch).unwrap().wait().unwrap();
        let mut out = std::io::stdout().lock();
        writeln!(out, "ack {index} {count}.").unwrap();
        out.flush().unwrap();
    }
}

fn open(folder: &Path) -> RedbStore {
    let (path, keys) = (folder.join("store.redb"), folder.join("keys"));
    RedbStore::open(&path, &keys, Settings::default()).unwrap()
}

fn name(index: usize) -> String {
    format!("instance-{index}")
}

fn text(index: usize, number: u64) -> Vec<u8> {
    format!("event {number} of {index}").into_bytes()
}
