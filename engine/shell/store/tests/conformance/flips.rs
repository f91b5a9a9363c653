//! A file that was damaged while it was closed: a bit flipped anywhere, pages cut off, swapped,
//! zeroed, or put back as they were before. Whatever is read afterwards is right or an error that
//! says what is damaged; nothing is said to be absent that was there, and what is not damaged goes
//! on.
//!
//! `CASEWRIGHT_FLIPS` says how many flipped bits, and half as many of the rest.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};

use casewright_store::{
    Batch, OpenError, Put, ReadError, RedbStore, Store, SubmitError, Table, Under,
};

use crate::images::Base;
use crate::medium::{Disk, Image};
use crate::model::Random;
use crate::subject::{audited, commit, event, fold};

const FLIPS: usize = 24;
const PAGE: usize = 4096;

const CASES: usize = 12;
const INSTANCES: usize = 96;
const ROWS: usize = 1_200;

/// A text that stays long when it is packed.
fn long(text: &str, length: usize) -> String {
    let mut random = Random(text.bytes().map(u64::from).sum());
    let mut long = text.to_owned();
    while long.len() < length {
        long.push(char::from(b'!' + u8::try_from(random.below(90)).unwrap()));
    }
    long
}

/// A store with something everywhere, some megabytes of it, and its file as it was half-way.
struct Furnished {
    base: Base,
    older: Vec<u8>,
    file: Vec<u8>,
    kept: Option<Vec<u8>>,
    whole: Vec<Answer>,
}

type Answer = Result<String, ReadError>;

impl Furnished {
    fn new() -> Self {
        let base = Base::new();
        let disk = base.disk();
        let store = base.open(&disk);
        furnish(&store, 0);
        store.close();
        let older = disk.now().bytes;
        let store = base.open(&disk);
        furnish(&store, 1);
        store.close();
        let whole = read_all(&base.open(&Disk::after(disk.now())));
        let Image { bytes: file, kept } = disk.now();
        assert!(whole.iter().all(Result::is_ok));
        assert!(file.len() > 3 << 20, "{} bytes are few", file.len());
        Self {
            base,
            older,
            file,
            kept,
            whole,
        }
    }
}

/// Every second one has an id as the engine gives them.
fn case(number: usize) -> String {
    match number % CASES {
        number if number % 2 == 0 => format!("c05yv4n8j03gjr1m2k5t7w9y{number:02}0"),
        number => format!("case-{number}"),
    }
}

fn instance(number: usize) -> String {
    format!("instance-{number}")
}

fn row_key(number: usize) -> Vec<u8> {
    // Spread over the whole tree, as random ids are.
    format!("{:08}", number * 7_919_993 % 99_999_989).into_bytes()
}

fn row(number: usize, round: usize) -> Put {
    let under = match number % 3 {
        0 => Under::Agency("agency".to_owned()),
        _ => Under::Case(case(number)),
    };
    Put {
        table: Table::ALL[number % 4],
        key: row_key(number),
        value: Some(long(&format!("row {number} of {round}"), 700).into_bytes()),
        under,
    }
}

/// One round: every second row and instance is written again in the second.
fn furnish(store: &RedbStore, round: usize) {
    let opens = (0..CASES).map(case).collect();
    commit(
        store,
        Batch {
            opens,
            ..Batch::default()
        },
    );
    for start in (0..ROWS).step_by(30) {
        let numbers = (start..start + 30).filter(|number| round == 0 || number % 2 == 0);
        let puts = numbers.map(|number| row(number, round)).collect();
        commit(
            store,
            Batch {
                puts,
                ..Batch::default()
            },
        );
    }
    for number in (0..INSTANCES).filter(|number| round == 0 || number % 2 == 0) {
        let (id, case) = (instance(number), case(number));
        let text = |n: usize| long(&format!("event {n} of {id} in {round}"), 1_500);
        let mut batch = Batch {
            events: (0..5).map(|n| event(&id, &case, &text(n))).collect(),
            audit: vec![audited(&case, "u"), audited(&case, "v")],
            ..Batch::default()
        };
        if number % 4 < 2 {
            let events = 5 * (round as u64 + 1);
            batch.folds = vec![fold(&id, &case, events, number % 8 == 0)];
        }
        commit(store, batch);
    }
}

