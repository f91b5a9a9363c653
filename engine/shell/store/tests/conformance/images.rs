//! Power cuts: from what was written, every image that a disk may be left with is made and opened.
//! Whatever was acknowledged is there, what is there is a whole beginning, and the store goes on
//! from it; also when the power fails again while it recovers.
//!
//! `CASEWRIGHT_IMAGES` says how many images, a hundred without it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};

use casewright_store::{Batch, RedbStore, Settings, Store, SubmitError, Table};

use crate::medium::{Disk, Image};
use crate::model::{Model, Random, script};
use crate::subject::{Subject, caught, commit, put};

const IMAGES: usize = 100;
/// Images made of one run of the store.
const IMAGES_PER_RUN: usize = 50;
const BATCHES: usize = 24;
/// Of so many runs one writes values so large that the file grows.
const GROWING: u64 = 5;

/// A new store's file and its keys, which lie apart and are not what is cut.
pub(crate) struct Base {
    subject: Subject,
    file: Vec<u8>,
}

impl Base {
    pub(crate) fn new() -> Self {
        let subject = Subject::redb();
        drop(subject.open());
        let file = std::fs::read(subject.path("store.redb")).unwrap();
        Self { subject, file }
    }

    /// The disk that the new store lies on.
    pub(crate) fn disk(&self) -> Disk {
        Disk::of(self.file.clone())
    }

    pub(crate) fn try_open(&self, disk: &Disk) -> Result<RedbStore, casewright_store::OpenError> {
        let settings = Settings {
            medium: Some(disk.medium()),
            // Small enough that pages leave it and are read again.
            cache_bytes: 1 << 20,
            // So often that every image has one near.
            checkpoint_groups: 3,
            witness: Some(disk.witness()),
            ..Settings::default()
        };
        let (path, keys) = (self.subject.path("store.redb"), self.subject.path("keys"));
        RedbStore::open(&path, &keys, settings)
    }

    pub(crate) fn open(&self, disk: &Disk) -> RedbStore {
        let opened = self.try_open(disk);
        opened.unwrap_or_else(|error| panic!("an image does not open: {error}"))
    }
}

/// The script of a seed; each batch also counts itself, so that a store tells how far it came.
pub(crate) fn numbered(seed: u64) -> Vec<Batch> {
    let mut batches = script(seed, BATCHES);
    for batch in &mut batches {
        if seed.is_multiple_of(GROWING) {
            for value in batch.puts.iter_mut().filter_map(|put| put.value.as_mut()) {
                *value = value.repeat(20_000);
            }
        }
        batch.puts.push(put("batches", "so many"));
    }
    batches
}

pub(crate) fn count(store: &dyn Store) -> usize {
    let row = store.get(Table::Case, b"batches").unwrap();
    row.map_or(0, |row| usize::try_from(row.version).unwrap())
}

/// Runs batches from the `from`th on, several at once, and notes on the disk what was acknowledged.
fn run(store: &dyn Store, disk: &Disk, batches: &[Batch], from: usize, random: &mut Random) {
    let mut next = from;
    while next < batches.len() {
        let end = (next + 1 + random.below(4)).min(batches.len());
        let submit = |batch: &Batch| store.submit(batch.clone());
        let tickets: Result<Vec<_>, SubmitError> = batches[next..end].iter().map(submit).collect();
        for (index, ticket) in (next..).zip(tickets.unwrap()) {
            ticket.wait().unwrap();
            disk.acknowledged(index + 1);
        }
        next = end;
    }
}

/// How many of each kind were made.
#[derive(Default)]
struct Made {
    images: AtomicUsize,
    /// Cut again while it recovered, the rest while it went on.
    in_recovery: AtomicUsize,
    /// Of a file that changed its length.
    growing: AtomicUsize,
}

fn one_more(count: &AtomicUsize) {
    count.fetch_add(1, Ordering::Relaxed);
}

/// One power cut, a second one in the recovery from it or later, and what follows. `told` is what
/// somebody had been told before.
fn check(
    base: &Base,
    image: Image,
    told: usize,
    batches: &[Batch],
    random: &mut Random,
    made: &Made,
) {
    let disk = Disk::after(image);
    let store = base.open(&disk);
    let found = check_found(&store, told, batches);
    Model::of(&batches[..found]).check_unsettled(&store);
    disk.acknowledged(found);
    let opened = disk.length();
    let in_recovery = random.below(3) == 0;
    if !in_recovery {
        run(&store, &disk, batches, found, random);
        Model::of(batches).check(&store);
    }
    store.close();

    let last = if in_recovery { opened } else { disk.length() };
    let cut = random.below(last + 1);
    one_more(&made.images);
    if cut <= opened && opened > 0 {
        one_more(&made.in_recovery);
    }
    let (image, told_again) = disk.image(cut, random);
    let disk = Disk::after(image);
    let store = base.open(&disk);
    let again = check_found(&store, told.max(told_again), batches);
    run(&store, &disk, batches, again, random);
    Model::of(batches).check(&store);
}

/// What is there after a cut is a whole beginning with all that somebody was told of; its length.
fn check_found(store: &RedbStore, told: usize, batches: &[Batch]) -> usize {
    let found = count(store);
    assert!(found >= told, "{told} were acknowledged, {found} are there");
    Model::of(&batches[..found]).check(store);
    found
}

fn images() -> usize {
    let set = std::env::var("CASEWRIGHT_IMAGES").ok();
    set.map_or(IMAGES, |text| {
        text.parse().expect("CASEWRIGHT_IMAGES is a number")
    })
}

