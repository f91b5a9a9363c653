//! The file under redb, with a checksum for each of its pages: what the disk gives back otherwise
//! than it was written is found when it is read, and not served.
//!
//! ```text
//! page 0       head: what this file is
//! page 1       redb's first page; its checksum stands in the same sector, and one of all checksums
//!              when the file was closed
//! then groups  one page of 512 checksums, and the 512 pages that they belong to
//! ```
//!
//! A page of checksums is written before the sync that makes its pages durable. A power cut between
//! them leaves each sector of it old or new, and in both the checksums of what was not being
//! written are the same: redb never writes over a page that the last commit still needs. Checksums
//! are bound to the number of their page, so that swapped pages and older versions are found too.
//! An older first page would lead to pages that were written over since: in a file that was closed
//! it does not fit to all checksums, which are few enough to be read at opening. Checksums are no
//! seal: against intent there are those of the values, and the checkpoint.
//!
//! redb gets a page of its own kind for one that does not fit, which leads nowhere: it answers
//! `Corrupted` for that read alone, where an error of the file would stop it for good.
//!
//! A file that was written without checksums is read as it is.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::ops::Bound;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use ::redb::{BackendError, StorageBackend};
use twox_hash::XxHash3_64;

const PAGE: usize = 4096;
const PAGE_BYTES: u64 = PAGE as u64;
/// Pages whose checksums fill a page.
const GROUP: u64 = 512;
const GROUP_SIZE: usize = 512;

/// What a disk writes whole or not at all.
const SECTOR: usize = 512;
const SUM_BYTES: usize = 8;
/// Where the checksum of the first sector lies, and before it that of all checksums, or zero.
const FIRST_SUM: usize = SECTOR - SUM_BYTES;
const ALL_SUMS: usize = FIRST_SUM - SUM_BYTES;
/// Where redb says in its first page, by its format, whether somebody has it open for writing.
const OPEN_BYTE: usize = 9;
const OPEN_BIT: u8 = 2;

const MAGIC: &[u8; 16] = b"casewright-pages";
const FORMAT: u32 = 1;
/// A file of redb without checksums begins so.
const PLAIN: &[u8; 9] = b"redb\x1a\x0a\xa9\x0d\x0a";

/// Groups kept in memory, 4 KiB each: the checksums of 16 GiB.
const GROUPS_MAX: usize = 8_192;

/// A file of pages, with checksums unless it was written without.
pub struct Pages {
    file: Box<dyn StorageBackend>,
    /// `None`: without.
    checked: Option<Checked>,
}

#[derive(Default)]
struct Checked {
    sums: RwLock<Sums>,
    /// A first page that says that the file is closed, until it is synced.
    closing: Mutex<Option<[u8; SECTOR]>>,
    /// Other pages were written since the last sync.
    unsynced: AtomicBool,
}

#[derive(Default)]
struct Sums(HashMap<u64, Group>);

struct Group {
    sums: Box<[u64; GROUP_SIZE]>,
    /// Not yet in the file.
    changed: bool,
}

impl Pages {
    /// Makes an empty file one with checksums.
    pub fn create(file: Box<dyn StorageBackend>) -> io::Result<Self> {
        let mut head = vec![0; PAGE];
        head[..16].copy_from_slice(MAGIC);
        head[16..20].copy_from_slice(&FORMAT.to_be_bytes());
        file.set_len(PAGE_BYTES)?;
        file.write(0, &head)?;
        Ok(Self::checked(file))
    }

    /// Takes a file as it was written. One that is cut off, or none of ours, is `InvalidData`.
    pub fn open(file: Box<dyn StorageBackend>) -> io::Result<Self> {
        let length = file.len()?;
        if length < PAGE_BYTES {
            return Err(damaged("it ends before its first page does"));
        }
        let mut head = [0; 20];
        file.read(0, &mut head)?;
        if head.starts_with(PLAIN) {
            let checked = None;
            return Ok(Self { file, checked });
        }
        let Some(format) = head.strip_prefix(MAGIC) else {
            return Err(damaged("it does not begin like a store"));
        };
        if format != FORMAT.to_be_bytes() {
            return Err(damaged("it has a format that this engine does not know"));
        }
        if pages_within(length)? < 2 {
            return Err(damaged("it was cut off after its first page"));
        }
        let pages = Self::checked(file);
        let all_sums = &pages.first_sector()?[ALL_SUMS..FIRST_SUM];
        if all_sums != [0; SUM_BYTES] && all_sums != pages.all_sums()? {
            return Err(damaged("a part of it is older than the rest"));
        }
        Ok(pages)
    }

