//! A disk that does what disks may do: keeps, loses, tears and reorders what was not yet synced, or
//! fails at a chosen call. Beside its bytes it holds what is kept as a checkpoint, as a file
//! replaced by renaming. It knows nothing of stores.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use casewright_store::{Medium, Witness};
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
    /// A checkpoint is on its way to be kept, and is kept.
    Keeping(Vec<u8>),
    Kept,
    /// From here on so many batches were acknowledged to somebody.
    Acknowledged(usize),
}

/// What may be asked of a disk, and may fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    Length,
    Read,
    Write,
    SetLength,
    Sync,
}

/// How a call fails.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Failing {
    pub(crate) call: Call,
    /// Counted among the calls of its kind, from 1.
    pub(crate) nth: u64,
    /// After it every other call fails too: a disk that is gone.
    pub(crate) for_ever: bool,
    /// A write or read has done half of its part before it fails, a write no part of a sector.
    pub(crate) short: bool,
}

/// What was written since the disk was as it was at first.
#[derive(Debug, Default)]
struct Tape {
    bytes: Vec<u8>,
    first: Image,
    kept: Option<Vec<u8>>,
    steps: Vec<Step>,
    /// By kind.
    calls: [u64; Call::ALL.len()],
    failing: Option<Failing>,
    has_failed: bool,
    /// Syncs that were asked for after a call had failed.
    syncs_after_failure: u64,
    /// A disk that lies: every nth sync does nothing.
    skips_sync: Option<u64>,
    syncs: u64,
}

/// What a power cut leaves.
#[derive(Debug, Clone, Default)]
pub(crate) struct Image {
    pub(crate) bytes: Vec<u8>,
    /// The checkpoint that is kept.
    pub(crate) kept: Option<Vec<u8>>,
}

/// The disk, from outside.
#[derive(Debug, Clone, Default)]
pub(crate) struct Disk(Arc<Mutex<Tape>>);

impl Disk {
    /// Without a checkpoint.
    pub(crate) fn of(bytes: Vec<u8>) -> Self {
        Self::after(Image { bytes, kept: None })
    }

    pub(crate) fn after(image: Image) -> Self {
        let tape = Tape {
            bytes: image.bytes.clone(),
            kept: image.kept.clone(),
            first: image,
            ..Tape::default()
        };
        Self(Arc::new(Mutex::new(tape)))
    }

    /// As it is at this moment.
    pub(crate) fn now(&self) -> Image {
        let tape = self.tape();
        Image {
            bytes: tape.bytes.clone(),
            kept: tape.kept.clone(),
        }
    }

    pub(crate) fn witness(&self) -> Arc<dyn Witness> {
        Arc::new(self.clone())
    }

    pub(crate) fn medium(&self) -> Medium {
        let disk = self.clone();
        Arc::new(move |_| Ok(Box::new(disk.clone())))
    }

    /// To be said before the disk is used.
    pub(crate) fn fail(&self, failing: Failing) {
        self.tape().failing = Some(failing);
    }

    pub(crate) fn skip_every_sync(&self, nth: u64) {
        self.tape().skips_sync = Some(nth);
    }

    pub(crate) fn acknowledged(&self, count: usize) {
        self.tape().steps.push(Step::Acknowledged(count));
    }

    pub(crate) fn calls(&self, call: Call) -> u64 {
        self.tape().calls[call as usize]
    }

    pub(crate) fn syncs_after_failure(&self) -> u64 {
        self.tape().syncs_after_failure
    }

    pub(crate) fn failed(&self) -> bool {
        self.tape().has_failed
    }

    /// Whether the file changed its length.
    pub(crate) fn grew(&self) -> bool {
        let tape = self.tape();
        tape.steps
            .iter()
            .any(|step| matches!(step, Step::Length(_)))
    }

    /// Steps so far.
    pub(crate) fn length(&self) -> usize {
        self.tape().steps.len()
    }

