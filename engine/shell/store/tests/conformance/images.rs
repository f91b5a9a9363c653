//! Power cuts: from what was written, every image that a disk may be left with is made and opened.
//! Whatever was acknowledged is there, what is there is a whole beginning, and the store goes on
//! from it; also when the power fails again while it recovers.
//!
//! `CASEWRIGHT_IMAGES` says how many images, two hundred without it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};

use casewright_store::{Batch, RedbStore, Settings, Store, SubmitError, Table};

use crate::medium::Disk;
use crate::model::{Model, Random, script};
use crate::subject::{Subject, commit, put};

const IMAGES: usize = 200;
/// Images made of one run of the store.
const IMAGES_PER_RUN: usize = 50;
const BATCHES: usize = 24;

/// A new store's file and its keys, which lie apart and are not what is cut.
struct Base {
    subject: Subject,
    file: Vec<u8>,
}

impl Base {
    fn new() -> Self {
        let subject = Subject::redb();
        drop(subject.open());
        let file = std::fs::read(subject.path("store.redb")).unwrap();
        Self { subject, file }
    }

    fn try_open(&self, disk: &Disk) -> Result<RedbStore, casewright_store::OpenError> {
        let settings = Settings {
            medium: Some(disk.medium()),
            // Small enough that pages leave it and are read again.
            cache_bytes: 1 << 20,
            ..Settings::default()
        };
        let (path, keys) = (self.subject.path("store.redb"), self.subject.path("keys"));
        RedbStore::open(&path, &keys, settings)
    }

    fn open(&self, disk: &Disk) -> RedbStore {
        let opened = self.try_open(disk);
        opened.unwrap_or_else(|error| panic!("an image does not open: {error}"))
    }
}

/// The script of a seed; each batch also counts itself, so that a store tells how far it came.
fn numbered(seed: u64) -> Vec<Batch> {
    let mut batches = script(seed, BATCHES);
    for batch in &mut batches {
        batch.puts.push(put("batches", "so many"));
    }
    batches
}