    fn checked(file: Box<dyn StorageBackend>) -> Self {
        let checked = Some(Checked::default());
        Self { file, checked }
    }

    /// redb's first page, of which it uses less than a sector.
    fn first_sector(&self) -> io::Result<[u8; SECTOR]> {
        let mut sector = [0; SECTOR];
        self.file.read(PAGE_BYTES, &mut sector)?;
        if sector[FIRST_SUM..] == first_sum(&sector) {
            Ok(sector)
        } else {
            Err(damaged("its first page is not as it was written"))
        }
    }

    /// One checksum of all, as they lie in the file.
    fn all_sums(&self) -> io::Result<[u8; SUM_BYTES]> {
        let pages = pages_within(self.file.len()?)?.saturating_sub(1);
        let mut bytes = [0; PAGE];
        let mut all = 1;
        for group in 0..pages.div_ceil(GROUP) {
            self.file.read(sums_place(group) * PAGE_BYTES, &mut bytes)?;
            all = sum(all, &bytes);
        }
        // Zero says that there is none.
        Ok(all.max(1).to_le_bytes())
    }

    fn read_first(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let sector = self.first_sector()?;
        let from = usize::try_from(offset).unwrap_or(ALL_SUMS);
        let part = sector[..ALL_SUMS].get(from..from + out.len());
        out.copy_from_slice(part.ok_or_else(|| misused("read of the first page"))?);
        Ok(())
    }

    fn write_first(&self, checked: &Checked, bytes: &[u8]) -> io::Result<()> {
        let mut sector = [0; SECTOR];
        let part = sector[..ALL_SUMS].get_mut(..bytes.len());
        part.ok_or_else(|| misused("write of the first page"))?
            .copy_from_slice(bytes);
        let is_closed = sector[OPEN_BYTE] & OPEN_BIT == 0;
        *closing(checked) = is_closed.then_some(sector);
        self.write_sector(sector)
    }

    fn write_sector(&self, mut sector: [u8; SECTOR]) -> io::Result<()> {
        let sum = first_sum(&sector);
        sector[FIRST_SUM..].copy_from_slice(&sum);
        self.file.write(PAGE_BYTES, &sector)
    }

    /// Everything that the next sync must make durable is in the file afterwards.
    fn complete(&self, checked: &Checked) -> io::Result<()> {
        self.write_sums(&checked.sums)?;
        let unsynced = checked.unsynced.swap(false, Ordering::Relaxed);
        match closing(checked).take() {
            // With other pages on their way a power cut could leave the one without the others.
            Some(mut sector) if !unsynced => {
                sector[ALL_SUMS..FIRST_SUM].copy_from_slice(&self.all_sums()?);
                self.write_sector(sector)
            }
            _ => Ok(()),
        }
    }

    fn read_checked(&self, sums: &RwLock<Sums>, offset: u64, out: &mut [u8]) -> io::Result<()> {
        if offset < PAGE_BYTES {
            return self.read_first(offset, out);
        }
        let first = whole_pages(offset, out.len())?;
        let mut fits = true;
        let (mut page, mut rest) = (first, &mut *out);
        while fits && !rest.is_empty() {
            let (part, more) = rest.split_at_mut(side_by_side(page, rest.len()));
            fits = self.read_there(place(page), part)?;
            for bytes in part.chunks(PAGE) {
                fits = fits && self.sum(sums, page)? == sum(page, bytes);
                page += 1;
            }
            rest = more;
        }
        if !fits {
            tracing::error!(page = first, "a page of the store is not as it was written");
            lead_nowhere(out);
        }
        Ok(())
    }