    /// The bytes as a power cut after `cut` steps may leave them, and how many batches somebody had
    /// been told of by then.
    pub(crate) fn image(&self, cut: usize, random: &mut Random) -> (Image, usize) {
        let tape = self.tape();
        let mut image = tape.first.clone();
        let mut keeping = None;
        let mut unsynced: Vec<&Step> = Vec::new();
        let mut told = 0;
        for step in &tape.steps[..cut] {
            match step {
                Step::Acknowledged(count) => told = *count,
                Step::Keeping(bytes) => keeping = Some(bytes),
                Step::Kept => image.kept = keeping.take().cloned(),
                Step::Sync => {
                    for step in unsynced.drain(..) {
                        apply(&mut image.bytes, step, |_| true);
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
            apply(&mut image.bytes, step, |_| {
                if torn { random.below(2) == 0 } else { whole }
            });
        }
        if let Some(bytes) = keeping.filter(|_| random.below(2) == 0) {
            image.kept = Some(bytes.clone());
        }
        (image, told)
    }

    fn tape(&self) -> std::sync::MutexGuard<'_, Tape> {
        // A panicking test reads it no more.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The disk at a call, and how much of it is done before it fails, if it does.
    fn call(&self, call: Call) -> (std::sync::MutexGuard<'_, Tape>, Option<Share>) {
        let mut tape = self.tape();
        tape.calls[call as usize] += 1;
        let Some(failing) = tape.failing else {
            return (tape, None);
        };
        let is_it = failing.call == call && tape.calls[call as usize] == failing.nth;
        let failed = is_it || (failing.for_ever && tape.has_failed);
        let share = match (failed, is_it && failing.short) {
            (false, _) => None,
            (true, false) => Some(Share::Nothing),
            (true, true) => Some(Share::Half),
        };
        tape.has_failed |= is_it;
        (tape, share)
    }
}

/// How much of a failing call is done.
enum Share {
    Nothing,
    Half,
}

impl Call {
    pub(crate) const ALL: [Self; 5] = [
        Self::Length,
        Self::Read,
        Self::Write,
        Self::SetLength,
        Self::Sync,
    ];
}

fn planted() -> io::Error {
    io::Error::other("planted failure of the disk")
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
        Step::Length(_) | Step::Sync | Step::Keeping(_) | Step::Kept | Step::Acknowledged(_) => {}
    }
}

fn place(number: u64) -> usize {
    usize::try_from(number).unwrap()
}

impl Witness for Disk {
    fn place(&self) -> String {
        "the checkpoint of the disk".to_owned()
    }

    fn read(&self) -> io::Result<Option<Vec<u8>>> {
        Ok(self.tape().kept.clone())
    }

    fn replace(&self, bytes: &[u8]) -> io::Result<()> {
        self.tape().steps.push(Step::Keeping(bytes.to_vec()));
        // What the writer does meanwhile comes between.
        std::thread::yield_now();
        let mut tape = self.tape();
        tape.kept = Some(bytes.to_vec());
        tape.steps.push(Step::Kept);
        Ok(())
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> Result<u64, io::Error> {
        let (tape, failed) = self.call(Call::Length);
        match failed {
            None => Ok(tape.bytes.len() as u64),
            Some(_) => Err(planted()),
        }
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<(), io::Error> {
        let (tape, failed) = self.call(Call::Read);
        let from = place(offset);
        let length = match failed {
            None => out.len(),
            Some(Share::Half) => out.len() / 2,
            Some(Share::Nothing) => return Err(planted()),
        };
        match tape.bytes.get(from..from + length) {
            Some(found) => out[..length].copy_from_slice(found),
            None => return Err(io::Error::from(io::ErrorKind::UnexpectedEof)),
        }
        failed.map_or(Ok(()), |_| Err(planted()))
    }

    fn set_len(&self, len: u64) -> Result<(), io::Error> {
        let (mut tape, failed) = self.call(Call::SetLength);
        if failed.is_some() {
            return Err(planted());
        }
        tape.bytes.resize(place(len), 0);
        tape.steps.push(Step::Length(place(len)));
        Ok(())
    }

    fn sync_data(&self) -> Result<(), io::Error> {
        let failed_before = self.failed();
        let (mut tape, failed) = self.call(Call::Sync);
        if failed_before {
            tape.syncs_after_failure += 1;
        }
        if failed.is_some() {
            return Err(planted());
        }
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
        let (mut tape, failed) = self.call(Call::Write);
        let length = match failed {
            None => data.len(),
            Some(Share::Half) => data.len() / 2 / SECTOR * SECTOR,
            Some(Share::Nothing) => return Err(planted()),
        };
        let step = Step::Write {
            offset: place(offset),
            bytes: data[..length].to_vec(),
        };
        apply(&mut tape.bytes, &step, |_| true);
        tape.steps.push(step);
        failed.map_or(Ok(()), |_| Err(planted()))
    }
}