/// What is wrong with the disk or whoever uses it, for a test of the net.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wrong {
    Nothing,
    /// Half of all syncs do nothing.
    Disk,
    /// Somebody is told before the flush.
    Told,
}

fn campaign(base: &Base, seed: u64, images: usize, wrong: Wrong, made: &Made) {
    let mut random = Random(seed);
    let batches = numbered(seed);
    let disk = base.disk();
    if wrong == Wrong::Disk {
        disk.skip_every_sync(2);
    }
    let store = base.open(&disk);
    if wrong == Wrong::Told {
        tell_early(&store, &disk, &batches);
    } else {
        run(&store, &disk, &batches, 0, &mut random);
    }
    store.close();
    let steps = disk.length();
    for image in 0..images {
        let cut = random.below(steps + 1);
        let (bytes, told) = disk.image(cut, &mut random);
        if disk.grew() {
            one_more(&made.growing);
        }
        let checked = catch_unwind(AssertUnwindSafe(|| {
            check(base, bytes, told, &batches, &mut random, made);
        }));
        if let Err(why) = checked {
            eprintln!("seed {seed}, image {image}, cut after {cut} of {steps} steps");
            std::panic::resume_unwind(why);
        }
    }
}

fn tell_early(store: &RedbStore, disk: &Disk, batches: &[Batch]) {
    for (index, batch) in batches.iter().enumerate() {
        let ticket = store.submit(batch.clone()).unwrap();
        disk.acknowledged(index + 1);
        ticket.wait().unwrap();
    }
}

#[test]
fn no_power_cut_loses_or_halves_anything() {
    let all = images();
    let runs = all.div_ceil(IMAGES_PER_RUN);
    let next = AtomicUsize::new(0);
    let made = Made::default();
    let work = || {
        let base = Base::new();
        loop {
            let run = next.fetch_add(1, Ordering::Relaxed);
            if run >= runs {
                return;
            }
            let some = IMAGES_PER_RUN.min(all - run * IMAGES_PER_RUN);
            // From the end, so that the smallest size has a growing file in it.
            let seed = GROWING * 1_000_000 - run as u64;
            campaign(&base, seed, some, Wrong::Nothing, &made);
        }
    };
    std::thread::scope(|scope| {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        for _ in 0..cores {
            scope.spawn(work);
        }
    });
    let [images, in_recovery, growing] =
        [made.images, made.in_recovery, made.growing].map(AtomicUsize::into_inner);
    eprintln!(
        "{images} images ({growing} of a growing file), each cut a second time ({in_recovery} of \
         them while they recovered): nothing lost, nothing halved"
    );
    assert!(images == all && in_recovery > all / 5 && growing > 0);
}

/// The net would be worth nothing if it let one of these through: what it said of a planted bug.
fn said_of(wrong: Wrong) -> String {
    let base = Base::new();
    caught(|| {
        for seed in 1..GROWING {
            campaign(&base, seed, IMAGES_PER_RUN, wrong, &Made::default());
        }
    })
}

/// Whether it was a part that does not fit to the others.
fn is_halved(said: &str) -> bool {
    let parts = ["events of", "history of", "snapshot of", "Damaged"];
    said.contains("does not open") || parts.iter().any(|part| said.contains(part))
}

#[test]
fn a_disk_that_skips_syncs_is_caught() {
    let said = said_of(Wrong::Disk);
    assert!(
        said.contains("were acknowledged") || is_halved(&said),
        "{said}"
    );
}

#[test]
fn an_acknowledgement_before_the_flush_is_caught() {
    let said = said_of(Wrong::Told);
    assert!(said.contains("were acknowledged"), "{said}");
}

/// A store that a fold reached the disk of one flush before the events that it contains: at each
/// fold of a script the newer snapshots are put into the store as it was before the batch.
#[test]
fn a_snapshot_ahead_of_its_journal_is_caught() {
    let batches = numbered(1);
    // A fold of what is folded already is ahead of nothing.
    let is_ahead = |index: &usize| {
        let earlier = || batches[..*index].iter().flat_map(|batch| &batch.folds);
        batches[*index].folds.iter().any(|fold| {
            let mut same = earlier().filter(|before| before.instance == fold.instance);
            same.all(|before| before.events < fold.events)
        })
    };
    let folds: Vec<usize> = (0..BATCHES).filter(is_ahead).collect();
    assert!(!folds.is_empty(), "the script folds nothing");
    for index in folds {
        let (before, batch) = (&batches[..index], &batches[index]);
        let subject = Subject::redb();
        let store = subject.open();
        for batch in before {
            commit(&*store, batch.clone());
        }
        drop(store);
        let (path, known) = (subject.path("store.redb"), subject.values("streams"));
        let file = std::fs::read(&path).unwrap();
        Model::of(before).check(&*subject.open());
        std::fs::write(&path, &file).unwrap();
        commit(&*subject.open(), batch.clone());
        let newer = subject.values("streams");
        let ahead: Vec<_> = newer.iter().filter(|one| !known.contains(one)).collect();
        assert!(!ahead.is_empty(), "batch {index} wrote no snapshot");
        std::fs::write(&path, &file).unwrap();
        // That it is older is not what should be found.
        std::fs::remove_file(subject.checkpoint()).unwrap();
        for (key, value) in ahead {
            subject.plant("streams", key, Some(value));
        }
        let said = caught(|| {
            let opened = subject.try_open(Settings::default());
            let store = opened.unwrap_or_else(|error| panic!("does not open: {error}"));
            Model::of(before).check(&*store);
        });
        assert!(is_halved(&said), "{said}");
    }
}