/// Everything by every way to read.
fn read_all(store: &RedbStore) -> Vec<Answer> {
    let mut all = vec![store.unsettled().map(|ids| format!("{ids:?}"))];
    for table in &Table::ALL[..5] {
        for limit in [10, usize::MAX] {
            let rows = store.scan(*table, b"0", b"z", limit);
            all.push(rows.map(|rows| format!("{rows:?}")));
        }
        let some = store.scan(*table, b"3", b"5", usize::MAX);
        all.push(some.map(|rows| format!("{rows:?}")));
    }
    for number in 0..ROWS + 20 {
        let (table, key) = (Table::ALL[number % 4], row_key(number));
        all.push(store.get(table, &key).map(|row| format!("{row:?}")));
        if number % 10 == 0 {
            all.push(store.pending(table, &key).map(|row| format!("{row:?}")));
        }
    }
    for number in 0..INSTANCES + 5 {
        let id = instance(number);
        all.push(store.history(&id).map(|history| format!("{history:?}")));
        all.push(store.events(&id).map(|events| format!("{events:?}")));
    }
    for number in 0..CASES {
        all.push(store.audit(&case(number)).map(|links| format!("{links:?}")));
    }
    let verified = store.verify();
    all.push(verified.map(|sound| format!("{sound:?}")));
    all
}

/// What was done to a file.
#[derive(Debug)]
enum Damage {
    Flip { bit: usize },
    Cut { length: usize },
    Swap { one: usize, two: usize },
    Zero { page: usize },
    Older { page: usize },
}

impl Damage {
    /// Some kind other than a flip.
    fn other(file: &Furnished, random: &mut Random) -> Self {
        let pages = file.file.len() / PAGE;
        match random.below(6) {
            0 => Self::Cut {
                length: random.below(file.file.len()),
            },
            1 => Self::Cut {
                length: random.below(pages) * PAGE,
            },
            2 => Self::Swap {
                one: random.below(pages),
                two: random.below(pages),
            },
            3 => Self::Zero {
                page: random.below(pages),
            },
            // The first pages are the ones that lead to the others.
            4 => Self::Older {
                page: random.below(4),
            },
            _ => Self::Older {
                page: random.below(file.older.len() / PAGE),
            },
        }
    }

    fn done_to(&self, file: &Furnished) -> Vec<u8> {
        let mut bytes = file.file.clone();
        let page = |number: usize| number * PAGE..(number + 1) * PAGE;
        match self {
            Self::Flip { bit } => bytes[bit / 8] ^= 1 << (bit % 8),
            Self::Cut { length } => bytes.truncate(*length),
            Self::Swap { one, two } => {
                bytes[page(*one)].copy_from_slice(&file.file[page(*two)]);
                bytes[page(*two)].copy_from_slice(&file.file[page(*one)]);
            }
            Self::Zero { page: number } => bytes[page(*number)].fill(0),
            Self::Older { page: number } => {
                bytes[page(*number)].copy_from_slice(&file.older[page(*number)]);
            }
        }
        bytes
    }
}

/// What became of damaged files.
#[derive(Default)]
struct Seen {
    refused: AtomicUsize,
    /// Some answers were errors; how many, and how many were right.
    partly: AtomicUsize,
    errors: AtomicUsize,
    right: AtomicUsize,
    harmless: AtomicUsize,
    /// The writer met it and stopped.
    stopped: AtomicUsize,
}

fn add(count: &AtomicUsize, more: usize) {
    count.fetch_add(more, Ordering::Relaxed);
}

