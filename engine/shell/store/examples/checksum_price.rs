//! What the checksums of pages cost: commits a second into a file with and one without them, side by
//! side, of one row and of a thousand events each.
//!
//! `cargo run --release -p casewright-store --example checksum_price [FOLDER]`
#![expect(clippy::print_stdout, reason = "it prints its measurement")]
#![expect(clippy::unwrap_used, reason = "a measurement that fails should stop")]
#![expect(clippy::cast_precision_loss, reason = "rates are approximate")]

use std::path::Path;
use std::time::{Duration, Instant};

use casewright_store::{Batch, EventAppend, Pages, Put, RedbStore, Settings, Store, Table, Under};
use redb::backends::FileBackend;
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};

const ROUNDS: usize = 7;
/// Of one kind in a row, before it is the other file's turn.
const ROWS: usize = 400;
const BATCHES: usize = 40;

const META: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("meta");

fn main() {
    let folder = match std::env::args_os().nth(1) {
        Some(within) => tempfile::tempdir_in(within).unwrap(),
        None => tempfile::tempdir().unwrap(),
    };
    let (with, without) = stores(folder.path());
    let (mut rows, mut batches) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        // Who is first changes: the disk remembers what came before.
        let pair = |rate: fn(&RedbStore, usize) -> f64| {
            if round % 2 == 0 {
                let first = rate(&with, round);
                (first, rate(&without, round))
            } else {
                let first = rate(&without, round);
                (rate(&with, round), first)
            }
        };
        rows.push(pair(one_row));
        batches.push(pair(thousand_events));
    }
    print("one row", rows);
    print("1,000 events", batches);
}

/// The same new store twice; the second is copied into a file of redb without checksums.
fn stores(folder: &Path) -> (RedbStore, RedbStore) {
    let (with, without, keys) = (
        folder.join("with"),
        folder.join("without"),
        folder.join("keys"),
    );
    let open = |path: &Path| RedbStore::open(path, &keys, Settings::default()).unwrap();
    drop(open(&with));
    {
        let file = std::fs::File::options().read(true).write(true).open(&with);
        let pages = Pages::open(Box::new(FileBackend::new(file.unwrap()).unwrap())).unwrap();
        let from = Database::builder().create_with_backend(pages).unwrap();
        let to = Database::create(&without).unwrap();
        let write = to.begin_write().unwrap();
        {
            let mut copied = write.open_table(META).unwrap();
            let table = from.begin_read().unwrap().open_table(META).unwrap();
            for pair in table.iter().unwrap() {
                let (key, value) = pair.unwrap();
                copied.insert(key.value(), value.value()).unwrap();
            }
        }
        write.commit().unwrap();
    }
    let stores = (open(&with), open(&without));
    for store in [&stores.0, &stores.1] {
        let opens = vec!["case".to_owned()];
        let open = Batch {
            opens,
            ..Batch::default()
        };
        store.submit(open).unwrap().wait().unwrap();
    }
    stores
}

fn one_row(store: &RedbStore, round: usize) -> f64 {
    rate(ROWS, |number| {
        let put = Put {
            table: Table::Case,
            key: format!("{:08}", (round * ROWS + number) * 7_919_993 % 99_999_989).into_bytes(),
            value: Some(vec![7; 300]),
            under: Under::Case("case".to_owned()),
        };
        let batch = Batch {
            puts: vec![put],
            ..Batch::default()
        };
        store.submit(batch).unwrap().wait().unwrap();
    })
}

fn thousand_events(store: &RedbStore, _: usize) -> f64 {
    rate(BATCHES, |_| {
        let events = (0..1_000).map(|number| EventAppend {
            instance: format!("instance-{number}"),
            case: "case".to_owned(),
            bytes: vec![7; 300],
        });
        let batch = Batch {
            events: events.collect(),
            ..Batch::default()
        };
        store.submit(batch).unwrap().wait().unwrap();
    })
}

fn rate(count: usize, mut one: impl FnMut(usize)) -> f64 {
    let start = Instant::now();
    for number in 0..count {
        one(number);
    }
    let elapsed: Duration = start.elapsed();
    count as f64 / elapsed.as_secs_f64()
}

fn print(what: &str, mut pairs: Vec<(f64, f64)>) {
    let share = |(with, without): &(f64, f64)| with / without;
    pairs.sort_by(|one, other| share(one).total_cmp(&share(other)));
    let (with, without) = pairs[pairs.len() / 2];
    let (worst, best) = (share(&pairs[0]), share(&pairs[pairs.len() - 1]));
    println!(
        "{what}: {with:.0} commits/s with checksums, {without:.0} without; {:.3} of it \
         ({worst:.3} to {best:.3})",
        with / without
    );
}