fn count(store: &dyn Store) -> usize {
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

/// One power cut, a second one in the recovery from it, and what follows. `told` is what somebody
/// had been told before.
fn check(base: &Base, image: Vec<u8>, told: usize, batches: &[Batch], random: &mut Random) {
    let disk = Disk::of(image);
    let store = base.open(&disk);
    let found = count(&store);
    assert!(found >= told, "{told} were acknowledged, {found} are there");
    let model = Model::of(&batches[..found]);
    model.check(&store);
    model.check_unsettled(&store);
    disk.acknowledged(found);
    let opened = disk.length();
    run(&store, &disk, batches, found, random);
    Model::of(batches).check(&store);
    store.close();

    let within = disk.length();
    let cut = match random.below(3) {
        0 => random.below(opened + 1),
        _ => random.below(within + 1),
    };
    let (image, told_again) = disk.image(cut, random);
    let disk = Disk::of(image);
    let store = base.open(&disk);
    let again = count(&store);
    let told = told.max(told_again);
    assert!(again >= told, "{told} were acknowledged, {again} are there");
    Model::of(&batches[..again]).check(&store);
    for batch in &batches[again..] {
        commit(&store, batch.clone());
    }
    Model::of(batches).check(&store);
}

fn images() -> usize {
    let set = std::env::var("CASEWRIGHT_IMAGES").ok();
    set.map_or(IMAGES, |text| {
        text.parse().expect("CASEWRIGHT_IMAGES is a number")
    })
}

fn campaign(base: &Base, seed: u64, images: usize, prepare: impl Fn(&Disk)) {
    let mut random = Random(seed);
    let batches = numbered(seed);
    let disk = Disk::of(base.file.clone());
    prepare(&disk);
    let store = base.open(&disk);
    run(&store, &disk, &batches, 0, &mut random);
    store.close();
    let steps = disk.length();
    for image in 0..images {
        let cut = random.below(steps + 1);
        let (bytes, told) = disk.image(cut, &mut random);
        let checked = catch_unwind(AssertUnwindSafe(|| {
            check(base, bytes, told, &batches, &mut random);
        }));
        if let Err(why) = checked {
            eprintln!("seed {seed}, image {image}, cut after {cut} of {steps} steps");
            std::panic::resume_unwind(why);
        }
    }
}

#[test]
fn no_power_cut_loses_or_halves_anything() {
    let all = images();
    let runs = all.div_ceil(IMAGES_PER_RUN);
    let next = AtomicUsize::new(0);
    let work = || {
        let base = Base::new();
        loop {
            let run = next.fetch_add(1, Ordering::Relaxed);
            if run >= runs {
                return;
            }
            let some = IMAGES_PER_RUN.min(all - run * IMAGES_PER_RUN);
            campaign(&base, run as u64 + 1, some, |_| {});
        }
    };
    std::thread::scope(|scope| {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        for _ in 0..cores {
            scope.spawn(work);
        }
    });
    eprintln!(
        "{all} images, each cut a second time while it recovered: nothing lost, nothing halved"
    );
}

/// The net would be worth nothing if it let this through.
#[test]
fn a_disk_that_skips_syncs_is_caught() {
    let base = Base::new();
    let caught = catch_unwind(AssertUnwindSafe(|| {
        for seed in 1..=4 {
            campaign(&base, seed, IMAGES_PER_RUN, |disk| disk.skip_every_sync(2));
        }
    }));
    assert!(
        caught.is_err(),
        "nobody noticed that half of all syncs did nothing"
    );
}

/// Somebody who is told before the flush is told too early: the images show it.
#[test]
fn an_acknowledgement_before_the_flush_is_caught() {
    let base = Base::new();
    let caught = catch_unwind(AssertUnwindSafe(|| {
        for seed in 1..=4 {
            let mut random = Random(seed);
            let batches = numbered(seed);
            let disk = Disk::of(base.file.clone());
            let store = base.open(&disk);
            for (index, batch) in batches.iter().enumerate() {
                let ticket = store.submit(batch.clone()).unwrap();
                disk.acknowledged(index + 1);
                ticket.wait().unwrap();
            }
            store.close();
            for _ in 0..IMAGES_PER_RUN {
                let cut = random.below(disk.length() + 1);
                let (bytes, told) = disk.image(cut, &mut random);
                check(&base, bytes, told, &batches, &mut random);
            }
        }
    }));
    assert!(
        caught.is_err(),
        "nobody noticed an acknowledgement before its flush"
    );
}

/// At every call to the disk in turn: the store stops, asks for no second flush, and opens clean.
#[test]
fn a_failing_disk_stops_the_store_at_once() {
    let base = Base::new();
    let mut random = Random(3);
    let batches = numbered(3);
    let whole = {
        let disk = Disk::of(base.file.clone());
        let store = base.open(&disk);
        run(&store, &disk, &batches, 0, &mut random);
        store.close();
        disk.calls()
    };
    // Every call at first, where opening and the first commits are, then each seventh.
    let calls = (1..60).chain((60..whole).step_by(7));
    for n in calls {
        let disk = Disk::of(base.file.clone());
        disk.fail_at(n);
        let acknowledged = match base.try_open(&disk) {
            Err(_) => 0,
            Ok(store) => {
                let acknowledged = until_it_stops(&store, &batches);
                store.close();
                acknowledged
            }
        };
        assert!(disk.failed(), "call {n} was never made");
        assert_eq!(
            disk.syncs_after_failure(),
            0,
            "call {n}: a flush after the failure"
        );
        let disk = Disk::of(disk.bytes());
        let store = base.open(&disk);
        let found = count(&store);
        assert!(
            found >= acknowledged,
            "call {n}: {acknowledged} acknowledged, {found} there"
        );
        Model::of(&batches[..found]).check(&store);
        for batch in &batches[found..] {
            commit(&store, batch.clone());
        }
        Model::of(&batches).check(&store);
    }
}

/// How many batches were acknowledged before the store stopped, if it did.
fn until_it_stops(store: &RedbStore, batches: &[Batch]) -> usize {
    let mut acknowledged = 0;
    for batch in batches {
        match store
            .submit(batch.clone())
            .map(casewright_store::Ticket::wait)
        {
            Ok(Ok(_)) => acknowledged += 1,
            Ok(Err(SubmitError::Stopped)) | Err(SubmitError::Stopped | SubmitError::Read(_)) => {
                break;
            }
            other => panic!("{other:?}"),
        }
    }
    acknowledged
}
