//! What the operator and tests may set.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ::redb::StorageBackend;

use crate::{Faults, Witness};

/// Limits of a store. `Settings::default()` is what the binary ships.
#[derive(Clone)]
pub struct Settings {
    /// Free disk space below which writing is refused; the last quarter is for batches that may use
    /// the reserve.
    pub reserve_bytes: u64,
    /// Batches accepted and not yet on disk.
    pub queue_count_max: usize,
    /// Their bytes.
    pub queue_bytes_max: usize,
    /// How far the oldest unfolded event may lie behind before [`crate::Store::unfolded`] names
    /// its instance. 48 MiB leaves room for folding under the bound of 64 MiB.
    pub tail_bytes_max: u64,
    /// Page cache of redb.
    pub cache_bytes: usize,
    /// How old an answer about free space may be when a submission is judged by it.
    pub probe_every: Duration,
    /// Free bytes; `None` asks the file system that holds the store.
    pub free_space: Option<FreeSpace>,
    /// Called once, from the writer, when the store has stopped for good: the process should exit.
    pub on_fatal: Option<OnFatal>,
    /// Faults for tests of recovery.
    pub faults: Option<Arc<Faults>>,
    /// A checkpoint is kept when so many groups were committed since the last one,
    pub checkpoint_groups: u64,
    /// or with the first group after so long.
    pub checkpoint_every: Duration,
    /// Where checkpoints are kept; `None` is a file beside the key file.
    pub witness: Option<Arc<dyn Witness>>,
    /// What stands for the file of an existing store, for tests of what a disk may do; `None` is
    /// the file itself.
    pub medium: Option<Medium>,
}

/// A measurement of free space in bytes.
pub type FreeSpace = Arc<dyn Fn() -> io::Result<u64> + Send + Sync>;

/// Gives what bytes are read from and written to, by the path of the store.
pub type Medium = Arc<dyn Fn(&Path) -> io::Result<Box<dyn StorageBackend>> + Send + Sync>;

/// Told why the store stopped.
pub type OnFatal = Arc<dyn Fn(&str) + Send + Sync>;

impl Default for Settings {
    fn default() -> Self {
        Self {
            reserve_bytes: 64 << 20,
            // About a second of work at 15,000 batches a second; beyond it waiting helps nobody.
            queue_count_max: 16_384,
            queue_bytes_max: 32 << 20,
            tail_bytes_max: 48 << 20,
            cache_bytes: 64 << 20,
            probe_every: Duration::from_millis(100),
            free_space: None,
            on_fatal: None,
            faults: None,
            checkpoint_groups: 1_024,
            checkpoint_every: Duration::from_secs(10),
            witness: None,
            medium: None,
        }
    }
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("reserve_bytes", &self.reserve_bytes)
            .field("queue_count_max", &self.queue_count_max)
            .field("queue_bytes_max", &self.queue_bytes_max)
            .field("tail_bytes_max", &self.tail_bytes_max)
            .field("cache_bytes", &self.cache_bytes)
            .finish_non_exhaustive()
    }
}
