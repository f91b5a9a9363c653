//! A disk that does what disks may do: keeps, loses, tears and reorders what was not yet synced, or
//! fails at a chosen call. It holds bytes and knows nothing of stores.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use casewright_store::Medium;
use redb::StorageBackend;

use crate::model::Random;

/// What a disk writes whole or not at all.
const SECTOR: usize = 512;

/// Something that happened to the bytes, or to whoever wrote them.
#[derive(Debug, Clone)]
enum Step {
    Write {
        offset: usize,
        bytes: Vec<u8>,
    },
    Length(usize),
    Sync,
    /// From here on so many batches were acknowledged to somebody.
    Acknowledged(usize),
}

/// What was written since the disk was as it was at first.
#[derive(Debug, Default)]
struct Tape {
    bytes: Vec<u8>,
    first: Vec<u8>,
    steps: Vec<Step>,
    calls: u64,
    fails_at: Option<u64>,
    /// Syncs that were asked for after a call had failed.
    syncs_after_failure: u64,
    /// A disk that lies: every nth sync does nothing.
    skips_sync: Option<u64>,
    syncs: u64,
}

/// The disk, from outside.
#[derive(Debug, Clone, Default)]
pub(crate) struct Disk(Arc<Mutex<Tape>>);

impl Disk {
    pub(crate) fn of(bytes: Vec<u8>) -> Self {
        let tape = Tape {
            bytes: bytes.clone(),
            first: bytes,
            ..Tape::default()
        };
        Self(Arc::new(Mutex::new(tape)))
    }

    pub(crate) fn medium(&self) -> Medium {
        let disk = self.clone();
        Arc::new(move |_| Ok(Box::new(disk.clone())))
    }

    /// The nth call from now on fails, and every one after it: a disk that is gone.
    pub(crate) fn fail_at(&self, n: u64) {
        let mut tape = self.tape();
        tape.fails_at = Some(tape.calls + n);
    }

    pub(crate) fn skip_every_sync(&self, nth: u64) {
        self.tape().skips_sync = Some(nth);
    }

    pub(crate) fn acknowledged(&self, count: usize) {
        self.tape().steps.push(Step::Acknowledged(count));
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.tape().bytes.clone()
    }

    pub(crate) fn calls(&self) -> u64 {
        self.tape().calls
    }

    pub(crate) fn syncs_after_failure(&self) -> u64 {
        self.tape().syncs_after_failure
    }

    pub(crate) fn failed(&self) -> bool {
        let tape = self.tape();
        tape.fails_at.is_some_and(|at| tape.calls >= at)
    }

    /// Steps so far.
    pub(crate) fn length(&self) -> usize {
        self.tape().steps.len()
    }

    /// The bytes as a power cut after `cut` steps may leave them, and how many batches somebody had
    /// been told of by then.
    pub(crate) fn image(&self, cut: usize, random: &mut Random) -> (Vec<u8>, usize) {
        let tape = self.tape();
        let mut image = tape.first.clone();
        let mut unsynced: Vec<&Step> = Vec::new();
        let mut told = 0;
        for step in &tape.steps[..cut] {
            match step {
                Step::Acknowledged(count) => told = *count,
                Step::Sync => {
                    for step in unsynced.drain(..) {
                        apply(&mut image, step, |_| true);
                    }
                }
                Step::Write { .. } | Step::Length(_) => unsynced.push(step),
            }
        }
        // How much of what was on its way came through: nothing, all, or any part of it.
        let odds = [0, 1, 2, 3, 4][random.below(5)];
        for step in unsynced {
            let torn = random.below(4) == 0;
            let whole = random.below(4) < odds;
            apply(&mut image, step, |_| {
                if torn { random.below(2) == 0 } else { whole }
            });
        }
        (image, told)
    }

    fn tape(&self) -> std::sync::MutexGuard<'_, Tape> {
        // A panicking test reads it no more.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn call(&self) -> Result<std::sync::MutexGuard<'_, Tape>, io::Error> {
        let mut tape = self.tape();
        tape.calls += 1;
        if tape.fails_at.is_some_and(|at| tape.calls >= at) {
            return Err(io::Error::other("planted failure of the disk"));
        }
        Ok(tape)
    }
}

fn apply(image: &mut Vec<u8>, step: &Step, mut kept: impl FnMut(usize) -> bool) {
    match step {
        Step::Write { offset, bytes } => {
            let end = offset + bytes.len();
            let mut at = *offset;
            while at < end {
                let next = ((at / SECTOR + 1) * SECTOR).min(end);
                if kept(at / SECTOR) {
                    if image.len() < next {
                        image.resize(next, 0);
                    }
                    image[at..next].copy_from_slice(&bytes[at - offset..next - offset]);
                }
                at = next;
            }
        }
        Step::Length(length) if kept(0) => image.resize(*length, 0),
        Step::Length(_) | Step::Sync | Step::Acknowledged(_) => {}
    }
}

fn place(number: u64) -> usize {
    usize::try_from(number).unwrap()
}

impl StorageBackend for Disk {
    fn len(&self) -> Result<u64, io::Error> {
        Ok(self.call()?.bytes.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), io::Error> {
        let tape = self.call()?;
        let from = place(offset);
        match tape.bytes.get(from..from + out.len()) {
            Some(found) => {
                out.copy_from_slice(found);
                Ok(())
            }
            None => Err(io::Error::from(io::ErrorKind::UnexpectedEof)),
        }
    }

    fn set_len(&self, len: u64) -> Result<(), io::Error> {
        let mut tape = self.call()?;
        tape.bytes.resize(place(len), 0);
        tape.steps.push(Step::Length(place(len)));
        Ok(())
    }

    fn sync_data(&self) -> Result<(), io::Error> {
        if self.failed() {
            self.tape().syncs_after_failure += 1;
        }
        let mut tape = self.call()?;
        tape.syncs += 1;
        let skipped = tape
            .skips_sync
            .is_some_and(|nth| tape.syncs.is_multiple_of(nth));
        if !skipped {
            tape.steps.push(Step::Sync);
        }
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<(), io::Error> {
        let mut tape = self.call()?;
        let step = Step::Write {
            offset: place(offset),
            bytes: data.to_vec(),
        };
        apply(&mut tape.bytes, &step, |_| true);
        tape.steps.push(step);
        Ok(())
    }
}