    fn write_checked(&self, checked: &Checked, offset: u64, bytes: &[u8]) -> io::Result<()> {
        if offset == 0 {
            return self.write_first(checked, bytes);
        }
        checked.unsynced.store(true, Ordering::Relaxed);
        let mut page = whole_pages(offset, bytes.len())?;
        let mut rest = bytes;
        while !rest.is_empty() {
            let (part, more) = rest.split_at(side_by_side(page, rest.len()));
            {
                let mut sums = write(&checked.sums);
                let group = self.group(&mut sums, group_of(page).0)?;
                for (number, bytes) in (page..).zip(part.chunks(PAGE)) {
                    group.sums[group_of(number).1] = sum(number, bytes);
                }
                group.changed = true;
            }
            self.file.write(place(page) * PAGE_BYTES, part)?;
            page += (part.len() / PAGE) as u64;
            rest = more;
        }
        Ok(())
    }

    /// Puts the changed checksums into the file.
    fn write_sums(&self, sums: &RwLock<Sums>) -> io::Result<()> {
        let mut sums = write(sums);
        let mut bytes = [0; PAGE];
        for (number, group) in &mut sums.0 {
            if group.changed {
                for (bytes, sum) in bytes.chunks_mut(SUM_BYTES).zip(group.sums.iter()) {
                    bytes.copy_from_slice(&sum.to_le_bytes());
                }
                self.file.write(sums_place(*number) * PAGE_BYTES, &bytes)?;
                group.changed = false;
            }
        }
        Ok(())
    }

    fn sum(&self, sums: &RwLock<Sums>, page: u64) -> io::Result<u64> {
        let (number, index) = group_of(page);
        if let Some(group) = read(sums).0.get(&number) {
            return Ok(group.sums[index]);
        }
        Ok(self.group(&mut write(sums), number)?.sums[index])
    }

    fn group<'s>(&self, sums: &'s mut Sums, number: u64) -> io::Result<&'s mut Group> {
        if sums.0.len() >= GROUPS_MAX && !sums.0.contains_key(&number) {
            sums.0.retain(|_, group| group.changed);
        }
        match sums.0.entry(number) {
            std::collections::hash_map::Entry::Occupied(known) => Ok(known.into_mut()),
            std::collections::hash_map::Entry::Vacant(place) => {
                Ok(place.insert(self.read_group(number)?))
            }
        }
    }

    fn read_group(&self, number: u64) -> io::Result<Group> {
        let mut bytes = [0; PAGE];
        if !self.read_there(sums_place(number), &mut bytes)? {
            // No page of the group fits.
            bytes.fill(0);
        }
        let mut sums = Box::new([0; GROUP_SIZE]);
        for (sum, bytes) in sums.iter_mut().zip(bytes.chunks_exact(SUM_BYTES)) {
            *sum = u64::from_le_bytes(bytes.try_into().expect("chunks have eight bytes"));
        }
        Ok(Group {
            sums,
            changed: false,
        })
    }

    /// Reads what lies there; false when the file was cut off before its end.
    fn read_there(&self, page: u64, out: &mut [u8]) -> io::Result<bool> {
        let read = self.file.read(page * PAGE_BYTES, out);
        let Err(error) = read else { return Ok(true) };
        let end = page * PAGE_BYTES + out.len() as u64;
        if self.file.len()? < end {
            Ok(false)
        } else {
            Err(error)
        }
    }

    fn cut_checked(&self, sums: &RwLock<Sums>, length: u64) -> io::Result<()> {
        if !length.is_multiple_of(PAGE_BYTES) {
            return Err(misused("length"));
        }
        let pages = (length / PAGE_BYTES).saturating_sub(1);
        let groups = pages.div_ceil(GROUP);
        // What lay beyond is forgotten, and must not be written again.
        write(sums).0.retain(|number, _| *number < groups);
        let first = if length == 0 { 1 } else { 2 };
        self.file.set_len((first + pages + groups) * PAGE_BYTES)
    }
}

impl StorageBackend for Pages {
    fn len(&self) -> io::Result<u64> {
        let length = self.file.len()?;
        match self.checked {
            None => Ok(length),
            Some(_) => Ok(pages_within(length)? * PAGE_BYTES),
        }
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        match &self.checked {
            None => self.file.read(offset, out),
            Some(checked) => self.read_checked(&checked.sums, offset, out),
        }
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        match &self.checked {
            None => self.file.set_len(length),
            Some(checked) => self.cut_checked(&checked.sums, length),
        }
    }

    fn sync_data(&self) -> io::Result<()> {
        if let Some(checked) = &self.checked {
            self.complete(checked)?;
        }
        self.file.sync_data()
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        match &self.checked {
            None => self.file.write(offset, bytes),
            Some(checked) => self.write_checked(checked, offset, bytes),
        }
    }

