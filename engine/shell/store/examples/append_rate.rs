//! How many events a second reach the disk, beside bare redb appending the same bytes.
//!
//! `cargo run --release -p casewright-store --example append_rate [FOLDER]`
#![expect(clippy::print_stdout, reason = "it prints its measurement")]
#![expect(clippy::unwrap_used, reason = "a measurement that fails should stop")]
#![expect(clippy::cast_precision_loss, reason = "rates are approximate")]

use std::collections::VecDeque;
use std::path::Path;
use std::time::Instant;

use casewright_store::{Batch, EventAppend, RedbStore, Settings, Store, SubmitError, Ticket};
use redb::{Database, Durability, TableDefinition};

const EVENTS: u64 = 300_000;
const BYTES: usize = 300;
const INSTANCES: u64 = 1_000;
const JOURNAL: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("journal");

fn main() {
    let folder = match std::env::args_os().nth(1) {
        Some(within) => tempfile::tempdir_in(within).unwrap(),
        None => tempfile::tempdir().unwrap(),
    };
    for _ in 0..3 {
        let bare = bare(folder.path());
        let ours = ours(folder.path());
        println!(
            "bare redb {bare:>9.0} events/s   store {ours:>9.0} events/s   ratio {:.2}",
            ours / bare
        );
    }
}

/// Batches of 1,000, each one commit with quick repair.
fn bare(folder: &Path) -> f64 {
    let path = folder.join("bare.redb");
    let database = Database::create(&path).unwrap();
    let value = vec![7; BYTES];
    let start = Instant::now();
    for first in (0..EVENTS).step_by(1_000) {
        let mut transaction = database.begin_write().unwrap();
        transaction.set_durability(Durability::Immediate).unwrap();
        transaction.set_quick_repair(true);
        {
            let mut journal = transaction.open_table(JOURNAL).unwrap();
            for position in first..first + 1_000 {
                journal.insert(position, value.as_slice()).unwrap();
            }
        }
        transaction.commit().unwrap();
    }
    let rate = EVENTS as f64 / start.elapsed().as_secs_f64();
    drop(database);
    std::fs::remove_file(path).unwrap();
    rate
}

/// One batch per event, up to 8,000 on their way.
fn ours(folder: &Path) -> f64 {
    let (path, keys) = (folder.join("store.redb"), folder.join("keys"));
    let store = RedbStore::open(&path, &keys, Settings::default()).unwrap();
    let opens = vec!["case".to_owned()];
    let open = Batch {
        opens,
        ..Batch::default()
    };
    store.submit(open).unwrap().wait().unwrap();
    let mut waiting: VecDeque<Ticket> = VecDeque::new();
    let start = Instant::now();
    for number in 0..EVENTS {
        let event = EventAppend {
            instance: format!("instance-{}", number % INSTANCES),
            case: "case".to_owned(),
            bytes: vec![7; BYTES],
        };
        let batch = Batch {
            events: vec![event],
            ..Batch::default()
        };
        if waiting.len() >= 8_000 {
            waiting.pop_front().unwrap().wait().unwrap();
        }
        waiting.push_back(submit(&store, &batch));
    }
    for ticket in waiting {
        ticket.wait().unwrap();
    }
    let rate = EVENTS as f64 / start.elapsed().as_secs_f64();
    drop(store);
    std::fs::remove_file(path).unwrap();
    std::fs::remove_file(keys).unwrap();
    rate
}

fn submit(store: &RedbStore, batch: &Batch) -> Ticket {
    loop {
        match store.submit(batch.clone()) {
            Ok(ticket) => return ticket,
            Err(SubmitError::Full) => std::thread::yield_now(),
            Err(error) => panic!("{error}"),
        }
    }
}