fn check(file: &Furnished, damage: &Damage, seen: &Seen) {
    let disk = Disk::after(Image {
        bytes: damage.done_to(file),
        kept: file.kept.clone(),
    });
    let store = match file.base.try_open(&disk) {
        Ok(store) => store,
        Err(
            error @ (OpenError::Damaged { .. } | OpenError::Newer { .. } | OpenError::Keys { .. }),
        ) => {
            assert!(error.to_string().len() > 20, "{error}");
            return add(&seen.refused, 1);
        }
        Err(error) => panic!("refused without its reason: {error:?}"),
    };
    let errors = compare(&read_all(&store), &file.whole);
    if errors == 0 {
        add(&seen.harmless, 1);
    } else {
        add(&seen.partly, 1);
        add(&seen.errors, errors);
        add(&seen.right, file.whole.len() - errors);
    }
    write_some(&store, seen);
    store.close();
}

/// Each answer is right or says what is damaged; gives how many do that.
fn compare(found: &[Answer], whole: &[Answer]) -> usize {
    let mut errors = 0;
    for (index, (found, expected)) in found.iter().zip(whole).enumerate() {
        match found {
            Ok(_) => assert!(found == expected, "answer {index} is wrong: {found:?}"),
            Err(ReadError::Damaged { what }) => {
                assert!(!what.is_empty());
                errors += 1;
            }
            Err(error) => panic!("answer {index}: {error:?}"),
        }
    }
    errors
}

/// Writing into a damaged store: refused, done, or the store stops; what was acknowledged is read.
fn write_some(store: &RedbStore, seen: &Seen) {
    for number in (0..ROWS).step_by(37) {
        let put = row(number, 7);
        let (table, key, value) = (put.table, put.key.clone(), put.value.clone().unwrap());
        let batch = Batch {
            puts: vec![put],
            ..Batch::default()
        };
        match store.submit(batch).map(casewright_store::Ticket::wait) {
            Ok(Ok(_)) => match store.get(table, &key) {
                Ok(Some(row)) => assert!(row.value == value, "row {number} after writing"),
                Err(ReadError::Damaged { .. }) => {}
                other => panic!("row {number} after writing: {other:?}"),
            },
            Err(SubmitError::Read(ReadError::Damaged { .. })) => {}
            Ok(Err(SubmitError::Stopped)) | Err(SubmitError::Stopped) => {
                return add(&seen.stopped, 1);
            }
            other => panic!("writing row {number}: {other:?}"),
        }
    }
}

fn flips() -> usize {
    let set = std::env::var("CASEWRIGHT_FLIPS").ok();
    set.map_or(FLIPS, |text| {
        text.parse().expect("CASEWRIGHT_FLIPS is a number")
    })
}

#[test]
fn nothing_wrong_is_served_from_a_damaged_file() {
    let flips = flips();
    let all = flips + flips / 2;
    let (next, seen) = (AtomicUsize::new(0), Seen::default());
    let work = || {
        let file = Furnished::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= all {
                return;
            }
            let mut random = Random(number as u64 + 1);
            let damage = if number < flips {
                let bit = random.below(file.file.len() * 8);
                Damage::Flip { bit }
            } else {
                Damage::other(&file, &mut random)
            };
            let checked = catch_unwind(AssertUnwindSafe(|| check(&file, &damage, &seen)));
            if let Err(why) = checked {
                eprintln!("number {number}: {damage:?} in {} bytes", file.file.len());
                std::panic::resume_unwind(why);
            }
        }
    };
    std::thread::scope(|scope| {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        for _ in 0..cores {
            scope.spawn(work);
        }
    });
    let Seen {
        refused,
        partly,
        errors,
        right,
        harmless,
        stopped,
    } = seen;
    let [refused, partly, errors, right, harmless, stopped] =
        [refused, partly, errors, right, harmless, stopped].map(AtomicUsize::into_inner);
    eprintln!(
        "{flips} flipped bits and {} other damages: {refused} refused at opening, {partly} found \
         by reading ({errors} answers were errors, {right} of the same stores right), \
         {harmless} in pages that hold nothing; {stopped} stopped the writer; \
         nothing wrong was served",
        all - flips
    );
    assert!(partly > 0 && refused > 0);
    assert!(right > errors, "what is not damaged does not go on");
}