    fn close(&self) -> io::Result<()> {
        self.file.close()
    }

    // Locks lie far beyond all pages: they are the file's own.

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.try_lock_range(start, end)
    }

    fn try_lock_shared_range(
        &self,
        start: Bound<u64>,
        end: Bound<u64>,
    ) -> Result<bool, BackendError> {
        self.file.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.query_lock_range(start, end)
    }
}

impl fmt::Debug for Pages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages").finish_non_exhaustive()
    }
}

/// Makes these bytes a page of redb that leads nowhere. As a branch, which is how a page is read
/// that may be either, it has one key and two children of an order that no page can have: redb
/// answers `Corrupted`. As a leaf, where redb expects one without looking, it has an entry that
/// ends beyond the page: redb panics rather than take it for an empty one.
fn lead_nowhere(out: &mut [u8]) {
    const BRANCH: u8 = 2;
    const ENDS: std::ops::Range<usize> = 4..12;
    const CHILDREN: std::ops::Range<usize> = 40..56;
    const KEY_END: usize = 56;
    const KEY_START: u8 = 60;
    out.fill(0);
    out[0] = BRANCH;
    out[2] = 1;
    out[ENDS].fill(0xff);
    out[CHILDREN].fill(0xff);
    out[KEY_END] = KEY_START;
}

fn sum(page: u64, bytes: &[u8]) -> u64 {
    XxHash3_64::oneshot_with_seed(page, bytes)
}

fn first_sum(sector: &[u8; SECTOR]) -> [u8; SUM_BYTES] {
    sum(0, &sector[..FIRST_SUM]).to_le_bytes()
}

/// Group of a page of redb other than its first, and its place among the checksums.
fn group_of(page: u64) -> (u64, usize) {
    let index = usize::try_from((page - 1) % GROUP).expect("less than a group");
    ((page - 1) / GROUP, index)
}

/// Where the checksums of a group lie, in pages of the file.
fn sums_place(group: u64) -> u64 {
    2 + group * (GROUP + 1)
}

/// Where a page of redb other than its first lies.
fn place(page: u64) -> u64 {
    let (group, index) = group_of(page);
    sums_place(group) + 1 + index as u64
}

/// Pages of redb in a file of this length.
fn pages_within(length: u64) -> io::Result<u64> {
    let Some(pages) = (length / PAGE_BYTES).checked_sub(2) else {
        return Ok(0);
    };
    let (groups, rest) = (pages / (GROUP + 1), pages % (GROUP + 1));
    if !length.is_multiple_of(PAGE_BYTES) || rest == 1 {
        return Err(damaged("it was cut off: its length is not that of a store"));
    }
    Ok(1 + groups * GROUP + rest.saturating_sub(1))
}

/// How many of so many bytes from a page on lie in one piece of the file.
fn side_by_side(page: u64, bytes: usize) -> usize {
    bytes.min((GROUP_SIZE - group_of(page).1) * PAGE)
}

/// The number of the first of these pages.
fn whole_pages(offset: u64, length: usize) -> io::Result<u64> {
    let is_whole = offset.is_multiple_of(PAGE_BYTES) && length.is_multiple_of(PAGE);
    if is_whole && length > 0 {
        Ok(offset / PAGE_BYTES)
    } else {
        Err(misused("part of a page"))
    }
}

fn read(sums: &RwLock<Sums>) -> RwLockReadGuard<'_, Sums> {
    // Numbers that are set one by one: a panic leaves none half set.
    sums.read().unwrap_or_else(PoisonError::into_inner)
}

fn write(sums: &RwLock<Sums>) -> RwLockWriteGuard<'_, Sums> {
    sums.write().unwrap_or_else(PoisonError::into_inner)
}

fn closing(checked: &Checked) -> std::sync::MutexGuard<'_, Option<[u8; SECTOR]>> {
    checked
        .closing
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
}

fn damaged(reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, reason)
}

/// redb does what this file was not made for.
fn misused(what: &str) -> io::Error {
    let reason = format!("redb asks for a {what} as the store's file does not have it");
    io::Error::new(io::ErrorKind::InvalidInput, reason)
}

#[cfg(test)]
mod tests;
