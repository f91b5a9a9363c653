//! What redb does by itself: the limit that figures of the store are measured against.
//!
//! One table, one ascending key, every commit `Immediate` with quick repair, as the store commits;
//! no seals, no guards, no index, no readers. Nothing but a bench uses it.

use std::path::Path;
use std::time::{Duration, Instant};

use ::redb::{Database, Durability, TableDefinition};

const TABLE: TableDefinition<'static, u64, &'static [u8]> = TableDefinition::new("bare");

/// A database of its own in a file that is not there yet.
pub struct Bare {
    database: Database,
    next: u64,
}

impl Bare {
    /// A sentence when it cannot be made.
    pub fn create(path: &Path) -> Result<Self, String> {
        let database = Database::create(path).map_err(text)?;
        Ok(Self { database, next: 0 })
    }

    /// Values of so many bytes appended in a second, so many to a commit, for about so long.
    pub fn appends_per_second(
        &mut self,
        bytes: usize,
        batch: u64,
        time: Duration,
    ) -> Result<f64, String> {
        let value = noise(bytes);
        let (began, first) = (Instant::now(), self.next);
        while began.elapsed() < time {
            self.commit(&value, batch)?;
        }
        let count = self.next - first;
        #[expect(clippy::cast_precision_loss, reason = "a count of a bench is small")]
        Ok(count as f64 / began.elapsed().as_secs_f64())
    }

    /// How long a commit of one value of so many bytes takes, one after the other for about so
    /// long: the median.
    pub fn commit_time(&mut self, bytes: usize, time: Duration) -> Result<Duration, String> {
        let value = noise(bytes);
        let began = Instant::now();
        let mut took = Vec::new();
        while began.elapsed() < time || took.len() < 3 {
            let begin = Instant::now();
            self.commit(&value, 1)?;
            took.push(begin.elapsed());
        }
        took.sort_unstable();
        Ok(took[took.len() / 2])
    }

    fn commit(&mut self, value: &[u8], count: u64) -> Result<(), String> {
        let mut transaction = self.database.begin_write().map_err(text)?;
        transaction
            .set_durability(Durability::Immediate)
            .map_err(text)?;
        transaction.set_quick_repair(true);
        {
            let mut table = transaction.open_table(TABLE).map_err(text)?;
            for _ in 0..count {
                table.insert(self.next, value).map_err(text)?;
                self.next += 1;
            }
        }
        transaction.commit().map_err(text)
    }
}

/// Sealed values look like noise to whatever lies below.
fn noise(bytes: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut out = Vec::with_capacity(bytes + 8);
    while out.len() < bytes {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        out.extend_from_slice(&state.to_le_bytes());
    }
    out.truncate(bytes);
    out
}

fn text(error: impl std::fmt::Display) -> String {
    format!("bare redb: {error}")
}

/// Compacts a copy of a store's file, which nobody has open, and gives its size in bytes.
pub fn compacted(copy: &Path) -> Result<u64, String> {
    crate::redb::compact(copy)?;
    Ok(std::fs::metadata(copy).map_err(text)?.len())
}

/// Values of one kind, counted in the file.
#[derive(Debug, Default)]
pub struct Kind {
    /// Space or table.
    pub name: String,
    /// How many.
    pub count: u64,
    /// Bytes of all keys.
    pub key_bytes: u64,
    /// Bytes of all values, seals included.
    pub value_bytes: u64,
}

impl Kind {
    /// Of keys and values.
    pub fn bytes(&self) -> u64 {
        self.key_bytes + self.value_bytes
    }
}

/// What a store's file, which nobody has open, is made of, the largest first.
pub fn contents(path: &Path) -> Result<Vec<Kind>, String> {
    crate::redb::contents(path)
}
