//! What the checksums of pages cost: commits of one row, and of a thousand events, turn by turn
//! into a file with them and one without.
//!
//! `cargo run --release -p casewright-store --example checksum_price [FOLDER]`
#![expect(clippy::print_stdout, reason = "it prints its measurement")]
#![expect(clippy::unwrap_used, reason = "a measurement that fails should stop")]

use std::path::Path;
use std::time::{Duration, Instant};

use casewright_store::{Batch, EventAppend, Pages, Put, RedbStore, Settings, Store, Table, Under};
use redb::backends::FileBackend;
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};

const ROWS: usize = 4_000;
const BATCHES: usize = 400;

const META: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("meta");

fn main() {
    let folder = match std::env::args_os().nth(1) {
        Some(within) => tempfile::tempdir_in(within).unwrap(),
        None => tempfile::tempdir().unwrap(),
    };
    let (with, without) = stores(folder.path());
    compare("one row", ROWS, &with, &without, one_row);
    compare("1,000 events", BATCHES, &with, &without, thousand_events);
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

fn one_row(number: usize) -> Batch {
    let put = Put {
        table: Table::Case,
        key: format!("{:08}", number * 7_919_993 % 99_999_989).into_bytes(),
        value: Some(vec![7; 300]),
        under: Under::Case("case".to_owned()),
    };
    Batch {
        puts: vec![put],
        ..Batch::default()
    }
}

fn thousand_events(_: usize) -> Batch {
    let events = (0..1_000).map(|number| EventAppend {
        instance: format!("instance-{number}"),
        case: "case".to_owned(),
        bytes: vec![7; 300],
    });
    Batch {
        events: events.collect(),
        ..Batch::default()
    }
}

/// Who is first changes with each commit: what others do on the machine meets both alike.
fn compare(
    what: &str,
    count: usize,
    with: &RedbStore,
    without: &RedbStore,
    batch: fn(usize) -> Batch,
) {
    let (mut first, mut second) = (Vec::new(), Vec::new());
    for number in 0..count {
        if number % 2 == 0 {
            first.push(commit(with, batch(number)));
            second.push(commit(without, batch(number)));
        } else {
            second.push(commit(without, batch(number)));
            first.push(commit(with, batch(number)));
        }
    }
    let [(with, with_all), (without, without_all)] = [first, second].map(|mut times| {
        times.sort();
        let all: Duration = times.iter().sum();
        (times[count / 2].as_secs_f64(), all.as_secs_f64())
    });
    println!(
        "{what}: median {:.0} us with checksums, {:.0} us without ({:.3}); all {with_all:.2} s \
         and {without_all:.2} s ({:.3})",
        with * 1e6,
        without * 1e6,
        with / without,
        with_all / without_all
    );
}

fn commit(store: &RedbStore, batch: Batch) -> Duration {
    let start = Instant::now();
    store.submit(batch).unwrap().wait().unwrap();
    start.elapsed()
}
